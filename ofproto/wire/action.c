/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/action.h"

#include <stdlib.h>

#include "ofproto/wire/action_table.h"
#include "ofproto/wire/msg.h"

/* What a type is on the way out, and whether it may stand in an action set. */
static const struct {
	action_encode_fn *encode;
	bool in_set;
} types[ACT_N_TYPES] = {
	[ACT_OUTPUT] = {encode_output, true},
	[ACT_GROUP] = {encode_group, true},
	[ACT_CONTROLLER] = {encode_controller, false},
	[ACT_ENQUEUE] = {encode_enqueue, false},
	[ACT_OUTPUT_REG] = {encode_output_reg, false},
	[ACT_BUNDLE] = {encode_bundle, false},
	[ACT_SET_FIELD] = {encode_set_field, true},
	[ACT_REG_MOVE] = {encode_reg_move, true},
	[ACT_STACK_PUSH] = {encode_stack, false},
	[ACT_STACK_POP] = {encode_stack, false},
	[ACT_SET_VLAN_VID] = {encode_vlan_vid, true},
	[ACT_SET_VLAN_PCP] = {encode_vlan_pcp, true},
	[ACT_STRIP_VLAN] = {encode_strip_vlan, true},
	[ACT_PUSH_VLAN] = {encode_push_vlan, true},
	[ACT_SET_ETH_SRC] = {encode_mac, true},
	[ACT_SET_ETH_DST] = {encode_mac, true},
	[ACT_SET_IPV4_SRC] = {encode_ipv4, true},
	[ACT_SET_IPV4_DST] = {encode_ipv4, true},
	[ACT_SET_IP_DSCP] = {encode_ip_dscp, true},
	[ACT_SET_IP_ECN] = {encode_ip_ecn, true},
	[ACT_SET_IP_TTL] = {encode_ip_ttl, true},
	[ACT_SET_L4_SRC_PORT] = {encode_l4_port, true},
	[ACT_SET_L4_DST_PORT] = {encode_l4_port, true},
	[ACT_DEC_TTL] = {encode_dec_ttl, true},
	[ACT_COPY_TTL_IN] = {encode_copy_ttl, true},
	[ACT_COPY_TTL_OUT] = {encode_copy_ttl, true},
	[ACT_PUSH_MPLS] = {encode_push_mpls, true},
	[ACT_POP_MPLS] = {encode_pop_mpls, true},
	[ACT_SET_MPLS_LABEL] = {encode_mpls_label, true},
	[ACT_SET_MPLS_TC] = {encode_mpls_tc, true},
	[ACT_SET_MPLS_TTL] = {encode_mpls_ttl, true},
	[ACT_DEC_MPLS_TTL] = {encode_dec_mpls_ttl, true},
	[ACT_PUSH_PBB] = {encode_pbb, true},
	[ACT_POP_PBB] = {encode_pbb, true},
	[ACT_DELETE_FIELD] = {encode_delete_field, false},
	[ACT_SET_TUNNEL] = {encode_set_tunnel, true},
	[ACT_SET_QUEUE] = {encode_set_queue, true},
	[ACT_POP_QUEUE] = {encode_pop_queue, false},
	[ACT_FIN_TIMEOUT] = {encode_fin_timeout, false},
	[ACT_RESUBMIT] = {encode_resubmit, true},
	[ACT_LEARN] = {encode_learn, false},
	[ACT_CONJUNCTION] = {encode_conjunction, false},
	[ACT_MULTIPATH] = {encode_multipath, false},
	[ACT_NOTE] = {encode_note, false},
	[ACT_EXIT] = {encode_exit, false},
	[ACT_SAMPLE] = {encode_sample, false},
	[ACT_CLONE] = {encode_clone, false},
	[ACT_CHECK_PKT_LARGER] = {encode_check_pkt_larger, false},
	[ACT_CT] = {NULL, true},
	[ACT_CT_CLEAR] = {encode_ct_clear, true},
};

