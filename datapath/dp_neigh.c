/* SPDX-License-Identifier: Apache-2.0 */
/* Underlay neighbours: asking, learning from answers, and the packets that wait for them. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "datapath/pipeline/dependency.h"
#include "lib/clock.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "tunnel/neigh.h"
#include "tunnel/neigh_frame.h"
#include "tunnel/neigh_netlink.h"
#include "tunnel/route.h"
#include "tunnel/tnl_listener.h"
#include "tunnel/tnl_route.h"

#define HOLD_MS 3000		/* A packet waits at most this long. */
#define MAX_HELD 1024		/* Over all next hops ... */
#define MAX_HELD_A_HOP 32	/* ... and for one. */
#define REFRESH_MS 1000
#define SETTLE_MS 20		/* Tunnels and routes change in bunches. */
#define PATIENCE_MS 5000	/* Nothing asked what ovs-vswitchd would not, right after a change. */
#define MAX_ASKED_AHEAD 256	/* At once. */
#define MAX_REFRESHED 500	/* Tunnels looked at in one turn of control. */
#define LOOK_MS 100		/* Neighbours also come by other ways than snooping. */

/* Packets of one tunnel that wait for one next hop; oldest first. */
struct hold {
	struct list node;	/* In dp.holds. */
	struct op_neigh_hold op;
	int64_t since_ms;
	struct rte_mbuf *mbuf;
};

static void look(int64_t now_ms);

/* The bridge that has DEV as a port; one of that name before others. */
static struct pl_bridge *bridge_of(const char *dev)
{
	struct pl_bridge *found = NULL;

	for (uint32_t i = 0; i < PL_MAX_BRIDGES; i++) {
		struct pl_bridge *bridge = rcu_get(&pipeline.bridges[i]);
		const struct pl_bridge_conf *conf = bridge ? pl_bridge_conf(bridge) : NULL;

		if (conf && !strcmp(bridge->name, dev))
			return bridge;
		for (size_t j = 0; conf && j < conf->n_ports && !found; j++)
			if (conf->ports[j].is_internal && !strcmp(conf->ports[j].name, dev))
				found = bridge;
	}
	return found;
}

static void learned(struct pl_bridge *bridge, const struct ipv6_addr *addr, struct eth_addr mac)
{
	int64_t now_ms = clock_ms();

	if (!neigh_set(bridge->name, addr, mac, false, now_ms))
		return;
	dep_bump(dep_neigh(addr));
	if (dp.n_held)
		look(now_ms);
}

static void on_kernel_neighbour(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac)
{
	struct pl_bridge *bridge = bridge_of(dev);

	if (bridge)
		learned(bridge, addr, mac);
}

static void on_neighbours(int fd, unsigned int events, void *aux)
{
	neigh_netlink_run(fd, on_kernel_neighbour);
}

void dp_neigh_init(void)
{
	list_init(&dp.holds);
	dp.neigh_fd = neigh_netlink_open();
	if (dp.neigh_fd >= 0 &&
		event_fd_add(dp.loop, dp.neigh_fd, EVENT_READ, on_neighbours, NULL, &dp.neigh_event))
		dp.neigh_event = NULL;
}

static void hold_destroy(struct hold *hold)
{
	list_remove(&hold->node);
	dp.n_held--;
	free(hold);
}

void dp_neigh_uninit(void)
{
	struct hold *hold;

	LIST_FOR_EACH_SAFE (hold, node, &dp.holds) {
		rte_pktmbuf_free(hold->mbuf);
		hold_destroy(hold);
	}
	event_fd_remove(dp.neigh_event);
	if (dp.neigh_fd >= 0)
		close(dp.neigh_fd);
}

/* ------------------------------------------------------------------ asking */

void dp_neigh_send(struct pl_bridge *bridge, const uint8_t *frame, size_t len)
{
	struct act_builder acts;
	struct act_output *output;

	act_builder_init(&acts);
	output = act_put(&acts, ACT_OUTPUT, sizeof *output);
	output->port = OFPP_TABLE;
	dp_packet_out(bridge, OFPP_LOCAL, NULL, (const struct act *)acts.buf.data, acts.buf.len,
		frame, len);
	act_builder_uninit(&acts);
}

