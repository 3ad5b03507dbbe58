/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/timeout.h"

#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "ofproto/state/evict.h"
#include "ofproto/state/txn.h"

/* Flows that expire in one turn at most: the rest waits for the next. */
#define MAX_EXPIRED_PER_RUN 1000

void of_timer_add(struct of_state *state, struct of_rule *rule)
{
	int64_t deadline_ms = of_rule_deadline_ms(rule);

	if (deadline_ms != INT64_MAX && rule->timer == HEAP_NOWHERE)
		heap_insert(&state->timers, &rule->timer, deadline_ms);
}

void of_timer_remove(struct of_state *state, struct of_rule *rule)
{
	if (rule->timer != HEAP_NOWHERE)
		heap_remove(&state->timers, &rule->timer);
}

void of_timer_reduce(struct of_state *state, struct of_rule *rule, uint16_t idle, uint16_t hard)
{
	if (idle && (!rule->idle_timeout || rule->idle_timeout > idle))
		rule->idle_timeout = idle;
	if (hard && (!rule->hard_timeout || rule->hard_timeout > hard))
		rule->hard_timeout = hard;
	if (rule->life != OF_RULE_LIVE)
		return;
	if (rule->timer == HEAP_NOWHERE)
		of_timer_add(state, rule);
	else
		heap_set_key(&state->timers, &rule->timer, of_rule_deadline_ms(rule));
	of_evict_update(state, rule);
}

/* Why RULE has expired by NOW_MS; a hard timeout counts before an idle one. */
static uint8_t expiry_reason(const struct of_rule *rule, int64_t now_ms)
{
	if (rule->hard_timeout &&
		now_ms > of_rule_modified_ms(rule) + rule->hard_timeout * INT64_C(1000))
		return OFPRR_HARD_TIMEOUT;
	return OFPRR_IDLE_TIMEOUT;
}

void of_timers_run(struct of_state *state, int64_t now_ms)
{
	const struct heap_entry *first;
	size_t n_expired = 0;
	bool swept = false;
	struct of_txn txn;

	while ((first = heap_first(&state->timers)) && first->key < now_ms &&
		n_expired < MAX_EXPIRED_PER_RUN) {
		struct of_rule *rule = container_of(first->slot, struct of_rule, timer);
		int64_t deadline;

		if (!swept) {
			dp_sweep();
			swept = true;
		}
		deadline = of_rule_deadline_ms(rule);
		if (deadline >= now_ms) {
			heap_set_key(&state->timers, &rule->timer, deadline);
			continue;
		}
		if (!n_expired++)
			of_txn_begin(&txn, state, NULL);
		of_txn_remove_rule(&txn, rule, expiry_reason(rule, now_ms));
	}
	if (n_expired)
		of_txn_commit(&txn);
}

int64_t of_timers_next_ms(const struct of_state *state)
{
	const struct heap_entry *first = heap_first(&state->timers);

	return first ? first->key + 1 : INT64_MAX;
}
