/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Addresses of tunnels: IPv4 as ::ffff:a.b.c.d in a struct ipv6_addr. Pure.
 */

#include <arpa/inet.h>
#include <string.h>

#include "lib/flow.h"
#include "lib/sbuf.h"
#include "lib/types.h"

static inline struct ipv6_addr tnl_addr_from_ipv4(be32 ip)
{
	struct ipv6_addr addr = {.w32 = {0, 0, htobe32(0xffff), ip}};

	return addr;
}

static inline bool tnl_addr_is_ipv4(const struct ipv6_addr *addr)
{
	return !addr->w64[0] && addr->w32[2] == htobe32(0xffff);
}

/* The IPv4 address in ADDR, or 0. */
static inline be32 tnl_addr_to_ipv4(const struct ipv6_addr *addr)
{
	return tnl_addr_is_ipv4(addr) ? addr->w32[3] : 0;
}

static inline struct ipv6_addr tnl_addr_dst(const struct flow_tnl *tnl)
{
	return tnl->ip_dst ? tnl_addr_from_ipv4(tnl->ip_dst) : tnl->ipv6_dst;
}

static inline struct ipv6_addr tnl_addr_src(const struct flow_tnl *tnl)
{
	return tnl->ip_dst ? tnl_addr_from_ipv4(tnl->ip_src) : tnl->ipv6_src;
}

/* "10.0.0.1", "fd00::1" or "::". */
static inline void tnl_addr_format(const struct ipv6_addr *addr, struct sbuf *s)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = tnl_addr_is_ipv4(addr);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &addr->b[12] : addr->b, text, sizeof text);
	sbuf_puts(s, text);
}

/* An IPv4 or IPv6 address. False if S is neither. */
static inline bool tnl_addr_parse(const char *s, struct ipv6_addr *addr)
{
	struct ipv6_addr a = {.w64 = {0, 0}};

	if (strchr(s, ':')) {
		if (inet_pton(AF_INET6, s, a.b) != 1)
			return false;
	} else {
		be32 ip;

		if (inet_pton(AF_INET, s, &ip) != 1)
			return false;
		a = tnl_addr_from_ipv4(ip);
	}
	*addr = a;
	return true;
}

static inline bool tnl_addr_is_multicast(const struct ipv6_addr *addr)
{
	return tnl_addr_is_ipv4(addr) ? addr->b[12] >> 4 == 0xe : addr->b[0] == 0xff;
}

/* RFC 4291, 2.5.6. */
static inline bool tnl_addr_is_link_local(const struct ipv6_addr *addr)
{
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80;
}

/* ADDR has a meaning on one link alone, or is a multicast address of IPv6. */
static inline bool tnl_addr_is_link_scope(const struct ipv6_addr *addr)
{
	return tnl_addr_is_link_local(addr) || addr->b[0] == 0xff;
}

/* The first PLEN bits of A and B are the same. */
static inline bool tnl_addr_in_prefix(
	const struct ipv6_addr *a, const struct ipv6_addr *b, unsigned int plen)
{
	unsigned int bytes = plen / 8, bits = plen % 8;

	if (memcmp(a->b, b->b, bytes))
		return false;
	return !bits || !((a->b[bytes] ^ b->b[bytes]) >> (8 - bits));
}

/* ADDR without the bits behind the first PLEN. */
static inline struct ipv6_addr tnl_addr_masked(const struct ipv6_addr *addr, unsigned int plen)
{
	struct ipv6_addr out = *addr;

	for (unsigned int i = 0; i < 16; i++) {
		if (i * 8 >= plen)
			out.b[i] = 0;
		else if (plen - i * 8 < 8)
			out.b[i] &= (uint8_t)(0xff << (8 - (plen - i * 8)));
	}
	return out;
}
