/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/peer_daemon.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "tools/sluice-bench/command.h"
#include "tools/sluice-bench/hugepages.h"
#include "tools/sluice-bench/peer.h"

#define DEBIANS "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define START_S 30
#define PEER_MEMORY_MB 1024

static struct {
	const char *dir;
	const struct target_config *config;
	pid_t database, vswitchd;
} daemons;

char *peer_find_sluiced(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *path;

	if (n > 0) {
		self[n] = '\0';
		path = xasprintf("%s/../sluiced/sluiced", dirname(self));
		if (!access(path, X_OK))
			return path;
		free(path);
	}
	path = xstrdup(SLUICE_BENCH_SBINDIR "/sluiced");
	if (!access(path, X_OK))
		return path;
	free(path);
	return NULL;
}

const char *peer_find(const char *file)
{
	const char *path = file ? file : DEBIANS;

	return access(path, X_OK) ? NULL : path;
}

static int start_database(char **error)
{
	char *schema = xasprintf("%s/conf.db", daemons.dir), *log = xasprintf("%s/ovsdb.log", daemons.dir);
	char *remote = xasprintf("--remote=punix:%s/db.sock", daemons.dir);
	char *argv[] = {"ovsdb-server", schema, remote, NULL};
	int err;

	setenv("OVS_RUNDIR", daemons.dir, 1);
	setenv("OVS_LOGDIR", daemons.dir, 1);
	setenv("OVS_DBDIR", daemons.dir, 1);
	err = command_check(error, "ovsdb-tool create %s %s", schema, SCHEMA);
	if (!err) {
		daemons.database = command_spawn(argv[0], argv, log);
		err = command_check(error, "ovs-vsctl --no-wait --retry --timeout=10 init");
	}
	free(schema);
	free(remote);
	free(log);
	return err;
}

int peer_pmd_core(const struct target_config *config)
{
	return config->core >= 0 ? config->core : (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

static uint64_t peer_memory_mb(void)
{
	return MIN(hugepages_free_mb() * 9 / 10, (uint64_t)PEER_MEMORY_MB);
}

int peer_vswitchd_start(char **error)
{
	char *database = xasprintf("unix:%s/db.sock", daemons.dir);
	char *log = xasprintf("--log-file=%s/vswitchd.log", daemons.dir);
	char *output = xasprintf("%s/vswitchd.out", daemons.dir);
	/* By this name the tools find it. */
	char *argv[] = {"ovs-vswitchd", "--pidfile", log, "-vconsole:off", database, NULL};
	int err;

	daemons.vswitchd = command_spawn(daemons.config->vswitchd, argv, output);
	err = command_check(error, "timeout %d sh -c 'until ovs-appctl version; do sleep 0.1; done'",
		START_S);
	free(output);
	free(log);
	free(database);
	return err;
}

static int start_vswitchd(const char *plugin, char **error)
{
	char *answer = NULL;
	int err;

	err = command_check(error,
		"ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true "
		"other_config:pmd-cpu-mask=%llx other_config:dpdk-socket-mem=%llu "
		"other_config:dpdk-extra='--in-memory --file-prefix=sluice-peer-%ld -a 0000:00:00.0 "
		"--no-telemetry -d %s'",
		1ULL << peer_pmd_core(daemons.config), (unsigned long long)peer_memory_mb(), (long)getpid(), plugin);
	for (unsigned int i = 0; !err && i < daemons.config->n_ovs_configs; i++)
		err = command_check(error, "ovs-vsctl --no-wait set Open_vSwitch . other_config:%s",
			daemons.config->ovs_configs[i]);
	if (!err)
		err = peer_vswitchd_start(error);
	if (!err)
		err = command_check(error, "ovs-vsctl --timeout=%d set Open_vSwitch . external_ids:up=true",
			START_S);
	if (err)
		return err;
	command_run(&answer, "ovs-vsctl get Open_vSwitch . dpdk_initialized");
	if (!answer || !strstr(answer, "true")) {
		*error = xasprintf("the daemon could not start DPDK (%s/vswitchd.log)", daemons.dir);
		err = -EIO;
	}
	free(answer);
	return err;
}

int peer_daemons_start(const struct target_config *config, const char *dir, const char *plugin,
	char **error)
{
	int err;

	daemons.config = config;
	daemons.dir = dir;
	err = start_database(error);
	return err ? err : start_vswitchd(plugin, error);
}

void peer_vswitchd_stop(void)
{
	command_end(daemons.vswitchd);
}

void peer_daemons_stop(void)
{
	command_end(daemons.vswitchd);
	command_end(daemons.database);
}

pid_t peer_vswitchd(void)
{
	return daemons.vswitchd;
}
