/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Asynchronous messages: who gets which, and their making for each session's version and formats.
 *
 * Threads: control only.
 */

#include "datapath/dp.h"
#include "ofproto/agent/connmgr.h"

/* What SESSION has asked for, or what it gets by default. */
void async_session_config(const struct of_session *session, struct async_config *config);
void async_session_set_config(struct of_session *session, const struct async_config *config);
bool async_session_wants(const struct of_session *session, enum async_type type,
	unsigned int reason);

void async_packet_in(struct connmgr *mgr, const struct dp_punt *punt);
/* A RARP frame from nowhere, that shows whether the controller is alive (fail-open). */
void async_bogus_packet_in(struct connmgr *mgr);
void async_flow_removed(struct connmgr *mgr, struct of_rule *rule);
/* OLD (may be NULL) is what was shown before; SOURCE (may be NULL) asked for the change. */
void async_port_status(struct connmgr *mgr, const struct port_desc *old,
	const struct port_desc *now, enum ofp_port_reason reason, const struct of_session *source);
/* A table has become fuller or emptier than its limits. */
void async_table_status(struct connmgr *mgr, uint8_t table_id, enum ofp_table_reason reason);
/* SOURCE's group_mod or meter_mod MSG, for those that want to know. */
void async_requestforward(struct connmgr *mgr, const struct of_session *source,
	const struct msg *msg);
