/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/flow.h"

#include <string.h>

#include "lib/flow_hash.h"
#include "lib/hash.h"
#include "lib/headers.h"

void flow_mask_apply(struct flow *flow, const struct flow *mask)
{
	uint64_t *f = flow_words(flow);
	const uint64_t *m = flow_words_const(mask);

	for (size_t i = 0; i < FLOW_WORDS; i++)
		f[i] &= m[i];
}

bool flow_equal_masked(const struct flow *a_, const struct flow *b_, const struct flow *mask)
{
	const uint64_t *a = flow_words_const(a_), *b = flow_words_const(b_);
	const uint64_t *m = flow_words_const(mask);

	for (size_t i = 0; i < FLOW_WORDS; i++)
		if ((a[i] ^ b[i]) & m[i])
			return false;
	return true;
}

bool flow_equal(const struct flow *a, const struct flow *b)
{
	return !memcmp(a, b, sizeof *a);
}

uint32_t flow_hash(const struct flow *flow, uint32_t basis)
{
	return hash_bytes(flow, sizeof *flow, basis);
}

void flow_mask_or(struct flow *dst, const struct flow *src)
{
	uint64_t *d = flow_words(dst);
	const uint64_t *s = flow_words_const(src);

	for (size_t i = 0; i < FLOW_WORDS; i++)
		d[i] |= s[i];
}

bool flow_mask_is_subset(const struct flow *sub, const struct flow *super)
{
	const uint64_t *a = flow_words_const(sub), *b = flow_words_const(super);

	for (size_t i = 0; i < FLOW_WORDS; i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

int flow_n_vlans(const struct flow *flow)
{
	int n = 0;

	while (n < FLOW_MAX_VLANS && (flow->vlans[n].tci & htobe16(VLAN_PRESENT)))
		n++;
	return n;
}

int flow_n_mpls(const struct flow *flow)
{
	if (!eth_type_is_mpls(flow->dl_type))
		return 0;
	for (int n = 0; n < FLOW_MAX_MPLS; n++)
		if (flow->mpls_lse[n] & htobe32(MPLS_BOS_MASK))
			return n + 1;
	return FLOW_MAX_MPLS;
}

static bool has_ports(const struct flow *flow)
{
	return !(flow->nw_frag & FLOW_NW_FRAG_LATER) && (flow->nw_proto == IP_P_TCP ||
		flow->nw_proto == IP_P_UDP || flow->nw_proto == IP_P_SCTP);
}

/* What the hashes read: the same in both directions if it is summed. */
struct ends {
	uint64_t mac[2];
	uint64_t addr[2];
	uint32_t port[2];
	uint32_t rest;		/* Tag, type and protocol. */
};

static void ends_of(const struct flow *flow, struct ends *e)
{
	memset(e, 0, sizeof *e);
	e->mac[0] = eth_addr_to_u64(flow->dl_src);
	e->mac[1] = eth_addr_to_u64(flow->dl_dst);
	e->rest = (uint32_t)flow->dl_type << 16 | (flow->vlans[0].tci & htobe16(VLAN_VID_MASK));
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		e->addr[0] = flow->nw_src;
		e->addr[1] = flow->nw_dst;
	} else if (flow->dl_type == htobe16(ETH_T_IPV6)) {
		e->addr[0] = hash_fold(flow->ipv6_src.w64[0] ^ UINT64_C(0x9e3779b97f4a7c15),
			flow->ipv6_src.w64[1] ^ UINT64_C(0xd1b54a32d192ed03));
		e->addr[1] = hash_fold(flow->ipv6_dst.w64[0] ^ UINT64_C(0x9e3779b97f4a7c15),
			flow->ipv6_dst.w64[1] ^ UINT64_C(0xd1b54a32d192ed03));
	} else {
		return;
	}
	e->rest = hash_add(e->rest, flow->nw_proto);
	if (has_ports(flow)) {
		e->port[0] = flow->tp_src;
		e->port[1] = flow->tp_dst;
	}
}

static bool is_arp(const struct flow *flow)
{
	return flow->dl_type == htobe16(ETH_T_ARP) || flow->dl_type == htobe16(ETH_T_RARP);
}

uint32_t flow_hash_symmetric_l4(const struct flow *flow, uint32_t basis)
{
	struct ends e;
	uint32_t a, b, hash;

	ends_of(flow, &e);
	if (is_arp(flow)) {
		e.addr[0] = flow->nw_src;
		e.addr[1] = flow->nw_dst;
	}
	a = hash_add64(hash_add64(hash_add(basis, e.port[0]), e.addr[0]), e.mac[0]);
	b = hash_add64(hash_add64(hash_add(basis, e.port[1]), e.addr[1]), e.mac[1]);
	hash = hash_add64(e.rest, (uint64_t)a + b);
	return hash ? hash : 1;
}

uint32_t flow_hash_5tuple(const struct flow *flow, uint32_t basis)
{
	be16 vid = flow->vlans[0].tci & htobe16(VLAN_VID_MASK);
	bool is_ip = flow->dl_type == htobe16(ETH_T_IP) || flow->dl_type == htobe16(ETH_T_IPV6);
	uint32_t ports;
	struct ends e;

	ends_of(flow, &e);
	ports = e.port[0] | e.port[1] << 16;
	if (flow->dl_type == htobe16(ETH_T_IP) && (e.addr[0] || e.addr[1]))
		return flow_hash_mix(basis, flow->dl_type, e.addr[0] | e.addr[1] << 32,
			flow_hash_rest(ports, vid, flow->nw_proto));
	/* Frames without addresses are told apart by their Ethernet ones. */
	if (!e.addr[0] && !e.addr[1])
		basis = hash_add64(hash_add64(basis, e.mac[0]), e.mac[1]);
	return flow_hash_mix(basis, flow->dl_type, hash_fold(e.addr[0] ^ UINT64_C(0x9e3779b97f4a7c15), e.addr[1]),
		flow_hash_rest(ports, vid, is_ip ? flow->nw_proto : 0));
}

void flow_mask_hash_fields(const struct flow *flow, struct flow *mask)
{
	memset(&mask->dl_src, 0xff, sizeof mask->dl_src);
	memset(&mask->dl_dst, 0xff, sizeof mask->dl_dst);
	mask->dl_type = BE16_MAX;
	mask->vlans[0].tci |= htobe16(VLAN_VID_MASK);
	if (is_arp(flow)) {
		mask->nw_src = mask->nw_dst = BE32_MAX;
		return;
	}
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		mask->nw_src = mask->nw_dst = BE32_MAX;
	} else if (flow->dl_type == htobe16(ETH_T_IPV6)) {
		memset(&mask->ipv6_src, 0xff, sizeof mask->ipv6_src);
		memset(&mask->ipv6_dst, 0xff, sizeof mask->ipv6_dst);
	} else {
		return;
	}
	mask->nw_proto = UINT8_MAX;
	mask->nw_frag |= FLOW_NW_FRAG_LATER;
	if (has_ports(flow))
		mask->tp_src = mask->tp_dst = BE16_MAX;
}
