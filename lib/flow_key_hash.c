/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "lib/flow_key.h"
#include "lib/flow_key_parse.h"
#include "lib/hash.h"
#include "lib/headers.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Drawn once, before main(). */
static uint64_t secret[12] __attribute__((aligned(16)));
static bool have_aes;

__attribute__((constructor)) static void flow_key_hash_init(void)
{
	if (getentropy(secret, sizeof secret)) {
		/* A kernel without random numbers: what little differs between runs. */
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		for (unsigned int i = 0; i < sizeof secret / sizeof secret[0]; i++)
			secret[i] = hash_fold((uint64_t)now.tv_nsec + i + 1,
				(uint64_t)getpid() ^ (uintptr_t)&now ^ UINT64_C(0x9e3779b97f4a7c15));
	}
#ifdef __x86_64__
	__builtin_cpu_init();
	have_aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
#endif
}

static uint64_t hash_plain(const struct flow_key *key, uint64_t basis)
{
	/* The secret is XXH3's seed: it changes the secret that all words are mixed with. */
	return XXH3_64bits_withSeed(key->w, (flow_key_n_words(key) - 1) * 8, secret[0] ^ basis);
}

#ifdef __x86_64__
#define AES __attribute__((target("aes,sse4.1")))

AES static inline __m128i load(const uint64_t *w)
{
	return _mm_loadu_si128((const __m128i *)(const void *)w);
}

AES static inline __m128i secret_at(unsigned int i)
{
	return load(&secret[2 * i]);
}

/* Two rounds a block, so that a difference in one byte has reached all of them before the next
 * block of the lane comes: what a block does to the lane can't be undone without knowing the
 * secret. */
AES static inline __m128i absorb(__m128i lane, __m128i block, __m128i key)
{
	return _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(lane, block), key), key);
}

AES static inline uint64_t finish(__m128i a, __m128i b)
{
	a = _mm_aesenc_si128(a, b);
	a = _mm_aesenc_si128(a, secret_at(4));
	a = _mm_aesenc_si128(a, secret_at(5));
	return (uint64_t)_mm_cvtsi128_si64(a) ^ (uint64_t)_mm_extract_epi64(a, 1);
}

/* Words in pairs over two lanes; the odd last word stands alone. */
AES static inline uint64_t hash_aes_words(const uint64_t *w, unsigned int n, uint64_t basis)
{
	__m128i a = _mm_xor_si128(secret_at(0), _mm_cvtsi64_si128((int64_t)basis));
	__m128i b = secret_at(1);
	unsigned int i = 0;

	for (; i + 4 <= n; i += 4) {
		a = absorb(a, load(w + i), secret_at(2));
		b = absorb(b, load(w + i + 2), secret_at(3));
	}
	if (i + 2 <= n) {
		a = absorb(a, load(w + i), secret_at(2));
		i += 2;
	}
	if (i < n)
		b = absorb(b, _mm_loadl_epi64((const __m128i *)(const void *)(w + i)), secret_at(3));
	return finish(a, b);
}

AES static uint64_t hash_aes(const struct flow_key *key, uint64_t basis)
{
	switch (flow_key_class(key)) {
	case FLOW_KEY_K64:
		return hash_aes_words(key->w, 7, basis);
	case FLOW_KEY_K128:
		return hash_aes_words(key->w, 15, basis);
	default:
		return hash_aes_words(key->w, flow_key_n_words(key) - 1, basis);
	}
}

/* All small keys in one go: under the mask in registers, from there into the hash, with one wide store a
 * block. A mask's cache word is 0. */
