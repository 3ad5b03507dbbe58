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
#include "tunnel/netlink.h"
#include "tunnel/tnl_addr.h"

#define MAX_READS 64

int neigh_netlink_open(void)
{
	static const int groups[] = {RTNLGRP_NEIGH};
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int fd = netlink_monitor(groups, ARRAY_SIZE(groups));

	if (fd < 0)
		return fd;
	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	netlink_request(fd, nlh);
	return fd;
}

bool neigh_netlink_decode(const struct nlmsghdr *nlh, unsigned int *ifindex, struct ipv6_addr *addr,
	struct eth_addr *mac)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	struct netlink_attrs attrs;
	const struct nlattr *hw;
	struct ipv6_addr found;
	struct eth_addr m;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof *nd ||
		!(nd->ndm_state &
			(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)) ||
		(nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return false;
	netlink_attrs_of_message(&attrs, nlh, sizeof *nd);
	hw = attrs.a[NDA_LLADDR];
	if (!hw || mnl_attr_get_payload_len(hw) != ETH_ADDR_LEN ||
		!netlink_get_addr(attrs.a[NDA_DST], &found) ||
		tnl_addr_is_ipv4(&found) != (nd->ndm_family == AF_INET))
		return false;
	memcpy(m.b, mnl_attr_get_payload(hw), sizeof m.b);
	if (eth_addr_is_zero(m) || eth_addr_is_multicast(m) || tnl_addr_is_multicast(&found))
		return false;
	*ifindex = (unsigned int)nd->ndm_ifindex;
	*addr = found;
	*mac = m;
	return true;
}

static void take(const struct nlmsghdr *nlh,
	void (*found)(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac))
{
	struct ipv6_addr addr;
	struct eth_addr mac;
	unsigned int ifindex;
	char dev[IF_NAMESIZE];

	if (neigh_netlink_decode(nlh, &ifindex, &addr, &mac) && if_indextoname(ifindex, dev))
		found(dev, &addr, mac);
}

void neigh_netlink_run(int fd,
	void (*found)(const char *dev, const struct ipv6_addr *addr, struct eth_addr mac))
{
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);
		const uint8_t *data = (const uint8_t *)buf;
		const struct nlmsghdr *nlh;
		size_t left = (size_t)n;

		if (n < 0 && (errno == ENOBUFS || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		while ((nlh = netlink_next_message(&data, &left)))
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
		netlink_request(fd, nlh); /* It is asked again. */
}
