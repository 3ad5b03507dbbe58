/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_table.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "tunnel/tnl_addr.h"

struct route_table *route_table_create(void)
{
	return xcalloc(1, sizeof(struct route_table));
}

void route_table_destroy(void *table_)
{
	struct route_table *table = table_;

	if (!table)
		return;
	vec_uninit(&table->links);
	vec_uninit(&table->addrs);
	vec_uninit(&table->entries);
	vec_uninit(&table->groups);
	vec_uninit(&table->rules);
	free(table);
}

#define EQUAL(A, B)                                                                                \
	((A).n == (B).n && (!(A).n || !memcmp((A).items, (B).items, (A).n * sizeof *(A).items)))

bool route_table_equal(const struct route_table *a, const struct route_table *b)
{
	return EQUAL(a->links, b->links) && EQUAL(a->addrs, b->addrs) &&
	       EQUAL(a->entries, b->entries);
}

/* ------------------------------------------------------------------ links and addresses */

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct route_link *)a)->name, ((const struct route_link *)b)->name);
}

const struct route_link *route_table_link(const struct route_table *table, const char *name)
{
	struct route_link key = {0};

	if (!table->links.n)
		return NULL;
	str_copy(key.name, name, sizeof key.name);
	return bsearch(&key, table->links.items, table->links.n, sizeof key, compare_links);
}

const struct route_link *route_table_link_by_index(const struct route_table *table, int ifindex)
{
	for (size_t i = 0; i < table->links.n; i++)
		if (table->links.items[i].ifindex == ifindex)
			return &table->links.items[i];
	return NULL;
}

static int compare_addrs(const void *a_, const void *b_)
{
	const struct route_addr *a = a_, *b = b_;
	int order = memcmp(&a->addr, &b->addr, sizeof a->addr);

	return order ? order : a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
}

const struct route_addr *route_table_addr(
	const struct route_table *table, const struct ipv6_addr *addr)
{
	size_t low = 0, high = table->addrs.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (memcmp(&table->addrs.items[mid].addr, addr, sizeof *addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < table->addrs.n && ipv6_addr_equal(&table->addrs.items[low].addr, addr))
		return &table->addrs.items[low];
	return NULL;
}

/* ------------------------------------------------------------------ source addresses */

/* How well A serves as source for packets to PEER (a destination or gateway), 0: not at all. An
 * address that has PEER in its prefix is best, the longer the better. */
static unsigned int source_rank(const struct route_addr *a, const struct ipv6_addr *peer)
{
	bool is_ipv4 = tnl_addr_is_ipv4(peer),
	     link_local = a->addr.b[0] == 0xfe && (a->addr.b[1] & 0xc0) == 0x80;

	if (is_ipv4 != tnl_addr_is_ipv4(&a->addr))
		return 0;
	if (tnl_addr_in_prefix(&a->addr, peer, a->plen))
		return 3u + a->plen;
	return link_local ? 1 : 2;
}

bool route_table_source(const struct route_table *table, const char *dev,
	const struct ipv6_addr *dst, const struct ipv6_addr *gateway, struct ipv6_addr *src)
{
	unsigned int best = 0;

	for (size_t i = 0; i < table->addrs.n; i++) {
		const struct route_addr *a = &table->addrs.items[i];
		unsigned int rank;

		if (strcmp(a->dev, dev))
			continue;
		rank = source_rank(a, dst);
		/* A link-local gateway says nothing about the source. */
		if (rank <= 2 && !ipv6_addr_is_zero(gateway) && !(gateway->b[0] == 0xfe) && rank)
			rank = source_rank(a, gateway);
		if (rank > best) {
			best = rank;
			*src = a->addr;
		}
	}
	return best;
}

/* ------------------------------------------------------------------ routes */

static int priority(const struct route_entry *e)
{
	return e->plen + e->origin;
}

static int table_order(uint32_t table)
{
	return table == RT_TABLE_LOCAL ? 0 : table == RT_TABLE_MAIN ? 1 : 2;
}

/* The same group? */
static int compare_groups(const struct route_entry *a, const struct route_entry *b)
{
	if (priority(a) != priority(b))
		return priority(b) - priority(a);
	if (a->plen != b->plen)
		return b->plen - a->plen;
	return a->mark < b->mark ? -1 : a->mark > b->mark;
}

static int compare_entries(const void *a_, const void *b_)
{
	const struct route_entry *a = a_, *b = b_;
	int order = compare_groups(a, b);

	if (!order)
		order = memcmp(&a->prefix, &b->prefix, sizeof a->prefix);
	if (!order)
		order = table_order(a->table) - table_order(b->table);
	if (!order)
		order = a->metric < b->metric ? -1 : a->metric > b->metric;
	return order ? order : memcmp(a, b, sizeof *a);
}

/* Completes the entries; those that can't be used go. */
static void complete_entries(struct route_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->entries.n; i++) {
		struct route_entry *e = &table->entries.items[i];
		const struct route_link *link = route_table_link(table, e->dev);

		if (!link)
			continue;
		e->mtu = link->mtu;
		if (ipv6_addr_is_zero(&e->src) &&
			!route_table_source(table, e->dev, &e->prefix, &e->gateway, &e->src))
			continue;
		table->entries.items[n++] = *e;
	}
	table->entries.n = n;
}

/* Drops all but the best of each prefix, and finds the groups. */
static void group_entries(struct route_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->entries.n; i++) {
		const struct route_entry *e = &table->entries.items[i];
		const struct route_entry *last = n ? &table->entries.items[n - 1] : NULL;
		bool same_group = last && !compare_groups(last, e);

		if (same_group && ipv6_addr_equal(&last->prefix, &e->prefix))
			continue;
		if (!same_group)
			vec_push(&table->groups, (struct route_group){.mark = e->mark,
							 .plen = e->plen,
							 .origin = e->origin,
							 .start = n});
		table->groups.items[table->groups.n - 1].n++;
		table->entries.items[n++] = *e;
	}
	table->entries.n = n;
}

void route_table_finish(struct route_table *table)
{
	if (table->links.n)
		qsort(table->links.items, table->links.n, sizeof *table->links.items,
			compare_links);
	if (table->addrs.n)
		qsort(table->addrs.items, table->addrs.n, sizeof *table->addrs.items,
			compare_addrs);
	complete_entries(table);
	if (table->entries.n)
		qsort(table->entries.items, table->entries.n, sizeof *table->entries.items,
			compare_entries);
	group_entries(table);
}

static int compare_prefix(const void *key, const void *entry)
{
	return memcmp(key, &((const struct route_entry *)entry)->prefix, sizeof(struct ipv6_addr));
}

const struct route_entry *route_table_lookup(
	const struct route_table *table, const struct ipv6_addr *dst, uint32_t mark)
{
	for (size_t i = 0; i < table->groups.n; i++) {
		const struct route_group *group = &table->groups.items[i];
		struct ipv6_addr prefix;
		const struct route_entry *e;

		if (group->mark != mark)
			continue;
		prefix = tnl_addr_masked(dst, group->plen);
		e = bsearch(&prefix, table->entries.items + group->start, group->n, sizeof *e,
			compare_prefix);
		if (e)
			return e;
	}
	return NULL;
}
