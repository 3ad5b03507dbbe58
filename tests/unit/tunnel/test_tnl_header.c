/* SPDX-License-Identifier: Apache-2.0 */

/* Outer headers against frames that Open vSwitch 3.1 sent, and against everything that must not
 * pass. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "lib/util.h"
#include "tunnel/tnl_header.h"

static const struct eth_addr remote_mac = {{0x02, 0xbb, 0, 0, 0, 2}},
			     local_mac = {{0x02, 0, 0, 0, 0, 0xaa}};

/* The inner frame: Ethernet, IPv4, UDP and 24 bytes. */
static const char inner_hex[] =
	"0002aa0000000202aa0000000108004500003400010000401166b40a0100010a01000208ae00350020b58d"
	"0e0f101112131415161718191a1b1c1d1e1f202122232425";

static size_t unhex(const char *hex, uint8_t *bytes)
{
	size_t n = strlen(hex) / 2;

	assert_int_equal(parse_hex_bytes(hex, bytes, n), 0);
	return n;
}

static struct packet *inner_packet(void)
{
	uint8_t bytes[200];
	size_t n = unhex(inner_hex, bytes);
	struct packet *p;

	/* The first byte of the text above only makes the lines even. */
	p = packet_heap_create(bytes + 1, (uint32_t)n - 1);
	p->l3_ofs = 14;
	p->l4_ofs = 34;
	return p;
}

static void release(struct packet *p)
{
	packet_heap_ops.free(NULL, p);
}

static struct tnl_header build(
	struct tnl_port *port, const struct flow_tnl *outer, const uint8_t *opts, size_t opts_len)
{
	struct tnl_header h;

	tnl_header_build(port, outer, remote_mac, local_mac, opts, opts_len, &h);
	return h;
}

static int push(struct packet *p, const struct tnl_header *h, uint32_t hash, uint32_t seq)
{
	return tnl_header_push(p, h->data, h->len, h->l3_ofs, h->l4_ofs, h->proto, h->csum,
		h->gre_seq, h->is_ipv6, hash, seq);
}

static struct flow_tnl outer_v4(uint64_t key)
{
	return (struct flow_tnl){.tun_id = htobe64(key),
		.ip_dst = inet_addr("10.0.0.2"),
		.ip_src = inet_addr("10.0.0.1"),
		.ip_ttl = 64,
		.tp_dst = htobe16(4789),
		.flags = FLOW_TNL_F_DONT_FRAGMENT | FLOW_TNL_F_KEY};
}

static struct flow_tnl outer_v6(uint64_t key)
{
	struct flow_tnl tnl = {.tun_id = htobe64(key), .ip_ttl = 64, .tp_dst = htobe16(6081)};

	inet_pton(AF_INET6, "fd00::2", &tnl.ipv6_dst);
	inet_pton(AF_INET6, "fd00::1", &tnl.ipv6_src);
	return tnl;
}

/* A decapsulated P is the inner frame again. */
static void check_inner(const struct packet *p)
{
	uint8_t bytes[200];
	size_t n = unhex(inner_hex, bytes);

	assert_int_equal(p->len, n - 1);
	assert_memory_equal(p->data, bytes + 1, n - 1);
	assert_int_equal(p->outer_l3_ofs | p->outer_l4_ofs | p->outer_proto, 0);
}

/* As if P had come from a wire: offsets of the outer headers, nothing known of the rest. */
static void receive(struct packet *p, uint16_t l4)
{
	p->l3_ofs = 14;
	p->l4_ofs = l4;
	p->outer_l3_ofs = p->outer_l4_ofs = p->outer_proto = 0;
	p->offload = 0;
}

