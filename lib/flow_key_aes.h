/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * flow_key_hash() for processors that have AES instructions, inline for loops that hold a key in registers.
 * Users are compiled with FLOW_KEY_AES and run only if flow_key_has_aes(). Any thread, no state but the secret.
 *
 * A small key's pairs of words have a lane each, so that no one waits for another. The last pair takes part if there is
 * something in it, a tunnel: it is the key that decides, so that all who hash it agree.
 */

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

/* What every processor with AVX2 has, too: three-operand instructions save a sixth of them. */
#define FLOW_KEY_AES __attribute__((target("aes,avx2,bmi,bmi2")))

/* Drawn once, before main(). */
extern uint64_t flow_key_secret[20] __attribute__((aligned(16)));

FLOW_KEY_AES static inline __m128i flow_key_load(const uint64_t *w)
{
	return _mm_loadu_si128((const __m128i *)(const void *)w);
}

FLOW_KEY_AES static inline __m128i flow_key_secret_at(unsigned int i)
{
	return flow_key_load(&flow_key_secret[2 * i]);
}

/* Two rounds a block, so that a difference in one byte has reached all of them before the next
 * block of the lane comes: what a block does to the lane can't be undone without knowing the
 * secret. */
FLOW_KEY_AES static inline __m128i flow_key_absorb(__m128i lane, __m128i block, __m128i key)
{
	return _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(lane, block), key), key);
}

/* Two more rounds after the last block: each of the low 64 bits depends on all there is. */
FLOW_KEY_AES static inline uint64_t flow_key_finish(__m128i a, __m128i b)
{
	a = _mm_aesenc_si128(a, b);
	a = _mm_aesenc_si128(a, flow_key_secret_at(4));
	a = _mm_aesenc_si128(a, flow_key_secret_at(5));
	return (uint64_t)_mm_cvtsi128_si64(a);
}

/* What a lane of hashes of BASIS begins with. */
FLOW_KEY_AES static inline __m128i flow_key_basis(uint64_t basis)
{
	return _mm_xor_si128(flow_key_secret_at(0), _mm_cvtsi64_si128((int64_t)basis));
}

/* The hash of a small key whose words are K0 to K3, in pairs; the cache word is 0. TUNNEL: K3 is not 0. A: of
 * flow_key_basis(). */
FLOW_KEY_AES static inline uint64_t flow_key_hash_small(__m128i k0, __m128i k1, __m128i k2, __m128i k3,
	bool tunnel, __m128i a)
{
	__m128i b = flow_key_absorb(flow_key_secret_at(1), k1, flow_key_secret_at(3));
	__m128i c = flow_key_absorb(flow_key_secret_at(6), k2, flow_key_secret_at(7));

	a = flow_key_absorb(a, k0, flow_key_secret_at(2));
	if (tunnel)
		a = _mm_aesenc_si128(a, flow_key_absorb(flow_key_secret_at(8), k3, flow_key_secret_at(9)));
	return flow_key_finish(_mm_aesenc_si128(a, c), b);
}

#endif

/* This processor has them, and nobody said otherwise. */
bool flow_key_has_aes(void);
/* For tests of both variants: USE them if they are there. Hashes of before are worth nothing then. */
void flow_key_use_aes(bool use);
