/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of translation share; nobody else includes it. One struct xlate_ctx lives on the
 * stack of translate(); everything it allocates is in the arena of its xlate_out.
 *
 * Words: `flow`: the packet as OpenFlow sees it now. `base`: the packet as the program built so far
 * leaves it; committing emits the operations that turn base into flow. `freeze`: stop here, let the
 * executor parse the packet again (OP_RESUME), and go on in another translation.
 *
 * Threads: any, one xlate_ctx each.
 */

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/translate.h"

struct xlate_block;

/* Memory given out in order and taken back all at once. */
struct xlate_arena {
	struct xlate_block *first, *current;
	size_t used;		/* Of current. */
};

struct xlate_mark {
	struct xlate_block *block;
	size_t used;
};

/* A growing run of bytes in the arena. */
struct xlate_buf {
	char *data;
	uint32_t len, cap;
};

#define XLATE_LEARNED 4u

/* How long a packet is where something counts it. As with Open vSwitch it is measured anew where that sends the
 * packet through its datapath once more: what came to it or went since then counts from there on. */
struct xlate_measure {
	int32_t byte_delta;	/* Frame length less that received. */
	int32_t tags_len;	/* Bytes of tags and labels that it had when it was measured. */
	bool hashed;		/* A select group has measured it; others need not. */
};

/* What only parsing the packet again can tell. Whoever asks for it freezes. */
#define STALE_L3 (1u << 0)	/* The last label went: all that lies behind. */
#define STALE_DSCP (1u << 1)	/* A meter may have changed it. */

struct xlate_ctx {
	const struct xlate_in *in;
	struct xlate_out *out;
	struct xlate_sink *sink;	/* NULL: no side effects. */
	struct flow flow;
	struct flow base;
	struct flow *wc;		/* out->wc, or scratch behind a tunnel header. */

	struct pl_bridge *bridge;
	const struct pl_bridge_conf *conf;
	const struct pl_bridge *listed;	/* All of its ports are depended on. */
	version_t version;		/* Of the tables. */
	bool wrote;			/* A learn action has published newer ones. */
	const struct pl_rule *rule;	/* Whose actions run; NULL: none of a table. */
	be64 rule_cookie;
	uint8_t table_id;
	int depth;
	uint32_t n_lookups;
	uint32_t n_buckets;		/* Run so far. */
	struct xlate_measure measure;

	struct xlate_buf stack;
	struct xlate_buf action_set;
	bool action_set_has_group;
	bool in_action_set;
	bool in_packet_out;
	bool in_bucket;			/* The list being run is a bucket's. */

	uint32_t mirrors;		/* Already sent to. */
	uint16_t mirror_snaplen;
	uint32_t trunc;			/* The output being done is cut to this; 0: whole. */
	struct ipv6_addr orig_tunnel_dst;
	uint32_t orig_queue;
	uint32_t n_tunnels;		/* Nested tunnel outputs. */

	bool deep;			/* Something may have looked behind the Ethernet header. */
	bool exit;
	unsigned int stale;		/* STALE_*: flow no longer tells this of the packet. */
	bool irreversible;		/* The packet was changed beyond what a commit can undo. */
	bool freezing;
	bool frozen_any;		/* frozen holds the rest of some list. */
	const struct act_controller *pause;
	struct xlate_buf frozen;

	enum drop_reason error;		/* Ends everything; the program is thrown away. */
	enum drop_reason drop;		/* Last reason for not sending something. */
	uint32_t n_results;		/* Operations that send or consume. */
	bool stop;			/* out->to_control. */

	/* What NORMAL learned in this translation: a later NORMAL knows it, though the sink may only have
	 * taken notice. The last few; older ones are found in the table once control has put them there. */
	struct {
		const struct pl_bridge *bridge; /* NULL: none. */
		struct eth_addr mac;
		uint16_t vlan;
		ofp_port_t port;
	} learned[XLATE_LEARNED];
	uint32_t n_learned;		/* In all; the place of the next is that modulo XLATE_LEARNED. */

	int trace_depth;
};

/* Behind ACT_N_TYPES: in frozen lists only. What is to run next belongs to another rule's list. */
#define XACT_UNROLL (ACT_N_TYPES + 1)

struct xact_unroll {
	struct act act;
	be64 cookie;
	uint8_t table_id;
	uint8_t pad[7];
};

#define XLATE_MAX_STACK 65536
/* Bytes of program after which a resubmit ends the translation. */
#define XLATE_MAX_PROGRAM (1 << 20)
/* Buckets that one packet may go through: chained groups multiply. */
#define XLATE_MAX_BUCKETS 16384
#define PL_TABLE_INTERNAL (PL_N_TABLES - 1)

