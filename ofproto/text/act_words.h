/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Words inside actions that the printer and the parser share. Pure.
 */

#include <stdint.h>

/* Packet-in reasons, wire numbers of OpenFlow 1.0 to 1.3 (OFPR_*). */
#define ACT_REASON_NO_MATCH 0
#define ACT_REASON_ACTION 1
#define ACT_REASON_INVALID_TTL 2

const char *act_reason_name(uint8_t reason);
/* The number of NAME, or -1. */
int act_reason_from_name(const char *name);

/* enum act_hash_fields. */
const char *act_hash_fields_name(uint16_t fields);
int act_hash_fields_from_name(const char *name);
