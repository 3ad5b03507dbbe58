/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/packet/gso_walk.h"

#include "lib/headers.h"
#include "lib/unaligned.h"

/* Tunnels in tunnels, at most. */
#define MAX_DEPTH 5

struct walk {
	struct gso *gso;
	const uint8_t *data;
	uint32_t len;
	uint32_t target; /* 0: stop at the first transport header. */
	int depth;
};

static bool walk_eth(struct walk *w, uint32_t ofs);
static bool walk_type(struct walk *w, uint16_t type, uint32_t ofs);

static uint16_t get16(const struct walk *w, uint32_t ofs)
{
	return be16toh(load16(w->data + ofs));
}

static bool has(const struct walk *w, uint32_t ofs, uint32_t n)
{
	return ofs + n <= w->len;
}

static bool push_level(struct walk *w, enum gso_level_type type, uint32_t ofs)
{
	struct gso *gso = w->gso;

	if (gso->n_levels >= GSO_MAX_LEVELS)
		return false;
	gso->levels[gso->n_levels++] = (struct gso_level){.type = type, .ofs = (uint16_t)ofs};
	return true;
}

/* UDP carries VXLAN, VXLAN-GPE or Geneve: whichever leads to the target. */
static bool walk_udp(struct walk *w, uint32_t ofs)
{
	uint32_t payload = ofs + UDP_HEADER_LEN;
	uint16_t type;

	if (!has(w, payload, GENEVE_HEADER_LEN) || !push_level(w, GSO_UDP, ofs))
		return false;
	if (w->data[payload] & 0x08 && walk_eth(w, payload + VXLAN_HEADER_LEN))
		return true;
	if ((w->data[payload] & 0x0c) == 0x0c) {
		static const uint16_t gpe[] = {
			0, ETH_T_IP, ETH_T_IPV6, ETH_T_TEB, ETH_T_NSH, ETH_T_MPLS};
		uint8_t next = w->data[payload + 3];

		if (next < sizeof gpe / sizeof gpe[0] && gpe[next] &&
			walk_type(w, gpe[next], payload + VXLAN_HEADER_LEN))
			return true;
	}
	type = get16(w, payload + 2);
	if (type &&
		walk_type(w, type, payload + GENEVE_HEADER_LEN + (w->data[payload] & 0x3fu) * 4))
		return true;
	w->gso->n_levels--;
	return false;
}

static bool walk_gre(struct walk *w, uint32_t ofs)
{
	uint32_t payload = ofs + GRE_HEADER_LEN;
	uint16_t flags, type;

	if (!has(w, ofs, GRE_HEADER_LEN))
		return false;
	flags = get16(w, ofs);
	type = get16(w, ofs + 2);
	if (flags & (GRE_VERSION_MASK | GRE_F_ROUTING) || !push_level(w, GSO_GRE, ofs))
		return false;
	payload += flags & GRE_F_CSUM ? 4 : 0;
	payload += flags & GRE_F_KEY ? 4 : 0;
	payload += flags & GRE_F_SEQ ? 4 : 0;
	if (type == ETH_T_ERSPAN2 && walk_eth(w, payload + 8))
		return true;
	if (walk_type(w, type, payload))
		return true;
	w->gso->n_levels--;
	return false;
}

static bool walk_l4(struct walk *w, uint8_t proto, uint32_t ofs)
{
	bool found;

	if (ofs == w->target || !w->target) {
		w->target = ofs;
		w->gso->l4_proto = proto;
		return true;
	}
	if (ofs > w->target || w->depth >= MAX_DEPTH)
		return false;
	w->depth++;
	switch (proto) {
	case IP_P_UDP:
		found = walk_udp(w, ofs);
		break;
	case IP_P_GRE:
		found = walk_gre(w, ofs);
		break;
	case IP_P_IPIP:
		found = walk_type(w, ETH_T_IP, ofs);
		break;
	case IP_P_IPV6:
		found = walk_type(w, ETH_T_IPV6, ofs);
		break;
	default:
		found = false;
	}
	w->depth--;
	return found;
}

static bool walk_ipv4(struct walk *w, uint32_t ofs)
{
	uint32_t header_len;

	if (!has(w, ofs, IPV4_HEADER_LEN) || w->data[ofs] >> 4 != 4)
		return false;
	header_len = (w->data[ofs] & 0x0fu) * 4;
	if (header_len < IPV4_HEADER_LEN || !has(w, ofs, header_len) ||
		get16(w, ofs + 6) & (IPV4_MF | IPV4_FRAG_OFS_MASK))
		return false;
	if (!push_level(w, GSO_IPV4, ofs))
		return false;
	w->gso->has_exthdrs = false;
	if (walk_l4(w, w->data[ofs + 9], ofs + header_len))
		return true;
	w->gso->n_levels--;
	return false;
}

