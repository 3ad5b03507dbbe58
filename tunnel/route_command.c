/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_command.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "tunnel/route.h"
#include "tunnel/route_private.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

struct manual_route {
	struct ipv6_addr prefix, gateway;
	uint32_t mark;
	uint8_t plen;
	char dev[16];
};

static VEC(struct manual_route) manual;

/* "ADDRESS[/LENGTH]" */
static bool parse_prefix(const char *s, struct ipv6_addr *prefix, uint8_t *plen)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	struct ipv6_addr addr;
	int max, len;

	if (slash && (size_t)(slash - s) >= sizeof address)
		return false;
	str_copy(address, s, slash ? MIN((size_t)(slash - s) + 1, sizeof address) : sizeof address);
	if (strlen(address) != (slash ? (size_t)(slash - s) : strlen(s)) ||
		!tnl_addr_parse(address, &addr))
		return false;
	max = len = tnl_addr_is_ipv4(&addr) ? 32 : 128;
	if (slash && parse_int(slash + 1, 0, max, &len))
		return false;
	*plen = (uint8_t)(len + (max == 32 ? 96 : 0));
	*prefix = tnl_addr_masked(&addr, *plen);
	return true;
}

static bool parse_mark(const char *s, uint32_t *mark)
{
	static const char key[] = "pkt_mark=";
	uint64_t value;

	if (!str_starts_with(s, key) || parse_u64(s + strlen(key), 0, UINT32_MAX, &value))
		return false;
	*mark = (uint32_t)value;
	return true;
}

static int invalid(char **error, const char *text)
{
	*error = xstrdup(text);
	return -EINVAL;
}

/* The manual route with R's prefix and mark; manual.n: none. */
static size_t find_manual(const struct manual_route *r)
{
	size_t i;

	for (i = 0; i < manual.n; i++)
		if (manual.items[i].mark == r->mark && manual.items[i].plen == r->plen &&
			ipv6_addr_equal(&manual.items[i].prefix, &r->prefix))
			break;
	return i;
}

static bool is_ipv4(const struct manual_route *r)
{
	return tnl_addr_is_ipv4(&r->prefix) && r->plen >= 96;
}

int route_add_manual(int argc, const char *argv[], char **error)
{
	const struct route_table *table = route_current();
	struct manual_route r = {0};
	struct ipv6_addr src;
	size_t i;

	if (argc < 2 || !parse_prefix(argv[0], &r.prefix, &r.plen))
		return invalid(error, "Invalid parameters");
	if (argc > 2 && !parse_mark(argv[2], &r.mark) &&
		(!tnl_addr_parse(argv[2], &r.gateway) ||
			tnl_addr_is_ipv4(&r.gateway) != is_ipv4(&r)))
		return invalid(error,
			is_ipv4(&r) ? "Invalid pkt_mark or gateway"
				    : "Invalid pkt_mark or IPv6 gateway");
	if (argc > 3 && !parse_mark(argv[3], &r.mark))
		return invalid(error, "Invalid pkt_mark");
	str_copy(r.dev, argv[1], sizeof r.dev);
	if (!table || !route_table_link(table, r.dev) ||
		!route_source_manual(table, r.dev, &r.prefix, &r.gateway, true, &src))
		return invalid(error, "Error while inserting route.");
	i = find_manual(&r);
	if (i < manual.n)
		manual.items[i] = r;
	else
		vec_push(&manual, r);
	route_publish();
	return 0;
}

int route_del_manual(int argc, const char *argv[], char **error)
{
	struct manual_route r = {0};
	size_t i;

	if (argc < 1 || !parse_prefix(argv[0], &r.prefix, &r.plen))
		return invalid(error, "Invalid parameters");
	if (argc > 1 && !parse_mark(argv[1], &r.mark))
		return invalid(error, "Invalid pkt_mark");
	i = find_manual(&r);
	if (i == manual.n)
		return invalid(error, "Not found");
	vec_remove(&manual, i);
	route_publish();
	return 0;
}

