/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A conf given to Open vSwitch, or whatever takes its place, by the stock tools, which find it by
 * OVS_RUNDIR. DIR: for files; the pcap file of source NAME is DIR/NAME.pcap. 0, or -errno with one line in
 * *ERROR (caller frees).
 */

#include "tools/sluice-bench/conf.h"

/* Bridges, flows, ports without a source, neighbours. */
int peer_setup_switch(const struct conf *conf, const char *dir, char **error);
/* Sources; stations whose place is known. */
int peer_setup_traffic(const struct conf *conf, const char *dir, char **error);
/* Ports that come and go, all of them. */
int peer_setup_passing(const struct conf *conf, const char *dir, bool there, char **error);
