/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What controllers see beyond answers: roles, what is sent unasked, probes, failure modes, long dumps.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/unixctl.h"
#include "ofproto/wire/bundle.h"
#include "ofproto/wire/flow_stats.h"
#include "ofproto/wire/hello.h"
#include "ofproto/wire/port.h"
#include "peer.h"

static void add_controller(bool service)
{
	char target[128];
	struct ofproto_controller controller = {
		.target = target,
		.max_backoff_ms = 1000,
		.probe_interval_ms = 5000,
		.async_msgs = true,
		.service = service,
	};

	snprintf(target, sizeof target, "punix:%s/ctl", peer_dir);
	ofproto_set_controllers(peer_bridge, &controller, 1);
}

static void put_role(struct peer *peer, enum ofp_role role, uint64_t generation)
{
	size_t handle =
		msg_begin(&peer_out, peer->version, OFPTYPE_ROLE_REQUEST, MSG_OFPT, peer_xid(peer));

	put_u32(&peer_out, role);
	put_pad(&peer_out, 4);
	put_u64(&peer_out, generation);
	msg_end(&peer_out, handle);
}

static void test_roles(void **state)
{
	struct peer a, b;
	struct msg msg;

	add_controller(false);
	peer_open(&a, "ctl", OFP14_VERSION);
	peer_open(&b, "ctl", OFP14_VERSION);
	put_role(&a, OFPCR_ROLE_PRIMARY, 5);
	peer_send(&a, &peer_out);
	peer_expect(&a, OFPTYPE_ROLE_REPLY, &msg);

	/* The second takes over: the first is told, and may no longer change anything. */
	put_role(&b, OFPCR_ROLE_PRIMARY, 6);
	peer_send(&b, &peer_out);
	peer_expect(&b, OFPTYPE_ROLE_REPLY, &msg);
	peer_expect(&a, OFPTYPE_ROLE_STATUS, &msg);
	peer_put_flow_mod(&a, &peer_out, OFPFC_ADD, 9, 0);
	peer_send(&a, &peer_out);
	peer_expect_error(&a, OFPBRC_IS_SECONDARY);
	peer_put_flow_mod(&b, &peer_out, OFPFC_ADD, 9, 0);
	peer_send(&b, &peer_out);
	peer_barrier(&b);

	put_role(&a, OFPCR_ROLE_PRIMARY, 4);
	peer_send(&a, &peer_out);
	peer_expect_error(&a, OFPRRFC_STALE);
	peer_close(&a);
	peer_close(&b);
}

static void test_flow_removed(void **state)
{
	struct flow_removed fr;
	struct peer peer, mgmt;
	struct msg msg;

	add_controller(false);
	peer_open(&peer, "ctl", OFP13_VERSION);
	peer_open(&mgmt, PEER_MGMT, OFP13_VERSION);
	peer_put_flow_mod(&peer, &peer_out, OFPFC_ADD, 7, OFPFF_SEND_FLOW_REM);
	peer_put_flow_mod(&peer, &peer_out, OFPFC_ADD, 8, 0);
	/* Replaces: no message. */
	peer_put_flow_mod(&peer, &peer_out, OFPFC_ADD, 7, OFPFF_SEND_FLOW_REM);
	peer_send(&peer, &peer_out);
	peer_barrier(&peer);
	peer_expect_silence(&peer);
	peer_put_flow_mod(&peer, &peer_out, OFPFC_DELETE, 0, 0);
	peer_send(&peer, &peer_out);
	peer_expect(&peer, OFPTYPE_FLOW_REMOVED, &msg);
	assert_int_equal(flow_removed_decode(&msg, &fr), OFP_OK);
	assert_int_equal(fr.priority, 7);
	assert_int_equal(fr.reason, OFPRR_DELETE);
	peer_expect_silence(&peer);
	/* Management sessions did not ask. */
	peer_expect_silence(&mgmt);
	peer_close(&peer);
	peer_close(&mgmt);
}

static void test_snoop(void **state)
{
	struct peer peer, snoop;
	struct msg msg;

	add_controller(false);
	peer_open(&peer, "ctl", OFP13_VERSION);
	peer_barrier(&peer);
	peer_connect(&snoop, "br0.snoop");
	peer_expect(&snoop, OFPTYPE_HELLO, &msg);
	peer_barrier(&peer);
	peer_expect(&snoop, OFPTYPE_BARRIER_REQUEST, &msg);
	peer_expect(&snoop, OFPTYPE_BARRIER_REPLY, &msg);
	peer_close(&peer);
	peer_expect_closed(&snoop);
	peer_close(&snoop);
}

