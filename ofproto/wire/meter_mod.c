/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/meter_mod.h"

#define BAND_LEN 16

void meter_config_uninit(struct meter_config *mc)
{
	vec_uninit(&mc->bands);
}

void meter_config_clone(struct meter_config *dst, const struct meter_config *src)
{
	*dst = *src;
	vec_init(&dst->bands);
	for (size_t i = 0; i < src->bands.n; i++)
		vec_push(&dst->bands, src->bands.items[i]);
}

void meter_mod_uninit(struct meter_mod *mm)
{
	meter_config_uninit(&mm->meter);
}

static enum ofp_error bands_decode(struct cursor *c, struct meter_config *mc)
{
	while (cursor_left(c) >= BAND_LEN) {
		struct meter_band b = {.type = cursor_u16(c)};

		/* All bands there are have one length. */
		if (cursor_u16(c) != BAND_LEN)
			return OFPBRC_BAD_LEN;
		if (b.type != OFPMBT_DROP && b.type != OFPMBT_DSCP_REMARK)
			return OFPMMFC_BAD_BAND;
		b.rate = cursor_u32(c);
		b.burst = cursor_u32(c);
		b.prec_level = cursor_u8(c);
		if (b.type == OFPMBT_DROP)
			b.prec_level = 0;
		cursor_skip(c, 3);
		vec_push(&mc->bands, b);
	}
	return cursor_left(c) ? OFPBRC_BAD_LEN : OFP_OK;
}

enum ofp_error meter_mod_decode(const struct msg *msg, struct meter_mod *mm)
{
	struct cursor c = msg->body;
	enum ofp_error error;

	memset(mm, 0, sizeof *mm);
	mm->command = cursor_u16(&c);
	mm->meter.flags = cursor_u16(&c);
	mm->meter.meter_id = cursor_u32(&c);
	if (mm->command > OFPMC_DELETE)
		return OFPMMFC_BAD_COMMAND;
	if (mm->command == OFPMC_DELETE) {
		mm->meter.flags = 0;
		return OFP_OK;
	}
	if (mm->meter.flags & OFPMF_KBPS && mm->meter.flags & OFPMF_PKTPS)
		return OFPMMFC_BAD_FLAGS;
	error = bands_decode(&c, &mm->meter);
	if (error)
		meter_mod_uninit(mm);
	return error;
}

static void put_bands(struct sbuf *out, const struct meter_config *mc)
{
	const struct meter_band *b;

	VEC_FOR_EACH (b, &mc->bands) {
		put_u16(out, b->type);
		put_u16(out, BAND_LEN);
		put_u32(out, b->rate);
		put_u32(out, b->burst);
		put_u8(out, b->prec_level);
		put_pad(out, 3);
	}
}

void meter_mod_encode(const struct meter_mod *mm, enum ofp_version version, be32 xid,
	struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_METER_MOD, MSG_OFPT, xid);

	put_u16(out, mm->command);
	put_u16(out, mm->meter.flags);
	put_u32(out, mm->meter.meter_id);
	put_bands(out, &mm->meter);
	msg_end(out, start);
}

enum ofp_error meter_request_decode(const struct msg *msg, uint32_t *meter_id)
{
	struct cursor c = msg->body;

	*meter_id = cursor_u32(&c);
	return cursor_ok(&c) ? OFP_OK : OFPBRC_BAD_LEN;
}

void meter_stats_put(struct mp_reply *mp, const struct meter_counts *mc)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_u32(out, mc->meter_id);
	put_pad(out, 8);
	put_u32(out, mc->flow_count);
	put_u64(out, mc->packets_in);
	put_u64(out, mc->bytes_in);
	put_u32(out, mc->duration_sec);
	put_u32(out, mc->duration_nsec);
	for (size_t i = 0; i < mc->n_bands; i++) {
		put_u64(out, mc->bands[i].packets);
		put_u64(out, mc->bands[i].bytes);
	}
	put_u16_at(out, start + 4, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

void meter_config_put(struct mp_reply *mp, const struct meter_config *mc)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_u16(out, 0);
	put_u16(out, mc->flags);
	put_u32(out, mc->meter_id);
	put_bands(out, mc);
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

void meter_features_encode(const struct meter_features *mf, const struct msg *request,
	struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_METER_FEATURES_REPLY,
		MSG_OFPST, request->xid);

	put_u32(out, mf->max_meters);
	put_u32(out, mf->band_types);
	put_u32(out, mf->capabilities);
	put_u8(out, mf->max_bands);
	put_u8(out, mf->max_color);
	put_pad(out, 2);
	msg_end(out, start);
}
