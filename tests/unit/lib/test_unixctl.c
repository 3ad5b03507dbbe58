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
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/sbuf.h"
#include "lib/unix_socket.h"
#include "lib/unixctl.h"
#include "lib/util.h"

static struct event_loop *loop;
static struct unixctl_server *server;
static char dir[] = "/tmp/test_unixctl.XXXXXX";
static char *path;
static struct unixctl_conn *waiting;

static void cmd_echo(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf sb = SBUF_INITIALIZER;

	assert_null(argv[argc]);
	for (int i = 1; i < argc; i++)
		sbuf_putf(&sb, "%s%s", i > 1 ? "|" : "", argv[i]);
	unixctl_reply(conn, sbuf_cstr(&sb));
	sbuf_uninit(&sb);
}

static void cmd_fail(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	unixctl_reply_error(conn, "it failed");
}

static void cmd_later(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	waiting = conn;
}

static void cmd_big(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf sb = SBUF_INITIALIZER;

	sbuf_putc_n(&sb, '"', 5000000);
	unixctl_reply(conn, sbuf_cstr(&sb));
	sbuf_uninit(&sb);
}

static void cmd_bytes(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	unixctl_reply(conn, "a\xff"
			    "b");
}

static int setup(void **state)
{
	free(log_set_from_string("off"));
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/x.ctl", dir);
	loop = event_loop_create();
	unixctl_command_register("test/echo", "WORD...", 0, 3, cmd_echo, NULL);
	unixctl_command_register("test/fail", NULL, 0, 0, cmd_fail, NULL);
	unixctl_command_register("test/later", "", 2, INT_MAX, cmd_later, NULL);
	unixctl_command_register("test/big", "", 0, 0, cmd_big, NULL);
	unixctl_command_register("test/bytes", "", 0, 0, cmd_bytes, NULL);
	unixctl_set_version("test (Open vSwitch) 3.1.0");
	return unixctl_server_create(loop, path, &server);
}

static int teardown(void **state)
{
	unixctl_server_destroy(server);
	event_loop_destroy(loop);
	if (access(path, F_OK) == 0)
		return -1;
	free(path);
	return rmdir(dir);
}

/* Runs a client in a thread and the loop in this one until it is done. */
struct client {
	const char *command, *args[4];
	int n_args, timeout_ms, err;
	char *reply, *error;
	struct event_async *done;
};

static void *client_thread(void *aux)
{
	struct client *c = aux;

	c->err = unixctl_client_call(
		path, c->command, c->n_args, c->args, c->timeout_ms, &c->reply, &c->error);
	event_async_send(c->done);
	return NULL;
}

static void on_done(void *aux)
{
	event_stop(loop);
}

static void call(struct client *c)
{
	pthread_t thread;

	if (!c->timeout_ms)
		c->timeout_ms = 20000;
	c->done = event_async_create(loop, on_done, NULL);
	pthread_create(&thread, NULL, client_thread, c);
	event_run(loop);
	pthread_join(thread, NULL);
	event_async_destroy(c->done);
}

static void expect(struct client *c, const char *reply, const char *error)
{
	call(c);
	assert_int_equal(c->err, 0);
	if (reply)
		assert_string_equal(c->reply, reply);
	else
		assert_null(c->reply);
	if (error)
		assert_string_equal(c->error, error);
	else
		assert_null(c->error);
	free(c->reply);
	free(c->error);
}

static void commands(void **state)
{
	expect(
		&(struct client){
			.command = "test/echo", .args = {"a", "b \"\xc3\xa9\n", ""}, .n_args = 3},
		"a|b \"\xc3\xa9\n|\n", NULL);
	expect(&(struct client){.command = "test/echo"}, "", NULL);
	expect(&(struct client){.command = "test/fail"}, NULL, "it failed\n");
	expect(&(struct client){.command = "version"}, "test (Open vSwitch) 3.1.0\n", NULL);
	expect(&(struct client){.command = "nosuch"}, NULL,
		"\"nosuch\" is not a valid command (use \"list-commands\" to see a list of valid "
		"commands)\n");
	expect(&(struct client){.command = "version", .args = {"x"}, .n_args = 1}, NULL,
		"\"version\" command takes at most 0 arguments\n");
	expect(&(struct client){.command = "test/later", .args = {"x"}, .n_args = 1}, NULL,
		"\"test/later\" command requires at least 2 arguments\n");
	expect(&(struct client){.command = "list-commands"},
		"The available commands are:\n"
		"  list-commands           \n"
		"  test/big                \n"
		"  test/bytes              \n"
		"  test/echo               WORD...\n"
		"  test/fail               \n"
		"  test/later              \n"
		"  version                 \n",
		NULL);
	expect(&(struct client){.command = "test/bytes"},
		"a\xef\xbf\xbd"
		"b\n",
		NULL);
}

