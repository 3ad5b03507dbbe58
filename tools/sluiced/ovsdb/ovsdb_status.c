/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_status.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/util.h"
#include "tools/sluiced/capabilities.h"
#include "tools/sluiced/ovsdb/ovsdb_status_l2.h"
#include "tools/sluiced/ovsdb/ovsdb_status_system.h"
#include "tools/sluiced/ovsdb/ovsdb_value.h"
#include "tools/sluiced/reconcile.h"
#include "tunnel/route.h"
#include "tunnel/tnl_addr.h"

/* UUID -> json_t * row of the columns last written; `seen` rows are kept by each pass. */
static struct shash written = SHASH_INITIALIZER;
static bool dpdk_initialized;

void ovsdb_status_set_dpdk(bool initialized)
{
	dpdk_initialized = initialized;
}

void ovsdb_status_forget(void)
{
	struct shash_node *node;

	SHASH_FOR_EACH (node, &written)
		json_decref(node->data);
	shash_clear(&written);
}

static void add_update(json_t *operations, const char *table, const char *uuid, json_t *row)
{
	json_array_append_new(operations, json_pack("{sssss[[ss[ss]]]so}", "op", "update", "table", table,
		"where", "_uuid", "==", "uuid", uuid, "row", row));
}

/* Adds to OPERATIONS the columns of WANTED (stolen) that differ from what was written. */
static void put_row(json_t *operations, struct shash *seen, const char *table, const char *uuid,
	json_t *wanted)
{
	json_t *before = shash_get(&written, uuid), *row = json_object();
	const char *column;
	json_t *value;

	json_object_foreach (wanted, column, value)
		if (!json_equal(json_object_get(before, column), value))
			json_object_set(row, column, value);
	if (json_object_size(row))
		add_update(operations, table, uuid, json_incref(row));
	json_decref(row);
	/* Columns that this pass left out stay as written. */
	if (before)
		json_object_update_missing(wanted, before);
	json_decref(shash_put(&written, uuid, wanted));
	shash_put(seen, uuid, (void *)1);
}

/* ------------------------------------------------------------------ interfaces */

static void set_counter(json_t *pairs, const char *name, uint64_t value)
{
	json_array_append_new(pairs, json_pack("[sI]", name, (json_int_t)value));
}

/* Why received packets went nowhere: our own counters, those that are not 0. */
static void put_drops(json_t *pairs, dp_port_t port)
{
	for (unsigned int reason = DROP_NONE + 1; reason < DROP_N_REASONS; reason++) {
		uint64_t n = dp_port_drops(port, reason);
		char name[64];

		if (!n)
			continue;
		snprintf(name, sizeof name, "drop_%s", drop_reason_name(reason));
		set_counter(pairs, name, n);
	}
}

static json_t *statistics(const struct rc_iface *iface)
{
	json_t *pairs = json_array();
	struct dp_port_stats s;

	if (iface->state == RC_RUNNING && dp_port_stats(iface->dp_port, &s)) {
		set_counter(pairs, "rx_bytes", s.rx_bytes);
		set_counter(pairs, "rx_packets", s.rx_packets);
		set_counter(pairs, "tx_bytes", s.tx_bytes);
		set_counter(pairs, "tx_packets", s.tx_packets);
	}
	if (json_array_size(pairs) && iface->kind == PL_PORT_DEVICE) {
		set_counter(pairs, "collisions", s.collisions);
		set_counter(pairs, "rx_crc_err", s.rx_crc_errors);
		set_counter(pairs, "rx_dropped", s.rx_dropped);
		set_counter(pairs, "rx_errors", s.rx_errors);
		set_counter(pairs, "rx_frame_err", s.rx_frame_errors);
		set_counter(pairs, "rx_missed_errors", 0);
		set_counter(pairs, "rx_multicast_packets", s.multicast);
		set_counter(pairs, "rx_over_err", s.rx_over_errors);
		set_counter(pairs, "tx_dropped", s.tx_dropped);
		set_counter(pairs, "tx_errors", s.tx_errors);
		put_drops(pairs, iface->dp_port);
	}
	return json_pack("[so]", "map", pairs);
}

static void device_status(const struct dp_port_info *info, struct smap *map)
{
	char *details = xstrdup(info->details), *rest = details, *line;

	if (*info->driver)
		smap_set(map, "driver_name", info->driver);
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = '\0';
		smap_set(map, line, value);
	}
	free(details);
}

/* Tunnels share few devices: each is asked for once a second at most. */
static bool has_carrier(const char *dev)
{
	static char asked[IFNAMSIZ];
	static int64_t asked_ms;
	static bool running;
	static int sock = -1;
	struct ifreq ifr = {0};

	if (!strcmp(dev, asked) && clock_ms() < asked_ms + 1000)
		return running;
	if (sock < 0)
		sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	str_copy(ifr.ifr_name, dev, sizeof ifr.ifr_name);
	str_copy(asked, dev, sizeof asked);
	asked_ms = clock_ms();
	running = !ioctl(sock, SIOCGIFFLAGS, &ifr) && (ifr.ifr_flags & IFF_RUNNING);
	return running;
}

