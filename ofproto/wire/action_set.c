/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Actions that change a header or metadata in ways of their own: VLAN, addresses, TTLs, MPLS, PBB,
 * tunnel id, queue. Versions from 1.2 on say many of them as set_field.
 */

#include <netinet/in.h>

#include "lib/headers.h"
#include "ofproto/wire/action_table.h"

#define PUT(IN, TYPE, STRUCT) ((struct STRUCT *)act_put((IN)->b, TYPE, sizeof(struct STRUCT)))
#define AS(STRUCT, ACT) ((const struct STRUCT *)(const void *)(ACT))

static enum ofp_error put_u8_act(struct action_in *in, enum act_type type, uint8_t value)
{
	PUT(in, type, act_u8)->value = value;
	return OFP_OK;
}

static enum ofp_error put_null_act(struct action_in *in, enum act_type type, enum act_raw raw)
{
	PUT(in, type, act)->raw = (uint16_t)raw;
	return OFP_OK;
}

/* ------------------------------------------------------------------ VLAN */

enum ofp_error decode_set_vlan_vid(struct action_in *in)
{
	uint16_t vid = (uint16_t)action_take_arg(in, 2);
	bool v10 = in->layout == L_SET_VLAN_VID10;
	struct act_vlan_vid *a;

	if (vid & ~VLAN_VID_MASK)
		return OFPBAC_BAD_ARGUMENT;
	a = PUT(in, ACT_SET_VLAN_VID, act_vlan_vid);
	a->act.raw = v10 ? ACT_RAW_OF10_SET_VLAN_VID : ACT_RAW_OF11_SET_VLAN_VID;
	a->vid = vid;
	a->push_if_needed = v10;
	return OFP_OK;
}

static void put_push_vlan_if(bool needed, enum ofp_version version, struct sbuf *out)
{
	if (needed && version > OFP10_VERSION)
		action_put_arg(out, version, L_PUSH_VLAN, 2, ETH_T_VLAN_8021Q);
}

void encode_vlan_vid(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_vlan_vid *a = AS(act_vlan_vid, act);

	put_push_vlan_if(a->push_if_needed && !a->flow_has_vlan, version, out);
	if (version == OFP10_VERSION)
		action_put_arg(out, version, L_SET_VLAN_VID10, 2, a->vid);
	else if (version == OFP11_VERSION)
		action_put_arg(out, version, L_SET_VLAN_VID11, 2, a->vid);
	else
		put_set_field_u64(out, version, FIELD_VLAN_VID, a->vid | VLAN_PRESENT);
}

enum ofp_error decode_set_vlan_pcp(struct action_in *in)
{
	uint8_t pcp = (uint8_t)action_take_arg(in, 1);
	bool v10 = in->layout == L_SET_VLAN_PCP10;
	struct act_vlan_pcp *a;

	if (pcp > 7)
		return OFPBAC_BAD_ARGUMENT;
	a = PUT(in, ACT_SET_VLAN_PCP, act_vlan_pcp);
	a->act.raw = v10 ? ACT_RAW_OF10_SET_VLAN_PCP : ACT_RAW_OF11_SET_VLAN_PCP;
	a->pcp = pcp;
	a->push_if_needed = v10;
	return OFP_OK;
}

void encode_vlan_pcp(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_vlan_pcp *a = AS(act_vlan_pcp, act);

	put_push_vlan_if(a->push_if_needed && !a->flow_has_vlan, version, out);
	if (version == OFP10_VERSION)
		action_put_arg(out, version, L_SET_VLAN_PCP10, 1, a->pcp);
	else if (version == OFP11_VERSION)
		action_put_arg(out, version, L_SET_VLAN_PCP11, 1, a->pcp);
	else
		put_set_field_u64(out, version, FIELD_VLAN_PCP, a->pcp);
}

enum ofp_error decode_strip_vlan(struct action_in *in)
{
	return put_null_act(in, ACT_STRIP_VLAN,
		in->layout == L_STRIP_VLAN10 ? ACT_RAW_OF10_STRIP_VLAN : ACT_RAW_OF11_POP_VLAN);
}

void encode_strip_vlan(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	(void)act;
	action_put_void(out, version, version == OFP10_VERSION ? L_STRIP_VLAN10 : L_POP_VLAN11);
}

enum ofp_error decode_push_vlan(struct action_in *in)
{
	uint16_t type = (uint16_t)action_take_arg(in, 2);

