/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "tools/sluiced/ovsdb/ovsdb_value.h"

static const char *const root_columns[] = {"bridges", "next_cfg", "other_config", "external_ids",
	"ssl", "datapaths", NULL};
static const char *const bridge_columns[] = {"name", "datapath_type", "fail_mode", "protocols", "ports",
	"controller", "mirrors", "flow_tables", "flood_vlans", "mcast_snooping_enable", "stp_enable",
	"rstp_enable", "netflow", "sflow", "ipfix", "auto_attach", "other_config", "external_ids", NULL};
static const char *const port_columns[] = {"name", "interfaces", "tag", "trunks", "cvlans", "vlan_mode",
	"protected", "bond_mode", "lacp", "qos", "mac", "bond_fake_iface", "other_config", "external_ids", NULL};
static const char *const interface_columns[] = {"name", "type", "options", "other_config",
	"external_ids", "bfd", "cfm_mpid", "lldp", "ofport_request", "mac", "mtu_request", "ingress_policing_rate",
	"ingress_policing_burst", "ingress_policing_kpkts_rate", "ingress_policing_kpkts_burst", NULL};
static const char *const interface_once[] = {"ofport", NULL};
static const char *const controller_columns[] = {"target", "type", "connection_mode", "max_backoff",
	"inactivity_probe", "controller_rate_limit", "controller_burst_limit", "enable_async_messages",
	"controller_queue_size", "local_ip", "other_config", NULL};
static const char *const mirror_columns[] = {"name", "select_all", "select_src_port", "select_dst_port",
	"select_vlan", "output_port", "output_vlan", "snaplen", NULL};
static const char *const flow_table_columns[] = {"name", "flow_limit", "overflow_policy", "groups",
	"prefixes", NULL};
static const char *const ssl_columns[] = {"private_key", "certificate", "ca_cert", "bootstrap_ca_cert",
	NULL};

static const char *const datapath_columns[] = {"datapath_version", NULL};

const struct ovsdb_table_spec ovsdb_model_tables[] = {
	{"Open_vSwitch", root_columns, NULL},
	{"Bridge", bridge_columns, NULL},
	{"Port", port_columns, NULL},
	{"Interface", interface_columns, interface_once},
	{"Controller", controller_columns, NULL},
	{"Mirror", mirror_columns, NULL},
	{"Flow_Table", flow_table_columns, NULL},
	{"SSL", ssl_columns, NULL},
	{"Datapath", datapath_columns, NULL},
	{NULL, NULL, NULL},
};

/* Columns of those that nothing here reads but to tell of it. */
static const char *const idle_bridge[] = {"auto_attach", NULL};
static const char *const idle_port[] = {"bond_fake_iface", NULL};
static const char *const idle_interface[] = {"cfm_mpid", "lldp", NULL};
static const char *const idle_controller[] = {"controller_queue_size", "local_ip", NULL};
static const char *const idle_table[] = {"prefixes", NULL};

/* Not set: an empty set or map, false. */
static bool is_empty(const json_t *value)
{
	if (!value || json_is_false(value))
		return true;
	return json_is_array(value) && json_array_size(value) == 2 &&
		json_is_array(json_array_get(value, 1)) && !json_array_size(json_array_get(value, 1));
}

static void note_idle(struct model *model, const char *kind, const char *name, const json_t *row,
	const char *const *columns)
{
	for (; *columns; columns++)
		if (!is_empty(json_object_get(row, *columns)))
			vec_push(&model->idle_columns, xasprintf("%s %s: %s", kind, name, *columns));
}

static void set_text(char **dst, const char *src)
{
	if (!src)
		return;
	free(*dst);
	*dst = xstrdup(src);
}

static void read_interface(const json_t *row, const char *uuid, struct model_port *port,
	struct model *model)
{
	const char *name = ovsdb_get_string(row, "name");
	struct model_interface *iface;

