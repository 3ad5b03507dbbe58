/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel's neighbour tables (ARP and ND), over rtnetlink: what they hold, what changes in them, and
 * the wish that an entry be looked for. Control.
 */

#include <stdbool.h>

#include "lib/types.h"

/* Opens a socket that hears of changes and asks for all there is now. The descriptor, or -errno. */
int neigh_netlink_open(void);
/* Reads what has come; FOUND gets each neighbour with a MAC: device name, address (IPv4 as
 * ::ffff:a.b.c.d). Bounded; never blocks. */
void neigh_netlink_run(int fd,
	void (*found)(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac));
struct nlmsghdr;
/* What NLH says of a neighbour with a MAC. False, nothing written: nothing, or it is malformed. NLH's
 * length has been checked. */
bool neigh_netlink_decode(const struct nlmsghdr *nlh, unsigned int *ifindex, struct ipv6_addr *addr,
	struct eth_addr *mac);
/* Has the kernel resolve ADDR on DEV, or confirm what it knows. */
void neigh_netlink_probe(int fd, const char *dev, const struct ipv6_addr *addr);