static void ask(struct pl_bridge *underlay, const struct ipv6_addr *next_hop)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(underlay);
	struct route_hop hop;
	struct ipv6_addr src;
	uint8_t frame[NEIGH_SOLICIT_MAX];

	if (conf->n_ports == 1 && conf->ports[0].is_underlay) {
		neigh_netlink_probe(dp.neigh_fd, underlay->name, next_hop);
		return;
	}
	/* The device's own address, if it has one, whatever the rules say of packets to the neighbour. */
	if (!route_dev_source(underlay->name, next_hop, &src)) {
		if (!route_lookup_addr(next_hop, &hop))
			return;
		src = hop.src;
	}
	dp_neigh_send(underlay, frame, neigh_build_solicit(next_hop, &src, conf->mac, frame));
}

void dp_neigh_needed(struct pl_bridge *underlay, const struct ipv6_addr *next_hop)
{
	if (neigh_may_solicit(NEIGH_FOR_PACKET, underlay->name, next_hop, 0, clock_ms()))
		ask(underlay, next_hop);
}

/* ------------------------------------------------------------------ holding */

static unsigned int n_held_for(const struct ipv6_addr *next_hop)
{
	const struct hold *hold;
	unsigned int n = 0;

	LIST_FOR_EACH (hold, node, &dp.holds)
		n += ipv6_addr_equal(&hold->op.next_hop, next_hop);
	return n;
}

void dp_neigh_hold(const struct op_neigh_hold *op, struct packet *packet)
{
	struct pl_bridge *underlay = op->bridge < PL_MAX_BRIDGES ?
		rcu_get(&pipeline.bridges[op->bridge]) : NULL;
	struct hold *hold;

	if (!underlay || dp.drop_unresolved || dp.n_held >= MAX_HELD ||
		n_held_for(&op->next_hop) >= MAX_HELD_A_HOP) {
		dp_count_drop(DROP_TNL_NO_NEIGH);
		rte_pktmbuf_free(packet_mbuf(packet));
		if (underlay)
			dp_neigh_needed(underlay, &op->next_hop);
		return;
	}
	hold = xcalloc(1, sizeof *hold);
	hold->op = *op;
	hold->since_ms = clock_ms();
	hold->mbuf = packet_mbuf(packet);
	list_push_back(&dp.holds, &hold->node);
	dp.n_held++;
	dp_neigh_needed(underlay, &op->next_hop);
}

/* Outputs HOLD's packet to its tunnel once more, as it was when it met it. */
static void release(struct hold *hold)
{
	const struct pl_port *tunnel = pl_port_get(hold->op.tunnel);
	struct rte_mbuf *m = hold->mbuf;
	struct act_builder acts;
	struct act_output *output;
	struct flow flow;

	if (!tunnel || flow_extract(mbuf_packet(m), &flow) == -EINVAL) {
		dp_count_drop(DROP_TNL_NO_PORT);
		rte_pktmbuf_free(m);
		hold_destroy(hold);
		return;
	}
	memcpy(&flow.tunnel, &hold->op.tnl, sizeof flow.tunnel);
	flow.in_port = OFPP_NONE;
	hold_destroy(hold);
	act_builder_init(&acts);
	output = act_put(&acts, ACT_OUTPUT, sizeof *output);
	output->port = tunnel->ofp_port;
	dp_run_actions(tunnel->bridge, (const struct act *)acts.buf.data, acts.buf.len, &flow, NULL,
		m);
	act_builder_uninit(&acts);
}

static bool is_known(const struct op_neigh_hold *op)
{
	const struct pl_bridge *underlay = rcu_get(&pipeline.bridges[op->bridge]);
	struct eth_addr mac;

	return underlay && neigh_lookup(underlay->name, &op->next_hop, &mac);
}

static void ask_again(const struct op_neigh_hold *op)
{
	struct pl_bridge *underlay = rcu_get(&pipeline.bridges[op->bridge]);

	if (underlay)
		dp_neigh_needed(underlay, &op->next_hop);
}

