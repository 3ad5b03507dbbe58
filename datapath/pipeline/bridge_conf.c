/* SPDX-License-Identifier: Apache-2.0 */

/* Snapshots of a bridge's ports, bundles, mirrors and settings: build, clone, compare, publish. */

#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/fatal.h"

#define N_VLANS 4096

struct pl_bridge_conf *pl_bridge_conf_create(void)
{
	struct pl_bridge_conf *conf = xcalloc(1, sizeof *conf);

	conf->vlan_limit = FLOW_MAX_VLANS;
	conf->mcast_flood_unregistered = true;
	return conf;
}

static void *dup_or_null(const void *p, size_t size)
{
	return p && size ? xmemdup(p, size) : NULL;
}

static unsigned long *dup_vlans(const unsigned long *vlans)
{
	return vlans ? bitmap_clone(vlans, N_VLANS) : NULL;
}

static char *dup_name(const char *name)
{
	return name ? xstrdup(name) : NULL;
}

struct pl_bridge_conf *pl_bridge_conf_clone(const struct pl_bridge_conf *old)
{
	struct pl_bridge_conf *conf = xmemdup(old, sizeof *old);

	conf->by_ofp_port = NULL;
	conf->by_ofp_port_len = 0;
	conf->local = NULL;
	conf->ports = dup_or_null(old->ports, old->n_ports * sizeof *old->ports);
	conf->bundles = dup_or_null(old->bundles, old->n_bundles * sizeof *old->bundles);
	for (size_t i = 0; i < conf->n_bundles; i++) {
		struct pl_bundle *bundle = &conf->bundles[i];

		bundle->name = dup_name(bundle->name);
		bundle->trunks = dup_vlans(bundle->trunks);
		bundle->cvlans = dup_vlans(bundle->cvlans);
		bundle->ports = dup_or_null(bundle->ports, bundle->n_ports * sizeof *bundle->ports);
	}
	for (size_t i = 0; i < conf->n_mirrors; i++) {
		conf->mirrors[i].name = dup_name(conf->mirrors[i].name);
		conf->mirrors[i].vlans = dup_vlans(conf->mirrors[i].vlans);
	}
	conf->flood_vlans = dup_vlans(old->flood_vlans);
	return conf;
}

void pl_bridge_conf_destroy(struct pl_bridge_conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < conf->n_bundles; i++) {
		free(conf->bundles[i].name);
		free(conf->bundles[i].trunks);
		free(conf->bundles[i].cvlans);
		free(conf->bundles[i].ports);
	}
	for (size_t i = 0; i < conf->n_mirrors; i++) {
		free(conf->mirrors[i].name);
		free(conf->mirrors[i].vlans);
	}
	free(conf->by_ofp_port);
	free(conf->flood_vlans);
	free(conf->bundles);
	free(conf->ports);
	free(conf);
}

static void destroy_deferred(void *conf)
{
	pl_bridge_conf_destroy(conf);
}

/* ------------------------------------------------------------------ what follows from the rest */

static void index_ports(struct pl_bridge *bridge, struct pl_bridge_conf *conf)
{
	uint32_t len = 0;

	conf->local = NULL;
	for (size_t i = 0; i < conf->n_ports; i++) {
		struct pl_port *port = &conf->ports[i];

		port->bridge = bridge;
		if (port->ofp_port <= OFP_PORT_LAST && port->ofp_port >= len)
			len = port->ofp_port + 1;
		else if (port->ofp_port == OFPP_LOCAL)
			conf->local = port;
	}
	free(conf->by_ofp_port);
	conf->by_ofp_port = xcalloc(len ? len : 1, sizeof(struct pl_port *));
	conf->by_ofp_port_len = len;
	for (size_t i = 0; i < conf->n_ports; i++)
		if (conf->ports[i].ofp_port < len)
			conf->by_ofp_port[conf->ports[i].ofp_port] = &conf->ports[i];
}

static void fill_bundles(struct pl_bridge_conf *conf)
{
	for (size_t i = 0; i < conf->n_bundles; i++) {
		conf->bundles[i].n_ports = 0;
		conf->bundles[i].floodable = false;
		conf->bundles[i].mirror_output = false;
		conf->bundles[i].out_mirrors = 0;
	}
	for (size_t i = 0; i < conf->n_ports; i++) {
		struct pl_bundle *bundle;

		if (conf->ports[i].bundle >= conf->n_bundles)
			fatal("port %s has no bundle", conf->ports[i].name);
		bundle = &conf->bundles[conf->ports[i].bundle];
		bundle->ports = xrealloc(bundle->ports,
			(bundle->n_ports + 1u) * sizeof *bundle->ports);
		bundle->ports[bundle->n_ports++] = (uint16_t)i;
		if (!(conf->ports[i].config & PL_PORT_NO_FLOOD))
			bundle->floodable = true;
	}
}

