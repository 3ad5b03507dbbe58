/* SPDX-License-Identifier: Apache-2.0 */

/* Programs on packets: what comes out, that checksums hold, that each packet ends once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/execute.h"
#include "datapath/pipeline/meter.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/rcu.h"

/* ------------------------------------------------------------------ environment */

#define MAX_OUT 32

struct out {
	dp_port_t port;
	struct packet *packet;
};

struct bench {
	struct exec_env env;
	struct program_builder program;
	struct out out[MAX_OUT];
	unsigned int n_out, n_punt, n_control, n_resume, n_recirculated, n_dropped, n_lost, n_sampled;
	enum drop_reason reason;
	int n_live;		/* Packets not given back. */
	int fail_clone;		/* The N-th clone from now fails; 0: none. */
	uint32_t random;
};

static struct bench bench;

static struct packet *bench_clone(void *aux, const struct packet *packet)
{
	struct packet *copy;

	if (bench.fail_clone && !--bench.fail_clone)
		return NULL;
	copy = packet_heap_ops.clone(NULL, packet);
	if (copy)
		bench.n_live++;
	return copy;
}

static void bench_free(void *aux, struct packet *packet)
{
	bench.n_live--;
	packet_heap_ops.free(NULL, packet);
}

static void bench_truncate(void *aux, struct packet *packet, uint32_t len)
{
	packet_heap_ops.truncate(NULL, packet, len);
}

static uint64_t bench_sum(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n)
{
	return packet_heap_ops.sum(sum, packet, ofs, n);
}

static const struct packet_ops bench_ops = {bench_clone, bench_free, bench_truncate, bench_sum};

static void bench_output(struct exec_env *env, dp_port_t port, struct packet *packet)
{
	assert_true(bench.n_out < MAX_OUT);
	bench.out[bench.n_out++] = (struct out){port, packet};
}

static void bench_punt(struct exec_env *env, const struct op_punt *punt, struct packet *packet)
{
	bench.n_punt++;
	bench_free(NULL, packet);
}

static void bench_to_control(struct exec_env *env, const struct op *op, struct packet *packet)
{
	bench.n_control++;
	bench_free(NULL, packet);
}

static void bench_recirculate(struct exec_env *env, dp_port_t in, struct packet *packet)
{
	bench.n_recirculated++;
	bench_free(NULL, packet);
}

static void bench_resume(struct exec_env *env, const struct op_resume *resume, struct packet *packet)
{
	bench.n_resume++;
	bench_free(NULL, packet);
}

static void bench_sample(struct exec_env *env, const struct op_sample *sample,
	const struct packet *packet)
{
	bench.n_sampled++;
}

static void bench_dropped(struct exec_env *env, enum drop_reason reason, const struct packet *packet)
{
	assert_true(packet->len <= UINT16_MAX);
	bench.n_dropped++;
	bench.reason = reason;
}

static void bench_copy_lost(struct exec_env *env, const struct op *op)
{
	bench.n_lost++;
}

static uint32_t bench_random(struct exec_env *env)
{
	return bench.random;
}

static int setup(void **state)
{
	memset(&bench, 0, sizeof bench);
	bench.env = (struct exec_env){
		.ops = &bench_ops,
		.output = bench_output,
		.punt = bench_punt,
		.to_control = bench_to_control,
		.recirculate = bench_recirculate,
		.resume = bench_resume,
		.sample = bench_sample,
		.dropped = bench_dropped,
		.copy_lost = bench_copy_lost,
		.random = bench_random,
		.now_us = 1000000,
	};
	program_builder_init(&bench.program);
	return 0;
}

static void forget(void)
{
	for (unsigned int i = 0; i < bench.n_out; i++)
		bench_free(NULL, bench.out[i].packet);
	bench.n_out = bench.n_punt = bench.n_control = bench.n_resume = bench.n_dropped = 0;
	bench.n_recirculated = bench.n_lost = bench.n_sampled = 0;
	program_builder_clear(&bench.program);
}

static int teardown(void **state)
{
	forget();
	program_builder_uninit(&bench.program);
	assert_int_equal(bench.n_live, 0);
	return 0;
}

static void run_packet(struct packet *packet)
{
	bench.n_live++;
	execute(&bench.env, program_ops(&bench.program), program_len(&bench.program), packet);
	assert_int_equal(bench.n_live, bench.n_out);
}

static void put_output(dp_port_t port)
{
	struct op_output *op = program_put(&bench.program, OP_OUTPUT, sizeof *op);

	op->port = port;
}

static void put_u32(enum op_type type, uint32_t value)
{
	struct op_u32 *op = program_put(&bench.program, type, sizeof *op);

	op->value = value;
}

static void *put(enum op_type type, size_t size)
{
	return program_put(&bench.program, type, size);
}

/* ------------------------------------------------------------------ frames */

enum kind { K_TCP4, K_UDP4, K_ICMP4, K_SCTP4, K_TCP6, K_UDP6, K_ICMP6, K_ND6, K_ARP, K_RAW4, N_KINDS };

static bool is_v6(enum kind kind)
{
	return kind == K_TCP6 || kind == K_UDP6 || kind == K_ICMP6 || kind == K_ND6;
}

