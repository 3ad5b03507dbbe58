/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of the tunnel port table, for the files tnl_port*.c: what the ports of one type and UDP
 * port have in common, the way Open vSwitch's datapath has one port for them all.
 * Threads: as in tnl_port.h.
 */

#include "tunnel/tnl_guard.h"
#include "tunnel/tnl_port.h"

struct tnl_listener {
	struct cmap_node node; /* In tnl_listeners; by UDP port. */
	enum tnl_type type;
	be16 dst_port;
	bool gbp;
	dp_port_t dp_port; /* Of the first port: stands for all in texts. */
	unsigned int n_ports;
	struct tnl_guard guard;
	char name[24]; /* "vxlan_sys_4789". */
};

extern struct cmap tnl_listeners;

/* All struct tnl_port, by node. */
const struct cmap *tnl_port_map(void);