/* Which device the outer packets leave by. */
static void tunnel_status(const struct rc_iface *iface, struct smap *map)
{
	const char *remote = smap_get(&iface->options, "remote_ip");
	struct ipv6_addr addr;
	struct route_hop route;

	if (!remote || !tnl_addr_parse(remote, &addr) || !route_lookup_addr(&addr, &route))
		return;
	smap_set(map, "tunnel_egress_iface", route.dev);
	smap_set(map, "tunnel_egress_iface_carrier", has_carrier(route.dev) ? "up" : "down");
}

static json_t *iface_status(const struct rc_iface *iface)
{
	struct smap map = SMAP_INITIALIZER;
	json_t *json;

	if (iface->state == RC_RUNNING && iface->kind == PL_PORT_DEVICE)
		device_status(&iface->info, &map);
	if (iface->state == RC_RUNNING && iface->kind == PL_PORT_TUNNEL)
		tunnel_status(iface, &map);
	json = ovsdb_make_map(&map);
	smap_uninit(&map);
	return json;
}

/* Interfaces without news cost nothing; counters are written at their time, and with a new row. */
static void put_interface(json_t *operations, struct shash *seen, struct rc_iface *iface, bool counters)
{
	bool is_new = !shash_find(&written, iface->cfg->id);
	const struct dp_port_info *info = &iface->info;
	bool running = iface->state == RC_RUNNING;
	bool device = running && iface->kind == PL_PORT_DEVICE;
	json_t *row;
	char mac[18];

	if ((!running && iface->state != RC_FAILED) || (!counters && !is_new && !iface->news))
		return;
	iface->news = false;
	row = json_object();
	snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", info->mac.b[0], info->mac.b[1],
		info->mac.b[2], info->mac.b[3], info->mac.b[4], info->mac.b[5]);
	json_object_set_new(row, "ofport", json_integer(!running ? -1
		: iface->ofp_port == OFPP_LOCAL ? 65534 : (json_int_t)iface->ofp_port));
	json_object_set_new(row, "error", ovsdb_make_optional_string(iface->error));
	json_object_set_new(row, "mac_in_use", ovsdb_make_optional_string(running ? mac : NULL));
	json_object_set_new(row, "mtu", ovsdb_make_optional_int(device && info->mtu, info->mtu));
	json_object_set_new(row, "admin_state", ovsdb_make_optional_string(
		!running ? NULL : info->admin_up ? "up" : "down"));
	json_object_set_new(row, "link_state", ovsdb_make_optional_string(
		!running ? NULL : info->link_up ? "up" : "down"));
	json_object_set_new(row, "link_speed", ovsdb_make_optional_int(device && info->link_speed_mbps,
		(int64_t)info->link_speed_mbps * 1000000));
	json_object_set_new(row, "duplex", ovsdb_make_optional_string(
		!device || !info->link_speed_mbps ? NULL : info->full_duplex ? "full" : "half"));
	json_object_set_new(row, "ifindex", ovsdb_make_optional_int(running, info->ifindex));
	json_object_set_new(row, "link_resets", ovsdb_make_optional_int(running, iface->link_resets));
	json_object_set_new(row, "status", iface_status(iface));
	if (counters || is_new)
		json_object_set_new(row, "statistics", statistics(iface));
	put_row(operations, seen, "Interface", iface->cfg->id, row);
}

/* ------------------------------------------------------------------ bridges and controllers */

/* Ages change all the time: they are written with the statistics, or if something else has changed. */
static json_t *controller_status(const char *id, const struct smap *status, bool counters)
{
	static const char *const ages[] = {"sec_since_connect", "sec_since_disconnect"};
	const json_t *before = json_object_get(shash_get(&written, id), "status");
	struct smap old = SMAP_INITIALIZER, now = SMAP_INITIALIZER;
	json_t *json;

	ovsdb_get_map(shash_get(&written, id), "status", &old);
	smap_clone(&now, status);
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		smap_remove(&old, ages[i]);
		smap_remove(&now, ages[i]);
	}
	json = !counters && before && smap_equal(&old, &now) ? json_incref((json_t *)before)
		: ovsdb_make_map(status);
	smap_uninit(&old);
	smap_uninit(&now);
	return json;
}

static void put_controller(json_t *operations, struct shash *seen, const struct rc_bridge *bridge,
	const struct model_controller *cfg, bool counters)
{
	struct ofproto_controller_status status = {.status = NULL};
	struct smap none = SMAP_INITIALIZER;
	json_t *row = json_object();

	ofproto_controller_status(bridge->ofproto, cfg->target, &status);
	json_object_set_new(row, "is_connected", json_boolean(status.is_connected));
	json_object_set_new(row, "role", ovsdb_make_optional_string(status.role));
	json_object_set_new(row, "status", controller_status(cfg->id,
		status.status ? status.status : &none, counters));
	if (status.status)
		smap_uninit(status.status);
	free(status.status);
	put_row(operations, seen, "Controller", cfg->id, row);
}

