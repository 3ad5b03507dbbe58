/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_table.h"

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
	vec_uninit(&table->links_by_index);
	vec_uninit(&table->addrs);
	vec_uninit(&table->rules);
	vec_uninit(&table->objects);
	vec_uninit(&table->members);
	vec_uninit(&table->entries);
	vec_uninit(&table->hops);
	vec_uninit(&table->groups);
	free(table);
}

void route_table_clear(struct route_table *table)
{
	vec_clear(&table->links);
	vec_clear(&table->addrs);
	vec_clear(&table->rules);
	vec_clear(&table->objects);
	vec_clear(&table->members);
	vec_clear(&table->entries);
	vec_clear(&table->hops);
}

#define COPY(MEMBER)                                                                               \
	do {                                                                                       \
		vec_reserve(&to->MEMBER, from->MEMBER.n);                                          \
		if (from->MEMBER.n)                                                                \
			memcpy(to->MEMBER.items, from->MEMBER.items,                               \
				from->MEMBER.n * sizeof *from->MEMBER.items);                      \
		to->MEMBER.n = from->MEMBER.n;                                                     \
	} while (0)

void route_table_copy(struct route_table *to, const struct route_table *from)
{
	COPY(links);
	COPY(addrs);
	COPY(rules);
	COPY(objects);
	COPY(members);
	COPY(entries);
	COPY(hops);
	to->per_flow4 = from->per_flow4;
	to->per_flow6 = from->per_flow6;
}

#define EQUAL(MEMBER)                                                                              \
	(a->MEMBER.n == b->MEMBER.n &&                                                             \
		(!a->MEMBER.n || !memcmp(a->MEMBER.items, b->MEMBER.items,                         \
					 a->MEMBER.n * sizeof *a->MEMBER.items)))

/* As bytes: what is added is zeroed first, padding too. */
bool route_table_equal(const struct route_table *a, const struct route_table *b)
{
	return EQUAL(links) && EQUAL(addrs) && EQUAL(rules) && EQUAL(entries) && EQUAL(hops) &&
	       a->per_flow4 == b->per_flow4 && a->per_flow6 == b->per_flow6;
}

bool route_table_equal_rules(const struct route_table *a, const struct route_table *b)
{
	return EQUAL(rules);
}

/* ------------------------------------------------------------------ links and addresses */

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct route_link *)a)->name, ((const struct route_link *)b)->name);
}

static int compare_indexes(const void *a_, const void *b_)
{
	const struct route_link_index *a = a_, *b = b_;

	return a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
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
	const struct route_link_index key = {.ifindex = ifindex}, *found;

	if (!table->links_by_index.n)
		return NULL;
	found = bsearch(&key, table->links_by_index.items, table->links_by_index.n, sizeof key,
		compare_indexes);
	return found ? &table->links.items[found->link] : NULL;
}

static void finish_links(struct route_table *table)
{
	if (table->links.n)
		qsort(table->links.items, table->links.n, sizeof *table->links.items,
			compare_links);
	vec_clear(&table->links_by_index);
	for (size_t i = 0; i < table->links.n; i++)
		vec_push(&table->links_by_index,
			(struct route_link_index){
				.ifindex = table->links.items[i].ifindex, .link = (uint32_t)i});
	if (table->links.n)
		qsort(table->links_by_index.items, table->links_by_index.n,
			sizeof *table->links_by_index.items, compare_indexes);
}

static int compare_addrs(const void *a_, const void *b_)
{
	const struct route_addr *a = a_, *b = b_;
	int order = memcmp(&a->addr, &b->addr, sizeof a->addr);

	return order ? order : a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
}

static int compare_to_addr(const void *key, const void *addr_)
{
	const struct route_addr *addr = addr_;

	return memcmp(key, &addr->addr, sizeof addr->addr);
}

/* The first of several with that address. */
const struct route_addr *route_table_addr(
	const struct route_table *table, const struct ipv6_addr *addr)
{
	size_t i = lower_bound(addr, table->addrs.items, table->addrs.n,
		sizeof *table->addrs.items, compare_to_addr);

	if (i < table->addrs.n && ipv6_addr_equal(&table->addrs.items[i].addr, addr))
		return &table->addrs.items[i];
	return NULL;
}

