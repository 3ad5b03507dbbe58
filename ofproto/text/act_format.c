/* SPDX-License-Identifier: Apache-2.0 */

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "lib/util.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/act_words.h"
#include "ofproto/text/match_text.h"

typedef void format_fn(const struct act *act, const struct port_names *names, struct sbuf *s);

#define AS(TYPE, VAR) const struct TYPE *VAR = (const struct TYPE *)(const void *)act

static void format_output(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_output, a);

	if (a->trunc) {
		sbuf_puts(s, "output(port=");
		field_format_port(a->port, names, s);
		sbuf_putf(s, ",max_len=%u)", a->trunc);
		return;
	}
	if (a->port < OFPP_MAX)
		sbuf_puts(s, "output:");
	field_format_port(a->port, names, s);
	if (a->port == OFPP_CONTROLLER)
		sbuf_putf(s, ":%u", a->max_len);
}

static void format_group(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_group, a);

	sbuf_putf(s, "group:%u", a->group_id);
}

static void format_controller(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_controller, a);

	if (a->reason == ACT_REASON_ACTION && !a->controller_id && !a->userdata_len && !a->pause &&
		!a->meter_id) {
		sbuf_putf(s, "CONTROLLER:%u", a->max_len);
		return;
	}
	sbuf_puts(s, "controller(");
	if (a->reason != ACT_REASON_ACTION)
		sbuf_putf(s, "reason=%s,", act_reason_name(a->reason));
	if (a->max_len != UINT16_MAX)
		sbuf_putf(s, "max_len=%u,", a->max_len);
	if (a->controller_id)
		sbuf_putf(s, "id=%u,", a->controller_id);
	if (a->userdata_len) {
		sbuf_puts(s, "userdata=");
		for (int i = 0; i < a->userdata_len; i++)
			sbuf_putf(s, "%s%02x", i ? "." : "", a->userdata[i]);
		sbuf_putc(s, ',');
	}
	if (a->pause)
		sbuf_puts(s, "pause,");
	if (a->meter_id)
		sbuf_putf(s, "meter_id=%u,", a->meter_id);
	sbuf_chomp(s, ',');
	sbuf_putc(s, ')');
}

static void format_enqueue(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_enqueue, a);

	sbuf_puts(s, "enqueue:");
	field_format_port(a->port, names, s);
	sbuf_putf(s, ":%u", a->queue);
}

static void format_output_reg(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_output_reg, a);

	sbuf_puts(s, "output:");
	subfield_format(&a->src, s);
}

static void format_bundle(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_bundle, a);

	sbuf_putf(s, "%s(%s,%u,%s,ofport,", a->dst.field ? "bundle_load" : "bundle",
		act_hash_fields_name(a->fields), a->basis, a->algorithm ? "hrw" : "active_backup");
	if (a->dst.field) {
		subfield_format(&a->dst, s);
		sbuf_putc(s, ',');
	}
	sbuf_puts(s, "members:");
	for (int i = 0; i < a->n_members; i++) {
		if (i)
			sbuf_putc(s, ',');
		field_format_port(a->members[i], names, s);
	}
	sbuf_putc(s, ')');
}

/* The run of ones in MASK as a subfield, if it is one run. */
static bool mask_to_subfield(const struct field *f, const uint8_t *mask, struct subfield *sf)
{
	unsigned int first = UINT16_MAX, last = 0, n = 0;

	for (unsigned int bit = 0; bit < f->n_bits; bit++) {
		if (!(mask[f->n_bytes - 1 - bit / 8] >> bit % 8 & 1))
			continue;
		first = MIN(first, bit);
		last = bit;
		n++;
	}
	if (!n || last - first + 1 != n)
		return false;
	*sf = (struct subfield) {.field = f, .ofs = first, .n_bits = n};
	return true;
}

static void put_hex_subvalue(const uint8_t *value, unsigned int n_bytes, const struct subfield *sf,
	struct sbuf *s)
{
	uint8_t bits[sizeof(union field_value)] = {0};
	unsigned int i = 0, n = DIV_ROUND_UP(sf->n_bits, 8);

	field_bitwise_copy(value, n_bytes, sf->ofs, bits, n, 0, sf->n_bits);
	while (i < n - 1 && !bits[i])
		i++;
	sbuf_putf(s, "0x%x", bits[i]);
	while (++i < n)
		sbuf_putf(s, "%02x", bits[i]);
}

