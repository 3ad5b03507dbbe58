/* SPDX-License-Identifier: Apache-2.0 */

/* Whether an action list fits the rule it stands in. */

#include <netinet/in.h>

#include "lib/headers.h"
#include "ofproto/wire/action_table.h"

#define AS(STRUCT, ACT) ((struct STRUCT *)(void *)(ACT))

/* The packet as the match describes it and the actions so far have made it. */
struct state {
	const struct act_check *check;
	struct match match;
	bool inconsistent;	/* An action does not fit; only some versions mind. */
};

static enum ofp_error check_list(struct act *acts, size_t len, struct state *st);

static uint16_t dl_type(const struct state *st)
{
	return be16toh(st->match.flow.dl_type);
}

static bool is_ip(const struct state *st)
{
	return dl_type(st) == ETH_T_IP || dl_type(st) == ETH_T_IPV6;
}

static bool is_mpls(const struct state *st)
{
	return dl_type(st) == ETH_T_MPLS || dl_type(st) == ETH_T_MPLS_MCAST;
}

static void want(struct state *st, bool condition)
{
	st->inconsistent |= !condition;
}

static const struct match *prereq_match(const struct state *st)
{
	return st->check->any_match ? NULL : &st->match;
}

/* ------------------------------------------------------------------ VLAN */

static bool has_vlan(const struct state *st)
{
	return st->match.flow.vlans[0].tci & htobe16(VLAN_PRESENT);
}

static void set_tci_present(struct state *st)
{
	st->match.flow.vlans[0].tci |= htobe16(VLAN_PRESENT);
	st->match.mask.vlans[0].tci |= htobe16(VLAN_PRESENT);
}

static void check_vlan_set(struct state *st, bool push_if_needed, bool *flow_has_vlan)
{
	*flow_has_vlan = has_vlan(st);
	want(st, *flow_has_vlan || push_if_needed);
	set_tci_present(st);
}

static enum ofp_error check_push_vlan(struct state *st)
{
	struct flow *flow = &st->match.flow, *mask = &st->match.mask;

	if (flow->vlans[FLOW_MAX_VLANS - 1].tci & htobe16(VLAN_PRESENT))
		return OFPBAC_BAD_TAG;
	for (int i = FLOW_MAX_VLANS - 1; i > 0; i--) {
		flow->vlans[i] = flow->vlans[i - 1];
		mask->vlans[i] = mask->vlans[i - 1];
	}
	memset(&flow->vlans[0], 0, sizeof flow->vlans[0]);
	memset(&mask->vlans[0], 0, sizeof mask->vlans[0]);
	set_tci_present(st);
	return OFP_OK;
}

static void check_strip_vlan(struct state *st)
{
	struct flow *flow = &st->match.flow, *mask = &st->match.mask;

	want(st, has_vlan(st));
	for (int i = 0; i + 1 < FLOW_MAX_VLANS; i++) {
		flow->vlans[i] = flow->vlans[i + 1];
		mask->vlans[i] = mask->vlans[i + 1];
	}
	memset(&flow->vlans[FLOW_MAX_VLANS - 1], 0, sizeof flow->vlans[0]);
	memset(&mask->vlans[FLOW_MAX_VLANS - 1], 0, sizeof mask->vlans[0]);
}

/* ------------------------------------------------------------------ other changes */

static enum ofp_error check_set_field(struct act_set_field *a, struct state *st)
{
	const struct field *f = a->field;

	if (!st->check->any_match &&
		(!field_prereqs_ok(f, &st->match.flow, NULL) ||
			(f->id == FIELD_VLAN_VID && !has_vlan(st))))
		return OFPBAC_MATCH_INCONSISTENT;
	if (f->id == FIELD_VLAN_TCI) {
		memcpy(&st->match.flow.vlans[0].tci, a->data, 2);
		st->match.mask.vlans[0].tci = BE16_MAX;
	}
	/* Later actions see the packet this one makes of it. */
	if (f->id == FIELD_ETH_TYPE) {
		memcpy(&st->match.flow.dl_type, a->data, 2);
		st->match.mask.dl_type = BE16_MAX;
	} else if (f->id == FIELD_IP_PROTO) {
		st->match.flow.nw_proto = a->data[0];
		st->match.mask.nw_proto = UINT8_MAX;
	}
	return OFP_OK;
}

static void check_l4_port(struct act_u16 *a, struct state *st)
{
	const struct flow *flow = &st->match.flow;

	want(st, is_ip(st) && !(flow->nw_frag & FLOW_NW_FRAG_LATER) &&
			(flow->nw_proto == IPPROTO_TCP || flow->nw_proto == IPPROTO_UDP ||
				flow->nw_proto == IPPROTO_SCTP));
	a->flow_ip_proto = flow->nw_proto;
}

