/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "datapath/pipeline/program.h"

/* The part of the program that is kept so far. */
struct kept {
	char *start;
	size_t len;
};

/* The last record that was kept, or NULL. */
static const struct op *last_kept(const struct kept *kept)
{
	const struct op *op, *last = NULL;

	OP_FOR_EACH (op, (const struct op *)(const void *)kept->start, kept->len)
		last = op;
	return last;
}

static bool last_kept_is(const struct kept *kept, enum op_type type)
{
	const struct op *last = last_kept(kept);

	return last && last->type == type;
}

void program_fold(struct program_builder *b)
{
	struct kept kept = {b->buf.data, 0};
	const char *pos = b->buf.data, *end = pos + b->buf.len;

	while (pos < end) {
		const struct op *op = (const struct op *)(const void *)pos;
		const struct op_nest *nest = (const struct op_nest *)(const void *)pos;
		const char *next = pos + op->len;

		if (op->type == OP_CLONE && !op_nest_len(nest)) {
			pos = next;
		} else if (op->type == OP_CLONE && next == end && !last_kept_is(&kept, OP_TRUNCATE)) {
			/* It works on the packet itself as it is. */
			pos = (const char *)nest->ops;
		} else if (op->type == OP_POP_VLAN && last_kept_is(&kept, OP_PUSH_VLAN)) {
			kept.len -= last_kept(&kept)->len;
			pos = next;
		} else {
			memmove(kept.start + kept.len, pos, op->len);
			kept.len += (size_t)(next - pos);
			pos = next;
		}
	}
	b->buf.len = kept.len;
}
