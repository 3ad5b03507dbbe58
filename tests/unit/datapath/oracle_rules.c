/* SPDX-License-Identifier: Apache-2.0 */
/* Matches and actions. */
#include "tests/unit/datapath/oracle.h"

#include <string.h>

void oracle_match(struct match *match)
{
	struct flow *f = &match->flow, *m = &match->mask;

	memset(match, 0, sizeof *match);
	for (uint32_t n = oracle_rnd(4); n > 0; n--)
		switch (oracle_rnd(18)) {
		case 0:
			m->in_port = UINT32_MAX;
			f->in_port = 1 + oracle_rnd(N_PORTS);
			break;
		case 1:
			memset(&m->dl_src, 0xff, 6);
			f->dl_src = oracle_mac();
			break;
		case 2:
			memset(&m->dl_dst, 0xff, 6);
			f->dl_dst = oracle_mac();
			break;
		case 3:
			memset(&m->dl_dst, 0, 6);
			m->dl_dst.b[0] = 1;
			f->dl_dst = oracle_mac();
			break;
		case 4:
		case 5:
			m->dl_type = BE16_MAX;
			f->dl_type = htobe16(oracle_chance(4) ? ETH_T_ARP : oracle_chance(3) ? ETH_T_IPV6 : ETH_T_IP);
			break;
		case 6:
			m->vlans[0].tci = htobe16(VLAN_PRESENT | (oracle_chance(2) ? VLAN_VID_MASK : 0));
			f->vlans[0].tci = htobe16((uint16_t)((oracle_chance(4) ? 0 : VLAN_PRESENT) |
				oracle_vid()));
			break;
		case 7:
			m->nw_src = htobe32(oracle_chance(2) ? UINT32_MAX : 0xffff0000);
			f->nw_src = oracle_ip();
			break;
		case 8:
			m->nw_dst = htobe32(oracle_chance(2) ? UINT32_MAX : 0xffffff00);
			f->nw_dst = oracle_ip();
			break;
		case 9:
			m->nw_proto = 0xff;
			f->nw_proto = oracle_chance(2) ? IP_P_TCP : oracle_chance(2) ? IP_P_UDP : IP_P_ICMP;
			break;
		case 10:
			m->tp_dst = htobe16(oracle_chance(2) ? 0xffff : 0xfffe);
			f->tp_dst = htobe16(oracle_port());
			break;
		case 11:
			m->tp_src = BE16_MAX;
			f->tp_src = htobe16(oracle_port());
			break;
		case 12:
			m->regs[oracle_rnd(2)] = 0x3;
			f->regs[0] = oracle_rnd(4);
			f->regs[1] = oracle_rnd(4);
			break;
		case 13:
			m->metadata = htobe64(0x3);
			f->metadata = htobe64(oracle_rnd(4));
			break;
		case 14:
			memset(&m->ipv6_dst, 0xff, oracle_chance(2) ? 16 : 8);
			f->ipv6_dst = oracle_ipv6();
			break;
		case 15:
			m->nw_tos = oracle_chance(2) ? 0xfc : 0x03;
			f->nw_tos = oracle_tos[oracle_rnd(4)];
			break;
		case 16:
			m->nw_ttl = 0xff;
			f->nw_ttl = oracle_chance(2) ? 1 : 64;
			break;
		case 17:
			m->nw_frag = 0x3;
			f->nw_frag = (uint8_t)(oracle_chance(2) ? 0 : oracle_chance(2) ? 1 : 3);
			break;
		}
	flow_mask_apply(f, m);
}

void oracle_put_output(struct act_builder *b, ofp_port_t port, uint32_t trunc)
{
	struct act_output *a = act_put(b, ACT_OUTPUT, sizeof *a);

	a->port = port;
	a->max_len = UINT16_MAX;
	a->trunc = trunc;
}

