/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "ofproto/wire/action.h"

struct action_case {
	enum ofp_version version;
	const char *hex;
	enum ofp_error error;
};

static enum ofp_error decode(enum ofp_version version, const char *hex, struct act_builder *b)
{
	struct cursor c;
	size_t len;
	uint8_t *bytes = bytes_from_hex(hex, &len);
	enum ofp_error error;

	act_builder_init(b);
	cursor_init(&c, bytes, len);
	error = acts_decode(&c, version, b);
	free(bytes);
	return error;
}

static void test_bad_actions(void **state)
{
	static const struct action_case cases[] = {
		/* Lengths. */
		{OFP13_VERSION, "00000010", OFPBRC_BAD_LEN},
		{OFP13_VERSION, "0000000800000001", OFPBAC_BAD_LEN},
		{OFP13_VERSION, "0000001800000001ffff000000000000", OFPBAC_BAD_LEN},
		{OFP13_VERSION, "0000001800000001ffff0000000000000000000000000000", OFPBAC_BAD_LEN},
		{OFP13_VERSION, "0000000000000001", OFPBAC_BAD_LEN},
		{OFP10_VERSION, "0000000c0001ffff", OFPBAC_BAD_LEN},
		{OFP10_VERSION, "ffff000800002320", OFPBAC_BAD_LEN},
		{OFP10_VERSION, "ffff001800002320 00110000 00000000 0000000000000000", OFPBAC_BAD_LEN},
		/* Unknown ones. */
		{OFP13_VERSION, "0063000800000000", OFPBAC_BAD_TYPE},
		{OFP13_VERSION, "000b000800000000", OFP_OK},		/* copy_ttl_out */
		{OFP10_VERSION, "000c000800000000", OFPBAC_BAD_TYPE},
		{OFP13_VERSION, "ffff001012345678 0001000000000000", OFPBAC_BAD_VENDOR},
		{OFP13_VERSION, "ffff001000002320 ff00000000000000", OFPBAC_BAD_VENDOR_TYPE},
		{OFP13_VERSION, "ffff001000002320 0012000000000000", OFPBAC_BAD_VENDOR_TYPE},
		{OFP15_VERSION, "ffff001800002320 0007001f 00010004 0000000000000005",
			OFPBAC_BAD_VENDOR_TYPE},	/* load is gone in 1.5 */
		/* Not built. */
		{OFP13_VERSION, "ffff001800002320 0023000000000000ff000000 00000000",
			NXBAC_CT_DATAPATH_SUPPORT},
		{OFP13_VERSION, "ffff001000002320 002e00000001894f", NXBAC_BAD_HEADER_TYPE},
		{OFP13_VERSION, "ffff001000002320 002400000000 0000", OFPBAC_BAD_VENDOR_TYPE},
		/* Ports. */
		{OFP13_VERSION, "00000010fffffeff0000000000000000", OFPBAC_BAD_OUT_PORT},
		{OFP13_VERSION, "00000010ffffffff0000000000000000", OFPBAC_BAD_OUT_PORT},
		{OFP13_VERSION, "00000010fffffffd0080000000000000", OFP_OK},
		{OFP10_VERSION, "00000008ff000000", OFPBAC_BAD_OUT_PORT},
		{OFP10_VERSION, "000b0010 fffd 000000000000 00000005", OFPBAC_BAD_OUT_PORT},
		/* Arguments. */
		{OFP10_VERSION, "0001000810000000", OFPBAC_BAD_ARGUMENT},
		{OFP10_VERSION, "0002000808000000", OFPBAC_BAD_ARGUMENT},
		{OFP10_VERSION, "0008000801000000", OFPBAC_BAD_ARGUMENT},
		{OFP13_VERSION, "0011000808000000", OFPBAC_BAD_ARGUMENT},
		{OFP13_VERSION, "0011000888a80000", OFP_OK},
		{OFP13_VERSION, "0013000808000000", OFPBAC_BAD_ARGUMENT},
		{OFP13_VERSION, "001a000888e70000", OFP_OK},
		{OFP13_VERSION, "001a000888e80000", OFPBAC_BAD_ARGUMENT},
		{OFP11_VERSION, "000d0008000fffff", OFP_OK},
		{OFP11_VERSION, "000d000800100000", OFPBAC_BAD_ARGUMENT},	/* MPLS label */
		{OFP11_VERSION, "000e000807000000", OFP_OK},
		{OFP11_VERSION, "000e000808000000", OFPBAC_BAD_ARGUMENT},	/* traffic class */
		{OFP10_VERSION, "ffff001000002320 0027 0001 0000000d", OFPBAC_BAD_ARGUMENT},
		{OFP10_VERSION, "ffff001000002320 0022 0203 00000001", OFP_OK},
		{OFP10_VERSION, "ffff001000002320 0022 0303 00000001", NXBAC_BAD_CONJUNCTION},
		{OFP10_VERSION, "ffff001000002320 0022 0001 00000001", NXBAC_BAD_CONJUNCTION},
		{OFP10_VERSION, "ffff001000002320 0022 0203 00000001 0000000800010000",
			NXBAC_BAD_CONJUNCTION},
		{OFP10_VERSION, "ffff001000002320 000e fff8 05000001", OFPBAC_BAD_ARGUMENT},
		/* set_field. */
		{OFP13_VERSION, "00190010 80001401 06 0000000000 0000", OFP_OK},	/* ip_proto, too */
		{OFP13_VERSION, "00190010 80000a020800000000000000", OFP_OK},	/* eth_type, on purpose */
		{OFP13_VERSION, "00190010 80000b040800ffff00000000", OFPBAC_BAD_SET_MASK},
		{OFP13_VERSION, "00190010 80000a030800000000000000", OFPBAC_BAD_SET_LEN},
		{OFP13_VERSION, "00190010 8000fe020800000000000000", OFPBAC_BAD_SET_TYPE},
		/* Headers of fields whose length is not the field's. */
		{OFP13_VERSION, "ffff0018 00002320 00060010 00000000 00010000 00010204", OFPBMC_BAD_FIELD},
		{OFP13_VERSION, "ffff0018 00002320 00060010 00000000 00010204 80000600", OFPBMC_BAD_FIELD},
		{OFP13_VERSION, "00190010 80000a020800000000000001", OFPBAC_BAD_SET_ARGUMENT},
		{OFP13_VERSION, "00190010 800000040000000500000000", OFPBAC_BAD_SET_ARGUMENT},
		{OFP13_VERSION, "00190010 80000c02000500000000 0000", OFPBAC_BAD_SET_ARGUMENT},
		{OFP13_VERSION, "00190010 80000c02100500000000 0000", OFP_OK},
		{OFP13_VERSION, "00190010 8000100140 00000000000000", OFPBAC_BAD_SET_ARGUMENT},
		{OFP13_VERSION, "00190010 0001d604 00000001 00000000", OFPBAC_BAD_SET_ARGUMENT},
		{OFP15_VERSION, "00190018 00010108 00000005 0000000f 0000000000000000", OFP_OK},
		/* load, move, push. */
		{OFP10_VERSION, "ffff001800002320 0007 001f 00010004 0000000000000005", OFP_OK},
		{OFP10_VERSION, "ffff001800002320 0007 0003 00010004 0000000000000010",
			OFPBAC_BAD_ARGUMENT},
		{OFP10_VERSION, "ffff001800002320 0007 07df 00010004 0000000000000000",
			OFPBAC_BAD_SET_LEN},
		{OFP10_VERSION, "ffff001800002320 0007 001f 0001fe04 0000000000000000",
			OFPBAC_BAD_SET_TYPE},
		{OFP10_VERSION, "ffff001800002320 0006 0000 0000 0000 00010004 00010204",
			OFPBAC_BAD_SET_LEN},
		{OFP10_VERSION, "ffff001800002320 0006 0020 0000 0000 00010004 00010204", OFP_OK},
		{OFP10_VERSION, "ffff001800002320 0006 0021 0000 0000 00010004 00010204",
			OFPBAC_BAD_SET_LEN},
		{OFP10_VERSION, "ffff001800002320 0006 0020 0000 0000 00010004 0001fe04",
			OFPBMC_BAD_FIELD},
		{OFP10_VERSION, "ffff001800002320 0006 0020 0000 0000 00010104 00010204",
			OFPBMC_BAD_FIELD},
		{OFP10_VERSION, "ffff001800002320 0006 0020 0000 0000 00010108 00010204",
			OFPBMC_BAD_MASK},
		/* learn. */
		{OFP10_VERSION, "ffff002000002320 0010 0000 0000 8000 0000000000000000 0000 ff 00"
				"0000 0000", OFPBAC_BAD_ARGUMENT},	/* table 255 */
		{OFP10_VERSION, "ffff002000002320 0010 0000 0000 8000 0000000000000000 0004 01 00"
				"0000 0000", OFPBAC_BAD_ARGUMENT},	/* a flag of learn2 */
		{OFP10_VERSION, "ffff002800002320 0010 0000 0000 8000 0000000000000000 0000 01 00"
				"0000 0000 0010 00010004 0000", OFPBAC_BAD_LEN},
		{OFP10_VERSION, "ffff002800002320 0010 0000 0000 8000 0000000000000000 0000 01 00"
				"0000 0000 1810 000100040000", OFPBAC_BAD_ARGUMENT},
		{OFP10_VERSION, "ffff002800002320 0010 0000 0000 8000 0000000000000000 0000 01 00"
				"0000 0000 0000 000000000001", OFPBAC_BAD_ARGUMENT},
		/* Order and place. */
		{OFP10_VERSION, "ffff002000002320 0016 000000000000 0000000000000001 ffffffffffffffff",
			OFPBIC_UNSUP_INST},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct act_builder b;
		enum ofp_error error = decode(cases[i].version, cases[i].hex, &b);

		assert_error(error, cases[i].error, cases[i].hex);
		if (error)
			assert_int_equal(b.buf.len, 0);
		act_builder_uninit(&b);
	}
}