static void set_dl_type(struct state *st, be16 type)
{
	st->match.flow.dl_type = type;
	st->match.mask.dl_type = BE16_MAX;
}

static void check_push_mpls(const struct act_push *a, struct state *st)
{
	set_dl_type(st, a->ethertype);
	/* Nothing behind a label is known any more. */
	st->match.flow.nw_proto = 0;
}

static void check_pbb(const struct act *a, struct state *st)
{
	if (a->type == ACT_PUSH_PBB) {
		set_dl_type(st, AS(act_push, a)->ethertype);
		st->match.flow.nw_proto = 0;
		memset(st->match.flow.vlans, 0, sizeof st->match.flow.vlans);
	} else {
		want(st, dl_type(st) == ETH_T_PBB);
		set_dl_type(st, 0);
		st->match.mask.dl_type = 0;
	}
}

/* ------------------------------------------------------------------ control */

static enum ofp_error check_learn_spec(const struct act_learn_spec *spec, const struct state *st,
	struct match *dst)
{
	enum ofp_error error = OFP_OK;
	union field_value value, mask;
	unsigned int n;

	if (spec->src_type == ACT_LEARN_SRC_FIELD)
		error = subfield_check_src(&spec->src, prereq_match(st));
	if (error || spec->dst_type == ACT_LEARN_DST_OUTPUT)
		return error;
	if (spec->dst_type == ACT_LEARN_DST_LOAD)
		return subfield_check_dst(&spec->dst, dst);
	error = subfield_check_src(&spec->dst, dst);
	if (error || spec->src_type != ACT_LEARN_SRC_IMMEDIATE)
		return error;

	/* What the learned rule will match may be a prerequisite of later specs. */
	n = spec->dst.field->n_bytes;
	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	field_bitwise_copy(&spec->imm, (spec->n_bits + 7u) / 8, 0, &value, n, spec->dst.ofs,
		spec->n_bits);
	for (unsigned int i = spec->dst.ofs; i < (unsigned int)spec->dst.ofs + spec->n_bits; i++)
		mask.b[n - 1 - i / 8] |= (uint8_t)(1 << i % 8);
	field_set_match(spec->dst.field, &value, &mask, dst);
	return OFP_OK;
}

static enum ofp_error check_learn(const struct act_learn *a, const struct state *st)
{
	struct match dst;

	memset(&dst, 0, sizeof dst);
	for (uint32_t i = 0; i < a->n_specs; i++) {
		enum ofp_error error = check_learn_spec(&a->specs[i], st, &dst);

		if (error)
			return error;
	}
	return OFP_OK;
}

static enum ofp_error check_bundle(const struct act_bundle *a, const struct state *st)
{
	if (a->dst.field) {
		enum ofp_error error = subfield_check_dst(&a->dst, prereq_match(st));

		if (error)
			return error;
	}
	for (unsigned int i = 0; i < a->n_members; i++)
		if (a->members[i] == OFPP_CONTROLLER ||
			(a->members[i] != OFPP_NONE && act_check_output_port(a->members[i])))
			return OFPBAC_BAD_OUT_PORT;
	return OFP_OK;
}

static enum ofp_error check_enqueue(const struct act_enqueue *a)
{
	return a->port <= OFP_PORT_LAST || a->port == OFPP_IN_PORT || a->port == OFPP_LOCAL
		? OFP_OK
		: OFPBAC_BAD_OUT_PORT;
}

static enum ofp_error check_goto(uint8_t table_id, const struct act_check *check)
{
	if ((check->table_id != 255 && table_id <= check->table_id) ||
		(check->n_tables != 255 && table_id >= check->n_tables))
		return OFPBIC_BAD_TABLE_ID;
	return OFP_OK;
}

static enum ofp_error check_meter(uint32_t id, const struct act_check *check)
{
	if (!id || id > OFP_METER_MAX ||
		(check->meter_exists && !check->meter_exists(check->aux, id)))
		return OFPMMFC_INVALID_METER;
	return OFP_OK;
}

static enum ofp_error check_group(uint32_t id, const struct act_check *check)
{
	return check->group_exists && !check->group_exists(check->aux, id) ? OFPBAC_BAD_OUT_GROUP
									   : OFP_OK;
}

/* Nested lists leave the outer packet as it is; an action set's consistency can't be known. */
static enum ofp_error check_nested(struct act_nest *a, struct state *st)
{
	struct state inner = *st;
	enum ofp_error error = check_list(a->acts, act_nest_len(a), &inner);

	if (a->act.type != ACT_WRITE_ACTIONS)
		st->inconsistent |= inner.inconsistent;
	return error;
}

static enum ofp_error check_move(const struct act_reg_move *a, const struct state *st)
{
	enum ofp_error error = subfield_check_src(&a->src, prereq_match(st));

