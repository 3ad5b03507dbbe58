/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/packet.h"

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/util.h"

#define HEAP_HEADROOM 256

void packet_init(struct packet *packet, uint8_t *data, uint32_t len, uint16_t headroom)
{
	memset(packet, 0, sizeof *packet);
	packet->data = data;
	packet->len = packet->seg_len = len;
	packet->headroom = headroom;
	packet->l2_5_ofs = packet->l3_ofs = packet->l4_ofs = PACKET_NO_OFS;
}

static inline uint16_t ofs_open(uint16_t ofs, uint16_t at, uint16_t n)
{
	if (ofs == PACKET_NO_OFS || ofs < at)
		return ofs;
	return ofs < PACKET_NO_OFS - n ? (uint16_t)(ofs + n) : PACKET_NO_OFS;
}

/* NONE is what stands for no offset. */
static inline uint16_t ofs_close(uint16_t ofs, uint16_t at, uint16_t n, uint16_t none)
{
	if (ofs == none || ofs < at)
		return ofs;
	return ofs >= at + n ? (uint16_t)(ofs - n) : none;
}

/* Offsets at AT or behind it move N bytes back, because so many came in between. */
static inline void offsets_open(struct packet *packet, uint16_t at, uint16_t n)
{
	packet->l2_5_ofs = ofs_open(packet->l2_5_ofs, at, n);
	packet->l3_ofs = ofs_open(packet->l3_ofs, at, n);
	packet->l4_ofs = ofs_open(packet->l4_ofs, at, n);
	if (packet->outer_l3_ofs && packet->outer_l3_ofs >= at)
		packet->outer_l3_ofs += n;
	if (packet->outer_l4_ofs && packet->outer_l4_ofs >= at)
		packet->outer_l4_ofs += n;
	if ((packet->offload & PACKET_CSUM_PARTIAL) && packet->csum_start >= at)
		packet->csum_start += n;
}

/* The N bytes at AT are gone: offsets into them too, those behind come forward. */
static inline void offsets_close(struct packet *packet, uint16_t at, uint16_t n)
{
	packet->l2_5_ofs = ofs_close(packet->l2_5_ofs, at, n, PACKET_NO_OFS);
	packet->l3_ofs = ofs_close(packet->l3_ofs, at, n, PACKET_NO_OFS);
	packet->l4_ofs = ofs_close(packet->l4_ofs, at, n, PACKET_NO_OFS);
	packet->outer_l3_ofs = ofs_close(packet->outer_l3_ofs, at, n, 0);
	packet->outer_l4_ofs = ofs_close(packet->outer_l4_ofs, at, n, 0);
	if ((packet->offload & PACKET_CSUM_PARTIAL) && packet->csum_start >= at) {
		if (packet->csum_start >= at + n)
			packet->csum_start -= n;
		else
			packet->offload &= (uint8_t)~PACKET_CSUM_PARTIAL;
	}
}

static inline uint8_t *insert(struct packet *packet, uint16_t keep, uint16_t n)
{
	if (n > packet->headroom || keep > packet->seg_len)
		return NULL;
	packet->data -= n;
	packet->headroom -= n;
	packet->len += n;
	packet->seg_len += n;
	if (keep)
		memmove(packet->data, packet->data + n, keep);
	offsets_open(packet, keep, n);
	return packet->data + keep;
}

static inline void cut_out(struct packet *packet, uint16_t keep, uint16_t n)
{
	if ((uint32_t)keep + n > packet->seg_len)
		fatal("packet: %u bytes at %u removed of %u", n, keep, packet->seg_len);
	if (keep)
		memmove(packet->data + n, packet->data, keep);
	packet->data += n;
	packet->headroom += n;
	packet->len -= n;
	packet->seg_len -= n;
	offsets_close(packet, keep, n);
}

/* At the front all is simpler: KEEP is a constant. */
uint8_t *packet_push(struct packet *packet, uint16_t n)
{
	return insert(packet, 0, n);
}

void packet_pull(struct packet *packet, uint16_t n)
{
	cut_out(packet, 0, n);
}

uint8_t *packet_insert(struct packet *packet, uint16_t keep, uint16_t n)
{
	return insert(packet, keep, n);
}

void packet_remove(struct packet *packet, uint16_t keep, uint16_t n)
{
	cut_out(packet, keep, n);
}

uint32_t packet_n_pieces(const struct packet *packet)
{
	uint32_t l4 = packet->csum_start, header_len = UDP_HEADER_LEN;

	if (!packet->gso_type || !packet->gso_size)
		return 1;
	if (packet->gso_type != PACKET_GSO_UDP_L4 && l4 + TCP_HEADER_LEN <= packet->seg_len)
		header_len = (packet->data[l4 + 12] >> 4) * 4u;
	if (l4 + header_len >= packet->len)
		return 1;
	return DIV_ROUND_UP(packet->len - l4 - header_len, (uint32_t)packet->gso_size);
}

/* A packet with its bytes behind it; buf is the malloc()ed block. */
static struct packet *heap_alloc(uint32_t len, uint16_t headroom)
{
	struct packet *packet = malloc(sizeof *packet + headroom + len);

	if (!packet)
		return NULL;
	packet_init(packet, (uint8_t *)(packet + 1) + headroom, len, headroom);
	packet->buf = packet;
	return packet;
}

static struct packet *heap_clone(void *aux, const struct packet *packet)
{
	struct packet *copy;
	uint8_t *data;
	uint16_t headroom;

	if (packet->seg_len != packet->len)
		return NULL;
	headroom = packet->headroom > HEAP_HEADROOM ? packet->headroom : HEAP_HEADROOM;
	copy = heap_alloc(packet->len, headroom);
	if (!copy)
		return NULL;
	data = copy->data;
	*copy = *packet;
	copy->data = data;
	copy->headroom = headroom;
	copy->buf = copy;
	copy->shared = false;
	memcpy(data, packet->data, packet->len);
	return copy;
}

static void heap_free(void *aux, struct packet *packet)
{
	free(packet);
}

static void heap_truncate(void *aux, struct packet *packet, uint32_t len)
{
	packet->len = len;
	if (packet->seg_len > len)
		packet->seg_len = len;
}

static uint64_t heap_sum(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n)
{
	return csum_packet(sum, packet, ofs, n, NULL);
}

const struct packet_ops packet_heap_ops = {
	.clone = heap_clone,
	.free = heap_free,
	.truncate = heap_truncate,
	.sum = heap_sum,
};

struct packet *packet_heap_create(const void *data, uint32_t len)
{
	struct packet *packet = heap_alloc(len, HEAP_HEADROOM);

	if (!packet)
		fatal("out of memory");
	if (len)
		memcpy(packet->data, data, len);
	return packet;
}
