/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/datapath/pmd_bench.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"

/* ------------------------------------------------------------------ the walks */

/* The PMD is so busy that not a single miss is allowed. */
static void allow_no_miss(struct bench *b)
{
	struct miss_budget *budget = &b->pf->pmd->miss_budget;

	budget->limit = 0;
	budget->pool = 0;
	for (ofp_port_t port = 1; port <= BENCH_PORTS; port++)
		b->pf->ports[port].pp->miss_share = (struct miss_share){.window = budget->window};
}

/* Of the masks that have grown so far. */
static void end_pardon(struct bench *b)
{
	dp_port_t port = fx_dp(b->bridge, 1);

	b->pf->pmd->pardons[port] = (struct pmd_pardon){.epoch = b->pf->pmd->key_masks[port].epoch};
}

static void put_many(struct bench *b, const struct fx_packet *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		pf_put(b->pf, 1, p->data, p->len);
}

/* Whether all of a port's packets have one key (by mask or by chance) or not, those of flows that are known
 * are not dropped for want of time when a change has made their path untrue. */
static void known_flows_are_not_dropped_for_a_change(void **state)
{
	static const char *const matches[] = {"in_port=1", "in_port=1,eth_src=02:aa:00:00:00:01"};

	for (unsigned int i = 0; i < ARRAY_SIZE(matches); i++)
		for (unsigned int others = 0; others < 2; others++) {
			struct bench b = bench_create();
			struct fx_packet p = fx_udp(1, 2), q = fx_udp(1, 3);
			struct pl_rule *rule = output_rule(&b, 10, matches[i], 2);

			pf_send(b.pf, 1, p.data, p.len);
			pf_send(b.pf, 1, q.data, q.len);
			pl_rule_hide(b.bridge, rule, version_next());
			version_publish();
			pl_rule_changed(b.bridge, rule);
			output_rule(&b, 10, matches[i], 3);
			end_pardon(&b);
			allow_no_miss(&b);
			put_many(&b, &p, 10);
			put_many(&b, &q, others * 10);
			pf_run(b.pf);
			assert_int_equal(n_sent(&b, 3), 10 + others * 10);
			assert_int_equal(pf_drops(b.pf, 1, DROP_MISS_BUDGET), 0);
			bench_destroy(&b);
		}
}

/* One miss is allowed: the packets behind it that take its path need none. */
static void twins_of_a_miss_are_not_dropped(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2), q = fx_udp(3, 2);

	output_rule(&b, 10, "in_port=1,eth_src=02:aa:00:00:00:01", 2);
	output_rule(&b, 10, "in_port=1,eth_src=02:aa:00:00:00:03", 2);
	output_rule(&b, 10, "in_port=1,eth_src=02:aa:00:00:00:09", 2);
	pf_send(b.pf, 1, fx_udp(9, 2).data, p.len);
	end_pardon(&b);
	allow_no_miss(&b);
	b.pf->pmd->miss_budget.pool = 1;
	put_many(&b, &p, 10);
	put_many(&b, &q, 10);
	pf_run(b.pf);
	assert_int_equal(n_sent(&b, 2), 10);
	assert_int_equal(pf_drops(b.pf, 1, DROP_MISS_BUDGET), 10);
	bench_destroy(&b);
}

/* A packet is the first that makes its port's mask grow: what was known under the mask of before is found again. */
static void a_grown_mask_drops_nobody(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2), q = fx_tcp(1, 2, 2);

	output_rule(&b, 10, "in_port=1,eth_type=0x800,ip_proto=6", 2);
	output_rule(&b, 5, "in_port=1", 2);
	for (int i = 0; i < 8; i++)
		pf_send(b.pf, 1, fx_udp(1, 2 + i).data, p.len);
	end_pardon(&b);
	pf_send(b.pf, 1, q.data, q.len);
	allow_no_miss(&b);
	for (int i = 0; i < 8; i++)
		pf_put(b.pf, 1, fx_udp(1, 2 + i).data, p.len);
	pf_run(b.pf);
	assert_int_equal(n_sent(&b, 2), 8);
	bench_destroy(&b);
}

