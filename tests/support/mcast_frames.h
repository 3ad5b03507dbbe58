/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Frames with IGMP and MLD messages. */

#include <string.h>

#include "lib/csum.h"

struct mcast_frame {
	uint8_t data[256];
	size_t len;
};

static inline void mcast_frame_put(struct mcast_frame *f, const void *bytes, size_t n)
{
	memcpy(f->data + f->len, bytes, n);
	f->len += n;
}

/* Ethernet and IPv4 with a router alert around an IGMP message, whose checksum is filled in. */
static inline void mcast_frame_igmp(struct mcast_frame *f, uint32_t src, const uint8_t *msg, size_t len)
{
	static const uint8_t eth[14] = {0x01, 0, 0x5e, 1, 1, 1, 2, 0, 0, 0, 0, 1, 0x08, 0x00};
	uint8_t ip[24] = {0x46, 0, 0, (uint8_t)(24 + len), 0, 0, 0, 0, 1, 2, 0, 0,
		(uint8_t)(src >> 24), (uint8_t)(src >> 16), (uint8_t)(src >> 8), (uint8_t)src,
		239, 1, 1, 1, 0x94, 4, 0, 0};
	static const uint8_t padding[30];
	uint8_t copy[128];
	be16 sum;

	f->len = 0;
	mcast_frame_put(f, eth, sizeof eth);
	mcast_frame_put(f, ip, sizeof ip);
	memcpy(copy, msg, len);
	memset(copy + 2, 0, 2);
	sum = csum(copy, len);
	memcpy(copy + 2, &sum, 2);
	mcast_frame_put(f, copy, len);
	mcast_frame_put(f, padding, sizeof padding);
}

static inline void mcast_frame_mld(struct mcast_frame *f, const uint8_t *msg, size_t len)
{
	static const uint8_t eth[14] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd};
	uint8_t ip[48] = {0x60, 0, 0, 0, 0, (uint8_t)(8 + len), 0, 1, 0xfe, 0x80, [23] = 1,
		[24] = 0xff, 2, [39] = 0x16, 58, 0, 5, 2, 0, 0, 1, 0};
	struct ipv6_addr src, dst;
	uint8_t copy[128];
	be16 sum;

	memcpy(&src, ip + 8, 16);
	memcpy(&dst, ip + 24, 16);
	f->len = 0;
	mcast_frame_put(f, eth, sizeof eth);
	mcast_frame_put(f, ip, sizeof ip);
	memcpy(copy, msg, len);
	memset(copy + 2, 0, 2);
	sum = csum_finish(csum_bytes(csum_pseudo_v6(&src, &dst, 58, (uint32_t)len), copy, len));
	memcpy(copy + 2, &sum, 2);
	mcast_frame_put(f, copy, len);
}
