/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "tools/sluiced/reconcile_internal.h"
#include "tunnel/tnl_port.h"

LOG_MODULE(bridge);

#define RETRY_MS 1000

/*
 * What is left of an interface that was taken out of its bridge. Its number is given back only after
 * the snapshot without it was published; and a device of ours that is being closed keeps its name in use
 * until DP_PORT_CLOSED: whoever wants the same name waits. The kernel's own devices can be opened twice.
 */
struct closing {
	struct list node;
	dp_port_t dp_port;
	enum pl_port_kind kind;
	bool asked;		/* dp_port_close() was called. */
	bool owns_name;		/* The device comes and goes with the port: its name is in use till it is closed. */
	char *name;
};

static struct hmap ifaces = HMAP_INITIALIZER;
static struct rc_iface *by_dp_port[PL_MAX_PORTS];
static struct list closings = LIST_INITIALIZER(&closings);
static int64_t next_retry_ms;

static bool is_closing(const char *name)
{
	struct closing *c;

	LIST_FOR_EACH (c, node, &closings)
		if (c->owns_name && !strcmp(c->name, name))
			return true;
	return false;
}

static void closing_destroy(struct closing *c)
{
	list_remove(&c->node);
	free(c->name);
	free(c);
}

struct rc_iface *rc_iface_find(const char *name)
{
	struct rc_iface *iface;

	HMAP_FOR_EACH_WITH_HASH (iface, node, hash_string(name, 0), &ifaces)
		if (!strcmp(iface->name, name))
			return iface;
	return NULL;
}

static void set_dp_port(struct rc_iface *iface, dp_port_t dp_port)
{
	if (iface->dp_port)
		by_dp_port[iface->dp_port] = NULL;
	iface->dp_port = dp_port;
	if (dp_port)
		by_dp_port[dp_port] = iface;
}

struct rc_iface *reconcile_iface_by_dp_port(dp_port_t dp_port)
{
	return dp_port < PL_MAX_PORTS ? by_dp_port[dp_port] : NULL;
}

static struct ofproto *iface_ofproto(const struct rc_iface *iface)
{
	return iface->port->bridge->ofproto;
}

static void touch(struct rc_iface *iface)
{
	iface->news = true;
	iface->port->bridge->needs_commit = true;
	rc_changed();
}

/* Takes ERROR over. */
static void fail(struct rc_iface *iface, char *error)
{
	free(iface->error);
	iface->error = error;
	iface->state = RC_FAILED;
	log_warn("could not open network device %s (%s)", iface->name, error);
	touch(iface);
}

/* The device or its stand-in exists: gives it its OpenFlow number. */
static void run(struct rc_iface *iface)
{
	struct ofproto_port port = {
		.name = iface->name,
		.dp_port = iface->dp_port,
		.requested = OFPP_NONE,
		.kind = iface->kind,
		.is_internal = !strcmp(iface->type, "internal"),
		.tunnel = iface->tunnel,
		.info = iface->info,
	};
	int error;

	if (iface->is_local)
		port.requested = OFPP_LOCAL;
	else if (iface->cfg->ofport_request != MODEL_UNSET)
		port.requested = iface->cfg->ofport_request;
	error = ofproto_port_add(iface_ofproto(iface), &port, &iface->ofp_port);
	if (error) {
		fail(iface, xasprintf("could not add network device %s to ofproto (%s)", iface->name,
			strerror(-error)));
		return;
	}
	free(iface->error);
	iface->error = NULL;
	iface->state = RC_RUNNING;
	log_info("bridge %s: added interface %s on port %u", iface->port->bridge->name, iface->name,
		iface->ofp_port == OFPP_LOCAL ? 65534 : iface->ofp_port);
	rc_port_configure(iface->port);
	touch(iface);
}

