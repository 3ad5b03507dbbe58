/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * NXT_PACKET_IN2 and NXT_RESUME: a packet-in as properties, with what a paused packet needs to go on.
 * For packet_in.c only. Pure.
 */

#include "ofproto/wire/packet_in.h"

uint8_t packet_in_reason_for(uint8_t reason, enum ofp_version version);
void packet_in2_encode(const struct packet_in *pin, enum ofp_version version, struct sbuf *out);
/* D is initialised. */
enum ofp_error packet_in2_decode(const struct msg *msg, struct packet_in_decoded *d);
