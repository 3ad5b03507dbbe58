/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/model.h"

#include <stdlib.h>

#include "lib/fatal.h"

struct model *model_create(void)
{
	struct model *model = xcalloc(1, sizeof *model);

	smap_init(&model->other_config);
	smap_init(&model->external_ids);
	return model;
}

static void interface_destroy(struct model_interface *iface)
{
	free(iface->id);
	free(iface->name);
	free(iface->type);
	free(iface->mac);
	smap_uninit(&iface->options);
	smap_uninit(&iface->other_config);
	smap_uninit(&iface->external_ids);
	smap_uninit(&iface->bfd);
	free(iface);
}

static void port_destroy(struct model_port *port)
{
	struct model_interface **iface;

	VEC_FOR_EACH (iface, &port->interfaces)
		interface_destroy(*iface);
	vec_uninit(&port->interfaces);
	free(port->id);
	free(port->name);
	free(port->trunks);
	free(port->cvlans);
	free(port->vlan_mode);
	free(port->mac);
	free(port->bond_mode);
	free(port->lacp);
	smap_uninit(&port->other_config);
	smap_uninit(&port->external_ids);
	free(port);
}

static void controller_destroy(struct model_controller *c)
{
	free(c->id);
	free(c->target);
	free(c->type);
	free(c->connection_mode);
	smap_uninit(&c->other_config);
	free(c);
}

static void mirror_destroy(struct model_mirror *m)
{
	char **name;

	VEC_FOR_EACH (name, &m->select_src_ports)
		free(*name);
	VEC_FOR_EACH (name, &m->select_dst_ports)
		free(*name);
	vec_uninit(&m->select_src_ports);
	vec_uninit(&m->select_dst_ports);
	free(m->id);
	free(m->name);
	free(m->select_vlans);
	free(m->output_port);
	free(m);
}

static void bridge_destroy(struct model_bridge *bridge)
{
	struct model_port **port;
	struct model_controller **controller;
	struct model_mirror **mirror;
	struct model_flow_table *table;
	char **text;

	VEC_FOR_EACH (port, &bridge->ports)
		port_destroy(*port);
	VEC_FOR_EACH (controller, &bridge->controllers)
		controller_destroy(*controller);
	VEC_FOR_EACH (mirror, &bridge->mirrors)
		mirror_destroy(*mirror);
	VEC_FOR_EACH (table, &bridge->flow_tables) {
		free(table->name);
		free(table->overflow_policy);
		VEC_FOR_EACH (text, &table->groups)
			free(*text);
		vec_uninit(&table->groups);
	}
	VEC_FOR_EACH (text, &bridge->protocols)
		free(*text);
	VEC_FOR_EACH (text, &bridge->flows)
		free(*text);
	vec_uninit(&bridge->ports);
	vec_uninit(&bridge->controllers);
	vec_uninit(&bridge->mirrors);
	vec_uninit(&bridge->flow_tables);
	vec_uninit(&bridge->protocols);
	vec_uninit(&bridge->flows);
	free(bridge->id);
	free(bridge->name);
	free(bridge->datapath_type);
	free(bridge->fail_mode);
	free(bridge->flood_vlans);
	free(bridge->flow_file);
	smap_uninit(&bridge->other_config);
	smap_uninit(&bridge->external_ids);
	free(bridge);
}

void model_destroy(struct model *model)
{
	struct model_bridge **bridge;

	if (!model)
		return;
	VEC_FOR_EACH (bridge, &model->bridges)
		bridge_destroy(*bridge);
	vec_uninit(&model->bridges);
	for (size_t i = 0; i < model->datapaths.n; i++)
		free(model->datapaths.items[i]);
	vec_uninit(&model->datapaths);
	for (size_t i = 0; i < model->idle_columns.n; i++)
		free(model->idle_columns.items[i]);
	vec_uninit(&model->idle_columns);
	if (model->ssl) {
		free(model->ssl->private_key);
		free(model->ssl->certificate);
		free(model->ssl->ca_cert);
		free(model->ssl);
	}
	smap_uninit(&model->other_config);
	smap_uninit(&model->external_ids);
	free(model);
}

struct model_bridge *model_add_bridge(struct model *model, const char *id, const char *name)
{
	struct model_bridge *bridge = xcalloc(1, sizeof *bridge);

	bridge->id = xstrdup(id);
	bridge->name = xstrdup(name);
	bridge->datapath_type = xstrdup("");
	smap_init(&bridge->other_config);
	smap_init(&bridge->external_ids);
	vec_push(&model->bridges, bridge);
	return bridge;
}

struct model_port *model_add_port(struct model_bridge *bridge, const char *id, const char *name)
{
	struct model_port *port = xcalloc(1, sizeof *port);

	port->id = xstrdup(id);
	port->name = xstrdup(name);
	port->tag = MODEL_UNSET;
	smap_init(&port->other_config);
	smap_init(&port->external_ids);
	vec_push(&bridge->ports, port);
	return port;
}

struct model_interface *model_add_interface(struct model_port *port, const char *id,
	const char *name)
{
	struct model_interface *iface = xcalloc(1, sizeof *iface);

	iface->id = xstrdup(id);
	iface->name = xstrdup(name);
	iface->type = xstrdup("");
	iface->ofport_request = MODEL_UNSET;
	iface->ofport = MODEL_UNSET;
	iface->mtu_request = MODEL_UNSET;
	smap_init(&iface->options);
	smap_init(&iface->other_config);
	smap_init(&iface->external_ids);
	smap_init(&iface->bfd);
	vec_push(&port->interfaces, iface);
	return iface;
}

struct model_controller *model_add_controller(struct model_bridge *bridge, const char *id,
	const char *target)
{
	struct model_controller *c = xcalloc(1, sizeof *c);

	c->id = xstrdup(id);
	c->target = xstrdup(target);
	c->max_backoff = MODEL_UNSET;
	c->inactivity_probe = MODEL_UNSET;
	c->controller_rate_limit = MODEL_UNSET;
	c->controller_burst_limit = MODEL_UNSET;
	c->enable_async_messages = true;
	smap_init(&c->other_config);
	vec_push(&bridge->controllers, c);
	return c;
}

struct model_mirror *model_add_mirror(struct model_bridge *bridge, const char *id, const char *name)
{
	struct model_mirror *m = xcalloc(1, sizeof *m);

	m->id = xstrdup(id);
	m->name = xstrdup(name);
	m->output_vlan = MODEL_UNSET;
	m->snaplen = MODEL_UNSET;
	vec_push(&bridge->mirrors, m);
	return m;
}
