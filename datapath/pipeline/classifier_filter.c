/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Filters: most subtables have no rule for a flow, and one look at one word of the flow often tells so for
 * many of them. An atom is a word of struct flow under one mask, as it occurs in masks of subtables; its
 * filter has a bit for each hash of a value that some rule of those has there. A value without a bit rules
 * out all subtables with the atom, and nothing but the atom's bits was looked at.
 *
 * A bit is set before the rule can be found, and never cleared: a filter that has become too full, by rules
 * that came and went, is replaced by a new one.
 */

#include <string.h>

#include "datapath/pipeline/classifier_private.h"
#include "lib/fatal.h"

#define MIN_BITS 512u
#define BITS_A_VALUE 16u
#define FULL_BITS_A_VALUE 8u
#define MAX_RULES 16384u	/* More: too many values to rule anything out. */

static struct cls_filter *filter_create(size_t n_values)
{
	uint32_t n = (uint32_t)round_up_pow2(MAX((uint32_t)n_values * BITS_A_VALUE, MIN_BITS));
	struct cls_filter *filter = xcalloc(1, sizeof *filter + n / 8);

	filter->mask = n - 1;
	return filter;
}

static void filter_add(struct cls_filter *filter, uint64_t value)
{
	uint32_t bit = cls_filter_bit(filter, value);
	uint64_t old = atomic_load_explicit(&filter->bits[bit / 64], memory_order_relaxed);

	atomic_store_explicit(&filter->bits[bit / 64], old | UINT64_C(1) << (bit % 64),
		memory_order_relaxed);
}

static void add_rules(struct cls_filter *filter, const struct cls_subtable *s, uint32_t word)
{
	struct cls_rule *rule;

	LIST_FOR_EACH (rule, list, &s->list)
		filter_add(filter, rule->key[word]);
}

/* A new filter of all rules of now; none if there are too many. */
static void build(struct classifier *cls, struct cls_atom *atom)
{
	struct cls_filter *old = rcu_get_protected(&atom->filter), *filter = NULL;
	struct cls_subtable *s;

	if (atom->n_rules <= MAX_RULES) {
		filter = filter_create(atom->n_rules);
		LIST_FOR_EACH (s, list_node, &cls->subtables)
			for (uint32_t i = 0; i < s->mask->n; i++)
				if (s->atoms[i] == atom)
					add_rules(filter, s, i);
	}
	atom->n_added = atom->n_rules;
	rcu_set(&atom->filter, filter);
	if (old)
		rcu_defer_free(old);
}

static struct cls_atom *get_atom(struct classifier *cls, uint8_t index, uint64_t mask)
{
	struct cls_atom *atom;

	LIST_FOR_EACH (atom, node, &cls->atoms)
		if (atom->index == index && atom->mask == mask) {
			atom->n_subtables++;
			return atom;
		}
	atom = xcalloc(1, sizeof *atom);
	atom->index = index;
	atom->mask = mask;
	atom->n_subtables = 1;
	list_push_back(&cls->atoms, &atom->node);
	return atom;
}

void cls_filter_attach(struct cls_subtable *s)
{
	s->atoms = xcalloc(MAX(s->mask->n, 1u), sizeof *s->atoms);
	for (uint32_t i = 0; i < s->mask->n; i++)
		s->atoms[i] = get_atom(s->cls, s->mask->index[i], s->mask->words[i]);
}

static void free_atom(void *aux)
{
	struct cls_atom *atom = aux;

	free(rcu_get_protected(&atom->filter));
	free(atom);
}

/* The order without S has been published. */
void cls_filter_detach(struct cls_subtable *s)
{
	for (uint32_t i = 0; i < s->mask->n; i++)
		if (!--s->atoms[i]->n_subtables) {
			list_remove(&s->atoms[i]->node);
			rcu_defer(free_atom, s->atoms[i]);
		}
	free(s->atoms);
}

void cls_filter_added(struct cls_subtable *s, const uint64_t *key)
{
	for (uint32_t i = 0; i < s->mask->n; i++) {
		struct cls_atom *atom = s->atoms[i];
		struct cls_filter *filter = rcu_get_protected(&atom->filter);

		atom->n_rules++;
		atom->n_added++;
		if (!filter)
			continue;
		if (atom->n_added * FULL_BITS_A_VALUE > filter->mask + 1)
			build(s->cls, atom);
		filter = rcu_get_protected(&atom->filter);
		if (filter)
			filter_add(filter, key[i]);
	}
}

void cls_filter_removed(struct cls_subtable *s)
{
	for (uint32_t i = 0; i < s->mask->n; i++)
		s->atoms[i]->n_rules--;
}

/* The atoms that ORDER names, and which of them each of its subtables has. */
void cls_filter_publish(struct classifier *cls, struct cls_order *order)
{
	struct cls_atom *atom;

	order->n_atoms = 0;
	if (order->n < CLS_FILTER_SUBTABLES)
		return;
	LIST_FOR_EACH (atom, node, &cls->atoms) {
		atom->id = order->n_atoms < CLS_MAX_ATOMS ? order->n_atoms : CLS_MAX_ATOMS;
		if (atom->id == CLS_MAX_ATOMS)
			continue;
		if (!rcu_get_protected(&atom->filter))
			build(cls, atom);
		order->atoms[order->n_atoms++] = atom;
	}
	for (uint32_t i = 0; i < order->n; i++) {
		const struct cls_subtable *s = order->entries[i].subtable;

		order->entries[i].atoms = 0;
		for (uint32_t j = 0; j < s->mask->n; j++)
			if (s->atoms[j]->id < CLS_MAX_ATOMS)
				order->entries[i].atoms |= UINT64_C(1) << s->atoms[j]->id;
	}
}
