/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of bursts: by the short way, by the portable one, and packet by packet as misses make them. */
#include "tests/unit/datapath/pmd_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/port/mbuf.h"
#include "lib/flow_key_aes.h"
#include "tests/support/eal_fixture.h"
#include "tests/support/packets.h"

static uint32_t below(uint32_t n)
{
	return (uint32_t)random() % n;
}

/* A mask as deep as DEPTH, of fields or bits of them. */
static void random_mask(struct key_mask *mask, enum xlate_depth depth)
{
	struct flow wc;

	key_mask_reset(mask);
	mask->epoch += below(1000);
	mask->depth = depth;
	memset(&wc, 0, sizeof wc);
	if (depth == XLATE_ETHERNET) {
		wc.dl_type = below(2) ? UINT16_MAX : 0;
		memset(&wc.dl_dst, below(2) ? 0xff : 0, sizeof wc.dl_dst);
		memset(&wc.dl_src, below(2) ? 0xff : 0, sizeof wc.dl_src);
		wc.vlans[0].tci = below(2) ? UINT16_MAX : 0;
	} else {
		bool few = below(2);

		for (size_t i = 0; i < sizeof wc; i++)
			((uint8_t *)&wc)[i] = below(few ? 16 : 2) ? 0 : 0xff;
	}
	for (unsigned int c = 0; c < FLOW_KEY_N_CLASSES; c++) {
		struct flow_key bits;

		key_mask_bits(&wc, (enum flow_key_class)c, &bits);
		for (unsigned int i = 0; i < FLOW_KEY_MAX_WORDS - 1; i++)
			mask->bits[c].w[i] |= bits.w[i];
	}
}

static struct rte_mbuf *random_mbuf(bool popped)
{
	/* Outer VXLAN over IPv4 from 10.0.0.1 to 10.0.0.2. */
	static const char outer[] = "0200000000020200000000010800" "450000000000000040110000" "0a0000010a000002"
		"c00012b500000000" "0800000000004d00";
	const char *hex = sample_packets[below(4) ? below(2) : below(N_SAMPLE_PACKETS)];
	uint8_t b[320];
	size_t head = popped ? sizeof outer / 2 : 0, n = strlen(hex) / 2;
	struct rte_mbuf *m;

	if (popped)
		parse_hex_bytes(outer, b, head);
	if (popped && below(2))
		b[48] = (uint8_t)below(256);
	parse_hex_bytes(hex, b + head, n);
	for (unsigned int i = below(2) ? 0 : below(4); i > 0; i--)
		b[head + below((uint32_t)n)] = (uint8_t)random();
	if (!below(8))
		n = below((uint32_t)n + 1);
	m = mbuf_from_bytes(eal_mempool(-1), b, (uint32_t)(head + n));
	assert_non_null(m);
	m->data_off = (uint16_t)(m->data_off + head);
	m->data_len = (uint16_t)(m->data_len - head);
	m->pkt_len -= (uint32_t)head;
	return m;
}

static void fill(struct pmd_burst *burst, struct rte_mbuf **mbufs, uint64_t dressed)
{
	memset(burst->keys, 0xa5, sizeof burst->keys);
	memset(burst->masked, 0xa5, sizeof burst->masked);
	memcpy(burst->mbufs, mbufs, burst->n * sizeof *mbufs);
	burst->dressed = dressed;
	for (unsigned int i = 0; i < burst->n; i++)
		if (dressed >> i & 1)
			mbuf_packet_init(mbufs[i]);
}

/* Packet I of BURST, of whatever depth it was parsed, as a miss would have it. */
static void check_one(struct pmd_burst *burst, const struct key_mask *mask, unsigned int i)
{
	struct flow_key masked, whole, again;
	struct packet *packet;
	uint64_t w0;

	if (burst->large >> i & 1)
		masked = burst->masked[i];
	else
		key_mask_and(mask, &burst->keys[i], &masked);
	packet = pmd_dress(burst, i);
	whole = *pmd_key(burst, i);
	key_mask_apply(mask, packet->data, packet->seg_len, &whole, &again);
	assert_true(flow_key_equal(&masked, &again));
	assert_int_equal(flow_key_class(&masked) != FLOW_KEY_K64, burst->large >> i & 1);
	assert_true(burst->hashes[i] == flow_key_hash(&again, mask->epoch));
	/* Another epoch, another key. */
	w0 = masked.w[0];
	flow_key_set_outer_id(&masked, (uint32_t)mask->epoch + 1);
	assert_false(flow_key_equal(&masked, &again));
	assert_true(masked.w[0] == w0);
}

