/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "datapath/bench/shared.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "tools/sluice-bench/command.h"
#include "tools/sluice-bench/hugepages.h"
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/stage.h"

#define DEBIANS "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define START_S 30
#define PATIENCE_MS 20000
#define PEER_MEMORY_MB 1024
#define PLUGIN "sluice-bench-plugin.so"

static struct {
	const struct conf *conf;
	const char *dir;
	const struct target_config *config;
	pid_t database, vswitchd;
	bool attack;		/* By the last orders. */
	struct bench_shared *shared;
	VEC(const struct conf_port *) ports;	/* Those of `shared`, in its order. */
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

static int pmd_core(const struct target_config *config)
{
	return config->core >= 0 ? config->core : (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

static uint64_t peer_memory_mb(void)
{
	return MIN(hugepages_free_mb() * 9 / 10, (uint64_t)PEER_MEMORY_MB);
}

static int start_vswitchd(const struct target_config *config, const char *plugin, char **error)
{
	char *database = xasprintf("unix:%s/db.sock", peer.dir);
	char *log = xasprintf("--log-file=%s/vswitchd.log", peer.dir);
	char *output = xasprintf("%s/vswitchd.out", peer.dir), *answer = NULL;
	/* By this name the tools find it. */
	char *argv[] = {"ovs-vswitchd", "--pidfile", log, "-vconsole:off", database, NULL};
	int core = pmd_core(config), err;

	err = command_check(error,
		"ovs-vsctl --no-wait set Open_vSwitch . other_config:dpdk-init=true "
		"other_config:pmd-cpu-mask=%llx other_config:dpdk-socket-mem=%llu "
		"other_config:dpdk-extra='--in-memory --file-prefix=sluice-peer-%ld -a 0000:00:00.0 "
		"--no-telemetry -d %s'",
		1ULL << core, (unsigned long long)peer_memory_mb(), (long)getpid(), plugin);
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

/* A line may be too long for an argument of the shell. */
static int run_script(const char *line, char **error)
{
	char *path = xasprintf("%s/script", peer.dir);
	FILE *file = fopen(path, "we");
	int err;

	if (file) {
		fprintf(file, "%s\n", line);
		fclose(file);
	}
	err = command_check(error, "sh %s", path);
	free(path);
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
	err = run_script(sbuf_cstr(&s), error);
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

/* ------------------------------------------------------------------ generator and far side inside it */

/* Beside this program, or where it is installed. Caller frees; NULL: nowhere. */
static char *find_plugin(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *path;

	if (n > 0) {
		self[n] = '\0';
		path = xasprintf("%s/%s", dirname(self), PLUGIN);
		if (!access(path, R_OK))
			return path;
		free(path);
	}
	path = xasprintf("%s/%s", SLUICE_BENCH_LIBDIR, PLUGIN);
	if (!access(path, R_OK))
		return path;
	free(path);
	return NULL;
}

static int make_shared(char **error)
{
	char *path = xasprintf("%s/shared", peer.dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const struct conf_port *port;
	void *at = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, sizeof *peer.shared))
		at = mmap(NULL, sizeof *peer.shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (at == MAP_FAILED) {
		*error = xasprintf("can't share %s: %s", path, strerror(errno));
		free(path);
		return -EIO;
	}
	setenv(BENCH_SHARED_ENV, path, 1);
	free(path);
	peer.shared = at;
	peer.shared->magic = BENCH_SHARED_MAGIC;
	peer.shared->size = sizeof *peer.shared;
	peer.shared->pmd_core = pmd_core(peer.config);
	VEC_FOR_EACH (port, &peer.conf->ports) {
		struct bench_shared_port *shared = &peer.shared->ports[peer.ports.n];
		char *device;

		if (port->role == CONF_PLAIN)
			continue;
		if (peer.ports.n == BENCH_SHARED_PORTS)
			fatal("too many ports with traffic");
		device = conf_device(port);
		str_copy(shared->device, device, sizeof shared->device);
		free(device);
		shared->is_source = port->role == CONF_SOURCE;
		shared->control.hold = true;
		vec_push(&peer.ports, port);
	}
	peer.shared->n_ports = (unsigned int)peer.ports.n;
	return 0;
}

/* Waits until IS_SO says so of all ports with traffic. */
static int wait_for(bool (*is_so)(size_t i), const char *what, char **error)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	for (size_t i = 0; i < peer.ports.n; i++)
		while (!is_so(i)) {
			if (clock_ms() > deadline || !command_runs(peer.vswitchd)) {
				*error = xasprintf("Open vSwitch: port %s: %s (%s/vswitchd.log)",
					peer.ports.items[i]->name, what, peer.dir);
				return -ETIMEDOUT;
			}
			usleep(200);
		}
	return 0;
}

static bool is_ready(size_t i)
{
	return peer.shared->ports[i].is_ready;
}

static bool has_heard(size_t i)
{
	return !peer.shared->ports[i].is_source ||
		bench_order_heard(&peer.shared->ports[i].control);
}

static uint32_t polls_before[BENCH_SHARED_PORTS];

static bool has_come_to_rest(size_t i)
{
	return !peer.shared->ports[i].is_source ||
		peer.shared->ports[i].control.held_polls - polls_before[i] >= 3;
}

static void peer_order(const struct target_orders *orders)
{
	char *error;

	peer.attack = orders->attack;
	for (size_t i = 0; i < peer.ports.n; i++) {
		struct bench_orders bench;

		if (peer.ports.items[i]->role != CONF_SOURCE)
			continue;
		target_bench_orders(peer.conf, peer.ports.items[i], peer.config->max_frames, orders,
			&bench);
		bench_order(&peer.shared->ports[i].control, &bench);
	}
	if (wait_for(has_heard, "is not polled", &error))
		fatal("%s", error);
}

static void peer_hold(bool hold)
{
	char *error;

	for (size_t i = 0; i < peer.ports.n; i++) {
		polls_before[i] = peer.shared->ports[i].control.held_polls;
		peer.shared->ports[i].control.hold = hold;
	}
	if (hold && wait_for(has_come_to_rest, "does not come to rest", &error))
		fatal("%s", error);
}

static void peer_run(unsigned int ms)
{
	usleep(ms * 1000);
}

static bool has_answered(size_t i)
{
	return peer.shared->answered == peer.shared->asked;
}

static int peer_read(struct target_reading *reading, char **error)
{
	const struct bench_shared_moment *m = &peer.shared->moment;
	int err;

	memset(reading, 0, sizeof *reading);
	peer.shared->asked++;
	err = wait_for(has_answered, "no counts come from inside", error);
	if (err)
		return err;
	reading->cpu_ns = m->cpu_ns;
	reading->wall_ns = (uint64_t)clock_ns();
	for (size_t i = 0; i < peer.ports.n; i++) {
		const struct conf_port *port = peer.ports.items[i];

		if (port->role == CONF_SOURCE)
			target_count_source(port, m->taken[i], m->lost[i], m->streams[i][0],
				peer.attack, reading);
		target_count_sent(port, m->sent[i], reading);
	}
	reading->packets = reading->received;
	return 0;
}

static void peer_watch(bool samples, bool latency)
{
	for (size_t i = 0; i < peer.ports.n; i++)
		bench_watch_begin(&peer.shared->ports[i].watch, samples, latency);
}

static const struct bench_watch *peer_watched(const struct conf_port *port)
{
	for (size_t i = 0; i < peer.ports.n; i++)
		if (peer.ports.items[i] == port)
			return &peer.shared->ports[i].watch;
	return NULL;
}

/* ------------------------------------------------------------------ life */

static int start_daemons(char **error)
{
	char *plugin = find_plugin();
	int err;

	if (!plugin) {
		*error = xasprintf("%s, the generator for peers, is not there", PLUGIN);
		return -ENOENT;
	}
	err = start_database(error);
	if (!err)
		err = start_vswitchd(peer.config, plugin, error);
	free(plugin);
	return err;
}

static int peer_start(struct conf *conf, const struct target_config *config, char **error)
{
	int err;

	peer.conf = conf;
	peer.config = config;
	peer.dir = stage_dir();
	err = make_shared(error);
	if (!err)
		err = start_daemons(error);
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
	if (!err)
		err = check_ports(error);
	return err ? err : wait_for(is_ready, "the generator is not in it", error);
}

static void peer_stop(void)
{
	command_end(peer.vswitchd);
	command_end(peer.database);
}

static void peer_version(char *text, size_t size)
{
	char *output = NULL;

	command_run(&output, "ovs-appctl version");
	str_copy(text, output && *output ? output : "Open vSwitch", size);
	text[strcspn(text, "\n")] = '\0';
	free(output);
}

/* The number behind KEY, the first time it stands in TEXT. */
static uint64_t number_after(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void peer_purge(void)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	char *output = NULL;
	uint64_t n;

	command_run(NULL, "ovs-appctl revalidator/purge");
	do {
		command_run(&output, "ovs-appctl upcall/show");
		n = number_after(output, "(current ");
		free(output);
	} while (n && clock_ms() < deadline && !usleep(50000));
}

/* CPU time of the process, from the clock the kernel gives each. */
static uint64_t process_cpu_ns(pid_t pid)
{
	clockid_t clock = (clockid_t)((~(unsigned int)pid << 3) | 2);
	struct timespec now;

	if (clock_gettime(clock, &now))
		return 0;
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t peer_control_cpu_ns(void)
{
	struct target_reading reading;
	char *error = NULL;
	uint64_t all;

	if (peer_read(&reading, &error)) {
		free(error);
		return 0;
	}
	all = process_cpu_ns(peer.vswitchd);
	return all - reading.cpu_ns - peer.shared->moment.own_cpu_ns;
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
	.watched = peer_watched,
	.purge = peer_purge,
	.control_cpu_ns = peer_control_cpu_ns,
	.memory = peer_memory,
	.rundir = stage_dir,
	.has_hugepages = peer_has_hugepages,
};
