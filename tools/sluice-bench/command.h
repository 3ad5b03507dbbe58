/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Other programs: run to their end with their output, or beside this one. Children die with it. */

#include <sys/types.h>

#include "lib/sbuf.h"

/* Runs a line of the shell; *OUTPUT (may be NULL; caller frees) gets stdout and stderr, whatever
 * happened. Its exit status; negative errno if it can't be run. */
int command_run(char **output, const char *format, ...) PRINTF_FORMAT(2, 3);

/* The same; 0, or -EIO with the line and its output in *ERROR (caller frees). */
int command_check(char **error, const char *format, ...) PRINTF_FORMAT(2, 3);

/* Starts FILE as ARGV (NULL-terminated) with its output going to file LOG; its process id, or -errno. */
pid_t command_spawn(const char *file, char *const argv[], const char *log);
/* Ends PID: asks, waits for a few seconds, then kills. */
void command_end(pid_t pid);
/* PID, a child, still runs. */
bool command_runs(pid_t pid);