	if (!name)
		return;
	iface = model_add_interface(port, uuid, name);
	set_text(&iface->type, ovsdb_get_string(row, "type"));
	set_text(&iface->mac, ovsdb_get_string(row, "mac"));
	iface->ofport_request = ovsdb_get_int(row, "ofport_request", MODEL_UNSET);
	iface->ofport = ovsdb_get_int(row, "ofport", MODEL_UNSET);
	iface->mtu_request = ovsdb_get_int(row, "mtu_request", MODEL_UNSET);
	iface->ingress_policing_rate = ovsdb_get_int(row, "ingress_policing_rate", 0);
	iface->ingress_policing_burst = ovsdb_get_int(row, "ingress_policing_burst", 0);
	iface->ingress_policing_kpkts_rate = ovsdb_get_int(row, "ingress_policing_kpkts_rate", 0);
	iface->ingress_policing_kpkts_burst = ovsdb_get_int(row, "ingress_policing_kpkts_burst", 0);
	ovsdb_get_map(row, "options", &iface->options);
	ovsdb_get_map(row, "other_config", &iface->other_config);
	ovsdb_get_map(row, "external_ids", &iface->external_ids);
	ovsdb_get_map(row, "bfd", &iface->bfd);
	note_idle(model, "interface", name, row, idle_interface);
}

static void read_port(const struct ovsdb_client *c, const json_t *row, const char *uuid,
	struct model_bridge *bridge, struct model *model)
{
	const char *name = ovsdb_get_string(row, "name");
	const json_t *interfaces = json_object_get(row, "interfaces");
	struct model_port *port;

	if (!name)
		return;
	port = model_add_port(bridge, uuid, name);
	port->tag = ovsdb_get_int(row, "tag", MODEL_UNSET);
	port->trunks = ovsdb_get_vlans(row, "trunks");
	port->cvlans = ovsdb_get_vlans(row, "cvlans");
	port->protected = ovsdb_get_bool(row, "protected", false);
	port->has_qos = ovsdb_get_uuid(row, "qos") != NULL;
	set_text(&port->vlan_mode, ovsdb_get_string(row, "vlan_mode"));
	set_text(&port->mac, ovsdb_get_string(row, "mac"));
	set_text(&port->bond_mode, ovsdb_get_string(row, "bond_mode"));
	set_text(&port->lacp, ovsdb_get_string(row, "lacp"));
	ovsdb_get_map(row, "other_config", &port->other_config);
	ovsdb_get_map(row, "external_ids", &port->external_ids);
	note_idle(model, "port", name, row, idle_port);
	for (size_t i = 0; i < ovsdb_set_size(interfaces); i++) {
		const char *id = ovsdb_uuid(ovsdb_set_get(interfaces, i));
		const json_t *interface = ovsdb_client_row(c, "Interface", id);

		if (interface)
			read_interface(interface, id, port, model);
	}
}

static void read_controller(const json_t *row, const char *uuid, struct model_bridge *bridge,
	struct model *model)
{
	const char *target = ovsdb_get_string(row, "target");
	struct model_controller *ctl;

	if (!target)
		return;
	ctl = model_add_controller(bridge, uuid, target);
	set_text(&ctl->type, ovsdb_get_string(row, "type"));
	set_text(&ctl->connection_mode, ovsdb_get_string(row, "connection_mode"));
	ctl->max_backoff = ovsdb_get_int(row, "max_backoff", MODEL_UNSET);
	ctl->inactivity_probe = ovsdb_get_int(row, "inactivity_probe", MODEL_UNSET);
	ctl->controller_rate_limit = ovsdb_get_int(row, "controller_rate_limit", MODEL_UNSET);
	ctl->controller_burst_limit = ovsdb_get_int(row, "controller_burst_limit", MODEL_UNSET);
	ctl->enable_async_messages = ovsdb_get_bool(row, "enable_async_messages", true);
	ovsdb_get_map(row, "other_config", &ctl->other_config);
	note_idle(model, "controller", target, row, idle_controller);
}

