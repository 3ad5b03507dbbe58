/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "datapath/cache/path.h"

/* What translation would give: one output, one counter, one dependency. */
struct result {
	struct xlate_out out;
	struct xlate_counter counters[8];
	struct flow flow;
};

static void result_init(struct result *r, dp_port_t port, uint32_t counter, uint16_t dep)
{
	struct op_output *op;

	memset(r, 0, sizeof *r);
	program_builder_init(&r->out.program);
	op = program_put(&r->out.program, OP_OUTPUT, sizeof *op);
	op->port = port;
	r->counters[0] = (struct xlate_counter){.id = counter, .n = 1};
	r->out.counters = r->counters;
	r->out.n_counters = 1;
	r->out.deps[0] = dep;
	r->out.n_deps = 1;
	r->out.seq = dep_seq();
	r->out.cacheable = true;
}

static uint32_t intern(struct path_pool *pool, struct result *r)
{
	return path_intern(pool, &r->out, &r->flow, 1, 1000, true);
}

static void result_uninit(struct result *r)
{
	program_builder_uninit(&r->out.program);
}

static void give_all_back(struct path_pool *pool)
{
	uint32_t slot;

	while ((slot = path_harvest(pool)) != PATH_NONE)
		path_give_back(pool, slot);
	path_pool_reclaim(pool);
}

static void equal_results_share_a_path(void **state)
{
	struct path_pool *pool = path_pool_create(64, 1 << 20);
	struct result a, b, c;
	uint32_t slot;

	result_init(&a, 2, 10, 7);
	result_init(&b, 2, 10, 7);
	result_init(&c, 3, 10, 7);
	slot = intern(pool, &a);
	assert_int_not_equal(slot, PATH_NONE);
	assert_int_equal(intern(pool, &b), slot);
	assert_int_not_equal(intern(pool, &c), slot);
	b.counters[0].byte_delta = -4;
	assert_int_not_equal(intern(pool, &b), slot);
	assert_int_equal(path_pool_n_live(pool), 3);
	assert_int_equal(path_pool_paths(pool)[slot].kind, PATH_OUTPUT);
	assert_int_equal(path_pool_paths(pool)[slot].port, 2);
	result_uninit(&a);
	result_uninit(&b);
	result_uninit(&c);
	path_pool_destroy(pool);
}

static void keeps_what_it_was_given(void **state)
{
	struct path_pool *pool = path_pool_create(64, 1 << 20);
	const struct path_body *body;
	struct match match;
	struct result r;
	uint32_t slot;

	result_init(&r, 2, 10, 7);
	r.out.deps[1] = 8;
	r.out.deps[2] = 9;
	r.out.n_deps = 3;
	r.counters[1] = (struct xlate_counter){.id = 11, .n = 2, .byte_delta = 50};
	r.out.n_counters = 2;
	r.out.refreshes[0] = 77;
	r.out.n_refreshes = 1;
	r.flow.nw_dst = htobe32(0x0a000001);
	r.flow.nw_src = htobe32(0x0a000002);
	r.out.wc.nw_dst = htobe32(0xffffff00);
	r.flow.tun_metadata.data[255] = 5;
	r.out.wc.tun_metadata.data[255] = 0xff;
	slot = intern(pool, &r);
	body = path_pool_paths(pool)[slot].body;
	assert_int_equal(body->n_deps, 3);
	assert_int_equal(path_deps(body)[2], 9);
	assert_memory_equal(path_counters(body), r.counters, 2 * sizeof r.counters[0]);
	assert_int_equal(path_refreshes(body)[0], 77);
	assert_memory_equal(body->program->ops, program_ops(&r.out.program), body->program->len);
	path_get_match(body, &match);
	assert_memory_equal(&match.mask, &r.out.wc, sizeof match.mask);
	assert_int_equal(match.flow.nw_dst, htobe32(0x0a000000));
	assert_int_equal(match.flow.nw_src, 0);
	assert_int_equal(match.flow.tun_metadata.data[255], 5);
	result_uninit(&r);
	path_pool_destroy(pool);
}

static void change_of_a_dependency_ends_a_path(void **state)
{
	struct path_pool *pool = path_pool_create(64, 1 << 20);
	struct result r;
	struct path *path;
	uint32_t slot, seq;

	result_init(&r, 2, 10, 100);
	slot = intern(pool, &r);
	path = &path_pool_paths(pool)[slot];
	dep_bump(101);
	seq = dep_seq();
	assert_int_not_equal(path->seq, seq);
	assert_true(path_is_valid(path, seq));
	assert_int_equal(path->seq, seq);
	dep_bump(100);
	assert_false(path_is_valid(path, dep_seq()));

	/* A later translation with the same result must not revive it for the flows of before. */
	r.out.seq = dep_seq();
	assert_int_not_equal(intern(pool, &r), slot);
	assert_int_equal(atomic_load(&path->state), PATH_RETIRED);
	result_uninit(&r);
	path_pool_destroy(pool);
}

