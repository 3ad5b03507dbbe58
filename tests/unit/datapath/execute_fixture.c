/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/datapath/execute_fixture.h"

#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"

/* ------------------------------------------------------------------ environment */

struct bench bench;

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

int bench_setup(void **state)
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

void bench_forget(void)
{
	for (unsigned int i = 0; i < bench.n_out; i++)
		bench_free(NULL, bench.out[i].packet);
	bench.n_out = bench.n_punt = bench.n_control = bench.n_resume = bench.n_dropped = 0;
	bench.n_recirculated = bench.n_lost = bench.n_sampled = 0;
	program_builder_clear(&bench.program);
}

int bench_teardown(void **state)
{
	bench_forget();
	program_builder_uninit(&bench.program);
	assert_int_equal(bench.n_live, 0);
	return 0;
}

void bench_run(struct packet *packet)
{
	bench.n_live++;
	execute(&bench.env, program_ops(&bench.program), program_len(&bench.program), packet);
	assert_int_equal(bench.n_live, bench.n_out);
}

void put_output(dp_port_t port)
{
	struct op_output *op = program_put(&bench.program, OP_OUTPUT, sizeof *op);

	op->port = port;
}

void put_u32(enum op_type type, uint32_t value)
{
	struct op_u32 *op = program_put(&bench.program, type, sizeof *op);

	op->value = value;
}

void *put_op(enum op_type type, size_t size)
{
	return program_put(&bench.program, type, size);
}

void put_vlan(enum op_type type, uint16_t tpid, uint16_t tci)
{
	struct op_vlan *op = put_op(type, sizeof *op);

	op->tpid = htobe16(tpid);
	op->tci = htobe16(tci);
}

/* ------------------------------------------------------------------ frames */

bool is_v6(enum kind kind)
{
	return kind == K_TCP6 || kind == K_UDP6 || kind == K_ICMP6 || kind == K_ND6;
}

uint8_t proto_of(enum kind kind)
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

struct packet *make_frame(enum kind kind, unsigned int n_tags, unsigned int payload)
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

struct flow parse_frame(struct packet *packet)
{
	struct flow flow;

	flow_extract_limits(packet, &(struct flow_limits){2}, &flow);
	return flow;
}

void check_csums(const struct packet *packet)
{
	struct packet *copy = packet_heap_ops.clone(NULL, packet);
	struct flow flow = parse_frame(copy);
	bool zero_udp = false;

	if (flow.dl_type == htobe16(ETH_T_IP))
		assert_int_equal(csum(copy->data + copy->l3_ofs, IPV4_HEADER_LEN), 0);
	if (flow.nw_proto == IP_P_UDP && copy->l4_ofs != PACKET_NO_OFS)
		zero_udp = !memcmp(copy->data + copy->l4_ofs + 6, "\0\0", 2);
	if (!zero_udp && csum_fill_l4(copy, true, NULL))
		assert_memory_equal(copy->data, packet->data, packet->len);
	packet_heap_ops.free(NULL, copy);
}

void put_changes(enum kind kind)
{
	struct op_set_eth *eth = put_op(OP_SET_ETH, sizeof *eth);

	memset(&eth->src_mask, 0xff, 6);
	eth->src = (struct eth_addr){{2, 1, 1, 1, 1, 1}};
	eth->dst_mask = (struct eth_addr){{0, 0, 0, 0, 0, 0xff}};
	eth->dst = (struct eth_addr){{9, 9, 9, 9, 9, 0x77}};
	if (is_v6(kind)) {
		struct op_set_ipv6 *ip = put_op(OP_SET_IPV6, sizeof *ip);

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
		struct op_set_arp *arp = put_op(OP_SET_ARP, sizeof *arp);

		arp->op_code = htobe16(2);
		arp->op_mask = BE16_MAX;
		arp->spa = htobe32(0x01020304);
		arp->spa_mask = BE32_MAX;
		arp->tha = (struct eth_addr){{2, 2, 2, 2, 2, 2}};
		memset(&arp->tha_mask, 0xff, 6);
	} else {
		struct op_set_ipv4 *ip = put_op(OP_SET_IPV4, sizeof *ip);

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
		struct op_set_tp *tp = put_op(OP_SET_TP, sizeof *tp);

		tp->proto = proto_of(kind);
		tp->src = htobe16(kind == K_ICMP6 || kind == K_ND6 ? ND_NA : 5);
		tp->src_mask = BE16_MAX;
		tp->dst = htobe16(kind == K_ND6 ? 0 : 6);
		tp->dst_mask = htobe16(0xff);
	}
	if (kind == K_ND6) {
		struct op_set_nd *nd = put_op(OP_SET_ND, sizeof *nd);

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
