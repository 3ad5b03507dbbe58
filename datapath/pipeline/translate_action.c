/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"
#include "tunnel/tnl_port.h"

/* Whether ACT can be done while what lies behind a popped MPLS stack is still unparsed. */
static bool act_spares_l3(const struct act *act)
{
	switch (act->type) {
	case ACT_OUTPUT:
	case ACT_ENQUEUE:
	case ACT_OUTPUT_REG:
	case ACT_SET_VLAN_VID:
	case ACT_SET_VLAN_PCP:
	case ACT_SET_ETH_SRC:
	case ACT_SET_ETH_DST:
	case ACT_SET_TUNNEL:
	case ACT_SET_QUEUE:
	case ACT_GROUP:
		return true;
	case ACT_SET_FIELD:
		return ((const struct act_set_field *)act)->field->id < FIELD_MPLS_LABEL;
	default:
		return false;
	}
}

static bool inherits_tos(const struct pl_port *port)
{
	return port && port->tunnel && port->tunnel->config.tos_inherit;
}

/* The outer headers of tunnels may take over the DSCP. */
static bool output_spares_dscp(struct xlate_ctx *ctx, const struct act *act)
{
	const struct act_output *out = (const struct act_output *)act;

	if (act->type == ACT_OUTPUT && out->port < OFPP_MAX && !ctx->conf->n_mirrors)
		return !inherits_tos(xlate_port(ctx, out->port));
	xlate_depend_on_ports(ctx);
	for (size_t i = 0; i < ctx->conf->n_ports; i++)
		if (inherits_tos(&ctx->conf->ports[i]))
			return false;
	return true;
}

/* Whether ACT can be done while the DSCP is not known: it neither reads nor writes any of that byte. What a
 * table looks at is seen there. */
static bool act_spares_dscp(struct xlate_ctx *ctx, const struct act *act)
{
	switch (act->type) {
	case ACT_OUTPUT:
	case ACT_ENQUEUE:
	case ACT_OUTPUT_REG:
		return output_spares_dscp(ctx, act);
	case ACT_GROUP:
	case ACT_CONTROLLER:
	case ACT_SET_VLAN_VID:
	case ACT_SET_VLAN_PCP:
	case ACT_STRIP_VLAN:
	case ACT_PUSH_VLAN:
	case ACT_SET_ETH_SRC:
	case ACT_SET_ETH_DST:
	case ACT_SET_TUNNEL:
	case ACT_SET_QUEUE:
	case ACT_POP_QUEUE:
	case ACT_DEC_TTL:
	case ACT_RESUBMIT:
	case ACT_GOTO_TABLE:
	case ACT_METER:
	case ACT_NOTE:
	case ACT_EXIT:
	case ACT_CLEAR_ACTIONS:
	case ACT_WRITE_ACTIONS:
	case ACT_WRITE_METADATA:
	case XACT_UNROLL:
		return true;
	case ACT_SET_FIELD:
		return ((const struct act_set_field *)act)->field->id < FIELD_MPLS_LABEL;
	default:
		return false;
	}
}

static bool act_spares_stale(struct xlate_ctx *ctx, const struct act *act)
{
	return (!(ctx->stale & STALE_L3) || act_spares_l3(act)) &&
		(!(ctx->stale & STALE_DSCP) || act_spares_dscp(ctx, act));
}

/* Whether ACT by itself does not ask what the packet is. */
static bool act_is_blind(const struct act *act)
{
	switch (act->type) {
	case ACT_OUTPUT:
	case ACT_RESUBMIT:
	case ACT_GOTO_TABLE:
	case ACT_NOTE:
	case XACT_UNROLL:
		return true;
	default:
		return false;
	}
}

static void xlate_act_output(struct xlate_ctx *ctx, const struct act *act, bool last)
{
	const struct act_output *out = (const struct act_output *)act;

	if (out->trunc)
		xlate_output_trunc(ctx, out, last);
	else
		xlate_output(ctx, out->port, out->max_len, true, last, false);
}

static void xlate_act_controller(struct xlate_ctx *ctx, const struct act_controller *act)
{
	if (act->pause) {
		ctx->pause = act;
		xlate_freeze(ctx);
	} else {
		xlate_controller(ctx, act->max_len, act->reason, act->controller_id, act->meter_id,
			act->userdata, act->userdata_len);
	}
}

