/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/json_frame.h"
#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/sbuf.h"
#include "lib/util.h"
#include "tests/support/turn_until.h"

/* Sizes of the texts found in TEXT fed in pieces of STEP bytes, as in "7 2 ", ending with the
 * error. */
static char *frames(const char *text, size_t step, size_t max_size)
{
	struct sbuf sb = SBUF_INITIALIZER;
	struct json_frame frame;
	size_t len = strlen(text), used, skipped;
	int ret = 0;

	json_frame_init(&frame, max_size, 12, 3);
	while (len && ret >= 0) {
		size_t n = MIN(step, len);

		ret = json_frame_feed(&frame, text, n, &used, &skipped);
		if (ret < 0)
			break;
		text += used;
		len -= used;
		if (ret)
			sbuf_putf(&sb, "%zu ", frame.size);
	}
	if (ret < 0)
		sbuf_puts(&sb, strerror(-ret));
	return sbuf_steal(&sb);
}

static void framing(void **state)
{
	static const char *const cases[][2] = {
		{"{}[]", "2 2 "},
		{" \n{\"a\":\"}]\\\"\\\\\"} \t[1,[2]]", "14 7 "},
		{"{\"a", ""},
		{"[[[[", "Argument list too long"},
		{"{}x", "2 Bad message"},
		{"[\"\n\"]", "Bad message"},
		{"1", "Bad message"},
		{"[12345678901234567890]", "Message too long"},
		{"[]]", "2 Bad message"},
		{"[0,1,2,3,4]{\"a\":1}", "11 7 "},
		{"[[],[],[],[],[],[],[", "Message too long"},
		{"[,,,,,,,,,,,,,,]", "Message too long"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t step = 1; step < 12; step++) {
			char *got = frames(cases[i][0], step, 20);

			assert_string_equal(got, cases[i][1]);
			free(got);
		}
}

static void classification(void **state)
{
	static const struct {
		const char *text;
		int type; /* or -EPROTO */
	} cases[] = {
		{"{\"method\":\"m\",\"params\":[],\"id\":0}", JSONRPC_REQUEST},
		{"{\"method\":\"m\",\"params\":[],\"id\":null}", JSONRPC_NOTIFY},
		{"{\"method\":\"m\",\"params\":[]}", JSONRPC_NOTIFY},
		{"{\"result\":{},\"error\":null,\"id\":\"x\"}", JSONRPC_REPLY},
		{"{\"result\":null,\"error\":null,\"id\":1}", JSONRPC_REPLY},
		{"{\"result\":null,\"error\":\"e\",\"id\":1}", JSONRPC_ERROR},
		{"{\"error\":{\"error\":\"e\"},\"id\":1}", JSONRPC_ERROR},
		{"{\"result\":1,\"id\":null}", -EPROTO},
		{"{\"id\":1}", -EPROTO},
		{"{\"method\":5,\"params\":[],\"id\":0}", -EPROTO},
		{"{\"method\":\"m\",\"params\":{},\"id\":0}", -EPROTO},
		{"{\"method\":\"m\",\"id\":0}", -EPROTO},
		{"[]", -EPROTO},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = json_loads(cases[i].text, 0, NULL);
		struct jsonrpc_msg msg;
		int err = jsonrpc_msg_parse(json, &msg);

		assert_int_equal(err ? err : (int)msg.type, cases[i].type);
		json_decref(json);
	}
}

struct end {
	struct jsonrpc *rpc;
	struct sbuf log; /* what came, one message a line */
	int n_messages, n_closed, error;
	bool answer, close_in_message;
};

static struct event_loop *loop;
static struct pstream *listener;
static struct end server, client;
static struct stream *raw; /* instead of client.rpc */
static char path[64];

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_msg *msg, void *aux)
{
	struct end *end = aux;
	char *params = json_dumps(msg->params   ? msg->params
				  : msg->result ? msg->result
						: msg->error,
		JSON_COMPACT | JSON_ENCODE_ANY);

	sbuf_putf(&end->log, "%d %s %s\n", msg->type, msg->method ? msg->method : "-", params);
	free(params);
	end->n_messages++;
	if (end->answer && msg->type == JSONRPC_REQUEST) {
		if (!strcmp(msg->method, "fail"))
			jsonrpc_reply_error(rpc, json_string("no"), json_incref(msg->id));
		else
			jsonrpc_reply(rpc, json_incref(msg->params), json_incref(msg->id));
	}
	if (end->close_in_message) {
		jsonrpc_close(rpc);
		end->rpc = NULL;
	}
}

