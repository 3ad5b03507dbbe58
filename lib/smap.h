/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Map from string to string, as the database has them (other_config, options, external_ids). It
 * owns copies of keys and values. One thread at a time.
 */

#include "lib/hmap.h"

struct smap_node {
	struct hmap_node node;
	char *key;
	char *value;
};

struct smap {
	struct hmap map;
};

#define SMAP_INITIALIZER                                                                           \
	{                                                                                          \
		HMAP_INITIALIZER                                                                   \
	}

void smap_init(struct smap *smap);
void smap_uninit(struct smap *smap);
void smap_clear(struct smap *smap);
void smap_clone(struct smap *dst, const struct smap *src);

/* Sets KEY to VALUE, in place of any value it had. */
void smap_set(struct smap *smap, const char *key, const char *value);
void smap_setf(struct smap *smap, const char *key, const char *format, ...) PRINTF_FORMAT(3, 4);

/* Returns true if KEY was there. */
bool smap_remove(struct smap *smap, const char *key);

struct smap_node *smap_get_node(const struct smap *smap, const char *key);

/* Value of KEY, or NULL; with _def, DEF in place of NULL. */
const char *smap_get(const struct smap *smap, const char *key);
const char *smap_get_def(const struct smap *smap, const char *key, const char *def);

/* "true" or "false" without regard to case, anything else is DEF. */
bool smap_get_bool(const struct smap *smap, const char *key, bool def);

/* A number that can't be parsed is DEF. */
unsigned int smap_get_uint(const struct smap *smap, const char *key, unsigned int def);

bool smap_equal(const struct smap *a, const struct smap *b);

/* Nodes in the order of strcmp on keys: an array of smap_count() pointers to free(). */
const struct smap_node **smap_sort(const struct smap *smap);

static inline size_t smap_count(const struct smap *smap)
{
	return hmap_count(&smap->map);
}

static inline bool smap_is_empty(const struct smap *smap)
{
	return hmap_is_empty(&smap->map);
}

/* VAR is a struct smap_node *. */
#define SMAP_FOR_EACH(VAR, SMAP) HMAP_FOR_EACH (VAR, node, &(SMAP)->map)