static void xlate_act_resubmit(struct xlate_ctx *ctx, const struct act_resubmit *act, bool last)
{
	bool from_internal = ctx->rule && ctx->rule->is_internal;
	ofp_port_t in_port = act->in_port == OFPP_IN_PORT ? ctx->flow.in_port : act->in_port;
	uint8_t table_id = act->table_id == 0xff ? ctx->table_id : act->table_id;

	if (act->with_ct_orig) {
		/* Without connection tracking no packet has an original tuple. */
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"resubmit(ct) with non-tracked or non-IP packet!");
		return;
	}
	xlate_table(ctx, in_port, table_id, from_internal, from_internal, last, false);
}

/* ---------------------------------------------------------------- fields of old */

static void xlate_act_set_ipv4(struct xlate_ctx *ctx, const struct act_ipv4 *act, be32 *field,
	be32 *mask)
{
	if (ctx->flow.dl_type == htobe16(ETH_T_IP)) {
		*mask = BE32_MAX;
		*field = act->addr;
	}
}

static void xlate_act_set_tos(struct xlate_ctx *ctx, uint8_t value, uint8_t mask)
{
	if (xlate_is_ip(&ctx->flow)) {
		ctx->wc->nw_tos |= mask;
		ctx->flow.nw_tos = (ctx->flow.nw_tos & ~mask) | (value & mask);
	}
}

static void xlate_act_set_ttl(struct xlate_ctx *ctx, uint8_t ttl)
{
	if (xlate_is_ip(&ctx->flow)) {
		ctx->wc->nw_ttl = 0xff;
		ctx->flow.nw_ttl = ttl;
	}
}

static void xlate_act_set_port(struct xlate_ctx *ctx, uint16_t port, be16 *field, be16 *mask)
{
	if (xlate_is_ip(&ctx->flow) && !(ctx->flow.nw_frag & FLOW_NW_FRAG_LATER)) {
		ctx->wc->nw_proto = 0xff;
		*mask = BE16_MAX;
		*field = htobe16(port);
	}
}

/* Setters and pushes. False: not one of them. */
static bool xlate_act_header(struct xlate_ctx *ctx, const struct act *act)
{
	struct flow *flow = &ctx->flow, *wc = ctx->wc;

	switch (act->type) {
	case ACT_SET_FIELD:
		xlate_set_field(ctx, (const struct act_set_field *)act);
		return true;
	case ACT_REG_MOVE:
		xlate_reg_move(ctx, (const struct act_reg_move *)act);
		return true;
	case ACT_STACK_PUSH:
		xlate_stack_push(ctx, (const struct act_stack *)act);
		return true;
	case ACT_STACK_POP:
		xlate_stack_pop(ctx, (const struct act_stack *)act);
		return true;
	case ACT_SET_VLAN_VID:
		xlate_set_vlan_vid(ctx, (const struct act_vlan_vid *)act);
		return true;
	case ACT_SET_VLAN_PCP:
		xlate_set_vlan_pcp(ctx, (const struct act_vlan_pcp *)act);
		return true;
	case ACT_STRIP_VLAN:
		xlate_pop_vlan(ctx);
		return true;
	case ACT_SET_ETH_SRC:
		memset(&wc->dl_src, 0xff, sizeof wc->dl_src);
		flow->dl_src = ((const struct act_mac *)act)->mac;
		return true;
	case ACT_SET_ETH_DST:
		memset(&wc->dl_dst, 0xff, sizeof wc->dl_dst);
		flow->dl_dst = ((const struct act_mac *)act)->mac;
		return true;
	case ACT_SET_IPV4_SRC:
		xlate_act_set_ipv4(ctx, (const struct act_ipv4 *)act, &flow->nw_src, &wc->nw_src);
		return true;
	case ACT_SET_IPV4_DST:
		xlate_act_set_ipv4(ctx, (const struct act_ipv4 *)act, &flow->nw_dst, &wc->nw_dst);
		return true;
	case ACT_SET_IP_DSCP:
		xlate_act_set_tos(ctx, ((const struct act_u8 *)act)->value, IP_DSCP_MASK);
		return true;
	case ACT_SET_IP_ECN:
		xlate_act_set_tos(ctx, ((const struct act_u8 *)act)->value, IP_ECN_MASK);
		return true;
	case ACT_SET_IP_TTL:
		xlate_act_set_ttl(ctx, ((const struct act_u8 *)act)->value);
		return true;
	case ACT_SET_L4_SRC_PORT:
		xlate_act_set_port(ctx, ((const struct act_u16 *)act)->value, &flow->tp_src,
			&wc->tp_src);
		return true;
	case ACT_SET_L4_DST_PORT:
		xlate_act_set_port(ctx, ((const struct act_u16 *)act)->value, &flow->tp_dst,
			&wc->tp_dst);
		return true;
	case ACT_COPY_TTL_IN:
		xlate_copy_ttl(ctx, false);
		return true;
	case ACT_COPY_TTL_OUT:
		xlate_copy_ttl(ctx, true);
		return true;
	case ACT_PUSH_MPLS:
		xlate_push_mpls(ctx, ((const struct act_push *)act)->ethertype);
		return true;
	case ACT_POP_MPLS:
		xlate_pop_mpls(ctx, ((const struct act_push *)act)->ethertype);
		return true;
	case ACT_SET_MPLS_LABEL:
		xlate_set_mpls(ctx,
			htobe32(((const struct act_u32 *)act)->value << MPLS_LABEL_SHIFT),
			htobe32(MPLS_LABEL_MASK));
		return true;
	case ACT_SET_MPLS_TC:
		xlate_set_mpls(ctx,
			htobe32((uint32_t)((const struct act_u8 *)act)->value << MPLS_TC_SHIFT),
			htobe32(MPLS_TC_MASK));
		return true;
	case ACT_SET_MPLS_TTL:
		xlate_set_mpls(ctx, htobe32(((const struct act_u8 *)act)->value),
			htobe32(MPLS_TTL_MASK));
		return true;
	case ACT_PUSH_PBB:
		xlate_push_pbb(ctx, ((const struct act_push *)act)->ethertype);
		return true;
	case ACT_POP_PBB:
		xlate_pop_pbb(ctx);
		return true;
	case ACT_DELETE_FIELD:
		xlate_delete_field(ctx, (const struct act_field *)act);
		return true;
	default:
		return false;
	}
}

