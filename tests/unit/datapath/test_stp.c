/* SPDX-License-Identifier: Apache-2.0 */

/* Small networks of spanning-tree entities: each bridge is an engine, each link carries frames at once. */

#include <errno.h>
#include <string.h>

#include "datapath/l2/stp.h"
#include "tests/unit/datapath/tree_check.h"

#define MAX_BRIDGES TREE_MAX_BRIDGES
#define MAX_LINKS 12
#define STEP_MS 50

struct end {
	int bridge;
	unsigned int port;
};

struct net {
	int64_t now_ms;
	int n_bridges, n_links;
	struct stp *bridges[MAX_BRIDGES];
	struct { struct end a, b; bool up; } links[MAX_LINKS];
	unsigned int flushes[MAX_BRIDGES];
	unsigned int frames;
};

static struct stp_settings settings(int bridge)
{
	return (struct stp_settings) {
		.system_id = {{0x02, 0, 0, 0, 0, (uint8_t)(bridge + 1)}},
		.priority = STP_DEFAULT_PRIORITY,
		.hello_ms = STP_DEFAULT_HELLO_MS,
		.max_age_ms = STP_DEFAULT_MAX_AGE_MS,
		.forward_delay_ms = STP_DEFAULT_FORWARD_DELAY_MS,
	};
}

static void net_init(struct net *net, int n)
{
	memset(net, 0, sizeof *net);
	net->now_ms = 1000;
	net->n_bridges = n;
	for (int i = 0; i < n; i++) {
		struct stp_settings s = settings(i);

		net->bridges[i] = stp_create(&s, net->now_ms);
	}
}

static void net_uninit(struct net *net)
{
	for (int i = 0; i < net->n_bridges; i++)
		stp_destroy(net->bridges[i]);
}

static void net_link(struct net *net, int a, unsigned int pa, int b, unsigned int pb)
{
	net->links[net->n_links].a = (struct end) {a, pa};
	net->links[net->n_links].b = (struct end) {b, pb};
	net->links[net->n_links++].up = true;
	stp_port_enable(net->bridges[a], pa);
	stp_port_enable(net->bridges[b], pb);
}

static void net_link_down(struct net *net, int link)
{
	net->links[link].up = false;
	stp_port_disable(net->bridges[net->links[link].a.bridge], net->links[link].a.port);
	stp_port_disable(net->bridges[net->links[link].b.bridge], net->links[link].b.port);
}

static void deliver(struct net *net, int bridge, const struct bpdu_frame *frame)
{
	for (int i = 0; i < net->n_links; i++) {
		struct end a = net->links[i].a, b = net->links[i].b;

		if (!net->links[i].up)
			continue;
		if (a.bridge == bridge && a.port == frame->port)
			stp_receive(net->bridges[b.bridge], b.port, frame->data, frame->len);
		else if (b.bridge == bridge && b.port == frame->port)
			stp_receive(net->bridges[a.bridge], a.port, frame->data, frame->len);
	}
}

static void net_settle(struct net *net)
{
	struct bpdu_frame frame;
	bool any;

	do {
		any = false;
		for (int i = 0; i < net->n_bridges; i++)
			while (stp_next_frame(net->bridges[i], &frame)) {
				net->frames++;
				deliver(net, i, &frame);
				any = true;
			}
	} while (any);
	for (int i = 0; i < net->n_bridges; i++)
		net->flushes[i] += stp_take_flush(net->bridges[i]);
}

static void net_run(struct net *net, int64_t ms)
{
	int64_t end = net->now_ms + ms;

	net_settle(net);
	for (; net->now_ms < end; net->now_ms += STEP_MS) {
		for (int i = 0; i < net->n_bridges; i++)
			stp_run(net->bridges[i], net->now_ms + STEP_MS);
		net_settle(net);
	}
}

static struct stp_port_status port(const struct net *net, int bridge, unsigned int number)
{
	struct stp_port_status status;

	stp_port_status(net->bridges[bridge], number, &status);
	return status;
}

