/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * struct flow: everything about a packet that a rule may match or an action may read or write, one
 * fixed place a field. The same struct serves as a mask (a 1-bit is significant).
 *
 * Used by the slow walks (translation, tables, codecs). The caches use the compact keys of
 * lib/flow_key.h, which expand into it.
 *
 * Fields that a packet does not have are zero; padding is zero always, so flows compare and hash as
 * words. Byte order: be types are as on the wire; others are host order.
 *
 * Words: `mask`, `wildcards`: the bits that were looked at. `prerequisite`: the fields that decide
 * whether another one exists.
 *
 * Pure; any thread.
 */

#include "lib/types.h"

#define FLOW_N_REGS 16
#define FLOW_MAX_VLANS 2
#define FLOW_MAX_MPLS 3
#define FLOW_TUN_METADATA_OPTS 64
#define FLOW_TUN_METADATA_BYTES 256

/* In vlan.tci: set when the tag is there, as NXM's vlan_tci and OXM's OFPVID_PRESENT have it. */
#define VLAN_PRESENT 0x1000
#define VLAN_VID_MASK 0x0fff
#define VLAN_PCP_MASK 0xe000
#define VLAN_PCP_SHIFT 13

/* In flow.pbb_isid, over the 24 bits of the I-SID. */
#define FLOW_PBB_ISID_MASK 0x00ffffff
#define FLOW_PBB_UCA 0x01000000
#define FLOW_PBB_PRESENT 0x02000000

/* Bits of flow.nw_frag. */
#define FLOW_NW_FRAG_ANY 1	/* A fragment. */
#define FLOW_NW_FRAG_LATER 2	/* Not the first fragment. */

/* Bits of flow_tnl.flags. OAM is the one that rules match (tun_flags). */
#define FLOW_TNL_F_OAM (1 << 0)
#define FLOW_TNL_F_DONT_FRAGMENT (1 << 1)
#define FLOW_TNL_F_CSUM (1 << 2)
#define FLOW_TNL_F_KEY (1 << 3)

struct flow_vlan {
	be16 tpid;	/* 0 if there is no tag. */
	be16 tci;	/* PCP, VLAN_PRESENT in place of DEI/CFI, VID. */
};

/* Outer header of a packet that came out of a tunnel, or that set_tunnel asks for on output. All
 * zero: not from a tunnel (ip_dst and ipv6_dst both zero). IPv4 in ip_*, IPv6 in ipv6_*. */
struct flow_tnl {
	be64 tun_id;
	be32 ip_dst;
	be32 ip_src;
	struct ipv6_addr ipv6_dst;
	struct ipv6_addr ipv6_src;
	uint16_t flags;		/* FLOW_TNL_F_*. */
	uint8_t ip_tos;
	uint8_t ip_ttl;
	be16 tp_src;		/* UDP ports of the outer header; not matchable. */
	be16 tp_dst;
	be16 gbp_id;
	uint8_t gbp_flags;
	uint8_t pad[5];
};

/* Geneve options mapped by the bridge's TLV table, tun_metadata0..63 packed one after the other. */
struct flow_tun_metadata {
	uint64_t present;	/* Bit I: option I was there. In a mask: its presence is significant. */
	uint8_t data[FLOW_TUN_METADATA_BYTES];
};

struct flow {
	/* Not of the packet. */
	be64 metadata;
	uint32_t regs[FLOW_N_REGS];
	ofp_port_t in_port;
	ofp_port_t actset_output;
	uint32_t pkt_mark;
	uint32_t queue;		/* set_queue: 0 none, else queue id + 1. Not matchable. */
	uint32_t conj_id;
	uint32_t recirc_id;
	uint32_t dp_hash;
	be32 packet_type;	/* 0: Ethernet. */

	/* Connection tracking; all zero where ct was not passed. */
	uint32_t ct_state;
	uint32_t ct_mark;
	struct ipv6_addr ct_label;
	struct ipv6_addr ct_ipv6_src;
	struct ipv6_addr ct_ipv6_dst;
	be32 ct_nw_src;
	be32 ct_nw_dst;
	be16 ct_tp_src;
	be16 ct_tp_dst;
	uint16_t ct_zone;
	uint8_t ct_nw_proto;
	uint8_t pad0;

