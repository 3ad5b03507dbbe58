/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "ofproto/wire/packet_in.h"
#include "ofproto/wire/packet_out.h"

static const uint8_t packet[60] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 6};

static void pipeline_match(struct match *match)
{
	struct flow flow;

	memset(&flow, 0, sizeof flow);
	flow.in_port = OFPP_LOCAL;
	flow.regs[3] = 7;
	flow.metadata = htobe64(9);
	flow.tunnel.tun_id = htobe64(77);
	flow.dl_type = htobe16(0x0806);	/* Of the packet: not told. */
	packet_in_match(&flow, match);
}

static void test_metadata(void **state)
{
	struct match match;

	pipeline_match(&match);
	assert_int_equal(match.mask.in_port, UINT32_MAX);
	assert_int_equal(match.flow.in_port, OFPP_LOCAL);
	assert_int_equal(match.mask.regs[3], UINT32_MAX);
	assert_int_equal(match.mask.regs[2], 0);
	assert_int_equal(match.mask.metadata, BE64_MAX);
	assert_int_equal(match.mask.tunnel.tun_id, BE64_MAX);
	assert_int_equal(match.mask.dl_type, 0);
}

static void check_packet_in(enum ofp_version version, enum packet_in_format format)
{
	bool standard = format == PACKET_IN_STANDARD;
	struct match match;
	struct packet_in pin = {.packet = packet, .packet_len = 40, .total_len = sizeof packet,
		.buffer_id = OFP_NO_BUFFER, .reason = OFPR_INVALID_TTL, .table_id = 3,
		.cookie = htobe64(0x55), .match = &match, .userdata = "abc", .userdata_len = 3};
	struct sbuf out = SBUF_INITIALIZER;
	struct packet_in_decoded d;
	struct msg msg;

	pipeline_match(&match);
	packet_in_encode(&pin, version, format, &out);
	msg = msg_from(&out);
	assert_int_equal(msg.type, OFPTYPE_PACKET_IN);
	assert_error(packet_in_decode(&msg, &d), OFP_OK, "packet-in");
	assert_int_equal(d.pin.packet_len, 40);
	assert_memory_equal(d.pin.packet, packet, 40);
	assert_int_equal(d.pin.total_len, sizeof packet);
	assert_int_equal(d.pin.buffer_id, OFP_NO_BUFFER);
	assert_int_equal(d.pin.reason, OFPR_INVALID_TTL);
	assert_int_equal(d.match.flow.in_port, OFPP_LOCAL);
	if (!standard || version >= OFP11_VERSION)
		assert_int_equal(d.pin.table_id, 3);
	if (!standard || version >= OFP13_VERSION)
		assert_int_equal(d.pin.cookie, htobe64(0x55));
	if (!standard || version >= OFP12_VERSION)
		assert_true(flow_equal(&d.match.flow, &match.flow));
	assert_int_equal(d.pin.userdata_len, format == PACKET_IN_NXT2 ? 3 : 0);
	packet_in_decoded_uninit(&d);
	sbuf_uninit(&out);
}

static void test_packet_in(void **state)
{
	for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++)
		for (int f = PACKET_IN_STANDARD; f <= PACKET_IN_NXT2; f++)
			check_packet_in((enum ofp_version)v, (enum packet_in_format)f);
}

static uint8_t reason_on_wire(uint8_t reason, enum ofp_version version)
{
	struct packet_in pin = {.packet = packet, .packet_len = 14, .total_len = 14,
		.buffer_id = OFP_NO_BUFFER, .reason = reason};
	struct sbuf out = SBUF_INITIALIZER;
	struct packet_in_decoded d;
	uint8_t wire;
	struct msg msg;

	packet_in_encode(&pin, version, PACKET_IN_STANDARD, &out);
	msg = msg_from(&out);
	assert_error(packet_in_decode(&msg, &d), OFP_OK, "packet-in");
	wire = d.pin.reason;
	packet_in_decoded_uninit(&d);
	sbuf_uninit(&out);
	return wire;
}

