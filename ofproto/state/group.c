/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/group.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"

/* ------------------------------------------------------------------ the table */

struct of_group *of_group_find(const struct of_state *state, uint32_t id)
{
	struct of_group *group;

	HMAP_FOR_EACH_WITH_HASH (group, node, hash_u32(id, 0), &state->groups)
		if (group->id == id)
			return group;
	return NULL;
}

void of_group_link(struct of_state *state, struct of_group *group)
{
	hmap_insert(&state->groups, &group->node, hash_u32(group->id, 0));
	state->n_groups[group->type]++;
}

void of_group_unlink(struct of_state *state, struct of_group *group)
{
	hmap_remove(&state->groups, &group->node);
	state->n_groups[group->type]--;
}

void of_group_publish(struct of_state *state, struct of_group *group)
{
	if (group->published)
		return;
	group->published = true;
	pl_group_set(state->bridge, group->pl);
}

void of_group_unpublish(struct of_state *state, struct of_group *group)
{
	if (pl_group_lookup(state->bridge, group->id))
		pl_group_remove(state->bridge, group->id);
}

void of_group_destroy(struct of_group *group)
{
	struct group_bucket *bucket;

	if (!group)
		return;
	VEC_FOR_EACH (bucket, &group->buckets)
		group_bucket_uninit(bucket);
	vec_uninit(&group->buckets);
	if (!group->published && group->pl)
		pl_group_destroy(group->pl);
	free(group);
}

static int group_compare(const void *a_, const void *b_)
{
	const struct of_group *a = *(struct of_group *const *)a_;
	const struct of_group *b = *(struct of_group *const *)b_;

	return a->id < b->id ? -1 : a->id > b->id;
}

struct of_group **of_groups_sorted(const struct of_state *state, size_t *n)
{
	*n = hmap_count(&state->groups);
	return hmap_sorted(&state->groups, offsetof(struct of_group, node), group_compare);
}

uint32_t of_group_n_refs(const struct of_state *state, const struct of_group *group)
{
	struct of_refs *refs = of_refs_find(&state->group_refs, group->id);

	return refs ? refs->n : 0;
}

/* ------------------------------------------------------------------ compiling */

static void bucket_compile(const struct group_bucket *bucket, struct pl_bucket *pl)
{
	pl->id = bucket->id;
	pl->weight = bucket->weight;
	pl->watch_port = bucket->watch_port;
	pl->watch_group = bucket->watch_group == OFP_GROUP_ANY ? UINT32_MAX : bucket->watch_group;
	pl->counter = counter_alloc();
	pl->acts_len = (uint32_t)bucket->acts.buf.len;
	pl->acts = pl->acts_len ? xmemdup(bucket->acts.buf.data, pl->acts_len) : NULL;
}

static struct pl_group *group_compile(const struct of_group *group)
{
	struct pl_group *pl = xcalloc(1, sizeof *pl);

	pl->id = group->id;
	pl->type = group->type;
	if (!strcmp(group->props.selection_method, "hash"))
		pl->selection = PL_SELECT_HASH;
	else if (!strcmp(group->props.selection_method, "dp_hash"))
		pl->selection = PL_SELECT_DP_HASH;
	else
		pl->selection = PL_SELECT_DEFAULT;
	pl->selection_param = group->props.selection_param;
	pl->fields_mask = group->props.fields_mask;
	pl->counter = counter_alloc();
	pl->n_buckets = (uint32_t)group->buckets.n;
	pl->buckets = xcalloc(pl->n_buckets, sizeof *pl->buckets);
	for (size_t i = 0; i < pl->n_buckets; i++)
		bucket_compile(&group->buckets.items[i], &pl->buckets[i]);
	return pl;
}

/* ------------------------------------------------------------------ buckets */

static int bucket_index(const struct of_group *group, uint32_t id)
{
	for (size_t i = 0; i < group->buckets.n; i++)
		if (group->buckets.items[i].id == id)
			return (int)i;
	return -1;
}

static void buckets_append(struct of_group *group, const struct group_bucket *buckets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		group_bucket_clone(vec_push_zero(&group->buckets), &buckets[i]);
}

static bool buckets_have_duplicate(const struct of_group *group)
{
	for (size_t i = 0; i < group->buckets.n; i++)
		if (bucket_index(group, group->buckets.items[i].id) != (int)i)
			return true;
	return false;
}

/* GROUP gets OLD's buckets with GM's put in at GM's place. */
static enum ofp_error buckets_insert(struct of_group *group, const struct of_group *old,
	const struct group_mod *gm)
{
	const struct group_bucket *items = old->buckets.items;
	size_t n_before = 0;
	int i;

	if (gm->command_bucket_id == OFP_BUCKET_LAST) {
		n_before = old->buckets.n;
	} else if (gm->command_bucket_id != OFP_BUCKET_FIRST) {
		i = bucket_index(old, gm->command_bucket_id);
		if (i < 0)
			return OFPGMFC_UNKNOWN_BUCKET;
		n_before = (size_t)i + 1;
	}
	buckets_append(group, items, n_before);
	buckets_append(group, gm->buckets.items, gm->buckets.n);
	buckets_append(group, items ? items + n_before : NULL, old->buckets.n - n_before);
	return buckets_have_duplicate(group) ? OFPGMFC_BUCKET_EXISTS : OFP_OK;
}

