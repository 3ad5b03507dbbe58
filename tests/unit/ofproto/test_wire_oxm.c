/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "lib/bitmap.h"
#include "ofproto/wire/oxm.h"

/* ------------------------------------------------------------------ round trips */

/* TLVs that decode and come back the same, in Open vSwitch's order. */
static void test_nxm_bytes(void **state)
{
	static const char *const matches[] = {
		"",
		"00000002fffe",						/* in_port=LOCAL */
		"00000406001122334455",					/* eth_src */
		"0000030c 010000000000 010000000000",			/* multicast bit of eth_dst */
		"000006020800 00001004c0a80001 00000c0106 000014020050",
		"000006020800 00000f08c0a80000ffff0000",
		"000006020806 00001e020001 000022040a000001",
		"000008020000",						/* no tag */
		"0000090410051fff",
		"0000060286dd 00000c013a 00012a0187 00012c0100"
		" 00012e1020010db8000000000000000000000001",
		"0001200800000000 00000005 000103080000000100000003",
		"800004080000000000000005",
	};

	for (size_t i = 0; i < N_ITEMS(matches); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct match match;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(matches[i], &len);

		cursor_init(&c, bytes, len);
		assert_error(nxm_decode_match(&c, false, &match, NULL, NULL), OFP_OK, matches[i]);
		len = nxm_put_match(&out, &match, 0, 0);
		assert_int_equal(len, out.len);
		assert_bytes(&out, matches[i], matches[i]);
		sbuf_uninit(&out);
		free(bytes);
	}
}

/* Part of a VLAN's priority: said by the whole tag. */
static void test_part_of_a_priority(void **state)
{
	static const struct {
		const char *in, *out;
	} matches[] = {
		{"80000d04 10001000 80000f02 0101", "00000904 30003000"},
		{"80000c02 1005 80000f02 0406", "00000904 9005dfff"},
		{"80000c02 1005 80000e01 04", "80000c02 1005 80000e01 04"},
	};

	for (size_t i = 0; i < N_ITEMS(matches); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct match match;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(matches[i].in, &len);

		cursor_init(&c, bytes, len);
		assert_error(oxm_decode_tlvs(&c, false, &match), OFP_OK, matches[i].in);
		oxm_put_tlvs(&out, &match, OFP13_VERSION);
		assert_bytes(&out, matches[i].out, matches[i].in);
		sbuf_uninit(&out);
		free(bytes);
	}
}

/* Every field alone, exact and masked if it may be, with what it needs before it; all versions. */
static void prerequisites(const struct field *f, struct match *match)
{
	static const uint16_t types[] = {0, 0x0800, 0x86dd, 0x0806, 0x8847, 0x88e7};
	static const uint8_t protos[] = {0, 6, 17, 132, 1, 58};

	memset(match, 0, sizeof *match);
	if (f->prereq == FIELD_PRE_VLAN_VID) {
		match->flow.vlans[0].tci = match->mask.vlans[0].tci = htobe16(VLAN_PRESENT);
		return;
	}
	if (f->prereq == FIELD_PRE_CT)
		match->flow.ct_state = match->mask.ct_state = 0x21;
	for (size_t i = 0; i < N_ITEMS(types) * N_ITEMS(protos) * 3; i++) {
		if (field_prereqs_matched(f, match))
			return;
		match->flow.dl_type = htobe16(types[i % N_ITEMS(types)]);
		match->mask.dl_type = match->flow.dl_type ? BE16_MAX : 0;
		match->flow.nw_proto = protos[i / N_ITEMS(types) % N_ITEMS(protos)];
		match->mask.nw_proto = match->flow.nw_proto ? UINT8_MAX : 0;
		if (match->flow.nw_proto == 58 && i / N_ITEMS(types) / N_ITEMS(protos)) {
			match->flow.tp_src = htobe16(i / N_ITEMS(types) / N_ITEMS(protos) == 1
					? 135 : 136);
			match->mask.tp_src = match->mask.tp_dst = htobe16(0xff);
		}
	}
}

static void check_match(const struct match *match, enum ofp_version version, const char *what)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct match back;
	struct cursor c;
	enum ofp_error error;

	if (version)
		oxm_put_match(&out, match, version);
	else
		nxm_put_match(&out, match, 0, 0);
	cursor_init(&c, out.data, out.len);
	error = version ? oxm_decode_match(&c, version, false, &back)
			: nxm_decode_match(&c, false, &back, NULL, NULL);
	assert_error(error, OFP_OK, what);
	assert_true(cursor_done(&c));
	if (!flow_equal(&match->flow, &back.flow) || !flow_equal(&match->mask, &back.mask))
		fail_msg("%s in version %d", what, version);
	sbuf_uninit(&out);
}

