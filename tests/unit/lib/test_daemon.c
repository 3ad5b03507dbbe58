/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/daemon.h"
#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/pidfile.h"
#include "lib/util.h"

static char dir[] = "/tmp/test_daemon.XXXXXX";
static char *pidfile;

static int setup(void **state)
{
	free(log_set_from_string("off"));
	assert_non_null(mkdtemp(dir));
	setenv("OVS_RUNDIR", dir, 1);
	program_name_set("/usr/bin/prog");
	pidfile = daemon_pidfile_path(NULL);
	return 0;
}

static int teardown(void **state)
{
	unlink(pidfile);
	free(pidfile);
	return rmdir(dir);
}

static void paths(void **state)
{
	char *path = daemon_pidfile_path("/abs/x.pid");

	assert_string_equal(path, "/abs/x.pid");
	free(path);
	path = daemon_pidfile_path("rel.pid");
	assert_true(str_starts_with(path, dir) && strstr(path, "/rel.pid"));
	free(path);
	assert_non_null(strstr(pidfile, "/prog.pid"));
	assert_string_equal(program_name(), "prog");
}

enum behaviour {
	SERVE,
	FAIL_EARLY,
	CRASH_EARLY,
	CRASH_ONCE
};

static void on_term(int signum)
{
	exit(7);
}

/* What the daemon's process does between start and end. */
static _Noreturn void daemon_main(const struct daemon_options *options, enum behaviour behaviour)
{
	char flag[64];

	snprintf(flag, sizeof(flag), "%s/crashed", dir);
	freopen("/dev/null", "w", stderr);
	signal(SIGTERM, on_term);
	signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
	daemonize_start(options);
	if (behaviour == FAIL_EARLY)
		exit(3);
	if (behaviour == CRASH_EARLY)
		raise(SIGKILL);
	daemonize_complete();
	if (behaviour == CRASH_ONCE && mkdir(flag, 0700) == 0)
		raise(SIGSEGV);
	for (int i = 0; i < 200; i++)
		poll(NULL, 0, 100);
	exit(EXIT_FAILURE);
}

/* Starts one as a user would; exit status of what he sees, or -1 while that goes on. */
static int start(struct daemon_options options, enum behaviour behaviour, pid_t *pid)
{
	int status;

	options.pidfile = pidfile;
	fflush(NULL);
	*pid = fork();
	if (!*pid)
		daemon_main(&options, behaviour);
	if (!options.detach)
		return -1;
	assert_int_equal(waitpid(*pid, &status, 0), *pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static pid_t wait_for_pidfile(pid_t other_than)
{
	for (int i = 0; i < 1000; i++) {
		pid_t pid = daemon_read_pidfile(pidfile);

		if (pid > 0 && pid != other_than)
			return pid;
		poll(NULL, 0, 10);
	}
	fail();
	return -1;
}

static void wait_until_gone(pid_t pid)
{
	for (int i = 0; i < 1000 && !kill(pid, 0); i++)
		poll(NULL, 0, 10);
	assert_int_equal(kill(pid, 0), -1);
}

static void in_foreground(void **state)
{
	pid_t pid, second;
	int status;

	assert_int_equal(daemon_read_pidfile(pidfile), -ENOENT);
	start((struct daemon_options){0}, SERVE, &pid);
	assert_int_equal(wait_for_pidfile(0), pid);

	/* Another one is refused, unless it may take over. */
	start((struct daemon_options){0}, SERVE, &second);
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	assert_int_equal(daemon_read_pidfile(pidfile), pid);
	start((struct daemon_options){.overwrite_pidfile = true}, SERVE, &second);
	assert_int_equal(wait_for_pidfile(pid), second);
	kill(second, SIGTERM);
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(access(pidfile, F_OK), -1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void stale_pidfile(void **state)
{
	pid_t pid;
	int status;

	start((struct daemon_options){0}, SERVE, &pid);
	assert_int_equal(wait_for_pidfile(0), pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(access(pidfile, F_OK), 0);
	assert_int_equal(daemon_read_pidfile(pidfile), -ESRCH);
	start((struct daemon_options){0}, SERVE, &pid);
	assert_int_equal(wait_for_pidfile(0), pid);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void own_pidfile(void **state)
{
	assert_int_equal(pidfile_create(pidfile, false), 0);
	/* Reading it oneself must not give up the lock. */
	assert_int_equal(pidfile_read(pidfile), getpid());
	pid_t child = fork();
	int status;

	if (!child)
		_exit(pidfile_read(pidfile) == getppid() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	unlink(pidfile);
	assert_int_equal(pidfile_create("/nonexistent/x.pid", false), -ENOENT);
}

static void detached(void **state)
{
	pid_t user, pid;

	assert_int_equal(start((struct daemon_options){.detach = true}, SERVE, &user), 0);
	pid = daemon_read_pidfile(pidfile); /* there as soon as the user's process ended */
	assert_true(pid > 0 && pid != user);
	assert_int_equal(getsid(pid), pid);
	kill(pid, SIGTERM);
	wait_until_gone(pid);
	assert_int_equal(start((struct daemon_options){.detach = true}, FAIL_EARLY, &user), 3);
	assert_int_equal(start((struct daemon_options){.detach = true}, CRASH_EARLY, &user), 1);
	unlink(pidfile);
}

static void monitored(void **state)
{
	char *flag = xasprintf("%s/crashed", dir);
	pid_t user, pid;

	assert_int_equal(
		start((struct daemon_options){.detach = true, .monitor = true}, FAIL_EARLY, &user),
		3);
	assert_int_equal(
		start((struct daemon_options){.detach = true, .monitor = true}, CRASH_ONCE, &user),
		0);
	for (int i = 0; i < 1000 && access(flag, F_OK); i++)
		poll(NULL, 0, 10);
	pid = wait_for_pidfile(0);
	poll(NULL, 0, 200);
	pid = wait_for_pidfile(0); /* the second one, if that was still the first */
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGTERM);
	wait_until_gone(pid);
	assert_int_equal(daemon_read_pidfile(pidfile), -ENOENT);
	rmdir(flag);
	free(flag);
}

static void notifies_service_manager(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), status;
	struct timeval limit = {.tv_sec = 5};
	char text[256], *expected;
	ssize_t n;
	pid_t pid;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/notify", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	start((struct daemon_options){0}, SERVE, &pid);
	n = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	expected = xasprintf("READY=1\nMAINPID=%ld", (long)pid);
	assert_string_equal(text, expected);
	free(expected);
	unsetenv("NOTIFY_SOCKET");
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	close(fd);
	unlink(addr.sun_path);
}

static void drops_privileges(void **state)
{
	pid_t pid;
	int status;

	assert_int_equal(daemon_drop_privileges("no-such-user-x"), -ENOENT);
	assert_int_equal(daemon_drop_privileges("root:no-such-group-x"), -ENOENT);
	if (getuid())
		skip();
	pid = fork();
	if (!pid) {
		int err = daemon_drop_privileges("nobody:");

		_exit(err || getuid() == 0 || geteuid() == 0 || getgid() == 0 || setuid(0) == 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(in_foreground),
		cmocka_unit_test(stale_pidfile),
		cmocka_unit_test(detached),
		cmocka_unit_test(monitored),
		cmocka_unit_test(notifies_service_manager),
		cmocka_unit_test(drops_privileges),
		cmocka_unit_test(own_pidfile),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
