/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tunnel ports: how packets for one are encapsulated, and which one a packet from an underlay
 * belongs to. Matching as in Open vSwitch: by type and UDP port, then in_key, local and remote
 * address, from the most specific to the least (key before remote before local; `flow` matches
 * anything).
 *
 * Threads: add, remove by control; lookups by any thread under RCU.
 */

#include "lib/cmap.h"
#include "lib/flow.h"
#include "lib/sbuf.h"

enum tnl_type {
	TNL_VXLAN,
	TNL_GRE,
	TNL_GENEVE,
	TNL_N_TYPES
};

/* "vxlan", "gre", "geneve". */
const char *tnl_type_name(enum tnl_type type);
/* Interface.type ("ip6gre" is GRE). False, *TYPE untouched: it is none of these. */
bool tnl_type_parse(const char *name, enum tnl_type *type);
/* NAME is a tunnel type of Open vSwitch's that is not built. */
bool tnl_type_is_foreign(const char *name);

/* Settings of one tunnel interface, parsed from its options. Addresses: IPv4 as ::ffff:a.b.c.d. */
struct tnl_config {
	enum tnl_type type;
	be16 dst_port; /* UDP; 0 for GRE. */
	bool in_key_flow, in_key_present;
	bool out_key_flow, out_key_present;
	be64 in_key, out_key;
	bool local_flow, remote_flow;
	struct ipv6_addr local, remote; /* All zero: local is chosen by the route. */
	uint8_t tos, ttl;               /* ttl 0: default 64. */
	bool tos_inherit, ttl_inherit;
	bool dont_fragment; /* df_default. */
	bool csum;
	bool gre_seq;
	bool gbp; /* VXLAN exts=gbp. */
	bool gpe;
	uint32_t egress_pkt_mark;
};

struct smap;
/* Parses Interface.options of interface NAME of TYPE ("vxlan", ...). 0, or -EINVAL with Open
 * vSwitch's text in *ERROR (caller frees); unknown keys are warned of in the log, not refused. */
int tnl_config_parse(const char *name, const char *type, const struct smap *options,
	struct tnl_config *config, char **error);

struct tnl_port {
	struct tnl_config config;
	dp_port_t dp_port;
	char name[16];
	_Atomic uint32_t gre_seq;
	/* Private to tnl_port.c. */
	struct cmap_node node;
	uint32_t match_kind;
	struct tnl_listener *listener;
};

/* Adds a port; -EEXIST if another has the same match (OVS refuses it too), -EADDRINUSE if a VXLAN
 * port with other exts has its UDP port. The result lives until a grace period after
 * tnl_port_remove(). */
int tnl_port_add(const struct tnl_config *config, dp_port_t dp_port, const char *name,
	const struct tnl_port **port);
void tnl_port_remove(const struct tnl_port *port);

/* Any thread. The port that a packet with outer header TNL (addresses, tun_id, FLOW_TNL_F_KEY) of
 * TYPE to UDP port DST_PORT arrives at, or NULL. */
const struct tnl_port *tnl_port_lookup(
	enum tnl_type type, be16 dst_port, const struct flow_tnl *tnl);

/* Control. A port that may have sent a packet with outer header TNL of TYPE, or NULL. Slow: looks at
 * all ports. */
const struct tnl_port *tnl_port_sends(enum tnl_type type, const struct flow_tnl *tnl);

/* Any thread. Some tunnel port listens for packets with this IP protocol and UDP port: *TYPE. */
bool tnl_port_listens(uint8_t nw_proto, be16 tp_dst, enum tnl_type *type);

/* ... with this IP protocol and any port; IP_P_FRAGMENT: any protocol. */
bool tnl_port_listens_for_any(uint8_t nw_proto);

/* Any thread. VXLAN packets to UDP port DST_PORT may carry a group policy (exts=gbp). */
bool tnl_port_has_gbp(be16 dst_port);

/* Outer header fields for output of FLOW by PORT: from its settings, and from FLOW's tunnel fields
 * where they say `flow` or inherit. WC gets the bits looked at, but for those of FLOW's tunnel
 * (which are significant on input already). False: can't be sent (no remote). */
bool tnl_port_output(const struct tnl_port *port, const struct flow *flow, struct flow *wc,
	struct flow_tnl *outer);

/* Any thread. */
size_t tnl_port_count(void);
/* Control. Another number whenever a port has come or gone. */
uint64_t tnl_port_generation(void);
/* Control. Another number whenever what tnl_port_listens() says, or whether there are any ports, has changed. */
uint64_t tnl_port_listening(void);

/* Control. "tnl/ports/show"; VERBOSE (-v): one line a listening address. */
void tnl_port_format_all(struct sbuf *s, bool verbose);
/* Control. "ofproto/list-tunnels". */
void tnl_port_format_list(struct sbuf *s);
/* PORT's line there without the newline. */
void tnl_port_format(const struct tnl_port *port, struct sbuf *s);