static void check_field(const struct field *f, bool masked)
{
	union field_value value, mask;
	struct match match;

	prerequisites(f, &match);
	if (!field_is_all_wild(f, &match.mask))
		return;
	memset(&mask, 0xff, sizeof mask);
	memset(&value, 0, sizeof value);
	value.b[f->n_bytes - 1] = f->id == FIELD_IP_DSCP ? 4 : 1;
	if (f->id == FIELD_VLAN_TCI)	/* OXM can't say anything of a tag that isn't there. */
		value.u16 = htobe16(VLAN_PRESENT | 1);
	if (masked) {
		memset(&mask, 0, sizeof mask);
		memcpy(&mask, &value, f->n_bytes);
	}
	field_set_match(f, &value, &mask, &match);
	for (int v = OFP12_VERSION - 1; v <= OFP15_VERSION; v++) {
		int version = v == OFP12_VERSION - 1 ? 0 : v;

		if (oxm_field_in_version(f, (enum ofp_version)(version ? version : OFP15_VERSION)))
			check_match(&match, (enum ofp_version)version, f->name);
	}
}

static void test_all_fields(void **state)
{
	struct field_tlv_map map = {0};

	for (int i = 0; i < FLOW_TUN_METADATA_OPTS; i++) {
		map.opts[i].len = 4;
		map.opts[i].ofs = (uint16_t)(4 * i);
		map.opts[i].type = (uint8_t)i;
	}
	field_tlv_use(&map);
	for (int id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id((enum field_id)id);

		if ((!f->oxm_name && !f->nxm_name) || f->place == FIELD_PLACE_NONE)
			continue;
		check_field(f, false);
		if (f->maskable)
			check_field(f, true);
	}
	field_tlv_use(NULL);
}

/* ------------------------------------------------------------------ refusals */

struct bad_match {
	const char *hex;
	enum ofp_error error;
};

static void test_bad_nxm(void **state)
{
	static const struct bad_match cases[] = {
		{"000006", OFPBMC_BAD_LEN},			/* no whole header */
		{"0000060208", OFPBMC_BAD_LEN},			/* no whole value */
		{"0000060108", OFPBMC_BAD_FIELD},		/* not eth_type's length */
		{"0001fe0101", OFPBMC_BAD_FIELD},		/* nobody knows it */
		{"ffff000400000001", OFPBMC_BAD_FIELD},
		{"ffff0002", OFPBMC_BAD_LEN},			/* no experimenter */
		{"ffff000200000001", OFPBMC_BAD_LEN},
		{"00012008 0000000000000005 00012008 0000000000000005", OFPBMC_DUP_FIELD},
		{"00000c0106", OFPBMC_BAD_PREREQ},		/* nw_proto of what? */
		{"000006020800 000012020050", OFPBMC_BAD_PREREQ},
		{"000006020806 00000c0106", OFPBMC_BAD_PREREQ},
		{"0001030800000001000000f0", OFPBMC_BAD_WILDCARDS},	/* 1-bit outside the mask */
		{"00000704 18000fff", OFPBMC_BAD_WILDCARDS},
		{"00000704 0800ff00", OFPBMC_BAD_MASK},		/* eth_type is not maskable */
		{"000006020800 00000a0103", OFPBMC_BAD_VALUE},	/* ECN bits in nw_tos */
		{"000006020800 0001380104", OFPBMC_BAD_VALUE},	/* nw_ecn has 2 bits */
		{"000006020806 00001e020101", OFPBMC_BAD_VALUE},
		{"80000004fffffeff", OFPBMC_BAD_VALUE},		/* no such port */
		{"000150040000 0001", NXFMFC_INVALID_TLV_FIELD},
		{"00013c080000000000000001", OFPBMC_BAD_FIELD},	/* cookie, not here */
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct match match;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);

		cursor_init(&c, bytes, len);
		assert_error(nxm_decode_match(&c, false, &match, NULL, NULL), cases[i].error,
			cases[i].hex);
		free(bytes);
	}
}

static void test_loose(void **state)
{
	/* Unknown fields are skipped, prerequisites not asked for. */
	const char *hex = "0001fe0101 0000120200500 0000002 0005";
	struct match match;
	struct cursor c;
	size_t len;
	uint8_t *bytes = bytes_from_hex(hex, &len);

	cursor_init(&c, bytes, len);
	assert_error(nxm_decode_match(&c, true, &match, NULL, NULL), OFP_OK, hex);
	assert_int_equal(match.flow.in_port, 5);
	free(bytes);
}

