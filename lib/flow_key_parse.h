/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The fast half of flow_key_extract(): the packets that networks are full of, straight from their bytes
 * into a key, without detours. Inline, for the loops that do this for every packet; whatever it refuses
 * goes to flow_key_extract(), which gives the same keys. Any thread, no state.
 */

#include <endian.h>
#include <string.h>

#include "lib/flow_hash.h"
#include "lib/flow_key.h"
#include "lib/headers.h"
#include "lib/unaligned.h"
#include "lib/util.h"

/* What a key has that is not in the frame. */
struct flow_key_origin {
	uint64_t in_port;	/* Below 0x10000. */
	uint64_t tunnel[3];	/* Outer header's fields in words 4, 5 and 6 (flow_key_tunnel()); or 0. */
	unsigned int max_vlans;
};

#define FLOW_KEY_MAC_MASK UINT64_C(0x0000ffffffffffff)

enum flow_key_tpid {
	FLOW_KEY_TPID_NONE,
	FLOW_KEY_TPID_8021Q,
	FLOW_KEY_TPID_8021AD,
	FLOW_KEY_TPID_MASK = 3,
};

static inline uint64_t flow_key_kind(enum flow_key_class class, uint8_t frag, unsigned int tpid0,
	unsigned int tpid1)
{
	return (uint64_t)(class << 6 | tpid1 << 4 | tpid0 << 2 | frag) << FLOW_KEY_KIND_SHIFT;
}

static inline uint64_t flow_key_word0(uint64_t in_port, be16 dl_type, be16 tci, uint8_t proto)
{
	return in_port | (uint64_t)dl_type << 16 | (uint64_t)tci << 32 | (uint64_t)proto << 48;
}

/* The words of an IPv4 tunnel's fields; ID: the low 32 bits of the tunnel id (all of it), big-endian. ADDRS: both
 * addresses as in the outer header, the source first. */
static inline void flow_key_tunnel(uint64_t words[3], be32 id, uint64_t addrs, uint8_t tos, uint8_t flags)
{
	words[0] = (uint64_t)tos << 48 | (uint64_t)flags << 56;
	words[1] = id;
	words[2] = addrs;
}

/* ------------------------------------------------------------------ inside */

/* What was found out before the network header. */
struct flow_key_l2 {
	const uint8_t *l3;
	uint32_t left;		/* Bytes of the frame from l3 on. */
	uint32_t seg_left;	/* Contiguous ones. */
	uint64_t w0;		/* Port, type, tag, kind without class. */
	uint64_t dl_dst, dl_src;
};

/* The words that K64 and K128 have in common. */
static inline void key_store(struct flow_key *key, const struct flow_key_origin *origin, uint64_t w0,
	uint64_t w1, uint64_t w2, uint64_t ports)
{
	key->w[0] = w0;
	key->w[1] = w1;
	key->w[2] = w2;
	key->w[4] = ports | origin->tunnel[0];
	key->w[5] = origin->tunnel[1];
	key->w[6] = origin->tunnel[2];
}

/* Ports (or type and code) of the transport header at L4, of which L4_LEN bytes belong to the
 * packet and SEG are contiguous. False if it is for the thorough parser. *FLAGS: TCP's, in word 2's
 * place. */
__attribute__((always_inline)) static inline bool key_parse_l4(const uint8_t *l4, uint32_t l4_len, uint32_t seg, uint8_t proto,
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

/* The words of an IPv4 packet that are not the tunnel's: the first five. */
__attribute__((always_inline)) static inline bool key_words_ipv4(const struct flow_key_l2 *f, uint64_t w[5])
{
	const uint8_t *ip = f->l3;
	uint64_t flags;
	uint32_t total;

	if (f->seg_left < IPV4_HEADER_LEN || (ip[0] & 15) != 5 ||
		(load16(ip + 6) & htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK)))
		return false;
	total = be16toh(load16(ip + 2));
	if (total < IPV4_HEADER_LEN || total > f->left)
		return false;
	if (!key_parse_l4(ip + IPV4_HEADER_LEN, total - IPV4_HEADER_LEN, f->seg_left - IPV4_HEADER_LEN,
		ip[9], &w[4], &flags))
		return false;
	w[0] = f->w0 | (uint64_t)ip[9] << 48;
	w[1] = f->dl_dst | (uint64_t)ip[1] << 48 | (uint64_t)ip[8] << 56;
	w[2] = f->dl_src | flags;
	w[3] = load64(ip + 12);
	return true;
}

static inline bool key_parse_ipv4(const struct flow_key_l2 *f, const struct flow_key_origin *origin,
	struct flow_key *key)
{
	uint64_t w[5];

	if (!key_words_ipv4(f, w))
		return false;
	key_store(key, origin, w[0], w[1], w[2], w[4]);
	key->w[3] = w[3];
	key->w[7] = 0;
	return true;
}

static inline bool key_ipv6_proto_is_plain(uint8_t proto)
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

