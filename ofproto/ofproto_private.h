/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of struct ofproto, for the files of the bridge object and the agent's handlers only.
 *
 * Threads: control only.
 */

#include "lib/bitmap.h"
#include "lib/sset.h"
#include "ofproto/ofproto.h"
#include "ofproto/state/table.h"
#include "ofproto/wire/port.h"
#include "ofproto/wire/switch.h"

struct connmgr;

struct of_port {
	struct hmap_node node;		/* In ofproto->ports by number. */
	char *name;
	ofp_port_t ofp_port;
	dp_port_t dp_port;
	dp_port_t peer;
	enum pl_port_kind kind;
	bool is_internal;
	const struct tnl_port *tunnel;
	struct dp_port_info info;
	uint32_t config;		/* OFPPC_*. */

	/* By STP or RSTP. */
	int stp_number;			/* -1: takes no part. */
	bool in_rstp;
	uint8_t stp_allows;		/* PL_PORT_LEARNS, PL_PORT_FORWARDS. */
	uint32_t stp_state;		/* OFPPS_STP_*. */
	int stp_shown;			/* enum stp_state, since... */
	int64_t stp_since_ms;		/* ... then; 0: none yet. */

	int64_t created_ms;
	uint32_t rx_counter, tx_counter;	/* Patch and tunnel; else COUNTER_NONE. */
	bool announced;			/* Controllers know of it. */
	struct port_desc shown;		/* As they know it. */
};

struct of_bundle_conf {			/* What OVSDB calls a Port. */
	char *name;
	VEC(ofp_port_t) ports;
	enum pl_vlan_mode vlan_mode;
	enum pl_priority_tags priority_tags;
	int vlan;
	unsigned long *trunks;
	unsigned long *cvlans;
	be16 qinq_ethtype;
	bool protected;
};

struct of_mirror_conf {
	char *name;
	bool select_all;
	struct sset src_ports, dst_ports;
	unsigned long *vlans;
	char *output_port;
	int output_vlan;
	uint16_t snaplen;
	uint32_t counter;
};

struct ofproto {
	char *name;
	char *uuid;			/* In snapshots; NULL: in none. */
	struct pl_bridge *bridge;
	struct of_state state;
	struct of_listener listener;
	struct connmgr *mgr;
	uint64_t dpid;
	char *mfr, *hw, *sw, *serial, *dp_desc;	/* NULL: default. */

	/* Ports. */
	struct hmap ports;
	struct shash port_numbers;	/* Name -> number it last had (uintptr_t). */
	/* Numbers that some port has or had, as of so many names; all below the first of them that is free
	 * to give out are. */
	unsigned long *numbers_requested;	/* By ports of the configuration. */
	unsigned long *numbers_used;
	size_t numbers_names;
	ofp_port_t numbers_from;
	VEC(struct port_desc) departed;	/* Deletions to announce. */
	struct shash bundles;		/* struct of_bundle_conf. */
	VEC(struct of_mirror_conf) mirrors;
	bool conf_dirty;		/* To publish by ofproto_commit(). */

	/* Protocol engines; NULL: off. */
	struct stp *stp;
	struct rstp *rstp;
	struct mcast_snooping *mcast;
	int64_t mcast_next_ms;

	/* Settings of the snapshot. */
	bool forward_bpdu;
	bool mcast_flood_unregistered;
	unsigned long *flood_vlans;
	struct eth_addr hwaddr;
	enum ofp_frag frag;
};

/* What the process has in common. */
struct ofproto_globals {
	struct event_loop *loop;
	char *rundir;
	struct shash all;		/* struct ofproto by name. */
	bool hold_controllers;
	uint8_t vlan_limit;
	unsigned long long n_created;
};
extern struct ofproto_globals ofproto_globals;

struct ofproto *ofproto_from_bridge_id(uint32_t bridge_id);

/* Fields are read and written as OFPROTO maps them, until the next call. NULL: no options. */
void ofproto_use_tlv_map(const struct ofproto *ofproto);

/* ofproto_port.c */
void ofproto_ports_init(struct ofproto *ofproto);
void ofproto_ports_uninit(struct ofproto *ofproto);
struct of_port *ofproto_port_get(const struct ofproto *ofproto, ofp_port_t port);
/* All ports by number; free() the array. */
struct of_port **ofproto_ports_sorted(const struct ofproto *ofproto, size_t *n);
void ofproto_port_describe(const struct of_port *port, struct port_desc *desc);
/* OFPT_PORT_MOD: OFPPMFC_BAD_PORT, OFPPMFC_BAD_HW_ADDR. The second does it; SOURCE is not told. */
enum ofp_error ofproto_port_mod_check(struct ofproto *ofproto, const struct port_mod *pm);
void ofproto_port_mod(struct ofproto *ofproto, const struct port_mod *pm, void *source);
void ofproto_set_frag(struct ofproto *ofproto, enum ofp_frag frag);

/* Sends port-status for what changed since the last time. */
void ofproto_ports_announce(struct ofproto *ofproto);

/* ofproto_conf.c */
void ofproto_conf_uninit(struct ofproto *ofproto);

/* ofproto_packet.c: a packet_out's actions, checked against its key. FRAME[LEN]. */
struct packet_out;
enum ofp_error ofproto_packet_out_check(struct ofproto *ofproto, enum ofp_version version,
	struct packet_out *po);
void ofproto_packet_out(struct ofproto *ofproto, const struct packet_out *po);

/* Flow tables get back to how they were made, fail-mode flows included. */
void ofproto_flush(struct ofproto *ofproto);