/* What debug builds ask of each hit: it is no other flow's way, and the port's mask has all that was read. */
static void oracle_tells_wrong_paths_and_masks(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2), q = fx_udp(3, 2);
	const struct pl_port *in_port = pl_port_get(fx_dp(b.bridge, 1));
	struct flow_key_origin origin = {.in_port = in_port->dp_port, .max_vlans = FLOW_MAX_VLANS};
	struct key_mask *mask = &b.pf->pmd->key_masks[in_port->dp_port];
	struct flow_key key, other, masked;
	struct exact_ref ref;
	struct path *path;

	output_rule(&b, 10, "in_port=1,eth_src=02:aa:00:00:00:01", 2);
	output_rule(&b, 5, "in_port=1", 3);
	pf_send(b.pf, 1, p.data, p.len);
	pf_send(b.pf, 1, q.data, q.len);
	assert_true(flow_key_parse(p.data, (uint32_t)p.len, (uint32_t)p.len, &origin, &key));
	assert_true(flow_key_parse(q.data, (uint32_t)q.len, (uint32_t)q.len, &origin, &other));
	key_mask_apply(mask, p.data, (uint32_t)p.len, &key, &masked);
	path = pmd_look_up_one(b.pf->pmd, &masked, flow_key_hash(&masked, mask->epoch), &ref);
	assert_non_null(path);
	assert_null(pmd_oracle_ask(b.pf->pmd, in_port, &key, path));
	assert_non_null(pmd_oracle_ask(b.pf->pmd, in_port, &other, path));
	mask->bits[FLOW_KEY_K64].w[2] = 0;
	assert_non_null(pmd_oracle_ask(b.pf->pmd, in_port, &key, path));
	bench_destroy(&b);
}

static void second_packet_hits_and_counts_are_exact(void **state)
{
	struct bench b = bench_create();
	struct pl_rule *rule = output_rule(&b, 10, "in_port=1", 2);
	struct fx_packet p = fx_udp(1, 2);
	struct counter_value value;

	for (int i = 0; i < 5; i++) {
		pf_send(b.pf, 1, p.data, p.len);
		assert_int_equal(n_sent(&b, 2), 1);
		assert_int_equal(b.pf->ports[2].tx[0].len, p.len);
		assert_memory_equal(b.pf->ports[2].tx[0].data, p.data, p.len);
	}
	assert_int_equal(stat_get(&b.pf->pmd->stats.misses), 1);
	assert_int_equal(stat_get(&b.pf->pmd->stats.exact_hits), 4);
	dp_sweep_pmd(b.pf->pmd);
	dp_sweep_pmd(b.pf->pmd);
	value = counter_get(rule->counter);
	assert_int_equal(value.packets, 5);
	assert_int_equal(value.bytes, 5 * p.len);
	assert_true(value.used_ms > 0);
	bench_destroy(&b);
}

static void packets_of_one_burst_share_one_miss(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);

	output_rule(&b, 10, "in_port=1", 2);
	for (int i = 0; i < 32; i++)
		pf_put(b.pf, 1, p.data, p.len);
	pf_run(b.pf);
	assert_int_equal(n_sent(&b, 2), 32);
	assert_int_equal(stat_get(&b.pf->pmd->stats.misses), 1);
	bench_destroy(&b);
}

static void change_of_a_rule_is_seen_by_the_next_packet(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);
	struct pl_rule *low = output_rule(&b, 10, "in_port=1", 2), *high;

	pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(n_sent(&b, 2), 1);
	high = output_rule(&b, 20, "in_port=1", 3);
	pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(n_sent(&b, 2), 0);
	assert_int_equal(n_sent(&b, 3), 1);
	pl_rule_hide(b.bridge, high, version_next());
	version_publish();
	pl_rule_changed(b.bridge, high);
	pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(n_sent(&b, 2), 1);
	dp_sweep_pmd(b.pf->pmd);
	assert_int_equal(counter_get(low->counter).packets, 2);
	assert_int_equal(counter_get(high->counter).packets, 1);
	bench_destroy(&b);
}

static void unrelated_change_keeps_the_path(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);

	output_rule(&b, 10, "in_port=1", 2);
	pf_send(b.pf, 1, p.data, p.len);
	dep_bump(dep_group(77, 1));
	pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(stat_get(&b.pf->pmd->stats.misses), 1);
	bench_destroy(&b);
}

static void table_miss_is_dropped_and_counted(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);

	atomic_store(&b.bridge->tables[0].miss, PL_MISS_DROP);
	for (int i = 0; i < 3; i++)
		pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(pf_drops(b.pf, 1, DROP_TABLE_MISS), 3);
	bench_destroy(&b);
}

