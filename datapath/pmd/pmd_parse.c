/* SPDX-License-Identifier: Apache-2.0 */
/* First stage of a burst: from bytes to keys; and struct packets for those who want more than bytes. */
#include <errno.h>
#include <string.h>

#include "datapath/pmd/pmd.h"
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
__attribute__((noinline)) static bool parse_packet(struct pmd_burst *burst, unsigned int i)
{
	struct flow_limits limits = pmd_limits(burst->in_port);
	struct packet *packet = burst->dressed >> i & 1 ? mbuf_packet(burst->mbufs[i]) :
							  make_packet(burst, i);

	return flow_key_extract(packet, burst->in_port->dp_port, &limits, &burst->keys[i]) != -EINVAL;
}

static bool parse_whole(struct pmd_burst *burst, unsigned int i, struct flow_key_origin *origin)
{
	const struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	if (burst->popped)
		pmd_origin_popped(data, origin);
	burst->parsed |= UINT64_C(1) << i;
	return likely(!(burst->dressed >> i & 1) &&
		       flow_key_parse(data, m->pkt_len, m->data_len, origin, &burst->keys[i])) ||
		parse_packet(burst, i);
}

/* The key that whoever looks at the Ethernet header alone has of packet I; false: it has none. */
static bool parse_ethernet(struct pmd_burst *burst, unsigned int i, const struct flow_key_origin *origin)
{
	const struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t seg_len = m->data_len;
	uint64_t *w = burst->keys[i].w;

	if (burst->dressed >> i & 1) {
		data = mbuf_packet(burst->mbufs[i])->data;
		seg_len = mbuf_packet(burst->mbufs[i])->seg_len;
	}
	if (!flow_key_parse_ethernet(data, seg_len, origin, w))
		return false;
	memset(&w[3], 0, 5 * sizeof w[0]);
	return true;
}

bool pmd_parse_one(struct pmd_burst *burst, unsigned int i, enum xlate_depth depth,
	struct flow_key_origin *origin)
{
	bool dressed = burst->dressed >> i & 1;

	/* Struct packets have offsets that whoever sends them may look at. */
	if ((dressed || depth != XLATE_ETHERNET) && !parse_whole(burst, i, origin))
		return false;
	if (depth != XLATE_ETHERNET)
		return true;
	if (!parse_ethernet(burst, i, origin))
		return dressed || parse_whole(burst, i, origin);
	burst->parsed &= ~(UINT64_C(1) << i);
	return true;
}

void pmd_parse_whole(struct pmd_burst *burst, unsigned int i)
{
	struct flow_key_origin origin = pmd_origin(burst);

	parse_whole(burst, i, &origin);
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

uint64_t pmd_parse(struct pmd_burst *burst, enum xlate_depth depth)
{
	struct flow_key_origin origin = pmd_origin(burst);
	uint64_t bad = 0;

	burst->parsed = 0;
	if (depth == XLATE_PORT && !burst->dressed)
		return find_runts(burst);
	for (unsigned int i = 0; i < burst->n; i++)
		bad |= (uint64_t)!pmd_parse_one(burst, i, depth, &origin) << i;
	return bad;
}
