/* SPDX-License-Identifier: Apache-2.0 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "lib/vec.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/act_words.h"
#include "ofproto/text/learn_parse.h"
#include "ofproto/text/match_text.h"

struct parser {
	const struct port_names *names;
	struct act_builder *b;
	const char *name;	/* Of the action being parsed. */
	char **error;
};

/* ARG: what stands after "name:" or inside "name(...)"; "" if nothing does. 0 or -EINVAL. */
typedef int parse_fn(struct parser *p, char *arg, enum act_type type);

static int fail(struct parser *p, const char *format, ...) PRINTF_FORMAT(2, 3);

static int fail(struct parser *p, const char *format, ...)
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

static int number(struct parser *p, const char *text, uint64_t max, uint64_t *value)
{
	if (parse_u64(text, 0, max, value))
		return fail(p, "\"%s\": expected a number from 0 to %llu", text,
			(unsigned long long)max);
	return 0;
}

static int port(struct parser *p, const char *text, ofp_port_t *value)
{
	if (field_parse_port(text, p->names, value))
		return fail(p, "\"%s\": expected a port number or name", text);
	return 0;
}

static int subfield(struct parser *p, const char *text, struct subfield *sf)
{
	const char *rest = text;

	if (subfield_parse(&rest, sf, p->error))
		return -EINVAL;
	if (*rest)
		return fail(p, "\"%s\": unexpected text after the field", text);
	return 0;
}

/* Splits "A->B" at the arrow. */
static int arrow(struct parser *p, char *text, char **right)
{
	char *at = strstr(text, "->");

	if (!at)
		return fail(p, "\"%s\": expected ->", text);
	*at = '\0';
	*right = at + 2;
	return 0;
}

/* ------------------------------------------------------------------ output */

static int put_output(struct parser *p, ofp_port_t value, uint16_t max_len)
{
	struct act_output *a = act_put(p->b, ACT_OUTPUT, sizeof *a);

	a->port = value;
	a->max_len = max_len;
	return 0;
}

static int parse_output_truncated(struct parser *p, char *arg)
{
	uint64_t max_len = 0;
	ofp_port_t value = OFPP_NONE;
	char *key, *text;
	struct act_output *a;

	while (text_next_key_value(&arg, &key, &text)) {
		if (text && !strcmp(key, "port")) {
			if (port(p, text, &value))
				return -EINVAL;
		} else if (text && !strcmp(key, "max_len")) {
			if (number(p, text, UINT32_MAX, &max_len))
				return -EINVAL;
		} else {
			return fail(p, "expected port=PORT,max_len=BYTES");
		}
	}
	if (value == OFPP_NONE || max_len < 14)
		return fail(p, "expected a port, and a max_len of at least 14");
	a = act_put(p->b, ACT_OUTPUT, sizeof *a);
	a->port = value;
	a->trunc = max_len;
	a->act.raw = ACT_RAW_NX_OUTPUT_TRUNC;
	return 0;
}

static int parse_output(struct parser *p, char *arg, enum act_type type)
{
	struct act_output_reg *reg;
	struct subfield src;
	ofp_port_t value;

	if (strstr(arg, "port="))
		return parse_output_truncated(p, arg);
	if (!field_parse_port(arg, p->names, &value))
		return put_output(p, value, value == OFPP_CONTROLLER ? UINT16_MAX : 0);
	if (subfield(p, arg, &src))
		return -EINVAL;
	reg = act_put(p->b, ACT_OUTPUT_REG, sizeof *reg);
	reg->src = src;
	reg->max_len = UINT16_MAX;
	return 0;
}

static int parse_userdata(struct parser *p, const char *text, struct sbuf *out)
{
	while (*text) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return fail(p, "userdata: expected pairs of hexadecimal digits");
		sbuf_putc(out, (char)(high << 4 | low));
		text += 2;
		if (*text == '.')
			text++;
	}
	return 0;
}

