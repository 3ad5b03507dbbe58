/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/coverage.h"
#include "lib/headers.h"

COVERAGE_DEFINE(xlate_actions);

/* What a lookup came to. */
enum lookup_result {
	LOOKUP_RULE,
	LOOKUP_PACKET_IN,	/* Nothing matched, and the controller is to hear of it. */
	LOOKUP_NONE,
	LOOKUP_FRAGMENT,	/* The bridge drops fragments. */
};

static const char *const lookup_texts[] = {
	[LOOKUP_PACKET_IN] = "No match, and a \"packet-in\" is called for.",
	[LOOKUP_NONE] = "No match.",
	[LOOKUP_FRAGMENT] = "Packets are IP fragments and the fragment handling mode is \"drop\".",
};

/* As Open vSwitch writes it: in a bridge that a patch port leads to a miss is one of its hidden rules. */
static const char *const lookup_rules[] = {
	[LOOKUP_PACKET_IN] = "reg0=0x1, priority 0",
	[LOOKUP_NONE] = "reg0=0x2, priority 0",
	[LOOKUP_FRAGMENT] = "reg0=0x3, priority 0",
};

static void xlate_report_no_rule(struct xlate_ctx *ctx, enum lookup_result result, uint8_t table_id)
{
	bool first = ctx->bridge == ctx->in->bridge;

	xlate_report_miss(ctx, first ? lookup_texts[result] : lookup_rules[result], table_id);
}

void xlate_bridge_enter(struct xlate_ctx *ctx, struct pl_bridge *bridge)
{
	ctx->bridge = bridge;
	ctx->conf = pl_bridge_conf(bridge);
	field_tlv_use(rcu_get(&bridge->tun_table));
	xlate_depend(ctx, dep_bridge(bridge->id));
}

bool xlate_may_recurse(struct xlate_ctx *ctx)
{
	if (ctx->depth >= XLATE_MAX_DEPTH) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "over max translation depth %d",
			XLATE_MAX_DEPTH);
		xlate_fail(ctx, DROP_RESUBMIT_DEPTH);
	} else if (ctx->n_lookups >= XLATE_MAX_RESUBMITS) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "over %d resubmit actions",
			XLATE_MAX_RESUBMITS);
		xlate_fail(ctx, DROP_RESUBMIT_COUNT);
	} else if (ctx->stack.len >= XLATE_MAX_STACK) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "resubmits yielded over 64 kB of stack");
		xlate_fail(ctx, DROP_STACK_DEPTH);
	} else if (ctx->out->program.buf.len > XLATE_MAX_PROGRAM) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "resubmits yielded too many actions");
		ctx->exit = true;
		return false;
	} else {
		return true;
	}
	return false;
}

/* ---------------------------------------------------------------- lookup */

/* Whether what is found in TABLE depends on the DSCP. */
static bool xlate_lookup_reads_dscp(struct xlate_ctx *ctx, const struct pl_table *table)
{
	struct xlate_mark mark = xlate_mark(ctx);
	struct flow *wc = xlate_alloc(ctx, sizeof *wc);
	bool reads;

	*wc = *ctx->wc;
	wc->nw_tos &= (uint8_t)~IP_DSCP_MASK;
	classifier_lookup(table->cls, ctx->version, &ctx->flow, wc, NULL);
	reads = wc->nw_tos & IP_DSCP_MASK;
	xlate_release(ctx, mark);
	return reads;
}

static const struct pl_rule *xlate_lookup_one(struct xlate_ctx *ctx, uint8_t table_id)
{
	const struct pl_table *table = &ctx->bridge->tables[table_id];
	const struct cls_rule *cr;
	uint16_t deps[2];
	unsigned int n_deps;

	if (ctx->stale & STALE_DSCP && xlate_lookup_reads_dscp(ctx, table)) {
		xlate_freeze(ctx);
		return NULL;
	}
	cr = classifier_lookup(table->cls, ctx->version, &ctx->flow, ctx->wc, NULL);
	n_deps = pl_table_deps(ctx->bridge, table_id, &ctx->flow, ctx->wc, deps);
	for (unsigned int i = 0; i < n_deps; i++)
		xlate_depend(ctx, deps[i]);
	if (!cr) {
		xlate_count(ctx, table->miss_counter);
		return NULL;
	}
	return container_of(cr, struct pl_rule, cr);
}

