/* SPDX-License-Identifier: Apache-2.0 */

/*
 * "dpdk": a NIC or virtual device of DPDK, named by options:dpdk-devargs. The device is attached
 * when the port opens, closed and removed when it closes.
 *
 * Changing the MTU may need the device stopped while PMDs poll it: `paused` keeps them out, and
 * each queue's `busy` says that one is inside. The worker orders the two with membarrier(), so that
 * PMDs pay no fence.
 */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include "datapath/eal.h"
#include "datapath/eal_log.h"
#include "datapath/packet/gso.h"
#include "datapath/port/port.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/smap.h"
#include "lib/util.h"

LOG_MODULE(port_dpdk);

#define DEFAULT_DESC 1024
#define ERROR_LEN 256
/* Tags on top of an MTU's worth of packet. */
#define L2_OVERHEAD (ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN)

struct queue {
	_Atomic bool busy;
} __attribute__((aligned(64)));

struct dpdk_port {
	uint16_t id;
	bool multi_segs;
	bool link_up;
	uint64_t link_resets;
	_Atomic bool paused;
	struct queue *queues; /* n_rxq, then n_txq. */
	uint16_t n_rxd, n_txd;
	struct rte_device *device;
	struct rte_mempool *pool;
	char driver[32];
	char details[256];
};

/* Whose the devices are. Worker's. */
static struct port *owners[RTE_MAX_ETHPORTS];

/* ------------------------------------------------------------------ attach */

/* The device's own name: DEVARGS up to the first comma, without "bus:". */
static void device_name(const char *devargs, char *name, size_t size)
{
	size_t len = strcspn(devargs, ",");

	str_copy(name, devargs, MIN(size, len + 1));
	if (str_starts_with(name, "pci:") || str_starts_with(name, "vdev:")) {
		char *colon = strchr(name, ':');

		memmove(name, colon + 1, strlen(colon + 1) + 1);
	}
}

static void explain_probe(
	const struct port *port, const char *devargs, const char *name, int err, char *error)
{
	unsigned int domain, bus, slot, function;
	char path[96];

	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4) {
		snprintf(path, sizeof path, "/sys/bus/pci/devices/%.40s", name);
		if (access(path, F_OK)) {
			snprintf(error, ERROR_LEN, "Error attaching device '%.100s' to DPDK: there is "
				"no PCI device %.40s", devargs, name);
			return;
		}
		snprintf(error, ERROR_LEN,
			"Error attaching device '%.60s' to DPDK: %s; is it bound to "
			"vfio-pci? (dpdk-devbind.py --bind=vfio-pci %.40s)",
			devargs, strerror(-err), name);
		return;
	}
	snprintf(error, ERROR_LEN, "Error attaching device '%.100s' to DPDK: %s", devargs,
		err == -ENODEV || err == -EFAULT || err == -EINVAL ? "no driver takes it"
								   : strerror(-err));
}

static int attach(struct port *port, const char *devargs, uint16_t *id, char *error)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_dev_iterator it;
	uint16_t found;
	int err;

	device_name(devargs, name, sizeof name);
	if (rte_eth_dev_get_port_by_name(name, id)) {
		err = rte_dev_probe(devargs);
		if (err) {
			explain_probe(port, devargs, name, err, error);
			return err;
		}
		if (rte_eth_dev_get_port_by_name(name, id)) {
			*id = RTE_MAX_ETHPORTS;
			RTE_ETH_FOREACH_MATCHING_DEV(found, devargs, &it)
			{
				*id = found;
				rte_eth_iterator_cleanup(&it);
				break;
			}
		}
	}
	if (*id >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port(*id)) {
		snprintf(
			error, ERROR_LEN, "%s: '%.100s' is no network device", port->name, devargs);
		return -ENODEV;
	}
	if (owners[*id]) {
		snprintf(error, ERROR_LEN,
			"'%.100s' is trying to use device '%.100s' which is already in "
			"use by '%s'",
			port->name, devargs, owners[*id]->name);
		return -EADDRINUSE;
	}
	return 0;
}

