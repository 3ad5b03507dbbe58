/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The control socket of a running program: ovs-appctl's JSON-RPC over a unix socket, server and a
 * simple client. The registry of commands is one for the process; list-commands, version and help
 * are built in.
 *
 * A struct unixctl_conn is one request. Its command must answer it exactly once, with
 * unixctl_reply() or unixctl_reply_error(), at once or later; it is gone afterwards. That the
 * client has hung up meanwhile makes no difference to the command. Control thread only (the client:
 * any thread).
 */

#include <stdbool.h>

struct event_loop;
struct sbuf;
struct unixctl_server;
struct unixctl_conn;

/* ARGV[0] is the command's name, ARGV[1..ARGC-1] its arguments, ARGV[ARGC] NULL. */
typedef void unixctl_cb(struct unixctl_conn *conn, int argc, const char *argv[], void *aux);

/* USAGE as list-commands prints it, "" or NULL for none. The argument count without the name
 * must lie in MIN_ARGS..MAX_ARGS (INT_MAX: any number). A name registered before keeps its first
 * command. NAME and USAGE are copied. */
void unixctl_command_register(
	const char *name, const char *usage, int min_args, int max_args, unixctl_cb *cb, void *aux);

/* A newline is added if there is none at the end. BODY may be NULL. */
void unixctl_reply(struct unixctl_conn *conn, const char *body);
void unixctl_reply_error(struct unixctl_conn *conn, const char *error);
void unixctl_replyf_error(struct unixctl_conn *conn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What list-commands says, of those whose names begin with PREFIX. */
void unixctl_format_commands(const char *prefix, struct sbuf *s);

/* Text that "version" answers. */
void unixctl_set_version(const char *version);

/* Listens at PATH; NULL: RUNDIR/PROGRAM.PID.ctl, "none": nowhere (*SERVERP is then NULL). */
int unixctl_server_create(
	struct event_loop *loop, const char *path, struct unixctl_server **serverp);

/* Requests not answered yet stay valid. */
void unixctl_server_destroy(struct unixctl_server *server);
const char *unixctl_server_path(const struct unixctl_server *server);

/* Runs a command as if a client had sent it (for tests and embedding): *REPLY or *ERROR gets the
 * text, to free(), and the other NULL. The command must answer at once, else -EINPROGRESS and
 * its answer is lost. */
int unixctl_call(int argc, const char *argv[], char **reply, char **error);

/* Blocking client. TARGET is a socket's path, a program's name (by its pidfile in the run
 * directory) or a pidfile's path. 0: *REPLY or *ERROR is the server's text, to free(), and the
 * other NULL. Negative errno if the server couldn't be asked; TIMEOUT_MS 0: waits without end. */
int unixctl_client_call(const char *target, const char *command, int n_args,
	const char *const args[], int timeout_ms, char **reply, char **error);
