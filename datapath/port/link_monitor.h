/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * News of kernel devices: which links of the network namespace came, went or changed (state, MAC,
 * MTU). Devices that moved to another namespace are silent here; port_info() from time to time
 * finds out about them. One thread at a time.
 */

#include <stdbool.h>

struct link_monitor;

struct link_event {
	int ifindex;
	char name[16];
	bool gone;
};

/* 0, or -errno. */
int link_monitor_open(struct link_monitor **monitor);
void link_monitor_close(struct link_monitor *monitor);
/* Polls readable when there is news. */
int link_monitor_fd(const struct link_monitor *monitor);
/* The next event; false: none for now. *LOST is set (never cleared) if events were lost: look at
 * all devices. Never blocks. */
bool link_monitor_next(struct link_monitor *monitor, struct link_event *event, bool *lost);
