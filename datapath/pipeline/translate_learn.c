/* SPDX-License-Identifier: Apache-2.0 */

/* learn: a rule computed from the flow. ovs-actions(7). */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

#define LEARN_WIDTH sizeof(union field_value)

/* The bits of SPEC's source, at the right end of VALUE. */
static void learn_value(const struct act_learn_spec *spec, const struct flow *flow,
	union field_value *value)
{
	union field_value src;
	unsigned int n;

	memset(value, 0, sizeof *value);
	if (spec->src_type == ACT_LEARN_SRC_FIELD) {
		field_get(spec->src.field, flow, &src);
		field_bitwise_copy(&src, spec->src.field->n_bytes, spec->src.ofs, value,
			LEARN_WIDTH, 0, spec->n_bits);
	} else {
		n = DIV_ROUND_UP(spec->n_bits, 8);
		field_bitwise_copy(&spec->imm, n, 0, value, LEARN_WIDTH, 0, spec->n_bits);
	}
}

/* VALUE's bits at their place in the destination field, and the mask of that place. */
static void learn_place(const struct act_learn_spec *spec, const union field_value *value,
	union field_value *placed, union field_value *mask)
{
	unsigned int n = spec->dst.field->n_bytes;
	union field_value ones;

	memset(&ones, 0xff, sizeof ones);
	memset(placed, 0, sizeof *placed);
	memset(mask, 0, sizeof *mask);
	field_bitwise_copy(value, LEARN_WIDTH, 0, placed, n, spec->dst.ofs, spec->n_bits);
	field_bitwise_copy(&ones, LEARN_WIDTH, 0, mask, n, spec->dst.ofs, spec->n_bits);
}

static void *learn_put(struct xlate_ctx *ctx, struct xlate_buf *acts, enum act_type type, size_t size)
{
	static const char zeros[sizeof(struct act_set_field) + 2 * LEARN_WIDTH + ACT_ALIGN];
	struct act *act = xlate_buf_put(ctx, acts, zeros, ROUND_UP(size, ACT_ALIGN));

	act->type = type;
	act->len = ROUND_UP(size, ACT_ALIGN);
	return act;
}

static void learn_output(struct xlate_ctx *ctx, const struct act_learn_spec *spec,
	const union field_value *value, struct xlate_buf *acts)
{
	uint64_t low = 0;
	ofp_port_t port;
	struct act_output *act;

	for (size_t i = 0; i < LEARN_WIDTH - 2; i++)
		if (value->b[i] && spec->n_bits > 16)
			return;
	low = (uint64_t)value->b[LEARN_WIDTH - 2] << 8 | value->b[LEARN_WIDTH - 1];
	port = ofp_port_from_u16(low);
	if (low >= 0xff00 && port != OFPP_IN_PORT && port != OFPP_FLOOD && port != OFPP_LOCAL &&
		port != OFPP_ALL)
		return;
	act = learn_put(ctx, acts, ACT_OUTPUT, sizeof *act);
	act->port = port;
}

static void learn_spec(struct xlate_ctx *ctx, const struct act_learn_spec *spec,
	struct match *match, struct xlate_buf *acts)
{
	union field_value value, placed, mask;
	struct act_set_field *set;
	size_t n;

	learn_value(spec, &ctx->flow, &value);
	switch (spec->dst_type) {
	case ACT_LEARN_DST_MATCH:
		learn_place(spec, &value, &placed, &mask);
		/* Nothing could say a flow that matches a part of such a field. */
		if (field_is_mask_valid(spec->dst.field, &mask))
			field_set_match(spec->dst.field, &placed, &mask, match);
		break;
	case ACT_LEARN_DST_LOAD:
		learn_place(spec, &value, &placed, &mask);
		n = spec->dst.field->n_bytes;
		set = learn_put(ctx, acts, ACT_SET_FIELD, sizeof *set + 2 * n);
		set->act.raw = ACT_RAW_NX_REG_LOAD;
		set->field = spec->dst.field;
		memcpy(set->data, &placed, n);
		memcpy(set->data + n, &mask, n);
		break;
	case ACT_LEARN_DST_OUTPUT:
		learn_output(ctx, spec, &value, acts);
		break;
	}
}

