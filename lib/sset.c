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
	SSET_FOR_EACH (node, a)
		if (!sset_contains(b, node->name))
			return false;
	return true;
}
