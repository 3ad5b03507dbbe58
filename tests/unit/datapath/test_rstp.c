/* SPDX-License-Identifier: Apache-2.0 */

/* Small networks of rapid-spanning-tree entities, and one mixed with STP. */

#include <string.h>

#include "datapath/l2/rstp.h"
#include "datapath/l2/stp.h"
#include "tests/unit/datapath/tree_check.h"

#define MAX_BRIDGES TREE_MAX_BRIDGES
#define MAX_LINKS 12
#define STEP_MS 100

struct end {
	int bridge;
	uint32_t port;
};

struct net {
	int64_t now_ms;
	int n_bridges, n_links;
	struct rstp *bridges[MAX_BRIDGES];
	struct { struct end a, b; bool ab_up, ba_up; } links[MAX_LINKS];
	unsigned int flushes[MAX_BRIDGES];
	unsigned int frames;
};

static struct rstp_settings settings(int bridge)
{
	return (struct rstp_settings) {
		.address = {{0x02, 0, 0, 0, 0, (uint8_t)(bridge + 1)}},
		.priority = RSTP_DEFAULT_PRIORITY,
		.version = RSTP_VERSION_RSTP,
		.max_age_s = RSTP_DEFAULT_MAX_AGE_S,
		.forward_delay_s = RSTP_DEFAULT_FORWARD_DELAY_S,
		.hold_count = RSTP_DEFAULT_HOLD_COUNT,
	};
}

static const struct rstp_port_settings default_port = {
	.priority = RSTP_DEFAULT_PORT_PRIORITY,
	.path_cost = 2000,
	.p2p = RSTP_P2P_FORCE_TRUE,
	.admin_up = true,
	.auto_edge = true,
};

static void net_init(struct net *net, int n)
{
	memset(net, 0, sizeof *net);
	net->now_ms = 1000;
	net->n_bridges = n;
	for (int i = 0; i < n; i++) {
		struct rstp_settings s = settings(i);

		net->bridges[i] = rstp_create(&s, net->now_ms);
	}
}

static void net_uninit(struct net *net)
{
	for (int i = 0; i < net->n_bridges; i++)
		rstp_destroy(net->bridges[i]);
}

static void add_port(struct net *net, int bridge, uint32_t key)
{
	assert_int_equal(rstp_port_set(net->bridges[bridge], key, &default_port), 0);
	rstp_port_set_operational(net->bridges[bridge], key, true);
}

static void net_link(struct net *net, int a, uint32_t pa, int b, uint32_t pb)
{
	net->links[net->n_links].a = (struct end) {a, pa};
	net->links[net->n_links].b = (struct end) {b, pb};
	net->links[net->n_links].ab_up = net->links[net->n_links].ba_up = true;
	net->n_links++;
	add_port(net, a, pa);
	add_port(net, b, pb);
}

static void net_link_down(struct net *net, int link)
{
	struct end a = net->links[link].a, b = net->links[link].b;

	net->links[link].ab_up = net->links[link].ba_up = false;
	rstp_port_set_operational(net->bridges[a.bridge], a.port, false);
	rstp_port_set_operational(net->bridges[b.bridge], b.port, false);
}

static void deliver(struct net *net, int bridge, uint32_t key, const struct bpdu_frame *frame)
{
	for (int i = 0; i < net->n_links; i++) {
		struct end a = net->links[i].a, b = net->links[i].b;

		if (a.bridge == bridge && a.port == key && net->links[i].ab_up)
			rstp_receive(net->bridges[b.bridge], b.port, frame->data, frame->len);
		else if (b.bridge == bridge && b.port == key && net->links[i].ba_up)
			rstp_receive(net->bridges[a.bridge], a.port, frame->data, frame->len);
	}
}

static void net_settle(struct net *net)
{
	struct bpdu_frame frame;
	uint32_t key;
	bool any;

	do {
		any = false;
		for (int i = 0; i < net->n_bridges; i++)
			while (rstp_next_frame(net->bridges[i], &key, &frame)) {
				net->frames++;
				deliver(net, i, key, &frame);
				any = true;
			}
	} while (any);
	for (int i = 0; i < net->n_bridges; i++)
		while (rstp_next_flush(net->bridges[i], &key))
			net->flushes[i]++;
}

static struct rstp_port_status port(const struct net *net, int bridge, uint32_t key)
{
	struct rstp_port_status status;

	assert_true(rstp_port_status(net->bridges[bridge], key, &status));
	return status;
}

static bool link_forwards(const struct net *net, int i)
{
	struct end a = net->links[i].a, b = net->links[i].b;

	return net->links[i].ab_up && port(net, a.bridge, a.port).state == RSTP_FORWARDING &&
		port(net, b.bridge, b.port).state == RSTP_FORWARDING;
}

