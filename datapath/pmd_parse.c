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

struct packet *pmd_dress(struct pmd_burst *burst, unsigned int i)
{
	struct packet *packet;

	if (burst->dressed >> i & 1)
		return mbuf_packet(burst->mbufs[i]);
	packet = make_packet(burst, i);
	flow_key_offsets(&burst->keys[i], packet);
	return packet;
}

/* Those that have a struct packet, or need one for being parsed. */
__attribute__((noinline)) static bool parse_packet(struct pmd_burst *burst, unsigned int i,
	const struct flow_limits *limits)
{
	struct packet *packet = burst->dressed >> i & 1 ? mbuf_packet(burst->mbufs[i]) :
							  make_packet(burst, i);

	return flow_key_extract(packet, burst->in_port->dp_port, limits, &burst->keys[i]) != -EINVAL;
}

uint64_t pmd_parse(struct pmd_burst *burst)
{
	struct flow_limits limits = pmd_limits(burst->in_port);
	struct flow_key_origin origin = {
		.in_port = burst->in_port->dp_port,
		.max_vlans = limits.max_vlans,
	};
	uint64_t bad = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct rte_mbuf *m = burst->mbufs[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

		if (burst->popped) {
			struct tnl_plain outer;

			tnl_plain_read(data - TNL_PLAIN_LEN, &outer);
			flow_key_tunnel(origin.tunnel, outer.id, outer.ip_src, outer.ip_dst,
				outer.ip_tos, FLOW_TNL_F_KEY);
		}
		if (likely(!(burst->dressed >> i & 1) &&
			    flow_key_parse(data, m->pkt_len, m->data_len, &origin, &burst->keys[i])))
			continue;
		if (!parse_packet(burst, i, &limits))
			bad |= UINT64_C(1) << i;
	}
	return bad;
}
