/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/error.h"

#include <string.h>

#include "ofproto/wire/msg.h"

#define MAX_ENCODINGS 4

struct encoding {
	uint32_t vendor;
	uint8_t first, last;	/* Versions; first 0: no more rows. */
	uint16_t type, code;
};

#define ANY 0xff
#define OF(FIRST, LAST, TYPE, CODE) {0, FIRST, LAST, TYPE, CODE}
#define NX(FIRST, LAST, TYPE, CODE) {OFP_VENDOR_NICIRA, FIRST, LAST, TYPE, CODE}
#define ONF(FIRST, LAST, TYPE, CODE) {OFP_VENDOR_ONF, FIRST, LAST, TYPE, CODE}

static const struct encoding encodings[OFP_N_ERRORS][MAX_ENCODINGS] = {
#define X(NAME, ...) [NAME] = {__VA_ARGS__},
#include "ofproto/wire/error_list.h"
#undef X
};

static const char *const names[OFP_N_ERRORS] = {
	"OFP_OK",
#define X(NAME, ...) #NAME,
#include "ofproto/wire/error_list.h"
#undef X
};

/* An extension error travels in 1.0 and 1.1 as error NXET_VENDOR, NXVC_VENDOR_ERROR with vendor, type
 * and code behind it; from 1.2 on as OFPET_EXPERIMENTER, whose code is its type. */
#define NXET_VENDOR 0xb0c2
#define NXVC_VENDOR_ERROR 0
#define OFPET_EXPERIMENTER 0xffff

const char *ofp_error_name(enum ofp_error error)
{
	return (unsigned int)error < OFP_N_ERRORS ? names[error] : "<invalid>";
}

static const struct encoding *encoding_find(enum ofp_error error, enum ofp_version version)
{
	for (int i = 0; i < MAX_ENCODINGS; i++) {
		const struct encoding *e = &encodings[error][i];

		if (e->first && version >= e->first && version <= e->last)
			return e;
	}
	return NULL;
}

bool ofp_error_to_code(enum ofp_error error, enum ofp_version version, struct ofp_error_code *code)
{
	const struct encoding *e;

	if (error <= OFP_OK || error >= OFP_N_ERRORS)
		return false;
	e = encoding_find(error, version);
	if (!e)
		return false;
	*code = (struct ofp_error_code){.vendor = e->vendor, .type = e->type, .code = e->code};
	return true;
}

enum ofp_error ofp_error_from_code(const struct ofp_error_code *code, enum ofp_version version)
{
	for (int i = 1; i < OFP_N_ERRORS; i++) {
		const struct encoding *e = encoding_find((enum ofp_error)i, version);

		if (e && e->vendor == code->vendor && e->type == code->type &&
			e->code == code->code)
			return (enum ofp_error)i;
	}
	return OFP_OK;
}

static void encode(enum ofp_error error, enum ofp_version version, be32 xid, const void *data,
	size_t len, struct sbuf *out)
{
	struct ofp_error_code code;
	size_t msg, room;

	if (version < OFP10_VERSION || version > OFP15_VERSION)
		version = OFP10_VERSION;
	if (!ofp_error_to_code(error, version, &code))
		ofp_error_to_code(NXBRC_UNENCODABLE_ERROR, version, &code);

	msg = msg_begin(out, version, OFPTYPE_ERROR, MSG_OFPT, xid);
	if (!code.vendor) {
		put_u16(out, code.type);
		put_u16(out, code.code);
	} else if (version <= OFP11_VERSION) {
		put_u16(out, NXET_VENDOR);
		put_u16(out, NXVC_VENDOR_ERROR);
		put_u32(out, code.vendor);
		put_u16(out, code.type);
		put_u16(out, code.code);
	} else {
		put_u16(out, OFPET_EXPERIMENTER);
		put_u16(out, code.type);
		put_u32(out, code.vendor);
	}
	room = OFP_MAX_MSG_LEN - (out->len - msg);
	sbuf_put(out, data, len < room ? len : room);
	msg_end(out, msg);
}

void error_encode(enum ofp_error error, const void *request, size_t len, struct sbuf *out)
{
	encode(error, msg_header_version(request), msg_header_xid(request), request, len, out);
}

void error_encode_hello(enum ofp_error error, enum ofp_version version, be32 xid, const char *text,
	struct sbuf *out)
{
	encode(error, version, xid, text, strlen(text), out);
}

enum ofp_error error_decode(const struct msg *msg, struct error_msg *error)
{
	struct cursor c = msg->body;
	struct error_msg e = {0};

	e.code.type = cursor_u16(&c);
	e.code.code = cursor_u16(&c);
	if (e.code.type == NXET_VENDOR && e.code.code == NXVC_VENDOR_ERROR) {
		e.code.vendor = cursor_u32(&c);
		e.code.type = cursor_u16(&c);
		e.code.code = cursor_u16(&c);
	} else if (e.code.type == OFPET_EXPERIMENTER) {
		e.code.type = e.code.code;
		e.code.code = 0;
		e.code.vendor = cursor_u32(&c);
	}
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	e.error = ofp_error_from_code(&e.code, msg->version);
	e.payload_len = cursor_left(&c);
	e.payload = cursor_take(&c, e.payload_len);
	*error = e;
	return OFP_OK;
}
