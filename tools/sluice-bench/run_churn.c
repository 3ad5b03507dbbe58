/* SPDX-License-Identifier: Apache-2.0 */
/* Packet rates while a controller changes rules: a thread of its own plays the controller. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "tools/sluice-bench/of_client.h"
#include "tools/sluice-bench/run.h"

#define MODS_PER_S 10000
#define N_RULES 1000
#define A_TURN 20		/* Flow-mods written at once; a barrier after each turn. */
#define VERSION OFP13_VERSION

struct churn {
	char *path;
	struct sbuf adds, deletes;
	_Atomic bool stop;
	_Atomic uint64_t n_done;	/* Of which a barrier said so. */
	char *error;
	pthread_t thread;
};

/* Rules above all others that no packet matches. */
static void put_rules(struct churn *churn, bool same_table)
{
	for (unsigned int i = 0; i < N_RULES; i++) {
		char *flow = xasprintf("table=%d,priority=5000,ip,nw_dst=192.168.%u.%u,actions=output:2",
			same_table ? 0 : 7, i >> 8, i & 255);

		of_client_put_flow(&churn->adds, VERSION, flow, false);
		of_client_put_flow(&churn->deletes, VERSION, flow, true);
		free(flow);
	}
}

static int send_turn(struct of_client *client, struct churn *churn, uint64_t from)
{
	bool delete = from / N_RULES % 2;
	const struct sbuf *s = delete ? &churn->deletes : &churn->adds;
	size_t len = s->len / N_RULES;

	return of_client_send(client, s->data + from % N_RULES * len, A_TURN * len, &churn->error);
}

static void *churn_main(void *aux)
{
	int64_t begin = clock_us();
	struct of_client *client = NULL;
	struct churn *churn = aux;
	uint64_t n = 0;
	int err = of_client_open(churn->path, VERSION, &client, &churn->error);

	while (!err && !churn->stop) {
		int64_t due = begin + (int64_t)(n * 1000000 / MODS_PER_S), now = clock_us();

		if (now < due) {
			struct timespec pause = {.tv_nsec = (due - now) * 1000};

			nanosleep(&pause, NULL);
			continue;
		}
		err = send_turn(client, churn, n);
		n += A_TURN;
		if (!err)
			err = of_client_barrier(client, &churn->error);
		if (!err)
			atomic_store(&churn->n_done, n);
	}
	of_client_close(client);
	return NULL;
}

static void churn_trial(struct run_case *c)
{
	struct churn churn = {.path = xasprintf("%s/br0.mgmt", c->target->rundir())};
	struct run quiet, busy;
	int64_t begin, us;
	double before, after;
	uint64_t n;

	put_rules(&churn, c->params->variant->same_table);
	run_io(c);
	run_for(c, c->config->ms, &quiet);
	run_check_all(c, &quiet);
	before = run_cycles(&quiet, quiet.timed.sent);
	if (pthread_create(&churn.thread, NULL, churn_main, &churn))
		fatal("can't make a thread");
	c->target->run(50);
	n = churn.n_done;
	begin = clock_us();
	run_for(c, c->config->ms, &busy);
	us = clock_us() - begin;
	n = churn.n_done - n;
	churn.stop = true;
	while (pthread_tryjoin_np(churn.thread, NULL))
		c->target->run(1);
	run_check_all(c, &busy);
	if (churn.error)
		run_error(c, churn.error);
	after = run_cycles(&busy, busy.timed.sent);
	run_set_rate(c, &busy, busy.timed.sent);
	run_set(c, FIGURE_QUIET, before);
	run_set(c, FIGURE_ADDED, before > 0 ? after / before - 1 : 0);
	run_set(c, FIGURE_MODS, (double)n * 1e6 / (double)us);
	sbuf_uninit(&churn.adds);
	sbuf_uninit(&churn.deletes);
	free(churn.path);
}

void run_churn(struct run_case *c)
{
	run_warm_up(c);
	run_look(c);
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		churn_trial(c);
		c->result->n_trials++;
	}
}
