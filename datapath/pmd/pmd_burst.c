/* SPDX-License-Identifier: Apache-2.0 */
/* A burst: parse all, look all up, run the hits, then the misses. */
#include <errno.h>
#include <string.h>

#include "datapath/pmd/pmd.h"
#include "datapath/pmd/pmd_push.h"
#include "datapath/pmd/policer.h"
#include "datapath/port/mbuf.h"
#include "lib/flow_key_parse.h"

/* ------------------------------------------------------------------ hits */

static inline bool is_bare(const struct pmd_burst *burst, unsigned int i)
{
	return !(burst->dressed >> i & 1);
}

static inline uint32_t len_of(const struct pmd_burst *burst, unsigned int i)
{
	return likely(is_bare(burst, i)) ? burst->mbufs[i]->pkt_len : mbuf_packet(burst->mbufs[i])->len;
}

/* By the interpreter. */
static void run_program(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct path *path,
	unsigned int i)
{
	struct packet *packet = pmd_dress(burst, i);

	if (path->needs_hash)
		packet->hash = flow_key_hash_5tuple(pmd_key(burst, i), 0);
	pmd_fate_begin(pmd, pp);
	pmd_run_path(pmd, path, packet);
	pmd_fate_end(pmd);
}

static inline uint32_t hash_of(struct pmd_burst *burst, unsigned int i)
{
	const struct flow_key *key = pmd_key(burst, i);
	uint32_t hash;

	return likely(flow_key_hash_ipv4(key, 0, &hash)) ? hash : flow_key_hash_5tuple(key, 0);
}

/* All other shapes. */
__attribute__((noinline)) static void run_other(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct path *path, unsigned int i)
{
	/* What comes out of a tunnel makes a burst of its own. */
	if (path->kind == PATH_POP && burst == &pmd->burst)
		pmd_tunnel_pop(pmd, path, burst, i, pp);
	else
		run_program(pmd, burst, pp, path, i);
}

static inline void check_hit(struct pmd *pmd, struct pmd_burst *burst, const struct path *path, unsigned int i)
{
#ifdef SLUICE_ORACLE
	pmd_oracle_check(pmd, burst->in_port, pmd_key(burst, i), path);
#endif
}

/* Sends bare packet I as PATH says, if that is one of those that need nothing more. False: it is not, and nothing was
 * done. DEVICES: the PMD's ports. */
__attribute__((always_inline)) static inline bool run_bare(struct pmd *pmd, struct pmd_burst *burst,
	struct pmd_port *const *devices, struct tnl_entropy entropy, const struct path *path, unsigned int i)
{
	struct pmd_port *out = devices[path->port];

	if (likely(path->kind == PATH_OUTPUT) && likely(out)) {
		pmd_put_tx_bare(pmd, out, burst->mbufs[i]);
		return true;
	}
	return path->kind == PATH_TUNNEL && likely(out) &&
		likely(pmd_tunnel_push(pmd, path, out, burst->mbufs[i],
			tnl_entropy_port(entropy, hash_of(burst, i))));
}

/* True if the packet was forwarded and that is still to be counted. */
static inline bool run_hit(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct path *path,
	unsigned int i)
{
	check_hit(pmd, burst, path, i);
	if (is_bare(burst, i) && likely(run_bare(pmd, burst, pmd->ports, tnl_entropy(), path, i)))
		return true;
	run_other(pmd, burst, pp, path, i);
	return false;
}

bool pmd_run_hit(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct path *path,
	unsigned int i)
{
	path_count(path, 1, len_of(burst, i), pmd->now_ms);
	return run_hit(pmd, burst, pp, path, i);
}

/* Hit I of BURST is none after all: its path is no more, or out of date. */
__attribute__((noinline)) static void unhit(struct pmd_burst *burst, const struct key_mask *mask, unsigned int i)
{
	burst->paths[i] = NULL;
	key_mask_and(mask, &burst->keys[i], &burst->masked[i]);
}

/* Runs what the first look found, all of it bare, and leaves in paths[] and masked[] what whoever deals with the others
 * wants; those others, a bit each. What does not change meanwhile is read once: the compiler can't know. */
static uint64_t run_bare_hits(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const struct key_mask *mask)
{
	struct pmd_port *const *devices = pmd->ports;
	const struct tnl_entropy entropy = tnl_entropy();
	const int64_t now_ms = pmd->now_ms;
	const uint32_t seq = pmd->seq;
	const unsigned int n = burst->n;
	unsigned int n_hits, n_others = 0;
	uint64_t missing = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct path *path = burst->paths[i];

		if (unlikely(!path) || unlikely(!pmd_path_is_true(pmd, path, burst->refs[i].generation, seq))) {
			missing |= UINT64_C(1) << i;
			if (path)
				unhit(burst, mask, i);
			continue;
		}
		check_hit(pmd, burst, path, i);
		path_count(path, 1, burst->mbufs[i]->pkt_len, now_ms);
		if (unlikely(!run_bare(pmd, burst, devices, entropy, path, i))) {
			n_others++;
			run_other(pmd, burst, pp, path, i);
		}
	}
	n_hits = n - (unsigned int)__builtin_popcountll(missing);
	stat_add(&pp->forwarded, n_hits - n_others);
	stat_add(&pmd->stats.exact_hits, n_hits);
	return missing;
}

