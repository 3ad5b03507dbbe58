/* SPDX-License-Identifier: Apache-2.0 */

/* VLAN tags, MPLS labels, TTLs, PBB: what they do to the bytes. */

#include <string.h>

#include "lib/field.h"
#include "lib/headers.h"
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

static void feed(struct fx_packet p)
{
	fx_send(fx, br, 1, p.data, p.len);
}

static void push(struct act_builder *b, enum act_type type, uint16_t ethertype)
{
	((struct act_push *)act_put(b, type, sizeof(struct act_push)))->ethertype =
		htobe16(ethertype);
}

static void set_vid(struct act_builder *b, uint16_t vid, bool push_if_needed)
{
	struct act_vlan_vid *act = act_put(b, ACT_SET_VLAN_VID, sizeof *act);

	act->vid = vid;
	act->push_if_needed = push_if_needed;
}

static void expect_tags(ofp_port_t port, const char *hex, size_t n)
{
	assert_memory_equal(fx_get(fx, br, port, 0)->data + 12, hex, n);
}

static void push_and_set(void **state)
{
	struct act_builder *b = fx_acts();

	push(b, ACT_PUSH_VLAN, 0x8100);
	fx_set(b, "vlan_vid", "4106");
	fx_output(b, 2);
	fx_plain(b, ACT_STRIP_VLAN);
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_udp(1, 2));
	expect_tags(2, "\x81\x00\x00\x0a\x08\x00", 6);
	expect_tags(3, "\x08\x00\x45", 3);
	/* On a tagged one the new tag goes in front, and takes nothing over. */
	feed(fx_vlan(fx_udp(1, 2), 0x8100, 0x6005));
	expect_tags(2, "\x81\x00\x00\x0a\x81\x00\x60\x05\x08\x00", 10);
	expect_tags(3, "\x81\x00\x60\x05\x08\x00", 6);
}

/* A service tag is like its customer's, unless the list says what it is. */
static void service_tag(void **state)
{
	struct act_builder *b = fx_acts();

	push(b, ACT_PUSH_VLAN, 0x88a8);
	fx_output(b, 2);
	fx_plain(b, ACT_STRIP_VLAN);
	push(b, ACT_PUSH_VLAN, 0x88a8);
	fx_set(b, "vlan_vid", "4106");
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_vlan(fx_udp(1, 2), 0x8100, 0x6005));
	expect_tags(2, "\x88\xa8\x60\x05\x81\x00\x60\x05\x08\x00", 10);
	expect_tags(3, "\x88\xa8\x00\x0a\x81\x00\x60\x05\x08\x00", 10);
	feed(fx_udp(1, 2));
	expect_tags(2, "\x88\xa8\x00\x00\x08\x00", 6);
}

static void vid_rewrite_keeps_pcp(void **state)
{
	struct act_builder *b = fx_acts();

	set_vid(b, 9, false);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_vlan(fx_udp(1, 2), 0x88a8, 0x6005));
	expect_tags(2, "\x88\xa8\x60\x09\x08\x00", 6);
	feed(fx_udp(1, 2));
	expect_tags(2, "\x08\x00\x45", 3);
}

static void of10_vid_pushes(void **state)
{
	struct act_builder *b = fx_acts();

	set_vid(b, 9, true);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_udp(1, 2));
	expect_tags(2, "\x81\x00\x00\x09\x08\x00", 6);
	feed(fx_vlan(fx_vlan(fx_udp(1, 2), 0x8100, 7), 0x88a8, 5));
	expect_tags(2, "\x88\xa8\x00\x09\x81\x00\x00\x07\x08\x00", 10);
}

static void load_tci_zero_strips(void **state)
{
	struct act_builder *b = fx_acts();

	fx_load(b, "NXM_OF_VLAN_TCI[]", 0);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_vlan(fx_udp(1, 2), 0x8100, 0x6005));
	expect_tags(2, "\x08\x00\x45", 3);
}

