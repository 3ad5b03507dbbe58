/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/prop.h"

#include "ofproto/wire/put.h"

#define PROP_EXPERIMENTER 0xffff

static enum ofp_error prop_take(struct cursor *c, struct prop *prop)
{
	uint16_t type, len;

	if (cursor_left(c) < 4)
		return OFPBPC_BAD_LEN;
	type = cursor_u16(c);
	len = cursor_u16(c);
	if (len < 4 || len - 4u > cursor_left(c))
		return OFPBPC_BAD_LEN;
	prop->body = cursor_sub(c, len - 4);
	prop->type = type;
	if (type == PROP_EXPERIMENTER) {
		uint32_t vendor = cursor_u32(&prop->body);
		uint32_t subtype = cursor_u32(&prop->body);

		if (!cursor_ok(&prop->body))
			return OFPBPC_BAD_LEN;
		/* It could not be told from a standard property. */
		if (!vendor)
			return OFPBPC_BAD_EXPERIMENTER;
		prop->type = PROP_EXP(vendor, subtype);
	}
	if ((-(unsigned int)len & 7) > cursor_left(c))
		return OFPBPC_BAD_LEN;
	cursor_skip(c, -(unsigned int)len & 7);
	return OFP_OK;
}

enum ofp_error prop_next(struct cursor *c, struct prop *prop, bool *more)
{
	struct prop p;
	enum ofp_error error;

	*more = false;
	if (!cursor_left(c))
		return OFP_OK;
	error = prop_take(c, &p);
	if (error)
		return error;
	*prop = p;
	*more = true;
	return OFP_OK;
}

enum ofp_error prop_unknown(uint64_t type)
{
	uint32_t vendor = (uint32_t)(type >> 32);

	if (!vendor)
		return OFPBPC_BAD_TYPE;
	return vendor == OFP_VENDOR_NICIRA || vendor == OFP_VENDOR_ONF ? OFPBPC_BAD_EXP_TYPE
								       : OFPBPC_BAD_EXPERIMENTER;
}

size_t prop_begin(struct sbuf *out, uint64_t type)
{
	size_t start = out->len;
	uint32_t vendor = (uint32_t)(type >> 32);

	put_u16(out, vendor ? PROP_EXPERIMENTER : (uint16_t)type);
	put_u16(out, 0);
	if (vendor) {
		put_u32(out, vendor);
		put_u32(out, (uint32_t)type);
	}
	return start;
}

void prop_end(struct sbuf *out, size_t handle)
{
	put_u16_at(out, handle + 2, (uint16_t)(out->len - handle));
	put_align8(out, handle);
}

enum ofp_error prop_take_u8(struct prop *prop, uint8_t *v)
{
	if (cursor_left(&prop->body) < 1)
		return OFPBPC_BAD_LEN;
	*v = cursor_u8(&prop->body);
	return OFP_OK;
}

enum ofp_error prop_take_u16(struct prop *prop, uint16_t *v)
{
	if (cursor_left(&prop->body) < 2)
		return OFPBPC_BAD_LEN;
	*v = cursor_u16(&prop->body);
	return OFP_OK;
}

enum ofp_error prop_take_u32(struct prop *prop, uint32_t *v)
{
	if (cursor_left(&prop->body) != 4)
		return OFPBPC_BAD_LEN;
	*v = cursor_u32(&prop->body);
	return OFP_OK;
}

/* The header is 4 bytes long, an experimenter's 12: either way 4 bytes of padding follow. */
enum ofp_error prop_take_u64(struct prop *prop, uint64_t *v)
{
	if (cursor_left(&prop->body) != 12)
		return OFPBPC_BAD_LEN;
	cursor_skip(&prop->body, 4);
	*v = cursor_u64(&prop->body);
	return OFP_OK;
}

void prop_put_u8(struct sbuf *out, uint64_t type, uint8_t v)
{
	prop_put_bytes(out, type, &v, 1);
}

void prop_put_u16(struct sbuf *out, uint64_t type, uint16_t v)
{
	size_t start = prop_begin(out, type);

	/* The specifications give standard ones a length of 8. */
	put_u16(out, v);
	if (!(type >> 32))
		put_pad(out, 2);
	prop_end(out, start);
}

void prop_put_u32(struct sbuf *out, uint64_t type, uint32_t v)
{
	size_t start = prop_begin(out, type);

	put_u32(out, v);
	prop_end(out, start);
}

void prop_put_u64(struct sbuf *out, uint64_t type, uint64_t v)
{
	size_t start = prop_begin(out, type);

	put_pad(out, 4);
	put_u64(out, v);
	prop_end(out, start);
}

void prop_put_bytes(struct sbuf *out, uint64_t type, const void *bytes, size_t len)
{
	size_t start = prop_begin(out, type);

	sbuf_put(out, bytes, len);
	prop_end(out, start);
}
