/* SPDX-License-Identifier: Apache-2.0 */

/* NXAST_LEARN and NXAST_LEARN2. */

#include "lib/util.h"
#include "lib/vec.h"
#include "ofproto/wire/action_table.h"

/* A spec's 16-bit header. */
#define SPEC_N_BITS 0x3ff
#define SPEC_DST_SHIFT 11
#define SPEC_DST_MASK 3
#define SPEC_SRC_SHIFT 13
#define SPEC_SRC_MASK 1

#define LEARN_FLAGS (ACT_LEARN_SEND_FLOW_REM | ACT_LEARN_DELETE_LEARNED)
#define LEARN2_FLAGS (LEARN_FLAGS | ACT_LEARN_WRITE_RESULT)

static size_t spec_min_len(const struct act_learn_spec *spec)
{
	size_t len = spec->src_type == ACT_LEARN_SRC_FIELD ? 6 : 2 * DIV_ROUND_UP(spec->n_bits, 16);

	return spec->dst_type == ACT_LEARN_DST_OUTPUT ? len : len + 6;
}

static enum ofp_error spec_subfield(struct cursor *c, unsigned int n_bits, struct subfield *sf)
{
	enum ofp_error error = field32_take(c, &sf->field);

	sf->ofs = cursor_u16(c);
	sf->n_bits = (uint16_t)n_bits;
	return error;
}

static enum ofp_error spec_decode(struct cursor *c, uint16_t header, struct act_learn_spec *spec)
{
	enum ofp_error error = OFP_OK;

	memset(spec, 0, sizeof *spec);
	spec->src_type = header >> SPEC_SRC_SHIFT & SPEC_SRC_MASK;
	spec->dst_type = header >> SPEC_DST_SHIFT & SPEC_DST_MASK;
	spec->n_bits = header & SPEC_N_BITS;
	if (spec->dst_type > ACT_LEARN_DST_OUTPUT ||
		(spec->dst_type == ACT_LEARN_DST_OUTPUT && spec->src_type != ACT_LEARN_SRC_FIELD))
		return OFPBAC_BAD_ARGUMENT;
	if (cursor_left(c) < spec_min_len(spec))
		return OFPBAC_BAD_LEN;

	if (spec->src_type == ACT_LEARN_SRC_FIELD) {
		error = spec_subfield(c, spec->n_bits, &spec->src);
	} else {
		size_t wire = 2 * DIV_ROUND_UP(spec->n_bits, 16), n = DIV_ROUND_UP(spec->n_bits, 8);

		cursor_skip(c, wire - n);
		cursor_bytes(c, &spec->imm, n);
	}
	if (!error && spec->dst_type != ACT_LEARN_DST_OUTPUT)
		error = spec_subfield(c, spec->n_bits, &spec->dst);
	return error;
}

struct learn_specs {
	VEC(struct act_learn_spec) v;
};

static enum ofp_error specs_decode(struct cursor *c, struct learn_specs *specs)
{
	while (cursor_left(c)) {
		struct act_learn_spec spec;
		uint16_t header = cursor_u16(c);
		enum ofp_error error;

		if (!header)
			break;
		error = spec_decode(c, header, &spec);
		if (error)
			return error;
		vec_push(&specs->v, spec);
	}
	return cursor_zeros(c, cursor_left(c)) ? OFP_OK : OFPBAC_BAD_ARGUMENT;
}

static enum ofp_error learn_fixed(struct cursor *c, struct act_learn *a)
{
	a->idle_timeout = cursor_u16(c);
	a->hard_timeout = cursor_u16(c);
	a->priority = cursor_u16(c);
	a->cookie = cursor_be64(c);
	uint16_t flags = cursor_u16(c);
	a->table_id = cursor_u8(c);
	uint8_t pad = cursor_u8(c);
	a->fin_idle_timeout = cursor_u16(c);
	a->fin_hard_timeout = cursor_u16(c);
	a->flags = (uint8_t)flags;
	if (pad || a->table_id == 0xff || flags > 0xff)
		return OFPBAC_BAD_ARGUMENT;
	return OFP_OK;
}