static void learn_compute(struct xlate_ctx *ctx, const struct act_learn *learn,
	struct xlate_learned *learned)
{
	struct xlate_buf acts = {0};

	memset(&learned->match, 0, sizeof learned->match);
	learned->bridge = ctx->bridge;
	learned->learn = learn;
	if (learn->fin_idle_timeout || learn->fin_hard_timeout) {
		struct act_fin_timeout *fin = learn_put(ctx, &acts, ACT_FIN_TIMEOUT, sizeof *fin);

		fin->idle_timeout = learn->fin_idle_timeout;
		fin->hard_timeout = learn->fin_hard_timeout;
	}
	for (uint32_t i = 0; i < learn->n_specs; i++)
		learn_spec(ctx, &learn->specs[i], &learned->match, &acts);
	learned->acts = (const struct act *)acts.data;
	learned->acts_len = acts.len;
}

/* The rule is there as it would be written. */
static bool learn_is_known(struct xlate_ctx *ctx, const struct xlate_learned *learned)
{
	const struct act_learn *learn = learned->learn;
	const struct pl_actions *actions;
	const struct pl_rule *rule;
	const struct cls_rule *cr;
	uint16_t deps[2];
	unsigned int n;

	n = pl_table_deps(ctx->bridge, learn->table_id, &learned->match.flow, &learned->match.mask,
		deps);
	for (unsigned int i = 0; i < n; i++)
		xlate_depend(ctx, deps[i]);
	cr = classifier_find_exactly(ctx->bridge->tables[learn->table_id].cls, &learned->match,
		learn->priority, ctx->wrote ? version_get() : ctx->version);
	if (!cr)
		return false;
	rule = container_of(cr, struct pl_rule, cr);
	if (learn->cookie != BE64_MAX &&
		learn->cookie != atomic_load_explicit(&rule->cookie, memory_order_relaxed))
		return false;
	actions = atomic_load_explicit(&rule->actions, memory_order_acquire);
	if (!act_list_equal(actions->acts, actions->len, learned->acts, learned->acts_len))
		return false;
	xlate_refresh(ctx, rule->refresh);
	return true;
}

static void learn_report(struct xlate_ctx *ctx, const struct xlate_learned *learned)
{
	struct xlate_report report = {.kind = XLATE_REPORT_LEARNED, .learned = learned};

	if (!xlate_tracing(ctx))
		return;
	report.depth = ctx->trace_depth;
	report.bridge = ctx->bridge;
	ctx->sink->report(ctx->sink, &report);
}

void xlate_learn(struct xlate_ctx *ctx, const struct act_learn *learn)
{
	struct xlate_mark mark = xlate_mark(ctx);
	struct xlate_learned *learned;
	bool written = true;

	for (uint32_t i = 0; i < learn->n_specs; i++)
		if (learn->specs[i].src_type == ACT_LEARN_SRC_FIELD)
			subfield_unwildcard(&learn->specs[i].src, ctx->wc);
	if (!ctx->sink || !ctx->sink->learn) {
		xlate_report(ctx, XLATE_REPORT_WARN,
			"suppressing side effects, so learn action ignored");
		return;
	}
	learned = xlate_alloc(ctx, sizeof *learned);
	learn_compute(ctx, learn, learned);
	learn_report(ctx, learned);
	if (!learn_is_known(ctx, learned)) {
		/* What was written has changed the tables under this translation. */
		ctx->out->cacheable = false;
		if (ctx->sink->learn(ctx->sink, learned, &written) == XLATE_LEARN_DEFER) {
			ctx->stop = true;
			xlate_release(ctx, mark);
			return;
		}
		ctx->wrote |= written;
		if (!written)
			xlate_report(ctx, XLATE_REPORT_DETAIL, "Limit exceeded, learn failed");
	}
	xlate_release(ctx, mark);
	if (learn->flags & ACT_LEARN_WRITE_RESULT)
		xlate_load(ctx, &learn->result_dst, written);
}
