/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implicit underlay ports: where the route to a tunnel's remote address leaves by a device that is in no
 * bridge, as long as some tunnel needs it. Each has a bridge of its own, of the device's name, that
 * nobody else sees: tunnel packets leave by the device as they are, and of what it receives only
 * packets for tunnels are taken (the kernel has all of it, and answers ARP and ND).
 */
#include "datapath/dp_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datapath/pipeline/dependency.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "lib/smap.h"
#include "lib/sset.h"
#include "tunnel/neigh.h"
#include "tunnel/neigh_netlink.h"
#include "tunnel/route.h"
#include "tunnel/tnl_listener.h"
#include "tunnel/tnl_route.h"

LOG_MODULE(tunnel);

#define OFP_PORT 1		/* Of the only port of its bridge. */
#define CHECK_MS 1000
#define RETRY_MS 10000
#define FILTER_LEN 256

struct underlay {
	struct list node;		/* In `underlays`. */
	char dev[16];
	char udp_ports[FILTER_LEN];	/* What its socket is told to take. */
	bool gre;
	struct pl_bridge *bridge;
	dp_port_t dp_port;		/* 0: it could not be opened. */
	bool running;
	bool wanted;
	int64_t failed_ms;
};

static struct list underlays = LIST_INITIALIZER(&underlays);
static uint64_t seen_generation;
static int64_t checked_ms;
static bool changed = true;

/* ------------------------------------------------------------------ the pipeline's side */

static void publish(struct underlay *u, const struct dp_port_info *info)
{
	struct pl_bridge_conf *conf = pl_bridge_conf_create();
	struct pl_port *port;

	conf->n_ports = conf->n_bundles = 1;
	conf->ports = xcalloc(1, sizeof *conf->ports);
	conf->bundles = xcalloc(1, sizeof *conf->bundles);
	conf->mac = info->mac;
	conf->vlan_limit = 1;
	conf->bundles[0] = (struct pl_bundle){
		.name = xstrdup(u->dev), .vlan_mode = PL_VLAN_TRUNK, .vlan = -1};
	port = &conf->ports[0];
	*port = (struct pl_port){
		.dp_port = u->dp_port,
		.ofp_port = OFP_PORT,
		.bridge = u->bridge,
		.kind = PL_PORT_DEVICE,
		.stp = PL_PORT_LEARNS | PL_PORT_FORWARDS,
		.is_internal = true,
		.is_underlay = true,
		.link_up = info->link_up,
		.may_enable = info->link_up,
		.mac = info->mac,
		.mtu = info->mtu,
		.rx_counter = COUNTER_NONE,
		.tx_counter = COUNTER_NONE,
	};
	memcpy(port->name, u->dev, sizeof port->name);
	pl_bridge_set_conf(u->bridge, conf);
	dep_bump(dep_route());
}

bool dp_underlay_takes(const struct dp_port_event *event)
{
	struct underlay *u;

	LIST_FOR_EACH (u, node, &underlays)
		if (u->dp_port == event->port && event->port)
			break;
	if (!u)
		return false;
	switch (event->type) {
	case DP_PORT_OPENED:
	case DP_PORT_CHANGED:
		if (!u->running)
			log_info("%s: packets of tunnels leave and enter by it", u->dev);
		u->running = true;
		publish(u, &event->info);
		break;
	case DP_PORT_FAILED:
	case DP_PORT_GONE:
		log_warn("%s: can't be used by tunnels: %s", u->dev, event->error);
		if (event->type == DP_PORT_FAILED)
			u->dp_port = 0;
		u->failed_ms = clock_ms();
		changed = true;
		break;
	case DP_PORT_CLOSED:
		break;
	}
	return true;
}

/* ------------------------------------------------------------------ which are needed */

/* Some bridge has DEV as its port. */
static bool is_in_a_bridge(const char *dev)
{
	for (uint32_t i = 0; i < PL_MAX_BRIDGES; i++) {
		const struct pl_bridge *bridge = rcu_get(&pipeline.bridges[i]);
		const struct pl_bridge_conf *conf = bridge ? pl_bridge_conf(bridge) : NULL;

		for (size_t j = 0; conf && j < conf->n_ports; j++)
			if (!conf->ports[j].is_underlay && !strcmp(conf->ports[j].name, dev))
				return true;
	}
	return false;
}

static struct underlay *find(const char *dev)
{
	struct underlay *u;

	LIST_FOR_EACH (u, node, &underlays)
		if (!strcmp(u->dev, dev))
			return u;
	return NULL;
}

static void want(const char *dev)
{
	struct underlay *u = find(dev);

	if (u && u->wanted)
		return;
	if (!strcmp(dev, "lo") || is_in_a_bridge(dev))
		return;
	if (!u) {
		u = xcalloc(1, sizeof *u);
		str_copy(u->dev, dev, sizeof u->dev);
		list_push_back(&underlays, &u->node);
	}
	u->wanted = true;
}

