/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/fdb.h"

#include <stdlib.h>

#include "datapath/pipeline/counter.h"
#include "datapath/pipeline/dependency.h"
#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/hmap.h"
#include "lib/util.h"

COVERAGE_DEFINE(mac_learning_learned);
COVERAGE_DEFINE(mac_learning_moved);
COVERAGE_DEFINE(mac_learning_expired);
COVERAGE_DEFINE(mac_learning_evicted);
COVERAGE_DEFINE(mac_learning_crowded);

/* How many candidates an eviction looks at for one that was not used since it was queued. */
#define EVICT_TRIES 16

/* Of the table, or of one of the default size if that is larger, this part may be driven out between two calls of
 * fdb_run(): entries have then been looked at by a sweep of counters or two before they come to the head of the
 * list. */
#define CROWD 4

/* How many entries fdb_run() looks at: all, up to the default maximum. */
#define RUN_BATCH 8192

/* Entries learned on one port, oldest first as far as known. */
struct fdb_port {
	struct hmap_node node;
	ofp_port_t port;
	size_t n;
	struct list lru;
};

struct fdb {
	uint32_t bridge_id;
	struct cmap entries;
	struct list lru;	/* Learned entries; fdb_run() goes round. */
	struct list statics;
	struct hmap ports;
	struct fdb_stats stats;
	size_t n_driven_out;	/* By new ones, since fdb_run(). */
	_Atomic bool crowded;
};

struct fdb *fdb_create(uint32_t bridge_id)
{
	struct fdb *fdb = xcalloc(1, sizeof *fdb);

	fdb->bridge_id = bridge_id;
	cmap_init(&fdb->entries);
	list_init(&fdb->lru);
	list_init(&fdb->statics);
	hmap_init(&fdb->ports);
	fdb->stats.age_s = FDB_DEFAULT_AGE_S;
	fdb->stats.max = FDB_DEFAULT_MAX;
	return fdb;
}

static uint32_t entry_hash(struct eth_addr mac, uint16_t vlan)
{
	return hash_u64(eth_addr_to_u64(mac) << 16 | vlan, 0);
}

static struct fdb_entry *find(const struct fdb *fdb, struct eth_addr mac, uint16_t vlan)
{
	struct fdb_entry *e;

	CMAP_FOR_EACH_WITH_HASH (e, node, entry_hash(mac, vlan), &fdb->entries)
		if (e->vlan == vlan && eth_addr_equal(e->mac, mac))
			return e;
	return NULL;
}

const struct fdb_entry *fdb_lookup(const struct fdb *fdb, struct eth_addr mac, uint16_t vlan)
{
	return find(fdb, mac, vlan);
}

/* ------------------------------------------------------------------ ports */

static struct fdb_port *find_port(const struct fdb *fdb, ofp_port_t port)
{
	struct fdb_port *p;

	HMAP_FOR_EACH_WITH_HASH (p, node, hash_u32(port, 0), &fdb->ports)
		if (p->port == port)
			return p;
	return NULL;
}

static void join_port(struct fdb *fdb, struct fdb_entry *e)
{
	struct fdb_port *p = find_port(fdb, e->port);

	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->port = e->port;
		list_init(&p->lru);
		hmap_insert(&fdb->ports, &p->node, hash_u32(e->port, 0));
	}
	p->n++;
	list_push_back(&p->lru, &e->port_lru);
}

static void leave_port(struct fdb *fdb, struct fdb_entry *e)
{
	struct fdb_port *p = find_port(fdb, e->port);

	list_remove(&e->port_lru);
	if (!--p->n) {
		hmap_remove(&fdb->ports, &p->node);
		free(p);
	}
}

/* ------------------------------------------------------------------ entries come and go */

static struct fdb_entry *new_entry(struct fdb *fdb, struct eth_addr mac, uint16_t vlan,
	ofp_port_t port, int64_t now_ms, bool is_static)
{
	struct fdb_entry *e = xcalloc(1, sizeof *e);

	e->mac = mac;
	e->vlan = vlan;
	e->port = port;
	e->counter = counter_alloc();
	e->is_static = is_static;
	e->used_ms = now_ms;
	list_push_back(is_static ? &fdb->statics : &fdb->lru, &e->lru);
	list_init(&e->port_lru);
	if (is_static)
		fdb->stats.current_static++;
	else
		join_port(fdb, e);
	return e;
}