/* Bounded by MAX_HELD. A packet that is released may come to be held again, at the end of the list. */
static void look(int64_t now_ms)
{
	struct list old;
	struct hold *hold;

	list_init(&old);
	list_append_all(&old, &dp.holds);
	dp.holds_looked_ms = now_ms;
	LIST_FOR_EACH_SAFE (hold, node, &old) {
		if (is_known(&hold->op)) {
			release(hold);
		} else if (now_ms - hold->since_ms > HOLD_MS) {
			dp_count_drop(DROP_TNL_NO_NEIGH);
			rte_pktmbuf_free(hold->mbuf);
			hold_destroy(hold);
		} else {
			list_remove(&hold->node);
			list_push_back(&dp.holds, &hold->node);
			ask_again(&hold->op);
		}
	}
}

/* True if it was asked for. */
static bool refresh_hop(struct pl_bridge *bridge, const struct ipv6_addr *next_hop, int64_t now_ms)
{
	if (neigh_left_ms(bridge->name, next_hop, now_ms) >= neigh_age() * INT64_C(250) ||
		!neigh_may_solicit(NEIGH_AHEAD, bridge->name, next_hop,
			dp.drop_unresolved ? PATIENCE_MS : 0, now_ms))
		return false;
	ask(bridge, next_hop);
	return true;
}

/* Next hops of tunnels are asked for before a packet needs them, and again in the last quarter of their
 * time. Whoever takes the place of ovs-vswitchd leaves it to packets for the first seconds: what is
 * tried on it by hand or by tests made for that shows the frames that they expect. A part of the tunnels
 * at a time; true when it is time to rest. */
static bool refresh(int64_t now_ms)
{
	static size_t next;
	const struct tnl_port *port;
	size_t at = 0;
	struct pl_bridge *bridge = NULL;
	struct route_query query;
	struct route route;
	unsigned int n_asked = 0;
	char dev[16] = "";

	CMAP_FOR_EACH (port, node, tnl_port_map()) {
		if (at++ < next)
			continue;
		if (at > next + MAX_REFRESHED || n_asked >= MAX_ASKED_AHEAD) {
			next = at - 1;
			return n_asked;
		}
		if (port->config.remote_flow)
			continue;
		tnl_route_query_config(&port->config, &query);
		if (!route_lookup(&query, &route))
			continue;
		for (unsigned int i = 0; i < route.n_hops; i++) {
			const struct route_hop *hop = &route.hops[i];

			/* Most leave by one device. */
			if (strcmp(dev, hop->dev)) {
				memcpy(dev, hop->dev, sizeof dev);
				bridge = bridge_of(dev);
			}
			if (bridge)
				n_asked += refresh_hop(bridge, ipv6_addr_is_zero(&hop->gateway)
					? &query.dst : &hop->gateway, now_ms);
		}
	}
	next = 0;
	return true;
}

void dp_neigh_ask_ahead(void)
{
	dp.refreshed_ms = MIN(dp.refreshed_ms, clock_ms() - REFRESH_MS + SETTLE_MS);
}

static void on_gone(const struct ipv6_addr *addr)
{
	dep_bump(dep_neigh(addr));
}

void dp_neigh_run(int64_t now_ms)
{
	static uint64_t seen_generation;

	if (seen_generation != tnl_port_generation()) {
		seen_generation = tnl_port_generation();
		dp_neigh_ask_ahead();
	}
	if (now_ms - dp.refreshed_ms >= REFRESH_MS && refresh(now_ms))
		dp.refreshed_ms = now_ms;
	neigh_run(now_ms, on_gone);
	if (dp.n_held && now_ms - dp.holds_looked_ms >= LOOK_MS)
		look(now_ms);
}

/* ------------------------------------------------------------------ learning */

void dp_neigh_snoop(struct pl_bridge *bridge, const uint8_t *frame, size_t len)
{
	struct ipv6_addr addr;
	struct eth_addr mac;

	if (neigh_parse(frame, len, &addr, &mac))
		learned(bridge, &addr, mac);
}

/* ------------------------------------------------------------------ by command */

void dp_neigh_set(const char *bridge, const struct ipv6_addr *addr, struct eth_addr mac)
{
	neigh_set(bridge, addr, mac, true, clock_ms());
	dep_bump(dep_neigh(addr));
	if (dp.n_held)
		look(clock_ms());
}

void dp_neigh_flush(const char *bridge)
{
	/* Which addresses went is not said: all tunnel output depends on the routes. */
	if (neigh_flush(bridge))
		dep_bump(dep_route());
}
