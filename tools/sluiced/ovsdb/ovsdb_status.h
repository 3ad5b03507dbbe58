/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Status of what runs, as rows of the Open_vSwitch database. Remembers what was written last, so that
 * only changes go to the server. Control thread only.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* DPDK's state, for Open_vSwitch.dpdk_initialized. */
void ovsdb_status_set_dpdk(bool initialized);

/* Operations (RFC 7047 "update") that bring the status columns of ROOT's database up to date; an empty
 * array if there is nothing. COUNTERS: statistics too. The caller's reference; what they say counts as
 * written from now on. */
json_t *ovsdb_status_operations(const char *root, bool counters);
/* Adds an update of Open_vSwitch.cur_cfg to OPERATIONS. */
void ovsdb_status_add_cur_cfg(json_t *operations, const char *root, int64_t cur_cfg);
/* Forgets what was written: the next operations say everything. */
void ovsdb_status_forget(void);
