/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dirs.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/jsonrpc.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/sbuf.h"
#include "lib/unixctl.h"
#include "lib/unixctl_conn.h"

LOG_MODULE(unixctl);

#define MAX_CLIENTS 128
#define MAX_REQUEST (1024 * 1024)
#define MAX_ARGS 16384
#define MAX_REPLY (256 * 1024 * 1024)

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(5, 5);

struct unixctl_server {
	struct event_loop *loop;
	struct pstream *listener;
	char *path;
	struct list clients; /* oldest first */
	size_t n_clients;
};

/* A connection. It reads no further request until the answer to the one before is on its way. */
struct client {
	struct list node;
	struct unixctl_server *server;
	struct jsonrpc *rpc;
	struct request *request; /* NULL: idle */
};

struct request {
	struct unixctl_conn conn;
	struct client *client; /* NULL: hung up */
	json_t *id;
};

static void client_destroy(struct client *client)
{
	if (client->request)
		client->request->client = NULL;
	list_remove(&client->node);
	client->server->n_clients--;
	jsonrpc_close(client->rpc);
	free(client);
}

/* Commands may show bytes from anywhere, but JSON wants UTF-8. */
static json_t *make_string(const char *text)
{
	json_t *json = json_string(text);

	if (!json) {
		struct sbuf sb = SBUF_INITIALIZER;

		sbuf_put_json_string(&sb, text);
		json = json_loads(sbuf_cstr(&sb), JSON_DECODE_ANY, NULL);
		sbuf_uninit(&sb);
	}
	return json;
}

static void answer_request(struct unixctl_conn *conn, bool ok, const char *text)
{
	struct request *request = container_of(conn, struct request, conn);
	struct client *client = request->client;
	json_t *json = make_string(text);
	int err = 0;

	if (client) {
		log_dbg("replying with %s, id=%lld", ok ? "success" : "error",
			(long long)json_integer_value(request->id));
		client->request = NULL;
		if (ok)
			err = jsonrpc_reply(client->rpc, json, request->id);
		else
			err = jsonrpc_reply_error(client->rpc, json, request->id);
		if (err) {
			log_warn_rl(&rl, "reply does not reach the client: %s", strerror(-err));
			jsonrpc_pause_rx(client->rpc, false);
		}
	} else {
		json_decref(json);
		json_decref(request->id);
	}
	free(request);
}

static void run_request(struct client *client, const struct jsonrpc_msg *msg)
{
	size_t n = json_array_size(msg->params);
	const char **argv = xcalloc(n + 2, sizeof(char *));
	struct request *request = xcalloc(1, sizeof(*request));
	bool strings = true;

	request->conn.answer = answer_request;
	request->client = client;
	request->id = json_incref(msg->id);
	client->request = request;
	jsonrpc_pause_rx(client->rpc, true);
	argv[0] = msg->method;
	for (size_t i = 0; i < n; i++) {
		argv[i + 1] = json_string_value(json_array_get(msg->params, i));
		strings &= argv[i + 1] != NULL;
	}
	log_dbg("received request %s, id=%lld", msg->method,
		(long long)json_integer_value(msg->id));
	if (strings)
		unixctl_run(&request->conn, (int)n + 1, argv);
	else
		unixctl_replyf_error(
			&request->conn, "\"%s\" command has non-string argument", msg->method);
	free(argv);
}

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *msg, void *aux)
{
	struct client *client = aux;

	if (msg->type == JSONRPC_REQUEST) {
		run_request(client, msg);
	} else {
		log_warn_rl(&rl, "%s: received unexpected message", jsonrpc_name(rpc));
		client_destroy(client);
	}
}

static void on_drained(struct jsonrpc *rpc, void *aux)
{
	struct client *client = aux;

	if (!client->request)
		jsonrpc_pause_rx(client->rpc, false);
}

static void on_closed(struct jsonrpc *rpc, int error, void *aux)
{
	client_destroy(aux);
}

static const struct jsonrpc_callbacks callbacks = {
	.message = on_message, .drained = on_drained, .closed = on_closed};

/* Makes room: the idle client that has been here longest goes, so that clients that only sit
 * there lock nobody out. */
static bool evict(struct unixctl_server *server)
{
	struct client *client;

	LIST_FOR_EACH (client, node, &server->clients)
		if (!client->request) {
			client_destroy(client);
			return true;
		}
	return false;
}

static void on_accept(struct pstream *listener, struct stream *stream, void *aux)
{
	struct unixctl_server *server = aux;
	struct client *client;

	if (server->n_clients >= MAX_CLIENTS && !evict(server)) {
		stream_close(stream);
		return;
	}
	client = xcalloc(1, sizeof(*client));
	client->server = server;
	client->rpc = jsonrpc_from_stream(server->loop, stream, &callbacks, client);
	jsonrpc_set_limits(client->rpc, MAX_REQUEST, MAX_ARGS, MAX_REPLY);
	list_push_back(&server->clients, &client->node);
	server->n_clients++;
}

int unixctl_server_create(
	struct event_loop *loop, const char *path, struct unixctl_server **serverp)
{
	struct unixctl_server *server;
	char *name;
	int err;

	if (path && !strcmp(path, "none")) {
		*serverp = NULL;
		return 0;
	}
	server = xcalloc(1, sizeof(*server));
	server->loop = loop;
	list_init(&server->clients);
	server->path =
		path ? dirs_abs(dirs_run(), path)
		     : xasprintf("%s/%s.%ld.ctl", dirs_run(), program_name(), (long)getpid());
	name = xasprintf("punix:%s", server->path);
	err = pstream_open(loop, name, 0, -1, on_accept, server, &server->listener);
	free(name);
	if (err) {
		log_err("could not initialize control socket %s (%s)", server->path,
			strerror(-err));
		free(server->path);
		free(server);
		return err;
	}
	*serverp = server;
	return 0;
}

void unixctl_server_destroy(struct unixctl_server *server)
{
	struct client *client;

	if (!server)
		return;
	LIST_FOR_EACH_SAFE (client, node, &server->clients)
		client_destroy(client);
	pstream_close(server->listener);
	free(server->path);
	free(server);
}

const char *unixctl_server_path(const struct unixctl_server *server)
{
	return server ? server->path : NULL;
}