/* The same where some have struct packets. */
static uint64_t run_dressed_hits(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const struct key_mask *mask)
{
	unsigned int n_forwarded = 0;
	uint64_t missing = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		struct path *path = burst->paths[i];

		if (!path || unlikely(!pmd_path_is_true(pmd, path, burst->refs[i].generation, pmd->seq))) {
			missing |= UINT64_C(1) << i;
			if (path)
				unhit(burst, mask, i);
			continue;
		}
		n_forwarded += pmd_run_hit(pmd, burst, pp, path, i);
	}
	stat_add(&pp->forwarded, n_forwarded);
	stat_add(&pmd->stats.exact_hits, burst->n - (unsigned int)__builtin_popcountll(missing));
	return missing;
}

void pmd_run_found(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t found)
{
	unsigned int n = (unsigned int)__builtin_popcountll(found), n_forwarded = 0;

	for (; found; found &= found - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(found);

		n_forwarded += pmd_run_hit(pmd, burst, pp, burst->paths[i], i);
	}
	stat_add(&pmd->stats.exact_hits, n);
	stat_add(&pp->forwarded, n_forwarded);
}

/* What BURST was looked up for; what was found at once goes first. */
static void run_looked_up(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const struct key_mask *mask)
{
	uint64_t missing, found;

	missing = likely(!burst->dressed) ? run_bare_hits(pmd, burst, pp, mask) :
					    run_dressed_hits(pmd, burst, pp, mask);
	if (unlikely(burst->left)) {
		found = pmd_look_closer(pmd, burst, mask);
		pmd_run_found(pmd, burst, pp, found);
		missing &= ~found;
	}
	if (unlikely(missing))
		pmd_misses(pmd, burst, pp, missing);
}

/* The same where all are on PATH. */
static void run_all(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct path *path)
{
	struct pmd_port *out = pmd->ports[path->port];
	unsigned int n_forwarded = 0;

	path_count(path, burst->n, burst->bytes, pmd->now_ms);
	stat_add(&pmd->stats.exact_hits, burst->n);
	if (path->kind == PATH_OUTPUT && out && likely(!burst->dressed)) {
		for (unsigned int i = 0; i < burst->n; i++) {
			check_hit(pmd, burst, path, i);
			pmd_put_tx_bare(pmd, out, burst->mbufs[i]);
		}
		stat_add(&pp->forwarded, burst->n);
		return;
	}
	for (unsigned int i = 0; i < burst->n; i++)
		n_forwarded += run_hit(pmd, burst, pp, path, i);
	stat_add(&pp->forwarded, n_forwarded);
}

/* ------------------------------------------------------------------ a burst */

/* Takes the packets whose bit in BAD is set out of the burst. Seldom. */
static void drop_malformed(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	uint64_t bad)
{
	uint64_t dressed = burst->dressed, parsed = burst->parsed;
	unsigned int good = 0;

	burst->dressed = burst->parsed = 0;
	for (unsigned int i = 0; i < burst->n; i++) {
		if (bad >> i & 1) {
			burst->bytes -= mbuf_packet(burst->mbufs[i])->len;
			pmd_fate_begin(pmd, pp);
			pmd_drop(pmd, DROP_RX_MALFORMED, mbuf_packet(burst->mbufs[i]));
			pmd_fate_end(pmd);
			continue;
		}
		burst->dressed |= (dressed >> i & 1) << good;
		burst->parsed |= (parsed >> i & 1) << good;
		burst->mbufs[good] = burst->mbufs[i];
		burst->keys[good++] = burst->keys[i];
	}
	burst->n = good;
}

static uint64_t all_of(const struct pmd_burst *burst)
{
	return UINT64_MAX >> (64 - burst->n);
}

/* Nothing is known of any of them: there are no caches. */
static void miss_all(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		burst->paths[i] = NULL;
		burst->refs[i].slot = PATH_NONE;
	}
	pmd_misses(pmd, burst, pp, all_of(burst));
}

/* Carries BURST, whose packets entered by its in_port and were received at PP. */
static void carry(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	uint64_t bad = pmd_keys(pmd, burst, mask);

	if (unlikely(bad)) {
		drop_malformed(pmd, burst, pp, bad);
		if (!burst->n)
			return;
		if (mask->depth != XLATE_PORT)
			pmd_mask_keys(pmd, burst, mask);
	}
	if (unlikely(pmd->no_caches)) {
		miss_all(pmd, burst, pp);
	} else if (!pmd_look_up(pmd, burst, mask)) {
		run_looked_up(pmd, burst, pp, mask);
	} else if (likely(burst->paths[0])) {
		run_all(pmd, burst, pp, burst->paths[0]);
	} else {
		pmd_misses(pmd, burst, pp, all_of(burst));
	}
}