static uint8_t proto_of(enum kind kind)
{
	static const uint8_t protos[N_KINDS] = {
		[K_TCP4] = IP_P_TCP, [K_UDP4] = IP_P_UDP, [K_ICMP4] = IP_P_ICMP,
		[K_SCTP4] = IP_P_SCTP, [K_TCP6] = IP_P_TCP, [K_UDP6] = IP_P_UDP,
		[K_ICMP6] = IP_P_ICMPV6, [K_ND6] = IP_P_ICMPV6, [K_RAW4] = 253,
	};

	return protos[kind];
}

static uint32_t put_l4(uint8_t *p, enum kind kind, unsigned int payload)
{
	uint32_t len;

	switch (kind) {
	case K_TCP4:
	case K_TCP6:
		memcpy(p, &(struct tcp_header){htobe16(1234), htobe16(80), .ctl = htobe16(0x5010)}, 20);
		len = TCP_HEADER_LEN;
		break;
	case K_UDP4:
	case K_UDP6:
		memcpy(p, &(struct udp_header){htobe16(1234), htobe16(53),
			htobe16((uint16_t)(8 + payload)), 0}, 8);
		len = UDP_HEADER_LEN;
		break;
	case K_SCTP4:
		memcpy(p, &(struct sctp_header){htobe16(1234), htobe16(80), 7, 0}, 12);
		len = SCTP_HEADER_LEN;
		break;
	case K_ND6:
		memset(p, 0, ND_HEADER_LEN + 16);
		p[0] = ND_NS;
		p[8] = 0xfe;
		p[9] = 0x80;
		p[23] = 9;
		p[24] = ND_OPT_SLL;
		p[25] = 1;
		memcpy(p + 26, "\x02\x00\x00\x00\x00\x07", 6);
		p[32] = ND_OPT_TLL;
		p[33] = 1;
		return ND_HEADER_LEN + 16;
	default:
		memset(p, 0, 8);
		p[0] = kind == K_ICMP6 ? ICMPV6_ECHO_REQUEST : 8;
		len = 8;
		break;
	}
	for (unsigned int i = 0; i < payload; i++)
		p[len + i] = (uint8_t)(i * 37 + 1);
	return len + payload;
}

static uint32_t put_ip(uint8_t *p, enum kind kind, unsigned int payload)
{
	if (is_v6(kind)) {
		struct ipv6_header *ip = (void *)p;
		uint32_t len = put_l4(p + IPV6_HEADER_LEN, kind, payload);

		*ip = (struct ipv6_header){.flow = htobe32(0x60012345), .plen = htobe16((uint16_t)len),
			.nexthdr = proto_of(kind), .hlim = 64, .src = {0x20, 1, [15] = 1},
			.dst = {0x20, 1, [15] = 2}};
		return IPV6_HEADER_LEN + len;
	} else {
		struct ipv4_header *ip = (void *)p;
		uint32_t len = put_l4(p + IPV4_HEADER_LEN, kind, payload);

		*ip = (struct ipv4_header){.ver_ihl = 0x45, .tos = 0x28,
			.tot_len = htobe16((uint16_t)(IPV4_HEADER_LEN + len)), .ttl = 64,
			.proto = proto_of(kind), .src = {10, 0, 0, 1}, .dst = {10, 0, 0, 2}};
		ip->csum = csum(ip, sizeof *ip);
		return IPV4_HEADER_LEN + len;
	}
}

static uint32_t put_arp(uint8_t *p)
{
	memcpy(p, &(struct arp_header){htobe16(1), htobe16(ETH_T_IP), 6, 4, htobe16(1),
		{2, 0, 0, 0, 0, 1}, {10, 0, 0, 1}, {0}, {10, 0, 0, 2}}, ARP_HEADER_LEN);
	return ARP_HEADER_LEN;
}

static struct packet *make(enum kind kind, unsigned int n_tags, unsigned int payload)
{
	uint8_t frame[2048] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	be16 type = htobe16(kind == K_ARP ? ETH_T_ARP : is_v6(kind) ? ETH_T_IPV6 : ETH_T_IP);
	uint32_t len = 12;
	struct packet *packet;
	struct flow flow;

	for (unsigned int i = 0; i < n_tags; i++) {
		be16 tag[2] = {htobe16(i + 1 < n_tags ? ETH_T_VLAN_8021AD : ETH_T_VLAN_8021Q),
			htobe16((uint16_t)(0x6000 | (100 + i)))};

		memcpy(frame + len, tag, 4);
		len += 4;
	}
	memcpy(frame + len, &type, 2);
	len += 2;
	len += kind == K_ARP ? put_arp(frame + len) : put_ip(frame + len, kind, payload);
	packet = packet_heap_create(frame, len);
	flow_extract_limits(packet, &(struct flow_limits){2}, &flow);
	csum_fill_l4(packet, true, NULL);
	return packet;
}

static struct flow parse(struct packet *packet)
{
	struct flow flow;

	flow_extract_limits(packet, &(struct flow_limits){2}, &flow);
	return flow;
}

