/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/support/naive_switch.h"

#include <string.h>

#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "tests/support/naive_private.h"

#define MAX_DEPTH 64
#define MAX_LOOKUPS 4096

/* ------------------------------------------------------------------ what it is told */

struct naive *naive_create(unsigned int n_bridges)
{
	struct naive *n = xcalloc(1, sizeof *n);

	n->n_bridges = n_bridges;
	n->ports = xcalloc(n_bridges, sizeof *n->ports);
	return n;
}

static struct naive_acts copy_acts(const struct act *acts, size_t len)
{
	return (struct naive_acts){len ? xmemdup(acts, len) : NULL, len};
}

static void drop_buckets(struct naive_group *group)
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

struct naive_port *naive_find_port(const struct naive *n, unsigned int bridge, ofp_port_t port)
{
	struct naive_port *p;

	VEC_FOR_EACH (p, &n->ports[bridge])
		if (p->ofp_port == port)
			return p;
	return NULL;
}

void naive_set_port(struct naive *n, unsigned int bridge, const struct naive_port *port)
{
	struct naive_port *old = naive_find_port(n, bridge, port->ofp_port);

	if (old)
		*old = *port;
	else
		vec_push(&n->ports[bridge], *port);
}

void naive_add_rule(struct naive *n, unsigned int bridge, uint32_t id, uint8_t table, int priority,
	const struct match *match, const struct act *acts, size_t len)
{
	vec_push(&n->rules, (struct naive_rule){id, bridge, table, priority, *match, copy_acts(acts, len)});
}

static struct naive_rule *find_rule(struct naive *n, uint32_t id)
{
	for (size_t i = 0; i < n->rules.n; i++)
		if (n->rules.items[i].id == id)
			return &n->rules.items[i];
	fatal("no rule %u", id);
}

void naive_set_actions(struct naive *n, uint32_t id, const struct act *acts, size_t len)
{
	struct naive_rule *rule = find_rule(n, id);

	free(rule->acts.acts);
	rule->acts = copy_acts(acts, len);
}

void naive_remove_rule(struct naive *n, uint32_t id)
{
	struct naive_rule *rule = find_rule(n, id);

	free(rule->acts.acts);
	vec_remove_swap(&n->rules, (size_t)(rule - n->rules.items));
}

static struct naive_group *find_group(struct naive *n, unsigned int bridge, uint32_t id)
{
	for (size_t i = 0; i < n->groups.n; i++)
		if (n->groups.items[i].bridge == bridge && n->groups.items[i].id == id)
			return &n->groups.items[i];
	return NULL;
}

