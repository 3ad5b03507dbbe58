/* SPDX-License-Identifier: Apache-2.0 */

/* Actions that push, pop and age headers: VLAN, MPLS, PBB, TTL. */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* ---------------------------------------------------------------- VLAN */

/* How many tags there are, which then is looked at. */
static int xlate_n_vlans(struct xlate_ctx *ctx)
{
	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		ctx->wc->vlans[i].tci |= htobe16(VLAN_PRESENT);
	return flow_n_vlans(&ctx->flow);
}

static bool is_vlan_field(const struct field *field)
{
	switch (field->id) {
	case FIELD_VLAN_TCI:
	case FIELD_DL_VLAN:
	case FIELD_VLAN_VID:
	case FIELD_DL_VLAN_PCP:
	case FIELD_VLAN_PCP:
		return true;
	default:
		return false;
	}
}

/* ACTS write the tag that is outermost before them. */
static bool acts_write_vlan(const struct act *acts, uint32_t len)
{
	const struct act *act;

	ACT_FOR_EACH (act, acts, len) {
		switch (act->type) {
		case ACT_PUSH_VLAN:
		case ACT_STRIP_VLAN:
			return false;
		case ACT_SET_VLAN_VID:
		case ACT_SET_VLAN_PCP:
			return true;
		case ACT_SET_FIELD:
			if (is_vlan_field(((const struct act_set_field *)act)->field))
				return true;
			break;
		case ACT_REG_MOVE:
			if (is_vlan_field(((const struct act_reg_move *)act)->dst.field))
				return true;
			break;
		}
	}
	return false;
}

void xlate_push_vlan(struct xlate_ctx *ctx, be16 tpid, const struct act *rest, uint32_t rest_len)
{
	struct flow_vlan *vlans = ctx->flow.vlans;
	int n = xlate_n_vlans(ctx);
	be16 tci = 0;

	/* A service tag has its customer tag's VLAN and priority, unless the list says itself what it
	 * shall have; then, and over no tag, what is not said is 0. */
	if (n && tpid == htobe16(ETH_T_VLAN_8021AD) && !acts_write_vlan(rest, rest_len))
		tci = vlans[0].tci;

	memset(ctx->wc->vlans, 0xff, n * sizeof ctx->wc->vlans[0]);
	memmove(&vlans[1], &vlans[0], (FLOW_MAX_VLANS - 1) * sizeof vlans[0]);
	vlans[0].tpid = tpid;
	vlans[0].tci = tci | htobe16(VLAN_PRESENT);
}

void xlate_pop_vlan(struct xlate_ctx *ctx)
{
	struct flow_vlan *vlans = ctx->flow.vlans;
	int n = xlate_n_vlans(ctx);

	if (!n)
		return;
	/* The one that goes too: a tag pushed later may be its like, and then nothing is committed. */
	memset(ctx->wc->vlans, 0xff, n * sizeof ctx->wc->vlans[0]);
	memmove(&vlans[0], &vlans[1], (n - 1) * sizeof vlans[0]);
	memset(&vlans[n - 1], 0, sizeof vlans[0]);
}

static void xlate_set_vlan(struct xlate_ctx *ctx, uint16_t value, uint16_t mask, bool push)
{
	struct flow_vlan *vlan = &ctx->flow.vlans[0];

	ctx->wc->vlans[0].tci |= htobe16(mask | VLAN_PRESENT);
	if (!(vlan->tci & htobe16(VLAN_PRESENT)) && !push)
		return;
	if (!vlan->tpid)
		vlan->tpid = htobe16(ETH_T_VLAN_8021Q);
	vlan->tci = (vlan->tci & ~htobe16(mask)) | htobe16((value & mask) | VLAN_PRESENT);
}

void xlate_set_vlan_vid(struct xlate_ctx *ctx, const struct act_vlan_vid *act)
{
	xlate_set_vlan(ctx, act->vid, VLAN_VID_MASK, act->push_if_needed);
}

void xlate_set_vlan_pcp(struct xlate_ctx *ctx, const struct act_vlan_pcp *act)
{
	xlate_set_vlan(ctx, act->pcp << VLAN_PCP_SHIFT, VLAN_PCP_MASK, act->push_if_needed);
}

/* ---------------------------------------------------------------- MPLS */

int flow_mpls_depth(const struct flow *flow, struct flow *wc)
{
	int n = 0;

	if (!eth_type_is_mpls(flow->dl_type))
		return 0;
	for (int i = 0; i < FLOW_MAX_MPLS; i++) {
		if (wc)
			wc->mpls_lse[i] |= htobe32(MPLS_BOS_MASK);
		if (flow->mpls_lse[i] & htobe32(MPLS_BOS_MASK))
			return i + 1;
		if (flow->mpls_lse[i])
			n++;
	}
	return n;
}

