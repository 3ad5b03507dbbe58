/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of route*.c: one state of links, addresses, rules, next hops and routes, immutable once
 * published.
 *
 * Built by adding what the kernel said (route_decode.h) and the manual routes, then
 * route_table_finish(), which resolves devices and next hop objects, and sorts. Lookups in a table
 * are binary searches, one a prefix length.
 *
 * Threads: building is control's; a finished table may be read by any, under RCU.
 */

#include "lib/types.h"
#include "lib/vec.h"
#include "tunnel/route.h"
#include "tunnel/route_rules.h"

struct route_link {
	int ifindex;
	char name[16];
	struct eth_addr mac;
	uint32_t group;
	bool is_loopback;
	bool has_carrier;
};

struct route_addr {
	struct ipv6_addr addr;
	uint8_t plen; /* IPv4: 96 more. */
	uint8_t scope; /* RT_SCOPE_*. */
	bool is_secondary, is_deprecated, is_tentative;
	int ifindex;
	uint32_t order; /* As the kernel lists them. */
	char dev[16];
};

/* Next hop: of a route, or an object of its own. */
struct route_nh {
	struct ipv6_addr gateway;
	struct ipv6_addr src; /* IPv4: its source address if the route names none. */
	int ifindex;
	uint32_t weight;
	uint32_t group; /* Of the device. */
	bool has_carrier;
	char dev[16];
};

/* Next hop object, alone or a group of others. */
struct route_nh_object {
	uint32_t id;
	bool is_blackhole;
	struct route_nh nh;
	size_t start, n; /* In members. */
};

struct route_nh_member {
	uint32_t id, weight;
};

enum route_type {
	ROUTE_UNICAST,
	ROUTE_LOCAL,
	ROUTE_THROW,  /* The next rule is asked. */
	ROUTE_REFUSE, /* Blackhole and its like; what no tunnel can be sent to. */
};

/* The number that no table of the kernel's has: manual routes, by mark. */
#define ROUTE_MANUAL_TABLE 0

struct route_entry {
	struct ipv6_addr prefix;
	struct ipv6_addr from; /* IPv6: the source's prefix. */
	struct ipv6_addr src;  /* The source address that it names, or zero. */
	uint32_t table, mark, metric, order, nh_id;
	uint32_t start, n_hops; /* In hops. */
	uint8_t plen, from_plen; /* IPv4: 96 more. */
	uint8_t tos, scope;
	uint8_t preference; /* IPv6, RFC 4191: 0 the best. */
	uint8_t type;       /* enum route_type. */
	bool is_ipv4;
};

/* Entries that are searched as one: same table, mark, family and prefix length. */
struct route_group {
	uint32_t table, mark;
	bool is_ipv4;
	uint8_t plen;
	size_t start, n;
};

struct route_link_index {
	int ifindex;
	uint32_t link;
};

struct route_table {
	VEC(struct route_link) links; /* By name. */
	VEC(struct route_link_index) links_by_index;
	VEC(struct route_addr) addrs; /* By address. */
	VEC(struct route_rule) rules; /* As the kernel asks them, IPv4 and IPv6 mixed. */
	VEC(struct route_nh_object) objects; /* By id. */
	VEC(struct route_nh_member) members;
	VEC(struct route_entry) entries; /* By group, then prefix, the best first. */
	VEC(struct route_nh) hops;
	VEC(struct route_group) groups; /* By table, mark, family; longest prefix first. */
	bool from_matters; /* Some rule or route asks for the source address. */
	bool per_flow4, per_flow6;
};

struct route_table *route_table_create(void);
void route_table_destroy(void *table);
/* Forgets all that was added. */
void route_table_clear(struct route_table *table);
void route_table_finish(struct route_table *table);
bool route_table_equal(const struct route_table *a, const struct route_table *b);
bool route_table_equal_rules(const struct route_table *a, const struct route_table *b);
/* Copies what was added to FROM, which was not finished, to the empty TO. */
void route_table_copy(struct route_table *to, const struct route_table *from);

const struct route_link *route_table_link(const struct route_table *table, const char *name);
const struct route_link *route_table_link_by_index(const struct route_table *table, int ifindex);
const struct route_addr *route_table_addr(
	const struct route_table *table, const struct ipv6_addr *addr);

/* Longest prefix match in table ID for QUERY, with exactly MARK (the kernel's: 0). NULL: nothing. */
const struct route_entry *route_table_find(const struct route_table *table, uint32_t id,
	uint32_t mark, const struct route_query *query);

/* ------------------------------------------------------------------ source addresses */
/* (route_source.c) */

/* Source address for packets to DST by GATEWAY (zero: none) out of device DEV, as Open vSwitch chooses
 * it for manual routes; false if it has none. MUST_MATCH: one that has DST or GATEWAY in its prefix. */
bool route_source_manual(const struct route_table *table, const char *dev,
	const struct ipv6_addr *dst, const struct ipv6_addr *gateway, bool must_match,
	struct ipv6_addr *src);
/* ... of IPv4, as the kernel chooses it for a route of SCOPE. */
bool route_source_ipv4(const struct route_table *table, int ifindex, const struct ipv6_addr *gateway,
	uint8_t scope, struct ipv6_addr *src);
/* ... of IPv6, as the kernel does for a packet to DST (RFC 6724, section 5). */
bool route_source_ipv6(const struct route_table *table, int ifindex, const struct ipv6_addr *dst,
	struct ipv6_addr *src);
