/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* ---------------------------------------------------------------- to the controller */

void xlate_punt(struct xlate_ctx *ctx, uint16_t max_len, uint8_t reason, uint16_t controller_id,
	uint32_t meter_id, const uint8_t *userdata, uint16_t userdata_len, const void *resume,
	uint32_t resume_len)
{
	size_t padded = ROUND_UP(userdata_len, OP_ALIGN);
	struct op_punt *op = xlate_put_op(ctx, OP_PUNT, sizeof *op + padded + resume_len);
	struct flow *metadata = &op->metadata;

	op->bridge = ctx->bridge->id;
	op->max_len = max_len;
	op->controller_id = controller_id;
	op->reason = reason;
	op->table_id = ctx->table_id;
	op->userdata_len = userdata_len;
	op->meter_id = meter_id;
	op->pause_len = resume_len;
	op->cookie = ctx->rule_cookie;
	memcpy(metadata, &ctx->flow, offsetof(struct flow, dl_dst));
	metadata->tunnel = ctx->flow.tunnel;
	metadata->tun_metadata = ctx->flow.tun_metadata;
	if (userdata_len)
		memcpy(op + 1, userdata, userdata_len);
	if (resume_len)
		memcpy((char *)(op + 1) + padded, resume, resume_len);
	ctx->n_results++;
}

void xlate_controller(struct xlate_ctx *ctx, uint16_t max_len, uint8_t reason,
	uint16_t controller_id, uint32_t meter_id, const uint8_t *userdata, uint16_t userdata_len)
{
	xlate_commit(ctx);
	if (reason == PUNT_ACTION && ctx->rule && ctx->rule->is_table_miss)
		reason = PUNT_EXPLICIT_MISS;
	xlate_punt(ctx, max_len, reason, controller_id, meter_id, userdata, userdata_len, NULL, 0);
}

/* ---------------------------------------------------------------- into another bridge */

/* What a packet does not take along from bridge to bridge. */
static void xlate_forget_metadata(struct xlate_ctx *ctx, ofp_port_t in_port)
{
	struct flow *flow = &ctx->flow;

	flow->in_port = in_port;
	flow->metadata = 0;
	memset(flow->regs, 0, sizeof flow->regs);
	memset(&flow->tunnel, 0, sizeof flow->tunnel);
	memset(&flow->tun_metadata, 0, sizeof flow->tun_metadata);
	flow->actset_output = OFPP_UNSET;
	memset(&flow->ct_state, 0,
		offsetof(struct flow, dl_dst) - offsetof(struct flow, ct_state));
}

static void xlate_patch_in(struct xlate_ctx *ctx, const struct pl_port *peer, bool is_last)
{
	struct xlate_mark mark = xlate_mark(ctx);
	size_t old_len = ctx->out->program.buf.len;
	uint32_t old_mirrors = ctx->mirrors, old_results = ctx->n_results;
	struct flow *old_base;

	if (xlate_special(ctx, peer) || !xlate_may_receive(ctx, peer))
		return;
	if (peer->stp & PL_PORT_FORWARDS) {
		xlate_table(ctx, ctx->flow.in_port, 0, true, true, is_last, true);
		xlate_finish_pipeline(ctx);
		return;
	}
	/* Only learning: NORMAL has a look, and it is as if nothing had been. */
	old_base = xlate_alloc(ctx, sizeof *old_base);
	*old_base = ctx->base;
	xlate_table(ctx, ctx->flow.in_port, 0, true, true, is_last, true);
	xlate_freeze_cancel(ctx);
	ctx->mirrors = old_mirrors;
	ctx->n_results = old_results;
	ctx->base = *old_base;
	sbuf_truncate(&ctx->out->program.buf, old_len);
	xlate_drop(ctx, DROP_RX_STP);
	xlate_release(ctx, mark);
}

