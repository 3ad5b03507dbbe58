/* SPDX-License-Identifier: Apache-2.0 */

/* Bridges: snapshots and what they bump, groups, rules' bookkeeping. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/rcu.h"

static struct pl_bridge *bridge;

static int setup(void **state)
{
	bridge = pl_bridge_create("br0");
	return 0;
}

static int teardown(void **state)
{
	pl_bridge_destroy(bridge);
	rcu_synchronize();
	return 0;
}

static void add_port(struct pl_bridge_conf *conf, dp_port_t dp_port, ofp_port_t ofp_port)
{
	struct pl_port *port;
	struct pl_bundle *bundle;

	conf->ports = realloc(conf->ports, (conf->n_ports + 1) * sizeof *conf->ports);
	port = &conf->ports[conf->n_ports++];
	memset(port, 0, sizeof *port);
	port->dp_port = dp_port;
	port->ofp_port = ofp_port;
	port->bundle = (uint16_t)conf->n_bundles;
	conf->bundles = realloc(conf->bundles, (conf->n_bundles + 1) * sizeof *conf->bundles);
	bundle = &conf->bundles[conf->n_bundles++];
	memset(bundle, 0, sizeof *bundle);
	bundle->name = strdup("port");
	bundle->vlan = -1;
	bundle->trunks = bitmap_alloc(4096);
	bitmap_set(bundle->trunks, 12);
}

static struct pl_bridge_conf *make_conf(void)
{
	struct pl_bridge_conf *conf = pl_bridge_conf_create();

	add_port(conf, 1, OFPP_LOCAL);
	add_port(conf, 2, 1);
	add_port(conf, 3, 5);
	return conf;
}

static bool bumped(uint16_t id, uint32_t seq)
{
	return !dep_is_valid(seq, &id, 1);
}

static void test_indices(void **state)
{
	struct pl_bridge_conf *conf = make_conf();
	const struct pl_bridge_conf *c;

	conf->ports[2].config = PL_PORT_NO_FLOOD;
	conf->n_mirrors = 2;
	conf->mirrors[0] = (struct pl_mirror){.name = strdup("m0"), .select_all = true,
		.out_bundle = 2, .out_vlan = -1};
	conf->mirrors[1] = (struct pl_mirror){.name = strdup("m1"), .out_bundle = 2, .out_vlan = -1};
	pl_bridge_set_conf(bridge, conf);
	c = pl_bridge_conf(bridge);
	assert_ptr_equal(c->local, pl_port_get(1));
	assert_ptr_equal(pl_port_from_ofp(c, OFPP_LOCAL), pl_port_get(1));
	assert_ptr_equal(pl_port_from_ofp(c, 1), pl_port_get(2));
	assert_ptr_equal(pl_port_from_ofp(c, 5), pl_port_get(3));
	assert_ptr_equal(pl_port_get(3)->bridge, bridge);
	assert_null(pl_port_from_ofp(c, 0));
	assert_null(pl_port_from_ofp(c, 2));
	assert_null(pl_port_from_ofp(c, 6));
	assert_null(pl_port_from_ofp(c, OFPP_NONE));
	assert_null(pl_port_get(4));
	assert_null(pl_port_get(UINT32_MAX));

	assert_int_equal(c->bundles[1].n_ports, 1);
	assert_int_equal(c->bundles[1].ports[0], 1);
	assert_true(c->bundles[1].floodable);
	assert_false(c->bundles[2].floodable);
	assert_true(c->bundles[2].mirror_output);
	assert_int_equal(c->bundles[2].out_mirrors, 3);
	assert_int_equal(c->bundles[0].src_mirrors, 1);
	assert_int_equal(c->mirrors[0].dup_mirrors, 3);
}

/* Whether the ports with those numbers, the list of ports, and the bridge were bumped after SEQ: "2 list ". */
static void assert_bumped(uint32_t seq, const char *what)
{
	static const struct {
		const char *name;
		dp_port_t dp_port;
		ofp_port_t ofp_port;
	} ports[] = {{"local ", 1, OFPP_LOCAL}, {"2 ", 2, 1}, {"3 ", 3, 5}, {"4 ", 4, 2}};
	char seen[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		bool is = bumped(dep_port(ports[i].dp_port), seq);

		assert_int_equal(is, bumped(dep_ofp_port(bridge->id, ports[i].ofp_port), seq));
		if (is)
			strcat(seen, ports[i].name);
	}
	if (bumped(dep_ports(bridge->id), seq))
		strcat(seen, "list ");
	if (bumped(dep_bridge(bridge->id), seq))
		strcat(seen, "bridge ");
	assert_string_equal(seen, what);
}

