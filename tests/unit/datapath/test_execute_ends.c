/* SPDX-License-Identifier: Apache-2.0 */

/* execute(): where packets and their copies end, and what a program chooses by. */

#include "tests/unit/datapath/execute_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/meter.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/headers.h"
#include "lib/rcu.h"

/* ------------------------------------------------------------------ copies and ends */

static void test_outputs(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 0, 50);
	uint32_t len = packet->len;

	put_output(1);
	put_u32(OP_TRUNCATE, 20);
	put_output(2);
	put_output(3);
	put_u32(OP_TRUNCATE, 2000);
	put_output(4);
	put_u32(OP_TRUNCATE, 1);
	put_output(5);
	bench_run(packet);
	assert_int_equal(bench.n_out, 5);
	assert_int_equal(bench.out[0].packet->len, len);
	assert_int_equal(bench.out[1].packet->len, 20);
	assert_int_equal(bench.out[2].packet->len, len);
	assert_int_equal(bench.out[3].packet->len, len);
	assert_int_equal(bench.out[4].packet->len, 14);
	assert_ptr_equal(bench.out[4].packet, packet);
	assert_int_equal(bench.n_dropped, 0);
}

static void expect_drop(enum drop_reason reason)
{
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_dropped, 1);
	assert_int_equal(bench.reason, reason);
	assert_int_equal(bench.n_out, 0);
	bench_forget();
}

static void test_drops(void **state)
{
	size_t nest;

	expect_drop(DROP_ACTION);
	put_u32(OP_DROP, DROP_TABLE_MISS);
	expect_drop(DROP_TABLE_MISS);
	/* What comes first counts. */
	nest = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	program_nest_end(&bench.program, nest);
	put_u32(OP_DROP, DROP_MPLS);
	put_output(1);
	expect_drop(DROP_NO_OUTPUT);
	put_op(OP_POP_VLAN, sizeof(struct op));
	put_output(1);
	expect_drop(DROP_ACTION_MISMATCH);

	/* Sent once, it was not dropped. */
	put_output(1);
	put_u32(OP_DROP, DROP_TABLE_MISS);
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_out, 1);
	assert_int_equal(bench.n_dropped, 0);
}

static void test_clone(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 0, 50);
	size_t outer, inner;

	outer = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_vlan(OP_PUSH_VLAN, 0, 5);
	inner = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_vlan(OP_PUSH_VLAN, 0, 6);
	put_output(1);
	program_nest_end(&bench.program, inner);
	put_output(2);
	program_nest_end(&bench.program, outer);
	put_output(3);
	inner = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
	put_output(4);
	program_nest_end(&bench.program, inner);
	bench_run(packet);
	assert_int_equal(bench.n_out, 4);
	assert_int_equal(bench.out[0].packet->len, packet->len + 8);
	assert_int_equal(bench.out[1].packet->len, packet->len + 4);
	assert_int_equal(bench.out[2].packet->len, packet->len);
	/* The last nest needs no copy. */
	assert_ptr_equal(bench.out[3].packet, packet);
}

static void test_no_memory(void **state)
{
	bench.fail_clone = 1;
	put_output(1);
	put_output(2);
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_out, 1);
	assert_int_equal(bench.out[0].port, 2);
	assert_int_equal(bench.n_lost, 1);
	assert_int_equal(bench.n_dropped, 0);
	bench_forget();

	/* The only copy that would have left. */
	bench.fail_clone = 1;
	put_output(1);
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	expect_drop(DROP_NO_MEMORY);
}

static void test_shared(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 0, 50);

	/* Others read the same bytes: written is a copy only. */
	packet->shared = true;
	put_changes(K_TCP4);
	put_output(1);
	bench_run(packet);
	assert_ptr_not_equal(bench.out[0].packet, packet);
	assert_false(bench.out[0].packet->shared);
	check_csums(bench.out[0].packet);
	bench_forget();

	packet = make_frame(K_TCP4, 0, 50);
	packet->shared = true;
	bench.fail_clone = 1;
	put_changes(K_TCP4);
	put_output(1);
	bench_run(packet);
	assert_int_equal(bench.reason, DROP_NO_MEMORY);
}

