/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/datapath/xlate_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "lib/fatal.h"
#include "lib/field.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"

/* ---------------------------------------------------------------- the sink */

static struct fx *fx_of(struct xlate_sink *sink)
{
	return container_of(sink, struct fx, sink);
}

static bool fx_fdb_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	struct fx *fx = fx_of(sink);

	if (fx->n_learned < ARRAY_SIZE(fx->learned))
		fx->learned[fx->n_learned++] = (struct fx_sink_note){bridge, mac, vlan, port};
	return true;
}

static enum xlate_learn_result fx_learn(struct xlate_sink *sink, const struct xlate_learned *learned,
	bool *written)
{
	struct fx *fx = fx_of(sink);

	fx->n_rules_learned++;
	fx->learned_match = learned->match;
	fx->learned_acts_len = learned->acts_len;
	memcpy(fx->learned_acts, learned->acts, learned->acts_len);
	*written = fx->learn_written;
	return fx->learn_answer;
}

static void fx_neigh_needed(struct xlate_sink *sink, struct pl_bridge *underlay,
	const struct ipv6_addr *next_hop)
{
	fx_of(sink)->n_neigh_needed++;
}

static void fx_fin(struct xlate_sink *sink, const struct pl_rule *rule,
	const struct act_fin_timeout *fin)
{
	fx_of(sink)->n_fin++;
}

/* ---------------------------------------------------------------- the executor's environment */

static void fx_env_output(struct exec_env *env, dp_port_t port, struct packet *packet)
{
	struct fx *fx = container_of(env, struct fx, env);
	struct fx_frame *frame;

	assert_true(fx->n_frames < FX_MAX_FRAMES);
	frame = &fx->frames[fx->n_frames++];
	assert_true(packet->len <= sizeof frame->data);
	frame->port = port;
	frame->len = packet->len;
	memcpy(frame->data, packet->data, packet->len);
	env->ops->free(env->ops_aux, packet);
}

static void fx_env_punt(struct exec_env *env, const struct op_punt *punt, struct packet *packet)
{
	struct fx *fx = container_of(env, struct fx, env);

	assert_true(fx->n_punts < ARRAY_SIZE(fx->punts));
	fx->punt_len[fx->n_punts] = packet->len;
	fx->punts[fx->n_punts++] = *punt;
	env->ops->free(env->ops_aux, packet);
}

static void fx_env_to_control(struct exec_env *env, const struct op *op, struct packet *packet)
{
	struct fx *fx = container_of(env, struct fx, env);

	fx->control_ops[fx->n_control++] = op->type;
	env->ops->free(env->ops_aux, packet);
}

static void fx_env_recirculate(struct exec_env *env, dp_port_t in, struct packet *packet)
{
	container_of(env, struct fx, env)->n_recirculated++;
	env->ops->free(env->ops_aux, packet);
}

static void fx_run(struct fx *fx, struct xlate_in *in, struct packet *packet, bool from_packet);

static void fx_env_resume(struct exec_env *env, const struct op_resume *resume, struct packet *packet)
{
	struct fx *fx = container_of(env, struct fx, env);
	struct xlate_out outer = fx->out;
	struct xlate_in in = {0};
	struct flow flow;

	/* The program that runs stays; a fresh output beside it. */
	xlate_out_init(&fx->out);
	packet->hash = 0;
	flow_extract_limits(packet, &(struct flow_limits){2}, &flow);
	assert_true(xlate_in_resume(&in, &flow, resume));
	fx_run(fx, &in, packet, false);
	xlate_out_uninit(&fx->out);
	fx->out = outer;
}

static void fx_env_dropped(struct exec_env *env, enum drop_reason reason, const struct packet *packet)
{
	container_of(env, struct fx, env)->dropped = reason;
}

static uint32_t fx_env_random(struct exec_env *env)
{
	return 0;
}

/* ---------------------------------------------------------------- bridges */

