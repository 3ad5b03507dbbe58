/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The benchmark's generator and far side inside another program that uses DPDK (plugin.c, which EAL
 * loads with -d): a file that both map. The benchmark makes it and names the devices; the plugin puts
 * sources and probes on those that appear and answers questions for counts.
 *
 * The benchmark writes what it asks (`asked`), the plugin what it answers (`moment`, then `answered`).
 */

#include "datapath/bench/bench.h"

#define BENCH_SHARED_ENV "SLUICE_BENCH_SHARED"	/* Path of the file. */
#define BENCH_SHARED_MAGIC 0x736c6231
#define BENCH_SHARED_PORTS 8

struct bench_shared_port {
	char device[64];
	bool is_source;
	_Atomic bool is_ready;		/* The plugin found it. */
	struct bench_control control;
	struct bench_watch watch;
};

/* Counts of one moment. */
struct bench_shared_moment {
	uint64_t cpu_ns;		/* Of the thread that polls the first source. */
	uint64_t own_cpu_ns;		/* Of the plugin's thread. */
	uint64_t taken[BENCH_SHARED_PORTS], lost[BENCH_SHARED_PORTS];
	uint64_t streams[BENCH_SHARED_PORTS][BENCH_MAX_STREAMS];
	uint64_t sent[BENCH_SHARED_PORTS];
};

struct bench_shared {
	uint32_t magic;
	uint32_t size;			/* Of this struct: both sides are of one build. */
	int pmd_core;			/* Where the plugin's thread does not run. */
	unsigned int n_ports;
	_Atomic uint32_t asked, answered;
	struct bench_shared_moment moment;
	struct bench_shared_port ports[BENCH_SHARED_PORTS];
};
