/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/peer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "tools/sluice-bench/command.h"
#include "tools/sluice-bench/hugepages.h"
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/stage.h"

#define DEBIANS "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define START_S 30

static struct {
	const struct conf *conf;
	const char *dir;
	pid_t database, vswitchd;
	int pmd_tid;
} peer;

const char *peer_find(const char *file)
{
	const char *path = file ? file : DEBIANS;

	return access(path, X_OK) ? NULL : path;
}

/* ------------------------------------------------------------------ daemons */

static int start_database(char **error)
{
	char *schema = xasprintf("%s/conf.db", peer.dir), *log = xasprintf("%s/ovsdb.log", peer.dir);
	char *remote = xasprintf("--remote=punix:%s/db.sock", peer.dir);
	char *argv[] = {"ovsdb-server", schema, remote, NULL};
	int err;

	setenv("OVS_RUNDIR", peer.dir, 1);
	setenv("OVS_LOGDIR", peer.dir, 1);
	setenv("OVS_DBDIR", peer.dir, 1);
	err = command_check(error, "ovsdb-tool create %s %s", schema, SCHEMA);
	if (!err) {
		peer.database = command_spawn(argv[0], argv, log);
		err = command_check(error, "ovs-vsctl --no-wait --retry --timeout=10 init");
	}
	free(schema);
	free(remote);
	free(log);
	return err;
}

