/* SPDX-License-Identifier: Apache-2.0 */

/* The copy of the database follows the server's updates, of both forms, and stays within its bound. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/fatal.h"
#include "tools/sluiced/ovsdb/ovsdb_replica.h"

static const char *const columns[] = {"name", "tags", NULL};
static const struct ovsdb_table_spec specs[] = {{"Port", columns, NULL}, {NULL, NULL, NULL}};
static struct ovsdb_replica replica;

static int setup(void **state)
{
	json_t *tables = json_loads("{\"Port\": {\"columns\": {\"name\": {\"type\": \"string\"},"
		"\"tags\": {\"type\": {\"key\": \"integer\", \"min\": 0, \"max\": \"unlimited\"}}}}}", 0, NULL);

	ovsdb_replica_init(&replica, specs, 2000);
	assert_int_equal(ovsdb_replica_set_schema(&replica, NULL), -EPROTO);
	assert_false(ovsdb_replica_has_table(&replica, "Port"));
	assert_int_equal(ovsdb_replica_set_schema(&replica, tables), 0);
	json_decref(tables);
	return 0;
}

static int teardown(void **state)
{
	ovsdb_replica_uninit(&replica);
	return 0;
}

static void feed(void (*update)(struct ovsdb_replica *, json_t *), const char *text)
{
	json_t *updates = json_loads(text, 0, NULL);

	assert_non_null(updates);
	update(&replica, updates);
	json_decref(updates);
}

/* EXPECTED: the row as text; NULL: there is none. */
static void assert_row(const char *uuid, const char *expected)
{
	const json_t *row = shash_get(ovsdb_replica_rows(&replica, "Port"), uuid);
	char *text = row ? json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
	free(text);
}

static void schema(void **state)
{
	assert_true(ovsdb_replica_has_table(&replica, "Port"));
	assert_false(ovsdb_replica_has_table(&replica, "Bridge"));
	assert_true(ovsdb_replica_has_column(&replica, "Port", "tags"));
	assert_false(ovsdb_replica_has_column(&replica, "Port", "cvlans"));
	assert_false(ovsdb_replica_has_column(&replica, "Bridge", "name"));
}

static void whole_rows(void **state)
{
	feed(ovsdb_replica_update, "{\"Port\": {\"u1\": {\"new\": {\"name\": \"a\"}}, \"u2\": {\"new\": {\"name\": \"b\"}}},"
		"\"Unasked\": {\"u3\": {\"new\": {}}}}");
	assert_row("u1", "{\"name\":\"a\"}");
	assert_int_equal(shash_count(ovsdb_replica_rows(&replica, "Port")), 2);
	assert_int_equal(shash_count(ovsdb_replica_rows(&replica, "Unasked")), 0);
	feed(ovsdb_replica_update, "{\"Port\": {\"u1\": {\"old\": {}, \"new\": {\"name\": \"c\"}}, \"u2\": {\"old\": {}}}}");
	assert_row("u1", "{\"name\":\"c\"}");
	assert_row("u2", NULL);
	ovsdb_replica_clear(&replica);
	assert_row("u1", NULL);
	assert_int_equal(replica.weight, 0);
}

static void differences(void **state)
{
	feed(ovsdb_replica_update2, "{\"Port\": {\"u1\": {\"initial\": {\"name\": \"a\", \"tags\": [\"set\", [1, 2]]}},"
		"\"u2\": {\"insert\": {\"name\": \"b\"}}}}");
	feed(ovsdb_replica_update2, "{\"Port\": {\"u1\": {\"modify\": {\"name\": \"c\", \"tags\": [\"set\", [2, 3]]}},"
		"\"u2\": {\"delete\": null}}}");
	assert_row("u1", "{\"name\":\"c\",\"tags\":[\"set\",[1,3]]}");
	assert_row("u2", NULL);
	assert_false(replica.too_heavy);
}

static void too_heavy(void **state)
{
	char name[3000], *text;

	feed(ovsdb_replica_update, "{\"Port\": {\"u1\": {\"new\": {\"name\": \"a\"}}}}");
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	text = xasprintf("{\"Port\": {\"u2\": {\"new\": {\"name\": \"%s\"}}}}", name);
	feed(ovsdb_replica_update, text);
	free(text);
	assert_true(replica.too_heavy);
	assert_row("u1", "{\"name\":\"a\"}");
	assert_row("u2", NULL);
	assert_true(replica.weight <= 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(schema, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(differences, setup, teardown),
		cmocka_unit_test_setup_teardown(too_heavy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
