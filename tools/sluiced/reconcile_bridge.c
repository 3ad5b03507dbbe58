/* SPDX-License-Identifier: Apache-2.0 */

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bitmap.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile_internal.h"

LOG_MODULE(bridge);

static const struct {
	const char *name;
	int version;
} protocol_names[] = {
	{"OpenFlow10", 1}, {"OpenFlow11", 2}, {"OpenFlow12", 3},
	{"OpenFlow13", 4}, {"OpenFlow14", 5}, {"OpenFlow15", 6},
};

static uint32_t protocols(const struct model_bridge *cfg)
{
	uint32_t versions = 0;
	char **name;

	VEC_FOR_EACH (name, &cfg->protocols)
		for (size_t i = 0; i < ARRAY_SIZE(protocol_names); i++)
			if (!strcmp(*name, protocol_names[i].name))
				versions |= 1u << protocol_names[i].version;
	return versions;
}

static int or_default(int64_t value, int def)
{
	return value == MODEL_UNSET ? def : (int)value;
}

static bool is_service(const struct model_controller *c)
{
	if (c->type)
		return !strcmp(c->type, "service");
	return c->target[0] == 'p' && strncmp(c->target, "pipe", 4);
}

#define DEFAULT_DSCP 48	/* Network control: ovs-vswitchd.conf.db(5), Controller. */

static int controller_dscp(const struct model_controller *c)
{
	unsigned int dscp = smap_get_uint(&c->other_config, "dscp", DEFAULT_DSCP);

	return dscp < 64 ? (int)dscp : DEFAULT_DSCP;
}

static void configure_controllers(struct rc_bridge *bridge)
{
	const struct model_bridge *cfg = bridge->cfg;
	bool in_band = !smap_get_bool(&cfg->other_config, "disable-in-band", false);
	struct ofproto_controller *list = xcalloc(cfg->controllers.n, sizeof *list);

	for (size_t i = 0; i < cfg->controllers.n; i++) {
		const struct model_controller *c = cfg->controllers.items[i];

		list[i] = (struct ofproto_controller) {
			.target = c->target,
			.in_band = in_band &&
				(!c->connection_mode || strcmp(c->connection_mode, "out-of-band")),
			.dscp = controller_dscp(c),
			.max_backoff_ms = or_default(c->max_backoff, 8000),
			.probe_interval_ms = or_default(c->inactivity_probe, 5000),
			.rate_limit = or_default(c->controller_rate_limit, 0),
			.burst_limit = or_default(c->controller_burst_limit, 0),
			.async_msgs = c->enable_async_messages,
			.service = is_service(c),
		};
	}
	ofproto_set_controllers(bridge->ofproto, list, cfg->controllers.n);
	free(list);
}

static void configure_tables(struct rc_bridge *bridge)
{
	struct ofproto_table_conf confs[PL_N_TABLES];
	const struct model_flow_table *table;

	/* Those without a row, or whose row has gone. */
	for (unsigned int i = 0; i < PL_N_TABLES; i++)
		confs[i] = (struct ofproto_table_conf){.flow_limit = UINT32_MAX};
	VEC_FOR_EACH (table, &bridge->cfg->flow_tables)
		if (table->table_id >= 0 && table->table_id < PL_N_TABLES)
			confs[table->table_id] = (struct ofproto_table_conf){
				.name = table->name,
				.flow_limit = table->flow_limit == MODEL_UNSET ? UINT32_MAX
									       : table->flow_limit,
				.evict = table->overflow_policy && !strcmp(table->overflow_policy, "evict"),
				.groups = table->groups.items,
				.n_groups = table->groups.n,
			};
	for (unsigned int i = 0; i < PL_N_TABLES - 1; i++)
		ofproto_set_table(bridge->ofproto, (uint8_t)i, &confs[i]);
}

