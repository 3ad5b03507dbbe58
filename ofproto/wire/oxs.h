/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OpenFlow 1.5's extensible flow statistics (OXS, 1.5.1 7.2.5). For the codecs of flows only. Pure.
 */

#include "lib/cursor.h"
#include "ofproto/wire/error.h"

struct oxs {			/* All ones: not there. */
	uint32_t duration_sec;
	uint32_t duration_nsec;
	uint32_t idle_age;
	uint32_t n_flows;
	uint64_t packets;
	uint64_t bytes;
};

#define OXS_NONE {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX, UINT64_MAX}

void oxs_put(struct sbuf *out, const struct oxs *oxs);
enum ofp_error oxs_take(struct cursor *c, struct oxs *oxs);
