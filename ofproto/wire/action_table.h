/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The descriptor table of actions: one row per layout on the wire, with the versions that have it, its
 * number, its length and its decoder; and what the decoders and encoders share. For action*.c only.
 *
 * Words: `layout`: one way in which an action lies on the wire (enum layout). Several layouts may decode
 * to one enum act_type; the encoder of a type picks the layout for the version. Pure; any thread.
 */

#include "ofproto/wire/action.h"
#include "ofproto/wire/oxm.h"
#include "ofproto/wire/put.h"

enum layout {
	L_OUTPUT10,
	L_OUTPUT11,
	L_SET_VLAN_VID10,
	L_SET_VLAN_VID11,
	L_SET_VLAN_PCP10,
	L_SET_VLAN_PCP11,
	L_STRIP_VLAN10,
	L_POP_VLAN11,
	L_PUSH_VLAN,
	L_SET_DL_SRC,
	L_SET_DL_DST,
	L_SET_NW_SRC,
	L_SET_NW_DST,
	L_SET_NW_TOS,
	L_SET_NW_ECN,
	L_SET_TP_SRC,
	L_SET_TP_DST,
	L_ENQUEUE10,
	L_COPY_TTL_OUT,
	L_COPY_TTL_IN,
	L_SET_MPLS_LABEL,
	L_SET_MPLS_TC,
	L_SET_MPLS_TTL,
	L_DEC_MPLS_TTL,
	L_PUSH_MPLS,
	L_POP_MPLS,
	L_SET_QUEUE,
	L_GROUP,
	L_SET_NW_TTL,
	L_DEC_NW_TTL,
	L_DEC_TTL_CNT_IDS,
	L_SET_FIELD,
	L_PUSH_PBB,
	L_POP_PBB,
	L_METER15,
	L_REG_LOAD,
	L_REG_LOAD2,
	L_COPY_FIELD15,
	L_COPY_FIELD13,
	L_REG_MOVE,
	L_RESUBMIT,
	L_RESUBMIT_TABLE,
	L_RESUBMIT_TABLE_CT,
	L_SET_TUNNEL,
	L_SET_TUNNEL64,
	L_POP_QUEUE,
	L_NOTE,
	L_MULTIPATH,
	L_BUNDLE,
	L_BUNDLE_LOAD,
	L_OUTPUT_REG,
	L_OUTPUT_REG2,
	L_LEARN,
	L_LEARN2,
	L_EXIT,
	L_FIN_TIMEOUT,
	L_CONTROLLER,
	L_CONTROLLER2,
	L_WRITE_METADATA,
	L_STACK_PUSH,
	L_STACK_POP,
	L_SAMPLE,
	L_SAMPLE2,
	L_SAMPLE3,
	L_CONJUNCTION,
	L_CT,
	L_NAT,
	L_OUTPUT_TRUNC,
	L_CLONE,
	L_CT_CLEAR,
	L_ENCAP,
	L_DECAP,
	L_DEC_NSH_TTL,
	L_CHECK_PKT_LARGER,
	L_DELETE_FIELD,
};

/* An action under decoding. C lies over the whole action and stands behind its header. */
struct action_in {
	struct cursor c;
	enum ofp_version version;
	enum layout layout;
	unsigned int depth;	/* Of nesting. */
	struct act_builder *b;
};

typedef enum ofp_error action_decode_fn(struct action_in *in);
typedef void action_encode_fn(const struct act *act, enum ofp_version version, struct sbuf *out);

struct action_row {
	uint8_t layout;		/* enum layout. */
	uint8_t first, last;	/* Versions. */
	uint32_t vendor;
	uint16_t number;	/* Type, or the vendor's subtype. */
	uint16_t min_len;	/* With the header. */
	bool extensible;	/* May be longer. */
	action_decode_fn *decode;
};

#define ACTION_MAX_DEPTH 64	/* clone in clone in ... */

/* The row of what stands at C (OFPBAC_BAD_LEN, _BAD_VENDOR, _BAD_VENDOR_TYPE, _BAD_TYPE). */
enum ofp_error action_row_find(const struct cursor *c, enum ofp_version version,
	const struct action_row **row, size_t *header_len, size_t *len);

/* Writes the header of LAYOUT as VERSION has it; returns a handle. Put the rest, then action_end(), which
 * pads to the layout's length and to 8 and sets the length. */
