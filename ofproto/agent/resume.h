/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Paused packets: a controller gets a packet-in, works on packet and metadata, and says with
 * NXT_RESUME where they go on. The state in which the datapath stopped (struct op_resume) is kept
 * here and the controller only gets a ticket for it, a random number: what it sends back need not
 * be trusted.
 *
 * Kept are the last few thousand; a ticket is good as long as its state is there.
 *
 * Threads: control only.
 */

#include "datapath/pipeline/pipeline.h"
#include "datapath/pipeline/program.h"
#include "ofproto/wire/packet_in.h"

#define RESUME_MAX 4096

/* Keeps RESUME (copied) and fills CONTINUATION with its ticket, which lasts until the next call. */
void resume_keep(const struct op_resume *resume, struct packet_in_continuation *continuation);
/* The state that D's ticket stands for, with D's metadata, on BRIDGE; free() it. NULL: no such
 * ticket. */
struct op_resume *resume_take(const struct packet_in_decoded *d, const struct pl_bridge *bridge);
/* Forgets everything, or what is kept for one bridge. */
void resume_forget(const struct pl_bridge *bridge);
