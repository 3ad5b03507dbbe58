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
	uint32_t mask;
};

static inline void admission_init(struct admission *admission, uint32_t n)
{
	n = (uint32_t)round_up_pow2(n);
	admission->tags = memory_reserve(n * sizeof *admission->tags, true);
	admission->mask = n - 1;
}

static inline void admission_uninit(struct admission *admission)
{
	memory_release(admission->tags, ((size_t)admission->mask + 1) * sizeof *admission->tags);
}

static inline void admission_populate(struct admission *admission, uint32_t n)
{
	memory_populate(admission->tags,
		MIN(n, admission->mask + 1) * sizeof *admission->tags);
}

/* True if a key of HASH was seen lately; remembers it. */
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