static void test_probe(void **state)
{
	struct peer peer;
	struct msg msg;

	clock_test_set(1000000, 1000000);
	add_controller(false);
	peer_open(&peer, "ctl", OFP13_VERSION);
	peer_barrier(&peer);
	clock_test_advance(5001);
	bridge_run(20);
	peer_expect(&peer, OFPTYPE_ECHO_REQUEST, &msg);
	/* Answered: it goes on for another interval. */
	msg_put_echo_reply(&peer_out, &msg);
	peer_send(&peer, &peer_out);
	bridge_run(20);
	clock_test_advance(5001);
	bridge_run(20);
	peer_expect(&peer, OFPTYPE_ECHO_REQUEST, &msg);
	clock_test_advance(5001);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

/* With a controller configured the flow of a standalone switch is gone; without, it is back. */
static void test_fail_mode_flow(void **state)
{
	struct flow_format format = { .version = OFP13_VERSION };
	struct flow_stats_request fsr = {
		.aggregate = true,
		.table_id = OFP_TABLE_ALL,
		.out_port = OFPP_NONE,
		.out_group = OFP_GROUP_ANY,
	};
	struct aggregate_stats stats;
	struct peer peer;
	struct msg msg;

	for (int i = 0; i < 3; i++) {
		if (i == 1)
			add_controller(false);
		else if (i == 2)
			ofproto_set_controllers(peer_bridge, NULL, 0);
		peer_open(&peer, PEER_MGMT, OFP13_VERSION);
		flow_stats_request_encode(&fsr, &format, peer_xid(&peer), &peer_out);
		peer_send(&peer, &peer_out);
		peer_expect(&peer, OFPTYPE_AGGREGATE_REPLY, &msg);
		assert_int_equal(aggregate_stats_decode(&msg, &stats), OFP_OK);
		assert_int_equal(stats.n_flows, i == 1 ? 0 : 1);
		peer_close(&peer);
	}
}

/* The switch calls on a controller that is not there, serves as a plain switch after three probe
 * intervals, and gives control back once a controller came that makes use of it. */
static void test_fail_open(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ofproto_controller controller = { .max_backoff_ms = 1000, .probe_interval_ms = 5000,
		.async_msgs = true };
	const char *argv[] = { "bridge/dump-flows", "br0", NULL };
	char target[128], *reply, *error;
	struct peer peer = { .version = OFP13_VERSION };
	struct msg msg;
	int listener;

	ofproto_unixctl_init();
	clock_test_set(1000000, 1000000);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s/controller", peer_dir);
	snprintf(target, sizeof target, "unix:%s", addr.sun_path);
	controller.target = target;
	ofproto_set_controllers(peer_bridge, &controller, 1);
	bridge_run(20);
	clock_test_advance(14000);
	bridge_run(20);
	assert_int_equal(unixctl_call(2, argv, &reply, &error), 0);
	assert_string_equal(reply, "");
	free(reply);
	clock_test_advance(1000);
	bridge_run(20);
	assert_int_equal(unixctl_call(2, argv, &reply, &error), 0);
	assert_non_null(strstr(reply, "priority=15790320,actions=NORMAL"));
	free(reply);

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(listen(listener, 1), 0);
	for (int i = 0; i < 10 && (peer.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0;
		i++) {
		clock_test_advance(1000);
		bridge_run(10);
	}
	assert_true(peer.fd >= 0);
	peer_expect(&peer, OFPTYPE_HELLO, &msg);
	hello_encode(OFP_VERSION_BIT(OFP13_VERSION), 1, &peer_out);
	peer_send(&peer, &peer_out);
	bridge_run(20);
	clock_test_advance(2001);
	/* A packet-in from nowhere asks whether somebody is at home. */
	peer_expect(&peer, OFPTYPE_PACKET_IN, &msg);
	peer_barrier(&peer);
	assert_int_equal(unixctl_call(2, argv, &reply, &error), 0);
	assert_string_equal(reply, "");
	free(reply);
	peer_close(&peer);
	close(listener);
	unlink(addr.sun_path);
}

/* ------------------------------------------------------------------ long dumps */

/* A dump to a slow reader, while the flows go away under it; requests behind it wait their turn. */
static void test_dump_while_flows_go(void **state)
{
	struct flow_stats_request fsr = { .out_port = OFPP_NONE, .out_group = OFP_GROUP_ANY,
		.table_id = OFP_TABLE_ALL };
	struct flow_format format = { .version = OFP13_VERSION, .nxm = true };
	struct peer slow, other;
	struct msg msg;
	int n_parts = 0;

	peer_open(&slow, PEER_MGMT, OFP13_VERSION);
	peer_open(&other, PEER_MGMT, OFP13_VERSION);
	for (uint16_t i = 0; i < 40000; i++) {
		peer_put_flow_mod(&other, &peer_out, OFPFC_ADD, i, 0);
		if (i % 500 == 0)
			peer_send(&other, &peer_out);
	}
	peer_send(&other, &peer_out);
	peer_barrier(&other);
	flow_stats_request_encode(&fsr, &format, peer_xid(&slow), &peer_out);
	msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_BARRIER_REQUEST, 77);
	peer_send(&slow, &peer_out);
	bridge_run(50);
	peer_put_flow_mod(&other, &peer_out, OFPFC_DELETE, 0, 0);
	peer_send(&other, &peer_out);
	peer_barrier(&other);
	bridge_run(20);
	do {
		peer_expect(&slow, OFPTYPE_FLOW_STATS_REPLY, &msg);
		n_parts++;
	} while (msg.mp_flags & MSG_MP_MORE);
	assert_true(n_parts > 5);
	peer_expect(&slow, OFPTYPE_BARRIER_REPLY, &msg);
	assert_int_equal(msg.xid, 77);

	/* One that is gone before its dump is over. */
	for (uint16_t i = 0; i < 20000; i++)
		peer_put_flow_mod(&other, &peer_out, OFPFC_ADD, i, 0);
	peer_send(&other, &peer_out);
	peer_barrier(&other);
	flow_stats_request_encode(&fsr, &format, peer_xid(&slow), &peer_out);
	peer_send(&slow, &peer_out);
	bridge_run(5);
	peer_close(&slow);
	bridge_run(20);
	peer_barrier(&other);
	peer_close(&other);
}

/* ------------------------------------------------------------------ ports */

static void test_port_status(void **state)
{
	struct ofproto_port port = {
		.name = "p1",
		.dp_port = 7,
		.requested = OFPP_NONE,
		.kind = PL_PORT_DEVICE,
		.info = { .admin_up = true, .link_up = true, .mac = { { 2, 0, 0, 0, 0, 1 } } },
	};
	enum ofp_port_reason reason;
	struct port_desc desc;
	struct peer peer;
	struct msg msg;
	ofp_port_t number;

	add_controller(false);
	peer_open(&peer, "ctl", OFP13_VERSION);
	peer_barrier(&peer);
	assert_int_equal(ofproto_port_add(peer_bridge, &port, &number), 0);
	assert_int_equal(number, 1);
	ofproto_commit(peer_bridge);
	peer_expect(&peer, OFPTYPE_PORT_STATUS, &msg);
	assert_int_equal(port_status_decode(&msg, &desc, &reason), OFP_OK);
	assert_int_equal(reason, OFPPR_ADD);
	assert_string_equal(desc.name, "p1");
	assert_int_equal(desc.state, OFPPS_LIVE);

	port.info.link_up = false;
	ofproto_port_update(peer_bridge, number, &port.info);
	ofproto_commit(peer_bridge);
	peer_expect(&peer, OFPTYPE_PORT_STATUS, &msg);
	assert_int_equal(port_status_decode(&msg, &desc, &reason), OFP_OK);
	assert_int_equal(reason, OFPPR_MODIFY);
	assert_int_equal(desc.state, OFPPS_LINK_DOWN);

	ofproto_port_remove(peer_bridge, number);
	ofproto_commit(peer_bridge);
	peer_expect(&peer, OFPTYPE_PORT_STATUS, &msg);
	assert_int_equal(port_status_decode(&msg, &desc, &reason), OFP_OK);
	assert_int_equal(reason, OFPPR_DELETE);

	/* It gets its number back; another one the next that nobody had. */
	port.name = "p2";
	assert_int_equal(ofproto_port_add(peer_bridge, &port, &number), 0);
	assert_int_equal(number, 2);
	port.name = "p1";
	assert_int_equal(ofproto_port_add(peer_bridge, &port, &number), 0);
	assert_int_equal(number, 1);
	ofproto_commit(peer_bridge);
	peer_close(&peer);
}

/* ------------------------------------------------------------------ bundles */

static void test_bundle_expires(void **state)
{
	struct bundle_ctrl bc = {
		.bundle_id = 3, .type = OFPBCT_OPEN_REQUEST, .flags = OFPBF_ATOMIC};
	struct peer peer;
	struct msg msg;

	clock_test_set(1000000, 1000000);
	peer_open(&peer, PEER_MGMT, OFP14_VERSION);
	bundle_ctrl_encode(&bc, OFP14_VERSION, peer_xid(&peer), &peer_out);
	peer_send(&peer, &peer_out);
	peer_expect(&peer, OFPTYPE_BUNDLE_CONTROL, &msg);
	clock_test_advance(10001);
	bridge_run(20);
	peer_expect_error(&peer, OFPBFC_TIMEOUT);
	bc.type = OFPBCT_COMMIT_REQUEST;
	bundle_ctrl_encode(&bc, OFP14_VERSION, peer_xid(&peer), &peer_out);
	peer_send(&peer, &peer_out);
	peer_expect_error(&peer, OFPBFC_BAD_ID);
	peer_close(&peer);
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, bridge_setup, bridge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_roles),
		T(test_flow_removed),
		T(test_snoop),
		T(test_probe),
		T(test_fail_mode_flow),
		T(test_fail_open),
		T(test_dump_while_flows_go),
		T(test_port_status),
		T(test_bundle_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
