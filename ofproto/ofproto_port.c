/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "ofproto/agent/async.h"
#include "ofproto/ofproto_l2.h"

/* ------------------------------------------------------------------ the set of ports */

void ofproto_ports_init(struct ofproto *ofproto)
{
	hmap_init(&ofproto->ports);
	shash_init(&ofproto->port_numbers);
	vec_init(&ofproto->departed);
}

static void port_destroy(struct ofproto *ofproto, struct of_port *port)
{
	hmap_remove(&ofproto->ports, &port->node);
	if (port->rx_counter != COUNTER_NONE)
		counter_free(port->rx_counter);
	if (port->tx_counter != COUNTER_NONE)
		counter_free(port->tx_counter);
	free(port->name);
	free(port);
}

void ofproto_ports_uninit(struct ofproto *ofproto)
{
	struct of_port *port;

	HMAP_FOR_EACH_SAFE (port, node, &ofproto->ports)
		port_destroy(ofproto, port);
	hmap_uninit(&ofproto->ports);
	shash_uninit(&ofproto->port_numbers);
	free(ofproto->numbers_requested);
	free(ofproto->numbers_used);
	vec_uninit(&ofproto->departed);
}

struct of_port *ofproto_port_get(const struct ofproto *ofproto, ofp_port_t number)
{
	struct of_port *port;

	HMAP_FOR_EACH_WITH_HASH (port, node, hash_u32(number, 0), &ofproto->ports)
		if (port->ofp_port == number)
			return port;
	return NULL;
}

static struct of_port *port_from_name(const struct ofproto *ofproto, const char *name)
{
	struct of_port *port;

	/* Nearly always the one that had the name last. */
	port = ofproto_port_get(ofproto, (ofp_port_t)(uintptr_t)shash_get(&ofproto->port_numbers, name));
	if (port && !strcmp(port->name, name))
		return port;
	if (!shash_find(&ofproto->port_numbers, name))
		return NULL;
	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (!strcmp(port->name, name))
			return port;
	return NULL;
}

ofp_port_t ofproto_port_from_name(const struct ofproto *ofproto, const char *name)
{
	const struct of_port *port = port_from_name(ofproto, name);

	return port ? port->ofp_port : OFPP_NONE;
}

const char *ofproto_port_name(const struct ofproto *ofproto, ofp_port_t number)
{
	const struct of_port *port = ofproto_port_get(ofproto, number);

	return port ? port->name : NULL;
}

static int port_compare(const void *a_, const void *b_)
{
	const struct of_port *a = *(struct of_port *const *)a_;
	const struct of_port *b = *(struct of_port *const *)b_;

	return a->ofp_port < b->ofp_port ? -1 : a->ofp_port > b->ofp_port;
}

struct of_port **ofproto_ports_sorted(const struct ofproto *ofproto, size_t *n)
{
	*n = hmap_count(&ofproto->ports);
	return hmap_sorted(&ofproto->ports, offsetof(struct of_port, node), port_compare);
}

static const char *names_name(void *aux, ofp_port_t port)
{
	return ofproto_port_name(aux, port);
}

static bool names_port(void *aux, const char *name, ofp_port_t *port)
{
	ofp_port_t number = ofproto_port_from_name(aux, name);

	if (number == OFPP_NONE)
		return false;
	*port = number;
	return true;
}

void ofproto_port_names(const struct ofproto *ofproto, struct port_names *names)
{
	names->name = names_name;
	names->port = names_port;
	names->aux = (void *)(uintptr_t)ofproto;
}

/* ------------------------------------------------------------------ adding and removing */

static bool number_is_free(const struct ofproto *ofproto, ofp_port_t number)
{
	return number && (number <= OFP_PORT_LAST || number == OFPP_LOCAL) &&
		!ofproto_port_get(ofproto, number);
}

/* Brings the set of used numbers up to date if names came by another way than ofproto_port_add(). */
static void look_at_numbers(struct ofproto *ofproto)
{
	struct shash_node *node;

	if (ofproto->numbers_used && ofproto->numbers_names == shash_count(&ofproto->port_numbers))
		return;
	free(ofproto->numbers_used);
	ofproto->numbers_used = bitmap_alloc(OFP_PORT_LAST + 1);
	ofproto->numbers_names = shash_count(&ofproto->port_numbers);
	ofproto->numbers_from = 1;
	SHASH_FOR_EACH (node, &ofproto->port_numbers)
		if ((uintptr_t)node->data <= OFP_PORT_LAST)
			bitmap_set(ofproto->numbers_used, (uintptr_t)node->data);
}

