/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/jsonrpc.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/reconnect.h"
#include "lib/util.h"
#include "tools/sluiced/ovsdb/ovsdb_replica.h"

LOG_MODULE(ovsdb_idl);

#define OVSDB_PORT 6640
#define TURN_MS 500
/* The replica's size is bounded, whatever the server says. */
#define MAX_WEIGHT (UINT64_C(256) * 1024 * 1024)
#define ZERO_UUID "00000000-0000-0000-0000-000000000000"

enum state { ST_DISCONNECTED, ST_SCHEMA, ST_MONITOR, ST_SYNCED };

enum monitor_method { MONITOR_COND_SINCE, MONITOR_COND, MONITOR_PLAIN, MONITOR_N };

static const char *const monitor_names[] = {"monitor_cond_since", "monitor_cond", "monitor"};

struct transaction {
	struct list node;
	int64_t id;
	void (*done)(bool success, const char *why, void *aux);
	void *aux;
};

struct ovsdb_client {
	struct event_loop *loop;
	struct event_timer *timer;
	struct reconnect *fsm;
	struct jsonrpc *rpc;
	char *remote, *database, *lock;
	const struct ovsdb_table_spec *specs;
	const struct ovsdb_client_callbacks *cb;
	void *aux;

	enum state state;
	enum monitor_method method;
	int64_t schema_id, monitor_id, lock_id, probe_id;
	bool has_lock, said_no_lock;
	char *last_txn_id;	/* For monitor_cond_since. */
	struct ovsdb_replica replica;
	struct list transactions;
};

const struct shash *ovsdb_client_rows(const struct ovsdb_client *c, const char *table)
{
	return ovsdb_replica_rows(&c->replica, table);
}

const json_t *ovsdb_client_row(const struct ovsdb_client *c, const char *table, const char *uuid)
{
	return uuid ? shash_get(ovsdb_client_rows(c, table), uuid) : NULL;
}

bool ovsdb_client_has_column(const struct ovsdb_client *c, const char *table, const char *column)
{
	return ovsdb_replica_has_column(&c->replica, table, column);
}

bool ovsdb_client_is_ready(const struct ovsdb_client *c)
{
	return c->state == ST_SYNCED && c->has_lock;
}

bool ovsdb_client_is_locked_out(const struct ovsdb_client *c)
{
	return c->state == ST_SYNCED && c->said_no_lock && !c->has_lock;
}

/* ------------------------------------------------------------------ conversation */

static void forget(struct ovsdb_client *c)
{
	ovsdb_replica_clear(&c->replica);
	free(c->last_txn_id);
	c->last_txn_id = NULL;
}

static void send_schema_request(struct ovsdb_client *c)
{
	c->state = ST_SCHEMA;
	jsonrpc_request(c->rpc, "set_db_change_aware", json_pack("[b]", 1), NULL);
	jsonrpc_request(c->rpc, "get_schema", json_pack("[s]", c->database), &c->schema_id);
	jsonrpc_request(c->rpc, "lock", json_pack("[s]", c->lock), &c->lock_id);
}

/* Those of COLUMNS that the schema has. */
static json_t *known_columns(const struct ovsdb_client *c, const char *table,
	const char *const *columns)
{
	json_t *array = json_array();

	for (size_t i = 0; columns && columns[i]; i++)
		if (ovsdb_replica_has_column(&c->replica, table, columns[i]))
			json_array_append_new(array, json_string(columns[i]));
	return array;
}

/* {"Bridge": [{"columns": [...]}], ...} with what the schema has. */
static json_t *monitor_requests(const struct ovsdb_client *c)
{
	json_t *requests = json_object();

	for (const struct ovsdb_table_spec *spec = c->specs; spec->table; spec++) {
		json_t *array, *once;

		if (!ovsdb_replica_has_table(&c->replica, spec->table))
			continue;
		array = json_pack("[{so}]", "columns", known_columns(c, spec->table, spec->columns));
		once = known_columns(c, spec->table, spec->once);
		if (json_array_size(once))
			json_array_append_new(array, json_pack("{sOs{sb}}", "columns", once,
				"select", "modify", 0));
		json_decref(once);
		json_object_set_new(requests, spec->table, array);
	}
	return requests;
}

