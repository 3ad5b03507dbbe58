/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/fatal.h"
#include "lib/headers.h"

#define XLATE_BLOCK_SIZE 32768u

struct xlate_block {
	struct xlate_block *next;
	size_t size;
	char data[] __attribute__((aligned(16)));
};

static struct xlate_block *xlate_block_create(size_t size)
{
	struct xlate_block *block = xmalloc(sizeof *block + size);

	block->next = NULL;
	block->size = size;
	return block;
}

void xlate_out_init(struct xlate_out *out)
{
	memset(out, 0, sizeof *out);
	program_builder_init(&out->program);
	out->arena = xcalloc(1, sizeof *out->arena);
}

void xlate_out_uninit(struct xlate_out *out)
{
	struct xlate_block *block, *next;

	for (block = out->arena->first; block; block = next) {
		next = block->next;
		free(block);
	}
	free(out->arena);
	free(out->counters);
	program_builder_uninit(&out->program);
}

void *xlate_alloc(struct xlate_ctx *ctx, size_t size)
{
	struct xlate_arena *arena = ctx->out->arena;
	struct xlate_block *block = arena->current;

	size = ROUND_UP(size, 16);
	if (!block || arena->used + size > block->size) {
		struct xlate_block **link = block ? &block->next : &arena->first;

		/* A kept block that is too small gives way to a new one in front of it. */
		if (!*link || (*link)->size < size) {
			struct xlate_block *new = xlate_block_create(MAX(size, (size_t)XLATE_BLOCK_SIZE));

			new->next = *link;
			*link = new;
		}
		arena->current = block = *link;
		arena->used = 0;
	}
	arena->used += size;
	return block->data + arena->used - size;
}

struct xlate_mark xlate_mark(const struct xlate_ctx *ctx)
{
	const struct xlate_arena *arena = ctx->out->arena;

	return (struct xlate_mark){arena->current, arena->used};
}

void xlate_release(struct xlate_ctx *ctx, struct xlate_mark mark)
{
	ctx->out->arena->current = mark.block;
	ctx->out->arena->used = mark.used;
}

void *xlate_buf_put(struct xlate_ctx *ctx, struct xlate_buf *buf, const void *bytes, size_t n)
{
	if (buf->len + n > buf->cap) {
		uint32_t cap = MAX(buf->cap * 2, (uint32_t)round_up_pow2(buf->len + n + 64));
		char *data = xlate_alloc(ctx, cap);

		if (buf->len)
			memcpy(data, buf->data, buf->len);
		buf->data = data;
		buf->cap = cap;
	}
	if (n)
		memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	return buf->data + buf->len - n;
}

struct xlate_buf xlate_buf_clone(struct xlate_ctx *ctx, const struct xlate_buf *buf)
{
	struct xlate_buf copy = {0};

	if (buf->len)
		xlate_buf_put(ctx, &copy, buf->data, buf->len);
	return copy;
}

void xlate_depend(struct xlate_ctx *ctx, uint16_t id)
{
	struct xlate_out *out = ctx->out;

	for (unsigned int i = 0; i < out->n_deps; i++)
		if (out->deps[i] == id)
			return;
	if (out->n_deps < XLATE_MAX_DEPS)
		out->deps[out->n_deps++] = id;
	else
		out->cacheable = false;
}

void xlate_depend_on_ports(struct xlate_ctx *ctx)
{
	if (ctx->listed == ctx->bridge)
		return;
	ctx->listed = ctx->bridge;
	xlate_depend(ctx, dep_ports(ctx->bridge->id));
}

const struct pl_port *xlate_port(struct xlate_ctx *ctx, ofp_port_t number)
{
	if (ctx->listed != ctx->bridge) {
		if (ctx->out->n_deps < XLATE_MANY_DEPS)
			xlate_depend(ctx, dep_ofp_port(ctx->bridge->id, number));
		else
			xlate_depend_on_ports(ctx);
	}
	return pl_port_from_ofp(ctx->conf, number);
}

void xlate_measure(struct xlate_ctx *ctx)
{
	int32_t len = 4 * (flow_n_vlans(&ctx->flow) + flow_n_mpls(&ctx->flow));

	ctx->measure.byte_delta += len - ctx->measure.tags_len;
	ctx->measure.tags_len = len;
}