void ofproto_ports_set_requested(struct ofproto *ofproto, const ofp_port_t *numbers, size_t n)
{
	free(ofproto->numbers_requested);
	ofproto->numbers_requested = n ? bitmap_alloc(OFP_PORT_LAST + 1) : NULL;
	for (size_t i = 0; i < n; i++)
		if (numbers[i] <= OFP_PORT_LAST)
			bitmap_set(ofproto->numbers_requested, numbers[i]);
}

static bool is_requested(const struct ofproto *ofproto, ofp_port_t number)
{
	return ofproto->numbers_requested && number <= OFP_PORT_LAST &&
		bitmap_is_set(ofproto->numbers_requested, number);
}

/* A number that no other port had before or asks for, if there are any. */
static ofp_port_t lowest_free(struct ofproto *ofproto)
{
	ofp_port_t number;

	look_at_numbers(ofproto);
	for (number = ofproto->numbers_from; number <= OFP_PORT_LAST; number++)
		if (!bitmap_is_set(ofproto->numbers_used, number) &&
			!is_requested(ofproto, number) && number_is_free(ofproto, number))
			break;
	ofproto->numbers_from = number;
	for (ofp_port_t any = 1; number > OFP_PORT_LAST && any <= OFP_PORT_LAST; any++)
		if (number_is_free(ofproto, any))
			number = any;
	return number > OFP_PORT_LAST ? OFPP_NONE : number;
}

static ofp_port_t choose_number(struct ofproto *ofproto, const struct ofproto_port *port)
{
	ofp_port_t last = (ofp_port_t)(uintptr_t)shash_get(&ofproto->port_numbers, port->name);

	if (port->requested != OFPP_NONE && number_is_free(ofproto, port->requested))
		return port->requested;
	if (last && !is_requested(ofproto, last) && number_is_free(ofproto, last))
		return last;
	return lowest_free(ofproto);
}

int ofproto_port_add(struct ofproto *ofproto, const struct ofproto_port *spec, ofp_port_t *ofp_port)
{
	ofp_port_t number = choose_number(ofproto, spec);
	struct of_port *port;

	if (number == OFPP_NONE)
		return -ENOSPC;
	if (port_from_name(ofproto, spec->name))
		return -EEXIST;
	port = xcalloc(1, sizeof *port);
	port->name = xstrdup(spec->name);
	port->ofp_port = number;
	port->dp_port = spec->dp_port;
	port->kind = spec->kind;
	port->is_internal = spec->is_internal;
	port->tunnel = spec->tunnel;
	port->info = spec->info;
	port->config = spec->kind == PL_PORT_DEVICE && !spec->info.admin_up ? OFPPC_PORT_DOWN : 0;
	port->created_ms = clock_ms();
	port->stp_number = -1;
	port->stp_allows = PL_PORT_LEARNS | PL_PORT_FORWARDS;
	port->rx_counter = port->tx_counter = COUNTER_NONE;
	if (port->kind != PL_PORT_DEVICE) {
		port->rx_counter = counter_alloc();
		port->tx_counter = counter_alloc();
	}
	hmap_insert(&ofproto->ports, &port->node, hash_u32(number, 0));
	look_at_numbers(ofproto);
	shash_put(&ofproto->port_numbers, port->name, (void *)(uintptr_t)number);
	ofproto->numbers_names = shash_count(&ofproto->port_numbers);
	if (number <= OFP_PORT_LAST)
		bitmap_set(ofproto->numbers_used, number);
	ofproto->conf_dirty = true;
	*ofp_port = number;
	return 0;
}

void ofproto_port_remove(struct ofproto *ofproto, ofp_port_t number)
{
	struct of_port *port = ofproto_port_get(ofproto, number);

	if (!port)
		return;
	if (port->announced)
		vec_push(&ofproto->departed, port->shown);
	fdb_flush_port(ofproto->bridge->fdb, number);
	ofproto_l2_port_removed(ofproto, port);
	/* What answered through the device may be elsewhere when there is one of that name again. */
	dp_neigh_flush(port->name);
	port_destroy(ofproto, port);
	ofproto->conf_dirty = true;
}

void ofproto_port_forget(struct ofproto *ofproto, const char *name)
{
	look_at_numbers(ofproto);
	shash_remove(&ofproto->port_numbers, name);
	/* The number stays used. */
	ofproto->numbers_names = shash_count(&ofproto->port_numbers);
}

void ofproto_port_update(
	struct ofproto *ofproto, ofp_port_t number, const struct dp_port_info *info)
{
	struct of_port *port = ofproto_port_get(ofproto, number);

	if (!port || !memcmp(&port->info, info, sizeof *info))
		return;
	if (port->kind == PL_PORT_DEVICE) {
		port->config &= ~(uint32_t)OFPPC_PORT_DOWN;
		if (!info->admin_up)
			port->config |= OFPPC_PORT_DOWN;
	}
	port->info = *info;
	ofproto->conf_dirty = true;
}

