/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/smap.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/fatal.h"
#include "lib/hash.h"

void smap_init(struct smap *smap)
{
	hmap_init(&smap->map);
}

static void delete (struct smap *smap, struct smap_node *node)
{
	hmap_remove(&smap->map, &node->node);
	free(node->key);
	free(node->value);
	free(node);
}

void smap_clear(struct smap *smap)
{
	struct smap_node *node;

	HMAP_FOR_EACH_SAFE (node, node, &smap->map)
		delete (smap, node);
}

void smap_uninit(struct smap *smap)
{
	smap_clear(smap);
	hmap_uninit(&smap->map);
}

void smap_clone(struct smap *dst, const struct smap *src)
{
	struct smap_node *node;

	smap_init(dst);
	SMAP_FOR_EACH (node, src)
		smap_set(dst, node->key, node->value);
}

struct smap_node *smap_get_node(const struct smap *smap, const char *key)
{
	struct smap_node *node;

	HMAP_FOR_EACH_WITH_HASH (node, node, hash_string(key, 0), &smap->map)
		if (!strcmp(node->key, key))
			return node;
	return NULL;
}

/* Takes over VALUE. */
static void set_owned(struct smap *smap, const char *key, char *value)
{
	struct smap_node *node = smap_get_node(smap, key);

	if (node) {
		free(node->value);
	} else {
		node = xmalloc(sizeof(*node));
		node->key = xstrdup(key);
		hmap_insert(&smap->map, &node->node, hash_string(key, 0));
	}
	node->value = value;
}

void smap_set(struct smap *smap, const char *key, const char *value)
{
	set_owned(smap, key, xstrdup(value));
}

void smap_setf(struct smap *smap, const char *key, const char *format, ...)
{
	va_list args;
	char *value;

	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	set_owned(smap, key, value);
}

bool smap_remove(struct smap *smap, const char *key)
{
	struct smap_node *node = smap_get_node(smap, key);

	if (node)
		delete (smap, node);
	return node != NULL;
}

const char *smap_get_def(const struct smap *smap, const char *key, const char *def)
{
	struct smap_node *node = smap_get_node(smap, key);

	return node ? node->value : def;
}

const char *smap_get(const struct smap *smap, const char *key)
{
	return smap_get_def(smap, key, NULL);
}

bool smap_get_bool(const struct smap *smap, const char *key, bool def)
{
	const char *value = smap_get_def(smap, key, "");

	return def ? strcasecmp(value, "false") != 0 : strcasecmp(value, "true") == 0;
}

unsigned int smap_get_uint(const struct smap *smap, const char *key, unsigned int def)
{
	uint64_t value = def;

	parse_u64(smap_get_def(smap, key, ""), 0, UINT_MAX, &value);
	return (unsigned int)value;
}

bool smap_equal(const struct smap *a, const struct smap *b)
{
	struct smap_node *node;

	if (smap_count(a) != smap_count(b))
		return false;
	SMAP_FOR_EACH(node, a)
	{
		const char *value = smap_get(b, node->key);

		if (!value || strcmp(value, node->value))
			return false;
	}
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct smap_node *const *na = a, *const *nb = b;

	return strcmp((*na)->key, (*nb)->key);
}

const struct smap_node **smap_sort(const struct smap *smap)
{
	return hmap_sorted(&smap->map, offsetof(struct smap_node, node), compare_keys);
}
