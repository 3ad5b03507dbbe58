/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Properties as OpenFlow has them since 1.4 (and Nicira's extensions before): type, length, value,
 * padded to 8. Pure functions, any thread.
 */

#include "lib/cursor.h"
#include "ofproto/wire/error.h"

struct prop {
	uint64_t type;		/* Type; of an experimenter PROP_EXP(vendor, subtype). */
	struct cursor body;	/* Behind the (experimenter) header, without padding. */
};
#define PROP_EXP(VENDOR, SUBTYPE) ((uint64_t)(VENDOR) << 32 | (SUBTYPE))

/* Takes the next property of C (no more: *PROP untouched, *MORE false). OFPBPC_BAD_LEN. */
enum ofp_error prop_next(struct cursor *c, struct prop *prop, bool *more);
/* What a property nobody knows is refused with. */
enum ofp_error prop_unknown(uint64_t type);
size_t prop_begin(struct sbuf *out, uint64_t type);
void prop_end(struct sbuf *out, size_t handle);	/* Sets the length and pads. */