static void send_monitor_request(struct ovsdb_client *c)
{
	json_t *params = json_pack("[sso]", c->database, c->database, monitor_requests(c));

	c->state = ST_MONITOR;
	if (c->method == MONITOR_COND_SINCE)
		json_array_append_new(params, json_string(c->last_txn_id ? c->last_txn_id : ZERO_UUID));
	jsonrpc_request(c->rpc, monitor_names[c->method], params, &c->monitor_id);
}

static void synced(struct ovsdb_client *c)
{
	if (c->replica.too_heavy)
		return;
	c->state = ST_SYNCED;
	if (c->cb->reconnected)
		c->cb->reconnected(c->aux);
	c->cb->changed(c->aux);
}

static void set_last_txn(struct ovsdb_client *c, const json_t *id)
{
	if (!json_is_string(id))
		return;
	free(c->last_txn_id);
	c->last_txn_id = xstrdup(json_string_value(id));
}

static void got_monitor_reply(struct ovsdb_client *c, json_t *result)
{
	if (c->method == MONITOR_COND_SINCE) {
		json_t *id = json_array_get(result, 1);

		if (!json_is_true(json_array_get(result, 0)))
			forget(c);
		set_last_txn(c, id);
		ovsdb_replica_update2(&c->replica, json_array_get(result, 2));
	} else {
		forget(c);
		if (c->method == MONITOR_COND)
			ovsdb_replica_update2(&c->replica, result);
		else
			ovsdb_replica_update(&c->replica, result);
	}
	synced(c);
}

static void transaction_finish(struct transaction *t, bool success, const char *why)
{
	list_remove(&t->node);
	t->done(success, why, t->aux);
	free(t);
}

/* Each operation has a result; any of them may hold an error (RFC 7047 4.1.3). */
static void got_transaction_reply(struct transaction *t, const json_t *result)
{
	size_t n = json_array_size(result);

	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(result, i);
		const char *error = json_string_value(json_object_get(one, "error"));

		if (error) {
			const char *details = json_string_value(json_object_get(one, "details"));
			char *why = xasprintf("%s: %s", error, details ? details : "");

			transaction_finish(t, false, why);
			free(why);
			return;
		}
	}
	transaction_finish(t, json_is_array(result), "malformed reply");
}

static struct transaction *find_transaction(struct ovsdb_client *c, int64_t id)
{
	struct transaction *t;

	LIST_FOR_EACH (t, node, &c->transactions)
		if (t->id == id)
			return t;
	return NULL;
}

static void set_lock(struct ovsdb_client *c, bool locked)
{
	if (!locked && !c->said_no_lock) {
		c->said_no_lock = true;
		log_err("another ovs-vswitchd process is running, disabling this process until it goes away");
	}
	if (locked)
		c->said_no_lock = false;
	if (c->has_lock == locked)
		return;
	c->has_lock = locked;
	if (c->state == ST_SYNCED)
		c->cb->changed(c->aux);
}

static void got_reply(struct ovsdb_client *c, const struct jsonrpc_msg *msg)
{
	int64_t id = json_integer_value(msg->id);
	struct transaction *t;

	if (id == c->schema_id && c->state == ST_SCHEMA) {
		if (ovsdb_replica_set_schema(&c->replica, json_object_get(msg->result, "tables"))) {
			log_err("%s: malformed schema", c->remote);
			reconnect_force(c->fsm, clock_ms());
			return;
		}
		send_monitor_request(c);
	} else if (id == c->lock_id) {
		set_lock(c, json_is_true(json_object_get(msg->result, "locked")));
	} else if (id == c->monitor_id && c->state == ST_MONITOR) {
		got_monitor_reply(c, msg->result);
	} else if ((t = find_transaction(c, id))) {
		got_transaction_reply(t, msg->result);
	}
}