static void finish_addrs(struct route_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->addrs.n; i++) {
		struct route_addr *a = &table->addrs.items[i];
		const struct route_link *link = route_table_link_by_index(table, a->ifindex);

		if (!link)
			continue;
		a->order = (uint32_t)i;
		memcpy(a->dev, link->name, sizeof a->dev);
		table->addrs.items[n++] = *a;
	}
	table->addrs.n = n;
	if (n)
		qsort(table->addrs.items, n, sizeof *table->addrs.items, compare_addrs);
}

/* ------------------------------------------------------------------ next hops */

static int compare_objects(const void *a_, const void *b_)
{
	const struct route_nh_object *a = a_, *b = b_;

	return a->id < b->id ? -1 : a->id > b->id;
}

static const struct route_nh_object *find_object(const struct route_table *table, uint32_t id)
{
	const struct route_nh_object key = {.id = id};

	return table->objects.n ? bsearch(&key, table->objects.items, table->objects.n, sizeof key,
					  compare_objects)
				: NULL;
}

/* A route that names an object has its hops; false if it is a black hole. */
static bool take_object(struct route_table *table, struct route_entry *e)
{
	const struct route_nh_object *object = e->nh_id ? find_object(table, e->nh_id) : NULL;

	if (!object)
		return true;
	e->start = (uint32_t)table->hops.n;
	e->n_hops = 0;
	if (!object->n && !object->is_blackhole) {
		struct route_nh nh = object->nh;

		vec_push(&table->hops, nh);
		e->n_hops = 1;
	}
	for (size_t i = 0; i < object->n; i++) {
		const struct route_nh_member *m = &table->members.items[object->start + i];
		const struct route_nh_object *one = find_object(table, m->id);
		struct route_nh nh;

		if (!one || one->n || one->is_blackhole)
			continue;
		nh = one->nh;
		nh.weight = m->weight;
		vec_push(&table->hops, nh);
		e->n_hops++;
	}
	return e->n_hops || !object->is_blackhole;
}

/* Fills in what the device of each hop says, leaves out those whose device is gone, and those whose
 * device has no carrier if another has. */
static void finish_hops(struct route_table *table, struct route_entry *e)
{
	struct route_nh *hops = table->hops.items + e->start;
	uint32_t n = 0, n_alive = 0;

	for (uint32_t i = 0; i < e->n_hops; i++) {
		const struct route_link *link = route_table_link_by_index(table, hops[i].ifindex);

		if (!link)
			continue;
		memcpy(hops[i].dev, link->name, sizeof hops[i].dev);
		hops[i].group = link->group;
		hops[i].has_carrier &= link->has_carrier;
		n_alive += hops[i].has_carrier;
		hops[n++] = hops[i];
	}
	e->n_hops = n;
	n = 0;
	for (uint32_t i = 0; i < e->n_hops; i++)
		if (hops[i].has_carrier || !n_alive)
			hops[n++] = hops[i];
	e->n_hops = n;
}

/* The source address, as far as it does not depend on the packet. False: there must be one, and is
 * not. */
static bool finish_source(const struct route_table *table, struct route_entry *e)
{
	struct route_nh *hops = table->hops.items + e->start;

	if (e->table == ROUTE_MANUAL_TABLE)
		return e->n_hops && route_source_manual(table, hops->dev, &e->prefix,
					    &hops->gateway, true, &e->src);
	for (uint32_t i = 0; i < e->n_hops && e->is_ipv4 && ipv6_addr_is_zero(&e->src); i++)
		route_source_ipv4(table, hops[i].ifindex, &hops[i].gateway, e->scope, &hops[i].src);
	return true;
}

/* ------------------------------------------------------------------ routes */

/* The same group? */
static int compare_groups(uint32_t table_a, uint32_t mark_a, bool v4_a, uint32_t table_b,
	uint32_t mark_b, bool v4_b)
{
	if (table_a != table_b)
		return table_a < table_b ? -1 : 1;
	if (mark_a != mark_b)
		return mark_a < mark_b ? -1 : 1;
	return (int)v4_a - (int)v4_b;
}

#define ORDER(A, B) ((A) < (B) ? -1 : (A) > (B))

/* Of one prefix the kernel asks the longest source first, a route for this TOS before one for all,
 * then the least metric; IPv6 routers by their preference. */