/* Ports without a device have an address all the same: the same after each restart. */
static void make_mac(struct rc_iface *iface)
{
	uint64_t id = hash_string(iface->cfg->id, 3) | (uint64_t)hash_string(iface->name, 4) << 32;

	memcpy(iface->info.mac.b, &id, sizeof iface->info.mac.b);
	iface->info.mac.b[0] = (uint8_t)((iface->info.mac.b[0] & 0xfc) | 2);
}

static void open_patch(struct rc_iface *iface)
{
	const char *peer = smap_get(&iface->options, "peer");

	if (!peer || !*peer) {
		fail(iface, xasprintf("%s: patch type requires valid 'peer' argument", iface->name));
		return;
	}
	if (!strcmp(peer, iface->name)) {
		fail(iface, xasprintf("%s: patch peer must not be self", iface->name));
		return;
	}
	iface->kind = PL_PORT_PATCH;
	set_dp_port(iface, dp_port_alloc(iface->name));
	iface->info.admin_up = iface->info.link_up = true;
	make_mac(iface);
	run(iface);
}

/* After a tunnel port has come or gone: what was decided about packets to this host may be wrong now. BEFORE:
 * what tnl_port_listening() was. */
static void note_listening(uint64_t before)
{
	if (tnl_port_listening() != before)
		dep_bump(dep_tunnel());
}

static void open_tunnel(struct rc_iface *iface)
{
	struct tnl_config config;
	uint64_t listening;
	char *text;
	int error;

	error = tnl_config_parse(iface->name, iface->type, &iface->options, &config, &text);
	if (error) {
		fail(iface, text);
		return;
	}
	iface->kind = PL_PORT_TUNNEL;
	set_dp_port(iface, dp_port_alloc(iface->name));
	listening = tnl_port_listening();
	error = tnl_port_add(&config, iface->dp_port, iface->name, &iface->tunnel);
	if (error) {
		dp_port_free(iface->dp_port);
		set_dp_port(iface, 0);
		fail(iface, xasprintf("could not add network device %s to ofproto (%s)%s", iface->name,
			strerror(-error), error == -EEXIST
				? ": another tunnel has the same type, key, local_ip and remote_ip" : ""));
		return;
	}
	note_listening(listening);
	iface->info.admin_up = iface->info.link_up = true;
	make_mac(iface);
	run(iface);
}

static bool is_tunnel(const char *type)
{
	enum tnl_type tnl_type;

	return tnl_type_parse(type, &tnl_type);
}

bool rc_iface_has_no_device(const char *type)
{
	return !strcmp(type, "patch") || is_tunnel(type);
}

static bool is_device(const char *type)
{
	return !strcmp(type, "internal") || !strcmp(type, "system") || !strcmp(type, "dpdk") ||
		!strcmp(type, "tap");
}

static void open_device(struct rc_iface *iface)
{
	const struct model_interface *cfg = iface->cfg;
	struct dp_port_spec spec = {
		.name = iface->name,
		.type = strcmp(iface->type, "tap") ? iface->type : "internal",
		.options = &iface->options,
		.mtu = cfg->mtu_request != MODEL_UNSET ? cfg->mtu_request : 0,
	};

	if (cfg->mac)
		parse_mac(cfg->mac, spec.mac.b);
	else if (iface->is_local)
		spec.mac = iface->port->bridge->mac;
	if (is_closing(iface->name)) {
		iface->state = RC_WAITING;
		return;
	}
	iface->kind = PL_PORT_DEVICE;
	iface->state = RC_OPENING;
	set_dp_port(iface, dp_port_open(&spec));
	dp_port_set_rxq_affinity(iface->dp_port, smap_get(&cfg->other_config, "pmd-rxq-affinity"));
}