	/* Ethernet, 64-bit aligned. */
	struct eth_addr dl_dst;
	struct eth_addr dl_src;
	be16 dl_type;		/* After all tags. 0x05ff: none (802.2 without SNAP). */
	be16 ipv6_exthdr;	/* OFPIEH_* bits (OpenFlow 1.3.5, 7.2.3.8), 9 of them. */
	struct flow_vlan vlans[FLOW_MAX_VLANS];	/* Outermost first. */
	be32 mpls_lse[FLOW_MAX_MPLS];		/* Outermost first. */
	be32 pbb_isid;		/* 24 bits of PBB I-SID in the low end; FLOW_PBB_*. */

	/* Network. */
	be32 nw_src;		/* IPv4, or ARP spa. */
	be32 nw_dst;		/* IPv4, or ARP tpa. */
	struct ipv6_addr ipv6_src;
	struct ipv6_addr ipv6_dst;
	be32 ipv6_label;	/* 20 bits in the low end. */
	uint8_t nw_frag;	/* FLOW_NW_FRAG_*. */
	uint8_t nw_tos;		/* DSCP and ECN. */
	uint8_t nw_ttl;
	uint8_t nw_proto;	/* IP protocol, or the low 8 bits of the ARP opcode. */

	/* ARP and ND. */
	struct ipv6_addr nd_target;
	struct eth_addr arp_sha;	/* ARP sha, or ND source link-layer address. */
	struct eth_addr arp_tha;	/* ARP tha, or ND target link-layer address. */
	be32 nd_reserved;
	uint8_t nd_options_type;
	uint8_t pad1[3];

	/* Transport. */
	be16 tcp_flags;		/* 12 bits in the low end. */
	be16 tp_src;		/* TCP, UDP, SCTP source port, or ICMP type. */
	be16 tp_dst;		/* Destination port, or ICMP code. */
	be16 pad2;
	be32 igmp_group_ip4;
	be32 pad3;

	/* Tunnel. */
	struct flow_tnl tunnel;
	struct flow_tun_metadata tun_metadata;
} __attribute__((aligned(8)));

#define FLOW_WORDS (sizeof(struct flow) / 8)
_Static_assert(sizeof(struct flow) % 8 == 0 && FLOW_WORDS <= 128, "flow is an array of words");

/* A set of flows: those whose bits under `mask` equal `flow`'s. flow has no bit outside mask. */
struct match {
	struct flow flow;
	struct flow mask;
};

static inline uint64_t *flow_words(struct flow *flow)
{
	return (uint64_t *)(void *)flow;
}

static inline const uint64_t *flow_words_const(const struct flow *flow)
{
	return (const uint64_t *)(const void *)flow;
}

static inline bool flow_tnl_is_set(const struct flow_tnl *tnl)
{
	return tnl->ip_dst || tnl->ipv6_dst.w64[0] || tnl->ipv6_dst.w64[1];
}

/* FLOW &= MASK. */
void flow_mask_apply(struct flow *flow, const struct flow *mask);
/* True if A and B agree in all bits of MASK. */
bool flow_equal_masked(const struct flow *a, const struct flow *b, const struct flow *mask);
bool flow_equal(const struct flow *a, const struct flow *b);
uint32_t flow_hash(const struct flow *flow, uint32_t basis);
/* DST |= SRC, the way wildcards accumulate. */
void flow_mask_or(struct flow *dst, const struct flow *src);
/* True if every bit of SUB is in SUPER. */
bool flow_mask_is_subset(const struct flow *sub, const struct flow *super);

/* Number of VLAN tags in FLOW (0 to FLOW_MAX_VLANS); of MPLS labels. */
int flow_n_vlans(const struct flow *flow);
int flow_n_mpls(const struct flow *flow);

/*
 * Symmetric hash of the transport flow (addresses and ports, either direction gives the same) and
 * plain hash of the 5-tuple, for select groups, multipath and tunnel source ports. Never 0. The symmetric one
 * tells ARP packets apart by their addresses, too.
 */
uint32_t flow_hash_symmetric_l4(const struct flow *flow, uint32_t basis);
uint32_t flow_hash_5tuple(const struct flow *flow, uint32_t basis);

/* Sets in MASK all bits that flow_hash_symmetric_l4() (or _5tuple) reads of FLOW. */
void flow_mask_hash_fields(const struct flow *flow, struct flow *mask);
