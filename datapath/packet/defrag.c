/* SPDX-License-Identifier: Apache-2.0 */
/* rte_ip_frag_table_del_expired_entries(). */
#define ALLOW_EXPERIMENTAL_API
#include "datapath/packet/defrag.h"

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"

#define N_BUCKETS 64
#define BUCKET_ENTRIES 8
#define MAX_DATAGRAMS (N_BUCKETS * BUCKET_ENTRIES)
#define IP_MAX 65535

struct defrag {
	struct rte_ip_frag_tbl *table;
	struct rte_ip_frag_death_row dead;
	uint32_t n_lost, n_bad_csum;
};

struct defrag *defrag_create(void)
{
	struct defrag *defrag = xcalloc(1, sizeof *defrag);

	defrag->table = rte_ip_frag_table_create(N_BUCKETS, BUCKET_ENTRIES, MAX_DATAGRAMS,
		rte_get_tsc_hz() / 1000 * DEFRAG_MS, SOCKET_ID_ANY);
	if (defrag->table)
		return defrag;
	free(defrag);
	return NULL;
}

static void bury(struct defrag *defrag)
{
	defrag->n_lost += defrag->dead.cnt;
	rte_ip_frag_free_death_row(&defrag->dead, 0);
}

void defrag_destroy(struct defrag *defrag)
{
	if (!defrag)
		return;
	bury(defrag);
	/* It frees the fragments that are in it. */
	rte_ip_frag_table_destroy(defrag->table);
	free(defrag);
}

static void lose(struct defrag *defrag, struct packet *p)
{
	defrag->n_lost++;
	rte_pktmbuf_free(packet_mbuf(p));
}

/* ------------------------------------------------------------------ a fragment */

/* Offset and length of what it carries are possible; the lengths are what the frame holds. */
static bool is_possible(uint32_t ofs, uint32_t n, bool more)
{
	return n && ofs + n <= IP_MAX - IPV4_HEADER_LEN && !(more && n % 8);
}

static bool check_ipv4(const struct packet *p)
{
	const struct ipv4_header *ip = (const void *)(p->data + p->l3_ofs);
	uint16_t tot_len, frag;

	if ((uint32_t)p->l3_ofs + IPV4_HEADER_LEN > p->seg_len || ip->ver_ihl != 0x45 ||
		csum(ip, IPV4_HEADER_LEN))
		return false;
	tot_len = be16toh(ip->tot_len);
	frag = be16toh(ip->frag_off);
	return tot_len > IPV4_HEADER_LEN && (uint32_t)p->l3_ofs + tot_len <= p->len &&
	       is_possible((frag & IPV4_FRAG_OFS_MASK) * 8u, tot_len - (uint32_t)IPV4_HEADER_LEN,
		       frag & IPV4_MF);
}

/* The fragment header right behind the IPv6 header, as whoever sends tunnels makes it. */
static bool check_ipv6(const struct packet *p)
{
	const struct ipv6_header *ip = (const void *)(p->data + p->l3_ofs);
	const struct ipv6_frag_header *frag = (const void *)(ip + 1);
	uint32_t plen, ofs;

	if (p->l3_ofs + sizeof *ip + sizeof *frag > p->seg_len || ip->nexthdr != IP_P_FRAGMENT)
		return false;
	plen = be16toh(ip->plen);
	ofs = be16toh(frag->ofs_more);
	return plen > sizeof *frag && p->l3_ofs + sizeof *ip + plen <= p->len &&
	       is_possible(ofs & IPV6_FRAG_OFS_MASK, plen - (uint32_t)sizeof *frag,
		       ofs & IPV6_FRAG_MORE);
}

static struct rte_mbuf *add(struct defrag *defrag, struct packet *p, uint64_t tsc, bool is_ipv6)
{
	struct rte_mbuf *m = packet_mbuf(p);
	struct rte_ipv6_hdr *ip6;