static void test_reasons(void **state)
{
	assert_int_equal(reason_on_wire(OFPR_GROUP, OFP13_VERSION), OFPR_ACTION);
	assert_int_equal(reason_on_wire(OFPR_GROUP, OFP14_VERSION), OFPR_GROUP);
	assert_int_equal(reason_on_wire(OFPR_EXPLICIT_MISS, OFP10_VERSION), OFPR_ACTION);
	assert_int_equal(reason_on_wire(OFPR_EXPLICIT_MISS, OFP13_VERSION), OFPR_NO_MATCH);
	assert_int_equal(reason_on_wire(OFPR_IMPLICIT_MISS, OFP10_VERSION), OFPR_NO_MATCH);
}

/* A jumbo frame fits no packet-in whole. */
static void test_big(void **state)
{
	static uint8_t big[70000];
	struct packet_in pin = {.packet = big, .packet_len = sizeof big, .total_len = sizeof big,
		.buffer_id = OFP_NO_BUFFER};
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;

	packet_in_encode(&pin, OFP13_VERSION, PACKET_IN_STANDARD, &out);
	msg = msg_from(&out);
	assert_int_equal(msg.len, OFP_MAX_MSG_LEN);
	sbuf_clear(&out);
	packet_in_encode(&pin, OFP13_VERSION, PACKET_IN_NXT2, &out);
	assert_int_equal(out.len, 0);
	sbuf_uninit(&out);
}

static void put_output(struct act_builder *b, ofp_port_t port)
{
	struct act_output *a = act_put(b, ACT_OUTPUT, sizeof *a);

	a->port = port;
}

/* The message a controller gives back to let a paused packet go on. */
static void test_resume(void **state)
{
	struct packet_in_continuation pc = {.bridge = "0123456789abcde", .stack = "xyz",
		.stack_len = 3, .mirrors = 5, .table_id = 4, .cookie = htobe64(3),
		.odp_port = OFPP_NONE};
	struct match match;
	struct packet_in pin = {.packet = packet, .packet_len = sizeof packet,
		.total_len = sizeof packet, .buffer_id = OFP_NO_BUFFER, .match = &match,
		.cookie = BE64_MAX, .continuation = &pc};
	struct sbuf out = SBUF_INITIALIZER;
	struct packet_in_decoded d;
	struct act_builder acts;
	struct act_u8 *gt;
	struct msg msg;

	act_builder_init(&acts);
	put_output(&acts, 5);
	gt = act_put(&acts, ACT_GOTO_TABLE, sizeof *gt);
	gt->value = 9;
	pc.acts = (const struct act *)(const void *)acts.buf.data;
	pc.acts_len = acts.buf.len;
	pipeline_match(&match);
	packet_in_encode(&pin, OFP10_VERSION, PACKET_IN_NXT2, &out);

	/* NXT_PACKET_IN2 becomes NXT_RESUME. */
	put_u16_at(&out, 14, 28);
	msg = msg_from(&out);
	assert_int_equal(msg.type, OFPTYPE_RESUME);
	assert_error(resume_decode(&msg, &d), OFP_OK, "resume");
	assert_non_null(d.pin.continuation);
	assert_memory_equal(d.continuation.bridge, pc.bridge, sizeof pc.bridge);
	assert_int_equal(d.continuation.stack_len, 3);
	assert_memory_equal(d.continuation.stack, "xyz", 3);
	assert_int_equal(d.continuation.mirrors, 5);
	assert_int_equal(d.continuation.table_id, 4);
	assert_int_equal(d.continuation.cookie, htobe64(3));
	assert_true(act_list_equal(d.continuation.acts, d.continuation.acts_len, pc.acts,
		pc.acts_len));
	packet_in_decoded_uninit(&d);
	act_builder_uninit(&acts);
	sbuf_uninit(&out);
}

