/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/event.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/event_private.h"
#include "lib/fatal.h"
#include "lib/util.h"

/* A client takes tens of microseconds to wake up for its answer and to ask again, on a sleeping CPU more. */
#define LINGER_NS 100000
#define LINGER_MAX_SKIP 255u

/*
 * The turn of the loop. Work and hooks have no handle of their own: an idle handle (while there is work)
 * and a prepare handle serve all of them. Those may be removed while their list is walked, so they are
 * only marked then, and freed after the walk.
 */

struct event_work {
	struct list node; /* in loop->work or loop->pending_work */
	struct event_loop *loop;
	event_work_cb *cb; /* NULL: destroyed */
	void *aux;
	bool pending;
	bool stopped; /* since its callback began */
};

struct event_tail {
	struct list node; /* in loop->tails, or alone */
	struct event_loop *loop;
	event_cb *cb;
	void *aux;
};

struct event_hook {
	struct list node;
	struct event_loop *loop;
	event_cb *cb; /* NULL: removed */
	void *aux;
};

void event_check(int err, const char *what)
{
	if (err)
		fatal("%s: %s", what, uv_strerror(err));
}

void event_free_handle(uv_handle_t *handle)
{
	free(handle);
}

/* Work. */

static void update_idle(struct event_loop *loop);

static void run_work(uv_idle_t *idle)
{
	struct event_loop *loop = container_of(idle, struct event_loop, idle);
	struct list now;
	struct event_work *work;

	list_init(&now);
	list_append_all(&now, &loop->pending_work);
	loop->in_work = true;
	LIST_FOR_EACH_POP(work, node, &now)
	{
		work->pending = work->stopped = false;
		list_push_back(&loop->work, &work->node);
		if (work->cb(work->aux) && work->cb && !work->stopped)
			event_work_start(work);
	}
	loop->in_work = false;
	LIST_FOR_EACH_SAFE (work, node, &loop->work)
		if (!work->cb) {
			list_remove(&work->node);
			free(work);
		}
	update_idle(loop);
}

static void update_idle(struct event_loop *loop)
{
	if (list_is_empty(&loop->pending_work))
		uv_idle_stop(&loop->idle);
	else
		uv_idle_start(&loop->idle, run_work);
}

struct event_work *event_work_create(struct event_loop *loop, event_work_cb *cb, void *aux)
{
	struct event_work *work = xcalloc(1, sizeof(*work));

	work->loop = loop;
	work->cb = cb;
	work->aux = aux;
	list_push_back(&loop->work, &work->node);
	return work;
}

void event_work_start(struct event_work *work)
{
	work->stopped = false;
	if (work->pending)
		return;
	work->pending = true;
	list_remove(&work->node);
	list_push_back(&work->loop->pending_work, &work->node);
	update_idle(work->loop);
}

void event_work_stop(struct event_work *work)
{
	work->stopped = true;
	if (!work->pending)
		return;
	work->pending = false;
	list_remove(&work->node);
	list_push_back(&work->loop->work, &work->node);
	update_idle(work->loop);
}

bool event_work_is_pending(const struct event_work *work)
{
	return work->pending;
}

void event_work_destroy(struct event_work *work)
{
	if (!work)
		return;
	event_work_stop(work);
	work->cb = NULL;
	if (!work->loop->in_work) {
		list_remove(&work->node);
		free(work);
	}
}

/* Hooks. */

static void arm_wake(struct event_loop *loop);

static void run_tails(struct event_loop *loop)
{
	struct event_tail *tail;

	LIST_FOR_EACH_POP (tail, node, &loop->tails)
		tail->cb(tail->aux);
}

/* Whoever was served a moment ago is likely to ask again soon: to be found awake saves both sides a
 * sleep and a wake-up, which cost more than many a request. After waiting in vain the next chances are
 * left out, more each time. */
static void linger(struct event_loop *loop)
{
	struct pollfd pfd = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
	uint64_t end_ns;

	if (!loop->served || !list_is_empty(&loop->pending_work) || loop->stop)
		return;
	loop->served = false;
	if (loop->linger_skip) {
		loop->linger_skip--;
		return;
	}
	/* Not a clock that tests set. */
	end_ns = uv_hrtime() + LINGER_NS;
	do {
		if (poll(&pfd, 1, 0)) {
			loop->linger_vain = 0;
			return;
		}
		/* Whoever is to ask may be waiting for this very CPU. */
		sched_yield();
	} while (uv_hrtime() < end_ns);
	loop->linger_vain = MIN(2 * loop->linger_vain + 1, LINGER_MAX_SKIP);
	loop->linger_skip = loop->linger_vain;
}

