/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_replica.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "tools/sluiced/ovsdb/ovsdb_value.h"

static const json_t *column_type(const struct ovsdb_replica *r, const char *table, const char *column)
{
	const json_t *columns = json_object_get(json_object_get(r->schema, table), "columns");

	return json_object_get(json_object_get(columns, column), "type");
}

void ovsdb_replica_init(struct ovsdb_replica *r, const struct ovsdb_table_spec *specs, uint64_t max_weight)
{
	*r = (struct ovsdb_replica){.max_weight = max_weight};
	shash_init(&r->tables);
	for (const struct ovsdb_table_spec *spec = specs; spec->table; spec++) {
		struct shash *rows = xcalloc(1, sizeof *rows);

		shash_init(rows);
		shash_put(&r->tables, spec->table, rows);
	}
}

void ovsdb_replica_uninit(struct ovsdb_replica *r)
{
	struct shash_node *node;

	ovsdb_replica_clear(r);
	SHASH_FOR_EACH (node, &r->tables) {
		shash_uninit(node->data);
		free(node->data);
	}
	shash_uninit(&r->tables);
	json_decref(r->schema);
}

int ovsdb_replica_set_schema(struct ovsdb_replica *r, json_t *tables)
{
	if (!json_is_object(tables))
		return -EPROTO;
	json_decref(r->schema);
	r->schema = json_incref(tables);
	return 0;
}

bool ovsdb_replica_has_table(const struct ovsdb_replica *r, const char *table)
{
	return json_object_get(r->schema, table) != NULL;
}

bool ovsdb_replica_has_column(const struct ovsdb_replica *r, const char *table, const char *column)
{
	return column_type(r, table, column) != NULL;
}

/* ------------------------------------------------------------------ rows */

/* About how many bytes of memory JSON takes. Its depth is bounded by the parser. */
static uint64_t weight(const json_t *json)
{
	uint64_t sum = 64;
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(json))
		return sum + json_string_length(json);
	json_object_foreach ((json_t *)json, key, value)
		sum += 64 + strlen(key) + weight(value);
	json_array_foreach ((json_t *)json, i, value)
		sum += 8 + weight(value);
	return sum;
}

static void rows_clear(struct shash *rows)
{
	struct shash_node *node;

	SHASH_FOR_EACH (node, rows)
		json_decref(node->data);
	shash_clear(rows);
}

void ovsdb_replica_clear(struct ovsdb_replica *r)
{
	struct shash_node *node;

	SHASH_FOR_EACH (node, &r->tables)
		rows_clear(node->data);
	r->weight = 0;
}

static void row_remove(struct ovsdb_replica *r, struct shash *rows, const char *uuid)
{
	json_t *old = shash_remove(rows, uuid);

	if (old)
		r->weight -= weight(old);
	json_decref(old);
}

/* Takes ROW's reference. */
static void row_set(struct ovsdb_replica *r, struct shash *rows, const char *uuid, json_t *row)
{
	uint64_t w = weight(row);

	row_remove(r, rows, uuid);
	if (r->weight + w > r->max_weight) {
		r->too_heavy = true;
		json_decref(row);
		return;
	}
	r->weight += w;
	shash_put(rows, uuid, row);
}

static void row_modify(struct ovsdb_replica *r, const char *table, struct shash *rows,
	const char *uuid, json_t *changes)
{
	const json_t *old = shash_get(rows, uuid);
	json_t *row = old ? json_copy((json_t *)old) : json_object();
	const char *column;
	json_t *diff;

	json_object_foreach (changes, column, diff) {
		const json_t *type = column_type(r, table, column);
		const json_t *max = json_object_get(type, "max");
		bool is_map = json_object_get(type, "value") != NULL;

		if (!json_is_object(type))
			json_object_set(row, column, diff);
		else
			json_object_set_new(row, column, ovsdb_apply_diff(json_object_get(row, column),
				diff, is_map, !max || json_integer_value(max) == 1));
	}
	row_set(r, rows, uuid, row);
}

void ovsdb_replica_update2(struct ovsdb_replica *r, json_t *updates)
{
	const char *table, *uuid;
	json_t *row_updates, *update, *row;

	json_object_foreach (updates, table, row_updates) {
		struct shash *rows = shash_get(&r->tables, table);

		if (!rows)
			continue;
		json_object_foreach (row_updates, uuid, update) {
			if ((row = json_object_get(update, "initial")) ||
				(row = json_object_get(update, "insert")))
				row_set(r, rows, uuid, json_is_object(row) ? json_incref(row) : json_object());
			else if ((row = json_object_get(update, "modify")))
				row_modify(r, table, rows, uuid, row);
			else if (json_object_get(update, "delete"))
				row_remove(r, rows, uuid);
		}
	}
}

/* "new" is the whole row. */
void ovsdb_replica_update(struct ovsdb_replica *r, json_t *updates)
{
	const char *table, *uuid;
	json_t *row_updates, *update;

	json_object_foreach (updates, table, row_updates) {
		struct shash *rows = shash_get(&r->tables, table);

		if (!rows)
			continue;
		json_object_foreach (row_updates, uuid, update) {
			json_t *row = json_object_get(update, "new");

			if (json_is_object(row))
				row_set(r, rows, uuid, json_incref(row));
			else
				row_remove(r, rows, uuid);
		}
	}
}

const struct shash *ovsdb_replica_rows(const struct ovsdb_replica *r, const char *table)
{
	static const struct shash none = SHASH_INITIALIZER;
	const struct shash *rows = shash_get(&r->tables, table);

	return rows ? rows : &none;
}
