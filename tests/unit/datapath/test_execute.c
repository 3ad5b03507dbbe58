/* SPDX-License-Identifier: Apache-2.0 */

/* execute(): what becomes of header fields and their checksums, in whole packets and in fragments. */

#include "tests/unit/datapath/execute_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"

static void check_changes(enum kind kind, const struct flow *flow)
{
	assert_memory_equal(flow->dl_src.b, "\2\1\1\1\1\1", 6);
	assert_memory_equal(flow->dl_dst.b, "\2\0\0\0\0\x77", 6);
	if (is_v6(kind)) {
		assert_int_equal(flow->ipv6_src.b[1], 1);
		assert_int_equal(flow->ipv6_src.b[14], 0xe);
		assert_int_equal(flow->ipv6_dst.b[0], 0x20);
		assert_int_equal(flow->ipv6_dst.b[15], 0xcd);
		assert_int_equal(flow->ipv6_label, htobe32(0xabcde));
		assert_int_equal(flow->nw_tos, 0xb8);
		assert_int_equal(flow->nw_ttl, 5);
	} else if (kind == K_ARP) {
		assert_int_equal(flow->nw_proto, 2);
		assert_int_equal(flow->nw_src, htobe32(0x01020304));
		assert_int_equal(flow->nw_dst, htobe32(0x0a000002));
		assert_memory_equal(flow->arp_tha.b, "\2\2\2\2\2\2", 6);
		return;
	} else {
		assert_int_equal(flow->nw_src, htobe32(0xc0a80107));
		assert_int_equal(flow->nw_dst, htobe32(0x0a0000ff));
		assert_int_equal(flow->nw_tos, 0xb8);
		assert_int_equal(flow->nw_ttl, 3);
	}
	if (kind == K_ND6) {
		assert_int_equal(flow->tp_src, htobe16(ND_NA));
		assert_int_equal(flow->nd_target.b[0], 0xfe);
		assert_int_equal(flow->nd_target.b[15], 0x33);
		assert_memory_equal(flow->arp_sha.b, "\2\3\3\3\3\3", 6);
		/* Of two options only the first is written. */
		assert_memory_equal(flow->arp_tha.b, "\0\0\0\0\0\0", 6);
		assert_int_equal(flow->nd_reserved, htobe32(0x60000000));
	} else if (kind == K_TCP4 || kind == K_UDP4 || kind == K_SCTP4) {
		assert_int_equal(flow->tp_src, htobe16(5));
		assert_int_equal(flow->tp_dst & htobe16(0xff), htobe16(6));
	}
}

static void test_changes(void **state)
{
	for (enum kind kind = 0; kind < N_KINDS; kind++)
		for (unsigned int tags = 0; tags < 3; tags++)
			for (unsigned int payload = 0; payload < 40; payload += 13) {
				struct packet *packet = make_frame(kind, tags, payload);
				struct flow flow;

				check_csums(packet);
				put_changes(kind);
				put_output(7);
				bench_run(packet);
				assert_int_equal(bench.n_out, 1);
				assert_int_equal(bench.out[0].port, 7);
				assert_ptr_equal(bench.out[0].packet, packet);
				check_csums(packet);
				flow = parse_frame(packet);
				check_changes(kind, &flow);
				bench_forget();
			}
}

/* The option's type is changed before the address that goes with it. */
static void test_nd_option_type(void **state)
{
	struct packet *packet = make_frame(K_ND6, 0, 0);
	struct op_set_nd *nd = put_op(OP_SET_ND, sizeof *nd);
	const uint8_t *options;

	nd->options_type = ND_OPT_TLL;
	nd->options_type_mask = 0xff;
	nd->tll = (struct eth_addr){{2, 4, 4, 4, 4, 4}};
	memset(&nd->tll_mask, 0xff, 6);
	put_output(7);
	bench_run(packet);
	check_csums(packet);
	options = packet->data + packet->l4_ofs + ND_HEADER_LEN;
	assert_int_equal(options[0], ND_OPT_TLL);
	assert_memory_equal(options + 2, "\2\4\4\4\4\4", 6);
	bench_forget();
}

