/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "lib/field_text.h"

/* 0x and the digits without leading zeros; 0 alone. */
static void format_hex(const uint8_t *b, unsigned int n, struct sbuf *s)
{
	while (n && !*b) {
		b++;
		n--;
	}
	if (!n) {
		sbuf_putc(s, '0');
		return;
	}
	sbuf_putf(s, "0x%x", *b);
	for (unsigned int i = 1; i < n; i++)
		sbuf_putf(s, "%02x", b[i]);
}

static uint64_t value_u64(const struct field *f, const union field_value *value)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < f->n_bytes; i++)
		v = v << 8 | value->b[i];
	return v;
}

static void format_integer(const struct field *f, const union field_value *value,
	const union field_value *mask, struct sbuf *s)
{
	if (f->format == FIELD_FMT_HEX)
		format_hex(value->b, f->n_bytes, s);
	else
		sbuf_putf(s, "%" PRIu64, value_u64(f, value));
	if (mask) {
		sbuf_putc(s, '/');
		format_hex(mask->b, f->n_bytes, s);
	}
}

static void format_ipv4(const uint8_t *b, struct sbuf *s)
{
	sbuf_putf(s, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static void format_ipv6(const uint8_t *b, struct sbuf *s)
{
	char text[INET6_ADDRSTRLEN];

	sbuf_puts(s, inet_ntop(AF_INET6, b, text, sizeof text));
}

/* Length of the prefix that is MASK, or -1 if it is none. */
static int prefix_len(const uint8_t *mask, unsigned int n)
{
	unsigned int i = 0, len;

	while (i < n && mask[i] == 0xff)
		i++;
	len = i * 8;
	if (i < n && mask[i]) {
		unsigned int ones = (unsigned int)__builtin_clz(~((unsigned int)mask[i] << 24));

		if ((uint8_t)(mask[i] << ones))
			return -1;
		len += ones;
		i++;
	}
	for (; i < n; i++)
		if (i * 8 >= len && mask[i])
			return -1;
	return (int)len;
}

static void format_ip(const struct field *f, const union field_value *value,
	const union field_value *mask, struct sbuf *s)
{
	void (*format)(const uint8_t *, struct sbuf *) =
		f->format == FIELD_FMT_IPV4 ? format_ipv4 : format_ipv6;
	int len;

	format(value->b, s);
	if (!mask)
		return;
	sbuf_putc(s, '/');
	len = prefix_len(mask->b, f->n_bytes);
	if (len >= 0)
		sbuf_putf(s, "%d", len);
	else
		format(mask->b, s);
}

static void format_frag(uint8_t value, uint8_t mask, struct sbuf *s)
{
	mask &= 3;
	value &= mask;
	for (size_t i = 0; i < FIELD_N_FRAGS; i++) {
		if (field_frags[i].value == value && field_frags[i].mask == mask) {
			sbuf_puts(s, field_frags[i].name);
			return;
		}
	}
}

/* "a|b" if MASK is NULL, "+a-b" otherwise. */
static void format_flags(const struct field *f, const char *const names[32],
	const union field_value *value, const union field_value *mask, struct sbuf *s)
{
	uint32_t v = (uint32_t)value_u64(f, value), m, unnamed = 0;
	bool any = false;

	if (mask) {
		m = (uint32_t)value_u64(f, mask);
		for (unsigned int i = 0; i < 32; i++)
			if (m >> i & 1)
				sbuf_putf(s, "%c%s", v >> i & 1 ? '+' : '-',
					names[i] ? names[i] : "[Unknown]");
		return;
	}
	if (!v)
		sbuf_putc(s, '0');
	for (unsigned int i = 0; i < 32; i++) {
		if (!(v >> i & 1))
			continue;
		if (!names[i]) {
			unnamed |= 1u << i;
			continue;
		}
		sbuf_putf(s, "%s%s", any ? "|" : "", names[i]);
		any = true;
	}
	if (unnamed)
		sbuf_putf(s, "%s0x%" PRIx32, any ? "|" : "", unnamed);
}

static void format_packet_type(uint32_t type, struct sbuf *s)
{
	if (!type) {
		sbuf_puts(s, "eth");
		return;
	}
	sbuf_putf(s, type >> 16 > 9 ? "packet_type=(0x%x," : "packet_type=(%u,", type >> 16);
	sbuf_putf(s, (type & 0xffff) > 9 ? "0x%x)" : "%u)", type & 0xffff);
}

void field_format(const struct field *f, const union field_value *value,
	const union field_value *mask, const struct port_names *names, struct sbuf *s)
{
	uint16_t port;

	if (mask && field_mask_is_wild(f, mask)) {
		sbuf_puts(s, "ANY");
		return;
	}
	if (mask && field_mask_is_exact(f, mask))
		mask = NULL;

	switch (f->format) {
	case FIELD_FMT_DECIMAL:
	case FIELD_FMT_HEX:
		format_integer(f, value, mask, s);
		break;
	case FIELD_FMT_ETHERNET:
		sbuf_put_mac(s, value->b);
		if (mask) {
			sbuf_putc(s, '/');
			sbuf_put_mac(s, mask->b);
		}
		break;
	case FIELD_FMT_IPV4:
	case FIELD_FMT_IPV6:
		format_ip(f, value, mask, s);
		break;
	case FIELD_FMT_PORT16:
		port = be16toh(value->u16);
		field_format_port(port >= 0xff00 ? port | 0xffff0000 : port, names, s);
		break;
	case FIELD_FMT_PORT32:
		field_format_port(be32toh(value->u32), names, s);
		break;
	case FIELD_FMT_FRAG:
		format_frag(value->u8, mask ? mask->u8 : 3, s);
		break;
	case FIELD_FMT_TCP_FLAGS:
		format_flags(f, field_tcp_flag_names, value, mask, s);
		break;
	case FIELD_FMT_TNL_FLAGS:
		format_flags(f, field_tnl_flag_names, value, mask, s);
		break;
	case FIELD_FMT_CT_STATE:
		format_flags(f, field_ct_state_names, value, mask, s);
		break;
	case FIELD_FMT_PACKET_TYPE:
		format_packet_type(be32toh(value->u32), s);
		break;
	}
}
