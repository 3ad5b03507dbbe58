/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a burst: parse all, hash all, look all up, run the hits, then the misses. */
#include <string.h>

#include "datapath/port/mbuf.h"
#include "datapath/pmd.h"
#include "lib/flow_parse.h"
#include "lib/hash.h"

static struct flow_limits port_limits(const struct pl_port *in_port)
{
	uint8_t n = pl_bridge_conf(in_port->bridge)->vlan_limit;

	return (struct flow_limits){.max_vlans = n && n < FLOW_MAX_VLANS ? n : FLOW_MAX_VLANS};
}

/* The key that the exact cache has: the flow, with the datapath's port number in in_port. */
static bool make_key(const struct flow_limits *limits, dp_port_t in_port, struct packet *packet,
	struct flow *key)
{
	if (unlikely(flow_extract_limits(packet, limits, key) == -EINVAL))
		return false;
	key->in_port = in_port;
	return true;
}

static uint64_t key_hash(const struct flow *key)
{
	return hash_bytes64(key, sizeof *key, 0);
}

static struct path *lookup(struct pmd *pmd, const struct flow *key, uint64_t hash)
{
	struct exact_ref ref;
	struct path *path;

	if (!exact_lookup(&pmd->exact, hash, flow_words_const(key), PMD_KEY_WORDS, &ref))
		return NULL;
	path = &pmd->paths[ref.slot];
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
	path_count(path, 1, packet->len, pmd->now_ms);
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
static void run_miss(struct pmd *pmd, const struct pl_port *in_port, const struct flow *key,
	uint64_t hash, struct packet *packet)
{
	struct path *path = pmd->no_caches ? NULL : lookup(pmd, key, hash);
	struct flow flow;

	packet->hash = (uint32_t)hash;
	if (path) {
		stat_add(&pmd->stats.exact_hits, 1);
		run_path(pmd, path, packet);
		return;
	}
	flow = *key;
	flow.in_port = in_port->ofp_port;
	pmd_miss(pmd, in_port, &flow, flow_words_const(key), hash, packet);
}

/* Drops what can't be parsed, fills burst->keys and packets with the rest; returns their number. */
static unsigned int parse(struct pmd *pmd, const struct pl_port *in_port, dp_port_t dp_port,
	struct rte_mbuf **mbufs, unsigned int n)
{
	struct flow_limits limits = port_limits(in_port);
	struct pmd_burst *burst = &pmd->burst;
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct packet *packet = mbuf_packet(mbufs[i]);

		if (unlikely(!make_key(&limits, dp_port, packet, &burst->keys[good]))) {
			pmd_drop(pmd, DROP_RX_MALFORMED, packet);
			stat_add(&pmd->fate.port->drops[DROP_RX_MALFORMED], 1);
			continue;
		}
		burst->packets[good++] = packet;
	}
	return good;
}

static void drop_all(struct pmd_port *pp, struct rte_mbuf **mbufs, unsigned int n,
	enum drop_reason reason)
{
	stat_add(&pp->drops[reason], n);
	rte_pktmbuf_free_bulk(mbufs, n);
}

void pmd_burst(struct pmd *pmd, struct pmd_port *pp, struct rte_mbuf **mbufs, unsigned int n)
{
	const struct pl_port *in_port = pl_port_get(pp->dp_port);
	struct pmd_burst *burst = &pmd->burst;
	unsigned int n_hits = 0;

	if (unlikely(!in_port)) {
		drop_all(pp, mbufs, n, DROP_RX_NO_BRIDGE);
		return;
	}
	pmd_fate_begin(pmd, pp);
	n = parse(pmd, in_port, pp->dp_port, mbufs, n);
	for (unsigned int i = 0; i < n; i++) {
		burst->hashes[i] = key_hash(&burst->keys[i]);
		__builtin_prefetch(exact_bucket(&pmd->exact, burst->hashes[i]));
	}
	for (unsigned int i = 0; i < n; i++)
		burst->paths[i] = pmd->no_caches ? NULL :
			lookup(pmd, &burst->keys[i], burst->hashes[i]);
	for (unsigned int i = 0; i < n; i++) {
		if (!burst->paths[i])
			continue;
		burst->packets[i]->hash = (uint32_t)burst->hashes[i];
		pmd_fate_begin(pmd, pp);
		run_path(pmd, burst->paths[i], burst->packets[i]);
		pmd_fate_end(pmd);
		n_hits++;
	}
	stat_add(&pmd->stats.exact_hits, n_hits);
	for (unsigned int i = 0; i < n && n_hits < n; i++) {
		if (burst->paths[i])
			continue;
		pmd_fate_begin(pmd, pp);
		run_miss(pmd, in_port, &burst->keys[i], burst->hashes[i], burst->packets[i]);
		pmd_fate_end(pmd);
	}
}

void pmd_recirculate(struct pmd *pmd, dp_port_t port, struct packet *packet)
{
	const struct pl_port *in_port = port < PL_MAX_PORTS ? pl_port_get(port) : NULL;
	struct flow_limits limits;
	struct flow key;
	struct path *path;
	uint64_t hash;

	stat_add(&pmd->stats.recirculations, 1);
	if (!in_port || pmd->depth >= PMD_MAX_DEPTH) {
		pmd_drop(pmd, in_port ? DROP_TNL_LOOP : DROP_TNL_NO_PORT, packet);
		return;
	}
	packet->in_port = port;
	limits = port_limits(in_port);
	if (!make_key(&limits, port, packet, &key)) {
		pmd_drop(pmd, DROP_RX_MALFORMED, packet);
		return;
	}
	hash = key_hash(&key);
	path = pmd->no_caches ? NULL : lookup(pmd, &key, hash);
	pmd->depth++;
	if (path) {
		packet->hash = (uint32_t)hash;
		stat_add(&pmd->stats.exact_hits, 1);
		run_path(pmd, path, packet);
	} else {
		run_miss(pmd, in_port, &key, hash, packet);
	}
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
