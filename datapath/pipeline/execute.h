/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runs a program on a packet. Pure but for the callbacks of its environment, which send, punt, count
 * and give buffers back. Takes the packet over: when it returns, the packet has been given to one of
 * the callbacks or freed.
 *
 * The packet of one execute() ends once: if no copy of it went to a callback that takes it over,
 * dropped() is called once, with the reason met first (OP_DROP, a meter, a mismatch; DROP_ACTION if
 * the program just ended). If some copy did, a reason met elsewhere is not counted.
 *
 * Threads: any; the environment is the caller's.
 */

#include "datapath/pipeline/program.h"

struct exec_env {
	const struct packet_ops *ops;
	void *ops_aux;
	/* Send PACKET out of device PORT; takes it over. Counting a failure there is the port's. */
	void (*output)(struct exec_env *env, dp_port_t port, struct packet *packet);
	/* A copy for the controller; takes PACKET over. PUNT points into the program. */
	void (*punt)(struct exec_env *env, const struct op_punt *punt, struct packet *packet);
	/* The other things that end in control: OP_NEIGH_HOLD, OP_NEIGH_SNOOP, OP_L2_PROTO. Takes PACKET. */
	void (*to_control)(struct exec_env *env, const struct op *op, struct packet *packet);
	/* A decapsulated packet (tunnel set, data at the inner frame) that starts anew at tunnel port IN;
	 * takes PACKET over. */
	void (*recirculate)(struct exec_env *env, dp_port_t in, struct packet *packet);
	/* OP_TNL_REASSEMBLE: takes PACKET, a fragment, over; returns its datagram if that is whole now. NULL:
	 * not yet, or lost and counted. May be NULL: fragments stay what they are. */
	struct packet *(*reassemble)(struct exec_env *env, struct packet *packet);
	/* OP_RESUME: translate again from there. Takes PACKET over. */
	void (*resume)(struct exec_env *env, const struct op_resume *resume, struct packet *packet);
	/* OP_SAMPLE's flow record; does not take PACKET. May be NULL. */
	void (*sample)(struct exec_env *env, const struct op_sample *sample, const struct packet *packet);
	/* The packet ended; REASON is counted. Does not take it: the executor frees. */
	void (*dropped)(struct exec_env *env, enum drop_reason reason, const struct packet *packet);
	/* No memory for the copy that OP asked for: a transmit drop of its port if OP is an output. May be
	 * NULL. */
	void (*copy_lost)(struct exec_env *env, const struct op *op);
	uint32_t (*random)(struct exec_env *env);	/* Uniform 32 bits. */
	int64_t now_us;
};

/* Runs OPS[LEN] on PACKET, whose offsets are set (flow_extract). */
void execute(struct exec_env *env, const struct op *ops, uint32_t len, struct packet *packet);