ofp_port_t oracle_output(const struct world *w)
{
	switch (oracle_rnd(12)) {
	case 0:
		return OFPP_IN_PORT;
	case 1:
		return OFPP_CONTROLLER;
	case 2:
		return PATCH_PORT;
	case 3:
		return w->use_normal ? OFPP_NORMAL : OFPP_LOCAL;
	case 4:
		return oracle_chance(2) ? OFPP_FLOOD : OFPP_ALL;
	case 5:
		return 77;	/* There is none. */
	default:
		return 1 + oracle_rnd(N_PORTS);
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
	switch (oracle_rnd(19)) {
	case 0:
		v->mac = oracle_mac();
		return FIELD_ETH_SRC;
	case 1:
		v->mac = oracle_mac();
		return FIELD_ETH_DST;
	case 2:
		v->u32 = oracle_ip();
		return FIELD_IPV4_SRC;
	case 3:
		v->u32 = oracle_ip();
		return FIELD_IPV4_DST;
	case 4:
		v->ipv6 = oracle_ipv6();
		return oracle_chance(2) ? FIELD_IPV6_SRC : FIELD_IPV6_DST;
	case 5:
	case 6:
		v->u16 = htobe16(oracle_port());
		return port_fields[oracle_rnd(6)];
	case 7:
		v->u8 = oracle_tos[oracle_rnd(3)];
		return FIELD_IP_DSCP;
	case 8:
		v->u8 = (uint8_t)oracle_rnd(4);
		return FIELD_IP_ECN;
	case 9:
		v->u8 = (uint8_t)(1 + oracle_rnd(3));
		return FIELD_IP_TTL;
	case 10:
		v->u32 = htobe32(oracle_rnd(4) * 0x12345);
		return FIELD_IPV6_LABEL;
	case 11:
		v->u32 = oracle_ip();
		return oracle_chance(2) ? FIELD_ARP_SPA : FIELD_ARP_TPA;
	case 12:
		v->mac = oracle_mac();
		return oracle_chance(2) ? FIELD_ARP_SHA : FIELD_ARP_THA;
	case 13:
		v->u16 = htobe16((uint16_t)(1 + oracle_rnd(2)));
		return FIELD_ARP_OP;
	case 14:
		v->u16 = htobe16(oracle_vid() | VLAN_PRESENT);
		return FIELD_VLAN_VID;
	case 15:
		v->u8 = (uint8_t)oracle_rnd(8);
		return FIELD_VLAN_PCP;
	case 16:
		v->ipv6 = oracle_ipv6();
		return FIELD_ND_TARGET;
	case 17:
		v->u64 = htobe64(oracle_rnd(4));
		return FIELD_METADATA;
	default:
		v->u32 = htobe32(oracle_rnd(4));
		return FIELD_REG0 + (enum field_id)oracle_rnd(2);
	}
}

static void put_random_set(struct act_builder *b)
{
	union field_value value;
	enum field_id id = random_field(&value);

	put_set(b, id, &value, oracle_chance(4));
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

	switch (oracle_rnd(4)) {
	case 0:
		put_push(b, ACT_PUSH_VLAN, oracle_chance(3) ? ETH_T_VLAN_8021AD : ETH_T_VLAN_8021Q);
		break;
	case 1:
		act_put(b, ACT_STRIP_VLAN, sizeof(struct act));
		break;
	case 2:
		vid = act_put(b, ACT_SET_VLAN_VID, sizeof *vid);
		vid->vid = oracle_vid();
		vid->push_if_needed = oracle_chance(2);
		break;
	case 3:
		pcp = act_put(b, ACT_SET_VLAN_PCP, sizeof *pcp);
		pcp->pcp = (uint8_t)oracle_rnd(8);
		pcp->push_if_needed = oracle_chance(2);
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

	a->src.field = field_from_id(ids[oracle_rnd(ARRAY_SIZE(ids))]);
	a->dst.field = field_from_id(ids[oracle_rnd(ARRAY_SIZE(ids))]);
	a->src.n_bits = a->dst.n_bits = MIN(a->src.field->n_bits, a->dst.field->n_bits);
	if (oracle_chance(2)) {
		a->src.n_bits = a->dst.n_bits = 8;
		a->src.ofs = (uint16_t)oracle_rnd(a->src.field->n_bits - 7u);
		a->dst.ofs = (uint16_t)oracle_rnd(a->dst.field->n_bits - 7u);
	}
}

static void put_stack(struct act_builder *b)
{
	struct act_stack *a = act_put(b, oracle_chance(2) ? ACT_STACK_PUSH : ACT_STACK_POP, sizeof *a);

	/* All of one width, so that what is popped is what was pushed. */
	a->subfield.field = field_from_id(oracle_chance(2) ? FIELD_IPV4_DST : FIELD_REG0 + oracle_rnd(2));
	a->subfield.n_bits = 32;
}

static void put_mpls_act(struct act_builder *b)
{
	union field_value v = {0};

	if (oracle_chance(2)) {
		put_push(b, ACT_PUSH_MPLS, oracle_chance(4) ? ETH_T_MPLS_MCAST : ETH_T_MPLS);
	} else if (oracle_chance(2)) {
		put_push(b, ACT_POP_MPLS, oracle_chance(3) ? ETH_T_MPLS : oracle_chance(3) ? ETH_T_IPV6 : ETH_T_IP);
	} else {
		v.u32 = htobe32(oracle_rnd(1000));
		put_set(b, FIELD_MPLS_LABEL, &v, false);
	}
}

static void put_jump(const struct world *w, struct act_builder *b, unsigned int table)
{
	struct act_resubmit *r;
	struct act_u8 *g;

	if (oracle_chance(2) && table + 1 < N_TABLES) {
		g = act_put(b, ACT_GOTO_TABLE, sizeof *g);
		g->value = (uint8_t)(table + 1 + oracle_rnd(N_TABLES - table - 1));
		return;
	}
	r = act_put(b, ACT_RESUBMIT, sizeof *r);
	r->in_port = oracle_chance(6) ? 1 + oracle_rnd(N_PORTS) : OFPP_IN_PORT;
	if (w->use_loops && oracle_chance(6))
		r->table_id = (uint8_t)(oracle_chance(2) ? oracle_rnd(N_TABLES) : 0xff);
	else
		r->table_id = (uint8_t)(table + 1);
}


static void put_nested(const struct world *w, struct act_builder *b, unsigned int table)
{
	size_t nest = act_nest_begin(b, ACT_CLONE, sizeof(struct act_nest));

	oracle_put_acts(w, b, table, 1);
	act_nest_end(b, nest);
}

/* What may be in an action set. */
void oracle_put_set_acts(const struct world *w, struct act_builder *b, bool in_bucket)
{
	for (uint32_t n = oracle_rnd(3); n > 0; n--)
		switch (oracle_rnd(5)) {
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
	if (in_bucket || !oracle_chance(3))
		oracle_put_output(b, oracle_output(w), 0);
	if (!in_bucket && oracle_chance(5)) {
		struct act_group *group = act_put(b, ACT_GROUP, sizeof *group);

		group->group_id = 1 + oracle_rnd(N_GROUPS);
	}
}

static void put_write(const struct world *w, struct act_builder *b)
{
	size_t nest;

	if (oracle_chance(4))
		act_put(b, ACT_CLEAR_ACTIONS, sizeof(struct act));
	nest = act_nest_begin(b, ACT_WRITE_ACTIONS, sizeof(struct act_nest));
	oracle_put_set_acts(w, b, false);
	act_nest_end(b, nest);
}

static void put_reg_output(struct act_builder *b)
{
	struct act_output_reg *a = act_put(b, ACT_OUTPUT_REG, sizeof *a);

	a->src = reg_bits(oracle_rnd(2), 0, 16);
	a->max_len = UINT16_MAX;
}

static void put_check(struct act_builder *b)
{
	struct act_check_pkt_larger *a = act_put(b, ACT_CHECK_PKT_LARGER, sizeof *a);

	a->dst = reg_bits(0, 0, 1);
	a->pkt_len = (uint16_t)(60 + oracle_rnd(40));
}

static void put_one_act(const struct world *w, struct act_builder *b, unsigned int table, int level)
{
	struct act_cnt_ids *ttl;
	struct act_group *group;

	switch (oracle_rnd(20)) {
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
		group->group_id = 1 + oracle_rnd(N_GROUPS);
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
		if (!level && oracle_chance(3))
			act_put(b, ACT_EXIT, sizeof(struct act));
		break;
	case 16:
		oracle_put_output(b, 1 + oracle_rnd(N_PORTS), 14 + oracle_rnd(60));
		break;
	default:
		oracle_put_output(b, oracle_output(w), 0);
		break;
	}
}

void oracle_put_acts(const struct world *w, struct act_builder *b, unsigned int table,
	int level)
{
	if (!level && oracle_chance(12))
		return;		/* drop */
	for (uint32_t n = 1 + oracle_rnd(4); n > 0; n--)
		put_one_act(w, b, table, level);
	if (w->use_check && !level && table == N_TABLES - 1 && oracle_chance(3)) {
		put_check(b);
		put_reg_output(b);
		oracle_put_output(b, 1 + oracle_rnd(N_PORTS), 0);
	}
	/* Most rules of the first tables lead on. */
	if (!level && table + 1 < N_TABLES && !oracle_chance(3))
		put_jump(w, b, table);
	else if (!level && !oracle_chance(3))
		oracle_put_output(b, oracle_output(w), 0);
}
