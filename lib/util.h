/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Small change: macros every file wants, and strict parsers of numbers in text. Everything here is
 * pure and may be used by any thread, except program_name_set() (once, at the start of main).
 *
 * The parsers take the whole string: leading white space, trailing characters and empty strings
 * are refused with -EINVAL, a value out of range with -ERANGE, and *VALUE is then untouched.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#undef MIN
#undef MAX
#define UTIL_CAT_(A, B) A##B
#define UTIL_CAT(A, B) UTIL_CAT_(A, B)
#define UTIL_PICK_(A, OP, B, VA, VB)                                                               \
	({                                                                                         \
		__typeof__(A) VA = (A);                                                            \
		__typeof__(B) VB = (B);                                                            \
		VA OP VB ? VA : VB;                                                                \
	})
#define UTIL_PICK(A, OP, B, ID) UTIL_PICK_(A, OP, B, UTIL_CAT(a_, ID), UTIL_CAT(b_, ID))
#define MIN(A, B) UTIL_PICK(A, <, B, __COUNTER__)
#define MAX(A, B) UTIL_PICK(A, >, B, __COUNTER__)

#define DIV_ROUND_UP(X, Y) (((X) + ((Y)-1)) / (Y))
#define ROUND_UP(X, Y) (DIV_ROUND_UP(X, Y) * (Y))
#define ROUND_DOWN(X, Y) ((X) / (Y) * (Y))

#define BUILD_ASSERT(CONDITION) _Static_assert(CONDITION, #CONDITION)

#ifndef likely
#define likely(X) __builtin_expect(!!(X), 1)
#endif
#ifndef unlikely
#define unlikely(X) __builtin_expect(!!(X), 0)
#endif

/* The struct of type TYPE whose MEMBER is at PTR. */
#ifndef container_of
#define container_of(PTR, TYPE, MEMBER) ((TYPE *)((char *)(uintptr_t)(PTR)-offsetof(TYPE, MEMBER)))
#endif

#define PRINTF_FORMAT(FMT, ARGS) __attribute__((format(printf, FMT, ARGS)))

/* The smallest power of 2 that is at least X (1 for 0). X at most 2^63. */
static inline uint64_t round_up_pow2(uint64_t x)
{
	return x <= 1 ? 1 : UINT64_C(1) << (64 - __builtin_clzll(x - 1));
}

/* Where KEY belongs among N sorted ITEMS of SIZE bytes: the index of the first that is not below it, N
 * if there is none. COMPARE(KEY, item) is as for bsearch(). */
static inline size_t lower_bound(const void *key, const void *items, size_t n, size_t size,
	int (*compare)(const void *key, const void *item))
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(key, (const char *)items + mid * size) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Decimal, or hexadecimal after 0x. A leading zero means decimal. parse_u64() takes no sign. */
int parse_i64(const char *s, int64_t min, int64_t max, int64_t *value);
int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *value);

/* parse_i64() for an int. */
int parse_int(const char *s, int min, int max, int *value);

/* Six pairs of hexadecimal digits, separated by colons (one digit is enough in a pair). */
int parse_mac(const char *s, uint8_t mac[6]);

/* Value of a hexadecimal digit, or -1. */
int hex_digit(char c);

/* 2*N hexadecimal digits to N bytes (nothing else in S). */
int parse_hex_bytes(const char *s, uint8_t *bytes, size_t n);

/* For looking A up among words B, most of which begin otherwise. */
static inline bool str_is(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

/* True if S begins with PREFIX. */
bool str_starts_with(const char *s, const char *prefix);

/* Copies SRC, cut to fit, into the SIZE bytes at DST, always terminated. SIZE at least 1. */
void str_copy(char *dst, const char *src, size_t size);

/* The last component of argv[0]; "sluice" until it is set. */
void program_name_set(const char *argv0);
const char *program_name(void);
