/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Geneve options of a received packet as fields (tun_metadata0 to 63), by the bridge's map. Pure; any
 * thread.
 */

#include "lib/field.h"

/* Fills TUN (all zero before) from the LEN bytes of raw options at OPTS, which the decapsulator has
 * checked. Options that MAP (may be NULL) does not have, or has with another length, are passed over;
 * of equal ones the last counts. 0, or -EPROTONOSUPPORT if one that is passed over is critical: the
 * packet must be dropped (RFC 8926, 3.5). */
int tun_options_parse(const struct field_tlv_map *map, const uint8_t *opts, size_t len,
	struct flow_tun_metadata *tun);
/* One of the options is critical. */
bool tun_options_are_critical(const uint8_t *opts, size_t len);
