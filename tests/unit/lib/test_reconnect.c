/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/reconnect.h"

static struct reconnect *fsm;
static int64_t now;

static int setup(void **state)
{
	free(log_set_from_string("off"));
	now = 1000;
	fsm = reconnect_create(now);
	reconnect_set_name(fsm, "tcp:1.2.3.4:5");
	return 0;
}

static int teardown(void **state)
{
	reconnect_destroy(fsm);
	return 0;
}

/* Nothing to do until DELAY from now, then ACTION. */
static void expect(int64_t delay, enum reconnect_action action)
{
	assert_int_equal(reconnect_timeout(fsm, now), delay);
	if (delay) {
		now += delay - 1;
		assert_int_equal(reconnect_run(fsm, now), RECONNECT_NOTHING);
		now++;
	}
	assert_int_equal(reconnect_run(fsm, now), action);
}

static void expect_state(const char *name)
{
	struct reconnect_stats stats;

	reconnect_get_stats(fsm, now, &stats);
	assert_string_equal(stats.state, name);
}

static void backoff_doubles(void **state)
{
	static const int waits[] = {1000, 2000, 4000, 8000, 8000};

	assert_int_equal(reconnect_timeout(fsm, now), -1);
	assert_int_equal(reconnect_run(fsm, now), RECONNECT_NOTHING);
	reconnect_enable(fsm, now);
	expect(0, RECONNECT_CONNECT);
	for (int i = 0; i < 5; i++) {
		reconnect_connect_failed(fsm, now, -ECONNREFUSED);
		expect_state("BACKOFF");
		expect(waits[i], RECONNECT_CONNECT);
	}
	reconnect_connect_failed(fsm, now, -ECONNREFUSED);
	reconnect_set_backoff(fsm, 0, 2000);
	expect(2000, RECONNECT_CONNECT);
	reconnect_disable(fsm, now);
	assert_int_equal(reconnect_timeout(fsm, now), -1);
}

static void connect_times_out(void **state)
{
	reconnect_enable(fsm, now);
	reconnect_connecting(fsm, now);
	expect(1000, RECONNECT_DISCONNECT);
	expect(0, RECONNECT_DISCONNECT);
	reconnect_disconnected(fsm, now, 0);
	expect(1000, RECONNECT_CONNECT);
	reconnect_connecting(fsm, now);
	expect(1000, RECONNECT_DISCONNECT);
	reconnect_disconnected(fsm, now, 0);
	expect(2000, RECONNECT_CONNECT);
	reconnect_connecting(fsm, now);
	expect(2000, RECONNECT_DISCONNECT);
}

static void probes(void **state)
{
	reconnect_enable(fsm, now);
	reconnect_connecting(fsm, now);
	reconnect_connected(fsm, now);
	assert_true(reconnect_is_connected(fsm));
	now += 3000;
	reconnect_received(fsm, now);
	expect(5000, RECONNECT_PROBE);
	expect_state("IDLE");
	assert_int_equal(reconnect_run(fsm, now), RECONNECT_NOTHING);
	now += 10;
	reconnect_received(fsm, now);
	expect_state("ACTIVE");
	expect(5000, RECONNECT_PROBE);
	expect(5000, RECONNECT_DISCONNECT);
	reconnect_disconnected(fsm, now, 0);
	assert_false(reconnect_is_connected(fsm));
	expect(1000, RECONNECT_CONNECT);
	reconnect_set_probe_interval(fsm, 0);
	reconnect_connected(fsm, now);
	assert_int_equal(reconnect_timeout(fsm, now), -1);
	reconnect_set_probe_interval(fsm, 10);
	assert_int_equal(reconnect_timeout(fsm, now), 1000);
}

/* A good connection resets the backoff, one that breaks at once doesn't. */
static void backoff_after_connection(void **state)
{
	reconnect_enable(fsm, now);
	for (int i = 0; i < 3; i++)
		reconnect_connect_failed(fsm, now, -ECONNREFUSED);
	expect(4000, RECONNECT_CONNECT);
	reconnect_connected(fsm, now);
	reconnect_disconnected(fsm, now, -ECONNRESET);
	expect(8000, RECONNECT_CONNECT);
	reconnect_connected(fsm, now);
	now += 60000;
	reconnect_received(fsm, now);
	reconnect_disconnected(fsm, now, -ECONNRESET);
	expect(1000, RECONNECT_CONNECT);
}

static void forced(void **state)
{
	struct reconnect_stats stats;

	reconnect_enable(fsm, now);
	reconnect_connected(fsm, now);
	now += 500;
	reconnect_force(fsm, now);
	expect(0, RECONNECT_DISCONNECT);
	reconnect_disconnected(fsm, now, 0);
	expect(0, RECONNECT_CONNECT);
	reconnect_connected(fsm, now);
	now += 700;
	reconnect_get_stats(fsm, now, &stats);
	assert_int_equal(stats.n_attempted_connections, 2);
	assert_int_equal(stats.n_successful_connections, 2);
	assert_int_equal(stats.total_connected_ms, 1200);
	assert_int_equal(stats.ms_since_connect, 700);
	assert_int_equal(stats.ms_since_disconnect, 700);
	assert_int_equal(stats.seqno, 3);
	assert_true(stats.is_connected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(backoff_doubles, setup, teardown),
		cmocka_unit_test_setup_teardown(connect_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(probes, setup, teardown),
		cmocka_unit_test_setup_teardown(backoff_after_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(forced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
