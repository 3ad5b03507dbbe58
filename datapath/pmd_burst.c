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

/* What the caches know of KEY. The exact one is asked again, since an earlier packet of this burst may
 * have been of the same flow. */
static struct path *find_path(struct pmd *pmd, dp_port_t in_port, const struct flow_key *key)
{
	struct key_mask *mask = pmd_key_mask(pmd, in_port);
	struct path *path = NULL;
	struct flow_key masked;
	struct exact_ref ref;

	if (pmd->no_caches)
		return NULL;
	key_mask_apply(mask, key, &masked);
	if (find(pmd, &masked, flow_key_hash(&masked, mask->epoch), &ref))
		path = check(pmd, ref);
	if (path) {
		stat_add(&pmd->stats.exact_hits, 1);
		return path;
	}
	return pmd_mega_find(pmd, in_port, key);
}

static void run_miss(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet)
{
	struct path *path = find_path(pmd, in_port->dp_port, key);

	packet->hash = flow_key_hash_5tuple(key, 0);
	if (path) {
		path_count(path, 1, packet->len, pmd->now_ms);
		run_path(pmd, path, packet);
	} else {
		pmd_miss(pmd, in_port, key, packet);
	}
}

/* ------------------------------------------------------------------ a burst */

/* Takes the packets whose bit in BAD is set out of the burst. Seldom. */
static void drop_malformed(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	uint64_t bad)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		if (bad & UINT64_C(1) << i) {
			pmd_fate_begin(pmd, pp);
			pmd_drop(pmd, DROP_RX_MALFORMED, burst->packets[i]);
			pmd_fate_end(pmd);
			continue;
		}
		burst->packets[good] = burst->packets[i];
		burst->keys[good++] = burst->keys[i];
	}
	burst->n = good;
}

/* All packets have the first one's key. */
static void look_up_one(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	const struct flow_key *key = &burst->masked[0];
	struct exact_ref ref;
	struct path *path = NULL;

	if (find(pmd, key, flow_key_hash(key, mask->epoch), &ref))
		path = check(pmd, ref);
	for (unsigned int i = 0; i < burst->n; i++)
		burst->paths[i] = path;
}

/* The last two stages of look_up(): what the entries lead to. */
static void follow(struct pmd *pmd, struct pmd_burst *burst)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		const uint64_t *entry = burst->entries[i];

		if (likely(entry && exact_key_equal(entry, burst->masked[i].w, 7)))
			burst->refs[i] = exact_entry_ref(entry, 8);
		if (likely(burst->refs[i].slot != PATH_NONE))
			__builtin_prefetch(&pmd->paths[burst->refs[i].slot]);
	}
	for (unsigned int i = 0; i < burst->n; i++) {
		struct path *path = likely(burst->refs[i].slot != PATH_NONE) ?
			check(pmd, burst->refs[i]) : NULL;

		burst->paths[i] = path;
		if (path && path->kind != PATH_OUTPUT)
			__builtin_prefetch((const char *)path->body + 64);
	}
}

