/* SPDX-License-Identifier: Apache-2.0 */

/* NORMAL: learning, VLAN modes, flooding; and mirrors. */

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "lib/fatal.h"
#include "tests/unit/datapath/xlate_fixture.h"

static struct fx *fx;
static struct pl_bridge *br;

static int setup(void **state)
{
	struct act_builder *b = fx_acts();

	fx = fx_create();
	br = fx_bridge(fx, "br0", 4);
	fx_output(b, OFPP_NORMAL);
	fx_rule(fx, br, 0, 10, "", b);
	return 0;
}

static int teardown(void **state)
{
	fx_destroy(fx);
	return 0;
}

static void feed(ofp_port_t port, struct fx_packet p)
{
	fx_send(fx, br, port, p.data, p.len);
}

static struct eth_addr host(int n)
{
	return (struct eth_addr){{2, 0xaa, 0, 0, 0, (uint8_t)n}};
}

static void learn(int n, uint16_t vlan, ofp_port_t port)
{
	fdb_learn(br->fdb, host(n), vlan, port, 1000);
}

static void set_mode(unsigned int port, enum pl_vlan_mode mode, int vlan)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[port - 1].vlan_mode = mode;
	conf->bundles[port - 1].vlan = (int16_t)vlan;
	pl_bridge_set_conf(br, conf);
}

static unsigned long *vlans(int vid)
{
	unsigned long *bits = bitmap_alloc(4096);

	bitmap_set(bits, vid);
	return bits;
}

static void floods_and_learns(void **state)
{
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx_count(fx, br, 1), 0);
	assert_int_equal(fx->n_learned, 1);
	assert_int_equal(fx->learned[0].port, 1);
	assert_int_equal(fx->learned[0].vlan, 0);
}

static void known_destination(void **state)
{
	const struct fdb_entry *entry;

	learn(2, 0, 3);
	learn(1, 0, 1);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 3), 1);
	assert_int_equal(fx->n_learned, 0);
	entry = fdb_lookup(br->fdb, host(1), 0);
	assert_int_equal(fx->out.n_refreshes, 1);
	assert_int_equal(fx->out.refreshes[0], entry->counter);
	/* At the port it came from: nowhere. */
	feed(3, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_NO_OUTPUT);
}

static void packet_to_its_own_source(void **state)
{
	feed(1, fx_udp(2, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_learned, 1);
}

/* Turned round, the packet would go back to where it came from. */
static void later_normal_knows_what_an_earlier_one_learned(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, OFPP_NORMAL);
	fx_set(b, "eth_src", "02:aa:00:00:00:09");
	fx_set(b, "eth_dst", "02:aa:00:00:00:01");
	fx_output(b, OFPP_NORMAL);
	fx_rule(fx, br, 0, 20, "", b);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_learned, 2);
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx_count(fx, br, 1), 0);
}

/* The packet comes by on port 1, then on port 2: its source is at 2, wherever the table has it before. */
static void later_normal_moves_what_an_earlier_one_learned(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, OFPP_NORMAL);
	fx_set(b, "in_port", "2");
	fx_output(b, OFPP_NORMAL);
	fx_rule(fx, br, 0, 20, "", b);
	for (ofp_port_t at = 1; at <= 3; at++) {
		learn(1, 0, at);
		fx->n_learned = 0;
		feed(1, fx_udp(1, 2));
		assert_true(fx->n_learned);
		assert_int_equal(fx->learned[fx->n_learned - 1].port, 2);
	}
}

static void path_depends_on_both_addresses(void **state)
{
	uint32_t seq;

	learn(2, 0, 3);
	learn(1, 0, 1);
	feed(1, fx_udp(1, 2));
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	learn(5, 0, 4);
	learn(2, 0, 4);
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
}

static void moved_host_is_news(void **state)
{
	learn(1, 0, 2);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_learned, 1);
	assert_int_equal(fx->learned[0].port, 1);
}

