/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/group_bucket.h"

#include "lib/fatal.h"
#include "ofproto/wire/action.h"

void group_bucket_init(struct group_bucket *b)
{
	memset(b, 0, sizeof *b);
	b->watch_port = OFPP_NONE;
	b->watch_group = OFP_GROUP_ANY;
	act_builder_init(&b->acts);
}

void group_bucket_uninit(struct group_bucket *b)
{
	act_builder_uninit(&b->acts);
}

void group_bucket_clone(struct group_bucket *dst, const struct group_bucket *src)
{
	*dst = *src;
	act_builder_init(&dst->acts);
	sbuf_put(&dst->acts.buf, src->acts.buf.data, src->acts.buf.len);
}

static enum ofp_error acts_take(struct cursor *c, size_t len, enum ofp_version version,
	struct act_builder *acts)
{
	struct cursor sub = cursor_sub(c, len);

	return acts_decode(&sub, version, acts);
}

static enum ofp_error watch_port_set(struct group_bucket *b, uint32_t port)
{
	return ofp_port_from_32(port, &b->watch_port) ? OFP_OK : OFPGMFC_BAD_WATCH;
}

/* ------------------------------------------------------------------ 1.1 to 1.4 */

static enum ofp_error bucket_take11(struct cursor *c, enum ofp_version version,
	struct group_bucket *b)
{
	size_t left = cursor_left(c);
	uint16_t len = cursor_u16(c);
	uint32_t watch_port;
	enum ofp_error error;

	b->weight = cursor_u16(c);
	watch_port = cursor_u32(c);
	b->watch_group = cursor_u32(c);
	cursor_skip(c, 4);
	if (!cursor_ok(c) || len < 16 || len > left)
		return OFPGMFC_BAD_BUCKET;
	error = acts_take(c, len - 16u, version, &b->acts);
	return error ? error : watch_port_set(b, watch_port);
}

enum ofp_error buckets_decode11(struct cursor *c, enum ofp_version version, struct group_mod *gm)
{
	while (cursor_left(c)) {
		struct group_bucket b;
		enum ofp_error error;

		group_bucket_init(&b);
		error = bucket_take11(c, version, &b);
		b.id = (uint32_t)gm->buckets.n;
		vec_push(&gm->buckets, b);
		if (error)
			return error;
	}
	return OFP_OK;
}

void bucket_put11(struct sbuf *out, enum ofp_version version, const struct group_bucket *b)
{
	const struct act *acts = (const struct act *)(const void *)b->acts.buf.data;
	size_t start = out->len;

	put_u16(out, 0);
	put_u16(out, b->weight);
	put_u32(out, b->watch_port);
	put_u32(out, b->watch_group);
	put_pad(out, 4);
	acts_encode(acts, b->acts.buf.len, version, out);
	put_u16_at(out, start, (uint16_t)(out->len - start));
}

/* ------------------------------------------------------------------ 1.5 */

enum {
	BUCKET_PROP_WEIGHT,
	BUCKET_PROP_WATCH_PORT,
	BUCKET_PROP_WATCH_GROUP,
};

static enum ofp_error bucket_prop(struct prop *p, struct group_bucket *b)
{
	uint32_t port = 0;
	enum ofp_error error;

	switch (p->type) {
	case BUCKET_PROP_WEIGHT:
		return prop_take_u16(p, &b->weight);
	case BUCKET_PROP_WATCH_PORT:
		error = prop_take_u32(p, &port);
		return error ? error : watch_port_set(b, port);
	case BUCKET_PROP_WATCH_GROUP:
		return prop_take_u32(p, &b->watch_group);
	default:
		return prop_unknown(p->type);
	}
}

static enum ofp_error bucket_props(struct cursor *c, struct group_bucket *b)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (!error && more)
			error = bucket_prop(&p, b);
		if (error || !more)
			return error;
	}
}

static enum ofp_error bucket_take15(struct cursor *c, enum ofp_version version,
	struct group_bucket *b)
{
	size_t left = cursor_left(c);
	uint16_t len = cursor_u16(c), acts_len = cursor_u16(c);
	struct cursor props;
	enum ofp_error error;

	b->id = cursor_u32(c);
	if (!cursor_ok(c) || len < 8 || len > left || acts_len > len - 8)
		return OFPGMFC_BAD_BUCKET;
	error = acts_take(c, acts_len, version, &b->acts);
	if (error)
		return error;
	props = cursor_sub(c, len - 8u - acts_len);
	error = bucket_props(&props, b);
	if (error)
		return error;
	return b->id > OFP_BUCKET_MAX ? OFPGMFC_BAD_BUCKET : OFP_OK;
}

