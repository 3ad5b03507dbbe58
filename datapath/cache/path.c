/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/path.h"

#include <netinet/in.h>
#include <string.h>

#include "datapath/cache/memory.h"
#include "lib/coverage.h"
#include "lib/hash.h"

COVERAGE_DEFINE(dpif_flow_put);
COVERAGE_DEFINE(dpif_flow_del);

/* Bodies and programs come in classes of four a doubling, from 128 bytes on; what is larger than the last
 * runs uncached. */
#define CLASS_MIN_SHIFT 7
#define N_CLASSES 40
#define PROGRAM_BUCKETS(N) MAX((N) / 16, (size_t)1)

/* Memory that is kept ready. */
#define SLOTS_AHEAD ((size_t)4 << 20)
#define ARENA_AHEAD ((size_t)16 << 20)

BUILD_ASSERT(sizeof(struct path_body) % 8 == 0 && sizeof(struct path_body) <= 64);

struct free_block {
	struct free_block *next;
};

struct path_pool {
	struct path *paths;
	uint32_t *buckets;		/* By hash: first slot. */
	uint32_t mask;			/* Of the buckets, and slots - 1. */
	struct path_program **programs;	/* By hash: PROGRAM_BUCKETS() lists. */
	_Atomic uint32_t limit;		/* Slots ever taken. */
	_Atomic uint32_t n_live;
	uint32_t *free_slots;		/* Stack. */
	uint32_t n_free;
	uint64_t n_created;

	uint8_t *arena;
	size_t arena_size;
	_Atomic size_t arena_used;
	struct free_block *free_blocks[N_CLASSES];

	struct ring retired;
	struct ring returned;

	/* Control's: bytes whose pages are present, or will be soon. */
	size_t slots_populated, arena_populated;
};

struct path_pool *path_pool_create(uint32_t n, size_t bytes)
{
	struct path_pool *pool = xcalloc(1, sizeof *pool);

	pool->mask = n - 1;
	pool->paths = memory_reserve((size_t)n * sizeof *pool->paths, true);
	pool->buckets = memory_reserve((size_t)n * sizeof *pool->buckets, true);
	for (uint32_t i = 0; i < n; i++)
		pool->buckets[i] = PATH_NONE;
	pool->programs = memory_reserve(PROGRAM_BUCKETS((size_t)n) * sizeof *pool->programs, false);
	pool->free_slots = memory_reserve((size_t)n * sizeof *pool->free_slots, true);
	pool->arena_size = bytes;
	pool->arena = memory_reserve(bytes, true);
	ring_init(&pool->retired, n, sizeof(uint32_t));
	ring_init(&pool->returned, n, sizeof(uint32_t));
	return pool;
}

void path_pool_destroy(struct path_pool *pool)
{
	if (!pool)
		return;
	memory_release(pool->paths, ((size_t)pool->mask + 1) * sizeof *pool->paths);
	memory_release(pool->buckets, ((size_t)pool->mask + 1) * sizeof *pool->buckets);
	memory_release(pool->programs,
		PROGRAM_BUCKETS((size_t)pool->mask + 1) * sizeof *pool->programs);
	memory_release(pool->free_slots, ((size_t)pool->mask + 1) * sizeof *pool->free_slots);
	memory_release(pool->arena, pool->arena_size);
	ring_uninit(&pool->retired);
	ring_uninit(&pool->returned);
	free(pool);
}

struct path *path_pool_paths(struct path_pool *pool)
{
	return pool->paths;
}

/* ------------------------------------------------------------------ memory of bodies */

static size_t class_size(uint32_t class)
{
	return (size_t)(4 + class % 4) << (CLASS_MIN_SHIFT - 2 + class / 4);
}

static uint32_t class_of(size_t size)
{
	uint32_t class = 0;

	while (class < N_CLASSES && class_size(class) < size)
		class++;
	return class;
}

/* Both kinds of block begin with their class. */
static void *block_alloc(struct path_pool *pool, size_t size)
{
	uint32_t class = class_of(size);
	void *block;
	size_t used;

	if (class >= N_CLASSES)
		return NULL;
	if (pool->free_blocks[class]) {
		block = pool->free_blocks[class];
		pool->free_blocks[class] = pool->free_blocks[class]->next;
	} else {
		used = atomic_load_explicit(&pool->arena_used, memory_order_relaxed);
		if (used + class_size(class) > pool->arena_size)
			return NULL;
		block = pool->arena + used;
		atomic_store_explicit(&pool->arena_used, used + class_size(class),
			memory_order_relaxed);
	}
	*(uint32_t *)block = class;
	return block;
}

static void block_free(struct path_pool *pool, void *block)
{
	uint32_t class = *(uint32_t *)block;
	struct free_block *f = block;

	f->next = pool->free_blocks[class];
	pool->free_blocks[class] = f;
}

