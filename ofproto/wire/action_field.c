/* SPDX-License-Identifier: Apache-2.0 */

/* Actions over any field: set_field, load, move, push, pop, delete_field. */

#include <string.h>

#include "ofproto/wire/action_table.h"

#define PUT(IN, TYPE, STRUCT) ((struct STRUCT *)act_put((IN)->b, TYPE, sizeof(struct STRUCT)))
#define AS(STRUCT, ACT) ((const struct STRUCT *)(const void *)(ACT))
#define NXM ((enum ofp_version)0)

/* ------------------------------------------------------------------ shared */

/* Those of a tunnel option are as many as its mapping says. */
static unsigned int n_bits_of(const struct field *f)
{
	return f->variable && oxm_value_len(f) ? oxm_value_len(f) * 8 : f->n_bits;
}

static enum ofp_error subfield_check(const struct subfield *sf, const struct match *match)
{
	if (!sf->field)
		return OFPBAC_BAD_SET_TYPE;
	if (!sf->n_bits || sf->ofs + sf->n_bits > n_bits_of(sf->field))
		return OFPBAC_BAD_SET_LEN;
	if (match && !field_prereqs_matched(sf->field, match))
		return OFPBAC_MATCH_INCONSISTENT;
	return OFP_OK;
}

enum ofp_error subfield_check_src(const struct subfield *sf, const struct match *match)
{
	return subfield_check(sf, match);
}

enum ofp_error subfield_check_dst(const struct subfield *sf, const struct match *match)
{
	enum ofp_error error = subfield_check(sf, match);

	return error ? error : sf->field->nx_writable ? OFP_OK : OFPBAC_BAD_SET_ARGUMENT;
}

enum ofp_error field32_take(struct cursor *c, const struct field **field)
{
	struct cursor header = cursor_sub(c, 4);
	enum ofp_error error = oxm_take_header(&header, field, NULL, NULL);

	return error && error != NXFMFC_INVALID_TLV_FIELD ? OFPBAC_BAD_SET_TYPE : error;
}

void field32_put(struct sbuf *out, const struct field *field)
{
	if (oxm_header_len(field, NXM) == 4)
		oxm_put_header(out, field, NXM, false);
	else
		put_pad(out, 4);
}

/* ------------------------------------------------------------------ set_field and load */

/* A mask of a field's bits alone (a load's) is one in fields that end within a byte, as with Open vSwitch: only
 * what came without a mask is said without. */
static bool mask_is_exact(const struct field *f, const uint8_t *mask)
{
	for (int i = 0; i < f->n_bytes; i++)
		if (mask[i] != 0xff)
			return false;
	return true;
}

enum ofp_error decode_set_field(struct action_in *in)
{
	union field_value value, mask;
	const struct field *f = NULL;
	bool may_mask = in->version >= OFP15_VERSION;
	enum ofp_error error;

	memset(&mask, 0xff, sizeof mask);
	error = oxm_take_entry(&in->c, &f, &value, may_mask ? &mask : NULL);
	if (error)
		return error == OFPBMC_BAD_MASK ? OFPBAC_BAD_SET_MASK : error;
	if (!cursor_zeros(&in->c, cursor_left(&in->c)) || f->id == FIELD_IN_PORT_OXM ||
		!f->writable || !field_is_value_valid(f, &value))
		return OFPBAC_BAD_SET_ARGUMENT;
	if (f->id == FIELD_VLAN_VID && !(value.u16 & mask.u16 & htobe16(VLAN_PRESENT)))
		return OFPBAC_BAD_SET_ARGUMENT;
	act_put_set_field(in->b, f, &value, &mask)->act.raw = ACT_RAW_OF_SET_FIELD;
	return OFP_OK;
}

