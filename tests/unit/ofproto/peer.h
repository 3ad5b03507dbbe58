/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bridge in this very process, and OpenFlow peers of it that a test plays by hand: whole messages
 * out and in, the event loop turned in between.
 */

#include "lib/event.h"
#include "lib/sbuf.h"
#include "ofproto/ofproto.h"
#include "ofproto/wire/msg.h"

extern struct event_loop *peer_loop;
extern struct ofproto *peer_bridge;	/* "br0", without controllers. */
extern char peer_dir[64];		/* Where its sockets are. */
#define PEER_MGMT "br0.mgmt"		/* The one that anybody may connect to. */
extern struct sbuf peer_out;		/* For messages on their way; empty when a test begins. */

/* By cmocka, before and after each test. */
int bridge_setup(void **state);
int bridge_teardown(void **state);
/* Turns the loop for about MS milliseconds. */
void bridge_run(int ms);

struct peer {
	int fd;
	struct sbuf rx;
	struct sbuf bytes;	/* Of the last message. */
	enum ofp_version version;
	uint32_t xid;
};

/* Connects to the socket DIR/NAME without a word. */
void peer_connect(struct peer *peer, const char *name);
/* ... and says hello in VERSION alone. */
void peer_open(struct peer *peer, const char *name, enum ofp_version version);
void peer_close(struct peer *peer);

/* Sends OUT and empties it. */
void peer_send(struct peer *peer, struct sbuf *out);
/* The next message, waited for: false if there is none for a while. */
bool peer_recv(struct peer *peer, struct msg *msg);
/* The next message must be of TYPE. */
void peer_expect(struct peer *peer, enum ofp_type type, struct msg *msg);
/* ... an error. */
void peer_expect_error(struct peer *peer, enum ofp_error error);
/* Nothing more comes. */
void peer_expect_silence(struct peer *peer);
/* The other side hung up. */
void peer_expect_closed(struct peer *peer);
be32 peer_xid(struct peer *peer);
/* Barrier and its reply, with nothing in between. */
void peer_barrier(struct peer *peer);
/* A flow_mod into OUT: an OFPFC_ADD matches metadata PRIORITY, any other command everything. */
void peer_put_flow_mod(struct peer *peer, struct sbuf *out, uint16_t command, uint16_t priority,
	uint16_t flags);
