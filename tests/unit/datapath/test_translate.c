/* SPDX-License-Identifier: Apache-2.0 */

/* Tables, misses, resubmit, action sets, limits, packet-ins. */

#include <string.h>

#include "lib/field.h"
#include "tests/unit/datapath/xlate_fixture.h"

static struct fx *fx;
static struct pl_bridge *br;

static int setup(void **state)
{
	fx = fx_create();
	br = fx_bridge(fx, "br0", 4);
	return 0;
}

static int teardown(void **state)
{
	fx_destroy(fx);
	return 0;
}

static void send_udp(ofp_port_t port)
{
	struct fx_packet p = fx_udp(1, 2);

	fx_send(fx, br, port, p.data, p.len);
}

static void outputs_in_order(void **state)
{
	struct act_builder *b = fx_acts();
	struct pl_rule *rule;

	fx_output(b, 2);
	fx_output(b, 3);
	fx_output(b, 2);
	rule = fx_rule(fx, br, 0, 10, "eth_type=0x800,nw_proto=17", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx_count(fx, br, 2), 2);
	assert_int_equal(fx_count(fx, br, 3), 1);
	assert_int_equal(fx_counted(fx, rule->counter), 1);
	assert_int_equal(fx->out.wc.nw_proto, 0xff);
	assert_int_equal(fx->out.wc.nw_src, 0);
	assert_true(fx->out.cacheable);
}

static void in_port_rule(void **state)
{
	struct act_builder *b = fx_acts();

	fx_output(b, 1);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 2), 1);
	send_udp(2);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 1), 1);

	b = fx_acts();
	fx_output(b, OFPP_IN_PORT);
	fx_rule(fx, br, 0, 20, "", b);
	send_udp(3);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

static void miss_drops(void **state)
{
	struct fx_packet p = fx_arp(1, 1);
	struct act_builder *b = fx_acts();

	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_TABLE_MISS);
	assert_int_equal(fx_counted(fx, br->tables[0].miss_counter), 1);
}

static void miss_to_controller(void **state)
{
	br->tables[0].miss = PL_MISS_CONTROLLER;
	send_udp(1);
	assert_int_equal(fx->n_punts, 1);
	assert_int_equal(fx->punts[0].reason, PUNT_IMPLICIT_MISS);
	assert_int_equal(fx->punts[0].metadata.in_port, 1);
	assert_int_equal(fx->punts[0].cookie, 0);
}

static void miss_continues(void **state)
{
	struct act_builder *b = fx_acts();

	br->tables[0].miss = PL_MISS_CONTINUE;
	fx_output(b, 2);
	fx_rule(fx, br, 1, 10, "", b);
	send_udp(1);
	assert_int_equal(fx_count(fx, br, 2), 1);
}

static void no_packet_in_port(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);

	br->tables[0].miss = PL_MISS_CONTROLLER;
	conf->ports[0].config = PL_PORT_NO_PACKET_IN;
	pl_bridge_set_conf(br, conf);
	send_udp(1);
	assert_int_equal(fx->n_punts, 0);
	send_udp(2);
	assert_int_equal(fx->n_punts, 1);
}

static void set_fields_fold(void **state)
{
	struct act_builder *b = fx_acts();
	const struct fx_frame *f;

	fx_set(b, "nw_src", "9.9.9.9");
	fx_set(b, "nw_src", "8.8.8.8");
	fx_set(b, "eth_dst", "02:00:00:00:00:99");
	fx_output(b, 2);
	fx_output(b, 3);
	fx_set(b, "eth_dst", "02:aa:00:00:00:02");
	fx_output(b, 4);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	send_udp(1);
	f = fx_get(fx, br, 2, 0);
	assert_memory_equal(f->data, "\x02\0\0\0\0\x99", 6);
	assert_memory_equal(f->data + 26, "\x08\x08\x08\x08", 4);
	f = fx_get(fx, br, 4, 0);
	assert_memory_equal(f->data, "\x02\xaa\0\0\0\x02", 6);
	assert_memory_equal(f->data + 26, "\x08\x08\x08\x08", 4);
	/* Source written once, destination twice. */
	assert_int_equal(fx->out.wc.nw_src, BE32_MAX);
}

