/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Expands the patterns of log destinations (ovs-appctl(8), vlog/set PATTERN). Pure but for host
 * name and pid.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/log.h"
#include "lib/sbuf.h"

/* What a pattern may refer to. */
struct log_record {
	const char *module;
	enum log_level level;
	unsigned int number;
	int priority; /* facility and level as syslog has them */
	int64_t wall_ms;
	int64_t uptime_ms;
	const char *thread; /* NULL: the main thread */
	const char *message;
};

void log_format(struct sbuf *sb, const char *pattern, const struct log_record *record);

/* strftime() of WALL_MS, in which each # is a digit of the fraction of a second. */
void log_format_time(struct sbuf *sb, const char *format, int64_t wall_ms, bool utc);