/* All checksums of PACKET are what they are when computed anew. */
static void check_csums(const struct packet *packet)
{
	struct packet *copy = packet_heap_ops.clone(NULL, packet);
	struct flow flow = parse(copy);
	bool zero_udp = false;

	if (flow.dl_type == htobe16(ETH_T_IP))
		assert_int_equal(csum(copy->data + copy->l3_ofs, IPV4_HEADER_LEN), 0);
	if (flow.nw_proto == IP_P_UDP && copy->l4_ofs != PACKET_NO_OFS)
		zero_udp = !memcmp(copy->data + copy->l4_ofs + 6, "\0\0", 2);
	if (!zero_udp && csum_fill_l4(copy, true, NULL))
		assert_memory_equal(copy->data, packet->data, packet->len);
	packet_heap_ops.free(NULL, copy);
}

/* Puts what changes most headers of KIND there are to change. */
static void put_changes(enum kind kind)
{
	struct op_set_eth *eth = put(OP_SET_ETH, sizeof *eth);

	memset(&eth->src_mask, 0xff, 6);
	eth->src = (struct eth_addr){{2, 1, 1, 1, 1, 1}};
	eth->dst_mask = (struct eth_addr){{0, 0, 0, 0, 0, 0xff}};
	eth->dst = (struct eth_addr){{9, 9, 9, 9, 9, 0x77}};
	if (is_v6(kind)) {
		struct op_set_ipv6 *ip = put(OP_SET_IPV6, sizeof *ip);

		memset(&ip->src_mask, 0xff, 16);
		ip->src = (struct ipv6_addr){{.b = {0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 1}}};
		ip->dst_mask = (struct ipv6_addr){{.b = {[14] = 0xff, 0xff}}};
		ip->dst = (struct ipv6_addr){{.b = {[14] = 0xab, 0xcd}}};
		ip->label = htobe32(0xabcde);
		ip->label_mask = htobe32(0xfffff);
		ip->tos = 0xb8;
		ip->tos_mask = 0xfc;
		ip->ttl = 5;
		ip->ttl_mask = 0xff;
	} else if (kind == K_ARP) {
		struct op_set_arp *arp = put(OP_SET_ARP, sizeof *arp);

		arp->op_code = htobe16(2);
		arp->op_mask = BE16_MAX;
		arp->spa = htobe32(0x01020304);
		arp->spa_mask = BE32_MAX;
		arp->tha = (struct eth_addr){{2, 2, 2, 2, 2, 2}};
		memset(&arp->tha_mask, 0xff, 6);
	} else {
		struct op_set_ipv4 *ip = put(OP_SET_IPV4, sizeof *ip);

		ip->src = htobe32(0xc0a80107);
		ip->src_mask = BE32_MAX;
		ip->dst = htobe32(0xff);
		ip->dst_mask = htobe32(0xff);
		ip->tos = 0xb8;
		ip->tos_mask = 0xfc;
		ip->ttl = 3;
		ip->ttl_mask = 0xff;
	}
	if (kind != K_ARP && kind != K_RAW4) {
		struct op_set_tp *tp = put(OP_SET_TP, sizeof *tp);

		tp->proto = proto_of(kind);
		tp->src = htobe16(kind == K_ICMP6 || kind == K_ND6 ? ND_NA : 5);
		tp->src_mask = BE16_MAX;
		tp->dst = htobe16(kind == K_ND6 ? 0 : 6);
		tp->dst_mask = htobe16(0xff);
	}
	if (kind == K_ND6) {
		struct op_set_nd *nd = put(OP_SET_ND, sizeof *nd);

		nd->target = (struct ipv6_addr){{.b = {[15] = 0x33}}};
		nd->target_mask = (struct ipv6_addr){{.b = {[15] = 0xff}}};
		nd->sll = (struct eth_addr){{2, 3, 3, 3, 3, 3}};
		memset(&nd->sll_mask, 0xff, 6);
		nd->tll = (struct eth_addr){{2, 4, 4, 4, 4, 4}};
		memset(&nd->tll_mask, 0xff, 6);
		nd->reserved = htobe32(0x60000000);
		nd->reserved_mask = BE32_MAX;
	}
}

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
		assert_memory_equal(flow->arp_tha.b, "\2\4\4\4\4\4", 6);
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
				struct packet *packet = make(kind, tags, payload);
				struct flow flow;

				check_csums(packet);
				put_changes(kind);
				put_output(7);
				run_packet(packet);
				assert_int_equal(bench.n_out, 1);
				assert_int_equal(bench.out[0].port, 7);
				assert_ptr_equal(bench.out[0].packet, packet);
				check_csums(packet);
				flow = parse(packet);
				check_changes(kind, &flow);
				forget();
			}
}

/* The option's type is changed before the address that goes with it. */
static void test_nd_option_type(void **state)
{
	struct packet *packet = make(K_ND6, 0, 0);
	struct op_set_nd *nd = put(OP_SET_ND, sizeof *nd);
	const uint8_t *options;

	nd->options_type = ND_OPT_TLL;
	nd->options_type_mask = 0xff;
	nd->tll = (struct eth_addr){{2, 4, 4, 4, 4, 4}};
	memset(&nd->tll_mask, 0xff, 6);
	put_output(7);
	run_packet(packet);
	check_csums(packet);
	options = packet->data + packet->l4_ofs + ND_HEADER_LEN;
	assert_int_equal(options[0], ND_OPT_TLL);
	assert_memory_equal(options + 2, "\2\4\4\4\4\4", 6);
	forget();
}

