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

#include "lib/clock.h"
#include "lib/sbuf.h"
#include "lib/util.h"

static void grows(void **state)
{
	struct sbuf sb = SBUF_INITIALIZER;
	char *s;

	assert_string_equal(sbuf_cstr(&sb), "");
	for (int i = 0; i < 1000; i++)
		sbuf_putf(&sb, "%04d", i);
	assert_int_equal(sb.len, 4000);
	assert_true(sbuf_ends_with(&sb, "0999"));
	assert_memory_equal(sb.data, "00000001", 8);
	sbuf_truncate(&sb, 4);
	sbuf_puts(&sb, "abc");
	sbuf_pull(&sb, 4);
	sbuf_chomp(&sb, 'x');
	sbuf_chomp(&sb, 'c');
	assert_string_equal(sbuf_cstr(&sb), "ab");
	memcpy(sbuf_put_uninit(&sb, 2), "yz", 2);
	sbuf_put_zeros(&sb, 1);
	assert_int_equal(sb.len, 5);
	s = sbuf_steal(&sb);
	assert_string_equal(s, "abyz");
	free(s);
	assert_int_equal(sb.len, 0);
	sbuf_pull(&sb, 3);
	sbuf_putc_n(&sb, '-', 3);
	assert_string_equal(sbuf_cstr(&sb), "---");
	sbuf_uninit(&sb);
}

/* A format that fills the buffer to the last byte, and one byte more. */
static void putf_at_the_edge(void **state)
{
	for (int n = 55; n < 70; n++) {
		struct sbuf sb = SBUF_INITIALIZER;

		sbuf_puts(&sb, "12");
		sbuf_putf(&sb, "%0*d", n, 7);
		assert_int_equal(sb.len, n + 2);
		assert_true(sbuf_ends_with(&sb, "07"));
		assert_int_equal(strlen(sbuf_cstr(&sb)), n + 2);
		sbuf_uninit(&sb);
	}
}

static void texts(void **state)
{
	struct sbuf sb = SBUF_INITIALIZER;

	sbuf_put_mac(&sb, (const uint8_t[]){0, 0x11, 0x22, 0xaa, 0xbb, 0xff});
	assert_string_equal(sbuf_cstr(&sb), "00:11:22:aa:bb:ff");
	sbuf_clear(&sb);
	sbuf_put_json_string(&sb, "a\"\\\n\x01\xc3\xa9\xff\xc0\x80\xed\xa0\x80");
	assert_string_equal(sbuf_cstr(&sb),
		"\"a\\\"\\\\\\n\\u0001\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
	sbuf_uninit(&sb);
}

static void parsers(void **state)
{
	uint8_t mac[6] = {0}, bytes[2];
	uint64_t u = 77;
	int64_t i = 77;

	assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_u64("18446744073709551616", 0, UINT64_MAX, &u), -ERANGE);
	assert_int_equal(parse_u64("18446744073709551616x", 0, UINT64_MAX, &u), -EINVAL);
	assert_int_equal(parse_u64("0xFf", 0, 255, &u), 0);
	assert_int_equal(u, 255);
	assert_int_equal(parse_u64("010", 0, 255, &u), 0);
	assert_int_equal(u, 10);
	assert_int_equal(parse_u64("256", 0, 255, &u), -ERANGE);
	for (const char *const *s =
			(const char *const[]){"", "-1", " 1", "1 ", "0x", "a", "+1", NULL};
		*s; s++)
		assert_int_equal(parse_u64(*s, 0, 255, &u), -EINVAL);
	assert_int_equal(u, 10);
	assert_int_equal(parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &i), -ERANGE);
	assert_int_equal(parse_i64("-0x10", INT64_MIN, INT64_MAX, &i), 0);
	assert_int_equal(i, -16);
	assert_int_equal(parse_i64("--1", INT64_MIN, INT64_MAX, &i), -EINVAL);
	assert_int_equal(parse_mac("00:1:aA:ff:0:9", mac), 0);
	assert_memory_equal(mac, ((uint8_t[]){0, 1, 0xaa, 0xff, 0, 9}), 6);
	for (const char *const *s = (const char *const[]){"", "00:11:22:33:44",
		     "00:11:22:33:44:55:", "00:11:22:33:44:555", "00-11-22-33-44-55", "0:1:2:3:4:g",
		     NULL};
		*s; s++)
		assert_int_equal(parse_mac(*s, mac), -EINVAL);
	assert_int_equal(parse_hex_bytes("0aFF", bytes, 2), 0);
	assert_int_equal(bytes[1], 255);
	assert_int_equal(parse_hex_bytes("0aF", bytes, 2), -EINVAL);
	assert_int_equal(round_up_pow2(0), 1);
	assert_int_equal(round_up_pow2(4), 4);
	assert_int_equal(round_up_pow2(5), 8);
	assert_int_equal(ROUND_UP(9, 4), 12);
	assert_int_equal(MAX(1, MIN(5, MAX(2, 3))), 3);
}

static int compare_ints(const void *a_, const void *b_)
{
	int a = *(const int *)a_, b = *(const int *)b_;

	return (a > b) - (a < b);
}

/* Beside a search from the beginning, in arrays of every short length with repetitions. */
static void searches(void **state)
{
	static const int items[] = {1, 3, 3, 3, 4, 8, 8, 9};

	(void)state;
	for (size_t n = 0; n <= ARRAY_SIZE(items); n++)
		for (int key = 0; key <= 10; key++) {
			size_t i = 0;

			while (i < n && items[i] < key)
				i++;
			assert_int_equal(lower_bound(&key, items, n, sizeof *items, compare_ints), i);
		}
	assert_int_equal(lower_bound(&items[0], NULL, 0, sizeof *items, compare_ints), 0);
}

static void test_clock(void **state)
{
	int64_t before = clock_ms();

	assert_true(before > 0);
	clock_test_set(5000, 1000000000123);
	assert_int_equal(clock_ms(), 5000);
	clock_test_advance(77);
	assert_int_equal(clock_us(), 5077000);
	assert_int_equal(clock_wall_ms(), 1000000000200);
	clock_test_reset();
	assert_true(clock_ms() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(putf_at_the_edge),
		cmocka_unit_test(texts),
		cmocka_unit_test(parsers),
		cmocka_unit_test(searches),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
