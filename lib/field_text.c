/* SPDX-License-Identifier: Apache-2.0 */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/fatal.h"
#include "lib/field.h"
#include "lib/headers.h"
#include "lib/util.h"

/* Names of bits, the lowest first. */
static const char *const tcp_flag_names[32] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr",
	"ns", "[200]", "[400]", "[800]"};
static const char *const tnl_flag_names[32] = {"oam"};
static const char *const ct_state_names[32] = {"new", "est", "rel", "rpl", "inv", "trk", "snat",
	"dnat"};

static const struct {
	const char *name;
	uint8_t mask;
	uint8_t value;
} frags[] = {
	{"no", 3, 0},
	{"first", 3, FLOW_NW_FRAG_ANY},
	{"later", 3, FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER},
	{"no", FLOW_NW_FRAG_ANY, 0},
	{"yes", FLOW_NW_FRAG_ANY, FLOW_NW_FRAG_ANY},
	{"not_later", FLOW_NW_FRAG_LATER, 0},
	{"later", FLOW_NW_FRAG_LATER, FLOW_NW_FRAG_LATER},
};

static const struct {
	const char *name;
	ofp_port_t port;
} reserved_ports[] = {
	{"IN_PORT", OFPP_IN_PORT},
	{"TABLE", OFPP_TABLE},
	{"NORMAL", OFPP_NORMAL},
	{"FLOOD", OFPP_FLOOD},
	{"ALL", OFPP_ALL},
	{"CONTROLLER", OFPP_CONTROLLER},
	{"LOCAL", OFPP_LOCAL},
	{"ANY", OFPP_NONE},
	{"UNSET", OFPP_UNSET},
	{"NONE", OFPP_NONE},
};

void field_format_port(ofp_port_t port, const struct port_names *names, struct sbuf *s)
{
	const char *name;
	bool plain;

	for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
		if (reserved_ports[i].port == port) {
			sbuf_puts(s, reserved_ports[i].name);
			return;
		}
	}
	name = names && names->name ? names->name(names->aux, port) : NULL;
	if (!name) {
		sbuf_putf(s, "%" PRIu32, port);
		return;
	}
	plain = isalpha((unsigned char)name[0]);
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			plain = false;
	if (plain)
		sbuf_puts(s, name);
	else
		sbuf_put_json_string(s, name);
}

/* OpenFlow 1.0's reserved numbers and OpenFlow 1.1's, both. */
static bool port_from_number(uint64_t n, ofp_port_t *port)
{
	if (n <= OFP_PORT_LAST)
		*port = (ofp_port_t)n;
	else if (n <= 0xffff)
		*port = (ofp_port_t)n | 0xffff0000;
	else if (n >= OFPP_MAX && n <= UINT32_MAX)
		*port = (ofp_port_t)n;
	else
		return false;
	return true;
}

/* TEXT, in quotes, as a name. */
static bool port_from_quoted(const char *text, const struct port_names *names, ofp_port_t *port)
{
	size_t len = strlen(text), n = 0;
	char *name;
	bool ok;

	if (len < 2 || text[len - 1] != '"')
		return false;
	name = xmalloc(len);
	for (size_t i = 1; i < len - 1; i++) {
		if (text[i] == '\\' && i + 1 < len - 1)
			i++;
		name[n++] = text[i];
	}
	name[n] = '\0';
	ok = names->port(names->aux, name, port);
	free(name);
	return ok;
}

int field_parse_port(const char *text, const struct port_names *names, ofp_port_t *port)
{
	char *tail;

	if (isdigit((unsigned char)*text)) {
		unsigned long long n;

		errno = 0;
		n = strtoull(text, &tail, 10);
		if (!errno && !*tail)
			return port_from_number(n, port) ? 0 : -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved_ports); i++) {
		if (!strcasecmp(text, reserved_ports[i].name)) {
			*port = reserved_ports[i].port;
			return 0;
		}
	}
	if (!names || !names->port)
		return -EINVAL;
	if (*text == '"')
		return port_from_quoted(text, names, port) ? 0 : -EINVAL;
	return names->port(names->aux, text, port) ? 0 : -EINVAL;
}

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
	for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
		if (frags[i].value == value && frags[i].mask == mask) {
			sbuf_puts(s, frags[i].name);
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

static bool is_exact(const struct field *f, const union field_value *mask)
{
	union field_value ones;

	field_all_ones(f, &ones);
	for (unsigned int i = 0; i < f->n_bytes; i++)
		if (ones.b[i] & ~mask->b[i])
			return false;
	return true;
}

static bool is_wild(const struct field *f, const union field_value *mask)
{
	for (unsigned int i = 0; i < f->n_bytes; i++)
		if (mask->b[i])
			return false;
	return true;
}

void field_format(const struct field *f, const union field_value *value,
	const union field_value *mask, const struct port_names *names, struct sbuf *s)
{
	uint16_t port;

	if (mask && is_wild(f, mask)) {
		sbuf_puts(s, "ANY");
		return;
	}
	if (mask && is_exact(f, mask))
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
		format_flags(f, tcp_flag_names, value, mask, s);
		break;
	case FIELD_FMT_TNL_FLAGS:
		format_flags(f, tnl_flag_names, value, mask, s);
		break;
	case FIELD_FMT_CT_STATE:
		format_flags(f, ct_state_names, value, mask, s);
		break;
	case FIELD_FMT_PACKET_TYPE:
		format_packet_type(be32toh(value->u32), s);
		break;
	}
}

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
	for (size_t i = 0; i < ARRAY_SIZE(frags); i++) {
		if (!strcasecmp(text, frags[i].name)) {
			value->u8 = frags[i].value;
			mask->u8 = frags[i].mask;
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
		return parse_flags(f, tcp_flag_names, text, value, mask, error);
	case FIELD_FMT_TNL_FLAGS:
		return parse_flags(f, tnl_flag_names, text, value, mask, error);
	case FIELD_FMT_CT_STATE:
		return parse_flags(f, ct_state_names, text, value, mask, error);
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

	if (!is_wild(f, &m) && !field_is_mask_valid(f, &m)) {
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
