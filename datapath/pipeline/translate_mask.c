/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which bits of a packet translation may look at: the sum over all rules, actions, VLAN modes and hashes
 * that can be reached. Always at least what a translation looks at, often more; its exactness costs
 * cache hits, its completeness is a matter of correctness, so whatever is added to translation that
 * reads or writes a field must be added here.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

#define MAX_GROUP_DEPTH 8

struct mask_walk {
	struct flow *mask;
	unsigned long *seen;		/* Bridges. */
	struct pl_bridge *bridge;	/* The one being looked at. */
};

static void mask_eth(struct flow *mask)
{
	memset(&mask->dl_src, 0xff, sizeof mask->dl_src);
	memset(&mask->dl_dst, 0xff, sizeof mask->dl_dst);
}

static void mask_vlans(struct flow *mask)
{
	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		mask->vlans[i].tpid = mask->vlans[i].tci = BE16_MAX;
}

static void mask_addresses(struct flow *mask)
{
	mask->nw_src = mask->nw_dst = BE32_MAX;
	memset(&mask->ipv6_src, 0xff, sizeof mask->ipv6_src);
	memset(&mask->ipv6_dst, 0xff, sizeof mask->ipv6_dst);
}

static void mask_ports(struct flow *mask)
{
	mask->tp_src = mask->tp_dst = BE16_MAX;
}

static void mask_mpls(struct flow *mask)
{
	memset(mask->mpls_lse, 0xff, sizeof mask->mpls_lse);
	mask->nw_tos = mask->nw_ttl = 0xff;
}

static void mask_hash(struct flow *mask)
{
	mask_eth(mask);
	mask_vlans(mask);
	mask_addresses(mask);
	mask_ports(mask);
}

/* What decides whether a field of this kind is there. */
static void mask_prereq(enum field_prereq prereq, struct flow *mask)
{
	switch (prereq) {
	case FIELD_PRE_VLAN_VID:
		for (int i = 0; i < FLOW_MAX_VLANS; i++)
			mask->vlans[i].tci |= htobe16(VLAN_PRESENT);
		break;
	case FIELD_PRE_ICMPV4:
	case FIELD_PRE_ICMPV6:
	case FIELD_PRE_ND:
	case FIELD_PRE_ND_SOLICIT:
	case FIELD_PRE_ND_ADVERT:
		mask_ports(mask);
		break;
	default:	/* Types and protocols are always looked at. */
		break;
	}
}

static void mask_field(const struct field *f, struct flow *mask)
{
	mask_prereq(f->prereq, mask);
	field_unwildcard(f, mask);
	/* Tags move when there is one more or less. */
	if (f->id >= FIELD_VLAN_TCI && f->id <= FIELD_VLAN_PCP)
		mask_vlans(mask);
	if (f->id >= FIELD_MPLS_LABEL && f->id <= FIELD_MPLS_TTL)
		mask_mpls(mask);
	/* ICMP's type and code go together. */
	if (f->id >= FIELD_ICMPV4_TYPE && f->id <= FIELD_ICMPV6_CODE)
		mask_ports(mask);
}

static void mask_normal(struct flow *mask)
{
	mask_eth(mask);
	mask_vlans(mask);
	mask->nw_src = mask->nw_dst = BE32_MAX;		/* Gratuitous ARP. */
	memset(&mask->ipv6_dst, 0xff, sizeof mask->ipv6_dst);	/* Multicast snooping. */
	mask->tp_src = BE16_MAX;
}

static void mask_acts(struct mask_walk *walk, const struct act *acts, size_t len, int depth);

static void mask_group(struct mask_walk *walk, uint32_t id, int depth)
{
	const struct pl_group *group = pl_group_lookup(walk->bridge, id);

	if (!group || depth >= MAX_GROUP_DEPTH)
		return;
	if (group->type == PL_GROUP_SELECT) {
		mask_hash(walk->mask);
		flow_mask_or(walk->mask, &group->fields_mask);
	}
	for (uint32_t i = 0; i < group->n_buckets; i++)
		mask_acts(walk, group->buckets[i].acts, group->buckets[i].acts_len, depth + 1);
}

static void mask_learn(const struct act_learn *learn, struct flow *mask)
{
	for (uint32_t i = 0; i < learn->n_specs; i++)
		if (learn->specs[i].src_type == ACT_LEARN_SRC_FIELD)
			mask_field(learn->specs[i].src.field, mask);
	if (learn->flags & ACT_LEARN_WRITE_RESULT)
		mask_field(learn->result_dst.field, mask);
}