static const char *port_name(const struct ovsdb_client *c, const char *uuid)
{
	return ovsdb_get_string(ovsdb_client_row(c, "Port", uuid), "name");
}

static void read_mirror(const struct ovsdb_client *c, const json_t *row, const char *uuid,
	struct model_bridge *bridge)
{
	const char *name = ovsdb_get_string(row, "name");
	const json_t *src = json_object_get(row, "select_src_port");
	const json_t *dst = json_object_get(row, "select_dst_port");
	struct model_mirror *mirror = model_add_mirror(bridge, uuid, name ? name : uuid);
	const char *port;

	mirror->select_all = ovsdb_get_bool(row, "select_all", false);
	mirror->select_vlans = ovsdb_get_vlans(row, "select_vlan");
	mirror->output_vlan = ovsdb_get_int(row, "output_vlan", MODEL_UNSET);
	mirror->snaplen = ovsdb_get_int(row, "snaplen", MODEL_UNSET);
	set_text(&mirror->output_port, port_name(c, ovsdb_get_uuid(row, "output_port")));
	for (size_t i = 0; i < ovsdb_set_size(src); i++)
		if ((port = port_name(c, ovsdb_uuid(ovsdb_set_get(src, i)))))
			vec_push(&mirror->select_src_ports, xstrdup(port));
	for (size_t i = 0; i < ovsdb_set_size(dst); i++)
		if ((port = port_name(c, ovsdb_uuid(ovsdb_set_get(dst, i)))))
			vec_push(&mirror->select_dst_ports, xstrdup(port));
}

/* Bridge.flow_tables: a map from table number to a row's UUID. */
static void read_flow_tables(const struct ovsdb_client *c, const json_t *row,
	struct model_bridge *bridge, struct model *model)
{
	const json_t *pairs = json_array_get(json_object_get(row, "flow_tables"), 1);

	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		const json_t *table = ovsdb_client_row(c, "Flow_Table",
			ovsdb_uuid(json_array_get(pair, 1)));
		struct model_flow_table *t;
		const json_t *groups;

		if (!table)
			continue;
		t = vec_push_zero(&bridge->flow_tables);
		t->table_id = json_integer_value(json_array_get(pair, 0));
		t->flow_limit = ovsdb_get_int(table, "flow_limit", MODEL_UNSET);
		set_text(&t->name, ovsdb_get_string(table, "name"));
		set_text(&t->overflow_policy, ovsdb_get_string(table, "overflow_policy"));
		groups = json_object_get(table, "groups");
		for (size_t j = 0; j < ovsdb_set_size(groups); j++) {
			const char *text = json_string_value(ovsdb_set_get(groups, j));

			if (text)
				vec_push(&t->groups, xstrdup(text));
		}
		note_idle(model, "flow table of", bridge->name, table, idle_table);
	}
}

static void read_bridge(const struct ovsdb_client *c, const json_t *row, const char *uuid,
	struct model *model)
{
	const char *name = ovsdb_get_string(row, "name");
	const json_t *protocols = json_object_get(row, "protocols");
	const json_t *ports = json_object_get(row, "ports");
	const json_t *controllers = json_object_get(row, "controller");
	const json_t *mirrors = json_object_get(row, "mirrors");
	struct model_bridge *bridge;

