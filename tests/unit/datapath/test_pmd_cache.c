/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A PMD with its caches beside one without: random pipelines, packets of all kinds, while rules come and go,
 * stations move and ports change. Every packet that leaves, every drop and every rule's counter is the same.
 *
 * SLUICE_PACKETS=N runs so many; SLUICE_SEED=N begins with another world.
 */

#include "tests/unit/datapath/pmd_fixture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp_private.h"
#include "datapath/pipeline/fdb.h"
#include "tests/support/eal_fixture.h"

#define N_PORTS 4
#define N_PACKETS 100000u
#define ROUNDS_A_WORLD 800
#define MAX_RULES 500
#define N_FRAMES 64		/* Most packets are one of so many. */

struct bench {
	struct fx *fx;
	struct pl_bridge *bridge;
	struct pf *pf;		/* With caches. */
	struct pf *off;		/* Without. */
	struct {
		uint8_t data[512];
		size_t len;
	} frames[N_FRAMES];
	bool is_plain;		/* Rules output and nothing else, and each packet finds one in the first table. */
};

static struct {
	uint64_t packets, exact_hits, mega_hits, misses;
} totals;

static int compare_frames(const void *a_, const void *b_)
{
	const struct pf_frame *a = a_, *b = b_;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->data, b->data, a->len);
}

/* Hits go before misses, so only what was sent is the same, not in which order. */
static void compare_sent(struct pf *a, struct pf *b)
{
	for (ofp_port_t port = 1; port <= N_PORTS; port++) {
		struct pf_port *pa = &a->ports[port], *pb = &b->ports[port];

		assert_int_equal(pa->n_tx, pb->n_tx);
		qsort(pa->tx, pa->n_tx, sizeof *pa->tx, compare_frames);
		qsort(pb->tx, pb->n_tx, sizeof *pb->tx, compare_frames);
		for (unsigned int i = 0; i < pa->n_tx; i++)
			assert_int_equal(compare_frames(&pa->tx[i], &pb->tx[i]), 0);
		for (unsigned int r = 0; r < DROP_N_REASONS; r++)
			assert_int_equal(pf_drops(a, port, (enum drop_reason)r),
				pf_drops(b, port, (enum drop_reason)r));
		assert_int_equal(stat_get(&pa->pp->forwarded), stat_get(&pb->pp->forwarded));
		assert_int_equal(stat_get(&pa->pp->consumed), stat_get(&pb->pp->consumed));
	}
}

static void random_acts(const struct bench *b, struct act_builder *acts)
{
	static const char *const macs[] = {"02:bb:00:00:00:01", "02:bb:00:00:00:02"};
	struct act_push *push;

	for (uint32_t n = 1 + pf_rnd(3); n; n--) {
		switch (b->is_plain ? 8 : pf_rnd(9)) {
		case 0:
			fx_set(acts, "eth_dst", macs[pf_rnd(2)]);
			break;
		case 1:
			fx_set(acts, "reg1", pf_rnd(2) ? "1" : "2");
			break;
		case 2:
			push = act_put(acts, ACT_PUSH_VLAN, sizeof *push);
			push->ethertype = htobe16(0x8100);
			fx_set(acts, "vlan_vid", pf_rnd(2) ? "4101" : "4102");
			break;
		case 3:
			fx_plain(acts, ACT_STRIP_VLAN);
			break;
		case 4:
			fx_resubmit(acts, (uint8_t)(1 + pf_rnd(2)));
			break;
		case 5:
			fx_output(acts, OFPP_NORMAL);
			break;
		default:
			fx_output(acts, 1 + pf_rnd(N_PORTS));
			break;
		}
	}
}

