/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The descriptor table of messages: one row per layout. For msg.c and its neighbours only. Constant; pure.
 */

#include "ofproto/wire/msg.h"

enum msg_direction {
	MSG_PLAIN,
	MSG_REQUEST,	/* Multipart. */
	MSG_REPLY,
};

struct msg_row {
	uint8_t type;		/* enum ofp_type. */
	uint8_t family;		/* enum msg_family. */
	uint8_t direction;	/* enum msg_direction. */
	uint8_t first, last;	/* Versions. */
	uint32_t number;	/* Type, multipart type, or subtype of the experimenter. */
	uint16_t min_body;	/* Bytes behind the headers, at least ... */
	uint8_t unit;		/* ... and more only in multiples of this; 0: no more. */
};

#define OFPT_EXPERIMENTER 4
#define OFPMP_EXPERIMENTER 0xffff

/* Number of the multipart request of VERSION; the reply's is one higher. */
static inline uint8_t msg_multipart_number(enum ofp_version version)
{
	return version == OFP10_VERSION ? 16 : 18;
}

const struct msg_row *msg_row_find(enum ofp_version version, enum msg_direction direction,
	enum msg_family family, uint32_t number);
/* The layout of TYPE in VERSION: of FAMILY if there is one, else any. NULL: none. */
const struct msg_row *msg_row_from_type(enum ofp_version version, enum ofp_type type,
	enum msg_family family);
/* Bytes of all headers of the layout. */
size_t msg_row_header_len(const struct msg_row *row, enum ofp_version version);

static inline uint32_t msg_family_vendor(enum msg_family family)
{
	return family == MSG_NXT || family == MSG_NXST		? OFP_VENDOR_NICIRA
		: family == MSG_ONFT || family == MSG_ONFST	? OFP_VENDOR_ONF
								: 0;
}

/* The body is as long as MSG's layout allows. */
bool msg_body_len_ok(const struct msg *msg);