/* E is out of the map; readers may still hold it. */
static void retire(struct fdb *fdb, struct fdb_entry *e)
{
	if (e->is_static)
		fdb->stats.current_static--;
	else
		leave_port(fdb, e);
	list_remove(&e->lru);
	counter_free(e->counter);
	dep_bump(dep_fdb(fdb->bridge_id, e->mac, e->vlan));
	rcu_defer_free(e);
}

static void remove_entry(struct fdb *fdb, struct fdb_entry *e)
{
	cmap_remove(&fdb->entries, &e->node);
	retire(fdb, e);
}

void fdb_destroy(struct fdb *fdb)
{
	if (!fdb)
		return;
	fdb_flush(fdb);
	while (!list_is_empty(&fdb->statics))
		remove_entry(fdb, container_of(fdb->statics.next, struct fdb_entry, lru));
	cmap_uninit(&fdb->entries);
	hmap_uninit(&fdb->ports);
	free(fdb);
}

/* E was used at NOW_MS. */
static void touch(struct fdb *fdb, struct fdb_entry *e, int64_t now_ms)
{
	if (now_ms <= e->used_ms)
		return;
	e->used_ms = now_ms;
	list_remove(&e->port_lru);
	list_push_back(&find_port(fdb, e->port)->lru, &e->port_lru);
}

/* Catches up with E's counter; true if it was used since. */
static bool catch_up(struct fdb *fdb, struct fdb_entry *e)
{
	int64_t before_ms = e->used_ms;

	touch(fdb, e, counter_get(e->counter).used_ms);
	return e->used_ms > before_ms;
}

static struct fdb_port *fullest_port(const struct fdb *fdb)
{
	struct fdb_port *p, *best = NULL;

	HMAP_FOR_EACH (p, node, &fdb->ports)
		if (!best || p->n > best->n)
			best = p;
	return best;
}

static void evict_one(struct fdb *fdb)
{
	struct fdb_port *p = fullest_port(fdb);

	for (int i = 0; i < EVICT_TRIES; i++)
		if (!catch_up(fdb, container_of(p->lru.next, struct fdb_entry, port_lru)))
			break;
	remove_entry(fdb, container_of(p->lru.next, struct fdb_entry, port_lru));
	fdb->stats.total_evicted++;
	COVERAGE_INC(mac_learning_evicted);
}

static size_t n_learned(const struct fdb *fdb)
{
	return cmap_count(&fdb->entries) - fdb->stats.current_static;
}

static void drive_one_out(struct fdb *fdb)
{
	evict_one(fdb);
	fdb->n_driven_out++;
	if (fdb->n_driven_out >= MAX(fdb->stats.max, (size_t)FDB_DEFAULT_MAX) / CROWD)
		atomic_store_explicit(&fdb->crowded, true, memory_order_relaxed);
}

static void end_crowd(struct fdb *fdb)
{
	fdb->n_driven_out = 0;
	if (!fdb_is_crowded(fdb))
		return;
	atomic_store_explicit(&fdb->crowded, false, memory_order_relaxed);
	dep_bump(dep_fdb_crowd(fdb->bridge_id));
	COVERAGE_INC(mac_learning_crowded);
}

bool fdb_is_crowded(const struct fdb *fdb)
{
	return atomic_load_explicit(&fdb->crowded, memory_order_relaxed);
}

bool fdb_learn(struct fdb *fdb, struct eth_addr mac, uint16_t vlan, ofp_port_t port, int64_t now_ms)
{
	struct fdb_entry *old = find(fdb, mac, vlan), *e;

	if (old && (old->is_static || old->port == port)) {
		if (!old->is_static)
			touch(fdb, old, now_ms);
		return false;
	}
	if (eth_addr_is_multicast(mac) || !fdb->stats.max)
		return false;

	if (old) {
		e = new_entry(fdb, mac, vlan, port, now_ms, false);
		cmap_replace(&fdb->entries, &old->node, &e->node);
		retire(fdb, old);
		fdb->stats.total_moved++;
		COVERAGE_INC(mac_learning_moved);
		return true;
	}
	while (n_learned(fdb) >= fdb->stats.max)
		drive_one_out(fdb);
	e = new_entry(fdb, mac, vlan, port, now_ms, false);
	cmap_insert(&fdb->entries, &e->node, entry_hash(mac, vlan));
	dep_bump(dep_fdb(fdb->bridge_id, mac, vlan));
	fdb->stats.total_learned++;
	COVERAGE_INC(mac_learning_learned);
	return true;
}

