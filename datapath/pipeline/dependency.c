/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/dependency.h"

struct dependency dependency;

/* Sequence numbers are compared modulo 2^32. */
static bool is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/*
 * Wraps. A counter that is not bumped for 2^31 changes would look newer than the paths that depend on
 * it. So every bump also looks at one other counter in turn and draws it up to 2^30 behind if it is
 * further away; each is met once in 65536 bumps. Likewise a path's stamp must not grow older than
 * 2^30: a sweep that calls dep_is_valid() once in a while and stores the new stamp sees to that.
 */
static void refresh_one(uint32_t seq)
{
	static uint16_t next;
	_Atomic uint32_t *counter = &dependency.counter[next++];
	uint32_t oldest = seq - (1u << 30);

	if (is_after(oldest, atomic_load_explicit(counter, memory_order_relaxed)))
		atomic_store_explicit(counter, oldest, memory_order_relaxed);
}

static bool in_batch, batch_has_bumps;

static void publish(uint32_t seq)
{
	/* A reader that sees the new sequence number sees the counter too, and what was published
	 * before it. */
	atomic_store_explicit(&dependency.seq, seq, memory_order_release);
}

void dep_bump(uint16_t id)
{
	uint32_t seq = atomic_load_explicit(&dependency.seq, memory_order_relaxed) + 1;

	/* In a batch the counter is ahead of the sequence number for a while: paths made meanwhile are not
	 * valid for long, which is right, as they may know the change or not. */
	atomic_store_explicit(&dependency.counter[id], seq, memory_order_release);
	if (in_batch)
		batch_has_bumps = true;
	else
		publish(seq);
	refresh_one(seq);
}

void dep_batch_begin(void)
{
	in_batch = true;
	batch_has_bumps = false;
}

void dep_batch_end(void)
{
	in_batch = false;
	if (batch_has_bumps)
		publish(atomic_load_explicit(&dependency.seq, memory_order_relaxed) + 1);
}

bool dep_is_valid(uint32_t seq, const uint16_t *ids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (is_after(atomic_load_explicit(&dependency.counter[ids[i]], memory_order_acquire),
			seq))
			return false;
	return true;
}
