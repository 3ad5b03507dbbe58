/* SPDX-License-Identifier: Apache-2.0 */

/*
 * "system": a kernel device that exists already, through a packet socket. We get a copy of what the
 * device receives, and what we send goes out of it (through its queueing discipline, so that
 * traffic control on it works). Promiscuous mode is a membership of the socket: nothing stays on
 * the device when the process ends, however it ends.
 *
 * A deleted device leaves the socket bound to nothing; port_info() binds it again when a device of
 * the name is there.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "datapath/port/kdev.h"
#include "datapath/port/port.h"
#include "datapath/port/port_filter.h"
#include "datapath/port/vnet.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/smap.h"
#include "lib/util.h"

LOG_MODULE(port_packet);

#define RX_BUFFER (8 << 20)
#define TX_BUFFER (4 << 20)
#define MAX_IOV 64

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

struct packet_port {
	int fd;
	int settings;        /* For ioctls. */
	_Atomic int ifindex; /* 0: not bound. */
	bool opened;
	bool link_up;
	uint64_t link_resets;
	_Atomic uint64_t rx_dropped; /* By the kernel: buffer full. */
	pthread_mutex_t lock;
	struct dp_port_stats device; /* The kernel's counters: packets and bytes from before it was opened. */
	struct rte_mempool *pool;
	uint16_t n_spare; /* Receiver's: mbufs not used yet. */
	struct rte_mbuf *spare[PORT_BURST];
};

/* What recvmmsg() fills for one frame. */
struct slot {
	struct virtio_net_hdr hdr;
	struct iovec iov[3];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __attribute__((aligned(8)));
};

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) ? -errno : 0;
}

static void set_buffers(int fd)
{
	int rx = RX_BUFFER, tx = TX_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rx, sizeof rx))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rx, sizeof rx);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &tx, sizeof tx))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &tx, sizeof tx);
}

/* A socket that receives nothing until it is bound: the options come first. */
static int open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = set_option(fd, PACKET_VNET_HDR, 1);
	if (!err)
		err = set_option(fd, PACKET_AUXDATA, 1);
	if (!err)
		err = set_option(fd, PACKET_IGNORE_OUTGOING, 1);
	if (err) {
		close(fd);
		return err;
	}
	set_buffers(fd);
	return fd;
}

/* Binds to the device that has the port's name now. */
static int attach(struct port *port)
{
	struct packet_port *pp = port->priv;
	struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL)};
	struct packet_mreq mreq = {.mr_type = PACKET_MR_PROMISC};
	int err = kdev_check_ethernet(pp->settings, port->name);

	if (!err)
		err = kdev_ifindex(pp->settings, port->name, &sll.sll_ifindex);
	if (err)
		return err;
	if (bind(pp->fd, (struct sockaddr *)&sll, sizeof sll))
		return -errno;
	mreq.mr_ifindex = sll.sll_ifindex;
	if (port->driver == &port_packet_driver && setsockopt(pp->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq))
		log_warn("%s: no promiscuous mode: %s", port->name, strerror(errno));
	atomic_store(&pp->ifindex, sll.sll_ifindex);
	return 0;
}

static int open_error(struct port *port, int err, char *error)
{
	switch (err) {
	case -ENODEV:
		snprintf(error, 256, "could not open network device %s (No such device)",
			port->name);
		break;
	case -EOPNOTSUPP:
		snprintf(error, 256, "%s: not an Ethernet device", port->name);
		break;
	case -EPERM:
		snprintf(error, 256, "%s: no permission for packet sockets (CAP_NET_RAW)",
			port->name);
		break;
	default:
		snprintf(error, 256, "could not open network device %s (%s)", port->name,
			strerror(-err));
	}
	return err;
}

static void packet_close(struct port *port)
{
	struct packet_port *pp = port->priv;

	if (pp->fd >= 0)
		close(pp->fd);
	if (pp->settings >= 0)
		close(pp->settings);
	for (uint16_t i = 0; i < pp->n_spare; i++)
		rte_pktmbuf_free(pp->spare[i]);
	pthread_mutex_destroy(&pp->lock);
	free(pp);
}