enum ofp_error decode_reg_load(struct action_in *in)
{
	union field_value value = {.u64 = 0}, mask = {.u64 = 0};
	be64 wire, ones = BE64_MAX;
	struct subfield dst;
	enum ofp_error error;
	uint64_t v;

	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	subfield_from_ofs_nbits(&dst, cursor_u16(&in->c));
	error = field32_take(&in->c, &dst.field);
	v = cursor_u64(&in->c);
	if (!error)
		error = subfield_check_dst(&dst, NULL);
	if (error)
		return error;
	if (dst.n_bits < 64 && v >> dst.n_bits)
		return OFPBAC_BAD_ARGUMENT;
	wire = htobe64(v);
	field_bitwise_copy(&wire, 8, 0, &value, dst.field->n_bytes, dst.ofs, dst.n_bits);
	field_bitwise_copy(&ones, 8, 0, &mask, dst.field->n_bytes, dst.ofs, dst.n_bits);
	act_put_set_field(in->b, dst.field, &value, &mask)->act.raw = ACT_RAW_NX_REG_LOAD;
	return OFP_OK;
}

enum ofp_error decode_reg_load2(struct action_in *in)
{
	union field_value value, mask;
	const struct field *f = NULL;
	enum ofp_error error;

	error = oxm_take_entry(&in->c, &f, &value, &mask);
	if (error)
		return error;
	if (!cursor_zeros(&in->c, cursor_left(&in->c)) || !f->nx_writable)
		return OFPBAC_BAD_SET_ARGUMENT;
	act_put_set_field(in->b, f, &value, &mask)->act.raw = ACT_RAW_NX_REG_LOAD2;
	return OFP_OK;
}

void put_set_field_u64(struct sbuf *out, enum ofp_version version, enum field_id id, uint64_t v)
{
	const struct field *f = field_from_id(id);
	size_t start = action_begin(out, version, L_SET_FIELD);
	union field_value value;
	be64 wire = htobe64(v);

	memcpy(&value, (const uint8_t *)&wire + 8 - f->n_bytes, f->n_bytes);
	oxm_put_entry(out, f, version, &value, NULL);
	action_end(out, start, version, L_SET_FIELD);
}

void put_reg_load(struct sbuf *out, enum ofp_version version, const struct subfield *dst, uint64_t v)
{
	size_t start = action_begin(out, version, L_REG_LOAD);

	put_u16(out, subfield_to_ofs_nbits(dst));
	field32_put(out, dst->field);
	put_u64(out, v);
	action_end(out, start, version, L_REG_LOAD);
}

static bool bit_at(const uint8_t *bytes, unsigned int n_bytes, unsigned int i)
{
	return bytes[n_bytes - 1 - i / 8] >> (i % 8) & 1;
}

/* One load for each run of 1-bits in the mask, of 64 bits at most. */
static void put_loads(struct sbuf *out, enum ofp_version version, const struct act_set_field *a)
{
	const struct field *f = a->field;
	const uint8_t *mask = act_set_field_mask(a);
	unsigned int ofs = 0;

	while (ofs < f->n_bits) {
		struct subfield dst = {.field = f};
		be64 v = 0;
		unsigned int end;

		if (!bit_at(mask, f->n_bytes, ofs)) {
			ofs++;
			continue;
		}
		for (end = ofs + 1; end < f->n_bits && end < ofs + 64; end++)
			if (!bit_at(mask, f->n_bytes, end))
				break;
		dst.ofs = (uint16_t)ofs;
		dst.n_bits = (uint16_t)(end - ofs);
		field_bitwise_copy(a->data, f->n_bytes, ofs, &v, 8, 0, dst.n_bits);
		put_reg_load(out, version, &dst, be64toh(v));
		ofs = end;
	}
}

static void put_entry_action(struct sbuf *out, enum ofp_version version, enum layout layout,
	enum ofp_version header_version, const struct act_set_field *a)
{
	size_t start = action_begin(out, version, layout);
	union field_value value, mask;
	bool exact = mask_is_exact(a->field, act_set_field_mask(a));

	memcpy(&value, act_set_field_value(a), a->field->n_bytes);
	memcpy(&mask, act_set_field_mask(a), a->field->n_bytes);
	oxm_put_entry(out, a->field, header_version, &value, exact ? NULL : &mask);
	action_end(out, start, version, layout);
}

