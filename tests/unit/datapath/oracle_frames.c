/* SPDX-License-Identifier: Apache-2.0 */
/* Frames. */
#include "tests/unit/datapath/oracle.h"

#include <string.h>

static void put_bytes(struct frame *f, const void *p, uint32_t n)
{
	memcpy(f->data + f->len, p, n);
	f->len += n;
}

static void put_be16(struct frame *f, uint16_t v)
{
	be16 b = htobe16(v);

	put_bytes(f, &b, 2);
}

static void put_transport(struct frame *f, uint8_t proto)
{
	uint32_t payload = oracle_rnd(40);

	switch (proto) {
	case IP_P_TCP:
		put_bytes(f, &(struct tcp_header){htobe16(oracle_port()), htobe16(oracle_port()),
			.ctl = htobe16((uint16_t)(0x5000 | oracle_rnd(64)))}, 20);
		break;
	case IP_P_UDP:
		put_bytes(f, &(struct udp_header){htobe16(oracle_port()), htobe16(oracle_port()),
			htobe16((uint16_t)(8 + payload)), 0}, 8);
		break;
	case IP_P_SCTP:
		put_bytes(f, &(struct sctp_header){htobe16(oracle_port()), htobe16(oracle_port()), 7,
			0}, 12);
		break;
	case IP_P_ICMPV6:
		if (oracle_chance(2)) {
			uint8_t nd[32] = {ND_NS, [8] = 0xfd, [24] = ND_OPT_SLL, 1, 2, 0, 0, 0, 0, 3};

			put_bytes(f, nd, 32);
			payload = 0;
			break;
		}
		put_bytes(f, "\x80\0\0\0\0\1\0\2", 8);
		break;
	default:
		put_bytes(f, "\x08\0\0\0\0\1\0\2", 8);
		break;
	}
	for (uint32_t i = 0; i < payload; i++)
		f->data[f->len++] = (uint8_t)(i * 7 + 3);
}

static void put_ipv4(struct frame *f)
{
	static const uint8_t protos[] = {IP_P_TCP, IP_P_TCP, IP_P_UDP, IP_P_ICMP, IP_P_SCTP, 200};
	uint32_t start = f->len;
	struct ipv4_header ip = {.ver_ihl = 0x45, .tos = oracle_tos[oracle_rnd(4)], .proto = protos[oracle_rnd(6)],
		.ttl = (uint8_t)(oracle_chance(4) ? 1 : 64)};
	be32 src = oracle_ip(), dst = oracle_ip();

	memcpy(ip.src, &src, 4);
	memcpy(ip.dst, &dst, 4);
	if (oracle_chance(10))
		ip.frag_off = htobe16(oracle_chance(2) ? IPV4_MF : 20);
	f->len += sizeof ip;
	put_transport(f, ip.proto);
	ip.tot_len = htobe16((uint16_t)(f->len - start));
	ip.csum = csum(&ip, sizeof ip);
	memcpy(f->data + start, &ip, sizeof ip);
}

static void put_ipv6(struct frame *f)
{
	static const uint8_t protos[] = {IP_P_TCP, IP_P_UDP, IP_P_ICMPV6, IP_P_ICMPV6};
	uint32_t start = f->len;
	struct ipv6_header ip = {.nexthdr = protos[oracle_rnd(4)], .hlim = (uint8_t)(oracle_chance(4) ? 1 : 64),
		.flow = htobe32(0x60000000 | (uint32_t)oracle_tos[oracle_rnd(4)] << 20 | oracle_rnd(2) * 0x777)};
	struct ipv6_addr src = oracle_ipv6(), dst = oracle_ipv6();

	memcpy(ip.src, &src, 16);
	memcpy(ip.dst, &dst, 16);
	f->len += sizeof ip;
	put_transport(f, ip.nexthdr);
	ip.plen = htobe16((uint16_t)(f->len - start - sizeof ip));
	memcpy(f->data + start, &ip, sizeof ip);
}

