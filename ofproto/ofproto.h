/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One OpenFlow switch per bridge: the tables as controllers see them, the sessions to controllers
 * and management clients, ports with their OpenFlow numbers. Joins the agent (sessions, handlers)
 * and the state (rules, groups, meters) over one pl_bridge of the datapath.
 *
 * Used by the reconciler, which calls the setters with what the configuration says; every setter
 * compares and changes only what differs. Ports and bundles are collected and published as one
 * snapshot by ofproto_commit().
 *
 * Threads: control only. Errors: 0 or negative errno.
 */

#include "datapath/dp.h"
#include "datapath/l2/rstp.h"
#include "datapath/l2/stp.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/event.h"
#include "lib/sbuf.h"
#include "lib/shash.h"

struct ofproto;

/* Once a process, before the first bridge. RUNDIR: where BRIDGE.mgmt and BRIDGE.snoop go. */
void ofproto_init(struct event_loop *loop, const char *rundir);
void ofproto_uninit(void);

/* Creates bridge NAME with its management sockets, without controllers, flushed tables. */
int ofproto_create(const char *name, struct ofproto **ofproto);
/* DEL: the bridge goes for good (sockets removed); else the daemon stops. */
void ofproto_destroy(struct ofproto *ofproto, bool del);
struct ofproto *ofproto_from_name(const char *name);
struct pl_bridge *ofproto_bridge(const struct ofproto *ofproto);
const char *ofproto_name(const struct ofproto *ofproto);
/* All bridges, sorted by name, NULL-terminated; free() the array. */
struct ofproto **ofproto_list(void);

/* Timers: timeouts, flow monitors, packet-ins from dp_punt_next(), rate limiters. Once per loop
 * iteration. */
void ofproto_run_all(void);

/* The sink with which the datapath's control half translates: learn becomes flow_mods here. */
struct xlate_sink *ofproto_sink(void);

/* ------------------------------------------------------------------ settings */

enum ofproto_fail_mode { OFPROTO_FAIL_SECURE, OFPROTO_FAIL_STANDALONE };

void ofproto_set_datapath_id(struct ofproto *ofproto, uint64_t dpid);
uint64_t ofproto_datapath_id(const struct ofproto *ofproto);
void ofproto_set_fail_mode(struct ofproto *ofproto, enum ofproto_fail_mode mode);
/* Bit V: OpenFlow wire version V allowed (bit 1: 1.0, bit 4: 1.3); 0: the defaults. */
void ofproto_set_protocols(struct ofproto *ofproto, uint32_t versions);
void ofproto_set_forward_bpdu(struct ofproto *ofproto, bool forward);
/* Forced into the ranges of ovs-vswitchd.conf.db(5). */
void ofproto_set_mac_aging(struct ofproto *ofproto, unsigned int seconds, size_t max_entries);
void ofproto_set_flood_vlans(
	struct ofproto *ofproto, const unsigned long *vlans); /* Copied; NULL. */
void ofproto_set_hwaddr(struct ofproto *ofproto, struct eth_addr mac);
/* other_config of the bridge that only OpenFlow's description shows: mfr, hw, sw, serial, dp-desc.
 */
void ofproto_set_desc(struct ofproto *ofproto, const char *mfr, const char *hw, const char *sw,
	const char *serial, const char *dp);
/* A row of Flow_Table. */
struct ofproto_table_conf {
	const char *name;		/* NULL: none. */
	uint32_t flow_limit;		/* UINT32_MAX: none. */
	bool evict;			/* At the limit: evict a flow rather than refuse. */
	char *const *groups;		/* By what to group for that: "NXM_OF_IN_PORT[]", "reg0[0..7]". */
	size_t n_groups;
};

/* Groups that name no field are left out, and said so in the log. */
void ofproto_set_table(struct ofproto *ofproto, uint8_t table_id, const struct ofproto_table_conf *conf);
void ofproto_set_vlan_limit(uint8_t limit);
/* After how many seconds (at least 1) bundles that nobody goes on with end, in all bridges. */
void ofproto_set_bundle_idle(uint32_t seconds);

/* ------------------------------------------------------------------ controllers */

