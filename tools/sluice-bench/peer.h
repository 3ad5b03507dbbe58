/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Open vSwitch with DPDK under test: its own daemons in this process's network namespace and a directory
 * of their own, set up from the same conf as sluice, by the stock tools: target_peer of target.h. The
 * caller is in a namespace of its own already, and its children end with it.
 */

#include "tools/sluice-bench/target.h"

/* Ends the daemon and starts it again, flows saved and loaded as ovs-ctl does; *GAP_MS: how long nothing
 * was sent, to about a millisecond. 0, or -errno with one line in *ERROR (caller frees). */
int peer_restart(double *gap_ms, char **error);

/* The sluiced of this build or installed, which takes a peer's place; NULL: none. Caller frees. */
char *peer_find_sluiced(void);

/* NULL: FILE, or Debian's if FILE is NULL, can't be run. Else its path. */
const char *peer_find(const char *file);
