/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Layouts of packet headers and the numbers in them. Structs are packed: they may lie at any
 * address. Field names follow the RFC or IEEE document that is named at each. Pure; any thread.
 */

#include "lib/types.h"

#define PACKED __attribute__((packed))

/* Ethernet, IEEE 802.3 and 802.1Q. */
#define ETH_ADDR_LEN 6
#define ETH_HEADER_LEN 14
#define ETH_MIN_LEN 60		/* Without the FCS. */
#define VLAN_HEADER_LEN 4
#define ETH_TYPE_MIN 0x600	/* Below it, the field is an 802.3 length. */

enum eth_type {
	ETH_T_IP = 0x0800,
	ETH_T_ARP = 0x0806,
	ETH_T_TEB = 0x6558,
	ETH_T_RARP = 0x8035,
	ETH_T_VLAN_8021Q = 0x8100,
	ETH_T_IPV6 = 0x86dd,
	ETH_T_LACP = 0x8809,
	ETH_T_MPLS = 0x8847,
	ETH_T_MPLS_MCAST = 0x8848,
	ETH_T_VLAN_8021AD = 0x88a8,
	ETH_T_LLDP = 0x88cc,
	ETH_T_PBB = 0x88e7,
	ETH_T_ERSPAN2 = 0x88be,
	ETH_T_CFM = 0x8902,
	ETH_T_NSH = 0x894f,
	ETH_T_NONE = 0x05ff,	/* OpenFlow's dl_type of a frame without an Ethernet type. */
};

struct eth_header {
	uint8_t dst[6];
	uint8_t src[6];
	be16 type;
} PACKED;
_Static_assert(sizeof(struct eth_header) == ETH_HEADER_LEN, "eth_header");

struct vlan_header {
	be16 tci;
	be16 next_type;
} PACKED;

/* 802.2 LLC and SNAP, behind an 802.3 length. */
struct llc_snap_header {
	uint8_t dsap;
	uint8_t ssap;
	uint8_t control;
	uint8_t oui[3];
	be16 type;
} PACKED;
#define LLC_SNAP_LEN 8

/* Provider backbone bridging I-TAG, IEEE 802.1ah: flags and I-SID, then the customer's addresses.
 */
struct pbb_header {
	be32 tci;
	uint8_t c_dst[6];
	uint8_t c_src[6];
} PACKED;
#define PBB_ISID_MASK 0x00ffffff
#define PBB_PCP_MASK 0xe0000000
#define PBB_UCA 0x08000000
#define PBB_HEADER_LEN 16

/* MPLS label stack entry, RFC 3032: label 20, TC 3, bottom of stack 1, TTL 8. */
#define MPLS_LABEL_SHIFT 12
#define MPLS_LABEL_MASK 0xfffff000
#define MPLS_TC_SHIFT 9
#define MPLS_TC_MASK 0x00000e00
#define MPLS_BOS_SHIFT 8
#define MPLS_BOS_MASK 0x00000100
#define MPLS_TTL_MASK 0x000000ff
#define MPLS_HEADER_LEN 4

/* ARP for IPv4 over Ethernet, RFC 826. */
struct arp_header {
	be16 hrd;
	be16 pro;
	uint8_t hln;
	uint8_t pln;
	be16 op;
	uint8_t sha[6];
	uint8_t spa[4];
	uint8_t tha[6];
	uint8_t tpa[4];
} PACKED;
#define ARP_HEADER_LEN 28
#define ARP_HRD_ETHERNET 1
#define ARP_OP_REQUEST 1
#define ARP_OP_REPLY 2

/* Protocol numbers and IPv6 extension headers, IANA. */
enum ip_proto {
	IP_P_HOPOPTS = 0,
	IP_P_ICMP = 1,
	IP_P_IGMP = 2,
	IP_P_IPIP = 4,
	IP_P_TCP = 6,
	IP_P_UDP = 17,
	IP_P_IPV6 = 41,
	IP_P_ROUTING = 43,
	IP_P_FRAGMENT = 44,
	IP_P_GRE = 47,
	IP_P_ESP = 50,
	IP_P_AH = 51,
	IP_P_ICMPV6 = 58,
	IP_P_NONE = 59,
	IP_P_DSTOPTS = 60,
	IP_P_SCTP = 132,
	IP_P_MH = 135,
};

#define IP_DSCP_MASK 0xfc
#define IP_ECN_MASK 0x03
#define IP_ECN_NOT_ECT 0
#define IP_ECN_ECT_1 1
#define IP_ECN_ECT_0 2
#define IP_ECN_CE 3

