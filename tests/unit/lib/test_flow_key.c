/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/flow_key.h"
#include "lib/flow_key_aes.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tests/support/packets.h"

static uint64_t seed = 7;

static uint32_t random32(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

static uint32_t below(uint32_t n)
{
	return random32() % n;
}

/* Damages the N bytes at B, mildly: headers should mostly stay what they are. Returns the new
 * length. */
static size_t mutate(uint8_t *b, size_t n)
{
	static const uint8_t telling[] = {0, 1, 2, 4, 5, 6, 8, 17, 43, 44, 50, 51, 58, 59, 60, 132, 0x45,
		0x46, 0x60, 0x81, 0x86, 0x88, 0xdd, 0xa8, 0xe7, 0xff};

	for (uint32_t i = below(4); i > 0 && n; i--) {
		uint32_t at = below((uint32_t)n);

		switch (below(4)) {
		case 0:
			b[at] ^= (uint8_t)(1u << below(8));
			break;
		case 1:
			b[at] = telling[below(ARRAY_SIZE(telling))];
			break;
		case 2:
			b[at] = (uint8_t)random32();
			break;
		default:
			if (!below(3))
				n = at;
			break;
		}
	}
	return n;
}

static void random_tunnel(struct packet *p)
{
	struct flow_tnl *t = &p->tunnel;

	if (below(3))
		return;
	t->tun_id = htobe64(below(2) ? below(1 << 24) : (uint64_t)random32() << 16);
	t->ip_src = random32();
	t->ip_dst = random32() | 1;
	t->ip_tos = (uint8_t)random32();
	t->flags = (uint16_t)below(16);
	if (!below(4))
		t->ipv6_dst.w64[1] = random32();
	if (!below(4))
		t->gbp_id = (be16)random32();
	if (!below(3)) {
		p->geneve_opts_len = (uint8_t)(4 * below(64));
		for (int i = 0; i < p->geneve_opts_len; i++)
			p->geneve_opts[i] = (uint8_t)random32();
	}
}

/* A random packet in a buffer of its size. Free p->data. */
static void random_packet(struct packet *p)
{
	const char *hex = sample_packets[below(N_SAMPLE_PACKETS)];
	size_t n = strlen(hex) / 2;
	uint8_t b[256], *data;

	parse_hex_bytes(hex, b, n);
	n = mutate(b, n);
	data = malloc(n ? n : 1);
	memcpy(data, b, n);
	packet_init(p, data, (uint32_t)n, 0);
	if (!below(8)) {
		/* Payload is chained; perhaps a header too. */
		p->seg_len = n ? below((uint32_t)n + 1) : 0;
	}
	random_tunnel(p);
	if (!below(10))
		p->pkt_mark = random32();
}

static void poison(struct flow_key *key)
{
	memset(key, 0xa5, sizeof *key);
}

static void test_expand_gives_what_extract_gave(void **state)
{
	for (int i = 0; i < 200000; i++) {
		struct flow_limits limits = {.max_vlans = (uint8_t)(1 + below(2))};
		dp_port_t port = below(20) ? 1 + below(100) : random32() | 1, in_port;
		struct packet p, q;
		struct flow f, g;
		struct flow_key key, direct;
		const uint8_t *opts;
		int err, err2;

		random_packet(&p);
		q = p;
		poison(&key);
		poison(&direct);
		err = flow_extract_limits(&p, &limits, &f);
		err2 = flow_key_extract(&q, port, &limits, &key);
		assert_int_equal(err, err2);
		assert_int_equal(p.l2_5_ofs, q.l2_5_ofs);
		assert_int_equal(p.l3_ofs, q.l3_ofs);
		assert_int_equal(p.l4_ofs, q.l4_ofs);
		flow_key_expand(&key, &g, &in_port);
		assert_int_equal(in_port, port);
		assert_memory_equal(&f, &g, sizeof f);
		if (p.geneve_opts_len) {
			assert_int_equal(flow_key_geneve_opts(&key, &opts), p.geneve_opts_len);
			assert_memory_equal(opts, p.geneve_opts, p.geneve_opts_len);
		}

		/* Fast and thorough parser make the same key. */
		flow_key_from_flow(&f, port, p.geneve_opts, p.geneve_opts_len, &direct);
		assert_memory_equal(&key, &direct, flow_key_n_words(&direct) * 8);
		assert_int_equal(key.w[flow_key_n_words(&key) - 1], 0);
		assert_true(flow_key_equal(&key, &direct));
		assert_int_equal(flow_key_hash(&key, 1), flow_key_hash(&direct, 1));
		free(p.data);
	}
}

/* Whole fields, bits, or nothing. */
static void random_mask(struct flow *mask)
{
	uint8_t *b = (uint8_t *)mask;

	memset(mask, 0, sizeof *mask);
	for (size_t i = offsetof(struct flow, dl_dst); i < sizeof *mask; i++)
		if (!below(8))
			b[i] = below(2) ? 0xff : (uint8_t)random32();
	if (below(4))
		memset(&mask->tun_metadata, 0, sizeof mask->tun_metadata);
	mask->pkt_mark = below(2) ? random32() : 0;
}

static void test_mask_is_conservative(void **state)
{
	int equal = 0;

	for (int i = 0; i < 100000; i++) {
		struct flow_key a, b, ma, mb, km;
		struct packet p, q;
		struct flow f, g, mask;
		bool same_opts;

		/* The same packet, mutated again, so that the two are alike. */
		random_packet(&p);
		q = p;
		q.data = malloc(p.len ? p.len : 1);
		memcpy(q.data, p.data, p.len);
		if (q.len && below(4))
			q.data[below(q.len)] ^= (uint8_t)(1u << below(8));
		if (!below(8))
			q.pkt_mark = random32();
		if (q.geneve_opts_len && below(2))
			q.geneve_opts[below(q.geneve_opts_len)] ^= 1;

		random_mask(&mask);
		flow_key_extract(&p, 5, &flow_limits_default, &a);
		flow_key_extract(&q, 5, &flow_limits_default, &b);
		flow_key_mask(&mask, flow_key_class(&a), &km);
		flow_key_and(&ma, &a, &km);
		same_opts = p.geneve_opts_len == q.geneve_opts_len &&
			!memcmp(p.geneve_opts, q.geneve_opts, p.geneve_opts_len);
		if (flow_key_class(&a) == flow_key_class(&b)) {
			flow_key_and(&mb, &b, &km);
			assert_int_equal(flow_key_equal(&ma, &mb), flow_key_equal_masked(&b, &ma, &km));
			if (flow_key_equal(&ma, &mb)) {
				equal++;
				flow_key_expand(&a, &f, NULL);
				flow_key_expand(&b, &g, NULL);
				assert_true(flow_equal_masked(&f, &g, &mask));
				if (mask.tun_metadata.present)
					assert_true(same_opts);
				assert_int_equal(flow_key_hash(&ma, 9), flow_key_hash(&mb, 9));
			}
		} else {
			assert_false(flow_key_equal(&a, &b));
		}
		free(p.data);
		free(q.data);
	}
	/* The test means something. */
	assert_true(equal > 10000);
}

static void test_mask_is_not_wider_than_needed(void **state)
{
	uint8_t b[256];
	struct flow mask = {0};
	struct flow_key key, km;
	struct packet p;

	/* Only addresses of Ethernet: ports, IP addresses and the rest of the words are free. */
	memset(&mask.dl_dst, 0xff, 6);
	flow_key_mask(&mask, FLOW_KEY_K64, &km);
	assert_true(km.w[1] == UINT64_C(0x0000ffffffffffff));
	assert_true(km.w[2] == 0 && km.w[3] == 0 && km.w[4] == 0 && km.w[6] == 0);
	/* Matching ARP's addresses leaves IPv4 ports alone, and IPv6 flow labels. */
	memset(&mask.arp_sha, 0xff, 6);
	mask.nw_src = BE32_MAX;
	flow_key_mask(&mask, FLOW_KEY_K64, &km);
	assert_true(km.w[4] == 0);
	flow_key_mask(&mask, FLOW_KEY_K128, &km);
	assert_true(km.w[3] == 0 && km.w[7] == 0);

	parse_hex_bytes(sample_packets[0], b, strlen(sample_packets[0]) / 2);
	packet_init(&p, b, (uint32_t)(strlen(sample_packets[0]) / 2), 0);
	flow_key_extract(&p, 3, &flow_limits_default, &key);
	assert_int_equal(flow_key_class(&key), FLOW_KEY_K64);
	assert_int_equal(flow_key_n_words(&key), 8);
}

static void test_5tuple_hash_is_that_of_the_flow(void **state)
{
	for (int i = 0; i < 50000; i++) {
		struct flow_limits limits = {.max_vlans = 2};
		struct flow_key key;
		struct packet p;
		struct flow f;

		random_packet(&p);
		if (flow_key_extract(&p, 1, &limits, &key) != -EINVAL) {
			flow_key_expand(&key, &f, NULL);
			assert_int_equal(flow_key_hash_5tuple(&key, 5), flow_hash_5tuple(&f, 5));
		}
		free(p.data);
	}
}

static void test_outer_id(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		uint8_t b[256];
		size_t n = strlen(sample_packets[i]) / 2;
		struct flow_key key, other, km;
		struct flow mask = {0};
		struct packet p;

		parse_hex_bytes(sample_packets[i], b, n);
		packet_init(&p, b, (uint32_t)n, 0);
		flow_key_extract(&p, 3, &flow_limits_default, &key);
		other = key;
		assert_int_equal(flow_key_outer_id(&key), 0);
		flow_key_set_outer_id(&key, 0xdeadbeef);
		assert_int_equal(flow_key_outer_id(&key), 0xdeadbeef);
		assert_false(flow_key_equal(&key, &other));
		/* No mask does without it. */
		flow_key_mask(&mask, flow_key_class(&key), &km);
		flow_key_and(&key, &key, &km);
		flow_key_and(&other, &other, &km);
		assert_false(flow_key_equal(&key, &other));
	}
}

