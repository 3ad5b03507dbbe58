/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Output to tunnels (translate_tunnel_in.c has what comes in): the outer header is built here, from the
 * route and the neighbour of now, and the outer packet then goes through the underlay's bridge, in by the
 * port that is the route's device, all in the same program.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/hash.h"
#include "lib/headers.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_header.h"
#include "tunnel/tnl_port.h"
#include "tunnel/tnl_route.h"

#define MAX_NESTED_TUNNELS 8

/* ---------------------------------------------------------------- where to */

/* The outer packet's way, as far as the underlay has told. */
struct tnl_way {
	const struct pl_port *port;	/* It enters the underlay's bridge there. */
	struct ipv6_addr src, next_hop;
	struct eth_addr src_mac, dst_mac;
	bool next_hop_known;		/* dst_mac is set: nobody needs to be asked. */
	char dev[16];
};

static const struct pl_port *find_port(const char *name, bool only_local)
{
	for (unsigned int i = 0; i < PL_MAX_BRIDGES; i++) {
		struct pl_bridge *bridge =
			atomic_load_explicit(&pipeline.bridges[i], memory_order_acquire);
		const struct pl_bridge_conf *conf;

		if (!bridge || (only_local && strcmp(bridge->name, name)))
			continue;
		conf = pl_bridge_conf(bridge);
		for (size_t j = 0; conf && j < conf->n_ports; j++)
			if (!strcmp(conf->ports[j].name, name))
				return &conf->ports[j];
	}
	return NULL;
}

/* Both ends are addresses of this host, on two devices. The kernel would keep such packets to itself
 * and answers no request for them; here they go through the underlay's bridges, from the device of
 * SRC to that of DST. */
static bool tnl_route_to_self(const struct ipv6_addr *src, const struct ipv6_addr *dst,
	struct tnl_way *way)
{
	char from[16], to[16];

	if (!route_is_local(dst, to) || !route_is_local(src, from) || !strcmp(from, to) ||
		!route_dev_mac(to, &way->dst_mac))
		return false;
	memcpy(way->dev, from, sizeof way->dev);
	return true;
}

/* By HOP, if its device is in a bridge. */
static bool tnl_take_hop(struct xlate_ctx *ctx, const struct flow_tnl *outer,
	const struct route_hop *hop, struct tnl_way *way)
{
	struct ipv6_addr dst = tnl_addr_dst(outer);

	way->src = hop->src;
	way->next_hop = ipv6_addr_is_zero(&hop->gateway) ? dst : hop->gateway;
	memcpy(way->dev, hop->dev, sizeof way->dev);
	way->next_hop_known = tnl_route_to_self(&way->src, &dst, way);
	way->port = find_port(way->dev, true);
	if (!way->port)
		way->port = find_port(way->dev, false);
	if (!way->port)
		return false;
	xlate_depend(ctx, dep_port(way->port->dp_port));
	xlate_depend(ctx, dep_bridge(way->port->bridge->id));
	xlate_depend(ctx, dep_neigh(&way->next_hop));
	if (!route_dev_mac(way->dev, &way->src_mac))
		way->src_mac = way->port->mac;
	if (!way->next_hop_known)
		way->next_hop_known = neigh_lookup(way->port->bridge->name, &way->next_hop,
			&way->dst_mac);
	return true;
}

static void tnl_ask(struct xlate_ctx *ctx, const struct tnl_way *way)
{
	xlate_report(ctx, XLATE_REPORT_DETAIL, "neighbor cache miss on bridge %s, sending request",
		way->port->bridge->name);
	if (ctx->sink && ctx->sink->neigh_needed)
		ctx->sink->neigh_needed(ctx->sink, way->port->bridge, &way->next_hop);
}

/* Which of several next hops: as the kernel does, all packets of a tunnel to one address take the same,
 * or each flow its own (then its addresses and ports count). */
static unsigned int tnl_first_hop(struct xlate_ctx *ctx, const struct flow_tnl *outer,
	const struct route *route)
{
	struct ipv6_addr dst = tnl_addr_dst(outer);
	uint32_t hash;

	if (route->n_hops == 1)
		return 0;
	if (route->per_flow) {
		flow_mask_hash_fields(&ctx->flow, ctx->wc);
		hash = flow_hash_symmetric_l4(&ctx->flow, 0);
	} else {
		hash = hash_add64(hash_bytes(&dst, sizeof dst, 0), outer->tun_id);
	}
	return route_choose(route, hash);
}