	if (type != ETH_T_VLAN_8021Q && type != ETH_T_VLAN_8021AD)
		return OFPBAC_BAD_ARGUMENT;
	PUT(in, ACT_PUSH_VLAN, act_push)->ethertype = htobe16(type);
	return OFP_OK;
}

void encode_push_vlan(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	/* OpenFlow 1.0 can't say it; the action that follows tags the packet there. */
	if (version > OFP10_VERSION)
		action_put_arg(out, version, L_PUSH_VLAN, 2,
			be16toh(AS(act_push, act)->ethertype));
}

/* ------------------------------------------------------------------ addresses, ports, TOS, TTL */

enum ofp_error decode_set_mac(struct action_in *in)
{
	struct act_mac *a = PUT(in,
		in->layout == L_SET_DL_SRC ? ACT_SET_ETH_SRC : ACT_SET_ETH_DST, act_mac);

	cursor_bytes(&in->c, &a->mac, sizeof a->mac);
	return OFP_OK;
}

void encode_mac(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	struct eth_addr mac = AS(act_mac, act)->mac;
	bool src = act->type == ACT_SET_ETH_SRC;
	enum layout layout = src ? L_SET_DL_SRC : L_SET_DL_DST;
	size_t start;

	if (version >= OFP12_VERSION) {
		put_set_field_u64(out, version, src ? FIELD_ETH_SRC : FIELD_ETH_DST,
			eth_addr_to_u64(mac));
		return;
	}
	start = action_begin(out, version, layout);
	sbuf_put(out, mac.b, 6);
	action_end(out, start, version, layout);
}

enum ofp_error decode_set_ipv4(struct action_in *in)
{
	uint32_t addr = (uint32_t)action_take_arg(in, 4);
	bool src = in->layout == L_SET_NW_SRC;

	PUT(in, src ? ACT_SET_IPV4_SRC : ACT_SET_IPV4_DST, act_ipv4)->addr = htobe32(addr);
	return OFP_OK;
}

void encode_ipv4(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint32_t addr = be32toh(AS(act_ipv4, act)->addr);
	bool src = act->type == ACT_SET_IPV4_SRC;

	if (version >= OFP12_VERSION)
		put_set_field_u64(out, version, src ? FIELD_IPV4_SRC : FIELD_IPV4_DST, addr);
	else
		action_put_arg(out, version, src ? L_SET_NW_SRC : L_SET_NW_DST, 4, addr);
}

enum ofp_error decode_set_nw_tos(struct action_in *in)
{
	uint8_t tos = (uint8_t)action_take_arg(in, 1);

	return tos & 3 ? OFPBAC_BAD_ARGUMENT : put_u8_act(in, ACT_SET_IP_DSCP, tos);
}

void encode_ip_dscp(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint8_t tos = AS(act_u8, act)->value;

	if (version >= OFP12_VERSION)
		put_set_field_u64(out, version, FIELD_IP_DSCP_SHIFTED, tos >> 2);
	else
		action_put_arg(out, version, L_SET_NW_TOS, 1, tos);
}

enum ofp_error decode_set_nw_ecn(struct action_in *in)
{
	uint8_t ecn = (uint8_t)action_take_arg(in, 1);

	return ecn > 3 ? OFPBAC_BAD_ARGUMENT : put_u8_act(in, ACT_SET_IP_ECN, ecn);
}

static void put_load_u8(struct sbuf *out, enum ofp_version version, enum field_id id, uint8_t value)
{
	const struct field *f = field_from_id(id);
	struct subfield dst = {.field = f, .n_bits = f->n_bits};

	put_reg_load(out, version, &dst, value);
}

void encode_ip_ecn(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint8_t ecn = AS(act_u8, act)->value;

	if (version == OFP10_VERSION)
		put_load_u8(out, version, FIELD_IP_ECN, ecn);
	else if (version == OFP11_VERSION)
		action_put_arg(out, version, L_SET_NW_ECN, 1, ecn);
	else
		put_set_field_u64(out, version, FIELD_IP_ECN, ecn);
}

enum ofp_error decode_set_nw_ttl(struct action_in *in)
{
	return put_u8_act(in, ACT_SET_IP_TTL, (uint8_t)action_take_arg(in, 1));
}

void encode_ip_ttl(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint8_t ttl = AS(act_u8, act)->value;

	if (version == OFP10_VERSION)
		put_load_u8(out, version, FIELD_IP_TTL, ttl);
	else
		action_put_arg(out, version, L_SET_NW_TTL, 1, ttl);
}