/* In *TABLE_ID, and in those after it that a miss goes on in; leaves the last one there. */
static const struct pl_rule *xlate_lookup_tables(struct xlate_ctx *ctx, uint8_t *table_id,
	bool honor_miss, enum pl_miss *miss)
{
	const struct pl_rule *rule;
	unsigned int next;

	*miss = PL_MISS_CONTINUE;
	for (next = *table_id; next < PL_N_TABLES; next++, next += next == PL_TABLE_INTERNAL) {
		*table_id = next;
		rule = xlate_lookup_one(ctx, next);
		if (rule || ctx->freezing)
			return rule;
		if (!honor_miss)
			break;
		*miss = atomic_load_explicit(&ctx->bridge->tables[next].miss, memory_order_relaxed);
		if (*miss != PL_MISS_CONTINUE)
			break;
	}
	return NULL;
}

static bool xlate_miss_goes_up(struct xlate_ctx *ctx, enum pl_miss miss)
{
	const struct pl_port *port;

	if (miss != PL_MISS_CONTINUE && miss != PL_MISS_CONTROLLER)
		return false;
	port = xlate_port(ctx, ctx->flow.in_port);
	return port && !(port->config & PL_PORT_NO_PACKET_IN);
}

static enum lookup_result xlate_lookup(struct xlate_ctx *ctx, ofp_port_t in_port,
	uint8_t *table_id, bool may_packet_in, bool honor_miss, const struct pl_rule **rule)
{
	struct flow *flow = &ctx->flow;
	be16 tp_src = flow->tp_src, tp_dst = flow->tp_dst;
	ofp_port_t old_in_port = flow->in_port;
	enum pl_miss miss;

	*rule = NULL;
	ctx->deep |= ctx->conf->frag_drop;
	if (flow->nw_frag & FLOW_NW_FRAG_ANY && !ctx->conf->frag_ports) {
		if (ctx->conf->frag_drop)
			return LOOKUP_FRAGMENT;
		/* OFPC_FRAG_NORMAL: a fragment has no ports. */
		flow->tp_src = 0;
		flow->tp_dst = 0;
	}
	flow->in_port = in_port;
	*rule = xlate_lookup_tables(ctx, table_id, honor_miss, &miss);
	flow->in_port = old_in_port;
	flow->tp_src = tp_src;
	flow->tp_dst = tp_dst;

	if (*rule) {
		xlate_count(ctx, (*rule)->counter);
		return LOOKUP_RULE;
	}
	return may_packet_in && xlate_miss_goes_up(ctx, miss) ? LOOKUP_PACKET_IN : LOOKUP_NONE;
}

/* ---------------------------------------------------------------- running what was found */

static void xlate_run_rule(struct xlate_ctx *ctx, const struct pl_rule *rule, bool is_last,
	bool as_clone)
{
	const struct pl_actions *actions =
		atomic_load_explicit(&rule->actions, memory_order_acquire);

	ctx->rule = rule;
	ctx->rule_cookie = atomic_load_explicit(&rule->cookie, memory_order_relaxed);
	if (as_clone)
		xlate_acts_cloned(ctx, actions->acts, actions->len, is_last);
	else
		xlate_acts(ctx, actions->acts, actions->len, is_last, false);
}

static void xlate_run_miss(struct xlate_ctx *ctx, enum lookup_result result)
{
	ctx->rule = NULL;
	ctx->rule_cookie = 0;
	if (result == LOOKUP_PACKET_IN)
		xlate_controller(ctx, UINT16_MAX, PUNT_IMPLICIT_MISS, 0, 0, NULL, 0);
	else
		xlate_drop(ctx, result == LOOKUP_FRAGMENT ? DROP_RX_FRAGMENT : DROP_TABLE_MISS);
}