/* How many links forward; none of them may close a loop. */
static int assert_no_loop(const struct net *net)
{
	struct tree_check tree;

	tree_check_init(&tree);
	for (int i = 0; i < net->n_links; i++)
		if (link_forwards(net, i))
			tree_check_add(&tree, net->links[i].a.bridge, net->links[i].b.bridge);
	return tree.n_links;
}

static void net_run(struct net *net, int64_t ms)
{
	int64_t end = net->now_ms + ms;

	net_settle(net);
	assert_no_loop(net);
	for (; net->now_ms < end; net->now_ms += STEP_MS) {
		/* Not all in step. */
		for (int i = 0; i < net->n_bridges; i++) {
			rstp_run(net->bridges[i], net->now_ms + STEP_MS + i * 13);
			net_settle(net);
			assert_no_loop(net);
		}
	}
}

static uint64_t root_of(const struct net *net, int bridge)
{
	struct rstp_status status;

	rstp_status(net->bridges[bridge], &status);
	return status.root_id;
}

static void assert_tree(const struct net *net)
{
	assert_int_equal(assert_no_loop(net), net->n_bridges - 1);
	for (int i = 1; i < net->n_bridges; i++)
		assert_true(root_of(net, i) == root_of(net, 0));
}

/* ------------------------------------------------------------------ tests */

static void test_alone(void **state)
{
	struct rstp_status status;
	struct bpdu_frame frame;
	struct bpdu bpdu;
	struct net net;
	uint32_t key;

	(void)state;
	net_init(&net, 1);
	add_port(&net, 0, 7);
	assert_int_equal(port(&net, 0, 7).role, RSTP_ROLE_DESIGNATED);
	assert_int_equal(port(&net, 0, 7).state, RSTP_DISCARDING);
	/* The first word is what it has come to: a proposal, once. */
	assert_true(rstp_next_frame(net.bridges[0], &key, &frame));
	assert_int_equal(bpdu_decode(&bpdu, frame.data, frame.len), 0);
	assert_int_equal(bpdu.flags, BPDU_ROLE_DESIGNATED | BPDU_F_PROPOSAL);
	assert_false(rstp_next_frame(net.bridges[0], &key, &frame));
	/* Nobody answers: after the migrate time it is taken for an edge port. */
	net_run(&net, 4000);
	assert_int_equal(port(&net, 0, 7).state, RSTP_FORWARDING);
	assert_int_equal(port(&net, 0, 7).number, 1);
	assert_int_equal(port(&net, 0, 7).id, 0x8001);
	rstp_status(net.bridges[0], &status);
	assert_true(status.is_root);
	net.frames = 0;
	net_run(&net, 20000);
	assert_in_range(net.frames, 9, 11);
	net_uninit(&net);
}

static void test_not_auto_edge(void **state)
{
	struct rstp_port_settings s = default_port;
	struct net net;

	(void)state;
	net_init(&net, 1);
	s.auto_edge = false;
	rstp_port_set(net.bridges[0], 1, &s);
	rstp_port_set_operational(net.bridges[0], 1, true);
	s.admin_edge = true;
	rstp_port_set(net.bridges[0], 2, &s);
	rstp_port_set_operational(net.bridges[0], 2, true);
	net_run(&net, 500);
	assert_int_equal(port(&net, 0, 1).state, RSTP_DISCARDING);
	assert_int_equal(port(&net, 0, 2).state, RSTP_FORWARDING);
	/* By the timers: twice the hello time, as it speaks RSTP. */
	net_run(&net, 40000);
	assert_int_equal(port(&net, 0, 1).state, RSTP_FORWARDING);
	net_uninit(&net);
}

/* Proposal and agreement: no timer is waited for. */
static void test_rapid(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 2);
	net_link(&net, 0, 1, 1, 1);
	net_settle(&net);
	assert_int_equal(port(&net, 0, 1).role, RSTP_ROLE_DESIGNATED);
	assert_int_equal(port(&net, 1, 1).role, RSTP_ROLE_ROOT);
	assert_int_equal(port(&net, 0, 1).state, RSTP_FORWARDING);
	assert_int_equal(port(&net, 1, 1).state, RSTP_FORWARDING);
	net_uninit(&net);
}

static void test_triangle(void **state)
{
	struct rstp_status status;
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 1, 1, 1);
	net_link(&net, 1, 2, 2, 1);
	net_link(&net, 2, 2, 0, 2);
	net_run(&net, 6000);
	assert_tree(&net);
	assert_true(root_of(&net, 2) == UINT64_C(0x8000020000000001));
	assert_int_equal(port(&net, 2, 1).role, RSTP_ROLE_ALTERNATE);
	assert_int_equal(port(&net, 2, 1).state, RSTP_DISCARDING);
	rstp_status(net.bridges[2], &status);
	assert_false(status.is_root);
	assert_int_equal(status.root_port, 2);
	assert_int_equal(status.root_path_cost, 2000);
	assert_int_equal(status.bridge_port_id, 0x8002);
	net_run(&net, 10000);
	memset(net.flushes, 0, sizeof net.flushes);
	net_run(&net, 20000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(net.flushes[i], 0);
	net_uninit(&net);
}

