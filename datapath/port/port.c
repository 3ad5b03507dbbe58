/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "datapath/packet/frag.h"
#include "datapath/packet/gso.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/unaligned.h"
#include "lib/util.h"

LOG_MODULE(port);

#define ERROR_LEN 256
/* SCTP's checksum is no ones' complement sum; kernels take what we call partial for one. */
#define SCTP_CSUM_OFFSET 8

static const struct port_driver *const drivers[] = {
	&port_tap_driver,
	&port_packet_driver,
	&port_dpdk_driver,
	&port_underlay_driver,
};

static const struct port_driver *find_driver(const char *type)
{
	if (!type[0])
		type = "system";
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (!strcmp(drivers[i]->type, type))
			return drivers[i];
	return NULL;
}

static int check_spec(
	const struct dp_port_spec *spec, const struct port_driver *driver, char *error)
{
	if (!driver) {
		snprintf(error, ERROR_LEN, "%s: no driver for interfaces of type \"%s\"",
			spec->name, spec->type);
		return -EAFNOSUPPORT;
	}
	if (!spec->name[0] || strlen(spec->name) >= sizeof((struct port *)0)->name) {
		snprintf(error, ERROR_LEN, "%s: an interface name has 1 to 15 characters",
			spec->name);
		return -EINVAL;
	}
	if (!eal_started() || !eal_mempool(-1)) {
		snprintf(error, ERROR_LEN,
			"%s: DPDK did not start, see the log and Open_vSwitch "
			"other_config:dpdk-extra",
			spec->name);
		return -ENODEV;
	}
	return 0;
}

int port_open(const struct dp_port_spec *spec, dp_port_t dp_port, uint16_t n_txq,
	struct port **portp, char *error)
{
	const struct port_driver *driver = find_driver(spec->type);
	int err = check_spec(spec, driver, error);
	struct port *port;

	if (err)
		return err;
	port = xcalloc(1, sizeof *port);
	port->driver = driver;
	port->dp_port = dp_port;
	str_copy(port->name, spec->name, sizeof port->name);
	str_copy(port->type, driver->type, sizeof port->type);
	port->n_rxq = 1;
	port->n_txq = n_txq ? n_txq : 1;
	port->numa = -1;
	port->wanted_mac = spec->mac;
	port->wanted_mtu = spec->mtu;
	atomic_init(&port->mtu, spec->mtu ? spec->mtu : 1500);
	err = driver->open(port, spec, error);
	if (err) {
		free(port);
		return err;
	}
	*portp = port;
	return 0;
}

void port_close(struct port *port)
{
	if (!port)
		return;
	port->driver->close(port);
	/* No PMD has the port any more. */
	free(atomic_load_explicit(&port->policer, memory_order_relaxed));
	free(port);
}

bool port_closes_anywhere(const struct port *port)
{
	return port->driver->closes_anywhere;
}

int port_info(struct port *port, struct dp_port_info *info)
{
	struct dp_port_info i = {.n_rxq = port->n_rxq, .n_txq = port->n_txq};
	int err = port->driver->info(port, &i);

	if (err)
		return err;
	if (i.mtu)
		atomic_store_explicit(&port->mtu, i.mtu, memory_order_relaxed);
	*info = i;
	return 0;
}

int port_hw_stats(struct port *port, struct dp_port_stats *stats)
{
	*stats = (struct dp_port_stats){0};
	return port->driver->hw_stats ? port->driver->hw_stats(port, stats) : 0;
}

int port_set_admin(struct port *port, bool up)
{
	return port->driver->set_admin(port, up);
}

int port_set_mtu(struct port *port, uint32_t mtu)
{
	int err = port->driver->set_mtu(port, mtu);

	if (!err) {
		port->wanted_mtu = mtu;
		atomic_store_explicit(&port->mtu, mtu, memory_order_relaxed);
	}
	return err;
}

int port_set_mac(struct port *port, struct eth_addr mac)
{
	int err = port->driver->set_mac(port, mac);

	if (!err)
		port->wanted_mac = mac;
	return err;
}

int port_rx_fd(struct port *port, uint16_t qid)
{
	return port->driver->rx_fd ? port->driver->rx_fd(port, qid) : -1;
}

uint16_t port_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	n = port->driver->rx(port, qid, mbufs, n);
	if (port->rx_bare)
		return n;
	for (uint16_t i = 0; i < n; i++)
		mbuf_packet(mbufs[i])->in_port = port->dp_port;
	return n;
}

/* ------------------------------------------------------------------ transmit */

