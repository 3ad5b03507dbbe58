/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/group_mod.h"

#include "ofproto/wire/action.h"
#include "ofproto/wire/group_bucket.h"

void group_mod_init(struct group_mod *gm)
{
	memset(gm, 0, sizeof *gm);
	gm->command_bucket_id = OFP_BUCKET_ALL;
}

void group_mod_uninit(struct group_mod *gm)
{
	struct group_bucket *b;

	VEC_FOR_EACH (b, &gm->buckets)
		group_bucket_uninit(b);
	vec_uninit(&gm->buckets);
}

/* ------------------------------------------------------------------ checks */

static bool command_known(uint16_t command)
{
	switch (command) {
	case OFPGC_ADD:
	case OFPGC_MODIFY:
	case OFPGC_ADD_OR_MOD:
	case OFPGC_DELETE:
	case OFPGC_INSERT_BUCKET:
	case OFPGC_REMOVE_BUCKET:
		return true;
	default:
		return false;
	}
}

static bool watches(const struct group_bucket *b)
{
	return b->watch_port != OFPP_NONE || b->watch_group != OFP_GROUP_ANY;
}

static enum ofp_error bucket_check(const struct group_mod *gm, const struct group_bucket *b)
{
	if (b->weight && gm->type != OFPGT_SELECT && gm->command != OFPGC_INSERT_BUCKET)
		return OFPGMFC_INVALID_GROUP;
	switch (gm->type) {
	case OFPGT_ALL:
	case OFPGT_INDIRECT:
		return watches(b) ? OFPGMFC_WATCH_UNSUPPORTED : OFP_OK;
	case OFPGT_FF:
		return watches(b) ? OFP_OK : OFPGMFC_INVALID_GROUP;
	default:
		return OFP_OK;
	}
}

static enum ofp_error group_mod_check(const struct group_mod *gm)
{
	const struct group_bucket *b;

	if (gm->type > OFPGT_FF)
		return OFPGMFC_BAD_TYPE;
	if (gm->type == OFPGT_INDIRECT && gm->command != OFPGC_DELETE && gm->buckets.n != 1)
		return OFPGMFC_INVALID_GROUP;
	if (!command_known(gm->command))
		return OFPGMFC_BAD_COMMAND;
	if (gm->command == OFPGC_REMOVE_BUCKET && gm->buckets.n)
		return OFPGMFC_BAD_BUCKET;
	VEC_FOR_EACH (b, &gm->buckets) {
		enum ofp_error error = bucket_check(gm, b);

		if (error)
			return error;
	}
	return OFP_OK;
}

enum ofp_error group_mod_check_weights(const struct group_mod *gm)
{
	const struct group_bucket *b;

	if (gm->type != OFPGT_SELECT)
		return OFP_OK;
	VEC_FOR_EACH (b, &gm->buckets)
		if (!b->weight)
			return OFPGMFC_INVALID_GROUP;
	return OFP_OK;
}

/* Which bucket a command is about. */
static bool command_bucket_ok(const struct group_mod *gm)
{
	uint32_t id = gm->command_bucket_id;
	bool one = id <= OFP_BUCKET_MAX || id == OFP_BUCKET_FIRST || id == OFP_BUCKET_LAST;

	switch (gm->command) {
	case OFPGC_REMOVE_BUCKET:
		return one || id == OFP_BUCKET_ALL;
	case OFPGC_INSERT_BUCKET:
		return one;
	default:
		return id == OFP_BUCKET_ALL;
	}
}

/* ------------------------------------------------------------------ group_mod */

static enum ofp_error decode11(struct cursor *c, enum ofp_version version, struct group_mod *gm)
{
	enum ofp_error error;

	gm->command = cursor_u16(c);
	gm->type = cursor_u8(c);
	cursor_skip(c, 1);
	gm->group_id = cursor_u32(c);
	error = buckets_decode11(c, version, gm);
	/* 1.3.5 has an error for buckets in a delete. */
	if (!error && version >= OFP13_VERSION && gm->command == OFPGC_DELETE && gm->buckets.n)
		error = OFPGMFC_INVALID_GROUP;
	return error;
}

static enum ofp_error decode15(struct cursor *c, enum ofp_version version, struct group_mod *gm)
{
	struct cursor buckets;
	uint16_t len;
	enum ofp_error error;

