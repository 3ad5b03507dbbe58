/* SPDX-License-Identifier: Apache-2.0 */
/* Texts about the PMD threads: dpif-netdev/pmd-stats-show, pmd-perf-show, pmd-rxq-show. */
#include <inttypes.h>
#include <rte_cycles.h>
#include <string.h>
#include <time.h>

#include "datapath/dp_private.h"
#include "lib/clock.h"

static bool is_of(const struct dp_pmd_format *f, const struct pmd *pmd)
{
	return !f->by_core || f->core == pmd->core;
}

/* What a PMD did since dp_clear_pmd_stats(), as plain numbers. */
static void stats_since_clear(const struct pmd *pmd, struct pmd_stats *stats)
{
	const stat_t *now = (const stat_t *)&pmd->stats;
	const stat_t *base = (const stat_t *)&pmd->cleared;
	stat_t *to = (stat_t *)stats;

	for (size_t i = 0; i < sizeof *stats / sizeof *to; i++)
		to[i] = stat_get(&now[i]) - stat_get(&base[i]);
}

void dp_clear_pmd_stats(const struct dp_pmd_format *f)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		const stat_t *now = (const stat_t *)&dp.pmds[i]->stats;
		stat_t *base = (stat_t *)&dp.pmds[i]->cleared;

		if (!is_of(f, dp.pmds[i]))
			continue;
		for (size_t j = 0; j < sizeof dp.pmds[i]->stats / sizeof *now; j++)
			base[j] = stat_get(&now[j]);
		dp.pmds[i]->cleared_ms = clock_ms();
	}
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void put_title(const struct pmd *pmd, struct sbuf *s)
{
	sbuf_putf(s, "pmd thread numa_id %d core_id %d:\n", pmd->numa, pmd->core);
}

static void put_stats(const struct pmd_stats *st, struct sbuf *s)
{
	uint64_t rx = st->packets, mega = st->mega_hits;
	uint64_t cycles = st->idle_cycles + st->busy_cycles;

	sbuf_putf(s, "  packets received: %" PRIu64 "\n", rx);
	sbuf_putf(s, "  packet recirculations: %" PRIu64 "\n", st->recirculations);
	sbuf_putf(s, "  avg. datapath passes per packet: %.02f\n",
		ratio(rx + st->recirculations, rx));
	sbuf_puts(s, "  phwol hits: 0\n  mfex opt hits: 0\n  simple match hits: 0\n");
	sbuf_putf(s, "  emc hits: %" PRIu64 "\n  smc hits: 0\n", st->exact_hits);
	sbuf_putf(s, "  megaflow hits: %" PRIu64 "\n", mega);
	sbuf_putf(s, "  avg. subtable lookups per megaflow hit: %.02f\n",
		ratio(st->mega_lookups, mega));
	sbuf_putf(s, "  miss with success upcall: %" PRIu64 "\n", st->misses - st->lost);
	sbuf_putf(s, "  miss with failed upcall: %" PRIu64 "\n", st->lost);
	sbuf_putf(s, "  avg. packets per output batch: %.02f\n",
		ratio(st->tx_packets, st->tx_flushes));
	if (!cycles)
		return;
	sbuf_putf(s, "  idle cycles: %" PRIu64 " (%.02f%%)\n", st->idle_cycles,
		ratio(st->idle_cycles, cycles) * 100);
	sbuf_putf(s, "  processing cycles: %" PRIu64 " (%.02f%%)\n", st->busy_cycles,
		ratio(st->busy_cycles, cycles) * 100);
	if (!rx)
		return;
	sbuf_putf(s, "  avg cycles per packet: %.02f (%" PRIu64 "/%" PRIu64 ")\n",
		ratio(cycles, rx), cycles, rx);
	sbuf_putf(s, "  avg processing cycles per packet: %.02f (%" PRIu64 "/%" PRIu64 ")\n",
		ratio(st->busy_cycles, rx), st->busy_cycles, rx);
}

