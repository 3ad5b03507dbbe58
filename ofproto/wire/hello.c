/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/hello.h"

#include "lib/util.h"

#define OFPHET_VERSIONBITMAP 1

static uint32_t versions_up_to(uint8_t version)
{
	return version >= 31 ? 0xfffffffeu : ((2u << version) - 1) & ~1u;
}

static unsigned int highest(uint32_t versions)
{
	return versions ? 31 - (unsigned int)__builtin_clz(versions) : 0;
}

void hello_encode(uint32_t versions, be32 xid, struct sbuf *out)
{
	unsigned int top = highest(versions);
	size_t start = msg_begin(out, (enum ofp_version)top, OFPTYPE_HELLO, MSG_OFPT, xid);

	/* A header alone claims all versions up to its own. */
	if (versions != versions_up_to((uint8_t)top)) {
		put_u16(out, OFPHET_VERSIONBITMAP);
		put_u16(out, 8);
		put_u32(out, versions);
	}
	msg_end(out, start);
}

static bool bitmap_decode(struct cursor *c, uint32_t *versions)
{
	uint32_t bits;

	if (!cursor_left(c) || cursor_left(c) % 4)
		return false;
	bits = cursor_u32(c) & ~1u;
	if (!bits)
		return false;
	*versions = bits;
	return true;
}

void hello_decode(const struct msg *msg, uint32_t *versions, bool *warn)
{
	struct cursor c = msg->body;

	*versions = versions_up_to(msg->version ? (uint8_t)msg->version : 1);
	*warn = false;
	while (cursor_left(&c)) {
		uint16_t type = cursor_u16(&c);
		uint16_t len = cursor_u16(&c);
		struct cursor elem;

		if (!cursor_ok(&c) || len < 4) {
			*warn = true;
			return;
		}
		elem = cursor_sub(&c, len - 4u);
		cursor_skip(&c, -(unsigned int)len & 7);
		if (!cursor_ok(&c)) {
			*warn = true;
			return;
		}
		if (type != OFPHET_VERSIONBITMAP || !bitmap_decode(&elem, versions))
			*warn = true;
	}
}

enum ofp_version hello_negotiate(uint32_t ours, uint32_t theirs)
{
	return (enum ofp_version)highest(ours & theirs);
}
