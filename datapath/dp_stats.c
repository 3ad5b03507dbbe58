/* SPDX-License-Identifier: Apache-2.0 */
/* Counts: from the PMDs' paths into the counters of rules and entries; ports; drops. */
#include "datapath/dp_private.h"

#include <sched.h>
#include <string.h>

#include "datapath/pipeline/counter.h"
#include "lib/clock.h"
#include "lib/rcu.h"

#define PATH_IDLE_MS 10000	/* A path that nothing took for so long is retired. */
#define SETTLE_US 20000		/* Only a PMD that is kept from running takes longer. */
#define SWEEP_SLICE 4096	/* Slots that control looks at in a turn: about half a millisecond. */

/* ------------------------------------------------------------------ sweep */

static void path_refs(const struct path_body *body, void (*change)(uint32_t id))
{
	const struct xlate_counter *counters = path_counters(body);
	const uint32_t *refreshes = path_refreshes(body);

	for (unsigned int i = 0; i < body->n_counters; i++)
		change(counters[i].id);
	for (unsigned int i = 0; i < body->n_refreshes; i++)
		change(refreshes[i]);
}

/* Adds what PATH counted since the last sweep. */
static void take_counts(struct pmd *pmd, uint32_t slot)
{
	struct path *path = &pmd->paths[slot];
	const struct path_body *body = path->body;
	const struct xlate_counter *counters = path_counters(body);
	const uint32_t *refreshes = path_refreshes(body);
	uint64_t packets = stat_get(&path->packets), bytes = stat_get(&path->bytes);
	int64_t used = atomic_load_explicit(&path->used_ms, memory_order_relaxed);
	uint64_t new_packets = packets - pmd->shadows[slot].packets;
	uint64_t new_bytes = bytes - pmd->shadows[slot].bytes;

	if (!new_packets)
		return;
	pmd->shadows[slot].packets = packets;
	pmd->shadows[slot].bytes = bytes;
	for (unsigned int i = 0; i < body->n_counters; i++) {
		const struct xlate_counter *c = &counters[i];

		counter_add(c->id, c->n * new_packets,
			c->n * (new_bytes + (uint64_t)(int64_t)c->byte_delta * new_packets), used);
	}
	for (unsigned int i = 0; i < body->n_refreshes; i++)
		counter_add(refreshes[i], 0, 0, used);
}

static void sweep_slot(struct pmd *pmd, uint32_t slot)
{
	if (!pmd->shadows[slot].counted) {
		pmd->shadows[slot].packets = pmd->shadows[slot].bytes = 0;
		pmd->shadows[slot].counted = true;
		path_refs(pmd->paths[slot].body, counter_ref);
	}
	take_counts(pmd, slot);
}

static void harvest(struct pmd *pmd)
{
	uint32_t slot;

	while ((slot = path_harvest(pmd->pool)) != PATH_NONE) {
		sweep_slot(pmd, slot);
		path_refs(pmd->paths[slot].body, counter_unref);
		pmd->shadows[slot].counted = false;
		path_give_back(pmd->pool, slot);
	}
}

static void retire_idle(struct pmd *pmd, uint32_t slot, int64_t now_ms)
{
	struct path *path = &pmd->paths[slot];

	if (now_ms - atomic_load_explicit(&path->used_ms, memory_order_relaxed) > PATH_IDLE_MS)
		pmd_command(pmd, &(struct command){.type = COMMAND_RETIRE,
			.path = {.slot = slot, .generation = path_generation(path)}});
}

void dp_sweep_pmd(struct pmd *pmd)
{
	uint32_t limit;

	/* A slot that is returned may be taken again at once; it is then seen as a new path, below. */
	harvest(pmd);
	limit = path_pool_limit(pmd->pool);
	for (uint32_t slot = 0; slot < limit; slot++)
		if (atomic_load_explicit(&pmd->paths[slot].state, memory_order_acquire) == PATH_LIVE)
			sweep_slot(pmd, slot);
	uncached_sweep(&pmd->uncached);
}

/* Until PMD has counted what it has sent already: a packet that its receiver has seen must be in the
 * counts. That is a burst's time, unless its core runs something else. */
static void settle(const struct pmd *pmd)
{
	uint32_t seq = atomic_load_explicit(&pmd->burst_seq, memory_order_acquire);
	int64_t end_us;

	if (!(seq & 1))
		return;
	end_us = clock_us() + SETTLE_US;
	while (atomic_load_explicit(&pmd->burst_seq, memory_order_acquire) == seq &&
		clock_us() < end_us)
		sched_yield();
}

void dp_sweep(void)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		settle(dp.pmds[i]);
		dp_sweep_pmd(dp.pmds[i]);
	}
}

/* ------------------------------------------------------------------ memory for the PMDs */

static struct worker_job *populate_job(void)
{
	struct worker_job *job = worker_job_create(WORKER_POPULATE, 0, NULL);

