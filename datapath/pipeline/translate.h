/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Translation: interprets the pipeline for one flow and writes down what happens to it:
 *
 *     (version, flow) -> program, mask, counters, dependencies
 *
 * through tables, resubmits, groups, NORMAL, patch ports into the next bridge, and tunnel output
 * down through the underlay bridge, in one go. It reads published state only and allocates nothing
 * but inside its xlate_out (which a caller keeps and reuses), so PMDs run it when a packet misses.
 *
 * What must be written goes through the caller's struct xlate_sink. On a PMD the sink makes news of
 * it; on control it does it at once; in ofproto/trace it reports.
 *
 * Semantics are Open vSwitch 3.1's (ofproto/trace shows the same rules), except where
 * docs/DIFFERENCES.md says. Limits as there: 64 levels of resubmit, 4096 lookups, 65536 bytes of stack.
 *
 * Threads: any, under RCU; one xlate_out a thread.
 */

#include "datapath/pipeline/pipeline.h"
#include "datapath/pipeline/program.h"

#define XLATE_MAX_DEPTH 64
#define XLATE_MAX_RESUBMITS 4096
#define XLATE_MAX_DEPS 128	/* More: the path is marked uncacheable. */
#define XLATE_MANY_DEPS 64	/* More: on all ports of a bridge rather than on each. */
#define XLATE_MAX_COUNTERS 128	/* As above. */

/* Frames that control's own protocol engines want. */
enum l2_proto { L2_PROTO_STP, L2_PROTO_RSTP, L2_PROTO_LACP, L2_PROTO_IGMP, L2_PROTO_MLD };

/* Kinds of step in a trace. Texts of rules, actions and matches are made to the right of here. */
enum xlate_report_kind {
	XLATE_REPORT_BRIDGE,	/* bridge("br0"): `bridge`. */
	XLATE_REPORT_TABLE,	/* " 0. priority 5": `table_id` and `rule`; or rule NULL and `text`. */
	XLATE_REPORT_GROUP_BUCKET,	/* "bucket 0": `text`. */
	XLATE_REPORT_ACTION_SET,	/* "--. Executing action set:" */
	XLATE_REPORT_THAW,	/* `text`: going on after a resume. */
	XLATE_REPORT_ACTION,	/* One action: `act` (`acts_len` its length); 0 length: "drop". */
	XLATE_REPORT_SET_IS,	/* "action set was/is: ...": `text` is the verb, `act`[`acts_len`]. */
	XLATE_REPORT_LEARNED,	/* " -> table=20 ...": `learned`. */
	XLATE_REPORT_FIELD,	/* " -> NXM_NX_REG0[] is now 0x1": `text`. */
	XLATE_REPORT_DETAIL,	/* " -> ...": `text`. */
	XLATE_REPORT_WARN,	/* " >> ...": `text`. */
	XLATE_REPORT_ERROR,	/* " >>>> ... <<<<": `text`. */
};

struct xlate_learned;

/* One step of a trace; valid during the call. */
struct xlate_report {
	enum xlate_report_kind kind;
	int depth;			/* Nesting: 0 the first bridge, 1 its first table, ... */
	const struct pl_bridge *bridge;	/* Where it happens. */
	uint8_t table_id;
	const struct pl_rule *rule;
	const struct act *act;
	uint32_t acts_len;
	const struct xlate_learned *learned;
	const char *text;		/* Without newline; NULL if the kind has none. */
};

enum xlate_learn_result {
	XLATE_LEARN_DONE,	/* The rule is there now (or was): go on. */
	XLATE_LEARN_DEFER,	/* Can't write here: hand the packet to control. */
};

/* What a rule being learned looks like, computed from the flow. */
struct xlate_learned {
	struct pl_bridge *bridge;
	const struct act_learn *learn;
	struct match match;
	uint32_t acts_len;
	const struct act *acts;	/* Valid during the call. */
};

struct xlate_sink {
	/* SRC_MAC was seen on PORT in VLAN, and the FDB does not say so yet. False: could not be taken
	 * (a full ring): the result must not be cached. */
	bool (*fdb_learn)(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
		uint16_t vlan, ofp_port_t port);
	/* A learn action whose rule does not exist as computed. */
	enum xlate_learn_result (*learn)(struct xlate_sink *sink, const struct xlate_learned *learned,
		bool *written);
	/* The next hop of TUNNEL is unknown: ask for it. */
	void (*neigh_needed)(struct xlate_sink *sink, struct pl_bridge *underlay,
		const struct ipv6_addr *next_hop);
	/* fin_timeout: a TCP FIN or RST passed RULE. */
	void (*fin_timeout)(struct xlate_sink *sink, const struct pl_rule *rule,
		const struct act_fin_timeout *fin);
	/* Trace only, else NULL: one step. */
	void (*report)(struct xlate_sink *sink, const struct xlate_report *report);
};

