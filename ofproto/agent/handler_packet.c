/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/coverage.h"
#include "ofproto/agent/handler.h"
#include "ofproto/agent/resume.h"
#include "ofproto/wire/packet_out.h"

COVERAGE_DEFINE(ofproto_packet_out);

enum ofp_error handle_packet_out(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	struct packet_out po;

	COVERAGE_INC(ofproto_packet_out);
	error = handler_require_primary(session);
	if (error)
		return error;
	error = packet_out_decode(msg, &po);
	if (error)
		return error;
	error = ofproto_packet_out_check(session->ofproto, msg->version, &po);
	if (!error)
		ofproto_packet_out(session->ofproto, &po);
	packet_out_uninit(&po);
	return error;
}

enum ofp_error handle_resume(struct of_session *session, const struct msg *msg)
{
	struct packet_in_decoded d;
	struct op_resume *resume;
	enum ofp_error error;

	error = resume_decode(msg, &d);
	if (error)
		return error;
	resume = resume_take(&d, session->ofproto->bridge);
	if (resume)
		dp_packet_resume(resume, d.pin.packet, d.pin.packet_len);
	else
		error = NXR_STALE;
	free(resume);
	packet_in_decoded_uninit(&d);
	return error;
}
