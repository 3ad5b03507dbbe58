/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * DPDK's environment (EAL) and the pools that packets come from.
 *
 * EAL starts once in a process and with no configuration: in hugepages if enough of them are free,
 * in ordinary memory with one warning if not. It claims no NIC that nobody named, leaves no files
 * behind and shares nothing with other processes, so any number of daemons run on one machine. It
 * can't be started again after it failed; the reason is kept.
 *
 * Threads: eal_start on the worker, or before there is one; the rest on any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_mempool;

/* Bytes free before a packet received from a kernel device: room for two tunnels with options. A
 * DPDK device leaves RTE_PKTMBUF_HEADROOM (128). */
#define EAL_HEADROOM 384
/* Bytes of packet in one buffer behind that. */
#define EAL_DATA_ROOM 2048

struct eal_config {
	const char *extra;      /* dpdk-extra: more words for EAL, NULL none. */
	const char *socket_mem; /* dpdk-socket-mem: MB per NUMA node, NULL chosen. */
	const char *lcore_mask; /* dpdk-lcore-mask: hexadecimal, NULL chosen. */
	const char *hugepage_dir;
	unsigned int n_mbufs; /* Of a pool; 0 chosen. */
};

/* 0; or negative errno with one line in *ERROR (caller frees): -EINVAL for CONFIG's words,
 * -EALREADY after an earlier failure. 0 at once if it runs already. The caller's CPU affinity is as
 * before. */
int eal_start(const struct eal_config *config, char **error);
bool eal_started(void);
bool eal_has_hugepages(void);
const char *eal_version(void);

/* The pool for NUMA node NUMA (-1: any), made at the first call; NULL without EAL or memory. Its
 * buffers: private area struct packet, EAL_HEADROOM + EAL_DATA_ROOM bytes. Blocks: not on a PMD
 * before the node's first port is open. */
struct rte_mempool *eal_mempool(int numa);
/* A pool of its own with N such buffers (N: a power of 2 less 1 wastes least), or NULL. The caller
 * frees it with rte_mempool_free(). */
struct rte_mempool *eal_mempool_create(const char *name, unsigned int n, int numa);