/* The alternate port takes over at once. */
static void test_port_down(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 1, 1, 1);
	net_link(&net, 1, 2, 2, 1);
	net_link(&net, 2, 2, 0, 2);
	net_run(&net, 10000);
	memset(net.flushes, 0, sizeof net.flushes);
	net_link_down(&net, 2);
	net_settle(&net);
	assert_int_equal(port(&net, 2, 1).role, RSTP_ROLE_ROOT);
	assert_int_equal(port(&net, 2, 2).role, RSTP_ROLE_DISABLED);
	assert_tree(&net);
	/* The bridge between, and the root, forget where they knew things. */
	assert_true(net.flushes[0] > 0);
	assert_true(net.flushes[1] > 0);
	net_uninit(&net);
}

static void test_root_dies(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 4);
	net_link(&net, 0, 1, 1, 1);
	net_link(&net, 0, 2, 2, 1);
	net_link(&net, 1, 2, 2, 2);
	net_link(&net, 1, 3, 3, 1);
	net_link(&net, 2, 3, 3, 2);
	net_run(&net, 10000);
	assert_tree(&net);
	/* Silent, with carrier: three hellos are missed. */
	net.links[0].ab_up = net.links[0].ba_up = net.links[1].ab_up = net.links[1].ba_up = false;
	net_run(&net, 30000);
	for (int i = 1; i < 4; i++)
		assert_true(root_of(&net, i) == UINT64_C(0x8000020000000002));
	assert_int_equal(assert_no_loop(&net), 2);
	net_uninit(&net);
}

static void test_root_change(void **state)
{
	struct rstp_settings s = settings(4);
	struct net net;

	(void)state;
	net_init(&net, 5);
	net_link(&net, 0, 1, 1, 1);
	net_link(&net, 1, 2, 2, 1);
	net_link(&net, 2, 2, 3, 1);
	net_link(&net, 3, 2, 4, 1);
	net_link(&net, 4, 2, 0, 2);
	net_link(&net, 1, 3, 3, 3);
	net_run(&net, 10000);
	assert_tree(&net);
	s.priority = 4096 + 17;		/* Taken in steps of 4096. */
	rstp_configure(net.bridges[4], &s);
	net_run(&net, 10000);
	assert_tree(&net);
	assert_true(root_of(&net, 0) == UINT64_C(0x1000020000000005));
	net_uninit(&net);
}

/* Two ports of one bridge on one wire: one of them is the backup. */
static void test_backup(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 1);
	add_port(&net, 0, 1);
	add_port(&net, 0, 2);
	net.links[0].a = (struct end) {0, 1};
	net.links[0].b = (struct end) {0, 2};
	net.links[0].ab_up = net.links[0].ba_up = true;
	net.n_links = 1;
	for (int i = 0; i < 100; i++) {
		rstp_run(net.bridges[0], net.now_ms += 100);
		net_settle(&net);
	}
	assert_int_equal(port(&net, 0, 1).role, RSTP_ROLE_DESIGNATED);
	assert_int_equal(port(&net, 0, 2).role, RSTP_ROLE_BACKUP);
	assert_int_equal(port(&net, 0, 2).state, RSTP_DISCARDING);
	net_uninit(&net);
}

/* A link that carries one way only must not make a loop: the root's BPDUs no longer reach the
 * third bridge, which opens its blocked port and claims its segment. */
static void test_one_way_link(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 1, 1, 1);
	net_link(&net, 1, 2, 2, 1);
	net_link(&net, 2, 2, 0, 2);
	net_run(&net, 10000);
	assert_int_equal(port(&net, 2, 1).role, RSTP_ROLE_ALTERNATE);
	/* 1 is not heard by 2 any more, but hears it. */
	net.links[1].ab_up = false;
	net_run(&net, 30000);
	assert_int_equal(port(&net, 2, 1).role, RSTP_ROLE_DESIGNATED);
	assert_int_not_equal(port(&net, 1, 2).state, RSTP_FORWARDING);
	net_uninit(&net);
}

