/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define NXM_OF(N) (0x00000000u | (N) << 9)
#define NXM_NX(N) (0x00010000u | (N) << 9)
#define OXM_OF(N) (0x80000000u | (N) << 9)
#define OXM_REGS(N) (0x80010000u | (N) << 9)
#define OXM_ERIC(N) (0x10000000u | (N) << 9)
#define OXM_EXP(N) (0xffff0000u | (N) << 9)
#define EXP_ONF 0x4f4e4600u
#define EXP_NICIRA 0x00002320u

/* NXM_OF_IN_PORT's header is all zeros: a name tells that there is one. */
#define NXM(HEADER, NAME) .nxm_header = (HEADER), .nxm_name = (NAME)
#define OXM(HEADER, NAME, VERSION) .oxm_header = (HEADER), .oxm_name = (NAME), .oxm_version = (VERSION)
#define OF12 3
#define OF13 4
#define OF14 5
#define OF15 6

/* Widths and formats. */
#define W(BITS, BYTES, FORMAT) .n_bits = (BITS), .n_bytes = (BYTES), .format = FIELD_FMT_##FORMAT
/* Access: masked, written. All fields are readable. */
#define RO .readable = true
#define RW .readable = true, .writable = true, .nx_writable = true
#define SET .readable = true, .writable = true
#define RO_MASK .readable = true, .maskable = true
#define RW_MASK .readable = true, .writable = true, .nx_writable = true, .maskable = true
#define PRE(P) .prereq = FIELD_PRE_##P

#define FLOW_OFS(M) .ofs = offsetof(struct flow, M)
#define FLOW_WORD(M) FLOW_OFS(M), .word = sizeof(((struct flow *)0)->M)
#define AT_BYTES(M) .place = FIELD_PLACE_BYTES, FLOW_OFS(M)
#define AT_BE(M, BITS) .place = FIELD_PLACE_BE, FLOW_WORD(M), .bits = (BITS)
#define AT_HOST(M, BITS) .place = FIELD_PLACE_HOST, FLOW_WORD(M), .bits = (BITS)

#define ROW(ID) [FIELD_##ID] = { .id = FIELD_##ID