/* IPv4, RFC 791. */
struct ipv4_header {
	uint8_t ver_ihl;
	uint8_t tos;
	be16 tot_len;
	be16 id;
	be16 frag_off;
	uint8_t ttl;
	uint8_t proto;
	be16 csum;
	uint8_t src[4];
	uint8_t dst[4];
} PACKED;
#define IPV4_HEADER_LEN 20
#define IPV4_DF 0x4000
#define IPV4_MF 0x2000
#define IPV4_FRAG_OFS_MASK 0x1fff

/* IPv6, RFC 8200. */
struct ipv6_header {
	be32 flow;		/* Version 4, traffic class 8, flow label 20. */
	be16 plen;
	uint8_t nexthdr;
	uint8_t hlim;
	uint8_t src[16];
	uint8_t dst[16];
} PACKED;
#define IPV6_HEADER_LEN 40
#define IPV6_LABEL_MASK 0x000fffff

struct ipv6_ext_header {
	uint8_t nexthdr;
	uint8_t len;		/* In 8 bytes, less the first 8 (AH: in 4 bytes, less 2). */
} PACKED;

struct ipv6_frag_header {
	uint8_t nexthdr;
	uint8_t reserved;
	be16 ofs_more;		/* Offset 13, reserved 2, more 1. */
	be32 id;
} PACKED;
#define IPV6_FRAG_OFS_MASK 0xfff8
#define IPV6_FRAG_MORE 0x0001

/* OFPIEH_* of OpenFlow 1.3.5, section 7.2.3.8: extension headers of a packet. */
#define IPV6_EXT_NONEXT 0x001
#define IPV6_EXT_ESP 0x002
#define IPV6_EXT_AUTH 0x004
#define IPV6_EXT_DEST 0x008	/* 1 or 2 destination options headers. */
#define IPV6_EXT_FRAG 0x010
#define IPV6_EXT_ROUTER 0x020
#define IPV6_EXT_HOP 0x040
#define IPV6_EXT_UNREP 0x080	/* A header repeated that should not be. */
#define IPV6_EXT_UNSEQ 0x100	/* Not in the order that RFC 8200 prefers. */

/* TCP, RFC 9293. */
struct tcp_header {
	be16 src;
	be16 dst;
	be32 seq;
	be32 ack;
	be16 ctl;		/* Data offset 4, reserved and flags 12. */
	be16 win;
	be16 csum;
	be16 urg;
} PACKED;
#define TCP_HEADER_LEN 20
#define TCP_FIN 0x001
#define TCP_SYN 0x002
#define TCP_RST 0x004
#define TCP_PSH 0x008
#define TCP_ACK 0x010
#define TCP_URG 0x020
#define TCP_ECE 0x040
#define TCP_CWR 0x080
#define TCP_NS 0x100
#define TCP_FLAGS_MASK 0x0fff

struct udp_header {
	be16 src;
	be16 dst;
	be16 len;
	be16 csum;
} PACKED;
#define UDP_HEADER_LEN 8

/* SCTP, RFC 9260. */
struct sctp_header {
	be16 src;
	be16 dst;
	be32 vtag;
	be32 csum;
} PACKED;
#define SCTP_HEADER_LEN 12

struct icmp_header {
	uint8_t type;
	uint8_t code;
	be16 csum;
	be32 rest;
} PACKED;
#define ICMP_HEADER_LEN 8

/* IGMP, RFC 2236. */
struct igmp_header {
	uint8_t type;
	uint8_t code;
	be16 csum;
	be32 group;
} PACKED;
#define IGMP_HEADER_LEN 8
#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_LEAVE 0x17
#define IGMP_V3_REPORT 0x22

struct icmpv6_header {
	uint8_t type;
	uint8_t code;
	be16 csum;
} PACKED;
#define ICMPV6_HEADER_LEN 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY 129
#define MLD_QUERY 130
#define MLD_REPORT 131
#define MLD_DONE 132
#define ND_RS 133
#define ND_RA 134
#define ND_NS 135
#define ND_NA 136
#define MLD2_REPORT 143

/* Neighbour solicitation and advertisement, RFC 4861. */
struct nd_header {
	struct icmpv6_header icmp;
	be32 flags;		/* Reserved, with R, S, O of an advertisement on top. */
	uint8_t target[16];
} PACKED;
#define ND_HEADER_LEN 24
#define ND_OPT_SLL 1
#define ND_OPT_TLL 2

struct nd_lla_opt {
	uint8_t type;
	uint8_t len;		/* In 8 bytes. */
	uint8_t mac[6];
} PACKED;
#define ND_LLA_OPT_LEN 8

