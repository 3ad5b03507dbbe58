/* SPDX-License-Identifier: Apache-2.0 */
/* Worlds: the environment that programs run in, and changes. */
#include "tests/unit/datapath/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ environment */

static bool sink_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	struct world *w = container_of(sink, struct world, sink);

	w->n_learned++;
	fdb_learn(bridge->fdb, mac, vlan, port, 1000);
	return true;
}

static void keep_frame(struct world *w, dp_port_t port, const struct packet *packet)
{
	struct naive_frame *frame;

	assert_true(packet->len <= NAIVE_MAX_FRAME);
	if (w->real.n_frames == NAIVE_MAX_FRAMES) {
		w->real.unsupported = true;
		return;
	}
	frame = &w->real.frames[w->real.n_frames++];
	frame->port = port;
	frame->len = packet->len;
	memcpy(frame->data, packet->data, packet->len);
}

static void env_output(struct exec_env *env, dp_port_t port, struct packet *packet)
{
	keep_frame(container_of(env, struct world, env), port, packet);
	env->ops->free(env->ops_aux, packet);
}

static void env_punt(struct exec_env *env, const struct op_punt *punt, struct packet *packet)
{
	keep_frame(container_of(env, struct world, env), 0, packet);
	env->ops->free(env->ops_aux, packet);
}

static void env_control(struct exec_env *env, const struct op *op, struct packet *packet)
{
	env->ops->free(env->ops_aux, packet);
}

static void env_recirculate(struct exec_env *env, dp_port_t in, struct packet *packet)
{
	env->ops->free(env->ops_aux, packet);
}

static void env_resume(struct exec_env *env, const struct op_resume *resume, struct packet *packet)
{
	struct world *w = container_of(env, struct world, env);
	struct xlate_out out;
	struct xlate_in in = {0};
	struct flow flow;

	/* Round and round: the datapath has limits. */
	if (w->depth >= 8 || w->n_resumes++ >= 64) {
		w->real.unsupported = true;
		env->ops->free(env->ops_aux, packet);
		return;
	}
	w->depth++;
	xlate_out_init(&out);
	flow_extract_limits(packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	packet->hash = 0;
	assert_true(xlate_in_resume(&in, &flow, resume));
	in.version = version_get();
	in.sink = &w->sink;
	in.packet_len = packet->len;
	translate(&in, &out);
	execute(env, program_ops(&out.program), program_len(&out.program), packet);
	xlate_out_uninit(&out);
	w->depth--;
}

static void env_dropped(struct exec_env *env, enum drop_reason reason, const struct packet *packet)
{
	assert_int_not_equal(reason, DROP_NONE);
}

static uint32_t env_random(struct exec_env *env)
{
	return 0;
}

/* ------------------------------------------------------------------ changes */

static struct pl_actions *real_actions(const struct act_builder *b)
{
	return pl_actions_create((const void *)b->buf.data, b->buf.len);
}

static void free_rule(void *r_)
{
	struct real_rule *r = r_;

	pl_rule_uninit(&r->rule);
	free(r);
}

/* Rules of one table that can match the same packet have different priorities: which one wins of equal
 * ones is open. */
static bool priority_is_free(const struct world *w, const struct match *match, unsigned int bridge,
	unsigned int table, int priority)
{
	return !classifier_find_overlap(w->bridges[bridge]->tables[table].cls, match, priority,
		version_get());
}

/* Of a table with many rules of one mask, whose changes can be told by key. */
static void one_mask_match(struct match *match)
{
	memset(match, 0, sizeof *match);
	memset(&match->mask.dl_dst, 0xff, 6);
	match->flow.dl_dst = oracle_mac();
	match->mask.nw_src = BE32_MAX;
	match->flow.nw_src = oracle_ip();
	if (oracle_chance(2)) {
		match->mask.nw_proto = 0xff;
		match->flow.nw_proto = oracle_chance(2) ? IP_P_TCP : IP_P_UDP;
	}
}

static void insert_rule(struct world *w, unsigned int bridge, unsigned int table,
	const struct match *match, int priority)
{
	struct real_rule *r;
	struct act_builder b;

	if (w->n_rules == MAX_RULES || !priority_is_free(w, match, bridge, table, priority))
		return;
	r = calloc(1, sizeof *r);
	r->bridge = bridge;
	r->rule.table_id = (uint8_t)table;
	r->priority = priority;
	r->match = *match;
	r->id = w->next_id++;
	act_builder_init(&b);
	oracle_put_acts(w, &b, table, 0);
	pl_rule_set_actions(w->bridges[bridge], &r->rule, real_actions(&b));
	pl_rule_insert(w->bridges[bridge], &r->rule, match, priority, version_next());
	version_publish();
	pl_rule_changed(w->bridges[bridge], &r->rule);
	naive_add_rule(w->naive, bridge, r->id, r->rule.table_id, priority, match,
		(const void *)b.buf.data, b.buf.len);
	w->rules[w->n_rules++] = r;
	act_builder_uninit(&b);
}

static void add_rule_at(struct world *w, unsigned int bridge, unsigned int table, bool catch_all)
{
	struct match match;
	int priority;

	if (catch_all) {
		memset(&match, 0, sizeof match);
		priority = 0;
	} else if (w->use_one_mask && table == 1 && !oracle_chance(5)) {
		one_mask_match(&match);
		priority = (int)(oracle_chance(10) ? 700 : 100) + (int)oracle_rnd(100);
	} else {
		oracle_match(&match);
		priority = (int)oracle_rnd(1000);
	}
	insert_rule(w, bridge, table, &match, priority);
}

static void add_rule(struct world *w)
{
	if (w->use_one_mask && !oracle_chance(3))
		add_rule_at(w, 0, 1, false);
	else
		add_rule_at(w, oracle_rnd(N_BRIDGES), oracle_chance(3) ? 0 : oracle_rnd(N_TABLES), oracle_chance(8));
}

static void remove_rule(struct world *w, unsigned int i)
{
	struct real_rule *r = w->rules[i];

	pl_rule_hide(w->bridges[r->bridge], &r->rule, version_next());
	version_publish();
	pl_rule_changed(w->bridges[r->bridge], &r->rule);
	pl_rule_remove(w->bridges[r->bridge], &r->rule);
	naive_remove_rule(w->naive, r->id);
	w->rules[i] = w->rules[--w->n_rules];
	rcu_defer(free_rule, r);
}

static void change_actions(struct world *w, unsigned int i)
{
	struct real_rule *r = w->rules[i];
	struct act_builder b;

	act_builder_init(&b);
	oracle_put_acts(w, &b, r->rule.table_id, 0);
	pl_rule_set_actions(w->bridges[r->bridge], &r->rule, real_actions(&b));
	naive_set_actions(w->naive, r->id, (const void *)b.buf.data, b.buf.len);
	act_builder_uninit(&b);
}

static void set_group(struct world *w, unsigned int bridge, uint32_t id)
{
	struct pl_group *group = calloc(1, sizeof *group);
	bool all = oracle_chance(2);

	group->id = id;
	group->type = all ? PL_GROUP_ALL : PL_GROUP_INDIRECT;
	group->n_buckets = all ? oracle_rnd(4) : 1;
	group->buckets = calloc(group->n_buckets ? group->n_buckets : 1, sizeof *group->buckets);
	naive_set_group(w->naive, bridge, id, all);
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		struct act_builder b;

		act_builder_init(&b);
		oracle_put_set_acts(w, &b, true);
		naive_add_bucket(w->naive, bridge, id, (const void *)b.buf.data, b.buf.len);
		group->buckets[i].id = i;
		group->buckets[i].weight = 1;
		group->buckets[i].watch_port = OFPP_NONE;
		group->buckets[i].watch_group = UINT32_MAX;
		group->buckets[i].acts_len = (uint32_t)b.buf.len;
		group->buckets[i].acts = xmemdup(b.buf.data, b.buf.len);
		act_builder_uninit(&b);
	}
	pl_group_set(w->bridges[bridge], group);
}

