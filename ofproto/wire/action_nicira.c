/* SPDX-License-Identifier: Apache-2.0 */

/* Nicira's actions that steer: resubmit, clone, multipath, conjunction, sample, note, and the like. */

#include "ofproto/wire/action_table.h"
#include "ofproto/wire/msg.h"

#define PUT(IN, TYPE, STRUCT) ((struct STRUCT *)act_put((IN)->b, TYPE, sizeof(struct STRUCT)))
#define AS(STRUCT, ACT) ((const struct STRUCT *)(const void *)(ACT))
#define NXM ((enum ofp_version)0)

/* ------------------------------------------------------------------ resubmit */

enum ofp_error decode_resubmit(struct action_in *in)
{
	struct act_resubmit *a = PUT(in, ACT_RESUBMIT, act_resubmit);

	a->act.raw = ACT_RAW_NX_RESUBMIT;
	ofp_port_from_16(cursor_u16(&in->c), &a->in_port);
	a->table_id = 0xff;
	return OFP_OK;
}

enum ofp_error decode_resubmit_table(struct action_in *in)
{
	struct act_resubmit *a = PUT(in, ACT_RESUBMIT, act_resubmit);

	a->with_ct_orig = in->layout == L_RESUBMIT_TABLE_CT;
	a->act.raw = a->with_ct_orig ? ACT_RAW_NX_RESUBMIT_TABLE_CT : ACT_RAW_NX_RESUBMIT_TABLE;
	ofp_port_from_16(cursor_u16(&in->c), &a->in_port);
	a->table_id = cursor_u8(&in->c);
	return cursor_zeros(&in->c, 3) ? OFP_OK : OFPBAC_BAD_ARGUMENT;
}

void encode_resubmit(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_resubmit *a = AS(act_resubmit, act);
	enum layout layout = a->with_ct_orig ? L_RESUBMIT_TABLE_CT : L_RESUBMIT_TABLE;
	size_t start;

	if (a->table_id == 0xff && act->raw == ACT_RAW_NX_RESUBMIT) {
		action_put_arg(out, version, L_RESUBMIT, 2, ofp_port_to_16(a->in_port));
		return;
	}
	start = action_begin(out, version, layout);
	put_u16(out, ofp_port_to_16(a->in_port));
	put_u8(out, a->table_id);
	action_end(out, start, version, layout);
}

/* ------------------------------------------------------------------ clone */

enum ofp_error decode_clone(struct action_in *in)
{
	size_t handle, inner;
	enum ofp_error error;

	if (in->depth >= ACTION_MAX_DEPTH)
		return OFPBAC_TOO_MANY;
	cursor_skip(&in->c, 6);
	handle = act_nest_begin(in->b, ACT_CLONE, sizeof(struct act_nest));
	inner = in->b->buf.len;
	error = actions_decode(&in->c, in->version, in->depth + 1, in->b);
	if (error)
		return error;
	act_nest_end(in->b, handle);
	return actions_verify((const struct act *)(const void *)(in->b->buf.data + inner),
		in->b->buf.len - inner, in->version, 1u << INST_APPLY, false);
}

void encode_clone(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_nest *a = AS(act_nest, act);
	size_t start = action_begin(out, version, L_CLONE);

	put_pad(out, 6);
	acts_encode(a->acts, act_nest_len(a), version, out);
	action_end(out, start, version, L_CLONE);
}

/* ------------------------------------------------------------------ multipath */

