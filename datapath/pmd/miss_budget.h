/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much of a PMD's time may go into misses, so that whoever sends packets of ever new flows does not
 * take it from those whose flows are known.
 *
 * While the PMD keeps up with its queues there is no limit: no miss is dropped. It does not keep up when
 * turn after turn some queue gives a full burst, for some milliseconds. Then misses are limited, a little
 * more in each window of a millisecond, down to a share of the time that is theirs in any case:
 * MISS_BUDGET_FLOOR per cent; MISS_BUDGET_MOVING for some seconds after a cache has grown, when all its keys miss once,
 * which is no fault of theirs; more where hardly any packet hits, all of it where none does, as nobody
 * would gain by a drop. Once the queues run empty the limit goes up again, and away.
 *
 * Input ports with misses get equal parts of what is allowed; what is left over may be used by all in the
 * next MISS_BUDGET_SAVED windows. Flows that come again (admission.h) may have it all; those never seen before only
 * MISS_BUDGET_NEW of it; and MISS_BUDGET_FLOOD where of MISS_BUDGET_COME_AGAIN of them not even one comes again.
 *
 * Words: `credit`: cycles that a port may still spend on misses.
 *
 * Threads: its PMD only.
 */

#include <stdbool.h>
#include <stdint.h>

#define MISS_BUDGET_WINDOW_US 1000
#define MISS_BUDGET_PATIENCE 4		/* Windows with full bursts only, before there is a limit. */
#define MISS_BUDGET_FLOOR 10		/* Per cent of the time, ... */
#define MISS_BUDGET_MOVING 30		/* ... and while keys look for new places. */
#define MISS_BUDGET_NEW 5
#define MISS_BUDGET_FLOOD 2
#define MISS_BUDGET_COME_AGAIN 8
#define MISS_BUDGET_SAVED 16		/* Windows whose leftovers are kept. */
#define MISS_BUDGET_FEW_HITS 5		/* Per cent of the packets: so few are not protected, ... */
#define MISS_BUDGET_MANY_HITS 10	/* ... so many are. */
#define MISS_BUDGET_SURPRISE 16		/* A miss costs at most so many times what it did lately. */
#define MISS_BUDGET_UNLIMITED INT64_MAX

/* An input port's part. */
struct miss_share {
	uint32_t window;
	int64_t credit;
};

struct miss_budget {
	uint64_t window_cycles;
	uint32_t floor;			/* MISS_BUDGET_FLOOR or MISS_BUDGET_MOVING: its PMD says which. */
	int64_t limit;			/* Cycles a window; or MISS_BUDGET_UNLIMITED. */
	int64_t pool;			/* Left over by the windows before. */
	uint64_t begin;			/* TSC. */
	uint32_t window;		/* Number of this one. */
	uint32_t n_full;		/* Windows in a row with full bursts only. */
	uint32_t n_ports, n_ports_before;	/* With misses: in this window, in the last. */
	uint32_t n_seen, n_new;		/* Misses of flows that come again, and of others, in this window. */
	bool is_flood;			/* In the last one hardly any came again. */
	bool all_full;			/* So far in this window. */
	uint64_t idle, spent;		/* Cycles in this window. */
	uint64_t packets, hits;		/* As they stood when it began. */
	uint64_t cost;			/* Cycles of a miss, lately. */
};

void miss_budget_init(struct miss_budget *budget, uint64_t tsc_per_us);
/* A turn has ended at NOW (TSC). FULL: some queue gave a full burst. IDLE: cycles of it without work.
 * PACKETS, HITS: received and found by the exact cache, since ever. */
void miss_budget_turn(struct miss_budget *budget, uint64_t now, bool full, uint64_t idle,
	uint64_t packets, uint64_t hits);
static inline bool miss_budget_is_limited(const struct miss_budget *budget)
{
	return budget->limit != MISS_BUDGET_UNLIMITED;
}

/* How many misses of a port may be dealt with now, of N_SEEN of flows that come again and then N_NEW of others. */
unsigned int miss_budget_allow(struct miss_budget *budget, struct miss_share *share, unsigned int n_seen,
	unsigned int n_new);
/* N misses took CYCLES; with N = 0 what was tried in vain before. */
void miss_budget_spend(struct miss_budget *budget, struct miss_share *share, unsigned int n,
	uint64_t cycles);
