/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hash functions, all of them inline: XXH3 for bytes, multiply-and-fold mixing for words. Not
 * stable between releases or machines, not for anything stored or sent. Any thread.
 */

#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* N bytes at P. With a constant N of up to 240 the compiler unrolls everything. */
static inline uint64_t hash_bytes64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

static inline uint32_t hash_bytes(const void *p, size_t n, uint32_t seed)
{
	return (uint32_t)XXH3_64bits_withSeed(p, n, seed);
}

static inline uint32_t hash_string(const char *s, uint32_t seed)
{
	return hash_bytes(s, strlen(s), seed);
}

/* Product of two words folded to one: every input bit reaches every output bit. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_u64(uint64_t x, uint32_t seed)
{
	uint64_t h =
		hash_fold(x ^ UINT64_C(0xa0761d6478bd642f), seed ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint32_t)(h ^ h >> 32);
}

static inline uint32_t hash_u32(uint32_t x, uint32_t seed)
{
	return hash_u64(x, seed);
}

/* Adds one more word to HASH: h = hash_add(hash_add(seed, a), b). Needs no finishing step. */
static inline uint32_t hash_add(uint32_t hash, uint32_t x)
{
	return hash_u64(x, hash);
}

static inline uint32_t hash_add64(uint32_t hash, uint64_t x)
{
	return hash_u64(x, hash);
}

static inline uint32_t hash_pointer(const void *p, uint32_t seed)
{
	return hash_u64((uintptr_t)p, seed);
}
