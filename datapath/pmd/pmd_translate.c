/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that no cache knows: translated by the PMD that received them, and what the caches learn of it. */
#include <string.h>

#include "datapath/packet/tun_options.h"
#include "datapath/pmd/pmd.h"
#include "datapath/port/mbuf.h"

/* ------------------------------------------------------------------ what translation writes */

/* Whole bytes of facts are compared. */
static void init_fact(struct news *fact, enum news_type type)
{
	memset(fact, 0, sizeof *fact);
	fact->type = type;
}

static bool put_fact(struct xlate_sink *sink, const struct news *fact)
{
	struct pmd *pmd = container_of(sink, struct pmd, sink);

	return news_put_fact(&pmd->news, fact, pmd->now_ms);
}

static bool sink_fdb_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	struct news fact;

	init_fact(&fact, NEWS_FDB);
	fact.fdb.bridge = bridge->id;
	fact.fdb.port = port;
	fact.fdb.mac = mac;
	fact.fdb.vlan = vlan;
	return put_fact(sink, &fact);
}

static enum xlate_learn_result sink_learn(struct xlate_sink *sink,
	const struct xlate_learned *learned, bool *written)
{
	return XLATE_LEARN_DEFER;
}

static void sink_neigh_needed(struct xlate_sink *sink, struct pl_bridge *underlay,
	const struct ipv6_addr *next_hop)
{
	struct news fact;

	init_fact(&fact, NEWS_NEIGH);
	fact.neigh.bridge = underlay->id;
	fact.neigh.next_hop = *next_hop;
	put_fact(sink, &fact);
}

