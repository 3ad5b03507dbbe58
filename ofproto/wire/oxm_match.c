/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/oxm_entry.h"
#include "ofproto/wire/put.h"

#define NXM_NX_COOKIE 0x00013c00u	/* Class 1, field 30; a pseudo field of requests. */

#define OFPMT_STANDARD 0
#define OFPMT_OXM 1

/* ------------------------------------------------------------------ reading */

static enum ofp_error cookie_take(const struct oxm_entry *e, be64 *cookie, be64 *cookie_mask)
{
	if (*cookie_mask)
		return OFPBMC_DUP_FIELD;
	memcpy(cookie, e->payload, sizeof *cookie);
	*cookie_mask = BE64_MAX;
	if (e->has_mask)
		memcpy(cookie_mask, e->payload + 8, sizeof *cookie_mask);
	return OFP_OK;
}

static bool is_cookie(const struct oxm_entry *e)
{
	return e->header == NXM_NX_COOKIE && e->width == 8 &&
		e->payload_len == (e->has_mask ? 16u : 8u);
}

static enum ofp_error field_take(const struct oxm_entry *e, bool loose, struct match *match)
{
	const struct field *f = e->field;

	if (f->variable && !loose && !oxm_value_len(f))
		return NXFMFC_INVALID_TLV_FIELD;
	if (!oxm_mask_valid(f, &e->mask))
		return OFPBMC_BAD_MASK;
	if (!field_is_value_valid(f, &e->value))
		return OFPBMC_BAD_VALUE;
	if (!loose && !field_prereqs_matched(f, match))
		return OFPBMC_BAD_PREREQ;
	if (!field_is_all_wild(f, &match->mask))
		return OFPBMC_DUP_FIELD;
	field_set_match(f, &e->value, &e->mask, match);
	return OFP_OK;
}

static enum ofp_error tlvs_decode(struct cursor *c, bool loose, struct match *match, be64 *cookie,
	be64 *cookie_mask)
{
	memset(match, 0, sizeof *match);
	if (cookie)
		*cookie = *cookie_mask = 0;
	while (cursor_left(c)) {
		struct oxm_entry e;
		enum ofp_error error = oxm_entry_take(c, &e);

		if (error)
			return error;
		if (cookie && is_cookie(&e))
			error = cookie_take(&e, cookie, cookie_mask);
		else if (e.field && !e.bad_len)
			error = field_take(&e, loose, match);
		else if (!loose)
			error = OFPBMC_BAD_FIELD;
		if (error)
			return error;
	}
	return OFP_OK;
}

enum ofp_error nxm_decode_match(struct cursor *c, bool loose, struct match *match, be64 *cookie,
	be64 *cookie_mask)
{
	return tlvs_decode(c, loose, match, cookie, cookie_mask);
}

enum ofp_error oxm_decode_tlvs(struct cursor *c, bool loose, struct match *match)
{
	return tlvs_decode(c, loose, match, NULL, NULL);
}

enum ofp_error oxm_decode_match(struct cursor *c, enum ofp_version version, bool loose,
	struct match *match)
{
	(void)version;	/* All of them take both. */
	struct cursor whole = *c, tlvs;
	uint16_t type = cursor_u16(c);
	uint16_t len = cursor_u16(c);

	if (!cursor_ok(c))
		return OFPBMC_BAD_LEN;
	if (type == OFPMT_STANDARD) {
		if (len != OFP11_MATCH_LEN || cursor_left(&whole) < len)
			return OFPBMC_BAD_LEN;
		*c = whole;
		return ofp11_decode_match(c, match);
	}
	if (type != OFPMT_OXM)
		return OFPBMC_BAD_TYPE;
	if (len < 4)
		return OFPBMC_BAD_LEN;
	tlvs = cursor_sub(c, len - 4u);
	cursor_skip(c, -(unsigned int)len & 7);
	if (!cursor_ok(c))
		return OFPBMC_BAD_LEN;
	return tlvs_decode(&tlvs, loose, match, NULL, NULL);
}

/* ------------------------------------------------------------------ writing */

#define IN_NXM 1
#define IN_OXM12 2	/* Before 1.5 ... */
#define IN_OXM15 4	/* ... and from it on. */
#define IN_ALL 7
#define LOOSE 8	/* Without asking for its prerequisites. */

