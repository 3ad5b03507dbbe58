/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/ofproto/wire_test.h"

#include "ofproto/wire/flow_stats.h"
#include "tests/unit/ofproto/wire_vectors.h"

static struct flow_format format_for(const struct msg *msg)
{
	return (struct flow_format){.version = msg->version, .nxm = msg->family == MSG_NXT,
		.table_id = msg->version == OFP10_VERSION};
}

static bool same_match(const struct match *a, const struct match *b)
{
	return flow_equal(&a->flow, &b->flow) && flow_equal(&a->mask, &b->mask);
}

/* The flow as a statistics reply says it, and read back. */
static void check_stats(const struct flow_mod *fm, enum ofp_version version, bool nxm,
	const char *what)
{
	struct msg req = request(version, OFPTYPE_FLOW_STATS_REQUEST,
		version == OFP10_VERSION && nxm ? MSG_NXST : MSG_OFPST);
	struct flow_stats fs = {.match = &fm->match, .priority = fm->priority, .table_id = 3,
		.cookie = htobe64(0x1122334455667788), .duration_sec = 5, .duration_nsec = 6,
		.idle_timeout = 7, .hard_timeout = 8, .idle_age = 9, .hard_age = 10,
		.importance = 11, .packets = 12, .bytes = 13, .acts = flow_mod_acts(fm),
		.acts_len = flow_mod_acts_len(fm)}, back;
	struct sbuf out = SBUF_INITIALIZER, again = SBUF_INITIALIZER;
	struct act_builder acts;
	struct mp_reply mp;
	struct match match;
	struct cursor c;
	struct msg msg;
	bool more;

	mp_begin(&mp, &out, &req);
	flow_stats_put(&mp, &fs);
	mp_end(&mp);
	msg = msg_from(&out);
	c = msg.body;
	act_builder_init(&acts);
	assert_error(flow_stats_take(&msg, &c, &back, &match, &acts, &more), OFP_OK, what);
	assert_true(more);
	if (!same_match(&match, &fm->match))
		fail_msg("%s in version %d", what, version);
	assert_int_equal(back.priority, fs.priority);
	assert_int_equal(back.table_id, 3);
	assert_int_equal(back.cookie, fs.cookie);
	assert_int_equal(back.duration_sec, 5);
	assert_int_equal(back.duration_nsec, 6);
	assert_int_equal(back.idle_timeout, 7);
	assert_int_equal(back.hard_timeout, 8);
	assert_int_equal(back.packets, 12);
	assert_int_equal(back.bytes, 13);
	if (version >= OFP14_VERSION)
		assert_int_equal(back.importance, 11);
	if (nxm && version == OFP10_VERSION)
		assert_int_equal(back.idle_age, 9);
	assert_error(flow_stats_take(&msg, &c, &fs, &match, &acts, &more), OFP_OK, what);
	assert_false(more);

	/* Said once more it is the same to the byte. */
	c = msg.body;
	flow_stats_take(&msg, &c, &back, &match, &acts, &more);
	mp_begin(&mp, &again, &req);
	flow_stats_put(&mp, &back);
	mp_end(&mp);
	assert_int_equal(out.len, again.len);
	assert_memory_equal(out.data, again.data, out.len);
	act_builder_uninit(&acts);
	sbuf_uninit(&again);
	sbuf_uninit(&out);
}

static void check_vector(const struct vector *v)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct flow_format format;
	struct flow_mod fm;
	struct msg msg;
	size_t len;
	uint8_t *bytes = bytes_from_hex(v->hex, &len);

	assert_error(msg_decode(bytes, len, &msg), OFP_OK, v->text);
	format = format_for(&msg);
	assert_error(flow_mod_decode(&msg, &format, &fm), OFP_OK, v->text);
	flow_mod_encode(&fm, &format, msg.xid, &out);
	assert_bytes(&out, v->hex, v->text);
	check_stats(&fm, msg.version, true, v->text);
	flow_mod_uninit(&fm);
	sbuf_uninit(&out);
	free(bytes);
}

