/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Named event counters with averages, shown by coverage/show. COVERAGE_DEFINE(rx_drop); once at
 * file scope, then COVERAGE_INC(rx_drop); in the same file, from any thread: each thread adds in
 * memory of its own, without atomic read-modify-write. Names are unique in the program.
 *
 * coverage_run() and the texts belong to the control thread.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "lib/util.h"

#define COVERAGE_MAX 512

struct coverage_counter {
	const char *name;
	unsigned int index;
};

void coverage_register(struct coverage_counter *counter);

#define COVERAGE_DEFINE(NAME)                                                                      \
	static struct coverage_counter coverage_##NAME##_ = {.name = #NAME};                       \
	__attribute__((constructor)) static void coverage_register_##NAME##_(void)                 \
	{                                                                                          \
		coverage_register(&coverage_##NAME##_);                                            \
	}                                                                                          \
	struct coverage_counter /* takes the semicolon */

/* The calling thread's counters, COVERAGE_MAX of them. */
extern __thread _Atomic(uint64_t) *coverage_mine;
_Atomic(uint64_t) *coverage_thread_init(void);

static inline void coverage_add(const struct coverage_counter *counter, uint64_t n)
{
	_Atomic(uint64_t) *mine = coverage_mine;

	if (unlikely(!mine))
		mine = coverage_thread_init();
	mine += counter->index;
	atomic_store_explicit(
		mine, atomic_load_explicit(mine, memory_order_relaxed) + n, memory_order_relaxed);
}

#define COVERAGE_INC(NAME) coverage_add(&coverage_##NAME##_, 1)
#define COVERAGE_ADD(NAME, N) coverage_add(&coverage_##NAME##_, N)

/* Takes a sample when 5 seconds have passed since the last; call it often. */
void coverage_run(void);

/* Sum of all threads. -ENOENT if there is no such counter. */
int coverage_read(const char *name, uint64_t *value);

/* The text of coverage/show, to free(). */
char *coverage_show(void);

/* Registers coverage/show and coverage/read-counter. */
void coverage_unixctl_init(void);
