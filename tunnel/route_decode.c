/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_decode.h"

#include <assert.h>
#include <net/if.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "lib/headers.h"
#include "tunnel/netlink.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

/* Newer than the headers that this may be built with. */
enum {
	RULE_DSCP = 25,
	RULE_FLOWLABEL = 26,
	RULE_FLOWLABEL_MASK = 27,
	RULE_SPORT_MASK = 28,
	RULE_DPORT_MASK = 29,
	RULE_DSCP_MASK = 30,
	RULE_NEWEST = RULE_DSCP_MASK
};

/* IFF_LOWER_UP, which <net/if.h> lacks. */
#define HAS_CARRIER 0x10000

#define MAX_WEIGHT 65536

/* Prefix lengths of IPv4 addresses in IPv6 ones. */
static uint8_t mapped_plen(bool is_ipv4, unsigned int plen)
{
	return (uint8_t)(plen + (is_ipv4 ? 96 : 0));
}

static bool is_plen(bool is_ipv4, unsigned int plen)
{
	return plen <= (is_ipv4 ? 32 : 128);
}

/* ------------------------------------------------------------------ links and addresses */

static void decode_link(const struct nlmsghdr *nlh, struct route_table *table)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct netlink_attrs attrs;
	struct route_link *link;
	const struct nlattr *name, *address;

	netlink_attrs_of_message(&attrs, nlh, sizeof *ifi);
	name = attrs.a[IFLA_IFNAME];
	address = attrs.a[IFLA_ADDRESS];
	if (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
		return;
	link = vec_push_zero(&table->links);
	link->ifindex = ifi->ifi_index;
	link->is_loopback = ifi->ifi_flags & IFF_LOOPBACK;
	link->has_carrier = ifi->ifi_flags & HAS_CARRIER;
	str_copy(link->name, mnl_attr_get_str(name), sizeof link->name);
	netlink_get_u32(attrs.a[IFLA_GROUP], &link->group);
	if (address && mnl_attr_get_payload_len(address) == ETH_ADDR_LEN)
		memcpy(link->mac.b, mnl_attr_get_payload(address), ETH_ADDR_LEN);
}

static void decode_addr(const struct nlmsghdr *nlh, struct route_table *table)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	bool is_ipv4 = ifa->ifa_family == AF_INET;
	uint32_t flags = ifa->ifa_flags;
	struct netlink_attrs attrs;
	struct ipv6_addr addr;
	struct route_addr *a;

	netlink_attrs_of_message(&attrs, nlh, sizeof *ifa);
	/* Of a point-to-point link IFA_LOCAL is ours. */
	if ((!is_ipv4 && ifa->ifa_family != AF_INET6) || !is_plen(is_ipv4, ifa->ifa_prefixlen) ||
		(!netlink_get_addr(attrs.a[IFA_LOCAL], &addr) &&
			!netlink_get_addr(attrs.a[IFA_ADDRESS], &addr)) ||
		tnl_addr_is_ipv4(&addr) != is_ipv4)
		return;
	netlink_get_u32(attrs.a[IFA_FLAGS], &flags);
	a = vec_push_zero(&table->addrs);
	a->addr = addr;
	a->plen = mapped_plen(is_ipv4, ifa->ifa_prefixlen);
	a->scope = ifa->ifa_scope;
	a->ifindex = (int)ifa->ifa_index;
	/* The same bit says "temporary" of an IPv6 address. */
	a->is_secondary = is_ipv4 && flags & IFA_F_SECONDARY;
	a->is_deprecated = flags & IFA_F_DEPRECATED;
	a->is_tentative = flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC);
}

/* ------------------------------------------------------------------ rules */

/* Ports FIRST to LAST of ATTR, all bits of MASK. False: malformed. */
static bool decode_range(const struct nlattr *attr, const struct nlattr *mask_attr, uint16_t *first,
	uint16_t *last, uint16_t *mask)
{
	struct fib_rule_port_range range;

	*mask = UINT16_MAX;
	if (mask_attr && mnl_attr_get_payload_len(mask_attr) == sizeof *mask)
		*mask = mnl_attr_get_u16(mask_attr);
	if (!attr)
		return true;
	if (mnl_attr_get_payload_len(attr) != sizeof range)
		return false;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof range);
	*first = range.start;
	*last = range.end;
	return true;
}

/* DSCP as six bits (an attribute), or the TOS of the header. */
static void decode_tos(const struct netlink_attrs *attrs, uint8_t tos, struct route_rule *r)
{
	uint8_t dscp, mask = 0x3f;

	if (netlink_get_u8(attrs->a[RULE_DSCP], &dscp)) {
		netlink_get_u8(attrs->a[RULE_DSCP_MASK], &mask);
		r->tos = (uint8_t)(dscp << 2);
		r->tos_mask = (uint8_t)(mask << 2);
	} else if (tos) {
		r->tos = tos;
		r->tos_mask = (uint8_t)~IP_ECN_MASK;
	}
}

