/* SPDX-License-Identifier: Apache-2.0 */

/* Ports of the datapath behind interfaces: how each type is opened, and closed without haste. */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "tools/sluiced/reconcile_internal.h"
#include "tunnel/tnl_port.h"

LOG_MODULE(bridge);

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

static struct rc_iface *by_dp_port[PL_MAX_PORTS];
static struct list closings = LIST_INITIALIZER(&closings);

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

struct ofproto *rc_iface_ofproto(const struct rc_iface *iface)
{
	return iface->port->bridge->ofproto;
}

void rc_iface_touch(struct rc_iface *iface)
{
	iface->news = true;
	iface->port->bridge->needs_commit = true;
	rc_changed();
}

void rc_iface_fail(struct rc_iface *iface, char *error)
{
	free(iface->error);
	iface->error = error;
	iface->state = RC_FAILED;
	log_warn("could not open network device %s (%s)", iface->name, error);
	rc_iface_touch(iface);
}

void rc_iface_open_failed(struct rc_iface *iface, const char *error)
{
	set_dp_port(iface, 0);
	rc_iface_fail(iface, xstrdup(error));
}

/* ------------------------------------------------------------------ opening */

static bool is_closing(const char *name)
{
	struct closing *c;

	LIST_FOR_EACH (c, node, &closings)
		if (c->owns_name && !strcmp(c->name, name))
			return true;
	return false;
}

void rc_iface_opened(struct rc_iface *iface)
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
	error = ofproto_port_add(rc_iface_ofproto(iface), &port, &iface->ofp_port);
	if (error) {
		rc_iface_fail(iface, xasprintf("could not add network device %s to ofproto (%s)",
			iface->name, strerror(-error)));
		return;
	}
	free(iface->error);
	iface->error = NULL;
	iface->state = RC_RUNNING;
	log_info("bridge %s: added interface %s on port %u", iface->port->bridge->name, iface->name,
		iface->ofp_port == OFPP_LOCAL ? 65534 : iface->ofp_port);
	rc_port_configure(iface->port);
	rc_iface_touch(iface);
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
		rc_iface_fail(iface, xasprintf("%s: patch type requires valid 'peer' argument",
			iface->name));
		return;
	}
	if (!strcmp(peer, iface->name)) {
		rc_iface_fail(iface, xasprintf("%s: patch peer must not be self", iface->name));
		return;
	}
	iface->kind = PL_PORT_PATCH;
	set_dp_port(iface, dp_port_alloc(iface->name));
	iface->info.admin_up = iface->info.link_up = true;
	make_mac(iface);
	rc_iface_opened(iface);
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
		rc_iface_fail(iface, text);
		return;
	}
	iface->kind = PL_PORT_TUNNEL;
	set_dp_port(iface, dp_port_alloc(iface->name));
	listening = tnl_port_listening();
	error = tnl_port_add(&config, iface->dp_port, iface->name, &iface->tunnel);
	if (error) {
		dp_port_free(iface->dp_port);
		set_dp_port(iface, 0);
		rc_iface_fail(iface, xasprintf("could not add network device %s to ofproto (%s)%s",
			iface->name, strerror(-error), error == -EEXIST
				? ": another tunnel has the same type, key, local_ip and remote_ip" : ""));
		return;
	}
	note_listening(listening);
	iface->info.admin_up = iface->info.link_up = true;
	make_mac(iface);
	rc_iface_opened(iface);
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

void rc_iface_open(struct rc_iface *iface)
{
	if (!strcmp(iface->type, "patch"))
		open_patch(iface);
	else if (is_tunnel(iface->type))
		open_tunnel(iface);
	else if (tnl_type_is_foreign(iface->type))
		rc_iface_fail(iface, xasprintf("%s: tunnels of type %s are not supported: use geneve, "
			"gre or vxlan", iface->name, iface->type));
	else if (!is_device(iface->type))
		rc_iface_fail(iface, xasprintf("could not open network device %s (Address family not "
			"supported by protocol): unknown type \"%s\"", iface->name, iface->type));
	else if (strlen(iface->name) >= IFNAMSIZ)
		rc_iface_fail(iface, xasprintf("could not open network device %s (No such device): names of "
			"devices have at most %d characters", iface->name, IFNAMSIZ - 1));
	else
		open_device(iface);
}

/* ------------------------------------------------------------------ closing */

static void closing_destroy(struct closing *c)
{
	list_remove(&c->node);
	free(c->name);
	free(c);
}

void rc_iface_close(struct rc_iface *iface)
{
	if (iface->ofp_port != OFPP_NONE) {
		ofproto_port_remove(rc_iface_ofproto(iface), iface->ofp_port);
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
	rc_iface_touch(iface);
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

struct rc_iface *rc_iface_port_closed(dp_port_t dp_port)
{
	struct rc_iface *iface;
	struct closing *c;

	LIST_FOR_EACH (c, node, &closings)
		if (c->dp_port == dp_port && c->kind == PL_PORT_DEVICE)
			break;
	if (!c)
		return NULL;
	iface = rc_iface_find(c->name);
	closing_destroy(c);
	return iface;
}
