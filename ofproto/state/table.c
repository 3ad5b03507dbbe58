/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/table.h"

#include <stdlib.h>

#include "datapath/dp.h"
#include "datapath/pipeline/dependency.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/rcu.h"
#include "ofproto/state/evict.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/group.h"
#include "ofproto/state/learn.h"
#include "ofproto/state/meter.h"
#include "ofproto/state/refs.h"
#include "ofproto/state/saver.h"
#include "ofproto/state/timeout.h"

#define MAX_GONE_PER_RUN 1000	/* About a millisecond's worth. */

void of_state_init(struct of_state *state, struct pl_bridge *bridge, struct of_listener *listener)
{
	*state = (struct of_state) { .bridge = bridge, .listener = listener };
	for (size_t i = 0; i < PL_N_TABLES; i++) {
		state->tables[i].pl = &bridge->tables[i];
		state->tables[i].flow_limit = UINT32_MAX;
		list_init(&state->tables[i].dying);
	}
	hmap_init(&state->cookies);
	hmap_init(&state->learned);
	hmap_init(&state->groups);
	hmap_init(&state->group_refs);
	hmap_init(&state->meters);
	hmap_init(&state->meter_refs);
	list_init(&state->gone);
}

/* Those that no other rule counts on with. */
static uint64_t own_packets(const struct of_rule *rule)
{
	return rule->owns_counter ? counter_get(rule->pl.counter).packets : 0;
}

static void rule_free_cb(void *rule_)
{
	struct of_rule *rule = rule_;

	rule->state->n_dying--;
	of_rule_destroy(rule);
}

/* Rules that no packet meets any more: their last counts are swept, then they leave the classifier.
 */
static void gone_run(struct of_state *state)
{
	struct of_rule *rule;
	int n = 0;

	if (list_is_empty(&state->gone))
		return;
	dp_sweep();
	LIST_FOR_EACH_POP (rule, gone_node, &state->gone) {
		if (state->listener && state->listener->flow_removed && !rule->replaced &&
			(rule->flags & OFPFF_SEND_FLOW_REM) && !of_rule_is_hidden(rule))
			state->listener->flow_removed(state->listener, rule);
		if (rule->saved_slot)
			of_saver_rule_goes(rule);
		list_remove(&rule->cookie_node);
		state->tables[rule->pl.table_id].matched_before += own_packets(rule);
		pl_rule_remove(state->bridge, &rule->pl);
		rcu_defer(rule_free_cb, rule);
		if (++n >= MAX_GONE_PER_RUN)
			break;
	}
}

void of_state_uninit(struct of_state *state)
{
	state->listener = NULL;
	of_flush(state);
	of_groups_flush(state);
	of_meters_flush(state);
	while (state->n_dying) {
		rcu_synchronize();
		gone_run(state);
	}
	rcu_synchronize();
	of_learned_uninit(state);
	of_refs_uninit(&state->group_refs);
	of_refs_uninit(&state->meter_refs);
	hmap_uninit(&state->groups);
	hmap_uninit(&state->meters);
	hmap_uninit(&state->cookies);
	heap_uninit(&state->timers);
	for (size_t i = 0; i < PL_N_TABLES; i++) {
		of_evict_uninit(&state->tables[i]);
		free(state->tables[i].name);
	}
}

void of_state_run(struct of_state *state)
{
	of_timers_run(state, clock_ms());
	gone_run(state);
}

int64_t of_state_wait_ms(const struct of_state *state)
{
	int64_t next = of_timers_next_ms(state), now;

	if (!list_is_empty(&state->gone))
		return 0;
	if (next == INT64_MAX)
		return -1;
	now = clock_ms();
	return next > now ? next - now : 0;
}

/* ------------------------------------------------------------------ indices */

static uint32_t cookie_hash(be64 cookie)
{
	return hash_u64(cookie, 0);
}

static struct of_cookie *cookie_find(const struct of_state *state, be64 cookie)
{
	struct of_cookie *c;

