/* SPDX-License-Identifier: Apache-2.0 */
/* What PMDs do by short ways into tunnels and out of them is what programs and the interpreter say. */
#include "datapath/pmd/pmd_push.h"
#include "tests/unit/datapath/pmd_bench.h"

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "tunnel/tnl_header.h"

static struct ipv6_addr v4(uint32_t host_order)
{
	struct ipv6_addr addr = {.w64 = {0, 0}};

	addr.w16[5] = BE16_MAX;
	addr.w32[3] = htobe32(host_order);
	return addr;
}

/* A VXLAN packet of 10.9.0.2 to 10.9.0.1 around P. */
static size_t encapsulated(const struct fx_packet *p, uint32_t vni, uint8_t *frame)
{
	static const uint8_t outer[50] = {0x02, 0, 0, 0, 0, 9, 0x02, 0, 0, 0, 0, 8, 0x08, 0, 0x45, 0, 0, 0,
		0, 0, 0x40, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1, 0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0, 8};
	be16 tot_len = htobe16((uint16_t)(36 + p->len)), udp_len = htobe16((uint16_t)(16 + p->len));
	be16 sum;

	memcpy(frame, outer, sizeof outer);
	memcpy(frame + 16, &tot_len, 2);
	memcpy(frame + 38, &udp_len, 2);
	sum = csum(frame + 14, 20);
	memcpy(frame + 24, &sum, 2);
	frame[46] = (uint8_t)(vni >> 16);
	frame[47] = (uint8_t)(vni >> 8);
	frame[48] = (uint8_t)vni;
	memcpy(frame + 50, p->data, p->len);
	return 50 + p->len;
}

static void put_op(struct path_pool *pool, const void *op, size_t len, struct xlate_out *out)
{
	void *to = program_put(&out->program, ((const struct op *)op)->type, len);

	memcpy((char *)to + sizeof(struct op), (const char *)op + sizeof(struct op),
		len - sizeof(struct op));
}

/* The short way into a tunnel makes the same bytes as the interpreter. */
static void tunnel_push_is_the_same_both_ways(void **state)
{
	struct bench b = bench_create();
	struct tnl_config config = {.type = TNL_VXLAN, .dst_port = htobe16(4789)};
	struct tnl_port tnl = {.config = config};
	struct flow_tnl outer = {.ip_src = htobe32(0x0a090001), .ip_dst = htobe32(0x0a090002),
		.ip_ttl = 64, .tun_id = htobe64(77), .tp_dst = htobe16(4789),
		.flags = FLOW_TNL_F_DONT_FRAGMENT};
	struct tnl_header h;
	struct xlate_out out;
	struct op_output output = {.op = {.type = OP_OUTPUT}, .port = fx_dp(b.bridge, 2)};
	struct op_tnl_push *push;
	struct path *path;
	struct flow flow;
	uint32_t slot;

	tnl_header_build(&tnl, &outer, (struct eth_addr){{2, 0, 0, 0, 0, 1}},
		(struct eth_addr){{2, 0, 0, 0, 0, 2}}, NULL, 0, &h);
	xlate_out_init(&out);
	memset(&out.wc, 0, sizeof out.wc);
	out.n_deps = out.n_counters = out.n_refreshes = 0;
	out.cacheable = true;
	push = program_put(&out.program, OP_TNL_PUSH, sizeof *push + h.len);
	push->header_len = h.len;
	push->outer_l3_ofs = h.l3_ofs;
	push->outer_l4_ofs = h.l4_ofs;
	push->proto = h.proto;
	memcpy(push->header, h.data, h.len);
	put_op(b.pf->pmd->pool, &output, sizeof output, &out);
	memset(&flow, 0, sizeof flow);
	slot = path_intern(b.pf->pmd->pool, &out, &flow, 1, 0, true);
	path = &b.pf->pmd->paths[slot];
	assert_int_equal(path->kind, PATH_TUNNEL);

	for (int i = 1; i < 200; i++) {
		struct fx_packet p = i % 2 ? fx_udp(i % 7, i % 5) : fx_vlan(fx_tcp(1, i % 9, 2), 0x8100, 5);
		struct pf_frame first;
		struct flow_key key;
		uint32_t hash;

		for (int way = 0; way < 2; way++) {
			struct rte_mbuf *m = mbuf_from_bytes(eal_mempool(-1), p.data, (uint32_t)p.len);
			struct packet *packet = mbuf_packet(m);

			b.pf->ports[2].n_tx = 0;
			flow_key_extract(packet, 1, &(struct flow_limits){2}, &key);
			hash = flow_key_hash_5tuple(&key, 0);
			pmd_fate_begin(b.pf->pmd, b.pf->ports[1].pp);
			if (way) {
				packet->hash = hash;
				pmd_run(b.pf->pmd, path->ops, path->body->program->len, 0,
					packet);
			} else {
				assert_true(pmd_tunnel_push(b.pf->pmd, path, b.pf->pmd->ports[path->port], m,
					tnl_entropy_port(tnl_entropy(), hash)));
			}
			pmd_flush(b.pf->pmd);
			assert_int_equal(b.pf->ports[2].n_tx, 1);
			assert_int_equal(b.pf->ports[2].tx[0].len, p.len + 50);
			if (!way)
				first = b.pf->ports[2].tx[0];
			else
				assert_memory_equal(first.data, b.pf->ports[2].tx[0].data, first.len);
		}
	}
	path_retire(b.pf->pmd->pool, slot);
	xlate_out_uninit(&out);
	bench_destroy(&b);
}

