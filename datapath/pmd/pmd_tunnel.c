/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of tunnels without the interpreter, for packets with nothing special about them.
 *
 * What comes by a tunnel has the same outer header again and again but for lengths, identification, checksum and the source
 * port. Headers whose packets came to be taken off, and which path led there, are remembered as bytes; then one
 * comparison stands for parsing, hashing and looking up the outer packet.
 */
#include <errno.h>
#include <string.h>

#include "datapath/pmd/pmd.h"
#include "datapath/port/mbuf.h"
#include "lib/flow_key_parse.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

static void pop_failed(struct pmd *pmd, struct pmd_burst *burst, unsigned int i, struct pmd_port *pp,
	enum drop_reason reason)
{
	pmd_fate_begin(pmd, pp);
	pmd_drop(pmd, reason, pmd_dress(burst, i));
	pmd_fate_end(pmd);
}

/* N packets of BYTES, which were put into popped.mbufs already, came by PORT. */
static inline void put_popped_row(struct pmd *pmd, const struct pl_port *port, unsigned int n, uint64_t bytes)
{
	struct pmd_popped_row *row = &pmd->popped.rows[pmd->popped.n_rows];

	if (!pmd->popped.n_rows || row[-1].port != port) {
		*row = (struct pmd_popped_row){.port = port};
		row++;
		pmd->popped.n_rows++;
	}
	row[-1].n += n;
	row[-1].bytes += bytes;
	pmd->popped.n += n;
}

static inline void put_popped(struct pmd *pmd, const struct pl_port *port, struct rte_mbuf *mbuf,
	bool dressed)
{
	unsigned int i = pmd->popped.n;

	pmd->popped.mbufs[i] = mbuf;
	if (dressed)
		pmd->popped.dressed |= UINT64_C(1) << i;
	put_popped_row(pmd, port, 1, dressed ? mbuf_packet(mbuf)->len : mbuf->pkt_len);
}

/* The port that a packet of a tunnel of TYPE came by. Trains of packets come by one. */
static inline const struct pl_port *port_of_plain(struct pmd *pmd, uint32_t type, const uint8_t *ip)
{
	struct tnl_plain plain;
	const struct tnl_port *port;
	struct flow_tnl tunnel;

	tnl_plain_read(ip, &plain);
	if (likely(pmd->pop_memo.port && pmd->pop_memo.type == type &&
		    tnl_plain_equal(&pmd->pop_memo.plain, &plain)))
		return pmd->pop_memo.port;
	tnl_plain_fill(ip, &tunnel);
	port = tnl_port_lookup(type, tunnel.tp_dst, &tunnel);
	pmd->pop_memo.port = port ? pl_port_get(port->dp_port) : NULL;
	pmd->pop_memo.type = type;
	pmd->pop_memo.plain = plain;
	return pmd->pop_memo.port;
}

static inline void cut_outer(struct rte_mbuf *m)
{
	m->data_off = (uint16_t)(m->data_off + TNL_PLAIN_FRAME_LEN);
	m->data_len = (uint16_t)(m->data_len - TNL_PLAIN_FRAME_LEN);
	m->pkt_len -= TNL_PLAIN_FRAME_LEN;
}

/* ------------------------------------------------------------------ known outer headers */

/* Bytes that are the same in all packets of a flow of outer packets. Left out: total length, identification and
 * checksum; source port and length of UDP. */
static const uint8_t outer_bits[64] __attribute__((aligned(16))) = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff,
};

struct outer_words {
	__m128i w[4];
};

__attribute__((always_inline)) static inline struct outer_words outer_read(const uint8_t *data)
{
	const __m128i *bits = (const __m128i *)(const void *)outer_bits;
	uint16_t last;

	memcpy(&last, data + 48, sizeof last);
	return (struct outer_words){{
		_mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)data), bits[0]),
		_mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)(data + 16)), bits[1]),
		_mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)(data + 32)), bits[2]),
		_mm_cvtsi32_si128(last),
	}};
}

