/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that no cache knows: translated by the PMD that received them. */
#include <string.h>

#include "datapath/port/mbuf.h"
#include "datapath/pmd.h"
#include "datapath/tun_options.h"

/* ------------------------------------------------------------------ what translation writes */

static struct pmd *sink_pmd(struct xlate_sink *sink)
{
	return container_of(sink, struct pmd, sink);
}

static bool sink_fdb_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	struct pmd *pmd = sink_pmd(sink);
	struct news fact;

	memset(&fact, 0, sizeof fact);
	fact.type = NEWS_FDB;
	fact.fdb.bridge = bridge->id;
	fact.fdb.port = port;
	fact.fdb.mac = mac;
	fact.fdb.vlan = vlan;
	return news_put_fact(&pmd->news, &fact, pmd->now_ms);
}

static enum xlate_learn_result sink_learn(struct xlate_sink *sink,
	const struct xlate_learned *learned, bool *written)
{
	return XLATE_LEARN_DEFER;
}

static void sink_neigh_needed(struct xlate_sink *sink, struct pl_bridge *underlay,
	const struct ipv6_addr *next_hop)
{
	struct pmd *pmd = sink_pmd(sink);
	struct news fact;

	memset(&fact, 0, sizeof fact);
	fact.type = NEWS_NEIGH;
	fact.neigh.bridge = underlay->id;
	fact.neigh.next_hop = *next_hop;
	news_put_fact(&pmd->news, &fact, pmd->now_ms);
}

static void sink_fin_timeout(struct xlate_sink *sink, const struct pl_rule *rule,
	const struct act_fin_timeout *fin)
{
	struct pmd *pmd = sink_pmd(sink);
	struct news fact;

	memset(&fact, 0, sizeof fact);
	fact.type = NEWS_FIN;
	fact.fin.counter = rule->counter;
	fact.fin.idle = fin->idle_timeout;
	fact.fin.hard = fin->hard_timeout;
	news_put_fact(&pmd->news, &fact, pmd->now_ms);
}

void pmd_sink_init(struct pmd *pmd)
{
	pmd->sink = (struct xlate_sink){
		.fdb_learn = sink_fdb_learn,
		.learn = sink_learn,
		.neigh_needed = sink_neigh_needed,
		.fin_timeout = sink_fin_timeout,
	};
}

/* ------------------------------------------------------------------ running */

/* The bridge's map of Geneve options is in use from here on; KEY's options become fields. */
static void add_options(const struct pl_bridge *bridge, const struct flow_key *key,
	struct flow *flow)
{
	const struct field_tlv_map *map = rcu_get(&bridge->tun_table);
	const uint8_t *opts = NULL;
	uint8_t len = flow_key_geneve_opts(key, &opts);

	field_tlv_use(map);
	if (unlikely(len))
		tun_options_parse(map, opts, len, &flow->tun_metadata);
}

/* OP: where to resume, or NULL. */
static void hand_to_control(struct pmd *pmd, const struct op *op, struct packet *packet)
{
	struct rte_mbuf *m = packet_mbuf(packet);

	mbuf_sync(m);
	if (news_put_packet(&pmd->news, &pmd->fate.port->share, NEWS_LEARN, m, op))
		pmd->fate.consumed = true;
	else
		pmd_drop(pmd, DROP_CONTROL_QUEUE_FULL, packet);
}

static void run_uncached(struct pmd *pmd, const struct xlate_out *out, struct packet *packet)
{
	uint64_t len = packet->len;

	stat_add(&pmd->stats.uncached, 1);
	for (unsigned int i = 0; i < out->n_counters; i++) {
		const struct xlate_counter *c = &out->counters[i];

		uncached_add(&pmd->uncached, c->id, c->n, c->n * (len + (int64_t)c->byte_delta),
			pmd->now_ms);
	}
	for (unsigned int i = 0; i < out->n_refreshes; i++)
		uncached_add(&pmd->uncached, out->refreshes[i], 0, 0, pmd->now_ms);
	pmd_run(pmd, (const struct op *)out->program.buf.data, (uint32_t)out->program.buf.len,
		out->drop, packet);
}

