/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OVSDB client (RFC 7047 and the extensions of ovsdb-server(7)): keeps a replica of the monitored
 * columns of one database, holds a lock, and sends transactions. Reconnects by itself, with backoff;
 * the replica stays readable meanwhile. Monitors with monitor_cond_since, else monitor_cond, else
 * monitor, whatever the server knows; columns that the server's schema lacks are left out.
 *
 * Never trusts the server: what is not as it should be closes the connection with a logged line, and
 * memory is bounded by the limits of lib/jsonrpc.h and of the replica.
 *
 * Rows (see ovsdb_replica.h) are the client's. Control thread only.
 */

#include <jansson.h>

#include "lib/event.h"
#include "tools/sluiced/ovsdb/ovsdb_replica.h"

struct ovsdb_client;

struct ovsdb_client_callbacks {
	/* The replica has changed (and is complete), or the lock was won or lost. */
	void (*changed)(void *aux);
	/* A new connection is monitored: what was written to the server before may be gone. */
	void (*reconnected)(void *aux);
};

/* Starts to connect to REMOTE. 0, or -EINVAL if its name is malformed. */
int ovsdb_client_create(struct event_loop *loop, const char *remote, const char *database,
	const char *lock, const struct ovsdb_table_spec *tables,
	const struct ovsdb_client_callbacks *cb, void *aux, struct ovsdb_client **client);
void ovsdb_client_destroy(struct ovsdb_client *client);

/* The replica is complete, and this process may act on it. */
bool ovsdb_client_is_ready(const struct ovsdb_client *client);
/* Somebody else has the lock. */
bool ovsdb_client_is_locked_out(const struct ovsdb_client *client);
/* Rows of TABLE: UUID -> json_t *; empty if there is no such table. */
const struct shash *ovsdb_client_rows(const struct ovsdb_client *client, const char *table);
const json_t *ovsdb_client_row(const struct ovsdb_client *client, const char *table,
	const char *uuid);
/* The server's schema has this column. */
bool ovsdb_client_has_column(const struct ovsdb_client *client, const char *table,
	const char *column);

/* Sends OPERATIONS (an array; stolen) without what the server's schema lacks, with an assertion of the
 * lock in front. DONE is called once with how it went, also if the connection breaks (false). -ENOTCONN if there is none. */
int ovsdb_client_transact(struct ovsdb_client *client, json_t *operations,
	void (*done)(bool success, const char *why, void *aux), void *aux);
