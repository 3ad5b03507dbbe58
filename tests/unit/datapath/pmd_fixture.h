/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A PMD without a thread for tests: ports whose driver is the test. Frames are put into a port's queue,
 * turned once around, and read back from where they were sent.
 */

#include "tests/unit/datapath/xlate_fixture.h"

#include "datapath/pmd/pmd.h"

#define PF_MAX_PORTS 8
#define PF_MAX_FRAMES 1024

struct pf_frame {
	uint32_t len;
	uint8_t data[2048];
};

struct pf_port {
	struct port port;
	struct pmd_port *pp;
	struct pmd_rxq *rxq;
	struct rte_mbuf *rx[PF_MAX_FRAMES];
	unsigned int n_rx, next_rx;
	unsigned int n_tx;
	struct pf_frame *tx;		/* PF_MAX_FRAMES of them. */
	unsigned int refuse;		/* The last so many of each burst are not sent. */
};

struct pf {
	struct pmd *pmd;
	struct pf_port ports[PF_MAX_PORTS];	/* By OpenFlow port. */
};

/* A PMD with the ports 1 to N_PORTS of BRIDGE. */
struct pf *pf_create(struct pl_bridge *bridge, unsigned int n_ports, bool no_caches);
void pf_destroy(struct pf *pf);
/* DATA[LEN] waits at PORT. */
void pf_put(struct pf *pf, ofp_port_t port, const void *data, size_t len);
/* Turns until nothing waits; forgets what was sent before. */
void pf_run(struct pf *pf);
/* Puts one and runs. */
void pf_send(struct pf *pf, ofp_port_t port, const void *data, size_t len);

/* Received packets at PORT, and of these forwarded, consumed, dropped: the invariant. */
void pf_check_invariant(const struct pf *pf, ofp_port_t port);
uint64_t pf_drops(const struct pf *pf, ofp_port_t port, enum drop_reason reason);

/* By chance, the same in each run: a number below N; a frame of some kind, at most 512 bytes: its length. Few
 * values a byte, so that flows come again. */
uint32_t pf_rnd(uint32_t n);
size_t pf_random_frame(uint8_t *frame);
/* Begins anew, at SEED. */
void pf_rnd_seed(uint32_t seed);
