/* SPDX-License-Identifier: Apache-2.0 */

/* Fields, stack, registers as ports, timeouts, samples, meters, packet length. */

#include <string.h>

#include "datapath/pipeline/meter.h"
#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* ---------------------------------------------------------------- fields */

/*
 * Three fields say what the bytes behind them are. A write of one of them (OpenFlow 1.3.5, 7.2.5 has no
 * word against it) changes that byte or two and no other, and then only parsing tells what the packet
 * has become: so all that is pending is committed first, and the packet is parsed again behind it.
 */
static bool is_shape_field(const struct field *field)
{
	return field->id == FIELD_ETH_TYPE || field->id == FIELD_IP_PROTO ||
		field->id == FIELD_MPLS_BOS;
}

static void xlate_before_write(struct xlate_ctx *ctx, const struct field *field)
{
	if (is_shape_field(field))
		xlate_commit(ctx);
}

static void xlate_put_eth_type(struct xlate_ctx *ctx)
{
	struct op_u32 *op = xlate_put_op(ctx, OP_SET_ETH_TYPE, sizeof *op);

	op->value = ctx->flow.dl_type;
	ctx->base.dl_type = ctx->flow.dl_type;
}

static void xlate_put_ip_proto(struct xlate_ctx *ctx)
{
	if (ctx->base.dl_type == htobe16(ETH_T_IP)) {
		struct op_set_ipv4 *op = xlate_put_op(ctx, OP_SET_IPV4, sizeof *op);

		op->proto = ctx->flow.nw_proto;
		op->proto_mask = UINT8_MAX;
	} else {
		struct op_set_ipv6 *op = xlate_put_op(ctx, OP_SET_IPV6, sizeof *op);

		op->proto = ctx->flow.nw_proto;
		op->proto_mask = UINT8_MAX;
	}
	ctx->base.nw_proto = ctx->flow.nw_proto;
}

static void xlate_put_mpls_bos(struct xlate_ctx *ctx)
{
	struct op_mpls *op = xlate_put_op(ctx, OP_SET_MPLS, sizeof *op);

	op->ethertype = ctx->base.dl_type;
	op->mask = htobe32(MPLS_BOS_MASK);
	op->lse = ctx->flow.mpls_lse[0] & op->mask;
	ctx->base.mpls_lse[0] = ctx->flow.mpls_lse[0];
}

static void xlate_after_write(struct xlate_ctx *ctx, const struct field *field)
{
	if (!is_shape_field(field))
		return;
	if (ctx->flow.dl_type != ctx->base.dl_type)
		xlate_put_eth_type(ctx);
	else if (field->id == FIELD_IP_PROTO && ctx->flow.nw_proto != ctx->base.nw_proto)
		xlate_put_ip_proto(ctx);
	else if (ctx->flow.mpls_lse[0] != ctx->base.mpls_lse[0])
		xlate_put_mpls_bos(ctx);
	else
		return;
	ctx->irreversible = true;
	xlate_freeze(ctx);
}

void xlate_set_field(struct xlate_ctx *ctx, const struct act_set_field *act)
{
	union field_value value, mask;
	size_t n = act->field->n_bytes;

	if (!field_prereqs_ok(act->field, &ctx->flow, ctx->wc)) {
		xlate_report(ctx, XLATE_REPORT_WARN, "unmet prerequisites for %s, set_field ignored",
			act->field->name);
		return;
	}
	memcpy(&value, act_set_field_value(act), n);
	memcpy(&mask, act_set_field_mask(act), n);
	field_unwildcard_masked(act->field, &mask, ctx->wc);
	xlate_before_write(ctx, act->field);
	field_set_masked(act->field, &value, &mask, &ctx->flow);
	xlate_after_write(ctx, act->field);
}

void xlate_reg_move(struct xlate_ctx *ctx, const struct act_reg_move *act)
{
	if (!field_prereqs_ok(act->dst.field, &ctx->flow, ctx->wc) ||
		!field_prereqs_ok(act->src.field, &ctx->flow, ctx->wc))
		return;
	subfield_unwildcard(&act->dst, ctx->wc);
	subfield_unwildcard(&act->src, ctx->wc);
	xlate_before_write(ctx, act->dst.field);
	subfield_move(&act->src, &act->dst, &ctx->flow);
	xlate_report_field(ctx, &act->dst);
	xlate_after_write(ctx, act->dst.field);
}