/* As above with the sum over the pseudo-header only: finished later, it is right. */
static void test_partial_checksums(void **state)
{
	static const enum kind kinds[] = {K_TCP4, K_UDP4, K_TCP6, K_UDP6};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct packet *packet = make(kinds[i], 1, 21);
		bool udp = proto_of(kinds[i]) == IP_P_UDP;
		uint32_t l4_len = packet->len - packet->l4_ofs;
		struct flow flow = parse(packet);
		uint64_t sum = is_v6(kinds[i])
			? csum_pseudo_v6(&flow.ipv6_src, &flow.ipv6_dst, flow.nw_proto, l4_len)
			: csum_pseudo_v4(flow.nw_src, flow.nw_dst, flow.nw_proto, l4_len);
		be16 partial = csum_fold(sum);

		packet->offload = PACKET_CSUM_PARTIAL;
		packet->csum_start = packet->l4_ofs;
		packet->csum_offset = udp ? 6 : 16;
		memcpy(packet->data + packet->l4_ofs + packet->csum_offset, &partial, 2);
		put_changes(kinds[i]);
		put(OP_POP_VLAN, sizeof(struct op));
		put_output(7);
		run_packet(packet);
		assert_int_equal(packet->csum_start, packet->l4_ofs);
		assert_true(csum_finish_partial(packet, NULL));
		check_csums(packet);
		forget();
	}
}

static void test_no_udp_checksum(void **state)
{
	struct packet *packet = make(K_UDP4, 0, 10);

	memset(packet->data + packet->l4_ofs + 6, 0, 2);
	put_changes(K_UDP4);
	put_output(7);
	run_packet(packet);
	assert_memory_equal(packet->data + packet->l4_ofs + 6, "\0\0", 2);
	assert_int_equal(csum(packet->data + packet->l3_ofs, IPV4_HEADER_LEN), 0);
}

/* The later fragment has no transport header where one would be. */
static void test_fragments(void **state)
{
	struct packet *packet = make(K_UDP4, 0, 16), *first;
	struct op_set_ipv4 *ip;
	uint8_t before[24];
	struct op_set_tp *tp;

	packet->data[14 + 6] = 0;
	packet->data[14 + 7] = 10;
	memcpy(before, packet->data + 34, sizeof before);
	parse(packet);
	ip = put(OP_SET_IPV4, sizeof *ip);
	ip->dst_mask = BE32_MAX;
	put_output(1);
	run_packet(packet);
	assert_int_equal(bench.n_out, 1);
	assert_memory_equal(packet->data + 34, before, sizeof before);
	forget();

	packet = make(K_UDP4, 0, 16);
	packet->data[14 + 7] = 10;
	parse(packet);
	tp = put(OP_SET_TP, sizeof *tp);
	tp->proto = IP_P_UDP;
	tp->src_mask = BE16_MAX;
	run_packet(packet);
	assert_int_equal(bench.n_dropped, 1);
	assert_int_equal(bench.reason, DROP_ACTION_MISMATCH);
	forget();

	/* The first one has, and its checksum covers all fragments: only incrementally can it follow. */
	first = make(K_UDP4, 0, 16);
	first->data[14 + 6] = 0x20;
	parse(first);
	memcpy(before, first->data + first->l4_ofs + 6, 2);
	ip = put(OP_SET_IPV4, sizeof *ip);
	ip->dst = htobe32(0x0a000003);
	ip->dst_mask = BE32_MAX;
	put_output(1);
	run_packet(first);
	first->data[14 + 6] = 0;
	parse(first);
	assert_true(csum_fill_ipv4(first));
	check_csums(first);
	assert_memory_not_equal(before, first->data + first->l4_ofs + 6, 2);
}

/* With a routing header that has hops left, dst is not what the checksum covers. */
static void test_routing_header(void **state)
{
	for (unsigned int left = 0; left < 2; left++) {
		struct packet *plain = make(K_UDP6, 0, 5), *packet;
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
		parse(packet);
		memcpy(old, packet->data + packet->l4_ofs + 6, 2);
		ip = put(OP_SET_IPV6, sizeof *ip);
		ip->dst.b[15] = 0x55;
		ip->dst_mask.b[15] = 0xff;
		put_output(1);
		run_packet(packet);
		assert_int_equal(packet->data[53], 0x55);
		if (left)
			assert_memory_equal(old, packet->data + packet->l4_ofs + 6, 2);
		else
			assert_memory_not_equal(old, packet->data + packet->l4_ofs + 6, 2);
		forget();
	}
}

/* ------------------------------------------------------------------ tags, labels, PBB */

static void put_vlan(enum op_type type, uint16_t tpid, uint16_t tci)
{
	struct op_vlan *op = put(type, sizeof *op);

	op->tpid = htobe16(tpid);
	op->tci = htobe16(tci);
}

