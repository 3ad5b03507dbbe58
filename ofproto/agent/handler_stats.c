/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/agent/handler.h"
#include "ofproto/wire/flow_stats.h"

#define SLICE_US 1000

/* A dump of flows under way. The flows are walked where they are: one that goes before its turn is
 * not in the reply, one that comes may be. */
struct flow_dump {
	struct of_dump dump;
	struct of_state *state;
	struct flow_stats_request request;
	struct of_criteria criteria;
	int table_id;			/* Under way; -1 before the first. */
	bool walking;
	struct cls_cursor cursor;
	struct sbuf out;
	struct mp_reply mp;
};

static void request_to_criteria(
	const struct flow_stats_request *request, struct of_criteria *criteria)
{
	of_criteria_init(criteria);
	criteria->table_id = request->table_id;
	criteria->match = &request->match;
	criteria->cookie = request->cookie;
	criteria->cookie_mask = request->cookie_mask;
	criteria->out_port = request->out_port;
	criteria->out_group = request->out_group;
}

static int age_s(int64_t since_ms, int64_t now_ms)
{
	int64_t s = (now_ms - since_ms) / 1000;

	return s < 0 ? 0 : s > UINT16_MAX ? UINT16_MAX : (int)s;
}

static void put_flow(struct mp_reply *mp, const struct of_rule *rule)
{
	struct of_rule_stats stats = of_rule_stats(rule);
	const struct pl_actions *actions = of_rule_actions(rule);
	int64_t now_ms = clock_ms(), age_ms = now_ms - rule->created_ms;
	struct match match;
	struct flow_stats fs = {
		.match = &match,
		.priority = (uint16_t)of_rule_priority(rule),
		.table_id = rule->pl.table_id,
		.cookie = of_rule_cookie(rule),
		.duration_sec = (uint32_t)(age_ms / 1000),
		.duration_nsec = (uint32_t)(age_ms % 1000) * 1000000,
		.idle_timeout = rule->idle_timeout,
		.hard_timeout = rule->hard_timeout,
		.idle_age = age_s(stats.used_ms, now_ms),
		.hard_age = age_s(of_rule_modified_ms(rule), now_ms),
		.flags = rule->flags,
		.importance = rule->importance,
		.packets = stats.packets,
		.bytes = stats.bytes,
		.acts = actions->acts,
		.acts_len = actions->len,
	};

	cls_rule_get_match(&rule->pl.cr, &match);
	flow_stats_put(mp, &fs);
}

/* Goes to the next table that has flows; false: there is none. */
static bool dump_next_table(struct flow_dump *dump)
{
	const struct of_criteria *criteria = &dump->criteria;
	int last =
		criteria->table_id == OFP_TABLE_ALL ? OF_N_VISIBLE_TABLES - 1 : criteria->table_id;

	if (dump->table_id < 0 && criteria->table_id != OFP_TABLE_ALL)
		dump->table_id = criteria->table_id - 1;
	while (++dump->table_id <= last) {
		struct of_table *table = &dump->state->tables[dump->table_id];

		if (!table->n_flows)
			continue;
		cls_cursor_init(&dump->cursor, table->pl->cls, criteria->match, version_get());
		dump->walking = true;
		return true;
	}
	return false;
}

static struct of_rule *dump_next(struct flow_dump *dump)
{
	struct cls_rule *cr;

	for (;;) {
		if (!dump->walking && !dump_next_table(dump))
			return NULL;
		cr = cls_cursor_next(&dump->cursor);
		if (!cr) {
			dump->walking = false;
			continue;
		}
		if (of_criteria_accepts(&dump->criteria, of_rule_from_cls(cr)))
			return of_rule_from_cls(cr);
	}
}

/* What is finished of the reply leaves; the message under way stays. */
static void dump_flush(struct flow_dump *dump, struct of_session *session)
{
	struct sbuf done = SBUF_INITIALIZER;
	size_t len = dump->mp.start;

	if (!len)
		return;
	sbuf_put(&done, dump->out.data, len);
	sbuf_pull(&dump->out, len);
	dump->mp.start = 0;
	of_session_send(session, &done);
	sbuf_uninit(&done);
}

static bool flow_dump_step(struct of_dump *dump_, struct of_session *session)
{
	struct flow_dump *dump = container_of(dump_, struct flow_dump, dump);
	int64_t end_us = clock_us() + SLICE_US;
	struct of_rule *rule;

	while ((rule = dump_next(dump))) {
		put_flow(&dump->mp, rule);
		if (clock_us() > end_us) {
			dump_flush(dump, session);
			return true;
		}
	}
	mp_end(&dump->mp);
	of_session_send(session, &dump->out);
	return false;
}

static void flow_dump_destroy(struct of_dump *dump_)
{
	struct flow_dump *dump = container_of(dump_, struct flow_dump, dump);

	if (dump->walking)
		cls_cursor_uninit(&dump->cursor);
	sbuf_uninit(&dump->out);
	free(dump);
}

/* Flows with one cookie come from the index. */
static void reply_by_cookie(struct of_session *session, const struct msg *msg,
	const struct of_criteria *criteria)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct of_rules rules;
	struct mp_reply mp;

	of_rules_init(&rules);
	of_state_collect(&session->ofproto->state, criteria, &rules);
	mp_begin(&mp, &out, msg);
	for (size_t i = 0; i < rules.v.n; i++)
		put_flow(&mp, rules.v.items[i]);
	mp_end(&mp);
	of_session_send(session, &out);
	of_rules_uninit(&rules);
	sbuf_uninit(&out);
}

enum ofp_error handle_flow_stats_request(struct of_session *session, const struct msg *msg)
{
	struct flow_stats_request request;
	struct of_criteria criteria;
	struct flow_dump *dump;
	enum ofp_error error;

	error = flow_stats_request_decode(msg, &request);
	if (error)
		return error;
	dp_sweep();
	if (request.cookie_mask == BE64_MAX) {
		request_to_criteria(&request, &criteria);
		reply_by_cookie(session, msg, &criteria);
		return OFP_OK;
	}
	dump = xcalloc(1, sizeof *dump);
	dump->dump.step = flow_dump_step;
	dump->dump.destroy = flow_dump_destroy;
	dump->state = &session->ofproto->state;
	dump->request = request;
	dump->table_id = -1;
	request_to_criteria(&dump->request, &dump->criteria);
	mp_begin(&dump->mp, &dump->out, msg);
	if (flow_dump_step(&dump->dump, session))
		of_session_start_dump(session, &dump->dump);
	else
		flow_dump_destroy(&dump->dump);
	return OFP_OK;
}

enum ofp_error handle_aggregate_request(struct of_session *session, const struct msg *msg)
{
	struct aggregate_stats total = { 0 };
	struct flow_stats_request request;
	struct sbuf out = SBUF_INITIALIZER;
	struct of_criteria criteria;
	struct of_rules rules;
	enum ofp_error error;

	error = flow_stats_request_decode(msg, &request);
	if (error)
		return error;
	dp_sweep();
	request_to_criteria(&request, &criteria);
	of_rules_init(&rules);
	error = of_state_collect(&session->ofproto->state, &criteria, &rules);
	for (size_t i = 0; !error && i < rules.v.n; i++) {
		struct of_rule_stats stats = of_rule_stats(rules.v.items[i]);

		total.packets += stats.packets;
		total.bytes += stats.bytes;
		total.n_flows++;
	}
	of_rules_uninit(&rules);
	if (error)
		return error;
	aggregate_stats_encode(&total, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
