/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Transactions: a number of changes to one bridge's flows, groups and meters that packets see all
 * at once. Each change takes effect at once for whoever looks at version_next() (the next flow_mod
 * of a bundle), and for packets when of_txn_commit() publishes that version. of_txn_abort() puts
 * everything back, in reverse order.
 *
 * A single flow_mod is a transaction of one.
 *
 * Rules that go are invisible from the commit on; readers of the old version may hold them until a
 * grace period has passed. Only then are their counts final: of_state_run() reports them as removed
 * and frees them.
 *
 * Threads: control only, one transaction at a time.
 */

#include "ofproto/state/table.h"

enum of_change_kind {
	OF_CHANGE_ADD,		/* new_rule. */
	OF_CHANGE_REMOVE,	/* old_rule, with reason. */
	OF_CHANGE_REPLACE,	/* old_rule by new_rule. */
	OF_CHANGE_GROUP,	/* old_group (or NULL) by new_group (or NULL). */
};

struct of_change {
	uint8_t kind;		/* enum of_change_kind. */
	uint8_t reason;		/* enum ofp_flow_removed_reason. */
	bool is_add;		/* REPLACE by an add, not a modify. */
	bool reset_counts;
	be32 xid;		/* Of the message that asked for it. */
	struct of_rule *old_rule, *new_rule;
	struct of_group *old_group, *new_group;
};

struct of_txn {
	struct of_state *state;
	version_t version;
	struct of_requester requester;	/* Of the changes that follow. */
	VEC(struct of_change) changes;
};

void of_txn_begin(struct of_txn *txn, struct of_state *state, const struct of_requester *requester);
/* Makes all changes visible and reports them. Ends TXN. */
void of_txn_commit(struct of_txn *txn);
void of_txn_abort(struct of_txn *txn);

/* Changes. RULE and NEW_RULE are taken over; they become LIVE. */
void of_txn_add_rule(struct of_txn *txn, struct of_rule *rule, const struct match *match,
	int priority);
void of_txn_remove_rule(struct of_txn *txn, struct of_rule *rule, uint8_t reason);
/* NEW_RULE takes OLD's match and priority, and its counter unless RESET_COUNTS. */
void of_txn_replace_rule(struct of_txn *txn, struct of_rule *old_rule, struct of_rule *new_rule,
	bool is_add, bool reset_counts);
/* As of_change: either may be NULL. NEW_GROUP is taken over. */
void of_txn_set_group(struct of_txn *txn, struct of_group *old_group, struct of_group *new_group);
