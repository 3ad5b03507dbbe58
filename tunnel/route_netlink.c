/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's links, addresses, rules and routes, over rtnetlink. */

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

#define N_ATTRS 64
#define N_TRIES 5

/* Attributes by type; a later one of the same type wins. */
struct attrs {
	const struct nlattr *a[N_ATTRS];
};

static struct attrs parse_attrs(const struct nlmsghdr *nlh, size_t header_len)
{
	struct attrs attrs = {{NULL}};
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, header_len)
	{
		if (mnl_attr_get_type(attr) < N_ATTRS)
			attrs.a[mnl_attr_get_type(attr)] = attr;
	}
	return attrs;
}

static bool get_u32(const struct nlattr *attr, uint32_t *value)
{
	if (!attr || mnl_attr_get_payload_len(attr) < sizeof *value)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), sizeof *value);
	return true;
}

/* An address by its length: 4 bytes IPv4, 16 bytes IPv6. */
static bool get_addr(const struct nlattr *attr, struct ipv6_addr *addr)
{
	be32 ip;

	if (!attr)
		return false;
	if (mnl_attr_get_payload_len(attr) == sizeof *addr) {
		memcpy(addr, mnl_attr_get_payload(attr), sizeof *addr);
		return true;
	}
	if (mnl_attr_get_payload_len(attr) != sizeof ip)
		return false;
	memcpy(&ip, mnl_attr_get_payload(attr), sizeof ip);
	*addr = tnl_addr_from_ipv4(ip);
	return true;
}

/* ------------------------------------------------------------------ what the messages say */

static int read_link(const struct nlmsghdr *nlh, void *table_)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct attrs attrs = parse_attrs(nlh, sizeof *ifi);
	struct route_table *table = table_;
	struct route_link *link;

	if (nlh->nlmsg_type != RTM_NEWLINK || !attrs.a[IFLA_IFNAME] ||
		mnl_attr_validate(attrs.a[IFLA_IFNAME], MNL_TYPE_NUL_STRING) < 0)
		return MNL_CB_OK;
	link = vec_push_zero(&table->links);
	link->ifindex = ifi->ifi_index;
	link->is_loopback = ifi->ifi_flags & IFF_LOOPBACK;
	str_copy(link->name, mnl_attr_get_str(attrs.a[IFLA_IFNAME]), sizeof link->name);
	get_u32(attrs.a[IFLA_MTU], &link->mtu);
	if (attrs.a[IFLA_ADDRESS] &&
		mnl_attr_get_payload_len(attrs.a[IFLA_ADDRESS]) == ETH_ADDR_LEN)
		memcpy(link->mac.b, mnl_attr_get_payload(attrs.a[IFLA_ADDRESS]), ETH_ADDR_LEN);
	return MNL_CB_OK;
}

static int read_addr(const struct nlmsghdr *nlh, void *table_)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct attrs attrs = parse_attrs(nlh, sizeof *ifa);
	struct route_table *table = table_;
	const struct route_link *link;
	struct ipv6_addr addr;
	struct route_addr *a;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
		(ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return MNL_CB_OK;
	/* Of a point-to-point link IFA_LOCAL is ours. */
	if (!get_addr(attrs.a[IFA_LOCAL], &addr) && !get_addr(attrs.a[IFA_ADDRESS], &addr))
		return MNL_CB_OK;
	link = route_table_link_by_index(table, (int)ifa->ifa_index);
	if (!link)
		return MNL_CB_OK;
	a = vec_push_zero(&table->addrs);
	a->addr = addr;
	a->plen = (uint8_t)(ifa->ifa_prefixlen + (ifa->ifa_family == AF_INET ? 96 : 0));
	a->ifindex = link->ifindex;
	memcpy(a->dev, link->name, sizeof a->dev);
	return MNL_CB_OK;
}

/* Of the rules those that say nothing but "this mark, that table". */
static int read_rule(const struct nlmsghdr *nlh, void *table_)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(nlh);
	struct attrs attrs = parse_attrs(nlh, sizeof *rule);
	struct route_table *table = table_;
	struct route_rule r = {.table = rule->table};
	uint32_t mask = UINT32_MAX;

	if (nlh->nlmsg_type != RTM_NEWRULE || rule->action != FR_ACT_TO_TBL || rule->src_len ||
		rule->dst_len || rule->tos || attrs.a[FRA_IIFNAME] || attrs.a[FRA_OIFNAME])
		return MNL_CB_OK;
	get_u32(attrs.a[FRA_TABLE], &r.table);
	get_u32(attrs.a[FRA_FWMASK], &mask);
	if (!get_u32(attrs.a[FRA_FWMARK], &r.mark) || !r.mark || mask != UINT32_MAX)
		return MNL_CB_OK;
	vec_push(&table->rules, r);
	return MNL_CB_OK;
}

/* Output device and gateway; of several next hops the first that lives. */
static void read_next_hop(const struct attrs *attrs, uint32_t *oif, struct ipv6_addr *gateway)
{
	const struct nlattr *multipath = attrs->a[RTA_MULTIPATH];
	const struct rtnexthop *nh;
	size_t left;

	get_u32(attrs->a[RTA_OIF], oif);
	get_addr(attrs->a[RTA_GATEWAY], gateway);
	if (attrs->a[RTA_VIA] && mnl_attr_get_payload_len(attrs->a[RTA_VIA]) == 2 + sizeof *gateway)
		memcpy(gateway, (const uint8_t *)mnl_attr_get_payload(attrs->a[RTA_VIA]) + 2,
			sizeof *gateway);
	if (!multipath)
		return;
	nh = mnl_attr_get_payload(multipath);
	left = mnl_attr_get_payload_len(multipath);
	for (; left >= sizeof *nh && nh->rtnh_len >= sizeof *nh && nh->rtnh_len <= left;
		left -= MIN(left, (size_t)RTNH_ALIGN(nh->rtnh_len)), nh = RTNH_NEXT(nh)) {
		const struct nlattr *attr = (const struct nlattr *)RTNH_DATA(nh);
		int attr_left = nh->rtnh_len - (int)sizeof *nh;

		if (nh->rtnh_flags & RTNH_F_DEAD)
			continue;
		*oif = (uint32_t)nh->rtnh_ifindex;
		for (; mnl_attr_ok(attr, attr_left);
			attr_left -= (int)MNL_ALIGN(attr->nla_len), attr = mnl_attr_next(attr))
			if (mnl_attr_get_type(attr) == RTA_GATEWAY)
				get_addr(attr, gateway);
		return;
	}
}

