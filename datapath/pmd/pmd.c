/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/pmd/pmd.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "datapath/eal.h"
#include "datapath/pipeline/dependency.h"
#include "datapath/port/mbuf.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "lib/rcu.h"

#define EPOLL_EVERY_US 50u	/* A busy PMD looks at its descriptors this often; ... */
#define EPOLL_SELDOM_US 200u	/* ... when nothing comes there, in the end only so often. */
#define CLOCK_EVERY_US 20
#define KEY_MASKS_SIZE (PL_MAX_PORTS * sizeof(struct key_mask))
#define PARDONS_SIZE (PL_MAX_PORTS * sizeof(struct pmd_pardon))
#define CHECK_MS 100
#define MASKS_KEEP_MS 30000
#define MASKS_MISS_RATIO 32	/* One in so many is many. */

static void wake_control(const struct pmd *pmd)
{
	if (pmd->wake_control)
		event_async_send(pmd->wake_control);
}

/* ------------------------------------------------------------------ commands */

static void add_rxq(struct pmd *pmd, struct pmd_rxq *rxq)
{
	if (pmd->n_rxqs >= PMD_MAX_RXQS)
		return;
	if (rxq->fd >= 0 && pmd_watch(pmd, rxq))
		rxq->fd = -1;
	pmd->n_polled += rxq->fd < 0;
	pmd->rxqs[pmd->n_rxqs++] = rxq;
}

static void remove_rxq_at(struct pmd *pmd, unsigned int i)
{
	struct pmd_rxq *rxq = pmd->rxqs[i];

	if (rxq->fd >= 0)
		pmd_unwatch(pmd, rxq);
	pmd->n_polled -= rxq->fd < 0;
	pmd->n_ready -= rxq->ready;
	rxq->ready = false;
	pmd->rxqs[i] = pmd->rxqs[--pmd->n_rxqs];
}

static void remove_port(struct pmd *pmd, struct pmd_port *pp)
{
	for (unsigned int i = pmd->n_rxqs; i-- > 0;)
		if (pmd->rxqs[i]->port == pp)
			remove_rxq_at(pmd, i);
	pmd_flush(pmd);
	if (pmd->ports[pp->dp_port] == pp)
		pmd->ports[pp->dp_port] = NULL;
}

static void run_command(struct pmd *pmd, const struct command *c)
{
	switch ((enum command_type)c->type) {
	case COMMAND_TX:
		pmd_output(pmd, c->tx.port, mbuf_packet(c->tx.mbuf));
		break;
	case COMMAND_PORT_ADD:
		pmd->ports[c->port->dp_port] = c->port;
		break;
	case COMMAND_PORT_REMOVE:
		remove_port(pmd, c->port);
		break;
	case COMMAND_RXQ_ADD:
		add_rxq(pmd, c->rxq);
		break;
	case COMMAND_RXQ_REMOVE:
		for (unsigned int i = pmd->n_rxqs; i-- > 0;)
			if (pmd->rxqs[i] == c->rxq)
				remove_rxq_at(pmd, i);
		break;
	case COMMAND_TX_LOCK:
		c->port->tx_lock = c->port->tx_shared_lock;
		break;
	case COMMAND_RETIRE:
		if (path_generation(&pmd->paths[c->path.slot]) == c->path.generation)
			path_retire(pmd->pool, c->path.slot);
		break;
	case COMMAND_PURGE:
		path_retire_all(pmd->pool);
		break;
	case COMMAND_STOP:
		atomic_store(&pmd->stopped, true);
		break;
	}
	if (c->done) {
		atomic_fetch_sub_explicit(c->done, 1, memory_order_release);
		wake_control(pmd);
	}
}

/* At most a burst of them, so that packets sent by control do not hold up the others. */
static unsigned int run_commands(struct pmd *pmd)
{
	const struct command *c;
	unsigned int n = 0;

	while (n < PORT_BURST && (c = ring_get_begin(&pmd->commands)) != NULL) {
		if (!n++)
			pmd_counts_begin(&pmd->burst_seq);
		run_command(pmd, c);
		ring_get_end(&pmd->commands);
	}
	if (n) {
		pmd_flush(pmd);
		pmd_counts_end(&pmd->burst_seq);
	}
	return n;
}

/* ------------------------------------------------------------------ loop */

static void update_clock(struct pmd *pmd, uint64_t tsc)
{
	if (tsc - pmd->now_tsc < pmd->tsc_per_us * CLOCK_EVERY_US)
		return;
	pmd->now_tsc = tsc;
	pmd->now_us = clock_us();
	pmd->now_ms = pmd->now_us / 1000;
	pmd->env.now_us = pmd->now_us;
}

