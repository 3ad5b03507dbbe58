/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/evict.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"

/* Packets move the moment at which a flow expires: how old what is known of them may be, in ms. */
#define SWEPT_MS 1000

/* Two groups whose values have the same hash are one. */
struct of_evict_group {
	struct hmap_node node;
	uint32_t slot;			/* In of_evict.by_size. */
	struct heap rules;		/* struct of_rule by what they are worth. */
};

struct of_evict {
	unsigned int wanted_by;		/* enum of_evict_who. */
	VEC(struct subfield) fields;
	struct hmap groups;		/* Empty unless wanted. */
	struct heap by_size;		/* The largest first. */
};

static struct of_evict *evict_get(struct of_table *table)
{
	if (!table->evict) {
		table->evict = xcalloc(1, sizeof *table->evict);
		hmap_init(&table->evict->groups);
	}
	return table->evict;
}

/* ------------------------------------------------------------------ groups */

static uint32_t group_hash(const struct of_evict *evict, const struct of_rule *rule)
{
	const struct subfield *sf;
	union field_value value;
	uint32_t hash = 0;
	struct match match;

	if (!evict->fields.n)
		return 0;
	cls_rule_get_match(&rule->pl.cr, &match);
	VEC_FOR_EACH (sf, &evict->fields) {
		if (!field_prereqs_matched(sf->field, &match)) {
			hash = hash_add(hash, 0);
			continue;
		}
		subfield_read(sf, &match.flow, &value);
		hash = hash_add(hash, hash_bytes(&value, sf->field->n_bytes, 0));
	}
	return hash;
}

static struct of_evict_group *group_find(struct of_evict *evict, uint32_t hash)
{
	struct of_evict_group *group;

	HMAP_FOR_EACH_WITH_HASH (group, node, hash, &evict->groups)
		return group;
	group = xcalloc(1, sizeof *group);
	group->slot = HEAP_NOWHERE;
	hmap_insert(&evict->groups, &group->node, hash);
	heap_insert(&evict->by_size, &group->slot, 0);
	return group;
}

static void group_destroy(struct of_evict *evict, struct of_evict_group *group)
{
	heap_remove(&evict->by_size, &group->slot);
	hmap_remove(&evict->groups, &group->node);
	heap_uninit(&group->rules);
	free(group);
}

static void group_resized(struct of_evict *evict, struct of_evict_group *group)
{
	if (heap_count(&group->rules))
		heap_set_key(&evict->by_size, &group->slot, -(int64_t)heap_count(&group->rules));
	else
		group_destroy(evict, group);
}

/* The less, the sooner it goes. Milliseconds since the machine has started fit into 47 bits. */
static int64_t worth(const struct of_rule *rule)
{
	return (int64_t)rule->importance << 47 | of_rule_deadline_ms(rule);
}

void of_evict_add(struct of_state *state, struct of_rule *rule)
{
	struct of_evict *evict = state->tables[rule->pl.table_id].evict;

	if (!evict || !evict->wanted_by || of_rule_is_hidden(rule) ||
		!(rule->idle_timeout || rule->hard_timeout))
		return;
	rule->evict_group = group_find(evict, group_hash(evict, rule));
	heap_insert(&rule->evict_group->rules, &rule->evict_slot, worth(rule));
	group_resized(evict, rule->evict_group);
}

void of_evict_remove(struct of_state *state, struct of_rule *rule)
{
	if (rule->evict_slot == HEAP_NOWHERE)
		return;
	heap_remove(&rule->evict_group->rules, &rule->evict_slot);
	group_resized(state->tables[rule->pl.table_id].evict, rule->evict_group);
	rule->evict_group = NULL;
}

void of_evict_update(struct of_state *state, struct of_rule *rule)
{
	of_evict_remove(state, rule);
	of_evict_add(state, rule);
}

/* ------------------------------------------------------------------ settings */

