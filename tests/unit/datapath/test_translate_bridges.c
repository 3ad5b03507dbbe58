/* SPDX-License-Identifier: Apache-2.0 */

/* Several bridges joined by patch ports. */

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "tests/unit/datapath/xlate_fixture.h"

static struct fx *fx;
static struct pl_bridge *br0, *br1;

static int setup(void **state)
{
	fx = fx_create();
	br0 = fx_bridge(fx, "br0", 3);
	br1 = fx_bridge(fx, "br1", 3);
	fx_patch(br0, 10, br1, 11);
	return 0;
}

static int teardown(void **state)
{
	fx_destroy(fx);
	return 0;
}

static void send_udp(struct pl_bridge *bridge, ofp_port_t port)
{
	struct fx_packet p = fx_udp(1, 2);

	fx_send(fx, bridge, port, p.data, p.len);
}

static const struct pl_port *port_of(const struct pl_bridge *bridge, ofp_port_t port)
{
	return pl_port_from_ofp(pl_bridge_conf(bridge), port);
}

static void metadata_stays_behind(void **state)
{
	struct act_builder *b = fx_acts();

	fx_load(b, "NXM_NX_REG0[]", 5);
	fx_set(b, "metadata", "9");
	fx_set(b, "eth_dst", "02:00:00:00:00:77");
	fx_output(b, 10);
	fx_resubmit(b, 1);
	fx_rule(fx, br0, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 2);
	fx_rule(fx, br0, 1, 10, "reg0=5,metadata=9,in_port=1", b);
	b = fx_acts();
	fx_set(b, "eth_dst", "02:00:00:00:00:88");
	fx_output(b, 2);
	fx_rule(fx, br1, 0, 10, "in_port=11,reg0=0,metadata=0", b);
	send_udp(br0, 1);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_get(fx, br1, 2, 0)->data[5], 0x88);
	assert_int_equal(fx_get(fx, br0, 2, 0)->data[5], 0x77);
	assert_int_equal(fx_counted(fx, port_of(br0, 10)->tx_counter), 1);
	assert_int_equal(fx_counted(fx, port_of(br1, 11)->rx_counter), 1);
	assert_int_equal(fx_counted(fx, port_of(br1, 11)->tx_counter), 0);
}

static void action_sets_are_each_bridges_own(void **state)
{
	struct act_builder *b = fx_acts();
	size_t nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));

	fx_output(b, 2);
	act_nest_end(b, nest);
	fx_output(b, 10);
	fx_rule(fx, br0, 0, 10, "", b);
	b = fx_acts();
	nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));
	fx_output(b, 3);
	act_nest_end(b, nest);
	fx_rule(fx, br1, 0, 10, "", b);
	send_udp(br0, 1);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br0, 2), 1);
	assert_int_equal(fx_count(fx, br1, 3), 1);
}

static void exit_and_errors_stay_there(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, 10);
	fx_output(b, 2);
	fx_rule(fx, br0, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_plain(b, ACT_EXIT);
	fx_rule(fx, br1, 0, 10, "", b);
	send_udp(br0, 1);
	assert_int_equal(fx->n_frames, 2);

	/* Endless recursion there takes what it did with it no further than Open vSwitch does. */
	b = fx_acts();
	fx_resubmit(b, 0);
	fx_rule(fx, br1, 0, 20, "", b);
	send_udp(br0, 1);
	assert_int_equal(fx_count(fx, br0, 2), 1);
}

static void loop_of_bridges_ends(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, OFPP_IN_PORT);
	fx_output(b, 10);
	fx_rule(fx, br0, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, OFPP_IN_PORT);
	fx_rule(fx, br1, 0, 10, "", b);
	fx->check_wildcards = false;
	send_udp(br0, 1);
	assert_true(fx->n_frames <= FX_MAX_FRAMES);
}

static void normal_through_tagged_patch(void **state)
{
	struct pl_bridge_conf *conf;
	struct act_builder *b;

	for (int i = 0; i < 2; i++) {
		struct pl_bridge *bridge = i ? br1 : br0;

		b = fx_acts();
		fx_output(b, OFPP_NORMAL);
		fx_rule(fx, bridge, 0, 10, "", b);
		conf = fx_conf(bridge);
		for (size_t j = 0; j < conf->n_bundles; j++) {
			if (j != 0 && j != 3)
				continue;
			conf->bundles[j].vlan_mode = PL_VLAN_ACCESS;
			conf->bundles[j].vlan = i ? 20 : 10;
		}
		pl_bridge_set_conf(bridge, conf);
	}
	send_udp(br0, 1);
	/* Tagged 10 at the trunks of br0, 20 at those of br1, untagged in between. */
	assert_memory_equal(fx_get(fx, br0, 2, 0)->data + 12, "\x81\x00\x00\x0a", 4);
	assert_memory_equal(fx_get(fx, br1, 2, 0)->data + 12, "\x81\x00\x00\x14", 4);
	assert_memory_equal(fx_get(fx, br1, 1, 0)->data + 12, "\x08\x00", 2);
	assert_int_equal(fx->n_frames, 5);
	assert_int_equal(fx->n_learned, 2);
	assert_ptr_equal(fx->learned[1].bridge, br1);
	assert_int_equal(fx->learned[1].port, 11);
	assert_int_equal(fx->learned[1].vlan, 20);
}

static void blocked_patch_learns_only(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br1);
	struct act_builder *b = fx_acts();

	fx_output(b, 10);
	fx_output(b, 2);
	fx_rule(fx, br0, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, OFPP_NORMAL);
	fx_rule(fx, br1, 0, 10, "", b);
	conf->ports[3].stp = PL_PORT_LEARNS;
	pl_bridge_set_conf(br1, conf);
	send_udp(br0, 1);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br0, 2), 1);
	assert_int_equal(fx->n_learned, 1);
}

static void peer_gone(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br0);
	struct act_builder *b = fx_acts();

	fx_output(b, 10);
	fx_rule(fx, br0, 0, 10, "", b);
	conf->ports[3].peer = 0;
	pl_bridge_set_conf(br0, conf);
	send_udp(br0, 1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_NO_SUCH_PORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metadata_stays_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(action_sets_are_each_bridges_own, setup, teardown),
		cmocka_unit_test_setup_teardown(exit_and_errors_stay_there, setup, teardown),
		cmocka_unit_test_setup_teardown(loop_of_bridges_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(normal_through_tagged_patch, setup, teardown),
		cmocka_unit_test_setup_teardown(blocked_patch_learns_only, setup, teardown),
		cmocka_unit_test_setup_teardown(peer_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
