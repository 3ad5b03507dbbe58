/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/msg.h"

#include "lib/fatal.h"
#include "lib/unaligned.h"
#include "ofproto/wire/msg_table.h"

size_t msg_header_len(const void *data)
{
	return be16toh(load16((const uint8_t *)data + 2));
}

enum ofp_version msg_header_version(const void *data)
{
	return (enum ofp_version)((const uint8_t *)data)[0];
}

uint8_t msg_header_type(const void *data)
{
	return ((const uint8_t *)data)[1];
}

be32 msg_header_xid(const void *data)
{
	return load32((const uint8_t *)data + 4);
}

/* What the headers say, to be looked up. */
struct headers {
	enum msg_direction direction;
	enum msg_family family;
	uint32_t number;
};

static enum ofp_error headers_experimenter(struct cursor *c, struct headers *h, bool allow_onf)
{
	uint32_t vendor = cursor_u32(c);

	if (!cursor_ok(c))
		return OFPBRC_BAD_LEN;
	if (vendor == OFP_VENDOR_NICIRA)
		h->family = h->direction == MSG_PLAIN ? MSG_NXT : MSG_NXST;
	else if (vendor == OFP_VENDOR_ONF && allow_onf)
		h->family = h->direction == MSG_PLAIN ? MSG_ONFT : MSG_ONFST;
	else
		return OFPBRC_BAD_VENDOR;
	h->number = cursor_u32(c);
	return cursor_ok(c) ? OFP_OK : OFPBRC_BAD_LEN;
}

static enum ofp_error headers_multipart(struct cursor *c, struct msg *msg, struct headers *h)
{
	bool v10 = msg->version == OFP10_VERSION;

	h->number = cursor_u16(c);
	msg->mp_flags = cursor_u16(c);
	if (!v10)
		cursor_skip(c, 4);
	if (!cursor_ok(c))
		return OFPBRC_BAD_LEN;
	h->family = MSG_OFPST;
	if (h->number != OFPMP_EXPERIMENTER)
		return OFP_OK;

	/* The whole of an experimenter's header or nothing, even for one nobody knows. */
	if (cursor_left(c) < (v10 ? 4 : 8))
		return OFPBRC_BAD_LEN;
	enum ofp_error error = headers_experimenter(c, h, !v10);
	if (!error && v10) {
		cursor_skip(c, 4);
		error = cursor_ok(c) ? OFP_OK : OFPBRC_BAD_LEN;
	}
	return error;
}

static enum ofp_error headers_decode(struct cursor *c, uint8_t type, struct msg *msg,
	struct headers *h)
{
	uint8_t request = msg_multipart_number(msg->version);

	h->family = MSG_OFPT;
	h->direction = MSG_PLAIN;
	h->number = type;
	if (type == OFPT_EXPERIMENTER) {
		if (cursor_left(c) < 8)
			return OFPBRC_BAD_LEN;
		return headers_experimenter(c, h, true);
	}
	if (type == request || type == request + 1) {
		h->direction = type == request ? MSG_REQUEST : MSG_REPLY;
		return headers_multipart(c, msg, h);
	}
	return OFP_OK;
}

static bool body_len_ok(const struct msg_row *row, const struct msg *msg)
{
	size_t len = cursor_left(&msg->body);

	if (len < row->min_body)
		return false;
	return row->unit ? !((len - row->min_body) % row->unit) : len == row->min_body;
}

bool msg_body_len_ok(const struct msg *msg)
{
	const struct msg_row *row = msg_row_from_type(msg->version, msg->type, msg->family);

	return row && body_len_ok(row, msg);
}

enum ofp_error msg_decode(const void *data, size_t len, struct msg *out)
{
	struct msg msg = {.data = data, .len = len};
	const struct msg_row *row;
	enum ofp_error error;
	struct headers h;
	struct cursor c;

	if (len < OFP_HEADER_LEN || msg_header_len(data) != len)
		return OFPBRC_BAD_LEN;
	msg.version = msg_header_version(data);
	msg.xid = msg_header_xid(data);

	cursor_init(&c, data, len);
	cursor_skip(&c, OFP_HEADER_LEN);
	error = headers_decode(&c, msg_header_type(data), &msg, &h);
	if (error)
		return error;
	row = msg_row_find(msg.version, h.direction, h.family, h.number);
	if (!row) {
		if (msg.version < OFP10_VERSION || msg.version > OFP15_VERSION)
			return OFPBRC_BAD_VERSION;
		return msg_family_vendor(h.family)	? OFPBRC_BAD_SUBTYPE
			: h.direction == MSG_PLAIN	? OFPBRC_BAD_TYPE
							: OFPBRC_BAD_STAT;
	}

	msg.type = (enum ofp_type)row->type;
	msg.family = h.family;
	msg.number = h.number;
	cursor_init(&msg.body, c.pos, cursor_left(&c));
	/* Of a multipart request the whole has the right length: the assembler looks. */
	if (row->direction != MSG_REQUEST && !body_len_ok(row, &msg))
		return OFPBRC_BAD_LEN;
	*out = msg;
	return OFP_OK;
}

