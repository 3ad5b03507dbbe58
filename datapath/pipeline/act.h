/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * OpenFlow actions and instructions, decoded: the one form shared by the OpenFlow codec, the text
 * syntax, the tables and translation. An action list is a contiguous run of `struct act` records,
 * each ACT_ALIGN aligned, `len` bytes long including its padding, with a plain struct per type below.
 * Instructions are records too, in the order in which OpenFlow 1.1+ executes them (meter, apply's
 * actions inlined, clear, write, metadata, goto).
 *
 * A list is immutable once published in a rule. Numbers are host order except be types. `raw` keeps
 * which of several encodings of the same meaning the action came in (enum act_raw), so that a dump
 * gives back what was put in.
 *
 * Sources: OpenFlow 1.0.0 5.2.4, 1.3.5 7.2.4-7.2.5, ovs-actions(7).
 *
 * Threads: a builder is its owner's; a published list may be read by any.
 */

#include "lib/field.h"
#include "lib/flow.h"

#define ACT_ALIGN 8

enum act_type {
	/* Output. */
	ACT_OUTPUT,		/* struct act_output */
	ACT_GROUP,		/* struct act_group */
	ACT_CONTROLLER,		/* struct act_controller */
	ACT_ENQUEUE,		/* struct act_enqueue */
	ACT_OUTPUT_REG,		/* struct act_output_reg */
	ACT_BUNDLE,		/* struct act_bundle */

	/* Header changes. */
	ACT_SET_FIELD,		/* struct act_set_field: set_field and load of an immediate */
	ACT_REG_MOVE,		/* struct act_reg_move */
	ACT_STACK_PUSH,		/* struct act_stack */
	ACT_STACK_POP,		/* struct act_stack */
	ACT_SET_VLAN_VID,	/* struct act_vlan_vid */
	ACT_SET_VLAN_PCP,	/* struct act_vlan_pcp */
	ACT_STRIP_VLAN,		/* struct act */
	ACT_PUSH_VLAN,		/* struct act_push (ethertype) */
	ACT_SET_ETH_SRC,	/* struct act_mac */
	ACT_SET_ETH_DST,	/* struct act_mac */
	ACT_SET_IPV4_SRC,	/* struct act_ipv4 */
	ACT_SET_IPV4_DST,	/* struct act_ipv4 */
	ACT_SET_IP_DSCP,	/* struct act_u8: DSCP in the high 6 bits */
	ACT_SET_IP_ECN,		/* struct act_u8 */
	ACT_SET_IP_TTL,		/* struct act_u8 */
	ACT_SET_L4_SRC_PORT,	/* struct act_u16 */
	ACT_SET_L4_DST_PORT,	/* struct act_u16 */
	ACT_DEC_TTL,		/* struct act_cnt_ids */
	ACT_COPY_TTL_IN,	/* struct act */
	ACT_COPY_TTL_OUT,	/* struct act */
	ACT_PUSH_MPLS,		/* struct act_push */
	ACT_POP_MPLS,		/* struct act_push (ethertype after the pop) */
	ACT_SET_MPLS_LABEL,	/* struct act_u32 */
	ACT_SET_MPLS_TC,	/* struct act_u8 */
	ACT_SET_MPLS_TTL,	/* struct act_u8 */
	ACT_DEC_MPLS_TTL,	/* struct act */
	ACT_PUSH_PBB,		/* struct act_push */
	ACT_POP_PBB,		/* struct act */
	ACT_DELETE_FIELD,	/* struct act_field */
	ACT_DEC_NSH_TTL,	/* refused when decoded; kept for the text of errors */

	/* Metadata. */
	ACT_SET_TUNNEL,		/* struct act_u64 */
	ACT_SET_QUEUE,		/* struct act_u32 */
	ACT_POP_QUEUE,		/* struct act */
	ACT_FIN_TIMEOUT,	/* struct act_fin_timeout */

