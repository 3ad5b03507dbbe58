/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Growing buffer of text or bytes. There is always room for a terminator behind the contents, but
 * it is only sure to be there after sbuf_cstr(). Positions and pointers into it last until the next
 * call that adds something. One thread at a time.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

struct sbuf {
	char *data; /* NULL while nothing was ever put */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated, less one for the terminator */
};

#define SBUF_INITIALIZER                                                                           \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void sbuf_init(struct sbuf *sb);
void sbuf_uninit(struct sbuf *sb);

/* Empties it but keeps the memory. */
void sbuf_clear(struct sbuf *sb);

/* Cuts the contents to LEN bytes if there are more. */
void sbuf_truncate(struct sbuf *sb, size_t len);

/* Room for MORE bytes behind the contents. */
void sbuf_reserve(struct sbuf *sb, size_t more);

/* Adds N bytes and returns where to write them. */
void *sbuf_put_uninit(struct sbuf *sb, size_t n);
void *sbuf_put(struct sbuf *sb, const void *bytes, size_t n);
void *sbuf_put_zeros(struct sbuf *sb, size_t n);
void sbuf_putc(struct sbuf *sb, char c);
void sbuf_putc_n(struct sbuf *sb, char c, size_t n);
void sbuf_puts(struct sbuf *sb, const char *s);
void sbuf_putf(struct sbuf *sb, const char *format, ...) PRINTF_FORMAT(2, 3);
void sbuf_putv(struct sbuf *sb, const char *format, va_list args) PRINTF_FORMAT(2, 0);

/* Removes the first N bytes. */
void sbuf_pull(struct sbuf *sb, size_t n);

/* Removes a last C, if there is one. */
void sbuf_chomp(struct sbuf *sb, char c);

/* True if the contents end with SUFFIX. */
bool sbuf_ends_with(const struct sbuf *sb, const char *suffix);

/* The contents as a terminated string, owned by SB. */
char *sbuf_cstr(struct sbuf *sb);

/* The contents as a terminated string to free(); SB is empty afterwards. */
char *sbuf_steal(struct sbuf *sb);

/* "0001aaff": two lower-case digits a byte. */
void sbuf_put_hex(struct sbuf *sb, const void *bytes, size_t n);

/* "00:11:22:aa:bb:cc" */
void sbuf_put_mac(struct sbuf *sb, const uint8_t mac[6]);

/* A JSON string with its quotes. S must be UTF-8; bad bytes are escaped as U+FFFD. */
void sbuf_put_json_string(struct sbuf *sb, const char *s);
