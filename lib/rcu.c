/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/rcu.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <rte_rcu_qsbr.h>

#include "lib/fatal.h"
#include "lib/list.h"
#include "lib/vec.h"

#define DEFAULT_THREADS 128

struct deferred {
	void (*destructor)(void *ptr);
	void *ptr;
};

/* What was deferred between two calls of rcu_reclaim() shares a grace period. */
struct batch {
	struct list node;
	uint64_t token;
	VEC(struct deferred) calls;
};

/* Readers, under the mutex, but for qsbr's own atomics. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rte_rcu_qsbr *_Atomic qsbr;
static unsigned int capacity, n_readers;
static bool *taken;

/* The writer's. */
static struct batch *open_batch;
static struct list waiting = LIST_INITIALIZER(&waiting);
static size_t n_deferred;

static void set_up(unsigned int max_threads)
{
	size_t size = rte_rcu_qsbr_get_memsize(max_threads);
	struct rte_rcu_qsbr *v = xaligned_calloc(RTE_CACHE_LINE_SIZE, size);

	if (rte_rcu_qsbr_init(v, max_threads))
		fatal("RCU does not start");
	free(qsbr);
	free(taken);
	taken = xcalloc(max_threads, sizeof(bool));
	capacity = max_threads;
	qsbr = v;
}

int rcu_init(unsigned int max_threads)
{
	int err = 0;

	rcu_reclaim();
	pthread_mutex_lock(&mutex);
	if (n_readers)
		err = -EEXIST;
	else
		set_up(max_threads ? max_threads : 1);
	pthread_mutex_unlock(&mutex);
	return err;
}

int rcu_register(void)
{
	unsigned int id;

	pthread_mutex_lock(&mutex);
	if (!qsbr)
		set_up(DEFAULT_THREADS);
	for (id = 0; id < capacity && taken[id]; id++)
		;
	if (id < capacity) {
		taken[id] = true;
		n_readers++;
		rte_rcu_qsbr_thread_register(qsbr, id);
		rte_rcu_qsbr_thread_online(qsbr, id);
	}
	pthread_mutex_unlock(&mutex);
	return id < capacity ? (int)id : -ENOSPC;
}

void rcu_unregister(int id)
{
	pthread_mutex_lock(&mutex);
	rte_rcu_qsbr_thread_offline(qsbr, (unsigned int)id);
	rte_rcu_qsbr_thread_unregister(qsbr, (unsigned int)id);
	taken[id] = false;
	n_readers--;
	pthread_mutex_unlock(&mutex);
}

/* QSBR is set before the first reader has an id and stays while there are readers. */
static struct rte_rcu_qsbr *readers(void)
{
	return atomic_load_explicit(&qsbr, memory_order_relaxed);
}

void rcu_online(int id)
{
	rte_rcu_qsbr_thread_online(readers(), (unsigned int)id);
}

void rcu_offline(int id)
{
	rte_rcu_qsbr_thread_offline(readers(), (unsigned int)id);
}

void rcu_quiescent(int id)
{
	rte_rcu_qsbr_quiescent(readers(), (unsigned int)id);
}

void rcu_defer(void (*destructor)(void *ptr), void *ptr)
{
	if (!open_batch)
		open_batch = xcalloc(1, sizeof(*open_batch));
	vec_push(&open_batch->calls, (struct deferred){destructor, ptr});
	n_deferred++;
}

void rcu_defer_free(void *ptr)
{
	if (ptr)
		rcu_defer(free, ptr);
}

static void close_batch(void)
{
	if (!open_batch)
		return;
	if (qsbr)
		open_batch->token = rte_rcu_qsbr_start(qsbr);
	list_push_back(&waiting, &open_batch->node);
	open_batch = NULL;
}

static size_t run_batch(struct batch *batch)
{
	struct deferred *call;
	size_t n = batch->calls.n;

	list_remove(&batch->node);
	VEC_FOR_EACH(call, &batch->calls)
	{
		n_deferred--;
		call->destructor(call->ptr);
	}
	vec_uninit(&batch->calls);
	free(batch);
	return n;
}

/* Runs the batches whose grace period is over, in order. */
static size_t run_due(bool wait)
{
	size_t n = 0;

	close_batch();
	while (!list_is_empty(&waiting)) {
		struct batch *batch = container_of(list_front(&waiting), struct batch, node);

		if (qsbr && rte_rcu_qsbr_check(qsbr, batch->token, wait) != 1)
			break;
		n += run_batch(batch);
	}
	return n;
}

size_t rcu_reclaim(void)
{
	return run_due(false);
}

void rcu_synchronize(void)
{
	if (qsbr)
		rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
	while (n_deferred)
		run_due(true);
}