static void test_vlan(void **state)
{
	struct packet *packet = make(K_TCP4, 1, 10);
	struct flow flow;

	packet->data[14] |= 0x10;
	put_vlan(OP_SET_VLAN, ETH_T_VLAN_8021Q, 0xe005);
	put_vlan(OP_PUSH_VLAN, ETH_T_VLAN_8021AD, 0x2007);
	put_output(1);
	put(OP_POP_VLAN, sizeof(struct op));
	put_output(2);
	put(OP_POP_VLAN, sizeof(struct op));
	put_output(3);
	put(OP_POP_VLAN, sizeof(struct op));
	run_packet(packet);
	assert_int_equal(bench.n_out, 3);
	/* The tag's DEI is not the rule's to change. */
	assert_memory_equal(bench.out[0].packet->data + 12, "\x88\xa8\x20\x07\x81\x00\xf0\x05\x08\x00", 10);
	assert_memory_equal(bench.out[1].packet->data + 12, "\x81\x00\xf0\x05\x08\x00", 6);
	assert_memory_equal(bench.out[2].packet->data + 12, "\x08\x00", 2);
	for (int i = 0; i < 3; i++) {
		uint16_t l4 = bench.out[i].packet->l4_ofs;

		check_csums(bench.out[i].packet);
		flow = parse(bench.out[i].packet);
		assert_int_equal(flow.tp_dst, htobe16(80));
		assert_int_equal(bench.out[i].packet->l4_ofs, l4);
	}
	/* The last pop had no tag, but the packet had been sent. */
	assert_int_equal(bench.n_dropped, 0);
}

static void put_mpls(enum op_type type, uint16_t ethertype, uint32_t lse)
{
	struct op_mpls *op = put(type, sizeof *op);

	op->ethertype = htobe16(ethertype);
	op->lse = htobe32(lse);
	op->mask = BE32_MAX;
}

static void test_mpls(void **state)
{
	struct packet *packet = make(K_TCP4, 1, 10);
	struct op_mpls *set;
	struct flow flow;

	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x00064140);
	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS_MCAST, 0x000c8040);
	put_output(1);
	set = put(OP_SET_MPLS, sizeof *set);
	set->lse = htobe32(7);
	set->mask = htobe32(MPLS_TTL_MASK);
	put_mpls(OP_POP_MPLS, ETH_T_MPLS, 0);
	put_output(2);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	put_output(3);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	run_packet(packet);
	assert_int_equal(bench.n_out, 3);

	flow = parse(bench.out[0].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_MPLS_MCAST));
	assert_int_equal(flow.vlans[0].tci, htobe16(0x7064));
	assert_int_equal(flow.mpls_lse[0], htobe32(0x000c8040));
	assert_int_equal(flow.mpls_lse[1], htobe32(0x00064140));
	flow = parse(bench.out[1].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_MPLS));
	assert_int_equal(flow.mpls_lse[0], htobe32(0x00064140));
	flow = parse(bench.out[2].packet);
	assert_int_equal(flow.nw_dst, htobe32(0x0a000002));
	assert_int_equal(flow.tp_dst, htobe16(80));
	check_csums(bench.out[2].packet);
}

/* An 802.3 length counts the label. */
static void test_mpls_snap(void **state)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0, 46, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45};
	struct packet *packet = packet_heap_create(frame, sizeof frame);

	parse(packet);
	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x00064140);
	put_output(1);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	put_output(2);
	run_packet(packet);
	assert_memory_equal(bench.out[0].packet->data + 12, "\0\x32\xaa\xaa\3\0\0\0\x88\x47\0\x06\x41\x40\x45", 15);
	assert_memory_equal(bench.out[1].packet->data, frame, sizeof frame);
}

static void test_pbb(void **state)
{
	struct packet *packet = make(K_UDP4, 1, 10), *before = packet_heap_ops.clone(NULL, packet);
	struct op_pbb *pbb = put(OP_PUSH_PBB, sizeof *pbb);
	struct op_set_eth *eth;
	struct flow flow;

	pbb->ethertype = htobe16(ETH_T_PBB);
	pbb->isid = htobe32(0x123456 | FLOW_PBB_PRESENT);
	pbb->mask = BE32_MAX;
	eth = put(OP_SET_ETH, sizeof *eth);
	memset(&eth->dst_mask, 0xff, 6);
	put_output(1);
	pbb = put(OP_SET_PBB, sizeof *pbb);
	pbb->isid = pbb->mask = htobe32(FLOW_PBB_UCA);
	put_vlan(OP_PUSH_VLAN, ETH_T_VLAN_8021AD, 9);
	put_output(2);
	put(OP_POP_VLAN, sizeof(struct op));
	put(OP_POP_PBB, sizeof(struct op));
	put_output(3);
	put(OP_POP_PBB, sizeof(struct op));
	run_packet(packet);
	assert_int_equal(bench.n_out, 3);
	flow = parse(bench.out[0].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_PBB));
	assert_int_equal(flow.pbb_isid, htobe32(0x123456 | FLOW_PBB_PRESENT));
	assert_int_equal(bench.out[0].packet->len, before->len + 18);
	flow = parse(bench.out[1].packet);
	assert_int_equal(flow.vlans[0].tci, htobe16(0x1009));
	assert_int_equal(flow.pbb_isid, htobe32(0x123456 | FLOW_PBB_PRESENT | FLOW_PBB_UCA));
	assert_int_equal(bench.out[2].packet->len, before->len);
	assert_memory_equal(bench.out[2].packet->data, before->data, before->len);
	packet_heap_ops.free(NULL, before);
}

