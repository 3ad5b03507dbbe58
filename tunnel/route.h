/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Underlay routes: a copy of the kernel's (netlink, kept current), plus those of ovs/route/add. And
 * which addresses are this host's, on which device.
 *
 * Threads: init, run and changes by control; lookups by any thread under RCU. The table is replaced
 * whole when it changes; DEP_ROUTE's bump is the caller's (route_run tells).
 */

#include "lib/sbuf.h"
#include "lib/types.h"

struct route {
	struct ipv6_addr src;		/* Preferred source address. */
	struct ipv6_addr gateway;	/* All zero: on link. */
	char dev[16];			/* Output device (a bridge's internal port, or any). */
	uint32_t mtu;			/* Of the device; 0 unknown. */
};

struct event_loop;
/* Opens netlink in the caller's network namespace and reads everything. 0 or -errno. CHANGED is called
 * on control after routes or addresses have changed. */
int route_init(struct event_loop *loop, void (*changed)(void *aux), void *aux);
void route_uninit(void);

/* Any thread. Longest prefix match for DST (IPv4 as ::ffff:a.b.c.d). MARK as in ip rule fwmark. */
bool route_lookup(const struct ipv6_addr *dst, uint32_t mark, struct route *route);
/* Any thread. ADDR is one of this host's own; DEV (16 bytes, may be NULL) gets its device. */
bool route_is_local(const struct ipv6_addr *addr, char *dev);
/* The kernel's MAC of DEV; false if there is no such device. */
bool route_dev_mac(const char *dev, struct eth_addr *mac);

/* ovs/route/add, del, show, lookup: texts as OVS's. 0 or -EINVAL with *ERROR (caller frees). */
int route_add_manual(int argc, const char *argv[], char **error);
int route_del_manual(int argc, const char *argv[], char **error);
void route_format(struct sbuf *s);