/* What came out of tunnels, in bursts of one port each. */
static void carry_inner(struct pmd *pmd, struct pmd_port *pp)
{
	struct pmd_burst *inner = &pmd->inner;
	unsigned int done = 0;

	stat_add(&pmd->stats.recirculations, pmd->popped.n);
	pmd->depth++;
	inner->popped = true;
	for (unsigned int i = 0; i < pmd->popped.n_rows; i++) {
		const struct pmd_popped_row *row = &pmd->popped.rows[i];

		inner->in_port = row->port;
		inner->dressed = pmd->popped.dressed >> done;
		inner->bytes = row->bytes;
		inner->n = row->n;
		memcpy(inner->mbufs, pmd->popped.mbufs + done, row->n * sizeof inner->mbufs[0]);
		done += row->n;
		carry(pmd, inner, pp);
	}
	pmd->depth--;
	pmd->popped.n = pmd->popped.n_rows = 0;
	pmd->popped.dressed = 0;
}

/* Leaves of the N frames received, of *BYTES in all, those that POLICER lets pass; returns how many. */
static unsigned int police(struct pmd *pmd, struct pmd_port *pp, struct policer *policer, unsigned int n,
	uint64_t *bytes)
{
	struct rte_mbuf **mbufs = pmd->burst.mbufs;
	unsigned int good = 0;

	*bytes = 0;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t len = pp->port->rx_bare ? mbufs[i]->pkt_len : mbuf_packet(mbufs[i])->len;

		if (!policer_passes(policer, len, pmd->now_us)) {
			rte_pktmbuf_free(mbufs[i]);
			continue;
		}
		*bytes += len;
		mbufs[good++] = mbufs[i];
	}
	stat_add(&pp->drops[DROP_RX_POLICED], n - good);
	return good;
}

void pmd_burst(struct pmd *pmd, struct pmd_port *pp, unsigned int n, uint64_t bytes)
{
	struct pmd_burst *burst = &pmd->burst;
	struct policer *policer = atomic_load_explicit(&pp->port->policer, memory_order_acquire);

	burst->in_port = pl_port_get(pp->dp_port);
	if (unlikely(!burst->in_port)) {
		stat_add(&pp->drops[DROP_RX_NO_BRIDGE], n);
		rte_pktmbuf_free_bulk(burst->mbufs, n);
		return;
	}
	if (unlikely(policer) && !(n = police(pmd, pp, policer, n, &bytes)))
		return;
	burst->n = n;
	burst->bytes = bytes;
	burst->dressed = pp->port->rx_bare ? 0 : UINT64_MAX;
	pmd->pop_memo.port = NULL;
	if (pp->has_outers)
		pmd_tunnel_pop_known(pmd, burst, pp);
	if (likely(burst->n))
		carry(pmd, burst, pp);
	if (pmd->popped.n)
		carry_inner(pmd, pp);
}

/* ------------------------------------------------------------------ packets within packets */

void pmd_recirculate(struct pmd *pmd, dp_port_t port, struct packet *packet)
{
	const struct pl_port *in_port = port < PL_MAX_PORTS ? pl_port_get(port) : NULL;
	struct flow_limits limits;
	struct flow_key key;

	stat_add(&pmd->stats.recirculations, 1);
	if (!in_port || pmd->depth >= PMD_MAX_DEPTH) {
		pmd_drop(pmd, in_port ? DROP_TNL_LOOP : DROP_TNL_NO_PORT, packet);
		return;
	}
	packet->in_port = port;
	limits = pmd_limits(in_port);
	if (flow_key_extract(packet, port, &limits, &key) == -EINVAL) {
		pmd_drop(pmd, DROP_RX_MALFORMED, packet);
		return;
	}
	pmd->depth++;
	pmd_run_one(pmd, in_port, &key, packet);
	pmd->depth--;
}

void pmd_resume(struct pmd *pmd, const struct op_resume *resume, struct packet *packet)
{
	const struct pl_port *in_port =
		resume->in_port < PL_MAX_PORTS ? pl_port_get(resume->in_port) : NULL;
	struct flow_limits limits = {.max_vlans = FLOW_MAX_VLANS};
	struct flow flow;

	stat_add(&pmd->stats.recirculations, 1);
	if (pmd->depth >= PMD_MAX_DEPTH) {
		pmd_drop(pmd, DROP_RESUBMIT_DEPTH, packet);
		return;
	}
	if (in_port)
		limits = pmd_limits(in_port);
	if (flow_extract_limits(packet, &limits, &flow) == -EINVAL) {
		pmd_drop(pmd, DROP_RX_MALFORMED, packet);
		return;
	}
	pmd->depth++;
	pmd_miss_resume(pmd, &flow, resume, packet);
	pmd->depth--;
}