/* What the device counts. Of packets and bytes we know more, once it is open: what is still in the socket's
 * queue is not received. */
static void take_device_stats(struct port *port)
{
	struct packet_port *pp = port->priv;
	struct dp_port_stats now;

	if (port->driver != &port_packet_driver || kdev_stats(atomic_load(&pp->ifindex), &now))
		return;
	pthread_mutex_lock(&pp->lock);
	if (pp->opened) {
		now.rx_packets = pp->device.rx_packets;
		now.rx_bytes = pp->device.rx_bytes;
		now.tx_packets = pp->device.tx_packets;
		now.tx_bytes = pp->device.tx_bytes;
	}
	pp->device = now;
	pthread_mutex_unlock(&pp->lock);
}

static int packet_open(struct port *port, const struct dp_port_spec *spec, char *error)
{
	struct packet_port *pp = xcalloc(1, sizeof *pp);
	struct dp_port_info info = {0};
	int err = 0;

	port->priv = pp;
	pthread_mutex_init(&pp->lock, NULL);
	pp->pool = eal_mempool(port->numa);
	pp->settings = kdev_socket();
	pp->fd = open_socket();
	if (pp->fd < 0 || pp->settings < 0)
		err = pp->fd < 0 ? pp->fd : pp->settings;
	if (!err && spec->mtu)
		err = kdev_set_mtu(pp->settings, port->name, spec->mtu);
	if (!err && !eth_addr_is_zero(spec->mac))
		err = kdev_set_mac(pp->settings, port->name, spec->mac);
	if (!err && port->driver == &port_underlay_driver)
		err = port_filter_attach(pp->fd, smap_get_def(spec->options, "udp-ports", ""),
			smap_get_bool(spec->options, "gre", false));
	if (!err)
		err = attach(port);
	if (err) {
		packet_close(port);
		return open_error(port, err, error);
	}
	port->tx_offload_csum = port->tx_offload_tso = true;
	port->tx_offload_uso = vnet_has_udp_l4();
	if (!kdev_info(pp->settings, port->name, &info)) {
		pp->link_up = info.link_up;
		atomic_store(&port->mtu, info.mtu);
	}
	take_device_stats(port);
	pp->opened = true;
	return 0;
}

/* -ENODEV unless the socket is bound to the device of this name; binds it again if need be. */
static int packet_check(struct port *port)
{
	struct packet_port *pp = port->priv;
	struct sockaddr_ll sll;
	socklen_t len = sizeof sll;
	int ifindex, err = kdev_ifindex(pp->settings, port->name, &ifindex);

	if (err)
		return err;
	if (ifindex == atomic_load(&pp->ifindex) &&
		!getsockname(pp->fd, (struct sockaddr *)&sll, &len) && sll.sll_ifindex == ifindex)
		return 0;
	err = attach(port);
	if (!err)
		log_info("%s: the device came back, attached to it", port->name);
	return err;
}

static int packet_info(struct port *port, struct dp_port_info *info)
{
	struct packet_port *pp = port->priv;
	int err = packet_check(port);

	if (!err)
		err = kdev_info(pp->settings, port->name, info);
	if (err)
		return err;
	pp->link_resets += info->link_up != pp->link_up;
	pp->link_up = info->link_up;
	info->link_resets = pp->link_resets;
	take_device_stats(port);
	return 0;
}

static int packet_set_admin(struct port *port, bool up)
{
	return kdev_set_admin(((struct packet_port *)port->priv)->settings, port->name, up);
}

static int packet_set_mtu(struct port *port, uint32_t mtu)
{
	return kdev_set_mtu(((struct packet_port *)port->priv)->settings, port->name, mtu);
}

static int packet_set_mac(struct port *port, struct eth_addr mac)
{
	return kdev_set_mac(((struct packet_port *)port->priv)->settings, port->name, mac);
}

