/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/flow_key.h"

#include <errno.h>
#include <string.h>

#include "lib/headers.h"
#include "lib/util.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are laid out for little-endian");
_Static_assert(offsetof(struct flow, dl_dst) % 8 == 0, "the packet part starts at a word");
_Static_assert(FLOW_KEY_KL_OPTS + (252 + 7) / 8 + 1 <= FLOW_KEY_MAX_WORDS, "the largest key fits");

#define MAC_MASK UINT64_C(0x0000ffffffffffff)
#define TYPE(T) ((be16)__builtin_bswap16(T))

enum tpid_code {
	TPID_NONE,
	TPID_8021Q,
	TPID_8021AD,
	TPID_MASK = 3,
};

static inline uint16_t load16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t mac_load(struct eth_addr mac)
{
	uint64_t v = 0;

	memcpy(&v, mac.b, 6);
	return v;
}

static struct eth_addr mac_from(uint64_t v)
{
	struct eth_addr mac;

	memcpy(mac.b, &v, 6);
	return mac;
}

static inline uint64_t kind(enum flow_key_class class, uint8_t frag, unsigned int tpid0,
	unsigned int tpid1)
{
	return (uint64_t)(class << 6 | tpid1 << 4 | tpid0 << 2 | frag) << FLOW_KEY_KIND_SHIFT;
}

static inline uint64_t word0(uint32_t in_port, be16 dl_type, be16 tci, uint8_t proto)
{
	return (uint64_t)in_port | (uint64_t)dl_type << 16 | (uint64_t)tci << 32 |
		(uint64_t)proto << 48;
}

/* Fields of a simple tunnel: all in words 4 (its upper half), 5 and 6. */
static inline uint64_t tunnel_word4(const struct flow_tnl *t)
{
	return (uint64_t)t->ip_tos << 48 | (uint64_t)(uint8_t)t->flags << 56;
}

static inline uint64_t tunnel_word5(const struct flow_tnl *t)
{
	/* The low 32 bits of the id are the last in memory. */
	return t->tun_id >> 32;
}

static inline uint64_t tunnel_word6(const struct flow_tnl *t)
{
	return (uint64_t)t->ip_src | (uint64_t)t->ip_dst << 32;
}

static inline bool tunnel_is_simple(const struct flow_tnl *t)
{
	return !((uint32_t)t->tun_id | t->ipv6_dst.w64[0] | t->ipv6_dst.w64[1] | t->ipv6_src.w64[0] |
		t->ipv6_src.w64[1] | t->gbp_id | t->gbp_flags | (t->flags & 0xff00));
}

static bool tpid_code(be16 tpid, unsigned int *code)
{
	switch (be16toh(tpid)) {
	case 0:
		*code = TPID_NONE;
		return true;
	case ETH_T_VLAN_8021Q:
		*code = TPID_8021Q;
		return true;
	case ETH_T_VLAN_8021AD:
		*code = TPID_8021AD;
		return true;
	default:
		return false;
	}
}

static be16 tpid_from(unsigned int code)
{
	static const uint16_t tpids[4] = {0, ETH_T_VLAN_8021Q, ETH_T_VLAN_8021AD, 0};

	return htobe16(tpids[code]);
}

static bool is_arp(be16 dl_type)
{
	return dl_type == htobe16(ETH_T_ARP) || dl_type == htobe16(ETH_T_RARP);
}

/* Words 0 (without port, kind) to 6 of K64 and K128, from a flow or from a mask. */
static void pack_common(const struct flow *f, uint64_t *w)
{
	w[0] = word0(0, f->dl_type, f->vlans[0].tci, f->nw_proto);
	w[1] = mac_load(f->dl_dst) | (uint64_t)f->nw_tos << 48 | (uint64_t)f->nw_ttl << 56;
	w[2] = mac_load(f->dl_src) | (uint64_t)f->tcp_flags << 48;
	w[4] = (uint64_t)f->tp_src | (uint64_t)f->tp_dst << 16 | (uint64_t)f->vlans[1].tci << 32 |
		tunnel_word4(&f->tunnel);
	w[5] = tunnel_word5(&f->tunnel);
	w[6] = tunnel_word6(&f->tunnel);
}

