/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/connmgr.h"
#include "ofproto/agent/handler.h"
#include "ofproto/wire/role.h"

enum ofp_error handler_require_primary(const struct of_session *session)
{
	return session->role == OFPCR_ROLE_SECONDARY ? OFPBRC_IS_SECONDARY : OFP_OK;
}

static void tell_role(struct connmgr *mgr, struct of_session *session, enum ofp_role_reason reason)
{
	struct sbuf out = SBUF_INITIALIZER;

	if (of_session_is_ready(session))
		role_status_encode(
			session->role, reason, connmgr_election_id(mgr), session->version, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
}

/* There is one primary at most: the one before becomes secondary. */
void connmgr_set_role(struct connmgr *mgr, struct of_session *session, enum ofp_role role)
{
	struct of_session *other;

	if (role == OFPCR_ROLE_PRIMARY && session->role != role) {
		LIST_FOR_EACH (other, node, connmgr_sessions(mgr)) {
			if (other->role != OFPCR_ROLE_PRIMARY)
				continue;
			other->role = OFPCR_ROLE_SECONDARY;
			tell_role(mgr, other, OFPCRR_PRIMARY_REQUEST);
		}
	}
	session->role = role;
}

enum ofp_error handle_role_request(struct of_session *session, const struct msg *msg)
{
	struct connmgr *mgr = session->ofproto->mgr;
	struct sbuf out = SBUF_INITIALIZER;
	struct role_request request, reply;
	enum ofp_error error;

	error = role_request_decode(msg, &request);
	if (error)
		return error;
	if (request.role != OFPCR_ROLE_NOCHANGE) {
		if (request.role != OFPCR_ROLE_EQUAL && request.has_generation_id &&
			!connmgr_set_election_id(mgr, request.generation_id))
			return OFPRRFC_STALE;
		connmgr_set_role(mgr, session, request.role);
	}
	reply.role = session->role;
	reply.generation_id = connmgr_election_id(mgr);
	reply.has_generation_id = reply.generation_id != UINT64_MAX;
	role_reply_encode(msg, &reply, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