/* Of several next hops the flow's own, unless its neighbour does not answer and that of another does. */
static bool tnl_choose_hop(struct xlate_ctx *ctx, const struct flow_tnl *outer,
	const struct route *route, struct tnl_way *way)
{
	unsigned int first = tnl_first_hop(ctx, outer, route);
	bool found = false;

	for (unsigned int i = 0; i < route->n_hops; i++) {
		struct tnl_way one = {.port = NULL};

		if (!tnl_take_hop(ctx, outer, &route->hops[(first + i) % route->n_hops], &one))
			continue;
		if (!found || one.next_hop_known)
			*way = one;
		found = true;
		if (one.next_hop_known)
			break;
		if (route->n_hops > 1)
			tnl_ask(ctx, &one);
	}
	return found;
}

static bool tnl_route(struct xlate_ctx *ctx, const struct tnl_port *port, struct flow_tnl *outer,
	struct tnl_way *way)
{
	struct route_query query;
	struct route route;

	xlate_depend(ctx, dep_route());
	if (tnl_addr_is_link_scope(&outer->ipv6_dst))
		xlate_depend(ctx, dep_route_link());
	tnl_route_query(&port->config, outer, ctx->flow.pkt_mark, &query);
	if (!route_lookup(&query, &route) || !tnl_choose_hop(ctx, outer, &route, way))
		return false;
	if (!ipv6_addr_is_zero(&query.src))
		return route_is_local(&query.src, NULL);
	if (outer->ip_dst)
		outer->ip_src = way->src.w32[3];
	else
		outer->ipv6_src = way->src;
	return true;
}

/* The packet waits at control until somebody answers for the next hop. */
static void tnl_hold(struct xlate_ctx *ctx, const struct pl_port *port, const struct tnl_way *way)
{
	struct pl_bridge *underlay = way->port->bridge;
	struct op_neigh_hold *op;

	tnl_ask(ctx, way);
	op = xlate_put_op(ctx, OP_NEIGH_HOLD, sizeof *op);
	op->tunnel = port->dp_port;
	op->next_hop = way->next_hop;
	op->bridge = underlay->id;
	op->tnl = ctx->flow.tunnel;
	ctx->n_results++;
}

/* ---------------------------------------------------------------- the header */

static size_t geneve_options(const struct flow *flow, uint8_t *opts, size_t max)
{
	const struct field_tlv_map *map = field_tlv_current();
	size_t len = 0;

	for (unsigned int i = 0; map && i < FLOW_TUN_METADATA_OPTS; i++) {
		struct geneve_opt opt;
		size_t n = map->opts[i].len;

		if (!(flow->tun_metadata.present & UINT64_C(1) << i) || len + sizeof opt + n > max ||
			map->opts[i].ofs + n > FLOW_TUN_METADATA_BYTES)
			continue;
		opt.class = htobe16(map->opts[i].class);
		opt.type = map->opts[i].type;
		opt.len = n / 4;
		memcpy(opts + len, &opt, sizeof opt);
		memcpy(opts + len + sizeof opt, flow->tun_metadata.data + map->opts[i].ofs, n);
		len += sizeof opt + n;
	}
	return len;
}

static void tnl_put_push(struct xlate_ctx *ctx, const struct pl_port *port,
	const struct tnl_header *header)
{
	struct op_tnl_push *op = xlate_put_op(ctx, OP_TNL_PUSH, sizeof *op + header->len);

	op->tunnel = port->dp_port;
	op->header_len = header->len;
	op->outer_l3_ofs = header->l3_ofs;
	op->outer_l4_ofs = header->l4_ofs;
	op->proto = header->proto;
	op->csum = header->csum;
	op->gre_seq = header->gre_seq;
	op->is_ipv6 = header->is_ipv6;
	op->may_fragment = header->may_fragment;
	memcpy(op->header, header->data, header->len);
}

/* What the underlay sees of the outer packet. Its source port differs from flow to flow. */
static void tnl_outer_flow(struct flow *flow, const struct flow_tnl *outer,
	const struct tnl_way *way, const struct tnl_header *header)
{
	memset(&flow->dl_dst, 0, sizeof *flow - offsetof(struct flow, dl_dst));
	flow->dl_dst = way->dst_mac;
	flow->dl_src = way->src_mac;
	flow->dl_type = htobe16(header->is_ipv6 ? ETH_T_IPV6 : ETH_T_IP);
	flow->nw_src = outer->ip_src;
	flow->nw_dst = outer->ip_dst;
	flow->ipv6_src = outer->ipv6_src;
	flow->ipv6_dst = outer->ipv6_dst;
	flow->nw_proto = header->proto;
	flow->nw_tos = outer->ip_tos;
	flow->nw_ttl = outer->ip_ttl;
	flow->tp_dst = outer->tp_dst;
}

/* Out of an implicit underlay port. */
static void tnl_output_device(struct xlate_ctx *ctx, const struct pl_port *port)
{
	struct op_output *op;

	if (!port->link_up) {
		xlate_drop(ctx, DROP_TX_PORT_DOWN);
		return;
	}
	op = xlate_put_op(ctx, OP_OUTPUT, sizeof *op);
	op->port = port->dp_port;
	ctx->n_results++;
}

