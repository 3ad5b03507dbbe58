/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the sender of a frame is told that a tunnel can't carry: ICMP "fragmentation needed" (RFC 1191)
 * or ICMPv6 "packet too big" (RFC 4443, 3.2), from the one it was sent to, since a switch has no
 * address of its own there. Pure; any thread.
 */

#include <stddef.h>
#include <stdint.h>

/* Ethernet, two tags, and the least that any IPv6 link carries. */
#define TNL_TOO_BIG_MAX (14 + 8 + 1280)

/*
 * Builds the answer to FRAME, of which the first LEN bytes are given, into BUF[TNL_TOO_BIG_MAX]. ROOM:
 * the longest frame that would have been carried, Ethernet header included. Returns the answer's
 * length, 0 if there must be none: not IP, a later fragment, an ICMP error, or a sender or receiver that
 * is more than one host (RFC 1122, 3.2.2; RFC 4443, 2.4 e).
 */
size_t tnl_too_big_answer(const uint8_t *frame, size_t len, uint32_t room, uint8_t *buf);