/* What an action becomes in versions it did not come from. */
static void test_across_versions(void **state)
{
	static const struct {
		enum ofp_version in;
		const char *hex_in;
		enum ofp_version out;
		const char *hex_out;
	} cases[] = {
		{OFP10_VERSION, "0001000800070000", OFP13_VERSION,	/* mod_vlan_vid */
			"0011000881000000" "00190010 80000c02 1007 000000000000"},
		{OFP10_VERSION, "0003000800000000", OFP13_VERSION, "0012000800000000"},
		{OFP10_VERSION, "0004001002112233445500000000 0000", OFP13_VERSION,
			"00190010 80000806 021122334455 0000"},
		{OFP10_VERSION, "000b0010 0001 000000000000 00000005", OFP13_VERSION,
			"0015000800000005" "0000001000000001ffff000000000000"
			"ffff001000002320 0005000000000000"},
		{OFP10_VERSION, "ffff001000002320 0002 0000 00000005", OFP13_VERSION,
			"00190010 80004c08 0000000000000005"},
		{OFP10_VERSION, "ffff001800002320 0007 001f 00010004 0000000000000005", OFP13_VERSION,
			"ffff001800002320 0007 001f 00010004 0000000000000005"},
		{OFP10_VERSION, "ffff001800002320 0007 001f 00010004 0000000000000005", OFP15_VERSION,
			"00190010 00010004 00000005 00000000"},
		{OFP13_VERSION, "00190010 00010004 00000005 00000000", OFP10_VERSION,
			"ffff001800002320 0007 001f 00010004 0000000000000005"},
		{OFP13_VERSION, "00190010 80001604 0a000001 00000000", OFP10_VERSION,
			"000600080a000001"},
		{OFP13_VERSION, "0017000840000000", OFP10_VERSION,	/* set_nw_ttl */
			"ffff001800002320 0007 0007 00013a01 0000000000000040"},
		{OFP13_VERSION, "0016000800000009", OFP10_VERSION,
			"ffff001000002320 0028 0000 00000009"},
		{OFP10_VERSION, "ffff001800002320 0006 0020 0000 0000 00010004 00010204",
			OFP15_VERSION, "001c0018 0020 0000 0000 0000 00010004 00010204 00000000"},
		{OFP15_VERSION, "00190018 00010108 00000005 0000000f 0000000000000000",
			OFP13_VERSION, "ffff001800002320 0007 0003 00010004 0000000000000005"},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct act_builder b;

		assert_error(decode(cases[i].in, cases[i].hex_in, &b), OFP_OK, cases[i].hex_in);
		acts_encode((const struct act *)(const void *)b.buf.data, b.buf.len, cases[i].out,
			&out);
		assert_bytes(&out, cases[i].hex_out, cases[i].hex_in);
		act_builder_uninit(&b);
		sbuf_uninit(&out);
	}
}

