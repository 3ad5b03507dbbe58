/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A packet as the pipeline sees it: contiguous headers, payload possibly chained behind them, the
 * kernel's offload promises still to be kept, and what the receive side knows. Lives in the private
 * area of an mbuf, or on the stack of a test; knows no DPDK.
 *
 * Ownership: whoever holds the packet may write its headers, unless `shared` (then clone first).
 * Buffers are cloned and freed only through struct packet_ops, given to whoever executes programs.
 *
 * Words: `partial checksum`: the transport checksum field holds only the pseudo-header's sum and
 * the one who sends the packet out of the software must finish it (Linux CHECKSUM_PARTIAL). `GSO`:
 * one large TCP segment (or UDP datagram) that must be cut into gso_size pieces before it meets a
 * wire.
 *
 * Threads: a packet is its holder's alone.
 */

#include "lib/flow.h"

#define PACKET_NO_OFS UINT16_MAX

/* packet.n_pad: the frame came shorter than Ethernet's minimum, and nobody pads it. */
#define PACKET_RUNT UINT8_MAX

/* packet.offload bits. */
#define PACKET_CSUM_PARTIAL (1 << 0)	/* csum_start and csum_offset are valid. */
#define PACKET_CSUM_VALID (1 << 1)	/* The transport checksum was verified or never left memory. */
#define PACKET_GSO_ECN (1 << 2)		/* CWR only in the first segment (virtio GSO_ECN). */
#define PACKET_OUTER_CSUM (1 << 3)	/* The checksum at outer_l4_ofs is still to be computed. */
#define PACKET_MAY_FRAGMENT (1 << 4)	/* The IP packet at outer_l3_ofs may leave in fragments. */

enum packet_gso_type {
	PACKET_GSO_NONE,
	PACKET_GSO_TCPV4,
	PACKET_GSO_TCPV6,
	PACKET_GSO_UDP_L4,	/* UDP_SEGMENT: each piece gets a UDP header of its own. */
};

struct packet {
	uint8_t *data;		/* First byte of the Ethernet header. */
	uint32_t len;		/* Bytes of the whole frame, chained payload included. */
	uint32_t seg_len;	/* Bytes contiguous at data: all headers, at least. */
	uint16_t headroom;	/* Bytes free before data. */
	uint8_t offload;	/* PACKET_* bits. */
	uint8_t gso_type;	/* enum packet_gso_type. */
	uint16_t gso_size;	/* Payload bytes a piece. */
	uint16_t csum_start;	/* From data: where summing starts (the innermost transport header). */
	uint16_t csum_offset;	/* From csum_start: where the sum is stored. */

	/* Offsets from data, set by flow_extract() and kept true by whoever pushes or pops. */
	uint16_t l2_5_ofs;	/* First MPLS label, or PACKET_NO_OFS. */
	uint16_t l3_ofs;	/* Network header (the innermost parsed), or PACKET_NO_OFS. */
	uint16_t l4_ofs;	/* Transport header, or PACKET_NO_OFS. */
	uint16_t outer_l3_ofs;	/* Outer network header after a tunnel push here; else 0. */
	uint16_t outer_l4_ofs;	/* Outer UDP or GRE header after a tunnel push here; else 0. */

	uint8_t outer_proto;	/* IPPROTO_UDP or IPPROTO_GRE after a tunnel push here; else 0. */
	bool shared;		/* Another holder reads the same bytes. */
	uint8_t geneve_opts_len;	/* Bytes of raw Geneve options in geneve_opts. */
	uint8_t n_pad;		/* Zeros at the end that a popped header left; PACKET_RUNT. */

	dp_port_t in_port;	/* Where it came in; 0 for one made here. */
	uint32_t hash;		/* Of its flow, for entropy ports; 0 if not computed. */
	uint32_t pkt_mark;
	uint32_t queue;

	void *buf;		/* The owner's handle (an mbuf). */

	/* Outer header after decapsulation; all zero otherwise: the second cache line. Behind it only
	 * what few packets have. */
	struct flow_tnl tunnel;
	uint8_t geneve_opts[252];
};

_Static_assert(offsetof(struct packet, tunnel) == 64 && offsetof(struct packet, geneve_opts) == 128,
	"two cache lines for most packets");

/* How the executor gets copies and gives packets back. No op may be NULL. */
struct packet_ops {
	/* A packet with the same contents whose headers may be written; NULL if out of memory. */
	struct packet *(*clone)(void *aux, const struct packet *packet);
	void (*free)(void *aux, struct packet *packet);
	/* Cuts the frame to LEN bytes (LEN < packet->len), chained payload included. */
	void (*truncate)(void *aux, struct packet *packet, uint32_t len);
	/* Adds N bytes from OFS (at most seg_len) on to a sum as in lib/csum.h, chained payload included. */
	uint64_t (*sum)(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n);
};

/* Initialises PACKET over LEN contiguous bytes at DATA with HEADROOM bytes free before it. The
 * bytes stay the caller's. */
void packet_init(struct packet *packet, uint8_t *data, uint32_t len, uint16_t headroom);

/* Makes N bytes of room before data and returns it; NULL if there is no headroom. Offsets move
 * along, csum_start too: those at the new room's place or behind it. Whoever pushes an MPLS label
 * or an outer header sets the offset of what it put there. Removing the bytes at an offset makes it
 * none. */
uint8_t *packet_push(struct packet *packet, uint16_t n);
/* Removes N bytes at the front (N <= seg_len). Offsets and csum_start move along. */
void packet_pull(struct packet *packet, uint16_t n);
/* As push and pull, but the first KEEP bytes (the Ethernet addresses, say) stay in front: the room
 * opens, or the bytes vanish, at offset KEEP. */
uint8_t *packet_insert(struct packet *packet, uint16_t keep, uint16_t n);
void packet_remove(struct packet *packet, uint16_t keep, uint16_t n);

/* Hash of the addresses and transport ports of PACKET, whose offsets are set: the innermost it was
 * parsed to. Without an IP header, of the Ethernet addresses and type. Equal for all packets of a flow
 * that is not fragmented; never 0. Reads only what is contiguous. */
uint32_t packet_hash_flow(const struct packet *packet);

/* In how many pieces PACKET will meet the wire: more than 1 for GSO frames. */
uint32_t packet_n_pieces(const struct packet *packet);

/* packet_ops over malloc, for tests and the control thread; only for packets without chained
 * payload. */
extern const struct packet_ops packet_heap_ops;
/* A heap packet with room for headers before DATA's copy. Free with packet_heap_ops.free. */
struct packet *packet_heap_create(const void *data, uint32_t len);
