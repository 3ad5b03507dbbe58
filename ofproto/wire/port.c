/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/port.h"

#define CONFIG10_ALL 0x7f
#define CONFIG11_ALL (OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN)
#define STATE10_ALL (OFPPS_LINK_DOWN | OFPPS_STP_MASK)
#define STATE11_ALL (OFPPS_LINK_DOWN | OFPPS_BLOCKED | OFPPS_LIVE)

#define PORT_PROP_ETHERNET 0

/* 1.0 lacks the bits from 40 Gb/s to "other". */
static uint32_t features_to_10(uint32_t f)
{
	return (f & 0x7f) | (f & 0xf800) >> 4;
}

static uint32_t features_from_10(uint32_t f)
{
	return (f & 0x7f) | (f & 0xf80) << 4;
}

static uint32_t features_to_kbps(uint32_t f)
{
	static const struct {
		uint32_t bits, kbps;
	} speeds[] = {
		{OFPPF_1TB_FD, 1000000000},
		{OFPPF_100GB_FD, 100000000},
		{OFPPF_40GB_FD, 40000000},
		{OFPPF_10GB_FD, 10000000},
		{OFPPF_1GB_HD | OFPPF_1GB_FD, 1000000},
		{OFPPF_100MB_HD | OFPPF_100MB_FD, 100000},
		{OFPPF_10MB_HD | OFPPF_10MB_FD, 10000},
	};

	for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
		if (f & speeds[i].bits)
			return speeds[i].kbps;
	return 0;
}

/* ------------------------------------------------------------------ description */

static void put_desc10(struct sbuf *out, const struct port_desc *pd)
{
	put_u16(out, ofp_port_to_16(pd->port));
	sbuf_put(out, &pd->hw_addr, 6);
	put_string(out, pd->name, OFP_PORT_NAME_LEN);
	put_u32(out, pd->config & CONFIG10_ALL);
	put_u32(out, pd->state & STATE10_ALL);
	put_u32(out, features_to_10(pd->curr));
	put_u32(out, features_to_10(pd->advertised));
	put_u32(out, features_to_10(pd->supported));
	put_u32(out, features_to_10(pd->peer));
}

static void put_features11(struct sbuf *out, const struct port_desc *pd)
{
	put_u32(out, pd->curr & 0xffff);
	put_u32(out, pd->advertised & 0xffff);
	put_u32(out, pd->supported & 0xffff);
	put_u32(out, pd->peer & 0xffff);
	put_u32(out, pd->curr_speed);
	put_u32(out, pd->max_speed);
}

static void put_desc11(struct sbuf *out, enum ofp_version version, const struct port_desc *pd)
{
	bool v14 = version >= OFP14_VERSION;
	size_t start = out->len, prop;

	put_u32(out, pd->port);
	put_pad(out, 4);
	sbuf_put(out, &pd->hw_addr, 6);
	put_pad(out, 2);
	put_string(out, pd->name, OFP_PORT_NAME_LEN);
	put_u32(out, pd->config & CONFIG11_ALL);
	put_u32(out, pd->state & STATE11_ALL);
	if (!v14) {
		put_features11(out, pd);
		return;
	}
	prop = prop_begin(out, PORT_PROP_ETHERNET);
	put_pad(out, 4);
	put_features11(out, pd);
	prop_end(out, prop);
	put_u16_at(out, start + 4, (uint16_t)(out->len - start));
}

void port_desc_put(struct sbuf *out, enum ofp_version version, const struct port_desc *pd)
{
	if (version == OFP10_VERSION)
		put_desc10(out, pd);
	else
		put_desc11(out, version, pd);
}

static void take_name(struct cursor *c, struct port_desc *pd)
{
	cursor_bytes(c, pd->name, OFP_PORT_NAME_LEN);
	pd->name[OFP_PORT_NAME_LEN - 1] = '\0';
}

static void take_desc10(struct cursor *c, struct port_desc *pd)
{
	ofp_port_from_16(cursor_u16(c), &pd->port);
	cursor_bytes(c, &pd->hw_addr, 6);
	take_name(c, pd);
	pd->config = cursor_u32(c) & CONFIG10_ALL;
	pd->state = cursor_u32(c) & STATE10_ALL;
	pd->curr = features_from_10(cursor_u32(c));
	pd->advertised = features_from_10(cursor_u32(c));
	pd->supported = features_from_10(cursor_u32(c));
	pd->peer = features_from_10(cursor_u32(c));
	pd->curr_speed = features_to_kbps(pd->curr);
	pd->max_speed = features_to_kbps(pd->supported);
}

