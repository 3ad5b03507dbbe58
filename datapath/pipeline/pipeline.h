/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The switch as packets read it: bridges with tables, ports, bundles, groups, meters, mirrors and a
 * forwarding database. Control builds and changes it; PMDs translate over it under RCU.
 *
 * What changes often (rules, FDB entries, groups) is changed in place, one entry at a time. What
 * changes seldom (ports, bundles, mirrors, bridge settings) lies in one immutable snapshot per bridge
 * (struct pl_bridge_conf) that control replaces whole: build a new one from the old, publish it with
 * pl_bridge_set_conf(), which also bumps what depends on the change. Batch changes before publishing.
 *
 * Words: `bundle`: what OVSDB calls a Port: one or more interfaces (ports) with a VLAN mode.
 *
 * Threads: functions are control's unless they say "any thread".
 */

#include <stdatomic.h>

#include "datapath/pipeline/act.h"
#include "datapath/pipeline/classifier.h"
#include "datapath/pipeline/counter.h"
#include "lib/bitmap.h"
#include "lib/cmap.h"
#include "lib/rcu.h"

struct fdb;
struct mcast_snooping;
struct pl_bridge;
struct tnl_port;

#define PL_N_TABLES 255		/* 0 to 254; OpenFlow sees 254, the last is internal. */
#define PL_MAX_BRIDGES 1024
#define PL_MAX_PORTS 65536

/* ------------------------------------------------------------------ ports and bundles */

enum pl_port_kind {
	PL_PORT_DEVICE,		/* Frames go to a driver: dpdk, system, internal. */
	PL_PORT_PATCH,		/* Frames go on in the peer's bridge. */
	PL_PORT_TUNNEL,		/* Frames are encapsulated. */
};

/* pl_port.config: OFPPC_* of OpenFlow, in the numbers of OpenFlow 1.0 and 1.3 alike. */
#define PL_PORT_DOWN (1 << 0)
#define PL_PORT_NO_STP (1 << 1)
#define PL_PORT_NO_RECV (1 << 2)
#define PL_PORT_NO_RECV_STP (1 << 3)
#define PL_PORT_NO_FLOOD (1 << 4)
#define PL_PORT_NO_FWD (1 << 5)
#define PL_PORT_NO_PACKET_IN (1 << 6)

/* pl_port.stp: what the port may do by STP or RSTP; both bits if neither runs. */
#define PL_PORT_LEARNS (1 << 0)
#define PL_PORT_FORWARDS (1 << 1)

struct pl_port {
	dp_port_t dp_port;	/* Unique over all bridges; also for patch and tunnel ports. */
	ofp_port_t ofp_port;	/* In its bridge; OFPP_LOCAL for the bridge's own internal port. */
	struct pl_bridge *bridge;
	uint16_t bundle;	/* Index into conf->bundles. */
	uint8_t kind;		/* enum pl_port_kind. */
	uint8_t stp;		/* PL_PORT_LEARNS | PL_PORT_FORWARDS. */
	uint32_t config;	/* PL_PORT_*. */
	bool is_internal;	/* internal port: its device belongs to the host's own stack. */
	bool is_underlay;	/* implicit underlay port: for packets of tunnels alone, and no rule sees them. */
	bool link_up;
	bool may_enable;	/* Carrier and monitors say usable: bonds, fast failover, bundle(). */
	struct eth_addr mac;
	uint32_t mtu;		/* 0: unknown. */
	dp_port_t peer;		/* Patch: the other end; 0 none. */
	uint32_t rx_counter;	/* Patch and tunnel: counter ids of packets in and out. */
	uint32_t tx_counter;
	const struct tnl_port *tunnel;	/* Tunnel ports. */
	char name[16];
};

enum pl_vlan_mode {
	PL_VLAN_ACCESS,
	PL_VLAN_TRUNK,
	PL_VLAN_NATIVE_TAGGED,
	PL_VLAN_NATIVE_UNTAGGED,
	PL_VLAN_DOT1Q_TUNNEL,
};

enum pl_priority_tags {
	PL_PRIORITY_TAGS_NEVER,
	PL_PRIORITY_TAGS_IF_NONZERO,
	PL_PRIORITY_TAGS_ALWAYS,
};

struct pl_bundle {
	char *name;		/* Owned by the snapshot. */
	uint8_t vlan_mode;	/* enum pl_vlan_mode. */
	uint8_t priority_tags;	/* enum pl_priority_tags. */
	int16_t vlan;		/* tag; -1 none. */
	be16 qinq_ethtype;	/* dot1q-tunnel. */
	bool floodable;		/* Some port of it has no NO_FLOOD. */
	bool protected;		/* No traffic between protected ports. */
	bool mirror_output;	/* Reserved as some mirror's output. */
	unsigned long *trunks;	/* Bitmap of 4096, a native VLAN's among them; NULL: all. Owned by the snapshot. */
	unsigned long *cvlans;	/* dot1q-tunnel: bitmap of customer VLANs; NULL: all. */
	uint32_t src_mirrors;	/* Bit per mirror that selects packets received here. */
	uint32_t dst_mirrors;	/* ... or sent here. */
	uint32_t out_mirrors;	/* Mirrors whose output port this is. */
	uint16_t n_ports;
	uint16_t *ports;	/* Indices into conf->ports. */
	bool bond;		/* Several ports: the first of them that is usable carries the traffic. */
};

