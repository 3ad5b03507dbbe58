/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Meters as controllers see them (OpenFlow 1.3.5, 6.5 meters), over the pipeline's token buckets.
 *
 * Threads: control only.
 */

#include "datapath/pipeline/meter.h"
#include "ofproto/state/table.h"
#include "ofproto/wire/meter_mod.h"

#define OF_MAX_METERS 262144	/* As Open vSwitch's userspace datapath says. */
#define OF_MAX_METER_BANDS METER_MAX_BANDS
#define OF_METER_FLAGS (OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS)

struct of_meter {
	struct hmap_node node;
	uint32_t id;
	int64_t created_ms;
	struct meter_config config;
};

struct of_meter *of_meter_find(const struct of_state *state, uint32_t id);
enum ofp_error of_meter_mod(struct of_state *state, const struct meter_mod *mm);
void of_meters_flush(struct of_state *state);
/* All meters, by id. free() the array. */
struct of_meter **of_meters_sorted(const struct of_state *state, size_t *n);
uint32_t of_meter_n_refs(const struct of_state *state, const struct of_meter *meter);
