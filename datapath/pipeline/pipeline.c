/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/pipeline.h"

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "datapath/pipeline/meter.h"
#include "lib/fatal.h"

struct pipeline pipeline;

/* Ids go round, so that one is not soon used again. */
static bool claim_id(struct pl_bridge *bridge)
{
	static uint32_t next;

	for (uint32_t i = 0; i < PL_MAX_BRIDGES; i++) {
		uint32_t id = (next + i) % PL_MAX_BRIDGES;

		if (!rcu_get_protected(&pipeline.bridges[id])) {
			bridge->id = id;
			next = id + 1;
			return true;
		}
	}
	return false;
}

struct pl_bridge *pl_bridge_create(const char *name)
{
	struct pl_bridge *bridge = xcalloc(1, sizeof *bridge);

	if (!claim_id(bridge)) {
		free(bridge);
		return NULL;
	}
	bridge->name = xstrdup(name);
	rcu_set_hidden(&bridge->conf, pl_bridge_conf_create());
	for (int i = 0; i < PL_N_TABLES; i++) {
		bridge->tables[i].cls = classifier_create();
		bridge->tables[i].miss_counter = counter_alloc();
	}
	bridge->fdb = fdb_create(bridge->id);
	cmap_init(&bridge->groups);
	cmap_init(&bridge->meters);
	rcu_set(&pipeline.bridges[bridge->id], bridge);
	return bridge;
}

/* After a grace period: no reader holds the bridge. */
static void free_bridge(void *bridge_)
{
	struct pl_bridge *bridge = bridge_;

	for (int i = 0; i < PL_N_TABLES; i++) {
		classifier_destroy(bridge->tables[i].cls);
		counter_free(bridge->tables[i].miss_counter);
	}
	fdb_destroy(bridge->fdb);
	cmap_uninit(&bridge->groups);
	cmap_uninit(&bridge->meters);
	pl_bridge_conf_destroy(rcu_get_protected(&bridge->conf));
	free(bridge->name);
	free(bridge);
}

static void remove_meters(struct pl_bridge *bridge)
{
	struct pl_meter *meter;

	CMAP_FOR_EACH (meter, node, &bridge->meters)
		pl_meter_remove(bridge, meter->id);
}

void pl_bridge_destroy(struct pl_bridge *bridge)
{
	if (!bridge)
		return;
	pl_bridge_set_conf(bridge, pl_bridge_conf_create());
	remove_meters(bridge);
	rcu_set(&pipeline.bridges[bridge->id], NULL);
	dep_bump(dep_bridge(bridge->id));
	for (int i = 0; i < PL_N_TABLES; i++)
		dep_bump(dep_table(bridge->id, (uint8_t)i));
	rcu_defer(free_bridge, bridge);
}

const struct pl_port *pl_port_from_ofp(const struct pl_bridge_conf *conf, ofp_port_t port)
{
	if (port == OFPP_LOCAL)
		return conf->local;
	return port < conf->by_ofp_port_len ? conf->by_ofp_port[port] : NULL;
}

const struct pl_port *pl_port_get(dp_port_t dp_port)
{
	return dp_port < PL_MAX_PORTS ? rcu_get(&pipeline.ports[dp_port]) : NULL;
}
