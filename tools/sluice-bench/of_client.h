/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An OpenFlow controller's end of a connection, as little of it as the benchmark needs: whole messages
 * out, barriers, whatever comes in between. Blocking; one thread at a time. Calls return 0, or -errno
 * with one line in *ERROR (caller frees).
 */

#include "lib/sbuf.h"
#include "ofproto/wire/msg.h"

struct of_client;

/* Connects to the management socket PATH and agrees on VERSION. */
int of_client_open(const char *path, enum ofp_version version, struct of_client **client, char **error);
void of_client_close(struct of_client *client);

int of_client_send(struct of_client *client, const void *messages, size_t len, char **error);
/* The next message that is no echo request (those are answered). DATA lasts until the next call. */
int of_client_receive(struct of_client *client, struct msg *msg, char **error);
/* Everything sent so far has been done: without any error message, or that is one. */
int of_client_barrier(struct of_client *client, char **error);

/* Appends an add of FLOW (in ovs-ofctl's syntax), or its strict deletion. */
void of_client_put_flow(struct sbuf *out, enum ofp_version version, const char *flow, bool delete);
