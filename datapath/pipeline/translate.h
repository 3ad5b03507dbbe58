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
#define XLATE_MAX_DEPS 64	/* More: the path is marked uncacheable. */
#define XLATE_MAX_COUNTERS 128	/* As above. */

/* Frames that control's own protocol engines want. */
enum l2_proto { L2_PROTO_STP, L2_PROTO_RSTP, L2_PROTO_LACP, L2_PROTO_IGMP, L2_PROTO_MLD };

/* Kinds of line in a trace: they decide indentation and prefix (ofproto-dpif-trace's text). */
enum xlate_report_kind {
	XLATE_REPORT_BRIDGE,	/* bridge("br0") */
	XLATE_REPORT_TABLE,	/* " 0. priority 5" with number and rule */
	XLATE_REPORT_ACTION,
	XLATE_REPORT_DETAIL,	/* " -> ..." */
	XLATE_REPORT_WARN,	/* " >> ..." */
	XLATE_REPORT_ERROR,
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
	/* Trace only, else NULL: a step at DEPTH; LINE without newline. */
	void (*report)(struct xlate_sink *sink, int depth, enum xlate_report_kind kind, const char *line);
};

struct xlate_in {
	version_t version;
	/* Packet fields, tunnel, and ofp in_port set; registers as they should start. */
	const struct flow *flow;
	struct pl_bridge *bridge;
	const struct pl_port *in_port;	/* NULL: from a controller. */
	uint32_t packet_len;		/* Bytes of the frame, for check_pkt_larger; 0 unknown. */
	/* Instead of looking up table 0: run these (packet-out), or go on where OP_RESUME stopped. */
	const struct act *acts;
	uint32_t acts_len;
	uint8_t table_id;		/* First table; 0 but when resuming. */
	bool resume;			/* FLOW's metadata comes from a struct op_resume. */
	struct xlate_sink *sink;
};

struct xlate_counter {
	uint32_t id;
	int32_t byte_delta;	/* Added to the received frame's length: what it measured there. */
};

struct xlate_out {
	struct flow wc;			/* The bits that were looked at. */
	struct program_builder program;
	uint32_t seq;			/* dep_seq() from before the first lookup. */
	uint16_t n_deps;
	uint16_t deps[XLATE_MAX_DEPS];
	uint16_t n_counters;
	struct xlate_counter counters[XLATE_MAX_COUNTERS];
	/* Counters whose entry is only kept alive by this packet (FDB source, learned rules): refreshed
	 * without counting. */
	uint16_t n_refreshes;
	uint32_t refreshes[16];
	enum drop_reason drop;		/* Why, if nothing was output and nothing consumed. */
	bool cacheable;
	bool to_control;		/* Run nothing: hand the packet to control, whose sink may write. */
	int depth;			/* Scratch. */
	uint32_t n_lookups;
};

void xlate_out_init(struct xlate_out *out);
void xlate_out_uninit(struct xlate_out *out);

/* Translates. OUT is cleared first. Never fails: errors become drops with a reason. */
void translate(const struct xlate_in *in, struct xlate_out *out);

/*
 * What packets entering by PORT can have read: the union of all bits that any rule, action, VLAN
 * setting or hash reachable from it looks at. Widened before a rule is published. Control only.
 */
void translate_key_mask(const struct pl_port *port, struct flow *mask);