static void test_cookie(void **state)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct match match, back;
	be64 cookie, mask;
	struct cursor c;

	memset(&match, 0, sizeof match);
	assert_int_equal(nxm_put_match(&out, &match, htobe64(0x1234), htobe64(0xffff)), 20);
	assert_bytes(&out, "00013d10 0000000000001234 000000000000ffff", "cookie");
	cursor_init(&c, out.data, out.len);
	assert_error(nxm_decode_match(&c, false, &back, &cookie, &mask), OFP_OK, "cookie");
	assert_int_equal(cookie, htobe64(0x1234));
	assert_int_equal(mask, htobe64(0xffff));

	/* Twice. */
	nxm_put_match(&out, &match, htobe64(1), BE64_MAX);
	cursor_init(&c, out.data, out.len);
	assert_error(nxm_decode_match(&c, false, &back, &cookie, &mask), OFPBMC_DUP_FIELD, "twice");
	sbuf_uninit(&out);
}

static void test_bad_oxm(void **state)
{
	static const struct bad_match cases[] = {
		{"00010004 00000000", OFP_OK},
		{"0001000a 80000a020800 000000000000", OFP_OK},
		{"0001", OFPBMC_BAD_LEN},
		{"00010003 00000000", OFPBMC_BAD_LEN},
		{"0001000c 00000000", OFPBMC_BAD_LEN},
		{"0001000a 80000a020800", OFPBMC_BAD_LEN},	/* padding is missing */
		{"00020004 00000000", OFPBMC_BAD_TYPE},
		{"00000008 00000000", OFPBMC_BAD_LEN},		/* standard, but not 88 bytes */
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct match match;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].hex, &len);

		cursor_init(&c, bytes, len);
		assert_error(oxm_decode_match(&c, OFP13_VERSION, false, &match), cases[i].error,
			cases[i].hex);
		free(bytes);
	}
}

/* ------------------------------------------------------------------ fixed structs */

static void decode10(const char *hex, struct match *match)
{
	struct cursor c;
	size_t len;
	uint8_t *bytes = bytes_from_hex(hex, &len);

	assert_int_equal(len, OFP10_MATCH_LEN);
	cursor_init(&c, bytes, len);
	assert_error(ofp10_decode_match(&c, match), OFP_OK, hex);
	free(bytes);
}

static void test_ofp10(void **state)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct match match;

	/* tcp,nw_src=192.168.0.0/16,tp_dst=80 */
	const char *tcp = "0038104f 0000 000000000000 000000000000 0000 00 00 0800 00 06 0000"
		"c0a80000 00000000 0000 0050";
	decode10(tcp, &match);
	assert_int_equal(match.flow.dl_type, htobe16(0x0800));
	assert_int_equal(match.flow.nw_proto, 6);
	assert_int_equal(match.mask.nw_src, htobe32(0xffff0000));
	assert_int_equal(match.flow.tp_dst, htobe16(80));
	ofp10_put_match(&out, &match);
	assert_bytes(&out, tcp, "tcp");
	sbuf_clear(&out);

	/* No tag, even with a PCP asked for. */
	decode10("002820fd 0000 000000000000 000000000000 ffff 03 00 0000 00 00 0000"
		 "00000000 00000000 0000 0000", &match);
	assert_int_equal(match.mask.vlans[0].tci, BE16_MAX);
	assert_int_equal(match.flow.vlans[0].tci, 0);

	/* VLAN and PCP apart. */
	decode10("003820fd 0000 000000000000 000000000000 0005 03 00 0000 00 00 0000"
		 "00000000 00000000 0000 0000", &match);
	assert_int_equal(match.flow.vlans[0].tci, htobe16(0x1005));
	assert_int_equal(match.mask.vlans[0].tci, htobe16(0x1fff));

	/* Addresses without an Ethernet type are nothing. */
	decode10("00000000 0000 000000000000 000000000000 0000 00 00 9999 00 06 0000"
		 "c0a80000 00000000 0000 0050", &match);
	assert_int_equal(match.mask.nw_src, 0);
	assert_int_equal(match.mask.nw_proto, 0);

	match.flow.regs[0] = 1;
	match.mask.regs[0] = UINT32_MAX;
	assert_false(ofp10_match_fits(&match));
	sbuf_uninit(&out);
}

