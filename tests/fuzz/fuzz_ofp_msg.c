/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as OpenFlow messages: every decoder stays inside them; what is accepted can be encoded, and
 * what was encoded is accepted again.
 *
 * Input: messages one behind the other, as a controller sends them.
 */

#include <stdlib.h>
#include <string.h>

#include "ofproto/wire/action.h"
#include "ofproto/wire/async.h"
#include "ofproto/wire/bundle.h"
#include "ofproto/wire/hello.h"
#include "ofproto/wire/multipart.h"
#include "ofproto/wire/nicira.h"
#include "ofproto/wire/packet_in.h"
#include "ofproto/wire/packet_out.h"
#include "ofproto/wire/role.h"
#include "tests/fuzz/fuzz.h"

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* Longer ones than a message can be do not count: some actions grow. */
static bool again(const struct sbuf *out, struct msg *msg)
{
	if (out->len > OFP_MAX_MSG_LEN)
		return false;
	require(!msg_decode(out->data, out->len, msg));
	return true;
}

static void dump_flow(const struct flow_mod *fm, enum ofp_version version, enum msg_family family)
{
	struct msg request = {.version = version, .type = OFPTYPE_FLOW_STATS_REQUEST,
		.family = family};
	struct flow_stats fs = {.match = &fm->match, .priority = fm->priority,
		.acts = flow_mod_acts(fm), .acts_len = flow_mod_acts_len(fm), .idle_age = -1,
		.hard_age = -1};
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;

	mp_begin(&mp, &out, &request);
	flow_stats_put(&mp, &fs);
	mp_end(&mp);
	sbuf_uninit(&out);
}

/*
 * Whether FM must come back when it is written and read again. Instructions may not; nor do setters of MAC
 * addresses from OpenFlow 1.0, written as set_field later, where a match says that the packet has no Ethernet
 * header: the old ones ask for nothing, as in Open vSwitch.
 */
static bool comes_back(const struct flow_mod *fm)
{
	const struct act *a;

	ACT_FOR_EACH (a, flow_mod_acts(fm), flow_mod_acts_len(fm))
		if (a->type >= ACT_METER)
			return false;
	return !fm->match.flow.packet_type;
}

/* That there is no tag has two masks that say the same: the whole TCI's (OpenFlow 1.0 and 1.1), and the one
 * without the priority (OXM). */
static void use_one_mask_of_no_tag(struct match *match)
{
	be16 *mask = &match->mask.vlans[0].tci;

	if (*mask & htobe16(VLAN_PRESENT) && !match->flow.vlans[0].tci)
		*mask = htobe16(0x1fff);
}

static void try_flow_mod(const struct msg *msg)
{
	struct flow_format format = {.version = msg->version, .nxm = msg->family == MSG_NXT,
		.table_id = msg->version == OFP10_VERSION};
	struct sbuf out = SBUF_INITIALIZER;
	struct flow_mod fm, fm2;
	struct msg msg2;

	if (flow_mod_decode(msg, &format, &fm))
		return;
	/* Nicira's flow_mod in later versions is not for sending. */
	if (msg->family == MSG_OFPT || msg->version == OFP10_VERSION) {
		flow_mod_encode(&fm, &format, msg->xid, &out);
		if (again(&out, &msg2) && comes_back(&fm)) {
			format.nxm = msg2.family == MSG_NXT;
			require(!flow_mod_decode(&msg2, &format, &fm2));
			require(flow_equal(&fm.match.flow, &fm2.match.flow));
			use_one_mask_of_no_tag(&fm.match);
			use_one_mask_of_no_tag(&fm2.match);
			require(flow_equal(&fm.match.mask, &fm2.match.mask));
			flow_mod_uninit(&fm2);
		}
	}
	for (int v = OFP10_VERSION; v <= OFP15_VERSION; v++)
		dump_flow(&fm, (enum ofp_version)v, MSG_OFPST);
	dump_flow(&fm, OFP10_VERSION, MSG_NXST);
	flow_mod_uninit(&fm);
	sbuf_uninit(&out);
}

static void try_group_mod(const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct group_mod gm, gm2;
	struct msg msg2;

	if (group_mod_decode(msg, &gm))
		return;
	group_mod_encode(&gm, msg->version, msg->xid, &out);
	if (again(&out, &msg2)) {
		require(!group_mod_decode(&msg2, &gm2));
		require(gm.buckets.n == gm2.buckets.n);
		group_mod_uninit(&gm2);
	}
	group_mod_uninit(&gm);
	sbuf_uninit(&out);
}

static void try_packets(const struct msg *msg)
{
	struct packet_in_decoded d;
	struct sbuf out = SBUF_INITIALIZER;
	struct packet_out po;

	if (msg->type == OFPTYPE_PACKET_OUT) {
		if (!packet_out_decode(msg, &po)) {
			packet_out_encode(&po, msg->version, msg->xid, &out);
			packet_out_uninit(&po);
		}
	} else if (!packet_in_decode(msg, &d)) {
		for (int f = PACKET_IN_STANDARD; f <= PACKET_IN_NXT2; f++)
			packet_in_encode(&d.pin, msg->version, (enum packet_in_format)f, &out);
		packet_in_decoded_uninit(&d);
	}
	sbuf_uninit(&out);
}

static void try_stats_reply(const struct msg *msg)
{
	struct cursor c = msg->body;
	struct act_builder acts;
	struct flow_stats fs;
	struct match match;
	bool more = true;

	act_builder_init(&acts);
	while (more && !flow_stats_take(msg, &c, &fs, &match, &acts, &more))
		;
	act_builder_uninit(&acts);
}

