/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Classifier: finds the highest-priority rule that a flow matches. Tuple space search: one subtable
 * (hash map over the masked words) per distinct mask, visited in order of their highest priority and
 * stopped once nothing better can come; where there are several, filters (classifier_filter.c) rule most of
 * them out by one word of the flow each. A rule stores only the words of its key that its mask has;
 * the mask lives in the subtable. Rules are versioned (version.h); several rules with equal match and
 * priority may exist as long as their versions do not overlap. Conjunctive matches as in
 * ovs-actions(7) conjunction.
 *
 * Threads: one writer (control); lookups by any thread under RCU. A removed rule's memory is freed by
 * its owner through rcu_defer, after classifier_remove().
 */

#include "datapath/pipeline/version.h"
#include "lib/cmap.h"
#include "lib/flow.h"
#include "lib/list.h"

struct cls_subtable;
struct cls_conj_set;

/* A rule's part here. Embedded in the owner's rule. */
struct cls_rule {
	struct cmap_node node;		/* In its subtable. */
	struct cls_subtable *subtable;	/* NULL while not inserted. */
	RCU(struct cls_conj_set *) conj; /* Conjunctions; NULL: an ordinary rule. */
	struct versions versions;
	int32_t priority;
	uint64_t *key;			/* The key's words that the mask has, owned. */
	struct list list;		/* In its subtable, oldest first; control's. */
};

struct classifier;

struct classifier *classifier_create(void);
void classifier_destroy(struct classifier *cls);	/* Must be empty of rules. */

/* One conjunction action: this rule is clause CLAUSE (from 0) of N_CLAUSES of conjunction ID. */
struct cls_conjunction {
	uint32_t id;
	uint8_t clause;
	uint8_t n_clauses;
};

/*
 * Inserts RULE with MATCH (copied) and PRIORITY, visible from version ADDED on until it is removed.
 * CONJS[N_CONJS] are its conjunction actions (0: ordinary). Never fails.
 */
void classifier_insert(struct classifier *cls, struct cls_rule *rule, const struct match *match,
	int priority, version_t added, const struct cls_conjunction *conjs, size_t n_conjs);
/* Makes RULE invisible from version REMOVED on; it stays in the structure. */
void classifier_hide(struct cls_rule *rule, version_t removed);
/* Undoes a hide that was never published. */
void classifier_unhide(struct cls_rule *rule);
/* Takes RULE out; its match can't be read any more. Readers may still hold it until a grace period has
 * passed; then cls_rule_uninit(). */
void classifier_remove(struct classifier *cls, struct cls_rule *rule);
/* Frees RULE's own memory (key, conjunctions). */
void cls_rule_uninit(struct cls_rule *rule);
/* New conjunctions for an inserted rule (mod-flows). */
void cls_rule_set_conjunctions(struct cls_rule *rule, const struct cls_conjunction *conjs, size_t n);

/*
 * The best rule for FLOW in VERSION, or NULL. If WC is not NULL, adds the bits that were looked at:
 * enough that every flow equal under WC gets the same answer. FLOW->conj_id is overwritten during
 * the search for conjunctive matches; afterwards FLOW is as before (conj_id is not added to WC). If
 * CONJ_ID is not NULL and a conjunctive match was found, it gets its id (else 0).
 */
const struct cls_rule *classifier_lookup(const struct classifier *cls, version_t version,
	struct flow *flow, struct flow *wc, uint32_t *conj_id);

/*
 * What a lookup looked at, in short, for those who remember what that means: lookups with equal traces looked
 * at the same bits of their flows. `key_hash` (classifier_flow_key()'s, if the bits cover the common mask) is
 * not part of that.
 */
#define CLS_TRACE_SUBTABLES 128

struct cls_trace {
	uint64_t order, common;		/* Which ones it went by. */
	uint64_t subtables[CLS_TRACE_SUBTABLES / 64];	/* Looked into. */
	uint64_t atoms;			/* Filters that ruled others out. */
	uint32_t key_hash;
};

/* classifier_lookup() that leaves a trace in place of wildcards. False: there are too many subtables, or
 * conjunctive matches; then nothing is known. *RULE may be NULL. */
bool classifier_lookup_traced(const struct classifier *cls, version_t version, const struct flow *flow,
	struct cls_trace *trace, const struct cls_rule **rule);
/* Makes TRACE that of a lookup that looked at all there is in its table. */
void cls_trace_all(struct cls_trace *trace);
/* WC |= the bits that TRACE stands for; *HAS_KEY: its key_hash is right. False: the classifier has changed since. */
bool classifier_trace_wildcards(const struct classifier *cls, const struct cls_trace *trace,
	struct flow *wc, bool *has_key);

/* The rule with exactly MATCH and PRIORITY visible in VERSION, or NULL. */
struct cls_rule *classifier_find_exactly(const struct classifier *cls, const struct match *match,
	int priority, version_t version);
/* A visible rule of equal priority that some packet could match together with MATCH, or NULL. */
struct cls_rule *classifier_find_overlap(const struct classifier *cls, const struct match *match,
	int priority, version_t version);

/* Writes RULE's match. */
void cls_rule_get_match(const struct cls_rule *rule, struct match *match);
/* True if RULE's match is equal to or more specific than CRITERIA (loose matching of flow_mods and
 * statistics, OpenFlow 1.3.5 6.4). */
bool cls_rule_is_loose_match(const struct cls_rule *rule, const struct match *criteria);
/* Bytes of memory RULE's part takes besides the struct. */
size_t cls_rule_memory(const struct cls_rule *rule);

/*
 * Iteration by control over rules visible in VERSION that are a loose match of CRITERIA (NULL: all; the
 * caller keeps it). Rules may be removed and inserted between steps (resumable dumps): a cursor visits
 * every rule that stays for the whole of the iteration once. A cursor ends itself when it returns NULL;
 * one that is left earlier must be ended with cls_cursor_uninit().
 */
struct cls_cursor {
	struct list node;		/* In the classifier's cursors while it goes. */
	struct classifier *cls;
	const struct match *criteria;
	version_t version;
	struct cls_rule *next;		/* Not looked at yet; NULL at the end. */
};

void cls_cursor_init(struct cls_cursor *cursor, struct classifier *cls, const struct match *criteria,
	version_t version);
struct cls_rule *cls_cursor_next(struct cls_cursor *cursor);
void cls_cursor_uninit(struct cls_cursor *cursor);	/* Harmless after the end. */

size_t classifier_count(const struct classifier *cls);		/* Rules, visible or not. */
size_t classifier_n_subtables(const struct classifier *cls);

/*
 * Dependencies: which paths a change of a rule can touch. The common mask is what the masks of the
 * subtables with many rules have in common. A rule that has all of it matters only to lookups whose
 * flow has the rule's values there, or that ended before its subtable was visited. So a lookup depends
 * on the table, and, if WC has the whole of the common mask, on the flow's values under it too; a
 * change that can touch others is wide. When the common mask itself changes, that is a wide change.
 *
 * classifier_flow_key(): any thread; false: depend on the table alone.
 * classifier_rule_key(): control, when RULE's change is published; false: the change is wide.
 */
bool classifier_flow_key(const struct classifier *cls, const struct flow *flow,
	const struct flow *wc, uint32_t *key_hash);
bool classifier_rule_key(struct classifier *cls, struct cls_rule *rule, uint32_t *key_hash);
