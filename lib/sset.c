/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/sset.h"

#include <stdlib.h>

#include "lib/fatal.h"

void sset_init(struct sset *set)
{
	shash_init(&set->names);
}

void sset_uninit(struct sset *set)
{
	shash_uninit(&set->names);
}

void sset_clone(struct sset *dst, const struct sset *src)
{
	struct shash_node *node;

	sset_init(dst);
	SSET_FOR_EACH(node, src)
	sset_add(dst, node->name);
}

bool sset_add(struct sset *set, const char *name)
{
	return shash_add_once(&set->names, name, NULL);
}

bool sset_remove(struct sset *set, const char *name)
{
	struct shash_node *node = shash_find(&set->names, name);

	if (node)
		shash_delete(&set->names, node);
	return node != NULL;
}

bool sset_contains(const struct sset *set, const char *name)
{
	return shash_find(&set->names, name) != NULL;
}

bool sset_equals(const struct sset *a, const struct sset *b)
{
	struct shash_node *node;

	if (sset_count(a) != sset_count(b))
		return false;
	SSET_FOR_EACH(node, a)
	if (!sset_contains(b, node->name))
		return false;
	return true;
}

const char **sset_sort(const struct sset *set)
{
	struct shash_node **nodes = shash_sort(&set->names);
	const char **names = xcalloc(sset_count(set) + 1, sizeof(char *));

	for (size_t i = 0; i < sset_count(set); i++)
		names[i] = nodes[i]->name;
	free(nodes);
	return names;
}
