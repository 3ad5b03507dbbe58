/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/txn.h"

#include <stdlib.h>

#include "lib/rcu.h"
#include "ofproto/state/group.h"
#include "ofproto/state/learn.h"

void of_txn_begin(struct of_txn *txn, struct of_state *state, const struct of_requester *requester)
{
	txn->state = state;
	txn->version = version_next();
	txn->requester = requester ? *requester : (struct of_requester) { NULL, 0 };
	vec_init(&txn->changes);
}

static struct of_change *txn_change(struct of_txn *txn, enum of_change_kind kind)
{
	struct of_change *change = vec_push_zero(&txn->changes);

	change->kind = kind;
	change->xid = txn->requester.xid;
	return change;
}

/* ------------------------------------------------------------------ staging */

static void rule_enter(struct of_txn *txn, struct of_rule *rule, const struct match *match,
	int priority)
{
	pl_rule_insert(txn->state->bridge, &rule->pl, match, priority, txn->version);
	rule->life = OF_RULE_LIVE;
	of_state_link(txn->state, rule);
}

static void rule_leave(struct of_txn *txn, struct of_rule *rule)
{
	pl_rule_hide(txn->state->bridge, &rule->pl, txn->version);
	of_state_unlink(txn->state, rule);
	rule->life = OF_RULE_GONE;
}

static void rule_come_back(struct of_txn *txn, struct of_rule *rule)
{
	pl_rule_unhide(txn->state->bridge, &rule->pl);
	rule->life = OF_RULE_LIVE;
	of_state_link(txn->state, rule);
}

void of_txn_add_rule(struct of_txn *txn, struct of_rule *rule, const struct match *match,
	int priority)
{
	txn_change(txn, OF_CHANGE_ADD)->new_rule = rule;
	txn->state->tables[rule->pl.table_id].n_flows++;
	rule_enter(txn, rule, match, priority);
}

void of_txn_remove_rule(struct of_txn *txn, struct of_rule *rule, uint8_t reason)
{
	struct of_change *change = txn_change(txn, OF_CHANGE_REMOVE);

	change->old_rule = rule;
	change->reason = reason;
	txn->state->tables[rule->pl.table_id].n_flows--;
	rule_leave(txn, rule);
}

void of_txn_replace_rule(struct of_txn *txn, struct of_rule *old_rule, struct of_rule *new_rule,
	bool is_add, bool reset_counts)
{
	struct of_change *change = txn_change(txn, OF_CHANGE_REPLACE);
	struct match match;

	change->old_rule = old_rule;
	change->new_rule = new_rule;
	change->is_add = is_add;
	change->reset_counts = reset_counts;
	new_rule->add_seqno = old_rule->add_seqno;
	new_rule->modify_seqno = old_rule->modify_seqno;
	new_rule->used_floor_ms = of_rule_stats(old_rule).used_ms;
	if (!reset_counts) {
		counter_free(new_rule->pl.counter);
		new_rule->pl.counter = old_rule->pl.counter;
		old_rule->owns_counter = false;
	}
	cls_rule_get_match(&old_rule->pl.cr, &match);
	rule_leave(txn, old_rule);
	rule_enter(txn, new_rule, &match, of_rule_priority(old_rule));
}

void of_txn_set_group(struct of_txn *txn, struct of_group *old_group, struct of_group *new_group)
{
	struct of_change *change = txn_change(txn, OF_CHANGE_GROUP);

	change->old_group = old_group;
	change->new_group = new_group;
	if (old_group)
		of_group_unlink(txn->state, old_group);
	if (new_group)
		of_group_link(txn->state, new_group);
}

/* ------------------------------------------------------------------ commit */

static void rule_grace_over(void *rule_)
{
	struct of_rule *rule = rule_;

	list_push_back(&rule->state->gone, &rule->gone_node);
}

static void rule_retire(struct of_state *state, struct of_rule *rule)
{
	state->n_dying++;
	list_push_back(&state->tables[rule->pl.table_id].dying, &rule->cookie_node);
	rcu_defer(rule_grace_over, rule);
}

static void report(struct of_txn *txn, const struct of_change *change)
{
	struct of_listener *listener = txn->state->listener;
	struct of_requester requester = { txn->requester.session, change->xid };
	const struct pl_actions *before, *after;
	bool changed;

	if (!listener || !listener->flow_event)
		return;
	switch (change->kind) {
	case OF_CHANGE_ADD:
		listener->flow_event(
			listener, OF_FLOW_ADDED, change->new_rule, 0, &requester, NULL);
		break;
	case OF_CHANGE_REMOVE:
		listener->flow_event(listener, OF_FLOW_REMOVED, change->old_rule, change->reason,
			&requester, NULL);
		break;
	case OF_CHANGE_REPLACE:
		before = of_rule_actions(change->old_rule);
		after = of_rule_actions(change->new_rule);
		changed = !act_list_equal(before->acts, before->len, after->acts, after->len);
		if (change->is_add || changed ||
			of_rule_cookie(change->old_rule) != of_rule_cookie(change->new_rule))
			listener->flow_event(listener,
				change->is_add ? OF_FLOW_ADDED : OF_FLOW_MODIFIED, change->new_rule,
				0, &requester, changed ? before : NULL);
		break;
	case OF_CHANGE_GROUP:
		break;
	}
}

