/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When to connect, when to give up, when to probe: the state machine behind a session, without I/O.
 * The owner reports what happens, with the time in milliseconds, and asks reconnect_run() what to
 * do next.
 *
 *   VOID -> BACKOFF -> CONNECTING -> ACTIVE <-> IDLE -> BACKOFF
 *
 * The backoff doubles from MIN to MAX after each failure; a connection that lasted longer than its
 * backoff resets it. In ACTIVE, PROBE_INTERVAL without a byte received means IDLE and a probe to
 * send; another interval means a dead peer. Pure: one thread at a time, never fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/util.h"

struct reconnect;

enum reconnect_action {
	RECONNECT_NOTHING,
	RECONNECT_CONNECT,    /* open a connection, then report with the calls below */
	RECONNECT_DISCONNECT, /* close it, then reconnect_disconnected() */
	RECONNECT_PROBE,      /* send a probe */
};

struct reconnect *reconnect_create(int64_t now);
void reconnect_destroy(struct reconnect *fsm);

/* For log messages. */
void reconnect_set_name(struct reconnect *fsm, const char *name);

/* Milliseconds; 0 keeps the default (1000 and 8000). */
void reconnect_set_backoff(struct reconnect *fsm, int min_ms, int max_ms);

/* 0: no probes; else at least 1000. Default 5000. */
void reconnect_set_probe_interval(struct reconnect *fsm, int ms);

/* Starts with VOID: nothing happens until enabled. */
void reconnect_enable(struct reconnect *fsm, int64_t now);
void reconnect_disable(struct reconnect *fsm, int64_t now);
void reconnect_force(struct reconnect *fsm, int64_t now);

/* Reports. ERROR: negative errno, 0: closed by the peer. */
void reconnect_connecting(struct reconnect *fsm, int64_t now);
void reconnect_connect_failed(struct reconnect *fsm, int64_t now, int error);
void reconnect_connected(struct reconnect *fsm, int64_t now);
void reconnect_disconnected(struct reconnect *fsm, int64_t now, int error);
void reconnect_received(struct reconnect *fsm, int64_t now);

/* What to do now. Repeats itself until reported, but for RECONNECT_PROBE, which comes once. */
enum reconnect_action reconnect_run(struct reconnect *fsm, int64_t now);

/* Milliseconds from NOW until reconnect_run() has something to say; -1: never without a report. */
int64_t reconnect_timeout(const struct reconnect *fsm, int64_t now);

bool reconnect_is_connected(const struct reconnect *fsm);

struct reconnect_stats {
	/* Times of the owner's clock; INT64_MIN: never. */
	int64_t created_ms, last_activity_ms, last_connected_ms, last_disconnected_ms;
	int backoff_ms;
	unsigned int seqno; /* changes when it connects or disconnects */
	bool is_connected;
	int64_t ms_since_connect, ms_since_disconnect; /* -1: never */
	int64_t total_connected_ms, state_elapsed_ms;
	unsigned int n_attempted_connections, n_successful_connections;
	const char *state; /* "VOID", "BACKOFF", "CONNECTING", "ACTIVE", "IDLE", ... */
};

void reconnect_get_stats(const struct reconnect *fsm, int64_t now, struct reconnect_stats *stats);
