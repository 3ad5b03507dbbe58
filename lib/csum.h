/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Checksums: the Internet's ones' complement sum (RFC 1071), its incremental update (RFC 1624), the
 * pseudo-headers of TCP, UDP and ICMPv6, and SCTP's CRC32c.
 *
 * Words: `sum`: a ones' complement sum in 64 bits that is not complemented yet; starts as 0, grows
 * by csum_add_*() and csum_bytes(), ends in csum_finish(). Its byte order is that of memory, so
 * be16s from packets go in and a be16 comes out without conversion. `piece`: a run of payload bytes
 * of a chained packet.
 *
 * No state (but CPU features looked up at the start); any thread; any alignment.
 */

#include <string.h>

#include "lib/packet.h"
#include "lib/types.h"

static inline uint64_t csum_add64(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

static inline uint64_t csum_add32(uint64_t sum, be32 v)
{
	return csum_add64(sum, v);
}

static inline uint64_t csum_add16(uint64_t sum, be16 v)
{
	return csum_add64(sum, v);
}

static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	return (uint16_t)(sum + (sum >> 16));
}

/* The checksum: folded and complemented. */
static inline be16 csum_finish(uint64_t sum)
{
	return (be16)~csum_fold(sum);
}

/* UDP writes 0 as 0xffff: 0 there means no checksum. */
static inline be16 csum_finish_udp(uint64_t sum)
{
	be16 c = csum_finish(sum);

	return c ? c : BE16_MAX;
}

/* Adds N bytes at P. Of several runs all but the last must have even lengths. */
uint64_t csum_bytes(uint64_t sum, const void *p, size_t n);

/* Checksum of N bytes, for example an IPv4 header whose checksum field is 0. */
static inline be16 csum(const void *p, size_t n)
{
	return csum_finish(csum_bytes(0, p, n));
}

/* The checksum OLD after a value it covers changed (RFC 1624, equation 3). The value must lie at an
 * even offset. */
static inline be16 csum_update16(be16 old, be16 from, be16 to)
{
	return csum_finish((uint64_t)(uint16_t)~old + (uint16_t)~from + to);
}

static inline be16 csum_update32(be16 old, be32 from, be32 to)
{
	return csum_finish((uint64_t)(uint16_t)~old + (uint32_t)~from + to);
}

/* Ethernet addresses and other short runs: N bytes, N even. */
be16 csum_update_bytes(be16 old, const void *from, const void *to, size_t n);

/* Sums of the pseudo-headers; L4_LEN is the length of transport header and payload. */
static inline uint64_t csum_pseudo_v4(be32 src, be32 dst, uint8_t proto, uint32_t l4_len)
{
	return (uint64_t)src + dst + htobe32(proto) + htobe32(l4_len);
}

static inline uint64_t csum_pseudo_v6(const struct ipv6_addr *src, const struct ipv6_addr *dst,
	uint8_t proto, uint32_t l4_len)
{
	uint64_t sum = (uint64_t)htobe32(proto) + htobe32(l4_len);

	sum = csum_add64(sum, src->w64[0]);
	sum = csum_add64(sum, src->w64[1]);
	sum = csum_add64(sum, dst->w64[0]);
	return csum_add64(sum, dst->w64[1]);
}

/* CRC32c of N bytes after those that gave CRC; starts with 0. As SCTP has it, least significant
 * byte first: store it with crc32c_store(). */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The same without processor support, for comparison. */
uint32_t crc32c_table(uint32_t crc, const void *p, size_t n);

static inline void crc32c_store(void *p, uint32_t crc)
{
	uint32_t le = htole32(crc);

	memcpy(p, &le, sizeof le);
}

/* Where the payload behind packet->seg_len is, piece by piece in order. */
struct csum_pieces {
	/* The next piece and its length in *N; NULL after the last. */
	const void *(*next)(void *aux, size_t *n);
	void *aux;
};

/* Adds N bytes of PACKET from offset OFS (at most seg_len) on, chained ones included; PIECES may be
 * NULL if there are none. Bytes that are not there count as zeros. */
uint64_t csum_packet(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n,
	const struct csum_pieces *pieces);

/*
 * Computes and stores the transport checksum of PACKET, whose l3_ofs and l4_ofs are set: TCP, UDP,
 * ICMP, IGMP, ICMPv6 and SCTP. Clears PACKET_CSUM_PARTIAL. UDP over IPv4 that has no checksum stays
 * without one unless FORCE_UDP. False, with nothing changed, if there is nothing to store: another
 * protocol, a fragment, headers or payload that are cut.
 */
bool csum_fill_l4(struct packet *packet, bool force_udp, const struct csum_pieces *pieces);

/*
 * Finishes a partial checksum (PACKET_CSUM_PARTIAL): sums from csum_start to the end of the frame
 * over the pseudo-header's sum that the field holds, stores the complement and clears the flag. For
 * SCTP (csum_offset 8) it is a CRC32c. False, with nothing changed, if csum_start or csum_offset
 * point outside the headers.
 */
bool csum_finish_partial(struct packet *packet, const struct csum_pieces *pieces);

/* The IPv4 header checksum of the header at l3_ofs, stored. False if it does not reach. */
bool csum_fill_ipv4(struct packet *packet);
