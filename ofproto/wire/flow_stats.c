/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/flow_stats.h"

#include "ofproto/wire/action.h"
#include "ofproto/wire/flow_flags.h"
#include "ofproto/wire/oxm.h"
#include "ofproto/wire/oxs.h"

/* ------------------------------------------------------------------ requests */

static enum ofp_error request10(struct cursor *c, struct flow_stats_request *fsr)
{
	enum ofp_error error = ofp10_decode_match(c, &fsr->match);

	fsr->table_id = cursor_u8(c);
	cursor_skip(c, 1);
	ofp_port_from_16(cursor_u16(c), &fsr->out_port);
	fsr->out_group = OFP_GROUP_ANY;
	return error;
}

static enum ofp_error request_nx(struct cursor *c, struct flow_stats_request *fsr)
{
	struct cursor tlvs;
	uint16_t match_len;
	enum ofp_error error;

	ofp_port_from_16(cursor_u16(c), &fsr->out_port);
	match_len = cursor_u16(c);
	fsr->table_id = cursor_u8(c);
	fsr->out_group = OFP_GROUP_ANY;
	cursor_skip(c, 3);
	tlvs = cursor_sub(c, match_len);
	cursor_skip(c, -(unsigned int)match_len & 7);
	if (!cursor_ok(c))
		return OFPBMC_BAD_LEN;
	error = nxm_decode_match(&tlvs, false, &fsr->match, &fsr->cookie, &fsr->cookie_mask);
	return error ? error : cursor_left(c) ? OFPBRC_BAD_LEN : OFP_OK;
}

static enum ofp_error request11(struct cursor *c, enum ofp_version version,
	struct flow_stats_request *fsr)
{
	fsr->table_id = cursor_u8(c);
	cursor_skip(c, 3);
	if (!ofp_port_from_32(cursor_u32(c), &fsr->out_port))
		return OFPBAC_BAD_OUT_PORT;
	fsr->out_group = cursor_u32(c);
	cursor_skip(c, 4);
	fsr->cookie = cursor_be64(c);
	fsr->cookie_mask = cursor_be64(c);
	return oxm_decode_match(c, version, false, &fsr->match);
}

enum ofp_error flow_stats_request_decode(const struct msg *msg, struct flow_stats_request *fsr)
{
	struct cursor c = msg->body;
	struct flow_stats_request f = {.aggregate = msg->type == OFPTYPE_AGGREGATE_REQUEST};
	enum ofp_error error;

	if (msg->family == MSG_NXST)
		error = request_nx(&c, &f);
	else if (msg->version == OFP10_VERSION)
		error = request10(&c, &f);
	else
		error = request11(&c, msg->version, &f);
	if (!error && !cursor_ok(&c))
		error = OFPBRC_BAD_LEN;
	if (!error)
		*fsr = f;
	return error;
}