	return error ? error : subfield_check_dst(&a->dst, prereq_match(st));
}

static enum ofp_error check_one(struct act *a, struct state *st)
{
	struct act_vlan_vid *vid = AS(act_vlan_vid, a);
	struct act_vlan_pcp *pcp = AS(act_vlan_pcp, a);

	switch ((enum act_type)a->type) {
	case ACT_OUTPUT:
		return act_check_output_port(AS(act_output, a)->port);
	case ACT_ENQUEUE:
		return check_enqueue(AS(act_enqueue, a));
	case ACT_GROUP:
		return check_group(AS(act_group, a)->group_id, st->check);
	case ACT_OUTPUT_REG:
		return subfield_check_src(&AS(act_output_reg, a)->src, prereq_match(st));
	case ACT_BUNDLE:
		return check_bundle(AS(act_bundle, a), st);
	case ACT_SET_FIELD:
		return check_set_field(AS(act_set_field, a), st);
	case ACT_REG_MOVE:
		return check_move(AS(act_reg_move, a), st);
	case ACT_STACK_PUSH:
		return subfield_check_src(&AS(act_stack, a)->subfield, prereq_match(st));
	case ACT_STACK_POP:
		return subfield_check_dst(&AS(act_stack, a)->subfield, prereq_match(st));
	case ACT_SET_VLAN_VID:
		check_vlan_set(st, vid->push_if_needed, &vid->flow_has_vlan);
		return OFP_OK;
	case ACT_SET_VLAN_PCP:
		check_vlan_set(st, pcp->push_if_needed, &pcp->flow_has_vlan);
		return OFP_OK;
	case ACT_STRIP_VLAN:
		check_strip_vlan(st);
		return OFP_OK;
	case ACT_PUSH_VLAN:
		return check_push_vlan(st);
	case ACT_SET_IPV4_SRC:
	case ACT_SET_IPV4_DST:
		want(st, dl_type(st) == ETH_T_IP);
		return OFP_OK;
	case ACT_SET_IP_DSCP:
	case ACT_SET_IP_ECN:
	case ACT_SET_IP_TTL:
	case ACT_DEC_TTL:
		want(st, is_ip(st));
		return OFP_OK;
	case ACT_SET_L4_SRC_PORT:
	case ACT_SET_L4_DST_PORT:
		check_l4_port(AS(act_u16, a), st);
		return OFP_OK;
	case ACT_COPY_TTL_IN:
		want(st, is_mpls(st));
		return OFP_OK;
	case ACT_COPY_TTL_OUT:
		want(st, is_mpls(st) || is_ip(st));
		return OFP_OK;
	case ACT_PUSH_MPLS:
		check_push_mpls(AS(act_push, a), st);
		return OFP_OK;
	case ACT_POP_MPLS:
		want(st, is_mpls(st));
		set_dl_type(st, AS(act_push, a)->ethertype);
		return OFP_OK;
	case ACT_SET_MPLS_LABEL:
	case ACT_SET_MPLS_TC:
	case ACT_SET_MPLS_TTL:
	case ACT_DEC_MPLS_TTL:
		want(st, is_mpls(st));
		return OFP_OK;
	case ACT_PUSH_PBB:
	case ACT_POP_PBB:
		check_pbb(a, st);
		return OFP_OK;
	case ACT_DELETE_FIELD:
		return AS(act_field, a)->field->variable ? OFP_OK : OFPBAC_BAD_ARGUMENT;
	case ACT_FIN_TIMEOUT:
		want(st, st->match.flow.nw_proto == IPPROTO_TCP);
		return OFP_OK;
	case ACT_LEARN:
		return check_learn(AS(act_learn, a), st);
	case ACT_MULTIPATH:
		return subfield_check_dst(&AS(act_multipath, a)->dst, prereq_match(st));
	case ACT_CLONE:
	case ACT_WRITE_ACTIONS:
		return check_nested(AS(act_nest, a), st);
	case ACT_METER:
		return check_meter(AS(act_u32, a)->value, st->check);
	case ACT_GOTO_TABLE:
		return check_goto(AS(act_u8, a)->value, st->check);
	default:
		return OFP_OK;
	}
}

static enum ofp_error check_list(struct act *acts, size_t len, struct state *st)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		enum ofp_error error = check_one((struct act *)(uintptr_t)a, st);

		if (error)
			return error;
	}
	return OFP_OK;
}

enum ofp_error act_check(struct act *acts, size_t len, const struct act_check *check)
{
	struct state st = {.check = check};
	enum ofp_error error;

	if (check->match)
		st.match = *check->match;
	error = check_list(acts, len, &st);
	if (!error && st.inconsistent && check->consistent && !check->any_match)
		return OFPBAC_MATCH_INCONSISTENT;
	return error;
}
