/* SPDX-License-Identifier: Apache-2.0 */
/* How fast rules come in: in one stream, in a bundle, one by one as ovs-ofctl sends them. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/wire/bundle.h"
#include "tools/sluice-bench/command.h"
#include "tools/sluice-bench/of_client.h"
#include "tools/sluice-bench/run.h"
#include "tools/sluice-bench/stage.h"

#define A_BARRIER 1000		/* Flow-mods between barriers. */
#define VERSION OFP14_VERSION	/* Has bundles. */
#define BUNDLE_ID 1
#define MAX_ONE_BY_ONE 3u

struct load {
	struct run_case *c;
	char *socket, *file;
	struct sbuf adds, bundle;
	uint64_t n;
	int64_t us;		/* It took. */
	char *error;
};

/* Four fields to match, one action. */
static char *flow_text(uint64_t i)
{
	return xasprintf("table=1,priority=100,tcp,nw_src=10.%u.%u.%u,nw_dst=11.%u.%u.%u,tp_dst=80,"
		"actions=output:2", (unsigned)(i >> 16 & 255), (unsigned)(i >> 8 & 255),
		(unsigned)(i & 255), (unsigned)(i >> 16 & 255), (unsigned)(i >> 8 & 255),
		(unsigned)(i & 255));
}

static void bundle_control(struct sbuf *out, uint16_t type)
{
	struct bundle_ctrl bc = {BUNDLE_ID, type, OFPBF_ATOMIC | OFPBF_ORDERED};

	bundle_ctrl_encode(&bc, VERSION, 0, out);
}

static void prepare(struct load *load)
{
	FILE *file = fopen(load->file, "we");
	size_t begin;

	bundle_control(&load->bundle, OFPBCT_OPEN_REQUEST);
	for (uint64_t i = 0; i < load->n; i++) {
		char *text = flow_text(i);

		if (file)
			fprintf(file, "%s\n", text);
		begin = load->adds.len;
		of_client_put_flow(&load->adds, VERSION, text, false);
		bundle_add_encode(BUNDLE_ID, OFPBF_ATOMIC | OFPBF_ORDERED, load->adds.data + begin,
			load->adds.len - begin, &load->bundle);
		free(text);
	}
	bundle_control(&load->bundle, OFPBCT_COMMIT_REQUEST);
	if (!file || fclose(file))
		fatal("can't write %s", load->file);
}

static int add_in_stream(struct load *load, struct of_client *client)
{
	size_t each = load->adds.len / load->n;
	int err = 0;

	for (uint64_t i = 0; i < load->n && !err; i += A_BARRIER) {
		uint64_t n = MIN(load->n - i, (uint64_t)A_BARRIER);

		err = of_client_send(client, load->adds.data + i * each, n * each, &load->error);
		if (!err)
			err = of_client_barrier(client, &load->error);
	}
	return err;
}

static int add_in_bundle(struct load *load, struct of_client *client)
{
	int err = of_client_send(client, load->bundle.data, load->bundle.len, &load->error);

	return err ? err : of_client_barrier(client, &load->error);
}

static void *load_main(void *aux)
{
	struct load *load = aux;
	struct of_client *client = NULL;
	enum scenario_load how = load->c->params->variant->load;
	int64_t begin;
	int err = 0;

	if (how != SCENARIO_ONE_BY_ONE)
		err = of_client_open(load->socket, VERSION, &client, &load->error);
	begin = clock_us();
	if (!err && how == SCENARIO_STREAM)
		err = add_in_stream(load, client);
	else if (!err && how == SCENARIO_BUNDLE)
		err = add_in_bundle(load, client);
	else if (!err)
		err = command_check(&load->error, "ovs-ofctl add-flows unix:%s %s", load->socket, load->file);
	load->us = clock_us() - begin;
	of_client_close(client);
	return NULL;
}

/* All of them are there, and then no longer. */
static void *check_main(void *aux)
{
	struct load *load = aux;
	char *output = NULL, *at;
	uint64_t n;

	command_run(&output, "ovs-ofctl -OOpenFlow13 dump-aggregate unix:%s table=1", load->socket);
	at = output ? strstr(output, "flow_count=") : NULL;
	n = at ? strtoull(at + 11, NULL, 10) : 0;
	free(output);
	if (n != load->n)
		load->error = xasprintf("%llu flows were added, %llu are there",
			(unsigned long long)load->n, (unsigned long long)n);
	else
		command_check(&load->error, "ovs-ofctl -OOpenFlow13 del-flows unix:%s table=1",
			load->socket);
	return NULL;
}

static void load_trial(struct run_case *c, struct load *load, bool first)
{
	uint64_t memory = c->target->memory(), cpu_ns = c->target->control_cpu_ns();

	run_beside(c, load_main, load);
	cpu_ns = c->target->control_cpu_ns() - cpu_ns;
	c->target->run(200);
	/* What is freed stays with the process: only growth from nothing tells. */
	if (first)
		run_set(c, FIGURE_MEMORY, (double)(int64_t)(c->target->memory() - memory) / (double)load->n);
	run_set(c, FIGURE_MODS, (double)load->n * 1e6 / (double)load->us);
	run_set(c, FIGURE_MOD_CPU, (double)cpu_ns / 1e3 / (double)load->n);
	if (!load->error)
		run_beside(c, check_main, load);
	if (load->error)
		run_error(c, load->error);
	load->error = NULL;
	c->target->run(200);
}

void run_flow_mods(struct run_case *c)
{
	struct load load = {
		.c = c,
		.socket = xasprintf("%s/br0.mgmt", c->target->rundir()),
		.file = xasprintf("%s/load.flows", stage_dir()),
		.n = c->params->n_flows,
	};

	unsigned int trials = c->config->trials;

	/* Each may take a minute. */
	if (c->params->variant->load == SCENARIO_ONE_BY_ONE)
		trials = MIN(trials, MAX_ONE_BY_ONE);
	prepare(&load);
	while (!run_failed(c) && c->result->n_trials < trials) {
		load_trial(c, &load, !c->result->n_trials);
		c->result->n_trials++;
	}
	sbuf_uninit(&load.adds);
	sbuf_uninit(&load.bundle);
	free(load.socket);
	free(load.file);
}
