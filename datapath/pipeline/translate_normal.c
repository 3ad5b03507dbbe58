/* SPDX-License-Identifier: Apache-2.0 */

/*
 * NORMAL: a learning VLAN bridge. VLAN modes of bundles as in ovs-vswitchd.conf.db(5), table Port.
 */

#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* ---------------------------------------------------------------- VLANs of a bundle */

void xvlan_extract(const struct flow *flow, struct xvlan *xvlan)
{
	memset(xvlan, 0, sizeof *xvlan);
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		uint16_t tci = be16toh(flow->vlans[i].tci);

		if (!eth_type_is_vlan(flow->vlans[i].tpid) || !(tci & VLAN_PRESENT))
			break;
		xvlan->v[i].tpid = be16toh(flow->vlans[i].tpid);
		xvlan->v[i].vid = tci & VLAN_VID_MASK;
		xvlan->v[i].pcp = tci & VLAN_PCP_MASK;
	}
}

static void xvlan_pop(struct xvlan *xvlan)
{
	memmove(&xvlan->v[0], &xvlan->v[1], sizeof xvlan->v - sizeof xvlan->v[0]);
	memset(&xvlan->v[FLOW_MAX_VLANS - 1], 0, sizeof xvlan->v[0]);
}

static void xvlan_push(struct xvlan *xvlan)
{
	memmove(&xvlan->v[1], &xvlan->v[0], sizeof xvlan->v - sizeof xvlan->v[0]);
	memset(&xvlan->v[0], 0, sizeof xvlan->v[0]);
}

static bool bundle_trunks(const struct pl_bundle *bundle, uint16_t vid)
{
	return bundle->vlan_mode != PL_VLAN_ACCESS &&
		(!bundle->trunks || bitmap_is_set(bundle->trunks, vid));
}

static bool bundle_allows_cvlan(const struct pl_bundle *bundle, uint16_t vid)
{
	return !bundle->cvlans || bitmap_is_set(bundle->cvlans, vid);
}

bool bundle_includes_vlan(const struct pl_bundle *bundle, const struct xvlan *xvlan)
{
	switch (bundle->vlan_mode) {
	case PL_VLAN_ACCESS:
		return xvlan->v[0].vid == bundle->vlan && !xvlan->v[1].vid;
	case PL_VLAN_DOT1Q_TUNNEL:
		return xvlan->v[0].vid == bundle->vlan &&
			bundle_allows_cvlan(bundle, xvlan->v[1].vid);
	default:
		return bundle_trunks(bundle, xvlan->v[0].vid);
	}
}

bool xvlan_input_is_valid(struct xlate_ctx *ctx, uint16_t vid, const struct pl_bundle *bundle)
{
	if (!bundle)
		return true;
	switch (bundle->vlan_mode) {
	case PL_VLAN_ACCESS:
		if (!vid)
			return true;
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"dropping VLAN %u tagged packet received on port %s configured as VLAN %d "
			"access port", vid, bundle->name, bundle->vlan);
		return false;
	case PL_VLAN_DOT1Q_TUNNEL:
		if (bundle_allows_cvlan(bundle, vid))
			return true;
		xlate_report(ctx, XLATE_REPORT_ERROR,
			"dropping VLAN %u packet received on dot1q-tunnel port %s that excludes "
			"this VLAN", vid, bundle->name);
		return false;
	case PL_VLAN_NATIVE_TAGGED:
	case PL_VLAN_NATIVE_UNTAGGED:
		if (!vid)
			return true;
		break;
	}
	if (bundle_trunks(bundle, vid))
		return true;
	xlate_report(ctx, XLATE_REPORT_ERROR,
		"dropping VLAN %u packet received on port %s not configured for trunking VLAN %u",
		vid, bundle->name, vid);
	return false;
}

static void xvlan_native(const struct pl_bundle *bundle, const struct xvlan *in,
	struct xvlan *xvlan)
{
	xvlan->v[0].tpid = in->v[0].tpid ? in->v[0].tpid : ETH_T_VLAN_8021Q;
	xvlan->v[0].vid = bundle->vlan;
	xvlan->v[0].pcp = in->v[0].pcp;
}

