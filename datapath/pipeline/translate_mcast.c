/* SPDX-License-Identifier: Apache-2.0 */

/*
 * NORMAL's forwarding of IP multicast where snooping is on: to those who asked for the group, to
 * routers and flood ports; reports to routers only (RFC 4541, section 2.1). Messages of IGMP and MLD
 * go to the snooping engine too.
 */

#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* What a message is to a snooping bridge. */
enum mcast_kind { MCAST_DATA, MCAST_QUERY, MCAST_REPORT, MCAST_OTHER };

static enum mcast_kind igmp_kind(const struct flow *flow)
{
	switch (be16toh(flow->tp_src) & 0xff) {
	case IGMP_QUERY:
		return MCAST_QUERY;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
	case IGMP_V3_REPORT:
	case IGMP_LEAVE:
		return MCAST_REPORT;
	default:
		return MCAST_OTHER;
	}
}

static enum mcast_kind mld_kind(const struct flow *flow)
{
	switch (be16toh(flow->tp_src) & 0xff) {
	case MLD_QUERY:
		return MCAST_QUERY;
	case MLD_REPORT:
	case MLD_DONE:
	case MLD2_REPORT:
		return MCAST_REPORT;
	default:
		return MCAST_DATA;
	}
}

static void punt(struct xlate_ctx *ctx, enum l2_proto kind, uint16_t vlan)
{
	const struct pl_port *port = xlate_port(ctx, ctx->flow.in_port);
	struct op_l2_proto *op;

	if (!port)
		return;
	xlate_commit(ctx);
	op = xlate_put_op(ctx, OP_L2_PROTO, sizeof *op);
	op->kind = kind;
	op->port = port->dp_port;
	op->vlan = vlan;
	ctx->n_results++;
}

/* ---------------------------------------------------------------- where to */

/* Bundles that get the packet, each once. Grows in the arena's memory. */
struct mcast_out {
	const struct pl_bundle *in;
	uint16_t *bundles;
	uint32_t n, max;
};

static void add_bundle(struct mcast_out *out, uint16_t bundle)
{
	for (uint32_t i = 0; i < out->n; i++)
		if (out->bundles[i] == bundle)
			return;
	if (out->n < out->max)
		out->bundles[out->n++] = bundle;
}

/* WHAT names the kind of port in a trace; VLAN -1: any. */
static void add_members(struct xlate_ctx *ctx, struct mcast_out *out,
	const struct mcast_members *members, int vlan, const char *what)
{
	for (uint32_t i = 0; members && i < members->n; i++) {
		const struct mcast_member *m = &members->m[i];
		const struct pl_port *port = xlate_port(ctx, m->port);

		if (!port || port->bundle >= ctx->conf->n_bundles) {
			xlate_report(ctx, XLATE_REPORT_WARN, "mcast %s port is unknown, dropping", what);
		} else if (vlan >= 0 && m->vlan != vlan) {
			xlate_report(ctx, XLATE_REPORT_DETAIL,
				"mcast %s is on another vlan, dropping", what);
		} else if (&ctx->conf->bundles[port->bundle] == out->in) {
			xlate_report(ctx, XLATE_REPORT_DETAIL,
				"mcast %s port is input port, dropping", what);
		} else {
			xlate_report(ctx, XLATE_REPORT_DETAIL, "forwarding to mcast %s port", what);
			add_bundle(out, port->bundle);
		}
	}
}

static void send_out(struct xlate_ctx *ctx, const struct mcast_out *out, const struct xvlan *xvlan)
{
	if (!ctx->n_results)
		xlate_drop(ctx, DROP_NO_OUTPUT);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct pl_bundle *bundle = &ctx->conf->bundles[out->bundles[i]];

		if (bundle_includes_vlan(bundle, xvlan))
			xlate_output_bundle(ctx, bundle, xvlan);
	}
}

static struct mcast_out out_begin(struct xlate_ctx *ctx, const struct pl_bundle *in)
{
	uint32_t max = (uint32_t)ctx->conf->n_bundles;

	return (struct mcast_out) {
		.in = in,
		.bundles = xlate_alloc(ctx, max * sizeof(uint16_t)),
		.max = max,
	};
}