static void random_rule(struct bench *b)
{
	static const char *const matches[] = {"", "in_port=1", "in_port=2", "eth_type=0x0800",
		"eth_type=0x0806", "eth_type=0x86dd", "eth_src=02:aa:00:00:00:01",
		"eth_src=02:aa:00:00:00:03", "eth_dst=02:aa:00:00:00:02",
		"eth_type=0x0800,ip_dst=10.1.0.2", "eth_type=0x0800,ip_src=10.1.0.0/255.255.0.0",
		"eth_type=0x0800,ip_proto=17", "eth_type=0x0800,ip_proto=17,udp_dst=53",
		"eth_type=0x0800,ip_proto=6,tcp_dst=80", "vlan_vid=4101", "reg1=1", "reg1=2",
		"eth_type=0x86dd,ip_proto=58", "eth_type=0x0800,ip_dscp=1"};
	struct act_builder *acts = fx_acts();

	random_acts(b, acts);
	fx_rule(b->fx, b->bridge, b->is_plain ? 0 : (uint8_t)pf_rnd(3), 1 + (int)pf_rnd(30), matches[pf_rnd(19)], acts);
}

static void hide_random_rule(struct bench *b)
{
	struct pl_rule *rule;

	if (!b->fx->n_rules)
		return;
	rule = b->fx->rules[pf_rnd(b->fx->n_rules)];
	if (atomic_load(&rule->cr.versions.removed) != VERSION_MAX)
		return;
	pl_rule_hide(b->bridge, rule, version_next());
	version_publish();
	pl_rule_changed(b->bridge, rule);
}

/* Both PMDs' news, the same for both; learned once. */
static void learn_all(struct bench *b, struct pf *other)
{
	struct news news;

	while (news_get_fact(&other->pmd->news, &news))
		continue;
	while (news_get_fact(&b->pf->pmd->news, &news))
		if (news.type == NEWS_FDB)
			fdb_learn(b->bridge->fdb, news.fdb.mac, news.fdb.vlan, news.fdb.port, 1);
	while (news_get_packet(&b->pf->pmd->news, &news) ||
		news_get_packet(&other->pmd->news, &news)) {
		rte_pktmbuf_free(news.packet.mbuf);
		rte_pktmbuf_free(news.packet.op);
	}
}

static void check_counters(struct bench *b, struct pf *other, struct counter_value *before)
{
	struct counter_value after[512];

	for (unsigned int i = 0; i < b->fx->n_rules; i++)
		before[i] = counter_get(b->fx->rules[i]->counter);
	dp_sweep_pmd(b->pf->pmd);
	for (unsigned int i = 0; i < b->fx->n_rules; i++)
		after[i] = counter_get(b->fx->rules[i]->counter);
	dp_sweep_pmd(other->pmd);
	for (unsigned int i = 0; i < b->fx->n_rules; i++) {
		struct counter_value end = counter_get(b->fx->rules[i]->counter);

		assert_int_equal(after[i].packets - before[i].packets,
			end.packets - after[i].packets);
		assert_int_equal(after[i].bytes - before[i].bytes, end.bytes - after[i].bytes);
	}
}

/* Ports' settings, as a controller or spanning tree changes them. */
static void change_port(struct bench *b)
{
	static const uint32_t configs[] = {0, 0, PL_PORT_NO_FWD, PL_PORT_NO_RECV, PL_PORT_NO_FLOOD};
	struct pl_bridge_conf *conf = fx_conf(b->bridge);
	struct pl_port *port = &conf->ports[pf_rnd(N_PORTS)];

	port->config = configs[pf_rnd(ARRAY_SIZE(configs))];
	if (!pf_rnd(3))
		conf->frag_drop = !conf->frag_drop;
	pl_bridge_set_conf(b->bridge, conf);
}

/* What time does to caches: they age, forget, and get more room. */
static void let_time_pass(struct bench *b)
{
	struct pmd *pmd = b->pf->pmd;

	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES; i++) {
		struct exact *exact = &pmd->exact[i];

		if (exact->mask < exact->max_mask && !pf_rnd(4))
			exact_allow(exact, exact->mask * 2 + 1);
		exact_check(exact);
		exact_tick(exact);
	}
	mega_tick(&pmd->mega);
	if (!pf_rnd(10))
		pmd_command(pmd, &(struct command){.type = COMMAND_PURGE});
}

