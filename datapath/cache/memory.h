/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Memory of the caches: address space reserved at once, filled with (large) pages as it is used.
 *
 * The first touch of a page may take the kernel milliseconds, so that is not left to the PMDs:
 * memory_populate() does it beforehand, on a thread that may wait. Whatever a PMD touches earlier works
 * too.
 */

#include <stdbool.h>
#include <stddef.h>

/* Zeroed. Never NULL. LARGE: in large pages if the kernel has them. */
void *memory_reserve(size_t size, bool large);
void memory_release(void *p, size_t size);

/* Makes the pages of SIZE bytes at P present, in steps. Contents stay. Any thread, also while others use
 * the memory, or have released it (then it does nothing that matters). */
void memory_populate(void *p, size_t size);
