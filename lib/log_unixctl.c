/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/log.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/unixctl.h"

static void cmd_set(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	if (argc == 1)
		log_set_verbosity(NULL);
	for (int i = 1; i < argc; i++) {
		char *error = log_set_from_string(argv[i]);

		if (error) {
			unixctl_reply_error(conn, error);
			free(error);
			return;
		}
	}
	unixctl_reply(conn, NULL);
}

static void cmd_list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	char *text = log_list_levels();

	unixctl_reply(conn, text);
	free(text);
}

static void cmd_list_pattern(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	char *text = log_list_patterns();

	unixctl_reply(conn, text);
	free(text);
}

static void cmd_reopen(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	int err;

	if (!log_get_file()) {
		unixctl_reply_error(conn, "Logging to file not configured");
		return;
	}
	err = log_reopen();
	if (err)
		unixctl_reply_error(conn, strerror(-err));
	else
		unixctl_reply(conn, NULL);
}

static void cmd_close(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	log_close_file();
	unixctl_reply(conn, NULL);
}

static void set_rate_limits(struct unixctl_conn *conn, int argc, const char *argv[], bool honor)
{
	if (argc == 1)
		log_set_rate_limits(NULL, honor);
	for (int i = 1; i < argc; i++) {
		char *error = log_set_rate_limits(argv[i], honor);

		if (error) {
			unixctl_reply_error(conn, error);
			free(error);
			return;
		}
	}
	unixctl_reply(conn, NULL);
}

static void cmd_enable(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	set_rate_limits(conn, argc, argv, true);
}

static void cmd_disable(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	set_rate_limits(conn, argc, argv, false);
}

void log_unixctl_init(void)
{
	unixctl_command_register(
		"vlog/set", "{spec | PATTERN:destination:pattern}", 0, INT_MAX, cmd_set, NULL);
	unixctl_command_register("vlog/list", "", 0, 0, cmd_list, NULL);
	unixctl_command_register("vlog/list-pattern", "", 0, 0, cmd_list_pattern, NULL);
	unixctl_command_register("vlog/reopen", "", 0, 0, cmd_reopen, NULL);
	unixctl_command_register("vlog/close", "", 0, 0, cmd_close, NULL);
	unixctl_command_register(
		"vlog/enable-rate-limit", "[module]...", 0, INT_MAX, cmd_enable, NULL);
	unixctl_command_register(
		"vlog/disable-rate-limit", "[module]...", 0, INT_MAX, cmd_disable, NULL);
}