/* A frame that was no runt stays none; zeros that were put there go again when a header comes. */
static void test_minimum_length(void **state)
{
	struct packet *packet = make(K_UDP4, 1, 16), *runt;
	uint8_t zeros[2] = {0};

	assert_int_equal(packet->len, 62);
	put(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	put_vlan(OP_PUSH_VLAN, 0, 5);
	put_output(2);
	run_packet(packet);
	assert_int_equal(bench.out[0].packet->len, 60);
	assert_memory_equal(bench.out[0].packet->data + 58, zeros, 2);
	assert_int_equal(bench.out[1].packet->len, 62);
	assert_int_equal(parse(bench.out[1].packet).vlans[0].tci, htobe16(0x1005));
	forget();

	runt = make(K_UDP4, 1, 10);
	assert_int_equal(runt->len, 56);
	put(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	run_packet(runt);
	assert_int_equal(bench.out[0].packet->len, 52);
}

/* Every operation on every cut of every frame, in memory of exactly its size. */
static void test_cut_frames(void **state)
{
	for (enum kind kind = 0; kind < N_KINDS; kind++) {
		struct packet *whole = make(kind, 1, 4);

		for (uint32_t len = 0; len <= whole->len; len++)
			for (int what = 0; what < 10; what++) {
				struct packet *packet = packet_heap_create(whole->data, len);

				packet->headroom = (uint16_t)(what == 9 ? 3 : 64);
				if (what == 8) {
					/* Offsets of the whole one: a promise not kept. */
					packet->l3_ofs = whole->l3_ofs;
					packet->l4_ofs = whole->l4_ofs;
				} else {
					parse(packet);
				}
				switch (what) {
				case 0:
				case 8:
					put_changes(kind);
					break;
				case 1:
					put_vlan(OP_SET_VLAN, ETH_T_VLAN_8021Q, 5);
					put(OP_POP_VLAN, sizeof(struct op));
					break;
				case 2:
					put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x140);
					put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
					break;
				case 3:
					put(OP_PUSH_PBB, sizeof(struct op_pbb));
					put(OP_SET_PBB, sizeof(struct op_pbb));
					put(OP_POP_PBB, sizeof(struct op));
					break;
				case 4:
					put(OP_POP_PBB, sizeof(struct op));
					break;
				case 5:
					put_mpls(OP_SET_MPLS, 0, 5);
					put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
					break;
				case 6:
					put_u32(OP_SET_ETH_TYPE, htobe16(0x1234));
					break;
				case 7:
					put(OP_SET_ARP, sizeof(struct op_set_arp));
					put(OP_SET_ND, sizeof(struct op_set_nd));
					break;
				case 9:
					put_vlan(OP_PUSH_VLAN, 0, 5);
					break;
				}
				put_output(1);
				run_packet(packet);
				assert_int_equal(bench.n_out + bench.n_dropped, 1);
				forget();
			}
		packet_heap_ops.free(NULL, whole);
	}
}

/* ------------------------------------------------------------------ copies and ends */

static void test_outputs(void **state)
{
	struct packet *packet = make(K_TCP4, 0, 50);
	uint32_t len = packet->len;

	put_output(1);
	put_u32(OP_TRUNCATE, 20);
	put_output(2);
	put_output(3);
	put_u32(OP_TRUNCATE, 2000);
	put_output(4);
	put_u32(OP_TRUNCATE, 1);
	put_output(5);
	run_packet(packet);
	assert_int_equal(bench.n_out, 5);
	assert_int_equal(bench.out[0].packet->len, len);
	assert_int_equal(bench.out[1].packet->len, 20);
	assert_int_equal(bench.out[2].packet->len, len);
	assert_int_equal(bench.out[3].packet->len, len);
	assert_int_equal(bench.out[4].packet->len, 14);
	assert_ptr_equal(bench.out[4].packet, packet);
	assert_int_equal(bench.n_dropped, 0);
}

static void expect_drop(enum drop_reason reason)
{
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_dropped, 1);
	assert_int_equal(bench.reason, reason);
	assert_int_equal(bench.n_out, 0);
	forget();
}

static void test_drops(void **state)
{
	size_t nest;

	expect_drop(DROP_ACTION);
	put_u32(OP_DROP, DROP_TABLE_MISS);
	expect_drop(DROP_TABLE_MISS);
	/* What comes first counts. */
	nest = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	program_nest_end(&bench.program, nest);
	put_u32(OP_DROP, DROP_MPLS);
	put_output(1);
	expect_drop(DROP_NO_OUTPUT);
	put(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	expect_drop(DROP_ACTION_MISMATCH);

	/* Sent once, it was not dropped. */
	put_output(1);
	put_u32(OP_DROP, DROP_TABLE_MISS);
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_out, 1);
	assert_int_equal(bench.n_dropped, 0);
}

