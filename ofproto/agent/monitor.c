/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/monitor.h"

#include <stdlib.h>

#include "lib/fatal.h"
#include "lib/hash.h"
#include "ofproto/agent/connmgr.h"
#include "ofproto/agent/handler.h"

#define PAUSE_BACKLOG (128 * 1024)

/* Numbers every change of a flow, on all bridges; 0 is none. */
static uint64_t monitor_seqno = 1;

void of_monitors_init(struct of_monitors *monitors)
{
	*monitors = (struct of_monitors) { .updates = SBUF_INITIALIZER };
	hmap_init(&monitors->monitors);
}

void of_monitors_uninit(struct of_monitors *monitors)
{
	struct of_monitor *monitor;

	HMAP_FOR_EACH_POP (monitor, node, &monitors->monitors)
		free(monitor);
	hmap_uninit(&monitors->monitors);
	sbuf_uninit(&monitors->updates);
}

static struct of_monitor *monitor_find(struct of_session *session, uint32_t id)
{
	struct of_monitor *monitor;

	HMAP_FOR_EACH_WITH_HASH (monitor, node, hash_u32(id, 0), &session->monitors.monitors)
		if (monitor->request.id == id)
			return monitor;
	return NULL;
}

static void monitor_remove(struct of_session *session, struct of_monitor *monitor)
{
	hmap_remove(&session->monitors.monitors, &monitor->node);
	free(monitor);
}

/* ------------------------------------------------------------------ updates */

static void updates_begin(struct of_session *session)
{
	struct of_monitors *monitors = &session->monitors;

	if (monitors->open)
		return;
	mp_begin_async(&monitors->mp, &monitors->updates, session->version,
		OFPTYPE_FLOW_MONITOR_REPLY, MSG_OFPST, OFP_NO_XID);
	monitors->open = true;
	monitors->sent_abbrev = false;
}

static void put_update(struct mp_reply *mp, const struct of_rule *rule, enum monitor_event event,
	uint8_t reason, bool with_actions)
{
	const struct pl_actions *actions = of_rule_actions(rule);
	struct match match;
	struct monitor_update update = {
		.event = event,
		.reason = reason,
		.table_id = rule->pl.table_id,
		.priority = (uint16_t)of_rule_priority(rule),
		.idle_timeout = rule->idle_timeout,
		.hard_timeout = rule->hard_timeout,
		.cookie = of_rule_cookie(rule),
		.match = &match,
		.acts = with_actions ? actions->acts : NULL,
		.acts_len = with_actions ? actions->len : 0,
	};

	cls_rule_get_match(&rule->pl.cr, &match);
	monitor_update_put(mp, &update);
}

static bool monitor_covers(const struct of_monitor *monitor, const struct of_rule *rule,
	const struct pl_actions *old_actions)
{
	const struct monitor_request *request = &monitor->request;

	if (request->table_id != OFP_TABLE_ALL && request->table_id != rule->pl.table_id)
		return false;
	if (request->out_port != OFPP_NONE && !of_rule_outputs_to(rule, request->out_port) &&
		!(old_actions && act_list_outputs_to(old_actions->acts, old_actions->len,
			request->out_port)))
		return false;
	if (request->out_group != OFP_GROUP_ANY &&
		!of_rule_outputs_to_group(rule, request->out_group))
		return false;
	return cls_rule_is_loose_match(&rule->pl.cr, &request->match);
}

/* The union of what those of SESSION's monitors ask for that want to hear of a change of kind
 * WANTED. */
static uint16_t session_flags(struct of_session *session, uint16_t wanted,
	const struct of_rule *rule, const struct pl_actions *old_actions)
{
	struct of_monitor *monitor;
	uint16_t flags = 0;

	HMAP_FOR_EACH (monitor, node, &session->monitors.monitors)
		if (monitor->request.flags & wanted && monitor_covers(monitor, rule, old_actions))
			flags |= monitor->request.flags;
	return flags;
}

static void session_report(struct of_session *session, enum monitor_event event,
	const struct of_rule *rule, uint8_t reason, uint16_t flags,
	const struct of_requester *requester)
{
	struct of_monitors *monitors = &session->monitors;
	struct monitor_update abbrev = { .event = MONITOR_EVENT_ABBREV, .xid = requester->xid };

	updates_begin(session);
	if (flags & (MONITOR_OWN | MONITOR_ONLY_OWN) || session != requester->session ||
		monitors->paused_at) {
		put_update(&monitors->mp, rule, event, reason, (flags & MONITOR_ACTIONS) != 0);
	} else if (!monitors->sent_abbrev) {
		monitor_update_put(&monitors->mp, &abbrev);
		monitors->sent_abbrev = true;
	}
}

