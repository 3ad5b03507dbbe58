/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/unixctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/sbuf.h"
#include "lib/shash.h"
#include "lib/unixctl_conn.h"

COVERAGE_DEFINE(unixctl_received);
COVERAGE_DEFINE(unixctl_replied);

struct command {
	char *usage;
	int min_args, max_args;
	unixctl_cb *cb;
	void *aux;
};

static struct shash commands = SHASH_INITIALIZER;
static char *version_text;

void unixctl_format_commands(const char *prefix, struct sbuf *s)
{
	struct shash_node **nodes = shash_sort(&commands);

	sbuf_puts(s, "The available commands are:\n");
	for (size_t i = 0; i < shash_count(&commands); i++) {
		const struct command *command = nodes[i]->data;

		if (!strncmp(nodes[i]->name, prefix, strlen(prefix)))
			sbuf_putf(s, "  %-23s %s\n", nodes[i]->name, command->usage);
	}
	free(nodes);
}

static void cmd_list_commands(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf sb = SBUF_INITIALIZER;

	unixctl_format_commands("", &sb);
	unixctl_reply(conn, sbuf_cstr(&sb));
	sbuf_uninit(&sb);
}

static void cmd_version(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	unixctl_reply(conn, version_text ? version_text : program_name());
}

static void add_command(
	const char *name, const char *usage, int min_args, int max_args, unixctl_cb *cb, void *aux)
{
	struct command *command;

	if (shash_find(&commands, name))
		return;
	command = xcalloc(1, sizeof(*command));
	command->usage = xstrdup(usage ? usage : "");
	command->min_args = min_args;
	command->max_args = max_args;
	command->cb = cb;
	command->aux = aux;
	shash_put(&commands, name, command);
}

/* The built-in ones need no start-up call of their own. */
static void add_built_in(void)
{
	add_command("list-commands", "", 0, 0, cmd_list_commands, NULL);
	add_command("version", "", 0, 0, cmd_version, NULL);
}

void unixctl_command_register(
	const char *name, const char *usage, int min_args, int max_args, unixctl_cb *cb, void *aux)
{
	add_built_in();
	add_command(name, usage, min_args, max_args, cb, aux);
}

void unixctl_set_version(const char *version)
{
	free(version_text);
	version_text = xstrdup(version);
}

static void answer(struct unixctl_conn *conn, bool ok, const char *text)
{
	struct sbuf sb = SBUF_INITIALIZER;

	COVERAGE_INC(unixctl_replied);
	sbuf_puts(&sb, text ? text : "");
	if (sb.len && sb.data[sb.len - 1] != '\n')
		sbuf_putc(&sb, '\n');
	conn->answer(conn, ok, sbuf_cstr(&sb));
	sbuf_uninit(&sb);
}

void unixctl_reply(struct unixctl_conn *conn, const char *body)
{
	answer(conn, true, body);
}

void unixctl_reply_error(struct unixctl_conn *conn, const char *error)
{
	answer(conn, false, error);
}

void unixctl_replyf_error(struct unixctl_conn *conn, const char *format, ...)
{
	struct sbuf sb = SBUF_INITIALIZER;
	va_list args;

	va_start(args, format);
	sbuf_putv(&sb, format, args);
	va_end(args);
	unixctl_reply_error(conn, sbuf_cstr(&sb));
	sbuf_uninit(&sb);
}

void unixctl_run(struct unixctl_conn *conn, int argc, const char *argv[])
{
	const struct command *command;

	COVERAGE_INC(unixctl_received);
	add_built_in();
	command = shash_get(&commands, argv[0]);
	if (!command)
		unixctl_replyf_error(conn,
			"\"%s\" is not a valid command (use \"list-commands\" to see a list of "
			"valid commands)",
			argv[0]);
	else if (argc - 1 < command->min_args)
		unixctl_replyf_error(conn, "\"%s\" command requires at least %d arguments", argv[0],
			command->min_args);
	else if (argc - 1 > command->max_args)
		unixctl_replyf_error(conn, "\"%s\" command takes at most %d arguments", argv[0],
			command->max_args);
	else
		command->cb(conn, argc, argv, command->aux);
}

/* A request from inside the process. */
struct call {
	struct unixctl_conn conn;
	char *text[2]; /* by OK */
	bool answered, abandoned;
};

static void answer_call(struct unixctl_conn *conn, bool ok, const char *text)
{
	struct call *call = container_of(conn, struct call, conn);

	if (call->abandoned) {
		free(call);
		return;
	}
	call->text[ok] = xstrdup(text);
	call->answered = true;
}

int unixctl_call(int argc, const char *argv[], char **reply, char **error)
{
	struct call *call = xcalloc(1, sizeof(*call));

	call->conn.answer = answer_call;
	unixctl_run(&call->conn, argc, argv);
	if (!call->answered) {
		call->abandoned = true;
		return -EINPROGRESS;
	}
	*reply = call->text[true];
	*error = call->text[false];
	free(call);
	return 0;
}
