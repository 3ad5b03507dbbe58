/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/flow_mod.h"

#include "ofproto/state/evict.h"
#include "ofproto/state/refs.h"

/* No new cookie: what a 1.1+ modify says. */
#define NO_COOKIE BE64_MAX

static struct of_rule_spec flow_mod_spec(const struct flow_mod *fm, uint8_t table_id)
{
	struct of_rule_spec spec = {
		.match = &fm->match,
		.priority = fm->priority,
		.table_id = table_id,
		.flags = (uint8_t)(fm->flags & OFPFF_STATE),
		.idle_timeout = fm->idle_timeout,
		.hard_timeout = fm->hard_timeout,
		.importance = fm->importance,
		.cookie = fm->new_cookie,
		.acts = flow_mod_acts(fm),
		.acts_len = flow_mod_acts_len(fm),
	};

	return spec;
}

/* OLD gives way to a rule made of SPEC. A modify keeps what the flow was but for its actions. */
static void replace(struct of_txn *txn, const struct flow_mod *fm, struct of_rule *old,
	struct of_rule_spec spec)
{
	bool is_add = fm->command == OFPFC_ADD;
	be64 cookie = of_rule_cookie(old);
	struct of_rule *new_rule;
	struct match match;

	cls_rule_get_match(&old->pl.cr, &match);
	spec.match = &match;
	spec.priority = of_rule_priority(old);
	spec.table_id = old->pl.table_id;
	if (!(is_add || fm->modify_cookie) || spec.cookie == NO_COOKIE)
		spec.cookie = cookie;
	if (!is_add) {
		spec.idle_timeout = old->idle_timeout;
		spec.hard_timeout = old->hard_timeout;
		spec.importance = old->importance;
		spec.flags = old->flags;
	}
	new_rule = of_rule_create(txn->state, &spec);
	if (!is_add)
		new_rule->created_ms = old->created_ms;
	of_txn_replace_rule(txn, old, new_rule, is_add, (fm->flags & OFPFF_RESET_COUNTS) != 0);
}

/* Room in TABLE for one more: there is, or made by eviction. */
static enum ofp_error make_room(struct of_txn *txn, uint8_t table_id)
{
	struct of_table *table = &txn->state->tables[table_id];
	struct of_rule *victim;

	if (table->n_flows < table->flow_limit)
		return OFP_OK;
	victim = of_evict_choose(txn->state, table_id);
	if (!victim)
		return OFPFMFC_TABLE_FULL;
	of_txn_remove_rule(txn, victim, OFPRR_EVICTION);
	return OFP_OK;
}

/* Of the datapath's own fields a flow may only say that the packet was not recirculated. */
static bool match_is_public(const struct match *match)
{
	uint32_t recirc_mask = match->mask.recirc_id;

	return !match->mask.dp_hash &&
		(!recirc_mask || (recirc_mask == UINT32_MAX && !match->flow.recirc_id));
}

static enum ofp_error add_start(struct of_txn *txn, const struct flow_mod *fm)
{
	uint8_t table_id = fm->table_id == OFP_TABLE_ALL ? 0 : fm->table_id;
	struct classifier *cls = txn->state->tables[table_id].pl->cls;
	struct of_rule_spec spec = flow_mod_spec(fm, table_id);
	struct of_rule *old;
	enum ofp_error error;

	if (!match_is_public(&fm->match))
		return OFPBRC_EPERM;
	error = of_acts_check(txn->state, spec.acts, spec.acts_len);
	if (error)
		return error;
	old = of_rule_from_cls(
		classifier_find_exactly(cls, &fm->match, fm->priority, txn->version));
	if (old) {
		replace(txn, fm, old, spec);
		return OFP_OK;
	}
	if ((fm->flags & OFPFF_CHECK_OVERLAP) &&
		classifier_find_overlap(cls, &fm->match, fm->priority, txn->version))
		return OFPFMFC_OVERLAP;
	error = make_room(txn, table_id);
	if (error)
		return error;
	of_txn_add_rule(txn, of_rule_create(txn->state, &spec), &fm->match, fm->priority);
	return OFP_OK;
}

static void flow_mod_criteria(const struct of_txn *txn, const struct flow_mod *fm,
	struct of_criteria *criteria)
{
	bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;

	of_criteria_init(criteria);
	criteria->table_id = fm->table_id;
	criteria->match = &fm->match;
	criteria->priority = fm->priority;
	criteria->strict = fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT;
	criteria->version = txn->version;
	criteria->cookie = fm->cookie;
	criteria->cookie_mask = fm->cookie_mask;
	criteria->out_port = deletes ? fm->out_port : OFPP_NONE;
	criteria->out_group = deletes ? fm->out_group : OFP_GROUP_ANY;
}

static enum ofp_error modify_start(struct of_txn *txn, const struct flow_mod *fm)
{
	struct of_rule_spec spec = flow_mod_spec(fm, 0);
	struct of_criteria criteria;
	struct of_rules rules;
	enum ofp_error error;