static void runts_and_strangers_are_dropped(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);
	struct pl_bridge_conf *conf;

	output_rule(&b, 10, "", 2);
	pf_put(b.pf, 1, p.data, p.len);
	pf_put(b.pf, 1, p.data, 13);
	pf_put(b.pf, 1, p.data, 1);
	pf_put(b.pf, 1, p.data, 14);
	pf_run(b.pf);
	assert_int_equal(pf_drops(b.pf, 1, DROP_RX_MALFORMED), 2);
	assert_int_equal(n_sent(&b, 2), 2);

	/* The port leaves its bridge; its device is still there. */
	conf = fx_conf(b.bridge);
	conf->n_ports = 3;
	pl_bridge_set_conf(b.bridge, conf);
	pf_send(b.pf, 4, p.data, p.len);
	assert_int_equal(pf_drops(b.pf, 4, DROP_RX_NO_BRIDGE), 1);
	bench_destroy(&b);
}

static void refused_packets_are_the_output_ports_drops(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);

	output_rule(&b, 10, "in_port=1", 2);
	b.pf->ports[2].refuse = 3;
	for (int i = 0; i < 10; i++)
		pf_put(b.pf, 1, p.data, p.len);
	pf_run(b.pf);
	assert_int_equal(stat_get(&b.pf->ports[2].pp->tx_packets), 7);
	assert_int_equal(stat_get(&b.pf->ports[2].pp->tx_bytes), 7 * p.len);
	assert_int_equal(stat_get(&b.pf->ports[2].pp->tx_drops[DROP_TX_FULL]), 3);
	assert_int_equal(stat_get(&b.pf->ports[1].pp->forwarded), 10);
	bench_destroy(&b);
}

static void normal_learns_by_news(void **state)
{
	struct bench b = bench_create();
	struct fx_packet there = fx_udp(1, 2), back = fx_udp(2, 1);
	struct news news;

	output_rule(&b, 10, "", OFPP_NORMAL);
	pf_send(b.pf, 1, there.data, there.len);
	assert_int_equal(n_sent(&b, 2) + n_sent(&b, 3) + n_sent(&b, 4), 3);
	assert_true(news_get_fact(&b.pf->pmd->news, &news));
	assert_int_equal(news.type, NEWS_FDB);
	assert_int_equal(news.fdb.port, 1);
	assert_false(news_get_fact(&b.pf->pmd->news, &news));
	fdb_learn(b.bridge->fdb, news.fdb.mac, news.fdb.vlan, news.fdb.port, 1);

	pf_send(b.pf, 2, back.data, back.len);
	assert_int_equal(n_sent(&b, 1), 1);
	assert_int_equal(n_sent(&b, 3) + n_sent(&b, 4), 0);
	assert_true(news_get_fact(&b.pf->pmd->news, &news));
	fdb_learn(b.bridge->fdb, news.fdb.mac, news.fdb.vlan, news.fdb.port, 1);

	/* The flood of before is over. */
	pf_send(b.pf, 1, there.data, there.len);
	assert_int_equal(n_sent(&b, 2), 1);
	assert_int_equal(n_sent(&b, 3) + n_sent(&b, 4), 0);
	bench_destroy(&b);
}

static void news_that_found_no_room_is_told_again(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);
	struct news news, filler;

	output_rule(&b, 10, "", OFPP_NORMAL);
	memset(&filler, 0, sizeof filler);
	filler.type = NEWS_FDB;
	do {
		filler.fdb.port++;
	} while (news_put_fact(&b.pf->pmd->news, &filler, 0));
	pf_send(b.pf, 1, p.data, p.len);
	assert_int_equal(n_sent(&b, 2), 1);
	while (news_get_fact(&b.pf->pmd->news, &news))
		assert_int_equal(news.fdb.bridge, 0);
	pf_send(b.pf, 1, p.data, p.len);
	assert_true(news_get_fact(&b.pf->pmd->news, &news));
	assert_int_equal(news.fdb.port, 1);
	bench_destroy(&b);
}

static void packet_in_carries_frame_and_operation(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);
	struct op_punt *op;
	struct news news;
	uint8_t frame[256];

	output_rule(&b, 10, "in_port=1", OFPP_CONTROLLER);
	for (int i = 0; i < 2; i++) {
		pf_send(b.pf, 1, p.data, p.len);
		assert_true(news_get_packet(&b.pf->pmd->news, &news));
		assert_int_equal(news.type, NEWS_OP);
		op = (struct op_punt *)news_take_op(news.packet.op);
		assert_int_equal(op->op.type, OP_PUNT);
		assert_int_equal(op->bridge, b.bridge->id);
		assert_int_equal(op->metadata.in_port, 1);
		assert_int_equal(mbuf_read(news.packet.mbuf, frame, sizeof frame), p.len);
		assert_memory_equal(frame, p.data, p.len);
		rte_pktmbuf_free(news.packet.mbuf);
		free(op);
	}
	assert_int_equal(stat_get(&b.pf->ports[1].pp->consumed), 2);
	bench_destroy(&b);
}

