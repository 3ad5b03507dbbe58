/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Counts of packets that ran without a path, by counter id. One set a PMD: it adds, control takes.
 * Address space is reserved for all ids at creation and filled with memory as ids are used, so a new
 * id needs no preparation. Pages that were written since the last sweep are marked, so a sweep costs
 * what was used and not what exists.
 */

#include <stdatomic.h>

#include "datapath/pipeline/counter.h"

#define UNCACHED_IDS (1u << 24)		/* Above: not counted. */
#define UNCACHED_PAGE 256		/* Ids a page. */
#define UNCACHED_PAGES (UNCACHED_IDS / UNCACHED_PAGE)

struct uncached_count {
	_Atomic uint64_t packets, bytes;
	_Atomic int64_t used_ms;
};

struct uncached {
	struct uncached_count *counts;
	_Atomic uint8_t *dirty;		/* A byte a page. */
	_Atomic uint32_t limit;		/* Pages ever used. */
};

void uncached_init(struct uncached *uncached);
void uncached_uninit(struct uncached *uncached);

/* PMD. */
void uncached_add(struct uncached *uncached, uint32_t id, uint64_t packets, uint64_t bytes,
	int64_t now_ms);
/* Control: adds everything to the counters (counter.h) and starts from zero. */
void uncached_sweep(struct uncached *uncached);
