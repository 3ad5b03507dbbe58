/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the reconciler's files share: the registry of interfaces (reconcile_iface.c), bundles and
 * settings of a bridge (reconcile_bridge.c), and the order of it all (reconcile.c).
 */

#include "tools/sluiced/reconcile.h"

/* reconcile_iface.c */

/* Starts to open CFG as an interface of PORT (or waits for its name to come free). */
struct rc_iface *rc_iface_create(struct rc_port *port, const struct model_interface *cfg);
/* Takes it out of its bridge and closes it. */
void rc_iface_destroy(struct rc_iface *iface);
/* As that; its name is configured no more. */
void rc_iface_remove(struct rc_iface *iface);
/* After the snapshots without them are published: numbers and devices of destroyed interfaces. */
void rc_iface_give_back(void);
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
/* Interfaces of TYPE are patch or tunnel ports. */
bool rc_iface_has_no_device(const char *type);
struct rc_iface *rc_iface_find(const char *name);
/* Something a status reader could see has changed. */
void rc_changed(void);

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
/* reconcile_l2.c */

/* Spanning trees and multicast snooping of the bridge and its ports. */
void rc_bridge_configure_l2(struct rc_bridge *bridge);

/* reconcile_bridge.c again */

/* JSON's flows, once all ports are there. */
void rc_bridge_load_flows(struct rc_bridge *bridge);