static void put_nicira(struct sbuf *out, enum ofp_version version, const struct act_set_field *a)
{
	if (a->act.raw == ACT_RAW_NX_REG_LOAD2 || a->field->variable ||
		oxm_header_len(a->field, NXM) != 4)
		put_entry_action(out, version, L_REG_LOAD2, NXM, a);
	else
		put_loads(out, version, a);
}

static void put_legacy_tci(struct sbuf *out, enum ofp_version version, uint16_t tci)
{
	bool v10 = version == OFP10_VERSION;

	if (!(tci & VLAN_PRESENT)) {
		action_put_void(out, version, v10 ? L_STRIP_VLAN10 : L_POP_VLAN11);
		return;
	}
	if (!v10)
		action_put_arg(out, version, L_PUSH_VLAN, 2, 0x8100);
	action_put_arg(out, version, v10 ? L_SET_VLAN_VID10 : L_SET_VLAN_VID11, 2,
		tci & VLAN_VID_MASK);
	action_put_arg(out, version, v10 ? L_SET_VLAN_PCP10 : L_SET_VLAN_PCP11, 1,
		tci >> VLAN_PCP_SHIFT);
}

/* set_field in OpenFlow 1.0 and 1.1: their own action for the field, if there is one. */
static void put_legacy(struct sbuf *out, enum ofp_version version, const struct act_set_field *a)
{
	bool v10 = version == OFP10_VERSION;
	const uint8_t *b = a->data;
	uint16_t v16 = a->field->n_bytes >= 2 ? (uint16_t)(b[0] << 8 | b[1]) : 0;
	struct act_mac mac = {.act.type = a->field->id == FIELD_ETH_SRC ? ACT_SET_ETH_SRC
									: ACT_SET_ETH_DST};
	struct act_u8 ecn = {.value = b[0]};
	be32 addr;

	switch ((int)a->field->id) {
	case FIELD_VLAN_TCI:
		put_legacy_tci(out, version, v16);
		break;
	case FIELD_VLAN_VID:
		action_put_arg(out, version, v10 ? L_SET_VLAN_VID10 : L_SET_VLAN_VID11, 2,
			v16 & VLAN_VID_MASK);
		break;
	case FIELD_VLAN_PCP:
		action_put_arg(out, version, v10 ? L_SET_VLAN_PCP10 : L_SET_VLAN_PCP11, 1, b[0]);
		break;
	case FIELD_ETH_SRC:
	case FIELD_ETH_DST:
		memcpy(&mac.mac, b, 6);
		encode_mac(&mac.act, version, out);
		break;
	case FIELD_IPV4_SRC:
	case FIELD_IPV4_DST:
		memcpy(&addr, b, 4);
		action_put_arg(out, version,
			a->field->id == FIELD_IPV4_SRC ? L_SET_NW_SRC : L_SET_NW_DST, 4,
			be32toh(addr));
		break;
	case FIELD_IP_DSCP:
		action_put_arg(out, version, L_SET_NW_TOS, 1, b[0]);
		break;
	case FIELD_IP_DSCP_SHIFTED:
		action_put_arg(out, version, L_SET_NW_TOS, 1, (uint8_t)(b[0] << 2));
		break;
	case FIELD_IP_ECN:
		encode_ip_ecn(&ecn.act, version, out);
		break;
	case FIELD_TCP_SRC:
	case FIELD_UDP_SRC:
		action_put_arg(out, version, L_SET_TP_SRC, 2, v16);
		break;
	case FIELD_TCP_DST:
	case FIELD_UDP_DST:
		action_put_arg(out, version, L_SET_TP_DST, 2, v16);
		break;
	default:
		put_nicira(out, version, a);
		break;
	}
}

void encode_set_field(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_set_field *a = AS(act_set_field, act);
	bool exact = mask_is_exact(a->field, act_set_field_mask(a));

	if (version >= OFP15_VERSION)
		put_entry_action(out, version, L_SET_FIELD, version, a);
	else if (act->raw == ACT_RAW_NX_REG_LOAD || act->raw == ACT_RAW_NX_REG_LOAD2)
		put_nicira(out, version, a);
	else if (version < OFP12_VERSION)
		put_legacy(out, version, a);
	else if (exact)
		put_entry_action(out, version, L_SET_FIELD, version, a);
	else
		put_nicira(out, version, a);
}