const char *msg_family_name(enum msg_family family)
{
	static const char *const names[] = {"OFPT", "OFPST", "NXT", "NXST", "ONFT", "ONFST"};

	return names[family];
}

bool msg_is_multipart_request(const struct msg *msg)
{
	const struct msg_row *row = msg_row_from_type(msg->version, msg->type, msg->family);

	return row && row->direction == MSG_REQUEST;
}

enum ofp_type ofp_type_reply(enum ofp_type request)
{
	return (enum ofp_type)(request + 1);
}

bool msg_exists(enum ofp_version version, enum ofp_type type)
{
	return msg_row_from_type(version, type, MSG_OFPT) != NULL;
}

static void put_header(struct sbuf *out, enum ofp_version version, uint8_t type, be32 xid)
{
	put_u8(out, version);
	put_u8(out, type);
	put_u16(out, 0);
	put_be32(out, xid);
}

static void put_multipart_header(struct sbuf *out, enum ofp_version version,
	const struct msg_row *row)
{
	put_u16(out, row->family == MSG_OFPST ? (uint16_t)row->number : OFPMP_EXPERIMENTER);
	put_u16(out, 0);
	if (version != OFP10_VERSION)
		put_pad(out, 4);
	if (row->family == MSG_OFPST)
		return;
	put_u32(out, msg_family_vendor((enum msg_family)row->family));
	put_u32(out, row->number);
	if (version == OFP10_VERSION)
		put_pad(out, 4);
}

static size_t begin(struct sbuf *out, enum ofp_version version, const struct msg_row *row, be32 xid)
{
	size_t start = out->len;

	if (row->direction != MSG_PLAIN) {
		put_header(out, version,
			(uint8_t)(msg_multipart_number(version) + (row->direction == MSG_REPLY)), xid);
		put_multipart_header(out, version, row);
	} else if (row->family == MSG_OFPT) {
		put_header(out, version, (uint8_t)row->number, xid);
	} else {
		put_header(out, version, OFPT_EXPERIMENTER, xid);
		put_u32(out, msg_family_vendor((enum msg_family)row->family));
		put_u32(out, row->number);
	}
	return start;
}

size_t msg_begin(struct sbuf *out, enum ofp_version version, enum ofp_type type,
	enum msg_family family, be32 xid)
{
	const struct msg_row *row = msg_row_from_type(version, type, family);

	if (!row)
		fatal("OpenFlow version %d has no %s", version, ofp_type_name(type));
	return begin(out, version, row, xid);
}

size_t msg_begin_number(struct sbuf *out, enum ofp_version version, enum msg_family family,
	uint32_t number, be32 xid)
{
	const struct msg_row *row = msg_row_find(version, MSG_PLAIN, family, number);

	if (!row)
		fatal("OpenFlow version %d has no %s message %u", version, msg_family_name(family),
			number);
	return begin(out, version, row, xid);
}

void msg_end(struct sbuf *out, size_t handle)
{
	put_u16_at(out, handle + 2, (uint16_t)(out->len - handle));
}

void msg_put_empty(struct sbuf *out, enum ofp_version version, enum ofp_type type, be32 xid)
{
	msg_end(out, msg_begin(out, version, type, MSG_OFPT, xid));
}

void msg_put_echo_reply(struct sbuf *out, const struct msg *request)
{
	size_t start = out->len;

	put_header(out, request->version, 3, request->xid);
	sbuf_put(out, request->body.pos, cursor_left(&request->body));
	msg_end(out, start);
}

void msg_put_echo_request(struct sbuf *out, enum ofp_version version, be32 xid)
{
	msg_put_empty(out, version, OFPTYPE_ECHO_REQUEST, xid);
}

void msg_put_barrier_reply(struct sbuf *out, const struct msg *request)
{
	msg_put_empty(out, request->version, OFPTYPE_BARRIER_REPLY, request->xid);
}

/* ------------------------------------------------------------------ port numbers */

#define PORT16_FIRST_RESERVED 0xff00
#define PORT_OFFSET (OFPP_MAX - PORT16_FIRST_RESERVED)

bool ofp_port_from_16(uint16_t port16, ofp_port_t *port)
{
	*port = port16 < PORT16_FIRST_RESERVED ? port16 : port16 + PORT_OFFSET;
	return true;
}

uint16_t ofp_port_to_16(ofp_port_t port)
{
	if (port < PORT16_FIRST_RESERVED)
		return (uint16_t)port;
	if (port >= OFPP_MAX)
		return (uint16_t)(port - PORT_OFFSET);
	return 0xffff;
}

bool ofp_port_from_32(uint32_t port32, ofp_port_t *port)
{
	if (port32 >= PORT16_FIRST_RESERVED && port32 < OFPP_MAX)
		return false;
	*port = port32;
	return true;
}
