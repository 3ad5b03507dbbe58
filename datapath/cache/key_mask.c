/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/key_mask.h"

#include <string.h>

static unsigned int n_words(enum flow_key_class class)
{
	switch (class) {
	case FLOW_KEY_K64:
		return 7;
	case FLOW_KEY_K128:
		return 15;
	default:
		return FLOW_KEY_MAX_WORDS - 1;
	}
}

/* All of each byte that has a bit in W. */
static uint64_t whole_bytes(uint64_t w)
{
	w |= w >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f);
	w |= w >> 2 & UINT64_C(0x3333333333333333);
	w |= w >> 1 & UINT64_C(0x5555555555555555);
	return (w & UINT64_C(0x0101010101010101)) * 0xff;
}

void key_mask_bits(const struct flow *wc, enum flow_key_class class, struct flow_key *bits)
{
	unsigned int n = n_words(class);

	flow_key_mask(wc, class, bits);
	for (unsigned int i = 0; i < n; i++)
		bits->w[i] = whole_bytes(bits->w[i]);
}

void key_mask_reset(struct key_mask *mask)
{
	static const struct flow nothing;
	uint64_t epoch = mask->epoch + 1;

	memset(mask, 0, sizeof *mask);
	mask->epoch = epoch;
	for (unsigned int class = 0; class < FLOW_KEY_N_CLASSES; class++)
		key_mask_bits(&nothing, (enum flow_key_class)class, &mask->bits[class]);
}

bool key_mask_need(struct key_mask *mask, enum flow_key_class class, const struct flow_key *bits)
{
	struct flow_key *have = &mask->bits[class];
	unsigned int n = n_words(class);
	uint64_t missing = 0, more = 0;

	for (unsigned int i = 0; i < n; i++) {
		missing |= bits->w[i] & ~have->w[i];
		have->w[i] |= bits->w[i];
		more |= have->w[i] & ~bits->w[i];
	}
	mask->epoch += missing != 0;
	return !more;
}
