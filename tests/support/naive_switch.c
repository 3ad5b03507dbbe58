/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/support/naive_switch.h"

#include <string.h>

#include "datapath/pipeline/pipeline.h"
#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/vec.h"
#include "tests/support/naive_packet.h"

#define MAX_DEPTH 64
#define MAX_LOOKUPS 4096

struct acts {
	struct act *acts;
	size_t len;
};

struct rule {
	uint32_t id;
	unsigned int bridge;
	uint8_t table;
	int priority;
	struct match match;
	struct acts acts;
};

struct group {
	unsigned int bridge;
	uint32_t id;
	bool all;
	VEC(struct acts) buckets;
};

struct mac_entry {
	unsigned int bridge;
	uint16_t vlan;
	struct eth_addr mac;
	ofp_port_t port;
};

typedef VEC(struct naive_port) port_vec;

struct naive {
	unsigned int n_bridges;
	port_vec *ports;	/* One a bridge. */
	VEC(struct rule) rules;
	VEC(struct group) groups;
	VEC(struct mac_entry) macs;
	bool unlabelled;	/* Of the packet now: some copy of it lost its labels. */
	bool tags_changed;	/* So: some copy of it had another number of tags or labels than it came with. */
};

/* A packet on its way through one bridge. */
struct ctx {
	struct naive *naive;
	struct naive_result *result;
	unsigned int bridge;
	struct naive_packet p;
	uint8_t table;
	int depth;		/* Of resubmits. */
	int nest;		/* Of anything that could be counted as a level. */
	int *n_lookups;
	bool *error;		/* In this bridge. */
	bool exit;
	/* A label stack came off. Open vSwitch then parses again and has only one list of what is left
	 * to do: what ends a list early ends more. */
	bool unlabelled;
	int tags_in;		/* Tags and labels that the packet came with. */
	uint8_t set[4096];	/* Action set, as written. */
	size_t set_len;
	union field_value stack[64];
	unsigned int n_stack;
};

static void run_acts(struct ctx *c, const struct act *acts, size_t len);
static void run_set(struct ctx *c);
static void lookup(struct ctx *c, ofp_port_t in_port, uint8_t table, uint8_t from_table);

/* ------------------------------------------------------------------ what it is told */

struct naive *naive_create(unsigned int n_bridges)
{
	struct naive *n = xcalloc(1, sizeof *n);

	n->n_bridges = n_bridges;
	n->ports = xcalloc(n_bridges, sizeof *n->ports);
	return n;
}

static struct acts copy_acts(const struct act *acts, size_t len)
{
	return (struct acts){len ? xmemdup(acts, len) : NULL, len};
}

static void drop_buckets(struct group *group)
{
	while (group->buckets.n)
		free(vec_pop(&group->buckets).acts);
}

void naive_destroy(struct naive *n)
{
	for (unsigned int i = 0; i < n->n_bridges; i++)
		vec_uninit(&n->ports[i]);
	for (size_t i = 0; i < n->rules.n; i++)
		free(n->rules.items[i].acts.acts);
	for (size_t i = 0; i < n->groups.n; i++) {
		drop_buckets(&n->groups.items[i]);
		vec_uninit(&n->groups.items[i].buckets);
	}
	vec_uninit(&n->rules);
	vec_uninit(&n->groups);
	vec_uninit(&n->macs);
	free(n->ports);
	free(n);
}

static struct naive_port *find_port(const struct naive *n, unsigned int bridge, ofp_port_t port)
{
	struct naive_port *p;

	VEC_FOR_EACH (p, &n->ports[bridge])
		if (p->ofp_port == port)
			return p;
	return NULL;
}

void naive_set_port(struct naive *n, unsigned int bridge, const struct naive_port *port)
{
	struct naive_port *old = find_port(n, bridge, port->ofp_port);

	if (old)
		*old = *port;
	else
		vec_push(&n->ports[bridge], *port);
}

void naive_add_rule(struct naive *n, unsigned int bridge, uint32_t id, uint8_t table, int priority,
	const struct match *match, const struct act *acts, size_t len)
{
	vec_push(&n->rules, (struct rule){id, bridge, table, priority, *match, copy_acts(acts, len)});
}

