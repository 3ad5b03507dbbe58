/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Buckets and properties of groups as they lie in group_mod and in descriptions. For group_mod.c only.
 * Pure.
 */

#include "ofproto/wire/group_mod.h"

/* Buckets that fill C, appended to GM's. On errors GM keeps those read so far. */
enum ofp_error buckets_decode11(struct cursor *c, enum ofp_version version, struct group_mod *gm);
enum ofp_error buckets_decode15(struct cursor *c, enum ofp_version version, struct group_mod *gm);
void bucket_put11(struct sbuf *out, enum ofp_version version, const struct group_bucket *b);
void bucket_put15(struct sbuf *out, enum ofp_version version, uint8_t group_type,
	const struct group_bucket *b);

enum ofp_error group_props_decode(struct cursor *c, struct group_mod *gm);
/* Nothing if there is no selection method. */
void group_props_put(struct sbuf *out, enum ofp_version version, const struct group_props *props);
