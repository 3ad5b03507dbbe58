/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bridge's local port takes another MAC when ports come and go, or by other_config:hwaddr. Who sends
 * tunnel packets to an address there would go on sending them to the old one, which the host's stack
 * no longer takes: so neighbours are told.
 */
#include "datapath/dp_private.h"

#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "tunnel/neigh_frame.h"
#include "tunnel/route.h"
#include "tunnel/tnl_port.h"

#define MAX_ADDRESSES 64	/* Of one bridge: no more are announced. */

/* The MAC of each bridge's local port when it was last looked at; zero: none. */
static struct eth_addr seen[PL_MAX_BRIDGES];

static void announce(struct pl_bridge *bridge, struct eth_addr mac)
{
	uint8_t frame[NEIGH_SOLICIT_MAX];
	struct ipv6_addr addr;
	struct eth_addr dev_mac;
	unsigned int n = 0;
	char dev[16];

	for (size_t i = 0; n < MAX_ADDRESSES && route_local_address(i, &addr, &dev_mac); i++) {
		if (!route_is_local(&addr, dev) || strcmp(dev, bridge->name))
			continue;
		dp_neigh_send(bridge, frame, neigh_build_announce(&addr, mac, frame));
		n++;
	}
}

/* Bridges of implicit underlay ports are left alone: the device is the kernel's. */
static bool has_local_port(const struct pl_bridge *bridge)
{
	const struct pl_bridge_conf *conf = bridge ? pl_bridge_conf(bridge) : NULL;

	return conf && !(conf->n_ports == 1 && conf->ports[0].is_underlay);
}

void dp_routes_changed(bool link_only)
{
	dep_bump(dep_route_link());
	if (!link_only)
		dep_bump(dep_route());
	dp_underlay_changed();
	dp_neigh_ask_ahead();
	for (uint32_t i = 0; i < PL_MAX_BRIDGES; i++) {
		struct pl_bridge *bridge = rcu_get(&pipeline.bridges[i]);
		struct eth_addr old = seen[i];

		seen[i] = (struct eth_addr){.b = {0}};
		if (!has_local_port(bridge) || !route_dev_mac(bridge->name, &seen[i]))
			continue;
		if (!eth_addr_is_zero(old) && !eth_addr_equal(old, seen[i]) && tnl_port_count())
			announce(bridge, seen[i]);
	}
}