static inline bool key_parse_ipv6(const struct flow_key_l2 *f, const struct flow_key_origin *origin,
	struct flow_key *key)
{
	const uint8_t *ip = f->l3;
	uint64_t ports, flags;
	uint32_t plen, flow;

	if (f->seg_left < IPV6_HEADER_LEN || !key_ipv6_proto_is_plain(ip[6]))
		return false;
	plen = be16toh(load16(ip + 4));
	if (plen > f->left - IPV6_HEADER_LEN)
		return false;
	if (!key_parse_l4(ip + IPV6_HEADER_LEN, plen, f->seg_left - IPV6_HEADER_LEN, ip[6], &ports,
		&flags))
		return false;
	flow = be32toh(load32(ip));
	key_store(key, origin,
		f->w0 | (uint64_t)ip[6] << 48 | flow_key_kind(FLOW_KEY_K128, 0, 0, 0),
		f->dl_dst | (uint64_t)(flow >> 20 & 0xff) << 48 | (uint64_t)ip[7] << 56,
		f->dl_src | flags, ports);
	key->w[3] = htobe32(flow & IPV6_LABEL_MASK);
	key->w[7] = load64(ip + 8);
	key->w[8] = load64(ip + 16);
	key->w[9] = load64(ip + 24);
	key->w[10] = load64(ip + 32);
	key->w[11] = key->w[12] = key->w[13] = key->w[14] = key->w[15] = 0;
	return true;
}

static inline bool key_parse_arp(const struct flow_key_l2 *f, const struct flow_key_origin *origin,
	struct flow_key *key)
{
	const uint8_t *arp = f->l3;

	/* Ethernet, IPv4, lengths 6 and 4, and an opcode below 256. */
	if (f->seg_left < ARP_HEADER_LEN || load32(arp) != htobe32(0x00010800) ||
		load16(arp + 4) != htobe16(0x0604) || arp[6])
		return false;
	key_store(key, origin,
		f->w0 | (uint64_t)arp[7] << 48 | flow_key_kind(FLOW_KEY_K128, 0, 0, 0), f->dl_dst,
		f->dl_src, 0);
	key->w[3] = 0;
	key->w[7] = key->w[8] = key->w[9] = key->w[10] = 0;
	key->w[11] = load32(arp + 14) | (uint64_t)load32(arp + 24) << 32;
	key->w[12] = 0;
	key->w[13] = load64(arp + 8) & FLOW_KEY_MAC_MASK;
	key->w[14] = load64(arp + 16) >> 16;
	key->w[15] = 0;
	return true;
}

/* What is not IPv4. */
static inline bool key_parse_other(be16 type, const struct flow_key_l2 *f,
	const struct flow_key_origin *origin, struct flow_key *key)
{
	if (type == htobe16(ETH_T_IPV6))
		return key_parse_ipv6(f, origin, key);
	if (type == htobe16(ETH_T_ARP) || type == htobe16(ETH_T_RARP))
		return key_parse_arp(f, origin, key);
	if (be16toh(type) < ETH_TYPE_MIN || eth_type_is_mpls(type) || type == htobe16(ETH_T_PBB))
		return false;
	key_store(key, origin, f->w0, f->dl_dst, f->dl_src, 0);
	key->w[3] = key->w[7] = 0;
	return true;
}

/* What precedes the network header, whose type is *TYPE. */
__attribute__((always_inline)) static inline bool key_parse_l2(const uint8_t *data, uint32_t len, uint32_t seg_len,
	const struct flow_key_origin *origin, struct flow_key_l2 *f, be16 *type)
{
	unsigned int tpid = FLOW_KEY_TPID_NONE;
	uint32_t ofs = ETH_HEADER_LEN;
	be16 tci = 0;

	if (unlikely(seg_len < ETH_HEADER_LEN))
		return false;
	f->dl_dst = load64(data) & FLOW_KEY_MAC_MASK;
	f->dl_src = load64(data + 6) & FLOW_KEY_MAC_MASK;
	*type = load16(data + 12);
	if (*type == htobe16(ETH_T_VLAN_8021Q) || *type == htobe16(ETH_T_VLAN_8021AD)) {
		if (seg_len < ETH_HEADER_LEN + VLAN_HEADER_LEN || !origin->max_vlans)
			return false;
		tpid = *type == htobe16(ETH_T_VLAN_8021Q) ? FLOW_KEY_TPID_8021Q : FLOW_KEY_TPID_8021AD;
		tci = load16(data + 14) | htobe16(VLAN_PRESENT);
		*type = load16(data + 16);
		ofs += VLAN_HEADER_LEN;
		if (eth_type_is_vlan(*type) && origin->max_vlans > 1)
			return false;
	}
	f->l3 = data + ofs;
	f->left = len - ofs;
	f->seg_left = seg_len - ofs;
	f->w0 = flow_key_word0(origin->in_port, *type, tci, 0) | flow_key_kind(FLOW_KEY_K64, 0, tpid, 0);
	return true;
}

/* ------------------------------------------------------------------ outside */

