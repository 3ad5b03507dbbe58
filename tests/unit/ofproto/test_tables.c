/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Flow tables without sessions: what flow_mods do, transactions, timeouts, learning, eviction.
 * Counts are given to rules by hand, as a sweep would.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/rcu.h"
#include "ofproto/state/evict.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/group.h"
#include "ofproto/state/learn.h"
#include "ofproto/state/meter.h"
#include "ofproto/state/snapshot.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/flow_text.h"
#include "ofproto/text/match_text.h"

static struct pl_bridge *bridge;
static struct of_state tables;

/* What the listener heard: "-5:idle:3" is the end of the flow with priority 5 after 3 packets;
 * "+5", "x5", "m5" that it was added, removed, modified. */
static struct sbuf news = SBUF_INITIALIZER;

static void on_removed(struct of_listener *listener, struct of_rule *rule)
{
	static const char *const reasons[] = {"idle", "hard", "delete", "group", "meter", "evict"};

	sbuf_putf(&news, "-%d:%s:%llu ", of_rule_priority(rule), reasons[rule->removed_reason],
		(unsigned long long)of_rule_stats(rule).packets);
}

static void on_event(struct of_listener *listener, enum of_flow_event event, struct of_rule *rule,
	uint8_t reason, const struct of_requester *requester, const struct pl_actions *old_actions)
{
	sbuf_putf(&news, "%c%d ", "+xm"[event], of_rule_priority(rule));
}

static struct of_listener listener = { .flow_removed = on_removed, .flow_event = on_event };

static int setup(void **state)
{
	clock_test_set(1000000, 1000000);
	bridge = pl_bridge_create("br0");
	assert_non_null(bridge);
	of_state_init(&tables, bridge, &listener);
	return 0;
}

static int teardown(void **state)
{
	of_state_uninit(&tables);
	pl_bridge_destroy(bridge);
	rcu_synchronize();
	clock_test_reset();
	sbuf_uninit(&news);
	return 0;
}

/* Lets grace periods pass and timers fire. */
static void run(void)
{
	for (int i = 0; i < 4; i++) {
		of_state_run(&tables);
		rcu_synchronize();
	}
}

static void assert_news(const char *expected)
{
	run();
	assert_string_equal(sbuf_cstr(&news), expected);
	sbuf_clear(&news);
}

static void parse(const char *text, struct flow_mod *fm)
{
	char *error = NULL;

	if (flow_text_parse(text, NULL, fm, &error))
		print_error("%s\n", error);
	assert_null(error);
}

static enum ofp_error mod(uint16_t command, const char *text)
{
	enum ofp_error error;
	struct flow_mod fm;

	parse(text, &fm);
	fm.command = command;
	if (command != OFPFC_ADD) {
		/* What OpenFlow 1.3 says: no new cookie. */
		fm.cookie = 0;
		fm.new_cookie = BE64_MAX;
		fm.modify_cookie = false;
	}
	error = of_flow_mod(&tables, &fm, NULL);
	flow_mod_uninit(&fm);
	return error;
}

static void add(const char *text)
{
	assert_int_equal(mod(OFPFC_ADD, text), OFP_OK);
}

static struct of_rule *find(const char *text)
{
	struct of_rule *rule;
	struct flow_mod fm;

	parse(text, &fm);
	rule = of_rule_from_cls(classifier_find_exactly(
		tables.tables[fm.table_id].pl->cls, &fm.match, fm.priority, version_get()));
	flow_mod_uninit(&fm);
	return rule;
}

static void packets(const char *text, uint64_t n)
{
	struct of_rule *rule = find(text);

	assert_non_null(rule);
	counter_add(rule->pl.counter, n, 100 * n, clock_ms());
}

