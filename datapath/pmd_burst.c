/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a burst: parse all, hash all, look all up, run the hits, then the misses. */
#include <errno.h>
#include <string.h>

#include "datapath/port/mbuf.h"
#include "datapath/pmd.h"
#include "lib/flow_key.h"

static struct flow_limits port_limits(const struct pl_port *in_port)
{
	uint8_t n = pl_bridge_conf(in_port->bridge)->vlan_limit;

	return (struct flow_limits){.max_vlans = n && n < FLOW_MAX_VLANS ? n : FLOW_MAX_VLANS};
}

/* ------------------------------------------------------------------ one packet */

static inline bool find(struct pmd *pmd, const struct flow_key *key, uint64_t hash,
	struct exact_ref *ref)
{
	enum flow_key_class class = flow_key_class(key);
	struct exact *exact = &pmd->exact[class];

	if (likely(class == FLOW_KEY_K64))
		return exact_lookup(exact, hash, key->w, 7, 8, ref);
	if (class == FLOW_KEY_K128)
		return exact_lookup(exact, hash, key->w, 15, 16, ref);
	return exact_lookup(exact, hash, key->w, flow_key_n_words(key) - 1, FLOW_KEY_MAX_WORDS, ref);
}

/* The path behind REF if it is alive and still true. */
static inline struct path *check(struct pmd *pmd, struct exact_ref ref)
{
	struct path *path = &pmd->paths[ref.slot];

	if (unlikely(path_generation(path) != ref.generation))
		return NULL;
	if (unlikely(!path_is_valid(path, pmd->seq))) {
		path_retire(pmd->pool, ref.slot);
		return NULL;
	}
	return path;
}

static void run_path(struct pmd *pmd, struct path *path, struct packet *packet)
{
	switch (path->kind) {
	case PATH_OUTPUT:
		pmd_output(pmd, path->port, packet);
		break;
	case PATH_DROP:
		pmd_drop(pmd, path->drop, packet);
		break;
	default:
		pmd_run(pmd, path_ops(path->body), path->body->ops_len, path->body->drop, packet);
		break;
	}
}

/* Looks again, since an earlier packet of this burst may have been of the same flow; then translates. */
static void run_miss(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet)
{
	struct key_mask *mask = pmd_key_mask(pmd, in_port->dp_port);
	struct flow_key masked;
	struct exact_ref ref;
	struct path *path;

	key_mask_apply(mask, key, &masked);
	if (!pmd->no_caches && find(pmd, &masked, flow_key_hash(&masked, mask->epoch), &ref)) {
		path = check(pmd, ref);
		if (path) {
			stat_add(&pmd->stats.exact_hits, 1);
			path_count(path, 1, packet->len, pmd->now_ms);
			run_path(pmd, path, packet);
			return;
		}
	}
	pmd_miss(pmd, in_port, key, packet);
}

/* ------------------------------------------------------------------ a burst */

/* Takes the packets whose bit in BAD is set out of the burst; returns how many are left. Seldom. */
static unsigned int drop_malformed(struct pmd *pmd, uint64_t bad, unsigned int n)
{
	struct pmd_burst *burst = &pmd->burst;
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (bad & UINT64_C(1) << i) {
			pmd_drop(pmd, DROP_RX_MALFORMED, burst->packets[i]);
			stat_add(&pmd->fate.port->drops[DROP_RX_MALFORMED], 1);
			continue;
		}
		burst->packets[good] = burst->packets[i];
		burst->keys[good++] = burst->keys[i];
	}
	return good;
}

/* Makes the keys of all packets that can be parsed; returns how many. */
static unsigned int parse(struct pmd *pmd, const struct pl_port *in_port, dp_port_t dp_port,
	struct rte_mbuf **mbufs, unsigned int n)
{
	struct flow_limits limits = port_limits(in_port);
	struct pmd_burst *burst = &pmd->burst;
	uint64_t bad;

	for (unsigned int i = 0; i < n; i++)
		burst->packets[i] = mbuf_packet(mbufs[i]);
	bad = flow_key_extract_burst(burst->packets, n, dp_port, &limits, burst->keys);
	return likely(!bad) ? n : drop_malformed(pmd, bad, n);
}

/* All N packets have the first one's key. */
static void look_up_one(struct pmd *pmd, const struct key_mask *mask, unsigned int n)
{
	struct pmd_burst *burst = &pmd->burst;
	const struct flow_key *key = &burst->masked[0];
	struct exact_ref ref;
	struct path *path = NULL;

	if (find(pmd, key, flow_key_hash(key, mask->epoch), &ref))
		path = check(pmd, ref);
	for (unsigned int i = 0; i < n; i++)
		burst->paths[i] = path;
}

