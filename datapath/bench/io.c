/* SPDX-License-Identifier: Apache-2.0 */
/* The bare loop over devices, and what the PMD threads did: both by the thread's own CPU time. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datapath/bench/bench.h"
#include "datapath/dp_private.h"
#include "lib/clock.h"

#define HOLD_CPU_NS UINT64_C(5000000000)	/* More than any burst takes ... */
#define HOLD_TIMEOUT_MS 120000			/* ... however long the machine lets it wait for its core. */

struct io {
	unsigned int n;
	struct {
		uint16_t from, to;
	} ports[BENCH_MAX_LOOPS];
	int core;
	unsigned int ms;
	struct bench_work work;
};

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		return 0;
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

double bench_cycles(const struct bench_work *work)
{
	if (!work->packets)
		return 0;
	return (double)work->cpu_ns * ((double)rte_get_tsc_hz() / 1e9) / (double)work->packets;
}

/* ------------------------------------------------------------------ bare loop */

static unsigned int turn(const struct io *io)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	unsigned int total = 0;

	for (unsigned int i = 0; i < io->n; i++) {
		uint16_t n = rte_eth_rx_burst(io->ports[i].from, 0, mbufs, PORT_BURST), sent;

		if (!n)
			continue;
		sent = rte_eth_tx_burst(io->ports[i].to, 0, mbufs, n);
		rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
		total += n;
	}
	return total;
}

static void *io_main(void *aux)
{
	struct io *io = aux;
	uint64_t tsc_end, cpu, wall, tsc, packets = 0;
	cpu_set_t set;

	if (io->core >= 0) {
		CPU_ZERO(&set);
		CPU_SET(io->core, &set);
		pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	}
	/* As PMDs are: with a cache of the packet pool. */
	rte_thread_register();
	for (unsigned int i = 0; i < 1000; i++)
		turn(io);
	cpu = read_ns(CLOCK_THREAD_CPUTIME_ID);
	wall = (uint64_t)clock_ns();
	tsc = rte_rdtsc();
	tsc_end = tsc + (uint64_t)io->ms * (rte_get_tsc_hz() / 1000);
	while (rte_rdtsc() < tsc_end)
		for (unsigned int i = 0; i < 64; i++)
			packets += turn(io);
	io->work = (struct bench_work){
		.packets = packets,
		.cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID) - cpu,
		.wall_ns = (uint64_t)clock_ns() - wall,
		.tsc = rte_rdtsc() - tsc,
	};
	rte_thread_unregister();
	return NULL;
}

int bench_io_run(const struct bench_loop *loops, unsigned int n_loops, int core, unsigned int ms,
	struct bench_work *work)
{
	struct io io = {.n = n_loops, .core = core, .ms = ms};
	pthread_t thread;
	int err;

	if (n_loops > BENCH_MAX_LOOPS)
		return -E2BIG;
	for (unsigned int i = 0; i < n_loops; i++)
		if (rte_eth_dev_get_port_by_name(loops[i].from, &io.ports[i].from) ||
			rte_eth_dev_get_port_by_name(loops[i].to, &io.ports[i].to))
			return -ENODEV;
	err = pthread_create(&thread, NULL, io_main, &io);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	*work = io.work;
	return 0;
}

/* ------------------------------------------------------------------ PMDs */

/* Turns without packets: two more of them, and one began after the hold did. */
static uint64_t idle_turns(const struct pmd *pmd)
{
	return stat_get(&pmd->stats.idle_iterations);
}

static uint64_t cpu_ns(const struct pmd *pmd)
{
	clockid_t clock;

	return pthread_getcpuclockid(pmd->thread, &clock) ? 0 : read_ns(clock);
}

/* On a machine with much else to do a thread may wait for seconds: its own time counts. */
static int wait_for_rest(const struct pmd *pmd, uint64_t turns)
{
	int64_t deadline = clock_ms() + HOLD_TIMEOUT_MS;
	uint64_t begin = cpu_ns(pmd);

	while (idle_turns(pmd) < turns) {
		if (cpu_ns(pmd) - begin > HOLD_CPU_NS || clock_ms() > deadline)
			return -ETIMEDOUT;
		usleep(200);
	}
	return 0;
}

int bench_hold(bool hold)
{
	uint64_t before[PMD_MAX];
	int err = 0;

	if (!dp.n_pmds)
		return -ENODEV;
	dp_hold(hold);
	if (!hold)
		return 0;
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		before[i] = idle_turns(dp.pmds[i]);
	for (unsigned int i = 0; i < dp.n_pmds && !err; i++)
		err = wait_for_rest(dp.pmds[i], before[i] + 2);
	return err;
}

int bench_pmd_read(struct bench_pmd_reading *reading)
{
	memset(reading, 0, sizeof *reading);
	if (!dp.n_pmds)
		return -ENODEV;
	reading->n_pmds = dp.n_pmds;
	reading->core = dp.pmds[0]->core;
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		const struct pmd *pmd = dp.pmds[i];

		reading->work.cpu_ns += cpu_ns(pmd);
		reading->work.packets += stat_get(&pmd->stats.packets);
		reading->exact_hits += stat_get(&pmd->stats.exact_hits);
		reading->mega_hits += stat_get(&pmd->stats.mega_hits);
		reading->misses += stat_get(&pmd->stats.misses);
		reading->uncached += stat_get(&pmd->stats.uncached);
		reading->lost += stat_get(&pmd->stats.lost);
		for (int class = 0; class < FLOW_KEY_N_CLASSES; class++)
			reading->cache_bytes += exact_memory(&pmd->exact[class]);
		reading->sleep_us += stat_get(&pmd->stats.sleep_us);
	}
	reading->work.wall_ns = (uint64_t)clock_ns();
	reading->work.tsc = rte_rdtsc();
	return 0;
}
