/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"

static uint64_t seed = 42;

static uint32_t random32(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

/* By the book: big-endian words, one after the other. */
static uint16_t naive(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)random32();
}

static void test_bytes(void **state)
{
	for (size_t n = 0; n < 300; n++) {
		uint8_t *p = malloc(n + 8);

		for (size_t align = 0; align < 8; align++) {
			fill(p, n + 8);
			assert_int_equal(be16toh(csum(p + align, n)), naive(p + align, n));
		}
		memset(p, 0xff, n + 8);
		assert_int_equal(be16toh(csum(p, n)), naive(p, n));
		free(p);
	}
}

static void test_updates(void **state)
{
	for (int i = 0; i < 2000; i++) {
		uint8_t p[64], q[64];
		be16 old, c16, f16, t16;
		be32 f32, t32;

		fill(p, sizeof p);
		if (i % 5 == 0)
			memset(p + 8, i % 2 ? 0xff : 0, 16);
		old = csum(p, sizeof p);

		memcpy(q, p, sizeof p);
		fill(q + 8, 2);
		memcpy(&f16, p + 8, 2);
		memcpy(&t16, q + 8, 2);
		assert_int_equal(csum_update16(old, f16, t16), csum(q, sizeof q));

		fill(q + 8, 4);
		memcpy(&f32, p + 8, 4);
		memcpy(&t32, q + 8, 4);
		assert_int_equal(csum_update32(old, f32, t32), csum(q, sizeof q));

		fill(q + 8, 6);
		c16 = csum_update_bytes(old, p + 8, q + 8, 6);
		assert_int_equal(c16, csum(q, sizeof q));

		fill(q + 8, 16);
		assert_int_equal(csum_update_bytes(old, p + 8, q + 8, 16), csum(q, sizeof q));
	}
}

static void test_crc32c(void **state)
{
	uint8_t zeros[32] = {0}, ones[32], p[100];

	/* RFC 3720, B.4. */
	memset(ones, 0xff, sizeof ones);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(crc32c(0, ones, 32), 0x62a8ab43);
	for (size_t n = 0; n < sizeof p; n++) {
		fill(p, n);
		assert_int_equal(crc32c(0, p, n), crc32c_table(0, p, n));
		assert_int_equal(crc32c(crc32c(0, p, n / 3), p + n / 3, n - n / 3), crc32c(0, p, n));
	}
}

/* Payload in pieces of 1, 2, 3, ... bytes. */
struct pieces {
	const uint8_t *p;
	size_t left;
	size_t size;
};

static const void *next_piece(void *aux, size_t *n)
{
	struct pieces *pieces = aux;
	const uint8_t *p = pieces->p;

	if (!pieces->left)
		return NULL;
	*n = MIN(++pieces->size, pieces->left);
	pieces->left -= *n;
	pieces->p += *n;
	return p;
}

/* A frame of headers and payload that is all there. */
static size_t make(uint8_t *b, const char *hex, size_t payload)
{
	size_t n = strlen(hex) / 2;

	assert_int_equal(parse_hex_bytes(hex, b, n), 0);
	fill(b + n, payload);
	return n + payload;
}

#define ETH4 "02aa0000000202aa000000010800"
#define ETH6 "02aa0000000202aa0000000186dd"
#define V4(LEN, PROTO) ETH4 "4500" LEN "0001000040" PROTO "00000a0100010a010002"
#define V6(LEN, PROTO) ETH6 "60000000" LEN PROTO "40" "20010db8000000000000000000000001" \
	"20010db8000000000000000000000002"

/* The sum over pseudo-header and transport part of B, whose transport part starts at L4, must be 0.
 */
static void assert_valid(const uint8_t *b, size_t n, size_t l4, uint8_t proto, bool v4)
{
	struct ipv6_addr src, dst;
	be32 s, d;
	uint64_t sum;

	if (v4) {
		memcpy(&s, b + 26, 4);
		memcpy(&d, b + 30, 4);
		sum = csum_pseudo_v4(s, d, proto, (uint32_t)(n - l4));
	} else {
		memcpy(&src, b + 22, 16);
		memcpy(&dst, b + 38, 16);
		sum = csum_pseudo_v6(&src, &dst, proto, (uint32_t)(n - l4));
	}
	assert_int_equal(csum_finish(csum_bytes(sum, b + l4, n - l4)), 0);
}