AES static enum flow_key_burst mask_aes_burst(const struct flow_key keys[], unsigned int n,
	const struct flow_key masks[], uint64_t basis, struct flow_key masked[], uint64_t hashes[])
{
	const __m128i *mask = (const __m128i *)(const void *)masks[FLOW_KEY_K64].w;
	const __m128i m0 = mask[0], m1 = mask[1], m2 = mask[2], m3 = mask[3];
	const __m128i *first = (const __m128i *)(const void *)keys[0].w;
	const __m128i f0 = _mm_and_si128(first[0], m0), f1 = _mm_and_si128(first[1], m1);
	const __m128i f2 = _mm_and_si128(first[2], m2), f3 = _mm_and_si128(first[3], m3);
	const __m128i begin = _mm_xor_si128(secret_at(0), _mm_cvtsi64_si128((int64_t)basis));
	__m128i diff = _mm_setzero_si128();
	uint64_t classes = 0;

	for (unsigned int i = 0; i < n; i++) {
		const __m128i *key = (const __m128i *)(const void *)keys[i].w;
		__m128i *to = (__m128i *)(void *)masked[i].w;
		__m128i k0 = _mm_and_si128(key[0], m0), k1 = _mm_and_si128(key[1], m1);
		__m128i k2 = _mm_and_si128(key[2], m2), k3 = _mm_and_si128(key[3], m3);
		__m128i a = begin, b = secret_at(1);

		classes |= keys[i].w[0];
		if (__builtin_expect(keys[i].w[0] >> FLOW_KEY_CLASS_SHIFT != FLOW_KEY_K64, 0)) {
			flow_key_and(&masked[i], &keys[i], &masks[flow_key_class(&keys[i])]);
			hashes[i] = hash_aes(&masked[i], basis);
			continue;
		}
		to[0] = k0;
		to[1] = k1;
		to[2] = k2;
		to[3] = k3;
		diff = _mm_or_si128(diff, _mm_or_si128(
			_mm_or_si128(_mm_xor_si128(k0, f0), _mm_xor_si128(k1, f1)),
			_mm_or_si128(_mm_xor_si128(k2, f2), _mm_xor_si128(k3, f3))));
		/* As hash_aes_words() takes seven words. */
		a = absorb(absorb(a, k0, secret_at(2)), k2, secret_at(2));
		b = absorb(absorb(b, k1, secret_at(3)), k3, secret_at(3));
		hashes[i] = finish(a, b);
	}
	if (classes >> FLOW_KEY_CLASS_SHIFT)
		return FLOW_KEY_BURST_MIXED;
	return _mm_testz_si128(diff, diff) ? FLOW_KEY_BURST_SAME : FLOW_KEY_BURST_SMALL;
}
#endif

uint64_t flow_key_hash(const struct flow_key *key, uint64_t basis)
{
#ifdef __x86_64__
	if (__builtin_expect(have_aes, 1))
		return hash_aes(key, basis);
#endif
	return hash_plain(key, basis);
}

static enum flow_key_burst mask_plain_burst(const struct flow_key keys[], unsigned int n,
	const struct flow_key masks[], uint64_t basis, struct flow_key masked[], uint64_t hashes[])
{
	bool small = true, same = true;

	for (unsigned int i = 0; i < n; i++) {
		flow_key_and(&masked[i], &keys[i], &masks[flow_key_class(&keys[i])]);
		hashes[i] = hash_plain(&masked[i], basis);
		small &= flow_key_class(&keys[i]) == FLOW_KEY_K64;
		same = same && small && flow_key_equal(&masked[i], &masked[0]);
	}
	return same ? FLOW_KEY_BURST_SAME : small ? FLOW_KEY_BURST_SMALL : FLOW_KEY_BURST_MIXED;
}

enum flow_key_burst flow_key_mask_burst(const struct flow_key keys[], unsigned int n,
	const struct flow_key masks[], uint64_t basis, struct flow_key masked[], uint64_t hashes[])
{
#ifdef __x86_64__
	if (__builtin_expect(have_aes, 1))
		return mask_aes_burst(keys, n, masks, basis, masked, hashes);
#endif
	return mask_plain_burst(keys, n, masks, basis, masked, hashes);
}

uint32_t flow_key_hash_5tuple(const struct flow_key *key, uint32_t basis)
{
	struct flow flow;
	uint32_t hash;

	if (flow_key_hash_ipv4(key, basis, &hash))
		return hash;
	flow_key_expand(key, &flow, NULL);
	return flow_hash_5tuple(&flow, basis);
}
