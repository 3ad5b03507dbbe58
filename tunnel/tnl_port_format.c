/* SPDX-License-Identifier: Apache-2.0 */

/* The texts of tnl/ports/show and ofproto/list-tunnels. */

#include <inttypes.h>
#include <stdlib.h>

#include "lib/headers.h"
#include "lib/vec.h"
#include "tunnel/route.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_listener.h"

static void format_match(const struct tnl_port *port, struct sbuf *s)
{
	const struct tnl_config *c = &port->config;

	if (c->local_flow)
		sbuf_puts(s, "flow");
	else
		tnl_addr_format(&c->local, s);
	sbuf_puts(s, "->");
	if (c->remote_flow)
		sbuf_puts(s, "flow");
	else
		tnl_addr_format(&c->remote, s);
	if (c->in_key_flow)
		sbuf_puts(s, ", key=flow");
	else
		sbuf_putf(s, ", key=%#" PRIx64, be64toh(c->in_key));
	sbuf_putf(s, ", legacy_l2, dp port=%u", port->listener->dp_port);
}

static void format_out_key(const struct tnl_config *c, struct sbuf *s)
{
	if (c->out_key == c->in_key && c->out_key_present == c->in_key_present &&
		c->out_key_flow == c->in_key_flow)
		return;
	sbuf_puts(s, ", out_key=");
	if (!c->out_key_present)
		sbuf_puts(s, "none");
	else if (c->out_key_flow)
		sbuf_puts(s, "flow");
	else
		sbuf_putf(s, "%#" PRIx64, be64toh(c->out_key));
}

void tnl_port_format(const struct tnl_port *port, struct sbuf *s)
{
	const struct tnl_config *c = &port->config;

	sbuf_putf(s, "port %u: %s (%s: ", port->listener->dp_port, port->name,
		tnl_type_name(c->type));
	format_match(port, s);
	format_out_key(c, s);
	if (c->ttl_inherit)
		sbuf_puts(s, ", ttl=inherit");
	else
		sbuf_putf(s, ", ttl=%u", c->ttl);
	if (c->tos_inherit)
		sbuf_puts(s, ", tos=inherit");
	else if (c->tos)
		sbuf_putf(s, ", tos=%#x", c->tos);
	if (!c->dont_fragment)
		sbuf_puts(s, ", df=false");
	if (c->csum)
		sbuf_puts(s, ", csum=true");
	sbuf_putc(s, ')');
}

static int compare_ports(const void *a_, const void *b_)
{
	const struct tnl_port *a = *(const struct tnl_port *const *)a_;
	const struct tnl_port *b = *(const struct tnl_port *const *)b_;

	if (a->match_kind != b->match_kind)
		return a->match_kind < b->match_kind ? -1 : 1;
	return a->dp_port < b->dp_port ? -1 : a->dp_port > b->dp_port;
}

void tnl_port_format_list(struct sbuf *s)
{
	VEC(const struct tnl_port *) sorted = VEC_INITIALIZER;
	const struct tnl_port *port;

	CMAP_FOR_EACH (port, node, tnl_port_map())
		vec_push(&sorted, port);
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof sorted.items[0], compare_ports);
	for (size_t i = 0; i < sorted.n; i++) {
		tnl_port_format(sorted.items[i], s);
		sbuf_putc(s, '\n');
	}
	vec_uninit(&sorted);
}

/* ------------------------------------------------------------------ listening */

/* One line for L at ADDR of a device with address MAC, as a datapath flow. */
static void format_address(const struct tnl_listener *l, const struct ipv6_addr *addr,
	const struct eth_addr *mac, struct sbuf *s)
{
	bool v4 = tnl_addr_is_ipv4(addr);

	sbuf_putf(s, "%s (%u) : eth(dst=", l->name, l->dp_port);
	sbuf_put_mac(s, mac->b);
	sbuf_putf(s, "),eth_type(0x%04x),ipv%c(dst=", v4 ? ETH_T_IP : ETH_T_IPV6, v4 ? '4' : '6');
	tnl_addr_format(addr, s);
	sbuf_putf(s, ",proto=%d,frag=no)", l->type == TNL_GRE ? IP_P_GRE : IP_P_UDP);
	if (l->type != TNL_GRE)
		sbuf_putf(s, ",udp(dst=%u)", be16toh(l->dst_port));
	sbuf_putc(s, '\n');
}

static int compare_listeners(const void *a_, const void *b_)
{
	const struct tnl_listener *a = *(const struct tnl_listener *const *)a_;
	const struct tnl_listener *b = *(const struct tnl_listener *const *)b_;

	return a->dp_port < b->dp_port ? -1 : a->dp_port > b->dp_port;
}

void tnl_port_format_all(struct sbuf *s, bool verbose)
{
	VEC(const struct tnl_listener *) sorted = VEC_INITIALIZER;
	const struct tnl_listener *l;
	struct ipv6_addr addr;
	struct eth_addr mac;

	CMAP_FOR_EACH (l, node, &tnl_listeners)
		vec_push(&sorted, l);
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof sorted.items[0], compare_listeners);
	sbuf_puts(s, "Listening ports:\n");
	for (size_t i = 0; i < sorted.n; i++) {
		l = sorted.items[i];
		if (!verbose)
			sbuf_putf(s, "%s (%u) ref_cnt=%u\n", l->name, l->dp_port, l->n_ports);
		else
			for (size_t j = 0; route_local_address(j, &addr, &mac); j++)
				format_address(l, &addr, &mac, s);
	}
	vec_uninit(&sorted);
}
