/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whole pipelines against the naive switch: random bridges, rules and packets; translated and executed
 * anew for each packet, and from whatever earlier translation claims to hold for it still. Rules,
 * groups and ports change all the while.
 *
 * SLUICE_SEED=N runs one world with that seed, SLUICE_PACKETS=N another number of packets.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/execute.h"
#include "datapath/pipeline/fdb.h"
#include "datapath/pipeline/translate.h"
#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "tests/support/naive_switch.h"

#define N_PACKETS 100000
#define PACKETS_A_WORLD 400
#define N_BRIDGES 2
#define N_PORTS 4		/* Device ports of each, 1 to N_PORTS, and LOCAL. */
#define PATCH_PORT 9
#define N_TABLES 4
#define N_GROUPS 3
#define MAX_RULES 120
#define N_CACHED 128
#define N_FRAMES 24

/* ------------------------------------------------------------------ chance */

static uint64_t rng_state;

static uint32_t rnd(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng_state >> 33) % n;
}

static bool chance(uint32_t one_in)
{
	return !rnd(one_in);
}

static struct eth_addr random_mac(void)
{
	static const struct eth_addr special[] = {
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x09}},
		{{0x01, 0x80, 0xc2, 0x00, 0x00, 0x05}},
	};

	if (chance(8))
		return special[rnd(3)];
	return (struct eth_addr){{2, 0, 0, 0, 0, (uint8_t)(1 + rnd(6))}};
}

static be32 random_ip(void)
{
	static const uint32_t ips[] = {0x0a000001, 0x0a000002, 0x0a000101, 0xc0a80001};

	return htobe32(ips[rnd(4)]);
}

static struct ipv6_addr random_ipv6(void)
{
	return (struct ipv6_addr){.b = {0xfd, [7] = (uint8_t)rnd(2), [15] = (uint8_t)rnd(3)}};
}

static uint16_t random_port(void)
{
	static const uint16_t ports[] = {53, 80, 81, 40000};

	return ports[rnd(4)];
}

static uint16_t random_vid(void)
{
	return (uint16_t)(rnd(3) * 10);
}

static const uint8_t tos_values[] = {0, 0x28, 0xb8, 0x29};

/* ------------------------------------------------------------------ the world */

struct real_rule {
	struct pl_rule rule;
	uint32_t id;
	unsigned int bridge;
	struct match match;
	int priority;
};

/* A translation kept, as a PMD would. */
struct cached {
	bool used;
	unsigned int bridge;
	struct flow flow, wc;
	uint32_t seq;
	uint16_t n_deps;
	uint16_t deps[XLATE_MAX_DEPS];
	uint32_t len;
	struct op *ops;
};

struct frame {
	uint8_t data[256];
	uint32_t len;
};

struct world {
	uint64_t seed;
	struct frame frames[N_FRAMES];	/* Many packets are one of these, or nearly. */
	struct naive *naive;
	struct pl_bridge *bridges[N_BRIDGES];
	struct naive_port ports[N_BRIDGES][N_PORTS + 2];
	struct real_rule *rules[MAX_RULES];
	unsigned int n_rules;
	uint32_t next_id;
	struct cached cached[N_CACHED];
	struct xlate_sink sink;
	struct exec_env env;
	struct xlate_out out;
	struct naive_result real, naive_result;
	unsigned int n_learned;
	unsigned int depth, n_resumes;
	/* What its rules are made of. */
	bool use_sets, use_check, use_mpls, use_loops, use_normal, use_one_mask;
};

static struct {
	unsigned int packets, compared, from_cache, empty, frames, plain;
} totals;

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

/* ------------------------------------------------------------------ matches and actions */

static void random_match(struct match *match)
{
	struct flow *f = &match->flow, *m = &match->mask;

	memset(match, 0, sizeof *match);
	for (uint32_t n = rnd(4); n > 0; n--)
		switch (rnd(18)) {
		case 0:
			m->in_port = UINT32_MAX;
			f->in_port = 1 + rnd(N_PORTS);
			break;
		case 1:
			memset(&m->dl_src, 0xff, 6);
			f->dl_src = random_mac();
			break;
		case 2:
			memset(&m->dl_dst, 0xff, 6);
			f->dl_dst = random_mac();
			break;
		case 3:
			memset(&m->dl_dst, 0, 6);
			m->dl_dst.b[0] = 1;
			f->dl_dst = random_mac();
			break;
		case 4:
		case 5:
			m->dl_type = BE16_MAX;
			f->dl_type = htobe16(chance(4) ? ETH_T_ARP : chance(3) ? ETH_T_IPV6 : ETH_T_IP);
			break;
		case 6:
			m->vlans[0].tci = htobe16(VLAN_PRESENT | (chance(2) ? VLAN_VID_MASK : 0));
			f->vlans[0].tci = htobe16((uint16_t)((chance(4) ? 0 : VLAN_PRESENT) |
				random_vid()));
			break;
		case 7:
			m->nw_src = htobe32(chance(2) ? UINT32_MAX : 0xffff0000);
			f->nw_src = random_ip();
			break;
		case 8:
			m->nw_dst = htobe32(chance(2) ? UINT32_MAX : 0xffffff00);
			f->nw_dst = random_ip();
			break;
		case 9:
			m->nw_proto = 0xff;
			f->nw_proto = chance(2) ? IP_P_TCP : chance(2) ? IP_P_UDP : IP_P_ICMP;
			break;
		case 10:
			m->tp_dst = htobe16(chance(2) ? 0xffff : 0xfffe);
			f->tp_dst = htobe16(random_port());
			break;
		case 11:
			m->tp_src = BE16_MAX;
			f->tp_src = htobe16(random_port());
			break;
		case 12:
			m->regs[rnd(2)] = 0x3;
			f->regs[0] = rnd(4);
			f->regs[1] = rnd(4);
			break;
		case 13:
			m->metadata = htobe64(0x3);
			f->metadata = htobe64(rnd(4));
			break;
		case 14:
			memset(&m->ipv6_dst, 0xff, chance(2) ? 16 : 8);
			f->ipv6_dst = random_ipv6();
			break;
		case 15:
			m->nw_tos = chance(2) ? 0xfc : 0x03;
			f->nw_tos = tos_values[rnd(4)];
			break;
		case 16:
			m->nw_ttl = 0xff;
			f->nw_ttl = chance(2) ? 1 : 64;
			break;
		case 17:
			m->nw_frag = 0x3;
			f->nw_frag = (uint8_t)(chance(2) ? 0 : chance(2) ? 1 : 3);
			break;
		}
	flow_mask_apply(f, m);
}

