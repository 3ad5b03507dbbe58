/* SPDX-License-Identifier: Apache-2.0 */

/* An underlay that knows nobody, where a test links none. */

#include "tunnel/tnl_header.h"
#include "tunnel/route.h"
#include "tunnel/neigh.h"

__attribute__((weak)) bool neigh_lookup(const char *b, const struct ipv6_addr *a,
	struct eth_addr *m)
{
	return false;
}

__attribute__((weak)) bool neigh_set(const char *bridge, const struct ipv6_addr *addr,
	struct eth_addr mac, bool s,int64_t n)
{
	return false;
}

__attribute__((weak)) bool neigh_run(int64_t n)
{
	return false;
}

__attribute__((weak)) bool neigh_may_solicit(const char *bridge, const struct ipv6_addr *addr,
	int64_t now_ms)
{
	return false;
}

__attribute__((weak)) size_t neigh_build_solicit(const struct ipv6_addr *t,
	const struct ipv6_addr *s,struct eth_addr m, uint8_t *b)
{
	return 0;
}

__attribute__((weak)) bool route_lookup(const struct ipv6_addr *dst, uint32_t mark,
	struct route *route)
{
	return false;
}

__attribute__((weak)) bool route_is_local(const struct ipv6_addr *addr, char *dev)
{
	return false;
}

__attribute__((weak)) bool route_dev_mac(const char *dev, struct eth_addr *mac)
{
	return false;
}

__attribute__((weak)) const struct tnl_port *tnl_port_lookup(enum tnl_type type, be16 d,
	const struct flow_tnl *tnl)
{
	return 0;
}

__attribute__((weak)) bool tnl_port_listens(uint8_t nw_proto, be16 tp_dst, enum tnl_type *type)
{
	return false;
}

__attribute__((weak)) bool tnl_port_output(const struct tnl_port *port, const struct flow *flow,
	struct flow *wc,struct flow_tnl *outer)
{
	return false;
}

__attribute__((weak)) size_t tnl_port_count(void)
{
	return 0;
}

__attribute__((weak)) void tnl_header_build(const struct tnl_port *port,
	const struct flow_tnl *outer,struct eth_addr dst_mac, struct eth_addr src_mac,
	const uint8_t *opts, size_t opts_len,struct tnl_header *header)
{
}

__attribute__((weak)) int tnl_header_push(struct packet *packet, const uint8_t *header,
	uint16_t len, uint8_t l3_ofs,uint8_t l4_ofs, uint8_t proto, bool csum, bool gre_seq,
	bool is_ipv6, uint32_t hash, uint32_t seq)
{
	return -1;
}

__attribute__((weak)) int tnl_header_pop(struct packet *packet, enum tnl_type type)
{
	return -1;
}
