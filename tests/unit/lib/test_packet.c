/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/flow_parse.h"
#include "lib/packet.h"
#include "lib/util.h"
#include "tests/support/packets.h"

static struct packet *sample(const char *hex)
{
	uint8_t b[256];
	size_t n = strlen(hex) / 2;
	struct flow flow;
	struct packet *p;

	assert_int_equal(parse_hex_bytes(hex, b, n), 0);
	p = packet_heap_create(b, (uint32_t)n);
	flow_extract(p, &flow);
	return p;
}

/* The offsets are what a new parse finds. */
static void assert_offsets_true(const struct packet *p)
{
	struct packet again = *p;
	struct flow flow;

	flow_extract(&again, &flow);
	assert_int_equal(p->l2_5_ofs, again.l2_5_ofs);
	assert_int_equal(p->l3_ofs, again.l3_ofs);
	assert_int_equal(p->l4_ofs, again.l4_ofs);
}

static void test_vlan_in_and_out(void **state)
{
	static const uint8_t tag[] = {0x81, 0x00, 0x20, 0x05};

	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		struct packet *p = sample(sample_packets[i]);
		uint8_t before[256];
		uint32_t len = p->len;

		memcpy(before, p->data, len);
		p->offload = PACKET_CSUM_PARTIAL;
		p->csum_start = 34;
		memcpy(packet_insert(p, 12, 4), tag, 4);
		assert_int_equal(p->len, len + 4);
		assert_int_equal(p->seg_len, len + 4);
		assert_int_equal(p->csum_start, 38);
		/* Frames that had a tag already show one only. */
		if (before[12] != 0x81 && before[12] != 0x88)
			assert_offsets_true(p);
		packet_remove(p, 12, 4);
		assert_int_equal(p->len, len);
		assert_int_equal(p->csum_start, 34);
		assert_memory_equal(p->data, before, len);
		assert_offsets_true(p);
		packet_heap_ops.free(NULL, p);
	}
}

static void test_outer_header(void **state)
{
	struct packet *p = sample(sample_packets[0]);
	uint16_t l4 = p->l4_ofs;
	uint8_t *outer = packet_push(p, 50);

	assert_non_null(outer);
	assert_ptr_equal(outer, p->data);
	memset(outer, 0, 50);
	assert_int_equal(p->l3_ofs, 64);
	assert_int_equal(p->l4_ofs, l4 + 50);
	assert_int_equal(p->l2_5_ofs, PACKET_NO_OFS);
	p->outer_l3_ofs = 14;
	p->outer_l4_ofs = 34;
	packet_insert(p, 12, 4);
	assert_int_equal(p->outer_l3_ofs, 18);
	assert_int_equal(p->outer_l4_ofs, 38);
	/* All of it away again: what was in it is nowhere. */
	packet_pull(p, 54);
	assert_int_equal(p->outer_l3_ofs, 0);
	assert_int_equal(p->outer_l4_ofs, 0);
	assert_offsets_true(p);
	packet_heap_ops.free(NULL, p);
}

static void test_pull_of_headers(void **state)
{
	struct packet *p = sample(sample_packets[0]);

	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	packet_pull(p, 20);
	assert_int_equal(p->l3_ofs, PACKET_NO_OFS);
	assert_int_equal(p->l4_ofs, 14);
	assert_int_equal(p->csum_start, 14);
	packet_pull(p, 16);
	assert_int_equal(p->l4_ofs, PACKET_NO_OFS);
	assert_int_equal(p->offload, 0);
	packet_heap_ops.free(NULL, p);
}

static void test_no_headroom(void **state)
{
	uint8_t buf[64];
	struct packet p;

	packet_init(&p, buf + 8, 56, 8);
	assert_null(packet_push(&p, 9));
	assert_int_equal(p.len, 56);
	assert_non_null(packet_push(&p, 8));
	assert_null(packet_insert(&p, 12, 1));
	packet_init(&p, buf + 8, 10, 8);
	assert_null(packet_insert(&p, 12, 4));
}

