/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The configuration as typed rows with the names of ovs-vswitchd.conf.db(5), whatever it came from:
 * the database or a JSON file. A model is built whole by its source, then handed to the reconciler,
 * which compares it with what runs. Plain data: no row knows whether it is in effect.
 *
 * A row's `id` is the database's UUID, or the JSON path; status goes back by it. Strings and arrays
 * are owned by the model. "Not set" is NULL, -1 or an empty map, as each member says. Control thread only.
 */

#include "lib/smap.h"
#include "lib/types.h"
#include "lib/vec.h"

#define MODEL_UNSET (-1)

struct model_interface {
	char *id;
	char *name;
	char *type;			/* "" is a system device. */
	struct smap options;
	struct smap other_config;
	struct smap external_ids;
	struct smap bfd;
	int64_t ofport_request;		/* MODEL_UNSET, or 1 to 65279. */
	int64_t ofport;			/* What it last had, when first seen; MODEL_UNSET. */
	char *mac;			/* NULL. */
	int64_t mtu_request;		/* MODEL_UNSET. */
	int64_t ingress_policing_rate, ingress_policing_burst;	/* kb/s, kb; 0 none. */
	int64_t ingress_policing_kpkts_rate, ingress_policing_kpkts_burst;
};

struct model_port {
	char *id;
	char *name;
	VEC(struct model_interface *) interfaces;
	int64_t tag;			/* MODEL_UNSET. */
	unsigned long *trunks;		/* Bitmap of 4096; NULL. */
	unsigned long *cvlans;
	char *vlan_mode;		/* NULL. */
	char *mac;			/* Its say in the bridge's address; NULL: its devices'. */
	bool protected;
	char *bond_mode;		/* NULL. */
	char *lacp;
	bool has_qos;
	struct smap other_config;
	struct smap external_ids;
};

struct model_controller {
	char *id;
	char *target;
	char *type;			/* "primary" or "service"; NULL: by the target. */
	char *connection_mode;		/* NULL: in-band. */
	int64_t max_backoff;		/* ms; MODEL_UNSET: 8000. */
	int64_t inactivity_probe;	/* ms; MODEL_UNSET: 5000. */
	int64_t controller_rate_limit;	/* MODEL_UNSET: none. */
	int64_t controller_burst_limit;
	bool enable_async_messages;
	struct smap other_config;
};

struct model_mirror {
	char *id;
	char *name;
	bool select_all;
	VEC(char *) select_src_ports;	/* Names of ports. */
	VEC(char *) select_dst_ports;
	unsigned long *select_vlans;
	char *output_port;		/* NULL. */
	int64_t output_vlan;		/* MODEL_UNSET. */
	int64_t snaplen;		/* MODEL_UNSET. */
};

struct model_flow_table {
	int64_t table_id;
	char *name;			/* NULL. */
	int64_t flow_limit;		/* MODEL_UNSET. */
	char *overflow_policy;		/* NULL: refuse. */
	VEC(char *) groups;		/* Fields. */
};

struct model_bridge {
	char *id;
	char *name;
	char *datapath_type;
	char *fail_mode;		/* NULL: standalone. */
	VEC(char *) protocols;
	VEC(struct model_port *) ports;
	VEC(struct model_controller *) controllers;
	VEC(struct model_mirror *) mirrors;
	VEC(struct model_flow_table) flow_tables;
	unsigned long *flood_vlans;	/* NULL. */
	bool mcast_snooping_enable;
	bool stp_enable;
	bool rstp_enable;
	bool has_netflow, has_sflow, has_ipfix;
	struct smap other_config;
	struct smap external_ids;
	/* JSON only. */
	VEC(char *) flows;		/* ovs-ofctl syntax. */
	char *flow_file;
};

struct model_ssl {
	char *private_key;
	char *certificate;
	char *ca_cert;
	bool bootstrap_ca_cert;
};

struct model {
	int64_t next_cfg;
	struct smap other_config;
	struct smap external_ids;
	struct model_ssl *ssl;		/* NULL. */
	VEC(struct model_bridge *) bridges;
	VEC(char *) datapaths;		/* Ids of rows that want to know what flows may use. */
	VEC(char *) idle_columns;	/* "interface p1: cfm_mpid": set, and nothing here reads it. */
};

struct model *model_create(void);
void model_destroy(struct model *model);
/* Rows with the defaults of the schema. ID and NAME are copied. */
struct model_bridge *model_add_bridge(struct model *model, const char *id, const char *name);
struct model_port *model_add_port(struct model_bridge *bridge, const char *id, const char *name);
struct model_interface *model_add_interface(struct model_port *port, const char *id,
	const char *name);
struct model_controller *model_add_controller(struct model_bridge *bridge, const char *id,
	const char *target);
struct model_mirror *model_add_mirror(struct model_bridge *bridge, const char *id, const char *name);