static void test_clone(void **state)
{
	struct packet *packet = make(K_TCP4, 0, 50);
	size_t outer, inner;

	outer = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_vlan(OP_PUSH_VLAN, 0, 5);
	inner = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_vlan(OP_PUSH_VLAN, 0, 6);
	put_output(1);
	program_nest_end(&bench.program, inner);
	put_output(2);
	program_nest_end(&bench.program, outer);
	put_output(3);
	inner = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_output(4);
	program_nest_end(&bench.program, inner);
	run_packet(packet);
	assert_int_equal(bench.n_out, 4);
	assert_int_equal(bench.out[0].packet->len, packet->len + 8);
	assert_int_equal(bench.out[1].packet->len, packet->len + 4);
	assert_int_equal(bench.out[2].packet->len, packet->len);
	/* The last nest needs no copy. */
	assert_ptr_equal(bench.out[3].packet, packet);
}

static void test_no_memory(void **state)
{
	bench.fail_clone = 1;
	put_output(1);
	put_output(2);
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_out, 1);
	assert_int_equal(bench.out[0].port, 2);
	assert_int_equal(bench.n_lost, 1);
	assert_int_equal(bench.n_dropped, 0);
	forget();

	/* The only copy that would have left. */
	bench.fail_clone = 1;
	put_output(1);
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	expect_drop(DROP_NO_MEMORY);
}

static void test_shared(void **state)
{
	struct packet *packet = make(K_TCP4, 0, 50);

	/* Others read the same bytes: written is a copy only. */
	packet->shared = true;
	put_changes(K_TCP4);
	put_output(1);
	run_packet(packet);
	assert_ptr_not_equal(bench.out[0].packet, packet);
	assert_false(bench.out[0].packet->shared);
	check_csums(bench.out[0].packet);
	forget();

	packet = make(K_TCP4, 0, 50);
	packet->shared = true;
	bench.fail_clone = 1;
	put_changes(K_TCP4);
	put_output(1);
	run_packet(packet);
	assert_int_equal(bench.reason, DROP_NO_MEMORY);
}

static void test_control(void **state)
{
	struct op_neigh_hold *hold;

	put(OP_PUNT, sizeof(struct op_punt));
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_punt, 1);
	assert_int_equal(bench.n_dropped, 0);
	forget();

	/* Being looked at is no end. */
	put_u32(OP_NEIGH_SNOOP, 1);
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	run_packet(make(K_ARP, 0, 0));
	assert_int_equal(bench.n_control, 1);
	assert_int_equal(bench.n_dropped, 1);
	forget();

	hold = put(OP_NEIGH_HOLD, sizeof *hold);
	hold->tunnel = 9;
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_control, 1);
	assert_int_equal(bench.n_dropped, 0);
	forget();

	put_output(1);
	put(OP_RESUME, sizeof(struct op_resume));
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_resume, 1);
	assert_int_equal(bench.n_out, 1);
	forget();

	/* What follows is done to the packet as it was. */
	put(OP_RESUME, sizeof(struct op_resume));
	put_output(1);
	run_packet(make(K_TCP4, 0, 50));
	assert_int_equal(bench.n_resume, 1);
	assert_int_equal(bench.n_out, 1);
}

/* ------------------------------------------------------------------ choices */

static void test_check_len(void **state)
{
	struct packet *packet;

	for (int larger = 0; larger < 2; larger++) {
		size_t nest, branch;
		struct op_check_len *op;

		packet = make(K_TCP4, 0, 50);
		nest = program_nest_begin(&bench.program, OP_CHECK_LEN, sizeof *op);
		op = program_at(&bench.program, nest);
		op->frame_len = packet->len - (uint32_t)larger;
		branch = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
		put_output(1);
		program_nest_end(&bench.program, branch);
		branch = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
		put_output(2);
		program_nest_end(&bench.program, branch);
		program_nest_end(&bench.program, nest);
		run_packet(packet);
		assert_int_equal(bench.out[0].port, larger ? 1 : 2);
		assert_ptr_equal(bench.out[0].packet, packet);
		/* Of a segment that is cut on the wire, the pieces count. */
		if (larger) {
			packet = make(K_TCP4, 0, 1400);
			packet->gso_type = PACKET_GSO_TCPV4;
			packet->gso_size = 20;
			bench.n_live++;
			execute(&bench.env, program_ops(&bench.program),
				program_len(&bench.program), packet);
			assert_int_equal(bench.out[1].port, 2);
		}
		forget();
	}
}

static void put_select(unsigned int n_slots, unsigned int n_buckets)
{
	size_t slots_len = ROUND_UP(n_slots * 2, OP_ALIGN);
	size_t nest = program_nest_begin(&bench.program, OP_SELECT, sizeof(struct op_select) + slots_len);
	struct op_select *op = program_at(&bench.program, nest);

	op->n_slots = (uint16_t)n_slots;
	op->n_buckets = (uint16_t)n_buckets;
	for (unsigned int i = 0; i < n_slots; i++)
		op->slots[i] = (uint16_t)(i % (n_buckets + (n_slots == 4)));
	for (unsigned int i = 0; i < n_buckets; i++) {
		size_t bucket = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));

		put_output(1 + i);
		program_nest_end(&bench.program, bucket);
	}
	program_nest_end(&bench.program, nest);
}

