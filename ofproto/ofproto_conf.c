/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "datapath/pipeline/fdb.h"
#include "lib/fatal.h"
#include "ofproto/ofproto_private.h"

#define N_VLANS 4096

static unsigned long *vlans_dup(const unsigned long *vlans)
{
	return vlans ? xmemdup(vlans, BITMAP_N_WORDS(N_VLANS) * sizeof *vlans) : NULL;
}

static bool vlans_equal(const unsigned long *a, const unsigned long *b)
{
	return a == b || (a && b && !memcmp(a, b, BITMAP_N_WORDS(N_VLANS) * sizeof *a));
}

/* ------------------------------------------------------------------ bundles */

static void bundle_destroy(struct of_bundle_conf *bundle)
{
	free(bundle->name);
	vec_uninit(&bundle->ports);
	free(bundle->trunks);
	free(bundle->cvlans);
	free(bundle);
}

static struct of_bundle_conf *bundle_create(const struct ofproto_bundle *spec)
{
	struct of_bundle_conf *bundle = xcalloc(1, sizeof *bundle);

	bundle->name = xstrdup(spec->name);
	for (size_t i = 0; i < spec->n_ports; i++)
		vec_push(&bundle->ports, spec->ports[i]);
	bundle->vlan_mode = spec->vlan_mode;
	bundle->priority_tags = spec->priority_tags;
	bundle->vlan = spec->vlan;
	bundle->trunks = vlans_dup(spec->trunks);
	bundle->cvlans = vlans_dup(spec->cvlans);
	bundle->qinq_ethtype = spec->qinq_ethtype;
	bundle->protected = spec->protected;
	return bundle;
}

static bool bundle_is(const struct of_bundle_conf *bundle, const struct ofproto_bundle *spec)
{
	return bundle->ports.n == spec->n_ports &&
		(!spec->n_ports || !memcmp(bundle->ports.items, spec->ports,
			spec->n_ports * sizeof *spec->ports)) &&
		bundle->vlan_mode == spec->vlan_mode &&
		bundle->priority_tags == spec->priority_tags && bundle->vlan == spec->vlan &&
		vlans_equal(bundle->trunks, spec->trunks) &&
		vlans_equal(bundle->cvlans, spec->cvlans) &&
		bundle->qinq_ethtype == spec->qinq_ethtype && bundle->protected == spec->protected;
}

/* What was learned on BUNDLE's ports may not hold any more. */
static void bundle_flush(struct ofproto *ofproto, const struct of_bundle_conf *bundle)
{
	for (size_t i = 0; i < bundle->ports.n; i++) {
		fdb_flush_port(ofproto->bridge->fdb, bundle->ports.items[i]);
		if (ofproto->mcast)
			mcast_snooping_forget_port(ofproto->mcast, bundle->ports.items[i]);
	}
}

void ofproto_bundle_set(struct ofproto *ofproto, const struct ofproto_bundle *spec)
{
	struct of_bundle_conf *bundle = shash_get(&ofproto->bundles, spec->name);

	if (bundle && bundle_is(bundle, spec))
		return;
	if (bundle) {
		bundle_flush(ofproto, bundle);
		bundle_destroy(bundle);
	}
	shash_put(&ofproto->bundles, spec->name, bundle_create(spec));
	ofproto->conf_dirty = true;
}

void ofproto_bundle_remove(struct ofproto *ofproto, const char *name)
{
	struct of_bundle_conf *bundle = shash_remove(&ofproto->bundles, name);

	if (!bundle)
		return;
	bundle_flush(ofproto, bundle);
	bundle_destroy(bundle);
	ofproto->conf_dirty = true;
}

/* ------------------------------------------------------------------ mirrors */

static void mirror_uninit(struct of_mirror_conf *mirror)
{
	free(mirror->name);
	sset_uninit(&mirror->src_ports);
	sset_uninit(&mirror->dst_ports);
	free(mirror->vlans);
	free(mirror->output_port);
}