/* Selectors of what this host never sends by a tunnel. */
static bool is_foreign(const struct netlink_attrs *attrs)
{
	static const char *const loopback = "lo";
	const struct nlattr *iif = attrs->a[FRA_IIFNAME], *uids = attrs->a[FRA_UID_RANGE];
	struct fib_rule_uid_range range;
	uint32_t label = 0, mask = UINT32_MAX;
	uint8_t l3mdev = 0;

	netlink_get_u8(attrs->a[FRA_L3MDEV], &l3mdev);
	if (l3mdev || attrs->a[FRA_OIFNAME] || attrs->a[FRA_TUN_ID])
		return true;
	if (iif && (mnl_attr_validate(iif, MNL_TYPE_NUL_STRING) < 0 ||
			   strcmp(mnl_attr_get_str(iif), loopback)))
		return true;
	/* The kernel's own tunnels are root's. */
	if (uids && mnl_attr_get_payload_len(uids) == sizeof range) {
		memcpy(&range, mnl_attr_get_payload(uids), sizeof range);
		if (range.start)
			return true;
	}
	/* Outer flow labels are 0. */
	netlink_get_u32(attrs->a[RULE_FLOWLABEL], &label);
	netlink_get_u32(attrs->a[RULE_FLOWLABEL_MASK], &mask);
	return label & mask;
}

static bool decode_action(uint8_t action, const struct netlink_attrs *attrs, uint8_t table_id,
	struct route_rule *r)
{
	switch (action) {
	case FR_ACT_TO_TBL:
		r->action = ROUTE_RULE_TABLE;
		r->table = table_id;
		netlink_get_u32(attrs->a[FRA_TABLE], &r->table);
		return true;
	case FR_ACT_GOTO:
		r->action = ROUTE_RULE_GOTO;
		return netlink_get_u32(attrs->a[FRA_GOTO], &r->table);
	case FR_ACT_NOP:
		r->action = ROUTE_RULE_NOP;
		return true;
	case FR_ACT_BLACKHOLE:
	case FR_ACT_UNREACHABLE:
	case FR_ACT_PROHIBIT:
		r->action = ROUTE_RULE_REFUSE;
		return true;
	}
	return false;
}

static bool has_unknown(const struct netlink_attrs *attrs)
{
	for (int i = RULE_NEWEST + 1; i < NETLINK_N_ATTRS; i++)
		if (attrs->a[i])
			return true;
	return attrs->too_new;
}

static void decode_rule(const struct nlmsghdr *nlh, struct route_table *table)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	bool is_ipv4 = h->family == AF_INET;
	struct netlink_attrs attrs;
	struct route_rule r;
	uint32_t plen = UINT32_MAX;

	netlink_attrs_of_message(&attrs, nlh, sizeof *h);
	memset(&r, 0, sizeof r);
	r.is_ipv4 = is_ipv4;
	if ((!is_ipv4 && h->family != AF_INET6) || !is_plen(is_ipv4, h->src_len) ||
		!is_plen(is_ipv4, h->dst_len))
		return;
	netlink_get_u32(attrs.a[FRA_PRIORITY], &r.priority);
	netlink_get_u32(attrs.a[FRA_FWMARK], &r.mark);
	r.mark_mask = r.mark ? UINT32_MAX : 0;
	netlink_get_u32(attrs.a[FRA_FWMASK], &r.mark_mask);
	netlink_get_u8(attrs.a[FRA_IP_PROTO], &r.proto);
	r.suppress_group = UINT32_MAX;
	netlink_get_u32(attrs.a[FRA_SUPPRESS_IFGROUP], &r.suppress_group);
	netlink_get_u32(attrs.a[FRA_SUPPRESS_PREFIXLEN], &plen);
	r.suppress_plen = (int32_t)plen;
	r.is_inverted = h->flags & FIB_RULE_INVERT;
	r.is_foreign = is_foreign(&attrs);
	decode_tos(&attrs, h->tos, &r);
	r.is_unknown = has_unknown(&attrs) || !decode_action(h->action, &attrs, h->table, &r) ||
		       !decode_range(attrs.a[FRA_SPORT_RANGE], attrs.a[RULE_SPORT_MASK],
			       &r.sport_min, &r.sport_max, &r.sport_mask) ||
		       !decode_range(attrs.a[FRA_DPORT_RANGE], attrs.a[RULE_DPORT_MASK],
			       &r.dport_min, &r.dport_max, &r.dport_mask);
	if (h->src_len) {
		r.from_plen = mapped_plen(is_ipv4, h->src_len);
		r.is_unknown |= !netlink_get_addr(attrs.a[FRA_SRC], &r.from) ||
				tnl_addr_is_ipv4(&r.from) != is_ipv4;
	}
	if (h->dst_len) {
		r.to_plen = mapped_plen(is_ipv4, h->dst_len);
		r.is_unknown |= !netlink_get_addr(attrs.a[FRA_DST], &r.to) ||
				tnl_addr_is_ipv4(&r.to) != is_ipv4;
	}
	memcpy(vec_push_zero(&table->rules), &r, sizeof r);
}

