/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which flows mention which groups and meters: so that deleting one finds its flows at once, and
 * that a flow which names one that does not exist is refused.
 *
 * Threads: control only.
 */

#include "ofproto/state/table.h"

/* OFPBAC_BAD_OUT_GROUP or OFPMMFC_INVALID_METER if ACTS[LEN] name what STATE has not. */
enum ofp_error of_acts_check(const struct of_state *state, const struct act *acts, size_t len);

/* Notes what RULE's actions mention; forgets it. */
void of_refs_link(struct of_state *state, struct of_rule *rule);
void of_refs_unlink(struct of_state *state, struct of_rule *rule);

/* Frees the sets in REFS, which nobody refers to any more. */
void of_refs_uninit(struct hmap *refs);
