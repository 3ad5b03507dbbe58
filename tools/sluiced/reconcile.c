/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "tools/sluiced/reconcile_internal.h"
#include "tools/sluiced/restart.h"
#include "tools/sluiced/unbuilt.h"

LOG_MODULE(bridge);

static struct hmap bridges = HMAP_INITIALIZER;
static struct model *current;
static uint64_t generation;
static bool settled = true;

void rc_changed(void)
{
	generation++;
}

uint64_t reconcile_generation(void)
{
	return generation + ofproto_tree_changes();
}

const struct model *reconcile_model(void)
{
	return current;
}

struct hmap *reconcile_bridges(void)
{
	return &bridges;
}

static int compare_bridges(const void *a, const void *b)
{
	return strcmp((*(struct rc_bridge *const *)a)->name, (*(struct rc_bridge *const *)b)->name);
}

struct rc_bridge **reconcile_sorted_bridges(size_t *n)
{
	struct rc_bridge *bridge, **list = xcalloc(hmap_count(&bridges) + 1, sizeof *list);

	*n = 0;
	HMAP_FOR_EACH (bridge, node, &bridges)
		list[(*n)++] = bridge;
	qsort(list, *n, sizeof *list, compare_bridges);
	return list;
}

struct rc_iface *reconcile_iface(const char *name)
{
	return rc_iface_find(name);
}

struct rc_bridge *reconcile_bridge(const char *name)
{
	struct rc_bridge *bridge;

	HMAP_FOR_EACH_WITH_HASH (bridge, node, hash_string(name, 0), &bridges)
		if (!strcmp(bridge->name, name))
			return bridge;
	return NULL;
}

static struct rc_port *port_find(struct rc_bridge *bridge, const char *name)
{
	struct rc_port *port;

	HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(name, 0), &bridge->ports)
		if (!strcmp(port->name, name))
			return port;
	return NULL;
}

static void port_destroy(struct rc_port *port)
{
	while (port->ifaces.n)
		rc_iface_remove(port->ifaces.items[port->ifaces.n - 1]);
	vec_uninit(&port->ifaces);
	ofproto_bundle_remove(port->bridge->ofproto, port->name);
	port->bridge->needs_commit = true;
	hmap_remove(&port->bridge->ports, &port->node);
	free(port->name);
	free(port);
}

static void bridge_destroy(struct rc_bridge *bridge, bool del)
{
	struct rc_port *port;

	HMAP_FOR_EACH_SAFE (port, node, &bridge->ports)
		port_destroy(port);
	hmap_uninit(&bridge->ports);
	hmap_remove(&bridges, &bridge->node);
	ofproto_destroy(bridge->ofproto, del);
	rc_iface_give_back();
	free(bridge->name);
	free(bridge);
	rc_changed();
}

/* Ports that have a number in the database keep it, whoever is added first. */
static void expect_ports(struct ofproto *ofproto, const struct model_bridge *cfg)
{
	struct model_port **port;
	struct model_interface **iface;

	VEC_FOR_EACH (port, &cfg->ports)
		VEC_FOR_EACH (iface, &(*port)->interfaces)
			if ((*iface)->ofport > 0)
				ofproto_port_expect(ofproto, (*iface)->name,
					(ofp_port_t)(*iface)->ofport);
}

/* There is one datapath, whichever of Open vSwitch's is asked for. */
static bool has_datapath(const struct model_bridge *cfg)
{
	return !*cfg->datapath_type || !strcmp(cfg->datapath_type, "system") ||
		!strcmp(cfg->datapath_type, "netdev");
}

/* A bridge's name is part of its sockets' names. */
static bool is_name_usable(const char *name)
{
	return *name && !strpbrk(name, "/\\") && strlen(name) < 64;
}