static void add_entry(struct route_table *table, const struct route_entry *e)
{
	bool standard = e->table == RT_TABLE_LOCAL || e->table == RT_TABLE_MAIN ||
			e->table == RT_TABLE_DEFAULT;

	if (standard)
		vec_push(&table->entries, *e);
	for (size_t i = 0; i < table->rules.n; i++) {
		if (table->rules.items[i].table == e->table) {
			struct route_entry marked = *e;

			marked.mark = table->rules.items[i].mark;
			vec_push(&table->entries, marked);
		}
	}
}

static int read_route(const struct nlmsghdr *nlh, void *table_)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct attrs attrs = parse_attrs(nlh, sizeof *rtm);
	bool v4 = rtm->rtm_family == AF_INET, local = rtm->rtm_type == RTN_LOCAL;
	struct route_table *table = table_;
	const struct route_link *link;
	struct route_entry e;
	uint32_t oif = 0;

	if (nlh->nlmsg_type != RTM_NEWROUTE || (!v4 && rtm->rtm_family != AF_INET6) ||
		(rtm->rtm_type != RTN_UNICAST && !local) || rtm->rtm_scope == RT_SCOPE_NOWHERE ||
		rtm->rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD))
		return MNL_CB_OK;
	memset(&e, 0, sizeof e); /* Padding too: tables are compared as bytes. */
	e.table = rtm->rtm_table;
	e.plen = (uint8_t)(rtm->rtm_dst_len + (v4 ? 96 : 0));
	e.origin = local ? ROUTE_LOCAL : ROUTE_KERNEL;
	get_u32(attrs.a[RTA_TABLE], &e.table);
	get_u32(attrs.a[RTA_PRIORITY], &e.metric);
	if (!get_addr(attrs.a[RTA_DST], &e.prefix) && v4)
		e.prefix = tnl_addr_from_ipv4(0);
	get_addr(attrs.a[RTA_PREFSRC], &e.src);
	read_next_hop(&attrs, &oif, &e.gateway);
	link = route_table_link_by_index(table, (int)oif);
	if (!link || e.plen > 128)
		return MNL_CB_OK;
	memcpy(e.dev, link->name, sizeof e.dev);
	add_entry(table, &e);
	return MNL_CB_OK;
}

/* ------------------------------------------------------------------ dumps */

/* All objects of a kind to CB. 0, -EINTR if the kernel changed meanwhile, or -errno. */
static int dump(struct mnl_socket *socket, uint16_t type, uint8_t family, mnl_cb_t cb,
	struct route_table *table)
{
	static unsigned int seq;
	char buf[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	unsigned int portid = mnl_socket_get_portid(socket);
	struct rtgenmsg *gen;
	int r;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++seq;
	/* Long enough for the header of any kind. */
	gen = mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	gen->rtgen_family = family;
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t n = mnl_socket_recvfrom(socket, buf, sizeof buf);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, portid, cb, table);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

static int read_all(struct mnl_socket *socket, struct route_table *table)
{
	int err = dump(socket, RTM_GETLINK, AF_UNSPEC, read_link, table);

	if (!err)
		err = dump(socket, RTM_GETADDR, AF_UNSPEC, read_addr, table);
	/* A kernel without policy routing has no rules. */
	if (!err)
		err = dump(socket, RTM_GETRULE, AF_UNSPEC, read_rule, table);
	if (!err || err == -EOPNOTSUPP)
		err = dump(socket, RTM_GETROUTE, AF_INET, read_route, table);
	if (!err)
		err = dump(socket, RTM_GETROUTE, AF_INET6, read_route, table);
	/* ... or none of IPv6. */
	return err == -EAFNOSUPPORT || err == -EOPNOTSUPP ? 0 : err;
}

static void clear(struct route_table *table)
{
	vec_clear(&table->links);
	vec_clear(&table->addrs);
	vec_clear(&table->rules);
	vec_clear(&table->entries);
}

int route_netlink_read(struct route_table *table)
{
	int err = -EINTR;

	for (int i = 0; i < N_TRIES && err == -EINTR; i++) {
		struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

		if (!socket)
			return -errno;
		clear(table);
		err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno
									 : read_all(socket, table);
		mnl_socket_close(socket);
	}
	return err;
}

int route_netlink_monitor(void)
{
	struct sockaddr_nl local = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE,
	};
	int rules6 = RTNLGRP_IPV6_RULE;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&local, sizeof local)) {
		int err = -errno;

		close(fd);
		return err;
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &rules6, sizeof rules6);
	return fd;
}

bool route_netlink_drain(int fd)
{
	char buf[4096];
	bool any = false;

	/* What they say does not matter: that there was one does. ENOBUFS is news too. Bounded: the
	 * loop comes back if there are more. */
	for (int i = 0; i < 256; i++) {
		ssize_t n = recv(fd, buf, sizeof buf, MSG_TRUNC);

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			break;
		any = true;
	}
	return any;
}