struct xlate_in {
	version_t version;
	/* Packet fields, tunnel, and ofp in_port set; registers as they should start. */
	const struct flow *flow;
	struct pl_bridge *bridge;
	const struct pl_port *in_port;	/* NULL: from a controller. */
	uint32_t packet_len;		/* Bytes of the frame; 0 unknown (a trace without packet). */
	/* Instead of looking up table 0: run these (packet-out), or go on where OP_RESUME stopped. */
	const struct act *acts;
	uint32_t acts_len;
	uint8_t table_id;		/* First table; 0 but when resuming. */
	/* Set by xlate_in_resume(): go on there. Its acts then take the place of `acts`. */
	const struct op_resume *resume;
	/* NULL: without any side effect. A NULL member: that effect is left out. */
	struct xlate_sink *sink;
	/* Not NULL (traces): gets the flow as the pipeline left it. */
	struct flow *final_flow;
};

/* A counter that the packet touches N times, measuring its received length + BYTE_DELTA each time. */
struct xlate_counter {
	uint32_t id;
	uint32_t n;
	int32_t byte_delta;
};

/* How much of a packet was looked at. */
enum xlate_depth {
	XLATE_PORT,			/* Nothing: where it came in decides all. */
	XLATE_ETHERNET,			/* Addresses, type and tags at most. */
	XLATE_ALL,
};

struct xlate_out {
	/* The bits that were looked at; as in Open vSwitch always with dl_type and, for IP, nw_frag, which may
	 * be more than `depth` says. */
	struct flow wc;
	enum xlate_depth depth;
	struct program_builder program;
	uint32_t seq;			/* dep_seq() from before the first lookup. */
	uint16_t n_deps;
	uint16_t deps[XLATE_MAX_DEPS];
	uint16_t n_counters;
	struct xlate_counter *counters;	/* Complete even where that makes the path uncacheable. */
	/* Counters whose entry is only kept alive by this packet (FDB source, learned rules): refreshed
	 * without counting. */
	uint16_t n_refreshes;
	uint32_t refreshes[16];
	enum drop_reason drop;		/* Why, if nothing was output and nothing consumed. */
	bool cacheable;
	/* Run nothing, count nothing: hand the packet to control, whose sink may write. */
	bool to_control;
	/* Private: memory that is kept from one translation to the next. */
	uint16_t max_counters;
	struct xlate_arena *arena;
};

/* The bits that a fate depends on: WC as far as DEPTH goes. */
static inline void xlate_mask(const struct flow *wc, enum xlate_depth depth, struct flow *mask)
{
	*mask = *wc;
	if (depth < XLATE_ALL)
		mask->nw_frag = 0;
	if (depth == XLATE_PORT)
		mask->dl_type = 0;
}

void xlate_out_init(struct xlate_out *out);
void xlate_out_uninit(struct xlate_out *out);

/*
 * Fills IN and FLOW for a packet at which OP_RESUME or NXT_RESUME goes on: FLOW holds the packet's own
 * fields (parsed again) and gets the metadata of RESUME. FLOW and RESUME must outlive the translation.
 * Leaves sink, version and packet_len to the caller. False: the bridge is gone.
 */
bool xlate_in_resume(struct xlate_in *in, struct flow *flow, const struct op_resume *resume);

/* Translates. OUT is cleared first. Never fails: errors become drops with a reason. */
void translate(const struct xlate_in *in, struct xlate_out *out);

/*
 * The short way for flows whose fate one rule of table 0 decides: it only outputs to devices, or drops,
 * and nothing else of the bridge looks at packets. Program and counters then follow from RULE and the
 * input port, and translate() gives the same ones for every flow that gets the same answer here.
 *
 * What was looked at follows from the trace and `shape`: whoever has asked xlate_look_wildcards() once need not
 * ask again.
 */
struct xlate_look {
	const struct pl_rule *rule;
	struct cls_trace trace;
	uint32_t shape;		/* All else of the flow and the bridge that counts. */
};

/* Looks IN's flow up in table 0. False: the long way. */
bool xlate_look(const struct xlate_in *in, struct xlate_look *look);
/* True if LOOK's rule decides all. */
bool xlate_look_decides(const struct xlate_in *in, const struct xlate_look *look);
/* WC and DEPTH as translate() would say if LOOK's rule decides; HAS_KEY: the table's second dependency is
 * trace.key_hash. False: the table has changed since. */
bool xlate_look_wildcards(const struct xlate_in *in, const struct xlate_look *look, struct flow *wc,
	enum xlate_depth *depth, bool *has_key);