static void iface_open(struct rc_iface *iface)
{
	if (!strcmp(iface->type, "patch"))
		open_patch(iface);
	else if (is_tunnel(iface->type))
		open_tunnel(iface);
	else if (tnl_type_is_foreign(iface->type))
		fail(iface, xasprintf("%s: tunnels of type %s are not supported: use geneve, gre or vxlan",
			iface->name, iface->type));
	else if (!is_device(iface->type))
		fail(iface, xasprintf("could not open network device %s (Address family not supported by "
			"protocol): unknown type \"%s\"", iface->name, iface->type));
	else if (strlen(iface->name) >= IFNAMSIZ)
		fail(iface, xasprintf("could not open network device %s (No such device): names of "
			"devices have at most %d characters", iface->name, IFNAMSIZ - 1));
	else
		open_device(iface);
}

static void set_opened(struct rc_iface *iface, const struct model_interface *cfg)
{
	free(iface->type);
	iface->type = xstrdup(*cfg->type ? cfg->type : iface->is_local ? "internal" : "system");
	smap_uninit(&iface->options);
	smap_clone(&iface->options, &cfg->options);
}

struct rc_iface *rc_iface_create(struct rc_port *port, const struct model_interface *cfg)
{
	struct rc_iface *iface = xcalloc(1, sizeof *iface);
	struct rc_iface *other = rc_iface_find(cfg->name);

	iface->port = port;
	iface->cfg = cfg;
	iface->name = xstrdup(cfg->name);
	iface->ofp_port = OFPP_NONE;
	iface->is_local = !strcmp(cfg->name, port->bridge->name);
	smap_init(&iface->options);
	set_opened(iface, cfg);
	hmap_insert(&ifaces, &iface->node, hash_string(iface->name, 0));
	vec_push(&port->ifaces, iface);
	if (other)
		fail(iface, xasprintf("%s is already in use by bridge %s", cfg->name,
			other->port->bridge->name));
	else
		iface_open(iface);
	return iface;
}

/* Takes IFACE out of its bridge and gives its number and device back. */
static void iface_close(struct rc_iface *iface)
{
	if (iface->ofp_port != OFPP_NONE) {
		ofproto_port_remove(iface_ofproto(iface), iface->ofp_port);
		log_info("bridge %s: deleted interface %s on port %u", iface->port->bridge->name,
			iface->name, iface->ofp_port == OFPP_LOCAL ? 65534 : iface->ofp_port);
		iface->ofp_port = OFPP_NONE;
	}
	if (iface->tunnel) {
		uint64_t listening = tnl_port_listening();

		tnl_port_remove(iface->tunnel);
		note_listening(listening);
		iface->tunnel = NULL;
	}
	if (iface->dp_port) {
		struct closing *c = xcalloc(1, sizeof *c);

		c->dp_port = iface->dp_port;
		c->kind = iface->kind;
		c->owns_name = c->kind == PL_PORT_DEVICE && strcmp(iface->type, "system") != 0;
		c->name = xstrdup(iface->name);
		list_push_back(&closings, &c->node);
	}
	set_dp_port(iface, 0);
	touch(iface);
}

void rc_iface_give_back(void)
{
	struct closing *c;

	LIST_FOR_EACH_SAFE (c, node, &closings) {
		if (c->kind != PL_PORT_DEVICE) {
			dp_port_free(c->dp_port);
			closing_destroy(c);
		} else if (!c->asked) {
			c->asked = true;
			dp_port_close(c->dp_port);
		}
	}
}

void rc_iface_remove(struct rc_iface *iface)
{
	ofproto_port_forget(iface_ofproto(iface), iface->name);
	rc_iface_destroy(iface);
}

void rc_iface_destroy(struct rc_iface *iface)
{
	struct rc_port *port = iface->port;

	iface_close(iface);
	hmap_remove(&ifaces, &iface->node);
	for (size_t i = 0; i < port->ifaces.n; i++) {
		if (port->ifaces.items[i] == iface) {
			vec_remove(&port->ifaces, i);
			break;
		}
	}
	smap_uninit(&iface->options);
	free(iface->type);
	free(iface->name);
	free(iface->error);
	free(iface);
}

