/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "lib/bitmap.h"
#include "ofproto/wire/group_mod.h"
#include "ofproto/wire/meter_mod.h"

struct mod_case {
	const char *hex;
	enum ofp_error error;
};

static void decode(const char *hex, struct msg *msg, uint8_t **bytes)
{
	size_t len;

	*bytes = bytes_from_hex(hex, &len);
	assert_error(msg_decode(*bytes, len, msg), OFP_OK, hex);
}

/* As ovs-ofctl sends them; they come back to the byte. */
static void test_group_bytes(void **state)
{
	static const char *const mods[] = {
		/* select, two buckets, 1.3 */
		"040f0050000000020000010000000001"
		"00200003ffffffffffffffff0000000000000010000000010000000000000000"
		"00200002ffffffffffffffff0000000000000010000000020000000000000000",
		/* all, empty */
		"040f0010000000020000000000000050",
		/* fast failover with a port and a group watched */
		"040f0050000000020000030000000004"
		"0020000000000001ffffffff0000000000000010000000010000000000000000"
		"00200000ffffffff000000090000000000000010000000020000000000000000",
		/* 1.5 with ids, weights and a selection method with a field */
		"060f00a000000006000001000000004d00480000ffffffff0020001000000000"
		"0000001000000001000000000000000000000008000300000028001000000001"
		"0000001000000002000000000000000000000008000200000001000800000003"
		"ffff00400000154d000000010000000068617368000000000000000000000000"
		"000000000000000580000606ffffffffffff80001804ffffffff80001c02ffff",
		/* delete all, remove a bucket */
		"060f00180000000200020000fffffffc00000000ffffffff",
		"060f001800000002000501000000000500000000fffffffd",
	};

	for (size_t i = 0; i < N_ITEMS(mods); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct group_mod gm;
		uint8_t *bytes;
		struct msg msg;

		decode(mods[i], &msg, &bytes);
		assert_error(group_mod_decode(&msg, &gm), OFP_OK, mods[i]);
		group_mod_encode(&gm, msg.version, msg.xid, &out);
		assert_bytes(&out, mods[i], "group_mod");
		group_mod_uninit(&gm);
		sbuf_uninit(&out);
		free(bytes);
	}
}

#define BUCKET "00200000ffffffffffffffff0000000000000010000000010000000000000000"

static void test_bad_groups(void **state)
{
	static const struct mod_case cases[] = {
		{"040f003000000002 0000 00 00 00000001" BUCKET, OFP_OK},
		{"040f003000000002 0000 04 00 00000001" BUCKET, OFPGMFC_BAD_TYPE},
		{"040f003000000002 0009 00 00 00000001" BUCKET, OFPGMFC_BAD_COMMAND},
		{"040f003000000002 0002 00 00 00000001" BUCKET, OFPGMFC_INVALID_GROUP},
		{"030f003000000002 0002 00 00 00000001" BUCKET, OFP_OK},
		{"040f001000000002 0000 02 00 00000001", OFPGMFC_INVALID_GROUP},
		{"040f005000000002 0000 02 00 00000001" BUCKET BUCKET, OFPGMFC_INVALID_GROUP},
		{"040f003000000002 0000 02 00 00000001" BUCKET, OFP_OK},
		/* A weight outside select, watching outside fast failover. */
		{"040f003000000002 0000 00 00 00000001"
		 "00200005ffffffffffffffff0000000000000010000000010000000000000000",
			OFPGMFC_INVALID_GROUP},
		{"040f003000000002 0000 00 00 00000001"
		 "0020000000000001ffffffff0000000000000010000000010000000000000000",
			OFPGMFC_WATCH_UNSUPPORTED},
		{"040f003000000002 0000 03 00 00000001" BUCKET, OFPGMFC_INVALID_GROUP},
		{"040f003000000002 0000 03 00 00000001"
		 "00200000fffffeffffffffff0000000000000010000000010000000000000000",
			OFPGMFC_BAD_WATCH},
		/* Lengths. */
		{"040f003000000002 0000 00 00 00000001"
		 "00280000ffffffffffffffff0000000000000010000000010000000000000000",
			OFPGMFC_BAD_BUCKET},
		{"040f003000000002 0000 00 00 00000001"
		 "00080000ffffffffffffffff0000000000000010000000010000000000000000",
			OFPGMFC_BAD_BUCKET},
		{"040f003000000002 0000 00 00 00000001"
		 "00200000ffffffffffffffff0000000000000018000000010000000000000000",
			OFPBAC_BAD_LEN},
		{"040f001800000002 0000 00 00 00000001 0018000000000000", OFPGMFC_BAD_BUCKET},
		{"040f003000000002 0000 00 00 00000001"
		 "00200000ffffffffffffffff00000000000000100000ff000000000000000000",
			OFPBAC_BAD_OUT_PORT},
		/* 1.5: bucket ids. */
		{"060f002000000002 0000 01 00 00000001 0008 0000 00000000 0008000000000001",
			OFPGMFC_BAD_BUCKET},
		{"060f002000000002 0003 01 00 00000001 0008 0000 00000000 0008000000000001", OFP_OK},
		{"060f002000000002 0005 01 00 00000001 0008 0000 ffffffff 0008000000000001",
			OFPGMFC_BAD_BUCKET},
		{"060f002800000002 0000 01 00 00000001 0010 0000 ffffffff"
		 "00080000000000010008000000000001", OFPGMFC_BAD_BUCKET},
		{"060f002000000002 0000 01 00 00000001 0008 0000 ffffffff 00080000ffffff01",
			OFPGMFC_BAD_BUCKET},
		{"060f001800000002 0000 01 00 00000001 0008 0000 ffffffff", OFPBRC_BAD_LEN},
		{"060f002800000002 0000 01 00 00000001 0010 0000 ffffffff"
		 "00100000000000010063000400000000", OFPBPC_BAD_TYPE},
		/* Selection methods. */
		{"060f004000000002 0000 00 00 00000001 0000 0000 ffffffff"
		 "ffff00280000154d0000000100000000 68617368000000000000000000000000"
		 "0000000000000005", OFPBPC_BAD_VALUE},
		{"060f004000000002 0000 01 00 00000001 0000 0000 ffffffff"
		 "ffff00280000154d0000000100000000 6e6f7065000000000000000000000000"
		 "0000000000000005", OFPBPC_BAD_VALUE},
		{"060f004000000002 0000 01 00 00000001 0000 0000 ffffffff"
		 "ffff00280000154d0000000100000000 68617368686173686861736868617368"
		 "0000000000000005", OFPBPC_BAD_VALUE},
		{"060f004000000002 0000 01 00 00000001 0000 0000 ffffffff"
		 "ffff0028000015400000000100000000 64705f68617368000000000000000000"
		 "0000000000000005", OFP_OK},
		{"060f002800000002 0000 01 00 00000001 0000 0000 ffffffff"
		 "ffff00100000154d0000000100000000", OFPBPC_BAD_LEN},
		{"060f002800000002 0000 01 00 00000001 0000 0000 ffffffff"
		 "ffff001000009999 0000000100000000", OFPBPC_BAD_EXPERIMENTER},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct group_mod gm;
		uint8_t *bytes;
		struct msg msg;
		enum ofp_error error;

		decode(cases[i].hex, &msg, &bytes);
		error = group_mod_decode(&msg, &gm);
		assert_error(error, cases[i].error, cases[i].hex);
		if (!error)
			group_mod_uninit(&gm);
		free(bytes);
	}
}

