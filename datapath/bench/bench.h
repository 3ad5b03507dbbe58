/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a benchmark needs from inside the datapath: a generator of more flows than it has frames, counts
 * and samples at the far side, the bare loop over the same devices, and the clock of the PMD thread.
 *
 * Words: `device`: a DPDK device by its name ("net_pcap0"), opened as a port by dp_port_open(). `frame`:
 * one record of a pcap file, which net_pcap replays for ever with infinite_rx=1. `stream`: frames that
 * differ only in a few words, which count the flows. `cycles` are those of the TSC, whatever the
 * core's real frequency; they are reckoned from thread CPU time, so time that others took is not in them.
 *
 * A generator sits in the receive path of its device (a callback after each burst): whoever polls the
 * device, PMD or bare loop, pays for it alike.
 *
 * Threads: all on control. Devices must not be polled (dp_hold()) while a source or a probe is attached
 * or detached and while the bare loop runs. Errors: 0 or -errno.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_FRAME_MAX 1536
#define BENCH_MAX_EDITS 4
#define BENCH_MAX_STREAMS 8
#define BENCH_MAX_PATTERN 1024
#define BENCH_SAMPLE_MAX 256
#define BENCH_MAX_LOOPS 8

/* ------------------------------------------------------------------ traffic */

/* How the value of a word follows from the number of the flow. */
enum bench_edit_op {
	BENCH_COUNT,		/* base + ((i >> shift & mask) << lshift) */
	BENCH_RANDOM,		/* The same, of a random number that i determines. */
	BENCH_FLIP,		/* base with one bit flipped: bit (i >> shift & mask) + lshift. */
	BENCH_FLIP_RANDOM,	/* The same, and the bits below it random. */
};

/* One 4-byte word, big-endian, at OFS of the frame. Edits are done in order; words may overlap. */
struct bench_edit {
	uint16_t ofs;
	uint8_t op;		/* enum bench_edit_op. */
	uint8_t shift, lshift;
	bool in_ip;		/* Covered by the checksum of the header at ip_ofs. */
	uint32_t mask;
	uint32_t base;
};

struct bench_stream {
	uint16_t len;
	uint16_t ip_ofs;	/* Of the IPv4 header whose checksum follows the edits; 0: none. */
	uint16_t n_edits;
	uint16_t weight;	/* So many of each turn of the pattern. */
	uint64_t n_flows;	/* After which it begins again; 0: never. */
	struct bench_edit edits[BENCH_MAX_EDITS];
	uint8_t frame[BENCH_FRAME_MAX];
};

/* Streams mixed by weight, evenly. */
struct bench_traffic {
	unsigned int n_streams;
	struct bench_stream streams[BENCH_MAX_STREAMS];
};

/* Frames after which the traffic repeats; 0: never. */
uint64_t bench_traffic_period(const struct bench_traffic *traffic);
/* The Ith frame into FRAME (BENCH_FRAME_MAX bytes); its length. */
uint32_t bench_traffic_frame(const struct bench_traffic *traffic, uint64_t i, uint8_t *frame);
/* Writes the first N frames as a pcap file. */
int bench_traffic_write(const struct bench_traffic *traffic, uint64_t n, const char *path);
/* Turns of the pattern: sum of the weights. */
unsigned int bench_traffic_turn(const struct bench_traffic *traffic);

/* ------------------------------------------------------------------ source */

struct bench_source;

/* How a device's frames, those of the traffic in order, are changed on the way in. */
struct bench_orders {
	bool rewrite;		/* Count flows on, past what the file has. */
	bool stamp;		/* Paced: the last 8 bytes of a frame tell its time of arrival, for a probe. */
	uint32_t queue;		/* Paced: frames that wait for whoever polls; those beyond are lost. */
	double pps;		/* Frames a second at most; 0: as fast as they are polled. */
	uint64_t first;		/* Rewriting: number of each stream's first flow. */
	struct bench_traffic traffic;
};

/*
 * Orders to a source, and what it did since the last ones. Plain memory, which the polling thread's
 * process may share with another one. New orders only after the last ones were heard, or while nobody
 * polls.
 */