void flow_stats_request_encode(const struct flow_stats_request *fsr, const struct flow_format *format,
	be32 xid, struct sbuf *out)
{
	enum ofp_type type = fsr->aggregate ? OFPTYPE_AGGREGATE_REQUEST : OFPTYPE_FLOW_STATS_REQUEST;
	bool v10 = format->version == OFP10_VERSION;
	bool nxm = v10 && format->nxm;
	size_t start = msg_begin(out, format->version, type, nxm ? MSG_NXST : MSG_OFPST, xid);
	size_t match_len, match_len_ofs;

	if (nxm) {
		put_u16(out, ofp_port_to_16(fsr->out_port));
		match_len_ofs = out->len;
		put_u16(out, 0);
		put_u8(out, fsr->table_id);
		put_pad(out, 3);
		match_len = nxm_put_match(out, &fsr->match, fsr->cookie, fsr->cookie_mask);
		put_pad(out, -match_len & 7);
		put_u16_at(out, match_len_ofs, (uint16_t)match_len);
	} else if (v10) {
		ofp10_put_match(out, &fsr->match);
		put_u8(out, fsr->table_id);
		put_pad(out, 1);
		put_u16(out, ofp_port_to_16(fsr->out_port));
	} else {
		put_u8(out, fsr->table_id);
		put_pad(out, 3);
		put_u32(out, fsr->out_port);
		put_u32(out, fsr->out_group);
		put_pad(out, 4);
		put_be64(out, fsr->cookie);
		put_be64(out, fsr->cookie_mask);
		oxm_put_match(out, &fsr->match, format->version);
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ flow entries out */

static uint64_t known(uint64_t counter)
{
	return counter == OFP_COUNTER_UNKNOWN ? 0 : counter;
}

static void put10(struct sbuf *out, const struct flow_stats *fs)
{
	put_u8(out, fs->table_id);
	put_pad(out, 1);
	ofp10_put_match(out, fs->match);
	put_u32(out, fs->duration_sec);
	put_u32(out, fs->duration_nsec);
	put_u16(out, fs->priority);
	put_u16(out, fs->idle_timeout);
	put_u16(out, fs->hard_timeout);
	put_pad(out, 6);
	put_be64(out, fs->cookie);
	put_u64(out, known(fs->packets));
	put_u64(out, known(fs->bytes));
}

/* Ages travel plus one; 0 is unknown. */
static uint16_t age_encode(int age)
{
	return age < 0 ? 0 : age < UINT16_MAX ? (uint16_t)(age + 1) : UINT16_MAX;
}

static void put_nx(struct sbuf *out, const struct flow_stats *fs)
{
	size_t match_len, match_len_ofs;

	put_u8(out, fs->table_id);
	put_pad(out, 1);
	put_u32(out, fs->duration_sec);
	put_u32(out, fs->duration_nsec);
	put_u16(out, fs->priority);
	put_u16(out, fs->idle_timeout);
	put_u16(out, fs->hard_timeout);
	match_len_ofs = out->len;
	put_u16(out, 0);
	put_u16(out, age_encode(fs->idle_age));
	put_u16(out, age_encode(fs->hard_age));
	put_be64(out, fs->cookie);
	put_u64(out, fs->packets);
	put_u64(out, fs->bytes);
	match_len = nxm_put_match(out, fs->match, 0, 0);
	put_pad(out, -match_len & 7);
	put_u16_at(out, match_len_ofs, (uint16_t)match_len);
}

static void put11(struct sbuf *out, enum ofp_version version, const struct flow_stats *fs)
{
	put_u8(out, fs->table_id);
	put_pad(out, 1);
	put_u32(out, fs->duration_sec);
	put_u32(out, fs->duration_nsec);
	put_u16(out, fs->priority);
	put_u16(out, fs->idle_timeout);
	put_u16(out, fs->hard_timeout);
	put_u16(out, version >= OFP13_VERSION ? flow_flags_encode(fs->flags, version) : 0);
	put_u16(out, version >= OFP14_VERSION ? fs->importance : 0);
	put_pad(out, 2);
	put_be64(out, fs->cookie);
	put_u64(out, known(fs->packets));
	put_u64(out, known(fs->bytes));
	oxm_put_match(out, fs->match, version);
}

static void put15(struct sbuf *out, const struct flow_stats *fs)
{
	struct oxs oxs = OXS_NONE;

	put_pad(out, 2);
	put_u8(out, fs->table_id);
	put_pad(out, 1);
	put_u16(out, fs->priority);
	put_u16(out, fs->idle_timeout);
	put_u16(out, fs->hard_timeout);
	put_u16(out, flow_flags_encode(fs->flags, OFP15_VERSION));
	put_u16(out, fs->importance);
	put_be64(out, fs->cookie);
	oxm_put_match(out, fs->match, OFP15_VERSION);
	oxs.duration_sec = fs->duration_sec;
	oxs.duration_nsec = fs->duration_nsec;
	if (fs->idle_age >= 0)
		oxs.idle_age = (uint32_t)fs->idle_age;
	oxs.packets = fs->packets;
	oxs.bytes = fs->bytes;
	oxs_put(out, &oxs);
}

void flow_stats_put(struct mp_reply *mp, const struct flow_stats *fs)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_u16(out, 0);
	if (mp->family == MSG_NXST)
		put_nx(out, fs);
	else if (mp->version == OFP10_VERSION)
		put10(out, fs);
	else if (mp->version < OFP15_VERSION)
		put11(out, mp->version, fs);
	else
		put15(out, fs);
	flow_acts_encode(fs->acts, fs->acts_len, mp->version, out);
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

/* ------------------------------------------------------------------ flow entries in */

static enum ofp_error take10(struct cursor *c, struct flow_stats *fs, struct match *match)
{
	enum ofp_error error;

	fs->table_id = cursor_u8(c);
	cursor_skip(c, 1);
	error = ofp10_decode_match(c, match);
	fs->duration_sec = cursor_u32(c);
	fs->duration_nsec = cursor_u32(c);
	fs->priority = cursor_u16(c);
	fs->idle_timeout = cursor_u16(c);
	fs->hard_timeout = cursor_u16(c);
	cursor_skip(c, 6);
	fs->cookie = cursor_be64(c);
	fs->packets = cursor_u64(c);
	fs->bytes = cursor_u64(c);
	return error;
}

static enum ofp_error take_nx(struct cursor *c, struct flow_stats *fs, struct match *match)
{
	struct cursor tlvs;
	uint16_t match_len;

	fs->table_id = cursor_u8(c);
	cursor_skip(c, 1);
	fs->duration_sec = cursor_u32(c);
	fs->duration_nsec = cursor_u32(c);
	fs->priority = cursor_u16(c);
	fs->idle_timeout = cursor_u16(c);
	fs->hard_timeout = cursor_u16(c);
	match_len = cursor_u16(c);
	fs->idle_age = cursor_u16(c) - 1;
	fs->hard_age = cursor_u16(c) - 1;
	fs->cookie = cursor_be64(c);
	fs->packets = cursor_u64(c);
	fs->bytes = cursor_u64(c);
	tlvs = cursor_sub(c, match_len);
	cursor_skip(c, -(unsigned int)match_len & 7);
	return cursor_ok(c) ? nxm_decode_match(&tlvs, false, match, NULL, NULL) : OFPBMC_BAD_LEN;
}

static enum ofp_error take11(struct cursor *c, enum ofp_version version, struct flow_stats *fs,
	struct match *match)
{
	uint16_t flags;

	fs->table_id = cursor_u8(c);
	cursor_skip(c, 1);
	fs->duration_sec = cursor_u32(c);
	fs->duration_nsec = cursor_u32(c);
	fs->priority = cursor_u16(c);
	fs->idle_timeout = cursor_u16(c);
	fs->hard_timeout = cursor_u16(c);
	flags = cursor_u16(c);
	fs->importance = cursor_u16(c);
	cursor_skip(c, 2);
	fs->cookie = cursor_be64(c);
	fs->packets = cursor_u64(c);
	fs->bytes = cursor_u64(c);
	if (version >= OFP13_VERSION) {
		enum ofp_error error = flow_flags_decode(flags, version, &fs->flags);

		if (error)
			return error;
	}
	return oxm_decode_match(c, version, false, match);
}

static enum ofp_error take15(struct cursor *c, struct flow_stats *fs, struct match *match)
{
	enum ofp_error error;
	struct oxs oxs;

	cursor_skip(c, 2);
	fs->table_id = cursor_u8(c);
	cursor_skip(c, 1);
	fs->priority = cursor_u16(c);
	fs->idle_timeout = cursor_u16(c);
	fs->hard_timeout = cursor_u16(c);
	error = flow_flags_decode(cursor_u16(c), OFP15_VERSION, &fs->flags);
	fs->importance = cursor_u16(c);
	fs->cookie = cursor_be64(c);
	if (!error)
		error = oxm_decode_match(c, OFP15_VERSION, false, match);
	if (!error)
		error = oxs_take(c, &oxs);
	if (error)
		return error;
	fs->duration_sec = oxs.duration_sec;
	fs->duration_nsec = oxs.duration_nsec;
	fs->idle_age = oxs.idle_age == UINT32_MAX ? -1 : (int)oxs.idle_age;
	fs->packets = oxs.packets;
	fs->bytes = oxs.bytes;
	return OFP_OK;
}

enum ofp_error flow_stats_take(const struct msg *msg, struct cursor *c, struct flow_stats *fs,
	struct match *match, struct act_builder *acts, bool *more)
{
	struct flow_stats f = {.match = match, .idle_age = -1, .hard_age = -1};
	struct cursor entry;
	enum ofp_error error;
	uint16_t len;

	*more = false;
	if (!cursor_left(c))
		return OFP_OK;
	len = cursor_u16(c);
	if (!cursor_ok(c) || len < 2 || len - 2u > cursor_left(c))
		return OFPBRC_BAD_LEN;
	entry = cursor_sub(c, len - 2u);
	if (msg->family == MSG_NXST)
		error = take_nx(&entry, &f, match);
	else if (msg->version == OFP10_VERSION)
		error = take10(&entry, &f, match);
	else if (msg->version < OFP15_VERSION)
		error = take11(&entry, msg->version, &f, match);
	else
		error = take15(&entry, &f, match);
	if (!error && !cursor_ok(&entry))
		error = OFPBRC_BAD_LEN;
	sbuf_clear(&acts->buf);
	if (!error)
		error = flow_acts_decode(&entry, msg->version, acts);
	if (error)
		return error;
	f.acts = (const struct act *)(const void *)acts->buf.data;
	f.acts_len = acts->buf.len;
	*fs = f;
	*more = true;
	return OFP_OK;
}

/* ------------------------------------------------------------------ aggregate */

void aggregate_stats_encode(const struct aggregate_stats *as, const struct msg *request,
	struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_AGGREGATE_REPLY, request->family,
		request->xid);
	bool v10 = request->version == OFP10_VERSION && request->family == MSG_OFPST;

	if (request->version >= OFP15_VERSION) {
		struct oxs oxs = OXS_NONE;

		oxs.packets = as->packets;
		oxs.bytes = as->bytes;
		oxs.n_flows = as->n_flows;
		oxs_put(out, &oxs);
	} else {
		put_u64(out, v10 ? known(as->packets) : as->packets);
		put_u64(out, v10 ? known(as->bytes) : as->bytes);
		put_u32(out, as->n_flows);
		put_pad(out, 4);
	}
	msg_end(out, start);
}

enum ofp_error aggregate_stats_decode(const struct msg *msg, struct aggregate_stats *as)
{
	struct cursor c = msg->body;
	struct aggregate_stats a;

	if (msg->version >= OFP15_VERSION) {
		struct oxs oxs;
		enum ofp_error error = oxs_take(&c, &oxs);

		if (error)
			return error;
		a = (struct aggregate_stats){oxs.packets, oxs.bytes, oxs.n_flows};
	} else {
		a.packets = cursor_u64(&c);
		a.bytes = cursor_u64(&c);
		a.n_flows = cursor_u32(&c);
	}
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	*as = a;
	return OFP_OK;
}