	gm->command = cursor_u16(c);
	gm->type = cursor_u8(c);
	cursor_skip(c, 1);
	gm->group_id = cursor_u32(c);
	len = cursor_u16(c);
	cursor_skip(c, 2);
	gm->command_bucket_id = cursor_u32(c);
	if (!command_bucket_ok(gm))
		return OFPGMFC_BAD_BUCKET;
	if (len > cursor_left(c))
		return OFPBRC_BAD_LEN;
	buckets = cursor_sub(c, len);
	error = buckets_decode15(&buckets, version, gm);
	return error ? error : group_props_decode(c, gm);
}

static bool has_15_layout(enum ofp_version version)
{
	return version == OFP10_VERSION || version >= OFP15_VERSION;
}

enum ofp_error group_mod_decode(const struct msg *msg, struct group_mod *gm)
{
	struct cursor c = msg->body;
	enum ofp_error error;

	group_mod_init(gm);
	error = has_15_layout(msg->version) ? decode15(&c, msg->version, gm)
					    : decode11(&c, msg->version, gm);
	if (!error)
		error = group_mod_check(gm);
	if (error)
		group_mod_uninit(gm);
	return error;
}

void group_mod_encode(const struct group_mod *gm, enum ofp_version version, be32 xid,
	struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_GROUP_MOD, MSG_OFPT, xid);
	bool v15 = has_15_layout(version);
	const struct group_bucket *b;
	size_t len_ofs, buckets;

	put_u16(out, gm->command);
	put_u8(out, gm->type);
	put_pad(out, 1);
	put_u32(out, gm->group_id);
	len_ofs = out->len;
	if (v15) {
		put_pad(out, 4);
		put_u32(out, gm->command_bucket_id);
	}
	buckets = out->len;
	VEC_FOR_EACH (b, &gm->buckets) {
		if (v15)
			bucket_put15(out, version, gm->type, b);
		else
			bucket_put11(out, version, b);
	}
	if (v15) {
		put_u16_at(out, len_ofs, (uint16_t)(out->len - buckets));
		group_props_put(out, version, &gm->props);
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ statistics and description */

enum ofp_error group_request_decode(const struct msg *msg, uint32_t *group_id)
{
	struct cursor c = msg->body;

	*group_id = cursor_left(&c) ? cursor_u32(&c) : OFP_GROUP_ALL;
	return cursor_ok(&c) ? OFP_OK : OFPBRC_BAD_LEN;
}

void group_stats_put(struct mp_reply *mp, const struct group_stats *gs)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_pad(out, 4);
	put_u32(out, gs->group_id);
	put_u32(out, gs->ref_count);
	put_pad(out, 4);
	put_u64(out, gs->packets);
	put_u64(out, gs->bytes);
	if (mp->version == OFP10_VERSION || mp->version >= OFP13_VERSION) {
		put_u32(out, gs->duration_sec);
		put_u32(out, gs->duration_nsec);
	}
	for (size_t i = 0; i < gs->n_buckets; i++) {
		put_u64(out, gs->buckets[i].packets);
		put_u64(out, gs->buckets[i].bytes);
	}
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

void group_desc_put(struct mp_reply *mp, const struct group_desc *gd)
{
	struct sbuf *out = mp->out;
	bool v15 = has_15_layout(mp->version);
	size_t start, buckets;

	mp_entry_begin(mp);
	start = out->len;
	put_u16(out, 0);
	put_u8(out, gd->type);
	put_pad(out, 1);
	put_u32(out, gd->group_id);
	if (v15)
		put_pad(out, 8);
	buckets = out->len;
	for (size_t i = 0; i < gd->n_buckets; i++) {
		if (v15)
			bucket_put15(out, mp->version, gd->type, &gd->buckets[i]);
		else
			bucket_put11(out, mp->version, &gd->buckets[i]);
	}
	if (v15) {
		put_u16_at(out, start + 8, (uint16_t)(out->len - buckets));
		if (gd->props)
			group_props_put(out, mp->version, gd->props);
	}
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

void group_features_encode(const struct group_features *gf, const struct msg *request,
	struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_GROUP_FEATURES_REPLY,
		request->family, request->xid);

	put_u32(out, gf->types);
	put_u32(out, gf->capabilities);
	for (int i = 0; i < 4; i++)
		put_u32(out, gf->max_groups[i]);
	for (int i = 0; i < 4; i++)
		put_u32(out, (uint32_t)gf->actions[i]);
	msg_end(out, start);
}
