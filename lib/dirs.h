/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The directories that the programs share, with the environment variables that override them. The
 * strings live as long as the process. Call once early from the main thread; then any thread.
 */

const char *dirs_run(void);     /* OVS_RUNDIR, /var/run/openvswitch */
const char *dirs_log(void);     /* OVS_LOGDIR, /var/log/openvswitch */

/* NAME itself if it is absolute, else DIR/NAME, to free(). */
char *dirs_abs(const char *dir, const char *name);
