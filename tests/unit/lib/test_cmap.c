/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <pthread.h>

#include "lib/cmap.h"
#include "lib/fatal.h"
#include "lib/hash.h"

#define POISON 0xdeadbeef

struct element {
	struct cmap_node node;
	uint32_t key;
	uint32_t check; /* ~key while alive */
};

static struct element *element_new(uint32_t key)
{
	struct element *e = xmalloc(sizeof(*e));

	e->key = key;
	e->check = ~key;
	return e;
}

static void element_free(void *ptr)
{
	struct element *e = ptr;

	e->check = POISON;
	free(e);
}

/* Few different hashes make long searches. */
static uint32_t bad_hash(uint32_t key)
{
	return hash_u32(key / 4, 0);
}

static struct element *lookup(struct cmap *cmap, uint32_t key)
{
	struct element *e;

	CMAP_FOR_EACH_WITH_HASH (e, node, bad_hash(key), cmap)
		if (e->key == key)
			return e;
	return NULL;
}

static void add(struct cmap *cmap, uint32_t key)
{
	cmap_insert(cmap, &element_new(key)->node, bad_hash(key));
}

static void drop(struct cmap *cmap, struct element *e)
{
	cmap_remove(cmap, &e->node);
	rcu_defer(element_free, e);
}

static void insert_find_remove(void **state)
{
	enum {
		N = 3000
	};
	struct cmap cmap = CMAP_INITIALIZER;
	struct element *e, *old;
	size_t n = 0;

	assert_null(lookup(&cmap, 0));
	CMAP_FOR_EACH (e, node, &cmap)
		fail();
	for (uint32_t i = 0; i < N; i++)
		add(&cmap, i);
	assert_int_equal(cmap_count(&cmap), N);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(lookup(&cmap, i)->key, i);
	assert_null(lookup(&cmap, N));

	old = lookup(&cmap, 5);
	e = element_new(5);
	cmap_replace(&cmap, &old->node, &e->node);
	assert_ptr_equal(lookup(&cmap, 5), e);
	rcu_defer(element_free, old);

	CMAP_FOR_EACH (e, node, &cmap) {
		n++;
		if (e->key >= 10)
			drop(&cmap, e);
	}
	assert_int_equal(n, N);
	assert_int_equal(cmap_count(&cmap), 10);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(lookup(&cmap, i) != NULL, i < 10);
	/* The next insertion gives up the large array. */
	add(&cmap, 10);
	assert_true(rcu_get_protected(&cmap.array)->mask < 100);
	CMAP_FOR_EACH (e, node, &cmap)
		drop(&cmap, e);
	cmap_uninit(&cmap);
	rcu_synchronize();
}

/* Removals must not fill the array for good, nor make it grow. */
static void churn_stays_small(void **state)
{
	struct cmap cmap = CMAP_INITIALIZER;

	for (uint32_t i = 0; i < 50000; i++) {
		add(&cmap, i);
		if (i >= 20)
			drop(&cmap, lookup(&cmap, i - 20));
		rcu_reclaim();
	}
	assert_int_equal(cmap_count(&cmap), 20);
	assert_true(rcu_get_protected(&cmap.array)->mask < 128);
	for (uint32_t i = 50000 - 20; i < 50000; i++)
		drop(&cmap, lookup(&cmap, i));
	assert_null(lookup(&cmap, 49999));
	cmap_uninit(&cmap);
	rcu_synchronize();
}

/* Against a plain array as the oracle. */
static void random_operations(void **state)
{
	enum {
		KEYS = 512
	};
	struct element *model[KEYS] = {0}, *e;
	struct cmap cmap = CMAP_INITIALIZER;
	unsigned int seed = 1;

	for (int step = 0; step < 100000; step++) {
		uint32_t key = (uint32_t)rand_r(&seed) % KEYS;

		if (!model[key]) {
			model[key] = element_new(key);
			cmap_insert(&cmap, &model[key]->node, bad_hash(key));
		} else if (rand_r(&seed) % 4 == 0) {
			e = element_new(key);
			cmap_replace(&cmap, &model[key]->node, &e->node);
			rcu_defer(element_free, model[key]);
			model[key] = e;
		} else {
			drop(&cmap, model[key]);
			model[key] = NULL;
		}
		key = (uint32_t)rand_r(&seed) % KEYS;
		assert_ptr_equal(lookup(&cmap, key), model[key]);
		if (step % 1000 == 0)
			rcu_reclaim();
	}
	CMAP_FOR_EACH (e, node, &cmap) {
		assert_ptr_equal(model[e->key], e);
		drop(&cmap, e);
	}
	cmap_uninit(&cmap);
	rcu_synchronize();
}

/* Readers look for keys that are always there while others come and go and the array is rebuilt. */
enum {
	N_STABLE = 200,
	N_CHURN = 4000
};

static struct cmap stress = CMAP_INITIALIZER;
static atomic_bool stop;
static atomic_int n_started;

static bool reader_pass(void)
{
	struct element *e;
	uint32_t n_stable = 0;

	for (uint32_t key = 0; key < N_STABLE; key++) {
		e = lookup(&stress, key);
		if (!e || e->check != ~key)
			return false;
	}
	CMAP_FOR_EACH (e, node, &stress) {
		if (e->check != ~e->key)
			return false;
		n_stable += e->key < N_STABLE;
	}
	return n_stable == N_STABLE;
}

static void *reader(void *aux)
{
	int id = rcu_register();
	bool ok = true;

	atomic_fetch_add(&n_started, 1);
	while (ok && !atomic_load(&stop)) {
		ok = reader_pass();
		rcu_quiescent(id);
	}
	rcu_unregister(id);
	return ok ? NULL : aux;
}

static void readers_under_churn(void **state)
{
	struct element *e;
	pthread_t threads[2];
	void *result;

	for (uint32_t i = 0; i < N_STABLE; i++)
		add(&stress, i);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, reader, &stop);
	while (atomic_load(&n_started) < 2)
		;
	for (int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < N_CHURN; i++) {
			add(&stress, N_STABLE + i);
			if (i % 64 == 0)
				rcu_reclaim();
		}
		for (uint32_t i = 0; i < N_CHURN; i++) {
			drop(&stress, lookup(&stress, N_STABLE + i));
			if (i % 64 == 0)
				rcu_reclaim();
		}
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	CMAP_FOR_EACH (e, node, &stress)
		drop(&stress, e);
	cmap_uninit(&stress);
	rcu_synchronize();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_find_remove),
		cmocka_unit_test(churn_stays_small),
		cmocka_unit_test(random_operations),
		cmocka_unit_test(readers_under_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
