/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sessions as a peer meets them: negotiation, framing, bad input.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ofproto/wire/bundle.h"
#include "ofproto/text/flow_text.h"
#include "ofproto/wire/flow_stats.h"
#include "ofproto/wire/group_mod.h"
#include "ofproto/wire/hello.h"
#include "ofproto/wire/meter_mod.h"
#include "peer.h"

typedef VEC(size_t) VEC_OFS;

/* ------------------------------------------------------------------ negotiation and framing */

static void test_highest_common_version(void **state)
{
	struct peer peer;
	struct msg msg;

	peer_connect(&peer, PEER_MGMT);
	hello_encode(OFP_VERSION_BIT(OFP10_VERSION) | OFP_VERSION_BIT(OFP13_VERSION), 1, &peer_out);
	peer_send(&peer, &peer_out);
	peer_expect(&peer, OFPTYPE_HELLO, &msg);
	assert_int_equal(msg.version, OFP15_VERSION);
	peer.version = OFP13_VERSION;
	peer_barrier(&peer);
	peer_close(&peer);
}

static void test_no_common_version(void **state)
{
	struct peer peer;
	struct msg msg;

	ofproto_set_protocols(peer_bridge, OFP_VERSION_BIT(OFP13_VERSION));
	peer_connect(&peer, PEER_MGMT);
	hello_encode(OFP_VERSION_BIT(OFP10_VERSION), 1, &peer_out);
	peer_send(&peer, &peer_out);
	peer_expect(&peer, OFPTYPE_HELLO, &msg);
	peer_expect_error(&peer, OFPHFC_INCOMPATIBLE);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void test_hello_must_be_first(void **state)
{
	struct peer peer;
	struct msg msg;

	peer_connect(&peer, PEER_MGMT);
	msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_FEATURES_REQUEST, 1);
	peer_send(&peer, &peer_out);
	peer_expect(&peer, OFPTYPE_HELLO, &msg);
	peer_expect_error(&peer, OFPHFC_INCOMPATIBLE);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void test_byte_by_byte(void **state)
{
	struct sbuf one = SBUF_INITIALIZER, all = SBUF_INITIALIZER;
	struct peer peer;
	struct msg msg;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	msg_put_echo_request(&all, OFP13_VERSION, 77);
	put_u32(&all, 0);
	put_u16_at(&all, 2, 12);
	for (size_t i = 0; i < all.len; i++) {
		sbuf_put(&one, all.data + i, 1);
		peer_send(&peer, &one);
		event_run_once(peer_loop, 0);
	}
	peer_expect(&peer, OFPTYPE_ECHO_REPLY, &msg);
	assert_int_equal(msg.xid, 77);
	assert_int_equal(msg.len, 12);
	peer_close(&peer);
	sbuf_uninit(&one);
	sbuf_uninit(&all);
}

static void test_pipelined_requests_in_order(void **state)
{
	struct peer peer;
	struct msg msg;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	for (uint32_t i = 1; i <= 500; i++)
		msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_BARRIER_REQUEST, htobe32(i));
	peer_send(&peer, &peer_out);
	for (uint32_t i = 1; i <= 500; i++) {
		peer_expect(&peer, OFPTYPE_BARRIER_REPLY, &msg);
		assert_int_equal(msg.xid, htobe32(i));
	}
	peer_close(&peer);
}

static void test_requests_before_hang_up_are_done(void **state)
{
	struct peer peer, other;
	struct msg msg;
	struct flow_stats_request fsr = {
		.aggregate = true,
		.table_id = OFP_TABLE_ALL,
		.out_port = OFPP_NONE,
		.out_group = OFP_GROUP_ANY,
	};
	struct flow_format format = { .version = OFP13_VERSION };
	struct aggregate_stats stats;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	for (uint16_t i = 0; i < 300; i++)
		peer_put_flow_mod(&peer, &peer_out, OFPFC_ADD, (uint16_t)(i + 1), 0);
	peer_send(&peer, &peer_out);
	peer_close(&peer);
	bridge_run(50);
	peer_open(&other, PEER_MGMT, OFP13_VERSION);
	flow_stats_request_encode(&fsr, &format, peer_xid(&other), &peer_out);
	peer_send(&other, &peer_out);
	peer_expect(&other, OFPTYPE_AGGREGATE_REPLY, &msg);
	assert_int_equal(aggregate_stats_decode(&msg, &stats), OFP_OK);
	assert_int_equal(stats.n_flows, 301);	/* And that of a standalone switch. */
	peer_close(&other);
}