/* The first label over a packet without any. OpenFlow 1.3.5, 5.12.1: the TTL is the IP header's, what
 * has no model is 0. The traffic class is the DSCP's low bits, as in Open vSwitch. */
static be32 flow_mpls_first(const struct flow *flow, struct flow *wc)
{
	uint32_t tc = 0, ttl = 0;

	if (xlate_is_ip(flow)) {
		if (wc) {
			wc->nw_tos |= IP_DSCP_MASK;
			wc->nw_ttl = 0xff;
		}
		tc = (flow->nw_tos & IP_DSCP_MASK) >> 2;
		ttl = flow->nw_ttl;
	}
	return htobe32((tc << MPLS_TC_SHIFT & MPLS_TC_MASK) | MPLS_BOS_MASK | ttl);
}

/* All from the network header on. */
static void flow_clear_l3(struct flow *flow)
{
	memset(&flow->nw_src, 0, offsetof(struct flow, tunnel) - offsetof(struct flow, nw_src));
	flow->ipv6_exthdr = 0;
	flow->dp_hash = 0;
}

void flow_mpls_push(struct flow *flow, int n, be16 ethertype, struct flow *wc, bool clear_l3)
{
	if (n) {
		if (wc)
			memset(wc->mpls_lse, 0xff, n * sizeof wc->mpls_lse[0]);
		for (int i = MIN(n, FLOW_MAX_MPLS - 1); i >= 1; i--)
			flow->mpls_lse[i] = flow->mpls_lse[i - 1];
		flow->mpls_lse[0] &= ~htobe32(MPLS_BOS_MASK);
	} else {
		flow->mpls_lse[0] = flow_mpls_first(flow, wc);
		if (clear_l3)
			flow_clear_l3(flow);
	}
	flow->dl_type = ethertype;
}

bool flow_mpls_pop(struct flow *flow, int n, be16 ethertype, struct flow *wc)
{
	if (!n)
		return false;
	if (n == FLOW_MAX_MPLS) {
		if (wc)
			wc->mpls_lse[n - 1] |= htobe32(MPLS_BOS_MASK);
		/* What would move up is not known. */
		if (!(flow->mpls_lse[n - 1] & htobe32(MPLS_BOS_MASK)))
			return false;
	}
	if (wc)
		memset(&wc->mpls_lse[1], 0xff, (n - 1) * sizeof wc->mpls_lse[0]);
	memmove(&flow->mpls_lse[0], &flow->mpls_lse[1], (n - 1) * sizeof flow->mpls_lse[0]);
	flow->mpls_lse[n - 1] = 0;
	flow->dl_type = ethertype;
	return true;
}

void xlate_push_mpls(struct xlate_ctx *ctx, be16 ethertype)
{
	int n = flow_mpls_depth(&ctx->flow, ctx->wc);

	if (!n) {
		xlate_commit(ctx);
	} else if (n >= FLOW_MAX_MPLS) {
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"dropping packet on which an MPLS push action can't be performed as it "
			"would have more MPLS LSEs than the %d supported.", FLOW_MAX_MPLS);
		xlate_fail(ctx, DROP_MPLS);
		return;
	}
	flow_mpls_push(&ctx->flow, n, ethertype, ctx->wc, true);
}

void xlate_pop_mpls(struct xlate_ctx *ctx, be16 ethertype)
{
	int n = flow_mpls_depth(&ctx->flow, ctx->wc);

	if (flow_mpls_pop(&ctx->flow, n, ethertype, ctx->wc)) {
		if (!eth_type_is_mpls(ethertype))
			ctx->stale |= STALE_L3;
	} else if (n >= FLOW_MAX_MPLS) {
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"dropping packet on which an MPLS pop action can't be performed as it has "
			"more MPLS LSEs than the %d supported.", FLOW_MAX_MPLS);
		xlate_fail(ctx, DROP_MPLS);
	}
}

void xlate_set_mpls(struct xlate_ctx *ctx, be32 lse, be32 mask)
{
	if (eth_type_is_mpls(ctx->flow.dl_type)) {
		ctx->wc->mpls_lse[0] |= mask;
		ctx->flow.mpls_lse[0] = (ctx->flow.mpls_lse[0] & ~mask) | (lse & mask);
	}
}

/* ---------------------------------------------------------------- TTL */

static void xlate_ttl_expired(struct xlate_ctx *ctx, uint16_t controller_id)
{
	xlate_controller(ctx, UINT16_MAX, PUNT_INVALID_TTL, controller_id, 0, NULL, 0);
}