/* As above with the sum over the pseudo-header only: finished later, it is right. */
static void test_partial_checksums(void **state)
{
	static const enum kind kinds[] = {K_TCP4, K_UDP4, K_TCP6, K_UDP6};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct packet *packet = make_frame(kinds[i], 1, 21);
		bool udp = proto_of(kinds[i]) == IP_P_UDP;
		uint32_t l4_len = packet->len - packet->l4_ofs;
		struct flow flow = parse_frame(packet);
		uint64_t sum = is_v6(kinds[i])
			? csum_pseudo_v6(&flow.ipv6_src, &flow.ipv6_dst, flow.nw_proto, l4_len)
			: csum_pseudo_v4(flow.nw_src, flow.nw_dst, flow.nw_proto, l4_len);
		be16 partial = csum_fold(sum);

		packet->offload = PACKET_CSUM_PARTIAL;
		packet->csum_start = packet->l4_ofs;
		packet->csum_offset = udp ? 6 : 16;
		memcpy(packet->data + packet->l4_ofs + packet->csum_offset, &partial, 2);
		put_changes(kinds[i]);
		put_op(OP_POP_VLAN, sizeof(struct op));
		put_output(7);
		bench_run(packet);
		assert_int_equal(packet->csum_start, packet->l4_ofs);
		assert_true(csum_finish_partial(packet, NULL));
		check_csums(packet);
		bench_forget();
	}
}

static void test_no_udp_checksum(void **state)
{
	struct packet *packet = make_frame(K_UDP4, 0, 10);

	memset(packet->data + packet->l4_ofs + 6, 0, 2);
	put_changes(K_UDP4);
	put_output(7);
	bench_run(packet);
	assert_memory_equal(packet->data + packet->l4_ofs + 6, "\0\0", 2);
	assert_int_equal(csum(packet->data + packet->l3_ofs, IPV4_HEADER_LEN), 0);
}

/* The later fragment has no transport header where one would be. */
static void test_fragments(void **state)
{
	struct packet *packet = make_frame(K_UDP4, 0, 16), *first;
	struct op_set_ipv4 *ip;
	uint8_t before[24];
	struct op_set_tp *tp;

	packet->data[14 + 6] = 0;
	packet->data[14 + 7] = 10;
	memcpy(before, packet->data + 34, sizeof before);
	parse_frame(packet);
	ip = put_op(OP_SET_IPV4, sizeof *ip);
	ip->dst_mask = BE32_MAX;
	put_output(1);
	bench_run(packet);
	assert_int_equal(bench.n_out, 1);
	assert_memory_equal(packet->data + 34, before, sizeof before);
	bench_forget();

	packet = make_frame(K_UDP4, 0, 16);
	packet->data[14 + 7] = 10;
	parse_frame(packet);
	tp = put_op(OP_SET_TP, sizeof *tp);
	tp->proto = IP_P_UDP;
	tp->src_mask = BE16_MAX;
	put_output(1);
	bench_run(packet);
	assert_int_equal(bench.n_out, 1);
	assert_memory_equal(packet->data + 34, before, sizeof before);
	bench_forget();

	/* The first one has, and its checksum covers all fragments: only incrementally can it follow. */
	first = make_frame(K_UDP4, 0, 16);
	first->data[14 + 6] = 0x20;
	parse_frame(first);
	memcpy(before, first->data + first->l4_ofs + 6, 2);
	ip = put_op(OP_SET_IPV4, sizeof *ip);
	ip->dst = htobe32(0x0a000003);
	ip->dst_mask = BE32_MAX;
	put_output(1);
	bench_run(first);
	first->data[14 + 6] = 0;
	parse_frame(first);
	assert_true(csum_fill_ipv4(first));
	check_csums(first);
	assert_memory_not_equal(before, first->data + first->l4_ofs + 6, 2);
}

