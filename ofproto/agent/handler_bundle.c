/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/clock.h"
#include "ofproto/agent/handler.h"
#include "ofproto/state/bundle.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/group.h"
#include "ofproto/wire/packet_out.h"

/* ------------------------------------------------------------------ adding */

/* Refuses what could never be done. */
static enum ofp_error check_flow_mod(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	struct flow_mod fm;

	error = flow_mod_decode(msg, &session->format, &fm);
	if (error)
		return error;
	error = of_flow_mod_check(&fm);
	flow_mod_uninit(&fm);
	return error;
}

static enum ofp_error check_group_mod(const struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	struct group_mod gm;

	error = handler_decode_group_mod(session, msg, &gm);
	if (!error)
		group_mod_uninit(&gm);
	return error;
}

static enum ofp_error check_packet_out(const struct msg *msg)
{
	enum ofp_error error;
	struct packet_out po;

	error = packet_out_decode(msg, &po);
	if (error)
		return error;
	if (po.buffer_id != OFP_NO_BUFFER)
		error = OFPBRC_BUFFER_UNKNOWN;
	packet_out_uninit(&po);
	return error;
}

enum ofp_error handle_bundle_add(struct of_session *session, const struct msg *msg)
{
	struct bundle_add add;
	struct port_mod pm;
	enum ofp_error error;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = bundle_add_decode(msg, &add);
	if (error)
		return error;
	switch (add.inner.type) {
	case OFPTYPE_FLOW_MOD:
		error = check_flow_mod(session, &add.inner);
		break;
	case OFPTYPE_GROUP_MOD:
		error = check_group_mod(session, &add.inner);
		break;
	case OFPTYPE_PACKET_OUT:
		error = check_packet_out(&add.inner);
		break;
	case OFPTYPE_PORT_MOD:
		error = port_mod_decode(&add.inner, &pm);
		break;
	default:
		error = OFPBFC_MSG_UNSUP;
		break;
	}
	return error ? error : of_bundle_add(&session->bundles, &add, msg, clock_ms());
}

/* ------------------------------------------------------------------ committing */

/* The messages are staged in turn; packets leave and ports change once all went well. */
struct commit {
	struct of_session *session;
	struct of_bundle *bundle;
	struct of_txn txn;
	VEC(struct packet_out) packet_outs;
	VEC(struct port_mod) port_mods;
};

static enum ofp_error stage_flow_mod(struct commit *commit, const struct msg *msg)
{
	enum ofp_error error;
	struct flow_mod fm;

	error = flow_mod_decode(msg, &commit->session->format, &fm);
	if (error)
		return error;
	error = of_flow_mod_start(&commit->txn, &fm);
	if (!error)
		handler_count_flow_mod(commit->session, fm.command);
	flow_mod_uninit(&fm);
	return error;
}

static enum ofp_error stage_group_mod(struct commit *commit, const struct msg *msg)
{
	enum ofp_error error;
	struct group_mod gm;

	error = handler_decode_group_mod(commit->session, msg, &gm);
	if (error)
		return error;
	error = of_group_mod_start(&commit->txn, &gm);
	group_mod_uninit(&gm);
	return error;
}

static enum ofp_error stage_packet_out(struct commit *commit, const struct msg *msg)
{
	enum ofp_error error;
	struct packet_out po;

	error = packet_out_decode(msg, &po);
	if (error)
		return error;
	error = ofproto_packet_out_check(commit->session->ofproto, msg->version, &po);
	if (error)
		packet_out_uninit(&po);
	else
		vec_push(&commit->packet_outs, po);
	return error;
}

static enum ofp_error stage_port_mod(struct commit *commit, const struct msg *msg)
{
	enum ofp_error error;
	struct port_mod pm;

	/* A port can't be put back as it was, so it is no part of what must be all or nothing. */
	if (commit->bundle->flags & OFPBF_ATOMIC)
		return OFPBFC_MSG_FAILED;
	error = port_mod_decode(msg, &pm);
	if (error)
		return error;
	error = ofproto_port_mod_check(commit->session->ofproto, &pm);
	if (!error)
		vec_push(&commit->port_mods, pm);
	return error;
}

