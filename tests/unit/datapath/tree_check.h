/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether links between bridges make a tree: add those that forward one by one; the test fails at the
 * first that closes a loop. All bridges are in one tree when there is one link less than bridges.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TREE_MAX_BRIDGES 6

struct tree_check {
	int group[TREE_MAX_BRIDGES];	/* Bridges of one number are connected. */
	int n_links;
};

static inline void tree_check_init(struct tree_check *tree)
{
	for (int i = 0; i < TREE_MAX_BRIDGES; i++)
		tree->group[i] = i;
	tree->n_links = 0;
}

/* A link between bridges A and B forwards. */
static inline void tree_check_add(struct tree_check *tree, int a, int b)
{
	int from = tree->group[b], to = tree->group[a];

	assert_int_not_equal(from, to);
	tree->n_links++;
	for (int i = 0; i < TREE_MAX_BRIDGES; i++)
		if (tree->group[i] == from)
			tree->group[i] = to;
}
