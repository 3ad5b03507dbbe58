/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include "lib/headers.h"
#include "tunnel/tnl_addr.h"

/* ------------------------------------------------------------------ messages and attributes */

const struct nlmsghdr *netlink_next_message(const uint8_t **data, size_t *size)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)*data;
	size_t step;

	if (*size < sizeof *nlh || nlh->nlmsg_len < sizeof *nlh || nlh->nlmsg_len > *size)
		return NULL;
	step = MIN(*size, (size_t)NLMSG_ALIGN(nlh->nlmsg_len));
	*data += step;
	*size -= step;
	return nlh;
}

static void take(struct netlink_attrs *attrs, const struct nlattr *attr)
{
	if (mnl_attr_get_type(attr) < NETLINK_N_ATTRS)
		attrs->a[mnl_attr_get_type(attr)] = attr;
	else
		attrs->too_new = true;
}

void netlink_attrs_of_bytes(struct netlink_attrs *attrs, const void *data, size_t size)
{
	const struct nlattr *attr;

	memset(attrs, 0, sizeof *attrs);
	mnl_attr_for_each_payload(data, size)
		take(attrs, attr);
}

void netlink_attrs_of_message(
	struct netlink_attrs *attrs, const struct nlmsghdr *nlh, size_t header_len)
{
	size_t ofs = MNL_ALIGN(header_len), len = mnl_nlmsg_get_payload_len(nlh);

	netlink_attrs_of_bytes(attrs, (const uint8_t *)mnl_nlmsg_get_payload(nlh) + ofs,
		len > ofs ? len - ofs : 0);
}

bool netlink_get_u32(const struct nlattr *attr, uint32_t *value)
{
	if (!attr || mnl_attr_get_payload_len(attr) != sizeof *value)
		return false;
	memcpy(value, mnl_attr_get_payload(attr), sizeof *value);
	return true;
}

bool netlink_get_u8(const struct nlattr *attr, uint8_t *value)
{
	if (!attr || mnl_attr_get_payload_len(attr) != sizeof *value)
		return false;
	*value = mnl_attr_get_u8(attr);
	return true;
}

bool netlink_get_addr(const struct nlattr *attr, struct ipv6_addr *addr)
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

/* ------------------------------------------------------------------ sockets */

int netlink_monitor(const int *groups, size_t n_groups)
{
	struct sockaddr_nl local = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&local, sizeof local)) {
		int err = -errno;

		close(fd);
		return err;
	}
	for (size_t i = 0; i < n_groups; i++)
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]);
	return fd;
}

int netlink_request(int fd, const struct nlmsghdr *nlh)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, nlh, nlh->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
		       sizeof kernel) < 0
		? -errno
		: 0;
}
