/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/dp_private.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "datapath/eal.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"

LOG_MODULE(dpif_netdev);

#define NEWS_A_TURN 256		/* Of each kind from each PMD. */
#define SWEEP_MS 1000

struct dp dp;

/* ------------------------------------------------------------------ PMDs */

/* Cores of MASK (hexadecimal, most significant digit first); n or -EINVAL. */
static int parse_mask(const char *mask, unsigned int cores[PMD_MAX])
{
	size_t len;
	int n = 0;

	if (!strncasecmp(mask, "0x", 2))
		mask += 2;
	len = strlen(mask);
	if (!len)
		return -EINVAL;
	for (size_t i = len; i-- > 0;) {
		int digit = hex_digit(mask[i]);

		if (digit < 0)
			return -EINVAL;
		for (unsigned int bit = 0; bit < 4; bit++)
			if (digit & 1 << bit && n < PMD_MAX)
				cores[n++] = (unsigned int)(len - 1 - i) * 4 + bit;
	}
	return n;
}

/* One PMD on the last core that this process may run on. */
static int default_cores(unsigned int cores[PMD_MAX])
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 0;
	for (unsigned int core = CPU_SETSIZE; core-- > 0;)
		if (CPU_ISSET(core, &set)) {
			cores[0] = core;
			return 1;
		}
	return 0;
}

static int choose_cores(unsigned int cores[PMD_MAX], char **error)
{
	unsigned int wanted[PMD_MAX];
	long n_online = sysconf(_SC_NPROCESSORS_CONF);
	int n = 0, n_wanted;

	if (!dp.pmd_cpu_mask || !*dp.pmd_cpu_mask)
		return default_cores(cores);
	n_wanted = parse_mask(dp.pmd_cpu_mask, wanted);
	if (n_wanted < 0) {
		*error = xasprintf("pmd-cpu-mask \"%s\" is not a hexadecimal number",
			dp.pmd_cpu_mask);
		return -EINVAL;
	}
	for (int i = 0; i < n_wanted; i++) {
		if (wanted[i] < n_online)
			cores[n++] = wanted[i];
		else
			log_warn("pmd-cpu-mask names core %u, which this machine has not", wanted[i]);
	}
	return n ? n : default_cores(cores);
}

static int start_pmds(char **error)
{
	unsigned int cores[PMD_MAX];
	int n = choose_cores(cores, error);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		struct pmd_config config = {
			.core = (int)cores[i],
			.index = (unsigned int)i,
			.cache_entries = dp.cache_entries,
			.sleep_max_us = dp.sleep_max_us,
			.no_caches = dp.no_caches,
			.wake_control = dp.async,
		};
		struct worker_job *job;
		struct pmd *pmd;
		int err = pmd_create(&config, &pmd, error);

		if (!err) {
			err = pmd_start(pmd, error);
			if (err)
				pmd_destroy(pmd);
		}
		if (err)
			return err;
		dp.pmds[dp.n_pmds] = pmd;
		atomic_store(&dp.pmds[dp.n_pmds]->hold, dp.hold);
		dp.n_pmds++;
		job = worker_job_create(WORKER_POPULATE, 0, NULL);
		job->pmd = pmd;
		worker_post(dp.worker, job);
		dp.n_populating++;
		log_info("PMD thread on core %u created", cores[i]);
	}
	log_info("There are %u pmd threads on numa node 0", dp.n_pmds);
	return 0;
}

static void stats_fold(struct pmd_stats *to, const struct pmd_stats *from)
{
	stat_t *t = (stat_t *)to;
	const stat_t *f = (const stat_t *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
		stat_add(&t[i], stat_get(&f[i]));
}

/* Every packet that a PMD still had is on its way or freed, every count taken. */
static void stop_pmds(void)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_stop(dp.pmds[i]);
	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd *pmd = dp.pmds[i];

		while (!pmd_has_ended(pmd)) {
			pmd_commands_flush(pmd);
			dp_news_run(pmd, NEWS_A_TURN);
			usleep(100);
		}
		dp_news_run(pmd, UINT32_MAX);
		dp_sweep_pmd(pmd);
		stats_fold(&dp.gone, &pmd->stats);
	}
	while (dp.n_populating) {
		dp_ports_run();
		usleep(1000);
	}
	dp_ports_forget_pmds();
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_destroy(dp.pmds[i]);
	dp.n_pmds = 0;
	dp.sweeping = false;
}

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

