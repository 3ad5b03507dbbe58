/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Waiting in tests that turn an event loop themselves. Include cmocka.h first.
 */

#include "lib/event.h"

/* Turns LOOP until CONDITION, for up to 5 seconds; then it must hold. */
#define TURN_UNTIL(LOOP, CONDITION)                                                                \
	do {                                                                                       \
		for (int turn_ = 0; turn_ < 5000 && !(CONDITION); turn_++)                         \
			event_run_once(LOOP, 1);                                                   \
		assert_true(CONDITION);                                                            \
	} while (0)
