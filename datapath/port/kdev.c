/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/kdev.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "lib/log.h"
#include "lib/util.h"

LOG_MODULE(kdev);

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

int kdev_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int kdev_socket_of_tap(int tap_fd)
{
	int theirs = ioctl(tap_fd, TUNGETDEVNETNS);
	int ours, fd;

	if (theirs < 0)
		return errno == EBADFD ? -ENODEV : kdev_socket();
	ours = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ours < 0 || setns(theirs, CLONE_NEWNET)) {
		fd = kdev_socket();
	} else {
		fd = kdev_socket();
		if (setns(ours, CLONE_NEWNET))
			log_err("can't return to the network namespace: %s", strerror(errno));
	}
	if (ours >= 0)
		close(ours);
	close(theirs);
	return fd;
}

static int device_ioctl(int sock, unsigned long request, const char *name, struct ifreq *ifr)
{
	str_copy(ifr->ifr_name, name, sizeof ifr->ifr_name);
	return ioctl(sock, request, ifr) ? -errno : 0;
}

int kdev_ifindex(int sock, const char *name, int *ifindex)
{
	struct ifreq ifr = {0};
	int err = device_ioctl(sock, SIOCGIFINDEX, name, &ifr);

	if (!err)
		*ifindex = ifr.ifr_ifindex;
	return err;
}

int kdev_check_ethernet(int sock, const char *name)
{
	struct ifreq ifr = {0};
	int err = device_ioctl(sock, SIOCGIFHWADDR, name, &ifr);

	if (err)
		return err;
	return ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
			       ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK
		       ? 0
		       : -EOPNOTSUPP;
}

/* Link speed and duplex, where the driver knows them. */
static void get_speed(int sock, const char *name, struct dp_port_info *info)
{
	struct {
		struct ethtool_link_settings req;
		uint32_t masks[3 * 127];
	} e = {.req = {.cmd = ETHTOOL_GLINKSETTINGS}};
	struct ifreq ifr = {.ifr_data = (char *)&e};

	/* The first call says how long the masks are, negative. */
	if (device_ioctl(sock, SIOCETHTOOL, name, &ifr) || e.req.link_mode_masks_nwords >= 0)
		return;
	e.req.cmd = ETHTOOL_GLINKSETTINGS;
	e.req.link_mode_masks_nwords = (int8_t)-e.req.link_mode_masks_nwords;
	if (device_ioctl(sock, SIOCETHTOOL, name, &ifr))
		return;
	if (e.req.speed && e.req.speed != (uint32_t)SPEED_UNKNOWN)
		info->link_speed_mbps = e.req.speed;
	info->full_duplex = e.req.duplex == DUPLEX_FULL;
}

static void get_driver(int sock, const char *name, struct dp_port_info *info)
{
	struct ethtool_drvinfo drv = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {.ifr_data = (char *)&drv};

	if (device_ioctl(sock, SIOCETHTOOL, name, &ifr))
		return;
	str_copy(info->driver, drv.driver, sizeof info->driver);
	snprintf(info->details, sizeof info->details, "driver_version=%.31s\nfirmware_version=%.31s",
		drv.version, drv.fw_version);
}

int kdev_info(int sock, const char *name, struct dp_port_info *info)
{
	struct ifreq ifr = {0};
	int err = kdev_ifindex(sock, name, &info->ifindex);

	if (!err)
		err = device_ioctl(sock, SIOCGIFFLAGS, name, &ifr);
	if (err)
		return err;
	info->admin_up = ifr.ifr_flags & IFF_UP;
	info->link_up = info->admin_up && ifr.ifr_flags & IFF_RUNNING;
	if (!device_ioctl(sock, SIOCGIFMTU, name, &ifr))
		info->mtu = (uint32_t)ifr.ifr_mtu;
	if (!device_ioctl(sock, SIOCGIFHWADDR, name, &ifr))
		memcpy(info->mac.b, ifr.ifr_hwaddr.sa_data, sizeof info->mac.b);
	get_speed(sock, name, info);
	get_driver(sock, name, info);
	return 0;
}

int kdev_set_admin(int sock, const char *name, bool up)
{
	struct ifreq ifr = {0};
	int err = device_ioctl(sock, SIOCGIFFLAGS, name, &ifr);

	if (err)
		return err;
	if (up == !!(ifr.ifr_flags & IFF_UP))
		return 0;
	ifr.ifr_flags = (short)(ifr.ifr_flags ^ IFF_UP);
	return device_ioctl(sock, SIOCSIFFLAGS, name, &ifr);
}

int kdev_set_mtu(int sock, const char *name, uint32_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = (int)mtu};

	return device_ioctl(sock, SIOCSIFMTU, name, &ifr);
}

int kdev_set_mac(int sock, const char *name, struct eth_addr mac)
{
	struct ifreq ifr = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	memcpy(ifr.ifr_hwaddr.sa_data, mac.b, sizeof mac.b);
	return device_ioctl(sock, SIOCSIFHWADDR, name, &ifr);
}

/* ------------------------------------------------------------------ counters */

#define REPLY_MAX 32768		/* An RTM_NEWLINK has all that the kernel knows of the device. */

static int take_stats(const struct nlmsghdr *nlh, void *stats_)
{
	struct dp_port_stats *stats = stats_;
	const struct nlattr *attr;
	struct rtnl_link_stats64 k;

	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_STATS64)
			continue;
		memset(&k, 0, sizeof k);
		memcpy(&k, mnl_attr_get_payload(attr),
			MIN(sizeof k, (size_t)mnl_attr_get_payload_len(attr)));
		*stats = (struct dp_port_stats) {
			.rx_packets = k.rx_packets, .rx_bytes = k.rx_bytes,
			.rx_errors = k.rx_errors, .rx_dropped = k.rx_dropped,
			.tx_packets = k.tx_packets, .tx_bytes = k.tx_bytes,
			.tx_errors = k.tx_errors, .tx_dropped = k.tx_dropped,
			.rx_over_errors = k.rx_over_errors,
			.rx_frame_errors = k.rx_frame_errors,
			.rx_crc_errors = k.rx_crc_errors,
			.collisions = k.collisions, .multicast = k.multicast,
		};
		return MNL_CB_STOP;
	}
	return MNL_CB_ERROR;
}

static int ask_link(struct mnl_socket *socket, int ifindex, struct dp_port_stats *stats)
{
	char buf[REPLY_MAX];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;
	ssize_t n;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
	ifi->ifi_index = ifindex;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(socket, buf, sizeof buf);
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, (size_t)n, 0, 0, take_stats, stats) < 0 ? -ENODEV : 0;
}

int kdev_stats(int ifindex, struct dp_port_stats *stats)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err;

	if (!socket)
		return -errno;
	err = ask_link(socket, ifindex, stats);
	mnl_socket_close(socket);
	return err;
}