void naive_set_group(struct naive *n, unsigned int bridge, uint32_t id, bool all)
{
	struct naive_group *group = find_group(n, bridge, id);

	if (!group) {
		vec_push(&n->groups, (struct naive_group){.bridge = bridge, .id = id});
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

int naive_count_tags(const struct naive_packet *p)
{
	struct flow flow = naive_parse(p);

	return flow_n_vlans(&flow) + flow_n_mpls(&flow);
}

void naive_emit(struct naive_ctx *c, dp_port_t port, uint32_t max_len)
{
	struct naive_frame *frame;

	c->naive->tags_changed |= naive_count_tags(&c->p) != c->tags_in;
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
static void cross_patch(struct naive_ctx *c, const struct naive_port *port)
{
	bool error = false;
	const struct naive_port *peer = naive_find_port(c->naive, (unsigned int)port->peer_bridge,
		port->peer_port);
	struct naive_ctx *inner;

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
	naive_lookup(inner, peer->ofp_port, 0, 255);
	naive_run_set(inner);
	free(inner);
	c->result->unsupported |= error;
}

void naive_output_to(struct naive_ctx *c, const struct naive_port *port, uint32_t max_len)
{
	if (!port || (port->config & PL_PORT_NO_FWD))
		return;
	if (port->peer_bridge >= 0)
		cross_patch(c, port);
	else if (!(port->config & PL_PORT_DOWN))
		naive_emit(c, port->dp_port, max_len);
}

void naive_flood(struct naive_ctx *c, bool all)
{
	const port_vec *ports = &c->naive->ports[c->bridge];

	for (size_t i = 0; i < ports->n; i++) {
		const struct naive_port *port = &ports->items[i];

		if (port->ofp_port != c->p.meta.in_port && (all || !(port->config & PL_PORT_NO_FLOOD)))
			naive_output_to(c, port, UINT32_MAX);
	}
}

/* ------------------------------------------------------------------ NORMAL */

/* The packet as it leaves by PORT, being in VLAN; TAG_NEEDED: it had none of its own. */
static void normal_output(struct naive_ctx *c, const struct naive_port *port, uint16_t vlan,
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
	naive_output_to(c, port, UINT32_MAX);
	c->p = saved;
}

static bool carries_vlan(const struct naive_port *port, uint16_t vlan, uint16_t inner_vid)
{
	return port->access_vlan < 0 || (port->access_vlan == vlan && !inner_vid);
}

static struct naive_mac *find_mac(struct naive *n, unsigned int bridge, uint16_t vlan,
	struct eth_addr mac)
{
	for (size_t i = 0; i < n->macs.n; i++) {
		struct naive_mac *e = &n->macs.items[i];

		if (e->bridge == bridge && e->vlan == vlan && eth_addr_equal(e->mac, mac))
			return e;
	}
	return NULL;
}

void naive_learn_mac(struct naive *n, unsigned int bridge, uint16_t vlan, struct eth_addr mac,
	ofp_port_t port)
{
	struct naive_mac *e = find_mac(n, bridge, vlan, mac);

	if (eth_addr_is_multicast(mac))
		return;
	if (e)
		e->port = port;
	else
		vec_push(&n->macs, (struct naive_mac){bridge, vlan, mac, port});
}

void naive_forget_macs(struct naive *n)
{
	vec_clear(&n->macs);
}

void naive_normal(struct naive_ctx *c)
{
	const struct naive_port *in = naive_find_port(c->naive, c->bridge, c->p.meta.in_port);
	const port_vec *ports = &c->naive->ports[c->bridge];
	unsigned int n_tags = naive_n_tags(&c->p);
	uint16_t vid = n_tags ? naive_tci(&c->p) & VLAN_VID_MASK : 0, vlan, inner_vid = 0;
	struct flow flow = naive_parse(&c->p);
	const struct naive_mac *e;

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
			normal_output(c, naive_find_port(c->naive, c->bridge, e->port), vlan, in);
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

void naive_lookup(struct naive_ctx *c, ofp_port_t in_port, uint8_t table, uint8_t from_table)
{
	uint8_t old_table = c->table;
	bool deeper = table <= from_table;
	const struct naive_rule *best = NULL;
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
		const struct naive_rule *rule = &c->naive->rules.items[i];

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
	naive_run_acts(c, best->acts.acts, best->acts.len);
	c->depth -= deeper;
	c->nest -= deeper;
	c->table = old_table;
}

/* Each bucket is an action set of its own, for a packet of its own. False: no such group, and the list
 * ends, as Open vSwitch's does. */
bool naive_run_group(struct naive_ctx *c, uint32_t id)
{
	const struct naive_group *group = find_group(c->naive, c->bridge, id);

	if (!group)
		return false;
	for (size_t i = 0; i < group->buckets.n; i++) {
		struct naive_packet saved = c->p;
		struct naive_ctx *inner = xmemdup(c, sizeof *c);

		inner->nest++;
		inner->set_len = group->buckets.items[i].len;
		memcpy(inner->set, group->buckets.items[i].acts, inner->set_len);
		naive_run_set(inner);
		free(inner);
		c->p = saved;
		if (!group->all)
			break;
	}
	return true;
}

/* ------------------------------------------------------------------ packets */

void naive_receive(struct naive *n, unsigned int bridge, ofp_port_t ofp_port, const void *frame,
	uint32_t len, struct naive_result *result)
{
	const struct naive_port *port = naive_find_port(n, bridge, ofp_port);
	struct naive_ctx *c = xcalloc(1, sizeof *c);
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
		c->tags_in = naive_count_tags(&c->p);
		naive_lookup(c, ofp_port, 0, 255);
		naive_run_set(c);
	}
	result->unsupported |= n_lookups >= MAX_LOOKUPS;
	/* An error, and nothing of it has happened; but what went out before a second parsing has. */
	if (error) {
		result->n_frames = 0;
		result->unsupported |= n->unlabelled;
	}
	free(c);
}