/* Tunnel ports 20 and 21 of VNIs 5 and 6, whose packets go to ports 2 and 3. */
static void add_tunnels(struct bench *b, const struct tnl_port *tnl[2])
{
	struct tnl_config config = {.type = TNL_VXLAN, .dst_port = htobe16(4789), .in_key_present = true,
		.remote = v4(0x0a090002)};
	struct pl_bridge_conf *conf = fx_conf(b->bridge);

	for (int i = 0; i < 2; i++) {
		struct pl_port *port;

		config.in_key = htobe64(5 + (unsigned int)i);
		assert_int_equal(tnl_port_add(&config, fx_dp(b->bridge, 20 + (unsigned int)i),
			i ? "vx1" : "vx0", &tnl[i]), 0);
		port = fx_add_port(b->bridge, conf, 20 + (unsigned int)i, PL_PORT_TUNNEL, i ? "vx1" : "vx0");
		port->tunnel = tnl[i];
		port->rx_counter = counter_alloc();
		port->tx_counter = counter_alloc();
	}
	pl_bridge_set_conf(b->bridge, conf);
	output_rule(b, 10, "in_port=20", 2);
	output_rule(b, 10, "in_port=21", 3);
}

/* All that port 1 receives is taken out of a tunnel. */
static void take_all_out(struct bench *b)
{
	struct op_tnl_pop pop = {.op = {.type = OP_TNL_POP}, .type = TNL_VXLAN};
	struct key_mask *mask = pmd_key_mask(b->pf->pmd, fx_dp(b->bridge, 1));
	struct fx_packet p = fx_udp(1, 2);
	struct xlate_out out;
	uint8_t frame[1024];
	struct flow_key key;
	struct exact_ref ref;
	struct rte_mbuf *m;
	struct flow flow;

	b->pf->pmd->no_oracle = true;
	xlate_out_init(&out);
	memset(&out.wc, 0, sizeof out.wc);
	memset(&flow, 0, sizeof flow);
	put_op(b->pf->pmd->pool, &pop, sizeof pop, &out);
	out.seq = dep_seq();
	out.n_deps = out.n_counters = out.n_refreshes = 0;
	ref.slot = path_intern(b->pf->pmd->pool, &out, &flow, fx_dp(b->bridge, 1), 0, true);
	ref.generation = path_generation(&b->pf->pmd->paths[ref.slot]);
	m = mbuf_from_bytes(eal_mempool(-1), frame, (uint32_t)encapsulated(&p, 5, frame));
	flow_key_extract(mbuf_packet(m), fx_dp(b->bridge, 1), &(struct flow_limits){2}, &key);
	key_mask_apply(mask, mbuf_packet(m)->data, mbuf_packet(m)->seg_len, &key, &key);
	exact_insert(&b->pf->pmd->exact[FLOW_KEY_K64], b->pf->pmd->paths, flow_key_hash(&key, mask->epoch),
		key.w, 7, ref);
	rte_pktmbuf_free(m);
	xlate_out_uninit(&out);
}

