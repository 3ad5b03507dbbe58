/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/put.h"

#include <string.h>

void put_string(struct sbuf *out, const char *text, size_t size)
{
	size_t len = text ? strnlen(text, size - 1) : 0;

	sbuf_put(out, text ? text : "", len);
	sbuf_put_zeros(out, size - len);
}

void put_u16_at(struct sbuf *out, size_t ofs, uint16_t v)
{
	be16 wire = htobe16(v);

	memcpy(out->data + ofs, &wire, sizeof wire);
}