static void test_numbers(void **state)
{
	struct rstp_port_settings s = default_port;
	struct net net;
	uint32_t key;

	(void)state;
	net_init(&net, 1);
	s.number = 2;
	rstp_port_set(net.bridges[0], 10, &s);
	s.number = 0;
	rstp_port_set(net.bridges[0], 11, &s);
	rstp_port_set(net.bridges[0], 12, &s);
	s.number = 2;			/* Taken. */
	rstp_port_set(net.bridges[0], 13, &s);
	assert_int_equal(port(&net, 0, 10).number, 2);
	assert_int_equal(port(&net, 0, 11).number, 1);
	assert_int_equal(port(&net, 0, 12).number, 3);
	assert_int_equal(port(&net, 0, 13).number, 4);
	assert_true(rstp_port_next(net.bridges[0], 0, &key));
	assert_int_equal(key, 11);
	rstp_port_remove(net.bridges[0], 11);
	assert_true(rstp_port_next(net.bridges[0], 0, &key));
	assert_int_equal(key, 10);
	assert_false(rstp_port_next(net.bridges[0], 4, &key));
	net_uninit(&net);
}

static void test_refused_settings(void **state)
{
	struct rstp_settings s = settings(0);
	struct rstp_status status;
	struct rstp *rstp;

	(void)state;
	s.priority = 70000;
	s.max_age_s = 41;
	s.forward_delay_s = 3;
	s.hold_count = 11;
	rstp = rstp_create(&s, 0);
	rstp_status(rstp, &status);
	assert_true(status.bridge_id == UINT64_C(0x8000020000000001));
	assert_int_equal(status.own_times.max_age, 20);
	assert_int_equal(status.own_times.forward_delay, 15);
	s.max_age_s = 40;
	s.forward_delay_s = 21;
	rstp_configure(rstp, &s);
	rstp_status(rstp, &status);
	assert_int_equal(status.own_times.max_age, 40);
	assert_int_equal(status.own_times.forward_delay, 21);
	rstp_destroy(rstp);
}

static void test_malformed(void **state)
{
	struct bpdu bpdu = {.type = BPDU_RST, .flags = BPDU_ROLE_DESIGNATED, .root_id = 1,
		.bridge_id = 1, .port_id = 1, .max_age = 5120};
	struct bpdu_frame frame;
	struct net net;

	(void)state;
	net_init(&net, 1);
	add_port(&net, 0, 1);
	bpdu_encode(&frame, &bpdu);
	for (uint16_t len = 0; len < 17 + BPDU_RST_LEN; len++)
		rstp_receive(net.bridges[0], 1, frame.data, len);
	bpdu.message_age = bpdu.max_age;
	bpdu_encode(&frame, &bpdu);
	rstp_receive(net.bridges[0], 1, frame.data, frame.len);
	assert_int_equal(port(&net, 0, 1).error_count, 17 + BPDU_RST_LEN + 1);
	assert_int_equal(port(&net, 0, 1).role, RSTP_ROLE_DESIGNATED);
	bpdu.message_age = 0;
	bpdu_encode(&frame, &bpdu);
	rstp_receive(net.bridges[0], 1, frame.data, frame.len);
	assert_int_equal(port(&net, 0, 1).role, RSTP_ROLE_ROOT);
	net_uninit(&net);
}

/* An RSTP bridge and an STP one: the first falls back to STP's BPDUs, and back when the other has gone. */
static void test_with_stp(void **state)
{
	struct stp_settings ss = {.system_id = {{2, 0, 0, 0, 0, 0x99}}, .priority = 40960,
		.hello_ms = 2000, .max_age_ms = 20000, .forward_delay_ms = 15000};
	struct bpdu_frame frame;
	struct bpdu bpdu;
	struct stp *stp;
	struct net net;
	bool rapid = true;
	uint32_t key;

	(void)state;
	net_init(&net, 1);
	add_port(&net, 0, 1);
	stp = stp_create(&ss, net.now_ms);
	stp_port_enable(stp, 0);
	for (int i = 0; i < 500; i++) {
		net.now_ms += 100;
		rstp_run(net.bridges[0], net.now_ms);
		stp_run(stp, net.now_ms);
		while (stp_next_frame(stp, &frame))
			rstp_receive(net.bridges[0], 1, frame.data, frame.len);
		while (rstp_next_frame(net.bridges[0], &key, &frame)) {
			assert_int_equal(bpdu_decode(&bpdu, frame.data, frame.len), 0);
			rapid = bpdu.type == BPDU_RST;
			stp_receive(stp, 0, frame.data, frame.len);
		}
	}
	assert_false(rapid);
	assert_int_equal(stp_port_state(stp, 0), STP_FORWARDING);
	assert_int_equal(port(&net, 0, 1).state, RSTP_FORWARDING);
	assert_int_equal(port(&net, 0, 1).role, RSTP_ROLE_DESIGNATED);
	stp_destroy(stp);
	net_uninit(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_not_auto_edge),
		cmocka_unit_test(test_rapid),
		cmocka_unit_test(test_triangle),
		cmocka_unit_test(test_port_down),
		cmocka_unit_test(test_root_dies),
		cmocka_unit_test(test_root_change),
		cmocka_unit_test(test_backup),
		cmocka_unit_test(test_one_way_link),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refused_settings),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_with_stp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
