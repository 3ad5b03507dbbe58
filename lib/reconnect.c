/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/reconnect.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/log.h"

LOG_MODULE(reconnect);

#define NEVER INT64_MIN /* as a time in the past */
#define LAST INT64_MAX  /* as a deadline */

enum state {
	STATE_VOID,
	STATE_BACKOFF,
	STATE_CONNECTING,
	STATE_ACTIVE,
	STATE_IDLE,
	STATE_RECONNECT,
};

static const char *const state_names[] = {
	[STATE_VOID] = "VOID",
	[STATE_BACKOFF] = "BACKOFF",
	[STATE_CONNECTING] = "CONNECTING",
	[STATE_ACTIVE] = "ACTIVE",
	[STATE_IDLE] = "IDLE",
	[STATE_RECONNECT] = "RECONNECT",
};

struct reconnect {
	char *name;
	int min_backoff, max_backoff, probe_interval;

	enum state state;
	int64_t state_entered;
	int backoff;
	int64_t created, last_activity, last_connected, last_disconnected;
	int64_t total_connected_ms;
	unsigned int n_attempted, n_successful, seqno;
};

struct reconnect *reconnect_create(int64_t now)
{
	struct reconnect *fsm = xcalloc(1, sizeof(*fsm));

	fsm->name = xstrdup("void");
	fsm->min_backoff = 1000;
	fsm->max_backoff = 8000;
	fsm->probe_interval = 5000;
	fsm->state_entered = fsm->created = fsm->last_activity = now;
	fsm->last_connected = fsm->last_disconnected = NEVER;
	return fsm;
}

void reconnect_destroy(struct reconnect *fsm)
{
	if (!fsm)
		return;
	free(fsm->name);
	free(fsm);
}

void reconnect_set_name(struct reconnect *fsm, const char *name)
{
	free(fsm->name);
	fsm->name = xstrdup(name);
}

void reconnect_set_backoff(struct reconnect *fsm, int min_ms, int max_ms)
{
	fsm->min_backoff = min_ms > 0 ? MAX(min_ms, 1000) : 1000;
	fsm->max_backoff = max_ms > 0 ? MAX(max_ms, 1000) : 8000;
	fsm->max_backoff = MAX(fsm->max_backoff, fsm->min_backoff);
	fsm->backoff = MIN(fsm->backoff, fsm->max_backoff);
}

void reconnect_set_probe_interval(struct reconnect *fsm, int ms)
{
	fsm->probe_interval = ms > 0 ? MAX(ms, 1000) : 0;
}

bool reconnect_is_connected(const struct reconnect *fsm)
{
	return fsm->state == STATE_ACTIVE || fsm->state == STATE_IDLE ||
	       (fsm->state == STATE_RECONNECT && fsm->last_connected != NEVER &&
		       fsm->last_connected > fsm->last_disconnected);
}

static void enter(struct reconnect *fsm, enum state state, int64_t now)
{
	bool was_connected = reconnect_is_connected(fsm), is_connected;

	if (state == STATE_CONNECTING)
		fsm->n_attempted++;
	if (state == STATE_ACTIVE && !was_connected)
		fsm->n_successful++;
	fsm->state = state;
	fsm->state_entered = now;
	is_connected = reconnect_is_connected(fsm);
	if (was_connected != is_connected)
		fsm->seqno++;
	if (was_connected && !is_connected)
		fsm->total_connected_ms += now - fsm->last_connected;
}

void reconnect_enable(struct reconnect *fsm, int64_t now)
{
	if (fsm->state == STATE_VOID) {
		enter(fsm, STATE_BACKOFF, now);
		fsm->backoff = 0;
	}
}

void reconnect_disable(struct reconnect *fsm, int64_t now)
{
	if (fsm->state != STATE_VOID)
		enter(fsm, STATE_VOID, now);
}

void reconnect_force(struct reconnect *fsm, int64_t now)
{
	if (fsm->state == STATE_CONNECTING || fsm->state == STATE_ACTIVE || fsm->state == STATE_IDLE)
		enter(fsm, STATE_RECONNECT, now);
}

void reconnect_connecting(struct reconnect *fsm, int64_t now)
{
	if (fsm->state == STATE_CONNECTING)
		return;
	log_info("%s: connecting...", fsm->name);
	enter(fsm, STATE_CONNECTING, now);
}

void reconnect_connected(struct reconnect *fsm, int64_t now)
{
	if (fsm->state == STATE_ACTIVE || fsm->state == STATE_IDLE)
		return;
	reconnect_connecting(fsm, now);
	log_info("%s: connected", fsm->name);
	fsm->last_connected = fsm->last_activity = now;
	enter(fsm, STATE_ACTIVE, now);
}

void reconnect_received(struct reconnect *fsm, int64_t now)
{
	if (fsm->state == STATE_IDLE)
		enter(fsm, STATE_ACTIVE, now);
	fsm->last_activity = now;
}

