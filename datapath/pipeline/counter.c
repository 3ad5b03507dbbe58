/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/counter.h"

#include <stdatomic.h>

#include "lib/fatal.h"
#include "lib/rcu.h"
#include "lib/vec.h"

#define CHUNK_BITS 12
#define CHUNK_LEN (1u << CHUNK_BITS)
#define N_CHUNKS 16384

struct counter {
	struct counter_value value;
	_Atomic uint32_t refs;
};

struct retired {
	uint32_t id;
	uint64_t generation;	/* That was current when it was freed. */
};

static RCU(struct counter *) chunks[N_CHUNKS];
static uint32_t limit = COUNTER_NONE + 1;	/* Highest id ever allocated + 1. */
static uint64_t generation_now;
static VEC(uint32_t) free_ids;
static VEC(struct retired) retired;

static struct counter *counter_at(uint32_t id)
{
	return &rcu_get(&chunks[id >> CHUNK_BITS])[id & (CHUNK_LEN - 1)];
}

static uint32_t new_id(void)
{
	uint32_t id = limit;
	_Atomic(struct counter *) *chunk;

	if (id >> CHUNK_BITS >= N_CHUNKS)
		fatal("out of counter ids");
	chunk = &chunks[id >> CHUNK_BITS];
	if (!rcu_get_protected(chunk))
		rcu_set(chunk, xaligned_calloc(64, CHUNK_LEN * sizeof(struct counter)));
	return limit++;
}

uint32_t counter_alloc(void)
{
	uint32_t id = free_ids.n ? vec_pop(&free_ids) : new_id();

	counter_at(id)->value = (struct counter_value){0};
	return id;
}

void counter_free(uint32_t id)
{
	if (id != COUNTER_NONE)
		vec_push(&retired, (struct retired){id, generation_now});
}

void counter_add(uint32_t id, uint64_t packets, uint64_t bytes, int64_t used_ms)
{
	struct counter_value *value;

	if (id == COUNTER_NONE)
		return;
	value = &counter_at(id)->value;
	value->packets += packets;
	value->bytes += bytes;
	if (used_ms > value->used_ms)
		value->used_ms = used_ms;
}

struct counter_value counter_get(uint32_t id)
{
	return id == COUNTER_NONE ? (struct counter_value){0} : counter_at(id)->value;
}

uint32_t counter_n_used(void)
{
	return limit - (COUNTER_NONE + 1) - (uint32_t)free_ids.n;
}

void counter_ref(uint32_t id)
{
	if (id != COUNTER_NONE)
		atomic_fetch_add_explicit(&counter_at(id)->refs, 1, memory_order_relaxed);
}

void counter_unref(uint32_t id)
{
	if (id != COUNTER_NONE)
		atomic_fetch_sub_explicit(&counter_at(id)->refs, 1, memory_order_release);
}

void counter_reclaim(uint64_t generation)
{
	size_t kept = 0;

	generation_now = generation;
	for (size_t i = 0; i < retired.n; i++) {
		struct retired r = retired.items[i];

		if (generation - r.generation >= 2 &&
			!atomic_load_explicit(&counter_at(r.id)->refs, memory_order_acquire))
			vec_push(&free_ids, r.id);
		else
			retired.items[kept++] = r;
	}
	retired.n = kept;
}
