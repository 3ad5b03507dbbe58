/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reconciler: makes what runs equal to the model, changing only what differs. Knows neither
 * database nor file. Ports open asynchronously: reconcile_apply() starts what is needed and
 * reconcile_run() takes the answers; when nothing is under way any more the configuration is
 * `settled`, and each interface has an ofport or an error.
 *
 * Control thread only. Objects named here live until the apply() whose model lacks them.
 */

#include "ofproto/ofproto.h"
#include "tools/sluiced/model.h"

enum rc_state {
	RC_WAITING,	/* For an old device of the same name to close. */
	RC_OPENING,
	RC_RUNNING,
	RC_FAILED,	/* `error` says why. */
};

struct rc_bridge;
struct rc_port;

struct rc_iface {
	struct hmap_node node;		/* In the registry, by name. */
	struct rc_port *port;
	const struct model_interface *cfg;	/* In the current model. */
	enum rc_state state;
	char *name;
	char *type;			/* As opened. */
	struct smap options;		/* As opened. */
	dp_port_t dp_port;		/* 0 none. */
	enum pl_port_kind kind;
	const struct tnl_port *tunnel;
	ofp_port_t ofp_port;		/* OFPP_NONE unless running. */
	struct dp_port_info info;
	char *error;			/* NULL: none. A patch port without peer runs and has one. */
	bool is_local;			/* The bridge's own port. */
	bool news;			/* Something of its status has changed; the reader of status clears it. */
	unsigned long link_resets;
};

struct rc_port {
	struct hmap_node node;		/* In bridge->ports, by name. */
	struct rc_bridge *bridge;
	const struct model_port *cfg;
	char *name;
	VEC(struct rc_iface *) ifaces;
	bool has_tree_status;		/* The reader of status has told of a spanning tree. */
};

struct rc_bridge {
	struct hmap_node node;		/* By name. */
	const struct model_bridge *cfg;
	char *name;
	struct ofproto *ofproto;
	struct hmap ports;
	struct eth_addr mac;		/* In use. */
	bool is_new;			/* Nothing of a snapshot was put into it. */
	bool needs_commit;
	bool flows_loaded;		/* JSON's flows were added. */
};

void reconcile_init(void);
/* Destroys every bridge; DEL removes their sockets. */
void reconcile_uninit(bool del);

/* Takes MODEL over. Starts whatever must change. */
void reconcile_apply(struct model *model);
/* Once per loop iteration. */
void reconcile_run(void);
/* Every interface of the last model runs or has failed. */
bool reconcile_is_settled(void);
/* Advances with every change of anything a status reader could see. */
uint64_t reconcile_generation(void);
const struct model *reconcile_model(void);

/* For status and commands. */
struct rc_bridge *reconcile_bridge(const char *name);
struct hmap *reconcile_bridges(void);
/* All bridges by name, *N of them; free() the array. */
struct rc_bridge **reconcile_sorted_bridges(size_t *n);
struct rc_iface *reconcile_iface(const char *name);
/* The interface that has a number of the datapath, or NULL. */
struct rc_iface *reconcile_iface_by_dp_port(dp_port_t dp_port);