void xlate_patch(struct xlate_ctx *ctx, const struct pl_port *out, const struct pl_port *peer,
	bool is_last)
{
	struct pl_bridge *old_bridge = ctx->bridge;
	struct xlate_mark mark = xlate_mark(ctx);
	struct xlate_buf old_stack = ctx->stack, old_set = ctx->action_set;
	bool old_has_group = ctx->action_set_has_group;
	unsigned int old_stale = ctx->stale;
	uint32_t old_mirrors = ctx->mirrors;
	version_t old_version = ctx->version;
	struct flow *old_flow = xlate_alloc(ctx, sizeof *old_flow);
	struct flow_tnl *old_tunnel_wc = xlate_alloc(ctx, sizeof *old_tunnel_wc);
	struct xlate_copy copy = xlate_copy_begin(ctx);

	*old_flow = ctx->flow;
	*old_tunnel_wc = ctx->wc->tunnel;
	ctx->stack = ctx->action_set = (struct xlate_buf){0};
	ctx->action_set_has_group = false;
	if (peer->bridge != old_bridge)
		ctx->mirrors = 0;
	xlate_bridge_enter(ctx, peer->bridge);
	/* As in Open vSwitch: what a packet has learned shows to itself on entering a bridge, and not
	 * before. */
	if (ctx->wrote)
		ctx->version = version_get();
	peer = xlate_port(ctx, peer->ofp_port);
	xlate_report(ctx, XLATE_REPORT_BRIDGE, "bridge(\"%s\")", ctx->bridge->name);
	ctx->trace_depth++;
	if (peer) {
		xlate_forget_metadata(ctx, peer->ofp_port);
		memset(&ctx->wc->tunnel, 0, sizeof ctx->wc->tunnel);
		xlate_patch_in(ctx, peer, is_last);
		if (out->kind == PL_PORT_PATCH)
			xlate_count(ctx, peer->rx_counter);
	}
	ctx->trace_depth--;
	xlate_copy_end(ctx, &copy, is_last);

	if (peer && peer->bridge != old_bridge)
		ctx->mirrors = old_mirrors;
	xlate_bridge_enter(ctx, old_bridge);
	ctx->version = old_version;
	ctx->flow = *old_flow;
	ctx->wc->tunnel = *old_tunnel_wc;
	ctx->stack = old_stack;
	ctx->action_set = old_set;
	ctx->action_set_has_group = old_has_group;
	ctx->stale = old_stale;
	/* What ends there goes on here. */
	xlate_freeze_cancel(ctx);
	ctx->exit = false;
	ctx->error = DROP_NONE;
	if (out->kind == PL_PORT_PATCH)
		xlate_count(ctx, out->tx_counter);
	xlate_release(ctx, mark);
}

/* ---------------------------------------------------------------- to a port */

static bool xlate_is_protected(struct xlate_ctx *ctx, const struct pl_port *out)
{
	const struct pl_port *in = xlate_port(ctx, ctx->flow.in_port);
	const struct pl_bundle *bundles = ctx->conf->bundles;

	return in && in->bundle < ctx->conf->n_bundles && out->bundle < ctx->conf->n_bundles &&
		bundles[in->bundle].protected && bundles[out->bundle].protected;
}

static bool xlate_may_output(struct xlate_ctx *ctx, const struct pl_port *port, bool check_stp)
{
	if (!port) {
		xlate_report(ctx, XLATE_REPORT_WARN, "Nonexistent output port");
		xlate_drop(ctx, DROP_NO_SUCH_PORT);
		return false;
	}
	if (port->config & PL_PORT_NO_FWD) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "OFPPC_NO_FWD set, skipping output");
		xlate_drop(ctx, DROP_PORT_NO_FWD);
		return false;
	}
	if (ctx->mirror_snaplen && port->kind == PL_PORT_PATCH) {
		xlate_report(ctx, XLATE_REPORT_WARN,
			"Mirror truncate to ODPP_NONE, skipping output");
		return false;
	}
	if (xlate_is_protected(ctx, port)) {
		xlate_report(ctx, XLATE_REPORT_WARN,
			"Flow is between protected ports, skipping output.");
		xlate_drop(ctx, DROP_PORT_NO_FWD);
		return false;
	}
	if (check_stp && !(port->stp & PL_PORT_FORWARDS)) {
		memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
		if (!xlate_is_bpdu(&ctx->base)) {
			xlate_report(ctx, XLATE_REPORT_WARN,
				"STP not in forwarding state, skipping output");
			xlate_drop(ctx, DROP_PORT_NO_FWD);
			return false;
		}
	}
	return true;
}

