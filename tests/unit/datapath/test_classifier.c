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
#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/hash.h"
#include "lib/rcu.h"

#define MAX_RULES 600

static uint64_t rng_state;

static uint32_t rnd(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng_state >> 33) % n;
}

/* ------------------------------------------------------------------ rules and flows of a small world */

/* A mask out of few, so that subtables fill up; values out of few, so that packets match. */
static void random_mask(struct flow *mask)
{
	static const uint32_t prefixes[] = {0, 0, 0xff000000, 0xffff0000, 0xfffffff0, 0xffffffff};

	memset(mask, 0, sizeof *mask);
	mask->nw_src = htobe32(prefixes[rnd(6)]);
	if (!rnd(3))
		mask->nw_dst = htobe32(prefixes[rnd(6)]);
	if (!rnd(3))
		mask->in_port = UINT32_MAX;
	if (!rnd(3))
		mask->tp_dst = BE16_MAX;
	if (!rnd(4))
		mask->regs[1] = 0x3;
	if (!rnd(6))
		memset(&mask->dl_dst, 0xff, 6);
}

static void random_flow(struct flow *flow)
{
	static const uint32_t addresses[] = {0x0a000001, 0x0a000002, 0x0a000011, 0x0a010001,
		0x0b000001};

	memset(flow, 0, sizeof *flow);
	flow->nw_src = htobe32(addresses[rnd(5)]);
	flow->nw_dst = htobe32(addresses[rnd(5)]);
	flow->in_port = 1 + rnd(3);
	flow->tp_dst = htobe16((uint16_t)(80 + rnd(2)));
	flow->regs[1] = rnd(4);
	flow->dl_dst.b[5] = (uint8_t)rnd(2);
}

