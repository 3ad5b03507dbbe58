/* SPDX-License-Identifier: Apache-2.0 */

/* Instructions of OpenFlow 1.1 and later (1.3.5, 7.2.4). */

#include "ofproto/wire/action_table.h"

#define OFPIT_GOTO_TABLE 1
#define OFPIT_WRITE_METADATA 2
#define OFPIT_WRITE_ACTIONS 3
#define OFPIT_APPLY_ACTIONS 4
#define OFPIT_CLEAR_ACTIONS 5
#define OFPIT_METER 6
#define OFPIT_EXPERIMENTER 0xffff
#define N_OFPIT 7

static const struct {
	uint16_t len;
	bool extensible;
} sizes[N_OFPIT] = {
	[OFPIT_GOTO_TABLE] = {8, false},
	[OFPIT_WRITE_METADATA] = {24, false},
	[OFPIT_WRITE_ACTIONS] = {8, true},
	[OFPIT_APPLY_ACTIONS] = {8, true},
	[OFPIT_CLEAR_ACTIONS] = {8, false},
	[OFPIT_METER] = {8, false},
};

struct insts {
	bool present[N_OFPIT];
	struct cursor body[N_OFPIT];	/* Behind type and length. */
};

/* ------------------------------------------------------------------ reading */

static enum ofp_error inst_take(struct cursor *c, enum ofp_version version, struct insts *insts)
{
	uint16_t type, len;

	if (cursor_left(c) < 8)
		return OFPBIC_BAD_LEN;
	type = cursor_u16(c);
	len = cursor_u16(c);
	if (len % 8 || len < 8 || len - 4u > cursor_left(c))
		return OFPBIC_BAD_LEN;
	if (type == OFPIT_EXPERIMENTER)
		return OFPBIC_BAD_EXPERIMENTER;
	if (!type || type >= N_OFPIT || (type == OFPIT_METER && version >= OFP15_VERSION))
		return OFPBIC_UNKNOWN_INST;
	if (sizes[type].extensible ? len < sizes[type].len : len != sizes[type].len)
		return OFPBIC_BAD_LEN;
	if (insts->present[type])
		return OFPBIC_DUP_INST;
	insts->present[type] = true;
	insts->body[type] = cursor_sub(c, len - 4u);
	return OFP_OK;
}

static enum ofp_error insts_split(struct cursor *c, enum ofp_version version, struct insts *insts)
{
	memset(insts, 0, sizeof *insts);
	if (cursor_left(c) % 8)
		return OFPBIC_BAD_LEN;
	while (cursor_left(c)) {
		enum ofp_error error = inst_take(c, version, insts);

		if (error)
			return error;
	}
	return OFP_OK;
}

static enum ofp_error write_actions_decode(struct cursor *body, enum ofp_version version,
	struct act_builder *b)
{
	size_t handle = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));
	enum ofp_error error;

	cursor_skip(body, 4);
	error = acts_decode_set(body, version, b);
	if (!error)
		act_nest_end(b, handle);
	return error;
}

static enum ofp_error insts_build(struct insts *insts, enum ofp_version version,
	struct act_builder *b)
{
	struct cursor *body = insts->body;
	struct act_write_metadata *wm;
	struct act_u8 *gt;
	enum ofp_error error = OFP_OK;

	if (insts->present[OFPIT_METER]) {
		struct act_u32 *m = act_put(b, ACT_METER, sizeof *m);

		m->value = cursor_u32(&body[OFPIT_METER]);
	}
	if (insts->present[OFPIT_APPLY_ACTIONS]) {
		cursor_skip(&body[OFPIT_APPLY_ACTIONS], 4);
		error = actions_decode(&body[OFPIT_APPLY_ACTIONS], version, 0, b);
	}
	if (!error && insts->present[OFPIT_CLEAR_ACTIONS])
		act_put(b, ACT_CLEAR_ACTIONS, sizeof(struct act));
	if (!error && insts->present[OFPIT_WRITE_ACTIONS])
		error = write_actions_decode(&body[OFPIT_WRITE_ACTIONS], version, b);
	if (!error && insts->present[OFPIT_WRITE_METADATA]) {
		wm = act_put(b, ACT_WRITE_METADATA, sizeof *wm);
		cursor_skip(&body[OFPIT_WRITE_METADATA], 4);
		wm->metadata = cursor_be64(&body[OFPIT_WRITE_METADATA]);
		wm->mask = cursor_be64(&body[OFPIT_WRITE_METADATA]);
	}
	if (!error && insts->present[OFPIT_GOTO_TABLE]) {
		gt = act_put(b, ACT_GOTO_TABLE, sizeof *gt);
		gt->value = cursor_u8(&body[OFPIT_GOTO_TABLE]);
	}
	return error;
}

