/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow flags between a version's numbers and ours. For the codecs of flows only. Pure.
 */

#include "ofproto/wire/error.h"

/* OFPFMFC_BAD_FLAGS for those the version has not. */
enum ofp_error flow_flags_decode(uint16_t wire, enum ofp_version version, uint16_t *flags);
/* Drops those the version has not. */
uint16_t flow_flags_encode(uint16_t flags, enum ofp_version version);