static uint64_t pack_nw(const struct flow *f)
{
	return (uint64_t)f->nw_src | (uint64_t)f->nw_dst << 32;
}

/* Words 3 and 7 to 14 of K128; 11 and 12 with nd_target. */
static void pack_k128(const struct flow *f, uint64_t *w)
{
	w[3] = (uint64_t)f->ipv6_label | (uint64_t)f->nd_reserved << 32;
	memcpy(&w[7], &f->ipv6_src, 16);
	memcpy(&w[9], &f->ipv6_dst, 16);
	memcpy(&w[11], &f->nd_target, 16);
	w[13] = mac_load(f->arp_sha) | (uint64_t)f->nd_options_type << 48;
	w[14] = mac_load(f->arp_tha) | (uint64_t)f->ipv6_exthdr << 48;
}

static bool has_nd(const struct flow *f)
{
	return f->nd_target.w64[0] || f->nd_target.w64[1] || f->nd_reserved || f->nd_options_type ||
		!eth_addr_is_zero(f->arp_sha) || !eth_addr_is_zero(f->arp_tha);
}

/* The class that the fields behind Ethernet ask for; a malformed packet has its type's too. */
static enum flow_key_class class_of(const struct flow *f)
{
	if (f->igmp_group_ip4)
		return FLOW_KEY_KL;
	switch (be16toh(f->dl_type)) {
	case ETH_T_IPV6:
	case ETH_T_ARP:
	case ETH_T_RARP:
		return FLOW_KEY_K128;
	case ETH_T_MPLS:
	case ETH_T_MPLS_MCAST:
	case ETH_T_PBB:
		return FLOW_KEY_KL;
	default:
		/* Neighbour discovery over IPv4 is nonsense, but can be sent. */
		return has_nd(f) ? FLOW_KEY_KL : FLOW_KEY_K64;
	}
}

void flow_key_from_flow(const struct flow *f, dp_port_t in_port, const void *opts, uint8_t opts_len,
	struct flow_key *key)
{
	enum flow_key_class class = class_of(f);
	unsigned int tpid0, tpid1;

	if (in_port > 0xffff || f->pkt_mark || f->queue || opts_len || !tunnel_is_simple(&f->tunnel) ||
		!tpid_code(f->vlans[0].tpid, &tpid0) || !tpid_code(f->vlans[1].tpid, &tpid1))
		class = FLOW_KEY_KL;

	if (class == FLOW_KEY_KL) {
		unsigned int n_opts = (opts_len + 7u) / 8;

		key->w[0] = in_port | (uint64_t)opts_len << 32 | kind(class, 0, 0, 0);
		key->w[1] = f->pkt_mark;
		key->w[2] = f->queue;
		memcpy(&key->w[FLOW_KEY_KL_HEAD], &f->dl_dst, FLOW_KEY_KL_FLOW * 8);
		if (n_opts)
			key->w[FLOW_KEY_KL_OPTS + n_opts - 1] = 0;
		if (opts_len)
			memcpy(&key->w[FLOW_KEY_KL_OPTS], opts, opts_len);
		key->w[FLOW_KEY_KL_OPTS + n_opts] = 0;
		return;
	}

	pack_common(f, key->w);
	key->w[0] |= in_port | kind(class, f->nw_frag, tpid0, tpid1);
	if (class == FLOW_KEY_K64) {
		key->w[3] = pack_nw(f);
		key->w[7] = 0;
	} else {
		pack_k128(f, key->w);
		if (is_arp(f->dl_type))
			key->w[11] = pack_nw(f);
		key->w[15] = 0;
	}
}