/* The device's, and frames lost because nobody read them in time. */
static int packet_hw_stats(struct port *port, struct dp_port_stats *stats)
{
	struct packet_port *pp = port->priv;
	struct tpacket_stats kernel;
	socklen_t len = sizeof kernel;

	/* Reading resets the kernel's. */
	if (!getsockopt(pp->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &len))
		atomic_fetch_add(&pp->rx_dropped, kernel.tp_drops);
	pthread_mutex_lock(&pp->lock);
	*stats = pp->device;
	pthread_mutex_unlock(&pp->lock);
	stats->rx_dropped += atomic_load(&pp->rx_dropped);
	return 0;
}

static int packet_rx_fd(struct port *port, uint16_t qid)
{
	return ((struct packet_port *)port->priv)->fd;
}

/* ------------------------------------------------------------------ receive */

/* Puts back the outer tag, which the kernel keeps beside the frame. */
static bool insert_tag(struct packet *p, uint16_t tpid, uint16_t tci)
{
	uint8_t *tag;

	if (p->seg_len < ETH_HEADER_LEN)
		return false;
	tag = packet_insert(p, 2 * ETH_ADDR_LEN, VLAN_HEADER_LEN);
	if (!tag)
		return false;
	tag[0] = (uint8_t)(tpid >> 8);
	tag[1] = (uint8_t)tpid;
	tag[2] = (uint8_t)(tci >> 8);
	tag[3] = (uint8_t)tci;
	return true;
}

static bool apply_auxdata(struct msghdr *msg, struct packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
			c->cmsg_len < CMSG_LEN(sizeof aux))
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof aux);
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return true;
		return insert_tag(p,
			aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
								  : ETH_T_VLAN_8021Q,
			aux.tp_vlan_tci);
	}
	return true;
}

static bool finish_frame(struct packet_port *pp, struct rte_mbuf *m, struct mmsghdr *msg,
	const struct slot *slot, unsigned int i)
{
	m->data_off = EAL_HEADROOM;
	if (msg->msg_len <= sizeof slot->hdr || msg->msg_hdr.msg_flags & MSG_TRUNC ||
		!vnet_receive(
			m, vnet_spill(i), msg->msg_len - (uint32_t)sizeof slot->hdr, pp->pool) ||
		!vnet_parse(&slot->hdr, mbuf_packet(m)) ||
		!apply_auxdata(&msg->msg_hdr, mbuf_packet(m)))
		return false;
	mbuf_sync(m);
	return true;
}

static bool refill(struct packet_port *pp, uint16_t n)
{
	uint16_t need = n > pp->n_spare ? n - pp->n_spare : 0;

	if (need && rte_pktmbuf_alloc_bulk(pp->pool, pp->spare + pp->n_spare, need))
		return pp->n_spare > 0;
	pp->n_spare += need;
	return true;
}

/* Receives up to N frames; the number of messages, or -errno. */
static int receive(struct packet_port *pp, struct mmsghdr *msgs, struct slot *slots, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct slot *slot = &slots[i];

		slot->iov[0] = (struct iovec){&slot->hdr, sizeof slot->hdr};
		slot->iov[1] = (struct iovec){
			(uint8_t *)pp->spare[i]->buf_addr + EAL_HEADROOM, EAL_DATA_ROOM};
		slot->iov[2] = (struct iovec){vnet_spill(i), VNET_SPILL_LEN};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = slot->iov,
			.msg_iovlen = 3,
			.msg_control = slot->control,
			.msg_controllen = sizeof slot->control};
	}
	/* A frame that the header can't describe (SCTP segments) is an error of its own, as is the
	 * device going down: the frames behind it are as good as any. */
	for (int tries = 0; tries < 4; tries++) {
		int got = recvmmsg(pp->fd, msgs, n, MSG_DONTWAIT, NULL);

		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			break;
	}
	return 0;
}

