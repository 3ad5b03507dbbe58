/* SPDX-License-Identifier: Apache-2.0 */
/* The last stage of a burst: what the exact cache did not know, as far as there is time for it. */
#include <rte_cycles.h>
#include <string.h>

#include "datapath/pmd/pmd.h"
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

/* ------------------------------------------------------------------ parts of a burst */

/* Sets of a burst's packets have a bit for each. */
static inline uint64_t bit(unsigned int i)
{
	return UINT64_C(1) << i;
}

static inline unsigned int count(uint64_t set)
{
	return (unsigned int)__builtin_popcountll(set);
}

static inline unsigned int first(uint64_t set)
{
	return (unsigned int)__builtin_ctzll(set);
}

/* The first N of SET. */
static uint64_t first_of(uint64_t set, unsigned int n)
{
	uint64_t others = set;

	if (n >= count(set))
		return set;
	while (n--)
		others &= others - 1;
	return set & ~others;
}

static struct exact *exact_of(struct pmd *pmd, const struct pmd_burst *burst, unsigned int i)
{
	return &pmd->exact[flow_key_class(&burst->masked[i])];
}

/* Packet I of BURST, whose key was masked as in EPOCH. */
static void make_miss(struct pmd_burst *burst, unsigned int i, uint64_t epoch, struct pmd_miss *miss)
{
	struct rte_mbuf *m = burst->mbufs[i];

	miss->in_port = burst->in_port;
	miss->key = pmd_key(burst, i);
	miss->masked = &burst->masked[i];
	miss->hash = burst->hashes[i];
	miss->epoch = epoch;
	if (unlikely(burst->dressed & bit(i))) {
		miss->data = mbuf_packet(m)->data;
		miss->len = mbuf_packet(m)->seg_len;
	} else {
		miss->data = rte_pktmbuf_mtod(m, const uint8_t *);
		miss->len = m->data_len;
	}
}

/* Of SET those of flows that are known, whose path is out of date. */
static uint64_t known_of(const struct pmd_burst *burst, uint64_t set)
{
	uint64_t known = 0;

	for (uint64_t left = set; left; left &= left - 1)
		if (unlikely(burst->refs[first(left)].slot != PATH_NONE))
			known |= left & -left;
	return known;
}

/* Of SET those whose flows were seen before. */
static uint64_t seen_of(struct pmd *pmd, const struct pmd_burst *burst, uint64_t set)
{
	uint64_t seen = 0;

	for (uint64_t left = set; left; left &= left - 1) {
		unsigned int i = first(left);

		seen |= (uint64_t)admission_knows(&exact_of(pmd, burst, i)->admission, burst->hashes[i]) << i;
	}
	return seen;
}

/* ------------------------------------------------------------------ what is no miss after all */

/* Those of MISSING that the second tier knows are run; the others. */
static uint64_t run_mega(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing)
{
	uint64_t epoch = pmd_key_mask(pmd, burst->in_port->dp_port)->epoch, rest = missing;
	unsigned int n_forwarded = 0;

	for (; missing; missing &= missing - 1) {
		unsigned int i = first(missing);
		struct pmd_miss miss;
		struct path *path;

		make_miss(burst, i, epoch, &miss);
		path = pmd_mega_find(pmd, &miss);
		if (!path)
			continue;
		n_forwarded += pmd_run_hit(pmd, burst, pp, path, i);
		rest &= ~bit(i);
	}
	stat_add(&pp->forwarded, n_forwarded);
	return rest;
}

/* ------------------------------------------------------------------ a burst */

/* Flows that come again have to be noticed all the same: they are worth a larger cache. */
static void drop_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t set)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	unsigned int n = 0;

	for (; set; set &= set - 1) {
		unsigned int i = first(set);

		mbufs[n++] = burst->mbufs[i];
		if (!pmd->no_caches)
			exact_keep_out(exact_of(pmd, burst, i), burst->hashes[i]);
	}
	rte_pktmbuf_free_bulk(mbufs, n);
	stat_add(&pp->drops[DROP_MISS_BUDGET], n);
	stat_add(&pmd->stats.misses, n);
	stat_add(&pmd->stats.lost, n);
	COVERAGE_ADD(miss_dropped, n);
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

/* Misses of a burst on their way. */
struct run {
	uint64_t epoch;		/* Of the port's mask, before any of them. */
	uint64_t hashes;	/* A bit (bit_of()) for each that has been run, ... */
	unsigned int n_forwarded;	/* ... of them. */
};