static void put_arp(struct frame *f)
{
	struct arp_header arp = {htobe16(1), htobe16(ETH_T_IP), 6, 4, htobe16((uint16_t)(1 + oracle_rnd(2))),
		{0}, {0}, {0}, {0}};
	be32 spa = oracle_ip(), tpa = oracle_ip();

	memcpy(arp.spa, &spa, 4);
	memcpy(arp.tpa, &tpa, 4);
	put_bytes(f, &arp, sizeof arp);
}

static void put_labels(struct frame *f)
{
	for (uint32_t n = 1 + oracle_rnd(2); n > 0; n--) {
		be32 lse = htobe32(oracle_rnd(1000) << MPLS_LABEL_SHIFT | (n == 1 ? MPLS_BOS_MASK : 0) | 64);

		put_bytes(f, &lse, 4);
	}
	put_ipv4(f);
}

static void fill_csum(struct frame *f)
{
	struct packet packet;
	struct flow flow;

	packet_init(&packet, f->data, f->len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	csum_fill_l4(&packet, true, NULL);
	/* UDP may go without. */
	if (flow.nw_proto == IP_P_UDP && flow.dl_type == htobe16(ETH_T_IP) && oracle_chance(6) &&
		!flow.nw_frag)
		memset(f->data + packet.l4_ofs + 6, 0, 2);
}

static void new_frame(const struct world *w, struct frame *f)
{
	struct eth_addr dst = oracle_mac(), src = oracle_mac();

	f->len = 0;
	memset(f->data, 0, sizeof f->data);
	put_bytes(f, dst.b, 6);
	put_bytes(f, src.b, 6);
	for (uint32_t n = oracle_chance(2) ? 0 : oracle_chance(5) ? 2 : 1; n > 0; n--) {
		put_be16(f, oracle_chance(5) ? ETH_T_VLAN_8021AD : ETH_T_VLAN_8021Q);
		put_be16(f, (uint16_t)(oracle_vid() | oracle_rnd(8) << VLAN_PCP_SHIFT));
	}
	if (w->use_mpls && oracle_chance(5)) {
		put_be16(f, ETH_T_MPLS);
		put_labels(f);
	} else if (oracle_chance(5)) {
		put_be16(f, ETH_T_ARP);
		put_arp(f);
	} else if (oracle_chance(4)) {
		put_be16(f, ETH_T_IPV6);
		put_ipv6(f);
	} else if (oracle_chance(20)) {
		put_be16(f, 0x9999);
		put_bytes(f, "whatever it is", 14);
	} else {
		put_be16(f, ETH_T_IP);
		put_ipv4(f);
	}
	fill_csum(f);
	if (oracle_chance(40))
		f->len = 14 + oracle_rnd(f->len - 13);
}

/* The DEI of a tag is not a rule's to see: it gets lost where a popped tag is put back. */
static void clear_dei(struct frame *f)
{
	be16 type;

	for (unsigned int ofs = 12; ofs < 12 + 3 * 4; ofs += 4) {
		memcpy(&type, f->data + ofs, sizeof type);
		if (!eth_type_is_vlan(type))
			break;
		f->data[ofs + 2] &= 0xef;
	}
}

/* New, or one of the world's, or that with a few bits changed. */
void oracle_frame(const struct world *w, struct frame *f)
{
	if (oracle_chance(4)) {
		new_frame(w, f);
		return;
	}
	*f = w->frames[oracle_rnd(N_FRAMES)];
	if (oracle_chance(3))
		for (uint32_t n = 1 + oracle_rnd(2); n > 0; n--)
			f->data[oracle_rnd(MIN(f->len, 60u))] ^= (uint8_t)(1 << oracle_rnd(8));
	clear_dei(f);
}

void oracle_new_frames(struct world *w)
{
	for (unsigned int i = 0; i < N_FRAMES; i++)
		new_frame(w, &w->frames[i]);
}
