/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "ofproto/wire/hello.h"
#include "ofproto/wire/msg_table.h"
#include "ofproto/wire/put.h"

struct header_case {
	const char *hex;
	enum ofp_error error;
	enum ofp_type type;
};

static void test_headers(void **state)
{
	static const struct header_case cases[] = {
		{"0100000800000001", OFP_OK, OFPTYPE_HELLO},
		{"6300000800000001", OFP_OK, OFPTYPE_HELLO},	/* of a version to come */
		{"0405000800000001", OFP_OK, OFPTYPE_FEATURES_REQUEST},
		{"0112000800000001", OFP_OK, OFPTYPE_BARRIER_REQUEST},
		{"0414000800000001", OFP_OK, OFPTYPE_BARRIER_REQUEST},
		{"0110000c0000000100000000", OFP_OK, OFPTYPE_DESC_REQUEST},
		{"04120010000000010000000000000000", OFP_OK, OFPTYPE_DESC_REQUEST},
		{"0104001400000001000023200000000c00000002", OFP_OK, OFPTYPE_SET_FLOW_FORMAT},
		{"0404001400000001000023200000000c00000002", OFPBRC_BAD_SUBTYPE, 0},
		{"0110001800000001ffff000000002320000000090000 0000", OFP_OK,
			OFPTYPE_GROUP_FEATURES_REQUEST},
		/* Lengths. */
		{"04050009000000010 0", OFPBRC_BAD_LEN, 0},
		{"0405000c0000000100000000", OFPBRC_BAD_LEN, 0},
		{"0405000800", OFPBRC_BAD_LEN, 0},
		{"0412000c0000000100000000", OFPBRC_BAD_LEN, 0},
		{"0404000c0000000100002320", OFPBRC_BAD_LEN, 0},
		{"040e003000000001" "0000000000000000" "0000000000000000" "0000000000000000"
		 "0000000000000000" "0000000000000000", OFP_OK, OFPTYPE_FLOW_MOD},
		{"040e002800000001" "0000000000000000" "0000000000000000" "0000000000000000"
		 "0000000000000000", OFPBRC_BAD_LEN, 0},
		/* Unknown ones. */
		{"0420000800000001", OFPBRC_BAD_TYPE, 0},
		{"0114000800000001", OFPBRC_BAD_LEN, 0},	/* queue config: 4 bytes */
		{"04120010000000010063000000000000", OFPBRC_BAD_STAT, 0},
		{"0404001000000001000023200000ffff", OFPBRC_BAD_SUBTYPE, 0},
		{"04040010000000011234567800000001", OFPBRC_BAD_VENDOR, 0},
		{"0705000800000001", OFPBRC_BAD_VERSION, 0},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct msg msg;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);
		enum ofp_error error = msg_decode(bytes, len, &msg);

		assert_error(error, cases[i].error, cases[i].hex);
		if (!error)
			assert_int_equal(msg.type, cases[i].type);
		free(bytes);
	}
}

/* Whatever can be begun is read back as the same type, in each version, once it is as long as it must be. */
static void test_all_types(void **state)
{
	for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++)
		for (int t = 0; t < OFP_N_TYPES; t++) {
			struct sbuf out = SBUF_INITIALIZER;
			size_t min_body;
			struct msg msg;

			if (!msg_exists((enum ofp_version)v, (enum ofp_type)t))
				continue;
			msg_put_empty(&out, (enum ofp_version)v, (enum ofp_type)t, htobe32(7));
			min_body = msg_row_from_type((enum ofp_version)v, (enum ofp_type)t,
				MSG_OFPT)->min_body;
			put_pad(&out, min_body);
			put_u16_at(&out, 2, (uint16_t)out.len);
			assert_error(msg_decode(out.data, out.len, &msg), OFP_OK,
				ofp_type_name((enum ofp_type)t));
			assert_int_equal(msg.type, t);
			assert_int_equal(msg.version, v);
			assert_int_equal(msg.xid, htobe32(7));
			assert_int_equal(cursor_left(&msg.body), min_body);
			sbuf_uninit(&out);
		}
}

