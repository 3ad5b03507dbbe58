/* SPDX-License-Identifier: Apache-2.0 */
/* The set of PMDs: start and stop, and how it changes under traffic. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <unistd.h>

#include "datapath/eal.h"
#include "lib/log.h"

LOG_MODULE(dpif_netdev);

/* ------------------------------------------------------------------ one of them */

static int add_pmd(unsigned int core, char **error)
{
	struct pmd_config config = {
		.core = (int)core,
		.cache_entries = dp.cache_entries,
		.sleep_max_us = dp.sleep_max_us,
		.no_caches = dp.no_caches,
		.wake_control = dp.async,
	};
	struct worker_job *job;
	struct pmd *pmd;
	int err = pmd_create(&config, &pmd, error);

	if (err)
		return err;
	atomic_store(&pmd->hold, dp.hold);
	pmd->numa = dp_core_numa(core);
	err = pmd_start(pmd, error);
	if (err) {
		pmd_destroy(pmd);
		return err;
	}
	dp.pmd_loads[dp.n_pmds] = (struct dp_load){0};
	dp.pmds[dp.n_pmds++] = pmd;
	job = worker_job_create(WORKER_POPULATE, 0, NULL);
	job->pmd = pmd;
	worker_post(dp.worker, job);
	dp.n_populating++;
	log_info("PMD thread on core %u created", core);
	return 0;
}

static void stats_fold(struct pmd_stats *to, const struct pmd_stats *from)
{
	stat_t *t = (stat_t *)to;
	const stat_t *f = (const stat_t *)from;

	for (size_t i = 0; i < sizeof *to / sizeof *t; i++)
		stat_add(&t[i], stat_get(&f[i]));
}

/* Waits for the thread; every packet that it still had is on its way or freed, every count taken. */
static void join_pmd(struct pmd *pmd)
{
	while (!pmd_has_ended(pmd)) {
		pmd_commands_flush(pmd);
		dp_news_run(pmd);
		usleep(100);
	}
	dp_news_run_last(pmd);
	dp_sweep_pmd(pmd);
	stats_fold(&dp.gone, &pmd->stats);
	log_info("PMD thread on core %d destroyed", pmd->core);
}

/* The worker still fills memory of PMDs that are to go. */
static void wait_for_populating(void)
{
	while (dp.n_populating) {
		dp_ports_run();
		usleep(1000);
	}
}

/* The last one takes the place of number I, whose thread has ended. */
static void forget_pmd(unsigned int i)
{
	struct pmd *pmd = dp.pmds[i];
	unsigned int last = --dp.n_pmds;

	dp_ports_forget_pmd(i, last);
	dp.pmds[i] = dp.pmds[last];
	dp.pmd_loads[i] = dp.pmd_loads[last];
	dp.pmds[last] = NULL;
	dp.sweeping = false;
	pmd_destroy(pmd);
}

/* ------------------------------------------------------------------ all of them */

static void log_number(void)
{
	for (int numa = 0; numa < 64; numa++) {
		unsigned int n = 0;

		for (unsigned int i = 0; i < dp.n_pmds; i++)
			n += dp.pmds[i]->numa == numa;
		if (n)
			log_info("There are %u pmd threads on numa node %d", n, numa);
	}
}

unsigned int dp_pmds_plan(void)
{
	unsigned int cores[PMD_MAX];
	char *error = NULL;
	int n = dp_cores_choose(cores, &error);

	free(error);
	return n > 0 ? (unsigned int)n : 0;
}

int dp_pmds_start(char **error)
{
	unsigned int cores[PMD_MAX];
	int n = dp_cores_choose(cores, error), err = 0;

	for (int i = 0; i < n && !err; i++)
		err = add_pmd(cores[i], error);
	if (n < 0 || err)
		return n < 0 ? n : err;
	dp_cores_leave_to_pmds();
	log_number();
	return 0;
}

void dp_pmds_stop(void)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		pmd_stop(dp.pmds[i]);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		join_pmd(dp.pmds[i]);
	wait_for_populating();
	while (dp.n_pmds)
		forget_pmd(dp.n_pmds - 1);
}

static bool has_core(const unsigned int *cores, int n, int core)
{
	for (int i = 0; i < n; i++)
		if ((int)cores[i] == core)
			return true;
	return false;
}

static bool has_pmd(unsigned int core)
{
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		if (dp.pmds[i]->core == (int)core)
			return true;
	return false;
}

/* Those that stay go on; the new ones come first, then queues move over, then the others end. */
int dp_pmds_change(char **error)
{
	unsigned int cores[PMD_MAX];
	bool leaves[PMD_MAX] = {false};
	int n = dp_cores_choose(cores, error), err = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n && !err; i++)
		if (!has_pmd(cores[i]) && dp.n_pmds < PMD_MAX) {
			err = add_pmd(cores[i], error);
			if (!err)
				dp_ports_attach_pmd(dp.n_pmds - 1);
		}
	if (err)
		return err;
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		leaves[i] = !has_core(cores, n, dp.pmds[i]->core);
	dp_rxqs_assign(leaves);
	for (unsigned int i = 0; i < dp.n_pmds; i++)
		if (leaves[i])
			pmd_stop(dp.pmds[i]);
	for (unsigned int i = dp.n_pmds; i-- > 0;)
		if (leaves[i]) {
			join_pmd(dp.pmds[i]);
			wait_for_populating();
			forget_pmd(i);
		}
	dp_cores_leave_to_pmds();
	log_number();
	return 0;
}