static void test_ofp11_bad(void **state)
{
	static const struct {
		size_t ofs;
		uint8_t bytes[4];
		size_t n;
		uint32_t wild;		/* What of the wildcards is off. */
		enum ofp_error error;
	} cases[] = {
		{4, {0xff, 0xff, 0xfe, 0xff}, 4, 1, OFPBMC_BAD_VALUE},	/* in_port */
		{36, {0x10, 0x00}, 2, 2, OFPBMC_BAD_VALUE},		/* VLAN 4096 */
		{36, {0xff, 0xfe, 0x08}, 3, 6, OFPBMC_BAD_VALUE},	/* PCP 8 */
		{36, {0xff, 0xff}, 2, 2, OFP_OK},
		{36, {0x00, 0x05}, 2, 2, OFP_OK},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		uint8_t bytes[OFP11_MATCH_LEN] = {0, 0, 0, OFP11_MATCH_LEN};
		uint32_t wild = htobe32(0x3ff & ~cases[i].wild);
		struct match match;
		struct cursor c;

		memset(bytes + 18, 0xff, 6);
		memset(bytes + 30, 0xff, 6);
		memset(bytes + 48, 0xff, 4);
		memset(bytes + 56, 0xff, 4);
		memset(bytes + 80, 0xff, 8);
		memcpy(bytes + 8, &wild, 4);
		memcpy(bytes + cases[i].ofs, cases[i].bytes, cases[i].n);
		cursor_init(&c, bytes, sizeof bytes);
		assert_error(oxm_decode_match(&c, OFP11_VERSION, false, &match), cases[i].error,
			"1.1 match");
		if (!cases[i].error) {
			struct sbuf out = SBUF_INITIALIZER;

			assert_true(ofp11_match_fits(&match));
			ofp11_put_match(&out, &match);
			assert_memory_equal(out.data, bytes, sizeof bytes);
			sbuf_uninit(&out);
		}
	}
}

/* 1.1's struct says IPv6, but nothing in it. */
static void test_ofp11_fits(void **state)
{
	static const struct {
		const char *oxm;
		bool fits;
	} cases[] = {
		{"80000a02 0800 80001401 06 80001c02 0050", true},
		{"80000a02 86dd", true},
		{"80000a02 86dd 80001401 06", false},
		{"80000a02 86dd 80001401 3a 80003a01 87", false},
		{"80000a02 86dd 80001001 01", false},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct match match;
		struct cursor c;
		size_t len;
		uint8_t *bytes = bytes_from_hex(cases[i].oxm, &len);

		cursor_init(&c, bytes, len);
		assert_error(nxm_decode_match(&c, false, &match, NULL, NULL), OFP_OK, cases[i].oxm);
		free(bytes);
		assert_int_equal(ofp11_match_fits(&match), cases[i].fits);
	}
}

static void test_field_array(void **state)
{
	unsigned long fields[OXM_FIELDS_LONGS] = {0}, again[OXM_FIELDS_LONGS] = {0};
	struct sbuf out = SBUF_INITIALIZER;
	struct flow mask, mask_again;
	struct cursor c;
	size_t len;
	uint8_t *bytes = bytes_from_hex("80000606ffffffffffff 80001804ffffff00 80001c02ffff", &len);

	memset(&mask, 0, sizeof mask);
	memset(&mask_again, 0, sizeof mask_again);
	cursor_init(&c, bytes, len);
	assert_error(oxm_decode_field_array(&c, &mask, fields), OFP_OK, "fields");
	assert_true(bitmap_is_set(fields, FIELD_ETH_DST));
	assert_true(bitmap_is_set(fields, FIELD_IPV4_DST));
	assert_true(bitmap_is_set(fields, FIELD_TCP_DST));
	assert_int_equal(mask.nw_dst, htobe32(0xffffff00));

	oxm_put_field_array(&out, OFP15_VERSION, &mask, fields);
	cursor_init(&c, out.data, out.len);
	assert_error(oxm_decode_field_array(&c, &mask_again, again), OFP_OK, "again");
	assert_memory_equal(fields, again, sizeof fields);
	assert_true(flow_equal(&mask, &mask_again));

	cursor_init(&c, bytes, 10);
	assert_error(oxm_decode_field_array(&c, &mask, fields), OFPBMC_DUP_FIELD, "twice");
	sbuf_uninit(&out);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nxm_bytes),
		cmocka_unit_test(test_part_of_a_priority),
		cmocka_unit_test(test_all_fields),
		cmocka_unit_test(test_bad_nxm),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_bad_oxm),
		cmocka_unit_test(test_ofp10),
		cmocka_unit_test(test_ofp11_bad),
		cmocka_unit_test(test_ofp11_fits),
		cmocka_unit_test(test_field_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
