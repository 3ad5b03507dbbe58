/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that pass through control: packet-outs, packet-ins, and those whose learning must be visible
 * at once. Control translates and executes them; a PMD transmits. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <rte_random.h>
#include <string.h>

#include "datapath/eal.h"
#include "datapath/packet/tun_options.h"
#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/flow_parse.h"
#include "lib/rcu.h"

#define FINS 1024

/* From each PMD. Facts are mostly addresses to learn, of which a flood brings so many a millisecond. */
#define FACTS_A_TURN 1024
#define PACKETS_A_TURN 256

static void run(struct xlate_out *out, struct packet *packet);

void dp_count_drop(enum drop_reason reason)
{
	dp.drops[reason]++;
}

static void drop(enum drop_reason reason, struct packet *packet)
{
	dp_count_drop(reason);
	rte_pktmbuf_free(packet_mbuf(packet));
}

/* ------------------------------------------------------------------ queues of frames */

static void frame_destroy(struct dp_frame *frame)
{
	if (frame)
		free(frame->op);
	free(frame);
}

static void queue_init(struct dp_queue *queue)
{
	list_init(&queue->frames);
}

static void queue_uninit(struct dp_queue *queue)
{
	struct dp_frame *frame;

	LIST_FOR_EACH_POP (frame, node, &queue->frames)
		frame_destroy(frame);
	frame_destroy(queue->current);
}

/* Takes OP and M over. */
static void queue_put(struct dp_queue *queue, struct op *op, struct rte_mbuf *m)
{
	struct dp_frame *frame;

	if (queue->n >= DP_MAX_FRAMES) {
		dp_count_drop(DROP_CONTROL_QUEUE_FULL);
		free(op);
		rte_pktmbuf_free(m);
		return;
	}
	frame = xmalloc(sizeof *frame + m->pkt_len);
	frame->op = op;
	frame->len = (uint32_t)mbuf_read(m, frame->frame, m->pkt_len);
	rte_pktmbuf_free(m);
	list_push_back(&queue->frames, &frame->node);
	queue->n++;
}

static struct dp_frame *queue_next(struct dp_queue *queue)
{
	struct list *first = list_pop_front(&queue->frames);

	frame_destroy(queue->current);
	queue->current = LIST_TO(first, struct dp_frame, node);
	if (queue->current)
		queue->n--;
	return queue->current;
}

bool dp_punt_next(struct dp_punt *punt)
{
	const struct dp_frame *frame = queue_next(&dp.punts);
	const struct op_punt *op;

	if (!frame)
		return false;
	op = (const struct op_punt *)frame->op;
	memset(punt, 0, sizeof *punt);
	punt->punt = *op;
	punt->userdata = (const uint8_t *)(op + 1);
	punt->frame = frame->frame;
	punt->frame_len = frame->len;
	if (op->pause_len)
		punt->resume = (const struct op_resume *)(punt->userdata +
			ROUND_UP(op->userdata_len, OP_ALIGN));
	return true;
}

bool dp_l2_next(struct dp_l2_frame *l2)
{
	const struct dp_frame *frame;
	const struct op_l2_proto *op;

	while ((frame = queue_next(&dp.l2)) != NULL) {
		op = (const struct op_l2_proto *)frame->op;
		l2->kind = (enum l2_proto)op->kind;
		l2->port = pl_port_get(op->port);
		l2->vlan = (uint16_t)op->vlan;
		l2->frame = frame->frame;
		l2->len = frame->len;
		if (l2->port)
			return true;
	}
	return false;
}

bool dp_fin_timeout_next(uint32_t *counter, uint16_t *idle, uint16_t *hard)
{
	const struct news *news;

	if (!dp.fins.records || !(news = ring_get_begin(&dp.fins)))
		return false;
	*counter = news->fin.counter;
	*idle = news->fin.idle;
	*hard = news->fin.hard;
	ring_get_end(&dp.fins);
	return true;
}

static void put_fin(const struct news *news)
{
	struct news *record = ring_put_begin(&dp.fins);

	if (!record)
		return;
	*record = *news;
	ring_put_end(&dp.fins);
}

/* ------------------------------------------------------------------ what translation writes */

static bool sink_fdb_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	fdb_learn(bridge->fdb, mac, vlan, port, clock_ms());
	return true;
}

static enum xlate_learn_result sink_learn(struct xlate_sink *sink,
	const struct xlate_learned *learned, bool *written)
{
	return dp.outer_sink->learn(dp.outer_sink, learned, written);
}

