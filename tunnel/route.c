/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "tunnel/route_table.h"
#include "tunnel/tnl_addr.h"

LOG_MODULE(route_table);

/* News come in bunches: wait for the rest of one. */
#define SETTLE_MS 5
/* A host with many routes changes often, and each reading costs: at most this share of time. */
#define DUTY 5

/* A route of ovs/route/add. Its entry has no source: that is chosen anew with every reading. */
static VEC(struct route_entry) manual;

static struct route_table *_Atomic current;

static struct {
	int fd;
	struct event_fd *efd;
	struct event_timer *timer;
	void (*changed)(void *aux);
	void *aux;
	int64_t last_ms; /* When it was read, and how long that took. */
	int64_t took_ms;
	/* The kernel's part of `current`, to build a new one from when manual routes change. */
	struct route_table *kernel;
} monitor = {.fd = -1};

/* ------------------------------------------------------------------ reading */

#define COPY(DST, SRC)                                                                             \
	do {                                                                                       \
		vec_reserve(DST, (SRC)->n);                                                        \
		if ((SRC)->n)                                                                      \
			memcpy((DST)->items, (SRC)->items, (SRC)->n * sizeof *(DST)->items);       \
		(DST)->n = (SRC)->n;                                                               \
	} while (0)

/* Publishes the kernel's state with the manual routes. True if anything is new. */
static bool publish(void)
{
	struct route_table *old = rcu_get_protected(&current), *table = route_table_create();

	if (monitor.kernel) {
		COPY(&table->links, &monitor.kernel->links);
		COPY(&table->addrs, &monitor.kernel->addrs);
		COPY(&table->entries, &monitor.kernel->entries);
	}
	for (size_t i = 0; i < manual.n; i++)
		vec_push(&table->entries, manual.items[i]);
	route_table_finish(table);
	if (old && route_table_equal(old, table)) {
		route_table_destroy(table);
		return false;
	}
	rcu_set(&current, table);
	if (old)
		rcu_defer(route_table_destroy, old);
	return true;
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
	return publish();
}

static void reload_and_tell(void *aux)
{
	if (route_reload() && monitor.changed)
		monitor.changed(monitor.aux);
}

static void on_news(int fd, unsigned int events, void *aux)
{
	int64_t wait_ms;

	if (!route_netlink_drain(fd) || event_timer_is_active(monitor.timer))
		return;
	wait_ms = monitor.last_ms + monitor.took_ms * DUTY - clock_ms();
	event_timer_start(monitor.timer, (uint64_t)MAX(wait_ms, (int64_t)SETTLE_MS), 0);
}

int route_init(struct event_loop *loop, void (*changed)(void *aux), void *aux)
{
	int err = 0;

	monitor.changed = changed;
	monitor.aux = aux;
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
	vec_uninit(&manual);
	rcu_set(&current, NULL);
	if (old)
		rcu_defer(route_table_destroy, old);
}

/* ------------------------------------------------------------------ lookups */

bool route_lookup(const struct ipv6_addr *dst, uint32_t mark, struct route *route)
{
	const struct route_table *table = rcu_get(&current);
	const struct route_entry *e;

	if (!table)
		return false;
	e = route_table_lookup(table, dst, mark);
	if (!e && mark)
		e = route_table_lookup(table, dst, 0);
	if (!e)
		return false;
	*route = (struct route){.src = e->src, .gateway = e->gateway, .mtu = e->mtu};
	memcpy(route->dev, e->dev, sizeof route->dev);
	return true;
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

/* ------------------------------------------------------------------ commands */

/* "ADDRESS[/LENGTH]" */
static bool parse_prefix(const char *s, struct ipv6_addr *prefix, uint8_t *plen)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	struct ipv6_addr addr;
	int max, len;

	if (slash && (size_t)(slash - s) >= sizeof address)
		return false;
	str_copy(address, s, slash ? MIN((size_t)(slash - s) + 1, sizeof address) : sizeof address);
	if (strlen(address) != (slash ? (size_t)(slash - s) : strlen(s)) ||
		!tnl_addr_parse(address, &addr))
		return false;
	max = len = tnl_addr_is_ipv4(&addr) ? 32 : 128;
	if (slash && parse_int(slash + 1, 0, max, &len))
		return false;
	*plen = (uint8_t)(len + (max == 32 ? 96 : 0));
	*prefix = tnl_addr_masked(&addr, *plen);
	return true;
}

