/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/neigh.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/hmap.h"
#include "lib/vec.h"
#include "tunnel/tnl_addr.h"

/* Anybody on the underlay may claim addresses: no more than these are remembered, or asked for. */
#define MAX_NEIGHBOURS 16384
#define MAX_SOLICITED 1024
#define SOLICIT_MS 1000

struct neigh {
	struct cmap_node node; /* In `table`, by address. */
	char bridge[16];
	struct ipv6_addr addr;
	struct eth_addr mac;
	bool is_static;
	_Atomic int64_t expires_ms;
};

/* An address that was asked for. */
struct solicited {
	struct hmap_node node;
	char bridge[16];
	struct ipv6_addr addr;
	int64_t when_ms;
};

static struct cmap table = CMAP_INITIALIZER;
static struct hmap solicited = HMAP_INITIALIZER;
static unsigned int age_s = NEIGH_DEFAULT_AGE_S;

static uint32_t neigh_hash(const char *bridge, const struct ipv6_addr *addr)
{
	return hash_add64(hash_add64(hash_string(bridge, 0), addr->w64[0]), addr->w64[1]);
}

static struct neigh *find(const char *bridge, const struct ipv6_addr *addr)
{
	struct neigh *n;

	CMAP_FOR_EACH_WITH_HASH (n, node, neigh_hash(bridge, addr), &table)
		if (ipv6_addr_equal(&n->addr, addr) && !strcmp(n->bridge, bridge))
			return n;
	return NULL;
}

static bool is_expired(const struct neigh *n, int64_t now_ms)
{
	return !n->is_static &&
	       atomic_load_explicit(&n->expires_ms, memory_order_relaxed) <= now_ms;
}

static void prolong(struct neigh *n, int64_t now_ms)
{
	atomic_store_explicit(&n->expires_ms, now_ms + (int64_t)age_s * 1000, memory_order_relaxed);
}

static void drop(struct neigh *n)
{
	cmap_remove(&table, &n->node);
	rcu_defer_free(n);
}

/* An entry that is too old counts until neigh_run() takes it out, which bumps what depends on it.
 */
bool neigh_lookup(const char *bridge, const struct ipv6_addr *addr, struct eth_addr *mac)
{
	const struct neigh *n = find(bridge, addr);

	if (!n)
		return false;
	*mac = n->mac;
	return true;
}

bool neigh_set(const char *bridge, const struct ipv6_addr *addr, struct eth_addr mac,
	bool is_static, int64_t now_ms)
{
	struct neigh *n = find(bridge, addr), *old = n;

	if (n && eth_addr_equal(n->mac, mac) && n->is_static == is_static) {
		prolong(n, now_ms);
		return false;
	}
	if (!old && cmap_count(&table) >= MAX_NEIGHBOURS && !is_static)
		return false;
	n = xcalloc(1, sizeof *n);
	str_copy(n->bridge, bridge, sizeof n->bridge);
	n->addr = *addr;
	n->mac = mac;
	n->is_static = is_static;
	prolong(n, now_ms);
	if (old) {
		cmap_replace(&table, &old->node, &n->node);
		rcu_defer_free(old);
	} else {
		cmap_insert(&table, &n->node, neigh_hash(bridge, addr));
	}
	return true;
}

void neigh_used(const char *bridge, const struct ipv6_addr *addr, int64_t now_ms)
{
	struct neigh *n = find(bridge, addr);

	if (n)
		prolong(n, now_ms);
}

/* What was asked for is forgotten too: a flush is how one asks again at once. */
void neigh_flush(const char *bridge)
{
	struct solicited *s;
	struct neigh *n;

	CMAP_FOR_EACH (n, node, &table)
		if (!bridge || !strcmp(n->bridge, bridge))
			drop(n);
	HMAP_FOR_EACH_SAFE (s, node, &solicited) {
		if (!bridge || !strcmp(s->bridge, bridge)) {
			hmap_remove(&solicited, &s->node);
			free(s);
		}
	}
}

/* Shortens the lives of those that are there, never prolongs them. */
void neigh_set_age(unsigned int seconds)
{
	int64_t expires_ms = clock_ms() + (int64_t)seconds * 1000;
	struct neigh *n;

	age_s = seconds;
	CMAP_FOR_EACH (n, node, &table)
		if (n->expires_ms > expires_ms)
			n->expires_ms = expires_ms;
}

unsigned int neigh_age(void)
{
	return age_s;
}

bool neigh_run(int64_t now_ms)
{
	struct solicited *s;
	bool changed = false;
	struct neigh *n;

	CMAP_FOR_EACH (n, node, &table) {
		if (is_expired(n, now_ms)) {
			drop(n);
			changed = true;
		}
	}
	HMAP_FOR_EACH_SAFE (s, node, &solicited) {
		if (s->when_ms + SOLICIT_MS <= now_ms) {
			hmap_remove(&solicited, &s->node);
			free(s);
		}
	}
	return changed;
}