static void test_vectors(void **state)
{
	for (size_t i = 0; i < N_ITEMS(flow_mods_10); i++)
		check_vector(&flow_mods_10[i]);
	for (size_t i = 0; i < N_ITEMS(flow_mods_11); i++)
		check_vector(&flow_mods_11[i]);
	for (size_t i = 0; i < N_ITEMS(flow_mods_13); i++)
		check_vector(&flow_mods_13[i]);
	for (size_t i = 0; i < N_ITEMS(flow_mods_15); i++)
		check_vector(&flow_mods_15[i]);
}

/* What one version brings, the others can show. */
static void test_vectors_across(void **state)
{
	static const enum ofp_version versions[] = {OFP10_VERSION, OFP12_VERSION, OFP13_VERSION,
		OFP14_VERSION};

	for (size_t i = 0; i < N_ITEMS(flow_mods_13); i++) {
		const struct vector *v = &flow_mods_13[i];
		struct flow_format format = {.version = OFP13_VERSION};
		struct flow_mod fm;
		struct msg msg;
		size_t len;
		uint8_t *bytes = bytes_from_hex(v->hex, &len);

		assert_error(msg_decode(bytes, len, &msg), OFP_OK, v->text);
		assert_error(flow_mod_decode(&msg, &format, &fm), OFP_OK, v->text);
		/* OpenFlow 1.0 writes metadata before actions, and can't read that. */
		for (size_t j = 0; j < N_ITEMS(versions); j++)
			if (versions[j] != OFP10_VERSION || (!strstr(v->text, "write_metadata") &&
								    !strstr(v->text, "xxreg")))
				check_stats(&fm, versions[j], true, v->text);
		flow_mod_uninit(&fm);
		free(bytes);
	}
}

/* ------------------------------------------------------------------ refusals */

struct mod_case {
	const char *what;
	size_t ofs;		/* Where ... */
	const char *hex;	/* ... these bytes go ... */
	enum ofp_error error;
};

static void check_mods(const char *base, const struct mod_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct flow_format format;
		struct flow_mod fm;
		struct msg msg;
		size_t len, patch_len;
		uint8_t *bytes = bytes_from_hex(base, &len);
		uint8_t *patch = bytes_from_hex(cases[i].hex, &patch_len);
		enum ofp_error error;

		memcpy(bytes + cases[i].ofs, patch, patch_len);
		assert_error(msg_decode(bytes, len, &msg), OFP_OK, cases[i].what);
		format = format_for(&msg);
		error = flow_mod_decode(&msg, &format, &fm);
		assert_error(error, cases[i].error, cases[i].what);
		if (!error)
			flow_mod_uninit(&fm);
		free(patch);
		free(bytes);
	}
}

static void test_bad_13(void **state)
{
	/* An add, table 0, empty match, output:1. */
	const char *base = "040e005000000001" "0000000000000000" "0000000000000000"
		"00 00 0000 0000 8000 ffffffff ffffffff ffffffff 0000 0000"
		"0001000400000000" "0004001800000000" "00000010000000010000000000000000";
	static const struct mod_case cases[] = {
		{"as it is", 0, "", OFP_OK},
		{"command", 25, "05", OFPFMFC_BAD_COMMAND},
		{"all tables in an add", 24, "ff", OFPFMFC_BAD_TABLE_ID},
		{"all tables in a modify", 24, "ff01", OFPFMFC_BAD_TABLE_ID},
		{"all tables in a delete", 24, "ff03", OFP_OK},
		{"out_port", 36, "fffffeff", OFPBAC_BAD_OUT_PORT},
		{"flags", 44, "0020", OFPFMFC_BAD_FLAGS},
		{"all flags", 44, "001f", OFP_OK},
		{"match type", 48, "0002", OFPBMC_BAD_TYPE},
		{"match length", 50, "0003", OFPBMC_BAD_LEN},
		{"match beyond the message", 50, "0100", OFPBMC_BAD_LEN},
		{"instruction", 56, "0009", OFPBIC_UNKNOWN_INST},
		{"instruction length", 58, "0020", OFPBIC_BAD_LEN},
		{"action", 64, "0063", OFPBAC_BAD_TYPE},
		{"output to none", 68, "ffffffff", OFPBAC_BAD_OUT_PORT},
	};

	check_mods(base, cases, N_ITEMS(cases));
}