void rc_bridge_configure(struct rc_bridge *bridge, const struct model *model)
{
	const struct model_bridge *cfg = bridge->cfg;
	const struct smap *other = &cfg->other_config;
	struct ofproto *ofproto = bridge->ofproto;
	const char *dp_desc = smap_get(other, "dp-desc");

	ofproto_set_protocols(ofproto, protocols(cfg));
	ofproto_set_fail_mode(ofproto, cfg->fail_mode && !strcmp(cfg->fail_mode, "secure")
		? OFPROTO_FAIL_SECURE : OFPROTO_FAIL_STANDALONE);
	ofproto_set_forward_bpdu(ofproto, smap_get_bool(other, "forward-bpdu", false));
	ofproto_set_mac_aging(ofproto, smap_get_uint(other, "mac-aging-time", 300),
		smap_get_uint(other, "mac-table-size", 8192));
	ofproto_set_flood_vlans(ofproto, cfg->flood_vlans);
	ofproto_set_desc(ofproto, smap_get(other, "dp-mfr"), smap_get(other, "dp-hw"),
		smap_get(other, "dp-sw"), smap_get(other, "dp-sn"), dp_desc);
	ofproto_set_vlan_limit(smap_get_uint(&model->other_config, "vlan-limit", 1));
	ofproto_set_bundle_idle((uint32_t)smap_get_uint(&model->other_config, "bundle-idle-timeout", 10));
	configure_tables(bridge);
	configure_controllers(bridge);
	bridge->needs_commit = true;
}

static bool usable_mac(struct eth_addr mac)
{
	static const struct eth_addr zero;

	return !(mac.b[0] & 1) && memcmp(&mac, &zero, sizeof zero);
}

static bool is_mirror_output(const struct rc_bridge *bridge, const struct rc_port *port)
{
	struct model_mirror **mirror;

	VEC_FOR_EACH (mirror, &bridge->cfg->mirrors)
		if ((*mirror)->output_port && !strcmp((*mirror)->output_port, port->cfg->name))
			return true;
	return false;
}

/* What the configuration says, or the address of the device whose name comes first; and the port's number. */
static bool port_mac(const struct rc_port *port, struct eth_addr *mac, ofp_port_t *number)
{
	struct rc_iface *const *iface, *first = NULL;

	VEC_FOR_EACH (iface, &port->ifaces)
		if (!(*iface)->is_local && (*iface)->kind == PL_PORT_DEVICE && (*iface)->state == RC_RUNNING &&
			(!first || strcmp((*iface)->name, first->name) < 0))
			first = *iface;
	*number = first ? first->ofp_port : OFPP_NONE;
	if (port->cfg->mac && !parse_mac(port->cfg->mac, mac->b))
		return true;
	if (first)
		*mac = first->info.mac;
	return first != NULL;
}

/*
 * The MAC the configuration asks for, or the lowest of the bridge's ports, or one made up that stays the same
 * over restarts. Locally administered addresses count, if there are no others, by the number of the port: guests
 * come and go, and an uplink is there before them. It must have its say, for the kernel answers ARP for the
 * bridge's addresses on the uplink, too, with the uplink's own.
 */
static struct eth_addr pick_mac(const struct rc_bridge *bridge)
{
	const char *text = smap_get(&bridge->cfg->other_config, "hwaddr");
	struct eth_addr best = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, local, mac;
	ofp_port_t local_number = OFPP_NONE, number;
	struct rc_port *port;
	uint64_t id;

	if (text && !parse_mac(text, mac.b) && usable_mac(mac))
		return mac;
	HMAP_FOR_EACH (port, node, &bridge->ports) {
		if (is_mirror_output(bridge, port) || !port_mac(port, &mac, &number) || !usable_mac(mac))
			continue;
		if (!(mac.b[0] & 2)) {
			if (memcmp(&mac, &best, sizeof best) < 0)
				best = mac;
		} else if (number < local_number) {
			local = mac;
			local_number = number;
		}
	}
	if (best.b[0] != 0xff)
		return best;
	if (local_number != OFPP_NONE)
		return local;
	id = hash_string(bridge->cfg->id, 1) | (uint64_t)hash_string(bridge->name, 2) << 32;
	memcpy(best.b, &id, sizeof best.b);
	best.b[0] = (best.b[0] & 0xfc) | 2;
	return best;
}

