/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Frames about neighbours: the question for one (ARP, RFC 826; neighbour solicitation, RFC 4861), the
 * announcement of an own address (RFC 5227, section 3; neighbour advertisement), and what a received
 * frame tells about one. Pure; any thread.
 */

#include "lib/types.h"

#define NEIGH_SOLICIT_MAX 86

/* Builds an ARP request or neighbour solicitation for TARGET (IPv4 as ::ffff:a.b.c.d) by SRC into
 * BUF[NEIGH_SOLICIT_MAX]; returns its length. */
size_t neigh_build_solicit(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf);

/* Builds the announcement that ADDR is reached by MAC into BUF[NEIGH_SOLICIT_MAX]; returns its length. */
size_t neigh_build_announce(const struct ipv6_addr *addr, struct eth_addr mac, uint8_t *buf);

/*
 * What FRAME[LEN] tells: that *ADDR is reached by *MAC. Of ARP the sender's own translation; of a
 * neighbour advertisement (only if it is what RFC 4861, 7.1.2 asks for) its target's; of any other IP
 * packet its sender's. False: nothing, or no address that one host alone has; outputs untouched then.
 */
bool neigh_parse(const uint8_t *frame, size_t len, struct ipv6_addr *addr, struct eth_addr *mac);
