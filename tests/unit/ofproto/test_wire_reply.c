/* SPDX-License-Identifier: Apache-2.0 */

/* What the switch tells of itself, and the settings of a session. Bytes here were read back by ovs-ofctl
 * 3.1 (ofp-print). */

#include "tests/unit/ofproto/wire_test.h"

#include "ofproto/wire/async.h"
#include "ofproto/wire/bundle.h"
#include "ofproto/wire/multipart.h"
#include "ofproto/wire/nicira.h"
#include "ofproto/wire/role.h"

static const enum ofp_version versions[] = {OFP10_VERSION, OFP11_VERSION, OFP12_VERSION,
	OFP13_VERSION, OFP14_VERSION, OFP15_VERSION};

#define FOR_EACH_VERSION(V) \
	for (const enum ofp_version *V = versions; V < versions + N_ITEMS(versions); V++)

/* A multipart reply of one entry, made by PUT. */
#define ONE_ENTRY(OUT, VERSION, TYPE, FAMILY, PUT)                                  \
	do {                                                                        \
		struct msg req_ = request(VERSION, OFPTYPE_##TYPE##_REQUEST, FAMILY); \
		struct mp_reply mp;                                                 \
		mp_begin(&mp, OUT, &req_);                                          \
		PUT;                                                                \
		mp_end(&mp);                                                        \
	} while (0)

static const struct port_desc eth1 = {.port = 1, .hw_addr = {{0, 1, 2, 3, 4, 5}}, .name = "eth1",
	.config = OFPPC_PORT_DOWN | OFPPC_NO_FWD, .state = OFPPS_LINK_DOWN,
	.curr = OFPPF_10GB_FD | OFPPF_COPPER, .advertised = OFPPF_1GB_FD | OFPPF_AUTONEG,
	.supported = OFPPF_1GB_FD, .peer = OFPPF_PAUSE, .curr_speed = 10000000,
	.max_speed = 1000000};

static void assert_port(const struct port_desc *got)
{
	assert_int_equal(got->port, 1);
	assert_memory_equal(&got->hw_addr, &eth1.hw_addr, sizeof got->hw_addr);
	assert_string_equal(got->name, "eth1");
	assert_int_equal(got->config, eth1.config);
	assert_int_equal(got->state, eth1.state);
	assert_int_equal(got->curr, eth1.curr);
	assert_int_equal(got->advertised, eth1.advertised);
	assert_int_equal(got->supported, eth1.supported);
	assert_int_equal(got->peer, eth1.peer);
	assert_int_equal(got->curr_speed, eth1.curr_speed);
	assert_int_equal(got->max_speed, eth1.max_speed);
}

static void test_features(void **state)
{
	struct switch_features sf = {.datapath_id = 0x1234, .n_tables = 254,
		.capabilities = OFPC_FLOW_STATS | OFPC_STP | OFPC_GROUP_STATS | OFPC_BUNDLES |
			OFPC_ARP_MATCH_IP}, back;

	FOR_EACH_VERSION(v) {
		struct msg req = request(*v, OFPTYPE_FEATURES_REQUEST, MSG_OFPT), msg;
		struct sbuf out = SBUF_INITIALIZER;
		size_t start = features_begin(&sf, &req, &out);
		struct cursor ports;
		struct port_desc pd;
		uint32_t caps;

		features_port(&req, start, &eth1, &out);
		msg_end(&out, start);
		msg = msg_from(&out);
		assert_error(features_decode(&msg, &back, &ports), OFP_OK, "features");
		assert_int_equal(back.datapath_id, 0x1234);
		assert_int_equal(back.n_tables, 254);
		caps = OFPC_FLOW_STATS | (*v == OFP10_VERSION ? (uint32_t)OFPC_STP : OFPC_GROUP_STATS) |
			(*v <= OFP11_VERSION ? OFPC_ARP_MATCH_IP : 0) |
			(*v >= OFP14_VERSION ? OFPC_BUNDLES : 0);
		assert_int_equal(back.capabilities, caps);
		if (*v < OFP13_VERSION) {
			assert_error(port_desc_take(&ports, *v, &pd), OFP_OK, "port");
			assert_port(&pd);
		}
		assert_int_equal(cursor_left(&ports), 0);
		sbuf_uninit(&out);
	}
}

/* Ports that do not fit are left out. */
static void test_features_full(void **state)
{
	struct switch_features sf = {.datapath_id = 1};
	struct msg req = request(OFP10_VERSION, OFPTYPE_FEATURES_REQUEST, MSG_OFPT), msg;
	struct sbuf out = SBUF_INITIALIZER;
	size_t start = features_begin(&sf, &req, &out);

	for (int i = 0; i < 2000; i++)
		features_port(&req, start, &eth1, &out);
	msg_end(&out, start);
	msg = msg_from(&out);
	assert_int_equal((cursor_left(&msg.body) - 24) / 48, (65535 - 32) / 48);
	sbuf_uninit(&out);
}

static void test_config(void **state)
{
	FOR_EACH_VERSION(v) {
		struct switch_config sc = {.frag = OFPC_FRAG_NX_MATCH, .miss_send_len = 128,
			.invalid_ttl_to_controller = 1}, back;
		struct msg req = request(*v, OFPTYPE_GET_CONFIG_REQUEST, MSG_OFPT), msg;
		struct sbuf out = SBUF_INITIALIZER;

		config_encode(&sc, &req, &out);
		msg = msg_from(&out);
		assert_error(config_decode(&msg, &back), OFP_OK, "config");
		assert_int_equal(back.frag, OFPC_FRAG_NX_MATCH);
		assert_int_equal(back.miss_send_len, 128);
		assert_int_equal(back.invalid_ttl_to_controller, *v < OFP13_VERSION ? 1 : -1);
		out.data[8] = 1;	/* A flag nobody knows. */
		msg = msg_from(&out);
		assert_error(config_decode(&msg, &back), OFPSCFC_BAD_FLAGS, "config");
		sbuf_uninit(&out);
	}
}

static void test_desc(void **state)
{
	struct switch_desc sd = {.mfr = "somebody", .hw = NULL, .sw = "1", .serial = "0123456789"
		"0123456789012345678901234567890123456789", .dp = "br0"};
	struct msg req = request(OFP13_VERSION, OFPTYPE_DESC_REQUEST, MSG_OFPST), msg;
	struct sbuf out = SBUF_INITIALIZER;
	const char *p;

	desc_encode(&sd, &req, &out);
	msg = msg_from(&out);
	p = (const char *)msg.body.pos;
	assert_string_equal(p, "somebody");
	assert_string_equal(p + 256, "");
	assert_string_equal(p + 512, "1");
	assert_int_equal(strlen(p + 768), 31);
	assert_string_equal(p + 800, "br0");
	sbuf_uninit(&out);
}

static void test_ports(void **state)
{
	FOR_EACH_VERSION(v) {
		struct port_mod pm = {.port = 5, .hw_addr = {{1, 2, 3, 4, 5, 6}},
			.config = OFPPC_PORT_DOWN | OFPPC_NO_FWD, .mask = OFPPC_PORT_DOWN,
			.advertise = OFPPF_1GB_FD}, back;
		struct sbuf out = SBUF_INITIALIZER;
		enum ofp_port_reason reason;
		struct port_desc pd;
		struct msg msg;

		port_status_encode(&eth1, OFPPR_MODIFY, *v, &out);
		msg = msg_from(&out);
		assert_error(port_status_decode(&msg, &pd, &reason), OFP_OK, "status");
		assert_int_equal(reason, OFPPR_MODIFY);
		assert_port(&pd);
		sbuf_clear(&out);

		port_mod_encode(&pm, *v, 0, &out);
		msg = msg_from(&out);
		assert_error(port_mod_decode(&msg, &back), OFP_OK, "mod");
		assert_int_equal(back.port, 5);
		assert_int_equal(back.config, OFPPC_PORT_DOWN);	/* Within the mask. */
		assert_int_equal(back.mask, OFPPC_PORT_DOWN);
		assert_int_equal(back.advertise, OFPPF_1GB_FD);
		sbuf_uninit(&out);
	}
}

static void test_port_stats(void **state)
{
	struct port_stats ps = {.port = OFPP_LOCAL, .duration_sec = 0xd1, .duration_nsec = 0xd2,
		.rx_packets = 1, .tx_packets = 2, .rx_bytes = 3, .tx_bytes = 4, .rx_dropped = 5,
		.tx_dropped = 6, .rx_errors = 7, .tx_errors = 8, .rx_frame_err = 9,
		.rx_over_err = 10, .rx_crc_err = 11, .collisions = OFP_COUNTER_UNKNOWN};
	struct sbuf out = SBUF_INITIALIZER;

	ONE_ENTRY(&out, OFP10_VERSION, PORT_STATS, MSG_OFPST, port_stats_put(&mp, &ps));
	assert_bytes(&out, "0111007400001234 00040000 fffe 000000000000"
		"0000000000000001 0000000000000002 0000000000000003 0000000000000004"
		"0000000000000005 0000000000000006 0000000000000007 0000000000000008"
		"0000000000000009 000000000000000a 000000000000000b ffffffffffffffff", "1.0");
	sbuf_clear(&out);
	ONE_ENTRY(&out, OFP13_VERSION, PORT_STATS, MSG_OFPST, port_stats_put(&mp, &ps));
	assert_bytes(&out, "0413008000001234 0004000000000000 fffffffe 00000000"
		"0000000000000001 0000000000000002 0000000000000003 0000000000000004"
		"0000000000000005 0000000000000006 0000000000000007 0000000000000008"
		"0000000000000009 000000000000000a 000000000000000b ffffffffffffffff"
		"000000d1 000000d2", "1.3");
	sbuf_clear(&out);
	ONE_ENTRY(&out, OFP14_VERSION, PORT_STATS, MSG_OFPST, port_stats_put(&mp, &ps));
	assert_bytes(&out, "0513008800001234 0004000000000000 0078 0000 fffffffe 000000d1 000000d2"
		"0000000000000001 0000000000000002 0000000000000003 0000000000000004"
		"0000000000000005 0000000000000006 0000000000000007 0000000000000008"
		"0000002800000000"
		"0000000000000009 000000000000000a 000000000000000b ffffffffffffffff", "1.4");
	sbuf_uninit(&out);
}

static void test_queues(void **state)
{
	struct queue_config qc[] = {{.port = 1, .queue = 2, .min_rate = 100, .max_rate = UINT16_MAX},
		{.port = 1, .queue = 3, .min_rate = 100, .max_rate = 500}};
	struct sbuf out = SBUF_INITIALIZER;
	struct msg req = request(OFP10_VERSION, OFPTYPE_QUEUE_GET_CONFIG_REQUEST, MSG_OFPT);

	queue_config_encode(&req, 1, qc, 2, &out);
	assert_bytes(&out, "0115005000001234 0001 000000000000"
		"00000002 0018 0000 0001001000000000 0064 000000000000"
		"00000003 0028 0000 0001001000000000 0064 000000000000"
		"0002001000000000 01f4 000000000000", "1.0");
	sbuf_clear(&out);
	req = request(OFP13_VERSION, OFPTYPE_QUEUE_GET_CONFIG_REQUEST, MSG_OFPT);
	queue_config_encode(&req, 1, qc, 1, &out);
	assert_bytes(&out, "0417003000001234 00000001 00000000 00000002 00000001 0020 000000000000"
		"0001001000000000 0064 000000000000", "1.3");
	sbuf_clear(&out);
	req = request(OFP14_VERSION, OFPTYPE_QUEUE_GET_CONFIG_REQUEST, MSG_OFPST);
	queue_config_encode(&req, 1, qc, 1, &out);
	assert_bytes(&out, "0513002800001234 000f000000000000 00000001 00000002 0018 000000000000"
		"0001000800640000", "1.4");
	sbuf_uninit(&out);
}

static void test_table_stats(void **state)
{
	struct table_features tf = {.table_id = 3, .name = "t", .max_entries = 0xf4240,
		.n_tables = 254, .eviction = -1, .vacancy = -1};
	struct table_stats ts = {.active_count = 5, .lookup_count = 6, .matched_count = 7};
	static const size_t sizes[] = {64, 88, 128, 24, 24, 24};
	struct sbuf out = SBUF_INITIALIZER;

	FOR_EACH_VERSION(v) {
		struct msg msg;

		ONE_ENTRY(&out, *v, TABLE_STATS, MSG_OFPST, table_stats_put(&mp, &tf, &ts));
		msg = msg_from(&out);
		assert_int_equal(cursor_left(&msg.body), sizes[*v - 1]);
		sbuf_clear(&out);
	}
	ONE_ENTRY(&out, OFP10_VERSION, TABLE_STATS, MSG_OFPST, table_stats_put(&mp, &tf, &ts));
	assert_bytes(&out, "0111004c00001234 00030000 03 000000"
		"7400000000000000000000000000000000000000000000000000000000000000"
		"003fffff 000f4240 00000005 0000000000000006 0000000000000007", "1.0");
	sbuf_uninit(&out);
}

/* What we announce we would also take. */
static void test_table_features(void **state)
{
	struct table_features tf = {.table_id = 3, .name = "classifier", .max_entries = 1000,
		.metadata_match = BE64_MAX, .metadata_write = BE64_MAX, .n_tables = 254,
		.eviction = 0, .vacancy = -1};
	struct sbuf out = SBUF_INITIALIZER;

	for (int v = OFP13_VERSION; v <= OFP15_VERSION; v++) {
		struct table_features_request tfr;
		struct cursor c;
		struct msg msg;
		bool more;

		ONE_ENTRY(&out, (enum ofp_version)v, TABLE_FEATURES, MSG_OFPST,
			table_features_put(&mp, &tf));
		msg = msg_from(&out);
		c = msg.body;
		assert_error(table_features_request_take(&msg, &c, &tfr, &more), OFP_OK, "features");
		assert_true(more);
		assert_int_equal(tfr.table_id, 3);
		assert_string_equal(tfr.name, "classifier");
		assert_int_equal(tfr.max_entries, 1000);
		assert_true(tfr.has_properties);
		assert_error(table_features_request_take(&msg, &c, &tfr, &more), OFP_OK, "end");
		assert_false(more);
		sbuf_clear(&out);
	}
	sbuf_uninit(&out);
}

static void test_table_mod(void **state)
{
	for (int v = OFP11_VERSION; v <= OFP15_VERSION; v++) {
		struct table_mod tm = {.table_id = 5, .miss = TABLE_MISS_DROP, .eviction = 1,
			.vacancy = 1, .eviction_flags = 3, .vacancy_down = 10, .vacancy_up = 20};
		struct sbuf out = SBUF_INITIALIZER;
		struct table_mod back;
		struct msg msg;

		table_mod_encode(&tm, (enum ofp_version)v, 0, &out);
		msg = msg_from(&out);
		assert_error(table_mod_decode(&msg, &back), OFP_OK, "table_mod");
		assert_int_equal(back.table_id, 5);
		assert_int_equal(back.miss,
			v <= OFP12_VERSION ? TABLE_MISS_DROP : TABLE_MISS_DEFAULT);
		assert_int_equal(back.eviction, v >= OFP14_VERSION ? 1 : -1);
		assert_int_equal(back.vacancy_up, v >= OFP14_VERSION ? 20 : 0);
		if (v >= OFP14_VERSION) {
			out.data[out.len - 3] = 9;	/* vacancy_up below vacancy_down */
			msg = msg_from(&out);
			assert_error(table_mod_decode(&msg, &back), OFPBPC_BAD_VALUE, "vacancy");
		}
		sbuf_uninit(&out);
	}
}

static void test_group_stats(void **state)
{
	struct group_counts counts[] = {{.packets = 1, .bytes = 2}};
	struct group_stats gs = {.group_id = 5, .ref_count = 1, .packets = 10, .bytes = 20,
		.duration_sec = 30, .duration_nsec = 40, .n_buckets = 1, .buckets = counts};
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;
	uint32_t id;

	ONE_ENTRY(&out, OFP13_VERSION, GROUP_STATS, MSG_OFPST, group_stats_put(&mp, &gs));
	assert_bytes(&out, "0413004800001234 0006000000000000 0038 0000 00000005 00000001 00000000"
		"000000000000000a 0000000000000014 0000001e 00000028"
		"0000000000000001 0000000000000002", "1.3");
	sbuf_clear(&out);
	ONE_ENTRY(&out, OFP12_VERSION, GROUP_STATS, MSG_OFPST, group_stats_put(&mp, &gs));
	assert_bytes(&out, "0313004000001234 0006000000000000 0030 0000 00000005 00000001 00000000"
		"000000000000000a 0000000000000014 0000000000000001 0000000000000002", "1.2");
	sbuf_clear(&out);

	msg_put_empty(&out, OFP13_VERSION, OFPTYPE_GROUP_DESC_REQUEST, 0);
	msg = msg_from(&out);
	assert_error(group_request_decode(&msg, &id), OFP_OK, "desc");
	assert_int_equal(id, OFP_GROUP_ALL);
	sbuf_uninit(&out);
}

static void test_meter_stats(void **state)
{
	struct meter_band_counts bands[] = {{.packets = 5, .bytes = 6}};
	struct meter_counts mc = {.meter_id = 3, .flow_count = 1, .packets_in = 2, .bytes_in = 3,
		.duration_sec = 4, .duration_nsec = 5, .n_bands = 1, .bands = bands};
	struct meter_band band = {.type = OFPMBT_DROP, .rate = 100, .burst = 50};
	struct meter_config cfg = {.meter_id = 4, .flags = OFPMF_KBPS | OFPMF_BURST}, copy;
	struct sbuf out = SBUF_INITIALIZER;

	ONE_ENTRY(&out, OFP13_VERSION, METER_STATS, MSG_OFPST, meter_stats_put(&mp, &mc));
	assert_bytes(&out, "0413004800001234 0009000000000000 00000003 0038 000000000000 00000001"
		"0000000000000002 0000000000000003 00000004 00000005"
		"0000000000000005 0000000000000006", "stats");
	sbuf_clear(&out);
	vec_push(&cfg.bands, band);
	meter_config_clone(&copy, &cfg);
	meter_config_uninit(&cfg);
	ONE_ENTRY(&out, OFP13_VERSION, METER_CONFIG, MSG_OFPST, meter_config_put(&mp, &copy));
	assert_bytes(&out, "0413002800001234 000a000000000000 0018 0005 00000004"
		"0001 0010 00000064 00000032 00000000", "config");
	meter_config_uninit(&copy);
	sbuf_uninit(&out);
}

/* ------------------------------------------------------------------ sessions */

static enum ofp_error decode_hex(const char *hex, struct msg *msg, uint8_t **bytes)
{
	size_t len;

	*bytes = bytes_from_hex(hex, &len);
	return msg_decode(*bytes, len, msg);
}

static void test_roles(void **state)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
		enum ofp_role role;
		bool has_id;
		const char *reply;
	} cases[] = {
		{"0418001800000001 00000002 00000000 0000000000000009", OFP_OK, OFPCR_ROLE_PRIMARY,
			true, "0419001800000001 00000002 00000000 0000000000000009"},
		{"0418001800000001 00000000 00000000 0000000000000009", OFP_OK, OFPCR_ROLE_NOCHANGE,
			false, "0419001800000001 00000000 00000000 ffffffffffffffff"},
		{"0418001800000001 00000004 00000000 0000000000000009", OFPRRFC_BAD_ROLE, 0, 0, NULL},
		{"0104001400000001 00002320 0000000a 00000001", OFP_OK, OFPCR_ROLE_PRIMARY, false,
			"0104001400000001 00002320 0000000b 00000001"},
		{"0104001400000001 00002320 0000000a 00000003", OFPRRFC_BAD_ROLE, 0, 0, NULL},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct role_request rr;
		uint8_t *bytes;
		struct msg msg;

		assert_error(decode_hex(cases[i].hex, &msg, &bytes), OFP_OK, cases[i].hex);
		assert_error(role_request_decode(&msg, &rr), cases[i].error, cases[i].hex);
		if (!cases[i].error) {
			assert_int_equal(rr.role, cases[i].role);
			assert_int_equal(rr.has_generation_id, cases[i].has_id);
			role_reply_encode(&msg, &rr, &out);
			assert_bytes(&out, cases[i].reply, "reply");
		}
		sbuf_uninit(&out);
		free(bytes);
	}
}