static void check_variant(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask, bool aes,
	uint64_t *bad)
{
	flow_key_use_aes(aes);
	*bad = pmd_keys(pmd, burst, mask);
	if (*bad)
		pmd_mask_keys(pmd, burst, mask);
	for (unsigned int i = 0; i < burst->n; i++)
		if (!(*bad >> i & 1))
			check_one(burst, mask, i);
	flow_key_use_aes(true);
}

static void variants_agree_with_misses(void **state)
{
	struct fx *fx = fx_create();
	struct pl_bridge *bridge = fx_bridge(fx, "br0", 1);
	struct pf *pf = pf_create(bridge, 1, false);
	struct pmd_burst *burst = xaligned_calloc(64, sizeof *burst);
	struct rte_mbuf *mbufs[PORT_BURST];
	struct key_mask mask = {.epoch = 0};

	burst->in_port = pl_port_get(fx_dp(bridge, 1));
	for (int round = 0; round < 3000; round++) {
		uint64_t dressed = below(3) ? 0 : (uint64_t)random(), bad, bad_portable;

		random_mask(&mask, below(2) ? XLATE_ETHERNET : XLATE_ALL);
		burst->n = 1 + below(PORT_BURST);
		burst->popped = !below(3);
		if (burst->popped)
			dressed = 0;
		for (unsigned int i = 0; i < burst->n; i++)
			mbufs[i] = random_mbuf(burst->popped);
		fill(burst, mbufs, dressed);
		check_variant(pf->pmd, burst, &mask, true, &bad);
		fill(burst, mbufs, dressed);
		check_variant(pf->pmd, burst, &mask, false, &bad_portable);
		assert_true(bad == bad_portable);
		rte_pktmbuf_free_bulk(mbufs, burst->n);
	}
	free(burst);
	pf_destroy(pf);
	fx_destroy(fx);
}

/* Bursts of one key are told from those in which one bit under the mask differs. */
static void equal_keys_are_noticed(void **state)
{
	struct fx *fx = fx_create();
	struct pf *pf = pf_create(fx_bridge(fx, "br0", 1), 1, false);
	struct pmd_burst *burst = xaligned_calloc(64, sizeof *burst);
	struct key_mask mask = {.epoch = 0};

	key_mask_reset(&mask);
	mask.depth = XLATE_ALL;
	memset(mask.bits[FLOW_KEY_K64].w, 0xff, 7 * 8);
	mask.bits[FLOW_KEY_K64].w[3] = 0;
	burst->n = PORT_BURST;
	for (unsigned int i = 0; i < burst->n; i++)
		burst->keys[i].w[3] = i;
	for (int aes = 0; aes < 2; aes++) {
		flow_key_use_aes(aes);
		pmd_mask_keys(pf->pmd, burst, &mask);
		assert_true(burst->same);
		for (unsigned int w = 0; w < 7; w++) {
			for (unsigned int i = 0; i < burst->n; i++) {
				burst->keys[i].w[w] ^= 1u << 31;
				pmd_mask_keys(pf->pmd, burst, &mask);
				assert_int_equal(burst->same, w == 3);
				burst->keys[i].w[w] ^= 1u << 31;
			}
		}
		burst->keys[31].w[0] = UINT64_C(1) << FLOW_KEY_CLASS_SHIFT;
		pmd_mask_keys(pf->pmd, burst, &mask);
		assert_false(burst->same);
		burst->keys[31].w[0] = 0;
	}
	free(burst);
	pf_destroy(pf);
	fx_destroy(fx);
}

static int start(void **state)
{
	eal_fixture_start(1023);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variants_agree_with_misses),
		cmocka_unit_test(equal_keys_are_noticed),
	};

	srandom(1);
	return cmocka_run_group_tests(tests, start, NULL);
}
