/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/l2/mcast_snoop.h"

#include <stdlib.h>
#include <string.h>

#include "datapath/l2/mcast_private.h"
#include "datapath/pipeline/dependency.h"
#include "lib/cmap.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "lib/rcu.h"
#include "lib/util.h"

/* Control's view of a member or router. */
struct seat {
	struct list node;	/* Least recently heard first. */
	ofp_port_t port;
	uint16_t vlan;		/* Routers. */
	int64_t heard_ms;
};

struct group {
	struct cmap_node node;
	struct ipv6_addr addr;
	uint16_t vlan;
	RCU(struct mcast_members *) members;
	struct list lru;	/* In ms->groups. */
	struct list seats;
};

struct mcast_snooping {
	uint32_t bridge_id;
	int64_t idle_ms;
	size_t max;
	struct cmap table;	/* struct group. */
	RCU(struct mcast_members *) routers;
	RCU(struct mcast_members *) flood;
	RCU(struct mcast_members *) flood_reports;
	struct list groups;	/* Least recently used first. */
	struct list router_seats;
};

/* ------------------------------------------------------------------ what readers see */

static void changed(const struct mcast_snooping *ms)
{
	dep_bump(dep_mdb(ms->bridge_id));
}

static void publish(RCU(struct mcast_members *) *where, struct mcast_members *members)
{
	struct mcast_members *old = rcu_get_protected(where);

	rcu_set(where, members);
	if (old)
		rcu_defer_free(old);
}

static struct mcast_members *members_alloc(size_t n)
{
	struct mcast_members *members;

	if (!n)
		return NULL;
	members = xcalloc(1, sizeof *members + n * sizeof members->m[0]);
	members->n = (uint32_t)n;
	return members;
}

static void publish_seats(RCU(struct mcast_members *) *where, const struct list *seats)
{
	struct mcast_members *members = members_alloc(list_size(seats));
	struct seat *seat;
	size_t i = 0;

	LIST_FOR_EACH (seat, node, seats)
		members->m[i++] = (struct mcast_member) {.port = seat->port, .vlan = seat->vlan};
	publish(where, members);
}

static uint32_t group_hash(const struct ipv6_addr *addr, uint16_t vlan)
{
	return hash_bytes(addr, sizeof *addr, vlan);
}

static struct group *find_group(const struct mcast_snooping *ms, const struct ipv6_addr *addr,
	uint16_t vlan)
{
	struct group *group;

	CMAP_FOR_EACH_WITH_HASH (group, node, group_hash(addr, vlan), &ms->table)
		if (group->vlan == vlan && !memcmp(&group->addr, addr, sizeof *addr))
			return group;
	return NULL;
}

const struct mcast_members *mcast_snooping_group(const struct mcast_snooping *ms,
	const struct ipv6_addr *addr, uint16_t vlan)
{
	struct group *group = find_group(ms, addr, vlan);

	return group ? rcu_get(&group->members) : NULL;
}

const struct mcast_members *mcast_snooping_routers(const struct mcast_snooping *ms)
{
	return rcu_get(&ms->routers);
}

const struct mcast_members *mcast_snooping_flood(const struct mcast_snooping *ms)
{
	return rcu_get(&ms->flood);
}

const struct mcast_members *mcast_snooping_flood_reports(const struct mcast_snooping *ms)
{
	return rcu_get(&ms->flood_reports);
}

static bool members_contain(const struct mcast_members *members, ofp_port_t port)
{
	for (uint32_t i = 0; members && i < members->n; i++)
		if (members->m[i].port == port)
			return true;
	return false;
}

/* ------------------------------------------------------------------ seats */

static struct seat *find_seat(const struct list *seats, ofp_port_t port, uint16_t vlan)
{
	struct seat *seat;

	LIST_FOR_EACH (seat, node, seats)
		if (seat->port == port && seat->vlan == vlan)
			return seat;
	return NULL;
}

static void drop_seat(struct seat *seat)
{
	list_remove(&seat->node);
	free(seat);
}

/* PORT was heard; true if it had no seat. */
static bool hear(struct list *seats, ofp_port_t port, uint16_t vlan, int64_t now_ms)
{
	struct seat *seat = find_seat(seats, port, vlan);
	bool is_new = !seat;

	if (is_new) {
		seat = xcalloc(1, sizeof *seat);
		seat->port = port;
		seat->vlan = vlan;
		list_init(&seat->node);
	}
	seat->heard_ms = now_ms;
	list_remove(&seat->node);
	list_push_back(seats, &seat->node);
	return is_new;
}