void monitor_report(struct ofproto *ofproto, enum of_flow_event event, struct of_rule *rule,
	uint8_t reason, const struct of_requester *requester, const struct pl_actions *old_actions)
{
	static const struct {
		uint16_t wanted;
		enum monitor_event event;
	} kinds[] = {
		[OF_FLOW_ADDED] = { MONITOR_ADD, MONITOR_EVENT_ADDED },
		[OF_FLOW_REMOVED] = { MONITOR_DELETE, MONITOR_EVENT_DELETED },
		[OF_FLOW_MODIFIED] = { MONITOR_MODIFY, MONITOR_EVENT_MODIFIED },
	};
	struct of_session *session;
	uint16_t flags;

	if (of_rule_is_hidden(rule))
		return;
	if (event != OF_FLOW_REMOVED)
		rule->modify_seqno = monitor_seqno++;
	if (event == OF_FLOW_ADDED)
		rule->add_seqno = rule->modify_seqno;
	LIST_FOR_EACH (session, node, connmgr_sessions(ofproto->mgr)) {
		uint64_t paused_at = session->monitors.paused_at;

		if (hmap_is_empty(&session->monitors.monitors))
			continue;
		if (paused_at && (event != OF_FLOW_REMOVED || rule->add_seqno > paused_at))
			continue;
		flags = session_flags(session, kinds[event].wanted, rule, old_actions);
		if (flags)
			session_report(session, kinds[event].event, rule, reason, flags, requester);
	}
}

static void session_flush(struct of_session *session)
{
	struct of_monitors *monitors = &session->monitors;

	if (monitors->open) {
		mp_end(&monitors->mp);
		monitors->open = false;
		of_session_send(session, &monitors->updates);
	}
	if (!monitors->paused_at && !hmap_is_empty(&monitors->monitors) &&
		of_session_backlog(session) > PAUSE_BACKLOG) {
		monitors->paused_at = monitor_seqno++;
		monitor_paused_encode(session->version, &monitors->updates);
		of_session_send(session, &monitors->updates);
	}
}

void monitor_flush(struct ofproto *ofproto)
{
	struct of_session *session;

	LIST_FOR_EACH (session, node, connmgr_sessions(ofproto->mgr))
		session_flush(session);
}

/* ------------------------------------------------------------------ initial flows, catching up */

/* How MONITOR would hear of RULE, which changed since SEQNO (0: initially); 0: not at all. */
static uint16_t refresh_kind(const struct of_monitor *monitor, const struct of_rule *rule,
	uint64_t seqno)
{
	uint16_t kind = MONITOR_INITIAL;

	if (of_rule_is_hidden(rule) || !monitor_covers(monitor, rule, NULL))
		return 0;
	if (seqno)
		kind = rule->add_seqno > seqno ? MONITOR_ADD | MONITOR_MODIFY :
			rule->modify_seqno > seqno ? MONITOR_MODIFY : 0;
	return monitor->request.flags & kind ? kind : 0;
}

/* Puts RULE for the monitors in MONITORS[N]: once, however many cover it. */
static void refresh_rule(struct mp_reply *mp, struct of_monitor *const monitors[], size_t n,
	const struct of_rule *rule, uint64_t seqno)
{
	uint16_t kind = 0, flags = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t k = refresh_kind(monitors[i], rule, seqno);

		kind |= k;
		if (k)
			flags |= monitors[i]->request.flags;
	}
	if (kind)
		put_update(mp, rule, kind & MONITOR_INITIAL ? MONITOR_EVENT_INITIAL :
			kind & MONITOR_ADD ? MONITOR_EVENT_ADDED : MONITOR_EVENT_MODIFIED, 0,
			(flags & MONITOR_ACTIONS) != 0);
}

static void refresh(struct ofproto *ofproto, struct mp_reply *mp,
	struct of_monitor *const monitors[], size_t n, uint64_t seqno)
{
	for (unsigned int i = 0; n && i < OF_N_VISIBLE_TABLES; i++) {
		struct of_table *table = &ofproto->state.tables[i];
		struct cls_cursor cursor;
		struct cls_rule *cr;

		if (!table->n_flows)
			continue;
		cls_cursor_init(&cursor, table->pl->cls, NULL, version_get());
		while ((cr = cls_cursor_next(&cursor)))
			refresh_rule(mp, monitors, n, of_rule_from_cls(cr), seqno);
	}
}

