/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counter ids: everything that counts packets or is kept alive by them (rules, table misses, group
 * buckets, mirrors, patch and tunnel ports, FDB entries, learned rules) owns an id. Translation lists
 * the ids a packet touches; the PMD counts the path; control adds the path's growth to each id when
 * it sweeps. Nothing on the packet path touches a rule's memory.
 *
 * An entry that changes its meaning (a MAC that moves) takes a new id, so that a stale path counts
 * for nothing.
 *
 * Retirement: counter_free() promises that no new lookup finds the id. A path that was being made just
 * then may still take a reference, so the id is reused only when it has none and two full sweeps have
 * passed since: counter_reclaim() with a generation two higher.
 *
 * Threads: control only, but counter_ref() and counter_unref(): any. Counters lie in chunks that
 * never move.
 */

#include "lib/types.h"

#define COUNTER_NONE 0u

struct counter_value {
	uint64_t packets;
	uint64_t bytes;
	int64_t used_ms;	/* clock_ms() of the last packet; 0 never. */
};

uint32_t counter_alloc(void);
/* Starts ID's retirement. COUNTER_NONE is ignored. */
void counter_free(uint32_t id);
void counter_add(uint32_t id, uint64_t packets, uint64_t bytes, int64_t used_ms);
/* As of the last sweep. */
struct counter_value counter_get(uint32_t id);
/* Ids allocated and not yet free again. */
uint32_t counter_n_used(void);

/* For the datapath: path references (see datapath/cache/path.h), and freeing of retired ids that no
 * path names any more. GENERATION is a number the datapath advances when a full sweep of all paths,
 * with a grace period in it, has passed. */
void counter_ref(uint32_t id);
void counter_unref(uint32_t id);
void counter_reclaim(uint64_t generation);