/* ------------------------------------------------------------------ next hops */

static void init_nh(struct route_nh *nh)
{
	memset(nh, 0, sizeof *nh);
	nh->weight = 1;
	nh->has_carrier = true;
}

/* RTA_GATEWAY, or the IPv6 gateway of an IPv4 route (RTA_VIA: family, address). */
static void decode_gateway(const struct netlink_attrs *attrs, struct route_nh *nh)
{
	const struct nlattr *via = attrs->a[RTA_VIA];

	netlink_get_addr(attrs->a[RTA_GATEWAY], &nh->gateway);
	if (via && mnl_attr_get_payload_len(via) == sizeof(uint16_t) + sizeof nh->gateway)
		memcpy(&nh->gateway, (const uint8_t *)mnl_attr_get_payload(via) + sizeof(uint16_t),
			sizeof nh->gateway);
}

static void decode_multipath(
	const struct nlattr *attr, struct route_table *table, struct route_entry *e)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr), step;

	for (; left >= sizeof(struct rtnexthop); p += step, left -= step) {
		struct rtnexthop h;
		struct netlink_attrs attrs;
		struct route_nh nh;

		memcpy(&h, p, sizeof h);
		if (h.rtnh_len < sizeof h || h.rtnh_len > left)
			return;
		step = MIN(left, (size_t)RTNH_ALIGN(h.rtnh_len));
		netlink_attrs_of_bytes(
			&attrs, p + RTNH_ALIGN(sizeof h), h.rtnh_len - RTNH_ALIGN(sizeof h));
		/* What it encapsulates in can't be done here. */
		if (h.rtnh_flags & RTNH_F_DEAD || attrs.a[RTA_ENCAP_TYPE])
			continue;
		init_nh(&nh);
		nh.ifindex = h.rtnh_ifindex;
		nh.weight = h.rtnh_hops + 1u;
		nh.has_carrier = !(h.rtnh_flags & RTNH_F_LINKDOWN);
		decode_gateway(&attrs, &nh);
		memcpy(vec_push_zero(&table->hops), &nh, sizeof nh);
		e->n_hops++;
	}
}

/* struct nexthop_grp of linux/nexthop.h. Versions of that header differ in the third member's name:
 * newer kernels have the upper half of the weight where older ones have 0. */
struct group_member {
	uint32_t id;
	uint8_t weight_low;
	uint8_t weight_high;
	uint16_t reserved;
};

static_assert(sizeof(struct group_member) == sizeof(struct nexthop_grp), "read as an array");

static void decode_members(
	const struct nlattr *attr, struct route_table *table, struct route_nh_object *object)
{
	const struct group_member *members = mnl_attr_get_payload(attr);
	size_t n = mnl_attr_get_payload_len(attr) / sizeof *members;

	object->start = table->members.n;
	object->n = n;
	for (size_t i = 0; i < n; i++) {
		struct route_nh_member *m = vec_push_zero(&table->members);

		m->id = members[i].id;
		m->weight = MIN((members[i].weight_high << 8 | members[i].weight_low) + 1u,
			(uint32_t)MAX_WEIGHT);
	}
}

static void decode_object(const struct nlmsghdr *nlh, struct route_table *table)
{
	const struct nhmsg *h = mnl_nlmsg_get_payload(nlh);
	struct route_nh_object object;
	struct netlink_attrs attrs;
	uint32_t ifindex = 0;

	netlink_attrs_of_message(&attrs, nlh, sizeof *h);
	memset(&object, 0, sizeof object);
	if (!netlink_get_u32(attrs.a[NHA_ID], &object.id) || attrs.a[NHA_FDB])
		return;
	init_nh(&object.nh);
	netlink_get_u32(attrs.a[NHA_OIF], &ifindex);
	object.nh.ifindex = (int)ifindex;
	object.nh.has_carrier = !(h->nh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN));
	netlink_get_addr(attrs.a[NHA_GATEWAY], &object.nh.gateway);
	object.is_blackhole = attrs.a[NHA_BLACKHOLE] || attrs.a[NHA_ENCAP_TYPE];
	if (attrs.a[NHA_GROUP])
		decode_members(attrs.a[NHA_GROUP], table, &object);
	memcpy(vec_push_zero(&table->objects), &object, sizeof object);
}