__attribute__((always_inline)) static inline bool outer_equal(const struct pmd_outer *outer,
	const struct outer_words *words)
{
	const __m128i *have = (const __m128i *)(const void *)outer->header;
	__m128i d0 = _mm_xor_si128(have[0], words->w[0]), d1 = _mm_xor_si128(have[1], words->w[1]);
	__m128i d2 = _mm_xor_si128(have[2], words->w[2]), d3 = _mm_xor_si128(have[3], words->w[3]);
	__m128i diff = _mm_or_si128(_mm_or_si128(d0, d1), _mm_or_si128(d2, d3));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(diff, _mm_setzero_si128())) == 0xffff;
}

/* The frame at DATA has the header OUTER. */
__attribute__((always_inline)) static inline bool outer_is_of(const struct pmd_outer *outer, const uint8_t *data)
{
	struct outer_words words = outer_read(data);

	return outer_equal(outer, &words);
}

/* By sender and network. */
static inline struct pmd_outer *outer_at(struct pmd *pmd, const uint8_t *data)
{
	uint32_t src, vni;

	memcpy(&src, data + 26, sizeof src);
	memcpy(&vni, data + 46, sizeof vni);
	return &pmd->outers[((src ^ vni * 0x9e3779b1u) * 0x85ebca6bu >> 16) % PMD_OUTERS];
}

/* The sums of an IP header but for the first 4 bytes' length, the identification and the checksum. */
static inline uint32_t outer_fixed_sum(const uint8_t *data)
{
	uint16_t words[10];

	memcpy(words, data + ETH_HEADER_LEN, sizeof words);
	return (uint32_t)words[0] + words[3] + words[4] + words[6] + words[7] + words[8] + words[9];
}

static inline bool outer_sum_is_right(const struct pmd_outer *outer, const uint8_t *data)
{
	uint16_t len, id, csum;

	memcpy(&len, data + 16, sizeof len);
	memcpy(&id, data + 18, sizeof id);
	memcpy(&csum, data + 24, sizeof csum);
	/* Folding leaves 0xffff of its multiples, and of nothing else; the version alone makes it more than 0. */
	return (outer->sum + len + id + csum) % 0xffff == 0;
}

/* Packet I of BURST, plain, came to its end by PATH, to go on from PORT. */
static void outer_learn(struct pmd *pmd, const struct path *path, const struct pmd_burst *burst, unsigned int i,
	const struct pl_port *port, struct pmd_port *pp)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	const uint8_t *data = rte_pktmbuf_mtod(burst->mbufs[i], const uint8_t *);
	struct pmd_outer *outer = outer_at(pmd, data);
	struct outer_words words = outer_read(data);

	/* Who looks at the source port has a path for each. */
	if (mask->bits[FLOW_KEY_K64].w[4] & UINT16_MAX)
		return;
	memcpy(outer->header, &words, sizeof outer->header);
	outer->sum = outer_fixed_sum(data);
	outer->epoch = mask->epoch;
	outer->seq = pmd->seq;
	outer->path.slot = (uint32_t)(path - pmd->paths);
	outer->path.generation = path_generation(path);
	outer->in_port = burst->in_port->dp_port;
	outer->tunnel = port->dp_port;
	pp->has_outers = true;
}

/* What is known of the header at DATA; NULL: nothing. */
__attribute__((noinline)) static const struct pmd_outer *outer_find(struct pmd *pmd, const struct pmd_burst *burst, const struct key_mask *mask,
	const uint8_t *data)
{
	const struct pmd_outer *outer = outer_at(pmd, data);

	if (!outer_is_of(outer, data) || outer->seq != pmd->seq || outer->epoch != mask->epoch ||
		outer->in_port != burst->in_port->dp_port ||
		path_generation(&pmd->paths[outer->path.slot]) != outer->path.generation)
		return NULL;
	return outer;
}

/* Those N packets of BYTES in all, as received, had the header OUTER; they are the last in popped.mbufs. */
static void row_end(struct pmd *pmd, const struct pmd_outer *outer, const struct pl_port *port, unsigned int n,
	uint64_t bytes)
{
	if (!n)
		return;
	path_count(&pmd->paths[outer->path.slot], n, bytes, pmd->now_ms);
	put_popped_row(pmd, port, n, bytes - n * TNL_PLAIN_FRAME_LEN);
}