static uint64_t root_of(const struct net *net, int bridge)
{
	struct stp_status status;

	stp_status(net->bridges[bridge], &status);
	return status.root_id;
}

static bool link_forwards(const struct net *net, int i)
{
	struct end a = net->links[i].a, b = net->links[i].b;

	return net->links[i].up && port(net, a.bridge, a.port).state == STP_FORWARDING &&
		port(net, b.bridge, b.port).state == STP_FORWARDING;
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

/* The links that forward make one tree over all bridges. */
static void assert_tree(const struct net *net)
{
	assert_int_equal(assert_no_loop(net), net->n_bridges - 1);
	for (int i = 1; i < net->n_bridges; i++)
		assert_true(root_of(net, i) == root_of(net, 0));
}

/* ------------------------------------------------------------------ tests */

static void test_alone(void **state)
{
	struct net net;
	struct stp_status status;

	(void)state;
	net_init(&net, 1);
	stp_port_enable(net.bridges[0], 0);
	assert_int_equal(port(&net, 0, 0).state, STP_LISTENING);
	assert_int_equal(port(&net, 0, 0).role, STP_ROLE_DESIGNATED);
	assert_int_equal(port(&net, 0, 1).role, STP_ROLE_DISABLED);
	/* The first hello is early. */
	net_run(&net, 450);
	assert_int_equal(net.frames, 0);
	net_run(&net, 100);
	assert_int_equal(net.frames, 1);
	net_run(&net, 14350);
	assert_int_equal(port(&net, 0, 0).state, STP_LISTENING);
	net_run(&net, 300);
	assert_int_equal(port(&net, 0, 0).state, STP_LEARNING);
	net_run(&net, 15100);
	assert_int_equal(port(&net, 0, 0).state, STP_FORWARDING);
	stp_status(net.bridges[0], &status);
	assert_true(status.root_id == status.bridge_id);
	assert_int_equal(status.root_port, -1);
	assert_int_equal(status.times.hello, 2000);
	/* A hello every two seconds. */
	net.frames = 0;
	net_run(&net, 20000);
	assert_in_range(net.frames, 9, 11);
	net_uninit(&net);
}

static void test_triangle(void **state)
{
	struct stp_status status;
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 1, 1, 2, 0);
	net_link(&net, 2, 1, 0, 1);
	for (int i = 0; i < 350; i++) {
		net_run(&net, 100);
		assert_no_loop(&net);
	}
	assert_tree(&net);
	/* The lowest address is the root, the one bridge with the highest address blocks. */
	assert_true(root_of(&net, 2) == UINT64_C(0x8000020000000001));
	assert_int_equal(port(&net, 1, 0).role, STP_ROLE_ROOT);
	assert_int_equal(port(&net, 1, 1).role, STP_ROLE_DESIGNATED);
	assert_int_equal(port(&net, 2, 0).role, STP_ROLE_ALTERNATE);
	assert_int_equal(port(&net, 2, 0).state, STP_BLOCKING);
	stp_status(net.bridges[2], &status);
	assert_int_equal(status.root_port, 1);
	assert_int_equal(status.root_path_cost, 2);
	/* At rest nothing is flushed. */
	net_run(&net, 60000);
	memset(net.flushes, 0, sizeof net.flushes);
	net_run(&net, 20000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(net.flushes[i], 0);
	net_uninit(&net);
}

static void test_port_down(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 1, 1, 2, 0);
	net_link(&net, 2, 1, 0, 1);
	stp_port_enable(net.bridges[2], 2);	/* Hosts are there. */
	net_run(&net, 100000);
	memset(net.flushes, 0, sizeof net.flushes);
	net_link_down(&net, 2);
	assert_int_equal(port(&net, 2, 1).state, STP_DISABLED);
	for (int i = 0; i < 320; i++) {
		net_run(&net, 100);
		assert_no_loop(&net);
	}
	assert_tree(&net);
	assert_int_equal(port(&net, 2, 0).role, STP_ROLE_ROOT);
	/* All have been told to forget. */
	for (int i = 0; i < 3; i++)
		assert_true(net.flushes[i] > 0);
	net_uninit(&net);
}

