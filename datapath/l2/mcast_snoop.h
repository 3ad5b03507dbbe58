/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * IGMP (v1 to v3) and MLD (v1, v2) snooping of one bridge: who wants which multicast group in which
 * VLAN. Control feeds the engine frames and the clock; PMDs read what it knows lock-free.
 *
 * Words: `port`: the OpenFlow port that stands for its bundle. `group`: (address, VLAN) with the
 * ports that asked for it; an IPv4 group is ::ffff:a.b.c.d. `router port`: where a querier was heard
 * in a VLAN. `flood port`: configured to get all multicast. `report port`: configured to get all
 * reports too.
 *
 * A port that is a router port of the VLAN or a flood port is not put into groups: it gets the
 * packets anyway. Every change that readers could see bumps dep_mdb().
 */

#include "lib/types.h"

#define MCAST_DEFAULT_IDLE_S 300
#define MCAST_DEFAULT_MAX 2048
#define MCAST_ROUTER_IDLE_S 180

struct mcast_snooping;

/* Control, unless said otherwise. */
struct mcast_snooping *mcast_snooping_create(uint32_t bridge_id);
/* Frees after a grace period. */
void mcast_snooping_destroy(struct mcast_snooping *ms);
/* IDLE_S: 15 to 3600. MAX: groups, 10 to 1,000,000; a new one then takes the place of the one used
 * least recently. */
void mcast_snooping_configure(struct mcast_snooping *ms, unsigned int idle_s, size_t max);
void mcast_snooping_set_flood(struct mcast_snooping *ms, ofp_port_t port, bool flood);
void mcast_snooping_set_flood_reports(struct mcast_snooping *ms, ofp_port_t port, bool flood);

/* FRAME[LEN] with an IGMP or MLD message came in by PORT in VLAN. Returns how many groups, members or
 * routers are new or gone. A wrong checksum or a malformed message changes nothing but for the
 * records in front of the cut. */
unsigned int mcast_snooping_receive(struct mcast_snooping *ms, ofp_port_t port, uint16_t vlan,
	const void *frame, size_t len, int64_t now_ms);
/* Ages; call about once a second. */
void mcast_snooping_run(struct mcast_snooping *ms, int64_t now_ms);
/* Forgets groups and routers. */
void mcast_snooping_flush(struct mcast_snooping *ms);
/* Forgets what PORT was a member of and its routers; all of it, also how it is flooded, if it is going away. */
void mcast_snooping_forget_port(struct mcast_snooping *ms, ofp_port_t port);
void mcast_snooping_flush_port(struct mcast_snooping *ms, ofp_port_t port);

/* A list of ports as readers see it; immutable. */
struct mcast_member {
	ofp_port_t port;
	uint16_t vlan;		/* Router ports only. */
};

struct mcast_members {
	uint32_t n;
	struct mcast_member m[];
};

/* Any thread, under RCU; NULL is an empty list. For a group NULL means that nobody asked for it. */
const struct mcast_members *mcast_snooping_group(const struct mcast_snooping *ms,
	const struct ipv6_addr *group, uint16_t vlan);
const struct mcast_members *mcast_snooping_routers(const struct mcast_snooping *ms);
const struct mcast_members *mcast_snooping_flood(const struct mcast_snooping *ms);
const struct mcast_members *mcast_snooping_flood_reports(const struct mcast_snooping *ms);

/* For mdb/show: calls SHOW for each member of each group, then for each router (GROUP NULL), those not
 * used for the longest time first. AGE_S: since the last report. */
void mcast_snooping_walk(const struct mcast_snooping *ms, int64_t now_ms,
	void (*show)(void *aux, const struct ipv6_addr *group, uint16_t vlan, ofp_port_t port,
		int age_s), void *aux);
size_t mcast_snooping_count(const struct mcast_snooping *ms);