/* ------------------------------------------------------------------ bad input */

static void test_too_short_length_ends_session(void **state)
{
	static const uint8_t bad[] = { 4, 2, 0, 7, 0, 0, 0, 1 };
	struct peer peer;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	sbuf_put(&peer_out, bad, sizeof bad);
	peer_send(&peer, &peer_out);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void test_unknown_type(void **state)
{
	static const uint8_t bad[] = { 4, 99, 0, 8, 0, 0, 0, 1 };
	struct peer peer;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	sbuf_put(&peer_out, bad, sizeof bad);
	peer_send(&peer, &peer_out);
	peer_expect_error(&peer, OFPBRC_BAD_TYPE);
	peer_barrier(&peer);
	peer_close(&peer);
}

static void test_other_version_ends_session(void **state)
{
	struct peer peer;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	msg_put_empty(&peer_out, OFP14_VERSION, OFPTYPE_BARRIER_REQUEST, 5);
	peer_send(&peer, &peer_out);
	peer_expect_error(&peer, OFPBRC_BAD_VERSION);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

/* What only a switch sends is refused, not obeyed. */
static void test_replies_are_no_requests(void **state)
{
	struct peer peer;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_BARRIER_REPLY, 5);
	peer_send(&peer, &peer_out);
	peer_expect_error(&peer, OFPBRC_BAD_TYPE);
	peer_close(&peer);
}

/* Random bodies behind every type: errors or answers, and the session goes on. */
static void test_noise(void **state)
{
	uint32_t seed = 1;
	struct peer peer;
	struct msg msg;

	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	for (unsigned int type = 4; type < 30; type++) {
		for (int round = 0; round < 8; round++) {
			uint8_t bytes[128] = { 4, (uint8_t)type, 0, 0, 0, 0, 0, 9 };
			size_t len = 8 + (seed >> 8) % 120;

			for (size_t i = 8; i < len; i++) {
				seed = seed * 1103515245 + 12345;
				bytes[i] = seed >> 30 ? 0 : (uint8_t)(seed >> 16);
			}
			bytes[3] = (uint8_t)len;
			sbuf_put(&peer_out, bytes, len);
		}
	}
	peer_send(&peer, &peer_out);
	msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_BARRIER_REQUEST, 0x12345678);
	peer_send(&peer, &peer_out);
	do
		assert_true(peer_recv(&peer, &msg));
	while (msg.type != OFPTYPE_BARRIER_REPLY || msg.xid != 0x12345678);
	peer_close(&peer);
}

