/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/refs.h"

#include <stdlib.h>

#include "lib/fatal.h"
#include "lib/hash.h"
#include "ofproto/state/group.h"
#include "ofproto/state/meter.h"

/* The records nested in ACT, or NULL. */
static const struct act *act_nested(const struct act *act, size_t *len)
{
	if (act->type == ACT_CLONE || act->type == ACT_WRITE_ACTIONS) {
		const struct act_nest *nest = (const struct act_nest *)act;

		*len = act_nest_len(nest);
		return nest->acts;
	}
	if (act->type == ACT_CT) {
		const struct act_ct *ct = (const struct act_ct *)act;

		*len = act->len - sizeof *ct;
		return ct->acts;
	}
	return NULL;
}

enum ofp_error of_acts_check(const struct of_state *state, const struct act *acts, size_t len)
{
	const struct act *a, *nested;
	enum ofp_error error;
	size_t nested_len;

	ACT_FOR_EACH(a, acts, len) {
		if (a->type == ACT_GROUP) {
			uint32_t id = ((const struct act_group *)a)->group_id;

			if (!of_group_find(state, id))
				return OFPBAC_BAD_OUT_GROUP;
		} else if (a->type == ACT_METER) {
			if (!of_meter_find(state, ((const struct act_u32 *)a)->value))
				return OFPMMFC_INVALID_METER;
		} else if ((nested = act_nested(a, &nested_len))) {
			error = of_acts_check(state, nested, nested_len);
			if (error)
				return error;
		}
	}
	return OFP_OK;
}

struct of_refs *of_refs_find(const struct hmap *map, uint32_t id)
{
	struct of_refs *refs;

	HMAP_FOR_EACH_WITH_HASH (refs, node, hash_u32(id, 0), map)
		if (refs->id == id)
			return refs;
	return NULL;
}

static struct of_refs *refs_get(struct hmap *map, uint32_t id)
{
	struct of_refs *refs = of_refs_find(map, id);

	if (!refs) {
		refs = xcalloc(1, sizeof *refs);
		refs->id = id;
		list_init(&refs->rules);
		hmap_insert(map, &refs->node, hash_u32(id, 0));
	}
	return refs;
}

/* Mentions in a list: counted, then entered into RULE's array. A rule refers to a group each time that it mentions
 * it, but has a meter or has it not, as Open vSwitch counts. */
struct refs_walk {
	struct of_state *state;
	struct of_rule *rule;
	size_t n;
};

static void refs_enter(struct refs_walk *walk, struct hmap *map, uint32_t id)
{
	struct of_rule *rule = walk->rule;
	struct of_refs *target;
	struct of_ref *ref;

	if (!rule->refs) {
		walk->n++;
		return;
	}
	target = refs_get(map, id);
	for (size_t i = 0; map == &walk->state->meter_refs && i < rule->n_refs; i++)
		if (rule->refs[i].target == target)
			return;
	ref = &rule->refs[rule->n_refs++];
	ref->target = target;
	ref->rule = rule;
	list_push_back(&target->rules, &ref->node);
	target->n++;
}

static void refs_walk(struct refs_walk *walk, const struct act *acts, size_t len)
{
	const struct act *a, *nested;
	size_t nested_len;

	ACT_FOR_EACH(a, acts, len) {
		if (a->type == ACT_GROUP)
			refs_enter(walk, &walk->state->group_refs,
				((const struct act_group *)a)->group_id);
		else if (a->type == ACT_METER)
			refs_enter(walk, &walk->state->meter_refs,
				((const struct act_u32 *)a)->value);
		else if ((nested = act_nested(a, &nested_len)))
			refs_walk(walk, nested, nested_len);
	}
}

void of_refs_link(struct of_state *state, struct of_rule *rule)
{
	const struct pl_actions *actions = of_rule_actions(rule);
	struct refs_walk walk = { .state = state, .rule = rule };

	refs_walk(&walk, actions->acts, actions->len);
	if (!walk.n || walk.n > UINT16_MAX)
		return;
	rule->refs = xcalloc(walk.n, sizeof *rule->refs);
	refs_walk(&walk, actions->acts, actions->len);
}

void of_refs_unlink(struct of_state *state, struct of_rule *rule)
{
	for (size_t i = 0; i < rule->n_refs; i++) {
		struct of_refs *target = rule->refs[i].target;

		list_remove(&rule->refs[i].node);
		/* Empty sets stay: the groups and meters they belong to mostly do, too. */
		target->n--;
	}
	free(rule->refs);
	rule->refs = NULL;
	rule->n_refs = 0;
}

void of_refs_uninit(struct hmap *map)
{
	struct of_refs *refs;

	HMAP_FOR_EACH_POP (refs, node, map)
		free(refs);
	hmap_uninit(map);
}