size_t action_begin(struct sbuf *out, enum ofp_version version, enum layout layout);
void action_end(struct sbuf *out, size_t handle, enum ofp_version version, enum layout layout);
void action_put_void(struct sbuf *out, enum ofp_version version, enum layout layout);
/* One integer argument of SIZE bytes, aligned to its size. */
void action_put_arg(struct sbuf *out, enum ofp_version version, enum layout layout, size_t size,
	uint64_t arg);
uint64_t action_take_arg(struct action_in *in, size_t size);

/* What actions share. */
enum ofp_error actions_decode(struct cursor *c, enum ofp_version version, unsigned int depth,
	struct act_builder *b);
/* Which records may stand in a list. */
#define INST_METER 0
#define INST_APPLY 1
#define INST_CLEAR 2
#define INST_WRITE 3
#define INST_METADATA 4
#define INST_GOTO 5
#define INST_ALL 0x3f
enum ofp_error actions_verify(const struct act *acts, size_t len, enum ofp_version version,
	unsigned int allowed, bool nested);
int act_inst(enum act_type type, enum ofp_version version);

enum ofp_error subfield_check_src(const struct subfield *sf, const struct match *match);
enum ofp_error subfield_check_dst(const struct subfield *sf, const struct match *match);
/* A 4-byte header as Nicira's older actions carry it. OFPBAC_BAD_SET_TYPE. */
enum ofp_error field32_take(struct cursor *c, const struct field **field);
void field32_put(struct sbuf *out, const struct field *field);

static inline void subfield_from_ofs_nbits(struct subfield *sf, uint16_t ofs_nbits)
{
	sf->ofs = ofs_nbits >> 6;
	sf->n_bits = (ofs_nbits & 0x3f) + 1;
}

static inline uint16_t subfield_to_ofs_nbits(const struct subfield *sf)
{
	return (uint16_t)(sf->ofs << 6 | (sf->n_bits - 1));
}

/* set_field of a whole field with a number, for versions that have set_field in place of old actions; and
 * NXAST_REG_LOAD. */
void put_set_field_u64(struct sbuf *out, enum ofp_version version, enum field_id id, uint64_t value);
void put_reg_load(struct sbuf *out, enum ofp_version version, const struct subfield *dst,
	uint64_t value);

/* Decoders; encoders by enum act_type. */
action_decode_fn decode_output, decode_enqueue, decode_group, decode_controller, decode_controller2,
	decode_output_reg, decode_output_reg2, decode_output_trunc, decode_bundle;
action_encode_fn encode_output, encode_enqueue, encode_group, encode_controller, encode_output_reg,
	encode_bundle;

action_decode_fn decode_set_vlan_vid, decode_set_vlan_pcp, decode_strip_vlan, decode_push_vlan,
	decode_set_mac, decode_set_ipv4, decode_set_nw_tos, decode_set_nw_ecn, decode_set_nw_ttl,
	decode_set_tp, decode_dec_ttl, decode_cnt_ids, decode_copy_ttl, decode_mpls_label,
	decode_mpls_u8, decode_dec_mpls_ttl, decode_push_mpls, decode_pop_mpls, decode_pbb,
	decode_set_tunnel, decode_queue, decode_pop_queue;
action_encode_fn encode_vlan_vid, encode_vlan_pcp, encode_strip_vlan, encode_push_vlan, encode_mac,
	encode_ipv4, encode_ip_dscp, encode_ip_ecn, encode_ip_ttl, encode_l4_port, encode_dec_ttl,
	encode_copy_ttl, encode_mpls_label, encode_mpls_tc, encode_mpls_ttl, encode_dec_mpls_ttl,
	encode_push_mpls, encode_pop_mpls, encode_pbb, encode_set_tunnel, encode_set_queue,
	encode_pop_queue;

action_decode_fn decode_set_field, decode_reg_load, decode_reg_load2, decode_reg_move,
	decode_copy_field, decode_stack, decode_delete_field;
action_encode_fn encode_set_field, encode_reg_move, encode_stack, encode_delete_field;

action_decode_fn decode_learn;
action_encode_fn encode_learn;

action_decode_fn decode_resubmit, decode_resubmit_table, decode_note, decode_multipath, decode_exit,
	decode_fin_timeout, decode_write_metadata, decode_sample, decode_sample2, decode_conjunction,
	decode_clone, decode_check_pkt_larger, decode_ct_clear, decode_refused, decode_ct,
	decode_meter15;
action_encode_fn encode_resubmit, encode_note, encode_multipath, encode_exit, encode_fin_timeout,
	encode_sample, encode_conjunction, encode_clone, encode_check_pkt_larger, encode_ct_clear;