bool xlate_dec_mpls_ttl(struct xlate_ctx *ctx)
{
	be32 *lse = &ctx->flow.mpls_lse[0];

	if (eth_type_is_mpls(ctx->flow.dl_type)) {
		uint32_t ttl = be32toh(*lse) & MPLS_TTL_MASK;

		ctx->wc->mpls_lse[0] |= htobe32(MPLS_TTL_MASK);
		if (ttl > 1) {
			*lse = (*lse & ~htobe32(MPLS_TTL_MASK)) | htobe32(ttl - 1);
			return false;
		}
		xlate_ttl_expired(ctx, 0);
	}
	xlate_report(ctx, XLATE_REPORT_WARN, "MPLS decrement TTL exception");
	xlate_drop(ctx, DROP_TTL_EXPIRED);
	return true;
}

bool xlate_dec_ttl(struct xlate_ctx *ctx, const struct act_cnt_ids *act)
{
	if (!xlate_is_ip(&ctx->flow))
		return false;
	ctx->wc->nw_ttl = 0xff;
	if (ctx->flow.nw_ttl > 1) {
		ctx->flow.nw_ttl--;
		return false;
	}
	for (unsigned int i = 0; i < act->n_controllers; i++)
		xlate_ttl_expired(ctx, act->ids[i]);
	xlate_report(ctx, XLATE_REPORT_WARN, "IPv%d decrement TTL exception",
		ctx->flow.dl_type == htobe16(ETH_T_IP) ? 4 : 6);
	xlate_drop(ctx, DROP_TTL_EXPIRED);
	return true;
}

/* Between the outermost label and the IP header behind it, which is not in view. */
static void xlate_copy_ttl_ip(struct xlate_ctx *ctx, bool out)
{
	struct op_u32 *op;

	xlate_commit(ctx);
	ctx->irreversible = true;
	op = xlate_put_op(ctx, OP_COPY_TTL, sizeof *op);
	op->value = out;
	/* Only the packet knows what the label's TTL is now. */
	if (out)
		xlate_freeze(ctx);
}

void xlate_copy_ttl(struct xlate_ctx *ctx, bool out)
{
	be32 *lse = ctx->flow.mpls_lse, mask = htobe32(MPLS_TTL_MASK);
	int n = flow_mpls_depth(&ctx->flow, ctx->wc);

	if (n < 2) {
		if (n)
			xlate_copy_ttl_ip(ctx, out);
		return;
	}
	ctx->wc->mpls_lse[0] |= mask;
	ctx->wc->mpls_lse[1] |= mask;
	if (out)
		lse[0] = (lse[0] & ~mask) | (lse[1] & mask);
	else
		lse[1] = (lse[1] & ~mask) | (lse[0] & mask);
}

/* ---------------------------------------------------------------- PBB */

/* I-PCP of a new I-TAG: the priority of the tag it is put over (OpenFlow 1.3.5, 5.12.1). */
static be32 pbb_pcp(struct xlate_ctx *ctx)
{
	if (!xlate_n_vlans(ctx))
		return 0;
	ctx->wc->vlans[0].tci |= htobe16(VLAN_PCP_MASK);
	return htobe32((uint32_t)(be16toh(ctx->flow.vlans[0].tci) & VLAN_PCP_MASK) << 16);
}

/* The new outer header has the frame's own addresses; all that was there is now behind it. */
void xlate_push_pbb(struct xlate_ctx *ctx, be16 ethertype)
{
	struct flow *flow = &ctx->flow;
	be32 isid = 0;
	struct op_pbb *op;

	xlate_commit(ctx);
	if (flow->dl_type == htobe16(ETH_T_PBB)) {
		ctx->wc->pbb_isid |= htobe32(PBB_ISID_MASK);
		isid = flow->pbb_isid & htobe32(PBB_ISID_MASK);
	}
	ctx->irreversible = true;
	op = xlate_put_op(ctx, OP_PUSH_PBB, sizeof *op);
	op->ethertype = ethertype;
	op->isid = isid | pbb_pcp(ctx) | htobe32(FLOW_PBB_PRESENT);
	op->mask = BE32_MAX;
	flow->dl_type = ethertype;
	flow->pbb_isid = isid | htobe32(FLOW_PBB_PRESENT);
	memset(flow->vlans, 0, sizeof flow->vlans);
	memset(flow->mpls_lse, 0, sizeof flow->mpls_lse);
	flow_clear_l3(flow);
	ctx->base = *flow;
	memset(&ctx->base.tunnel, 0, sizeof ctx->base.tunnel);
	memset(&ctx->base.tun_metadata, 0, sizeof ctx->base.tun_metadata);
}

void xlate_pop_pbb(struct xlate_ctx *ctx)
{
	if (ctx->flow.dl_type != htobe16(ETH_T_PBB))
		return;
	xlate_commit(ctx);
	ctx->irreversible = true;
	xlate_put_op(ctx, OP_POP_PBB, sizeof(struct op));
	xlate_freeze(ctx);
}
