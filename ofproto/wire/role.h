/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Controller roles: OFPT_ROLE_REQUEST (1.2+), NXT_ROLE_REQUEST, role status, and which controller a
 * session is (NXT_SET_CONTROLLER_ID). Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"

struct role_request {
	enum ofp_role role;
	bool has_generation_id;	/* With primary and secondary of 1.2+. */
	uint64_t generation_id;
};

/* OFPRRFC_BAD_ROLE. */
enum ofp_error role_request_decode(const struct msg *msg, struct role_request *rr);
/* generation_id: UINT64_MAX if none was ever set. */
void role_reply_encode(const struct msg *request, const struct role_request *rr, struct sbuf *out);

/* Tells a controller that its role changed. Nothing is put in versions that cannot (before 1.3). */
void role_status_encode(enum ofp_role role, enum ofp_role_reason reason, uint64_t generation_id,
	enum ofp_version version, struct sbuf *out);