bool fdb_add_static(struct fdb *fdb, struct eth_addr mac, uint16_t vlan, ofp_port_t port)
{
	struct fdb_entry *old = find(fdb, mac, vlan), *e;

	if (old && old->is_static && old->port == port)
		return false;
	e = new_entry(fdb, mac, vlan, port, 0, true);
	if (old) {
		cmap_replace(&fdb->entries, &old->node, &e->node);
		retire(fdb, old);
	} else {
		cmap_insert(&fdb->entries, &e->node, entry_hash(mac, vlan));
		dep_bump(dep_fdb(fdb->bridge_id, mac, vlan));
	}
	fdb->stats.total_static++;
	return true;
}

bool fdb_remove(struct fdb *fdb, struct eth_addr mac, uint16_t vlan)
{
	struct fdb_entry *e = find(fdb, mac, vlan);

	if (!e)
		return false;
	remove_entry(fdb, e);
	return true;
}

void fdb_set_age(struct fdb *fdb, unsigned int seconds)
{
	fdb->stats.age_s = seconds;
}

void fdb_set_max(struct fdb *fdb, size_t max)
{
	fdb->stats.max = max;
	while (n_learned(fdb) > max)
		evict_one(fdb);
}

size_t fdb_run(struct fdb *fdb, int64_t now_ms)
{
	int64_t oldest_ms = now_ms - (int64_t)fdb->stats.age_s * 1000;
	size_t n = 0;

	end_crowd(fdb);
	for (size_t i = MIN(n_learned(fdb), (size_t)RUN_BATCH); i > 0; i--) {
		struct fdb_entry *e = container_of(fdb->lru.next, struct fdb_entry, lru);

		catch_up(fdb, e);
		list_remove(&e->lru);
		list_push_back(&fdb->lru, &e->lru);
		if (e->used_ms <= oldest_ms) {
			remove_entry(fdb, e);
			n++;
		}
	}
	fdb->stats.total_expired += n;
	COVERAGE_ADD(mac_learning_expired, n);
	return n;
}

void fdb_flush(struct fdb *fdb)
{
	end_crowd(fdb);
	while (!list_is_empty(&fdb->lru))
		remove_entry(fdb, container_of(fdb->lru.next, struct fdb_entry, lru));
}

void fdb_flush_port(struct fdb *fdb, ofp_port_t port)
{
	struct fdb_port *p = find_port(fdb, port);
	struct fdb_entry *e;

	for (size_t n = p ? p->n : 0; n > 0; n--)
		remove_entry(fdb, container_of(p->lru.next, struct fdb_entry, port_lru));
	LIST_FOR_EACH_SAFE (e, lru, &fdb->statics)
		if (e->port == port)
			remove_entry(fdb, e);
}

size_t fdb_count(const struct fdb *fdb)
{
	return cmap_count(&fdb->entries);
}

void fdb_stats_clear(struct fdb *fdb)
{
	fdb->stats.total_learned = fdb->stats.total_expired = fdb->stats.total_evicted = 0;
	fdb->stats.total_moved = fdb->stats.total_static = 0;
}

struct fdb_stats fdb_stats(const struct fdb *fdb)
{
	return fdb->stats;
}

static int compare_used(const void *a_, const void *b_)
{
	const struct fdb_entry *a = *(struct fdb_entry *const *)a_;
	const struct fdb_entry *b = *(struct fdb_entry *const *)b_;

	return a->used_ms < b->used_ms ? -1 : a->used_ms > b->used_ms;
}

/* Puts the learned entries in the order of their last use. */
static void sort(struct fdb *fdb)
{
	size_t n = n_learned(fdb), i = 0;
	struct fdb_entry **entries = xcalloc(n, sizeof *entries), *e;

	LIST_FOR_EACH (e, lru, &fdb->lru) {
		catch_up(fdb, e);
		entries[i++] = e;
	}
	qsort(entries, n, sizeof *entries, compare_used);
	for (i = 0; i < n; i++) {
		list_remove(&entries[i]->lru);
		list_push_back(&fdb->lru, &entries[i]->lru);
	}
	free(entries);
}

const struct fdb_entry *fdb_next(struct fdb *fdb, const struct fdb_entry *entry)
{
	struct list *next;

	if (!entry)
		sort(fdb);
	next = entry ? entry->lru.next : fdb->lru.next;
	if (next == &fdb->lru)
		next = fdb->statics.next;
	return next == &fdb->statics ? NULL : container_of(next, struct fdb_entry, lru);
}

unsigned int fdb_entry_age_s(const struct fdb_entry *entry, int64_t now_ms)
{
	int64_t used_ms = MAX(entry->used_ms, counter_get(entry->counter).used_ms);

	return entry->is_static || now_ms <= used_ms ? 0 : (unsigned int)((now_ms - used_ms) / 1000);
}