/* The last two stages of look_up(): what the entries lead to. */
static void follow(struct pmd *pmd, unsigned int n)
{
	struct pmd_burst *burst = &pmd->burst;

	for (unsigned int i = 0; i < n; i++) {
		const uint64_t *entry = burst->entries[i];

		if (likely(entry && exact_key_equal(entry, burst->masked[i].w, 7)))
			burst->refs[i] = exact_entry_ref(entry, 8);
		if (likely(burst->refs[i].slot != PATH_NONE))
			__builtin_prefetch(&pmd->paths[burst->refs[i].slot]);
	}
	for (unsigned int i = 0; i < n; i++)
		burst->paths[i] = likely(burst->refs[i].slot != PATH_NONE) ?
			check(pmd, burst->refs[i]) : NULL;
}

/* Bucket, entry, path: each stage asks for what the next one reads. Leaves the paths of hits. */
static void look_up(struct pmd *pmd, const struct key_mask *mask, unsigned int n)
{
	struct pmd_burst *burst = &pmd->burst;
	struct exact *k64 = &pmd->exact[FLOW_KEY_K64];

	if (key_mask_apply_burst(mask, burst->keys, n, burst->masked)) {
		look_up_one(pmd, mask, n);
		return;
	}
	flow_key_hash_burst(burst->masked, n, mask->epoch, burst->hashes);
	for (unsigned int i = 0; i < n; i++)
		__builtin_prefetch(exact_bucket(&pmd->exact[flow_key_class(&burst->masked[i])],
			burst->hashes[i]));
	for (unsigned int i = 0; i < n; i++) {
		const struct flow_key *key = &burst->masked[i];

		burst->entries[i] = NULL;
		burst->refs[i].slot = PATH_NONE;
		if (likely(flow_key_class(key) == FLOW_KEY_K64)) {
			burst->entries[i] = exact_guess(k64, burst->hashes[i], key->w, 7, 8);
			__builtin_prefetch(burst->entries[i]);
		} else {
			find(pmd, key, burst->hashes[i], &burst->refs[i]);
		}
	}
	follow(pmd, n);
}

/* Runs all packets that have a path; returns how many. Packets in a row on one path are counted
 * together. */
static unsigned int run_hits(struct pmd *pmd, struct pmd_port *pp, unsigned int n)
{
	struct pmd_burst *burst = &pmd->burst;
	unsigned int n_hits = 0, n_row = 0, n_simple = 0;
	struct path *last = NULL;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct path *path = burst->paths[i];

		if (unlikely(!path))
			continue;
		n_hits++;
		if (path != last) {
			if (last)
				path_count(last, n_row, bytes, pmd->now_ms);
			last = path;
			n_row = 0;
			bytes = 0;
		}
		n_row++;
		bytes += burst->packets[i]->len;
		if (likely(path->kind == PATH_OUTPUT) && likely(pmd->ports[path->port])) {
			pmd_put_tx(pmd, pmd->ports[path->port], burst->packets[i]);
			n_simple++;
			continue;
		}
		pmd_fate_begin(pmd, pp);
		run_path(pmd, path, burst->packets[i]);
		pmd_fate_end(pmd);
	}
	if (last)
		path_count(last, n_row, bytes, pmd->now_ms);
	stat_add(&pp->forwarded, n_simple);
	stat_add(&pmd->stats.exact_hits, n_hits);
	return n_hits;
}

void pmd_burst(struct pmd *pmd, struct pmd_port *pp, struct rte_mbuf **mbufs, unsigned int n)
{
	const struct pl_port *in_port = pl_port_get(pp->dp_port);
	struct pmd_burst *burst = &pmd->burst;
	unsigned int n_hits = 0;

	if (unlikely(!in_port)) {
		stat_add(&pp->drops[DROP_RX_NO_BRIDGE], n);
		rte_pktmbuf_free_bulk(mbufs, n);
		return;
	}
	pmd_fate_begin(pmd, pp);
	n = parse(pmd, in_port, pp->dp_port, mbufs, n);
	if (likely(!pmd->no_caches) && likely(n)) {
		look_up(pmd, pmd_key_mask(pmd, pp->dp_port), n);
		n_hits = run_hits(pmd, pp, n);
	} else {
		memset(burst->paths, 0, sizeof burst->paths);
	}
	for (unsigned int i = 0; n_hits < n && i < n; i++) {
		if (burst->paths[i])
			continue;
		pmd_fate_begin(pmd, pp);
		run_miss(pmd, in_port, &burst->keys[i], burst->packets[i]);
		pmd_fate_end(pmd);
	}
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
	limits = port_limits(in_port);
	if (flow_key_extract(packet, port, &limits, &key) == -EINVAL) {
		pmd_drop(pmd, DROP_RX_MALFORMED, packet);
		return;
	}
	pmd->depth++;
	run_miss(pmd, in_port, &key, packet);
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
		limits = port_limits(in_port);
	if (flow_extract_limits(packet, &limits, &flow) == -EINVAL) {
		pmd_drop(pmd, DROP_RX_MALFORMED, packet);
		return;
	}
	pmd->depth++;
	pmd_miss_resume(pmd, &flow, resume, packet);
	pmd->depth--;
}
