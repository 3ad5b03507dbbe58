/* SPDX-License-Identifier: Apache-2.0 */

/* execute(): headers that come and go (VLAN tags, labels, PBB), and frames too short for them. */

#include "tests/unit/datapath/execute_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"

static void test_vlan(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 1, 10);
	struct flow flow;

	packet->data[14] |= 0x10;
	put_vlan(OP_SET_VLAN, ETH_T_VLAN_8021Q, 0xe005);
	put_vlan(OP_PUSH_VLAN, ETH_T_VLAN_8021AD, 0x2007);
	put_output(1);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_output(2);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_output(3);
	put_op(OP_POP_VLAN, sizeof(struct op));
	bench_run(packet);
	assert_int_equal(bench.n_out, 3);
	/* The tag's DEI is not the rule's to change. */
	assert_memory_equal(bench.out[0].packet->data + 12, "\x88\xa8\x20\x07\x81\x00\xf0\x05\x08\x00", 10);
	assert_memory_equal(bench.out[1].packet->data + 12, "\x81\x00\xf0\x05\x08\x00", 6);
	assert_memory_equal(bench.out[2].packet->data + 12, "\x08\x00", 2);
	for (int i = 0; i < 3; i++) {
		uint16_t l4 = bench.out[i].packet->l4_ofs;

		check_csums(bench.out[i].packet);
		flow = parse_frame(bench.out[i].packet);
		assert_int_equal(flow.tp_dst, htobe16(80));
		assert_int_equal(bench.out[i].packet->l4_ofs, l4);
	}
	/* The last pop had no tag, but the packet had been sent. */
	assert_int_equal(bench.n_dropped, 0);
}

static void put_mpls(enum op_type type, uint16_t ethertype, uint32_t lse)
{
	struct op_mpls *op = put_op(type, sizeof *op);

	op->ethertype = htobe16(ethertype);
	op->lse = htobe32(lse);
	op->mask = BE32_MAX;
}

static void test_mpls(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 1, 10);
	struct op_mpls *set;
	struct flow flow;

	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x00064140);
	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS_MCAST, 0x000c8040);
	put_output(1);
	set = put_op(OP_SET_MPLS, sizeof *set);
	set->lse = htobe32(7);
	set->mask = htobe32(MPLS_TTL_MASK);
	put_mpls(OP_POP_MPLS, ETH_T_MPLS, 0);
	put_output(2);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	put_output(3);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	bench_run(packet);
	assert_int_equal(bench.n_out, 3);

	flow = parse_frame(bench.out[0].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_MPLS_MCAST));
	assert_int_equal(flow.vlans[0].tci, htobe16(0x7064));
	assert_int_equal(flow.mpls_lse[0], htobe32(0x000c8040));
	assert_int_equal(flow.mpls_lse[1], htobe32(0x00064140));
	flow = parse_frame(bench.out[1].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_MPLS));
	assert_int_equal(flow.mpls_lse[0], htobe32(0x00064140));
	flow = parse_frame(bench.out[2].packet);
	assert_int_equal(flow.nw_dst, htobe32(0x0a000002));
	assert_int_equal(flow.tp_dst, htobe16(80));
	check_csums(bench.out[2].packet);
}

/* An 802.3 length counts the label. */
static void test_mpls_snap(void **state)
{
	uint8_t frame[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0, 46, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45};
	struct packet *packet = packet_heap_create(frame, sizeof frame);

	parse_frame(packet);
	put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x00064140);
	put_output(1);
	put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
	put_output(2);
	bench_run(packet);
	assert_memory_equal(bench.out[0].packet->data + 12, "\0\x32\xaa\xaa\3\0\0\0\x88\x47\0\x06\x41\x40\x45", 15);
	assert_memory_equal(bench.out[1].packet->data, frame, sizeof frame);
}