/* Two tunnels and packets that belong to neither, in one burst. */
static void what_comes_out_of_tunnels_goes_on(void **state)
{
	struct bench b = bench_create();
	const struct tnl_port *tnl[2];
	struct fx_packet p = fx_udp(1, 2);
	uint8_t frame[1024];

	add_tunnels(&b, tnl);
	for (int round = 0; round < 3; round++) {
		take_all_out(&b);
		for (int i = 0; i < 20; i++)
			pf_put(b.pf, 1, frame, encapsulated(&p, 5 + (unsigned int)i % 3, frame));
		pf_put(b.pf, 1, frame, 60);
		pf_run(b.pf);
		assert_int_equal(n_sent(&b, 2), 7);
		assert_int_equal(n_sent(&b, 3), 7);
		assert_memory_equal(b.pf->ports[2].tx[0].data, p.data, p.len);
		assert_int_equal(pf_drops(b.pf, 1, DROP_TNL_NO_PORT), 6 * (round + 1));
		assert_int_equal(pf_drops(b.pf, 1, DROP_TNL_BAD_HEADER), round + 1);
		pf_check_invariant(b.pf, 1);
	}
	assert_int_equal(stat_get(&b.pf->pmd->stats.recirculations), 3 * 14);
	for (int i = 0; i < 2; i++)
		tnl_port_remove(tnl[i]);
	bench_destroy(&b);
}

/* What one frame came to: where it left, how often it was dropped and why. */
struct outcome {
	unsigned int n_sent[BENCH_PORTS + 1];
	uint64_t drops[DROP_N_REASONS];
	uint64_t bytes;
};

static struct outcome send_one(struct bench *b, const uint8_t *frame, size_t len)
{
	struct outcome o = {.bytes = 0};

	for (unsigned int r = 0; r < DROP_N_REASONS; r++)
		o.drops[r] = pf_drops(b->pf, 1, (enum drop_reason)r);
	pf_send(b->pf, 1, frame, len);
	for (ofp_port_t port = 1; port <= BENCH_PORTS; port++) {
		o.n_sent[port] = n_sent(b, port);
		for (unsigned int i = 0; i < n_sent(b, port); i++)
			o.bytes += b->pf->ports[port].tx[i].len;
	}
	for (unsigned int r = 0; r < DROP_N_REASONS; r++)
		o.drops[r] = pf_drops(b->pf, 1, (enum drop_reason)r) - o.drops[r];
	return o;
}

/* A header like a known one but for a bit ends as if none were known. */
static void known_outer_headers_are_told_from_others(void **state)
{
	struct bench b = bench_create();
	struct pmd *pmd = b.pf->pmd;
	const struct tnl_port *tnl[2];
	struct fx_packet p = fx_udp(1, 2);
	uint8_t good[1024], frame[1024];
	size_t len = encapsulated(&p, 5, good);
	unsigned int n_known = 0;

	add_tunnels(&b, tnl);
	take_all_out(&b);
	for (unsigned int bit = 0; bit < 50 * 8; bit++) {
		struct outcome cold, warm;
		uint64_t hits;

		for (int fix = 0; fix < 2; fix++) {
			memcpy(frame, good, len);
			frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
			if (fix) {
				be16 sum;

				memset(frame + 24, 0, 2);
				sum = csum(frame + 14, 20);
				memcpy(frame + 24, &sum, 2);
			}
			memset(pmd->outers, 0, sizeof pmd->outers);
			cold = send_one(&b, frame, len);
			memset(pmd->outers, 0, sizeof pmd->outers);
			send_one(&b, good, len);
			assert_int_equal(n_sent(&b, 2), 1);
			hits = stat_get(&pmd->stats.exact_hits);
			warm = send_one(&b, frame, len);
			assert_memory_equal(&cold, &warm, sizeof cold);
			n_known += stat_get(&pmd->stats.exact_hits) - hits == 2;
		}
	}
	assert_true(n_known > 0);
	/* What was known of a port is not when that is gone. */
	memset(pmd->outers, 0, sizeof pmd->outers);
	send_one(&b, good, len);
	tnl_port_remove(tnl[0]);
	dep_bump(dep_tunnel());
	take_all_out(&b);
	assert_int_equal(send_one(&b, good, len).drops[DROP_TNL_NO_PORT], 1);
	tnl_port_remove(tnl[1]);
	bench_destroy(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel_push_is_the_same_both_ways),
		cmocka_unit_test(what_comes_out_of_tunnels_goes_on),
		cmocka_unit_test(known_outer_headers_are_told_from_others),
	};

	return cmocka_run_group_tests(tests, bench_start, NULL);
}