struct fx *fx_create(void)
{
	struct fx *fx = xcalloc(1, sizeof *fx);

	xlate_out_init(&fx->out);
	fx->sink = (struct xlate_sink){
		.fdb_learn = fx_fdb_learn,
		.learn = fx_learn,
		.neigh_needed = fx_neigh_needed,
		.fin_timeout = fx_fin,
	};
	fx->env = (struct exec_env){
		.ops = &packet_heap_ops,
		.output = fx_env_output,
		.punt = fx_env_punt,
		.to_control = fx_env_to_control,
		.recirculate = fx_env_recirculate,
		.resume = fx_env_resume,
		.dropped = fx_env_dropped,
		.random = fx_env_random,
	};
	fx->check_wildcards = true;
	fx->learn_written = true;
	return fx;
}

void fx_destroy(struct fx *fx)
{
	for (unsigned int i = 0; i < fx->n_rules; i++) {
		pl_rule_remove(fx->rule_bridges[i], fx->rules[i]);
		pl_rule_uninit(fx->rules[i]);
		free(fx->rules[i]);
	}
	for (unsigned int i = 0; i < fx->n_bridges; i++) {
		for (uint32_t id = 0; id < 10; id++)
			if (pl_group_lookup(fx->bridges[i], id))
				pl_group_remove(fx->bridges[i], id);
		pl_bridge_destroy(fx->bridges[i]);
	}
	rcu_synchronize();
	xlate_out_uninit(&fx->out);
	free(fx);
}

dp_port_t fx_dp(const struct pl_bridge *bridge, ofp_port_t port)
{
	return (bridge->id + 1) * 100 + (port == OFPP_LOCAL ? 99 : port);
}

struct pl_bridge_conf *fx_conf(struct pl_bridge *bridge)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(bridge);

	return conf ? pl_bridge_conf_clone(conf) : pl_bridge_conf_create();
}

struct pl_port *fx_add_port(struct pl_bridge *bridge, struct pl_bridge_conf *conf, ofp_port_t ofp_port,
	enum pl_port_kind kind, const char *name)
{
	struct pl_bundle *bundle;
	struct pl_port *port;

	conf->ports = xrealloc(conf->ports, (conf->n_ports + 1) * sizeof *conf->ports);
	conf->bundles = xrealloc(conf->bundles, (conf->n_bundles + 1) * sizeof *conf->bundles);
	port = &conf->ports[conf->n_ports++];
	bundle = &conf->bundles[conf->n_bundles++];
	*bundle = (struct pl_bundle){
		.name = xstrdup(name),
		.vlan_mode = PL_VLAN_TRUNK,
		.vlan = -1,
	};
	*port = (struct pl_port){
		.dp_port = fx_dp(bridge, ofp_port),
		.ofp_port = ofp_port,
		.bundle = (uint16_t)(conf->n_bundles - 1),
		.kind = kind,
		.stp = PL_PORT_LEARNS | PL_PORT_FORWARDS,
		.link_up = true,
		.may_enable = true,
	};
	strncpy(port->name, name, sizeof port->name - 1);
	return port;
}

struct pl_bridge *fx_bridge(struct fx *fx, const char *name, unsigned int n_ports)
{
	struct pl_bridge *bridge = pl_bridge_create(name);
	struct pl_bridge_conf *conf = pl_bridge_conf_create();

	assert_non_null(bridge);
	for (unsigned int i = 1; i <= n_ports; i++) {
		char port_name[16];

		snprintf(port_name, sizeof port_name, "%.10s-p%u", name, i % 1000);
		fx_add_port(bridge, conf, i, PL_PORT_DEVICE, port_name);
	}
	pl_bridge_set_conf(bridge, conf);
	fx->bridges[fx->n_bridges++] = bridge;
	return bridge;
}

