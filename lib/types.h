/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Integer types that say their byte order, and the three port-number spaces. be16, be32 and be64
 * hold network byte order; everything else is host order. Conversions are those of <endian.h>.
 */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;

#define BE16_MAX ((be16)0xffff)
#define BE32_MAX ((be32)0xffffffff)
#define BE64_MAX ((be64)UINT64_MAX)

/*
 * Port of one OpenFlow bridge, in OpenFlow 1.1+ numbering: 1 to 0xff00 ordinary, reserved ones at the
 * top of 32 bits (OFPP_*). OpenFlow 1.0's 16-bit numbers are converted in the codec.
 */
typedef uint32_t ofp_port_t;

/* Port of the datapath, over all bridges; an index into its port map. 0 is never used. */
typedef uint32_t dp_port_t;

#define OFPP_MAX ((ofp_port_t)0xffffff00)	/* First reserved number; not a port. */
#define OFPP_UNSET ((ofp_port_t)0xfffffff7)	/* OpenFlow 1.5 action set output unset. */
#define OFPP_IN_PORT ((ofp_port_t)0xfffffff8)
#define OFPP_TABLE ((ofp_port_t)0xfffffff9)
#define OFPP_NORMAL ((ofp_port_t)0xfffffffa)
#define OFPP_FLOOD ((ofp_port_t)0xfffffffb)
#define OFPP_ALL ((ofp_port_t)0xfffffffc)
#define OFPP_CONTROLLER ((ofp_port_t)0xfffffffd)
#define OFPP_LOCAL ((ofp_port_t)0xfffffffe)
#define OFPP_NONE ((ofp_port_t)0xffffffff)	/* OFPP_ANY in OpenFlow 1.1 and later. */

/* Highest number an ordinary port may have: what OpenFlow 1.0 can say too. */
#define OFP_PORT_LAST ((ofp_port_t)0xfeff)

struct eth_addr {
	uint8_t b[6];
} __attribute__((aligned(2)));

struct ipv6_addr {
	union {
		uint8_t b[16];
		be16 w16[8];
		be32 w32[4];
		be64 w64[2];
	};
};
