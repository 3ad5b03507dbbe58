/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/smap.h"

LOG_MODULE(connmgr);

#define RETRY_LISTEN_MS 1000
#define PEER_CLOSED 1		/* In last_error. */
#define ADMIT_MS 30000		/* A connection that lasts is as good as one that sends requests. */

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);

static void service_accept(struct pstream *pstream, struct stream *stream, void *aux);

/* ------------------------------------------------------------------ sessions */

int of_service_probe_ms(const struct of_service *service)
{
	int ms = service->settings.probe_interval_ms;

	return ms > 0 && ms < 5000 ? 5000 : ms;
}

static void session_configure(struct of_service *service, struct of_session *session)
{
	session->probe_interval_ms = of_service_probe_ms(service);
	session->wants_async = service->settings.async_msgs;
	for (int i = 0; i < 2; i++) {
		struct pinsched **ps = &session->schedulers[i];

		if (service->settings.rate_limit <= 0) {
			pinsched_destroy(*ps);
			*ps = NULL;
		} else if (*ps) {
			pinsched_configure(*ps, service->settings.rate_limit,
				service->settings.burst_limit);
		} else {
			*ps = pinsched_create(service->settings.rate_limit,
				service->settings.burst_limit, clock_ms());
		}
	}
}

static struct of_session *session_open(struct of_service *service, struct stream *stream)
{
	struct of_session *session = of_session_create(service->ofproto, stream, service->versions,
		service->settings.service, &service->owner);

	session->is_mgmt = service->is_mgmt;
	list_push_back(service->sessions, &session->node);
	service->n_sessions++;
	session_configure(service, session);
	return session;
}

static void session_drop(struct of_service *service, struct of_session *session)
{
	service->n_sessions--;
	of_session_destroy(session);
}

static void sessions_drop_all(struct of_service *service)
{
	struct of_session *session;

	LIST_FOR_EACH_SAFE (session, node, service->sessions)
		if (session->owner == &service->owner)
			session_drop(service, session);
}

static void service_session_ready(struct of_session_owner *owner, struct of_session *session)
{
	struct of_service *service = container_of(owner, struct of_service, owner);

	if (service->fsm) {
		reconnect_connected(service->fsm, clock_ms());
		log_dbg("%s: negotiated OpenFlow version 0x%02x", session->name, session->version);
	}
}

static void service_session_over(
	struct of_session_owner *owner, struct of_session *session, int error)
{
	struct of_service *service = container_of(owner, struct of_service, owner);
	int64_t now_ms = clock_ms();

	if (service->fsm) {
		service->last_error = error ? error : PEER_CLOSED;
		if (reconnect_is_connected(service->fsm))
			reconnect_disconnected(service->fsm, now_ms, error);
		else
			reconnect_connect_failed(service->fsm, now_ms, error);
	}
	session_drop(service, session);
}

struct of_session *of_service_session(const struct of_service *service)
{
	struct of_session *session;

	LIST_FOR_EACH (session, node, service->sessions)
		if (session->owner == &service->owner && of_session_is_ready(session))
			return session;
	return NULL;
}

/* ------------------------------------------------------------------ connecting */

static void service_connected(struct stream *stream, void *aux)
{
	struct of_service *service = aux;

	service->connecting = NULL;
	session_open(service, stream);
}

static void service_connect_failed(struct stream *stream, int error, void *aux)
{
	struct of_service *service = aux;

	stream_close(stream);
	service->connecting = NULL;
	service->last_error = error;
	reconnect_connect_failed(service->fsm, clock_ms(), error);
}

static void service_early_data(struct stream *stream, void *aux)
{
}

static const struct stream_callbacks connecting_callbacks = {
	.connected = service_connected,
	.readable = service_early_data,
	.closed = service_connect_failed,
};

static void service_connect(struct of_service *service, int64_t now_ms)
{
	int error;

	reconnect_connecting(service->fsm, now_ms);
	error = stream_open(ofproto_globals.loop, service->target, OFP_TCP_PORT, service->settings.dscp,
		&connecting_callbacks, service, &service->connecting);
	if (error) {
		service->connecting = NULL;
		service->last_error = error;
		reconnect_connect_failed(service->fsm, now_ms, error);
	}
}

static void service_disconnect(struct of_service *service)
{
	stream_close(service->connecting);
	service->connecting = NULL;
	sessions_drop_all(service);
}

/* ------------------------------------------------------------------ listening */

static void service_accept(struct pstream *pstream, struct stream *stream, void *aux)
{
	session_open(aux, stream);
}

static void service_listen(struct of_service *service, int64_t now_ms)
{
	int error = pstream_open(ofproto_globals.loop, service->target, OFP_TCP_PORT, service->settings.dscp,
		service_accept, service, &service->pstream);

	if (error) {
		service->pstream = NULL;
		service->retry_listen_ms = now_ms + RETRY_LISTEN_MS;
		log_warn_rl(&rl, "%s: failed to listen on %s (%s)", service->ofproto->name,
			service->target, strerror(-error));
	}
}

/* ------------------------------------------------------------------ life */

