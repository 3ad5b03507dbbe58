/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "ofproto/text/match_text.h"

bool text_next_key_value(char **text, char **key, char **value)
{
	char *p = *text + strspn(*text, ", \t\r\n");
	int depth = 0;

	if (!*p)
		return false;
	*key = p;
	*value = NULL;
	p += strcspn(p, "=(:, \t\r\n");
	if (*p == '=' || *p == ':') {
		*p++ = '\0';
		*value = p;
	} else if (*p == '(') {
		*p++ = '\0';
		*value = p;
		depth = 1;
		for (; *p; p++) {
			depth += (*p == '(') - (*p == ')');
			if (!depth) {
				*p++ = '\0';
				break;
			}
		}
		*text = p;
		return true;
	}
	for (; *p; p++) {
		depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
		if (depth <= 0 && strchr(", \t\r\n", *p))
			break;
	}
	if (*p)
		*p++ = '\0';
	*text = p;
	return true;
}

static const struct {
	const char *name;
	uint16_t dl_type;
	uint8_t nw_proto;
} protocols[] = {
	{"ip", ETH_T_IP, 0}, {"ipv4", ETH_T_IP, 0}, {"ip4", ETH_T_IP, 0},
	{"arp", ETH_T_ARP, 0}, {"rarp", ETH_T_RARP, 0}, {"icmp", ETH_T_IP, IPPROTO_ICMP},
	{"tcp", ETH_T_IP, IPPROTO_TCP}, {"udp", ETH_T_IP, IPPROTO_UDP},
	{"sctp", ETH_T_IP, IPPROTO_SCTP}, {"igmp", ETH_T_IP, IPPROTO_IGMP},
	{"ipv6", ETH_T_IPV6, 0}, {"ip6", ETH_T_IPV6, 0}, {"icmp6", ETH_T_IPV6, IPPROTO_ICMPV6},
	{"icmpv6", ETH_T_IPV6, IPPROTO_ICMPV6}, {"tcp6", ETH_T_IPV6, IPPROTO_TCP},
	{"udp6", ETH_T_IPV6, IPPROTO_UDP}, {"sctp6", ETH_T_IPV6, IPPROTO_SCTP},
	{"mpls", ETH_T_MPLS, 0}, {"mplsm", ETH_T_MPLS_MCAST, 0},
};

static bool parse_protocol(struct match *match, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!str_is(name, protocols[i].name))
			continue;
		match->flow.dl_type = htobe16(protocols[i].dl_type);
		match->mask.dl_type = BE16_MAX;
		if (protocols[i].nw_proto) {
			match->flow.nw_proto = protocols[i].nw_proto;
			match->mask.nw_proto = 0xff;
		}
		return true;
	}
	return !strcmp(name, "eth");
}