static void expand_kl(const struct flow_key *key, struct flow *f, dp_port_t *in_port)
{
	memcpy(&f->dl_dst, &key->w[FLOW_KEY_KL_HEAD], FLOW_KEY_KL_FLOW * 8);
	f->pkt_mark = (uint32_t)key->w[1];
	f->queue = (uint32_t)key->w[2];
	if (in_port)
		*in_port = (dp_port_t)key->w[0];
}

void flow_key_expand(const struct flow_key *key, struct flow *f, dp_port_t *in_port)
{
	const uint64_t *w = key->w;
	unsigned int k = (unsigned int)(w[0] >> FLOW_KEY_KIND_SHIFT);

	memset(f, 0, sizeof *f);
	if (flow_key_class(key) == FLOW_KEY_KL) {
		expand_kl(key, f, in_port);
		return;
	}

	if (in_port)
		*in_port = (uint16_t)w[0];
	f->dl_type = (be16)(w[0] >> 16);
	f->vlans[0].tci = (be16)(w[0] >> 32);
	f->nw_proto = (uint8_t)(w[0] >> 48);
	f->nw_frag = k & 3;
	f->vlans[0].tpid = tpid_from(k >> 2 & TPID_MASK);
	f->vlans[1].tpid = tpid_from(k >> 4 & TPID_MASK);
	f->dl_dst = mac_from(w[1]);
	f->nw_tos = (uint8_t)(w[1] >> 48);
	f->nw_ttl = (uint8_t)(w[1] >> 56);
	f->dl_src = mac_from(w[2]);
	f->tcp_flags = (be16)(w[2] >> 48);
	f->tp_src = (be16)w[4];
	f->tp_dst = (be16)(w[4] >> 16);
	f->vlans[1].tci = (be16)(w[4] >> 32);
	f->tunnel.ip_tos = (uint8_t)(w[4] >> 48);
	f->tunnel.flags = (uint8_t)(w[4] >> 56);
	f->tunnel.tun_id = w[5] << 32;
	f->tunnel.ip_src = (be32)w[6];
	f->tunnel.ip_dst = (be32)(w[6] >> 32);

	if (flow_key_class(key) == FLOW_KEY_K64) {
		f->nw_src = (be32)w[3];
		f->nw_dst = (be32)(w[3] >> 32);
		return;
	}
	f->ipv6_label = (be32)w[3];
	f->nd_reserved = (be32)(w[3] >> 32);
	memcpy(&f->ipv6_src, &w[7], 16);
	memcpy(&f->ipv6_dst, &w[9], 16);
	if (is_arp(f->dl_type)) {
		f->nw_src = (be32)w[11];
		f->nw_dst = (be32)(w[11] >> 32);
	} else {
		memcpy(&f->nd_target, &w[11], 16);
	}
	f->arp_sha = mac_from(w[13]);
	f->nd_options_type = (uint8_t)(w[13] >> 48);
	f->arp_tha = mac_from(w[14]);
	f->ipv6_exthdr = (be16)(w[14] >> 48);
}

uint8_t flow_key_geneve_opts(const struct flow_key *key, const uint8_t **opts)
{
	if (flow_key_class(key) != FLOW_KEY_KL)
		return 0;
	*opts = (const uint8_t *)&key->w[FLOW_KEY_KL_OPTS];
	return FLOW_KEY_KL_OPTS_LEN(key->w[0]);
}

static bool has_tun_metadata(const struct flow *mask)
{
	if (mask->tun_metadata.present)
		return true;
	for (size_t i = 0; i < sizeof mask->tun_metadata.data; i++)
		if (mask->tun_metadata.data[i])
			return true;
	return false;
}

