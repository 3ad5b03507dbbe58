/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a flow_mod does to the tables: OpenFlow 1.0 (4.6), 1.3.5 (6.4) and Open vSwitch's extensions
 * (cookie match, modify that adds, check_overlap, reset_counts, eviction).
 *
 * Threads: control only.
 */

#include "ofproto/state/txn.h"
#include "ofproto/wire/flow_mod.h"

/* Refuses FM for what it is, whatever the tables hold: when it enters a bundle. */
enum ofp_error of_flow_mod_check(const struct flow_mod *fm);
/* Stages FM in TXN. On an error TXN is as before. */
enum ofp_error of_flow_mod_start(struct of_txn *txn, const struct flow_mod *fm);
/* FM as a transaction of its own. REQUESTER may be NULL. */
enum ofp_error of_flow_mod(struct of_state *state, const struct flow_mod *fm,
	const struct of_requester *requester);
/* A flow of our own, that controllers neither see nor change: PRIORITY above OF_MAX_PRIORITY. Adds
 * or replaces it; ACTS NULL: removes it. */
void of_hidden_flow(struct of_state *state, const struct match *match, int priority,
	const struct act *acts, size_t acts_len);
/* Removes all flows, hidden ones too, without reporting them. */
void of_flush(struct of_state *state);
/* TABLE_ID has more flows than its limit, and may evict: does so. */
void of_table_evict(struct of_state *state, uint8_t table_id);
