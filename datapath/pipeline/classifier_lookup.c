/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lookup. A rule with conjunctions is soft: it takes part only in conjunctive matches. If soft rules
 * of one priority above the best ordinary rule give all clauses of a conjunction, the search is made
 * again with its id in conj_id and without soft rules (ovs-fields(7), CONJUNCTIVE MATCH FIELDS).
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/classifier_private.h"
#include "lib/fatal.h"

#define N_SOFT_INLINE 64

struct soft {
	const struct cls_conj_set *set;
	int32_t priority;
};

/* Soft rules met; on the stack unless there are many. */
struct soft_list {
	struct soft *items;
	size_t n, cap;
	struct soft inline_items[N_SOFT_INLINE];
};

static void soft_add(struct soft_list *softs, const struct cls_conj_set *set, int32_t priority)
{
	if (softs->n == softs->cap) {
		struct soft *items = xmalloc(2 * softs->cap * sizeof *items);

		for (size_t i = 0; i < softs->n; i++)
			items[i] = softs->items[i];
		if (softs->items != softs->inline_items)
			free(softs->items);
		softs->items = items;
		softs->cap *= 2;
	}
	softs->items[softs->n++] = (struct soft){set, priority};
}

/* Looks into S for something better than *BEST. SOFTS NULL: ordinary rules only; true if there were others. */
static inline bool search_subtable(const struct cls_subtable *s, version_t version, const struct flow *flow,
	const struct cls_rule **best, struct soft_list *softs)
{
	int32_t best_priority = *best ? (*best)->priority : INT32_MIN;
	uint64_t key[FLOW_WORDS];
	uint32_t hash = cls_mask_key(s->mask, flow, key);
	const struct cls_rule *rule;
	bool any_soft = false;

	CMAP_FOR_EACH_WITH_HASH (rule, node, hash, &s->rules) {
		const struct cls_conj_set *set;

		if (rule->priority <= best_priority || !versions_visible(&rule->versions, version) ||
			!cls_key_equal(rule->key, key, s->mask->n))
			continue;
		set = rcu_get(&rule->conj);
		if (set) {
			if (softs)
				soft_add(softs, set, rule->priority);
			any_soft = true;
			continue;
		}
		*best = rule;
		best_priority = rule->priority;
	}
	return any_soft;
}

static void add_wildcards(const struct cls_mask *mask, struct flow *wc)
{
	for (uint32_t i = 0; i < mask->n; i++)
		flow_words(wc)[mask->index[i]] |= mask->words[i];
}

/* What the filters have told about a flow; bits are those of the order's atoms. */
struct filtering {
	uint64_t known, failed;
	uint64_t told;		/* Of those that failed: in the wildcards. */
};

/* True if some word of the flow rules out the subtable of ENTRY; that word was then looked at. */
static inline bool is_ruled_out(const struct cls_order *order, const struct cls_order_entry *entry,
	struct filtering *f, const struct flow *flow)
{
	uint64_t failed;

	for (uint64_t todo = entry->atoms & ~f->known; todo && !(entry->atoms & f->failed);
		todo &= todo - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(todo);

		f->known |= UINT64_C(1) << i;
		if (!cls_atom_may_match(order->atoms[i], flow_words_const(flow)))
			f->failed |= UINT64_C(1) << i;
	}
	failed = entry->atoms & f->failed;
	if (!failed)
		return false;
	if (!(failed & f->told))
		f->told |= failed & -failed;
	return true;
}

static uint64_t all_atoms(const struct cls_order *order)
{
	return order->n_atoms ? UINT64_MAX >> (CLS_MAX_ATOMS - order->n_atoms) : 0;
}

/* Adds the atoms TOLD. A change in a subtable with the COMMON mask is told by its key only to those who have that
 * mask, as all do who looked into it. So must those who did not need to. */
static void add_told(const struct cls_order *order, uint64_t told, const struct cls_mask *common,
	struct flow *wc)
{
	if (told && common)
		add_wildcards(common, wc);
	for (; told; told &= told - 1) {
		const struct cls_atom *atom = order->atoms[__builtin_ctzll(told)];

		flow_words(wc)[atom->index] |= atom->mask;
	}
}

/* What was looked at goes to WC or, of the first CLS_TRACE_SUBTABLES subtables, to TRACE; either may be NULL.
 * *ANY_SOFT: soft rules were met. */
__attribute__((always_inline)) static inline const struct cls_rule *search_order(
	const struct cls_order *order, version_t version, const struct flow *flow, struct flow *wc,
	struct cls_trace *trace, struct soft_list *softs, uint64_t *told, bool *any_soft)
{
	const struct cls_rule *best = NULL;
	struct filtering filtering = {0};

	for (uint32_t i = 0; order && i < order->n; i++) {
		const struct cls_order_entry *entry = &order->entries[i];
		const struct cls_subtable *s = entry->subtable;

		if (best) {
			if (entry->bound <= best->priority)
				break;
			if (atomic_load_explicit(&s->max_priority, memory_order_relaxed) <=
				best->priority)
				continue;
		}
		if (entry->atoms && is_ruled_out(order, entry, &filtering, flow))
			continue;
		*any_soft |= search_subtable(s, version, flow, &best, softs);
		if (wc)
			add_wildcards(s->mask, wc);
		if (trace)
			trace->subtables[i / 64] |= UINT64_C(1) << (i % 64);
	}
	*told = filtering.told;
	return best;
}

static const struct cls_rule *search(const struct classifier *cls, version_t version,
	const struct flow *flow, struct flow *wc, struct soft_list *softs)
{
	const struct cls_order *order = rcu_get(&cls->order);
	const struct cls_rule *best;
	bool any_soft = false;
	uint64_t told;

	best = search_order(order, version, flow, wc, NULL, softs, &told, &any_soft);
	if (wc)
		add_told(order, told, rcu_get(&cls->common), wc);
	return best;
}