/* clone in clone in clone ... */
static void test_depth(void **state)
{
	struct sbuf hex = SBUF_INITIALIZER;
	struct act_builder b;

	for (int depth = 0; depth < 2; depth++) {
		unsigned int n = depth ? 100 : 60;

		sbuf_clear(&hex);
		for (unsigned int i = n; i > 0; i--)
			sbuf_putf(&hex, "ffff%04x00002320002a000000000000", i * 16);
		assert_error(decode(OFP13_VERSION, sbuf_cstr(&hex), &b),
			depth ? OFPBAC_TOO_MANY : OFP_OK, "clones");
		act_builder_uninit(&b);
	}
	sbuf_uninit(&hex);
}

static void test_instructions(void **state)
{
	static const struct action_case cases[] = {
		{OFP13_VERSION, "", OFP_OK},
		{OFP13_VERSION, "0001000803000000", OFP_OK},
		{OFP13_VERSION, "0006000800000005 0004000800000000 0005000800000000 0001000803000000",
			OFP_OK},
		/* In any order. */
		{OFP13_VERSION, "0001000803000000 0006000800000005", OFP_OK},
		{OFP13_VERSION, "00010008030000", OFPBIC_BAD_LEN},
		{OFP13_VERSION, "0001001003000000", OFPBIC_BAD_LEN},
		{OFP13_VERSION, "00010010030000000000000000000000", OFPBIC_BAD_LEN},
		{OFP13_VERSION, "0001000003000000", OFPBIC_BAD_LEN},
		{OFP13_VERSION, "0007000800000000", OFPBIC_UNKNOWN_INST},
		{OFP15_VERSION, "0006000800000005", OFPBIC_UNKNOWN_INST},
		{OFP13_VERSION, "ffff000812345678", OFPBIC_BAD_EXPERIMENTER},
		{OFP13_VERSION, "0001000803000000 0001000804000000", OFPBIC_DUP_INST},
		/* An action set takes no controller action. */
		{OFP13_VERSION, "0003001800000000 ffff001000002320 0014 ffff 0000 01 00",
			OFPBAC_BAD_TYPE},
		{OFP13_VERSION, "0003001800000000 0000001000000001ffff000000000000", OFP_OK},
		{OFP13_VERSION, "0004001000000000 0000000800000001", OFPBAC_BAD_LEN},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct act_builder b;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);

		act_builder_init(&b);
		cursor_init(&c, bytes, len);
		assert_error(insts_decode(&c, cases[i].version, &b), cases[i].error, cases[i].hex);
		act_builder_uninit(&b);
		free(bytes);
	}
}