/* Bucket, entry, path: each stage asks for what the next one reads. Leaves the paths of hits. */
static void look_up(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	struct exact *k64 = &pmd->exact[FLOW_KEY_K64];
	unsigned int n = burst->n;

	if (key_mask_apply_burst(mask, burst->keys, n, burst->masked)) {
		look_up_one(pmd, burst, mask);
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
	follow(pmd, burst);
}

/* The frequent kinds of path, without the interpreter; false: it is none of them. */
static inline bool run_shortly(struct pmd *pmd, struct pmd_burst *burst, unsigned int i)
{
	struct path *path = burst->paths[i];
	struct packet *packet = burst->packets[i];

	switch (path->kind) {
	case PATH_OUTPUT:
		if (unlikely(!pmd->ports[path->port]))
			return false;
		pmd_put_tx(pmd, pmd->ports[path->port], packet);
		return true;
	case PATH_TUNNEL:
		return pmd_tunnel_push(pmd, path, packet, flow_key_hash_5tuple(&burst->keys[i], 0));
	default:
		return false;
	}
}

/* Runs packet I on its path, with all that belongs to it. */
static void run_fully(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	unsigned int i)
{
	struct path *path = burst->paths[i];

	/* What comes out of a tunnel makes a burst of its own. */
	if (path->kind == PATH_POP && burst == &pmd->burst) {
		pmd_fate_begin(pmd, pp);
		pmd_tunnel_pop(pmd, path, burst->packets[i]);
		return;
	}
	if (path->needs_hash)
		burst->packets[i]->hash = flow_key_hash_5tuple(&burst->keys[i], 0);
	pmd_fate_begin(pmd, pp);
	run_path(pmd, path, burst->packets[i]);
	pmd_fate_end(pmd);
}

/* Runs all packets that have a path; returns how many. Packets in a row on one path are counted
 * together. */
static unsigned int run_hits(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp)
{
	unsigned int n_hits = 0, n_row = 0, n_short = 0;
	struct path *last = NULL;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
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
		if (likely(run_shortly(pmd, burst, i)))
			n_short++;
		else
			run_fully(pmd, burst, pp, i);
	}
	if (last)
		path_count(last, n_row, bytes, pmd->now_ms);
	stat_add(&pp->forwarded, n_short);
	stat_add(&pmd->stats.exact_hits, n_hits);
	return n_hits;
}

/* Carries burst->packets[0..n), which entered by IN_PORT and were received at PP. */
static void carry(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp,
	const struct pl_port *in_port)
{
	struct flow_limits limits = port_limits(in_port);
	unsigned int n_hits = 0;
	uint64_t bad;

	bad = flow_key_extract_burst(burst->packets, burst->n, in_port->dp_port, &limits,
		burst->keys);
	if (unlikely(bad))
		drop_malformed(pmd, burst, pp, bad);
	if (unlikely(!burst->n))
		return;
	if (likely(!pmd->no_caches)) {
		look_up(pmd, burst, pmd_key_mask(pmd, in_port->dp_port));
		n_hits = run_hits(pmd, burst, pp);
	} else {
		memset(burst->paths, 0, sizeof burst->paths);
	}
	for (unsigned int i = 0; n_hits < burst->n && i < burst->n; i++) {
		if (burst->paths[i])
			continue;
		pmd_fate_begin(pmd, pp);
		run_miss(pmd, in_port, &burst->keys[i], burst->packets[i]);
		pmd_fate_end(pmd);
	}
}

/* What came out of tunnels, in bursts of one port each. */
static void carry_inner(struct pmd *pmd, struct pmd_port *pp)
{
	struct pmd_burst *inner = &pmd->inner;
	unsigned int total = pmd->n_popped, done = 0;

	stat_add(&pmd->stats.recirculations, total);
	pmd->depth++;
	while (done < total) {
		const struct pl_port *port = pmd->popped_ports[done];
		unsigned int n = 1;

		while (done + n < total && pmd->popped_ports[done + n] == port)
			n++;
		memcpy(inner->packets, &pmd->popped[done], n * sizeof inner->packets[0]);
		inner->n = n;
		carry(pmd, inner, pp, port);
		done += n;
	}
	pmd->depth--;
	pmd->n_popped = 0;
}

void pmd_burst(struct pmd *pmd, struct pmd_port *pp, struct rte_mbuf **mbufs, unsigned int n)
{
	const struct pl_port *in_port = pl_port_get(pp->dp_port);

	if (unlikely(!in_port)) {
		stat_add(&pp->drops[DROP_RX_NO_BRIDGE], n);
		rte_pktmbuf_free_bulk(mbufs, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		pmd->burst.packets[i] = mbuf_packet(mbufs[i]);
	pmd->burst.n = n;
	pmd->pop_memo.port = NULL;
	carry(pmd, &pmd->burst, pp, in_port);
	if (pmd->n_popped)
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
