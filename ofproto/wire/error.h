/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OpenFlow errors: how the codecs and the sessions refuse. A decoder returns enum ofp_error, 0
 * (OFP_OK) if all is well. Names and numbers are the specifications' and Open vSwitch's; which type
 * and code an error has depends on the version spoken.
 *
 * Pure functions, any thread.
 */

#include "lib/sbuf.h"
#include "ofproto/wire/openflow.h"

enum ofp_error {
	OFP_OK,
#define X(NAME, ...) NAME,
#include "ofproto/wire/error_list.h"
#undef X
	OFP_N_ERRORS,
};

/* "OFPBRC_BAD_LEN"; "OFP_OK" for 0. */
const char *ofp_error_name(enum ofp_error error);

struct ofp_error_code {
	uint32_t vendor;	/* 0, OFP_VENDOR_NICIRA or OFP_VENDOR_ONF. */
	uint16_t type;
	uint16_t code;
};

/* How VERSION says ERROR. False if it cannot. */
bool ofp_error_to_code(enum ofp_error error, enum ofp_version version, struct ofp_error_code *code);
/* The reverse; OFP_OK if unknown. */
enum ofp_error ofp_error_from_code(const struct ofp_error_code *code, enum ofp_version version);

/*
 * Adds the error message for the offending message REQUEST (LEN bytes as received, at least a
 * header; as much of it goes along as fits) in REQUEST's version and with its xid. A hello failure (OFPHFC_*) carries TEXT instead of the request.
 */
void error_encode(enum ofp_error error, const void *request, size_t len, struct sbuf *out);
void error_encode_hello(enum ofp_error error, enum ofp_version version, be32 xid, const char *text,
	struct sbuf *out);

/* A received error: for the log. PAYLOAD points into the message. */
struct error_msg {
	enum ofp_error error;		/* OFP_OK if unknown. */
	struct ofp_error_code code;
	const void *payload;
	size_t payload_len;
};

struct msg;
enum ofp_error error_decode(const struct msg *msg, struct error_msg *error);