static enum ofp_error stage(struct commit *commit, const struct msg *msg)
{
	struct bundle_add add;
	enum ofp_error error;

	error = bundle_add_decode(msg, &add);
	if (error)
		return error;
	commit->txn.requester.xid = msg->xid;
	switch (add.inner.type) {
	case OFPTYPE_FLOW_MOD:
		return stage_flow_mod(commit, &add.inner);
	case OFPTYPE_GROUP_MOD:
		return stage_group_mod(commit, &add.inner);
	case OFPTYPE_PACKET_OUT:
		return stage_packet_out(commit, &add.inner);
	default:
		return stage_port_mod(commit, &add.inner);
	}
}

/* The error of a message that fails names that message; the commit as a whole then fails, too. */
static enum ofp_error stage_all(struct commit *commit)
{
	const struct of_bundle *bundle = commit->bundle;

	for (size_t i = 0; i < bundle->messages.n; i++) {
		const char *data = bundle->bytes.data + bundle->messages.items[i];
		enum ofp_error error;
		struct msg msg;

		error = msg_decode(data, msg_header_len(data), &msg);
		if (!error)
			error = stage(commit, &msg);
		if (error) {
			of_session_send_error(commit->session, error, data, msg_header_len(data));
			return OFPBFC_MSG_FAILED;
		}
	}
	return OFP_OK;
}

static void commit_finish(struct commit *commit)
{
	struct ofproto *ofproto = commit->session->ofproto;
	struct packet_out *po;
	struct port_mod *pm;

	of_txn_commit(&commit->txn);
	VEC_FOR_EACH (pm, &commit->port_mods)
		ofproto_port_mod(ofproto, pm, commit->session);
	VEC_FOR_EACH (po, &commit->packet_outs)
		ofproto_packet_out(ofproto, po);
}

static enum ofp_error bundle_commit(struct of_session *session, const struct bundle_ctrl *bc)
{
	struct of_requester requester = { session, 0 };
	struct commit commit = {
		.session = session,
		.bundle = of_bundle_find(&session->bundles, bc->bundle_id),
		.packet_outs = VEC_INITIALIZER,
		.port_mods = VEC_INITIALIZER,
	};
	struct packet_out *po;
	enum ofp_error error;

	if (!commit.bundle)
		return OFPBFC_BAD_ID;
	if (commit.bundle->flags != bc->flags) {
		of_bundle_destroy(&session->bundles, commit.bundle);
		return OFPBFC_BAD_FLAGS;
	}
	of_txn_begin(&commit.txn, &session->ofproto->state, &requester);
	error = stage_all(&commit);
	if (error)
		of_txn_abort(&commit.txn);
	else
		commit_finish(&commit);
	VEC_FOR_EACH (po, &commit.packet_outs)
		packet_out_uninit(po);
	vec_uninit(&commit.packet_outs);
	vec_uninit(&commit.port_mods);
	of_bundle_destroy(&session->bundles, commit.bundle);
	return error;
}

enum ofp_error handle_bundle_control(struct of_session *session, const struct msg *msg)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct bundle_ctrl bc, reply;
	enum ofp_error error;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = bundle_ctrl_decode(msg, &bc);
	if (error)
		return error;
	switch (bc.type) {
	case OFPBCT_OPEN_REQUEST:
		error = of_bundle_open(&session->bundles, bc.bundle_id, bc.flags, msg, clock_ms());
		break;
	case OFPBCT_CLOSE_REQUEST:
		error = of_bundle_close(&session->bundles, bc.bundle_id, bc.flags, clock_ms());
		break;
	case OFPBCT_COMMIT_REQUEST:
		error = bundle_commit(session, &bc);
		break;
	case OFPBCT_DISCARD_REQUEST:
		error = of_bundle_discard(&session->bundles, bc.bundle_id);
		break;
	default:
		error = OFPBFC_BAD_TYPE;
		break;
	}
	if (error)
		return error;
	/* Each reply's number follows its request's. */
	reply = (struct bundle_ctrl) { .bundle_id = bc.bundle_id, .type = bc.type + 1 };
	bundle_ctrl_reply(msg, &reply, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
