/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A flow as controllers see it: the compiled rule of the pipeline (struct pl_rule) with what
 * OpenFlow adds to it: flags, timeouts, times, references to groups and meters.
 *
 * Life: NEW (created, in no table), LIVE (in a table and in the indices of its struct of_state),
 * GONE (deleted or replaced: out of the indices, invisible from some version on, its memory and
 * final counts waiting for a grace period; see txn.h). A rule that replaces another one may take
 * its counter over: then only the newer one owns it.
 *
 * Threads: control only. Nothing here fails but by returning NULL or false.
 */

#include "datapath/pipeline/pipeline.h"
#include "lib/hmap.h"
#include "lib/list.h"
#include "ofproto/wire/openflow.h"

struct of_evict_group;
struct of_state;

#define OF_MAX_PRIORITY UINT16_MAX	/* Above: rules of our own, hidden from controllers. */

enum of_rule_life { OF_RULE_NEW, OF_RULE_LIVE, OF_RULE_GONE };

/* A rule's mention of a group or a meter. */
struct of_ref {
	struct list node;	/* In struct of_refs. */
	struct of_refs *target;
	struct of_rule *rule;
};

struct of_rule {
	struct pl_rule pl;
	struct of_state *state;
	struct list cookie_node;	/* LIVE: in its struct of_cookie; GONE: in table->dying. */
	struct list gone_node;		/* GONE: in state->gone. */
	struct of_ref *refs;		/* n_refs of them, or NULL. */
	int64_t created_ms;
	int64_t modified_ms;		/* See of_rule_modified_ms(). */
	int64_t used_floor_ms;		/* It counts as used then, if no packet came later. */
	uint64_t add_seqno;		/* Flow monitors': when it was added and last changed. */
	uint64_t modify_seqno;
	uint32_t refresh;		/* Counter that learn actions touch; COUNTER_NONE. */
	uint32_t saved_slot; /* In the snapshot being written, + 1; 0: not to be written. */
	struct of_evict_group *evict_group;	/* See evict.h; NULL: in none. */
	uint32_t evict_slot;
	uint32_t timer;			/* Its slot in the heap of timeouts. */
	uint16_t n_refs;
	uint16_t idle_timeout;		/* Seconds; 0 none. */
	uint16_t hard_timeout;
	uint16_t importance;
	uint8_t flags;			/* OFPFF_*. */
	uint8_t life;			/* enum of_rule_life. */
	uint8_t removed_reason;		/* GONE: enum ofp_flow_removed_reason. */
	bool replaced;			/* GONE: another rule took its place. */
	bool owns_counter;
};

struct of_rule_stats {
	uint64_t packets;
	uint64_t bytes;
	int64_t used_ms;
};

/* What a new rule consists of. */
struct of_rule_spec {
	const struct match *match;
	int priority;
	uint8_t table_id;
	uint8_t flags;
	uint16_t idle_timeout, hard_timeout, importance;
	be64 cookie;
	const struct act *acts;
	size_t acts_len;
};

/* A NEW rule of STATE; in no table yet, so the match is not part of it. */
struct of_rule *of_rule_create(struct of_state *state, const struct of_rule_spec *spec);
/* Frees a NEW rule, or a GONE one that no reader can hold. */
void of_rule_destroy(struct of_rule *rule);

/* Bytes of memory that it takes, all told. */
size_t of_rule_memory(const struct of_rule *rule);

static inline struct of_rule *of_rule_from_pl(const struct pl_rule *pl)
{
	return pl ? container_of(pl, struct of_rule, pl) : NULL;
}

static inline struct of_rule *of_rule_from_cls(const struct cls_rule *cr)
{
	return cr ? container_of(cr, struct of_rule, pl.cr) : NULL;
}

static inline be64 of_rule_cookie(const struct of_rule *rule)
{
	return atomic_load_explicit(&rule->pl.cookie, memory_order_relaxed);
}

static inline const struct pl_actions *of_rule_actions(const struct of_rule *rule)
{
	return atomic_load_explicit(&rule->pl.actions, memory_order_relaxed);
}

static inline int of_rule_priority(const struct of_rule *rule)
{
	return rule->pl.cr.priority;
}

static inline bool of_rule_is_hidden(const struct of_rule *rule)
{
	return rule->pl.is_internal || rule->pl.cr.priority > OF_MAX_PRIORITY;
}

/* The least specific match of all: what a table-miss flow has. */
bool of_match_is_catchall(const struct match *match);

/* The live rule that counts with COUNTER, NULL if there is none. */
struct of_rule *of_rule_from_counter(uint32_t counter);
/* RULE has become live, or is no longer. */
void of_rule_index(struct of_rule *rule, bool live);

/* As of the last dp_sweep(). */
struct of_rule_stats of_rule_stats(const struct of_rule *rule);
/* When the flow was last modified or refreshed by a learn action: what hard timeouts count from. */
int64_t of_rule_modified_ms(const struct of_rule *rule);
/* Monotonic time in ms at which RULE expires if nothing refreshes it, INT64_MAX if never. */
int64_t of_rule_deadline_ms(const struct of_rule *rule);
bool of_rule_outputs_to(const struct of_rule *rule, ofp_port_t port);
bool of_rule_outputs_to_group(const struct of_rule *rule, uint32_t group_id);