static int controller_key(struct parser *p, const char *key, const char *text,
	struct act_controller *c, struct sbuf *userdata)
{
	uint64_t value;
	int reason;

	if (!strcmp(key, "pause") && !text) {
		c->pause = true;
		return 0;
	}
	if (!text)
		return fail(p, "\"%s\" needs a value", key);
	if (!strcmp(key, "reason")) {
		reason = act_reason_from_name(text);
		if (reason < 0)
			return fail(p, "\"%s\": expected no_match, action or invalid_ttl", text);
		c->reason = reason;
		return 0;
	}
	if (!strcmp(key, "userdata"))
		return parse_userdata(p, text, userdata);
	if (number(p, text, !strcmp(key, "meter_id") ? UINT32_MAX : UINT16_MAX, &value))
		return -EINVAL;
	if (!strcmp(key, "max_len"))
		c->max_len = value;
	else if (!strcmp(key, "id"))
		c->controller_id = value;
	else if (!strcmp(key, "meter_id"))
		c->meter_id = value;
	else
		return fail(p, "unknown key \"%s\"", key);
	return 0;
}

static int parse_controller(struct parser *p, char *arg, enum act_type type)
{
	struct act_controller c = {.max_len = UINT16_MAX, .reason = ACT_REASON_ACTION}, *a;
	struct sbuf userdata = SBUF_INITIALIZER;
	char *key, *text;
	uint64_t max_len;

	/* "controller" and "controller:128" are plain outputs. */
	if (!strchr(arg, '=') && strcmp(arg, "pause")) {
		if (*arg && number(p, arg, UINT16_MAX, &max_len))
			return -EINVAL;
		return put_output(p, OFPP_CONTROLLER, *arg ? max_len : UINT16_MAX);
	}
	while (text_next_key_value(&arg, &key, &text)) {
		if (controller_key(p, key, text, &c, &userdata)) {
			sbuf_uninit(&userdata);
			return -EINVAL;
		}
	}
	if (c.reason == ACT_REASON_ACTION && !c.controller_id && !userdata.len && !c.pause && !c.meter_id) {
		sbuf_uninit(&userdata);
		return put_output(p, OFPP_CONTROLLER, c.max_len);
	}
	a = act_put(p->b, ACT_CONTROLLER, sizeof *a + userdata.len);
	c.act = a->act;
	c.userdata_len = userdata.len;
	*a = c;
	if (userdata.len)
		memcpy(a->userdata, userdata.data, userdata.len);
	a->act.raw = userdata.len || c.pause || c.meter_id ? ACT_RAW_NX_CONTROLLER2
		: ACT_RAW_NX_CONTROLLER;
	sbuf_uninit(&userdata);
	return 0;
}

static int parse_enqueue(struct parser *p, char *arg, enum act_type type)
{
	char *comma = strpbrk(arg, ":,");
	ofp_port_t value;
	uint64_t queue;
	struct act_enqueue *a;

	if (!comma)
		return fail(p, "expected PORT:QUEUE");
	*comma++ = '\0';
	if (port(p, arg, &value) || number(p, comma, UINT32_MAX, &queue))
		return -EINVAL;
	a = act_put(p->b, ACT_ENQUEUE, sizeof *a);
	a->port = value;
	a->queue = queue;
	return 0;
}

