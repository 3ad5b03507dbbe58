/* SPDX-License-Identifier: Apache-2.0 */

/* Tunnels: out through the underlay's bridge, in at its local port, neighbours seen on the way. */

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "tests/support/eal_fixture.h"
#include "tests/unit/datapath/xlate_fixture.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"
#include "tunnel/tnl_port.h"

static struct fx *fx;
static struct pl_bridge *br_int, *br_phy;
static const struct tnl_port *tnl;
static struct pl_rule *phy_rule;
static const struct eth_addr local_mac = {{2, 0, 0, 0, 0, 0xaa}};
static const struct eth_addr remote_mac = {{2, 0xbb, 0, 0, 0, 2}};

static struct ipv6_addr mapped(uint32_t addr)
{
	struct ipv6_addr a = {.w64 = {0, 0}};

	a.w16[5] = BE16_MAX;
	a.w32[3] = htobe32(addr);
	return a;
}

/* br-int: ports 1, 2 and VXLAN 10 to 10.0.0.2; br-phy: port 1 and the local one, 10.0.0.1/24, NORMAL. */
static int setup(void **state)
{
	struct tnl_config config = {
		.type = TNL_VXLAN,
		.dst_port = htobe16(VXLAN_PORT),
		.in_key_present = true,
		.in_key = htobe64(5),
		.out_key_present = true,
		.out_key = htobe64(5),
		.remote = mapped(0x0a000002),
		.tos_inherit = true,
		.dont_fragment = true,
	};
	struct pl_bridge_conf *conf;
	struct act_builder *b = fx_acts();
	struct pl_port *port;

	fx = fx_create();
	br_int = fx_bridge(fx, "br-int", 2);
	br_phy = fx_bridge(fx, "br-phy", 1);
	assert_int_equal(tnl_port_add(&config, fx_dp(br_int, 10), "vx0", &tnl), 0);
	conf = fx_conf(br_int);
	port = fx_add_port(br_int, conf, 10, PL_PORT_TUNNEL, "vx0");
	port->tunnel = tnl;
	port->rx_counter = counter_alloc();
	port->tx_counter = counter_alloc();
	pl_bridge_set_conf(br_int, conf);
	conf = fx_conf(br_phy);
	port = fx_add_port(br_phy, conf, OFPP_LOCAL, PL_PORT_DEVICE, "br-phy");
	port->is_internal = true;
	port->mac = local_mac;
	pl_bridge_set_conf(br_phy, conf);

	fx_output(b, 10);
	fx_rule(fx, br_int, 0, 10, "in_port=1", b);
	b = fx_acts();
	fx_output(b, 10);
	fx_output(b, 1);
	fx_rule(fx, br_int, 0, 10, "in_port=2", b);
	b = fx_acts();
	fx_output(b, OFPP_NORMAL);
	phy_rule = fx_rule(fx, br_phy, 0, 10, "", b);
	return 0;
}

static int teardown(void **state)
{
	tnl_port_remove(tnl);
	neigh_flush(NULL);
	fx_destroy(fx);
	return 0;
}

static void resolve(void)
{
	struct ipv6_addr addr = mapped(0x0a000002);

	neigh_set("br-phy", &addr, remote_mac, true, 1000);
	dep_bump(dep_neigh(&addr));
}

static void feed(struct pl_bridge *bridge, ofp_port_t port, struct fx_packet p)
{
	fx_send(fx, bridge, port, p.data, p.len);
}

static void unknown_neighbour_holds(void **state)
{
	uint32_t seq;

	feed(br_int, 1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_neigh_needed, 1);
	assert_int_equal(fx->control_ops[0], OP_NEIGH_HOLD);
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	resolve();
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
}

