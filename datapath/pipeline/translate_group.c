/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"

#define MAX_LIVENESS_DEPTH 128

static const struct pl_bucket *group_first_live(struct xlate_ctx *ctx,
	const struct pl_group *group, int depth);

static const struct pl_group *group_find(struct xlate_ctx *ctx, uint32_t id)
{
	xlate_depend(ctx, dep_group(ctx->bridge->id, id));
	return pl_group_lookup(ctx->bridge, id);
}

static bool port_is_live(struct xlate_ctx *ctx, ofp_port_t ofp_port)
{
	const struct pl_port *port = xlate_port(ctx, ofp_port);

	return port && port->may_enable;
}

static bool bucket_is_live(struct xlate_ctx *ctx, const struct pl_group *group,
	const struct pl_bucket *bucket, int depth)
{
	bool watches_port = bucket->watch_port != OFPP_NONE;
	bool watches_group = bucket->watch_group != UINT32_MAX;
	const struct pl_group *watched;

	if (depth >= MAX_LIVENESS_DEPTH) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "bucket chaining exceeded %d links",
			MAX_LIVENESS_DEPTH);
		return false;
	}
	if (group->type == PL_GROUP_SELECT && !bucket->weight)
		return false;
	if (!watches_port && !watches_group)
		return true;
	if (watches_port && port_is_live(ctx, bucket->watch_port))
		return true;
	if (!watches_group)
		return false;
	watched = group_find(ctx, bucket->watch_group);
	return watched && group_first_live(ctx, watched, depth + 1);
}

static void report_not_live(struct xlate_ctx *ctx, const struct pl_bucket *bucket)
{
	if (bucket->watch_port != OFPP_NONE)
		xlate_report(ctx, XLATE_REPORT_DETAIL, "bucket %u: not live due to port %u",
			bucket->id, bucket->watch_port);
	else
		xlate_report(ctx, XLATE_REPORT_DETAIL, "bucket %u: not live due to group %u",
			bucket->id, bucket->watch_group);
}

static const struct pl_bucket *group_first_live(struct xlate_ctx *ctx,
	const struct pl_group *group, int depth)
{
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		if (bucket_is_live(ctx, group, &group->buckets[i], depth))
			return &group->buckets[i];
		report_not_live(ctx, &group->buckets[i]);
	}
	return NULL;
}

/* ---------------------------------------------------------------- selection */

/* The hash that decides, its bits in the mask. */
static uint32_t select_hash(struct xlate_ctx *ctx, const struct pl_group *group)
{
	uint32_t basis = hash_u64(group->selection_param, 0);
	struct flow *masked;
	struct xlate_mark mark;

	if (group->selection != PL_SELECT_HASH) {
		flow_mask_hash_fields(&ctx->flow, ctx->wc);
		return flow_hash_symmetric_l4(&ctx->flow, basis);
	}
	mark = xlate_mark(ctx);
	masked = xlate_alloc(ctx, sizeof *masked);
	*masked = ctx->flow;
	flow_mask_apply(masked, &group->fields_mask);
	flow_mask_or(ctx->wc, &group->fields_mask);
	basis = flow_hash(masked, basis);
	xlate_release(ctx, mark);
	return basis;
}

/* -ln(u) / WEIGHT, u being HASH as a number between 0 and 1. */
static double bucket_cost(uint32_t hash, uint16_t weight)
{
	uint32_t x = hash | 1;
	int e = 31 - __builtin_clz(x);
	double m = (double)x / (double)(UINT64_C(1) << e);	/* 1 to 2. */
	double s = (m - 1) / (m + 1), s2 = s * s;
	double ln_m = 2 * s * (1 + s2 * (1.0 / 3 + s2 * (1.0 / 5 + s2 / 7)));

	return ((32 - e) * 0.69314718055994531 - ln_m) / weight;
}

/*
 * Among the live buckets in the ratio of their weights; a bucket that dies moves only its own flows.
 * Weighted rendezvous: the bucket with the least -ln(u)/weight wins, u its own uniform number.
 */
static const struct pl_bucket *group_select(struct xlate_ctx *ctx, const struct pl_group *group)
{
	const struct pl_bucket *best = NULL;
	double best_score = 0;
	uint32_t hash;

	hash = select_hash(ctx, group);
	for (uint32_t i = 0; i < group->n_buckets; i++) {
		const struct pl_bucket *bucket = &group->buckets[i];
		double score;

		if (!bucket_is_live(ctx, group, bucket, 0)) {
			report_not_live(ctx, bucket);
			continue;
		}
		score = bucket_cost(hash_add(hash, bucket->id), bucket->weight);
		if (!best || score < best_score) {
			best = bucket;
			best_score = score;
		}
	}
	return best;
}