static void copies_do_not_change_each_other(void **state)
{
	struct bench b = bench_create();
	struct act_builder *acts = fx_acts();
	struct fx_packet p = fx_udp(1, 2);

	fx_output(acts, 2);
	fx_set(acts, "eth_src", "02:bb:00:00:00:09");
	fx_output(acts, 3);
	fx_set(acts, "ip_dst", "1.2.3.4");
	fx_output(acts, 4);
	fx_rule(b.fx, b.bridge, 0, 5, "in_port=1", acts);
	for (int i = 0; i < 2; i++) {
		pf_send(b.pf, 1, p.data, p.len);
		assert_memory_equal(b.pf->ports[2].tx[0].data, p.data, p.len);
		assert_int_equal(b.pf->ports[3].tx[0].data[7], 0xbb);
		assert_memory_equal(b.pf->ports[3].tx[0].data + 12, p.data + 12, p.len - 12);
		assert_int_equal(b.pf->ports[4].tx[0].data[30], 1);
		assert_int_equal(b.pf->ports[4].tx[0].data[33], 4);
	}
	bench_destroy(&b);
}

static void removed_port_is_let_go(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);
	_Atomic uint32_t done = 1;

	output_rule(&b, 10, "in_port=1", 2);
	pf_send(b.pf, 1, p.data, p.len);
	pmd_command(b.pf->pmd, &(struct command){.type = COMMAND_PORT_REMOVE, .done = &done,
		.port = b.pf->ports[2].pp});
	pf_put(b.pf, 1, p.data, p.len);
	pf_run(b.pf);
	assert_int_equal(atomic_load(&done), 0);
	assert_int_equal(n_sent(&b, 2), 0);
	assert_int_equal(pf_drops(b.pf, 1, DROP_NO_SUCH_PORT), 1);
	assert_int_equal(b.pf->pmd->n_rxqs, BENCH_PORTS - 1);
	bench_destroy(&b);
}

static void control_sends_by_command(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2);

	for (int i = 0; i < 10; i++) {
		struct rte_mbuf *m = mbuf_from_bytes(eal_mempool(-1), p.data, (uint32_t)p.len);

		rte_pktmbuf_mtod(m, uint8_t *)[p.len - 1] = (uint8_t)i;
		pmd_command(b.pf->pmd, &(struct command){.type = COMMAND_TX,
			.tx = {.mbuf = m, .port = fx_dp(b.bridge, 3)}});
	}
	pf_run(b.pf);
	assert_int_equal(n_sent(&b, 3), 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(b.pf->ports[3].tx[i].data[p.len - 1], i);
	bench_destroy(&b);
}

static struct bench *racing;

/* Control changes a rule just while a PMD translates with the version of before. */
static bool change_meanwhile(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	if (racing)
		output_rule(racing, 20, "in_port=1", 3);
	racing = NULL;
	return true;
}

static void change_during_a_translation_is_not_missed(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p[2] = {fx_udp(1, 2), fx_udp(1, 3)};

	output_rule(&b, 10, "", OFPP_NORMAL);
	b.pf->pmd->sink.fdb_learn = change_meanwhile;
	racing = &b;
	for (int i = 0; i < 2; i++)
		pf_put(b.pf, 1, p[i].data, p[i].len);
	pf_run(b.pf);
	assert_null(racing);
	for (int i = 0; i < 2; i++) {
		pf_send(b.pf, 1, p[i].data, p[i].len);
		assert_int_equal(n_sent(&b, 2), 0);
		assert_int_equal(n_sent(&b, 3), 1);
	}
	bench_destroy(&b);
}

static void purge_forgets_paths_and_keeps_counts(void **state)
{
	struct bench b = bench_create();
	struct pl_rule *rule = output_rule(&b, 10, "in_port=1", 2);
	struct fx_packet p = fx_udp(1, 2);

	for (int i = 0; i < 3; i++) {
		pf_send(b.pf, 1, p.data, p.len);
		pmd_command(b.pf->pmd, &(struct command){.type = COMMAND_PURGE});
		pf_run(b.pf);
		assert_int_equal(path_pool_n_live(b.pf->pmd->pool), 0);
	}
	assert_int_equal(stat_get(&b.pf->pmd->stats.misses), 3);
	dp_sweep_pmd(b.pf->pmd);
	assert_int_equal(counter_get(rule->counter).packets, 3);
	bench_destroy(&b);
}

