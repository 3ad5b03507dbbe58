/* SPDX-License-Identifier: Apache-2.0 */
/* What programs run in on a PMD: transmit buffers, news, and the fate of the packet. */
#include <rte_random.h>

#include "datapath/eal.h"
#include "datapath/pmd/pmd.h"
#include "datapath/port/mbuf.h"

static struct pmd *env_pmd(struct exec_env *env)
{
	return container_of(env, struct pmd, env);
}

/* ------------------------------------------------------------------ transmit */

void pmd_dress_tx(struct pmd_port *pp)
{
	for (uint16_t i = 0; i < pp->n_tx; i++)
		mbuf_packet_init(pp->tx[i]);
	pp->tx_bare = false;
}

void pmd_put_tx_first(struct pmd *pmd, struct pmd_port *pp, struct rte_mbuf *mbuf)
{
	if (pp->n_tx) {
		pmd_put_tx(pmd, pp, mbuf_packet_init(mbuf));
		return;
	}
	pp->tx_bare = true;
	pp->tx[pp->n_tx++] = mbuf;
	pmd_tx_added(pmd, pp);
}

/* Control sees to it that their senders hear of the MTU. */
static void send_up_rejects(struct pmd *pmd, struct pmd_port *pp, struct port_rejects *rejects)
{
	struct op_tnl_too_big op = {
		.op = {.type = OP_TNL_TOO_BIG, .len = sizeof op},
		.port = pp->dp_port,
		.mtu = atomic_load_explicit(&pp->port->mtu, memory_order_relaxed),
	};

	for (uint16_t i = 0; i < rejects->n; i++)
		if (!news_put_packet(&pmd->news, &pp->share, NEWS_OP, rejects->mbufs[i], &op.op))
			rte_pktmbuf_free(rejects->mbufs[i]);
}

void pmd_flush_port(struct pmd *pmd, struct pmd_port *pp)
{
	struct port_rejects rejects;
	uint32_t lens[PORT_BURST], longest = 0, more = 0;
	uint16_t n = pp->n_tx, sent;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++) {
		if (likely(pp->tx_bare)) {
			lens[i] = pp->tx[i]->pkt_len;
			more |= lens[i] ^ pp->tx[i]->data_len;
		} else {
			lens[i] = mbuf_packet(pp->tx[i])->len;
		}
		longest = MAX(longest, lens[i]);
		bytes += lens[i];
	}
	if (pp->tx_lock)
		rte_spinlock_lock(pp->tx_lock);
	rejects.n = 0;
	if (likely(pp->tx_bare))
		sent = port_tx_bare(pp->port, pp->txq, pp->tx, n, longest, more, pmd->tx_drops, &rejects);
	else
		sent = port_tx(pp->port, pp->txq, pp->tx, n, pmd->tx_drops, &rejects);
	if (pp->tx_lock)
		rte_spinlock_unlock(pp->tx_lock);
	pp->n_tx = 0;

	/* Drivers take packets in order: those not sent are the last. */
	for (uint16_t i = sent; i < n; i++)
		bytes -= lens[i];
	stat_add(&pp->tx_packets, sent);
	stat_add(&pp->tx_bytes, bytes);
	stat_add(&pmd->stats.tx_packets, sent);
	stat_add(&pmd->stats.tx_flushes, 1);
	if (likely(sent == n))
		return;
	send_up_rejects(pmd, pp, &rejects);
	for (unsigned int i = 0; i < DROP_N_REASONS; i++) {
		if (pmd->tx_drops[i])
			stat_add(&pp->tx_drops[i], pmd->tx_drops[i]);
		pmd->tx_drops[i] = 0;
	}
}

void pmd_flush(struct pmd *pmd)
{
	for (unsigned int i = 0; i < pmd->n_flush; i++) {
		struct pmd_port *pp = pmd->flush[i];

		if (pp->n_tx)
			pmd_flush_port(pmd, pp);
		pp->tx_queued = pp->tx_bare = false;
	}
	pmd->n_flush = 0;
}