static void test_pbb(void **state)
{
	struct packet *packet = make_frame(K_UDP4, 1, 10), *before = packet_heap_ops.clone(NULL, packet);
	struct op_pbb *pbb = put_op(OP_PUSH_PBB, sizeof *pbb);
	struct op_set_eth *eth;
	struct flow flow;

	pbb->ethertype = htobe16(ETH_T_PBB);
	pbb->isid = htobe32(0x123456 | FLOW_PBB_PRESENT);
	pbb->mask = BE32_MAX;
	eth = put_op(OP_SET_ETH, sizeof *eth);
	memset(&eth->dst_mask, 0xff, 6);
	put_output(1);
	pbb = put_op(OP_SET_PBB, sizeof *pbb);
	pbb->isid = pbb->mask = htobe32(FLOW_PBB_UCA);
	put_vlan(OP_PUSH_VLAN, ETH_T_VLAN_8021AD, 9);
	put_output(2);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_op(OP_POP_PBB, sizeof(struct op));
	put_output(3);
	put_op(OP_POP_PBB, sizeof(struct op));
	bench_run(packet);
	assert_int_equal(bench.n_out, 3);
	flow = parse_frame(bench.out[0].packet);
	assert_int_equal(flow.dl_type, htobe16(ETH_T_PBB));
	assert_int_equal(flow.pbb_isid, htobe32(0x123456 | FLOW_PBB_PRESENT));
	assert_int_equal(bench.out[0].packet->len, before->len + 18);
	flow = parse_frame(bench.out[1].packet);
	assert_int_equal(flow.vlans[0].tci, htobe16(0x1009));
	assert_int_equal(flow.pbb_isid, htobe32(0x123456 | FLOW_PBB_PRESENT | FLOW_PBB_UCA));
	assert_int_equal(bench.out[2].packet->len, before->len);
	assert_memory_equal(bench.out[2].packet->data, before->data, before->len);
	packet_heap_ops.free(NULL, before);
}

/* A frame that was no runt stays none; zeros that were put there go again when a header comes. */
static void test_minimum_length(void **state)
{
	struct packet *packet = make_frame(K_UDP4, 1, 16), *runt;
	uint8_t zeros[2] = {0};

	assert_int_equal(packet->len, 62);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	put_vlan(OP_PUSH_VLAN, 0, 5);
	put_output(2);
	bench_run(packet);
	assert_int_equal(bench.out[0].packet->len, 60);
	assert_memory_equal(bench.out[0].packet->data + 58, zeros, 2);
	assert_int_equal(bench.out[1].packet->len, 62);
	assert_int_equal(parse_frame(bench.out[1].packet).vlans[0].tci, htobe16(0x1005));
	bench_forget();

	runt = make_frame(K_UDP4, 1, 10);
	assert_int_equal(runt->len, 56);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	bench_run(runt);
	assert_int_equal(bench.out[0].packet->len, 52);
}

/* Every operation on every cut of every frame, in memory of exactly its size. */
static void test_cut_frames(void **state)
{
	for (enum kind kind = 0; kind < N_KINDS; kind++) {
		struct packet *whole = make_frame(kind, 1, 4);

		for (uint32_t len = 0; len <= whole->len; len++)
			for (int what = 0; what < 10; what++) {
				struct packet *packet = packet_heap_create(whole->data, len);

				packet->headroom = (uint16_t)(what == 9 ? 3 : 64);
				if (what == 8) {
					/* Offsets of the whole one: a promise not kept. */
					packet->l3_ofs = whole->l3_ofs;
					packet->l4_ofs = whole->l4_ofs;
				} else {
					parse_frame(packet);
				}
				switch (what) {
				case 0:
				case 8:
					put_changes(kind);
					break;
				case 1:
					put_vlan(OP_SET_VLAN, ETH_T_VLAN_8021Q, 5);
					put_op(OP_POP_VLAN, sizeof(struct op));
					break;
				case 2:
					put_mpls(OP_PUSH_MPLS, ETH_T_MPLS, 0x140);
					put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
					break;
				case 3:
					put_op(OP_PUSH_PBB, sizeof(struct op_pbb));
					put_op(OP_SET_PBB, sizeof(struct op_pbb));
					put_op(OP_POP_PBB, sizeof(struct op));
					break;
				case 4:
					put_op(OP_POP_PBB, sizeof(struct op));
					break;
				case 5:
					put_mpls(OP_SET_MPLS, 0, 5);
					put_mpls(OP_POP_MPLS, ETH_T_IP, 0);
					break;
				case 6:
					put_u32(OP_SET_ETH_TYPE, htobe16(0x1234));
					break;
				case 7:
					put_op(OP_SET_ARP, sizeof(struct op_set_arp));
					put_op(OP_SET_ND, sizeof(struct op_set_nd));
					break;
				case 9:
					put_vlan(OP_PUSH_VLAN, 0, 5);
					break;
				}
				put_output(1);
				bench_run(packet);
				assert_int_equal(bench.n_out + bench.n_dropped, 1);
				bench_forget();
			}
		packet_heap_ops.free(NULL, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vlan),
		TEST(test_mpls),
		TEST(test_mpls_snap),
		TEST(test_pbb),
		TEST(test_minimum_length),
		TEST(test_cut_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