struct tx {
	struct port *port;
	uint64_t *drops;
	struct port_rejects *rejects;
	uint16_t qid;
	uint16_t sent;    /* Frames of the caller. */
	uint16_t n;       /* In batch[]. */
	uint32_t max_len; /* Of a frame without tags. */
	struct rte_mbuf *batch[PORT_BURST];
};

static void tx_flush(struct tx *tx)
{
	if (tx->n)
		tx->sent += tx->port->driver->tx(tx->port, tx->qid, tx->batch, tx->n, tx->drops);
	tx->n = 0;
}

static void tx_add(struct tx *tx, struct rte_mbuf *m)
{
	tx->batch[tx->n++] = m;
	if (tx->n == PORT_BURST)
		tx_flush(tx);
}

static void tx_drop(struct tx *tx, struct rte_mbuf *m, enum drop_reason reason)
{
	tx->drops[reason]++;
	rte_pktmbuf_free(m);
}

/* LEN bytes are too long for the device. Tags don't count in an MTU. */
static bool too_long(const struct tx *tx, const struct packet *p, uint32_t len)
{
	uint32_t max = tx->max_len, ofs = 2 * ETH_ADDR_LEN;

	if (likely(len <= max))
		return false;
	for (int i = 0; i < 2 && ofs + 2 <= p->seg_len; i++, ofs += VLAN_HEADER_LEN) {
		if (!eth_type_is_vlan(load16(p->data + ofs)))
			break;
		max += VLAN_HEADER_LEN;
	}
	return len > max;
}

/* The device can cut P itself: it has one transport header, that the parser found where the
 * checksum begins, and no tunnel or labels before it. */
static bool device_segments(const struct port *port, const struct packet *p)
{
	return port->tx_offload_tso && (p->offload & PACKET_CSUM_PARTIAL) &&
	       p->csum_offset != SCTP_CSUM_OFFSET && !p->outer_l4_ofs &&
	       p->l4_ofs == p->csum_start && p->l2_5_ofs == PACKET_NO_OFS &&
	       (p->gso_type != PACKET_GSO_UDP_L4 || port->tx_offload_uso);
}

static bool device_sums(const struct port *port, const struct packet *p)
{
	return port->tx_offload_csum && p->csum_offset != SCTP_CSUM_OFFSET && !p->outer_l4_ofs &&
	       !(p->offload & PACKET_OUTER_CSUM);
}

/* M is too long and must stay whole. Whoever sent it into a tunnel can be told. */
static void tx_reject(struct tx *tx, struct rte_mbuf *m)
{
	struct port_rejects *rejects = tx->rejects;

	if (!mbuf_packet(m)->outer_proto) {
		tx_drop(tx, m, DROP_TX_TOO_BIG);
		return;
	}
	tx->drops[DROP_TNL_TOO_BIG]++;
	if (rejects && rejects->n < PORT_REJECTS_MAX)
		rejects->mbufs[rejects->n++] = m;
	else
		rte_pktmbuf_free(m);
}

/* While a frame goes out in pieces: it is one packet, sent, or lost for the first reason found. */
struct tx_whole {
	uint64_t drops[DROP_N_REASONS];
	uint64_t *callers;
	uint16_t sent_before;
};

static void tx_whole_begin(struct tx *tx, struct tx_whole *whole)
{
	tx_flush(tx);
	memset(whole->drops, 0, sizeof whole->drops);
	whole->callers = tx->drops;
	whole->sent_before = tx->sent;
	tx->drops = whole->drops;
}

static void tx_whole_end(struct tx *tx, struct tx_whole *whole)
{
	bool failed = false;

	tx_flush(tx);
	tx->drops = whole->callers;
	for (int i = 0; i < DROP_N_REASONS && !failed; i++) {
		if (whole->drops[i]) {
			tx->drops[i]++;
			failed = true;
		}
	}
	tx->sent = (uint16_t)(whole->sent_before + !failed);
}

/* Sends the fragments of M. */
static void tx_fragments(struct tx *tx, struct rte_mbuf *m)
{
	struct rte_mbuf *piece;
	struct frag frag;

	if (frag_begin(&frag, m, m->pool, tx->max_len - ETH_HEADER_LEN)) {
		tx_drop(tx, m, DROP_TNL_TOO_BIG);
		return;
	}
	while (frag_has_next(&frag)) {
		piece = frag_next(&frag);
		if (!piece) {
			tx->drops[DROP_NO_MEMORY]++;
			break;
		}
		tx_add(tx, piece);
	}
	rte_pktmbuf_free(m);
}