static struct rule *find_rule(struct naive *n, uint32_t id)
{
	for (size_t i = 0; i < n->rules.n; i++)
		if (n->rules.items[i].id == id)
			return &n->rules.items[i];
	fatal("no rule %u", id);
}

void naive_set_actions(struct naive *n, uint32_t id, const struct act *acts, size_t len)
{
	struct rule *rule = find_rule(n, id);

	free(rule->acts.acts);
	rule->acts = copy_acts(acts, len);
}

void naive_remove_rule(struct naive *n, uint32_t id)
{
	struct rule *rule = find_rule(n, id);

	free(rule->acts.acts);
	vec_remove_swap(&n->rules, (size_t)(rule - n->rules.items));
}

static struct group *find_group(struct naive *n, unsigned int bridge, uint32_t id)
{
	for (size_t i = 0; i < n->groups.n; i++)
		if (n->groups.items[i].bridge == bridge && n->groups.items[i].id == id)
			return &n->groups.items[i];
	return NULL;
}

void naive_set_group(struct naive *n, unsigned int bridge, uint32_t id, bool all)
{
	struct group *group = find_group(n, bridge, id);

	if (!group) {
		vec_push(&n->groups, (struct group){.bridge = bridge, .id = id});
		group = &n->groups.items[n->groups.n - 1];
	}
	drop_buckets(group);
	group->all = all;
}

void naive_add_bucket(struct naive *n, unsigned int bridge, uint32_t id, const struct act *acts,
	size_t len)
{
	vec_push(&find_group(n, bridge, id)->buckets, copy_acts(acts, len));
}

/* ------------------------------------------------------------------ out */

static int count_tags(const struct naive_packet *p)
{
	struct flow flow = naive_parse(p);

	return flow_n_vlans(&flow) + flow_n_mpls(&flow);
}

static void emit(struct ctx *c, dp_port_t port, uint32_t max_len)
{
	struct naive_frame *frame;

	c->naive->tags_changed |= count_tags(&c->p) != c->tags_in;
	if (c->result->n_frames == NAIVE_MAX_FRAMES) {
		c->result->unsupported = true;
		return;
	}
	frame = &c->result->frames[c->result->n_frames++];
	frame->port = port;
	/* A frame that was no runt leaves as none. */
	if (!c->p.is_runt && c->p.len < 60) {
		memset(c->p.data + c->p.len, 0, 60 - c->p.len);
		frame->len = 60;
	} else {
		frame->len = c->p.len;
	}
	frame->len = MIN(frame->len, MAX(max_len, 14u));
	memcpy(frame->data, c->p.data, frame->len);
}

/* Into the other bridge, where it is a packet without a past. What is left of a packet that went round
 * until a limit was met there is open. */
static void cross_patch(struct ctx *c, const struct naive_port *port)
{
	bool error = false;
	const struct naive_port *peer = find_port(c->naive, (unsigned int)port->peer_bridge,
		port->peer_port);
	struct ctx *inner;

	if (!peer || (peer->config & PL_PORT_NO_RECV))
		return;
	inner = xmemdup(c, sizeof *c);
	inner->bridge = (unsigned int)port->peer_bridge;
	inner->set_len = 0;
	inner->n_stack = 0;
	inner->exit = false;
	inner->error = &error;
	inner->nest++;
	memset(&inner->p.meta, 0, sizeof inner->p.meta);
	inner->p.meta.pkt_mark = c->p.meta.pkt_mark;
	inner->p.meta.actset_output = OFPP_UNSET;
	inner->p.meta.in_port = peer->ofp_port;
	inner->table = 0;
	lookup(inner, peer->ofp_port, 0, 255);
	run_set(inner);
	free(inner);
	c->result->unsupported |= error;
}

static void output_to(struct ctx *c, const struct naive_port *port, uint32_t max_len)
{
	if (!port || (port->config & PL_PORT_NO_FWD))
		return;
	if (port->peer_bridge >= 0)
		cross_patch(c, port);
	else if (!(port->config & PL_PORT_DOWN))
		emit(c, port->dp_port, max_len);
}

