/* SPDX-License-Identifier: Apache-2.0 */

/* IGMP: RFC 1112, 2236, 3376. MLD: RFC 2710, 3810. */

#include <string.h>

#include "datapath/l2/mcast_private.h"
#include "lib/csum.h"
#include "lib/cursor.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"

/* Types of group records, IGMPv3 and MLDv2 alike. */
enum {
	RECORD_IS_INCLUDE = 1,
	RECORD_IS_EXCLUDE,
	RECORD_TO_INCLUDE,
	RECORD_TO_EXCLUDE,
	RECORD_ALLOW_NEW,
	RECORD_BLOCK_OLD,
};

static struct ipv6_addr mapped(be32 addr)
{
	struct ipv6_addr a = {.w32 = {[2] = htobe32(0xffff), [3] = addr}};

	return a;
}

static unsigned int take_record(const struct mcast_source *source, uint8_t type, uint16_t n_sources,
	const struct ipv6_addr *group)
{
	if (type < RECORD_IS_INCLUDE || type > RECORD_BLOCK_OLD)
		return 0;
	/* To want what comes from no source is to want nothing. */
	if (!n_sources && (type == RECORD_IS_INCLUDE || type == RECORD_TO_INCLUDE))
		return mcast_leave(source, group);
	return mcast_join(source, group);
}

/* ------------------------------------------------------------------ IGMP */

static unsigned int parse_v3_report(const struct mcast_source *source, struct cursor *c)
{
	unsigned int n = 0;

	cursor_skip(c, 2);
	for (unsigned int left = cursor_u16(c); left > 0; left--) {
		uint8_t type = cursor_u8(c), aux_words = cursor_u8(c);
		uint16_t n_sources = cursor_u16(c);
		struct ipv6_addr group = mapped(cursor_be32(c));

		if (!cursor_ok(c))
			break;
		n += take_record(source, type, n_sources, &group);
		cursor_skip(c, n_sources * 4u + aux_words * 4u);
	}
	return n;
}

static unsigned int parse_igmp(const struct mcast_source *source, const struct flow *flow,
	const uint8_t *msg, size_t len)
{
	struct ipv6_addr group;
	struct cursor c;
	uint8_t type;

	if (len < IGMP_HEADER_LEN || csum(msg, len))
		return 0;
	cursor_init(&c, msg, len);
	type = cursor_u8(&c);
	cursor_skip(&c, 3);
	switch (type) {
	case IGMP_QUERY:
		/* One of nobody is a proxy's and tells nothing of a router. */
		return flow->nw_src ? mcast_query(source) : 0;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		group = mapped(cursor_be32(&c));
		return mcast_join(source, &group);
	case IGMP_LEAVE:
		group = mapped(cursor_be32(&c));
		return mcast_leave(source, &group);
	case IGMP_V3_REPORT:
		return parse_v3_report(source, &c);
	default:
		return 0;
	}
}

/* ------------------------------------------------------------------ MLD */

static unsigned int parse_v2_report(const struct mcast_source *source, struct cursor *c)
{
	unsigned int n = 0;

	cursor_skip(c, 2);
	for (unsigned int left = cursor_u16(c); left > 0; left--) {
		uint8_t type = cursor_u8(c), aux_words = cursor_u8(c);
		uint16_t n_sources = cursor_u16(c);
		struct ipv6_addr group;

		cursor_bytes(c, &group, sizeof group);
		if (!cursor_ok(c))
			break;
		n += take_record(source, type, n_sources, &group);
		cursor_skip(c, n_sources * 16u + aux_words * 4u);
	}
	return n;
}

static unsigned int parse_mld(const struct mcast_source *source, const struct flow *flow,
	const uint8_t *msg, size_t len)
{
	uint64_t sum = csum_pseudo_v6(&flow->ipv6_src, &flow->ipv6_dst, IP_P_ICMPV6, (uint32_t)len);
	struct ipv6_addr group;
	struct cursor c;
	uint8_t type;

	if (csum_finish(csum_bytes(sum, msg, len)))
		return 0;
	cursor_init(&c, msg, len);
	type = cursor_u8(&c);
	cursor_skip(&c, 3);
	switch (type) {
	case MLD_QUERY:
		return flow->ipv6_src.w64[0] || flow->ipv6_src.w64[1] ? mcast_query(source) : 0;
	case MLD_REPORT:
	case MLD_DONE:
		cursor_skip(&c, 4);
		cursor_bytes(&c, &group, sizeof group);
		if (!cursor_ok(&c))
			return 0;
		return type == MLD_REPORT ? mcast_join(source, &group) : mcast_leave(source, &group);
	case MLD2_REPORT:
		return parse_v2_report(source, &c);
	default:
		return 0;
	}
}

/* ------------------------------------------------------------------ the frame */

/* Bytes from the network header to the datagram's end; flow_extract() saw that they are there. */
static size_t datagram_len(const struct packet *packet, const struct flow *flow)
{
	const uint8_t *l3 = packet->data + packet->l3_ofs;

	if (flow->dl_type == htobe16(ETH_T_IP))
		return (size_t)(l3[2] << 8 | l3[3]);
	return IPV6_HEADER_LEN + (size_t)(l3[4] << 8 | l3[5]);
}

unsigned int mcast_parse(const struct mcast_source *source, const void *frame, size_t len)
{
	static const struct flow_limits all_vlans = {.max_vlans = FLOW_MAX_VLANS};
	struct packet packet;
	struct flow flow;
	const uint8_t *l4;
	size_t end;

	packet_init(&packet, (uint8_t *)(uintptr_t)frame, (uint32_t)len, 0);
	if (flow_extract_limits(&packet, &all_vlans, &flow) || packet.l4_ofs == PACKET_NO_OFS ||
		flow.nw_frag)
		return 0;
	end = packet.l3_ofs + datagram_len(&packet, &flow);
	if (end > len || end < packet.l4_ofs)
		return 0;
	l4 = packet.data + packet.l4_ofs;
	if (flow.dl_type == htobe16(ETH_T_IP) && flow.nw_proto == IP_P_IGMP)
		return parse_igmp(source, &flow, l4, end - packet.l4_ofs);
	if (flow.dl_type == htobe16(ETH_T_IPV6) && flow.nw_proto == IP_P_ICMPV6)
		return parse_mld(source, &flow, l4, end - packet.l4_ofs);
	return 0;
}
