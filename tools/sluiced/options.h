/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The command line of sluiced: its own options and every one that ovs-ctl and Debian's units pass to
 * ovs-vswitchd. Before there are threads; errors end the process with a line on stderr.
 */

#include <stdbool.h>

#include "lib/daemon.h"

struct options {
	const char *database;		/* NULL with --config. */
	const char *config;		/* --config=FILE; NULL. */
	const char *unixctl;		/* --unixctl=SOCKET; NULL: the default place. */
	bool mlockall;
	struct daemon_options daemon;
};

/* Fills OPTIONS. Prints and exits for --help, --version and mistakes. */
void options_parse(int argc, char *argv[], struct options *options);
/* "sluiced (sluice) 0.1.0" in the form that ovs-lib reads: the last word is a version number. */
const char *options_version(void);
