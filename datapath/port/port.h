/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ports with a device behind them. The first half is for users (PMDs, the worker), the second for
 * drivers.
 *
 * Threads: open, close, configure and info on the worker thread; rx and tx on PMDs. An rx queue has
 * one PMD; a tx queue belongs to one PMD if there are enough (txq id = PMD index), else users take
 * the queue's spinlock (port->tx_locked).
 */

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "datapath/dp.h"
#include "lib/packet.h"

#define PORT_BURST 32

struct port_driver;

struct port {
	const struct port_driver *driver;
	dp_port_t dp_port;
	char name[16];
	char type[16];
	uint16_t n_rxq, n_txq;
	int numa;
	bool tx_locked;			/* Fewer tx queues than PMDs. */
	bool tx_offload_csum;		/* The driver takes partial checksums (virtio header). */
	bool tx_offload_tso;		/* ... and GSO frames. */
	_Atomic uint32_t mtu;
	void *priv;			/* The driver's. */
};

/* Opens SPEC. 0 and *PORT, or -errno with one line in ERROR (256 bytes) that says what to do. */
int port_open(const struct dp_port_spec *spec, dp_port_t dp_port, uint16_t n_txq, struct port **port,
	char *error);
void port_close(struct port *port);
int port_info(struct port *port, struct dp_port_info *info);
/* Device's own counters where it has more than we count (dpdk); zero otherwise. */
int port_hw_stats(struct port *port, struct dp_port_stats *stats);

/* Receives up to PORT_BURST frames from queue QID. Each mbuf's private area is a struct packet, filled
 * (data, len, seg_len, offload, gso, csum; in_port). */
uint16_t port_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n);
/* Sends all of MBUFS or frees them; returns how many were sent. Segments and finishes checksums as
 * the device needs (gso.h). Too long ones are not sent; REASONS[] (DROP_N_REASONS counters) tells. */
uint16_t port_tx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint64_t *drops);
/* A file descriptor that polls readable when queue QID has frames, or -1: poll the queue. */
int port_rx_fd(struct port *port, uint16_t qid);

static inline struct packet *mbuf_packet(struct rte_mbuf *m)
{
	return (struct packet *)rte_mbuf_to_priv(m);
}

static inline struct rte_mbuf *packet_mbuf(const struct packet *p)
{
	return (struct rte_mbuf *)p->buf;
}

/* ------------------------------------------------------------------ for drivers */

struct port_driver {
	const char *type;	/* "internal", "system", "dpdk". */
	int (*open)(struct port *port, const struct dp_port_spec *spec, char *error);
	void (*close)(struct port *port);
	int (*info)(struct port *port, struct dp_port_info *info);
	int (*set_admin)(struct port *port, bool up);
	int (*set_mtu)(struct port *port, uint32_t mtu);
	int (*set_mac)(struct port *port, struct eth_addr mac);
	int (*hw_stats)(struct port *port, struct dp_port_stats *stats);	/* May be NULL. */
	uint16_t (*rx)(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n);
	/* Sends what it can of frames already in shape; the caller frees the rest. */
	uint16_t (*tx)(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n);
	int (*rx_fd)(struct port *port, uint16_t qid);
};

/* The pool packets come from; private area struct packet, headroom for two tunnels. */
struct rte_mempool *port_mempool(int numa);