static void set_field_without_prerequisite(void **state)
{
	struct fx_packet p = fx_arp(1, 1);
	struct act_builder *b = fx_acts();

	fx_set(b, "nw_ttl", "9");
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	fx_send(fx, br, 1, p.data, p.len);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data, p.data, p.len);
}

static void masked_write_keeps_the_rest(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_udp(1, 2);

	fx_load(b, "NXM_OF_IP_SRC[8..15]", 0xff);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	fx_send(fx, br, 1, p.data, p.len);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 26, "\x0a\x01\xff\x01", 4);
	assert_int_equal(fx->out.wc.nw_src, htobe32(0xff00));
}

static void move_depends_on_source(void **state)
{
	struct act_builder *b = fx_acts();

	fx_move(b, "NXM_OF_ETH_SRC[]", "NXM_OF_ETH_DST[]");
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data, "\x02\xaa\0\0\0\x01\x02\xaa\0\0\0\x01", 12);
	assert_int_equal(fx->out.wc.dl_src.b[5], 0xff);
}

static void resubmit_and_goto(void **state)
{
	struct act_builder *b = fx_acts();
	struct pl_rule *second;

	fx_load(b, "NXM_NX_REG0[]", 5);
	fx_resubmit(b, 1);
	fx_output(b, 3);
	fx_goto(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 2);
	second = fx_rule(fx, br, 1, 10, "reg0=5,eth_type=0x800", b);
	b = fx_acts();
	fx_output(b, 4);
	fx_rule(fx, br, 2, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 3);
	assert_int_equal(fx_counted(fx, second->counter), 1);
	assert_int_equal(fx->out.wc.regs[0], 0);
}

static void resubmit_changes_in_port_of_the_lookup_only(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_resubmit *act = act_put(b, ACT_RESUBMIT, sizeof *act);

	act->in_port = 7;
	act->table_id = 0xff;
	fx_rule(fx, br, 0, 10, "in_port=1", b);
	b = fx_acts();
	fx_output(b, OFPP_IN_PORT);
	fx_rule(fx, br, 0, 10, "in_port=7", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 1), 1);
}

static void exit_ends_the_pipeline(void **state)
{
	struct act_builder *b = fx_acts();

	fx_resubmit(b, 1);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_plain(b, ACT_EXIT);
	fx_output(b, 4);
	fx_rule(fx, br, 1, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

static void endless_resubmit_drops_all(void **state)
{
	struct act_builder *b = fx_acts();
	struct pl_rule *rule;

	fx_output(b, 2);
	fx_resubmit(b, 0);
	rule = fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_RESUBMIT_DEPTH);
	assert_int_equal(fx_counted(fx, rule->counter), XLATE_MAX_DEPTH + 1);
}

static void too_many_resubmits_drop_all(void **state)
{
	struct act_builder *b;

	/* Forward only, so no depth; each table resubmits to the next twice. */
	for (int i = 0; i < 14; i++) {
		b = fx_acts();
		fx_resubmit(b, i + 1);
		fx_resubmit(b, i + 1);
		fx_rule(fx, br, i, 10, "", b);
	}
	b = fx_acts();
	fx_output(b, 2);
	fx_rule(fx, br, 14, 10, "", b);
	fx->check_wildcards = false;
	send_udp(1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_RESUBMIT_COUNT);
}

static void write_actions(struct act_builder *b, ofp_port_t port, bool dec_ttl, bool push_vlan)
{
	size_t nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));

	if (port)
		fx_output(b, port);
	if (push_vlan)
		((struct act_push *)act_put(b, ACT_PUSH_VLAN, sizeof(struct act_push)))->ethertype =
			htobe16(0x8100);
	if (dec_ttl) {
		struct act_cnt_ids *act = act_put(b, ACT_DEC_TTL, sizeof *act + 2);

		act->n_controllers = 1;
	}
	act_nest_end(b, nest);
}