void xlate_table(struct xlate_ctx *ctx, ofp_port_t in_port, uint8_t table_id, bool may_packet_in,
	bool honor_miss, bool is_last, bool as_clone)
{
	const struct pl_rule *old_rule = ctx->rule, *rule;
	be64 old_cookie = ctx->rule_cookie;
	uint8_t old_table_id = ctx->table_id;
	bool deepens = table_id <= old_table_id;
	enum lookup_result result;

	if (ctx->stale & STALE_L3) {
		xlate_freeze(ctx);
		return;
	}
	if (!xlate_may_recurse(ctx))
		return;

	ctx->table_id = table_id;
	result = xlate_lookup(ctx, in_port, &ctx->table_id, may_packet_in, honor_miss, &rule);
	if (ctx->freezing) {
		ctx->table_id = old_table_id;
		return;
	}
	if (rule)
		xlate_report_table(ctx, rule, table_id);
	else
		xlate_report_no_rule(ctx, result, table_id);
	ctx->trace_depth++;
	ctx->n_lookups++;
	ctx->depth += deepens;
	if (rule)
		xlate_run_rule(ctx, rule, is_last, as_clone);
	else
		xlate_run_miss(ctx, result);
	ctx->depth -= deepens;
	ctx->trace_depth--;
	ctx->rule = old_rule;
	ctx->rule_cookie = old_cookie;
	ctx->table_id = old_table_id;
}

/* ---------------------------------------------------------------- reception */

bool xlate_may_receive(struct xlate_ctx *ctx, const struct pl_port *port)
{
	uint32_t blocked = PL_PORT_NO_RECV;

	if (port->config & (PL_PORT_NO_RECV | PL_PORT_NO_RECV_STP)) {
		memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
		if (xlate_is_bpdu(&ctx->flow))
			blocked = PL_PORT_NO_RECV_STP;
	}
	if (port->config & blocked) {
		xlate_drop(ctx, DROP_RX_PORT_DOWN);
		return false;
	}
	/* A port that only learns lets NORMAL look at the packet before it is dropped. */
	if (!(port->stp & (PL_PORT_LEARNS | PL_PORT_FORWARDS))) {
		xlate_drop(ctx, DROP_RX_STP);
		return false;
	}
	return true;
}

bool xlate_special(struct xlate_ctx *ctx, const struct pl_port *port)
{
	struct op_l2_proto *op;

	if (!port || !ctx->conf->stp)
		return false;
	memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
	if (!xlate_is_bpdu(&ctx->flow))
		return false;
	xlate_commit(ctx);
	op = xlate_put_op(ctx, OP_L2_PROTO, sizeof *op);
	op->kind = L2_PROTO_STP;
	op->port = port->dp_port;
	ctx->n_results++;
	return true;
}

static enum xlate_depth wc_depth(const struct flow *wc, bool deep)
{
	static const struct flow_vlan no_vlans[FLOW_MAX_VLANS];
	bool ethernet = wc->dl_type || memcmp(wc->vlans, no_vlans, sizeof no_vlans) ||
		!eth_addr_is_zero(wc->dl_dst) || !eth_addr_is_zero(wc->dl_src);
	struct flow rest = *wc;
	uint64_t bits = 0;

	rest.in_port = 0;
	rest.dl_type = 0;
	memset(&rest.dl_dst, 0, sizeof rest.dl_dst);
	memset(&rest.dl_src, 0, sizeof rest.dl_src);
	memset(&rest.vlans, 0, sizeof rest.vlans);
	for (size_t i = 0; i < FLOW_WORDS; i++)
		bits |= flow_words(&rest)[i];
	return deep || bits ? XLATE_ALL : ethernet ? XLATE_ETHERNET : XLATE_PORT;
}