/* A snapshot to change, and the sequence number before. */
static struct pl_bridge_conf *begin_change(uint32_t *seq)
{
	*seq = dep_seq();
	return pl_bridge_conf_clone(pl_bridge_conf(bridge));
}

static void test_what_is_bumped(void **state)
{
	struct pl_bridge_conf *conf;
	uint32_t seq = dep_seq();

	pl_bridge_set_conf(bridge, make_conf());
	assert_bumped(seq, "local 2 3 list ");

	/* Nothing differs. */
	pl_bridge_set_conf(bridge, begin_change(&seq));
	assert_int_equal(dep_seq(), seq);
	assert_int_equal(pl_port_from_ofp(pl_bridge_conf(bridge), 5)->dp_port, 3);

	/* One port; a VLAN of its bundle; a setting of the bridge. */
	conf = begin_change(&seq);
	conf->ports[1].link_up = true;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 list ");
	conf = begin_change(&seq);
	bitmap_set(conf->bundles[1].trunks, 13);
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 list ");
	conf = begin_change(&seq);
	conf->forward_bpdu = true;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "bridge ");
}

static void swap_bundles(struct pl_bridge_conf *conf, unsigned int i, unsigned int j)
{
	struct pl_bundle bundle = conf->bundles[i];

	conf->bundles[i] = conf->bundles[j];
	conf->bundles[j] = bundle;
	for (size_t k = 0; k < conf->n_ports; k++)
		if (conf->ports[k].bundle == i || conf->ports[k].bundle == j)
			conf->ports[k].bundle = (uint16_t)(i + j - conf->ports[k].bundle);
}

static void test_places(void **state)
{
	struct pl_bridge_conf *conf;
	uint32_t seq;

	pl_bridge_set_conf(bridge, make_conf());
	conf = begin_change(&seq);
	add_port(conf, 4, 2);
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "4 list ");

	/* One goes that others came after: nothing but their places changes. */
	conf = begin_change(&seq);
	swap_bundles(conf, 1, 2);
	swap_bundles(conf, 2, 3);
	conf->ports[1] = conf->ports[2];
	conf->ports[2] = conf->ports[3];
	conf->n_ports--;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 list ");
	assert_null(pl_port_get(2));
	assert_int_equal(pl_port_get(4)->bundle, 2);

	/* Places alone: what is flooded leaves in another order. */
	conf = begin_change(&seq);
	swap_bundles(conf, 1, 2);
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "list ");
}

/* One member of a bundle carries its traffic; which one depends on all of them. */
static void test_members_are_bumped(void **state)
{
	struct pl_bridge_conf *conf = make_conf();
	uint32_t seq;

	conf->ports[2].bundle = 1;
	pl_bridge_set_conf(bridge, conf);
	conf = begin_change(&seq);
	conf->ports[2].may_enable = true;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 3 list ");
	conf = begin_change(&seq);
	conf->n_ports--;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 3 list ");
}

/* Mirrors look at whatever there is. */
static void test_mirrors_are_bumped(void **state)
{
	struct pl_bridge_conf *conf;
	uint32_t seq;

	pl_bridge_set_conf(bridge, make_conf());
	conf = begin_change(&seq);
	conf->n_mirrors = 1;
	conf->mirrors[0] = (struct pl_mirror){.name = strdup("m0"), .out_bundle = 2, .out_vlan = -1};
	conf->bundles[1].src_mirrors = 1;
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "2 3 list bridge ");
	conf = begin_change(&seq);
	add_port(conf, 4, 2);
	pl_bridge_set_conf(bridge, conf);
	assert_bumped(seq, "4 list bridge ");
}