/* Metadata and instructions. False: not one of them. */
static bool xlate_act_metadata(struct xlate_ctx *ctx, const struct act *act)
{
	struct flow *flow = &ctx->flow;

	switch (act->type) {
	case ACT_SET_TUNNEL:
		flow->tunnel.tun_id = htobe64(((const struct act_u64 *)act)->value);
		return true;
	case ACT_SET_QUEUE:
		ctx->wc->queue = UINT32_MAX;
		flow->queue = ((const struct act_u32 *)act)->value + 1;
		return true;
	case ACT_POP_QUEUE:
		ctx->wc->queue = UINT32_MAX;
		if (flow->queue != ctx->orig_queue) {
			flow->queue = ctx->orig_queue;
			xlate_report(ctx, XLATE_REPORT_DETAIL, "queue = %#x", flow->queue);
		}
		return true;
	case ACT_FIN_TIMEOUT:
		xlate_fin_timeout(ctx, (const struct act_fin_timeout *)act);
		return true;
	case ACT_LEARN:
		xlate_learn(ctx, (const struct act_learn *)act);
		return true;
	case ACT_CONJUNCTION:
		xlate_report(ctx, XLATE_REPORT_ERROR, "executing no-op conjunction action");
		return true;
	case ACT_MULTIPATH:
		xlate_multipath(ctx, (const struct act_multipath *)act);
		return true;
	case ACT_SAMPLE:
		xlate_sample(ctx, (const struct act_sample *)act);
		return true;
	case ACT_METER:
		xlate_meter(ctx, ((const struct act_u32 *)act)->value);
		return true;
	case ACT_CLEAR_ACTIONS:
		xlate_clear_actions(ctx);
		return true;
	case ACT_WRITE_ACTIONS:
		xlate_write_actions(ctx, ((const struct act_nest *)act)->acts,
			act_nest_len((const struct act_nest *)act));
		return true;
	case ACT_WRITE_METADATA: {
		const struct act_write_metadata *wm = (const struct act_write_metadata *)act;

		flow->metadata = (flow->metadata & ~wm->mask) | (wm->metadata & wm->mask);
		return true;
	}
	case XACT_UNROLL: {
		const struct xact_unroll *unroll = (const struct xact_unroll *)act;

		ctx->table_id = unroll->table_id;
		ctx->rule_cookie = unroll->cookie;
		return true;
	}
	default:	/* ACT_NOTE; ACT_CT_CLEAR, as nothing is tracked. */
		return false;
	}
}