static void put_output(struct act_builder *b, ofp_port_t port, uint32_t trunc)
{
	struct act_output *a = act_put(b, ACT_OUTPUT, sizeof *a);

	a->port = port;
	a->max_len = UINT16_MAX;
	a->trunc = trunc;
}

static ofp_port_t random_output(const struct world *w)
{
	switch (rnd(12)) {
	case 0:
		return OFPP_IN_PORT;
	case 1:
		return OFPP_CONTROLLER;
	case 2:
		return PATCH_PORT;
	case 3:
		return w->use_normal ? OFPP_NORMAL : OFPP_LOCAL;
	case 4:
		return chance(2) ? OFPP_FLOOD : OFPP_ALL;
	case 5:
		return 77;	/* There is none. */
	default:
		return 1 + rnd(N_PORTS);
	}
}

static void put_set(struct act_builder *b, enum field_id id, const union field_value *value,
	bool partial)
{
	const struct field *field = field_from_id(id);
	union field_value mask;

	field_all_ones(field, &mask);
	if (partial && field->maskable)
		mask.b[field->n_bytes - 1] &= 0x0f;
	act_put_set_field(b, field, value, &mask);
}

static enum field_id random_field(union field_value *v)
{
	static const enum field_id port_fields[] = {FIELD_TCP_SRC, FIELD_TCP_DST, FIELD_UDP_SRC,
		FIELD_UDP_DST, FIELD_SCTP_SRC, FIELD_SCTP_DST};

	memset(v, 0, sizeof *v);
	switch (rnd(19)) {
	case 0:
		v->mac = random_mac();
		return FIELD_ETH_SRC;
	case 1:
		v->mac = random_mac();
		return FIELD_ETH_DST;
	case 2:
		v->u32 = random_ip();
		return FIELD_IPV4_SRC;
	case 3:
		v->u32 = random_ip();
		return FIELD_IPV4_DST;
	case 4:
		v->ipv6 = random_ipv6();
		return chance(2) ? FIELD_IPV6_SRC : FIELD_IPV6_DST;
	case 5:
	case 6:
		v->u16 = htobe16(random_port());
		return port_fields[rnd(6)];
	case 7:
		v->u8 = tos_values[rnd(3)];
		return FIELD_IP_DSCP;
	case 8:
		v->u8 = (uint8_t)rnd(4);
		return FIELD_IP_ECN;
	case 9:
		v->u8 = (uint8_t)(1 + rnd(3));
		return FIELD_IP_TTL;
	case 10:
		v->u32 = htobe32(rnd(4) * 0x12345);
		return FIELD_IPV6_LABEL;
	case 11:
		v->u32 = random_ip();
		return chance(2) ? FIELD_ARP_SPA : FIELD_ARP_TPA;
	case 12:
		v->mac = random_mac();
		return chance(2) ? FIELD_ARP_SHA : FIELD_ARP_THA;
	case 13:
		v->u16 = htobe16((uint16_t)(1 + rnd(2)));
		return FIELD_ARP_OP;
	case 14:
		v->u16 = htobe16(random_vid() | VLAN_PRESENT);
		return FIELD_VLAN_VID;
	case 15:
		v->u8 = (uint8_t)rnd(8);
		return FIELD_VLAN_PCP;
	case 16:
		v->ipv6 = random_ipv6();
		return FIELD_ND_TARGET;
	case 17:
		v->u64 = htobe64(rnd(4));
		return FIELD_METADATA;
	default:
		v->u32 = htobe32(rnd(4));
		return FIELD_REG0 + (enum field_id)rnd(2);
	}
}

static void put_random_set(struct act_builder *b)
{
	union field_value value;
	enum field_id id = random_field(&value);

	put_set(b, id, &value, chance(4));
}

