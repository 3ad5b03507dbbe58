/* SPDX-License-Identifier: Apache-2.0 */
/* First stage of a burst: from bytes to keys; and struct packets for those who want more than bytes. */
#include <errno.h>

#include "datapath/pmd.h"
#include "lib/flow_key_parse.h"

struct flow_limits pmd_limits(const struct pl_port *in_port)
{
	uint8_t n = pl_bridge_conf(in_port->bridge)->vlan_limit;

	return (struct flow_limits){.max_vlans = n && n < FLOW_MAX_VLANS ? n : FLOW_MAX_VLANS};
}

/* Makes the struct packet of I, without the offsets of its headers. */
static struct packet *make_packet(struct pmd_burst *burst, unsigned int i)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	const uint64_t mask = RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK;
	struct rte_mbuf *m = burst->mbufs[i];
	struct packet *packet = mbuf_packet_init(m);

	packet->in_port = burst->in_port->dp_port;
	if (burst->popped)
		tnl_plain_fill(packet->data - TNL_PLAIN_LEN, &packet->tunnel);
	else if ((m->ol_flags & mask) == good)
		packet->offload = PACKET_CSUM_VALID;
	burst->dressed |= UINT64_C(1) << i;
	return packet;
}

/* Parses a packet that has a struct packet, or needs one for it. */
__attribute__((noinline)) static bool parse_packet(struct pmd_burst *burst, unsigned int i,
	const struct flow_limits *limits)
{
	struct packet *packet = burst->dressed >> i & 1 ? mbuf_packet(burst->mbufs[i]) :
							  make_packet(burst, i);

	return flow_key_extract(packet, burst->in_port->dp_port, limits, &burst->keys[i]) != -EINVAL;
}

static inline bool parse_one(struct pmd_burst *burst, unsigned int i, struct flow_key_origin *origin,
	const struct flow_limits *limits)
{
	const struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	if (burst->popped) {
		struct tnl_plain outer;

		tnl_plain_read(data - TNL_PLAIN_LEN, &outer);
		flow_key_tunnel(origin->tunnel, outer.id, outer.ip_src, outer.ip_dst, outer.ip_tos,
			FLOW_TNL_F_KEY);
	}
	return likely(!(burst->dressed >> i & 1) &&
		       flow_key_parse(data, m->pkt_len, m->data_len, origin, &burst->keys[i])) ||
		parse_packet(burst, i, limits);
}

static inline struct flow_key_origin origin_of(const struct pmd_burst *burst,
	const struct flow_limits *limits)
{
	return (struct flow_key_origin){
		.in_port = burst->in_port->dp_port,
		.max_vlans = limits->max_vlans,
	};
}

void pmd_parse_whole(struct pmd_burst *burst, unsigned int i)
{
	struct flow_limits limits = pmd_limits(burst->in_port);
	struct flow_key_origin origin = origin_of(burst, &limits);

	parse_one(burst, i, &origin, &limits);
	burst->parsed |= UINT64_C(1) << i;
}

struct packet *pmd_dress(struct pmd_burst *burst, unsigned int i)
{
	const struct flow_key *key = pmd_key(burst, i);
	struct packet *packet;

	if (burst->dressed >> i & 1)
		return mbuf_packet(burst->mbufs[i]);
	packet = make_packet(burst, i);
	flow_key_offsets(key, packet);
	return packet;
}

/* Packets without an Ethernet header, for which nothing else was parsed. */
static uint64_t find_runts(struct pmd_burst *burst)
{
	uint32_t shortest = UINT32_MAX;
	uint64_t runts = 0;

	for (unsigned int i = 0; i < burst->n; i++)
		shortest = MIN(shortest, burst->mbufs[i]->data_len);
	if (likely(shortest >= ETH_HEADER_LEN))
		return 0;
	for (unsigned int i = 0; i < burst->n; i++) {
		if (burst->mbufs[i]->data_len < ETH_HEADER_LEN) {
			runts |= UINT64_C(1) << i;
			make_packet(burst, i);
		}
	}
	return runts;
}

/* Keys of no more than the Ethernet header where that can be; whole ones of the others. */
static uint64_t parse_ethernet(struct pmd_burst *burst, struct flow_key_origin *origin,
	const struct flow_limits *limits)
{
	uint64_t bad = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct rte_mbuf *m = burst->mbufs[i];

		if (likely(flow_key_parse_ethernet(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len,
			    origin, &burst->keys[i])))
			continue;
		burst->parsed |= UINT64_C(1) << i;
		bad |= (uint64_t)!parse_one(burst, i, origin, limits) << i;
	}
	return bad;
}

/* Struct packets have offsets that whoever sends them may look at. */
static uint64_t parse_all(struct pmd_burst *burst, struct flow_key_origin *origin,
	const struct flow_limits *limits)
{
	uint64_t bad = 0;

	burst->parsed = UINT64_MAX;
	for (unsigned int i = 0; i < burst->n; i++)
		bad |= (uint64_t)!parse_one(burst, i, origin, limits) << i;
	return bad;
}

uint64_t pmd_parse(struct pmd_burst *burst, enum xlate_depth depth)
{
	struct flow_limits limits = pmd_limits(burst->in_port);
	struct flow_key_origin origin = origin_of(burst, &limits);

	burst->parsed = 0;
	if (burst->dressed || burst->popped || depth == XLATE_ALL)
		return parse_all(burst, &origin, &limits);
	return depth == XLATE_ETHERNET ? parse_ethernet(burst, &origin, &limits) : find_runts(burst);
}
