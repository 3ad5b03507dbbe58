/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/shash.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/hash.h"

void shash_init(struct shash *sh)
{
	hmap_init(&sh->map);
}

void shash_clear(struct shash *sh)
{
	struct shash_node *node;

	SHASH_FOR_EACH_SAFE (node, sh)
		shash_delete(sh, node);
}

void shash_uninit(struct shash *sh)
{
	shash_clear(sh);
	hmap_uninit(&sh->map);
}

void shash_uninit_free_data(struct shash *sh)
{
	struct shash_node *node;

	SHASH_FOR_EACH_SAFE (node, sh)
		free(shash_delete(sh, node));
	hmap_uninit(&sh->map);
}

static struct shash_node *find(const struct shash *sh, const char *name, uint32_t hash)
{
	struct shash_node *node;

	HMAP_FOR_EACH_WITH_HASH (node, node, hash, &sh->map)
		if (!strcmp(node->name, name))
			return node;
	return NULL;
}

static void add(struct shash *sh, const char *name, void *data, uint32_t hash)
{
	size_t size = strlen(name) + 1;
	struct shash_node *node = xmalloc(sizeof(*node) + size);

	node->data = data;
	memcpy(node->name, name, size);
	hmap_insert(&sh->map, &node->node, hash);
}

void *shash_put(struct shash *sh, const char *name, void *data)
{
	uint32_t hash = hash_string(name, 0);
	struct shash_node *node = find(sh, name, hash);
	void *old;

	if (!node) {
		add(sh, name, data, hash);
		return NULL;
	}
	old = node->data;
	node->data = data;
	return old;
}

bool shash_add_once(struct shash *sh, const char *name, void *data)
{
	uint32_t hash = hash_string(name, 0);

	if (find(sh, name, hash))
		return false;
	add(sh, name, data, hash);
	return true;
}

struct shash_node *shash_find(const struct shash *sh, const char *name)
{
	return find(sh, name, hash_string(name, 0));
}

void *shash_get(const struct shash *sh, const char *name)
{
	struct shash_node *node = shash_find(sh, name);

	return node ? node->data : NULL;
}

void *shash_delete(struct shash *sh, struct shash_node *node)
{
	void *data = node->data;

	hmap_remove(&sh->map, &node->node);
	free(node);
	return data;
}

void *shash_remove(struct shash *sh, const char *name)
{
	struct shash_node *node = shash_find(sh, name);

	return node ? shash_delete(sh, node) : NULL;
}

static int compare_names(const void *a, const void *b)
{
	const struct shash_node *const *na = a, *const *nb = b;

	return strcmp((*na)->name, (*nb)->name);
}

struct shash_node **shash_sort(const struct shash *sh)
{
	return hmap_sorted(&sh->map, offsetof(struct shash_node, node), compare_names);
}