/* ---------------------------------------------------------------- translate_util.c */

void *xlate_alloc(struct xlate_ctx *ctx, size_t size);
struct xlate_mark xlate_mark(const struct xlate_ctx *ctx);
void xlate_release(struct xlate_ctx *ctx, struct xlate_mark mark);
void *xlate_buf_put(struct xlate_ctx *ctx, struct xlate_buf *buf, const void *bytes, size_t n);
/* A copy whose changes the original does not see. */
struct xlate_buf xlate_buf_clone(struct xlate_ctx *ctx, const struct xlate_buf *buf);

/* ID: from dependency.h. */
void xlate_depend(struct xlate_ctx *ctx, uint16_t id);
/* The port that has NUMBER in the bridge packets are in, NULL: none; what it is like is depended on. */
const struct pl_port *xlate_port(struct xlate_ctx *ctx, ofp_port_t number);
/* Before a look at all ports of the bridge. */
void xlate_depend_on_ports(struct xlate_ctx *ctx);
/* Measures the packet as it is now (tags and labels; a tunnel's headers are its own business). */
void xlate_measure(struct xlate_ctx *ctx);
void xlate_count(struct xlate_ctx *ctx, uint32_t counter);
void xlate_refresh(struct xlate_ctx *ctx, uint32_t counter);

static inline bool xlate_tracing(const struct xlate_ctx *ctx)
{
	return ctx->sink && ctx->sink->report;
}

void xlate_report(struct xlate_ctx *ctx, enum xlate_report_kind kind, const char *format, ...)
	PRINTF_FORMAT(3, 4);
void xlate_report_table(struct xlate_ctx *ctx, const struct pl_rule *rule, uint8_t table_id);
void xlate_report_miss(struct xlate_ctx *ctx, const char *text, uint8_t table_id);
void xlate_report_acts(struct xlate_ctx *ctx, enum xlate_report_kind kind, const struct act *acts,
	uint32_t len, const char *text);
void xlate_report_field(struct xlate_ctx *ctx, const struct subfield *sf);

static inline void xlate_drop(struct xlate_ctx *ctx, enum drop_reason reason)
{
	ctx->drop = reason;
}

static inline void xlate_fail(struct xlate_ctx *ctx, enum drop_reason reason)
{
	ctx->error = reason;
}

/* The packet's network layer, as far as flow tells. dl_type is in every mask that goes deep. */
static inline bool xlate_is_ip(const struct flow *flow)
{
	return flow->dl_type == htobe16(0x0800) || flow->dl_type == htobe16(0x86dd);
}

bool xlate_is_bpdu(const struct flow *flow);

/* A port in OpenFlow 1.0's numbers. */
static inline ofp_port_t ofp_port_from_u16(uint16_t port)
{
	return port >= 0xff00 ? port | 0xffff0000 : port;
}

/* Operations; each returns the record to fill. */
static inline void *xlate_put_op(struct xlate_ctx *ctx, enum op_type type, size_t size)
{
	return program_put(&ctx->out->program, type, size);
}

/* ---------------------------------------------------------------- translate.c */

/* Looks FLOW up as from IN_PORT in TABLE_ID and runs what it finds. */
void xlate_table(struct xlate_ctx *ctx, ofp_port_t in_port, uint8_t table_id, bool may_packet_in,
	bool honor_miss, bool is_last, bool as_clone);
/* False, with an error, when the packet went too deep or too far. */
bool xlate_may_recurse(struct xlate_ctx *ctx);
bool xlate_may_receive(struct xlate_ctx *ctx, const struct pl_port *port);
/* STP, RSTP, LACP: frames for a protocol engine on PORT. True: the packet was one. */
bool xlate_special(struct xlate_ctx *ctx, const struct pl_port *port);
void xlate_bridge_enter(struct xlate_ctx *ctx, struct pl_bridge *bridge);
/* Takes out of WC what is not of the packet, which was the same for all that came in by that port; the rest is
 * how deep the packet was looked into, which is returned (DEEP: anyway). Then adds what is always said. */
enum xlate_depth xlate_wc_end(const struct flow *flow, struct flow *wc, bool deep);

/* ---------------------------------------------------------------- translate_action.c */

void xlate_acts(struct xlate_ctx *ctx, const struct act *acts, uint32_t len, bool is_last,
	bool in_bucket);
/* As above on a copy of the packet: stack, action set, flow and metadata come back as they were. */
void xlate_acts_cloned(struct xlate_ctx *ctx, const struct act *acts, uint32_t len, bool is_last);

/* Around a part that has the packet to itself and after which it goes on as it was (unless the part
 * IS_LAST): what a commit can't undo becomes a nested program. */