void xlate_count(struct xlate_ctx *ctx, uint32_t counter)
{
	struct xlate_out *out = ctx->out;

	if (counter == COUNTER_NONE)
		return;
	for (unsigned int i = 0; i < out->n_counters; i++) {
		struct xlate_counter *c = &out->counters[i];

		if (c->id == counter && c->byte_delta == ctx->measure.byte_delta) {
			c->n++;
			return;
		}
	}
	if (out->n_counters >= out->max_counters) {
		out->max_counters = MAX(out->max_counters * 2, XLATE_MAX_COUNTERS);
		out->counters =
			xrealloc(out->counters, out->max_counters * sizeof *out->counters);
	}
	out->counters[out->n_counters++] = (struct xlate_counter){counter, 1, ctx->measure.byte_delta};
	if (out->n_counters > XLATE_MAX_COUNTERS)
		out->cacheable = false;
}

void xlate_refresh(struct xlate_ctx *ctx, uint32_t counter)
{
	struct xlate_out *out = ctx->out;

	if (counter == COUNTER_NONE)
		return;
	for (unsigned int i = 0; i < out->n_refreshes; i++)
		if (out->refreshes[i] == counter)
			return;
	if (out->n_refreshes < ARRAY_SIZE(out->refreshes))
		out->refreshes[out->n_refreshes++] = counter;
	else
		out->cacheable = false;
}

static void xlate_report_send(struct xlate_ctx *ctx, struct xlate_report *report)
{
	report->depth = ctx->trace_depth;
	report->bridge = ctx->bridge;
	ctx->sink->report(ctx->sink, report);
}

void xlate_report(struct xlate_ctx *ctx, enum xlate_report_kind kind, const char *format, ...)
{
	struct xlate_report report = {.kind = kind};
	char text[512];
	va_list args;

	if (!xlate_tracing(ctx))
		return;
	if (format) {
		va_start(args, format);
		vsnprintf(text, sizeof text, format, args);
		va_end(args);
		report.text = text;
	}
	xlate_report_send(ctx, &report);
}

void xlate_report_table(struct xlate_ctx *ctx, const struct pl_rule *rule, uint8_t table_id)
{
	struct xlate_report report = {.kind = XLATE_REPORT_TABLE, .rule = rule, .table_id = table_id};

	if (xlate_tracing(ctx))
		xlate_report_send(ctx, &report);
}

void xlate_report_miss(struct xlate_ctx *ctx, const char *text, uint8_t table_id)
{
	struct xlate_report report = {.kind = XLATE_REPORT_TABLE, .table_id = table_id, .text = text};

	if (xlate_tracing(ctx))
		xlate_report_send(ctx, &report);
}

void xlate_report_acts(struct xlate_ctx *ctx, enum xlate_report_kind kind, const struct act *acts,
	uint32_t len, const char *text)
{
	struct xlate_report report = {.kind = kind, .act = acts, .acts_len = len, .text = text};

	if (xlate_tracing(ctx))
		xlate_report_send(ctx, &report);
}

void xlate_report_field(struct xlate_ctx *ctx, const struct subfield *sf)
{
	union field_value value;
	struct sbuf s;

	if (!xlate_tracing(ctx))
		return;
	sbuf_init(&s);
	subfield_format(sf, &s);
	sbuf_puts(&s, " is now ");
	if (sf->ofs == 0 && sf->n_bits >= sf->field->n_bits) {
		field_get(sf->field, &ctx->flow, &value);
		field_format(sf->field, &value, NULL, NULL, &s);
	} else if (sf->n_bits <= 64) {
		sbuf_putf(&s, "%#llx", (unsigned long long)subfield_read_u64(sf, &ctx->flow));
	} else {
		subfield_read(sf, &ctx->flow, &value);
		sbuf_puts(&s, "0x");
		sbuf_put_hex(&s, value.b, DIV_ROUND_UP(sf->n_bits, 8));
	}
	xlate_report(ctx, XLATE_REPORT_FIELD, "%s", sbuf_cstr(&s));
	sbuf_uninit(&s);
}

bool xlate_is_bpdu(const struct flow *flow)
{
	return flow->dl_type == htobe16(ETH_T_NONE) && flow->dl_dst.b[0] == 0x01 &&
		flow->dl_dst.b[1] == 0x80 && flow->dl_dst.b[2] == 0xc2 && !flow->dl_dst.b[3] &&
		!flow->dl_dst.b[4] && !flow->dl_dst.b[5];
}