static enum ofp_error buckets_remove(struct of_group *group, const struct of_group *old,
	const struct group_mod *gm)
{
	const struct group_bucket *items = old->buckets.items;
	size_t skip;
	int i;

	if (gm->command_bucket_id == OFP_BUCKET_ALL)
		return OFP_OK;
	if (gm->command_bucket_id == OFP_BUCKET_FIRST) {
		skip = 0;
	} else if (gm->command_bucket_id == OFP_BUCKET_LAST) {
		skip = old->buckets.n - 1;
	} else {
		i = bucket_index(old, gm->command_bucket_id);
		if (i < 0)
			return OFPGMFC_UNKNOWN_BUCKET;
		skip = (size_t)i;
	}
	if (skip >= old->buckets.n)
		return OFP_OK;
	buckets_append(group, items, skip);
	buckets_append(group, items + skip + 1, old->buckets.n - skip - 1);
	return OFP_OK;
}

/* ------------------------------------------------------------------ chains */

static bool acts_reach_group(const struct of_state *state, const struct act *acts, size_t len,
	uint32_t id, unsigned int depth);

/* GROUP sends packets on to group ID, at any remove. Long chains count as reaching it. */
static bool group_reaches(const struct of_state *state, const struct of_group *group, uint32_t id,
	unsigned int depth)
{
	const struct group_bucket *bucket;

	if (!depth)
		return true;
	VEC_FOR_EACH (bucket, &group->buckets)
		if (acts_reach_group(state, (const struct act *)(const void *)bucket->acts.buf.data,
			bucket->acts.buf.len, id, depth))
			return true;
	return false;
}

static bool acts_reach_group(const struct of_state *state, const struct act *acts, size_t len,
	uint32_t id, unsigned int depth)
{
	const struct act *a;

	ACT_FOR_EACH(a, acts, len) {
		const struct act_nest *nest = (const struct act_nest *)a;
		const struct act_group *ag = (const struct act_group *)a;
		const struct of_group *next;

		if (a->type == ACT_CLONE &&
			acts_reach_group(state, nest->acts, act_nest_len(nest), id, depth))
			return true;
		if (a->type != ACT_GROUP)
			continue;
		if (ag->group_id == id)
			return true;
		next = of_group_find(state, ag->group_id);
		if (next && group_reaches(state, next, id, depth - 1))
			return true;
	}
	return false;
}

#define MAX_GROUP_CHAIN 32

/* ------------------------------------------------------------------ group_mod */

static struct of_group *group_create(const struct group_mod *gm)
{
	struct of_group *group = xcalloc(1, sizeof *group);

	group->id = gm->group_id;
	group->type = gm->type;
	group->props = gm->props;
	group->created_ms = group->modified_ms = clock_ms();
	return group;
}

static enum ofp_error group_check(const struct of_txn *txn, const struct of_group *old,
	const struct of_group *group)
{
	if (group->id > OFP_GROUP_MAX)
		return OFPGMFC_INVALID_GROUP;
	if (group->type > OFPGT_FF)
		return OFPGMFC_BAD_TYPE;
	if ((!old || old->type != group->type) &&
		txn->state->n_groups[group->type] >= OF_MAX_GROUPS)
		return OFPGMFC_OUT_OF_GROUPS;
	if (group_reaches(txn->state, group, group->id, MAX_GROUP_CHAIN))
		return OFPGMFC_LOOP;
	return OFP_OK;
}

/* GROUP is complete but for its compiled form: checks and stages it. Takes it over. */
static enum ofp_error group_stage(struct of_txn *txn, struct of_group *old, struct of_group *group)
{
	enum ofp_error error = group_check(txn, old, group);

	if (error) {
		of_group_destroy(group);
		return error;
	}
	if (old)
		group->created_ms = old->created_ms;
	group->pl = group_compile(group);
	of_txn_set_group(txn, old, group);
	return OFP_OK;
}

static enum ofp_error group_set(
	struct of_txn *txn, struct of_group *old, const struct group_mod *gm)
{
	struct of_group *group;

	if (gm->group_id > OFP_GROUP_MAX)
		return OFPGMFC_INVALID_GROUP;
	if (gm->type > OFPGT_FF)
		return OFPGMFC_BAD_TYPE;
	group = group_create(gm);
	buckets_append(group, gm->buckets.items, gm->buckets.n);
	return group_stage(txn, old, group);
}

