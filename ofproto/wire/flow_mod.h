/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * flow_mod in all versions and NXT_FLOW_MOD; flow_removed. Pure functions, any thread.
 */

#include "datapath/pipeline/act.h"
#include "ofproto/wire/msg.h"

/* How flows are spoken about on a session: its version, and in OpenFlow 1.0 what the peer asked for. */
struct flow_format {
	enum ofp_version version;
	bool nxm;		/* 1.0: NXT_SET_FLOW_FORMAT said NXM. */
	bool table_id;		/* 1.0: NXT_FLOW_MOD_TABLE_ID on. */
};

struct flow_mod {
	struct match match;
	uint16_t priority;
	uint16_t command;	/* enum ofp_flow_mod_command. */
	uint8_t table_id;	/* OFP_TABLE_ALL: the first (add), all (modify, delete). */
	be64 cookie;		/* Modify, delete: only rules with (cookie & mask) == this. */
	be64 cookie_mask;
	be64 new_cookie;	/* For an added or modified rule ... */
	bool modify_cookie;	/* ... if this; an add always takes it. */
	uint16_t idle_timeout;	/* s; 0: none. */
	uint16_t hard_timeout;
	uint16_t importance;	/* 1.4+. */
	uint32_t buffer_id;	/* OFP_NO_BUFFER: none. */
	ofp_port_t out_port;	/* Delete filter; OFPP_NONE: none. */
	uint32_t out_group;	/* Delete filter; OFP_GROUP_ANY: none. */
	uint16_t flags;		/* OFPFF_*. */
	struct act_builder acts;	/* Owned. */
};

void flow_mod_init(struct flow_mod *fm);	/* An add of a drop rule that matches all. */
void flow_mod_uninit(struct flow_mod *fm);

static inline struct act *flow_mod_acts(const struct flow_mod *fm)
{
	return (struct act *)(void *)fm->acts.buf.data;
}

static inline size_t flow_mod_acts_len(const struct flow_mod *fm)
{
	return fm->acts.buf.len;
}

/*
 * MSG of type OFPTYPE_FLOW_MOD. FM need not be initialised; after success it is to be uninitialised.
 * Actions are decoded and checked against the match (act_check); groups and meters are not looked up.
 */
enum ofp_error flow_mod_decode(const struct msg *msg, const struct flow_format *format,
	struct flow_mod *fm);
/* In FORMAT; OpenFlow 1.0 with nxm false still uses NXT_FLOW_MOD where ofp_match does not suffice. */
void flow_mod_encode(const struct flow_mod *fm, const struct flow_format *format, be32 xid,
	struct sbuf *out);

struct flow_removed {
	struct match match;
	uint16_t priority;
	uint8_t table_id;
	uint8_t reason;		/* enum ofp_flow_removed_reason. */
	be64 cookie;
	uint32_t duration_sec;
	uint32_t duration_nsec;
	uint16_t idle_timeout;
	uint16_t hard_timeout;
	uint64_t packets;
	uint64_t bytes;
};

void flow_removed_encode(const struct flow_removed *fr, const struct flow_format *format,
	struct sbuf *out);
enum ofp_error flow_removed_decode(const struct msg *msg, struct flow_removed *fr);
