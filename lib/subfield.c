/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/field.h"
#include "lib/util.h"

void field_bitwise_copy(const void *src_, unsigned int src_len, unsigned int src_ofs, void *dst_,
	unsigned int dst_len, unsigned int dst_ofs, unsigned int n_bits)
{
	/* Both at the byte that holds their lowest bit; the strings grow towards lower addresses.
	 */
	const uint8_t *src = (const uint8_t *)src_ + src_len - 1 - src_ofs / 8;
	uint8_t *dst = (uint8_t *)dst_ + dst_len - 1 - dst_ofs / 8;

	src_ofs %= 8;
	dst_ofs %= 8;
	if (!src_ofs && !dst_ofs) {
		unsigned int n = n_bits / 8;

		if (n)
			memcpy(dst - n + 1, src - n + 1, n);
		src -= n;
		dst -= n;
		n_bits %= 8;
	}
	while (n_bits) {
		unsigned int n = MIN(n_bits, 8 - MAX(src_ofs, dst_ofs));
		unsigned int mask = ((1u << n) - 1) << dst_ofs;

		*dst = (uint8_t)((*dst & ~mask) | ((unsigned int)*src >> src_ofs << dst_ofs & mask));
		src_ofs += n;
		dst_ofs += n;
		n_bits -= n;
		if (src_ofs == 8) {
			src--;
			src_ofs = 0;
		}
		if (dst_ofs == 8) {
			dst--;
			dst_ofs = 0;
		}
	}
}

void subfield_read(const struct subfield *sf, const struct flow *flow, union field_value *value)
{
	unsigned int n = sf->field->n_bytes;
	union field_value whole;

	field_get(sf->field, flow, &whole);
	memset(value, 0, n);
	field_bitwise_copy(&whole, n, sf->ofs, value, n, 0, sf->n_bits);
}

void subfield_write(const struct subfield *sf, const union field_value *value, struct flow *flow)
{
	unsigned int n = sf->field->n_bytes;
	union field_value whole;

	field_get(sf->field, flow, &whole);
	field_bitwise_copy(value, n, 0, &whole, n, sf->ofs, sf->n_bits);
	field_set(sf->field, &whole, flow);
}

uint64_t subfield_read_u64(const struct subfield *sf, const struct flow *flow)
{
	union field_value whole;
	be64 v = 0;

	field_get(sf->field, flow, &whole);
	field_bitwise_copy(&whole, sf->field->n_bytes, sf->ofs, &v, sizeof v, 0,
		MIN(sf->n_bits, 64));
	return be64toh(v);
}

void subfield_write_u64(const struct subfield *sf, uint64_t value, struct flow *flow)
{
	static const uint8_t zeros[sizeof(union field_value)];
	unsigned int n = sf->field->n_bytes;
	unsigned int low = MIN(sf->n_bits, 64);
	union field_value whole;
	be64 v = htobe64(value);

	field_get(sf->field, flow, &whole);
	field_bitwise_copy(&v, sizeof v, 0, &whole, n, sf->ofs, low);
	if (sf->n_bits > low)
		field_bitwise_copy(zeros, sizeof zeros, 0, &whole, n, sf->ofs + low,
			sf->n_bits - low);
	field_set(sf->field, &whole, flow);
}

void subfield_move(const struct subfield *src, const struct subfield *dst, struct flow *flow)
{
	union field_value from, to;

	field_get(src->field, flow, &from);
	field_get(dst->field, flow, &to);
	field_bitwise_copy(&from, src->field->n_bytes, src->ofs, &to, dst->field->n_bytes, dst->ofs,
		MIN(src->n_bits, dst->n_bits));
	field_set(dst->field, &to, flow);
}

void subfield_unwildcard(const struct subfield *sf, struct flow *wc)
{
	unsigned int n = sf->field->n_bytes;
	union field_value ones, mask;

	memset(&ones, 0xff, n);
	memset(&mask, 0, n);
	field_bitwise_copy(&ones, n, 0, &mask, n, sf->ofs, sf->n_bits);
	field_unwildcard_masked(sf->field, &mask, wc);
}

void subfield_format(const struct subfield *sf, struct sbuf *s)
{
	const struct field *f = sf->field;

	sbuf_puts(s, f->nxm_name ? f->nxm_name : f->oxm_name ? f->oxm_name : f->name);
	if (!sf->ofs && sf->n_bits == f->n_bits)
		sbuf_puts(s, "[]");
	else if (sf->n_bits == 1)
		sbuf_putf(s, "[%u]", sf->ofs);
	else
		sbuf_putf(s, "[%u..%u]", sf->ofs, sf->ofs + sf->n_bits - 1u);
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A small decimal number at *S. */
static bool scan_number(const char **s, unsigned int *n)
{
	const char *p = *s;
	unsigned int v = 0;

	while (*p >= '0' && *p <= '9' && v < 100000)
		v = v * 10 + (unsigned int)(*p++ - '0');
	if (p == *s)
		return false;
	*s = p;
	*n = v;
	return true;
}

/* "[]", "[A]" or "[A..B]" at *S, if there is one. */
static bool scan_range(const char **s, unsigned int *start, unsigned int *end)
{
	const char *p = *s;

	if (*p++ != '[')
		return true;
	if (*p != ']') {
		if (!scan_number(&p, start))
			return false;
		*end = *start;
		if (p[0] == '.' && p[1] == '.') {
			p += 2;
			if (!scan_number(&p, end))
				return false;
		}
		if (*p != ']')
			return false;
	}
	*s = p + 1;
	return true;
}

int subfield_parse(const char **text, struct subfield *sf, char **error)
{
	const char *s = *text;
	const struct field *f = NULL;
	unsigned int start = 0, end;
	size_t len = 0;
	char name[64];

	while (is_name_char(s[len]))
		len++;
	if (len && len < sizeof name) {
		memcpy(name, s, len);
		name[len] = '\0';
		f = field_from_name(name);
	}
	if (!f) {
		*error = xasprintf("%s: unknown field `%.*s'", *text, len < 200 ? (int)len : 200, s);
		return -EINVAL;
	}

	s += len;
	end = f->n_bits - 1;
	if (!scan_range(&s, &start, &end)) {
		*error = xasprintf("%s: syntax error expecting [] or [<bit>] or [<start>..<end>]",
			*text);
		return -EINVAL;
	}
	if (start > end) {
		*error = xasprintf("%s: starting bit %u is after ending bit %u", *text, start, end);
		return -EINVAL;
	}
	if (end >= f->n_bits) {
		*error = xasprintf("%s: %s bit %u is not valid because field is only %u bits wide",
			*text, start >= f->n_bits ? "starting" : "ending",
			start >= f->n_bits ? start : end, f->n_bits);
		return -EINVAL;
	}
	*sf = (struct subfield){.field = f, .ofs = (uint16_t)start,
		.n_bits = (uint16_t)(end - start + 1)};
	*text = s;
	return 0;
}
