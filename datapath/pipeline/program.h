/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Programs: what to do with a packet, one contiguous immutable block of operations with no pointer
 * in it but to RCU objects named by dependencies (meters). Built by translation through struct
 * program_builder, run by execute(), printed for dpctl/dump-flows and ofproto/trace.
 *
 * Operations are records, struct op first, `len` bytes each, OP_ALIGN aligned. Header values are wire
 * order with a mask beside them; bits outside the mask are left alone. An executor that meets a packet
 * without the header in question counts DROP_ACTION_MISMATCH and ends (but goes on, unchanged, where only the
 * transport header or the end of ARP is missing). Checksums follow every change incrementally (a partial
 * checksum's pseudo-header too).
 *
 * Nested programs (clone, sample, select, check_len) work on a copy that is gone afterwards; the
 * packet goes on as it was. A nested program that is the last operation works on the packet itself.
 *
 * Threads: building is its builder's; a finished program may be read by any.
 */

#include "datapath/pipeline/drop.h"
#include "lib/flow.h"
#include "lib/packet.h"
#include "lib/sbuf.h"
#include "lib/util.h"

enum op_type {
	OP_OUTPUT,		/* struct op_output */
	OP_SET_ETH,		/* struct op_set_eth */
	OP_SET_ETH_TYPE,	/* struct op_u32: be16 in the low bits */
	OP_PUSH_VLAN,		/* struct op_vlan */
	OP_POP_VLAN,		/* struct op */
	OP_SET_VLAN,		/* struct op_vlan: outer tag's tci */
	OP_SET_IPV4,		/* struct op_set_ipv4 */
	OP_SET_IPV6,		/* struct op_set_ipv6 */
	OP_SET_TP,		/* struct op_set_tp: TCP, UDP or SCTP ports, ICMP type and code */
	OP_SET_ARP,		/* struct op_set_arp */
	OP_SET_ND,		/* struct op_set_nd */
	OP_PUSH_MPLS,		/* struct op_mpls */
	OP_POP_MPLS,		/* struct op_mpls: ethertype after */
	OP_SET_MPLS,		/* struct op_mpls: lse under mask */
	OP_COPY_TTL,		/* struct op_u32: between the outermost label and what is behind it; 1: out */
	OP_PUSH_PBB,		/* struct op_pbb */
	OP_POP_PBB,		/* struct op */
	OP_SET_PBB,		/* struct op_pbb */
	OP_SET_META,		/* struct op_meta: pkt_mark, queue for the ports that follow */
	OP_TRUNCATE,		/* struct op_u32: of the next output (or tunnel push) only */
	OP_CLONE,		/* struct op_nest */
	OP_SAMPLE,		/* struct op_sample */
	OP_SELECT,		/* struct op_select: one of several by hash */
	OP_CHECK_LEN,		/* struct op_check_len */
	OP_METER,		/* struct op_meter */
	OP_TNL_PUSH,		/* struct op_tnl_push */
	OP_TNL_POP,		/* struct op_tnl_pop: the inner frame (a copy's) comes in anew */
	OP_TNL_REASSEMBLE,	/* struct op_tnl_reassemble: a fragment (a copy) for an endpoint of tunnels */
	OP_RESUME,		/* struct op_resume: parse (a copy) again, go on translating */
	OP_PUNT,		/* struct op_punt: a copy to the controller */
	OP_NEIGH_HOLD,		/* struct op_neigh_hold: consumed until the neighbour is known */
	OP_NEIGH_SNOOP,		/* struct op_u32 (bridge id): ARP or ND reply, or a tunnel packet of a sender not
				 * yet known, for control to learn from */
	OP_L2_PROTO,		/* struct op_l2_proto: STP, RSTP, LACP, IGMP, MLD copy for control */
	OP_TNL_TOO_BIG,		/* struct op_tnl_too_big: in no program; beside a packet that was sent up */
	OP_DROP,		/* struct op_u32: enum drop_reason; ends the program */
	OP_N_TYPES,
};

#define OP_ALIGN 8

struct op {
	uint16_t type;		/* enum op_type. */
	uint16_t pad;
	uint32_t len;		/* Bytes of the record, a multiple of OP_ALIGN; nested ones included. */
} __attribute__((aligned(OP_ALIGN)));

struct op_u32 {
	struct op op;
	uint32_t value;
};

struct op_output {
	struct op op;
	dp_port_t port;		/* A device port. */
};

struct op_set_eth {
	struct op op;
	struct eth_addr dst, src;
	struct eth_addr dst_mask, src_mask;
};

struct op_vlan {
	struct op op;
	be16 tpid;
	be16 tci;		/* As on the wire; VLAN_PRESENT is not part of it (DEI 0). */
};

struct op_set_ipv4 {
	struct op op;
	be32 src, dst, src_mask, dst_mask;
	uint8_t tos, tos_mask, ttl, ttl_mask;
	uint8_t proto, proto_mask, pad[2];
};

struct op_set_ipv6 {
	struct op op;
	struct ipv6_addr src, dst, src_mask, dst_mask;
	be32 label, label_mask;
	uint8_t tos, tos_mask, ttl, ttl_mask;
	uint8_t proto, proto_mask, pad[2];
};

struct op_set_tp {
	struct op op;
	be16 src, dst, src_mask, dst_mask;	/* ICMP: type and code in the low byte. */
	uint8_t proto;			/* IPPROTO_* expected. */
	uint8_t pad[3];
};

struct op_set_arp {
	struct op op;
	be32 spa, tpa, spa_mask, tpa_mask;
	be16 op_code, op_mask;
	struct eth_addr sha, tha, sha_mask, tha_mask;
};

struct op_set_nd {
	struct op op;
	struct ipv6_addr target, target_mask;
	struct eth_addr sll, tll, sll_mask, tll_mask;
	be32 reserved, reserved_mask;
	uint8_t options_type, options_type_mask, pad[2];
};

struct op_mpls {
	struct op op;
	be16 ethertype;
	uint16_t pad;
	be32 lse, mask;
};

struct op_pbb {
	struct op op;
	be32 isid, mask;	/* Bits as flow.pbb_isid; of a push, the top three are the I-PCP. */
	be16 ethertype;
	uint16_t pad;
};

struct op_meta {
	struct op op;
	uint32_t pkt_mark, queue;
};

struct op_nest {
	struct op op;
	struct op ops[];	/* op.len - sizeof(struct op_nest) bytes. */
};

static inline uint32_t op_nest_len(const struct op_nest *nest)
{
	return nest->op.len - (uint32_t)sizeof *nest;
}

struct op_sample {
	struct op op;
	uint32_t probability;	/* Of 65536. */
	uint32_t collector_set_id, obs_domain_id, obs_point_id;
	struct op ops[];
};

/* Followed by n_slots uint16 slot -> bucket, padded to OP_ALIGN, then n_buckets OP_CLONE records. */
struct op_select {
	struct op op;
	uint32_t basis;
	uint16_t n_slots;	/* Power of 2. */
	uint16_t n_buckets;
	uint16_t slots[];	/* A slot of n_buckets or more: DROP_GROUP_NO_BUCKET. */
};

struct op_check_len {
	struct op op;
	uint32_t frame_len;
	uint32_t pad;
	struct op ops[];	/* Two OP_CLONE records: if the frame is longer than frame_len, if not. */
};

struct op_meter {
	struct op op;
	uint32_t bridge, meter;
};

/* The outer frame up to the inner one, prebuilt; see tunnel/tnl_header.h for what is mended. */
struct op_tnl_push {
	struct op op;
	dp_port_t tunnel;	/* The tunnel port, for its statistics. */
	uint16_t header_len;
	uint8_t outer_l3_ofs;
	uint8_t outer_l4_ofs;
	uint8_t proto;		/* IPPROTO_UDP or IPPROTO_GRE. */
	bool csum;		/* Compute the UDP or GRE checksum. */
	bool gre_seq;
	bool is_ipv6;
	bool may_fragment;
	uint8_t type;		/* enum tnl_type, for the text. */
	uint8_t header[];	/* header_len bytes, padded to OP_ALIGN. */
};

struct op_tnl_pop {
	struct op op;
	uint32_t type;		/* enum tnl_type: how to parse. */
};

/* Once its datagram is whole: as OP_TNL_POP if it is a tunnel's, else output to PORT (0: none), in fragments
 * again if need be. */
struct op_tnl_reassemble {
	struct op op;
	dp_port_t port;
};

/* Everything that a later translation needs to go on where this one stopped. */
struct op_resume {
	struct op op;
	uint32_t bridge;
	dp_port_t in_port;
	uint32_t acts_len;	/* Bytes of remaining action list after `metadata`. */
	uint32_t stack_len;	/* Then of the stack, */
	uint32_t action_set_len;	/* and of the action set. */
	uint32_t mirrors;	/* Already sent to. */
	uint8_t table_id;
	bool has_group;		/* The action set has a group. */
	bool use_table;		/* No actions are left: look up table_id. */
	uint8_t pad;
	struct flow metadata;	/* Registers, tunnel, in_port, ... (packet fields zero). */
	/* Then three runs of bytes, each padded to OP_ALIGN; the first and last are struct act. */
};

/* op_punt.reason and act_controller.reason: OpenFlow 1.4's numbers, then what later only reaches the
 * controller as NO_MATCH (or ACTION, before OpenFlow 1.3). */
enum punt_reason {
	PUNT_NO_MATCH,
	PUNT_ACTION,
	PUNT_INVALID_TTL,
	PUNT_ACTION_SET,
	PUNT_GROUP,
	PUNT_PACKET_OUT,
	PUNT_EXPLICIT_MISS,	/* Sent by a table-miss rule. */
	PUNT_IMPLICIT_MISS,	/* No rule matched. */
};

struct op_punt {
	struct op op;
	uint32_t bridge;
	uint16_t max_len;
	uint16_t controller_id;
	uint8_t reason;
	uint8_t table_id;
	uint16_t userdata_len;
	uint32_t meter_id;
	uint32_t pause_len;	/* Bytes of frozen state after userdata; 0: no pause. */
	be64 cookie;
	struct flow metadata;	/* Of the match in the packet-in. */
	/* Then userdata, padded to OP_ALIGN, then pause_len bytes: a struct op_resume. */
};

struct op_neigh_hold {
	struct op op;
	dp_port_t tunnel;	/* The tunnel port it was leaving by. */
	struct ipv6_addr next_hop;	/* IPv4 as ::ffff:a.b.c.d. */
	uint32_t bridge;	/* Underlay bridge whose local port asks. */
	/* The flow's tunnel fields as it met the output: control outputs it to `tunnel` again with them. */
	struct flow_tnl tnl __attribute__((packed, aligned(4)));
};

/* A tunnel's outer packet was longer than MTU of device PORT. */
struct op_tnl_too_big {
	struct op op;
	dp_port_t port;
	uint32_t mtu;
};

struct op_l2_proto {
	struct op op;
	uint32_t kind;		/* enum l2_proto: see translate.h. */
	dp_port_t port;
	uint32_t vlan;
};

struct program {
	uint32_t len;		/* Bytes of ops. */
	uint32_t n_outputs;	/* OP_OUTPUT reached on the straight way (not nested). */
	struct op ops[];
};

struct program_builder {
	struct sbuf buf;
};

void program_builder_init(struct program_builder *b);
void program_builder_uninit(struct program_builder *b);
void program_builder_clear(struct program_builder *b);
/* Appends a zeroed record of SIZE bytes (rounded up to OP_ALIGN); valid until the next call. */
void *program_put(struct program_builder *b, enum op_type type, size_t size);
/* Opens a record of SIZE bytes that holds others: put the inner ones, then end it. Returns a handle. */
size_t program_nest_begin(struct program_builder *b, enum op_type type, size_t size);
void program_nest_end(struct program_builder *b, size_t handle);
/* Makes the operations from START on the nested ones of a clone. */
void program_nest_around(struct program_builder *b, size_t start);

static inline const struct op *program_ops(const struct program_builder *b)
{
	return (const struct op *)(const void *)b->buf.data;
}

static inline uint32_t program_len(const struct program_builder *b)
{
	return (uint32_t)b->buf.len;
}

/* The record that HANDLE opened; valid until the next put. */
static inline void *program_at(const struct program_builder *b, size_t handle)
{
	return b->buf.data + handle;
}

static inline const struct op *op_next(const struct op *op)
{
	return (const struct op *)((const char *)op + op->len);
}

#define OP_FOR_EACH(POS, OPS, LEN) \
	for ((POS) = (OPS); (const char *)(POS) < (const char *)(OPS) + (LEN); (POS) = op_next(POS))

/* First of the bucket records of SELECT. */
static inline const struct op *op_select_buckets(const struct op_select *select)
{
	size_t slots_len = ROUND_UP(select->n_slots * sizeof select->slots[0], (size_t)OP_ALIGN);

	return (const struct op *)(const void *)((const char *)select + sizeof *select +
		slots_len);
}

/* Takes out what has no effect: a tag pushed and popped at once, empty clones, and a clone around the last
 * operations of all. */
void program_fold(struct program_builder *b);

/* In the words of `ovs-dpctl dump-flows` actions. PORT_NAME may be NULL. */
void program_format(const struct op *ops, size_t len, const char *(*port_name)(dp_port_t),
	struct sbuf *s);
