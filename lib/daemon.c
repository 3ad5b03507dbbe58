/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/pidfile.h"

#define RESTART_INTERVAL_S 10

LOG_MODULE(daemon_unix);

static struct daemon_options options;
static int ready_fd = -1; /* where somebody waits for a byte */
static uint64_t watchdog_us;

static _Noreturn void give_up(const char *format, ...) PRINTF_FORMAT(1, 2);

static _Noreturn void give_up(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_name());
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

char *daemon_pidfile_path(const char *name)
{
	char *def, *path;

	if (name)
		return dirs_abs(dirs_run(), name);
	def = xasprintf("%s.pid", program_name());
	path = dirs_abs(dirs_run(), def);
	free(def);
	return path;
}

pid_t daemon_read_pidfile(const char *path)
{
	return pidfile_read(path);
}

void daemon_notify(const char *state)
{
	sd_notify(0, state);
}

uint64_t daemon_watchdog_us(void)
{
	return watchdog_us;
}

/* Privileges. */

static int set_capabilities(const int *wanted, size_t n)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (size_t i = 0; i < n; i++) {
		data[wanted[i] / 32].permitted |= 1u << (wanted[i] % 32);
		data[wanted[i] / 32].effective |= 1u << (wanted[i] % 32);
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int find_ids(const char *spec, uid_t *uid, gid_t *gid, char **name)
{
	char *user = xstrdup(spec), *colon = strchr(user, ':');
	struct passwd *pw;
	struct group *gr;
	int err = 0;

	if (colon)
		*colon++ = '\0';
	pw = *user ? getpwnam(user) : getpwuid(getuid());
	gr = colon && *colon ? getgrnam(colon) : NULL;
	if (!pw || (colon && *colon && !gr)) {
		err = -ENOENT;
	} else {
		*uid = pw->pw_uid;
		*gid = gr ? gr->gr_gid : pw->pw_gid;
		*name = xstrdup(pw->pw_name);
	}
	free(user);
	return err;
}

static int become(const char *name, uid_t uid, gid_t gid)
{
	static const int kept[] = {
		CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BROADCAST, CAP_IPC_LOCK, CAP_SYS_NICE};

	if (log_get_file() && chown(log_get_file(), uid, gid))
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1) || initgroups(name, gid) || setresgid(gid, gid, gid) ||
		setresuid(uid, uid, uid))
		return -errno;
	return uid ? set_capabilities(kept, ARRAY_SIZE(kept)) : 0;
}

int daemon_drop_privileges(const char *user)
{
	char *name;
	uid_t uid;
	gid_t gid;
	int err = find_ids(user, &uid, &gid, &name);

	if (err)
		return err;
	if (uid != getuid() || gid != getgid())
		err = become(name, uid, gid);
	free(name);
	return err;
}

/* Processes. */

static void close_standard_fds(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* What became of a child, in words; to free(). */
static char *describe(int status)
{
	const char *core = WCOREDUMP(status) ? ", core dumped" : "";

	if (WIFEXITED(status))
		return xasprintf("exit status %d", WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		return xasprintf("killed (%s)%s", strsignal(WTERMSIG(status)), core);
	return xasprintf("abnormal exit (%x)", (unsigned int)status);
}

static void tell_ready(void)
{
	if (ready_fd < 0)
		return;
	if (write(ready_fd, "", 1) != 1)
		log_err("the waiting process is gone");
	close(ready_fd);
	ready_fd = -1;
}

/* Waits until the child says on FD that it is ready, 0; or is dead: then *STATUS is how,
 * -ECHILD. */
static int wait_until_ready(int fd, pid_t pid, int *status)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	close(fd);
	if (n == 1)
		return 0;
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return -ECHILD;
}

/* Forks. In the child returns 0, and READY_FD leads to the parent; in the parent returns the
 * child's pid and *FD to wait at. */
static pid_t fork_waiting(int *fd)
{
	int pipe_fds[2];
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC))
		give_up("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid) {
		close(pipe_fds[1]);
		*fd = pipe_fds[0];
	} else {
		close(pipe_fds[0]);
		if (ready_fd >= 0)
			close(ready_fd);
		ready_fd = pipe_fds[1];
	}
	return pid;
}

/* The user's process ends here; the child goes on in a session of its own. */
static void detach(void)
{
	int fd, status = 0;
	pid_t pid = fork_waiting(&fd);

	if (!pid) {
		setsid();
		return;
	}
	if (!wait_until_ready(fd, pid, &status))
		_exit(EXIT_SUCCESS);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status)); /* it has said why */
	fprintf(stderr, "%s: fork child died before signaling startup (%s)\n", program_name(),
		describe(status));
	_exit(EXIT_FAILURE);
}

static bool is_crash(int status)
{
	static const int signals[] = {
		SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ};

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == signals[i])
			return true;
	return false;
}

/* A crashing program must neither fill the disk with cores nor burn the processor. */
static void before_restart(int status, time_t *last_restart)
{
	char *text = describe(status);
	struct rlimit none = {0, 0};
	time_t now = time(NULL);

	if (WCOREDUMP(status))
		setrlimit(RLIMIT_CORE, &none);
	if (now >= *last_restart && now < *last_restart + RESTART_INTERVAL_S) {
		log_warn("child died, %s, waiting until %d seconds since last restart", text,
			RESTART_INTERVAL_S);
		sleep((unsigned int)(*last_restart + RESTART_INTERVAL_S - now));
	}
	log_err("child died, %s, restarting", text);
	*last_restart = time(NULL);
	free(text);
}

/* Returns only in children, which serve. */
static void monitor(void)
{
	bool was_ready = false;
	time_t last_restart = 0;
	int fd, status;
	pid_t pid = fork_waiting(&fd);

	if (!pid)
		return;
	prctl(PR_SET_NAME, "monitor");
	for (;;) {
		if (!wait_until_ready(fd, pid, &status)) {
			was_ready = true;
			tell_ready();
			if (options.detach)
				close_standard_fds();
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
		}
		if (!was_ready || !is_crash(status)) {
			char *text = describe(status);

			log_info("child died, %s, exiting", text);
			free(text);
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
		}
		before_restart(status, &last_restart);
		pid = fork_waiting(&fd);
		if (!pid)
			return;
	}
}

void daemonize_start(const struct daemon_options *given)
{
	int err;

	options = *given;
	/* The environment names the process that the service manager started. */
	if (sd_watchdog_enabled(0, &watchdog_us) <= 0)
		watchdog_us = 0;
	if (options.detach)
		detach();
	if (options.monitor)
		monitor();
	if (options.user) {
		err = daemon_drop_privileges(options.user);
		if (err)
			give_up("--user=%s: %s", options.user,
				err == -ENOENT ? "no such user or group" : strerror(-err));
	}
	if (!options.pidfile)
		return;
	err = pidfile_create(options.pidfile, options.overwrite_pidfile);
	if (err == -EEXIST)
		give_up("%s: already running as pid %ld, aborting", options.pidfile,
			(long)pidfile_read(options.pidfile));
	if (err)
		give_up("%s: %s", options.pidfile, strerror(-err));
}

void daemonize_complete(void)
{
	tell_ready();
	if (options.detach) {
		if (!options.no_chdir && chdir("/"))
			log_warn("could not change to the root directory: %s", strerror(errno));
		close_standard_fds();
	}
	sd_notifyf(0, "READY=1\nMAINPID=%ld", (long)getpid());
}