/* Runs ACT; REST are those behind it. False: the list ends here, but not the pipeline. */
static bool xlate_act(struct xlate_ctx *ctx, const struct act *act, bool last,
	const struct act *end, bool *stop)
{
	const struct act *rest = act_next(act);
	uint32_t rest_len = (uint32_t)((const char *)end - (const char *)rest);

	switch (act->type) {
	case ACT_OUTPUT:
		xlate_act_output(ctx, act, last);
		break;
	case ACT_GROUP:
		return xlate_group(ctx, ((const struct act_group *)act)->group_id, last);
	case ACT_CONTROLLER:
		xlate_act_controller(ctx, (const struct act_controller *)act);
		break;
	case ACT_ENQUEUE:
		ctx->wc->queue = UINT32_MAX;
		xlate_enqueue(ctx, (const struct act_enqueue *)act, last);
		break;
	case ACT_OUTPUT_REG:
		xlate_output_reg(ctx, (const struct act_output_reg *)act, last);
		break;
	case ACT_BUNDLE:
		xlate_bundle(ctx, (const struct act_bundle *)act, last);
		break;
	case ACT_DEC_TTL:
		return !xlate_dec_ttl(ctx, (const struct act_cnt_ids *)act);
	case ACT_DEC_MPLS_TTL:
		return !xlate_dec_mpls_ttl(ctx);
	case ACT_RESUBMIT:
		xlate_act_resubmit(ctx, (const struct act_resubmit *)act, last);
		break;
	case ACT_GOTO_TABLE:
		xlate_table(ctx, ctx->flow.in_port, ((const struct act_u8 *)act)->value, true, true,
			last, false);
		break;
	case ACT_CLONE:
		xlate_acts_cloned(ctx, ((const struct act_nest *)act)->acts,
			act_nest_len((const struct act_nest *)act), last);
		break;
	case ACT_PUSH_VLAN:
		xlate_push_vlan(ctx, ((const struct act_push *)act)->ethertype, rest, rest_len);
		break;
	case ACT_CHECK_PKT_LARGER:
		xlate_check_pkt_larger(ctx, (const struct act_check_pkt_larger *)act, rest,
			rest_len);
		*stop = true;
		break;
	case ACT_EXIT:
		ctx->exit = true;
		break;
	default:
		if (!xlate_act_header(ctx, act))
			xlate_act_metadata(ctx, act);
		break;
	}
	return true;
}

/* What has been done of ACT when a freeze begins in it: pause is done; one that can't go on with an
 * unparsed packet is to be done again; of a resubmit, what it led to froze itself. */
static const struct act *xlate_resume_point(const struct xlate_ctx *ctx, const struct act *act)
{
	switch (act->type) {
	case ACT_RESUBMIT:
	case ACT_GOTO_TABLE:
		return ctx->frozen_any ? act_next(act) : act;
	case ACT_CONTROLLER:
	case ACT_COPY_TTL_IN:
	case ACT_COPY_TTL_OUT:
	case ACT_POP_PBB:
	case ACT_SET_FIELD:
	case ACT_REG_MOVE:
	case ACT_STACK_POP:
	case ACT_MULTIPATH:
		return act_next(act);
	default:
		return act;
	}
}

void xlate_acts(struct xlate_ctx *ctx, const struct act *acts, uint32_t len, bool is_last,
	bool in_bucket)
{
	const struct act *act, *end = act_end(acts, len);
	bool old_in_bucket = ctx->in_bucket;
	bool stop = false;

	if (!len) {
		xlate_report_acts(ctx, XLATE_REPORT_ACTION, NULL, 0, "drop");
		xlate_drop(ctx, DROP_ACTION);
		return;
	}

	for (act = acts; act < end; act = act_next(act)) {
		bool last = is_last && act_next(act) >= end && !ctx->action_set.len;
		bool goes_on;

		if (ctx->error || ctx->stop)
			break;
		if (!ctx->exit && ctx->stale && !act_spares_stale(ctx, act))
			xlate_freeze(ctx);
		if (ctx->exit || stop) {
			if (ctx->freezing)
				xlate_freeze_rest(ctx, act, end);
			break;
		}
		if (act->type != XACT_UNROLL)
			xlate_report_acts(ctx, XLATE_REPORT_ACTION, act, act->len, NULL);

		ctx->in_bucket = in_bucket;
		ctx->deep |= !act_is_blind(act);
		goes_on = xlate_act(ctx, act, last, end, &stop);
		ctx->in_bucket = old_in_bucket;
		if (!goes_on)
			return;
		if (ctx->freezing && !ctx->error && !ctx->stop) {
			xlate_freeze_rest(ctx, xlate_resume_point(ctx, act), end);
			break;
		}
	}
}

