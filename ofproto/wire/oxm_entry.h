/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One TLV of a match as it lies on the wire, known field or not. For oxm.c and oxm_match.c only. Pure.
 */

#include "ofproto/wire/oxm.h"

struct oxm_entry {
	uint32_t header;	/* Class and field, as in struct field. */
	uint32_t experimenter;
	bool has_mask;
	bool bad_len;		/* The length isn't the field's. */
	unsigned int payload_len;
	unsigned int width;	/* Of the value. */
	const struct field *field;	/* NULL if nobody knows it. */
	const uint8_t *payload;
	union field_value value;	/* Of a known field of the right length. */
	union field_value mask;
};

/* Takes header and payload. Whether the field is one to accept is the caller's question. */
enum ofp_error oxm_entry_take(struct cursor *c, struct oxm_entry *e);
/* As Open vSwitch: any mask if maskable, else all ones or none. */
bool oxm_mask_valid(const struct field *f, const union field_value *mask);