static bool parse_mark(const char *s, uint32_t *mark)
{
	static const char key[] = "pkt_mark=";
	uint64_t value;

	if (!str_starts_with(s, key) || parse_u64(s + strlen(key), 0, UINT32_MAX, &value))
		return false;
	*mark = (uint32_t)value;
	return true;
}

static int invalid(char **error, const char *text)
{
	*error = xstrdup(text);
	return -EINVAL;
}

/* The manual route with E's prefix and mark; manual.n: none. */
static size_t find_manual(const struct route_entry *e)
{
	size_t i;

	for (i = 0; i < manual.n; i++)
		if (manual.items[i].mark == e->mark && manual.items[i].plen == e->plen &&
			ipv6_addr_equal(&manual.items[i].prefix, &e->prefix))
			break;
	return i;
}

int route_add_manual(int argc, const char *argv[], char **error)
{
	const struct route_table *table = rcu_get_protected(&current);
	struct route_entry e;
	struct ipv6_addr src;
	bool v4;

	memset(&e, 0, sizeof e);
	e.origin = ROUTE_MANUAL;
	if (argc < 2 || !parse_prefix(argv[0], &e.prefix, &e.plen))
		return invalid(error, "Invalid parameters");
	v4 = tnl_addr_is_ipv4(&e.prefix) && e.plen >= 96;
	if (argc > 2 && !parse_mark(argv[2], &e.mark) &&
		(!tnl_addr_parse(argv[2], &e.gateway) || tnl_addr_is_ipv4(&e.gateway) != v4))
		return invalid(error,
			v4 ? "Invalid pkt_mark or gateway" : "Invalid pkt_mark or IPv6 gateway");
	if (argc > 3 && !parse_mark(argv[3], &e.mark))
		return invalid(error, "Invalid pkt_mark");
	str_copy(e.dev, argv[1], sizeof e.dev);
	if (!table || !route_table_link(table, e.dev) ||
		!route_table_source(table, e.dev, &e.prefix, &e.gateway, &src))
		return invalid(error, "Error while inserting route.");
	if (find_manual(&e) < manual.n)
		manual.items[find_manual(&e)] = e;
	else
		vec_push(&manual, e);
	publish();
	return 0;
}

int route_del_manual(int argc, const char *argv[], char **error)
{
	struct route_entry e = {0};
	size_t i;

	if (argc < 1 || !parse_prefix(argv[0], &e.prefix, &e.plen))
		return invalid(error, "Invalid parameters");
	if (argc > 1 && !parse_mark(argv[1], &e.mark))
		return invalid(error, "Invalid pkt_mark");
	i = find_manual(&e);
	if (i == manual.n)
		return invalid(error, "Not found");
	vec_remove(&manual, i);
	publish();
	return 0;
}

int route_lookup_manual(int argc, const char *argv[], struct sbuf *s, char **error)
{
	struct ipv6_addr dst;
	struct route route;
	uint32_t mark = 0;
	uint8_t plen;

	if (argc < 1 || !parse_prefix(argv[0], &dst, &plen) || plen != 128)
		return invalid(error, "Invalid parameters");
	if (argc > 1 && !parse_mark(argv[1], &mark))
		return invalid(error, "Invalid pkt_mark");
	if (!route_lookup(&dst, mark, &route))
		return invalid(error, "Not found");
	sbuf_puts(s, "src ");
	tnl_addr_format(&route.src, s);
	sbuf_puts(s, "\ngateway ");
	tnl_addr_format(&route.gateway, s);
	sbuf_putf(s, "\ndev %s\n", route.dev);
	return 0;
}

static void format_entry(const struct route_entry *e, struct sbuf *s)
{
	sbuf_puts(s, e->origin == ROUTE_MANUAL ? "User: " : "Cached: ");
	tnl_addr_format(&e->prefix, s);
	sbuf_putf(s, "/%u", tnl_addr_is_ipv4(&e->prefix) ? e->plen - 96u : e->plen);
	if (e->mark)
		sbuf_putf(s, " MARK %u", e->mark);
	sbuf_putf(s, " dev %s", e->dev);
	if (!ipv6_addr_is_zero(&e->gateway)) {
		sbuf_puts(s, " GW ");
		tnl_addr_format(&e->gateway, s);
	}
	sbuf_puts(s, " SRC ");
	tnl_addr_format(&e->src, s);
	sbuf_puts(s, e->origin == ROUTE_LOCAL ? " local\n" : "\n");
}

void route_format(struct sbuf *s)
{
	const struct route_table *table = rcu_get_protected(&current);

	sbuf_puts(s, "Route Table:\n");
	for (size_t i = 0; table && i < table->entries.n; i++)
		format_entry(&table->entries.items[i], s);
}
