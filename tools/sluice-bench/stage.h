/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The ground a switch under test stands on: a network namespace of this process's own, a directory, and
 * in it the files that the sources of a conf replay (DIR/NAME.pcap). One a process.
 */

#include "tools/sluice-bench/conf.h"

/* Enters a namespace, makes the directory, writes files of at most MAX_FRAMES frames each. 0, or -errno
 * with one line in *ERROR (caller frees). */
int stage_enter(const struct conf *conf, uint64_t max_frames, char **error);
/* Removes the directory and what is in it. */
void stage_leave(void);

const char *stage_dir(void);
/* Caller frees. */
char *stage_pcap(const struct conf_port *port);
/* Frames in all files. */
uint64_t stage_frames(void);
/* TRAFFIC has more flows than MAX_FRAMES frames hold. */
bool stage_must_rewrite(const struct bench_traffic *traffic, uint64_t max_frames);
