/* SPDX-License-Identifier: Apache-2.0 */

/* Choices by hash of the flow: multipath and bundle. Every bit hashed is in the mask. */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

static bool flow_has_l4_ports(const struct flow *flow, bool with_udp)
{
	return !(flow->nw_frag & (FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER)) &&
		(flow->nw_proto == IP_P_TCP || flow->nw_proto == IP_P_SCTP ||
			(with_udp && flow->nw_proto == IP_P_UDP));
}

static uint32_t hash_symmetric_l3(const struct flow *flow, uint32_t hash)
{
	hash = hash_add(hash, flow->dl_type);
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		hash = hash_add(hash, flow->nw_src ^ flow->nw_dst);
	} else if (flow->dl_type == htobe16(ETH_T_IPV6)) {
		hash = hash_add64(hash, flow->ipv6_src.w64[0] ^ flow->ipv6_dst.w64[0]);
		hash = hash_add64(hash, flow->ipv6_src.w64[1] ^ flow->ipv6_dst.w64[1]);
	}
	return hash;
}

static uint32_t hash_symmetric_l2(const struct flow *flow, uint32_t hash)
{
	be16 vids = 0;

	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		vids ^= flow->vlans[i].tci & htobe16(VLAN_VID_MASK);
	hash = hash_add(hash, (uint32_t)flow->dl_type << 16 | vids);
	return hash_add64(hash, eth_addr_to_u64(flow->dl_src) ^ eth_addr_to_u64(flow->dl_dst));
}

static uint32_t hash_symmetric_l3l4(const struct flow *flow, uint32_t hash, bool with_udp)
{
	if (!xlate_is_ip(flow))
		return hash_symmetric_l2(flow, hash);
	hash = hash_add(hash_symmetric_l3(flow, hash), flow->nw_proto);
	if (flow_has_l4_ports(flow, with_udp))
		hash = hash_add(hash, flow->tp_src ^ flow->tp_dst);
	return hash;
}

static uint32_t hash_address(const struct flow *flow, be32 ipv4, const struct ipv6_addr *ipv6,
	uint32_t hash)
{
	if (flow->dl_type == htobe16(ETH_T_IP))
		return hash_add(hash, ipv4);
	if (flow->dl_type == htobe16(ETH_T_IPV6))
		return hash_add64(hash_add64(hash, ipv6->w64[0]), ipv6->w64[1]);
	return hash;
}

uint32_t xlate_hash_fields(const struct flow *flow, enum act_hash_fields fields, uint16_t basis)
{
	switch (fields) {
	case ACT_HASH_ETH_SRC:
		return hash_add64(basis, eth_addr_to_u64(flow->dl_src));
	case ACT_HASH_SYMMETRIC_L4:
		return flow_hash_symmetric_l4(flow, basis);
	case ACT_HASH_SYMMETRIC_L3L4:
		return hash_symmetric_l3l4(flow, basis, false);
	case ACT_HASH_SYMMETRIC_L3L4_UDP:
		return hash_symmetric_l3l4(flow, basis, true);
	case ACT_HASH_NW_SRC:
		return hash_address(flow, flow->nw_src, &flow->ipv6_src, basis);
	case ACT_HASH_NW_DST:
		return hash_address(flow, flow->nw_dst, &flow->ipv6_dst, basis);
	case ACT_HASH_SYMMETRIC_L3:
		return hash_symmetric_l3(flow, basis);
	}
	return basis;
}

static void mask_l3(const struct flow *flow, struct flow *wc, bool src, bool dst)
{
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		wc->nw_src |= src ? BE32_MAX : 0;
		wc->nw_dst |= dst ? BE32_MAX : 0;
	} else if (flow->dl_type == htobe16(ETH_T_IPV6)) {
		if (src)
			memset(&wc->ipv6_src, 0xff, sizeof wc->ipv6_src);
		if (dst)
			memset(&wc->ipv6_dst, 0xff, sizeof wc->ipv6_dst);
	}
}

static void mask_l2(struct flow *wc)
{
	memset(&wc->dl_src, 0xff, sizeof wc->dl_src);
	memset(&wc->dl_dst, 0xff, sizeof wc->dl_dst);
	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		wc->vlans[i].tci |= htobe16(VLAN_VID_MASK | VLAN_PRESENT);
}

static void mask_l3l4(const struct flow *flow, struct flow *wc, bool with_udp)
{
	if (!xlate_is_ip(flow)) {
		mask_l2(wc);
		return;
	}
	mask_l3(flow, wc, true, true);
	wc->nw_proto = 0xff;
	if (flow_has_l4_ports(flow, with_udp))
		wc->tp_src = wc->tp_dst = BE16_MAX;
}

