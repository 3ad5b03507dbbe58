/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/rcu.h"
#include "tools/sluice-bench/hugepages.h"
#include "tools/sluice-bench/lab_json.h"
#include "tools/sluice-bench/machine.h"
#include "tools/sluice-bench/stage.h"
#include "tools/sluiced/config_json.h"
#include "tools/sluiced/reconcile.h"
#include "tunnel/route.h"

#define MBUFS_BESIDES_FRAMES 16384
#define SETTLE_MS 60000

struct lab_source {
	const struct conf_port *port;
	struct bench_control *control;
	struct bench_source *source;
};

struct lab_watch {
	const struct conf_port *port;
	struct bench_watch *watch;
	struct bench_probe *probe;
};

static struct {
	struct conf *conf;
	const struct target_config *config;
	struct event_loop *loop;
	bool attack;		/* By the last orders. */
	VEC(struct lab_source) sources;
	VEC(struct lab_watch) watches;
} lab;

/* ------------------------------------------------------------------ the switch */

/* As sluiced's turn. */
static void on_turn(void *aux)
{
	dp_run();
	reconcile_run();
	ofproto_run_all();
	rcu_reclaim();
}

static void lab_run(unsigned int ms)
{
	int64_t end = clock_ms() + ms, left;

	while ((left = end - clock_ms()) > 0)
		event_run_once(lab.loop, (int)MIN(left, (int64_t)20));
}

static int check_memory(unsigned int n_mbufs, char **error)
{
	uint64_t have, need = hugepages_needed_mb(n_mbufs);

	if (lab.config->ordinary_memory)
		return 0;
	have = hugepages_free_mb();
	if (!have || have >= need)
		return 0;
	*error = xasprintf("%llu MB of hugepages are free, %llu are needed: sysctl vm.nr_hugepages=%llu, "
		"or fewer --frames", (unsigned long long)have, (unsigned long long)need,
		(unsigned long long)(need / 2 + 1));
	return -ENOMEM;
}

static int start_datapath(char **error)
{
	struct dp_config config = {
		.dpdk_extra = lab.config->ordinary_memory ? "--no-huge" : NULL,
		.n_mbufs = (unsigned int)round_up_pow2(MBUFS_BESIDES_FRAMES + stage_frames()) - 1,
		.no_caches = lab.config->no_caches,
	};
	char mask[64];
	int err;

	/* A power of two less one fits best, but not at any price. */
	if (config.n_mbufs > MBUFS_BESIDES_FRAMES + stage_frames() + 65536)
		config.n_mbufs = (unsigned int)(MBUFS_BESIDES_FRAMES + stage_frames());
	err = check_memory(config.n_mbufs, error);
	if (err)
		return err;
	if (lab.config->core >= 0) {
		snprintf(mask, sizeof mask, "%llx", 1ULL << lab.config->core);
		config.pmd_cpu_mask = mask;
	}
	err = dp_init(&config, lab.loop, ofproto_sink(), error);
	if (!err)
		err = dp_start_wait(error);
	if (!err)
		dp_hold(true);
	return err;
}

static int check_interfaces(bool with_passing, char **error)
{
	const struct conf_port *port;

	VEC_FOR_EACH (port, &lab.conf->ports) {
		const struct rc_iface *iface = reconcile_iface(port->name);

		if ((port->passing && !with_passing) || (iface && iface->state == RC_RUNNING))
			continue;
		*error = xasprintf("port %s: %s", port->name,
			iface && iface->error ? iface->error : "not there");
		return -EIO;
	}
	return 0;
}

static int apply_conf(bool with_passing, char **error)
{
	int64_t deadline = clock_ms() + SETTLE_MS;
	char *json = lab_json(lab.conf, with_passing);
	struct model *model;
	int err = config_json_parse(json, &model, error);

	free(json);
	if (err)
		return err;
	reconcile_apply(model);
	while (!reconcile_is_settled()) {
		if (clock_ms() > deadline) {
			*error = xasprintf("the switch did not come up within %d s", SETTLE_MS / 1000);
			return -ETIMEDOUT;
		}
		lab_run(10);
	}
	return check_interfaces(with_passing, error);
}

