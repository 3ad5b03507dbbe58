/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/json_frame.h"
#include "lib/jsonrpc.h"
#include "lib/sbuf.h"
#include "lib/unix_socket.h"
#include "lib/unixctl.h"
#include "lib/util.h"

#define MAX_REPLY ((size_t)1 << 30)

/* Path of the control socket that the holder of PIDFILE has beside it. */
static int path_from_pidfile(const char *pidfile, char **path)
{
	const char *dot = strrchr(pidfile, '.');
	pid_t pid = daemon_read_pidfile(pidfile);

	if (pid < 0)
		return (int)pid;
	if (!dot || strcmp(dot, ".pid"))
		return -EINVAL;
	*path = xasprintf("%.*s.%ld.ctl", (int)(dot - pidfile), pidfile, (long)pid);
	return 0;
}

static int find_socket(const char *target, char **path)
{
	struct stat st;
	char *pidfile;
	int err;

	if (*target == '/') {
		if (!stat(target, &st) && S_ISREG(st.st_mode))
			return path_from_pidfile(target, path);
		*path = xstrdup(target);
		return 0;
	}
	pidfile = xasprintf("%s/%s.pid", dirs_run(), target);
	err = path_from_pidfile(pidfile, path);
	free(pidfile);
	return err;
}

/* Real time, whatever a test does to the clock. */
static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int64_t left = deadline ? deadline - now_ms() : -1;
	int n;

	if (deadline && left <= 0)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)MIN(left, (int64_t)1000000));
	if (n < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int connect_to(const char *path, int64_t deadline, int *fd)
{
	for (;;) {
		int err = unix_socket_connect(path, fd);

		if (err != -EAGAIN)
			return err;
		if (deadline && now_ms() >= deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, 10); /* full backlog */
	}
}

static int send_all(int fd, const char *text, int64_t deadline)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		int err;

		if (n > 0) {
			text += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		err = wait_for(fd, POLLOUT, deadline);
		if (err)
			return err;
	}
	return 0;
}

/* Receives one message. */
static int receive(int fd, int64_t deadline, json_t **json)
{
	struct sbuf sb = SBUF_INITIALIZER;
	struct json_frame frame;
	size_t used, skipped;
	int ret = 0;

	json_frame_init(&frame, MAX_REPLY, JSONRPC_MAX_VALUES, JSONRPC_MAX_DEPTH);
	while (!ret) {
		ssize_t n;

		sbuf_reserve(&sb, 65536);
		n = recv(fd, sb.data + sb.len, 65536, 0);
		if (n > 0) {
			ret = json_frame_feed(&frame, sb.data + sb.len, (size_t)n, &used, &skipped);
			sb.len += (size_t)n;
		} else if (n == 0) {
			ret = -ECONNRESET;
		} else if (errno == EAGAIN || errno == EINTR) {
			ret = wait_for(fd, POLLIN, deadline);
		} else {
			ret = -errno;
		}
	}
	if (ret > 0) {
		*json = json_loadb(sb.data, sb.len, JSON_DISABLE_EOF_CHECK, NULL);
		ret = *json ? 0 : -EPROTO;
	}
	sbuf_uninit(&sb);
	return ret;
}

static int interpret(json_t *json, char **reply, char **error)
{
	struct jsonrpc_msg msg;
	json_t *text;

	if (jsonrpc_msg_parse(json, &msg) ||
		(msg.type != JSONRPC_REPLY && msg.type != JSONRPC_ERROR))
		return -EPROTO;
	text = msg.type == JSONRPC_REPLY ? msg.result : msg.error;
	if (!json_is_string(text))
		return -EPROTO;
	*reply = msg.type == JSONRPC_REPLY ? xstrdup(json_string_value(text)) : NULL;
	*error = msg.type == JSONRPC_ERROR ? xstrdup(json_string_value(text)) : NULL;
	return 0;
}

static char *make_request(const char *command, int n_args, const char *const args[])
{
	json_t *params = json_array(), *request;
	char *text;

	for (int i = 0; i < n_args; i++)
		if (json_array_append_new(params, json_string(args[i]))) {
			json_decref(params);
			return NULL;
		}
	request = json_pack("{sisssO}", "id", 0, "method", command, "params", params);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	json_decref(params);
	return text;
}

int unixctl_client_call(const char *target, const char *command, int n_args,
	const char *const args[], int timeout_ms, char **reply, char **error)
{
	int64_t deadline = timeout_ms ? now_ms() + timeout_ms : 0;
	char *path, *text = make_request(command, n_args, args);
	json_t *json;
	int fd, err;

	if (!text)
		return -EILSEQ; /* not UTF-8 */
	err = find_socket(target, &path);
	if (err)
		goto out;
	err = connect_to(path, deadline, &fd);
	free(path);
	if (err)
		goto out;
	err = send_all(fd, text, deadline);
	if (!err)
		err = receive(fd, deadline, &json);
	if (!err) {
		err = interpret(json, reply, error);
		json_decref(json);
	}
	close(fd);
out:
	free(text);
	return err;
}
