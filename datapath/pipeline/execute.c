/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/execute.h"

#include <errno.h>

#include "datapath/pipeline/execute_private.h"
#include "datapath/pipeline/meter.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/flow_parse.h"
#include "lib/hash.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

/* sample: so many of 65536; OpenFlow's field ends at 65535, which means always. */
#define SAMPLE_ALWAYS 65535

/* One execute(). */
struct run {
	struct exec_env *env;
	bool taken;			/* Some copy went to a callback. */
	enum drop_reason reason;	/* The first met. */
};

/* Where in the run: a program and the packet it works on, which it owns. */
struct walk {
	struct run *run;
	struct packet *packet;	/* NULL once it ended. */
	bool is_main;		/* The packet received, no copy. */
	uint32_t truncate;	/* Of the next output; 0: none. */
};

static void run_list(struct run *run, const struct op *ops, uint32_t len, struct packet *packet,
	bool is_main);

static void note(struct run *run, enum drop_reason reason)
{
	if (run->reason == DROP_NONE)
		run->reason = reason;
}

/* The walk's packet ends here. */
static void end(struct walk *w)
{
	struct run *run = w->run;

	if (w->is_main && !run->taken) {
		note(run, DROP_ACTION);
		run->env->dropped(run->env, run->reason, w->packet);
	}
	run->env->ops->free(run->env->ops_aux, w->packet);
	w->packet = NULL;
}

static void fail(struct walk *w, enum drop_reason reason)
{
	note(w->run, reason);
	end(w);
}

/* The packet, for a callback that takes it over: itself if OP is the last, else a copy, NULL if there
 * is no memory for one. */
static struct packet *hand_over(struct walk *w, const struct op *op, bool is_last)
{
	struct exec_env *env = w->run->env;
	struct packet *packet = w->packet;

	if (is_last) {
		w->packet = NULL;
		return packet;
	}
	packet = env->ops->clone(env->ops_aux, w->packet);
	if (!packet) {
		note(w->run, DROP_NO_MEMORY);
		if (env->copy_lost)
			env->copy_lost(env, op);
	}
	return packet;
}

static bool make_writable(struct walk *w)
{
	struct exec_env *env = w->run->env;
	struct packet *copy;

	if (!w->packet->shared)
		return true;
	copy = env->ops->clone(env->ops_aux, w->packet);
	if (!copy) {
		fail(w, DROP_NO_MEMORY);
		return false;
	}
	env->ops->free(env->ops_aux, w->packet);
	w->packet = copy;
	return true;
}

static uint32_t packet_hash(struct packet *packet)
{
	if (!packet->hash)
		packet->hash = packet_hash_flow(packet);
	return packet->hash;
}

/* ------------------------------------------------------------------ output and control */

/* A stump: what its lengths and checksums were promised for is gone. */
static void cut(struct run *run, struct packet *packet, uint32_t len)
{
	len = MAX(len, (uint32_t)ETH_HEADER_LEN);
	if (len >= packet->len)
		return;
	run->env->ops->truncate(run->env->ops_aux, packet, len);
	packet->offload &= (uint8_t)~PACKET_CSUM_PARTIAL;
	packet->gso_type = PACKET_GSO_NONE;
	packet->gso_size = 0;
}

static void do_output(struct walk *w, const struct op_output *op, bool is_last)
{
	struct packet *packet = hand_over(w, &op->op, is_last);

	if (packet) {
		if (w->truncate)
			cut(w->run, packet, w->truncate);
		w->run->taken = true;
		w->run->env->output(w->run->env, op->port, packet);
	}
	w->truncate = 0;
}

static void do_punt(struct walk *w, const struct op_punt *op, bool is_last)
{
	struct packet *packet = hand_over(w, &op->op, is_last);

	if (packet) {
		w->run->taken = true;
		w->run->env->punt(w->run->env, op, packet);
	}
}

