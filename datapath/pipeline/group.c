/* SPDX-License-Identifier: Apache-2.0 */

/* Groups of a bridge, replaced whole. */

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/fatal.h"
#include "lib/hash.h"

static struct pl_group *find(const struct pl_bridge *bridge, uint32_t id)
{
	struct pl_group *group;

	CMAP_FOR_EACH_WITH_HASH (group, node, hash_u32(id, 0), &bridge->groups)
		if (group->id == id)
			return group;
	return NULL;
}

const struct pl_group *pl_group_lookup(const struct pl_bridge *bridge, uint32_t id)
{
	return find(bridge, id);
}

static void free_group(void *group_)
{
	struct pl_group *group = group_;

	for (uint32_t i = 0; i < group->n_buckets; i++)
		free(group->buckets[i].acts);
	free(group->buckets);
	free(group);
}

void pl_group_destroy(struct pl_group *group)
{
	if (!group)
		return;
	counter_free(group->counter);
	for (uint32_t i = 0; i < group->n_buckets; i++)
		counter_free(group->buckets[i].counter);
	free_group(group);
}

static bool names_counter(const struct pl_group *group, uint32_t id)
{
	if (!group)
		return false;
	if (group->counter == id)
		return true;
	for (uint32_t i = 0; i < group->n_buckets; i++)
		if (group->buckets[i].counter == id)
			return true;
	return false;
}

/* Gives OLD's counters back but for those that SUCCESSOR (NULL: none) uses on, and OLD after a grace
 * period. The ids' own retirement waits for readers too. */
static void retire(struct pl_group *old, const struct pl_group *successor)
{
	if (!names_counter(successor, old->counter))
		counter_free(old->counter);
	for (uint32_t i = 0; i < old->n_buckets; i++)
		if (!names_counter(successor, old->buckets[i].counter))
			counter_free(old->buckets[i].counter);
	rcu_defer(free_group, old);
}

void pl_group_set(struct pl_bridge *bridge, struct pl_group *group)
{
	struct pl_group *old = find(bridge, group->id);

	if (group->counter == COUNTER_NONE)
		group->counter = counter_alloc();
	for (uint32_t i = 0; i < group->n_buckets; i++)
		if (group->buckets[i].counter == COUNTER_NONE)
			group->buckets[i].counter = counter_alloc();
	if (old) {
		cmap_replace(&bridge->groups, &old->node, &group->node);
		retire(old, group);
	} else {
		cmap_insert(&bridge->groups, &group->node, hash_u32(group->id, 0));
	}
	dep_bump(dep_group(bridge->id, group->id));
}

void pl_group_remove(struct pl_bridge *bridge, uint32_t id)
{
	struct pl_group *group = find(bridge, id);

	if (!group)
		return;
	cmap_remove(&bridge->groups, &group->node);
	retire(group, NULL);
	dep_bump(dep_group(bridge->id, id));
}
