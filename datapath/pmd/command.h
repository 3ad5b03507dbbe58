/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Commands from control to a PMD: a bounded ring, read by the PMD between bursts. Commands are carried
 * out in order. Those that control waits for name an atomic number that the PMD counts down when it has
 * let go of everything the command spoke of.
 *
 * When the ring is full, commands wait on control's side, in order; packets beyond
 * COMMAND_MAX_WAITING are dropped.
 */

#include <rte_mbuf.h>

#include "datapath/pmd/ring.h"
#include "lib/types.h"

#define COMMAND_RING 4096
#define COMMAND_MAX_WAITING 65536

struct pmd_port;
struct pmd_rxq;

enum command_type {
	COMMAND_TX,		/* tx: send MBUF by PORT. */
	COMMAND_PORT_ADD,	/* port: may be sent to. */
	COMMAND_PORT_REMOVE,	/* port: ... no longer; its queues too. */
	COMMAND_RXQ_ADD,	/* rxq: poll it. */
	COMMAND_RXQ_REMOVE,
	COMMAND_TX_LOCK,	/* port: its transmit queue is shared from now on. */
	COMMAND_RETIRE,		/* path: if it still is that one. */
	COMMAND_PURGE,		/* All paths. */
	COMMAND_STOP,		/* The thread ends. */
};

struct command {
	uint8_t type;		/* enum command_type. */
	_Atomic uint32_t *done;	/* Decremented, and control woken; or NULL. */
	union {
		struct {
			struct rte_mbuf *mbuf;
			dp_port_t port;
		} tx;
		struct pmd_port *port;
		struct pmd_rxq *rxq;
		struct {
			uint32_t slot, generation;
		} path;
	};
};