/* By six bits of a hash. */
static inline uint64_t bit_of(uint64_t hash)
{
	return bit(hash >> 58);
}

/* Packet I of BURST, if it is ALLOWED or has become known by those that were; false: it is neither. */
static bool run_one(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct run *run, unsigned int i,
	bool allowed)
{
	/* The port's mask may have grown by an earlier one. */
	bool grown = unlikely(pmd_key_mask(pmd, burst->in_port->dp_port)->epoch != run->epoch) && !pmd->no_caches;
	bool again = grown || run->hashes & bit_of(burst->hashes[i]);
	struct path *path = NULL;
	struct pmd_miss miss;

	if (!allowed && likely(!again))
		return false;
	make_miss(burst, i, run->epoch, &miss);
	if (grown)
		pmd_miss_key(pmd, &miss);
	if (again)
		path = find_again(pmd, &miss);
	if (!allowed && !path)
		return false;
	run->n_forwarded += run_miss(pmd, burst, pp, &miss, i, path);
	if (!pmd->no_caches)
		run->hashes |= bit_of(miss.hash);
	return true;
}

/* Runs those of MISSING that are ALLOWED, and of the others those that have become known by that; what is left. */
static uint64_t run_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing,
	uint64_t allowed)
{
	struct run run = {.epoch = pmd_key_mask(pmd, burst->in_port->dp_port)->epoch};
	uint64_t rest = missing & ~allowed;

	for (uint64_t left = allowed; left && !pmd->no_caches; left &= left - 1)
		exact_prefetch_insert(exact_of(pmd, burst, first(left)), burst->hashes[first(left)]);
	for (uint64_t left = allowed; left; left &= left - 1)
		run_one(pmd, burst, pp, &run, first(left), true);
	for (uint64_t left = rest; left; left &= left - 1)
		if (run_one(pmd, burst, pp, &run, first(left), false))
			rest &= ~(left & -left);
	stat_add(&pp->forwarded, run.n_forwarded);
	return rest;
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

/* Those of MISSING that there is time for. Flows seen before go first: where there is no time for all, floods that never
 * repeat have to wait. */
static uint64_t allowed_of(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing)
{
	/* Known flows have a right to their packets; there are not more of them than the cache has. */
	uint64_t known = known_of(burst, missing), seen = missing & ~known, new = 0;
	unsigned int n;

	if (miss_budget_is_limited(&pmd->miss_budget) && !pmd->no_caches) {
		seen = seen_of(pmd, burst, seen);
		new = missing & ~known & ~seen;
	}
	n = miss_budget_allow(&pmd->miss_budget, &pp->miss_share, count(seen), count(new));
	if (unlikely(is_pardoned(pmd, burst->in_port->dp_port)))
		return missing;
	return known | first_of(seen, n) | first_of(new, n - MIN(n, count(seen)));
}

/* Deals with MISSING as far as there is time for it. ASKING: cycles that went into asking for them in vain. */
static void run_allowed(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing,
	uint64_t asking)
{
	uint64_t allowed = allowed_of(pmd, burst, pp, missing), left, begin, cycles;

	if (asking)
		miss_budget_spend(&pmd->miss_budget, &pp->miss_share, 0, asking);
	if (!allowed) {
		drop_misses(pmd, burst, pp, missing);
		return;
	}
	/* What the hits have to send is not to wait; and sending floods is part of what misses cost. */
	pmd_flush(pmd);
	begin = rte_rdtsc();
	left = run_misses(pmd, burst, pp, missing, allowed);
	pmd_flush(pmd);
	cycles = rte_rdtsc() - begin;
	miss_budget_spend(&pmd->miss_budget, &pp->miss_share, count(missing & ~left), cycles);
	stat_add(&pmd->stats.miss_cycles, cycles);
	if (unlikely(left))
		drop_misses(pmd, burst, pp, left);
}

void pmd_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing)
{
	uint64_t found, begin, asking = 0;

	if (likely(!pmd->no_caches)) {
		found = pmd_look_elsewhere(pmd, burst, missing);
		pmd_run_found(pmd, burst, pp, found);
		missing &= ~found;
	}
	if (!pmd->no_caches && missing && mega_ask(&pmd->mega, count(missing))) {
		begin = rte_rdtsc();
		missing = run_mega(pmd, burst, pp, missing);
		asking = rte_rdtsc() - begin;
	}
	if (likely(missing))
		run_allowed(pmd, burst, pp, missing, asking);
}
