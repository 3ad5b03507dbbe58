/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Binary heap: what has the smallest key is first; of equal keys any. An element has a uint32_t of its own, its
 * slot, that tells where in the heap it is; so it can be moved or taken out from anywhere, each in O(log n).
 * The slot is how elements are named: container_of() leads from it to the element, which the caller owns.
 *
 * Threads: one at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/vec.h"

#define HEAP_NOWHERE UINT32_MAX	/* Slot of what is in no heap: what it has to be before heap_insert(). */

struct heap_entry {
	int64_t key;
	uint32_t *slot;
};

struct heap {
	VEC(struct heap_entry) entries;
};

#define HEAP_INITIALIZER                                                                           \
	{                                                                                          \
		VEC_INITIALIZER                                                                    \
	}

/* Frees the heap alone; slots are left as they are. */
void heap_uninit(struct heap *heap);

void heap_insert(struct heap *heap, uint32_t *slot, int64_t key);
/* These want SLOT to be in HEAP. */
void heap_remove(struct heap *heap, uint32_t *slot);
void heap_set_key(struct heap *heap, uint32_t *slot, int64_t key);

/* The one with the smallest key, NULL if the heap is empty. */
static inline const struct heap_entry *heap_first(const struct heap *heap)
{
	return heap->entries.n ? heap->entries.items : NULL;
}

static inline uint32_t heap_count(const struct heap *heap)
{
	return (uint32_t)heap->entries.n;
}
