/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/text/learn_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"
#include "lib/vec.h"
#include "ofproto/text/match_text.h"

struct learn {
	struct act_learn head;
	VEC(struct act_learn_spec) specs;
	const struct port_names *names;
	char **error;
};

static int parse_sub(struct learn *l, const char *text, struct subfield *sf)
{
	const char *rest = text;

	if (subfield_parse(&rest, sf, l->error))
		return -EINVAL;
	if (*rest) {
		*l->error = xasprintf("learn: \"%s\": unexpected text after the field", text);
		return -EINVAL;
	}
	return 0;
}

/* VALUE's low n_bits of a field in wire form, right-justified. */
static void set_immediate(struct act_learn_spec *spec, const union field_value *value,
	unsigned int n_bytes)
{
	unsigned int n = DIV_ROUND_UP(spec->n_bits, 8);

	spec->src_type = ACT_LEARN_SRC_IMMEDIATE;
	memset(&spec->imm, 0, sizeof spec->imm);
	field_bitwise_copy(value, n_bytes, 0, &spec->imm, n, 0, spec->n_bits);
}

/* "FIELD=VALUE", "SUBFIELD=SUBFIELD" or "SUBFIELD=0x..": a match of the new rule. */
static int parse_match_spec(struct learn *l, const char *key, const char *value)
{
	struct act_learn_spec spec = {.dst_type = ACT_LEARN_DST_MATCH};
	const struct field *whole = field_from_name(key);
	union field_value v, mask;
	char *ignored = NULL;
	uint64_t number;

	if (!value || (strchr(key, '[') && !strcmp(key, value))) {
		/* The same field of the packet. */
		if (parse_sub(l, key, &spec.dst))
			return -EINVAL;
		spec.src = spec.dst;
		spec.n_bits = spec.dst.n_bits;
		vec_push(&l->specs, spec);
		return 0;
	}
	memset(&v, 0, sizeof v);
	memset(&mask, 0, sizeof mask);
	if (whole && !field_parse(whole, value, &v, &mask, l->names, &ignored)) {
		spec.dst = (struct subfield) {whole, 0, whole->n_bits};
		spec.n_bits = whole->n_bits;
		set_immediate(&spec, &v, whole->n_bytes);
		vec_push(&l->specs, spec);
		return 0;
	}
	free(ignored);
	if (parse_sub(l, key, &spec.dst))
		return -EINVAL;
	spec.n_bits = spec.dst.n_bits;
	if (!parse_u64(value, 0, UINT64_MAX, &number)) {
		v.u64 = htobe64(number);
		set_immediate(&spec, &v, 8);
		vec_push(&l->specs, spec);
		return 0;
	}
	if (parse_sub(l, value, &spec.src))
		return -EINVAL;
	if (spec.src.n_bits != spec.dst.n_bits) {
		*l->error = xasprintf("learn: %s=%s: %u bits against %u", key, value, spec.dst.n_bits,
			spec.src.n_bits);
		return -EINVAL;
	}
	vec_push(&l->specs, spec);
	return 0;
}

/* "load:VALUE->DST" or "load:SRC->DST". */
static int parse_load_spec(struct learn *l, char *text)
{
	struct act_learn_spec spec = {.dst_type = ACT_LEARN_DST_LOAD};
	char *arrow = strstr(text, "->");
	union field_value v;
	uint64_t number;

	if (!arrow) {
		*l->error = xasprintf("learn: load:%s: expected ->", text);
		return -EINVAL;
	}
	*arrow = '\0';
	if (parse_sub(l, arrow + 2, &spec.dst))
		return -EINVAL;
	spec.n_bits = spec.dst.n_bits;
	if (!parse_u64(text, 0, UINT64_MAX, &number)) {
		memset(&v, 0, sizeof v);
		v.u64 = htobe64(number);
		if (spec.n_bits > 64) {
			v.u128[0] = 0;
			v.u128[1] = htobe64(number);
			set_immediate(&spec, &v, 16);
		} else {
			set_immediate(&spec, &v, 8);
		}
	} else {
		if (parse_sub(l, text, &spec.src))
			return -EINVAL;
		if (spec.src.n_bits != spec.dst.n_bits) {
			*l->error = xasprintf("learn: load:%s: %u bits into %u", text, spec.src.n_bits,
				spec.dst.n_bits);
			return -EINVAL;
		}
	}
	vec_push(&l->specs, spec);
	return 0;
}

