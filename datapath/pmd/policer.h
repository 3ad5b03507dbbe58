/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policing of what a port receives (Interface.ingress_policing_*): two token buckets, of bits and of
 * packets; a packet passes if both hold enough for it. The buckets are meters, and shared by the PMDs
 * as those are. Control makes a policer and publishes it in the port; PMDs read it under RCU.
 */

#include <stdbool.h>
#include <stdint.h>

struct policer;
struct policing;

/* NULL if POLICING lets everything pass. */
struct policer *policer_create(const struct policing *policing);
/* After a grace period. */
void policer_destroy_later(struct policer *policer);

/* Any thread. One packet of BYTES (a segment not cut yet is one) at NOW_US may pass. */
bool policer_passes(struct policer *policer, uint32_t bytes, int64_t now_us);
