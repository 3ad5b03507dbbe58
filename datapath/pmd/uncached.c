/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/pmd/uncached.h"

#include <stdlib.h>

#include "datapath/cache/memory.h"
#include "lib/fatal.h"
#include "lib/util.h"

#define COUNTS_SIZE ((size_t)UNCACHED_IDS * sizeof(struct uncached_count))

void uncached_init(struct uncached *uncached)
{
	*uncached = (struct uncached){.dirty = xcalloc(UNCACHED_PAGES, 1)};
	uncached->counts = memory_reserve(COUNTS_SIZE, false);
}

void uncached_uninit(struct uncached *uncached)
{
	memory_release(uncached->counts, COUNTS_SIZE);
	free((void *)uncached->dirty);
}

void uncached_add(struct uncached *uncached, uint32_t id, uint64_t packets, uint64_t bytes,
	int64_t now_ms)
{
	struct uncached_count *count = &uncached->counts[id];
	uint32_t page = id / UNCACHED_PAGE;

	if (unlikely(id >= UNCACHED_IDS))
		return;
	/* Control takes with an exchange, so this must be one step. */
	if (packets) {
		atomic_fetch_add_explicit(&count->packets, packets, memory_order_relaxed);
		atomic_fetch_add_explicit(&count->bytes, bytes, memory_order_relaxed);
	}
	atomic_store_explicit(&count->used_ms, now_ms, memory_order_relaxed);
	if (page >= atomic_load_explicit(&uncached->limit, memory_order_relaxed))
		atomic_store_explicit(&uncached->limit, page + 1, memory_order_release);
	atomic_store_explicit(&uncached->dirty[page], 1, memory_order_release);
}

static void sweep_page(struct uncached *uncached, uint32_t page)
{
	for (uint32_t id = page * UNCACHED_PAGE; id < (page + 1) * UNCACHED_PAGE; id++) {
		struct uncached_count *count = &uncached->counts[id];
		int64_t used = atomic_exchange_explicit(&count->used_ms, 0, memory_order_relaxed);

		if (!used)
			continue;
		counter_add(id,
			atomic_exchange_explicit(&count->packets, 0, memory_order_relaxed),
			atomic_exchange_explicit(&count->bytes, 0, memory_order_relaxed), used);
	}
}

void uncached_sweep(struct uncached *uncached)
{
	uint32_t limit = atomic_load_explicit(&uncached->limit, memory_order_acquire);

	for (uint32_t page = 0; page < limit; page++)
		if (atomic_load_explicit(&uncached->dirty[page], memory_order_relaxed) &&
			atomic_exchange_explicit(&uncached->dirty[page], 0, memory_order_acq_rel))
			sweep_page(uncached, page);
}