static int compare_entries(const void *a_, const void *b_)
{
	const struct route_entry *a = a_, *b = b_;
	int order = compare_groups(a->table, a->mark, a->is_ipv4, b->table, b->mark, b->is_ipv4);

	if (!order)
		order = ORDER(b->plen, a->plen);
	if (!order)
		order = memcmp(&a->prefix, &b->prefix, sizeof a->prefix);
	if (!order)
		order = ORDER(b->from_plen, a->from_plen);
	if (!order)
		order = ORDER(b->tos, a->tos);
	if (!order)
		order = ORDER(a->metric, b->metric);
	if (!order)
		order = ORDER(a->preference, b->preference);
	return order ? order : ORDER(a->order, b->order);
}

/* Completes the entries; those that can't be used go. */
static void finish_entries(struct route_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->entries.n; i++) {
		struct route_entry *e = &table->entries.items[i];

		e->order = (uint32_t)i;
		if (!take_object(table, e))
			e->type = ROUTE_REFUSE;
		finish_hops(table, e);
		if (!finish_source(table, e) ||
			(!e->n_hops && (e->type == ROUTE_UNICAST || e->type == ROUTE_LOCAL)))
			continue;
		table->from_matters |= e->from_plen;
		table->entries.items[n++] = *e;
	}
	table->entries.n = n;
	if (n)
		qsort(table->entries.items, n, sizeof *table->entries.items, compare_entries);
}

static void find_groups(struct route_table *table)
{
	for (size_t i = 0; i < table->entries.n; i++) {
		const struct route_entry *e = &table->entries.items[i];
		const struct route_group *last =
			table->groups.n ? &table->groups.items[table->groups.n - 1] : NULL;

		if (!last || last->plen != e->plen ||
			compare_groups(last->table, last->mark, last->is_ipv4, e->table, e->mark,
				e->is_ipv4))
			vec_push(&table->groups, (struct route_group){.table = e->table,
							 .mark = e->mark,
							 .is_ipv4 = e->is_ipv4,
							 .plen = e->plen,
							 .start = i});
		table->groups.items[table->groups.n - 1].n++;
	}
}

void route_table_finish(struct route_table *table)
{
	finish_links(table);
	finish_addrs(table);
	if (table->objects.n)
		qsort(table->objects.items, table->objects.n, sizeof *table->objects.items,
			compare_objects);
	finish_entries(table);
	find_groups(table);
	for (size_t i = 0; i < table->rules.n; i++)
		table->from_matters |= table->rules.items[i].from_plen;
}

/* ------------------------------------------------------------------ lookups */

/* By what all prefix lengths of a table have in common. */
static int compare_families(const void *a_, const void *b_)
{
	const struct route_group *a = a_, *b = b_;

	return compare_groups(a->table, a->mark, a->is_ipv4, b->table, b->mark, b->is_ipv4);
}

static int compare_to_prefix(const void *key, const void *entry_)
{
	const struct route_entry *entry = entry_;

	return memcmp(key, &entry->prefix, sizeof entry->prefix);
}

static bool serves(const struct route_entry *e, const struct route_query *q)
{
	return (!e->tos || e->tos == (q->tos & ~IP_ECN_MASK)) &&
	       (!e->from_plen || (!ipv6_addr_is_zero(&q->src) &&
					 tnl_addr_in_prefix(&q->src, &e->from, e->from_plen)));
}

/* The best entry of PREFIX in group G that serves Q. */
static const struct route_entry *find_in_group(const struct route_table *table,
	const struct route_group *g, const struct ipv6_addr *prefix, const struct route_query *q)
{
	const struct route_entry *entries = &table->entries.items[g->start];

	for (size_t i = lower_bound(prefix, entries, g->n, sizeof *entries, compare_to_prefix);
		i < g->n && ipv6_addr_equal(&entries[i].prefix, prefix); i++)
		if (serves(&entries[i], q))
			return &entries[i];
	return NULL;
}

const struct route_entry *route_table_find(const struct route_table *table, uint32_t id,
	uint32_t mark, const struct route_query *query)
{
	const struct route_group *groups = table->groups.items;
	const struct route_group family = {
		.table = id, .mark = mark, .is_ipv4 = tnl_addr_is_ipv4(&query->dst)};

	for (size_t i = lower_bound(&family, groups, table->groups.n, sizeof family, compare_families);
		i < table->groups.n && !compare_families(&family, &groups[i]); i++) {
		const struct route_group *g = &groups[i];
		struct ipv6_addr prefix;
		const struct route_entry *e;

		prefix = tnl_addr_masked(&query->dst, g->plen);
		e = find_in_group(table, g, &prefix, query);
		if (e)
			return e;
	}
	return NULL;
}
