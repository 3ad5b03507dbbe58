/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/eal.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_version.h>

#include "datapath/eal_args.h"
#include "datapath/eal_log.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/packet.h"
#include "lib/util.h"

LOG_MODULE(dpdk);

#define MAX_NUMA 8
#define N_MBUFS_HUGE 32767
#define N_MBUFS_ORDINARY 16383
#define N_MBUFS_MIN 2047
/* Mbuf, private area, buffer and mempool's own header, rounded up. */
#define MBUF_BYTES (128 + sizeof(struct packet) + EAL_HEADROOM + EAL_DATA_ROOM + 128)
/* Devices' rings, hash tables and EAL's own needs. */
#define SPARE_MB 256
/* Less than this in free hugepages and ordinary memory is the better choice. */
#define HUGE_MIN_MB 96

enum eal_state {
	EAL_NOT_STARTED,
	EAL_RUNNING,
	EAL_FAILED
};

static _Atomic enum eal_state state; /* Written last, by whoever starts. */
static struct eal_args args; /* EAL keeps pointers into the words. */
static bool hugepages;
static unsigned int wanted_mbufs;
static struct rte_mempool *pools[MAX_NUMA];
static pthread_mutex_t pools_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Free hugepages of all sizes in MB, of those sizes that could hold anything. */
static uint64_t free_hugepages_mb(void)
{
	static const char base[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(base);
	uint64_t total = 0;
	struct dirent *entry;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		unsigned long kb, n = 0;
		char path[sizeof base + sizeof entry->d_name + 32];
		FILE *file;

		if (sscanf(entry->d_name, "hugepages-%lukB", &kb) != 1)
			continue;
		snprintf(path, sizeof path, "%s/%s/free_hugepages", base, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%lu", &n) != 1)
			n = 0;
		fclose(file);
		total += (uint64_t)n * kb / 1024;
	}
	closedir(dir);
	return total;
}

/* The lowest CPU that the process may use. */
static int first_cpu(const cpu_set_t *set)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			return cpu;
	return 0;
}

static void add_memory_args(const struct eal_config *config, const char *prefix)
{
	bool in_memory = !config->hugepage_dir && !eal_args_has(&args, "huge-dir");

	if (!hugepages) {
		unsigned int n = wanted_mbufs ? wanted_mbufs : N_MBUFS_ORDINARY;

		if (!eal_args_has(&args, "no-huge"))
			eal_args_add(&args, "--no-huge");
		if (!eal_args_has(&args, "m"))
			eal_args_addf(&args, "-m%u",
				(unsigned int)(n * MBUF_BYTES / (1024 * 1024)) + SPARE_MB);
		if (!eal_args_has(&args, "no-shconf"))
			eal_args_add(&args, "--no-shconf");
	} else {
		if (in_memory && !eal_args_has(&args, "in-memory"))
			eal_args_add(&args, "--in-memory");
		if (!in_memory && !eal_args_has(&args, "huge-unlink"))
			eal_args_add(&args, "--huge-unlink");
		if (config->hugepage_dir)
			eal_args_addf(&args, "--huge-dir=%s", config->hugepage_dir);
		if (config->socket_mem && config->socket_mem[0] &&
			!eal_args_has(&args, "socket-mem"))
			eal_args_addf(&args, "--socket-mem=%s", config->socket_mem);
	}
	if (!eal_args_has(&args, "file-prefix"))
		eal_args_addf(&args, "--file-prefix=%s", prefix);
}

static void add_default_args(const struct eal_config *config, int cpu, const char *prefix)
{
	add_memory_args(config, prefix);
	if (!eal_args_has(&args, "a") && !eal_args_has(&args, "b") &&
		!eal_args_has(&args, "no-pci"))
		eal_args_add(&args, "-a0000:00:00.0");
	if (!eal_args_has(&args, "no-telemetry") && !eal_args_has(&args, "telemetry"))
		eal_args_add(&args, "--no-telemetry");
	if (!eal_args_has(&args, "l") && !eal_args_has(&args, "c") &&
		!eal_args_has(&args, "lcores")) {
		if (config->lcore_mask && config->lcore_mask[0])
			eal_args_addf(&args, "-c%s", config->lcore_mask);
		else
			eal_args_addf(&args, "--lcores=0@%d", cpu);
	}
}

/* EAL makes this directory even when it keeps nothing there. */
static void remove_runtime_dir(const char *prefix)
{
	char *dir = xasprintf("/var/run/dpdk/%s", prefix);

	rmdir(dir);
	free(dir);
}