/* Drops the seats not heard since OLDEST_MS; true if there were any. */
static bool expire_seats(struct list *seats, int64_t oldest_ms)
{
	struct seat *seat;
	bool any = false;

	while ((seat = LIST_TO(list_front(seats), struct seat, node)) && seat->heard_ms <= oldest_ms) {
		drop_seat(seat);
		any = true;
	}
	return any;
}

/* ------------------------------------------------------------------ groups */

static void remove_group(struct mcast_snooping *ms, struct group *group)
{
	struct seat *seat;

	LIST_FOR_EACH_SAFE (seat, node, &group->seats)
		drop_seat(seat);
	publish(&group->members, NULL);
	cmap_remove(&ms->table, &group->node);
	list_remove(&group->lru);
	rcu_defer_free(group);
	changed(ms);
}

/* After seats of GROUP went. */
static void group_shrunk(struct mcast_snooping *ms, struct group *group)
{
	if (list_is_empty(&group->seats)) {
		remove_group(ms, group);
		return;
	}
	publish_seats(&group->members, &group->seats);
	changed(ms);
}

static struct group *oldest_group(const struct mcast_snooping *ms)
{
	return LIST_TO(list_front(&ms->groups), struct group, lru);
}

static struct group *add_group(struct mcast_snooping *ms, const struct ipv6_addr *addr, uint16_t vlan)
{
	struct group *group;

	while (cmap_count(&ms->table) >= ms->max)
		remove_group(ms, oldest_group(ms));
	group = xcalloc(1, sizeof *group);
	group->addr = *addr;
	group->vlan = vlan;
	list_init(&group->lru);
	list_init(&group->seats);
	cmap_insert(&ms->table, &group->node, group_hash(addr, vlan));
	return group;
}

static bool is_group_address(const struct ipv6_addr *a)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

	return a->b[0] == 0xff || (!memcmp(a->b, v4, sizeof v4) && (a->b[12] & 0xf0) == 0xe0);
}

bool mcast_join(const struct mcast_source *s, const struct ipv6_addr *addr)
{
	struct group *group;
	bool is_new;

	if (!is_group_address(addr) || find_seat(&s->ms->router_seats, s->port, s->vlan) ||
		members_contain(rcu_get_protected(&s->ms->flood), s->port))
		return false;
	group = find_group(s->ms, addr, s->vlan);
	if (!group)
		group = add_group(s->ms, addr, s->vlan);
	list_remove(&group->lru);
	list_push_back(&s->ms->groups, &group->lru);
	is_new = hear(&group->seats, s->port, 0, s->now_ms);
	if (is_new) {
		publish_seats(&group->members, &group->seats);
		changed(s->ms);
	}
	return is_new;
}

bool mcast_leave(const struct mcast_source *s, const struct ipv6_addr *addr)
{
	struct group *group = find_group(s->ms, addr, s->vlan);
	struct seat *seat = group ? find_seat(&group->seats, s->port, 0) : NULL;

	/* Behind a port that gets reports there is likely another bridge, and more than one host. */
	if (!seat || members_contain(rcu_get_protected(&s->ms->flood_reports), s->port))
		return false;
	drop_seat(seat);
	group_shrunk(s->ms, group);
	return true;
}

bool mcast_query(const struct mcast_source *s)
{
	if (members_contain(rcu_get_protected(&s->ms->flood), s->port) ||
		!hear(&s->ms->router_seats, s->port, s->vlan, s->now_ms))
		return false;
	publish_seats(&s->ms->routers, &s->ms->router_seats);
	changed(s->ms);
	return true;
}

unsigned int mcast_snooping_receive(struct mcast_snooping *ms, ofp_port_t port, uint16_t vlan,
	const void *frame, size_t len, int64_t now_ms)
{
	const struct mcast_source source = {ms, port, vlan, now_ms};

	return mcast_parse(&source, frame, len);
}

/* ------------------------------------------------------------------ aging and flushing */

void mcast_snooping_run(struct mcast_snooping *ms, int64_t now_ms)
{
	struct group *group;

	LIST_FOR_EACH_SAFE (group, lru, &ms->groups)
		if (expire_seats(&group->seats, now_ms - ms->idle_ms))
			group_shrunk(ms, group);
	if (expire_seats(&ms->router_seats, now_ms - MCAST_ROUTER_IDLE_S * 1000)) {
		publish_seats(&ms->routers, &ms->router_seats);
		changed(ms);
	}
}

