/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/link_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "lib/fatal.h"
#include "lib/util.h"

struct link_monitor {
	struct mnl_socket *socket;
	size_t left; /* Bytes of buf from `next` on not looked at yet. */
	const struct nlmsghdr *next;
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
};

int link_monitor_open(struct link_monitor **monitor)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct link_monitor *m;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) {
		int err = -errno;

		mnl_socket_close(socket);
		return err;
	}
	m = xcalloc(1, sizeof *m);
	m->socket = socket;
	*monitor = m;
	return 0;
}

void link_monitor_close(struct link_monitor *monitor)
{
	if (!monitor)
		return;
	mnl_socket_close(monitor->socket);
	free(monitor);
}

int link_monitor_fd(const struct link_monitor *monitor)
{
	return mnl_socket_get_fd(monitor->socket);
}

static bool parse_link(const struct nlmsghdr *nlh, struct link_event *event)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return false;
	*event = (struct link_event){
		.ifindex = ifi->ifi_index, .gone = nlh->nlmsg_type == RTM_DELLINK};
	mnl_attr_for_each(attr, nlh, sizeof *ifi)
	{
		if (mnl_attr_get_type(attr) == IFLA_IFNAME &&
			mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			str_copy(event->name, mnl_attr_get_str(attr), sizeof event->name);
	}
	return event->name[0];
}

bool link_monitor_next(struct link_monitor *monitor, struct link_event *event, bool *lost)
{
	for (;;) {
		int left = (int)monitor->left;

		while (left > 0 && mnl_nlmsg_ok(monitor->next, left)) {
			const struct nlmsghdr *nlh = monitor->next;

			monitor->next = mnl_nlmsg_next(nlh, &left);
			monitor->left = left > 0 ? (size_t)left : 0;
			if (parse_link(nlh, event))
				return true;
		}
		ssize_t n = mnl_socket_recvfrom(monitor->socket, monitor->buf, sizeof monitor->buf);

		monitor->left = 0;
		if (n < 0) {
			if (errno == ENOBUFS)
				*lost = true;
			else if (errno != EINTR)
				return false;
			continue;
		}
		monitor->next = (const struct nlmsghdr *)monitor->buf;
		monitor->left = (size_t)n;
		if (!n)
			return false;
	}
}
