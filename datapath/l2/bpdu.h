/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bridge protocol data units, which spanning-tree bridges exchange: IEEE 802.1D-1998 clause 9 and
 * IEEE 802.1D-2004 clause 9.3, in 802.2 LLC frames to 01:80:c2:00:00:00.
 *
 * Words: `config`: a Configuration BPDU. `TCN`: a Topology Change Notification. `RST`: a Rapid
 * Spanning Tree BPDU. Times are in units of 1/256 second.
 *
 * Pure functions; any thread. Identifiers: 16 bits of priority above 48 of address.
 */

#include "lib/types.h"

#define BPDU_TICKS_PER_S 256

#define BPDU_CONFIG_LEN 35
#define BPDU_TCN_LEN 4
#define BPDU_RST_LEN 36
#define BPDU_FRAME_MAX 64	/* Of any frame made here. The MAC pads (IEEE 802.3-2018, 4.2.3.3). */

enum bpdu_type {
	BPDU_CONFIG = 0x00,
	BPDU_RST = 0x02,
	BPDU_TCN = 0x80,
};

/* bpdu.flags; a config has the first and the last only. */
#define BPDU_F_TC 0x01
#define BPDU_F_PROPOSAL 0x02
#define BPDU_F_ROLE 0x0c
#define BPDU_F_LEARNING 0x10
#define BPDU_F_FORWARDING 0x20
#define BPDU_F_AGREEMENT 0x40
#define BPDU_F_TC_ACK 0x80

#define BPDU_ROLE_UNKNOWN 0x00
#define BPDU_ROLE_ALTERNATE 0x04	/* Or backup. */
#define BPDU_ROLE_ROOT 0x08
#define BPDU_ROLE_DESIGNATED 0x0c

struct bpdu {
	enum bpdu_type type;
	uint8_t version;
	uint8_t flags;
	uint64_t root_id;
	uint32_t root_path_cost;
	uint64_t bridge_id;
	uint16_t port_id;
	uint16_t message_age, max_age, hello_time, forward_delay;
};

/* A frame to be sent by port PORT; its source address is for the sender to fill in. */
struct bpdu_frame {
	uint16_t port;
	uint16_t len;
	uint8_t data[BPDU_FRAME_MAX];
};

/* Reads the BPDU in FRAME[LEN]. -EINVAL: it is none, or malformed (802.1D-2004, 9.3.4: too short, of
 * another protocol, of unknown type). What is behind a BPDU's own length is ignored. */
int bpdu_decode(struct bpdu *bpdu, const void *frame, size_t len);

/* Writes BPDU (its version is implied) as a frame, port and source address zero. */
void bpdu_encode(struct bpdu_frame *frame, const struct bpdu *bpdu);

/* MAC as the low 48 bits of an identifier. */
static inline uint64_t bpdu_id_address(uint64_t id)
{
	return id & UINT64_C(0xffffffffffff);
}