static void test_async(void **state)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct async_config ac;
	struct msg req, msg;
	uint8_t *bytes;

	/* 1.3: pairs of masks; a miss is a miss. */
	async_config_default(OFP13_VERSION, &ac);
	decode_hex("041c002000000001 00000001 00000002 00000003 00000004 0000000f 00000000", &msg,
		&bytes);
	assert_error(async_config_decode(&msg, &ac), OFP_OK, "1.3");
	assert_int_equal(ac.primary[ASYNC_PACKET_IN], 1u << OFPR_NO_MATCH | 1u << OFPR_EXPLICIT_MISS);
	assert_int_equal(ac.secondary[ASYNC_PACKET_IN], 1u << OFPR_ACTION);
	assert_int_equal(ac.primary[ASYNC_PORT_STATUS], 3);
	free(bytes);
	req = request(OFP13_VERSION, OFPTYPE_GET_ASYNC_REQUEST, MSG_OFPT);
	async_config_encode(&ac, &req, &out);
	assert_bytes(&out, "041b002000001234 00000001 00000002 00000003 00000004 0000000f 00000000",
		"1.3");

	/* 1.4: only what is named. */
	async_config_default(OFP14_VERSION, &ac);
	decode_hex("051c001000000001 0001000800000003", &msg, &bytes);
	assert_error(async_config_decode(&msg, &ac), OFP_OK, "1.4");
	assert_int_equal(ac.primary[ASYNC_PACKET_IN], 3 | 1u << OFPR_EXPLICIT_MISS);
	assert_int_equal(ac.primary[ASYNC_PORT_STATUS], 7);
	free(bytes);
	decode_hex("051c001000000001 0001000800000080", &msg, &bytes);
	assert_error(async_config_decode(&msg, &ac), OFPACFC_INVALID, "1.4");
	free(bytes);
	decode_hex("051c001000000001 0063000800000001", &msg, &bytes);
	assert_error(async_config_decode(&msg, &ac), OFPACFC_UNSUPPORTED, "1.4");
	free(bytes);
	sbuf_uninit(&out);
}