static void action_set_runs_at_the_end(void **state)
{
	struct act_builder *b = fx_acts();
	const struct fx_frame *f;

	write_actions(b, 2, true, true);
	fx_output(b, 3);
	fx_goto(b, 1);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	b = fx_acts();
	write_actions(b, 4, false, false);
	fx_rule(fx, br, 1, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_get(fx, br, 3, 0)->data[22], 64);
	f = fx_get(fx, br, 4, 0);
	assert_memory_equal(f->data + 12, "\x81\0\0\0\x08\0", 6);
	assert_int_equal(f->data[26], 63);
}

static void action_set_without_output(void **state)
{
	struct act_builder *b = fx_acts();

	write_actions(b, 0, true, true);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 0);
}

static void clear_actions(void **state)
{
	struct act_builder *b = fx_acts();

	write_actions(b, 2, false, false);
	fx_goto(b, 1);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_plain(b, ACT_CLEAR_ACTIONS);
	write_actions(b, 3, false, false);
	fx_rule(fx, br, 1, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 1);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

static void controller_reasons(void **state)
{
	struct act_builder *b = fx_acts();
	size_t nest;

	fx_output(b, OFPP_CONTROLLER);
	nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));
	fx_output(b, OFPP_CONTROLLER);
	act_nest_end(b, nest);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	b = fx_acts();
	fx_output(b, OFPP_CONTROLLER);
	fx_rule(fx, br, 0, 0, "", b);
	send_udp(1);
	assert_int_equal(fx->n_punts, 2);
	assert_int_equal(fx->punts[0].reason, PUNT_ACTION);
	assert_int_equal(fx->punts[1].reason, PUNT_ACTION_SET);
	assert_int_equal(fx->punts[0].cookie, fx->rules[0]->cookie);
	struct fx_packet p = fx_arp(1, 1);

	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx->n_punts, 1);
	assert_int_equal(fx->punts[0].reason, PUNT_EXPLICIT_MISS);
}

static void clone_leaves_no_trace(void **state)
{
	struct act_builder *b = fx_acts();
	size_t nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));

	fx_set(b, "eth_src", "02:00:00:00:00:09");
	fx_load(b, "NXM_NX_REG0[]", 7);
	fx_output(b, 2);
	act_nest_end(b, nest);
	fx_resubmit(b, 1);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_rule(fx, br, 1, 10, "reg0=0", b);
	send_udp(1);
	assert_int_equal(fx_get(fx, br, 2, 0)->data[11], 9);
	assert_int_equal(fx_get(fx, br, 3, 0)->data[11], 1);
}

static void stack_moves_values(void **state)
{
	struct act_builder *b = fx_acts();
	const char *order[] = {"NXM_OF_ETH_SRC[]", "NXM_OF_ETH_DST[]"};
	int i;

	for (i = 0; i < 2; i++)
		((struct act_stack *)act_put(b, ACT_STACK_PUSH, sizeof(struct act_stack)))->subfield =
			fx_subfield(order[i]);
	for (i = 0; i < 3; i++)	/* The third finds nothing. */
		((struct act_stack *)act_put(b, ACT_STACK_POP, sizeof(struct act_stack)))->subfield =
			fx_subfield(order[i % 2]);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data, "\x02\xaa\0\0\0\x01\x02\xaa\0\0\0\x02", 12);
}

static void output_reg(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_output_reg *act;

	fx_load(b, "NXM_NX_REG1[4..7]", 3);
	act = act_put(b, ACT_OUTPUT_REG, sizeof *act);
	act->src = fx_subfield("NXM_NX_REG1[4..7]");
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_int_equal(fx_count(fx, br, 3), 1);
}

static void truncated_output(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_output *act = act_put(b, ACT_OUTPUT, sizeof *act);

	act->port = 2;
	act->trunc = 50;
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, 50);
	assert_int_equal(fx_get(fx, br, 3, 0)->len, 66);
}

static void length_check_goes_both_ways(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_check_pkt_larger *act = act_put(b, ACT_CHECK_PKT_LARGER, sizeof *act);
	struct fx_packet p = fx_udp(1, 2);

	act->dst = fx_subfield("NXM_NX_REG0[0]");
	act->pkt_len = 70;
	fx_resubmit(b, 1);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 2);
	fx_rule(fx, br, 1, 10, "reg0=1", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_rule(fx, br, 1, 10, "reg0=0", b);
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx_count(fx, br, 3), 1);
	assert_int_equal(fx->n_frames, 1);
	p.len += 20;
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx_count(fx, br, 2), 1);
	assert_int_equal(fx->n_frames, 1);
}

