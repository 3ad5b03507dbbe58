/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow monitors: sessions that want to hear of every change of certain flows. The updates that one
 * request causes go out together when it is done. A session that does not keep up is paused (it is
 * told, and from then on hears only of the end of flows it knew), and caught up once it has read
 * everything.
 *
 * Threads: control only.
 */

#include "ofproto/agent/session.h"
#include "ofproto/wire/monitor.h"

/* News of the tables, as struct of_listener has them. */
void monitor_report(struct ofproto *ofproto, enum of_flow_event event, struct of_rule *rule,
	uint8_t reason, const struct of_requester *requester, const struct pl_actions *old_actions);
/* A request is done: what was reported leaves. */
void monitor_flush(struct ofproto *ofproto);
/* Sessions that have caught up go on. */
void monitor_run(struct ofproto *ofproto);
