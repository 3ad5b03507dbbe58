/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofproto_unixctl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/unixctl.h"
#include "ofproto/agent/connmgr.h"
#include "ofproto/ofproto_l2.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/match_text.h"
#include "tunnel/tnl_port.h"

/* The bridge NAME; NULL if there is none: then CONN was told. */
static struct ofproto *require_bridge(
	struct unixctl_conn *conn, const char *name, const char *error)
{
	struct ofproto *ofproto = ofproto_from_name(name);

	if (!ofproto)
		unixctl_reply_error(conn, error);
	return ofproto;
}

static void reply_sbuf(struct unixctl_conn *conn, struct sbuf *s)
{
	unixctl_reply(conn, sbuf_cstr(s));
	sbuf_uninit(s);
}

/* ------------------------------------------------------------------ bridges */

static void cmd_list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto **all = ofproto_list();
	struct sbuf s = SBUF_INITIALIZER;

	for (size_t i = 0; all[i]; i++)
		sbuf_putf(&s, "%s\n", all[i]->name);
	free(all);
	reply_sbuf(conn, &s);
}

static void cmd_reconnect(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto;
	struct shash_node *node;

	if (argc > 1) {
		ofproto = require_bridge(conn, argv[1], "Unknown bridge");
		if (!ofproto)
			return;
		connmgr_reconnect(ofproto->mgr);
	} else {
		SHASH_FOR_EACH (node, &ofproto_globals.all)
			connmgr_reconnect(((struct ofproto *)node->data)->mgr);
	}
	unixctl_reply(conn, NULL);
}

static void format_rule(struct sbuf *s, const struct of_rule *rule, bool offload_stats)
{
	const struct pl_actions *actions = of_rule_actions(rule);
	struct of_rule_stats stats = of_rule_stats(rule);
	struct match match;

	if (rule->pl.table_id)
		sbuf_putf(s, "table_id=%u, ", rule->pl.table_id);
	sbuf_putf(s, "duration=%llds, n_packets=%llu, n_bytes=%llu, ",
		(long long)(clock_ms() - rule->created_ms) / 1000,
		(unsigned long long)stats.packets, (unsigned long long)stats.bytes);
	/* No packet is dealt with by hardware. */
	if (offload_stats)
		sbuf_puts(s, "n_offload_packets=0, n_offload_bytes=0, ");
	cls_rule_get_match(&rule->pl.cr, &match);
	match_format(&match, of_rule_priority(rule), NULL, s);
	sbuf_puts(s, ",actions=");
	act_list_format(actions->acts, actions->len, NULL, s);
	sbuf_putc(s, '\n');
}

/* Hidden flows, too. */
static void cmd_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;
	struct ofproto *ofproto;

	if (argc == 3 && strcmp(argv[1], "--offload-stats")) {
		unixctl_replyf_error(conn, "invalid option: %s", argv[1]);
		return;
	}
	ofproto = require_bridge(conn, argv[argc - 1], "Unknown bridge");
	if (!ofproto)
		return;
	dp_sweep();
	ofproto_use_tlv_map(ofproto);
	for (unsigned int i = 0; i < PL_N_TABLES; i++) {
		struct of_table *table = &ofproto->state.tables[i];
		struct cls_cursor cursor;
		struct cls_rule *cr;

		if (!table->n_flows)
			continue;
		cls_cursor_init(&cursor, table->pl->cls, NULL, version_get());
		while ((cr = cls_cursor_next(&cursor)))
			format_rule(&s, of_rule_from_cls(cr), argc == 3);
	}
	ofproto_use_tlv_map(NULL);
	reply_sbuf(conn, &s);
}

static void format_address(struct sbuf *s, const struct ipv6_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(addr->b, mapped, sizeof mapped))
		inet_ntop(AF_INET, addr->b + 12, text, sizeof text);
	else
		inet_ntop(AF_INET6, addr->b, text, sizeof text);
	sbuf_puts(s, text);
}

static void format_tunnel_match(struct sbuf *s, const struct tnl_config *config, dp_port_t dp_port)
{
	if (config->local_flow && config->remote_flow)
		sbuf_puts(s, "flow->flow");
	else
		format_address(s, &config->local);
	if (!config->remote_flow) {
		sbuf_puts(s, "->");
		format_address(s, &config->remote);
	} else if (!config->local_flow) {
		sbuf_puts(s, "->flow");
	}
	if (config->in_key_flow)
		sbuf_puts(s, ", key=flow");
	else
		sbuf_putf(s, ", key=0x%llx", (unsigned long long)be64toh(config->in_key));
	sbuf_putf(s, ", legacy_l2, dp port=%u", dp_port);
}

