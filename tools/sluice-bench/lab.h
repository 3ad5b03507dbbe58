/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sluice under test, inside this process, on its stage (stage.h): set up from a conf (conf.h) through the
 * model and the reconciler, as sluiced does it: target_lab of target.h. What else can be had of it is
 * here. One a process, since EAL starts once.
 */

#include "tools/sluice-bench/target.h"

/* The bare loop in the switch's place; held. 0 or -errno. */
int lab_io(unsigned int ms, struct bench_work *work);

/* Packets that the switch dropped, by reason, as text; for messages. Caller frees. */
char *lab_drops(void);

/* dpctl/dump-flows and dpif-netdev/pmd-stats-show, on stderr. */
void lab_show_paths(void);
