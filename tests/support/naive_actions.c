/* SPDX-License-Identifier: Apache-2.0 */

/* The naive switch's actions, one after the other, and its action sets. */

#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "tests/support/naive_private.h"

/* ------------------------------------------------------------------ action set */

/* The order of OpenFlow 1.3.5, 5.10: one of each of these, the last written; then setters in the order
 * in which they were written; then a group, or an output if there is none. */
static const uint16_t set_order[] = {
	ACT_STRIP_VLAN, ACT_POP_MPLS, ACT_PUSH_MPLS, ACT_PUSH_VLAN, ACT_DEC_TTL, ACT_DEC_MPLS_TTL,
};

static const struct act *last_of(const struct act *acts, size_t len, uint16_t type)
{
	const struct act *a, *found = NULL;

	ACT_FOR_EACH (a, acts, len)
		if (a->type == type)
			found = a;
	return found;
}

static bool is_setter(const struct act *a)
{
	return a->type == ACT_SET_FIELD || a->type == ACT_SET_VLAN_VID || a->type == ACT_SET_VLAN_PCP;
}

void naive_run_set(struct naive_ctx *c)
{
	uint8_t copy[sizeof c->set] __attribute__((aligned(8)));
	struct act_builder b;
	const struct act *set = (const void *)copy, *a, *last;

	if (*c->error || c->exit)
		return;
	memcpy(copy, c->set, c->set_len);
	act_builder_init(&b);
	last = last_of(set, c->set_len, ACT_GROUP);
	if (!last)
		last = last_of(set, c->set_len, ACT_OUTPUT);
	for (size_t i = 0; last && i < ARRAY_SIZE(set_order); i++) {
		a = last_of(set, c->set_len, set_order[i]);
		if (a)
			sbuf_put(&b.buf, a, a->len);
	}
	ACT_FOR_EACH (a, set, c->set_len)
		if (last && is_setter(a))
			sbuf_put(&b.buf, a, a->len);
	if (last)
		sbuf_put(&b.buf, last, last->len);
	c->set_len = 0;
	naive_run_acts(c, (const void *)b.buf.data, b.buf.len);
	act_builder_uninit(&b);
}

static void write_set(struct naive_ctx *c, const struct act_nest *nest)
{
	size_t len = act_nest_len(nest);

	if (c->set_len + len > sizeof c->set) {
		c->result->unsupported = true;
		return;
	}
	memcpy(c->set + c->set_len, nest->acts, len);
	c->set_len += len;
}

/* ------------------------------------------------------------------ actions */

static void output(struct naive_ctx *c, ofp_port_t port, uint32_t max_len)
{
	switch (port) {
	case OFPP_IN_PORT:
		naive_output_to(c, naive_find_port(c->naive, c->bridge, c->p.meta.in_port), max_len);
		break;
	case OFPP_NORMAL:
		naive_normal(c);
		break;
	case OFPP_FLOOD:
		naive_flood(c, false);
		break;
	case OFPP_ALL:
		naive_flood(c, true);
		break;
	case OFPP_CONTROLLER:
		naive_emit(c, 0, UINT32_MAX);
		break;
	default:
		if (port != c->p.meta.in_port)
			naive_output_to(c, naive_find_port(c->naive, c->bridge, port), max_len);
		break;
	}
}

/* False: the rest of the list is not done. */
static bool dec_ttl(struct naive_ctx *c, const struct act_cnt_ids *a)
{
	struct flow flow = naive_parse(&c->p);

	if (flow.dl_type != htobe16(ETH_T_IP) && flow.dl_type != htobe16(ETH_T_IPV6))
		return true;
	if (flow.nw_ttl > 1) {
		flow.nw_ttl--;
		naive_write(&c->p, FIELD_IP_TTL, &flow, &c->result->unsupported);
		return true;
	}
	for (unsigned int i = 0; i < a->n_controllers; i++)
		naive_emit(c, 0, UINT32_MAX);
	return false;
}

static void set_vlan(struct naive_ctx *c, uint16_t value, uint16_t mask, bool push)
{
	if (!naive_n_tags(&c->p)) {
		if (!push)
			return;
		naive_push_vlan(&c->p, ETH_T_VLAN_8021Q);
	}
	naive_set_vlan(&c->p, value, mask);
}

/* FLOW has SF's field changed: to the metadata or into the packet. */
static void store(struct naive_ctx *c, const struct field *field, const struct flow *flow)
{
	naive_write(&c->p, field->id, flow, &c->result->unsupported);
}