void xlate_load(struct xlate_ctx *ctx, const struct subfield *sf, uint64_t value)
{
	if (!field_prereqs_ok(sf->field, &ctx->flow, ctx->wc))
		return;
	subfield_unwildcard(sf, ctx->wc);
	xlate_before_write(ctx, sf->field);
	subfield_write_u64(sf, value, &ctx->flow);
	xlate_report_field(ctx, sf);
	xlate_after_write(ctx, sf->field);
}

void xlate_delete_field(struct xlate_ctx *ctx, const struct act_field *act)
{
	unsigned int i = act->field->id - FIELD_TUN_METADATA0;

	/* Only options of a tunnel header may be deleted. */
	if (i >= FLOW_TUN_METADATA_OPTS)
		return;
	ctx->wc->tun_metadata.present |= UINT64_C(1) << i;
	if (ctx->flow.tun_metadata.present & UINT64_C(1) << i) {
		union field_value zero;

		memset(&zero, 0, sizeof zero);
		field_set(act->field, &zero, &ctx->flow);
		ctx->flow.tun_metadata.present &= ~(UINT64_C(1) << i);
	}
	xlate_report(ctx, XLATE_REPORT_DETAIL, "delete %s", act->field->name);
}

/* ---------------------------------------------------------------- stack */

/* On the stack: the bits, right-justified in as few bytes as hold them, then how many bytes. */

void xlate_stack_push(struct xlate_ctx *ctx, const struct act_stack *act)
{
	const struct subfield *sf = &act->subfield;
	uint8_t n = DIV_ROUND_UP(sf->n_bits, 8);
	union field_value value;

	subfield_unwildcard(sf, ctx->wc);
	subfield_read(sf, &ctx->flow, &value);
	xlate_buf_put(ctx, &ctx->stack, value.b + sf->field->n_bytes - n, n);
	xlate_buf_put(ctx, &ctx->stack, &n, 1);
}

void xlate_stack_pop(struct xlate_ctx *ctx, const struct act_stack *act)
{
	const struct subfield *sf = &act->subfield;
	unsigned int width = sf->field->n_bytes;
	uint8_t value[sizeof(union field_value)];
	union field_value out;
	unsigned int n;

	if (!ctx->stack.len) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "stack underflow");
		return;
	}
	n = (uint8_t)ctx->stack.data[ctx->stack.len - 1];
	ctx->stack.len -= n + 1;
	memset(value, 0, sizeof value);
	memcpy(value + sizeof value - n, ctx->stack.data + ctx->stack.len, n);
	if (!field_prereqs_ok(sf->field, &ctx->flow, ctx->wc))
		return;
	memset(&out, 0, sizeof out);
	field_bitwise_copy(value, sizeof value, 0, &out, width, 0, sf->n_bits);
	subfield_unwildcard(sf, ctx->wc);
	xlate_before_write(ctx, sf->field);
	subfield_write(sf, &out, &ctx->flow);
	xlate_report_field(ctx, sf);
	xlate_after_write(ctx, sf->field);
}

/* ---------------------------------------------------------------- the rest */

void xlate_output_reg(struct xlate_ctx *ctx, const struct act_output_reg *act, bool is_last)
{
	uint64_t port = subfield_read_u64(&act->src, &ctx->flow);

	subfield_unwildcard(&act->src, ctx->wc);
	if (port > UINT16_MAX) {
		xlate_report(ctx, XLATE_REPORT_WARN, "output port %llu is out of range",
			(unsigned long long)port);
		return;
	}
	xlate_report(ctx, XLATE_REPORT_DETAIL, "output port is %llu", (unsigned long long)port);
	xlate_output(ctx, ofp_port_from_u16(port), act->max_len, false, is_last, false);
}