static void got_error(struct ovsdb_client *c, const struct jsonrpc_msg *msg)
{
	int64_t id = json_integer_value(msg->id);
	struct transaction *t;
	char *why;

	if (id == c->monitor_id && c->state == ST_MONITOR && c->method + 1 < MONITOR_N) {
		/* An older server: the next simpler method. */
		c->method++;
		send_monitor_request(c);
		return;
	}
	why = json_dumps(msg->error, JSON_ENCODE_ANY | JSON_COMPACT);
	if (id == c->schema_id || id == c->monitor_id) {
		/* Perhaps it will have it later. */
		log_err("%s: server refuses the %s database: %s", c->remote, c->database, why);
		reconnect_force(c->fsm, clock_ms());
	} else if ((t = find_transaction(c, id))) {
		transaction_finish(t, false, why);
	}
	free(why);
}

static void got_notify(struct ovsdb_client *c, const struct jsonrpc_msg *msg)
{
	if (!strcmp(msg->method, "update3")) {
		set_last_txn(c, json_array_get(msg->params, 1));
		ovsdb_replica_update2(&c->replica, json_array_get(msg->params, 2));
	} else if (!strcmp(msg->method, "update2")) {
		ovsdb_replica_update2(&c->replica, json_array_get(msg->params, 1));
	} else if (!strcmp(msg->method, "update")) {
		ovsdb_replica_update(&c->replica, json_array_get(msg->params, 1));
	} else if (!strcmp(msg->method, "locked") || !strcmp(msg->method, "stolen")) {
		set_lock(c, *msg->method == 'l');
		return;
	} else if (!strcmp(msg->method, "monitor_canceled")) {
		/* The database was converted to another schema: ask for everything anew. */
		forget(c);
		send_schema_request(c);
		return;
	} else {
		return;
	}
	if (c->state == ST_SYNCED && !c->replica.too_heavy)
		c->cb->changed(c->aux);
}

/* A replica that is not whole is none. */
static void refuse_if_too_heavy(struct ovsdb_client *c)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);

	if (!c->replica.too_heavy)
		return;
	c->replica.too_heavy = false;
	log_err_rl(&rl, "%s: the database is larger than %u MB, disconnecting", c->remote,
		(unsigned int)(MAX_WEIGHT >> 20));
	forget(c);
	reconnect_force(c->fsm, clock_ms());
	event_timer_start(c->timer, 1, 0);
}

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *msg, void *aux)
{
	struct ovsdb_client *c = aux;

	(void)rpc;
	reconnect_received(c->fsm, clock_ms());
	switch (msg->type) {
	case JSONRPC_REPLY:
		got_reply(c, msg);
		break;
	case JSONRPC_ERROR:
		got_error(c, msg);
		break;
	case JSONRPC_NOTIFY:
		got_notify(c, msg);
		break;
	case JSONRPC_REQUEST:
		jsonrpc_reply_error(c->rpc, json_string("unknown method"), json_incref(msg->id));
		break;
	}
	refuse_if_too_heavy(c);
}

/* ------------------------------------------------------------------ connection */

static void disconnect(struct ovsdb_client *c)
{
	struct transaction *t;

	jsonrpc_close(c->rpc);
	c->rpc = NULL;
	c->state = ST_DISCONNECTED;
	c->has_lock = false;
	c->method = MONITOR_COND_SINCE;
	while ((t = LIST_TO(list_front(&c->transactions), struct transaction, node)))
		transaction_finish(t, false, "connection lost");
}

static void on_connected(struct jsonrpc *rpc, void *aux)
{
	struct ovsdb_client *c = aux;

	(void)rpc;
	reconnect_connected(c->fsm, clock_ms());
	send_schema_request(c);
}

static void turn(void *aux);

static void on_closed(struct jsonrpc *rpc, int error, void *aux)
{
	struct ovsdb_client *c = aux;

	(void)rpc;
	disconnect(c);
	reconnect_disconnected(c->fsm, clock_ms(), error);
	turn(c);
}

static const struct jsonrpc_callbacks rpc_callbacks = {
	.connected = on_connected,
	.message = on_message,
	.closed = on_closed,
};

static void connect_now(struct ovsdb_client *c)
{
	int error = jsonrpc_open(c->loop, c->remote, OVSDB_PORT, &rpc_callbacks, c, &c->rpc);

	if (error) {
		c->rpc = NULL;
		reconnect_connect_failed(c->fsm, clock_ms(), error);
		return;
	}
	jsonrpc_set_auto_echo(c->rpc, true);
	reconnect_connecting(c->fsm, clock_ms());
}