static void test_control(void **state)
{
	struct op_neigh_hold *hold;

	put_op(OP_PUNT, sizeof(struct op_punt));
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_punt, 1);
	assert_int_equal(bench.n_dropped, 0);
	bench_forget();

	/* Being looked at is no end. */
	put_u32(OP_NEIGH_SNOOP, 1);
	put_u32(OP_DROP, DROP_NO_OUTPUT);
	bench_run(make_frame(K_ARP, 0, 0));
	assert_int_equal(bench.n_control, 1);
	assert_int_equal(bench.n_dropped, 1);
	bench_forget();

	hold = put_op(OP_NEIGH_HOLD, sizeof *hold);
	hold->tunnel = 9;
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_control, 1);
	assert_int_equal(bench.n_dropped, 0);
	bench_forget();

	put_output(1);
	put_op(OP_RESUME, sizeof(struct op_resume));
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_resume, 1);
	assert_int_equal(bench.n_out, 1);
	bench_forget();

	/* What follows is done to the packet as it was. */
	put_op(OP_RESUME, sizeof(struct op_resume));
	put_output(1);
	bench_run(make_frame(K_TCP4, 0, 50));
	assert_int_equal(bench.n_resume, 1);
	assert_int_equal(bench.n_out, 1);
}

/* ------------------------------------------------------------------ choices */

static void test_check_len(void **state)
{
	struct packet *packet;

	for (int larger = 0; larger < 2; larger++) {
		size_t nest, branch;
		struct op_check_len *op;

		packet = make_frame(K_TCP4, 0, 50);
		nest = program_nest_begin(&bench.program, OP_CHECK_LEN, sizeof *op);
		op = program_at(&bench.program, nest);
		op->frame_len = packet->len - (uint32_t)larger;
		branch = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
		put_output(1);
		program_nest_end(&bench.program, branch);
		branch = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));
		put_output(2);
		program_nest_end(&bench.program, branch);
		program_nest_end(&bench.program, nest);
		bench_run(packet);
		assert_int_equal(bench.out[0].port, larger ? 1 : 2);
		assert_ptr_equal(bench.out[0].packet, packet);
		/* Of a segment that is cut on the wire, the pieces count. */
		if (larger) {
			packet = make_frame(K_TCP4, 0, 1400);
			packet->gso_type = PACKET_GSO_TCPV4;
			packet->gso_size = 20;
			bench.n_live++;
			execute(&bench.env, program_ops(&bench.program),
				program_len(&bench.program), packet);
			assert_int_equal(bench.out[1].port, 2);
		}
		bench_forget();
	}
}

static void put_select(unsigned int n_slots, unsigned int n_buckets)
{
	size_t slots_len = ROUND_UP(n_slots * 2, OP_ALIGN);
	size_t nest = program_nest_begin(&bench.program, OP_SELECT, sizeof(struct op_select) + slots_len);
	struct op_select *op = program_at(&bench.program, nest);

	op->n_slots = (uint16_t)n_slots;
	op->n_buckets = (uint16_t)n_buckets;
	for (unsigned int i = 0; i < n_slots; i++)
		op->slots[i] = (uint16_t)(i % (n_buckets + (n_slots == 4)));
	for (unsigned int i = 0; i < n_buckets; i++) {
		size_t bucket = program_nest_begin(&bench.program, OP_CLONE, sizeof(struct op_nest));

		put_output(1 + i);
		program_nest_end(&bench.program, bucket);
	}
	program_nest_end(&bench.program, nest);
}