static void test_bad_10(void **state)
{
	const char *base = "010e005000000001" "003820ff 0000 000000000000 000000000000 0000 00 00"
		"0000 00 00 0000 00000000 00000000 0000 0000"
		"0000000000000000 0000 0000 0000 8000 ffffffff ffff 0000" "0000000800010000";
	static const struct mod_case cases[] = {
		{"as it is", 0, "", OFP_OK},
		{"command", 57, "05", OFPFMFC_BAD_COMMAND},
		{"table id", 56, "05", OFP_OK},
		{"emergency", 70, "0004", OFPFMFC_TABLE_FULL},
		{"emergency with a timeout", 58, "0001 0000 8000 ffffffff ffff 0004",
			OFPFMFC_BAD_EMERG_TIMEOUT},
		{"flags", 70, "0008", OFPFMFC_BAD_FLAGS},
		{"output", 76, "ffff", OFPBAC_BAD_OUT_PORT},
		{"action length", 74, "0010", OFPBAC_BAD_LEN},
	};

	check_mods(base, cases, N_ITEMS(cases));
}

static void test_bad_nxm(void **state)
{
	const char *base = "0104004000000001 00002320 0000000d" "0000000000000000 0000 0000 0000 8000"
		"ffffffff ffff 0000 0004 000000000000" "0000000000000000" "0000000800010000";
	static const struct mod_case cases[] = {
		/* A cookie asked for by an add. */
		{"cookie", 40, "000c 000000000000 00013c08 0000000000000005 00000000",
			NXBRC_NXM_INVALID},
		{"match beyond the message", 40, "0100", OFPBMC_BAD_LEN},
		{"match of 4 bytes", 48, "00000002", OFPBMC_BAD_LEN},
	};

	check_mods(base, cases, N_ITEMS(cases));
}

/* OpenFlow 1.0: a rule without wildcards is above all, in_port 16 bits, an add resets the counters. */
static void test_of10_rules(void **state)
{
	const char *hex = "010e004800000001" "00000000 fffe 000000000001 000000000002 0005 03 00"
		"0800 08 06 0000 0a000001 0a000002 0050 0051"
		"0000000000000007 0003 0000 0000 0005 ffffffff ffff 0001";
	struct flow_format format = {.version = OFP10_VERSION, .table_id = true};
	struct flow_mod fm;
	struct msg msg;
	size_t len;
	uint8_t *bytes = bytes_from_hex(hex, &len);

	assert_error(msg_decode(bytes, len, &msg), OFP_OK, hex);
	assert_error(flow_mod_decode(&msg, &format, &fm), OFP_OK, hex);
	assert_int_equal(fm.priority, UINT16_MAX);
	assert_int_equal(fm.match.flow.in_port, OFPP_LOCAL);
	assert_int_equal(fm.command, OFPFC_DELETE);
	assert_int_equal(fm.table_id, 0);
	assert_int_equal(fm.out_port, OFPP_NONE);
	flow_mod_uninit(&fm);

	/* Without the extension the table's byte belongs to the command. */
	format.table_id = false;
	assert_error(flow_mod_decode(&msg, &format, &fm), OFP_OK, hex);
	assert_int_equal(fm.table_id, OFP_TABLE_ALL);
	flow_mod_uninit(&fm);
	bytes[56] = 5;
	assert_error(flow_mod_decode(&msg, &format, &fm), OFPFMFC_BAD_COMMAND, hex);
	free(bytes);
}

/* ------------------------------------------------------------------ requests, removed, aggregate */

static void tcp_match(struct match *match)
{
	memset(match, 0, sizeof *match);
	match->flow.dl_type = htobe16(0x0800);
	match->mask.dl_type = BE16_MAX;
	match->flow.nw_proto = 6;
	match->mask.nw_proto = UINT8_MAX;
	match->flow.in_port = 5;
	match->mask.in_port = UINT32_MAX;
}

