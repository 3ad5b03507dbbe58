/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/l2/bpdu.h"

#include <errno.h>
#include <string.h>

#include "lib/cursor.h"

#define LLC_BPDU_SAP 0x42
#define LLC_UI 0x03
#define LLC_LEN 3
#define ETH_LEN 14
#define ETH_MAX_802_3 1500

static const uint8_t group_address[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};

static void decode_config(struct bpdu *bpdu, struct cursor *c)
{
	bpdu->flags = cursor_u8(c);
	bpdu->root_id = cursor_u64(c);
	bpdu->root_path_cost = cursor_u32(c);
	bpdu->bridge_id = cursor_u64(c);
	bpdu->port_id = cursor_u16(c);
	bpdu->message_age = cursor_u16(c);
	bpdu->max_age = cursor_u16(c);
	bpdu->hello_time = cursor_u16(c);
	bpdu->forward_delay = cursor_u16(c);
}

/* The payload behind the LLC header; a failed cursor if the frame carries no BPDU. */
static struct cursor open_frame(const void *frame, size_t len)
{
	struct cursor c, payload;
	const uint8_t *dst;
	uint16_t size;

	cursor_init(&c, frame, len);
	dst = cursor_take(&c, sizeof group_address);
	if (dst && memcmp(dst, group_address, sizeof group_address))
		cursor_fail(&c);
	cursor_skip(&c, 6);
	size = cursor_u16(&c);
	if (size > ETH_MAX_802_3 || size < LLC_LEN)
		cursor_fail(&c);
	payload = cursor_sub(&c, size);
	if (cursor_u8(&payload) != LLC_BPDU_SAP || cursor_u8(&payload) != LLC_BPDU_SAP ||
		cursor_u8(&payload) != LLC_UI)
		cursor_fail(&payload);
	return payload;
}

int bpdu_decode(struct bpdu *bpdu, const void *frame, size_t len)
{
	struct cursor c = open_frame(frame, len);
	struct bpdu new = {0};
	uint16_t protocol = cursor_u16(&c);
	uint8_t type;

	new.version = cursor_u8(&c);
	type = cursor_u8(&c);
	if (!cursor_ok(&c) || protocol)
		return -EINVAL;
	switch (type) {
	case BPDU_TCN:
		break;
	case BPDU_CONFIG:
		decode_config(&new, &c);
		break;
	case BPDU_RST:
		decode_config(&new, &c);
		cursor_skip(&c, BPDU_RST_LEN - BPDU_CONFIG_LEN);
		break;
	default:
		return -EINVAL;
	}
	if (!cursor_ok(&c))
		return -EINVAL;
	new.type = (enum bpdu_type)type;
	*bpdu = new;
	return 0;
}

static uint8_t *put_u16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

static uint8_t *put_u32(uint8_t *p, uint32_t value)
{
	return put_u16(put_u16(p, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_u64(uint8_t *p, uint64_t value)
{
	return put_u32(put_u32(p, (uint32_t)(value >> 32)), (uint32_t)value);
}

static void encode_config(uint8_t *p, const struct bpdu *bpdu)
{
	*p++ = bpdu->flags;
	p = put_u64(p, bpdu->root_id);
	p = put_u32(p, bpdu->root_path_cost);
	p = put_u64(p, bpdu->bridge_id);
	p = put_u16(p, bpdu->port_id);
	p = put_u16(p, bpdu->message_age);
	p = put_u16(p, bpdu->max_age);
	p = put_u16(p, bpdu->hello_time);
	put_u16(p, bpdu->forward_delay);
}

void bpdu_encode(struct bpdu_frame *frame, const struct bpdu *bpdu)
{
	uint16_t len = bpdu->type == BPDU_TCN ? BPDU_TCN_LEN
		: bpdu->type == BPDU_RST ? BPDU_RST_LEN : BPDU_CONFIG_LEN;
	uint8_t *p = frame->data;

	memset(frame, 0, sizeof *frame);
	memcpy(p, group_address, sizeof group_address);
	p = put_u16(p + 12, LLC_LEN + len);
	*p++ = LLC_BPDU_SAP;
	*p++ = LLC_BPDU_SAP;
	*p++ = LLC_UI;
	p = put_u16(p, 0);
	*p++ = bpdu->type == BPDU_RST ? 2 : 0;
	*p++ = (uint8_t)bpdu->type;
	if (bpdu->type != BPDU_TCN)
		encode_config(p, bpdu);
	frame->len = ETH_LEN + LLC_LEN + len;
}