struct xlate_copy {
	size_t start;
	bool old_irreversible;
	struct xlate_measure measure;
	struct flow *base;
};
struct xlate_copy xlate_copy_begin(struct xlate_ctx *ctx);
void xlate_copy_end(struct xlate_ctx *ctx, const struct xlate_copy *copy, bool is_last);

/* ---------------------------------------------------------------- translate_header.c */

/* REST are the actions behind the push in its list. */
void xlate_push_vlan(struct xlate_ctx *ctx, be16 tpid, const struct act *rest, uint32_t rest_len);
void xlate_pop_vlan(struct xlate_ctx *ctx);
void xlate_set_vlan_vid(struct xlate_ctx *ctx, const struct act_vlan_vid *act);
void xlate_set_vlan_pcp(struct xlate_ctx *ctx, const struct act_vlan_pcp *act);
void xlate_push_mpls(struct xlate_ctx *ctx, be16 ethertype);
void xlate_pop_mpls(struct xlate_ctx *ctx, be16 ethertype);
/* Bits of the outermost label, as on the wire. */
void xlate_set_mpls(struct xlate_ctx *ctx, be32 lse, be32 mask);
/* True: it expired, and the list ends. */
bool xlate_dec_mpls_ttl(struct xlate_ctx *ctx);
bool xlate_dec_ttl(struct xlate_ctx *ctx, const struct act_cnt_ids *act);
void xlate_copy_ttl(struct xlate_ctx *ctx, bool out);
void xlate_push_pbb(struct xlate_ctx *ctx, be16 ethertype);
void xlate_pop_pbb(struct xlate_ctx *ctx);

int flow_mpls_depth(const struct flow *flow, struct flow *wc);
void flow_mpls_push(struct flow *flow, int n, be16 ethertype, struct flow *wc, bool clear_l3);
bool flow_mpls_pop(struct flow *flow, int n, be16 ethertype, struct flow *wc);

/* ---------------------------------------------------------------- translate_set.c */

/* Appends ACTS to the action set and keeps actset_output. */
void xlate_write_actions(struct xlate_ctx *ctx, const struct act *acts, uint32_t len);
void xlate_clear_actions(struct xlate_ctx *ctx);
/* Runs the action set and empties it. */
void xlate_action_set(struct xlate_ctx *ctx);
/* SET[LEN] in the order of execution; in the arena. */
const struct act *xlate_order_set(struct xlate_ctx *ctx, const struct act *set, uint32_t len,
	uint32_t *ordered_len);

/* ---------------------------------------------------------------- translate_freeze.c */

void xlate_freeze(struct xlate_ctx *ctx);
/* The rest of a list, from ACT on, is to run after the resume. */
void xlate_freeze_rest(struct xlate_ctx *ctx, const struct act *act, const struct act *end);
/* Emits OP_RESUME (or the paused OP_PUNT). */
void xlate_freeze_finish(struct xlate_ctx *ctx);
/* What the program ends in when the pipeline is through: the action set, or a freeze. */
void xlate_finish_pipeline(struct xlate_ctx *ctx);
void xlate_freeze_cancel(struct xlate_ctx *ctx);
/* Takes stack, action set and the rest over from RESUME; its acts into *ACTS. */
void xlate_thaw(struct xlate_ctx *ctx, const struct op_resume *resume, const struct act **acts,
	uint32_t *acts_len);

/* ---------------------------------------------------------------- translate_commit.c */

/* Emits what turns base into flow. */
void xlate_commit(struct xlate_ctx *ctx);

/* ---------------------------------------------------------------- translate_output.c */

void xlate_output(struct xlate_ctx *ctx, ofp_port_t port, uint16_t max_len, bool may_packet_in,
	bool is_last, bool truncated);
void xlate_output_trunc(struct xlate_ctx *ctx, const struct act_output *act, bool is_last);
/* To PORT of the current bridge, the input port included. */
void xlate_output_port(struct xlate_ctx *ctx, ofp_port_t port, bool check_stp, bool is_last,
	bool truncated);
void xlate_enqueue(struct xlate_ctx *ctx, const struct act_enqueue *act, bool is_last);
/* On the other side of a link between bridges, where the packet comes in by PEER. OUT is the port it
 * left by. */
void xlate_patch(struct xlate_ctx *ctx, const struct pl_port *out, const struct pl_port *peer,
	bool is_last);
/* A packet-in, and the same paused: RESUME[RESUME_LEN] says how it goes on. */
void xlate_punt(struct xlate_ctx *ctx, uint16_t max_len, uint8_t reason, uint16_t controller_id,
	uint32_t meter_id, const uint8_t *userdata, uint16_t userdata_len, const void *resume,
	uint32_t resume_len);