#define TUN_METADATA(N) [FIELD_TUN_METADATA0 + (N)] = {.id = FIELD_TUN_METADATA0 + (N), \
	.name = "tun_metadata" #N, W(992, 124, HEX), RW_MASK, .variable = true, \
	NXM(NXM_NX(40 + (N)), "NXM_NX_TUN_METADATA" #N), .place = FIELD_PLACE_TUN_METADATA}
#define TUN_METADATA4(A, B, C, D) TUN_METADATA(A), TUN_METADATA(B), TUN_METADATA(C), TUN_METADATA(D)

#define REG(N) [FIELD_REG0 + (N)] = {.id = FIELD_REG0 + (N), .name = "reg" #N, W(32, 4, HEX), RW_MASK, \
	NXM(NXM_NX(N), "NXM_NX_REG" #N), .place = FIELD_PLACE_REGS, FLOW_OFS(regs[N])}
#define XREG(N) [FIELD_XREG0 + (N)] = {.id = FIELD_XREG0 + (N), .name = "xreg" #N, W(64, 8, HEX), \
	RW_MASK, OXM(OXM_REGS(N), "OXM_OF_PKT_REG" #N, OF13), .place = FIELD_PLACE_REGS, \
	FLOW_OFS(regs[2 * (N)])}
#define XXREG(N) [FIELD_XXREG0 + (N)] = {.id = FIELD_XXREG0 + (N), .name = "xxreg" #N, \
	W(128, 16, HEX), RW_MASK, NXM(NXM_NX(111 + (N)), "NXM_NX_XXREG" #N), \
	.place = FIELD_PLACE_REGS, FLOW_OFS(regs[4 * (N)])}

/* Codes: OpenFlow 1.3.5 table 11, OpenFlow 1.5.1 table 12, ovs-fields(7). pbb_isid, pbb_uca and
 * ipv6_exthdr are not in Open vSwitch, which also cannot write eth_type, ip_proto and mpls_bos. */
static const struct field fields[FIELD_N_IDS] = {
	ROW(DP_HASH), .name = "dp_hash", W(32, 4, HEX), RO_MASK,
		NXM(NXM_NX(35), "NXM_NX_DP_HASH"), OXM(OXM_EXP(0), "NXOXM_ET_DP_HASH", 0),
		.oxm_experimenter = EXP_NICIRA, AT_HOST(dp_hash, UINT32_MAX)},
	ROW(RECIRC_ID), .name = "recirc_id", W(32, 4, DECIMAL), RO,
		NXM(NXM_NX(36), "NXM_NX_RECIRC_ID"), AT_HOST(recirc_id, UINT32_MAX)},
	ROW(PACKET_TYPE), .name = "packet_type", W(32, 4, PACKET_TYPE), RO,
		OXM(OXM_OF(44), "OXM_OF_PACKET_TYPE", OF15), AT_BE(packet_type, UINT32_MAX)},
	ROW(CONJ_ID), .name = "conj_id", W(32, 4, DECIMAL), RO,
		NXM(NXM_NX(37), "NXM_NX_CONJ_ID"), AT_HOST(conj_id, UINT32_MAX)},
	ROW(TUN_ID), .name = "tun_id", .alias = "tunnel_id", W(64, 8, HEX), RW_MASK,
		NXM(NXM_NX(16), "NXM_NX_TUN_ID"), OXM(OXM_OF(38), "OXM_OF_TUNNEL_ID", OF13),
		AT_BYTES(tunnel.tun_id)},
	ROW(TUN_SRC), .name = "tun_src", W(32, 4, IPV4), RW_MASK,
		NXM(NXM_NX(31), "NXM_NX_TUN_IPV4_SRC"), AT_BE(tunnel.ip_src, UINT32_MAX)},
	ROW(TUN_DST), .name = "tun_dst", W(32, 4, IPV4), RW_MASK,
		NXM(NXM_NX(32), "NXM_NX_TUN_IPV4_DST"), AT_BE(tunnel.ip_dst, UINT32_MAX)},
	ROW(TUN_IPV6_SRC), .name = "tun_ipv6_src", W(128, 16, IPV6), RW_MASK,
		NXM(NXM_NX(109), "NXM_NX_TUN_IPV6_SRC"), AT_BYTES(tunnel.ipv6_src)},
	ROW(TUN_IPV6_DST), .name = "tun_ipv6_dst", W(128, 16, IPV6), RW_MASK,
		NXM(NXM_NX(110), "NXM_NX_TUN_IPV6_DST"), AT_BYTES(tunnel.ipv6_dst)},
	ROW(TUN_FLAGS), .name = "tun_flags", W(1, 2, TNL_FLAGS), RW_MASK,
		NXM(NXM_NX(104), "NXM_NX_TUN_FLAGS"), AT_HOST(tunnel.flags, FLOW_TNL_F_OAM)},
	ROW(TUN_TTL), .name = "tun_ttl", W(8, 1, DECIMAL), RO, AT_BE(tunnel.ip_ttl, 0xff)},
	ROW(TUN_TOS), .name = "tun_tos", W(8, 1, DECIMAL), RO, AT_BE(tunnel.ip_tos, 0xff)},
	ROW(TUN_GBP_ID), .name = "tun_gbp_id", W(16, 2, DECIMAL), RW_MASK,
		NXM(NXM_NX(38), "NXM_NX_TUN_GBP_ID"), AT_BE(tunnel.gbp_id, 0xffff)},
	ROW(TUN_GBP_FLAGS), .name = "tun_gbp_flags", W(8, 1, HEX), RW_MASK,
		NXM(NXM_NX(39), "NXM_NX_TUN_GBP_FLAGS"), AT_BE(tunnel.gbp_flags, 0xff)},
	TUN_METADATA4(0, 1, 2, 3), TUN_METADATA4(4, 5, 6, 7), TUN_METADATA4(8, 9, 10, 11),
	TUN_METADATA4(12, 13, 14, 15), TUN_METADATA4(16, 17, 18, 19),
	TUN_METADATA4(20, 21, 22, 23), TUN_METADATA4(24, 25, 26, 27),
	TUN_METADATA4(28, 29, 30, 31), TUN_METADATA4(32, 33, 34, 35),
	TUN_METADATA4(36, 37, 38, 39), TUN_METADATA4(40, 41, 42, 43),
	TUN_METADATA4(44, 45, 46, 47), TUN_METADATA4(48, 49, 50, 51),
	TUN_METADATA4(52, 53, 54, 55), TUN_METADATA4(56, 57, 58, 59),
	TUN_METADATA4(60, 61, 62, 63),
	ROW(METADATA), .name = "metadata", W(64, 8, HEX), RW_MASK,
		OXM(OXM_OF(2), "OXM_OF_METADATA", OF12), AT_BYTES(metadata)},
	ROW(IN_PORT), .name = "in_port", W(16, 2, PORT16), RW,
		NXM(NXM_OF(0), "NXM_OF_IN_PORT"), .place = FIELD_PLACE_PORT16, FLOW_OFS(in_port)},
	ROW(IN_PORT_OXM), .name = "in_port_oxm", W(32, 4, PORT32), RW,
		OXM(OXM_OF(0), "OXM_OF_IN_PORT", OF12), AT_HOST(in_port, UINT32_MAX)},
	ROW(ACTSET_OUTPUT), .name = "actset_output", W(32, 4, PORT32), RO,
		OXM(OXM_EXP(43), "ONFOXM_ET_ACTSET_OUTPUT", OF13), .oxm_experimenter = EXP_ONF,
		.oxm15_header = OXM_OF(43), .oxm15_name = "OXM_OF_ACTSET_OUTPUT",
		AT_HOST(actset_output, UINT32_MAX)},
	ROW(SKB_PRIORITY), .name = "skb_priority", W(32, 4, HEX), RO},
	ROW(PKT_MARK), .name = "pkt_mark", W(32, 4, HEX), RW_MASK,
		NXM(NXM_NX(33), "NXM_NX_PKT_MARK"), AT_HOST(pkt_mark, UINT32_MAX)},
	ROW(CT_STATE), .name = "ct_state", W(32, 4, CT_STATE), RO_MASK,
		NXM(NXM_NX(105), "NXM_NX_CT_STATE"), AT_HOST(ct_state, UINT32_MAX)},
	ROW(CT_ZONE), .name = "ct_zone", W(16, 2, HEX), RO,
		NXM(NXM_NX(106), "NXM_NX_CT_ZONE"), AT_HOST(ct_zone, 0xffff)},
	ROW(CT_MARK), .name = "ct_mark", W(32, 4, HEX), RW_MASK,
		NXM(NXM_NX(107), "NXM_NX_CT_MARK"), AT_HOST(ct_mark, UINT32_MAX)},
	ROW(CT_LABEL), .name = "ct_label", W(128, 16, HEX), RW_MASK,
		NXM(NXM_NX(108), "NXM_NX_CT_LABEL"), AT_BYTES(ct_label)},
	ROW(CT_NW_PROTO), .name = "ct_nw_proto", W(8, 1, DECIMAL), RO, PRE(CT),
		NXM(NXM_NX(119), "NXM_NX_CT_NW_PROTO"), AT_BE(ct_nw_proto, 0xff)},
	ROW(CT_NW_SRC), .name = "ct_nw_src", W(32, 4, IPV4), RO_MASK, PRE(CT),
		NXM(NXM_NX(120), "NXM_NX_CT_NW_SRC"), AT_BE(ct_nw_src, UINT32_MAX)},
	ROW(CT_NW_DST), .name = "ct_nw_dst", W(32, 4, IPV4), RO_MASK, PRE(CT),
		NXM(NXM_NX(121), "NXM_NX_CT_NW_DST"), AT_BE(ct_nw_dst, UINT32_MAX)},
	ROW(CT_IPV6_SRC), .name = "ct_ipv6_src", W(128, 16, IPV6), RO_MASK, PRE(CT),
		NXM(NXM_NX(122), "NXM_NX_CT_IPV6_SRC"), AT_BYTES(ct_ipv6_src)},
	ROW(CT_IPV6_DST), .name = "ct_ipv6_dst", W(128, 16, IPV6), RO_MASK, PRE(CT),
		NXM(NXM_NX(123), "NXM_NX_CT_IPV6_DST"), AT_BYTES(ct_ipv6_dst)},
	ROW(CT_TP_SRC), .name = "ct_tp_src", W(16, 2, DECIMAL), RO_MASK, PRE(CT),
		NXM(NXM_NX(124), "NXM_NX_CT_TP_SRC"), AT_BE(ct_tp_src, 0xffff)},
	ROW(CT_TP_DST), .name = "ct_tp_dst", W(16, 2, DECIMAL), RO_MASK, PRE(CT),
		NXM(NXM_NX(125), "NXM_NX_CT_TP_DST"), AT_BE(ct_tp_dst, 0xffff)},
	REG(0), REG(1), REG(2), REG(3), REG(4), REG(5), REG(6), REG(7), REG(8), REG(9), REG(10),
	REG(11), REG(12), REG(13), REG(14), REG(15),
	XREG(0), XREG(1), XREG(2), XREG(3), XREG(4), XREG(5), XREG(6), XREG(7),
	XXREG(0), XXREG(1), XXREG(2), XXREG(3),

	ROW(ETH_SRC), .name = "eth_src", .alias = "dl_src", W(48, 6, ETHERNET), RW_MASK, PRE(ETHERNET),
		NXM(NXM_OF(2), "NXM_OF_ETH_SRC"), OXM(OXM_OF(4), "OXM_OF_ETH_SRC", OF12),
		AT_BYTES(dl_src)},
	ROW(ETH_DST), .name = "eth_dst", .alias = "dl_dst", W(48, 6, ETHERNET), RW_MASK, PRE(ETHERNET),
		NXM(NXM_OF(1), "NXM_OF_ETH_DST"), OXM(OXM_OF(3), "OXM_OF_ETH_DST", OF12),
		AT_BYTES(dl_dst)},
	ROW(ETH_TYPE), .name = "eth_type", .alias = "dl_type", W(16, 2, HEX), SET, PRE(ETHERNET),
		NXM(NXM_OF(3), "NXM_OF_ETH_TYPE"), OXM(OXM_OF(5), "OXM_OF_ETH_TYPE", OF12),
		AT_BE(dl_type, 0xffff)},
	ROW(VLAN_TCI), .name = "vlan_tci", W(16, 2, HEX), RW_MASK, PRE(ETHERNET),
		NXM(NXM_OF(4), "NXM_OF_VLAN_TCI"), AT_BE(vlans[0].tci, 0xffff)},
	ROW(DL_VLAN), .name = "dl_vlan", W(12, 2, DECIMAL), RW, PRE(ETHERNET),
		AT_BE(vlans[0].tci, VLAN_VID_MASK), .also = VLAN_PRESENT},
	ROW(VLAN_VID), .name = "vlan_vid", W(12, 2, DECIMAL), RW_MASK, PRE(ETHERNET),
		OXM(OXM_OF(6), "OXM_OF_VLAN_VID", OF12),
		AT_BE(vlans[0].tci, VLAN_VID_MASK | VLAN_PRESENT)},
	ROW(DL_VLAN_PCP), .name = "dl_vlan_pcp", W(3, 1, DECIMAL), RW, PRE(ETHERNET),
		AT_BE(vlans[0].tci, 7), .shift = VLAN_PCP_SHIFT, .also = VLAN_PRESENT},
	ROW(VLAN_PCP), .name = "vlan_pcp", W(3, 1, DECIMAL), RW_MASK, PRE(VLAN_VID),
		OXM(OXM_OF(7), "OXM_OF_VLAN_PCP", OF12), AT_BE(vlans[0].tci, 7),
		.shift = VLAN_PCP_SHIFT, .also = VLAN_PRESENT},
	ROW(MPLS_LABEL), .name = "mpls_label", W(20, 4, DECIMAL), RW, PRE(MPLS),
		OXM(OXM_OF(34), "OXM_OF_MPLS_LABEL", OF12), AT_BE(mpls_lse[0], 0xfffff), .shift = 12},
	ROW(MPLS_TC), .name = "mpls_tc", W(3, 1, DECIMAL), RW, PRE(MPLS),
		OXM(OXM_OF(35), "OXM_OF_MPLS_TC", OF12), AT_BE(mpls_lse[0], 7), .shift = 9},
	ROW(MPLS_BOS), .name = "mpls_bos", W(1, 1, DECIMAL), SET, PRE(MPLS),
		OXM(OXM_OF(36), "OXM_OF_MPLS_BOS", OF13), AT_BE(mpls_lse[0], 1), .shift = 8},
	ROW(MPLS_TTL), .name = "mpls_ttl", W(8, 1, DECIMAL), RW, PRE(MPLS),
		NXM(NXM_NX(30), "NXM_NX_MPLS_TTL"), AT_BE(mpls_lse[0], 0xff)},
	ROW(PBB_ISID), .name = "pbb_isid", W(24, 3, HEX), RW_MASK, PRE(PBB),
		OXM(OXM_OF(37), "OXM_OF_PBB_ISID", OF13), AT_BE(pbb_isid, FLOW_PBB_ISID_MASK)},
	ROW(PBB_UCA), .name = "pbb_uca", W(1, 1, DECIMAL), RW, PRE(PBB),
		OXM(OXM_OF(41), "OXM_OF_PBB_UCA", OF14), AT_BE(pbb_isid, 1), .shift = 24},

	ROW(IPV4_SRC), .name = "ip_src", .alias = "nw_src", W(32, 4, IPV4), RW_MASK, PRE(IPV4),
		NXM(NXM_OF(7), "NXM_OF_IP_SRC"), OXM(OXM_OF(11), "OXM_OF_IPV4_SRC", OF12),
		AT_BE(nw_src, UINT32_MAX)},
	ROW(IPV4_DST), .name = "ip_dst", .alias = "nw_dst", W(32, 4, IPV4), RW_MASK, PRE(IPV4),
		NXM(NXM_OF(8), "NXM_OF_IP_DST"), OXM(OXM_OF(12), "OXM_OF_IPV4_DST", OF12),
		AT_BE(nw_dst, UINT32_MAX)},
	ROW(IPV6_SRC), .name = "ipv6_src", W(128, 16, IPV6), RW_MASK, PRE(IPV6),
		NXM(NXM_NX(19), "NXM_NX_IPV6_SRC"), OXM(OXM_OF(26), "OXM_OF_IPV6_SRC", OF12),
		AT_BYTES(ipv6_src)},
	ROW(IPV6_DST), .name = "ipv6_dst", W(128, 16, IPV6), RW_MASK, PRE(IPV6),
		NXM(NXM_NX(20), "NXM_NX_IPV6_DST"), OXM(OXM_OF(27), "OXM_OF_IPV6_DST", OF12),
		AT_BYTES(ipv6_dst)},
	ROW(IPV6_LABEL), .name = "ipv6_label", W(20, 4, HEX), RW_MASK, PRE(IPV6),
		NXM(NXM_NX(27), "NXM_NX_IPV6_LABEL"), OXM(OXM_OF(28), "OXM_OF_IPV6_FLABEL", OF12),
		AT_BE(ipv6_label, 0xfffff)},
	ROW(IPV6_EXTHDR), .name = "ipv6_exthdr", W(9, 2, HEX), RO_MASK, PRE(IPV6),
		OXM(OXM_OF(39), "OXM_OF_IPV6_EXTHDR", OF13), AT_BE(ipv6_exthdr, 0x1ff)},
	ROW(IP_PROTO), .name = "nw_proto", .alias = "ip_proto", W(8, 1, DECIMAL), SET, PRE(IP_ANY),
		NXM(NXM_OF(6), "NXM_OF_IP_PROTO"), OXM(OXM_OF(10), "OXM_OF_IP_PROTO", OF12),
		AT_BE(nw_proto, 0xff)},
	ROW(IP_DSCP), .name = "nw_tos", W(8, 1, DECIMAL), RW, PRE(IP_ANY),
		NXM(NXM_OF(5), "NXM_OF_IP_TOS"), AT_BE(nw_tos, 0xfc)},
	ROW(IP_DSCP_SHIFTED), .name = "ip_dscp", W(6, 1, DECIMAL), RW, PRE(IP_ANY),
		OXM(OXM_OF(8), "OXM_OF_IP_DSCP", OF12), AT_BE(nw_tos, 0x3f), .shift = 2},
	ROW(IP_ECN), .name = "nw_ecn", .alias = "ip_ecn", W(2, 1, DECIMAL), RW, PRE(IP_ANY),
		NXM(NXM_NX(28), "NXM_NX_IP_ECN"), OXM(OXM_OF(9), "OXM_OF_IP_ECN", OF12),
		AT_BE(nw_tos, 3)},
	ROW(IP_TTL), .name = "nw_ttl", W(8, 1, DECIMAL), RW, PRE(IP_ANY),
		NXM(NXM_NX(29), "NXM_NX_IP_TTL"), AT_BE(nw_ttl, 0xff)},
	ROW(IP_FRAG), .name = "ip_frag", .alias = "nw_frag", W(2, 1, FRAG), RO_MASK, PRE(IP_ANY),
		NXM(NXM_NX(26), "NXM_NX_IP_FRAG"), AT_BE(nw_frag, 3)},

	ROW(ARP_OP), .name = "arp_op", W(16, 2, DECIMAL), RW, PRE(ARP),
		NXM(NXM_OF(15), "NXM_OF_ARP_OP"), OXM(OXM_OF(21), "OXM_OF_ARP_OP", OF12),
		AT_BE(nw_proto, 0xff)},
	ROW(ARP_SPA), .name = "arp_spa", W(32, 4, IPV4), RW_MASK, PRE(ARP),
		NXM(NXM_OF(16), "NXM_OF_ARP_SPA"), OXM(OXM_OF(22), "OXM_OF_ARP_SPA", OF12),
		AT_BE(nw_src, UINT32_MAX)},
	ROW(ARP_TPA), .name = "arp_tpa", W(32, 4, IPV4), RW_MASK, PRE(ARP),
		NXM(NXM_OF(17), "NXM_OF_ARP_TPA"), OXM(OXM_OF(23), "OXM_OF_ARP_TPA", OF12),
		AT_BE(nw_dst, UINT32_MAX)},
	ROW(ARP_SHA), .name = "arp_sha", W(48, 6, ETHERNET), RW_MASK, PRE(ARP),
		NXM(NXM_NX(17), "NXM_NX_ARP_SHA"), OXM(OXM_OF(24), "OXM_OF_ARP_SHA", OF12),
		AT_BYTES(arp_sha)},
	ROW(ARP_THA), .name = "arp_tha", W(48, 6, ETHERNET), RW_MASK, PRE(ARP),
		NXM(NXM_NX(18), "NXM_NX_ARP_THA"), OXM(OXM_OF(25), "OXM_OF_ARP_THA", OF12),
		AT_BYTES(arp_tha)},

	ROW(TCP_SRC), .name = "tcp_src", .alias = "tp_src", W(16, 2, DECIMAL), RW_MASK, PRE(TCP),
		NXM(NXM_OF(9), "NXM_OF_TCP_SRC"), OXM(OXM_OF(13), "OXM_OF_TCP_SRC", OF12),
		AT_BE(tp_src, 0xffff)},
	ROW(TCP_DST), .name = "tcp_dst", .alias = "tp_dst", W(16, 2, DECIMAL), RW_MASK, PRE(TCP),
		NXM(NXM_OF(10), "NXM_OF_TCP_DST"), OXM(OXM_OF(14), "OXM_OF_TCP_DST", OF12),
		AT_BE(tp_dst, 0xffff)},
	ROW(TCP_FLAGS), .name = "tcp_flags", W(12, 2, TCP_FLAGS), RO_MASK, PRE(TCP),
		NXM(NXM_NX(34), "NXM_NX_TCP_FLAGS"), OXM(OXM_EXP(42), "ONFOXM_ET_TCP_FLAGS", OF13),
		.oxm_experimenter = EXP_ONF, .oxm15_header = OXM_OF(42),
		.oxm15_name = "OXM_OF_TCP_FLAGS", AT_BE(tcp_flags, 0xfff)},
	ROW(UDP_SRC), .name = "udp_src", W(16, 2, DECIMAL), RW_MASK, PRE(UDP),
		NXM(NXM_OF(11), "NXM_OF_UDP_SRC"), OXM(OXM_OF(15), "OXM_OF_UDP_SRC", OF12),
		AT_BE(tp_src, 0xffff)},
	ROW(UDP_DST), .name = "udp_dst", W(16, 2, DECIMAL), RW_MASK, PRE(UDP),
		NXM(NXM_OF(12), "NXM_OF_UDP_DST"), OXM(OXM_OF(16), "OXM_OF_UDP_DST", OF12),
		AT_BE(tp_dst, 0xffff)},
	ROW(SCTP_SRC), .name = "sctp_src", W(16, 2, DECIMAL), RW_MASK, PRE(SCTP),
		OXM(OXM_OF(17), "OXM_OF_SCTP_SRC", OF12), AT_BE(tp_src, 0xffff)},
	ROW(SCTP_DST), .name = "sctp_dst", W(16, 2, DECIMAL), RW_MASK, PRE(SCTP),
		OXM(OXM_OF(18), "OXM_OF_SCTP_DST", OF12), AT_BE(tp_dst, 0xffff)},
	ROW(ICMPV4_TYPE), .name = "icmp_type", W(8, 1, DECIMAL), RW, PRE(ICMPV4),
		NXM(NXM_OF(13), "NXM_OF_ICMP_TYPE"), OXM(OXM_OF(19), "OXM_OF_ICMPV4_TYPE", OF12),
		AT_BE(tp_src, 0xff)},
	ROW(ICMPV4_CODE), .name = "icmp_code", W(8, 1, DECIMAL), RW, PRE(ICMPV4),
		NXM(NXM_OF(14), "NXM_OF_ICMP_CODE"), OXM(OXM_OF(20), "OXM_OF_ICMPV4_CODE", OF12),
		AT_BE(tp_dst, 0xff)},
	ROW(ICMPV6_TYPE), .name = "icmpv6_type", W(8, 1, DECIMAL), RW, PRE(ICMPV6),
		NXM(NXM_NX(21), "NXM_NX_ICMPV6_TYPE"), OXM(OXM_OF(29), "OXM_OF_ICMPV6_TYPE", OF12),
		AT_BE(tp_src, 0xff)},
	ROW(ICMPV6_CODE), .name = "icmpv6_code", W(8, 1, DECIMAL), RW, PRE(ICMPV6),
		NXM(NXM_NX(22), "NXM_NX_ICMPV6_CODE"), OXM(OXM_OF(30), "OXM_OF_ICMPV6_CODE", OF12),
		AT_BE(tp_dst, 0xff)},
	ROW(ND_TARGET), .name = "nd_target", W(128, 16, IPV6), RW_MASK, PRE(ND),
		NXM(NXM_NX(23), "NXM_NX_ND_TARGET"), OXM(OXM_OF(31), "OXM_OF_IPV6_ND_TARGET", OF12),
		AT_BYTES(nd_target)},
	ROW(ND_SLL), .name = "nd_sll", W(48, 6, ETHERNET), RW_MASK, PRE(ND_SOLICIT),
		NXM(NXM_NX(24), "NXM_NX_ND_SLL"), OXM(OXM_OF(32), "OXM_OF_IPV6_ND_SLL", OF12),
		AT_BYTES(arp_sha)},
	ROW(ND_TLL), .name = "nd_tll", W(48, 6, ETHERNET), RW_MASK, PRE(ND_ADVERT),
		NXM(NXM_NX(25), "NXM_NX_ND_TLL"), OXM(OXM_OF(33), "OXM_OF_IPV6_ND_TLL", OF12),
		AT_BYTES(arp_tha)},
	ROW(ND_RESERVED), .name = "nd_reserved", W(32, 4, DECIMAL), RW, PRE(ND),
		OXM(OXM_ERIC(1), "ERICOXM_OF_ICMPV6_ND_RESERVED", OF13),
		AT_BE(nd_reserved, UINT32_MAX)},
	ROW(ND_OPTIONS_TYPE), .name = "nd_options_type", W(8, 1, DECIMAL), RW, PRE(ND),
		OXM(OXM_ERIC(2), "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", OF13),
		AT_BE(nd_options_type, 0xff)},
};

