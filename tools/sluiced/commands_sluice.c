/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_sluice.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/unixctl.h"
#include "tools/sluiced/reconcile.h"
#include "tools/sluiced/restart.h"

static void reply_json(struct unixctl_conn *conn, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	unixctl_reply(conn, text);
	free(text);
	json_decref(json);
}

static json_t *drops_of(dp_port_t port)
{
	json_t *drops = json_object();

	for (int i = DROP_NONE + 1; i < DROP_N_REASONS; i++) {
		uint64_t n = port ? dp_port_drops(port, i) : dp_drops(i);

		if (n)
			json_object_set_new(drops, drop_reason_name(i), json_integer((json_int_t)n));
	}
	return drops;
}

static json_t *show_iface(const struct rc_iface *iface)
{
	static const char *const states[] = {
		[RC_WAITING] = "waiting", [RC_OPENING] = "opening", [RC_RUNNING] = "running",
		[RC_FAILED] = "failed",
	};
	json_t *json = json_pack("{ssssss}", "name", iface->name, "type", iface->type, "state",
		states[iface->state]);
	struct dp_port_stats s;

	if (iface->error)
		json_object_set_new(json, "error", json_string(iface->error));
	if (iface->state != RC_RUNNING)
		return json;
	json_object_set_new(json, "ofport", json_integer(iface->ofp_port == OFPP_LOCAL ? 65534
		: (json_int_t)iface->ofp_port));
	json_object_set_new(json, "link_up", json_boolean(iface->info.link_up));
	if (iface->info.mtu)
		json_object_set_new(json, "mtu", json_integer(iface->info.mtu));
	if (dp_port_stats(iface->dp_port, &s))
		json_object_set_new(json, "statistics", json_pack("{sIsIsIsIsIsIsIsI}",
			"rx_packets", (json_int_t)s.rx_packets, "rx_bytes", (json_int_t)s.rx_bytes,
			"rx_errors", (json_int_t)s.rx_errors, "rx_dropped", (json_int_t)s.rx_dropped,
			"tx_packets", (json_int_t)s.tx_packets, "tx_bytes", (json_int_t)s.tx_bytes,
			"tx_errors", (json_int_t)s.tx_errors, "tx_dropped", (json_int_t)s.tx_dropped));
	json_object_set_new(json, "drops", drops_of(iface->dp_port));
	return json;
}

static json_t *show_bridge(const struct rc_bridge *bridge)
{
	json_t *ports = json_array(), *json;
	struct rc_port *port;
	char dpid[17];

	HMAP_FOR_EACH (port, node, &bridge->ports) {
		struct rc_iface **iface;

		VEC_FOR_EACH (iface, &port->ifaces) {
			json_t *one = show_iface(*iface);

			json_object_set_new(one, "port", json_string(port->name));
			if (port->cfg->tag != MODEL_UNSET)
				json_object_set_new(one, "tag", json_integer(port->cfg->tag));
			json_array_append_new(ports, one);
		}
	}
	snprintf(dpid, sizeof dpid, "%016" PRIx64, ofproto_datapath_id(bridge->ofproto));
	json = json_pack("{sssssssbso}", "name", bridge->name, "datapath_id", dpid, "fail_mode",
		bridge->cfg->fail_mode ? bridge->cfg->fail_mode : "standalone", "controller",
		ofproto_has_primary_controller(bridge->ofproto), "interfaces", ports);
	return json;
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	json_t *bridges = json_array();
	uint64_t hits, misses, lost, n_paths;
	struct rc_bridge *bridge;

	(void)argc, (void)argv, (void)aux;
	dp_sweep();
	dp_cache_stats(&hits, &misses, &lost, &n_paths);
	HMAP_FOR_EACH (bridge, node, reconcile_bridges())
		json_array_append_new(bridges, show_bridge(bridge));
	reply_json(conn, json_pack("{sIsbsbsosos{sIsIsIsI}}", "time_ms", (json_int_t)clock_ms(), "dpdk",
		dp_dpdk_initialized(), "hugepages", dp_has_hugepages(), "bridges", bridges, "drops",
		drops_of(0), "cache", "hits", (json_int_t)hits, "misses", (json_int_t)misses, "lost",
		(json_int_t)lost, "paths", (json_int_t)n_paths));
}

static void cmd_add_flow(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = ofproto_from_name(argv[1]);
	char *error;

	(void)argc, (void)aux;
	if (!ofproto) {
		unixctl_replyf_error(conn, "%s: no such bridge", argv[1]);
		return;
	}
	if (ofproto_add_flow_text(ofproto, argv[2], &error)) {
		unixctl_reply_error(conn, error);
		free(error);
		return;
	}
	unixctl_reply(conn, NULL);
}

/* One line per reason that has counted, with what it means; per port if asked. */
static void cmd_drops(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;
	dp_port_t port = 0;

	(void)aux;
	if (argc > 1) {
		const struct rc_iface *iface = reconcile_iface(argv[1]);

		if (!iface || !iface->dp_port) {
			unixctl_replyf_error(conn, "%s: no such port", argv[1]);
			return;
		}
		port = iface->dp_port;
	}
	for (int i = DROP_NONE + 1; i < DROP_N_REASONS; i++) {
		uint64_t n = port ? dp_port_drops(port, i) : dp_drops(i);

		if (n)
			sbuf_putf(&s, "%-24s %12" PRIu64 "  %s\n", drop_reason_name(i), n,
				drop_reason_describe(i));
	}
	if (!s.len)
		sbuf_puts(&s, "no drops\n");
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static void cmd_save_state(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	int error = restart_save_now();

	if (error)
		unixctl_replyf_error(conn, "the snapshot was not written: %s", strerror(-error));
	else
		unixctl_reply(conn, NULL);
}

void commands_sluice_init(void)
{
	unixctl_command_register("sluice/show", "", 0, 0, cmd_show, NULL);
	unixctl_command_register("sluice/add-flow", "BRIDGE FLOW", 2, 2, cmd_add_flow, NULL);
	unixctl_command_register("sluice/drops", "[PORT]", 0, 1, cmd_drops, NULL);
	unixctl_command_register("sluice/save-state", "", 0, 0, cmd_save_state, NULL);
}