static void put_push(struct act_builder *b, enum act_type type, uint16_t ethertype)
{
	struct act_push *a = act_put(b, type, sizeof *a);

	a->ethertype = htobe16(ethertype);
}

static void put_vlan_act(struct act_builder *b)
{
	struct act_vlan_vid *vid;
	struct act_vlan_pcp *pcp;

	switch (rnd(4)) {
	case 0:
		put_push(b, ACT_PUSH_VLAN, chance(3) ? ETH_T_VLAN_8021AD : ETH_T_VLAN_8021Q);
		break;
	case 1:
		act_put(b, ACT_STRIP_VLAN, sizeof(struct act));
		break;
	case 2:
		vid = act_put(b, ACT_SET_VLAN_VID, sizeof *vid);
		vid->vid = random_vid();
		vid->push_if_needed = chance(2);
		break;
	case 3:
		pcp = act_put(b, ACT_SET_VLAN_PCP, sizeof *pcp);
		pcp->pcp = (uint8_t)rnd(8);
		pcp->push_if_needed = chance(2);
		break;
	}
}

static struct subfield reg_bits(unsigned int reg, unsigned int ofs, unsigned int n)
{
	return (struct subfield){field_from_id(FIELD_REG0 + reg), (uint16_t)ofs, (uint16_t)n};
}

static void put_move(struct act_builder *b)
{
	static const enum field_id ids[] = {FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_IPV4_SRC,
		FIELD_IPV4_DST, FIELD_TCP_DST, FIELD_UDP_SRC, FIELD_ARP_SHA, FIELD_ARP_THA,
		FIELD_REG0, FIELD_REG0 + 1};
	struct act_reg_move *a = act_put(b, ACT_REG_MOVE, sizeof *a);

	a->src.field = field_from_id(ids[rnd(ARRAY_SIZE(ids))]);
	a->dst.field = field_from_id(ids[rnd(ARRAY_SIZE(ids))]);
	a->src.n_bits = a->dst.n_bits = MIN(a->src.field->n_bits, a->dst.field->n_bits);
	if (chance(2)) {
		a->src.n_bits = a->dst.n_bits = 8;
		a->src.ofs = (uint16_t)rnd(a->src.field->n_bits - 7u);
		a->dst.ofs = (uint16_t)rnd(a->dst.field->n_bits - 7u);
	}
}

static void put_stack(struct act_builder *b)
{
	struct act_stack *a = act_put(b, chance(2) ? ACT_STACK_PUSH : ACT_STACK_POP, sizeof *a);

	/* All of one width, so that what is popped is what was pushed. */
	a->subfield.field = field_from_id(chance(2) ? FIELD_IPV4_DST : FIELD_REG0 + rnd(2));
	a->subfield.n_bits = 32;
}

static void put_mpls_act(struct act_builder *b)
{
	union field_value v = {0};

	if (chance(2)) {
		put_push(b, ACT_PUSH_MPLS, chance(4) ? ETH_T_MPLS_MCAST : ETH_T_MPLS);
	} else if (chance(2)) {
		put_push(b, ACT_POP_MPLS, chance(3) ? ETH_T_MPLS : chance(3) ? ETH_T_IPV6 : ETH_T_IP);
	} else {
		v.u32 = htobe32(rnd(1000));
		put_set(b, FIELD_MPLS_LABEL, &v, false);
	}
}

static void put_jump(const struct world *w, struct act_builder *b, unsigned int table)
{
	struct act_resubmit *r;
	struct act_u8 *g;

	if (chance(2) && table + 1 < N_TABLES) {
		g = act_put(b, ACT_GOTO_TABLE, sizeof *g);
		g->value = (uint8_t)(table + 1 + rnd(N_TABLES - table - 1));
		return;
	}
	r = act_put(b, ACT_RESUBMIT, sizeof *r);
	r->in_port = chance(6) ? 1 + rnd(N_PORTS) : OFPP_IN_PORT;
	if (w->use_loops && chance(6))
		r->table_id = (uint8_t)(chance(2) ? rnd(N_TABLES) : 0xff);
	else
		r->table_id = (uint8_t)(table + 1);
}

static void put_random_acts(const struct world *w, struct act_builder *b, unsigned int table,
	int level);

static void put_nested(const struct world *w, struct act_builder *b, unsigned int table)
{
	size_t nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));

	put_random_acts(w, b, table, 1);
	act_nest_end(b, nest);
}

/* What may be in an action set. */
static void put_set_acts(const struct world *w, struct act_builder *b, bool in_bucket)
{
	for (uint32_t n = rnd(3); n > 0; n--)
		switch (rnd(5)) {
		case 0:
			put_push(b, ACT_PUSH_VLAN, ETH_T_VLAN_8021Q);
			break;
		case 1:
			act_put(b, ACT_STRIP_VLAN, sizeof(struct act));
			break;
		case 2: {
			struct act_cnt_ids *ttl = act_put(b, ACT_DEC_TTL, sizeof *ttl + 2);

			ttl->n_controllers = 1;
			break;
		}
		default:
			put_random_set(b);
			break;
		}
	if (in_bucket || !chance(3))
		put_output(b, random_output(w), 0);
	if (!in_bucket && chance(5)) {
		struct act_group *group = act_put(b, ACT_GROUP, sizeof *group);

		group->group_id = 1 + rnd(N_GROUPS);
	}
}

