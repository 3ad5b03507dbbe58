/* SPDX-License-Identifier: Apache-2.0 */
/* The generator in a device's receive path: counts flows on, and lets frames through at a pace. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "datapath/bench/traffic.h"
#include "lib/fatal.h"
#include "lib/util.h"

/* A pause between two polls that is worth asking the kernel about. */
#define GAP_US 20

struct cursor {
	uint64_t i, n;			/* Flow number less the first, below n (0: no end). */
	uint64_t taken;
	struct stream_edits edits;
};

/* A clock that stands while other threads have this one's core: what they take is no fault of the switch. */
struct pace_clock {
	uint64_t start, last, stolen;	/* TSC. */
	uint64_t cpu_ns;
	long n_preempted;
};

struct bench_source {
	uint16_t port;
	bool rewrite, stamp;
	uint32_t heard;
	unsigned int turn, slot;
	unsigned int n_streams;
	uint64_t first;
	struct bench_control *control;
	const struct rte_eth_rxtx_callback *callback;
	uint8_t pattern[BENCH_MAX_PATTERN];
	struct cursor cursors[BENCH_MAX_STREAMS];
	uint64_t endless;		/* Flows of streams without an end that were used under earlier orders. */
	uint64_t passed, lost;
	/* Paced. */
	uint32_t queue;
	double frames_per_tsc;
	struct pace_clock clock;
};

_Atomic uint64_t bench_stolen_tsc;

/* ------------------------------------------------------------------ orders */

void bench_order(struct bench_control *control, const struct bench_orders *orders)
{
	control->orders = *orders;
	atomic_store(&control->taken, 0);
	atomic_store(&control->lost, 0);
	for (unsigned int s = 0; s < BENCH_MAX_STREAMS; s++)
		atomic_store(&control->streams[s], 0);
	atomic_store_explicit(&control->told,
		atomic_load_explicit(&control->told, memory_order_relaxed) + 1, memory_order_release);
}

bool bench_order_heard(const struct bench_control *control)
{
	return atomic_load_explicit(&control->heard, memory_order_acquire) ==
		atomic_load_explicit(&control->told, memory_order_relaxed);
}

static void publish_counts(const struct bench_source *source)
{
	struct bench_control *control = source->control;

	atomic_store_explicit(&control->taken, source->passed, memory_order_relaxed);
	atomic_store_explicit(&control->lost, source->lost, memory_order_relaxed);
	for (unsigned int s = 0; s < source->n_streams; s++)
		atomic_store_explicit(&control->streams[s], source->cursors[s].taken,
			memory_order_relaxed);
}

static void listen_to(struct bench_source *source, uint32_t told)
{
	const struct bench_orders *orders = &source->control->orders;

	source->rewrite = orders->rewrite;
	source->first = orders->first;
	source->queue = orders->queue;
	source->stamp = orders->stamp;
	source->frames_per_tsc = orders->pps / (double)rte_get_tsc_hz();
	source->passed = source->lost = 0;
	source->slot = 0;
	source->turn = traffic_pattern(&orders->traffic, source->pattern);
	source->n_streams = orders->traffic.n_streams;
	for (unsigned int s = 0; s < BENCH_MAX_STREAMS; s++)
		if (!source->cursors[s].n)
			source->endless = MAX(source->endless, source->cursors[s].i);
	for (unsigned int s = 0; s < source->n_streams; s++) {
		uint64_t n = orders->traffic.streams[s].n_flows;

		/* What never repeats does not do so in the next trial either. */
		source->cursors[s] = (struct cursor){.n = n, .i = n ? 0 : source->endless};
		stream_edits_init(&source->cursors[s].edits, &orders->traffic.streams[s]);
	}
	source->clock = (struct pace_clock){0};
	atomic_store(&bench_stolen_tsc, 0);
	publish_counts(source);
	atomic_store(&source->control->tid, (int)gettid());
	source->heard = told;
	atomic_store_explicit(&source->control->heard, told, memory_order_release);
}

/* ------------------------------------------------------------------ flows */

static inline void advance(struct bench_source *source, struct cursor *cursor, struct rte_mbuf *m)
{
	stream_edits_apply(&cursor->edits, source->first + cursor->i, rte_pktmbuf_mtod(m, uint8_t *));
	cursor->taken++;
	cursor->i++;
	if (unlikely(cursor->i == cursor->n))
		cursor->i = 0;
}

static inline void rewrite(struct bench_source *source, struct rte_mbuf **mbufs, uint16_t n)
{
	if (source->n_streams == 1) {
		for (uint16_t i = 0; i < n; i++)
			advance(source, &source->cursors[0], mbufs[i]);
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		advance(source, &source->cursors[source->pattern[source->slot]], mbufs[i]);
		source->slot++;
		if (source->slot == source->turn)
			source->slot = 0;
	}
}