/* ------------------------------------------------------------------ programs */

static struct path_program **program_bucket(struct path_pool *pool, uint32_t hash)
{
	return &pool->programs[hash & (PROGRAM_BUCKETS((size_t)pool->mask + 1) - 1)];
}

/* The program of OPS[LEN], for one more path; NULL: no memory. */
static struct path_program *program_get(struct path_pool *pool, const void *ops, uint32_t len)
{
	uint32_t hash = hash_bytes(len ? ops : "", len, 0);
	struct path_program **bucket = program_bucket(pool, hash), *p;

	for (p = *bucket; p; p = p->next) {
		if (p->hash == hash && p->len == len && (!len || !memcmp(p->ops, ops, len))) {
			p->n_paths++;
			return p;
		}
	}
	p = block_alloc(pool, sizeof *p + len);
	if (!p)
		return NULL;
	p->hash = hash;
	p->n_paths = 1;
	p->len = len;
	if (len)
		memcpy(p->ops, ops, len);
	p->next = *bucket;
	*bucket = p;
	return p;
}

static void program_put_back(struct path_pool *pool, struct path_program *program)
{
	struct path_program **link = program_bucket(pool, program->hash);

	if (--program->n_paths)
		return;
	while (*link != program)
		link = &(*link)->next;
	*link = program->next;
	block_free(pool, program);
}

static void body_free(struct path_pool *pool, struct path_body *body)
{
	program_put_back(pool, body->program);
	block_free(pool, body);
}

/* ------------------------------------------------------------------ interning */

static uint32_t path_hash(const struct xlate_out *out)
{
	uint64_t h = hash_bytes64(out->program.buf.data ? out->program.buf.data : "",
		out->program.buf.len, out->drop);

	h = hash_bytes64(out->counters, out->n_counters * sizeof *out->counters, h);
	h = hash_bytes64(out->deps, out->n_deps * sizeof *out->deps, h);
	h = hash_bytes64(out->refreshes, out->n_refreshes * sizeof *out->refreshes, h);
	return (uint32_t)(h ^ h >> 32);
}

static bool bytes_equal(const void *a, const void *b, size_t n)
{
	return !n || !memcmp(a, b, n);
}

static bool path_does(const struct path *path, const struct xlate_out *out)
{
	const struct path_body *body = path->body;

	return body->drop == out->drop && body->program->len == out->program.buf.len &&
		body->n_counters == out->n_counters && body->n_deps == out->n_deps &&
		body->n_refreshes == out->n_refreshes &&
		bytes_equal(body->program->ops, out->program.buf.data, body->program->len) &&
		bytes_equal(path_counters(body), out->counters,
			out->n_counters * sizeof *out->counters) &&
		bytes_equal(path_deps(body), out->deps, out->n_deps * sizeof *out->deps) &&
		bytes_equal(path_refreshes(body), out->refreshes,
			out->n_refreshes * sizeof *out->refreshes);
}

static uint32_t slot_alloc(struct path_pool *pool)
{
	uint32_t limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);

	if (pool->n_free)
		return pool->free_slots[--pool->n_free];
	if (limit > pool->mask)
		return PATH_NONE;
	return limit;
}

static uint16_t count_words(const struct flow *mask)
{
	const uint64_t *w = flow_words_const(mask);
	uint16_t n = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++)
		n += w[i] != 0;
	return n;
}

static void fill_words(struct path_body *body, const struct flow *flow, const struct flow *mask)
{
	const uint64_t *f = flow_words_const(flow);
	const uint64_t *m = flow_words_const(mask);
	uint64_t *words = (uint64_t *)(uintptr_t)path_words(body);

	body->key_map[0] = body->key_map[1] = 0;
	for (size_t i = 0; i < FLOW_WORDS; i++) {
		if (!m[i])
			continue;
		body->key_map[i / 64] |= UINT64_C(1) << (i % 64);
		*words++ = f[i] & m[i];
		*words++ = m[i];
	}
}

static struct path_body *body_create(struct path_pool *pool, const struct xlate_out *out,
	const struct flow *flow)
{
	uint16_t n_words = count_words(&out->wc);
	size_t size = sizeof(struct path_body) + ROUND_UP(out->n_deps * 2u, 8u) +
		ROUND_UP(out->n_counters * sizeof *out->counters, 8u) +
		ROUND_UP(out->n_refreshes * 4u, 8u) + n_words * 16u;
	struct path_body *body = block_alloc(pool, size);

	if (!body)
		return NULL;
	body->program = program_get(pool, out->program.buf.data, (uint32_t)out->program.buf.len);
	if (!body->program) {
		block_free(pool, body);
		return NULL;
	}
	body->n_deps = out->n_deps;
	body->n_counters = out->n_counters;
	body->n_refreshes = out->n_refreshes;
	body->n_words = n_words;
	body->drop = out->drop;
	memcpy((void *)(uintptr_t)path_deps(body), out->deps, out->n_deps * sizeof *out->deps);
	if (out->n_counters)
		memcpy((void *)(uintptr_t)path_counters(body), out->counters,
			out->n_counters * sizeof *out->counters);
	memcpy((void *)(uintptr_t)path_refreshes(body), out->refreshes,
		out->n_refreshes * sizeof *out->refreshes);
	fill_words(body, flow, &out->wc);
	return body;
}