	mbuf_sync(m);
	m->l2_len = p->l3_ofs;
	if (!is_ipv6) {
		m->l3_len = IPV4_HEADER_LEN;
		return rte_ipv4_frag_reassemble_packet(defrag->table, &defrag->dead, m, tsc,
			(struct rte_ipv4_hdr *)(p->data + p->l3_ofs));
	}
	m->l3_len = IPV6_HEADER_LEN + sizeof(struct ipv6_frag_header);
	ip6 = (struct rte_ipv6_hdr *)(p->data + p->l3_ofs);
	return rte_ipv6_frag_reassemble_packet(defrag->table, &defrag->dead, m, tsc, ip6,
		(struct rte_ipv6_fragment_ext *)(ip6 + 1));
}

/* ------------------------------------------------------------------ a datagram */

static bool csum_is_right(const struct packet *p, const struct flow *flow)
{
	const uint8_t *l4 = p->data + p->l4_ofs;
	uint32_t len = p->len - p->l4_ofs;
	uint64_t sum = 0;

	if (flow->nw_proto == IP_P_UDP) {
		if ((uint32_t)p->l4_ofs + UDP_HEADER_LEN > p->seg_len || (!l4[6] && !l4[7]))
			return true;
		sum = flow->dl_type == htobe16(ETH_T_IP)
			      ? csum_pseudo_v4(flow->nw_src, flow->nw_dst, IP_P_UDP, len)
			      : csum_pseudo_v6(&flow->ipv6_src, &flow->ipv6_dst, IP_P_UDP, len);
	} else if (flow->nw_proto != IP_P_GRE || p->l4_ofs >= p->seg_len ||
		   !(l4[0] & GRE_F_CSUM >> 8)) {
		return true;
	}
	return !csum_finish(mbuf_packet_ops.sum(sum, p, p->l4_ofs, len));
}

/* Makes M, which came out of the table, a packet again. NULL: its checksum is wrong. */
static struct packet *whole(struct defrag *defrag, struct rte_mbuf *m, uint16_t l3, bool is_ipv6)
{
	dp_port_t in_port = mbuf_packet(m)->in_port;
	struct packet *p = mbuf_packet_init(m);
	struct flow flow;

	m->ol_flags = 0;
	m->tx_offload = 0;
	p->in_port = in_port;
	p->l3_ofs = l3;
	if (!is_ipv6)
		csum_fill_ipv4(p);
	if (flow_extract(p, &flow) || p->l3_ofs != l3 || !csum_is_right(p, &flow)) {
		defrag->n_bad_csum++;
		rte_pktmbuf_free(m);
		return NULL;
	}
	p->offload |= PACKET_CSUM_VALID;
	return p;
}

struct packet *defrag_add(struct defrag *defrag, struct packet *p, uint64_t tsc)
{
	uint16_t l3 = p->l3_ofs;
	bool is_ipv6 = l3 < p->seg_len && p->data[l3] >> 4 == 6;
	struct rte_mbuf *m;

	if (l3 == PACKET_NO_OFS || l3 >= 128 || p->gso_type ||
		!(is_ipv6 ? check_ipv6(p) : check_ipv4(p))) {
		lose(defrag, p);
		return NULL;
	}
	m = add(defrag, p, tsc, is_ipv6);
	bury(defrag);
	return m ? whole(defrag, m, l3, is_ipv6) : NULL;
}

void defrag_expire(struct defrag *defrag, uint64_t tsc)
{
	/* As many at a time as the death row takes. */
	do {
		bury(defrag);
		rte_ip_frag_table_del_expired_entries(defrag->table, &defrag->dead, tsc);
	} while (defrag->dead.cnt);
}

uint32_t defrag_take_lost(struct defrag *defrag, uint32_t *n_bad_csum)
{
	uint32_t n = defrag->n_lost;

	*n_bad_csum = defrag->n_bad_csum;
	defrag->n_lost = defrag->n_bad_csum = 0;
	return n;
}
