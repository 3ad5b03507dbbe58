/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "tools/sluice-bench/hugepages.h"
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/stage.h"

#define WARM_UP_MS 300
#define WARM_UP_MAX_MS 20000
#define LOOK_MS 50
#define PEER_WARM_UP_MS 2000
#define PEER_MIN_MS 1000u
#define SAMPLES_A_PORT 64
#define SAMPLE_EVERY 1009

/* ------------------------------------------------------------------ one run */

struct run {
	struct lab_counts counts;
	struct bench_pmd_reading pmd;	/* All of it. */
	struct bench_pmd_reading timed;	/* While packets ran at full rate. */
};

/* Lets traffic flow for MS; *RUN: what happened. Held before and afterwards. */
static void run_for(unsigned int ms, struct run *run)
{
	struct bench_pmd_reading before, begin, end, after;
	struct lab_counts a, b;

	lab_counts(&a);
	bench_pmd_read(&before);
	lab_hold(false);
	lab_run(10);
	bench_pmd_read(&begin);
	lab_run(ms);
	bench_pmd_read(&end);
	lab_hold(true);
	bench_pmd_read(&after);
	lab_counts(&b);
	run->counts.received = b.received - a.received;
	run->counts.sent = b.sent - a.sent;
	run->pmd = bench_pmd_since(&after, &before);
	run->timed = bench_pmd_since(&end, &begin);
}

/* Until every flow has come by twice and hardly any is unknown. */
static void warm_up(const struct scenario_params *params)
{
	int64_t end = clock_ms() + WARM_UP_MAX_MS;
	uint64_t packets = 0;
	struct run run;

	do {
		run_for(WARM_UP_MS, &run);
		packets += run.pmd.work.packets;
	} while (clock_ms() < end && (packets < 3 * params->n_flows ||
		run.pmd.misses * 1000 > run.pmd.work.packets));
}

static void fault(struct measure_result *result, const char *format, ...) PRINTF_FORMAT(2, 3);

static void fault(struct measure_result *result, const char *format, ...)
{
	va_list args;

	if (result->fault[0])
		return;
	va_start(args, format);
	vsnprintf(result->fault, sizeof result->fault, format, args);
	va_end(args);
}

static void check_counts(const struct conf *conf, const struct run *run,
	struct measure_result *result, uint64_t *expected)
{
	*expected = run->counts.received;
	if (run->counts.received != run->pmd.work.packets)
		fault(result, "the devices gave %llu packets, the switch counted %llu",
			(unsigned long long)run->counts.received,
			(unsigned long long)run->pmd.work.packets);
	if (conf->forwarded < 0)
		return;
	*expected = (uint64_t)((double)run->counts.received * conf->forwarded);
	if (run->counts.sent != *expected) {
		char *drops = lab_drops();

		fault(result, "%llu packets should have come out, %llu did (drops so far: %s)",
			(unsigned long long)*expected, (unsigned long long)run->counts.sent, drops);
		free(drops);
	}
}

/* ------------------------------------------------------------------ the far side */

static void check_samples(const struct conf *conf, const struct bench_probe *probe,
	struct measure_result *result)
{
	const struct bench_sample *samples;
	unsigned int n = bench_probe_samples(probe, &samples);

	for (unsigned int i = 0; i < n && conf->check; i++) {
		const char *wrong = conf->check(samples[i].frame, samples[i].len);

		if (wrong)
			fault(result, "%s", wrong);
	}
}

