/* SPDX-License-Identifier: Apache-2.0 */
/* Cores: those of the PMDs, and those left to all other threads. */
#include "datapath/dp_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

LOG_MODULE(dpif_netdev);

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

int dp_cores_choose(unsigned int cores[PMD_MAX], char **error)
{
	unsigned int wanted[PMD_MAX];
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