enum ofp_error insts_decode(struct cursor *c, enum ofp_version version, struct act_builder *acts)
{
	size_t start = acts->buf.len;
	struct insts insts;
	enum ofp_error error = insts_split(c, version, &insts);

	if (!error)
		error = insts_build(&insts, version, acts);
	if (!error && acts->buf.len > start)
		error = actions_verify((const struct act *)(const void *)(acts->buf.data + start),
			acts->buf.len - start, version, INST_ALL, false);
	if (error)
		sbuf_truncate(&acts->buf, start);
	return error;
}

/* ------------------------------------------------------------------ writing */

static size_t inst_begin(struct sbuf *out, uint16_t type)
{
	size_t start = out->len;

	put_u16(out, type);
	put_u16(out, 0);
	return start;
}

static void inst_end(struct sbuf *out, size_t start)
{
	put_align8(out, start);
	put_u16_at(out, start + 2, (uint16_t)(out->len - start));
}

/* With actions; without any the instruction is left out. */
static void put_actions_inst(struct sbuf *out, uint16_t type, const struct act *acts, size_t len,
	enum ofp_version version)
{
	size_t start = inst_begin(out, type);

	put_pad(out, 4);
	if (acts_encode(acts, len, version, out))
		inst_end(out, start);
	else
		sbuf_truncate(out, start);
}

static void put_inst(struct sbuf *out, const struct act *a, enum ofp_version version)
{
	const struct act_write_metadata *wm = (const void *)a;
	const struct act_nest *nest = (const void *)a;
	size_t start;

	switch ((int)a->type) {
	case ACT_METER:
		if (version < OFP13_VERSION)
			break;
		start = inst_begin(out, OFPIT_METER);
		put_u32(out, ((const struct act_u32 *)(const void *)a)->value);
		inst_end(out, start);
		break;
	case ACT_CLEAR_ACTIONS:
		start = inst_begin(out, OFPIT_CLEAR_ACTIONS);
		put_pad(out, 4);
		inst_end(out, start);
		break;
	case ACT_WRITE_ACTIONS:
		put_actions_inst(out, OFPIT_WRITE_ACTIONS, nest->acts, act_nest_len(nest), version);
		break;
	case ACT_WRITE_METADATA:
		start = inst_begin(out, OFPIT_WRITE_METADATA);
		put_pad(out, 4);
		put_be64(out, wm->metadata);
		put_be64(out, wm->mask);
		inst_end(out, start);
		break;
	case ACT_GOTO_TABLE:
		start = inst_begin(out, OFPIT_GOTO_TABLE);
		put_u8(out, ((const struct act_u8 *)(const void *)a)->value);
		inst_end(out, start);
		break;
	default:
		break;
	}
}

size_t insts_encode(const struct act *acts, size_t len, enum ofp_version version, struct sbuf *out)
{
	const struct act *a = acts, *end = act_end(acts, len);
	size_t start = out->len;

	while (a < end) {
		const struct act *first = a;

		while (a < end && act_inst((enum act_type)a->type, version) == INST_APPLY)
			a = act_next(a);
		if (a > first) {
			put_actions_inst(out, OFPIT_APPLY_ACTIONS, first,
				(size_t)((const char *)a - (const char *)first), version);
			continue;
		}
		put_inst(out, a, version);
		a = act_next(a);
	}
	return out->len - start;
}
