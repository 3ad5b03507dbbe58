/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From bytes to struct flow. Whatever the bytes, the parser reads only inside the packet's
 * contiguous part, and what it finds is what Open vSwitch 3.1 finds, so that both take the same
 * rules:
 *
 * - A frame shorter than 14 bytes has no fields at all.
 * - Tags 0x8100 and 0x88a8 are taken while max_vlans allows; dl_type is what follows: with a
 *   limit of 1, the inner TPID of a double-tagged frame. A tag that is cut off (less than 6
 *   bytes from its TPID) is not taken; dl_type is its TPID.
 * - A type below 0x600 is an 802.3 length: dl_type is that of a SNAP header with OUI 00:00:00,
 *   or 0x05ff if there is none, or if SNAP's is below 0x600 too.
 * - MPLS: all labels up to the bottom of stack (or the end) are passed over, FLOW_MAX_MPLS of
 *   them kept. What follows is not looked at; l3_ofs is behind the stack.
 * - IPv4: the header is malformed if it is cut, its IHL is below 5, its total length is less
 *   than the header or more than the frame. Then no IP field is set. The version is not checked.
 *   What lies behind total length is padding. Only the first fragment has a transport header.
 * - IPv6: likewise for the payload length. Hop-by-hop, routing, destination options,
 *   authentication and fragment headers are passed over; nw_proto is what follows the last of
 *   them. If one is cut, only the addresses are set. A later fragment has nw_proto 44 and
 *   nothing behind it is looked at. A fragment header with offset and M zero makes no fragment.
 * - ipv6_exthdr (Open vSwitch has no such field): the bits of the headers up to the first that
 *   is not one of the above; ESP and "no next header" count and end the search. UNREP: any but
 *   destination options twice, or those a third time. UNSEQ: a header whose place in the order
 *   of RFC 8200 section 4.1 is in front of an earlier one's; destination options have their
 *   first place only as long as nothing but hop-by-hop came before. All zero if the chain is
 *   cut.
 * - ARP, RARP: only for IPv4 over Ethernet; an opcode over 255 leaves nw_proto 0.
 * - TCP needs its whole header (data offset at least 5), UDP 8 bytes, SCTP 12, ICMP 8, IGMP 8,
 *   ICMPv6 8; if there is less, ports, type and code are 0. l4_ofs is set all the same.
 * - Neighbour solicitations and advertisements (code 0): the reserved word, the target if it is
 *   whole, then options: the first source and the first target link-layer address of length 1
 *   and the type of the first such option. A second one of the same type makes target and
 *   addresses 0. An option of length 0 or beyond the end stops the search.
 * - PBB (Open vSwitch has no such field): I-SID and UCA of a whole I-TAG behind type 0x88e7. The
 *   customer's frame is not looked at.
 *
 * All functions: any thread, no state.
 */

#include "lib/flow.h"
#include "lib/packet.h"

struct flow_limits {
	uint8_t max_vlans;	/* 1 to FLOW_MAX_VLANS: other_config:vlan-limit (0 there: the most). */
};

/* One tag, as vlan-limit's default. */
extern const struct flow_limits flow_limits_default;

/*
 * Fills all of FLOW from PACKET and sets its l2_5_ofs, l3_ofs and l4_ofs. Not of the bytes are only
 * pkt_mark, queue and tunnel, which PACKET carries (without the outer TTL and ports: nothing
 * matches those, and keys do without them); in_port, registers, metadata and tun_metadata (whose
 * place depends on the bridge) are zero: the caller sets them.
 *
 * 0; -EBADMSG if something was malformed or cut: FLOW is then what is said above and may be used;
 * -EINVAL if there was not even an Ethernet header: the packet has no fields.
 */
int flow_extract(struct packet *packet, struct flow *flow);
int flow_extract_limits(struct packet *packet, const struct flow_limits *limits,
	struct flow *flow);
