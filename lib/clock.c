/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

static _Atomic(bool) stands_still;
static _Atomic(int64_t) test_mono_ns, test_wall_ms;

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_ns(void)
{
	return stands_still ? test_mono_ns : read_ns(CLOCK_MONOTONIC);
}

int64_t clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}

int64_t clock_wall_ms(void)
{
	return stands_still ? test_wall_ms : read_ns(CLOCK_REALTIME) / 1000000;
}

void clock_test_set(int64_t ms, int64_t wall_ms)
{
	test_mono_ns = ms * 1000000;
	test_wall_ms = wall_ms;
	stands_still = true;
}

void clock_test_advance(int64_t ms)
{
	test_mono_ns += ms * 1000000;
	test_wall_ms += ms;
}

void clock_test_reset(void)
{
	stands_still = false;
}
