/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bitmap.h"
#include "tools/sluiced/ovsdb/ovsdb_value.h"

static json_t *json(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static void reading(void **state)
{
	json_t *row = json("{\"s\": \"x\", \"e\": [\"set\", []], \"o\": [\"set\", [\"y\"]], \"i\": 7, \"b\": true,"
		"\"m\": [\"map\", [[\"k\", \"v\"], [1, \"bad\"], \"worse\"]],"
		"\"u\": [\"uuid\", \"1234\"], \"us\": [\"set\", [[\"uuid\", \"5678\"]]],"
		"\"v\": [\"set\", [1, 4095, 4096, \"x\"]]}");
	struct smap map = SMAP_INITIALIZER;
	unsigned long *vlans;

	(void)state;
	assert_string_equal(ovsdb_get_string(row, "s"), "x");
	assert_null(ovsdb_get_string(row, "e"));
	assert_string_equal(ovsdb_get_string(row, "o"), "y");
	assert_null(ovsdb_get_string(row, "missing"));
	assert_null(ovsdb_get_string(row, "i"));
	assert_null(ovsdb_get_string(NULL, "s"));
	assert_int_equal(ovsdb_get_int(row, "i", 1), 7);
	assert_int_equal(ovsdb_get_int(row, "s", 1), 1);
	assert_true(ovsdb_get_bool(row, "b", false));
	ovsdb_get_map(row, "m", &map);
	assert_int_equal(smap_count(&map), 1);
	assert_string_equal(smap_get(&map, "k"), "v");
	ovsdb_get_map(row, "s", &map);
	smap_uninit(&map);
	assert_string_equal(ovsdb_get_uuid(row, "u"), "1234");
	assert_string_equal(ovsdb_get_uuid(row, "us"), "5678");
	assert_null(ovsdb_get_uuid(row, "s"));
	vlans = ovsdb_get_vlans(row, "v");
	assert_int_equal(bitmap_scan(vlans, true, 0, 4096), 1);
	assert_int_equal(bitmap_scan(vlans, true, 2, 4096), 4095);
	free(vlans);
	assert_null(ovsdb_get_vlans(row, "e"));
	json_decref(row);
}

/* What monitor_cond's "modify" says, by the column's type. */
static void differences(void **state)
{
	static const struct {
		const char *old, *diff, *result;
		bool is_map, max_one;
	} cases[] = {
		{"\"a\"", "\"b\"", "[\"set\",[\"b\"]]", false, true},
		{"[\"set\",[]]", "5", "[\"set\",[5]]", false, true},
		{"5", "[\"set\",[]]", "[\"set\",[]]", false, true},
		{"5", "5", "[\"set\",[]]", false, true},
		{"5", "[\"set\",[5,6]]", "[\"set\",[6]]", false, true},
		{"[\"set\",[1,2]]", "[\"set\",[2,3]]", "[\"set\",[1,3]]", false, false},
		{"1", "[\"set\",[1]]", "[\"set\",[]]", false, false},
		{"[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]", "[\"map\",[[\"a\",\"1\"],[\"b\",\"3\"],[\"c\",\"4\"]]]",
			"[\"map\",[[\"b\",\"3\"],[\"c\",\"4\"]]]", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *old = json(cases[i].old), *diff = json(cases[i].diff);
		json_t *got = ovsdb_apply_diff(old, diff, cases[i].is_map, cases[i].max_one);
		char *text = json_dumps(got, JSON_COMPACT);

		assert_string_equal(text, cases[i].result);
		free(text);
		json_decref(old);
		json_decref(diff);
		json_decref(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
