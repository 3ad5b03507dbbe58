/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Settings of kernel devices by name, over a socket that belongs to the device's network namespace.
 * Any thread. All return 0 or -errno.
 */

#include "datapath/dp.h"

/* A socket for the calls below, in the namespace of the process, or in that of an open tap device
 * (wherever it was moved to). Close it with close(). */
int kdev_socket(void);
int kdev_socket_of_tap(int tap_fd);

int kdev_ifindex(int sock, const char *name, int *ifindex);
/* Ethernet-like: -EOPNOTSUPP if not. */
int kdev_check_ethernet(int sock, const char *name);
/* link_resets is left alone. */
int kdev_info(int sock, const char *name, struct dp_port_info *info);
/* What the kernel has counted since the device is there; of the namespace of the process. May wait for
 * the kernel's lock of devices. */
int kdev_stats(int ifindex, struct dp_port_stats *stats);
int kdev_set_admin(int sock, const char *name, bool up);
int kdev_set_mtu(int sock, const char *name, uint32_t mtu);
int kdev_set_mac(int sock, const char *name, struct eth_addr mac);