/* ---------------------------------------------------------------- running */

static void group_run_bucket(struct xlate_ctx *ctx, const struct pl_bucket *bucket, bool is_last)
{
	const char *old_stack = ctx->stack.data, *old_set = ctx->action_set.data;
	struct xlate_mark mark = xlate_mark(ctx);
	struct flow *old_flow = xlate_alloc(ctx, sizeof *old_flow);
	unsigned int old_stale = ctx->stale;
	struct xlate_copy copy;
	const struct act *acts;
	uint32_t len;

	if (ctx->n_buckets++ >= XLATE_MAX_BUCKETS) {
		xlate_report(ctx, XLATE_REPORT_ERROR, "over %d group buckets", XLATE_MAX_BUCKETS);
		xlate_fail(ctx, DROP_GROUP_LOOP);
		return;
	}
	*old_flow = ctx->flow;
	copy = xlate_copy_begin(ctx);
	xlate_report(ctx, XLATE_REPORT_GROUP_BUCKET, "bucket %u", bucket->id);
	xlate_count(ctx, bucket->counter);
	acts = xlate_order_set(ctx, bucket->acts, bucket->acts_len, &len);
	ctx->trace_depth++;
	ctx->depth++;
	xlate_acts(ctx, acts, len, is_last, true);
	ctx->depth--;
	ctx->trace_depth--;
	if (!ctx->error && !ctx->stop)
		xlate_freeze_finish(ctx);
	xlate_copy_end(ctx, &copy, is_last);

	/* Each bucket has its own copy of the packet, and ends for itself. */
	ctx->flow = *old_flow;
	ctx->stale = old_stale;
	ctx->exit = false;
	if (ctx->error == DROP_MPLS) {
		ctx->error = DROP_NONE;
		xlate_freeze_cancel(ctx);
	}
	/* What a resubmit put on the stack or into the action set stays. */
	if (ctx->stack.data == old_stack && ctx->action_set.data == old_set)
		xlate_release(ctx, mark);
}

static void group_run_all(struct xlate_ctx *ctx, const struct pl_group *group, bool is_last)
{
	for (uint32_t i = 0; i < group->n_buckets && !ctx->stop && !ctx->error; i++)
		group_run_bucket(ctx, &group->buckets[i], is_last && i + 1 == group->n_buckets);
	if (!group->n_buckets)
		xlate_drop(ctx, DROP_GROUP_NO_BUCKET);
}

/*
 * More tags were pushed than are looked at in packets. As after any other hash, the group goes on with what
 * the packet now is: what a flow has no room for would be lost with the next tag.
 */
static bool has_deep_tags(struct xlate_ctx *ctx)
{
	unsigned int limit = ctx->conf->vlan_limit;

	if (limit >= FLOW_MAX_VLANS)
		return false;
	ctx->wc->vlans[0].tci |= htobe16(VLAN_PRESENT);
	return ctx->flow.vlans[limit].tci & htobe16(VLAN_PRESENT);
}

static const struct pl_bucket *group_choose(struct xlate_ctx *ctx, const struct pl_group *group)
{
	if (group->type == PL_GROUP_FF)
		return group_first_live(ctx, group, 0);
	/* The hash may want it. */
	if (ctx->stale || has_deep_tags(ctx)) {
		xlate_freeze(ctx);
		return NULL;
	}
	if (!ctx->measure.hashed) {
		xlate_measure(ctx);
		ctx->measure.hashed = true;
	}
	return group_select(ctx, group);
}

bool xlate_group(struct xlate_ctx *ctx, uint32_t group_id, bool is_last)
{
	const struct pl_group *group;
	const struct pl_bucket *bucket;

	if (!xlate_may_recurse(ctx))
		return true;
	group = group_find(ctx, group_id);
	if (!group) {
		xlate_report(ctx, XLATE_REPORT_WARN, "output to nonexistent group %u", group_id);
		xlate_drop(ctx, DROP_GROUP_NO_BUCKET);
		return false;
	}
	if (group->type == PL_GROUP_ALL || group->type == PL_GROUP_INDIRECT) {
		xlate_count(ctx, group->counter);
		group_run_all(ctx, group, is_last);
		return true;
	}
	bucket = group_choose(ctx, group);
	if (bucket) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "using bucket %u", bucket->id);
		xlate_count(ctx, group->counter);
		group_run_bucket(ctx, bucket, is_last);
	} else if (!ctx->freezing) {
		xlate_report(ctx, XLATE_REPORT_DETAIL, "no live bucket");
		xlate_drop(ctx, DROP_GROUP_NO_BUCKET);
	}
	return true;
}
