/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel's policy rules (ip-rule(8)), asked for packets that this host sends and that no device
 * is chosen for: `iif lo` is true of them, another iif, oif, l3mdev or tun_id never.
 *
 * A tunnel's UDP source port differs from packet to packet, a rule that splits its range can't be
 * decided for all of them: it is passed over. So is a rule with selectors that this program does not
 * know. route_rules_report() says so in the log.
 *
 * Pure; any thread.
 */

#include "lib/types.h"

struct route_query;
struct route_table;
struct route_entry;

enum route_action {
	ROUTE_RULE_TABLE,
	ROUTE_RULE_GOTO,
	ROUTE_RULE_NOP,
	ROUTE_RULE_REFUSE, /* blackhole, unreachable, prohibit */
};

struct route_rule {
	struct ipv6_addr from, to;
	uint32_t priority;
	uint32_t table;  /* Of ROUTE_RULE_TABLE, and the target's priority of ROUTE_RULE_GOTO. */
	uint32_t mark, mark_mask;
	uint32_t suppress_group; /* UINT32_MAX: none. */
	int32_t suppress_plen;   /* -1: none. */
	uint16_t sport_min, sport_max, sport_mask; /* Both 0: any. */
	uint16_t dport_min, dport_max, dport_mask;
	uint8_t from_plen, to_plen; /* IPv4: 96 more, but 0 for any. */
	uint8_t tos, tos_mask;
	uint8_t proto; /* 0: any. */
	uint8_t action; /* enum route_action. */
	bool is_ipv4;
	bool is_inverted;
	bool is_foreign; /* Has a selector that nothing sent here meets. */
	bool is_unknown; /* Not understood: passed over. */
};

/* The entry that the rules lead QUERY to; NULL: none, or one that refuses. */
const struct route_entry *route_rules_lookup(
	const struct route_table *table, const struct route_query *query);

/* Logs which rules of TABLE are passed over if source ports are from SPORT_MIN to SPORT_MAX. */
void route_rules_report(const struct route_table *table, uint16_t sport_min, uint16_t sport_max);