static void sink_neigh_needed(struct xlate_sink *sink, struct pl_bridge *underlay,
	const struct ipv6_addr *next_hop)
{
	dp_neigh_needed(underlay, next_hop);
}

static void sink_fin_timeout(struct xlate_sink *sink, const struct pl_rule *rule,
	const struct act_fin_timeout *fin)
{
	struct news news = {.type = NEWS_FIN, .fin = {.counter = rule->counter,
		.idle = fin->idle_timeout, .hard = fin->hard_timeout}};

	put_fin(&news);
}

/* ------------------------------------------------------------------ environment of programs */

static void env_output(struct exec_env *env, dp_port_t port, struct packet *packet)
{
	struct rte_mbuf *m = packet_mbuf(packet);

	mbuf_sync(m);
	/* All by the same PMD, so that they keep their order. */
	if (!dp.n_pmds)
		drop(DROP_NO_SUCH_PORT, packet);
	else if (!pmd_command(dp.pmds[0], &(struct command){.type = COMMAND_TX,
			.tx = {.mbuf = m, .port = port}}))
		dp_count_drop(DROP_TX_FULL);
}

static void take_op(struct op *op, struct rte_mbuf *m)
{
	struct pl_bridge *bridge;

	switch (op->type) {
	case OP_PUNT:
		queue_put(&dp.punts, op, m);
		return;
	case OP_L2_PROTO:
		queue_put(&dp.l2, op, m);
		return;
	case OP_NEIGH_HOLD:
		dp_neigh_hold((const struct op_neigh_hold *)op, mbuf_packet(m));
		break;
	case OP_TNL_TOO_BIG:
		dp_too_big((const struct op_tnl_too_big *)op, mbuf_packet(m));
		rte_pktmbuf_free(m);
		break;
	case OP_NEIGH_SNOOP:
		bridge = rcu_get(&pipeline.bridges[((const struct op_u32 *)op)->value %
			PL_MAX_BRIDGES]);
		if (bridge)
			dp_neigh_snoop(bridge, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
		rte_pktmbuf_free(m);
		break;
	default:
		rte_pktmbuf_free(m);
		break;
	}
	free(op);
}

static void env_to_control(struct exec_env *env, const struct op *op, struct packet *packet)
{
	struct rte_mbuf *m = packet_mbuf(packet);
	struct op *copy = xmalloc(op->len);

	mbuf_sync(m);
	memcpy(copy, op, op->len);
	take_op(copy, m);
}

static void env_punt(struct exec_env *env, const struct op_punt *punt, struct packet *packet)
{
	env_to_control(env, &punt->op, packet);
}

static void env_dropped(struct exec_env *env, enum drop_reason reason, const struct packet *packet)
{
	dp_count_drop(reason);
}

static uint32_t env_random(struct exec_env *env)
{
	return (uint32_t)rte_rand();
}

/* ------------------------------------------------------------------ translating and running */

/* Packet fields and ports; or why it can't go on. */
static enum drop_reason extract(struct packet *packet, const struct pl_bridge *bridge, struct flow *flow)
{
	struct flow_limits limits = {.max_vlans = FLOW_MAX_VLANS};

	if (bridge && pl_bridge_conf(bridge)->vlan_limit == 1)
		limits.max_vlans = 1;
	if (flow_extract_limits(packet, &limits, flow) == -EINVAL)
		return DROP_RX_MALFORMED;
	if (bridge && packet->geneve_opts_len &&
		tun_options_parse(rcu_get(&bridge->tun_table), packet->geneve_opts,
			packet->geneve_opts_len, &flow->tun_metadata))
		return DROP_TNL_CRITICAL_OPTION;
	return DROP_NONE;
}

static void translate_and_run(struct xlate_in *in, struct packet *packet)
{
	struct xlate_out *out = &dp.outs[dp.depth];
	const struct field_tlv_map *old;

	in->version = version_get();
	in->packet_len = packet->len;
	in->sink = &dp.sink;
	old = field_tlv_use(rcu_get(&in->bridge->tun_table));
	translate(in, out);
	field_tlv_use(old);
	if (out->to_control)
		drop(DROP_CONTROL_QUEUE_FULL, packet);
	else
		run(out, packet);
}

static void run(struct xlate_out *out, struct packet *packet)
{
	int64_t now_ms = clock_ms();

	for (unsigned int i = 0; i < out->n_counters; i++) {
		const struct xlate_counter *c = &out->counters[i];

		counter_add(c->id, c->n, c->n * (packet->len + (uint64_t)(int64_t)c->byte_delta),
			now_ms);
	}
	for (unsigned int i = 0; i < out->n_refreshes; i++)
		counter_add(out->refreshes[i], 0, 0, now_ms);
	if (!program_len(&out->program)) {
		drop(out->drop ? out->drop : DROP_ACTION, packet);
		return;
	}
	dp.env.now_us = clock_us();
	execute(&dp.env, program_ops(&out->program), program_len(&out->program), packet);
}

/* As just received on port IN. */
static void start_at_port(dp_port_t in, struct packet *packet)
{
	const struct pl_port *port = in < PL_MAX_PORTS ? pl_port_get(in) : NULL;
	struct xlate_in xin = {.in_port = port};
	enum drop_reason reason;
	struct flow flow;

	if (!port) {
		drop(DROP_RX_NO_BRIDGE, packet);
		return;
	}
	reason = extract(packet, port->bridge, &flow);
	if (reason) {
		drop(reason, packet);
		return;
	}
	packet->in_port = in;
	packet->hash = flow_hash_5tuple(&flow, 0);
	flow.in_port = port->ofp_port;
	xin.bridge = port->bridge;
	xin.flow = &flow;
	translate_and_run(&xin, packet);
}

static void resume_at(const struct op_resume *resume, struct packet *packet)
{
	const struct pl_port *port =
		resume->in_port < PL_MAX_PORTS ? pl_port_get(resume->in_port) : NULL;
	struct xlate_in in = {0};
	enum drop_reason reason;
	struct flow flow;

	reason = extract(packet, port ? port->bridge : NULL, &flow);
	if (reason)
		drop(reason, packet);
	else if (!xlate_in_resume(&in, &flow, resume))
		drop(DROP_RX_NO_BRIDGE, packet);
	else
		translate_and_run(&in, packet);
}

static void env_recirculate(struct exec_env *env, dp_port_t in, struct packet *packet)
{
	if (dp.depth >= PMD_MAX_DEPTH) {
		drop(DROP_TNL_LOOP, packet);
		return;
	}
	dp.depth++;
	start_at_port(in, packet);
	dp.depth--;
}

static void env_resume(struct exec_env *env, const struct op_resume *resume, struct packet *packet)
{
	if (dp.depth >= PMD_MAX_DEPTH) {
		drop(DROP_RESUBMIT_DEPTH, packet);
		return;
	}
	dp.depth++;
	resume_at(resume, packet);
	dp.depth--;
}

void dp_run_actions(struct pl_bridge *bridge, const struct act *acts, size_t acts_len,
	const struct flow *flow, const struct pl_port *in_port, struct rte_mbuf *m)
{
	struct xlate_in in = {
		.flow = flow,
		.bridge = bridge,
		.in_port = in_port,
		.acts = acts,
		.acts_len = (uint32_t)acts_len,
	};

	translate_and_run(&in, mbuf_packet(m));
}

static struct rte_mbuf *make_packet(const void *frame, size_t len)
{
	struct rte_mempool *pool = eal_started() ? eal_mempool(-1) : NULL;
	struct rte_mbuf *m = pool && len <= UINT32_MAX ?
		mbuf_from_bytes(pool, frame, (uint32_t)len) : NULL;

	if (!m)
		dp_count_drop(DROP_NO_MEMORY);
	return m;
}

void dp_inject(dp_port_t in, const struct flow_tnl *tunnel, const void *frame, size_t len)
{
	struct rte_mbuf *m = make_packet(frame, len);

	if (!m)
		return;
	mbuf_packet(m)->tunnel = *tunnel;
	start_at_port(in, mbuf_packet(m));
}

/* What a packet-out may say beside the bytes. */
static void add_metadata(struct flow *flow, const struct flow *metadata)
{
	flow->metadata = metadata->metadata;
	memcpy(flow->regs, metadata->regs, sizeof flow->regs);
	flow->pkt_mark = metadata->pkt_mark;
	flow->tunnel = metadata->tunnel;
	flow->tun_metadata = metadata->tun_metadata;
}

void dp_packet_out(struct pl_bridge *bridge, ofp_port_t in_port, const struct flow *metadata,
	const struct act *acts, size_t acts_len, const void *frame, size_t len)
{
	struct rte_mbuf *m = make_packet(frame, len);
	const struct pl_port *port;
	enum drop_reason reason;
	struct flow flow;

	if (!m)
		return;
	reason = extract(mbuf_packet(m), bridge, &flow);
	if (reason) {
		drop(reason, mbuf_packet(m));
		return;
	}
	if (metadata)
		add_metadata(&flow, metadata);
	flow.in_port = in_port;
	port = pl_port_from_ofp(pl_bridge_conf(bridge), in_port);
	if (port)
		mbuf_packet(m)->in_port = port->dp_port;
	dp_run_actions(bridge, acts, acts_len, &flow, port, m);
}

void dp_packet_resume(const struct op_resume *state, const void *frame, size_t len)
{
	struct rte_mbuf *m = make_packet(frame, len);

	if (!m)
		return;
	mbuf_packet(m)->in_port = state->in_port;
	resume_at(state, mbuf_packet(m));
}

/* ------------------------------------------------------------------ news */

static void take_fact(const struct news *fact, int64_t now_ms)
{
	struct pl_bridge *bridge;

	switch (fact->type) {
	case NEWS_FDB:
		bridge = rcu_get(&pipeline.bridges[fact->fdb.bridge]);
		if (bridge)
			fdb_learn(bridge->fdb, fact->fdb.mac, fact->fdb.vlan, fact->fdb.port,
				now_ms);
		break;
	case NEWS_NEIGH:
		bridge = rcu_get(&pipeline.bridges[fact->neigh.bridge]);
		if (bridge)
			dp_neigh_needed(bridge, &fact->neigh.next_hop);
		break;
	case NEWS_FIN:
		put_fin(fact);
		break;
	}
}

static void take_packet(struct news *news)
{
	struct op *op = news_take_op(news->packet.op);
	struct packet *packet = mbuf_packet(news->packet.mbuf);

	if (news->type == NEWS_OP) {
		take_op(op, news->packet.mbuf);
		return;
	}
	if (op)
		resume_at((const struct op_resume *)op, packet);
	else
		start_at_port(packet->in_port, packet);
	free(op);
}

static void take_facts(struct pmd *pmd, unsigned int max)
{
	int64_t now_ms = clock_ms();
	struct news news;
	unsigned int n = 0;

	dep_batch_begin();
	for (; n < max && news_get_fact(&pmd->news, &news); n++)
		take_fact(&news, now_ms);
	dep_batch_end();
	if (n == max)
		news_facts_left(&pmd->news);
}

void dp_news_run(struct pmd *pmd)
{
	struct news news;

	if (news_facts_told(&pmd->news))
		take_facts(pmd, FACTS_A_TURN);
	for (unsigned int i = 0; i < PACKETS_A_TURN && news_get_packet(&pmd->news, &news); i++)
		take_packet(&news);
	if (news_wait(&pmd->news))
		event_async_send(dp.async);
}

void dp_news_run_last(struct pmd *pmd)
{
	struct news news;

	take_facts(pmd, UINT32_MAX);
	while (news_get_packet(&pmd->news, &news))
		take_packet(&news);
}

void dp_packets_init(void)
{
	queue_init(&dp.punts);
	queue_init(&dp.l2);
	ring_init(&dp.fins, FINS, sizeof(struct news));
	for (unsigned int i = 0; i < ARRAY_SIZE(dp.outs); i++)
		xlate_out_init(&dp.outs[i]);
	dp.sink = (struct xlate_sink){
		.fdb_learn = sink_fdb_learn,
		.learn = dp.outer_sink && dp.outer_sink->learn ? sink_learn : NULL,
		.neigh_needed = sink_neigh_needed,
		.fin_timeout = sink_fin_timeout,
	};
	dp.env = (struct exec_env){
		.ops = &mbuf_packet_ops,
		.output = env_output,
		.punt = env_punt,
		.to_control = env_to_control,
		.recirculate = env_recirculate,
		.resume = env_resume,
		.dropped = env_dropped,
		.random = env_random,
	};
}

void dp_packets_start(void)
{
	dp.env.ops_aux = eal_mempool(-1);
}

void dp_packets_uninit(void)
{
	if (!dp.fins.records)
		return;
	queue_uninit(&dp.punts);
	queue_uninit(&dp.l2);
	ring_uninit(&dp.fins);
	for (unsigned int i = 0; i < ARRAY_SIZE(dp.outs); i++)
		xlate_out_uninit(&dp.outs[i]);
}
