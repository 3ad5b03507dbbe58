/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Drop-in configuration: the model from an ovsdb-server, and status back into it. Connects to REMOTE
 * ("unix:...", "tcp:...", "ssl:..."), takes the lock "ovs_vswitchd", monitors the Open_vSwitch
 * database, builds a new model whenever what it depends on has changed, and hands it to APPLY (which
 * takes it over). Survives restarts of the server without touching traffic.
 *
 * Writes back, in one transaction at a time: cur_cfg once reconcile_is_settled() for the next_cfg it
 * belongs to, and at most once in 5 seconds what only changes by itself (statistics).
 *
 * Control thread only.
 */

#include "lib/event.h"
#include "lib/unixctl.h"
#include "tools/sluiced/model.h"

/* 0, or -EINVAL for a malformed REMOTE. */
int config_ovsdb_start(struct event_loop *loop, const char *remote, void (*apply)(struct model *));
void config_ovsdb_stop(void);
/* Once per loop iteration: hands a changed configuration to APPLY. */
void config_ovsdb_take_changes(void);
/* Once per loop iteration, after reconcile_run(): what to write back. */
void config_ovsdb_run(void);
void config_ovsdb_set_dpdk(bool initialized);
/* The first configuration is in effect, and the database says so (or is empty). */
bool config_ovsdb_has_told(void);