static void check_hello(uint32_t versions, const char *hex)
{
	struct sbuf out = SBUF_INITIALIZER;
	uint32_t back;
	bool warn;
	struct msg msg;

	hello_encode(versions, htobe32(1), &out);
	assert_bytes(&out, hex, "hello");
	msg = msg_from(&out);
	hello_decode(&msg, &back, &warn);
	assert_int_equal(back, versions);
	assert_false(warn);
	sbuf_uninit(&out);
}

static void test_hello(void **state)
{
	struct msg msg;
	uint32_t versions;
	bool warn;
	size_t len;
	uint8_t *bytes;

	/* As ovs-ofctl encode-hello. */
	check_hello(0x02, "0100000800000001");
	check_hello(0x1e, "0400000800000001");
	check_hello(0x12, "0400001000000001" "0001000800000012");
	check_hello(0x7e, "0600000800000001");

	/* A bad element is skipped; the header counts. */
	bytes = bytes_from_hex("0400001000000001" "0001000600000000", &len);
	assert_error(msg_decode(bytes, len, &msg), OFP_OK, "hello");
	hello_decode(&msg, &versions, &warn);
	assert_int_equal(versions, 0x1e);
	assert_true(warn);
	free(bytes);

	assert_int_equal(hello_negotiate(0x12, 0x1e), OFP13_VERSION);
	assert_int_equal(hello_negotiate(0x12, 0x0c), 0);
}

static void check_error(enum ofp_error error, enum ofp_version version, const char *hex)
{
	uint8_t request[8] = {(uint8_t)version, 14, 0, 8, 0, 0, 0, 9};
	struct sbuf out = SBUF_INITIALIZER;
	struct error_msg e;
	struct msg msg;

	error_encode(error, request, sizeof request, &out);
	assert_bytes(&out, hex, ofp_error_name(error));
	msg = msg_from(&out);
	assert_error(error_decode(&msg, &e), OFP_OK, "error");
	assert_int_equal(e.payload_len, sizeof request);
	assert_memory_equal(e.payload, request, sizeof request);
	sbuf_uninit(&out);
}

static void test_errors(void **state)
{
	struct ofp_error_code code;

	check_error(OFPBRC_BAD_LEN, OFP10_VERSION, "0101001400000009" "00010006" "010e000800000009");
	check_error(OFPBRC_BAD_LEN, OFP13_VERSION, "0401001400000009" "00010006" "040e000800000009");
	check_error(OFPBMC_BAD_PREREQ, OFP13_VERSION,
		"0401001400000009" "00040009" "040e000800000009");
	/* Nicira's numbers where the version has none of its own. */
	check_error(OFPBMC_BAD_PREREQ, OFP10_VERSION,
		"0101001c00000009" "b0c20000" "0000232000010104" "010e000800000009");
	check_error(NXBRC_MUST_BE_ZERO, OFP13_VERSION,
		"0401001800000009" "ffff0004" "00002320" "040e000800000009");
	check_error(OFPBFC_MSG_FAILED, OFP13_VERSION,
		"0401001800000009" "ffff0909" "4f4e4600" "040e000800000009");
	/* What a version can't say becomes an error that it can. */
	assert_false(ofp_error_to_code(OFPBFC_MSG_FAILED, OFP10_VERSION, &code));

	assert_string_equal(ofp_error_name(OFPBMC_BAD_PREREQ), "OFPBMC_BAD_PREREQ");
}

/* What a version can say, it also understands; twins share their first name. */
static void test_error_codes(void **state)
{
	for (int e = 1; e < OFP_N_ERRORS; e++)
		for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++) {
			struct ofp_error_code code, again;
			enum ofp_error back;

			if (!ofp_error_to_code((enum ofp_error)e, (enum ofp_version)v, &code))
				continue;
			back = ofp_error_from_code(&code, (enum ofp_version)v);
			assert_true(ofp_error_to_code(back, (enum ofp_version)v, &again));
			assert_memory_equal(&code, &again, sizeof code);
		}
}

