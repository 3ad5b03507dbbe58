/* SPDX-License-Identifier: Apache-2.0 */

/*
 * "internal": a tap device that we make. Its file keeps working when the device moves to another
 * network namespace; settings then go through a socket of that namespace.
 *
 * If the device dies under us (its namespace was deleted, somebody deleted it), reading fails with
 * EBADFD and the file polls readable for ever. The reader then takes the file out of the epoll set
 * that users see and stays away; the next port_info(), on the worker, makes the device again under
 * the same file descriptor and puts it back.
 */

#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#include "datapath/port/kdev.h"
#include "datapath/port/port.h"
#include "datapath/port/vnet.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/util.h"

LOG_MODULE(port_tap);

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* A tap writes no more segments than this in one call. */
#define MAX_IOV 64

/* A device that was found to be down is not asked again for so long: floods that include a bridge's own port, which
 * mostly is, would pay a system call for each packet. */
#define DOWN_US 1000

struct tap {
	int fd;              /* The same number for life. */
	int epoll;           /* Holds fd while it is sane; what users poll. */
	_Atomic bool broken; /* Set by the reader, cleared by the worker. */
	_Atomic uint64_t down_until; /* TSC. */
	bool link_up;
	uint64_t link_resets;
	struct rte_mempool *pool;
};

/* A file with the device NAME behind it. */
static int tap_create(struct port *port, char *error)
{
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0) {
		err = -errno;
		snprintf(error, 256, "%s: can't open /dev/net/tun: %s", port->name, strerror(-err));
		return err;
	}
	str_copy(ifr.ifr_name, port->name, sizeof ifr.ifr_name);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		err = -errno;
		snprintf(error, 256,
			err == -EINVAL || err == -EBUSY
				? "%s: a device of that name that is not ours exists already (%s)"
				: "%s: can't make a tap device: %s",
			port->name, strerror(-err));
		close(fd);
		return err;
	}
	port->tx_offload_uso = vnet_has_udp_l4();
	if (ioctl(fd, TUNSETOFFLOAD, offload | TUN_F_USO4 | TUN_F_USO6) &&
		ioctl(fd, TUNSETOFFLOAD, offload))
		log_warn("%s: no offloads: %s", port->name, strerror(errno));
	port->tx_offload_csum = port->tx_offload_tso = true;
	return fd;
}

/* The MAC and MTU that were asked for. */
static int tap_configure(struct port *port, int sock, char *error)
{
	int err = 0;

	if (!eth_addr_is_zero(port->wanted_mac))
		err = kdev_set_mac(sock, port->name, port->wanted_mac);
	if (err)
		snprintf(error, 256, "%s: can't set the MAC address: %s", port->name,
			strerror(-err));
	else if (port->wanted_mtu && (err = kdev_set_mtu(sock, port->name, port->wanted_mtu)))
		snprintf(error, 256, "%s: can't set the MTU to %u: %s", port->name,
			port->wanted_mtu, strerror(-err));
	return err;
}

static int tap_make(struct port *port, char *error)
{
	int fd = tap_create(port, error);
	int sock, err;

	if (fd < 0)
		return fd;
	sock = kdev_socket_of_tap(fd);
	err = sock < 0 ? sock : tap_configure(port, sock, error);
	if (sock >= 0)
		close(sock);
	else
		snprintf(error, 256, "%s: no socket: %s", port->name, strerror(-sock));
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int watch(struct tap *tap, int op)
{
	struct epoll_event ev = {.events = EPOLLIN};

	return epoll_ctl(tap->epoll, op, tap->fd, &ev) ? -errno : 0;
}

static int tap_open(struct port *port, const struct dp_port_spec *spec, char *error)
{
	struct tap *tap;
	int fd = tap_make(port, error);

	if (fd < 0)
		return fd;
	tap = xcalloc(1, sizeof *tap);
	tap->fd = fd;
	tap->pool = eal_mempool(port->numa);
	tap->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tap->epoll < 0 || watch(tap, EPOLL_CTL_ADD)) {
		int err = -errno;

		snprintf(error, 256, "%s: can't poll the device: %s", port->name, strerror(-err));
		if (tap->epoll >= 0)
			close(tap->epoll);
		close(fd);
		free(tap);
		return err;
	}
	port->priv = tap;
	return 0;
}