	HMAP_FOR_EACH_WITH_HASH (c, node, cookie_hash(cookie), &state->cookies)
		if (c->cookie == cookie)
			return c;
	return NULL;
}

static void cookie_link(struct of_state *state, struct of_rule *rule)
{
	be64 cookie = of_rule_cookie(rule);
	struct of_cookie *c = cookie_find(state, cookie);

	if (!c) {
		c = xcalloc(1, sizeof *c);
		c->cookie = cookie;
		list_init(&c->rules);
		hmap_insert(&state->cookies, &c->node, cookie_hash(cookie));
	}
	list_push_back(&c->rules, &rule->cookie_node);
}

static void cookie_unlink(struct of_state *state, struct of_rule *rule)
{
	struct of_cookie *c = cookie_find(state, of_rule_cookie(rule));

	list_remove(&rule->cookie_node);
	if (list_is_empty(&c->rules)) {
		hmap_remove(&state->cookies, &c->node);
		free(c);
	}
}

void of_state_link(struct of_state *state, struct of_rule *rule)
{
	cookie_link(state, rule);
	of_rule_index(rule, true);
	of_timer_add(state, rule);
	of_evict_add(state, rule);
	of_refs_link(state, rule);
}

void of_state_unlink(struct of_state *state, struct of_rule *rule)
{
	cookie_unlink(state, rule);
	of_rule_index(rule, false);
	of_timer_remove(state, rule);
	of_evict_remove(state, rule);
	of_refs_unlink(state, rule);
}

/* ------------------------------------------------------------------ search */

void of_criteria_init(struct of_criteria *criteria)
{
	*criteria = (struct of_criteria) {
		.table_id = OFP_TABLE_ALL,
		.version = version_next(),
		.out_port = OFPP_NONE,
		.out_group = OFP_GROUP_ANY,
	};
}

bool of_criteria_accepts(const struct of_criteria *criteria, const struct of_rule *rule)
{
	if (criteria->table_id != OFP_TABLE_ALL && criteria->table_id != rule->pl.table_id)
		return false;
	if ((of_rule_cookie(rule) ^ criteria->cookie) & criteria->cookie_mask)
		return false;
	if (of_rule_is_hidden(rule) && !criteria->hidden)
		return false;
	if (criteria->out_port != OFPP_NONE && !of_rule_outputs_to(rule, criteria->out_port))
		return false;
	return criteria->out_group == OFP_GROUP_ANY ||
		of_rule_outputs_to_group(rule, criteria->out_group);
}

static void collect_rule(const struct of_criteria *criteria, struct of_rule *rule,
	struct of_rules *rules)
{
	if (of_criteria_accepts(criteria, rule))
		vec_push(&rules->v, rule);
}

static bool rule_is_exactly(const struct of_state *state, const struct of_rule *rule,
	const struct of_criteria *criteria)
{
	return of_rule_priority(rule) == criteria->priority &&
		classifier_find_exactly(state->tables[rule->pl.table_id].pl->cls, criteria->match,
			criteria->priority, criteria->version) == &rule->pl.cr;
}

/* The index only holds live rules: what is visible in the next version. */
static void collect_by_cookie(const struct of_state *state, const struct of_criteria *criteria,
	struct of_rules *rules)
{
	const struct of_cookie *c = cookie_find(state, criteria->cookie);
	struct of_rule *rule;

	if (!c)
		return;
	LIST_FOR_EACH (rule, cookie_node, &c->rules) {
		if (criteria->strict && !rule_is_exactly(state, rule, criteria))
			continue;
		if (!criteria->strict && criteria->match &&
			!cls_rule_is_loose_match(&rule->pl.cr, criteria->match))
			continue;
		collect_rule(criteria, rule, rules);
	}
}