enum ofp_error decode_set_tp(struct action_in *in)
{
	uint16_t port = (uint16_t)action_take_arg(in, 2);
	bool src = in->layout == L_SET_TP_SRC;

	PUT(in, src ? ACT_SET_L4_SRC_PORT : ACT_SET_L4_DST_PORT, act_u16)->value = port;
	return OFP_OK;
}

void encode_l4_port(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_u16 *a = AS(act_u16, act);
	bool src = act->type == ACT_SET_L4_SRC_PORT;
	enum field_id id = FIELD_NONE;

	switch (a->flow_ip_proto) {
	case IPPROTO_TCP:
		id = src ? FIELD_TCP_SRC : FIELD_TCP_DST;
		break;
	case IPPROTO_UDP:
		id = src ? FIELD_UDP_SRC : FIELD_UDP_DST;
		break;
	case IPPROTO_SCTP:
		id = src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
		break;
	default:
		break;
	}
	if (version >= OFP12_VERSION && id != FIELD_NONE)
		put_set_field_u64(out, version, id, a->value);
	else
		action_put_arg(out, version, src ? L_SET_TP_SRC : L_SET_TP_DST, 2, a->value);
}

enum ofp_error decode_dec_ttl(struct action_in *in)
{
	struct act_cnt_ids *a = act_put(in->b, ACT_DEC_TTL, sizeof *a + sizeof a->ids[0]);

	a->n_controllers = 1;
	return OFP_OK;
}

enum ofp_error decode_cnt_ids(struct action_in *in)
{
	uint16_t n = cursor_u16(&in->c);
	struct act_cnt_ids *a;

	if (!cursor_zeros(&in->c, 4))
		return NXBRC_MUST_BE_ZERO;
	if (cursor_left(&in->c) < n * 2u)
		return OFPBAC_BAD_LEN;
	a = act_put(in->b, ACT_DEC_TTL, sizeof *a + n * sizeof a->ids[0]);
	a->act.raw = ACT_RAW_NX_DEC_TTL_CNT_IDS;
	a->n_controllers = n;
	for (int i = 0; i < n; i++)
		a->ids[i] = cursor_u16(&in->c);
	return OFP_OK;
}

void encode_dec_ttl(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_cnt_ids *a = AS(act_cnt_ids, act);
	size_t start;

	if (act->raw != ACT_RAW_NX_DEC_TTL_CNT_IDS && a->n_controllers == 1 && !a->ids[0]) {
		action_put_void(out, version, L_DEC_NW_TTL);
		return;
	}
	start = action_begin(out, version, L_DEC_TTL_CNT_IDS);
	put_u16(out, a->n_controllers);
	put_pad(out, 4);
	for (int i = 0; i < a->n_controllers; i++)
		put_u16(out, a->ids[i]);
	action_end(out, start, version, L_DEC_TTL_CNT_IDS);
}

enum ofp_error decode_copy_ttl(struct action_in *in)
{
	return put_null_act(in, in->layout == L_COPY_TTL_OUT ? ACT_COPY_TTL_OUT : ACT_COPY_TTL_IN,
		ACT_RAW_DEFAULT);
}

void encode_copy_ttl(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	if (version > OFP10_VERSION)
		action_put_void(out, version,
			act->type == ACT_COPY_TTL_OUT ? L_COPY_TTL_OUT : L_COPY_TTL_IN);
}

/* ------------------------------------------------------------------ MPLS and PBB */

enum ofp_error decode_mpls_label(struct action_in *in)
{
	uint32_t label = (uint32_t)action_take_arg(in, 4);

	/* A set-field of later versions could not say it. */
	if (label > 0xfffff)
		return OFPBAC_BAD_ARGUMENT;
	PUT(in, ACT_SET_MPLS_LABEL, act_u32)->value = label;
	return OFP_OK;
}

void encode_mpls_label(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint32_t label = AS(act_u32, act)->value;

	if (version >= OFP12_VERSION)
		put_set_field_u64(out, version, FIELD_MPLS_LABEL, label);
	else
		action_put_arg(out, version, L_SET_MPLS_LABEL, 4, label);
}

enum ofp_error decode_mpls_u8(struct action_in *in)
{
	uint8_t value = (uint8_t)action_take_arg(in, 1);

