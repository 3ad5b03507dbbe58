/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Open_vSwitch.statistics: how the machine and the daemons do. Reads files of /proc. Control thread only.
 */

#include "lib/smap.h"

/* Adds cpu, load_average, memory, process_NAME and file_systems to STATS. */
void ovsdb_status_system(struct smap *stats);
