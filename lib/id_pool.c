/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/id_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/bitmap.h"
#include "lib/fatal.h"

struct id_pool {
	uint32_t base, n;
	uint32_t n_taken;
	uint32_t lowest_free; /* nothing below it is free */
	uint32_t n_bits;      /* size of taken, grows up to n */
	unsigned long *taken;
};

struct id_pool *id_pool_create(uint32_t base, uint32_t n)
{
	struct id_pool *pool = xcalloc(1, sizeof(*pool));

	pool->base = base;
	pool->n = MIN(n, UINT32_MAX - base);
	return pool;
}

void id_pool_destroy(struct id_pool *pool)
{
	if (!pool)
		return;
	free(pool->taken);
	free(pool);
}

static void grow(struct id_pool *pool, uint32_t i)
{
	uint64_t n_bits = MAX(round_up_pow2((uint64_t)i + 1), UINT64_C(64));
	unsigned long *taken;

	if (i < pool->n_bits)
		return;
	n_bits = MIN(n_bits, (uint64_t)pool->n);
	taken = bitmap_alloc(n_bits);
	if (pool->n_bits)
		memcpy(taken, pool->taken, BITMAP_N_WORDS(pool->n_bits) * sizeof(*taken));
	free(pool->taken);
	pool->taken = taken;
	pool->n_bits = (uint32_t)n_bits;
}

static void take(struct id_pool *pool, uint32_t i)
{
	grow(pool, i);
	bitmap_set(pool->taken, i);
	pool->n_taken++;
}

int id_pool_alloc(struct id_pool *pool, uint32_t *id)
{
	uint32_t i;

	if (pool->n_taken >= pool->n)
		return -ENOSPC;
	i = pool->lowest_free;
	if (i < pool->n_bits)
		i = (uint32_t)bitmap_scan(pool->taken, false, i, pool->n_bits);
	take(pool, i);
	pool->lowest_free = i + 1;
	*id = pool->base + i;
	return 0;
}

void id_pool_free(struct id_pool *pool, uint32_t id)
{
	if (!id_pool_is_taken(pool, id))
		return;
	id -= pool->base;
	bitmap_clear(pool->taken, id);
	pool->n_taken--;
	pool->lowest_free = MIN(pool->lowest_free, id);
}

bool id_pool_is_taken(const struct id_pool *pool, uint32_t id)
{
	return id >= pool->base && id - pool->base < pool->n_bits &&
	       bitmap_is_set(pool->taken, id - pool->base);
}