/* Looks at packets as they leave: the right number, the right contents. */
static void look(const struct conf *conf, struct measure_result *result)
{
	static const struct bench_probe_config config = {
		.n_samples = SAMPLES_A_PORT,
		.every = SAMPLE_EVERY,
	};
	struct bench_probe *probes[2 * BENCH_MAX_LOOPS];
	const struct conf_port *port;
	uint64_t seen = 0, expected;
	unsigned int n = 0;
	struct run run;

	VEC_FOR_EACH (port, &conf->ports) {
		char *device;

		if (port->role == CONF_PLAIN || n == ARRAY_SIZE(probes))
			continue;
		device = conf_device(port);
		if (!bench_probe_attach(device, &config, &probes[n]))
			n++;
		free(device);
	}
	run_for(LOOK_MS, &run);
	check_counts(conf, &run, result, &expected);
	for (unsigned int i = 0; i < n; i++) {
		seen += bench_probe_packets(probes[i]);
		check_samples(conf, probes[i], result);
		bench_probe_detach(probes[i]);
	}
	if (!run.counts.received)
		fault(result, "no packets came");
	else if (conf->forwarded > 0 && !seen)
		fault(result, "no packet came out");
}

/* ------------------------------------------------------------------ trials */

static int trial(const struct conf *conf, const struct measure_config *config,
	struct measure_result *result)
{
	struct measure_trial *t = &result->trials[result->n_trials];
	struct bench_work io;
	struct run run;
	int err = lab_io(config->ms, &io);

	if (err)
		return err;
	run_for(config->ms, &run);
	check_counts(conf, &run, result, &t->expected);
	*t = (struct measure_trial){
		.io_cycles = bench_cycles(&io),
		.cycles = bench_cycles(&run.timed.work),
		.mpps = bench_mpps(&run.timed.work),
		.received = run.counts.received,
		.sent = run.counts.sent,
		.expected = t->expected,
		.exact_hits = run.timed.exact_hits,
		.mega_hits = run.timed.mega_hits,
		.misses = run.timed.misses,
		.lost = run.timed.lost,
		.cpu_share = (double)run.timed.work.cpu_ns / (double)run.timed.work.wall_ns,
	};
	result->n_trials++;
	return 0;
}

static void run_case(const struct scenario *scenario, const struct scenario_params *params,
	const struct measure_config *config, struct measure_result *result)
{
	char *error = NULL;
	struct conf conf;
	int err;

	conf_init(&conf);
	scenario->build(&conf, params);
	err = stage_enter(&conf, config->lab.max_frames, &error);
	if (!err)
		err = lab_start(&conf, &config->lab, &error);
	if (err) {
		snprintf(result->error, sizeof result->error, "%s", error);
		free(error);
		stage_leave();
		return;
	}
	result->hugepages = lab_has_hugepages();
	result->n_frames = stage_frames();
	warm_up(params);
	look(&conf, result);
	while (!err && result->n_trials < config->trials)
		err = trial(&conf, config, result);
	if (err)
		snprintf(result->error, sizeof result->error, "the bare loop: %s", strerror(-err));
	if (config->show_paths)
		lab_show_paths();
	lab_stop();
	stage_leave();
	conf_uninit(&conf);
}

/* ------------------------------------------------------------------ the peer */

static void peer_trial(const struct peer_reading *a, const struct peer_reading *b,
	struct measure_result *result)
{
	struct measure_trial *t = &result->trials[result->n_trials++];
	struct bench_work work = {
		.packets = b->received - a->received,
		.cpu_ns = b->cpu_ns - a->cpu_ns,
	};

	*t = (struct measure_trial){
		.received = work.packets,
		.expected = work.packets,
		.sent = b->sent - a->sent,
		.misses = b->misses - a->misses,
		.cpu_share = (double)work.cpu_ns / (double)(b->wall_ns - a->wall_ns),
	};
	/* What was dropped was not carried. */
	t->lost = t->received > t->sent ? t->received - t->sent : 0;
	work.packets = MIN(t->received, t->sent);
	t->mpps = bench_mpps(&work);
	t->cycles = t->mpps > 0 ? machine_tsc_mhz() / t->mpps : 0;
}

static int peer_measure(const struct scenario_params *params, const struct measure_config *config,
	struct measure_result *result, char **error)
{
	unsigned int warm_up_ms = PEER_WARM_UP_MS + (unsigned int)(params->n_flows / 10);
	struct peer_reading a, b;
	int err = 0;