/* Requests of every kind, as good as they come. */
static void put_good_requests(struct sbuf *good, VEC_OFS *starts)
{
	static const char *const flows[] = {
		"table=3,priority=5,tcp,nw_src=10.0.0.0/"
		"8,tp_dst=80,actions=mod_vlan_vid:5,resubmit(,4),2",
		"ipv6,ipv6_dst=2001:db8::/"
		"32,actions=load:5->NXM_NX_REG0[0..7],move:NXM_NX_REG0[]->NXM_NX_REG1[],"
		"clone(output:1,dec_ttl),controller(userdata=01.02,max_len=7)",
		"reg3=5/"
		"0xf,actions=learn(table=1,hard_timeout=3,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:1-"
		">NXM_NX_REG0[],"
		"output:NXM_OF_IN_PORT[]),multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),note:01."
		"02",
		"dl_vlan=7,actions=strip_vlan,bundle(eth_src,50,hrw,ofport,members:1,2),write_"
		"metadata:5/7,goto_table:9",
		"priority=9,conj_id=4,actions=check_pkt_larger(100)->NXM_NX_REG0[0],sample("
		"probability=1,collector_set_id=2)",
		"actions=conjunction(4,1/2),conjunction(5,2/2)",
	};
	struct flow_format format = { .version = OFP13_VERSION };
	struct flow_stats_request fsr = { .out_port = OFPP_NONE, .out_group = OFP_GROUP_ANY,
		.table_id = OFP_TABLE_ALL };
	struct bundle_ctrl bc = { .bundle_id = 1, .type = OFPBCT_OPEN_REQUEST };
	struct group_bucket *bucket;
	struct act_output *output;
	struct group_mod gm;
	struct flow_mod fm;
	struct meter_mod mm = {.command = OFPMC_ADD, .meter = {.meter_id = 1, .flags = OFPMF_KBPS}};
	char *error = NULL;

	for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
		assert_int_equal(flow_text_parse(flows[i], NULL, &fm, &error), 0);
		vec_push(starts, good->len);
		flow_mod_encode(&fm, &format, 1, good);
		flow_mod_uninit(&fm);
	}
	group_mod_init(&gm);
	gm.group_id = 5;
	bucket = vec_push_zero(&gm.buckets);
	group_bucket_init(bucket);
	output = act_put(&bucket->acts, ACT_OUTPUT, sizeof *output);
	output->port = 3;
	vec_push(starts, good->len);
	group_mod_encode(&gm, OFP13_VERSION, 1, good);
	group_mod_uninit(&gm);
	vec_push(&mm.meter.bands, (struct meter_band) { .type = OFPMBT_DROP, .rate = 5 });
	vec_push(starts, good->len);
	meter_mod_encode(&mm, OFP13_VERSION, 1, good);
	meter_mod_uninit(&mm);
	vec_push(starts, good->len);
	flow_stats_request_encode(&fsr, &format, 1, good);
	vec_push(starts, good->len);
	bundle_ctrl_encode(&bc, OFP13_VERSION, 1, good);
	for (int i = OFPTYPE_DESC_REQUEST; i <= OFPTYPE_FLOW_MONITOR_REQUEST; i++) {
		struct msg m = {.version = OFP13_VERSION, .type = (enum ofp_type)i, .family = MSG_OFPST};

		vec_push(starts, good->len);
		if (msg_is_multipart_request(&m))
			msg_put_empty(good, OFP13_VERSION, (enum ofp_type)i, 1);
		else
			starts->n--;
	}
}

/* Good requests with a few bytes changed: whatever they say now, the session and the tables live
 * on. */
static void test_mutations(void **state)
{
	struct sbuf good = SBUF_INITIALIZER;
	VEC_OFS starts = VEC_INITIALIZER;
	const char *rounds = getenv("SLUICE_FUZZ_ROUNDS");
	uint32_t seed = 12345;
	struct peer peer;
	struct msg msg;

	put_good_requests(&good, &starts);
	peer_open(&peer, PEER_MGMT, OFP13_VERSION);
	for (int i = 0; i < (rounds ? atoi(rounds) : 3000); i++) {
		const char *request = good.data + starts.items[(seed >> 8) % starts.n];
		size_t len = msg_header_len(request);

		sbuf_put(&peer_out, request, len);
		for (int n = (int)(seed >> 20) % 4; n >= 0; n--) {
			seed = seed * 1103515245 + 12345;
			/* Version and length stay: framing has tests of its own. */
			if (len > 8)
				peer_out.data[peer_out.len - len + 8 + (seed >> 4) % (len - 8)] =
					(seed >> 28) & 1 ? (char)(seed >> 16) : (char)(seed >> 30);
		}
		seed = seed * 1103515245 + 12345;
		if (i % 16 == 0) {
			msg_put_empty(&peer_out, OFP13_VERSION, OFPTYPE_BARRIER_REQUEST,
				htobe32(0x80000000u + (uint32_t)i));
			peer_send(&peer, &peer_out);
			do
				assert_true(peer_recv(&peer, &msg));
			while (msg.type != OFPTYPE_BARRIER_REPLY ||
				msg.xid != htobe32(0x80000000u + (uint32_t)i));
		}
	}
	sbuf_clear(&peer_out);
	sbuf_uninit(&good);
	vec_uninit(&starts);
	peer_close(&peer);
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, bridge_setup, bridge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_highest_common_version),
		T(test_no_common_version),
		T(test_hello_must_be_first),
		T(test_byte_by_byte),
		T(test_pipelined_requests_in_order),
		T(test_requests_before_hang_up_are_done),
		T(test_too_short_length_ends_session),
		T(test_unknown_type),
		T(test_other_version_ends_session),
		T(test_replies_are_no_requests),
		T(test_noise),
		T(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
