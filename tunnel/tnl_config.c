/* SPDX-License-Identifier: Apache-2.0 */

/* Interface.options of tunnels, with the texts of Open vSwitch's vport code. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/smap.h"
#include "lib/util.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_port.h"

LOG_MODULE(netdev_vport);

#define DEFAULT_TTL 64

static const char *const type_names[TNL_N_TYPES] = {
	[TNL_VXLAN] = "vxlan",
	[TNL_GRE] = "gre",
	[TNL_GENEVE] = "geneve",
};

/* Options being parsed. Complaints are collected line by line; only some are refusals. */
struct parse {
	const char *name, *type;
	const struct smap *options;
	struct tnl_config *config;
	struct sbuf complaints;
	bool refused;
};

const char *tnl_type_name(enum tnl_type type)
{
	return type_names[type];
}

bool tnl_type_parse(const char *name, enum tnl_type *type)
{
	/* The remote address says whether it is IPv6. */
	if (!strcmp(name, "ip6gre"))
		name = type_names[TNL_GRE];
	for (int i = 0; i < TNL_N_TYPES; i++) {
		if (!strcmp(name, type_names[i])) {
			*type = i;
			return true;
		}
	}
	return false;
}

bool tnl_type_is_foreign(const char *name)
{
	static const char *const names[] = {
		"erspan", "ip6erspan", "gtpu", "stt", "lisp", "bareudp", "srv6"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void complain(struct parse *p, const char *format, ...) PRINTF_FORMAT(2, 3);

static void complain(struct parse *p, const char *format, ...)
{
	va_list args;

	if (p->complaints.len)
		sbuf_putc(&p->complaints, '\n');
	sbuf_putf(&p->complaints, "%s: ", p->name);
	va_start(args, format);
	sbuf_putv(&p->complaints, format, args);
	va_end(args);
}

#define refuse(P, ...) (complain(P, __VA_ARGS__), (void)((P)->refused = true))

static void parse_remote(struct parse *p, const char *value)
{
	if (!strcmp(value, "flow"))
		p->config->remote_flow = true;
	else if (!tnl_addr_parse(value, &p->config->remote))
		complain(p, "bad %s 'remote_ip'", p->type);
	else if (tnl_addr_is_multicast(&p->config->remote))
		refuse(p, "multicast remote_ip=%s not allowed", value);
}

static void parse_local(struct parse *p, const char *value)
{
	if (!strcmp(value, "flow"))
		p->config->local_flow = true;
	else if (!tnl_addr_parse(value, &p->config->local))
		complain(p, "bad %s 'local_ip'", p->type);
}

static void parse_tos(struct parse *p, const char *value)
{
	char *end;
	long tos;

	if (!strcmp(value, "inherit")) {
		p->config->tos_inherit = true;
		return;
	}
	tos = strtol(value, &end, 0);
	if (!*end && tos == (tos & IP_DSCP_MASK))
		p->config->tos = (uint8_t)tos;
	else
		complain(p, "invalid TOS %s", value);
}

static void parse_ttl(struct parse *p, const char *value)
{
	int ttl = 0;

	if (!strcmp(value, "inherit"))
		p->config->ttl_inherit = true;
	else if (parse_int(value, 0, 255, &ttl))
		complain(p, "invalid TTL %s", value);
	else
		p->config->ttl = (uint8_t)ttl;
}

static void parse_port(struct parse *p, const char *value)
{
	int port;

	if (parse_int(value, 1, 65535, &port))
		refuse(p, "invalid dst_port '%s', expected a number from 1 to 65535", value);
	else
		p->config->dst_port = htobe16((uint16_t)port);
}

static void parse_exts(struct parse *p, const char *value)
{
	char *copy = xstrdup(value), *save = NULL;

	for (char *ext = strtok_r(copy, ",", &save); ext; ext = strtok_r(NULL, ",", &save)) {
		if (!strcmp(ext, "gbp"))
			p->config->gbp = true;
		else if (!strcmp(ext, "gpe"))
			p->config->gpe = true;
		else
			complain(p, "unknown extension '%s'", ext);
	}
	free(copy);
}

static void parse_packet_type(struct parse *p, const char *value)
{
	if (!strcmp(value, "legacy_l3") || !strcmp(value, "ptap"))
		refuse(p, "packet_type '%s' is not supported, use legacy_l2", value);
	else if (strcmp(value, "legacy_l2"))
		refuse(p, "unknown packet_type '%s'", value);
}

static void parse_mark(struct parse *p, const char *value)
{
	uint64_t mark;

	if (parse_u64(value, 0, UINT32_MAX, &mark))
		complain(p, "invalid egress_pkt_mark %s", value);
	else
		p->config->egress_pkt_mark = (uint32_t)mark;
}

/* Known, but read by others (ovs-monitor-ipsec), or below. */
static bool is_elsewhere(const char *key)
{
	static const char *const keys[] = {
		"key", "in_key", "out_key", "remote_cert", "remote_name", "psk"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static void parse_option(struct parse *p, const char *key, const char *value)
{
	struct tnl_config *c = p->config;

	if (!strcmp(key, "remote_ip"))
		parse_remote(p, value);
	else if (!strcmp(key, "local_ip"))
		parse_local(p, value);
	else if (!strcmp(key, "tos"))
		parse_tos(p, value);
	else if (!strcmp(key, "ttl"))
		parse_ttl(p, value);
	else if (!strcmp(key, "dst_port") && c->type != TNL_GRE)
		parse_port(p, value);
	else if (!strcmp(key, "csum"))
		c->csum = !strcmp(value, "true");
	else if (!strcmp(key, "seq") && c->type == TNL_GRE)
		c->gre_seq = !strcmp(value, "true");
	else if (!strcmp(key, "df_default"))
		c->dont_fragment = strcmp(value, "false");
	else if (!strcmp(key, "exts") && c->type == TNL_VXLAN)
		parse_exts(p, value);
	else if (!strcmp(key, "packet_type"))
		parse_packet_type(p, value);
	else if (!strcmp(key, "egress_pkt_mark"))
		parse_mark(p, value);
	else if (!is_elsewhere(key))
		complain(p, "unknown %s argument '%s'", p->type, key);
}

/* NAME or else `key`: "flow", a number, or not there. */
static be64 parse_key(struct parse *p, const char *name, bool *present, bool *flow)
{
	const char *s = smap_get(p->options, name);

	if (!s)
		s = smap_get(p->options, "key");
	*present = s;
	*flow = s && !strcmp(s, "flow");
	return s && !*flow ? htobe64(strtoull(s, NULL, 0)) : 0;
}

static void check(struct parse *p)
{
	const struct tnl_config *c = p->config;
	bool has_remote = !ipv6_addr_is_zero(&c->remote), has_local = !ipv6_addr_is_zero(&c->local);

	if (p->refused)
		return;
	if (!has_remote && !c->remote_flow)
		refuse(p, "%s type requires valid 'remote_ip' argument", p->type);
	else if (c->local_flow && !c->remote_flow)
		refuse(p, "%s type requires 'remote_ip=flow' with 'local_ip=flow'", p->type);
	else if (has_remote && has_local &&
		 tnl_addr_is_ipv4(&c->remote) != tnl_addr_is_ipv4(&c->local))
		refuse(p, "'remote_ip' and 'local_ip' has to be of the same address family");
}

int tnl_config_parse(const char *name, const char *type, const struct smap *options,
	struct tnl_config *config, char **error)
{
	struct tnl_config c = {.dont_fragment = true};
	struct parse p = {.name = name,
		.type = type,
		.options = options,
		.config = &c,
		.complaints = SBUF_INITIALIZER};
	const struct smap_node **nodes = smap_sort(options);

	if (!tnl_type_parse(type, &c.type))
		refuse(&p, "unknown tunnel type '%s'", type);
	else if (c.type != TNL_GRE)
		c.dst_port = htobe16(c.type == TNL_VXLAN ? VXLAN_PORT : GENEVE_PORT);
	for (size_t i = 0; i < smap_count(options) && !p.refused; i++)
		parse_option(&p, nodes[i]->key, nodes[i]->value);
	free(nodes);
	check(&p);
	c.in_key = parse_key(&p, "in_key", &c.in_key_present, &c.in_key_flow);
	c.out_key = parse_key(&p, "out_key", &c.out_key_present, &c.out_key_flow);
	if (!c.ttl)
		c.ttl = DEFAULT_TTL;
	if (p.complaints.len)
		log_warn("%s", sbuf_cstr(&p.complaints));
	if (p.refused) {
		*error = sbuf_steal(&p.complaints);
		return -EINVAL;
	}
	sbuf_uninit(&p.complaints);
	*config = c;
	return 0;
}