/* What the IP header says is not there is not written, nor summed, though the frame goes on. */
static void test_cut_transport_headers(void **state)
{
	static const enum kind kinds[] = {K_TCP4, K_UDP4, K_SCTP4, K_TCP6, K_UDP6, K_ICMP6, K_ND6};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct packet *packet = make_frame(kinds[i], 0, 40);
		uint8_t before[128], *ip = packet->data + 14;
		size_t n = packet->len - packet->l4_ofs;

		assert_true(n <= sizeof before);
		if (is_v6(kinds[i]))
			ip[5] = 3;
		else
			ip[3] = IPV4_HEADER_LEN + 3;
		parse_frame(packet);
		memcpy(before, packet->data + packet->l4_ofs, n);
		put_changes(kinds[i]);
		put_output(7);
		bench_run(packet);
		assert_int_equal(bench.n_out, 1);
		assert_memory_equal(packet->data + packet->l4_ofs, before, n);
		bench_forget();
	}
}

static void test_cut_arp(void **state)
{
	struct packet *packet = make_frame(K_ARP, 0, 0);

	packet->len = packet->seg_len = 14 + 20;
	parse_frame(packet);
	put_changes(K_ARP);
	put_output(7);
	bench_run(packet);
	assert_int_equal(bench.n_out, 1);
	assert_int_equal(packet->len, 34);
	assert_memory_equal(packet->data + 14 + 14, "\1\2\3\4", 4);
	assert_memory_equal(packet->data + 14 + 18, "\2\2", 2);
}

/* A first fragment of SCTP goes on; its sum changes as if it were all. */
static void test_sctp_fragment(void **state)
{
	struct packet *packet = make_frame(K_SCTP4, 0, 16);

	packet->data[14 + 6] = 0x20;
	parse_frame(packet);
	put_changes(K_SCTP4);
	put_output(7);
	bench_run(packet);
	assert_int_equal(bench.n_out, 1);
	assert_true(csum_fill_ipv4(packet));
	check_csums(packet);
}

/* With a routing header that has hops left, dst is not what the checksum covers. */
static void test_routing_header(void **state)
{
	for (unsigned int left = 0; left < 2; left++) {
		struct packet *plain = make_frame(K_UDP6, 0, 5), *packet;
		uint8_t frame[256], old[2];
		struct op_set_ipv6 *ip;

		memcpy(frame, plain->data, 54);
		memset(frame + 54, 0, 8);
		frame[54] = IP_P_UDP;
		frame[57] = (uint8_t)left;
		memcpy(frame + 62, plain->data + 54, plain->len - 54);
		frame[20] = IP_P_ROUTING;
		frame[19] = (uint8_t)(frame[19] + 8);
		packet = packet_heap_create(frame, plain->len + 8);
		packet_heap_ops.free(NULL, plain);
		parse_frame(packet);
		memcpy(old, packet->data + packet->l4_ofs + 6, 2);
		ip = put_op(OP_SET_IPV6, sizeof *ip);
		ip->dst.b[15] = 0x55;
		ip->dst_mask.b[15] = 0xff;
		put_output(1);
		bench_run(packet);
		assert_int_equal(packet->data[53], 0x55);
		if (left)
			assert_memory_equal(old, packet->data + packet->l4_ofs + 6, 2);
		else
			assert_memory_not_equal(old, packet->data + packet->l4_ofs + 6, 2);
		bench_forget();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_changes),
		TEST(test_nd_option_type),
		TEST(test_partial_checksums),
		TEST(test_no_udp_checksum),
		TEST(test_fragments),
		TEST(test_cut_transport_headers),
		TEST(test_cut_arp),
		TEST(test_sctp_fragment),
		TEST(test_routing_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