static void forward_report(struct xlate_ctx *ctx, const struct mcast_snooping *ms,
	const struct pl_bundle *in, const struct xvlan *xvlan)
{
	struct xlate_mark mark = xlate_mark(ctx);
	struct mcast_out out = out_begin(ctx, in);

	add_members(ctx, &out, mcast_snooping_routers(ms), xvlan->v[0].vid, "router");
	add_members(ctx, &out, mcast_snooping_flood_reports(ms), -1, "flagged");
	send_out(ctx, &out, xvlan);
	xlate_release(ctx, mark);
}

static struct ipv6_addr group_address(const struct flow *flow)
{
	struct ipv6_addr a = {.w32 = {[2] = htobe32(0xffff), [3] = flow->nw_dst}};

	return flow->dl_type == htobe16(ETH_T_IP) ? a : flow->ipv6_dst;
}

static void forward_data(struct xlate_ctx *ctx, const struct mcast_snooping *ms,
	const struct pl_bundle *in, const struct xvlan *xvlan)
{
	const struct ipv6_addr group = group_address(&ctx->flow);
	const struct mcast_members *members = mcast_snooping_group(ms, &group, xvlan->v[0].vid);
	struct xlate_mark mark = xlate_mark(ctx);
	struct mcast_out out;

	if (!members && ctx->conf->mcast_flood_unregistered) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "unregistered multicast, flooding");
		xlate_normal_flood(ctx, in, xvlan);
		return;
	}
	out = out_begin(ctx, in);
	add_members(ctx, &out, members, -1, "group");
	add_members(ctx, &out, mcast_snooping_flood(ms), -1, "flood");
	add_members(ctx, &out, mcast_snooping_routers(ms), xvlan->v[0].vid, "router");
	send_out(ctx, &out, xvlan);
	xlate_release(ctx, mark);
}

/* ---------------------------------------------------------------- what it is */

/* 224.0.0.x, and all nodes of IPv6: for everybody, asked for or not. */
static bool is_local(struct xlate_ctx *ctx)
{
	static const struct ipv6_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};
	const struct flow *flow = &ctx->flow;

	if (flow->dl_type == htobe16(ETH_T_IP)) {
		ctx->wc->nw_dst = BE32_MAX;
		return (be32toh(flow->nw_dst) & 0xffffff00) == 0xe0000000;
	}
	memset(&ctx->wc->ipv6_dst, 0xff, sizeof ctx->wc->ipv6_dst);
	return ipv6_addr_equal(&flow->ipv6_dst, &all_nodes);
}

/* Which bits tell is noted in the wildcards. A message is handed to the engine. */
static enum mcast_kind classify(struct xlate_ctx *ctx, uint16_t vlan)
{
	const struct flow *flow = &ctx->flow;
	enum mcast_kind kind = MCAST_DATA;
	enum l2_proto proto = L2_PROTO_IGMP;

	ctx->wc->nw_proto = 0xff;
	if (flow->dl_type == htobe16(ETH_T_IP) && flow->nw_proto == IP_P_IGMP) {
		ctx->wc->tp_src |= htobe16(0xff);
		kind = igmp_kind(flow);
	} else if (flow->dl_type == htobe16(ETH_T_IPV6) && flow->nw_proto == IP_P_ICMPV6) {
		ctx->wc->tp_src |= htobe16(0xff);
		kind = mld_kind(flow);
		proto = L2_PROTO_MLD;
	}
	if (kind == MCAST_REPORT || kind == MCAST_QUERY)
		punt(ctx, proto, vlan);
	return kind;
}

void xlate_normal_mcast(struct xlate_ctx *ctx, const struct pl_bundle *in, const struct xvlan *xvlan)
{
	const struct mcast_snooping *ms = rcu_get(&ctx->bridge->mcast);
	enum mcast_kind kind = classify(ctx, xvlan->v[0].vid);

	xlate_depend(ctx, dep_mdb(ctx->bridge->id));
	if (kind == MCAST_DATA && is_local(ctx)) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "RFC4541: section 2.1.2, item 2, flooding");
	} else if (ms && kind == MCAST_REPORT) {
		forward_report(ctx, ms, in, xvlan);
		return;
	} else if (ms && kind == MCAST_DATA) {
		forward_data(ctx, ms, in, xvlan);
		return;
	} else if (ctx->flow.dl_type == htobe16(ETH_T_IPV6)) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "MLD query, flooding");
	} else {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "multicast traffic, flooding");
	}
	xlate_normal_flood(ctx, in, xvlan);
}
