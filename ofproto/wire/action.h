/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Actions and instructions on the wire, from and to the lists of datapath/pipeline/act.h. One
 * descriptor table in action.c says for every action which versions have it, under which number, how
 * long it is, and who decodes, encodes and checks it.
 *
 * Encoding for a version an action came not from gives what that version has in its place, as Open
 * vSwitch does (mod_vlan_vid in OpenFlow 1.3: set_field, with push_vlan if it must).
 *
 * Pure functions, any thread. Decoders append to a builder; after an error the builder's contents are
 * as before.
 */

#include "datapath/pipeline/act.h"
#include "lib/cursor.h"
#include "ofproto/wire/error.h"

/* Actions that fill C. */
enum ofp_error acts_decode(struct cursor *c, enum ofp_version version, struct act_builder *acts);
/* As acts_decode, but only what an action set may hold (OFPBAC_BAD_TYPE otherwise). */
enum ofp_error acts_decode_set(struct cursor *c, enum ofp_version version, struct act_builder *acts);
/* Instructions (1.1+) that fill C; ordered as they execute. */
enum ofp_error insts_decode(struct cursor *c, enum ofp_version version, struct act_builder *acts);
/* A flow's actions: actions in 1.0 (with those of Nicira that are instructions later), instructions from
 * 1.1 on. */
enum ofp_error flow_acts_decode(struct cursor *c, enum ofp_version version,
	struct act_builder *acts);

/* Returns the bytes written. Instructions in ACTS (1.1+ lists) are left out by acts_encode; OpenFlow 1.0
 * has Nicira's for those it can say. */
size_t acts_encode(const struct act *acts, size_t len, enum ofp_version version, struct sbuf *out);
size_t insts_encode(const struct act *acts, size_t len, enum ofp_version version, struct sbuf *out);
/* A flow's actions as VERSION has them: actions in 1.0, instructions from 1.1 on. */
size_t flow_acts_encode(const struct act *acts, size_t len, enum ofp_version version,
	struct sbuf *out);

/* What a list is checked against. */
struct act_check {
	const struct match *match;	/* Of the rule; for packets and buckets: see `any_match`. */
	uint8_t table_id;		/* Of the rule; 255: none (any goto is fine). */
	uint8_t n_tables;		/* goto must stay below. */
	bool consistent;		/* Refuse actions that the match does not allow (1.1+). 1.0 lets them
					 * pass, but for what OVS always refuses. */
	bool any_match;			/* No match known (group buckets): prerequisites not asked for. */
	/* NULL: any. Say whether a group, a meter exists. */
	bool (*group_exists)(void *aux, uint32_t group_id);
	bool (*meter_exists)(void *aux, uint32_t meter_id);
	void *aux;
};

/*
 * Ports, table ids, value ranges, prerequisites, what may stand beside what. Fills in flow_has_vlan
 * of the VLAN actions in ACTS. Errors as Open vSwitch: OFPBAC_BAD_OUT_PORT,
 * OFPBAC_MATCH_INCONSISTENT, OFPBRC_BAD_TABLE_ID, OFPBAC_BAD_SET_*, OFPBAC_BAD_TAG, ...
 */
enum ofp_error act_check(struct act *acts, size_t len, const struct act_check *check);
/* OFPBAC_BAD_OUT_PORT unless PORT may be output to. */
enum ofp_error act_check_output_port(ofp_port_t port);

/* Which actions table features announce for VERSION: bit per OpenFlow action number (1.3: OFPAT_*). */
uint64_t acts_supported(enum ofp_version version, bool in_set);