static bool is_plain_push(const struct op *op)
{
	const struct op_tnl_push *push = (const struct op_tnl_push *)op;

	return op->type == OP_TNL_PUSH && push->proto == IPPROTO_UDP && !push->csum &&
		!push->is_ipv6 && push->outer_l4_ofs == push->outer_l3_ofs + 20;
}

/* Those that nest others may hide one. */
static bool ops_need_hash(const struct op *ops, uint32_t len)
{
	const struct op *op;

	OP_FOR_EACH (op, ops, len)
		if (op->type == OP_TNL_PUSH || op->type == OP_SELECT || op->type == OP_CLONE ||
			op->type == OP_SAMPLE || op->type == OP_CHECK_LEN || op->type == OP_RESUME)
			return true;
	return false;
}

static void path_set_kind(struct path *path)
{
	const struct op *op = path->ops;
	uint32_t len = path->body->program->len;
	const struct op *last = len ? op_next(op) : NULL;
	bool alone = len && op->len == len;
	bool two = len && !alone && op->len + last->len == len;

	path->kind = PATH_PROGRAM;
	path->port = 0;
	path->needs_hash = ops_need_hash(op, len);
	if (!len) {
		path->kind = PATH_DROP;
	} else if (alone && op->type == OP_OUTPUT) {
		path->kind = PATH_OUTPUT;
		path->port = ((const struct op_output *)op)->port;
	} else if (alone && op->type == OP_DROP) {
		path->kind = PATH_DROP;
		path->drop = (uint8_t)((const struct op_u32 *)op)->value;
	} else if (alone && op->type == OP_TNL_POP) {
		path->kind = PATH_POP;
	} else if (two && is_plain_push(op) && last->type == OP_OUTPUT) {
		path->kind = PATH_TUNNEL;
		path->port = ((const struct op_output *)last)->port;
	}
}

static uint32_t path_create(struct path_pool *pool, const struct xlate_out *out,
	const struct flow *flow, dp_port_t in_port, uint32_t hash, int64_t now_ms)
{
	uint32_t slot = slot_alloc(pool);
	struct path_body *body;
	struct path *path;

	if (slot == PATH_NONE)
		return PATH_NONE;
	body = body_create(pool, out, flow);
	path = &pool->paths[slot];
	if (!body) {
		if (atomic_load_explicit(&pool->limit, memory_order_relaxed) != slot)
			pool->free_slots[pool->n_free++] = slot;
		return PATH_NONE;
	}
	pool->n_created++;
	COVERAGE_INC(dpif_flow_put);
	body->hash = hash;
	body->in_port = in_port;
	body->created_ms = now_ms;
	body->next = pool->buckets[hash & pool->mask];
	pool->buckets[hash & pool->mask] = slot;

	path->body = body;
	path->ops = body->program->ops;
	path->seq = out->seq;
	path->drop = (uint8_t)out->drop;
	path_set_kind(path);
	atomic_store_explicit(&path->packets, 0, memory_order_relaxed);
	atomic_store_explicit(&path->bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&path->used_ms, now_ms, memory_order_relaxed);
	atomic_store_explicit(&path->n_shared, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&path->generation, 1, memory_order_relaxed);
	atomic_store_explicit(&path->state, PATH_LIVE, memory_order_release);
	if (atomic_load_explicit(&pool->limit, memory_order_relaxed) == slot)
		atomic_store_explicit(&pool->limit, slot + 1, memory_order_release);
	atomic_fetch_add_explicit(&pool->n_live, 1, memory_order_relaxed);
	return slot;
}

uint32_t path_intern(struct path_pool *pool, const struct xlate_out *out, const struct flow *flow,
	dp_port_t in_port, int64_t now_ms, bool may_create)
{
	uint32_t hash = path_hash(out);
	uint32_t next;

	for (uint32_t slot = pool->buckets[hash & pool->mask]; slot != PATH_NONE; slot = next) {
		struct path *path = &pool->paths[slot];

		next = path->body->next;
		if (path->body->hash != hash || !path_does(path, out))
			continue;
		/* Another flow's older translation may share this path. Only if nothing changed
		 * since then is it still true of that one, too. */
		if (path_is_valid(path, out->seq)) {
			/* Only this thread writes it. */
			atomic_store_explicit(&path->n_shared,
				atomic_load_explicit(&path->n_shared, memory_order_relaxed) + 1,
				memory_order_relaxed);
			return slot;
		}
		path_retire(pool, slot);
	}
	return may_create ? path_create(pool, out, flow, in_port, hash, now_ms) : PATH_NONE;
}

