/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/table.h"

#include "ofproto/wire/action.h"

#define OFPTC11_MISS_MASK 3	/* OpenFlow 1.1 and 1.2: controller 0, continue 1, drop 2. */
#define OFPTC14_EVICTION (1 << 2)
#define OFPTC14_VACANCY_EVENTS (1 << 3)

enum {
	TABLE_PROP_EVICTION = 2,
	TABLE_PROP_VACANCY = 3,
};

static bool has_miss_config(enum ofp_version version)
{
	return version == OFP11_VERSION || version == OFP12_VERSION;
}

/* ------------------------------------------------------------------ table_mod */

static uint8_t miss_decode(uint32_t config)
{
	switch (config & OFPTC11_MISS_MASK) {
	case 1:
		return TABLE_MISS_CONTINUE;
	case 2:
		return TABLE_MISS_DROP;
	default:
		return TABLE_MISS_CONTROLLER;
	}
}

static uint32_t miss_encode(uint8_t miss)
{
	return miss == TABLE_MISS_CONTINUE ? 1 : miss == TABLE_MISS_DROP ? 2 : 0;
}

static enum ofp_error vacancy_decode(struct prop *p, struct table_mod *tm)
{
	uint8_t down = cursor_u8(&p->body), up = cursor_u8(&p->body), now = cursor_u8(&p->body);

	cursor_skip(&p->body, 1);
	if (!cursor_done(&p->body))
		return OFPBPC_BAD_LEN;
	if (down > up || up > 100 || now)
		return OFPBPC_BAD_VALUE;
	tm->vacancy_down = down;
	tm->vacancy_up = up;
	return OFP_OK;
}

static enum ofp_error props_decode(struct cursor *c, struct table_mod *tm)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (error || !more)
			return error;
		if (p.type == TABLE_PROP_EVICTION)
			error = prop_take_u32(&p, &tm->eviction_flags);
		else if (p.type == TABLE_PROP_VACANCY)
			error = vacancy_decode(&p, tm);
		else
			error = OFPBRC_BAD_TYPE;
		if (error)
			return error;
	}
}

/* Those that VERSION defines; the lowest two are OFPTC_DEPRECATED_MASK from 1.3 on. */
static uint32_t config_bits(enum ofp_version version)
{
	return 3 | (version >= OFP14_VERSION ? OFPTC14_EVICTION | OFPTC14_VACANCY_EVENTS : 0);
}

enum ofp_error table_mod_decode(const struct msg *msg, struct table_mod *tm)
{
	struct cursor c = msg->body;
	struct table_mod t = {.eviction = -1, .vacancy = -1, .eviction_flags = UINT32_MAX};
	enum ofp_error error = OFP_OK;
	uint32_t config;

	t.table_id = cursor_u8(&c);
	cursor_skip(&c, 3);
	config = cursor_u32(&c);
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	if (config & ~config_bits(msg->version))
		return OFPTMFC_BAD_CONFIG;
	if (has_miss_config(msg->version))
		t.miss = miss_decode(config);
	if (msg->version >= OFP14_VERSION) {
		t.eviction = !!(config & OFPTC14_EVICTION);
		t.vacancy = !!(config & OFPTC14_VACANCY_EVENTS);
		error = props_decode(&c, &t);
	}
	if (!error)
		*tm = t;
	return error;
}

static uint32_t config_encode14(int eviction, int vacancy)
{
	return (eviction > 0 ? OFPTC14_EVICTION : 0) | (vacancy > 0 ? OFPTC14_VACANCY_EVENTS : 0);
}

static void put_vacancy(struct sbuf *out, uint8_t down, uint8_t up, uint8_t now)
{
	uint8_t body[4] = {down, up, now, 0};

	prop_put_bytes(out, TABLE_PROP_VACANCY, body, sizeof body);
}

