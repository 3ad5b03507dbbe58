/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The virtio network header that taps and packet sockets put before a frame, to and from struct
 * packet; and frames of up to 64 KB read into chains. For the drivers of kernel devices.
 *
 * A reader gives the kernel one mbuf and behind it a spill buffer of its thread: only what is
 * longer than an mbuf is copied once more. Threads: PMDs.
 */

#include <linux/virtio_net.h>

#include "datapath/eal.h"
#include "datapath/port/mbuf.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* The longest frame read: GSO, Ethernet and tags. */
#define VNET_FRAME_MAX (65536 + 64)
#define VNET_SPILL_LEN (VNET_FRAME_MAX - EAL_DATA_ROOM)
#define VNET_SPILLS 32

/* N-th (of VNET_SPILLS) spill buffer of VNET_SPILL_LEN bytes of this thread. Memory is only touched
 * by what the kernel writes. Freed when the thread ends. */
uint8_t *vnet_spill(unsigned int n);

/* M is a fresh mbuf at EAL_HEADROOM that got a frame's first bytes, the rest is in SPILL; LEN in
 * all. Makes the chain and its struct packet. False (M untouched) without memory. */
bool vnet_receive(struct rte_mbuf *m, const uint8_t *spill, uint32_t len, struct rte_mempool *pool);

/* HDR's promises into P. False: it makes no sense, or is a kind nobody can segment. */
bool vnet_parse(const struct virtio_net_hdr *hdr, struct packet *p);
/* P's promises into HDR. */
void vnet_build(const struct packet *p, struct virtio_net_hdr *hdr);

/* The running kernel knows UDP segments in the header (6.2 and later). */
bool vnet_has_udp_l4(void);