static int start(const struct dp_config *config, char **error)
{
	struct eal_config eal = {
		.extra = config->dpdk_extra,
		.socket_mem = config->socket_mem,
		.lcore_mask = config->lcore_mask,
		.hugepage_dir = config->hugepage_dir,
		.n_mbufs = config->n_mbufs,
	};
	int err = eal_start(&eal, error);

	if (err)
		return err;
	/* PMDs make no pools. */
	if (!eal_mempool(-1)) {
		*error = xasprintf("no memory for packets: give DPDK more (dpdk-socket-mem)");
		return -ENOMEM;
	}
	dp_packets_init();
	return start_pmds(error);
}

int dp_init(const struct dp_config *config, struct event_loop *loop, struct xlate_sink *sink,
	char **error)
{
	int err;

	memset(&dp, 0, sizeof dp);
	dp.loop = loop;
	dp.outer_sink = sink;
	dp.cache_entries = config->cache_entries;
	dp.sleep_max_us = config->pmd_sleep_max_us;
	dp.no_caches = config->no_caches;
	dp.drop_unresolved = config->drop_unresolved;
	dp.no_too_big_answers = config->no_too_big_answers;
	dp.pmd_cpu_mask = config->pmd_cpu_mask ? xstrdup(config->pmd_cpu_mask) : NULL;
	dp.async = event_async_create(loop, on_news, NULL);
	dp.timer = event_timer_create(loop, on_timer, NULL);
	event_timer_start(dp.timer, SWEEP_MS, SWEEP_MS);
	dp.grace_passed = true;
	dp.sweep_due = true;
	dp_ports_init();
	dp_neigh_init();
	dp.initialized = true;
	err = worker_create(dp.async, &dp.worker);
	if (err) {
		*error = xasprintf("can't start the worker thread: %s", strerror(-err));
		return err;
	}
	return start(config, error);
}

void dp_uninit(void)
{
	if (!dp.initialized)
		return;
	dp_underlay_uninit();
	dp_ports_uninit();
	stop_pmds();
	worker_destroy(dp.worker);
	dp_neigh_uninit();
	dp_packets_uninit();
	rcu_synchronize();
	event_timer_destroy(dp.timer);
	event_async_destroy(dp.async);
	free(dp.pmd_cpu_mask);
	dp.initialized = false;
}

static bool strings_equal(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

int dp_reconfigure(const struct dp_config *config, char **error)
{
	unsigned int cores[PMD_MAX];
	char *old = dp.pmd_cpu_mask;
	int err;

	dp.sleep_max_us = config->pmd_sleep_max_us;
	dp.drop_unresolved = config->drop_unresolved;
	dp.no_too_big_answers = config->no_too_big_answers;
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		atomic_store(&dp.pmds[i]->sleep_max_us,
			dp.sleep_max_us ? dp.sleep_max_us : PMD_SLEEP_MAX_US);
	if (strings_equal(old, config->pmd_cpu_mask) || !eal_started())
		return 0;
	dp.pmd_cpu_mask = config->pmd_cpu_mask ? xstrdup(config->pmd_cpu_mask) : NULL;
	err = choose_cores(cores, error);
	if (err < 0) {
		free(dp.pmd_cpu_mask);
		dp.pmd_cpu_mask = old;
		return err;
	}
	free(old);
	stop_pmds();
	err = start_pmds(error);
	dp_ports_attach_all();
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

static void age(int64_t now_ms)
{
	if (now_ms - dp.aged_ms < 1000)
		return;
	dp.aged_ms = now_ms;
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
		dp_news_run(pmd, NEWS_A_TURN);
		if (ring_count(&pmd->news.facts) || ring_count(&pmd->news.packets) || pmd->n_waiting)
			event_async_send(dp.async);
	}
	dp_neigh_run(now_ms);
	dp_underlay_run(now_ms);
	dp_stats_run();
	age(now_ms);
}

void dp_purge(void)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_command(dp.pmds[i], &(struct command){.type = COMMAND_PURGE});
}