static void pop_of_double_tag(void **state)
{
	struct act_builder *b = fx_acts();

	fx_plain(b, ACT_STRIP_VLAN);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	feed(fx_vlan(fx_vlan(fx_udp(1, 2), 0x8100, 7), 0x88a8, 5));
	expect_tags(2, "\x81\x00\x00\x07\x08\x00", 6);
	feed(fx_vlan(fx_udp(1, 2), 0x8100, 7));
	expect_tags(2, "\x08\x00\x45", 3);
	feed(fx_udp(1, 2));
	expect_tags(2, "\x08\x00\x45", 3);
}

static void mpls_push(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_udp(1, 2);

	push(b, ACT_PUSH_MPLS, 0x8847);
	fx_set(b, "mpls_label", "77");
	fx_output(b, 2);
	push(b, ACT_PUSH_MPLS, 0x8847);
	fx_set(b, "mpls_label", "78");
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "eth_type=0x800", b);
	feed(p);
	/* TTL of the IP header, bottom of stack. */
	expect_tags(2, "\x88\x47\x00\x04\xd1\x40\x45", 7);
	expect_tags(3, "\x88\x47\x00\x04\xe0\x40\x00\x04\xd1\x40\x45", 11);
	feed(fx_vlan(p, 0x8100, 5));
	expect_tags(2, "\x81\x00\x00\x05\x88\x47\x00\x04\xd1\x40\x45", 11);
}

static const uint32_t one_label[] = {16u << 12 | 0x100 | 64};
static const uint32_t two_labels[] = {1000u << 12 | 64, 2000u << 12 | 0x100 | 9};

static void mpls_pop_goes_on_with_the_parsed_packet(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet plain = fx_udp(1, 2);
	struct act_push *pop = act_put(b, ACT_POP_MPLS, sizeof *pop);

	pop->ethertype = htobe16(ETH_T_IP);
	fx_load(b, "NXM_NX_REG3[]", 4);
	fx_resubmit(b, 1);
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "eth_type=0x8847", b);
	b = fx_acts();
	fx_set(b, "udp_dst", "99");
	fx_output(b, 2);
	fx_rule(fx, br, 1, 10, "reg3=4,eth_type=0x800,nw_proto=17", b);
	feed(fx_mpls(plain, 1, one_label));
	assert_int_equal(fx->n_frames, 2);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, plain.len);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 36, "\x00\x63", 2);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data, fx_get(fx, br, 2, 0)->data, plain.len);
}

static void mpls_pop_then_output_parses_nothing(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet plain = fx_udp(1, 2);
	struct act_push *pop = act_put(b, ACT_POP_MPLS, sizeof *pop);

	pop->ethertype = htobe16(ETH_T_IP);
	fx_set(b, "eth_dst", "02:aa:00:00:00:05");
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x8847", b);
	feed(fx_mpls(plain, 1, one_label));
	plain.data[5] = 5;
	assert_int_equal(fx_get(fx, br, 2, 0)->len, plain.len);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data, plain.data, plain.len);
}

static void mpls_pop_of_two(void **state)
{
	struct act_builder *b = fx_acts();
	struct act_push *pop = act_put(b, ACT_POP_MPLS, sizeof *pop);

	pop->ethertype = htobe16(0x8847);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x8847", b);
	feed(fx_mpls(fx_udp(1, 2), 2, two_labels));
	expect_tags(2, "\x88\x47\x00\x7d\x01\x09\x45", 7);
}

static void mpls_ttl(void **state)
{
	struct act_builder *b = fx_acts();

	fx_plain(b, ACT_DEC_MPLS_TTL);
	fx_output(b, 2);
	fx_plain(b, ACT_COPY_TTL_IN);
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "eth_type=0x8847", b);
	feed(fx_mpls(fx_udp(1, 2), 2, two_labels));
	assert_int_equal(fx_get(fx, br, 2, 0)->data[17], 63);
	assert_int_equal(fx_get(fx, br, 3, 0)->data[17], 63);
	assert_int_equal(fx_get(fx, br, 3, 0)->data[21], 63);
}

