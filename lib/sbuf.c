/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/sbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"

void sbuf_init(struct sbuf *sb)
{
	*sb = (struct sbuf)SBUF_INITIALIZER;
}

void sbuf_uninit(struct sbuf *sb)
{
	free(sb->data);
	sbuf_init(sb);
}

void sbuf_clear(struct sbuf *sb)
{
	sb->len = 0;
}

void sbuf_truncate(struct sbuf *sb, size_t len)
{
	sb->len = MIN(sb->len, len);
}

void sbuf_reserve(struct sbuf *sb, size_t more)
{
	if (sb->data && more <= sb->cap - sb->len)
		return;
	if (more > SIZE_MAX / 4 || sb->len > SIZE_MAX / 4)
		fatal("buffer too large");
	sb->cap = MAX(sb->len + more, MAX(2 * sb->cap, (size_t)63));
	sb->data = xrealloc(sb->data, sb->cap + 1);
}

void *sbuf_put_uninit(struct sbuf *sb, size_t n)
{
	char *p;

	sbuf_reserve(sb, n);
	p = sb->data + sb->len;
	sb->len += n;
	return p;
}

void *sbuf_put(struct sbuf *sb, const void *bytes, size_t n)
{
	void *p = sbuf_put_uninit(sb, n);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

void *sbuf_put_zeros(struct sbuf *sb, size_t n)
{
	return memset(sbuf_put_uninit(sb, n), 0, n);
}

void sbuf_putc(struct sbuf *sb, char c)
{
	*(char *)sbuf_put_uninit(sb, 1) = c;
}

void sbuf_putc_n(struct sbuf *sb, char c, size_t n)
{
	memset(sbuf_put_uninit(sb, n), c, n);
}

void sbuf_puts(struct sbuf *sb, const char *s)
{
	sbuf_put(sb, s, strlen(s));
}

void sbuf_putf(struct sbuf *sb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sbuf_putv(sb, format, args);
	va_end(args);
}

void sbuf_putv(struct sbuf *sb, const char *format, va_list args)
{
	size_t room;
	va_list again;
	int n;

	sbuf_reserve(sb, 0);
	room = sb->cap - sb->len;
	va_copy(again, args);
	n = vsnprintf(sb->data + sb->len, room + 1, format, args);
	if (n > 0 && (size_t)n > room) {
		sbuf_reserve(sb, (size_t)n);
		vsnprintf(sb->data + sb->len, (size_t)n + 1, format, again);
	}
	va_end(again);
	if (n > 0)
		sb->len += (size_t)n;
}

void sbuf_pull(struct sbuf *sb, size_t n)
{
	n = MIN(n, sb->len);
	sb->len -= n;
	if (sb->len && n)
		memmove(sb->data, sb->data + n, sb->len);
}

void sbuf_chomp(struct sbuf *sb, char c)
{
	if (sb->len && sb->data[sb->len - 1] == c)
		sb->len--;
}

bool sbuf_ends_with(const struct sbuf *sb, const char *suffix)
{
	size_t n = strlen(suffix);

	return !n || (n <= sb->len && !memcmp(sb->data + sb->len - n, suffix, n));
}

char *sbuf_cstr(struct sbuf *sb)
{
	sbuf_reserve(sb, 0);
	sb->data[sb->len] = '\0';
	return sb->data;
}

char *sbuf_steal(struct sbuf *sb)
{
	char *s = sbuf_cstr(sb);

	sbuf_init(sb);
	return s;
}

void sbuf_put_hex(struct sbuf *sb, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *src = bytes;
	char *dst = sbuf_put_uninit(sb, 2 * n);

	for (size_t i = 0; i < n; i++) {
		*dst++ = digits[src[i] >> 4];
		*dst++ = digits[src[i] & 15];
	}
}

void sbuf_put_mac(struct sbuf *sb, const uint8_t mac[6])
{
	for (int i = 0; i < 6; i++) {
		if (i)
			sbuf_putc(sb, ':');
		sbuf_put_hex(sb, &mac[i], 1);
	}
}

/* Length of the UTF-8 character at P, 0 if it isn't one. */
static size_t utf8_len(const uint8_t *p)
{
	uint32_t c;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
		(n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

void sbuf_put_json_string(struct sbuf *sb, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;

	sbuf_putc(sb, '"');
	while (*p) {
		size_t n = utf8_len(p);

		if (!n) {
			sbuf_puts(sb, "\\ufffd");
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			sbuf_putf(sb, "\\%c", *p);
		} else if (*p == '\n') {
			sbuf_puts(sb, "\\n");
		} else if (*p == '\t') {
			sbuf_puts(sb, "\\t");
		} else if (*p == '\r') {
			sbuf_puts(sb, "\\r");
		} else if (*p < 0x20) {
			sbuf_putf(sb, "\\u%04x", *p);
		} else {
			sbuf_put(sb, p, n);
		}
		p += n;
	}
	sbuf_putc(sb, '"');
}
