/* SPDX-License-Identifier: Apache-2.0 */

/* Rules in tables: actions, visibility, and which dependencies a change touches. */

#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/vec.h"

COVERAGE_DEFINE(rev_flow_table);

static void note_kinds(struct pl_actions *actions, const struct act *acts, size_t len)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len)
		switch (a->type) {
		case ACT_LEARN:
			actions->has_learn = true;
			break;
		case ACT_CONTROLLER:
			actions->has_controller = true;
			break;
		case ACT_OUTPUT:
			if (((const struct act_output *)(const void *)a)->port == OFPP_CONTROLLER)
				actions->has_controller = true;
			break;
		case ACT_GROUP:
			actions->has_groups = true;
			break;
		case ACT_CONJUNCTION:
			actions->has_conjunction = true;
			break;
		case ACT_CLONE:
		case ACT_WRITE_ACTIONS: {
			const struct act_nest *nest = (const void *)a;

			note_kinds(actions, nest->acts, act_nest_len(nest));
			break;
		}
		}
}

static bool is_only_outputs(const struct act *acts, size_t len)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		const struct act_output *output = (const void *)a;

		if (a->type != ACT_OUTPUT || output->port >= OFPP_MAX || output->trunc)
			return false;
	}
	return true;
}

struct pl_actions *pl_actions_create(const struct act *acts, size_t len)
{
	struct pl_actions *actions = xcalloc(1, sizeof *actions + len);

	actions->len = (uint32_t)len;
	if (len)
		memcpy(actions->acts, acts, len);
	note_kinds(actions, actions->acts, len);
	actions->only_outputs = is_only_outputs(actions->acts, len);
	return actions;
}

static struct classifier *table_of(const struct pl_bridge *bridge, const struct pl_rule *rule)
{
	return bridge->tables[rule->table_id].cls;
}

typedef VEC(struct cls_conjunction) conj_vec;

static void collect_conjunctions(const struct pl_actions *actions, conj_vec *conjs)
{
	const struct act *a;

	vec_init(conjs);
	if (!actions || !actions->has_conjunction)
		return;
	ACT_FOR_EACH (a, actions->acts, actions->len) {
		const struct act_conjunction *c = (const void *)a;

		if (a->type == ACT_CONJUNCTION)
			vec_push(conjs, (struct cls_conjunction){c->id, c->clause, c->n_clauses});
	}
}

void pl_rule_insert(struct pl_bridge *bridge, struct pl_rule *rule, const struct match *match,
	int priority, version_t added)
{
	conj_vec conjs;

	if (!rcu_get_protected(&rule->actions))
		rcu_set(&rule->actions, pl_actions_create(NULL, 0));
	if (rule->counter == COUNTER_NONE)
		rule->counter = counter_alloc();
	collect_conjunctions(rcu_get_protected(&rule->actions), &conjs);
	classifier_insert(table_of(bridge, rule), &rule->cr, match, priority, added, conjs.items,
		conjs.n);
	vec_uninit(&conjs);
	if (added <= version_get())
		pl_rule_changed(bridge, rule);
}

void pl_rule_hide(struct pl_bridge *bridge, struct pl_rule *rule, version_t removed)
{
	classifier_hide(&rule->cr, removed);
	if (removed <= version_get())
		pl_rule_changed(bridge, rule);
}

void pl_rule_unhide(struct pl_bridge *bridge, struct pl_rule *rule)
{
	classifier_unhide(&rule->cr);
}

void pl_rule_remove(struct pl_bridge *bridge, struct pl_rule *rule)
{
	bool was_visible = versions_visible(&rule->cr.versions, version_get());
	uint32_t key_hash;
	bool narrow = was_visible && classifier_rule_key(table_of(bridge, rule), &rule->cr,
		&key_hash);

	classifier_remove(table_of(bridge, rule), &rule->cr);
	if (was_visible)
		dep_bump(narrow ? dep_table_key(bridge->id, rule->table_id, key_hash)
			: dep_table(bridge->id, rule->table_id));
}

void pl_rule_uninit(struct pl_rule *rule)
{
	free(rcu_get_protected(&rule->actions));
	counter_free(rule->counter);
	cls_rule_uninit(&rule->cr);
}

void pl_rule_set_actions(struct pl_bridge *bridge, struct pl_rule *rule, struct pl_actions *actions)
{
	struct pl_actions *old = rcu_get_protected(&rule->actions);
	conj_vec conjs;

	rcu_set(&rule->actions, actions);
	if (!rule->cr.subtable) {
		free(old);
		return;
	}
	if ((old && old->has_conjunction) || actions->has_conjunction) {
		collect_conjunctions(actions, &conjs);
		cls_rule_set_conjunctions(&rule->cr, conjs.items, conjs.n);
		vec_uninit(&conjs);
	}
	if (old)
		rcu_defer_free(old);
	pl_rule_changed(bridge, rule);
}

void pl_rule_changed(struct pl_bridge *bridge, const struct pl_rule *rule_)
{
	struct pl_rule *rule = (struct pl_rule *)(uintptr_t)rule_;
	uint32_t key_hash;

	COVERAGE_INC(rev_flow_table);
	if (classifier_rule_key(table_of(bridge, rule), &rule->cr, &key_hash))
		dep_bump(dep_table_key(bridge->id, rule->table_id, key_hash));
	else
		dep_bump(dep_table(bridge->id, rule->table_id));
}

unsigned int pl_table_deps(const struct pl_bridge *bridge, uint8_t table_id, const struct flow *flow,
	const struct flow *wc, uint16_t ids[2])
{
	uint32_t key_hash;

	ids[0] = dep_table(bridge->id, table_id);
	if (!classifier_flow_key(bridge->tables[table_id].cls, flow, wc, &key_hash))
		return 1;
	ids[1] = dep_table_key(bridge->id, table_id, key_hash);
	return 2;
}
