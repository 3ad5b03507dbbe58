/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/program.h"

void program_builder_init(struct program_builder *b)
{
	sbuf_init(&b->buf);
}

void program_builder_uninit(struct program_builder *b)
{
	sbuf_uninit(&b->buf);
}

void program_builder_clear(struct program_builder *b)
{
	sbuf_clear(&b->buf);
}

void *program_put(struct program_builder *b, enum op_type type, size_t size)
{
	size_t len = ROUND_UP(size, (size_t)OP_ALIGN);
	struct op *op = sbuf_put_zeros(&b->buf, len);

	op->type = (uint16_t)type;
	op->len = (uint32_t)len;
	return op;
}

size_t program_nest_begin(struct program_builder *b, enum op_type type, size_t size)
{
	size_t handle = b->buf.len;

	program_put(b, type, size);
	return handle;
}

void program_nest_around(struct program_builder *b, size_t start)
{
	size_t size = sizeof(struct op_nest), len = b->buf.len - start;

	program_nest_begin(b, OP_CLONE, size);
	memmove(program_at(b, start + size), program_at(b, start), len);
	*(struct op *)program_at(b, start) = (struct op){
		.type = OP_CLONE,
		.len = (uint32_t)(size + len),
	};
}

void program_nest_end(struct program_builder *b, size_t handle)
{
	struct op *op = program_at(b, handle);

	op->len = (uint32_t)(b->buf.len - handle);
}