static void put_write(const struct world *w, struct act_builder *b)
{
	size_t nest;

	if (chance(4))
		act_put(b, ACT_CLEAR_ACTIONS, sizeof(struct act));
	nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));
	put_set_acts(w, b, false);
	act_nest_end(b, nest);
}

static void put_reg_output(struct act_builder *b)
{
	struct act_output_reg *a = act_put(b, ACT_OUTPUT_REG, sizeof *a);

	a->src = reg_bits(rnd(2), 0, 16);
	a->max_len = UINT16_MAX;
}

static void put_check(struct act_builder *b)
{
	struct act_check_pkt_larger *a = act_put(b, ACT_CHECK_PKT_LARGER, sizeof *a);

	a->dst = reg_bits(0, 0, 1);
	a->pkt_len = (uint16_t)(60 + rnd(40));
}

static void put_one_act(const struct world *w, struct act_builder *b, unsigned int table, int level)
{
	struct act_cnt_ids *ttl;
	struct act_group *group;

	switch (rnd(20)) {
	case 0 ... 3:
		put_random_set(b);
		break;
	case 4:
	case 5:
		put_vlan_act(b);
		break;
	case 6:
		put_move(b);
		break;
	case 7:
		put_stack(b);
		break;
	case 8:
		ttl = act_put(b, ACT_DEC_TTL, sizeof *ttl + 2);
		ttl->n_controllers = 1;
		break;
	case 9:
		if (w->use_mpls)
			put_mpls_act(b);
		break;
	case 10:
		group = act_put(b, ACT_GROUP, sizeof *group);
		group->group_id = 1 + rnd(N_GROUPS);
		break;
	case 11:
		if (!level)
			put_nested(w, b, table);
		break;
	case 12:
		if (w->use_sets && !level)
			put_write(w, b);
		break;
	case 13:
		put_reg_output(b);
		break;
	case 14:
		if (!level && (table + 1 < N_TABLES || w->use_loops))
			put_jump(w, b, table);
		break;
	case 15:
		if (!level && chance(3))
			act_put(b, ACT_EXIT, sizeof(struct act));
		break;
	case 16:
		put_output(b, 1 + rnd(N_PORTS), 14 + rnd(60));
		break;
	default:
		put_output(b, random_output(w), 0);
		break;
	}
}

static void put_random_acts(const struct world *w, struct act_builder *b, unsigned int table,
	int level)
{
	if (!level && chance(12))
		return;		/* drop */
	for (uint32_t n = 1 + rnd(4); n > 0; n--)
		put_one_act(w, b, table, level);
	if (w->use_check && !level && table == N_TABLES - 1 && chance(3)) {
		put_check(b);
		put_reg_output(b);
		put_output(b, 1 + rnd(N_PORTS), 0);
	}
	/* Most rules of the first tables lead on. */
	if (!level && table + 1 < N_TABLES && !chance(3))
		put_jump(w, b, table);
	else if (!level && !chance(3))
		put_output(b, random_output(w), 0);
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
	match->flow.dl_dst = random_mac();
	match->mask.nw_src = BE32_MAX;
	match->flow.nw_src = random_ip();
	if (chance(2)) {
		match->mask.nw_proto = 0xff;
		match->flow.nw_proto = chance(2) ? IP_P_TCP : IP_P_UDP;
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
	put_random_acts(w, &b, table, 0);
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
	} else if (w->use_one_mask && table == 1 && !chance(5)) {
		one_mask_match(&match);
		priority = (int)(chance(10) ? 700 : 100) + (int)rnd(100);
	} else {
		random_match(&match);
		priority = (int)rnd(1000);
	}
	insert_rule(w, bridge, table, &match, priority);
}

static void add_rule(struct world *w)
{
	if (w->use_one_mask && !chance(3))
		add_rule_at(w, 0, 1, false);
	else
		add_rule_at(w, rnd(N_BRIDGES), chance(3) ? 0 : rnd(N_TABLES), chance(8));
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
	put_random_acts(w, &b, r->rule.table_id, 0);
	pl_rule_set_actions(w->bridges[r->bridge], &r->rule, real_actions(&b));
	naive_set_actions(w->naive, r->id, (const void *)b.buf.data, b.buf.len);
	act_builder_uninit(&b);
}

static void set_group(struct world *w, unsigned int bridge, uint32_t id)
{
	struct pl_group *group = calloc(1, sizeof *group);
	bool all = chance(2);

	group->id = id;
	group->type = all ? PL_GROUP_ALL : PL_GROUP_INDIRECT;
	group->n_buckets = all ? rnd(4) : 1;
	group->buckets = calloc(group->n_buckets ? group->n_buckets : 1, sizeof *group->buckets);
	naive_set_group(w->naive, bridge, id, all);
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		struct act_builder b;

		act_builder_init(&b);
		put_set_acts(w, &b, true);
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
	} else if (chance(3)) {
		port->access_vlan = 10 * (1 + (int)rnd(2));
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
	bundle->bond_mode = -1;
	naive_set_port(w->naive, bridge, port);
}