static void format_tunnel(struct sbuf *s, const struct of_port *port)
{
	static const char *const types[TNL_N_TYPES] = {
		[TNL_VXLAN] = "vxlan", [TNL_GRE] = "gre", [TNL_GENEVE] = "geneve",
	};
	const struct tnl_config *config = &port->tunnel->config;

	sbuf_putf(s, "port %u: %s (%s: ", port->dp_port, port->name, types[config->type]);
	format_tunnel_match(s, config, port->dp_port);
	if (config->out_key != config->in_key ||
		config->out_key_present != config->in_key_present ||
		config->out_key_flow != config->in_key_flow) {
		if (!config->out_key_present)
			sbuf_puts(s, ", out_key=none");
		else if (config->out_key_flow)
			sbuf_puts(s, ", out_key=flow");
		else
			sbuf_putf(s, ", out_key=0x%llx",
				(unsigned long long)be64toh(config->out_key));
	}
	if (config->ttl_inherit)
		sbuf_puts(s, ", ttl=inherit");
	else
		sbuf_putf(s, ", ttl=%u", config->ttl ? config->ttl : 64);
	if (config->tos_inherit)
		sbuf_puts(s, ", tos=inherit");
	else if (config->tos)
		sbuf_putf(s, ", tos=0x%x", config->tos);
	if (!config->dont_fragment)
		sbuf_puts(s, ", df=false");
	if (config->csum)
		sbuf_puts(s, ", csum=true");
	sbuf_puts(s, ")\n");
}

static void cmd_list_tunnels(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto **all = ofproto_list();
	struct sbuf s = SBUF_INITIALIZER;

	for (size_t i = 0; all[i]; i++) {
		struct of_port **ports;
		size_t n;

		ports = ofproto_ports_sorted(all[i], &n);
		for (size_t j = 0; j < n; j++)
			if (ports[j]->tunnel)
				format_tunnel(&s, ports[j]);
		free(ports);
	}
	free(all);
	reply_sbuf(conn, &s);
}

/* ------------------------------------------------------------------ forwarding database */

static void format_port(struct sbuf *s, ofp_port_t port)
{
	char text[16];

	if (port == OFPP_LOCAL)
		str_copy(text, "LOCAL", sizeof text);
	else
		snprintf(text, sizeof text, "%u", port);
	sbuf_putf(s, "%5s", text);
}

static void cmd_fdb_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = require_bridge(conn, argv[1], "no such bridge");
	const struct fdb_entry *entry = NULL;
	struct sbuf s = SBUF_INITIALIZER;
	int64_t now_ms = clock_ms();

	if (!ofproto)
		return;
	dp_sweep();
	sbuf_puts(&s, " port  VLAN  MAC                Age\n");
	while ((entry = fdb_next(ofproto->bridge->fdb, entry))) {
		format_port(&s, entry->port);
		sbuf_putf(&s, "  %4u  ", entry->vlan);
		sbuf_put_mac(&s, entry->mac.b);
		if (entry->is_static)
			sbuf_puts(&s, "  static\n");
		else
			sbuf_putf(&s, "  %3u\n", fdb_entry_age_s(entry, now_ms));
	}
	reply_sbuf(conn, &s);
}

static void cmd_fdb_stats_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = require_bridge(conn, argv[1], "no such bridge");
	struct sbuf s = SBUF_INITIALIZER;
	struct fdb_stats stats;

	if (!ofproto)
		return;
	stats = fdb_stats(ofproto->bridge->fdb);
	sbuf_putf(&s, "Statistics for bridge \"%s\":\n", argv[1]);
	sbuf_putf(&s, "  Current/maximum MAC entries in the table: %zu/%zu\n",
		fdb_count(ofproto->bridge->fdb), stats.max);
	sbuf_putf(&s, "  Current static MAC entries in the table : %zu\n", stats.current_static);
	sbuf_putf(&s, "  Total number of learned MAC entries     : %llu\n",
		(unsigned long long)stats.total_learned);
	sbuf_putf(&s, "  Total number of expired MAC entries     : %llu\n",
		(unsigned long long)stats.total_expired);
	sbuf_putf(&s, "  Total number of evicted MAC entries     : %llu\n",
		(unsigned long long)stats.total_evicted);
	sbuf_putf(&s, "  Total number of port moved MAC entries  : %llu\n",
		(unsigned long long)stats.total_moved);
	reply_sbuf(conn, &s);
}