void ofproto_port_set_peer(struct ofproto *ofproto, ofp_port_t number, dp_port_t peer)
{
	struct of_port *port = ofproto_port_get(ofproto, number);

	if (!port || port->peer == peer)
		return;
	port->peer = peer;
	ofproto->conf_dirty = true;
}

/* ------------------------------------------------------------------ what OpenFlow sees */

static uint32_t speed_features(const struct dp_port_info *info)
{
	static const struct {
		uint64_t mbps;
		uint32_t full, half;
	} speeds[] = {
		{ 10, OFPPF_10MB_FD, OFPPF_10MB_HD },
		{ 100, OFPPF_100MB_FD, OFPPF_100MB_HD },
		{ 1000, OFPPF_1GB_FD, OFPPF_1GB_HD },
		{ 10000, OFPPF_10GB_FD, OFPPF_10GB_FD },
		{ 40000, OFPPF_40GB_FD, OFPPF_40GB_FD },
		{ 100000, OFPPF_100GB_FD, OFPPF_100GB_FD },
		{ 1000000, OFPPF_1TB_FD, OFPPF_1TB_FD },
	};

	if (!info->link_speed_mbps)
		return 0;
	for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
		if (speeds[i].mbps == info->link_speed_mbps)
			return (info->full_duplex ? speeds[i].full : speeds[i].half) | OFPPF_COPPER;
	return OFPPF_OTHER;
}

void ofproto_port_describe(const struct of_port *port, struct port_desc *desc)
{
	const struct dp_port_info *info = &port->info;

	memset(desc, 0, sizeof *desc);
	desc->port = port->ofp_port;
	desc->hw_addr = info->mac;
	str_copy(desc->name, port->name, sizeof desc->name);
	desc->config = port->config;
	if (port->kind == PL_PORT_DEVICE && !info->link_up)
		desc->state |= OFPPS_LINK_DOWN;
	if (!(port->config & OFPPC_PORT_DOWN) && !(desc->state & OFPPS_LINK_DOWN))
		desc->state |= OFPPS_LIVE;
	desc->state |= port->stp_state;
	if (!(port->stp_allows & PL_PORT_FORWARDS))
		desc->state |= OFPPS_BLOCKED;
	desc->curr = speed_features(info);
	desc->curr_speed = (uint32_t)(info->link_speed_mbps * 1000);
}

enum ofp_error ofproto_port_mod_check(struct ofproto *ofproto, const struct port_mod *pm)
{
	const struct of_port *port = ofproto_port_get(ofproto, pm->port);

	if (!port)
		return OFPPMFC_BAD_PORT;
	if (memcmp(&port->info.mac, &pm->hw_addr, sizeof pm->hw_addr))
		return OFPPMFC_BAD_HW_ADDR;
	return OFP_OK;
}

void ofproto_port_mod(struct ofproto *ofproto, const struct port_mod *pm, void *source)
{
	struct of_port *port = ofproto_port_get(ofproto, pm->port);
	uint32_t toggle;
	struct port_desc now;

	if (!port)
		return;
	toggle = (pm->config ^ port->config) & pm->mask;
	if (!toggle)
		return;
	if (toggle & OFPPC_PORT_DOWN && port->kind == PL_PORT_DEVICE)
		dp_port_set_admin(port->dp_port, !(pm->config & OFPPC_PORT_DOWN));
	port->config ^= toggle;
	ofproto->conf_dirty = true;
	if (port->announced) {
		ofproto_port_describe(port, &now);
		async_port_status(ofproto->mgr, &port->shown, &now, OFPPR_MODIFY, source);
		port->shown = now;
	}
	ofproto_commit(ofproto);
}

/* Tells what changed since the last time. */
void ofproto_ports_announce(struct ofproto *ofproto)
{
	struct port_desc *gone, now;
	struct of_port **ports;
	size_t n, i;

	VEC_FOR_EACH (gone, &ofproto->departed)
		async_port_status(ofproto->mgr, NULL, gone, OFPPR_DELETE, NULL);
	vec_clear(&ofproto->departed);
	ports = ofproto_ports_sorted(ofproto, &n);
	for (i = 0; i < n; i++) {
		struct of_port *port = ports[i];

		ofproto_port_describe(port, &now);
		if (!port->announced)
			async_port_status(ofproto->mgr, NULL, &now, OFPPR_ADD, NULL);
		else if (memcmp(&port->shown, &now, sizeof now))
			async_port_status(ofproto->mgr, &port->shown, &now, OFPPR_MODIFY, NULL);
		port->announced = true;
		port->shown = now;
	}
	free(ports);
}