/* ------------------------------------------------------------------ configure */

static uint64_t rx_offloads(
	const struct rte_eth_dev_info *dev, const struct dpdk_port *dp, uint32_t mtu)
{
	uint64_t want = RTE_ETH_RX_OFFLOAD_CHECKSUM;

	if (mtu + L2_OVERHEAD + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(dp->pool))
		want |= RTE_ETH_RX_OFFLOAD_SCATTER;
	return want & dev->rx_offload_capa;
}

static uint64_t tx_offloads(const struct rte_eth_dev_info *dev)
{
	const uint64_t sums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			      RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	uint64_t take = RTE_ETH_TX_OFFLOAD_MULTI_SEGS & dev->tx_offload_capa;

	if ((dev->tx_offload_capa & sums) == sums)
		take |= sums;
	return take;
}

static int setup_queues(struct port *port, struct dpdk_port *dp)
{
	int err = 0;

	for (uint16_t i = 0; i < port->n_rxq && !err; i++)
		err = rte_eth_rx_queue_setup(dp->id, i, dp->n_rxd,
			(unsigned int)rte_eth_dev_socket_id(dp->id), NULL, dp->pool);
	for (uint16_t i = 0; i < port->n_txq && !err; i++)
		err = rte_eth_tx_queue_setup(
			dp->id, i, dp->n_txd, (unsigned int)rte_eth_dev_socket_id(dp->id), NULL);
	return err;
}