void fx_patch(struct pl_bridge *a, ofp_port_t port_a, struct pl_bridge *b, ofp_port_t port_b)
{
	struct pl_bridge_conf *conf = fx_conf(a);
	struct pl_port *port = fx_add_port(a, conf, port_a, PL_PORT_PATCH, "patch-a");

	port->peer = fx_dp(b, port_b);
	port->rx_counter = counter_alloc();
	port->tx_counter = counter_alloc();
	pl_bridge_set_conf(a, conf);
	conf = fx_conf(b);
	port = fx_add_port(b, conf, port_b, PL_PORT_PATCH, "patch-b");
	port->peer = fx_dp(a, port_a);
	port->rx_counter = counter_alloc();
	port->tx_counter = counter_alloc();
	pl_bridge_set_conf(b, conf);
}

/* ---------------------------------------------------------------- rules */

static void fx_match(const char *text, struct match *match)
{
	char copy[512], *part, *save = NULL;

	memset(match, 0, sizeof *match);
	snprintf(copy, sizeof copy, "%s", text);
	for (part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		union field_value value, mask;
		char *eq = strchr(part, '='), *error = NULL;
		const struct field *f;

		assert_non_null(eq);
		*eq = '\0';
		f = field_from_name(part);
		if (!f)
			fail_msg("no field %s", part);
		if (field_parse(f, eq + 1, &value, &mask, NULL, &error))
			fail_msg("%s", error);
		field_set_match(f, &value, &mask, match);
	}
}

struct pl_rule *fx_rule(struct fx *fx, struct pl_bridge *bridge, uint8_t table, int priority,
	const char *text, struct act_builder *b)
{
	struct pl_rule *rule = xcalloc(1, sizeof *rule);
	struct match match;

	fx_match(text, &match);
	rule->table_id = table;
	rule->is_table_miss = !priority && !text[0];
	rule->cookie = htobe64(0x100 + fx->n_rules);
	pl_rule_set_actions(bridge, rule,
		pl_actions_create((const struct act *)(const void *)b->buf.data, b->buf.len));
	pl_rule_insert(bridge, rule, &match, priority, version_next());
	version_publish();
	pl_rule_changed(bridge, rule);
	assert_true(fx->n_rules < ARRAY_SIZE(fx->rules));
	fx->rule_bridges[fx->n_rules] = bridge;
	fx->rules[fx->n_rules++] = rule;
	return rule;
}

struct act_builder *fx_acts(void)
{
	static struct act_builder builders[4];
	static unsigned int next;
	struct act_builder *b = &builders[next++ % 4];

	if (b->buf.data)
		act_builder_uninit(b);
	act_builder_init(b);
	return b;
}

void fx_output(struct act_builder *b, ofp_port_t port)
{
	struct act_output *act = act_put(b, ACT_OUTPUT, sizeof *act);

	act->port = port;
	act->max_len = UINT16_MAX;
}

void fx_goto(struct act_builder *b, uint8_t table)
{
	struct act_u8 *act = act_put(b, ACT_GOTO_TABLE, sizeof *act);

	act->value = table;
}

void fx_resubmit(struct act_builder *b, uint8_t table)
{
	struct act_resubmit *act = act_put(b, ACT_RESUBMIT, sizeof *act);

	act->in_port = OFPP_IN_PORT;
	act->table_id = table;
}

void fx_set(struct act_builder *b, const char *name, const char *text)
{
	const struct field *f = field_from_name(name);
	union field_value value, mask;
	char *error = NULL;

	assert_non_null(f);
	if (field_parse(f, text, &value, &mask, NULL, &error))
		fail_msg("%s", error);
	act_put_set_field(b, f, &value, &mask);
}

struct subfield fx_subfield(const char *text)
{
	struct subfield sf;
	char *error = NULL;

	if (subfield_parse(&text, &sf, &error))
		fail_msg("%s", error);
	return sf;
}

