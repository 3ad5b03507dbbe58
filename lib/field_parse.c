/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/fatal.h"
#include "lib/field_text.h"
#include "lib/util.h"

/* An integer at TEXT as N big-endian bytes: decimal, octal after 0, hexadecimal after 0x (of any
 * length). *TAIL is what follows. 0, -EINVAL or -ERANGE. */
static int scan_integer(const char *text, uint8_t *b, unsigned int n, const char **tail)
{
	unsigned long long v;
	char *end;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && hex_digit(text[2]) >= 0) {
		const char *p = text + 2;

		memset(b, 0, n);
		for (; hex_digit(*p) >= 0; p++) {
			if (b[0] >> 4)
				return -ERANGE;
			for (unsigned int i = 0; i + 1 < n; i++)
				b[i] = (uint8_t)(b[i] << 4 | b[i + 1] >> 4);
			b[n - 1] = (uint8_t)(b[n - 1] << 4 | hex_digit(*p));
		}
		*tail = p;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno)
		return -ERANGE;
	for (unsigned int i = n; i-- > 0; v >>= 8)
		b[i] = (uint8_t)v;
	*tail = end;
	return v ? -ERANGE : 0;
}

static int parse_integer(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, char **error)
{
	const char *what = "value", *tail;
	int err = scan_integer(text, value->b, f->n_bytes, &tail);

	if (!err && *tail == '/') {
		what = "mask";
		err = scan_integer(tail + 1, mask->b, f->n_bytes, &tail);
	} else if (!err) {
		field_all_ones(f, mask);
	}
	if (!err && *tail)
		err = -EINVAL;
	if (err == -ERANGE)
		*error = xasprintf("%s: %s too large for %u-byte field %s", text, what, f->n_bytes,
			f->name);
	else if (err)
		*error = xasprintf("%s: bad syntax for %s %s", text, f->name, what);
	return err ? -EINVAL : 0;
}

/* Splits TEXT at the first '/': the front part goes to FRONT (SIZE bytes). NULL if there is no '/',
 * "" also if the front part is too long. */
static const char *split_mask(const char *text, char *front, size_t size)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= size) {
		front[0] = '\0';
		return slash ? slash + 1 : NULL;
	}
	memcpy(front, text, len);
	front[len] = '\0';
	return slash ? slash + 1 : NULL;
}

static int parse_ethernet(const char *text, union field_value *value, union field_value *mask,
	char **error)
{
	char front[32];
	const char *m = split_mask(text, front, sizeof front);

	memset(mask->b, 0xff, 6);
	if (parse_mac(front, value->b) || (m && parse_mac(m, mask->b))) {
		*error = xasprintf("%s: invalid Ethernet address", text);
		return -EINVAL;
	}
	return 0;
}

static void prefix_mask(uint8_t *mask, unsigned int n, unsigned int len)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int bits = len > i * 8 ? MIN(len - i * 8, 8u) : 0;

		mask[i] = (uint8_t)(0xff00 >> bits);
	}
}

static int parse_ip(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, char **error)
{
	bool v4 = f->format == FIELD_FMT_IPV4;
	int family = v4 ? AF_INET : AF_INET6;
	char front[INET6_ADDRSTRLEN + 1];
	const char *m = split_mask(text, front, sizeof front);
	uint64_t len;

	if (inet_pton(family, front, value->b) != 1) {
		*error = xasprintf("%s: invalid %s address", text, v4 ? "IP" : "IPv6");
		return -EINVAL;
	}
	if (!m) {
		memset(mask->b, 0xff, f->n_bytes);
		return 0;
	}
	if (inet_pton(family, m, mask->b) == 1)
		return 0;
	if (parse_u64(m, 0, f->n_bits, &len)) {
		*error = xasprintf("%s: %s network prefix bits not between 0 and %u, inclusive", text,
			v4 ? "IPv4" : "IPv6", f->n_bits);
		return -EINVAL;
	}
	prefix_mask(mask->b, f->n_bytes, (unsigned int)len);
	return 0;
}

static int parse_port(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, const struct port_names *names, char **error)
{
	ofp_port_t port;

	if (field_parse_port(text, names, &port)) {
		*error = xasprintf("%s: invalid or unknown port for %s", text, f->name);
		return -EINVAL;
	}
	if (f->n_bytes == 2)
		value->u16 = htobe16((uint16_t)port);
	else
		value->u32 = htobe32(port);
	field_all_ones(f, mask);
	return 0;
}

static int parse_frag(const char *text, union field_value *value, union field_value *mask,
	char **error)
{
	for (size_t i = 0; i < FIELD_N_FRAGS; i++) {
		if (!strcasecmp(text, field_frags[i].name)) {
			value->u8 = field_frags[i].value;
			mask->u8 = field_frags[i].mask;
			return 0;
		}
	}
	*error = xasprintf("%s: unknown fragment type (valid types are \"no\", \"yes\", \"first\", "
		"\"later\", \"not_later\")", text);
	return -EINVAL;
}

/* The bit whose name is at *TEXT, up to one of STOP or the end; advances. 0 if there is none. */
static uint32_t scan_flag(const char *const names[32], const char *stop, const char **text)
{
	size_t len = strcspn(*text, stop);

	for (unsigned int i = 0; i < 32; i++) {
		if (names[i] && strlen(names[i]) == len && !strncmp(*text, names[i], len)) {
			*text += len;
			return 1u << i;
		}
	}
	return 0;
}

