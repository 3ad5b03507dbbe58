/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/group.h"
#include "ofproto/state/meter.h"
#include "ofproto/state/saved_flow.h"
#include "ofproto/state/tlv_map.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/match_text.h"

/* ------------------------------------------------------------------ saving */

static void put_meters(const struct of_state *state, struct sbuf *s)
{
	struct sbuf msg = SBUF_INITIALIZER;
	struct of_meter **meters;
	size_t n;

	meters = of_meters_sorted(state, &n);
	for (size_t i = 0; i < n; i++) {
		struct meter_mod mm = { .command = OFPMC_ADD };

		meter_config_clone(&mm.meter, &meters[i]->config);
		meter_mod_encode(&mm, OFP15_VERSION, 0, &msg);
		sbuf_puts(s, "meter ");
		sbuf_put_hex(s, msg.data, msg.len);
		sbuf_putc(s, '\n');
		sbuf_clear(&msg);
		meter_mod_uninit(&mm);
	}
	free(meters);
	sbuf_uninit(&msg);
}

static void put_groups(const struct of_state *state, struct sbuf *s, int64_t now_ms)
{
	struct sbuf msg = SBUF_INITIALIZER;
	struct of_group **groups;
	size_t n;

	groups = of_groups_sorted(state, &n);
	for (size_t i = 0; i < n; i++) {
		struct group_mod gm;

		of_group_to_mod(groups[i], &gm);
		group_mod_encode(&gm, OFP15_VERSION, 0, &msg);
		sbuf_putf(s, "group %" PRId64 " ", now_ms - groups[i]->created_ms);
		sbuf_put_hex(s, msg.data, msg.len);
		sbuf_putc(s, '\n');
		sbuf_clear(&msg);
		group_mod_uninit(&gm);
	}
	free(groups);
	sbuf_uninit(&msg);
}

