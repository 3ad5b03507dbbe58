/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Time of day and monotonic time. A test may take the clock in hand: from then on it stands still
 * but for clock_test_advance(). Any thread; the clock_test_* calls from one thread only.
 */

#include <stdint.h>

/* Monotonic, from an arbitrary point that is not 0. */
int64_t clock_ms(void);
int64_t clock_us(void);
int64_t clock_ns(void);

/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

/* The monotonic clock shows MS and the wall clock WALL_MS, and both stand still. */
void clock_test_set(int64_t ms, int64_t wall_ms);
void clock_test_advance(int64_t ms);

/* Back to real time. */
void clock_test_reset(void);
