/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/flow_mod.h"

#include "lib/headers.h"
#include "ofproto/wire/action.h"
#include "ofproto/wire/flow_flags.h"
#include "ofproto/wire/oxm.h"

#define FW10_ALL ((1 << 22) - 1)

void flow_mod_init(struct flow_mod *fm)
{
	memset(fm, 0, sizeof *fm);
	fm->priority = OFP_DEFAULT_PRIORITY;
	fm->buffer_id = OFP_NO_BUFFER;
	fm->out_port = OFPP_NONE;
	fm->out_group = OFP_GROUP_ANY;
	act_builder_init(&fm->acts);
}

void flow_mod_uninit(struct flow_mod *fm)
{
	act_builder_uninit(&fm->acts);
}

/* ------------------------------------------------------------------ flags */

#define FF10_EMERG (1 << 2)

enum ofp_error flow_flags_decode(uint16_t wire, enum ofp_version version, uint16_t *flags)
{
	uint16_t known = OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP;

	if (version >= OFP12_VERSION)
		known |= OFPFF_RESET_COUNTS;
	if (version >= OFP13_VERSION)
		known |= OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS;
	if (wire & ~known)
		return OFPFMFC_BAD_FLAGS;
	*flags = wire;
	return OFP_OK;
}

uint16_t flow_flags_encode(uint16_t flags, enum ofp_version version)
{
	uint16_t known = OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP;

	if (version >= OFP12_VERSION)
		known |= OFPFF_RESET_COUNTS;
	if (version >= OFP13_VERSION)
		known |= OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS;
	return flags & known;
}

/* There is no emergency flow table; 1.0 has an error only for timeouts in it. */
static enum ofp_error emergency(const struct flow_mod *fm)
{
	return fm->idle_timeout || fm->hard_timeout ? OFPFMFC_BAD_EMERG_TIMEOUT : OFPFMFC_TABLE_FULL;
}

static enum ofp_error flags_decode(uint16_t wire, enum ofp_version version, struct flow_mod *fm)
{
	bool emerg = version == OFP10_VERSION && wire & FF10_EMERG;
	enum ofp_error error = flow_flags_decode(emerg ? wire & ~FF10_EMERG : wire, version,
		&fm->flags);

	if (!error && emerg)
		return emergency(fm);
	/* Up to 1.1 an add always resets the counters, and nothing else does. */
	if (version <= OFP11_VERSION && fm->command == OFPFC_ADD)
		fm->flags |= OFPFF_RESET_COUNTS;
	return error;
}

/* ------------------------------------------------------------------ reading */

static void command_decode(struct flow_mod *fm, uint16_t command, const struct flow_format *format)
{
	fm->modify_cookie = fm->new_cookie != BE64_MAX;
	fm->command = format->table_id ? command & 0xff : command;
	fm->table_id = format->table_id ? (uint8_t)(command >> 8) : OFP_TABLE_ALL;
}

static enum ofp_error mod10_decode(struct cursor *c, const struct flow_format *format,
	struct flow_mod *fm, uint16_t *flags)
{
	struct cursor peek = *c;
	uint32_t wildcards = cursor_u32(&peek);
	enum ofp_error error = ofp10_decode_match(c, &fm->match);
	uint16_t command;

	if (error)
		return error;
	fm->new_cookie = cursor_be64(c);
	command = cursor_u16(c);
	fm->idle_timeout = cursor_u16(c);
	fm->hard_timeout = cursor_u16(c);
	fm->priority = cursor_u16(c);
	/* Rules without wildcards are above all others in OpenFlow 1.0. */
	if (!(wildcards & FW10_ALL))
		fm->priority = UINT16_MAX;
	fm->buffer_id = cursor_u32(c);
	ofp_port_from_16(cursor_u16(c), &fm->out_port);
	*flags = cursor_u16(c);
	command_decode(fm, command, format);
	return OFP_OK;
}

/* An NXM match of LEN bytes with its padding. */
static enum ofp_error nxm_take(struct cursor *c, uint16_t len, struct match *match, be64 *cookie,
	be64 *cookie_mask)
{
	struct cursor tlvs = cursor_sub(c, len);

	cursor_skip(c, -(unsigned int)len & 7);
	return cursor_ok(c) ? nxm_decode_match(&tlvs, false, match, cookie, cookie_mask)
			    : OFPBMC_BAD_LEN;
}

