/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bridge's connections: the controllers it was told to talk to (active: connected to with
 * backoff; passive: listened for), management listeners, the snoop listener, and what follows from
 * there being controllers or none (fail_mode).
 *
 * Words: `service`: one configured target, with any number of sessions if it is passive. `primary`:
 * a controller's, as opposed to a management session's.
 *
 * Threads: control only.
 */

#include "ofproto/agent/session.h"

struct connmgr;

struct connmgr *connmgr_create(struct ofproto *ofproto);
/* Before it goes all sessions are closed; so are the sockets, whose files are removed. */
void connmgr_destroy(struct connmgr *mgr);
/* Returns ms until the next call; -1 none. */
int64_t connmgr_run(struct connmgr *mgr, int64_t now_ms);

void connmgr_set_controllers(struct connmgr *mgr, const struct ofproto_controller *controllers,
	size_t n);
void connmgr_set_versions(struct connmgr *mgr, uint32_t versions);
void connmgr_set_fail_mode(struct connmgr *mgr, enum ofproto_fail_mode mode);
/* All controllers are disconnected and connected to again. */
void connmgr_reconnect(struct connmgr *mgr);
/* While held no controller is connected to. */
void connmgr_hold(struct connmgr *mgr, bool hold);
bool connmgr_controller_status(const struct connmgr *mgr, const char *target,
	struct ofproto_controller_status *status);
bool connmgr_has_controllers(const struct connmgr *mgr);
/* All flows have just been flushed: adds those that the fail mode wants. */
void connmgr_flushed(struct connmgr *mgr);

/* The sessions, newest last: struct of_session by node. */
struct list *connmgr_sessions(struct connmgr *mgr);
/* A ready session took a request: whoever waited for a controller to come to life hears of it. */
void connmgr_session_active(struct connmgr *mgr, struct of_session *session);

/* Roles (role.c). The election id; false: ID is stale. */
bool connmgr_set_election_id(struct connmgr *mgr, uint64_t id);
uint64_t connmgr_election_id(const struct connmgr *mgr);	/* UINT64_MAX: none. */
void connmgr_set_role(struct connmgr *mgr, struct of_session *session, enum ofp_role role);
