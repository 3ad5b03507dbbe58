/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/act_parse_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/match_text.h"

int act_parse_fail(struct act_parser *p, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	*p->error = xasprintf("%s: %s", p->name, text);
	free(text);
	return -EINVAL;
}

int act_parse_number(struct act_parser *p, const char *text, uint64_t max, uint64_t *value)
{
	if (parse_u64(text, 0, max, value))
		return act_parse_fail(p, "\"%s\": expected a number from 0 to %llu", text,
			(unsigned long long)max);
	return 0;
}

int act_parse_port(struct act_parser *p, const char *text, ofp_port_t *value)
{
	if (field_parse_port(text, p->names, value))
		return act_parse_fail(p, "\"%s\": expected a port number or name", text);
	return 0;
}

int act_parse_subfield(struct act_parser *p, const char *text, struct subfield *sf)
{
	const char *rest = text;

	if (subfield_parse(&rest, sf, p->error))
		return -EINVAL;
	if (*rest)
		return act_parse_fail(p, "\"%s\": unexpected text after the field", text);
	return 0;
}

/* Splits "A->B" at the arrow. */
int act_parse_arrow(struct act_parser *p, char *text, char **right)
{
	char *at = strstr(text, "->");

	if (!at)
		return act_parse_fail(p, "\"%s\": expected ->", text);
	*at = '\0';
	*right = at + 2;
	return 0;
}

/* ------------------------------------------------------------------ one number, or nothing */