/* Bursts of 0 are the defaults of ovs-vswitchd.conf.db(5). */
static void police(struct rc_iface *iface)
{
	const struct model_interface *cfg = iface->cfg;
	const struct policing policing = {
		.kbps = (uint32_t)cfg->ingress_policing_rate,
		.kb = cfg->ingress_policing_burst ? (uint32_t)cfg->ingress_policing_burst
			: cfg->ingress_policing_rate ? 8000 : 0,
		.kpps = (uint32_t)cfg->ingress_policing_kpkts_rate,
		.kpkts = cfg->ingress_policing_kpkts_burst ? (uint32_t)cfg->ingress_policing_kpkts_burst
			: cfg->ingress_policing_kpkts_rate ? 16 : 0,
	};

	dp_port_set_policing(iface->dp_port, &policing);
}

/* Settings of a running device that need no reopening. */
static void update_device(struct rc_iface *iface)
{
	const struct model_interface *cfg = iface->cfg;
	struct eth_addr mac;

	if (iface->kind != PL_PORT_DEVICE || iface->state != RC_RUNNING)
		return;
	police(iface);
	dp_port_set_rxq_affinity(iface->dp_port, smap_get(&cfg->other_config, "pmd-rxq-affinity"));
	if (cfg->mtu_request != MODEL_UNSET && cfg->mtu_request != iface->info.mtu)
		dp_port_set_mtu(iface->dp_port, cfg->mtu_request);
	if (cfg->mac && !iface->is_local && !parse_mac(cfg->mac, mac.b) &&
		memcmp(&mac, &iface->info.mac, sizeof mac))
		dp_port_set_mac(iface->dp_port, mac);
}

/* The new settings take the place of the old under the same OpenFlow number. */
static void reopen(struct rc_iface *iface)
{
	iface_close(iface);
	iface->info = (struct dp_port_info) {0};
	set_opened(iface, iface->cfg);
	free(iface->error);
	iface->error = NULL;
	iface_open(iface);
}

/* A patch port that runs stays the port it is, with what was learned on it; rc_iface_join_patches()
 * finds the new peer. */
static bool takes_new_peer(const struct rc_iface *iface, const struct model_interface *cfg)
{
	const char *peer = smap_get_def(&cfg->options, "peer", "");

	return iface->kind == PL_PORT_PATCH && iface->state == RC_RUNNING && *peer &&
		strcmp(peer, iface->name) != 0;
}

struct rc_iface *rc_iface_at(const struct rc_bridge *bridge, ofp_port_t number)
{
	struct rc_iface **iface;
	struct rc_port *port;

	HMAP_FOR_EACH (port, node, &bridge->ports)
		VEC_FOR_EACH (iface, &port->ifaces)
			if ((*iface)->state == RC_RUNNING && (*iface)->ofp_port == number)
				return *iface;
	return NULL;
}

bool rc_iface_wants_number(const struct rc_iface *iface, const struct model_interface *cfg)
{
	return iface->state == RC_RUNNING && !iface->is_local && cfg->ofport_request != MODEL_UNSET &&
		(ofp_port_t)cfg->ofport_request != iface->ofp_port;
}

bool rc_iface_update(struct rc_iface *iface, const struct model_interface *cfg)
{
	const char *type = *cfg->type ? cfg->type : iface->is_local ? "internal" : "system";

	if (rc_iface_wants_number(iface, cfg) &&
		!rc_iface_at(iface->port->bridge, (ofp_port_t)cfg->ofport_request))
		return false;
	iface->cfg = cfg;
	if (!strcmp(type, iface->type) && takes_new_peer(iface, cfg))
		set_opened(iface, cfg);
	else if (strcmp(type, iface->type) || !smap_equal(&cfg->options, &iface->options))
		reopen(iface);
	else
		update_device(iface);
	return true;
}

