/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Rate limit of packet-ins to one controller: a token bucket, and a queue per input port that is
 * served in turn, so that a noisy port does not starve the others. The longest queue loses when all
 * are full.
 *
 * Threads: control only.
 */

#include "lib/sbuf.h"
#include "lib/types.h"

struct pinsched;

/* RATE packets a second, BURST at once (at least a quarter of a second's worth). */
struct pinsched *pinsched_create(int rate, int burst, int64_t now_ms);
void pinsched_destroy(struct pinsched *ps);
void pinsched_configure(struct pinsched *ps, int rate, int burst);

/* MSG, about a packet from PORT: true if it may be sent now, else it is queued (and MSG emptied) or
 * dropped. */
bool pinsched_put(struct pinsched *ps, ofp_port_t port, struct sbuf *msg, int64_t now_ms);
/* Next queued message that may be sent now into MSG (appended): false if none. */
bool pinsched_take(struct pinsched *ps, struct sbuf *msg, int64_t now_ms);
/* Milliseconds until pinsched_take() has something; -1: nothing queued. */
int64_t pinsched_wait_ms(const struct pinsched *ps, int64_t now_ms);

struct pinsched_stats {
	unsigned int n_queued;
	uint64_t n_normal, n_limited, n_dropped;
};
struct pinsched_stats pinsched_stats(const struct pinsched *ps);
