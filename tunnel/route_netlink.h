/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Asking the kernel for all that routes depend on, and hearing that it changed (rtnetlink). Control. */

#include <stdbool.h>

struct route_table;

/* Reads the kernel's state into TABLE, which is not finished yet. 0 or -errno. */
int route_netlink_read(struct route_table *table);
/* A socket that hears of changes, or -errno; drain it with route_netlink_drain(): true if something
 * may have changed. */
int route_netlink_monitor(void);
bool route_netlink_drain(int fd);
