/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Underlay routes: a copy of the kernel's (netlink, kept current), plus those of ovs/route/add. And
 * which addresses are this host's, on which device.
 *
 * A lookup walks the kernel's policy rules through its tables, as the kernel does for a packet that
 * this host sends: `ip route get` gives the same answer. A route of ovs/route/add takes the place of
 * the kernel's if that is less than 32 bits longer and no address of this host's.
 *
 * Threads: init, reload and changes by control; lookups by any thread under RCU. The copy is
 * replaced whole when it changes; DEP_ROUTE's bump is the caller's (CHANGED tells, or the success
 * of a change).
 */

#include "lib/sbuf.h"
#include "lib/types.h"

#define ROUTE_MAX_HOPS 16

/* What the rules and tables may ask of a packet. Addresses: IPv4 as ::ffff:a.b.c.d. */
struct route_query {
	struct ipv6_addr dst;
	struct ipv6_addr src; /* All zero: the route chooses it. */
	uint32_t mark;
	uint8_t tos;                 /* ECN bits don't count. */
	uint8_t proto;               /* IP protocol, 0: says nothing. */
	uint16_t sport_min, sport_max; /* One of these; both 0: none. */
	uint16_t dport;              /* 0: none. */
};

struct route_hop {
	struct ipv6_addr src;     /* Source address: the query's, or the one to use. */
	struct ipv6_addr gateway; /* All zero: on link. */
	char dev[16];             /* Output device (a bridge's internal port, or any). */
	uint32_t weight;          /* Share of the traffic, 1 or more. */
};

/* Next hops that live, at most ROUTE_MAX_HOPS. */
struct route {
	unsigned int n_hops; /* At least 1. */
	/* With several: each flow of what is sent may take its own (fib_multipath_hash_policy);
	 * otherwise all to one address take one. */
	bool per_flow;
	struct route_hop hops[ROUTE_MAX_HOPS];
};

struct event_loop;
/* Opens netlink in the caller's network namespace and reads everything. 0 or -errno. CHANGED is
 * called on control after routes or addresses have changed; LINK_ONLY: those of link scope alone (see
 * route_digest.h). LOOP NULL: only route_reload() looks again. */
int route_init(struct event_loop *loop, void (*changed)(bool link_only));
void route_uninit(void);
/* Reads everything again, now. True if something is different. */
bool route_reload(void);

/* Any thread. Where packets as in QUERY go; false: nowhere, and ROUTE has nothing of use. */
bool route_lookup(const struct route_query *query, struct route *route);
/* The same for packets to DST of which nothing is known: their first hop. */
bool route_lookup_addr(const struct ipv6_addr *dst, struct route_hop *hop);
/* The hop for HASH: each gets its share, the same hash the same one. An index of ROUTE's hops. */
unsigned int route_choose(const struct route *route, uint32_t hash);

/* Any thread. ADDR is one of this host's own; DEV (16 bytes, may be NULL) gets its device. */
bool route_is_local(const struct ipv6_addr *addr, char *dev);
/* Any thread. The kernel's MAC of DEV; false if there is no such device. */
bool route_dev_mac(const char *dev, struct eth_addr *mac);
/* Any thread. The address of DEV to ask for neighbour ADDR with; false if it has none. */
bool route_dev_source(const char *dev, const struct ipv6_addr *addr, struct ipv6_addr *src);
/* Control. The I-th address of this host on a device that is no loopback, with that device's MAC;
 * false behind the last. */
bool route_local_address(size_t i, struct ipv6_addr *addr, struct eth_addr *mac);
