/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Walking the options of a Geneve header, RFC 8926, section 3.5. Pure; any thread. */

#include "lib/cursor.h"
#include "lib/headers.h"

/* The next option at C, its *VALUE and that one's *LEN in bytes. False behind the last, and at one that
 * goes beyond the end: then cursor_ok() is false. */
static inline bool tnl_geneve_next_option(struct cursor *c, struct geneve_opt *opt,
	const uint8_t **value, size_t *len)
{
	if (!cursor_left(c))
		return false;
	cursor_bytes(c, opt, sizeof *opt);
	if (!cursor_ok(c))
		return false;
	*len = (opt->len & 0x1fu) * 4;
	*value = cursor_take(c, *len);
	return cursor_ok(c);
}
