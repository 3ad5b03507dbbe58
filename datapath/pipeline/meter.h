/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OpenFlow meters: token buckets shared by all PMDs (the exception to "a PMD writes only its own":
 * tokens are atomics, taken with one compare-and-swap a packet and band). Units as in OpenFlow 1.3.5
 * 7.3.4.4: rate in kb/s or packet/s, burst in kb or packets. The burst given is the burst kept; 0 means
 * one second's worth at the band's rate, a tenth of that for dscp_remark, at least one packet.
 *
 * Bands: the one with the highest rate that the current rate exceeds applies.
 */

#include <stdatomic.h>

#include "lib/cmap.h"
#include "lib/types.h"

/* OFPMF_* and OFPMBT_* wire numbers. */
#define METER_KBPS (1 << 0)
#define METER_PKTPS (1 << 1)
#define METER_BURST (1 << 2)
#define METER_STATS (1 << 3)
#define METER_BAND_DROP 1
#define METER_BAND_DSCP_REMARK 2
#define METER_MAX_BANDS 8

struct pl_meter_band {
	uint16_t type;		/* METER_BAND_*. */
	uint8_t prec_level;
	uint32_t rate;
	uint32_t burst;
	_Atomic int64_t tokens;
	_Atomic int64_t last_us;
	_Atomic uint64_t packets, bytes;
};

struct pl_meter {
	struct cmap_node node;
	uint32_t id;
	uint16_t flags;
	uint16_t n_bands;
	struct pl_meter_band bands[METER_MAX_BANDS];
	_Atomic uint64_t packets, bytes;
	int64_t created_ms;
};

enum meter_result { METER_PASS, METER_DROP, METER_REMARK };

/* Any thread. Takes one packet of BYTES at NOW_US. On METER_REMARK *PREC_LEVEL is by how much the
 * drop precedence of the DSCP goes up. */
enum meter_result meter_run(struct pl_meter *meter, uint32_t bytes, int64_t now_us,
	uint8_t *prec_level);

/* Buckets hold just the burst from now on. */
void meter_start(struct pl_meter *meter, int64_t now_us);

struct pl_bridge;
/* Control: adds or replaces by id (takes METER over), keeping counters of a replaced one; removes. */
void pl_meter_set(struct pl_bridge *bridge, struct pl_meter *meter);
bool pl_meter_remove(struct pl_bridge *bridge, uint32_t id);