/* Runs FN on the forwarding database of the bridge named in ARGV, or on all. */
static bool each_fdb(
	struct unixctl_conn *conn, int argc, const char *argv[], void (*fn)(struct fdb *))
{
	struct ofproto *ofproto;
	struct shash_node *node;

	if (argc > 1) {
		ofproto = require_bridge(conn, argv[1], "no such bridge");
		if (!ofproto)
			return false;
		fn(ofproto->bridge->fdb);
	} else {
		SHASH_FOR_EACH (node, &ofproto_globals.all)
			fn(((struct ofproto *)node->data)->bridge->fdb);
	}
	return true;
}

static void cmd_fdb_flush(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	if (each_fdb(conn, argc, argv, fdb_flush))
		unixctl_reply(conn, "table successfully flushed");
}

static void cmd_fdb_stats_clear(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	if (each_fdb(conn, argc, argv, fdb_stats_clear))
		unixctl_reply(conn, "statistics successfully cleared");
}

static bool parse_vlan(const char *text, uint16_t *vlan)
{
	uint64_t value;

	if (parse_u64(text, 0, 4095, &value))
		return false;
	*vlan = (uint16_t)value;
	return true;
}

static void cmd_fdb_add(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = require_bridge(conn, argv[1], "no such bridge");
	const struct fdb_entry *old;
	struct sbuf s = SBUF_INITIALIZER;
	struct eth_addr mac;
	ofp_port_t port;
	uint16_t vlan;

	if (!ofproto)
		return;
	port = ofproto_port_from_name(ofproto, argv[2]);
	if (!parse_vlan(argv[3], &vlan)) {
		unixctl_reply_error(conn, "bad VLAN");
	} else if (parse_mac(argv[4], mac.b)) {
		unixctl_reply_error(conn, "bad MAC address");
	} else if (port == OFPP_NONE) {
		unixctl_reply_error(conn,
			"software error, odp port is present but no ofp port");
	} else {
		old = fdb_lookup(ofproto->bridge->fdb, mac, vlan);
		if (old && (old->port != port || !old->is_static)) {
			sbuf_putf(&s, "Overriding already existing %s entry on ",
				old->is_static ? "static" : "dynamic");
			if (old->port == OFPP_LOCAL)
				sbuf_puts(&s, "LOCAL\n");
			else
				sbuf_putf(&s, "%u\n", old->port);
		}
		fdb_add_static(ofproto->bridge->fdb, mac, vlan, port);
		unixctl_reply(conn, s.len ? sbuf_cstr(&s) : NULL);
	}
	sbuf_uninit(&s);
}

static void cmd_fdb_del(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = require_bridge(conn, argv[1], "no such bridge");
	const struct fdb_entry *entry;
	struct eth_addr mac;
	uint16_t vlan;

	if (!ofproto)
		return;
	if (!parse_vlan(argv[2], &vlan)) {
		unixctl_reply_error(conn, "bad VLAN");
		return;
	}
	if (parse_mac(argv[3], mac.b)) {
		unixctl_reply_error(conn, "bad MAC address");
		return;
	}
	entry = fdb_lookup(ofproto->bridge->fdb, mac, vlan);
	if (!entry || !entry->is_static) {
		unixctl_reply_error(conn, "could not find static mac entry\n");
		return;
	}
	fdb_remove(ofproto->bridge->fdb, mac, vlan);
	unixctl_reply(conn, NULL);
}

void ofproto_unixctl_init(void)
{
	ofproto_l2_init();
	unixctl_command_register("ofproto/list", "", 0, 0, cmd_list, NULL);
	unixctl_command_register("ofproto/list-tunnels", "", 0, 0, cmd_list_tunnels, NULL);
	unixctl_command_register("bridge/dump-flows", "[--offload-stats] bridge", 1, 2,
		cmd_dump_flows, NULL);
	unixctl_command_register("bridge/reconnect", "[bridge]", 0, 1, cmd_reconnect, NULL);
	unixctl_command_register("fdb/add", "bridge port vlan mac", 4, 4, cmd_fdb_add, NULL);
	unixctl_command_register("fdb/del", "bridge vlan mac", 3, 3, cmd_fdb_del, NULL);
	unixctl_command_register("fdb/flush", "[bridge]", 0, 1, cmd_fdb_flush, NULL);
	unixctl_command_register("fdb/show", "bridge", 1, 1, cmd_fdb_show, NULL);
	unixctl_command_register("fdb/stats-clear", "[bridge]", 0, 1, cmd_fdb_stats_clear, NULL);
	unixctl_command_register("fdb/stats-show", "bridge", 1, 1, cmd_fdb_stats_show, NULL);
	ofproto_trace_init();
}
