/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Map from string to pointer. It owns copies of the names, never the data. One thread at a time.
 */

#include "lib/hmap.h"

struct shash_node {
	struct hmap_node node;
	void *data;
	char name[];
};

struct shash {
	struct hmap map;
};

#define SHASH_INITIALIZER                                                                          \
	{                                                                                          \
		HMAP_INITIALIZER                                                                   \
	}

void shash_init(struct shash *sh);
void shash_uninit(struct shash *sh);

/* Also calls free() on each data pointer. */
void shash_uninit_free_data(struct shash *sh);
void shash_clear(struct shash *sh);

/* Sets NAME to DATA; returns the data it had before, or NULL. */
void *shash_put(struct shash *sh, const char *name, void *data);

/* Adds NAME unless it is there already: then returns false. */
bool shash_add_once(struct shash *sh, const char *name, void *data);

struct shash_node *shash_find(const struct shash *sh, const char *name);

/* Data of NAME, or NULL. */
void *shash_get(const struct shash *sh, const char *name);

/* Removes NAME and returns its data, NULL if it wasn't there. */
void *shash_remove(struct shash *sh, const char *name);

/* Removes and frees NODE; returns its data. */
void *shash_delete(struct shash *sh, struct shash_node *node);

/* The nodes in the order of strcmp on names: an array of shash_count() pointers to free(). */
struct shash_node **shash_sort(const struct shash *sh);

static inline size_t shash_count(const struct shash *sh)
{
	return hmap_count(&sh->map);
}

static inline bool shash_is_empty(const struct shash *sh)
{
	return hmap_is_empty(&sh->map);
}

/* VAR is a struct shash_node *. */
#define SHASH_FOR_EACH(VAR, SHASH) HMAP_FOR_EACH (VAR, node, &(SHASH)->map)
/* The body may shash_delete(VAR). */
#define SHASH_FOR_EACH_SAFE(VAR, SHASH) HMAP_FOR_EACH_SAFE (VAR, node, &(SHASH)->map)