static void log_loss(const struct reconnect *fsm, int error)
{
	switch (fsm->state) {
	case STATE_ACTIVE:
	case STATE_IDLE:
		if (error)
			log_warn("%s: connection dropped (%s)", fsm->name, strerror(-error));
		else
			log_info("%s: connection closed by peer", fsm->name);
		break;
	case STATE_RECONNECT:
		log_info("%s: connection dropped", fsm->name);
		break;
	default:
		if (error)
			log_warn("%s: connection attempt failed (%s)", fsm->name, strerror(-error));
		else
			log_info("%s: connection attempt timed out", fsm->name);
		break;
	}
}

/* How long to wait after this loss: a connection that was good starts afresh. */
static int next_backoff(const struct reconnect *fsm, bool was_connected)
{
	if (was_connected && fsm->last_activity - fsm->last_connected >= fsm->backoff)
		return fsm->min_backoff;
	if (fsm->backoff < fsm->min_backoff)
		return fsm->min_backoff;
	return fsm->backoff < fsm->max_backoff / 2 ? fsm->backoff * 2 : fsm->max_backoff;
}

void reconnect_disconnected(struct reconnect *fsm, int64_t now, int error)
{
	bool was_connected = reconnect_is_connected(fsm);

	if (fsm->state == STATE_BACKOFF || fsm->state == STATE_VOID)
		return;
	log_loss(fsm, error);
	fsm->backoff = fsm->state == STATE_RECONNECT ? 0 : next_backoff(fsm, was_connected);
	if (!was_connected && fsm->backoff)
		log_info("%s: waiting %.3g seconds before reconnect", fsm->name, fsm->backoff / 1000.0);
	enter(fsm, STATE_BACKOFF, now);
	if (was_connected)
		fsm->last_disconnected = now;
}

void reconnect_connect_failed(struct reconnect *fsm, int64_t now, int error)
{
	reconnect_connecting(fsm, now);
	reconnect_disconnected(fsm, now, error);
}

static int64_t deadline(const struct reconnect *fsm)
{
	switch (fsm->state) {
	case STATE_BACKOFF:
		return fsm->state_entered + fsm->backoff;
	case STATE_CONNECTING:
		return fsm->state_entered + MAX(1000, fsm->backoff);
	case STATE_ACTIVE:
		return fsm->probe_interval
			       ? MAX(fsm->last_activity, fsm->state_entered) + fsm->probe_interval
			       : LAST;
	case STATE_IDLE:
		return fsm->probe_interval ? fsm->state_entered + fsm->probe_interval : LAST;
	case STATE_RECONNECT:
		return fsm->state_entered;
	default:
		return LAST;
	}
}

enum reconnect_action reconnect_run(struct reconnect *fsm, int64_t now)
{
	if (now < deadline(fsm))
		return RECONNECT_NOTHING;
	switch (fsm->state) {
	case STATE_BACKOFF:
		return RECONNECT_CONNECT;
	case STATE_ACTIVE:
		log_dbg("%s: idle %lld ms, sending inactivity probe", fsm->name,
			(long long)(now - MAX(fsm->last_activity, fsm->state_entered)));
		enter(fsm, STATE_IDLE, now);
		return RECONNECT_PROBE;
	case STATE_IDLE:
		log_err("%s: no response to inactivity probe after %.3g seconds, disconnecting",
			fsm->name, (double)(now - fsm->state_entered) / 1000);
		return RECONNECT_DISCONNECT;
	default:
		return RECONNECT_DISCONNECT;
	}
}

int64_t reconnect_timeout(const struct reconnect *fsm, int64_t now)
{
	int64_t when = deadline(fsm);

	if (when == LAST)
		return -1;
	return when > now ? when - now : 0;
}

void reconnect_get_stats(const struct reconnect *fsm, int64_t now, struct reconnect_stats *stats)
{
	bool connected = reconnect_is_connected(fsm);

	*stats = (struct reconnect_stats){
		.created_ms = fsm->created,
		.last_activity_ms = fsm->last_activity,
		.last_connected_ms = fsm->last_connected,
		.last_disconnected_ms = fsm->last_disconnected,
		.backoff_ms = fsm->backoff,
		.seqno = fsm->seqno,
		.is_connected = connected,
		.ms_since_connect = fsm->last_connected == NEVER ? -1 : now - fsm->last_connected,
		.ms_since_disconnect =
			fsm->last_disconnected == NEVER ? -1 : now - fsm->last_disconnected,
		.total_connected_ms =
			fsm->total_connected_ms + (connected ? now - fsm->last_connected : 0),
		.state_elapsed_ms = now - fsm->state_entered,
		.n_attempted_connections = fsm->n_attempted,
		.n_successful_connections = fsm->n_successful,
		.state = state_names[fsm->state],
	};
}