static void test_selection(void **state)
{
	struct group_mod gm;
	uint8_t *bytes;
	struct msg msg;

	decode("060f004800000002 0000 01 00 00000001 0000 0000 ffffffff"
	       "ffff00300000154d0000000100000000 68617368000000000000000000000000"
	       "0000000000000007 80001804ffffff00", &msg, &bytes);
	assert_error(group_mod_decode(&msg, &gm), OFP_OK, "selection");
	assert_string_equal(gm.props.selection_method, "hash");
	assert_int_equal(gm.props.selection_param, 7);
	assert_true(bitmap_is_set(gm.props.fields, FIELD_IPV4_DST));
	assert_int_equal(gm.props.fields_mask.nw_dst, htobe32(0xffffff00));
	group_mod_uninit(&gm);
	free(bytes);
}

static void test_clone(void **state)
{
	struct group_bucket a, b;
	struct act_output *out;

	group_bucket_init(&a);
	out = act_put(&a.acts, ACT_OUTPUT, sizeof *out);
	out->port = 4;
	a.weight = 3;
	group_bucket_clone(&b, &a);
	group_bucket_uninit(&a);
	assert_int_equal(b.weight, 3);
	assert_int_equal(((struct act_output *)(void *)b.acts.buf.data)->port, 4);
	group_bucket_uninit(&b);
}

/* ------------------------------------------------------------------ meters */

static void test_meters(void **state)
{
	static const struct mod_case cases[] = {
		{"041d002000000002 0000 0005 00000005 0001001000000064 0000000a00000000", OFP_OK},
		{"041d001000000002 0002 0000 00000005", OFP_OK},
		{"041d001000000002 0003 0000 00000005", OFPMMFC_BAD_COMMAND},
		{"041d001000000002 0000 0003 00000005", OFPMMFC_BAD_FLAGS},
		{"041d002000000002 0000 0001 00000005 0003001000000064 0000000a00000000",
			OFPMMFC_BAD_BAND},
		{"041d002000000002 0000 0001 00000005 0001001800000064 0000000a00000000",
			OFPBRC_BAD_LEN},
		{"041d001800000002 0000 0001 00000005 0001000800000064", OFPBRC_BAD_LEN},
		{"041d003000000002 0001 0002 00000006 0001001000000064 0000000000000000"
		 "0002001000000032 0000000001000000", OFP_OK},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct meter_mod mm;
		uint8_t *bytes;
		struct msg msg;
		enum ofp_error error;

		decode(cases[i].hex, &msg, &bytes);
		error = meter_mod_decode(&msg, &mm);
		assert_error(error, cases[i].error, cases[i].hex);
		if (!error) {
			meter_mod_encode(&mm, msg.version, msg.xid, &out);
			assert_bytes(&out, cases[i].hex, "meter_mod");
			meter_mod_uninit(&mm);
		}
		sbuf_uninit(&out);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_bytes),
		cmocka_unit_test(test_bad_groups),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_meters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