void rc_bridge_update_mac(struct rc_bridge *bridge)
{
	const char *text = smap_get(&bridge->cfg->other_config, "datapath-id");
	struct rc_iface *local = rc_iface_find(bridge->name);
	uint64_t dpid = 0;

	bridge->mac = pick_mac(bridge);
	ofproto_set_hwaddr(bridge->ofproto, bridge->mac);
	if (local && local->state == RC_RUNNING && local->is_local && !local->cfg->mac &&
		memcmp(&local->info.mac, &bridge->mac, sizeof bridge->mac))
		dp_port_set_mac(local->dp_port, bridge->mac);
	if (text) {
		char *end;

		dpid = strtoull(text, &end, 16);
		if (*end)
			dpid = 0;
	}
	if (!dpid)
		for (int i = 0; i < 6; i++)
			dpid = dpid << 8 | bridge->mac.b[i];
	ofproto_set_datapath_id(bridge->ofproto, dpid);
}

/* Says which MTU internal ports get that have no mtu_request: the smallest of the others. */
static uint32_t internal_mtu(const struct rc_bridge *bridge)
{
	struct rc_port *port;
	uint32_t mtu = 0;

	HMAP_FOR_EACH (port, node, &bridge->ports) {
		struct rc_iface **iface;

		VEC_FOR_EACH (iface, &port->ifaces) {
			const struct rc_iface *i = *iface;

			if (i->kind != PL_PORT_DEVICE || i->state != RC_RUNNING || !i->info.mtu ||
				(!strcmp(i->type, "internal") && i->cfg->mtu_request == MODEL_UNSET))
				continue;
			if (!mtu || i->info.mtu < mtu)
				mtu = i->info.mtu;
		}
	}
	return mtu ? mtu : 1500;
}

void rc_bridge_update_mtu(struct rc_bridge *bridge)
{
	uint32_t mtu = internal_mtu(bridge);
	struct rc_port *port;

	HMAP_FOR_EACH (port, node, &bridge->ports) {
		struct rc_iface **iface;

		VEC_FOR_EACH (iface, &port->ifaces)
			if (!strcmp((*iface)->type, "internal") && (*iface)->state == RC_RUNNING &&
				(*iface)->cfg->mtu_request == MODEL_UNSET && (*iface)->info.mtu != mtu)
				dp_port_set_mtu((*iface)->dp_port, mtu);
	}
}

static enum pl_vlan_mode vlan_mode(const struct model_port *cfg)
{
	const char *mode = cfg->vlan_mode;

	if (!mode)
		return cfg->tag != MODEL_UNSET ? PL_VLAN_ACCESS : PL_VLAN_TRUNK;
	if (!strcmp(mode, "access"))
		return PL_VLAN_ACCESS;
	if (!strcmp(mode, "native-tagged"))
		return PL_VLAN_NATIVE_TAGGED;
	if (!strcmp(mode, "native-untagged"))
		return PL_VLAN_NATIVE_UNTAGGED;
	if (!strcmp(mode, "dot1q-tunnel"))
		return PL_VLAN_DOT1Q_TUNNEL;
	return PL_VLAN_TRUNK;
}

static enum pl_priority_tags priority_tags(const struct model_port *cfg)
{
	const char *text = smap_get_def(&cfg->other_config, "priority-tags", "");

	if (!strcmp(text, "true") || !strcmp(text, "if-nonzero"))
		return PL_PRIORITY_TAGS_IF_NONZERO;
	return strcmp(text, "always") ? PL_PRIORITY_TAGS_NEVER : PL_PRIORITY_TAGS_ALWAYS;
}

