/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Idle and hard timeouts of flows: a heap by the moment at which a flow would expire. Packets only
 * move that moment away, so it is looked at again (with counters swept) when it has come.
 *
 * Threads: control only.
 */

#include "ofproto/state/table.h"

/* RULE with a timeout enters or leaves the heap; others are ignored. */
void of_timer_add(struct of_state *state, struct of_rule *rule);
void of_timer_remove(struct of_state *state, struct of_rule *rule);
/* RULE's timeouts are cut to IDLE and HARD seconds (0: left alone). */
void of_timer_reduce(struct of_state *state, struct of_rule *rule, uint16_t idle, uint16_t hard);
/* Removes what has expired by NOW_MS. */
void of_timers_run(struct of_state *state, int64_t now_ms);
/* When to call of_timers_run() next; INT64_MAX never. */
int64_t of_timers_next_ms(const struct of_state *state);