static void test_bundles(void **state)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
		/* A flow_mod inside. */
		{"0522004800000001 00000005 0000 0003" "050e003800000001 0000000000000000"
		 "0000000000000000 00 00 0000 0000 8000 ffffffff ffffffff ffffffff 0000 0000"
		 "0001000400000000", OFP_OK},
		{"0522001400000001 00000005 0000 0003 00000000", OFPBFC_MSG_BAD_LEN},
		{"0522001800000001 00000005 0000 0003 0414000800000001", OFPBFC_BAD_VERSION},
		{"0522001800000001 00000005 0000 0003 0514001000000001", OFPBFC_MSG_BAD_LEN},
		{"0522001800000001 00000005 0000 0003 0514000400000001", OFPBFC_MSG_BAD_LEN},
		{"0522001800000001 00000005 0000 0003 0514000800000002", OFPBFC_MSG_BAD_XID},
		{"0522001800000001 00000005 0000 0003 0514000800000001", OFPBFC_MSG_UNSUP},
		{"0522001800000001 00000005 0000 0003 050e000800000001", OFPBFC_MSG_UNSUP},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct sbuf out = SBUF_INITIALIZER;
		struct bundle_add ba;
		uint8_t *bytes;
		struct msg msg;
		enum ofp_error error;

		assert_error(decode_hex(cases[i].hex, &msg, &bytes), OFP_OK, cases[i].hex);
		error = bundle_add_decode(&msg, &ba);
		assert_error(error, cases[i].error, cases[i].hex);
		if (!error) {
			assert_int_equal(ba.bundle_id, 5);
			assert_int_equal(ba.inner.type, OFPTYPE_FLOW_MOD);
			bundle_add_encode(ba.bundle_id, ba.flags, ba.inner.data, ba.inner.len, &out);
			assert_bytes(&out, cases[i].hex, "bundle");
		}
		sbuf_uninit(&out);
		free(bytes);
	}
}