	dp.n_populating++;
	return job;
}

/* So that PMDs find memory where their next paths and keys will be. */
static void populate_ahead(struct pmd *pmd)
{
	struct worker_job *job;
	uint32_t mask;
	size_t size;
	void *p;

	while (path_pool_ahead(pmd->pool, &p, &size)) {
		job = populate_job();
		job->memory = p;
		job->size = size;
		worker_post(dp.worker, job);
	}
	/* One at a time: what is asked for twice is only a wish of a second ago. */
	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES && !dp.n_populating; i++) {
		if (!exact_wants(&pmd->exact[i], &mask))
			continue;
		job = populate_job();
		job->exact = &pmd->exact[i];
		job->mask = mask;
		worker_post(dp.worker, job);
	}
}

/* ------------------------------------------------------------------ rounds */

static void sweep_one(struct pmd *pmd, uint32_t slot, int64_t now_ms)
{
	if (atomic_load_explicit(&pmd->paths[slot].state, memory_order_acquire) != PATH_LIVE)
		return;
	sweep_slot(pmd, slot);
	retire_idle(pmd, slot, now_ms);
}

/* Goes on with the round for SWEEP_SLICE slots; true when it is complete. */
static bool sweep_slice(void)
{
	uint32_t budget = SWEEP_SLICE;
	int64_t now_ms = clock_ms();

	while (dp.sweep_pmd < dp.n_pmds) {
		struct pmd *pmd = dp.pmds[dp.sweep_pmd];
		uint32_t limit = path_pool_limit(pmd->pool);

		if (!dp.sweep_slot) {
			harvest(pmd);
			uncached_sweep(&pmd->uncached);
		}
		while (dp.sweep_slot < limit && budget) {
			sweep_one(pmd, dp.sweep_slot++, now_ms);
			budget--;
		}
		if (dp.sweep_slot < limit)
			return false;
		dp.sweep_slot = 0;
		dp.sweep_pmd++;
	}
	return true;
}

static void grace_passed(void *aux)
{
	dp.grace_passed = true;
}

static void begin_round(void)
{
	dp.sweep_due = false;
	dp.sweeping = true;
	dp.sweep_pmd = 0;
	dp.sweep_slot = 0;
	dp.grace_at_begin = dp.grace_passed;
}

static void end_round(void)
{
	dp.sweeping = false;
	dp.swept = true;
	/* Whoever freed a counter id before the last round but one is named in no path that this one has
	 * not seen: a grace period and a whole round lie between. */
	if (dp.grace_at_begin) {
		dp.grace_passed = false;
		counter_reclaim(++dp.generation);
		rcu_defer(grace_passed, NULL);
	}
}

void dp_stats_run(void)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		if (path_pool_n_retired(dp.pmds[i]->pool) > PMD_MAX_PATHS / 8)
			harvest(dp.pmds[i]);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		populate_ahead(dp.pmds[i]);
	if (dp.sweep_due)
		dp_rxqs_run(clock_ms());
	if (dp.sweep_due && !dp.sweeping)
		begin_round();
	if (dp.sweeping) {
		if (sweep_slice())
			end_round();
		else
			event_async_send(dp.async);
	}
	rcu_reclaim();
}

/* ------------------------------------------------------------------ ports */

static void device_stats(const struct dp_device *device, struct dp_port_stats *stats)
{
	*stats = device->base;
	for (unsigned int i = 0; i < PMD_MAX; i++) {
		const struct pmd_port *pp = device->pmd_ports[i];

		if (!pp)
			continue;
		stats->rx_packets += stat_get(&pp->rx_packets);
		stats->rx_bytes += stat_get(&pp->rx_bytes);
		stats->tx_packets += stat_get(&pp->tx_packets);
		stats->tx_bytes += stat_get(&pp->tx_bytes);
		for (unsigned int r = 0; r < DROP_N_REASONS; r++)
			stats->tx_dropped += stat_get(&pp->tx_drops[r]);
	}
}

/* What only the device knows: lost or broken before we saw it, or from before it was ours. */
static void add_hw_stats(const struct dp_device *device, struct dp_port_stats *stats)
{
	struct dp_port_stats hw;

	memset(&hw, 0, sizeof hw);
	if (!device->port || port_hw_stats(device->port, &hw))
		return;
	stats->rx_packets += hw.rx_packets;
	stats->rx_bytes += hw.rx_bytes;
	stats->tx_packets += hw.tx_packets;
	stats->tx_bytes += hw.tx_bytes;
	stats->rx_errors += hw.rx_errors;
	stats->rx_dropped += hw.rx_dropped;
	stats->rx_over_errors += hw.rx_over_errors;
	stats->rx_frame_errors += hw.rx_frame_errors;
	stats->rx_crc_errors += hw.rx_crc_errors;
	stats->tx_errors += hw.tx_errors;
	stats->tx_dropped += hw.tx_dropped;
	stats->collisions += hw.collisions;
	stats->multicast += hw.multicast;
}