static void test_vxlan(void **state)
{
	struct tnl_port port = {.config = {.type = TNL_VXLAN}};
	struct flow_tnl outer = outer_v4(5);
	struct tnl_header h = build(&port, &outer, NULL, 0);
	struct packet *p = inner_packet();
	uint8_t expected[64];
	uint16_t sport;

	assert_int_equal(h.len, 50);
	assert_int_equal(push(p, &h, 0x12345678, 0), 0);
	/* The source port is another matter. */
	unhex("02bb000000020200000000aa08004500006600004000401126850a0000010a000002", expected);
	assert_memory_equal(p->data, expected, 34);
	unhex("12b500520000080000000000050002aa00000002", expected);
	assert_memory_equal(p->data + 36, expected, 20);
	sport = (uint16_t)(p->data[34] << 8 | p->data[35]);
	assert_in_range(sport, 32768, 61000);
	assert_int_equal(p->l3_ofs, 64);
	assert_int_equal(p->outer_l3_ofs, 14);
	assert_int_equal(p->outer_l4_ofs, 34);

	receive(p, 34);
	assert_int_equal(tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops), 0);
	check_inner(p);
	assert_int_equal(p->tunnel.tun_id, htobe64(5));
	assert_int_equal(p->tunnel.ip_src, inet_addr("10.0.0.1"));
	assert_int_equal(p->tunnel.ip_dst, inet_addr("10.0.0.2"));
	assert_int_equal(p->tunnel.ip_ttl, 64);
	assert_int_equal(p->tunnel.flags, FLOW_TNL_F_KEY);
	assert_int_equal(p->tunnel.tp_src, htobe16(sport));
	assert_int_equal(p->tunnel.tp_dst, htobe16(4789));
	release(p);
}

static void test_gre(void **state)
{
	for (int bits = 0; bits < 8; bits++) {
		struct tnl_port port = {
			.config = {
				.type = TNL_GRE, .out_key_present = bits & 1, .gre_seq = bits & 2}};
		struct flow_tnl outer = outer_v4(0xfedcba98);
		struct packet *p = inner_packet();
		struct tnl_header h;
		uint8_t *gre;

		outer.flags = (bits & 4 ? FLOW_TNL_F_CSUM : 0) | FLOW_TNL_F_KEY;
		h = build(&port, &outer, NULL, 0);
		assert_int_equal(push(p, &h, 7, 0x01020304), 0);
		gre = p->data + 34;
		assert_int_equal(gre[0],
			(bits & 4 ? 0x80 : 0) | (bits & 1 ? 0x20 : 0) | (bits & 2 ? 0x10 : 0));
		assert_int_equal(gre[2] << 8 | gre[3], 0x6558);
		assert_int_equal(p->data[20] & 0x40, 0);
		if (bits & 2)
			assert_memory_equal(gre + h.len - 34 - 4, "\1\2\3\4", 4);
		if (bits & 4)
			assert_int_equal(csum(gre, p->len - 34), 0);
		receive(p, 34);
		if (bits & 4) {
			p->data[p->len - 1] ^= 1;
			assert_int_equal(tnl_header_pop(p, TNL_GRE, &packet_heap_ops), -EBADMSG);
			p->data[p->len - 1] ^= 1;
		}
		assert_int_equal(tnl_header_pop(p, TNL_GRE, &packet_heap_ops), 0);
		check_inner(p);
		assert_int_equal(p->tunnel.tun_id, bits & 1 ? htobe64(0xfedcba98) : 0);
		assert_int_equal(p->tunnel.flags,
			(bits & 4 ? FLOW_TNL_F_CSUM : 0) | (bits & 1 ? FLOW_TNL_F_KEY : 0));
		release(p);
	}
}

