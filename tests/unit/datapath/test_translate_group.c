/* SPDX-License-Identifier: Apache-2.0 */

/* Groups, multipath, bundle. */

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/field.h"
#include "tests/unit/datapath/xlate_fixture.h"

static struct fx *fx;
static struct pl_bridge *br;

static void to_group(uint32_t id)
{
	struct act_builder *b = fx_acts();
	struct act_group *act = act_put(b, ACT_GROUP, sizeof *act);

	act->group_id = id;
	fx_output(b, 4);
	fx_rule(fx, br, 0, 10, "", b);
}

static int setup(void **state)
{
	fx = fx_create();
	br = fx_bridge(fx, "br0", 4);
	to_group(1);
	return 0;
}

static int teardown(void **state)
{
	fx_destroy(fx);
	return 0;
}

static void send_tcp(uint16_t sport)
{
	struct fx_packet p = fx_tcp(1, 2, 2);

	p.data[34] = (uint8_t)(sport >> 8);
	p.data[35] = (uint8_t)sport;
	fx_send(fx, br, 1, p.data, p.len);
}

static void output_bucket(struct pl_group *group, unsigned int i, ofp_port_t port)
{
	struct act_builder *b = fx_acts();

	fx_output(b, port);
	fx_bucket(group, i, b);
}

static void all_buckets_have_their_own_copy(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_ALL, 2);
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_tcp(1, 2, 2);

	fx_output(b, 2);
	fx_set(b, "eth_src", "02:00:00:00:00:01");
	fx_bucket(group, 0, b);
	output_bucket(group, 1, 3);
	pl_group_set(br, group);
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx->n_frames, 3);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 6, "\x02\0\0\0\0\x01", 6);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data, p.data, p.len);
	assert_memory_equal(fx_get(fx, br, 4, 0)->data, p.data, p.len);
	assert_int_equal(fx_counted(fx, group->counter), 1);
	assert_int_equal(fx_counted(fx, group->buckets[1].counter), 1);
}

/* As in Open vSwitch. */
static void a_bucket_holds_no_output_that_cuts(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_ALL, 2);
	struct act_builder *b = fx_acts();
	struct act_output *cut = act_put(b, ACT_OUTPUT, sizeof *cut);

	cut->port = 2;
	cut->trunc = 64;
	fx_bucket(group, 0, b);
	output_bucket(group, 1, 3);
	pl_group_set(br, group);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 2), 0);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

static void bucket_reason(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_INDIRECT, 1);

	output_bucket(group, 0, OFPP_CONTROLLER);
	pl_group_set(br, group);
	send_tcp(1);
	assert_int_equal(fx->punts[0].reason, PUNT_GROUP);
}

static void missing_group_ends_the_list(void **state)
{
	send_tcp(1);
	assert_int_equal(fx->n_frames, 0);
}

static void fast_failover(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_FF, 2);
	struct pl_bridge_conf *conf;
	uint32_t seq;

	for (unsigned int i = 0; i < 2; i++) {
		output_bucket(group, i, i + 2);
		group->buckets[i].watch_port = i + 2;
	}
	pl_group_set(br, group);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 2), 1);
	assert_int_equal(fx_count(fx, br, 3), 0);
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));

	conf = fx_conf(br);
	conf->ports[1].may_enable = false;
	pl_bridge_set_conf(br, conf);
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 2), 0);
	assert_int_equal(fx_count(fx, br, 3), 1);

	conf = fx_conf(br);
	conf->ports[2].may_enable = false;
	pl_bridge_set_conf(br, conf);
	send_tcp(1);
	assert_int_equal(fx->n_frames, 1);
}

static void watched_group(void **state)
{
	struct pl_group *watched = fx_group(2, PL_GROUP_ALL, 0);
	struct pl_group *group = fx_group(1, PL_GROUP_FF, 2);

	output_bucket(group, 0, 2);
	output_bucket(group, 1, 3);
	group->buckets[0].watch_group = 2;
	pl_group_set(br, watched);
	pl_group_set(br, group);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 3), 1);
	watched = fx_group(2, PL_GROUP_ALL, 1);
	output_bucket(watched, 0, 4);
	pl_group_set(br, watched);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 2), 1);
}

static void loop_of_groups_ends(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_ALL, 1);
	struct act_builder *b = fx_acts();

	((struct act_group *)act_put(b, ACT_GROUP, sizeof(struct act_group)))->group_id = 1;
	fx_bucket(group, 0, b);
	pl_group_set(br, group);
	send_tcp(1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_RESUBMIT_DEPTH);
}

/* Each group runs the next eight times. */
static void chain_that_multiplies_ends(void **state)
{
	for (uint32_t id = 1; id <= 9; id++) {
		struct pl_group *group = fx_group(id, PL_GROUP_ALL, 8);

		for (unsigned int i = 0; i < 8; i++) {
			struct act_builder *b = fx_acts();

			((struct act_group *)act_put(b, ACT_GROUP, sizeof(struct act_group)))
				->group_id = id + 1;
			fx_bucket(group, i, b);
		}
		pl_group_set(br, group);
	}
	fx->check_wildcards = false;
	send_tcp(1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_GROUP_LOOP);
}