static void on_closed(struct jsonrpc *rpc, int error, void *aux)
{
	struct end *end = aux;

	end->n_closed++;
	end->error = error;
	jsonrpc_close(rpc);
	end->rpc = NULL;
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static void on_accept(struct pstream *pstream, struct stream *stream, void *aux)
{
	server.rpc = jsonrpc_from_stream(loop, stream, &callbacks, &server);
}

static void raw_closed(struct stream *stream, int error, void *aux)
{
}

static void raw_readable(struct stream *stream, void *aux)
{
}

static const struct stream_callbacks raw_callbacks = {
	.readable = raw_readable, .closed = raw_closed};

static int setup(void **state)
{
	char *name;

	free(log_set_from_string("off"));
	server = client = (struct end){0};
	loop = event_loop_create();
	snprintf(path, sizeof(path), "/tmp/test_jsonrpc.%ld", (long)getpid());
	name = xasprintf("punix:%s", path);
	assert_int_equal(pstream_open(loop, name, 0, -1, on_accept, NULL, &listener), 0);
	free(name);
	return 0;
}

static int teardown(void **state)
{
	jsonrpc_close(server.rpc);
	jsonrpc_close(client.rpc);
	stream_close(raw);
	raw = NULL;
	sbuf_uninit(&server.log);
	sbuf_uninit(&client.log);
	pstream_close(listener);
	event_loop_destroy(loop);
	return 0;
}

static void connect_client(void)
{
	char *name = xasprintf("unix:%s", path);

	assert_int_equal(jsonrpc_open(loop, name, 0, &callbacks, &client, &client.rpc), 0);
	free(name);
	TURN_UNTIL(loop, server.rpc);
}

static void connect_raw(void)
{
	char *name = xasprintf("unix:%s", path);

	assert_int_equal(stream_open(loop, name, 0, -1, &raw_callbacks, NULL, &raw), 0);
	free(name);
	TURN_UNTIL(loop, server.rpc);
}

static void conversation(void **state)
{
	int64_t id = -1;

	connect_client();
	server.answer = true;
	jsonrpc_set_auto_echo(client.rpc, true);
	assert_int_equal(jsonrpc_request(client.rpc, "do", json_pack("[i]", 5), &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(jsonrpc_request(client.rpc, "fail", json_array(), NULL), 0);
	assert_int_equal(jsonrpc_notify(client.rpc, "news", json_pack("[s]", "x")), 0);
	TURN_UNTIL(loop, server.n_messages == 3 && client.n_messages == 2);
	assert_string_equal(sbuf_cstr(&server.log), "0 do [5]\n0 fail []\n1 news [\"x\"]\n");
	assert_string_equal(sbuf_cstr(&client.log), "2 - [5]\n3 - \"no\"\n");
	assert_int_equal(jsonrpc_request(server.rpc, "echo", json_pack("[s]", "e"), NULL), 0);
	TURN_UNTIL(loop, server.n_messages == 4);
	assert_int_equal(client.n_messages, 2);
	assert_non_null(strstr(sbuf_cstr(&server.log), "2 - [\"e\"]\n"));
	jsonrpc_close(server.rpc);
	server.rpc = NULL;
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(client.error, 0);
}

/* Many messages, in one write and byte by byte, and more after a pause. */
static void pieces(void **state)
{
	static const char text[] = "{\"method\":\"m\",\"params\":[\"{\\\"\"],\"id\":null} ";
	struct sbuf sb = SBUF_INITIALIZER;

	connect_raw();
	for (int i = 0; i < 20000; i++)
		sbuf_puts(&sb, text);
	assert_int_equal(stream_write(raw, sb.data, sb.len), 0);
	sbuf_uninit(&sb);
	TURN_UNTIL(loop, server.n_messages == 20000);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(stream_write(raw, &text[i], 1), 0);
		event_run_once(loop, 0);
		event_run_once(loop, 0);
	}
	TURN_UNTIL(loop, server.n_messages == 20001);
	jsonrpc_pause_rx(server.rpc, true);
	assert_int_equal(stream_write(raw, text, sizeof(text) - 1), 0);
	for (int i = 0; i < 10; i++)
		event_run_once(loop, 0);
	assert_int_equal(server.n_messages, 20001);
	jsonrpc_pause_rx(server.rpc, false);
	TURN_UNTIL(loop, server.n_messages == 20002);
	/* Messages before the end come before the end, half a one doesn't. */
	assert_int_equal(stream_write(raw, text, sizeof(text) - 1), 0);
	assert_int_equal(stream_write(raw, text, 5), 0);
	while (stream_tx_queued(raw))
		event_run_once(loop, 0);
	stream_close(raw);
	raw = NULL;
	TURN_UNTIL(loop, server.n_closed);
	assert_int_equal(server.n_messages, 20003);
	assert_int_equal(server.error, 0);
}

static void bad_peers(void **state)
{
	static const char *const bad[] = {"x", "{\"id\":1}", "[]", "{\"a\":}", "{\"a\" \"b\"}",
		"{\"\xff\":1}", "{\"a\":1e999999}", "{]"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		connect_raw();
		assert_int_equal(stream_write(raw, bad[i], strlen(bad[i])), 0);
		TURN_UNTIL(loop, server.n_closed == (int)i + 1);
		assert_int_equal(server.error, -EPROTO);
		assert_null(server.rpc);
		stream_close(raw);
	}
	connect_raw();
	jsonrpc_set_limits(server.rpc, 1000, 100, 1000);
	server.n_closed = 0;
	for (int i = 0; i < 200 && !server.n_closed; i++) {
		stream_write(raw, "[11111111111", i ? 10 : 12);
		event_run_once(loop, 0);
	}
	TURN_UNTIL(loop, server.n_closed);
	assert_int_equal(server.n_messages, 0);
}

static void close_in_callback(void **state)
{
	connect_client();
	server.close_in_message = true;
	for (int i = 0; i < 3; i++)
		jsonrpc_notify(client.rpc, "n", json_array());
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(server.n_messages, 1);
	assert_int_equal(server.n_closed, 0);
}

static void queue_limit(void **state)
{
	int err = 0;

	connect_client();
	jsonrpc_pause_rx(server.rpc, true);
	jsonrpc_set_limits(client.rpc, 1000, 100, 10000);
	for (int i = 0; i < 1000 && !err; i++)
		err = jsonrpc_notify(client.rpc, "n", json_pack("[s]", "xxxxxxxxxxxxxxxxxxxxxxxx"));
	assert_int_equal(err, -ENOBUFS);
}

#define RPC_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing),
		cmocka_unit_test(classification),
		RPC_TEST(conversation),
		RPC_TEST(pieces),
		RPC_TEST(bad_peers),
		RPC_TEST(close_in_callback),
		RPC_TEST(queue_limit),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