static void test_geneve_ipv6(void **state)
{
	static const uint8_t opts[] = {0x01, 0x02, 0x80, 0x01, 1, 2, 3, 4, 0x01, 0x02, 0x03, 0x00};
	struct tnl_port port = {.config = {.type = TNL_GENEVE}};
	struct flow_tnl outer = outer_v6(0xabcdef);
	struct packet *p = inner_packet();
	struct tnl_header h;

	outer.flags = FLOW_TNL_F_OAM;
	outer.ip_tos = 0xb8;
	h = build(&port, &outer, opts, sizeof opts);
	assert_true(h.is_ipv6 && h.csum);
	assert_int_equal(h.len, 14 + 40 + 8 + 8 + 12);
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_memory_equal(p->data + 62, "\x03\xc0\x65\x58\xab\xcd\xef\x00", 8);
	/* UDP over IPv6 has a checksum. */
	assert_int_not_equal(p->data[60] << 8 | p->data[61], 0);
	assert_false(p->offload & PACKET_OUTER_CSUM);
	receive(p, 54);
	p->data[70] ^= 1;
	assert_int_equal(tnl_header_pop(p, TNL_GENEVE, &packet_heap_ops), -EBADMSG);
	p->data[70] ^= 1;
	assert_int_equal(tnl_header_pop(p, TNL_GENEVE, &packet_heap_ops), 0);
	check_inner(p);
	assert_int_equal(p->tunnel.tun_id, htobe64(0xabcdef));
	assert_int_equal(p->tunnel.ip_tos, 0xb8);
	assert_int_equal(p->tunnel.ip_dst, 0);
	assert_memory_equal(&p->tunnel.ipv6_src, &outer.ipv6_src, 16);
	assert_int_equal(p->tunnel.flags, FLOW_TNL_F_OAM | FLOW_TNL_F_CSUM | FLOW_TNL_F_KEY);
	assert_int_equal(p->geneve_opts_len, sizeof opts);
	assert_memory_equal(p->geneve_opts, opts, sizeof opts);
	release(p);
}

/* The outer checksum of a packet whose inner one is still partial: right once that is finished. */
static void test_csum_over_partial(void **state)
{
	struct tnl_port port = {.config = {.type = TNL_VXLAN}};
	struct flow_tnl outer = outer_v4(5);
	struct packet *p = inner_packet();
	struct tnl_header h;
	be16 partial;
	uint64_t sum;

	outer.flags |= FLOW_TNL_F_CSUM;
	h = build(&port, &outer, NULL, 0);
	partial = csum_fold(
		csum_pseudo_v4(inet_addr("10.1.0.1"), inet_addr("10.1.0.2"), IP_P_UDP, 32));
	memcpy(p->data + 40, &partial, 2);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	p->csum_offset = 6;
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_int_equal(p->offload, PACKET_CSUM_PARTIAL);
	assert_int_equal(p->csum_start, 84);
	assert_true(csum_finish_partial(p, NULL));
	sum = csum_pseudo_v4(inet_addr("10.0.0.1"), inet_addr("10.0.0.2"), IP_P_UDP, p->len - 34);
	assert_int_equal(csum_finish(csum_bytes(sum, p->data + 34, p->len - 34)), 0);
	release(p);

	/* Segments to come, or payload out of sight: the sender's business. */
	p = inner_packet();
	p->gso_type = PACKET_GSO_UDP_L4;
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_true(p->offload & PACKET_OUTER_CSUM);
	assert_int_equal(p->data[40] << 8 | p->data[41], 0xffff);
	release(p);
	p = inner_packet();
	p->seg_len -= 10;
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_true(p->offload & PACKET_OUTER_CSUM);
	/* A second tunnel hides the first from the sender. */
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_int_equal(p->data[50 + 40] << 8 | p->data[50 + 41], 0);
	release(p);
}

static void test_limits(void **state)
{
	struct tnl_port port = {.config = {.type = TNL_VXLAN}};
	struct flow_tnl outer = outer_v4(5);
	struct tnl_header h = build(&port, &outer, NULL, 0);
	static uint8_t big[65535 - 36];
	struct packet *p = packet_heap_create(big, sizeof big);
	uint16_t min, max;

	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_int_equal(p->data[16] << 8 | p->data[17], 65535);
	release(p);
	p = packet_heap_create(big, sizeof big);
	p->len++;
	assert_int_equal(push(p, &h, 1, 0), -EMSGSIZE);
	p->len--;
	p->headroom = 49;
	assert_int_equal(push(p, &h, 1, 0), -ENOBUFS);
	p->headroom = 200;
	release(p);

	tnl_egress_port_range_set(50000, 40000);
	tnl_egress_port_range_get(&min, &max);
	assert_int_equal(min, 40000);
	assert_int_equal(max, 50000);
	for (uint32_t i = 0; i < 1000; i++) {
		p = inner_packet();
		assert_int_equal(push(p, &h, i * 4294967, 0), 0);
		assert_in_range(p->data[34] << 8 | p->data[35], 40000, 50000);
		release(p);
	}
	tnl_egress_port_range_set(32768, 61000);
}

