/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What comes in by tunnels: the underlay's pipeline runs over the outer packet; what it gives to a port of
 * the host at whose address a tunnel listens is decapsulated instead, and starts again at the tunnel's
 * port. What neighbours say on the way is shown to control.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_port.h"

/* ---------------------------------------------------------------- termination */

/* Of the bridge: an address of its own port, or of a port of it. */
static bool tnl_is_own_address(struct xlate_ctx *ctx, const struct ipv6_addr *addr)
{
	char dev[16];

	if (!route_is_local(addr, dev))
		return false;
	for (size_t i = 0; i < ctx->conf->n_ports; i++)
		if (!strcmp(ctx->conf->ports[i].name, dev))
			return xlate_port(ctx, ctx->conf->ports[i].ofp_port);
	xlate_depend_on_ports(ctx);
	return false;
}

static void tnl_put_snoop(struct xlate_ctx *ctx)
{
	struct op_u32 *op = xlate_put_op(ctx, OP_NEIGH_SNOOP, sizeof *op);

	op->value = ctx->bridge->id;
}

/* A neighbour that is known says that it has another MAC than the one known: by asking (RFC 826: the
 * sender's translation is updated whatever the packet is for), or in an advertisement to all nodes
 * (RFC 4861, 7.2.6). */
static bool tnl_neigh_moved(struct xlate_ctx *ctx, const struct ipv6_addr *addr, struct eth_addr mac)
{
	struct eth_addr known;

	xlate_depend(ctx, dep_neigh(addr));
	return neigh_lookup(ctx->bridge->name, addr, &known) && !eth_addr_equal(known, mac);
}

static void tnl_snoop_arp(struct xlate_ctx *ctx)
{
	const struct flow *flow = &ctx->flow;
	struct ipv6_addr sender = tnl_addr_from_ipv4(flow->nw_src);
	struct ipv6_addr target = tnl_addr_from_ipv4(flow->nw_dst);
	bool is_garp = flow->nw_src == flow->nw_dst;

	ctx->wc->nw_src = ctx->wc->nw_dst = BE32_MAX;
	ctx->wc->nw_proto = 0xff;
	memset(&ctx->wc->arp_sha, 0xff, sizeof ctx->wc->arp_sha);
	if ((is_garp || (flow->nw_proto == ARP_OP_REPLY && tnl_is_own_address(ctx, &target)) ||
		tnl_neigh_moved(ctx, &sender, flow->arp_sha)) && !eth_addr_is_zero(flow->arp_sha))
		tnl_put_snoop(ctx);
}

/* Sent to an address of ours, or to its solicited-node group. */
static bool tnl_nd_is_for_us(struct xlate_ctx *ctx, const struct ipv6_addr *dst)
{
	/* Of a group only a part of the address is left, so any is taken. */
	return (dst->b[0] == 0xff && dst->b[1] == 0x02 && dst->b[11] == 1 && dst->b[12] == 0xff) ||
		tnl_is_own_address(ctx, dst);
}

static void tnl_snoop_nd(struct xlate_ctx *ctx)
{
	const struct flow *flow = &ctx->flow;

	ctx->wc->tp_src |= htobe16(0xff);
	ctx->wc->tp_dst |= htobe16(0xff);
	if (flow->tp_src != htobe16(ND_NA) || flow->tp_dst)
		return;
	memset(&ctx->wc->ipv6_src, 0xff, sizeof ctx->wc->ipv6_src);
	memset(&ctx->wc->ipv6_dst, 0xff, sizeof ctx->wc->ipv6_dst);
	memset(&ctx->wc->nd_target, 0xff, sizeof ctx->wc->nd_target);
	memset(&ctx->wc->arp_tha, 0xff, sizeof ctx->wc->arp_tha);
	if (!eth_addr_is_zero(flow->arp_tha) && (tnl_nd_is_for_us(ctx, &flow->ipv6_dst) ||
		tnl_neigh_moved(ctx, &flow->nd_target, flow->arp_tha)))
		tnl_put_snoop(ctx);
}

/* The packet is for the host at PORT, as far as addresses say that. */
static bool tnl_is_for_host(struct xlate_ctx *ctx, const struct pl_port *port)
{
	const struct flow *flow = &ctx->flow;
	struct ipv6_addr dst;

	memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
	if (!eth_addr_equal(flow->dl_dst, port->mac))
		return false;
	ctx->wc->vlans[0].tci |= htobe16(VLAN_PRESENT);
	if (flow->vlans[0].tci)
		return false;
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		ctx->wc->nw_dst = BE32_MAX;
		dst = tnl_addr_from_ipv4(flow->nw_dst);
	} else {
		memset(&ctx->wc->ipv6_dst, 0xff, sizeof ctx->wc->ipv6_dst);
		dst = flow->ipv6_dst;
	}
	return route_is_local(&dst, NULL);
}

/* What a tunnel endpoint of this host is to get: OP_TNL_POP with its *TYPE, or OP_TNL_REASSEMBLE. */
static enum op_type tnl_is_for_endpoint(struct xlate_ctx *ctx, const struct pl_port *port,
	enum tnl_type *type)
{
	const struct flow *flow = &ctx->flow;