static void add_port(struct world *w, unsigned int bridge, struct pl_bridge_conf *conf,
	unsigned int i)
{
	struct naive_port *port = &w->ports[bridge][i];
	struct pl_port *real = &conf->ports[i];
	struct pl_bundle *bundle = &conf->bundles[i];

	*port = (struct naive_port){.dp_port = (bridge + 1) * 100 + i, .access_vlan = -1,
		.peer_bridge = -1};
	port->ofp_port = i < N_PORTS ? 1 + i : i == N_PORTS ? OFPP_LOCAL : PATCH_PORT;
	if (i == N_PORTS + 1) {
		port->peer_bridge = (int)(1 - bridge);
		port->peer_port = PATCH_PORT;
	} else if (oracle_chance(3)) {
		port->access_vlan = 10 * (1 + (int)oracle_rnd(2));
	}
	real->dp_port = port->dp_port;
	real->ofp_port = port->ofp_port;
	real->bundle = (uint16_t)i;
	real->kind = i == N_PORTS + 1 ? PL_PORT_PATCH : PL_PORT_DEVICE;
	real->peer = i == N_PORTS + 1 ? (2 - bridge) * 100 + i : 0;
	real->stp = PL_PORT_LEARNS | PL_PORT_FORWARDS;
	real->link_up = real->may_enable = true;
	snprintf(real->name, sizeof real->name, "p%u", port->dp_port);
	bundle->name = xstrdup(real->name);
	bundle->vlan_mode = port->access_vlan >= 0 ? PL_VLAN_ACCESS : PL_VLAN_TRUNK;
	bundle->vlan = (int16_t)port->access_vlan;
	naive_set_port(w->naive, bridge, port);
}

