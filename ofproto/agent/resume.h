/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Paused packets: the state in which the datapath stopped (struct op_resume), as a controller carries it
 * from packet-in to NXT_RESUME. The controller can't be trusted with it, so nothing of it is taken back
 * but by decoding.
 *
 * Control thread only.
 */

#include "datapath/pipeline/pipeline.h"
#include "datapath/pipeline/program.h"
#include "ofproto/wire/packet_in.h"

/* CONTINUATION borrows from RESUME. */
void resume_to_continuation(const struct op_resume *resume, struct packet_in_continuation *continuation);
/* What D says, to free(); NULL if it makes no sense on BRIDGE. */
struct op_resume *resume_from_decoded(const struct packet_in_decoded *d, const struct pl_bridge *bridge);
