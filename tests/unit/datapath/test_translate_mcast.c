/* SPDX-License-Identifier: Apache-2.0 */

/* NORMAL with multicast snooping. */

#include <stdlib.h>
#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "datapath/pipeline/dependency.h"
#include "tests/support/mcast_frames.h"
#include "tests/unit/datapath/xlate_fixture.h"

#define GROUP 0xef010101u	/* 239.1.1.1, where the makers' frames go to. */

static struct fx *fx;
static struct pl_bridge *br;
static struct mcast_snooping *ms;

static int setup(void **state)
{
	struct act_builder *b = fx_acts();
	struct pl_bridge_conf *conf;

	(void)state;
	fx = fx_create();
	br = fx_bridge(fx, "br0", 5);
	fx_output(b, OFPP_NORMAL);
	fx_rule(fx, br, 0, 10, "", b);
	ms = mcast_snooping_create(br->id);
	rcu_set(&br->mcast, ms);
	conf = fx_conf(br);
	conf->mcast_snooping = true;
	pl_bridge_set_conf(br, conf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rcu_set(&br->mcast, NULL);
	mcast_snooping_destroy(ms);
	fx_destroy(fx);
	return 0;
}

static void igmp(struct mcast_frame *f, uint8_t type)
{
	const uint8_t msg[8] = {type, 0, 0, 0, 239, 1, 1, 1};

	mcast_frame_igmp(f, 0x0a000001, msg, sizeof msg);
}

/* The engine hears of TYPE at PORT. */
static void heard(ofp_port_t port, uint8_t type)
{
	struct mcast_frame f;

	igmp(&f, type);
	mcast_snooping_receive(ms, port, 0, f.data, f.len, 1000);
}

static struct fx_packet data(uint32_t dst)
{
	struct fx_packet p = fx_udp(1, 2);
	const uint8_t mac[6] = {1, 0, 0x5e, (uint8_t)(dst >> 16 & 0x7f), (uint8_t)(dst >> 8),
		(uint8_t)dst};
	be32 ip = htobe32(dst);

	memcpy(p.data, mac, sizeof mac);
	memcpy(p.data + 14 + 16, &ip, sizeof ip);
	return p;
}

static void feed(ofp_port_t port, struct fx_packet p)
{
	fx_send(fx, br, port, p.data, p.len);
}

/* The last packet left by exactly the ports in MASK. */
static void assert_ports(unsigned int mask)
{
	for (ofp_port_t port = 1; port <= 5; port++)
		assert_int_equal(fx_count(fx, br, port), mask >> port & 1);
}

#define P(N) (1u << (N))

static void unregistered_is_flooded(void **state)
{
	struct pl_bridge_conf *conf;

	(void)state;
	feed(1, data(GROUP));
	assert_ports(P(2) | P(3) | P(4) | P(5));
	conf = fx_conf(br);
	conf->mcast_flood_unregistered = false;
	pl_bridge_set_conf(br, conf);
	feed(1, data(GROUP));
	assert_ports(0);
	assert_int_equal(fx->dropped, DROP_NO_OUTPUT);
	heard(3, 0x11);
	mcast_snooping_set_flood(ms, 4, true);
	feed(1, data(GROUP));
	assert_ports(P(3) | P(4));
}

static void registered_goes_to_members(void **state)
{
	uint32_t seq;

	(void)state;
	heard(2, 0x16);
	heard(1, 0x16);
	feed(1, data(GROUP));
	assert_ports(P(2));
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	/* Who comes later gets it too, at once. */
	heard(3, 0x16);
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	heard(4, 0x11);
	mcast_snooping_set_flood(ms, 5, true);
	feed(1, data(GROUP));
	assert_ports(P(2) | P(3) | P(4) | P(5));
	/* A member where a router is heard later gets one copy. */
	heard(3, 0x11);
	feed(1, data(GROUP));
	assert_ports(P(2) | P(3) | P(4) | P(5));
	heard(2, 0x17);
	feed(1, data(GROUP));
	assert_ports(P(3) | P(4) | P(5));
}

static void local_groups_are_flooded(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	(void)state;
	conf->mcast_flood_unregistered = false;
	pl_bridge_set_conf(br, conf);
	feed(1, data(0xe00000fb));
	assert_ports(P(2) | P(3) | P(4) | P(5));
}

static void reports_go_to_routers(void **state)
{
	struct mcast_frame f;

	(void)state;
	igmp(&f, 0x16);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(0);
	assert_int_equal(fx->n_control, 1);
	assert_int_equal(fx->control_ops[0], OP_L2_PROTO);
	assert_int_equal(fx->dropped, DROP_NONE);
	heard(2, 0x11);
	mcast_snooping_set_flood_reports(ms, 3, true);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(P(2) | P(3));
	assert_int_equal(fx->n_control, 1);
}

static void queries_are_flooded(void **state)
{
	struct mcast_frame f;

	(void)state;
	igmp(&f, 0x11);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(P(2) | P(3) | P(4) | P(5));
	assert_int_equal(fx->n_control, 1);
	/* Another IGMP type is for everybody and nothing to the engine. */
	igmp(&f, 0x13);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(P(2) | P(3) | P(4) | P(5));
	assert_int_equal(fx->n_control, 0);
}

static void vlans_keep_apart(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	struct fx_packet p = data(GROUP);

	(void)state;
	conf->bundles[3].vlan_mode = PL_VLAN_ACCESS;
	conf->bundles[3].vlan = 9;
	pl_bridge_set_conf(br, conf);
	heard(2, 0x16);				/* In VLAN 0. */
	mcast_snooping_set_flood(ms, 4, true);	/* Port 4 is in VLAN 9 only. */
	feed(1, p);
	assert_ports(P(2));
	feed(1, fx_vlan(p, 0x8100, 7));		/* Nobody asked for it there. */
	assert_ports(P(2) | P(3) | P(5));
}

static void mld(void **state)
{
	uint8_t report[24] = {131, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x0e, [23] = 1};
	struct mcast_frame f;

	(void)state;
	mcast_frame_mld(&f, report, sizeof report);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(0);
	assert_int_equal(fx->n_control, 1);
	report[0] = 130;
	mcast_frame_mld(&f, report, sizeof report);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(P(2) | P(3) | P(4) | P(5));
	/* Neighbour discovery is no MLD: to a group nobody asked for, flooded. */
	report[0] = 135;
	mcast_frame_mld(&f, report, sizeof report);
	fx_send(fx, br, 1, f.data, f.len);
	assert_ports(P(2) | P(3) | P(4) | P(5));
	assert_int_equal(fx->n_control, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unregistered_is_flooded, setup, teardown),
		cmocka_unit_test_setup_teardown(registered_goes_to_members, setup, teardown),
		cmocka_unit_test_setup_teardown(local_groups_are_flooded, setup, teardown),
		cmocka_unit_test_setup_teardown(reports_go_to_routers, setup, teardown),
		cmocka_unit_test_setup_teardown(queries_are_flooded, setup, teardown),
		cmocka_unit_test_setup_teardown(vlans_keep_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(mld, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
