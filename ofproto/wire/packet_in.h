/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * packet-in in all its layouts: OpenFlow 1.0 to 1.5, NXT_PACKET_IN, NXT_PACKET_IN2; and NXT_RESUME,
 * which gives a paused packet back. Pure functions, any thread.
 */

#include "datapath/pipeline/act.h"
#include "ofproto/wire/msg.h"

enum packet_in_format {		/* NXT_SET_PACKET_IN_FORMAT's numbers. */
	PACKET_IN_STANDARD,
	PACKET_IN_NXT,
	PACKET_IN_NXT2,
};

/* Where a paused packet goes on. Only in NXT_PACKET_IN2 and NXT_RESUME; opaque to controllers. */
struct packet_in_continuation {
	uint8_t bridge[16];	/* Whatever names the bridge. */
	const void *stack;	/* As translation wants it back. */
	size_t stack_len;
	uint32_t mirrors;
	bool conntracked;
	uint8_t table_id;	/* Where acts came from. */
	be64 cookie;
	const struct act *acts;	/* Still to be done; owned by nobody when encoded. */
	size_t acts_len;
	const struct act *action_set;
	size_t action_set_len;
	ofp_port_t odp_port;	/* OFPP_NONE: none. */
};

struct packet_in {
	const void *packet;	/* What is sent up: the first packet_len bytes. */
	size_t packet_len;
	size_t total_len;	/* Of the frame. */
	uint32_t buffer_id;	/* OFP_NO_BUFFER. */
	uint8_t reason;		/* enum ofp_packet_in_reason. */
	uint8_t table_id;
	be64 cookie;		/* BE64_MAX: no rule. */
	const struct match *match;	/* Metadata: in_port, tunnel, registers, metadata, ... */
	const void *userdata;
	size_t userdata_len;
	const struct packet_in_continuation *continuation;	/* NULL unless paused. */
};

/* The bytes of a packet to send: max_len of the action (OFP_CONTROLLER_MAX_LEN: all). */
void packet_in_encode(const struct packet_in *pin, enum ofp_version version,
	enum packet_in_format format, struct sbuf *out);

/* The metadata match of a packet whose key is FLOW: in_port and whatever of the pipeline's fields is not
 * zero. */
void packet_in_match(const struct flow *flow, struct match *match);

/* A decoded packet-in (tools, tests) or resume: the packet points into the message, the rest is owned. */
struct packet_in_decoded {
	struct packet_in pin;
	struct match match;
	struct packet_in_continuation continuation;
	struct act_builder acts;
	struct act_builder action_set;
};
enum ofp_error packet_in_decode(const struct msg *msg, struct packet_in_decoded *d);
/* MSG of type OFPTYPE_RESUME. */
enum ofp_error resume_decode(const struct msg *msg, struct packet_in_decoded *d);
void packet_in_decoded_uninit(struct packet_in_decoded *d);