bool dp_port_stats(dp_port_t number, struct dp_port_stats *stats)
{
	const struct dp_device *device = dp_device(number);
	const struct pl_port *port;

	if (!device)
		return false;
	if (device->state != DP_DEVICE_NONE) {
		device_stats(device, stats);
		add_hw_stats(device, stats);
		return true;
	}
	memset(stats, 0, sizeof *stats);
	port = pl_port_get(number);
	if (port) {
		struct counter_value rx = counter_get(port->rx_counter);
		struct counter_value tx = counter_get(port->tx_counter);

		stats->rx_packets = rx.packets;
		stats->rx_bytes = rx.bytes;
		stats->tx_packets = tx.packets;
		stats->tx_bytes = tx.bytes;
	}
	return true;
}

uint64_t dp_port_drops(dp_port_t number, enum drop_reason reason)
{
	const struct dp_device *device = dp_device(number);
	uint64_t n;

	if (!device || reason >= DROP_N_REASONS)
		return 0;
	n = device->base_drops[reason];
	for (unsigned int i = 0; i < PMD_MAX; i++)
		if (device->pmd_ports[i])
			n += stat_get(&device->pmd_ports[i]->drops[reason]);
	return n;
}

/* On the way out of DEVICE. */
static uint64_t tx_drops(const struct dp_device *device, enum drop_reason reason)
{
	uint64_t n = device->base_tx_drops[reason];

	for (unsigned int i = 0; i < PMD_MAX; i++)
		if (device->pmd_ports[i])
			n += stat_get(&device->pmd_ports[i]->tx_drops[reason]);
	return n;
}

/* Of datagrams in pieces, which are counted as consumed when they arrive. */
static uint64_t fragment_drops(const struct pmd_stats *stats, enum drop_reason reason)
{
	if (reason == DROP_TNL_FRAGMENT)
		return stat_get(&stats->fragments_lost);
	return reason == DROP_TNL_BAD_CSUM ? stat_get(&stats->datagrams_bad) : 0;
}

uint64_t dp_drops(enum drop_reason reason)
{
	struct dp_device *device;
	uint64_t n;

	if (reason >= DROP_N_REASONS)
		return 0;
	n = dp.drops[reason] + fragment_drops(&dp.gone, reason);
	LIST_FOR_EACH (device, node, &dp.devices)
		n += dp_port_drops(device->number, reason) + tx_drops(device, reason);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		n += fragment_drops(&dp.pmds[i]->stats, reason);
	return n;
}

/* ------------------------------------------------------------------ totals */

void dp_cache_stats(uint64_t *hits, uint64_t *misses, uint64_t *lost, uint64_t *n_paths)
{
	*hits = stat_get(&dp.gone.exact_hits) + stat_get(&dp.gone.mega_hits);
	*misses = stat_get(&dp.gone.misses);
	*lost = stat_get(&dp.gone.lost);
	*n_paths = 0;
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		const struct pmd_stats *s = &dp.pmds[i]->stats;

		*hits += stat_get(&s->exact_hits) + stat_get(&s->mega_hits);
		*misses += stat_get(&s->misses);
		*lost += stat_get(&s->lost);
		*n_paths += path_pool_n_live(dp.pmds[i]->pool);
	}
}

static void add_usage(struct shash *usage, const char *name, uint64_t value)
{
	uint64_t *p = xmalloc(sizeof *p);

	*p = value;
	shash_put(usage, name, p);
}

size_t dp_count_paths(struct dp_path_count *counts, size_t max)
{
	size_t n = MIN(max, (size_t)dp.n_pmds);

	for (size_t i = 0; i < n; i++)
		counts[i] = (struct dp_path_count) {
			.core = dp.pmds[i]->core,
			.n = path_pool_n_live(dp.pmds[i]->pool),
			.limit = PMD_MAX_PATHS,
		};
	return n;
}

/* Of PMD: bytes that its caches have in use, and flows that they know. */
static void cache_usage(const struct pmd *pmd, uint64_t *bytes, uint64_t *flows)
{
	for (unsigned int i = 0; i < FLOW_KEY_N_CLASSES; i++) {
		*bytes += exact_memory(&pmd->exact[i]);
		*flows += exact_n_used(&pmd->exact[i]);
	}
	*bytes += mega_memory(&pmd->mega) + path_pool_bytes(pmd->pool);
}

void dp_memory_usage(struct shash *usage)
{
	uint64_t paths = 0, bytes = 0, flows = 0;

	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		paths += path_pool_n_live(dp.pmds[i]->pool);
		cache_usage(dp.pmds[i], &bytes, &flows);
	}
	add_usage(usage, "udpif keys", paths);
	add_usage(usage, "cached flows", flows);
	add_usage(usage, "cache bytes", bytes);
	add_usage(usage, "bytes per cached flow", flows ? bytes / flows : 0);
}