static int id_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool ids_repeat(const struct group_mod *gm)
{
	uint32_t *ids = xmalloc(gm->buckets.n * sizeof *ids);
	bool repeat = false;

	for (size_t i = 0; i < gm->buckets.n; i++)
		ids[i] = gm->buckets.items[i].id;
	qsort(ids, gm->buckets.n, sizeof *ids, id_compare);
	for (size_t i = 1; i < gm->buckets.n; i++)
		repeat |= ids[i] == ids[i - 1];
	free(ids);
	return repeat;
}

enum ofp_error buckets_decode15(struct cursor *c, enum ofp_version version, struct group_mod *gm)
{
	while (cursor_left(c)) {
		struct group_bucket b;
		enum ofp_error error;

		group_bucket_init(&b);
		b.weight = gm->type == OFPGT_SELECT;
		error = bucket_take15(c, version, &b);
		vec_push(&gm->buckets, b);
		if (error)
			return error;
	}
	return ids_repeat(gm) ? OFPGMFC_BAD_BUCKET : OFP_OK;
}

void bucket_put15(struct sbuf *out, enum ofp_version version, uint8_t group_type,
	const struct group_bucket *b)
{
	const struct act *acts = (const struct act *)(const void *)b->acts.buf.data;
	size_t start = out->len, acts_len;

	put_u32(out, 0);
	put_u32(out, b->id);
	acts_len = acts_encode(acts, b->acts.buf.len, version, out);
	if (group_type == OFPGT_SELECT || b->weight)
		prop_put_u16(out, BUCKET_PROP_WEIGHT, b->weight);
	if (b->watch_port != OFPP_NONE)
		prop_put_u32(out, BUCKET_PROP_WATCH_PORT, b->watch_port);
	if (b->watch_group != OFP_GROUP_ANY)
		prop_put_u32(out, BUCKET_PROP_WATCH_GROUP, b->watch_group);
	put_u16_at(out, start, (uint16_t)(out->len - start));
	put_u16_at(out, start + 2, (uint16_t)acts_len);
}

/* ------------------------------------------------------------------ selection method */

#define NTR_VENDOR 0x0000154du
#define NTR_VENDOR_OLD 0x00001540u	/* A mistake that some controllers still send. */
#define NTR_SELECTION_METHOD 1

static enum ofp_error selection_decode(struct cursor *c, struct group_mod *gm)
{
	struct group_props *props = &gm->props;
	char method[GROUP_SELECTION_METHOD_LEN];
	uint64_t param;

	if (gm->type > OFPGT_FF)
		return OFPGMFC_BAD_TYPE;
	if (gm->type != OFPGT_SELECT)
		return OFPBPC_BAD_VALUE;
	if (gm->command == OFPGC_DELETE || gm->command == OFPGC_INSERT_BUCKET ||
		gm->command == OFPGC_REMOVE_BUCKET)
		return OFPBPC_BAD_VALUE;
	if (gm->command != OFPGC_ADD && gm->command != OFPGC_MODIFY &&
		gm->command != OFPGC_ADD_OR_MOD)
		return OFPGMFC_BAD_COMMAND;

	cursor_skip(c, 4);
	cursor_bytes(c, method, sizeof method);
	param = cursor_u64(c);
	if (!cursor_ok(c))
		return OFPBPC_BAD_LEN;
	if (!memchr(method, '\0', sizeof method) ||
		(strcmp(method, "hash") && strcmp(method, "dp_hash")))
		return OFPBPC_BAD_VALUE;
	if (cursor_left(c) && strcmp(method, "hash"))
		return OFPBPC_BAD_VALUE;
	memcpy(props->selection_method, method, sizeof method);
	props->selection_param = param;
	return oxm_decode_field_array(c, &props->fields_mask, props->fields);
}

enum ofp_error group_props_decode(struct cursor *c, struct group_mod *gm)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (error || !more)
			return error;
		if (p.type == PROP_EXP(NTR_VENDOR, NTR_SELECTION_METHOD) ||
			p.type == PROP_EXP(NTR_VENDOR_OLD, NTR_SELECTION_METHOD))
			error = selection_decode(&p.body, gm);
		else
			error = prop_unknown(p.type);
		if (error)
			return error;
	}
}

void group_props_put(struct sbuf *out, enum ofp_version version, const struct group_props *props)
{
	size_t start;

	if (!props->selection_method[0])
		return;
	start = prop_begin(out, PROP_EXP(NTR_VENDOR, NTR_SELECTION_METHOD));
	put_pad(out, 4);
	put_string(out, props->selection_method, GROUP_SELECTION_METHOD_LEN);
	put_u64(out, props->selection_param);
	oxm_put_field_array(out, version, &props->fields_mask, props->fields);
	prop_end(out, start);
}
