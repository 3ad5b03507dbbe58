/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "ofproto/agent/async.h"
#include "ofproto/agent/handler.h"
#include "ofproto/wire/nicira.h"


enum ofp_error handle_echo_request(struct of_session *session, const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;

	msg_put_echo_reply(&out, msg);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* Everything before it is done already: changes are published as they are handled. */
enum ofp_error handle_barrier(struct of_session *session, const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;

	msg_put_barrier_reply(&out, msg);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_features_request(struct of_session *session, const struct msg *msg)
{
	struct switch_features features = {
		.datapath_id = session->ofproto->dpid,
		.n_tables = OF_N_VISIBLE_TABLES,
		.capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS |
			OFPC_QUEUE_STATS | OFPC_GROUP_STATS | OFPC_ARP_MATCH_IP | OFPC_BUNDLES,
	};
	struct sbuf out = SBUF_INITIALIZER;
	struct of_port **ports;
	size_t n, i, handle;

	if (session->ofproto->stp || session->ofproto->rstp)
		features.capabilities |= OFPC_STP | OFPC_PORT_BLOCKED;
	handle = features_begin(&features, msg, &out);
	ports = ofproto_ports_sorted(session->ofproto, &n);
	for (i = 0; i < n; i++) {
		struct port_desc desc;

		ofproto_port_describe(ports[i], &desc);
		features_port(msg, handle, &desc, &out);
	}
	free(ports);
	msg_end(&out, handle);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* ------------------------------------------------------------------ switch configuration */

static bool session_wants_invalid_ttl(const struct of_session *session)
{
	struct async_config config;

	async_session_config(session, &config);
	return config.primary[ASYNC_PACKET_IN] >> OFPR_INVALID_TTL & 1;
}

static void session_set_invalid_ttl(struct of_session *session, bool on)
{
	struct async_config config;

	async_session_config(session, &config);
	config.primary[ASYNC_PACKET_IN] &= ~(1u << OFPR_INVALID_TTL);
	config.primary[ASYNC_PACKET_IN] |= (uint32_t)on << OFPR_INVALID_TTL;
	async_session_set_config(session, &config);
}

enum ofp_error handle_get_config(struct of_session *session, const struct msg *msg)
{
	struct switch_config config = {
		.frag = session->ofproto->frag,
		.invalid_ttl_to_controller = session_wants_invalid_ttl(session),
		.miss_send_len = session->miss_send_len,
	};
	struct sbuf out = SBUF_INITIALIZER;

	config_encode(&config, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_set_config(struct of_session *session, const struct msg *msg)
{
	struct switch_config config;
	enum ofp_error error;

	error = config_decode(msg, &config);
	if (error)
		return error;
	if (session->is_service || session->role != OFPCR_ROLE_SECONDARY)
		ofproto_set_frag(session->ofproto, config.frag);
	if (config.invalid_ttl_to_controller >= 0)
		session_set_invalid_ttl(session, config.invalid_ttl_to_controller != 0);
	session->miss_send_len = config.miss_send_len;
	return OFP_OK;
}

enum ofp_error handle_desc_request(struct of_session *session, const struct msg *msg)
{
	const struct ofproto *ofproto = session->ofproto;
	struct switch_desc desc = {
		.mfr = ofproto->mfr ? ofproto->mfr : "Nicira, Inc.",
		.hw = ofproto->hw ? ofproto->hw : "Open vSwitch",
		.sw = ofproto->sw ? ofproto->sw : SLUICE_VERSION,
		.serial = ofproto->serial ? ofproto->serial : "None",
		.dp = ofproto->dp_desc ? ofproto->dp_desc : "None",
	};
	struct sbuf out = SBUF_INITIALIZER;

	desc_encode(&desc, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* ------------------------------------------------------------------ session settings */

enum ofp_error handle_get_async(struct of_session *session, const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct async_config config;

	async_session_config(session, &config);
	async_config_encode(&config, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_set_async(struct of_session *session, const struct msg *msg)
{
	struct async_config config;
	enum ofp_error error;

	async_session_config(session, &config);
	error = async_config_decode(msg, &config);
	if (error)
		return error;
	async_session_set_config(session, &config);
	if (session->is_service && !session->miss_send_len)
		session->miss_send_len = OFP_DEFAULT_MISS_SEND_LEN;
	return OFP_OK;
}

enum ofp_error handle_flow_format(struct of_session *session, const struct msg *msg)
{
	return flow_format_decode(msg, &session->format.nxm);
}

enum ofp_error handle_flow_mod_table_id(struct of_session *session, const struct msg *msg)
{
	return flow_mod_table_id_decode(msg, &session->format.table_id);
}

enum ofp_error handle_packet_in_format(struct of_session *session, const struct msg *msg)
{
	return packet_in_format_decode(msg, &session->packet_in_format);
}

enum ofp_error handle_controller_id(struct of_session *session, const struct msg *msg)
{
	return controller_id_decode(msg, &session->controller_id);
}

/* ------------------------------------------------------------------ what there is not */

/* No connections are tracked, so there is nothing to flush. */
enum ofp_error handle_ct_flush(struct of_session *session, const struct msg *msg)
{
	int zone;

	return ct_flush_decode(msg, &zone);
}
