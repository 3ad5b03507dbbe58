/* SPDX-License-Identifier: Apache-2.0 */

/* The classifier's structure, and its changes: subtables, their order, rules. */

#include "datapath/pipeline/classifier.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/classifier_private.h"
#include "lib/fatal.h"

/* Bounds that had to change so often are rounded up from then on, by so much. */
#define MANY_CHANGES 16
#define BOUND_SLACK 0xff

uint64_t cls_next_serial(void)
{
	static uint64_t last;

	return ++last;
}

/* ------------------------------------------------------------------ masks */

struct cls_mask *cls_mask_create(const struct flow *mask)
{
	const uint64_t *words = flow_words_const(mask);
	struct cls_mask *m;
	uint32_t n = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++)
		n += words[i] != 0;
	m = xcalloc(1, sizeof *m + n * (sizeof m->words[0] + 1));
	m->index = (uint8_t *)&m->words[n];
	for (size_t i = 0; i < FLOW_WORDS; i++)
		if (words[i]) {
			m->index[m->n] = (uint8_t)i;
			m->words[m->n++] = words[i];
		}
	return m;
}

void cls_mask_expand(const struct cls_mask *mask, struct flow *flow)
{
	memset(flow, 0, sizeof *flow);
	for (uint32_t i = 0; i < mask->n; i++)
		flow_words(flow)[mask->index[i]] = mask->words[i];
}

static uint32_t hash_mask(const struct flow *mask)
{
	const uint64_t *words = flow_words_const(mask);
	uint32_t hash = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++)
		if (words[i])
			hash = hash_add64(hash + (uint32_t)i, words[i]);
	return hash;
}

static bool mask_is(const struct cls_mask *m, const struct flow *mask)
{
	const uint64_t *words = flow_words_const(mask);
	uint32_t n = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++) {
		if (!words[i])
			continue;
		if (n >= m->n || m->index[n] != i || m->words[n] != words[i])
			return false;
		n++;
	}
	return n == m->n;
}

static struct cls_subtable *find_subtable(const struct classifier *cls, const struct flow *mask,
	uint32_t hash)
{
	struct cls_subtable *s;

	HMAP_FOR_EACH_WITH_HASH (s, node, hash, &cls->by_mask)
		if (mask_is(s->mask, mask))
			return s;
	return NULL;
}

struct cls_subtable *cls_find_subtable(const struct classifier *cls, const struct flow *mask)
{
	return find_subtable(cls, mask, hash_mask(mask));
}

/* ------------------------------------------------------------------ priorities of a subtable */

static struct cls_priority *find_priority(const struct cls_subtable *s, int32_t priority)
{
	struct cls_priority *p;

	HMAP_FOR_EACH_WITH_HASH (p, node, hash_u32((uint32_t)priority, 0), &s->priorities)
		if (p->priority == priority)
			return p;
	return NULL;
}

bool cls_has_priority(const struct cls_subtable *s, int32_t priority)
{
	const struct cls_priority *p = find_priority(s, priority);

	return p && p->n_rules;
}

static void heap_push(struct cls_subtable *s, struct cls_priority *p)
{
	size_t i = s->heap.n;

	vec_push(&s->heap, p);
	for (; i > 0 && s->heap.items[(i - 1) / 2]->priority < p->priority; i = (i - 1) / 2)
		s->heap.items[i] = s->heap.items[(i - 1) / 2];
	s->heap.items[i] = p;
}

static void heap_pop(struct cls_subtable *s)
{
	struct cls_priority *p = vec_pop(&s->heap), **items = s->heap.items;
	size_t n = s->heap.n, i = 0, child;

	if (!n)
		return;
	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && items[child + 1]->priority > items[child]->priority)
			child++;
		if (items[child]->priority <= p->priority)
			break;
		items[i] = items[child];
		i = child;
	}
	items[i] = p;
}

static void add_priority(struct cls_subtable *s, int32_t priority)
{
	struct cls_priority *p = s->last_priority;

	if (!p || p->priority != priority)
		p = find_priority(s, priority);
	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->priority = priority;
		hmap_insert(&s->priorities, &p->node, hash_u32((uint32_t)priority, 0));
		heap_push(s, p);
	}
	p->n_rules++;
	s->last_priority = p;
}

