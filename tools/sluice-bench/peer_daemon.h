/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemons of a peer: an ovsdb-server and an ovs-vswitchd with DPDK, or what takes its place, in a
 * directory of their own. Calls return 0, or -errno with one line in *ERROR (caller frees).
 */

#include "tools/sluice-bench/target.h"

/* Core of the PMD thread. */
int peer_pmd_core(const struct target_config *config);

/* DIR: where all their files are; PLUGIN: what DPDK shall load. */
int peer_daemons_start(const struct target_config *config, const char *dir, const char *plugin,
	char **error);
void peer_daemons_stop(void);
/* The switch alone, in between. */
int peer_vswitchd_start(char **error);
void peer_vswitchd_stop(void);
pid_t peer_vswitchd(void);
