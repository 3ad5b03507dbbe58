/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/act.h"

#include <string.h>

#include "lib/util.h"

static const char *const type_names[ACT_N_TYPES] = {
	[ACT_OUTPUT] = "output",
	[ACT_GROUP] = "group",
	[ACT_CONTROLLER] = "controller",
	[ACT_ENQUEUE] = "enqueue",
	[ACT_OUTPUT_REG] = "output_reg",
	[ACT_BUNDLE] = "bundle",
	[ACT_SET_FIELD] = "set_field",
	[ACT_REG_MOVE] = "move",
	[ACT_STACK_PUSH] = "push",
	[ACT_STACK_POP] = "pop",
	[ACT_SET_VLAN_VID] = "set_vlan_vid",
	[ACT_SET_VLAN_PCP] = "set_vlan_pcp",
	[ACT_STRIP_VLAN] = "strip_vlan",
	[ACT_PUSH_VLAN] = "push_vlan",
	[ACT_SET_ETH_SRC] = "mod_dl_src",
	[ACT_SET_ETH_DST] = "mod_dl_dst",
	[ACT_SET_IPV4_SRC] = "mod_nw_src",
	[ACT_SET_IPV4_DST] = "mod_nw_dst",
	[ACT_SET_IP_DSCP] = "mod_nw_tos",
	[ACT_SET_IP_ECN] = "mod_nw_ecn",
	[ACT_SET_IP_TTL] = "mod_nw_ttl",
	[ACT_SET_L4_SRC_PORT] = "mod_tp_src",
	[ACT_SET_L4_DST_PORT] = "mod_tp_dst",
	[ACT_DEC_TTL] = "dec_ttl",
	[ACT_COPY_TTL_IN] = "copy_ttl_in",
	[ACT_COPY_TTL_OUT] = "copy_ttl_out",
	[ACT_PUSH_MPLS] = "push_mpls",
	[ACT_POP_MPLS] = "pop_mpls",
	[ACT_SET_MPLS_LABEL] = "set_mpls_label",
	[ACT_SET_MPLS_TC] = "set_mpls_tc",
	[ACT_SET_MPLS_TTL] = "set_mpls_ttl",
	[ACT_DEC_MPLS_TTL] = "dec_mpls_ttl",
	[ACT_PUSH_PBB] = "push_pbb",
	[ACT_POP_PBB] = "pop_pbb",
	[ACT_DELETE_FIELD] = "delete_field",
	[ACT_DEC_NSH_TTL] = "dec_nsh_ttl",
	[ACT_SET_TUNNEL] = "set_tunnel",
	[ACT_SET_QUEUE] = "set_queue",
	[ACT_POP_QUEUE] = "pop_queue",
	[ACT_FIN_TIMEOUT] = "fin_timeout",
	[ACT_RESUBMIT] = "resubmit",
	[ACT_LEARN] = "learn",
	[ACT_CONJUNCTION] = "conjunction",
	[ACT_MULTIPATH] = "multipath",
	[ACT_NOTE] = "note",
	[ACT_EXIT] = "exit",
	[ACT_SAMPLE] = "sample",
	[ACT_CLONE] = "clone",
	[ACT_CHECK_PKT_LARGER] = "check_pkt_larger",
	[ACT_CT] = "ct",
	[ACT_CT_CLEAR] = "ct_clear",
	[ACT_METER] = "meter",
	[ACT_CLEAR_ACTIONS] = "clear_actions",
	[ACT_WRITE_ACTIONS] = "write_actions",
	[ACT_WRITE_METADATA] = "write_metadata",
	[ACT_GOTO_TABLE] = "goto_table",
};

const char *act_type_name(enum act_type type)
{
	return (size_t)type < ARRAY_SIZE(type_names) ? type_names[type] : "unknown";
}

void act_builder_init(struct act_builder *b)
{
	sbuf_init(&b->buf);
}

void act_builder_uninit(struct act_builder *b)
{
	sbuf_uninit(&b->buf);
}

const struct act *act_builder_acts(const struct act_builder *b)
{
	static const struct act none;

	return b->buf.len ? (const struct act *)(const void *)b->buf.data : &none;
}

void *act_put(struct act_builder *b, enum act_type type, size_t size)
{
	size_t len = ROUND_UP(size, (size_t)ACT_ALIGN);
	struct act *act = sbuf_put_zeros(&b->buf, len);

	act->type = (uint16_t)type;
	act->len = (uint32_t)len;
	return act;
}

struct act_set_field *act_put_set_field(struct act_builder *b, const struct field *field,
	const union field_value *value, const union field_value *mask)
{
	struct act_set_field *a = act_put(b, ACT_SET_FIELD, sizeof *a + 2 * (size_t)field->n_bytes);

	a->field = field;
	for (unsigned int i = 0; i < field->n_bytes; i++) {
		a->data[i] = value->b[i] & mask->b[i];
		a->data[field->n_bytes + i] = mask->b[i];
	}
	return a;
}

size_t act_nest_begin(struct act_builder *b, enum act_type type, size_t size)
{
	size_t handle = b->buf.len;

	act_put(b, type, size);
	return handle;
}

void act_nest_end(struct act_builder *b, size_t handle)
{
	struct act *act = (struct act *)(void *)(b->buf.data + handle);

	act->len = (uint32_t)(b->buf.len - handle);
}

bool act_list_equal(const struct act *a, size_t a_len, const struct act *b, size_t b_len)
{
	return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

/* The records nested in A, *LEN bytes of them; NULL if it has none. */
static const struct act *nested(const struct act *a, size_t *len)
{
	if (a->type == ACT_CLONE || a->type == ACT_WRITE_ACTIONS) {
		const struct act_nest *nest = (const void *)a;

		*len = act_nest_len(nest);
		return nest->acts;
	}
	if (a->type == ACT_CT) {
		const struct act_ct *ct = (const void *)a;

		*len = a->len - sizeof *ct;
		return ct->acts;
	}
	return NULL;
}

static bool outputs_to(const struct act *a, ofp_port_t port)
{
	switch (a->type) {
	case ACT_OUTPUT:
		return ((const struct act_output *)(const void *)a)->port == port;
	case ACT_ENQUEUE:
		return ((const struct act_enqueue *)(const void *)a)->port == port;
	case ACT_CONTROLLER:
		return port == OFPP_CONTROLLER;
	default:
		return false;
	}
}

bool act_list_outputs_to(const struct act *acts, size_t len, ofp_port_t port)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		size_t inner_len = 0;
		const struct act *inner = nested(a, &inner_len);

		if (inner ? act_list_outputs_to(inner, inner_len, port) : outputs_to(a, port))
			return true;
	}
	return false;
}

bool act_list_outputs_to_group(const struct act *acts, size_t len, uint32_t group_id)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		size_t inner_len = 0;
		const struct act *inner = nested(a, &inner_len);

		if (inner && act_list_outputs_to_group(inner, inner_len, group_id))
			return true;
		if (a->type == ACT_GROUP &&
			((const struct act_group *)(const void *)a)->group_id == group_id)
			return true;
	}
	return false;
}