/* Bytes of the N packets in MBUFS, whose contents will soon be read. */
static uint64_t sum_bytes(const struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	uint64_t bytes = 0;

	if (unlikely(!port->rx_bare)) {
		for (uint16_t i = 0; i < n; i++)
			bytes += mbuf_packet(mbufs[i])->len;
		return bytes;
	}
	for (uint16_t i = 0; i < n; i++) {
		__builtin_prefetch(rte_pktmbuf_mtod(mbufs[i], void *));
		bytes += mbufs[i]->pkt_len;
	}
	return bytes;
}

/* *TSC: the time now; then, if there was something, after it. Reading it is not free. */
static unsigned int poll_rxq(struct pmd *pmd, struct pmd_rxq *rxq, uint64_t *tsc)
{
	struct rte_mbuf **mbufs = pmd->burst.mbufs;
	struct pmd_port *pp = rxq->port;
	uint64_t begin = *tsc, bytes;
	uint16_t n = port_rx(pp->port, rxq->qid, mbufs, PORT_BURST);

	if (!n)
		return 0;
	pmd_counts_begin(&pmd->burst_seq);
	if (pmd->started)
		rcu_quiescent(pmd->rcu_id);
	bytes = sum_bytes(pp->port, mbufs, n);
	stat_add(&pp->rx_packets, n);
	stat_add(&pp->rx_bytes, bytes);
	stat_add(&pmd->stats.packets, n);
	stat_add(&pmd->stats.rx_bursts, 1);
	pmd->turn_full |= n == PORT_BURST;

	/* After receiving: so a packet that came after a change was published sees it. The sequence
	 * number first: a change in between is then seen now and looked for once more. */
	pmd->seq = dep_seq();
	pmd->version = version_get();
	update_clock(pmd, begin);
	pmd_burst(pmd, pp, n, bytes);
	pmd_flush(pmd);
	pmd_counts_end(&pmd->burst_seq);
	stat_add(&rxq->packets, n);
	*tsc = rte_rdtsc();
	stat_add(&rxq->cycles, *tsc - begin);
	return n;
}

static unsigned int poll_rxqs(struct pmd *pmd, uint64_t tsc)
{
	unsigned int total = 0;

	if (atomic_load_explicit(&pmd->hold, memory_order_relaxed))
		return 0;
	for (unsigned int i = 0; i < pmd->n_rxqs; i++) {
		struct pmd_rxq *rxq = pmd->rxqs[i];
		unsigned int n;

		if (rxq->fd >= 0 && !rxq->ready)
			continue;
		n = poll_rxq(pmd, rxq, &tsc);
		if (!n && rxq->ready) {
			rxq->ready = false;
			pmd->n_ready--;
		}
		total += n;
	}
	return total;
}

/* Rules that made the masks wide may be gone. When many packets miss, finding out is worth the misses
 * that it costs. */
static void renew_key_masks(struct pmd *pmd)
{
	uint64_t packets = stat_get(&pmd->stats.packets), misses = stat_get(&pmd->stats.misses);
	bool many = (misses - pmd->tick_misses) * MASKS_MISS_RATIO > packets - pmd->tick_packets;

	pmd->tick_packets = packets;
	pmd->tick_misses = misses;
	if (!many || pmd->masks_version == pmd->version || pmd->now_ms - pmd->masks_ms < MASKS_KEEP_MS)
		return;
	pmd->masks_version = pmd->version;
	pmd->masks_ms = pmd->now_ms;
	for (dp_port_t port = 0; port < PL_MAX_PORTS; port++)
		if (pmd->masks_used[port / 64] & UINT64_C(1) << (port % 64))
			key_mask_reset(&pmd->key_masks[port]);
}

/* Some times a second. */
static void check_caches(struct pmd *pmd)
{
	bool asks = false, moving = false;

	pmd->last_check_ms = pmd->now_ms;
	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES; i++) {
		asks |= exact_check(&pmd->exact[i]);
		moving |= exact_is_moving(&pmd->exact[i]);
	}
	pmd->miss_budget.floor = moving ? MISS_BUDGET_MOVING : MISS_BUDGET_FLOOR;
	if (asks)
		wake_control(pmd);
}

/* In passing; mostly once a second or so. */
static void tick(struct pmd *pmd)
{
	if (pmd->now_ms - pmd->last_check_ms >= CHECK_MS)
		check_caches(pmd);
	if (pmd->now_ms - pmd->last_tick_ms < 1000)
		return;
	pmd->last_tick_ms = pmd->now_ms;
	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES; i++)
		exact_tick(&pmd->exact[i]);
	mega_tick(&pmd->mega);
	pmd->tick_paths = path_pool_n_created(pmd->pool);
	pmd_expire_fragments(pmd);
	renew_key_masks(pmd);
}