static void test_select(void **state)
{
	unsigned int seen[4] = {0}, first = 0;

	for (uint32_t i = 0; i < 400; i++) {
		struct packet *packet = make(K_UDP4, 0, 10);

		/* The flow's, if it has none yet; the same for all packets of a flow. */
		packet->data[34] = (uint8_t)(i / 2);
		parse(packet);
		put_select(8, 2);
		run_packet(packet);
		assert_int_equal(bench.n_out, 1);
		assert_int_not_equal(packet->hash, 0);
		if (i % 2)
			assert_int_equal(bench.out[0].port, first);
		first = bench.out[0].port;
		seen[first]++;
		forget();
	}
	assert_true(seen[1] > 120 && seen[2] > 120);

	/* Slots that lead nowhere: 4 slots for 3 buckets and none. */
	memset(seen, 0, sizeof seen);
	for (uint32_t i = 1; i <= 400; i++) {
		struct packet *packet = make(K_UDP4, 0, 10);

		packet->hash = i * 2654435761u;
		put_select(4, 3);
		run_packet(packet);
		if (bench.n_dropped)
			assert_int_equal(bench.reason, DROP_GROUP_NO_BUCKET);
		seen[bench.n_out ? bench.out[0].port : 0]++;
		forget();
	}
	for (int i = 0; i < 4; i++)
		assert_true(seen[i] > 60);
}

static void test_sample(void **state)
{
	struct op_sample *op;

	for (int i = 0; i < 4; i++) {
		op = put(OP_SAMPLE, sizeof *op);
		op->probability = i < 2 ? 1000 : i == 2 ? 65535 : 0;
		bench.random = i == 0 ? 0xabc00000 + 999 : 0xffff;
		put_output(1);
		run_packet(make(K_TCP4, 0, 1));
		assert_int_equal(bench.n_sampled, i == 0 || i == 2);
		assert_int_equal(bench.n_out, 1);
		forget();
	}
}

static void test_meter(void **state)
{
	struct pl_bridge *bridge = pl_bridge_create("br0");
	struct pl_meter *meter = calloc(1, sizeof *meter);
	struct op_meter *op;
	unsigned int sent = 0;

	meter->id = 3;
	meter->flags = METER_PKTPS | METER_BURST;
	meter->n_bands = 1;
	meter->bands[0].type = METER_BAND_DROP;
	meter->bands[0].rate = 10;
	meter->bands[0].burst = 5;
	pl_meter_set(bridge, meter);
	bench.env.now_us = meter->bands[0].last_us;
	for (int i = 0; i < 9; i++) {
		op = put(OP_METER, sizeof *op);
		op->bridge = bridge->id;
		op->meter = 3;
		put_output(1);
		run_packet(make(K_TCP4, 0, 1));
		sent += bench.n_out;
		if (!bench.n_out)
			assert_int_equal(bench.reason, DROP_METER);
		forget();
	}
	assert_int_equal(sent, 5);
	assert_int_equal(meter->bands[0].packets, 4);

	/* AF11 becomes AF13, checksum and all; the other kind of band. */
	meter->bands[0].type = METER_BAND_DSCP_REMARK;
	meter->bands[0].prec_level = 2;
	for (enum kind kind = K_TCP4; kind <= K_TCP6; kind += K_TCP6 - K_TCP4) {
		struct packet *packet = make(kind, 0, 1);
		struct flow flow;

		if (kind == K_TCP6)
			packet->data[15] = 0x81, packet->data[14] = 0x62;
		op = put(OP_METER, sizeof *op);
		op->bridge = bridge->id;
		op->meter = 3;
		put_output(1);
		run_packet(packet);
		flow = parse(packet);
		assert_int_equal(flow.nw_tos, 0x38);
		check_csums(packet);
		forget();
	}
	pl_bridge_destroy(bridge);
	rcu_synchronize();
}

static void test_meta(void **state)
{
	struct packet *packet = make(K_TCP4, 0, 1);
	struct op_meta *op = put(OP_SET_META, sizeof *op);

	op->pkt_mark = 7;
	op->queue = 3;
	put_output(1);
	run_packet(packet);
	assert_int_equal(packet->pkt_mark, 7);
	assert_int_equal(packet->queue, 3);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_changes),
		TEST(test_nd_option_type),
		TEST(test_partial_checksums),
		TEST(test_no_udp_checksum),
		TEST(test_fragments),
		TEST(test_routing_header),
		TEST(test_vlan),
		TEST(test_mpls),
		TEST(test_mpls_snap),
		TEST(test_pbb),
		TEST(test_minimum_length),
		TEST(test_cut_frames),
		TEST(test_outputs),
		TEST(test_drops),
		TEST(test_clone),
		TEST(test_no_memory),
		TEST(test_shared),
		TEST(test_control),
		TEST(test_check_len),
		TEST(test_select),
		TEST(test_sample),
		TEST(test_meter),
		TEST(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