static void mirror_init(struct of_mirror_conf *mirror, const struct ofproto_mirror *spec)
{
	memset(mirror, 0, sizeof *mirror);
	mirror->name = xstrdup(spec->name);
	mirror->select_all = spec->select_all;
	mirror->src_ports = (struct sset)SSET_INITIALIZER;
	mirror->dst_ports = (struct sset)SSET_INITIALIZER;
	for (size_t i = 0; i < spec->n_src; i++)
		sset_add(&mirror->src_ports, spec->src_ports[i]);
	for (size_t i = 0; i < spec->n_dst; i++)
		sset_add(&mirror->dst_ports, spec->dst_ports[i]);
	mirror->vlans = vlans_dup(spec->vlans);
	mirror->output_port = spec->output_port ? xstrdup(spec->output_port) : NULL;
	mirror->output_vlan = spec->output_vlan;
	mirror->snaplen = spec->snaplen;
}

static bool mirror_equal(const struct of_mirror_conf *a, const struct of_mirror_conf *b)
{
	return !strcmp(a->name, b->name) && a->select_all == b->select_all &&
	       sset_equals(&a->src_ports, &b->src_ports) &&
	       sset_equals(&a->dst_ports, &b->dst_ports) && vlans_equal(a->vlans, b->vlans) &&
	       !strcmp(a->output_port ? a->output_port : "",
		       b->output_port ? b->output_port : "") &&
	       a->output_vlan == b->output_vlan && a->snaplen == b->snaplen;
}

static struct of_mirror_conf *mirror_find(const struct ofproto *ofproto, const char *name)
{
	struct of_mirror_conf *mirror;

	VEC_FOR_EACH (mirror, &ofproto->mirrors)
		if (!strcmp(mirror->name, name))
			return mirror;
	return NULL;
}

void ofproto_set_mirrors(struct ofproto *ofproto, const struct ofproto_mirror *mirrors, size_t n)
{
	__typeof__(ofproto->mirrors) next = VEC_INITIALIZER;
	bool same = n == ofproto->mirrors.n;
	struct of_mirror_conf *old, *mirror;

	if (n > PL_MAX_MIRRORS)
		n = PL_MAX_MIRRORS;
	/* A mirror keeps its counts for as long as there is one of its name. */
	for (size_t i = 0; i < n; i++) {
		mirror = vec_push_zero(&next);
		mirror_init(mirror, &mirrors[i]);
		old = mirror_find(ofproto, mirror->name);
		same = same && old == &ofproto->mirrors.items[i] && mirror_equal(old, mirror);
		mirror->counter = old ? old->counter : counter_alloc();
		if (old)
			old->counter = COUNTER_NONE;
	}
	VEC_FOR_EACH (old, &ofproto->mirrors) {
		if (old->counter != COUNTER_NONE)
			counter_free(old->counter);
		mirror_uninit(old);
	}
	vec_uninit(&ofproto->mirrors);
	ofproto->mirrors.items = next.items;
	ofproto->mirrors.n = next.n;
	ofproto->mirrors.cap = next.cap;
	if (!same)
		ofproto->conf_dirty = true;
}

bool ofproto_mirror_stats(const struct ofproto *ofproto, const char *name, uint64_t *packets,
	uint64_t *bytes)
{
	const struct of_mirror_conf *mirror = mirror_find(ofproto, name);
	struct counter_value value;

	if (!mirror)
		return false;
	value = counter_get(mirror->counter);
	*packets = value.packets;
	*bytes = value.bytes;
	return true;
}

/* ------------------------------------------------------------------ settings */

void ofproto_set_forward_bpdu(struct ofproto *ofproto, bool forward)
{
	ofproto->conf_dirty |= ofproto->forward_bpdu != forward;
	ofproto->forward_bpdu = forward;
}

void ofproto_set_flood_vlans(struct ofproto *ofproto, const unsigned long *vlans)
{
	if (vlans_equal(ofproto->flood_vlans, vlans))
		return;
	free(ofproto->flood_vlans);
	/* Where nothing is learned any more, nothing learned may stay. */
	fdb_flush(ofproto->bridge->fdb);
	ofproto->flood_vlans = vlans_dup(vlans);
	ofproto->conf_dirty = true;
}

void ofproto_set_hwaddr(struct ofproto *ofproto, struct eth_addr mac)
{
	ofproto->conf_dirty |= memcmp(&ofproto->hwaddr, &mac, sizeof mac) != 0;
	ofproto->hwaddr = mac;
}

void ofproto_set_frag(struct ofproto *ofproto, enum ofp_frag frag)
{
	/* Fragments are matched as such (OFPC_FRAG_NX_MATCH), or dropped; nobody reassembles them.
	 */
	if (frag == OFPC_FRAG_REASM || frag == ofproto->frag)
		return;
	ofproto->frag = frag;
	ofproto->conf_dirty = true;
	ofproto_commit(ofproto);
}