/* ------------------------------------------------------------------ pace */

static uint64_t thread_cpu_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now))
		return 0;
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static long n_preempted(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nivcsw;
}

/* Wall time since the last look that was not CPU time, if the thread was put aside against its will. */
static void look_for_thieves(struct pace_clock *clock, uint64_t now)
{
	long n = n_preempted();
	uint64_t cpu_ns = thread_cpu_ns();
	double mine;

	if (n != clock->n_preempted) {
		mine = (double)(cpu_ns - clock->cpu_ns) * (double)rte_get_tsc_hz() / 1e9;
		if (mine < (double)(now - clock->start - clock->stolen)) {
			clock->stolen = now - clock->start - (uint64_t)mine;
			atomic_store_explicit(&bench_stolen_tsc, clock->stolen, memory_order_relaxed);
		}
	} else {
		/* It slept, by its own choice: time that counts. */
		clock->cpu_ns = cpu_ns - (uint64_t)((double)(now - clock->start - clock->stolen) * 1e9 /
			(double)rte_get_tsc_hz());
	}
	clock->n_preempted = n;
}

/* TSC cycles since the orders. */
static uint64_t pace_now(struct pace_clock *clock)
{
	uint64_t now = rte_rdtsc();

	if (unlikely(!clock->start)) {
		clock->start = clock->last = now;
		clock->cpu_ns = thread_cpu_ns();
		clock->n_preempted = n_preempted();
	}
	if (unlikely(now - clock->last > rte_get_tsc_hz() / 1000000 * GAP_US))
		look_for_thieves(clock, now);
	clock->last = now;
	return now - clock->start - clock->stolen;
}

static void stamp(const struct bench_source *source, struct rte_mbuf *m, uint64_t i)
{
	uint64_t arrival = source->clock.start + (uint64_t)((double)i / source->frames_per_tsc);

	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len) - sizeof arrival, &arrival,
		sizeof arrival);
}

/* As a NIC's ring of `queue` frames that fills at the pace: gives what is due, forgets what did not fit. */
static uint16_t pace(struct bench_source *source, struct rte_mbuf **mbufs, uint16_t n)
{
	uint64_t now = pace_now(&source->clock), gone = source->passed + source->lost, due;
	uint16_t take;

	due = (uint64_t)((double)now * source->frames_per_tsc) - gone;
	if (due > source->queue) {
		source->lost += due - source->queue;
		gone += due - source->queue;
		due = source->queue;
	}
	take = (uint16_t)MIN((uint64_t)n, due);
	if (source->stamp)
		for (uint16_t i = 0; i < take; i++)
			stamp(source, mbufs[i], gone + i);
	rte_pktmbuf_free_bulk(mbufs + take, n - take);
	return take;
}

static uint16_t on_receive(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
	uint16_t max, void *aux)
{
	struct bench_source *source = aux;
	uint32_t told = atomic_load_explicit(&source->control->told, memory_order_acquire);
	uint16_t came = n;

	if (unlikely(told != source->heard))
		listen_to(source, told);
	if (unlikely(atomic_load_explicit(&source->control->hold, memory_order_relaxed))) {
		rte_pktmbuf_free_bulk(mbufs, n);
		atomic_fetch_add(&source->control->held_polls, 1);
		return 0;
	}
	if (source->frames_per_tsc > 0)
		n = pace(source, mbufs, n);
	if (source->rewrite) {
		rewrite(source, mbufs, n);
		/* The file went on past the frames that were not due. */
		if (n < came && source->n_streams > 1)
			source->slot = (source->slot + came - n) % source->turn;
	}
	source->passed += n;
	publish_counts(source);
	return n;
}

/* ------------------------------------------------------------------ life */

int bench_source_attach(const char *device, struct bench_control *control,
	struct bench_source **sourcep)
{
	struct bench_source *source;
	uint16_t port;

	if (rte_eth_dev_get_port_by_name(device, &port))
		return -ENODEV;
	source = xaligned_calloc(64, sizeof *source);
	source->port = port;
	source->control = control;
	source->callback = rte_eth_add_rx_callback(port, 0, on_receive, source);
	if (!source->callback) {
		free(source);
		return -ENOTSUP;
	}
	*sourcep = source;
	return 0;
}

void bench_source_detach(struct bench_source *source)
{
	if (!source)
		return;
	if (source->callback)
		rte_eth_remove_rx_callback(source->port, 0, source->callback);
	free(source);
}