#define PL_MAX_MIRRORS 32

struct pl_mirror {
	char *name;
	bool select_all;
	unsigned long *vlans;	/* Bitmap of 4096 selected VLANs; NULL: all. */
	int out_bundle;		/* Index; -1: none. */
	int out_vlan;		/* RSPAN; -1: none. */
	uint16_t snaplen;	/* 0: whole packets. */
	uint32_t dup_mirrors;	/* Mirrors with the same output: one copy serves all. */
	uint32_t counter;
};

struct pl_bridge_conf {
	size_t n_ports;
	struct pl_port *ports;		/* By value; pointers into it live as long as the snapshot. */
	size_t n_bundles;
	struct pl_bundle *bundles;
	size_t n_mirrors;
	struct pl_mirror mirrors[PL_MAX_MIRRORS];
	struct pl_port **by_ofp_port;	/* ofp_port -> port, OFP_PORT_LAST + 1 entries or fewer. */
	uint32_t by_ofp_port_len;
	struct pl_port *local;		/* OFPP_LOCAL, or NULL. */

	/* Settings. */
	unsigned long *flood_vlans;	/* Bitmap of VLANs without learning; NULL: none. */
	bool forward_bpdu;
	bool stp;			/* STP or RSTP runs on the bridge. */
	bool mcast_snooping;
	bool mcast_flood_unregistered;	/* !mcast-snooping-disable-flood-unregistered. */
	bool frag_drop;			/* OFPC_FRAG_DROP. */
	bool frag_ports;		/* OFPC_FRAG_NX_MATCH: first fragments keep their ports. */
	uint8_t vlan_limit;		/* Tags parsed. */
	uint16_t miss_send_len;
	struct eth_addr mac;		/* hwaddr of the local port. */
};

/* ------------------------------------------------------------------ rules and tables */

/* An action list as published. Immutable; replaced whole, old one freed after a grace period. */
struct pl_actions {
	uint32_t len;		/* Bytes of acts. */
	bool has_learn;
	bool has_controller;	/* Punts to a controller. */
	bool has_groups;
	bool has_conjunction;
	bool only_outputs;	/* To ports by their numbers, none of the reserved ones; or nothing. */
	struct act acts[];
};

/* Copies ACTS[LEN]. Free with free() when no reader can hold it. */
struct pl_actions *pl_actions_create(const struct act *acts, size_t len);

struct pl_rule {
	struct cls_rule cr;
	_Atomic be64 cookie;
	_Atomic(struct pl_actions *) actions;
	uint32_t counter;	/* Counter id. */
	/* Counter id that a learn action which finds this rule as it would write it refreshes (its `used` is
	 * what a hard timeout counts from); COUNTER_NONE: nobody asks. */
	uint32_t refresh;
	uint8_t table_id;
	bool is_table_miss;	/* Priority 0, matches everything. */
	bool is_internal;	/* Hidden from controllers. */
};

/* What a packet meets that no rule matches. */
enum pl_miss {
	PL_MISS_DEFAULT,	/* OpenFlow 1.3: drop. OpenFlow 1.0/1.1: to the controller. */
	PL_MISS_CONTROLLER,
	PL_MISS_CONTINUE,	/* Next table. */
	PL_MISS_DROP,
};

struct pl_table {
	struct classifier *cls;
	_Atomic uint8_t miss;	/* enum pl_miss. */
	uint32_t miss_counter;
};

/* ------------------------------------------------------------------ groups and meters */

enum pl_group_type { PL_GROUP_ALL, PL_GROUP_SELECT, PL_GROUP_INDIRECT, PL_GROUP_FF };

enum pl_group_selection {
	PL_SELECT_DEFAULT,	/* Hash over addresses and ports. */
	PL_SELECT_HASH,		/* selection_method=hash with fields. */
	PL_SELECT_DP_HASH,
};

struct pl_bucket {
	uint32_t id;
	uint16_t weight;
	ofp_port_t watch_port;	/* OFPP_NONE: none. */
	uint32_t watch_group;	/* UINT32_MAX: none. */
	uint32_t counter;
	uint32_t acts_len;
	struct act *acts;	/* Owned by the group. */
};

/* Immutable once inserted; group_mod replaces it whole. */
struct pl_group {
	struct cmap_node node;
	uint32_t id;
	uint8_t type;		/* enum pl_group_type. */
	uint8_t selection;	/* enum pl_group_selection. */
	uint64_t selection_param;
	struct flow fields_mask;	/* PL_SELECT_HASH: the fields hashed. */
	uint32_t counter;
	uint32_t n_buckets;
	struct pl_bucket *buckets;
	void *owner;		/* ofproto's group. */
};

/* Token buckets are shared by PMDs; see meter.h. */
struct pl_meter;

/* ------------------------------------------------------------------ bridge */

