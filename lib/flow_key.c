/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/flow_key.h"

#include <errno.h>
#include <string.h>

#include "lib/flow_key_parse.h"
#include "lib/headers.h"
#include "lib/util.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "keys are laid out for little-endian");
_Static_assert(offsetof(struct flow, dl_dst) % 8 == 0, "the packet part starts at a word");
_Static_assert(FLOW_KEY_KL_OPTS + (252 + 7) / 8 + 1 <= FLOW_KEY_MAX_WORDS, "the largest key fits");

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

/* Words 4 (its upper half), 5 and 6 have all of a simple tunnel. */
static inline void tunnel_words(const struct flow_tnl *t, uint64_t words[3])
{
	/* The low 32 bits of the id are the last in memory. */
	flow_key_tunnel(words, (be32)(t->tun_id >> 32), (uint64_t)t->ip_src | (uint64_t)t->ip_dst << 32, t->ip_tos,
		(uint8_t)t->flags);
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
		*code = FLOW_KEY_TPID_NONE;
		return true;
	case ETH_T_VLAN_8021Q:
		*code = FLOW_KEY_TPID_8021Q;
		return true;
	case ETH_T_VLAN_8021AD:
		*code = FLOW_KEY_TPID_8021AD;
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
	uint64_t tunnel[3];

	tunnel_words(&f->tunnel, tunnel);
	w[0] = flow_key_word0(0, f->dl_type, f->vlans[0].tci, f->nw_proto);
	w[1] = mac_load(f->dl_dst) | (uint64_t)f->nw_tos << 48 | (uint64_t)f->nw_ttl << 56;
	w[2] = mac_load(f->dl_src) | (uint64_t)f->tcp_flags << 48;
	w[4] = (uint64_t)f->tp_src | (uint64_t)f->tp_dst << 16 | (uint64_t)f->vlans[1].tci << 32 |
		tunnel[0];
	w[5] = tunnel[1];
	w[6] = tunnel[2];
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

		key->w[0] = in_port | (uint64_t)opts_len << 32 | flow_key_kind(class, 0, 0, 0);
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
	key->w[0] |= in_port | flow_key_kind(class, f->nw_frag, tpid0, tpid1);
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

/* The word of struct flow that FIELD is in. */
#define WORD_OF(FIELD) flow_words(f)[offsetof(struct flow, FIELD) / 8]

/* What K64 and K128 have in common, in whole words, as tables will read it a moment later: a word of which the
 * parts are still on their way to memory has to wait for them. */
static inline void expand_common(const uint64_t *w, struct flow *f, be32 label)
{
	unsigned int k = (unsigned int)(w[0] >> FLOW_KEY_KIND_SHIFT);
	uint64_t nw_bytes = (k & 3) | (w[1] >> 40 & 0xffff00) | (w[0] >> 24 & 0xff000000);

	WORD_OF(dl_dst) = (w[1] & UINT64_C(0xffffffffffff)) | w[2] << 48;
	WORD_OF(dl_src.b[2]) = (w[2] >> 16 & 0xffffffff) | (w[0] >> 16 & 0xffff) << 32;
	WORD_OF(vlans) = tpid_from(k >> 2 & FLOW_KEY_TPID_MASK) | (w[0] >> 32 & 0xffff) << 16 |
		(uint64_t)tpid_from(k >> 4 & FLOW_KEY_TPID_MASK) << 32 | (w[4] & UINT64_C(0xffff00000000)) << 16;
	WORD_OF(ipv6_label) = label | nw_bytes << 32;
	WORD_OF(tcp_flags) = w[2] >> 48 << 32 | w[4] << 48;
	WORD_OF(tp_dst) = w[4] >> 16 & 0xffff;
	WORD_OF(tunnel.tun_id) = w[5] << 32;
	WORD_OF(tunnel.ip_dst) = w[6] >> 32 | w[6] << 32;
	WORD_OF(tunnel.flags) = w[4] >> 56 | (w[4] >> 48 & 0xff) << 16;
}

void flow_key_expand_small(const struct flow_key *key, struct flow *f)
{
	expand_common(key->w, f, 0);
	WORD_OF(nw_src) = key->w[3];
}

void flow_key_expand(const struct flow_key *key, struct flow *f, dp_port_t *in_port)
{
	const uint64_t *w = key->w;

	memset(f, 0, sizeof *f);
	if (flow_key_class(key) == FLOW_KEY_KL) {
		expand_kl(key, f, in_port);
		return;
	}
	if (in_port)
		*in_port = (uint16_t)w[0];
	if (flow_key_class(key) == FLOW_KEY_K64) {
		flow_key_expand_small(key, f);
		return;
	}
	expand_common(w, f, (be32)w[3]);
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
	uint8_t tpid0 = mask->vlans[0].tpid ? FLOW_KEY_TPID_MASK : 0;
	uint8_t tpid1 = mask->vlans[1].tpid ? FLOW_KEY_TPID_MASK : 0;
	/* All bits of the class, whatever its number. */
	uint64_t k = flow_key_kind(3, mask->nw_frag & 3, tpid0, tpid1);

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

/* The common packets, without detours. False: it was none of them and KEY is not set. */
static inline bool fast_extract(struct packet *packet, dp_port_t in_port,
	const struct flow_limits *limits, struct flow_key *key)
{
	const struct flow_tnl *t = &packet->tunnel;
	struct flow_key_origin origin = {.in_port = in_port, .max_vlans = limits->max_vlans};

	if (unlikely(in_port > 0xffff ||
		(packet->pkt_mark | packet->queue | packet->geneve_opts_len) || !tunnel_is_simple(t)))
		return false;
	tunnel_words(t, origin.tunnel);
	if (unlikely(!flow_key_parse(packet->data, packet->len, packet->seg_len, &origin, key)))
		return false;
	flow_key_offsets(key, packet);
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
		if (unlikely(!fast_extract(packets[i], in_port, limits, &keys[i])) &&
			slow_extract(packets[i], in_port, limits, &keys[i]) == -EINVAL)
			runts |= UINT64_C(1) << i;
	return runts;
}