void fx_load(struct act_builder *b, const char *text, uint64_t v)
{
	struct subfield sf = fx_subfield(text);
	union field_value value, mask, ones;
	be64 be = htobe64(v);

	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	memset(&ones, 0xff, sizeof ones);
	field_bitwise_copy(&be, 8, 0, &value, sf.field->n_bytes, sf.ofs, sf.n_bits);
	field_bitwise_copy(&ones, sizeof ones, 0, &mask, sf.field->n_bytes, sf.ofs, sf.n_bits);
	act_put_set_field(b, sf.field, &value, &mask)->act.raw = ACT_RAW_NX_REG_LOAD;
}

void fx_move(struct act_builder *b, const char *src, const char *dst)
{
	struct act_reg_move *act = act_put(b, ACT_REG_MOVE, sizeof *act);

	act->src = fx_subfield(src);
	act->dst = fx_subfield(dst);
}

void fx_plain(struct act_builder *b, enum act_type type)
{
	act_put(b, type, sizeof(struct act));
}

struct pl_group *fx_group(uint32_t id, enum pl_group_type type, unsigned int n_buckets)
{
	struct pl_group *group = xcalloc(1, sizeof *group);

	group->id = id;
	group->type = type;
	group->n_buckets = n_buckets;
	group->buckets = xcalloc(n_buckets ? n_buckets : 1, sizeof *group->buckets);
	for (unsigned int i = 0; i < n_buckets; i++) {
		group->buckets[i].id = i;
		group->buckets[i].weight = 1;
		group->buckets[i].watch_port = OFPP_NONE;
		group->buckets[i].watch_group = UINT32_MAX;
	}
	return group;
}

void fx_bucket(struct pl_group *group, unsigned int i, struct act_builder *b)
{
	free(group->buckets[i].acts);
	group->buckets[i].acts = xmemdup(b->buf.data, b->buf.len);
	group->buckets[i].acts_len = b->buf.len;
}

/* ---------------------------------------------------------------- sending */

/* Where a flow bit may be flipped: in what a packet tells. The rest is zero on reception. */
static void fx_flippable(const struct flow *flow, struct flow *bits)
{
	memset(bits, 0, sizeof *bits);
	memset(&bits->dl_dst, 0xff, 6);
	memset(&bits->dl_src, 0xff, 6);
	bits->dl_type = BE16_MAX;
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		bits->vlans[i].tci = BE16_MAX;
		/* This bit stands for the other TPID. */
		if (flow->vlans[i].tci)
			bits->vlans[i].tpid = htobe16(0x0800);
	}
	memset(bits->mpls_lse, 0xff, sizeof bits->mpls_lse);
	bits->nw_src = bits->nw_dst = BE32_MAX;
	memset(&bits->ipv6_src, 0xff, 16);
	memset(&bits->ipv6_dst, 0xff, 16);
	bits->ipv6_label = htobe32(0xfffff);
	bits->nw_frag = 3;
	bits->nw_tos = bits->nw_ttl = bits->nw_proto = 0xff;
	memset(&bits->nd_target, 0xff, 16);
	memset(&bits->arp_sha, 0xff, 6);
	memset(&bits->arp_tha, 0xff, 6);
	bits->nd_reserved = BE32_MAX;
	bits->tcp_flags = htobe16(0xfff);
	bits->tp_src = bits->tp_dst = BE16_MAX;
	bits->igmp_group_ip4 = BE32_MAX;
}

static bool fx_quiet_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	return true;
}

static bool fx_is_valid(const struct flow *flow)
{
	/* A second tag needs a first, a tag a type. */
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		bool present = flow->vlans[i].tci & htobe16(VLAN_PRESENT);

		if (present != (flow->vlans[i].tpid != 0) ||
			(!present && flow->vlans[i].tci) ||
			(i && present && !(flow->vlans[i - 1].tci & htobe16(VLAN_PRESENT))))
			return false;
	}
	return true;
}

