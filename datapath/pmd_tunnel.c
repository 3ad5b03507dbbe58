/* SPDX-License-Identifier: Apache-2.0 */
/* Out of tunnels without the interpreter, for packets with nothing special about them. */
#include <errno.h>
#include <string.h>

#include "datapath/pmd.h"
#include "datapath/port/mbuf.h"
#include "lib/flow_key_parse.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

static void pop_failed(struct pmd *pmd, struct pmd_burst *burst, unsigned int i, struct pmd_port *pp,
	enum drop_reason reason)
{
	pmd_fate_begin(pmd, pp);
	pmd_drop(pmd, reason, pmd_dress(burst, i));
	pmd_fate_end(pmd);
}

static inline void put_popped(struct pmd *pmd, const struct pl_port *port, struct rte_mbuf *mbuf,
	bool dressed)
{
	unsigned int i = pmd->popped.n++;

	pmd->popped.ports[i] = port;
	pmd->popped.mbufs[i] = mbuf;
	pmd->popped.dressed |= (uint64_t)dressed << i;
}

/* The port that a packet of a tunnel of TYPE came by. Trains of packets come by one. */
static inline const struct pl_port *port_of_plain(struct pmd *pmd, uint32_t type, const uint8_t *ip)
{
	struct tnl_plain plain;
	const struct tnl_port *port;
	struct flow_tnl tunnel;

	tnl_plain_read(ip, &plain);
	if (likely(pmd->pop_memo.port && pmd->pop_memo.type == type &&
		    tnl_plain_equal(&pmd->pop_memo.plain, &plain)))
		return pmd->pop_memo.port;
	tnl_plain_fill(ip, &tunnel);
	port = tnl_port_lookup(type, tunnel.tp_dst, &tunnel);
	pmd->pop_memo.port = port ? pl_port_get(port->dp_port) : NULL;
	pmd->pop_memo.type = type;
	pmd->pop_memo.plain = plain;
	return pmd->pop_memo.port;
}

/* False: it is not plain, and nothing was done. */
static inline bool pop_plain(struct pmd *pmd, uint32_t type, struct pmd_burst *burst, unsigned int i,
	struct pmd_port *pp)
{
	struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *) + ETH_HEADER_LEN;
	const struct pl_port *port;

	if (burst->dressed >> i & 1 || type != TNL_VXLAN || m->data_len < ETH_HEADER_LEN ||
		flow_key_is_tagged(pmd_key(burst, i)) ||
		!tnl_is_plain(ip, m->pkt_len - ETH_HEADER_LEN, m->data_len - ETH_HEADER_LEN))
		return false;
	port = port_of_plain(pmd, type, ip);
	if (unlikely(!port)) {
		pop_failed(pmd, burst, i, pp, DROP_TNL_NO_PORT);
		return true;
	}
	m->data_off = (uint16_t)(m->data_off + TNL_PLAIN_FRAME_LEN);
	m->data_len = (uint16_t)(m->data_len - TNL_PLAIN_FRAME_LEN);
	m->pkt_len -= TNL_PLAIN_FRAME_LEN;
	put_popped(pmd, port, m, false);
	return true;
}

void pmd_tunnel_pop(struct pmd *pmd, const struct path *path, struct pmd_burst *burst, unsigned int i,
	struct pmd_port *pp)
{
	uint32_t type = ((const struct op_tnl_pop *)path->ops)->type;
	const struct pl_port *port = NULL;
	const struct tnl_port *tnl;
	struct packet *packet;
	int err;

	if (likely(pop_plain(pmd, type, burst, i, pp)))
		return;
	packet = pmd_dress(burst, i);
	err = tnl_header_pop(packet, type);
	if (!err) {
		tnl = tnl_port_lookup(type, packet->tunnel.tp_dst, &packet->tunnel);
		port = tnl ? pl_port_get(tnl->dp_port) : NULL;
	}
	if (!port) {
		pop_failed(pmd, burst, i, pp, !err ? DROP_TNL_NO_PORT :
			err == -EBADMSG ? DROP_TNL_BAD_CSUM : DROP_TNL_BAD_HEADER);
		return;
	}
	packet->hash = 0;
	packet->in_port = port->dp_port;
	put_popped(pmd, port, burst->mbufs[i], true);
}