static void test_fill(void **state)
{
	static const struct {
		const char *hex;
		size_t payload;
		uint8_t proto;
		bool v4;
	} cases[] = {
		{V4("0049", "06") "0457005000000001000000025012200000000000", 33, IP_P_TCP, true},
		{V4("0029", "11") "08ae003500150001", 13, IP_P_UDP, true},
		{V6("0035", "06") "0457005000000001000000025012200000000000", 33, IP_P_TCP, false},
		{V6("0015", "11") "08ae003500150000", 13, IP_P_UDP, false},
		{V6("0015", "3a") "8000000000000000", 13, IP_P_ICMPV6, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* All contiguous, then with payload chained behind the headers. */
		for (int chained = 0; chained < 2; chained++) {
			uint8_t b[200];
			size_t n = make(b, cases[i].hex, cases[i].payload);
			size_t hdr = n - cases[i].payload;
			struct pieces pieces = {.p = b + hdr, .left = cases[i].payload};
			struct csum_pieces next = {next_piece, &pieces};
			struct packet p;
			struct flow f;

			packet_init(&p, b, (uint32_t)n, 0);
			if (chained)
				p.seg_len = (uint32_t)hdr;
			flow_extract(&p, &f);
			assert_true(csum_fill_l4(&p, false, &next));
			assert_valid(b, n, p.l4_ofs, cases[i].proto, cases[i].v4);
		}
	}
}

static void test_fill_others(void **state)
{
	uint8_t b[200];
	struct packet p;
	struct flow f;
	uint32_t crc;
	size_t n;

	/* UDP without a checksum keeps none; SCTP has a CRC; ICMP has no pseudo-header. */
	n = make(b, V4("0029", "11") "08ae003500150000", 13);
	packet_init(&p, b, (uint32_t)n, 0);
	flow_extract(&p, &f);
	assert_true(csum_fill_l4(&p, false, NULL));
	assert_int_equal(b[40] | b[41], 0);
	assert_true(csum_fill_l4(&p, true, NULL));
	assert_valid(b, n, 34, IP_P_UDP, true);

	n = make(b, V4("0024", "84") "0d050b590000000500000000", 4);
	packet_init(&p, b, (uint32_t)n, 0);
	flow_extract(&p, &f);
	assert_true(csum_fill_l4(&p, false, NULL));
	memcpy(&crc, b + 42, 4);
	memset(b + 42, 0, 4);
	assert_int_equal(le32toh(crc), crc32c_table(0, b + 34, n - 34));

	n = make(b, V4("0021", "01") "0800000000010001", 5);
	packet_init(&p, b, (uint32_t)n, 0);
	flow_extract(&p, &f);
	assert_true(csum_fill_l4(&p, false, NULL));
	assert_int_equal(naive(b + 34, n - 34), 0);
	assert_true(csum_fill_ipv4(&p));
	assert_int_equal(naive(b + 14, 20), 0);

	/* A first fragment: the rest of the datagram is elsewhere. */
	n = make(b, ETH4 "45000029" "00012000" "4011" "0000" "0a0100010a010002" "08ae003500150000", 13);
	packet_init(&p, b, (uint32_t)n, 0);
	flow_extract(&p, &f);
	assert_false(csum_fill_l4(&p, true, NULL));
}

static void test_partial(void **state)
{
	uint8_t b[200];
	size_t n = make(b, V4("0049", "06") "0457005000000001000000025012200000000000", 33);
	struct pieces pieces = {.p = b + 54, .left = 33};
	struct csum_pieces next = {next_piece, &pieces};
	struct packet p;
	uint16_t pseudo;
	be32 s, d;

	packet_init(&p, b, (uint32_t)n, 0);
	p.seg_len = 54;
	p.offload = PACKET_CSUM_PARTIAL;
	p.csum_start = 34;
	p.csum_offset = 16;
	memcpy(&s, b + 26, 4);
	memcpy(&d, b + 30, 4);
	pseudo = csum_fold(csum_pseudo_v4(s, d, IP_P_TCP, (uint32_t)(n - 34)));
	memcpy(b + 50, &pseudo, 2);
	assert_true(csum_finish_partial(&p, &next));
	assert_int_equal(p.offload, 0);
	assert_valid(b, n, 34, IP_P_TCP, true);

	p.offload = PACKET_CSUM_PARTIAL;
	p.csum_offset = 60;
	assert_false(csum_finish_partial(&p, &next));
	assert_int_equal(p.offload, PACKET_CSUM_PARTIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_fill_others),
		cmocka_unit_test(test_partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
