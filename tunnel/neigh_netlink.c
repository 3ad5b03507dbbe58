/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/neigh_netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "lib/headers.h"
#include "tunnel/tnl_addr.h"

#define MAX_READS 64

static void request(int fd, struct nlmsghdr *nlh)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, nlh, nlh->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
		    sizeof kernel) < 0)
		return; /* It is asked again. */
}

int neigh_netlink_open(void)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH};
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&local, sizeof local)) {
		int err = -errno;

		close(fd);
		return err;
	}
	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	request(fd, nlh);
	return fd;
}

static void take(const struct nlmsghdr *nlh,
	void (*found)(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac))
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool has_addr = false, has_mac = false;
	struct ipv6_addr addr;
	struct eth_addr mac;
	char dev[IF_NAMESIZE];

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof *nd ||
		!(nd->ndm_state &
			(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)))
		return;
	mnl_attr_for_each(attr, nlh, sizeof *nd)
	{
		size_t len = mnl_attr_get_payload_len(attr);
		const void *p = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) == NDA_DST && nd->ndm_family == AF_INET && len == 4) {
			be32 ip;

			memcpy(&ip, p, sizeof ip);
			addr = tnl_addr_from_ipv4(ip);
			has_addr = true;
		} else if (mnl_attr_get_type(attr) == NDA_DST && nd->ndm_family == AF_INET6 &&
			   len == sizeof addr) {
			memcpy(&addr, p, sizeof addr);
			has_addr = true;
		} else if (mnl_attr_get_type(attr) == NDA_LLADDR && len == ETH_ADDR_LEN) {
			memcpy(mac.b, p, sizeof mac.b);
			has_mac = !eth_addr_is_zero(mac) && !eth_addr_is_multicast(mac);
		}
	}
	if (has_addr && has_mac && !tnl_addr_is_multicast(&addr) &&
		if_indextoname((unsigned int)nd->ndm_ifindex, dev))
		found(dev, &addr, mac);
}

void neigh_netlink_run(int fd,
	void (*found)(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac))
{
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int left = (int)n;

		if (n < 0 && (errno == ENOBUFS || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			take(nlh, found);
	}
}

void neigh_netlink_probe(int fd, const char *dev, const struct ipv6_addr *addr)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	bool v4 = tnl_addr_is_ipv4(addr);
	struct ndmsg *nd;

	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	nd = mnl_nlmsg_put_extra_header(nlh, sizeof *nd);
	nd->ndm_family = v4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = (int)if_nametoindex(dev);
	nd->ndm_state = NUD_NONE;
	nd->ndm_flags = NTF_USE;
	if (v4)
		mnl_attr_put(nlh, NDA_DST, 4, &addr->w32[3]);
	else
		mnl_attr_put(nlh, NDA_DST, sizeof *addr, addr);
	if (nd->ndm_ifindex)
		request(fd, nlh);
}
