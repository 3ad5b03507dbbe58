/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the codec tests share: bytes from hexadecimal text, messages from bytes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/fatal.h"
#include "ofproto/wire/msg.h"

#define N_ITEMS(A) (sizeof(A) / sizeof((A)[0]))

/* The bytes of HEX (blanks are skipped) in a block of just their size; free() it. */
static inline uint8_t *bytes_from_hex(const char *hex, size_t *len)
{
	uint8_t *bytes = xmalloc(strlen(hex) / 2 + 1), *exact;
	unsigned int nibble = 0, n_nibbles = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		nibble = nibble << 4 | (unsigned int)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		if (++n_nibbles % 2 == 0)
			bytes[n_nibbles / 2 - 1] = (uint8_t)nibble;
	}
	*len = n_nibbles / 2;
	exact = xmemdup(bytes, *len);
	free(bytes);
	return exact;
}

static inline void assert_bytes(const struct sbuf *got, const char *hex, const char *what)
{
	struct sbuf text = SBUF_INITIALIZER, want = SBUF_INITIALIZER;
	size_t len;
	uint8_t *bytes = bytes_from_hex(hex, &len);

	sbuf_put_hex(&text, got->data, got->len);
	sbuf_put_hex(&want, bytes, len);
	if (strcmp(sbuf_cstr(&text), sbuf_cstr(&want)))
		print_message("%s:\n  want %s\n  got  %s\n", what, sbuf_cstr(&want),
			sbuf_cstr(&text));
	assert_string_equal(sbuf_cstr(&text), sbuf_cstr(&want));
	sbuf_uninit(&text);
	sbuf_uninit(&want);
	free(bytes);
}

static inline void assert_error(enum ofp_error got, enum ofp_error want, const char *what)
{
	if (got != want)
		print_message("%s: want %s, got %s\n", what, ofp_error_name(want),
			ofp_error_name(got));
	assert_int_equal(got, want);
}

/* The message that lies in OUT, which must be well formed. */
static inline struct msg msg_from(const struct sbuf *out)
{
	struct msg msg;

	assert_error(msg_decode(out->data, out->len, &msg), OFP_OK, "message");
	return msg;
}

/* A request without body, to answer. */
static inline struct msg request(enum ofp_version version, enum ofp_type type,
	enum msg_family family)
{
	return (struct msg){.version = version, .type = type, .family = family,
		.xid = htobe32(0x1234)};
}