unsigned int pmd_turn(struct pmd *pmd)
{
	uint64_t begin = rte_rdtsc();
	unsigned int n = run_commands(pmd);

	path_pool_reclaim(pmd->pool);
	if (pmd->n_rxqs > pmd->n_polled &&
		begin - pmd->last_epoll_tsc > pmd->tsc_per_us * pmd->epoll_us) {
		pmd->last_epoll_tsc = begin;
		pmd_poll_fds(pmd);
		pmd->epoll_us = pmd->n_ready ? EPOLL_EVERY_US : MIN(2 * pmd->epoll_us, EPOLL_SELDOM_US);
	}
	n += poll_rxqs(pmd, n ? rte_rdtsc() : begin);
	if (unlikely(pmd->news.put_some) &&
		news_tell(&pmd->news, !n, (begin - pmd->last_wake_tsc) / pmd->tsc_per_us)) {
		pmd->last_wake_tsc = begin;
		wake_control(pmd);
	}
	return n;
}

static void loop(struct pmd *pmd)
{
	uint64_t begin = rte_rdtsc(), idle_since = begin, last_end = begin;

	while (!atomic_load_explicit(&pmd->stopped, memory_order_relaxed)) {
		unsigned int n = pmd_turn(pmd);
		uint64_t end = rte_rdtsc();

		rcu_quiescent(pmd->rcu_id);
		stat_add(n ? &pmd->stats.busy_cycles : &pmd->stats.idle_cycles, end - begin);
		stat_add(n ? &pmd->stats.busy_iterations : &pmd->stats.idle_iterations, 1);
		miss_budget_turn(&pmd->miss_budget, end, pmd->turn_full, (n ? begin : end) - last_end,
			stat_get(&pmd->stats.packets), stat_get(&pmd->stats.exact_hits));
		pmd->turn_full = false;
		begin = last_end = end;
		update_clock(pmd, end);
		tick(pmd);
		if (n) {
			idle_since = end;
			continue;
		}
		pmd_sleep(pmd, (end - idle_since) / pmd->tsc_per_us);
		begin = rte_rdtsc();
	}
}

static void pin(const struct pmd *pmd)
{
	char name[16];
	cpu_set_t set;

	snprintf(name, sizeof name, "pmd-c%02d", MAX(pmd->core, 0));
	pthread_setname_np(pthread_self(), name);
	/* Short sleeps shall be short. */
	prctl(PR_SET_TIMERSLACK, 1000UL);
	if (pmd->core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(pmd->core, &set);
	pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *pmd_main(void *aux)
{
	struct pmd *pmd = aux;

	pin(pmd);
	if (eal_started())
		rte_thread_register();
	pmd->rcu_id = rcu_register();
	if (pmd->rcu_id >= 0) {
		loop(pmd);
		pmd_flush(pmd);
		rcu_unregister(pmd->rcu_id);
	}
	if (eal_started())
		rte_thread_unregister();
	atomic_store(&pmd->ended, true);
	wake_control(pmd);
	return NULL;
}

/* ------------------------------------------------------------------ control */

static void pmd_free(struct pmd *pmd)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(pmd->outs); i++)
		xlate_out_uninit(&pmd->outs[i]);
	defrag_destroy(pmd->defrag);
	path_pool_destroy(pmd->pool);
	mega_uninit(&pmd->mega);
	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES; i++)
		exact_uninit(&pmd->exact[i]);
	memory_release(pmd->key_masks, KEY_MASKS_SIZE);
	memory_release(pmd->pardons, PARDONS_SIZE);
	uncached_uninit(&pmd->uncached);
	news_uninit(&pmd->news);
	ring_uninit(&pmd->commands);
	pmd_sleep_uninit(pmd);
	free(pmd->plain.paths);
	free(pmd->plain.looks);
	free(pmd->shadows);
	free(pmd->ports);
	free(pmd->waiting);
	free(pmd);
}