/* Sets bytes at OFS of a good VXLAN packet and pops. */
static int pop_with(uint32_t ofs, const char *hex)
{
	struct tnl_port port = {.config = {.type = TNL_VXLAN}};
	struct flow_tnl outer = outer_v4(5);
	struct tnl_header h = build(&port, &outer, NULL, 0);
	struct packet *p = inner_packet();
	struct ipv4_header *ip;
	int r;

	assert_int_equal(push(p, &h, 1, 0), 0);
	receive(p, 34);
	unhex(hex, p->data + ofs);
	if (ofs < 24 || ofs > 25) {
		ip = (struct ipv4_header *)(p->data + 14);
		ip->csum = 0;
		ip->csum = csum(ip, sizeof *ip);
	}
	r = tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops);
	if (r)
		assert_int_equal(p->len, 116);
	release(p);
	return r;
}

static void test_malformed(void **state)
{
	assert_int_equal(pop_with(14, "45"), 0);
	assert_int_equal(pop_with(24, "1234"), -EBADMSG); /* IPv4 checksum. */
	assert_int_equal(pop_with(14, "46"), -EINVAL);    /* IPv4 options. */
	assert_int_equal(pop_with(16, "0067"), -EINVAL);  /* Longer than the frame. */
	assert_int_equal(pop_with(16, "0013"), -EINVAL);  /* Shorter than its header. */
	assert_int_equal(pop_with(20, "2000"), -EINVAL);  /* A fragment. */
	assert_int_equal(pop_with(40, "1234"), -EBADMSG); /* UDP checksum. */
	assert_int_equal(pop_with(42, "00000000"), -EPROTONOSUPPORT);
	assert_int_equal(
		pop_with(42, "88000000"), -EPROTONOSUPPORT); /* Group policy, not agreed. */
	assert_int_equal(pop_with(42, "08000001"), -EPROTONOSUPPORT);
	assert_int_equal(pop_with(42, "0c000003"), 0); /* Generic protocol: Ethernet, */
	assert_int_equal(pop_with(42, "0c000001"), -EPROTONOSUPPORT); /* IPv4. */
	assert_int_equal(pop_with(42, "0d000003"), -EPROTONOSUPPORT); /* OAM. */
	assert_int_equal(pop_with(42, "ff000003"), -EPROTONOSUPPORT);
	assert_int_equal(pop_with(49, "01"), -EPROTONOSUPPORT); /* Reserved. */
}

/* Every truncation of every kind in a buffer of just that size, every byte turned over: an answer,
 * and no byte read that is not there (sanitizers watch). */