void xlate_mask_hash_fields(const struct flow *flow, enum act_hash_fields fields, struct flow *wc)
{
	switch (fields) {
	case ACT_HASH_ETH_SRC:
		memset(&wc->dl_src, 0xff, sizeof wc->dl_src);
		break;
	case ACT_HASH_SYMMETRIC_L4:
		flow_mask_hash_fields(flow, wc);
		break;
	case ACT_HASH_SYMMETRIC_L3L4:
		mask_l3l4(flow, wc, false);
		break;
	case ACT_HASH_SYMMETRIC_L3L4_UDP:
		mask_l3l4(flow, wc, true);
		break;
	case ACT_HASH_NW_SRC:
		mask_l3(flow, wc, true, false);
		break;
	case ACT_HASH_NW_DST:
		mask_l3(flow, wc, false, true);
		break;
	case ACT_HASH_SYMMETRIC_L3:
		mask_l3(flow, wc, true, true);
		break;
	}
}

/* ---------------------------------------------------------------- multipath */

static uint16_t link_hrw(uint32_t hash, unsigned int n_links)
{
	uint32_t best_weight = 0;
	uint16_t best = 0;

	for (unsigned int link = 0; link < n_links; link++) {
		uint32_t weight = hash_add(hash, link);

		if (!link || weight > best_weight) {
			best = link;
			best_weight = weight;
		}
	}
	return best;
}

static uint16_t link_iter_hash(uint32_t hash, unsigned int n_links, unsigned int modulo)
{
	uint32_t link, i = 0;

	if (modulo < n_links || modulo / 2 > n_links)
		modulo = round_up_pow2(n_links);
	do
		link = hash_add(hash, i++) % modulo;
	while (link >= n_links && i < 1024);
	return link < n_links ? link : 0;
}

static uint16_t multipath_link(const struct act_multipath *act, uint32_t hash)
{
	unsigned int n_links = act->max_link + 1u;

	switch (act->algorithm) {
	case 1:	/* hash_threshold */
		return n_links == 1 ? 0 : hash / (UINT32_MAX / n_links + 1);
	case 2:	/* hrw */
		return n_links <= 64 ? link_hrw(hash, n_links) : link_iter_hash(hash, n_links, 0);
	case 3:	/* iter_hash */
		return link_iter_hash(hash, n_links, act->arg);
	default: /* modulo_n */
		return hash % n_links;
	}
}

void xlate_multipath(struct xlate_ctx *ctx, const struct act_multipath *act)
{
	uint32_t hash = xlate_hash_fields(&ctx->flow, act->fields, act->basis);

	xlate_mask_hash_fields(&ctx->flow, act->fields, ctx->wc);
	xlate_load(ctx, &act->dst, multipath_link(act, hash));
}

/* ---------------------------------------------------------------- bundle */

static bool bundle_member_is_enabled(struct xlate_ctx *ctx, ofp_port_t member)
{
	const struct pl_port *port;

	switch (member) {
	case OFPP_IN_PORT:
	case OFPP_TABLE:
	case OFPP_NORMAL:
	case OFPP_FLOOD:
	case OFPP_ALL:
	case OFPP_NONE:
		return true;
	case OFPP_CONTROLLER:
		return false;
	default:
		port = xlate_port(ctx, member);
		return port && port->may_enable;
	}
}

static ofp_port_t bundle_choose(struct xlate_ctx *ctx, const struct act_bundle *act)
{
	ofp_port_t best = OFPP_NONE;
	uint32_t best_weight = 0;
	bool found = false;
	uint32_t hash;

	if (act->algorithm == 0) {	/* active_backup */
		for (unsigned int i = 0; i < act->n_members; i++)
			if (bundle_member_is_enabled(ctx, act->members[i]))
				return act->members[i];
		return OFPP_NONE;
	}
	if (act->n_members > 1)
		xlate_mask_hash_fields(&ctx->flow, act->fields, ctx->wc);
	hash = xlate_hash_fields(&ctx->flow, act->fields, act->basis);
	for (unsigned int i = 0; i < act->n_members; i++) {
		uint32_t weight = hash_add(i, hash);

		if (bundle_member_is_enabled(ctx, act->members[i]) &&
			(!found || weight > best_weight)) {
			best = act->members[i];
			best_weight = weight;
			found = true;
		}
	}
	return best;
}

void xlate_bundle(struct xlate_ctx *ctx, const struct act_bundle *act, bool is_last)
{
	ofp_port_t port = bundle_choose(ctx, act);

	if (act->dst.field)
		xlate_load(ctx, &act->dst, port & 0xffff);
	else
		xlate_output(ctx, port, 0, false, is_last, false);
}