/* Does what the state machine asks for, and sets the timer for its next wish. */
static void turn(void *aux)
{
	struct ovsdb_client *c = aux;
	int64_t wait;

	for (int i = 0; i < 4; i++) {
		switch (reconnect_run(c->fsm, clock_ms())) {
		case RECONNECT_CONNECT:
			connect_now(c);
			break;
		case RECONNECT_DISCONNECT:
			disconnect(c);
			reconnect_disconnected(c->fsm, clock_ms(), -ETIMEDOUT);
			break;
		case RECONNECT_PROBE:
			jsonrpc_request(c->rpc, "echo", json_array(), &c->probe_id);
			i = 4;
			break;
		case RECONNECT_NOTHING:
			i = 4;
			break;
		}
	}
	wait = reconnect_timeout(c->fsm, clock_ms());
	event_timer_start(c->timer, wait < 0 || wait > TURN_MS ? TURN_MS : MAX(wait, (int64_t)1), 0);
}

int ovsdb_client_create(struct event_loop *loop, const char *remote, const char *database,
	const char *lock, const struct ovsdb_table_spec *tables,
	const struct ovsdb_client_callbacks *cb, void *aux, struct ovsdb_client **client)
{
	struct ovsdb_client *c;

	if (!stream_name_is_valid(remote))
		return -EINVAL;
	c = xcalloc(1, sizeof *c);
	c->loop = loop;
	c->remote = xstrdup(remote);
	c->database = xstrdup(database);
	c->lock = xstrdup(lock);
	c->specs = tables;
	c->cb = cb;
	c->aux = aux;
	ovsdb_replica_init(&c->replica, tables, MAX_WEIGHT);
	list_init(&c->transactions);
	c->timer = event_timer_create(loop, turn, c);
	c->fsm = reconnect_create(clock_ms());
	reconnect_set_name(c->fsm, remote);
	reconnect_set_probe_interval(c->fsm, stream_name_needs_probes(remote) ? 5000 : 0);
	reconnect_enable(c->fsm, clock_ms());
	*client = c;
	turn(c);
	return 0;
}

void ovsdb_client_destroy(struct ovsdb_client *c)
{
	if (!c)
		return;
	disconnect(c);
	ovsdb_replica_uninit(&c->replica);
	free(c->last_txn_id);
	event_timer_destroy(c->timer);
	reconnect_destroy(c->fsm);
	free(c->remote);
	free(c->database);
	free(c->lock);
	free(c);
}

/* Appends to PARAMS those of OPERATIONS that the schema has a table for, rows without columns that it
 * lacks. */
static void put_operations(const struct ovsdb_client *c, json_t *params, json_t *operations)
{
	json_t *operation, *value;
	const char *column;
	size_t i;
	void *next;

	json_array_foreach (operations, i, operation) {
		const char *table = json_string_value(json_object_get(operation, "table"));
		json_t *row = json_object_get(operation, "row");

		if (table && !ovsdb_replica_has_table(&c->replica, table))
			continue;
		json_object_foreach_safe (row, next, column, value)
			if (!ovsdb_client_has_column(c, table, column))
				json_object_del(row, column);
		json_array_append(params, operation);
	}
}

int ovsdb_client_transact(struct ovsdb_client *c, json_t *operations,
	void (*done)(bool success, const char *why, void *aux), void *aux)
{
	struct transaction *t;
	json_t *params;
	int64_t id;
	int error;

	if (c->state != ST_SYNCED) {
		json_decref(operations);
		return -ENOTCONN;
	}
	params = json_pack("[s{ssss}]", c->database, "op", "assert", "lock", c->lock);
	put_operations(c, params, operations);
	json_decref(operations);
	error = jsonrpc_request(c->rpc, "transact", params, &id);
	if (error)
		return error;
	t = xcalloc(1, sizeof *t);
	t->id = id;
	t->done = done;
	t->aux = aux;
	list_push_back(&c->transactions, &t->node);
	return 0;
}