/* tp_src, nw_src and the like mean another field by what was matched before. */
static const struct field *find_field(const struct match *match, const char *key)
{
	bool arp = match->flow.dl_type == htobe16(ETH_T_ARP) ||
		match->flow.dl_type == htobe16(ETH_T_RARP);
	bool ipv6 = match->flow.dl_type == htobe16(ETH_T_IPV6);
	uint8_t proto = match->flow.nw_proto;
	const struct {
		const char *key;
		enum field_id id;
	} general[] = {
		{"nw_src", arp ? FIELD_ARP_SPA : FIELD_IPV4_SRC},
		{"nw_dst", arp ? FIELD_ARP_TPA : FIELD_IPV4_DST},
		{"nw_proto", arp ? FIELD_ARP_OP : FIELD_IP_PROTO},
		{"tp_src", proto == IPPROTO_UDP ? FIELD_UDP_SRC : proto == IPPROTO_SCTP ? FIELD_SCTP_SRC
			: FIELD_TCP_SRC},
		{"tp_dst", proto == IPPROTO_UDP ? FIELD_UDP_DST : proto == IPPROTO_SCTP ? FIELD_SCTP_DST
			: FIELD_TCP_DST},
		{"icmp_type", ipv6 ? FIELD_ICMPV6_TYPE : FIELD_ICMPV4_TYPE},
		{"icmp_code", ipv6 ? FIELD_ICMPV6_CODE : FIELD_ICMPV4_CODE},
		{"in_port", FIELD_IN_PORT_OXM},
		{"nw_tos", FIELD_IP_DSCP},
		{"nw_ecn", FIELD_IP_ECN},
		{"nw_ttl", FIELD_IP_TTL},
		{"nw_frag", FIELD_IP_FRAG},
		{"dl_src", FIELD_ETH_SRC},
		{"dl_dst", FIELD_ETH_DST},
		{"dl_type", FIELD_ETH_TYPE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(general); i++)
		if (str_is(key, general[i].key))
			return field_from_id(general[i].id);
	return field_from_name(key);
}

int match_parse_key(struct match *match, const char *key, const char *value,
	const struct port_names *names, char **error)
{
	union field_value v, m;
	const struct field *f;

	if (!value && parse_protocol(match, key))
		return 1;
	f = find_field(match, key);
	if (!f)
		return 0;
	if (!value && f->place != FIELD_PLACE_TUN_METADATA) {
		*error = xasprintf("field %s missing value", key);
		return -EINVAL;
	}
	memset(&v, 0, sizeof v);
	memset(&m, 0, sizeof m);
	/* An option alone: that it is there. */
	if (value && field_parse(f, value, &v, &m, names, error))
		return -EINVAL;
	field_set_match(f, &v, &m, match);
	return 1;
}

/* What Open vSwitch says if MATCH can't take KEY as the protocol that it is. */
static char *protocol_error(const struct match *match, const char *key)
{
	struct match alone = {0};

	parse_protocol(&alone, key);
	if (alone.mask.dl_type && match->mask.dl_type)
		return xstrdup("Ethernet type set multiple times");
	if (alone.mask.nw_proto && match->mask.nw_proto)
		return xstrdup("network protocol set multiple times");
	return NULL;
}

static char *exact_error(const struct match *match, const struct field *f, const char *key)
{
	if (!field_prereqs_matched(f, match))
		return xasprintf("prerequisites not met for setting %s", key);
	if (!field_is_all_wild(f, &match->mask))
		return xasprintf("field %s set multiple times", key);
	return NULL;
}

/* A packet has one value in each field, and only fields that it has. */
static char *flow_parse_key(struct match *match, const char *key, const char *value,
	const struct port_names *names)
{
	const struct field *f = find_field(match, key);
	char *error = NULL, *why = NULL;

	if (!f && value)
		return xasprintf("unknown field %s", key);
	error = f ? exact_error(match, f, key) : protocol_error(match, key);
	if (error)
		return error;
	switch (match_parse_key(match, key, value, names, &why)) {
	case 0:
		return xasprintf("unknown field %s", key);
	case 1:
		break;
	default:
		error = xasprintf("bad value for %s (%s)", key, why);
		free(why);
		return error;
	}
	if (f && !field_is_all_wild(f, &match->mask) && !field_is_all_exact(f, &match->mask))
		return xasprintf("bad value for %s (%s: wildcards not allowed here)", key, value);
	return NULL;
}

int flow_parse(struct flow *flow, const char *text, const struct port_names *names, char **error)
{
	char *copy = xstrdup(text), *p = copy, *key, *value, *why = NULL;
	struct match *match = xcalloc(1, sizeof *match);
	int retval = 0;

	while (!why && text_next_key_value(&p, &key, &value))
		why = flow_parse_key(match, key, value, names);
	if (why) {
		*error = xasprintf("%s: %s", text, why);
		retval = -EINVAL;
	} else {
		*flow = match->flow;
	}
	free(match);
	free(copy);
	free(why);
	return retval;
}