static void flood(struct ctx *c, bool all)
{
	const port_vec *ports = &c->naive->ports[c->bridge];

	for (size_t i = 0; i < ports->n; i++) {
		const struct naive_port *port = &ports->items[i];

		if (port->ofp_port != c->p.meta.in_port && (all || !(port->config & PL_PORT_NO_FLOOD)))
			output_to(c, port, UINT32_MAX);
	}
}

/* ------------------------------------------------------------------ NORMAL */

/* The packet as it leaves by PORT, being in VLAN; TAG_NEEDED: it had none of its own. */
static void normal_output(struct ctx *c, const struct naive_port *port, uint16_t vlan,
	const struct naive_port *in)
{
	struct naive_packet saved = c->p;

	if (port->access_vlan >= 0) {
		while (naive_n_tags(&c->p))
			naive_pop_vlan(&c->p);
	} else if (in->access_vlan >= 0) {
		/* A priority tag keeps its priority. */
		if (!naive_n_tags(&c->p))
			naive_push_vlan(&c->p, ETH_T_VLAN_8021Q);
		naive_set_vlan(&c->p, vlan, VLAN_VID_MASK);
	} else if (naive_n_tags(&c->p) && !(naive_tci(&c->p) & (VLAN_VID_MASK | VLAN_PCP_MASK))) {
		naive_pop_vlan(&c->p);
	}
	output_to(c, port, UINT32_MAX);
	c->p = saved;
}

static bool carries_vlan(const struct naive_port *port, uint16_t vlan, uint16_t inner_vid)
{
	return port->access_vlan < 0 || (port->access_vlan == vlan && !inner_vid);
}

static struct mac_entry *find_mac(struct naive *n, unsigned int bridge, uint16_t vlan,
	struct eth_addr mac)
{
	for (size_t i = 0; i < n->macs.n; i++) {
		struct mac_entry *e = &n->macs.items[i];

		if (e->bridge == bridge && e->vlan == vlan && eth_addr_equal(e->mac, mac))
			return e;
	}
	return NULL;
}

void naive_learn_mac(struct naive *n, unsigned int bridge, uint16_t vlan, struct eth_addr mac,
	ofp_port_t port)
{
	struct mac_entry *e = find_mac(n, bridge, vlan, mac);

	if (eth_addr_is_multicast(mac))
		return;
	if (e)
		e->port = port;
	else
		vec_push(&n->macs, (struct mac_entry){bridge, vlan, mac, port});
}

void naive_forget_macs(struct naive *n)
{
	vec_clear(&n->macs);
}

static void normal(struct ctx *c)
{
	const struct naive_port *in = find_port(c->naive, c->bridge, c->p.meta.in_port);
	const port_vec *ports = &c->naive->ports[c->bridge];
	unsigned int n_tags = naive_n_tags(&c->p);
	uint16_t vid = n_tags ? naive_tci(&c->p) & VLAN_VID_MASK : 0, vlan, inner_vid = 0;
	struct flow flow = naive_parse(&c->p);
	const struct mac_entry *e;

	if (!in)
		return;
	/* Two tags on access ports, and tags cut off or empty ones in front of others, have answers
	 * that are Open vSwitch's habit more than anybody's rule. */
	if (n_tags > 1 || eth_type_is_vlan(flow.dl_type)) {
		c->result->unsupported = true;
		return;
	}
	if (eth_addr_is_reserved(flow.dl_dst) || (in->access_vlan >= 0 && vid))
		return;
	vlan = in->access_vlan >= 0 ? (uint16_t)in->access_vlan : vid;
	naive_learn_mac(c->naive, c->bridge, vlan, flow.dl_src, in->ofp_port);

	e = eth_addr_is_multicast(flow.dl_dst) ? NULL
		: find_mac(c->naive, c->bridge, vlan, flow.dl_dst);
	if (e) {
		if (e->port != in->ofp_port)
			normal_output(c, find_port(c->naive, c->bridge, e->port), vlan, in);
		return;
	}
	for (size_t i = 0; i < ports->n; i++) {
		const struct naive_port *out = &ports->items[i];

		if (out != in && !(out->config & PL_PORT_NO_FLOOD) &&
			carries_vlan(out, vlan, inner_vid))
			normal_output(c, out, vlan, in);
	}
}