struct ofproto_controller {
	char *target; /* tcp:..., ssl:..., unix:..., ptcp:..., punix:..., pssl:... */
	bool in_band;
	int dscp;			/* Of the connection's packets, 0..63. */
	int max_backoff_ms;
	int probe_interval_ms;		/* inactivity_probe; 0: none. */
	int rate_limit;			/* Packet-ins a second; 0: none. */
	int burst_limit;
	bool async_msgs;		/* enable_async_messages. */
	bool service;			/* A management listener, no controller. */
};

void ofproto_set_controllers(struct ofproto *ofproto, const struct ofproto_controller *controllers,
	size_t n);

struct ofproto_controller_status {
	bool is_connected;
	const char *role;		/* "other", "master", "slave". */
	struct smap *status; /* last_error, state, sec_since_connect, ...; caller destroys. */
};
bool ofproto_controller_status(const struct ofproto *ofproto, const char *target,
	struct ofproto_controller_status *status);
/* While held (flow-restore-wait) controllers are not connected; management sockets still answer. */
void ofproto_hold_controllers(bool hold);
bool ofproto_has_primary_controller(const struct ofproto *ofproto);

/* ------------------------------------------------------------------ ports */

struct ofproto_port {
	const char *name;
	dp_port_t dp_port;		/* From dp_port_open() or dp_port_alloc(). */
	ofp_port_t requested; /* ofport_request, or OFPP_NONE; OFPP_LOCAL for the bridge's own. */
	enum pl_port_kind kind;
	bool is_internal;
	const struct tnl_port *tunnel;
	struct dp_port_info info;
};

/* NUMBERS[N] are asked for by ports that are there or will be: others get them only if there are no more. */
void ofproto_ports_set_requested(struct ofproto *ofproto, const ofp_port_t *numbers, size_t n);
/* Adds PORT; *OFP_PORT gets its number: the requested one if free, else the one it last had, else
 * the lowest free one above 0. Announces it (port-status) at the next ofproto_commit(). */
int ofproto_port_add(
	struct ofproto *ofproto, const struct ofproto_port *port, ofp_port_t *ofp_port);
void ofproto_port_remove(struct ofproto *ofproto, ofp_port_t port);
/* No port is called NAME now, nor is one to come back under it: who takes the name next gets another number than
 * the last, as long as there are others. */
void ofproto_port_forget(struct ofproto *ofproto, const char *name);
/* Link, MAC, MTU, admin state. */
void ofproto_port_update(struct ofproto *ofproto, ofp_port_t port, const struct dp_port_info *info);
void ofproto_port_set_peer(struct ofproto *ofproto, ofp_port_t port, dp_port_t peer);
ofp_port_t ofproto_port_from_name(const struct ofproto *ofproto, const char *name);
const char *ofproto_port_name(const struct ofproto *ofproto, ofp_port_t port);
/* The names, for parsing and printing flows. */
void ofproto_port_names(const struct ofproto *ofproto, struct port_names *names);

/* What OVSDB calls a Port. Arrays and strings are copied. */
struct ofproto_bundle {
	const char *name;
	const ofp_port_t *ports;
	size_t n_ports;
	enum pl_vlan_mode vlan_mode;
	enum pl_priority_tags priority_tags;
	int vlan;
	const unsigned long *trunks;
	const unsigned long *cvlans;
	be16 qinq_ethtype;
	bool protected;
};

void ofproto_bundle_set(struct ofproto *ofproto, const struct ofproto_bundle *bundle);
void ofproto_bundle_remove(struct ofproto *ofproto, const char *name);

struct ofproto_mirror {
	const char *name;
	bool select_all;
	const char *const *src_ports;	/* Bundle names. */
	size_t n_src;
	const char *const *dst_ports;
	size_t n_dst;
	const unsigned long *vlans;	/* NULL: all. */
	const char *output_port;	/* Bundle name or NULL. */
	int output_vlan;		/* -1 none. */
	uint16_t snaplen;
};

/* Replaces the set of mirrors. */
void ofproto_set_mirrors(struct ofproto *ofproto, const struct ofproto_mirror *mirrors, size_t n);
bool ofproto_mirror_stats(const struct ofproto *ofproto, const char *name, uint64_t *packets,
	uint64_t *bytes);

