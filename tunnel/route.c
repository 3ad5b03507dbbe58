/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "tunnel/route_digest.h"
#include "tunnel/route_netlink.h"
#include "tunnel/route_private.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_header.h"

LOG_MODULE(route_table);

/* News come in bunches: wait for the rest of one. */
#define SETTLE_MS 5
/* A host with many routes changes often, and each reading costs: at most this share of time. */
#define DUTY 5

static struct route_table *_Atomic current;

static struct {
	int fd;
	struct event_fd *efd;
	struct event_timer *timer;
	void (*changed)(bool link_only);
	int64_t last_ms; /* When it was read, and how long that took. */
	int64_t took_ms;
	uint64_t digest; /* What was told last. */
	/* What the kernel said, to build a new `current` from when manual routes change. */
	struct route_table *kernel;
} monitor = {.fd = -1};

/* ------------------------------------------------------------------ reading */

bool route_publish(void)
{
	struct route_table *old = rcu_get_protected(&current), *table = route_table_create();
	uint16_t min, max;

	if (monitor.kernel)
		route_table_copy(table, monitor.kernel);
	route_manual_join(table);
	route_table_finish(table);
	if (old && route_table_equal(old, table)) {
		route_table_destroy(table);
		return false;
	}
	tnl_egress_port_range_get(&min, &max);
	if (!old || !route_table_equal_rules(old, table))
		route_rules_report(table, min, max);
	rcu_set(&current, table);
	if (old)
		rcu_defer(route_table_destroy, old);
	return true;
}

const struct route_table *route_current(void)
{
	return rcu_get_protected(&current);
}

bool route_reload(void)
{
	struct route_table *kernel = route_table_create();
	int64_t start_ms = clock_ms();
	int err = route_netlink_read(kernel);

	monitor.last_ms = clock_ms();
	monitor.took_ms = monitor.last_ms - start_ms;
	if (err) {
		static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(5, 5);

		log_warn_rl(&rl, "can't read the kernel's routes: %s", strerror(-err));
		route_table_destroy(kernel);
		return false;
	}
	route_table_destroy(monitor.kernel);
	monitor.kernel = kernel;
	return route_publish();
}

static void reload_and_tell(void *aux)
{
	uint64_t told = monitor.digest;

	if (!route_reload() || !monitor.changed)
		return;
	monitor.digest = route_digest(route_current());
	monitor.changed(monitor.digest == told);
}

static void on_news(int fd, unsigned int events, void *aux)
{
	int64_t wait_ms;

	if (!route_netlink_drain(fd) || event_timer_is_active(monitor.timer))
		return;
	wait_ms = monitor.last_ms + monitor.took_ms * DUTY - clock_ms();
	event_timer_start(monitor.timer, (uint64_t)MAX(wait_ms, (int64_t)SETTLE_MS), 0);
}

int route_init(struct event_loop *loop, void (*changed)(bool link_only))
{
	int err = 0;

	monitor.changed = changed;
	if (loop) {
		monitor.fd = route_netlink_monitor();
		if (monitor.fd < 0)
			return monitor.fd;
		monitor.timer = event_timer_create(loop, reload_and_tell, NULL);
		err = event_fd_add(loop, monitor.fd, EVENT_READ, on_news, NULL, &monitor.efd);
		if (err) {
			route_uninit();
			return err;
		}
	}
	route_reload();
	if (route_current())
		monitor.digest = route_digest(route_current());
	return 0;
}

void route_uninit(void)
{
	struct route_table *old = rcu_get_protected(&current);

	event_fd_remove(monitor.efd);
	event_timer_destroy(monitor.timer);
	if (monitor.fd >= 0)
		close(monitor.fd);
	route_table_destroy(monitor.kernel);
	memset(&monitor, 0, sizeof monitor);
	monitor.fd = -1;
	route_manual_clear();
	rcu_set(&current, NULL);
	if (old)
		rcu_defer(route_table_destroy, old);
}

/* ------------------------------------------------------------------ lookups */

/* A manual route is as good as a kernel route with a prefix 32 bits longer, an address of this host's as
 * one 64 bits longer: Open vSwitch has it so. */
int route_priority(const struct route_entry *e)
{
	return e->plen + (e->type == ROUTE_LOCAL ? 64 : 0) +
	       (e->table == ROUTE_MANUAL_TABLE ? 32 : 0);
}

/* The manual route for QUERY's mark, or for none. */
static const struct route_entry *find_manual(
	const struct route_table *table, const struct route_query *query)
{
	const struct route_entry *e =
		route_table_find(table, ROUTE_MANUAL_TABLE, query->mark, query);

	return e || !query->mark ? e : route_table_find(table, ROUTE_MANUAL_TABLE, 0, query);
}

