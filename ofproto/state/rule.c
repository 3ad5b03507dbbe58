/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/rule.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/heap.h"
#include "ofproto/state/table.h"

bool of_match_is_catchall(const struct match *match)
{
	const uint64_t *words = flow_words_const(&match->mask);

	for (size_t i = 0; i < FLOW_WORDS; i++)
		if (words[i])
			return false;
	return true;
}

struct of_rule *of_rule_create(struct of_state *state, const struct of_rule_spec *spec)
{
	struct of_rule *rule = xcalloc(1, sizeof *rule);

	rule->state = state;
	rule->pl.table_id = spec->table_id;
	rule->pl.is_table_miss = spec->priority == 0 && of_match_is_catchall(spec->match);
	rule->pl.counter = counter_alloc();
	rule->owns_counter = true;
	atomic_init(&rule->pl.cookie, spec->cookie);
	pl_rule_set_actions(
		state->bridge, &rule->pl, pl_actions_create(spec->acts, spec->acts_len));
	rule->created_ms = rule->modified_ms = rule->used_floor_ms = clock_ms();
	rule->refresh = spec->hard_timeout ? counter_alloc() : COUNTER_NONE;
	rule->pl.refresh = rule->refresh;
	rule->timer = HEAP_NOWHERE;
	rule->evict_slot = HEAP_NOWHERE;
	rule->idle_timeout = spec->idle_timeout;
	rule->hard_timeout = spec->hard_timeout;
	rule->importance = spec->importance;
	rule->flags = spec->flags & OFPFF_STATE;
	rule->life = OF_RULE_NEW;
	list_init(&rule->gone_node);
	return rule;
}

void of_rule_destroy(struct of_rule *rule)
{
	if (!rule)
		return;
	if (!rule->owns_counter)	/* Else freed by pl_rule_uninit(). */
		rule->pl.counter = COUNTER_NONE;
	if (rule->refresh != COUNTER_NONE)
		counter_free(rule->refresh);
	free(rule->refs);
	pl_rule_uninit(&rule->pl);
	free(rule);
}

/* Of its counter: the values, and two pointers to the rule. */
#define COUNTER_BYTES (sizeof(struct counter_value) + 2 * sizeof(struct of_rule *))

size_t of_rule_memory(const struct of_rule *rule)
{
	return sizeof *rule + cls_rule_memory(&rule->pl.cr) + sizeof(struct pl_actions) +
		of_rule_actions(rule)->len + rule->n_refs * sizeof *rule->refs + COUNTER_BYTES;
}

/* By counter id: ids are small numbers, and each rule has one. */
static VEC(struct of_rule *) rules_by_counter = VEC_INITIALIZER;

struct of_rule *of_rule_from_counter(uint32_t counter)
{
	return counter < rules_by_counter.n ? rules_by_counter.items[counter] : NULL;
}

void of_rule_index(struct of_rule *rule, bool live)
{
	uint32_t counter = rule->pl.counter;

	if (live) {
		while (rules_by_counter.n <= counter)
			vec_push(&rules_by_counter, NULL);
		rules_by_counter.items[counter] = rule;
	} else if (of_rule_from_counter(counter) == rule) {
		rules_by_counter.items[counter] = NULL;
	}
}

struct of_rule_stats of_rule_stats(const struct of_rule *rule)
{
	struct counter_value value = counter_get(rule->pl.counter);
	struct of_rule_stats stats = {
		.packets = value.packets,
		.bytes = value.bytes,
		.used_ms =
			value.used_ms > rule->used_floor_ms ? value.used_ms : rule->used_floor_ms,
	};

	return stats;
}

int64_t of_rule_modified_ms(const struct of_rule *rule)
{
	int64_t refreshed;

	if (rule->refresh == COUNTER_NONE)
		return rule->modified_ms;
	refreshed = counter_get(rule->refresh).used_ms;
	return refreshed > rule->modified_ms ? refreshed : rule->modified_ms;
}

int64_t of_rule_deadline_ms(const struct of_rule *rule)
{
	int64_t deadline = INT64_MAX;

	if (rule->hard_timeout)
		deadline = of_rule_modified_ms(rule) + rule->hard_timeout * INT64_C(1000);
	if (rule->idle_timeout) {
		int64_t idle = of_rule_stats(rule).used_ms + rule->idle_timeout * INT64_C(1000);

		if (idle < deadline)
			deadline = idle;
	}
	return deadline;
}

bool of_rule_outputs_to(const struct of_rule *rule, ofp_port_t port)
{
	const struct pl_actions *actions = of_rule_actions(rule);

	return act_list_outputs_to(actions->acts, actions->len, port);
}

bool of_rule_outputs_to_group(const struct of_rule *rule, uint32_t group_id)
{
	const struct pl_actions *actions = of_rule_actions(rule);

	return actions->has_groups &&
	       act_list_outputs_to_group(actions->acts, actions->len, group_id);
}
