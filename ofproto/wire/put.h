/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Appends integers, padding and fixed-size strings to a message being encoded, in network byte order.
 * Pure; any thread.
 */

#include "lib/sbuf.h"
#include "lib/types.h"

static inline void put_be16(struct sbuf *out, be16 v)
{
	sbuf_put(out, &v, sizeof v);
}

static inline void put_be32(struct sbuf *out, be32 v)
{
	sbuf_put(out, &v, sizeof v);
}

static inline void put_be64(struct sbuf *out, be64 v)
{
	sbuf_put(out, &v, sizeof v);
}

static inline void put_u8(struct sbuf *out, uint8_t v)
{
	sbuf_put(out, &v, sizeof v);
}

static inline void put_u16(struct sbuf *out, uint16_t v)
{
	put_be16(out, htobe16(v));
}

static inline void put_u32(struct sbuf *out, uint32_t v)
{
	put_be32(out, htobe32(v));
}

static inline void put_u64(struct sbuf *out, uint64_t v)
{
	put_be64(out, htobe64(v));
}

static inline void put_pad(struct sbuf *out, size_t n)
{
	sbuf_put_zeros(out, n);
}

/* Up to a multiple of 8 counted from START. */
static inline void put_align8(struct sbuf *out, size_t start)
{
	put_pad(out, -(out->len - start) & 7);
}

/* TEXT (NULL: empty) cut or zero-filled to SIZE bytes, always terminated. */
void put_string(struct sbuf *out, const char *text, size_t size);

/* Overwrites what was put at OFS. */
void put_u16_at(struct sbuf *out, size_t ofs, uint16_t v);
