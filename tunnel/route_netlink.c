/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route_netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "lib/headers.h"
#include "tunnel/netlink.h"
#include "tunnel/route_decode.h"
#include "tunnel/route_table.h"

#define N_TRIES 5

/* ------------------------------------------------------------------ dumps */

static int on_message(const struct nlmsghdr *nlh, void *table)
{
	route_decode(nlh, table);
	return MNL_CB_OK;
}

/* All objects of a kind. 0, -EINTR if the kernel changed meanwhile, or -errno. */
static int dump(
	struct mnl_socket *socket, uint16_t type, uint8_t family, struct route_table *table)
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
	/* Long enough for the header of any kind; of next hop objects only theirs is taken. */
	gen = mnl_nlmsg_put_extra_header(nlh,
		type == RTM_GETNEXTHOP ? sizeof(struct nhmsg) : sizeof(struct ifinfomsg));
	gen->rtgen_family = family;
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t n = mnl_socket_recvfrom(socket, buf, sizeof buf);

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, seq, portid, on_message, table);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

/* A kernel may be built without policy rules, next hop objects, or IPv6. */
static int read_all(struct mnl_socket *socket, struct route_table *table)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		bool is_optional;
	} kinds[] = {
		{RTM_GETLINK, AF_UNSPEC, false},
		{RTM_GETADDR, AF_UNSPEC, false},
		{RTM_GETRULE, AF_INET, true},
		{RTM_GETRULE, AF_INET6, true},
		{RTM_GETNEXTHOP, AF_UNSPEC, true},
		{RTM_GETROUTE, AF_INET, false},
		{RTM_GETROUTE, AF_INET6, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int err = dump(socket, kinds[i].type, kinds[i].family, table);

		if (err && (err == -EINTR || !kinds[i].is_optional))
			return err;
	}
	return 0;
}

/* Several next hops: which packets may take different ones. No news comes of a change of this. */
static bool is_per_flow(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char policy = '0';

	if (fd < 0)
		return false;
	if (read(fd, &policy, 1) != 1)
		policy = '0';
	close(fd);
	return policy != '0';
}

int route_netlink_read(struct route_table *table)
{
	int err = -EINTR;

	for (int i = 0; i < N_TRIES && err == -EINTR; i++) {
		struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

		if (!socket)
			return -errno;
		route_table_clear(table);
		err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno
									 : read_all(socket, table);
		mnl_socket_close(socket);
	}
	table->per_flow4 = is_per_flow("/proc/sys/net/ipv4/fib_multipath_hash_policy");
	table->per_flow6 = is_per_flow("/proc/sys/net/ipv6/fib_multipath_hash_policy");
	return err;
}

/* ------------------------------------------------------------------ changes */

int route_netlink_monitor(void)
{
	static const int groups[] = {
		RTNLGRP_LINK,
		RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_RULE,
		RTNLGRP_NEXTHOP,
	};

	return netlink_monitor(groups, ARRAY_SIZE(groups));
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