uint64_t path_pool_n_created(const struct path_pool *pool)
{
	return pool->n_created;
}

static void unlink_path(struct path_pool *pool, uint32_t slot)
{
	uint32_t *link = &pool->buckets[pool->paths[slot].body->hash & pool->mask];

	while (*link != slot)
		link = &pool->paths[*link].body->next;
	*link = pool->paths[slot].body->next;
}

void path_retire(struct path_pool *pool, uint32_t slot)
{
	struct path *path = &pool->paths[slot];
	uint32_t *record;

	if (atomic_load_explicit(&path->state, memory_order_relaxed) != PATH_LIVE)
		return;
	COVERAGE_INC(dpif_flow_del);
	unlink_path(pool, slot);
	/* Whoever remembers this life finds another number from now on. */
	atomic_fetch_add_explicit(&path->generation, 1, memory_order_relaxed);
	atomic_store_explicit(&path->state, PATH_RETIRED, memory_order_release);
	atomic_fetch_sub_explicit(&pool->n_live, 1, memory_order_relaxed);
	record = ring_put_begin(&pool->retired);
	*record = slot;
	ring_put_end(&pool->retired);
}

void path_retire_all(struct path_pool *pool)
{
	uint32_t limit = atomic_load_explicit(&pool->limit, memory_order_relaxed);

	for (uint32_t slot = 0; slot < limit; slot++)
		path_retire(pool, slot);
}

void path_pool_reclaim(struct path_pool *pool)
{
	const uint32_t *record;

	while ((record = ring_get_begin(&pool->returned)) != NULL) {
		struct path *path = &pool->paths[*record];

		body_free(pool, path->body);
		path->body = NULL;
		pool->free_slots[pool->n_free++] = *record;
		ring_get_end(&pool->returned);
	}
}

void path_get_match(const struct path_body *body, struct match *match)
{
	const uint64_t *words = path_words(body);

	memset(match, 0, sizeof *match);
	for (size_t i = 0; i < FLOW_WORDS; i++) {
		if (!(body->key_map[i / 64] & UINT64_C(1) << (i % 64)))
			continue;
		flow_words(&match->flow)[i] = *words++;
		flow_words(&match->mask)[i] = *words++;
	}
}

/* ------------------------------------------------------------------ control */

uint32_t path_pool_limit(const struct path_pool *pool)
{
	return atomic_load_explicit(&pool->limit, memory_order_acquire);
}

bool path_pool_ahead(struct path_pool *pool, void **p, size_t *size)
{
	size_t used = atomic_load_explicit(&pool->arena_used, memory_order_relaxed);
	size_t slots_used = path_pool_limit(pool) * sizeof *pool->paths;
	size_t slots_size = ((size_t)pool->mask + 1) * sizeof *pool->paths;

	if (slots_used + SLOTS_AHEAD / 2 > pool->slots_populated && pool->slots_populated < slots_size) {
		*p = (char *)pool->paths + pool->slots_populated;
		*size = MIN(slots_used + SLOTS_AHEAD, slots_size) - pool->slots_populated;
		pool->slots_populated += *size;
		return true;
	}
	if (used + ARENA_AHEAD / 2 > pool->arena_populated &&
		pool->arena_populated < pool->arena_size) {
		*p = pool->arena + pool->arena_populated;
		*size = MIN(used + ARENA_AHEAD, pool->arena_size) - pool->arena_populated;
		pool->arena_populated += *size;
		return true;
	}
	return false;
}

uint32_t path_pool_n_live(const struct path_pool *pool)
{
	return atomic_load_explicit(&pool->n_live, memory_order_relaxed);
}

size_t path_pool_bytes(const struct path_pool *pool)
{
	return atomic_load_explicit(&pool->arena_used, memory_order_relaxed) +
		(size_t)path_pool_limit(pool) * sizeof(struct path);
}

uint32_t path_pool_n_retired(const struct path_pool *pool)
{
	return ring_count(&pool->retired);
}

uint32_t path_harvest(struct path_pool *pool)
{
	const uint32_t *record = ring_get_begin(&pool->retired);
	uint32_t slot;

	if (!record)
		return PATH_NONE;
	slot = *record;
	ring_get_end(&pool->retired);
	return slot;
}

void path_give_back(struct path_pool *pool, uint32_t slot)
{
	uint32_t *record = ring_put_begin(&pool->returned);

	atomic_store_explicit(&pool->paths[slot].state, PATH_FREE, memory_order_release);
	*record = slot;
	ring_put_end(&pool->returned);
}
