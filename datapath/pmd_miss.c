/* SPDX-License-Identifier: Apache-2.0 */
/* The last stage of a burst: what the exact cache did not know, as far as there is time for it. */
#include <rte_cycles.h>
#include <string.h>

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

/* PACKET, of which no cache knows more than PLAIN. */
static void translate_and_run(struct pmd *pmd, struct pmd_miss *miss, struct packet *packet,
	const struct pmd_plain *plain)
{
	struct path *path;

	packet->hash = flow_key_hash_5tuple(miss->key, 0);
	path = pmd_translate(pmd, miss, packet, plain);
	if (!path)
		return;
	path_count(path, 1, packet->len, pmd->now_ms);
	pmd_run_path(pmd, path, packet);
}

/* What the caches know. */
static struct path *find_path(struct pmd *pmd, struct pmd_miss *miss, struct pmd_plain *plain)
{
	struct exact_ref ref;
	struct path *path = pmd_look_up_one(pmd, miss->masked, miss->hash, &ref);

	if (path) {
		stat_add(&pmd->stats.exact_hits, 1);
		return path;
	}
	if (mega_ask(&pmd->mega, 1) && (path = pmd_mega_find(pmd, miss)) != NULL)
		return path;
	stat_add(&pmd->stats.misses, 1);
	return pmd_plain_find(pmd, miss, plain);
}

void pmd_run_one(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet)
{
	struct flow_key masked;
	struct pmd_miss miss = {.in_port = in_port, .data = packet->data, .len = packet->seg_len,
		.key = key, .masked = &masked};
	struct pmd_plain plain = {0};
	struct path *path = NULL;

	if (pmd->no_caches) {
		translate_and_run(pmd, &miss, packet, &plain);
		return;
	}
	pmd_miss_key(pmd, &miss);
	path = find_path(pmd, &miss, &plain);
	if (!path) {
		translate_and_run(pmd, &miss, packet, &plain);
		return;
	}
	packet->hash = flow_key_hash_5tuple(key, 0);
	path_count(path, 1, packet->len, pmd->now_ms);
	pmd_run_path(pmd, path, packet);
}

/* ------------------------------------------------------------------ what is no miss after all */

/* Those of MISSES[N] that the second tier knows are run, the others stay; how many, and of flows that are known
 * *N_KNOWN. */
static unsigned int run_mega(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct pmd_miss misses[], uint8_t index[], unsigned int n, unsigned int *n_known)
{
	unsigned int n_left = 0, n_known_left = 0, n_forwarded = 0;

	for (unsigned int j = 0; j < n; j++) {
		struct path *path;

		misses[j].key = pmd_key(burst, index[j]);
		path = pmd_mega_find(pmd, &misses[j]);
		if (path) {
			n_forwarded += pmd_run_hit(pmd, burst, pp, path, index[j]);
			continue;
		}
		n_known_left += j < *n_known;
		misses[n_left] = misses[j];
		index[n_left++] = index[j];
	}
	stat_add(&pp->forwarded, n_forwarded);
	*n_known = n_known_left;
	return n_left;
}

/* ------------------------------------------------------------------ a burst */

static void add_miss(struct pmd *pmd, struct pmd_burst *burst, unsigned int i, struct pmd_miss *miss)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	struct rte_mbuf *m = burst->mbufs[i];

	*miss = (struct pmd_miss){.in_port = burst->in_port, .masked = &burst->masked[i],
		.hash = burst->hashes[i], .epoch = mask->epoch};
	if (unlikely(burst->dressed >> i & 1)) {
		miss->data = mbuf_packet(m)->data;
		miss->len = mbuf_packet(m)->seg_len;
	} else {
		miss->data = rte_pktmbuf_mtod(m, const uint8_t *);
		miss->len = m->data_len;
	}
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

static struct exact *exact_of(struct pmd *pmd, const struct pmd_burst *burst, unsigned int i)
{
	return &pmd->exact[flow_key_class(&burst->masked[i])];
}