static void format_set_field(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_set_field, a);
	union field_value value, mask;
	struct subfield sf;

	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	memcpy(&value, act_set_field_value(a), a->field->n_bytes);
	memcpy(&mask, act_set_field_mask(a), a->field->n_bytes);
	if (act->raw == ACT_RAW_NX_REG_LOAD && mask_to_subfield(a->field, mask.b, &sf)) {
		sbuf_puts(s, "load:");
		put_hex_subvalue(value.b, a->field->n_bytes, &sf, s);
		sbuf_puts(s, "->");
		subfield_format(&sf, s);
		return;
	}
	sbuf_puts(s, "set_field:");
	field_format(a->field, &value, &mask, names, s);
	sbuf_putf(s, "->%s", a->field->name);
}

static void format_reg_move(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_reg_move, a);

	sbuf_puts(s, "move:");
	subfield_format(&a->src, s);
	sbuf_puts(s, "->");
	subfield_format(&a->dst, s);
}

static void format_stack(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_stack, a);

	sbuf_puts(s, act->type == ACT_STACK_PUSH ? "push:" : "pop:");
	subfield_format(&a->subfield, s);
}

static void format_vlan_vid(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_vlan_vid, a);

	sbuf_putf(s, "%s:%u", a->push_if_needed ? "mod_vlan_vid" : "set_vlan_vid", a->vid);
}

static void format_vlan_pcp(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_vlan_pcp, a);

	sbuf_putf(s, "%s:%u", a->push_if_needed ? "mod_vlan_pcp" : "set_vlan_pcp", a->pcp);
}

static void format_strip_vlan(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	sbuf_puts(s, act->raw == ACT_RAW_OF11_POP_VLAN ? "pop_vlan" : "strip_vlan");
}

static void format_push(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_push, a);

	sbuf_putf(s, "%s:0x%04x", act_type_name(act->type), be16toh(a->ethertype));
}

static void format_mac(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_mac, a);

	sbuf_puts(s, act->type == ACT_SET_ETH_SRC ? "mod_dl_src:" : "mod_dl_dst:");
	sbuf_put_mac(s, a->mac.b);
}

static void format_ipv4(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_ipv4, a);
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &a->addr, text, sizeof text);
	sbuf_putf(s, "%s:%s", act->type == ACT_SET_IPV4_SRC ? "mod_nw_src" : "mod_nw_dst", text);
}

static void format_u8(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_u8, a);

	switch (act->type) {
	case ACT_SET_IP_DSCP: sbuf_putf(s, "mod_nw_tos:%u", a->value); break;
	case ACT_SET_IP_ECN: sbuf_putf(s, "mod_nw_ecn:%u", a->value); break;
	case ACT_SET_IP_TTL: sbuf_putf(s, "mod_nw_ttl:%u", a->value); break;
	case ACT_GOTO_TABLE: sbuf_putf(s, "goto_table:%u", a->value); break;
	default: sbuf_putf(s, "%s(%u)", act_type_name(act->type), a->value);
	}
}

static void format_u16(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_u16, a);

	sbuf_putf(s, "%s:%u", act->type == ACT_SET_L4_SRC_PORT ? "mod_tp_src" : "mod_tp_dst", a->value);
}

static void format_u32(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_u32, a);

	if (act->type == ACT_SET_MPLS_LABEL)
		sbuf_putf(s, "set_mpls_label(%u)", a->value);
	else
		sbuf_putf(s, "%s:%u", act_type_name(act->type), a->value);
}

static void format_set_tunnel(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_u64, a);

	sbuf_putf(s, "%s:0x%" PRIx64, act->raw == ACT_RAW_NX_SET_TUNNEL64 || a->value > UINT32_MAX
		? "set_tunnel64" : "set_tunnel", a->value);
}

static void format_dec_ttl(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_cnt_ids, a);

	sbuf_puts(s, "dec_ttl");
	if (act->raw != ACT_RAW_NX_DEC_TTL_CNT_IDS)
		return;
	for (int i = 0; i < a->n_controllers; i++)
		sbuf_putf(s, "%c%u", i ? ',' : '(', a->ids[i]);
	sbuf_putc(s, ')');
}

static void format_field(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_field, a);

	sbuf_putf(s, "delete_field:%s", a->field->name);
}

static void format_fin_timeout(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_fin_timeout, a);

	sbuf_puts(s, "fin_timeout(");
	if (a->idle_timeout)
		sbuf_putf(s, "idle_timeout=%u,", a->idle_timeout);
	if (a->hard_timeout)
		sbuf_putf(s, "hard_timeout=%u,", a->hard_timeout);
	sbuf_chomp(s, ',');
	sbuf_putc(s, ')');
}

