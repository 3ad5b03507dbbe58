/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/timeout.h"

#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "ofproto/state/txn.h"

/* Flows that expire in one turn at most: the rest waits for the next. */
#define MAX_EXPIRED_PER_RUN 1000

static void heap_set(struct of_state *state, size_t i, struct of_timer timer)
{
	state->timers.items[i] = timer;
	timer.rule->timer = (uint32_t)i;
}

static void heap_up(struct of_state *state, size_t i)
{
	struct of_timer timer = state->timers.items[i];

	while (i && state->timers.items[(i - 1) / 2].deadline_ms > timer.deadline_ms) {
		heap_set(state, i, state->timers.items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(state, i, timer);
}

static void heap_down(struct of_state *state, size_t i)
{
	struct of_timer timer = state->timers.items[i];
	size_t n = state->timers.n;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && state->timers.items[child + 1].deadline_ms <
				state->timers.items[child].deadline_ms)
			child++;
		if (state->timers.items[child].deadline_ms >= timer.deadline_ms)
			break;
		heap_set(state, i, state->timers.items[child]);
		i = child;
	}
	heap_set(state, i, timer);
}

static void heap_move(struct of_state *state, size_t i, int64_t deadline_ms)
{
	int64_t before = state->timers.items[i].deadline_ms;

	state->timers.items[i].deadline_ms = deadline_ms;
	if (deadline_ms < before)
		heap_up(state, i);
	else
		heap_down(state, i);
}

void of_timer_add(struct of_state *state, struct of_rule *rule)
{
	struct of_timer timer = { .deadline_ms = of_rule_deadline_ms(rule), .rule = rule };

	if (timer.deadline_ms == INT64_MAX || rule->timer != OF_RULE_NO_TIMER)
		return;
	vec_push(&state->timers, timer);
	heap_up(state, state->timers.n - 1);
}

void of_timer_remove(struct of_state *state, struct of_rule *rule)
{
	size_t i = rule->timer;
	struct of_timer last;

	if (rule->timer == OF_RULE_NO_TIMER)
		return;
	rule->timer = OF_RULE_NO_TIMER;
	last = vec_pop(&state->timers);
	if (last.rule == rule)
		return;
	heap_set(state, i, last);
	heap_up(state, i);
	heap_down(state, last.rule->timer);
}

void of_timer_reduce(struct of_state *state, struct of_rule *rule, uint16_t idle, uint16_t hard)
{
	if (idle && (!rule->idle_timeout || rule->idle_timeout > idle))
		rule->idle_timeout = idle;
	if (hard && (!rule->hard_timeout || rule->hard_timeout > hard))
		rule->hard_timeout = hard;
	if (rule->life != OF_RULE_LIVE)
		return;
	if (rule->timer == OF_RULE_NO_TIMER)
		of_timer_add(state, rule);
	else
		heap_move(state, rule->timer, of_rule_deadline_ms(rule));
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
	size_t n_expired = 0;
	bool swept = false;
	struct of_txn txn;

	while (state->timers.n && state->timers.items[0].deadline_ms < now_ms &&
		n_expired < MAX_EXPIRED_PER_RUN) {
		struct of_rule *rule = state->timers.items[0].rule;
		int64_t deadline;

		if (!swept) {
			dp_sweep();
			swept = true;
		}
		deadline = of_rule_deadline_ms(rule);
		if (deadline >= now_ms) {
			heap_move(state, 0, deadline);
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
	return state->timers.n ? state->timers.items[0].deadline_ms + 1 : INT64_MAX;
}

struct of_rule *of_timer_soonest(const struct of_state *state, uint8_t table_id)
{
	struct of_rule *best = NULL;
	int64_t best_deadline = INT64_MAX;

	for (size_t i = 0; i < state->timers.n; i++) {
		struct of_timer timer = state->timers.items[i];

		if (timer.rule->pl.table_id == table_id && timer.deadline_ms < best_deadline &&
			!of_rule_is_hidden(timer.rule)) {
			best = timer.rule;
			best_deadline = timer.deadline_ms;
		}
	}
	return best;
}