static void take_features11(struct cursor *c, struct port_desc *pd)
{
	pd->curr = cursor_u32(c) & 0xffff;
	pd->advertised = cursor_u32(c) & 0xffff;
	pd->supported = cursor_u32(c) & 0xffff;
	pd->peer = cursor_u32(c) & 0xffff;
	pd->curr_speed = cursor_u32(c);
	pd->max_speed = cursor_u32(c);
}

static enum ofp_error take_desc_props(struct cursor *c, struct port_desc *pd)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (error || !more)
			return error;
		if (p.type != PORT_PROP_ETHERNET)
			continue;
		if (cursor_left(&p.body) != 28)
			return OFPBPC_BAD_LEN;
		cursor_skip(&p.body, 4);
		take_features11(&p.body, pd);
	}
}

static enum ofp_error take_desc11(struct cursor *c, enum ofp_version version, struct port_desc *pd)
{
	uint32_t port = cursor_u32(c);
	uint16_t len = cursor_u16(c);
	struct cursor props;

	cursor_skip(c, 2);
	cursor_bytes(c, &pd->hw_addr, 6);
	cursor_skip(c, 2);
	take_name(c, pd);
	pd->config = cursor_u32(c) & CONFIG11_ALL;
	pd->state = cursor_u32(c) & STATE11_ALL;
	if (!ofp_port_from_32(port, &pd->port))
		return OFPBAC_BAD_OUT_PORT;
	if (version < OFP14_VERSION) {
		take_features11(c, pd);
		return OFP_OK;
	}
	if (!cursor_ok(c) || len < 40 || len - 40u > cursor_left(c))
		return OFPBRC_BAD_LEN;
	props = cursor_sub(c, len - 40u);
	return take_desc_props(&props, pd);
}

enum ofp_error port_desc_take(struct cursor *c, enum ofp_version version, struct port_desc *pd)
{
	struct port_desc p = {0};
	enum ofp_error error = OFP_OK;

	if (version == OFP10_VERSION)
		take_desc10(c, &p);
	else
		error = take_desc11(c, version, &p);
	if (!error && !cursor_ok(c))
		error = OFPBRC_BAD_LEN;
	if (!error)
		*pd = p;
	return error;
}

enum ofp_error port_desc_request_decode(const struct msg *msg, ofp_port_t *port)
{
	struct cursor c = msg->body;

	*port = OFPP_NONE;
	if (msg->version >= OFP15_VERSION && !ofp_port_from_32(cursor_u32(&c), port))
		return OFPBAC_BAD_OUT_PORT;
	return OFP_OK;
}

/* ------------------------------------------------------------------ port_status */

void port_status_encode(const struct port_desc *pd, enum ofp_port_reason reason,
	enum ofp_version version, struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_PORT_STATUS, MSG_OFPT, OFP_NO_XID);

	put_u8(out, (uint8_t)reason);
	put_pad(out, 7);
	port_desc_put(out, version, pd);
	msg_end(out, start);
}

enum ofp_error port_status_decode(const struct msg *msg, struct port_desc *pd,
	enum ofp_port_reason *reason)
{
	struct cursor c = msg->body;
	uint8_t r = cursor_u8(&c);
	enum ofp_error error;

	if (r >= OFPPR_N_REASONS)
		return NXBRC_BAD_REASON;
	cursor_skip(&c, 7);
	error = port_desc_take(&c, msg->version, pd);
	if (!error)
		*reason = (enum ofp_port_reason)r;
	return error;
}

/* ------------------------------------------------------------------ port_mod */

static enum ofp_error port_mod14_props(struct cursor *c, struct port_mod *pm)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (error || !more)
			return error;
		if (p.type != PORT_PROP_ETHERNET)
			return prop_unknown(p.type);
		error = prop_take_u32(&p, &pm->advertise);
		if (error)
			return error;
		pm->advertise &= 0xffff;
	}
}

static enum ofp_error port_mod11(struct cursor *c, enum ofp_version version, struct port_mod *pm)
{
	uint32_t port = cursor_u32(c);

	cursor_skip(c, 4);
	cursor_bytes(c, &pm->hw_addr, 6);
	cursor_skip(c, 2);
	pm->config = cursor_u32(c) & CONFIG11_ALL;
	pm->mask = cursor_u32(c) & CONFIG11_ALL;
	if (!ofp_port_from_32(port, &pm->port))
		return OFPBAC_BAD_OUT_PORT;
	if (version >= OFP14_VERSION)
		return port_mod14_props(c, pm);
	pm->advertise = cursor_u32(c) & 0xffff;
	return OFP_OK;
}