/* No new address is learned, but who moves is, and packets go where they would. */
static void crowd_of_new_addresses_is_not_learned(void **state)
{
	uint16_t id = dep_fdb_crowd(br->id);
	uint32_t seq;

	learn(7, 0, 2);
	for (unsigned int i = 0; i < 2 * FDB_DEFAULT_MAX; i++)
		fdb_learn(br->fdb, (struct eth_addr){{2, 0xbb, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}}, (uint16_t)(i >> 16),
			4, 1000);
	assert_true(fdb_is_crowded(br->fdb));
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx->n_learned, 0);
	assert_true(fx->out.cacheable);
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	feed(1, fx_udp(2, 2));
	assert_int_equal(fx->n_frames, 0);
	feed(1, fx_udp(7, 2));
	assert_int_equal(fx->n_learned, 1);
	/* What was not learned is looked at again. */
	feed(1, fx_udp(1, 2));
	fdb_run(br->fdb, 2000);
	assert_false(dep_is_valid(seq, &id, 1));
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	fx->n_learned = 0;
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_learned, 1);
}

static void group_source_is_not_learned(void **state)
{
	struct fx_packet p = fx_udp(1, 2);

	p.data[6] |= 1;
	feed(1, p);
	assert_int_equal(fx->n_learned, 0);
}

static void reserved_groups(void **state)
{
	static const uint64_t reserved[] = {0x0180c200000e, 0x0180c2000000, 0x0180c200000f,
		0x01000ccccccc, 0x01000cccccc7, 0x01000ccdcdcd, 0x01000c000000, 0x00e02b000004};
	static const uint64_t ordinary[] = {0x0180c2000010, 0x0180c2010000, 0x01000cccccc8,
		0x00e02b000005};
	struct fx_packet p = fx_udp(1, 2);
	struct pl_bridge_conf *conf;
	struct eth_addr mac;

	for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++) {
		mac = eth_addr_from_u64(ordinary[i]);
		memcpy(p.data, mac.b, 6);
		feed(1, p);
		assert_int_equal(fx->n_frames, 3);
	}
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		mac = eth_addr_from_u64(reserved[i]);
		memcpy(p.data, mac.b, 6);
		feed(1, p);
		assert_int_equal(fx->n_frames, 0);
		assert_int_equal(fx->dropped, DROP_NORMAL_RESERVED_MAC);
	}
	conf = fx_conf(br);
	conf->forward_bpdu = true;
	pl_bridge_set_conf(br, conf);
	feed(1, p);
	assert_int_equal(fx->n_frames, 3);
}

static void access_ports(void **state)
{
	set_mode(1, PL_VLAN_ACCESS, 10);
	set_mode(2, PL_VLAN_ACCESS, 10);
	set_mode(3, PL_VLAN_ACCESS, 20);
	feed(1, fx_udp(1, -1));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, 66);
	assert_memory_equal(fx_get(fx, br, 4, 0)->data + 12, "\x81\x00\x00\x0a\x08\x00", 6);
	assert_int_equal(fx->learned[0].vlan, 10);

	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 10));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_NORMAL_VLAN);

	feed(4, fx_vlan(fx_udp(1, -1), 0x8100, 0x600a));
	assert_int_equal(fx->n_frames, 2);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x08\x00", 2);
	/* A priority tag's priority goes along. */
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 0x6000));
	assert_memory_equal(fx_get(fx, br, 4, 0)->data + 12, "\x81\x00\x60\x0a\x08\x00", 6);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x08\x00", 2);
}

static void trunk_lists(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[0].trunks = vlans(10);
	conf->bundles[1].trunks = vlans(10);
	conf->bundles[2].trunks = vlans(20);
	pl_bridge_set_conf(br, conf);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 10));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br, 3), 0);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 20));
	assert_int_equal(fx->n_frames, 0);
	feed(1, fx_udp(1, -1));
	assert_int_equal(fx->n_frames, 0);
}

static void native_modes(void **state)
{
	set_mode(1, PL_VLAN_NATIVE_UNTAGGED, 10);
	set_mode(2, PL_VLAN_NATIVE_TAGGED, 10);
	feed(1, fx_udp(1, -1));
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x81\x00\x00\x0a\x08\x00", 6);
	feed(2, fx_vlan(fx_udp(1, -1), 0x8100, 10));
	assert_memory_equal(fx_get(fx, br, 1, 0)->data + 12, "\x08\x00", 2);
	feed(2, fx_vlan(fx_udp(1, -1), 0x8100, 30));
	assert_memory_equal(fx_get(fx, br, 1, 0)->data + 12, "\x81\x00\x00\x1e\x08\x00", 6);
}

