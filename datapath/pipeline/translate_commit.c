/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Committing: emits the operations that turn base (the packet as the program leaves it so far) into
 * flow (what OpenFlow has made of it), just before somebody sees the packet. Several writes of a field
 * fold into one, and those that change nothing vanish.
 *
 * A field that differs is written in the bits that the mask holds (they are the same in all packets
 * that will run the program) and in those that differ here; the rest of it stays as it comes.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* If the field differs: stores in VALUE and MASK, its place in an operation, what must be written of it
 * (bits outside the mask are zero, so that equal programs are equal bytes), adds to WC what was thereby
 * looked at, and returns true. */
static bool commit_field(const void *flow_, void *base_, void *wc_, void *value_, void *mask_,
	size_t size)
{
	const uint8_t *flow = flow_;
	uint8_t *base = base_, *wc = wc_, *value = value_, *mask = mask_;

	if (!memcmp(flow, base, size))
		return false;
	for (size_t i = 0; i < size; i++) {
		mask[i] = wc[i] | (flow[i] ^ base[i]);
		value[i] = flow[i] & mask[i];
		wc[i] |= mask[i];
	}
	memcpy(base, flow, size);
	return true;
}

#define COMMIT(CTX, FIELD, VALUE, MASK)                                                            \
	commit_field(&(CTX)->flow.FIELD, &(CTX)->base.FIELD, &(CTX)->wc->FIELD, VALUE, MASK,       \
		sizeof(CTX)->flow.FIELD)

/* Puts the operation SET, whose beginning (struct op) is not filled in. */
static void put_set(struct xlate_ctx *ctx, enum op_type type, const void *set, size_t size)
{
	struct op *op = xlate_put_op(ctx, type, size);

	memcpy(op + 1, (const struct op *)set + 1, size - sizeof *op);
}

static void commit_eth(struct xlate_ctx *ctx)
{
	struct op_set_eth set;
	bool differs;

	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, dl_dst, &set.dst, &set.dst_mask);
	differs |= COMMIT(ctx, dl_src, &set.src, &set.src_mask);
	if (!differs)
		return;
	put_set(ctx, OP_SET_ETH, &set, sizeof set);
}

/* ---------------------------------------------------------------- network and transport */

static void commit_ipv4(struct xlate_ctx *ctx)
{
	struct op_set_ipv4 set;
	bool differs;

	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, nw_src, &set.src, &set.src_mask);
	differs |= COMMIT(ctx, nw_dst, &set.dst, &set.dst_mask);
	differs |= COMMIT(ctx, nw_tos, &set.tos, &set.tos_mask);
	differs |= COMMIT(ctx, nw_ttl, &set.ttl, &set.ttl_mask);
	if (!differs)
		return;
	put_set(ctx, OP_SET_IPV4, &set, sizeof set);
}

static void commit_ipv6(struct xlate_ctx *ctx)
{
	struct op_set_ipv6 set;
	bool differs;

	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, ipv6_src, &set.src, &set.src_mask);
	differs |= COMMIT(ctx, ipv6_dst, &set.dst, &set.dst_mask);
	differs |= COMMIT(ctx, ipv6_label, &set.label, &set.label_mask);
	differs |= COMMIT(ctx, nw_tos, &set.tos, &set.tos_mask);
	differs |= COMMIT(ctx, nw_ttl, &set.ttl, &set.ttl_mask);
	if (!differs)
		return;
	put_set(ctx, OP_SET_IPV6, &set, sizeof set);
}

static void commit_nd(struct xlate_ctx *ctx)
{
	struct op_set_nd set;
	bool differs;

	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, nd_target, &set.target, &set.target_mask);
	differs |= COMMIT(ctx, arp_sha, &set.sll, &set.sll_mask);
	differs |= COMMIT(ctx, arp_tha, &set.tll, &set.tll_mask);
	differs |= COMMIT(ctx, nd_reserved, &set.reserved, &set.reserved_mask);
	differs |= COMMIT(ctx, nd_options_type, &set.options_type, &set.options_type_mask);
	if (!differs)
		return;
	put_set(ctx, OP_SET_ND, &set, sizeof set);
}

static void commit_arp(struct xlate_ctx *ctx)
{
	struct op_set_arp set;
	uint8_t op_code = 0, op_mask = 0;
	bool differs;

	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, nw_src, &set.spa, &set.spa_mask);
	differs |= COMMIT(ctx, nw_dst, &set.tpa, &set.tpa_mask);
	differs |= COMMIT(ctx, nw_proto, &op_code, &op_mask);
	differs |= COMMIT(ctx, arp_sha, &set.sha, &set.sha_mask);
	differs |= COMMIT(ctx, arp_tha, &set.tha, &set.tha_mask);
	if (!differs)
		return;
	set.op_code = htobe16(op_code);
	set.op_mask = htobe16(op_mask);
	put_set(ctx, OP_SET_ARP, &set, sizeof set);
}

