/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Meters (1.3+): meter_mod, statistics, configuration, features. Pure functions, any thread.
 */

#include "lib/vec.h"
#include "ofproto/wire/msg.h"

struct meter_band {
	uint16_t type;		/* enum ofp_meter_band_type. */
	uint8_t prec_level;	/* DSCP remark. */
	uint32_t rate;		/* kbit/s or packets/s. */
	uint32_t burst;		/* kbit or packets. */
};

struct meter_config {
	uint32_t meter_id;
	uint16_t flags;		/* OFPMF_*. */
	VEC(struct meter_band) bands;	/* Owned. */
};

struct meter_mod {
	uint16_t command;	/* enum ofp_meter_command. */
	struct meter_config meter;
};

void meter_config_uninit(struct meter_config *mc);
void meter_config_clone(struct meter_config *dst, const struct meter_config *src);
void meter_mod_uninit(struct meter_mod *mm);
enum ofp_error meter_mod_decode(const struct msg *msg, struct meter_mod *mm);
void meter_mod_encode(const struct meter_mod *mm, enum ofp_version version, be32 xid,
	struct sbuf *out);

/* OFPTYPE_METER_STATS_REQUEST and OFPTYPE_METER_CONFIG_REQUEST: the meter, OFP_METER_ALL all. */
enum ofp_error meter_request_decode(const struct msg *msg, uint32_t *meter_id);

struct meter_band_counts {
	uint64_t packets;
	uint64_t bytes;
};

struct meter_counts {
	uint32_t meter_id;
	uint32_t flow_count;
	uint64_t packets_in;
	uint64_t bytes_in;
	uint32_t duration_sec;
	uint32_t duration_nsec;
	size_t n_bands;
	const struct meter_band_counts *bands;
};
void meter_stats_put(struct mp_reply *mp, const struct meter_counts *mc);
void meter_config_put(struct mp_reply *mp, const struct meter_config *mc);

struct meter_features {
	uint32_t max_meters;
	uint32_t band_types;	/* Bit per enum ofp_meter_band_type. */
	uint32_t capabilities;	/* OFPMF_*. */
	uint8_t max_bands;
	uint8_t max_color;
};
void meter_features_encode(const struct meter_features *mf, const struct msg *request,
	struct sbuf *out);
