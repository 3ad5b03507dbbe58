/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/handler.h"

#include "lib/clock.h"
#include "lib/coverage.h"
#include "lib/log.h"

COVERAGE_DEFINE(ofproto_recv_openflow);

LOG_MODULE(ofproto);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);

static enum ofp_error ignore(struct of_session *session, const struct msg *msg)
{
	return OFP_OK;
}

/* Switches don't take errors, which is said. One about an error is let go: two peers that answer each
 * other's errors would not come to an end. */
static enum ofp_error handle_error(struct of_session *session, const struct msg *msg)
{
	struct error_msg error;
	enum ofp_error refused = error_decode(msg, &error);

	if (refused)
		return refused;
	log_info_rl(&rl, "%s: peer sent error %s", session->name, ofp_error_name(error.error));
	if (error.payload_len >= OFP_HEADER_LEN &&
		msg_header_type(error.payload) == msg_header_type(msg->data))
		return OFP_OK;
	return OFPBRC_BAD_TYPE;
}

/* Flow export has no counts to give before it is configured. */
static enum ofp_error handle_ipfix_stats(struct of_session *session, const struct msg *msg)
{
	return NXST_NOT_CONFIGURED;
}

static handler_fn *const handlers[OFP_N_TYPES] = {
	[OFPTYPE_HELLO] = ignore,
	[OFPTYPE_ERROR] = handle_error,
	[OFPTYPE_ECHO_REQUEST] = handle_echo_request,
	[OFPTYPE_ECHO_REPLY] = ignore,
	[OFPTYPE_FEATURES_REQUEST] = handle_features_request,
	[OFPTYPE_GET_CONFIG_REQUEST] = handle_get_config,
	[OFPTYPE_SET_CONFIG] = handle_set_config,
	[OFPTYPE_PACKET_OUT] = handle_packet_out,
	[OFPTYPE_FLOW_MOD] = handle_flow_mod,
	[OFPTYPE_GROUP_MOD] = handle_group_mod,
	[OFPTYPE_PORT_MOD] = handle_port_mod,
	[OFPTYPE_TABLE_MOD] = handle_table_mod,
	[OFPTYPE_METER_MOD] = handle_meter_mod,
	[OFPTYPE_BARRIER_REQUEST] = handle_barrier,
	[OFPTYPE_QUEUE_GET_CONFIG_REQUEST] = handle_queue_config_request,
	[OFPTYPE_ROLE_REQUEST] = handle_role_request,
	[OFPTYPE_GET_ASYNC_REQUEST] = handle_get_async,
	[OFPTYPE_SET_ASYNC_CONFIG] = handle_set_async,
	[OFPTYPE_BUNDLE_CONTROL] = handle_bundle_control,
	[OFPTYPE_BUNDLE_ADD_MESSAGE] = handle_bundle_add,
	[OFPTYPE_DESC_REQUEST] = handle_desc_request,
	[OFPTYPE_FLOW_STATS_REQUEST] = handle_flow_stats_request,
	[OFPTYPE_AGGREGATE_REQUEST] = handle_aggregate_request,
	[OFPTYPE_TABLE_STATS_REQUEST] = handle_table_stats_request,
	[OFPTYPE_PORT_STATS_REQUEST] = handle_port_stats_request,
	[OFPTYPE_QUEUE_STATS_REQUEST] = handle_queue_stats_request,
	[OFPTYPE_GROUP_STATS_REQUEST] = handle_group_stats_request,
	[OFPTYPE_GROUP_DESC_REQUEST] = handle_group_desc_request,
	[OFPTYPE_GROUP_FEATURES_REQUEST] = handle_group_features_request,
	[OFPTYPE_METER_STATS_REQUEST] = handle_meter_stats_request,
	[OFPTYPE_METER_CONFIG_REQUEST] = handle_meter_config_request,
	[OFPTYPE_METER_FEATURES_REQUEST] = handle_meter_features_request,
	[OFPTYPE_TABLE_FEATURES_REQUEST] = handle_table_features_request,
	[OFPTYPE_TABLE_DESC_REQUEST] = handle_table_desc_request,
	[OFPTYPE_PORT_DESC_REQUEST] = handle_port_desc_request,
	[OFPTYPE_FLOW_MONITOR_REQUEST] = handle_flow_monitor_request,
	[OFPTYPE_IPFIX_BRIDGE_STATS_REQUEST] = handle_ipfix_stats,
	[OFPTYPE_IPFIX_FLOW_STATS_REQUEST] = handle_ipfix_stats,
	[OFPTYPE_SET_FLOW_FORMAT] = handle_flow_format,
	[OFPTYPE_FLOW_MOD_TABLE_ID] = handle_flow_mod_table_id,
	[OFPTYPE_SET_PACKET_IN_FORMAT] = handle_packet_in_format,
	[OFPTYPE_FLOW_AGE] = ignore,
	[OFPTYPE_SET_CONTROLLER_ID] = handle_controller_id,
	[OFPTYPE_TLV_TABLE_MOD] = handle_tlv_table_mod,
	[OFPTYPE_TLV_TABLE_REQUEST] = handle_tlv_table_request,
	[OFPTYPE_RESUME] = handle_resume,
	[OFPTYPE_CT_FLUSH_ZONE] = handle_ct_flush,
	[OFPTYPE_CT_FLUSH] = handle_ct_flush,
	[OFPTYPE_FLOW_MONITOR_CANCEL] = handle_flow_monitor_cancel,
};

/* Requests that any peer may send, a controller that is not to be trusted with the switch too. */
static bool proves_nothing(enum ofp_type type)
{
	switch (type) {
	case OFPTYPE_HELLO:
	case OFPTYPE_ERROR:
	case OFPTYPE_ECHO_REQUEST:
	case OFPTYPE_ECHO_REPLY:
	case OFPTYPE_FEATURES_REQUEST:
	case OFPTYPE_GET_CONFIG_REQUEST:
	case OFPTYPE_SET_CONFIG:
	case OFPTYPE_QUEUE_GET_CONFIG_REQUEST:
	case OFPTYPE_GET_ASYNC_REQUEST:
	case OFPTYPE_GROUP_STATS_REQUEST:
	case OFPTYPE_GROUP_DESC_REQUEST:
	case OFPTYPE_GROUP_FEATURES_REQUEST:
	case OFPTYPE_TABLE_FEATURES_REQUEST:
	case OFPTYPE_TABLE_DESC_REQUEST:
		return true;
	default:
		return false;
	}
}

void handle_message(struct of_session *session, const struct msg *msg)
{
	handler_fn *handler = handlers[msg->type];
	enum ofp_error error;

	COVERAGE_INC(ofproto_recv_openflow);
	if (!session->admitted_ms && !proves_nothing(msg->type))
		session->admitted_ms = clock_ms();
	connmgr_session_active(session->ofproto->mgr, session);
	/* Messages that only a switch sends have none. */
	ofproto_use_tlv_map(session->ofproto);
	if (handler)
		error = handler(session, msg);
	else
		error = msg_is_multipart_request(msg) ? OFPBRC_BAD_STAT : OFPBRC_BAD_TYPE;
	if (error)
		of_session_send_error(session, error, msg->data, msg->len);
	ofproto_use_tlv_map(NULL);
}