/* A reply beyond 64 KB is split between entries, all parts but the last say that more comes. */
static void test_multipart_split(void **state)
{
	struct msg req = request(OFP13_VERSION, OFPTYPE_FLOW_STATS_REQUEST, MSG_OFPST);
	struct sbuf out = SBUF_INITIALIZER;
	size_t ofs = 0, entries = 0, parts = 0;
	struct mp_reply mp;

	mp_begin(&mp, &out, &req);
	for (int i = 0; i < 1000; i++) {
		mp_entry_begin(&mp);
		put_u32(&out, (uint32_t)i);
		put_pad(&out, 196);
		mp_entry_end(&mp);
	}
	mp_end(&mp);

	while (ofs < out.len) {
		const uint8_t *p = (const uint8_t *)out.data + ofs;
		size_t len = msg_header_len(p);
		struct msg msg;

		assert_error(msg_decode(p, len, &msg), OFP_OK, "part");
		assert_int_equal(msg.type, OFPTYPE_FLOW_STATS_REPLY);
		assert_int_equal(msg.mp_flags & MSG_MP_MORE, ofs + len < out.len);
		while (cursor_left(&msg.body)) {
			assert_int_equal(cursor_u32(&msg.body), entries++);
			cursor_skip(&msg.body, 196);
		}
		ofs += len;
		parts++;
	}
	assert_int_equal(entries, 1000);
	assert_int_equal(parts, 4);
	sbuf_uninit(&out);
}

/* An entry that fits no message is left out, the others stay. */
static void test_multipart_oversize(void **state)
{
	struct msg req = request(OFP13_VERSION, OFPTYPE_FLOW_STATS_REQUEST, MSG_OFPST), msg;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;

	mp_begin(&mp, &out, &req);
	mp_entry_begin(&mp);
	put_pad(&out, 70000);
	mp_entry_end(&mp);
	mp_entry_begin(&mp);
	put_pad(&out, 8);
	mp_entry_end(&mp);
	mp_end(&mp);
	msg = msg_from(&out);
	assert_int_equal(cursor_left(&msg.body), 8);
	sbuf_uninit(&out);
}

static enum ofp_error assemble(struct mp_assembler *a, const char *hex, int64_t now,
	struct msg_whole *whole, bool *done)
{
	static uint8_t *kept;
	struct msg msg;
	size_t len;

	free(kept);
	kept = bytes_from_hex(hex, &len);
	assert_error(msg_decode(kept, len, &msg), OFP_OK, hex);
	return mp_assembler_put(a, &msg, now, whole, done);
}

static void test_assembler(void **state)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_assembler a;
	struct msg_whole whole;
	struct msg msg;
	bool done;

	mp_assembler_init(&a);
	/* Whole at once. */
	assert_error(assemble(&a, "04120010000000010003000000000000", 0, &whole, &done), OFP_OK, "1");
	assert_true(done);
	msg_whole_uninit(&whole);

	/* Table features in two parts. */
	assert_error(assemble(&a, "04120018000000 02000c000100000000" "0102030405060708", 0, &whole,
			     &done), OFP_OK, "2a");
	assert_false(done);
	assert_error(assemble(&a, "0412001800000002000c000000000000" "1112131415161718", 0, &whole,
			     &done), OFP_OK, "2b");
	assert_true(done);
	assert_int_equal(cursor_left(&whole.msg.body), 16);
	assert_int_equal(cursor_u64(&whole.msg.body), 0x0102030405060708);
	assert_int_equal(cursor_u64(&whole.msg.body), 0x1112131415161718);
	msg_whole_uninit(&whole);

	/* Two types under one xid. */
	assert_error(assemble(&a, "0412001000000003000c000100000000", 0, &whole, &done), OFP_OK, "3a");
	assert_error(assemble(&a, "04120010000000030003000000000000", 0, &whole, &done),
		OFPBRC_BAD_STAT, "3b");

	/* A last part without body. */
	assert_error(assemble(&a, "0412001800000006 0004000100000000" "ffffffff00000000", 0, &whole,
			     &done), OFP_OK, "6a");
	assert_false(done);
	assert_error(assemble(&a, "04120010000000060004000000000000", 0, &whole, &done), OFP_OK, "6b");
	assert_true(done);
	assert_int_equal(cursor_left(&whole.msg.body), 8);
	msg_whole_uninit(&whole);

	/* What has nothing to say in several parts: the first one is to blame. */
	assert_error(assemble(&a, "0412001800000007 0004000100000000" "ffffffff00000000", 0, &whole,
			     &done), OFP_OK, "7a");
	assert_error(assemble(&a, "0412001800000007 0004000000000000" "eeeeeeee00000000", 0, &whole,
			     &done), OFPBRC_BAD_STAT, "7b");
	assert_int_equal(whole.msg.len, 24);
	assert_int_equal(whole.msg.data[11], 1);
	msg_whole_uninit(&whole);

	/* The whole is looked at, and parts that are not empty. */
	assert_error(assemble(&a, "0412001800000009 0000000100000000" "0000000000000000", 0, &whole,
			     &done), OFPBRC_BAD_LEN, "9");
	msg_whole_uninit(&whole);
	assert_error(assemble(&a, "04120010000000080004000000000000", 0, &whole, &done),
		OFPBRC_BAD_LEN, "8");
	msg_whole_uninit(&whole);

	/* One that never ends. */
	assert_error(assemble(&a, "0412001000000004000c000100000000", 100, &whole, &done), OFP_OK, "4");
	assert_int_equal(mp_assembler_run(&a, 200, &out), 1100);
	assert_int_equal(out.len, 0);
	assert_int_equal(mp_assembler_run(&a, 1100, &out), INT64_MAX);
	msg = msg_from(&out);
	assert_int_equal(msg.type, OFPTYPE_ERROR);
	assert_int_equal(msg.xid, htobe32(4));

	assert_error(assemble(&a, "0412001000000005000c000100000000", 0, &whole, &done), OFP_OK, "5");
	mp_assembler_uninit(&a);
	sbuf_uninit(&out);
}