/* Configures and starts the stopped device for frames of MTU. */
static int configure(struct port *port, uint32_t mtu)
{
	struct dpdk_port *dp = port->priv;
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info dev;
	int err = rte_eth_dev_info_get(dp->id, &dev);

	if (err)
		return err;
	conf.rxmode.mtu = mtu;
	conf.rxmode.offloads = rx_offloads(&dev, dp, mtu);
	conf.txmode.offloads = tx_offloads(&dev);
	if (port->n_rxq > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			dev.flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	err = rte_eth_dev_configure(dp->id, port->n_rxq, port->n_txq, &conf);
	if (!err)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(dp->id, &dp->n_rxd, &dp->n_txd);
	if (!err)
		err = setup_queues(port, dp);
	if (!err)
		err = rte_eth_dev_start(dp->id);
	if (err)
		return err;
	dp->multi_segs = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	port->tx_offload_csum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
	if (rte_eth_promiscuous_enable(dp->id))
		log_warn("%s: no promiscuous mode", port->name);
	rte_eth_allmulticast_enable(dp->id);
	return 0;
}

static int parse_options(
	struct port *port, const struct dp_port_spec *spec, const char **devargs, char *error)
{
	struct dpdk_port *dp = port->priv;
	static const struct smap none = SMAP_INITIALIZER;
	const struct smap *options = spec->options ? spec->options : &none;

	*devargs = smap_get(options, "dpdk-devargs");
	if (!*devargs || !(*devargs)[0]) {
		snprintf(error, ERROR_LEN,
			"'%s' is missing 'options:dpdk-devargs'. The old 'dpdk<port_id>' "
			"names are not supported: set it to a PCI address (0000:01:00.0) or a "
			"virtual "
			"device (net_null0)",
			spec->name);
		return -EINVAL;
	}
	port->n_rxq = (uint16_t)MIN(smap_get_uint(options, "n_rxq", 1), 64u);
	port->n_rxq = MAX(port->n_rxq, (uint16_t)1);
	dp->n_rxd = (uint16_t)MIN(smap_get_uint(options, "n_rxq_desc", DEFAULT_DESC), 4096u);
	dp->n_txd = (uint16_t)MIN(smap_get_uint(options, "n_txq_desc", DEFAULT_DESC), 4096u);
	return 0;
}

/* What does not change as long as it is open. */
static void describe(const struct port *port, struct dpdk_port *dp, const struct rte_eth_dev_info *dev)
{
	snprintf(dp->details, sizeof dp->details,
		"port_no=%u\nnuma_id=%d\nmin_rx_bufsize=%u\nmax_rx_pktlen=%u\nmax_rx_queues=%u\n"
		"max_tx_queues=%u\nmax_mac_addrs=%u\nn_rxq=%u\nn_txq=%u\nif_type=6\n"
		"if_descr=%s %.31s\n",
		dp->id, port->numa, dev->min_rx_bufsize, dev->max_rx_pktlen, dev->max_rx_queues,
		dev->max_tx_queues, dev->max_mac_addrs, port->n_rxq, port->n_txq, rte_version(),
		dp->driver);
}

/* Fits the wishes to the device. */
static int size_queues(struct port *port, struct dpdk_port *dp)
{
	struct rte_eth_dev_info dev;
	uint16_t wanted = port->n_txq;
	int err = rte_eth_dev_info_get(dp->id, &dev);

	if (err)
		return err;
	port->n_rxq = MIN(port->n_rxq, dev.max_rx_queues);
	port->n_txq = MIN(port->n_txq, dev.max_tx_queues);
	port->tx_locked = port->n_txq < wanted;
	port->numa = rte_eth_dev_socket_id(dp->id);
	dp->device = dev.device;
	dp->pool = eal_mempool(port->numa);
	str_copy(dp->driver, dev.driver_name ? dev.driver_name : "", sizeof dp->driver);
	describe(port, dp, &dev);
	dp->queues = xaligned_calloc(64, sizeof *dp->queues * (size_t)(port->n_rxq + port->n_txq));
	return 0;
}

static int start(struct port *port, const struct dp_port_spec *spec, char *error)
{
	struct dpdk_port *dp = port->priv;
	struct rte_ether_addr mac;
	uint16_t mtu = 1500;
	int err = size_queues(port, dp);

	eal_log_forget();
	if (!err && spec->mtu)
		mtu = (uint16_t)MIN(spec->mtu, (uint32_t)UINT16_MAX);
	if (!err)
		err = configure(port, mtu);
	if (!err && !eth_addr_is_zero(spec->mac)) {
		memcpy(mac.addr_bytes, spec->mac.b, sizeof mac.addr_bytes);
		err = rte_eth_dev_default_mac_addr_set(dp->id, &mac);
	}
	if (err)
		snprintf(error, ERROR_LEN,
			"%s: can't start the device with MTU %u, %u receive and %u "
			"transmit queues (%s): %s",
			port->name, mtu, port->n_rxq, port->n_txq, strerror(-err), eal_log_error());
	else
		atomic_store(&port->mtu, mtu);
	return err;
}

static void detach(struct port *port)
{
	struct dpdk_port *dp = port->priv;
	bool siblings = false;

	rte_eth_dev_stop(dp->id);
	owners[dp->id] = NULL;
	for (int i = 0; i < RTE_MAX_ETHPORTS; i++)
		siblings |=
			owners[i] && ((struct dpdk_port *)owners[i]->priv)->device == dp->device;
	rte_eth_dev_close(dp->id);
	if (dp->device && !siblings && rte_dev_remove(dp->device))
		log_warn("%s: the device can't be removed", port->name);
}

static int dpdk_open(struct port *port, const struct dp_port_spec *spec, char *error)
{
	struct dpdk_port *dp = xcalloc(1, sizeof *dp);
	const char *devargs;
	int err;

	port->priv = dp;
	port->rx_bare = true;
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	err = parse_options(port, spec, &devargs, error);
	if (!err)
		err = attach(port, devargs, &dp->id, error);
	if (!err) {
		owners[dp->id] = port;
		err = start(port, spec, error);
		if (err)
			detach(port);
	}
	if (err) {
		free(dp->queues);
		free(dp);
	}
	return err;
}

static void dpdk_close(struct port *port)
{
	struct dpdk_port *dp = port->priv;

	detach(port);
	free(dp->queues);
	free(dp);
}

/* ------------------------------------------------------------------ settings */

static int dpdk_info(struct port *port, struct dp_port_info *info)
{
	struct dpdk_port *dp = port->priv;
	struct rte_eth_link link = {0};
	struct rte_ether_addr mac;
	uint16_t mtu;

	if (!rte_eth_dev_is_valid_port(dp->id) || rte_eth_dev_is_removed(dp->id))
		return -ENODEV;
	if (!rte_eth_macaddr_get(dp->id, &mac))
		memcpy(info->mac.b, mac.addr_bytes, sizeof info->mac.b);
	if (!rte_eth_dev_get_mtu(dp->id, &mtu))
		info->mtu = mtu;
	rte_eth_link_get_nowait(dp->id, &link);
	info->admin_up = !atomic_load(&dp->paused);
	info->link_up = info->admin_up && link.link_status == RTE_ETH_LINK_UP;
	if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		info->link_speed_mbps = link.link_speed;
	info->full_duplex = link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
	str_copy(info->driver, dp->driver, sizeof info->driver);
	str_copy(info->details, dp->details, sizeof info->details);
	dp->link_resets += info->link_up != dp->link_up;
	dp->link_up = info->link_up;
	info->link_resets = dp->link_resets;
	return 0;
}

static int dpdk_set_admin(struct port *port, bool up)
{
	struct dpdk_port *dp = port->priv;
	int err = up ? rte_eth_dev_set_link_up(dp->id) : rte_eth_dev_set_link_down(dp->id);

	/* Devices that can't are always up; down then means that nothing moves. */
	atomic_store(&dp->paused, !up);
	return err == -ENOTSUP ? 0 : err;
}

/* Keeps PMDs out and waits for those that are inside. */
static void pause_queues(struct port *port)
{
	struct dpdk_port *dp = port->priv;

	atomic_store(&dp->paused, true);
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	for (int i = 0; i < port->n_rxq + port->n_txq; i++)
		while (atomic_load(&dp->queues[i].busy))
			sched_yield();
}

static int dpdk_set_mtu(struct port *port, uint32_t mtu)
{
	struct dpdk_port *dp = port->priv;
	uint32_t old = atomic_load(&port->mtu);
	bool was_paused = atomic_load(&dp->paused);
	struct rte_eth_dev_info dev;
	int err = rte_eth_dev_info_get(dp->id, &dev);

	if (!err && (mtu < dev.min_mtu || mtu > dev.max_mtu))
		err = -EINVAL;
	if (err || mtu == old)
		return err;
	pause_queues(port);
	err = rte_eth_dev_stop(dp->id);
	if (!err)
		err = configure(port, mtu);
	if (err && configure(port, old))
		log_err("%s: the device does not start again after MTU %u was refused", port->name,
			mtu);
	atomic_store(&dp->paused, was_paused);
	return err;
}

static int dpdk_set_mac(struct port *port, struct eth_addr mac)
{
	struct rte_ether_addr addr;

	memcpy(addr.addr_bytes, mac.b, sizeof addr.addr_bytes);
	return rte_eth_dev_default_mac_addr_set(((struct dpdk_port *)port->priv)->id, &addr);
}

static int dpdk_hw_stats(struct port *port, struct dp_port_stats *stats)
{
	struct rte_eth_stats hw;
	int err = rte_eth_stats_get(((struct dpdk_port *)port->priv)->id, &hw);

	if (err)
		return err;
	stats->rx_errors = hw.ierrors;
	stats->rx_dropped = hw.imissed + hw.rx_nombuf;
	stats->tx_errors = hw.oerrors;
	return 0;
}

/* ------------------------------------------------------------------ packets */

/* A PMD enters queue Q; false: it must stay out. */
static bool enter(struct dpdk_port *dp, struct queue *q)
{
	atomic_store_explicit(&q->busy, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (likely(!atomic_load_explicit(&dp->paused, memory_order_acquire)))
		return true;
	atomic_store_explicit(&q->busy, false, memory_order_release);
	return false;
}

static void leave(struct queue *q)
{
	atomic_store_explicit(&q->busy, false, memory_order_release);
}

static uint16_t dpdk_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	struct dpdk_port *dp = port->priv;
	struct queue *q = &dp->queues[qid];

	if (!enter(dp, q))
		return 0;
	n = rte_eth_rx_burst(dp->id, qid, mbufs, n);
	leave(q);
	return n;
}

/* Leaves the checksum to the device, or finishes it where the device could not find it. */
static bool offload_csum(struct rte_mbuf *m)
{
	const struct packet *p = mbuf_packet(m);
	uint8_t version;

	if (p->l3_ofs == PACKET_NO_OFS || p->l4_ofs != p->csum_start ||
		p->l2_5_ofs != PACKET_NO_OFS)
		return !gso_finish_csum(m);
	version = p->data[p->l3_ofs] >> 4;
	m->ol_flags |= version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	m->ol_flags |= p->csum_offset == offsetof(struct tcp_header, csum)
			       ? RTE_MBUF_F_TX_TCP_CKSUM
			       : RTE_MBUF_F_TX_UDP_CKSUM;
	m->l2_len = p->l3_ofs;
	m->l3_len = (uint16_t)(p->l4_ofs - p->l3_ofs);
	return true;
}

static enum drop_reason shape(struct dpdk_port *dp, struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	if (mbuf_packet(m)->offload & PACKET_CSUM_PARTIAL && !offload_csum(m))
		return DROP_TX_ERROR;
	if (m->nb_segs > 1 && !dp->multi_segs && rte_pktmbuf_linearize(m))
		return DROP_TX_TOO_BIG;
	return DROP_NONE;
}

static inline uint16_t transmit(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	bool prepare, uint64_t *drops)
{
	struct dpdk_port *dp = port->priv;
	struct queue *q = &dp->queues[port->n_rxq + qid];
	uint16_t sent = 0, prepared = n;

	if (likely(enter(dp, q))) {
		if (prepare)
			prepared = rte_eth_tx_prepare(dp->id, qid, mbufs, n);
		sent = rte_eth_tx_burst(dp->id, qid, mbufs, prepared);
		leave(q);
		if (likely(sent == n))
			return n;
		drops[DROP_TX_FULL] += prepared - sent;
		drops[DROP_TX_ERROR] += n - prepared;
	} else {
		drops[DROP_TX_PORT_DOWN] += n;
	}
	rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	return sent;
}

static uint16_t dpdk_tx(
	struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, uint64_t *drops)
{
	struct dpdk_port *dp = port->priv;
	uint16_t ready = 0;

	for (uint16_t i = 0; i < n; i++) {
		enum drop_reason reason = shape(dp, mbufs[i]);

		if (likely(reason == DROP_NONE)) {
			mbufs[ready++] = mbufs[i];
		} else {
			drops[reason]++;
			rte_pktmbuf_free(mbufs[i]);
		}
	}
	return transmit(port, qid, mbufs, ready, port->tx_offload_csum, drops);
}

/* Receive flags mean nothing to the way out; chains are what a device may be unable to send. */
static uint16_t dpdk_tx_plain(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, bool chained,
	uint64_t *drops)
{
	struct dpdk_port *dp = port->priv;
	uint16_t ready = 0;

	if (likely(!chained || dp->multi_segs))
		return transmit(port, qid, mbufs, n, false, drops);
	for (uint16_t i = 0; i < n; i++) {
		if (likely(mbufs[i]->nb_segs == 1 || !rte_pktmbuf_linearize(mbufs[i]))) {
			mbufs[ready++] = mbufs[i];
		} else {
			drops[DROP_TX_TOO_BIG]++;
			rte_pktmbuf_free(mbufs[i]);
		}
	}
	return transmit(port, qid, mbufs, ready, false, drops);
}

const struct port_driver port_dpdk_driver = {
	.type = "dpdk",
	.open = dpdk_open,
	.close = dpdk_close,
	.info = dpdk_info,
	.set_admin = dpdk_set_admin,
	.set_mtu = dpdk_set_mtu,
	.set_mac = dpdk_set_mac,
	.hw_stats = dpdk_hw_stats,
	.rx = dpdk_rx,
	.tx = dpdk_tx,
	.tx_plain = dpdk_tx_plain,
};