static void format_resubmit(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_resubmit, a);

	if (a->in_port != OFPP_IN_PORT && a->table_id == 0xff) {
		sbuf_puts(s, "resubmit:");
		field_format_port(a->in_port, names, s);
		return;
	}
	sbuf_puts(s, "resubmit(");
	if (a->in_port != OFPP_IN_PORT)
		field_format_port(a->in_port, names, s);
	sbuf_putc(s, ',');
	if (a->table_id != 0xff)
		sbuf_putf(s, "%u", a->table_id);
	sbuf_puts(s, a->with_ct_orig ? ",ct)" : ")");
}

static void format_spec(const struct act_learn_spec *spec, const struct port_names *names,
	struct sbuf *s)
{
	struct subfield imm = {.field = spec->dst.field, .ofs = 0, .n_bits = spec->n_bits};
	unsigned int n = DIV_ROUND_UP(spec->n_bits, 8);

	if (spec->dst_type == ACT_LEARN_DST_OUTPUT) {
		sbuf_puts(s, "output:");
		subfield_format(&spec->src, s);
		return;
	}
	if (spec->dst_type == ACT_LEARN_DST_LOAD) {
		sbuf_puts(s, "load:");
		if (spec->src_type == ACT_LEARN_SRC_IMMEDIATE)
			put_hex_subvalue(spec->imm.b, n, &imm, s);
		else
			subfield_format(&spec->src, s);
		sbuf_puts(s, "->");
		subfield_format(&spec->dst, s);
		return;
	}
	if (spec->src_type == ACT_LEARN_SRC_IMMEDIATE) {
		if (!spec->dst.ofs && spec->dst.n_bits == spec->dst.field->n_bits) {
			union field_value value;

			memset(&value, 0, sizeof value);
			memcpy(&value.b[spec->dst.field->n_bytes - n], spec->imm.b, n);
			sbuf_putf(s, "%s=", spec->dst.field->name);
			field_format(spec->dst.field, &value, NULL, names, s);
		} else {
			subfield_format(&spec->dst, s);
			sbuf_putc(s, '=');
			put_hex_subvalue(spec->imm.b, n, &imm, s);
		}
		return;
	}
	subfield_format(&spec->dst, s);
	if (spec->src.field != spec->dst.field || spec->src.ofs != spec->dst.ofs) {
		sbuf_putc(s, '=');
		subfield_format(&spec->src, s);
	}
}

static void format_learn(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_learn, a);

	sbuf_putf(s, "learn(table=%u", a->table_id);
	if (a->idle_timeout)
		sbuf_putf(s, ",idle_timeout=%u", a->idle_timeout);
	if (a->hard_timeout)
		sbuf_putf(s, ",hard_timeout=%u", a->hard_timeout);
	if (a->fin_idle_timeout)
		sbuf_putf(s, ",fin_idle_timeout=%u", a->fin_idle_timeout);
	if (a->fin_hard_timeout)
		sbuf_putf(s, ",fin_hard_timeout=%u", a->fin_hard_timeout);
	if (a->priority != MATCH_DEFAULT_PRIORITY)
		sbuf_putf(s, ",priority=%u", a->priority);
	if (a->flags & ACT_LEARN_SEND_FLOW_REM)
		sbuf_puts(s, ",send_flow_rem");
	if (a->flags & ACT_LEARN_DELETE_LEARNED)
		sbuf_puts(s, ",delete_learned");
	if (a->cookie)
		sbuf_putf(s, ",cookie=0x%" PRIx64, be64toh(a->cookie));
	if (a->limit)
		sbuf_putf(s, ",limit=%u", a->limit);
	if (a->flags & ACT_LEARN_WRITE_RESULT) {
		sbuf_puts(s, ",result_dst=");
		subfield_format(&a->result_dst, s);
	}
	for (uint32_t i = 0; i < a->n_specs; i++) {
		sbuf_putc(s, ',');
		format_spec(&a->specs[i], names, s);
	}
	sbuf_putc(s, ')');
}

static void format_conjunction(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_conjunction, a);

	sbuf_putf(s, "conjunction(%u,%d/%u)", a->id, a->clause + 1, a->n_clauses);
}

static void format_multipath(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	static const char *const algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};
	AS(act_multipath, a);

	sbuf_putf(s, "multipath(%s,%u,%s,%d,%u,", act_hash_fields_name(a->fields), a->basis,
		algorithms[a->algorithm & 3], a->max_link + 1, a->arg);
	subfield_format(&a->dst, s);
	sbuf_putc(s, ')');
}

static void format_note(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_note, a);

	sbuf_puts(s, "note:");
	for (uint32_t i = 0; i < a->length; i++)
		sbuf_putf(s, "%s%02x", i ? "." : "", a->data[i]);
}

