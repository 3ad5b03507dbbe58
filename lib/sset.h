/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Set of strings, which it copies. One thread at a time.
 */

#include "lib/shash.h"

struct sset {
	struct shash names;
};

#define SSET_INITIALIZER                                                                           \
	{                                                                                          \
		SHASH_INITIALIZER                                                                  \
	}

void sset_init(struct sset *set);
void sset_uninit(struct sset *set);

/* Returns true if NAME was not there before. */
bool sset_add(struct sset *set, const char *name);

/* Returns true if NAME was there. */
bool sset_remove(struct sset *set, const char *name);
bool sset_contains(const struct sset *set, const char *name);
bool sset_equals(const struct sset *a, const struct sset *b);

static inline size_t sset_count(const struct sset *set)
{
	return shash_count(&set->names);
}

static inline bool sset_is_empty(const struct sset *set)
{
	return shash_is_empty(&set->names);
}

/* NODE is a struct shash_node *, the string is NODE->name. */
#define SSET_FOR_EACH(NODE, SET) SHASH_FOR_EACH(NODE, &(SET)->names)
