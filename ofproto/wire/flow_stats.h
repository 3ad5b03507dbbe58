/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow and aggregate statistics: OFPST_FLOW, NXST_FLOW, OFPST_AGGREGATE, NXST_AGGREGATE in all
 * versions. Replies follow the request's layout. Pure functions, any thread.
 */

#include "ofproto/wire/flow_mod.h"

struct flow_stats_request {
	bool aggregate;
	struct match match;
	be64 cookie;
	be64 cookie_mask;
	ofp_port_t out_port;	/* OFPP_NONE: any. */
	uint32_t out_group;	/* OFP_GROUP_ANY: any. */
	uint8_t table_id;	/* OFP_TABLE_ALL: all. */
};

/* MSG of type OFPTYPE_FLOW_STATS_REQUEST or OFPTYPE_AGGREGATE_REQUEST. */
enum ofp_error flow_stats_request_decode(const struct msg *msg, struct flow_stats_request *fsr);
void flow_stats_request_encode(const struct flow_stats_request *fsr, const struct flow_format *format,
	be32 xid, struct sbuf *out);

struct flow_stats {
	const struct match *match;
	uint16_t priority;
	uint8_t table_id;
	be64 cookie;
	uint32_t duration_sec;
	uint32_t duration_nsec;
	uint16_t idle_timeout;
	uint16_t hard_timeout;
	int idle_age;		/* s since the last packet, -1 unknown. NXST only. */
	int hard_age;		/* s since last modified, -1 unknown. NXST only. */
	uint16_t flags;		/* OFPFF_*; 1.3+. */
	uint16_t importance;	/* 1.4+. */
	uint64_t packets;
	uint64_t bytes;
	const struct act *acts;
	size_t acts_len;
};

/* Begin with mp_begin(request), put each flow, mp_end(). */
void flow_stats_put(struct mp_reply *mp, const struct flow_stats *fs);

/* The entry at C of a reply MSG, which C is advanced past: *MORE false at the end. The match and the
 * actions are put where the caller says. */
enum ofp_error flow_stats_take(const struct msg *msg, struct cursor *c, struct flow_stats *fs,
	struct match *match, struct act_builder *acts, bool *more);

struct aggregate_stats {
	uint64_t packets;
	uint64_t bytes;
	uint32_t n_flows;
};

void aggregate_stats_encode(const struct aggregate_stats *as, const struct msg *request,
	struct sbuf *out);
enum ofp_error aggregate_stats_decode(const struct msg *msg, struct aggregate_stats *as);