/* The extension that 1.3 has in their place. */
static void test_bundle_ctrl(void **state)
{
	struct bundle_ctrl bc = {.bundle_id = 5, .type = OFPBCT_OPEN_REQUEST, .flags = 3}, back;
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;

	bundle_ctrl_encode(&bc, OFP13_VERSION, htobe32(1), &out);
	assert_bytes(&out, "0404001800000001 4f4e4600 000008fc 00000005 0000 0003", "1.3");
	msg = msg_from(&out);
	assert_error(bundle_ctrl_decode(&msg, &back), OFP_OK, "1.3");
	assert_int_equal(back.bundle_id, 5);
	sbuf_clear(&out);
	back.type = OFPBCT_OPEN_REPLY;
	bundle_ctrl_reply(&msg, &back, &out);
	assert_bytes(&out, "0404001800000001 4f4e4600 000008fc 00000005 0001 0003", "reply");
	sbuf_uninit(&out);
}

static void test_monitors(void **state)
{
	static const struct {
		const char *hex;
		enum ofp_error error;
	} cases[] = {
		{"0110002800000001 ffff0000 00002320 00000002 00000000"
		 "00000007 003f ffff 0000 ff 0000000000", OFP_OK},
		{"0110002800000001 ffff0000 00002320 00000002 00000000"
		 "00000007 0001 ffff 0000 ff 0000000000", OFPMOFC_BAD_FLAGS},
		{"0110002800000001 ffff0000 00002320 00000002 00000000"
		 "00000007 0042 ffff 0000 ff 0000000000", OFPMOFC_BAD_FLAGS},
		{"0110002800000001 ffff0000 00002320 00000002 00000000"
		 "00000007 0002 ffff 0000 ff 0000000001", NXBRC_MUST_BE_ZERO},
		{"0110002800000001 ffff0000 00002320 00000002 00000000"
		 "00000007 0002 ffff 0008 ff 0000000000", OFPBMC_BAD_LEN},
		{"0512002800000001 0010000000000000 00000007 ffffffff ffffffff 000f ff 00"
		 "0001000400000000", OFP_OK},
		{"0512002800000001 0010000000000000 00000007 ffffffff ffffffff 000f ff 03"
		 "0001000400000000", OFPMOFC_BAD_COMMAND},
		{"0512002800000001 0010000000000000 00000007 ffffffff ffffffff 0000 ff 02"
		 "0001000400000000", OFP_OK},
	};

	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct monitor_request mr;
		uint8_t *bytes;
		struct cursor c;
		struct msg msg;
		bool more;
		enum ofp_error error;

		assert_error(decode_hex(cases[i].hex, &msg, &bytes), OFP_OK, cases[i].hex);
		c = msg.body;
		error = monitor_request_take(&msg, &c, &mr, &more);
		assert_error(error, cases[i].error, cases[i].hex);
		if (!error) {
			assert_int_equal(mr.id, 7);
			assert_error(monitor_request_take(&msg, &c, &mr, &more), OFP_OK, "end");
			assert_false(more);
		}
		free(bytes);
	}
}

