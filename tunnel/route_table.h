/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of route*.c: one state of links, addresses and routes, immutable once published.
 *
 * Built by adding what the kernel said and the manual routes, then route_table_finish(), which
 * chooses source addresses and sorts. Lookups are binary searches.
 */

#include "lib/types.h"
#include "lib/vec.h"
#include "tunnel/route.h"

struct route_link {
	int ifindex;
	char name[16];
	struct eth_addr mac;
	uint32_t mtu;
	bool is_loopback;
};

struct route_addr {
	struct ipv6_addr addr;
	uint8_t plen; /* IPv4: 96 more. */
	int ifindex;
	char dev[16];
};

/* Priorities as Open vSwitch's: a manual route is as good as a kernel route with a prefix 32 bits
 * longer, a local one as 64. */
enum route_origin {
	ROUTE_KERNEL = 0,
	ROUTE_MANUAL = 32,
	ROUTE_LOCAL = 64
};

struct route_entry {
	struct ipv6_addr prefix;
	struct ipv6_addr gateway, src;
	uint32_t mark, metric, table;
	uint8_t plen;
	uint8_t origin; /* enum route_origin. */
	char dev[16];
	uint32_t mtu;
};

/* Entries that are searched as one: same priority, prefix length and mark. */
struct route_group {
	uint32_t mark;
	uint8_t plen, origin;
	size_t start, n;
};

struct route_rule {
	uint32_t mark, table;
};

struct route_table {
	VEC(struct route_link) links;    /* By name. */
	VEC(struct route_addr) addrs;    /* By address. */
	VEC(struct route_entry) entries; /* By group, then prefix. */
	VEC(struct route_group) groups;  /* The best first. */
	VEC(struct route_rule) rules;
};

struct route_table *route_table_create(void);
void route_table_destroy(void *table);
void route_table_finish(struct route_table *table);
bool route_table_equal(const struct route_table *a, const struct route_table *b);

const struct route_link *route_table_link(const struct route_table *table, const char *name);
const struct route_link *route_table_link_by_index(const struct route_table *table, int ifindex);
const struct route_addr *route_table_addr(
	const struct route_table *table, const struct ipv6_addr *addr);
const struct route_entry *route_table_lookup(
	const struct route_table *table, const struct ipv6_addr *dst, uint32_t mark);
/* Source address for packets to DST by GATEWAY (zero: none) out of device DEV; false if it has
 * none. */
bool route_table_source(const struct route_table *table, const char *dev,
	const struct ipv6_addr *dst, const struct ipv6_addr *gateway, struct ipv6_addr *src);

/* Reads the kernel's state into TABLE (route_netlink.c). 0 or -errno. */
int route_netlink_read(struct route_table *table);
/* A socket that hears of changes, or -errno; drain it with route_netlink_drain(): true if something
 * may have changed. */
int route_netlink_monitor(void);
bool route_netlink_drain(int fd);