static void format_sample(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_sample, a);

	sbuf_putf(s, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u",
		a->probability, a->collector_set_id, a->obs_domain_id, a->obs_point_id);
	if (a->sampling_port != OFPP_NONE) {
		sbuf_puts(s, ",sampling_port=");
		field_format_port(a->sampling_port, names, s);
	}
	if (a->direction)
		sbuf_puts(s, a->direction == 1 ? ",ingress" : ",egress");
	sbuf_putc(s, ')');
}

static void format_nest(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	AS(act_nest, a);

	sbuf_puts(s, act->type == ACT_CLONE ? "clone(" : "write_actions(");
	if (act_nest_len(a))
		act_list_format(a->acts, act_nest_len(a), names, s);
	else if (act->type == ACT_WRITE_ACTIONS)
		sbuf_puts(s, "drop");
	sbuf_putc(s, ')');
}

static void format_check_pkt_larger(const struct act *act, const struct port_names *names,
	struct sbuf *s)
{
	AS(act_check_pkt_larger, a);

	sbuf_putf(s, "check_pkt_larger(%u)->", a->pkt_len);
	subfield_format(&a->dst, s);
}

static void format_write_metadata(const struct act *act, const struct port_names *names,
	struct sbuf *s)
{
	AS(act_write_metadata, a);

	sbuf_putf(s, "write_metadata:0x%" PRIx64, be64toh(a->metadata));
	if (a->mask != BE64_MAX)
		sbuf_putf(s, "/0x%" PRIx64, be64toh(a->mask));
}

static void format_plain(const struct act *act, const struct port_names *names, struct sbuf *s)
{
	sbuf_puts(s, act_type_name(act->type));
}

static format_fn *const formatters[ACT_N_TYPES] = {
	[ACT_OUTPUT] = format_output,
	[ACT_GROUP] = format_group,
	[ACT_CONTROLLER] = format_controller,
	[ACT_ENQUEUE] = format_enqueue,
	[ACT_OUTPUT_REG] = format_output_reg,
	[ACT_BUNDLE] = format_bundle,
	[ACT_SET_FIELD] = format_set_field,
	[ACT_REG_MOVE] = format_reg_move,
	[ACT_STACK_PUSH] = format_stack,
	[ACT_STACK_POP] = format_stack,
	[ACT_SET_VLAN_VID] = format_vlan_vid,
	[ACT_SET_VLAN_PCP] = format_vlan_pcp,
	[ACT_STRIP_VLAN] = format_strip_vlan,
	[ACT_PUSH_VLAN] = format_push,
	[ACT_SET_ETH_SRC] = format_mac,
	[ACT_SET_ETH_DST] = format_mac,
	[ACT_SET_IPV4_SRC] = format_ipv4,
	[ACT_SET_IPV4_DST] = format_ipv4,
	[ACT_SET_IP_DSCP] = format_u8,
	[ACT_SET_IP_ECN] = format_u8,
	[ACT_SET_IP_TTL] = format_u8,
	[ACT_SET_L4_SRC_PORT] = format_u16,
	[ACT_SET_L4_DST_PORT] = format_u16,
	[ACT_DEC_TTL] = format_dec_ttl,
	[ACT_PUSH_MPLS] = format_push,
	[ACT_POP_MPLS] = format_push,
	[ACT_SET_MPLS_LABEL] = format_u32,
	[ACT_SET_MPLS_TC] = format_u8,
	[ACT_SET_MPLS_TTL] = format_u8,
	[ACT_PUSH_PBB] = format_push,
	[ACT_DELETE_FIELD] = format_field,
	[ACT_SET_TUNNEL] = format_set_tunnel,
	[ACT_SET_QUEUE] = format_u32,
	[ACT_FIN_TIMEOUT] = format_fin_timeout,
	[ACT_RESUBMIT] = format_resubmit,
	[ACT_LEARN] = format_learn,
	[ACT_CONJUNCTION] = format_conjunction,
	[ACT_MULTIPATH] = format_multipath,
	[ACT_NOTE] = format_note,
	[ACT_SAMPLE] = format_sample,
	[ACT_CLONE] = format_nest,
	[ACT_CHECK_PKT_LARGER] = format_check_pkt_larger,
	[ACT_METER] = format_u32,
	[ACT_WRITE_ACTIONS] = format_nest,
	[ACT_WRITE_METADATA] = format_write_metadata,
	[ACT_GOTO_TABLE] = format_u8,
};

void act_list_format(const struct act *acts, size_t len, const struct port_names *names,
	struct sbuf *s)
{
	const struct act *act;
	bool first = true;

	if (!len) {
		sbuf_puts(s, "drop");
		return;
	}
	ACT_FOR_EACH (act, acts, len) {
		format_fn *format = formatters[act->type];

		if (!first)
			sbuf_putc(s, ',');
		first = false;
		(format ? format : format_plain)(act, names, s);
	}
}
