/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/cmap.h"

#include "lib/fatal.h"

#define MIN_SLOTS 8

struct cmap_node cmap_gone;
struct cmap_array cmap_no_array = {.mask = 0, .shift = 32, .slots = {{0}}};

void cmap_init(struct cmap *cmap)
{
	*cmap = (struct cmap)CMAP_INITIALIZER;
}

static struct cmap_array *own_array(const struct cmap *cmap)
{
	return rcu_get_protected(&cmap->array);
}

static void retire(struct cmap_array *array)
{
	if (array != &cmap_no_array)
		rcu_defer_free(array);
}

void cmap_uninit(struct cmap *cmap)
{
	struct cmap_array *array = own_array(cmap);

	rcu_set(&cmap->array, &cmap_no_array);
	atomic_store_explicit(&cmap->n, 0, memory_order_relaxed);
	cmap->n_used = 0;
	retire(array);
}

static struct cmap_node *node_at(const struct cmap_slot *slot)
{
	return atomic_load_explicit(&slot->node, memory_order_relaxed);
}

static uint32_t first_slot(const struct cmap_array *array, uint32_t hash)
{
	return (uint32_t)((uint64_t)(hash * UINT32_C(0x9e3779b1)) >> array->shift);
}

/* First slot of the search for HASH that holds no element. */
static struct cmap_slot *free_slot(struct cmap_array *array, uint32_t hash)
{
	for (uint32_t i = first_slot(array, hash);; i++) {
		struct cmap_slot *slot = &array->slots[i & array->mask];
		struct cmap_node *node = node_at(slot);

		if (!node || node == &cmap_gone)
			return slot;
	}
}

static void fill(struct cmap_slot *slot, struct cmap_node *node, uint32_t hash)
{
	atomic_store_explicit(&slot->hash, hash, memory_order_relaxed);
	atomic_store_explicit(&slot->node, node, memory_order_release);
}

/* Copies the elements to an array of N_SLOTS, without the gone ones, and publishes that. The
 * elements themselves are not touched: readers of the old array go on undisturbed. */
static void rebuild(struct cmap *cmap, uint64_t n_slots)
{
	struct cmap_array *old = own_array(cmap), *array;

	if (n_slots > UINT32_MAX)
		fatal("concurrent map too large");
	array = xaligned_calloc(64, sizeof(*array) + n_slots * sizeof(array->slots[0]));
	array->mask = (uint32_t)(n_slots - 1);
	array->shift = 32 - (uint32_t)__builtin_ctzll(n_slots);
	for (uint64_t i = 0; i <= old->mask; i++) {
		struct cmap_node *node = node_at(&old->slots[i]);

		if (node && node != &cmap_gone)
			fill(free_slot(array, node->hash), node, node->hash);
	}
	cmap->n_used = cmap_count(cmap);
	rcu_set(&cmap->array, array);
	retire(old);
}

static uint64_t slots_for(size_t n)
{
	return MAX(round_up_pow2(2 * (uint64_t)n), (uint64_t)MIN_SLOTS);
}

/* Three quarters of the slots may be in use, so that every search ends at a NULL. */
static bool is_full(const struct cmap_array *array, size_t n_used)
{
	return array == &cmap_no_array || n_used > ((uint64_t)array->mask + 1) / 4 * 3;
}

void cmap_insert(struct cmap *cmap, struct cmap_node *node, uint32_t hash)
{
	size_t n = cmap_count(cmap);
	struct cmap_array *array = own_array(cmap);
	struct cmap_slot *slot;

	if (is_full(array, cmap->n_used + 1) || (array->mask > 64 && n < array->mask / 16))
		rebuild(cmap, slots_for(n + 1));
	slot = free_slot(own_array(cmap), hash);
	if (!node_at(slot))
		cmap->n_used++;
	node->hash = hash;
	fill(slot, node, hash);
	atomic_store_explicit(&cmap->n, n + 1, memory_order_relaxed);
}

static uint32_t find_slot(const struct cmap_array *array, const struct cmap_node *node)
{
	for (uint32_t i = first_slot(array, node->hash);; i++) {
		const struct cmap_node *here = node_at(&array->slots[i & array->mask]);

		if (here == node)
			return i & array->mask;
		if (!here)
			fatal("concurrent map does not hold this node");
	}
}

void cmap_remove(struct cmap *cmap, struct cmap_node *node)
{
	struct cmap_array *array = own_array(cmap);
	uint32_t i = find_slot(array, node);

	atomic_store_explicit(&array->slots[i].node, &cmap_gone, memory_order_release);
	atomic_store_explicit(&cmap->n, cmap_count(cmap) - 1, memory_order_relaxed);

	/* Gone slots just before a NULL hold no search together: nothing lies behind them. */
	if (node_at(&array->slots[(i + 1) & array->mask]))
		return;
	while (node_at(&array->slots[i]) == &cmap_gone) {
		atomic_store_explicit(&array->slots[i].node, NULL, memory_order_release);
		cmap->n_used--;
		i = (i - 1) & array->mask;
	}
}

void cmap_replace(struct cmap *cmap, struct cmap_node *old, struct cmap_node *replacement)
{
	struct cmap_array *array = own_array(cmap);
	struct cmap_slot *slot = &array->slots[find_slot(array, old)];

	replacement->hash = old->hash;
	atomic_store_explicit(&slot->node, replacement, memory_order_release);
}