/* Fields that are said to be looked at whatever the tables say. */
static void wc_add_defaults(const struct flow *flow, struct flow *wc)
{
	wc->in_port = UINT32_MAX;
	wc->dl_type = BE16_MAX;
	if (xlate_is_ip(flow))
		wc->nw_frag = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
}

enum xlate_depth xlate_wc_end(const struct flow *flow, struct flow *wc, bool deep)
{
	enum xlate_depth depth;

	wc->metadata = 0;
	memset(wc->regs, 0, sizeof wc->regs);
	wc->actset_output = 0;
	wc->conj_id = 0;
	wc->recirc_id = 0;
	wc->dp_hash = 0;
	wc->packet_type = 0;
	memset(&wc->ct_state, 0, offsetof(struct flow, dl_dst) - offsetof(struct flow, ct_state));
	/* ICMP's type and code are a byte each; later fragments have neither ports nor these. */
	if (xlate_is_ip(flow) && (flow->nw_proto == IP_P_ICMP || flow->nw_proto == IP_P_ICMPV6)) {
		wc->tp_src &= htobe16(0xff);
		wc->tp_dst &= htobe16(0xff);
	}
	if (!eth_type_is_mpls(flow->dl_type))
		memset(wc->mpls_lse, 0, sizeof wc->mpls_lse);
	if (!flow_tnl_is_set(&flow->tunnel)) {
		memset(&wc->tunnel, 0, sizeof wc->tunnel);
		memset(&wc->tun_metadata, 0, sizeof wc->tun_metadata);
	}
	depth = wc_depth(wc, deep);
	wc_add_defaults(flow, wc);
	return depth;
}

static void xlate_ctx_init(struct xlate_ctx *ctx, const struct xlate_in *in, struct xlate_out *out)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->in = in;
	ctx->out = out;
	ctx->sink = in->sink;
	ctx->flow = *in->flow;
	if (!in->resume)
		ctx->flow.actset_output = OFPP_UNSET;
	xlate_measure(ctx);
	ctx->measure.byte_delta = 0;
	ctx->base = ctx->flow;
	memset(&ctx->base.tunnel, 0, sizeof ctx->base.tunnel);
	memset(&ctx->base.tun_metadata, 0, sizeof ctx->base.tun_metadata);
	ctx->version = in->version;
	ctx->wc = &out->wc;
	ctx->table_id = in->table_id;
	ctx->rule_cookie = BE64_MAX;
	ctx->in_packet_out = in->acts && !in->resume;
	ctx->orig_queue = in->flow->queue;
	if (in->flow->tunnel.ip_dst) {
		ctx->orig_tunnel_dst.w32[2] = htobe32(0xffff);
		ctx->orig_tunnel_dst.w32[3] = in->flow->tunnel.ip_dst;
	} else {
		ctx->orig_tunnel_dst = in->flow->tunnel.ipv6_dst;
	}
}

static void xlate_out_clear(struct xlate_out *out)
{
	program_builder_clear(&out->program);
	memset(&out->wc, 0, sizeof out->wc);
	out->depth = XLATE_ALL;
	out->seq = dep_seq();
	out->n_deps = 0;
	out->n_counters = 0;
	out->n_refreshes = 0;
	out->drop = DROP_NONE;
	out->cacheable = true;
	out->to_control = false;
	out->arena->current = NULL;
	out->arena->used = 0;
}

/* Runs the pipeline for a packet that may come in. */
static void xlate_received(struct xlate_ctx *ctx, const struct pl_port *in_port,
	const struct pl_rule *rule, enum lookup_result result, const struct act *acts,
	uint32_t acts_len)
{
	xlate_mirror_ingress(ctx);
	if (acts)
		xlate_acts(ctx, acts, acts_len, true, false);
	else if (rule)
		xlate_run_rule(ctx, rule, true, false);
	else
		xlate_run_miss(ctx, result);
	if (ctx->error || ctx->stop)
		return;

	if (in_port && !(in_port->stp & PL_PORT_FORWARDS)) {
		/* NORMAL and learn have seen it; that was all. */
		program_builder_clear(&ctx->out->program);
		xlate_freeze_cancel(ctx);
		ctx->n_results = 0;
		xlate_drop(ctx, DROP_RX_STP);
		return;
	}
	xlate_finish_pipeline(ctx);
}

