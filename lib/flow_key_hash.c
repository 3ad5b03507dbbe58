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

#include "lib/flow_key_aes.h"

uint64_t flow_key_secret[20] __attribute__((aligned(16)));
static bool have_aes, use_aes = true;

__attribute__((constructor)) static void flow_key_hash_init(void)
{
	if (getentropy(flow_key_secret, sizeof flow_key_secret)) {
		/* A kernel without random numbers: what little differs between runs. */
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		for (unsigned int i = 0; i < ARRAY_SIZE(flow_key_secret); i++)
			flow_key_secret[i] = hash_fold((uint64_t)now.tv_nsec + i + 1,
				(uint64_t)getpid() ^ (uintptr_t)&now ^ UINT64_C(0x9e3779b97f4a7c15));
	}
#ifdef __x86_64__
	__builtin_cpu_init();
	have_aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
#endif
}

static uint64_t hash_plain(const struct flow_key *key, uint64_t basis)
{
	/* The secret is XXH3's seed: it changes the secret that all words are mixed with. */
	return XXH3_64bits_withSeed(key->w, (flow_key_n_words(key) - 1) * 8, flow_key_secret[0] ^ basis);
}

bool flow_key_has_aes(void)
{
	return __builtin_expect(have_aes && use_aes, 1);
}

void flow_key_use_aes(bool use)
{
	use_aes = use;
}

#ifdef __x86_64__
/* Words in pairs over two lanes; the odd last word stands alone. */
FLOW_KEY_AES static inline uint64_t hash_aes_words(const uint64_t *w, unsigned int n, uint64_t basis)
{
	__m128i a = flow_key_basis(basis), b = flow_key_secret_at(1);
	unsigned int i = 0;

	for (; i + 4 <= n; i += 4) {
		a = flow_key_absorb(a, flow_key_load(w + i), flow_key_secret_at(2));
		b = flow_key_absorb(b, flow_key_load(w + i + 2), flow_key_secret_at(3));
	}
	if (i + 2 <= n) {
		a = flow_key_absorb(a, flow_key_load(w + i), flow_key_secret_at(2));
		i += 2;
	}
	if (i < n)
		b = flow_key_absorb(b, _mm_loadl_epi64((const __m128i *)(const void *)(w + i)),
			flow_key_secret_at(3));
	return flow_key_finish(a, b);
}

FLOW_KEY_AES static uint64_t hash_aes(const struct flow_key *key, uint64_t basis)
{
	const uint64_t *w = key->w;

	switch (flow_key_class(key)) {
	case FLOW_KEY_K64:
		return flow_key_hash_small(flow_key_load(w), flow_key_load(w + 2), flow_key_load(w + 4),
			_mm_loadl_epi64((const __m128i *)(const void *)(w + 6)), w[6], flow_key_basis(basis));
	case FLOW_KEY_K128:
		return hash_aes_words(w, 15, basis);
	default:
		return hash_aes_words(w, flow_key_n_words(key) - 1, basis);
	}
}
#endif

uint64_t flow_key_hash(const struct flow_key *key, uint64_t basis)
{
#ifdef __x86_64__
	if (flow_key_has_aes())
		return hash_aes(key, basis);
#endif
	return hash_plain(key, basis);
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