/* ------------------------------------------------------------------ routes */

static enum route_type type_of(unsigned int rtm_type)
{
	switch (rtm_type) {
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_LOCAL:
		return ROUTE_LOCAL;
	case RTN_THROW:
		return ROUTE_THROW;
	default:
		return ROUTE_REFUSE;
	}
}

/* RFC 4191, 2.1: 01 high, 00 medium, 11 low. */
static uint8_t preference_of(const struct nlattr *attr)
{
	uint8_t code = 0;

	netlink_get_u8(attr, &code);
	return code == 1 ? 0 : code == 0 ? 1 : 2;
}

static void decode_hops(
	const struct netlink_attrs *attrs, struct route_table *table, struct route_entry *e)
{
	uint32_t ifindex = 0;
	struct route_nh nh;

	e->start = (uint32_t)table->hops.n;
	if (attrs->a[RTA_MULTIPATH]) {
		decode_multipath(attrs->a[RTA_MULTIPATH], table, e);
		return;
	}
	if (!netlink_get_u32(attrs->a[RTA_OIF], &ifindex))
		return;
	init_nh(&nh);
	nh.ifindex = (int)ifindex;
	decode_gateway(attrs, &nh);
	memcpy(vec_push_zero(&table->hops), &nh, sizeof nh);
	e->n_hops = 1;
}

static void decode_route(const struct nlmsghdr *nlh, struct route_table *table)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	bool is_ipv4 = rtm->rtm_family == AF_INET;
	struct netlink_attrs attrs;
	struct route_entry e;

	netlink_attrs_of_message(&attrs, nlh, sizeof *rtm);
	if ((!is_ipv4 && rtm->rtm_family != AF_INET6) || !is_plen(is_ipv4, rtm->rtm_dst_len) ||
		!is_plen(is_ipv4, rtm->rtm_src_len) || rtm->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD))
		return;
	memset(&e, 0, sizeof e); /* Padding too: tables are compared as bytes. */
	e.is_ipv4 = is_ipv4;
	e.table = rtm->rtm_table;
	e.plen = mapped_plen(is_ipv4, rtm->rtm_dst_len);
	e.tos = is_ipv4 ? rtm->rtm_tos : 0;
	e.scope = rtm->rtm_scope;
	e.type = (uint8_t)type_of(rtm->rtm_type);
	e.preference = preference_of(attrs.a[RTA_PREF]);
	netlink_get_u32(attrs.a[RTA_TABLE], &e.table);
	netlink_get_u32(attrs.a[RTA_PRIORITY], &e.metric);
	netlink_get_u32(attrs.a[RTA_NH_ID], &e.nh_id);
	/* Old kernels list the absence of IPv6 routes as one. */
	if (e.table == ROUTE_MANUAL_TABLE)
		return;
	if (is_ipv4)
		e.prefix = tnl_addr_from_ipv4(0);
	if ((netlink_get_addr(attrs.a[RTA_DST], &e.prefix) || is_ipv4) &&
		tnl_addr_is_ipv4(&e.prefix) != is_ipv4)
		return;
	e.prefix = tnl_addr_masked(&e.prefix, e.plen);
	if (!is_ipv4 && netlink_get_addr(attrs.a[RTA_SRC], &e.from))
		e.from_plen = rtm->rtm_src_len;
	netlink_get_addr(attrs.a[RTA_PREFSRC], &e.src);
	if (attrs.a[RTA_ENCAP_TYPE])
		e.type = ROUTE_REFUSE;
	decode_hops(&attrs, table, &e);
	memcpy(vec_push_zero(&table->entries), &e, sizeof e);
}

/* ------------------------------------------------------------------ all kinds */

void route_decode(const struct nlmsghdr *nlh, struct route_table *table)
{
	static const struct {
		uint16_t type;
		size_t header;
		void (*decode)(const struct nlmsghdr *nlh, struct route_table *table);
	} kinds[] = {
		{RTM_NEWLINK, sizeof(struct ifinfomsg), decode_link},
		{RTM_NEWADDR, sizeof(struct ifaddrmsg), decode_addr},
		{RTM_NEWRULE, sizeof(struct fib_rule_hdr), decode_rule},
		{RTM_NEWNEXTHOP, sizeof(struct nhmsg), decode_object},
		{RTM_NEWROUTE, sizeof(struct rtmsg), decode_route},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == nlh->nlmsg_type &&
			mnl_nlmsg_get_payload_len(nlh) >= kinds[i].header)
			kinds[i].decode(nlh, table);
}