static void goes_out_by_the_underlay(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	const struct fx_frame *f;

	resolve();
	feed(br_int, 1, p);
	assert_int_equal(fx->n_frames, 1);
	f = fx_get(fx, br_phy, 1, 0);
	assert_int_equal(f->len, p.len + 50);
	assert_memory_equal(f->data, &remote_mac, 6);
	assert_memory_equal(f->data + 6, &local_mac, 6);
	assert_memory_equal(f->data + 26, "\x0a\0\0\x01\x0a\0\0\x02", 8);
	assert_memory_equal(f->data + 36, "\x12\xb5", 2);
	assert_memory_equal(f->data + 42, "\x08\0\0\0\0\0\x05\0", 8);
	assert_memory_equal(f->data + 50, p.data, p.len);
	/* The outer TOS is the inner's, and nothing else of it matters. */
	assert_int_equal(fx->out.wc.nw_tos, 0xff);
	assert_int_equal(fx->out.wc.nw_dst, 0);
	assert_int_equal(fx->out.wc.dl_dst.b[0], 0);
	for (unsigned int i = 0; i < fx->out.n_counters; i++)
		if (fx->out.counters[i].id == phy_rule->counter)
			assert_int_equal(fx->out.counters[i].byte_delta, 50);
	assert_int_equal(fx_counted(fx, phy_rule->counter), 1);
}

static void packet_goes_on_as_it_was(void **state)
{
	struct fx_packet p = fx_udp(1, 2);

	resolve();
	feed(br_int, 2, p);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_get(fx, br_phy, 1, 0)->len, p.len + 50);
	assert_memory_equal(fx_get(fx, br_int, 1, 0)->data, p.data, p.len);
}

static void underlay_rules_see_the_outer_packet(void **state)
{
	struct act_builder *b = fx_acts();

	fx_set(b, "eth_src", "02:00:00:00:00:99");
	fx_output(b, 1);
	fx_rule(fx, br_phy, 0, 20, "eth_type=0x800,nw_proto=17,udp_dst=4789,nw_dst=10.0.0.2", b);
	resolve();
	feed(br_int, 2, fx_udp(1, 2));
	assert_int_equal(fx_get(fx, br_phy, 1, 0)->data[11], 0x99);
	assert_int_equal(fx_get(fx, br_int, 1, 0)->data[11], 1);
}

static void no_route(void **state)
{
	struct tnl_config config = tnl->config;

	tnl_port_remove(tnl);
	config.remote = mapped(0xac1f0909);
	assert_int_equal(tnl_port_add(&config, fx_dp(br_int, 10), "vx0", &tnl), 0);
	struct pl_bridge_conf *conf = fx_conf(br_int);

	conf->ports[2].tunnel = tnl;
	pl_bridge_set_conf(br_int, conf);
	feed(br_int, 1, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_TNL_NO_ROUTE);
}

/* An outer frame for PORT of the local address; INNER's bytes as they are. */
static struct fx_packet vxlan(uint16_t port, uint32_t dst)
{
	struct fx_packet inner = fx_udp(1, 2), p = fx_udp(8, 9);
	uint8_t *d = p.data;
	uint32_t sum = 0;

	p.len = 50 + inner.len;
	memcpy(d, &local_mac, 6);
	memcpy(d + 6, &remote_mac, 6);
	d[16] = 0;
	d[17] = (uint8_t)(p.len - 14);
	memcpy(d + 26, "\x0a\0\0\x02", 4);
	d[30] = (uint8_t)(dst >> 24);
	d[31] = (uint8_t)(dst >> 16);
	d[32] = (uint8_t)(dst >> 8);
	d[33] = (uint8_t)dst;
	d[24] = d[25] = 0;
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)d[i] << 8 | d[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	d[24] = (uint8_t)(~sum >> 8);
	d[25] = (uint8_t)~sum;
	d[36] = (uint8_t)(port >> 8);
	d[37] = (uint8_t)port;
	d[38] = 0;
	d[39] = (uint8_t)(p.len - 34);
	d[40] = d[41] = 0;
	memcpy(d + 42, "\x08\0\0\0\0\0\x05\0", 8);
	memcpy(d + 50, inner.data, inner.len);
	return p;
}

static void comes_in_at_the_local_port(void **state)
{
	resolve();
	feed(br_phy, 1, vxlan(4789, 0x0a000001));
	assert_int_equal(fx->n_recirculated, 1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_control, 0);
	assert_int_equal(fx->out.wc.tp_dst, BE16_MAX);
	assert_int_equal(fx->out.wc.tp_src, 0);
}