static int last_core(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

static int start_vswitchd(const struct target_config *config, char **error)
{
	char *database = xasprintf("unix:%s/db.sock", peer.dir);
	char *log = xasprintf("--log-file=%s/vswitchd.log", peer.dir);
	char *output = xasprintf("%s/vswitchd.out", peer.dir), *answer = NULL;
	/* By this name the tools find it. */
	char *argv[] = {"ovs-vswitchd", "--pidfile", log, "-vconsole:off", database, NULL};
	int core = config->core >= 0 ? config->core : last_core(), err;

	err = command_check(error,
		"ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true "
		"other_config:pmd-cpu-mask=%llx other_config:dpdk-socket-mem=%llu "
		"other_config:dpdk-extra='--in-memory --file-prefix=sluice-peer-%ld -a 0000:00:00.0 "
		"--no-telemetry'",
		1ULL << core, (unsigned long long)hugepages_free_mb() * 9 / 10, (long)getpid());
	if (!err) {
		peer.vswitchd = command_spawn(config->vswitchd, argv, output);
		err = command_check(error, "timeout %d sh -c 'until ovs-appctl version; do "
			"sleep 0.1; done' && ovs-vsctl --timeout=%d set Open_vSwitch . "
			"external_ids:up=true", START_S, START_S);
	}
	if (!err) {
		command_run(&answer, "ovs-vsctl get Open_vSwitch . dpdk_initialized");
		if (!answer || !strstr(answer, "true")) {
			*error = xasprintf("Open vSwitch could not start DPDK (%s/vswitchd.log)", peer.dir);
			err = -EIO;
		}
	}
	free(answer);
	free(output);
	free(log);
	free(database);
	return err;
}

/* ------------------------------------------------------------------ configuration */

static int add_bridges(char **error)
{
	const struct conf_bridge *bridge;
	int err;

	VEC_FOR_EACH (bridge, &peer.conf->bridges) {
		err = command_check(error,
			"ovs-vsctl --timeout=%d add-br %s -- set bridge %s datapath_type=netdev "
			"fail_mode=secure other_config:hwaddr=%s%s",
			START_S, bridge->name, bridge->name, bridge->mac, "");
		if (!err && bridge->mac_table_size)
			err = command_check(error, "ovs-vsctl set bridge %s other_config:mac-table-size=%u",
				bridge->name, bridge->mac_table_size);
		if (!err && bridge->address)
			err = command_check(error, "ip addr add %s dev %s && ip link set %s up",
				bridge->address, bridge->name, bridge->name);
		if (err)
			return err;
	}
	return 0;
}

static int add_flows(char **error)
{
	const struct conf_bridge *bridge;
	const struct conf_flow *flow;
	int err = 0;

	VEC_FOR_EACH (bridge, &peer.conf->bridges) {
		char *path = xasprintf("%s/%s.flows", peer.dir, bridge->name);
		FILE *file = fopen(path, "we");

		VEC_FOR_EACH (flow, &peer.conf->flows)
			if (file && !strcmp(flow->bridge, bridge->name))
				fprintf(file, "%s\n", flow->text);
		if (file)
			fclose(file);
		err = command_check(error, "ovs-ofctl --bundle -OOpenFlow14 add-flows %s %s", bridge->name,
			path);
		free(path);
		if (err)
			break;
	}
	return err;
}

/* All ports of one kind, in one transaction. */
static int add_ports(bool with_traffic, char **error)
{
	struct sbuf s = SBUF_INITIALIZER;
	const struct conf_port *port;
	int err;

	sbuf_putf(&s, "ovs-vsctl --timeout=%d -- show", 2 * START_S);
	VEC_FOR_EACH (port, &peer.conf->ports) {
		if ((port->role == CONF_SOURCE) != with_traffic)
			continue;
		sbuf_putf(&s, " -- add-port %s %s", port->bridge, port->name);
		if (port->tag >= 0)
			sbuf_putf(&s, " tag=%d", port->tag);
		sbuf_putf(&s, " -- set interface %s type=%s ofport_request=%u", port->name, port->type,
			port->ofport);
		if (port->role != CONF_PLAIN) {
			char *pcap = xasprintf("%s/%s.pcap", peer.dir, port->name);
			char *devargs = conf_devargs(port, pcap);

			sbuf_putf(&s, " options:dpdk-devargs=%s", devargs);
			free(devargs);
			free(pcap);
		}
		for (const char *word = port->options; *word;) {
			size_t len = strcspn(word, " ");

			sbuf_putf(&s, " options:%.*s", (int)len, word);
			word += len + strspn(word + len, " ");
		}
	}
	err = command_check(error, "%s", sbuf_cstr(&s));
	sbuf_uninit(&s);
	return err;
}

static int check_ports(char **error)
{
	const struct conf_port *port;

	VEC_FOR_EACH (port, &peer.conf->ports) {
		char *output = NULL;

		command_run(&output, "ovs-vsctl get interface %s error", port->name);
		if (output && output[0] == '[') {
			free(output);
			continue;
		}
		*error = xasprintf("Open vSwitch: port %s: %s", port->name, output ? output : "?");
		(*error)[strcspn(*error, "\n")] = '\0';
		free(output);
		return -EIO;
	}
	return 0;
}

static int add_neighs(char **error)
{
	const struct conf_neigh *neigh;
	int err = 0;

	VEC_FOR_EACH (neigh, &peer.conf->neighs)
		if (!err)
			err = command_check(error, "ovs-appctl tnl/arp/set %s %s %s", neigh->bridge,
				neigh->address, neigh->mac);
	return err;
}

/* One by one there is no other way; in one shell. */
static int add_stations(char **error)
{
	char *path = xasprintf("%s/stations", peer.dir);
	const struct conf_station *station;
	FILE *file = fopen(path, "we");
	int err;

	VEC_FOR_EACH (station, &peer.conf->stations)
		if (file)
			fprintf(file, "ovs-appctl fdb/add %s %s %u %s || exit 1\n", station->bridge,
				station->port, station->vlan, station->mac);
	if (file)
		fclose(file);
	err = command_check(error, "sh %s", path);
	free(path);
	return err;
}

static int peer_start(struct conf *conf, const struct target_config *config, char **error)
{
	int err;

	peer.conf = conf;
	peer.dir = stage_dir();
	err = start_database(error);
	if (!err)
		err = start_vswitchd(config, error);
	if (!err)
		err = add_bridges(error);
	if (!err)
		err = add_flows(error);
	if (!err)
		err = add_ports(false, error);
	if (!err)
		err = add_neighs(error);
	if (!err)
		err = add_ports(true, error);
	if (!err)
		err = add_stations(error);
	return err ? err : check_ports(error);
}

static void peer_stop(void)
{
	command_end(peer.vswitchd);
	command_end(peer.database);
}

/* ------------------------------------------------------------------ reading */

/* The thread that polls packets. */
static int find_pmd(void)
{
	char *path = xasprintf("/proc/%d/task", (int)peer.vswitchd);
	DIR *dir = opendir(path);
	struct dirent *entry;
	int tid = 0;

	while (dir && !tid && (entry = readdir(dir))) {
		char *comm = xasprintf("%s/%s/comm", path, entry->d_name), name[32] = "";
		FILE *file = fopen(comm, "re");

		if (file && fgets(name, sizeof name, file) && str_starts_with(name, "pmd-"))
			tid = atoi(entry->d_name);
		if (file)
			fclose(file);
		free(comm);
	}
	if (dir)
		closedir(dir);
	free(path);
	return tid;
}

static uint64_t cpu_ns(void)
{
	char *path = xasprintf("/proc/%d/task/%d/schedstat", (int)peer.vswitchd, peer.pmd_tid);
	FILE *file = fopen(path, "re");
	unsigned long long ns = 0;

	if (file && fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	if (file)
		fclose(file);
	free(path);
	return ns;
}

/* The number behind KEY, the first time it stands in TEXT. */
static uint64_t number_after(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static uint64_t sent_by(const struct conf_port *port)
{
	char *output = NULL;
	uint64_t n;

	command_run(&output, "ovs-ofctl dump-ports %s %s", port->bridge, port->name);
	n = number_after(output, "tx pkts=");
	free(output);
	return n;
}

static int peer_read(struct target_reading *reading, char **error)
{
	const struct conf_port *port;
	uint64_t before, after;
	char *output = NULL;
	int64_t wall;

	if (!peer.pmd_tid)
		peer.pmd_tid = find_pmd();
	if (!peer.pmd_tid || !command_runs(peer.vswitchd)) {
		*error = xasprintf("Open vSwitch has no PMD thread or has ended (%s/vswitchd.log)", peer.dir);
		return -ENODEV;
	}
	memset(reading, 0, sizeof *reading);
	before = cpu_ns();
	wall = clock_ns();
	command_run(&output, "ovs-appctl dpif-netdev/pmd-stats-show");
	after = cpu_ns();
	reading->wall_ns = (uint64_t)(wall + (clock_ns() - wall) / 2);
	reading->cpu_ns = before + (after - before) / 2;
	reading->packets = reading->received = number_after(output, "packets received: ");
	reading->victims_in = reading->received;
	reading->misses = number_after(output, "miss with success upcall: ") +
		number_after(output, "miss with failed upcall: ");
	free(output);
	VEC_FOR_EACH (port, &peer.conf->ports)
		if (port->role != CONF_PLAIN)
			target_count_sent(port, sent_by(port), reading);
	return 0;
}

static void peer_version(char *text, size_t size)
{
	char *output = NULL;

	command_run(&output, "ovs-appctl version");
	str_copy(text, output && *output ? output : "Open vSwitch", size);
	text[strcspn(text, "\n")] = '\0';
	free(output);
}

static void peer_order(const struct target_orders *orders)
{
}

static void peer_hold(bool hold)
{
}

static void peer_run(unsigned int ms)
{
	usleep(MAX(ms, 1000u) * 1000);
}

static void peer_watch(bool on)
{
}

static unsigned int peer_samples(const struct conf_port *port, const struct bench_sample **samples)
{
	return 0;
}

static void peer_purge(void)
{
	command_run(NULL, "ovs-appctl revalidator/purge");
}

static uint64_t peer_control_cpu_ns(void)
{
	return 0;
}

static uint64_t peer_memory(void)
{
	return machine_rss_anon(peer.vswitchd);
}

static bool peer_has_hugepages(void)
{
	return true;
}

const struct target target_peer = {
	.start = peer_start,
	.stop = peer_stop,
	.version = peer_version,
	.order = peer_order,
	.hold = peer_hold,
	.run = peer_run,
	.read = peer_read,
	.watch = peer_watch,
	.samples = peer_samples,
	.purge = peer_purge,
	.control_cpu_ns = peer_control_cpu_ns,
	.memory = peer_memory,
	.rundir = stage_dir,
	.has_hugepages = peer_has_hugepages,
};