/* Returns what is the highest now; INT32_MIN if there is none. */
static int32_t drop_priority(struct cls_subtable *s, int32_t priority)
{
	find_priority(s, priority)->n_rules--;
	while (s->heap.n && !s->heap.items[0]->n_rules) {
		struct cls_priority *top = s->heap.items[0];

		heap_pop(s);
		hmap_remove(&s->priorities, &top->node);
		if (s->last_priority == top)
			s->last_priority = NULL;
		free(top);
	}
	return s->heap.n ? s->heap.items[0]->priority : INT32_MIN;
}

/* ------------------------------------------------------------------ order of subtables */

static int compare_bounds(const void *a_, const void *b_)
{
	const struct cls_order_entry *a = a_, *b = b_;

	return a->bound > b->bound ? -1 : a->bound < b->bound;
}

static int32_t max_priority(const struct cls_subtable *s)
{
	return atomic_load_explicit(&s->max_priority, memory_order_relaxed);
}

static int32_t wanted_bound(const struct cls_subtable *s)
{
	return s->n_changes < MANY_CHANGES ? max_priority(s) : max_priority(s) | BOUND_SLACK;
}

static void publish_order(struct classifier *cls)
{
	struct cls_order *order, *old = rcu_get_protected(&cls->order);
	struct cls_subtable *s;

	order = xmalloc(sizeof *order + hmap_count(&cls->by_mask) * sizeof order->entries[0]);
	order->serial = cls_next_serial();
	order->n = 0;
	LIST_FOR_EACH (s, list_node, &cls->subtables) {
		s->bound = wanted_bound(s);
		order->entries[order->n++] = (struct cls_order_entry){s, s->bound, 0};
	}
	qsort(order->entries, order->n, sizeof order->entries[0], compare_bounds);
	cls_filter_publish(cls, order);
	rcu_set(&cls->order, order);
	if (old)
		rcu_defer_free(old);
}

/* The subtable's highest priority has changed: publishes the order anew if it must or should be. */
static void check_bound(struct cls_subtable *s)
{
	if (max_priority(s) > s->bound || wanted_bound(s) < s->bound) {
		s->n_changes++;
		publish_order(s->cls);
	}
}

static struct cls_subtable *create_subtable(struct classifier *cls, const struct flow *mask,
	uint32_t hash)
{
	struct cls_subtable *s = xcalloc(1, sizeof *s);

	s->cls = cls;
	s->mask = cls_mask_create(mask);
	s->announced = INT32_MIN;
	s->bound = INT32_MIN;
	atomic_init(&s->max_priority, INT32_MIN);
	cmap_init(&s->rules);
	list_init(&s->list);
	hmap_init(&s->priorities);
	hmap_insert(&cls->by_mask, &s->node, hash);
	list_push_back(&cls->subtables, &s->list_node);
	flow_mask_or(&cls->mask_union, mask);
	cls_filter_attach(s);
	cls_common_check(s);
	return s;
}

static void free_subtable(void *subtable)
{
	struct cls_subtable *s = subtable;

	cmap_uninit(&s->rules);
	free(s->mask);
	free(s);
}

static void destroy_subtable(struct cls_subtable *s)
{
	struct classifier *cls = s->cls;

	list_remove(&s->list_node);
	hmap_remove(&cls->by_mask, &s->node);
	cls_common_gone(s);
	hmap_uninit(&s->priorities);
	vec_uninit(&s->heap);
	cls->mask_union_stale = true;
	publish_order(cls);
	cls_filter_detach(s);
	rcu_defer(free_subtable, s);
}

/* ------------------------------------------------------------------ rules */

static int compare_conjunctions(const void *a_, const void *b_)
{
	const struct cls_conjunction *a = a_, *b = b_;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->clause < b->clause ? -1 : a->clause > b->clause;
}

