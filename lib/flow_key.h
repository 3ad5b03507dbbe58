/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compact keys of the flow caches: what flow_extract() finds, in as few words as the packet allows.
 *
 * Words: `class`: the layout of a key, which depends on the packet: K64 (8 words: no or any number
 * of tags, IPv4, transport ports, IPv4 tunnel), K128 (16 words: IPv6, neighbour discovery, ARP), KL
 * (all else: MPLS, PBB, IGMP groups, IPv6 tunnels, large tunnel keys, Geneve options, marks).
 * `cache word`: the last word of every class belongs to whoever stores the key; comparing and
 * hashing leave it out. `outer id`: a number that whoever keeps keys under masks may put
 * into them, to tell keys under one mask from those under another; 0 in keys of packets.
 *
 * The class is part of the first word and of every mask, so keys of different classes never are
 * equal. A key and a mask are combined as words; a mask is compressed per class.
 *
 * For a burst, extract all keys in one loop and hash them in the next: a hash reads with wide loads
 * what was written with narrow stores, and stalls if it follows at once.
 *
 * No state but the hash's secret, drawn at the start of the process. Any thread.
 */

#include "lib/flow.h"
#include "lib/flow_parse.h"
#include "lib/packet.h"

enum flow_key_class {
	FLOW_KEY_K64,
	FLOW_KEY_K128,
	FLOW_KEY_KL,
	FLOW_KEY_N_CLASSES,
};

#define FLOW_KEY_MAX_WORDS 64

/* In KL, what precedes and follows the words of struct flow from dl_dst to tunnel. */
#define FLOW_KEY_KL_HEAD 3
#define FLOW_KEY_KL_FLOW \
	((offsetof(struct flow, tunnel) + sizeof(struct flow_tnl) - offsetof(struct flow, dl_dst)) / 8)
#define FLOW_KEY_KL_OPTS (FLOW_KEY_KL_HEAD + FLOW_KEY_KL_FLOW)

/*
 * K64 and K128:
 *   0  in_port 16 | dl_type 16 | tci 16 | nw_proto 8 | kind 8
 *   1  dl_dst 48 | nw_tos 8 | nw_ttl 8
 *   2  dl_src 48 | tcp_flags 16
 *   3  K64: nw_src 32 | nw_dst 32; K128: ipv6_label 32 | nd_reserved 32
 *   4  tp_src 16 | tp_dst 16 | inner tci 16 | tunnel tos 8 | tunnel flags 8
 *   5  tunnel id 32 | outer id 32
 *   6  tunnel src 32 | tunnel dst 32
 * K128:
 *   7..10  ipv6_src, ipv6_dst
 *   11..12 nd_target, or for ARP nw_src 32 | nw_dst 32
 *   13 arp_sha 48 | nd_options_type 8
 *   14 arp_tha 48 | ipv6_exthdr 16
 * KL:
 *   0  in_port 32 | bytes of options 8 | kind 8 on top
 *   1  pkt_mark 32 | outer id 32
 *   2  queue 32
 *   3.. struct flow from dl_dst to tunnel, then the raw Geneve options
 * The last word (7, 15, ...) is the cache's. First named is lowest; values as in struct flow.
 */
struct flow_key {
	uint64_t w[FLOW_KEY_MAX_WORDS];
	/* An odd number of cache lines, so that the first lines of an array's keys don't all compete for
	 * the same few sets. */
	uint64_t pad[8];
} __attribute__((aligned(64)));

/* The byte `kind`: nw_frag 2, TPIDs of the tags 2 + 2 (0 none, 1 0x8100, 2 0x88a8), class 2. */
#define FLOW_KEY_KIND_SHIFT 56
#define FLOW_KEY_CLASS_SHIFT 62
#define FLOW_KEY_KL_OPTS_LEN(W0) ((uint8_t)((W0) >> 32))

static inline enum flow_key_class flow_key_class(const struct flow_key *key)
{
	return (enum flow_key_class)(key->w[0] >> FLOW_KEY_CLASS_SHIFT);
}

/* Words of KEY, the cache word included: 8, 16, or for KL what its options need. */
static inline unsigned int flow_key_n_words(const struct flow_key *key)
{
	switch (flow_key_class(key)) {
	case FLOW_KEY_K64:
		return 8;
	case FLOW_KEY_K128:
		return 16;
	default:
		return FLOW_KEY_KL_OPTS + (FLOW_KEY_KL_OPTS_LEN(key->w[0]) + 7u) / 8 + 1;
	}
}