int pmd_create(const struct pmd_config *config, struct pmd **pmdp, char **error)
{
	struct pmd *pmd = xaligned_calloc(64, sizeof *pmd);
	unsigned int n, first;
	int err;

	pmd->core = config->core;
	pmd->wake_control = config->wake_control;
	pmd->created_ms = pmd->cleared_ms = clock_ms();
	pmd->no_caches = config->no_caches;
	pmd->sleep_max_us = config->sleep_max_us;
	pmd->tsc_per_us = MAX(rte_get_tsc_hz() / 1000000, UINT64_C(1));
	miss_budget_init(&pmd->miss_budget, pmd->tsc_per_us);
	pmd->epoll_fd = pmd->wake_fd = -1;
	pmd->epoll_us = EPOLL_EVERY_US;
	pmd->ports = xcalloc(PL_MAX_PORTS, sizeof *pmd->ports);
	for (unsigned int i = 0; i < ARRAY_SIZE(pmd->outs); i++)
		xlate_out_init(&pmd->outs[i]);
	pmd->pool = path_pool_create(PMD_MAX_PATHS, PMD_PATH_BYTES);
	pmd->paths = path_pool_paths(pmd->pool);
	pmd->shadows = xcalloc(PMD_MAX_PATHS, sizeof *pmd->shadows);
	n = config->cache_entries ? config->cache_entries : PMD_CACHE_ENTRIES;
	first = MIN(n, (unsigned int)PMD_CACHE_ENTRIES_FIRST);
	mega_init(&pmd->mega);
	exact_init(&pmd->exact[FLOW_KEY_K64], first, n, 8);
	exact_remember(&pmd->exact[FLOW_KEY_K64], n);
	exact_init(&pmd->exact[FLOW_KEY_K128], first / 128, n / 2, 16);
	exact_remember(&pmd->exact[FLOW_KEY_K128], first / 4);
	exact_init(&pmd->exact[FLOW_KEY_KL], first / 512, n / 32, FLOW_KEY_MAX_WORDS);
	pmd->key_masks = memory_reserve(KEY_MASKS_SIZE, false);
	pmd->pardons = memory_reserve(PARDONS_SIZE, false);
	pmd->plain.paths = xcalloc(PMD_PLAINS, sizeof *pmd->plain.paths);
	pmd->plain.looks = xcalloc(PMD_LOOKS, sizeof *pmd->plain.looks);
	uncached_init(&pmd->uncached);
	news_init(&pmd->news);
	ring_init(&pmd->commands, COMMAND_RING, sizeof(struct command));
	pmd_exec_init(pmd);
	pmd_sink_init(pmd);
	err = pmd_sleep_init(pmd, error);
	if (err) {
		pmd_free(pmd);
		return err;
	}
	*pmdp = pmd;
	return 0;
}

int pmd_start(struct pmd *pmd, char **error)
{
	int err;

	pmd->started = true;
	err = -pthread_create(&pmd->thread, NULL, pmd_main, pmd);
	if (err) {
		pmd->started = false;
		*error = xasprintf("can't start a PMD thread: %s", strerror(-err));
	}
	return err;
}

bool pmd_populate(struct pmd *pmd, unsigned int step)
{
	if (step == 0)
		exact_populate(&pmd->exact[FLOW_KEY_K64], pmd->exact[FLOW_KEY_K64].allowed_mask);
	else if (step == 1)
		exact_populate(&pmd->exact[FLOW_KEY_K128],
			pmd->exact[FLOW_KEY_K128].allowed_mask);
	else
		return mega_populate(&pmd->mega, step - 2);
	return true;
}

void pmd_stop(struct pmd *pmd)
{
	pmd_command(pmd, &(struct command){.type = COMMAND_STOP});
}

bool pmd_has_ended(const struct pmd *pmd)
{
	return atomic_load(&pmd->ended);
}

void pmd_destroy(struct pmd *pmd)
{
	if (!pmd)
		return;
	if (pmd->started)
		pthread_join(pmd->thread, NULL);
	pmd_free(pmd);
}

static bool put(struct pmd *pmd, const struct command *command)
{
	struct command *record = ring_put_begin(&pmd->commands);

	if (!record)
		return false;
	*record = *command;
	ring_put_end(&pmd->commands);
	return true;
}

void pmd_commands_flush(struct pmd *pmd)
{
	bool put_some = false;

	while (pmd->n_waiting && put(pmd, &pmd->waiting[pmd->first_waiting])) {
		pmd->first_waiting++;
		pmd->n_waiting--;
		put_some = true;
	}
	if (put_some)
		pmd_wake(pmd);
}

static void put_waiting(struct pmd *pmd, const struct command *command)
{
	if (pmd->first_waiting + pmd->n_waiting == pmd->max_waiting) {
		memmove(pmd->waiting, pmd->waiting + pmd->first_waiting,
			pmd->n_waiting * sizeof *pmd->waiting);
		pmd->first_waiting = 0;
		if (pmd->n_waiting == pmd->max_waiting) {
			pmd->max_waiting = MAX(pmd->max_waiting * 2, (size_t)64);
			pmd->waiting = xrealloc(pmd->waiting,
				pmd->max_waiting * sizeof *pmd->waiting);
		}
	}
	pmd->waiting[pmd->first_waiting + pmd->n_waiting++] = *command;
}

bool pmd_command(struct pmd *pmd, const struct command *command)
{
	if (!pmd->n_waiting && put(pmd, command)) {
		pmd_wake(pmd);
		return true;
	}
	if (command->type == COMMAND_TX && pmd->n_waiting >= COMMAND_MAX_WAITING) {
		rte_pktmbuf_free(command->tx.mbuf);
		return false;
	}
	put_waiting(pmd, command);
	return true;
}