static void test_monitor_update(void **state)
{
	struct match match;
	struct monitor_update mu = {.event = MONITOR_EVENT_INITIAL, .table_id = 3, .priority = 9,
		.cookie = htobe64(4), .match = &match};
	struct sbuf out = SBUF_INITIALIZER;

	memset(&match, 0, sizeof match);
	ONE_ENTRY(&out, OFP10_VERSION, FLOW_MONITOR, MSG_NXST, monitor_update_put(&mp, &mu));
	assert_bytes(&out, "0111003000001234 ffff0000 00002320 00000002 00000000"
		"0018 0000 0000 0009 0000 0000 0000 03 00 0000000000000004", "1.0");
	sbuf_clear(&out);
	ONE_ENTRY(&out, OFP14_VERSION, FLOW_MONITOR, MSG_OFPST, monitor_update_put(&mp, &mu));
	assert_bytes(&out, "0513003000001234 0010000000000000"
		"0020 0000 03 00 0000 0000 0009 00000000 0000000000000004 0001000400000000", "1.4");
	sbuf_clear(&out);
	mu.event = MONITOR_EVENT_ABBREV;
	mu.xid = htobe32(0x77);
	ONE_ENTRY(&out, OFP14_VERSION, FLOW_MONITOR, MSG_OFPST, monitor_update_put(&mp, &mu));
	assert_bytes(&out, "0513001800001234 0010000000000000 0008 0004 00000077", "abbreviated");
	sbuf_uninit(&out);
}

