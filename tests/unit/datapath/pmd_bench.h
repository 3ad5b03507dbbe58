/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A PMD without a thread and a bridge of four ports, for tests that send packets by hand. */

#include "datapath/dp_private.h"
#include "tests/support/eal_fixture.h"
#include "tests/unit/datapath/pmd_fixture.h"

#define BENCH_PORTS 4

struct bench {
	struct fx *fx;
	struct pl_bridge *bridge;
	struct pf *pf;
};

static inline struct bench bench_create(void)
{
	struct bench b = {.fx = fx_create()};

	b.bridge = fx_bridge(b.fx, "br0", BENCH_PORTS);
	b.pf = pf_create(b.bridge, BENCH_PORTS, false);
	return b;
}

/* Each packet has ended exactly once. */
static inline void bench_destroy(struct bench *b)
{
	for (ofp_port_t port = 1; port <= BENCH_PORTS; port++)
		pf_check_invariant(b->pf, port);
	dp_sweep_pmd(b->pf->pmd);
	pf_destroy(b->pf);
	fx_destroy(b->fx);
}

static inline struct pl_rule *output_rule(struct bench *b, int priority, const char *match, ofp_port_t port)
{
	struct act_builder *acts = fx_acts();

	fx_output(acts, port);
	return fx_rule(b->fx, b->bridge, 0, priority, match, acts);
}

/* By the last pf_run(). */
static inline unsigned int n_sent(const struct bench *b, ofp_port_t port)
{
	return b->pf->ports[port].n_tx;
}

/* Group set-up. */
static inline int bench_start(void **state)
{
	eal_fixture_start(16383);
	return 0;
}