/* ------------------------------------------------------------------ move */

static enum ofp_error move_fields(struct action_in *in, struct act_reg_move *a)
{
	enum ofp_error error = oxm_take_header(&in->c, &a->src.field, NULL, NULL);

	if (!error)
		error = oxm_take_header(&in->c, &a->dst.field, NULL, NULL);
	if (error)
		return error;
	if (!cursor_zeros(&in->c, cursor_left(&in->c)))
		return NXBRC_MUST_BE_ZERO;
	error = subfield_check_src(&a->src, NULL);
	return error ? error : subfield_check_dst(&a->dst, NULL);
}

static struct act_reg_move *move_put(struct action_in *in)
{
	struct act_reg_move *a = PUT(in, ACT_REG_MOVE, act_reg_move);

	a->src.n_bits = a->dst.n_bits = cursor_u16(&in->c);
	a->src.ofs = cursor_u16(&in->c);
	a->dst.ofs = cursor_u16(&in->c);
	return a;
}

enum ofp_error decode_reg_move(struct action_in *in)
{
	return move_fields(in, move_put(in));
}

enum ofp_error decode_copy_field(struct action_in *in)
{
	struct act_reg_move *a;

	if (in->layout == L_COPY_FIELD13)
		cursor_skip(&in->c, 2);
	a = move_put(in);
	a->act.raw = ACT_RAW_ONF_COPY_FIELD;
	cursor_skip(&in->c, 2);
	return move_fields(in, a);
}

void encode_reg_move(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_reg_move *a = AS(act_reg_move, act);
	bool onf = version == OFP13_VERSION && act->raw == ACT_RAW_ONF_COPY_FIELD;
	bool copy = version >= OFP15_VERSION || onf;
	enum layout layout = onf ? L_COPY_FIELD13 : copy ? L_COPY_FIELD15 : L_REG_MOVE;
	size_t start = action_begin(out, version, layout);

	if (onf)
		put_pad(out, 2);
	put_u16(out, a->dst.n_bits);
	put_u16(out, a->src.ofs);
	put_u16(out, a->dst.ofs);
	if (copy)
		put_pad(out, 2);
	oxm_put_header(out, a->src.field, copy ? version : NXM, false);
	oxm_put_header(out, a->dst.field, copy ? version : NXM, false);
	action_end(out, start, version, layout);
}

/* ------------------------------------------------------------------ stack, delete_field */

enum ofp_error decode_stack(struct action_in *in)
{
	bool push = in->layout == L_STACK_PUSH;
	struct act_stack *a = PUT(in, push ? ACT_STACK_PUSH : ACT_STACK_POP, act_stack);
	enum ofp_error error;

	a->subfield.ofs = cursor_u16(&in->c);
	error = oxm_take_header(&in->c, &a->subfield.field, NULL, NULL);
	if (error)
		return error;
	a->subfield.n_bits = cursor_u16(&in->c);
	if (!cursor_zeros(&in->c, cursor_left(&in->c)))
		return NXBRC_MUST_BE_ZERO;
	return push ? subfield_check_src(&a->subfield, NULL) : subfield_check_dst(&a->subfield, NULL);
}

void encode_stack(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_stack *a = AS(act_stack, act);
	enum layout layout = act->type == ACT_STACK_PUSH ? L_STACK_PUSH : L_STACK_POP;
	size_t start = action_begin(out, version, layout);

	put_u16(out, a->subfield.ofs);
	oxm_put_header(out, a->subfield.field, NXM, false);
	put_u16(out, a->subfield.n_bits);
	action_end(out, start, version, layout);
}

enum ofp_error decode_delete_field(struct action_in *in)
{
	struct act_field *a = PUT(in, ACT_DELETE_FIELD, act_field);

	return oxm_take_header(&in->c, &a->field, NULL, NULL);
}

void encode_delete_field(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	size_t start = action_begin(out, version, L_DELETE_FIELD);

	oxm_put_header(out, AS(act_field, act)->field, NXM, false);
	action_end(out, start, version, L_DELETE_FIELD);
}
