/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/run.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "tools/sluice-bench/lab.h"
#include "tools/sluice-bench/machine.h"

#define SETTLE_MS 10
#define MAX_STRETCH 10
#define LOOK_MS 50
#define WARM_UP_MS 300
#define WARM_UP_MAX_MS 20000
#define WARM_UP_FRESH_MS 1000
#define PEER_WARM_UP_MS 2000
#define PEER_MAX_MS 40000
#define PEER_FLOWS_MS UINT64_C(10000)
#define PEER_WINDOW_MS 1000
#define PEER_SETTLED 0.95

void run_fault(struct run_case *c, const char *format, ...)
{
	va_list args;

	if (c->result->fault[0])
		return;
	va_start(args, format);
	vsnprintf(c->result->fault, sizeof c->result->fault, format, args);
	va_end(args);
}

void run_error(struct run_case *c, char *error)
{
	if (!c->result->error[0])
		str_copy(c->result->error, error ? error : "it failed", sizeof c->result->error);
	free(error);
}

bool run_failed(const struct run_case *c)
{
	return c->result->error[0];
}

static void read_counts(struct run_case *c, struct target_reading *reading)
{
	char *error = NULL;

	memset(reading, 0, sizeof *reading);
	if (c->target->read(reading, &error))
		run_error(c, error);
}

void run_begin(struct run_case *c, struct run *run)
{
	read_counts(c, &run->all);
	c->target->hold(false);
	c->target->run(SETTLE_MS);
	read_counts(c, &run->timed);
}

void run_end(struct run_case *c, struct run *run)
{
	struct target_reading end, after;

	read_counts(c, &end);
	c->target->hold(true);
	read_counts(c, &after);
	run->all = target_since(&after, &run->all);
	run->timed = target_since(&end, &run->timed);
}

void run_for(struct run_case *c, unsigned int ms, struct run *run)
{
	struct target_reading now = {0};

	run_begin(c, run);
	/* On a busy machine the PMD may not have had its core. */
	for (int i = 0; i < MAX_STRETCH && (!i || now.cpu_ns - run->timed.cpu_ns < ms * UINT64_C(500000)); i++) {
		c->target->run(ms);
		read_counts(c, &now);
		if (run_failed(c))
			break;
	}
	run_end(c, run);
}

void run_beside(struct run_case *c, void *(*fn)(void *aux), void *aux)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, aux))
		fatal("can't make a thread");
	while (pthread_tryjoin_np(thread, NULL))
		c->target->run(1);
}

static bool is_fresh(const struct conf *conf)
{
	const struct conf_port *port;

	VEC_FOR_EACH (port, &conf->ports)
		if (port->role == CONF_SOURCE && !bench_traffic_period(port->traffic))
			return true;
	return false;
}

/* Warm enough after PACKETS, the last of them in RUN. */
static bool is_warm(const struct run_case *c, uint64_t packets, const struct run *run)
{
	return packets >= 3 * c->params->n_flows && run->all.misses * 1000 <= run->all.received;
}

/* A peer caches one packet in a hundred and adapts its limits for seconds: until it gets no faster. */
static void warm_up_peer(struct run_case *c, int64_t end)
{
	int64_t least = clock_ms() + PEER_WARM_UP_MS + (int64_t)MIN(c->params->n_flows / 10, PEER_FLOWS_MS);
	double before = 0, now = 0;
	struct run run;

	do {
		before = now;
		run_for(c, PEER_WINDOW_MS, &run);
		now = run_cycles(&run, run.timed.sent);
	} while (!run_failed(c) && clock_ms() < end &&
		(clock_ms() < least || now < before * PEER_SETTLED));
}

void run_warm_up(struct run_case *c)
{
	bool is_peer = c->target == &target_peer;
	int64_t end = clock_ms() + (is_peer ? PEER_MAX_MS : WARM_UP_MAX_MS);
	uint64_t packets = 0;
	struct run run;

	if (is_fresh(&c->conf))
		end = clock_ms() + WARM_UP_FRESH_MS;
	if (is_peer) {
		warm_up_peer(c, end);
		return;
	}
	do {
		run_for(c, WARM_UP_MS, &run);
		packets += run.all.received;
	} while (!run_failed(c) && clock_ms() < end && !is_warm(c, packets, &run));
}

void run_check_all(struct run_case *c, const struct run *run)
{
	if (run->all.received != run->all.packets)
		run_fault(c, "the devices gave %llu packets, the switch counted %llu",
			(unsigned long long)run->all.received, (unsigned long long)run->all.packets);
	/* A peer may drop: that shows in its rate. */
	if (c->target == &target_lab && !c->conf.may_lose && run->all.sent != run->all.received) {
		char *drops = c->target == &target_lab ? lab_drops() : xstrdup("unknown");

		run_fault(c, "%llu packets should have come out, %llu did (drops so far: %s)",
			(unsigned long long)run->all.received, (unsigned long long)run->all.sent, drops);
		free(drops);
	}
}

static void check_samples(struct run_case *c, const struct conf_port *port, unsigned int *n_samples)
{
	const struct bench_watch *watch = c->target->watched(port);
	unsigned int n = watch ? watch->n_samples : 0;

	for (unsigned int i = 0; i < n && c->conf.check; i++) {
		const char *wrong = c->conf.check(watch->samples[i].frame, watch->samples[i].len);

		if (wrong)
			run_fault(c, "%s", wrong);
	}
	*n_samples += n;
}

void run_look(struct run_case *c)
{
	const struct conf_port *port;
	unsigned int n_samples = 0;
	struct run run;

	c->target->watch(true, false);
	run_for(c, LOOK_MS, &run);
	VEC_FOR_EACH (port, &c->conf.ports)
		if (port->role != CONF_PLAIN)
			check_samples(c, port, &n_samples);
	c->target->watch(false, false);
	if (!run.all.received)
		run_fault(c, "no packets came");
	else if (!n_samples)
		run_fault(c, "no packet came out");
}

void run_set(struct run_case *c, enum figure what, double value)
{
	c->result->figures[what][c->result->n_trials] = value;
}

void run_io(struct run_case *c)
{
	struct bench_work work;
	int err;

	if (c->target != &target_lab)
		return;
	err = lab_io(c->config->ms, &work);
	if (err)
		run_error(c, xasprintf("the bare loop: %s", strerror(-err)));
	else
		run_set(c, FIGURE_IO, bench_cycles(&work));
}

double run_cycles(const struct run *run, uint64_t packets)
{
	return packets ? (double)run->timed.cpu_ns * machine_tsc_mhz() / 1e3 / (double)packets : 0;
}

void run_set_rate(struct run_case *c, const struct run *run, uint64_t packets)
{
	double cycles = run_cycles(run, packets);
	double io = c->result->figures[FIGURE_IO][c->result->n_trials];

	run_set(c, FIGURE_MPPS, run->timed.cpu_ns ? (double)packets * 1e3 / (double)run->timed.cpu_ns : 0);
	run_set(c, FIGURE_CYCLES, cycles);
	/* NAN stays NAN. */
	run_set(c, FIGURE_OVER, cycles - io);
	if (c->result->hugepages)
		run_set(c, FIGURE_IO_RATIO, cycles > 0 ? io / cycles : 0);
	c->result->readings[c->result->n_trials] = run->all;
}

double run_loss(const struct run *run)
{
	uint64_t offered = run->all.received + run->all.missed;

	return offered && run->all.sent < offered ?
		(double)(offered - run->all.sent) / (double)offered : 0;
}
