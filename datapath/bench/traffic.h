/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of traffic: which stream a frame belongs to, and the edits of a stream as they are applied a
 * hundred million times a second. Pure; any thread.
 */

#include <endian.h>
#include <string.h>

#include "datapath/bench/bench.h"

/* Fills PATTERN with the stream of each slot of a turn; the length of a turn. */
unsigned int traffic_pattern(const struct bench_traffic *traffic, uint8_t pattern[BENCH_MAX_PATTERN]);

/* A stream's edits, made ready. */
struct stream_edits {
	unsigned int n;
	uint16_t csum_ofs;	/* 0: none. */
	bool simple;		/* All are BENCH_COUNT. */
	uint32_t sum;		/* Of the IPv4 header without the edited words and the checksum. */
	struct bench_edit edits[BENCH_MAX_EDITS];
};

/* What other threads took of a paced source's thread; stamps don't count it. */
extern _Atomic uint64_t bench_stolen_tsc;

void stream_edits_init(struct stream_edits *edits, const struct bench_stream *stream);

static inline uint64_t traffic_mix(uint64_t x)
{
	x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 29) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 32;
}

static inline uint32_t edit_value(const struct bench_edit *edit, uint64_t i)
{
	uint32_t bit;

	switch ((enum bench_edit_op)edit->op) {
	case BENCH_RANDOM:
		i = traffic_mix(i);
		break;
	case BENCH_FLIP:
		return edit->base ^ UINT32_C(1) << ((i >> edit->shift & edit->mask) + edit->lshift);
	case BENCH_FLIP_RANDOM:
		bit = UINT32_C(1) << ((i >> edit->shift & edit->mask) + edit->lshift);
		return edit->base ^ bit ^ ((uint32_t)traffic_mix(i + edit->ofs) & (bit - 1));
	case BENCH_COUNT:
		break;
	}
	return edit->base + (((uint32_t)(i >> edit->shift) & edit->mask) << edit->lshift);
}

static inline void edit_store(uint8_t *frame, uint16_t ofs, uint32_t value)
{
	value = htobe32(value);
	memcpy(frame + ofs, &value, sizeof value);
}

static inline void csum_store(const struct stream_edits *edits, uint32_t sum, uint8_t *frame)
{
	uint16_t csum;

	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	csum = htobe16((uint16_t)~sum);
	memcpy(frame + edits->csum_ofs, &csum, sizeof csum);
}

/* Makes FRAME, a copy of the stream's, that of flow I. */
static inline void stream_edits_apply(const struct stream_edits *edits, uint64_t i, uint8_t *frame)
{
	uint32_t sum = edits->sum;

	for (unsigned int e = 0; e < edits->n; e++) {
		const struct bench_edit *edit = &edits->edits[e];
		uint32_t value;

		if (edits->simple)
			value = edit->base +
				(((uint32_t)(i >> edit->shift) & edit->mask) << edit->lshift);
		else
			value = edit_value(edit, i);
		edit_store(frame, edit->ofs, value);
		if (edit->in_ip)
			sum += (value >> 16) + (value & 0xffff);
	}
	if (edits->csum_ofs)
		csum_store(edits, sum, frame);
}
