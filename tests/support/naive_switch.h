/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A switch as simple as can be, for comparison with the real one: rules in a list that is searched from
 * end to end, actions done on the packet's bytes one at a time, the packet parsed again after each.
 * No program, no mask, no cache, no dependencies. It shares with the real switch the packet parser, the
 * field table and the decoded actions, and nothing of translation, execution or classifier.
 *
 * What it can do: tables with resubmit and goto, the action set, groups of type all and indirect,
 * NORMAL on access and trunk ports, flooding, patch ports between its bridges, setting and moving
 * fields, VLAN tags and MPLS labels, TTL, clone, stack. A packet for which two right answers exist, or
 * which it does not know how to treat, is marked `unsupported`.
 *
 * For tests: one thread, aborts when out of memory.
 */

#include "datapath/pipeline/act.h"

#define NAIVE_MAX_FRAME 2048
/* More, and other limits of the real switch come into play. */
#define NAIVE_MAX_FRAMES 64

struct naive;

struct naive_port {
	ofp_port_t ofp_port;
	dp_port_t dp_port;
	uint32_t config;	/* PL_PORT_*. */
	int access_vlan;	/* -1: trunk. */
	int peer_bridge;	/* -1: no patch port. */
	ofp_port_t peer_port;
};

struct naive_frame {
	dp_port_t port;		/* 0: to the controller. */
	uint32_t len;
	uint8_t data[NAIVE_MAX_FRAME];
};

struct naive_result {
	unsigned int n_frames;
	struct naive_frame frames[NAIVE_MAX_FRAMES];
	bool unsupported;
};

struct naive *naive_create(unsigned int n_bridges);
void naive_destroy(struct naive *naive);

/* Adds a port, or changes the one with this number. */
void naive_set_port(struct naive *naive, unsigned int bridge, const struct naive_port *port);
/* Adds a rule; ID is the caller's, to change or remove it. MATCH and ACTS are copied. */
void naive_add_rule(struct naive *naive, unsigned int bridge, uint32_t id, uint8_t table,
	int priority, const struct match *match, const struct act *acts, size_t len);
void naive_set_actions(struct naive *naive, uint32_t id, const struct act *acts, size_t len);
void naive_remove_rule(struct naive *naive, uint32_t id);
/* Adds or replaces a group; buckets are given one by one. ALL false: indirect (the first bucket). */
void naive_set_group(struct naive *naive, unsigned int bridge, uint32_t id, bool all);
void naive_add_bucket(struct naive *naive, unsigned int bridge, uint32_t id, const struct act *acts,
	size_t len);

/* A frame comes in by OFP_PORT: what goes out. */
void naive_receive(struct naive *naive, unsigned int bridge, ofp_port_t ofp_port, const void *frame,
	uint32_t len, struct naive_result *result);

/* After a packet it could not follow: what the other switch has learned. */
void naive_forget_macs(struct naive *naive);
void naive_learn_mac(struct naive *naive, unsigned int bridge, uint16_t vlan, struct eth_addr mac,
	ofp_port_t port);