static void tap_close(struct port *port)
{
	struct tap *tap = port->priv;

	close(tap->epoll);
	close(tap->fd);
	free(tap);
}

/* Worker: the device is dead. Makes it again, in our own namespace. */
static int tap_repair(struct port *port)
{
	struct tap *tap = port->priv;
	char error[256];
	int fd;

	if (!atomic_load_explicit(&tap->broken, memory_order_acquire))
		return -ENODEV; /* Its reader has not noticed yet. */
	fd = tap_make(port, error);
	if (fd < 0) {
		static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);

		log_warn_rl(&rl, "the device is gone and can't be made again: %s", error);
		return -ENODEV;
	}
	dup3(fd, tap->fd, O_CLOEXEC);
	close(fd);
	atomic_store_explicit(&tap->broken, false, memory_order_release);
	watch(tap, EPOLL_CTL_ADD);
	log_info("%s: the device had vanished, made it again", port->name);
	return 0;
}

/* A socket for settings, and the name that the device has now. */
static int tap_settings(struct port *port, char name[IFNAMSIZ])
{
	struct tap *tap = port->priv;
	struct ifreq ifr = {0};

	if (ioctl(tap->fd, TUNGETIFF, &ifr)) {
		int err = tap_repair(port);

		if (err)
			return err;
		if (ioctl(tap->fd, TUNGETIFF, &ifr))
			return -ENODEV;
	}
	str_copy(name, ifr.ifr_name, IFNAMSIZ);
	return kdev_socket_of_tap(tap->fd);
}

static int tap_info(struct port *port, struct dp_port_info *info)
{
	struct tap *tap = port->priv;
	char name[IFNAMSIZ];
	int sock = tap_settings(port, name), err;

	if (sock >= 0) {
		err = kdev_info(sock, name, info);
		close(sock);
		if (err && err != -ENODEV)
			return err;
	} else {
		err = sock;
	}
	if (err) {
		/* Dead for the moment, its namespace perhaps going just now: there, but down. */
		info->mac = port->wanted_mac;
		info->mtu = atomic_load(&port->mtu);
		str_copy(info->driver, "tun", sizeof info->driver);
	}
	tap->link_resets += info->link_up != tap->link_up;
	tap->link_up = info->link_up;
	info->link_resets = tap->link_resets;
	return 0;
}

static int tap_set_admin(struct port *port, bool up)
{
	char name[IFNAMSIZ];
	int sock = tap_settings(port, name), err;

	if (sock < 0)
		return sock;
	err = kdev_set_admin(sock, name, up);
	close(sock);
	atomic_store_explicit(&((struct tap *)port->priv)->down_until, 0, memory_order_relaxed);
	return err;
}

static int tap_set_mtu(struct port *port, uint32_t mtu)
{
	char name[IFNAMSIZ];
	int sock = tap_settings(port, name), err;

	if (sock < 0)
		return sock;
	err = kdev_set_mtu(sock, name, mtu);
	close(sock);
	return err;
}

static int tap_set_mac(struct port *port, struct eth_addr mac)
{
	char name[IFNAMSIZ];
	int sock = tap_settings(port, name), err;

	if (sock < 0)
		return sock;
	err = kdev_set_mac(sock, name, mac);
	close(sock);
	return err;
}

static int tap_rx_fd(struct port *port, uint16_t qid)
{
	return ((struct tap *)port->priv)->epoll;
}