static uint16_t packet_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	struct packet_port *pp = port->priv;
	struct mmsghdr msgs[PORT_BURST];
	struct slot slots[PORT_BURST];
	uint16_t out = 0;
	int got;

	n = MIN(n, (uint16_t)PORT_BURST);
	if (!refill(pp, n))
		return 0;
	n = MIN(n, pp->n_spare);
	got = receive(pp, msgs, slots, n);
	for (int i = 0; i < got; i++) {
		struct rte_mbuf *m = pp->spare[i];

		if (likely(finish_frame(pp, m, &msgs[i], &slots[i], (unsigned int)i)))
			mbufs[out++] = m;
		else
			rte_pktmbuf_free(m);
	}
	if (got > 0) {
		pp->n_spare -= (uint16_t)got;
		memmove(pp->spare, pp->spare + got, pp->n_spare * sizeof pp->spare[0]);
	}
	return out;
}

/* ------------------------------------------------------------------ transmit */

static enum drop_reason reason_of(int err)
{
	switch (err) {
	case EMSGSIZE:
		return DROP_TX_TOO_BIG;
	case ENETDOWN:
	case ENXIO:
		return DROP_TX_PORT_DOWN;
	case EAGAIN:
	case ENOBUFS:
		return DROP_TX_FULL;
	case ENOMEM:
		return DROP_NO_MEMORY;
	default:
		return DROP_TX_ERROR;
	}
}

/* Builds messages for a run of frames. Returns how many; fewer than N if there is no place left in
 * IOV. The first frame always fits: IOV has more places than a frame may have segments. */
static unsigned int build(struct rte_mbuf **mbufs, unsigned int n, struct mmsghdr *msgs,
	struct virtio_net_hdr *hdrs, struct iovec *iov, unsigned int max_iov)
{
	unsigned int used = 0, i;

	for (i = 0; i < n; i++) {
		struct iovec *first = iov + used;

		if (used + 1 + mbufs[i]->nb_segs > max_iov)
			break;
		vnet_build(mbuf_packet(mbufs[i]), &hdrs[i]);
		iov[used++] = (struct iovec){&hdrs[i], sizeof hdrs[i]};
		for (struct rte_mbuf *s = mbufs[i]; s; s = s->next)
			iov[used++] = (struct iovec){rte_pktmbuf_mtod(s, void *), s->data_len};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = first, .msg_iovlen = (size_t)(iov + used - first)};
	}
	return i;
}

static uint16_t packet_tx(
	struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, uint64_t *drops)
{
	struct packet_port *pp = port->priv;
	struct mmsghdr msgs[PORT_BURST];
	struct virtio_net_hdr hdrs[PORT_BURST];
	struct iovec iov[4 * MAX_IOV];
	uint16_t i = 0, sent = 0;

	while (i < n) {
		unsigned int built =
			build(mbufs + i, MIN(n - i, PORT_BURST), msgs, hdrs, iov, ARRAY_SIZE(iov));
		int done = built ? sendmmsg(pp->fd, msgs, built, MSG_DONTWAIT) : -1;

		if (done > 0) {
			sent += (uint16_t)done;
			i += (uint16_t)done;
			continue;
		}
		/* The first one failed. If the buffer is full, the others have no better luck. */
		enum drop_reason reason = built ? reason_of(errno) : DROP_TX_ERROR;
		uint16_t lost = reason == DROP_TX_FULL || reason == DROP_TX_PORT_DOWN ? n - i : 1;

		drops[reason] += lost;
		i += lost;
	}
	rte_pktmbuf_free_bulk(mbufs, n);
	return sent;
}

#define DRIVER(TYPE)                                                                               \
	{                                                                                          \
		.type = TYPE,                                                                      \
		.open = packet_open,                                                               \
		.closes_anywhere = true,                                                           \
		.close = packet_close,                                                             \
		.info = packet_info,                                                               \
		.set_admin = packet_set_admin,                                                     \
		.set_mtu = packet_set_mtu,                                                         \
		.set_mac = packet_set_mac,                                                         \
		.hw_stats = packet_hw_stats,                                                       \
		.rx = packet_rx,                                                                   \
		.tx = packet_tx,                                                                   \
		.rx_fd = packet_rx_fd,                                                             \
	}

const struct port_driver port_packet_driver = DRIVER("system");
/* It hears of packets of tunnels alone and is not promiscuous. */
const struct port_driver port_underlay_driver = DRIVER("underlay");