bool neigh_may_solicit(const char *bridge, const struct ipv6_addr *addr, int64_t now_ms)
{
	uint32_t hash = neigh_hash(bridge, addr);
	struct solicited *s;

	HMAP_FOR_EACH_WITH_HASH (s, node, hash, &solicited)
		if (ipv6_addr_equal(&s->addr, addr) && !strcmp(s->bridge, bridge))
			break;
	if (s) {
		if (s->when_ms + SOLICIT_MS > now_ms)
			return false;
		s->when_ms = now_ms;
		return true;
	}
	if (hmap_count(&solicited) >= MAX_SOLICITED)
		return false;
	s = xcalloc(1, sizeof *s);
	str_copy(s->bridge, bridge, sizeof s->bridge);
	s->addr = *addr;
	s->when_ms = now_ms;
	hmap_insert(&solicited, &s->node, hash);
	return true;
}

size_t neigh_list(struct neigh_info **list)
{
	const struct neigh *n;
	size_t i = 0;

	*list = xcalloc(cmap_count(&table), sizeof **list);
	CMAP_FOR_EACH (n, node, &table) {
		struct neigh_info *info = &(*list)[i++];

		memcpy(info->bridge, n->bridge, sizeof info->bridge);
		info->addr = n->addr;
		info->mac = n->mac;
		info->is_static = n->is_static;
		info->confirmed_ms = n->expires_ms - (int64_t)age_s * 1000;
	}
	return i;
}

static int compare(const void *a_, const void *b_)
{
	const struct neigh *a = *(const struct neigh *const *)a_;
	const struct neigh *b = *(const struct neigh *const *)b_;
	int order = memcmp(&a->addr, &b->addr, sizeof a->addr);

	return order ? order : strcmp(a->bridge, b->bridge);
}

void neigh_format(struct sbuf *s)
{
	VEC(const struct neigh *) sorted = VEC_INITIALIZER;
	int64_t now_ms = clock_ms();
	const struct neigh *n;

	CMAP_FOR_EACH (n, node, &table)
		vec_push(&sorted, n);
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof sorted.items[0], compare);
	sbuf_puts(s,
		"IP                                            MAC                 Bridge\n"
		"==========================================================================\n");
	for (size_t i = 0; i < sorted.n; i++) {
		size_t start = s->len;

		n = sorted.items[i];
		tnl_addr_format(&n->addr, s);
		sbuf_putc_n(s, ' ', start + INET6_ADDRSTRLEN - s->len);
		sbuf_put_mac(s, n->mac.b);
		sbuf_putf(s, "   %s%s\n", n->bridge, is_expired(n, now_ms) ? " STALE" : "");
	}
	vec_uninit(&sorted);
}

/* ------------------------------------------------------------------ asking */

static size_t build_arp(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf)
{
	struct eth_header *eth = (struct eth_header *)buf;
	struct arp_header *arp = (struct arp_header *)(buf + ETH_HEADER_LEN);

	memset(eth->dst, 0xff, sizeof eth->dst);
	memcpy(eth->src, src_mac.b, sizeof eth->src);
	eth->type = htobe16(ETH_T_ARP);
	*arp = (struct arp_header){
		.hrd = htobe16(ARP_HRD_ETHERNET),
		.pro = htobe16(ETH_T_IP),
		.hln = ETH_ADDR_LEN,
		.pln = sizeof arp->spa,
		.op = htobe16(ARP_OP_REQUEST),
	};
	memcpy(arp->sha, src_mac.b, sizeof arp->sha);
	memcpy(arp->spa, &src->w32[3], sizeof arp->spa);
	memcpy(arp->tpa, &target->w32[3], sizeof arp->tpa);
	return ETH_HEADER_LEN + sizeof *arp;
}

/* RFC 4861, sections 4.3 and 7.2.2: to the solicited-node address of TARGET. */
static size_t build_nd(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf)
{
	struct eth_header *eth = (struct eth_header *)buf;
	struct ipv6_header *ip = (struct ipv6_header *)(eth + 1);
	struct nd_header *nd = (struct nd_header *)(ip + 1);
	struct nd_lla_opt *opt = (struct nd_lla_opt *)(nd + 1);
	uint32_t len = sizeof *nd + sizeof *opt;
	struct ipv6_addr dst = {.b = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, target->b[13],
					target->b[14], target->b[15]}};

	memset(buf, 0, ETH_HEADER_LEN + sizeof *ip + len);
	eth->dst[0] = eth->dst[1] = 0x33;
	memcpy(eth->dst + 2, &dst.b[12], 4);
	memcpy(eth->src, src_mac.b, sizeof eth->src);
	eth->type = htobe16(ETH_T_IPV6);
	ip->flow = htobe32(UINT32_C(6) << 28);
	ip->plen = htobe16((uint16_t)len);
	ip->nexthdr = IP_P_ICMPV6;
	ip->hlim = 255;
	memcpy(ip->src, src->b, sizeof ip->src);
	memcpy(ip->dst, dst.b, sizeof ip->dst);
	nd->icmp.type = ND_NS;
	memcpy(nd->target, target->b, sizeof nd->target);
	opt->type = ND_OPT_SLL;
	opt->len = 1;
	memcpy(opt->mac, src_mac.b, sizeof opt->mac);
	nd->icmp.csum =
		csum_finish(csum_bytes(csum_pseudo_v6(src, &dst, IP_P_ICMPV6, len), nd, len));
	return ETH_HEADER_LEN + sizeof *ip + len;
}

size_t neigh_build_solicit(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf)
{
	return tnl_addr_is_ipv4(target) ? build_arp(target, src, src_mac, buf)
					: build_nd(target, src, src_mac, buf);
}