static bool same_output(const struct pl_mirror *a, const struct pl_mirror *b)
{
	return a->out_bundle == b->out_bundle && a->out_vlan == b->out_vlan;
}

static void fill_mirrors(struct pl_bridge_conf *conf)
{
	for (size_t i = 0; i < conf->n_mirrors; i++) {
		struct pl_mirror *mirror = &conf->mirrors[i];

		mirror->dup_mirrors = 0;
		for (size_t j = 0; j < conf->n_mirrors; j++)
			if (same_output(mirror, &conf->mirrors[j]))
				mirror->dup_mirrors |= 1u << j;
		if (mirror->select_all)
			for (size_t j = 0; j < conf->n_bundles; j++) {
				conf->bundles[j].src_mirrors |= 1u << i;
				conf->bundles[j].dst_mirrors |= 1u << i;
			}
		if (mirror->out_bundle >= 0 && (size_t)mirror->out_bundle < conf->n_bundles) {
			conf->bundles[mirror->out_bundle].mirror_output = true;
			conf->bundles[mirror->out_bundle].out_mirrors |= 1u << i;
		}
	}
}

/* ------------------------------------------------------------------ what differs */

static bool name_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool vlans_equal(const unsigned long *a, const unsigned long *b)
{
	return a == b || (a && b && bitmap_equal(a, b, N_VLANS));
}

/* But for their bundles. */
static bool port_equal(const struct pl_port *a, const struct pl_port *b)
{
	return a->dp_port == b->dp_port && a->ofp_port == b->ofp_port && a->bridge == b->bridge &&
		a->kind == b->kind && a->stp == b->stp &&
		a->config == b->config && a->is_internal == b->is_internal &&
		a->is_underlay == b->is_underlay &&
		a->link_up == b->link_up && a->may_enable == b->may_enable &&
		eth_addr_equal(a->mac, b->mac) && a->mtu == b->mtu && a->peer == b->peer &&
		a->rx_counter == b->rx_counter && a->tx_counter == b->tx_counter &&
		a->tunnel == b->tunnel && !strcmp(a->name, b->name);
}

/* Bundle I of A and bundle J of B: in themselves, and which ports they have. */
static bool bundle_equal(const struct pl_bridge_conf *a_conf, unsigned int i,
	const struct pl_bridge_conf *b_conf, unsigned int j)
{
	const struct pl_bundle *a = &a_conf->bundles[i], *b = &b_conf->bundles[j];

	if (!name_equal(a->name, b->name) || a->vlan_mode != b->vlan_mode ||
		a->priority_tags != b->priority_tags || a->vlan != b->vlan ||
		a->qinq_ethtype != b->qinq_ethtype || a->floodable != b->floodable ||
		a->protected != b->protected || a->mirror_output != b->mirror_output ||
		!vlans_equal(a->trunks, b->trunks) || !vlans_equal(a->cvlans, b->cvlans) ||
		a->src_mirrors != b->src_mirrors || a->dst_mirrors != b->dst_mirrors ||
		a->out_mirrors != b->out_mirrors || a->n_ports != b->n_ports ||
		a->bond != b->bond)
		return false;
	for (unsigned int k = 0; k < a->n_ports; k++)
		if (a_conf->ports[a->ports[k]].dp_port != b_conf->ports[b->ports[k]].dp_port)
			return false;
	return true;
}

static bool mirror_equal(const struct pl_mirror *a, const struct pl_mirror *b)
{
	return name_equal(a->name, b->name) && a->select_all == b->select_all &&
		vlans_equal(a->vlans, b->vlans) && same_output(a, b) &&
		a->snaplen == b->snaplen && a->dup_mirrors == b->dup_mirrors &&
		a->counter == b->counter;
}

static bool settings_equal(const struct pl_bridge_conf *a, const struct pl_bridge_conf *b)
{
	return vlans_equal(a->flood_vlans, b->flood_vlans) && a->forward_bpdu == b->forward_bpdu &&
		a->stp == b->stp && a->mcast_snooping == b->mcast_snooping &&
		a->mcast_flood_unregistered == b->mcast_flood_unregistered &&
		a->frag_drop == b->frag_drop && a->frag_ports == b->frag_ports && a->vlan_limit == b->vlan_limit &&
		a->miss_send_len == b->miss_send_len && eth_addr_equal(a->mac, b->mac);
}

static bool mirrors_equal(const struct pl_bridge_conf *a, const struct pl_bridge_conf *b)
{
	if (a->n_mirrors != b->n_mirrors)
		return false;
	for (size_t i = 0; i < a->n_mirrors; i++)
		if (!mirror_equal(&a->mirrors[i], &b->mirrors[i]))
			return false;
	return true;
}

/* The same ports one by one, each in a bundle of the same place. */
static bool same_order(const struct pl_bridge_conf *a, const struct pl_bridge_conf *b)
{
	if (a->n_ports != b->n_ports || a->n_bundles != b->n_bundles)
		return false;
	for (size_t i = 0; i < a->n_ports; i++)
		if (a->ports[i].dp_port != b->ports[i].dp_port || a->ports[i].bundle != b->ports[i].bundle)
			return false;
	return true;
}

