/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the way from the Ethernet header to a transport header whose place is known, through tags
 * and tunnels. Knowing the place is what makes it safe to guess what a UDP payload is. Pure; any thread.
 */

#include "datapath/packet/gso.h"

/* Fills gso->levels, l4_proto and has_exthdrs on the way to offset TARGET of DATA[LEN]. False if
 * there is no way. */
bool gso_walk(struct gso *gso, const uint8_t *data, uint32_t len, uint32_t target);
/* The transport header of the outermost IP packet, or 0. */
uint16_t gso_outer_l4(const uint8_t *data, uint32_t len);