/* A copy to look at does not settle what becomes of the packet; the packet itself does. */
static void do_to_control(struct walk *w, const struct op *op, bool is_last)
{
	struct packet *packet = hand_over(w, op, is_last);

	if (packet) {
		if (is_last || op->type == OP_NEIGH_HOLD)
			w->run->taken = true;
		w->run->env->to_control(w->run->env, op, packet);
	}
}

/* ------------------------------------------------------------------ nested programs */

/* Runs OPS[LEN], nested in OP. */
static void run_nested(struct walk *w, const struct op *op, const struct op *ops, uint32_t len,
	bool is_last)
{
	bool is_main = w->is_main && is_last;
	struct packet *packet;

	if (!len && !is_last)
		return;
	packet = hand_over(w, op, is_last);
	if (packet)
		run_list(w->run, ops, len, packet, is_main);
}

static void run_nest(struct walk *w, const struct op *nest_, bool is_last)
{
	const struct op_nest *nest = (const void *)nest_;

	run_nested(w, nest_, nest->ops, op_nest_len(nest), is_last);
}

static void do_sample(struct walk *w, const struct op_sample *op, bool is_last)
{
	struct exec_env *env = w->run->env;

	if (op->probability < SAMPLE_ALWAYS && (env->random(env) & 0xffff) >= op->probability)
		return;
	if (env->sample)
		env->sample(env, op, w->packet);
	if (op->op.len > sizeof *op)
		run_nested(w, &op->op, op->ops, op->op.len - (uint32_t)sizeof *op, is_last);
}

static void do_select(struct walk *w, const struct op_select *op, bool is_last)
{
	uint32_t hash = hash_u32(packet_hash(w->packet), op->basis);
	uint16_t bucket = op->slots[hash & (op->n_slots - 1u)];
	const struct op *nest = op_select_buckets(op);

	if (bucket >= op->n_buckets) {
		note(w->run, DROP_GROUP_NO_BUCKET);
		return;
	}
	while (bucket--)
		nest = op_next(nest);
	run_nest(w, nest, is_last);
}

static void do_check_len(struct walk *w, const struct op_check_len *op, bool is_last)
{
	const struct op *nest = op->ops;

	if (exec_wire_len(w->packet) <= op->frame_len)
		nest = op_next(nest);
	run_nest(w, nest, is_last);
}

/* ------------------------------------------------------------------ meters and tunnels */

static void do_meter(struct walk *w, const struct op_meter *op)
{
	const struct pl_bridge *bridge = op->bridge < PL_MAX_BRIDGES
		? rcu_get(&pipeline.bridges[op->bridge]) : NULL;
	struct pl_meter *meter = bridge ? pl_meter_lookup(bridge, op->meter) : NULL;
	uint8_t prec_level = 0;

	if (!meter)
		return;
	switch (meter_run(meter, w->packet->len, w->run->env->now_us, &prec_level)) {
	case METER_PASS:
		break;
	case METER_DROP:
		fail(w, DROP_METER);
		break;
	case METER_REMARK:
		if (make_writable(w))
			exec_remark(w->packet, prec_level);
		break;
	}
}

/* The first of N. */
static uint32_t next_gre_seq(dp_port_t tunnel, uint32_t n)
{
	const struct pl_port *port = pl_port_get(tunnel);

	if (!port || !port->tunnel)
		return 0;
	return atomic_fetch_add_explicit((_Atomic uint32_t *)(uintptr_t)&port->tunnel->gre_seq, n,
		memory_order_relaxed);
}

static void do_tnl_push(struct walk *w, const struct op_tnl_push *op)
{
	uint32_t hash = packet_hash(w->packet);
	int err;

	if (!make_writable(w))
		return;
	if (w->truncate)
		cut(w->run, w->packet, w->truncate);
	w->truncate = 0;
	w->packet->n_pad = 0;
	err = tnl_header_push(w->packet, op->header, op->header_len, op->outer_l3_ofs,
		op->outer_l4_ofs, op->proto, op->csum, op->gre_seq, op->is_ipv6, hash,
		op->gre_seq ? next_gre_seq(op->tunnel, packet_n_pieces(w->packet)) : 0);
	if (err)
		fail(w, err == -ENOBUFS ? DROP_NO_HEADROOM : DROP_TNL_TOO_BIG);
	else if (op->may_fragment)
		w->packet->offload |= PACKET_MAY_FRAGMENT;
}

