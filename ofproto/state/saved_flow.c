/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/saved_flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/text/flow_text.h"

_Static_assert(FLOW_WORDS <= 128, "saved_flow.words");
_Static_assert(sizeof(struct saved_flow) % 8 == 0, "records are aligned");

/* ------------------------------------------------------------------ packing */

static void put_match(struct sbuf *out, const struct match *match, uint64_t used[2])
{
	const uint64_t *flow = flow_words_const(&match->flow),
		       *mask = flow_words_const(&match->mask);

	memset(used, 0, 2 * sizeof *used);
	for (size_t i = 0; i < FLOW_WORDS; i++) {
		if (!(flow[i] | mask[i]))
			continue;
		used[i / 64] |= UINT64_C(1) << i % 64;
		sbuf_put(out, &flow[i], sizeof flow[i]);
		sbuf_put(out, &mask[i], sizeof mask[i]);
	}
}

/* Returns where the words end. */
static const uint64_t *get_match(const struct saved_flow *saved, struct match *match)
{
	uint64_t *flow = flow_words(&match->flow), *mask = flow_words(&match->mask);
	const uint64_t *word = saved->data;

	memset(match, 0, sizeof *match);
	for (size_t half = 0; half < 2; half++) {
		for (uint64_t used = saved->words[half]; used; used &= used - 1) {
			size_t i = half * 64 + (size_t)__builtin_ctzll(used);

			flow[i] = *word++;
			mask[i] = *word++;
		}
	}
	return word;
}

/* N decimal numbers at *TEXT with a space behind each; false if they are not there. sscanf() would take a large
 * part of the time that a restart takes. */
static bool take_numbers(const char **text, int64_t numbers[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *end;

		numbers[i] = (int64_t)(**text == '-' ? (uint64_t)strtoll(*text, &end, 10) :
			strtoull(*text, &end, 10));
		if (end == *text || *end != ' ')
			return false;
		*text = end + 1;
	}
	return true;
}

int saved_flow_parse(const char *text, struct sbuf *out, char **error)
{
	struct saved_flow saved = {.len = 0};
	size_t start = out->len;
	struct flow_mod fm;
	int64_t numbers[5];
	int retval;

	if (!take_numbers(&text, numbers, ARRAY_SIZE(numbers))) {
		*error = xstrdup("expected \"flow PACKETS BYTES CREATED MODIFIED USED FLOW\"");
		return -EINVAL;
	}
	retval = flow_text_parse(text, NULL, &fm, error);
	if (retval)
		return retval;
	saved.packets = (uint64_t)numbers[0];
	saved.bytes = (uint64_t)numbers[1];
	saved.created_ms = numbers[2];
	saved.modified_ms = numbers[3];
	saved.used_ms = numbers[4];
	saved.cookie = fm.new_cookie;
	saved.priority = fm.priority;
	saved.idle_timeout = fm.idle_timeout;
	saved.hard_timeout = fm.hard_timeout;
	saved.importance = fm.importance;
	saved.flags = fm.flags;
	saved.table_id = fm.table_id;
	saved.acts_len = (uint32_t)flow_mod_acts_len(&fm);
	sbuf_put_zeros(out, sizeof saved);
	put_match(out, &fm.match, saved.words);
	sbuf_put(out, flow_mod_acts(&fm), saved.acts_len);
	sbuf_put_zeros(out, -saved.acts_len & 7);
	saved.len = (uint32_t)(out->len - start);
	memcpy((char *)out->data + start, &saved, sizeof saved);
	flow_mod_uninit(&fm);
	return 0;
}

/* ------------------------------------------------------------------ putting back */

static void set_past(struct of_state *state, struct of_rule *rule, const struct saved_flow *saved,
	int64_t now_ms)
{
	bool timed = rule->idle_timeout || rule->hard_timeout;

	/* The indices go by times. */
	if (timed)
		of_state_unlink(state, rule);
	rule->created_ms = now_ms - saved->created_ms;
	rule->modified_ms = now_ms - saved->modified_ms;
	rule->used_floor_ms = now_ms - saved->used_ms;
	rule->flags = (uint8_t)(saved->flags & OFPFF_STATE);
	if (saved->packets || saved->bytes)
		counter_add(
			rule->pl.counter, saved->packets, saved->bytes, now_ms - saved->used_ms);
	if (timed)
		of_state_link(state, rule);
}

enum ofp_error saved_flow_stage(struct of_txn *txn, const struct saved_flow *saved, int64_t now_ms)
{
	const struct of_change *change;
	enum ofp_error error;
	struct flow_mod fm;

	flow_mod_init(&fm);
	fm.acts.buf.data = (void *)(uintptr_t)get_match(saved, &fm.match);
	fm.acts.buf.len = saved->acts_len;
	fm.new_cookie = saved->cookie;
	fm.priority = saved->priority;
	fm.idle_timeout = saved->idle_timeout;
	fm.hard_timeout = saved->hard_timeout;
	fm.importance = saved->importance;
	fm.table_id = saved->table_id;
	/* What was checked when it was added is not to be checked in another order now. */
	fm.flags = saved->flags & (uint16_t)~OFPFF_CHECK_OVERLAP;
	error = of_flow_mod_start(txn, &fm);
	if (error || !txn->changes.n)
		return error;
	change = &txn->changes.items[txn->changes.n - 1];
	if (change->new_rule)
		set_past(txn->state, change->new_rule, saved, now_ms);
	return OFP_OK;
}