static void change_port(struct world *w)
{
	static const uint32_t bits[] = {PL_PORT_DOWN, PL_PORT_NO_FLOOD, PL_PORT_NO_FWD,
		PL_PORT_NO_RECV};
	unsigned int bridge = oracle_rnd(N_BRIDGES), i = oracle_rnd(N_PORTS + 2);
	struct pl_bridge_conf *conf = pl_bridge_conf_clone(pl_bridge_conf(w->bridges[bridge]));
	struct naive_port *port = &w->ports[bridge][i];

	port->config = oracle_chance(2) ? 0 : bits[oracle_rnd(4)];
	conf->ports[i].config = port->config;
	naive_set_port(w->naive, bridge, port);
	pl_bridge_set_conf(w->bridges[bridge], conf);
}

/* Something about a rule that the last packet met: whoever kept that packet's path must notice. */
void oracle_change_what_matters(struct world *w)
{
	unsigned int i = w->n_rules, used = w->n_rules;

	while (i-- > 0)
		for (unsigned int j = 0; j < w->out.n_counters; j++)
			if (w->out.counters[j].id == w->rules[i]->rule.counter &&
				(used == w->n_rules || oracle_chance(2)))
				used = i;
	if (used == w->n_rules)
		return;
	switch (oracle_rnd(4)) {
	case 0:
		remove_rule(w, used);
		break;
	case 1:
		insert_rule(w, w->rules[used]->bridge, w->rules[used]->rule.table_id,
			&w->rules[used]->match, w->rules[used]->priority + 1 + (int)oracle_rnd(50));
		break;
	default:
		change_actions(w, used);
		break;
	}
}

void oracle_change_something(struct world *w)
{
	switch (oracle_rnd(10)) {
	case 0 ... 3:
		add_rule(w);
		break;
	case 4:
	case 5:
		if (w->n_rules > 10)
			remove_rule(w, oracle_rnd(w->n_rules));
		break;
	case 6:
	case 7:
		if (w->n_rules)
			change_actions(w, oracle_rnd(w->n_rules));
		break;
	case 8:
		set_group(w, oracle_rnd(N_BRIDGES), 1 + oracle_rnd(N_GROUPS));
		break;
	case 9:
		change_port(w);
		break;
	}
	rcu_reclaim();
}

struct world *oracle_world_create(uint64_t seed)
{
	struct world *w = calloc(1, sizeof *w);

	oracle_seed(seed);
	w->seed = seed;
	w->naive = naive_create(N_BRIDGES);
	xlate_out_init(&w->out);
	w->sink.fdb_learn = sink_learn;
	w->env = (struct exec_env){.ops = &packet_heap_ops, .output = env_output, .punt = env_punt,
		.to_control = env_control, .recirculate = env_recirculate, .resume = env_resume,
		.dropped = env_dropped, .random = env_random};
	w->use_sets = oracle_chance(2);
	w->use_check = !w->use_sets && oracle_chance(2);
	w->use_mpls = oracle_chance(3);
	w->use_loops = oracle_chance(4);
	w->use_normal = !oracle_chance(3);
	w->use_one_mask = oracle_chance(2);
	for (unsigned int i = 0; i < N_BRIDGES; i++) {
		struct pl_bridge_conf *conf = pl_bridge_conf_create();

		w->bridges[i] = pl_bridge_create(i ? "br1" : "br0");
		conf->n_ports = conf->n_bundles = N_PORTS + 2;
		conf->ports = calloc(conf->n_ports, sizeof *conf->ports);
		conf->bundles = calloc(conf->n_bundles, sizeof *conf->bundles);
		for (unsigned int j = 0; j < conf->n_ports; j++)
			add_port(w, i, conf, j);
		pl_bridge_set_conf(w->bridges[i], conf);
		for (uint32_t id = 1; id < N_GROUPS; id++)
			set_group(w, i, id);
	}
	for (unsigned int i = 0; i < N_BRIDGES * N_TABLES; i++)
		if (!oracle_chance(4))
			add_rule_at(w, i / N_TABLES, i % N_TABLES, true);
	for (int i = 0; i < (w->use_one_mask ? 70 : 24); i++)
		add_rule(w);
	return w;
}

void oracle_world_destroy(struct world *w)
{
	while (w->n_rules)
		remove_rule(w, 0);
	for (unsigned int i = 0; i < N_BRIDGES; i++) {
		for (uint32_t id = 1; id <= N_GROUPS; id++)
			pl_group_remove(w->bridges[i], id);
		pl_bridge_destroy(w->bridges[i]);
	}
	for (unsigned int i = 0; i < N_CACHED; i++)
		free(w->cached[i].ops);
	rcu_synchronize();
	xlate_out_uninit(&w->out);
	naive_destroy(w->naive);
	free(w);
}
