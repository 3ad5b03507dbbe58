/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ports with a device behind them. The first half is for users (PMDs, the worker), the second for
 * drivers.
 *
 * Threads: open, close, configure and info on the worker thread (close on any, where
 * port_closes_anywhere()); rx and tx on PMDs. An rx queue has
 * one PMD; a tx queue belongs to one PMD if there are enough (txq id = PMD index), else users take
 * the queue's spinlock (port->tx_locked).
 */

#include <rte_mbuf.h>

#include "datapath/dp.h"
#include "datapath/port/mbuf.h"

#define PORT_BURST 32

struct policer;
struct port_driver;

struct port {
	const struct port_driver *driver;
	dp_port_t dp_port;
	char name[16];
	char type[16];
	uint16_t n_rxq, n_txq;
	int numa;
	bool tx_locked;       /* Fewer tx queues than PMDs. */
	bool rx_bare;	      /* What it receives are bare mbufs (mbuf.h). */
	bool tx_offload_csum; /* The driver takes partial checksums (virtio header). */
	bool tx_offload_tso;  /* ... and GSO frames of TCP. */
	bool tx_offload_uso;  /* ... and of UDP. */
	_Atomic uint32_t mtu;
	_Atomic(struct policer *) policer; /* Control's; NULL: what comes passes. */
	struct eth_addr wanted_mac; /* What spec asked for, kept for a device that is made again. */
	uint32_t wanted_mtu;
	void *priv; /* The driver's. */
};

/* Opens SPEC. 0 and *PORT, or -errno with one line in ERROR (256 bytes) that says what to do. */
int port_open(const struct dp_port_spec *spec, dp_port_t dp_port, uint16_t n_txq,
	struct port **port, char *error);
void port_close(struct port *port);
/* port_close() may be called by any thread, at the same time as calls for other ports. */
bool port_closes_anywhere(const struct port *port);
/* The device as it is now; also brings port->mtu up to date, and repairs: a device that was deleted
 * and came back is attached again, a tap whose namespace went away is made again. Call it when the
 * link monitor (link_monitor.h) names the device, and about once a second for all. -ENODEV: it is
 * gone. */
int port_info(struct port *port, struct dp_port_info *info);
int port_set_admin(struct port *port, bool up);
int port_set_mtu(struct port *port, uint32_t mtu);
int port_set_mac(struct port *port, struct eth_addr mac);
/* The device's own counters where it knows of more than we count: errors and drops of its own, packets
 * and bytes from before it was opened; zero otherwise. */
int port_hw_stats(struct port *port, struct dp_port_stats *stats);

/* Receives up to N (at most PORT_BURST) frames from queue QID: bare mbufs if port->rx_bare, else each
 * mbuf's private area is a struct packet, filled (data, len, seg_len, offload, gso, csum; in_port). */
uint16_t port_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n);
/* Frames of tunnels that were too big for the device and may not be fragmented: somebody may want to
 * answer for them. The caller of port_tx() frees them. */
#define PORT_REJECTS_MAX 4
struct port_rejects {
	uint16_t n;
	struct rte_mbuf *mbufs[PORT_REJECTS_MAX];
};

/* Sends all of MBUFS or frees them; returns how many were sent. Segments (gso.h), fragments outer IP
 * packets (frag.h) and finishes checksums as the device needs. DROPS[DROP_N_REASONS] counts why the
 * others were not (DROP_TX_*, DROP_TNL_TOO_BIG, DROP_NO_MEMORY); of those too big, REJECTS (may be
 * NULL) gets the first. Syncs mbufs with their packets itself. */
uint16_t port_tx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint64_t *drops, struct port_rejects *rejects);
/* The same for bare mbufs, the longest of LONGEST bytes, of which none is a tunnel's that is too big. CHAINED: some
 * have more than one segment. */
uint16_t port_tx_bare(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint32_t longest, bool chained, uint64_t *drops, struct port_rejects *rejects);
/* A file descriptor that polls readable when queue QID has frames, or -1: poll the queue. The same
 * as long as the port is open. */
int port_rx_fd(struct port *port, uint16_t qid);

/* ------------------------------------------------------------------ for drivers */

struct port_driver {
	const char *type; /* "internal", "system", "dpdk". */
	bool closes_anywhere;
	int (*open)(struct port *port, const struct dp_port_spec *spec, char *error);
	void (*close)(struct port *port);
	int (*info)(struct port *port, struct dp_port_info *info);
	int (*set_admin)(struct port *port, bool up);
	int (*set_mtu)(struct port *port, uint32_t mtu);
	int (*set_mac)(struct port *port, struct eth_addr mac);
	int (*hw_stats)(struct port *port, struct dp_port_stats *stats); /* May be NULL. */
	uint16_t (*rx)(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n);
	/* Takes over N frames already in shape and synced; returns how many it sent, counts the
	 * others in DROPS. */
	uint16_t (*tx)(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
		uint64_t *drops);
	/* The same for frames that need nothing done, whose struct packet it does not look at. CHAINED: some have
	 * more than one segment. May be NULL. */
	uint16_t (*tx_plain)(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, bool chained,
		uint64_t *drops);
	int (*rx_fd)(struct port *port, uint16_t qid); /* NULL: poll. */
};

extern const struct port_driver port_dpdk_driver;
extern const struct port_driver port_packet_driver;
extern const struct port_driver port_tap_driver;
extern const struct port_driver port_underlay_driver;
