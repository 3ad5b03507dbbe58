/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names in the text of field values, shared by field_format.c and field_parse.c. Constant.
 */

#include "lib/field.h"

/* Names of bits, the lowest first; NULL: no name. */
extern const char *const field_tcp_flag_names[32];
extern const char *const field_tnl_flag_names[32];
extern const char *const field_ct_state_names[32];

/* Kinds of fragments: the first row with the same value and mask gives the name. */
struct field_frag {
	const char *name;
	uint8_t mask;
	uint8_t value;
};
#define FIELD_N_FRAGS 7
extern const struct field_frag field_frags[FIELD_N_FRAGS];

/* MASK has none of F's bytes set / all of F's bits. */
bool field_mask_is_wild(const struct field *f, const union field_value *mask);
bool field_mask_is_exact(const struct field *f, const union field_value *mask);
