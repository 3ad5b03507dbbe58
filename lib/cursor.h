/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bounds-checked reader over bytes: the one way in which decoders look at wire input.
 *
 * A read past the end fails, and failure is sticky: from then on nothing is left, reads give zeros
 * (or NULL) and cursor_ok() is false. So a decoder may read a whole header and ask once.
 *
 * The cursor borrows the bytes and allocates nothing. One thread at a time. Any alignment will do.
 */

#include <string.h>

#include "lib/types.h"

struct cursor {
	const uint8_t *pos;
	const uint8_t *end;
	const uint8_t *start;	/* What cursor_offset() counts from. */
	bool failed;
};

/* DATA may be NULL if LEN is 0. */
static inline void cursor_init(struct cursor *c, const void *data, size_t len)
{
	c->start = c->pos = (const uint8_t *)data;
	c->end = len ? c->pos + len : c->pos;
	c->failed = false;
}

/* No read has failed so far. */
static inline bool cursor_ok(const struct cursor *c)
{
	return !c->failed;
}

/* Bytes that are left; 0 after a failure. */
static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->pos);
}

/* All bytes were read and no read failed. */
static inline bool cursor_done(const struct cursor *c)
{
	return !c->failed && c->pos == c->end;
}

/* Bytes read or skipped since the start. */
static inline size_t cursor_offset(const struct cursor *c)
{
	return (size_t)(c->pos - c->start);
}

/* Makes C failed: for a decoder that met a wrong value. */
static inline void cursor_fail(struct cursor *c)
{
	c->pos = c->end;
	c->failed = true;
}

/* Takes N bytes and returns where they are, or NULL (failure) if there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->pos;

	if (__builtin_expect(n > cursor_left(c), 0)) {
		cursor_fail(c);
		return NULL;
	}
	if (n)
		c->pos += n;
	return p;
}

/* The next N bytes without taking them, or NULL if there are fewer; never fails. */
static inline const uint8_t *cursor_peek(const struct cursor *c, size_t n)
{
	return n <= cursor_left(c) ? c->pos : NULL;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
	cursor_take(c, n);
}

/* Copies N bytes to DST; zeros on failure. */
static inline void cursor_bytes(struct cursor *c, void *dst, size_t n)
{
	const uint8_t *p = cursor_take(c, n);

	if (!n)
		return;
	if (p)
		memcpy(dst, p, n);
	else
		memset(dst, 0, n);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

/* Values as on the wire. */
static inline be16 cursor_be16(struct cursor *c)
{
	be16 v;

	cursor_bytes(c, &v, sizeof v);
	return v;
}

static inline be32 cursor_be32(struct cursor *c)
{
	be32 v;

	cursor_bytes(c, &v, sizeof v);
	return v;
}

static inline be64 cursor_be64(struct cursor *c)
{
	be64 v;

	cursor_bytes(c, &v, sizeof v);
	return v;
}

/* Values in host order. */
static inline uint16_t cursor_u16(struct cursor *c)
{
	return be16toh(cursor_be16(c));
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return be32toh(cursor_be32(c));
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return be64toh(cursor_be64(c));
}

/* A cursor over the next N bytes, which C takes. If C has fewer, both have failed. The sub-cursor's
 * offsets count from its own start. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	struct cursor sub;

	cursor_init(&sub, p, p ? n : 0);
	sub.failed = c->failed;
	return sub;
}

/* Skips to the next multiple of ALIGN (a power of 2), counted from the start of C. */
static inline void cursor_align(struct cursor *c, size_t align)
{
	cursor_skip(c, -cursor_offset(c) & (align - 1));
}

/* Forgets what lies more than N bytes ahead (trailing padding, say). */
static inline void cursor_trim(struct cursor *c, size_t n)
{
	if (n < cursor_left(c))
		c->end = c->pos + n;
}

/* Takes N bytes and says whether all are zero (padding that must be). False on failure. */
static inline bool cursor_zeros(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	uint8_t any = 0;

	for (size_t i = 0; p && i < n; i++)
		any |= p[i];
	return !c->failed && !any;
}
