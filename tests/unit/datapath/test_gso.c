/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Frames are described by stacks of headers; the pieces are checked with the same stack: lengths
 * and checksums by a naive sum, payload byte by byte.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "datapath/packet/gso.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tests/support/eal_fixture.h"

enum layer {
	END,
	ETH,
	VLAN,
	MPLS,
	PBB,
	IP4,
	IP4_DF,
	IP6,
	IP6_RH,
	UDP_T,
	UDP_T_CSUM,
	VXLAN,
	GENEVE,
	GRE_L,
	GRE_KEY_CSUM_SEQ,
	TCP,
	UDP
};

#define MAX_LAYERS 16

struct frame {
	uint8_t bytes[70000];
	uint32_t len, ofs[MAX_LAYERS];
	const enum layer *layers;
	int n;
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned int get16(const uint8_t *p)
{
	return (unsigned int)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* The byte-wise definition of RFC 1071. */
static uint32_t naive_sum(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

static uint32_t header_len(enum layer l)
{
	static const uint8_t lens[] = {[ETH] = 14,
		[VLAN] = 4,
		[MPLS] = 4,
		[PBB] = 4,
		[IP4] = 20,
		[IP4_DF] = 24,
		[IP6] = 40,
		[IP6_RH] = 64,
		[UDP_T] = 8,
		[UDP_T_CSUM] = 8,
		[VXLAN] = 8,
		[GENEVE] = 20,
		[GRE_L] = 4,
		[GRE_KEY_CSUM_SEQ] = 16,
		[TCP] = 32,
		[UDP] = 8};

	return lens[l];
}

static unsigned int eth_type_of(enum layer l)
{
	switch (l) {
	case VLAN:
		return 0x8100;
	case MPLS:
		return 0x8847;
	case PBB:
		return 0x88e7;
	case IP4:
	case IP4_DF:
		return 0x0800;
	case IP6:
	case IP6_RH:
		return 0x86dd;
	default:
		return 0x6558;
	}
}

static uint8_t proto_of(enum layer l)
{
	return l == TCP ? 6 : l == GRE_L || l == GRE_KEY_CSUM_SEQ ? 47 : 17;
}

static uint32_t pseudo(const struct frame *f, int ip, uint8_t proto, uint32_t len)
{
	const uint8_t *p = f->bytes + f->ofs[ip];
	uint32_t sum = f->layers[ip] == IP4 || f->layers[ip] == IP4_DF ? naive_sum(0, p + 12, 8)
		       : f->layers[ip] == IP6_RH ? naive_sum(naive_sum(0, p + 8, 16), p + 48, 16)
						 : naive_sum(0, p + 8, 32);
	return naive_sum(sum + proto + len, NULL, 0);
}

static void build_layer(struct frame *f, int i, uint32_t total)
{
	enum layer l = f->layers[i], next = i + 1 < f->n ? f->layers[i + 1] : END;
	uint8_t *p = f->bytes + f->ofs[i];
	uint32_t rest = total - f->ofs[i];

	switch (l) {
	case ETH:
		memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
		put16(p + 12, eth_type_of(next));
		break;
	case VLAN:
		put16(p, 0x2005);
		put16(p + 2, eth_type_of(next));
		break;
	case MPLS:
		memcpy(p, "\0\1\1\x40", 4);
		break;
	case PBB:
		memcpy(p, "\0\0\1\2", 4);
		break;
	case IP4:
	case IP4_DF:
		p[0] = l == IP4 ? 0x45 : 0x46;
		put16(p + 2, rest);
		put16(p + 4, 0xfffe);
		put16(p + 6, l == IP4_DF ? 0x4000 : 0);
		p[8] = 64;
		p[9] = proto_of(next);
		memcpy(p + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
		if (l == IP4_DF)
			memcpy(p + 20, "\1\1\1\0", 4);
		put16(p + 10, ~naive_sum(0, p, header_len(l)) & 0xffff);
		break;
	case IP6:
	case IP6_RH:
		p[0] = 0x60;
		put16(p + 4, rest - 40);
		p[6] = l == IP6 ? proto_of(next) : 43;
		p[7] = 64;
		memcpy(p + 8, "\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
		memcpy(p + 24, "\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
		if (l == IP6_RH) {
			memcpy(p + 40, "\0\2\2\1\0\0\0\0", 8);
			p[40] = proto_of(next);
			memcpy(p + 48, "\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\3", 16);
		}
		break;
	case UDP_T:
	case UDP_T_CSUM:
		put16(p, 40000);
		put16(p + 2, next == VXLAN ? 4789 : 6081);
		put16(p + 4, rest);
		put16(p + 6, l == UDP_T_CSUM ? 0xffff : 0);
		break;
	case VXLAN:
		memcpy(p, "\x08\0\0\0\0\0\5\0", 8);
		break;
	case GENEVE:
		memcpy(p, "\3\0\x65\x58\0\0\5\0\1\2\x80\2\1\2\3\4\5\6\7\x08", 20);
		break;
	case GRE_L:
		put16(p, 0);
		put16(p + 2, eth_type_of(next));
		break;
	case GRE_KEY_CSUM_SEQ:
		memcpy(p, "\xb0\0\x65\x58\0\0\0\0\0\0\0\x07\xff\xff\xff\xff", 16);
		break;
	case TCP:
		put16(p, 1000);
		put16(p + 2, 80);
		memcpy(p + 4, "\xff\xff\xff\x00", 4);
		put16(p + 12, 0x8000 | TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR);
		put16(p + 16, pseudo(f, i - 1, 6, rest));
		break;
	case UDP:
		put16(p + 4, rest);
		put16(p + 6, pseudo(f, i - 1, 17, rest));
		break;
	case END:
		break;
	}
}

static void build(struct frame *f, const enum layer *layers, uint32_t payload)
{
	memset(f->bytes, 0, 1000);
	f->layers = layers;
	f->len = 0;
	for (f->n = 0; layers[f->n] != END; f->n++) {
		f->ofs[f->n] = f->len;
		f->len += header_len(layers[f->n]);
	}
	for (uint32_t i = 0; i < payload; i++)
		f->bytes[f->len + i] = (uint8_t)(i * 31 >> 2);
	f->len += payload;
	for (int i = 0; i < f->n; i++)
		build_layer(f, i, f->len);
}

static struct rte_mbuf *to_mbuf(const struct frame *f, uint16_t gso_size)
{
	struct rte_mbuf *m = mbuf_from_bytes(eal_mempool(-1), f->bytes, f->len);
	struct packet *p = mbuf_packet(m);
	bool tcp = f->layers[f->n - 1] == TCP;

	assert_non_null(m);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = (uint16_t)f->ofs[f->n - 1];
	p->csum_offset = tcp ? 16 : 6;
	p->gso_type = !gso_size ? PACKET_GSO_NONE : !tcp ? PACKET_GSO_UDP_L4 : PACKET_GSO_TCPV4;
	p->gso_size = gso_size;
	p->in_port = 5;
	return m;
}

/* The headers of piece I of N, whose bytes are in G with F's layout. */
static void check_headers(const struct frame *f, const struct frame *g, unsigned int i,
	unsigned int n, unsigned int gso_size)
{
	int innermost = 0;

	for (int k = 0; k < f->n; k++)
		if (f->layers[k] == IP4 || f->layers[k] == IP4_DF)
			innermost = k;
	for (int k = 0; k < f->n; k++) {
		const uint8_t *p = g->bytes + f->ofs[k], *was = f->bytes + f->ofs[k];
		uint32_t rest = g->len - f->ofs[k];
		bool changes_id;

		switch (f->layers[k]) {
		case IP4:
		case IP4_DF:
			assert_int_equal(get16(p + 2), rest);
			assert_int_equal(naive_sum(0, p, header_len(f->layers[k])), 0xffff);
			changes_id = f->layers[k] == IP4 || (k == innermost && f->n - 1 == k + 1);
			assert_int_equal(get16(p + 4), (0xfffe + (changes_id ? i : 0)) & 0xffff);
			break;
		case IP6:
		case IP6_RH:
			assert_int_equal(get16(p + 4), rest - 40);
			break;
		case UDP_T:
			assert_int_equal(get16(p + 4), rest);
			assert_int_equal(get16(p + 6), 0);
			break;
		case UDP_T_CSUM:
			assert_int_equal(get16(p + 4), rest);
			assert_int_equal(naive_sum(pseudo(g, k - 1, 17, rest), p, rest), 0xffff);
			break;
		case GRE_KEY_CSUM_SEQ:
			assert_int_equal(naive_sum(0, p, rest), 0xffff);
			assert_int_equal(get32(p + 12), 0xffffffff + i);
			break;
		case TCP: {
			unsigned int flags = TCP_ACK;

			flags |= i + 1 == n ? TCP_PSH | TCP_FIN : 0;
			flags |= i == 0 ? TCP_CWR : 0;
			assert_int_equal(get32(p + 4), 0xffffff00 + i * gso_size);
			assert_int_equal(get16(p + 12), 0x8000 | flags);
			assert_int_equal(naive_sum(pseudo(g, k - 1, 6, rest), p, rest), 0xffff);
			break;
		}
		case UDP:
			assert_int_equal(get16(p + 4), rest);
			assert_int_equal(naive_sum(pseudo(g, k - 1, 17, rest), p, rest), 0xffff);
			break;
		default:
			assert_memory_equal(p, was, header_len(f->layers[k]));
		}
	}
}

static void flatten(const struct rte_mbuf *m, struct frame *g)
{
	g->len = 0;
	for (const struct rte_mbuf *s = m; s; s = s->next) {
		memcpy(g->bytes + g->len, rte_pktmbuf_mtod(s, const void *), s->data_len);
		g->len += s->data_len;
	}
	assert_int_equal(g->len, m->pkt_len);
}

static void check_stack(const enum layer *layers, uint32_t payload, uint16_t gso_size)
{
	static struct frame f, g;
	unsigned int available = rte_mempool_avail_count(eal_mempool(-1)), i = 0;
	uint32_t headers, done = 0;
	struct rte_mbuf *m, *piece;
	struct gso gso;

	build(&f, layers, payload);
	headers = f.len - payload;
	m = to_mbuf(&f, gso_size);
	g.layers = layers;
	memcpy(g.ofs, f.ofs, sizeof f.ofs);
	assert_int_equal(gso_begin(&gso, m, m->pool), 0);
	assert_int_equal(gso_piece_len(&gso), headers + MIN(payload, (uint32_t)gso_size));
	while ((piece = gso_next(&gso))) {
		const struct packet *p = mbuf_packet(piece);

		flatten(piece, &g);
		assert_int_equal(p->len, g.len);
		assert_int_equal(p->offload | p->gso_type, 0);
		assert_int_equal(p->in_port, 5);
		assert_true(g.len > headers || !payload);
		check_headers(&f, &g, i, gso.n_pieces, gso_size);
		assert_memory_equal(g.bytes + headers, f.bytes + headers + done, g.len - headers);
		done += g.len - headers;
		rte_pktmbuf_free(piece);
		i++;
	}
	assert_int_equal(done, payload);
	assert_int_equal(i, gso.n_pieces);
	rte_pktmbuf_free(m);
	assert_int_equal(rte_mempool_avail_count(eal_mempool(-1)), available);
}

#define STACK(...)                                                                                 \
	(const enum layer[])                                                                       \
	{                                                                                          \
		__VA_ARGS__, END                                                                   \
	}

static void test_plain(void **state)
{
	check_stack(STACK(ETH, IP4, TCP), 5000, 1448);
	check_stack(STACK(ETH, IP4, TCP), 65000, 1448);
	check_stack(STACK(ETH, IP4_DF, TCP), 4344, 1448);
	check_stack(STACK(ETH, IP6, TCP), 3001, 1428);
	check_stack(STACK(ETH, IP6_RH, TCP), 3001, 1001);
	check_stack(STACK(ETH, IP4, UDP), 3001, 999);
	check_stack(STACK(ETH, IP6, UDP), 3001, 1000);
	check_stack(STACK(ETH, VLAN, VLAN, IP4, TCP), 3000, 1001);
	check_stack(STACK(ETH, MPLS, IP4, TCP), 3000, 1448);
	check_stack(STACK(ETH, PBB, ETH, VLAN, IP6, TCP), 3000, 1448);
	/* Pieces longer than a buffer, one piece, none. */
	check_stack(STACK(ETH, IP4, TCP), 40000, 8961);
	check_stack(STACK(ETH, IP4, TCP), 100, 1448);
	check_stack(STACK(ETH, IP4, TCP), 0, 1448);
}

static void test_tunnels(void **state)
{
	check_stack(STACK(ETH, IP4_DF, UDP_T, VXLAN, ETH, IP4, TCP), 6000, 1398);
	check_stack(STACK(ETH, IP4_DF, UDP_T, VXLAN, ETH, IP4_DF, TCP), 6000, 1398);
	check_stack(STACK(ETH, VLAN, IP4, UDP_T_CSUM, VXLAN, ETH, VLAN, IP6, TCP), 6000, 1399);
	check_stack(STACK(ETH, IP6, UDP_T_CSUM, VXLAN, ETH, IP4, UDP), 6000, 1001);
	check_stack(STACK(ETH, IP4, UDP_T_CSUM, GENEVE, ETH, IP4, TCP), 6000, 1398);
	check_stack(STACK(ETH, IP4, GRE_L, ETH, IP4, TCP), 6000, 1398);
	check_stack(STACK(ETH, IP4, GRE_L, IP4, TCP), 6000, 1398);
	check_stack(STACK(ETH, IP6, GRE_KEY_CSUM_SEQ, ETH, IP6, TCP), 6000, 1399);
	check_stack(
		STACK(ETH, IP4, UDP_T_CSUM, VXLAN, ETH, IP4_DF, GRE_KEY_CSUM_SEQ, ETH, IP4, TCP),
		9000, 1301);
	check_stack(STACK(ETH, IP4, UDP_T_CSUM, GENEVE, ETH, IP4, UDP_T_CSUM, VXLAN, ETH, IP4, TCP),
		9000, 8900);
}

static int begin(struct rte_mbuf *m)
{
	struct gso gso;
	int err = gso_begin(&gso, m, m->pool);

	rte_pktmbuf_free(m);
	return err;
}

static void test_malformed(void **state)
{
	static struct frame f;
	struct rte_mbuf *m;

	build(&f, STACK(ETH, IP4, TCP), 3000);
	assert_int_equal(begin(to_mbuf(&f, 1000)), 0);
	/* More pieces than anybody needs. */
	assert_int_equal(begin(to_mbuf(&f, 1)), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->gso_size = 0;
	assert_int_equal(begin(m), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->csum_start = 35;
	assert_int_equal(begin(m), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->csum_start = 2047;
	assert_int_equal(begin(m), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->csum_start = 60000;
	assert_int_equal(begin(m), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->data[34 + 12] = 0x40; /* A TCP header of 16 bytes. */
	assert_int_equal(begin(m), -EINVAL);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->gso_type = PACKET_GSO_UDP_L4;
	assert_int_equal(begin(m), -EINVAL);
	/* An encapsulation we don't know: what is before the last IP header is repeated. */
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->data[12] = 0x12;
	assert_int_equal(begin(m), 0);
	/* Every byte of the headers turned over: an answer, never a crash. */
	build(&f, STACK(ETH, IP4, UDP_T_CSUM, VXLAN, ETH, IP6, TCP), 3000);
	for (uint32_t i = 0; i < f.len - 3000; i++) {
		struct rte_mbuf *piece;
		struct gso gso;

		m = to_mbuf(&f, 1000);
		mbuf_packet(m)->data[i] ^= 0xff;
		if (!gso_begin(&gso, m, m->pool))
			while ((piece = gso_next(&gso)))
				rte_pktmbuf_free(piece);
		rte_pktmbuf_free(m);
	}
}

/* A frame whose checksum is not partial any more, as some receive offloads make it. */
static void test_without_start(void **state)
{
	static struct frame f;
	struct rte_mbuf *m;
	struct gso gso;

	build(&f, STACK(ETH, VLAN, IP4, UDP), 3000);
	m = to_mbuf(&f, 1000);
	mbuf_packet(m)->offload = 0;
	mbuf_packet(m)->csum_start = 0;
	assert_int_equal(gso_begin(&gso, m, m->pool), 0);
	assert_int_equal(gso.l4_ofs, 38);
	assert_int_equal(gso.n_pieces, 3);
	rte_pktmbuf_free(m);
}

static void check_csum(const enum layer *layers, uint32_t payload, bool outer)
{
	static struct frame f, g;
	struct rte_mbuf *m;
	struct packet *p;

	build(&f, layers, payload);
	m = to_mbuf(&f, 0);
	p = mbuf_packet(m);
	if (outer) {
		p->offload |= PACKET_OUTER_CSUM;
		p->outer_l3_ofs = 14;
		p->outer_l4_ofs = (uint16_t)f.ofs[2];
		p->outer_proto = layers[2] == UDP_T_CSUM ? IP_P_UDP : IP_P_GRE;
	}
	assert_int_equal(gso_finish_csum(m), 0);
	assert_int_equal(p->offload, 0);
	flatten(m, &g);
	g.layers = layers;
	memcpy(g.ofs, f.ofs, sizeof f.ofs);
	for (int k = 2; k < f.n; k++) {
		uint32_t rest = g.len - g.ofs[k];
		uint8_t proto = proto_of(layers[k]);
		uint32_t sum = proto == 47 ? 0 : pseudo(&g, k - 1, proto, rest);

		if (layers[k] == TCP || layers[k] == UDP || layers[k] == UDP_T_CSUM ||
			layers[k] == GRE_KEY_CSUM_SEQ)
			assert_int_equal(naive_sum(sum, g.bytes + g.ofs[k], rest), 0xffff);
	}
	rte_pktmbuf_free(m);
}

static void test_checksums(void **state)
{
	for (uint32_t payload = 0; payload < 10; payload++)
		check_csum(STACK(ETH, IP4, TCP), payload, false);
	check_csum(STACK(ETH, IP6, UDP), 5001, false);
	check_csum(STACK(ETH, IP4, UDP_T_CSUM, VXLAN, ETH, IP4, TCP), 5001, true);
	check_csum(STACK(ETH, IP6, UDP_T_CSUM, GENEVE, ETH, IP4, TCP), 5000, true);
	check_csum(STACK(ETH, IP4, GRE_KEY_CSUM_SEQ, ETH, IP4, UDP), 5003, true);
}

/* SCTP's is a CRC: "123456789" is known to give e3069283. */
static void test_sctp(void **state)
{
	struct rte_mbuf *m = mbuf_alloc(eal_mempool(-1), 34 + 12 + 100);
	struct packet *p = mbuf_packet(m);
	uint32_t want;

	for (int i = 0; i < 146; i++)
		p->data[i] = (uint8_t)i;
	memset(p->data + 42, 0, 4);
	want = crc32c_table(0, p->data + 34, 112);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	p->csum_offset = 8;
	assert_int_equal(gso_finish_csum(m), 0);
	assert_int_equal(
		p->data[42] | p->data[43] << 8 | p->data[44] << 16 | (uint32_t)p->data[45] << 24,
		want);
	assert_int_equal(crc32c_table(0, "123456789", 9), 0xe3069283);
	rte_pktmbuf_free(m);
}

/* The pipeline's copies: headers of their own, payload shared, all given back. */
static void test_clone_and_truncate(void **state)
{
	static struct frame f, g;
	unsigned int available = rte_mempool_avail_count(eal_mempool(-1));
	struct rte_mbuf *m;
	struct packet *p, *q;

	build(&f, STACK(ETH, IP4, TCP), 9000);
	m = to_mbuf(&f, 1448);
	p = mbuf_packet(m);
	p->geneve_opts_len = 4;
	memcpy(p->geneve_opts, "abcd", 4);
	q = mbuf_packet_ops.clone(m->pool, p);
	assert_non_null(q);
	q->data[0] = 0xee;
	assert_int_equal(p->data[0], 2);
	assert_memory_equal(q->geneve_opts, "abcd", 4);
	assert_int_equal(q->gso_size, 1448);
	assert_non_null(packet_push(q, 50));
	mbuf_packet_ops.truncate(m->pool, p, 3000);
	assert_int_equal(p->gso_type, PACKET_GSO_NONE);
	flatten(m, &g);
	assert_int_equal(g.len, 3000);
	assert_memory_equal(g.bytes, f.bytes, 3000);
	mbuf_packet_ops.truncate(m->pool, p, 60);
	assert_int_equal(m->nb_segs, 1);
	assert_int_equal(p->seg_len, 60);
	mbuf_packet_ops.free(m->pool, p);
	mbuf_sync(packet_mbuf(q));
	flatten(packet_mbuf(q), &g);
	assert_int_equal(g.len, f.len + 50);
	assert_memory_equal(g.bytes + 51, f.bytes + 1, f.len - 1);
	mbuf_packet_ops.free(NULL, q);
	assert_int_equal(rte_mempool_avail_count(eal_mempool(-1)), available);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_without_start),
		cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_sctp),
		cmocka_unit_test(test_clone_and_truncate),
	};

	eal_fixture_start(2047);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
