/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/neigh.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/hmap.h"
#include "lib/vec.h"
#include "tunnel/tnl_addr.h"

/* Anybody on the underlay may claim addresses: no more than these are remembered, or asked for. */
#define MAX_NEIGHBOURS 16384
/* Records of asking outlive their time by this. */
#define FORGET_MS 5000

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

/* Who was asked for, by reason: how often, and of how many that is remembered. */
static struct {
	struct hmap map; /* struct solicited. */
	int64_t interval_ms;
	size_t max;
} asked[NEIGH_N_REASONS] = {
	[NEIGH_FOR_PACKET] = {HMAP_INITIALIZER, 1000, 1024},
	[NEIGH_AHEAD] = {HMAP_INITIALIZER, 10000, 4096},
};

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

/* An entry that is too old counts until neigh_run() takes it out, whose caller bumps what depends on it. */
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

int64_t neigh_left_ms(const char *bridge, const struct ipv6_addr *addr, int64_t now_ms)
{
	const struct neigh *n = find(bridge, addr);

	if (!n)
		return 0;
	return n->is_static ? INT64_MAX : MAX(n->expires_ms - now_ms, INT64_C(0));
}

static void forget(int reason, struct solicited *s)
{
	hmap_remove(&asked[reason].map, &s->node);
	free(s);
}

/* What was asked for is forgotten too: a flush is how one asks again at once. */
bool neigh_flush(const char *bridge)
{
	bool any = false;
	struct solicited *s;
	struct neigh *n;

	CMAP_FOR_EACH (n, node, &table)
		if (!bridge || !strcmp(n->bridge, bridge)) {
			drop(n);
			any = true;
		}
	for (int i = 0; i < NEIGH_N_REASONS; i++)
		HMAP_FOR_EACH_SAFE (s, node, &asked[i].map)
			if (!bridge || !strcmp(s->bridge, bridge)) {
				forget(i, s);
				any = true;
			}
	return any;
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

void neigh_run(int64_t now_ms, void (*gone)(const struct ipv6_addr *addr))
{
	struct solicited *s;
	struct neigh *n;

	CMAP_FOR_EACH (n, node, &table) {
		const struct ipv6_addr addr = n->addr;

		if (!is_expired(n, now_ms))
			continue;
		drop(n);
		if (gone)
			gone(&addr);
	}
	for (int i = 0; i < NEIGH_N_REASONS; i++)
		HMAP_FOR_EACH_SAFE (s, node, &asked[i].map)
			if (s->when_ms + asked[i].interval_ms + FORGET_MS <= now_ms)
				forget(i, s);
}

bool neigh_may_solicit(enum neigh_reason reason, const char *bridge, const struct ipv6_addr *addr,
	unsigned int delay_ms, int64_t now_ms)
{
	struct hmap *map = &asked[reason].map;
	uint32_t hash = neigh_hash(bridge, addr);
	struct solicited *s;

	HMAP_FOR_EACH_WITH_HASH (s, node, hash, map)
		if (ipv6_addr_equal(&s->addr, addr) && !strcmp(s->bridge, bridge))
			break;
	if (s) {
		if (s->when_ms + asked[reason].interval_ms > now_ms)
			return false;
		s->when_ms = now_ms;
		return true;
	}
	if (hmap_count(map) >= asked[reason].max)
		return false;
	s = xcalloc(1, sizeof *s);
	str_copy(s->bridge, bridge, sizeof s->bridge);
	s->addr = *addr;
	/* With a delay, as if it had been asked for that much before the time is over. */
	s->when_ms = delay_ms ? now_ms + delay_ms - asked[reason].interval_ms : now_ms;
	hmap_insert(map, &s->node, hash);
	return !delay_ms;
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