static void put_flags(const struct of_rule *rule, struct sbuf *s)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {
		{ OFPFF_SEND_FLOW_REM, "send_flow_rem" },
		{ OFPFF_CHECK_OVERLAP, "check_overlap" },
		{ OFPFF_RESET_COUNTS, "reset_counts" },
		{ OFPFF_NO_PKT_COUNTS, "no_packet_counts" },
		{ OFPFF_NO_BYT_COUNTS, "no_byte_counts" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (rule->flags & names[i].flag)
			sbuf_putf(s, "%s,", names[i].name);
}

void of_snapshot_put_rule(const struct of_rule *rule, struct sbuf *s, int64_t now_ms)
{
	const struct pl_actions *actions = of_rule_actions(rule);
	struct of_rule_stats stats = of_rule_stats(rule);
	struct match match;

	sbuf_putf(s, "flow %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " ",
		stats.packets, stats.bytes, now_ms - rule->created_ms,
		now_ms - of_rule_modified_ms(rule), now_ms - stats.used_ms);
	sbuf_putf(s, "cookie=0x%" PRIx64 ",table=%u,", be64toh(of_rule_cookie(rule)),
		rule->pl.table_id);
	if (rule->idle_timeout)
		sbuf_putf(s, "idle_timeout=%u,", rule->idle_timeout);
	if (rule->hard_timeout)
		sbuf_putf(s, "hard_timeout=%u,", rule->hard_timeout);
	if (rule->importance)
		sbuf_putf(s, "importance=%u,", rule->importance);
	put_flags(rule, s);
	cls_rule_get_match(&rule->pl.cr, &match);
	match_format(&match, of_rule_priority(rule), NULL, s);
	sbuf_puts(s, " actions=");
	act_list_format(actions->acts, actions->len, NULL, s);
	sbuf_putc(s, '\n');
}

static void put_fdb(const struct of_state *state, struct sbuf *s, int64_t now_ms)
{
	const struct fdb_entry *entry = NULL;

	while ((entry = fdb_next(state->bridge->fdb, entry))) {
		sbuf_putf(s, "mac %u %u ", entry->port, entry->vlan);
		sbuf_put_mac(s, entry->mac.b);
		if (entry->is_static)
			sbuf_puts(s, " static\n");
		else
			sbuf_putf(s, " %u\n", fdb_entry_age_s(entry, now_ms) * 1000);
	}
}

static void put_tlvs(const struct of_state *state, struct sbuf *s)
{
	const struct field_tlv_map *map = atomic_load_explicit(&state->bridge->tun_table,
		memory_order_relaxed);

	for (unsigned int i = 0; map && i < FLOW_TUN_METADATA_OPTS; i++)
		if (map->opts[i].len)
			sbuf_putf(s, "tlv 0x%x 0x%x %u %u\n", map->opts[i].class, map->opts[i].type,
				map->opts[i].len, i);
}

void of_snapshot_put_rest(const struct of_state *state, struct sbuf *s, int64_t now_ms)
{
	put_tlvs(state, s);
	put_meters(state, s);
	put_groups(state, s, now_ms);
	put_fdb(state, s, now_ms);
}

/* ------------------------------------------------------------------ restoring */

static int refuse(char **error, const char *what)
{
	*error = xstrdup(what);
	return -EINVAL;
}

static int refuse_of(char **error, enum ofp_error why)
{
	return why ? refuse(error, ofp_error_name(why)) : 0;
}

/* HEX as an OpenFlow message of TYPE; its bytes are put in BYTES. */
static int take_msg(const char *hex, enum ofp_type type, struct sbuf *bytes, struct msg *msg,
	char **error)
{
	size_t len = strlen(hex);

	if (len % 2 || len < 2 * OFP_HEADER_LEN ||
		parse_hex_bytes(hex, sbuf_put_uninit(bytes, len / 2), len / 2))
		return refuse(error, "not a message in hexadecimal");
	if (msg_header_len(bytes->data) != bytes->len || msg_decode(bytes->data, bytes->len, msg) ||
		msg->type != type)
		return refuse(error, "not the message expected");
	return 0;
}

static int take_meter(struct of_state *state, const char *hex, char **error)
{
	struct sbuf bytes = SBUF_INITIALIZER;
	struct meter_mod mm;
	struct msg msg;
	int retval;

	retval = take_msg(hex, OFPTYPE_METER_MOD, &bytes, &msg, error);
	if (!retval)
		retval = refuse_of(error, meter_mod_decode(&msg, &mm));
	if (!retval) {
		retval = refuse_of(error, of_meter_mod(state, &mm));
		meter_mod_uninit(&mm);
	}
	sbuf_uninit(&bytes);
	return retval;
}

static int take_group(struct of_state *state, const char *args, char **error)
{
	struct sbuf bytes = SBUF_INITIALIZER;
	struct of_group *group;
	struct group_mod gm;
	struct msg msg;
	int64_t age_ms;
	int retval, ofs = 0;

	if (sscanf(args, "%" SCNd64 " %n", &age_ms, &ofs) < 1 || !ofs)
		return refuse(error, "expected \"group CREATED HEX\"");
	retval = take_msg(args + ofs, OFPTYPE_GROUP_MOD, &bytes, &msg, error);
	if (!retval)
		retval = refuse_of(error, group_mod_decode(&msg, &gm));
	if (!retval) {
		retval = refuse_of(error, of_group_mod(state, &gm, NULL));
		group = of_group_find(state, gm.group_id);
		if (!retval && group) {
			group->created_ms = clock_ms() - age_ms;
			group->is_restored = true;
		}
		group_mod_uninit(&gm);
	}
	sbuf_uninit(&bytes);
	return retval;
}

static int take_flow(struct of_state *state, const char *args, char **error)
{
	struct sbuf packed = SBUF_INITIALIZER;
	struct of_txn txn;
	int retval = saved_flow_parse(args, &packed, error);

	if (!retval) {
		of_txn_begin(&txn, state, NULL);
		retval = refuse_of(error, saved_flow_stage(&txn,
			(const void *)packed.data, clock_ms()));
		if (retval)
			of_txn_abort(&txn);
		else
			of_txn_commit(&txn);
	}
	sbuf_uninit(&packed);
	return retval;
}

static int take_mac(struct of_state *state, const char *args, char **error)
{
	struct fdb *fdb = state->bridge->fdb;
	char mac_text[18], age[24];
	unsigned int port, vlan;
	struct eth_addr mac;

	if (sscanf(args, "%u %u %17s %23s", &port, &vlan, mac_text, age) != 4 || vlan > 4095 ||
		parse_mac(mac_text, mac.b))
		return refuse(error, "expected \"mac PORT VLAN MAC AGE\"");
	if (!strcmp(age, "static"))
		fdb_add_static(fdb, mac, (uint16_t)vlan, port);
	else
		fdb_learn(fdb, mac, (uint16_t)vlan, port, clock_ms() - strtoll(age, NULL, 10));
	return 0;
}

static int take_tlv(struct of_state *state, const char *args, char **error)
{
	const struct field_tlv_map *old = atomic_load_explicit(&state->bridge->tun_table,
		memory_order_relaxed);
	struct field_tlv_map *map;
	int class, type, len, index;

	if (sscanf(args, "%i %i %i %i", &class, &type, &len, &index) != 4)
		return refuse(error, "expected \"tlv CLASS TYPE LEN INDEX\"");
	map = old ? xmemdup(old, sizeof *map) : xcalloc(1, sizeof *map);
	if (of_tlv_add(map, (uint16_t)class, (uint8_t)type, (uint8_t)len, (uint16_t)index)) {
		free(map);
		return refuse(error, "no such option can be mapped");
	}
	of_tlv_set(state->bridge, map);
	field_tlv_use(map);
	state->tlvs_restored = true;
	return 0;
}

int of_snapshot_take(struct of_state *state, char *line, char **error)
{
	static const struct {
		const char *word;
		int (*take)(struct of_state *, const char *, char **);
	} kinds[] = {
		{ "tlv", take_tlv },
		{ "meter", take_meter },
		{ "group", take_group },
		{ "flow", take_flow },
		{ "mac", take_mac },
	};
	char *args = strchr(line, ' ');

	if (args) {
		*args++ = '\0';
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			if (!strcmp(line, kinds[i].word))
				return kinds[i].take(state, args, error);
	}
	return refuse(error, "unknown kind of line");
}
