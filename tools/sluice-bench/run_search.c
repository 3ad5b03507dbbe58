/* SPDX-License-Identifier: Apache-2.0 */
/* Highest rates with no and with little loss, and how long packets take at half of that. */
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/run.h"
#include "tools/sluice-bench/search.h"

#define QUEUE 2048		/* Frames, as a NIC's ring may have. */
#define STEPS 8
#define STEP_MS 250u

static double loss_at(double mpps, void *aux)
{
	struct run_case *c = aux;
	struct run run;

	c->target->order(&(struct target_orders){.pps = mpps * 1e6, .queue = QUEUE});
	run_for(c, MAX(c->config->ms, STEP_MS), &run);
	return run_failed(c) ? -1 : run_loss(&run);
}

static void measure_latency(struct run_case *c, double mpps)
{
	const struct bench_watch *watches[BENCH_MAX_LOOPS * 2];
	const struct conf_port *port;
	unsigned int n = 0;
	double mhz = machine_tsc_mhz();
	struct run run;

	c->target->order(
		&(struct target_orders){.pps = mpps * 1e6, .queue = QUEUE, .stamp = true});
	c->target->watch(false, true);
	run_for(c, MAX(c->config->ms, STEP_MS), &run);
	VEC_FOR_EACH (port, &c->conf.ports)
		if (port->role != CONF_PLAIN && n < ARRAY_SIZE(watches) && c->target->watched(port))
			watches[n++] = c->target->watched(port);
	run_set(c, FIGURE_LATENCY_P50, (double)bench_watch_latency(watches, n, 0.5) / mhz);
	run_set(c, FIGURE_LATENCY_P99, (double)bench_watch_latency(watches, n, 0.99) / mhz);
	run_set(c, FIGURE_LATENCY_P999, (double)bench_watch_latency(watches, n, 0.999) / mhz);
	c->target->watch(false, false);
}

void run_search(struct run_case *c)
{
	double top = c->result->figures[FIGURE_MPPS][c->result->n_trials] * 1.1, ndr, pdr;

	ndr = search_rate(top, 0, STEPS, loss_at, c);
	pdr = search_rate(top, c->config->pdr_loss, STEPS, loss_at, c);
	run_set(c, FIGURE_NDR, ndr);
	run_set(c, FIGURE_PDR, pdr);
	if (ndr > 0)
		measure_latency(c, ndr / 2);
	c->target->order(&(struct target_orders){0});
}