struct prop_case {
	const char *hex;
	enum ofp_error error;
	uint64_t type;
	size_t len;
};

static void test_props(void **state)
{
	static const struct prop_case cases[] = {
		{"00050004 00000000", OFP_OK, 5, 0},
		{"00050006 aabb0000", OFP_OK, 5, 2},
		{"ffff000c 0000232000000007 00000000", OFP_OK, PROP_EXP(OFP_VENDOR_NICIRA, 7), 0},
		{"ffff000c 0000000000000007 00000000", OFPBPC_BAD_EXPERIMENTER, 0, 0},
		{"ffff0008 00002320", OFPBPC_BAD_LEN, 0, 0},
		{"0005", OFPBPC_BAD_LEN, 0, 0},
		{"00050003 00000000", OFPBPC_BAD_LEN, 0, 0},
		{"00050009 00000000", OFPBPC_BAD_LEN, 0, 0},
		{"00050006 aabb", OFPBPC_BAD_LEN, 0, 0},	/* padding is missing */
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);
		struct cursor c;
		struct prop p;
		bool more;

		cursor_init(&c, bytes, len);
		assert_error(prop_next(&c, &p, &more), cases[i].error, cases[i].hex);
		assert_int_equal(more, !cases[i].error);
		if (more) {
			assert_int_equal(p.type, cases[i].type);
			assert_int_equal(cursor_left(&p.body), cases[i].len);
			assert_error(prop_next(&c, &p, &more), OFP_OK, "end");
			assert_false(more);
		}
		free(bytes);
	}
	assert_int_equal(prop_unknown(5), OFPBPC_BAD_TYPE);
	assert_int_equal(prop_unknown(PROP_EXP(OFP_VENDOR_NICIRA, 5)), OFPBPC_BAD_EXP_TYPE);
	assert_int_equal(prop_unknown(PROP_EXP(1, 5)), OFPBPC_BAD_EXPERIMENTER);
}

static void test_port_numbers(void **state)
{
	ofp_port_t port;

	assert_true(ofp_port_from_16(5, &port));
	assert_int_equal(port, 5);
	assert_true(ofp_port_from_16(0xfffe, &port));
	assert_int_equal(port, OFPP_LOCAL);
	assert_int_equal(ofp_port_to_16(OFPP_NONE), 0xffff);
	assert_int_equal(ofp_port_to_16(0xfeff), 0xfeff);
	assert_true(ofp_port_from_32(0xfeff, &port));
	assert_false(ofp_port_from_32(0xff00, &port));
	assert_false(ofp_port_from_32(0xfffffeff, &port));
	assert_true(ofp_port_from_32(0xfffffffe, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_codes),
		cmocka_unit_test(test_multipart_split),
		cmocka_unit_test(test_multipart_oversize),
		cmocka_unit_test(test_assembler),
		cmocka_unit_test(test_props),
		cmocka_unit_test(test_port_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
