/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a tunnel's outer packets ask of the underlay's rules and routes. Any thread. */

#include "tunnel/route.h"
#include "tunnel/tnl_port.h"

/* For packets with outer header OUTER (addresses, tos) of tunnels like C, with packet mark MARK. */
void tnl_route_query(const struct tnl_config *c, const struct flow_tnl *outer, uint32_t mark,
	struct route_query *query);
/* As far as C's settings say it: C must have a remote address. What is inherited counts as 0. */
void tnl_route_query_config(const struct tnl_config *c, struct route_query *query);