/* Addresses, so that routes lead to the tunnels' underlay. */
static int set_addresses(char **error)
{
	const struct conf_bridge *bridge;
	const struct conf_neigh *neigh;

	VEC_FOR_EACH (bridge, &lab.conf->bridges) {
		char *command;
		int status;

		if (!bridge->address)
			continue;
		command = xasprintf("ip addr add %s dev %s && ip link set %s up", bridge->address,
			bridge->name, bridge->name);
		status = system(command);
		if (status)
			*error = xasprintf("failed: %s", command);
		free(command);
		if (status)
			return -EIO;
	}
	lab_run(100);
	VEC_FOR_EACH (neigh, &lab.conf->neighs) {
		struct ipv6_addr addr;
		struct eth_addr mac;

		memset(&addr, 0, sizeof addr);
		addr.w16[5] = BE16_MAX;
		if (inet_pton(AF_INET, neigh->address, &addr.w32[3]) != 1 ||
			parse_mac(neigh->mac, mac.b))
			fatal("bad neighbour %s %s", neigh->address, neigh->mac);
		dp_neigh_set(neigh->bridge, &addr, mac);
	}
	return 0;
}

static void add_stations(void)
{
	const struct conf_station *station;

	VEC_FOR_EACH (station, &lab.conf->stations) {
		struct ofproto *ofproto = ofproto_from_name(station->bridge);
		struct eth_addr mac;

		if (!ofproto || parse_mac(station->mac, mac.b))
			fatal("bad station %s on %s", station->mac, station->bridge);
		fdb_add_static(ofproto_bridge(ofproto)->fdb, mac, (uint16_t)station->vlan,
			ofproto_port_from_name(ofproto, station->port));
	}
}

static int attach_sources(char **error)
{
	struct conf_port *port;

	VEC_FOR_EACH (port, &lab.conf->ports) {
		struct lab_source source = {.port = port};
		char *device;
		int err;

		if (port->role != CONF_SOURCE)
			continue;
		source.control = xcalloc(1, sizeof *source.control);
		device = conf_device(port);
		err = bench_source_attach(device, source.control, &source.source);
		free(device);
		if (err) {
			*error = xasprintf("no generator on %s: %s", port->name, strerror(-err));
			return err;
		}
		vec_push(&lab.sources, source);
	}
	return 0;
}

static int lab_start(struct conf *conf, const struct target_config *config, char **error)
{
	int err;

	lab.conf = conf;
	lab.config = config;
	lab.loop = event_loop_create();
	rcu_init(256);
	ofproto_init(lab.loop, stage_dir());
	reconcile_init();
	err = route_init(lab.loop, dp_routes_changed);
	if (err) {
		*error = xasprintf("can't read the kernel's routes: %s", strerror(-err));
		return err;
	}
	err = start_datapath(error);
	if (err)
		return err;
	event_hook_add(lab.loop, on_turn, NULL);
	err = apply_conf(false, error);
	if (!err)
		err = set_addresses(error);
	if (err)
		return err;
	add_stations();
	return attach_sources(error);
}

static void lab_hold(bool hold)
{
	if (bench_hold(hold) == -ETIMEDOUT)
		fatal("the PMD thread does not come to rest");
	/* What it left for control. */
	if (hold)
		lab_run(2);
}

static void unwatch(void)
{
	struct lab_watch *watch;

	VEC_FOR_EACH (watch, &lab.watches) {
		bench_probe_detach(watch->probe);
		free(watch->watch);
	}
	vec_clear(&lab.watches);
}

static void lab_stop(void)
{
	struct lab_source *source;

	lab_hold(true);
	unwatch();
	VEC_FOR_EACH (source, &lab.sources) {
		bench_source_detach(source->source);
		free(source->control);
	}
	vec_uninit(&lab.sources);
	reconcile_uninit(true);
	dp_uninit();
	route_uninit();
	ofproto_uninit();
}

static void lab_order(const struct target_orders *orders)
{
	struct lab_source *source;

	lab.attack = orders->attack;
	VEC_FOR_EACH (source, &lab.sources) {
		struct bench_orders bench;

		target_bench_orders(lab.conf, source->port, lab.config->max_frames, orders, &bench);
		bench_order(source->control, &bench);
	}
}