/* Indexes, built before main() and only read afterwards. */
struct name_entry {
	const char *name;
	enum field_id id;
};

static struct name_entry names[FIELD_N_IDS * 5];
static size_t n_names;

/* Fields of the classes without experimenter, by field number. */
enum { CLASS_NXM_OF, CLASS_NXM_NX, CLASS_OXM, CLASS_REGS, CLASS_ERIC, N_CLASSES };
static uint16_t by_header[N_CLASSES][128];

static int class_index(uint32_t header)
{
	switch (header >> 16) {
	case 0x0000:
		return CLASS_NXM_OF;
	case 0x0001:
		return CLASS_NXM_NX;
	case 0x8000:
		return CLASS_OXM;
	case 0x8001:
		return CLASS_REGS;
	case 0x1000:
		return CLASS_ERIC;
	default:
		return -1;
	}
}

static void index_header(uint32_t header, enum field_id id)
{
	int c = class_index(header);

	if (c >= 0)
		by_header[c][header >> 9 & 127] = (uint16_t)id;
}

static void index_name(const char *name, enum field_id id)
{
	if (name)
		names[n_names++] = (struct name_entry){name, id};
}

static int name_compare(const void *a_, const void *b_)
{
	const struct name_entry *a = a_, *b = b_;

	return strcmp(a->name, b->name);
}

