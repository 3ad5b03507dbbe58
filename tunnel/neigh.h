/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Underlay neighbours (ARP and ND) per bridge: learned from replies seen passing an underlay
 * bridge, from tnl/arp/set, and from the kernel's table. Readers look up lock-free; control writes.
 *
 * An address being resolved is asked for at most once a second for packets, and once in ten seconds
 * before there are any; packets held for it are the datapath's. DEP_NEIGH's bump is the caller's.
 */

#include "lib/cmap.h"
#include "lib/sbuf.h"
#include "lib/types.h"

#define NEIGH_DEFAULT_AGE_S 900

/* Any thread, under RCU. BRIDGE is the underlay bridge's name. False: unknown. */
bool neigh_lookup(const char *bridge, const struct ipv6_addr *addr, struct eth_addr *mac);

/* Control. True if something changed. STATIC entries don't age. */
bool neigh_set(const char *bridge, const struct ipv6_addr *addr, struct eth_addr mac,
	bool is_static, int64_t now_ms);
/* BRIDGE NULL: all. True if there was anything. */
bool neigh_flush(const char *bridge);
void neigh_set_age(unsigned int seconds);
unsigned int neigh_age(void);
/* Control. How long the entry of ADDR will be good; 0: there is none. */
int64_t neigh_left_ms(const char *bridge, const struct ipv6_addr *addr, int64_t now_ms);
/* Expires; GONE (may be NULL) is told of each that went. */
void neigh_run(int64_t now_ms, void (*gone)(const struct ipv6_addr *addr));
enum neigh_reason {
	NEIGH_FOR_PACKET, /* One waits for it, or was lost. */
	NEIGH_AHEAD,
	NEIGH_N_REASONS
};

/* True if ADDR may be asked for now (and notes that it was); the first time only DELAY_MS after it
 * was first wished. */
bool neigh_may_solicit(enum neigh_reason reason, const char *bridge, const struct ipv6_addr *addr,
	unsigned int delay_ms, int64_t now_ms);
struct neigh_info {
	char bridge[16];
	struct ipv6_addr addr;
	struct eth_addr mac;
	bool is_static;
	int64_t confirmed_ms; /* When it was last known to be right. */
};

/* All entries; returns how many. free(*LIST). Control. */
size_t neigh_list(struct neigh_info **list);
/* tnl/arp/show text. */
void neigh_format(struct sbuf *s);
