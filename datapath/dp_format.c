/* SPDX-License-Identifier: Apache-2.0 */
/* The text of dpctl/dump-flows: the match a path was made for, in the words of OVS's datapath flows. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "datapath/dp_private.h"
#include "lib/clock.h"
#include "lib/headers.h"

/* ------------------------------------------------------------------ one value */

struct group {
	struct sbuf *s;
	const char *name;
	bool open;
};

/* Starts the next member of NAME(...); opens the group at the first. */
static void member(struct group *g, const char *key)
{
	if (g->open)
		sbuf_putc(g->s, ',');
	else
		sbuf_putf(g->s, ",%s(", g->name);
	g->open = true;
	sbuf_putf(g->s, "%s=", key);
}

static void group_end(struct group *g)
{
	if (g->open)
		sbuf_putc(g->s, ')');
}

static void put_mac(struct group *g, const char *key, struct eth_addr v, struct eth_addr m)
{
	if (eth_addr_is_zero(m))
		return;
	member(g, key);
	sbuf_put_mac(g->s, v.b);
	if (!eth_addr_is_broadcast(m)) {
		sbuf_putc(g->s, '/');
		sbuf_put_mac(g->s, m.b);
	}
}

static void put_ip4(struct group *g, const char *key, be32 v, be32 m)
{
	char text[INET_ADDRSTRLEN];

	if (!m)
		return;
	member(g, key);
	sbuf_puts(g->s, inet_ntop(AF_INET, &v, text, sizeof text));
	if (m != BE32_MAX)
		sbuf_putf(g->s, "/%s", inet_ntop(AF_INET, &m, text, sizeof text));
}

static void put_ip6(struct group *g, const char *key, const struct ipv6_addr *v,
	const struct ipv6_addr *m)
{
	char text[INET6_ADDRSTRLEN];

	if (ipv6_addr_is_zero(m))
		return;
	member(g, key);
	sbuf_puts(g->s, inet_ntop(AF_INET6, v, text, sizeof text));
	if (m->w64[0] != BE64_MAX || m->w64[1] != BE64_MAX)
		sbuf_putf(g->s, "/%s", inet_ntop(AF_INET6, m, text, sizeof text));
}

static void put_num(struct group *g, const char *key, uint64_t v, uint64_t m, uint64_t all)
{
	if (!m)
		return;
	member(g, key);
	sbuf_putf(g->s, "%" PRIu64, v);
	if (m != all)
		sbuf_putf(g->s, "/0x%" PRIx64, m);
}

static void put_hex(struct group *g, const char *key, uint64_t v, uint64_t m, uint64_t all)
{
	if (!m)
		return;
	member(g, key);
	sbuf_putf(g->s, "%#" PRIx64, v);
	if (m != all)
		sbuf_putf(g->s, "/%#" PRIx64, m);
}

/* ------------------------------------------------------------------ headers */

static void put_tunnel(const struct flow_tnl *v, const struct flow_tnl *m, struct sbuf *s)
{
	struct group g = {s, "tunnel", false};

	if (!flow_tnl_is_set(v))
		return;
	put_hex(&g, "tun_id", be64toh(v->tun_id), be64toh(m->tun_id), UINT64_MAX);
	put_ip4(&g, "src", v->ip_src, m->ip_src);
	put_ip4(&g, "dst", v->ip_dst, m->ip_dst);
	put_ip6(&g, "ipv6_src", &v->ipv6_src, &m->ipv6_src);
	put_ip6(&g, "ipv6_dst", &v->ipv6_dst, &m->ipv6_dst);
	put_hex(&g, "tos", v->ip_tos, m->ip_tos, UINT8_MAX);
	put_num(&g, "ttl", v->ip_ttl, m->ip_ttl, UINT8_MAX);
	put_num(&g, "tp_src", be16toh(v->tp_src), be16toh(m->tp_src), UINT16_MAX);
	put_num(&g, "tp_dst", be16toh(v->tp_dst), be16toh(m->tp_dst), UINT16_MAX);
	if (m->flags) {
		if (g.open)
			sbuf_putc(s, ',');
		else
			sbuf_puts(s, ",tunnel(");
		g.open = true;
		sbuf_puts(s, "flags(");
		if (v->flags & FLOW_TNL_F_DONT_FRAGMENT)
			sbuf_puts(s, "df|");
		if (v->flags & FLOW_TNL_F_CSUM)
			sbuf_puts(s, "csum|");
		if (v->flags & FLOW_TNL_F_KEY)
			sbuf_puts(s, "key|");
		if (v->flags & FLOW_TNL_F_OAM)
			sbuf_puts(s, "oam|");
		sbuf_chomp(s, '|');
		sbuf_putc(s, ')');
	}
	group_end(&g);
}

