/* SPDX-License-Identifier: Apache-2.0 */

/* The classifier against a list of rules searched one by one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/classifier.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/rcu.h"
#include "tests/unit/datapath/classifier_chance.h"

#define MAX_RULES 600

static bool matches(const struct match *match, const struct flow *flow)
{
	return flow_equal_masked(&match->flow, flow, &match->mask);
}

static bool match_equal(const struct match *a, const struct match *b)
{
	return flow_equal(&a->flow, &b->flow) && flow_equal(&a->mask, &b->mask);
}

/* ------------------------------------------------------------------ the oracle */

struct entry {
	struct cls_rule cr;
	struct match match;
	int priority;
	version_t added, removed;
	struct cls_conjunction conjs[3];
	size_t n_conjs;
};

struct world {
	struct classifier *cls;
	struct entry *entries[MAX_RULES];
	size_t n;
};

static bool visible(const struct entry *e, version_t version)
{
	return e->added <= version && version < e->removed;
}

static const struct entry *best_hard(const struct world *w, const struct flow *flow,
	version_t version)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct entry *e = w->entries[i];

		if (!e->n_conjs && visible(e, version) && matches(&e->match, flow) &&
			(!best || e->priority > best->priority))
			best = e;
	}
	return best;
}

/* True if every clause of ID has a matching rule of PRIORITY. */
static bool conjunction_holds(const struct world *w, const struct flow *flow, version_t version,
	int priority, uint32_t id, unsigned int n_clauses)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct entry *e = w->entries[i];

		if (e->priority != priority || !visible(e, version) || !matches(&e->match, flow))
			continue;
		for (size_t j = 0; j < e->n_conjs; j++)
			if (e->conjs[j].id == id)
				bits |= 1u << e->conjs[j].clause;
	}
	return bits == (1u << n_clauses) - 1;
}

#define N_IDS 4
#define N_PRIORITIES 6

/* Ids 1 to N_IDS; id I has 2 + I % 2 clauses. */
static const struct entry *oracle(const struct world *w, struct flow flow, version_t version,
	uint32_t *conj_id)
{
	const struct entry *hard = best_hard(w, &flow, version);

	*conj_id = 0;
	for (int priority = N_PRIORITIES; priority > (hard ? hard->priority : -1); priority--)
		for (uint32_t id = 1; id <= N_IDS; id++) {
			const struct entry *e;

			if (!conjunction_holds(w, &flow, version, priority, id, 2 + id % 2))
				continue;
			flow.conj_id = id;
			e = best_hard(w, &flow, version);
			flow.conj_id = 0;
			if (e) {
				*conj_id = id;
				return e;
			}
			break;
		}
	return hard;
}

/* ------------------------------------------------------------------ changes */

static void add_rule(struct world *w, version_t version, bool with_conj)
{
	struct entry *e = calloc(1, sizeof *e);

	cls_random_match(&e->match);
	e->priority = (int)cls_rnd(N_PRIORITIES);
	if (with_conj && !cls_rnd(3)) {
		e->n_conjs = 1 + cls_rnd(3);
		for (size_t i = 0; i < e->n_conjs; i++) {
			uint32_t id = 1 + cls_rnd(N_IDS);
			uint8_t n_clauses = (uint8_t)(2 + id % 2);

			e->conjs[i] = (struct cls_conjunction){id, (uint8_t)cls_rnd(n_clauses), n_clauses};
		}
	} else if (with_conj && !cls_rnd(4)) {
		e->match.mask.conj_id = UINT32_MAX;
		e->match.flow.conj_id = 1 + cls_rnd(N_IDS);
	}
	e->added = version;
	e->removed = VERSION_MAX;
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i]->removed == VERSION_MAX &&
			w->entries[i]->priority == e->priority &&
			match_equal(&w->entries[i]->match, &e->match)) {
			free(e);
			return;
		}
	classifier_insert(w->cls, &e->cr, &e->match, e->priority, version, e->conjs, e->n_conjs);
	w->entries[w->n++] = e;
}

static void free_entry(void *e_)
{
	struct entry *e = e_;

	cls_rule_uninit(&e->cr);
	free(e);
}

static void remove_rule(struct world *w, size_t i)
{
	struct entry *e = w->entries[i];

	w->entries[i] = w->entries[--w->n];
	classifier_remove(w->cls, &e->cr);
	rcu_defer(free_entry, e);
}

static void world_free(struct world *w)
{
	while (w->n)
		remove_rule(w, 0);
	rcu_synchronize();
	classifier_destroy(w->cls);
}

/* ------------------------------------------------------------------ comparison */