static const struct route_entry *find_best(
	const struct route_table *table, const struct route_query *query)
{
	const struct route_entry *kernel = route_rules_lookup(table, query);
	const struct route_entry *manual = find_manual(table, query);

	if (!kernel || !manual)
		return kernel ? kernel : manual;
	return route_priority(manual) > route_priority(kernel) ? manual : kernel;
}

/* Source address for packets to DST by hop NH of E. False: this host has none. */
static bool choose_source(const struct route_table *table, const struct route_entry *e,
	const struct route_nh *nh, const struct ipv6_addr *dst, struct ipv6_addr *src)
{
	if (!ipv6_addr_is_zero(&e->src))
		*src = e->src;
	else if (e->is_ipv4 && e->type == ROUTE_LOCAL)
		*src = *dst;
	else if (!e->is_ipv4)
		return route_source_ipv6(table, nh->ifindex, dst, src);
	else
		*src = nh->src;
	return !ipv6_addr_is_zero(src);
}

static bool take(const struct route_table *table, const struct route_entry *e,
	const struct route_query *query, struct route *route)
{
	route->n_hops = 0;
	route->per_flow = e->is_ipv4 ? table->per_flow4 : table->per_flow6;
	for (uint32_t i = 0; i < e->n_hops && route->n_hops < ROUTE_MAX_HOPS; i++) {
		const struct route_nh *nh = &table->hops.items[e->start + i];
		struct route_hop *hop = &route->hops[route->n_hops];

		hop->src = query->src;
		if (ipv6_addr_is_zero(&hop->src) &&
			!choose_source(table, e, nh, &query->dst, &hop->src))
			continue;
		hop->gateway = nh->gateway;
		hop->weight = nh->weight;
		memcpy(hop->dev, nh->dev, sizeof hop->dev);
		route->n_hops++;
	}
	return route->n_hops;
}

/* As for a connected socket: the first answer chooses the source address, and the rules are then asked
 * for packets from that. */
bool route_lookup(const struct route_query *query, struct route *route)
{
	const struct route_table *table = rcu_get(&current);
	const struct route_entry *e = table ? find_best(table, query) : NULL;
	struct route_query again = *query;

	if (!e || !take(table, e, query, route))
		return false;
	if (!table->from_matters || !ipv6_addr_is_zero(&query->src))
		return true;
	again.src = route->hops[0].src;
	e = find_best(table, &again);
	return e && take(table, e, &again, route);
}

bool route_lookup_addr(const struct ipv6_addr *dst, struct route_hop *hop)
{
	const struct route_query query = {.dst = *dst};
	struct route route;

	if (!route_lookup(&query, &route))
		return false;
	*hop = route.hops[0];
	return true;
}

/* RFC 2992: each hop has a range of hashes. */
unsigned int route_choose(const struct route *route, uint32_t hash)
{
	uint64_t total = 0, sum = 0;
	unsigned int i = 0;

	for (unsigned int j = 0; j < route->n_hops; j++)
		total += route->hops[j].weight;
	for (; i + 1 < route->n_hops; i++) {
		sum += route->hops[i].weight;
		if (hash < (sum << 32) / total)
			break;
	}
	return i;
}

bool route_is_local(const struct ipv6_addr *addr, char *dev)
{
	const struct route_table *table = rcu_get(&current);
	const struct route_addr *a = table ? route_table_addr(table, addr) : NULL;

	if (!a)
		return false;
	if (dev)
		memcpy(dev, a->dev, sizeof a->dev);
	return true;
}

bool route_dev_mac(const char *dev, struct eth_addr *mac)
{
	const struct route_table *table = rcu_get(&current);
	const struct route_link *link = table ? route_table_link(table, dev) : NULL;

	if (!link)
		return false;
	*mac = link->mac;
	return true;
}

bool route_dev_source(const char *dev, const struct ipv6_addr *addr, struct ipv6_addr *src)
{
	static const struct ipv6_addr none;
	const struct route_table *table = rcu_get(&current);

	return table && route_source_manual(table, dev, addr, &none, false, src);
}

bool route_local_address(size_t i, struct ipv6_addr *addr, struct eth_addr *mac)
{
	const struct route_table *table = rcu_get_protected(&current);

	for (size_t j = 0; table && j < table->addrs.n; j++) {
		const struct route_addr *a = &table->addrs.items[j];
		const struct route_link *link = route_table_link(table, a->dev);

		if (!link || link->is_loopback || i--)
			continue;
		*addr = a->addr;
		*mac = link->mac;
		return true;
	}
	return false;
}
