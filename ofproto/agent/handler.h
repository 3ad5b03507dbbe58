/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a session does with a request: one function a message type, in families by file. Each sends
 * its replies itself and returns the error that is to be sent instead, or OFP_OK.
 *
 * Threads: control only.
 */

#include "ofproto/agent/connmgr.h"

/* Finds and runs the handler for MSG, and sends the error it returns. */
void handle_message(struct of_session *session, const struct msg *msg);
/* OFPBRC_IS_SECONDARY for a session in that role. */
enum ofp_error handler_require_primary(const struct of_session *session);
/* group_mod_decode(), for a controller with the weights checked; ovs-ofctl's scripts may take buckets
 * out of use by weight 0, as with Open vSwitch. */
struct group_mod;
enum ofp_error handler_decode_group_mod(const struct of_session *session, const struct msg *msg,
	struct group_mod *gm);

typedef enum ofp_error handler_fn(struct of_session *session, const struct msg *msg);

/* handler_config.c */
handler_fn handle_echo_request;
handler_fn handle_features_request;
handler_fn handle_get_config;
handler_fn handle_set_config;
handler_fn handle_barrier;
handler_fn handle_role_request;
handler_fn handle_get_async;
handler_fn handle_set_async;
handler_fn handle_flow_format;
handler_fn handle_flow_mod_table_id;
handler_fn handle_packet_in_format;
handler_fn handle_controller_id;
handler_fn handle_desc_request;
handler_fn handle_ct_flush;

/* handler_flow.c */
/* A flow_mod was done: for the log. */
void handler_count_flow_mod(struct of_session *session, uint16_t command);
handler_fn handle_flow_mod;

/* handler_bundle.c */
handler_fn handle_bundle_control;
handler_fn handle_bundle_add;

/* handler_tlv.c */
handler_fn handle_tlv_table_mod;
handler_fn handle_tlv_table_request;

/* monitor.c */
handler_fn handle_flow_monitor_request;
handler_fn handle_flow_monitor_cancel;

/* handler_group.c */
handler_fn handle_group_mod;
handler_fn handle_meter_mod;
handler_fn handle_group_stats_request;
handler_fn handle_group_desc_request;
handler_fn handle_group_features_request;
handler_fn handle_meter_stats_request;
handler_fn handle_meter_config_request;
handler_fn handle_meter_features_request;

/* handler_stats.c */
handler_fn handle_flow_stats_request;
handler_fn handle_aggregate_request;

/* handler_table.c */
struct table_desc;
void handler_describe_table(const struct of_state *state, uint8_t table_id, struct table_desc *td);
handler_fn handle_table_mod;
handler_fn handle_table_stats_request;
handler_fn handle_table_features_request;
handler_fn handle_table_desc_request;

/* handler_packet.c */
handler_fn handle_packet_out;
handler_fn handle_resume;

/* handler_port.c */
handler_fn handle_port_mod;
handler_fn handle_port_stats_request;
handler_fn handle_port_desc_request;
handler_fn handle_queue_stats_request;
handler_fn handle_queue_config_request;
