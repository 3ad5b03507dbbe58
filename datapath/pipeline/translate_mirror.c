/* SPDX-License-Identifier: Apache-2.0 */

/* Port mirroring, as in ovs-vswitchd.conf.db(5), table Mirror. */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

/* To every bundle that carries the mirror's VLAN. */
static void mirror_to_vlan(struct xlate_ctx *ctx, const struct pl_mirror *mirror, struct xvlan *xvlan)
{
	const struct pl_bridge_conf *conf = ctx->conf;
	uint16_t old_vid = xvlan->v[0].vid;

	memset(&ctx->wc->dl_dst, 0xff, sizeof ctx->wc->dl_dst);
	if (old_vid == mirror->out_vlan || eth_addr_is_reserved(ctx->flow.dl_dst))
		return;
	xvlan->v[0].vid = mirror->out_vlan;
	for (size_t i = 0; i < conf->n_bundles; i++)
		if (!conf->bundles[i].mirror_output &&
			bundle_includes_vlan(&conf->bundles[i], xvlan))
			xlate_output_bundle(ctx, &conf->bundles[i], xvlan);
	xvlan->v[0].vid = old_vid;
}

static void mirror_one(struct xlate_ctx *ctx, unsigned int index, struct xvlan *xvlan)
{
	const struct pl_mirror *mirror = &ctx->conf->mirrors[index];

	if (mirror->vlans) {
		ctx->wc->vlans[0].tci |= htobe16(VLAN_PRESENT | VLAN_VID_MASK);
		if (!bitmap_is_set(mirror->vlans, xvlan->v[0].vid))
			return;
	}
	/* Before the output, which may be mirrored in its turn. */
	ctx->mirrors |= mirror->dup_mirrors | UINT32_C(1) << index;
	ctx->mirror_snaplen = mirror->snaplen;
	if (mirror->out_bundle >= 0)
		xlate_output_bundle(ctx, &ctx->conf->bundles[mirror->out_bundle], xvlan);
	else if (mirror->out_vlan >= 0)
		mirror_to_vlan(ctx, mirror, xvlan);
	ctx->mirror_snaplen = 0;
	xlate_count(ctx, mirror->counter);
}

void xlate_mirror(struct xlate_ctx *ctx, const struct pl_bundle *bundle, uint32_t mirrors)
{
	struct xvlan tags, xvlan;

	mirrors &= ~ctx->mirrors;
	if (!mirrors)
		return;
	/* The VLAN that the packet is in decides whether it is seen, and how it leaves. */
	ctx->wc->vlans[0].tci |= htobe16(VLAN_PRESENT | VLAN_VID_MASK);
	xvlan_extract(&ctx->flow, &tags);
	if (!xvlan_input_is_valid(ctx, tags.v[0].vid, bundle))
		return;
	xvlan_input(bundle, &tags, &xvlan);
	for (; mirrors; mirrors &= mirrors - 1, mirrors &= ~ctx->mirrors)
		mirror_one(ctx, __builtin_ctz(mirrors), &xvlan);
}

void xlate_mirror_ingress(struct xlate_ctx *ctx)
{
	const struct pl_bundle *bundle;
	bool is_none;

	if (!ctx->conf->n_mirrors)
		return;
	bundle = xlate_input_bundle(ctx, ctx->flow.in_port, &is_none);
	if (bundle)
		xlate_mirror(ctx, bundle, bundle->src_mirrors);
}