static void index_clear(struct of_evict *evict)
{
	const struct heap_entry *first;

	while ((first = heap_first(&evict->by_size))) {
		struct of_evict_group *group = container_of(first->slot, struct of_evict_group, slot);
		const struct heap_entry *e;

		VEC_FOR_EACH (e, &group->rules.entries) {
			struct of_rule *rule = container_of(e->slot, struct of_rule, evict_slot);

			rule->evict_slot = HEAP_NOWHERE;
			rule->evict_group = NULL;
		}
		group_destroy(evict, group);
	}
}

static void index_fill(struct of_state *state, uint8_t table_id)
{
	struct of_criteria criteria;
	struct of_rules rules;

	of_criteria_init(&criteria);
	criteria.table_id = table_id;
	of_rules_init(&rules);
	if (!of_state_collect(state, &criteria, &rules))
		for (size_t i = 0; i < rules.v.n; i++)
			of_evict_add(state, rules.v.items[i]);
	of_rules_uninit(&rules);
}

void of_evict_enable(struct of_state *state, uint8_t table_id, enum of_evict_who who, bool enable)
{
	struct of_evict *evict;
	unsigned int before;

	if (!enable && !state->tables[table_id].evict)
		return;
	evict = evict_get(&state->tables[table_id]);
	before = evict->wanted_by;
	evict->wanted_by = enable ? before | who : before & ~(unsigned int)who;
	if (!before == !evict->wanted_by)
		return;
	if (before)
		index_clear(evict);
	else
		index_fill(state, table_id);
}

bool of_evict_is_enabled(const struct of_table *table, enum of_evict_who who)
{
	return table->evict && table->evict->wanted_by & who;
}

static bool fields_equal(const struct of_evict *evict, const struct subfield *fields, size_t n)
{
	if (evict->fields.n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct subfield *a = &evict->fields.items[i], *b = &fields[i];

		if (a->field != b->field || a->ofs != b->ofs || a->n_bits != b->n_bits)
			return false;
	}
	return true;
}

void of_evict_set_groups(struct of_state *state, uint8_t table_id, const struct subfield *fields, size_t n)
{
	struct of_evict *evict;

	if (!n && !state->tables[table_id].evict)
		return;
	evict = evict_get(&state->tables[table_id]);
	if (fields_equal(evict, fields, n))
		return;
	index_clear(evict);
	vec_clear(&evict->fields);
	for (size_t i = 0; i < n; i++)
		vec_push(&evict->fields, fields[i]);
	index_fill(state, table_id);
}

void of_evict_uninit(struct of_table *table)
{
	if (!table->evict)
		return;
	index_clear(table->evict);
	hmap_uninit(&table->evict->groups);
	heap_uninit(&table->evict->by_size);
	vec_uninit(&table->evict->fields);
	free(table->evict);
	table->evict = NULL;
}

/* ------------------------------------------------------------------ choice */

static void sweep_if_old(void)
{
	static int64_t swept_ms = INT64_MIN / 2;

	if (clock_ms() - swept_ms < SWEPT_MS)
		return;
	swept_ms = clock_ms();
	dp_sweep();
}

struct of_rule *of_evict_choose(struct of_state *state, uint8_t table_id)
{
	struct of_evict *evict = state->tables[table_id].evict;
	const struct heap_entry *first = evict ? heap_first(&evict->by_size) : NULL;
	struct heap *rules;

	if (!first)
		return NULL;
	sweep_if_old();
	rules = &container_of(first->slot, struct of_evict_group, slot)->rules;
	/* Flows are only ever worth more than when it was last looked at. */
	for (;;) {
		struct of_rule *rule;
		int64_t now_worth;

		first = heap_first(rules);
		rule = container_of(first->slot, struct of_rule, evict_slot);
		now_worth = worth(rule);
		if (now_worth <= first->key)
			return rule;
		heap_set_key(rules, &rule->evict_slot, now_worth);
	}
}
