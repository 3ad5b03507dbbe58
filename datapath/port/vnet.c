/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/vnet.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/util.h"

#define SPILL_BYTES ((size_t)VNET_SPILLS * VNET_SPILL_LEN)

static pthread_key_t spill_key;
static pthread_once_t spill_once = PTHREAD_ONCE_INIT;

static void spill_free(void *p)
{
	munmap(p, SPILL_BYTES);
}

static void spill_key_create(void)
{
	pthread_key_create(&spill_key, spill_free);
}

uint8_t *vnet_spill(unsigned int n)
{
	static __thread uint8_t *mine;

	if (unlikely(!mine)) {
		void *p = mmap(NULL, SPILL_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			fatal("out of memory (%zu bytes)", SPILL_BYTES);
		pthread_once(&spill_once, spill_key_create);
		pthread_setspecific(spill_key, p);
		mine = p;
	}
	return mine + (size_t)n * VNET_SPILL_LEN;
}

bool vnet_receive(struct rte_mbuf *m, const uint8_t *spill, uint32_t len, struct rte_mempool *pool)
{
	uint32_t left = len > EAL_DATA_ROOM ? len - EAL_DATA_ROOM : 0;
	struct rte_mbuf *rest = NULL, **link = &rest;
	uint16_t n_segs = 1;

	while (left) {
		struct rte_mbuf *s = rte_pktmbuf_alloc(pool);

		if (unlikely(!s)) {
			rte_pktmbuf_free(rest);
			return false;
		}
		s->data_off = 0;
		s->data_len = (uint16_t)MIN(left, (uint32_t)s->buf_len);
		memcpy(rte_pktmbuf_mtod(s, void *), spill, s->data_len);
		spill += s->data_len;
		left -= s->data_len;
		*link = s;
		link = &s->next;
		n_segs++;
	}
	m->next = rest;
	m->nb_segs = n_segs;
	m->data_len = (uint16_t)MIN(len, (uint32_t)EAL_DATA_ROOM);
	m->pkt_len = len;
	mbuf_packet_init(m);
	return true;
}

bool vnet_parse(const struct virtio_net_hdr *hdr, struct packet *p)
{
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if ((uint32_t)hdr->csum_start + hdr->csum_offset + 2 > p->seg_len)
			return false;
		p->offload = PACKET_CSUM_PARTIAL;
		p->csum_start = hdr->csum_start;
		p->csum_offset = hdr->csum_offset;
	} else if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->offload = PACKET_CSUM_VALID;
	}
	if (likely(hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE))
		return true;
	if (hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		p->offload |= PACKET_GSO_ECN;
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		p->gso_type = PACKET_GSO_TCPV4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		p->gso_type = PACKET_GSO_TCPV6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		p->gso_type = PACKET_GSO_UDP_L4;
		break;
	default:
		return false;
	}
	p->gso_size = hdr->gso_size;
	return hdr->gso_size;
}

void vnet_build(const struct packet *p, struct virtio_net_hdr *hdr)
{
	static const uint8_t types[] = {
		[PACKET_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[PACKET_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[PACKET_GSO_UDP_L4] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};
	uint32_t l4_len = UDP_HEADER_LEN;

	*hdr = (struct virtio_net_hdr){0};
	if (!(p->offload & PACKET_CSUM_PARTIAL))
		return;
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = p->csum_start;
	hdr->csum_offset = p->csum_offset;
	if (!p->gso_type)
		return;
	hdr->gso_type = types[p->gso_type];
	if (p->offload & PACKET_GSO_ECN)
		hdr->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	hdr->gso_size = p->gso_size;
	if (p->gso_type != PACKET_GSO_UDP_L4 && p->csum_start + 12u < p->seg_len)
		l4_len = (p->data[p->csum_start + 12] >> 4) * 4u;
	hdr->hdr_len = (uint16_t)MIN(p->csum_start + l4_len, p->seg_len);
}

bool vnet_has_udp_l4(void)
{
	struct utsname u;
	int major, minor;

	if (uname(&u) || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 2);
}
