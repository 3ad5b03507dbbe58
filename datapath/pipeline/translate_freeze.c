/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Freezing: some actions change a packet so that only parsing it again tells what it has become (a
 * popped MPLS stack, a popped PBB header), and a paused packet-in goes on when its controller says so.
 * The rest of every list being run, the stack, the action set and the metadata then move into
 * OP_RESUME, or into the packet-in.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

void xlate_freeze(struct xlate_ctx *ctx)
{
	ctx->exit = true;
	ctx->freezing = true;
}

void xlate_freeze_cancel(struct xlate_ctx *ctx)
{
	if (ctx->freezing) {
		ctx->freezing = false;
		ctx->exit = false;
	}
	ctx->frozen = (struct xlate_buf){0};
	ctx->frozen_any = false;
	ctx->pause = NULL;
}

void xlate_freeze_rest(struct xlate_ctx *ctx, const struct act *act, const struct act *end)
{
	struct xact_unroll unroll = {
		.act = {.type = XACT_UNROLL, .len = sizeof unroll},
		.cookie = ctx->rule_cookie,
		.table_id = ctx->table_id,
	};

	ctx->frozen_any = true;
	if (act >= end)
		return;
	xlate_buf_put(ctx, &ctx->frozen, &unroll, sizeof unroll);
	xlate_buf_put(ctx, &ctx->frozen, act, (const char *)end - (const char *)act);
}

/* FLOW without what the packet itself tells. */
static void flow_keep_metadata(struct flow *metadata, const struct flow *flow)
{
	memset(metadata, 0, sizeof *metadata);
	memcpy(metadata, flow, offsetof(struct flow, dl_dst));
	metadata->tunnel = flow->tunnel;
	metadata->tun_metadata = flow->tun_metadata;
}

static void put_padded(struct op_resume *op, size_t *ofs, const struct xlate_buf *buf)
{
	if (buf->len)
		memcpy((char *)op + *ofs, buf->data, buf->len);
	*ofs += ROUND_UP(buf->len, OP_ALIGN);
}

static void xlate_put_resume(struct xlate_ctx *ctx)
{
	const struct pl_port *in_port = xlate_port(ctx, ctx->flow.in_port);
	size_t ofs = sizeof(struct op_resume);
	struct op_resume *op;

	op = xlate_put_op(ctx, OP_RESUME, sizeof *op + ROUND_UP(ctx->frozen.len, OP_ALIGN) +
		ROUND_UP(ctx->stack.len, OP_ALIGN) + ROUND_UP(ctx->action_set.len, OP_ALIGN));
	op->bridge = ctx->bridge->id;
	op->in_port = in_port ? in_port->dp_port : 0;
	op->acts_len = ctx->frozen.len;
	op->stack_len = ctx->stack.len;
	op->action_set_len = ctx->action_set.len;
	op->mirrors = ctx->mirrors;
	/* No list was begun: frozen on the way into a patch port's peer. */
	op->use_table = !ctx->frozen_any;
	op->table_id = ctx->frozen_any ? ctx->table_id : 0;
	op->has_group = ctx->action_set_has_group;
	flow_keep_metadata(&op->metadata, &ctx->flow);
	put_padded(op, &ofs, &ctx->frozen);
	put_padded(op, &ofs, &ctx->stack);
	put_padded(op, &ofs, &ctx->action_set);
	ctx->n_results++;
}

/* A paused packet-in carries its resume, as a record of its own behind the userdata. */
static void xlate_put_pause(struct xlate_ctx *ctx, const struct act_controller *pause)
{
	struct program_builder *program = &ctx->out->program;
	struct xlate_mark mark = xlate_mark(ctx);
	size_t start = program->buf.len;
	uint32_t resume_len;
	void *resume;

	xlate_put_resume(ctx);
	ctx->n_results--;
	resume_len = program->buf.len - start;
	resume = xlate_alloc(ctx, resume_len);
	memcpy(resume, program->buf.data + start, resume_len);
	sbuf_truncate(&program->buf, start);
	xlate_punt(ctx, pause->max_len, pause->reason, pause->controller_id, pause->meter_id,
		pause->userdata, pause->userdata_len, resume, resume_len);
	xlate_release(ctx, mark);
}

void xlate_freeze_finish(struct xlate_ctx *ctx)
{
	const struct act_controller *pause = ctx->pause;

	if (!ctx->freezing)
		return;
	xlate_commit(ctx);
	if (pause)
		xlate_put_pause(ctx, pause);
	else
		xlate_put_resume(ctx);
	xlate_freeze_cancel(ctx);
}

void xlate_finish_pipeline(struct xlate_ctx *ctx)
{
	if (ctx->error || ctx->stop)
		return;
	if (!ctx->freezing)
		xlate_action_set(ctx);
	if (!ctx->error && !ctx->stop)
		xlate_freeze_finish(ctx);
}

/* ---------------------------------------------------------------- going on */

static struct pl_bridge *bridge_from_id(uint32_t id)
{
	if (id >= PL_MAX_BRIDGES)
		return NULL;
	return atomic_load_explicit(&pipeline.bridges[id], memory_order_acquire);
}

bool xlate_in_resume(struct xlate_in *in, struct flow *flow, const struct op_resume *resume)
{
	struct pl_bridge *bridge = bridge_from_id(resume->bridge);

	if (!bridge)
		return false;
	memcpy(flow, &resume->metadata, offsetof(struct flow, dl_dst));
	flow->tunnel = resume->metadata.tunnel;
	flow->tun_metadata = resume->metadata.tun_metadata;
	in->flow = flow;
	in->bridge = bridge;
	in->in_port = pl_port_from_ofp(pl_bridge_conf(bridge), flow->in_port);
	in->acts = NULL;
	in->acts_len = 0;
	in->table_id = resume->table_id;
	in->resume = resume;
	return true;
}

static const char *take_padded(struct xlate_ctx *ctx, const char *p, uint32_t len,
	struct xlate_buf *buf)
{
	*buf = (struct xlate_buf){0};
	if (len)
		xlate_buf_put(ctx, buf, p, len);
	return p + ROUND_UP(len, OP_ALIGN);
}

void xlate_thaw(struct xlate_ctx *ctx, const struct op_resume *resume, const struct act **acts,
	uint32_t *acts_len)
{
	static const struct act_note noop = {.act = {.type = ACT_NOTE, .len = sizeof noop}};
	const char *p = (const char *)(resume + 1);
	struct xlate_buf list;

	xlate_report(ctx, XLATE_REPORT_THAW, "thaw");
	p = take_padded(ctx, p, resume->acts_len, &list);
	p = take_padded(ctx, p, resume->stack_len, &ctx->stack);
	take_padded(ctx, p, resume->action_set_len, &ctx->action_set);
	ctx->action_set_has_group = resume->has_group;
	ctx->mirrors = resume->mirrors;
	ctx->table_id = resume->table_id;
	if (list.len) {
		*acts = (const struct act *)list.data;
		*acts_len = list.len;
	} else if (!resume->use_table) {
		*acts = &noop.act;
		*acts_len = noop.act.len;
	}
}