/* Bits outside WC must not matter: FLOW with any of them changed finds the same RULE. */
static void check_wildcards(const struct world *w, const struct flow *flow, const struct flow *wc,
	const struct cls_rule *rule, version_t version)
{
	for (int n = 0; n < 12; n++) {
		struct flow other;
		uint64_t *o = flow_words(&other);

		cls_random_flow(&other);
		for (size_t i = 0; i < FLOW_WORDS; i++) {
			if (n & 1)
				o[i] = flow_words_const(flow)[i] ^ ((uint64_t)cls_rnd(UINT32_MAX) << 32 |
					cls_rnd(UINT32_MAX));
			o[i] = (o[i] & ~flow_words_const(wc)[i]) |
				(flow_words_const(flow)[i] & flow_words_const(wc)[i]);
		}
		other.conj_id = 0;
		assert_ptr_equal(classifier_lookup(w->cls, version, &other, NULL, NULL), rule);
	}
}

/* A trace stands for what the lookup that gave RULE and WC did. */
static unsigned int n_traced;

static void check_trace(const struct world *w, const struct flow *flow, const struct flow *wc,
	const struct cls_rule *rule, version_t version)
{
	const struct cls_rule *traced;
	struct cls_trace trace;
	struct flow trace_wc;
	uint32_t key_hash;
	bool has_key;

	if (!classifier_lookup_traced(w->cls, version, flow, &trace, &traced))
		return;
	assert_ptr_equal(traced, rule);
	memset(&trace_wc, 0, sizeof trace_wc);
	assert_true(classifier_trace_wildcards(w->cls, &trace, &trace_wc, &has_key));
	trace_wc.conj_id = 0;
	assert_memory_equal(&trace_wc, wc, sizeof trace_wc);
	assert_int_equal(has_key, classifier_flow_key(w->cls, flow, wc, &key_hash));
	if (has_key)
		assert_int_equal(trace.key_hash, key_hash);
	n_traced++;
}

static void check_lookup(const struct world *w, version_t version)
{
	struct flow flow, before, wc = {0};
	const struct entry *expected;
	const struct cls_rule *rule;
	uint32_t id, expected_id;

	cls_random_flow(&flow);
	before = flow;
	expected = oracle(w, flow, version, &expected_id);
	rule = classifier_lookup(w->cls, version, &flow, &wc, &id);
	assert_true(flow_equal(&flow, &before));
	assert_int_equal(wc.conj_id, 0);
	assert_int_equal(!rule, !expected);
	assert_int_equal(id, expected_id);
	if (rule) {
		const struct entry *e = container_of(rule, struct entry, cr);

		assert_int_equal(e->priority, expected->priority);
		flow.conj_id = id;
		assert_true(matches(&e->match, &flow));
		assert_true(visible(e, version));
		flow.conj_id = 0;
	}
	check_wildcards(w, &flow, &wc, rule, version);
	check_trace(w, &flow, &wc, rule, version);
}

static void run_random(uint64_t seed, bool with_conj)
{
	struct world w = {.cls = classifier_create()};
	version_t version = 10;

	cls_rng_state = seed;
	for (int step = 0; step < 1500; step++) {
		uint32_t action = cls_rnd(10);

		if (action < 5 && w.n < MAX_RULES) {
			add_rule(&w, version + cls_rnd(2), with_conj);
		} else if (action < 7 && w.n) {
			struct entry *e = w.entries[cls_rnd((uint32_t)w.n)];

			if (e->removed == VERSION_MAX) {
				e->removed = version + 1;
				classifier_hide(&e->cr, version + 1);
			}
		} else if (action < 8) {
			version++;
			/* What nobody sees any more may go. */
			for (size_t i = 0; i < w.n;)
				if (w.entries[i]->removed < version)
					remove_rule(&w, i);
				else
					i++;
		} else if (action < 9 && w.n) {
			remove_rule(&w, cls_rnd((uint32_t)w.n));
		}
		assert_int_equal(classifier_count(w.cls), w.n);
		check_lookup(&w, version);
		check_lookup(&w, version + 1);
		if (step % 16 == 0)
			rcu_reclaim();
	}
	world_free(&w);
}

static void test_random(void **state)
{
	n_traced = 0;
	for (uint64_t seed = 1; seed <= 8; seed++)
		run_random(seed, false);
	assert_in_range(n_traced, 1000, UINT32_MAX);
}

static void test_random_conjunctions(void **state)
{
	for (uint64_t seed = 101; seed <= 108; seed++)
		run_random(seed, true);
}

/* ------------------------------------------------------------------ questions of control */

static bool overlaps(const struct match *a, const struct match *b)
{
	for (size_t i = 0; i < FLOW_WORDS; i++)
		if ((flow_words_const(&a->flow)[i] ^ flow_words_const(&b->flow)[i]) &
			flow_words_const(&a->mask)[i] & flow_words_const(&b->mask)[i])
			return false;
	return true;
}

static bool is_loose(const struct match *rule, const struct match *criteria)
{
	return flow_mask_is_subset(&criteria->mask, &rule->mask) &&
		flow_equal_masked(&rule->flow, &criteria->flow, &criteria->mask);
}