	if (in->layout != L_SET_MPLS_TC)
		return put_u8_act(in, ACT_SET_MPLS_TTL, value);
	return value > 7 ? OFPBAC_BAD_ARGUMENT : put_u8_act(in, ACT_SET_MPLS_TC, value);
}

void encode_mpls_tc(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	if (version >= OFP12_VERSION)
		put_set_field_u64(out, version, FIELD_MPLS_TC, AS(act_u8, act)->value);
	else
		action_put_arg(out, version, L_SET_MPLS_TC, 1, AS(act_u8, act)->value);
}

void encode_mpls_ttl(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	action_put_arg(out, version, L_SET_MPLS_TTL, 1, AS(act_u8, act)->value);
}

enum ofp_error decode_dec_mpls_ttl(struct action_in *in)
{
	return put_null_act(in, ACT_DEC_MPLS_TTL, ACT_RAW_DEFAULT);
}

void encode_dec_mpls_ttl(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	(void)act;
	action_put_void(out, version, L_DEC_MPLS_TTL);
}

enum ofp_error decode_push_mpls(struct action_in *in)
{
	uint16_t type = (uint16_t)action_take_arg(in, 2);

	if (type != ETH_T_MPLS && type != ETH_T_MPLS_MCAST)
		return OFPBAC_BAD_ARGUMENT;
	PUT(in, ACT_PUSH_MPLS, act_push)->ethertype = htobe16(type);
	return OFP_OK;
}

enum ofp_error decode_pop_mpls(struct action_in *in)
{
	uint16_t type = (uint16_t)action_take_arg(in, 2);

	PUT(in, ACT_POP_MPLS, act_push)->ethertype = htobe16(type);
	return OFP_OK;
}

void encode_push_mpls(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	action_put_arg(out, version, L_PUSH_MPLS, 2, be16toh(AS(act_push, act)->ethertype));
}

void encode_pop_mpls(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	action_put_arg(out, version, L_POP_MPLS, 2, be16toh(AS(act_push, act)->ethertype));
}

enum ofp_error decode_pbb(struct action_in *in)
{
	uint16_t type = (uint16_t)action_take_arg(in, 2);

	if (in->layout == L_POP_PBB)
		return put_null_act(in, ACT_POP_PBB, ACT_RAW_DEFAULT);
	if (type != ETH_T_PBB)
		return OFPBAC_BAD_ARGUMENT;
	PUT(in, ACT_PUSH_PBB, act_push)->ethertype = htobe16(type);
	return OFP_OK;
}

void encode_pbb(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	if (version < OFP13_VERSION)
		return;
	if (act->type == ACT_POP_PBB)
		action_put_void(out, version, L_POP_PBB);
	else
		action_put_arg(out, version, L_PUSH_PBB, 2, be16toh(AS(act_push, act)->ethertype));
}

/* ------------------------------------------------------------------ tunnel, queue */

enum ofp_error decode_set_tunnel(struct action_in *in)
{
	bool wide = in->layout == L_SET_TUNNEL64;
	uint64_t id = action_take_arg(in, wide ? 8 : 4);
	struct act_u64 *a = PUT(in, ACT_SET_TUNNEL, act_u64);

	a->act.raw = wide ? ACT_RAW_NX_SET_TUNNEL64 : ACT_RAW_NX_SET_TUNNEL;
	a->value = id;
	return OFP_OK;
}

void encode_set_tunnel(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	uint64_t id = AS(act_u64, act)->value;

	if (version >= OFP12_VERSION)
		put_set_field_u64(out, version, FIELD_TUN_ID, id);
	else if (id <= UINT32_MAX && act->raw != ACT_RAW_NX_SET_TUNNEL64)
		action_put_arg(out, version, L_SET_TUNNEL, 4, id);
	else
		action_put_arg(out, version, L_SET_TUNNEL64, 8, id);
}

enum ofp_error decode_queue(struct action_in *in)
{
	PUT(in, ACT_SET_QUEUE, act_u32)->value = (uint32_t)action_take_arg(in, 4);
	return OFP_OK;
}

void encode_set_queue(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	action_put_arg(out, version, L_SET_QUEUE, 4, AS(act_u32, act)->value);
}

enum ofp_error decode_pop_queue(struct action_in *in)
{
	return put_null_act(in, ACT_POP_QUEUE, ACT_RAW_DEFAULT);
}

void encode_pop_queue(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	(void)act;
	action_put_void(out, version, L_POP_QUEUE);
}