static void put_vlans(const struct flow *v, const struct flow *m, struct sbuf *s, int *n_encaps)
{
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		uint16_t tci = be16toh(v->vlans[i].tci), mask = be16toh(m->vlans[i].tci);
		struct group g = {s, "vlan", false};

		if (!(tci & VLAN_PRESENT))
			return;
		if (v->vlans[i].tpid)
			sbuf_putf(s, ",eth_type(0x%04x)", be16toh(v->vlans[i].tpid));
		put_num(&g, "vid", tci & VLAN_VID_MASK, mask & VLAN_VID_MASK, VLAN_VID_MASK);
		put_num(&g, "pcp", (unsigned int)tci >> VLAN_PCP_SHIFT,
			(unsigned int)mask >> VLAN_PCP_SHIFT, 7);
		group_end(&g);
		sbuf_puts(s, ",encap(");
		(*n_encaps)++;
	}
}

static void put_frag(struct group *g, uint8_t v, uint8_t m)
{
	if (!m)
		return;
	member(g, "frag");
	sbuf_puts(g->s, !(v & FLOW_NW_FRAG_ANY) ? "no" : v & FLOW_NW_FRAG_LATER ? "later" : "first");
}

static void put_ip_common(struct group *g, const struct flow *v, const struct flow *m,
	const char *ttl)
{
	put_num(g, "proto", v->nw_proto, m->nw_proto, UINT8_MAX);
	put_hex(g, g->name[3] == '6' ? "tclass" : "tos", v->nw_tos, m->nw_tos, UINT8_MAX);
	put_num(g, ttl, v->nw_ttl, m->nw_ttl, UINT8_MAX);
	put_frag(g, v->nw_frag, m->nw_frag);
	group_end(g);
}

static void put_l3(const struct flow *v, const struct flow *m, struct sbuf *s)
{
	struct group g = {s, NULL, false};

	switch (be16toh(v->dl_type)) {
	case ETH_T_IP:
		g.name = "ipv4";
		put_ip4(&g, "src", v->nw_src, m->nw_src);
		put_ip4(&g, "dst", v->nw_dst, m->nw_dst);
		put_ip_common(&g, v, m, "ttl");
		break;
	case ETH_T_IPV6:
		g.name = "ipv6";
		put_ip6(&g, "src", &v->ipv6_src, &m->ipv6_src);
		put_ip6(&g, "dst", &v->ipv6_dst, &m->ipv6_dst);
		put_hex(&g, "label", be32toh(v->ipv6_label), be32toh(m->ipv6_label),
			IPV6_LABEL_MASK);
		put_ip_common(&g, v, m, "hlimit");
		break;
	case ETH_T_ARP:
	case ETH_T_RARP:
		g.name = "arp";
		put_ip4(&g, "sip", v->nw_src, m->nw_src);
		put_ip4(&g, "tip", v->nw_dst, m->nw_dst);
		put_num(&g, "op", v->nw_proto, m->nw_proto, UINT8_MAX);
		put_mac(&g, "sha", v->arp_sha, m->arp_sha);
		put_mac(&g, "tha", v->arp_tha, m->arp_tha);
		group_end(&g);
		break;
	case ETH_T_MPLS:
	case ETH_T_MPLS_MCAST:
		if (!m->mpls_lse[0])
			break;
		sbuf_putf(s, ",mpls(label=%u,tc=%u,ttl=%u,bos=%u)",
			be32toh(v->mpls_lse[0]) >> MPLS_LABEL_SHIFT,
			be32toh(v->mpls_lse[0]) >> MPLS_TC_SHIFT & 7,
			be32toh(v->mpls_lse[0]) & MPLS_TTL_MASK,
			be32toh(v->mpls_lse[0]) >> MPLS_BOS_SHIFT & 1);
		break;
	}
}

static const char *l4_name(const struct flow *v)
{
	switch (v->nw_proto) {
	case IP_P_TCP:
		return "tcp";
	case IP_P_UDP:
		return "udp";
	case IP_P_SCTP:
		return "sctp";
	case IP_P_ICMP:
		return v->dl_type == htobe16(ETH_T_IP) ? "icmp" : NULL;
	case IP_P_ICMPV6:
		return v->dl_type == htobe16(ETH_T_IPV6) ? "icmpv6" : NULL;
	default:
		return NULL;
	}
}

