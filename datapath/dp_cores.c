/* SPDX-License-Identifier: Apache-2.0 */
/* Cores: those of the PMDs, and those left to all other threads. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

LOG_MODULE(dpif_netdev);

/* Of its core's time: a PMD that takes less may float, one that takes more is bound. Beside another busy thread it gets
 * half, and is better off elsewhere. */
#define FLOAT_BELOW_PERCENT 55
#define BIND_ABOVE_PERCENT 60
#define MEASURE_MS 500

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

static bool is_there(unsigned int core)
{
	return (long)core < sysconf(_SC_NPROCESSORS_CONF);
}

void dp_cores_init(const char *lcore_mask)
{
	unsigned int cores[PMD_MAX];
	cpu_set_t lcores;
	int n = lcore_mask ? parse_mask(lcore_mask, cores) : 0;

	if (sched_getaffinity(0, sizeof dp.allowed, &dp.allowed))
		CPU_ZERO(&dp.allowed);
	CPU_ZERO(&lcores);
	for (int i = 0; i < n; i++)
		if (is_there(cores[i]))
			CPU_SET(cores[i], &lcores);
	dp.home = CPU_COUNT(&lcores) ? lcores : dp.allowed;
}

void dp_cores_uninit(void)
{
	if (CPU_COUNT(&dp.allowed))
		sched_setaffinity(0, sizeof dp.allowed, &dp.allowed);
}

/* One PMD on the last core that this process may run on. */
static int default_cores(unsigned int cores[PMD_MAX])
{
	for (unsigned int core = CPU_SETSIZE; core-- > 0;)
		if (CPU_ISSET(core, &dp.allowed)) {
			cores[0] = core;
			return 1;
		}
	return 0;
}

static bool is_mask_set(void)
{
	return dp.pmd_cpu_mask && *dp.pmd_cpu_mask;
}

int dp_cores_choose(unsigned int cores[PMD_MAX], char **error)
{
	unsigned int wanted[PMD_MAX];
	int n = 0, n_wanted;

	if (!is_mask_set())
		return default_cores(cores);
	n_wanted = parse_mask(dp.pmd_cpu_mask, wanted);
	if (n_wanted < 0) {
		*error = xasprintf("pmd-cpu-mask \"%s\" is not a hexadecimal number",
			dp.pmd_cpu_mask);
		return -EINVAL;
	}
	for (int i = 0; i < n_wanted; i++) {
		if (is_there(wanted[i]))
			cores[n++] = wanted[i];
		else
			log_warn("pmd-cpu-mask names core %u, which this machine has not", wanted[i]);
	}
	return n ? n : default_cores(cores);
}

void dp_cores_leave_to_pmds(void)
{
	cpu_set_t rest = dp.home;

	for (unsigned int i = 0; i < dp.n_pmds; i++)
		if (dp.pmds[i]->core >= 0)
			CPU_CLR((unsigned int)dp.pmds[i]->core, &rest);
	if (!CPU_COUNT(&rest))
		rest = dp.home;
	if (!CPU_COUNT(&rest))
		return;
	if (sched_setaffinity(0, sizeof rest, &rest))
		log_warn("control can't leave the PMDs' cores: %s", strerror(errno));
	worker_run_on(dp.worker, &rest);
}

int dp_core_numa(unsigned int core)
{
	char path[64];

	for (int node = 0; node < 64; node++) {
		snprintf(path, sizeof path, "/sys/devices/system/node/node%d/cpu%u", node, core);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

/* ------------------------------------------------------------------ floating */

static bool is_running(const struct pmd *pmd)
{
	return stat_get(&pmd->stats.idle_iterations) + stat_get(&pmd->stats.busy_iterations) > 0;
}

/* The PMD's thread's CPU time since it was last asked for, in percent; negative: too short ago. */
static int measure_percent(struct pmd *pmd, int64_t now_ms)
{
	int64_t ms = now_ms - pmd->cpu_seen_ms;
	uint64_t ns, used;
	struct timespec t;
	clockid_t clock;

	if (ms < MEASURE_MS || pthread_getcpuclockid(pmd->thread, &clock) ||
		clock_gettime(clock, &t))
		return -1;
	ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	used = ns - pmd->cpu_seen_ns;
	pmd->cpu_seen_ns = ns;
	pmd->cpu_seen_ms = now_ms;
	return (int)(used / 10000 / (uint64_t)ms);
}

static bool is_to_float(struct pmd *pmd, int64_t now_ms)
{
	int percent = measure_percent(pmd, now_ms);

	if (percent < 0)
		return pmd->floats;
	return percent < (pmd->floats ? BIND_ABOVE_PERCENT : FLOAT_BELOW_PERCENT);
}

/* Its memory is where its core is. */
static void let_float(struct pmd *pmd, bool floats)
{
	cpu_set_t set;

	if (floats == pmd->floats || pmd->core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned int)pmd->core, &set);
	for (unsigned int core = 0; floats && core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &dp.allowed) && dp_core_numa(core) == pmd->numa)
			CPU_SET(core, &set);
	if (pthread_setaffinity_np(pmd->thread, sizeof set, &set))
		return;
	pmd->floats = floats;
	log_dbg("PMD thread of core %d %s", pmd->core, floats ? "may run on others" : "is bound to it");
}

void dp_cores_run(int64_t now_ms)
{
	bool may = !is_mask_set() && dp.sleep_max_us && !dp_rxqs_need_cores();

	for (unsigned int i = 0; i < dp.n_pmds; i++) {
		struct pmd *pmd = dp.pmds[i];

		/* It binds itself as it starts. */
		if (is_running(pmd))
			let_float(pmd, may && is_to_float(pmd, now_ms));
	}
}