static int parse_u8(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u8 *a;

	if (act_parse_number(p, arg,
		    type == ACT_SET_IP_ECN ? 3 : type == ACT_SET_MPLS_TC ? 7 : 255, &value))
		return -EINVAL;
	if (type == ACT_SET_IP_DSCP && value & 3)
		return act_parse_fail(p, "\"%s\": the two low bits must be zero", arg);
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_u16(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u16 *a;

	if (act_parse_number(p, arg, UINT16_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_u32(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u32 *a;

	if (act_parse_number(p, arg, type == ACT_SET_MPLS_LABEL ? 0xfffff : UINT32_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_plain(struct act_parser *p, char *arg, enum act_type type)
{
	if (*arg)
		return act_parse_fail(p, "takes no argument");
	act_put(p->b, type, sizeof(struct act));
	return 0;
}

/* ------------------------------------------------------------------ the list */

static const struct {
	const char *name;
	enum act_type type;
	act_parse_fn *parse;
} words[] = {
	{"output", ACT_OUTPUT, act_parse_output},
	{"group", ACT_GROUP, act_parse_group},
	{"controller", ACT_CONTROLLER, act_parse_controller},
	{"CONTROLLER", ACT_CONTROLLER, act_parse_controller},
	{"enqueue", ACT_ENQUEUE, act_parse_enqueue},
	{"bundle", ACT_BUNDLE, act_parse_bundle},
	{"bundle_load", ACT_BUNDLE, act_parse_bundle},
	{"set_field", ACT_SET_FIELD, act_parse_set_field},
	{"load", ACT_SET_FIELD, act_parse_load},
	{"move", ACT_REG_MOVE, act_parse_move},
	{"push", ACT_STACK_PUSH, act_parse_stack},
	{"pop", ACT_STACK_POP, act_parse_stack},
	{"mod_vlan_vid", ACT_SET_VLAN_VID, act_parse_vlan_vid},
	{"set_vlan_vid", ACT_SET_VLAN_VID, act_parse_vlan_vid},
	{"mod_vlan_pcp", ACT_SET_VLAN_PCP, act_parse_vlan_pcp},
	{"set_vlan_pcp", ACT_SET_VLAN_PCP, act_parse_vlan_pcp},
	{"strip_vlan", ACT_STRIP_VLAN, act_parse_strip_vlan},
	{"pop_vlan", ACT_STRIP_VLAN, act_parse_strip_vlan},
	{"push_vlan", ACT_PUSH_VLAN, act_parse_push},
	{"mod_dl_src", ACT_SET_ETH_SRC, act_parse_mac_action},
	{"mod_dl_dst", ACT_SET_ETH_DST, act_parse_mac_action},
	{"mod_nw_src", ACT_SET_IPV4_SRC, act_parse_ipv4_action},
	{"mod_nw_dst", ACT_SET_IPV4_DST, act_parse_ipv4_action},
	{"mod_nw_tos", ACT_SET_IP_DSCP, parse_u8},
	{"mod_nw_ecn", ACT_SET_IP_ECN, parse_u8},
	{"mod_nw_ttl", ACT_SET_IP_TTL, parse_u8},
	{"mod_tp_src", ACT_SET_L4_SRC_PORT, parse_u16},
	{"mod_tp_dst", ACT_SET_L4_DST_PORT, parse_u16},
	{"dec_ttl", ACT_DEC_TTL, act_parse_dec_ttl},
	{"copy_ttl_in", ACT_COPY_TTL_IN, parse_plain},
	{"copy_ttl_out", ACT_COPY_TTL_OUT, parse_plain},
	{"push_mpls", ACT_PUSH_MPLS, act_parse_push},
	{"pop_mpls", ACT_POP_MPLS, act_parse_push},
	{"set_mpls_label", ACT_SET_MPLS_LABEL, parse_u32},
	{"set_mpls_tc", ACT_SET_MPLS_TC, parse_u8},
	{"set_mpls_ttl", ACT_SET_MPLS_TTL, parse_u8},
	{"dec_mpls_ttl", ACT_DEC_MPLS_TTL, parse_plain},
	{"push_pbb", ACT_PUSH_PBB, act_parse_push},
	{"pop_pbb", ACT_POP_PBB, parse_plain},
	{"delete_field", ACT_DELETE_FIELD, act_parse_delete_field},
	{"set_tunnel", ACT_SET_TUNNEL, act_parse_set_tunnel},
	{"set_tunnel64", ACT_SET_TUNNEL, act_parse_set_tunnel},
	{"set_queue", ACT_SET_QUEUE, parse_u32},
	{"pop_queue", ACT_POP_QUEUE, parse_plain},
	{"fin_timeout", ACT_FIN_TIMEOUT, act_parse_fin_timeout},
	{"resubmit", ACT_RESUBMIT, act_parse_resubmit},
	{"learn", ACT_LEARN, act_parse_learn},
	{"conjunction", ACT_CONJUNCTION, act_parse_conjunction},
	{"multipath", ACT_MULTIPATH, act_parse_multipath},
	{"note", ACT_NOTE, act_parse_note},
	{"exit", ACT_EXIT, parse_plain},
	{"sample", ACT_SAMPLE, act_parse_sample},
	{"clone", ACT_CLONE, act_parse_nest},
	{"check_pkt_larger", ACT_CHECK_PKT_LARGER, act_parse_check_pkt_larger},
	{"meter", ACT_METER, parse_u32},
	{"clear_actions", ACT_CLEAR_ACTIONS, parse_plain},
	{"write_actions", ACT_WRITE_ACTIONS, act_parse_nest},
	{"write_metadata", ACT_WRITE_METADATA, act_parse_write_metadata},
	{"goto_table", ACT_GOTO_TABLE, act_parse_table},
};

static int parse_one(struct act_parser *p, char *name, char *arg)
{
	ofp_port_t value;

	p->name = name;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(name, words[i].name))
			return words[i].parse(p, arg ? arg : (char[]){""}, words[i].type);
	if (!strcmp(name, "apply_actions"))
		return act_list_parse(arg ? arg : (char[]){""}, p->names, p->b, p->error);
	/* "1", "LOCAL", "normal": output to it. */
	if (!arg && !field_parse_port(name, p->names, &value))
		return act_parse_put_output(p, value, value == OFPP_CONTROLLER ? UINT16_MAX : 0);
	*p->error = xasprintf("unknown action %s", name);
	return -EINVAL;
}

/* An arrow right behind the parentheses belongs to the action: "name(ARG)->DST". */
static char *join_arrow(char **text, char *arg)
{
	char *rest = *text;
	char *end;
	size_t len;

	if (!arg || !str_starts_with(rest, "->"))
		return arg;
	len = strcspn(rest, ", \t\r\n");
	end = arg + strlen(arg);
	memmove(end, rest, len);
	/* The closing parenthesis was a byte, so the text moved to the left and this is inside it. */
	end[len] = '\0';
	*text = rest + len;
	return arg;
}

int act_list_parse(char *text, const struct port_names *names, struct act_builder *b, char **error)
{
	struct act_parser p = {.names = names, .b = b, .error = error};
	size_t start = b->buf.len;
	bool drop = false;
	char *name, *arg;

	while (text_next_key_value(&text, &name, &arg)) {
		arg = join_arrow(&text, arg);
		if (!strcmp(name, "drop") && !arg) {
			drop = true;
			continue;
		}
		if (parse_one(&p, name, arg))
			return -EINVAL;
	}
	if (drop && b->buf.len > start) {
		*error = xstrdup("drop: no other action may stand beside it");
		return -EINVAL;
	}
	return 0;
}