static void put_l4(const struct flow *v, const struct flow *m, struct sbuf *s)
{
	struct group g = {s, l4_name(v), false};
	struct group nd = {s, "nd", false};
	bool icmp;

	if (!m->nw_proto || !g.name ||
		(v->dl_type != htobe16(ETH_T_IP) && v->dl_type != htobe16(ETH_T_IPV6)))
		return;
	icmp = g.name[0] == 'i';
	put_num(&g, icmp ? "type" : "src", be16toh(v->tp_src), be16toh(m->tp_src),
		icmp ? UINT8_MAX : UINT16_MAX);
	put_num(&g, icmp ? "code" : "dst", be16toh(v->tp_dst), be16toh(m->tp_dst),
		icmp ? UINT8_MAX : UINT16_MAX);
	group_end(&g);
	if (v->nw_proto == IP_P_TCP && m->tcp_flags)
		sbuf_putf(s, ",tcp_flags(0x%x/0x%x)", be16toh(v->tcp_flags), be16toh(m->tcp_flags));
	put_ip6(&nd, "target", &v->nd_target, &m->nd_target);
	if (v->nw_proto == IP_P_ICMPV6) {
		put_mac(&nd, "sll", v->arp_sha, m->arp_sha);
		put_mac(&nd, "tll", v->arp_tha, m->arp_tha);
	}
	group_end(&nd);
}

static const char *port_name(dp_port_t port)
{
	const char *name = dp_port_name(port);

	return name ? name : "?";
}

/* Good until it was called a few times more. */
static const char *port_number(dp_port_t port)
{
	static char texts[8][12];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	snprintf(text, sizeof texts[0], "%u", port);
	return text;
}

static void put_match(const struct match *match, const char *in_port, struct sbuf *s)
{
	const struct flow *v = &match->flow, *m = &match->mask;
	struct group eth = {s, "eth", false};
	int n_encaps = 0;

	sbuf_puts(s, "recirc_id(0)");
	put_tunnel(&v->tunnel, &m->tunnel, s);
	sbuf_putf(s, ",in_port(%s),packet_type(ns=0,id=0)", in_port);
	put_mac(&eth, "src", v->dl_src, m->dl_src);
	put_mac(&eth, "dst", v->dl_dst, m->dl_dst);
	group_end(&eth);
	put_vlans(v, m, s, &n_encaps);
	if (m->dl_type) {
		/* Behind "encap(" no comma. */
		if (n_encaps)
			sbuf_putf(s, "eth_type(0x%04x)", be16toh(v->dl_type));
		else
			sbuf_putf(s, ",eth_type(0x%04x)", be16toh(v->dl_type));
	}
	put_l3(v, m, s);
	put_l4(v, m, s);
	sbuf_putc_n(s, ')', (size_t)n_encaps);
}

/* ------------------------------------------------------------------ paths */

static void put_used(int64_t used_ms, struct sbuf *s)
{
	int64_t ago = clock_ms() - used_ms;

	sbuf_putf(s, ", used:%" PRId64 ".%03" PRId64 "s", ago / 1000, ago % 1000);
}

static void put_path(const struct path *path, const struct dp_paths_format *format, struct sbuf *s)
{
	const char *(*namer)(dp_port_t port) = format->names ? port_name : port_number;
	const struct path_body *body = path->body;
	uint64_t packets = stat_get(&path->packets);
	uint32_t shared = atomic_load_explicit(&path->n_shared, memory_order_relaxed);
	struct match match;

	path_get_match(body, &match);
	put_match(&match, namer(body->in_port), s);
	sbuf_putf(s, ", packets:%" PRIu64 ", bytes:%" PRIu64, packets,
		stat_get(&path->bytes));
	if (packets)
		put_used(atomic_load_explicit(&path->used_ms, memory_order_relaxed), s);
	else
		sbuf_puts(s, ", used:never");
	sbuf_puts(s, ", actions:");
	if (body->program->len && path->kind != PATH_DROP)
		program_format(body->program->ops, body->program->len, namer, s);
	else
		sbuf_puts(s, "drop");
	if (shared)
		sbuf_putf(s, " (+%u)", shared);
	if (format->more)
		sbuf_putf(s, ", sluice:(deps:%u,counters:%u,refreshes:%u,drop:%s)", body->n_deps,
			body->n_counters, body->n_refreshes,
			drop_reason_name((enum drop_reason)body->drop));
	sbuf_putc(s, '\n');
}

static bool is_of_bridge(const struct path *path, const char *bridge)
{
	const struct pl_port *port = pl_port_get(path->body->in_port);

	return !bridge || (port && !strcmp(port->bridge->name, bridge));
}

void dp_format_paths(const struct dp_paths_format *format, struct sbuf *s)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd *pmd = dp.pmds[i];
		uint32_t limit = path_pool_limit(pmd->pool);
		bool title = format->titles;

		if (format->none || (format->by_core && pmd->core != format->core))
			continue;
		for (uint32_t slot = 0; slot < limit; slot++) {
			const struct path *path = &pmd->paths[slot];

			/* Retired bodies stay until control gives them back. */
			if (atomic_load_explicit(&path->state, memory_order_acquire) != PATH_LIVE ||
				!is_of_bridge(path, format->bridge))
				continue;
			if (title)
				sbuf_putf(s, "flow-dump from pmd on cpu core: %d\n", pmd->core);
			title = false;
			put_path(path, format, s);
		}
	}
}
