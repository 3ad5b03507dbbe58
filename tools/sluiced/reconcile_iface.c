/* SPDX-License-Identifier: Apache-2.0 */

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "tools/sluiced/reconcile_internal.h"

LOG_MODULE(bridge);

#define RETRY_MS 1000

static struct hmap ifaces = HMAP_INITIALIZER;
static int64_t next_retry_ms;

struct rc_iface *rc_iface_find(const char *name)
{
	struct rc_iface *iface;

	HMAP_FOR_EACH_WITH_HASH (iface, node, hash_string(name, 0), &ifaces)
		if (!strcmp(iface->name, name))
			return iface;
	return NULL;
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
		rc_iface_fail(iface, xasprintf("%s is already in use by bridge %s", cfg->name,
			other->port->bridge->name));
	else
		rc_iface_open(iface);
	return iface;
}

void rc_iface_remove(struct rc_iface *iface)
{
	ofproto_port_forget(rc_iface_ofproto(iface), iface->name);
	rc_iface_destroy(iface);
}

void rc_iface_destroy(struct rc_iface *iface)
{
	struct rc_port *port = iface->port;

	rc_iface_close(iface);
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
	rc_iface_close(iface);
	iface->info = (struct dp_port_info) {0};
	set_opened(iface, iface->cfg);
	free(iface->error);
	iface->error = NULL;
	rc_iface_open(iface);
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
		ofproto_port_set_peer(rc_iface_ofproto(iface), iface->ofp_port, peer ? peer->dp_port : 0);
		iface->port->bridge->needs_commit = true;
	}
}

static void port_changed(struct rc_iface *iface, const struct dp_port_info *info)
{
	if (iface->info.link_up != info->link_up)
		iface->link_resets++;
	iface->info = *info;
	if (iface->ofp_port != OFPP_NONE)
		ofproto_port_update(rc_iface_ofproto(iface), iface->ofp_port, info);
	rc_iface_touch(iface);
}

static void handle(const struct dp_port_event *event)
{
	struct rc_iface *iface = reconcile_iface_by_dp_port(event->port);

	if (event->type == DP_PORT_CLOSED) {
		iface = rc_iface_port_closed(event->port);
		if (iface && iface->state == RC_WAITING)
			rc_iface_open(iface);
		return;
	}
	if (!iface)
		return;
	switch (event->type) {
	case DP_PORT_OPENED:
		iface->info = event->info;
		rc_iface_opened(iface);
		update_device(iface);
		break;
	case DP_PORT_FAILED:
		rc_iface_open_failed(iface, event->error);
		break;
	case DP_PORT_CHANGED:
		port_changed(iface, &event->info);
		break;
	case DP_PORT_GONE:
		rc_iface_close(iface);
		rc_iface_fail(iface, xasprintf("%s: the device has gone", iface->name));
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
			rc_iface_open(iface);
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