static enum ofp_error learn2_rest(struct cursor *c, struct act_learn *a, uint16_t result_ofs)
{
	enum ofp_error error;

	if (!(a->flags & ACT_LEARN_WRITE_RESULT))
		return result_ofs ? OFPBAC_BAD_ARGUMENT : OFP_OK;
	error = oxm_take_header(c, &a->result_dst.field, NULL, NULL);
	if (error)
		return error;
	a->result_dst.ofs = result_ofs;
	a->result_dst.n_bits = 1;
	return subfield_check_dst(&a->result_dst, NULL);
}

enum ofp_error decode_learn(struct action_in *in)
{
	bool v2 = in->layout == L_LEARN2;
	struct learn_specs specs = {VEC_INITIALIZER};
	struct act_learn a = {0}, *put;
	enum ofp_error error = learn_fixed(&in->c, &a);

	if (!error && a.flags & ~(v2 ? LEARN2_FLAGS : LEARN_FLAGS))
		error = OFPBAC_BAD_ARGUMENT;
	if (!error && v2) {
		uint16_t ofs, pad;

		a.limit = cursor_u32(&in->c);
		ofs = cursor_u16(&in->c);
		pad = cursor_u16(&in->c);
		error = pad ? NXBAC_MUST_BE_ZERO : learn2_rest(&in->c, &a, ofs);
	}
	if (!error)
		error = specs_decode(&in->c, &specs);
	if (!error) {
		put = act_put(in->b, ACT_LEARN, sizeof a + specs.v.n * sizeof specs.v.items[0]);
		a.act = put->act;
		a.act.raw = v2 ? ACT_RAW_NX_LEARN2 : ACT_RAW_NX_LEARN;
		a.n_specs = (uint32_t)specs.v.n;
		memcpy(put, &a, sizeof a);
		if (specs.v.n)
			memcpy(put->specs, specs.v.items, specs.v.n * sizeof specs.v.items[0]);
	}
	vec_uninit(&specs.v);
	return error;
}

static void put_subfield(struct sbuf *out, const struct subfield *sf)
{
	field32_put(out, sf->field);
	put_u16(out, sf->ofs);
}

static void put_spec(struct sbuf *out, const struct act_learn_spec *spec)
{
	put_u16(out, (uint16_t)(spec->n_bits | spec->dst_type << SPEC_DST_SHIFT |
				spec->src_type << SPEC_SRC_SHIFT));
	if (spec->src_type == ACT_LEARN_SRC_FIELD) {
		put_subfield(out, &spec->src);
	} else {
		size_t wire = 2 * DIV_ROUND_UP(spec->n_bits, 16), n = DIV_ROUND_UP(spec->n_bits, 8);

		put_pad(out, wire - n);
		sbuf_put(out, &spec->imm, n);
	}
	if (spec->dst_type != ACT_LEARN_DST_OUTPUT)
		put_subfield(out, &spec->dst);
}

void encode_learn(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_learn *a = (const struct act_learn *)(const void *)act;
	bool v2 = act->raw == ACT_RAW_NX_LEARN2 || a->limit || a->flags & ACT_LEARN_WRITE_RESULT;
	enum layout layout = v2 ? L_LEARN2 : L_LEARN;
	size_t start = action_begin(out, version, layout);

	put_u16(out, a->idle_timeout);
	put_u16(out, a->hard_timeout);
	put_u16(out, a->priority);
	put_be64(out, a->cookie);
	put_u16(out, a->flags);
	put_u8(out, a->table_id);
	put_pad(out, 1);
	put_u16(out, a->fin_idle_timeout);
	put_u16(out, a->fin_hard_timeout);
	if (v2) {
		put_u32(out, a->limit);
		put_u16(out, a->result_dst.ofs);
		put_pad(out, 2);
		if (a->flags & ACT_LEARN_WRITE_RESULT)
			oxm_put_header(out, a->result_dst.field, (enum ofp_version)0, false);
	}
	for (uint32_t i = 0; i < a->n_specs; i++)
		put_spec(out, &a->specs[i]);
	action_end(out, start, version, layout);
}