static void select_by_weight(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_SELECT, 3);
	unsigned int hits[3] = {0};

	for (unsigned int i = 0; i < 3; i++)
		output_bucket(group, i, i + 1);
	output_bucket(group, 0, OFPP_IN_PORT);
	group->buckets[0].weight = 10;
	group->buckets[1].weight = 30;
	group->buckets[2].weight = 60;
	pl_group_set(br, group);
	fx->check_wildcards = false;
	for (unsigned int i = 0; i < 20000; i++) {
		send_tcp((uint16_t)i);
		for (unsigned int j = 0; j < 3; j++)
			hits[j] += fx_count(fx, br, j + 1);
	}
	assert_int_equal(hits[0] + hits[1] + hits[2], 20000);
	assert_in_range(hits[0], 1600, 2400);
	assert_in_range(hits[1], 5600, 6400);
	assert_in_range(hits[2], 11600, 12400);
	assert_int_equal(fx->out.wc.tp_src, BE16_MAX);
}

static int32_t counted_delta(uint32_t counter)
{
	for (unsigned int i = 0; i < fx->out.n_counters; i++)
		if (fx->out.counters[i].id == counter)
			return fx->out.counters[i].byte_delta;
	fail_msg("counter %u does not count", counter);
	return 0;
}

/* A tag that was pushed before counts from the group on, as long as the packet is that one. */
static void select_measures_the_packet(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_SELECT, 1);
	struct act_builder *b = fx_acts();
	struct pl_rule *outer, *after;
	struct act_push *push;
	size_t nest;

	output_bucket(group, 0, 2);
	group->counter = counter_alloc();
	pl_group_set(br, group);
	nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));
	push = act_put(b, ACT_PUSH_VLAN, sizeof *push);
	push->ethertype = htobe16(ETH_T_VLAN_8021Q);
	((struct act_group *)act_put(b, ACT_GROUP, sizeof(struct act_group)))->group_id = 1;
	act_nest_end(b, nest);
	fx_goto(b, 1);
	outer = fx_rule(fx, br, 0, 20, "", b);
	b = fx_acts();
	fx_output(b, 3);
	after = fx_rule(fx, br, 1, 20, "", b);
	send_tcp(1);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(counted_delta(outer->counter), 0);
	assert_int_equal(counted_delta(group->counter), 4);
	assert_int_equal(counted_delta(after->counter), 0);
}

static void select_leaves_dead_buckets_out(void **state)
{
	struct pl_group *group = fx_group(1, PL_GROUP_SELECT, 2);

	output_bucket(group, 0, 2);
	output_bucket(group, 1, 3);
	group->buckets[0].watch_port = 99;
	group->buckets[0].weight = 60000;
	pl_group_set(br, group);
	for (unsigned int i = 0; i < 20; i++) {
		send_tcp((uint16_t)i);
		assert_int_equal(fx_count(fx, br, 3), 1);
		assert_int_equal(fx_count(fx, br, 2), 0);
	}
}

static void multipath_spreads(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_multipath *act = act_put(b, ACT_MULTIPATH, sizeof *act);
	unsigned int hits[2] = {0};

	act->fields = ACT_HASH_SYMMETRIC_L4;
	act->algorithm = 2;
	act->max_link = 1;
	act->dst = fx_subfield("NXM_NX_REG0[0..7]");
	fx_resubmit(b, 1);
	fx_rule(fx, br, 0, 20, "", b);
	for (unsigned int i = 0; i < 2; i++) {
		b = fx_acts();
		fx_output(b, i + 2);
		fx_rule(fx, br, 1, 10, i ? "reg0=1" : "reg0=0", b);
	}
	for (unsigned int i = 0; i < 64; i++) {
		send_tcp((uint16_t)i);
		hits[0] += fx_count(fx, br, 2);
		hits[1] += fx_count(fx, br, 3);
	}
	assert_int_equal(hits[0] + hits[1], 64);
	assert_in_range(hits[0], 12, 52);
}

static void bundle_takes_the_first_live(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_bundle *act = act_put(b, ACT_BUNDLE, sizeof *act + 3 * sizeof(ofp_port_t));
	struct pl_bridge_conf *conf;

	act->n_members = 3;
	act->members[0] = 77;
	act->members[1] = 2;
	act->members[2] = 3;
	fx_rule(fx, br, 0, 20, "", b);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 2), 1);
	conf = fx_conf(br);
	conf->ports[1].may_enable = false;
	pl_bridge_set_conf(br, conf);
	send_tcp(1);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_buckets_have_their_own_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bucket_holds_no_output_that_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(bucket_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_group_ends_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(fast_failover, setup, teardown),
		cmocka_unit_test_setup_teardown(watched_group, setup, teardown),
		cmocka_unit_test_setup_teardown(loop_of_groups_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(chain_that_multiplies_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(select_by_weight, setup, teardown),
		cmocka_unit_test_setup_teardown(select_measures_the_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(select_leaves_dead_buckets_out, setup, teardown),
		cmocka_unit_test_setup_teardown(multipath_spreads, setup, teardown),
		cmocka_unit_test_setup_teardown(bundle_takes_the_first_live, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
