/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/nicira.h"

#define NXFF_OPENFLOW10 0
#define NXFF_NXM 2

enum ofp_error flow_format_decode(const struct msg *msg, bool *nxm)
{
	struct cursor c = msg->body;
	uint32_t format = cursor_u32(&c);

	if (format != NXFF_OPENFLOW10 && format != NXFF_NXM)
		return OFPBRC_EPERM;
	*nxm = format == NXFF_NXM;
	return OFP_OK;
}

enum ofp_error flow_mod_table_id_decode(const struct msg *msg, bool *on)
{
	struct cursor c = msg->body;

	*on = cursor_u8(&c) != 0;
	return OFP_OK;
}

enum ofp_error packet_in_format_decode(const struct msg *msg, enum packet_in_format *format)
{
	struct cursor c = msg->body;
	uint32_t f = cursor_u32(&c);

	if (f > PACKET_IN_NXT2)
		return OFPBRC_EPERM;
	*format = (enum packet_in_format)f;
	return OFP_OK;
}

enum ofp_error controller_id_decode(const struct msg *msg, uint16_t *id)
{
	struct cursor c = msg->body;

	if (!cursor_zeros(&c, 6))
		return NXBRC_MUST_BE_ZERO;
	*id = cursor_u16(&c);
	return OFP_OK;
}

/* ------------------------------------------------------------------ TLV table */

#define TLV_MAX_LEN 124

static enum ofp_error mapping_take(struct cursor *c, struct tlv_mapping *m)
{
	m->class = cursor_u16(c);
	m->type = cursor_u8(c);
	m->len = cursor_u8(c);
	m->index = cursor_u16(c);
	cursor_skip(c, 2);
	if (!m->len || m->len % 4 || m->len > TLV_MAX_LEN)
		return NXTTMFC_BAD_OPT_LEN;
	return m->index >= FLOW_TUN_METADATA_OPTS ? NXTTMFC_BAD_FIELD_IDX : OFP_OK;
}

enum ofp_error tlv_table_mod_decode(const struct msg *msg, struct tlv_table_mod *tm)
{
	struct cursor c = msg->body;

	tm->command = cursor_u16(&c);
	vec_init(&tm->mappings);
	if (tm->command > TLV_TABLE_CLEAR)
		return NXTTMFC_BAD_COMMAND;
	cursor_skip(&c, 6);
	while (cursor_left(&c)) {
		struct tlv_mapping m;
		enum ofp_error error = mapping_take(&c, &m);

		if (error) {
			tlv_table_mod_uninit(tm);
			return error;
		}
		vec_push(&tm->mappings, m);
	}
	return OFP_OK;
}

void tlv_table_mod_uninit(struct tlv_table_mod *tm)
{
	vec_uninit(&tm->mappings);
}

void tlv_table_encode(const struct msg *request, uint32_t max_option_space, uint16_t max_fields,
	const struct tlv_mapping *mappings, size_t n, struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_TLV_TABLE_REPLY, MSG_NXT,
		request->xid);

	put_u32(out, max_option_space);
	put_u16(out, max_fields);
	put_pad(out, 10);
	for (size_t i = 0; i < n; i++) {
		put_u16(out, mappings[i].class);
		put_u8(out, mappings[i].type);
		put_u8(out, mappings[i].len);
		put_u16(out, mappings[i].index);
		put_pad(out, 2);
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ connection tracking */

enum {
	CT_FLUSH_TLV_TUPLE_ORIG,
	CT_FLUSH_TLV_TUPLE_REPLY,
	CT_FLUSH_TLV_ZONE,
};

#define NXT_CT_FLUSH_ZONE 29

enum ofp_error ct_flush_decode(const struct msg *msg, int *zone)
{
	struct cursor c = msg->body;
	uint16_t z = 0;

	*zone = -1;
	if (msg->number == NXT_CT_FLUSH_ZONE) {
		if (!cursor_zeros(&c, 6))
			return NXBRC_MUST_BE_ZERO;
		*zone = cursor_u16(&c);
		return OFP_OK;
	}
	cursor_skip(&c, 1);
	if (!cursor_zeros(&c, 7))
		return NXBRC_MUST_BE_ZERO;
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(&c, &p, &more);

		if (error || !more)
			return error;
		if (p.type > CT_FLUSH_TLV_ZONE)
			return prop_unknown(p.type);
		if (p.type != CT_FLUSH_TLV_ZONE)
			continue;
		error = prop_take_u16(&p, &z);
		if (error)
			return error;
		*zone = z;
	}
}