void dp_format_pmd_stats(const struct dp_pmd_format *f, struct sbuf *s)
{
	struct pmd_stats stats;

	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		if (!is_of(f, dp.pmds[i]))
			continue;
		stats_since_clear(dp.pmds[i], &stats);
		put_title(dp.pmds[i], s);
		put_stats(&stats, s);
	}
	if (f->by_core)
		return;
	/* Control forwards nothing by itself. */
	memset(&stats, 0, sizeof stats);
	sbuf_puts(s, "main thread:\n");
	put_stats(&stats, s);
}

/* ------------------------------------------------------------------ perf */

static void put_line(struct sbuf *s, const char *name, uint64_t value, const char *format, ...)
	PRINTF_FORMAT(4, 5);

static void put_line(struct sbuf *s, const char *name, uint64_t value, const char *format, ...)
{
	va_list args;

	sbuf_putf(s, "  %-18s %12" PRIu64 "  (", name, value);
	va_start(args, format);
	sbuf_putv(s, format, args);
	va_end(args);
	sbuf_puts(s, ")\n");
}

static void put_perf(const struct pmd_stats *st, double seconds, struct sbuf *s)
{
	uint64_t iterations = st->busy_iterations + st->idle_iterations;
	uint64_t cycles = st->busy_cycles + st->idle_cycles;
	uint64_t passes = st->packets + st->recirculations;

	put_line(s, "Iterations:", iterations, "%.2f us/it",
		ratio(cycles, iterations) * 1e6 / (double)rte_get_tsc_hz());
	put_line(s, "- Used TSC cycles:", cycles, "%5.1f %% of total cycles",
		100.0 * (double)cycles / (seconds * (double)rte_get_tsc_hz()));
	put_line(s, "- idle iterations:", st->idle_iterations, "%5.1f %% of used cycles",
		100 * ratio(st->idle_cycles, cycles));
	put_line(s, "- busy iterations:", st->busy_iterations, "%5.1f %% of used cycles",
		100 * ratio(st->busy_cycles, cycles));
	put_line(s, "- sleep iterations:", st->sleep_iterations, "%5.1f %% of iterations",
		100 * ratio(st->sleep_iterations, iterations));
	put_line(s, "Sleep time (us):", st->sleep_us, "%3.0f us/iteration avg.",
		ratio(st->sleep_us, st->sleep_iterations));
	put_line(s, "Rx packets:", st->packets, "%.0f Kpps, %.0f cycles/pkt",
		(double)st->packets / seconds / 1000, ratio(st->busy_cycles, st->packets));
	put_line(s, "Datapath passes:", passes, "%.2f passes/pkt", ratio(passes, st->packets));
	put_line(s, "- PHWOL hits:", 0, "%5.1f %%", 0.0);
	put_line(s, "- MFEX Opt hits:", 0, "%5.1f %%", 0.0);
	put_line(s, "- Simple Match hits:", 0, "%5.1f %%", 0.0);
	put_line(s, "- EMC hits:", st->exact_hits, "%5.1f %%", 100 * ratio(st->exact_hits, passes));
	put_line(s, "- SMC hits:", 0, "%5.1f %%", 0.0);
	put_line(s, "- Megaflow hits:", st->mega_hits, "%5.1f %%, %.2f subtbl lookups/hit",
		100 * ratio(st->mega_hits, passes), ratio(st->mega_lookups, st->mega_hits));
	put_line(s, "- Upcalls:", st->misses, "%5.1f %%, %.1f us/upcall",
		100 * ratio(st->misses, passes),
		ratio(st->miss_cycles, st->misses) * 1e6 / (double)rte_get_tsc_hz());
	put_line(s, "- Lost upcalls:", st->lost, "%5.1f %%", 100 * ratio(st->lost, passes));
	put_line(s, "Tx packets:", st->tx_packets, "%.0f Kpps",
		(double)st->tx_packets / seconds / 1000);
	put_line(s, "Tx batches:", st->tx_flushes, "%.2f pkts/batch",
		ratio(st->tx_packets, st->tx_flushes));
}

