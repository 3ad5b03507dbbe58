/* SPDX-License-Identifier: Apache-2.0 */
/* How long no packets pass while a daemon with many rules is restarted. */
#include <stdio.h>

#include "lib/fatal.h"
#include "tools/sluice-bench/command.h"
#include "tools/sluice-bench/peer.h"
#include "tools/sluice-bench/run.h"
#include "tools/sluice-bench/stage.h"

static int add_rules(struct run_case *c, char **error)
{
	char *path = xasprintf("%s/rules", stage_dir());
	FILE *file = fopen(path, "we");
	int err;

	for (uint64_t i = 0; file && i < c->params->n_flows; i++)
		fprintf(file, "table=1,priority=100,tcp,nw_src=10.%u.%u.%u,tp_dst=80,actions=output:2\n",
			(unsigned)(i >> 16 & 255), (unsigned)(i >> 8 & 255), (unsigned)(i & 255));
	if (file)
		fclose(file);
	err = command_check(error, "ovs-ofctl --bundle -OOpenFlow14 add-flows br0 %s", path);
	free(path);
	return err;
}

void run_restart(struct run_case *c)
{
	char *error = NULL;
	double gap_ms;

	if (add_rules(c, &error)) {
		run_error(c, error);
		return;
	}
	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		/* A daemon that saves its state by itself has had time to. */
		c->target->run(6000);
		if (peer_restart(&gap_ms, &error)) {
			run_error(c, error);
			return;
		}
		run_set(c, FIGURE_GAP, gap_ms);
		c->result->n_trials++;
	}
}