void flow_key_mask(const struct flow *mask, enum flow_key_class class, struct flow_key *km)
{
	uint8_t tpid0 = mask->vlans[0].tpid ? TPID_MASK : 0;
	uint8_t tpid1 = mask->vlans[1].tpid ? TPID_MASK : 0;
	/* All bits of the class, whatever its number. */
	uint64_t k = kind(3, mask->nw_frag & 3, tpid0, tpid1);

	memset(km, 0, sizeof *km);
	if (class == FLOW_KEY_KL) {
		bool opts = has_tun_metadata(mask);

		km->w[0] = UINT32_MAX | k | (opts ? UINT64_C(0xff) << 32 : 0);
		km->w[1] = UINT64_C(0xffffffff) << 32 | mask->pkt_mark;
		km->w[2] = mask->queue;
		memcpy(&km->w[FLOW_KEY_KL_HEAD], &mask->dl_dst, FLOW_KEY_KL_FLOW * 8);
		if (opts)
			memset(&km->w[FLOW_KEY_KL_OPTS], 0xff, (252 + 7) / 8 * 8);
		return;
	}
	pack_common(mask, km->w);
	km->w[0] |= 0xffff | k;
	km->w[5] |= UINT64_C(0xffffffff) << 32;
	if (class == FLOW_KEY_K64) {
		km->w[3] = pack_nw(mask);
	} else {
		pack_k128(mask, km->w);
		km->w[11] |= pack_nw(mask);
	}
}

/* What the fast parser found out before it came to the network header. */
struct fast {
	const uint8_t *l3;
	uint32_t left;		/* Bytes of the frame from l3 on. */
	uint32_t seg_left;	/* Contiguous ones. */
	uint64_t w0;		/* Port, type, tag, kind without class. */
	uint64_t dl_dst;
	uint64_t dl_src;
};

/* Fills the words that are the same in K64 and K128. */
static inline void fast_store(struct flow_key *key, const struct packet *packet, uint64_t w0,
	uint64_t w1, uint64_t w2, uint64_t ports)
{
	const struct flow_tnl *t = &packet->tunnel;

	key->w[0] = w0;
	key->w[1] = w1;
	key->w[2] = w2;
	key->w[4] = ports | tunnel_word4(t);
	key->w[5] = tunnel_word5(t);
	key->w[6] = tunnel_word6(t);
}

/* Ports (or type and code) of the transport header at L4, of which L4_LEN bytes belong to the
 * packet and SEG are contiguous. False if it is for the thorough parser. *FLAGS: TCP's, in word 2's
 * place. */
static inline bool fast_l4(const uint8_t *l4, uint32_t l4_len, uint32_t seg, uint8_t proto,
	uint64_t *ports, uint64_t *flags)
{
	uint32_t have = MIN(l4_len, seg), hlen;

	*ports = *flags = 0;
	switch (proto) {
	case IP_P_TCP:
		if (have < TCP_HEADER_LEN)
			return false;
		hlen = (uint32_t)(l4[12] >> 4) * 4;
		if (hlen < TCP_HEADER_LEN || hlen > l4_len)
			return false;
		*flags = (uint64_t)(load16(l4 + 12) & htobe16(TCP_FLAGS_MASK)) << 48;
		*ports = load32(l4);
		return true;
	case IP_P_UDP:
		*ports = have >= UDP_HEADER_LEN ? load32(l4) : 0;
		return have >= UDP_HEADER_LEN;
	case IP_P_SCTP:
		*ports = have >= SCTP_HEADER_LEN ? load32(l4) : 0;
		return have >= SCTP_HEADER_LEN;
	case IP_P_ICMP:
		/* Type and code become big-endian 16-bit numbers. */
		*ports = have >= ICMP_HEADER_LEN ? (uint64_t)l4[0] << 8 | (uint64_t)l4[1] << 24 : 0;
		return have >= ICMP_HEADER_LEN;
	case IP_P_IGMP:
		return false;
	case IP_P_ICMPV6:
		if (have < ICMP_HEADER_LEN || (!l4[1] && (l4[0] == ND_NS || l4[0] == ND_NA)))
			return false;
		*ports = (uint64_t)l4[0] << 8 | (uint64_t)l4[1] << 24;
		return true;
	default:
		return true;
	}
}