static void tx_fragment(struct tx *tx, struct rte_mbuf *m)
{
	struct tx_whole whole;

	if (mbuf_packet(m)->offload & (PACKET_CSUM_PARTIAL | PACKET_OUTER_CSUM) &&
		gso_finish_csum(m)) {
		tx_drop(tx, m, DROP_TX_ERROR);
		return;
	}
	tx_whole_begin(tx, &whole);
	tx_fragments(tx, m);
	tx_whole_end(tx, &whole);
}

/* Cuts M into pieces and sends them. */
static void tx_segment(struct tx *tx, struct rte_mbuf *m)
{
	struct tx_whole whole;
	struct rte_mbuf *piece;
	struct gso gso;
	bool too_big;

	if (gso_begin(&gso, m, m->pool)) {
		tx_drop(tx, m, DROP_TX_ERROR);
		return;
	}
	too_big = too_long(tx, mbuf_packet(m), gso_piece_len(&gso));
	if (too_big && !frag_is_allowed(mbuf_packet(m))) {
		tx_reject(tx, m);
		return;
	}
	tx_whole_begin(tx, &whole);
	while ((piece = gso_next(&gso))) {
		if (too_big && too_long(tx, mbuf_packet(piece), mbuf_packet(piece)->len))
			tx_fragments(tx, piece);
		else
			tx_add(tx, piece);
	}
	if (gso.i < gso.n_pieces)
		tx->drops[DROP_NO_MEMORY]++;
	tx_whole_end(tx, &whole);
	rte_pktmbuf_free(m);
}

static void tx_one(struct tx *tx, struct rte_mbuf *m)
{
	struct packet *p = mbuf_packet(m);

	mbuf_sync(m);
	if (unlikely(p->gso_type)) {
		if (!device_segments(tx->port, p)) {
			tx_segment(tx, m);
			return;
		}
		/* Each piece has the headers up to the payload; 60 bytes of TCP at most. */
		if (too_long(tx, p,
			    MIN(p->len, p->csum_start + (uint32_t)TCP_HEADER_LEN + p->gso_size))) {
			tx_reject(tx, m);
			return;
		}
	} else if (unlikely(too_long(tx, p, p->len))) {
		if (frag_is_allowed(p))
			tx_fragment(tx, m);
		else
			tx_reject(tx, m);
		return;
	} else if (p->offload & (PACKET_CSUM_PARTIAL | PACKET_OUTER_CSUM) &&
		   !device_sums(tx->port, p) && gso_finish_csum(m)) {
		tx_drop(tx, m, DROP_TX_ERROR);
		return;
	}
	tx_add(tx, m);
}

/* Brings mbufs up to date with their packets; true if all can go as they are, *CHAINED: some in more than one segment. */
static inline bool sync_all(struct rte_mbuf **mbufs, uint16_t n, uint32_t max_len, bool *chained)
{
	uint32_t longest = 0, more = 0;
	uint8_t odd = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct packet *p = mbuf_packet(mbufs[i]);

		mbuf_sync(mbufs[i]);
		odd |= p->gso_type | (p->offload & (PACKET_CSUM_PARTIAL | PACKET_OUTER_CSUM));
		longest = MAX(longest, p->len);
		more |= p->len ^ p->seg_len;
	}
	*chained = more;
	return !odd && longest <= max_len;
}

uint16_t port_tx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint64_t *drops, struct port_rejects *rejects)
{
	bool chained;
	struct tx tx;

	tx.port = port;
	tx.drops = drops;
	tx.rejects = rejects;
	tx.qid = qid;
	tx.sent = tx.n = 0;
	tx.max_len = atomic_load_explicit(&port->mtu, memory_order_relaxed) + ETH_HEADER_LEN;
	if (likely(sync_all(mbufs, n, tx.max_len, &chained) && n <= PORT_BURST))
		return port->driver->tx_plain ? port->driver->tx_plain(port, qid, mbufs, n, chained, drops) :
						port->driver->tx(port, qid, mbufs, n, drops);
	for (uint16_t i = 0; i < n; i++)
		tx_one(&tx, mbufs[i]);
	tx_flush(&tx);
	return tx.sent;
}

uint16_t port_tx_bare(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint32_t longest, bool chained, uint64_t *drops, struct port_rejects *rejects)
{
	uint32_t max = atomic_load_explicit(&port->mtu, memory_order_relaxed) + ETH_HEADER_LEN;

	if (likely(longest <= max && port->driver->tx_plain))
		return port->driver->tx_plain(port, qid, mbufs, n, chained, drops);
	for (uint16_t i = 0; i < n; i++)
		mbuf_packet_init(mbufs[i]);
	return port_tx(port, qid, mbufs, n, drops, rejects);
}