/* Out come instructions in the order they execute in, empty ones left out. */
static void test_instructions_order(void **state)
{
	const char *in = "0001000803000000 0002001800000000 0000000000000005 00000000000000ff"
		"0003001800000000 0000001000000002ffff000000000000"
		"0004001800000000 0000001000000001ffff000000000000 0006000800000005";
	const char *out_hex = "0006000800000005"
		"0004001800000000 0000001000000001ffff000000000000"
		"0003001800000000 0000001000000002ffff000000000000"
		"0002001800000000 0000000000000005 00000000000000ff 0001000803000000";
	struct sbuf out = SBUF_INITIALIZER;
	struct act_builder b;
	struct cursor c;
	size_t len;
	uint8_t *bytes = bytes_from_hex(in, &len);
	const struct act *acts;

	act_builder_init(&b);
	cursor_init(&c, bytes, len);
	assert_error(insts_decode(&c, OFP13_VERSION, &b), OFP_OK, in);
	acts = (const struct act *)(const void *)b.buf.data;
	insts_encode(acts, b.buf.len, OFP13_VERSION, &out);
	assert_bytes(&out, out_hex, "instructions");
	sbuf_clear(&out);

	/* OpenFlow 1.0 has Nicira's actions for metadata and goto. */
	flow_acts_encode(acts, b.buf.len, OFP10_VERSION, &out);
	assert_bytes(&out, "000000080001ffff"
		"ffff002000002320 0016 000000000000 0000000000000005 00000000000000ff"
		"ffff001000002320 000e fff8 03 000000", "in 1.0");
	act_builder_uninit(&b);
	sbuf_uninit(&out);
	free(bytes);
}

/* ------------------------------------------------------------------ checks */

static bool even(void *aux, uint32_t id)
{
	(void)aux;
	return id % 2 == 0;
}

