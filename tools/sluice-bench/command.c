/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fatal.h"

static int run_line(char **output, const char *line)
{
	struct sbuf s = SBUF_INITIALIZER;
	char *whole = xasprintf("( %s ) 2>&1", line), part[4096];
	FILE *pipe;
	size_t n;
	int status;

	pipe = popen(whole, "re");
	free(whole);
	if (!pipe)
		return -errno;
	while ((n = fread(part, 1, sizeof part, pipe)) > 0)
		sbuf_put(&s, part, n);
	status = pclose(pipe);
	if (output)
		*output = sbuf_steal(&s);
	else
		sbuf_uninit(&s);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int command_run(char **output, const char *format, ...)
{
	va_list args;
	char *line;
	int status;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	status = run_line(output, line);
	free(line);
	return status;
}

int command_check(char **error, const char *format, ...)
{
	char *line, *output = NULL;
	va_list args;
	int status;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	status = run_line(&output, line);
	if (status) {
		if (output)
			output[strcspn(output, "\n")] = '\0';
		*error = xasprintf("%.120s: %s", line, output && *output ? output : "failed");
	}
	free(output);
	free(line);
	return status ? -EIO : 0;
}

pid_t command_spawn(const char *file, char *const argv[], const char *log)
{
	pid_t parent = getpid(), pid = fork();
	int fd;

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execvp(file, argv);
	_exit(127);
}

bool command_runs(pid_t pid)
{
	return pid > 0 && !waitpid(pid, NULL, WNOHANG);
}

void command_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int i = 0; i < 500; i++) {
		if (!command_runs(pid))
			return;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
