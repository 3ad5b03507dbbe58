/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What this machine is, for reports. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

void machine_cpu(char *model, size_t size);
bool machine_is_virtual(void);
/* Counted over a few milliseconds, once. */
double machine_tsc_mhz(void);
/* Memory of process PID that no file backs, in bytes; 0: no such process. */
uint64_t machine_rss_anon(pid_t pid);