/* Who says no tag has no native VLAN: VLAN 0 is carried as the list says. */
static void native_without_tag(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[1].vlan_mode = PL_VLAN_NATIVE_UNTAGGED;
	conf->bundles[1].vlan = 0;
	conf->bundles[1].trunks = vlans(10);
	pl_bridge_set_conf(br, conf);
	feed(1, fx_udp(1, -1));
	assert_int_equal(fx_count(fx, br, 2), 0);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 10));
	assert_int_equal(fx_count(fx, br, 2), 1);
	feed(2, fx_udp(1, -1));
	assert_int_equal(fx->n_frames, 3);
}

static void dot1q_tunnel(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[0].vlan_mode = PL_VLAN_DOT1Q_TUNNEL;
	conf->bundles[0].vlan = 100;
	conf->bundles[0].qinq_ethtype = htobe16(0x88a8);
	conf->bundles[0].cvlans = vlans(7);
	pl_bridge_set_conf(br, conf);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 7));
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12,
		"\x88\xa8\x00\x64\x81\x00\x00\x07\x08\x00", 10);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 8));
	assert_int_equal(fx->n_frames, 0);
	feed(2, fx_vlan(fx_vlan(fx_udp(1, -1), 0x8100, 7), 0x88a8, 100));
	assert_memory_equal(fx_get(fx, br, 1, 0)->data + 12, "\x81\x00\x00\x07\x08\x00", 6);
	feed(2, fx_vlan(fx_vlan(fx_udp(1, -1), 0x8100, 8), 0x88a8, 100));
	assert_int_equal(fx_count(fx, br, 1), 0);
}

static void priority_tags(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	for (int i = 0; i < 3; i++) {
		conf->bundles[i].vlan_mode = PL_VLAN_ACCESS;
		conf->bundles[i].vlan = 5;
	}
	conf->bundles[1].priority_tags = PL_PRIORITY_TAGS_IF_NONZERO;
	conf->bundles[2].priority_tags = PL_PRIORITY_TAGS_NEVER;
	pl_bridge_set_conf(br, conf);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 0x6000));
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x81\x00\x60\x00\x08\x00", 6);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data + 12, "\x08\x00", 2);
}

static void void_tag_goes(void **state)
{
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 0));
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x08\x00", 2);
	feed(1, fx_vlan(fx_udp(1, -1), 0x8100, 0x2000));
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x81\x00\x20\x00", 4);
}

static void flood_vlans(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->flood_vlans = vlans(10);
	pl_bridge_set_conf(br, conf);
	learn(2, 10, 3);
	feed(1, fx_vlan(fx_udp(1, 2), 0x8100, 10));
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx->n_learned, 0);
}

static void protected_ports(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[0].protected = conf->bundles[1].protected = true;
	pl_bridge_set_conf(br, conf);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br, 2), 0);
}

static void no_flood(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->ports[2].config = PL_PORT_NO_FLOOD;
	pl_bridge_set_conf(br, conf);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br, 3), 0);
}

static void blocked_port_learns_only(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->stp = true;
	conf->ports[0].stp = PL_PORT_LEARNS;
	conf->ports[3].stp = 0;
	pl_bridge_set_conf(br, conf);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_learned, 1);
	assert_int_equal(fx->dropped, DROP_RX_STP);
	feed(2, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 3), 1);
	feed(4, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_learned, 0);
}

static void bpdu_goes_to_the_engine(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	struct fx_packet p = fx_udp(1, 2);

	conf->stp = true;
	pl_bridge_set_conf(br, conf);
	memcpy(p.data, "\x01\x80\xc2\0\0\0", 6);
	memcpy(p.data + 12, "\x00\x26\x42\x42\x03", 5);
	feed(1, p);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_control, 1);
	assert_int_equal(fx->control_ops[0], OP_L2_PROTO);
}

