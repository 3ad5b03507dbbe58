/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Frames of the benchmark: UDP in IPv4 in Ethernet, with or without a tag, plain or in VXLAN, of any
 * length. And what a check needs to look into one. Pure.
 */

#include "datapath/bench/bench.h"
#include "lib/types.h"

struct frame_spec {
	uint64_t dl_dst, dl_src;	/* 48 bits. */
	int vlan;			/* -1: untagged. */
	uint32_t nw_src, nw_dst;
	uint16_t tp_src, tp_dst;
	uint8_t proto;			/* 17 (0 means that too) or 6. */
	uint16_t len;			/* Without FCS; at least what the headers need. */
};

/* Two stations. */
#define FRAME_MAC_A UINT64_C(0x020000000000)
#define FRAME_MAC_B UINT64_C(0x020001000000)
#define FRAME_IP_A UINT32_C(0x0a000001)
#define FRAME_IP_B UINT32_C(0x0a800001)

/* UDP from A to B, or BACK; untagged. */
struct frame_spec frame_pair(uint16_t len, bool back);

/* Offsets in a frame. */
struct frame_ofs {
	uint16_t dl_dst, dl_src;	/* Of their last four bytes: a word to edit. */
	uint16_t ip, nw_src, nw_dst;
	uint16_t ports;			/* Source and destination port: one word. */
};

/* Makes STREAM's frame of SPEC (weight 1, one flow, no edits); *OFS says what lies where. */
void frame_build(struct bench_stream *stream, const struct frame_spec *spec, struct frame_ofs *ofs);
/* ... INNER in VXLAN; its length is INNER's plus 50. */
void frame_build_vxlan(struct bench_stream *stream, const struct frame_spec *outer, uint32_t vni,
	const struct frame_spec *inner, struct frame_ofs *outer_ofs, struct frame_ofs *inner_ofs);

/* Adds an edit: OP over the word at OFS, whose value in the frame is the base. */
void frame_edit(struct bench_stream *stream, uint16_t ofs, enum bench_edit_op op, uint8_t shift,
	uint32_t mask, uint8_t lshift);

uint16_t frame_get16(const uint8_t *frame, uint32_t ofs);
uint32_t frame_get32(const uint8_t *frame, uint32_t ofs);
/* The IPv4 header at OFS sums up. */
bool frame_ip_csum_ok(const uint8_t *frame, uint32_t ofs);
/* For conf.check: FRAME is IPv4 with a header that sums up. */
const char *frame_check_ip(const uint8_t *frame, uint32_t len);