struct pl_bridge {
	uint32_t id;			/* Index into pipeline.bridges; not reused while paths name it. */
	char *name;
	_Atomic(struct pl_bridge_conf *) conf;
	struct pl_table tables[PL_N_TABLES];
	struct fdb *fdb;
	_Atomic(struct mcast_snooping *) mcast;	/* Its owner's; NULL unless enabled. */
	struct cmap groups;		/* struct pl_group by id. */
	struct cmap meters;		/* struct pl_meter by id. */
	_Atomic bool fail_standalone;	/* No controller and fail_mode standalone: see ofproto. */
	_Atomic(const struct field_tlv_map *) tun_table;	/* Geneve options as fields; NULL: none. */
	uint64_t dpid;
};

struct pipeline {
	_Atomic(struct pl_bridge *) bridges[PL_MAX_BRIDGES];
	/* dp_port -> port of the current snapshots; entries are replaced as snapshots are. */
	_Atomic(const struct pl_port *) ports[PL_MAX_PORTS];
};

extern struct pipeline pipeline;	/* One switch a process. */

/* An empty bridge with the next free id; NULL if there are PL_MAX_BRIDGES. */
struct pl_bridge *pl_bridge_create(const char *name);
/* Unpublishes BRIDGE and frees it after a grace period. Its rules and groups must be gone. */
void pl_bridge_destroy(struct pl_bridge *bridge);

/* An empty snapshot; a deep copy. Fill ports, bundles, mirrors, then publish. */
struct pl_bridge_conf *pl_bridge_conf_create(void);
struct pl_bridge_conf *pl_bridge_conf_clone(const struct pl_bridge_conf *conf);
void pl_bridge_conf_destroy(struct pl_bridge_conf *conf);
/*
 * Takes CONF over, publishes it and its ports, frees the old one by RCU. What follows from the rest is
 * filled in here: port.bridge, bundle.ports and floodable, mirror_output, out_mirrors, the bits of
 * select_all mirrors, dup_mirrors, by_ofp_port, local. Bumps DEP_PORT and DEP_OFP_PORT of the ports that
 * differ from the old ones, in themselves or in their bundle, DEP_PORTS if any does, and DEP_BRIDGE if
 * settings do, or anything where there are mirrors: what other ports' packets met stays true.
 */
void pl_bridge_set_conf(struct pl_bridge *bridge, struct pl_bridge_conf *conf);

/* Any thread, under RCU. */
static inline const struct pl_bridge_conf *pl_bridge_conf(const struct pl_bridge *bridge)
{
	return atomic_load_explicit(&bridge->conf, memory_order_acquire);
}
const struct pl_port *pl_port_from_ofp(const struct pl_bridge_conf *conf, ofp_port_t port);
const struct pl_port *pl_port_get(dp_port_t dp_port);
const struct pl_group *pl_group_lookup(const struct pl_bridge *bridge, uint32_t id);
struct pl_meter *pl_meter_lookup(const struct pl_bridge *bridge, uint32_t id);

/* Any thread: what a lookup of FLOW in table TABLE_ID depends on. Call it after the lookup, with the
 * wildcards accumulated so far and dep_seq() loaded before. Stores ids (1 or 2), returns how many. */
unsigned int pl_table_deps(const struct pl_bridge *bridge, uint8_t table_id, const struct flow *flow,
	const struct flow *wc, uint16_t ids[2]);

/*
 * Rules. The owner zeroes RULE, sets table_id, cookie and the flags, gives it actions with
 * pl_rule_set_actions() and inserts it: it is visible from version ADDED on. Insertion allocates
 * counter unless it is set. A change for a version not yet current is finished by: publish the
 * version, then pl_rule_changed() for each rule that was inserted or hidden.
 */
void pl_rule_insert(struct pl_bridge *bridge, struct pl_rule *rule, const struct match *match,
	int priority, version_t added);
void pl_rule_hide(struct pl_bridge *bridge, struct pl_rule *rule, version_t removed);
void pl_rule_unhide(struct pl_bridge *bridge, struct pl_rule *rule);
/* Takes out of the classifier; the owner frees RULE with rcu_defer and calls pl_rule_uninit there. */
void pl_rule_remove(struct pl_bridge *bridge, struct pl_rule *rule);
/* Frees actions and counter id. Also for a rule that was never inserted. */
void pl_rule_uninit(struct pl_rule *rule);
/* Publishes new actions in place (mod-flows outside a bundle), bumps. Takes ACTIONS over. */
void pl_rule_set_actions(struct pl_bridge *bridge, struct pl_rule *rule, struct pl_actions *actions);
/* After publishing the version a rule change belongs to: paths that used it must retranslate. */
void pl_rule_changed(struct pl_bridge *bridge, const struct pl_rule *rule);

/* Groups: insert or replace by id (the old one freed after a grace period; its counters are given back
 * but those that GROUP has taken over by naming the same ids), remove. Counters that are COUNTER_NONE
 * are allocated. Bump DEP_GROUP. */
void pl_group_set(struct pl_bridge *bridge, struct pl_group *group);
void pl_group_remove(struct pl_bridge *bridge, uint32_t id);
void pl_group_destroy(struct pl_group *group);	/* Of one never inserted. */