static void put_mirror(json_t *operations, struct shash *seen, const struct rc_bridge *bridge,
	const struct model_mirror *cfg)
{
	uint64_t packets, bytes;
	json_t *pairs, *row;

	if (!ofproto_mirror_stats(bridge->ofproto, cfg->name, &packets, &bytes))
		return;
	pairs = json_array();
	set_counter(pairs, "tx_bytes", bytes);
	set_counter(pairs, "tx_packets", packets);
	row = json_object();
	json_object_set_new(row, "statistics", json_pack("[so]", "map", pairs));
	put_row(operations, seen, "Mirror", cfg->id, row);
}

static void put_bridge(json_t *operations, struct shash *seen, const struct rc_bridge *bridge,
	bool counters)
{
	const struct model_bridge *cfg = bridge->cfg;
	struct rc_port *port;
	json_t *row = json_object();
	char dpid[17];

	snprintf(dpid, sizeof dpid, "%016" PRIx64, ofproto_datapath_id(bridge->ofproto));
	json_object_set_new(row, "datapath_id", json_string(dpid));
	json_object_set_new(row, "datapath_version", json_string("<built-in>"));
	ovsdb_status_l2_bridge(row, bridge);
	put_row(operations, seen, "Bridge", cfg->id, row);
	for (size_t i = 0; i < cfg->controllers.n; i++)
		put_controller(operations, seen, bridge, cfg->controllers.items[i], counters);
	if (counters)
		for (size_t i = 0; i < cfg->mirrors.n; i++)
			put_mirror(operations, seen, bridge, cfg->mirrors.items[i]);
	HMAP_FOR_EACH (port, node, &bridge->ports) {
		bool has_tree = cfg->stp_enable || cfg->rstp_enable;
		struct rc_iface **iface;

		if (counters || has_tree || port->has_tree_status) {
			port->has_tree_status = has_tree;
			row = json_object();
			ovsdb_status_l2_port(row, port, counters);
			put_row(operations, seen, "Port", port->cfg->id, row);
		}
		VEC_FOR_EACH (iface, &port->ifaces)
			put_interface(operations, seen, *iface, counters);
	}
}

/* ------------------------------------------------------------------ the whole */

static void put_capabilities(json_t *operations, struct shash *seen, const char *id)
{
	struct smap map = SMAP_INITIALIZER;

	for (const struct capability *c = capabilities; c->key; c++)
		smap_set(&map, c->key, c->value);
	put_row(operations, seen, "Datapath", id, json_pack("{so}", "capabilities", ovsdb_make_map(&map)));
	smap_uninit(&map);
}

/* Only if asked for: it is a lot of writing. */
static json_t *system_statistics(void)
{
	struct smap stats = SMAP_INITIALIZER;
	json_t *json;

	if (smap_get_bool(&reconcile_model()->other_config, "enable-statistics", false))
		ovsdb_status_system(&stats);
	json = ovsdb_make_map(&stats);
	smap_uninit(&stats);
	return json;
}

static void put_root(json_t *operations, struct shash *seen, const char *root, bool counters)
{
	static const char *const datapath_types[] = {"netdev", "system"};
	static const char *const iface_types[] = {"dpdk", "geneve", "gre", "internal", "ip6gre", "patch",
		"system", "tap", "vxlan"};
	json_t *row = json_object();

	json_object_set_new(row, "ovs_version", json_string("3.1.0"));
	json_object_set_new(row, "dpdk_initialized", json_boolean(dpdk_initialized));
	json_object_set_new(row, "dpdk_version", ovsdb_make_optional_string(dp_dpdk_version()));
	json_object_set_new(row, "datapath_types", ovsdb_make_set(datapath_types,
		ARRAY_SIZE(datapath_types)));
	json_object_set_new(row, "iface_types", ovsdb_make_set(iface_types, ARRAY_SIZE(iface_types)));
	if (counters)
		json_object_set_new(row, "statistics", system_statistics());
	put_row(operations, seen, "Open_vSwitch", root, row);
	for (size_t i = 0; i < reconcile_model()->datapaths.n; i++)
		put_capabilities(operations, seen, reconcile_model()->datapaths.items[i]);
}

/* Rows that are gone need not be remembered. */
static void forget_unseen(const struct shash *seen)
{
	struct shash_node *node;

	SHASH_FOR_EACH_SAFE (node, &written)
		if (!shash_find(seen, node->name))
			json_decref(shash_delete(&written, node));
}

json_t *ovsdb_status_operations(const char *root, bool counters)
{
	struct shash seen = SHASH_INITIALIZER;
	json_t *operations = json_array();
	struct rc_bridge *bridge;

	if (counters)
		dp_sweep();
	put_root(operations, &seen, root, counters);
	HMAP_FOR_EACH (bridge, node, reconcile_bridges())
		put_bridge(operations, &seen, bridge, counters);
	/* Without counters mirrors are not visited. */
	if (counters)
		forget_unseen(&seen);
	shash_uninit(&seen);
	return operations;
}

void ovsdb_status_add_cur_cfg(json_t *operations, const char *root, int64_t cur_cfg)
{
	add_update(operations, "Open_vSwitch", root, json_pack("{sI}", "cur_cfg", (json_int_t)cur_cfg));
}
