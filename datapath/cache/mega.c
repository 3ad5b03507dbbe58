/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/mega.h"

#include <string.h>

/* A new mask takes the place of one that was used less than so often a second. */
#define USELESS 64

static void class_init(struct mega_class *class, unsigned int max, unsigned int stride,
	uint32_t entries)
{
	class->max = max;
	class->stride = stride;
	class->all = xaligned_calloc(64, max * sizeof *class->all);
	for (unsigned int i = 0; i < max; i++) {
		class->masks[i] = &class->all[i];
		exact_init(&class->masks[i]->table, entries, entries, stride);
	}
}

void mega_init(struct mega *mega)
{
	memset(mega, 0, sizeof *mega);
	class_init(&mega->classes[0], MEGA_K64_MASKS, 8, MEGA_ENTRIES);
	class_init(&mega->classes[1], MEGA_K128_MASKS, 16, MEGA_ENTRIES / 4);
}

void mega_uninit(struct mega *mega)
{
	for (unsigned int c = 0; c < ARRAY_SIZE(mega->classes); c++) {
		for (unsigned int i = 0; i < mega->classes[c].max; i++)
			exact_uninit(&mega->classes[c].all[i].table);
		free(mega->classes[c].all);
	}
}

static struct mega_class *class_of(struct mega *mega, const struct flow_key *key)
{
	unsigned int class = flow_key_class(key);

	return class < ARRAY_SIZE(mega->classes) ? &mega->classes[class] : NULL;
}

static void class_tick(struct mega_class *class)
{
	for (unsigned int i = 0; i < class->n; i++) {
		struct mega_mask *mask = class->masks[i];
		unsigned int j = i;

		exact_tick(&mask->table);
		mask->use = mask->use / 2 + mask->hits;
		mask->hits = 0;
		for (; j && class->masks[j - 1]->use < mask->use; j--)
			class->masks[j] = class->masks[j - 1];
		class->masks[j] = mask;
	}
}

void mega_tick(struct mega *mega)
{
	for (unsigned int c = 0; c < ARRAY_SIZE(mega->classes); c++)
		class_tick(&mega->classes[c]);
}

bool mega_wants(const struct mega *mega)
{
	return !mega->n_resting;
}

static void end_window(struct mega *mega)
{
	if (mega->n_resting) {
		mega->n_resting--;
	} else if (mega->n_found >= MEGA_WINDOW / MEGA_WORTH) {
		mega->rest = 0;
	} else {
		mega->rest = mega->rest ? MIN(2 * mega->rest, (uint32_t)MEGA_REST_MAX) : MEGA_REST;
		mega->n_resting = mega->rest;
	}
	mega->n_asked = mega->n_found = 0;
}

bool mega_ask(struct mega *mega, unsigned int n)
{
	mega->n_asked += n;
	if (unlikely(mega->n_asked >= MEGA_WINDOW))
		end_window(mega);
	return mega_wants(mega);
}

static bool find(struct exact *table, const struct flow_key *masked, unsigned int n_words,
	unsigned int stride, struct exact_ref *ref)
{
	uint64_t hash = flow_key_hash(masked, 0);
	const uint64_t *entry;

	if (exact_lookup(table, hash, masked->w, n_words, stride, ref))
		return true;
	if (likely(!exact_may_be_elsewhere(table, hash)))
		return false;
	entry = exact_find_elsewhere(table, hash, masked->w, n_words);
	if (entry)
		*ref = exact_entry_ref(entry, stride);
	return entry != NULL;
}

struct path *mega_lookup(struct mega *mega, struct path *paths, uint32_t seq,
	const struct flow_key *key, const struct flow_key **bits, struct exact_ref *ref,
	uint64_t *n_asked)
{
	struct mega_class *class = class_of(mega, key);
	unsigned int n_words = class ? class->stride - 1 : 0;

	for (unsigned int i = 0; class && i < class->n; i++) {
		struct mega_mask *mask = class->masks[i];
		struct flow_key masked;
		struct path *path;

		(*n_asked)++;
		flow_key_and(&masked, key, &mask->bits);
		if (!find(&mask->table, &masked, n_words, class->stride, ref))
			continue;
		path = &paths[ref->slot];
		if (path_generation(path) != ref->generation || !path_is_valid(path, seq))
			continue;
		mask->hits++;
		mega->n_found++;
		*bits = &mask->bits;
		return path;
	}
	return NULL;
}

static struct mega_mask *find_mask(struct mega_class *class, const struct flow_key *bits)
{
	for (unsigned int i = 0; i < class->n; i++)
		if (!memcmp(class->masks[i]->bits.w, bits->w, (class->stride - 1) * 8))
			return class->masks[i];
	return NULL;
}

/* A table for BITS, or NULL if all masks are useful. */
static struct mega_mask *take_mask(struct mega_class *class, const struct flow_key *bits)
{
	struct mega_mask *mask;

	if (class->n < class->max) {
		mask = class->masks[class->n++];
	} else {
		mask = class->masks[class->n - 1];
		if (mask->use + mask->hits >= USELESS)
			return NULL;
		exact_clear(&mask->table);
	}
	mask->bits = *bits;
	/* It may prove itself until the next tick but one. */
	mask->use = USELESS;
	mask->hits = 0;
	return mask;
}

void mega_insert(struct mega *mega, struct path *paths, const struct flow_key *key,
	const struct flow_key *bits, struct exact_ref ref)
{
	struct mega_class *class = class_of(mega, key);
	struct mega_mask *mask;
	struct flow_key masked;

	if (!class || !mega_wants(mega))
		return;
	mask = find_mask(class, bits);
	if (!mask)
		mask = take_mask(class, bits);
	if (!mask)
		return;
	flow_key_and(&masked, key, bits);
	exact_insert(&mask->table, paths, flow_key_hash(&masked, 0), masked.w, class->stride - 1, ref);
}

bool mega_populate(struct mega *mega, unsigned int i)
{
	for (unsigned int c = 0; c < ARRAY_SIZE(mega->classes); c++) {
		if (i < mega->classes[c].max) {
			struct exact *table = &mega->classes[c].all[i].table;

			exact_populate(table, table->max_mask);
			return true;
		}
		i -= mega->classes[c].max;
	}
	return false;
}

size_t mega_memory(const struct mega *mega)
{
	size_t n = 0;

	for (unsigned int c = 0; c < ARRAY_SIZE(mega->classes); c++)
		for (unsigned int i = 0; i < mega->classes[c].n; i++)
			n += exact_memory(&mega->classes[c].masks[i]->table);
	return n;
}
