/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow monitors: NXST_FLOW_MONITOR (1.0 to 1.2), ONF's extension for 1.3, OpenFlow 1.4+; cancel,
 * paused, resumed. Pure functions, any thread.
 */

#include "datapath/pipeline/act.h"
#include "ofproto/wire/msg.h"

/* monitor_request.flags. */
#define MONITOR_INITIAL (1 << 0)	/* The flows that are there now. */
#define MONITOR_ADD (1 << 1)
#define MONITOR_DELETE (1 << 2)
#define MONITOR_MODIFY (1 << 3)
#define MONITOR_ACTIONS (1 << 4)	/* Updates carry actions. */
#define MONITOR_OWN (1 << 5)		/* Full updates for the session's own changes too. */
#define MONITOR_ONLY_OWN (1 << 6)	/* 1.4+. */

enum monitor_command {
	MONITOR_CMD_ADD,
	MONITOR_CMD_MODIFY,
	MONITOR_CMD_DELETE,
};

struct monitor_request {
	uint32_t id;
	uint8_t command;	/* enum monitor_command. */
	uint16_t flags;		/* MONITOR_*. */
	ofp_port_t out_port;	/* OFPP_NONE: any. */
	uint32_t out_group;	/* OFP_GROUP_ANY: any. */
	uint8_t table_id;
	struct match match;
};

/* A request holds several: the next one of C (begin with msg->body). *MORE false at the end. */
enum ofp_error monitor_request_take(const struct msg *msg, struct cursor *c,
	struct monitor_request *mr, bool *more);

enum monitor_event {
	MONITOR_EVENT_ADDED,
	MONITOR_EVENT_DELETED,
	MONITOR_EVENT_MODIFIED,
	MONITOR_EVENT_ABBREV,	/* Own change: only xid. */
	MONITOR_EVENT_INITIAL,	/* 1.4+ says so; before, ADDED. */
};

struct monitor_update {
	uint8_t event;		/* enum monitor_event. */
	be32 xid;		/* ABBREV. */
	uint8_t reason;		/* enum ofp_flow_removed_reason: deleted. */
	uint8_t table_id;
	uint16_t priority;
	uint16_t idle_timeout;
	uint16_t hard_timeout;
	be64 cookie;
	const struct match *match;
	const struct act *acts;	/* NULL: without. */
	size_t acts_len;
};

/* Into mp_begin(request) for the initial flows, mp_begin_async(OFPTYPE_FLOW_MONITOR_REPLY) later. */
void monitor_update_put(struct mp_reply *mp, const struct monitor_update *mu);

enum ofp_error monitor_cancel_decode(const struct msg *msg, uint32_t *id);
void monitor_paused_encode(enum ofp_version version, struct sbuf *out);
void monitor_resumed_encode(enum ofp_version version, struct sbuf *out);