/* ------------------------------------------------------------------ conjunctive matches */

/* The clauses of ID that SET has, as bits. */
static uint64_t clauses_of(const struct cls_conj_set *set, uint32_t id, uint8_t n_clauses)
{
	uint32_t low = 0, high = set->n;
	uint64_t bits = 0;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (set->conj[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < set->n && set->conj[low].id == id; low++)
		if (set->conj[low].n_clauses == n_clauses && set->conj[low].clause < 64)
			bits |= UINT64_C(1) << set->conj[low].clause;
	return bits;
}

static bool is_complete(const struct soft *softs, size_t n, const struct cls_conjunction *conj)
{
	uint64_t all = conj->n_clauses < 64 ? (UINT64_C(1) << conj->n_clauses) - 1 : UINT64_MAX;
	uint64_t bits = 0;

	for (size_t i = 0; i < n && bits != all; i++)
		bits |= clauses_of(softs[i].set, conj->id, conj->n_clauses);
	return bits == all;
}

/* Every conjunction has a clause 0 and a clause 1: the one that fewer conjunctions offer. */
static uint8_t rarer_clause(const struct soft *softs, size_t n)
{
	size_t count[2] = {0, 0};

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < softs[i].set->n; j++)
			if (softs[i].set->conj[j].clause < 2)
				count[softs[i].set->conj[j].clause]++;
	return count[1] < count[0];
}

/* The lowest id that SOFTS[N], all of one priority, have every clause of. */
static bool find_conjunction(const struct soft *softs, size_t n, uint32_t *id)
{
	uint8_t clause = rarer_clause(softs, n);
	bool found = false;

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < softs[i].set->n; j++) {
			const struct cls_conjunction *conj = &softs[i].set->conj[j];

			if (conj->clause != clause || (found && conj->id >= *id) ||
				!is_complete(softs, n, conj))
				continue;
			*id = conj->id;
			found = true;
		}
	return found;
}

static int compare_softs(const void *a_, const void *b_)
{
	const struct soft *a = a_, *b = b_;

	return a->priority > b->priority ? -1 : a->priority < b->priority;
}

static const struct cls_rule *search_conjunctive(const struct classifier *cls, version_t version,
	struct flow *flow, struct flow *wc, struct soft_list *softs, const struct cls_rule *hard,
	uint32_t *conj_id)
{
	uint32_t saved = flow->conj_id, id;

	qsort(softs->items, softs->n, sizeof softs->items[0], compare_softs);
	for (size_t i = 0, end; i < softs->n; i = end) {
		const struct cls_rule *rule;

		for (end = i; end < softs->n; end++)
			if (softs->items[end].priority != softs->items[i].priority)
				break;
		if (hard && softs->items[i].priority <= hard->priority)
			break;
		if (!find_conjunction(&softs->items[i], end - i, &id))
			continue;
		flow->conj_id = id;
		rule = search(cls, version, flow, wc, NULL);
		flow->conj_id = saved;
		if (rule) {
			*conj_id = id;
			return rule;
		}
	}
	return hard;
}

const struct cls_rule *classifier_lookup(const struct classifier *cls, version_t version,
	struct flow *flow, struct flow *wc, uint32_t *conj_id)
{
	uint32_t wc_conj_id = wc ? wc->conj_id : 0, id = 0;
	const struct cls_rule *rule;
	struct soft_list softs;

	softs.items = softs.inline_items;
	softs.cap = N_SOFT_INLINE;
	softs.n = 0;
	rule = search(cls, version, flow, wc, &softs);
	if (softs.n)
		rule = search_conjunctive(cls, version, flow, wc, &softs, rule, &id);
	if (softs.items != softs.inline_items)
		free(softs.items);
	if (wc)
		wc->conj_id = wc_conj_id;
	if (conj_id)
		*conj_id = id;
	return rule;
}

/* ------------------------------------------------------------------ traces */

bool classifier_lookup_traced(const struct classifier *cls, version_t version, const struct flow *flow,
	struct cls_trace *trace, const struct cls_rule **rule)
{
	const struct cls_order *order = rcu_get(&cls->order);
	const struct cls_mask *common = rcu_get(&cls->common);
	uint64_t key[FLOW_WORDS];
	bool any_soft = false;

	if (!order || order->n > CLS_TRACE_SUBTABLES)
		return false;
	*trace = (struct cls_trace){.order = order->serial};
	*rule = search_order(order, version, flow, NULL, trace, NULL, &trace->atoms, &any_soft);
	if (common) {
		trace->common = common->serial;
		trace->key_hash = cls_mask_key(common, flow, key);
	}
	return !any_soft;
}

void cls_trace_all(struct cls_trace *trace)
{
	memset(trace->subtables, 0xff, sizeof trace->subtables);
	trace->atoms = UINT64_MAX;
}

bool classifier_trace_wildcards(const struct classifier *cls, const struct cls_trace *trace,
	struct flow *wc, bool *has_key)
{
	const struct cls_order *order = rcu_get(&cls->order);
	const struct cls_mask *common = rcu_get(&cls->common);

	if (!order || order->serial != trace->order || (common ? common->serial : 0) != trace->common)
		return false;
	for (uint32_t i = 0; i < order->n; i++)
		if (trace->subtables[i / 64] >> (i % 64) & 1)
			add_wildcards(order->entries[i].subtable->mask, wc);
	add_told(order, trace->atoms & all_atoms(order), common, wc);
	*has_key = cls_common_is_in(common, wc);
	return true;
}