static void mask_output(ofp_port_t port, struct flow *mask)
{
	if (port == OFPP_NORMAL)
		mask_normal(mask);
}

static void mask_act(struct mask_walk *walk, const struct act *act, int depth)
{
	struct flow *mask = walk->mask;

	switch (act->type) {
	case ACT_OUTPUT:
		mask_output(((const struct act_output *)act)->port, mask);
		break;
	case ACT_GROUP:
		mask_group(walk, ((const struct act_group *)act)->group_id, depth);
		break;
	case ACT_OUTPUT_REG:
		/* To NORMAL, perhaps. */
		mask_normal(mask);
		mask_field(((const struct act_output_reg *)act)->src.field, mask);
		break;
	case ACT_BUNDLE: {
		const struct act_bundle *bundle = (const struct act_bundle *)act;

		mask_hash(mask);
		for (unsigned int i = 0; i < bundle->n_members; i++)
			mask_output(bundle->members[i], mask);
		if (bundle->dst.field)
			mask_field(bundle->dst.field, mask);
		break;
	}
	case ACT_MULTIPATH:
		mask_hash(mask);
		mask_field(((const struct act_multipath *)act)->dst.field, mask);
		break;
	case ACT_SET_FIELD:
		mask_field(((const struct act_set_field *)act)->field, mask);
		break;
	case ACT_REG_MOVE:
		mask_field(((const struct act_reg_move *)act)->src.field, mask);
		mask_field(((const struct act_reg_move *)act)->dst.field, mask);
		break;
	case ACT_STACK_PUSH:
	case ACT_STACK_POP:
		mask_field(((const struct act_stack *)act)->subfield.field, mask);
		break;
	case ACT_SET_VLAN_VID:
	case ACT_SET_VLAN_PCP:
	case ACT_STRIP_VLAN:
	case ACT_PUSH_VLAN:
		mask_vlans(mask);
		break;
	case ACT_SET_ETH_SRC:
		memset(&mask->dl_src, 0xff, sizeof mask->dl_src);
		break;
	case ACT_SET_ETH_DST:
		memset(&mask->dl_dst, 0xff, sizeof mask->dl_dst);
		break;
	case ACT_SET_IPV4_SRC:
	case ACT_SET_IPV4_DST:
		mask_addresses(mask);
		break;
	case ACT_SET_IP_DSCP:
	case ACT_SET_IP_ECN:
		mask->nw_tos = 0xff;
		break;
	case ACT_SET_IP_TTL:
	case ACT_DEC_TTL:
		mask->nw_ttl = 0xff;
		break;
	case ACT_SET_L4_SRC_PORT:
	case ACT_SET_L4_DST_PORT:
		mask_ports(mask);
		break;
	case ACT_COPY_TTL_IN:
	case ACT_COPY_TTL_OUT:
	case ACT_PUSH_MPLS:
	case ACT_POP_MPLS:
	case ACT_SET_MPLS_LABEL:
	case ACT_SET_MPLS_TC:
	case ACT_SET_MPLS_TTL:
	case ACT_DEC_MPLS_TTL:
		mask_mpls(mask);
		break;
	case ACT_PUSH_PBB:
		mask_vlans(mask);
		mask->pbb_isid = BE32_MAX;
		break;
	case ACT_POP_PBB:
		mask->pbb_isid = BE32_MAX;
		break;
	case ACT_DELETE_FIELD:
		mask_field(((const struct act_field *)act)->field, mask);
		break;
	case ACT_ENQUEUE:
	case ACT_SET_QUEUE:
	case ACT_POP_QUEUE:
		mask->queue = mask->pkt_mark = UINT32_MAX;
		break;
	case ACT_FIN_TIMEOUT:
		mask->tcp_flags = BE16_MAX;
		break;
	case ACT_LEARN:
		mask_learn((const struct act_learn *)act, mask);
		break;
	case ACT_CLONE:
	case ACT_WRITE_ACTIONS:
		mask_acts(walk, ((const struct act_nest *)act)->acts,
			act_nest_len((const struct act_nest *)act), depth);
		break;
	case ACT_CHECK_PKT_LARGER:
		mask_field(((const struct act_check_pkt_larger *)act)->dst.field, mask);
		break;
	default:
		break;
	}
}

