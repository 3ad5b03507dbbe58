/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/tnl_route.h"

#include "lib/headers.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_header.h"

static void set_transport(const struct tnl_config *c, struct route_query *query)
{
	if (c->type == TNL_GRE) {
		query->proto = IP_P_GRE;
		return;
	}
	query->proto = IP_P_UDP;
	query->dport = be16toh(c->dst_port);
	tnl_egress_port_range_get(&query->sport_min, &query->sport_max);
}

void tnl_route_query(const struct tnl_config *c, const struct flow_tnl *outer, uint32_t mark,
	struct route_query *query)
{
	*query = (struct route_query){.dst = tnl_addr_dst(outer), .mark = mark, .tos = outer->ip_tos};
	if (outer->ip_dst ? outer->ip_src : !ipv6_addr_is_zero(&outer->ipv6_src))
		query->src = tnl_addr_src(outer);
	set_transport(c, query);
}

void tnl_route_query_config(const struct tnl_config *c, struct route_query *query)
{
	*query = (struct route_query){
		.dst = c->remote,
		.src = c->local,
		.mark = c->egress_pkt_mark,
		.tos = c->tos_inherit ? 0 : c->tos,
	};
	set_transport(c, query);
}