static void commit_network(struct xlate_ctx *ctx)
{
	unsigned int proto = ctx->flow.nw_proto;

	if (!memcmp(&ctx->flow.nw_src, &ctx->base.nw_src,
		    offsetof(struct flow, tcp_flags) - offsetof(struct flow, nw_src)))
		return;
	/* Zero where there is no network header, or none that could be parsed. That it is, or one bit
	 * that shows that it is not, decides. */
	ctx->wc->nw_proto |= proto ? proto & -proto : 0xff;
	if (!proto)
		return;
	switch (be16toh(ctx->base.dl_type)) {
	case ETH_T_IP:
		commit_ipv4(ctx);
		break;
	case ETH_T_IPV6:
		commit_ipv6(ctx);
		if (ctx->base.nw_proto == IP_P_ICMPV6)
			commit_nd(ctx);
		break;
	case ETH_T_ARP:
		commit_arp(ctx);
		break;
	}
}

static void commit_transport(struct xlate_ctx *ctx)
{
	struct op_set_tp set;
	bool is_icmp, differs;

	if (!xlate_is_ip(&ctx->base))
		return;
	switch (ctx->flow.nw_proto) {
	case IP_P_TCP:
	case IP_P_UDP:
	case IP_P_SCTP:
		is_icmp = false;
		break;
	case IP_P_ICMP:
		if (ctx->flow.dl_type != htobe16(ETH_T_IP))
			return;
		is_icmp = true;
		break;
	case IP_P_ICMPV6:
		if (ctx->flow.dl_type != htobe16(ETH_T_IPV6))
			return;
		is_icmp = true;
		break;
	default:
		return;
	}
	memset(&set, 0, sizeof set);
	differs = COMMIT(ctx, tp_src, &set.src, &set.src_mask);
	differs |= COMMIT(ctx, tp_dst, &set.dst, &set.dst_mask);
	if (!differs)
		return;
	if (is_icmp) {
		/* Type and code are a byte each, and go together. */
		set.src_mask = set.dst_mask = htobe16(0xff);
		set.src = ctx->flow.tp_src;
		set.dst = ctx->flow.tp_dst;
		ctx->wc->tp_src |= set.src_mask;
		ctx->wc->tp_dst |= set.dst_mask;
	}
	set.proto = ctx->flow.nw_proto;
	put_set(ctx, OP_SET_TP, &set, sizeof set);
}

/* ---------------------------------------------------------------- MPLS and VLAN */

static int mpls_common(const struct flow *a, int a_n, const struct flow *b, int b_n)
{
	int n = 0;

	while (n < a_n && n < b_n && a->mpls_lse[a_n - 1 - n] == b->mpls_lse[b_n - 1 - n])
		n++;
	return n;
}

static void put_mpls(struct xlate_ctx *ctx, enum op_type type, be16 ethertype, be32 lse, be32 mask)
{
	struct op_mpls *op = xlate_put_op(ctx, type, sizeof *op);

	op->ethertype = ethertype;
	op->lse = lse;
	op->mask = mask;
}

/* Labels from the outermost down to the COMMON ones go, but for the last, which is written over if
 * another takes its place. Returns how many are left. */
static int commit_mpls_pops(struct xlate_ctx *ctx, int base_n, int flow_n, int common)
{
	struct flow *flow = &ctx->flow, *base = &ctx->base;

	while (base_n > common) {
		be16 ethertype = flow->dl_type;

		if (base_n - 1 == common && flow_n > common) {
			base->mpls_lse[0] = flow->mpls_lse[flow_n - base_n];
			put_mpls(ctx, OP_SET_MPLS, base->dl_type, base->mpls_lse[0], BE32_MAX);
			common++;
			continue;
		}
		if (!eth_type_is_mpls(ethertype) && base_n > 1)
			ethertype = htobe16(ETH_T_MPLS);
		put_mpls(ctx, OP_POP_MPLS, ethertype, 0, 0);
		if (!flow_mpls_pop(base, base_n, flow->dl_type, NULL))
			break;
		base_n--;
	}
	return base_n;
}

/* The same labels may be there under the other of the two types. */
static void commit_mpls_type(struct xlate_ctx *ctx)
{
	be16 type = ctx->flow.dl_type;
	struct op_u32 *op;

	if (!eth_type_is_mpls(type) || ctx->base.dl_type == type)
		return;
	op = xlate_put_op(ctx, OP_SET_ETH_TYPE, sizeof *op);
	op->value = type;
	ctx->base.dl_type = type;
}

