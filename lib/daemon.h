/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Life as a daemon: pidfile, detaching, the monitor that restarts a crashed child, dropping
 * privileges.
 *
 * main() reads its options into a struct daemon_options, calls daemonize_start() before it makes
 * threads, sockets or event loops, and daemonize_complete() when it is ready to serve: then the
 * parent that the user started exits with status 0. If the child dies before, the parent exits with
 * a failure. Errors here are about the command line or the machine: they print a line and exit.
 * Main thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon_options {
	bool detach;
	bool monitor; /* a second process starts it again when it crashes */
	bool no_chdir;
	bool overwrite_pidfile;
	bool no_self_confinement; /* accepted: there is no confinement to switch off */
	char *pidfile; /* absolute; NULL: none. Not owned */
	char *user;    /* "user[:group]"; NULL: stay. Not owned */
};

/* Absolute path for --pidfile[=NAME] (NULL: RUNDIR/PROGRAM.pid), to free(). */
char *daemon_pidfile_path(const char *name);

/* Returns in the process that is to serve, with the pidfile written and locked. */
void daemonize_start(const struct daemon_options *options);

/* Ready: tells the waiting parent and the service manager; if detached, changes to the root
 * directory and closes the standard descriptors. */
void daemonize_complete(void);

/* Sends STATE ("STOPPING=1", "STATUS=...") to the service manager, if there is one. */
void daemon_notify(const char *state);

/* How often the service manager wants to hear "WATCHDOG=1", in microseconds; 0: not at all. */
uint64_t daemon_watchdog_us(void);

/* Becomes USER ("user", "user:group", ":group") but keeps the capabilities that network devices
 * need. daemonize_start() does it itself. 0 or negative errno; -ENOENT: no such user or group. */
int daemon_drop_privileges(const char *user);

/* Pid of the live process that holds the lock on pidfile PATH. Negative errno: -ESRCH if nobody
 * does. */
pid_t daemon_read_pidfile(const char *path);