static void try_lists(const struct msg *msg)
{
	struct cursor c = msg->body;
	struct table_features_request tfr;
	struct monitor_request mr;
	bool more = true;

	if (msg->type == OFPTYPE_FLOW_MONITOR_REQUEST)
		while (more && !monitor_request_take(msg, &c, &mr, &more))
			;
	else
		while (more && !table_features_request_take(msg, &c, &tfr, &more))
			;
}

static void try_settings(const struct msg *msg)
{
	struct async_config ac;
	struct tlv_table_mod tm;
	struct port_desc pd;
	enum ofp_port_reason reason;
	struct switch_config sc;
	struct role_request rr;
	struct table_mod table;
	struct meter_mod mm;
	struct port_mod pm;
	struct error_msg e;
	uint32_t versions;
	bool warn;
	int zone;

	switch (msg->type) {
	case OFPTYPE_HELLO:
		hello_decode(msg, &versions, &warn);
		require(versions);
		break;
	case OFPTYPE_ERROR:
		error_decode(msg, &e);
		break;
	case OFPTYPE_SET_ASYNC_CONFIG:
		async_config_default(msg->version, &ac);
		async_config_decode(msg, &ac);
		break;
	case OFPTYPE_TLV_TABLE_MOD:
		if (!tlv_table_mod_decode(msg, &tm))
			tlv_table_mod_uninit(&tm);
		break;
	case OFPTYPE_PORT_STATUS:
		port_status_decode(msg, &pd, &reason);
		break;
	case OFPTYPE_SET_CONFIG:
		config_decode(msg, &sc);
		break;
	case OFPTYPE_ROLE_REQUEST:
		role_request_decode(msg, &rr);
		break;
	case OFPTYPE_TABLE_MOD:
		table_mod_decode(msg, &table);
		break;
	case OFPTYPE_METER_MOD:
		if (!meter_mod_decode(msg, &mm))
			meter_mod_uninit(&mm);
		break;
	case OFPTYPE_PORT_MOD:
		port_mod_decode(msg, &pm);
		break;
	case OFPTYPE_CT_FLUSH:
	case OFPTYPE_CT_FLUSH_ZONE:
		ct_flush_decode(msg, &zone);
		break;
	default:
		break;
	}
}

static void try_requests(const struct msg *msg)
{
	struct flow_stats_request fsr;
	struct aggregate_stats as;
	struct queue_stats_request qsr;
	struct flow_removed fr;
	struct bundle_ctrl bc;
	struct bundle_add ba;
	ofp_port_t port;
	uint32_t id;

	switch (msg->type) {
	case OFPTYPE_FLOW_STATS_REQUEST:
	case OFPTYPE_AGGREGATE_REQUEST:
		flow_stats_request_decode(msg, &fsr);
		break;
	case OFPTYPE_AGGREGATE_REPLY:
		aggregate_stats_decode(msg, &as);
		break;
	case OFPTYPE_QUEUE_STATS_REQUEST:
		queue_stats_request_decode(msg, &qsr);
		break;
	case OFPTYPE_QUEUE_GET_CONFIG_REQUEST:
		queue_config_request_decode(msg, &port, &id);
		break;
	case OFPTYPE_PORT_STATS_REQUEST:
		port_stats_request_decode(msg, &port);
		break;
	case OFPTYPE_GROUP_STATS_REQUEST:
	case OFPTYPE_GROUP_DESC_REQUEST:
		group_request_decode(msg, &id);
		break;
	case OFPTYPE_FLOW_REMOVED:
		flow_removed_decode(msg, &fr);
		break;
	case OFPTYPE_BUNDLE_CONTROL:
		bundle_ctrl_decode(msg, &bc);
		break;
	case OFPTYPE_BUNDLE_ADD_MESSAGE:
		if (!bundle_add_decode(msg, &ba))
			require(ba.inner.version == msg->version);
		break;
	default:
		break;
	}
}

static void try_msg(const struct msg *msg)
{
	switch (msg->type) {
	case OFPTYPE_FLOW_MOD:
		try_flow_mod(msg);
		break;
	case OFPTYPE_GROUP_MOD:
		try_group_mod(msg);
		break;
	case OFPTYPE_PACKET_OUT:
	case OFPTYPE_PACKET_IN:
	case OFPTYPE_RESUME:
		try_packets(msg);
		break;
	case OFPTYPE_FLOW_STATS_REPLY:
		try_stats_reply(msg);
		break;
	case OFPTYPE_TABLE_FEATURES_REQUEST:
	case OFPTYPE_FLOW_MONITOR_REQUEST:
		try_lists(msg);
		break;
	default:
		try_settings(msg);
		try_requests(msg);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	while (size >= OFP_HEADER_LEN) {
		size_t len = msg_header_len(data);
		struct sbuf error_msg = SBUF_INITIALIZER;
		enum ofp_error error;
		struct msg msg;
		uint8_t *exact;

		if (len < OFP_HEADER_LEN || len > size)
			len = size > OFP_MAX_MSG_LEN ? OFP_MAX_MSG_LEN : size;
		exact = malloc(len);
		if (!exact)
			break;
		memcpy(exact, data, len);
		error = msg_decode(exact, len, &msg);
		if (error)
			error_encode(error, exact, len, &error_msg);
		else
			try_msg(&msg);
		sbuf_uninit(&error_msg);
		free(exact);
		data += len;
		size -= len;
	}
	return 0;
}