static inline bool fast_ipv4(struct packet *packet, const struct fast *f, struct flow_key *key)
{
	const uint8_t *ip = f->l3;
	uint64_t ports, flags;
	uint32_t total;

	if (f->seg_left < IPV4_HEADER_LEN || (ip[0] & 15) != 5 ||
		(load16(ip + 6) & htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK)))
		return false;
	total = be16toh(load16(ip + 2));
	if (total < IPV4_HEADER_LEN || total > f->left)
		return false;
	if (!fast_l4(ip + IPV4_HEADER_LEN, total - IPV4_HEADER_LEN, f->seg_left - IPV4_HEADER_LEN, ip[9],
		&ports, &flags))
		return false;
	fast_store(key, packet, f->w0 | (uint64_t)ip[9] << 48,
		f->dl_dst | (uint64_t)ip[1] << 48 | (uint64_t)ip[8] << 56, f->dl_src | flags, ports);
	key->w[3] = load64(ip + 12);
	key->w[7] = 0;
	packet->l4_ofs = packet->l3_ofs + IPV4_HEADER_LEN;
	return true;
}

static inline bool ipv6_proto_is_plain(uint8_t proto)
{
	switch (proto) {
	case IP_P_HOPOPTS:
	case IP_P_ROUTING:
	case IP_P_FRAGMENT:
	case IP_P_ESP:
	case IP_P_AH:
	case IP_P_NONE:
	case IP_P_DSTOPTS:
	case IP_P_IGMP:
		return false;
	default:
		return true;
	}
}

static inline bool fast_ipv6(struct packet *packet, const struct fast *f, struct flow_key *key)
{
	const uint8_t *ip = f->l3;
	uint64_t ports, flags;
	uint32_t plen, flow;

	if (f->seg_left < IPV6_HEADER_LEN || !ipv6_proto_is_plain(ip[6]))
		return false;
	plen = be16toh(load16(ip + 4));
	if (plen > f->left - IPV6_HEADER_LEN)
		return false;
	if (!fast_l4(ip + IPV6_HEADER_LEN, plen, f->seg_left - IPV6_HEADER_LEN, ip[6], &ports, &flags))
		return false;
	flow = be32toh(load32(ip));
	fast_store(key, packet, f->w0 | (uint64_t)ip[6] << 48 | kind(FLOW_KEY_K128, 0, 0, 0),
		f->dl_dst | (uint64_t)(flow >> 20 & 0xff) << 48 | (uint64_t)ip[7] << 56,
		f->dl_src | flags, ports);
	key->w[3] = htobe32(flow & IPV6_LABEL_MASK);
	key->w[7] = load64(ip + 8);
	key->w[8] = load64(ip + 16);
	key->w[9] = load64(ip + 24);
	key->w[10] = load64(ip + 32);
	key->w[11] = key->w[12] = key->w[13] = key->w[14] = key->w[15] = 0;
	packet->l4_ofs = packet->l3_ofs + IPV6_HEADER_LEN;
	return true;
}

static inline bool fast_arp(struct packet *packet, const struct fast *f, struct flow_key *key)
{
	const uint8_t *arp = f->l3;

	/* Ethernet, IPv4, lengths 6 and 4, and an opcode below 256. */
	if (f->seg_left < ARP_HEADER_LEN || load32(arp) != htobe32(0x00010800) ||
		load16(arp + 4) != htobe16(0x0604) || arp[6])
		return false;
	fast_store(key, packet, f->w0 | (uint64_t)arp[7] << 48 | kind(FLOW_KEY_K128, 0, 0, 0), f->dl_dst,
		f->dl_src, 0);
	key->w[3] = 0;
	key->w[7] = key->w[8] = key->w[9] = key->w[10] = 0;
	key->w[11] = load32(arp + 14) | (uint64_t)load32(arp + 24) << 32;
	key->w[12] = 0;
	key->w[13] = load64(arp + 8) & MAC_MASK;
	key->w[14] = load64(arp + 16) >> 16;
	key->w[15] = 0;
	return true;
}