static void session_resume(struct of_session *session)
{
	struct of_monitors *monitors = &session->monitors;
	VEC(struct of_monitor *) all = VEC_INITIALIZER;
	struct of_monitor *monitor;

	HMAP_FOR_EACH (monitor, node, &monitors->monitors)
		vec_push(&all, monitor);
	updates_begin(session);
	refresh(session->ofproto, &monitors->mp, all.items, all.n, monitors->paused_at);
	vec_uninit(&all);
	mp_end(&monitors->mp);
	monitors->open = false;
	monitors->paused_at = 0;
	monitor_resumed_encode(session->version, &monitors->updates);
	of_session_send(session, &monitors->updates);
}

void monitor_run(struct ofproto *ofproto)
{
	struct of_session *session;

	LIST_FOR_EACH (session, node, connmgr_sessions(ofproto->mgr))
		if (session->monitors.paused_at && !of_session_backlog(session))
			session_resume(session);
}

/* ------------------------------------------------------------------ requests */

struct added {
	VEC(struct of_monitor *) v;
};

static enum ofp_error monitor_add(struct of_session *session, const struct monitor_request *request,
	struct added *added)
{
	struct of_monitor *monitor;

	if (monitor_find(session, request->id))
		return OFPMOFC_MONITOR_EXISTS;
	monitor = xcalloc(1, sizeof *monitor);
	monitor->request = *request;
	hmap_insert(&session->monitors.monitors, &monitor->node, hash_u32(request->id, 0));
	vec_push(&added->v, monitor);
	return OFP_OK;
}

/* Takes MONITOR out of the session, and out of those that are new. */
static void monitor_forget(
	struct of_session *session, struct of_monitor *monitor, struct added *added)
{
	for (size_t i = 0; i < added->v.n; i++)
		if (added->v.items[i] == monitor) {
			vec_remove(&added->v, i);
			break;
		}
	monitor_remove(session, monitor);
}

static enum ofp_error monitor_command(
	struct of_session *session, const struct monitor_request *request, struct added *added)
{
	struct of_monitor *monitor = monitor_find(session, request->id);

	if (request->command == MONITOR_CMD_ADD)
		return monitor_add(session, request, added);
	if (!monitor)
		return OFPMOFC_UNKNOWN_MONITOR;
	monitor_forget(session, monitor, added);
	return request->command == MONITOR_CMD_MODIFY ? monitor_add(session, request, added)
						      : OFP_OK;
}

static enum ofp_error monitor_commands(struct of_session *session, const struct msg *msg,
	struct added *added)
{
	struct cursor c = msg->body;
	enum ofp_error error;

	for (;;) {
		struct monitor_request request;
		bool more;

		error = monitor_request_take(msg, &c, &request, &more);
		if (error || !more)
			return error;
		error = monitor_command(session, &request, added);
		if (error)
			return error;
	}
}

enum ofp_error handle_flow_monitor_request(struct of_session *session, const struct msg *msg)
{
	struct added added = { VEC_INITIALIZER };
	VEC(struct of_monitor *) initial = VEC_INITIALIZER;
	struct sbuf out = SBUF_INITIALIZER;
	struct mp_reply mp;
	enum ofp_error error;
	size_t i;

	error = monitor_commands(session, msg, &added);
	for (i = 0; i < added.v.n; i++) {
		if (error)
			monitor_remove(session, added.v.items[i]);
		else if (added.v.items[i]->request.flags & MONITOR_INITIAL)
			vec_push(&initial, added.v.items[i]);
	}
	if (!error) {
		mp_begin(&mp, &out, msg);
		refresh(session->ofproto, &mp, initial.items, initial.n, 0);
		mp_end(&mp);
		of_session_send(session, &out);
	}
	vec_uninit(&initial);
	vec_uninit(&added.v);
	sbuf_uninit(&out);
	return error;
}

enum ofp_error handle_flow_monitor_cancel(struct of_session *session, const struct msg *msg)
{
	struct of_monitor *monitor;
	enum ofp_error error;
	uint32_t id;

	error = monitor_cancel_decode(msg, &id);
	if (error)
		return error;
	monitor = monitor_find(session, id);
	if (!monitor)
		return OFPMOFC_UNKNOWN_MONITOR;
	monitor_remove(session, monitor);
	return OFP_OK;
}
