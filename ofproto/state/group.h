/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Groups as controllers see them, each with its compiled form (struct pl_group) in the pipeline. A
 * group_mod makes a new group that takes the old one's place; packets see it when the transaction
 * is committed.
 *
 * Threads: control only.
 */

#include "ofproto/state/txn.h"
#include "ofproto/wire/group_mod.h"

#define OF_MAX_GROUPS OFP_GROUP_MAX

struct of_group {
	struct hmap_node node;		/* In state->groups, while it is the current one. */
	uint32_t id;
	uint8_t type;			/* enum ofp_group_type. */
	bool published;			/* pl belongs to the pipeline. */
	bool is_restored;		/* From a snapshot: who adds it again as it is may. */
	int64_t created_ms;
	int64_t modified_ms;
	struct group_props props;
	VEC(struct group_bucket) buckets;
	struct pl_group *pl;
};

struct of_group *of_group_find(const struct of_state *state, uint32_t id);

/* Stages GM in TXN: OFPGMFC_*. On an error TXN is as before. */
enum ofp_error of_group_mod_start(struct of_txn *txn, const struct group_mod *gm);
enum ofp_error of_group_mod(struct of_state *state, const struct group_mod *gm,
	const struct of_requester *requester);
/* All groups and the flows that use them, unreported. */
void of_groups_flush(struct of_state *state);

/* For transactions. */
void of_group_link(struct of_state *state, struct of_group *group);
void of_group_unlink(struct of_state *state, struct of_group *group);
void of_group_publish(struct of_state *state, struct of_group *group);
void of_group_unpublish(struct of_state *state, struct of_group *group);
void of_group_destroy(struct of_group *group);	/* NULL is fine. */

/* A group_mod that would make GROUP (to be uninitialised). */
void of_group_to_mod(const struct of_group *group, struct group_mod *gm);
/* All groups, by id. free() the array. */
struct of_group **of_groups_sorted(const struct of_state *state, size_t *n);
/* Flows that use GROUP. */
uint32_t of_group_n_refs(const struct of_state *state, const struct of_group *group);