static void xlate_put_truncate(struct xlate_ctx *ctx, uint32_t len)
{
	struct op_u32 *op = xlate_put_op(ctx, OP_TRUNCATE, sizeof *op);

	op->value = len;
}

static void xlate_output_device(struct xlate_ctx *ctx, const struct pl_port *port)
{
	struct op_output *op;

	/* An internal device may be in another namespace, whence news of its state comes late: its driver
	 * finds out. */
	if (port->config & PL_PORT_DOWN && !port->is_internal) {
		xlate_drop(ctx, DROP_TX_PORT_DOWN);
		return;
	}
	xlate_commit(ctx);
	if (xlate_tunnel_terminate(ctx, port))
		return;
	if (ctx->trunc)
		xlate_put_truncate(ctx, ctx->trunc);
	else if (ctx->mirror_snaplen)
		xlate_put_truncate(ctx, ctx->mirror_snaplen);
	op = xlate_put_op(ctx, OP_OUTPUT, sizeof *op);
	op->port = port->dp_port;
	ctx->n_results++;
}

static void xlate_output_patch(struct xlate_ctx *ctx, const struct pl_port *port, bool is_last)
{
	const struct pl_port *peer = port->peer ? pl_port_get(port->peer) : NULL;

	if (port->peer)
		xlate_depend(ctx, dep_port(port->peer));
	if (peer && peer->bridge)
		xlate_patch(ctx, port, peer, is_last);
	else
		xlate_drop(ctx, DROP_NO_SUCH_PORT);
}

void xlate_output_port(struct xlate_ctx *ctx, ofp_port_t ofp_port, bool check_stp, bool is_last,
	bool truncated)
{
	const struct pl_port *port = xlate_port(ctx, ofp_port);

	if (!xlate_may_output(ctx, port, check_stp))
		return;
	switch (port->kind) {
	case PL_PORT_PATCH:
		if (truncated)
			xlate_report(ctx, XLATE_REPORT_ERROR, "Cannot truncate output to patch port");
		xlate_output_patch(ctx, port, is_last);
		return;
	case PL_PORT_TUNNEL:
		xlate_tunnel_output(ctx, port, is_last, truncated);
		break;
	default:
		xlate_output_device(ctx, port);
		break;
	}
	ctx->trunc = 0;
	if (ctx->conf->n_mirrors && port->bundle < ctx->conf->n_bundles) {
		const struct pl_bundle *bundle = &ctx->conf->bundles[port->bundle];

		xlate_mirror(ctx, bundle, bundle->dst_mirrors);
	}
}

/* ---------------------------------------------------------------- the output action */

static void xlate_flood(struct xlate_ctx *ctx, bool all, bool is_last)
{
	const struct pl_bridge_conf *conf = ctx->conf;
	const struct pl_port *port, *last = NULL;

	xlate_depend_on_ports(ctx);
	for (size_t i = 0; i < conf->n_ports; i++) {
		port = &conf->ports[i];
		if (port->ofp_port == ctx->flow.in_port ||
			(!all && (port->config & PL_PORT_NO_FLOOD)))
			continue;
		if (last)
			xlate_output_port(ctx, last->ofp_port, !all, false, false);
		last = port;
	}
	if (last)
		xlate_output_port(ctx, last->ofp_port, !all, is_last, false);
	else
		xlate_drop(ctx, DROP_NO_OUTPUT);
}

