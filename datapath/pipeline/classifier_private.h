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
 *
 * Threads: as in classifier.h.
 */

#include "datapath/pipeline/classifier.h"
#include "lib/hash.h"
#include "lib/hmap.h"
#include "lib/vec.h"

struct cls_mask {
	uint64_t serial;	/* Of a common mask: no other one, of any table, ever has it. */
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

/* A table with fewer subtables has no filters. */
#define CLS_FILTER_SUBTABLES 4
#define CLS_MAX_ATOMS 64

struct cls_filter {
	uint32_t mask;		/* Bits - 1. */
	_Atomic uint64_t bits[];
};

/* See classifier_filter.c. */
struct cls_atom {
	/* For readers. */
	RCU(struct cls_filter *) filter;	/* NULL: nothing is known. */
	uint64_t mask;
	uint8_t index;		/* Word of struct flow. */

	/* Control's. */
	uint32_t id;		/* In the order that is being published. */
	uint32_t n_subtables, n_rules;
	uint32_t n_added;	/* Values added to the filter, gone or not. */
	struct list node;	/* In cls->atoms. */
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
	struct cls_atom **atoms;	/* One a word of the mask. */
};

struct cls_order_entry {
	struct cls_subtable *subtable;
	int32_t bound;
	uint64_t atoms;		/* Bits of those that its mask has; 0 without filters. */
};

struct cls_order {
	uint64_t serial;	/* No other order, of any table, ever has it. */
	uint32_t n, n_atoms;
	const struct cls_atom *atoms[CLS_MAX_ATOMS];
	struct cls_order_entry entries[];
};

struct classifier {
	RCU(struct cls_order *) order;
	RCU(struct cls_mask *) common;	/* NULL: none. */

	size_t n_rules;
	struct hmap by_mask;
	struct list subtables;
	struct list atoms;
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

/* Control: a number never given before; not 0. */
uint64_t cls_next_serial(void);
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
/* WC has all of COMMON (NULL: none). */
bool cls_common_is_in(const struct cls_mask *common, const struct flow *wc);

/* classifier_filter.c: SUBTABLE has come; goes (after an order without it was published). */
void cls_filter_attach(struct cls_subtable *subtable);
void cls_filter_detach(struct cls_subtable *subtable);
/* A rule with KEY is about to become visible; has gone. */
void cls_filter_added(struct cls_subtable *subtable, const uint64_t *key);
void cls_filter_removed(struct cls_subtable *subtable);
/* Completes ORDER, which is about to be published. */
void cls_filter_publish(struct classifier *cls, struct cls_order *order);

static inline uint32_t cls_filter_bit(const struct cls_filter *filter, uint64_t value)
{
	return (uint32_t)hash_fold(value ^ UINT64_C(0xa0761d6478bd642f),
		UINT64_C(0xe7037ed1a0b428db)) & filter->mask;
}

/* False: no rule has FLOW's value there. */
static inline bool cls_atom_may_match(const struct cls_atom *atom, const uint64_t *flow_words_)
{
	const struct cls_filter *filter = rcu_get(&atom->filter);
	uint32_t bit;

	if (unlikely(!filter))
		return true;
	bit = cls_filter_bit(filter, flow_words_[atom->index] & atom->mask);
	return atomic_load_explicit(&filter->bits[bit / 64], memory_order_relaxed) >> (bit % 64) & 1;
}
