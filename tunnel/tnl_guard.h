/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sockets that nobody reads, bound where tunnels listen, so that the host's own stack, which may see
 * their packets on the NIC too, does not answer "port unreachable" or "protocol unreachable". They hold
 * nothing: a filter drops whatever comes. Control.
 */

#include <stdbool.h>

#include "lib/types.h"

struct tnl_guard {
	int fds[2];	/* IPv4, IPv6; -1: none. */
};

/* For UDP port DST_PORT, or GRE if it is 0. What can't be opened (another program has the port) is done
 * without. */
void tnl_guard_open(struct tnl_guard *guard, be16 dst_port);
void tnl_guard_close(struct tnl_guard *guard);
