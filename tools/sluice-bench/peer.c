/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
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
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/peer_daemon.h"
#include "tools/sluice-bench/peer_setup.h"
#include "tools/sluice-bench/stage.h"

#define START_S 30
#define PATIENCE_MS 20000
#define PLUGIN "sluice-bench-plugin.so"

static struct {
	const struct conf *conf;
	const char *dir;
	const struct target_config *config;
	bool attack;		/* By the last orders. */
	struct bench_shared *shared;
	VEC(const struct conf_port *) ports;	/* Those of `shared`, in its order. */
} peer;

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
	peer.shared->pmd_core = peer_pmd_core(peer.config);
	VEC_FOR_EACH (port, &peer.conf->ports) {
		struct bench_shared_port *shared = &peer.shared->ports[peer.ports.n];
		char *device;

		if (!conf_port_carries(port))
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
			if (clock_ms() > deadline || !command_runs(peer_vswitchd())) {
				*error = xasprintf("port %s: %s (%s/vswitchd.log)",
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
	err = peer_daemons_start(peer.config, peer.dir, plugin, error);
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
		err = peer_setup_switch(conf, peer.dir, error);
	if (!err)
		err = peer_setup_traffic(conf, peer.dir, error);
	return err ? err : wait_for(is_ready, "the generator is not in it", error);
}

static uint64_t packets_out(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < peer.ports.n; i++)
		n += peer.shared->ports[i].watch.packets;
	return n;
}

struct gap {
	_Atomic bool stop;
	_Atomic int64_t longest_us;
};

/* The longest time in which nothing went out. */
static void *gap_main(void *aux)
{
	struct gap *gap = aux;
	uint64_t seen = packets_out();
	int64_t last = clock_us();

	while (!gap->stop) {
		uint64_t now_out = packets_out();
		int64_t now = clock_us();

		if (now_out != seen) {
			gap->longest_us = MAX(now - last, gap->longest_us);
			last = now;
			seen = now_out;
		}
		usleep(200);
	}
	return NULL;
}

/* As ovs-ctl does it: flows are saved before, and loaded while flow-restore-wait holds packets back. */
static int restart_daemon(char **error)
{
	const struct conf_bridge *bridge;
	int err = 0;

	VEC_FOR_EACH (bridge, &peer.conf->bridges)
		if (!err)
			err = command_check(error, "ovs-ofctl -OOpenFlow14 --no-names --no-stats dump-flows %s | "
				"sed '/_FLOW/d' >%s/saved.%s", bridge->name, peer.dir, bridge->name);
	if (!err)
		err = command_check(error,
			"ovs-vsctl --no-wait set Open_vSwitch . other_config:flow-restore-wait=true");
	peer_vswitchd_stop();
	for (size_t i = 0; i < peer.ports.n; i++)
		peer.shared->ports[i].is_ready = false;
	if (!err)
		err = peer_vswitchd_start(error);
	VEC_FOR_EACH (bridge, &peer.conf->bridges)
		if (!err)
			err = command_check(error, "timeout %d sh -c 'until [ -S %s/%s.mgmt ]; do sleep 0.02; "
				"done' && ovs-ofctl --bundle -OOpenFlow14 add-flows %s %s/saved.%s", START_S,
				peer.dir, bridge->name, bridge->name, peer.dir, bridge->name);
	if (!err)
		err = command_check(error, "ovs-vsctl --timeout=%d remove Open_vSwitch . other_config "
			"flow-restore-wait", START_S);
	return err ? err : wait_for(is_ready, "did not come back", error);
}

int peer_restart(double *gap_ms, char **error)
{
	struct gap gap = {0};
	pthread_t thread;
	uint64_t out;
	int err;

	peer_hold(false);
	if (pthread_create(&thread, NULL, gap_main, &gap))
		fatal("can't make a thread");
	usleep(100000);
	err = restart_daemon(error);
	out = packets_out();
	for (int i = 0; !err && i < START_S * 100 && packets_out() < out + 1000; i++)
		usleep(10000);
	gap.stop = true;
	pthread_join(thread, NULL);
	*gap_ms = (double)gap.longest_us / 1e3;
	if (!err)
		peer_hold(true);
	return err;
}

static void peer_stop(void)
{
	peer_daemons_stop();
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

static int peer_set_passing(bool there, char **error)
{
	return peer_setup_passing(peer.conf, peer.dir, there, error);
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
	all = process_cpu_ns(peer_vswitchd());
	return all - reading.cpu_ns - peer.shared->moment.own_cpu_ns;
}

static uint64_t peer_memory(void)
{
	return machine_rss_anon(peer_vswitchd());
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
	.set_passing = peer_set_passing,
	.purge = peer_purge,
	.control_cpu_ns = peer_control_cpu_ns,
	.memory = peer_memory,
	.rundir = stage_dir,
	.has_hugepages = peer_has_hugepages,
};