	usleep(warm_up_ms * 1000);
	while (!err && result->n_trials < config->trials) {
		err = peer_read(&a, error);
		usleep(MAX(config->ms, PEER_MIN_MS) * 1000);
		if (!err)
			err = peer_read(&b, error);
		if (!err)
			peer_trial(&a, &b, result);
	}
	return err;
}

static void run_peer_case(const struct scenario *scenario, const struct scenario_params *params,
	const struct measure_config *config, struct measure_result *result)
{
	char *error = NULL;
	struct conf conf;
	int err;

	conf_init(&conf);
	scenario->build(&conf, params);
	err = stage_enter(&conf, config->lab.max_frames, &error);
	result->hugepages = hugepages_free_mb() > 0;
	result->n_frames = stage_frames();
	if (!err)
		err = peer_start(&conf, &config->peer, stage_dir(), &error);
	if (!err) {
		peer_version(result->subject, sizeof result->subject);
		err = peer_measure(params, config, result, &error);
	}
	peer_stop();
	if (err)
		snprintf(result->error, sizeof result->error, "%s", error);
	free(error);
	if (!err || !config->peer.verbose)
		stage_leave();
	conf_uninit(&conf);
}

/* ------------------------------------------------------------------ in a process of its own */

static void read_result(int fd, pid_t pid, struct measure_result *result)
{
	struct measure_result got;
	size_t n = 0;
	ssize_t more;
	int status;

	while (n < sizeof got && (more = read(fd, (char *)&got + n, sizeof got - n)) > 0)
		n += (size_t)more;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (n == sizeof got)
		*result = got;
	else if (WIFSIGNALED(status))
		snprintf(result->error, sizeof result->error, "the switch crashed (%s)",
			strsignal(WTERMSIG(status)));
	else
		snprintf(result->error, sizeof result->error, "the switch ended early");
}

void measure(enum measure_subject subject, const struct scenario *scenario, const struct scenario_params *params,
	const struct measure_config *config, struct measure_result *result)
{
	int fds[2];
	pid_t pid;

	memset(result, 0, sizeof *result);
	str_copy(result->subject, subject == MEASURE_SLUICE ? "sluice" : "peer",
		sizeof result->subject);
	snprintf(result->scenario, sizeof result->scenario, "%s", scenario->name);
	result->n_flows = params->n_flows;
	result->frame_size = params->frame_size;
	fflush(NULL);
	if (pipe(fds) || (pid = fork()) < 0) {
		snprintf(result->error, sizeof result->error, "can't fork: %s", strerror(errno));
		return;
	}
	if (!pid) {
		ssize_t n;

		close(fds[0]);
		if (subject == MEASURE_SLUICE)
			run_case(scenario, params, config, result);
		else
			run_peer_case(scenario, params, config, result);
		n = write(fds[1], result, sizeof *result);
		_exit(n == (ssize_t)sizeof *result ? 0 : 1);
	}
	close(fds[1]);
	read_result(fds[0], pid, result);
	close(fds[0]);
}

/* ------------------------------------------------------------------ spread */

static double value_of(const struct measure_trial *t, enum measure_what what)
{
	switch (what) {
	case MEASURE_MPPS:
		return t->mpps;
	case MEASURE_CYCLES:
		return t->cycles;
	case MEASURE_IO:
		return t->io_cycles;
	case MEASURE_OVER:
		return t->cycles - t->io_cycles;
	case MEASURE_RATIO:
		return t->cycles > 0 ? t->io_cycles / t->cycles : 0;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct measure_spread measure_spread(const struct measure_result *result, enum measure_what what)
{
	double values[MEASURE_MAX_TRIALS];
	unsigned int n = result->n_trials;

	if (!n)
		return (struct measure_spread){0};
	for (unsigned int i = 0; i < n; i++)
		values[i] = value_of(&result->trials[i], what);
	qsort(values, n, sizeof *values, compare);
	return (struct measure_spread){
		.median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2,
		.min = values[0],
		.max = values[n - 1],
	};
}
