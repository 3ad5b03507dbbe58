/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "ofproto/agent/handler.h"
#include "ofproto/wire/queue.h"

enum ofp_error handle_port_mod(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	struct port_mod pm;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = port_mod_decode(msg, &pm);
	if (error)
		return error;
	error = ofproto_port_mod_check(session->ofproto, &pm);
	if (!error)
		ofproto_port_mod(session->ofproto, &pm, session);
	return error;
}

static void put_port_stats(struct mp_reply *mp, const struct of_port *port)
{
	int64_t age_ms = clock_ms() - port->created_ms;
	struct dp_port_stats dp = { 0 };
	struct port_stats stats = {
		.port = port->ofp_port,
		.duration_sec = (uint32_t)(age_ms / 1000),
		.duration_nsec = (uint32_t)(age_ms % 1000) * 1000000,
	};

	dp_port_stats(port->dp_port, &dp);
	stats.rx_packets = dp.rx_packets;
	stats.tx_packets = dp.tx_packets;
	stats.rx_bytes = dp.rx_bytes;
	stats.tx_bytes = dp.tx_bytes;
	stats.rx_dropped = dp.rx_dropped;
	stats.tx_dropped = dp.tx_dropped;
	stats.rx_errors = dp.rx_errors;
	stats.tx_errors = dp.tx_errors;
	stats.rx_frame_err = dp.rx_frame_errors;
	stats.rx_over_err = dp.rx_over_errors;
	stats.rx_crc_err = dp.rx_crc_errors;
	stats.collisions = dp.collisions;
	if (port->kind != PL_PORT_DEVICE) {
		/* There is no device that would count these. */
		stats.rx_frame_err = stats.rx_over_err = stats.rx_crc_err = OFP_COUNTER_UNKNOWN;
		stats.collisions = OFP_COUNTER_UNKNOWN;
		stats.rx_dropped = stats.tx_dropped = OFP_COUNTER_UNKNOWN;
		stats.rx_errors = stats.tx_errors = OFP_COUNTER_UNKNOWN;
	}
	port_stats_put(mp, &stats);
}

static void put_port_desc(struct mp_reply *mp, const struct of_port *port)
{
	struct port_desc desc;

	ofproto_port_describe(port, &desc);
	mp_entry_begin(mp);
	port_desc_put(mp->out, mp->version, &desc);
	mp_entry_end(mp);
}

/* PORT or, for OFPP_NONE, all ports; one that is not there makes an empty reply. */
static void reply_ports(struct of_session *session, const struct msg *msg, ofp_port_t port,
	void (*put)(struct mp_reply *, const struct of_port *))
{
	struct sbuf out = SBUF_INITIALIZER;
	struct of_port **ports;
	struct mp_reply mp;
	size_t n, i;

	mp_begin(&mp, &out, msg);
	ports = ofproto_ports_sorted(session->ofproto, &n);
	for (i = 0; i < n; i++)
		if (port == OFPP_NONE || port == ports[i]->ofp_port)
			put(&mp, ports[i]);
	free(ports);
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
}

enum ofp_error handle_port_stats_request(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	ofp_port_t port;

	error = port_stats_request_decode(msg, &port);
	if (error)
		return error;
	dp_sweep();
	reply_ports(session, msg, port, put_port_stats);
	return OFP_OK;
}

enum ofp_error handle_port_desc_request(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	ofp_port_t port;

	error = port_desc_request_decode(msg, &port);
	if (error)
		return error;
	reply_ports(session, msg, port, put_port_desc);
	return OFP_OK;
}

/* ------------------------------------------------------------------ queues: ports have none */

enum ofp_error handle_queue_stats_request(struct of_session *session, const struct msg *msg)
{
	struct queue_stats_request request;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;
	enum ofp_error error;

	error = queue_stats_request_decode(msg, &request);
	if (error)
		return error;
	if (request.port != OFPP_NONE && !ofproto_port_get(session->ofproto, request.port))
		return OFPQOFC_BAD_PORT;
	if (request.queue != OFP_QUEUE_ALL)
		return OFPQOFC_BAD_QUEUE;
	mp_begin(&mp, &out, msg);
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_queue_config_request(struct of_session *session, const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;
	enum ofp_error error;
	ofp_port_t port;
	uint32_t queue;

	error = queue_config_request_decode(msg, &port, &queue);
	if (error)
		return error;
	if (port != OFPP_NONE && !ofproto_port_get(session->ofproto, port))
		return OFPQOFC_BAD_PORT;
	if (queue != OFP_QUEUE_ALL)
		return port == OFPP_NONE ? OFPQOFC_BAD_QUEUE : NXQOFC_QUEUE_ERROR;
	queue_config_encode(msg, port, NULL, 0, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