void xlate_fin_timeout(struct xlate_ctx *ctx, const struct act_fin_timeout *act)
{
	be16 bits = htobe16(TCP_FIN | TCP_RST);

	ctx->wc->nw_proto = 0xff;
	if (!xlate_is_ip(&ctx->flow) || ctx->flow.nw_proto != IP_P_TCP)
		return;
	ctx->wc->tcp_flags |= bits;
	if ((ctx->flow.tcp_flags & bits) && ctx->rule && ctx->sink && ctx->sink->fin_timeout)
		ctx->sink->fin_timeout(ctx->sink, ctx->rule, act);
}

void xlate_sample(struct xlate_ctx *ctx, const struct act_sample *act)
{
	struct op_sample *op;

	xlate_commit(ctx);
	op = xlate_put_op(ctx, OP_SAMPLE, sizeof *op);
	op->probability = act->probability;
	op->collector_set_id = act->collector_set_id;
	op->obs_domain_id = act->obs_domain_id;
	op->obs_point_id = act->obs_point_id;
}

static bool meter_remarks(const struct pl_meter *meter)
{
	for (unsigned int i = 0; i < meter->n_bands; i++)
		if (meter->bands[i].type == METER_BAND_DSCP_REMARK)
			return true;
	return false;
}

void xlate_meter(struct xlate_ctx *ctx, uint32_t meter_id)
{
	const struct pl_meter *meter;
	struct op_meter *op;

	xlate_depend(ctx, dep_meter(ctx->bridge->id, meter_id));
	meter = pl_meter_lookup(ctx->bridge, meter_id);
	if (!meter)
		return;
	if (meter_remarks(meter) && xlate_is_ip(&ctx->flow)) {
		xlate_commit(ctx);
		ctx->stale |= STALE_DSCP;
	}
	op = xlate_put_op(ctx, OP_METER, sizeof *op);
	op->bridge = ctx->bridge->id;
	op->meter = meter_id;
	ctx->irreversible = true;
}

/* One of the two ways of a length check: REST with DST set to LARGER, in a program of its own. */
static void xlate_check_branch(struct xlate_ctx *ctx, const struct subfield *dst, bool larger,
	const struct act *rest, uint32_t rest_len)
{
	struct xlate_buf old_stack = ctx->stack, old_set = ctx->action_set;
	struct xlate_mark mark = xlate_mark(ctx);
	bool old_has_group = ctx->action_set_has_group;
	unsigned int old_stale = ctx->stale;
	struct flow *old = xlate_alloc(ctx, 2 * sizeof *old);
	size_t nest;

	old[0] = ctx->flow;
	old[1] = ctx->base;
	ctx->stack = xlate_buf_clone(ctx, &old_stack);
	ctx->action_set = xlate_buf_clone(ctx, &old_set);
	subfield_write_u64(dst, larger, &ctx->flow);

	nest = program_nest_begin(&ctx->out->program, OP_CLONE, sizeof(struct op_nest));
	if (rest_len)
		xlate_acts(ctx, rest, rest_len, true, ctx->in_bucket);
	xlate_finish_pipeline(ctx);
	program_nest_end(&ctx->out->program, nest);

	ctx->stack = old_stack;
	ctx->action_set = old_set;
	ctx->action_set_has_group = old_has_group;
	ctx->stale = old_stale;
	ctx->flow = old[0];
	ctx->base = old[1];
	xlate_release(ctx, mark);
}

void xlate_check_pkt_larger(struct xlate_ctx *ctx, const struct act_check_pkt_larger *act,
	const struct act *rest, uint32_t rest_len)
{
	bool old_exit = ctx->exit;
	struct op_check_len *op;
	size_t nest;

	xlate_commit(ctx);
	nest = program_nest_begin(&ctx->out->program, OP_CHECK_LEN, sizeof *op);
	op = program_at(&ctx->out->program, nest);
	op->frame_len = act->pkt_len;
	xlate_check_branch(ctx, &act->dst, true, rest, rest_len);
	ctx->exit = old_exit;
	if (!ctx->error && !ctx->stop)
		xlate_check_branch(ctx, &act->dst, false, rest, rest_len);
	program_nest_end(&ctx->out->program, nest);
	ctx->exit = old_exit;
}