/* The common packets, without detours. False: it was none of them and KEY is not set. */
static inline bool fast_extract(struct packet *packet, dp_port_t in_port,
	const struct flow_limits *limits, struct flow_key *key)
{
	const uint8_t *d = packet->data;
	unsigned int tpid = TPID_NONE;
	struct fast f;
	uint32_t ofs = ETH_HEADER_LEN;
	be16 type, tci = 0;

	if (__builtin_expect(packet->seg_len < ETH_HEADER_LEN || in_port > 0xffff ||
		(packet->pkt_mark | packet->queue | packet->geneve_opts_len) ||
		!tunnel_is_simple(&packet->tunnel), 0))
		return false;
	f.dl_dst = load64(d) & MAC_MASK;
	f.dl_src = load64(d + 6) & MAC_MASK;
	type = load16(d + 12);
	if (type == TYPE(ETH_T_VLAN_8021Q) || type == TYPE(ETH_T_VLAN_8021AD)) {
		if (packet->seg_len < ETH_HEADER_LEN + VLAN_HEADER_LEN || !limits->max_vlans)
			return false;
		tpid = type == TYPE(ETH_T_VLAN_8021Q) ? TPID_8021Q : TPID_8021AD;
		tci = load16(d + 14) | htobe16(VLAN_PRESENT);
		type = load16(d + 16);
		ofs += VLAN_HEADER_LEN;
		if (eth_type_is_vlan(type) && limits->max_vlans > 1)
			return false;
	}

	f.l3 = d + ofs;
	f.left = packet->len - ofs;
	f.seg_left = packet->seg_len - ofs;
	f.w0 = word0(in_port, type, tci, 0) | kind(FLOW_KEY_K64, 0, tpid, 0);
	packet->l2_5_ofs = PACKET_NO_OFS;
	packet->l3_ofs = (uint16_t)ofs;
	packet->l4_ofs = PACKET_NO_OFS;
	if (__builtin_expect(type == TYPE(ETH_T_IP), 1))
		return fast_ipv4(packet, &f, key);
	if (type == TYPE(ETH_T_IPV6))
		return fast_ipv6(packet, &f, key);
	if (type == TYPE(ETH_T_ARP) || type == TYPE(ETH_T_RARP))
		return fast_arp(packet, &f, key);
	if (be16toh(type) < ETH_TYPE_MIN || eth_type_is_mpls(type) || type == TYPE(ETH_T_PBB))
		return false;
	fast_store(key, packet, f.w0, f.dl_dst, f.dl_src, 0);
	key->w[3] = key->w[7] = 0;
	return true;
}

__attribute__((noinline)) static int slow_extract(struct packet *packet, dp_port_t in_port,
	const struct flow_limits *limits, struct flow_key *key)
{
	struct flow flow;
	int err = flow_extract_limits(packet, limits, &flow);

	flow_key_from_flow(&flow, in_port, packet->geneve_opts, packet->geneve_opts_len, key);
	return err;
}

int flow_key_extract(struct packet *packet, dp_port_t in_port, const struct flow_limits *limits,
	struct flow_key *key)
{
	if (fast_extract(packet, in_port, limits, key))
		return 0;
	return slow_extract(packet, in_port, limits, key);
}

uint64_t flow_key_extract_burst(struct packet *const packets[], unsigned int n, dp_port_t in_port,
	const struct flow_limits *limits, struct flow_key keys[])
{
	uint64_t runts = 0;

	for (unsigned int i = 0; i < n; i++)
		if (__builtin_expect(!fast_extract(packets[i], in_port, limits, &keys[i]), 0) &&
			slow_extract(packets[i], in_port, limits, &keys[i]) == -EINVAL)
			runts |= UINT64_C(1) << i;
	return runts;
}
