/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Dependency counters: how cached paths learn that what they were made from has changed. 65536
 * counters shared by everything, plus one sequence number. Control publishes a change (RCU), then
 * bumps the counters of what changed. A path stores the sequence number loaded before its
 * translation began and the ids it depended on: if the global sequence is still the same it is
 * valid; else it is valid if none of its counters passed its stored sequence, and it may restamp.
 *
 * Two things that share a counter cost a retranslation, never an error.
 *
 * Threads: bump by control only; the rest by anyone.
 */

#include <stdatomic.h>

#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/types.h"

#define DEP_N 65536

enum dep_kind {
	DEP_TABLE,		/* a: bridge id << 8 | table. A wide change in the table. */
	DEP_TABLE_KEY,		/* the same plus a hash of the key under the table's common mask. */
	DEP_FDB,		/* bridge id, hash of vlan and mac: learned, moved, expired. */
	DEP_FDB_CROWD,		/* bridge id: its table takes new addresses again. */
	DEP_BRIDGE,		/* bridge id: settings, mirrors; not what its ports are like. */
	DEP_PORTS,		/* bridge id: any of its ports, or their order. */
	DEP_OFP_PORT,		/* bridge id, OpenFlow port: which it is, all about it and its bundle. */
	DEP_PORT,		/* dp_port: state, peer, config, liveness. */
	DEP_GROUP,		/* bridge id, group id. */
	DEP_METER,		/* bridge id, meter id. */
	DEP_ROUTE,		/* any route or address but those of link scope ... */
	DEP_ROUTE_LINK,		/* ... and those. */
	DEP_NEIGH,		/* 0, hash of the address: see dep_neigh(). */
	DEP_TUNNEL,		/* which tunnel packets the host listens for. */
	DEP_MDB,		/* bridge id: multicast snooping. */
};

struct dependency {
	_Atomic uint32_t seq;
	_Atomic uint32_t counter[DEP_N];
};

extern struct dependency dependency;

static inline uint16_t dep_id(enum dep_kind kind, uint32_t a, uint32_t b)
{
	return (uint16_t)hash_u64((uint64_t)a << 32 | b, kind + 1);
}

/* The ids, so that who bumps and who depends name a thing alike. For tables see pl_table_deps(). */
static inline uint16_t dep_fdb(uint32_t bridge_id, struct eth_addr mac, uint16_t vlan)
{
	return dep_id(DEP_FDB, bridge_id, hash_u64(eth_addr_to_u64(mac) << 16 | vlan, 0));
}

static inline uint16_t dep_fdb_crowd(uint32_t bridge_id)
{
	return dep_id(DEP_FDB_CROWD, bridge_id, 0);
}

static inline uint16_t dep_bridge(uint32_t bridge_id)
{
	return dep_id(DEP_BRIDGE, bridge_id, 0);
}

static inline uint16_t dep_ports(uint32_t bridge_id)
{
	return dep_id(DEP_PORTS, bridge_id, 0);
}

static inline uint16_t dep_ofp_port(uint32_t bridge_id, ofp_port_t port)
{
	return dep_id(DEP_OFP_PORT, bridge_id, port);
}

static inline uint16_t dep_port(dp_port_t port)
{
	return dep_id(DEP_PORT, port, 0);
}

static inline uint16_t dep_group(uint32_t bridge_id, uint32_t group_id)
{
	return dep_id(DEP_GROUP, bridge_id, group_id);
}

static inline uint16_t dep_meter(uint32_t bridge_id, uint32_t meter_id)
{
	return dep_id(DEP_METER, bridge_id, meter_id);
}

static inline uint16_t dep_route(void)
{
	return dep_id(DEP_ROUTE, 0, 0);
}

static inline uint16_t dep_route_link(void)
{
	return dep_id(DEP_ROUTE_LINK, 0, 0);
}

/* Of underlay neighbour ADDR (IPv4 as ::ffff:a.b.c.d), on whatever bridge. */
static inline uint16_t dep_neigh(const struct ipv6_addr *addr)
{
	return dep_id(DEP_NEIGH, 0, hash_bytes(addr, sizeof *addr, 0));
}

static inline uint16_t dep_tunnel(void)
{
	return dep_id(DEP_TUNNEL, 0, 0);
}

static inline uint16_t dep_mdb(uint32_t bridge_id)
{
	return dep_id(DEP_MDB, bridge_id, 0);
}

static inline uint16_t dep_table(uint32_t bridge_id, uint8_t table_id)
{
	return dep_id(DEP_TABLE, bridge_id << 8 | table_id, 0);
}

static inline uint16_t dep_table_key(uint32_t bridge_id, uint8_t table_id, uint32_t key_hash)
{
	return dep_id(DEP_TABLE_KEY, bridge_id << 8 | table_id, key_hash);
}

/* The sequence number to stamp a translation with: load it before reading any table. */
static inline uint32_t dep_seq(void)
{
	return atomic_load_explicit(&dependency.seq, memory_order_acquire);
}

/* Control: what ID stands for has been published in its new form. */
void dep_bump(uint16_t id);
/* Control: the bumps between these show together, at the end. For many small changes that nobody waits for, as
 * addresses learned: every path that is used looks at its dependencies once, not for each of them. */
void dep_batch_begin(void);
void dep_batch_end(void);

/* True if none of IDS[N] changed after SEQ. Wraps: see dep_bump's comment in the .c. */
bool dep_is_valid(uint32_t seq, const uint16_t *ids, unsigned int n);