static void set_field(struct naive_ctx *c, const struct act_set_field *a)
{
	struct flow flow = naive_parse(&c->p);
	union field_value value, mask;

	if (!field_prereqs_ok(a->field, &flow, NULL))
		return;
	memcpy(&value, act_set_field_value(a), a->field->n_bytes);
	memcpy(&mask, act_set_field_mask(a), a->field->n_bytes);
	field_set_masked(a->field, &value, &mask, &flow);
	store(c, a->field, &flow);
}

static void move(struct naive_ctx *c, const struct act_reg_move *a)
{
	struct flow flow = naive_parse(&c->p);

	if (!field_prereqs_ok(a->src.field, &flow, NULL) ||
		!field_prereqs_ok(a->dst.field, &flow, NULL))
		return;
	subfield_move(&a->src, &a->dst, &flow);
	store(c, a->dst.field, &flow);
}

static void push(struct naive_ctx *c, const struct subfield *sf)
{
	struct flow flow = naive_parse(&c->p);

	if (c->n_stack == ARRAY_SIZE(c->stack))
		c->result->unsupported = true;
	else
		subfield_read(sf, &flow, &c->stack[c->n_stack++]);
}

/* Both sides of a push and a pop have the same width here. */
static void pop(struct naive_ctx *c, const struct subfield *sf)
{
	struct flow flow = naive_parse(&c->p);

	if (!c->n_stack--) {
		c->n_stack = 0;
		return;
	}
	if (!field_prereqs_ok(sf->field, &flow, NULL))
		return;
	subfield_write(sf, &c->stack[c->n_stack], &flow);
	store(c, sf->field, &flow);
}

static void run_clone(struct naive_ctx *c, const struct act_nest *nest)
{
	struct naive_ctx *inner = xmemdup(c, sizeof *c);

	naive_run_acts(inner, nest->acts, act_nest_len(nest));
	naive_run_set(inner);
	free(inner);
}

static void write_metadata(struct naive_ctx *c, const struct act_write_metadata *a)
{
	c->p.meta.metadata = (c->p.meta.metadata & ~a->mask) | (a->metadata & a->mask);
}

/* As in Open vSwitch, only the REST of this very list sees the answer, in a packet of its own; what
 * called the list goes on without. */
static void check_larger(struct naive_ctx *c, const struct act_check_pkt_larger *a, const struct act *rest,
	size_t rest_len)
{
	struct naive_ctx *inner = xmemdup(c, sizeof *c);
	struct flow flow = naive_parse(&c->p);

	subfield_write_u64(&a->dst, MAX(c->p.len, c->p.is_runt ? 0 : 60u) > a->pkt_len, &flow);
	store(inner, a->dst.field, &flow);
	naive_run_acts(inner, rest, rest_len);
	free(inner);
}

static void output_reg(struct naive_ctx *c, const struct act_output_reg *a)
{
	struct flow flow = naive_parse(&c->p);
	uint64_t port = subfield_read_u64(&a->src, &flow);

	/* The reserved numbers are 16 bits here. */
	if (port >= 0xff00 && port <= UINT16_MAX)
		port |= 0xffff0000;
	if (port == OFPP_TABLE)
		c->result->unsupported = true;
	else
		output(c, (ofp_port_t)port, UINT32_MAX);
}

/* A setter among ACTS is of the tag that is outermost before them. */
static bool tag_is_set(const struct act *acts, size_t len)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		enum field_id id = a->type == ACT_SET_FIELD ? ((const struct act_set_field *)a)->field->id :
			a->type == ACT_REG_MOVE ? ((const struct act_reg_move *)a)->dst.field->id : FIELD_METADATA;

		if (a->type == ACT_PUSH_VLAN || a->type == ACT_STRIP_VLAN)
			return false;
		if (a->type == ACT_SET_VLAN_VID || a->type == ACT_SET_VLAN_PCP || id == FIELD_VLAN_TCI ||
			id == FIELD_VLAN_VID || id == FIELD_VLAN_PCP || id == FIELD_DL_VLAN ||
			id == FIELD_DL_VLAN_PCP)
			return true;
	}
	return false;
}