static struct rc_bridge *bridge_create(const struct model_bridge *cfg)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(5, 5);
	struct rc_bridge *bridge = xcalloc(1, sizeof *bridge);
	int error;

	if (!is_name_usable(cfg->name))
		error = -EINVAL;
	else if (!has_datapath(cfg))
		error = -EAFNOSUPPORT;
	else
		error = ofproto_create(cfg->name, &bridge->ofproto);
	if (error) {
		log_err_rl(&rl, "failed to create bridge %s: %s", cfg->name, strerror(-error));
		free(bridge);
		return NULL;
	}
	bridge->name = xstrdup(cfg->name);
	ofproto_set_uuid(bridge->ofproto, cfg->id);
	restart_bridge_made(bridge->ofproto);
	expect_ports(bridge->ofproto, cfg);
	bridge->is_new = true;
	hmap_init(&bridge->ports);
	hmap_insert(&bridges, &bridge->node, hash_string(bridge->name, 0));
	rc_changed();
	return bridge;
}

static const struct model_bridge *cfg_find_bridge(const struct model *model, const char *name)
{
	struct model_bridge **cfg;

	VEC_FOR_EACH (cfg, &model->bridges)
		if (!strcmp((*cfg)->name, name))
			return *cfg;
	return NULL;
}

static const struct model_interface *cfg_find_iface(const struct model_port *port, const char *name)
{
	struct model_interface **cfg;

	VEC_FOR_EACH (cfg, &port->interfaces)
		if (!strcmp((*cfg)->name, name))
			return *cfg;
	return NULL;
}

/* What MODEL no longer has goes first, so that its names and numbers are free. */
static void remove_old(const struct model *model)
{
	struct rc_bridge *bridge;

	HMAP_FOR_EACH_SAFE (bridge, node, &bridges) {
		const struct model_bridge *cfg = cfg_find_bridge(model, bridge->name);
		struct shash wanted = SHASH_INITIALIZER;
		struct model_port **port_cfg;
		struct rc_port *port;

		if (!cfg || !has_datapath(cfg)) {
			bridge_destroy(bridge, true);
			continue;
		}
		bridge->cfg = cfg;
		VEC_FOR_EACH (port_cfg, &cfg->ports)
			shash_put(&wanted, (*port_cfg)->name, *port_cfg);
		HMAP_FOR_EACH_SAFE (port, node, &bridge->ports) {
			port->cfg = shash_get(&wanted, port->name);
			if (!port->cfg) {
				port_destroy(port);
				continue;
			}
			for (size_t i = port->ifaces.n; i-- > 0;)
				if (!cfg_find_iface(port->cfg, port->ifaces.items[i]->name))
					rc_iface_remove(port->ifaces.items[i]);
		}
		shash_uninit(&wanted);
	}
}

/* Whoever has a number without having asked for it makes way for an interface that does; both are then created
 * anew. Of two that ask for one number, the first one keeps it. */
static void make_way(struct rc_bridge *bridge, const struct model_interface *cfg)
{
	struct rc_iface *iface = rc_iface_find(cfg->name), *holder;
	const struct model_interface *holder_cfg;

	if (!iface || iface->port->bridge != bridge || !rc_iface_wants_number(iface, cfg))
		return;
	holder = rc_iface_at(bridge, (ofp_port_t)cfg->ofport_request);
	if (!holder)
		return;
	holder_cfg = cfg_find_iface(holder->port->cfg, holder->name);
	if (holder_cfg && holder_cfg->ofport_request != cfg->ofport_request)
		rc_iface_destroy(holder);
}

static void settle_numbers(struct rc_bridge *bridge)
{
	VEC(ofp_port_t) requested = {0};
	struct model_interface **iface;
	struct model_port **port;

	VEC_FOR_EACH (port, &bridge->cfg->ports)
		VEC_FOR_EACH (iface, &(*port)->interfaces)
			if ((*iface)->ofport_request != MODEL_UNSET) {
				vec_push(&requested, (ofp_port_t)(*iface)->ofport_request);
				make_way(bridge, *iface);
			}
	ofproto_ports_set_requested(bridge->ofproto, requested.items, requested.n);
	vec_uninit(&requested);
}