static enum ofp_error nx_mod_decode(struct cursor *c, const struct flow_format *format,
	struct flow_mod *fm, uint16_t *flags)
{
	uint16_t command, match_len;
	enum ofp_error error;

	fm->new_cookie = cursor_be64(c);
	command = cursor_u16(c);
	fm->idle_timeout = cursor_u16(c);
	fm->hard_timeout = cursor_u16(c);
	fm->priority = cursor_u16(c);
	fm->buffer_id = cursor_u32(c);
	ofp_port_from_16(cursor_u16(c), &fm->out_port);
	*flags = cursor_u16(c);
	match_len = cursor_u16(c);
	cursor_skip(c, 6);
	error = nxm_take(c, match_len, &fm->match, &fm->cookie, &fm->cookie_mask);
	if (error)
		return error;
	/* An add may give a cookie, not ask for one. */
	if ((command & 0xff) == OFPFC_ADD && fm->cookie_mask)
		return NXBRC_NXM_INVALID;
	command_decode(fm, command, format);
	return OFP_OK;
}

static bool is_delete(const struct flow_mod *fm)
{
	return fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
}

static void cookie11_decode(struct flow_mod *fm, enum ofp_version version, be64 cookie, be64 mask)
{
	bool modify = fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;

	/* In 1.1 a modify that asks for no cookie adds the rule if there is none. */
	if (fm->command == OFPFC_ADD || (version == OFP11_VERSION && modify && !mask)) {
		fm->new_cookie = cookie;
	} else {
		fm->cookie = cookie;
		fm->cookie_mask = mask;
		fm->new_cookie = BE64_MAX;
	}
}

static enum ofp_error mod11_decode(struct cursor *c, enum ofp_version version, struct flow_mod *fm,
	uint16_t *flags)
{
	be64 cookie = cursor_be64(c), mask = cursor_be64(c);
	uint32_t out_port, out_group;
	uint16_t importance;
	enum ofp_error error;

	fm->table_id = cursor_u8(c);
	fm->command = cursor_u8(c);
	fm->idle_timeout = cursor_u16(c);
	fm->hard_timeout = cursor_u16(c);
	fm->priority = cursor_u16(c);
	fm->buffer_id = cursor_u32(c);
	out_port = cursor_u32(c);
	out_group = cursor_u32(c);
	*flags = cursor_u16(c);
	importance = cursor_u16(c);
	error = oxm_decode_match(c, version, false, &fm->match);
	if (error)
		return error;

	cookie11_decode(fm, version, cookie, mask);
	if (fm->table_id == OFP_TABLE_ALL && (version == OFP11_VERSION || !is_delete(fm)))
		return OFPFMFC_BAD_TABLE_ID;
	if (version >= OFP14_VERSION && fm->command == OFPFC_ADD)
		fm->importance = importance;
	if (is_delete(fm))
		fm->out_group = out_group;
	return ofp_port_from_32(out_port, &fm->out_port) ? OFP_OK : OFPBAC_BAD_OUT_PORT;
}

/* The original direction's addresses must be of the family that the match is about. */
static bool ct_addresses_fit(const struct match *match)
{
	const struct flow *mask = &match->mask;
	bool v4 = mask->ct_nw_src || mask->ct_nw_dst;
	bool v6 = mask->ct_ipv6_src.w64[0] || mask->ct_ipv6_src.w64[1] ||
		mask->ct_ipv6_dst.w64[0] || mask->ct_ipv6_dst.w64[1];

	return (!v4 || match->flow.dl_type == htobe16(ETH_T_IP)) &&
		(!v6 || match->flow.dl_type == htobe16(ETH_T_IPV6));
}

static enum ofp_error rest_decode(struct cursor *c, const struct msg *msg, uint16_t flags,
	struct flow_mod *fm)
{
	struct act_check check = {.match = &fm->match, .table_id = fm->table_id,
		.n_tables = OFP_N_TABLES, .consistent = msg->version != OFP10_VERSION};
	enum ofp_error error;

	if (!ct_addresses_fit(&fm->match))
		return OFPBAC_MATCH_INCONSISTENT;
	if (fm->command > OFPFC_DELETE_STRICT)
		return OFPFMFC_BAD_COMMAND;
	error = flow_acts_decode(c, msg->version, &fm->acts);
	if (!error)
		error = flags_decode(flags, msg->version, fm);
	return error ? error : act_check(flow_mod_acts(fm), flow_mod_acts_len(fm), &check);
}

