/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What of a packet's key the exact cache is asked by, per input port and key class: the bits that
 * translations of packets from that port have looked at so far. A pipeline that reads only Ethernet
 * addresses then has one entry per pair of them, however many connections they carry.
 *
 * It grows as translations need more (whole bytes at a time, so that it does not grow often) and every
 * growth begins an epoch, which is part of the key (its outer id): entries of before are found no more. Nothing depends on
 * anybody foreseeing it: a translation that looked at more than the mask is never inserted under the
 * mask of before, and what makes a translation look at more than it did (a new rule, say) has bumped a
 * dependency of the paths that are affected.
 *
 * Packets from a port about which nobody asked more than the Ethernet header, or nothing at all, need not
 * be parsed further: `depth` says so. Their keys then are of the small class, whatever they carry.
 *
 * It shrinks by starting anew, which its owner does seldom.
 *
 * Threads: its PMD only.
 */

#include "datapath/pipeline/translate.h"
#include "lib/flow_key.h"

struct key_mask {
	uint64_t epoch;		/* 0: not in use yet. */
	enum xlate_depth depth;
	struct flow_key bits[FLOW_KEY_N_CLASSES];
};

/* Forgets everything. */
void key_mask_reset(struct key_mask *mask);
/* The bits of a key of CLASS that WC covers, rounded to whole bytes. */
void key_mask_bits(const struct flow *wc, enum flow_key_class class, struct flow_key *bits);
/* How deep they go. */
enum xlate_depth key_mask_depth(const struct flow_key *bits, enum flow_key_class class);
/* Of BITS of the small or middle class, those of the Ethernet header in SMALL's place. */
void key_mask_ethernet(const struct flow_key *bits, struct flow_key *small);
/* A key is to be inserted whose fate depends on bits down to DEPTH; those of a key of CLASS are BITS: grows
 * if it must. True if MASK then is BITS and nothing more. */
bool key_mask_need(struct key_mask *mask, enum xlate_depth depth, enum flow_key_class class,
	const struct flow_key *bits);
/* True if MASK has BITS of keys of CLASS, and more or not. */
bool key_mask_has(const struct key_mask *mask, enum flow_key_class class, const struct flow_key *bits);
/* KEY under MASK, and of its epoch. */
void key_mask_and(const struct key_mask *mask, const struct flow_key *key, struct flow_key *masked);
/* By which key MASK's port caches a frame of at least LEN bytes at DATA, of which KEY is all. */
void key_mask_apply(const struct key_mask *mask, const uint8_t *data, uint32_t len,
	const struct flow_key *key, struct flow_key *masked);
/* The same for any packet from PORT where depth is XLATE_PORT. */
void key_mask_port(const struct key_mask *mask, dp_port_t port, struct flow_key *masked);
