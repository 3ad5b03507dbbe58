/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ways to hand a line to the system's log: the C library's, or datagrams to a socket. Called by
 * log.c under its mutex.
 */

#include "lib/sbuf.h"

/* "libc", "null", "unix:PATH", "udp:IP:PORT". Returns NULL, or an error text to free() and then has
 * changed nothing. */
char *log_syslog_set_method(const char *method);

/* Pattern that goes in front of each line; it is part of what is sent for "unix:" and "udp:". */
const char *log_syslog_prefix(void);

/* PREFIX is log_syslog_prefix() expanded, PRIORITY as for syslog(3). */
void log_syslog_send(int priority, const char *prefix, const char *line);
