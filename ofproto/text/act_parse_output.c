/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/act_parse_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "lib/vec.h"
#include "ofproto/text/act_words.h"
#include "ofproto/text/match_text.h"

int act_parse_put_output(struct act_parser *p, ofp_port_t value, uint16_t max_len)
{
	struct act_output *a = act_put(p->b, ACT_OUTPUT, sizeof *a);

	a->port = value;
	a->max_len = max_len;
	return 0;
}

static int parse_output_truncated(struct act_parser *p, char *arg)
{
	uint64_t max_len = 0;
	ofp_port_t value = OFPP_NONE;
	char *key, *text;
	struct act_output *a;

	while (text_next_key_value(&arg, &key, &text)) {
		if (text && !strcmp(key, "port")) {
			if (act_parse_port(p, text, &value))
				return -EINVAL;
		} else if (text && !strcmp(key, "max_len")) {
			if (act_parse_number(p, text, UINT32_MAX, &max_len))
				return -EINVAL;
		} else {
			return act_parse_fail(p, "expected port=PORT,max_len=BYTES");
		}
	}
	if (value == OFPP_NONE || max_len < 14)
		return act_parse_fail(p, "expected a port, and a max_len of at least 14");
	a = act_put(p->b, ACT_OUTPUT, sizeof *a);
	a->port = value;
	a->trunc = max_len;
	a->act.raw = ACT_RAW_NX_OUTPUT_TRUNC;
	return 0;
}

int act_parse_output(struct act_parser *p, char *arg, enum act_type type)
{
	struct act_output_reg *reg;
	struct subfield src;
	ofp_port_t value;

	if (strstr(arg, "port="))
		return parse_output_truncated(p, arg);
	if (!field_parse_port(arg, p->names, &value))
		return act_parse_put_output(p, value, value == OFPP_CONTROLLER ? UINT16_MAX : 0);
	if (act_parse_subfield(p, arg, &src))
		return -EINVAL;
	reg = act_put(p->b, ACT_OUTPUT_REG, sizeof *reg);
	reg->src = src;
	reg->max_len = UINT16_MAX;
	return 0;
}

int act_parse_userdata(struct act_parser *p, const char *text, struct sbuf *out)
{
	while (*text) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return act_parse_fail(p, "userdata: expected pairs of hexadecimal digits");
		sbuf_putc(out, (char)(high << 4 | low));
		text += 2;
		if (*text == '.')
			text++;
	}
	return 0;
}

static int controller_key(struct act_parser *p, const char *key, const char *text,
	struct act_controller *c, struct sbuf *userdata)
{
	uint64_t value;
	int reason;

	if (!strcmp(key, "pause") && !text) {
		c->pause = true;
		return 0;
	}
	if (!text)
		return act_parse_fail(p, "\"%s\" needs a value", key);
	if (!strcmp(key, "reason")) {
		reason = act_reason_from_name(text);
		if (reason < 0)
			return act_parse_fail(p, "\"%s\": expected no_match, action or invalid_ttl", text);
		c->reason = reason;
		return 0;
	}
	if (!strcmp(key, "userdata"))
		return act_parse_userdata(p, text, userdata);
	if (act_parse_number(p, text, !strcmp(key, "meter_id") ? UINT32_MAX : UINT16_MAX, &value))
		return -EINVAL;
	if (!strcmp(key, "max_len"))
		c->max_len = value;
	else if (!strcmp(key, "id"))
		c->controller_id = value;
	else if (!strcmp(key, "meter_id"))
		c->meter_id = value;
	else
		return act_parse_fail(p, "unknown key \"%s\"", key);
	return 0;
}

int act_parse_controller(struct act_parser *p, char *arg, enum act_type type)
{
	struct act_controller c = {.max_len = UINT16_MAX, .reason = ACT_REASON_ACTION}, *a;
	struct sbuf userdata = SBUF_INITIALIZER;
	char *key, *text;
	uint64_t max_len;

	/* "controller" and "controller:128" are plain outputs. */
	if (!strchr(arg, '=') && strcmp(arg, "pause")) {
		if (*arg && act_parse_number(p, arg, UINT16_MAX, &max_len))
			return -EINVAL;
		return act_parse_put_output(p, OFPP_CONTROLLER, *arg ? max_len : UINT16_MAX);
	}
	while (text_next_key_value(&arg, &key, &text)) {
		if (controller_key(p, key, text, &c, &userdata)) {
			sbuf_uninit(&userdata);
			return -EINVAL;
		}
	}
	if (c.reason == ACT_REASON_ACTION && !c.controller_id && !userdata.len && !c.pause &&
		!c.meter_id) {
		sbuf_uninit(&userdata);
		return act_parse_put_output(p, OFPP_CONTROLLER, c.max_len);
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

int act_parse_enqueue(struct act_parser *p, char *arg, enum act_type type)
{
	char *comma = strpbrk(arg, ":,");
	ofp_port_t value;
	uint64_t queue;
	struct act_enqueue *a;

	if (!comma)
		return act_parse_fail(p, "expected PORT:QUEUE");
	*comma++ = '\0';
	if (act_parse_port(p, arg, &value) || act_parse_number(p, comma, UINT32_MAX, &queue))
		return -EINVAL;
	a = act_put(p->b, ACT_ENQUEUE, sizeof *a);
	a->port = value;
	a->queue = queue;
	return 0;
}

int act_parse_bundle(struct act_parser *p, char *arg, enum act_type type)
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
		return act_parse_fail(p, "expected members:PORT[,PORT...]");
	list[-1] = '\0';
	list = strchr(list, ':') + 1;
	for (char *w = strtok_r(arg, ", ", &save); w && n < 6; w = strtok_r(NULL, ", ", &save))
		words[n++] = w;
	if (n != want || strcmp(words[3], "ofport"))
		return act_parse_fail(p, "expected (fields,basis,algorithm,ofport%s,members:...)",
			load ? ",DST" : "");
	fields = act_hash_fields_from_name(words[0]);
	if (fields < 0)
		return act_parse_fail(p, "unknown fields \"%s\"", words[0]);
	if (act_parse_number(p, words[1], UINT16_MAX, &basis) ||
		(load && act_parse_subfield(p, words[4], &dst)))
		return -EINVAL;
	if (strcmp(words[2], "hrw") && strcmp(words[2], "active_backup"))
		return act_parse_fail(p, "\"%s\": expected hrw or active_backup", words[2]);
	for (char *w = strtok_r(list, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		ofp_port_t value;

		if (act_parse_port(p, w, &value)) {
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

int act_parse_group(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_group *a;

	if (act_parse_number(p, arg, UINT32_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->group_id = value;
	return 0;
}