/* "+a-b". */
static int parse_signed_flags(const struct field *f, const char *const names[32], const char *text,
	uint32_t *value, uint32_t *mask, char **error)
{
	const char *p = text;

	*value = *mask = 0;
	while (*p) {
		bool set = *p == '+';
		uint32_t bit;

		if (*p != '+' && *p != '-') {
			*error = xasprintf("%s: %s flag must be preceded by '+' (for SET) or '-' (NOT "
				"SET)", p, f->name);
			return -EINVAL;
		}
		p++;
		bit = scan_flag(names, "+-", &p);
		if (!bit) {
			*error = xasprintf("%s: unknown %s flag(s)", p, f->name);
			return -EINVAL;
		}
		if (*mask & bit) {
			*error = xasprintf("%s: each %s flag can be specified only once", text, f->name);
			return -EINVAL;
		}
		*mask |= bit;
		*value |= set ? bit : 0;
	}
	return 0;
}

/* "a|b|0x10". */
static bool parse_flag_list(const char *const names[32], const char *text, uint32_t *value)
{
	*value = 0;
	while (*text) {
		uint32_t v;

		if (isdigit((unsigned char)*text)) {
			const char *tail;
			be32 number;

			if (scan_integer(text, (uint8_t *)&number, sizeof number, &tail))
				return false;
			v = be32toh(number);
			text = tail;
		} else {
			v = scan_flag(names, "|", &text);
			if (!v)
				return false;
		}
		*value |= v;
		if (*text == '|')
			text++;
		else if (*text)
			return false;
	}
	return true;
}

static int parse_flags(const struct field *f, const char *const names[32], const char *text,
	union field_value *value, union field_value *mask, char **error)
{
	uint32_t v, m;

	if (isdigit((unsigned char)*text) && strchr(text, '/'))
		return parse_integer(f, text, value, mask, error);
	if (*text == '+' || *text == '-') {
		int err = parse_signed_flags(f, names, text, &v, &m, error);

		if (err)
			return err;
	} else {
		if (!parse_flag_list(names, text, &v)) {
			*error = xasprintf("%s: unknown %s flag(s)", text, f->name);
			return -EINVAL;
		}
		m = UINT32_MAX;
	}
	for (unsigned int i = f->n_bytes; i-- > 0; v >>= 8, m >>= 8) {
		value->b[i] = (uint8_t)v;
		mask->b[i] = (uint8_t)m;
	}
	if (v) {
		*error = xasprintf("%s: unknown %s flag(s)", text, f->name);
		return -EINVAL;
	}
	return 0;
}

/* "(NS,TYPE)". */
static int parse_packet_type(const char *text, union field_value *value, union field_value *mask,
	char **error)
{
	const char *p = text;

	memset(mask->b, 0xff, 4);
	if (*p == '(' && !scan_integer(p + 1, value->b, 2, &p) && *p == ',' &&
		!scan_integer(p + 1, value->b + 2, 2, &p) && p[0] == ')' && !p[1])
		return 0;
	*error = xasprintf("%s: bad syntax for packet type, expecting (NS,NS_TYPE)", text);
	return -EINVAL;
}

static int parse_by_format(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, const struct port_names *names, char **error)
{
	switch (f->format) {
	case FIELD_FMT_DECIMAL:
	case FIELD_FMT_HEX:
		return parse_integer(f, text, value, mask, error);
	case FIELD_FMT_ETHERNET:
		return parse_ethernet(text, value, mask, error);
	case FIELD_FMT_IPV4:
	case FIELD_FMT_IPV6:
		return parse_ip(f, text, value, mask, error);
	case FIELD_FMT_PORT16:
	case FIELD_FMT_PORT32:
		return parse_port(f, text, value, mask, names, error);
	case FIELD_FMT_FRAG:
		return parse_frag(text, value, mask, error);
	case FIELD_FMT_TCP_FLAGS:
		return parse_flags(f, field_tcp_flag_names, text, value, mask, error);
	case FIELD_FMT_TNL_FLAGS:
		return parse_flags(f, field_tnl_flag_names, text, value, mask, error);
	case FIELD_FMT_CT_STATE:
		return parse_flags(f, field_ct_state_names, text, value, mask, error);
	case FIELD_FMT_PACKET_TYPE:
		return parse_packet_type(text, value, mask, error);
	}
	return -EINVAL;
}

int field_parse(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, const struct port_names *names, char **error)
{
	union field_value v, m, ones;
	bool none;
	int err;

	if (!strcmp(text, "*")) {
		memset(value, 0, f->n_bytes);
		memset(mask, 0, f->n_bytes);
		return 0;
	}
	memset(&v, 0, sizeof v);
	memset(&m, 0, sizeof m);
	err = parse_by_format(f, text, &v, &m, names, error);
	if (err)
		return err;

	if (!field_mask_is_wild(f, &m) && !field_is_mask_valid(f, &m)) {
		*error = xasprintf("%s: invalid mask for field %s", text, f->name);
		return -EINVAL;
	}
	none = f->id == FIELD_DL_VLAN && v.u16 == BE16_MAX;
	if (!none && !field_is_value_valid(f, &v)) {
		*error = xasprintf("%s: value too large for %u-bit field %s", text, f->n_bits, f->name);
		return -EINVAL;
	}
	/* A mask of ones in all bytes (0xffff for 12 bits) means all bits of the field. */
	field_all_ones(f, &ones);
	for (unsigned int i = 0; i < f->n_bytes; i++) {
		m.b[i] &= ones.b[i];
		if (!none)
			v.b[i] &= m.b[i];
	}
	memcpy(value, &v, f->n_bytes);
	memcpy(mask, &m, f->n_bytes);
	return 0;
}