static void change_port(struct world *w)
{
	static const uint32_t bits[] = {PL_PORT_DOWN, PL_PORT_NO_FLOOD, PL_PORT_NO_FWD,
		PL_PORT_NO_RECV};
	unsigned int bridge = rnd(N_BRIDGES), i = rnd(N_PORTS + 2);
	struct pl_bridge_conf *conf = pl_bridge_conf_clone(pl_bridge_conf(w->bridges[bridge]));
	struct naive_port *port = &w->ports[bridge][i];

	port->config = chance(2) ? 0 : bits[rnd(4)];
	conf->ports[i].config = port->config;
	naive_set_port(w->naive, bridge, port);
	pl_bridge_set_conf(w->bridges[bridge], conf);
}

/* Something about a rule that the last packet met: whoever kept that packet's path must notice. */
static void change_what_matters(struct world *w)
{
	unsigned int i = w->n_rules, used = w->n_rules;

	while (i-- > 0)
		for (unsigned int j = 0; j < w->out.n_counters; j++)
			if (w->out.counters[j].id == w->rules[i]->rule.counter &&
				(used == w->n_rules || chance(2)))
				used = i;
	if (used == w->n_rules)
		return;
	switch (rnd(4)) {
	case 0:
		remove_rule(w, used);
		break;
	case 1:
		insert_rule(w, w->rules[used]->bridge, w->rules[used]->rule.table_id,
			&w->rules[used]->match, w->rules[used]->priority + 1 + (int)rnd(50));
		break;
	default:
		change_actions(w, used);
		break;
	}
}

static void change_something(struct world *w)
{
	switch (rnd(10)) {
	case 0 ... 3:
		add_rule(w);
		break;
	case 4:
	case 5:
		if (w->n_rules > 10)
			remove_rule(w, rnd(w->n_rules));
		break;
	case 6:
	case 7:
		if (w->n_rules)
			change_actions(w, rnd(w->n_rules));
		break;
	case 8:
		set_group(w, rnd(N_BRIDGES), 1 + rnd(N_GROUPS));
		break;
	case 9:
		change_port(w);
		break;
	}
	rcu_reclaim();
}

static struct world *world_create(uint64_t seed)
{
	struct world *w = calloc(1, sizeof *w);

	rng_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 12345;
	w->seed = seed;
	w->naive = naive_create(N_BRIDGES);
	xlate_out_init(&w->out);
	w->sink.fdb_learn = sink_learn;
	w->env = (struct exec_env){.ops = &packet_heap_ops, .output = env_output, .punt = env_punt,
		.to_control = env_control, .recirculate = env_recirculate, .resume = env_resume,
		.dropped = env_dropped, .random = env_random};
	w->use_sets = chance(2);
	w->use_check = !w->use_sets && chance(2);
	w->use_mpls = chance(3);
	w->use_loops = chance(4);
	w->use_normal = !chance(3);
	w->use_one_mask = chance(2);
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
		if (!chance(4))
			add_rule_at(w, i / N_TABLES, i % N_TABLES, true);
	for (int i = 0; i < (w->use_one_mask ? 70 : 24); i++)
		add_rule(w);
	return w;
}

static void world_destroy(struct world *w)
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

/* ------------------------------------------------------------------ frames */

static void put_bytes(struct frame *f, const void *p, uint32_t n)
{
	memcpy(f->data + f->len, p, n);
	f->len += n;
}

static void put_be16(struct frame *f, uint16_t v)
{
	be16 b = htobe16(v);

	put_bytes(f, &b, 2);
}

static void put_transport(struct frame *f, uint8_t proto)
{
	uint32_t payload = rnd(40);

	switch (proto) {
	case IP_P_TCP:
		put_bytes(f, &(struct tcp_header){htobe16(random_port()), htobe16(random_port()),
			.ctl = htobe16((uint16_t)(0x5000 | rnd(64)))}, 20);
		break;
	case IP_P_UDP:
		put_bytes(f, &(struct udp_header){htobe16(random_port()), htobe16(random_port()),
			htobe16((uint16_t)(8 + payload)), 0}, 8);
		break;
	case IP_P_SCTP:
		put_bytes(f, &(struct sctp_header){htobe16(random_port()), htobe16(random_port()), 7,
			0}, 12);
		break;
	case IP_P_ICMPV6:
		if (chance(2)) {
			uint8_t nd[32] = {ND_NS, [8] = 0xfd, [24] = ND_OPT_SLL, 1, 2, 0, 0, 0, 0, 3};

			put_bytes(f, nd, 32);
			payload = 0;
			break;
		}
		put_bytes(f, "\x80\0\0\0\0\1\0\2", 8);
		break;
	default:
		put_bytes(f, "\x08\0\0\0\0\1\0\2", 8);
		break;
	}
	for (uint32_t i = 0; i < payload; i++)
		f->data[f->len++] = (uint8_t)(i * 7 + 3);
}