static bool decide_hugepages(void)
{
	uint64_t mb;

	if (eal_args_has(&args, "no-huge"))
		return false;
	if (eal_args_has(&args, "in-memory") || eal_args_has(&args, "huge-dir"))
		return true;
	mb = free_hugepages_mb();
	if (mb >= HUGE_MIN_MB)
		return true;
	log_warn("only %llu MB of hugepages are free: using ordinary memory, which costs speed "
		 "(for hugepages: sysctl vm.nr_hugepages=256, and start again)",
		(unsigned long long)mb);
	return false;
}

static void log_args(void)
{
	char *text = eal_args_join(&args);

	log_info("EAL ARGS: %s", text);
	free(text);
}

int eal_start(const struct eal_config *config, char **error)
{
	static char *argv[EAL_ARGS_MAX + 1];
	cpu_set_t affinity;
	char prefix[32];
	int err;

	if (state == EAL_RUNNING)
		return 0;
	if (state == EAL_FAILED) {
		*error = xstrdup("DPDK failed to start earlier; restart the daemon to try again");
		return -EALREADY;
	}
	eal_args_init(&args);
	err = eal_args_parse(&args, config->extra, error);
	if (err) {
		eal_args_uninit(&args);
		return err;
	}
	hugepages = decide_hugepages();
	wanted_mbufs = config->n_mbufs;
	if (sched_getaffinity(0, sizeof affinity, &affinity))
		CPU_ZERO(&affinity);
	snprintf(prefix, sizeof prefix, "sluice-%ld", (long)getpid());
	add_default_args(config, first_cpu(&affinity), prefix);
	log_args();

	/* EAL writes into its argv. */
	memcpy(argv, args.argv, sizeof argv);
	eal_log_redirect();
	eal_log_forget();
	if (rte_eal_init(args.argc, argv) < 0) {
		err = rte_errno ? -rte_errno : -EIO;
		state = EAL_FAILED;
		*error =
			xasprintf("DPDK failed to start (%s): %s", strerror(-err), eal_log_error());
	} else {
		state = EAL_RUNNING;
	}
	remove_runtime_dir(prefix);
	if (CPU_COUNT(&affinity))
		sched_setaffinity(0, sizeof affinity, &affinity);
	if (state != EAL_RUNNING)
		eal_args_uninit(&args);
	return err;
}

bool eal_started(void)
{
	return state == EAL_RUNNING;
}

bool eal_has_hugepages(void)
{
	return state == EAL_RUNNING && hugepages;
}

const char *eal_version(void)
{
	return rte_version();
}

struct rte_mempool *eal_mempool_create(const char *name, unsigned int n, int numa)
{
	unsigned int cache = n >= 4096 ? 256 : 0;

	return rte_pktmbuf_pool_create(name, n, cache,
		RTE_ALIGN(sizeof(struct packet), RTE_MBUF_PRIV_ALIGN), EAL_HEADROOM + EAL_DATA_ROOM,
		numa < 0 ? SOCKET_ID_ANY : numa);
}

/* As large as memory allows. */
static struct rte_mempool *pool_create_adaptive(int numa)
{
	unsigned int n = wanted_mbufs;

	if (!n)
		n = hugepages ? N_MBUFS_HUGE : N_MBUFS_ORDINARY;
	for (;;) {
		char name[RTE_MEMPOOL_NAMESIZE];
		struct rte_mempool *pool;

		snprintf(name, sizeof name, "packets_%d_%u", numa, n);
		pool = eal_mempool_create(name, n, numa);
		if (pool) {
			log_info("%u packet buffers on NUMA node %d", n, numa);
			return pool;
		}
		if (n <= N_MBUFS_MIN)
			break;
		n = MAX(n / 2, (unsigned int)N_MBUFS_MIN);
	}
	log_err("no memory for packet buffers on NUMA node %d: %s", numa, rte_strerror(rte_errno));
	return NULL;
}

struct rte_mempool *eal_mempool(int numa)
{
	struct rte_mempool *pool;

	if (state != EAL_RUNNING)
		return NULL;
	if (numa < 0 || numa >= MAX_NUMA || !hugepages)
		numa = 0;
	pthread_mutex_lock(&pools_mutex);
	if (!pools[numa]) {
		pools[numa] = pool_create_adaptive(numa);
		/* A far pool is better than none. */
		for (int i = 0; !pools[numa] && i < MAX_NUMA; i++)
			pools[numa] = pools[i];
	}
	pool = pools[numa];
	pthread_mutex_unlock(&pools_mutex);
	return pool;
}