/* ------------------------------------------------------------------ publication */

/* What of the ports differs, in the two snapshots; by place. */
struct port_diff {
	const struct pl_bridge_conf *old, *new;
	unsigned long *old_ports, *new_ports;
};

static void mark_bundle(const struct pl_bridge_conf *conf, unsigned int bundle, unsigned long *ports)
{
	for (unsigned int i = 0; i < conf->bundles[bundle].n_ports; i++)
		bitmap_set(ports, conf->bundles[bundle].ports[i]);
}

/* The old form of the port that is number I now; NULL: it was not this bridge's. */
static const struct pl_port *old_form(const struct port_diff *diff, size_t i)
{
	const struct pl_port *old = rcu_get_protected(&pipeline.ports[diff->new->ports[i].dp_port]);

	return old && old->bridge == diff->new->ports[i].bridge ? old : NULL;
}

/* Members of a bundle share what happens to one of them. */
static void compare_ports(struct port_diff *diff)
{
	unsigned long *stayed = bitmap_alloc(MAX(diff->old->n_ports, (size_t)1));

	for (size_t i = 0; i < diff->new->n_ports; i++) {
		const struct pl_port *port = &diff->new->ports[i], *old = old_form(diff, i);

		if (old)
			bitmap_set(stayed, (size_t)(old - diff->old->ports));
		if (old && port_equal(old, port) &&
			bundle_equal(diff->old, old->bundle, diff->new, port->bundle))
			continue;
		mark_bundle(diff->new, port->bundle, diff->new_ports);
		if (old)
			mark_bundle(diff->old, old->bundle, diff->old_ports);
	}
	for (size_t i = 0; i < diff->old->n_ports; i++)
		if (!bitmap_is_set(stayed, i))
			mark_bundle(diff->old, diff->old->ports[i].bundle, diff->old_ports);
	free(stayed);
}

static void publish_ports(const struct pl_bridge_conf *conf)
{
	for (size_t i = 0; i < conf->n_ports; i++) {
		const struct pl_port *port = &conf->ports[i];

		rcu_set(&pipeline.ports[port->dp_port], port);
	}
}

/* Those that were in OLD and are nowhere now; one that moved to another bridge is that one's. */
static void withdraw_ports(const struct pl_bridge_conf *old)
{
	for (size_t i = 0; i < old->n_ports; i++) {
		dp_port_t dp_port = old->ports[i].dp_port;

		if (rcu_get_protected(&pipeline.ports[dp_port]) == &old->ports[i])
			rcu_set(&pipeline.ports[dp_port], NULL);
	}
}

static bool bump_ports(uint32_t bridge_id, const struct pl_bridge_conf *conf, const unsigned long *ports)
{
	bool any = false;
	size_t i;

	BITMAP_FOR_EACH (i, conf->n_ports, ports) {
		dep_bump(dep_port(conf->ports[i].dp_port));
		dep_bump(dep_ofp_port(bridge_id, conf->ports[i].ofp_port));
		any = true;
	}
	return any;
}

static void check_numbers(const struct pl_bridge_conf *conf)
{
	for (size_t i = 0; i < conf->n_ports; i++)
		if (conf->ports[i].dp_port >= PL_MAX_PORTS)
			fatal("port %s has number %u", conf->ports[i].name, conf->ports[i].dp_port);
}

void pl_bridge_set_conf(struct pl_bridge *bridge, struct pl_bridge_conf *conf)
{
	struct pl_bridge_conf *old = rcu_get_protected(&bridge->conf);
	struct port_diff diff = {
		.old = old,
		.new = conf,
		.old_ports = bitmap_alloc(MAX(old->n_ports, (size_t)1)),
		.new_ports = bitmap_alloc(MAX(conf->n_ports, (size_t)1)),
	};
	bool ports, mirrors = old->n_mirrors || conf->n_mirrors;

	check_numbers(conf);
	index_ports(bridge, conf);
	fill_bundles(conf);
	fill_mirrors(conf);
	compare_ports(&diff);

	rcu_set(&bridge->conf, conf);
	publish_ports(conf);
	withdraw_ports(old);

	dep_batch_begin();
	ports = bump_ports(bridge->id, old, diff.old_ports);
	ports |= bump_ports(bridge->id, conf, diff.new_ports);
	ports |= !same_order(old, conf);
	if (ports)
		dep_bump(dep_ports(bridge->id));
	if (!settings_equal(old, conf) || (mirrors && (ports || !mirrors_equal(old, conf))))
		dep_bump(dep_bridge(bridge->id));
	dep_batch_end();
	free(diff.old_ports);
	free(diff.new_ports);
	rcu_defer(destroy_deferred, old);
}