static void mpls_ttl_to_and_from_ip(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_mpls(fx_udp(1, 2), 1, one_label);
	const struct fx_frame *f;
	uint32_t sum = 0;

	fx_plain(b, ACT_DEC_MPLS_TTL);
	fx_plain(b, ACT_COPY_TTL_IN);
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x8847,mpls_ttl=64", b);
	b = fx_acts();
	fx_plain(b, ACT_COPY_TTL_OUT);
	fx_output(b, 3);
	fx_resubmit(b, 1);
	fx_rule(fx, br, 0, 5, "eth_type=0x8847", b);
	b = fx_acts();
	fx_output(b, 4);
	fx_rule(fx, br, 1, 5, "eth_type=0x8847,mpls_ttl=64", b);
	feed(p);
	f = fx_get(fx, br, 2, 0);
	assert_int_equal(f->data[17], 63);
	assert_int_equal(f->data[26], 63);
	for (int i = 18; i < 38; i += 2)
		sum += (uint32_t)f->data[i] << 8 | f->data[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	p.data[17] = 9;
	feed(p);
	assert_int_equal(fx_get(fx, br, 3, 0)->data[17], 64);
	assert_int_equal(fx_count(fx, br, 4), 1);
}

static void ip_ttl_expires(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *b = fx_acts();
	struct act_cnt_ids *act = act_put(b, ACT_DEC_TTL, sizeof *act + 4);

	act->n_controllers = 2;
	act->ids[1] = 7;
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "", b);
	p.data[22] = 1;
	feed(p);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(fx->n_punts, 2);
	assert_int_equal(fx->punts[0].reason, PUNT_INVALID_TTL);
	assert_int_equal(fx->punts[1].controller_id, 7);
	assert_int_equal(fx->out.wc.nw_ttl, 0xff);
	p.data[22] = 2;
	feed(p);
	assert_int_equal(fx_get(fx, br, 2, 0)->data[22], 1);
}

static void arp_fields(void **state)
{
	struct act_builder *b = fx_acts();
	const struct fx_frame *f;

	fx_set(b, "arp_op", "2");
	fx_set(b, "arp_spa", "9.9.9.9");
	fx_set(b, "arp_sha", "02:00:00:00:00:77");
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x806", b);
	feed(fx_arp(1, 1));
	f = fx_get(fx, br, 2, 0);
	assert_memory_equal(f->data + 20, "\x00\x02\x02\0\0\0\0\x77\x09\x09\x09\x09", 12);
}

static void ipv6_fields(void **state)
{
	struct act_builder *b = fx_acts();
	const struct fx_frame *f;

	fx_set(b, "ipv6_dst", "2001:db8:1::1");
	fx_set(b, "ipv6_label", "0x54321");
	fx_set(b, "udp_src", "9");
	fx_output(b, 2);
	fx_rule(fx, br, 0, 10, "eth_type=0x86dd,nw_proto=17", b);
	feed(fx_udp6(1, 2));
	f = fx_get(fx, br, 2, 0);
	assert_memory_equal(f->data + 14, "\x60\x05\x43\x21", 4);
	assert_memory_equal(f->data + 38, "\x20\x01\x0d\xb8\0\x01\0\0\0\0\0\0\0\0\0\x01\0\x09", 18);
}