/* PACKET, which this takes over, ends in W's run without having gone anywhere. */
static void fail_copy(struct walk *w, struct packet *packet, enum drop_reason reason, bool is_last)
{
	if (is_last) {
		w->packet = packet;
		fail(w, reason);
	} else {
		note(w->run, reason);
		w->run->env->ops->free(w->run->env->ops_aux, packet);
	}
}

/* PACKET, which this takes over, comes out of a tunnel of TYPE. */
static void pop(struct walk *w, struct packet *packet, enum tnl_type type, bool is_last)
{
	struct exec_env *env = w->run->env;
	const struct tnl_port *port;
	int err;

	err = tnl_header_pop(packet, type, w->run->env->ops);
	if (err) {
		fail_copy(w, packet, err == -EBADMSG ? DROP_TNL_BAD_CSUM : DROP_TNL_BAD_HEADER,
			is_last);
		return;
	}
	port = tnl_port_lookup(type, packet->tunnel.tp_dst, &packet->tunnel);
	if (!port) {
		fail_copy(w, packet, DROP_TNL_NO_PORT, is_last);
		return;
	}
	packet->hash = 0;
	packet->n_pad = 0;
	w->run->taken = true;
	env->recirculate(env, port->dp_port, packet);
}

static void do_tnl_pop(struct walk *w, const struct op_tnl_pop *op, bool is_last)
{
	struct packet *packet;

	if (!make_writable(w))
		return;
	packet = hand_over(w, &op->op, is_last);
	if (packet)
		pop(w, packet, op->type, is_last);
}

/* PACKET, which this takes over, is the host's own and no tunnel's. */
static void deliver(struct walk *w, struct packet *packet, dp_port_t port, bool is_last)
{
	if (!port) {
		fail_copy(w, packet, DROP_TNL_NO_PORT, is_last);
		return;
	}
	if (packet->l3_ofs != PACKET_NO_OFS) {
		packet->outer_l3_ofs = packet->l3_ofs;
		packet->offload |= PACKET_MAY_FRAGMENT;
	}
	w->run->taken = true;
	w->run->env->output(w->run->env, port, packet);
}

static void do_tnl_reassemble(struct walk *w, const struct op_tnl_reassemble *op, bool is_last)
{
	struct exec_env *env = w->run->env;
	struct packet *packet;
	enum tnl_type type;
	struct flow flow;

	if (!make_writable(w))
		return;
	packet = hand_over(w, &op->op, is_last);
	if (packet && env->reassemble) {
		packet = env->reassemble(env, packet);
		w->run->taken |= !packet;
	}
	if (!packet)
		return;
	if (!flow_extract(packet, &flow) && !flow.nw_frag &&
		tnl_port_listens(flow.nw_proto, flow.nw_proto == IP_P_UDP ? flow.tp_dst : 0, &type))
		pop(w, packet, type, is_last);
	else
		deliver(w, packet, op->port, is_last);
}

static void do_resume(struct walk *w, const struct op_resume *op, bool is_last)
{
	struct packet *packet = hand_over(w, &op->op, is_last);

	if (packet) {
		w->run->taken = true;
		w->run->env->resume(w->run->env, op, packet);
	}
}

/* ------------------------------------------------------------------ one after the other */

static enum drop_reason change(struct packet *packet, const struct op *op)
{
	const void *p = op;

