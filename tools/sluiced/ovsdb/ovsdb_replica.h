/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The copy of what is monitored of a database: its schema and, by table and UUID, rows. It is fed with
 * the server's updates and says what is there; see ovsdb_client.h for who talks to the server.
 *
 * Rows are jansson objects, column -> value in OVSDB's JSON (["set", ...], ["map", ...], ["uuid", ...]
 * or a plain atom); read them with ovsdb_value.h. They are the replica's, and good until it is fed again.
 *
 * Updates are not trusted: tables that nobody asked for are passed over, and memory is bounded. Control
 * thread only.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/shash.h"

/* What to monitor: ended by a NULL table. */
struct ovsdb_table_spec {
	const char *table;
	const char *const *columns;	/* NULL-terminated. */
	const char *const *once;	/* Read when a row is first seen, changes are not followed (the
					 * columns that are written by ourselves); NULL: none. */
};

struct ovsdb_replica {
	json_t *schema;		/* "tables" object of the server's; NULL: not known yet. */
	struct shash tables;	/* Name -> struct shash * (UUID -> json_t *). */
	uint64_t weight;	/* About how many bytes all rows take. */
	uint64_t max_weight;
	bool too_heavy;		/* An update went beyond that: the replica is not whole any more. */
};

/* SPECS: the tables that it holds. */
void ovsdb_replica_init(struct ovsdb_replica *replica, const struct ovsdb_table_spec *specs,
	uint64_t max_weight);
void ovsdb_replica_uninit(struct ovsdb_replica *replica);
/* Forgets all rows, not the schema. */
void ovsdb_replica_clear(struct ovsdb_replica *replica);

/* TABLES: the object of that name in a <database-schema> (RFC 7047 3.2). -EPROTO if it is none. */
int ovsdb_replica_set_schema(struct ovsdb_replica *replica, json_t *tables);
bool ovsdb_replica_has_table(const struct ovsdb_replica *replica, const char *table);
bool ovsdb_replica_has_column(const struct ovsdb_replica *replica, const char *table,
	const char *column);

/* UPDATES: <table-updates> of RFC 7047 4.1.6; <table-updates2> of ovsdb-server(7). */
void ovsdb_replica_update(struct ovsdb_replica *replica, json_t *updates);
void ovsdb_replica_update2(struct ovsdb_replica *replica, json_t *updates);

/* Rows of TABLE: UUID -> json_t *; empty if there is no such table. */
const struct shash *ovsdb_replica_rows(const struct ovsdb_replica *replica, const char *table);
