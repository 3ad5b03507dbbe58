/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/act_parse_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/act_words.h"
#include "ofproto/text/learn_parse.h"
#include "ofproto/text/match_text.h"

int act_parse_table(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u8 *a;

	if (act_parse_number(p, arg, 254, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	return 0;
}

int act_parse_set_tunnel(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t value;
	struct act_u64 *a;

	if (act_parse_number(p, arg, UINT64_MAX, &value))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->value = value;
	a->act.raw = !strcmp(p->name, "set_tunnel64") || value > UINT32_MAX ? ACT_RAW_NX_SET_TUNNEL64
		: ACT_RAW_NX_SET_TUNNEL;
	return 0;
}

int act_parse_fin_timeout(struct act_parser *p, char *arg, enum act_type type)
{
	uint64_t idle = 0, hard = 0;
	struct act_fin_timeout *a;
	char *key, *text;

	while (text_next_key_value(&arg, &key, &text)) {
		uint64_t *value = !strcmp(key, "idle_timeout") ? &idle
			: !strcmp(key, "hard_timeout") ? &hard : NULL;

		if (!value || !text)
			return act_parse_fail(p, "expected idle_timeout=SECONDS or hard_timeout=SECONDS");
		if (act_parse_number(p, text, UINT16_MAX, value))
			return -EINVAL;
	}
	a = act_put(p->b, type, sizeof *a);
	a->idle_timeout = idle;
	a->hard_timeout = hard;
	return 0;
}

int act_parse_resubmit(struct act_parser *p, char *arg, enum act_type type)
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
	if (*arg && act_parse_port(p, arg, &in_port))
		return -EINVAL;
	if (table && *table && act_parse_number(p, table, 254, &table_id))
		return -EINVAL;
	if (ct && strcmp(ct, "ct"))
		return act_parse_fail(p, "\"%s\": expected ct or nothing", ct);
	if (in_port == OFPP_IN_PORT && table_id == 0xff && !ct && !table)
		return act_parse_fail(p, "expected a port or a table");
	a = act_put(p->b, type, sizeof *a);
	a->in_port = in_port;
	a->table_id = table_id;
	a->with_ct_orig = ct != NULL;
	a->act.raw = ct ? ACT_RAW_NX_RESUBMIT_TABLE_CT : table_id == 0xff && !table
		? ACT_RAW_NX_RESUBMIT : ACT_RAW_NX_RESUBMIT_TABLE;
	return 0;
}

int act_parse_learn(struct act_parser *p, char *arg, enum act_type type)
{
	return learn_parse(arg, p->names, p->b, p->error);
}

int act_parse_conjunction(struct act_parser *p, char *arg, enum act_type type)
{
	unsigned int id, clause, n_clauses;
	struct act_conjunction *a;
	int used = 0;

	if (sscanf(arg, "%i , %u / %u%n", (int *)&id, &clause, &n_clauses, &used) < 3 || arg[used])
		return act_parse_fail(p, "expected (ID,K/N)");
	if (n_clauses < 2 || n_clauses > 64 || clause < 1 || clause > n_clauses)
		return act_parse_fail(p, "expected 2 to 64 clauses, and one of them");
	a = act_put(p->b, type, sizeof *a);
	a->id = id;
	a->clause = clause - 1;
	a->n_clauses = n_clauses;
	return 0;
}

int act_parse_multipath(struct act_parser *p, char *arg, enum act_type type)
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
		return act_parse_fail(p, "expected (fields,basis,algorithm,n_links,arg,DST)");
	fields = act_hash_fields_from_name(words[0]);
	if (fields < 0)
		return act_parse_fail(p, "unknown fields \"%s\"", words[0]);
	for (int i = 0; i < 4; i++)
		if (!strcmp(words[2], algorithms[i]))
			algorithm = i;
	if (algorithm < 0)
		return act_parse_fail(p, "unknown algorithm \"%s\"", words[2]);
	if (act_parse_number(p, words[1], UINT16_MAX, &basis) ||
		act_parse_number(p, words[3], 65536, &n_links) ||
		act_parse_number(p, words[4], UINT32_MAX, &extra) ||
		act_parse_subfield(p, words[5], &dst))
		return -EINVAL;
	if (!n_links)
		return act_parse_fail(p, "expected at least one link");
	if (dst.n_bits < 16 && n_links > 1u << dst.n_bits)
		return act_parse_fail(p, "the destination is too narrow for %llu links",
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

int act_parse_note(struct act_parser *p, char *arg, enum act_type type)
{
	struct sbuf bytes = SBUF_INITIALIZER;
	struct act_note *a;
	int retval = act_parse_userdata(p, arg, &bytes);

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

int act_parse_sample(struct act_parser *p, char *arg, enum act_type type)
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
			return act_parse_fail(p, "\"%s\" needs a value", key);
		if (!strcmp(key, "sampling_port")) {
			if (act_parse_port(p, text, &sample.sampling_port))
				return -EINVAL;
			continue;
		}
		if (act_parse_number(p, text,
			    !strcmp(key, "probability") ? UINT16_MAX : UINT32_MAX, &value))
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
			return act_parse_fail(p, "unknown key \"%s\"", key);
	}
	if (!sample.probability)
		return act_parse_fail(p, "expected probability=1 to 65535");
	a = act_put(p->b, type, sizeof *a);
	sample.act = a->act;
	*a = sample;
	return 0;
}

int act_parse_nest(struct act_parser *p, char *arg, enum act_type type)
{
	size_t handle = act_nest_begin(p->b, type, sizeof(struct act_nest));
	int retval = act_list_parse(arg, p->names, p->b, p->error);

	act_nest_end(p->b, handle);
	return retval;
}

/* check_pkt_larger(1500)->REG[0]: the destination comes after the parentheses. */
int act_parse_check_pkt_larger(struct act_parser *p, char *arg, enum act_type type)
{
	struct act_check_pkt_larger *a;
	struct subfield dst;
	uint64_t len;
	char *right = NULL;

	if (act_parse_arrow(p, arg, &right))
		return -EINVAL;
	if (act_parse_number(p, arg, UINT16_MAX, &len) || act_parse_subfield(p, right, &dst))
		return -EINVAL;
	if (dst.n_bits != 1)
		return act_parse_fail(p, "the destination must be one bit");
	a = act_put(p->b, type, sizeof *a);
	a->dst = dst;
	a->pkt_len = len;
	return 0;
}

int act_parse_write_metadata(struct act_parser *p, char *arg, enum act_type type)
{
	char *slash = strchr(arg, '/');
	uint64_t value, mask = UINT64_MAX;
	struct act_write_metadata *a;

	if (slash)
		*slash++ = '\0';
	if (act_parse_number(p, arg, UINT64_MAX, &value) ||
		(slash && act_parse_number(p, slash, UINT64_MAX, &mask)))
		return -EINVAL;
	a = act_put(p->b, type, sizeof *a);
	a->metadata = htobe64(value);
	a->mask = htobe64(mask);
	return 0;
}