	switch ((enum op_type)op->type) {
	case OP_SET_ETH:
		return exec_set_eth(packet, p);
	case OP_SET_ETH_TYPE:
		return exec_set_eth_type(packet, (be16)((const struct op_u32 *)p)->value);
	case OP_PUSH_VLAN:
		return exec_push_vlan(packet, p);
	case OP_POP_VLAN:
		return exec_pop_vlan(packet);
	case OP_SET_VLAN:
		return exec_set_vlan(packet, p);
	case OP_SET_IPV4:
		return exec_set_ipv4(packet, p);
	case OP_SET_IPV6:
		return exec_set_ipv6(packet, p);
	case OP_SET_TP:
		return exec_set_tp(packet, p);
	case OP_SET_ARP:
		return exec_set_arp(packet, p);
	case OP_SET_ND:
		return exec_set_nd(packet, p);
	case OP_PUSH_MPLS:
		return exec_push_mpls(packet, p);
	case OP_POP_MPLS:
		return exec_pop_mpls(packet, p);
	case OP_SET_MPLS:
		return exec_set_mpls(packet, p);
	case OP_COPY_TTL:
		return exec_copy_ttl(packet, ((const struct op_u32 *)p)->value);
	case OP_PUSH_PBB:
		return exec_push_pbb(packet, p);
	case OP_POP_PBB:
		return exec_pop_pbb(packet);
	case OP_SET_PBB:
		return exec_set_pbb(packet, p);
	default:
		return DROP_ACTION_MISMATCH;
	}
}

static void do_change(struct walk *w, const struct op *op)
{
	enum drop_reason reason;

	if (!make_writable(w))
		return;
	reason = change(w->packet, op);
	if (reason != DROP_NONE)
		fail(w, reason);
}

static void do_one(struct walk *w, const struct op *op, bool is_last)
{
	const void *p = op;

	switch ((enum op_type)op->type) {
	case OP_OUTPUT:
		do_output(w, p, is_last);
		break;
	case OP_SET_META:
		w->packet->pkt_mark = ((const struct op_meta *)p)->pkt_mark;
		w->packet->queue = ((const struct op_meta *)p)->queue;
		break;
	case OP_TRUNCATE:
		w->truncate = ((const struct op_u32 *)p)->value;
		break;
	case OP_CLONE:
		run_nest(w, op, is_last);
		break;
	case OP_SAMPLE:
		do_sample(w, p, is_last);
		break;
	case OP_SELECT:
		do_select(w, p, is_last);
		break;
	case OP_CHECK_LEN:
		do_check_len(w, p, is_last);
		break;
	case OP_METER:
		do_meter(w, p);
		break;
	case OP_TNL_PUSH:
		do_tnl_push(w, p);
		break;
	case OP_TNL_POP:
		do_tnl_pop(w, p, is_last);
		break;
	case OP_TNL_REASSEMBLE:
		do_tnl_reassemble(w, p, is_last);
		break;
	case OP_RESUME:
		do_resume(w, p, is_last);
		break;
	case OP_PUNT:
		do_punt(w, p, is_last);
		break;
	case OP_NEIGH_HOLD:
	case OP_NEIGH_SNOOP:
	case OP_L2_PROTO:
		do_to_control(w, op, is_last);
		break;
	case OP_DROP:
		fail(w, (enum drop_reason)((const struct op_u32 *)p)->value);
		break;
	default:
		do_change(w, op);
		break;
	}
}

static void run_list(struct run *run, const struct op *ops, uint32_t len, struct packet *packet,
	bool is_main)
{
	const struct op *op = ops, *stop = (const struct op *)((const char *)ops + len);
	struct walk w = {.run = run, .packet = packet, .is_main = is_main};

	while (op < stop && w.packet) {
		const struct op *next = op_next(op);

		do_one(&w, op, next >= stop);
		op = next;
	}
	if (w.packet)
		end(&w);
}

void execute(struct exec_env *env, const struct op *ops, uint32_t len, struct packet *packet)
{
	struct run run = {.env = env};

	run_list(&run, ops, len, packet, true);
}