/* KEY of the frame of LEN bytes at DATA, SEG_LEN of them contiguous. False: it is none of the common
 * ones, and KEY holds nothing of use. */
static inline bool flow_key_parse(const uint8_t *data, uint32_t len, uint32_t seg_len,
	const struct flow_key_origin *origin, struct flow_key *key)
{
	struct flow_key_l2 f;
	be16 type;

	if (!key_parse_l2(data, len, seg_len, origin, &f, &type))
		return false;
	if (likely(type == htobe16(ETH_T_IP)))
		return key_parse_ipv4(&f, origin, key);
	return key_parse_other(type, &f, origin, key);
}

/* The same for IPv4 alone, and what is not of a tunnel: the first five words, for who keeps them in registers. */
__attribute__((always_inline)) static inline bool flow_key_parse_ipv4(const uint8_t *data, uint32_t len, uint32_t seg_len,
	const struct flow_key_origin *origin, uint64_t w[5])
{
	struct flow_key_l2 f;
	be16 type;

	return likely(key_parse_l2(data, len, seg_len, origin, &f, &type) && type == htobe16(ETH_T_IP)) &&
		key_words_ipv4(&f, w);
}

/* The same for those who look at no more than the Ethernet header: the first three words, with what
 * FLOW_KEY_K64 has of it, whatever is behind it; no other word has anything of it. False: short, an 802.2
 * frame or more than one tag. */
__attribute__((always_inline)) static inline bool flow_key_parse_ethernet(const uint8_t *data, uint32_t seg_len,
	const struct flow_key_origin *origin, uint64_t w[3])
{
	uint64_t tag = 0;
	be16 type;

	if (unlikely(seg_len < ETH_HEADER_LEN))
		return false;
	type = load16(data + 12);
	if (eth_type_is_vlan(type)) {
		if (seg_len < ETH_HEADER_LEN + VLAN_HEADER_LEN || !origin->max_vlans)
			return false;
		tag = flow_key_kind(FLOW_KEY_K64, 0, type == htobe16(ETH_T_VLAN_8021Q) ?
				FLOW_KEY_TPID_8021Q : FLOW_KEY_TPID_8021AD, 0) |
			(uint64_t)(load16(data + 14) | htobe16(VLAN_PRESENT)) << 32;
		type = load16(data + 16);
		if (eth_type_is_vlan(type) && origin->max_vlans > 1)
			return false;
	}
	if (be16toh(type) < ETH_TYPE_MIN)
		return false;
	w[0] = flow_key_word0(origin->in_port, type, 0, 0) | tag;
	w[1] = load64(data) & FLOW_KEY_MAC_MASK;
	w[2] = load64(data + 6) & FLOW_KEY_MAC_MASK;
	return true;
}

/* KEY, no large one, has a VLAN tag. */
static inline bool flow_key_is_tagged(const struct flow_key *key)
{
	return key->w[0] >> (FLOW_KEY_KIND_SHIFT + 2) & FLOW_KEY_TPID_MASK;
}

/* Sets the offsets of PACKET, whose KEY flow_key_parse() made. */
static inline void flow_key_offsets(const struct flow_key *key, struct packet *packet)
{
	uint16_t l3 = flow_key_is_tagged(key) ? ETH_HEADER_LEN + VLAN_HEADER_LEN : ETH_HEADER_LEN;
	be16 type = (be16)(key->w[0] >> 16);

	packet->l2_5_ofs = PACKET_NO_OFS;
	packet->l3_ofs = l3;
	if (type == htobe16(ETH_T_IP))
		packet->l4_ofs = l3 + IPV4_HEADER_LEN;
	else if (type == htobe16(ETH_T_IPV6))
		packet->l4_ofs = l3 + IPV6_HEADER_LEN;
	else
		packet->l4_ofs = PACKET_NO_OFS;
}

/* The inline half of flow_key_hash_5tuple(): IPv4 with addresses, no later fragment. False: it is something else. */
static inline bool flow_key_hash_ipv4(const struct flow_key *key, uint32_t basis, uint32_t *hash)
{
	const be16 type = htobe16(ETH_T_IP);
	const uint64_t kind = UINT64_C(3) << FLOW_KEY_CLASS_SHIFT | flow_key_kind(0, FLOW_NW_FRAG_LATER, 0, 0);
	uint64_t w0 = key->w[0];
	be16 vid = (be16)(w0 >> 32) & htobe16(VLAN_VID_MASK);
	uint8_t proto = (uint8_t)(w0 >> 48);

	if (unlikely((w0 & (kind | UINT64_C(0xffff) << 16)) !=
		    (flow_key_kind(FLOW_KEY_K64, 0, 0, 0) | (uint64_t)type << 16)) ||
		unlikely(!key->w[3]))
		return false;
	*hash = flow_hash_mix(basis, type, key->w[3],
		flow_hash_rest((uint32_t)key->w[4] & flow_hash_ports[proto], vid, proto));
	return true;
}