static void test_check(void **state)
{
	static const struct {
		uint16_t dl_type;
		uint8_t nw_proto;
		bool vlan;
		uint8_t table_id;
		const char *insts;
		enum ofp_error error;
	} cases[] = {
		{0, 0, false, 0, "0004001000000000 0018000800000000", OFPBAC_MATCH_INCONSISTENT},
		{0x0800, 0, false, 0, "0004001000000000 0018000800000000", OFP_OK},
		/* set_field needs what it writes, in any version. */
		{0x0800, 0, false, 0, "0004001800000000 00190010 80001c02 0050 000000000000",
			OFPBAC_MATCH_INCONSISTENT},
		{0x0800, 6, false, 0, "0004001800000000 00190010 80001c02 0050 000000000000", OFP_OK},
		{0x0800, 17, false, 0, "0004001800000000 00190010 80001c02 0050 000000000000",
			OFPBAC_MATCH_INCONSISTENT},
		/* VLANs: popping needs a tag, push gives one. */
		{0, 0, false, 0, "0004001000000000 0012000800000000", OFPBAC_MATCH_INCONSISTENT},
		{0, 0, true, 0, "0004001000000000 0012000800000000", OFP_OK},
		{0, 0, false, 0, "0004001800000000 0011000881000000 0012000800000000", OFP_OK},
		{0, 0, false, 0, "0004001800000000 00190010 80000c02 1005 000000000000",
			OFPBAC_MATCH_INCONSISTENT},
		{0, 0, false, 0, "0004002000000000 0011000881000000"
				 "00190010 80000c02 1005 000000000000", OFP_OK},
		{0, 0, true, 0, "0004001800000000 0011000881000000 0011000881000000", OFPBAC_BAD_TAG},
		/* MPLS. */
		{0x0800, 0, false, 0, "0004001000000000 0010000800000000", OFPBAC_MATCH_INCONSISTENT},
		{0x0800, 0, false, 0, "0004001800000000 0013000888470000 0010000800000000", OFP_OK},
		{0x8847, 0, false, 0, "0004001800000000 0014000808000000 0018000800000000", OFP_OK},
		/* An action set is not asked for consistency, but for ports. */
		{0, 0, false, 0, "0003001000000000 0018000800000000", OFP_OK},
		/* goto. */
		{0, 0, false, 5, "0001000805000000", OFPBIC_BAD_TABLE_ID},
		{0, 0, false, 5, "0001000804000000", OFPBIC_BAD_TABLE_ID},
		{0, 0, false, 5, "0001000806000000", OFP_OK},
		{0, 0, false, 255, "0001000800000000", OFP_OK},
		/* Meters, groups. */
		{0, 0, false, 0, "0006000800000000", OFPMMFC_INVALID_METER},
		{0, 0, false, 0, "0006000800000003", OFPMMFC_INVALID_METER},
		{0, 0, false, 0, "0006000800000004", OFP_OK},
		{0, 0, false, 0, "0004001000000000 0016000800000003", OFPBAC_BAD_OUT_GROUP},
		{0, 0, false, 0, "0004001000000000 0016000800000004", OFP_OK},
		/* Inside clone too. */
		{0, 0, false, 0, "0004002000000000 ffff001800002320 002a000000000000 0018000800000000",
			OFPBAC_MATCH_INCONSISTENT},
		/* learn: ports need a protocol in the learned match. */
		{0, 0, false, 0, "0004003800000000 ffff003000002320 0010 0000 0000 8000"
				 "0000000000000000 0000 01 00 0000 0000"
				 "0010 00001202 0000 00001202 0000 0000", OFPBAC_MATCH_INCONSISTENT},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct act_builder b;
		struct match match;
		struct act_check check = {.match = &match, .table_id = cases[i].table_id,
			.n_tables = OFP_N_TABLES, .consistent = true, .group_exists = even,
			.meter_exists = even};
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].insts, &len);

		memset(&match, 0, sizeof match);
		if (cases[i].dl_type) {
			match.flow.dl_type = htobe16(cases[i].dl_type);
			match.mask.dl_type = BE16_MAX;
		}
		if (cases[i].nw_proto) {
			match.flow.nw_proto = cases[i].nw_proto;
			match.mask.nw_proto = UINT8_MAX;
		}
		if (cases[i].vlan)
			match.flow.vlans[0].tci = match.mask.vlans[0].tci = htobe16(VLAN_PRESENT);
		act_builder_init(&b);
		cursor_init(&c, bytes, len);
		assert_error(insts_decode(&c, OFP13_VERSION, &b), OFP_OK, cases[i].insts);
		assert_error(act_check((struct act *)(void *)b.buf.data, b.buf.len, &check),
			cases[i].error, cases[i].insts);
		/* OpenFlow 1.0 lets what doesn't fit pass. */
		check.consistent = false;
		if (cases[i].error == OFP_OK)
			assert_error(act_check((struct act *)(void *)b.buf.data, b.buf.len, &check),
				OFP_OK, cases[i].insts);
		act_builder_uninit(&b);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_actions),
		cmocka_unit_test(test_across_versions),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_instructions_order),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
