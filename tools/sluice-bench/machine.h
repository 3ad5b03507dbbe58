/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What this machine is, for reports. */

#include <stdbool.h>
#include <stddef.h>

void machine_cpu(char *model, size_t size);
bool machine_is_virtual(void);
/* Counted over a few milliseconds, once. */
double machine_tsc_mhz(void);
