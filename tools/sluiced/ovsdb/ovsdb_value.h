/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading and making OVSDB values (RFC 7047 section 5.1). A missing column, and a value of another
 * type than expected, read as "not set": schemas differ. Pure.
 */

#include <jansson.h>

#include "lib/smap.h"
#include "lib/types.h"

/* Elements of a set, or the one atom: an array that lives as long as VALUE, or NULL with *SINGLE. */
size_t ovsdb_set_size(const json_t *value);
const json_t *ovsdb_set_get(const json_t *value, size_t i);

/* ROW may be NULL. */
const char *ovsdb_get_string(const json_t *row, const char *column);	/* NULL if not set. */
int64_t ovsdb_get_int(const json_t *row, const char *column, int64_t def);
bool ovsdb_get_bool(const json_t *row, const char *column, bool def);
void ovsdb_get_map(const json_t *row, const char *column, struct smap *map);
const char *ovsdb_get_uuid(const json_t *row, const char *column);	/* First reference; NULL. */
/* The UUID that a set's element refers to; NULL if it is none. */
const char *ovsdb_uuid(const json_t *atom);
/* A set of integers 0..4095 as a bitmap (caller frees); NULL if empty. */
unsigned long *ovsdb_get_vlans(const json_t *row, const char *column);

/* OLD with DIFF of monitor_cond's "modify" applied (ovsdb-server(7) 4.1.15). MAX_ONE: the column holds
 * at most one element; IS_MAP by its type. New reference. */
json_t *ovsdb_apply_diff(const json_t *old, const json_t *diff, bool is_map, bool max_one);

/* New references. */
json_t *ovsdb_make_optional_string(const char *value);	/* NULL: the empty set. */
json_t *ovsdb_make_optional_int(bool set, int64_t value);
json_t *ovsdb_make_map(const struct smap *map);
json_t *ovsdb_make_set(const char *const *strings, size_t n);
json_t *ovsdb_make_empty(void);
