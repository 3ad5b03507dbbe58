/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which flow makes room when a table has as many as it may (ovs-vswitchd.conf.db(5), Flow_Table; OpenFlow 1.4.1
 * 6.5). Flows with equal values in the table's group fields are a group; the largest group gives. In it the
 * least important flow goes, of those the one that expires soonest. Flows without a timeout stay.
 *
 * A table evicts when the configuration or a controller's table_mod asks for it. Only then is there an index.
 *
 * Threads: control only.
 */

#include "lib/field.h"
#include "ofproto/state/table.h"

enum of_evict_who { OF_EVICT_CONFIG = 1, OF_EVICT_OPENFLOW = 2 };

/* WHO wants TABLE_ID to evict, or no longer. */
void of_evict_enable(struct of_state *state, uint8_t table_id, enum of_evict_who who, bool enable);
bool of_evict_is_enabled(const struct of_table *table, enum of_evict_who who);
/* Group by these N fields (copied); without any all flows are one group. */
void of_evict_set_groups(struct of_state *state, uint8_t table_id, const struct subfield *fields, size_t n);
void of_evict_uninit(struct of_table *table);

/* RULE becomes live, has other timeouts, goes. Those that can't be evicted are ignored. */
void of_evict_add(struct of_state *state, struct of_rule *rule);
void of_evict_update(struct of_state *state, struct of_rule *rule);
void of_evict_remove(struct of_state *state, struct of_rule *rule);

/* The flow of TABLE_ID that goes next; NULL if the table does not evict, or no flow may go. */
struct of_rule *of_evict_choose(struct of_state *state, uint8_t table_id);