static void random_match(struct match *match)
{
	random_mask(&match->mask);
	random_flow(&match->flow);
	flow_mask_apply(&match->flow, &match->mask);
}

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

	random_match(&e->match);
	e->priority = (int)rnd(N_PRIORITIES);
	if (with_conj && !rnd(3)) {
		e->n_conjs = 1 + rnd(3);
		for (size_t i = 0; i < e->n_conjs; i++) {
			uint32_t id = 1 + rnd(N_IDS);
			uint8_t n_clauses = (uint8_t)(2 + id % 2);

			e->conjs[i] = (struct cls_conjunction){id, (uint8_t)rnd(n_clauses), n_clauses};
		}
	} else if (with_conj && !rnd(4)) {
		e->match.mask.conj_id = UINT32_MAX;
		e->match.flow.conj_id = 1 + rnd(N_IDS);
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

		random_flow(&other);
		for (size_t i = 0; i < FLOW_WORDS; i++) {
			if (n & 1)
				o[i] = flow_words_const(flow)[i] ^ ((uint64_t)rnd(UINT32_MAX) << 32 |
					rnd(UINT32_MAX));
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

	random_flow(&flow);
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

	rng_state = seed;
	for (int step = 0; step < 1500; step++) {
		uint32_t action = rnd(10);

		if (action < 5 && w.n < MAX_RULES) {
			add_rule(&w, version + rnd(2), with_conj);
		} else if (action < 7 && w.n) {
			struct entry *e = w.entries[rnd((uint32_t)w.n)];

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
			remove_rule(&w, rnd((uint32_t)w.n));
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

	rng_state = 7;
	for (int i = 0; i < 400; i++)
		add_rule(&w, 5 + rnd(2), false);
	for (int n = 0; n < 400; n++) {
		bool exact = false, overlap = false;
		struct cls_rule *rule;
		struct match match, read;
		int priority = (int)rnd(N_PRIORITIES);

		if (n & 1) {
			random_match(&match);
		} else {
			match = w.entries[rnd((uint32_t)w.n)]->match;
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

		rng_state = seed;
		for (int i = 0; i < 200; i++)
			add_rule(&w, 5, false);
		random_match(&criteria);
		if (rnd(2))
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
				size_t victim = rnd((uint32_t)w.n), i;

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
	random_flow(&flow);
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

/* ------------------------------------------------------------------ dependencies */

struct cached {
	struct flow flow, wc;
	const struct cls_rule *rule;
	uint32_t seq;
	uint16_t ids[2];
	unsigned int n_ids;
};

struct owned_rule {
	struct pl_rule rule;
	struct match match;
};

static struct owned_rule *rules[MAX_RULES];
static size_t n_rules;

static bool is_alive(const struct cls_rule *rule)
{
	for (size_t i = 0; i < n_rules; i++)
		if (&rules[i]->rule.cr == rule)
			return true;
	return false;
}

/* As long as nothing says that what the lookup depended on has changed, its rule must still be what a
 * lookup finds, for every flow under WC: for OTHER, too, made to fit. Rules of equal priority that
 * overlap are as good. */
static void check_flow(struct pl_bridge *bridge, const struct cached *c, const struct flow *other)
{
	const struct cls_rule *rule;
	struct flow flow;

	for (size_t i = 0; i < FLOW_WORDS; i++)
		flow_words(&flow)[i] = (flow_words_const(other)[i] & ~flow_words_const(&c->wc)[i]) |
			(flow_words_const(&c->flow)[i] & flow_words_const(&c->wc)[i]);
	rule = classifier_lookup(bridge->tables[3].cls, version_get(), &flow, NULL, NULL);
	if (rule == c->rule)
		return;
	assert_non_null(rule);
	assert_true(is_alive(c->rule));
	assert_int_equal(rule->priority, c->rule->priority);
}

static void check_cached(struct pl_bridge *bridge, const struct cached *c)
{
	struct flow flow;

	if (!dep_is_valid(c->seq, c->ids, c->n_ids))
		return;
	random_flow(&flow);
	check_flow(bridge, c, &flow);
	/* Flows that the newest rules would like to have. */
	for (size_t i = n_rules > 3 ? n_rules - 3 : 0; i < n_rules; i++)
		check_flow(bridge, c, &rules[i]->match.flow);
}

static void cache_lookup(struct pl_bridge *bridge, struct cached *c)
{
	memset(c, 0, sizeof *c);
	c->seq = dep_seq();
	random_flow(&c->flow);
	c->rule = classifier_lookup(bridge->tables[3].cls, version_get(), &c->flow, &c->wc, NULL);
	c->n_ids = pl_table_deps(bridge, 3, &c->flow, &c->wc, c->ids);
}

static void free_owned(void *r_)
{
	struct owned_rule *r = r_;

	pl_rule_uninit(&r->rule);
	free(r);
}

/* Most rules share a mask, as in a table of addresses, and are of low priority, seldom of the highest. */
static void random_table_match(struct match *match, int *priority)
{
	random_match(match);
	*priority = 2 + (int)rnd(5);
	if (rnd(4)) {
		*priority = rnd(20) ? (int)rnd(3) : 8;
		memset(&match->mask, 0, sizeof match->mask);
		memset(&match->mask.dl_dst, 0xff, 6);
		match->mask.nw_src = BE32_MAX;
		if (rnd(2))
			match->mask.tp_dst = BE16_MAX;
		random_flow(&match->flow);
		flow_mask_apply(&match->flow, &match->mask);
	}
}

static void insert_owned(struct pl_bridge *bridge, version_t version)
{
	struct owned_rule *r = calloc(1, sizeof *r);
	int priority;

	random_table_match(&r->match, &priority);
	r->rule.table_id = 3;
	if (classifier_find_exactly(bridge->tables[3].cls, &r->match, priority, version) ||
		classifier_find_exactly(bridge->tables[3].cls, &r->match, priority,
			version_get())) {
		free(r);
		return;
	}
	pl_rule_insert(bridge, &r->rule, &r->match, priority, version);
	rules[n_rules++] = r;
}

static void test_dependencies(void **state)
{
	static struct cached cached[64];
	size_t n_narrow = 0, n_wide = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct pl_bridge *bridge = pl_bridge_create("br0");

		rng_state = seed;
		for (int i = 0; i < 64; i++)
			cache_lookup(bridge, &cached[i]);
		for (int step = 0; step < 600; step++) {
			uint32_t wide_before, wide_after;
			size_t changed_from = n_rules;

			wide_before = dependency.counter[dep_table(bridge->id, 3)];
			if (rnd(3) && n_rules + 2 < MAX_RULES) {
				/* One at a time, or two in a step; sometimes one never comes to be. */
				bool twice = !rnd(3);

				insert_owned(bridge, version_next());
				if (twice)
					insert_owned(bridge, version_next());
				if (n_rules - changed_from == 2 && !rnd(2)) {
					pl_rule_remove(bridge, &rules[changed_from]->rule);
					rcu_defer(free_owned, rules[changed_from]);
					rules[changed_from] = rules[--n_rules];
				}
				version_publish();
				for (size_t i = changed_from; i < n_rules; i++)
					pl_rule_changed(bridge, &rules[i]->rule);
			} else if (n_rules) {
				size_t i = rnd((uint32_t)n_rules);

				pl_rule_hide(bridge, &rules[i]->rule, version_next());
				version_publish();
				pl_rule_changed(bridge, &rules[i]->rule);
				pl_rule_remove(bridge, &rules[i]->rule);
				rcu_defer(free_owned, rules[i]);
				rules[i] = rules[--n_rules];
			}
			wide_after = dependency.counter[dep_table(bridge->id, 3)];
			if (wide_after == wide_before)
				n_narrow++;
			else
				n_wide++;
			for (int i = 0; i < 64; i++)
				check_cached(bridge, &cached[i]);
			for (int i = 0; i < 8; i++)
				cache_lookup(bridge, &cached[rnd(64)]);
			rcu_reclaim();
		}
		while (n_rules) {
			pl_rule_remove(bridge, &rules[--n_rules]->rule);
			rcu_defer(free_owned, rules[n_rules]);
		}
		pl_bridge_destroy(bridge);
		rcu_synchronize();
	}
	/* And it is worth it: most changes in such a table are told by their key. */
	assert_true(n_narrow > n_wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_conjunctions),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_many_priorities),
		cmocka_unit_test(test_dependencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
