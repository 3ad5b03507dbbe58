/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The mixing that flow_hash_5tuple() and flow_key_hash_5tuple() have in common, inline for those who do it
 * for every packet. Any thread, no state.
 */

#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/types.h"

/* By protocol: what of the ports' word takes part. */
static const uint32_t flow_hash_ports[256] = {
	[IP_P_TCP] = UINT32_MAX,
	[IP_P_UDP] = UINT32_MAX,
	[IP_P_SCTP] = UINT32_MAX,
};

/* Ports, the tag's VLAN and the protocol as one word, all as they are in struct flow. */
static inline uint64_t flow_hash_rest(uint32_t ports, be16 vid, uint8_t proto)
{
	return (uint64_t)ports | (uint64_t)vid << 32 | (uint64_t)proto << 48;
}

/* ADDRS: both addresses in a word, or something made of them. Never 0. One multiplication of all there is; constants
 * of BASIS and DL_TYPE fall out of loops. */
static inline uint32_t flow_hash_mix(uint32_t basis, be16 dl_type, uint64_t addrs, uint64_t rest)
{
	uint64_t salt = (basis ^ (uint32_t)dl_type << 16) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t mixed = hash_fold(addrs ^ salt ^ UINT64_C(0xa0761d6478bd642f), rest ^ UINT64_C(0xe7037ed1a0b428db));
	uint32_t hash = (uint32_t)(mixed ^ mixed >> 32);

	return hash ? hash : 1;
}
