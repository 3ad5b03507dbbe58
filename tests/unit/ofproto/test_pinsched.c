/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/agent/pinsched.h"

static struct sbuf msg = SBUF_INITIALIZER;

static bool put(struct pinsched *ps, ofp_port_t port, const char *text, int64_t now_ms)
{
	sbuf_clear(&msg);
	sbuf_puts(&msg, text);
	return pinsched_put(ps, port, &msg, now_ms);
}

static const char *take(struct pinsched *ps, int64_t now_ms)
{
	sbuf_clear(&msg);
	return pinsched_take(ps, &msg, now_ms) ? sbuf_cstr(&msg) : NULL;
}

static int teardown(void **state)
{
	sbuf_uninit(&msg);
	return 0;
}

static void test_burst_then_rate(void **state)
{
	struct pinsched *ps = pinsched_create(10, 3, 1000);

	for (int i = 0; i < 3; i++)
		assert_true(put(ps, 1, "a", 1000));
	assert_false(put(ps, 1, "b", 1000));
	assert_null(take(ps, 1000));
	assert_int_equal(pinsched_wait_ms(ps, 1000), 100);
	assert_null(take(ps, 1099));
	assert_string_equal(take(ps, 1100), "b");
	assert_int_equal(pinsched_wait_ms(ps, 1100), -1);
	/* Idle time fills the bucket, but no further than the burst. */
	for (int i = 0; i < 3; i++)
		assert_true(put(ps, 1, "c", 60000));
	assert_false(put(ps, 1, "c", 60000));
	pinsched_destroy(ps);
}

static void test_ports_take_turns_and_the_longest_queue_loses(void **state)
{
	struct pinsched *ps = pinsched_create(1000, 4, 0);

	for (int i = 0; i < 4; i++)
		assert_true(put(ps, 9, "x", 0));
	put(ps, 1, "1a", 0);
	put(ps, 1, "1b", 0);
	put(ps, 1, "1c", 0);
	put(ps, 2, "2a", 0);
	/* Full: port 1's oldest goes. */
	put(ps, 2, "2b", 0);
	assert_int_equal(pinsched_stats(ps).n_dropped, 1);
	assert_int_equal(pinsched_stats(ps).n_queued, 4);
	assert_string_equal(take(ps, 100), "1b");
	assert_string_equal(take(ps, 100), "2a");
	assert_string_equal(take(ps, 100), "1c");
	assert_string_equal(take(ps, 100), "2b");
	assert_null(take(ps, 100));
	pinsched_destroy(ps);
}

static void test_queued_messages_are_freed(void **state)
{
	struct pinsched *ps = pinsched_create(1, 2, 0);

	for (int i = 0; i < 10; i++)
		put(ps, (ofp_port_t)i, "x", 0);
	pinsched_destroy(ps);
	pinsched_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_burst_then_rate, teardown),
		cmocka_unit_test_teardown(
			test_ports_take_turns_and_the_longest_queue_loses, teardown),
		cmocka_unit_test_teardown(test_queued_messages_are_freed, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
