/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tests/support/packets.h"

static uint64_t seed = 5;

static uint32_t random32(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

static void random_bytes(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)random32();
}

static void sample_flow(size_t i, struct flow *flow)
{
	uint8_t b[256];
	size_t n = strlen(sample_packets[i]) / 2;
	struct packet p;

	parse_hex_bytes(sample_packets[i], b, n);
	packet_init(&p, b, (uint32_t)n, 0);
	flow_extract(&p, flow);
}

static void test_masks(void **state)
{
	for (int i = 0; i < 200; i++) {
		struct flow a, b, mask, other, all;

		random_bytes(&a, sizeof a);
		random_bytes(&mask, sizeof mask);
		random_bytes(&other, sizeof other);
		/* B differs from A everywhere outside the mask. */
		for (size_t k = 0; k < FLOW_WORDS; k++)
			flow_words(&b)[k] = flow_words(&a)[k] ^ ~flow_words(&mask)[k];
		assert_true(flow_equal_masked(&a, &b, &mask));
		assert_false(flow_equal(&a, &b));
		flow_mask_apply(&a, &mask);
		flow_mask_apply(&b, &mask);
		assert_true(flow_equal(&a, &b));
		assert_int_equal(flow_hash(&a, 1), flow_hash(&b, 1));

		all = mask;
		flow_mask_or(&all, &other);
		assert_true(flow_mask_is_subset(&mask, &all));
		assert_true(flow_mask_is_subset(&other, &all));
		assert_false(flow_mask_is_subset(&other, &mask));
	}
}

static void test_counts(void **state)
{
	struct flow f = {0};

	assert_int_equal(flow_n_vlans(&f), 0);
	f.vlans[0].tci = htobe16(VLAN_PRESENT);
	assert_int_equal(flow_n_vlans(&f), 1);
	f.vlans[1].tci = htobe16(VLAN_PRESENT | 5);
	assert_int_equal(flow_n_vlans(&f), 2);
	f.mpls_lse[1] = htobe32(MPLS_BOS_MASK);
	assert_int_equal(flow_n_mpls(&f), 0);
	f.dl_type = htobe16(ETH_T_MPLS);
	assert_int_equal(flow_n_mpls(&f), 2);
	f.mpls_lse[1] = 0;
	assert_int_equal(flow_n_mpls(&f), 3);
}

static void swap(void *a, void *b, size_t n)
{
	uint8_t t[16];

	memcpy(t, a, n);
	memcpy(a, b, n);
	memcpy(b, t, n);
}

static void test_symmetric_hash(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		struct flow f, back;

		sample_flow(i, &f);
		back = f;
		swap(&back.dl_src, &back.dl_dst, 6);
		swap(&back.nw_src, &back.nw_dst, 4);
		swap(&back.ipv6_src, &back.ipv6_dst, 16);
		/* Type and code of ICMP have no direction. */
		if (f.nw_proto == IP_P_TCP || f.nw_proto == IP_P_UDP || f.nw_proto == IP_P_SCTP)
			swap(&back.tp_src, &back.tp_dst, 2);
		assert_int_equal(flow_hash_symmetric_l4(&f, 9), flow_hash_symmetric_l4(&back, 9));
		assert_int_not_equal(flow_hash_symmetric_l4(&f, 9), 0);
		assert_int_not_equal(flow_hash_5tuple(&f, 9), 0);
	}
}

static void test_hashes_tell_ports_apart(void **state)
{
	struct flow f, g;

	sample_flow(0, &f);
	g = f;
	g.tp_src ^= 1;
	assert_int_not_equal(flow_hash_symmetric_l4(&f, 0), flow_hash_symmetric_l4(&g, 0));
	assert_int_not_equal(flow_hash_5tuple(&f, 0), flow_hash_5tuple(&g, 0));
	assert_int_not_equal(flow_hash_5tuple(&f, 0), flow_hash_5tuple(&f, 1));
}

/* Bits outside what flow_mask_hash_fields() says don't reach the hashes. */
static void test_hash_mask_is_complete(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		struct flow f, g, mask = {0};

		sample_flow(i, &f);
		flow_mask_hash_fields(&f, &mask);
		for (int k = 0; k < 200; k++) {
			random_bytes(&g, sizeof g);
			for (size_t w = 0; w < FLOW_WORDS; w++)
				flow_words(&g)[w] = (flow_words(&g)[w] & ~flow_words(&mask)[w]) |
					(flow_words(&f)[w] & flow_words(&mask)[w]);
			assert_int_equal(flow_hash_symmetric_l4(&f, 3), flow_hash_symmetric_l4(&g, 3));
			assert_int_equal(flow_hash_5tuple(&f, 3), flow_hash_5tuple(&g, 3));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_symmetric_hash),
		cmocka_unit_test(test_hashes_tell_ports_apart),
		cmocka_unit_test(test_hash_mask_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
