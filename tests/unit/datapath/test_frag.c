/* SPDX-License-Identifier: Apache-2.0 */

/* What is cut can be put together again, in any order; what does not fit together is lost and counted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <rte_cycles.h>
#include <string.h>

#include "datapath/packet/defrag.h"
#include "datapath/packet/frag.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "tests/support/eal_fixture.h"

#define MAX_PIECES 64

static struct defrag *defrag;

static int setup(void **state)
{
	defrag = defrag_create();
	return defrag ? 0 : -1;
}

static int teardown(void **state)
{
	defrag_destroy(defrag);
	return 0;
}

/* A datagram of N bytes behind the IP header: UDP to port 4789 with a checksum. TAGGED: a VLAN tag. */
static struct rte_mbuf *datagram(bool is_ipv6, bool tagged, uint32_t n, uint8_t seed)
{
	uint32_t l3 = tagged ? 18 : 14, l4 = l3 + (is_ipv6 ? 40 : 20);
	uint8_t bytes[20000] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	uint8_t *p = bytes + 12;
	be16 sum, len = htobe16((uint16_t)n);
	struct ipv6_addr a6 = {.b = {0xfd, [15] = 1}}, b6 = {.b = {0xfd, [15] = 2}};
	be32 a4 = htobe32(0x0a000001), b4 = htobe32(0x0a000002);
	struct rte_mbuf *m;
	struct packet *packet;

	if (tagged) {
		memcpy(p, "\x81\x00\x00\x05", 4);
		p += 4;
	}
	memcpy(p, is_ipv6 ? "\x86\xdd" : "\x08\x00", 2);
	if (is_ipv6) {
		struct ipv6_header *ip = (struct ipv6_header *)(bytes + l3);

		ip->flow = htobe32(UINT32_C(6) << 28);
		ip->plen = len;
		ip->nexthdr = IP_P_UDP;
		ip->hlim = 64;
		memcpy(ip->src, &a6, 16);
		memcpy(ip->dst, &b6, 16);
	} else {
		struct ipv4_header *ip = (struct ipv4_header *)(bytes + l3);

		ip->ver_ihl = 0x45;
		ip->tot_len = htobe16((uint16_t)(20 + n));
		ip->ttl = 64;
		ip->proto = IP_P_UDP;
		memcpy(ip->src, &a4, 4);
		memcpy(ip->dst, &b4, 4);
		ip->csum = csum(ip, 20);
	}
	for (uint32_t i = 8; i < n; i++)
		bytes[l4 + i] = (uint8_t)(i * 7 + i / 256 + seed);
	memcpy(bytes + l4, "\x30\x00\x12\xb5", 4);
	memcpy(bytes + l4 + 4, &len, 2);
	sum = csum_finish_udp(csum_bytes(is_ipv6 ? csum_pseudo_v6(&a6, &b6, IP_P_UDP, n)
						 : csum_pseudo_v4(a4, b4, IP_P_UDP, n),
		bytes + l4, n));
	memcpy(bytes + l4 + 6, &sum, 2);
	m = mbuf_from_bytes(eal_mempool(-1), bytes, l4 + n);
	packet = mbuf_packet(m);
	packet->l3_ofs = packet->outer_l3_ofs = (uint16_t)l3;
	packet->outer_l4_ofs = (uint16_t)l4;
	packet->outer_proto = IP_P_UDP;
	return m;
}

/* Cuts M, which goes, for MTU; each piece is a frame as it would be received. */
static unsigned int cut(struct rte_mbuf *m, uint32_t mtu, struct rte_mbuf **pieces)
{
	uint16_t l3 = mbuf_packet(m)->outer_l3_ofs;
	unsigned int n = 0;
	struct frag frag;

	assert_int_equal(frag_begin(&frag, m, m->pool, mtu), 0);
	while (frag_has_next(&frag)) {
		pieces[n] = frag_next(&frag);
		assert_non_null(pieces[n]);
		assert_true(pieces[n]->pkt_len - l3 <= mtu);
		mbuf_packet(pieces[n++])->l3_ofs = l3;
	}
	rte_pktmbuf_free(m);
	return n;
}

static uint32_t bytes_of(const struct packet *p, uint8_t *buf)
{
	uint32_t n = 0;

	for (const struct rte_mbuf *m = packet_mbuf(p); m; m = m->next) {
		memcpy(buf + n, rte_pktmbuf_mtod(m, const void *), m->data_len);
		n += m->data_len;
	}
	assert_int_equal(n, p->len);
	return n;
}

static void round_trip(bool is_ipv6, bool tagged, uint32_t len, uint32_t mtu, unsigned int rotate)
{
	static uint8_t before[20000], after[20000];
	struct rte_mbuf *m = datagram(is_ipv6, tagged, len, 1), *pieces[MAX_PIECES];
	uint32_t n_before = bytes_of(mbuf_packet(m), before), bad;
	unsigned int n = cut(m, mtu, pieces);
	struct packet *p = NULL;

	for (unsigned int i = 0; i < n; i++) {
		assert_null(p);
		p = defrag_add(defrag, mbuf_packet(pieces[(i + rotate) % n]), rte_rdtsc());
	}
	assert_non_null(p);
	assert_int_equal(bytes_of(p, after), n_before);
	/* The number that was given for the fragments, and its sum, stay. */
	if (!is_ipv6) {
		memset(before + p->l3_ofs + 4, 0, 2);
		memset(after + p->l3_ofs + 4, 0, 2);
		memset(before + p->l3_ofs + 10, 0, 2);
		assert_int_equal(csum(p->data + p->l3_ofs, 20), 0);
		memset(after + p->l3_ofs + 10, 0, 2);
	}
	assert_memory_equal(after, before, n_before);
	assert_int_equal(p->l4_ofs, p->l3_ofs + (is_ipv6 ? 40 : 20));
	rte_pktmbuf_free(packet_mbuf(p));
	assert_int_equal(defrag_take_lost(defrag, &bad), 0);
	assert_int_equal(bad, 0);
}