/* VXLAN, RFC 7348. */
struct vxlan_header {
	be32 flags;
	be32 vni;		/* VNI 24, reserved 8. */
} PACKED;
#define VXLAN_HEADER_LEN 8
#define VXLAN_F_VNI 0x08000000
#define VXLAN_PORT 4789

/* GRE, RFC 2784 and 2890: optional checksum, key and sequence words follow. */
struct gre_header {
	be16 flags;
	be16 proto;
} PACKED;
#define GRE_HEADER_LEN 4
#define GRE_F_CSUM 0x8000
#define GRE_F_ROUTING 0x4000
#define GRE_F_KEY 0x2000
#define GRE_F_SEQ 0x1000
#define GRE_VERSION_MASK 0x0007

/* Geneve, RFC 8926. */
struct geneve_header {
	uint8_t ver_optlen;	/* Version 2, options length in 4 bytes 6. */
	uint8_t flags;
	be16 proto;
	be32 vni;		/* VNI 24, reserved 8. */
} PACKED;
#define GENEVE_HEADER_LEN 8
#define GENEVE_PORT 6081
#define GENEVE_F_OAM 0x80
#define GENEVE_F_CRITICAL 0x40

struct geneve_opt {
	be16 class;
	uint8_t type;
	uint8_t len;		/* Reserved 3, length in 4 bytes without this header 5. */
} PACKED;
#define GENEVE_OPT_CRITICAL 0x80	/* In type. */

static inline bool eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
	return !((a.b[0] ^ b.b[0]) | (a.b[1] ^ b.b[1]) | (a.b[2] ^ b.b[2]) | (a.b[3] ^ b.b[3]) |
		(a.b[4] ^ b.b[4]) | (a.b[5] ^ b.b[5]));
}

static inline bool eth_addr_is_zero(struct eth_addr a)
{
	return !(a.b[0] | a.b[1] | a.b[2] | a.b[3] | a.b[4] | a.b[5]);
}

static inline bool eth_addr_is_multicast(struct eth_addr a)
{
	return a.b[0] & 1;
}

static inline bool eth_addr_is_broadcast(struct eth_addr a)
{
	return (a.b[0] & a.b[1] & a.b[2] & a.b[3] & a.b[4] & a.b[5]) == 0xff;
}

static inline uint64_t eth_addr_to_u64(struct eth_addr a)
{
	return (uint64_t)a.b[0] << 40 | (uint64_t)a.b[1] << 32 | (uint64_t)a.b[2] << 24 |
		(uint64_t)a.b[3] << 16 | (uint64_t)a.b[4] << 8 | a.b[5];
}

/* What bridges keep to themselves: IEEE's 01:80:c2:00:00:0X, and discovery, ring and spanning-tree
 * protocols of Extreme and Cisco; those that forward-bpdu of ovs-vswitchd.conf.db(5) lists. */
static inline bool eth_addr_is_reserved(struct eth_addr a)
{
	uint64_t mac = eth_addr_to_u64(a);

	switch (mac) {
	case UINT64_C(0x00e02b000000):	/* EDP */
	case UINT64_C(0x00e02b000004):	/* EAPS */
	case UINT64_C(0x00e02b000006):
	case UINT64_C(0x01000c000000):	/* ISL */
	case UINT64_C(0x01000ccccccc):	/* CDP, VTP, DTP, PAgP, UDLD */
	case UINT64_C(0x01000ccccccd):	/* PVST+ */
	case UINT64_C(0x01000ccdcdcd):	/* Uplink Fast */
		return true;
	default:
		return (mac & ~UINT64_C(0xf)) == UINT64_C(0x0180c2000000) ||
			(mac & ~UINT64_C(0x7)) == UINT64_C(0x01000cccccc0);	/* CFM */
	}
}

static inline struct eth_addr eth_addr_from_u64(uint64_t v)
{
	return (struct eth_addr){{(uint8_t)(v >> 40), (uint8_t)(v >> 32), (uint8_t)(v >> 24),
		(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}};
}

static inline bool eth_type_is_vlan(be16 type)
{
	return type == htobe16(ETH_T_VLAN_8021Q) || type == htobe16(ETH_T_VLAN_8021AD);
}

static inline bool eth_type_is_mpls(be16 type)
{
	return type == htobe16(ETH_T_MPLS) || type == htobe16(ETH_T_MPLS_MCAST);
}

static inline bool ipv6_addr_equal(const struct ipv6_addr *a, const struct ipv6_addr *b)
{
	return !((a->w64[0] ^ b->w64[0]) | (a->w64[1] ^ b->w64[1]));
}

static inline bool ipv6_addr_is_zero(const struct ipv6_addr *a)
{
	return !(a->w64[0] | a->w64[1]);
}