static int parse_bundle(struct parser *p, char *arg, enum act_type type)
{
	VEC(ofp_port_t) members = VEC_INITIALIZER;
	bool load = !strcmp(p->name, "bundle_load");
	char *list = strstr(arg, "members:"), *save, *words[6];
	struct subfield dst = {NULL, 0, 0};
	int fields, n = 0, want = load ? 5 : 4;
	struct act_bundle *a;
	uint64_t basis;

	if (!list && (list = strstr(arg, "slaves:")))
		list++;
	if (!list)
		return fail(p, "expected members:PORT[,PORT...]");
	list[-1] = '\0';
	list = strchr(list, ':') + 1;
	for (char *w = strtok_r(arg, ", ", &save); w && n < 6; w = strtok_r(NULL, ", ", &save))
		words[n++] = w;
	if (n != want || strcmp(words[3], "ofport"))
		return fail(p, "expected (fields,basis,algorithm,ofport%s,members:...)",
			load ? ",DST" : "");
	fields = act_hash_fields_from_name(words[0]);
	if (fields < 0)
		return fail(p, "unknown fields \"%s\"", words[0]);
	if (number(p, words[1], UINT16_MAX, &basis) || (load && subfield(p, words[4], &dst)))
		return -EINVAL;
	if (strcmp(words[2], "hrw") && strcmp(words[2], "active_backup"))
		return fail(p, "\"%s\": expected hrw or active_backup", words[2]);
	for (char *w = strtok_r(list, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		ofp_port_t value;

		if (port(p, w, &value)) {
			vec_uninit(&members);
			return -EINVAL;
		}
		vec_push(&members, value);
	}
	a = act_put(p->b, ACT_BUNDLE, sizeof *a + members.n * sizeof *members.items);
	a->algorithm = !strcmp(words[2], "hrw");
	a->basis = basis;
	a->fields = fields;
	a->n_members = members.n;
	a->dst = dst;
	for (size_t i = 0; i < members.n; i++)
		a->members[i] = members.items[i];
	vec_uninit(&members);
	return 0;
}

/* ------------------------------------------------------------------ headers */

static int parse_mac_action(struct parser *p, char *arg, enum act_type type)
{
	struct eth_addr mac;
	struct act_mac *a;

	if (parse_mac(arg, mac.b))
		return fail(p, "\"%s\": expected an Ethernet address", arg);
	a = act_put(p->b, type, sizeof *a);
	a->mac = mac;
	return 0;
}

static int parse_ipv4_action(struct parser *p, char *arg, enum act_type type)
{
	struct act_ipv4 *a;
	struct in_addr addr;

	if (inet_pton(AF_INET, arg, &addr) != 1)
		return fail(p, "\"%s\": expected an IPv4 address", arg);
	a = act_put(p->b, type, sizeof *a);
	a->addr = addr.s_addr;
	return 0;
}

static int parse_u8(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u8 *a;

	if (number(p, arg, type == ACT_SET_IP_ECN ? 3 : type == ACT_SET_MPLS_TC ? 7 : 255, &value))
		return -EINVAL;
	if (type == ACT_SET_IP_DSCP && value & 3)
		return fail(p, "\"%s\": the two low bits must be zero", arg);
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_table(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u8 *a;

	if (number(p, arg, 254, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_u16(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u16 *a;

	if (number(p, arg, UINT16_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_u32(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u32 *a;

	if (number(p, arg, type == ACT_SET_MPLS_LABEL ? 0xfffff : UINT32_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

static int parse_group(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_group *a;

	if (number(p, arg, UINT32_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->group_id = value;
	return 0;
}

static int parse_vlan_vid(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_vlan_vid *a;

	if (number(p, arg, 4095, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->vid = value;
	a->push_if_needed = !strcmp(p->name, "mod_vlan_vid");
	a->act.raw = a->push_if_needed ? ACT_RAW_OF10_SET_VLAN_VID : ACT_RAW_OF11_SET_VLAN_VID;
	return 0;
}

static int parse_vlan_pcp(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_vlan_pcp *a;

	if (number(p, arg, 7, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->pcp = value;
	a->push_if_needed = !strcmp(p->name, "mod_vlan_pcp");
	a->act.raw = a->push_if_needed ? ACT_RAW_OF10_SET_VLAN_PCP : ACT_RAW_OF11_SET_VLAN_PCP;
	return 0;
}

static int parse_strip_vlan(struct parser *p, char *arg, enum act_type type)
{
	struct act *a = act_put(p->b, type, sizeof *a);

	a->raw = !strcmp(p->name, "pop_vlan") ? ACT_RAW_OF11_POP_VLAN : ACT_RAW_OF10_STRIP_VLAN;
	return 0;
}

static int parse_push(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_push *a;

	if (number(p, arg, UINT16_MAX, &value))
		return -EINVAL;
	if (type == ACT_PUSH_VLAN && value != ETH_T_VLAN_8021Q && value != ETH_T_VLAN_8021AD)
		return fail(p, "\"%s\": expected 0x8100 or 0x88a8", arg);
	a = act_put(p->b, type, sizeof *a);
	a->ethertype = htobe16(value);
	return 0;
}

static int parse_set_field(struct parser *p, char *arg, enum act_type type)
{
	const struct field *f;
	union field_value value, mask;
	char *name = NULL;

	if (arrow(p, arg, &name))
		return -EINVAL;
	f = field_from_name(name);
	if (!f)
		return fail(p, "unknown field \"%s\"", name);
	if (!f->writable)
		return fail(p, "%s is read-only", name);
	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	if (field_parse(f, arg, &value, &mask, p->names, p->error))
		return -EINVAL;
	act_put_set_field(p->b, f, &value, &mask)->act.raw = ACT_RAW_OF_SET_FIELD;
	return 0;
}

/* TEXT, a number of any length up to a field's, right-justified into N bytes. */
static int big_number(struct parser *p, const char *text, uint8_t *bytes, unsigned int n)
{
	const char *digits = str_starts_with(text, "0x") ? text + 2 : text;
	size_t len = strlen(digits);
	uint64_t value;

	memset(bytes, 0, n);
	if (digits == text) {
		if (number(p, text, UINT64_MAX, &value))
			return -EINVAL;
		for (unsigned int i = 0; i < n && i < 8; i++)
			bytes[n - 1 - i] = value >> 8 * i;
		return n < 8 && value >> 8 * n ? fail(p, "%s does not fit", text) : 0;
	}
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(digits[len - 1 - i]);

		if (digit < 0)
			return fail(p, "\"%s\": expected a number", text);
		if (digit && i / 2 >= n)
			return fail(p, "%s does not fit", text);
		if (i / 2 < n)
			bytes[n - 1 - i / 2] |= digit << 4 * (i & 1);
	}
	return 0;
}

static int parse_load(struct parser *p, char *arg, enum act_type type)
{
	union field_value value, mask, ones;
	uint8_t bytes[sizeof(union field_value)];
	unsigned int n;
	struct subfield sf;
	char *dst = NULL;

	if (arrow(p, arg, &dst) || subfield(p, dst, &sf))
		return -EINVAL;
	if (!sf.field->writable)
		return fail(p, "%s is read-only", sf.field->name);
	n = DIV_ROUND_UP(sf.n_bits, 8);
	if (big_number(p, arg, bytes, n))
		return -EINVAL;
	if (sf.n_bits % 8 && bytes[0] >> sf.n_bits % 8)
		return fail(p, "%s does not fit into %u bits", arg, sf.n_bits);
	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	memset(&ones, 0xff, sizeof ones);
	field_bitwise_copy(bytes, n, 0, &value, sf.field->n_bytes, sf.ofs, sf.n_bits);
	field_bitwise_copy(&ones, sf.field->n_bytes, 0, &mask, sf.field->n_bytes, sf.ofs, sf.n_bits);
	act_put_set_field(p->b, sf.field, &value, &mask)->act.raw = ACT_RAW_NX_REG_LOAD;
	return 0;
}

static int parse_move(struct parser *p, char *arg, enum act_type type)
{
	struct subfield src, dst;
	struct act_reg_move *a;
	char *right = NULL;

	if (arrow(p, arg, &right) || subfield(p, arg, &src) || subfield(p, right, &dst))
		return -EINVAL;
	if (src.n_bits != dst.n_bits)
		return fail(p, "source is %u bits wide and destination %u", src.n_bits, dst.n_bits);
	if (!dst.field->writable)
		return fail(p, "%s is read-only", dst.field->name);
	a = act_put(p->b, type, sizeof *a);
	a->src = src;
	a->dst = dst;
	return 0;
}

static int parse_stack(struct parser *p, char *arg, enum act_type type)
{
	struct subfield sf;
	struct act_stack *a;

	if (subfield(p, arg, &sf))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->subfield = sf;
	return 0;
}

static int parse_dec_ttl(struct parser *p, char *arg, enum act_type type)
{
	VEC(uint16_t) ids = VEC_INITIALIZER;
	struct act_cnt_ids *a;
	uint64_t value;
	char *save;
	size_t n;

	for (char *w = strtok_r(arg, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		if (number(p, w, UINT16_MAX, &value)) {
			vec_uninit(&ids);
			return -EINVAL;
		}
		vec_push(&ids, value);
	}
	n = MAX(ids.n, (size_t)1);
	a = act_put(p->b, type, sizeof *a + n * sizeof *a->ids);
	a->n_controllers = n;
	if (ids.n) {
		a->act.raw = ACT_RAW_NX_DEC_TTL_CNT_IDS;
		memcpy(a->ids, ids.items, ids.n * sizeof *ids.items);
	}
	vec_uninit(&ids);
	return 0;
}

static int parse_delete_field(struct parser *p, char *arg, enum act_type type)
{
	const struct field *f = field_from_name(arg);
	struct act_field *a;

	if (!f)
		return fail(p, "unknown field \"%s\"", arg);
	a = act_put(p->b, type, sizeof *a);
	a->field = f;
	return 0;
}

/* ------------------------------------------------------------------ metadata and control */

static int parse_set_tunnel(struct parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u64 *a;

	if (number(p, arg, UINT64_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	a->act.raw = !strcmp(p->name, "set_tunnel64") || value > UINT32_MAX ? ACT_RAW_NX_SET_TUNNEL64
		: ACT_RAW_NX_SET_TUNNEL;
	return 0;
}

static int parse_fin_timeout(struct parser *p, char *arg, enum act_type type)
{
	uint64_t idle = 0, hard = 0;
	struct act_fin_timeout *a;
	char *key, *text;

	while (text_next_key_value(&arg, &key, &text)) {
		uint64_t *value = !strcmp(key, "idle_timeout") ? &idle
			: !strcmp(key, "hard_timeout") ? &hard : NULL;

		if (!value || !text)
			return fail(p, "expected idle_timeout=SECONDS or hard_timeout=SECONDS");
		if (number(p, text, UINT16_MAX, value))
			return -EINVAL;
	}
	a = act_put(p->b, type, sizeof *a);
	a->idle_timeout = idle;
	a->hard_timeout = hard;
	return 0;
}

static int parse_resubmit(struct parser *p, char *arg, enum act_type type)
{
	char *table = strchr(arg, ','), *ct = NULL;
	ofp_port_t in_port = OFPP_IN_PORT;
	struct act_resubmit *a;
	uint64_t table_id = 0xff;

	if (table) {
		*table++ = '\0';
		ct = strchr(table, ',');
		if (ct)
			*ct++ = '\0';
	}
	if (*arg && port(p, arg, &in_port))
		return -EINVAL;
	if (table && *table && number(p, table, 254, &table_id))
		return -EINVAL;
	if (ct && strcmp(ct, "ct"))
		return fail(p, "\"%s\": expected ct or nothing", ct);
	if (in_port == OFPP_IN_PORT && table_id == 0xff && !ct && !table)
		return fail(p, "expected a port or a table");
	a = act_put(p->b, type, sizeof *a);
	a->in_port = in_port;
	a->table_id = table_id;
	a->with_ct_orig = ct != NULL;
	a->act.raw = ct ? ACT_RAW_NX_RESUBMIT_TABLE_CT : table_id == 0xff && !table
		? ACT_RAW_NX_RESUBMIT : ACT_RAW_NX_RESUBMIT_TABLE;
	return 0;
}

static int parse_learn(struct parser *p, char *arg, enum act_type type)
{
	return learn_parse(arg, p->names, p->b, p->error);
}

static int parse_conjunction(struct parser *p, char *arg, enum act_type type)
{
	unsigned int id, clause, n_clauses;
	struct act_conjunction *a;
	int used = 0;

	if (sscanf(arg, "%i , %u / %u%n", (int *)&id, &clause, &n_clauses, &used) < 3 || arg[used])
		return fail(p, "expected (ID,K/N)");
	if (n_clauses < 2 || n_clauses > 64 || clause < 1 || clause > n_clauses)
		return fail(p, "expected 2 to 64 clauses, and one of them");
	a = act_put(p->b, type, sizeof *a);
	a->id = id;
	a->clause = clause - 1;
	a->n_clauses = n_clauses;
	return 0;
}

static int parse_multipath(struct parser *p, char *arg, enum act_type type)
{
	static const char *const algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};
	char *save, *words[6];
	uint64_t basis, n_links, extra;
	struct act_multipath *a;
	struct subfield dst;
	int fields, algorithm = -1, n = 0;

	for (char *w = strtok_r(arg, ", ", &save); w && n < 6; w = strtok_r(NULL, ", ", &save))
		words[n++] = w;
	if (n != 6)
		return fail(p, "expected (fields,basis,algorithm,n_links,arg,DST)");
	fields = act_hash_fields_from_name(words[0]);
	if (fields < 0)
		return fail(p, "unknown fields \"%s\"", words[0]);
	for (int i = 0; i < 4; i++)
		if (!strcmp(words[2], algorithms[i]))
			algorithm = i;
	if (algorithm < 0)
		return fail(p, "unknown algorithm \"%s\"", words[2]);
	if (number(p, words[1], UINT16_MAX, &basis) || number(p, words[3], 65536, &n_links) ||
		number(p, words[4], UINT32_MAX, &extra) || subfield(p, words[5], &dst))
		return -EINVAL;
	if (!n_links)
		return fail(p, "expected at least one link");
	if (dst.n_bits < 16 && n_links > 1u << dst.n_bits)
		return fail(p, "the destination is too narrow for %llu links",
			(unsigned long long)n_links);
	a = act_put(p->b, type, sizeof *a);
	a->fields = fields;
	a->basis = basis;
	a->algorithm = algorithm;
	a->max_link = n_links - 1;
	a->arg = extra;
	a->dst = dst;
	return 0;
}

static int parse_note(struct parser *p, char *arg, enum act_type type)
{
	struct sbuf bytes = SBUF_INITIALIZER;
	struct act_note *a;
	int retval = parse_userdata(p, arg, &bytes);

	if (!retval) {
		/* Notes end on a boundary of 8 bytes on the wire, after a header of 10. */
		while ((bytes.len + 10) % 8)
			sbuf_putc(&bytes, '\0');
		a = act_put(p->b, type, sizeof *a + bytes.len);
		a->length = bytes.len;
		if (bytes.len)
			memcpy(a->data, bytes.data, bytes.len);
	}
	sbuf_uninit(&bytes);
	return retval;
}

static int parse_sample(struct parser *p, char *arg, enum act_type type)
{
	struct act_sample sample = {.sampling_port = OFPP_NONE}, *a;
	char *key, *text;
	uint64_t value;

	while (text_next_key_value(&arg, &key, &text)) {
		if (!text && (!strcmp(key, "ingress") || !strcmp(key, "egress"))) {
			sample.direction = *key == 'i' ? 1 : 2;
			continue;
		}
		if (!text)
			return fail(p, "\"%s\" needs a value", key);
		if (!strcmp(key, "sampling_port")) {
			if (port(p, text, &sample.sampling_port))
				return -EINVAL;
			continue;
		}
		if (number(p, text, !strcmp(key, "probability") ? UINT16_MAX : UINT32_MAX, &value))
			return -EINVAL;
		if (!strcmp(key, "probability"))
			sample.probability = value;
		else if (!strcmp(key, "collector_set_id"))
			sample.collector_set_id = value;
		else if (!strcmp(key, "obs_domain_id"))
			sample.obs_domain_id = value;
		else if (!strcmp(key, "obs_point_id"))
			sample.obs_point_id = value;
		else
			return fail(p, "unknown key \"%s\"", key);
	}
	if (!sample.probability)
		return fail(p, "expected probability=1 to 65535");
	a = act_put(p->b, type, sizeof *a);
	sample.act = a->act;
	*a = sample;
	return 0;
}

static int parse_nest(struct parser *p, char *arg, enum act_type type)
{
	size_t handle = act_nest_begin(p->b, type, sizeof(struct act_nest));
	int retval = act_list_parse(arg, p->names, p->b, p->error);

	act_nest_end(p->b, handle);
	return retval;
}

/* check_pkt_larger(1500)->REG[0]: the destination comes after the parentheses. */
static int parse_check_pkt_larger(struct parser *p, char *arg, enum act_type type)
{
	struct act_check_pkt_larger *a;
	struct subfield dst;
	uint64_t len;
	char *right = NULL;

	if (arrow(p, arg, &right))
		return -EINVAL;
	if (number(p, arg, UINT16_MAX, &len) || subfield(p, right, &dst))
		return -EINVAL;
	if (dst.n_bits != 1)
		return fail(p, "the destination must be one bit");
	a = act_put(p->b, type, sizeof *a);
	a->dst = dst;
	a->pkt_len = len;
	return 0;
}

static int parse_write_metadata(struct parser *p, char *arg, enum act_type type)
{
	char *slash = strchr(arg, '/');
	uint64_t value, mask = UINT64_MAX;
	struct act_write_metadata *a;

	if (slash)
		*slash++ = '\0';
	if (number(p, arg, UINT64_MAX, &value) || (slash && number(p, slash, UINT64_MAX, &mask)))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->metadata = htobe64(value);
	a->mask = htobe64(mask);
	return 0;
}

static int parse_plain(struct parser *p, char *arg, enum act_type type)
{
	if (*arg)
		return fail(p, "takes no argument");
	act_put(p->b, type, sizeof(struct act));
	return 0;
}

static const struct {
	const char *name;
	enum act_type type;
	parse_fn *parse;
} words[] = {
	{"output", ACT_OUTPUT, parse_output},
	{"group", ACT_GROUP, parse_group},
	{"controller", ACT_CONTROLLER, parse_controller},
	{"CONTROLLER", ACT_CONTROLLER, parse_controller},
	{"enqueue", ACT_ENQUEUE, parse_enqueue},
	{"bundle", ACT_BUNDLE, parse_bundle},
	{"bundle_load", ACT_BUNDLE, parse_bundle},
	{"set_field", ACT_SET_FIELD, parse_set_field},
	{"load", ACT_SET_FIELD, parse_load},
	{"move", ACT_REG_MOVE, parse_move},
	{"push", ACT_STACK_PUSH, parse_stack},
	{"pop", ACT_STACK_POP, parse_stack},
	{"mod_vlan_vid", ACT_SET_VLAN_VID, parse_vlan_vid},
	{"set_vlan_vid", ACT_SET_VLAN_VID, parse_vlan_vid},
	{"mod_vlan_pcp", ACT_SET_VLAN_PCP, parse_vlan_pcp},
	{"set_vlan_pcp", ACT_SET_VLAN_PCP, parse_vlan_pcp},
	{"strip_vlan", ACT_STRIP_VLAN, parse_strip_vlan},
	{"pop_vlan", ACT_STRIP_VLAN, parse_strip_vlan},
	{"push_vlan", ACT_PUSH_VLAN, parse_push},
	{"mod_dl_src", ACT_SET_ETH_SRC, parse_mac_action},
	{"mod_dl_dst", ACT_SET_ETH_DST, parse_mac_action},
	{"mod_nw_src", ACT_SET_IPV4_SRC, parse_ipv4_action},
	{"mod_nw_dst", ACT_SET_IPV4_DST, parse_ipv4_action},
	{"mod_nw_tos", ACT_SET_IP_DSCP, parse_u8},
	{"mod_nw_ecn", ACT_SET_IP_ECN, parse_u8},
	{"mod_nw_ttl", ACT_SET_IP_TTL, parse_u8},
	{"mod_tp_src", ACT_SET_L4_SRC_PORT, parse_u16},
	{"mod_tp_dst", ACT_SET_L4_DST_PORT, parse_u16},
	{"dec_ttl", ACT_DEC_TTL, parse_dec_ttl},
	{"copy_ttl_in", ACT_COPY_TTL_IN, parse_plain},
	{"copy_ttl_out", ACT_COPY_TTL_OUT, parse_plain},
	{"push_mpls", ACT_PUSH_MPLS, parse_push},
	{"pop_mpls", ACT_POP_MPLS, parse_push},
	{"set_mpls_label", ACT_SET_MPLS_LABEL, parse_u32},
	{"set_mpls_tc", ACT_SET_MPLS_TC, parse_u8},
	{"set_mpls_ttl", ACT_SET_MPLS_TTL, parse_u8},
	{"dec_mpls_ttl", ACT_DEC_MPLS_TTL, parse_plain},
	{"push_pbb", ACT_PUSH_PBB, parse_push},
	{"pop_pbb", ACT_POP_PBB, parse_plain},
	{"delete_field", ACT_DELETE_FIELD, parse_delete_field},
	{"set_tunnel", ACT_SET_TUNNEL, parse_set_tunnel},
	{"set_tunnel64", ACT_SET_TUNNEL, parse_set_tunnel},
	{"set_queue", ACT_SET_QUEUE, parse_u32},
	{"pop_queue", ACT_POP_QUEUE, parse_plain},
	{"fin_timeout", ACT_FIN_TIMEOUT, parse_fin_timeout},
	{"resubmit", ACT_RESUBMIT, parse_resubmit},
	{"learn", ACT_LEARN, parse_learn},
	{"conjunction", ACT_CONJUNCTION, parse_conjunction},
	{"multipath", ACT_MULTIPATH, parse_multipath},
	{"note", ACT_NOTE, parse_note},
	{"exit", ACT_EXIT, parse_plain},
	{"sample", ACT_SAMPLE, parse_sample},
	{"clone", ACT_CLONE, parse_nest},
	{"check_pkt_larger", ACT_CHECK_PKT_LARGER, parse_check_pkt_larger},
	{"meter", ACT_METER, parse_u32},
	{"clear_actions", ACT_CLEAR_ACTIONS, parse_plain},
	{"write_actions", ACT_WRITE_ACTIONS, parse_nest},
	{"write_metadata", ACT_WRITE_METADATA, parse_write_metadata},
	{"goto_table", ACT_GOTO_TABLE, parse_table},
};

static int parse_one(struct parser *p, char *name, char *arg)
{
	ofp_port_t value;

	p->name = name;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(name, words[i].name))
			return words[i].parse(p, arg ? arg : (char[]){""}, words[i].type);
	if (!strcmp(name, "apply_actions"))
		return act_list_parse(arg ? arg : (char[]){""}, p->names, p->b, p->error);
	/* "1", "LOCAL", "normal": output to it. */
	if (!arg && !field_parse_port(name, p->names, &value))
		return put_output(p, value, value == OFPP_CONTROLLER ? UINT16_MAX : 0);
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
	struct parser p = {.names = names, .b = b, .error = error};
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
