/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * JSON-RPC 1.0 as OVSDB (RFC 7047 section 4) and unixctl speak it, over a stream. Messages may come
 * in any pieces; a peer that sends anything else than messages, or one too large or too deep, gets
 * the connection closed (closed() with -EPROTO). Memory is bounded by the limits.
 *
 * Ownership: as in jansson, a function that says "steals" takes over the caller's reference even if
 * it fails. Callbacks come from the loop only. Each jsonrpc ends with one jsonrpc_close() by its
 * owner, also after closed(). Control thread only.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/stream.h"

struct jsonrpc;

enum jsonrpc_type {
	JSONRPC_REQUEST,
	JSONRPC_NOTIFY,
	JSONRPC_REPLY,
	JSONRPC_ERROR
};

/* All borrowed for the time of the callback (json_incref() to keep). */
struct jsonrpc_msg {
	enum jsonrpc_type type;
	const char *method; /* request, notify */
	json_t *params;     /* request, notify: an array */
	json_t *result;     /* reply; may be JSON null */
	json_t *error;      /* error: anything but null */
	json_t *id;         /* request, reply, error */
};

struct jsonrpc_callbacks {
	void (*connected)(struct jsonrpc *rpc, void *aux); /* may be NULL */
	void (*message)(struct jsonrpc *rpc, const struct jsonrpc_msg *msg, void *aux);
	void (*drained)(struct jsonrpc *rpc, void *aux); /* nothing queued any more; may be NULL */
	void (*closed)(struct jsonrpc *rpc, int error, void *aux);
};

#define JSONRPC_MAX_MESSAGE (64 * 1024 * 1024) /* defaults */
#define JSONRPC_MAX_VALUES (4 * 1024 * 1024)
#define JSONRPC_MAX_DEPTH 100

/* Errors as stream_open(). */
int jsonrpc_open(struct event_loop *loop, const char *name, uint16_t default_port,
	const struct jsonrpc_callbacks *cb, void *aux, struct jsonrpc **rpcp);

/* Takes over STREAM. */
struct jsonrpc *jsonrpc_from_stream(struct event_loop *loop, struct stream *stream,
	const struct jsonrpc_callbacks *cb, void *aux);
void jsonrpc_close(struct jsonrpc *rpc);

/* Largest message from the peer and most values in it, and most bytes queued towards the peer. */
void jsonrpc_set_limits(struct jsonrpc *rpc, size_t max_rx_message, size_t max_rx_values,
	size_t max_tx_queued);

/* "echo" requests are answered here, and the owner doesn't see them. */
void jsonrpc_set_auto_echo(struct jsonrpc *rpc, bool auto_echo);

/* Stops and resumes messages. */
void jsonrpc_pause_rx(struct jsonrpc *rpc, bool pause);

/* 0, -ENOBUFS (too much queued), -EPIPE (dead). All steal their JSON arguments. *IDP, if not
 * NULL, is the number chosen as id. */
int jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *params, int64_t *idp);
int jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params);
int jsonrpc_reply(struct jsonrpc *rpc, json_t *result, json_t *id);
int jsonrpc_reply_error(struct jsonrpc *rpc, json_t *error, json_t *id);

const char *jsonrpc_name(const struct jsonrpc *rpc);

/* Sorts JSON into *MSG, which borrows from it. -EPROTO if it is no JSON-RPC message. Pure. */
int jsonrpc_msg_parse(json_t *json, struct jsonrpc_msg *msg);