/* BUNDLE NULL: from the controller, as it is. */
void xvlan_input(const struct pl_bundle *bundle, const struct xvlan *in, struct xvlan *xvlan)
{
	*xvlan = *in;
	if (!bundle)
		return;
	switch (bundle->vlan_mode) {
	case PL_VLAN_ACCESS:
		memset(xvlan, 0, sizeof *xvlan);
		xvlan_native(bundle, in, xvlan);
		break;
	case PL_VLAN_NATIVE_TAGGED:
	case PL_VLAN_NATIVE_UNTAGGED:
		if (!in->v[0].vid)
			xvlan_native(bundle, in, xvlan);
		break;
	case PL_VLAN_DOT1Q_TUNNEL:
		xvlan_push(xvlan);
		xvlan->v[0].tpid = be16toh(bundle->qinq_ethtype);
		xvlan->v[0].vid = bundle->vlan;
		break;
	}
}

static void xvlan_output(const struct pl_bundle *bundle, const struct xvlan *xvlan,
	struct xvlan *out)
{
	*out = *xvlan;
	switch (bundle->vlan_mode) {
	case PL_VLAN_ACCESS:
		memset(out, 0, sizeof *out);
		break;
	case PL_VLAN_NATIVE_UNTAGGED:
		if (xvlan->v[0].vid == bundle->vlan)
			xvlan_pop(out);
		break;
	case PL_VLAN_DOT1Q_TUNNEL:
		xvlan_pop(out);
		break;
	}
}

static void xvlan_put(struct flow *flow, const struct xvlan *xvlan, uint8_t priority_tags)
{
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		struct flow_vlan *vlan = &flow->vlans[i];
		uint16_t tci = xvlan->v[i].vid | (xvlan->v[i].pcp & VLAN_PCP_MASK);

		if (tci || (priority_tags == PL_PRIORITY_TAGS_ALWAYS && xvlan->v[i].tpid)) {
			tci |= VLAN_PRESENT;
			vlan->tpid = htobe16(xvlan->v[i].tpid ? xvlan->v[i].tpid
							      : ETH_T_VLAN_8021Q);
		} else {
			vlan->tpid = 0;
		}
		vlan->tci = htobe16(tci);
	}
}

/* ---------------------------------------------------------------- output */

/* A tag without VID and priority goes away in xvlan_put(): the bits that tell whether VLAN is one, or
 * one of those that tell that it is not. */
static be16 tag_is_void(const struct flow_vlan *vlan)
{
	unsigned int tci = be16toh(vlan->tci), bits = tci & (VLAN_VID_MASK | VLAN_PCP_MASK);

	if (!(tci & VLAN_PRESENT))
		return 0;
	return htobe16(bits ? bits & -bits : VLAN_VID_MASK | VLAN_PCP_MASK);
}

/* The port of BUNDLE that carries its traffic, NULL if none does. */
static const struct pl_port *bundle_output_port(struct xlate_ctx *ctx,
	const struct pl_bundle *bundle)
{
	if (!bundle->n_ports)
		return NULL;
	if (!bundle->bond)
		return &ctx->conf->ports[bundle->ports[0]];
	for (unsigned int i = 0; i < bundle->n_ports; i++) {
		const struct pl_port *port =
			xlate_port(ctx, ctx->conf->ports[bundle->ports[i]].ofp_port);

		if (port && port->may_enable)
			return port;
	}
	return NULL;
}