static void fx_check_wildcards(struct fx *fx, const struct xlate_in *in)
{
	struct xlate_sink quiet = {.fdb_learn = fx_quiet_learn};
	struct xlate_in other_in = *in;
	struct xlate_out other;
	struct flow bits, flow, mask;
	uint64_t *w = flow_words(&bits);

	if (in->resume || !fx->out.cacheable)
		return;
	xlate_out_init(&other);
	other_in.sink = &quiet;
	fx_flippable(in->flow, &bits);
	xlate_mask(&fx->out.wc, fx->out.depth, &mask);
	for (unsigned int i = 0; i < FLOW_WORDS; i++) {
		uint64_t free_bits = w[i] & ~flow_words(&mask)[i];

		for (; free_bits; free_bits &= free_bits - 1) {
			uint64_t bit = free_bits & -free_bits;
			size_t len = fx->out.program.buf.len;

			flow = *in->flow;
			flow_words(&flow)[i] ^= bit;
			for (int v = 0; v < FLOW_MAX_VLANS; v++) {
				if (flow.vlans[v].tpid == htobe16(0x8900))
					flow.vlans[v].tpid = htobe16(0x88a8);
				else if (flow.vlans[v].tpid == htobe16(0x80a8))
					flow.vlans[v].tpid = htobe16(0x8100);
				if ((flow.vlans[v].tci & htobe16(VLAN_PRESENT)) &&
					!flow.vlans[v].tpid)
					flow.vlans[v].tpid = htobe16(0x8100);
			}
			if (!fx_is_valid(&flow))
				continue;
			other_in.flow = &flow;
			translate(&other_in, &other);
			if (other.program.buf.len != len ||
				memcmp(other.program.buf.data, fx->out.program.buf.data, len) ||
				other.n_counters != fx->out.n_counters)
				fail_msg("flow word %u (byte %u) bit %#llx was not looked at but matters",
					i, i * 8, (unsigned long long)bit);
		}
	}
	xlate_out_uninit(&other);
}

static void fx_run(struct fx *fx, struct xlate_in *in, struct packet *packet, bool from_packet)
{
	struct program_builder *program = &fx->out.program;

	in->sink = &fx->sink;
	in->version = version_get();
	in->packet_len = packet->len;
	translate(in, &fx->out);
	if (from_packet && fx->check_wildcards)
		fx_check_wildcards(fx, in);
	execute(&fx->env, program_ops(program), program_len(program), packet);
}

void fx_send(struct fx *fx, struct pl_bridge *bridge, ofp_port_t port, const void *frame, size_t len)
{
	struct packet *packet = packet_heap_create(frame, (uint32_t)len);
	struct xlate_in in = {.bridge = bridge};
	struct flow flow;

	fx->n_frames = fx->n_punts = fx->n_control = fx->n_learned = fx->n_rules_learned = 0;
	fx->n_fin = fx->n_recirculated = fx->n_neigh_needed = 0;
	fx->dropped = DROP_NONE;
	flow_extract_limits(packet, &(struct flow_limits){2}, &flow);
	flow.in_port = port;
	flow.tunnel = fx->tunnel;
	in.flow = &flow;
	in.in_port = pl_port_from_ofp(pl_bridge_conf(bridge), port);
	fx_run(fx, &in, packet, true);
}

const struct fx_frame *fx_get(const struct fx *fx, const struct pl_bridge *bridge, ofp_port_t port,
	unsigned int n)
{
	for (unsigned int i = 0; i < fx->n_frames; i++)
		if (fx->frames[i].port == fx_dp(bridge, port) && !n--)
			return &fx->frames[i];
	fail_msg("no such frame at port %u", port);
	return NULL;
}

unsigned int fx_count(const struct fx *fx, const struct pl_bridge *bridge, ofp_port_t port)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < fx->n_frames; i++)
		n += fx->frames[i].port == fx_dp(bridge, port);
	return n;
}

unsigned int fx_counted(const struct fx *fx, uint32_t id)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < fx->out.n_counters; i++)
		if (fx->out.counters[i].id == id)
			n += fx->out.counters[i].n;
	return n;
}