struct xlate_copy xlate_copy_begin(struct xlate_ctx *ctx)
{
	struct xlate_copy copy = {
		.start = ctx->out->program.buf.len,
		.old_irreversible = ctx->irreversible,
		.measure = ctx->measure,
		.base = xlate_alloc(ctx, sizeof *copy.base),
	};

	*copy.base = ctx->base;
	ctx->irreversible = false;
	return copy;
}

void xlate_copy_end(struct xlate_ctx *ctx, const struct xlate_copy *copy, bool is_last)
{
	if (ctx->irreversible && !is_last) {
		program_nest_around(&ctx->out->program, copy->start);
		ctx->base = *copy->base;
		ctx->irreversible = false;
	}
	ctx->irreversible |= copy->old_irreversible;
	ctx->measure = copy->measure;
}

/* Whether what ACTS do to a packet can be undone by committing the other way round: what is known before
 * they run. */
static bool acts_are_reversible(const struct act *acts, uint32_t len)
{
	const struct act *act;

	ACT_FOR_EACH (act, acts, len) {
		switch (act->type) {
		case ACT_CT:
		case ACT_METER:
		case ACT_PUSH_PBB:
		case ACT_POP_PBB:
		case ACT_COPY_TTL_IN:
		case ACT_COPY_TTL_OUT:
			return false;
		case ACT_OUTPUT:
			if (((const struct act_output *)act)->trunc)
				return false;
			break;
		}
	}
	return true;
}

/* In a nested program: what it does to the packet ends with it. */
static void xlate_acts_nested(struct xlate_ctx *ctx, const struct act *acts, uint32_t len)
{
	struct program_builder *program = &ctx->out->program;
	unsigned int old_stale = ctx->stale;
	bool old_irreversible = ctx->irreversible;
	struct xlate_measure old_measure = ctx->measure;
	struct flow *old_base;
	size_t start, nest;

	xlate_commit(ctx);
	old_base = xlate_alloc(ctx, sizeof *old_base);
	*old_base = ctx->base;
	start = program->buf.len;
	nest = program_nest_begin(program, OP_CLONE, sizeof(struct op_nest));
	xlate_acts(ctx, acts, len, true, false);
	xlate_finish_pipeline(ctx);
	if (program->buf.len - start > sizeof(struct op_nest))
		program_nest_end(program, nest);
	else
		sbuf_truncate(&program->buf, start);
	ctx->base = *old_base;
	ctx->stale = old_stale;
	ctx->irreversible = old_irreversible;
	ctx->measure = old_measure;
}

void xlate_acts_cloned(struct xlate_ctx *ctx, const struct act *acts, uint32_t len, bool is_last)
{
	struct xlate_mark mark = xlate_mark(ctx);
	struct xlate_buf old_stack = ctx->stack, old_set = ctx->action_set;
	bool old_has_group = ctx->action_set_has_group;
	struct flow *old_flow = xlate_alloc(ctx, sizeof *old_flow);

	*old_flow = ctx->flow;
	ctx->stack = xlate_buf_clone(ctx, &old_stack);
	ctx->action_set = xlate_buf_clone(ctx, &old_set);

	if (is_last || acts_are_reversible(acts, len)) {
		struct xlate_copy copy = xlate_copy_begin(ctx);

		xlate_acts(ctx, acts, len, is_last, false);
		xlate_finish_pipeline(ctx);
		xlate_copy_end(ctx, &copy, is_last);
	} else {
		xlate_acts_nested(ctx, acts, len);
	}

	ctx->action_set = old_set;
	ctx->action_set_has_group = old_has_group;
	ctx->stack = old_stack;
	ctx->flow = *old_flow;
	xlate_release(ctx, mark);
}