/* As in Open vSwitch an action set holds no output that cuts the packet. */
static bool act_allowed_in_set(const struct act *a)
{
	if (a->type == ACT_OUTPUT && ((const struct act_output *)(const void *)a)->trunc)
		return false;
	return a->type < ACT_N_TYPES && types[a->type].in_set;
}

int act_inst(enum act_type type, enum ofp_version version)
{
	switch (type) {
	case ACT_METER:
		return version >= OFP15_VERSION ? INST_APPLY : INST_METER;
	case ACT_CLEAR_ACTIONS:
		return INST_CLEAR;
	case ACT_WRITE_ACTIONS:
		return INST_WRITE;
	case ACT_WRITE_METADATA:
		return INST_METADATA;
	case ACT_GOTO_TABLE:
		return INST_GOTO;
	default:
		return INST_APPLY;
	}
}

/* ------------------------------------------------------------------ reading */

static enum ofp_error action_decode(struct cursor *c, enum ofp_version version, unsigned int depth,
	struct act_builder *b)
{
	const struct action_row *row = NULL;
	size_t header_len = 0, len = 0;
	struct action_in in;
	enum ofp_error error = action_row_find(c, version, &row, &header_len, &len);

	if (error)
		return error;
	in = (struct action_in){.c = cursor_sub(c, len), .version = version,
		.layout = (enum layout)row->layout, .depth = depth, .b = b};
	cursor_skip(&in.c, header_len);
	return row->decode(&in);
}

enum ofp_error actions_decode(struct cursor *c, enum ofp_version version, unsigned int depth,
	struct act_builder *b)
{
	while (cursor_left(c)) {
		enum ofp_error error = action_decode(c, version, depth, b);

		if (error)
			return error;
	}
	return OFP_OK;
}

/* With a conjunction nothing but conjunctions and notes may stand. */
static enum ofp_error conjunction_verify(const struct act *acts, size_t len)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len)
		if (a->type != ACT_CONJUNCTION && a->type != ACT_NOTE)
			return NXBAC_BAD_CONJUNCTION;
	return OFP_OK;
}

/* Connection-tracking fields are for the ct action to write. */
static bool writes_ct_field(const struct act *a)
{
	const struct field *f = NULL;

	if (a->type == ACT_SET_FIELD)
		f = ((const struct act_set_field *)(const void *)a)->field;
	else if (a->type == ACT_REG_MOVE)
		f = ((const struct act_reg_move *)(const void *)a)->dst.field;
	return f && (f->id == FIELD_CT_MARK || f->id == FIELD_CT_LABEL);
}

enum ofp_error actions_verify(const struct act *acts, size_t len, enum ofp_version version,
	unsigned int allowed, bool nested)
{
	const struct act *a;
	int inst = INST_METER;

	ACT_FOR_EACH (a, acts, len) {
		int next = act_inst((enum act_type)a->type, version);

		if (a->type == ACT_CONJUNCTION)
			return conjunction_verify(acts, len);
		if (writes_ct_field(a))
			return OFPBAC_BAD_SET_ARGUMENT;
		if (nested && a->type == ACT_METER)
			return OFPBAC_BAD_ARGUMENT;
		if (a > acts && (inst == INST_APPLY ? next < inst : next <= inst))
			return OFPBAC_UNSUPPORTED_ORDER;
		if (!(1u << next & allowed))
			return next == INST_METER && version >= OFP15_VERSION ? OFPBAC_BAD_TYPE
									      : OFPBIC_UNSUP_INST;
		inst = next;
	}
	return OFP_OK;
}

static const struct act *acts_at(const struct act_builder *b, size_t ofs)
{
	return (const struct act *)(const void *)(b->buf.data + ofs);
}

/* On errors the builder is cut back to what it had. */
static enum ofp_error decode_list(struct cursor *c, enum ofp_version version, unsigned int allowed,
	struct act_builder *b)
{
	size_t start = b->buf.len;
	enum ofp_error error;

