/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Paths: what happens to all packets of one fate. A path is a program, the counters it feeds, and what
 * it depends on; interned, so that every flow with the same fate shares it. It is the only cached
 * thing that counts. It keeps the key and mask of the translation that created it, for
 * dpctl/dump-flows.
 *
 * A pool belongs to one PMD. Only that PMD creates, counts and retires paths; control reads, and takes
 * the final counts of retired ones:
 *
 *	PMD		LIVE --path_retire()--> RETIRED, the slot goes into the ring `retired`
 *	control		path_harvest() takes it from there, control reads its last counts,
 *			path_give_back() puts the slot into the ring `returned`
 *	PMD		path_pool_reclaim() frees the body; the slot may be taken again
 *
 * So the PMD frees nothing that control may be reading, and neither waits. Both rings hold as many
 * slots as the pool: they are never full.
 *
 * Programs are interned, too: paths that differ only in what they count, as those of a tunnel's many
 * destinations do, run the same bytes, which thus stay close.
 *
 * Words: `slot`: index of a path. `generation`: counts the lives of a slot; who remembers a slot
 * remembers its generation beside it, and a mismatch means that the path is gone. `body`: the part
 * that hits rarely touch.
 *
 * Memory is reserved at creation and touched when needed, never given back before destruction; at its
 * end path_intern() says no and the packet runs uncached.
 */

#include <stdatomic.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/translate.h"
#include "datapath/pmd/ring.h"

enum path_state { PATH_FREE, PATH_LIVE, PATH_RETIRED };

/* How its program runs: the frequent shapes need no interpreter. */
enum path_kind {
	PATH_PROGRAM,
	PATH_OUTPUT,		/* To `port`, nothing else. */
	PATH_DROP,		/* Nothing: `drop` says why. */
	PATH_TUNNEL,		/* OP_TNL_PUSH of a plain header (UDP over IPv4), then to `port`. */
	PATH_POP,		/* OP_TNL_POP alone. */
};

struct path_program {
	uint32_t class;		/* Size class of the memory. */
	uint32_t hash;
	uint32_t n_paths;	/* That run it. */
	uint32_t len;		/* Bytes of ops. */
	struct path_program *next;
	struct op ops[];
};

struct path_body {
	uint32_t class;		/* Size class of the memory. */
	uint32_t hash;		/* Of all that makes paths equal. */
	uint32_t next;		/* Slot of the next with the same bucket; PATH_NONE. */
	dp_port_t in_port;	/* Of the packet that created it. */
	uint16_t n_deps, n_counters, n_refreshes, n_words;
	struct path_program *program;
	uint32_t drop;		/* enum drop_reason that translation gave. */
	int64_t created_ms;
	uint64_t key_map[2];	/* Words of struct flow that the mask has. */
	/* Then, each 8-byte aligned:
	 *	uint16_t deps[n_deps]
	 *	struct xlate_counter counters[n_counters]
	 *	uint32_t refreshes[n_refreshes]
	 *	uint64_t words[n_words][2]: key and mask */
};

struct path {
	_Atomic uint64_t packets, bytes;
	_Atomic int64_t used_ms;
	struct path_body *body;
	uint32_t seq;		/* dep_seq() for which it is known to be valid. */
	_Atomic uint32_t generation;
	_Atomic uint8_t state;	/* enum path_state. */
	uint8_t kind;		/* enum path_kind. */
	uint8_t drop;		/* PATH_DROP: enum drop_reason. */
	bool needs_hash;	/* Some operation reads packet->hash. */
	dp_port_t port;
	_Atomic uint32_t n_shared;	/* Translations that ended here after the first. */
	const struct op *ops;	/* Its program's. */
} __attribute__((aligned(64)));

#define PATH_NONE 0xffffffu	/* Slots have 24 bits. */

struct path_pool;

/* Up to N paths (a power of 2) whose bodies take at most BYTES. */
struct path_pool *path_pool_create(uint32_t n, size_t bytes);
void path_pool_destroy(struct path_pool *pool);

/* What follows is for the PMD. */

static inline struct path *path_at(struct path *paths, uint32_t slot)
{
	return &paths[slot];
}

/* The array of all paths; never moves. */
struct path *path_pool_paths(struct path_pool *pool);

/* The path that does what OUT says (OUT is cacheable), made now if there is none and MAY_CREATE: its slot, or
 * PATH_NONE, also if the pool is full. FLOW is the key that was translated. */
uint32_t path_intern(struct path_pool *pool, const struct xlate_out *out, const struct flow *flow,
	dp_port_t in_port, int64_t now_ms, bool may_create);
/* Paths made so far. */
uint64_t path_pool_n_created(const struct path_pool *pool);

static inline uint32_t path_generation(const struct path *path)
{
	return atomic_load_explicit(&path->generation, memory_order_relaxed);
}

/* SLOT was LIVE. Its counts are final. */
void path_retire(struct path_pool *pool, uint32_t slot);
void path_retire_all(struct path_pool *pool);
/* Takes back what control has done with. */
void path_pool_reclaim(struct path_pool *pool);

static inline void path_count(struct path *path, uint32_t packets, uint64_t bytes, int64_t now_ms)
{
	atomic_store_explicit(&path->packets,
		atomic_load_explicit(&path->packets, memory_order_relaxed) + packets,
		memory_order_relaxed);
	atomic_store_explicit(&path->bytes,
		atomic_load_explicit(&path->bytes, memory_order_relaxed) + bytes,
		memory_order_relaxed);
	atomic_store_explicit(&path->used_ms, now_ms, memory_order_relaxed);
}

/* Of a body, either thread. */

static inline const uint16_t *path_deps(const struct path_body *body)
{
	return (const uint16_t *)(const void *)(body + 1);
}

static inline const struct xlate_counter *path_counters(const struct path_body *body)
{
	return (const struct xlate_counter *)((const char *)path_deps(body) +
		ROUND_UP(body->n_deps * 2u, 8u));
}

static inline const uint32_t *path_refreshes(const struct path_body *body)
{
	return (const uint32_t *)((const char *)path_counters(body) +
		ROUND_UP(body->n_counters * sizeof(struct xlate_counter), 8u));
}

static inline const uint64_t *path_words(const struct path_body *body)
{
	return (const uint64_t *)((const char *)path_refreshes(body) +
		ROUND_UP(body->n_refreshes * 4u, 8u));
}

/* True if PATH may be used: nothing it depends on has changed. SEQ: dep_seq() of this burst. */
static inline bool path_is_valid(struct path *path, uint32_t seq)
{
	if (likely(path->seq == seq))
		return true;
	if (!dep_is_valid(path->seq, path_deps(path->body), path->body->n_deps))
		return false;
	path->seq = seq;
	return true;
}

/* The key and mask that created it. */
void path_get_match(const struct path_body *body, struct match *match);

/* What follows is for control. */

/* Slots that were ever taken: all paths are below. */
uint32_t path_pool_limit(const struct path_pool *pool);
uint32_t path_pool_n_live(const struct path_pool *pool);	/* A hint. */
size_t path_pool_bytes(const struct path_pool *pool);

/* Memory that will soon be needed and is to be populated (memory.h): *P, *SIZE; false: none. */
bool path_pool_ahead(struct path_pool *pool, void **p, size_t *size);
/* Retired slots whose counts wait to be taken. */
uint32_t path_pool_n_retired(const struct path_pool *pool);
/* Next retired slot whose last counts are to be taken, or PATH_NONE; each once. */
uint32_t path_harvest(struct path_pool *pool);
/* The counts of SLOT were taken. */
void path_give_back(struct path_pool *pool, uint32_t slot);
