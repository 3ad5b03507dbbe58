/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field.h"

#include <string.h>

#include "lib/unaligned.h"

static _Thread_local const struct field_tlv_map *tlv_map;

const struct field_tlv_map *field_tlv_use(const struct field_tlv_map *map)
{
	const struct field_tlv_map *old = tlv_map;

	tlv_map = map;
	return old;
}

const struct field_tlv_map *field_tlv_current(void)
{
	return tlv_map;
}

/* The option of tun_metadata field F: its bytes in FLOW and how many they are (0 if not mapped). */
static uint8_t *tun_option(const struct field *f, const struct flow *flow, unsigned int *len)
{
	unsigned int i = f->id - FIELD_TUN_METADATA0;
	unsigned int ofs;

	*len = 0;
	if (!tlv_map || !tlv_map->opts[i].len)
		return NULL;
	ofs = tlv_map->opts[i].ofs;
	if (ofs + tlv_map->opts[i].len > FLOW_TUN_METADATA_BYTES)
		return NULL;
	*len = tlv_map->opts[i].len;
	return (uint8_t *)(uintptr_t)flow->tun_metadata.data + ofs;
}

static uint32_t word_load(const struct field *f, const struct flow *flow)
{
	const uint8_t *p = (const uint8_t *)flow + f->ofs;
	bool be = f->place == FIELD_PLACE_BE;
	uint16_t v16;
	uint32_t v32;

	switch (f->word) {
	case 1:
		return *p;
	case 2:
		memcpy(&v16, p, sizeof v16);
		return be ? be16toh(v16) : v16;
	default:
		memcpy(&v32, p, sizeof v32);
		return be ? be32toh(v32) : v32;
	}
}

static void word_store(const struct field *f, uint32_t v, struct flow *flow)
{
	uint8_t *p = (uint8_t *)flow + f->ofs;
	bool be = f->place == FIELD_PLACE_BE;
	uint16_t v16;
	uint32_t v32;

	switch (f->word) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		v16 = be ? htobe16((uint16_t)v) : (uint16_t)v;
		memcpy(p, &v16, sizeof v16);
		break;
	default:
		v32 = be ? htobe32(v) : v;
		memcpy(p, &v32, sizeof v32);
		break;
	}
}

/* A value of at most 4 bytes, to and from host order. */
static uint32_t value_to_u32(const struct field *f, const union field_value *value)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < f->n_bytes; i++)
		v = v << 8 | value->b[i];
	return v;
}

static void value_from_u32(const struct field *f, uint32_t v, union field_value *value)
{
	for (unsigned int i = f->n_bytes; i-- > 0; v >>= 8)
		value->b[i] = (uint8_t)v;
}

void field_get(const struct field *f, const struct flow *flow, union field_value *value)
{
	const uint32_t *regs;
	unsigned int len;
	uint8_t *opt;

	switch (f->place) {
	case FIELD_PLACE_NONE:
		memset(value, 0, f->n_bytes);
		break;
	case FIELD_PLACE_BYTES:
		memcpy(value, (const uint8_t *)flow + f->ofs, f->n_bytes);
		break;
	case FIELD_PLACE_BE:
	case FIELD_PLACE_HOST:
		value_from_u32(f, word_load(f, flow) >> f->shift & f->bits, value);
		break;
	case FIELD_PLACE_REGS:
		regs = (const uint32_t *)(const void *)((const uint8_t *)flow + f->ofs);
		for (unsigned int i = 0; i < f->n_bytes / 4u; i++) {
			be32 v = htobe32(regs[i]);

			memcpy(value->b + 4 * i, &v, sizeof v);
		}
		break;
	case FIELD_PLACE_PORT16:
		/* Reserved ports keep their low 16 bits. */
		value->u16 = htobe16((uint16_t)flow->in_port);
		break;
	case FIELD_PLACE_TUN_METADATA:
		memset(value, 0, f->n_bytes);
		opt = tun_option(f, flow, &len);
		if (opt)
			memcpy(value->b + f->n_bytes - len, opt, len);
		break;
	}
}

/* Stores VALUE as it is; WITH_ALSO turns on f->also. */
static void value_store(const struct field *f, const union field_value *value, bool with_also,
	struct flow *flow)
{
	uint32_t v, *regs;
	unsigned int len;
	uint8_t *opt;

	switch (f->place) {
	case FIELD_PLACE_NONE:
		break;
	case FIELD_PLACE_BYTES:
		memcpy((uint8_t *)flow + f->ofs, value, f->n_bytes);
		break;
	case FIELD_PLACE_BE:
	case FIELD_PLACE_HOST:
		v = word_load(f, flow) & ~(f->bits << f->shift);
		v |= (value_to_u32(f, value) & f->bits) << f->shift;
		word_store(f, with_also ? v | f->also : v, flow);
		break;
	case FIELD_PLACE_REGS:
		regs = (uint32_t *)(void *)((uint8_t *)flow + f->ofs);
		for (unsigned int i = 0; i < f->n_bytes / 4u; i++)
			regs[i] = be32toh(load32(value->b + 4 * i));
		break;
	case FIELD_PLACE_PORT16:
		v = be16toh(value->u16);
		flow->in_port = v >= 0xff00 ? v | 0xffff0000 : v;
		break;
	case FIELD_PLACE_TUN_METADATA:
		opt = tun_option(f, flow, &len);
		if (opt) {
			memcpy(opt, value->b + f->n_bytes - len, len);
			flow->tun_metadata.present |= UINT64_C(1) << (f->id - FIELD_TUN_METADATA0);
		}
		break;
	}
}

