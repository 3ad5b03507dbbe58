/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Open vSwitch with DPDK under test: its own daemons in this process's network namespace and a directory
 * of their own, set up from the same conf as sluice, by the stock tools. One a process; the caller is
 * in a namespace of its own already, and its children end with it.
 *
 * The daemon can't be held, so counts are read while packets run: they are good to about a percent.
 * Everything returns 0, or -errno with one line in *ERROR (caller frees).
 */

#include "tools/sluice-bench/conf.h"

struct peer_config {
	const char *vswitchd;	/* ovs-vswitchd with DPDK; NULL: where Debian has it. */
	int core;		/* Of the PMD; -1: the last. */
	bool verbose;
};

/* NULL: FILE, or Debian's if FILE is NULL, can't be run. Else its path. */
const char *peer_find(const char *file);

/* DIR: for its files; the pcap file of source NAME is DIR/NAME.pcap. */
int peer_start(const struct conf *conf, const struct peer_config *config, const char *dir, char **error);
void peer_stop(void);

struct peer_reading {
	uint64_t received;	/* By the PMD thread. */
	uint64_t sent;		/* By devices. */
	uint64_t cpu_ns;	/* Of the PMD thread. */
	uint64_t wall_ns;
	uint64_t misses;	/* Upcalls. */
};
int peer_read(struct peer_reading *reading, char **error);
/* "Open vSwitch 3.1.0" */
void peer_version(char *text, size_t size);
