/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A packet that is nothing but its bytes and its metadata, for the naive switch. Every change is made
 * at once, byte by byte, with the checksums beside it.
 */

#include "lib/field.h"
#include "lib/flow.h"

struct naive_packet {
	uint8_t data[2048];
	uint32_t len;
	bool is_runt;		/* Came with less than 60 bytes. */
	struct flow meta;	/* Only what is not in the bytes. */
	be16 under_labels;	/* Type that the first label pushed here hides; 0 none. */
};

/* All fields: the bytes' and the metadata. Two tags are parsed. */
struct flow naive_parse(const struct naive_packet *p);
/* Stores FLOW's value of field ID, into the bytes or the metadata. *BAD if the packet has no place for
 * it. */
void naive_write(struct naive_packet *p, enum field_id id, const struct flow *flow, bool *bad);

unsigned int naive_n_tags(const struct naive_packet *p);
uint16_t naive_tci(const struct naive_packet *p);	/* Of the outer tag. */
void naive_push_vlan(struct naive_packet *p, uint16_t tpid);
void naive_pop_vlan(struct naive_packet *p);
void naive_set_vlan(struct naive_packet *p, uint16_t value, uint16_t mask);
void naive_push_mpls(struct naive_packet *p, be16 ethertype, bool *bad);
void naive_pop_mpls(struct naive_packet *p, be16 ethertype, bool *bad);
