/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The bridge's table of Geneve options (field_tlv_map): changed as a whole, read by packets under
 * RCU.
 *
 * Threads: control only.
 */

#include "datapath/pipeline/pipeline.h"
#include "ofproto/wire/error.h"

/* Adds an option of LEN bytes as tun_metadata INDEX to MAP: NXTTMFC_*. */
enum ofp_error of_tlv_add(struct field_tlv_map *map, uint16_t class, uint8_t type, uint8_t len,
	uint16_t index);
/* Publishes MAP (taken over; NULL: no options). */
void of_tlv_set(struct pl_bridge *bridge, struct field_tlv_map *map);
