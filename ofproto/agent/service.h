/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One configured target of a bridge's OpenFlow: a controller to connect to, or a name to listen on.
 * Part of connmgr, which owns it.
 *
 * Threads: control only.
 */

#include "lib/reconnect.h"
#include "ofproto/agent/connmgr.h"

#define OFP_TCP_PORT 6653

struct of_service {
	struct hmap_node node;			/* In the connmgr's services, by target. */
	struct of_session_owner owner;
	struct connmgr *mgr;
	struct ofproto *ofproto;
	char *target;
	struct ofproto_controller settings;	/* Its target is the one above. */
	uint32_t versions;
	bool hold;
	bool is_mgmt;				/* BRIDGE.mgmt. */

	/* Active. */
	struct reconnect *fsm;			/* NULL: passive. */
	struct stream *connecting;
	int64_t last_admitted_ms;
	int last_error;

	/* Passive. */
	struct pstream *pstream;
	int64_t retry_listen_ms;

	struct list *sessions;			/* All of the connmgr's. */
	unsigned int n_sessions;		/* Ours. */
};

/* NULL (logged) if TARGET is no stream name. */
struct of_service *of_service_create(struct connmgr *mgr, struct ofproto *ofproto,
	struct list *sessions, const struct ofproto_controller *settings, uint32_t versions,
	bool hold);
void of_service_destroy(struct of_service *service);
void of_service_configure(struct of_service *service, const struct ofproto_controller *settings);
void of_service_set_hold(struct of_service *service, bool hold);
void of_service_reconnect(struct of_service *service);
int64_t of_service_run(struct of_service *service, int64_t now_ms);
/* The ready session of an active service, or any of a passive one; NULL. */
struct of_session *of_service_session(const struct of_service *service);
/* How long a peer may be silent before it is probed: what is configured, but at least 5 s; 0 never. */
int of_service_probe_ms(const struct of_service *service);
/* Seconds since an active controller last was of use; 0 while it is. */
int of_service_failure_s(const struct of_service *service, int64_t now_ms);
void of_service_status(const struct of_service *service, struct smap *status);