void xlate_output_bundle(struct xlate_ctx *ctx, const struct pl_bundle *bundle,
	const struct xvlan *xvlan)
{
	const struct pl_port *port = bundle_output_port(ctx, bundle);
	struct flow_vlan old_vlans[FLOW_MAX_VLANS];
	struct xvlan out;

	if (!port)
		return;
	if (bundle->vlan_mode == PL_VLAN_DOT1Q_TUNNEL && bundle->cvlans)
		ctx->wc->vlans[1].tci = BE16_MAX;
	/* What is pushed or popped depends on which tags there are, and goes out as it came. */
	for (int i = 0; i < FLOW_MAX_VLANS; i++)
		ctx->wc->vlans[i].tci |= htobe16(VLAN_PRESENT) | tag_is_void(&ctx->flow.vlans[i]);

	xvlan_output(bundle, xvlan, &out);
	if (bundle->priority_tags != PL_PRIORITY_TAGS_NEVER) {
		ctx->wc->vlans[0].tci |= htobe16(VLAN_PCP_MASK);
		out.v[0].pcp = be16toh(ctx->flow.vlans[0].tci) & VLAN_PCP_MASK;
	}
	memcpy(old_vlans, ctx->flow.vlans, sizeof old_vlans);
	xvlan_put(&ctx->flow, &out, bundle->priority_tags);
	if (memcmp(old_vlans, ctx->flow.vlans, sizeof old_vlans))
		for (int i = 0; i < FLOW_MAX_VLANS; i++)
			if (old_vlans[i].tci)
				ctx->wc->vlans[i].tci = ctx->wc->vlans[i].tpid = BE16_MAX;
	xlate_output_port(ctx, port->ofp_port, true, false, false);
	memcpy(ctx->flow.vlans, old_vlans, sizeof old_vlans);
}

void xlate_normal_flood(struct xlate_ctx *ctx, const struct pl_bundle *in,
	const struct xvlan *xvlan)
{
	const struct pl_bridge_conf *conf = ctx->conf;

	if (!ctx->n_results)
		xlate_drop(ctx, DROP_NO_OUTPUT);
	xlate_depend_on_ports(ctx);
	for (size_t i = 0; i < conf->n_bundles; i++) {
		const struct pl_bundle *bundle = &conf->bundles[i];

		if (bundle != in && bundle->floodable && !bundle->mirror_output &&
			bundle_includes_vlan(bundle, xvlan))
			xlate_output_bundle(ctx, bundle, xvlan);
	}
}

/* ---------------------------------------------------------------- input */

const struct pl_bundle *xlate_input_bundle(struct xlate_ctx *ctx, ofp_port_t ofp_port, bool *is_none)
{
	const struct pl_port *port = xlate_port(ctx, ofp_port);

	*is_none = false;
	if (port && port->bundle < ctx->conf->n_bundles)
		return &ctx->conf->bundles[port->bundle];
	if (ofp_port == OFPP_CONTROLLER || ofp_port == OFPP_NONE)
		*is_none = true;
	else
		xlate_report(ctx, XLATE_REPORT_ERROR, "received packet on unknown port %u", ofp_port);
	return NULL;
}

static const struct pl_bundle *port_bundle(struct xlate_ctx *ctx, ofp_port_t number)
{
	const struct pl_port *port = xlate_port(ctx, number);

	return port && port->bundle < ctx->conf->n_bundles ? &ctx->conf->bundles[port->bundle] : NULL;
}

static const struct pl_bundle *fdb_entry_bundle(struct xlate_ctx *ctx,
	const struct fdb_entry *entry)
{
	return port_bundle(ctx, entry->port);
}

/* What other members of a bond receive, the one in use receives as well, or was sent by us. */
static bool bond_admits(struct xlate_ctx *ctx, const struct pl_port *in_port,
	const struct pl_bundle *in)
{
	if (!in->bond || bundle_output_port(ctx, in) == in_port)
		return true;
	xlate_report(ctx, XLATE_REPORT_DETAIL,
		"received by a bond's member that does not carry its traffic, dropping");
	xlate_drop(ctx, DROP_BOND_INACTIVE);
	return false;
}

static bool normal_admits(struct xlate_ctx *ctx, const struct pl_port *in_port,
	const struct pl_bundle *in)
{
	if (!ctx->conf->forward_bpdu && eth_addr_is_reserved(ctx->flow.dl_dst)) {
		xlate_report(ctx, XLATE_REPORT_DETAIL,
			"packet has reserved destination MAC, dropping");
		xlate_drop(ctx, DROP_NORMAL_RESERVED_MAC);
		return false;
	}
	return !in_port || !in || bond_admits(ctx, in_port, in);
}

static bool vlan_learns(const struct xlate_ctx *ctx, uint16_t vlan)
{
	return !ctx->conf->flood_vlans || !bitmap_is_set(ctx->conf->flood_vlans, vlan);
}

