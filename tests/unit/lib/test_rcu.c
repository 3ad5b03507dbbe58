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
#include <stdatomic.h>

#include "lib/rcu.h"

static int n_run;

static void count(void *ptr)
{
	n_run++;
}

static void defer_again(void *ptr)
{
	rcu_defer(count, NULL);
}

static void no_readers(void **state)
{
	n_run = 0;
	rcu_defer(count, NULL);
	rcu_defer(defer_again, NULL);
	rcu_defer_free(malloc(10));
	rcu_defer_free(NULL);
	assert_int_equal(n_run, 0);
	assert_int_equal(rcu_reclaim(), 3);
	assert_int_equal(n_run, 1);
	assert_int_equal(rcu_reclaim(), 1);
	assert_int_equal(n_run, 2);
	rcu_synchronize();
}

/* The main thread plays both sides: rcu_reclaim() never blocks. */
static void waits_for_readers(void **state)
{
	int a, b;

	assert_int_equal(rcu_init(2), 0);
	a = rcu_register();
	b = rcu_register();
	assert_true(a >= 0 && b >= 0 && a != b);
	assert_int_equal(rcu_register(), -ENOSPC);
	assert_int_equal(rcu_init(4), -EEXIST);
	n_run = 0;
	rcu_defer(count, NULL);
	assert_int_equal(rcu_reclaim(), 0);
	rcu_quiescent(a);
	assert_int_equal(rcu_reclaim(), 0);
	rcu_defer(count, NULL); /* another grace period */
	rcu_quiescent(b);
	assert_int_equal(rcu_reclaim(), 1);
	rcu_offline(a);
	assert_int_equal(rcu_reclaim(), 0);
	rcu_quiescent(b);
	assert_int_equal(rcu_reclaim(), 1);
	rcu_offline(b);
	rcu_defer(count, NULL);
	assert_int_equal(rcu_reclaim(), 1);
	rcu_online(a);
	rcu_defer(defer_again, NULL);
	assert_int_equal(rcu_reclaim(), 0);
	rcu_unregister(a);
	rcu_synchronize();
	assert_int_equal(n_run, 4);
	assert_int_equal(rcu_register(), a);
	rcu_unregister(a);
	rcu_unregister(b);
}

static RCU(int *) shared;
static atomic_bool stop;

static void poison(void *ptr)
{
	*(int *)ptr = -1;
	free(ptr);
}

static void *reader(void *aux)
{
	int id = rcu_register(), last = 0;
	uintptr_t n = 0;

	while (!atomic_load(&stop)) {
		int value = *rcu_get(&shared);

		if (value < last)
			return (void *)(uintptr_t)-1;
		last = value;
		if (++n % 100 == 0) {
			rcu_offline(id);
			rcu_online(id);
		}
		rcu_quiescent(id);
	}
	rcu_unregister(id);
	return (void *)n;
}

static void two_threads(void **state)
{
	pthread_t thread;
	void *result;
	int *value = malloc(sizeof(int));

	*value = 0;
	rcu_set(&shared, value);
	pthread_create(&thread, NULL, reader, NULL);
	for (int i = 1; i <= 20000; i++) {
		int *old = rcu_get_protected(&shared);

		value = malloc(sizeof(int));
		*value = i;
		rcu_set(&shared, value);
		rcu_defer(poison, old);
		rcu_reclaim();
	}
	atomic_store(&stop, true);
	pthread_join(thread, &result);
	assert_int_not_equal((uintptr_t)result, (uintptr_t)-1);
	rcu_synchronize();
	assert_int_equal(rcu_reclaim(), 0);
	free(rcu_get_protected(&shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_readers),
		cmocka_unit_test(waits_for_readers),
		cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
