/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Groups: group_mod of 1.1 to 1.5 (and NXT_GROUP_MOD in 1.0) with the selection method property;
 * statistics, description, features. Pure functions, any thread.
 */

#include "datapath/pipeline/act.h"
#include "lib/vec.h"
#include "ofproto/wire/msg.h"
#include "ofproto/wire/oxm.h"

#define GROUP_SELECTION_METHOD_LEN 16

struct group_bucket {
	uint32_t id;		/* Numbered from 0 by the decoder before 1.5. */
	uint16_t weight;
	ofp_port_t watch_port;	/* OFPP_NONE: none. */
	uint32_t watch_group;	/* OFP_GROUP_ANY: none. */
	struct act_builder acts;	/* Owned. */
};

struct group_props {
	char selection_method[GROUP_SELECTION_METHOD_LEN];	/* "": default, "hash", "dp_hash". */
	uint64_t selection_param;
	unsigned long fields[OXM_FIELDS_LONGS];	/* Set of enum field_id. */
	struct flow fields_mask;
};

struct group_mod {
	uint16_t command;	/* enum ofp_group_command. */
	uint8_t type;		/* enum ofp_group_type. */
	uint32_t group_id;
	uint32_t command_bucket_id;	/* OFP_BUCKET_*; insert and remove bucket. */
	VEC(struct group_bucket) buckets;	/* Owned. */
	struct group_props props;
};

void group_mod_init(struct group_mod *gm);
void group_mod_uninit(struct group_mod *gm);
void group_bucket_init(struct group_bucket *b);
void group_bucket_uninit(struct group_bucket *b);
void group_bucket_clone(struct group_bucket *dst, const struct group_bucket *src);

/* Refuses what Open vSwitch refuses in the message itself (OFPGMFC_*, OFPBAC_* in buckets). */
enum ofp_error group_mod_decode(const struct msg *msg, struct group_mod *gm);
/* OFPGMFC_INVALID_GROUP for a bucket that a select group could never select: OpenFlow 1.3.5, 6.7. */
enum ofp_error group_mod_check_weights(const struct group_mod *gm);
void group_mod_encode(const struct group_mod *gm, enum ofp_version version, be32 xid,
	struct sbuf *out);

/* OFPTYPE_GROUP_STATS_REQUEST and OFPTYPE_GROUP_DESC_REQUEST: the group, OFP_GROUP_ALL all. */
enum ofp_error group_request_decode(const struct msg *msg, uint32_t *group_id);

struct group_counts {
	uint64_t packets;
	uint64_t bytes;
};

struct group_stats {
	uint32_t group_id;
	uint32_t ref_count;
	uint64_t packets;
	uint64_t bytes;
	uint32_t duration_sec;
	uint32_t duration_nsec;
	size_t n_buckets;
	const struct group_counts *buckets;
};
void group_stats_put(struct mp_reply *mp, const struct group_stats *gs);

struct group_desc {
	uint32_t group_id;
	uint8_t type;
	size_t n_buckets;
	const struct group_bucket *buckets;
	const struct group_props *props;
};
void group_desc_put(struct mp_reply *mp, const struct group_desc *gd);

struct group_features {
	uint32_t types;		/* Bit per enum ofp_group_type. */
	uint32_t capabilities;	/* OFPGFC_*. */
	uint32_t max_groups[4];
	uint64_t actions[4];	/* Bits of OFPAT_* as acts_supported() gives. */
};
void group_features_encode(const struct group_features *gf, const struct msg *request,
	struct sbuf *out);
