/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Intrusive chained hash map. The caller embeds a struct hmap_node, computes the 32-bit hash
 * (lib/hash.h), compares keys and owns the elements; duplicates are allowed. One thread at a time;
 * for readers in other threads see cmap.h.
 *
 * The bucket array grows and shrinks on insertion; removal
 * never moves other elements, so removing during *_SAFE iteration is fine, inserting is not. A
 * struct hmap may be moved in memory by plain assignment.
 *
 * After a loop that ran to its end VAR is NULL. VAR must be a plain variable name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

struct hmap_node {
	struct hmap_node *next;
	uint32_t hash;
};

struct hmap {
	struct hmap_node **buckets;
	size_t mask; /* number of buckets - 1 */
	size_t n;
};

/* What a map without elements points to; never written. */
extern struct hmap_node *hmap_no_buckets[1];

#define HMAP_INITIALIZER                                                                           \
	{                                                                                          \
		hmap_no_buckets, 0, 0                                                              \
	}

void hmap_init(struct hmap *map);

/* Frees the buckets; elements, if any are left, are the caller's business. */
void hmap_uninit(struct hmap *map);

void hmap_insert(struct hmap *map, struct hmap_node *node, uint32_t hash);

/* NODE must be in MAP. */
void hmap_remove(struct hmap *map, struct hmap_node *node);

static inline size_t hmap_count(const struct hmap *map)
{
	return map->n;
}

static inline bool hmap_is_empty(const struct hmap *map)
{
	return !map->n;
}

static inline struct hmap_node *hmap_skip_to_hash_(struct hmap_node *node, uint32_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

/* First node with HASH, or NULL. */
static inline struct hmap_node *hmap_first_with_hash(const struct hmap *map, uint32_t hash)
{
	return hmap_skip_to_hash_(map->buckets[hash & map->mask], hash);
}

static inline struct hmap_node *hmap_next_with_hash(const struct hmap_node *node)
{
	return hmap_skip_to_hash_(node->next, node->hash);
}

static inline struct hmap_node *hmap_from_bucket_(const struct hmap *map, size_t i)
{
	for (; i <= map->mask; i++)
		if (map->buckets[i])
			return map->buckets[i];
	return NULL;
}

/* First and next node in no particular order, or NULL. */
static inline struct hmap_node *hmap_first(const struct hmap *map)
{
	return map->n ? hmap_from_bucket_(map, 0) : NULL;
}

static inline struct hmap_node *hmap_next(const struct hmap *map, const struct hmap_node *node)
{
	return node->next ? node->next : hmap_from_bucket_(map, (node->hash & map->mask) + 1);
}

/* The elements, whose nodes lie at OFFSET in them, as an array of hmap_count() pointers to free(), in the
 * order of COMPARE (as qsort() asks it: by pointers to these pointers). */
void *hmap_sorted(const struct hmap *map, size_t offset, int (*compare)(const void *, const void *));

#define HMAP_AT_(IT, VAR, MEMBER)                                                                  \
	((IT) ? ((VAR) = container_of(IT, __typeof__(*(VAR)), MEMBER), true)                       \
	      : ((VAR) = NULL, false))

/* The body must not remove VAR. */
#define HMAP_FOR_EACH(VAR, MEMBER, MAP)                                                            \
	for (struct hmap_node *VAR##_it_ = hmap_first(MAP); HMAP_AT_(VAR##_it_, VAR, MEMBER);      \
		VAR##_it_ = hmap_next(MAP, VAR##_it_))

/* The body may remove and free VAR (and no other element), and insert nothing. */
#define HMAP_FOR_EACH_SAFE(VAR, MEMBER, MAP)                                                       \
	for (struct hmap_node *VAR##_it_ = hmap_first(MAP),                                        \
			      *VAR##_next_ = VAR##_it_ ? hmap_next(MAP, VAR##_it_) : NULL;         \
		HMAP_AT_(VAR##_it_, VAR, MEMBER); VAR##_it_ = VAR##_next_,                         \
			      VAR##_next_ = VAR##_it_ ? hmap_next(MAP, VAR##_it_) : NULL)

/* All elements whose hash is HASH; the body must not remove VAR unless it leaves the loop. */
#define HMAP_FOR_EACH_WITH_HASH(VAR, MEMBER, HASH, MAP)                                            \
	for (struct hmap_node *VAR##_it_ = hmap_first_with_hash(MAP, HASH);                        \
		HMAP_AT_(VAR##_it_, VAR, MEMBER); VAR##_it_ = hmap_next_with_hash(VAR##_it_))

/* Takes each element out before the body, which may free it (and insert nothing). */
#define HMAP_FOR_EACH_POP(VAR, MEMBER, MAP)                                                        \
	HMAP_FOR_EACH_SAFE (VAR, MEMBER, MAP)                                                      \
		if (hmap_remove(MAP, VAR##_it_), true)
