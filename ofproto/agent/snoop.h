/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Snooping: a client of BRIDGE.snoop gets a copy of every message that passes on a controller's
 * session, in either direction. What it sends itself (but for its hello) is ignored. A slow snooper
 * misses messages.
 *
 * Threads: control only.
 */

#include "ofproto/agent/session.h"

struct snooper;

/* STREAM (accepted) is taken over; SESSION's messages go there until either is over. */
void snooper_create(struct of_session *session, struct stream *stream);
/* A copy of the whole messages in DATA[LEN] to all snoopers of SESSION. */
void snoop_copy(struct of_session *session, const void *data, size_t len);
void snoop_end(struct of_session *session);