	flow_mod_criteria(txn, fm, &criteria);
	of_rules_init(&rules);
	error = of_state_collect(txn->state, &criteria, &rules);
	if (!error && rules.v.n) {
		error = of_acts_check(txn->state, spec.acts, spec.acts_len);
		for (size_t i = 0; !error && i < rules.v.n; i++)
			replace(txn, fm, rules.v.items[i], spec);
	} else if (!error && fm->new_cookie != NO_COOKIE && !fm->cookie_mask) {
		error = add_start(txn, fm);
	}
	of_rules_uninit(&rules);
	return error;
}

static enum ofp_error delete_start(struct of_txn *txn, const struct flow_mod *fm)
{
	struct of_criteria criteria;
	struct of_rules rules;
	enum ofp_error error;

	flow_mod_criteria(txn, fm, &criteria);
	of_rules_init(&rules);
	error = of_state_collect(txn->state, &criteria, &rules);
	for (size_t i = 0; !error && i < rules.v.n; i++)
		of_txn_remove_rule(txn, rules.v.items[i], OFPRR_DELETE);
	of_rules_uninit(&rules);
	return error;
}

/* Open vSwitch has rules of its own in its internal table, which nobody may change. What looks for others there
 * meets nothing, here as there. */
static bool meets_internal_rules(const struct flow_mod *fm)
{
	return fm->command != OFPFC_DELETE_STRICT && of_match_is_catchall(&fm->match) &&
		!(fm->cookie & fm->cookie_mask) && fm->out_port == OFPP_NONE &&
		fm->out_group == OFP_GROUP_ANY;
}

enum ofp_error of_flow_mod_check(const struct flow_mod *fm)
{
	bool deletes = fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;

	if (fm->command > OFPFC_DELETE_STRICT)
		return OFPFMFC_BAD_COMMAND;
	if (fm->table_id == OF_TABLE_INTERNAL && (!deletes || meets_internal_rules(fm)))
		return OFPBRC_EPERM;
	if (!deletes && fm->buffer_id != OFP_NO_BUFFER)
		return OFPBRC_BUFFER_UNKNOWN;
	return OFP_OK;
}

enum ofp_error of_flow_mod_start(struct of_txn *txn, const struct flow_mod *fm)
{
	enum ofp_error error = of_flow_mod_check(fm);

	if (error)
		return error;
	switch (fm->command) {
	case OFPFC_ADD:
		return add_start(txn, fm);
	case OFPFC_MODIFY:
	case OFPFC_MODIFY_STRICT:
		return modify_start(txn, fm);
	default:
		return delete_start(txn, fm);
	}
}

enum ofp_error of_flow_mod(struct of_state *state, const struct flow_mod *fm,
	const struct of_requester *requester)
{
	enum ofp_error error;
	struct of_txn txn;

	of_txn_begin(&txn, state, requester);
	error = of_flow_mod_start(&txn, fm);
	if (error || !txn.changes.n)
		of_txn_abort(&txn);
	else
		of_txn_commit(&txn);
	return error;
}

void of_hidden_flow(struct of_state *state, const struct match *match, int priority,
	const struct act *acts, size_t acts_len)
{
	struct of_rule_spec spec = {
		.match = match,
		.priority = priority,
		.acts = acts,
		.acts_len = acts_len,
	};
	struct of_rule *old, *rule;
	struct of_txn txn;

	of_txn_begin(&txn, state, NULL);
	old = of_rule_from_cls(classifier_find_exactly(state->tables[0].pl->cls, match, priority,
		txn.version));
	if (acts) {
		rule = of_rule_create(state, &spec);
		rule->pl.is_internal = true;
		if (old)
			of_txn_replace_rule(&txn, old, rule, true, false);
		else
			of_txn_add_rule(&txn, rule, match, priority);
	} else if (old) {
		of_txn_remove_rule(&txn, old, OFPRR_DELETE);
	}
	of_txn_commit(&txn);
}

void of_flush(struct of_state *state)
{
	struct of_listener *listener = state->listener;
	struct of_criteria criteria;
	struct of_rules rules;
	struct of_txn txn;

	of_criteria_init(&criteria);
	criteria.hidden = true;
	of_rules_init(&rules);
	of_state_collect(state, &criteria, &rules);
	state->listener = NULL;
	of_txn_begin(&txn, state, NULL);
	for (size_t i = 0; i < rules.v.n; i++) {
		rules.v.items[i]->flags &= (uint8_t)~OFPFF_SEND_FLOW_REM;
		of_txn_remove_rule(&txn, rules.v.items[i], OFPRR_DELETE);
	}
	of_txn_commit(&txn);
	state->listener = listener;
	of_rules_uninit(&rules);
}

void of_table_evict(struct of_state *state, uint8_t table_id)
{
	struct of_table *table = &state->tables[table_id];
	struct of_rule *victim;
	struct of_txn txn;

	if (table->n_flows <= table->flow_limit)
		return;
	of_txn_begin(&txn, state, NULL);
	while (table->n_flows > table->flow_limit && (victim = of_evict_choose(state, table_id)))
		of_txn_remove_rule(&txn, victim, OFPRR_EVICTION);
	of_txn_commit(&txn);
}