/* The outer packet in the underlay. What it looks at there are constants of this path, but for what
 * the inner packet handed down. */
static void tnl_underlay(struct xlate_ctx *ctx, const struct pl_port *port,
	const struct tnl_way *way, const struct flow_tnl *outer, const struct tnl_header *header,
	bool is_last)
{
	struct flow *saved = xlate_alloc(ctx, 3 * sizeof *saved);
	struct xlate_measure measure = ctx->measure;
	struct flow *wc = ctx->wc;

	saved[0] = ctx->flow;
	saved[1] = ctx->base;
	memset(&saved[2], 0, sizeof saved[2]);
	ctx->wc = &saved[2];
	tnl_outer_flow(&ctx->flow, outer, way, header);
	ctx->base = ctx->flow;
	ctx->measure.byte_delta += header->len;
	ctx->measure.tags_len = 0;
	ctx->n_tunnels++;
	if (way->port->is_underlay)
		tnl_output_device(ctx, way->port);
	else
		xlate_patch(ctx, port, way->port, is_last);
	ctx->n_tunnels--;
	ctx->measure = measure;
	wc->pkt_mark |= ctx->wc->pkt_mark;
	wc->queue |= ctx->wc->queue;
	ctx->wc = wc;
	ctx->flow = saved[0];
	ctx->base = saved[1];
}

static void tnl_send(struct xlate_ctx *ctx, const struct pl_port *port, struct flow_tnl *outer,
	const struct tnl_way *way, bool is_last)
{
	struct program_builder *program = &ctx->out->program;
	struct xlate_mark mark = xlate_mark(ctx);
	struct tnl_header *header = xlate_alloc(ctx, sizeof *header);
	uint32_t old_results = ctx->n_results;
	uint8_t opts[252];
	size_t opts_len = 0, start, nest = 0;

	if (port->tunnel->config.type == TNL_GENEVE)
		opts_len = geneve_options(&ctx->flow, opts, sizeof opts);
	tnl_header_build(port->tunnel, outer, way->dst_mac, way->src_mac, opts, opts_len, header);

	start = program->buf.len;
	if (!is_last)
		nest = program_nest_begin(program, OP_CLONE, sizeof(struct op_nest));
	if (ctx->trunc) {
		struct op_u32 *op = xlate_put_op(ctx, OP_TRUNCATE, sizeof *op);

		op->value = ctx->trunc;
		ctx->trunc = 0;
	}
	tnl_put_push(ctx, port, header);
	tnl_underlay(ctx, port, way, outer, header, true);
	if (ctx->n_results == old_results)
		sbuf_truncate(&program->buf, start);
	else if (!is_last)
		program_nest_end(program, nest);
	xlate_release(ctx, mark);
}

void xlate_tunnel_output(struct xlate_ctx *ctx, const struct pl_port *port, bool is_last,
	bool truncated)
{
	struct ipv6_addr dst;
	struct flow_tnl outer;
	struct tnl_way way;
	uint32_t old_mark = ctx->flow.pkt_mark;

	ctx->deep = true;
	if (!port->tunnel || !tnl_port_output(port->tunnel, &ctx->flow, ctx->wc, &outer)) {
		xlate_report(ctx, XLATE_REPORT_WARN, "Tunneling decided against output");
		xlate_drop(ctx, DROP_TNL_NO_PORT);
		return;
	}
	dst = tnl_addr_dst(&outer);
	if (ipv6_addr_equal(&dst, &ctx->orig_tunnel_dst)) {
		xlate_report(ctx, XLATE_REPORT_WARN, "Not tunneling to our own address");
		xlate_drop(ctx, DROP_TNL_LOOP);
		return;
	}
	if (ctx->n_tunnels >= MAX_NESTED_TUNNELS) {
		xlate_report(ctx, XLATE_REPORT_WARN, "too many nested tunnels");
		xlate_drop(ctx, DROP_TNL_LOOP);
		return;
	}
	if (port->tunnel->config.egress_pkt_mark)
		ctx->flow.pkt_mark = port->tunnel->config.egress_pkt_mark;
	xlate_count(ctx, port->tx_counter);
	xlate_report(ctx, XLATE_REPORT_DETAIL, "output to native tunnel");
	xlate_commit(ctx);
	if (!tnl_route(ctx, port->tunnel, &outer, &way)) {
		xlate_report(ctx, XLATE_REPORT_WARN, "native tunnel routing failed");
		xlate_drop(ctx, DROP_TNL_NO_ROUTE);
	} else {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "tunneling via %s", way.dev);
		if (way.next_hop_known)
			tnl_send(ctx, port, &outer, &way, is_last);
		else
			tnl_hold(ctx, port, &way);
	}
	ctx->flow.pkt_mark = old_mark;
}
