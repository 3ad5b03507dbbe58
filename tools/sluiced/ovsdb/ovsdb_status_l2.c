/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluiced/ovsdb/ovsdb_status_l2.h"

#include <inttypes.h>

#include "tools/sluiced/ovsdb/ovsdb_value.h"

/* Takes MAP's contents. */
static void put_map(json_t *row, const char *column, struct smap *map)
{
	json_object_set_new(row, column, ovsdb_make_map(map));
	smap_uninit(map);
}

static void put_counters(json_t *row, const char *column, const char *const names[],
	const uint64_t values[], size_t n)
{
	json_t *pairs = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(pairs, json_pack("[sI]", names[i], (json_int_t)values[i]));
	json_object_set_new(row, column, json_pack("[so]", "map", pairs));
}

/* ------------------------------------------------------------------ bridge */

static void put_stp_id(struct smap *map, const char *key, uint64_t id)
{
	smap_setf(map, key, "%04x.%012" PRIx64, (unsigned int)(id >> 48), bpdu_id_address(id));
}

/* Priority in steps of 4096, system id extension, address. */
static void put_rstp_id(struct smap *map, const char *key, uint64_t id)
{
	smap_setf(map, key, "%01x.%03x.%012" PRIx64, (unsigned int)(id >> 60),
		(unsigned int)(id >> 48 & 0xfff), bpdu_id_address(id));
}

void ovsdb_status_l2_bridge(json_t *row, const struct rc_bridge *bridge)
{
	struct smap stp_map = SMAP_INITIALIZER, rstp_map = SMAP_INITIALIZER;
	struct rstp_status rstp;
	struct stp_status stp;

	if (ofproto_stp_status(bridge->ofproto, &stp)) {
		put_stp_id(&stp_map, "stp_bridge_id", stp.bridge_id);
		put_stp_id(&stp_map, "stp_designated_root", stp.root_id);
		smap_setf(&stp_map, "stp_root_path_cost", "%u", stp.root_path_cost);
	}
	put_map(row, "status", &stp_map);
	if (ofproto_rstp_status(bridge->ofproto, &rstp)) {
		put_rstp_id(&rstp_map, "rstp_bridge_id", rstp.bridge_id);
		smap_setf(&rstp_map, "rstp_root_path_cost", "%u", rstp.root_path_cost);
		put_rstp_id(&rstp_map, "rstp_root_id", rstp.root_id);
		put_rstp_id(&rstp_map, "rstp_designated_id", rstp.designated_id);
		smap_setf(&rstp_map, "rstp_designated_port_id", "%04x", rstp.designated_port_id);
		smap_setf(&rstp_map, "rstp_bridge_port_id", "%04x", rstp.bridge_port_id);
	}
	put_map(row, "rstp_status", &rstp_map);
}

/* ------------------------------------------------------------------ port */

static void put_stp_port(json_t *row, const struct ofproto *ofproto, ofp_port_t port, bool statistics)
{
	static const char *const names[] = {"stp_tx_count", "stp_rx_count", "stp_error_count"};
	struct smap map = SMAP_INITIALIZER;
	struct stp_port_status status = {.id = 0};
	unsigned int seconds;
	bool on = ofproto_port_stp_status(ofproto, port, &status, &seconds);

	if (on) {
		smap_setf(&map, "stp_port_id", "%u", status.id);
		smap_set(&map, "stp_state", stp_state_name(status.state));
		smap_setf(&map, "stp_sec_in_state", "%u", seconds);
		smap_set(&map, "stp_role", stp_role_name(status.role));
	}
	put_map(row, "status", &map);
	if (statistics)
		put_counters(row, "statistics", names, (const uint64_t[]) {status.tx_count,
			status.rx_count, status.error_count}, on ? 3 : 0);
}

static void put_rstp_port(json_t *row, const struct ofproto *ofproto, ofp_port_t port, bool statistics)
{
	static const char *const names[] = {"rstp_tx_count", "rstp_rx_count", "rstp_uptime",
		"rstp_error_count"};
	struct smap map = SMAP_INITIALIZER;
	struct rstp_port_status status = {.id = 0};
	bool on = ofproto_port_rstp_status(ofproto, port, &status);

	if (on) {
		smap_setf(&map, "rstp_port_id", "%04x", status.id);
		smap_set(&map, "rstp_port_role", rstp_role_name(status.role));
		smap_set(&map, "rstp_port_state", rstp_state_name(status.state));
		put_rstp_id(&map, "rstp_designated_bridge_id", status.designated_bridge_id);
		smap_setf(&map, "rstp_designated_port_id", "%04x", status.designated_port_id);
		smap_setf(&map, "rstp_designated_path_cost", "%u", status.designated_path_cost);
	}
	put_map(row, "rstp_status", &map);
	if (statistics)
		put_counters(row, "rstp_statistics", names, (const uint64_t[]) {status.tx_count,
			status.rx_count, status.uptime_s, status.error_count}, on ? 4 : 0);
}

void ovsdb_status_l2_port(json_t *row, const struct rc_port *port, bool statistics)
{
	ofp_port_t number = port->ifaces.n == 1 ? port->ifaces.items[0]->ofp_port : OFPP_NONE;

	put_stp_port(row, port->bridge->ofproto, number, statistics);
	put_rstp_port(row, port->bridge->ofproto, number, statistics);
}