void cls_rule_set_conjunctions(struct cls_rule *rule, const struct cls_conjunction *conjs, size_t n)
{
	struct cls_conj_set *old = rcu_get_protected(&rule->conj), *set = NULL;

	if (n) {
		set = xmalloc(sizeof *set + n * sizeof set->conj[0]);
		set->n = (uint32_t)n;
		memcpy(set->conj, conjs, n * sizeof set->conj[0]);
		qsort(set->conj, n, sizeof set->conj[0], compare_conjunctions);
	}
	rcu_set(&rule->conj, set);
	if (old)
		rcu_defer_free(old);
}

void classifier_insert(struct classifier *cls, struct cls_rule *rule, const struct match *match,
	int priority, version_t added, const struct cls_conjunction *conjs, size_t n_conjs)
{
	uint32_t mask_hash = hash_mask(&match->mask), hash;
	struct cls_subtable *s = find_subtable(cls, &match->mask, mask_hash);

	if (!s)
		s = create_subtable(cls, &match->mask, mask_hash);
	rule->subtable = s;
	rule->priority = priority;
	rule->key = xmalloc((s->mask->n ? s->mask->n : 1) * sizeof rule->key[0]);
	hash = cls_mask_key(s->mask, &match->flow, rule->key);
	atomic_init(&rule->conj, NULL);
	cls_rule_set_conjunctions(rule, conjs, n_conjs);
	atomic_init(&rule->versions.added, added);
	atomic_init(&rule->versions.removed, VERSION_MAX);

	cls_filter_added(s, rule->key);
	list_push_back(&s->list, &rule->list);
	add_priority(s, priority);
	if (priority > max_priority(s)) {
		atomic_store_explicit(&s->max_priority, priority, memory_order_relaxed);
		check_bound(s);
	}
	cmap_insert(&s->rules, &rule->node, hash);
	cls->n_rules++;
	cls_common_grown(s);
}

void classifier_hide(struct cls_rule *rule, version_t removed)
{
	atomic_store_explicit(&rule->versions.removed, removed, memory_order_relaxed);
}

void classifier_unhide(struct cls_rule *rule)
{
	classifier_hide(rule, VERSION_MAX);
}

void classifier_remove(struct classifier *cls, struct cls_rule *rule)
{
	struct cls_subtable *s = rule->subtable;
	int32_t max;

	cls_cursors_skip(cls, rule);
	cmap_remove(&s->rules, &rule->node);
	list_remove(&rule->list);
	cls_filter_removed(s);
	rule->subtable = NULL;
	cls->n_rules--;

	max = drop_priority(s, rule->priority);
	if (max < max_priority(s)) {
		atomic_store_explicit(&s->max_priority, max, memory_order_relaxed);
		s->announced = MIN(s->announced, max);
	}
	if (list_is_empty(&s->list))
		destroy_subtable(s);
	else if (max < s->bound)
		check_bound(s);
}

void cls_rule_uninit(struct cls_rule *rule)
{
	free(rule->key);
	rule->key = NULL;
	free(rcu_get_protected(&rule->conj));
	rcu_set(&rule->conj, NULL);
}

size_t cls_rule_memory(const struct cls_rule *rule)
{
	const struct cls_conj_set *set = rcu_get_protected(&rule->conj);
	size_t words = rule->subtable && rule->subtable->mask->n ? rule->subtable->mask->n : 1;

	return words * sizeof rule->key[0] + 2 * sizeof(struct cmap_slot) +
		(set ? sizeof *set + set->n * sizeof set->conj[0] : 0);
}

/* ------------------------------------------------------------------ the whole */

struct classifier *classifier_create(void)
{
	struct classifier *cls = xcalloc(1, sizeof *cls);

	hmap_init(&cls->by_mask);
	list_init(&cls->subtables);
	list_init(&cls->cursors);
	list_init(&cls->atoms);
	return cls;
}

void classifier_destroy(struct classifier *cls)
{
	if (!cls)
		return;
	if (cls->n_rules)
		fatal("a classifier with %zu rules is to be destroyed", cls->n_rules);
	hmap_uninit(&cls->by_mask);
	free(rcu_get_protected(&cls->order));
	free(rcu_get_protected(&cls->common));
	free(cls);
}

size_t classifier_count(const struct classifier *cls)
{
	return cls->n_rules;
}

size_t classifier_n_subtables(const struct classifier *cls)
{
	return hmap_count(&cls->by_mask);
}
