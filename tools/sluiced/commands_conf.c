/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_conf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bitmap.h"
#include "lib/fatal.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile.h"
#include "tunnel/tnl_port.h"

#define N_VLANS 4096

static const char *const mode_names[] = {
	[PL_VLAN_ACCESS] = "access", [PL_VLAN_TRUNK] = "trunk", [PL_VLAN_NATIVE_TAGGED] = "native-tagged",
	[PL_VLAN_NATIVE_UNTAGGED] = "native-untagged", [PL_VLAN_DOT1Q_TUNNEL] = "dot1q-tunnel",
};

static const char *const kind_names[] = {
	[PL_PORT_DEVICE] = "device", [PL_PORT_PATCH] = "patch", [PL_PORT_TUNNEL] = "tunnel",
};

static void put_mac(struct sbuf *s, const char *key, struct eth_addr mac)
{
	sbuf_putf(s, " %s=%02x:%02x:%02x:%02x:%02x:%02x", key, mac.b[0], mac.b[1], mac.b[2], mac.b[3],
		mac.b[4], mac.b[5]);
}

/* " KEY=1-3,7"; nothing for NULL, which means all or none. */
static void put_vlans(struct sbuf *s, const char *key, const unsigned long *vlans)
{
	const char *separator = "";

	if (!vlans)
		return;
	sbuf_putf(s, " %s=", key);
	for (int i = 0; i < N_VLANS; i++) {
		int last = i;

		if (!bitmap_is_set(vlans, i))
			continue;
		while (last + 1 < N_VLANS && bitmap_is_set(vlans, last + 1))
			last++;
		sbuf_putf(s, last > i ? "%s%d-%d" : "%s%d", separator, i, last);
		separator = ",";
		i = last;
	}
}

static void put_mirrors(struct sbuf *s, const struct pl_bridge_conf *conf, const char *key, uint32_t mirrors)
{
	for (size_t i = 0; i < conf->n_mirrors; i++)
		if (mirrors & 1u << i)
			sbuf_putf(s, " %s=%s", key, conf->mirrors[i].name);
}

static void put_port(struct sbuf *s, const struct pl_bridge_conf *conf, const struct pl_port *port)
{
	const struct pl_bundle *bundle = &conf->bundles[port->bundle];

	sbuf_putf(s, "  port %s %u %s bundle=%s mode=%s vlan=%d priority-tags=%u", port->name,
		port->ofp_port == OFPP_LOCAL ? 65534 : port->ofp_port, kind_names[port->kind],
		bundle->name, mode_names[bundle->vlan_mode], bundle->vlan, bundle->priority_tags);
	put_vlans(s, "trunks", bundle->trunks);
	put_vlans(s, "cvlans", bundle->cvlans);
	put_mirrors(s, conf, "mirrored-in", bundle->src_mirrors);
	put_mirrors(s, conf, "mirrored-out", bundle->dst_mirrors);
	put_mirrors(s, conf, "mirror-output", bundle->out_mirrors);
	if (bundle->protected)
		sbuf_puts(s, " protected");
	sbuf_putf(s, " config=%#x stp=%u mtu=%u link=%s", port->config, port->stp, port->mtu,
		port->link_up ? "up" : "down");
	put_mac(s, "mac", port->mac);
	if (port->peer) {
		const struct rc_iface *peer = reconcile_iface_by_dp_port(port->peer);

		sbuf_putf(s, " peer=%s", peer ? peer->name : "?");
	}
	if (port->tunnel) {
		struct sbuf tunnel = SBUF_INITIALIZER;
		const char *settings;

		/* Its line begins with a number of the datapath. */
		tnl_port_format(port->tunnel, &tunnel);
		settings = strchr(sbuf_cstr(&tunnel), ':');
		sbuf_putf(s, " tunnel%s", settings ? settings : "");
		sbuf_uninit(&tunnel);
	}
	sbuf_putc(s, '\n');
}

static void put_controllers(struct sbuf *s, const struct rc_bridge *bridge)
{
	struct ofproto_controller_status status;

	for (size_t i = 0; i < bridge->cfg->controllers.n; i++) {
		const char *target = bridge->cfg->controllers.items[i]->target;

		status = (struct ofproto_controller_status) {.status = NULL};
		sbuf_putf(s, "  controller %s %s\n", target,
			ofproto_controller_status(bridge->ofproto, target, &status) ? "served" : "not served");
		if (status.status)
			smap_uninit(status.status);
		free(status.status);
	}
}

static int by_ofp_port(const void *a_, const void *b_)
{
	const struct pl_port *a = *(const struct pl_port *const *)a_, *b = *(const struct pl_port *const *)b_;

	return (a->ofp_port > b->ofp_port) - (a->ofp_port < b->ofp_port);
}

static void put_bridge(struct sbuf *s, const struct rc_bridge *bridge)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(ofproto_bridge(bridge->ofproto));
	const struct pl_port **ports;

	if (!conf)
		return;
	sbuf_putf(s, "bridge %s dpid=%016" PRIx64, bridge->name, ofproto_datapath_id(bridge->ofproto));
	put_mac(s, "mac", conf->mac);
	put_vlans(s, "flood-vlans", conf->flood_vlans);
	sbuf_putf(s, " vlan-limit=%u%s%s%s%s%s\n", conf->vlan_limit, conf->forward_bpdu ? " forward-bpdu" : "",
		conf->stp ? " tree" : "", conf->mcast_snooping ? " mcast-snooping" : "",
		conf->mcast_snooping && !conf->mcast_flood_unregistered ? " no-flood-unregistered" : "",
		conf->frag_drop ? " frag-drop" : "");
	put_controllers(s, bridge);
	for (size_t i = 0; i < conf->n_mirrors; i++) {
		const struct pl_mirror *m = &conf->mirrors[i];

		sbuf_putf(s, "  mirror %s%s output=%s vlan=%d snaplen=%u", m->name,
			m->select_all ? " all" : "", m->out_bundle < 0 ? "-" : conf->bundles[m->out_bundle].name,
			m->out_vlan, m->snaplen);
		put_vlans(s, "vlans", m->vlans);
		sbuf_putc(s, '\n');
	}
	ports = xcalloc(conf->n_ports + 1, sizeof *ports);
	for (size_t i = 0; i < conf->n_ports; i++)
		ports[i] = &conf->ports[i];
	if (conf->n_ports)
		qsort(ports, conf->n_ports, sizeof *ports, by_ofp_port);
	for (size_t i = 0; i < conf->n_ports; i++)
		put_port(s, conf, ports[i]);
	free(ports);
}

static void cmd_conf(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct rc_bridge *only = NULL;
	struct sbuf s = SBUF_INITIALIZER;
	struct rc_bridge **bridges;
	size_t n;

	(void)aux;
	if (argc > 1) {
		only = reconcile_bridge(argv[1]);
		if (!only) {
			unixctl_replyf_error(conn, "%s: no such bridge", argv[1]);
			return;
		}
	}
	bridges = reconcile_sorted_bridges(&n);
	for (size_t i = 0; i < n; i++)
		if (!only || bridges[i] == only)
			put_bridge(&s, bridges[i]);
	free(bridges);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

void commands_conf_init(void)
{
	unixctl_command_register("sluice/conf", "[BRIDGE]", 0, 1, cmd_conf, NULL);
}
