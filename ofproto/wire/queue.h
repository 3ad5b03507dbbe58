/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Queues: queue_get_config (1.0 to 1.3), queue desc (1.4+), requests for statistics. Pure functions,
 * any thread.
 */

#include "ofproto/wire/msg.h"

struct queue_config {
	ofp_port_t port;
	uint32_t queue;
	uint16_t min_rate;	/* 1/10 %; UINT16_MAX: not set. */
	uint16_t max_rate;
};

/* OFPTYPE_QUEUE_GET_CONFIG_REQUEST. QUEUE: OFP_QUEUE_ALL in versions before 1.4. */
enum ofp_error queue_config_request_decode(const struct msg *msg, ofp_port_t *port, uint32_t *queue);
/* The whole reply: N queues of PORT. */
void queue_config_encode(const struct msg *request, ofp_port_t port, const struct queue_config *queues,
	size_t n, struct sbuf *out);

struct queue_stats_request {
	ofp_port_t port;	/* OFPP_NONE: all. */
	uint32_t queue;		/* OFP_QUEUE_ALL: all. */
};
enum ofp_error queue_stats_request_decode(const struct msg *msg, struct queue_stats_request *qsr);