static void test_select(void **state)
{
	unsigned int seen[4] = {0}, first = 0;

	for (uint32_t i = 0; i < 400; i++) {
		struct packet *packet = make_frame(K_UDP4, 0, 10);

		/* The flow's, if it has none yet; the same for all packets of a flow. */
		packet->data[34] = (uint8_t)(i / 2);
		parse_frame(packet);
		put_select(8, 2);
		bench_run(packet);
		assert_int_equal(bench.n_out, 1);
		assert_int_not_equal(packet->hash, 0);
		if (i % 2)
			assert_int_equal(bench.out[0].port, first);
		first = bench.out[0].port;
		seen[first]++;
		bench_forget();
	}
	assert_true(seen[1] > 120 && seen[2] > 120);

	/* Slots that lead nowhere: 4 slots for 3 buckets and none. */
	memset(seen, 0, sizeof seen);
	for (uint32_t i = 1; i <= 400; i++) {
		struct packet *packet = make_frame(K_UDP4, 0, 10);

		packet->hash = i * 2654435761u;
		put_select(4, 3);
		bench_run(packet);
		if (bench.n_dropped)
			assert_int_equal(bench.reason, DROP_GROUP_NO_BUCKET);
		seen[bench.n_out ? bench.out[0].port : 0]++;
		bench_forget();
	}
	for (int i = 0; i < 4; i++)
		assert_true(seen[i] > 60);
}

static void test_sample(void **state)
{
	struct op_sample *op;

	for (int i = 0; i < 4; i++) {
		op = put_op(OP_SAMPLE, sizeof *op);
		op->probability = i < 2 ? 1000 : i == 2 ? 65535 : 0;
		bench.random = i == 0 ? 0xabc00000 + 999 : 0xffff;
		put_output(1);
		bench_run(make_frame(K_TCP4, 0, 1));
		assert_int_equal(bench.n_sampled, i == 0 || i == 2);
		assert_int_equal(bench.n_out, 1);
		bench_forget();
	}
}

static void test_meter(void **state)
{
	struct pl_bridge *bridge = pl_bridge_create("br0");
	struct pl_meter *meter = calloc(1, sizeof *meter);
	struct op_meter *op;
	unsigned int sent = 0;

	meter->id = 3;
	meter->flags = METER_PKTPS | METER_BURST;
	meter->n_bands = 1;
	meter->bands[0].type = METER_BAND_DROP;
	meter->bands[0].rate = 10;
	meter->bands[0].burst = 5;
	pl_meter_set(bridge, meter);
	bench.env.now_us = meter->bands[0].last_us;
	for (int i = 0; i < 9; i++) {
		op = put_op(OP_METER, sizeof *op);
		op->bridge = bridge->id;
		op->meter = 3;
		put_output(1);
		bench_run(make_frame(K_TCP4, 0, 1));
		sent += bench.n_out;
		if (!bench.n_out)
			assert_int_equal(bench.reason, DROP_METER);
		bench_forget();
	}
	assert_int_equal(sent, 5);
	assert_int_equal(meter->bands[0].packets, 4);

	/* AF11 becomes AF13, checksum and all; the other kind of band. */
	meter->bands[0].type = METER_BAND_DSCP_REMARK;
	meter->bands[0].prec_level = 2;
	for (enum kind kind = K_TCP4; kind <= K_TCP6; kind += K_TCP6 - K_TCP4) {
		struct packet *packet = make_frame(kind, 0, 1);
		struct flow flow;

		if (kind == K_TCP6)
			packet->data[15] = 0x81, packet->data[14] = 0x62;
		op = put_op(OP_METER, sizeof *op);
		op->bridge = bridge->id;
		op->meter = 3;
		put_output(1);
		bench_run(packet);
		flow = parse_frame(packet);
		assert_int_equal(flow.nw_tos, 0x38);
		check_csums(packet);
		bench_forget();
	}
	pl_bridge_destroy(bridge);
	rcu_synchronize();
}

static void test_meta(void **state)
{
	struct packet *packet = make_frame(K_TCP4, 0, 1);
	struct op_meta *op = put_op(OP_SET_META, sizeof *op);

	op->pkt_mark = 7;
	op->queue = 3;
	put_output(1);
	bench_run(packet);
	assert_int_equal(packet->pkt_mark, 7);
	assert_int_equal(packet->queue, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_outputs),
		TEST(test_drops),
		TEST(test_clone),
		TEST(test_no_memory),
		TEST(test_shared),
		TEST(test_control),
		TEST(test_check_len),
		TEST(test_select),
		TEST(test_sample),
		TEST(test_meter),
		TEST(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
