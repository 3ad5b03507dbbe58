/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which asynchronous messages a controller wants: OFPT_SET_ASYNC / GET_ASYNC (1.3; 1.4+ with
 * properties), NXT_SET_ASYNC_CONFIG, NXT_SET_ASYNC_CONFIG2. Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"

enum async_type {
	ASYNC_PACKET_IN,
	ASYNC_PORT_STATUS,
	ASYNC_FLOW_REMOVED,
	ASYNC_ROLE_STATUS,
	ASYNC_TABLE_STATUS,
	ASYNC_REQUESTFORWARD,
	ASYNC_N_TYPES,
};

/* Bit R: reason R is wanted, in the numbers of enum ofp_packet_in_reason and so on. */
struct async_config {
	uint32_t primary[ASYNC_N_TYPES];	/* In roles equal and primary. */
	uint32_t secondary[ASYNC_N_TYPES];
};

/* What a session of VERSION starts with. */
void async_config_default(enum ofp_version version, struct async_config *ac);
/* MSG of type OFPTYPE_SET_ASYNC_CONFIG changes AC (what it does not name stays); AC is untouched on
 * errors. */
enum ofp_error async_config_decode(const struct msg *msg, struct async_config *ac);
/* Reply to OFPTYPE_GET_ASYNC_REQUEST. */
void async_config_encode(const struct async_config *ac, const struct msg *request, struct sbuf *out);
