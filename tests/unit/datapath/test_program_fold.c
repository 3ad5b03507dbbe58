/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/pipeline/program.h"

static struct program_builder b;

static void put(enum op_type type)
{
	program_put(&b, type, type == OP_TRUNCATE ? sizeof(struct op_u32) : sizeof(struct op_vlan));
}

/* The top-level types, as a string of letters. */
static const char *shape(void)
{
	static char text[64];
	const struct op *op;
	size_t n = 0;

	OP_FOR_EACH (op, program_ops(&b), program_len(&b))
		text[n++] = op->type == OP_OUTPUT ? 'o' : op->type == OP_PUSH_VLAN ? '+'
			: op->type == OP_POP_VLAN ? '-' : op->type == OP_CLONE ? 'c'
			: op->type == OP_TRUNCATE ? 't' : '?';
	text[n] = '\0';
	return text;
}

static void tag_pushed_and_popped_vanishes(void **state)
{
	program_builder_init(&b);
	put(OP_PUSH_VLAN);
	put(OP_PUSH_VLAN);
	put(OP_POP_VLAN);
	put(OP_POP_VLAN);
	put(OP_OUTPUT);
	put(OP_PUSH_VLAN);
	put(OP_OUTPUT);
	put(OP_POP_VLAN);
	put(OP_OUTPUT);
	program_fold(&b);
	assert_string_equal(shape(), "o+o-o");
	program_builder_uninit(&b);
}

static void last_clone_is_opened(void **state)
{
	size_t outer, inner;

	program_builder_init(&b);
	put(OP_PUSH_VLAN);
	outer = program_nest_begin(&b, OP_CLONE, sizeof(struct op_nest));
	put(OP_POP_VLAN);
	put(OP_OUTPUT);
	inner = program_nest_begin(&b, OP_CLONE, sizeof(struct op_nest));
	put(OP_PUSH_VLAN);
	put(OP_OUTPUT);
	program_nest_end(&b, inner);
	program_nest_end(&b, outer);
	program_fold(&b);
	assert_string_equal(shape(), "o+o");
	program_builder_uninit(&b);
}

static void clones_with_a_meaning_stay(void **state)
{
	size_t nest;

	program_builder_init(&b);
	nest = program_nest_begin(&b, OP_CLONE, sizeof(struct op_nest));
	put(OP_OUTPUT);
	program_nest_end(&b, nest);
	put(OP_OUTPUT);
	/* An empty one has none. */
	nest = program_nest_begin(&b, OP_CLONE, sizeof(struct op_nest));
	program_nest_end(&b, nest);
	/* The truncation is not for the copy's outputs. */
	put(OP_TRUNCATE);
	nest = program_nest_begin(&b, OP_CLONE, sizeof(struct op_nest));
	put(OP_OUTPUT);
	program_nest_end(&b, nest);
	program_fold(&b);
	assert_string_equal(shape(), "cotc");
	program_builder_clear(&b);
	program_fold(&b);
	assert_int_equal(program_len(&b), 0);
	program_builder_uninit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tag_pushed_and_popped_vanishes),
		cmocka_unit_test(last_clone_is_opened),
		cmocka_unit_test(clones_with_a_meaning_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
