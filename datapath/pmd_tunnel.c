/* SPDX-License-Identifier: Apache-2.0 */
/* Into tunnels and out of them without the interpreter, for packets with nothing special about them. */
#include <emmintrin.h>
#include <errno.h>
#include <string.h>

#include "datapath/pmd.h"
#include "datapath/port/mbuf.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

#define VXLAN_HEADERS 50	/* Ethernet, IPv4, UDP, VXLAN. */

static inline void copy_header(uint8_t *to, const uint8_t *from, uint16_t len)
{
	__m128i a, b, c;
	uint16_t rest;

	if (len != VXLAN_HEADERS) {
		memcpy(to, from, len);
		return;
	}
	a = _mm_loadu_si128((const __m128i *)from);
	b = _mm_loadu_si128((const __m128i *)(from + 16));
	c = _mm_loadu_si128((const __m128i *)(from + 32));
	memcpy(&rest, from + 48, sizeof rest);
	_mm_storeu_si128((__m128i *)to, a);
	_mm_storeu_si128((__m128i *)(to + 16), b);
	_mm_storeu_si128((__m128i *)(to + 32), c);
	memcpy(to + 48, &rest, sizeof rest);
}

/* Offsets move as packet_push() moves them. */
static inline void open_front(struct packet *packet, uint16_t len)
{
	packet->data -= len;
	packet->headroom = (uint16_t)(packet->headroom - len);
	packet->len += len;
	packet->seg_len += len;
	if (packet->l2_5_ofs != PACKET_NO_OFS)
		packet->l2_5_ofs = (uint16_t)(packet->l2_5_ofs + len);
	if (packet->l3_ofs != PACKET_NO_OFS)
		packet->l3_ofs = (uint16_t)(packet->l3_ofs + len);
	if (packet->l4_ofs != PACKET_NO_OFS)
		packet->l4_ofs = (uint16_t)(packet->l4_ofs + len);
}

bool pmd_tunnel_push(struct pmd *pmd, const struct path *path, struct packet *packet,
	uint32_t hash)
{
	const struct op_tnl_push *op = (const struct op_tnl_push *)path_ops(path->body);
	struct pmd_port *out = pmd->ports[path->port];
	struct ipv4_header *ip;
	struct udp_header *udp;
	uint16_t len = op->header_len;

	if (unlikely(!out || packet->headroom < len || packet->gso_type || packet->shared ||
		packet->outer_proto || packet->len + len > UINT16_MAX ||
		packet->offload & (PACKET_CSUM_PARTIAL | PACKET_OUTER_CSUM)))
		return false;
	open_front(packet, len);
	copy_header(packet->data, op->header, len);
	packet->outer_l3_ofs = op->outer_l3_ofs;
	packet->outer_l4_ofs = op->outer_l4_ofs;
	packet->outer_proto = op->proto;
	packet->offload &= (uint8_t)~PACKET_CSUM_VALID;

	ip = (struct ipv4_header *)(packet->data + op->outer_l3_ofs);
	ip->tot_len = htobe16((uint16_t)(packet->len - op->outer_l3_ofs));
	ip->csum = csum_update16(ip->csum, 0, ip->tot_len);
	udp = (struct udp_header *)(packet->data + op->outer_l4_ofs);
	udp->src = tnl_entropy_port(hash);
	udp->len = htobe16((uint16_t)(packet->len - op->outer_l4_ofs));
	pmd_put_tx(pmd, out, packet);
	return true;
}

/* The port that PACKET, just taken out of a tunnel of TYPE, came by. Trains of packets come by one. */
static const struct pl_port *tunnel_port(struct pmd *pmd, uint32_t type,
	const struct packet *packet)
{
	struct pmd_pop_memo *memo = &pmd->pop_memo;
	const struct tnl_port *tnl;

	if (memo->port && memo->type == type && memo->tun_id == packet->tunnel.tun_id &&
		memo->ip_src == packet->tunnel.ip_src && memo->ip_dst == packet->tunnel.ip_dst &&
		memo->tp_dst == packet->tunnel.tp_dst && memo->flags == packet->tunnel.flags &&
		packet->tunnel.ip_dst)
		return memo->port;
	tnl = tnl_port_lookup(type, packet->tunnel.tp_dst, &packet->tunnel);
	memo->port = tnl ? pl_port_get(tnl->dp_port) : NULL;
	memo->type = type;
	memo->tun_id = packet->tunnel.tun_id;
	memo->ip_src = packet->tunnel.ip_src;
	memo->ip_dst = packet->tunnel.ip_dst;
	memo->tp_dst = packet->tunnel.tp_dst;
	memo->flags = packet->tunnel.flags;
	return memo->port;
}

void pmd_tunnel_pop(struct pmd *pmd, const struct path *path, struct packet *packet)
{
	uint32_t type = ((const struct op_tnl_pop *)path_ops(path->body))->type;
	const struct pl_port *port = NULL;
	int err = tnl_header_pop(packet, type);

	if (likely(!err)) {
		packet->hash = 0;
		port = tunnel_port(pmd, type, packet);
	}
	if (unlikely(!port)) {
		pmd_drop(pmd, !err ? DROP_TNL_NO_PORT :
			err == -EBADMSG ? DROP_TNL_BAD_CSUM : DROP_TNL_BAD_HEADER, packet);
		pmd_fate_end(pmd);
		return;
	}
	packet->in_port = port->dp_port;
	pmd->popped_ports[pmd->n_popped] = port;
	pmd->popped[pmd->n_popped++] = packet;
}
