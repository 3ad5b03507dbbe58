/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Feeds the service manager's watchdog, if it has one (WATCHDOG_USEC): as long as the event loop turns
 * and every PMD goes on. A thread that hangs gets the process killed and started again by the service
 * manager. Control thread only.
 */

#include "lib/event.h"

void watchdog_start(struct event_loop *loop);
void watchdog_stop(void);