	/* Control. */
	ACT_RESUBMIT,		/* struct act_resubmit */
	ACT_LEARN,		/* struct act_learn */
	ACT_CONJUNCTION,	/* struct act_conjunction */
	ACT_MULTIPATH,		/* struct act_multipath */
	ACT_NOTE,		/* struct act_note */
	ACT_EXIT,		/* struct act */
	ACT_SAMPLE,		/* struct act_sample */
	ACT_CLONE,		/* struct act_nest */
	ACT_CHECK_PKT_LARGER,	/* struct act_check_pkt_larger */
	ACT_CT,			/* struct act_ct; refused until connection tracking is built */
	ACT_CT_CLEAR,		/* struct act */

	/* Instructions. */
	ACT_METER,		/* struct act_u32 */
	ACT_CLEAR_ACTIONS,	/* struct act */
	ACT_WRITE_ACTIONS,	/* struct act_nest */
	ACT_WRITE_METADATA,	/* struct act_write_metadata */
	ACT_GOTO_TABLE,		/* struct act_u8 */

	ACT_N_TYPES,
};

/* Encodings that mean the same. ACT_RAW_DEFAULT: whatever the protocol version's own is. */
enum act_raw {
	ACT_RAW_DEFAULT,
	ACT_RAW_OF_SET_FIELD,	/* set_field as OpenFlow 1.2+ (or the masked 1.5 / NXAST_REG_LOAD2) */
	ACT_RAW_NX_REG_LOAD,	/* NXAST_REG_LOAD: "load:" */
	ACT_RAW_NX_REG_LOAD2,
	ACT_RAW_NX_RESUBMIT,	/* resubmit(port): NXAST_RESUBMIT, no table */
	ACT_RAW_NX_RESUBMIT_TABLE,
	ACT_RAW_NX_RESUBMIT_TABLE_CT,
	ACT_RAW_NX_SET_TUNNEL,
	ACT_RAW_NX_SET_TUNNEL64,
	ACT_RAW_NX_CONTROLLER,	/* controller with id or reason, fixed layout */
	ACT_RAW_NX_CONTROLLER2,	/* controller with properties (userdata, pause, meter) */
	ACT_RAW_NX_DEC_TTL_CNT_IDS,
	ACT_RAW_OF10_STRIP_VLAN,
	ACT_RAW_OF11_POP_VLAN,
	ACT_RAW_OF10_SET_VLAN_VID,
	ACT_RAW_OF11_SET_VLAN_VID,
	ACT_RAW_OF10_SET_VLAN_PCP,
	ACT_RAW_OF11_SET_VLAN_PCP,
	ACT_RAW_NX_LEARN,
	ACT_RAW_NX_LEARN2,	/* learn with limit or result_dst */
	ACT_RAW_NX_OUTPUT_REG,
	ACT_RAW_NX_OUTPUT_REG2,
	ACT_RAW_NX_OUTPUT_TRUNC,
	ACT_RAW_ONF_COPY_FIELD,	/* move as OpenFlow 1.5 and ONF's extension have it */
	ACT_RAW_NX_SAMPLE,
	ACT_RAW_NX_SAMPLE2,	/* with a sampling port */
	ACT_RAW_NX_SAMPLE3,	/* ... and a direction */
};

struct act {
	uint16_t type;		/* enum act_type. */
	uint16_t raw;		/* enum act_raw. */
	uint32_t len;		/* Bytes of the record, a multiple of ACT_ALIGN; nested ones included. */
} __attribute__((aligned(ACT_ALIGN)));

struct act_output {
	struct act act;
	ofp_port_t port;
	uint16_t max_len;	/* To the controller: bytes sent up. */
	uint16_t pad;
	uint32_t trunc;		/* output(port=,max_len=): cut to this; 0: whole. */
	uint32_t pad2;
};

struct act_group {
	struct act act;
	uint32_t group_id;
	uint32_t pad;
};

struct act_controller {
	struct act act;
	uint16_t max_len;
	uint16_t controller_id;
	uint8_t reason;		/* enum ofp_packet_in_reason's wire number. */
	bool pause;
	uint16_t userdata_len;
	uint32_t meter_id;	/* 0: the controller's own rate limit only. */
	uint32_t provider_meter_id;
	uint8_t userdata[];
};

struct act_enqueue {
	struct act act;
	ofp_port_t port;
	uint32_t queue;
};

struct act_output_reg {
	struct act act;
	struct subfield src;
	uint16_t max_len;
};