static void mask_acts(struct mask_walk *walk, const struct act *acts, size_t len, int depth)
{
	const struct act *act;

	ACT_FOR_EACH (act, acts, len)
		mask_act(walk, act, depth);
}

/* ---------------------------------------------------------------- bridges */

static void mask_bridge(struct mask_walk *walk, struct pl_bridge *bridge);

static void mask_table(struct mask_walk *walk, struct pl_table *table, version_t version)
{
	const struct pl_actions *actions;
	struct cls_cursor cursor;
	struct cls_rule *cr;

	if (!classifier_count(table->cls))
		return;
	classifier_mask_union(table->cls, walk->mask);
	cls_cursor_init(&cursor, table->cls, NULL, version);
	while ((cr = cls_cursor_next(&cursor))) {
		struct pl_rule *rule = container_of(cr, struct pl_rule, cr);

		actions = rcu_get(&rule->actions);
		mask_acts(walk, actions->acts, actions->len, 0);
	}
}

static void mask_ports_of(struct mask_walk *walk, const struct pl_bridge_conf *conf)
{
	struct flow *mask = walk->mask;

	for (size_t i = 0; i < conf->n_ports; i++) {
		const struct pl_port *port = &conf->ports[i], *peer;

		if (port->kind == PL_PORT_TUNNEL) {
			/* Inherited TOS and TTL; and ECN both ways. */
			mask->nw_tos = mask->nw_ttl = 0xff;
			mask->pkt_mark = mask->queue = UINT32_MAX;
		} else if (port->kind == PL_PORT_PATCH) {
			peer = port->peer ? pl_port_get(port->peer) : NULL;
			if (peer && peer->bridge)
				mask_bridge(walk, peer->bridge);
		} else if (port->is_internal) {
			/* A tunnel may end there; neighbours are learned there. */
			mask_eth(mask);
			mask_addresses(mask);
			mask_ports(mask);
			memset(&mask->arp_sha, 0xff, sizeof mask->arp_sha);
			memset(&mask->arp_tha, 0xff, sizeof mask->arp_tha);
			memset(&mask->nd_target, 0xff, sizeof mask->nd_target);
		}
		if (port->config & (PL_PORT_NO_RECV | PL_PORT_NO_RECV_STP) ||
			port->stp != (PL_PORT_LEARNS | PL_PORT_FORWARDS))
			mask_eth(mask);
	}
}

static void mask_bridge(struct mask_walk *walk, struct pl_bridge *bridge)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(bridge);
	const struct field_tlv_map *old_map;
	struct pl_bridge *old = walk->bridge;

	if (bitmap_is_set(walk->seen, bridge->id))
		return;
	bitmap_set(walk->seen, bridge->id);
	walk->bridge = bridge;
	old_map = field_tlv_use(rcu_get(&bridge->tun_table));
	for (unsigned int i = 0; i < PL_N_TABLES; i++) {
		mask_table(walk, &bridge->tables[i], version_get());
		mask_table(walk, &bridge->tables[i], version_next());
	}
	if (conf) {
		if (conf->n_mirrors)
			mask_normal(walk->mask);
		if (conf->stp)
			mask_eth(walk->mask);
		mask_ports_of(walk, conf);
	}
	field_tlv_use(old_map);
	walk->bridge = old;
}

void translate_key_mask(const struct pl_port *port, struct flow *mask)
{
	unsigned long seen[BITMAP_N_WORDS(PL_MAX_BRIDGES)];
	struct mask_walk walk = {.mask = mask, .seen = seen};

	memset(seen, 0, sizeof seen);
	memset(mask, 0, sizeof *mask);
	mask->in_port = UINT32_MAX;
	mask->dl_type = BE16_MAX;
	mask->nw_frag = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
	mask->nw_proto = 0xff;
	if (port->kind == PL_PORT_TUNNEL)
		memset(&mask->tunnel, 0xff, sizeof mask->tunnel);
	mask_bridge(&walk, port->bridge);
	/* What is not of the packet. */
	mask->metadata = 0;
	memset(mask->regs, 0, sizeof mask->regs);
	mask->actset_output = mask->conj_id = mask->recirc_id = mask->dp_hash = 0;
	mask->packet_type = 0;
	memset(&mask->ct_state, 0, offsetof(struct flow, dl_dst) - offsetof(struct flow, ct_state));
}