static void test_abuse(void **state)
{
	static const uint8_t opts[] = {0x01, 0x02, 0x80, 0x01, 1, 2, 3, 4};

	for (int kind = 0; kind < 6; kind++) {
		enum tnl_type type = kind % 3;
		struct tnl_port port = {
			.config = {.type = type, .out_key_present = true, .gre_seq = true}};
		struct flow_tnl outer = kind < 3 ? outer_v4(5) : outer_v6(5);
		uint16_t l4 = kind < 3 ? 34 : 54;
		struct packet *whole = inner_packet();
		struct tnl_header h;

		outer.flags |= FLOW_TNL_F_CSUM;
		h = build(&port, &outer, opts, sizeof opts);
		assert_int_equal(push(whole, &h, 1, 0), 0);
		for (uint32_t len = 14; len < whole->len; len++) {
			uint8_t *exact = xmemdup(whole->data, len);
			struct packet *p = xcalloc(1, sizeof *p);

			packet_init(p, exact, len, 0);
			receive(p, l4 <= len ? l4 : PACKET_NO_OFS);
			assert_int_not_equal(tnl_header_pop(p, type, &packet_heap_ops), 0);
			assert_int_equal(p->len, len);
			free(exact);
			free(p);
		}
		for (uint32_t i = 14; i < whole->len; i++) {
			struct packet *p = packet_heap_create(whole->data, whole->len);

			receive(p, l4);
			p->data[i] ^= 0xff;
			tnl_header_pop(p, type, &packet_heap_ops);
			release(p);
		}
		release(whole);
	}
}

/* A kernel VXLAN peer's segments: the inner TCP is what is to be cut. */
static void test_offloads(void **state)
{
	struct tnl_port port = {.config = {.type = TNL_VXLAN}};
	struct flow_tnl outer = outer_v4(5);
	struct tnl_header h = build(&port, &outer, NULL, 0);
	struct packet *p = inner_packet();

	assert_int_equal(push(p, &h, 1, 0), 0);
	receive(p, 34);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 84;
	p->csum_offset = 16;
	p->gso_type = PACKET_GSO_TCPV4;
	p->gso_size = 1000;
	p->data[16] = 0; /* Nor need lengths be right that are too large for the field. */
	((struct ipv4_header *)(p->data + 14))->csum = 0;
	((struct ipv4_header *)(p->data + 14))->csum = csum(p->data + 14, 20);
	assert_int_equal(tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops), 0);
	check_inner(p);
	assert_int_equal(p->csum_start, 34);
	assert_int_equal(p->gso_type, PACKET_GSO_TCPV4);
	assert_true(p->offload & PACKET_CSUM_PARTIAL);
	release(p);

	/* Outer datagrams run together are no tunnel packet. */
	p = inner_packet();
	assert_int_equal(push(p, &h, 1, 0), 0);
	receive(p, 34);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	p->csum_offset = 6;
	assert_int_equal(tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops), 0);
	assert_int_equal(p->offload, 0);
	release(p);
	p = inner_packet();
	assert_int_equal(push(p, &h, 1, 0), 0);
	receive(p, 34);
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = 34;
	p->gso_type = PACKET_GSO_UDP_L4;
	p->gso_size = 50;
	assert_int_equal(tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops), -EINVAL);
	release(p);
}

static void test_gbp(void **state)
{
	struct tnl_config config = {.type = TNL_VXLAN,
		.dst_port = htobe16(4789),
		.gbp = true,
		.ttl = 64,
		.in_key_flow = true,
		.remote_flow = true};
	const struct tnl_port *port;
	struct flow_tnl outer = outer_v4(5);
	struct packet *p = inner_packet();
	struct tnl_header h;

	assert_int_equal(tnl_port_add(&config, 1, "gbp0", &port), 0);
	outer.gbp_id = htobe16(0x1234);
	outer.gbp_flags = 0x48;
	h = build((struct tnl_port *)(uintptr_t)port, &outer, NULL, 0);
	assert_int_equal(push(p, &h, 1, 0), 0);
	assert_memory_equal(p->data + 42, "\x88\x48\x12\x34", 4);
	receive(p, 34);
	assert_int_equal(tnl_header_pop(p, TNL_VXLAN, &packet_heap_ops), 0);
	assert_int_equal(p->tunnel.gbp_id, htobe16(0x1234));
	assert_int_equal(p->tunnel.gbp_flags, 0x48);
	release(p);
	tnl_port_remove(port);
	rcu_reclaim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vxlan),
		cmocka_unit_test(test_gre),
		cmocka_unit_test(test_geneve_ipv6),
		cmocka_unit_test(test_csum_over_partial),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_abuse),
		cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_gbp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
