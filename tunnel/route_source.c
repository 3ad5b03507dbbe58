/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/headers.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

/* ------------------------------------------------------------------ as Open vSwitch */

/* How well A serves as source for packets to PEER (a destination or gateway), 0: not at all. An
 * address that has PEER in its prefix is best, the longer the better. */
static unsigned int manual_rank(const struct route_addr *a, const struct ipv6_addr *peer)
{
	if (tnl_addr_is_ipv4(peer) != tnl_addr_is_ipv4(&a->addr))
		return 0;
	if (tnl_addr_in_prefix(&a->addr, peer, a->plen))
		return 3u + a->plen;
	return tnl_addr_is_link_local(&a->addr) ? 1 : 2;
}

bool route_source_manual(const struct route_table *table, const char *dev,
	const struct ipv6_addr *dst, const struct ipv6_addr *gateway, bool must_match,
	struct ipv6_addr *src)
{
	struct ipv6_addr found;
	unsigned int best = 0;

	for (size_t i = 0; i < table->addrs.n; i++) {
		const struct route_addr *a = &table->addrs.items[i];
		unsigned int rank;

		if (strcmp(a->dev, dev))
			continue;
		rank = manual_rank(a, dst);
		/* A link-local gateway says nothing about the source. */
		if (rank <= 2 && !ipv6_addr_is_zero(gateway) && !(gateway->b[0] == 0xfe) && rank)
			rank = manual_rank(a, gateway);
		if (rank > best) {
			best = rank;
			found = a->addr;
		}
	}
	if (!best || (best <= 2 && must_match && gateway->b[0] != 0xfe))
		return false;
	*src = found;
	return true;
}

/* ------------------------------------------------------------------ IPv4 as the kernel */

/* The first of the device that has GATEWAY in its prefix, then the first; then any of this host's that
 * is good for more than its link. */
bool route_source_ipv4(const struct route_table *table, int ifindex, const struct ipv6_addr *gateway,
	uint8_t scope, struct ipv6_addr *src)
{
	bool has_gateway = tnl_addr_is_ipv4(gateway);
	const struct route_addr *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < table->addrs.n; i++) {
		const struct route_addr *a = &table->addrs.items[i];
		int rank;

		if (!tnl_addr_is_ipv4(&a->addr) || a->is_secondary || a->scope > scope)
			continue;
		if (a->ifindex != ifindex)
			rank = a->scope == RT_SCOPE_LINK ? 0 : 1;
		else
			rank = has_gateway && tnl_addr_in_prefix(&a->addr, gateway, a->plen) ? 3 : 2;
		if (rank > best_rank || (rank && rank == best_rank && a->order < best->order)) {
			best = a;
			best_rank = rank;
		}
	}
	if (best)
		*src = best->addr;
	return best;
}

/* ------------------------------------------------------------------ IPv6 as the kernel */

/* RFC 4291, 2.7 and RFC 6724, 3.1. */
static unsigned int scope_of(const struct ipv6_addr *addr)
{
	static const struct ipv6_addr loopback = {.b = {[15] = 1}};

	if (addr->b[0] == 0xff)
		return addr->b[1] & 0xf;
	if (tnl_addr_is_link_local(addr) || ipv6_addr_equal(addr, &loopback))
		return 2;
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0xc0 ? 5 : 14;
}

/* The default policy table of RFC 6724, 2.1, as Linux has it. */
static unsigned int label_of(const struct ipv6_addr *addr)
{
	static const struct {
		struct ipv6_addr prefix;
		uint8_t plen, label;
	} labels[] = {
		{{.b = {[15] = 1}}, 128, 0},
		{{.b = {[10] = 0xff, 0xff}}, 96, 4},
		{{.b = {0}}, 96, 3},
		{{.b = {0x20, 0x01}}, 32, 6},
		{{.b = {0x20, 0x01, 0x00, 0x10}}, 28, 7},
		{{.b = {0x3f, 0xfe}}, 16, 12},
		{{.b = {0x20, 0x02}}, 16, 2},
		{{.b = {0xfe, 0xc0}}, 10, 11},
		{{.b = {0xfc}}, 7, 5},
	};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (tnl_addr_in_prefix(addr, &labels[i].prefix, labels[i].plen))
			return labels[i].label;
	return 1;
}

static unsigned int common_bits(const struct ipv6_addr *a, const struct ipv6_addr *b, uint8_t most)
{
	unsigned int n = 0;

	while (n < most && tnl_addr_in_prefix(a, b, n + 1))
		n++;
	return n;
}

/* A better than B, rule by rule. */
static bool is_better(const struct route_addr *a, const struct route_addr *b, int ifindex,
	const struct ipv6_addr *dst)
{
	unsigned int scope_a = scope_of(&a->addr), scope_b = scope_of(&b->addr), scope = scope_of(dst);
	bool same_a = ipv6_addr_equal(&a->addr, dst), same_b = ipv6_addr_equal(&b->addr, dst);
	unsigned int label = label_of(dst);
	bool label_a = label_of(&a->addr) == label, label_b = label_of(&b->addr) == label;
	unsigned int bits_a, bits_b;

	if (same_a != same_b)
		return same_a;
	if (scope_a != scope_b)
		return scope_a < scope_b ? scope_a >= scope : scope_b < scope;
	if (a->is_deprecated != b->is_deprecated)
		return b->is_deprecated;
	if ((a->ifindex == ifindex) != (b->ifindex == ifindex))
		return a->ifindex == ifindex;
	if (label_a != label_b)
		return label_a;
	bits_a = common_bits(&a->addr, dst, a->plen);
	bits_b = common_bits(&b->addr, dst, b->plen);
	return bits_a != bits_b ? bits_a > bits_b : a->order < b->order;
}

bool route_source_ipv6(const struct route_table *table, int ifindex, const struct ipv6_addr *dst,
	struct ipv6_addr *src)
{
	bool stays_on_link = scope_of(dst) == 2;
	const struct route_addr *best = NULL;

	for (size_t i = 0; i < table->addrs.n; i++) {
		const struct route_addr *a = &table->addrs.items[i];

		if (tnl_addr_is_ipv4(&a->addr) || a->is_tentative ||
			(stays_on_link && a->ifindex != ifindex))
			continue;
		if (!best || is_better(a, best, ifindex, dst))
			best = a;
	}
	if (best)
		*src = best->addr;
	return best;
}
