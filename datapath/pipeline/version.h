/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Versions: rules are visible in [added, removed). Control makes any number of changes for version
 * V + 1 and publishes them at once; readers load the version once per burst and skip what is not in
 * it. One number for all bridges.
 */

#include <stdatomic.h>

#include "lib/types.h"

typedef uint64_t version_t;

#define VERSION_MAX UINT64_MAX		/* "Not removed". */

struct versions {
	_Atomic version_t added;
	_Atomic version_t removed;
};

extern _Atomic version_t version_current;

static inline version_t version_get(void)
{
	return atomic_load_explicit(&version_current, memory_order_acquire);
}

/* Control: the version that changes being prepared will have. */
static inline version_t version_next(void)
{
	return atomic_load_explicit(&version_current, memory_order_relaxed) + 1;
}

/* Control: makes everything prepared for version_next() visible. */
static inline void version_publish(void)
{
	atomic_fetch_add_explicit(&version_current, 1, memory_order_release);
}

static inline bool versions_visible(const struct versions *v, version_t version)
{
	return atomic_load_explicit(&v->added, memory_order_relaxed) <= version &&
		version < atomic_load_explicit(&v->removed, memory_order_relaxed);
}