void pmd_output(struct pmd *pmd, dp_port_t port, struct packet *packet)
{
	struct pmd_port *pp = likely(port < PL_MAX_PORTS) ? pmd->ports[port] : NULL;

	if (unlikely(!pp)) {
		pmd_drop(pmd, DROP_NO_SUCH_PORT, packet);
		return;
	}
	pmd->fate.forwarded = true;
	pmd_put_tx(pmd, pp, packet);
}

void pmd_drop(struct pmd *pmd, enum drop_reason reason, struct packet *packet)
{
	pmd->fate.drop = (uint8_t)reason;
	rte_pktmbuf_free(packet_mbuf(packet));
}

/* ------------------------------------------------------------------ environment */

static void env_output(struct exec_env *env, dp_port_t port, struct packet *packet)
{
	pmd_output(env_pmd(env), port, packet);
}

static bool send_up(struct pmd *pmd, const struct op *op, struct packet *packet)
{
	struct rte_mbuf *m = packet_mbuf(packet);

	mbuf_sync(m);
	if (news_put_packet(&pmd->news, &pmd->fate.port->share, NEWS_OP, m, op))
		return true;
	pmd_drop(pmd, DROP_CONTROL_QUEUE_FULL, packet);
	return false;
}

static void env_punt(struct exec_env *env, const struct op_punt *punt, struct packet *packet)
{
	struct pmd *pmd = env_pmd(env);

	if (send_up(pmd, &punt->op, packet))
		pmd->fate.consumed = true;
}

static void env_to_control(struct exec_env *env, const struct op *op, struct packet *packet)
{
	struct pmd *pmd = env_pmd(env);

	if (!send_up(pmd, op, packet))
		return;
	if (op->type == OP_NEIGH_HOLD)
		pmd->fate.consumed = true;
	else
		pmd->fate.looked_at = true;
}

static void env_recirculate(struct exec_env *env, dp_port_t in, struct packet *packet)
{
	pmd_recirculate(env_pmd(env), in, packet);
}

static void count_lost_fragments(struct pmd *pmd)
{
	uint32_t n_bad, n = defrag_take_lost(pmd->defrag, &n_bad);

	if (likely(!n && !n_bad))
		return;
	stat_add(&pmd->stats.fragments_lost, n);
	stat_add(&pmd->stats.datagrams_bad, n_bad);
}

static struct packet *env_reassemble(struct exec_env *env, struct packet *packet)
{
	struct pmd *pmd = env_pmd(env);
	struct packet *whole = defrag_add(pmd->defrag, packet, rte_rdtsc());

	count_lost_fragments(pmd);
	pmd->fate.consumed |= !whole;
	return whole;
}

void pmd_expire_fragments(struct pmd *pmd)
{
	if (!pmd->defrag)
		return;
	defrag_expire(pmd->defrag, rte_rdtsc());
	count_lost_fragments(pmd);
}

static void env_resume(struct exec_env *env, const struct op_resume *resume, struct packet *packet)
{
	pmd_resume(env_pmd(env), resume, packet);
}

static void env_dropped(struct exec_env *env, enum drop_reason reason, const struct packet *packet)
{
	env_pmd(env)->fate.drop = (uint8_t)reason;
}

static void env_copy_lost(struct exec_env *env, const struct op *op)
{
	struct pmd *pmd = env_pmd(env);
	dp_port_t port = op->type == OP_OUTPUT ? ((const struct op_output *)op)->port : 0;

	if (port && port < PL_MAX_PORTS && pmd->ports[port])
		stat_add(&pmd->ports[port]->tx_drops[DROP_NO_MEMORY], 1);
}

static uint32_t env_random(struct exec_env *env)
{
	return (uint32_t)rte_rand();
}

void pmd_exec_init(struct pmd *pmd)
{
	pmd->defrag = eal_started() ? defrag_create() : NULL;
	pmd->env = (struct exec_env){
		.ops = &mbuf_packet_ops,
		.ops_aux = eal_mempool(-1),
		.output = env_output,
		.punt = env_punt,
		.to_control = env_to_control,
		.recirculate = env_recirculate,
		.reassemble = pmd->defrag ? env_reassemble : NULL,
		.resume = env_resume,
		.dropped = env_dropped,
		.copy_lost = env_copy_lost,
		.random = env_random,
	};
}