/* The header at DATA, of a frame of LEN bytes, is right in what differs from packet to packet. */
__attribute__((always_inline)) static inline bool outer_rest_is_right(const struct pmd_outer *outer,
	const uint8_t *data, uint32_t len)
{
	uint16_t tot_len;

	memcpy(&tot_len, data + 16, sizeof tot_len);
	tot_len = be16toh(tot_len);
	return tot_len <= len - ETH_HEADER_LEN && tot_len >= TNL_PLAIN_LEN && outer_sum_is_right(outer, data);
}

void pmd_tunnel_pop_known(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	const struct pl_port *port = NULL;
	const struct pmd_outer *outer = NULL;	/* Of packets in a row, N of BYTES so far. */
	unsigned int n = 0, n_left = 0, n_all = burst->n;
	uint64_t bytes = 0, bytes_left = 0;

	if (unlikely(burst->dressed || pmd->no_caches))
		return;
	for (unsigned int i = 0; i < n_all; i++) {
		struct rte_mbuf *m = burst->mbufs[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		bool known = likely(m->data_len >= TNL_PLAIN_FRAME_LEN + ETH_HEADER_LEN);

		if (likely(known) && unlikely(!outer || !outer_is_of(outer, data))) {
			const struct pmd_outer *next = outer_find(pmd, burst, mask, data);
			const struct pl_port *next_port = next ? pl_port_get(next->tunnel) : NULL;

			known = next_port != NULL;
			if (known) {
				row_end(pmd, outer, port, n, bytes);
				outer = next;
				port = next_port;
				n = 0;
				bytes = 0;
			}
		}
		if (unlikely(!known) || unlikely(!outer_rest_is_right(outer, data, m->pkt_len))) {
			burst->mbufs[n_left++] = m;
			bytes_left += m->pkt_len;
			continue;
		}
		/* The inner packet's headers. */
		__builtin_prefetch(data + 64);
		bytes += m->pkt_len;
		cut_outer(m);
		pmd->popped.mbufs[pmd->popped.n + n++] = m;
	}
	row_end(pmd, outer, port, n, bytes);
	burst->n = n_left;
	burst->bytes = bytes_left;
	stat_add(&pmd->stats.exact_hits, n_all - n_left);
}

/* ------------------------------------------------------------------ plain ones */

/* False: it is not plain, and nothing was done. */
static inline bool pop_plain(struct pmd *pmd, uint32_t type, struct path *path, struct pmd_burst *burst,
	unsigned int i, struct pmd_port *pp)
{
	struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *) + ETH_HEADER_LEN;
	const struct pl_port *port;

	if (burst->dressed >> i & 1 || type != TNL_VXLAN || m->data_len < ETH_HEADER_LEN ||
		flow_key_is_tagged(pmd_key(burst, i)) ||
		!tnl_is_plain(ip, m->pkt_len - ETH_HEADER_LEN, m->data_len - ETH_HEADER_LEN))
		return false;
	port = port_of_plain(pmd, type, ip);
	if (unlikely(!port)) {
		pop_failed(pmd, burst, i, pp, DROP_TNL_NO_PORT);
		return true;
	}
	outer_learn(pmd, path, burst, i, port, pp);
	cut_outer(m);
	put_popped(pmd, port, m, false);
	return true;
}

void pmd_tunnel_pop(struct pmd *pmd, struct path *path, struct pmd_burst *burst, unsigned int i,
	struct pmd_port *pp)
{
	uint32_t type = ((const struct op_tnl_pop *)path->ops)->type;
	const struct pl_port *port = NULL;
	const struct tnl_port *tnl;
	struct packet *packet;
	int err;

	if (likely(pop_plain(pmd, type, path, burst, i, pp)))
		return;
	packet = pmd_dress(burst, i);
	err = tnl_header_pop(packet, type, &mbuf_packet_ops);
	if (!err) {
		tnl = tnl_port_lookup(type, packet->tunnel.tp_dst, &packet->tunnel);
		port = tnl ? pl_port_get(tnl->dp_port) : NULL;
	}
	if (!port) {
		pop_failed(pmd, burst, i, pp, !err ? DROP_TNL_NO_PORT :
			err == -EBADMSG ? DROP_TNL_BAD_CSUM : DROP_TNL_BAD_HEADER);
		return;
	}
	packet->hash = 0;
	packet->in_port = port->dp_port;
	put_popped(pmd, port, burst->mbufs[i], true);
}