/* The root falls silent without a port going down: its information ages out. */
static void test_root_dies(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 4);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 0, 1, 2, 0);
	net_link(&net, 1, 1, 2, 1);
	net_link(&net, 1, 2, 3, 0);
	net_link(&net, 2, 2, 3, 1);
	net_run(&net, 60000);
	assert_tree(&net);
	net.links[0].up = net.links[1].up = false;
	net_run(&net, 90000);
	for (int i = 1; i < 4; i++)
		assert_true(root_of(&net, i) == UINT64_C(0x8000020000000002));
	assert_no_loop(&net);
	net_uninit(&net);
}

static void test_root_change(void **state)
{
	struct stp_settings s = settings(2);
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 1, 1, 2, 0);
	net_link(&net, 2, 1, 0, 1);
	net_run(&net, 60000);
	s.priority = 4096;
	s.hello_ms = 1000;
	s.max_age_ms = 6000;
	s.forward_delay_ms = 4000;
	stp_configure(net.bridges[2], &s);
	net_run(&net, 60000);
	assert_tree(&net);
	for (int i = 0; i < 3; i++) {
		struct stp_status status;

		assert_true(root_of(&net, i) == UINT64_C(0x1000020000000003));
		/* The root's times rule. */
		stp_status(net.bridges[i], &status);
		assert_int_equal(status.times.hello, 1000);
		assert_int_equal(status.times.max_age, 6000);
		assert_int_equal(status.times.forward_delay, 4000);
	}
	assert_int_equal(port(&net, 1, 0).role, STP_ROLE_ALTERNATE);
	net_uninit(&net);
}

static void test_cost_and_priority(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 2);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 0, 1, 1, 1);
	net_run(&net, 60000);
	assert_int_equal(port(&net, 1, 0).role, STP_ROLE_ROOT);
	assert_int_equal(port(&net, 1, 1).role, STP_ROLE_ALTERNATE);
	/* The upstream port's priority decides between two ways of one cost... */
	stp_port_configure(net.bridges[0], 1, 16, 2);
	net_run(&net, 60000);
	assert_int_equal(port(&net, 1, 1).role, STP_ROLE_ROOT);
	assert_int_equal(port(&net, 0, 1).id, 16 << 8 | 2);
	/* ... and cost goes before it. */
	stp_port_configure(net.bridges[1], 1, 128, 100);
	net_run(&net, 60000);
	assert_int_equal(port(&net, 1, 0).role, STP_ROLE_ROOT);
	assert_tree(&net);
	net_uninit(&net);
}

static void test_topology_change(void **state)
{
	struct net net;

	(void)state;
	net_init(&net, 3);
	net_link(&net, 0, 0, 1, 0);
	net_link(&net, 1, 1, 2, 0);
	net_run(&net, 120000);
	memset(net.flushes, 0, sizeof net.flushes);
	/* From the leaf by a notification to the root, and back with its configuration. */
	stp_topology_change(net.bridges[2]);
	net_run(&net, 5000);
	for (int i = 0; i < 3; i++)
		assert_true(net.flushes[i] > 0);
	net_uninit(&net);
}

static void test_times_are_clamped(void **state)
{
	struct stp_settings s = settings(0);
	struct stp_status status;
	struct stp *stp;

	(void)state;
	s.hello_ms = 1;
	s.max_age_ms = 1;
	s.forward_delay_ms = 1;
	stp = stp_create(&s, 0);
	stp_status(stp, &status);
	assert_int_equal(status.own_times.hello, 1000);
	assert_int_equal(status.own_times.max_age, 6000);
	assert_int_equal(status.own_times.forward_delay, 4000);
	s.hello_ms = s.max_age_ms = s.forward_delay_ms = 1000000;
	stp_configure(stp, &s);
	stp_status(stp, &status);
	assert_int_equal(status.own_times.hello, 10000);
	assert_int_equal(status.own_times.max_age, 40000);
	assert_int_equal(status.own_times.forward_delay, 30000);
	stp_destroy(stp);
}