static uint8_t xlate_controller_reason(const struct xlate_ctx *ctx)
{
	if (ctx->in_packet_out)
		return PUNT_PACKET_OUT;
	if (ctx->in_bucket)
		return PUNT_GROUP;
	return ctx->in_action_set ? PUNT_ACTION_SET : PUNT_ACTION;
}

static void xlate_skip_in_port(struct xlate_ctx *ctx)
{
	xlate_report(ctx, XLATE_REPORT_WARN, "skipping output to input port");
	xlate_drop(ctx, DROP_OUTPUT_TO_IN_PORT);
}

void xlate_output(struct xlate_ctx *ctx, ofp_port_t port, uint16_t max_len, bool may_packet_in,
	bool is_last, bool truncated)
{
	switch (port) {
	case OFPP_IN_PORT:
		xlate_output_port(ctx, ctx->flow.in_port, true, is_last, truncated);
		break;
	case OFPP_TABLE:
		xlate_table(ctx, ctx->flow.in_port, 0, may_packet_in, true, false, false);
		break;
	case OFPP_NORMAL:
		xlate_normal(ctx);
		break;
	case OFPP_FLOOD:
		xlate_flood(ctx, false, is_last);
		break;
	case OFPP_ALL:
		xlate_flood(ctx, true, is_last);
		break;
	case OFPP_CONTROLLER:
		xlate_controller(ctx, max_len, xlate_controller_reason(ctx), 0, 0, NULL, 0);
		break;
	case OFPP_NONE:
		break;
	default:
		if (port != ctx->flow.in_port)
			xlate_output_port(ctx, port, true, is_last, truncated);
		else
			xlate_skip_in_port(ctx);
		break;
	}
}

static int tag_bytes(const struct flow *flow)
{
	return 4 * (flow_n_vlans(flow) + flow_n_mpls(flow));
}

/* As in Open vSwitch the length is that of the packet as it left before (base): tags put on since come
 * on top, and those taken off are gone from it. */
static uint32_t trunc_len(const struct xlate_ctx *ctx, uint32_t max_len)
{
	int64_t len = (int64_t)max_len + tag_bytes(&ctx->flow) - tag_bytes(&ctx->base);

	return (uint32_t)MIN(MAX(len, 1), UINT32_MAX);
}

void xlate_output_trunc(struct xlate_ctx *ctx, const struct act_output *act, bool is_last)
{
	const struct pl_port *port;

	switch (act->port) {
	case OFPP_TABLE:
	case OFPP_NORMAL:
	case OFPP_FLOOD:
	case OFPP_ALL:
	case OFPP_CONTROLLER:
	case OFPP_NONE:
		xlate_report(ctx, XLATE_REPORT_WARN, "output_trunc does not support port: %u",
			act->port);
		return;
	case OFPP_IN_PORT:
		port = NULL;
		break;
	default:
		port = xlate_port(ctx, act->port);
		break;
	}
	if (act->port == ctx->flow.in_port) {
		xlate_skip_in_port(ctx);
		return;
	}
	if (!port || port->kind == PL_PORT_PATCH) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "output_trunc does not support patch port %u",
			act->port);
		xlate_drop(ctx, DROP_NO_SUCH_PORT);
		return;
	}
	ctx->trunc = trunc_len(ctx, act->trunc);
	xlate_output(ctx, act->port, 0, false, is_last, true);
	ctx->trunc = 0;
}

void xlate_enqueue(struct xlate_ctx *ctx, const struct act_enqueue *act, bool is_last)
{
	ofp_port_t port = act->port;
	uint32_t old_queue = ctx->flow.queue;

	if (port == OFPP_IN_PORT) {
		port = ctx->flow.in_port;
	} else if (port == ctx->flow.in_port) {
		xlate_skip_in_port(ctx);
		return;
	}
	ctx->flow.queue = act->queue + 1;
	xlate_output_port(ctx, port, true, is_last, false);
	ctx->flow.queue = old_queue;
}
