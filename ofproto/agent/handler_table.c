/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "datapath/dp.h"
#include "ofproto/agent/handler.h"
#include "ofproto/state/evict.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/wire/table.h"

/* All that a table weighs when it evicts: importance, lifetime and other. It can't be changed. */
#define EVICTION_FLAGS 7

static void table_describe(
	const struct of_state *state, uint8_t table_id, struct table_features *tf)
{
	const struct of_table *table = &state->tables[table_id];

	*tf = (struct table_features) {
		.table_id = table_id,
		.metadata_match = BE64_MAX,
		.metadata_write = BE64_MAX,
		.max_entries = table->flow_limit < OF_TABLE_MAX_FLOWS ? table->flow_limit :
			OF_TABLE_MAX_FLOWS,
		.miss = atomic_load_explicit(&table->pl->miss, memory_order_relaxed),
		.eviction = -1,
		.vacancy = -1,
		.is_last = table_id == OF_N_VISIBLE_TABLES - 1,
		.n_tables = OF_N_VISIBLE_TABLES,
	};
	if (table->name)
		strncpy(tf->name, table->name, sizeof tf->name - 1);
}

enum ofp_error handle_table_stats_request(struct of_session *session, const struct msg *msg)
{
	const struct of_state *state = &session->ofproto->state;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;

	dp_sweep();
	mp_begin(&mp, &out, msg);
	for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++) {
		struct table_features tf;
		struct table_stats ts;

		table_describe(state, (uint8_t)i, &tf);
		ts.active_count = of_table_n_visible(state, (uint8_t)i);
		of_table_counts(state, (uint8_t)i, &ts.lookup_count, &ts.matched_count);
		table_stats_put(&mp, &tf, &ts);
	}
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* ------------------------------------------------------------------ features */

/* The wanted tables, as the request lists them. */
struct wanted {
	bool seen[OFP_N_TABLES + 1];
	struct table_features_request tables[OFP_N_TABLES + 1];
	uint8_t command;
	unsigned int n;
};

static enum ofp_error wanted_take(const struct msg *msg, struct wanted *wanted)
{
	struct cursor c = msg->body;
	enum ofp_error error;
	bool more;

	memset(wanted, 0, sizeof *wanted);
	for (;;) {
		struct table_features_request tfr;

		error = table_features_request_take(msg, &c, &tfr, &more);
		if (error || !more)
			return error;
		if (!wanted->n++)
			wanted->command = tfr.command;
		if (wanted->seen[tfr.table_id])
			return NXTFFC_DUP_TABLE;
		wanted->seen[tfr.table_id] = true;
		wanted->tables[tfr.table_id] = tfr;
	}
}

/* Only names can be changed; the rest must be asked for as it is. */
static enum ofp_error wanted_check(const struct of_state *state, const struct wanted *wanted)
{
	if (wanted->command > 1)
		return OFPTFFC_EPERM;
	if (wanted->seen[OF_TABLE_INTERNAL] || wanted->seen[OFP_N_TABLES])
		return OFPTFFC_EPERM;
	for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++) {
		const struct of_table *table = &state->tables[i];
		struct table_features tf;

		if (!wanted->seen[i]) {
			if (wanted->command == 0)
				return OFPTFFC_EPERM;
			continue;
		}
		table_describe(state, (uint8_t)i, &tf);
		if (wanted->tables[i].max_entries != tf.max_entries)
			return OFPTFFC_EPERM;
		if (table->name_level > 1 && strcmp(wanted->tables[i].name, table->name))
			return OFPTFFC_EPERM;
	}
	return OFP_OK;
}

static enum ofp_error change_features(struct of_session *session, const struct msg *msg)
{
	struct of_state *state = &session->ofproto->state;
	struct wanted wanted;
	enum ofp_error error;

	error = wanted_take(msg, &wanted);
	if (!error && wanted.n)
		error = handler_require_primary(session);
	if (!error && wanted.n)
		error = wanted_check(state, &wanted);
	for (unsigned int i = 0; !error && i < OF_N_VISIBLE_TABLES; i++)
		if (wanted.seen[i])
			of_table_set_name(state, (uint8_t)i, wanted.tables[i].name, 1);
	return error;
}

enum ofp_error handle_table_features_request(struct of_session *session, const struct msg *msg)
{
	const struct of_state *state = &session->ofproto->state;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;
	enum ofp_error error;

	if (cursor_left(&msg->body)) {
		error = change_features(session, msg);
		if (error)
			return error;
	}
	mp_begin(&mp, &out, msg);
	for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++) {
		struct table_features tf;

		table_describe(state, (uint8_t)i, &tf);
		table_features_put(&mp, &tf);
	}
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* ------------------------------------------------------------------ table_mod */

static void table_change(struct of_state *state, uint8_t table_id, const struct table_mod *tm)
{
	struct of_table *table = &state->tables[table_id];

	/* Both enums are in the same order. */
	if (tm->miss != TABLE_MISS_DEFAULT)
		of_table_set_miss(state, table_id, (enum pl_miss)tm->miss);
	if (tm->eviction >= 0) {
		of_evict_enable(state, table_id, OF_EVICT_OPENFLOW, tm->eviction);
		of_table_evict(state, table_id);
	}
	if (tm->vacancy < 0)
		return;
	table->vacancy_down = tm->vacancy_down;
	table->vacancy_up = tm->vacancy_up;
	if (!tm->vacancy)
		table->vacancy_event = 0;
	else if (!table->vacancy_event)
		table->vacancy_event = of_table_vacancy(state, table_id) < table->vacancy_up ?
			OFPTR_VACANCY_UP : OFPTR_VACANCY_DOWN;
}

enum ofp_error handle_table_mod(struct of_session *session, const struct msg *msg)
{
	struct of_state *state = &session->ofproto->state;
	enum ofp_error error;
	struct table_mod tm;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = table_mod_decode(msg, &tm);
	if (error)
		return error;
	if (tm.eviction_flags != UINT32_MAX && tm.eviction_flags != EVICTION_FLAGS)
		return OFPTMFC_BAD_CONFIG;
	if (tm.table_id == OF_TABLE_INTERNAL)
		return OFPTMFC_EPERM;
	if (tm.table_id != OFP_TABLE_ALL) {
		table_change(state, tm.table_id, &tm);
		return OFP_OK;
	}
	for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++)
		table_change(state, (uint8_t)i, &tm);
	return OFP_OK;
}

void handler_describe_table(const struct of_state *state, uint8_t table_id, struct table_desc *td)
{
	const struct of_table *table = &state->tables[table_id];

	*td = (struct table_desc) {
		.table_id = table_id,
		.eviction = of_evict_is_enabled(table, OF_EVICT_OPENFLOW),
		.eviction_flags = EVICTION_FLAGS,
		.vacancy = table->vacancy_event != 0,
		.vacancy_down = table->vacancy_down,
		.vacancy_up = table->vacancy_up,
		.vacancy_now = of_table_vacancy(state, table_id),
	};
}

enum ofp_error handle_table_desc_request(struct of_session *session, const struct msg *msg)
{
	const struct of_state *state = &session->ofproto->state;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;

	mp_begin(&mp, &out, msg);
	for (unsigned int i = 0; i < OF_N_VISIBLE_TABLES; i++) {
		struct table_desc td;

		handler_describe_table(state, (uint8_t)i, &td);
		table_desc_put(&mp, &td);
	}
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
