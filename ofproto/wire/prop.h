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

/* Properties that hold one integer. 8 and 16 bits may be followed by padding; 64 bits are aligned to 8
 * behind the header. OFPBPC_BAD_LEN. */
enum ofp_error prop_take_u8(struct prop *prop, uint8_t *v);
enum ofp_error prop_take_u16(struct prop *prop, uint16_t *v);
enum ofp_error prop_take_u32(struct prop *prop, uint32_t *v);
enum ofp_error prop_take_u64(struct prop *prop, uint64_t *v);
void prop_put_u8(struct sbuf *out, uint64_t type, uint8_t v);
void prop_put_u16(struct sbuf *out, uint64_t type, uint16_t v);
void prop_put_u32(struct sbuf *out, uint64_t type, uint32_t v);
void prop_put_u64(struct sbuf *out, uint64_t type, uint64_t v);
void prop_put_bytes(struct sbuf *out, uint64_t type, const void *bytes, size_t len);