static void put_ipv4(struct frame *f)
{
	static const uint8_t protos[] = {IP_P_TCP, IP_P_TCP, IP_P_UDP, IP_P_ICMP, IP_P_SCTP, 200};
	uint32_t start = f->len;
	struct ipv4_header ip = {.ver_ihl = 0x45, .tos = tos_values[rnd(4)], .proto = protos[rnd(6)],
		.ttl = (uint8_t)(chance(4) ? 1 : 64)};
	be32 src = random_ip(), dst = random_ip();

	memcpy(ip.src, &src, 4);
	memcpy(ip.dst, &dst, 4);
	if (chance(10))
		ip.frag_off = htobe16(chance(2) ? IPV4_MF : 20);
	f->len += sizeof ip;
	put_transport(f, ip.proto);
	ip.tot_len = htobe16((uint16_t)(f->len - start));
	ip.csum = csum(&ip, sizeof ip);
	memcpy(f->data + start, &ip, sizeof ip);
}

static void put_ipv6(struct frame *f)
{
	static const uint8_t protos[] = {IP_P_TCP, IP_P_UDP, IP_P_ICMPV6, IP_P_ICMPV6};
	uint32_t start = f->len;
	struct ipv6_header ip = {.nexthdr = protos[rnd(4)], .hlim = (uint8_t)(chance(4) ? 1 : 64),
		.flow = htobe32(0x60000000 | (uint32_t)tos_values[rnd(4)] << 20 | rnd(2) * 0x777)};
	struct ipv6_addr src = random_ipv6(), dst = random_ipv6();

	memcpy(ip.src, &src, 16);
	memcpy(ip.dst, &dst, 16);
	f->len += sizeof ip;
	put_transport(f, ip.nexthdr);
	ip.plen = htobe16((uint16_t)(f->len - start - sizeof ip));
	memcpy(f->data + start, &ip, sizeof ip);
}

static void put_arp(struct frame *f)
{
	struct arp_header arp = {htobe16(1), htobe16(ETH_T_IP), 6, 4, htobe16((uint16_t)(1 + rnd(2))),
		{0}, {0}, {0}, {0}};
	be32 spa = random_ip(), tpa = random_ip();

	memcpy(arp.spa, &spa, 4);
	memcpy(arp.tpa, &tpa, 4);
	put_bytes(f, &arp, sizeof arp);
}

static void put_labels(struct frame *f)
{
	for (uint32_t n = 1 + rnd(2); n > 0; n--) {
		be32 lse = htobe32(rnd(1000) << MPLS_LABEL_SHIFT | (n == 1 ? MPLS_BOS_MASK : 0) | 64);

		put_bytes(f, &lse, 4);
	}
	put_ipv4(f);
}