/* ------------------------------------------------------------------ tables */

static void lookup(struct ctx *c, ofp_port_t in_port, uint8_t table, uint8_t from_table)
{
	uint8_t old_table = c->table;
	bool deeper = table <= from_table;
	const struct rule *best = NULL;
	struct flow flow = naive_parse(&c->p);

	if (c->depth >= MAX_DEPTH || *c->n_lookups >= MAX_LOOKUPS) {
		*c->error = true;
		return;
	}
	if (c->nest >= MAX_DEPTH && c->nest != c->depth) {
		c->result->unsupported = true;
		return;
	}
	++*c->n_lookups;
	flow.in_port = in_port;
	if (flow.nw_frag)
		flow.tp_src = flow.tp_dst = 0;
	for (size_t i = 0; i < c->naive->rules.n; i++) {
		const struct rule *rule = &c->naive->rules.items[i];

		if (rule->bridge == c->bridge && rule->table == table &&
			flow_equal_masked(&flow, &rule->match.flow, &rule->match.mask) &&
			(!best || rule->priority > best->priority))
			best = rule;
	}
	if (!best)
		return;
	c->table = table;
	c->depth += deeper;
	c->nest += deeper;
	run_acts(c, best->acts.acts, best->acts.len);
	c->depth -= deeper;
	c->nest -= deeper;
	c->table = old_table;
}

/* Each bucket is an action set of its own, for a packet of its own. False: no such group, and the list
 * ends, as Open vSwitch's does. */
static bool run_group(struct ctx *c, uint32_t id)
{
	const struct group *group = find_group(c->naive, c->bridge, id);

	if (!group)
		return false;
	for (size_t i = 0; i < group->buckets.n; i++) {
		struct naive_packet saved = c->p;
		struct ctx *inner = xmemdup(c, sizeof *c);

		inner->nest++;
		inner->set_len = group->buckets.items[i].len;
		memcpy(inner->set, group->buckets.items[i].acts, inner->set_len);
		run_set(inner);
		free(inner);
		c->p = saved;
		if (!group->all)
			break;
	}
	return true;
}

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

static void run_set(struct ctx *c)
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
	run_acts(c, (const void *)b.buf.data, b.buf.len);
	act_builder_uninit(&b);
}

static void write_set(struct ctx *c, const struct act_nest *nest)
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

static void output(struct ctx *c, ofp_port_t port, uint32_t max_len)
{
	switch (port) {
	case OFPP_IN_PORT:
		output_to(c, find_port(c->naive, c->bridge, c->p.meta.in_port), max_len);
		break;
	case OFPP_NORMAL:
		normal(c);
		break;
	case OFPP_FLOOD:
		flood(c, false);
		break;
	case OFPP_ALL:
		flood(c, true);
		break;
	case OFPP_CONTROLLER:
		emit(c, 0, UINT32_MAX);
		break;
	default:
		if (port != c->p.meta.in_port)
			output_to(c, find_port(c->naive, c->bridge, port), max_len);
		break;
	}
}

/* False: the rest of the list is not done. */
static bool dec_ttl(struct ctx *c, const struct act_cnt_ids *a)
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
		emit(c, 0, UINT32_MAX);
	return false;
}

static void set_vlan(struct ctx *c, uint16_t value, uint16_t mask, bool push)
{
	if (!naive_n_tags(&c->p)) {
		if (!push)
			return;
		naive_push_vlan(&c->p, ETH_T_VLAN_8021Q);
	}
	naive_set_vlan(&c->p, value, mask);
}

/* FLOW has SF's field changed: to the metadata or into the packet. */
static void store(struct ctx *c, const struct field *field, const struct flow *flow)
{
	naive_write(&c->p, field->id, flow, &c->result->unsupported);
}

static void set_field(struct ctx *c, const struct act_set_field *a)
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