static void big_reply(void **state)
{
	struct client c = {.command = "test/big"};

	call(&c);
	assert_int_equal(c.err, 0);
	assert_int_equal(strlen(c.reply), 5000001);
	free(c.reply);
}

static void late_answers(void **state)
{
	struct client c = {
		.command = "test/later", .args = {"a", "b"}, .n_args = 2, .timeout_ms = 50};

	call(&c);
	assert_int_equal(c.err, -ETIMEDOUT);
	assert_non_null(waiting);
	/* The client has hung up, and the command answers nevertheless. */
	for (int i = 0; i < 5; i++)
		event_run_once(loop, 0);
	unixctl_reply(waiting, "too late");
	for (int i = 0; i < 5; i++)
		event_run_once(loop, 0);
	expect(&(struct client){.command = "test/echo"}, "", NULL);
}

/* What the peer of raw socket FD says within a few turns of the loop; "" when it closes. */
static const char *raw(int fd, const char *request)
{
	size_t len = strlen(request);
	static char answer[4096];
	ssize_t n;

	assert_int_equal(send(fd, request, len, 0), len);
	for (int i = 0; i < 50; i++) {
		event_run_once(loop, 1);
		n = recv(fd, answer, sizeof(answer) - 1, 0);
		if (n >= 0) {
			answer[n] = '\0';
			return answer;
		}
	}
	return NULL;
}

static void raw_requests(void **state)
{
	static const char *const bad[] = {"hello", "{]", "[1]", "{\"a\": 1}", "}", "\"x\"",
		"{\"method\":1,\"params\":[],\"id\":0}",
		"{\"method\":\"version\",\"params\":{},\"id\":0}",
		"{\"method\":\"version\",\"params\":[],\"id\":null}",
		"{\"result\":\"x\",\"error\":null,\"id\":0}", "{\"x\":\"\x01\"}"};
	char *deep = xcalloc(1, 1001);
	const char *answer;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(unix_socket_connect(path, &fd), 0);
		assert_string_equal(raw(fd, bad[i]), "");
		close(fd);
	}
	memset(deep, '[', 1000);
	assert_int_equal(unix_socket_connect(path, &fd), 0);
	assert_string_equal(raw(fd, deep), "");
	close(fd);
	free(deep);

	/* Odd but valid: pieces, white space, two at once, a string as id, arguments of other
	 * types. */
	assert_int_equal(unix_socket_connect(path, &fd), 0);
	assert_null(raw(fd, " \n{\"method\":\"test/ec"));
	assert_string_equal(raw(fd, "ho\",\"params\":[\"}\\\"\"],\"id\":\"i\"}"),
		"{\"id\":\"i\",\"result\":\"}\\\"\\n\",\"error\":null}");
	answer = raw(fd, "{\"id\":1,\"method\":\"version\",\"params\":[]}"
			 "{\"id\":2,\"method\":\"test/echo\",\"params\":[5]}");
	if (!strstr(answer, "non-string"))
		answer = raw(fd, " ");
	assert_non_null(strstr(answer, "\"test/echo\\\" command has non-string argument"));
	close(fd);
}

/* Half a message of unlimited length is cut off. */
static void endless_request(void **state)
{
	char chunk[65536];
	size_t total = 0;
	int fd;

	memset(chunk, 'x', sizeof(chunk));
	assert_int_equal(unix_socket_connect(path, &fd), 0);
	assert_null(raw(fd, "{\"method\":\""));
	while (total < 20000000) {
		ssize_t n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);

		if (n < 0 && errno == EPIPE)
			break;
		if (n > 0)
			total += (size_t)n;
		event_run_once(loop, 0);
	}
	assert_true(total < 4000000);
	close(fd);
}