static void test_burst_equals_single(void **state)
{
	static struct flow_key keys[32];
	struct packet p[32], *pp[32];
	struct flow_key key;
	uint64_t runts;

	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 32; i++) {
			random_packet(&p[i]);
			pp[i] = &p[i];
		}
		runts = flow_key_extract_burst(pp, 32, 9, &flow_limits_default, keys);
		for (int i = 0; i < 32; i++) {
			int err = flow_key_extract(&p[i], 9, &flow_limits_default, &key);

			assert_int_equal(err == -EINVAL, runts >> i & 1);
			assert_true(flow_key_equal(&key, &keys[i]));
			free(p[i].data);
		}
	}
}

/* One-bit changes of a key move about half of the hash's bits, in every word; the cache's has none.
 */
static void hash_spreads(void)
{
	struct flow_key key;
	uint64_t base;

	for (size_t c = 0; c < 2; c++) {
		memset(&key, 0, sizeof key);
		key.w[0] = (uint64_t)c << FLOW_KEY_CLASS_SHIFT | 1;
		base = flow_key_hash(&key, 0);
		for (unsigned int i = 0; i < flow_key_n_words(&key) - 1; i++) {
			for (int bit = 0; bit < (i ? 64 : 56); bit++) {
				uint64_t h;

				key.w[i] ^= UINT64_C(1) << bit;
				h = flow_key_hash(&key, 0);
				assert_in_range(__builtin_popcountll(h ^ base), 10, 54);
				key.w[i] ^= UINT64_C(1) << bit;
			}
		}
		key.w[flow_key_n_words(&key) - 1] = 99;
		assert_true(flow_key_hash(&key, 0) == base);
		assert_true(flow_key_hash(&key, 1) != base);
	}
}

