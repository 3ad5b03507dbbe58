/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_rules.h"

#include <linux/rtnetlink.h>

#include "lib/headers.h"
#include "lib/log.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

LOG_MODULE(route_table);

enum answer {
	NO,
	YES,
	UNKNOWN
};

static enum answer match_sport(const struct route_rule *r, const struct route_query *q)
{
	if (!r->sport_min && !r->sport_max)
		return YES;
	if (q->sport_min == q->sport_max) {
		if (r->sport_mask != UINT16_MAX)
			return !((q->sport_min ^ r->sport_min) & r->sport_mask);
		return q->sport_min >= r->sport_min && q->sport_min <= r->sport_max;
	}
	if (r->sport_mask != UINT16_MAX)
		return UNKNOWN;
	if (q->sport_min > r->sport_max || q->sport_max < r->sport_min)
		return NO;
	return q->sport_min >= r->sport_min && q->sport_max <= r->sport_max ? YES : UNKNOWN;
}

static bool match_dport(const struct route_rule *r, const struct route_query *q)
{
	if (!r->dport_min && !r->dport_max)
		return true;
	if (r->dport_mask != UINT16_MAX)
		return !((q->dport ^ r->dport_min) & r->dport_mask);
	return q->dport >= r->dport_min && q->dport <= r->dport_max;
}

/* Of IPv4 no source is 0.0.0.0 to the kernel; of IPv6 it is in no prefix. */
static bool match_from(const struct route_rule *r, const struct route_query *q)
{
	if (!r->from_plen)
		return true;
	if (!ipv6_addr_is_zero(&q->src))
		return tnl_addr_in_prefix(&q->src, &r->from, r->from_plen);
	if (r->is_ipv4) {
		struct ipv6_addr any = tnl_addr_from_ipv4(0);

		return tnl_addr_in_prefix(&any, &r->from, r->from_plen);
	}
	return false;
}

static enum answer match(const struct route_rule *r, const struct route_query *q)
{
	enum answer sport = match_sport(r, q);
	bool others;

	if (r->is_unknown)
		return UNKNOWN;
	others = !r->is_foreign && !((r->mark ^ q->mark) & r->mark_mask) &&
		 !((r->tos ^ q->tos) & r->tos_mask) && (!r->proto || r->proto == q->proto) &&
		 match_from(r, q) &&
		 (!r->to_plen || tnl_addr_in_prefix(&q->dst, &r->to, r->to_plen)) &&
		 match_dport(r, q);
	if (others && sport == UNKNOWN)
		return UNKNOWN;
	return (others && sport == YES) != r->is_inverted ? YES : NO;
}

static bool is_suppressed(
	const struct route_table *table, const struct route_rule *r, const struct route_entry *e)
{
	int plen = e->plen - (e->is_ipv4 ? 96 : 0);

	if (e->type != ROUTE_UNICAST && e->type != ROUTE_LOCAL)
		return false;
	return plen <= r->suppress_plen ||
	       (r->suppress_group != UINT32_MAX && e->n_hops &&
		       table->hops.items[e->start].group == r->suppress_group);
}

/* The first rule from I on of the family with PRIORITY. */
static size_t find_target(const struct route_table *table, size_t i, bool is_ipv4, uint32_t priority)
{
	while (i < table->rules.n && (table->rules.items[i].is_ipv4 != is_ipv4 ||
					     table->rules.items[i].priority != priority))
		i++;
	return i;
}

/* A kernel without policy routing asks these. */
static const struct route_entry *ask_standard_tables(
	const struct route_table *table, const struct route_query *query)
{
	static const uint32_t ids[] = {RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT};
	const struct route_entry *e = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(ids) && (!e || e->type == ROUTE_THROW); i++)
		e = route_table_find(table, ids[i], 0, query);
	return e;
}

static const struct route_entry *ask_rules(
	const struct route_table *table, const struct route_query *query, bool is_ipv4)
{
	bool any = false;

	for (size_t i = 0; i < table->rules.n; i++) {
		const struct route_rule *r = &table->rules.items[i];
		const struct route_entry *e;

		if (r->is_ipv4 != is_ipv4)
			continue;
		any = true;
		if (match(r, query) != YES)
			continue;
		switch ((enum route_action)r->action) {
		case ROUTE_RULE_TABLE:
			e = route_table_find(table, r->table, 0, query);
			if (e && e->type != ROUTE_THROW && !is_suppressed(table, r, e))
				return e;
			break;
		case ROUTE_RULE_GOTO: {
			/* Without a target it does nothing. */
			size_t target = find_target(table, i + 1, is_ipv4, r->table);

			if (target < table->rules.n)
				i = target - 1;
			break;
		}
		case ROUTE_RULE_NOP:
			break;
		case ROUTE_RULE_REFUSE:
			return NULL;
		}
	}
	return any ? NULL : ask_standard_tables(table, query);
}

const struct route_entry *route_rules_lookup(
	const struct route_table *table, const struct route_query *query)
{
	const struct route_entry *e = ask_rules(table, query, tnl_addr_is_ipv4(&query->dst));

	return e && (e->type == ROUTE_UNICAST || e->type == ROUTE_LOCAL) ? e : NULL;
}

void route_rules_report(const struct route_table *table, uint16_t sport_min, uint16_t sport_max)
{
	struct route_query query = {.sport_min = sport_min, .sport_max = sport_max};

	for (size_t i = 0; i < table->rules.n; i++) {
		const struct route_rule *r = &table->rules.items[i];

		if (r->is_unknown || match_sport(r, &query) == UNKNOWN)
			log_warn("IPv%d rule %u is passed over: it %s", r->is_ipv4 ? 4 : 6, r->priority,
				r->is_unknown ? "has selectors that are not known here"
					      : "splits the source ports of tunnels");
	}
}