/* New groups are there before the rules that use them are seen; old ones go after those. */
static void groups_publish(struct of_txn *txn)
{
	struct of_change *change;

	VEC_FOR_EACH (change, &txn->changes)
		if (change->kind == OF_CHANGE_GROUP && change->new_group &&
			of_group_find(txn->state, change->new_group->id) == change->new_group)
			of_group_publish(txn->state, change->new_group);
}

static void groups_retire(struct of_txn *txn)
{
	struct of_change *change;

	VEC_FOR_EACH (change, &txn->changes) {
		if (change->kind != OF_CHANGE_GROUP)
			continue;
		if (!change->new_group && !of_group_find(txn->state, change->old_group->id))
			of_group_unpublish(txn->state, change->old_group);
	}
	VEC_FOR_EACH (change, &txn->changes)
		if (change->kind == OF_CHANGE_GROUP)
			of_group_destroy(change->old_group);
}

void of_txn_commit(struct of_txn *txn)
{
	struct of_state *state = txn->state;
	struct of_learned_dead dead;
	struct of_change *change;

	of_learned_dead_init(&dead);
	groups_publish(txn);
	version_publish();
	VEC_FOR_EACH (change, &txn->changes) {
		if (change->old_rule)
			pl_rule_changed(state->bridge, &change->old_rule->pl);
		if (change->new_rule)
			pl_rule_changed(state->bridge, &change->new_rule->pl);
	}
	VEC_FOR_EACH (change, &txn->changes) {
		report(txn, change);
		if (change->kind == OF_CHANGE_ADD)
			of_table_check_vacancy(state, change->new_rule->pl.table_id);
		else if (change->kind == OF_CHANGE_REMOVE)
			of_table_check_vacancy(state, change->old_rule->pl.table_id);
		if (change->new_rule)
			of_learned_ref(state, of_rule_actions(change->new_rule));
		if (change->old_rule) {
			change->old_rule->replaced = change->kind == OF_CHANGE_REPLACE;
			change->old_rule->removed_reason = change->reason;
			of_learned_unref(state, of_rule_actions(change->old_rule), &dead);
			rule_retire(state, change->old_rule);
		}
	}
	groups_retire(txn);
	if (state->listener && state->listener->flows_changed && txn->changes.n)
		state->listener->flows_changed(state->listener);
	vec_uninit(&txn->changes);
	of_learned_flush(state, &dead);
}

/* ------------------------------------------------------------------ abort */

static void rule_free_cb(void *rule)
{
	of_rule_destroy(rule);
}

/* RULE was never visible to packets, but a lookup may be walking past it. */
static void rule_take_back(struct of_txn *txn, struct of_rule *rule)
{
	of_state_unlink(txn->state, rule);
	rule->life = OF_RULE_GONE;
	pl_rule_remove(txn->state->bridge, &rule->pl);
	rcu_defer(rule_free_cb, rule);
}

static void change_undo(struct of_txn *txn, struct of_change *change)
{
	struct of_state *state = txn->state;

	switch (change->kind) {
	case OF_CHANGE_ADD:
		state->tables[change->new_rule->pl.table_id].n_flows--;
		rule_take_back(txn, change->new_rule);
		break;
	case OF_CHANGE_REMOVE:
		state->tables[change->old_rule->pl.table_id].n_flows++;
		rule_come_back(txn, change->old_rule);
		break;
	case OF_CHANGE_REPLACE:
		if (!change->reset_counts) {
			change->new_rule->owns_counter = false;
			change->old_rule->owns_counter = true;
		}
		rule_take_back(txn, change->new_rule);
		rule_come_back(txn, change->old_rule);
		break;
	case OF_CHANGE_GROUP:
		if (change->new_group) {
			of_group_unlink(state, change->new_group);
			of_group_destroy(change->new_group);
		}
		if (change->old_group)
			of_group_link(state, change->old_group);
		break;
	}
}

void of_txn_abort(struct of_txn *txn)
{
	while (txn->changes.n) {
		struct of_change change = vec_pop(&txn->changes);

		change_undo(txn, &change);
	}
	vec_uninit(&txn->changes);
}