/* Reads one frame. 1; 0 for one that must be thrown away; or -errno. */
static int tap_read(struct tap *tap, struct rte_mbuf *m)
{
	uint8_t *spill = vnet_spill(0);
	struct virtio_net_hdr hdr;
	struct iovec iov[3] = {
		{&hdr, sizeof hdr},
		{(uint8_t *)m->buf_addr + EAL_HEADROOM, EAL_DATA_ROOM},
		{spill, VNET_SPILL_LEN},
	};
	ssize_t n = readv(tap->fd, iov, 3);

	if (n < 0)
		return -errno;
	if ((size_t)n <= sizeof hdr || (size_t)n > sizeof hdr + VNET_FRAME_MAX)
		return 0;
	m->data_off = EAL_HEADROOM;
	return vnet_receive(m, spill, (uint32_t)(n - (ssize_t)sizeof hdr), tap->pool) &&
	       vnet_parse(&hdr, mbuf_packet(m));
}

static uint16_t tap_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	struct tap *tap = port->priv;
	struct rte_mbuf *m = NULL;
	uint16_t got = 0;

	if (unlikely(atomic_load_explicit(&tap->broken, memory_order_acquire)))
		return 0;
	for (uint16_t tries = 0; tries < n && (m || (m = rte_pktmbuf_alloc(tap->pool))); tries++) {
		int r = tap_read(tap, m);

		if (likely(r == 1)) {
			mbufs[got++] = m;
			m = NULL;
		} else if (r == 0) {
			rte_pktmbuf_free(m);
			m = NULL;
		} else {
			if (r == -EBADFD) {
				watch(tap, EPOLL_CTL_DEL);
				atomic_store_explicit(&tap->broken, true, memory_order_release);
			}
			break;
		}
	}
	rte_pktmbuf_free(m);
	return got;
}

static bool is_known_down(const struct tap *tap)
{
	uint64_t until = atomic_load_explicit(&tap->down_until, memory_order_relaxed);

	return unlikely(until) && rte_rdtsc() < until;
}

static void note_down(struct tap *tap)
{
	atomic_store_explicit(&tap->down_until, rte_rdtsc() + rte_get_tsc_hz() / 1000000 * DOWN_US,
		memory_order_relaxed);
}

static enum drop_reason tap_write(struct tap *tap, struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr;
	struct iovec iov[MAX_IOV];
	int n = 1;

	if (unlikely(is_known_down(tap)))
		return DROP_TX_PORT_DOWN;
	vnet_build(mbuf_packet(m), &hdr);
	iov[0] = (struct iovec){&hdr, sizeof hdr};
	for (struct rte_mbuf *s = m; s; s = s->next) {
		if (unlikely(n == MAX_IOV))
			return DROP_TX_TOO_BIG;
		iov[n++] = (struct iovec){rte_pktmbuf_mtod(s, void *), s->data_len};
	}
	if (likely(writev(tap->fd, iov, n) >= 0))
		return DROP_NONE;
	switch (errno) {
	case EIO:
		note_down(tap);
		return DROP_TX_PORT_DOWN;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return DROP_TX_FULL;
	default:
		return DROP_TX_ERROR;
	}
}

static uint16_t tap_tx(
	struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, uint64_t *drops)
{
	struct tap *tap = port->priv;
	uint16_t sent = 0;

	for (uint16_t i = 0; i < n; i++) {
		enum drop_reason reason = tap_write(tap, mbufs[i]);

		if (likely(reason == DROP_NONE))
			sent++;
		else
			drops[reason]++;
	}
	rte_pktmbuf_free_bulk(mbufs, n);
	return sent;
}

const struct port_driver port_tap_driver = {
	.type = "internal",
	.open = tap_open,
	.closes_anywhere = true,
	.close = tap_close,
	.info = tap_info,
	.set_admin = tap_set_admin,
	.set_mtu = tap_set_mtu,
	.set_mac = tap_set_mac,
	.rx = tap_rx,
	.tx = tap_tx,
	.rx_fd = tap_rx_fd,
};
