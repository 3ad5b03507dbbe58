/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Underlay routes: a copy of the kernel's (netlink, kept current), plus those of ovs/route/add. And
 * which addresses are this host's, on which device.
 *
 * The kernel's tables local, main and default are taken; of others, those that a rule gives to a
 * firewall mark (`ip rule add fwmark 5 table 100`), for packets with that mark.
 *
 * Threads: init, reload and changes by control; lookups by any thread under RCU. The copy is
 * replaced whole when it changes; DEP_ROUTE's bump is the caller's (CHANGED tells, or the success
 * of a change).
 */

#include "lib/sbuf.h"
#include "lib/types.h"

struct route {
	struct ipv6_addr src;     /* Preferred source address. */
	struct ipv6_addr gateway; /* All zero: on link. */
	char dev[16];             /* Output device (a bridge's internal port, or any). */
	uint32_t mtu;             /* Of the device; 0 unknown. */
};

struct event_loop;
/* Opens netlink in the caller's network namespace and reads everything. 0 or -errno. CHANGED is
 * called on control after routes or addresses have changed. LOOP NULL: only route_reload() looks
 * again. */
int route_init(struct event_loop *loop, void (*changed)(void *aux), void *aux);
void route_uninit(void);
/* Reads everything again, now. True if something is different. */
bool route_reload(void);

/* Any thread. Longest prefix match for DST (IPv4 as ::ffff:a.b.c.d). MARK as in ip rule fwmark;
 * where nothing is said for it, as without. */
bool route_lookup(const struct ipv6_addr *dst, uint32_t mark, struct route *route);
/* Any thread. ADDR is one of this host's own; DEV (16 bytes, may be NULL) gets its device. */
bool route_is_local(const struct ipv6_addr *addr, char *dev);
/* Any thread. The kernel's MAC of DEV; false if there is no such device. */
bool route_dev_mac(const char *dev, struct eth_addr *mac);
/* Control. The I-th address of this host on a device that is no loopback, with that device's MAC;
 * false behind the last. */
bool route_local_address(size_t i, struct ipv6_addr *addr, struct eth_addr *mac);

/* ovs/route/add, del, lookup with their arguments from ARGV[0] on, and show: texts as OVS's. 0 or
 * -EINVAL with *ERROR (caller frees). */
int route_add_manual(int argc, const char *argv[], char **error);
int route_del_manual(int argc, const char *argv[], char **error);
int route_lookup_manual(int argc, const char *argv[], struct sbuf *s, char **error);
void route_format(struct sbuf *s);