static void test_bad_packet_in2(void **state)
{
	static const struct {
		const char *props;
		enum ofp_error error;
	} cases[] = {
		{"", OFPBRC_BAD_LEN},				/* no packet */
		{"0000000601020000", OFP_OK},
		{"00000006010200000001000800000001", OFPBRC_BAD_LEN},	/* full length below it */
		{"0000000601020000 0001000600000000", OFPBPC_BAD_LEN},
		{"0000000601020000 0063000400000000", OFPBPC_BAD_TYPE},
		{"0000000601020000 00080004 00000000", OFPBPC_BAD_LEN},	/* continuation, cut */
		{"0000000601020000 00080010 00000000 8000000400000000", OFPBPC_BAD_LEN},
		{"0000000601020000 00080010 00000000 9999000400000000", OFPBPC_BAD_TYPE},
		{"0000000601020000 00080018 00000000 80060010000000000009000800000000",
			OFPBIC_UNKNOWN_INST},
		{"0000000601020000 00060009 8000000405000000 0000000000000000", OFPBMC_BAD_LEN},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		size_t start = msg_begin(&out, OFP13_VERSION, OFPTYPE_RESUME, MSG_NXT, 0), len;
		uint8_t *bytes = bytes_from_hex(cases[i].props, &len);
		struct packet_in_decoded d;
		enum ofp_error error;
		struct msg msg;

		sbuf_put(&out, bytes, len);
		put_align8(&out, 0);
		msg_end(&out, start);
		msg = msg_from(&out);
		error = resume_decode(&msg, &d);
		assert_error(error, cases[i].error, cases[i].props);
		if (!error)
			packet_in_decoded_uninit(&d);
		free(bytes);
		sbuf_uninit(&out);
	}
}

/* ------------------------------------------------------------------ packet_out */

static void test_packet_out(void **state)
{
	for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++) {
		struct packet_out po = {.packet = packet, .packet_len = sizeof packet,
			.buffer_id = OFP_NO_BUFFER}, back;
		struct sbuf out = SBUF_INITIALIZER;
		struct msg msg;

		act_builder_init(&po.acts);
		put_output(&po.acts, 3);
		po.match.flow.in_port = OFPP_CONTROLLER;
		po.match.mask.in_port = UINT32_MAX;
		packet_out_encode(&po, (enum ofp_version)v, htobe32(1), &out);
		msg = msg_from(&out);
		assert_error(packet_out_decode(&msg, &back), OFP_OK, "packet_out");
		assert_int_equal(back.match.flow.in_port, OFPP_CONTROLLER);
		assert_int_equal(back.packet_len, sizeof packet);
		assert_memory_equal(back.packet, packet, sizeof packet);
		assert_int_equal(back.acts.buf.len, po.acts.buf.len);
		packet_out_uninit(&back);
		packet_out_uninit(&po);
		sbuf_uninit(&out);
	}
}

static void test_bad_packet_out(void **state)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
		{"040d001800000001 ffffffff 00000001 0000 000000000000", OFP_OK},
		{"040d001800000001 ffffffff fffffeff 0000 000000000000", OFPBAC_BAD_OUT_PORT},
		{"040d001800000001 ffffffff fffffffb 0000 000000000000", OFPBRC_BAD_PORT},
		{"040d001800000001 ffffffff ffffffff 0000 000000000000", OFP_OK},
		{"040d001800000001 ffffffff 00000001 0008 000000000000", OFPBRC_BAD_LEN},
		{"040d001800000001 ffffffff 00000001 0004 000000000000", OFPBRC_BAD_LEN},
		{"010d001000000001 ffffffff ff00 0000", OFPBRC_BAD_PORT},
		{"010d001800000001 ffffffff 0001 0008 0000000800020000", OFP_OK},
		/* 1.5: a match, with in_port and nothing of the packet. */
		{"060d001800000001 ffffffff 0000 0000 0001000400000000", OFPBRC_BAD_PORT},
		{"060d002000000001 ffffffff 0000 0000 0001000c8000000400000003 00000000", OFP_OK},
		{"060d002800000001 ffffffff 0000 0000 000100128000000400000003 80000a020800"
		 "000000000000", OFPBRC_PIPELINE_FIELDS_ONLY},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct packet_out po;
		struct msg msg;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);
		enum ofp_error error;

		assert_error(msg_decode(bytes, len, &msg), OFP_OK, cases[i].hex);
		error = packet_out_decode(&msg, &po);
		assert_error(error, cases[i].error, cases[i].hex);
		if (!error)
			packet_out_uninit(&po);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_packet_in),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_bad_packet_in2),
		cmocka_unit_test(test_packet_out),
		cmocka_unit_test(test_bad_packet_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
