/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/queue.h"

#define RATE_UNSET UINT16_MAX

enum {
	QUEUE_PROP_MIN_RATE = 1,
	QUEUE_PROP_MAX_RATE = 2,
};

/* ------------------------------------------------------------------ configuration */

enum ofp_error queue_config_request_decode(const struct msg *msg, ofp_port_t *port, uint32_t *queue)
{
	struct cursor c = msg->body;

	*queue = OFP_QUEUE_ALL;
	if (msg->version == OFP10_VERSION)
		ofp_port_from_16(cursor_u16(&c), port);
	else if (!ofp_port_from_32(cursor_u32(&c), port))
		return OFPBAC_BAD_OUT_PORT;
	if (msg->version >= OFP14_VERSION) {
		*queue = cursor_u32(&c);
		return OFP_OK;
	}
	if (msg->version != OFP10_VERSION && *port == OFPP_NONE)
		return OFP_OK;
	return *port <= OFP_PORT_LAST ? OFP_OK : OFPQOFC_BAD_PORT;
}

/* Properties of queues before 1.4 are 16 bytes each. */
static void put_rate10(struct sbuf *out, uint16_t type, uint16_t rate)
{
	if (rate == RATE_UNSET)
		return;
	put_u16(out, type);
	put_u16(out, 16);
	put_pad(out, 4);
	put_u16(out, rate);
	put_pad(out, 6);
}

static void put_queue10(struct sbuf *out, enum ofp_version version, const struct queue_config *q)
{
	size_t start = out->len, len_ofs;

	put_u32(out, q->queue);
	if (version >= OFP12_VERSION)
		put_u32(out, q->port);
	len_ofs = out->len;
	put_pad(out, version >= OFP12_VERSION ? 8 : 4);
	put_rate10(out, QUEUE_PROP_MIN_RATE, q->min_rate);
	put_rate10(out, QUEUE_PROP_MAX_RATE, q->max_rate);
	put_u16_at(out, len_ofs, (uint16_t)(out->len - start));
}

static void put_queue14(struct mp_reply *mp, const struct queue_config *q)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_u32(out, q->port);
	put_u32(out, q->queue);
	put_pad(out, 8);
	if (q->min_rate != RATE_UNSET)
		prop_put_u16(out, QUEUE_PROP_MIN_RATE, q->min_rate);
	if (q->max_rate != RATE_UNSET)
		prop_put_u16(out, QUEUE_PROP_MAX_RATE, q->max_rate);
	put_u16_at(out, start + 8, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

void queue_config_encode(const struct msg *request, ofp_port_t port, const struct queue_config *queues,
	size_t n, struct sbuf *out)
{
	struct mp_reply mp;
	size_t start;

	if (request->version >= OFP14_VERSION) {
		mp_begin(&mp, out, request);
		for (size_t i = 0; i < n; i++)
			put_queue14(&mp, &queues[i]);
		mp_end(&mp);
		return;
	}
	start = msg_begin(out, request->version, OFPTYPE_QUEUE_GET_CONFIG_REPLY, MSG_OFPT,
		request->xid);
	if (request->version == OFP10_VERSION) {
		put_u16(out, ofp_port_to_16(port));
		put_pad(out, 6);
	} else {
		put_u32(out, port);
		put_pad(out, 4);
	}
	for (size_t i = 0; i < n; i++) {
		size_t before = out->len;

		put_queue10(out, request->version, &queues[i]);
		if (out->len - start > OFP_MAX_MSG_LEN) {
			sbuf_truncate(out, before);
			break;
		}
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ statistics */

enum ofp_error queue_stats_request_decode(const struct msg *msg, struct queue_stats_request *qsr)
{
	struct cursor c = msg->body;
	struct queue_stats_request q;

	if (msg->version == OFP10_VERSION) {
		ofp_port_from_16(cursor_u16(&c), &q.port);
		cursor_skip(&c, 2);
		/* 1.0 has no "any". */
		if (q.port == OFPP_ALL)
			q.port = OFPP_NONE;
	} else if (!ofp_port_from_32(cursor_u32(&c), &q.port)) {
		return OFPBAC_BAD_OUT_PORT;
	}
	q.queue = cursor_u32(&c);
	*qsr = q;
	return OFP_OK;
}