enum act_hash_fields {	/* NX_HASH_FIELDS_* wire numbers. */
	ACT_HASH_ETH_SRC,
	ACT_HASH_SYMMETRIC_L4,
	ACT_HASH_SYMMETRIC_L3L4,
	ACT_HASH_SYMMETRIC_L3L4_UDP,
	ACT_HASH_NW_SRC,
	ACT_HASH_NW_DST,
	ACT_HASH_SYMMETRIC_L3,
};

struct act_bundle {
	struct act act;
	uint16_t algorithm;	/* 0 active_backup, 1 hrw. */
	uint16_t basis;
	uint16_t fields;	/* enum act_hash_fields. */
	uint16_t n_members;
	struct subfield dst;	/* bundle_load; dst.field NULL: bundle. */
	ofp_port_t members[];
};

struct act_set_field {
	struct act act;
	const struct field *field;
	/* n_bytes of value, then n_bytes of mask. A load of part of a field is a masked set. */
	uint8_t data[];
};

struct act_reg_move {
	struct act act;
	struct subfield src;
	struct subfield dst;
};

struct act_stack {
	struct act act;
	struct subfield subfield;
};

struct act_vlan_vid {
	struct act act;
	uint16_t vid;
	bool push_if_needed;	/* OpenFlow 1.0's mod_vlan_vid tags an untagged packet. */
	bool flow_has_vlan;	/* The rule's match says a tag is there (set when checked). */
};

struct act_vlan_pcp {
	struct act act;
	uint8_t pcp;
	bool push_if_needed;
	bool flow_has_vlan;
};

struct act_push {
	struct act act;
	be16 ethertype;
	uint8_t pad[6];
};

struct act_mac {
	struct act act;
	struct eth_addr mac;
	uint8_t pad[2];
};

struct act_ipv4 {
	struct act act;
	be32 addr;
	uint32_t pad;
};

struct act_u8 {
	struct act act;
	uint8_t value;
	uint8_t pad[7];
};

struct act_u16 {
	struct act act;
	uint16_t value;
	uint8_t flow_ip_proto;	/* Transport ports: the rule's nw_proto (set when checked). */
	uint8_t pad[5];
};

struct act_u32 {
	struct act act;
	uint32_t value;
	uint32_t pad;
};

struct act_u64 {
	struct act act;
	uint64_t value;
};

struct act_cnt_ids {
	struct act act;
	uint16_t n_controllers;	/* dec_ttl: 1 controller, id 0. */
	uint16_t ids[];
};

struct act_field {
	struct act act;
	const struct field *field;
};

struct act_fin_timeout {
	struct act act;
	uint16_t idle_timeout;
	uint16_t hard_timeout;
	uint32_t pad;
};

struct act_resubmit {
	struct act act;
	ofp_port_t in_port;	/* OFPP_IN_PORT: keep. */
	uint8_t table_id;	/* 0xff: the current table. */
	bool with_ct_orig;
	uint16_t pad;
};

enum act_learn_src {
	ACT_LEARN_SRC_FIELD,
	ACT_LEARN_SRC_IMMEDIATE,
};

enum act_learn_dst {
	ACT_LEARN_DST_MATCH,
	ACT_LEARN_DST_LOAD,
	ACT_LEARN_DST_OUTPUT,
};

struct act_learn_spec {
	uint8_t src_type;	/* enum act_learn_src. */
	uint8_t dst_type;	/* enum act_learn_dst. */
	uint16_t n_bits;
	uint32_t pad;
	struct subfield src;	/* If ACT_LEARN_SRC_FIELD. */
	struct subfield dst;	/* Unless ACT_LEARN_DST_OUTPUT. */
	union field_value imm;	/* Low n_bits, big-endian, right-justified in ROUND_UP(n_bits, 8) / 8 bytes. */
};

/* act_learn.flags. */
#define ACT_LEARN_SEND_FLOW_REM (1 << 0)
#define ACT_LEARN_DELETE_LEARNED (1 << 1)
#define ACT_LEARN_WRITE_RESULT (1 << 2)

