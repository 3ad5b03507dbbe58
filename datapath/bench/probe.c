/* SPDX-License-Identifier: Apache-2.0 */
/* The far side: a device's own counts, and a look at what it sends. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/bench/bench.h"
#include "lib/fatal.h"
#include "lib/util.h"

/* Buckets of latency: 16 for each doubling of TSC cycles. */
#define SUB_BITS 4
#define N_BUCKETS (64 << SUB_BITS)

struct bench_probe {
	uint16_t port;
	struct bench_probe_config config;
	const struct rte_eth_rxtx_callback *callback;
	_Atomic uint64_t packets;
	_Atomic unsigned int n_samples;
	struct bench_sample *samples;
	uint64_t n_latencies;
	uint64_t buckets[N_BUCKETS];
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

static void read_stamp(struct bench_probe *probe, struct rte_mbuf *m, uint64_t now)
{
	uint64_t arrival;

	if (probe->config.stamp_ofs > m->data_len)
		return;
	memcpy(&arrival, rte_pktmbuf_mtod_offset(m, void *, m->data_len - probe->config.stamp_ofs),
		sizeof arrival);
	if (arrival > now)
		return;
	probe->buckets[bucket_of(now - arrival)]++;
	probe->n_latencies++;
}

static void take_sample(struct bench_probe *probe, struct rte_mbuf *m)
{
	unsigned int n = atomic_load_explicit(&probe->n_samples, memory_order_relaxed);
	struct bench_sample *sample = &probe->samples[n];

	sample->len = m->pkt_len;
	memcpy(sample->frame, rte_pktmbuf_mtod(m, void *), MIN(m->data_len, BENCH_SAMPLE_MAX));
	atomic_store_explicit(&probe->n_samples, n + 1, memory_order_release);
}

static uint16_t on_send(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n, void *aux)
{
	struct bench_probe *probe = aux;
	uint64_t seen = atomic_load_explicit(&probe->packets, memory_order_relaxed);

	if (probe->config.stamp_ofs) {
		uint64_t now = rte_rdtsc();

		for (uint16_t i = 0; i < n; i++)
			read_stamp(probe, mbufs[i], now);
	}
	for (uint16_t i = 0; i < n; i++)
		if (!((seen + i) % probe->config.every) &&
			atomic_load_explicit(&probe->n_samples, memory_order_relaxed) <
				probe->config.n_samples)
			take_sample(probe, mbufs[i]);
	atomic_store_explicit(&probe->packets, seen + n, memory_order_relaxed);
	return n;
}

int bench_probe_attach(const char *device, const struct bench_probe_config *config,
	struct bench_probe **probep)
{
	struct bench_probe *probe;
	uint16_t port;

	if (rte_eth_dev_get_port_by_name(device, &port))
		return -ENODEV;
	probe = xcalloc(1, sizeof *probe);
	probe->port = port;
	probe->config = *config;
	probe->config.every = MAX(config->every, 1u);
	probe->samples = xcalloc(MAX(config->n_samples, 1u), sizeof *probe->samples);
	probe->callback = rte_eth_add_tx_callback(port, 0, on_send, probe);
	if (!probe->callback) {
		bench_probe_detach(probe);
		return -ENOTSUP;
	}
	*probep = probe;
	return 0;
}

void bench_probe_detach(struct bench_probe *probe)
{
	if (!probe)
		return;
	if (probe->callback)
		rte_eth_remove_tx_callback(probe->port, 0, probe->callback);
	free(probe->samples);
	free(probe);
}

uint64_t bench_probe_packets(const struct bench_probe *probe)
{
	return atomic_load(&probe->packets);
}

unsigned int bench_probe_samples(const struct bench_probe *probe, const struct bench_sample **samples)
{
	*samples = probe->samples;
	return atomic_load_explicit(&probe->n_samples, memory_order_acquire);
}

uint64_t bench_probe_latency_ns(const struct bench_probe *probe, double share)
{
	uint64_t want = (uint64_t)((double)probe->n_latencies * share), seen = 0;

	if (!probe->n_latencies)
		return 0;
	want = MAX(want, UINT64_C(1));
	for (unsigned int bucket = 0; bucket < N_BUCKETS; bucket++) {
		seen += probe->buckets[bucket];
		if (seen >= want)
			return (uint64_t)((double)bucket_top(bucket) * 1e9 /
				(double)rte_get_tsc_hz());
	}
	return 0;
}