static void sink_fin_timeout(struct xlate_sink *sink, const struct pl_rule *rule,
	const struct act_fin_timeout *fin)
{
	struct news fact;

	init_fact(&fact, NEWS_FIN);
	fact.fin.counter = rule->counter;
	fact.fin.idle = fin->idle_timeout;
	fact.fin.hard = fin->hard_timeout;
	put_fact(sink, &fact);
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

/* The bridge's map of Geneve options is in use from here on; KEY's options become fields. False: it has a
 * critical one that is none. */
static bool add_options(const struct pl_bridge *bridge, const struct flow_key *key,
	struct flow *flow)
{
	const struct field_tlv_map *map = rcu_get(&bridge->tun_table);
	const uint8_t *opts = NULL;
	uint8_t len = flow_key_geneve_opts(key, &opts);

	field_tlv_use(map);
	return likely(!len) || !tun_options_parse(map, opts, len, &flow->tun_metadata);
}

/* Whether a packet with critical options passes depends on all its options, though no rule may read them. */
static void look_at_options(const struct flow_key *key, struct xlate_out *out)
{
	const uint8_t *opts = NULL;
	uint8_t len = flow_key_geneve_opts(key, &opts);

	if (unlikely(len) && tun_options_are_critical(opts, len)) {
		out->wc.tun_metadata.present = UINT64_MAX;
		out->depth = XLATE_ALL;
	}
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

/* ------------------------------------------------------------------ what the caches learn */

void pmd_miss_key(struct pmd *pmd, struct pmd_miss *miss)
{
	const struct key_mask *mask = pmd_key_mask(pmd, miss->in_port->dp_port);

	key_mask_apply(mask, miss->data, miss->len, miss->key, miss->masked);
	miss->hash = flow_key_hash(miss->masked, mask->epoch);
	miss->epoch = mask->epoch;
}

/* What a fate depends on, as masks of keys have it. */
struct needs {
	enum xlate_depth depth;
	struct flow_key bits;		/* Of the key's class, ... */
	struct flow_key small;		/* ... and of the small one, if no more than Ethernet is needed. */
};

void pmd_insert(struct pmd *pmd, struct pmd_miss *miss, struct exact_ref ref)
{
	struct exact *exact;

	if (unlikely(pmd_key_mask(pmd, miss->in_port->dp_port)->epoch != miss->epoch))
		pmd_miss_key(pmd, miss);
	exact = &pmd->exact[flow_key_class(miss->masked)];
	exact_insert(exact, pmd->paths, miss->hash, miss->masked->w, flow_key_n_words(miss->masked) - 1,
		ref);
}

/* The exact cache learns that MISS leads to REF, which depends on NEEDS. True if the port's mask has more
 * than these. */
static bool insert(struct pmd *pmd, struct pmd_miss *miss, const struct needs *needs, struct exact_ref ref)
{
	struct key_mask *mask = pmd_key_mask(pmd, miss->in_port->dp_port);
	bool all = key_mask_need(mask, needs->depth, flow_key_class(miss->key), &needs->bits);

	/* Where its key is one of the small class, whatever it carries. */
	if (mask->depth < XLATE_ALL)
		key_mask_need(mask, needs->depth, FLOW_KEY_K64, &needs->small);
	pmd_insert(pmd, miss, ref);
	return !all;
}

struct path *pmd_mega_find(struct pmd *pmd, struct pmd_miss *miss)
{
	const struct flow_key *bits;
	struct needs needs;
	struct exact_ref ref;
	uint64_t n_asked = 0;
	struct path *path = mega_lookup(&pmd->mega, pmd->paths, pmd->seq, miss->key, &bits, &ref,
		&n_asked);

	if (path) {
		stat_add(&pmd->stats.mega_hits, 1);
		stat_add(&pmd->stats.mega_lookups, n_asked);
		needs.bits = *bits;
		needs.depth = key_mask_depth(bits, flow_key_class(miss->key));
		key_mask_ethernet(bits, &needs.small);
		insert(pmd, miss, &needs, ref);
	}
	return path;
}

static struct exact_ref ref_of(const struct pmd *pmd, uint32_t slot)
{
	return (struct exact_ref){.slot = slot, .generation = path_generation(&pmd->paths[slot])};
}

/* That MISS, for which WC was looked at down to DEPTH, leads to the path in SLOT. */
static struct path *remember(struct pmd *pmd, struct pmd_miss *miss, const struct flow *wc,
	enum xlate_depth depth, uint32_t slot)
{
	struct exact_ref ref = ref_of(pmd, slot);
	struct needs needs;
	struct flow mask;

	needs.depth = depth;
	xlate_mask(wc, depth, &mask);
	key_mask_bits(&mask, flow_key_class(miss->key), &needs.bits);
	if (depth < XLATE_ALL)
		key_mask_bits(&mask, FLOW_KEY_K64, &needs.small);
	if (insert(pmd, miss, &needs, ref))
		mega_insert(&pmd->mega, pmd->paths, miss->key, &needs.bits, ref);
	return &pmd->paths[slot];
}

/* ------------------------------------------------------------------ translating */

/* Where new paths come in floods, as from a storm of unknown addresses, only a flow that is seen again is worth
 * one. */
static bool may_create_path(struct pmd *pmd, const struct pmd_miss *miss)
{
	struct exact *exact = &pmd->exact[flow_key_class(miss->key)];

	return path_pool_n_created(pmd->pool) - pmd->tick_paths < PMD_PATHS_A_TICK ||
		admission_seen(&exact->admission, miss->hash);
}

static struct path *translate_and_cache(struct pmd *pmd, struct pmd_miss *miss, const struct xlate_in *in,
	struct xlate_out *out, const struct pmd_plain *plain)
{
	struct path *path;
	uint32_t slot;

	translate(in, out);
	look_at_options(miss->key, out);
	/* Translation stamped it with a number younger than the version that it was told to use. */
	out->seq = pmd->seq;
	if (out->to_control)
		return NULL;
	program_fold(&out->program);
	if (!out->cacheable || pmd->no_caches)
		return NULL;
	slot = path_intern(pmd->pool, out, in->flow, miss->in_port->dp_port, pmd->now_ms,
		may_create_path(pmd, miss));
	if (slot == PATH_NONE)
		return NULL;
	path = remember(pmd, miss, &out->wc, out->depth, slot);
	if (plain->rule)
		pmd_plain_learn(pmd, plain, ref_of(pmd, slot));
	return path;
}

struct path *pmd_translate(struct pmd *pmd, struct pmd_miss *miss, struct packet *packet,
	const struct pmd_plain *plain)
{
	const struct pl_port *in_port = miss->in_port;
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

	flow_key_expand(miss->key, &flow, NULL);
	flow.in_port = in_port->ofp_port;
	if (!add_options(in_port->bridge, miss->key, &flow)) {
		pmd_drop(pmd, DROP_TNL_CRITICAL_OPTION, packet);
		return NULL;
	}
	path = translate_and_cache(pmd, miss, &in, out, plain);
	if (path)
		return path;
	if (out->to_control)
		hand_to_control(pmd, NULL, packet);
	else
		run_uncached(pmd, out, packet);
	return NULL;
}

static bool take_fdb(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac, uint16_t vlan,
	ofp_port_t port)
{
	return true;
}

static void take_neigh(struct xlate_sink *sink, struct pl_bridge *underlay, const struct ipv6_addr *next_hop)
{
}

static void take_fin(struct xlate_sink *sink, const struct pl_rule *rule, const struct act_fin_timeout *fin)
{
}

bool pmd_translate_again(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct xlate_out *out)
{
	/* What the PMD's own one says, without saying it to anybody. */
	struct xlate_sink sink = {.fdb_learn = take_fdb, .learn = sink_learn, .neigh_needed = take_neigh,
		.fin_timeout = take_fin};
	struct flow flow;
	struct xlate_in in = {.version = pmd->version, .flow = &flow, .bridge = in_port->bridge, .in_port = in_port,
		.sink = &sink};

	flow_key_expand(key, &flow, NULL);
	flow.in_port = in_port->ofp_port;
	if (!add_options(in_port->bridge, key, &flow))
		return false;
	translate(&in, out);
	look_at_options(key, out);
	program_fold(&out->program);
	return true;
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