static void test_round_trip(void **state)
{
	for (unsigned int rotate = 0; rotate < 3; rotate++) {
		for (int tagged = 0; tagged < 2; tagged++) {
			round_trip(false, tagged, 1550, 1500, rotate);
			round_trip(true, tagged, 1550, 1500, rotate);
			round_trip(false, tagged, 9000, 1500, rotate);
			round_trip(true, tagged, 9000, 1500, rotate);
			round_trip(false, tagged, 1481, 1500, rotate);
			round_trip(false, tagged, 15000, 9000, rotate);
		}
	}
}

static void test_not_to_be_cut(void **state)
{
	struct rte_mbuf *m = datagram(false, false, 1600, 1);
	struct packet *p = mbuf_packet(m);
	struct ipv4_header *ip = (struct ipv4_header *)(p->data + 14);
	struct frag frag;

	assert_true(frag_is_allowed(p));
	ip->frag_off = htobe16(IPV4_DF);
	assert_false(frag_is_allowed(p));
	p->offload |= PACKET_MAY_FRAGMENT;
	assert_true(frag_is_allowed(p));
	ip->frag_off = htobe16(IPV4_MF);
	assert_int_equal(frag_begin(&frag, m, m->pool, 1500), -EINVAL);
	ip->frag_off = 0;
	assert_int_equal(frag_begin(&frag, m, m->pool, 27), -EINVAL);
	rte_pktmbuf_free(m);

	m = datagram(true, false, 1600, 1);
	assert_false(frag_is_allowed(mbuf_packet(m)));
	rte_pktmbuf_free(m);
}

/* What never becomes whole: gone after its time. */
static void test_lost(void **state)
{
	struct rte_mbuf *pieces[MAX_PIECES];
	uint64_t now = rte_rdtsc();
	uint32_t bad;

	assert_int_equal(cut(datagram(false, false, 1600, 1), 1500, pieces), 2);
	assert_null(defrag_add(defrag, mbuf_packet(pieces[0]), now));
	rte_pktmbuf_free(pieces[1]);
	defrag_expire(defrag, now + 1);
	assert_int_equal(defrag_take_lost(defrag, &bad), 0);
	defrag_expire(defrag, now + rte_get_tsc_hz() * 3);
	assert_int_equal(defrag_take_lost(defrag, &bad), 1);

	/* A checksum that is wrong over all the pieces. */
	assert_int_equal(cut(datagram(true, false, 1600, 1), 1500, pieces), 2);
	mbuf_packet(pieces[1])->data[70] ^= 1;
	assert_null(defrag_add(defrag, mbuf_packet(pieces[0]), now));
	assert_null(defrag_add(defrag, mbuf_packet(pieces[1]), now));
	assert_int_equal(defrag_take_lost(defrag, &bad), 0);
	assert_int_equal(bad, 1);
}

/* Overlaps, holes, impossible lengths, cut headers: nothing comes of them, no memory stays. */
static void test_abuse(void **state)
{
	struct rte_mempool *pool = eal_mempool(-1);
	unsigned int avail = rte_mempool_avail_count(pool);
	struct rte_mbuf *pieces[MAX_PIECES];
	uint64_t now = rte_rdtsc();
	uint32_t bad;

	for (unsigned int round = 0; round < 3000; round++) {
		bool is_ipv6 = round & 1;
		unsigned int n = cut(datagram(is_ipv6, false, 3100, (uint8_t)round), 1500, pieces);

		for (unsigned int i = 0; i < n; i++) {
			struct packet *p = mbuf_packet(pieces[i]), *whole;
			unsigned int at = 14 + (round * 31 + i * 17) % 60;

			p->data[at] ^= (uint8_t)(1u << round % 8);
			if (!is_ipv6) {
				struct ipv4_header *ip = (struct ipv4_header *)(p->data + 14);

				ip->csum = 0;
				ip->csum = csum(ip, 20);
			}
			if (round % 5 == 4 && i == 1) {
				uint32_t len = round % 100;

				pieces[i]->data_len = (uint16_t)len;
				pieces[i]->pkt_len = p->len = p->seg_len = len;
			}
			whole = defrag_add(defrag, p, now);
			if (whole)
				rte_pktmbuf_free(packet_mbuf(whole));
		}
		now += rte_get_tsc_hz() / 1000;
	}
	defrag_expire(defrag, now + rte_get_tsc_hz() * 3);
	defrag_take_lost(defrag, &bad);
	assert_int_equal(rte_mempool_avail_count(pool), avail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test(test_not_to_be_cut),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abuse, setup, teardown),
	};

	eal_fixture_start(2047);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
