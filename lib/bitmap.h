/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bitmaps as arrays of unsigned long, bit 0 first. Sizes and positions are in bits. free() what
 * bitmap_alloc() returned. One thread at a time.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"

#define BITMAP_WORD_BITS (sizeof(unsigned long) * CHAR_BIT)
#define BITMAP_N_WORDS(N_BITS) DIV_ROUND_UP(N_BITS, BITMAP_WORD_BITS)

/* N_BITS zeros. */
static inline unsigned long *bitmap_alloc(size_t n_bits)
{
	return xcalloc(BITMAP_N_WORDS(n_bits), sizeof(unsigned long));
}

static inline unsigned long *bitmap_clone(const unsigned long *bitmap, size_t n_bits)
{
	return xmemdup(bitmap, BITMAP_N_WORDS(n_bits) * sizeof(unsigned long));
}

static inline bool bitmap_is_set(const unsigned long *bitmap, size_t i)
{
	return bitmap[i / BITMAP_WORD_BITS] >> (i % BITMAP_WORD_BITS) & 1;
}

static inline void bitmap_set(unsigned long *bitmap, size_t i)
{
	bitmap[i / BITMAP_WORD_BITS] |= 1UL << (i % BITMAP_WORD_BITS);
}

static inline void bitmap_clear(unsigned long *bitmap, size_t i)
{
	bitmap[i / BITMAP_WORD_BITS] &= ~(1UL << (i % BITMAP_WORD_BITS));
}

/* Sets N bits from START to VALUE. */
static inline void bitmap_assign_range(unsigned long *bitmap, size_t start, size_t n, bool value)
{
	size_t end = start + n;

	while (start < end) {
		size_t ofs = start % BITMAP_WORD_BITS;
		size_t step = MIN(BITMAP_WORD_BITS - ofs, end - start);
		unsigned long mask = (step == BITMAP_WORD_BITS ? ~0UL : (1UL << step) - 1) << ofs;

		if (value)
			bitmap[start / BITMAP_WORD_BITS] |= mask;
		else
			bitmap[start / BITMAP_WORD_BITS] &= ~mask;
		start += step;
	}
}

/* First bit equal to TARGET in [START, END), END if there is none. */
static inline size_t bitmap_scan(const unsigned long *bitmap, bool target, size_t start, size_t end)
{
	while (start < end) {
		size_t ofs = start % BITMAP_WORD_BITS;
		unsigned long word = bitmap[start / BITMAP_WORD_BITS];

		word = (target ? word : ~word) >> ofs;
		if (word)
			return MIN(start + (size_t)__builtin_ctzl(word), end);
		start += BITMAP_WORD_BITS - ofs;
	}
	return end;
}

static inline bool bitmap_equal(const unsigned long *a, const unsigned long *b, size_t n_bits)
{
	size_t full = n_bits / BITMAP_WORD_BITS, rest = n_bits % BITMAP_WORD_BITS;

	return !memcmp(a, b, full * sizeof(*a)) &&
	       (!rest || !((a[full] ^ b[full]) & ((1UL << rest) - 1)));
}

/* I (a size_t) goes over the ones of the first N_BITS. */
#define BITMAP_FOR_EACH(I, N_BITS, BITMAP)                                                         \
	for ((I) = bitmap_scan(BITMAP, true, 0, N_BITS); (I) < (N_BITS);                           \
		(I) = bitmap_scan(BITMAP, true, (I) + 1, N_BITS))
