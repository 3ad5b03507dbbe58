/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The OpenFlow state of one bridge: ofproto's tables over those of its pl_bridge, with the indices
 * that flow_mods, statistics and timeouts need (cookie, timer, group and meter references). Changes
 * go through transactions (txn.h); this is what they change and how it is searched.
 *
 * Words: `criteria`: which flows a request means. `loose`: those whose match is as specific as the
 * criteria's or more; `strict`: the one with the same match and priority.
 *
 * News (flow removed, flow changed) go to a struct of_listener that the owner supplies.
 *
 * Threads: control only.
 */

#include "lib/heap.h"
#include "lib/shash.h"
#include "lib/vec.h"
#include "ofproto/state/rule.h"
#include "ofproto/wire/error.h"

#define OF_TABLE_INTERNAL 254	/* Ours: refused to controllers, not listed. */
#define OF_N_VISIBLE_TABLES 254
#define OF_TABLE_MAX_FLOWS 1000000	/* What table features and statistics say. */

struct of_evict;
struct of_group;
struct of_meter;

struct of_table {
	struct pl_table *pl;
	uint32_t n_flows;	/* Visible from the version being prepared on; hidden ones too. */
	uint32_t flow_limit;	/* UINT32_MAX none. */
	struct of_evict *evict;	/* NULL, or how room is made at the limit (evict.h). */
	uint8_t vacancy_event;	/* What is reported next (enum ofp_table_reason); 0: neither. */
	uint8_t vacancy_down, vacancy_up;	/* Per cent of free room: below, above. */
	uint64_t matched_before;	/* Packets that flows matched that are gone for good. */
	struct list dying;	/* struct of_rule by cookie_node: gone, counts not final yet. */
	char *name;		/* NULL or what controller or configuration called it. */
	int name_level;		/* 0 none, 1 OpenFlow, 2 configuration. */
};

/* All flows with one cookie: often there are very many with the same. */
struct of_cookie {
	struct hmap_node node;
	be64 cookie;
	struct list rules;	/* struct of_rule by cookie_node. */
};

/* Everything that refers to group or meter ID. */
struct of_refs {
	struct hmap_node node;
	uint32_t id;
	struct list rules;	/* struct of_ref. */
	uint32_t n;
};

/* Who asked for a change: monitors tell him less about it. */
struct of_requester {
	void *session;		/* NULL: nobody, a timeout. */
	be32 xid;
};

enum of_flow_event { OF_FLOW_ADDED, OF_FLOW_REMOVED, OF_FLOW_MODIFIED };

struct of_listener {
	/* A flow is gone for good; its counts are final. Only for flows with SEND_FLOW_REM. */
	void (*flow_removed)(struct of_listener *listener, struct of_rule *rule);
	/* A flow has changed. REASON (enum ofp_flow_removed_reason) for OF_FLOW_REMOVED;
	 * OLD_ACTIONS for OF_FLOW_MODIFIED and replacing adds if the actions changed, else NULL. */
	void (*flow_event)(struct of_listener *listener, enum of_flow_event event,
		struct of_rule *rule, uint8_t reason, const struct of_requester *requester,
		const struct pl_actions *old_actions);
	/* TABLE_ID has become fuller or emptier than its limits say: enum ofp_table_reason. */
	void (*table_vacancy)(struct of_listener *listener, uint8_t table_id, uint8_t reason);
	/* All changes of a transaction were reported. */
	void (*flows_changed)(struct of_listener *listener);
};

struct of_state {
	struct pl_bridge *bridge;
	struct of_listener *listener;	/* May be NULL. */
	struct of_table tables[PL_N_TABLES];
	struct hmap cookies;		/* struct of_cookie. */
	struct heap timers;		/* struct of_rule by its deadline in ms. */
	struct hmap learned;		/* struct of_learned (learn.c). */
	struct list gone;		/* Rules whose grace period is over. */
	size_t n_dying;			/* Rules waiting for theirs, and those in gone. */
	struct hmap groups;		/* struct of_group by id. */
	struct hmap group_refs;		/* struct of_refs. */
	uint32_t n_groups[4];		/* By type. */
	struct hmap meters;		/* struct of_meter by id. */
	struct hmap meter_refs;
	bool tlvs_restored; /* Geneve options from a snapshot: may be added again as they are. */
};

void of_state_init(struct of_state *state, struct pl_bridge *bridge, struct of_listener *listener);
/* Waits for readers. Nothing is reported any more. */
void of_state_uninit(struct of_state *state);
/* Timeouts, and what is left to do for gone rules. Once a turn. */
void of_state_run(struct of_state *state);
/* Milliseconds until of_state_run() has something to do; -1: nothing scheduled. */
int64_t of_state_wait_ms(const struct of_state *state);

/* Puts RULE into the indices; takes it out. For transactions. */
void of_state_link(struct of_state *state, struct of_rule *rule);
void of_state_unlink(struct of_state *state, struct of_rule *rule);

struct of_criteria {
	uint8_t table_id;	/* OFP_TABLE_ALL: all visible ones. */
	const struct match *match;	/* NULL: everything. */
	int priority;		/* Strict only. */
	bool strict;
	version_t version;
	be64 cookie, cookie_mask;
	ofp_port_t out_port;	/* OFPP_NONE: any. */
	uint32_t out_group;	/* OFP_GROUP_ANY: any. */
	bool hidden;		/* Hidden ones too. */
};

/* Criteria for everything in the current version. */
void of_criteria_init(struct of_criteria *criteria);

struct of_rules {
	VEC(struct of_rule *) v;
};

static inline void of_rules_init(struct of_rules *rules)
{
	vec_init(&rules->v);
}

static inline void of_rules_uninit(struct of_rules *rules)
{
	vec_uninit(&rules->v);
}

/* True if RULE meets all of CRITERIA but the match. */
bool of_criteria_accepts(const struct of_criteria *criteria, const struct of_rule *rule);
/* Appends the rules that CRITERIA means. OFPBRC_BAD_TABLE_ID. */
enum ofp_error of_state_collect(const struct of_state *state, const struct of_criteria *criteria,
	struct of_rules *rules);
/* Free room in TABLE_ID, in per cent of its limit. */
uint8_t of_table_vacancy(const struct of_state *state, uint8_t table_id);
/* Reports TABLE_ID if its vacancy has passed a limit. */
void of_table_check_vacancy(struct of_state *state, uint8_t table_id);
/* Flows controllers can see in TABLE_ID. */
uint32_t of_table_n_visible(const struct of_state *state, uint8_t table_id);
/* Packets looked up and matched in TABLE_ID, as of the last sweep. Walks the table. */
void of_table_counts(const struct of_state *state, uint8_t table_id, uint64_t *lookups,
	uint64_t *matched);
/* LEVEL as of_table.name_level; a lower one does not overwrite a higher. NULL clears. */
void of_table_set_name(struct of_state *state, uint8_t table_id, const char *name, int level);

/* What packets meet that no flow of TABLE_ID matches. */
void of_table_set_miss(struct of_state *state, uint8_t table_id, enum pl_miss miss);

/* References to groups or meters by id. */
struct of_refs *of_refs_find(const struct hmap *refs, uint32_t id);