static void commit_mpls(struct xlate_ctx *ctx)
{
	struct flow *flow = &ctx->flow, *base = &ctx->base;
	int base_n = flow_mpls_depth(base, NULL), flow_n = flow_mpls_depth(flow, NULL);
	int common = mpls_common(flow, flow_n, base, base_n);
	be32 lse = 0, mask = 0;

	if (base_n == flow_n && common >= base_n - 1) {
		/* At most the outermost was rewritten. */
		if (base_n && COMMIT(ctx, mpls_lse[0], &lse, &mask))
			put_mpls(ctx, OP_SET_MPLS, base->dl_type, lse, mask);
		commit_mpls_type(ctx);
		return;
	}
	/* Labels go out whole, so all of them were looked at. */
	memset(ctx->wc->mpls_lse, 0xff, base_n * sizeof base->mpls_lse[0]);
	base_n = commit_mpls_pops(ctx, base_n, flow_n, common);
	for (; base_n < flow_n; base_n++) {
		lse = flow->mpls_lse[flow_n - base_n - 1];
		put_mpls(ctx, OP_PUSH_MPLS, flow->dl_type, lse, BE32_MAX);
		/* What is behind stays known, for when flow returns to what it was. */
		flow_mpls_push(base, base_n, flow->dl_type, NULL, false);
		base->mpls_lse[0] = lse;
	}
	commit_mpls_type(ctx);
}

static void put_vlan(struct xlate_ctx *ctx, enum op_type type, const struct flow_vlan *vlan)
{
	struct op_vlan *op = xlate_put_op(ctx, type, sizeof *op);

	op->tpid = vlan->tpid;
	op->tci = vlan->tci & ~htobe16(VLAN_PRESENT);
}

static bool vlan_equal(const struct flow_vlan *a, const struct flow_vlan *b)
{
	return a->tpid == b->tpid && a->tci == b->tci;
}

static void commit_vlan(struct xlate_ctx *ctx)
{
	struct flow *flow = &ctx->flow, *base = &ctx->base;
	int base_i = flow_n_vlans(base) - 1, flow_i = flow_n_vlans(flow) - 1;
	bool overwrite;

	for (; base_i >= 0 && flow_i >= 0; base_i--, flow_i--)
		if (!vlan_equal(&base->vlans[base_i], &flow->vlans[flow_i]))
			break;

	if (base_i < 0 && flow_i < 0)
		return;
	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		ctx->wc->vlans[i].tci |= htobe16(VLAN_PRESENT);
	memset(ctx->wc->vlans, 0xff, (base_i + 1) * sizeof ctx->wc->vlans[0]);
	/* What goes goes from the front; the last of it may be written over instead. */
	overwrite = base_i >= 0 && flow_i >= 0 &&
		base->vlans[base_i].tpid == flow->vlans[flow_i].tpid;
	for (int n = base_i + 1 - overwrite; n > 0; n--)
		xlate_put_op(ctx, OP_POP_VLAN, sizeof(struct op));
	if (overwrite)
		put_vlan(ctx, OP_SET_VLAN, &flow->vlans[flow_i--]);
	for (; flow_i >= 0; flow_i--)
		put_vlan(ctx, OP_PUSH_VLAN, &flow->vlans[flow_i]);
	memcpy(base->vlans, flow->vlans, sizeof base->vlans);
}

/* ---------------------------------------------------------------- the rest */

static void commit_pbb(struct xlate_ctx *ctx)
{
	be32 isid = 0, mask = 0;
	struct op_pbb *op;

	/* Pushes and pops emit their own operation. */
	if (ctx->flow.dl_type != htobe16(ETH_T_PBB) || ctx->base.dl_type != htobe16(ETH_T_PBB) ||
		!COMMIT(ctx, pbb_isid, &isid, &mask))
		return;
	op = xlate_put_op(ctx, OP_SET_PBB, sizeof *op);
	op->ethertype = htobe16(ETH_T_PBB);
	op->isid = isid;
	op->mask = mask;
}

static void commit_meta(struct xlate_ctx *ctx)
{
	struct op_meta *op;

	if (ctx->flow.pkt_mark == ctx->base.pkt_mark && ctx->flow.queue == ctx->base.queue)
		return;
	/* Written whole, so both are the path's. */
	ctx->wc->pkt_mark = UINT32_MAX;
	ctx->wc->queue = UINT32_MAX;
	ctx->base.pkt_mark = ctx->flow.pkt_mark;
	ctx->base.queue = ctx->flow.queue;
	op = xlate_put_op(ctx, OP_SET_META, sizeof *op);
	op->pkt_mark = ctx->flow.pkt_mark;
	op->queue = ctx->flow.queue;
}

void xlate_commit(struct xlate_ctx *ctx)
{
	bool mpls_done = false;

	commit_eth(ctx);
	/* Out of the way of network fields, which a labelled packet does not have. */
	if (eth_type_is_mpls(ctx->base.dl_type) && !eth_type_is_mpls(ctx->flow.dl_type)) {
		commit_mpls(ctx);
		mpls_done = true;
	}
	commit_network(ctx);
	commit_transport(ctx);
	if (!mpls_done)
		commit_mpls(ctx);
	commit_vlan(ctx);
	commit_pbb(ctx);
	commit_meta(ctx);
}