/* Flows that come again have to be noticed all the same: they are worth a larger cache. */
static void drop_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const uint8_t index[], unsigned int n)
{
	struct rte_mbuf *mbufs[PORT_BURST];

	for (unsigned int i = 0; i < n; i++) {
		mbufs[i] = burst->mbufs[index[i]];
		if (!pmd->no_caches)
			exact_keep_out(exact_of(pmd, burst, index[i]), burst->hashes[index[i]]);
	}
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

/* The long way for packet I of BURST, unless PATH is known. */
static bool run_miss(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct pmd_miss *miss,
	unsigned int i, struct path *path)
{
	struct pmd_plain plain = {0};
	struct packet *packet;

	if (!path && !pmd->no_caches) {
		stat_add(&pmd->stats.misses, 1);
		path = pmd_plain_find(pmd, miss, &plain);
	}
	if (likely(path))
		return pmd_run_hit(pmd, burst, pp, path, i);
	packet = pmd_dress(burst, i);
	pmd_fate_begin(pmd, pp);
	translate_and_run(pmd, miss, packet, &plain);
	pmd_fate_end(pmd);
	return false;
}

/* What the caches have learned of MISS since it was looked up. */
static struct path *find_again(struct pmd *pmd, struct pmd_miss *miss)
{
	struct exact_ref ref;
	struct path *path = pmd_look_up_one(pmd, miss->masked, miss->hash, &ref);

	if (path)
		stat_add(&pmd->stats.exact_hits, 1);
	else if (mega_wants(&pmd->mega))
		path = pmd_mega_find(pmd, miss);
	return path;
}

/* Runs the first ALLOWED of N, and of the others those that have become known by that. INDEX then begins with
 * those that were not run; how many. */
static unsigned int run_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct pmd_miss misses[], uint8_t index[], unsigned int n, unsigned int allowed)
{
	const struct key_mask *mask = pmd_key_mask(pmd, burst->in_port->dp_port);
	unsigned int n_left = 0, n_forwarded = 0;
	uint64_t seen = 0;	/* Of the hashes of those that were run. */

	for (unsigned int i = 0; i < n; i++) {
		struct pmd_miss *miss = &misses[i];
		/* The port's mask may have grown by an earlier one. */
		bool grown = unlikely(miss->epoch != mask->epoch) && !pmd->no_caches;
		bool again = grown || seen & bit_of(miss->hash);
		struct path *path;

		if (unlikely(i >= allowed) && !again) {
			index[n_left++] = index[i];
			continue;
		}
		miss->key = pmd_key(burst, index[i]);
		if (grown)
			pmd_miss_key(pmd, miss);
		path = again ? find_again(pmd, miss) : NULL;
		if (unlikely(i >= allowed) && !path) {
			index[n_left++] = index[i];
			continue;
		}
		n_forwarded += run_miss(pmd, burst, pp, miss, index[i], path);
		if (!pmd->no_caches)
			seen |= bit_of(miss->hash);
	}
	stat_add(&pp->forwarded, n_forwarded);
	return n_left;
}

/* Those of MISSES[N] that were seen before go first: where there is no time for all, floods that never repeat have
 * to wait. How many. */
static unsigned int put_seen_first(struct pmd *pmd, const struct pmd_burst *burst, struct pmd_miss misses[],
	uint8_t index[], unsigned int n)
{
	struct pmd_miss others[PORT_BURST];
	uint8_t other_index[PORT_BURST];
	unsigned int n_seen = 0, n_others = 0;

	for (unsigned int j = 0; j < n; j++) {
		if (admission_knows(&exact_of(pmd, burst, index[j])->admission, misses[j].hash)) {
			misses[n_seen] = misses[j];
			index[n_seen++] = index[j];
		} else {
			others[n_others] = misses[j];
			other_index[n_others++] = index[j];
		}
	}
	memcpy(&misses[n_seen], others, n_others * sizeof *misses);
	memcpy(&index[n_seen], other_index, n_others * sizeof *index);
	return n_seen;
}

/* A mask that has grown made its port's flows unknown, all at once; they have a right to be found again. It
 * happens some dozen times at most until there is nothing left to grow. */
static bool is_pardoned(struct pmd *pmd, dp_port_t port)
{
	const struct key_mask *mask = pmd_key_mask(pmd, port);
	struct pmd_pardon *pardon = &pmd->pardons[port];

	if (unlikely(mask->epoch != pardon->epoch)) {
		pardon->epoch = mask->epoch;
		pardon->until_ms = pmd->now_ms + PARDON_MS;
	}
	return pmd->now_ms < pardon->until_ms;
}

/* Deals with MISSES[N], of which *INDEX says which they are, as far as there is time for it. ASKING: cycles that
 * went into asking for them in vain. */
static void run_allowed(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	struct pmd_miss misses[], uint8_t index[], unsigned int n, unsigned int n_known, uint64_t asking)
{
	unsigned int n_seen = n - n_known, allowed, n_left;
	uint64_t begin, cycles;

	if (miss_budget_is_limited(&pmd->miss_budget) && !pmd->no_caches)
		n_seen = put_seen_first(pmd, burst, misses + n_known, index + n_known, n - n_known);
	/* Known flows have a right to their packets; there are not more of them than the cache has. */
	allowed = n_known +
		miss_budget_allow(&pmd->miss_budget, &pp->miss_share, n_seen, n - n_known - n_seen);
	if (unlikely(is_pardoned(pmd, burst->in_port->dp_port)))
		allowed = n;
	if (asking)
		miss_budget_spend(&pmd->miss_budget, &pp->miss_share, 0, asking);

	if (!allowed) {
		drop_misses(pmd, burst, pp, index, n);
		return;
	}
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

void pmd_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	struct pmd_miss misses[PORT_BURST];
	uint8_t index[PORT_BURST];
	unsigned int n_known, n;
	uint64_t begin, asking = 0;

	if (likely(!pmd->no_caches))
		pmd_run_found(pmd, burst, pp, pmd_look_elsewhere(pmd, burst));
	n = gather(pmd, burst, misses, index, &n_known);
	if (!pmd->no_caches && n && mega_ask(&pmd->mega, n)) {
		begin = rte_rdtsc();
		n = run_mega(pmd, burst, pp, misses, index, n, &n_known);
		asking = rte_rdtsc() - begin;
	}
	if (likely(n))
		run_allowed(pmd, burst, pp, misses, index, n, n_known, asking);
}