static void check_request(enum ofp_version version, bool nxm, bool aggregate)
{
	struct flow_stats_request fsr = {.aggregate = aggregate, .out_port = 7, .table_id = 4,
		.out_group = version == OFP10_VERSION ? OFP_GROUP_ANY : 9}, back;
	struct flow_format format = {.version = version, .nxm = nxm};
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;

	tcp_match(&fsr.match);
	if (version != OFP10_VERSION || nxm) {
		fsr.cookie = htobe64(0x10);
		fsr.cookie_mask = htobe64(0xf0);
	}
	flow_stats_request_encode(&fsr, &format, htobe32(1), &out);
	msg = msg_from(&out);
	assert_error(flow_stats_request_decode(&msg, &back), OFP_OK, "request");
	assert_int_equal(back.aggregate, aggregate);
	assert_int_equal(back.out_port, 7);
	assert_int_equal(back.out_group, fsr.out_group);
	assert_int_equal(back.table_id, 4);
	assert_int_equal(back.cookie, fsr.cookie);
	assert_int_equal(back.cookie_mask, fsr.cookie_mask);
	assert_true(same_match(&back.match, &fsr.match));
	sbuf_uninit(&out);
}

static void check_aggregate(enum ofp_version version, enum msg_family family)
{
	struct msg req = request(version, OFPTYPE_AGGREGATE_REQUEST, family), msg;
	struct aggregate_stats as = {.packets = 1, .bytes = 2, .n_flows = 3}, back;
	struct sbuf out = SBUF_INITIALIZER;

	aggregate_stats_encode(&as, &req, &out);
	msg = msg_from(&out);
	assert_error(aggregate_stats_decode(&msg, &back), OFP_OK, "aggregate");
	assert_int_equal(back.packets, 1);
	assert_int_equal(back.bytes, 2);
	assert_int_equal(back.n_flows, 3);
	sbuf_uninit(&out);
}

static void check_removed(enum ofp_version version, bool nxm)
{
	struct flow_removed fr = {.priority = 1, .table_id = 2, .reason = OFPRR_HARD_TIMEOUT,
		.cookie = htobe64(4), .duration_sec = 5, .duration_nsec = 6, .idle_timeout = 7,
		.hard_timeout = 8, .packets = 9, .bytes = 10}, back;
	struct flow_format format = {.version = version, .nxm = nxm};
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;

	tcp_match(&fr.match);
	flow_removed_encode(&fr, &format, &out);
	msg = msg_from(&out);
	assert_error(flow_removed_decode(&msg, &back), OFP_OK, "removed");
	assert_true(same_match(&back.match, &fr.match));
	assert_int_equal(back.priority, 1);
	assert_int_equal(back.table_id, version == OFP10_VERSION && !nxm ? OFP_TABLE_ALL : 2);
	assert_int_equal(back.reason, OFPRR_HARD_TIMEOUT);
	assert_int_equal(back.cookie, fr.cookie);
	assert_int_equal(back.duration_sec, 5);
	assert_int_equal(back.idle_timeout, 7);
	assert_int_equal(back.hard_timeout, version >= OFP12_VERSION ? 8 : 0);
	assert_int_equal(back.packets, 9);
	assert_int_equal(back.bytes, 10);
	sbuf_clear(&out);

	/* A reason the version hasn't. */
	fr.reason = OFPRR_METER_DELETE;
	flow_removed_encode(&fr, &format, &out);
	msg = msg_from(&out);
	assert_error(flow_removed_decode(&msg, &back), OFP_OK, "removed");
	assert_int_equal(back.reason,
		version >= OFP14_VERSION ? OFPRR_METER_DELETE : OFPRR_DELETE);
	sbuf_uninit(&out);
}

static void test_others(void **state)
{
	for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++) {
		enum ofp_version version = (enum ofp_version)v;

		check_request(version, false, false);
		check_request(version, false, true);
		check_aggregate(version, MSG_OFPST);
		check_removed(version, false);
	}
	check_request(OFP10_VERSION, true, false);
	check_request(OFP10_VERSION, true, true);
	check_aggregate(OFP10_VERSION, MSG_NXST);
	check_removed(OFP10_VERSION, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_vectors_across),
		cmocka_unit_test(test_bad_13),
		cmocka_unit_test(test_bad_10),
		cmocka_unit_test(test_bad_nxm),
		cmocka_unit_test(test_of10_rules),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
