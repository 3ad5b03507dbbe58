/* SPDX-License-Identifier: Apache-2.0 */

/* stp_enable, rstp_enable, mcast_snooping_enable and the keys of other_config that go with them. */

#include <stdlib.h>
#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "lib/bitmap.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/sset.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile_internal.h"

LOG_MODULE(bridge);

/* Ports in the order of their names, so that numbers come out the same each time. free() it. */
static struct rc_port **sorted_ports(const struct rc_bridge *bridge, size_t *n)
{
	struct shash names = SHASH_INITIALIZER;
	struct rc_port *port, **ports;
	struct shash_node **nodes;

	HMAP_FOR_EACH (port, node, &bridge->ports)
		shash_put(&names, port->name, port);
	nodes = shash_sort(&names);
	*n = shash_count(&names);
	ports = xcalloc(*n + 1, sizeof *ports);
	for (size_t i = 0; i < *n; i++)
		ports[i] = nodes[i]->data;
	free(nodes);
	shash_uninit(&names);
	return ports;
}

/* Says so once for each text. */
static void complain(const char *name, const char *what)
{
	static struct sset said = SSET_INITIALIZER;
	struct sbuf s = SBUF_INITIALIZER;

	sbuf_putf(&s, "%s: %s", name, what);
	if (sset_add(&said, sbuf_cstr(&s)))
		log_err("%s", sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static struct eth_addr address(const struct rc_bridge *bridge, const char *key)
{
	const char *text = smap_get(&bridge->cfg->other_config, key);
	struct eth_addr mac;

	if (!text)
		return bridge->mac;
	if (!parse_mac(text, mac.b))
		return mac;
	complain(bridge->name, "invalid stp-system-id or rstp-address, using the bridge's own");
	return bridge->mac;
}

static bool is_mirror_output(const struct rc_bridge *bridge, const char *port)
{
	struct model_mirror **mirror;

	VEC_FOR_EACH (mirror, &bridge->cfg->mirrors)
		if ((*mirror)->output_port && !strcmp((*mirror)->output_port, port))
			return true;
	return false;
}

/* The one interface of PORT that may take part in a spanning tree; NULL: none. */
static struct rc_iface *tree_iface(const struct rc_port *port, const char *enable_key)
{
	struct rc_iface *iface;

	if (!smap_get_bool(&port->cfg->other_config, enable_key, true))
		return NULL;
	if (port->ifaces.n != 1) {
		if (port->ifaces.n)
			complain(port->name, "cannot enable STP on bonds, disabling");
		return NULL;
	}
	iface = port->ifaces.items[0];
	if (iface->is_local || !strcmp(iface->type, "internal") ||
		is_mirror_output(port->bridge, port->name))
		return NULL;
	return iface;
}

/* ------------------------------------------------------------------ STP */

static struct stp_settings stp_settings(const struct rc_bridge *bridge)
{
	const struct smap *other = &bridge->cfg->other_config;

	return (struct stp_settings) {
		.system_id = address(bridge, "stp-system-id"),
		.priority = (uint16_t)smap_get_uint(other, "stp-priority", STP_DEFAULT_PRIORITY),
		.hello_ms = 1000 * smap_get_uint(other, "stp-hello-time",
			STP_DEFAULT_HELLO_MS / 1000),
		.max_age_ms = 1000 * smap_get_uint(other, "stp-max-age",
			STP_DEFAULT_MAX_AGE_MS / 1000),
		.forward_delay_ms = 1000 * smap_get_uint(other, "stp-forward-delay",
			STP_DEFAULT_FORWARD_DELAY_MS / 1000),
	};
}

struct stp_numbers {
	unsigned long used[BITMAP_N_WORDS(STP_MAX_PORTS)];
	bool configured, counted;	/* Some port has a number of its own; has not. */
	unsigned int next;
};

/* False: the port has none. */
static bool choose_number(struct stp_numbers *numbers, const struct rc_port *port, unsigned int *number)
{
	const struct smap *other = &port->cfg->other_config;

	if (!smap_get(other, "stp-port-num")) {
		numbers->counted = true;
		*number = numbers->next++;
		if (*number < STP_MAX_PORTS)
			return true;
		complain(port->name, "too many STP ports, disabling");
		return false;
	}
	*number = smap_get_uint(other, "stp-port-num", 0) - 1;
	if (*number >= STP_MAX_PORTS) {
		complain(port->name, "invalid stp-port-num");
		return false;
	}
	if (bitmap_is_set(numbers->used, *number)) {
		complain(port->name, "duplicate stp-port-num, disabling");
		return false;
	}
	bitmap_set(numbers->used, *number);
	numbers->configured = true;
	return true;
}

static void configure_stp_port(struct rc_port *port, struct stp_numbers *numbers)
{
	const struct smap *other = &port->cfg->other_config;
	struct rc_iface *iface = tree_iface(port, "stp-enable");
	struct ofproto *ofproto = port->bridge->ofproto;
	struct ofproto_stp_port settings;

	if (!iface || !choose_number(numbers, port, &settings.number)) {
		for (size_t i = 0; i < port->ifaces.n; i++)
			ofproto_port_set_stp(ofproto, port->ifaces.items[i]->ofp_port, NULL);
		return;
	}
	settings.priority = (uint8_t)smap_get_uint(other, "stp-port-priority",
		STP_DEFAULT_PORT_PRIORITY);
	settings.path_cost = (uint16_t)smap_get_uint(other, "stp-path-cost",
		stp_speed_to_cost(iface->info.link_speed_mbps));
	if (iface->state == RC_RUNNING)
		ofproto_port_set_stp(ofproto, iface->ofp_port, &settings);
}

static void configure_stp(struct rc_bridge *bridge, struct rc_port *const *ports, size_t n)
{
	struct stp_settings settings = stp_settings(bridge);
	struct stp_numbers numbers = {.next = 0};

	ofproto_set_stp(bridge->ofproto, &settings);
	for (size_t i = 0; i < n; i++)
		configure_stp_port(ports[i], &numbers);
	if (numbers.configured && numbers.counted) {
		complain(bridge->name, "must manually configure all STP port IDs or none, disabling");
		ofproto_set_stp(bridge->ofproto, NULL);
	}
}

/* ------------------------------------------------------------------ RSTP */

static struct rstp_settings rstp_settings(const struct rc_bridge *bridge)
{
	const struct smap *other = &bridge->cfg->other_config;

	return (struct rstp_settings) {
		.address = address(bridge, "rstp-address"),
		.priority = smap_get_uint(other, "rstp-priority", RSTP_DEFAULT_PRIORITY),
		.version = (enum rstp_version)smap_get_uint(other, "rstp-force-protocol-version",
			RSTP_VERSION_RSTP),
		.max_age_s = smap_get_uint(other, "rstp-max-age", RSTP_DEFAULT_MAX_AGE_S),
		.forward_delay_s = smap_get_uint(other, "rstp-forward-delay",
			RSTP_DEFAULT_FORWARD_DELAY_S),
		.hold_count = smap_get_uint(other, "rstp-transmit-hold-count",
			RSTP_DEFAULT_HOLD_COUNT),
	};
}

static struct rstp_port_settings rstp_port_settings(const struct rc_port *port,
	const struct rc_iface *iface)
{
	const struct smap *other = &port->cfg->other_config;
	unsigned int number = smap_get_uint(other, "rstp-port-num", 0);

	if (number > RSTP_MAX_PORTS || (smap_get(other, "rstp-port-num") && !number))
		complain(port->name, "invalid rstp-port-num");
	return (struct rstp_port_settings) {
		.number = (uint16_t)(number <= RSTP_MAX_PORTS ? number : 0),
		.priority = (uint8_t)smap_get_uint(other, "rstp-port-priority",
			RSTP_DEFAULT_PORT_PRIORITY),
		.path_cost = smap_get_uint(other, "rstp-path-cost",
			rstp_speed_to_cost(iface->info.link_speed_mbps)),
		.p2p = (enum rstp_p2p)smap_get_uint(other, "rstp-admin-p2p-mac",
			RSTP_P2P_FORCE_TRUE),
		.admin_up = smap_get_bool(other, "rstp-admin-port-state", true),
		.admin_edge = smap_get_bool(other, "rstp-port-admin-edge", false),
		.auto_edge = smap_get_bool(other, "rstp-port-auto-edge", true),
		.mcheck = smap_get_bool(other, "rstp-port-mcheck", false),
	};
}

static void configure_rstp(struct rc_bridge *bridge, struct rc_port *const *ports, size_t n)
{
	struct rstp_settings settings = rstp_settings(bridge);

	ofproto_set_rstp(bridge->ofproto, &settings);
	for (size_t i = 0; i < n; i++) {
		struct rc_iface *iface = tree_iface(ports[i], "rstp-enable");
		struct rstp_port_settings s;

		if (iface && iface->state == RC_RUNNING) {
			s = rstp_port_settings(ports[i], iface);
			ofproto_port_set_rstp(bridge->ofproto, iface->ofp_port, &s);
		}
		for (size_t j = 0; !iface && j < ports[i]->ifaces.n; j++)
			ofproto_port_set_rstp(bridge->ofproto, ports[i]->ifaces.items[j]->ofp_port,
				NULL);
	}
}

/* ------------------------------------------------------------------ multicast snooping */

static unsigned int or_default(unsigned int value, unsigned int def)
{
	return value ? value : def;
}

static void configure_mcast(struct rc_bridge *bridge, struct rc_port *const *ports, size_t n)
{
	const struct smap *other = &bridge->cfg->other_config;
	const struct ofproto_mcast settings = {
		.idle_s = or_default(smap_get_uint(other, "mcast-snooping-aging-time", 0),
			MCAST_DEFAULT_IDLE_S),
		.max_groups = or_default(smap_get_uint(other, "mcast-snooping-table-size", 0),
			MCAST_DEFAULT_MAX),
		.flood_unregistered = !smap_get_bool(other,
			"mcast-snooping-disable-flood-unregistered", false),
	};

	if (!bridge->cfg->mcast_snooping_enable) {
		ofproto_set_mcast_snooping(bridge->ofproto, NULL);
		return;
	}
	ofproto_set_mcast_snooping(bridge->ofproto, &settings);
	for (size_t i = 0; i < n; i++) {
		const struct smap *port_other = &ports[i]->cfg->other_config;

		if (ports[i]->ifaces.n && ports[i]->ifaces.items[0]->state == RC_RUNNING)
			ofproto_port_set_mcast(bridge->ofproto,
				ports[i]->ifaces.items[0]->ofp_port,
				smap_get_bool(port_other, "mcast-snooping-flood", false),
				smap_get_bool(port_other, "mcast-snooping-flood-reports", false));
	}
}

void rc_bridge_configure_l2(struct rc_bridge *bridge)
{
	const struct model_bridge *cfg = bridge->cfg;
	struct rc_port **ports;
	size_t n;

	if (!cfg->rstp_enable && !cfg->stp_enable && !cfg->mcast_snooping_enable) {
		ofproto_set_stp(bridge->ofproto, NULL);
		ofproto_set_rstp(bridge->ofproto, NULL);
		ofproto_set_mcast_snooping(bridge->ofproto, NULL);
		return;
	}
	ports = sorted_ports(bridge, &n);
	if (cfg->rstp_enable && cfg->stp_enable)
		complain(cfg->name, "RSTP and STP are mutually exclusive but both are configured; "
			"enabling RSTP");
	if (!cfg->stp_enable || cfg->rstp_enable)
		ofproto_set_stp(bridge->ofproto, NULL);
	if (cfg->rstp_enable)
		configure_rstp(bridge, ports, n);
	else
		ofproto_set_rstp(bridge->ofproto, NULL);
	if (cfg->stp_enable && !cfg->rstp_enable)
		configure_stp(bridge, ports, n);
	configure_mcast(bridge, ports, n);
	free(ports);
}
