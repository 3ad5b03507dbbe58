/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/connmgr_private.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/smap.h"
#include "ofproto/agent/fail_open.h"
#include "ofproto/agent/in_band.h"
#include "ofproto/agent/service.h"
#include "ofproto/agent/snoop.h"
#include "ofproto/state/flow_mod.h"

LOG_MODULE(connmgr);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);

#define VERSIONS_DEFAULT OFP_VERSIONS_ALL
#define MGMT_VERSIONS OFP_VERSIONS_ALL

struct connmgr {
	struct ofproto *ofproto;
	struct list sessions;
	struct hmap services;		/* struct of_service. */
	struct of_service *mgmt;	/* BRIDGE.mgmt; not among services. */
	struct pstream *snoop;
	uint32_t versions;
	enum ofproto_fail_mode fail_mode;
	struct fail_open fail_open;
	struct in_band in_band;
	bool hold;
	bool has_election_id;
	uint64_t election_id;
};

/* ------------------------------------------------------------------ sockets of the bridge */

static void mgmt_open(struct connmgr *mgr)
{
	struct ofproto_controller settings = {
		.target = xasprintf("punix:%s/%s.mgmt", ofproto_globals.rundir, mgr->ofproto->name),
		.async_msgs = true,
		.service = true,
	};

	mgr->mgmt = of_service_create(mgr, mgr->ofproto, &mgr->sessions, &settings, MGMT_VERSIONS,
		false);
	if (mgr->mgmt)
		mgr->mgmt->is_mgmt = true;
	free(settings.target);
}

/* How much a snooper would rather hear of SESSION's controller than of others. */
static int snoop_preference(const struct of_session *session)
{
	switch (session->role) {
	case OFPCR_ROLE_PRIMARY:
		return 3;
	case OFPCR_ROLE_EQUAL:
		return 2;
	default:
		return 1;
	}
}

static void snoop_accept(struct pstream *pstream, struct stream *stream, void *aux)
{
	struct of_session *session, *best = NULL;
	struct connmgr *mgr = aux;

	LIST_FOR_EACH (session, node, &mgr->sessions)
		if (!session->is_service && of_session_is_ready(session) &&
			(!best || snoop_preference(session) > snoop_preference(best)))
			best = session;
	if (best) {
		snooper_create(best, stream);
	} else {
		log_info_rl(&rl, "no controller connection to snoop");
		stream_close(stream);
	}
}

static void snoop_open(struct connmgr *mgr)
{
	char *target = xasprintf("punix:%s/%s.snoop", ofproto_globals.rundir, mgr->ofproto->name);

	if (pstream_open(ofproto_globals.loop, target, 0, -1, snoop_accept, mgr, &mgr->snoop))
		log_warn("%s: failed to listen on %s", mgr->ofproto->name, target);
	free(target);
}

/* ------------------------------------------------------------------ life */

struct connmgr *connmgr_create(struct ofproto *ofproto)
{
	struct connmgr *mgr = xcalloc(1, sizeof *mgr);

	mgr->ofproto = ofproto;
	list_init(&mgr->sessions);
	hmap_init(&mgr->services);
	mgr->versions = VERSIONS_DEFAULT;
	mgr->fail_mode = OFPROTO_FAIL_STANDALONE;
	mgr->hold = ofproto_globals.hold_controllers;
	fail_open_init(&mgr->fail_open);
	in_band_init(&mgr->in_band);
	mgmt_open(mgr);
	snoop_open(mgr);
	return mgr;
}

void connmgr_destroy(struct connmgr *mgr)
{
	struct of_service *service;

	HMAP_FOR_EACH_POP (service, node, &mgr->services)
		of_service_destroy(service);
	hmap_uninit(&mgr->services);
	of_service_destroy(mgr->mgmt);
	pstream_close(mgr->snoop);
	in_band_uninit(&mgr->in_band);
	free(mgr);
}

