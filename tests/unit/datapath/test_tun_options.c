/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "datapath/packet/tun_options.h"

static const struct field_tlv_map map = {
	.opts = {
		[0] = {.class = 0x102, .type = 0x80, .len = 4, .ofs = 8},
		[5] = {.class = 0x102, .type = 0x07, .len = 8, .ofs = 16},
	},
};

#define CRITICAL 0x01, 0x02, 0x80, 1, 0xa, 0xb, 0xc, 0xd
#define PLAIN 0x01, 0x02, 0x07, 2, 1, 2, 3, 4, 5, 6, 7, 8
#define UNKNOWN 0x01, 0x03, 0x07, 1, 9, 9, 9, 9
#define UNKNOWN_CRITICAL 0x01, 0x02, 0x81, 0

static void test_mapped_options_become_fields(void **state)
{
	const uint8_t opts[] = {UNKNOWN, CRITICAL, PLAIN};
	struct flow_tun_metadata tun = {0};

	assert_int_equal(tun_options_parse(&map, opts, sizeof opts, &tun), 0);
	assert_int_equal(tun.present, 1 << 0 | 1 << 5);
	assert_memory_equal(tun.data + 8, "\xa\xb\xc\xd", 4);
	assert_memory_equal(tun.data + 16, "\1\2\3\4\5\6\7\10", 8);
	assert_true(tun_options_are_critical(opts, sizeof opts));
}

static void test_unknown_critical_option(void **state)
{
	const uint8_t opts[] = {PLAIN, UNKNOWN_CRITICAL, CRITICAL}, plain[] = {PLAIN, UNKNOWN};
	struct flow_tun_metadata tun = {0};

	assert_int_equal(tun_options_parse(&map, opts, sizeof opts, &tun), -EPROTONOSUPPORT);
	assert_int_equal(tun_options_parse(NULL, opts, sizeof opts, &tun), -EPROTONOSUPPORT);
	assert_int_equal(tun_options_parse(NULL, plain, sizeof plain, &tun), 0);
	assert_false(tun_options_are_critical(plain, sizeof plain));
}

/* An option of the right name with another length is another option. */
static void test_length_counts(void **state)
{
	const uint8_t opts[] = {0x01, 0x02, 0x80, 2, 1, 2, 3, 4, 5, 6, 7, 8};
	struct flow_tun_metadata tun = {0};

	assert_int_equal(tun_options_parse(&map, opts, sizeof opts, &tun), -EPROTONOSUPPORT);
	assert_int_equal(tun.present, 0);
}

/* What ends early is not read beyond. */
static void test_cut_options(void **state)
{
	const uint8_t opts[] = {PLAIN, CRITICAL};

	for (size_t len = 0; len < sizeof opts; len++) {
		struct flow_tun_metadata tun = {0};

		assert_int_equal(tun_options_parse(&map, opts, len, &tun), 0);
		assert_int_equal(tun.present, len >= 12 ? 1 << 5 : 0);
		assert_false(tun_options_are_critical(opts, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped_options_become_fields),
		cmocka_unit_test(test_unknown_critical_option),
		cmocka_unit_test(test_length_counts),
		cmocka_unit_test(test_cut_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
