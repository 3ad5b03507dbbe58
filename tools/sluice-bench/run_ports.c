/* SPDX-License-Identifier: Apache-2.0 */
/* Packets at a steady rate while ports come and go: what other ports lose by it. */
#include "lib/clock.h"
#include "tools/sluice-bench/run.h"

#define PPS 1e6
#define QUEUE 1024		/* Frames, as a NIC's ring: a PMD that is held for a millisecond loses some. */
#define MIN_MS 2000

struct changes {
	struct run_case *c;
	unsigned int n_ports;	/* That come and go. */
	uint64_t n;		/* Ports that came or went. */
};

/* Brings and takes away the passing ports for MS milliseconds, at least once. */
static void change_for(struct changes *changes, unsigned int ms)
{
	int64_t end = clock_ms() + ms;

	do {
		for (int there = 1; there >= 0; there--) {
			char *error = NULL;

			if (changes->c->target->set_passing(there, &error))
				run_error(changes->c, error);
			changes->n += changes->n_ports;
		}
	} while (!run_failed(changes->c) && clock_ms() < end);
}

static void ports_trial(struct run_case *c, unsigned int n_ports)
{
	struct changes changes = {.c = c, .n_ports = n_ports};
	int64_t begin = clock_us();
	struct run run;

	run_begin(c, &run);
	change_for(&changes, MAX(c->config->ms, (unsigned int)MIN_MS));
	run_end(c, &run);
	run_check_all(c, &run);
	c->result->readings[c->result->n_trials] = run.all;
	run_set(c, FIGURE_LOSS, run_loss(&run));
	run_set(c, FIGURE_PORTS, (double)changes.n * 1e6 / (double)(clock_us() - begin));
}

void run_ports(struct run_case *c)
{
	const struct conf_port *port;
	unsigned int n_ports = 0;

	VEC_FOR_EACH (port, &c->conf.ports)
		n_ports += port->passing;
	run_warm_up(c);
	run_look(c);
	c->target->order(&(struct target_orders){.pps = PPS, .queue = QUEUE});
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		ports_trial(c, n_ports);
		c->result->n_trials++;
	}
}