struct of_service *of_service_create(struct connmgr *mgr, struct ofproto *ofproto,
	struct list *sessions, const struct ofproto_controller *settings, uint32_t versions,
	bool hold)
{
	bool active = stream_name_is_valid(settings->target);
	int64_t now_ms = clock_ms();
	struct of_service *service;
	char *name;

	if (!active && !pstream_name_is_valid(settings->target)) {
		log_warn_rl(&rl, "%s: unsupported controller \"%s\"", ofproto->name,
			settings->target);
		return NULL;
	}
	service = xcalloc(1, sizeof *service);
	service->owner.ready = service_session_ready;
	service->owner.over = service_session_over;
	service->mgr = mgr;
	service->ofproto = ofproto;
	service->sessions = sessions;
	service->target = xstrdup(settings->target);
	service->versions = versions;
	service->hold = hold;
	service->last_admitted_ms = now_ms;
	if (active) {
		service->fsm = reconnect_create(now_ms);
		name = xasprintf("%s<->%s", ofproto->name, service->target);
		reconnect_set_name(service->fsm, name);
		free(name);
		/* The session probes; this only says when to connect. */
		reconnect_set_probe_interval(service->fsm, 0);
		if (!hold)
			reconnect_enable(service->fsm, now_ms);
	}
	of_service_configure(service, settings);
	if (!active)
		service_listen(service, now_ms);
	log_info("%s: added %s controller \"%s\"", ofproto->name,
		settings->service ? "service" : "primary", service->target);
	return service;
}

void of_service_destroy(struct of_service *service)
{
	if (!service)
		return;
	service_disconnect(service);
	pstream_close(service->pstream);
	reconnect_destroy(service->fsm);
	free(service->target);
	free(service);
}

void of_service_configure(struct of_service *service, const struct ofproto_controller *settings)
{
	struct of_session *session;

	service->settings = *settings;
	service->settings.target = service->target;
	if (service->fsm && settings->max_backoff_ms) {
		int max_ms = settings->max_backoff_ms < 1000 ? 1000 : settings->max_backoff_ms;

		reconnect_set_backoff(service->fsm, 1000, max_ms);
	}
	LIST_FOR_EACH (session, node, service->sessions)
		if (session->owner == &service->owner)
			session_configure(service, session);
}

void of_service_set_hold(struct of_service *service, bool hold)
{
	int64_t now_ms = clock_ms();

	if (service->hold == hold)
		return;
	service->hold = hold;
	if (!service->fsm)
		return;
	if (hold) {
		service_disconnect(service);
		reconnect_disable(service->fsm, now_ms);
	} else {
		reconnect_enable(service->fsm, now_ms);
	}
}

void of_service_reconnect(struct of_service *service)
{
	if (service->fsm)
		reconnect_force(service->fsm, clock_ms());
	else
		sessions_drop_all(service);
}

static void service_admit(struct of_service *service, int64_t now_ms)
{
	struct of_session *session = of_service_session(service);

	if (!session)
		return;
	if (!session->admitted_ms && now_ms - session->connected_ms >= ADMIT_MS)
		session->admitted_ms = now_ms;
	if (session->admitted_ms)
		service->last_admitted_ms = now_ms;
}

int64_t of_service_run(struct of_service *service, int64_t now_ms)
{
	if (!service->fsm) {
		if (service->pstream)
			return -1;
		if (now_ms >= service->retry_listen_ms)
			service_listen(service, now_ms);
		return service->pstream ? -1 : RETRY_LISTEN_MS;
	}
	service_admit(service, now_ms);
	switch (reconnect_run(service->fsm, now_ms)) {
	case RECONNECT_CONNECT:
		if (!service->connecting && !service->n_sessions)
			service_connect(service, now_ms);
		break;
	case RECONNECT_DISCONNECT:
		service_disconnect(service);
		reconnect_disconnected(service->fsm, now_ms, 0);
		break;
	case RECONNECT_PROBE:
	case RECONNECT_NOTHING:
		break;
	}
	return reconnect_timeout(service->fsm, now_ms);
}

int of_service_failure_s(const struct of_service *service, int64_t now_ms)
{
	const struct of_session *session = of_service_session(service);

	if (session && session->admitted_ms)
		return 0;
	return (int)((now_ms - service->last_admitted_ms) / 1000);
}

/* ------------------------------------------------------------------ status */

static void status_active(const struct of_service *service, struct smap *status)
{
	int64_t now_ms = clock_ms();
	struct reconnect_stats stats;

	reconnect_get_stats(service->fsm, now_ms, &stats);
	if (service->last_error)
		smap_set(status, "last_error", service->last_error == PEER_CLOSED ?
			"End of file" : strerror(-service->last_error));
	smap_set(status, "state", stats.state);
	if (stats.ms_since_connect >= 0)
		smap_setf(status, "sec_since_connect", "%lld",
			(long long)stats.ms_since_connect / 1000);
	if (stats.ms_since_disconnect >= 0)
		smap_setf(status, "sec_since_disconnect", "%lld",
			(long long)stats.ms_since_disconnect / 1000);
}

static void status_schedulers(const struct of_session *session, struct smap *status)
{
	static const char *const names[2] = { "action", "miss" };

	for (int i = 0; i < 2; i++) {
		const char *name = names[i];
		struct pinsched_stats stats;
		char key[64];

		if (!session->schedulers[i])
			continue;
		stats = pinsched_stats(session->schedulers[i]);
		snprintf(key, sizeof key, "packet-in-%s-backlog", name);
		smap_setf(status, key, "%u", stats.n_queued);
		snprintf(key, sizeof key, "packet-in-%s-bypassed", name);
		smap_setf(status, key, "%llu", (unsigned long long)stats.n_normal);
		snprintf(key, sizeof key, "packet-in-%s-queued", name);
		smap_setf(status, key, "%llu", (unsigned long long)stats.n_limited);
		snprintf(key, sizeof key, "packet-in-%s-dropped", name);
		smap_setf(status, key, "%llu", (unsigned long long)stats.n_dropped);
	}
}

void of_service_status(const struct of_service *service, struct smap *status)
{
	const struct of_session *session = of_service_session(service);

	if (service->fsm)
		status_active(service, status);
	else
		smap_setf(status, "n_connections", "%u", service->n_sessions);
	if (session)
		status_schedulers(session, status);
}