/* "3/300 output:2": packets, bytes, actions. */
static void assert_flow(const char *text, const char *expected)
{
	struct of_rule *rule = find(text);
	const struct pl_actions *actions;
	struct sbuf s = SBUF_INITIALIZER;
	struct of_rule_stats stats;

	assert_non_null(rule);
	stats = of_rule_stats(rule);
	actions = of_rule_actions(rule);
	sbuf_putf(&s, "%llu/%llu ", (unsigned long long)stats.packets,
		(unsigned long long)stats.bytes);
	act_list_format(actions->acts, actions->len, NULL, &s);
	assert_string_equal(sbuf_cstr(&s), expected);
	sbuf_uninit(&s);
}

/* ------------------------------------------------------------------ flow_mods */

static void test_add_keeps_or_resets_counts(void **state)
{
	add("priority=5,ip,actions=1");
	packets("priority=5,ip,actions=drop", 3);
	add("priority=5,ip,actions=2");
	assert_flow("priority=5,ip,actions=drop", "3/300 output:2");
	add("reset_counts,priority=5,ip,actions=3");
	assert_flow("priority=5,ip,actions=drop", "0/0 output:3");
	/* What the old rule counted is no part of the table's news, but of its matches. */
	assert_news("+5 +5 +5 ");
}

static void test_modify_keeps_what_a_flow_was(void **state)
{
	struct of_rule *rule;

	add("cookie=7,priority=5,ip,idle_timeout=9,actions=1");
	packets("priority=5,ip,actions=drop", 3);
	clock_test_advance(2000);
	assert_int_equal(mod(OFPFC_MODIFY, "ip,hard_timeout=4,actions=2"), OFP_OK);
	assert_flow("priority=5,ip,actions=drop", "3/300 output:2");
	rule = find("priority=5,ip,actions=drop");
	assert_int_equal(rule->idle_timeout, 9);
	assert_int_equal(rule->hard_timeout, 0);
	assert_int_equal(of_rule_cookie(rule), htobe64(7));
	assert_int_equal(rule->created_ms, 1000000);
	assert_int_equal(of_rule_modified_ms(rule), 1002000);
	assert_int_equal(of_rule_stats(rule).used_ms, 1000000);
	/* The same actions again: nobody need hear of it. */
	assert_news("+5 m5 ");
	assert_int_equal(mod(OFPFC_MODIFY_STRICT, "priority=5,ip,actions=2"), OFP_OK);
	assert_news("");
	assert_int_equal(mod(OFPFC_MODIFY_STRICT, "priority=6,ip,actions=3"), OFP_OK);
	assert_news("");
}

static void test_delete_reports_final_counts(void **state)
{
	add("send_flow_rem,priority=5,ip,actions=1");
	add("priority=6,arp,actions=1");
	packets("priority=5,ip,actions=drop", 3);
	assert_int_equal(mod(OFPFC_DELETE, "actions=drop"), OFP_OK);
	assert_null(find("priority=5,ip,actions=drop"));
	assert_news("+5 +6 x5 x6 -5:delete:3 ");
	assert_int_equal(tables.n_dying, 0);
}