	if (!name)
		return;
	bridge = model_add_bridge(model, uuid, name);
	set_text(&bridge->datapath_type, ovsdb_get_string(row, "datapath_type"));
	set_text(&bridge->fail_mode, ovsdb_get_string(row, "fail_mode"));
	bridge->flood_vlans = ovsdb_get_vlans(row, "flood_vlans");
	bridge->mcast_snooping_enable = ovsdb_get_bool(row, "mcast_snooping_enable", false);
	bridge->stp_enable = ovsdb_get_bool(row, "stp_enable", false);
	bridge->rstp_enable = ovsdb_get_bool(row, "rstp_enable", false);
	bridge->has_netflow = ovsdb_get_uuid(row, "netflow") != NULL;
	bridge->has_sflow = ovsdb_get_uuid(row, "sflow") != NULL;
	bridge->has_ipfix = ovsdb_get_uuid(row, "ipfix") != NULL;
	ovsdb_get_map(row, "other_config", &bridge->other_config);
	ovsdb_get_map(row, "external_ids", &bridge->external_ids);
	note_idle(model, "bridge", name, row, idle_bridge);
	read_flow_tables(c, row, bridge, model);
	for (size_t i = 0; i < ovsdb_set_size(protocols); i++) {
		const char *text = json_string_value(ovsdb_set_get(protocols, i));

		if (text)
			vec_push(&bridge->protocols, xstrdup(text));
	}
	for (size_t i = 0; i < ovsdb_set_size(ports); i++) {
		const char *id = ovsdb_uuid(ovsdb_set_get(ports, i));
		const json_t *port = ovsdb_client_row(c, "Port", id);

		if (port)
			read_port(c, port, id, bridge, model);
	}
	for (size_t i = 0; i < ovsdb_set_size(controllers); i++) {
		const char *id = ovsdb_uuid(ovsdb_set_get(controllers, i));
		const json_t *controller = ovsdb_client_row(c, "Controller", id);

		if (controller)
			read_controller(controller, id, bridge, model);
	}
	for (size_t i = 0; i < ovsdb_set_size(mirrors); i++) {
		const char *id = ovsdb_uuid(ovsdb_set_get(mirrors, i));
		const json_t *mirror = ovsdb_client_row(c, "Mirror", id);

		if (mirror)
			read_mirror(c, mirror, id, bridge);
	}
}

static void read_ssl(const struct ovsdb_client *c, const json_t *root, struct model *model)
{
	const json_t *row = ovsdb_client_row(c, "SSL", ovsdb_get_uuid(root, "ssl"));

	if (!row)
		return;
	model->ssl = xcalloc(1, sizeof *model->ssl);
	set_text(&model->ssl->private_key, ovsdb_get_string(row, "private_key"));
	set_text(&model->ssl->certificate, ovsdb_get_string(row, "certificate"));
	set_text(&model->ssl->ca_cert, ovsdb_get_string(row, "ca_cert"));
	model->ssl->bootstrap_ca_cert = ovsdb_get_bool(row, "bootstrap_ca_cert", false);
}

static void read_datapaths(const json_t *root, struct model *model)
{
	const json_t *pairs = json_array_get(json_object_get(root, "datapaths"), 1);

	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const char *id = ovsdb_uuid(json_array_get(json_array_get(pairs, i), 1));

		if (id)
			vec_push(&model->datapaths, xstrdup(id));
	}
}

const char *ovsdb_model_root(const struct ovsdb_client *c)
{
	const struct shash *rows = ovsdb_client_rows(c, "Open_vSwitch");
	struct shash_node *node;

	SHASH_FOR_EACH (node, rows)
		return node->name;
	return NULL;
}

struct model *ovsdb_model_read(const struct ovsdb_client *c)
{
	const json_t *root = ovsdb_client_row(c, "Open_vSwitch", ovsdb_model_root(c));
	const json_t *bridges = json_object_get(root, "bridges");
	struct model *model;

	model = model_create();
	model->next_cfg = ovsdb_get_int(root, "next_cfg", 0);
	ovsdb_get_map(root, "other_config", &model->other_config);
	ovsdb_get_map(root, "external_ids", &model->external_ids);
	read_ssl(c, root, model);
	read_datapaths(root, model);
	for (size_t i = 0; i < ovsdb_set_size(bridges); i++) {
		const char *id = ovsdb_uuid(ovsdb_set_get(bridges, i));
		const json_t *bridge = ovsdb_client_row(c, "Bridge", id);

		if (bridge)
			read_bridge(c, bridge, id, model);
	}
	return model;
}