	ctx->wc->nw_proto = 0xff;
	/* Of IPv6, only the first fragment says what it is of. */
	if (flow->nw_frag)
		return (flow->nw_proto == IP_P_UDP || flow->nw_proto == IP_P_GRE ||
			flow->nw_proto == IP_P_FRAGMENT) &&
			tnl_port_listens_for_any(flow->nw_proto) && tnl_is_for_host(ctx, port)
			? OP_TNL_REASSEMBLE : OP_N_TYPES;
	if (flow->nw_proto != IP_P_UDP && flow->nw_proto != IP_P_GRE)
		return OP_N_TYPES;
	if (flow->nw_proto == IP_P_UDP)
		ctx->wc->tp_dst = BE16_MAX;
	return tnl_port_listens(flow->nw_proto, flow->nw_proto == IP_P_UDP ? flow->tp_dst : 0, type) &&
		tnl_is_for_host(ctx, port) ? OP_TNL_POP : OP_N_TYPES;
}

/* Whoever sends by a tunnel is a neighbour, or behind one that forwards for it: the first packet of an
 * unknown one is shown to control. */
static void tnl_snoop_sender(struct xlate_ctx *ctx)
{
	const struct flow *flow = &ctx->flow;
	struct ipv6_addr src;
	struct eth_addr mac;

	if (flow->dl_type == htobe16(ETH_T_IP)) {
		ctx->wc->nw_src = BE32_MAX;
		src = tnl_addr_from_ipv4(flow->nw_src);
	} else {
		memset(&ctx->wc->ipv6_src, 0xff, sizeof ctx->wc->ipv6_src);
		src = flow->ipv6_src;
	}
	xlate_depend(ctx, dep_neigh(&src));
	if (!neigh_lookup(ctx->bridge->name, &src, &mac))
		tnl_put_snoop(ctx);
}

static void tnl_put_pop(struct xlate_ctx *ctx, enum tnl_type type)
{
	struct op_tnl_pop *op = xlate_put_op(ctx, OP_TNL_POP, sizeof *op);

	op->type = type;
}

static void tnl_put_reassemble(struct xlate_ctx *ctx, const struct pl_port *port)
{
	struct op_tnl_reassemble *op = xlate_put_op(ctx, OP_TNL_REASSEMBLE, sizeof *op);

	/* The kernel has what comes by an implicit port anyway. */
	op->port = port->is_underlay ? 0 : port->dp_port;
}

bool xlate_tunnel_terminate(struct xlate_ctx *ctx, const struct pl_port *port)
{
	struct program_builder *program = &ctx->out->program;
	enum tnl_type type = TNL_N_TYPES;
	enum op_type op;
	size_t nest;

	if (!port->is_internal)
		return false;
	xlate_depend(ctx, dep_tunnel());
	if (!tnl_port_count())
		return false;
	ctx->deep = true;
	xlate_depend(ctx, dep_route());
	if (ctx->flow.dl_type == htobe16(ETH_T_ARP)) {
		tnl_snoop_arp(ctx);
		return false;
	}
	if (!xlate_is_ip(&ctx->flow))
		return false;
	if (ctx->flow.dl_type == htobe16(ETH_T_IPV6))
		xlate_depend(ctx, dep_route_link());
	op = tnl_is_for_endpoint(ctx, port, &type);
	if (op == OP_N_TYPES) {
		if (ctx->flow.dl_type == htobe16(ETH_T_IPV6)) {
			ctx->wc->nw_proto = 0xff;
			if (ctx->flow.nw_proto == IP_P_ICMPV6)
				tnl_snoop_nd(ctx);
		}
		return false;
	}
	tnl_snoop_sender(ctx);
	/* In a copy, since it ends the program that it stands in. */
	nest = program_nest_begin(program, OP_CLONE, sizeof(struct op_nest));
	if (op == OP_TNL_POP)
		tnl_put_pop(ctx, type);
	else
		tnl_put_reassemble(ctx, port);
	program_nest_end(program, nest);
	ctx->n_results++;
	return true;
}

/* ---------------------------------------------------------------- at the tunnel port */

bool xlate_tunnel_input(struct xlate_ctx *ctx)
{
	struct flow *flow = &ctx->flow, *wc = ctx->wc;

	if (!flow_tnl_is_set(&flow->tunnel) || ctx->in->resume)
		return true;
	ctx->deep = true;
	wc->tunnel.tun_id = BE64_MAX;
	if (flow->tunnel.ip_dst) {
		wc->tunnel.ip_src = wc->tunnel.ip_dst = BE32_MAX;
	} else {
		memset(&wc->tunnel.ipv6_src, 0xff, sizeof wc->tunnel.ipv6_src);
		memset(&wc->tunnel.ipv6_dst, 0xff, sizeof wc->tunnel.ipv6_dst);
	}
	wc->tunnel.flags |= FLOW_TNL_F_DONT_FRAGMENT | FLOW_TNL_F_CSUM | FLOW_TNL_F_KEY;
	wc->tunnel.ip_tos = 0xff;

	/* RFC 6040: congestion met outside goes on inside, if the inner packet can say it. */
	if (!xlate_is_ip(flow) || (flow->tunnel.ip_tos & IP_ECN_MASK) != IP_ECN_CE)
		return true;
	wc->nw_tos |= IP_ECN_MASK;
	if ((flow->nw_tos & IP_ECN_MASK) == IP_ECN_NOT_ECT) {
		xlate_drop(ctx, DROP_TNL_BAD_HEADER);
		return false;
	}
	flow->nw_tos |= IP_ECN_CE;
	return true;
}