static void push_tag(struct naive_ctx *c, be16 ethertype, const struct act *rest, size_t rest_len)
{
	uint16_t tci = naive_n_tags(&c->p) && ethertype == htobe16(ETH_T_VLAN_8021AD) &&
		!tag_is_set(rest, rest_len) ? naive_tci(&c->p) & (VLAN_VID_MASK | VLAN_PCP_MASK) : 0;

	/* What a third one pushes out of sight is nobody's promise. */
	if (naive_n_tags(&c->p) >= FLOW_MAX_VLANS)
		c->result->unsupported = true;
	else
		naive_push_vlan(&c->p, be16toh(ethertype));
	naive_set_vlan(&c->p, tci, VLAN_VID_MASK | VLAN_PCP_MASK);
}

static void resubmit(struct naive_ctx *c, const struct act_resubmit *a)
{
	ofp_port_t in_port = a->in_port == OFPP_IN_PORT ? c->p.meta.in_port : a->in_port;

	naive_lookup(c, in_port, a->table_id == 0xff ? c->table : a->table_id, c->table);
}

static bool run_act(struct naive_ctx *c, const struct act *a)
{
	const void *p = a;

	c->naive->tags_changed |= naive_count_tags(&c->p) != c->tags_in;
	switch (a->type) {
	case ACT_OUTPUT: {
		const struct act_output *out = p;

		/* What came on or off since the last output does not count; this switch does not keep
		 * how much that is. */
		if (out->trunc && c->naive->tags_changed)
			c->result->unsupported = true;
		output(c, out->port, out->trunc ? out->trunc : UINT32_MAX);
		break;
	}
	case ACT_OUTPUT_REG:
		output_reg(c, p);
		break;
	case ACT_GROUP:
		return naive_run_group(c, ((const struct act_group *)p)->group_id);
	case ACT_SET_FIELD:
		set_field(c, p);
		break;
	case ACT_REG_MOVE:
		move(c, p);
		break;
	case ACT_STACK_PUSH:
		push(c, &((const struct act_stack *)p)->subfield);
		break;
	case ACT_STACK_POP:
		pop(c, &((const struct act_stack *)p)->subfield);
		break;
	case ACT_SET_VLAN_VID:
		set_vlan(c, ((const struct act_vlan_vid *)p)->vid, VLAN_VID_MASK,
			((const struct act_vlan_vid *)p)->push_if_needed);
		break;
	case ACT_SET_VLAN_PCP:
		set_vlan(c, (uint16_t)(((const struct act_vlan_pcp *)p)->pcp << VLAN_PCP_SHIFT),
			VLAN_PCP_MASK, ((const struct act_vlan_pcp *)p)->push_if_needed);
		break;
	case ACT_STRIP_VLAN:
		if (naive_n_tags(&c->p))
			naive_pop_vlan(&c->p);
		break;
	case ACT_PUSH_MPLS:
		naive_push_mpls(&c->p, ((const struct act_push *)p)->ethertype,
			&c->result->unsupported);
		break;
	case ACT_POP_MPLS:
		naive_pop_mpls(&c->p, ((const struct act_push *)p)->ethertype,
			&c->result->unsupported);
		c->unlabelled = c->naive->unlabelled = true;
		break;
	case ACT_DEC_TTL:
		return dec_ttl(c, p);
	case ACT_RESUBMIT:
		resubmit(c, p);
		break;
	case ACT_GOTO_TABLE:
		naive_lookup(c, c->p.meta.in_port, ((const struct act_u8 *)p)->value, c->table);
		break;
	case ACT_CLONE:
		run_clone(c, p);
		break;
	case ACT_WRITE_ACTIONS:
		write_set(c, p);
		break;
	case ACT_CLEAR_ACTIONS:
		c->set_len = 0;
		break;
	case ACT_WRITE_METADATA:
		write_metadata(c, p);
		break;
	case ACT_EXIT:
		c->exit = true;
		break;
	case ACT_NOTE:
		break;
	default:
		c->result->unsupported = true;
		break;
	}
	return true;
}

void naive_run_acts(struct naive_ctx *c, const struct act *acts, size_t len)
{
	const struct act *a;

	ACT_FOR_EACH (a, acts, len) {
		const struct act *rest = act_next(a);
		size_t rest_len = len - (size_t)((const char *)rest - (const char *)acts);

		if (*c->error || c->exit || c->result->unsupported)
			return;
		if (a->type == ACT_CHECK_PKT_LARGER) {
			c->result->unsupported |= c->unlabelled;
			check_larger(c, (const void *)a, rest, rest_len);
			return;
		}
		if (a->type == ACT_PUSH_VLAN) {
			push_tag(c, ((const struct act_push *)a)->ethertype, rest, rest_len);
			continue;
		}
		if (!run_act(c, a)) {
			c->result->unsupported |= c->unlabelled;
			return;
		}
	}
}