/* A patch port without its other end runs all the same, since that may come any time. */
static void say_peer(struct rc_iface *iface, const char *name, bool found)
{
	char *error = found ? NULL : xasprintf("No usable peer '%s' exists in '%s' datapath.", name,
		*iface->port->bridge->cfg->datapath_type ? iface->port->bridge->cfg->datapath_type
		: "system");

	if (strcmp(error ? error : "", iface->error ? iface->error : "")) {
		iface->news = true;
		rc_changed();
	}
	free(iface->error);
	iface->error = error;
}

void rc_iface_join_patches(void)
{
	struct rc_iface *iface;

	HMAP_FOR_EACH (iface, node, &ifaces) {
		const struct rc_iface *peer;
		const char *name;

		if (iface->kind != PL_PORT_PATCH || iface->state != RC_RUNNING)
			continue;
		name = smap_get(&iface->options, "peer");
		peer = name ? rc_iface_find(name) : NULL;
		if (peer && (peer->kind != PL_PORT_PATCH || peer->state != RC_RUNNING ||
			strcmp(smap_get_def(&peer->options, "peer", ""), iface->name)))
			peer = NULL;
		say_peer(iface, name, peer != NULL);
		ofproto_port_set_peer(iface_ofproto(iface), iface->ofp_port, peer ? peer->dp_port : 0);
		iface->port->bridge->needs_commit = true;
	}
}

/* DP_PORT's device is closed: its name is free for the one who waits. */
static void closed(dp_port_t dp_port)
{
	struct rc_iface *iface;
	struct closing *c;
	char *name;

	LIST_FOR_EACH (c, node, &closings)
		if (c->dp_port == dp_port && c->kind == PL_PORT_DEVICE)
			break;
	if (!c)
		return;
	name = c->name;
	c->name = NULL;
	closing_destroy(c);
	iface = rc_iface_find(name);
	if (iface && iface->state == RC_WAITING)
		iface_open(iface);
	free(name);
}

static void port_changed(struct rc_iface *iface, const struct dp_port_info *info)
{
	if (iface->info.link_up != info->link_up)
		iface->link_resets++;
	iface->info = *info;
	if (iface->ofp_port != OFPP_NONE)
		ofproto_port_update(iface_ofproto(iface), iface->ofp_port, info);
	touch(iface);
}

static void handle(const struct dp_port_event *event)
{
	struct rc_iface *iface = reconcile_iface_by_dp_port(event->port);

	if (event->type == DP_PORT_CLOSED) {
		closed(event->port);
		return;
	}
	if (!iface)
		return;
	switch (event->type) {
	case DP_PORT_OPENED:
		iface->info = event->info;
		run(iface);
		update_device(iface);
		break;
	case DP_PORT_FAILED:
		set_dp_port(iface, 0);
		fail(iface, xstrdup(event->error));
		break;
	case DP_PORT_CHANGED:
		port_changed(iface, &event->info);
		break;
	case DP_PORT_GONE:
		iface_close(iface);
		fail(iface, xasprintf("%s: the device has gone", iface->name));
		break;
	case DP_PORT_CLOSED:
		break;
	}
}

/* System devices that were missing are taken as soon as they exist. */
static void retry(void)
{
	struct rc_iface *iface;

	HMAP_FOR_EACH (iface, node, &ifaces) {
		if (iface->state == RC_FAILED && !iface->dp_port && rc_iface_find(iface->name) == iface &&
			!strcmp(iface->type, "system") && if_nametoindex(iface->name))
			iface_open(iface);
	}
}

void rc_iface_run(void)
{
	struct dp_port_event event;

	while (dp_port_event_next(&event))
		handle(&event);
	if (clock_ms() >= next_retry_ms) {
		next_retry_ms = clock_ms() + RETRY_MS;
		retry();
	}
}

bool rc_iface_all_settled(void)
{
	struct rc_iface *iface;

	HMAP_FOR_EACH (iface, node, &ifaces)
		if (iface->state == RC_OPENING || iface->state == RC_WAITING)
			return false;
	return !dp_is_starting();
}