	if (cursor_left(c) % ACT_ALIGN)
		return OFPBRC_BAD_LEN;
	error = actions_decode(c, version, 0, b);
	if (!error && b->buf.len > start)
		error = actions_verify(acts_at(b, start), b->buf.len - start, version, allowed,
			false);
	if (error)
		sbuf_truncate(&b->buf, start);
	return error;
}

enum ofp_error acts_decode(struct cursor *c, enum ofp_version version, struct act_builder *acts)
{
	return decode_list(c, version, 1u << INST_APPLY | 1u << INST_METER, acts);
}

enum ofp_error flow_acts_decode(struct cursor *c, enum ofp_version version,
	struct act_builder *acts)
{
	return version == OFP10_VERSION ? decode_list(c, version, INST_ALL, acts)
					: insts_decode(c, version, acts);
}

enum ofp_error acts_decode_set(struct cursor *c, enum ofp_version version, struct act_builder *acts)
{
	size_t start = acts->buf.len;
	enum ofp_error error = actions_decode(c, version, 0, acts);
	const struct act *a;

	if (!error && acts->buf.len > start)
		ACT_FOR_EACH (a, acts_at(acts, start), acts->buf.len - start)
			if (!act_allowed_in_set(a)) {
				error = OFPBAC_BAD_TYPE;
				break;
			}
	if (error)
		sbuf_truncate(&acts->buf, start);
	return error;
}

/* ------------------------------------------------------------------ writing */

/* Instructions among actions: OpenFlow 1.0 has Nicira's actions for some, 1.5 a meter action. */
static void encode_instruction(const struct act *a, enum ofp_version version, struct sbuf *out)
{
	const struct act_write_metadata *wm = (const void *)a;
	size_t start;

	switch ((int)a->type) {
	case ACT_METER:
		if (version >= OFP15_VERSION)
			action_put_arg(out, version, L_METER15, 4,
				((const struct act_u32 *)(const void *)a)->value);
		break;
	case ACT_WRITE_METADATA:
		start = action_begin(out, version, L_WRITE_METADATA);
		put_pad(out, 6);
		put_be64(out, wm->metadata);
		put_be64(out, wm->mask);
		action_end(out, start, version, L_WRITE_METADATA);
		break;
	case ACT_GOTO_TABLE:
		start = action_begin(out, version, L_RESUBMIT_TABLE);
		put_u16(out, ofp_port_to_16(OFPP_IN_PORT));
		put_u8(out, ((const struct act_u8 *)(const void *)a)->value);
		action_end(out, start, version, L_RESUBMIT_TABLE);
		break;
	default:
		break;
	}
}

size_t acts_encode(const struct act *acts, size_t len, enum ofp_version version, struct sbuf *out)
{
	size_t start = out->len;
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		if (a->type < ACT_N_TYPES && types[a->type].encode)
			types[a->type].encode(a, version, out);
		else if (version == OFP10_VERSION || act_inst((enum act_type)a->type, version) == INST_APPLY)
			encode_instruction(a, version, out);
	}
	return out->len - start;
}

size_t flow_acts_encode(const struct act *acts, size_t len, enum ofp_version version,
	struct sbuf *out)
{
	return version == OFP10_VERSION ? acts_encode(acts, len, version, out)
					: insts_encode(acts, len, version, out);
}

/* ------------------------------------------------------------------ what there is */

uint64_t acts_supported(enum ofp_version version, bool in_set)
{
	if (version == OFP10_VERSION)
		return 0xfff;
	if (version == OFP11_VERSION)
		return (1 << 25) - 1;
	/* Output, copying of TTLs, MPLS TTLs, tags, queue, group, TTLs, set_field; PBB from 1.3 on. */
	return 1 | 3 << 11 | 3 << 15 | 0x1ff << 17 | (version >= OFP13_VERSION ? 3 << 26 : 0);
}
