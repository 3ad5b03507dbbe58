/* SPDX-License-Identifier: Apache-2.0 */
/* The last stage of a burst: what the exact cache did not know, as far as there is time for it. */
#include <rte_cycles.h>

#include "datapath/pmd.h"
#include "datapath/port/mbuf.h"
#include "lib/coverage.h"

COVERAGE_DEFINE(miss_dropped);

/* ------------------------------------------------------------------ one packet */

void pmd_run_path(struct pmd *pmd, struct path *path, struct packet *packet)
{
	switch (path->kind) {
	case PATH_OUTPUT:
		pmd_output(pmd, path->port, packet);
		break;
	case PATH_DROP:
		pmd_drop(pmd, path->drop, packet);
		break;
	default:
		pmd_run(pmd, path->ops, path->body->program->len, path->body->drop, packet);
		break;
	}
}

/* What the caches know. AGAIN: the exact one may know by now. */
static struct path *find_path(struct pmd *pmd, struct pmd_miss *miss, bool again)
{
	struct path *path;

	if (pmd->no_caches)
		return NULL;
	if (again) {
		path = pmd_look_up_one(pmd, miss->masked, miss->hash);
		if (path) {
			stat_add(&pmd->stats.exact_hits, 1);
			return path;
		}
	}
	path = pmd_mega_find(pmd, miss);
	if (!path)
		stat_add(&pmd->stats.misses, 1);
	return path;
}

static void run_miss(struct pmd *pmd, struct pmd_miss *miss, struct packet *packet, bool again)
{
	struct path *path = find_path(pmd, miss, again);

	packet->hash = flow_key_hash_5tuple(miss->key, 0);
	if (!path)
		path = pmd_translate(pmd, miss, packet);
	if (!path)
		return;
	path_count(path, 1, packet->len, pmd->now_ms);
	pmd_run_path(pmd, path, packet);
}

void pmd_run_one(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet)
{
	struct flow_key masked;
	struct pmd_miss miss = {.in_port = in_port, .packet = packet, .key = key, .masked = &masked};

	if (!pmd->no_caches)
		pmd_miss_key(pmd, &miss);
	run_miss(pmd, &miss, packet, true);
}

/* ------------------------------------------------------------------ a burst */

static void add_miss(struct pmd *pmd, struct pmd_burst *burst, unsigned int i, struct pmd_miss *miss)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);

	*miss = (struct pmd_miss){.in_port = burst->in_port, .masked = &burst->masked[i],
		.hash = burst->hashes[i], .epoch = mask->epoch};
	/* What remembering it will write. */
	if (!pmd->no_caches)
		exact_prefetch_insert(&pmd->exact[flow_key_class(miss->masked)], miss->hash);
}

/* Those of BURST without a path, and which they are; how many. First those of flows that are known, whose path
 * is out of date: *N_KNOWN of them. */
static unsigned int gather(struct pmd *pmd, struct pmd_burst *burst, struct pmd_miss misses[],
	uint8_t index[], unsigned int *n_known)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < burst->n; i++)
		if (!burst->paths[i] && burst->refs[i].slot != PATH_NONE) {
			index[n] = (uint8_t)i;
			add_miss(pmd, burst, i, &misses[n++]);
		}
	*n_known = n;
	for (unsigned int i = 0; i < burst->n; i++)
		if (!burst->paths[i] && burst->refs[i].slot == PATH_NONE) {
			index[n] = (uint8_t)i;
			add_miss(pmd, burst, i, &misses[n++]);
		}
	return n;
}

static void drop_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const uint8_t index[], unsigned int n)
{
	struct rte_mbuf *mbufs[PORT_BURST];

	for (unsigned int i = 0; i < n; i++)
		mbufs[i] = burst->mbufs[index[i]];
	rte_pktmbuf_free_bulk(mbufs, n);
	stat_add(&pp->drops[DROP_MISS_BUDGET], n);
	stat_add(&pmd->stats.misses, n);
	stat_add(&pmd->stats.lost, n);
	COVERAGE_ADD(miss_dropped, n);
}

static void run_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct pmd_miss misses[], const uint8_t index[], unsigned int n)
{
	uint64_t seen = 0;	/* Six bits of the hashes so far. */

	for (unsigned int i = 0; i < n; i++) {
		struct pmd_miss *miss = &misses[i];
		uint64_t bit;
		bool again = false;

		miss->packet = pmd_dress(burst, index[i]);
		miss->key = pmd_key(burst, index[i]);
		if (!pmd->no_caches) {
			/* The port's mask may have grown by an earlier one. */
			if (unlikely(miss->epoch != pmd_key_mask(pmd, miss->in_port->dp_port)->epoch)) {
				pmd_miss_key(pmd, miss);
				again = true;
			}
			bit = UINT64_C(1) << (miss->hash >> 58);
			again |= (seen & bit) != 0;
			seen |= bit;
		}
		pmd_fate_begin(pmd, pp);
		run_miss(pmd, miss, mbuf_packet(burst->mbufs[index[i]]), again);
		pmd_fate_end(pmd);
	}
}

void pmd_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	struct pmd_miss misses[PORT_BURST];
	uint64_t begin, cycles;
	uint8_t index[PORT_BURST];
	unsigned int n_known, n = gather(pmd, burst, misses, index, &n_known), allowed;

	/* Known flows have a right to their packets; there are not more of them than the cache has. */
	allowed = n_known +
		miss_budget_allow(&pmd->miss_budget, &pp->miss_share, n - n_known);

	/* What the hits have to send is not to wait; and sending floods is part of what misses cost. */
	pmd_flush(pmd);
	begin = rte_rdtsc();
	run_misses(pmd, burst, pp, misses, index, allowed);
	if (allowed) {
		pmd_flush(pmd);
		cycles = rte_rdtsc() - begin;
		miss_budget_spend(&pmd->miss_budget, &pp->miss_share, allowed, cycles);
		stat_add(&pmd->stats.miss_cycles, cycles);
	}
	if (unlikely(allowed < n))
		drop_misses(pmd, burst, pp, index + allowed, n - allowed);
}