static void test_refusals(void **state)
{
	add("priority=5,ip,actions=1");
	assert_int_equal(mod(OFPFC_ADD, "check_overlap,priority=5,ip,nw_src=1.2.3.4,actions=1"),
		OFPFMFC_OVERLAP);
	assert_int_equal(mod(OFPFC_ADD, "actions=group:9"), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(mod(OFPFC_ADD, "actions=clone(group:9)"), OFPBAC_BAD_OUT_GROUP);
	assert_int_equal(mod(OFPFC_ADD, "actions=meter:9,1"), OFPMMFC_INVALID_METER);
	assert_int_equal(mod(OFPFC_ADD, "table=254,actions=1"), OFPBRC_EPERM);
	tables.tables[0].flow_limit = 1;
	assert_int_equal(mod(OFPFC_ADD, "priority=6,ip,actions=1"), OFPFMFC_TABLE_FULL);
	add("priority=5,ip,actions=2");
	assert_news("+5 +5 ");
}

static void test_eviction_takes_what_ends_soonest(void **state)
{
	tables.tables[0].flow_limit = 3;
	of_evict_enable(&tables, 0, OF_EVICT_CONFIG, true);
	add("send_flow_rem,priority=1,hard_timeout=50,actions=1");
	add("send_flow_rem,priority=2,idle_timeout=20,actions=1");
	add("priority=3,actions=1");
	add("priority=4,actions=1");
	assert_news("+1 +2 +3 x2 +4 -2:evict:0 ");
	add("priority=5,actions=1");
	assert_int_equal(mod(OFPFC_ADD, "priority=6,actions=1"), OFPFMFC_TABLE_FULL);
	assert_news("x1 +5 -1:evict:0 ");
}

/* As Open vSwitch: the least important, of those the one that ends soonest. */
static void test_eviction_spares_what_is_important(void **state)
{
	tables.tables[0].flow_limit = 3;
	of_evict_enable(&tables, 0, OF_EVICT_OPENFLOW, true);
	add("send_flow_rem,priority=1,importance=5,idle_timeout=10,actions=1");
	add("send_flow_rem,priority=2,importance=1,hard_timeout=5000,actions=1");
	add("send_flow_rem,priority=3,importance=5,idle_timeout=9,actions=1");
	assert_news("+1 +2 +3 ");
	add("priority=4,importance=9,idle_timeout=30,actions=1");
	assert_news("x2 +4 -2:evict:0 ");
	/* Packets keep a flow. */
	clock_test_advance(8000);
	packets("priority=3,actions=1", 1);
	clock_test_advance(1500);
	add("priority=5,importance=9,idle_timeout=30,actions=1");
	assert_news("x1 +5 -1:evict:0 ");
	of_evict_enable(&tables, 0, OF_EVICT_CONFIG, true);
	of_evict_enable(&tables, 0, OF_EVICT_OPENFLOW, false);
	add("priority=6,importance=9,idle_timeout=1,actions=1");
	assert_news("x3 +6 -3:evict:1 ");
	of_evict_enable(&tables, 0, OF_EVICT_CONFIG, false);
	assert_int_equal(mod(OFPFC_ADD, "priority=7,actions=1"), OFPFMFC_TABLE_FULL);
}

static void group_by(const char *text)
{
	struct subfield sf;
	char *error;

	assert_int_equal(subfield_parse(&text, &sf, &error), 0);
	of_evict_set_groups(&tables, 0, &sf, 1);
}

static void test_eviction_takes_from_the_largest_group(void **state)
{
	tables.tables[0].flow_limit = 4;
	of_evict_enable(&tables, 0, OF_EVICT_CONFIG, true);
	add("send_flow_rem,priority=1,tcp,tcp_src=0x101,idle_timeout=10,actions=1");
	add("send_flow_rem,priority=2,tcp,tcp_src=0x102,idle_timeout=90,actions=1");
	group_by("tcp_src[0..7]");
	add("send_flow_rem,priority=3,tcp,tcp_src=0x202,idle_timeout=80,actions=1");
	add("send_flow_rem,priority=4,udp,idle_timeout=20,actions=1");
	assert_news("+1 +2 +3 +4 ");
	add("send_flow_rem,priority=5,arp,idle_timeout=15,actions=1");
	assert_news("x3 +5 -3:evict:0 ");
	/* UDP and ARP have no such field, and so are of one group. */
	add("send_flow_rem,priority=6,tcp,tcp_src=0x303,idle_timeout=1,actions=1");
	assert_news("x5 +6 -5:evict:0 ");
	/* A table that must shrink. */
	group_by("eth_type");
	tables.tables[0].flow_limit = 1;
	of_table_evict(&tables, 0);
	run();
	assert_news("x6 x1 x4 -6:evict:0 -1:evict:0 -4:evict:0 ");
}

static void test_hidden_flows(void **state)
{
	static const struct match catchall;
	struct act_builder acts;

	act_builder_init(&acts);
	((struct act_output *)act_put(&acts, ACT_OUTPUT, sizeof(struct act_output)))->port =
		OFPP_NORMAL;
	of_hidden_flow(&tables, &catchall, 70000, (const struct act *)(const void *)acts.buf.data,
		acts.buf.len);
	assert_int_equal(tables.tables[0].n_flows, 1);
	assert_int_equal(of_table_n_visible(&tables, 0), 0);
	assert_int_equal(mod(OFPFC_DELETE, "actions=drop"), OFP_OK);
	assert_int_equal(tables.tables[0].n_flows, 1);
	of_hidden_flow(&tables, &catchall, 70000, NULL, 0);
	assert_int_equal(tables.tables[0].n_flows, 0);
	act_builder_uninit(&acts);
}

static void test_table_counts(void **state)
{
	uint64_t lookups, matched;

	add("priority=5,ip,actions=1");
	packets("priority=5,ip,actions=drop", 3);
	add("reset_counts,priority=5,ip,actions=1");
	packets("priority=5,ip,actions=drop", 2);
	assert_int_equal(mod(OFPFC_DELETE, "actions=drop"), OFP_OK);
	run();
	counter_add(tables.tables[0].pl->miss_counter, 4, 400, clock_ms());
	of_table_counts(&tables, 0, &lookups, &matched);
	assert_int_equal(matched, 5);
	assert_int_equal(lookups, 9);
}

/* ------------------------------------------------------------------ transactions */

static void stage(struct of_txn *txn, uint16_t command, const char *text)
{
	struct flow_mod fm;

	parse(text, &fm);
	fm.command = command;
	assert_int_equal(of_flow_mod_start(txn, &fm), OFP_OK);
	flow_mod_uninit(&fm);
}

static void test_abort_puts_everything_back(void **state)
{
	struct of_txn txn;

	add("priority=5,ip,actions=1");
	add("priority=6,arp,idle_timeout=100,actions=1");
	packets("priority=5,ip,actions=drop", 3);
	sbuf_clear(&news);
	of_txn_begin(&txn, &tables, NULL);
	stage(&txn, OFPFC_ADD, "priority=7,udp,actions=7");
	stage(&txn, OFPFC_MODIFY_STRICT, "priority=5,ip,actions=9");
	stage(&txn, OFPFC_ADD, "reset_counts,priority=5,ip,actions=10");
	stage(&txn, OFPFC_DELETE_STRICT, "priority=6,arp,actions=drop");
	stage(&txn, OFPFC_DELETE_STRICT, "priority=7,udp,actions=drop");
	of_txn_abort(&txn);
	assert_flow("priority=5,ip,actions=drop", "3/300 output:1");
	assert_flow("priority=6,arp,actions=drop", "0/0 output:1");
	assert_null(find("priority=7,udp,actions=drop"));
	assert_int_equal(tables.tables[0].n_flows, 2);
	assert_news("");
	clock_test_advance(100001);
	assert_news("x6 ");
}

static void test_later_changes_see_earlier_ones(void **state)
{
	struct of_txn txn;

	add("priority=1,ip,actions=1");
	packets("priority=1,ip,actions=drop", 2);
	of_txn_begin(&txn, &tables, NULL);
	stage(&txn, OFPFC_MODIFY_STRICT, "priority=1,ip,actions=2");
	stage(&txn, OFPFC_MODIFY_STRICT, "priority=1,ip,actions=3");
	stage(&txn, OFPFC_ADD, "priority=2,ip,actions=4");
	stage(&txn, OFPFC_DELETE_STRICT, "priority=2,ip,actions=drop");
	/* Not before the commit. */
	assert_flow("priority=1,ip,actions=drop", "2/200 output:1");
	of_txn_commit(&txn);
	assert_flow("priority=1,ip,actions=drop", "2/200 output:3");
	assert_null(find("priority=2,ip,actions=drop"));
	run();
	assert_int_equal(tables.n_dying, 0);
}

/* ------------------------------------------------------------------ timeouts */

static void test_idle_and_hard_timeout(void **state)
{
	add("send_flow_rem,priority=1,idle_timeout=10,actions=1");
	add("send_flow_rem,priority=2,hard_timeout=15,actions=1");
	add("send_flow_rem,priority=3,idle_timeout=10,hard_timeout=15,actions=1");
	sbuf_clear(&news);
	clock_test_advance(9000);
	packets("priority=1,actions=drop", 1);
	packets("priority=2,actions=drop", 1);
	packets("priority=3,actions=drop", 1);
	clock_test_advance(6000);
	assert_news("");
	clock_test_advance(1);
	run();
	assert_non_null(strstr(sbuf_cstr(&news), "-2:hard:1"));
	assert_non_null(strstr(sbuf_cstr(&news), "-3:hard:1"));
	assert_null(strstr(sbuf_cstr(&news), "-1"));
	sbuf_clear(&news);
	clock_test_advance(4000);
	assert_news("x1 -1:idle:1 ");
}

static void test_many_timers_fire_in_order(void **state)
{
	char text[96];

	for (int i = 1; i <= 200; i++) {
		snprintf(text, sizeof text, "priority=%d,hard_timeout=%d,actions=1", i,
			(i * 37) % 200 + 1);
		add(text);
	}
	for (int i = 1; i <= 200; i++) {
		clock_test_advance(1000);
		run();
		assert_int_equal(tables.tables[0].n_flows, 200 - i + 1);
	}
	clock_test_advance(1000);
	run();
	assert_int_equal(tables.tables[0].n_flows, 0);
}

/* ------------------------------------------------------------------ learning */

static const struct act_learn *learn_of(const char *text)
{
	const struct pl_actions *actions = of_rule_actions(find(text));

	return (const struct act_learn *)actions->acts;
}

static bool learn(const struct act_learn *action, const char *flow)
{
	struct flow_mod fm;
	bool written;
	struct xlate_learned learned = { .bridge = bridge, .learn = action };

	parse(flow, &fm);
	learned.match = fm.match;
	learned.acts = flow_mod_acts(&fm);
	learned.acts_len = (uint32_t)flow_mod_acts_len(&fm);
	of_learn(&tables, &learned, &written);
	flow_mod_uninit(&fm);
	return written;
}

#define LEARNER                                                                                    \
	"priority=9,actions=learn(table=5,hard_timeout=10,priority=77,cookie=0x99,limit=2,"        \
	"delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"

static void test_learned_flow_is_refreshed(void **state)
{
	struct of_rule *rule;

	add(LEARNER);
	assert_true(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:01,actions=output:1"));
	rule = find("table=5,priority=77,dl_dst=02:00:00:00:00:01,actions=drop");
	assert_non_null(rule);
	clock_test_advance(8000);
	assert_true(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:01,actions=output:1"));
	clock_test_advance(8000);
	run();
	assert_ptr_equal(find("table=5,priority=77,dl_dst=02:00:00:00:00:01,actions=drop"), rule);
	/* A cached path keeps it alive by its refresh counter. */
	counter_add(rule->refresh, 0, 0, clock_ms());
	clock_test_advance(8000);
	run();
	assert_ptr_equal(find("table=5,priority=77,dl_dst=02:00:00:00:00:01,actions=drop"), rule);
	clock_test_advance(2001);
	run();
	assert_null(find("table=5,priority=77,dl_dst=02:00:00:00:00:01,actions=drop"));
}

static void test_learn_limit(void **state)
{
	add(LEARNER);
	assert_true(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:01,actions=output:1"));
	assert_true(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:02,actions=output:1"));
	assert_false(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:03,actions=output:1"));
	assert_true(learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:02,actions=output:1"));
	assert_int_equal(tables.tables[5].n_flows, 2);
}

static void test_learned_flows_go_with_the_last_learner(void **state)
{
	add(LEARNER);
	add("priority=8,actions=learn(table=5,cookie=0x99,delete_learned,NXM_OF_ETH_DST[])");
	learn(learn_of(LEARNER), "dl_dst=02:00:00:00:00:01,actions=output:1");
	add("table=5,cookie=0x98,actions=1");
	mod(OFPFC_DELETE_STRICT, "priority=9,actions=drop");
	assert_int_equal(tables.tables[5].n_flows, 2);
	/* One that is modified but still learns the same stands for them, too. */
	assert_int_equal(mod(OFPFC_MODIFY_STRICT, "priority=8,actions=learn(table=5,cookie=0x99,"
						  "delete_learned,NXM_OF_ETH_DST[]),3"),
		OFP_OK);
	assert_int_equal(tables.tables[5].n_flows, 2);
	mod(OFPFC_DELETE_STRICT, "priority=8,actions=drop");
	assert_int_equal(tables.tables[5].n_flows, 1);
}

/* ------------------------------------------------------------------ groups, meters */

static enum ofp_error group_mod(uint16_t command, uint32_t id, uint32_t output_group)
{
	struct group_bucket *bucket;
	struct act_group *ag;
	enum ofp_error error;
	struct group_mod gm;

	group_mod_init(&gm);
	gm.command = command;
	gm.group_id = id;
	gm.type = OFPGT_ALL;
	if (output_group) {
		bucket = vec_push_zero(&gm.buckets);
		group_bucket_init(bucket);
		ag = act_put(&bucket->acts, ACT_GROUP, sizeof *ag);
		ag->group_id = output_group;
	}
	error = of_group_mod(&tables, &gm, NULL);
	group_mod_uninit(&gm);
	return error;
}

static void test_groups(void **state)
{
	assert_int_equal(group_mod(OFPGC_ADD, 1, 0), OFP_OK);
	assert_int_equal(group_mod(OFPGC_ADD, 1, 0), OFPGMFC_GROUP_EXISTS);
	assert_int_equal(group_mod(OFPGC_ADD, 2, 1), OFP_OK);
	assert_int_equal(group_mod(OFPGC_ADD, 3, 2), OFP_OK);
	assert_int_equal(group_mod(OFPGC_MODIFY, 1, 3), OFPGMFC_LOOP);
	assert_int_equal(group_mod(OFPGC_ADD, 4, 4), OFPGMFC_LOOP);
	assert_int_equal(group_mod(OFPGC_MODIFY, 9, 0), OFPGMFC_UNKNOWN_GROUP);
	add("send_flow_rem,priority=5,actions=group:2,clone(group:2)");
	assert_int_equal(of_group_n_refs(&tables, of_group_find(&tables, 2)), 2);
	sbuf_clear(&news);
	assert_int_equal(group_mod(OFPGC_DELETE, 2, 0), OFP_OK);
	assert_news("x5 -5:group:0 ");
	assert_null(pl_group_lookup(bridge, 2));
	assert_non_null(pl_group_lookup(bridge, 3));
	assert_int_equal(group_mod(OFPGC_DELETE, OFP_GROUP_ALL, 0), OFP_OK);
	assert_null(pl_group_lookup(bridge, 3));
}

static void test_group_changes_are_undone(void **state)
{
	struct group_mod gm;
	struct of_txn txn;

	assert_int_equal(group_mod(OFPGC_ADD, 1, 0), OFP_OK);
	add("priority=5,actions=group:1");
	of_txn_begin(&txn, &tables, NULL);
	group_mod_init(&gm);
	gm.command = OFPGC_DELETE;
	gm.group_id = 1;
	assert_int_equal(of_group_mod_start(&txn, &gm), OFP_OK);
	gm.command = OFPGC_ADD;
	assert_int_equal(of_group_mod_start(&txn, &gm), OFP_OK);
	stage(&txn, OFPFC_ADD, "priority=6,actions=group:1");
	of_txn_abort(&txn);
	group_mod_uninit(&gm);
	assert_non_null(find("priority=5,actions=drop"));
	assert_int_equal(of_group_n_refs(&tables, of_group_find(&tables, 1)), 1);
	assert_int_equal(tables.n_groups[OFPGT_ALL], 1);
}

/* ------------------------------------------------------------------ snapshot */

static void put_snapshot(struct sbuf *s)
{
	struct of_criteria criteria;
	struct of_rules rules;

	of_snapshot_put_rest(&tables, s, clock_ms());
	of_criteria_init(&criteria);
	of_rules_init(&rules);
	of_state_collect(&tables, &criteria, &rules);
	for (size_t i = 0; i < rules.v.n; i++)
		of_snapshot_put_rule(rules.v.items[i], s, clock_ms());
	of_rules_uninit(&rules);
}

static void test_snapshot(void **state)
{
	struct sbuf saved = SBUF_INITIALIZER, again = SBUF_INITIALIZER;
	char *line, *rest, *error;

	assert_int_equal(group_mod(OFPGC_ADD, 1, 0), OFP_OK);
	add("cookie=0x1122,priority=5,tcp,tp_dst=80,idle_timeout=30,actions=mod_vlan_vid:5,group:"
	    "1");
	add("send_flow_rem,table=3,priority=0,actions=resubmit(,4),controller(max_len=7)");
	add(LEARNER);
	packets("priority=5,tcp,tp_dst=80,actions=drop", 3);
	clock_test_advance(5000);
	put_snapshot(&saved);
	of_flush(&tables);
	of_groups_flush(&tables);
	rest = xstrdup(sbuf_cstr(&saved));
	for (line = strtok(rest, "\n"); line; line = strtok(NULL, "\n")) {
		error = NULL;
		if (of_snapshot_take(&tables, line, &error))
			print_error("%s: %s\n", line, error);
		assert_null(error);
	}
	free(rest);
	assert_flow("priority=5,tcp,tp_dst=80,actions=drop", "3/300 mod_vlan_vid:5,group:1");
	put_snapshot(&again);
	assert_string_equal(sbuf_cstr(&again), sbuf_cstr(&saved));
	sbuf_uninit(&saved);
	sbuf_uninit(&again);
}

static void test_snapshot_refuses_nonsense(void **state)
{
	static const char *const lines[] = {
		"",
		"flow",
		"flow 1 2 3",
		"flow 1 2 3 4 5 nonsense",
		"group 1 zz",
		"group 1 06",
		"meter ",
		"mac 1 2",
		"mac 1 5000 00:00:00:00:00:00 1",
		"tlv 1 2 3 99",
		"what 1 2",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *line = xstrdup(lines[i]), *error = NULL;

		assert_int_not_equal(of_snapshot_take(&tables, line, &error), 0);
		assert_non_null(error);
		free(error);
		free(line);
	}
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_add_keeps_or_resets_counts),
		T(test_modify_keeps_what_a_flow_was),
		T(test_delete_reports_final_counts),
		T(test_refusals),
		T(test_eviction_takes_what_ends_soonest),
		T(test_eviction_spares_what_is_important),
		T(test_eviction_takes_from_the_largest_group),
		T(test_hidden_flows),
		T(test_table_counts),
		T(test_abort_puts_everything_back),
		T(test_later_changes_see_earlier_ones),
		T(test_idle_and_hard_timeout),
		T(test_many_timers_fire_in_order),
		T(test_learned_flow_is_refreshed),
		T(test_learn_limit),
		T(test_learned_flows_go_with_the_last_learner),
		T(test_groups),
		T(test_group_changes_are_undone),
		T(test_snapshot),
		T(test_snapshot_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
