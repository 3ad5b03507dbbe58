/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/learn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/txn.h"

LOG_MODULE(ofproto);

static struct log_rate_limit limit_rl = LOG_RATE_LIMIT_INIT(1, 5);

/* How many live flows hold a learn action with delete_learned for this cookie and table. */
struct of_learned {
	struct hmap_node node;
	struct of_learned_id id;
	unsigned int n;
};

/* ------------------------------------------------------------------ delete_learned */

static uint32_t learned_hash(be64 cookie, uint8_t table_id)
{
	return hash_u64(cookie, table_id);
}

static struct of_learned *learned_find(const struct of_state *state, be64 cookie, uint8_t table_id)
{
	struct of_learned *learned;

	HMAP_FOR_EACH_WITH_HASH (learned, node, learned_hash(cookie, table_id), &state->learned)
		if (learned->id.cookie == cookie && learned->id.table_id == table_id)
			return learned;
	return NULL;
}

static void learned_add(struct of_state *state, const struct act_learn *learn)
{
	struct of_learned *learned = learned_find(state, learn->cookie, learn->table_id);

	if (!learned) {
		learned = xcalloc(1, sizeof *learned);
		learned->id.cookie = learn->cookie;
		learned->id.table_id = learn->table_id;
		hmap_insert(&state->learned, &learned->node,
			learned_hash(learn->cookie, learn->table_id));
	}
	learned->n++;
}

static void learned_sub(struct of_state *state, const struct act_learn *learn,
	struct of_learned_dead *dead)
{
	struct of_learned *learned = learned_find(state, learn->cookie, learn->table_id);

	if (!learned || --learned->n)
		return;
	vec_push(&dead->v, learned->id);
	hmap_remove(&state->learned, &learned->node);
	free(learned);
}

/* Learn actions can stand in apply-actions and in clone only. */
static void learned_walk(struct of_state *state, const struct act *acts, size_t len,
	struct of_learned_dead *dead)
{
	const struct act *a;

	ACT_FOR_EACH(a, acts, len) {
		const struct act_learn *learn = (const struct act_learn *)a;

		if (a->type == ACT_CLONE) {
			const struct act_nest *nest = (const struct act_nest *)a;

			learned_walk(state, nest->acts, act_nest_len(nest), dead);
		}
		if (a->type != ACT_LEARN || !(learn->flags & ACT_LEARN_DELETE_LEARNED))
			continue;
		if (dead)
			learned_sub(state, learn, dead);
		else
			learned_add(state, learn);
	}
}

void of_learned_dead_init(struct of_learned_dead *dead)
{
	vec_init(&dead->v);
}

void of_learned_ref(struct of_state *state, const struct pl_actions *actions)
{
	if (actions->has_learn)
		learned_walk(state, actions->acts, actions->len, NULL);
}

void of_learned_unref(struct of_state *state, const struct pl_actions *actions,
	struct of_learned_dead *dead)
{
	if (actions->has_learn)
		learned_walk(state, actions->acts, actions->len, dead);
}

static void learned_delete(struct of_state *state, struct of_learned_id id)
{
	struct of_criteria criteria;
	struct of_rules rules;
	struct of_txn txn;
	size_t i;

	of_criteria_init(&criteria);
	criteria.table_id = id.table_id;
	criteria.cookie = id.cookie;
	criteria.cookie_mask = BE64_MAX;
	of_rules_init(&rules);
	if (!of_state_collect(state, &criteria, &rules) && rules.v.n) {
		of_txn_begin(&txn, state, NULL);
		for (i = 0; i < rules.v.n; i++)
			of_txn_remove_rule(&txn, rules.v.items[i], OFPRR_DELETE);
		of_txn_commit(&txn);
	}
	of_rules_uninit(&rules);
}

void of_learned_flush(struct of_state *state, struct of_learned_dead *dead)
{
	struct of_learned_id *id;

	/* One that a rule of the same transaction stands for again is not dead. */
	VEC_FOR_EACH (id, &dead->v)
		if (!learned_find(state, id->cookie, id->table_id))
			learned_delete(state, *id);
	vec_uninit(&dead->v);
}

void of_learned_uninit(struct of_state *state)
{
	struct of_learned *learned;

	HMAP_FOR_EACH_POP (learned, node, &state->learned)
		free(learned);
	hmap_uninit(&state->learned);
}

/* ------------------------------------------------------------------ learning */

static bool learn_limit_reached(const struct of_state *state, const struct act_learn *learn)
{
	struct of_criteria criteria;
	struct of_rules rules;
	bool reached;

	if (!learn->limit)
		return false;
	of_criteria_init(&criteria);
	criteria.table_id = learn->table_id;
	criteria.cookie = learn->cookie;
	criteria.cookie_mask = BE64_MAX;
	of_rules_init(&rules);
	of_state_collect(state, &criteria, &rules);
	reached = rules.v.n >= learn->limit;
	of_rules_uninit(&rules);
	return reached;
}

/* RULE is what LEARNED would make. */
static bool learned_is(const struct of_rule *rule, const struct xlate_learned *learned)
{
	const struct act_learn *learn = learned->learn;
	const struct pl_actions *actions = of_rule_actions(rule);
	uint8_t flags = learn->flags & ACT_LEARN_SEND_FLOW_REM ? OFPFF_SEND_FLOW_REM : 0;

	return rule->idle_timeout == learn->idle_timeout &&
		rule->hard_timeout == learn->hard_timeout && !rule->importance &&
		rule->flags == flags && of_rule_cookie(rule) == learn->cookie &&
		act_list_equal(actions->acts, actions->len, learned->acts, learned->acts_len);
}

static void learned_to_flow_mod(const struct xlate_learned *learned, struct flow_mod *fm)
{
	const struct act_learn *learn = learned->learn;

	flow_mod_init(fm);
	fm->match = learned->match;
	fm->priority = learn->priority;
	fm->command = OFPFC_MODIFY_STRICT;
	fm->table_id = learn->table_id;
	fm->new_cookie = learn->cookie;
	fm->modify_cookie = learn->cookie != BE64_MAX;
	fm->idle_timeout = learn->idle_timeout;
	fm->hard_timeout = learn->hard_timeout;
	fm->flags = learn->flags & ACT_LEARN_SEND_FLOW_REM ? OFPFF_SEND_FLOW_REM : 0;
	sbuf_put(&fm->acts.buf, learned->acts, learned->acts_len);
}

void of_learn(struct of_state *state, const struct xlate_learned *learned, bool *written)
{
	const struct act_learn *learn = learned->learn;
	struct cls_rule *cr = classifier_find_exactly(state->tables[learn->table_id].pl->cls,
		&learned->match, learn->priority, version_next());
	struct of_rule *rule = of_rule_from_cls(cr);
	struct flow_mod fm;
	enum ofp_error error;

	*written = true;
	if (rule && learned_is(rule, learned)) {
		rule->modified_ms = clock_ms();
		return;
	}
	if (learn_limit_reached(state, learn)) {
		log_info_rl(&limit_rl, "Learn limit for flow 0x%llx reached.",
			(unsigned long long)be64toh(learn->cookie));
		*written = false;
		return;
	}
	learned_to_flow_mod(learned, &fm);
	error = of_flow_mod(state, &fm, NULL);
	if (error) {
		log_info_rl(&limit_rl, "%s: learn() refused: %s", state->bridge->name,
			ofp_error_name(error));
		*written = false;
	}
	flow_mod_uninit(&fm);
}
