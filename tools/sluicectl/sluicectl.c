/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sluicectl: the operator's command. Asks the running sluiced over its control socket and prints tables
 * for people, or with --json what the daemon said.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluicectl/print.h"

static const char *target = "ovs-vswitchd";
static bool as_json;

static const char help[] =
	"sluicectl: look at and change a running sluiced\n"
	"usage: sluicectl [OPTIONS] COMMAND [ARG...]\n"
	"  show                      bridges, ports, their state and counters\n"
	"  dump-flows BRIDGE         flows of a bridge\n"
	"  add-flow BRIDGE FLOW      add a flow, in the syntax of ovs-ofctl\n"
	"  trace BRIDGE FLOW         what would happen to a packet (ofproto/trace; more arguments are passed)\n"
	"  drops [PORT]              packets that ended nowhere, and why\n"
	"  paths                     what the datapath has cached\n"
	"  top [SECONDS [TIMES]]     rates of the ports, live\n"
	"  call COMMAND [ARG...]     any command of the control socket (see: call list-commands)\n"
	"options:\n"
	"  -t, --target=SOCKET       control socket or pidfile (default: ovs-vswitchd's)\n"
	"  -j, --json                print JSON, where a command prints data\n"
	"  -h, --help                display this help message\n"
	"  -V, --version             display version information\n";

/* Asks and returns the reply (to free()); prints the error and exits if there is one. */
static char *ask(const char *command, int n, const char *const args[])
{
	char *reply = NULL, *error = NULL;
	int retval = unixctl_client_call(target, command, n, args, 10000, &reply, &error);

	if (retval) {
		fprintf(stderr, "sluicectl: %s: %s (is sluiced running?)\n", target, strerror(-retval));
		exit(2);
	}
	if (error) {
		size_t len = strlen(error);

		fprintf(stderr, "sluicectl: %.*s\n",
			(int)(len && error[len - 1] == '\n' ? len - 1 : len), error);
		exit(1);
	}
	return reply;
}

static int pass(const char *command, int n, char *args[])
{
	char *reply = ask(command, n, (const char *const *)args);

	fputs(reply, stdout);
	free(reply);
	return 0;
}

static json_t *ask_show(void)
{
	char *reply = ask("sluice/show", 0, NULL);
	json_t *json = json_loads(reply, 0, NULL);

	free(reply);
	if (!json) {
		fprintf(stderr, "sluicectl: %s did not answer with JSON\n", target);
		exit(2);
	}
	return json;
}

static void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int cmd_show(int n, char *args[])
{
	json_t *json = ask_show();

	if (as_json)
		print_json(json);
	else
		print_show(json);
	json_decref(json);
	return 0;
}

static int cmd_drops(int n, char *args[])
{
	json_t *json;

	if (!as_json)
		return pass("sluice/drops", n, args);
	json = ask_show();
	print_json(n ? json_object_get(print_find_interface(json, args[0]), "drops")
		: json_object_get(json, "drops"));
	json_decref(json);
	return 0;
}

static int cmd_dump_flows(int n, char *args[])
{
	char *reply = ask("bridge/dump-flows", n, (const char *const *)args);

	if (as_json) {
		json_t *json = print_lines_as_array(reply);

		print_json(json);
		json_decref(json);
	} else {
		fputs(reply, stdout);
	}
	free(reply);
	return 0;
}

static int cmd_add_flow(int n, char *args[])
{
	return pass("sluice/add-flow", n, args);
}

static int cmd_trace(int n, char *args[])
{
	return pass("ofproto/trace", n, args);
}

static int cmd_paths(int n, char *args[])
{
	char *names[] = {"--names"};

	return pass("dpctl/dump-flows", 1, names);
}

static int cmd_call(int n, char *args[])
{
	return pass(args[0], n - 1, args + 1);
}

static int cmd_top(int n, char *args[])
{
	double seconds = n > 0 ? atof(args[0]) : 1;
	long times = n > 1 ? atol(args[1]) : isatty(STDOUT_FILENO) ? -1 : 1;
	json_t *before = ask_show(), *now;

	if (seconds < 0.1 || seconds > 3600) {
		fprintf(stderr, "sluicectl: top: expected an interval of 0.1 to 3600 seconds\n");
		return 1;
	}
	for (; times; times -= times > 0) {
		usleep((useconds_t)(seconds * 1e6));
		now = ask_show();
		if (as_json) {
			json_t *rates = print_rates(before, now);

			print_json(rates);
			json_decref(rates);
		} else {
			print_top(before, now);
		}
		fflush(stdout);
		json_decref(before);
		before = now;
	}
	json_decref(before);
	return 0;
}

static const struct {
	const char *name;
	int min, max;
	int (*run)(int n, char *args[]);
} commands[] = {
	{"show", 0, 0, cmd_show},
	{"dump-flows", 1, 2, cmd_dump_flows},
	{"add-flow", 2, 2, cmd_add_flow},
	{"trace", 1, 8, cmd_trace},
	{"drops", 0, 1, cmd_drops},
	{"paths", 0, 0, cmd_paths},
	{"top", 0, 2, cmd_top},
	{"call", 1, 64, cmd_call},
};

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"target", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	program_name_set(argv[0]);
	while ((opt = getopt_long(argc, argv, "+t:jhV", options, NULL)) != -1) {
		switch (opt) {
		case 't': target = optarg; break;
		case 'j': as_json = true; break;
		case 'h': fputs(help, stdout); return 0;
		case 'V': puts("sluicectl (sluice) " SLUICE_VERSION); return 0;
		default: return 1;
		}
	}
	if (optind == argc) {
		fputs(help, stderr);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int n = argc - optind - 1;

		if (strcmp(argv[optind], commands[i].name))
			continue;
		if (n < commands[i].min || n > commands[i].max) {
			fprintf(stderr, "sluicectl: %s: expected %d to %d arguments, got %d\n",
				commands[i].name, commands[i].min, commands[i].max, n);
			return 1;
		}
		return commands[i].run(n, argv + optind + 1);
	}
	fprintf(stderr, "sluicectl: unknown command \"%s\" (try --help)\n", argv[optind]);
	return 1;
}
