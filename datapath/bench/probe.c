/* SPDX-License-Identifier: Apache-2.0 */
/* The far side: a device's own counts, and a look at what it sends. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/bench/bench.h"
#include "datapath/bench/traffic.h"
#include "lib/fatal.h"
#include "lib/util.h"

#define SUB_BITS BENCH_LATENCY_SUB_BITS
#define SAMPLE_EVERY 1009
#define SAMPLES_AT_ONCE 8	/* The first ones, for those that are slow. */

#define MAX_QUEUES 64

struct bench_probe {
	uint16_t port, n_queues;
	struct bench_watch *watch;
	const struct rte_eth_rxtx_callback *callbacks[MAX_QUEUES];
};

int bench_device_counts(const char *device, struct bench_device_counts *counts)
{
	struct rte_eth_stats stats;
	uint16_t port;

	if (rte_eth_dev_get_port_by_name(device, &port) || rte_eth_stats_get(port, &stats))
		return -ENODEV;
	*counts = (struct bench_device_counts){
		.rx_packets = stats.ipackets,
		.rx_bytes = stats.ibytes,
		.tx_packets = stats.opackets,
		.tx_bytes = stats.obytes,
		.tx_errors = stats.oerrors,
	};
	return 0;
}

static unsigned int bucket_of(uint64_t cycles)
{
	unsigned int shift;

	if (cycles < 1u << SUB_BITS)
		return (unsigned int)cycles;
	shift = 63u - (unsigned int)__builtin_clzll(cycles) - SUB_BITS;
	return ((shift + 1) << SUB_BITS) + (unsigned int)(cycles >> shift & ((1u << SUB_BITS) - 1));
}

/* The largest number of cycles that BUCKET stands for. */
static uint64_t bucket_top(unsigned int bucket)
{
	unsigned int shift = bucket >> SUB_BITS;
	uint64_t low = bucket & ((1u << SUB_BITS) - 1);

	if (!shift)
		return low;
	return ((low | 1u << SUB_BITS) + 1) << (shift - 1);
}

static void read_stamp(struct bench_watch *watch, struct rte_mbuf *m, uint64_t now)
{
	_Atomic uint64_t *bucket;
	uint64_t arrival;

	if (m->data_len < sizeof arrival)
		return;
	memcpy(&arrival, rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len) - sizeof arrival,
		sizeof arrival);
	/* Else it is no stamp: a packet of the switch's own. */
	if (arrival > now || now - arrival > UINT64_C(1) << 35)
		return;
	bucket = &watch->latencies[bucket_of(now - arrival)];
	atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

static void take_sample(struct bench_watch *watch, struct rte_mbuf *m)
{
	uint32_t n = atomic_load_explicit(&watch->n_samples, memory_order_relaxed);
	struct bench_sample *sample = &watch->samples[n];

	if (n >= BENCH_SAMPLES)
		return;
	sample->len = m->pkt_len;
	memcpy(sample->frame, rte_pktmbuf_mtod(m, void *), MIN(m->data_len, BENCH_SAMPLE_MAX));
	atomic_store_explicit(&watch->n_samples, n + 1, memory_order_release);
}

static uint16_t on_send(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n, void *aux)
{
	struct bench_watch *watch = ((struct bench_probe *)aux)->watch;
	uint64_t seen = atomic_fetch_add_explicit(&watch->packets, n, memory_order_relaxed);

	if (unlikely(atomic_load_explicit(&watch->stamped, memory_order_relaxed))) {
		uint64_t now = rte_rdtsc() -
			atomic_load_explicit(&bench_stolen_tsc, memory_order_relaxed);

		for (uint16_t i = 0; i < n; i++)
			read_stamp(watch, mbufs[i], now);
	}
	if (unlikely(atomic_load_explicit(&watch->sampling, memory_order_relaxed)))
		for (uint16_t i = 0; i < n; i++)
			if (!((seen + i) % SAMPLE_EVERY) || watch->n_samples < SAMPLES_AT_ONCE)
				take_sample(watch, mbufs[i]);
	return n;
}

int bench_probe_extend(struct bench_probe *probe)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(probe->port, &info) || !info.nb_tx_queues)
		return -ENODEV;
	while (probe->n_queues < MIN(info.nb_tx_queues, (uint16_t)MAX_QUEUES)) {
		probe->callbacks[probe->n_queues] =
			rte_eth_add_tx_callback(probe->port, probe->n_queues, on_send, probe);
		if (!probe->callbacks[probe->n_queues])
			return -ENOTSUP;
		probe->n_queues++;
	}
	return 0;
}

int bench_probe_attach(const char *device, struct bench_watch *watch, struct bench_probe **probep)
{
	struct bench_probe *probe;
	uint16_t port;
	int err;

	if (rte_eth_dev_get_port_by_name(device, &port))
		return -ENODEV;
	probe = xcalloc(1, sizeof *probe);
	probe->port = port;
	probe->watch = watch;
	err = bench_probe_extend(probe);
	if (err)
		bench_probe_detach(probe);
	else
		*probep = probe;
	return err;
}

void bench_probe_detach(struct bench_probe *probe)
{
	if (!probe)
		return;
	while (probe->n_queues) {
		probe->n_queues--;
		rte_eth_remove_tx_callback(probe->port, probe->n_queues,
			probe->callbacks[probe->n_queues]);
	}
	free(probe);
}

void bench_watch_begin(struct bench_watch *watch, bool sampling, bool stamped)
{
	atomic_store(&watch->sampling, false);
	atomic_store(&watch->stamped, false);
	atomic_store(&watch->n_samples, 0);
	for (unsigned int i = 0; i < BENCH_LATENCY_BUCKETS; i++)
		atomic_store_explicit(&watch->latencies[i], 0, memory_order_relaxed);
	atomic_store(&watch->sampling, sampling);
	atomic_store(&watch->stamped, stamped);
}

uint64_t bench_watch_latency(const struct bench_watch *const *watches, unsigned int n, double share)
{
	uint64_t sums[BENCH_LATENCY_BUCKETS] = {0}, total = 0, want, seen = 0;

	for (unsigned int w = 0; w < n; w++)
		for (unsigned int i = 0; i < BENCH_LATENCY_BUCKETS; i++) {
			sums[i] += atomic_load(&watches[w]->latencies[i]);
			total += atomic_load(&watches[w]->latencies[i]);
		}
	want = MAX((uint64_t)((double)total * share), UINT64_C(1));
	for (unsigned int i = 0; i < BENCH_LATENCY_BUCKETS; i++) {
		seen += sums[i];
		if (seen >= want)
			return bucket_top(i);
	}
	return 0;
}