/* ------------------------------------------------------------------ frames of all kinds */

/* N random frames of all kinds from port 1 go to port OUT. */
static void send_all_kinds(struct bench *b, ofp_port_t out, unsigned int n)
{
	uint8_t frame[512];
	unsigned int sent = 0;

	for (unsigned int i = 0; i < n; i++) {
		size_t len = pf_random_frame(frame);

		if (len < 14)
			continue;
		pf_put(b->pf, 1, frame, len);
		sent++;
	}
	pf_run(b->pf);
	assert_int_equal(n_sent(b, out), sent);
}

/* Where nothing behind the Ethernet header decides, packets of all kinds share what is known; and no longer
 * than that. */
static void what_nobody_reads_is_not_parsed(void **state)
{
	struct bench b = bench_create();
	struct fx_packet p = fx_udp(1, 2), other = fx_udp(1, 3), arp = fx_arp(1, 1), v6 = fx_udp6(1, 2);
	struct key_mask *mask = pmd_key_mask(b.pf->pmd, fx_dp(b.bridge, 1));
	struct pl_rule *rule;

	output_rule(&b, 10, "in_port=1", 2);
	for (int round = 0; round < 20; round++)
		send_all_kinds(&b, 2, 30);
	assert_int_equal(stat_get(&b.pf->pmd->stats.misses), 1);
	assert_int_equal(mask->depth, XLATE_PORT);

	/* Neighbours' packets differ in type and sender only. */
	rule = output_rule(&b, 20, "in_port=1,eth_type=0x0806", 3);
	for (int round = 0; round < 3; round++) {
		pf_put(b.pf, 1, p.data, p.len);
		pf_put(b.pf, 1, arp.data, arp.len);
		pf_put(b.pf, 1, v6.data, v6.len);
		pf_put(b.pf, 1, other.data, other.len);
		pf_run(b.pf);
		assert_int_equal(n_sent(&b, 2), 3);
		assert_int_equal(n_sent(&b, 3), 1);
	}
	assert_int_equal(mask->depth, XLATE_ETHERNET);
	assert_in_range(stat_get(&b.pf->pmd->stats.misses), 4, 5);
	dp_sweep_pmd(b.pf->pmd);
	assert_int_equal(counter_get(rule->counter).packets, 3);

	output_rule(&b, 30, "in_port=1,eth_type=0x0800,ip_proto=17,udp_dst=3", 4);
	for (int round = 0; round < 3; round++) {
		pf_put(b.pf, 1, p.data, p.len);
		pf_put(b.pf, 1, other.data, other.len);
		pf_put(b.pf, 1, arp.data, arp.len);
		pf_run(b.pf);
	}
	assert_int_equal(mask->depth, XLATE_ALL);
	assert_int_equal(n_sent(&b, 2) + n_sent(&b, 4), 2);
	assert_int_equal(n_sent(&b, 3), 1);
	pf_check_invariant(b.pf, 1);
	bench_destroy(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_flows_are_not_dropped_for_a_change),
		cmocka_unit_test(twins_of_a_miss_are_not_dropped),
		cmocka_unit_test(a_grown_mask_drops_nobody),
		cmocka_unit_test(oracle_tells_wrong_paths_and_masks),
		cmocka_unit_test(second_packet_hits_and_counts_are_exact),
		cmocka_unit_test(packets_of_one_burst_share_one_miss),
		cmocka_unit_test(what_nobody_reads_is_not_parsed),
		cmocka_unit_test(change_of_a_rule_is_seen_by_the_next_packet),
		cmocka_unit_test(unrelated_change_keeps_the_path),
		cmocka_unit_test(table_miss_is_dropped_and_counted),
		cmocka_unit_test(runts_and_strangers_are_dropped),
		cmocka_unit_test(refused_packets_are_the_output_ports_drops),
		cmocka_unit_test(normal_learns_by_news),
		cmocka_unit_test(news_that_found_no_room_is_told_again),
		cmocka_unit_test(packet_in_carries_frame_and_operation),
		cmocka_unit_test(copies_do_not_change_each_other),
		cmocka_unit_test(removed_port_is_let_go),
		cmocka_unit_test(control_sends_by_command),
		cmocka_unit_test(change_during_a_translation_is_not_missed),
		cmocka_unit_test(purge_forgets_paths_and_keeps_counts),
	};

	return cmocka_run_group_tests(tests, bench_start, NULL);
}