enum ofp_error port_mod_decode(const struct msg *msg, struct port_mod *pm)
{
	struct cursor c = msg->body;
	struct port_mod p = {0};
	enum ofp_error error = OFP_OK;

	if (msg->version == OFP10_VERSION) {
		ofp_port_from_16(cursor_u16(&c), &p.port);
		cursor_bytes(&c, &p.hw_addr, 6);
		p.config = cursor_u32(&c) & CONFIG10_ALL;
		p.mask = cursor_u32(&c) & CONFIG10_ALL;
		p.advertise = features_from_10(cursor_u32(&c));
	} else {
		error = port_mod11(&c, msg->version, &p);
	}
	if (!error && !cursor_ok(&c))
		error = OFPBRC_BAD_LEN;
	if (error)
		return error;
	p.config &= p.mask;
	*pm = p;
	return OFP_OK;
}

void port_mod_encode(const struct port_mod *pm, enum ofp_version version, be32 xid, struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_PORT_MOD, MSG_OFPT, xid);

	if (version == OFP10_VERSION) {
		put_u16(out, ofp_port_to_16(pm->port));
		sbuf_put(out, &pm->hw_addr, 6);
		put_u32(out, pm->config & CONFIG10_ALL);
		put_u32(out, pm->mask & CONFIG10_ALL);
		put_u32(out, features_to_10(pm->advertise));
		put_pad(out, 4);
	} else {
		put_u32(out, pm->port);
		put_pad(out, 4);
		sbuf_put(out, &pm->hw_addr, 6);
		put_pad(out, 2);
		put_u32(out, pm->config & CONFIG11_ALL);
		put_u32(out, pm->mask & CONFIG11_ALL);
		if (version < OFP14_VERSION) {
			put_u32(out, pm->advertise);
			put_pad(out, 4);
		} else if (pm->advertise) {
			prop_put_u32(out, PORT_PROP_ETHERNET, pm->advertise);
		}
	}
	msg_end(out, start);
}

/* ------------------------------------------------------------------ statistics */

enum ofp_error port_stats_request_decode(const struct msg *msg, ofp_port_t *port)
{
	struct cursor c = msg->body;

	if (msg->version == OFP10_VERSION)
		ofp_port_from_16(cursor_u16(&c), port);
	else if (!ofp_port_from_32(cursor_u32(&c), port))
		return OFPBAC_BAD_OUT_PORT;
	return OFP_OK;
}

static void put_counters(struct sbuf *out, const struct port_stats *ps)
{
	put_u64(out, ps->rx_packets);
	put_u64(out, ps->tx_packets);
	put_u64(out, ps->rx_bytes);
	put_u64(out, ps->tx_bytes);
	put_u64(out, ps->rx_dropped);
	put_u64(out, ps->tx_dropped);
	put_u64(out, ps->rx_errors);
	put_u64(out, ps->tx_errors);
}

static void put_ethernet_counters(struct sbuf *out, const struct port_stats *ps)
{
	put_u64(out, ps->rx_frame_err);
	put_u64(out, ps->rx_over_err);
	put_u64(out, ps->rx_crc_err);
	put_u64(out, ps->collisions);
}

static void put_stats14(struct sbuf *out, const struct port_stats *ps)
{
	size_t start = out->len, prop;

	put_pad(out, 4);
	put_u32(out, ps->port);
	put_u32(out, ps->duration_sec);
	put_u32(out, ps->duration_nsec);
	put_counters(out, ps);
	prop = prop_begin(out, PORT_PROP_ETHERNET);
	put_pad(out, 4);
	put_ethernet_counters(out, ps);
	prop_end(out, prop);
	put_u16_at(out, start, (uint16_t)(out->len - start));
}

void port_stats_put(struct mp_reply *mp, const struct port_stats *ps)
{
	struct sbuf *out = mp->out;

	mp_entry_begin(mp);
	if (mp->version >= OFP14_VERSION) {
		put_stats14(out, ps);
	} else {
		if (mp->version == OFP10_VERSION) {
			put_u16(out, ofp_port_to_16(ps->port));
			put_pad(out, 6);
		} else {
			put_u32(out, ps->port);
			put_pad(out, 4);
		}
		put_counters(out, ps);
		put_ethernet_counters(out, ps);
		if (mp->version == OFP13_VERSION) {
			put_u32(out, ps->duration_sec);
			put_u32(out, ps->duration_nsec);
		}
	}
	mp_entry_end(mp);
}
