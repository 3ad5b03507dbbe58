/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/measure.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "tools/sluice-bench/lab.h"
#include "tools/sluice-bench/peer.h"
#include "tools/sluice-bench/run.h"
#include "tools/sluice-bench/stage.h"

static void run_kind(struct run_case *c)
{
	c->result->hugepages = c->target->has_hugepages();
	c->result->n_frames = stage_frames();
	if (strcmp(c->result->subject, "sluice"))
		c->target->version(c->result->subject, sizeof c->result->subject);
	c->target->order(&(struct target_orders){0});
	switch (c->scenario->kind) {
	case SCENARIO_RATE:
		run_rate(c);
		break;
	case SCENARIO_ATTACK:
		run_attack(c);
		break;
	case SCENARIO_COLD:
		run_cold(c);
		break;
	case SCENARIO_CHURN:
		run_churn(c);
		break;
	case SCENARIO_PORTS:
		run_ports(c);
		break;
	case SCENARIO_FLOW_MODS:
		run_flow_mods(c);
		break;
	case SCENARIO_PACKET_IN:
		run_packet_in(c);
		break;
	case SCENARIO_RESTART:
		run_restart(c);
		break;
	}
}

static void run_case(struct run_case *c)
{
	char *error = NULL;

	conf_init(&c->conf);
	c->scenario->build(&c->conf, c->params);
	if (stage_enter(&c->conf, c->config->target.max_frames, &error) ||
		c->target->start(&c->conf, &c->config->target, &error)) {
		run_error(c, error);
	} else {
		run_kind(c);
		if (c->config->show_paths && c->target == &target_lab)
			lab_show_paths();
	}
	if (!run_failed(c) || c->target != &target_lab)
		c->target->stop();
	stage_leave();
	conf_uninit(&c->conf);
}

/* sluiced itself, in the place of a peer. */
static void use_daemon(struct run_case *c)
{
	static struct measure_config config;

	config = *c->config;
	config.target.vswitchd = peer_find_sluiced();
	config.target.n_ovs_configs = 0;
	c->config = &config;
	c->target = &target_peer;
	if (!config.target.vswitchd)
		run_error(c, xstrdup("sluiced is not beside this program, nor installed"));
}

/* ------------------------------------------------------------------ in a process of its own */

static void read_result(int fd, pid_t pid, struct measure_result *result)
{
	struct measure_result *got = xmalloc(sizeof *got);
	size_t n = 0;
	ssize_t more;
	int status;

	while (n < sizeof *got && (more = read(fd, (char *)got + n, sizeof *got - n)) > 0)
		n += (size_t)more;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (n == sizeof *got)
		*result = *got;
	else if (WIFSIGNALED(status))
		snprintf(result->error, sizeof result->error, "the switch crashed (%s)",
			strsignal(WTERMSIG(status)));
	else
		snprintf(result->error, sizeof result->error, "the switch ended early");
	free(got);
}

static bool write_result(int fd, const struct measure_result *result)
{
	size_t n = 0;

	while (n < sizeof *result) {
		ssize_t more = write(fd, (const char *)result + n, sizeof *result - n);

		if (more <= 0)
			return false;
		n += (size_t)more;
	}
	return true;
}

static void init_result(const struct scenario *scenario, const struct scenario_params *params,
	struct measure_result *result)
{
	memset(result, 0, sizeof *result);
	str_copy(result->scenario, scenario->name, sizeof result->scenario);
	str_copy(result->variant, params->variant->name, sizeof result->variant);
	result->n_flows = scenario->unit ? params->n_flows : 0;
	result->frame_size = params->frame_size;
	for (int f = 0; f < N_FIGURES; f++)
		for (int i = 0; i < MEASURE_MAX_TRIALS; i++)
			result->figures[f][i] = NAN;
}

static _Noreturn void run_child(enum measure_subject subject, const struct scenario *scenario,
	const struct scenario_params *params, const struct measure_config *config, int fd,
	struct measure_result *result)
{
	struct run_case c = {
		.scenario = scenario,
		.params = params,
		.config = config,
		.target = subject == MEASURE_SLUICE ? &target_lab : &target_peer,
		.result = result,
	};

	if (scenario->kind == SCENARIO_RESTART && subject == MEASURE_SLUICE)
		use_daemon(&c);
	if (!run_failed(&c))
		run_case(&c);
	_exit(write_result(fd, result) ? 0 : 1);
}

void measure(enum measure_subject subject, const struct scenario *scenario,
	const struct scenario_params *params, const struct measure_config *config,
	struct measure_result *result)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	init_result(scenario, params, result);
	str_copy(result->subject, subject == MEASURE_SLUICE ? "sluice" : "peer",
		sizeof result->subject);
	fflush(NULL);
	if (pipe(fds) || (pid = fork()) < 0) {
		snprintf(result->error, sizeof result->error, "can't fork: %s", strerror(errno));
		return;
	}
	if (!pid) {
		/* Nothing of it outlives this program. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		run_child(subject, scenario, params, config, fds[1], result);
	}
	close(fds[1]);
	read_result(fds[0], pid, result);
	close(fds[0]);
}

/* ------------------------------------------------------------------ spread */

bool measure_spread(const struct measure_result *result, enum figure what, struct spread *spread)
{
	return spread_of(result->figures[what], result->n_trials, spread);
}

double measure_median(const struct measure_result *result, enum figure what)
{
	struct spread spread;

	return measure_spread(result, what, &spread) ? spread.median : 0;
}