/* Ports with remote_ip=flow may send and receive by any device with an address. */
static void want_all(void)
{
	struct ipv6_addr addr;
	struct eth_addr mac;
	char dev[16];

	for (size_t i = 0; route_local_address(i, &addr, &mac); i++)
		if (route_is_local(&addr, dev))
			want(dev);
}

static void mark_wanted(void)
{
	struct sset seen = SSET_INITIALIZER;
	const struct tnl_port *port;
	bool seen_flow = false;
	struct route_query query;
	struct underlay *u;
	struct route route;

	LIST_FOR_EACH (u, node, &underlays)
		u->wanted = false;
	CMAP_FOR_EACH (port, node, tnl_port_map()) {
		if (port->config.remote_flow) {
			if (!seen_flow)
				want_all();
			seen_flow = true;
			continue;
		}
		tnl_route_query_config(&port->config, &query);
		if (!route_lookup(&query, &route))
			continue;
		for (unsigned int i = 0; i < route.n_hops; i++)
			if (sset_add(&seen, route.hops[i].dev))
				want(route.hops[i].dev);
	}
	sset_uninit(&seen);
}

static void describe_filter(char udp_ports[FILTER_LEN], bool *gre)
{
	const struct tnl_listener *l;
	size_t len = 0;

	udp_ports[0] = '\0';
	*gre = false;
	CMAP_FOR_EACH (l, node, &tnl_listeners) {
		if (l->type == TNL_GRE)
			*gre = true;
		else if (len + 8 < FILTER_LEN)
			len += (size_t)snprintf(udp_ports + len, FILTER_LEN - len, "%u ",
				be16toh(l->dst_port));
	}
}

/* ------------------------------------------------------------------ coming and going */

static void start(struct underlay *u, const char *udp_ports, bool gre)
{
	struct smap options = SMAP_INITIALIZER;
	struct dp_port_spec spec = {.name = u->dev, .type = "underlay", .options = &options};

	if (!u->bridge)
		u->bridge = pl_bridge_create(u->dev);
	if (!u->bridge)
		return;
	str_copy(u->udp_ports, udp_ports, sizeof u->udp_ports);
	u->gre = gre;
	smap_set(&options, "udp-ports", udp_ports);
	smap_set(&options, "gre", gre ? "true" : "false");
	u->dp_port = dp_port_open(&spec);
	smap_uninit(&options);
}

static void stop(struct underlay *u)
{
	if (u->bridge)
		pl_bridge_set_conf(u->bridge, pl_bridge_conf_create());
	if (u->dp_port)
		dp_port_close(u->dp_port);
	u->dp_port = 0;
	u->running = false;
	dep_bump(dep_route());
}

static void destroy(struct underlay *u)
{
	if (u->running)
		log_info("%s: no tunnel needs it any more", u->dev);
	stop(u);
	neigh_flush(u->dev);
	pl_bridge_destroy(u->bridge);
	list_remove(&u->node);
	free(u);
}

static void check(int64_t now_ms)
{
	char udp_ports[FILTER_LEN];
	struct underlay *u;
	bool gre;

	mark_wanted();
	describe_filter(udp_ports, &gre);
	LIST_FOR_EACH_SAFE (u, node, &underlays) {
		if (!u->wanted) {
			destroy(u);
			continue;
		}
		if (u->running && (strcmp(u->udp_ports, udp_ports) || u->gre != gre))
			stop(u);
		if (u->failed_ms && now_ms - u->failed_ms >= RETRY_MS) {
			stop(u);
			u->failed_ms = 0;
		}
		if (!u->dp_port && !u->failed_ms)
			start(u, udp_ports, gre);
	}
}

void dp_underlay_changed(void)
{
	changed = true;
}

void dp_underlay_run(int64_t now_ms)
{
	uint64_t generation = tnl_port_generation();

	if (!changed && generation == seen_generation &&
		(now_ms - checked_ms < CHECK_MS || (!tnl_port_count() && list_is_empty(&underlays))))
		return;
	changed = false;
	seen_generation = generation;
	checked_ms = now_ms;
	check(now_ms);
}

void dp_underlay_uninit(void)
{
	struct underlay *u;

	LIST_FOR_EACH_SAFE (u, node, &underlays)
		destroy(u);
	changed = true;
}

void dp_underlay_format(struct sbuf *s)
{
	const struct underlay *u;

	LIST_FOR_EACH (u, node, &underlays)
		sbuf_putf(s, "%s (%u) : implicit underlay port, %s\n", u->dev, u->dp_port,
			u->running ? "running" : u->failed_ms ? "failed" : "opening");
}