int lab_io(unsigned int ms, struct bench_work *work)
{
	struct bench_loop loops[BENCH_MAX_LOOPS];
	char *names[2 * BENCH_MAX_LOOPS];
	unsigned int n = 0, n_names = 0;
	struct bench_pmd_reading reading;
	struct conf_loop *loop;
	int err;

	VEC_FOR_EACH (loop, &lab.conf->loops) {
		const char *ends[2] = {loop->from, loop->to};
		struct conf_port *port;

		for (int end = 0; end < 2; end++)
			VEC_FOR_EACH (port, &lab.conf->ports)
				if (!strcmp(port->name, ends[end]))
					names[n_names++] = conf_device(port);
		loops[n].from = names[n_names - 2];
		loops[n++].to = names[n_names - 1];
	}
	bench_pmd_read(&reading);
	err = bench_io_run(loops, n, reading.core, ms, work);
	while (n_names)
		free(names[--n_names]);
	return err;
}

static int lab_read(struct target_reading *reading, char **error)
{
	const struct lab_source *source;
	const struct conf_port *port;
	struct bench_pmd_reading pmd;

	memset(reading, 0, sizeof *reading);
	if (bench_pmd_read(&pmd)) {
		*error = xstrdup("there is no PMD thread");
		return -ENODEV;
	}
	reading->cpu_ns = pmd.work.cpu_ns;
	reading->wall_ns = pmd.work.wall_ns;
	reading->packets = pmd.work.packets;
	reading->exact_hits = pmd.exact_hits;
	reading->mega_hits = pmd.mega_hits;
	reading->misses = pmd.misses;
	reading->lost = pmd.lost;
	reading->cache_bytes = pmd.cache_bytes;
	VEC_FOR_EACH (source, &lab.sources)
		target_count_source(source->port, source->control->taken, source->control->lost,
			source->control->streams[0], lab.attack, reading);
	VEC_FOR_EACH (port, &lab.conf->ports) {
		struct bench_device_counts device;
		char *name;

		if (!conf_port_carries(port))
			continue;
		name = conf_device(port);
		if (!bench_device_counts(name, &device))
			target_count_sent(port, device.tx_packets, reading);
		free(name);
	}
	return 0;
}

static void lab_watch(bool samples, bool latency)
{
	const struct conf_port *port;

	unwatch();
	VEC_FOR_EACH (port, &lab.conf->ports) {
		struct lab_watch new = {.port = port};
		char *device;

		if (!conf_port_carries(port) || (!samples && !latency))
			continue;
		new.watch = xcalloc(1, sizeof *new.watch);
		bench_watch_begin(new.watch, samples, latency);
		device = conf_device(port);
		if (bench_probe_attach(device, new.watch, &new.probe))
			free(new.watch);
		else
			vec_push(&lab.watches, new);
		free(device);
	}
}

static const struct bench_watch *lab_watched(const struct conf_port *port)
{
	const struct lab_watch *watch;

	VEC_FOR_EACH (watch, &lab.watches)
		if (watch->port == port)
			return watch->watch;
	return NULL;
}

char *lab_drops(void)
{
	struct sbuf s = SBUF_INITIALIZER;

	for (int reason = DROP_NONE + 1; reason < DROP_N_REASONS; reason++) {
		uint64_t n = dp_drops((enum drop_reason)reason);

		if (n)
			sbuf_putf(&s, "%s%s %llu", s.len ? ", " : "",
				drop_reason_name((enum drop_reason)reason), (unsigned long long)n);
	}
	if (!s.len)
		sbuf_puts(&s, "none");
	return sbuf_steal(&s);
}

void lab_show_paths(void)
{
	struct sbuf s = SBUF_INITIALIZER;

	dp_format_pmd_stats(&(struct dp_pmd_format){.by_core = false}, &s);
	dp_format_paths(&(struct dp_paths_format) {.names = true}, &s);
	fputs(sbuf_cstr(&s), stderr);
	sbuf_uninit(&s);
}

/* This thread is the control thread. */
static uint64_t lab_control_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t lab_memory(void)
{
	return machine_rss_anon(getpid());
}

static void lab_version(char *text, size_t size)
{
	str_copy(text, "sluice", size);
}

const struct target target_lab = {
	.start = lab_start,
	.stop = lab_stop,
	.version = lab_version,
	.order = lab_order,
	.hold = lab_hold,
	.run = lab_run,
	.read = lab_read,
	.watch = lab_watch,
	.watched = lab_watched,
	.set_passing = apply_conf,
	.purge = dp_purge,
	.control_cpu_ns = lab_control_cpu_ns,
	.memory = lab_memory,
	.rundir = stage_dir,
	.has_hugepages = dp_has_hugepages,
};
