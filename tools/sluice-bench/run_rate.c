/* SPDX-License-Identifier: Apache-2.0 */
/* Packet rates: undisturbed, beside an attack, with flows never seen before. */
#include <stdlib.h>

#include "tools/sluice-bench/run.h"

#define MANY_FLOWS 50000

void run_rate(struct run_case *c)
{
	struct run run;

	run_warm_up(c);
	run_look(c);
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		run_io(c);
		run_for(c, c->config->ms, &run);
		run_check_all(c, &run);
		run_set_rate(c, &run, run.timed.sent);
		if (c->target == &target_lab && c->scenario->is_key_each && c->params->n_flows >= MANY_FLOWS)
			run_set(c, FIGURE_FLOW_MEMORY,
				(double)run.all.cache_bytes / (double)c->params->n_flows);
		if (c->conf.may_lose)
			run_set(c, FIGURE_LOSS, run_loss(&run));
		if (c->config->search)
			run_search(c);
		c->result->n_trials++;
	}
}

/* ------------------------------------------------------------------ attack */

static void attack_trial(struct run_case *c)
{
	struct run quiet, attack;
	double before, after;

	run_io(c);
	c->target->order(&(struct target_orders){.attack = false});
	run_for(c, c->config->ms / 4, &quiet);
	run_for(c, c->config->ms, &quiet);
	run_check_all(c, &quiet);
	c->target->order(&(struct target_orders){.attack = true});
	run_for(c, c->config->ms, &attack);
	before = run_cycles(&quiet, (uint64_t)quiet.timed.victims);
	after = run_cycles(&attack, (uint64_t)MAX(attack.timed.victims, (int64_t)0));
	run_set_rate(c, &attack, (uint64_t)MAX(attack.timed.victims, (int64_t)0));
	run_set(c, FIGURE_QUIET, before);
	run_set(c, FIGURE_KEPT, after > 0 ? before / after : 0);
	run_set(c, FIGURE_LOSS,
		1 - (double)attack.all.victims / (double)MAX(attack.all.victims_in, UINT64_C(1)));
	run_set(c, FIGURE_ATTACK_SERVED,
		(double)attack.all.attackers / (double)MAX(attack.all.attackers_in, UINT64_C(1)));
}

/* Each trial: quiet, then attack, in turns; the attack goes on for a while before it counts. */
void run_attack(struct run_case *c)
{
	struct run run;

	c->target->order(&(struct target_orders){.attack = false});
	run_warm_up(c);
	c->target->order(&(struct target_orders){.attack = true});
	run_for(c, MAX(c->config->ms, 1000u), &run);
	run_look(c);
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		attack_trial(c);
		c->result->n_trials++;
	}
}

/* ------------------------------------------------------------------ cold */

#define FIRST_SECOND_MS 1000
#define QUEUE 4096
#define PACED_MAX_MS 2000.0

/* Numbers of flows, far from each other, that no trial uses twice. */
static uint64_t new_flows(void)
{
	static uint64_t next = UINT64_C(1) << 40;

	return next += UINT64_C(1) << 36;
}

/* The rate of packets that are each of a new flow; then all packets of new flows at half of it. */
static void cold_paced(struct run_case *c)
{
	uint64_t n = c->params->n_flows;
	struct run run;
	double mpps;

	run_io(c);
	c->target->order(&(struct target_orders){.first = new_flows(), .n_flows = UINT64_MAX});
	run_for(c, c->config->ms, &run);
	run_set_rate(c, &run, run.timed.sent);
	run_set(c, FIGURE_LOSS, run_loss(&run));
	mpps = c->result->figures[FIGURE_MPPS][c->result->n_trials] / 2;
	c->target->purge();
	c->target->order(&(struct target_orders){
		.first = new_flows(), .n_flows = n, .pps = mpps * 1e6, .queue = QUEUE});
	run_for(c, (unsigned int)MIN((double)n / (mpps * 1e3) + 1, PACED_MAX_MS), &run);
	run_set(c, FIGURE_PACED, mpps);
	run_set(c, FIGURE_PACED_LOSS, run_loss(&run));
}

static void cold_trial(struct run_case *c)
{
	struct run run;

	c->target->purge();
	c->target->order(&(struct target_orders){.first = new_flows(), .n_flows = c->params->n_flows});
	run_for(c, FIRST_SECOND_MS, &run);
	run_set(c, FIGURE_FIRST, (double)run.all.sent * 1e3 / (double)run.all.cpu_ns);
	/* A peer would need minutes to forget so many. */
	if (c->target == &target_lab)
		cold_paced(c);
}

void run_cold(struct run_case *c)
{
	struct run run;

	run_for(c, c->config->ms, &run);
	run_look(c);
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		cold_trial(c);
		c->result->n_trials++;
	}
}
