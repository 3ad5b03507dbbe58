/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Doorkeeper: remembers, roughly, which keys were seen lately. A key that asks for a place in a full
 * bucket gets it the second time. Two tags a slot, the newer in front. One thread.
 */

#include <stdint.h>

#include "datapath/cache/memory.h"
#include "lib/util.h"

struct admission {
	uint16_t (*tags)[2];
	uint32_t mask;		/* Slots in use - 1; ... */
	uint32_t max_mask;	/* ... that there are. */
};

/* N slots, growing to MAX. */
static inline void admission_init(struct admission *admission, uint32_t n, uint32_t max)
{
	admission->mask = (uint32_t)round_up_pow2(n) - 1;
	admission->max_mask = (uint32_t)round_up_pow2(MAX(n, max)) - 1;
	admission->tags = memory_reserve(((size_t)admission->max_mask + 1) * sizeof *admission->tags,
		true);
}

static inline void admission_uninit(struct admission *admission)
{
	memory_release(admission->tags,
		((size_t)admission->max_mask + 1) * sizeof *admission->tags);
}

/* What it remembers beyond the slots of before is as good as nothing. */
static inline void admission_grow(struct admission *admission, uint32_t n)
{
	admission->mask = MIN((uint32_t)round_up_pow2(n) - 1, admission->max_mask);
}

static inline void admission_populate(struct admission *admission, uint32_t n)
{
	memory_populate(admission->tags,
		((size_t)MIN(n, admission->max_mask) + 1) * sizeof *admission->tags);
}

/* Bytes in use. */
static inline size_t admission_memory(const struct admission *admission)
{
	return ((size_t)admission->mask + 1) * sizeof *admission->tags;
}

/* Inlined always: a call to a function that only asks for memory has no effect that the compiler knows
 * of, and may be left out. */
__attribute__((always_inline)) static inline void admission_prefetch(const struct admission *admission, uint64_t hash)
{
	__builtin_prefetch(admission->tags[(hash >> 16) & admission->mask]);
}

/* True if a key of HASH was seen lately. */
static inline bool admission_knows(const struct admission *admission, uint64_t hash)
{
	const uint16_t *tags = admission->tags[(hash >> 16) & admission->mask];
	uint16_t tag = (uint16_t)(hash >> 44) | 1;

	return tags[0] == tag || tags[1] == tag;
}

/* The same; and remembers it. */
static inline bool admission_seen(struct admission *admission, uint64_t hash)
{
	uint16_t *tags = admission->tags[(hash >> 16) & admission->mask];
	uint16_t tag = (uint16_t)(hash >> 44) | 1;

	if (tags[0] == tag || tags[1] == tag)
		return true;
	tags[1] = tags[0];
	tags[0] = tag;
	return false;
}
