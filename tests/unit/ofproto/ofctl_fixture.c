/* SPDX-License-Identifier: Apache-2.0 */
#include "ofctl_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath/pipeline/pipeline.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "ofproto/ofproto.h"

static char dir[64];
static pid_t child;
static char *output;

static void turn(void *loop)
{
	ofproto_run_all();
	rcu_reclaim();
	event_hook_wake_in(loop, 100);
}

static void on_term(int signum, void *loop)
{
	event_stop(loop);
}

static const int fatal_signals[] = { SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT, SIGSYS };

/* The child: ends with status 0 only if it took everything down again. */
static void serve(void (*setup)(struct ofproto *))
{
	struct event_loop *loop = event_loop_create();
	struct event_signal *sig;
	struct ofproto *ofproto;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* A crash is the child's own, not a test's. */
	for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
		signal(fatal_signals[i], SIG_DFL);
	log_set_levels(NULL, -1, LOG_LEVEL_OFF);
	ofproto_init(loop, dir);
	event_signal_add(loop, SIGTERM, on_term, loop, &sig);
	event_hook_add(loop, turn, loop);
	if (ofproto_create("br0", &ofproto))
		_exit(1);
	if (setup)
		setup(ofproto);
	event_run(loop);
	ofproto_uninit();
	event_signal_remove(sig);
	event_loop_destroy(loop);
	exit(0);
}

bool ofctl_start(void (*setup)(struct ofproto *))
{
	char *socket;

	if (system("command -v ovs-ofctl >/dev/null"))
		return false;
	strcpy(dir, "/tmp/sluice-ofctl-XXXXXX");
	assert_non_null(mkdtemp(dir));
	child = fork();
	assert_true(child >= 0);
	if (!child)
		serve(setup);
	socket = xasprintf("%s/br0.mgmt", dir);
	for (int i = 0; i < 500 && access(socket, F_OK); i++)
		usleep(10000);
	assert_int_equal(access(socket, F_OK), 0);
	free(socket);
	return true;
}

void ofctl_stop(void)
{
	int status;

	kill(child, SIGTERM);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	rmdir(dir);
	free(output);
	output = NULL;
}

/* COMMAND with BR replaced by the socket. */
static char *with_bridge(const char *command)
{
	const char *br = strstr(command, "BR");

	return br ? xasprintf("exec 2>&1; timeout 20 ovs-ofctl %.*sunix:%s/br0.mgmt%s",
		(int)(br - command), command, dir, br + 2) :
		xasprintf("exec 2>&1; timeout 20 ovs-ofctl %s", command);
}

static const char *run(int *status, const char *format, va_list args)
{
	size_t len = 0, cap = 1 << 20;
	char *words, *command;
	FILE *pipe;

	assert_true(vasprintf(&words, format, args) >= 0);
	command = with_bridge(words);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	free(output);
	output = xmalloc(cap);
	len = fread(output, 1, cap - 1, pipe);
	output[len] = '\0';
	*status = pclose(pipe);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	free(words);
	free(command);
	return output;
}

const char *ofctl(int *status, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = run(status, format, args);
	va_end(args);
	return text;
}

const char *ofctl_ok(const char *format, ...)
{
	const char *text;
	va_list args;
	int status;

	va_start(args, format);
	text = run(&status, format, args);
	va_end(args);
	if (status)
		print_error("ovs-ofctl %s: %s", format, text);
	assert_int_equal(status, 0);
	return text;
}
