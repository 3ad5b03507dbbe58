/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/fatal.h"
#include "lib/util.h"

const char *const field_tcp_flag_names[32] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr",
	"ns", "[200]", "[400]", "[800]"};
const char *const field_tnl_flag_names[32] = {"oam"};
const char *const field_ct_state_names[32] = {"new", "est", "rel", "rpl", "inv", "trk", "snat",
	"dnat"};

const struct field_frag field_frags[FIELD_N_FRAGS] = {
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

bool field_mask_is_exact(const struct field *f, const union field_value *mask)
{
	union field_value ones;

	field_all_ones(f, &ones);
	for (unsigned int i = 0; i < f->n_bytes; i++)
		if (ones.b[i] & ~mask->b[i])
			return false;
	return true;
}

bool field_mask_is_wild(const struct field *f, const union field_value *mask)
{
	for (unsigned int i = 0; i < f->n_bytes; i++)
		if (mask->b[i])
			return false;
	return true;
}