/* A device that goes and comes again gets its routes again; their source is chosen anew. */
void route_manual_join(struct route_table *table)
{
	for (size_t i = 0; i < manual.n; i++) {
		const struct manual_route *r = &manual.items[i];
		struct route_entry *e;
		struct route_nh *nh;
		size_t j = 0;

		while (j < table->links.n && strcmp(table->links.items[j].name, r->dev))
			j++;
		if (j == table->links.n)
			continue;
		e = vec_push_zero(&table->entries);
		e->prefix = r->prefix;
		e->plen = r->plen;
		e->mark = r->mark;
		e->is_ipv4 = is_ipv4(r);
		e->table = ROUTE_MANUAL_TABLE;
		e->type = ROUTE_UNICAST;
		e->start = (uint32_t)table->hops.n;
		e->n_hops = 1;
		nh = vec_push_zero(&table->hops);
		nh->gateway = r->gateway;
		nh->ifindex = table->links.items[j].ifindex;
		nh->weight = 1;
		nh->has_carrier = true;
	}
}

void route_manual_clear(void)
{
	vec_uninit(&manual);
}

/* ------------------------------------------------------------------ showing */

/* A block a next hop: there is one, as a rule. */
int route_lookup_manual(int argc, const char *argv[], struct sbuf *s, char **error)
{
	struct route_query query = {0};
	struct route route;
	uint8_t plen;

	if (argc < 1 || !parse_prefix(argv[0], &query.dst, &plen) || plen != 128)
		return invalid(error, "Invalid parameters");
	if (argc > 1 && !parse_mark(argv[1], &query.mark))
		return invalid(error, "Invalid pkt_mark");
	if (!route_lookup(&query, &route))
		return invalid(error, "Not found");
	for (unsigned int i = 0; i < route.n_hops; i++) {
		sbuf_puts(s, "src ");
		tnl_addr_format(&route.hops[i].src, s);
		sbuf_puts(s, "\ngateway ");
		tnl_addr_format(&route.hops[i].gateway, s);
		sbuf_putf(s, "\ndev %s\n", route.hops[i].dev);
	}
	return 0;
}

static void format_hop(const struct route_table *table, const struct route_entry *e,
	const struct route_nh *nh, struct sbuf *s)
{
	struct ipv6_addr src = ipv6_addr_is_zero(&e->src) ? nh->src : e->src;

	if (ipv6_addr_is_zero(&src) && e->type == ROUTE_LOCAL)
		src = e->prefix;
	if (ipv6_addr_is_zero(&src) &&
		(e->is_ipv4 || !route_source_ipv6(table, nh->ifindex, &e->prefix, &src)))
		return;
	sbuf_puts(s, e->table == ROUTE_MANUAL_TABLE ? "User: " : "Cached: ");
	tnl_addr_format(&e->prefix, s);
	sbuf_putf(s, "/%u", e->is_ipv4 ? e->plen - 96u : e->plen);
	if (e->mark)
		sbuf_putf(s, " MARK %u", e->mark);
	sbuf_putf(s, " dev %s", nh->dev);
	if (!ipv6_addr_is_zero(&nh->gateway)) {
		sbuf_puts(s, " GW ");
		tnl_addr_format(&nh->gateway, s);
	}
	sbuf_puts(s, " SRC ");
	tnl_addr_format(&src, s);
	if (e->type == ROUTE_LOCAL)
		sbuf_puts(s, " local");
	if (e->table != ROUTE_MANUAL_TABLE && e->table != RT_TABLE_LOCAL &&
		e->table != RT_TABLE_MAIN && e->table != RT_TABLE_DEFAULT)
		sbuf_putf(s, " table %u", e->table);
	sbuf_putc(s, '\n');
}

/* Those first that are preferred. */
static int compare_priority(const void *a_, const void *b_)
{
	const struct route_entry *a = *(const struct route_entry *const *)a_;
	const struct route_entry *b = *(const struct route_entry *const *)b_;
	int pa = route_priority(a), pb = route_priority(b);

	return pa != pb ? pb - pa : a < b ? -1 : a > b;
}

void route_format(struct sbuf *s)
{
	const struct route_table *table = route_current();
	VEC(const struct route_entry *) sorted = VEC_INITIALIZER;

	sbuf_puts(s, "Route Table:\n");
	for (size_t i = 0; table && i < table->entries.n; i++) {
		const struct route_entry *e = &table->entries.items[i];

		if (e->type == ROUTE_UNICAST || e->type == ROUTE_LOCAL)
			vec_push(&sorted, e);
	}
	if (sorted.n)
		qsort(sorted.items, sorted.n, sizeof *sorted.items, compare_priority);
	for (size_t i = 0; i < sorted.n; i++)
		for (uint32_t j = 0; j < sorted.items[i]->n_hops; j++)
			format_hop(table, sorted.items[i],
				&table->hops.items[sorted.items[i]->start + j], s);
	vec_uninit(&sorted);
}