static void move(struct ctx *c, const struct act_reg_move *a)
{
	struct flow flow = naive_parse(&c->p);

	if (!field_prereqs_ok(a->src.field, &flow, NULL) ||
		!field_prereqs_ok(a->dst.field, &flow, NULL))
		return;
	subfield_move(&a->src, &a->dst, &flow);
	store(c, a->dst.field, &flow);
}

static void push(struct ctx *c, const struct subfield *sf)
{
	struct flow flow = naive_parse(&c->p);

	if (c->n_stack == ARRAY_SIZE(c->stack))
		c->result->unsupported = true;
	else
		subfield_read(sf, &flow, &c->stack[c->n_stack++]);
}

/* Both sides of a push and a pop have the same width here. */
static void pop(struct ctx *c, const struct subfield *sf)
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

static void run_clone(struct ctx *c, const struct act_nest *nest)
{
	struct ctx *inner = xmemdup(c, sizeof *c);

	run_acts(inner, nest->acts, act_nest_len(nest));
	run_set(inner);
	free(inner);
}

static void write_metadata(struct ctx *c, const struct act_write_metadata *a)
{
	c->p.meta.metadata = (c->p.meta.metadata & ~a->mask) | (a->metadata & a->mask);
}

/* As in Open vSwitch, only the REST of this very list sees the answer, in a packet of its own; what
 * called the list goes on without. */
static void check_larger(struct ctx *c, const struct act_check_pkt_larger *a, const struct act *rest,
	size_t rest_len)
{
	struct ctx *inner = xmemdup(c, sizeof *c);
	struct flow flow = naive_parse(&c->p);

	subfield_write_u64(&a->dst, MAX(c->p.len, c->p.is_runt ? 0 : 60u) > a->pkt_len, &flow);
	store(inner, a->dst.field, &flow);
	run_acts(inner, rest, rest_len);
	free(inner);
}

static void output_reg(struct ctx *c, const struct act_output_reg *a)
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

static void push_tag(struct ctx *c, be16 ethertype, const struct act *rest, size_t rest_len)
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

static void resubmit(struct ctx *c, const struct act_resubmit *a)
{
	ofp_port_t in_port = a->in_port == OFPP_IN_PORT ? c->p.meta.in_port : a->in_port;

	lookup(c, in_port, a->table_id == 0xff ? c->table : a->table_id, c->table);
}

static bool run_act(struct ctx *c, const struct act *a)
{
	const void *p = a;

	c->naive->tags_changed |= count_tags(&c->p) != c->tags_in;
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
		return run_group(c, ((const struct act_group *)p)->group_id);
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
		lookup(c, c->p.meta.in_port, ((const struct act_u8 *)p)->value, c->table);
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

static void run_acts(struct ctx *c, const struct act *acts, size_t len)
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

void naive_receive(struct naive *n, unsigned int bridge, ofp_port_t ofp_port, const void *frame,
	uint32_t len, struct naive_result *result)
{
	const struct naive_port *port = find_port(n, bridge, ofp_port);
	struct ctx *c = xcalloc(1, sizeof *c);
	int n_lookups = -1;
	bool error = false;

	n->unlabelled = n->tags_changed = false;
	/* The first lookup is no resubmit. */
	c->depth = c->nest = -1;
	result->n_frames = 0;
	result->unsupported = len > NAIVE_MAX_FRAME - 64;
	c->naive = n;
	c->result = result;
	c->bridge = bridge;
	c->n_lookups = &n_lookups;
	c->error = &error;
	c->p.meta.in_port = ofp_port;
	c->p.meta.actset_output = OFPP_UNSET;
	if (port && !(port->config & PL_PORT_NO_RECV) && !result->unsupported) {
		memcpy(c->p.data, frame, len);
		c->p.len = len;
		c->p.is_runt = len < 60;
		c->tags_in = count_tags(&c->p);
		lookup(c, ofp_port, 0, 255);
		run_set(c);
	}
	result->unsupported |= n_lookups >= MAX_LOOKUPS;
	/* An error, and nothing of it has happened; but what went out before a second parsing has. */
	if (error) {
		result->n_frames = 0;
		result->unsupported |= n->unlabelled;
	}
	free(c);
}
