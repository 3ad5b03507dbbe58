/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the registry of commands (unixctl.c) and the carriers of requests (unixctl_server.c,
 * unixctl_call()) know of each other. Control thread only.
 */

#include <stdbool.h>

#include "lib/unixctl.h"

/* A carrier embeds it. ANSWER gets the text and frees the request. */
struct unixctl_conn {
	void (*answer)(struct unixctl_conn *conn, bool ok, const char *text);
};

/* Finds the command ARGV[0], checks the number of arguments and runs it. */
void unixctl_run(struct unixctl_conn *conn, int argc, const char *argv[]);