static void test_queries(void **state)
{
	struct world w = {.cls = classifier_create()};

	cls_rng_state = 7;
	for (int i = 0; i < 400; i++)
		add_rule(&w, 5 + cls_rnd(2), false);
	for (int n = 0; n < 400; n++) {
		bool exact = false, overlap = false;
		struct cls_rule *rule;
		struct match match, read;
		int priority = (int)cls_rnd(N_PRIORITIES);

		if (n & 1) {
			cls_random_match(&match);
		} else {
			match = w.entries[cls_rnd((uint32_t)w.n)]->match;
		}
		for (size_t i = 0; i < w.n; i++) {
			const struct entry *e = w.entries[i];

			assert_int_equal(cls_rule_is_loose_match(&e->cr, &match),
				is_loose(&e->match, &match));
			if (e->priority != priority || !visible(e, 5))
				continue;
			exact |= match_equal(&e->match, &match);
			overlap |= overlaps(&e->match, &match);
		}
		rule = classifier_find_exactly(w.cls, &match, priority, 5);
		assert_int_equal(rule != NULL, exact);
		if (rule) {
			cls_rule_get_match(rule, &read);
			assert_true(match_equal(&read, &match));
			assert_int_equal(rule->priority, priority);
		}
		assert_int_equal(classifier_find_overlap(w.cls, &match, priority, 5) != NULL, overlap);
	}
	world_free(&w);
}

static void test_cursor(void **state)
{
	for (uint64_t seed = 1; seed < 40; seed++) {
		struct world w = {.cls = classifier_create()};
		struct match criteria;
		struct cls_cursor cursor, idle;
		struct cls_rule *rule;
		struct entry *stay[MAX_RULES];
		size_t n_stay = 0, n_left = 0;
		bool use_criteria = seed & 1;

		cls_rng_state = seed;
		for (int i = 0; i < 200; i++)
			add_rule(&w, 5, false);
		cls_random_match(&criteria);
		if (cls_rnd(2))
			memset(&criteria, 0, sizeof criteria);
		cls_cursor_init(&cursor, w.cls, use_criteria ? &criteria : NULL, 5);
		cls_cursor_init(&idle, w.cls, NULL, 5);
		/* Half of the rules stay; the others go at any time, new ones come. */
		for (size_t i = 0; i < w.n; i++)
			if (i % 2 && (!use_criteria || is_loose(&w.entries[i]->match, &criteria)))
				stay[n_stay++] = w.entries[i];
		while ((rule = cls_cursor_next(&cursor)) != NULL) {
			struct entry *e = container_of(rule, struct entry, cr);

			assert_true(!use_criteria || is_loose(&e->match, &criteria));
			for (size_t i = 0; i < n_stay; i++)
				if (stay[i] == e) {
					stay[i] = NULL;
					n_left++;
				}
			for (int k = 0; k < 3; k++) {
				size_t victim = cls_rnd((uint32_t)w.n), i;

				for (i = 0; i < n_stay; i++)
					if (stay[i] == w.entries[victim])
						break;
				if (i == n_stay)
					remove_rule(&w, victim);
				if (w.n < MAX_RULES)
					add_rule(&w, 6, false);
			}
		}
		assert_int_equal(n_left, n_stay);
		assert_null(cls_cursor_next(&cursor));
		cls_cursor_uninit(&idle);
		cls_cursor_uninit(&idle);
		world_free(&w);
	}
}

static void test_many_priorities(void **state)
{
	struct world w = {.cls = classifier_create()};
	struct flow flow, wc = {0};
	enum { N = 500 };

	/* One mask, rising priorities, removed from the top; a catch-all of priority 300. */
	for (int i = 0; i <= N; i++) {
		struct entry *e = calloc(1, sizeof *e);

		if (i < N) {
			e->match.mask.in_port = UINT32_MAX;
			e->match.flow.in_port = 1 + (uint32_t)i % 2;
		}
		e->priority = i < N ? i : 300;
		classifier_insert(w.cls, &e->cr, &e->match, e->priority, 1, NULL, 0);
		w.entries[w.n++] = e;
	}
	assert_int_equal(classifier_n_subtables(w.cls), 2);
	cls_random_flow(&flow);
	flow.in_port = 2;
	assert_int_equal(classifier_lookup(w.cls, 1, &flow, &wc, NULL)->priority, N - 1);
	flow.in_port = 7;
	assert_int_equal(classifier_lookup(w.cls, 1, &flow, &wc, NULL)->priority, 300);
	assert_int_equal(wc.in_port, UINT32_MAX);

	for (size_t i = 0; i < w.n;)
		if (w.entries[i]->priority > 100 && w.entries[i]->match.mask.in_port)
			remove_rule(&w, i);
		else
			i++;
	/* The catch-all ends the search before the other subtable's turn. */
	memset(&wc, 0, sizeof wc);
	flow.in_port = 1;
	assert_int_equal(classifier_lookup(w.cls, 1, &flow, &wc, NULL)->priority, 300);
	assert_int_equal(wc.in_port, 0);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_conjunctions),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_many_priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
