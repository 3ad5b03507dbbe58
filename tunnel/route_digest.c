/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_digest.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

struct digest {
	const struct route_table *table;
	VEC(int) devices;	/* Interface indexes, sorted; of what matters. */
	uint64_t hash;
};

static bool entry_matters(const struct route_entry *e)
{
	return e->is_ipv4 || e->plen < (e->prefix.b[0] == 0xff ? 8 : 10) ||
	       !tnl_addr_is_link_scope(&e->prefix);
}

/* ------------------------------------------------------------------ devices */

static int compare_ints(const void *a_, const void *b_)
{
	const int *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

static void find_devices(struct digest *d)
{
	const struct route_entry *e;
	const struct route_addr *a;

	VEC_FOR_EACH (a, &d->table->addrs)
		if (!tnl_addr_is_link_scope(&a->addr))
			vec_push(&d->devices, a->ifindex);
	VEC_FOR_EACH (e, &d->table->entries)
		for (uint32_t i = 0; i < e->n_hops && entry_matters(e); i++)
			vec_push(&d->devices, d->table->hops.items[e->start + i].ifindex);
	if (d->devices.n)
		qsort(d->devices.items, d->devices.n, sizeof *d->devices.items, compare_ints);
}

static bool device_matters(const struct digest *d, int ifindex)
{
	return d->devices.n && bsearch(&ifindex, d->devices.items, d->devices.n, sizeof ifindex, compare_ints);
}

/* ------------------------------------------------------------------ what is told of them */

static void add(struct digest *d, const void *bytes, size_t n)
{
	d->hash = hash_bytes64(bytes, n, d->hash);
}

static void add_links(struct digest *d)
{
	const struct route_link *link;

	VEC_FOR_EACH (link, &d->table->links)
		if (device_matters(d, link->ifindex))
			add(d, link, sizeof *link);
}

static int compare_orders(const void *a_, const void *b_)
{
	const struct route_addr *const *a = a_, *const *b = b_;

	return ((*a)->order > (*b)->order) - ((*a)->order < (*b)->order);
}

/* As the kernel lists them: which is first may decide, how many others are between does not. */
static void add_addrs(struct digest *d)
{
	VEC(const struct route_addr *) addrs = VEC_INITIALIZER;
	const struct route_addr *a, **p;

	VEC_FOR_EACH (a, &d->table->addrs)
		if (device_matters(d, a->ifindex))
			vec_push(&addrs, a);
	if (addrs.n)
		qsort(addrs.items, addrs.n, sizeof *addrs.items, compare_orders);
	VEC_FOR_EACH (p, &addrs) {
		struct route_addr copy = **p;

		copy.order = 0;
		add(d, &copy, sizeof copy);
	}
	vec_uninit(&addrs);
}

static void add_entries(struct digest *d)
{
	const struct route_entry *e;

	VEC_FOR_EACH (e, &d->table->entries) {
		struct route_entry copy = *e;

		if (!entry_matters(e))
			continue;
		copy.order = copy.start = 0;
		add(d, &copy, sizeof copy);
		if (e->n_hops)
			add(d, &d->table->hops.items[e->start], e->n_hops * sizeof *d->table->hops.items);
	}
}

uint64_t route_digest(const struct route_table *table)
{
	struct digest d = {.table = table, .hash = (uint64_t)table->per_flow4 | (uint64_t)table->per_flow6 << 1};

	find_devices(&d);
	if (table->rules.n)
		add(&d, table->rules.items, table->rules.n * sizeof *table->rules.items);
	add_links(&d);
	add_addrs(&d);
	add_entries(&d);
	vec_uninit(&d.devices);
	return d.hash;
}
