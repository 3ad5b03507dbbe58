/* SPDX-License-Identifier: Apache-2.0 */

/* Programs in the words of ovs-dpctl. Where it has no word (select, hold, ...) we have our own. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "datapath/pipeline/program.h"
#include "datapath/pipeline/program_format_private.h"
#include "datapath/pipeline/translate.h"
#include "lib/headers.h"
#include "tunnel/tnl_port.h"

struct format {
	const char *(*port_name)(dp_port_t port);
	struct sbuf *s;
};

static void format_list(const struct format *f, const struct op *ops, size_t len);

static void put_port(const struct format *f, dp_port_t port)
{
	const char *name = f->port_name ? f->port_name(port) : NULL;

	if (name)
		sbuf_puts(f->s, name);
	else
		sbuf_putf(f->s, "%" PRIu32, port);
}

static void put_vlan(struct sbuf *s, const struct op_vlan *op)
{
	unsigned int tci = be16toh(op->tci);

	if (op->tpid && op->tpid != htobe16(ETH_T_VLAN_8021Q))
		sbuf_putf(s, "tpid=0x%04x,", be16toh(op->tpid));
	sbuf_putf(s, "vid=%u,pcp=%u", tci & VLAN_VID_MASK, tci >> VLAN_PCP_SHIFT);
}

static void put_nest(const struct format *f, const char *word, const struct op_nest *nest)
{
	sbuf_putf(f->s, "%s(", word);
	format_list(f, nest->ops, op_nest_len(nest));
	sbuf_putc(f->s, ')');
}

static void put_sample(const struct format *f, const struct op_sample *op)
{
	sbuf_putf(f->s, "sample(sample=%.1f%%,actions(", op->probability * 100.0 / 65536);
	if (op->collector_set_id)
		sbuf_putf(f->s, "userspace(flow_sample(probability=%" PRIu32
			",collector_set_id=%" PRIu32 ",obs_domain_id=%" PRIu32
			",obs_point_id=%" PRIu32 "))", op->probability, op->collector_set_id,
			op->obs_domain_id, op->obs_point_id);
	if (op->op.len > sizeof *op) {
		if (op->collector_set_id)
			sbuf_putc(f->s, ',');
		format_list(f, op->ops, op->op.len - sizeof *op);
	}
	sbuf_puts(f->s, "))");
}

static void put_select(const struct format *f, const struct op_select *op)
{
	const struct op *bucket = op_select_buckets(op);

	sbuf_puts(f->s, "select(hash");
	for (unsigned int i = 0; i < op->n_buckets; i++, bucket = op_next(bucket)) {
		sbuf_putc(f->s, ',');
		put_nest(f, "bucket", (const void *)bucket);
	}
	sbuf_putc(f->s, ')');
}

static void put_check_len(const struct format *f, const struct op_check_len *op)
{
	const struct op *longer = op->ops, *not_longer = op_next(longer);

	sbuf_putf(f->s, "check_pkt_len(size=%" PRIu32 ",", op->frame_len);
	put_nest(f, "gt", (const void *)longer);
	sbuf_putc(f->s, ',');
	put_nest(f, "le", (const void *)not_longer);
	sbuf_putc(f->s, ')');
}

static void put_meta(struct sbuf *s, const struct op_meta *op)
{
	sbuf_putf(s, "set(skb_priority(%#" PRIx32 ")),set(skb_mark(%#" PRIx32 "))", op->queue,
		op->pkt_mark);
}

static void put_punt(struct sbuf *s, const struct op_punt *op)
{
	sbuf_putf(s, "userspace(pid=0,controller(reason=%u,dont_send=0,continuation=%d,recirc_id=0,"
		"rule_cookie=%#" PRIx64 ",controller_id=%u,max_len=%u))", op->reason,
		op->pause_len != 0, be64toh(op->cookie), op->controller_id, op->max_len);
}

static void put_neigh_hold(const struct format *f, const struct op_neigh_hold *op)
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};
	char text[INET6_ADDRSTRLEN] = "";

	if (!memcmp(op->next_hop.b, v4_prefix, sizeof v4_prefix))
		inet_ntop(AF_INET, op->next_hop.b + 12, text, sizeof text);
	else
		inet_ntop(AF_INET6, op->next_hop.b, text, sizeof text);
	sbuf_puts(f->s, "hold(tnl_port(");
	put_port(f, op->tunnel);
	sbuf_putf(f->s, "),next_hop=%s)", text);
}

static void put_l2_proto(struct sbuf *s, const struct op_l2_proto *op)
{
	static const char *const names[] = {
		[L2_PROTO_STP] = "stp", [L2_PROTO_RSTP] = "rstp", [L2_PROTO_LACP] = "lacp",
		[L2_PROTO_IGMP] = "igmp", [L2_PROTO_MLD] = "mld",
	};

	sbuf_putf(s, "userspace(pid=0,slow_path(%s))",
		op->kind < ARRAY_SIZE(names) ? names[op->kind] : "unknown");
}

static void put_tnl_push(const struct format *f, const struct op_tnl_push *op)
{
	sbuf_puts(f->s, "tnl_push(tnl_port(");
	put_port(f, op->tunnel);
	sbuf_puts(f->s, "),header(");
	program_format_outer(op, f->s);
	sbuf_puts(f->s, "))");
}

static void put_tnl_pop(const struct format *f, const struct op_tnl_pop *op)
{
	static const char *const names[TNL_N_TYPES] = {
		[TNL_VXLAN] = "vxlan_sys", [TNL_GRE] = "gre_sys", [TNL_GENEVE] = "genev_sys",
	};

	sbuf_putf(f->s, "tnl_pop(%s)", op->type < TNL_N_TYPES ? names[op->type] : "unknown");
}

static void put_mpls(struct sbuf *s, const struct op_mpls *op)
{
	sbuf_puts(s, "push_mpls(");
	program_format_lse(op->lse, BE32_MAX, s);
	sbuf_putf(s, ",eth_type=0x%04x)", be16toh(op->ethertype));
}

static uint32_t value_of(const struct op *op)
{
	return ((const struct op_u32 *)(const void *)op)->value;
}

static void put_one(const struct format *f, const struct op *op)
{
	struct sbuf *s = f->s;
	const void *p = op;

	switch ((enum op_type)op->type) {
	case OP_OUTPUT:
		put_port(f, ((const struct op_output *)p)->port);
		break;
	case OP_PUSH_VLAN:
		sbuf_puts(s, "push_vlan(");
		put_vlan(s, p);
		sbuf_putc(s, ')');
		break;
	case OP_POP_VLAN:
		sbuf_puts(s, "pop_vlan");
		break;
	case OP_SET_VLAN:
		sbuf_puts(s, "set(vlan(");
		put_vlan(s, p);
		sbuf_puts(s, "))");
		break;
	case OP_SET_ETH:
	case OP_SET_ETH_TYPE:
	case OP_SET_IPV4:
	case OP_SET_IPV6:
	case OP_SET_TP:
	case OP_SET_ARP:
	case OP_SET_ND:
	case OP_SET_MPLS:
	case OP_SET_PBB:
		program_format_set(op, s);
		break;
	case OP_PUSH_MPLS:
		put_mpls(s, p);
		break;
	case OP_POP_MPLS:
		sbuf_putf(s, "pop_mpls(eth_type=0x%x)",
			be16toh(((const struct op_mpls *)p)->ethertype));
		break;
	case OP_COPY_TTL:
		sbuf_puts(s, value_of(op) ? "copy_ttl_out" : "copy_ttl_in");
		break;
	case OP_PUSH_PBB:
		sbuf_putf(s, "push_pbb(isid=%#x)", be32toh(((const struct op_pbb *)p)->isid) &
			PBB_ISID_MASK);
		break;
	case OP_POP_PBB:
		sbuf_puts(s, "pop_pbb");
		break;
	case OP_SET_META:
		put_meta(s, p);
		break;
	case OP_TRUNCATE:
		sbuf_putf(s, "trunc(%" PRIu32 ")", value_of(op));
		break;
	case OP_CLONE:
		put_nest(f, "clone", p);
		break;
	case OP_SAMPLE:
		put_sample(f, p);
		break;
	case OP_SELECT:
		put_select(f, p);
		break;
	case OP_CHECK_LEN:
		put_check_len(f, p);
		break;
	case OP_METER:
		sbuf_putf(s, "meter(%" PRIu32 ")", ((const struct op_meter *)p)->meter);
		break;
	case OP_TNL_PUSH:
		put_tnl_push(f, p);
		break;
	case OP_TNL_POP:
		put_tnl_pop(f, p);
		break;
	case OP_TNL_REASSEMBLE:
		sbuf_puts(s, "tnl_reassemble");
		break;
	case OP_RESUME:
		sbuf_putf(s, "recirc(table=%u)", ((const struct op_resume *)p)->table_id);
		break;
	case OP_PUNT:
		put_punt(s, p);
		break;
	case OP_NEIGH_HOLD:
		put_neigh_hold(f, p);
		break;
	case OP_NEIGH_SNOOP:
		sbuf_puts(s, "userspace(pid=0,slow_path(neigh))");
		break;
	case OP_L2_PROTO:
		put_l2_proto(s, p);
		break;
	case OP_DROP:
		sbuf_puts(s, "drop");
		break;
	case OP_TNL_TOO_BIG:
	case OP_N_TYPES:
		break;
	}
}

static void format_list(const struct format *f, const struct op *ops, size_t len)
{
	const struct op *op;

	OP_FOR_EACH (op, ops, len) {
		if (op != ops)
			sbuf_putc(f->s, ',');
		put_one(f, op);
	}
}

void program_format(const struct op *ops, size_t len, const char *(*port_name)(dp_port_t),
	struct sbuf *s)
{
	const struct format f = {port_name, s};

	if (len)
		format_list(&f, ops, len);
	else
		sbuf_puts(s, "drop");
}