void xlate_controller(struct xlate_ctx *ctx, uint16_t max_len, uint8_t reason,
	uint16_t controller_id, uint32_t meter_id, const uint8_t *userdata, uint16_t userdata_len);

/* ---------------------------------------------------------------- translate_normal.c */

/* The VLANs of a packet inside a bridge. */
struct xvlan {
	struct {
		uint16_t tpid, vid, pcp;	/* Host order; pcp in place. */
	} v[FLOW_MAX_VLANS];
};

void xlate_normal(struct xlate_ctx *ctx);
/* By BUNDLE, with the tags its mode wants. */
void xlate_output_bundle(struct xlate_ctx *ctx, const struct pl_bundle *bundle,
	const struct xvlan *xvlan);
/* By all bundles of the VLAN but IN. */
void xlate_normal_flood(struct xlate_ctx *ctx, const struct pl_bundle *in, const struct xvlan *xvlan);
void xvlan_extract(const struct flow *flow, struct xvlan *xvlan);
bool xvlan_input_is_valid(struct xlate_ctx *ctx, uint16_t vid, const struct pl_bundle *bundle);
void xvlan_input(const struct pl_bundle *bundle, const struct xvlan *in, struct xvlan *xvlan);
bool bundle_includes_vlan(const struct pl_bundle *bundle, const struct xvlan *xvlan);
/* The bundle of PORT, NULL for none. *IS_NONE: a packet from the controller, which may be anywhere. */
const struct pl_bundle *xlate_input_bundle(struct xlate_ctx *ctx, ofp_port_t port, bool *is_none);

/* ---------------------------------------------------------------- translate_mcast.c */

/* IP multicast of the VLAN where snooping is on. */
void xlate_normal_mcast(struct xlate_ctx *ctx, const struct pl_bundle *in, const struct xvlan *xvlan);

/* ---------------------------------------------------------------- translate_mirror.c */

void xlate_mirror_ingress(struct xlate_ctx *ctx);
/* The packet goes in or out by BUNDLE, which MIRRORS select. */
void xlate_mirror(struct xlate_ctx *ctx, const struct pl_bundle *bundle, uint32_t mirrors);

/* ---------------------------------------------------------------- translate_tunnel.c */

void xlate_tunnel_output(struct xlate_ctx *ctx, const struct pl_port *port, bool is_last,
	bool truncated);

/* ---------------------------------------------------------------- translate_tunnel_in.c */

/* Output to PORT, which belongs to the host: true if a tunnel ends there (the packet was consumed). */
bool xlate_tunnel_terminate(struct xlate_ctx *ctx, const struct pl_port *port);
/* On input by a tunnel port: mask bits, and ECN. False: the packet must be dropped. */
bool xlate_tunnel_input(struct xlate_ctx *ctx);

/* ---------------------------------------------------------------- translate_group.c */

/* False: no such group, and the action list ends. */
bool xlate_group(struct xlate_ctx *ctx, uint32_t group_id, bool is_last);

/* ---------------------------------------------------------------- translate_hash.c */

uint32_t xlate_hash_fields(const struct flow *flow, enum act_hash_fields fields, uint16_t basis);
void xlate_mask_hash_fields(const struct flow *flow, enum act_hash_fields fields, struct flow *wc);
void xlate_multipath(struct xlate_ctx *ctx, const struct act_multipath *act);
void xlate_bundle(struct xlate_ctx *ctx, const struct act_bundle *act, bool is_last);

/* ---------------------------------------------------------------- translate_learn.c */

void xlate_learn(struct xlate_ctx *ctx, const struct act_learn *learn);

/* ---------------------------------------------------------------- translate_misc.c */

void xlate_set_field(struct xlate_ctx *ctx, const struct act_set_field *act);
void xlate_reg_move(struct xlate_ctx *ctx, const struct act_reg_move *act);
void xlate_load(struct xlate_ctx *ctx, const struct subfield *sf, uint64_t value);
void xlate_stack_push(struct xlate_ctx *ctx, const struct act_stack *act);
void xlate_stack_pop(struct xlate_ctx *ctx, const struct act_stack *act);
void xlate_output_reg(struct xlate_ctx *ctx, const struct act_output_reg *act, bool is_last);
void xlate_fin_timeout(struct xlate_ctx *ctx, const struct act_fin_timeout *act);
void xlate_sample(struct xlate_ctx *ctx, const struct act_sample *act);
void xlate_delete_field(struct xlate_ctx *ctx, const struct act_field *act);
void xlate_check_pkt_larger(struct xlate_ctx *ctx, const struct act_check_pkt_larger *act,
	const struct act *rest, uint32_t rest_len);
void xlate_meter(struct xlate_ctx *ctx, uint32_t meter_id);