static void slot_is_reused_only_after_it_was_given_back(void **state)
{
	struct path_pool *pool = path_pool_create(2, 1 << 20);
	struct result a, b, c;
	uint32_t slot, generation;
	struct path *path;

	result_init(&a, 2, 10, 7);
	result_init(&b, 3, 10, 7);
	result_init(&c, 4, 10, 7);
	slot = intern(pool, &a);
	assert_int_not_equal(intern(pool, &b), PATH_NONE);
	assert_int_equal(intern(pool, &c), PATH_NONE);

	path = &path_pool_paths(pool)[slot];
	generation = path_generation(path);
	path_count(path, 3, 300, 5);
	path_retire(pool, slot);
	assert_int_not_equal(path_generation(path), generation);
	assert_int_equal(intern(pool, &c), PATH_NONE);
	assert_int_equal(path_harvest(pool), slot);
	assert_int_equal(path_harvest(pool), PATH_NONE);
	assert_int_equal(atomic_load(&path->packets), 3);
	path_give_back(pool, slot);
	assert_int_equal(intern(pool, &c), PATH_NONE);
	path_pool_reclaim(pool);
	assert_int_equal(intern(pool, &c), slot);
	assert_int_equal(atomic_load(&path->packets), 0);
	assert_int_not_equal(path_generation(path), generation);
	result_uninit(&a);
	result_uninit(&b);
	result_uninit(&c);
	path_pool_destroy(pool);
}

static void memory_of_bodies_is_bounded_and_reused(void **state)
{
	struct path_pool *pool = path_pool_create(1024, 8192);
	size_t used = 0;
	struct result r;

	for (int round = 0; round < 50; round++) {
		unsigned int n = 0;

		for (dp_port_t port = 1; port < 200; port++) {
			result_init(&r, port, 10, 7);
			n += intern(pool, &r) != PATH_NONE;
			result_uninit(&r);
		}
		assert_in_range(n, 10, 63);
		if (!used)
			used = path_pool_bytes(pool);
		assert_int_equal(path_pool_bytes(pool), used);
		path_retire_all(pool);
		assert_int_equal(path_pool_n_live(pool), 0);
		give_all_back(pool);
	}
	path_pool_destroy(pool);
}

static void too_large_program_is_refused(void **state)
{
	struct path_pool *pool = path_pool_create(64, 16 << 20);
	struct result r;

	result_init(&r, 2, 10, 7);
	for (int i = 0; i < 100000; i++)
		program_put(&r.out.program, OP_OUTPUT, sizeof(struct op_output));
	assert_int_equal(intern(pool, &r), PATH_NONE);
	result_uninit(&r);
	/* The slot is not lost. */
	for (dp_port_t port = 1; port <= 64; port++) {
		result_init(&r, port, 10, 7);
		assert_int_not_equal(intern(pool, &r), PATH_NONE);
		result_uninit(&r);
	}
	path_pool_destroy(pool);
}

static void drops_keep_their_reason(void **state)
{
	struct path_pool *pool = path_pool_create(64, 1 << 20);
	struct result a, b;
	struct op_u32 *op;
	uint32_t slot;

	result_init(&a, 2, 10, 7);
	program_builder_clear(&a.out.program);
	a.out.drop = DROP_NO_OUTPUT;
	slot = intern(pool, &a);
	assert_int_equal(path_pool_paths(pool)[slot].kind, PATH_DROP);
	assert_int_equal(path_pool_paths(pool)[slot].drop, DROP_NO_OUTPUT);
	assert_int_equal(intern(pool, &a), slot);

	result_init(&b, 2, 10, 7);
	program_builder_clear(&b.out.program);
	op = program_put(&b.out.program, OP_DROP, sizeof *op);
	op->value = DROP_METER;
	slot = intern(pool, &b);
	assert_int_equal(path_pool_paths(pool)[slot].kind, PATH_DROP);
	assert_int_equal(path_pool_paths(pool)[slot].drop, DROP_METER);
	assert_int_equal(intern(pool, &b), slot);
	result_uninit(&a);
	result_uninit(&b);
	path_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_results_share_a_path),
		cmocka_unit_test(keeps_what_it_was_given),
		cmocka_unit_test(change_of_a_dependency_ends_a_path),
		cmocka_unit_test(slot_is_reused_only_after_it_was_given_back),
		cmocka_unit_test(memory_of_bodies_is_bounded_and_reused),
		cmocka_unit_test(too_large_program_is_refused),
		cmocka_unit_test(drops_keep_their_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