static void pbb_there_and_back(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_vlan(fx_udp(1, 2), 0x8100, 7);

	push(b, ACT_PUSH_PBB, 0x88e7);
	fx_set(b, "pbb_isid", "0x112233");
	fx_output(b, 2);
	fx_plain(b, ACT_POP_PBB);
	fx_resubmit(b, 1);
	fx_rule(fx, br, 0, 10, "", b);
	b = fx_acts();
	fx_output(b, 3);
	fx_rule(fx, br, 1, 10, "eth_type=0x800,dl_vlan=7", b);
	feed(p);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, p.len + 18);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 12, "\x88\xe7", 2);
	assert_memory_equal(fx_get(fx, br, 2, 0)->data + 15, "\x11\x22\x33", 3);
	assert_int_equal(fx_get(fx, br, 3, 0)->len, p.len);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data, p.data, p.len);
}

/* What can't be undone by rewriting is done to a copy. The tag comes on top of what is left. */
static void clone_of_a_truncation(void **state)
{
	struct act_builder *b = fx_acts();
	struct fx_packet p = fx_udp(1, 2);
	size_t nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));
	struct act_output *out;

	push(b, ACT_PUSH_VLAN, 0x8100);
	out = act_put(b, ACT_OUTPUT, sizeof *out);
	out->port = 2;
	out->trunc = 20;
	act_nest_end(b, nest);
	fx_output(b, 3);
	fx_rule(fx, br, 0, 10, "", b);
	feed(p);
	assert_int_equal(fx_get(fx, br, 2, 0)->len, 24);
	assert_int_equal(fx_get(fx, br, 3, 0)->len, p.len);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data, p.data, p.len);
}

/* What says what follows: only that changes. What was done to a copy ends with it, also where the list that
 * made the copy does not say what that will be. */
static void type_and_protocol(void **state)
{
	struct act_builder *b = fx_acts(), *copy = fx_acts();
	struct fx_packet p = fx_udp(1, 2);
	const struct fx_frame *frame;
	size_t nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));

	fx_resubmit(b, 1);
	act_nest_end(b, nest);
	fx_output(b, 3);
	fx_set(b, "ip_proto", "132");
	fx_output(b, 4);
	fx_rule(fx, br, 0, 10, "eth_type=0x0800", b);
	fx_set(copy, "eth_type", "0x88b5");
	fx_output(copy, 2);
	fx_rule(fx, br, 1, 10, "", copy);
	feed(p);
	frame = fx_get(fx, br, 2, 0);
	assert_memory_equal(frame->data + 12, "\x88\xb5", 2);
	assert_memory_equal(frame->data + 14, p.data + 14, p.len - 14);
	assert_memory_equal(fx_get(fx, br, 3, 0)->data, p.data, p.len);
	frame = fx_get(fx, br, 4, 0);
	assert_int_equal(frame->len, p.len);
	assert_int_equal(frame->data[23], 132);
	assert_memory_equal(frame->data + 26, p.data + 26, 14);
	/* The pseudo-header's protocol went from 17 to 132. */
	assert_memory_not_equal(frame->data + 40, p.data + 40, 2);
	assert_memory_equal(frame->data + 42, p.data + 42, p.len - 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(push_and_set, setup, teardown),
		cmocka_unit_test_setup_teardown(service_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(type_and_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(vid_rewrite_keeps_pcp, setup, teardown),
		cmocka_unit_test_setup_teardown(of10_vid_pushes, setup, teardown),
		cmocka_unit_test_setup_teardown(load_tci_zero_strips, setup, teardown),
		cmocka_unit_test_setup_teardown(pop_of_double_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(mpls_push, setup, teardown),
		cmocka_unit_test_setup_teardown(mpls_pop_goes_on_with_the_parsed_packet, setup,
			teardown),
		cmocka_unit_test_setup_teardown(mpls_pop_then_output_parses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(mpls_pop_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(mpls_ttl, setup, teardown),
		cmocka_unit_test_setup_teardown(mpls_ttl_to_and_from_ip, setup, teardown),
		cmocka_unit_test_setup_teardown(ip_ttl_expires, setup, teardown),
		cmocka_unit_test_setup_teardown(arp_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(pbb_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(clone_of_a_truncation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