static void test_nicira(void **state)
{
	enum packet_in_format format;
	struct tlv_table_mod tm;
	uint8_t *bytes;
	struct msg msg;
	bool on;
	int zone;
	uint16_t id;

	decode_hex("0104001400000001 00002320 0000000c 00000002", &msg, &bytes);
	assert_error(flow_format_decode(&msg, &on), OFP_OK, "format");
	assert_true(on);
	bytes[19] = 1;
	assert_error(flow_format_decode(&msg, &on), OFPBRC_EPERM, "format");
	free(bytes);

	decode_hex("0404001400000001 00002320 00000010 00000002", &msg, &bytes);
	assert_error(packet_in_format_decode(&msg, &format), OFP_OK, "packet-in");
	assert_int_equal(format, PACKET_IN_NXT2);
	bytes[19] = 3;
	assert_error(packet_in_format_decode(&msg, &format), OFPBRC_EPERM, "packet-in");
	free(bytes);

	decode_hex("0404001800000001 00002320 00000014 000000000000 0005", &msg, &bytes);
	assert_error(controller_id_decode(&msg, &id), OFP_OK, "id");
	assert_int_equal(id, 5);
	bytes[16] = 1;
	assert_error(controller_id_decode(&msg, &id), NXBRC_MUST_BE_ZERO, "id");
	free(bytes);

	decode_hex("0404002000000001 00002320 00000018 0000 000000000000 0102 03 08 0007 0000", &msg,
		&bytes);
	assert_error(tlv_table_mod_decode(&msg, &tm), OFP_OK, "tlv");
	assert_int_equal(tm.mappings.n, 1);
	assert_int_equal(tm.mappings.items[0].index, 7);
	tlv_table_mod_uninit(&tm);
	bytes[27] = 5;
	assert_error(tlv_table_mod_decode(&msg, &tm), NXTTMFC_BAD_OPT_LEN, "tlv");
	bytes[27] = 128;
	assert_error(tlv_table_mod_decode(&msg, &tm), NXTTMFC_BAD_OPT_LEN, "tlv");
	bytes[27] = 124;
	bytes[29] = 64;
	assert_error(tlv_table_mod_decode(&msg, &tm), NXTTMFC_BAD_FIELD_IDX, "tlv");
	bytes[17] = 3;
	assert_error(tlv_table_mod_decode(&msg, &tm), NXTTMFC_BAD_COMMAND, "tlv");
	free(bytes);

	decode_hex("0404001800000001 00002320 0000001d 000000000000 0009", &msg, &bytes);
	assert_error(ct_flush_decode(&msg, &zone), OFP_OK, "zone");
	assert_int_equal(zone, 9);
	free(bytes);
	decode_hex("0404001800000001 00002320 00000020 0000000000000000", &msg, &bytes);
	assert_error(ct_flush_decode(&msg, &zone), OFP_OK, "all");
	assert_int_equal(zone, -1);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_features_full),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_desc),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_port_stats),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_table_stats),
		cmocka_unit_test(test_table_features),
		cmocka_unit_test(test_table_mod),
		cmocka_unit_test(test_group_stats),
		cmocka_unit_test(test_meter_stats),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_async),
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_bundle_ctrl),
		cmocka_unit_test(test_monitors),
		cmocka_unit_test(test_monitor_update),
		cmocka_unit_test(test_nicira),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