static void fragments_have_no_ports(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *b = fx_acts();
	struct pl_bridge_conf *conf;

	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x800,nw_proto=17,udp_dst=53", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_rule(fx, br, 0, 5, "eth_type=0x800,nw_proto=17,udp_dst=0", b);
	p.data[20] = 0x20;	/* More fragments. */
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx_count(fx, br, 3), 1);
	conf = fx_conf(br);
	conf->frag_ports = true;
	pl_bridge_set_conf(br, conf);
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx_count(fx, br, 2), 1);
	conf = fx_conf(br);
	conf->frag_ports = false;
	conf->frag_drop = true;
	pl_bridge_set_conf(br, conf);
	fx_send(fx, br, 1, p.data, p.len);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_RX_FRAGMENT);
}

static void port_configuration(void **state)
{
	struct act_builder *b = fx_acts();
	struct pl_bridge_conf *conf = fx_conf(br);
	struct pl_rule *rule;

	fx_output(b, OFPP_ALL);
	rule = fx_rule(fx, br, 0, 10, "", b);
	conf->ports[1].config = PL_PORT_NO_FWD;
	conf->ports[3].config = PL_PORT_NO_RECV;
	pl_bridge_set_conf(br, conf);
	send_udp(1);
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_count(fx, br, 2), 0);
	send_udp(4);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->dropped, DROP_RX_PORT_DOWN);
	assert_int_equal(fx_counted(fx, rule->counter), 1);
}

static void fin_timeout_looks_at_flags(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_fin_timeout *act = act_put(b, ACT_FIN_TIMEOUT, sizeof *act);
	struct fx_packet syn = fx_tcp(1, 2, 0x002), fin = fx_tcp(1, 2, 0x011);

	act->idle_timeout = 5;
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	fx_send(fx, br, 1, syn.data, syn.len);
	assert_int_equal(fx->n_fin, 0);
	assert_int_equal(fx->out.wc.tcp_flags, htobe16(0x005));
	fx_send(fx, br, 1, fin.data, fin.len);
	assert_int_equal(fx->n_fin, 1);
}

static void pause_and_resume(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_controller *act = act_put(b, ACT_CONTROLLER, sizeof *act);

	act->pause = true;
	act->max_len = UINT16_MAX;
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	send_udp(1);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_punts, 1);
	assert_true(fx->punts[0].pause_len >= sizeof(struct op_resume));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(outputs_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(in_port_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(miss_drops, setup, teardown),
		cmocka_unit_test_setup_teardown(miss_to_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(miss_continues, setup, teardown),
		cmocka_unit_test_setup_teardown(no_packet_in_port, setup, teardown),
		cmocka_unit_test_setup_teardown(set_fields_fold, setup, teardown),
		cmocka_unit_test_setup_teardown(set_field_without_prerequisite, setup, teardown),
		cmocka_unit_test_setup_teardown(masked_write_keeps_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(move_depends_on_source, setup, teardown),
		cmocka_unit_test_setup_teardown(resubmit_and_goto, setup, teardown),
		cmocka_unit_test_setup_teardown(resubmit_changes_in_port_of_the_lookup_only, setup,
			teardown),
		cmocka_unit_test_setup_teardown(exit_ends_the_pipeline, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_resubmit_drops_all, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_resubmits_drop_all, setup, teardown),
		cmocka_unit_test_setup_teardown(action_set_runs_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(action_set_without_output, setup, teardown),
		cmocka_unit_test_setup_teardown(clear_actions, setup, teardown),
		cmocka_unit_test_setup_teardown(controller_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(clone_leaves_no_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_moves_values, setup, teardown),
		cmocka_unit_test_setup_teardown(output_reg, setup, teardown),
		cmocka_unit_test_setup_teardown(truncated_output, setup, teardown),
		cmocka_unit_test_setup_teardown(length_check_goes_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(fragments_have_no_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(port_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(fin_timeout_looks_at_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(pause_and_resume, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