struct bench_control {
	_Atomic uint32_t told, heard;
	_Atomic bool hold;		/* Nothing comes; for those who can't stop the poller. */
	_Atomic uint32_t held_polls;	/* What was taken before the last but one has been dealt with. */
	_Atomic int tid;		/* Of the thread that heard the last orders. */
	struct bench_orders orders;
	_Atomic uint64_t taken;		/* Frames given to whoever polled. */
	_Atomic uint64_t lost;		/* ... for which the queue was full. */
	_Atomic uint64_t streams[BENCH_MAX_STREAMS];	/* Taken, by stream; if rewriting. */
};

void bench_order(struct bench_control *control, const struct bench_orders *orders);
bool bench_order_heard(const struct bench_control *control);

/* CONTROL must last as long as the source; without orders so far nothing is changed. */
int bench_source_attach(const char *device, struct bench_control *control,
	struct bench_source **source);
void bench_source_detach(struct bench_source *source);

/* ------------------------------------------------------------------ far side */

struct bench_device_counts {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes, tx_errors;
};

/* The driver's own counts. -ENODEV: there is no such device. */
int bench_device_counts(const char *device, struct bench_device_counts *counts);

struct bench_sample {
	uint32_t len;
	uint8_t frame[BENCH_SAMPLE_MAX];	/* The first bytes. */
};

#define BENCH_SAMPLES 64
#define BENCH_LATENCY_SUB_BITS 4	/* Buckets: 16 for each doubling of TSC cycles. */
#define BENCH_LATENCY_BUCKETS (64 << BENCH_LATENCY_SUB_BITS)

/* What a probe sees of a device's packets as they leave; as bench_control memory that may be shared. */
struct bench_watch {
	_Atomic uint64_t packets;
	_Atomic bool sampling;		/* Take copies of one packet in SAMPLE_EVERY. */
	_Atomic bool stamped;		/* Read stamps: latencies. */
	_Atomic uint32_t n_samples;
	_Atomic uint64_t latencies[BENCH_LATENCY_BUCKETS];
	struct bench_sample samples[BENCH_SAMPLES];
};

struct bench_probe;

/* WATCH must last as long as the probe. */
int bench_probe_attach(const char *device, struct bench_watch *watch, struct bench_probe **probe);
void bench_probe_detach(struct bench_probe *probe);
/* Takes transmit queues in that came since. */
int bench_probe_extend(struct bench_probe *probe);
/* Forgets samples and latencies; begins to look for what is asked. */
void bench_watch_begin(struct bench_watch *watch, bool sampling, bool stamped);
/* TSC cycles that SHARE (0 to 1) of the stamped packets took at most. 0 if there were none. */
uint64_t bench_watch_latency(const struct bench_watch *const *watches, unsigned int n, double share);

/* ------------------------------------------------------------------ clocks and loops */

/* What a thread did in a while. */
struct bench_work {
	uint64_t packets;
	uint64_t cpu_ns;	/* CPU time of the thread. */
	uint64_t wall_ns;
	uint64_t tsc;
};

/* TSC cycles of CPU time per packet; 0 without packets. */
double bench_cycles(const struct bench_work *work);

struct bench_loop {
	const char *from, *to;
};

/* Receives from each `from` and sends to its `to`, nothing else, on a thread on CORE (-1: any) for MS
 * milliseconds. */
int bench_io_run(const struct bench_loop *loops, unsigned int n_loops, int core, unsigned int ms,
	struct bench_work *work);

/* What the PMD threads have done so far. */
struct bench_pmd_reading {
	struct bench_work work;		/* Summed; tsc and wall are those of now. */
	unsigned int n_pmds;
	int core;			/* Of the first. */
	uint64_t exact_hits, mega_hits, misses, uncached, lost;
	uint64_t sleep_us;
	uint64_t cache_bytes;		/* Of the exact caches, as far as they are in use. */
};

/* Stops every PMD from receiving (dp_hold()) and waits until each has dealt with what it had; or lets
 * them go on. -ETIMEDOUT if one does not come to rest within seconds of
 * its CPU time; -ENODEV without PMDs. */
int bench_hold(bool hold);

/* -ENODEV without PMDs. */
int bench_pmd_read(struct bench_pmd_reading *reading);
