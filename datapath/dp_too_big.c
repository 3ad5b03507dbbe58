/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that were too big for the underlay once a tunnel's header was on them. The log is told once,
 * and the sender gets an answer, which comes back to it by the way of any packet out of the tunnel. */
#include "datapath/dp_private.h"

#include <inttypes.h>

#include "datapath/eal.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sset.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_header.h"
#include "tunnel/tnl_too_big.h"

LOG_MODULE(tunnel);

#define ANSWERS_A_SECOND 100
#define MAX_SAID 4096

/* PACKET's outer header was put on by a tunnel of this type. False: no tunnel is there any more. */
static bool type_of(const struct packet *packet, enum tnl_type *type)
{
	be16 tp_dst = 0;

	if (packet->outer_proto == IPPROTO_UDP) {
		if ((uint32_t)packet->outer_l4_ofs + 4 > packet->seg_len)
			return false;
		memcpy(&tp_dst, packet->data + packet->outer_l4_ofs + 2, sizeof tp_dst);
	}
	return tnl_port_listens(packet->outer_proto, tp_dst, type);
}

/* The header of a packet that goes the other way. */
static struct flow_tnl reversed(const struct flow_tnl *tnl)
{
	struct flow_tnl back = *tnl;

	back.ip_src = tnl->ip_dst;
	back.ip_dst = tnl->ip_src;
	back.ipv6_src = tnl->ipv6_dst;
	back.ipv6_dst = tnl->ipv6_src;
	return back;
}

static void say(const struct tnl_port *port, const struct op_tnl_too_big *op, uint32_t len,
	uint32_t inner)
{
	static struct sset said = SSET_INITIALIZER;
	const char *device = dp_port_name(op->port);
	char *key = xasprintf("%s/%s/%" PRIu32, port->name, device, op->mtu);

	if (sset_count(&said) < MAX_SAID && sset_add(&said, key))
		log_warn("%s: a packet of %" PRIu32 " bytes needs %" PRIu32 " with its tunnel header, "
			 "and the MTU of %s is %" PRIu32 ": it is dropped, as others will be "
			 "(raise the MTU there, lower it inside, or set options:df_default=false)",
			port->name, inner, len, device, op->mtu);
	free(key);
}

static bool may_answer(void)
{
	static int64_t second;
	static unsigned int n;
	int64_t now = clock_ms() / 1000;

	if (now != second) {
		second = now;
		n = 0;
	}
	return !dp.no_too_big_answers && n++ < ANSWERS_A_SECOND;
}

static void answer(const struct tnl_port *port, const struct packet *packet, uint32_t room)
{
	struct flow_tnl back = reversed(&packet->tunnel);
	uint8_t buf[TNL_TOO_BIG_MAX];
	size_t len;

	if (!port->config.in_key_flow)
		back.tun_id = port->config.in_key;
	len = tnl_too_big_answer(packet->data, packet->seg_len, room, buf);
	if (len && may_answer())
		dp_inject(port->dp_port, &back, buf, len);
}

void dp_too_big(const struct op_tnl_too_big *op, struct packet *packet)
{
	uint32_t l3 = packet->outer_l3_ofs, len = packet->len - l3, overhead = packet->len;
	uint32_t piece = packet->gso_type ? packet->csum_start - l3 + packet->gso_size : len;
	const struct tnl_port *port;
	struct flow_tnl back;
	enum tnl_type type;

	if (!dp_port_name(op->port) || !type_of(packet, &type) || tnl_header_pop(packet, type, &mbuf_packet_ops))
		return;
	overhead -= packet->len + l3;
	back = reversed(&packet->tunnel);
	port = tnl_port_lookup(type, packet->tunnel.tp_dst, &back);
	if (!port)
		port = tnl_port_sends(type, &packet->tunnel);
	if (!port || op->mtu <= overhead)
		return;
	say(port, op, piece, piece - overhead);
	answer(port, packet, op->mtu - overhead);
}
