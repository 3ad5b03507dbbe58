/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Second tier, asked when the exact cache does not know a key: a few masks, each with a table of masked
 * keys. A translation that looked at less than the port's key mask says how to deal with many keys at
 * once. Not a classifier: the number of masks is bounded, whatever comes in; one that helps little gives
 * way to another, and what fits nowhere is translated again.
 *
 * Masks are of whole bytes. A key agrees with at most one translation under each mask, and any that it
 * agrees with is right, so the order in which they are asked is free: most used first.
 *
 * Where nearly nothing is found, as under a flood of flows that come once, the tier rests: it is neither
 * asked nor filled but for a window of lookups now and then, ever more seldom, after which it may go on.
 *
 * Threads: its PMD only.
 */

#include "datapath/cache/exact.h"
#include "datapath/cache/key_mask.h"

#define MEGA_K64_MASKS 12
#define MEGA_K128_MASKS 4
#define MEGA_ENTRIES (16 * 1024)	/* Of each mask. */
#define MEGA_WINDOW 1024
#define MEGA_WORTH 4		/* One lookup in so many must find something, ... */
#define MEGA_REST 16		/* ... else it rests for so many windows, and each time that was of no use */
#define MEGA_REST_MAX 256	/* for twice as many, up to this. */

struct mega_mask {
	struct flow_key bits;
	struct exact table;
	uint32_t hits;		/* Since the last tick ... */
	uint32_t use;		/* ... and before, decaying. */
};

struct mega_class {
	struct mega_mask *all;
	struct mega_mask *masks[MEGA_K64_MASKS];	/* Most used first; n in use, then spare ones. */
	unsigned int n, max;
	unsigned int stride;
};

struct mega {
	struct mega_class classes[2];	/* K64, K128. */
	/* What comes only once is not worth asking for: a tier that finds little rests. */
	uint32_t n_asked, n_found;	/* In this window of MEGA_WINDOW lookups or a few more. */
	uint32_t rest;			/* Windows of its last rest; 0: it was of use since. */
	uint32_t n_resting;		/* Windows until it tries again. */
};

void mega_init(struct mega *mega);
void mega_uninit(struct mega *mega);
/* Once a second or so. */
void mega_tick(struct mega *mega);

/* N lookups are to be made; false: not now, it rests. */
bool mega_ask(struct mega *mega, unsigned int n);
/* What it is given is of use. */
bool mega_wants(const struct mega *mega);
/* What KEY leads to, and the mask that said so; NULL if no mask knows. *N_ASKED += masks asked. PATHS
 * and SEQ tell what is dead; such an answer is none. */
struct path *mega_lookup(struct mega *mega, struct path *paths, uint32_t seq,
	const struct flow_key *key, const struct flow_key **bits, struct exact_ref *ref,
	uint64_t *n_asked);
/* Remembers that all keys that agree with KEY under BITS lead to REF, if that is worth a mask. */
void mega_insert(struct mega *mega, struct path *paths, const struct flow_key *key,
	const struct flow_key *bits, struct exact_ref ref);
/* Any thread: see memory.h. False: there is no table I, the first being 0. */
bool mega_populate(struct mega *mega, unsigned int i);
size_t mega_memory(const struct mega *mega);
