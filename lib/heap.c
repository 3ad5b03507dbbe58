/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/heap.h"

#include <stdlib.h>

#include "lib/util.h"

void heap_uninit(struct heap *heap)
{
	vec_uninit(&heap->entries);
}

static void put(struct heap *heap, size_t i, struct heap_entry entry)
{
	heap->entries.items[i] = entry;
	*entry.slot = (uint32_t)i;
}

static void up(struct heap *heap, size_t i)
{
	struct heap_entry entry = heap->entries.items[i];

	while (i && heap->entries.items[(i - 1) / 2].key > entry.key) {
		put(heap, i, heap->entries.items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(heap, i, entry);
}

static void down(struct heap *heap, size_t i)
{
	const struct heap_entry *items = heap->entries.items;
	struct heap_entry entry = items[i];
	size_t n = heap->entries.n;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && items[child + 1].key < items[child].key)
			child++;
		if (items[child].key >= entry.key)
			break;
		put(heap, i, items[child]);
		i = child;
	}
	put(heap, i, entry);
}

void heap_insert(struct heap *heap, uint32_t *slot, int64_t key)
{
	struct heap_entry entry = {.key = key, .slot = slot};

	vec_push(&heap->entries, entry);
	up(heap, heap->entries.n - 1);
}

void heap_remove(struct heap *heap, uint32_t *slot)
{
	struct heap_entry last = vec_pop(&heap->entries);
	size_t i = *slot;

	*slot = HEAP_NOWHERE;
	if (last.slot == slot)
		return;
	put(heap, i, last);
	up(heap, i);
	down(heap, *last.slot);
}

void heap_set_key(struct heap *heap, uint32_t *slot, int64_t key)
{
	int64_t before = heap->entries.items[*slot].key;

	heap->entries.items[*slot].key = key;
	if (key < before)
		up(heap, *slot);
	else
		down(heap, *slot);
}
