/* SPDX-License-Identifier: Apache-2.0 */
/* The generator in a device's receive path: counts flows on, and lets frames through at a pace. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "datapath/bench/traffic.h"
#include "lib/fatal.h"
#include "lib/util.h"

struct cursor {
	uint64_t i, n;			/* Flow number, below n (0: no end). */
	struct stream_edits edits;
};

struct bench_source {
	uint16_t port;
	struct bench_source_config config;
	const struct rte_eth_rxtx_callback *callback;
	uint8_t pattern[BENCH_MAX_PATTERN];
	unsigned int turn, slot;
	unsigned int n_streams;
	struct cursor cursors[BENCH_MAX_STREAMS];
	/* Paced. */
	uint64_t start_tsc, due, passed, lost;
	double frames_per_tsc;
	_Atomic uint64_t taken, total_lost;
};

static inline void advance(struct cursor *cursor, struct rte_mbuf *m)
{
	stream_edits_apply(&cursor->edits, cursor->i, rte_pktmbuf_mtod(m, uint8_t *));
	cursor->i++;
	if (unlikely(cursor->i == cursor->n))
		cursor->i = 0;
}

static inline void rewrite(struct bench_source *source, struct rte_mbuf **mbufs, uint16_t n)
{
	if (source->n_streams == 1) {
		struct cursor *cursor = &source->cursors[0];

		for (uint16_t i = 0; i < n; i++)
			advance(cursor, mbufs[i]);
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		advance(&source->cursors[source->pattern[source->slot]], mbufs[i]);
		source->slot++;
		if (source->slot == source->turn)
			source->slot = 0;
	}
}

static void stamp(const struct bench_source *source, struct rte_mbuf *m, uint64_t i)
{
	uint64_t arrival = source->start_tsc + (uint64_t)((double)i / source->frames_per_tsc);

	memcpy(rte_pktmbuf_mtod_offset(m, void *, source->config.stamp_ofs), &arrival,
		sizeof arrival);
}

/* As a NIC's ring of `queue` frames that fills at the pace: gives what is due, forgets what did not fit. */
static uint16_t pace(struct bench_source *source, struct rte_mbuf **mbufs, uint16_t n)
{
	uint64_t now = rte_rdtsc(), gone, due;
	uint16_t take;

	if (unlikely(!source->start_tsc))
		source->start_tsc = now;
	source->due = (uint64_t)((double)(now - source->start_tsc) * source->frames_per_tsc);
	gone = source->passed + source->lost;
	due = source->due - gone;
	if (due > source->config.queue) {
		source->lost += due - source->config.queue;
		atomic_store_explicit(&source->total_lost, source->lost, memory_order_relaxed);
		gone = source->passed + source->lost;
		due = source->config.queue;
	}
	take = (uint16_t)MIN((uint64_t)n, due);
	if (source->config.stamp)
		for (uint16_t i = 0; i < take; i++)
			stamp(source, mbufs[i], gone + i);
	rte_pktmbuf_free_bulk(mbufs + take, n - take);
	source->passed += take;
	return take;
}

static uint16_t on_receive(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
	uint16_t max, void *aux)
{
	struct bench_source *source = aux;

	if (source->config.rewrite)
		rewrite(source, mbufs, n);
	if (source->frames_per_tsc > 0)
		n = pace(source, mbufs, n);
	atomic_store_explicit(&source->taken,
		atomic_load_explicit(&source->taken, memory_order_relaxed) + n, memory_order_relaxed);
	return n;
}

int bench_source_attach(const char *device, const struct bench_traffic *traffic,
	const struct bench_source_config *config, struct bench_source **sourcep)
{
	struct bench_source *source;
	uint16_t port;

	if (rte_eth_dev_get_port_by_name(device, &port))
		return -ENODEV;
	if (bench_traffic_turn(traffic) > BENCH_MAX_PATTERN)
		return -E2BIG;
	source = xaligned_calloc(64, sizeof *source);
	source->port = port;
	source->config = *config;
	source->turn = traffic_pattern(traffic, source->pattern);
	source->n_streams = traffic->n_streams;
	for (unsigned int s = 0; s < traffic->n_streams; s++) {
		source->cursors[s].n = traffic->streams[s].n_flows;
		stream_edits_init(&source->cursors[s].edits, &traffic->streams[s]);
	}
	bench_source_pace(source, config->pps);
	if (config->rewrite || config->pps > 0) {
		source->callback = rte_eth_add_rx_callback(port, 0, on_receive, source);
		if (!source->callback) {
			free(source);
			return -ENOTSUP;
		}
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

void bench_source_pace(struct bench_source *source, double pps)
{
	source->frames_per_tsc = pps / (double)rte_get_tsc_hz();
	source->start_tsc = source->due = source->passed = source->lost = 0;
	atomic_store(&source->taken, 0);
	atomic_store(&source->total_lost, 0);
}

void bench_source_counts(const struct bench_source *source, struct bench_source_counts *counts)
{
	counts->taken = atomic_load(&source->taken);
	counts->lost = atomic_load(&source->total_lost);
	counts->offered = counts->taken + counts->lost;
}