/* The exact cache learns that KEY leads to REF, which depends on its BITS. True if the port's mask has
 * more than these. */
static bool insert(struct pmd *pmd, dp_port_t in_port, const struct flow_key *key,
	const struct flow_key *bits, struct exact_ref ref)
{
	struct key_mask *mask = pmd_key_mask(pmd, in_port);
	enum flow_key_class class = flow_key_class(key);
	struct flow_key masked;
	bool all = key_mask_need(mask, class, bits);

	key_mask_apply(mask, key, &masked);
	exact_insert(&pmd->exact[class], pmd->paths, flow_key_hash(&masked, mask->epoch), masked.w,
		flow_key_n_words(&masked) - 1, ref);
	return !all;
}

struct path *pmd_mega_find(struct pmd *pmd, dp_port_t in_port, const struct flow_key *key)
{
	const struct flow_key *bits;
	struct exact_ref ref;
	uint64_t n_asked = 0;
	struct path *path = mega_lookup(&pmd->mega, pmd->paths, pmd->seq, key, &bits, &ref, &n_asked);

	if (path) {
		stat_add(&pmd->stats.mega_hits, 1);
		stat_add(&pmd->stats.mega_lookups, n_asked);
		insert(pmd, in_port, key, bits, ref);
	}
	return path;
}

/* Caches what OUT says if that may be: the path, or NULL. */
static struct path *cache(struct pmd *pmd, const struct xlate_out *out, const struct flow *flow,
	dp_port_t in_port, const struct flow_key *key)
{
	struct exact_ref ref;
	struct flow_key bits;

	if (!out->cacheable || pmd->no_caches)
		return NULL;
	ref.slot = path_intern(pmd->pool, out, flow, in_port, pmd->now_ms);
	if (ref.slot == PATH_NONE)
		return NULL;
	ref.generation = path_generation(&pmd->paths[ref.slot]);
	key_mask_bits(&out->wc, flow_key_class(key), &bits);
	if (insert(pmd, in_port, key, &bits, ref))
		mega_insert(&pmd->mega, pmd->paths, key, &bits, ref);
	return &pmd->paths[ref.slot];
}

void pmd_miss(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet)
{
	struct xlate_out *out = &pmd->outs[pmd->depth];
	struct flow flow;
	struct xlate_in in = {
		.version = pmd->version,
		.flow = &flow,
		.bridge = in_port->bridge,
		.in_port = in_port,
		.packet_len = packet->len,
		.sink = &pmd->sink,
	};
	struct path *path;

	flow_key_expand(key, &flow, NULL);
	flow.in_port = in_port->ofp_port;
	add_options(in_port->bridge, key, &flow);
	stat_add(&pmd->stats.misses, 1);
	translate(&in, out);
	/* Translation stamped it with a number younger than the version that it was told to use. */
	out->seq = pmd->seq;
	if (out->to_control) {
		hand_to_control(pmd, NULL, packet);
		return;
	}
	program_fold(&out->program);
	path = cache(pmd, out, &flow, in_port->dp_port, key);
	if (!path) {
		run_uncached(pmd, out, packet);
		return;
	}
	path_count(path, 1, packet->len, pmd->now_ms);
	pmd_run(pmd, path_ops(path->body), path->body->ops_len, path->body->drop, packet);
}

void pmd_miss_resume(struct pmd *pmd, struct flow *flow, const struct op_resume *resume,
	struct packet *packet)
{
	struct xlate_out *out = &pmd->outs[pmd->depth];
	struct xlate_in in = {0};

	if (!xlate_in_resume(&in, flow, resume)) {
		pmd_drop(pmd, DROP_RX_NO_BRIDGE, packet);
		return;
	}
	field_tlv_use(rcu_get(&in.bridge->tun_table));
	in.version = pmd->version;
	in.packet_len = packet->len;
	in.sink = &pmd->sink;
	translate(&in, out);
	if (out->to_control)
		hand_to_control(pmd, &resume->op, packet);
	else
		run_uncached(pmd, out, packet);
}