static bool xlate_is_mirror_output(const struct xlate_ctx *ctx, const struct pl_port *port)
{
	return port && port->bundle < ctx->conf->n_bundles &&
		ctx->conf->bundles[port->bundle].mirror_output;
}

static void xlate_start(struct xlate_ctx *ctx, const struct act *acts, uint32_t acts_len)
{
	const struct pl_port *in_port = xlate_port(ctx, ctx->flow.in_port);
	enum lookup_result result = LOOKUP_NONE;
	const struct pl_rule *rule = NULL;

	if (in_port && in_port->is_underlay) {
		if (!xlate_tunnel_terminate(ctx, in_port))
			xlate_drop(ctx, DROP_TNL_NO_PORT);
		return;
	}
	if (!acts) {
		uint8_t table_id = ctx->table_id;

		result = xlate_lookup(ctx, ctx->flow.in_port, &ctx->table_id, true, true, &rule);
		if (rule)
			xlate_report_table(ctx, rule, ctx->table_id);
		else
			xlate_report_no_rule(ctx, result, table_id);
		ctx->trace_depth++;
	}
	if (in_port && !ctx->in->resume && in_port->kind == PL_PORT_TUNNEL)
		xlate_count(ctx, in_port->rx_counter);

	if (!ctx->in->resume && xlate_special(ctx, in_port)) {
		xlate_mirror_ingress(ctx);
	} else if (xlate_is_mirror_output(ctx, in_port)) {
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"dropping packet received on port %s, which is reserved exclusively for "
			"mirroring", ctx->conf->bundles[in_port->bundle].name);
		xlate_drop(ctx, DROP_NORMAL_MIRROR_OUTPUT_PORT);
	} else if (xlate_tunnel_input(ctx) && (!in_port || xlate_may_receive(ctx, in_port))) {
		xlate_received(ctx, in_port, rule, result, acts, acts_len);
	}
}

static void xlate_end(struct xlate_ctx *ctx)
{
	struct xlate_out *out = ctx->out;
	struct op_u32 *op;

	if (ctx->in->resume)
		wc_add_defaults(ctx->in->flow, &out->wc);
	else
		out->depth = xlate_wc_end(ctx->in->flow, &out->wc, ctx->deep);
	if (ctx->stop) {
		program_builder_clear(&out->program);
		out->to_control = true;
		out->cacheable = false;
		return;
	}
	if (ctx->error) {
		program_builder_clear(&out->program);
		ctx->n_results = 0;
		ctx->drop = ctx->error;
	}
	if (!ctx->n_results) {
		out->drop = ctx->drop ? ctx->drop : DROP_ACTION;
		op = program_put(&out->program, OP_DROP, sizeof *op);
		op->value = out->drop;
	}
}

void translate(const struct xlate_in *in, struct xlate_out *out)
{
	const struct field_tlv_map *old_map = field_tlv_current();
	const struct act *acts = in->acts;
	uint32_t acts_len = in->acts_len;
	struct xlate_ctx ctx;

	COVERAGE_INC(xlate_actions);
	xlate_out_clear(out);
	xlate_ctx_init(&ctx, in, out);
	xlate_bridge_enter(&ctx, in->bridge);
	xlate_report(&ctx, XLATE_REPORT_BRIDGE, "bridge(\"%s\")", ctx.bridge->name);
	ctx.trace_depth++;
	if (in->resume)
		xlate_thaw(&ctx, in->resume, &acts, &acts_len);
	if (in->in_port)
		xlate_depend(&ctx, dep_port(in->in_port->dp_port));
	xlate_start(&ctx, acts, acts_len);
	if (in->final_flow)
		*in->final_flow = ctx.flow;
	xlate_end(&ctx);
	field_tlv_use(old_map);
}
