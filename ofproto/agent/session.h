/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One OpenFlow connection, from the moment there is a byte stream: hello and version negotiation,
 * framing, requests one after the other, probes, and what this peer has asked for (formats, role,
 * asynchronous messages).
 *
 * Flow control: requests wait while much is queued for a slow reader, or while a long dump is under
 * way, so replies never overtake each other. Packet-ins to a slow reader are dropped and counted;
 * anything else that can't be queued any more ends the session.
 *
 * A session belongs to a service (connmgr.h), which is told when it is ready and when it is over,
 * and destroys it.
 *
 * Threads: control only.
 */

#include "lib/event.h"
#include "lib/stream.h"
#include "ofproto/agent/monitors.h"
#include "ofproto/agent/pinsched.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/wire/async.h"
#include "ofproto/wire/flow_mod.h"
#include "ofproto/wire/hello.h"
#include "ofproto/wire/packet_in.h"

struct of_session;

enum of_session_phase {
	OF_SESSION_HELLO,	/* Ours is sent; waiting for the peer's. */
	OF_SESSION_READY,
	OF_SESSION_DEAD,	/* Only to be destroyed. */
};

struct of_session_owner {
	void (*ready)(struct of_session_owner *owner, struct of_session *session);
	/* ERROR: 0 the peer closed, else negative errno. */
	void (*over)(struct of_session_owner *owner, struct of_session *session, int error);
};

/* A long reply that is made in slices. */
struct of_dump {
	/* Puts about a millisecond's worth; true while there is more. */
	bool (*step)(struct of_dump *dump, struct of_session *session);
	void (*destroy)(struct of_dump *dump);
};

struct of_session {
	struct list node;		/* In the connmgr's sessions. */
	struct ofproto *ofproto;
	struct of_session_owner *owner;
	char *name;			/* "br0<->tcp:10.0.0.1:6653", for the log. */
	bool is_service;		/* Whoever came to us: no controller that we wait for. */
	bool is_mgmt;			/* Over BRIDGE.mgmt: the operator's tools. */
	struct stream *stream;
	struct event_work *work;	/* Requests or a dump left for later. */
	enum of_session_phase phase;
	uint32_t versions;		/* Allowed. */
	enum ofp_version version;	/* READY: negotiated. */
	int close_error;		/* DEAD: why. */
	int64_t linger_until_ms;	/* DEAD: at the latest it goes then. */
	struct sbuf rx;			/* The message being handled. */
	be32 next_xid;
	int probe_interval_ms;		/* 0: none. */
	int64_t last_rx_ms;
	bool probing;			/* An echo request is out. */
	int64_t connected_ms;
	int64_t admitted_ms; /* First request that only a working controller sends; 0 none. */

	struct flow_format format;
	enum packet_in_format packet_in_format;
	enum ofp_role role;
	uint16_t controller_id;
	uint16_t miss_send_len;
	bool wants_async;		/* enable_async_messages. */
	bool has_async;			/* async was set by the peer. */
	struct async_config async;

	struct mp_assembler assembler;
	struct of_dump *dump;
	struct hmap bundles;		/* struct of_bundle. */
	struct of_monitors monitors;
	struct pinsched *schedulers[2];	/* By whether it is a table miss. */
	struct list snoopers;		/* struct snooper (snoop.h). */

	uint64_t n_packet_ins_dropped;
	/* flow_mods since the last line about them in the log. */
	struct {
		unsigned int n_add, n_delete, n_modify;
		int64_t first_ms, last_ms, report_ms;
	} ops;
};

/* Takes STREAM (connected) over and says hello. */
struct of_session *of_session_create(struct ofproto *ofproto, struct stream *stream,
	uint32_t versions, bool is_service, struct of_session_owner *owner);
void of_session_destroy(struct of_session *session);
/* Timers: probes, bundles, rate limits. Returns ms until the next call, -1 none. */
int64_t of_session_run(struct of_session *session, int64_t now_ms);
/* Ends it; the owner hears of it later, never from inside. */
void of_session_close(struct of_session *session, int error);

static inline bool of_session_is_ready(const struct of_session *session)
{
	return session->phase == OF_SESSION_READY;
}

/* Sends the whole messages in OUT and empties it. */
void of_session_send(struct of_session *session, struct sbuf *out);
/* As of_session_send, for what may be lost: false if dropped. */
bool of_session_send_lossy(struct of_session *session, struct sbuf *out);
void of_session_send_error(struct of_session *session, enum ofp_error error, const void *request,
	size_t len);
/* Bytes the peer has not taken. */
size_t of_session_backlog(const struct of_session *session);
/* Starts a long reply; DUMP is taken over. */
void of_session_start_dump(struct of_session *session, struct of_dump *dump);
be32 of_session_next_xid(struct of_session *session);
