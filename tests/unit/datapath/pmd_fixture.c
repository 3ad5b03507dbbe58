/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/datapath/pmd_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/eal.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "tests/support/packets.h"

static uint16_t pf_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	struct pf_port *p = port->priv;
	uint16_t i = 0;

	while (i < n && p->next_rx < p->n_rx)
		mbufs[i++] = p->rx[p->next_rx++];
	return i;
}

static uint16_t pf_tx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n,
	uint64_t *drops)
{
	struct pf_port *p = port->priv;
	uint16_t sent = n > p->refuse ? (uint16_t)(n - p->refuse) : 0;

	for (uint16_t i = 0; i < n; i++) {
		struct pf_frame *frame = &p->tx[p->n_tx];

		if (i < sent) {
			assert_true(p->n_tx < PF_MAX_FRAMES);
			frame->len = mbufs[i]->pkt_len;
			assert_int_equal(mbuf_read(mbufs[i], frame->data, sizeof frame->data),
				frame->len);
			p->n_tx++;
		} else {
			drops[DROP_TX_FULL]++;
		}
		rte_pktmbuf_free(mbufs[i]);
	}
	return sent;
}

static uint16_t pf_tx_plain(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n, bool chained,
	uint64_t *drops)
{
	for (uint16_t i = 0; i < n; i++)
		assert_true(chained || mbufs[i]->nb_segs == 1);
	return pf_tx(port, qid, mbufs, n, drops);
}

/* Ports of odd numbers deal in bare mbufs, the others as taps do. */
static const struct port_driver pf_driver = {
	.type = "test",
	.rx = pf_rx,
	.tx = pf_tx,
};

static const struct port_driver pf_bare_driver = {
	.type = "test",
	.rx = pf_rx,
	.tx = pf_tx,
	.tx_plain = pf_tx_plain,
};

static void pf_add_port(struct pf *pf, ofp_port_t number, dp_port_t dp_port)
{
	struct pf_port *p = &pf->ports[number];

	p->port = (struct port){
		.driver = number % 2 ? &pf_bare_driver : &pf_driver,
		.dp_port = dp_port,
		.rx_bare = number % 2,
		.n_rxq = 1,
		.n_txq = 1,
		.tx_offload_csum = true,
		.tx_offload_tso = true,
		.mtu = 9000,
		.priv = p,
	};
	p->tx = xcalloc(PF_MAX_FRAMES, sizeof *p->tx);
	p->pp = xaligned_calloc(64, sizeof *p->pp);
	p->pp->port = &p->port;
	p->pp->dp_port = dp_port;
	p->rxq = xcalloc(1, sizeof *p->rxq);
	p->rxq->port = p->pp;
	p->rxq->fd = -1;
	pmd_command(pf->pmd, &(struct command){.type = COMMAND_PORT_ADD, .port = p->pp});
	pmd_command(pf->pmd, &(struct command){.type = COMMAND_RXQ_ADD, .rxq = p->rxq});
}

struct pf *pf_create(struct pl_bridge *bridge, unsigned int n_ports, bool no_caches)
{
	struct pmd_config config = {.core = -1, .cache_entries = 256, .no_caches = no_caches};
	struct pf *pf = xcalloc(1, sizeof *pf);
	char *error = NULL;

	assert_int_equal(pmd_create(&config, &pf->pmd, &error), 0);
	for (unsigned int i = 1; i <= n_ports; i++)
		pf_add_port(pf, i, fx_dp(bridge, i));
	pf_run(pf);
	return pf;
}

void pf_destroy(struct pf *pf)
{
	pmd_destroy(pf->pmd);
	for (unsigned int i = 0; i < PF_MAX_PORTS; i++) {
		free(pf->ports[i].pp);
		free(pf->ports[i].rxq);
		free(pf->ports[i].tx);
	}
	free(pf);
}

void pf_put(struct pf *pf, ofp_port_t port, const void *data, size_t len)
{
	struct pf_port *p = &pf->ports[port];
	struct rte_mbuf *m = mbuf_from_bytes(eal_mempool(-1), data, (uint32_t)len);

	assert_non_null(m);
	assert_true(p->n_rx < PF_MAX_FRAMES);
	if (p->port.rx_bare)
		memset(mbuf_packet(m), 0xa5, sizeof(struct packet));
	else
		mbuf_packet(m)->in_port = p->port.dp_port;
	p->rx[p->n_rx++] = m;
}

void pf_run(struct pf *pf)
{
	for (unsigned int i = 0; i < PF_MAX_PORTS; i++)
		pf->ports[i].n_tx = 0;
	while (pmd_turn(pf->pmd))
		continue;
	for (unsigned int i = 0; i < PF_MAX_PORTS; i++)
		pf->ports[i].n_rx = pf->ports[i].next_rx = 0;
}

void pf_send(struct pf *pf, ofp_port_t port, const void *data, size_t len)
{
	pf_put(pf, port, data, len);
	pf_run(pf);
}

uint64_t pf_drops(const struct pf *pf, ofp_port_t port, enum drop_reason reason)
{
	return stat_get(&pf->ports[port].pp->drops[reason]);
}

void pf_check_invariant(const struct pf *pf, ofp_port_t port)
{
	const struct pmd_port *pp = pf->ports[port].pp;
	uint64_t n = stat_get(&pp->forwarded) + stat_get(&pp->consumed);

	for (unsigned int r = 0; r < DROP_N_REASONS; r++)
		n += stat_get(&pp->drops[r]);
	assert_int_equal(n, stat_get(&pp->rx_packets));
	assert_int_equal(stat_get(&pp->drops[DROP_NONE]), 0);
}

/* ------------------------------------------------------------------ chance */

static uint32_t rng = 1;

void pf_rnd_seed(uint32_t seed)
{
	/* Small numbers, as seeds are, would all begin alike. */
	rng = hash_u32(seed, 0);
}

uint32_t pf_rnd(uint32_t n)
{
	rng = rng * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(rng >> 8) * n) >> 24);
}

size_t pf_random_frame(uint8_t *frame)
{
	const char *hex = sample_packets[pf_rnd(N_SAMPLE_PACKETS)];
	size_t len = strlen(hex) / 2;

	assert_int_equal(parse_hex_bytes(hex, frame, len), 0);
	for (uint32_t n = pf_rnd(3); n; n--)
		frame[pf_rnd(2) ? 5 + 6 * pf_rnd(2) : pf_rnd((uint32_t)len)] ^= (uint8_t)(1 << pf_rnd(2));
	return pf_rnd(50) ? len : pf_rnd((uint32_t)len + 1);
}