static void note_learned(struct xlate_ctx *ctx, uint16_t vlan)
{
	unsigned int i = ctx->n_learned++ % XLATE_LEARNED;

	ctx->learned[i].bridge = ctx->bridge;
	ctx->learned[i].mac = ctx->flow.dl_src;
	ctx->learned[i].vlan = vlan;
	ctx->learned[i].port = ctx->flow.in_port;
}

/* Where this translation learned MAC to be. False: it did not. */
static bool find_learned(const struct xlate_ctx *ctx, struct eth_addr mac, uint16_t vlan, ofp_port_t *port)
{
	for (uint32_t n = MIN(ctx->n_learned, XLATE_LEARNED), i = ctx->n_learned; n--;) {
		unsigned int at = --i % XLATE_LEARNED;

		if (ctx->learned[at].bridge == ctx->bridge && ctx->learned[at].vlan == vlan &&
			eth_addr_equal(ctx->learned[at].mac, mac)) {
			*port = ctx->learned[at].port;
			return true;
		}
	}
	return false;
}

/* Where MAC is: as learned a moment ago, else by the table. False: unknown. */
static bool find_mac(struct xlate_ctx *ctx, struct eth_addr mac, uint16_t vlan,
	const struct pl_bundle **bundle)
{
	const struct fdb_entry *entry;
	ofp_port_t port;

	xlate_depend(ctx, dep_fdb(ctx->bridge->id, mac, vlan));
	if (find_learned(ctx, mac, vlan, &port)) {
		*bundle = port_bundle(ctx, port);
		return true;
	}
	entry = fdb_lookup(ctx->bridge->fdb, mac, vlan);
	if (entry)
		*bundle = fdb_entry_bundle(ctx, entry);
	return entry;
}

/* Control is to learn where the packet's source is, unless a storm of new addresses makes that useless. */
static void learn_source(struct xlate_ctx *ctx, const struct fdb_entry *old, const struct pl_bundle *in, uint16_t vlan)
{
	struct eth_addr mac = ctx->flow.dl_src;

	note_learned(ctx, vlan);
	if (unlikely(!old && fdb_is_crowded(ctx->bridge->fdb))) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "too many new MACs at once, not learned");
		xlate_depend(ctx, dep_fdb_crowd(ctx->bridge->id));
		return;
	}
	xlate_report(ctx, XLATE_REPORT_DETAIL,
		"learned that %02x:%02x:%02x:%02x:%02x:%02x is on port %s in VLAN %u", mac.b[0], mac.b[1],
		mac.b[2], mac.b[3], mac.b[4], mac.b[5], in->name, vlan);
	if (!ctx->sink->fdb_learn(ctx->sink, ctx->bridge, mac, vlan, ctx->flow.in_port))
		ctx->out->cacheable = false;
}

/* True if the source's place then is IN. A packet that comes by again moves its own source again, whatever the
 * table has had the time to hear. */
static bool normal_learn(struct xlate_ctx *ctx, const struct pl_bundle *in, uint16_t vlan)
{
	const struct fdb_entry *entry;
	ofp_port_t moved_to;

	if (eth_addr_is_multicast(ctx->flow.dl_src) || !vlan_learns(ctx, vlan))
		return false;
	xlate_depend(ctx, dep_fdb(ctx->bridge->id, ctx->flow.dl_src, vlan));
	entry = fdb_lookup(ctx->bridge->fdb, ctx->flow.dl_src, vlan);
	if (entry && entry->is_static)
		return fdb_entry_bundle(ctx, entry) == in;
	if (find_learned(ctx, ctx->flow.dl_src, vlan, &moved_to)) {
		if (port_bundle(ctx, moved_to) == in)
			return true;
	} else if (entry && fdb_entry_bundle(ctx, entry) == in) {
		xlate_refresh(ctx, entry->counter);
		return true;
	}
	if (!ctx->sink || !ctx->sink->fdb_learn)
		return false;
	learn_source(ctx, entry, in, vlan);
	return true;
}

/* ---------------------------------------------------------------- forwarding */

