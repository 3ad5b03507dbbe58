/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For tests that need mbufs or devices: EAL in ordinary memory with a small pool, and a network
 * namespace of the test's own.
 */

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/eal.h"

/* Starts EAL with N buffers; exits with 77 (skipped) if it can't be. */
static inline void eal_fixture_start(unsigned int n)
{
	struct eal_config config = {.extra = "--no-huge", .n_mbufs = n};
	char *error;

	if (!eal_start(&config, &error))
		return;
	fprintf(stderr, "%s\n", error);
	free(error);
	exit(77);
}

/* The calling thread gets a network namespace of its own; exits with 77 where that is not allowed.
 */
static inline void netns_fixture_enter(void)
{
	if (!unshare(CLONE_NEWNET))
		return;
	perror("unshare");
	exit(77);
}

/* Runs a command of the shell; its exit status. */
__attribute__((format(printf, 1, 2))) static inline int run(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof command, format, ap);
	va_end(ap);
	return system(command);
}