static void collect_from_table(const struct of_state *state, uint8_t table_id,
	const struct of_criteria *criteria, struct of_rules *rules)
{
	struct classifier *cls = state->tables[table_id].pl->cls;
	struct cls_cursor cursor;
	struct cls_rule *cr;

	if (!state->tables[table_id].n_flows)
		return;
	if (criteria->strict) {
		cr = classifier_find_exactly(cls, criteria->match, criteria->priority,
			criteria->version);
		if (cr)
			collect_rule(criteria, of_rule_from_cls(cr), rules);
		return;
	}
	cls_cursor_init(&cursor, cls, criteria->match, criteria->version);
	while ((cr = cls_cursor_next(&cursor)))
		collect_rule(criteria, of_rule_from_cls(cr), rules);
}

enum ofp_error of_state_collect(const struct of_state *state, const struct of_criteria *criteria,
	struct of_rules *rules)
{
	if (criteria->cookie_mask == BE64_MAX && criteria->version == version_next()) {
		collect_by_cookie(state, criteria, rules);
	} else if (criteria->table_id != OFP_TABLE_ALL) {
		collect_from_table(state, criteria->table_id, criteria, rules);
	} else {
		for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++)
			collect_from_table(state, (uint8_t)i, criteria, rules);
	}
	return OFP_OK;
}

/* ------------------------------------------------------------------ tables */

uint32_t of_table_n_visible(const struct of_state *state, uint8_t table_id)
{
	uint32_t n = state->tables[table_id].n_flows;
	struct cls_cursor cursor;
	struct cls_rule *cr;

	/* Hidden flows are few, and in the first table only. */
	if (table_id || !n)
		return n;
	cls_cursor_init(&cursor, state->tables[0].pl->cls, NULL, version_next());
	for (n = 0; (cr = cls_cursor_next(&cursor)); )
		n += !of_rule_is_hidden(of_rule_from_cls(cr));
	return n;
}

void of_table_counts(const struct of_state *state, uint8_t table_id, uint64_t *lookups,
	uint64_t *matched)
{
	const struct of_table *table = &state->tables[table_id];
	struct cls_cursor cursor;
	struct of_rule *rule;
	struct cls_rule *cr;
	uint64_t n = table->matched_before;

	if (table->n_flows) {
		cls_cursor_init(&cursor, table->pl->cls, NULL, version_next());
		while ((cr = cls_cursor_next(&cursor)))
			n += of_rule_stats(of_rule_from_cls(cr)).packets;
	}
	LIST_FOR_EACH (rule, cookie_node, &table->dying)
		n += own_packets(rule);
	*matched = n;
	*lookups = n + counter_get(table->pl->miss_counter).packets;
}

void of_table_set_name(struct of_state *state, uint8_t table_id, const char *name, int level)
{
	struct of_table *table = &state->tables[table_id];

	if (level < table->name_level)
		return;
	free(table->name);
	table->name = name && *name ? xstrdup(name) : NULL;
	table->name_level = table->name ? level : 0;
}

void of_table_set_miss(struct of_state *state, uint8_t table_id, enum pl_miss miss)
{
	atomic_store_explicit(
		&state->tables[table_id].pl->miss, (uint8_t)miss, memory_order_release);
	dep_bump(dep_table(state->bridge->id, table_id));
}

uint8_t of_table_vacancy(const struct of_state *state, uint8_t table_id)
{
	uint64_t n = state->tables[table_id].n_flows, limit = state->tables[table_id].flow_limit;

	if (!limit)
		return 100;
	return n >= limit ? 0 : (uint8_t)((limit - n) * 100 / limit);
}

void of_table_check_vacancy(struct of_state *state, uint8_t table_id)
{
	struct of_table *table = &state->tables[table_id];
	uint8_t vacancy, reason = 0;

	if (!table->vacancy_event)
		return;
	vacancy = of_table_vacancy(state, table_id);
	if (vacancy < table->vacancy_down)
		reason = OFPTR_VACANCY_DOWN;
	else if (vacancy > table->vacancy_up)
		reason = OFPTR_VACANCY_UP;
	if (reason != table->vacancy_event)
		return;
	if (state->listener && state->listener->table_vacancy)
		state->listener->table_vacancy(state->listener, table_id, reason);
	table->vacancy_event = reason == OFPTR_VACANCY_DOWN ? OFPTR_VACANCY_UP : OFPTR_VACANCY_DOWN;
}
