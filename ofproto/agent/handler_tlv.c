/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "ofproto/agent/handler.h"
#include "ofproto/state/tlv_map.h"
#include "ofproto/wire/nicira.h"

static const struct field_tlv_map *tlv_current(const struct ofproto *ofproto)
{
	return atomic_load_explicit(&ofproto->bridge->tun_table, memory_order_relaxed);
}

/* ------------------------------------------------------------------ use by flows */

static bool acts_use(const struct act *acts, size_t len, const struct field *field)
{
	const struct act *a;

	ACT_FOR_EACH(a, acts, len) {
		const struct act_nest *nest = (const struct act_nest *)a;
		const struct act_reg_move *move = (const struct act_reg_move *)a;

		if (a->type == ACT_SET_FIELD && ((const struct act_set_field *)a)->field == field)
			return true;
		if (a->type == ACT_REG_MOVE &&
			(move->src.field == field || move->dst.field == field))
			return true;
		if ((a->type == ACT_STACK_PUSH || a->type == ACT_STACK_POP) &&
			((const struct act_stack *)a)->subfield.field == field)
			return true;
		if ((a->type == ACT_CLONE || a->type == ACT_WRITE_ACTIONS) &&
			acts_use(nest->acts, act_nest_len(nest), field))
			return true;
	}
	return false;
}

static bool rule_uses(const struct of_rule *rule, unsigned int index)
{
	const struct field *field = field_from_id(FIELD_TUN_METADATA0 + index);
	const struct pl_actions *actions = of_rule_actions(rule);
	struct match match;

	cls_rule_get_match(&rule->pl.cr, &match);
	return !field_is_all_wild(field, &match.mask) ||
		(match.mask.tun_metadata.present >> index & 1) ||
		acts_use(actions->acts, actions->len, field);
}

/* Some flow matches or writes option INDEX. */
static bool tlv_in_use(const struct ofproto *ofproto, unsigned int index)
{
	struct of_criteria criteria;
	struct of_rules rules;
	bool in_use = false;

	of_criteria_init(&criteria);
	of_rules_init(&rules);
	of_state_collect(&ofproto->state, &criteria, &rules);
	for (size_t i = 0; i < rules.v.n && !in_use; i++)
		in_use = rule_uses(rules.v.items[i], index);
	of_rules_uninit(&rules);
	return in_use;
}

static enum ofp_error tlv_remove(const struct ofproto *ofproto, struct field_tlv_map *map,
	unsigned int index)
{
	if (index >= FLOW_TUN_METADATA_OPTS || !map->opts[index].len)
		return OFP_OK;
	if (tlv_in_use(ofproto, index))
		return NXTTMFC_INVALID_TLV_DEL;
	memset(&map->opts[index], 0, sizeof map->opts[index]);
	return OFP_OK;
}

/* After a restart scripts that know nothing of snapshots add again what they saved. */
static bool is_restored(const struct ofproto *ofproto, const struct field_tlv_map *map,
	const struct tlv_mapping *mapping)
{
	return ofproto->state.tlvs_restored && mapping->index < FLOW_TUN_METADATA_OPTS &&
		map->opts[mapping->index].class == mapping->class &&
		map->opts[mapping->index].type == mapping->type &&
		map->opts[mapping->index].len == mapping->len;
}

static enum ofp_error tlv_change(const struct ofproto *ofproto, struct field_tlv_map *map,
	const struct tlv_table_mod *tm)
{
	const struct tlv_mapping *mapping;
	enum ofp_error error = OFP_OK;

	if (tm->command == TLV_TABLE_CLEAR) {
		for (unsigned int i = 0; !error && i < FLOW_TUN_METADATA_OPTS; i++)
			error = tlv_remove(ofproto, map, i);
		return error;
	}
	VEC_FOR_EACH (mapping, &tm->mappings) {
		if (tm->command == TLV_TABLE_ADD && is_restored(ofproto, map, mapping))
			continue;
		error = tm->command == TLV_TABLE_ADD ? of_tlv_add(map, mapping->class,
			mapping->type, mapping->len, mapping->index) :
			tlv_remove(ofproto, map, mapping->index);
		if (error)
			break;
	}
	return error;
}

/* ------------------------------------------------------------------ requests */

enum ofp_error handle_tlv_table_mod(struct of_session *session, const struct msg *msg)
{
	struct ofproto *ofproto = session->ofproto;
	const struct field_tlv_map *old = tlv_current(ofproto);
	struct field_tlv_map *map;
	struct tlv_table_mod tm;
	enum ofp_error error;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = tlv_table_mod_decode(msg, &tm);
	if (error)
		return error;
	map = old ? xmemdup(old, sizeof *map) : xcalloc(1, sizeof *map);
	error = tlv_change(ofproto, map, &tm);
	if (error) {
		free(map);
	} else {
		of_tlv_set(ofproto->bridge, map);
		field_tlv_use(map);
	}
	tlv_table_mod_uninit(&tm);
	return error;
}

enum ofp_error handle_tlv_table_request(struct of_session *session, const struct msg *msg)
{
	const struct field_tlv_map *map = tlv_current(session->ofproto);
	struct tlv_mapping mappings[FLOW_TUN_METADATA_OPTS];
	struct sbuf out = SBUF_INITIALIZER;
	size_t n = 0;

	for (uint16_t i = 0; map && i < FLOW_TUN_METADATA_OPTS; i++) {
		if (!map->opts[i].len)
			continue;
		mappings[n].class = map->opts[i].class;
		mappings[n].type = map->opts[i].type;
		mappings[n].len = map->opts[i].len;
		mappings[n++].index = i;
	}
	tlv_table_encode(msg, FLOW_TUN_METADATA_BYTES, FLOW_TUN_METADATA_OPTS, mappings, n, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
