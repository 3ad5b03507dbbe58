/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sockets of rtnetlink that hear of changes, and reading of attributes: the common part of
 * neigh_netlink.c and route_netlink.c. Messages come from the kernel, yet nothing is taken as right:
 * lengths are checked, and what is malformed is left out.
 *
 * Any thread, each socket one at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/types.h"

struct nlattr;
struct nlmsghdr;

#define NETLINK_N_ATTRS 64

/* Attributes by type; a later one of the same type wins. TOO_NEW: there is one whose type is at
 * least NETLINK_N_ATTRS. */
struct netlink_attrs {
	const struct nlattr *a[NETLINK_N_ATTRS];
	bool too_new;
};

/* The next whole message of the *SIZE bytes at *DATA, which both go past it; NULL: there is none. DATA
 * is aligned as NLMSG_ALIGN asks. */
const struct nlmsghdr *netlink_next_message(const uint8_t **data, size_t *size);
/* Those behind the HEADER_LEN bytes of NLH's own header; NLH must have that many. */
void netlink_attrs_of_message(
	struct netlink_attrs *attrs, const struct nlmsghdr *nlh, size_t header_len);
/* Those in SIZE bytes at DATA. */
void netlink_attrs_of_bytes(struct netlink_attrs *attrs, const void *data, size_t size);

/* False, *VALUE untouched: ATTR is NULL or has another size. */
bool netlink_get_u32(const struct nlattr *attr, uint32_t *value);
bool netlink_get_u8(const struct nlattr *attr, uint8_t *value);
/* An address by its size: 4 bytes IPv4 (as ::ffff:a.b.c.d), 16 bytes IPv6. */
bool netlink_get_addr(const struct nlattr *attr, struct ipv6_addr *addr);

/* A nonblocking socket of NETLINK_ROUTE that hears of the N_GROUPS groups RTNLGRP_* of GROUPS; those
 * that the kernel does not have are left out. The descriptor, or -errno. */
int netlink_monitor(const int *groups, size_t n_groups);
/* Sends NLH to the kernel. 0 or -errno. */
int netlink_request(int fd, const struct nlmsghdr *nlh);