/* ------------------------------------------------------------------ the snapshot */

static void conf_put_port(struct pl_port *pl, const struct of_port *port, struct pl_bridge *bridge)
{
	bool up = port->kind != PL_PORT_DEVICE || port->info.link_up;

	*pl = (struct pl_port) {
		.dp_port = port->dp_port,
		.ofp_port = port->ofp_port,
		.bridge = bridge,
		.bundle = UINT16_MAX,
		.kind = port->kind,
		.stp = port->stp_allows,
		.config = port->config,
		.is_internal = port->is_internal,
		.link_up = up,
		.may_enable = up && !(port->config & OFPPC_PORT_DOWN),
		.mac = port->info.mac,
		.mtu = port->info.mtu,
		.peer = port->peer,
		.rx_counter = port->rx_counter,
		.tx_counter = port->tx_counter,
		.tunnel = port->tunnel,
	};
	str_copy(pl->name, port->name, sizeof pl->name);
}

static void conf_put_ports(const struct ofproto *ofproto, struct pl_bridge_conf *conf)
{
	struct of_port **ports = ofproto_ports_sorted(ofproto, &conf->n_ports);

	conf->ports = xcalloc(conf->n_ports, sizeof *conf->ports);
	for (size_t i = 0; i < conf->n_ports; i++)
		conf_put_port(&conf->ports[i], ports[i], ofproto->bridge);
	free(ports);
}

static int conf_bundle_index(const struct pl_bridge_conf *conf, const char *name)
{
	for (size_t i = 0; name && i < conf->n_bundles; i++)
		if (!strcmp(conf->bundles[i].name, name))
			return (int)i;
	return -1;
}

/* What the port trunks in fact (a new bitmap; NULL: all). A native VLAN is always among them, and
 * VLAN 0 then is not: untagged frames are the native VLAN's. */
static unsigned long *trunked_vlans(const struct of_bundle_conf *bundle)
{
	unsigned long *trunks;

	if (bundle->vlan_mode == PL_VLAN_ACCESS)
		return NULL;
	if ((bundle->vlan_mode != PL_VLAN_NATIVE_TAGGED &&
		bundle->vlan_mode != PL_VLAN_NATIVE_UNTAGGED) || !bundle->vlan)
		return vlans_dup(bundle->trunks);
	trunks = vlans_dup(bundle->trunks);
	if (!trunks) {
		trunks = bitmap_alloc(N_VLANS);
		bitmap_assign_range(trunks, 0, N_VLANS, true);
	}
	bitmap_set(trunks, bundle->vlan);
	bitmap_clear(trunks, 0);
	return trunks;
}

static int compare_to_port(const void *number_, const void *port_)
{
	const struct pl_port *port = port_;
	ofp_port_t number = *(const ofp_port_t *)number_;

	return (number > port->ofp_port) - (number < port->ofp_port);
}

/* The port with NUMBER: they are sorted by it. */
static struct pl_port *conf_find_port(struct pl_bridge_conf *conf, ofp_port_t number)
{
	size_t i = lower_bound(&number, conf->ports, conf->n_ports, sizeof *conf->ports, compare_to_port);

	return i < conf->n_ports && conf->ports[i].ofp_port == number ? &conf->ports[i] : NULL;
}

static void conf_put_bundle(struct pl_bridge_conf *conf, uint16_t index,
	const struct of_bundle_conf *bundle)
{
	struct pl_bundle *pl = &conf->bundles[index];

	*pl = (struct pl_bundle) {
		.name = xstrdup(bundle->name),
		.vlan_mode = (uint8_t)bundle->vlan_mode,
		.priority_tags = (uint8_t)bundle->priority_tags,
		.vlan = (int16_t)bundle->vlan,
		.qinq_ethtype = bundle->qinq_ethtype,
		.protected = bundle->protected,
		.trunks = trunked_vlans(bundle),
		.cvlans = vlans_dup(bundle->cvlans),
		.bond = bundle->ports.n > 1,
	};
	for (size_t i = 0; i < bundle->ports.n; i++) {
		struct pl_port *port = conf_find_port(conf, bundle->ports.items[i]);

		if (port)
			port->bundle = index;
	}
}

