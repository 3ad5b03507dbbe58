/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Forwarding database of one bridge: (VLAN, MAC) -> port. Readers look up lock-free; control learns
 * (from the PMDs' news), ages and flushes. An entry's age is its counter's `used`: sweeping a path
 * refreshes the source entry that the path lists. A MAC that moves gets a new entry and counter.
 *
 * Bounded: at the maximum the oldest entry of the port with most entries goes (fair, as in OVS). When a quarter
 * of the table has gone that way within a second it is `crowded`: translation learns no new address until fdb_run()
 * has been called, so that a storm does not drive out stations of whose packets the counters know only a second later.
 */

#include "lib/cmap.h"
#include "lib/list.h"
#include "lib/sbuf.h"
#include "lib/types.h"

#define FDB_DEFAULT_AGE_S 300
#define FDB_DEFAULT_MAX 8192

struct fdb_entry {
	struct cmap_node node;
	struct eth_addr mac;
	uint16_t vlan;
	ofp_port_t port;	/* ofp_port of the bundle's port it was seen on. */
	uint32_t counter;
	bool is_static;		/* fdb/add: never ages. */
	int64_t used_ms;	/* Last use known; the counter may know better. */
	struct list lru;	/* Control's. */
	struct list port_lru;
};

struct fdb;

struct fdb *fdb_create(uint32_t bridge_id);
void fdb_destroy(struct fdb *fdb);

/* Any thread, under RCU; NULL if unknown. */
const struct fdb_entry *fdb_lookup(const struct fdb *fdb, struct eth_addr mac, uint16_t vlan);

/* Any thread. What was translated while it is true depends on dep_fdb_crowd(). */
bool fdb_is_crowded(const struct fdb *fdb);

/* Control. Learns or moves (bumps dep_fdb()) or only refreshes. Returns true if something changed. */
bool fdb_learn(struct fdb *fdb, struct eth_addr mac, uint16_t vlan, ofp_port_t port, int64_t now_ms);
bool fdb_add_static(struct fdb *fdb, struct eth_addr mac, uint16_t vlan, ofp_port_t port);
bool fdb_remove(struct fdb *fdb, struct eth_addr mac, uint16_t vlan);
void fdb_set_age(struct fdb *fdb, unsigned int seconds);
void fdb_set_max(struct fdb *fdb, size_t max);
/* Expires what is older than the age, and ends a crowd; call about once a second. Returns how many went. */
size_t fdb_run(struct fdb *fdb, int64_t now_ms);
/* What was learned goes. */
void fdb_flush(struct fdb *fdb);
/* All of the port goes, static entries too: it is no more, or not what it was. */
void fdb_flush_port(struct fdb *fdb, ofp_port_t port);
size_t fdb_count(const struct fdb *fdb);

struct fdb_stats {
	uint64_t total_learned, total_expired, total_evicted, total_moved, total_static;
	size_t current_static;
	size_t max;
	unsigned int age_s;
};
struct fdb_stats fdb_stats(const struct fdb *fdb);
/* The totals start again from 0. */
void fdb_stats_clear(struct fdb *fdb);

/* Iteration by control, oldest first as `fdb/show` lists them: NULL starts, NULL ends. */
const struct fdb_entry *fdb_next(struct fdb *fdb, const struct fdb_entry *entry);
/* Seconds since ENTRY was last used. */
unsigned int fdb_entry_age_s(const struct fdb_entry *entry, int64_t now_ms);