static void change_something(struct bench *b)
{
	if (!pf_rnd(6) && b->fx->n_rules < MAX_RULES)
		random_rule(b);
	if (!pf_rnd(8))
		hide_random_rule(b);
	if (!pf_rnd(4))
		learn_all(b, b->off);
	if (!pf_rnd(b->is_plain ? 400 : 20))
		change_port(b);
	if (!pf_rnd(20))
		let_time_pass(b);
}

static void put_some(struct bench *b)
{
	for (uint32_t n = 1 + pf_rnd(40); n; n--) {
		ofp_port_t port = 1 + pf_rnd(N_PORTS);
		unsigned int i = pf_rnd(N_FRAMES);

		if (!b->frames[i].len || !pf_rnd(5))
			b->frames[i].len = pf_random_frame(b->frames[i].data);
		if (!b->frames[i].len)
			continue;
		pf_put(b->pf, port, b->frames[i].data, b->frames[i].len);
		pf_put(b->off, port, b->frames[i].data, b->frames[i].len);
		totals.packets++;
	}
}

static void default_rule(struct bench *b)
{
	struct act_builder *acts = fx_acts();

	fx_output(acts, N_PORTS);
	fx_rule(b->fx, b->bridge, 0, 0, "", acts);
}

/* Small tables, so that there is not room for all. */
static void world_begin(struct bench *b)
{
	struct exact *exact;

	memset(b, 0, sizeof *b);
	b->is_plain = pf_rnd(2);
	b->fx = fx_create();
	b->bridge = fx_bridge(b->fx, "br0", N_PORTS);
	b->pf = pf_create(b->bridge, N_PORTS, false);
	b->off = pf_create(b->bridge, N_PORTS, true);
	b->fx->check_wildcards = false;
	exact = &b->pf->pmd->exact[FLOW_KEY_K64];
	exact_uninit(exact);
	exact_init(exact, 256, 2048, 8);
	if (b->is_plain)
		default_rule(b);
}

static void world_end(struct bench *b)
{
	const struct pmd_stats *stats = &b->pf->pmd->stats;

	totals.exact_hits += stat_get(&stats->exact_hits);
	totals.mega_hits += stat_get(&stats->mega_hits);
	totals.misses += stat_get(&stats->misses);
	assert_int_equal(stat_get(&b->off->pmd->stats.exact_hits), 0);
	learn_all(b, b->off);
	for (ofp_port_t port = 1; port <= N_PORTS; port++) {
		pf_check_invariant(b->pf, port);
		pf_check_invariant(b->off, port);
	}
	dp_sweep_pmd(b->pf->pmd);
	pf_destroy(b->off);
	pf_destroy(b->pf);
	fx_destroy(b->fx);
}

static void run_world(void)
{
	struct counter_value *values = calloc(MAX_RULES + 12, sizeof *values);
	struct bench b;

	world_begin(&b);
	for (int round = 0; round < ROUNDS_A_WORLD; round++) {
		change_something(&b);
		put_some(&b);
		pf_run(b.pf);
		pf_run(b.off);
		compare_sent(b.pf, b.off);
		if (!pf_rnd(5))
			check_counters(&b, b.off, values);
	}
	check_counters(&b, b.off, values);
	world_end(&b);
	free(values);
}

static void cache_on_is_cache_off(void **state)
{
	const char *packets = getenv("SLUICE_PACKETS"), *first = getenv("SLUICE_SEED");
	uint64_t n = packets ? strtoull(packets, NULL, 0) : N_PACKETS;

	for (uint32_t seed = first ? (uint32_t)atoi(first) : 1; totals.packets < n; seed++) {
		print_message("world %" PRIu32 "\n", seed);
		pf_rnd_seed(seed);
		run_world();
	}
	print_message("%" PRIu64 " packets: %" PRIu64 " hits, %" PRIu64 " by masks, %" PRIu64 " misses\n",
		totals.packets, totals.exact_hits, totals.mega_hits, totals.misses);
	/* It was the caches that were compared. */
	assert_true(totals.exact_hits > n / 10);
	assert_true(totals.mega_hits > n / 200);
}

static int start(void **state)
{
	eal_fixture_start(16383);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_on_is_cache_off),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