void rc_port_configure(struct rc_port *port)
{
	const struct model_port *cfg = port->cfg;
	ofp_port_t *members = xcalloc(port->ifaces.n, sizeof *members);
	struct ofproto_bundle bundle = {
		.name = port->name,
		.ports = members,
		.vlan_mode = vlan_mode(cfg),
		.priority_tags = priority_tags(cfg),
		.vlan = cfg->tag == MODEL_UNSET ? -1 : (int)cfg->tag,
		.trunks = cfg->trunks,
		.cvlans = cfg->cvlans,
		.qinq_ethtype = htobe16(strcmp(smap_get_def(&cfg->other_config, "qinq-ethtype", ""),
			"802.1q") ? 0x88a8 : 0x8100),
		.protected = cfg->protected,
	};

	for (size_t i = 0; i < port->ifaces.n; i++)
		if (port->ifaces.items[i]->state == RC_RUNNING)
			members[bundle.n_ports++] = port->ifaces.items[i]->ofp_port;
	/* What an access port has no use for must not make it one that has changed. */
	if (bundle.vlan_mode == PL_VLAN_ACCESS)
		bundle.trunks = NULL;
	/* A trunk's or dot1q-tunnel's default VLAN. */
	if (bundle.vlan_mode == PL_VLAN_TRUNK)
		bundle.vlan = -1;
	else if (bundle.vlan < 0)
		bundle.vlan = 0;
	if (bundle.n_ports)
		ofproto_bundle_set(port->bridge->ofproto, &bundle);
	else
		ofproto_bundle_remove(port->bridge->ofproto, port->name);
	port->bridge->needs_commit = true;
	free(members);
}

void rc_bridge_configure_mirrors(struct rc_bridge *bridge)
{
	const struct model_bridge *cfg = bridge->cfg;
	struct ofproto_mirror *list = xcalloc(cfg->mirrors.n, sizeof *list);

	for (size_t i = 0; i < cfg->mirrors.n; i++) {
		const struct model_mirror *m = cfg->mirrors.items[i];

		list[i] = (struct ofproto_mirror) {
			.name = m->name,
			.select_all = m->select_all,
			.src_ports = (const char *const *)m->select_src_ports.items,
			.n_src = m->select_src_ports.n,
			.dst_ports = (const char *const *)m->select_dst_ports.items,
			.n_dst = m->select_dst_ports.n,
			.vlans = m->select_vlans,
			.output_port = m->output_port,
			.output_vlan = (int)m->output_vlan,
			.snaplen = m->snaplen == MODEL_UNSET ? 0 : (uint16_t)m->snaplen,
		};
	}
	ofproto_set_mirrors(bridge->ofproto, list, cfg->mirrors.n);
	free(list);
}

static void load_flow(struct rc_bridge *bridge, const char *text)
{
	char *error;

	if (ofproto_add_flow_text(bridge->ofproto, text, &error)) {
		log_err("bridge %s: flow '%s': %s", bridge->name, text, error);
		free(error);
	}
}

static void load_flow_file(struct rc_bridge *bridge)
{
	FILE *file = fopen(bridge->cfg->flow_file, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		log_err("bridge %s: %s: %s", bridge->name, bridge->cfg->flow_file, strerror(errno));
		return;
	}
	while (getline(&line, &size, file) >= 0) {
		char *comment = strchr(line, '#');

		if (comment)
			*comment = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		if (line[strspn(line, " \t")])
			load_flow(bridge, line);
	}
	free(line);
	fclose(file);
}

void rc_bridge_load_flows(struct rc_bridge *bridge)
{
	char **text;

	if (bridge->flows_loaded)
		return;
	bridge->flows_loaded = true;
	VEC_FOR_EACH (text, &bridge->cfg->flows)
		load_flow(bridge, *text);
	if (bridge->cfg->flow_file)
		load_flow_file(bridge);
}