static void test_port_moves(void **state)
{
	struct pl_bridge *other = pl_bridge_create("br1");
	struct pl_bridge_conf *conf = pl_bridge_conf_create();

	pl_bridge_set_conf(bridge, make_conf());
	add_port(conf, 3, 1);
	pl_bridge_set_conf(other, conf);
	assert_ptr_equal(pl_port_get(3)->bridge, other);
	conf = pl_bridge_conf_clone(pl_bridge_conf(bridge));
	conf->n_ports--;
	pl_bridge_set_conf(bridge, conf);
	assert_ptr_equal(pl_port_get(3)->bridge, other);
	pl_bridge_destroy(other);
	assert_null(pl_port_get(3));
}

static void test_bridge_ids(void **state)
{
	struct pl_bridge *all[PL_MAX_BRIDGES];
	unsigned int n = 0;

	while (n < 40) {
		all[n] = pl_bridge_create("br");
		assert_non_null(all[n]);
		assert_ptr_equal(pipeline.bridges[all[n]->id], all[n]);
		n++;
	}
	while (n--) {
		pl_bridge_destroy(all[n]);
		assert_null(pipeline.bridges[all[n]->id]);
	}
}

/* ------------------------------------------------------------------ groups and rules */

static struct pl_group *make_group(uint32_t id, uint32_t n_buckets)
{
	struct pl_group *group = calloc(1, sizeof *group);

	group->id = id;
	group->n_buckets = n_buckets;
	group->buckets = calloc(n_buckets ? n_buckets : 1, sizeof *group->buckets);
	for (uint32_t i = 0; i < n_buckets; i++)
		group->buckets[i].acts = malloc(8);
	return group;
}

static void test_groups(void **state)
{
	struct pl_group *group = make_group(7, 2), *next;
	uint16_t id = dep_group(bridge->id, 7);
	uint32_t seq = dep_seq(), used;

	/* What earlier tests gave back. */
	counter_reclaim(96);
	counter_reclaim(98);
	used = counter_n_used();
	pl_group_set(bridge, group);
	assert_true(bumped(id, seq));
	assert_int_equal(counter_n_used(), used + 3);
	assert_ptr_equal(pl_group_lookup(bridge, 7), group);
	assert_null(pl_group_lookup(bridge, 8));

	/* The successor goes on with the first bucket's counter. */
	next = make_group(7, 1);
	next->counter = group->counter;
	next->buckets[0].counter = group->buckets[0].counter;
	seq = dep_seq();
	pl_group_set(bridge, next);
	assert_true(bumped(id, seq));
	assert_ptr_equal(pl_group_lookup(bridge, 7), next);
	rcu_synchronize();
	counter_reclaim(100);
	counter_reclaim(102);
	assert_int_equal(counter_n_used(), used + 2);

	seq = dep_seq();
	pl_group_remove(bridge, 7);
	pl_group_remove(bridge, 7);
	assert_true(bumped(id, seq));
	assert_null(pl_group_lookup(bridge, 7));
	rcu_synchronize();
	counter_reclaim(104);
	assert_int_equal(counter_n_used(), used);
	pl_group_destroy(make_group(1, 3));
	pl_group_destroy(NULL);
}

static struct pl_actions *make_actions(ofp_port_t port, bool conjunction)
{
	struct act_builder b;
	struct pl_actions *actions;

	act_builder_init(&b);
	if (conjunction) {
		struct act_conjunction *c = act_put(&b, ACT_CONJUNCTION, sizeof *c);

		c->id = 9;
		c->n_clauses = 2;
	} else {
		struct act_output *output = act_put(&b, ACT_OUTPUT, sizeof *output);

		output->port = port;
	}
	actions = pl_actions_create((void *)b.buf.data, b.buf.len);
	act_builder_uninit(&b);
	return actions;
}

static void free_rule(void *rule)
{
	pl_rule_uninit(rule);
	free(rule);
}