static void test_malformed(void **state)
{
	struct bpdu bpdu = {.type = BPDU_CONFIG, .root_id = 1, .bridge_id = 1, .max_age = 5120,
		.message_age = 5120};
	struct bpdu_frame frame;
	struct stp_settings s = settings(0);
	struct stp *stp = stp_create(&s, 0);
	struct stp_port_status status;

	(void)state;
	stp_port_enable(stp, 3);
	bpdu_encode(&frame, &bpdu);
	stp_receive(stp, 3, frame.data, frame.len);	/* Too old. */
	bpdu.type = BPDU_RST;
	bpdu.message_age = 0;
	bpdu_encode(&frame, &bpdu);
	stp_receive(stp, 3, frame.data, frame.len);	/* Not of this protocol. */
	bpdu.type = BPDU_CONFIG;
	bpdu_encode(&frame, &bpdu);
	for (uint16_t len = 0; len < 17 + BPDU_CONFIG_LEN; len++)
		stp_receive(stp, 3, frame.data, len);
	frame.data[14] = 0xaa;
	stp_receive(stp, 3, frame.data, frame.len);	/* Another SAP. */
	stp_receive(stp, 4, frame.data, frame.len);	/* A disabled port does not care. */
	stp_port_status(stp, 3, &status);
	assert_int_equal(status.error_count, 17 + BPDU_CONFIG_LEN + 3);
	assert_int_equal(status.rx_count, 0);
	frame.data[14] = 0x42;
	stp_receive(stp, 3, frame.data, frame.len);
	stp_port_status(stp, 3, &status);
	assert_int_equal(status.rx_count, 1);
	assert_int_equal(status.role, STP_ROLE_ROOT);
	stp_destroy(stp);
}

static void test_bpdu_round_trip(void **state)
{
	static const enum bpdu_type types[] = {BPDU_CONFIG, BPDU_RST};
	struct bpdu_frame frame, again;
	struct bpdu in, out;

	(void)state;
	for (int i = 0; i < 2; i++) {
		in = (struct bpdu) {.type = types[i], .version = types[i] == BPDU_RST ? 2 : 0,
			.flags = 0xa5, .root_id = UINT64_C(0x8000010203040506),
			.root_path_cost = 0xdeadbeef, .bridge_id = UINT64_C(0x1234567890abcdef),
			.port_id = 0x8001, .message_age = 256, .max_age = 5120,
			.hello_time = 512, .forward_delay = 3840};
		bpdu_encode(&frame, &in);
		assert_int_equal(frame.len, types[i] == BPDU_RST ? 53 : 52);
		assert_int_equal(bpdu_decode(&out, frame.data, frame.len), 0);
		assert_int_equal(out.type, in.type);
		assert_int_equal(out.version, in.version);
		assert_true(out.root_id == in.root_id && out.bridge_id == in.bridge_id);
		assert_int_equal(out.forward_delay, in.forward_delay);
		bpdu_encode(&again, &out);
		assert_memory_equal(&frame, &again, sizeof frame);
	}
	in = (struct bpdu) {.type = BPDU_TCN};
	bpdu_encode(&frame, &in);
	assert_int_equal(bpdu_decode(&out, frame.data, frame.len), 0);
	assert_int_equal(out.type, BPDU_TCN);
	assert_int_equal(frame.len, 21);
	frame.data[13] = 60;	/* A length that the frame has not. */
	assert_int_equal(bpdu_decode(&out, frame.data, frame.len), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bpdu_round_trip),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_triangle),
		cmocka_unit_test(test_port_down),
		cmocka_unit_test(test_root_dies),
		cmocka_unit_test(test_root_change),
		cmocka_unit_test(test_cost_and_priority),
		cmocka_unit_test(test_topology_change),
		cmocka_unit_test(test_times_are_clamped),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