static unsigned int bits_for(uint32_t n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

enum ofp_error decode_multipath(struct action_in *in)
{
	struct act_multipath *a = PUT(in, ACT_MULTIPATH, act_multipath);
	enum ofp_error error;

	a->fields = cursor_u16(&in->c);
	a->basis = cursor_u16(&in->c);
	cursor_skip(&in->c, 2);
	a->algorithm = cursor_u16(&in->c);
	a->max_link = cursor_u16(&in->c);
	a->arg = cursor_u32(&in->c);
	cursor_skip(&in->c, 2);
	subfield_from_ofs_nbits(&a->dst, cursor_u16(&in->c));
	error = field32_take(&in->c, &a->dst.field);
	if (error)
		return error;
	if (a->fields > ACT_HASH_SYMMETRIC_L3 || a->algorithm > 3 ||
		a->dst.n_bits < bits_for(a->max_link + 1u))
		return OFPBAC_BAD_ARGUMENT;
	return subfield_check_dst(&a->dst, NULL);
}

void encode_multipath(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_multipath *a = AS(act_multipath, act);
	size_t start = action_begin(out, version, L_MULTIPATH);

	put_u16(out, a->fields);
	put_u16(out, a->basis);
	put_pad(out, 2);
	put_u16(out, a->algorithm);
	put_u16(out, a->max_link);
	put_u32(out, a->arg);
	put_pad(out, 2);
	put_u16(out, subfield_to_ofs_nbits(&a->dst));
	field32_put(out, a->dst.field);
	action_end(out, start, version, L_MULTIPATH);
}

/* ------------------------------------------------------------------ sample */

enum ofp_error decode_sample(struct action_in *in)
{
	struct act_sample *a = PUT(in, ACT_SAMPLE, act_sample);

	a->act.raw = ACT_RAW_NX_SAMPLE;
	a->probability = cursor_u16(&in->c);
	a->collector_set_id = cursor_u32(&in->c);
	a->obs_domain_id = cursor_u32(&in->c);
	a->obs_point_id = cursor_u32(&in->c);
	a->sampling_port = OFPP_NONE;
	return a->probability ? OFP_OK : OFPBAC_BAD_ARGUMENT;
}

enum ofp_error decode_sample2(struct action_in *in)
{
	enum ofp_error error = decode_sample(in);
	struct act_sample *a = (struct act_sample *)(void *)(in->b->buf.data + in->b->buf.len -
							     sizeof *a);
	uint8_t direction;

	a->act.raw = in->layout == L_SAMPLE3 ? ACT_RAW_NX_SAMPLE3 : ACT_RAW_NX_SAMPLE2;
	ofp_port_from_16(cursor_u16(&in->c), &a->sampling_port);
	direction = cursor_u8(&in->c);
	if (in->layout == L_SAMPLE3) {
		if (!cursor_zeros(&in->c, 5))
			return NXBRC_MUST_BE_ZERO;
		if (direction > 2)
			return OFPBAC_BAD_ARGUMENT;
		a->direction = direction;
	}
	return error;
}

void encode_sample(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_sample *a = AS(act_sample, act);
	enum layout layout = act->raw == ACT_RAW_NX_SAMPLE3 || a->direction ? L_SAMPLE3
		: act->raw == ACT_RAW_NX_SAMPLE2 || a->sampling_port != OFPP_NONE
		? L_SAMPLE2
		: L_SAMPLE;
	size_t start = action_begin(out, version, layout);

	put_u16(out, a->probability);
	put_u32(out, a->collector_set_id);
	put_u32(out, a->obs_domain_id);
	put_u32(out, a->obs_point_id);
	if (layout != L_SAMPLE) {
		put_u16(out, ofp_port_to_16(a->sampling_port));
		put_u8(out, (uint8_t)a->direction);
	}
	action_end(out, start, version, layout);
}

/* ------------------------------------------------------------------ small ones */

enum ofp_error decode_conjunction(struct action_in *in)
{
	struct act_conjunction *a = PUT(in, ACT_CONJUNCTION, act_conjunction);

	a->clause = cursor_u8(&in->c);
	a->n_clauses = cursor_u8(&in->c);
	a->id = cursor_u32(&in->c);
	if (a->n_clauses < 2 || a->n_clauses > 64 || a->clause >= a->n_clauses)
		return NXBAC_BAD_CONJUNCTION;
	return OFP_OK;
}

void encode_conjunction(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_conjunction *a = AS(act_conjunction, act);
	size_t start = action_begin(out, version, L_CONJUNCTION);

	put_u8(out, a->clause);
	put_u8(out, a->n_clauses);
	put_u32(out, a->id);
	action_end(out, start, version, L_CONJUNCTION);
}

enum ofp_error decode_note(struct action_in *in)
{
	size_t len = cursor_left(&in->c);
	struct act_note *a = act_put(in->b, ACT_NOTE, sizeof *a + len);

	a->length = (uint32_t)len;
	cursor_bytes(&in->c, a->data, len);
	return OFP_OK;
}

void encode_note(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_note *a = AS(act_note, act);
	size_t start = action_begin(out, version, L_NOTE);

	sbuf_put(out, a->data, a->length);
	action_end(out, start, version, L_NOTE);
}

enum ofp_error decode_exit(struct action_in *in)
{
	PUT(in, ACT_EXIT, act);
	return OFP_OK;
}

void encode_exit(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	(void)act;
	action_put_void(out, version, L_EXIT);
}

enum ofp_error decode_fin_timeout(struct action_in *in)
{
	struct act_fin_timeout *a = PUT(in, ACT_FIN_TIMEOUT, act_fin_timeout);

	a->idle_timeout = cursor_u16(&in->c);
	a->hard_timeout = cursor_u16(&in->c);
	return OFP_OK;
}

void encode_fin_timeout(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_fin_timeout *a = AS(act_fin_timeout, act);
	size_t start = action_begin(out, version, L_FIN_TIMEOUT);

	put_u16(out, a->idle_timeout);
	put_u16(out, a->hard_timeout);
	action_end(out, start, version, L_FIN_TIMEOUT);
}

enum ofp_error decode_check_pkt_larger(struct action_in *in)
{
	struct act_check_pkt_larger *a = PUT(in, ACT_CHECK_PKT_LARGER, act_check_pkt_larger);
	enum ofp_error error;

	a->pkt_len = cursor_u16(&in->c);
	a->dst.ofs = cursor_u16(&in->c);
	a->dst.n_bits = 1;
	error = oxm_take_header(&in->c, &a->dst.field, NULL, NULL);
	if (error)
		return error;
	if (!cursor_zeros(&in->c, cursor_left(&in->c)))
		return NXBRC_MUST_BE_ZERO;
	return subfield_check_dst(&a->dst, NULL);
}

void encode_check_pkt_larger(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_check_pkt_larger *a = AS(act_check_pkt_larger, act);
	size_t start = action_begin(out, version, L_CHECK_PKT_LARGER);

	put_u16(out, a->pkt_len);
	put_u16(out, a->dst.ofs);
	oxm_put_header(out, a->dst.field, NXM, false);
	action_end(out, start, version, L_CHECK_PKT_LARGER);
}

enum ofp_error decode_ct_clear(struct action_in *in)
{
	PUT(in, ACT_CT_CLEAR, act);
	return OFP_OK;
}

void encode_ct_clear(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	(void)act;
	action_put_void(out, version, L_CT_CLEAR);
}

/* Connection tracking isn't there: refused as by a datapath without it. */
enum ofp_error decode_ct(struct action_in *in)
{
	(void)in;
	return NXBAC_CT_DATAPATH_SUPPORT;
}

/* Frames are Ethernet and stay so: there is no packet type to convert to. */
enum ofp_error decode_refused(struct action_in *in)
{
	return in->layout == L_ENCAP || in->layout == L_DECAP ? NXBAC_BAD_HEADER_TYPE
							      : OFPBAC_BAD_VENDOR_TYPE;
}

/* ------------------------------------------------------------------ instructions as actions */

enum ofp_error decode_write_metadata(struct action_in *in)
{
	struct act_write_metadata *a = PUT(in, ACT_WRITE_METADATA, act_write_metadata);

	if (!cursor_zeros(&in->c, 6))
		return NXBRC_MUST_BE_ZERO;
	a->metadata = cursor_be64(&in->c);
	a->mask = cursor_be64(&in->c);
	return OFP_OK;
}

enum ofp_error decode_meter15(struct action_in *in)
{
	PUT(in, ACT_METER, act_u32)->value = (uint32_t)action_take_arg(in, 4);
	return OFP_OK;
}
