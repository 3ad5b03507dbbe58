/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the kernel says of links, addresses, rules, next hop objects and routes, as rtnetlink messages
 * (rtnetlink(7)). Bytes to facts: no system call. Pure; one thread at a time.
 */

struct nlmsghdr;
struct route_table;

/* Adds what NLH says to TABLE, which is not finished yet. Anything but an RTM_NEW* of these kinds, and
 * what is malformed, is left out. NLH's length has been checked. */
void route_decode(const struct nlmsghdr *nlh, struct route_table *table);