/* Publishes port, bundle, mirror and setting changes as one snapshot, if there are any, and sends
 * port-status. */
void ofproto_commit(struct ofproto *ofproto);

/* ------------------------------------------------------------------ spanning trees and multicast
 */

/* On with SETTINGS, off with NULL. One of the two at most. A port takes part from the moment it is
 * set; after that only what differs is changed. */
void ofproto_set_stp(struct ofproto *ofproto, const struct stp_settings *settings);
void ofproto_set_rstp(struct ofproto *ofproto, const struct rstp_settings *settings);

struct ofproto_stp_port {
	unsigned int number;		/* 0 to STP_MAX_PORTS - 1; no two ports the same. */
	uint8_t priority;
	uint16_t path_cost;
};

/* NULL: PORT takes no part and forwards. */
void ofproto_port_set_stp(struct ofproto *ofproto, ofp_port_t port,
	const struct ofproto_stp_port *settings);
void ofproto_port_set_rstp(struct ofproto *ofproto, ofp_port_t port,
	const struct rstp_port_settings *settings);

/* False: off, or PORT takes no part. */
bool ofproto_stp_status(const struct ofproto *ofproto, struct stp_status *status);
bool ofproto_port_stp_status(const struct ofproto *ofproto, ofp_port_t port,
	struct stp_port_status *status, unsigned int *sec_in_state);
bool ofproto_rstp_status(const struct ofproto *ofproto, struct rstp_status *status);
bool ofproto_port_rstp_status(const struct ofproto *ofproto, ofp_port_t port,
	struct rstp_port_status *status);

/* Advances with every change of a port's state by a spanning tree. */
uint64_t ofproto_tree_changes(void);

struct ofproto_mcast {
	unsigned int idle_s;		/* mcast-snooping-aging-time. */
	size_t max_groups;		/* mcast-snooping-table-size. */
	bool flood_unregistered;
};

/* On with SETTINGS, off with NULL. */
void ofproto_set_mcast_snooping(struct ofproto *ofproto, const struct ofproto_mcast *settings);
/* PORT (the first of its bundle) gets all multicast; all reports. */
void ofproto_port_set_mcast(struct ofproto *ofproto, ofp_port_t port, bool flood,
	bool flood_reports);

/* ------------------------------------------------------------------ flows from the configuration
 */

/* Adds a flow in ovs-ofctl's syntax. 0, or -EINVAL with *ERROR (caller frees). */
int ofproto_add_flow_text(struct ofproto *ofproto, const char *text, char **error);

/* The unixctl commands of this room: ofproto/list, ofproto/trace..., bridge/dump-flows, fdb/...,
 * mdb/..., ofproto/tnl..., bridge/reconnect. */
void ofproto_unixctl_init(void);

/* Adds "rules", "ofconns" and the like to USAGE: name -> (uint64_t *), for memory/show. */
void ofproto_memory_usage(struct shash *usage);

/* ------------------------------------------------------------------ over a restart */

/*
 * A snapshot keeps flows, groups, meters, Geneve options, forwarding databases, port numbers and
 * underlay neighbours, for bridges that have a UUID. It is written in slices, each bridge as it was
 * at ofproto_save_begin(); and parsed by a thread of its own while the rest of the daemon starts.
 * BOOT is the machine's boot id: a snapshot from before a reboot is none.
 */

void ofproto_set_uuid(struct ofproto *ofproto, const char *uuid);
/* NAME is to get NUMBER when it is added, unless another port takes it. */
void ofproto_port_expect(struct ofproto *ofproto, const char *name, ofp_port_t number);

void ofproto_save_begin(const char *boot);
/* Appends about a millisecond's worth to OUT; false when that was all. */
bool ofproto_save_step(struct sbuf *out);
void ofproto_save_end(void);

/* False: there is no snapshot to use. */
bool ofproto_load_begin(const char *file, const char *boot);
/* Numbers that OFPROTO's ports had. Before ports are added. */
void ofproto_load_ports(struct ofproto *ofproto);
/* Everything else of the bridge, in the place of what it has now; waits for the parser. Returns the
 * number of flows, or -1 if the snapshot does not know the bridge. */
long ofproto_load(struct ofproto *ofproto);
void ofproto_load_neighbours(void);
void ofproto_load_end(void);