/*
 * Parses PACKET, received on IN_PORT, into KEY and sets its l2_5_ofs, l3_ofs and l4_ofs. Returns as
 * flow_extract() does: 0, -EBADMSG (usable), or -EINVAL for a frame without Ethernet header (KEY
 * then holds in_port alone). The cache word is set to 0, words behind it are not written.
 */
int flow_key_extract(struct packet *packet, dp_port_t in_port, const struct flow_limits *limits,
	struct flow_key *key);

/* The same for N packets. A bit of the result is set for each that was not an Ethernet frame. N <=
 * 64. */
uint64_t flow_key_extract_burst(struct packet *const packets[], unsigned int n, dp_port_t in_port,
	const struct flow_limits *limits, struct flow_key keys[]);

/* The key of a packet with FLOW, whose in_port is not looked at, nor what isn't of the packet;
 * OPTS_LEN (at most 252) bytes of raw Geneve options at OPTS. */
void flow_key_from_flow(const struct flow *flow, dp_port_t in_port, const void *opts,
	uint8_t opts_len, struct flow_key *key);

/* Fills FLOW with what flow_extract() gave. *IN_PORT, if not NULL, is where it came in. */
void flow_key_expand(const struct flow_key *key, struct flow *flow, dp_port_t *in_port);

/* The same for a KEY of the small class, where all else that FLOW holds is zero: it may have been filled by this
 * before. */
void flow_key_expand_small(const struct flow_key *key, struct flow *flow);

/* Raw Geneve options in KEY: their length, and where. */
uint8_t flow_key_geneve_opts(const struct flow_key *key, const uint8_t **opts);

static inline void flow_key_set_outer_id(struct flow_key *key, uint32_t id)
{
	unsigned int i = flow_key_class(key) == FLOW_KEY_KL ? 1 : 5;

	key->w[i] = (uint32_t)key->w[i] | (uint64_t)id << 32;
}

static inline uint32_t flow_key_outer_id(const struct flow_key *key)
{
	return (uint32_t)(key->w[flow_key_class(key) == FLOW_KEY_KL ? 1 : 5] >> 32);
}

/*
 * The bits of a key of CLASS that a flow mask covers. Conservative: two keys of CLASS that agree
 * under the result expand to flows that agree under MASK. in_port, class and outer id are always
 * covered; Geneve options as a whole if MASK has anything of tun_metadata.
 */
void flow_key_mask(const struct flow *mask, enum flow_key_class class, struct flow_key *key_mask);

/* DST = KEY under MASK (of KEY's class); DST may be KEY. The cache word becomes 0. */
static inline void flow_key_and(struct flow_key *dst, const struct flow_key *key,
	const struct flow_key *mask)
{
	unsigned int n = flow_key_n_words(key) - 1;

	if (__builtin_expect(n == 7, 1)) {
		for (unsigned int i = 0; i < 7; i++)
			dst->w[i] = key->w[i] & mask->w[i];
		dst->w[7] = 0;
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		dst->w[i] = key->w[i] & mask->w[i];
	/* Options that are masked out take no room any more. */
	dst->w[flow_key_n_words(dst) - 1] = 0;
}

static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	unsigned int n = flow_key_n_words(a) - 1;
	uint64_t diff = 0;

	if (__builtin_expect(n == 7, 1)) {
		for (unsigned int i = 0; i < 7; i++)
			diff |= a->w[i] ^ b->w[i];
		return !diff;
	}
	if (a->w[0] != b->w[0])
		return false;
	for (unsigned int i = 1; i < n; i++)
		diff |= a->w[i] ^ b->w[i];
	return !diff;
}

/* KEY agrees with MASKED, a key under MASK, in the bits of MASK. */
static inline bool flow_key_equal_masked(const struct flow_key *key, const struct flow_key *masked,
	const struct flow_key *mask)
{
	unsigned int n = flow_key_n_words(masked) - 1;
	uint64_t diff = 0;

	if ((key->w[0] & mask->w[0]) != masked->w[0])
		return false;
	for (unsigned int i = 1; i < n; i++)
		diff |= (key->w[i] & mask->w[i]) ^ masked->w[i];
	return !diff;
}

/* flow_hash_5tuple() of KEY's flow; cheap for keys of the small class. */
uint32_t flow_key_hash_5tuple(const struct flow_key *key, uint32_t basis);

/* Hash of all words but the last, keyed with a secret of the process: nobody outside can make keys
 * collide. All 64 bits are good. */
uint64_t flow_key_hash(const struct flow_key *key, uint64_t basis);
