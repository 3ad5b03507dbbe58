/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the reconciler's files share: the registry of interfaces (reconcile_iface.c), the ports of the
 * datapath behind them (reconcile_open.c), bundles and settings of a bridge (reconcile_bridge.c,
 * reconcile_l2.c), and the order of it all (reconcile.c). Control thread only.
 */

#include "tools/sluiced/reconcile.h"

/* reconcile_iface.c */

/* Starts to open CFG as an interface of PORT (or waits for its name to come free). */
struct rc_iface *rc_iface_create(struct rc_port *port, const struct model_interface *cfg);
/* Takes it out of its bridge and closes it. */
void rc_iface_destroy(struct rc_iface *iface);
/* As that; its name is configured no more. */
void rc_iface_remove(struct rc_iface *iface);
/* The interface that runs as NUMBER, or NULL. */
struct rc_iface *rc_iface_at(const struct rc_bridge *bridge, ofp_port_t number);
/* It runs as another number than CFG asks for. */
bool rc_iface_wants_number(const struct rc_iface *iface, const struct model_interface *cfg);
/* CFG replaces the interface's configuration: changes what can be changed in place. False: it must be
 * destroyed and created anew. */
bool rc_iface_update(struct rc_iface *iface, const struct model_interface *cfg);
/* Peers of all patch ports, after every interface is known. */
void rc_iface_join_patches(void);
/* Answers from the datapath, retries of missing devices. */
void rc_iface_run(void);
bool rc_iface_all_settled(void);
struct rc_iface *rc_iface_find(const char *name);
/* Something a status reader could see has changed. */
void rc_changed(void);

/* reconcile_open.c */

/* Opens IFACE by its type. What has no device runs at once, or has failed; a device answers with an event
 * (RC_OPENING), or waits for its name to come free (RC_WAITING). */
void rc_iface_open(struct rc_iface *iface);
/* The device or its stand-in exists: gives it its OpenFlow number. */
void rc_iface_opened(struct rc_iface *iface);
/* The datapath could not open it. */
void rc_iface_open_failed(struct rc_iface *iface, const char *error);
/* Takes IFACE out of its bridge; rc_iface_give_back() does the rest. */
void rc_iface_close(struct rc_iface *iface);
/* After the snapshots without them are published: numbers and devices of closed interfaces. */
void rc_iface_give_back(void);
/* DP_PORT's device is closed. The interface of its name, which may have waited for that, or NULL. */
struct rc_iface *rc_iface_port_closed(dp_port_t dp_port);
/* IFACE has failed, for the reason ERROR (taken over). */
void rc_iface_fail(struct rc_iface *iface, char *error);
/* Its bridge must be committed and its status written. */
void rc_iface_touch(struct rc_iface *iface);
struct ofproto *rc_iface_ofproto(const struct rc_iface *iface);
/* Interfaces of TYPE are patch or tunnel ports. */
bool rc_iface_has_no_device(const char *type);

/* reconcile_bridge.c */

/* Settings other than ports: everything that ofproto_set_*() takes. */
void rc_bridge_configure(struct rc_bridge *bridge, const struct model *model);
/* MAC of the local port and datapath id: after ports have come or gone. */
void rc_bridge_update_mac(struct rc_bridge *bridge);
/* MTUs of internal ports: after ports have come, gone or changed. */
void rc_bridge_update_mtu(struct rc_bridge *bridge);
/* VLAN mode and members of PORT's bundle, as far as its interfaces run. */
void rc_port_configure(struct rc_port *port);
/* Mirrors, once their ports are there. */
void rc_bridge_configure_mirrors(struct rc_bridge *bridge);
/* JSON's flows, once all ports are there. */
void rc_bridge_load_flows(struct rc_bridge *bridge);

/* reconcile_l2.c */

/* Spanning trees and multicast snooping of the bridge and its ports. */
void rc_bridge_configure_l2(struct rc_bridge *bridge);
