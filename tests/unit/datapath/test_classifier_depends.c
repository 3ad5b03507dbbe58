/* SPDX-License-Identifier: Apache-2.0 */

/* Dependencies of lookups in a table: what they do not name can change without making them wrong. */

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
#include "lib/rcu.h"
#include "tests/unit/datapath/classifier_chance.h"

#define MAX_RULES 600

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
	cls_random_flow(&flow);
	check_flow(bridge, c, &flow);
	/* Flows that the newest rules would like to have. */
	for (size_t i = n_rules > 3 ? n_rules - 3 : 0; i < n_rules; i++)
		check_flow(bridge, c, &rules[i]->match.flow);
}

static void cache_lookup(struct pl_bridge *bridge, struct cached *c)
{
	memset(c, 0, sizeof *c);
	c->seq = dep_seq();
	cls_random_flow(&c->flow);
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
	cls_random_match(match);
	*priority = 2 + (int)cls_rnd(5);
	if (cls_rnd(4)) {
		*priority = cls_rnd(20) ? (int)cls_rnd(3) : 8;
		memset(&match->mask, 0, sizeof match->mask);
		memset(&match->mask.dl_dst, 0xff, 6);
		match->mask.nw_src = BE32_MAX;
		if (cls_rnd(2))
			match->mask.tp_dst = BE16_MAX;
		cls_random_flow(&match->flow);
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

		cls_rng_state = seed;
		for (int i = 0; i < 64; i++)
			cache_lookup(bridge, &cached[i]);
		for (int step = 0; step < 600; step++) {
			uint32_t wide_before, wide_after;
			size_t changed_from = n_rules;

			wide_before = dependency.counter[dep_table(bridge->id, 3)];
			if (cls_rnd(3) && n_rules + 2 < MAX_RULES) {
				/* One at a time, or two in a step; sometimes one never comes to be. */
				bool twice = !cls_rnd(3);

				insert_owned(bridge, version_next());
				if (twice)
					insert_owned(bridge, version_next());
				if (n_rules - changed_from == 2 && !cls_rnd(2)) {
					pl_rule_remove(bridge, &rules[changed_from]->rule);
					rcu_defer(free_owned, rules[changed_from]);
					rules[changed_from] = rules[--n_rules];
				}
				version_publish();
				for (size_t i = changed_from; i < n_rules; i++)
					pl_rule_changed(bridge, &rules[i]->rule);
			} else if (n_rules) {
				size_t i = cls_rnd((uint32_t)n_rules);

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
				cache_lookup(bridge, &cached[cls_rnd(64)]);
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
		cmocka_unit_test(test_dependencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