static int parse_output_spec(struct learn *l, const char *text)
{
	struct act_learn_spec spec = {.dst_type = ACT_LEARN_DST_OUTPUT};

	if (parse_sub(l, text, &spec.src))
		return -EINVAL;
	spec.n_bits = spec.src.n_bits;
	vec_push(&l->specs, spec);
	return 0;
}

/* Settings of the new rule. 1: KEY is one; 0: it is not; -EINVAL. */
static int parse_setting(struct learn *l, const char *key, const char *value)
{
	struct act_learn *a = &l->head;
	uint64_t number = 0;
	const struct {
		const char *key;
		uint16_t *u16;
	} numbers[] = {
		{"idle_timeout", &a->idle_timeout}, {"hard_timeout", &a->hard_timeout},
		{"priority", &a->priority}, {"fin_idle_timeout", &a->fin_idle_timeout},
		{"fin_hard_timeout", &a->fin_hard_timeout},
	};

	if (!value && !strcmp(key, "send_flow_rem")) {
		a->flags |= ACT_LEARN_SEND_FLOW_REM;
		return 1;
	}
	if (!value && !strcmp(key, "delete_learned")) {
		a->flags |= ACT_LEARN_DELETE_LEARNED;
		return 1;
	}
	if (value && !strcmp(key, "result_dst")) {
		a->flags |= ACT_LEARN_WRITE_RESULT;
		return parse_sub(l, value, &a->result_dst) ? -EINVAL : 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(key, numbers[i].key))
			continue;
		if (!value || parse_u64(value, 0, UINT16_MAX, &number)) {
			*l->error = xasprintf("learn: %s: expected a number up to 65535", key);
			return -EINVAL;
		}
		*numbers[i].u16 = number;
		return 1;
	}
	if (strcmp(key, "table") && strcmp(key, "cookie") && strcmp(key, "limit"))
		return 0;
	if (!value || parse_u64(value, 0, *key == 't' ? 254 : *key == 'l' ? UINT32_MAX : UINT64_MAX,
		&number)) {
		*l->error = xasprintf("learn: %s: expected a number in range", key);
		return -EINVAL;
	}
	if (*key == 't')
		a->table_id = number;
	else if (*key == 'c')
		a->cookie = htobe64(number);
	else
		a->limit = number;
	return 1;
}

static int parse_item(struct learn *l, char *key, char *value)
{
	int found;

	if (value && !strcmp(key, "load"))
		return parse_load_spec(l, value);
	if (value && !strcmp(key, "output"))
		return parse_output_spec(l, value);
	found = parse_setting(l, key, value);
	if (found)
		return MIN(found, 0);
	return parse_match_spec(l, key, value);
}

int learn_parse(char *arg, const struct port_names *names, struct act_builder *b, char **error)
{
	struct learn l = {
		.head = {.table_id = 1, .priority = MATCH_DEFAULT_PRIORITY},
		.names = names,
		.error = error,
	};
	struct act_learn *a;
	char *key, *value;
	int retval = 0;

	while (!retval && text_next_key_value(&arg, &key, &value))
		retval = parse_item(&l, key, value);
	if (!retval) {
		a = act_put(b, ACT_LEARN, sizeof *a + l.specs.n * sizeof *l.specs.items);
		l.head.act = a->act;
		l.head.n_specs = l.specs.n;
		*a = l.head;
		a->act.raw = a->limit || a->flags & ACT_LEARN_WRITE_RESULT ? ACT_RAW_NX_LEARN2
			: ACT_RAW_NX_LEARN;
		if (l.specs.n)
			memcpy(a->specs, l.specs.items, l.specs.n * sizeof *l.specs.items);
	}
	vec_uninit(&l.specs);
	return retval;
}