static void fill_csum(struct frame *f)
{
	struct packet packet;
	struct flow flow;

	packet_init(&packet, f->data, f->len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	csum_fill_l4(&packet, true, NULL);
	/* UDP may go without. */
	if (flow.nw_proto == IP_P_UDP && flow.dl_type == htobe16(ETH_T_IP) && chance(6) &&
		!flow.nw_frag)
		memset(f->data + packet.l4_ofs + 6, 0, 2);
}

static void new_frame(const struct world *w, struct frame *f)
{
	struct eth_addr dst = random_mac(), src = random_mac();

	f->len = 0;
	memset(f->data, 0, sizeof f->data);
	put_bytes(f, dst.b, 6);
	put_bytes(f, src.b, 6);
	for (uint32_t n = chance(2) ? 0 : chance(5) ? 2 : 1; n > 0; n--) {
		put_be16(f, chance(5) ? ETH_T_VLAN_8021AD : ETH_T_VLAN_8021Q);
		put_be16(f, (uint16_t)(random_vid() | rnd(8) << VLAN_PCP_SHIFT));
	}
	if (w->use_mpls && chance(5)) {
		put_be16(f, ETH_T_MPLS);
		put_labels(f);
	} else if (chance(5)) {
		put_be16(f, ETH_T_ARP);
		put_arp(f);
	} else if (chance(4)) {
		put_be16(f, ETH_T_IPV6);
		put_ipv6(f);
	} else if (chance(20)) {
		put_be16(f, 0x9999);
		put_bytes(f, "whatever it is", 14);
	} else {
		put_be16(f, ETH_T_IP);
		put_ipv4(f);
	}
	fill_csum(f);
	if (chance(40))
		f->len = 14 + rnd(f->len - 13);
}

/* The DEI of a tag is not a rule's to see: it gets lost where a popped tag is put back. */
static void clear_dei(struct frame *f)
{
	be16 type;

	for (unsigned int ofs = 12; ofs < 12 + 3 * 4; ofs += 4) {
		memcpy(&type, f->data + ofs, sizeof type);
		if (!eth_type_is_vlan(type))
			break;
		f->data[ofs + 2] &= 0xef;
	}
}

/* New, or one of the world's, or that with a few bits changed. */
static void random_frame(const struct world *w, struct frame *f)
{
	if (chance(4)) {
		new_frame(w, f);
		return;
	}
	*f = w->frames[rnd(N_FRAMES)];
	if (chance(3))
		for (uint32_t n = 1 + rnd(2); n > 0; n--)
			f->data[rnd(MIN(f->len, 60u))] ^= (uint8_t)(1 << rnd(8));
	clear_dei(f);
}

static void new_frames(struct world *w)
{
	for (unsigned int i = 0; i < N_FRAMES; i++)
		new_frame(w, &w->frames[i]);
}

/* ------------------------------------------------------------------ comparison */

static int compare_frames(const void *a_, const void *b_)
{
	const struct naive_frame *a = a_, *b = b_;
	int diff;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	diff = memcmp(a->data, b->data, MIN(a->len, b->len));
	return diff ? diff : (int)a->len - (int)b->len;
}

static void print_frames(const char *title, const struct naive_result *result)
{
	for (unsigned int i = 0; i < MIN(result->n_frames, 20u); i++) {
		print_message("%s port %u:", title, result->frames[i].port);
		for (uint32_t j = 0; j < result->frames[i].len; j++)
			print_message("%s%02x", j % 4 ? "" : " ", result->frames[i].data[j]);
		print_message("\n");
	}
}

/* How the real switch got there: tables, actions, remarks. */
static void print_step(struct xlate_sink *sink, const struct xlate_report *r)
{
	const struct act *act;

	if (r->depth > 200)
		return;
	print_message("%*s", 2 * r->depth, "");
	if (r->kind == XLATE_REPORT_TABLE)
		print_message("table %u priority %d:", r->table_id, r->rule ? r->rule->cr.priority : -1);
	if (r->act)
		ACT_FOR_EACH (act, r->act, r->acts_len) {
			print_message(" %s", act_type_name((enum act_type)act->type));
			for (size_t i = sizeof *act; i < MIN(act->len, 40u); i++)
				print_message("%s%02x", i % 8 ? "" : " ", ((const uint8_t *)act)[i]);
		}
	print_message(" %s\n", r->text ? r->text : "");
}

static void print_trace(struct world *w, const struct frame *frame, unsigned int bridge,
	ofp_port_t port)
{
	struct xlate_sink sink = {.report = print_step};
	struct xlate_in in = {.version = version_get(), .bridge = w->bridges[bridge], .sink = &sink};
	struct packet packet;
	struct xlate_out out;
	struct flow flow;

	packet_init(&packet, (uint8_t *)(uintptr_t)frame->data, frame->len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	flow.in_port = port;
	in.flow = &flow;
	in.in_port = pl_port_from_ofp(pl_bridge_conf(in.bridge), port);
	in.packet_len = frame->len;
	xlate_out_init(&out);
	translate(&in, &out);
	xlate_out_uninit(&out);
}

static const struct op *running;
static uint32_t running_len;

static void run(struct world *w, const struct op *ops, uint32_t len, const struct frame *frame,
	ofp_port_t port)
{
	struct packet *packet = packet_heap_create(frame->data, frame->len);
	struct flow flow;

	w->real.n_frames = 0;
	w->real.unsupported = false;
	w->n_resumes = 0;
	running = ops;
	running_len = len;
	packet->in_port = port;
	flow_extract_limits(packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	execute(&w->env, ops, len, packet);
}

static void report(struct world *w, const struct frame *frame, unsigned int bridge,
	ofp_port_t port, unsigned int n, const char *what)
{
	struct sbuf s = SBUF_INITIALIZER;

	print_message("seed %" PRIu64 ", packet %u, %s, bridge %u port %u:", w->seed, n, what, bridge,
		port);
	for (uint32_t j = 0; j < frame->len; j++)
		print_message("%s%02x", j % 4 ? "" : " ", frame->data[j]);
	program_format(running, running_len, NULL, &s);
	print_message("\nprogram: %s\n", sbuf_cstr(&s));
	sbuf_uninit(&s);
	print_message("%u frames expected, %u came\n", w->naive_result.n_frames, w->real.n_frames);
	print_frames("expected", &w->naive_result);
	print_frames("got", &w->real);
	print_trace(w, frame, bridge, port);
	/* Once more, to see what resumed translations do. */
	w->sink.report = print_step;
	run(w, running, running_len, frame, 0);
}

/* Order between ports does not matter. */
static void compare(struct world *w, const struct frame *frame, unsigned int bridge, ofp_port_t port,
	unsigned int n, const char *what)
{
	struct naive_result *a = &w->naive_result, *b = &w->real;
	bool equal;

	if (a->unsupported || b->unsupported)
		return;
	qsort(a->frames, a->n_frames, sizeof a->frames[0], compare_frames);
	qsort(b->frames, b->n_frames, sizeof b->frames[0], compare_frames);
	equal = a->n_frames == b->n_frames;
	for (unsigned int i = 0; equal && i < a->n_frames; i++)
		equal = !compare_frames(&a->frames[i], &b->frames[i]);
	totals.compared++;
	if (equal)
		return;
	report(w, frame, bridge, port, n, what);
	fail();
}

static void cache(struct world *w, unsigned int bridge, const struct flow *flow)
{
	struct cached *c = &w->cached[rnd(N_CACHED)];

	free(c->ops);
	c->used = true;
	c->bridge = bridge;
	c->flow = *flow;
	xlate_mask(&w->out.wc, w->out.depth, &c->wc);
	c->seq = w->out.seq;
	c->n_deps = w->out.n_deps;
	memcpy(c->deps, w->out.deps, c->n_deps * sizeof c->deps[0]);
	c->len = program_len(&w->out.program);
	c->ops = xmemdup(program_ops(&w->out.program), c->len);
}

static bool holds(const struct cached *c, unsigned int bridge, const struct flow *flow)
{
	return c->used && c->bridge == bridge && flow_equal_masked(flow, &c->flow, &c->wc) &&
		dep_is_valid(c->seq, c->deps, c->n_deps);
}

/* The naive switch gave up on a packet half way: it may have missed a lesson. */
static void catch_up(struct world *w)
{
	naive_forget_macs(w->naive);
	for (unsigned int i = 0; i < N_BRIDGES; i++)
		for (const struct fdb_entry *e = NULL; (e = fdb_next(w->bridges[i]->fdb, e)) != NULL;)
			naive_learn_mac(w->naive, i, e->vlan, e->mac, e->port);
}

/* What the short way says, LOOK, is what translate() came to: OUT. */
static void check_plain(const struct xlate_in *in, const struct xlate_look *look,
	const struct xlate_out *out)
{
	uint16_t deps[2] = {dep_table(in->bridge->id, 0),
		dep_table_key(in->bridge->id, 0, look->trace.key_hash)};
	enum xlate_depth depth;
	struct flow wc;
	bool has_key;

	totals.plain++;
	assert_true(out->cacheable && !out->to_control);
	assert_true(xlate_look_wildcards(in, look, &wc, &depth, &has_key));
	assert_memory_equal(&wc, &out->wc, sizeof wc);
	assert_int_equal(depth, out->depth);
	assert_int_equal(out->n_counters, 1);
	assert_int_equal(out->counters[0].id, look->rule->counter);
	assert_int_equal(out->n_refreshes, 0);
	for (unsigned int d = 0; d < 1u + has_key; d++) {
		bool found = false;

		for (unsigned int i = 0; i < out->n_deps; i++)
			found |= out->deps[i] == deps[d];
		assert_true(found);
	}
}

static void one_packet(struct world *w, unsigned int n)
{
	unsigned int bridge = rnd(N_BRIDGES), i = rnd(N_PORTS + 1), n_hits = 0;
	const struct naive_port *port = &w->ports[bridge][i];
	struct cached *hits[N_CACHED];
	struct xlate_in in = {0};
	struct packet packet;
	struct xlate_look look;
	struct frame frame;
	struct flow flow;
	bool is_plain;

	random_frame(w, &frame);
	packet_init(&packet, frame.data, frame.len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	flow.in_port = port->ofp_port;
	for (unsigned int j = 0; j < N_CACHED; j++)
		if (holds(&w->cached[j], bridge, &flow))
			hits[n_hits++] = &w->cached[j];

	in.version = version_get();
	in.flow = &flow;
	in.bridge = w->bridges[bridge];
	in.in_port = pl_port_get(port->dp_port);
	in.packet_len = frame.len;
	in.sink = &w->sink;
	w->n_learned = 0;
	flow.actset_output = OFPP_UNSET;
	is_plain = xlate_look(&in, &look) && xlate_look_decides(&in, &look);
	translate(&in, &w->out);
	if (is_plain)
		check_plain(&in, &look, &w->out);
	/* A path that holds has nothing to learn. */
	if (w->n_learned)
		assert_int_equal(n_hits, 0);
	naive_receive(w->naive, bridge, port->ofp_port, frame.data, frame.len, &w->naive_result);
	run(w, program_ops(&w->out.program), program_len(&w->out.program), &frame, port->dp_port);
	compare(w, &frame, bridge, port->ofp_port, n, "translated");
	totals.frames += w->real.n_frames;
	totals.empty += !w->real.n_frames;

	for (unsigned int j = 0; j < n_hits; j++) {
		run(w, hits[j]->ops, hits[j]->len, &frame, port->dp_port);
		compare(w, &frame, bridge, port->ofp_port, n, "from an earlier translation");
		totals.from_cache++;
	}
	if (w->naive_result.unsupported)
		catch_up(w);
	if (w->out.cacheable && !w->out.to_control)
		cache(w, bridge, &flow);
}

static void run_world(uint64_t seed, unsigned int n_packets)
{
	struct world *w = world_create(seed);

	new_frames(w);
	for (unsigned int i = 0; i < n_packets; i++) {
		if (chance(30))
			change_something(w);
		if (chance(40))
			change_what_matters(w);
		one_packet(w, i);
		totals.packets++;
	}
	world_destroy(w);
}

static void test_against_naive(void **state)
{
	const char *seed = getenv("SLUICE_SEED"), *packets = getenv("SLUICE_PACKETS");
	unsigned int n = packets ? (unsigned int)atoi(packets) : N_PACKETS;

	if (seed) {
		run_world(strtoull(seed, NULL, 0), PACKETS_A_WORLD);
	} else {
		for (uint64_t s = 1; totals.packets < n; s++)
			run_world(s, PACKETS_A_WORLD);
		/* Most were worth the while. */
		assert_true(totals.compared > n * 8 / 10);
		assert_true(totals.from_cache > n / 20);
		assert_true(totals.plain > n / 100);
		assert_true(totals.empty < n * 7 / 10);
	}
	print_message("%u packets, %u comparisons, %u from earlier translations, %u frames, "
		"%u packets without any, %u the short way\n", totals.packets, totals.compared,
		totals.from_cache, totals.frames, totals.empty, totals.plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_naive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