struct act_learn {
	struct act act;
	uint16_t idle_timeout;
	uint16_t hard_timeout;
	uint16_t priority;
	uint8_t table_id;
	uint8_t flags;
	be64 cookie;
	uint16_t fin_idle_timeout;
	uint16_t fin_hard_timeout;
	uint32_t limit;		/* 0: none. */
	struct subfield result_dst;	/* With ACT_LEARN_WRITE_RESULT. */
	uint32_t n_specs;
	struct act_learn_spec specs[];
};

struct act_conjunction {
	struct act act;
	uint8_t clause;		/* From 0. */
	uint8_t n_clauses;
	uint16_t pad;
	uint32_t id;
};

struct act_multipath {
	struct act act;
	uint16_t fields;	/* enum act_hash_fields. */
	uint16_t basis;
	uint16_t algorithm;	/* NX_MP_ALG_*: 0 modulo_n, 1 hash_threshold, 2 hrw, 3 iter_hash. */
	uint16_t max_link;
	uint32_t arg;
	struct subfield dst;
};

struct act_note {
	struct act act;
	uint32_t length;
	uint8_t data[];
};

struct act_sample {
	struct act act;
	uint16_t probability;
	uint16_t direction;	/* 0 default, 1 ingress, 2 egress. */
	uint32_t collector_set_id;
	uint32_t obs_domain_id;
	uint32_t obs_point_id;
	ofp_port_t sampling_port;
};

struct act_nest {
	struct act act;		/* Followed by the nested records, act.len - sizeof this bytes. */
	struct act acts[];
};

struct act_check_pkt_larger {
	struct act act;
	struct subfield dst;	/* One bit. */
	uint16_t pkt_len;
};

struct act_write_metadata {
	struct act act;
	be64 metadata;
	be64 mask;
};

struct act_ct {
	struct act act;
	uint16_t flags;
	uint16_t zone_imm;
	struct subfield zone_src;
	uint8_t recirc_table;
	uint16_t alg;
	struct act acts[];
};

static inline const struct act *act_next(const struct act *act)
{
	return (const struct act *)((const char *)act + act->len);
}

static inline const struct act *act_end(const struct act *acts, size_t len)
{
	return len ? (const struct act *)((const char *)acts + len) : acts;
}

#define ACT_FOR_EACH(POS, ACTS, LEN) \
	for ((POS) = (ACTS); (POS) < act_end(ACTS, LEN); (POS) = act_next(POS))

/* What an action list is built in. The list is at buf.data, buf.len bytes. */
struct act_builder {
	struct sbuf buf;
};

void act_builder_init(struct act_builder *b);
void act_builder_uninit(struct act_builder *b);
/* The list, buf.len bytes. Never NULL: an empty list is not the lack of one. */
const struct act *act_builder_acts(const struct act_builder *b);
/* Appends a zeroed record of TYPE and SIZE bytes (rounded up) and returns it; valid until the next
 * call. Never NULL. */
void *act_put(struct act_builder *b, enum act_type type, size_t size);
/* As set_field / load: VALUE and MASK in wire form. */
struct act_set_field *act_put_set_field(struct act_builder *b, const struct field *field,
	const union field_value *value, const union field_value *mask);
/* Opens a nested record (clone, write_actions): put the inner ones, then end it. Returns a handle. */
size_t act_nest_begin(struct act_builder *b, enum act_type type, size_t size);
void act_nest_end(struct act_builder *b, size_t handle);

static inline const uint8_t *act_set_field_value(const struct act_set_field *a)
{
	return a->data;
}

static inline const uint8_t *act_set_field_mask(const struct act_set_field *a)
{
	return a->data + a->field->n_bytes;
}

static inline size_t act_nest_len(const struct act_nest *a)
{
	return a->act.len - sizeof *a;
}

/* Byte-wise equality of two lists. */
bool act_list_equal(const struct act *a, size_t a_len, const struct act *b, size_t b_len);
/* The list outputs to PORT (output, enqueue, controller; nested ones too; as in Open vSwitch not the
 * members of bundle), or to GROUP. */
bool act_list_outputs_to(const struct act *acts, size_t len, ofp_port_t port);
bool act_list_outputs_to_group(const struct act *acts, size_t len, uint32_t group_id);
/* Name as ovs-actions(7) has it. */
const char *act_type_name(enum act_type type);
