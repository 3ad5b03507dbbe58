/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From struct flow to bytes: a packet that flow_extract() would find to have that flow, for tracing
 * and tests. Any thread.
 *
 * What a flow says of the packet is kept, except what no packet can have: fields that contradict
 * each other (ports of a later fragment), ipv6_exthdr's UNREP and UNSEQ, more labels than fit. Tags
 * without a TPID get 0x8100.
 */

#include "lib/flow.h"
#include "lib/packet.h"

/*
 * Makes a packet on the heap (free with packet_heap_ops.free) with right lengths and checksums (but
 * fragments have no transport checksum). Its offsets are set.
 *
 * PAYLOAD_LEN bytes of PAYLOAD, or of 0, 1, 2, ... if PAYLOAD is NULL, go where the protocol
 * carries any: UDP, TCP without SYN, FIN and RST, SCTP (not as chunks), echo requests and replies,
 * and protocols that are not known here. At most FLOW_COMPOSE_MAX_PAYLOAD, the rest is cut.
 */
#define FLOW_COMPOSE_MAX_PAYLOAD 65000
struct packet *flow_compose(const struct flow *flow, const void *payload, size_t payload_len);