static void run_hooks(uv_prepare_t *prepare)
{
	struct event_loop *loop = container_of(prepare, struct event_loop, prepare);
	struct event_hook *hook;

	loop->wake_wanted = false;
	loop->in_hooks = true;
	LIST_FOR_EACH (hook, node, &loop->hooks)
		if (hook->cb)
			hook->cb(hook->aux);
	loop->in_hooks = false;
	LIST_FOR_EACH_SAFE (hook, node, &loop->hooks)
		if (!hook->cb) {
			list_remove(&hook->node);
			free(hook);
		}
	if (loop->run_once_timeout >= 0)
		event_hook_wake_in(loop, (uint64_t)loop->run_once_timeout);
	arm_wake(loop);
	run_tails(loop);
	linger(loop);
}

static void on_wake(uv_timer_t *timer)
{
}

static void arm_wake(struct event_loop *loop)
{
	if (!loop->wake_wanted) {
		uv_timer_stop(&loop->wake);
		return;
	}
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->wake, on_wake, loop->wake_ms, 0);
}

struct event_hook *event_hook_add(struct event_loop *loop, event_cb *cb, void *aux)
{
	struct event_hook *hook = xcalloc(1, sizeof(*hook));

	hook->loop = loop;
	hook->cb = cb;
	hook->aux = aux;
	list_push_back(&loop->hooks, &hook->node);
	return hook;
}

void event_hook_remove(struct event_hook *hook)
{
	if (!hook)
		return;
	hook->cb = NULL;
	if (!hook->loop->in_hooks) {
		list_remove(&hook->node);
		free(hook);
	}
}

void event_hook_wake_in(struct event_loop *loop, uint64_t ms)
{
	if (!loop->wake_wanted || ms < loop->wake_ms)
		loop->wake_ms = ms;
	loop->wake_wanted = true;
}

/* Tails. */

struct event_tail *event_tail_create(struct event_loop *loop, event_cb *cb, void *aux)
{
	struct event_tail *tail = xcalloc(1, sizeof(*tail));

	tail->loop = loop;
	tail->cb = cb;
	tail->aux = aux;
	list_init(&tail->node);
	return tail;
}

void event_tail_start(struct event_tail *tail)
{
	list_remove(&tail->node);
	list_push_back(&tail->loop->tails, &tail->node);
}

void event_tail_stop(struct event_tail *tail)
{
	list_remove(&tail->node);
}

void event_tail_destroy(struct event_tail *tail)
{
	if (tail)
		list_remove(&tail->node);
	free(tail);
}

/* The loop. */

struct event_loop *event_loop_create(void)
{
	struct event_loop *loop = xcalloc(1, sizeof(*loop));

	signal(SIGPIPE, SIG_IGN);
	event_check(uv_loop_init(&loop->uv), "event loop");
	loop->uv.data = loop;
	event_check(uv_idle_init(&loop->uv, &loop->idle), "idle handle");
	event_check(uv_prepare_init(&loop->uv, &loop->prepare), "prepare handle");
	event_check(uv_timer_init(&loop->uv, &loop->wake), "timer");
	event_check(uv_prepare_start(&loop->prepare, run_hooks), "prepare handle");
	list_init(&loop->work);
	list_init(&loop->pending_work);
	list_init(&loop->hooks);
	list_init(&loop->tails);
	loop->run_once_timeout = -1;
	return loop;
}

static void close_handle(uv_handle_t *handle, void *aux)
{
	struct event_loop *loop = aux;
	bool own = handle == (uv_handle_t *)&loop->idle ||
		   handle == (uv_handle_t *)&loop->prepare || handle == (uv_handle_t *)&loop->wake;

	if (!uv_is_closing(handle))
		uv_close(handle, own ? NULL : event_free_handle);
}

void event_loop_destroy(struct event_loop *loop)
{
	struct event_work *work;
	struct event_hook *hook;

	if (!loop)
		return;
	uv_walk(&loop->uv, close_handle, loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	event_check(uv_loop_close(&loop->uv), "closing the event loop");
	list_append_all(&loop->work, &loop->pending_work);
	LIST_FOR_EACH_POP (work, node, &loop->work)
		free(work);
	LIST_FOR_EACH_POP (hook, node, &loop->hooks)
		free(hook);
	free(loop);
}

void event_run(struct event_loop *loop)
{
	/* The prepare handle keeps the libuv loop alive when nothing else does. */
	while (!loop->stop)
		uv_run(&loop->uv, UV_RUN_ONCE);
	loop->stop = false;
}

void event_run_once(struct event_loop *loop, int timeout_ms)
{
	loop->run_once_timeout = timeout_ms;
	uv_run(&loop->uv, timeout_ms ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	loop->run_once_timeout = -1;
}

void event_stop(struct event_loop *loop)
{
	loop->stop = true;
	uv_stop(&loop->uv);
}

struct uv_loop_s *event_loop_uv(struct event_loop *loop)
{
	return &loop->uv;
}
