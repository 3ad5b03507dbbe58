/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What outlives the process: a snapshot of the bridges (ofproto.h) in RUNDIR/sluice.state, written when
 * something has changed (but not so often that it costs much), and at exit; read at start, before OpenFlow
 * is answered or a packet moves. Keyed by the machine's boot id and the bridges' UUIDs: after a reboot the
 * tables are empty, as controllers expect.
 *
 * Also other_config:flow-restore-wait. With a snapshot restored it holds back controllers only; without, as
 * in Open vSwitch, packets too.
 *
 * Drop-in mode only. Control thread only.
 */

#include "lib/event.h"
#include "ofproto/ofproto.h"
#include "tools/sluiced/model.h"

/* Begins to read the snapshot, if there is one. Early: it takes a while. */
void restart_init(struct event_loop *loop);
/* The configuration's wish, with each of them. After dp_init(). */
void restart_configure(const struct model *model);
/* A bridge was made: the numbers of its ports. */
void restart_bridge_made(struct ofproto *ofproto);
/* Everything else of it, once its settings are made. */
void restart_bridge_load(struct ofproto *ofproto);
/* The first configuration is in effect: what was not asked for is forgotten. Snapshots are written from
 * now on. */
void restart_complete(void);
/* Writes the last snapshot, or (CLEANUP) removes it. Bridges are still there. */
void restart_uninit(bool cleanup);

/* sluice/save-state. */
int restart_save_now(void);