static void test_hash_spreads(void **state)
{
	hash_spreads();
	flow_key_use_aes(false);
	hash_spreads();
	flow_key_use_aes(true);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Prints what parsing and hashing cost: with SLUICE_BENCH set, for people. */
static void test_speed(void **state)
{
	static const int kinds[] = {0, 1, 9, 13, 21};
	static struct flow_key keys[32];
	struct packet p[32], *pp[32];
	uint64_t sum = 0;

	if (!getenv("SLUICE_BENCH"))
		skip();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const char *hex = sample_packets[kinds[k]];
		size_t n = strlen(hex) / 2;
		static uint8_t b[32][256];
		double t0, t1, t2;

		for (int i = 0; i < 32; i++) {
			parse_hex_bytes(hex, b[i], n);
			packet_init(&p[i], b[i], (uint32_t)n, 0);
			pp[i] = &p[i];
		}
		t0 = now_ns();
		for (int r = 0; r < 100000; r++)
			flow_key_extract_burst(pp, 32, 9, &flow_limits_default, keys);
		t1 = now_ns();
		for (int r = 0; r < 100000; r++) {
			flow_key_extract_burst(pp, 32, 9, &flow_limits_default, keys);
			for (int i = 0; i < 32; i++)
				sum += flow_key_hash(&keys[i], 77);
		}
		t2 = now_ns();
		printf("packet %d: parse %.1f ns, with hash %.1f ns (%u)\n", kinds[k], (t1 - t0) / 3.2e6,
			(t2 - t1) / 3.2e6, (unsigned int)(sum & 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand_gives_what_extract_gave),
		cmocka_unit_test(test_mask_is_conservative),
		cmocka_unit_test(test_mask_is_not_wider_than_needed),
		cmocka_unit_test(test_5tuple_hash_is_that_of_the_flow),
		cmocka_unit_test(test_outer_id),
		cmocka_unit_test(test_burst_equals_single),
		cmocka_unit_test(test_hash_spreads),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