static bool walk_ipv6(struct walk *w, uint32_t ofs)
{
	uint32_t l4 = ofs + IPV6_HEADER_LEN;
	uint8_t proto;
	bool exthdrs = false;

	if (!has(w, ofs, IPV6_HEADER_LEN) || w->data[ofs] >> 4 != 6)
		return false;
	proto = w->data[ofs + 6];
	for (int i = 0;
		i < 8 && (proto == IP_P_HOPOPTS || proto == IP_P_ROUTING || proto == IP_P_DSTOPTS);
		i++) {
		if (!has(w, l4, 8))
			return false;
		proto = w->data[l4];
		l4 += (w->data[l4 + 1] + 1u) * 8;
		exthdrs = true;
	}
	if (!has(w, l4, 0) || !push_level(w, GSO_IPV6, ofs))
		return false;
	w->gso->has_exthdrs = exthdrs;
	if (walk_l4(w, proto, l4))
		return true;
	w->gso->n_levels--;
	return false;
}

static bool walk_mpls(struct walk *w, uint32_t ofs)
{
	for (int i = 0; i < 16 && has(w, ofs, MPLS_HEADER_LEN + 1); i++) {
		bool bottom = w->data[ofs + 2] & 1;

		ofs += MPLS_HEADER_LEN;
		if (bottom)
			return w->data[ofs] >> 4 == 4 ? walk_ipv4(w, ofs)
						      : walk_ipv6(w, ofs) || walk_eth(w, ofs);
	}
	return false;
}

static bool walk_nsh(struct walk *w, uint32_t ofs)
{
	uint32_t next;

	if (!has(w, ofs, 8))
		return false;
	next = ofs + (w->data[ofs + 1] & 0x3fu) * 4;
	switch (w->data[ofs + 3]) {
	case 1:
		return walk_ipv4(w, next);
	case 2:
		return walk_ipv6(w, next);
	case 3:
		return walk_eth(w, next);
	default:
		return false;
	}
}

static bool walk_type(struct walk *w, uint16_t type, uint32_t ofs)
{
	for (int tags = 0; type == ETH_T_VLAN_8021Q || type == ETH_T_VLAN_8021AD; tags++) {
		if (tags >= 4 || !has(w, ofs, VLAN_HEADER_LEN))
			return false;
		type = get16(w, ofs + 2);
		ofs += VLAN_HEADER_LEN;
	}
	switch (type) {
	case ETH_T_IP:
		return walk_ipv4(w, ofs);
	case ETH_T_IPV6:
		return walk_ipv6(w, ofs);
	case ETH_T_TEB:
		return walk_eth(w, ofs);
	case ETH_T_MPLS:
	case ETH_T_MPLS_MCAST:
		return walk_mpls(w, ofs);
	case ETH_T_PBB:
		return walk_eth(w, ofs + 4);
	case ETH_T_NSH:
		return walk_nsh(w, ofs);
	default:
		return false;
	}
}

static bool walk_eth(struct walk *w, uint32_t ofs)
{
	if (!has(w, ofs, ETH_HEADER_LEN))
		return false;
	return walk_type(w, get16(w, ofs + 2 * ETH_ADDR_LEN), ofs + ETH_HEADER_LEN);
}

/* No way from the front: perhaps an unknown encapsulation. The IP header just before TARGET will
 * do, what comes before it is repeated as it is. */
static bool find_backwards(struct walk *w)
{
	uint32_t t = w->target;
	struct gso *gso = w->gso;

	gso->n_levels = 0;
	gso->has_exthdrs = false;
	if (t >= IPV4_HEADER_LEN + ETH_HEADER_LEN && w->data[t - IPV4_HEADER_LEN] == 0x45) {
		gso->l4_proto = w->data[t - IPV4_HEADER_LEN + 9];
		return push_level(w, GSO_IPV4, t - IPV4_HEADER_LEN);
	}
	if (t >= IPV6_HEADER_LEN + ETH_HEADER_LEN && w->data[t - IPV6_HEADER_LEN] >> 4 == 6) {
		gso->l4_proto = w->data[t - IPV6_HEADER_LEN + 6];
		return push_level(w, GSO_IPV6, t - IPV6_HEADER_LEN);
	}
	return false;
}

bool gso_walk(struct gso *gso, const uint8_t *data, uint32_t len, uint32_t target)
{
	struct walk w = {.gso = gso, .data = data, .len = len, .target = target};

	gso->n_levels = 0;
	if (!target || target > len)
		return false;
	return walk_eth(&w, 0) || find_backwards(&w);
}

uint16_t gso_outer_l4(const uint8_t *data, uint32_t len)
{
	struct gso gso = {.n_levels = 0};
	struct walk w = {.gso = &gso, .data = data, .len = len};

	return walk_eth(&w, 0) ? (uint16_t)w.target : 0;
}
