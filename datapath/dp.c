/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/dp_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "datapath/eal.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"

LOG_MODULE(dpif_netdev);

#define SWEEP_MS 1000

struct dp dp;

/* ------------------------------------------------------------------ start and stop */

static void on_news(void *aux)
{
	dp_run();
}

static void on_timer(void *aux)
{
	dp.sweep_due = true;
	dp_run();
}

static void post_start(const struct dp_config *config)
{
	struct eal_config eal = {
		.extra = config->dpdk_extra,
		.socket_mem = config->socket_mem,
		.lcore_mask = config->lcore_mask,
		.hugepage_dir = config->hugepage_dir,
		.n_mbufs = config->n_mbufs,
	};

	dp.starting = true;
	dp.n_pmds_planned = dp_pmds_plan();
	worker_post(dp.worker, worker_job_create_start(&eal));
}

void dp_started(int err, const char *why)
{
	char *error = NULL;

	dp.starting = false;
	if (!err) {
		dp_packets_start();
		err = dp_pmds_start(&error);
	}
	if (err) {
		dp.start_error = error ? error : xstrdup(*why ? why : strerror(-err));
		log_err("DPDK did not start: %s", dp.start_error);
	}
}

bool dp_is_starting(void)
{
	return dp.starting;
}

int dp_start_wait(char **error)
{
	while (dp.starting) {
		dp_ports_run();
		usleep(100);
	}
	if (!dp.start_error)
		return 0;
	*error = xstrdup(dp.start_error);
	return -ENODEV;
}

/* What may be set at the start and while running alike. */
static void take_settings(const struct dp_config *config)
{
	dp.sleep_max_us = config->pmd_sleep_max_us ? config->pmd_sleep_max_us : PMD_SLEEP_MAX_US;
	if (config->pmd_no_sleep)
		dp.sleep_max_us = 0;
	dp.drop_unresolved = config->drop_unresolved;
	dp.no_too_big_answers = config->no_too_big_answers;
	dp_rxqs_configure(config);
}

int dp_init(const struct dp_config *config, struct event_loop *loop, struct xlate_sink *sink,
	char **error)
{
	int err;

	memset(&dp, 0, sizeof dp);
	dp.loop = loop;
	dp.outer_sink = sink;
	dp.cache_entries = config->cache_entries;
	dp.no_caches = config->no_caches;
	take_settings(config);
	dp.pmd_cpu_mask = config->pmd_cpu_mask ? xstrdup(config->pmd_cpu_mask) : NULL;
	dp_cores_init(config->lcore_mask);
	dp.async = event_async_create(loop, on_news, NULL);
	dp.timer = event_timer_create(loop, on_timer, NULL);
	event_timer_start(dp.timer, SWEEP_MS, SWEEP_MS);
	dp.grace_passed = true;
	dp.sweep_due = true;
	dp_ports_init();
	dp_packets_init();
	dp_neigh_init();
	dp.initialized = true;
	err = worker_create(dp.async, &dp.worker);
	if (err) {
		*error = xasprintf("can't start the worker thread: %s", strerror(-err));
		return err;
	}
	post_start(config);
	return 0;
}

void dp_uninit(void)
{
	if (!dp.initialized)
		return;
	dp_underlay_uninit();
	dp_ports_uninit();
	dp_pmds_stop();
	worker_destroy(dp.worker);
	dp_neigh_uninit();
	dp_packets_uninit();
	dp_cores_uninit();
	rcu_synchronize();
	event_timer_destroy(dp.timer);
	event_async_destroy(dp.async);
	free(dp.pmd_cpu_mask);
	free(dp.start_error);
	dp.initialized = false;
}

static bool strings_equal(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

int dp_reconfigure(const struct dp_config *config, char **error)
{
	char *old = dp.pmd_cpu_mask;
	int err;

	take_settings(config);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		atomic_store(&dp.pmds[i]->sleep_max_us, dp.sleep_max_us);
	if (strings_equal(old, config->pmd_cpu_mask) || dp.start_error)
		return 0;
	dp.pmd_cpu_mask = config->pmd_cpu_mask ? xstrdup(config->pmd_cpu_mask) : NULL;
	if (dp.starting) {
		free(old);
		return 0;
	}
	err = dp_pmds_change(error);
	if (err == -EINVAL) {
		free(dp.pmd_cpu_mask);
		dp.pmd_cpu_mask = old;
		return err;
	}
	free(old);
	return err;
}

void dp_hold(bool hold)
{
	dp.hold = hold;
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		atomic_store(&dp.pmds[i]->hold, hold);
		pmd_wake(dp.pmds[i]);
	}
}

bool dp_is_alive(void)
{
	bool alive = true;

	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd *pmd = dp.pmds[i];
		uint64_t turns = stat_get(&pmd->stats.busy_iterations) +
			stat_get(&pmd->stats.idle_iterations);

		if (turns == pmd->seen_turns && !atomic_load(&pmd->asleep))
			alive = false;
		pmd->seen_turns = turns;
	}
	return alive;
}

const char *dp_dpdk_version(void)
{
	return eal_version();
}

bool dp_dpdk_initialized(void)
{
	return eal_started();
}

bool dp_has_hugepages(void)
{
	return eal_has_hugepages();
}

/* ------------------------------------------------------------------ control's turn */

/* Once a round of the sweep has brought the counters up to date that tell who was heard of. */
static void age(int64_t now_ms)
{
	if (!dp.swept)
		return;
	dp.swept = false;
	for (uint32_t id = 0; id < PL_MAX_BRIDGES; id++) {
		struct pl_bridge *bridge = rcu_get(&pipeline.bridges[id]);

		if (bridge)
			fdb_run(bridge->fdb, now_ms);
	}
}

void dp_run(void)
{
	int64_t now_ms = clock_ms();

	if (!dp.initialized)
		return;
	dp_ports_run();
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd *pmd = dp.pmds[i];

		pmd_commands_flush(pmd);
		dp_news_run(pmd);
		if (pmd->n_waiting)
			event_async_send(dp.async);
	}
	dp_neigh_run(now_ms);
	dp_underlay_run(now_ms);
	dp_stats_run();
	age(now_ms);
}

void dp_purge(void)
{
	_Atomic uint32_t left = dp.n_pmds;

	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_command(dp.pmds[i], &(struct command){.type = COMMAND_PURGE, .done = &left});
	dp_commands_wait(&left);
}