static void test_rules(void **state)
{
	struct pl_rule *rule = calloc(1, sizeof *rule);
	struct match match = {0};
	struct flow flow = {0};
	uint16_t id = dep_table(bridge->id, 9);
	uint32_t seq = dep_seq();

	rule->table_id = 9;
	pl_rule_set_actions(bridge, rule, make_actions(3, false));
	pl_rule_insert(bridge, rule, &match, 5, version_next());
	assert_int_not_equal(rule->counter, COUNTER_NONE);
	assert_null(classifier_lookup(bridge->tables[9].cls, version_get(), &flow, NULL, NULL));
	version_publish();
	pl_rule_changed(bridge, rule);
	assert_true(bumped(id, seq));
	assert_ptr_equal(classifier_lookup(bridge->tables[9].cls, version_get(), &flow, NULL, NULL),
		&rule->cr);

	/* Changed in place; with a conjunction it is no rule of its own any more. */
	seq = dep_seq();
	pl_rule_set_actions(bridge, rule, make_actions(OFPP_CONTROLLER, false));
	assert_int_not_equal(dep_seq(), seq);
	assert_true(rule->actions->has_controller);
	pl_rule_set_actions(bridge, rule, make_actions(0, true));
	assert_true(rule->actions->has_conjunction);
	assert_null(classifier_lookup(bridge->tables[9].cls, version_get(), &flow, NULL, NULL));
	pl_rule_set_actions(bridge, rule, make_actions(3, false));
	assert_non_null(classifier_lookup(bridge->tables[9].cls, version_get(), &flow, NULL, NULL));

	/* Hidden, and shown again before anybody saw. */
	pl_rule_hide(bridge, rule, version_next());
	pl_rule_unhide(bridge, rule);
	version_publish();
	assert_non_null(classifier_lookup(bridge->tables[9].cls, version_get(), &flow, NULL, NULL));
	seq = dep_seq();
	pl_rule_remove(bridge, rule);
	assert_int_not_equal(dep_seq(), seq);
	rcu_defer(free_rule, rule);

	rule = calloc(1, sizeof *rule);
	pl_rule_set_actions(bridge, rule, make_actions(3, false));
	free_rule(rule);
}

static void test_action_lists(void **state)
{
	struct act_builder b;
	struct act_output *output;
	struct act_bundle *bundle;
	struct act_group *group;
	const struct act *acts;
	size_t nest;

	act_builder_init(&b);
	assert_non_null(act_builder_acts(&b));
	output = act_put(&b, ACT_OUTPUT, sizeof *output);
	output->port = 1;
	nest = act_nest_begin(&b, ACT_CLONE, sizeof(struct act_nest));
	output = act_put(&b, ACT_OUTPUT, sizeof *output);
	output->port = 2;
	group = act_put(&b, ACT_GROUP, sizeof *group);
	group->group_id = 8;
	act_nest_end(&b, nest);
	act_put(&b, ACT_CT, sizeof(struct act_ct));
	bundle = act_put(&b, ACT_BUNDLE, sizeof *bundle + sizeof bundle->members[0]);
	bundle->n_members = 1;
	bundle->members[0] = 3;
	acts = act_builder_acts(&b);
	assert_true(act_list_outputs_to(acts, b.buf.len, 1));
	assert_true(act_list_outputs_to(acts, b.buf.len, 2));
	assert_false(act_list_outputs_to(acts, b.buf.len, 3));
	assert_true(act_list_outputs_to_group(acts, b.buf.len, 8));
	assert_false(act_list_outputs_to_group(acts, b.buf.len, 9));
	assert_true(act_list_equal(acts, b.buf.len, acts, b.buf.len));
	assert_false(act_list_equal(acts, b.buf.len, acts, b.buf.len - 8));
	assert_true(act_list_equal(NULL, 0, NULL, 0));
	act_builder_uninit(&b);
	for (int i = 0; i < ACT_N_TYPES; i++)
		assert_non_null(act_type_name((enum act_type)i));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_indices),
		TEST(test_what_is_bumped),
		TEST(test_places),
		TEST(test_members_are_bumped),
		TEST(test_mirrors_are_bumped),
		TEST(test_port_moves),
		TEST(test_bridge_ids),
		TEST(test_groups),
		TEST(test_rules),
		TEST(test_action_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