static void unknown_sender_is_shown_to_control(void **state)
{
	feed(br_phy, 1, vxlan(4789, 0x0a000001));
	assert_int_equal(fx->n_recirculated, 1);
	assert_int_equal(fx->n_control, 1);
	assert_int_equal(fx->control_ops[0], OP_NEIGH_SNOOP);
}

static void others_reach_the_host(void **state)
{
	feed(br_phy, 1, vxlan(4790, 0x0a000001));
	assert_int_equal(fx->n_recirculated, 0);
	assert_int_equal(fx_count(fx, br_phy, OFPP_LOCAL), 1);
	feed(br_phy, 1, vxlan(4789, 0x0a000009));
	assert_int_equal(fx->n_recirculated, 0);
	assert_int_equal(fx_count(fx, br_phy, OFPP_LOCAL), 1);
}

static void arp_replies_are_snooped(void **state)
{
	struct fx_packet p = fx_arp(1, 2);

	memcpy(p.data + 28, "\x0a\0\0\x02", 4);
	memcpy(p.data + 38, "\x0a\0\0\x01", 4);
	feed(br_phy, 1, p);
	assert_int_equal(fx->n_control, 1);
	assert_int_equal(fx->control_ops[0], OP_NEIGH_SNOOP);
	assert_int_equal(fx_count(fx, br_phy, OFPP_LOCAL), 1);
	/* Not those for others, nor requests. */
	p.data[41] = 7;
	feed(br_phy, 1, p);
	assert_int_equal(fx->n_control, 0);
	p.data[41] = 1;
	p.data[21] = 1;
	feed(br_phy, 1, p);
	assert_int_equal(fx->n_control, 0);
	/* But announcements. */
	memcpy(p.data + 38, p.data + 28, 4);
	feed(br_phy, 1, p);
	assert_int_equal(fx->n_control, 1);
}

static void congestion_goes_inside(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_udp(1, 2);

	fx_output(b, 1);
	fx_rule(fx, br_int, 0, 20, "in_port=10", b);
	fx->tunnel = (struct flow_tnl){
		.tun_id = htobe64(5),
		.ip_src = htobe32(0x0a000002),
		.ip_dst = htobe32(0x0a000001),
		.flags = FLOW_TNL_F_KEY,
		.ip_tos = 3,
	};
	feed(br_int, 10, p);
	assert_int_equal(fx->n_frames, 0);
	p.data[15] = 2;
	feed(br_int, 10, p);
	assert_int_equal(fx_get(fx, br_int, 1, 0)->data[15], 3);
	assert_int_equal(fx_counted(fx, pl_port_from_ofp(pl_bridge_conf(br_int), 10)->rx_counter), 1);
	fx->tunnel.ip_tos = 0;
	feed(br_int, 10, p);
	assert_int_equal(fx_get(fx, br_int, 1, 0)->data[15], 2);
}

static void not_back_where_it_came_from(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, OFPP_IN_PORT);
	fx_rule(fx, br_int, 0, 20, "in_port=10", b);
	resolve();
	fx->tunnel = (struct flow_tnl){
		.ip_src = htobe32(0x0a000001),
		.ip_dst = htobe32(0x0a000002),
	};
	feed(br_int, 10, fx_udp(1, 2));
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_TNL_LOOP);
}

static int group_setup(void **state)
{
	assert_int_equal(system("ip link add br-phy address 02:00:00:00:00:aa type veth peer name far && "
		"ip addr add 10.0.0.1/24 dev br-phy && ip link set far up && ip link set br-phy up"), 0);
	return route_init(NULL, NULL);
}

static int group_teardown(void **state)
{
	route_uninit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_neighbour_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_out_by_the_underlay, setup, teardown),
		cmocka_unit_test_setup_teardown(packet_goes_on_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(underlay_rules_see_the_outer_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(no_route, setup, teardown),
		cmocka_unit_test_setup_teardown(comes_in_at_the_local_port, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_sender_is_shown_to_control, setup, teardown),
		cmocka_unit_test_setup_teardown(others_reach_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(arp_replies_are_snooped, setup, teardown),
		cmocka_unit_test_setup_teardown(congestion_goes_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(not_back_where_it_came_from, setup, teardown),
	};

	netns_fixture_enter();
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
