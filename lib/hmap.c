/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/hmap.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"

#define MIN_BUCKETS 4

struct hmap_node *hmap_no_buckets[1];

void hmap_init(struct hmap *map)
{
	*map = (struct hmap)HMAP_INITIALIZER;
}

void hmap_uninit(struct hmap *map)
{
	if (map->buckets != hmap_no_buckets)
		free(map->buckets);
	hmap_init(map);
}

static void resize(struct hmap *map, size_t n_buckets)
{
	struct hmap_node **buckets = xcalloc(n_buckets, sizeof(struct hmap_node *));

	for (size_t i = 0; i <= map->mask; i++)
		for (struct hmap_node *node = map->buckets[i], *next; node; node = next) {
			struct hmap_node **bucket = &buckets[node->hash & (n_buckets - 1)];

			next = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	if (map->buckets != hmap_no_buckets)
		free(map->buckets);
	map->buckets = buckets;
	map->mask = n_buckets - 1;
}

static size_t buckets_for(size_t n)
{
	return MAX(round_up_pow2(n), (uint64_t)MIN_BUCKETS);
}

void hmap_insert(struct hmap *map, struct hmap_node *node, uint32_t hash)
{
	size_t n_buckets = map->mask + 1;
	struct hmap_node **bucket;

	if (map->buckets == hmap_no_buckets || map->n >= n_buckets)
		resize(map, buckets_for(2 * map->n));
	else if (n_buckets > 64 && map->n < n_buckets / 16)
		resize(map, n_buckets / 4);
	bucket = &map->buckets[hash & map->mask];
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	map->n++;
}

static struct hmap_node **find_link(const struct hmap *map, const struct hmap_node *node)
{
	struct hmap_node **link = &map->buckets[node->hash & map->mask];

	while (*link && *link != node)
		link = &(*link)->next;
	return link;
}

void hmap_remove(struct hmap *map, struct hmap_node *node)
{
	struct hmap_node **link = find_link(map, node);

	if (!*link)
		fatal("hmap_remove of a stranger");
	*link = node->next;
	map->n--;
}

void *hmap_sorted(const struct hmap *map, size_t offset, int (*compare)(const void *, const void *))
{
	void **elements = xcalloc(map->n + 1, sizeof(void *));
	size_t n = 0;

	for (struct hmap_node *node = hmap_first(map); node; node = hmap_next(map, node))
		elements[n++] = (char *)node - offset;
	qsort(elements, n, sizeof(void *), compare);
	return elements;
}
