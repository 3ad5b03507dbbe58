/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Concurrent hash map: one writer (the control thread), any number of readers that take no lock and
 * write nothing, under RCU (lib/rcu.h). Intrusive: the caller embeds a struct cmap_node, computes
 * the 32-bit hash, compares keys and owns the elements. Duplicates are allowed.
 *
 * A removed element must live on for a grace period (rcu_defer()), its node and key unchanged. A
 * reader finds an element that is in the map during its whole search, may or may not find one that
 * comes or goes meanwhile, and sees none twice unless it was removed and inserted again
 * meanwhile.
 *
 * Insertion may publish a new, larger or smaller, array; removal never does, so the writer may
 * remove elements (any) during its own walks. It must not run rcu_reclaim() during a walk.
 *
 * The pairs are (tag, pointer) in one array with linear probing: a lookup usually touches one line
 * of the array and then the element. After a loop that ran to its end VAR is NULL; VAR must be a
 * plain variable name.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rcu.h"
#include "lib/util.h"

struct cmap_node {
	uint32_t hash;
};

struct cmap_slot {
	_Atomic(uint32_t) hash;
	_Atomic(struct cmap_node *) node; /* NULL: never used; cmap_gone: removed */
};

struct cmap_array {
	uint32_t mask;  /* number of slots - 1 */
	uint32_t shift; /* 32 - log2(number of slots) */
	struct cmap_slot slots[];
};

struct cmap {
	RCU(struct cmap_array *) array;
	_Atomic(size_t) n; /* elements */
	size_t n_used;     /* slots that aren't NULL; writer's */
};

extern struct cmap_node cmap_gone;
extern struct cmap_array cmap_no_array;

#define CMAP_INITIALIZER                                                                           \
	{                                                                                          \
		&cmap_no_array, 0, 0                                                               \
	}

void cmap_init(struct cmap *cmap);

/* Frees the array after a grace period; elements are the caller's business. */
void cmap_uninit(struct cmap *cmap);

void cmap_insert(struct cmap *cmap, struct cmap_node *node, uint32_t hash);

/* NODE must be in CMAP. */
void cmap_remove(struct cmap *cmap, struct cmap_node *node);

/* Puts REPLACEMENT, which gets the same hash, in the place of OLD in one step. */
void cmap_replace(struct cmap *cmap, struct cmap_node *old, struct cmap_node *replacement);

/* Any thread; for other threads than the writer's a hint. */
static inline size_t cmap_count(const struct cmap *cmap)
{
	return atomic_load_explicit(&cmap->n, memory_order_relaxed);
}

static inline bool cmap_is_empty(const struct cmap *cmap)
{
	return !cmap_count(cmap);
}

/* A place in a search by hash or in a walk. */
struct cmap_cursor {
	const struct cmap_array *array;
	struct cmap_node *node; /* NULL at the end */
	uint32_t i;             /* next slot to look at */
	uint32_t hash;
};

static inline void cmap_cursor_next_with_hash(struct cmap_cursor *cursor)
{
	const struct cmap_array *array = cursor->array;

	for (;;) {
		const struct cmap_slot *slot = &array->slots[cursor->i & array->mask];
		struct cmap_node *node = atomic_load_explicit(&slot->node, memory_order_acquire);

		cursor->i++;
		if (!node)
			break;
		/* The slot may have been taken by another node between two loads, so the node's
		 * own hash decides; the slot's only spares looking at most strangers. */
		if (atomic_load_explicit(&slot->hash, memory_order_relaxed) == cursor->hash &&
			node != &cmap_gone && node->hash == cursor->hash) {
			cursor->node = node;
			return;
		}
	}
	cursor->node = NULL;
}

static inline struct cmap_cursor cmap_find(const struct cmap *cmap, uint32_t hash)
{
	struct cmap_cursor cursor = {.array = rcu_get(&cmap->array), .hash = hash};

	cursor.i = (uint32_t)((uint64_t)(hash * UINT32_C(0x9e3779b1)) >> cursor.array->shift);
	cmap_cursor_next_with_hash(&cursor);
	return cursor;
}

static inline void cmap_cursor_next(struct cmap_cursor *cursor)
{
	while (cursor->i <= cursor->array->mask) {
		struct cmap_node *node = atomic_load_explicit(
			&cursor->array->slots[cursor->i++].node, memory_order_acquire);

		if (node && node != &cmap_gone) {
			cursor->node = node;
			return;
		}
	}
	cursor->node = NULL;
}

static inline struct cmap_cursor cmap_first(const struct cmap *cmap)
{
	struct cmap_cursor cursor = {.array = rcu_get(&cmap->array)};

	cmap_cursor_next(&cursor);
	return cursor;
}

#define CMAP_AT_(CURSOR, VAR, MEMBER)                                                              \
	((CURSOR).node ? ((VAR) = container_of((CURSOR).node, __typeof__(*(VAR)), MEMBER), true)   \
		       : ((VAR) = NULL, false))

/* All elements whose hash is HASH. */
#define CMAP_FOR_EACH_WITH_HASH(VAR, MEMBER, HASH, CMAP)                                           \
	for (struct cmap_cursor VAR##_cur_ = cmap_find(CMAP, HASH);                                \
		CMAP_AT_(VAR##_cur_, VAR, MEMBER); cmap_cursor_next_with_hash(&VAR##_cur_))

/* All elements. The writer's body may remove elements. */
#define CMAP_FOR_EACH(VAR, MEMBER, CMAP)                                                           \
	for (struct cmap_cursor VAR##_cur_ = cmap_first(CMAP); CMAP_AT_(VAR##_cur_, VAR, MEMBER);  \
		cmap_cursor_next(&VAR##_cur_))