static void normal_unicast(struct xlate_ctx *ctx, const struct pl_bundle *in,
	const struct xvlan *xvlan)
{
	uint16_t vlan = xvlan->v[0].vid;
	const struct pl_bundle *out;

	/* Nobody's source is a group, so there is nothing to find and nothing to depend on. */
	if (eth_addr_is_multicast(ctx->flow.dl_dst) || !vlan_learns(ctx, vlan) ||
		!find_mac(ctx, ctx->flow.dl_dst, vlan, &out)) {
		xlate_report(ctx, XLATE_REPORT_DETAIL,
			"no learned MAC for destination, flooding");
		xlate_normal_flood(ctx, in, xvlan);
		return;
	}
	if (!out) {
		xlate_report(ctx, XLATE_REPORT_WARN, "learned port is unknown, dropping");
		xlate_drop(ctx, DROP_NO_OUTPUT);
	} else if (out->mirror_output) {
		xlate_report(ctx, XLATE_REPORT_WARN, "learned port is a mirror port, dropping");
		xlate_drop(ctx, DROP_NO_OUTPUT);
	} else if (out == in) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "learned port is input port, dropping");
		xlate_drop(ctx, DROP_NO_OUTPUT);
	} else {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "forwarding to learned port");
		xlate_output_bundle(ctx, out, xvlan);
	}
}

/* Of what bundle and in what VLAN the packet is. False: dropped. */
static bool normal_input(struct xlate_ctx *ctx, const struct pl_bundle **in, struct xvlan *xvlan)
{
	const struct flow *flow = &ctx->flow;
	struct xvlan tags;
	bool is_none;

	*in = xlate_input_bundle(ctx, flow->in_port, &is_none);
	if (!*in && !is_none) {
		xlate_report(ctx, XLATE_REPORT_WARN, "no input bundle, dropping");
		xlate_drop(ctx, DROP_INVALID_IN_PORT);
		return false;
	}
	if (eth_type_is_vlan(flow->dl_type) && !(flow->vlans[0].tci & htobe16(VLAN_PRESENT))) {
		xlate_report(ctx, XLATE_REPORT_WARN, "partial VLAN tag, dropping");
		xlate_drop(ctx, DROP_NORMAL_VLAN);
		return false;
	}
	if (*in && (*in)->mirror_output) {
		xlate_report(ctx, XLATE_REPORT_WARN,
			"input port is mirror output port, dropping");
		xlate_drop(ctx, DROP_NORMAL_MIRROR_OUTPUT_PORT);
		return false;
	}
	xvlan_extract(flow, &tags);
	if (!xvlan_input_is_valid(ctx, tags.v[0].vid, *in)) {
		xlate_report(ctx, XLATE_REPORT_WARN,
			"disallowed VLAN VID for this input port, dropping");
		xlate_drop(ctx, DROP_NORMAL_VLAN);
		return false;
	}
	xvlan_input(*in, &tags, xvlan);
	return true;
}

void xlate_normal(struct xlate_ctx *ctx)
{
	const struct flow *flow = &ctx->flow;
	const struct pl_bundle *in;
	struct xvlan xvlan;

	memset(&ctx->wc->dl_src, 0xff, sizeof ctx->wc->dl_src);
	memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
	ctx->wc->vlans[0].tci |= htobe16(VLAN_VID_MASK | VLAN_PRESENT);

	if (!normal_input(ctx, &in, &xvlan) ||
		!normal_admits(ctx, xlate_port(ctx, flow->in_port), in))
		return;
	/* To itself: the answer is just being learned. */
	if (in && normal_learn(ctx, in, xvlan.v[0].vid) &&
		eth_addr_equal(flow->dl_src, flow->dl_dst)) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "learned port is input port, dropping");
		xlate_drop(ctx, DROP_NO_OUTPUT);
		return;
	}
	ctx->deep |= ctx->conf->mcast_snooping;
	if (ctx->conf->mcast_snooping && xlate_is_ip(flow) &&
		eth_addr_is_multicast(flow->dl_dst) && !eth_addr_is_broadcast(flow->dl_dst))
		xlate_normal_mcast(ctx, in, &xvlan);
	else
		normal_unicast(ctx, in, &xvlan);
}
