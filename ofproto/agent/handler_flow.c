/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/clock.h"
#include "ofproto/agent/handler.h"
#include "ofproto/state/flow_mod.h"

#define OP_REPORT_MS 10000

void handler_count_flow_mod(struct of_session *session, uint16_t command)
{
	int64_t now_ms = clock_ms();

	if (command == OFPFC_ADD)
		session->ops.n_add++;
	else if (command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT)
		session->ops.n_delete++;
	else
		session->ops.n_modify++;
	if (!session->ops.report_ms) {
		session->ops.first_ms = now_ms;
		session->ops.report_ms = now_ms + OP_REPORT_MS;
	}
	session->ops.last_ms = now_ms;
}

enum ofp_error handle_flow_mod(struct of_session *session, const struct msg *msg)
{
	struct of_requester requester = { session, msg->xid };
	enum ofp_error error;
	struct flow_mod fm;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = flow_mod_decode(msg, &session->format, &fm);
	if (error)
		return error;
	error = of_flow_mod(&session->ofproto->state, &fm, &requester);
	if (!error)
		handler_count_flow_mod(session, fm.command);
	flow_mod_uninit(&fm);
	return error;
}