void mcast_snooping_flush(struct mcast_snooping *ms)
{
	struct group *group;
	struct seat *seat;

	LIST_FOR_EACH_SAFE (group, lru, &ms->groups)
		remove_group(ms, group);
	LIST_FOR_EACH_SAFE (seat, node, &ms->router_seats)
		drop_seat(seat);
	publish(&ms->routers, NULL);
	changed(ms);
}

void mcast_snooping_forget_port(struct mcast_snooping *ms, ofp_port_t port)
{
	struct group *group;
	struct seat *seat;

	LIST_FOR_EACH_SAFE (group, lru, &ms->groups) {
		seat = find_seat(&group->seats, port, 0);
		if (seat) {
			drop_seat(seat);
			group_shrunk(ms, group);
		}
	}
	LIST_FOR_EACH_SAFE (seat, node, &ms->router_seats)
		if (seat->port == port)
			drop_seat(seat);
	publish_seats(&ms->routers, &ms->router_seats);
	changed(ms);
}

void mcast_snooping_flush_port(struct mcast_snooping *ms, ofp_port_t port)
{
	mcast_snooping_forget_port(ms, port);
	mcast_snooping_set_flood(ms, port, false);
	mcast_snooping_set_flood_reports(ms, port, false);
}

/* ------------------------------------------------------------------ settings */

static void set_member(struct mcast_snooping *ms, RCU(struct mcast_members *) *where, ofp_port_t port,
	bool on)
{
	const struct mcast_members *old = rcu_get_protected(where);
	size_t n = old ? old->n : 0, j = 0;
	struct mcast_members *members;

	if (members_contain(old, port) == on)
		return;
	members = members_alloc(on ? n + 1 : n - 1);
	for (size_t i = 0; i < n; i++)
		if (old->m[i].port != port)
			members->m[j++] = old->m[i];
	if (on)
		members->m[j].port = port;
	publish(where, members);
	changed(ms);
}

void mcast_snooping_set_flood(struct mcast_snooping *ms, ofp_port_t port, bool flood)
{
	set_member(ms, &ms->flood, port, flood);
}

void mcast_snooping_set_flood_reports(struct mcast_snooping *ms, ofp_port_t port, bool flood)
{
	set_member(ms, &ms->flood_reports, port, flood);
}

void mcast_snooping_configure(struct mcast_snooping *ms, unsigned int idle_s, size_t max)
{
	ms->idle_ms = (idle_s < 15 ? 15 : idle_s > 3600 ? 3600 : (int64_t)idle_s) * 1000;
	ms->max = max < 10 ? 10 : max > 1000000 ? 1000000 : max;
	while (cmap_count(&ms->table) > ms->max)
		remove_group(ms, oldest_group(ms));
}

struct mcast_snooping *mcast_snooping_create(uint32_t bridge_id)
{
	struct mcast_snooping *ms = xcalloc(1, sizeof *ms);

	ms->bridge_id = bridge_id;
	cmap_init(&ms->table);
	list_init(&ms->groups);
	list_init(&ms->router_seats);
	mcast_snooping_configure(ms, MCAST_DEFAULT_IDLE_S, MCAST_DEFAULT_MAX);
	return ms;
}

void mcast_snooping_destroy(struct mcast_snooping *ms)
{
	if (!ms)
		return;
	mcast_snooping_flush(ms);
	publish(&ms->flood, NULL);
	publish(&ms->flood_reports, NULL);
	cmap_uninit(&ms->table);
	rcu_defer_free(ms);
}

/* ------------------------------------------------------------------ inspection */

static int age_s(const struct seat *seat, int64_t now_ms)
{
	return (int)((now_ms - seat->heard_ms) / 1000);
}

void mcast_snooping_walk(const struct mcast_snooping *ms, int64_t now_ms,
	void (*show)(void *aux, const struct ipv6_addr *group, uint16_t vlan, ofp_port_t port,
		int age_s), void *aux)
{
	struct group *group;
	struct seat *seat;

	LIST_FOR_EACH (group, lru, &ms->groups)
		LIST_FOR_EACH (seat, node, &group->seats)
			show(aux, &group->addr, group->vlan, seat->port, age_s(seat, now_ms));
	LIST_FOR_EACH (seat, node, &ms->router_seats)
		show(aux, NULL, seat->vlan, seat->port, age_s(seat, now_ms));
}

size_t mcast_snooping_count(const struct mcast_snooping *ms)
{
	return cmap_count(&ms->table);
}
