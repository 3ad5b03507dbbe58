/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_value.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bitmap.h"

/* ["TAG", X] -> X, or NULL. */
static const json_t *tagged(const json_t *value, const char *tag)
{
	const char *text;

	if (json_array_size(value) != 2)
		return NULL;
	text = json_string_value(json_array_get(value, 0));
	return text && !strcmp(text, tag) ? json_array_get(value, 1) : NULL;
}

size_t ovsdb_set_size(const json_t *value)
{
	const json_t *set = tagged(value, "set");

	if (!value)
		return 0;
	return set ? json_array_size(set) : 1;
}

const json_t *ovsdb_set_get(const json_t *value, size_t i)
{
	const json_t *set = tagged(value, "set");

	return set ? json_array_get(set, i) : i ? NULL : value;
}

static const json_t *first(const json_t *row, const char *column)
{
	const json_t *value = json_object_get(row, column);

	return ovsdb_set_size(value) ? ovsdb_set_get(value, 0) : NULL;
}

const char *ovsdb_get_string(const json_t *row, const char *column)
{
	return json_string_value(first(row, column));
}

int64_t ovsdb_get_int(const json_t *row, const char *column, int64_t def)
{
	const json_t *value = first(row, column);

	return json_is_integer(value) ? json_integer_value(value) : def;
}

bool ovsdb_get_bool(const json_t *row, const char *column, bool def)
{
	const json_t *value = first(row, column);

	return json_is_boolean(value) ? json_is_true(value) : def;
}

void ovsdb_get_map(const json_t *row, const char *column, struct smap *map)
{
	const json_t *pairs = tagged(json_object_get(row, column), "map"), *pair;
	size_t i;

	json_array_foreach ((json_t *)pairs, i, pair) {
		const char *key = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));

		if (key && value)
			smap_set(map, key, value);
	}
}

const char *ovsdb_uuid(const json_t *atom)
{
	return json_string_value(tagged(atom, "uuid"));
}

const char *ovsdb_get_uuid(const json_t *row, const char *column)
{
	return ovsdb_uuid(first(row, column));
}

unsigned long *ovsdb_get_vlans(const json_t *row, const char *column)
{
	const json_t *value = json_object_get(row, column);
	size_t n = ovsdb_set_size(value);
	unsigned long *bitmap = NULL;

	for (size_t i = 0; i < n; i++) {
		const json_t *atom = ovsdb_set_get(value, i);
		json_int_t vlan = json_integer_value(atom);

		if (!json_is_integer(atom) || vlan < 0 || vlan > 4095)
			continue;
		if (!bitmap)
			bitmap = bitmap_alloc(4096);
		bitmap_set(bitmap, vlan);
	}
	return bitmap;
}

/* ------------------------------------------------------------------ differences */

static json_t *pack(const char *tag, json_t *array)
{
	return json_pack("[so]", tag, array);
}

static ssize_t find_atom(const json_t *array, const json_t *atom)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_equal(json_array_get(array, i), atom))
			return (ssize_t)i;
	return -1;
}

static json_t *set_copy(const json_t *value)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ovsdb_set_size(value); i++)
		json_array_append(array, (json_t *)ovsdb_set_get(value, i));
	return array;
}

/* Elements that are in just one of both. */
static json_t *toggle(const json_t *old, const json_t *diff)
{
	json_t *result = set_copy(old);

	for (size_t i = 0; i < ovsdb_set_size(diff); i++) {
		const json_t *atom = ovsdb_set_get(diff, i);
		ssize_t at = find_atom(result, atom);

		if (at >= 0)
			json_array_remove(result, at);
		else
			json_array_append(result, (json_t *)atom);
	}
	return result;
}

/* Pairs of DIFF that OLD has as they are go; others are set. */
static json_t *change_map(const json_t *old, const json_t *diff)
{
	json_t *result = json_array();
	const json_t *old_pairs = tagged(old, "map"), *diff_pairs = tagged(diff, "map");

	for (size_t i = 0; i < json_array_size(old_pairs); i++)
		json_array_append(result, json_array_get(old_pairs, i));
	for (size_t i = 0; i < json_array_size(diff_pairs); i++) {
		json_t *pair = json_array_get(diff_pairs, i);
		bool gone = false;

		for (size_t j = 0; j < json_array_size(result); j++) {
			json_t *have = json_array_get(result, j);

			if (!json_equal(json_array_get(have, 0), json_array_get(pair, 0)))
				continue;
			gone = json_equal(have, pair);
			json_array_remove(result, j);
			break;
		}
		if (!gone)
			json_array_append(result, pair);
	}
	return result;
}

json_t *ovsdb_apply_diff(const json_t *old, const json_t *diff, bool is_map, bool max_one)
{
	if (is_map)
		return pack("map", change_map(old, diff));
	/* One element at most: a single one that differs from the old is the new value. */
	if (max_one && ovsdb_set_size(diff) < 2) {
		bool same = ovsdb_set_size(diff) == 1 && ovsdb_set_size(old) == 1 &&
			json_equal(ovsdb_set_get(diff, 0), ovsdb_set_get(old, 0));

		return same ? ovsdb_make_empty() : pack("set", set_copy(diff));
	}
	return pack("set", toggle(old, diff));
}

/* ------------------------------------------------------------------ making values */

json_t *ovsdb_make_empty(void)
{
	return pack("set", json_array());
}

json_t *ovsdb_make_optional_string(const char *value)
{
	return value ? json_string(value) : ovsdb_make_empty();
}

json_t *ovsdb_make_optional_int(bool set, int64_t value)
{
	return set ? json_integer(value) : ovsdb_make_empty();
}

json_t *ovsdb_make_map(const struct smap *map)
{
	const struct smap_node **nodes = smap_sort(map);
	json_t *pairs = json_array();

	for (size_t i = 0; i < smap_count(map); i++)
		json_array_append_new(pairs, json_pack("[ss]", nodes[i]->key, nodes[i]->value));
	free(nodes);
	return pack("map", pairs);
}

json_t *ovsdb_make_set(const char *const *strings, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(strings[i]));
	return pack("set", array);
}
