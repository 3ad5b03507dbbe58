/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/oxs.h"

#include "ofproto/wire/put.h"

#define OXS_HEADER(FIELD, LEN) (0x80020000u | (FIELD) << 9 | (LEN))
#define OXS_DURATION OXS_HEADER(0u, 8)
#define OXS_IDLE_TIME OXS_HEADER(1u, 8)
#define OXS_FLOW_COUNT OXS_HEADER(3u, 4)
#define OXS_PACKET_COUNT OXS_HEADER(4u, 8)
#define OXS_BYTE_COUNT OXS_HEADER(5u, 8)

static void put_stat64(struct sbuf *out, uint32_t header, uint64_t value)
{
	put_u32(out, header);
	put_u64(out, value);
}

void oxs_put(struct sbuf *out, const struct oxs *oxs)
{
	size_t start = out->len;

	put_u32(out, 0);
	if (oxs->duration_sec != UINT32_MAX)
		put_stat64(out, OXS_DURATION,
			(uint64_t)oxs->duration_sec << 32 | oxs->duration_nsec);
	if (oxs->idle_age != UINT32_MAX)
		put_stat64(out, OXS_IDLE_TIME, (uint64_t)oxs->idle_age << 32);
	if (oxs->packets != UINT64_MAX)
		put_stat64(out, OXS_PACKET_COUNT, oxs->packets);
	if (oxs->bytes != UINT64_MAX)
		put_stat64(out, OXS_BYTE_COUNT, oxs->bytes);
	if (oxs->n_flows != UINT32_MAX) {
		put_u32(out, OXS_FLOW_COUNT);
		put_u32(out, oxs->n_flows);
	}
	put_u16_at(out, start + 2, (uint16_t)(out->len - start));
	put_align8(out, start);
}

static void stat_take(uint32_t header, struct cursor *value, struct oxs *oxs)
{
	switch (header) {
	case OXS_DURATION:
		oxs->duration_sec = cursor_u32(value);
		oxs->duration_nsec = cursor_u32(value);
		break;
	case OXS_IDLE_TIME:
		oxs->idle_age = cursor_u32(value);
		break;
	case OXS_FLOW_COUNT:
		oxs->n_flows = cursor_u32(value);
		break;
	case OXS_PACKET_COUNT:
		oxs->packets = cursor_u64(value);
		break;
	case OXS_BYTE_COUNT:
		oxs->bytes = cursor_u64(value);
		break;
	default:
		break;
	}
}

enum ofp_error oxs_take(struct cursor *c, struct oxs *oxs)
{
	struct cursor stats;
	uint16_t len;

	*oxs = (struct oxs)OXS_NONE;
	cursor_skip(c, 2);
	len = cursor_u16(c);
	if (!cursor_ok(c) || len < 4)
		return OFPBMC_BAD_LEN;
	stats = cursor_sub(c, len - 4u);
	cursor_skip(c, -(unsigned int)len & 7);
	if (!cursor_ok(c))
		return OFPBMC_BAD_LEN;
	while (cursor_left(&stats)) {
		uint32_t header = cursor_u32(&stats);
		struct cursor value = cursor_sub(&stats, header & 0xff);

		if (!cursor_ok(&stats))
			return OFPBMC_BAD_LEN;
		stat_take(header, &value, oxs);
	}
	return OFP_OK;
}