/* The buckets of OLD that GROUP kept go on counting from where they are. */
static void buckets_keep_counts(const struct of_group *group, const struct of_group *old)
{
	dp_sweep();
	for (size_t i = 0; i < group->buckets.n; i++) {
		int j = bucket_index(old, group->buckets.items[i].id);
		struct counter_value value;

		if (j < 0)
			continue;
		value = counter_get(old->pl->buckets[j].counter);
		counter_add(group->pl->buckets[i].counter, value.packets, value.bytes, value.used_ms);
	}
}

/* Inserting or removing a bucket leaves type, properties and the other buckets' counts alone. */
static enum ofp_error group_change_buckets(struct of_txn *txn, struct of_group *old,
	const struct group_mod *gm)
{
	struct of_group *group = group_create(gm);
	enum ofp_error error;

	group->type = old->type;
	group->props = old->props;
	error = gm->command == OFPGC_INSERT_BUCKET ? buckets_insert(group, old, gm) :
		buckets_remove(group, old, gm);
	if (error) {
		of_group_destroy(group);
		return error;
	}
	error = group_stage(txn, old, group);
	if (!error)
		buckets_keep_counts(group, old);
	return error;
}

static void group_delete(struct of_txn *txn, struct of_group *group)
{
	struct of_refs *refs = of_refs_find(&txn->state->group_refs, group->id);

	while (refs && !list_is_empty(&refs->rules)) {
		struct of_ref *ref = LIST_TO(list_front(&refs->rules), struct of_ref, node);

		of_txn_remove_rule(txn, ref->rule, OFPRR_GROUP_DELETE);
	}
	of_txn_set_group(txn, group, NULL);
}

static void groups_delete(struct of_txn *txn, uint32_t id)
{
	struct of_group *group = of_group_find(txn->state, id);
	struct of_group **groups;
	size_t n;

	if (id != OFP_GROUP_ALL) {
		if (group)
			group_delete(txn, group);
		return;
	}
	groups = of_groups_sorted(txn->state, &n);
	for (size_t i = 0; i < n; i++)
		group_delete(txn, groups[i]);
	free(groups);
}

void of_group_to_mod(const struct of_group *group, struct group_mod *gm)
{
	group_mod_init(gm);
	gm->command = OFPGC_ADD;
	gm->group_id = group->id;
	gm->type = group->type;
	gm->props = group->props;
	gm->command_bucket_id = OFP_BUCKET_ALL;
	for (size_t i = 0; i < group->buckets.n; i++)
		group_bucket_clone(vec_push_zero(&gm->buckets), &group->buckets.items[i]);
}

/* GM asks for what GROUP is already. */
static bool group_is(const struct of_group *group, const struct group_mod *gm)
{
	struct sbuf a = SBUF_INITIALIZER, b = SBUF_INITIALIZER;
	struct group_mod mine;
	bool equal;

	of_group_to_mod(group, &mine);
	mine.command_bucket_id = gm->command_bucket_id;
	group_mod_encode(&mine, OFP15_VERSION, 0, &a);
	group_mod_encode(gm, OFP15_VERSION, 0, &b);
	equal = a.len == b.len && !memcmp(a.data, b.data, a.len);
	group_mod_uninit(&mine);
	sbuf_uninit(&a);
	sbuf_uninit(&b);
	return equal;
}

/* After a restart scripts that know nothing of snapshots add again what they saved. */
static enum ofp_error group_add(
	struct of_txn *txn, struct of_group *old, const struct group_mod *gm)
{
	if (!old)
		return group_set(txn, NULL, gm);
	return old->is_restored && group_is(old, gm) ? OFP_OK : OFPGMFC_GROUP_EXISTS;
}

enum ofp_error of_group_mod_start(struct of_txn *txn, const struct group_mod *gm)
{
	struct of_group *old = of_group_find(txn->state, gm->group_id);

	switch (gm->command) {
	case OFPGC_ADD:
		return group_add(txn, old, gm);
	case OFPGC_MODIFY:
		return old ? group_set(txn, old, gm) : OFPGMFC_UNKNOWN_GROUP;
	case OFPGC_ADD_OR_MOD:
		return group_set(txn, old, gm);
	case OFPGC_DELETE:
		groups_delete(txn, gm->group_id);
		return OFP_OK;
	case OFPGC_INSERT_BUCKET:
	case OFPGC_REMOVE_BUCKET:
		return old ? group_change_buckets(txn, old, gm) : OFPGMFC_UNKNOWN_GROUP;
	default:
		return OFPGMFC_BAD_COMMAND;
	}
}

enum ofp_error of_group_mod(struct of_state *state, const struct group_mod *gm,
	const struct of_requester *requester)
{
	enum ofp_error error;
	struct of_txn txn;

	of_txn_begin(&txn, state, requester);
	error = of_group_mod_start(&txn, gm);
	if (error || !txn.changes.n)
		of_txn_abort(&txn);
	else
		of_txn_commit(&txn);
	return error;
}

void of_groups_flush(struct of_state *state)
{
	struct of_txn txn;

	of_txn_begin(&txn, state, NULL);
	groups_delete(&txn, OFP_GROUP_ALL);
	of_txn_commit(&txn);
}