void dp_format_pmd_perf(const struct dp_pmd_format *f, struct sbuf *s)
{
	int64_t wall = clock_wall_ms();
	time_t seconds = wall / 1000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		int64_t ms = MAX(clock_ms() - dp.pmds[i]->cleared_ms, INT64_C(1));
		struct pmd_stats stats;

		if (!is_of(f, dp.pmds[i]))
			continue;
		stats_since_clear(dp.pmds[i], &stats);
		sbuf_putf(s, "Time: %02d:%02d:%02d.%03d\n", tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(wall % 1000));
		sbuf_putf(s, "Measurement duration: %.3f s\n\n", (double)ms / 1000);
		put_title(dp.pmds[i], s);
		sbuf_putc(s, '\n');
		put_perf(&stats, (double)ms / 1000, s);
		sbuf_putc(s, '\n');
	}
}

/* ------------------------------------------------------------------ receive queues */

static void put_rxqs(unsigned int pmd, const struct dp_device *device, unsigned int intervals,
	uint64_t *sum, struct sbuf *s)
{
	uint64_t total = dp_load_tsc(intervals);

	for (unsigned int q = 0; device->rxqs && q < device->port->n_rxq; q++) {
		const struct dp_rxq *rxq = &device->rxqs[q];
		uint64_t load = dp_rxq_load(rxq, intervals);

		if (rxq->pmd != (int)pmd)
			continue;
		*sum += load;
		sbuf_putf(s, "  port: %-16s  queue-id: %2u (enabled)   pmd usage: %2.0f %%\n",
			device->name, q, 100 * ratio(load, total));
	}
}

void dp_format_pmd_rxq(const struct dp_pmd_format *f, struct sbuf *s)
{
	unsigned int interval_s = DP_LOAD_INTERVAL_MS / 1000;
	unsigned int n = (f->seconds + interval_s - 1) / interval_s;
	const struct dp_device *device;
	uint64_t total;

	if (!n || n > DP_LOAD_INTERVALS)
		n = DP_LOAD_INTERVALS;
	total = dp_load_tsc(n);
	sbuf_putf(s, "Displaying last %u seconds pmd usage %%\n", n * interval_s);
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		uint64_t busy = dp_pmd_load(i, n), queues = 0;

		if (!is_of(f, dp.pmds[i]))
			continue;
		put_title(dp.pmds[i], s);
		sbuf_putf(s, "  isolated : %s\n", dp_pmd_is_isolated(i) ? "true" : "false");
		LIST_FOR_EACH (device, node, &dp.devices)
			put_rxqs(i, device, n, &queues, s);
		sbuf_putf(s, "  overhead: %2.0f %%\n",
			busy > queues ? 100 * ratio(busy - queues, total) : 0.0);
	}
}

/* ------------------------------------------------------------------ sleep */

static void put_wakes(struct sbuf *s, const char *what, uint64_t n, uint64_t cycles, uint64_t max)
{
	double us = (double)rte_get_tsc_hz() / 1e6;

	sbuf_putf(s, "  %-22s %12" PRIu64 "  (%.1f us late on average, %.1f us at most)\n", what, n,
		ratio(cycles, n) / us, (double)max / us);
}

void dp_format_pmd_sleep(struct sbuf *s)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		const struct pmd *pmd = dp.pmds[i];
		const struct pmd_wakes *w = &pmd->wakes;

		put_title(pmd, s);
		sbuf_putf(s, "  %-22s %12u\n", "longest sleep (us):", atomic_load(&pmd->sleep_max_us));
		sbuf_putf(s, "  %-22s %12" PRIu64 "\n", "sleeps:", stat_get(&pmd->stats.sleep_iterations));
		put_wakes(s, "woken by control:", stat_get(&w->calls), stat_get(&w->call_cycles),
			stat_get(&w->call_max));
		put_wakes(s, "woken by the clock:", stat_get(&w->timeouts),
			stat_get(&w->timeout_cycles), stat_get(&w->timeout_max));
	}
}
