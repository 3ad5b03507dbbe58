/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/key_mask.h"

#include <string.h>

#include "lib/coverage.h"
#include "lib/flow_key_parse.h"

COVERAGE_DEFINE(key_mask_grown);

/* What the small and middle classes have of the Ethernet header: in word 0 type, tag and TPIDs, ... */
static const uint64_t ethernet_words[] = {
	UINT64_C(0x3c) << FLOW_KEY_KIND_SHIFT | UINT64_C(0x0000ffffffff0000),
	FLOW_KEY_MAC_MASK,
	FLOW_KEY_MAC_MASK,
	0,
	UINT64_C(0xffff) << 32,	/* The inner tag. */
};

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

enum xlate_depth key_mask_depth(const struct flow_key *bits, enum flow_key_class class)
{
	uint64_t deep = 0, ethernet = 0;
	struct flow_key none;
	struct flow nothing;

	if (class == FLOW_KEY_KL)
		return XLATE_ALL;
	memset(&nothing, 0, sizeof nothing);
	key_mask_bits(&nothing, class, &none);
	for (unsigned int i = 0; i < n_words(class); i++) {
		uint64_t here = i < ARRAY_SIZE(ethernet_words) ? ethernet_words[i] : 0;

		ethernet |= (bits->w[i] ^ none.w[i]) & here;
		deep |= (bits->w[i] ^ none.w[i]) & ~here;
	}
	return deep ? XLATE_ALL : ethernet ? XLATE_ETHERNET : XLATE_PORT;
}

void key_mask_ethernet(const struct flow_key *bits, struct flow_key *small)
{
	struct flow nothing;

	memset(&nothing, 0, sizeof nothing);
	key_mask_bits(&nothing, FLOW_KEY_K64, small);
	for (unsigned int i = 0; i < ARRAY_SIZE(ethernet_words); i++)
		small->w[i] |= bits->w[i] & ethernet_words[i];
}

bool key_mask_need(struct key_mask *mask, enum xlate_depth depth, enum flow_key_class class,
	const struct flow_key *bits)
{
	struct flow_key *have = &mask->bits[class];
	unsigned int n = n_words(class);
	uint64_t missing = 0, more = 0;

	for (unsigned int i = 0; i < n; i++) {
		missing |= bits->w[i] & ~have->w[i];
		have->w[i] |= bits->w[i];
		more |= have->w[i] & ~bits->w[i];
	}
	if (unlikely(missing || depth > mask->depth)) {
		mask->epoch++;
		COVERAGE_INC(key_mask_grown);
	}
	mask->depth = MAX(mask->depth, depth);
	return !more;
}

bool key_mask_has(const struct key_mask *mask, enum flow_key_class class, const struct flow_key *bits)
{
	uint64_t missing = 0;

	for (unsigned int i = 0; i < n_words(class); i++)
		missing |= bits->w[i] & ~mask->bits[class].w[i];
	return !missing;
}

void key_mask_port(const struct key_mask *mask, dp_port_t port, struct flow_key *masked)
{
	for (unsigned int i = 1; i < 8; i++)
		masked->w[i] = 0;
	masked->w[0] = port;
	flow_key_set_outer_id(masked, (uint32_t)mask->epoch);
}

void key_mask_and(const struct key_mask *mask, const struct flow_key *key, struct flow_key *masked)
{
	flow_key_and(masked, key, &mask->bits[flow_key_class(key)]);
	flow_key_set_outer_id(masked, (uint32_t)mask->epoch);
}

void key_mask_apply(const struct key_mask *mask, const uint8_t *data, uint32_t len,
	const struct flow_key *key, struct flow_key *masked)
{
	struct flow_key_origin origin = {.in_port = (uint16_t)key->w[0], .max_vlans = FLOW_MAX_VLANS};
	struct flow_key ethernet;

	if (mask->depth == XLATE_PORT) {
		key_mask_port(mask, (uint16_t)key->w[0], masked);
	} else if (mask->depth == XLATE_ETHERNET &&
		flow_key_parse_ethernet(data, len, &origin, ethernet.w)) {
		memset(&ethernet.w[3], 0, 5 * sizeof ethernet.w[0]);
		key_mask_and(mask, &ethernet, masked);
	} else {
		key_mask_and(mask, key, masked);
	}
}