__attribute__((constructor)) static void field_table_index(void)
{
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = &fields[id];

		index_name(f->name, id);
		index_name(f->alias, id);
		index_name(f->oxm_name, id);
		index_name(f->oxm15_name, id);
		index_name(f->nxm_name, id);
		if (f->oxm_name)
			index_header(f->oxm_header, id);
		if (f->oxm15_name)
			index_header(f->oxm15_header, id);
		if (f->nxm_name)
			index_header(f->nxm_header, id);
	}
	qsort(names, n_names, sizeof names[0], name_compare);
}

const struct field *field_from_id(enum field_id id)
{
	return &fields[id];
}

const struct field *field_from_name(const char *name)
{
	struct name_entry key = {.name = name};
	const struct name_entry *e = bsearch(&key, names, n_names, sizeof names[0], name_compare);

	return e ? &fields[e->id] : NULL;
}

const struct field *field_from_header(uint32_t header, uint32_t experimenter)
{
	int c = class_index(header);

	if (c >= 0) {
		uint16_t id = by_header[c][header >> 9 & 127];

		return id ? &fields[id] : NULL;
	}
	header &= ~0x1ffu;
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = &fields[id];

		if (f->oxm_experimenter && f->oxm_experimenter == experimenter &&
			f->oxm_header == header)
			return f;
	}
	return NULL;
}
