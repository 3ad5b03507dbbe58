/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as what the kernel says of links, addresses, rules, next hops, routes and neighbours: of
 * what is taken in, lookups give hops that the tables have, and neighbours have addresses of one host.
 */

#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>

#include "lib/headers.h"
#include "tests/fuzz/fuzz.h"
#include "tunnel/neigh_netlink.h"
#include "tunnel/netlink.h"
#include "tunnel/route_decode.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

static void require(bool is_so)
{
	if (!is_so)
		abort();
}

/* Lookups of all that TABLE has a route to, with and without the source. */
static void look_up(const struct route_table *table)
{
	for (size_t i = 0; i < table->entries.n && i < 64; i++) {
		struct route_query q = {
			.dst = table->entries.items[i].prefix,
			.mark = (uint32_t)i,
			.proto = IP_P_UDP,
			.sport_min = 32768,
			.sport_max = 61000,
			.dport = 4789,
		};

		for (int with_src = 0; with_src < 2; with_src++) {
			const struct route_entry *e = route_rules_lookup(table, &q);

			require(!e || ((e->type == ROUTE_UNICAST || e->type == ROUTE_LOCAL) &&
					      e->n_hops && e->start + e->n_hops <= table->hops.n));
			require(!e || e->is_ipv4 == tnl_addr_is_ipv4(&q.dst));
			require(!e || tnl_addr_in_prefix(&q.dst, &e->prefix, e->plen));
			q.src = table->addrs.n ? table->addrs.items[i % table->addrs.n].addr : q.dst;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nlmsghdr *nlh;
	struct route_table *table;
	struct ipv6_addr addr;
	struct eth_addr mac;
	unsigned int ifindex;
	const uint8_t *at;
	uint8_t *bytes;

	if (size > 65536)
		return 0;
	bytes = malloc(size ? size : 1);
	require(bytes);
	memcpy(bytes, data, size);
	table = route_table_create();
	at = bytes;
	while ((nlh = netlink_next_message(&at, &size))) {
		route_decode(nlh, table);
		if (neigh_netlink_decode(nlh, &ifindex, &addr, &mac))
			require(!eth_addr_is_zero(mac) && !eth_addr_is_multicast(mac) &&
				!tnl_addr_is_multicast(&addr));
	}
	route_table_finish(table);
	look_up(table);
	route_table_destroy(table);
	free(bytes);
	return 0;
}
