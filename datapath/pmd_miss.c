/* SPDX-License-Identifier: Apache-2.0 */
/* The last stage of a burst: what the exact cache did not know, as far as there is time for it. */
#include <rte_cycles.h>

#include "datapath/pmd.h"
#include "datapath/port/mbuf.h"
#include "lib/coverage.h"

#define PARDON_MS 50

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
	struct exact_ref ref;
	struct path *path;

	if (pmd->no_caches)
		return NULL;
	if (again) {
		path = pmd_look_up_one(pmd, miss->masked, miss->hash, &ref);
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

/* Six bits of a hash. */
static uint64_t bit_of(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58);
}

/* Runs the first ALLOWED of N, and of the others those that have become known by that. INDEX then begins with
 * those that were not run; how many. */
static unsigned int run_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct pmd_miss misses[], uint8_t index[], unsigned int n, unsigned int allowed)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	unsigned int n_left = 0;
	uint64_t seen = 0;	/* Of the hashes of those that were run. */

	for (unsigned int i = 0; i < n; i++) {
		struct pmd_miss *miss = &misses[i];
		/* The port's mask may have grown by an earlier one. */
		bool grown = unlikely(miss->epoch != mask->epoch) && !pmd->no_caches;
		bool again = grown || seen & bit_of(miss->hash);
		struct exact_ref ref;

		if (unlikely(i >= allowed) && !again) {
			index[n_left++] = index[i];
			continue;
		}
		miss->packet = pmd_dress(burst, index[i]);
		miss->key = pmd_key(burst, index[i]);
		if (grown)
			pmd_miss_key(pmd, miss);
		if (unlikely(i >= allowed) && !pmd_look_up_one(pmd, miss->masked, miss->hash, &ref)) {
			index[n_left++] = index[i];
			continue;
		}
		pmd_fate_begin(pmd, pp);
		run_miss(pmd, miss, mbuf_packet(burst->mbufs[index[i]]), again);
		pmd_fate_end(pmd);
		if (!pmd->no_caches)
			seen |= bit_of(miss->hash);
	}
	return n_left;
}

/* A mask that has grown made its port's flows unknown, all at once; they have a right to be found again. It
 * happens some dozen times at most until there is nothing left to grow. */
static bool is_pardoned(struct pmd *pmd, struct key_mask *mask)
{
	if (unlikely(mask->epoch != mask->seen_epoch)) {
		mask->seen_epoch = mask->epoch;
		mask->pardon_until_ms = pmd->now_ms + PARDON_MS;
	}
	return pmd->now_ms < mask->pardon_until_ms;
}

void pmd_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	struct pmd_miss misses[PORT_BURST];
	uint8_t index[PORT_BURST];
	unsigned int n_known, n = gather(pmd, burst, misses, index, &n_known), allowed, n_left;
	uint64_t begin, cycles;

	/* Known flows have a right to their packets; there are not more of them than the cache has. */
	allowed = n_known +
		miss_budget_allow(&pmd->miss_budget, &pp->miss_share, n - n_known);
	if (unlikely(is_pardoned(pmd, mask)))
		allowed = n;

	/* What the hits have to send is not to wait; and sending floods is part of what misses cost. */
	pmd_flush(pmd);
	begin = rte_rdtsc();
	n_left = run_misses(pmd, burst, pp, misses, index, n, allowed);
	if (n_left < n) {
		pmd_flush(pmd);
		cycles = rte_rdtsc() - begin;
		miss_budget_spend(&pmd->miss_budget, &pp->miss_share, n - n_left, cycles);
		stat_add(&pmd->stats.miss_cycles, cycles);
	}
	if (unlikely(n_left))
		drop_misses(pmd, burst, pp, index, n_left);
}