/* ---------------------------------------------------------------- mirrors */

static struct pl_mirror *add_mirror(struct pl_bridge_conf *conf, int out_bundle, int out_vlan)
{
	struct pl_mirror *mirror = &conf->mirrors[conf->n_mirrors++];

	memset(mirror, 0, sizeof *mirror);
	mirror->name = xstrdup("m");
	mirror->out_bundle = out_bundle;
	mirror->out_vlan = out_vlan;
	mirror->counter = counter_alloc();
	return mirror;
}

static void mirror_by_source(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	struct pl_mirror *mirror = add_mirror(conf, 3, -1);
	uint32_t counter = mirror->counter;

	conf->bundles[0].src_mirrors = 1;
	pl_bridge_set_conf(br, conf);
	learn(2, 0, 2);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br, 2), 1);
	assert_int_equal(fx_count(fx, br, 4), 1);
	assert_int_equal(fx_counted(fx, counter), 1);
	feed(3, fx_udp(1, 2));
	assert_int_equal(fx_count(fx, br, 4), 0);
}

static void mirror_of_all_copies_once(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	add_mirror(conf, 3, -1)->select_all = true;
	pl_bridge_set_conf(br, conf);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx_count(fx, br, 4), 1);
	assert_int_equal(fx->n_frames, 3);
	/* The mirror's port takes nothing in. */
	feed(4, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_NORMAL_MIRROR_OUTPUT_PORT);
}

static void mirror_to_vlan(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	conf->bundles[3].trunks = vlans(99);
	add_mirror(conf, -1, 99)->select_all = true;
	pl_bridge_set_conf(br, conf);
	learn(2, 0, 2);
	feed(1, fx_udp(1, 2));
	assert_memory_equal(fx_get(fx, br, 4, 0)->data + 12, "\x81\x00\x00\x63\x08\x00", 6);
}

static void mirror_snaplen_and_vlan_selection(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	struct pl_mirror *mirror = add_mirror(conf, 3, -1);

	mirror->select_all = true;
	mirror->snaplen = 40;
	mirror->vlans = vlans(10);
	pl_bridge_set_conf(br, conf);
	learn(2, 10, 2);
	feed(1, fx_vlan(fx_udp(1, 2), 0x8100, 10));
	assert_int_equal(fx_get(fx, br, 4, 0)->len, 40);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, 70);
	feed(1, fx_udp(1, 2));
	assert_int_equal(fx_count(fx, br, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(floods_and_learns, setup, teardown),
		cmocka_unit_test_setup_teardown(known_destination, setup, teardown),
		cmocka_unit_test_setup_teardown(packet_to_its_own_source, setup, teardown),
		cmocka_unit_test_setup_teardown(later_normal_knows_what_an_earlier_one_learned, setup, teardown),
		cmocka_unit_test_setup_teardown(later_normal_moves_what_an_earlier_one_learned, setup, teardown),
		cmocka_unit_test_setup_teardown(path_depends_on_both_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(moved_host_is_news, setup, teardown),
		cmocka_unit_test_setup_teardown(crowd_of_new_addresses_is_not_learned, setup, teardown),
		cmocka_unit_test_setup_teardown(group_source_is_not_learned, setup, teardown),
		cmocka_unit_test_setup_teardown(reserved_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(access_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(trunk_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(native_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(native_without_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(dot1q_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(priority_tags, setup, teardown),
		cmocka_unit_test_setup_teardown(void_tag_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(flood_vlans, setup, teardown),
		cmocka_unit_test_setup_teardown(protected_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(no_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(blocked_port_learns_only, setup, teardown),
		cmocka_unit_test_setup_teardown(bpdu_goes_to_the_engine, setup, teardown),
		cmocka_unit_test_setup_teardown(mirror_by_source, setup, teardown),
		cmocka_unit_test_setup_teardown(mirror_of_all_copies_once, setup, teardown),
		cmocka_unit_test_setup_teardown(mirror_to_vlan, setup, teardown),
		cmocka_unit_test_setup_teardown(mirror_snaplen_and_vlan_selection, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