static void test_clone_and_truncate(void **state)
{
	struct packet *p = sample(sample_packets[1]), *copy;

	p->in_port = 7;
	p->tunnel.tun_id = 5;
	p->shared = true;
	copy = packet_heap_ops.clone(NULL, p);
	assert_false(copy->shared);
	assert_int_equal(copy->in_port, 7);
	assert_true(copy->tunnel.tun_id == 5);
	assert_int_equal(copy->l4_ofs, p->l4_ofs);
	assert_memory_equal(copy->data, p->data, p->len);
	copy->data[0] ^= 1;
	assert_int_not_equal(copy->data[0], p->data[0]);
	assert_non_null(packet_push(copy, 100));
	packet_heap_ops.truncate(NULL, copy, 60);
	assert_int_equal(copy->len, 60);
	assert_int_equal(copy->seg_len, 60);
	packet_heap_ops.free(NULL, copy);
	/* Chained payload is beyond the heap's means. */
	p->len++;
	assert_null(packet_heap_ops.clone(NULL, p));
	p->len--;
	packet_heap_ops.free(NULL, p);
}

/* The hash of sample I after the byte at OFS was changed. */
static uint32_t hash_with(size_t i, uint32_t ofs, uint8_t change)
{
	struct packet *p = sample(sample_packets[i]);
	uint32_t hash;

	if (ofs < p->len)
		p->data[ofs] ^= change;
	hash = packet_hash_flow(p);
	packet_heap_ops.free(NULL, p);
	return hash;
}

/* Every bit of addresses and ports counts, payload and TTL do not, and headers in front neither. */
static void test_hash_of_flow(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		struct packet *p = sample(sample_packets[i]);
		uint32_t hash = packet_hash_flow(p), l3 = p->l3_ofs, l4 = p->l4_ofs;
		bool plain = p->l2_5_ofs == PACKET_NO_OFS && l3 != PACKET_NO_OFS && l3 >= 14 &&
			p->data[l3] == 0x45 && p->data[l3 - 2] == 8 && !p->data[l3 - 1] &&
			!(p->data[l3 + 6] & 0x3f) && !p->data[l3 + 7];

		assert_int_not_equal(hash, 0);
		assert_int_equal(hash_with(i, 0, 0), hash);
		if (plain) {
			for (uint32_t ofs = l3 + 12; ofs < l3 + 20; ofs++)
				assert_int_not_equal(hash_with(i, ofs, 1), hash);
			assert_int_equal(hash_with(i, l3 + 8, 1), hash);
			assert_int_equal(hash_with(i, 0, 1), hash);
			if (p->data[l3 + 9] == 6 || p->data[l3 + 9] == 17) {
				assert_int_not_equal(hash_with(i, l4, 0x80), hash);
				assert_int_not_equal(hash_with(i, l4 + 3, 1), hash);
				assert_int_equal(hash_with(i, l4 + 6, 1), hash);
			}
			memset(packet_push(p, 50), 0xee, 50);
			assert_int_equal(packet_hash_flow(p), hash);
		}
		packet_heap_ops.free(NULL, p);
	}
}

/* No fragment shows ports, so that all of a datagram go one way. */
static void test_hash_of_fragments(void **state)
{
	static const char first[] = "020000000002020000000001080045000024000120004011000a0000010a000002"
				    "00000400080000100000";
	static const char later[] = "020000000002020000000001080045000024000100034011000a0000010a000002"
				    "00ffffffffffffffffff";
	struct packet *a = sample(first), *b = sample(later);

	assert_int_equal(packet_hash_flow(a), packet_hash_flow(b));
	packet_heap_ops.free(NULL, a);
	packet_heap_ops.free(NULL, b);
}

static void test_hash_of_cut_packets(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		uint8_t b[256];
		size_t n = strlen(sample_packets[i]) / 2;

		assert_int_equal(parse_hex_bytes(sample_packets[i], b, n), 0);
		for (size_t len = 0; len <= n; len++) {
			struct packet *p = packet_heap_create(b, (uint32_t)len);
			struct flow flow;

			flow_extract(p, &flow);
			assert_int_not_equal(packet_hash_flow(p), 0);
			packet_heap_ops.free(NULL, p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_of_flow),
		cmocka_unit_test(test_hash_of_fragments),
		cmocka_unit_test(test_hash_of_cut_packets),
		cmocka_unit_test(test_vlan_in_and_out),
		cmocka_unit_test(test_outer_header),
		cmocka_unit_test(test_pull_of_headers),
		cmocka_unit_test(test_no_headroom),
		cmocka_unit_test(test_clone_and_truncate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
