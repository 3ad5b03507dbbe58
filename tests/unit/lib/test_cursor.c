/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/cursor.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 13};

static void test_reads(void **state)
{
	struct cursor c;
	uint8_t two[2];

	cursor_init(&c, bytes, sizeof bytes);
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_u16(&c), 0x0203);
	assert_int_equal(cursor_be16(&c), htobe16(0x0405));
	assert_int_equal(cursor_u32(&c), 0x06070809);
	assert_int_equal(cursor_offset(&c), 9);
	cursor_bytes(&c, two, 2);
	assert_int_equal(two[1], 11);
	cursor_align(&c, 4);
	assert_int_equal(cursor_offset(&c), 12);
	assert_non_null(cursor_peek(&c, 4));
	assert_null(cursor_peek(&c, 5));
	assert_true(cursor_ok(&c));
	assert_true(cursor_zeros(&c, 3));
	assert_false(cursor_zeros(&c, 1));
	assert_true(cursor_done(&c));
	cursor_align(&c, 8);
	assert_true(cursor_ok(&c));
}

static void test_failure_stays(void **state)
{
	struct cursor c;
	uint8_t six[6];

	cursor_init(&c, bytes, 5);
	cursor_skip(&c, 2);
	assert_int_equal(cursor_u32(&c), 0);
	assert_false(cursor_ok(&c));
	assert_int_equal(cursor_left(&c), 0);
	/* Nothing is left, though 3 bytes were. */
	assert_int_equal(cursor_u8(&c), 0);
	cursor_bytes(&c, six, 6);
	assert_int_equal(six[0] | six[5], 0);
	assert_null(cursor_take(&c, 1));
	assert_false(cursor_done(&c));
	assert_false(cursor_zeros(&c, 1));
}

static void test_sub(void **state)
{
	struct cursor c, sub;

	cursor_init(&c, bytes, 10);
	cursor_skip(&c, 1);
	sub = cursor_sub(&c, 4);
	assert_int_equal(cursor_offset(&sub), 0);
	assert_int_equal(cursor_u64(&sub), 0);
	assert_false(cursor_ok(&sub));
	/* The outer one goes on behind it. */
	assert_true(cursor_ok(&c));
	assert_int_equal(cursor_u8(&c), 6);
	sub = cursor_sub(&c, 5);
	assert_false(cursor_ok(&sub));
	assert_false(cursor_ok(&c));
}

static void test_huge_sizes(void **state)
{
	struct cursor c;

	cursor_init(&c, bytes, 10);
	assert_null(cursor_peek(&c, SIZE_MAX));
	cursor_trim(&c, SIZE_MAX);
	assert_int_equal(cursor_left(&c), 10);
	cursor_trim(&c, 3);
	assert_int_equal(cursor_left(&c), 3);
	cursor_skip(&c, SIZE_MAX);
	assert_false(cursor_ok(&c));
}

static void test_empty(void **state)
{
	struct cursor c;

	cursor_init(&c, NULL, 0);
	assert_true(cursor_done(&c));
	cursor_skip(&c, 0);
	assert_true(cursor_done(&c));
	assert_int_equal(cursor_u8(&c), 0);
	assert_false(cursor_ok(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_failure_stays),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_huge_sizes),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