void table_mod_encode(const struct table_mod *tm, enum ofp_version version, be32 xid,
	struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_TABLE_MOD, MSG_OFPT, xid);

	put_u8(out, tm->table_id);
	put_pad(out, 3);
	if (version < OFP14_VERSION) {
		put_u32(out, has_miss_config(version) ? miss_encode(tm->miss) : 0);
	} else {
		put_u32(out, config_encode14(tm->eviction, tm->vacancy));
		if (tm->eviction_flags != UINT32_MAX)
			prop_put_u32(out, TABLE_PROP_EVICTION, tm->eviction_flags);
		if (tm->vacancy > 0)
			put_vacancy(out, tm->vacancy_down, tm->vacancy_up, 0);
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ desc, status */

static void put_desc(struct sbuf *out, const struct table_desc *td)
{
	size_t start = out->len;

	put_u16(out, 0);
	put_u8(out, td->table_id);
	put_pad(out, 1);
	put_u32(out, config_encode14(td->eviction, td->vacancy));
	if (td->eviction_flags != UINT32_MAX)
		prop_put_u32(out, TABLE_PROP_EVICTION, td->eviction_flags);
	if (td->vacancy > 0)
		put_vacancy(out, td->vacancy_down, td->vacancy_up, td->vacancy_now);
	put_u16_at(out, start, (uint16_t)(out->len - start));
}

void table_desc_put(struct mp_reply *mp, const struct table_desc *td)
{
	mp_entry_begin(mp);
	put_desc(mp->out, td);
	mp_entry_end(mp);
}

void table_status_encode(const struct table_desc *td, enum ofp_table_reason reason,
	enum ofp_version version, struct sbuf *out)
{
	size_t start;

	if (version < OFP14_VERSION)
		return;
	start = msg_begin(out, version, OFPTYPE_TABLE_STATUS, MSG_OFPT, OFP_NO_XID);
	put_u8(out, (uint8_t)reason);
	put_pad(out, 7);
	put_desc(out, td);
	msg_end(out, start);
}

/* ------------------------------------------------------------------ statistics */

#define OFPFW10_ALL 0x3fffff
#define OFPFMF11_ALL 0xffff
#define INSTS_11 0x3e	/* goto to clear_actions: bit per number. */
#define INST_METER_BIT (1 << 6)
#define INST_GOTO_BIT (1 << 1)

static uint32_t insts_supported(enum ofp_version version, const struct table_features *tf)
{
	uint32_t insts = INSTS_11;

	if (version == OFP13_VERSION || version == OFP14_VERSION)
		insts |= INST_METER_BIT;
	return tf->is_last ? insts & ~(uint32_t)INST_GOTO_BIT : insts;
}

/* Bit per OXM number of the standard fields of 1.2. */
static uint64_t oxm_bits(bool writable)
{
	uint64_t bits = 0;

	for (int id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id((enum field_id)id);

		if (f->oxm_name && f->oxm_header >> 16 == 0x8000 && f->oxm_version &&
			f->oxm_version <= OFP12_VERSION && (!writable || f->writable))
			bits |= UINT64_C(1) << (f->oxm_header >> 9 & 0x7f);
	}
	return bits;
}

static void put_stats12(struct sbuf *out, const struct table_features *tf)
{
	put_u64(out, oxm_bits(false));
	put_u64(out, oxm_bits(false));
	put_u32(out, (uint32_t)acts_supported(OFP12_VERSION, true));
	put_u32(out, (uint32_t)acts_supported(OFP12_VERSION, false));
	put_u64(out, oxm_bits(true));
	put_u64(out, oxm_bits(true));
	put_be64(out, tf->metadata_match);
	put_be64(out, tf->metadata_write);
	put_u32(out, insts_supported(OFP12_VERSION, tf));
	put_u32(out, miss_encode(tf->miss));
	put_u32(out, tf->max_entries);
}

static void put_stats11(struct sbuf *out, const struct table_features *tf)
{
	put_u32(out, OFPFMF11_ALL);
	put_u32(out, OFPFMF11_ALL);
	put_u32(out, insts_supported(OFP11_VERSION, tf));
	put_u32(out, (uint32_t)acts_supported(OFP11_VERSION, true));
	put_u32(out, (uint32_t)acts_supported(OFP11_VERSION, false));
	put_u32(out, miss_encode(tf->miss));
	put_u32(out, tf->max_entries);
}

void table_stats_put(struct mp_reply *mp, const struct table_features *tf,
	const struct table_stats *ts)
{
	struct sbuf *out = mp->out;

	mp_entry_begin(mp);
	put_u8(out, tf->table_id);
	put_pad(out, has_miss_config(mp->version) ? 7 : 3);
	if (mp->version < OFP13_VERSION)
		put_string(out, tf->name, OFP_TABLE_NAME_LEN);
	if (mp->version == OFP10_VERSION) {
		put_u32(out, OFPFW10_ALL);
		put_u32(out, tf->max_entries);
	} else if (mp->version == OFP11_VERSION) {
		put_stats11(out, tf);
	} else if (mp->version == OFP12_VERSION) {
		put_stats12(out, tf);
	}
	put_u32(out, ts->active_count);
	put_u64(out, ts->lookup_count);
	put_u64(out, ts->matched_count);
	mp_entry_end(mp);
}

/* ------------------------------------------------------------------ features */

enum {
	TFP_INSTRUCTIONS = 0,
	TFP_NEXT_TABLES = 2,
	TFP_WRITE_ACTIONS = 4,
	TFP_APPLY_ACTIONS = 6,
	TFP_MATCH = 8,
	TFP_WILDCARDS = 10,
	TFP_WRITE_SETFIELD = 12,
	TFP_APPLY_SETFIELD = 14,
};

#define TFP_REQUIRED                                                                               \
	(1u << TFP_INSTRUCTIONS | 1u << TFP_NEXT_TABLES | 1u << TFP_WRITE_ACTIONS |                \
		1u << TFP_APPLY_ACTIONS | 1u << TFP_MATCH | 1u << TFP_WILDCARDS |                  \
		1u << TFP_WRITE_SETFIELD | 1u << TFP_APPLY_SETFIELD)

/* Numbers as bare 4-byte headers, glued together. */
static void put_ids(struct sbuf *out, uint64_t type, uint64_t bits)
{
	size_t start = prop_begin(out, type);

	for (unsigned int i = 0; i < 64; i++)
		if (bits >> i & 1) {
			put_u16(out, (uint16_t)i);
			put_u16(out, 4);
		}
	prop_end(out, start);
}

enum field_set { MATCHABLE, WILDCARDABLE, WRITABLE };

static bool in_set(const struct field *f, enum field_set set, enum ofp_version version)
{
	if (!oxm_field_in_version(f, version) || f->place == FIELD_PLACE_NONE)
		return false;
	if (f->variable && !oxm_value_len(f))
		return false;
	return set != WRITABLE || f->writable;
}

static void put_fields(struct sbuf *out, uint64_t type, enum field_set set, enum ofp_version version)
{
	size_t start = prop_begin(out, type);

	for (int id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id((enum field_id)id);

		if (in_set(f, set, version))
			oxm_put_header(out, f, version, set == MATCHABLE && f->maskable);
	}
	prop_end(out, start);
}

static void put_next_tables(struct sbuf *out, uint64_t type, const struct table_features *tf)
{
	size_t start = prop_begin(out, type);

	for (unsigned int id = tf->table_id + 1u; !tf->is_last && id < tf->n_tables; id++)
		put_u8(out, (uint8_t)id);
	prop_end(out, start);
}

/* For rules (MISS 0) and for the table-miss rule (1). */
static void put_instruction_features(struct sbuf *out, enum ofp_version version,
	const struct table_features *tf, unsigned int miss)
{
	put_ids(out, TFP_INSTRUCTIONS + miss, insts_supported(version, tf));
	put_next_tables(out, TFP_NEXT_TABLES + miss, tf);
	put_ids(out, TFP_WRITE_ACTIONS + miss, acts_supported(version, true));
	put_fields(out, TFP_WRITE_SETFIELD + miss, WRITABLE, version);
	put_ids(out, TFP_APPLY_ACTIONS + miss, acts_supported(version, false));
	put_fields(out, TFP_APPLY_SETFIELD + miss, WRITABLE, version);
}

void table_features_put(struct mp_reply *mp, const struct table_features *tf)
{
	struct sbuf *out = mp->out;
	uint32_t capabilities = 0;
	size_t start;

	if (mp->version >= OFP14_VERSION)
		capabilities = (tf->eviction >= 0 ? OFPTC14_EVICTION : 0) |
			(tf->vacancy >= 0 ? OFPTC14_VACANCY_EVENTS : 0);
	mp_entry_begin(mp);
	start = out->len;
	put_u16(out, 0);
	put_u8(out, tf->table_id);
	put_pad(out, 5);
	put_string(out, tf->name, OFP_TABLE_NAME_LEN);
	put_be64(out, tf->metadata_match);
	put_be64(out, tf->metadata_write);
	put_u32(out, capabilities);
	put_u32(out, tf->max_entries);
	put_instruction_features(out, mp->version, tf, 0);
	put_instruction_features(out, mp->version, tf, 1);
	put_fields(out, TFP_MATCH, MATCHABLE, mp->version);
	put_fields(out, TFP_WILDCARDS, WILDCARDABLE, mp->version);
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

static enum ofp_error request_props(struct cursor *c, enum ofp_version version,
	struct table_features_request *tfr)
{
	uint32_t seen = 0;

	tfr->has_properties = cursor_left(c) != 0;
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (error)
			return error;
		if (!more)
			break;
		if (p.type > TFP_APPLY_SETFIELD + 1)
			return prop_unknown(p.type);
		if (seen >> p.type & 1)
			return OFPTFFC_BAD_FEATURES;
		seen |= 1u << p.type;
	}
	/* All or, from 1.5 on, nothing. */
	if (TFP_REQUIRED & ~seen && (tfr->has_properties || version < OFP15_VERSION))
		return OFPTFFC_BAD_FEATURES;
	return OFP_OK;
}

enum ofp_error table_features_request_take(const struct msg *msg, struct cursor *c,
	struct table_features_request *tfr, bool *more)
{
	struct table_features_request t = {0};
	struct cursor entry;
	enum ofp_error error;
	const uint8_t *p;
	unsigned int len;

	*more = false;
	if (!cursor_left(c))
		return OFP_OK;
	p = cursor_peek(c, 64);
	if (!p)
		return OFPBPC_BAD_LEN;
	len = (unsigned int)(p[0] << 8 | p[1]);
	if (len < 64 || len % 8 || len > cursor_left(c))
		return OFPBPC_BAD_LEN;
	entry = cursor_sub(c, len);
	cursor_skip(&entry, 2);
	t.table_id = cursor_u8(&entry);
	t.command = cursor_u8(&entry);
	cursor_skip(&entry, 4);
	cursor_bytes(&entry, t.name, sizeof t.name);
	t.name[sizeof t.name - 1] = '\0';
	t.metadata_match = cursor_be64(&entry);
	t.metadata_write = cursor_be64(&entry);
	t.config = cursor_u32(&entry);
	t.max_entries = cursor_u32(&entry);
	if (msg->version < OFP15_VERSION)
		t.command = 0;
	else if (t.command > 3)
		return OFPTFFC_BAD_COMMAND;
	if (t.table_id == OFP_TABLE_ALL)
		return OFPTFFC_BAD_TABLE;
	error = request_props(&entry, msg->version, &t);
	if (error)
		return error;
	*tfr = t;
	*more = true;
	return OFP_OK;
}
