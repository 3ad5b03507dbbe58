/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the classifier's files share. Masks and keys are kept compactly: only the words of struct flow
 * that are not zero in the mask, with their indices in ascending order.
 *
 * Order: the subtables sorted by `bound`, which is never less than their highest priority; readers stop
 * when it is not above what they have. A bound may be higher than need be: where priorities keep
 * rising it is rounded up, so that not every insertion publishes a new order; max_priority is exact
 * and decides whether a subtable is looked into.
 */

#include "datapath/pipeline/classifier.h"
#include "lib/hash.h"
#include "lib/hmap.h"
#include "lib/vec.h"

struct cls_mask {
	uint32_t n;		/* Words. */
	uint8_t *index;		/* Of each in struct flow. */
	uint64_t words[];	/* Then the indices. */
};

/* How many rules of a subtable have PRIORITY. Stays until it comes to the top of the heap. */
struct cls_priority {
	struct hmap_node node;
	int32_t priority;
	uint32_t n_rules;
};

struct cls_subtable {
	/* For readers. */
	struct cmap rules;
	struct cls_mask *mask;
	_Atomic int32_t max_priority;

	/* Control's. */
	int32_t bound;
	unsigned int n_changes;		/* How often bound had to change. */
	struct classifier *cls;
	struct hmap_node node;		/* In cls->by_mask. */
	struct list list_node;		/* In cls->subtables. */
	struct list list;		/* Its rules. */
	struct hmap priorities;		/* struct cls_priority, all that are in the heap. */
	VEC(struct cls_priority *) heap;
	struct cls_priority *last_priority;
	int32_t announced;	/* Highest priority that was the subject of a wide change. */
	bool selective;		/* Has a say in the common mask. */
	bool has_common;	/* Has all of the common mask. */
};

struct cls_order_entry {
	struct cls_subtable *subtable;
	int32_t bound;
};

struct cls_order {
	uint32_t n;
	struct cls_order_entry entries[];
};

struct classifier {
	RCU(struct cls_order *) order;
	RCU(struct cls_mask *) common;	/* NULL: none. */

	size_t n_rules;
	struct hmap by_mask;
	struct list subtables;
	struct list cursors;
	bool common_changed;		/* And the wide change for it is still to come. */
	struct flow mask_union;
	bool mask_union_stale;
};

/* Conjunctions of one rule, sorted by id and clause. Immutable. */
struct cls_conj_set {
	uint32_t n;
	struct cls_conjunction conj[];
};

struct cls_mask *cls_mask_create(const struct flow *mask);
void cls_mask_expand(const struct cls_mask *mask, struct flow *flow);
/* The words of FLOW under MASK to KEY, and their hash. */
static inline uint32_t cls_mask_key(const struct cls_mask *mask, const struct flow *flow,
	uint64_t *key)
{
	const uint64_t *words = flow_words_const(flow);
	uint64_t hash = mask->n;

	for (uint32_t i = 0; i < mask->n; i++) {
		key[i] = words[mask->index[i]] & mask->words[i];
		hash = hash_fold(hash ^ key[i] ^ UINT64_C(0xa0761d6478bd642f),
			UINT64_C(0xe7037ed1a0b428db));
	}
	return (uint32_t)(hash ^ hash >> 32);
}

static inline bool cls_key_equal(const uint64_t *a, const uint64_t *b, uint32_t n)
{
	uint64_t diff = 0;

	for (uint32_t i = 0; i < n; i++)
		diff |= a[i] ^ b[i];
	return !diff;
}

/* The subtable whose mask is MASK, or NULL. Control. */
struct cls_subtable *cls_find_subtable(const struct classifier *cls, const struct flow *mask);
/* True if some rule of SUBTABLE has PRIORITY. Control. */
bool cls_has_priority(const struct cls_subtable *subtable, int32_t priority);
/* Moves cursors on that stand at RULE, which is about to go. */
void cls_cursors_skip(struct classifier *cls, struct cls_rule *rule);

/* classifier_common.c: SUBTABLE has come to a new number of rules, or is about to go. */
void cls_common_grown(struct cls_subtable *subtable);
void cls_common_gone(struct cls_subtable *subtable);
void cls_common_check(struct cls_subtable *subtable);
