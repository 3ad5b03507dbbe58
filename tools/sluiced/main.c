/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sluiced: the composition root. Reads the command line, joins the rooms, and runs the event loop.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath/dp.h"
#include "lib/coverage.h"
#include "lib/dirs.h"
#include "lib/event.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "ofproto/ofproto.h"
#include "tools/sluiced/commands.h"
#include "tools/sluiced/commands_dpif.h"
#include "tools/sluiced/config_json.h"
#include "tools/sluiced/config_ovsdb.h"
#include "tools/sluiced/options.h"
#include "tools/sluiced/reconcile.h"
#include "tools/sluiced/restart.h"
#include "tools/sluiced/watchdog.h"
#include "tunnel/route.h"

LOG_MODULE(sluiced);

static struct event_loop *loop;
static bool dp_started;
static bool ready;
static bool embedded;		/* The configuration is a file, not a database. */

/* Settings that EAL and the PMDs take. Strings stay MODEL's. */
static struct dp_config dp_settings(const struct model *model)
{
	const struct smap *other = &model->other_config;

	return (struct dp_config) {
		.dpdk_extra = smap_get(other, "dpdk-extra"),
		.socket_mem = smap_get(other, "dpdk-socket-mem"),
		.lcore_mask = smap_get(other, "dpdk-lcore-mask"),
		.hugepage_dir = smap_get(other, "dpdk-hugepage-dir"),
		.pmd_cpu_mask = smap_get(other, "pmd-cpu-mask"),
		.pmd_sleep_max_us = smap_get_uint(other, "pmd-maxsleep", 0),
		/* In Open vSwitch this is the default. */
		.pmd_no_sleep = smap_get(other, "pmd-maxsleep") &&
			!smap_get_uint(other, "pmd-maxsleep", 0),
		.pmd_rxq_assign = smap_get(other, "pmd-rxq-assign"),
		.pmd_rxq_no_isolate = !smap_get_bool(other, "pmd-rxq-isolate", true),
		.auto_lb = {
			.enabled = smap_get_bool(other, "pmd-auto-lb", false),
			.interval_min = smap_get_uint(other, "pmd-auto-lb-rebal-interval", 1),
			.load_threshold = smap_get_uint(other, "pmd-auto-lb-load-threshold", 95),
			.improvement = smap_get_uint(other, "pmd-auto-lb-improvement-threshold", 25),
		},
		.no_caches = smap_get_bool(other, "sluice-no-caches", false),
		.no_too_big_answers = !smap_get_bool(other, "sluice-tunnel-pmtud", true),
		/* Who takes the place of ovs-vswitchd is not to send what it would not. */
		.drop_unresolved = !smap_get_bool(other, "sluice-hold-packets", embedded),
	};
}

/* DPDK starts with the first configuration, since that says how; tables are restored meanwhile. */
static void start_datapath(const struct model *model)
{
	struct dp_config config = dp_settings(model);
	char *error = NULL;
	int retval;

	if (dp_started)
		retval = dp_reconfigure(&config, &error);
	else
		retval = dp_init(&config, loop, ofproto_sink(), &error);
	if (retval)
		log_err("%s: %s", dp_started ? "new datapath settings refused" : "DPDK did not start",
			error ? error : strerror(-retval));
	free(error);
	dp_started = true;
}

static void apply(struct model *model)
{
	start_datapath(model);
	if (!embedded)
		restart_configure(model);
	reconcile_apply(model);
}

/* Once a turn: news from the datapath first, then what follows from it. */
static void turn(void *aux)
{
	(void)aux;
	config_ovsdb_take_changes();
	coverage_run();
	if (!dp_started)
		return;
	dp_run();
	reconcile_run();
	ofproto_run_all();
	config_ovsdb_set_dpdk(dp_dpdk_initialized());
	config_ovsdb_run();
	commands_dpif_run();
	rcu_reclaim();
	event_hook_wake_in(loop, 1000);
	if (!ready && reconcile_is_settled() && reconcile_model() &&
		(embedded || config_ovsdb_has_told())) {
		ready = true;
		daemonize_complete();
		log_info("%s is ready", options_version());
	}
}

static void on_signal(int signum, void *aux)
{
	(void)aux;
	log_info("terminating with signal %d (%s)", signum, strsignal(signum));
	event_stop(loop);
}

static void on_hup(int signum, void *aux)
{
	(void)signum, (void)aux;
	log_reopen();
}

static void on_exit_command(bool cleanup)
{
	commands_note_exit(cleanup);
	event_stop(loop);
}

static void watch_signals(void)
{
	static const int stops[] = {SIGTERM, SIGINT, SIGALRM};
	struct event_signal *sig;

	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		event_signal_add(loop, stops[i], on_signal, NULL, &sig);
	event_signal_add(loop, SIGHUP, on_hup, NULL, &sig);
}

static int start_configuration(const struct options *options)
{
	struct model *model;
	char *error;
	int retval;

	embedded = options->config != NULL;
	if (!embedded) {
		restart_init(loop);
		return config_ovsdb_start(loop, options->database, apply);
	}
	retval = config_json_load(options->config, &model, &error);
	if (retval) {
		fprintf(stderr, "sluiced: %s\n", error);
		log_err("%s", error);
		free(error);
		return retval;
	}
	apply(model);
	return 0;
}

int main(int argc, char *argv[])
{
	struct unixctl_server *unixctl;
	struct options options;
	int retval;

	program_name_set("ovs-vswitchd");
	options_parse(argc, argv, &options);
	daemonize_start(&options.daemon);
	if (options.mlockall && mlockall(MCL_CURRENT | MCL_FUTURE))
		log_warn("mlockall failed: %s", strerror(errno));

	loop = event_loop_create();
	rcu_init(256);
	watch_signals();
	unixctl_set_version(options_version());
	retval = unixctl_server_create(loop, options.unixctl, &unixctl);
	if (retval) {
		fprintf(stderr, "sluiced: control socket: %s\n", strerror(-retval));
		return EXIT_FAILURE;
	}
	log_unixctl_init();
	coverage_unixctl_init();
	ofproto_init(loop, dirs_run());
	ofproto_unixctl_init();
	commands_init(on_exit_command);
	reconcile_init();
	retval = route_init(loop, dp_routes_changed);
	if (retval)
		log_err("the kernel's routes can't be followed, tunnels won't work: %s", strerror(-retval));
	event_hook_add(loop, turn, NULL);
	if (start_configuration(&options))
		return EXIT_FAILURE;
	watchdog_start(loop);

	event_run(loop);

	daemon_notify("STOPPING=1");
	watchdog_stop();
	restart_uninit(commands_exit_cleans_up());
	config_ovsdb_stop();
	/* What is received from now on would meet ever fewer ports, each time on the slow path. */
	dp_hold(true);
	reconcile_uninit(commands_exit_cleans_up());
	dp_uninit();
	route_uninit();
	ofproto_uninit();
	unixctl_server_destroy(unixctl);
	return EXIT_SUCCESS;
}