/* Open vSwitch's order. */
static const struct order {
	uint16_t first, last;	/* enum field_id */
	uint8_t in;
} order[] = {
#define ONE(ID, IN) {FIELD_##ID, FIELD_##ID, IN}
	ONE(DP_HASH, IN_ALL),
	ONE(RECIRC_ID, IN_ALL),
	ONE(CONJ_ID, IN_ALL),
	ONE(IN_PORT, IN_NXM),
	ONE(IN_PORT_OXM, IN_OXM12 | IN_OXM15),
	ONE(ACTSET_OUTPUT, IN_ALL),
	ONE(ETH_SRC, IN_ALL),
	ONE(ETH_DST, IN_ALL),
	ONE(ETH_TYPE, IN_ALL),
	ONE(VLAN_VID, IN_OXM12 | IN_OXM15),
	ONE(VLAN_PCP, IN_OXM12 | IN_OXM15),
	ONE(VLAN_TCI, IN_NXM),
	ONE(MPLS_TC, IN_ALL),
	ONE(MPLS_BOS, IN_ALL),
	ONE(MPLS_TTL, IN_ALL),
	ONE(MPLS_LABEL, IN_ALL),
	ONE(PBB_ISID, IN_ALL),
	ONE(PBB_UCA, IN_ALL),
	ONE(IPV4_SRC, IN_ALL),
	ONE(IPV4_DST, IN_ALL),
	ONE(IPV6_SRC, IN_ALL),
	ONE(IPV6_DST, IN_ALL),
	ONE(IP_FRAG, IN_ALL),
	ONE(IP_DSCP_SHIFTED, IN_OXM12 | IN_OXM15),
	ONE(IP_DSCP, IN_NXM),
	ONE(IP_ECN, IN_ALL),
	ONE(IP_TTL, IN_ALL),
	ONE(IPV6_LABEL, IN_ALL),
	ONE(IPV6_EXTHDR, IN_ALL),
	ONE(IP_PROTO, IN_ALL),
	ONE(TCP_SRC, IN_ALL),
	ONE(TCP_DST, IN_ALL),
	ONE(TCP_FLAGS, IN_ALL),
	ONE(UDP_SRC, IN_ALL),
	ONE(UDP_DST, IN_ALL),
	ONE(SCTP_SRC, IN_ALL),
	ONE(SCTP_DST, IN_ALL),
	ONE(ICMPV4_TYPE, IN_ALL),
	ONE(ICMPV4_CODE, IN_ALL),
	ONE(ICMPV6_TYPE, IN_ALL),
	ONE(ICMPV6_CODE, IN_ALL),
	ONE(ND_RESERVED, IN_ALL),
	ONE(ND_TARGET, IN_ALL),
	ONE(ND_OPTIONS_TYPE, IN_ALL),
	ONE(ND_SLL, IN_ALL),
	ONE(ND_TLL, IN_ALL),
	ONE(ARP_OP, IN_ALL),
	ONE(ARP_SPA, IN_ALL),
	ONE(ARP_TPA, IN_ALL),
	ONE(ARP_SHA, IN_ALL),
	ONE(ARP_THA, IN_ALL),
	ONE(TUN_ID, IN_ALL),
	ONE(TUN_FLAGS, IN_ALL),
	ONE(TUN_SRC, IN_ALL),
	ONE(TUN_DST, IN_ALL),
	ONE(TUN_IPV6_SRC, IN_ALL),
	ONE(TUN_IPV6_DST, IN_ALL),
	ONE(TUN_GBP_ID, IN_ALL),
	ONE(TUN_GBP_FLAGS, IN_ALL),
	{FIELD_TUN_METADATA0, FIELD_TUN_METADATA63, IN_ALL},
	{FIELD_REG0, FIELD_REG15, IN_NXM | IN_OXM12},
	{FIELD_XREG0, FIELD_XREG7, IN_OXM15},
	ONE(PKT_MARK, IN_ALL),
	ONE(CT_STATE, IN_ALL),
	ONE(CT_ZONE, IN_ALL),
	ONE(CT_MARK, IN_ALL),
	ONE(CT_LABEL, IN_ALL),
	ONE(CT_NW_SRC, IN_ALL | LOOSE),
	ONE(CT_IPV6_SRC, IN_ALL | LOOSE),
	ONE(CT_NW_DST, IN_ALL | LOOSE),
	ONE(CT_IPV6_DST, IN_ALL | LOOSE),
	ONE(CT_NW_PROTO, IN_ALL | LOOSE),
	ONE(CT_TP_SRC, IN_ALL | LOOSE),
	ONE(CT_TP_DST, IN_ALL | LOOSE),
	ONE(METADATA, IN_ALL),
#undef ONE
};

