/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the naive switch's two files share: its state and a packet's (naive_switch.c has tables, ports,
 * NORMAL and groups; naive_actions.c runs actions and action sets).
 */

#include "datapath/pipeline/pipeline.h"
#include "lib/vec.h"
#include "tests/support/naive_packet.h"
#include "tests/support/naive_switch.h"

struct naive_acts {
	struct act *acts;
	size_t len;
};

struct naive_rule {
	uint32_t id;
	unsigned int bridge;
	uint8_t table;
	int priority;
	struct match match;
	struct naive_acts acts;
};

struct naive_group {
	unsigned int bridge;
	uint32_t id;
	bool all;
	VEC(struct naive_acts) buckets;
};

struct naive_mac {
	unsigned int bridge;
	uint16_t vlan;
	struct eth_addr mac;
	ofp_port_t port;
};

typedef VEC(struct naive_port) port_vec;

struct naive {
	unsigned int n_bridges;
	port_vec *ports;	/* One a bridge. */
	VEC(struct naive_rule) rules;
	VEC(struct naive_group) groups;
	VEC(struct naive_mac) macs;
	bool unlabelled;	/* Of the packet now: some copy of it lost its labels. */
	bool tags_changed;	/* So: some copy of it had another number of tags or labels than it came with. */
};

/* A packet on its way through one bridge. */
struct naive_ctx {
	struct naive *naive;
	struct naive_result *result;
	unsigned int bridge;
	struct naive_packet p;
	uint8_t table;
	int depth;		/* Of resubmits. */
	int nest;		/* Of anything that could be counted as a level. */
	int *n_lookups;
	bool *error;		/* In this bridge. */
	bool exit;
	/* A label stack came off. Open vSwitch then parses again and has only one list of what is left
	 * to do: what ends a list early ends more. */
	bool unlabelled;
	int tags_in;		/* Tags and labels that the packet came with. */
	uint8_t set[4096];	/* Action set, as written. */
	size_t set_len;
	union field_value stack[64];
	unsigned int n_stack;
};

/* naive_switch.c */

struct naive_port *naive_find_port(const struct naive *n, unsigned int bridge, ofp_port_t port);
/* Tags and labels. */
int naive_count_tags(const struct naive_packet *p);
/* The packet leaves as it is, at most MAX_LEN bytes of it. */
void naive_emit(struct naive_ctx *c, dp_port_t port, uint32_t max_len);
/* By PORT or into its peer's bridge; PORT NULL: nowhere. */
void naive_output_to(struct naive_ctx *c, const struct naive_port *port, uint32_t max_len);
/* To all ports but where it came from; ALL: even to those that floods leave out. */
void naive_flood(struct naive_ctx *c, bool all);
void naive_normal(struct naive_ctx *c);
/* FROM_TABLE: that of the resubmit; 255: none. */
void naive_lookup(struct naive_ctx *c, ofp_port_t in_port, uint8_t table, uint8_t from_table);
/* False: no such group, which is an error. */
bool naive_run_group(struct naive_ctx *c, uint32_t id);

/* naive_actions.c */

void naive_run_acts(struct naive_ctx *c, const struct act *acts, size_t len);
void naive_run_set(struct naive_ctx *c);