static void apply_iface(struct rc_port *port, const struct model_interface *cfg)
{
	struct rc_iface **iface;

	VEC_FOR_EACH (iface, &port->ifaces) {
		if (strcmp((*iface)->name, cfg->name))
			continue;
		if (rc_iface_update(*iface, cfg))
			return;
		rc_iface_destroy(*iface);
		break;
	}
	rc_iface_create(port, cfg);
}

static void apply_port(struct rc_bridge *bridge, const struct model_port *cfg)
{
	struct rc_port *port = port_find(bridge, cfg->name);
	struct model_interface **iface;

	if (!port) {
		port = xcalloc(1, sizeof *port);
		port->bridge = bridge;
		port->name = xstrdup(cfg->name);
		port->cfg = cfg;
		hmap_insert(&bridge->ports, &port->node, hash_string(port->name, 0));
	}
	port->cfg = cfg;
	VEC_FOR_EACH (iface, &cfg->interfaces)
		apply_iface(port, *iface);
	rc_port_configure(port);
}

static void apply_ssl(const struct model_ssl *ssl)
{
	stream_ssl_set_key_file(ssl ? ssl->private_key : NULL);
	stream_ssl_set_cert_file(ssl ? ssl->certificate : NULL);
	stream_ssl_set_ca_cert_file(ssl ? ssl->ca_cert : NULL, ssl && ssl->bootstrap_ca_cert);
}

/* While devices are being opened; before anything of the bridges is published. */
static void load_new_bridges(void)
{
	struct rc_bridge *bridge;

	HMAP_FOR_EACH (bridge, node, &bridges) {
		if (bridge->is_new)
			restart_bridge_load(bridge->ofproto);
		bridge->is_new = false;
	}
	ofproto_load_neighbours();
}

void reconcile_apply(struct model *model)
{
	struct model_bridge **cfg;
	struct model_port **port;

	apply_ssl(model->ssl);
	remove_old(model);
	VEC_FOR_EACH (cfg, &model->bridges) {
		struct rc_bridge *bridge = reconcile_bridge((*cfg)->name);

		if (!bridge)
			bridge = bridge_create(*cfg);
		if (!bridge)
			continue;
		bridge->cfg = *cfg;
		rc_bridge_configure(bridge, model);
		rc_bridge_update_mac(bridge);
		settle_numbers(bridge);
		VEC_FOR_EACH (port, &(*cfg)->ports)
			apply_port(bridge, *port);
	}
	load_new_bridges();
	unbuilt_warn(model);
	model_destroy(current);
	current = model;
	settled = false;
	rc_changed();
	reconcile_run();
}

static void commit(void)
{
	struct rc_bridge *bridge;
	bool any = false;

	HMAP_FOR_EACH (bridge, node, &bridges)
		any |= bridge->needs_commit;
	if (!any)
		return;
	rc_iface_join_patches();
	HMAP_FOR_EACH (bridge, node, &bridges) {
		if (!bridge->needs_commit)
			continue;
		bridge->needs_commit = false;
		rc_bridge_update_mac(bridge);
		rc_bridge_update_mtu(bridge);
		rc_bridge_configure_mirrors(bridge);
		rc_bridge_configure_l2(bridge);
		ofproto_commit(bridge->ofproto);
	}
	rc_iface_give_back();
}

void reconcile_run(void)
{
	struct rc_bridge *bridge;

	rc_iface_run();
	commit();
	if (settled || !rc_iface_all_settled())
		return;
	settled = true;
	HMAP_FOR_EACH (bridge, node, &bridges)
		rc_bridge_load_flows(bridge);
	restart_complete();
	rc_changed();
}

bool reconcile_is_settled(void)
{
	return settled;
}

void reconcile_init(void)
{
	hmap_init(&bridges);
}

void reconcile_uninit(bool del)
{
	struct rc_bridge *bridge;

	HMAP_FOR_EACH_SAFE (bridge, node, &bridges)
		bridge_destroy(bridge, del);
	model_destroy(current);
	current = NULL;
}