static bool words_zero(const struct flow *mask, size_t ofs, size_t len)
{
	const uint8_t *p = (const uint8_t *)mask + ofs;

	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* The whole of ROW is wild, without looking at each of its fields. */
static bool range_wild(const struct order *row, const struct flow *mask)
{
	switch (row->first) {
	case FIELD_TUN_METADATA0:
		return !mask->tun_metadata.present &&
			words_zero(mask, offsetof(struct flow, tun_metadata.data),
				FLOW_TUN_METADATA_BYTES);
	case FIELD_REG0:
	case FIELD_XREG0:
		return words_zero(mask, offsetof(struct flow, regs), sizeof mask->regs);
	default:
		return false;
	}
}

static void put_field(struct sbuf *out, const struct field *f, const struct match *match,
	enum ofp_version version, bool *ethernet)
{
	union field_value value, mask;
	/* Open vSwitch knows more flags than the one it lets rules match: the mask is always told. */
	bool exact = f->id != FIELD_TUN_FLAGS && field_is_all_exact(f, &match->mask);

	field_get(f, &match->flow, &value);
	if (!exact)
		field_get(f, &match->mask, &mask);
	oxm_put_entry(out, f, version, &value, exact ? NULL : &mask);
	if (f->prereq != FIELD_PRE_NONE)
		*ethernet = true;
}

static void put_packet_type(struct sbuf *out, size_t start, const struct match *match,
	enum ofp_version version)
{
	struct sbuf tail = SBUF_INITIALIZER;
	bool ethernet;

	if (out->len > start)
		sbuf_put(&tail, out->data + start, out->len - start);
	sbuf_truncate(out, start);
	put_field(out, field_from_id(FIELD_PACKET_TYPE), match, version, &ethernet);
	sbuf_put(out, tail.data, tail.len);
	sbuf_uninit(&tail);
}

/* Part of a priority: readers of OXM take no mask there, and the whole of the tag says it. */
static bool vlan_in_one(const struct match *match)
{
	const struct field *pcp = field_from_id(FIELD_VLAN_PCP);

	return !field_is_all_wild(pcp, &match->mask) && !field_is_all_exact(pcp, &match->mask) &&
		field_prereqs_matched(pcp, match);
}

static void put_order(struct sbuf *out, const struct match *match, enum ofp_version version,
	bool *ethernet)
{
	uint8_t in = !version ? IN_NXM : version >= OFP15_VERSION ? IN_OXM15 : IN_OXM12;
	bool tci = vlan_in_one(match);

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		const struct order *row = &order[i];
		uint8_t row_in = row->in;

		if (tci && (row->first == FIELD_VLAN_VID || row->first == FIELD_VLAN_PCP))
			row_in = 0;
		else if (tci && row->first == FIELD_VLAN_TCI)
			row_in = IN_ALL;
		if (!(row_in & in) || range_wild(row, &match->mask))
			continue;
		for (int id = row->first; id <= row->last; id++) {
			const struct field *f = field_from_id((enum field_id)id);

			if (!field_is_all_wild(f, &match->mask) &&
				(row->in & LOOSE || field_prereqs_matched(f, match)))
				put_field(out, f, match, version, ethernet);
		}
	}
}

static size_t put_tlvs(struct sbuf *out, const struct match *match, enum ofp_version version)
{
	size_t start = out->len;
	bool ethernet = false;

	put_order(out, match, version, &ethernet);
	/* That a packet is an Ethernet frame is only said if no other field implies it. */
	if (match->mask.packet_type && (match->flow.packet_type || !ethernet))
		put_packet_type(out, start, match, version);
	return out->len - start;
}

size_t oxm_put_tlvs(struct sbuf *out, const struct match *match, enum ofp_version version)
{
	return put_tlvs(out, match, version);
}

size_t nxm_put_match(struct sbuf *out, const struct match *match, be64 cookie, be64 cookie_mask)
{
	size_t len = put_tlvs(out, match, (enum ofp_version)0);
	bool masked = cookie_mask != BE64_MAX;

	if (!cookie_mask)
		return len;
	put_u32(out, NXM_NX_COOKIE | (masked ? 0x110 : 8));
	put_be64(out, cookie & cookie_mask);
	if (masked)
		put_be64(out, cookie_mask);
	return len + (masked ? 20 : 12);
}

void oxm_put_match(struct sbuf *out, const struct match *match, enum ofp_version version)
{
	size_t start = out->len;

	/* 1.1's own struct if it says all; as Open vSwitch, OXM where it doesn't. */
	if (version < OFP12_VERSION && ofp11_match_fits(match)) {
		ofp11_put_match(out, match);
		return;
	}
	put_u16(out, OFPMT_OXM);
	put_u16(out, 0);
	put_tlvs(out, match, version);
	put_u16_at(out, start + 2, (uint16_t)(out->len - start));
	put_align8(out, start);
}