static void many_idle_clients(void **state)
{
	enum {
		N = 1000
	};
	static int fds[N];
	struct rlimit limit = {2048, 2048};

	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < N; i++) {
		while (unix_socket_connect(path, &fds[i]))
			event_run_once(loop, 1);
		if (i % 3 == 0)
			assert_int_equal(send(fds[i], "{", 1, MSG_NOSIGNAL), 1);
		event_run_once(loop, 0);
	}
	expect(&(struct client){.command = "test/echo", .args = {"alive"}, .n_args = 1}, "alive\n",
		NULL);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	for (int i = 0; i < 10; i++)
		event_run_once(loop, 0);
}

/* The stock tool, if it is installed. */
static void ovs_appctl(void **state)
{
	char *command =
		xasprintf("ovs-appctl -t %s test/echo a 'b c' > %s/out 2>&1; echo $? >> %s/out",
			path, dir, dir);
	char *out = xasprintf("%s/out", dir), text[256];
	pid_t pid;
	int status, fd;

	if (system("command -v ovs-appctl > /dev/null 2>&1")) {
		free(command);
		free(out);
		skip();
	}
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	for (int i = 0; i < 10000 && waitpid(pid, &status, WNOHANG) == 0; i++)
		event_run_once(loop, 1);
	fd = open(out, O_RDONLY);
	assert_true(fd >= 0);
	text[read(fd, text, sizeof(text) - 1)] = '\0';
	close(fd);
	assert_string_equal(text, "a|b c\n0\n");
	unlink(out);
	free(command);
	free(out);
}

static void in_process(void **state)
{
	const char *echo[] = {"test/echo", "x", NULL}, *later[] = {"test/later", "x", "y", NULL};
	char *reply, *error;

	assert_int_equal(unixctl_call(2, echo, &reply, &error), 0);
	assert_string_equal(reply, "x\n");
	assert_null(error);
	free(reply);
	assert_int_equal(unixctl_call(3, later, &reply, &error), -EINPROGRESS);
	unixctl_reply(waiting, "lost");
}

/* A socket file that a crashed process left, one in use, and other files. */
static void stale_socket(void **state)
{
	char *stale = xasprintf("%s/stale", dir);
	struct unixctl_server *other;
	struct stat st;
	int fd;

	assert_int_equal(unix_socket_listen(stale, 1, &fd), 0);
	close(fd);
	assert_int_equal(access(stale, F_OK), 0);
	assert_int_equal(unixctl_server_create(loop, stale, &other), 0);
	assert_string_equal(unixctl_server_path(other), stale);
	assert_int_equal(stat(stale, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(unix_socket_listen(stale, 1, &fd), -EADDRINUSE);
	unixctl_server_destroy(other);
	assert_int_equal(access(stale, F_OK), -1);
	fd = open(stale, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(unixctl_server_create(loop, stale, &other), -EADDRINUSE);
	unlink(stale);
	free(stale);
	assert_int_equal(unixctl_server_create(loop, "none", &other), 0);
	assert_null(other);
	unixctl_server_destroy(NULL);
}

static void long_path(void **state)
{
	char *sub = xasprintf("%s/%0100d", dir, 0), *longer = xasprintf("%s/long.ctl", sub);
	int fd, client;

	assert_int_equal(mkdir(sub, 0700), 0);
	assert_true(strlen(longer) > 108);
	assert_int_equal(unix_socket_listen(longer, 1, &fd), 0);
	assert_int_equal(unix_socket_connect(longer, &client), 0);
	close(client);
	close(fd);
	unlink(longer);
	rmdir(sub);
	free(sub);
	free(longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),
		cmocka_unit_test(big_reply),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(raw_requests),
		cmocka_unit_test(endless_request),
		cmocka_unit_test(many_idle_clients),
		cmocka_unit_test(ovs_appctl),
		cmocka_unit_test(in_process),
		cmocka_unit_test(stale_socket),
		cmocka_unit_test(long_path),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, setup, teardown);
}