static int64_t min_wait(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* The controllers that are called on through the bridge. */
static int64_t run_in_band(struct connmgr *mgr, int64_t now_ms)
{
	VEC(struct in_band_remote) remotes = VEC_INITIALIZER;
	struct in_band_remote remote;
	struct of_service *service;
	int64_t wait;

	HMAP_FOR_EACH (service, node, &mgr->services)
		if (service->fsm && !service->settings.service && service->settings.in_band &&
			in_band_parse_target(service->target, OFP_TCP_PORT, &remote))
			vec_push(&remotes, remote);
	wait = in_band_run(&mgr->in_band, mgr->ofproto, remotes.items, remotes.n, now_ms);
	vec_uninit(&remotes);
	return wait;
}

int64_t connmgr_run(struct connmgr *mgr, int64_t now_ms)
{
	struct of_service *service;
	struct of_session *session;
	int64_t wait = -1;

	HMAP_FOR_EACH (service, node, &mgr->services)
		wait = min_wait(wait, of_service_run(service, now_ms));
	if (mgr->mgmt)
		wait = min_wait(wait, of_service_run(mgr->mgmt, now_ms));
	LIST_FOR_EACH (session, node, &mgr->sessions)
		wait = min_wait(wait, of_session_run(session, now_ms));
	wait = min_wait(wait, run_in_band(mgr, now_ms));
	return min_wait(wait, fail_open_run(&mgr->fail_open, mgr, now_ms));
}

/* ------------------------------------------------------------------ controllers */

static struct of_service *service_find(const struct connmgr *mgr, const char *target)
{
	struct of_service *service;

	HMAP_FOR_EACH_WITH_HASH (service, node, hash_string(target, 0), &mgr->services)
		if (!strcmp(service->target, target))
			return service;
	return NULL;
}

bool connmgr_has_controllers(const struct connmgr *mgr)
{
	const struct of_service *service;

	HMAP_FOR_EACH (service, node, &mgr->services)
		if (!service->settings.service)
			return true;
	return false;
}

static void service_remove(struct connmgr *mgr, struct of_service *service)
{
	log_info("%s: removed %s controller \"%s\"", mgr->ofproto->name,
		service->settings.service ? "service" : "primary", service->target);
	hmap_remove(&mgr->services, &service->node);
	of_service_destroy(service);
}

static void service_set(struct connmgr *mgr, const struct ofproto_controller *settings)
{
	struct of_service *service = service_find(mgr, settings->target);

	if (service && service->versions == mgr->versions &&
		service->settings.service == settings->service &&
		service->settings.dscp == settings->dscp) {
		of_service_configure(service, settings);
		return;
	}
	if (service)
		service_remove(mgr, service);
	service = of_service_create(mgr, mgr->ofproto, &mgr->sessions, settings, mgr->versions,
		mgr->hold);
	if (service)
		hmap_insert(&mgr->services, &service->node, hash_string(service->target, 0));
}

void connmgr_set_controllers(struct connmgr *mgr, const struct ofproto_controller *controllers,
	size_t n)
{
	bool had = connmgr_has_controllers(mgr);
	struct of_service *service;
	size_t i;

	HMAP_FOR_EACH_SAFE (service, node, &mgr->services) {
		for (i = 0; i < n && strcmp(controllers[i].target, service->target); i++)
			;
		if (i == n)
			service_remove(mgr, service);
	}
	for (i = 0; i < n; i++)
		service_set(mgr, &controllers[i]);
	if (had != connmgr_has_controllers(mgr)) {
		if (had)
			fail_open_stop(&mgr->fail_open, mgr);
		ofproto_flush(mgr->ofproto);
	}
}

void connmgr_set_versions(struct connmgr *mgr, uint32_t versions)
{
	struct of_service *service;

	versions = versions ? versions & OFP_VERSIONS_ALL : VERSIONS_DEFAULT;
	if (versions == mgr->versions)
		return;
	mgr->versions = versions;
	/* Sessions of other versions may have to go: start all over. */
	HMAP_FOR_EACH (service, node, &mgr->services) {
		service->versions = versions;
		of_service_reconnect(service);
	}
	if (mgr->mgmt)
		mgr->mgmt->versions = versions;
}

void connmgr_reconnect(struct connmgr *mgr)
{
	struct of_service *service;

	HMAP_FOR_EACH (service, node, &mgr->services)
		of_service_reconnect(service);
}

void connmgr_hold(struct connmgr *mgr, bool hold)
{
	struct of_service *service;

	mgr->hold = hold;
	HMAP_FOR_EACH (service, node, &mgr->services)
		of_service_set_hold(service, hold);
}

bool connmgr_controller_status(const struct connmgr *mgr, const char *target,
	struct ofproto_controller_status *status)
{
	const struct of_service *service = service_find(mgr, target);
	const struct of_session *session;

	if (!service)
		return false;
	session = of_service_session(service);
	status->is_connected = session != NULL;
	status->role = !session ? NULL : session->role == OFPCR_ROLE_PRIMARY ? "master" :
		session->role == OFPCR_ROLE_SECONDARY ? "slave" : "other";
	status->status = xcalloc(1, sizeof *status->status);
	smap_init(status->status);
	of_service_status(service, status->status);
	return true;
}

struct list *connmgr_sessions(struct connmgr *mgr)
{
	return &mgr->sessions;
}

/* ------------------------------------------------------------------ fail mode */

void connmgr_set_fail_mode(struct connmgr *mgr, enum ofproto_fail_mode mode)
{
	if (mgr->fail_mode == mode)
		return;
	mgr->fail_mode = mode;
	if (mode != OFPROTO_FAIL_STANDALONE)
		fail_open_stop(&mgr->fail_open, mgr);
	if (!connmgr_has_controllers(mgr))
		ofproto_flush(mgr->ofproto);
}

static struct act *acts_normal(struct act_builder *acts)
{
	struct act_output *output;

	act_builder_init(acts);
	output = act_put(acts, ACT_OUTPUT, sizeof *output);
	output->port = OFPP_NORMAL;
	return (struct act *)(void *)acts->buf.data;
}

void connmgr_normal_flow(struct connmgr *mgr, int priority, bool on)
{
	static const struct match catchall;
	struct act_builder acts;
	const struct act *normal = acts_normal(&acts);

	of_hidden_flow(&mgr->ofproto->state, &catchall, priority, on ? normal : NULL, acts.buf.len);
	act_builder_uninit(&acts);
}

/* An ordinary flow, that anybody may see and delete. */
static void add_standalone_flow(struct connmgr *mgr)
{
	struct flow_mod fm;

	flow_mod_init(&fm);
	flow_mod_uninit(&fm);
	acts_normal(&fm.acts);
	fm.priority = 0;
	of_flow_mod(&mgr->ofproto->state, &fm, NULL);
	flow_mod_uninit(&fm);
}

void connmgr_flushed(struct connmgr *mgr)
{
	in_band_flushed(&mgr->in_band);
	fail_open_flushed(&mgr->fail_open, mgr);
	if (!connmgr_has_controllers(mgr) && mgr->fail_mode == OFPROTO_FAIL_STANDALONE)
		add_standalone_flow(mgr);
}

bool connmgr_may_fail_open(const struct connmgr *mgr)
{
	return mgr->fail_mode == OFPROTO_FAIL_STANDALONE && connmgr_has_controllers(mgr);
}

int connmgr_failure_s(const struct connmgr *mgr, int64_t now_ms)
{
	const struct of_service *service;
	int min = -1;

	HMAP_FOR_EACH (service, node, &mgr->services) {
		int seconds;

		if (service->settings.service || !service->fsm)
			continue;
		seconds = of_service_failure_s(service, now_ms);
		if (min < 0 || seconds < min)
			min = seconds;
	}
	return min < 0 ? 0 : min;
}

int connmgr_max_probe_ms(const struct connmgr *mgr)
{
	const struct of_service *service;
	int max = 0;

	HMAP_FOR_EACH (service, node, &mgr->services)
		if (!service->settings.service && of_service_probe_ms(service) > max)
			max = of_service_probe_ms(service);
	return max;
}

bool connmgr_any_controller(const struct connmgr *mgr, bool admitted)
{
	const struct of_session *session;

	LIST_FOR_EACH (session, node, &mgr->sessions)
		if (!session->is_service && of_session_is_ready(session) &&
			(!admitted || session->admitted_ms))
			return true;
	return false;
}

struct ofproto *connmgr_ofproto(const struct connmgr *mgr)
{
	return mgr->ofproto;
}

void connmgr_session_active(struct connmgr *mgr, struct of_session *session)
{
	if (!session->is_service)
		fail_open_maybe_recover(&mgr->fail_open, mgr);
}

/* ------------------------------------------------------------------ roles */

bool connmgr_set_election_id(struct connmgr *mgr, uint64_t id)
{
	/* Serial number arithmetic, as OpenFlow 1.3.5, 6.3.6 wants it. */
	if (mgr->has_election_id && (int64_t)(id - mgr->election_id) < 0)
		return false;
	mgr->election_id = id;
	mgr->has_election_id = true;
	return true;
}

uint64_t connmgr_election_id(const struct connmgr *mgr)
{
	return mgr->has_election_id ? mgr->election_id : UINT64_MAX;
}