/* A port that is in no bundle (yet) makes one of its own, a trunk. */
static void conf_put_lone_ports(struct pl_bridge_conf *conf)
{
	for (size_t i = 0; i < conf->n_ports; i++) {
		struct of_bundle_conf lone = {
			.name = conf->ports[i].name,
			.ports = { .items = &conf->ports[i].ofp_port, .n = 1 },
			.vlan_mode = PL_VLAN_TRUNK,
			.vlan = -1,
		};

		if (conf->ports[i].bundle == UINT16_MAX)
			conf_put_bundle(conf, (uint16_t)conf->n_bundles++, &lone);
	}
}

static void conf_put_bundles(const struct ofproto *ofproto, struct pl_bridge_conf *conf)
{
	struct shash_node **nodes = shash_sort(&ofproto->bundles);

	conf->n_bundles = shash_count(&ofproto->bundles);
	conf->bundles = xcalloc(conf->n_bundles + conf->n_ports, sizeof *conf->bundles);
	for (size_t i = 0; i < conf->n_bundles; i++)
		conf_put_bundle(conf, (uint16_t)i, nodes[i]->data);
	free(nodes);
	conf_put_lone_ports(conf);
}

static void conf_select(
	struct pl_bridge_conf *conf, const struct of_mirror_conf *mirror, unsigned int i)
{
	for (size_t j = 0; j < conf->n_bundles; j++) {
		struct pl_bundle *bundle = &conf->bundles[j];

		if (sset_contains(&mirror->src_ports, bundle->name))
			bundle->src_mirrors |= 1u << i;
		if (sset_contains(&mirror->dst_ports, bundle->name))
			bundle->dst_mirrors |= 1u << i;
	}
}

static void conf_put_mirrors(const struct ofproto *ofproto, struct pl_bridge_conf *conf)
{
	conf->n_mirrors = ofproto->mirrors.n;
	for (unsigned int i = 0; i < conf->n_mirrors; i++) {
		const struct of_mirror_conf *mirror = &ofproto->mirrors.items[i];

		conf->mirrors[i] = (struct pl_mirror) {
			.name = xstrdup(mirror->name),
			.select_all = mirror->select_all,
			.vlans = vlans_dup(mirror->vlans),
			.out_bundle = conf_bundle_index(conf, mirror->output_port),
			.out_vlan = mirror->output_vlan,
			.snaplen = mirror->snaplen,
			.counter = mirror->counter,
		};
		conf_select(conf, mirror, i);
	}
}

void ofproto_commit(struct ofproto *ofproto)
{
	struct pl_bridge_conf *conf;

	if (!ofproto->conf_dirty)
		return;
	ofproto->conf_dirty = false;
	conf = pl_bridge_conf_create();
	conf_put_ports(ofproto, conf);
	conf_put_bundles(ofproto, conf);
	conf_put_mirrors(ofproto, conf);
	conf->flood_vlans = vlans_dup(ofproto->flood_vlans);
	conf->forward_bpdu = ofproto->forward_bpdu;
	conf->stp = ofproto->stp || ofproto->rstp;
	conf->mcast_snooping = ofproto->mcast;
	conf->mcast_flood_unregistered = ofproto->mcast_flood_unregistered;
	conf->frag_drop = ofproto->frag == OFPC_FRAG_DROP;
	conf->frag_ports = ofproto->frag == OFPC_FRAG_NX_MATCH;
	conf->vlan_limit = ofproto_globals.vlan_limit;
	conf->miss_send_len = OFP_DEFAULT_MISS_SEND_LEN;
	conf->mac = ofproto->hwaddr;
	pl_bridge_set_conf(ofproto->bridge, conf);
	ofproto_ports_announce(ofproto);
}

void ofproto_conf_uninit(struct ofproto *ofproto)
{
	struct of_mirror_conf *mirror;
	struct shash_node *node;

	SHASH_FOR_EACH_SAFE (node, &ofproto->bundles)
		bundle_destroy(shash_delete(&ofproto->bundles, node));
	shash_uninit(&ofproto->bundles);
	VEC_FOR_EACH (mirror, &ofproto->mirrors) {
		counter_free(mirror->counter);
		mirror_uninit(mirror);
	}
	vec_uninit(&ofproto->mirrors);
	free(ofproto->flood_vlans);
}