static bool is_vlan_field(const struct field *f)
{
	return f->id >= FIELD_VLAN_TCI && f->id <= FIELD_VLAN_PCP;
}

/* OpenFlow 1.0's OFP_VLAN_NONE. */
static bool is_vlan_none(const struct field *f, const union field_value *value)
{
	return f->id == FIELD_DL_VLAN && value->u16 == BE16_MAX;
}

void field_set(const struct field *f, const union field_value *value, struct flow *flow)
{
	if (is_vlan_none(f, value)) {
		flow->vlans[0].tci = 0;
		return;
	}
	value_store(f, value, true, flow);
	if (is_vlan_field(f) && flow->vlans[0].tci && !flow->vlans[0].tpid)
		flow->vlans[0].tpid = htobe16(0x8100);
}

static void value_blend(union field_value *dst, const union field_value *value,
	const union field_value *mask, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		dst->b[i] = (value->b[i] & mask->b[i]) | (dst->b[i] & ~mask->b[i]);
}

void field_set_masked(const struct field *f, const union field_value *value,
	const union field_value *mask, struct flow *flow)
{
	union field_value v;

	field_get(f, flow, &v);
	value_blend(&v, value, mask, f->n_bytes);
	field_set(f, &v, flow);
}

static bool is_zeros(const union field_value *value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (value->b[i])
			return false;
	return true;
}

void field_set_match(const struct field *f, const union field_value *value,
	const union field_value *mask, struct match *match)
{
	union field_value v;

	/* Of an option, no bit of its value: that it is there. */
	if (is_zeros(mask, f->n_bytes) && f->place != FIELD_PLACE_TUN_METADATA)
		return;
	if (is_vlan_none(f, value)) {
		match->flow.vlans[0].tci = 0;
		match->mask.vlans[0].tci = BE16_MAX;
		return;
	}
	field_get(f, &match->flow, &v);
	value_blend(&v, value, mask, f->n_bytes);
	value_store(f, &v, true, &match->flow);
	field_unwildcard_masked(f, mask, &match->mask);
}

void field_all_ones(const struct field *f, union field_value *value)
{
	if (f->place == FIELD_PLACE_BE || f->place == FIELD_PLACE_HOST)
		value_from_u32(f, f->bits, value);
	else
		memset(value, 0xff, f->n_bytes);
}

void field_unwildcard(const struct field *f, struct flow *wc)
{
	union field_value ones;

	field_all_ones(f, &ones);
	value_store(f, &ones, true, wc);
}

void field_unwildcard_masked(const struct field *f, const union field_value *mask, struct flow *wc)
{
	union field_value m;

	field_get(f, wc, &m);
	for (unsigned int i = 0; i < f->n_bytes; i++)
		m.b[i] |= mask->b[i];
	value_store(f, &m, true, wc);
	if (f->place == FIELD_PLACE_PORT16)
		wc->in_port = UINT32_MAX;
}

bool field_is_all_wild(const struct field *f, const struct flow *wc)
{
	union field_value m;

	if (f->place == FIELD_PLACE_TUN_METADATA &&
		wc->tun_metadata.present >> (f->id - FIELD_TUN_METADATA0) & 1)
		return false;
	field_get(f, wc, &m);
	return is_zeros(&m, f->n_bytes);
}

bool field_is_all_exact(const struct field *f, const struct flow *wc)
{
	union field_value m, ones;
	unsigned int skip = 0;

	if (f->place == FIELD_PLACE_NONE)
		return false;
	field_get(f, wc, &m);
	field_all_ones(f, &ones);
	if (f->place == FIELD_PLACE_TUN_METADATA) {
		unsigned int len;

		if (!tun_option(f, wc, &len))
			return false;
		skip = f->n_bytes - len;
	}
	return !memcmp(m.b + skip, ones.b + skip, f->n_bytes - skip);
}

static bool is_ofp_port(uint32_t port)
{
	return port <= OFP_PORT_LAST || port >= OFPP_MAX;
}

bool field_is_value_valid(const struct field *f, const union field_value *value)
{
	switch (f->id) {
	case FIELD_IN_PORT_OXM:
	case FIELD_ACTSET_OUTPUT:
		return is_ofp_port(be32toh(value->u32));
	case FIELD_CT_STATE:
		return !(be32toh(value->u32) & ~0xffu);
	default:
		break;
	}
	if (f->place == FIELD_PLACE_BE || f->place == FIELD_PLACE_HOST)
		return !(value_to_u32(f, value) & ~f->bits);
	return true;
}

bool field_is_mask_valid(const struct field *f, const union field_value *mask)
{
	union field_value ones;

	if (is_zeros(mask, f->n_bytes))
		return false;
	if (f->maskable)
		return true;
	field_all_ones(f, &ones);
	for (unsigned int i = 0; i < f->n_bytes; i++)
		if (~mask->b[i] & ones.b[i])
			return false;
	return true;
}