enum ofp_error flow_mod_decode(const struct msg *msg, const struct flow_format *format,
	struct flow_mod *fm)
{
	struct cursor c = msg->body;
	enum ofp_error error;
	uint16_t flags = 0;

	flow_mod_init(fm);
	if (msg->family == MSG_NXT)
		error = nx_mod_decode(&c, format, fm, &flags);
	else if (msg->version == OFP10_VERSION)
		error = mod10_decode(&c, format, fm, &flags);
	else
		error = mod11_decode(&c, msg->version, fm, &flags);
	if (!error)
		error = rest_decode(&c, msg, flags, fm);
	if (error)
		flow_mod_uninit(fm);
	return error;
}

/* ------------------------------------------------------------------ writing */

static uint16_t command_encode(const struct flow_mod *fm, const struct flow_format *format)
{
	return format->table_id ? (uint16_t)(fm->table_id << 8 | fm->command) : fm->command;
}

static void mod10_encode(const struct flow_mod *fm, const struct flow_format *format,
	struct sbuf *out)
{
	ofp10_put_match(out, &fm->match);
	put_be64(out, fm->new_cookie);
	put_u16(out, command_encode(fm, format));
	put_u16(out, fm->idle_timeout);
	put_u16(out, fm->hard_timeout);
	put_u16(out, fm->priority);
	put_u32(out, fm->buffer_id);
	put_u16(out, ofp_port_to_16(fm->out_port));
	put_u16(out, flow_flags_encode(fm->flags, OFP10_VERSION));
}

static void nx_mod_encode(const struct flow_mod *fm, const struct flow_format *format,
	struct sbuf *out)
{
	size_t match_len_ofs, match_len;

	put_be64(out, fm->new_cookie);
	put_u16(out, command_encode(fm, format));
	put_u16(out, fm->idle_timeout);
	put_u16(out, fm->hard_timeout);
	put_u16(out, fm->priority);
	put_u32(out, fm->buffer_id);
	put_u16(out, ofp_port_to_16(fm->out_port));
	put_u16(out, flow_flags_encode(fm->flags, OFP10_VERSION));
	match_len_ofs = out->len;
	put_pad(out, 8);
	match_len = nxm_put_match(out, &fm->match, fm->cookie, fm->cookie_mask);
	put_pad(out, -match_len & 7);
	put_u16_at(out, match_len_ofs, (uint16_t)match_len);
}

static void mod11_encode(const struct flow_mod *fm, enum ofp_version version, struct sbuf *out)
{
	bool modify = fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;
	bool new_cookie = fm->command == OFPFC_ADD ||
		(version == OFP11_VERSION && modify && !fm->cookie_mask);
	bool all_tables = fm->table_id == OFP_TABLE_ALL &&
		(version == OFP11_VERSION || !is_delete(fm));

	put_be64(out, new_cookie ? fm->new_cookie : fm->cookie & fm->cookie_mask);
	put_be64(out, fm->cookie_mask);
	put_u8(out, all_tables ? 0 : fm->table_id);
	put_u8(out, (uint8_t)fm->command);
	put_u16(out, fm->idle_timeout);
	put_u16(out, fm->hard_timeout);
	put_u16(out, fm->priority);
	put_u32(out, fm->buffer_id);
	put_u32(out, fm->out_port);
	put_u32(out, fm->out_group);
	put_u16(out, flow_flags_encode(fm->flags, version));
	put_u16(out, version >= OFP14_VERSION && fm->command == OFPFC_ADD ? fm->importance : 0);
	oxm_put_match(out, &fm->match, version);
}

void flow_mod_encode(const struct flow_mod *fm, const struct flow_format *format, be32 xid,
	struct sbuf *out)
{
	bool v10 = format->version == OFP10_VERSION;
	bool nxm = v10 && (format->nxm || fm->cookie_mask || !ofp10_match_fits(&fm->match));
	size_t start = msg_begin(out, format->version, OFPTYPE_FLOW_MOD, nxm ? MSG_NXT : MSG_OFPT,
		xid);

	if (nxm)
		nx_mod_encode(fm, format, out);
	else if (v10)
		mod10_encode(fm, format, out);
	else
		mod11_encode(fm, format->version, out);
	flow_acts_encode(flow_mod_acts(fm), flow_mod_acts_len(fm), format->version, out);
	msg_end(out, start);
}
