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
#include <signal.h>
#include <sys/socket.h>

#include "lib/event.h"

static struct event_loop *loop;

static int setup(void **state)
{
	loop = event_loop_create();
	return 0;
}

static int teardown(void **state)
{
	event_loop_destroy(loop);
	return 0;
}

struct counter {
	int n, limit;
	struct event_timer *timer;
	struct event_work *work;
	struct event_hook *hook;
	struct event_fd *efd;
	struct event_signal *sig;
	struct event_async *async;
	struct counter *other;
};

static void on_timer(void *aux)
{
	struct counter *c = aux;

	if (++c->n == c->limit) {
		event_timer_destroy(c->timer);
		c->timer = NULL;
		event_stop(loop);
	}
}

static void timers(void **state)
{
	struct counter c = {.limit = 3}, never = {0};

	never.timer = event_timer_create(loop, on_timer, &never);
	event_timer_start(never.timer, 0, 0);
	event_timer_stop(never.timer);
	assert_false(event_timer_is_active(never.timer));
	c.timer = event_timer_create(loop, on_timer, &c);
	event_timer_start(c.timer, 1, 1);
	assert_true(event_timer_is_active(c.timer));
	event_run(loop);
	assert_int_equal(c.n, 3);
	assert_int_equal(never.n, 0);
	event_timer_destroy(never.timer);
	event_timer_destroy(NULL);
}

static bool on_work(void *aux)
{
	struct counter *c = aux;

	assert_false(event_work_is_pending(c->work));
	return ++c->n < c->limit;
}

static bool work_destroys_both(void *aux)
{
	struct counter *c = aux;

	c->n++;
	event_work_destroy(c->work);
	if (c->other->work) {
		event_work_destroy(c->other->work);
		c->other->work = NULL;
	}
	c->work = NULL;
	return true;
}

static bool work_restarts(void *aux)
{
	struct counter *c = aux;

	if (++c->n < c->limit)
		event_work_start(c->work);
	return false;
}

static bool work_stops(void *aux)
{
	struct counter *c = aux;

	c->n++;
	event_work_stop(c->work);
	return true;
}

static void work_in_slices(void **state)
{
	struct counter a = {.limit = 5}, b = {0}, c = {.other = &b}, d = {.limit = 2}, e = {0};

	a.work = event_work_create(loop, on_work, &a);
	b.work = event_work_create(loop, work_destroys_both, &b);
	c.work = event_work_create(loop, work_destroys_both, &c);
	b.other = &c;
	d.work = event_work_create(loop, work_restarts, &d);
	e.work = event_work_create(loop, work_stops, &e);
	event_work_start(a.work);
	event_work_start(a.work);
	event_work_start(b.work);
	event_work_start(c.work);
	event_work_start(d.work);
	event_work_start(e.work);
	event_run_once(loop, 1000);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n + c.n, 1);
	assert_null(b.work);
	assert_null(c.work);
	event_run_once(loop, 1000);
	assert_int_equal(d.n, 2);
	assert_int_equal(e.n, 1);
	for (int i = 0; i < 10; i++)
		event_run_once(loop, 0);
	assert_int_equal(a.n, 5);
	assert_false(event_work_is_pending(a.work));
	assert_int_equal(d.n, 2);
	assert_int_equal(e.n, 1);
}

static void on_hook(void *aux)
{
	struct counter *c = aux;

	if (++c->n == c->limit) {
		event_hook_remove(c->hook);
		event_stop(loop);
	} else {
		event_hook_wake_in(loop, c->n == 1 ? 0 : 1);
	}
}

static void hooks_run_once_a_turn(void **state)
{
	struct counter a = {.limit = 4}, b = {.limit = 100};

	a.hook = event_hook_add(loop, on_hook, &a);
	b.hook = event_hook_add(loop, on_hook, &b);
	event_run(loop);
	assert_int_equal(a.n, 4);
	assert_int_equal(b.n, 4);
	event_run_once(loop, 0);
	assert_int_equal(a.n, 4);
	assert_int_equal(b.n, 5);
	event_hook_remove(b.hook);
}

static struct event_tail *tail;

static void on_tail(void *aux)
{
	struct counter *c = aux;

	c->n++;
	/* Work that it starts is done without a wait. */
	if (c->work)
		event_work_start(c->work);
}

static void on_hook_with_tail(void *aux)
{
	struct counter *c = aux;

	/* Not before all hooks are through. */
	assert_int_equal(c->other->n, c->n);
	c->n++;
	event_tail_start(tail);
	event_tail_start(tail);
}

static bool on_tail_work(void *aux)
{
	((struct counter *)aux)->n++;
	return false;
}

static void tails_end_a_turn(void **state)
{
	struct counter hook = {0}, end = {0}, work = {0};

	hook.other = &end;
	end.work = event_work_create(loop, on_tail_work, &work);
	tail = event_tail_create(loop, on_tail, &end);
	hook.hook = event_hook_add(loop, on_hook_with_tail, &hook);
	event_run_once(loop, 0);
	assert_int_equal(hook.n, 1);
	assert_int_equal(end.n, 1);
	event_run_once(loop, 10000);
	assert_int_equal(work.n, 1);
	event_hook_remove(hook.hook);
	event_tail_start(tail);
	event_tail_stop(tail);
	event_run_once(loop, 0);
	assert_int_equal(end.n, 2);
	event_tail_start(tail);
	event_tail_destroy(tail);
	event_run_once(loop, 0);
	assert_int_equal(end.n, 2);
	event_work_destroy(end.work);
}

static void on_fd(int fd, unsigned int events, void *aux)
{
	struct counter *c = aux;
	char byte;

	c->n++;
	assert_true(events & EVENT_READ);
	assert_int_equal(read(fd, &byte, 1), 1);
	if (c->n == c->limit) {
		event_fd_remove(c->efd);
		/* The other one is ready too, but must not be called any more. */
		event_fd_remove(c->other->efd);
	}
}

static void descriptors(void **state)
{
	struct counter a = {.limit = 2}, b = {.limit = 2, .other = &a};
	int p[2], q[2];

	a.other = &b;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pipe(q), 0);
	assert_int_equal(event_fd_add(loop, p[0], EVENT_READ, on_fd, &a, &a.efd), 0);
	assert_int_equal(event_fd_add(loop, p[0], EVENT_READ, on_fd, &a, &b.efd), -EEXIST);
	assert_int_equal(event_fd_add(loop, q[0], EVENT_READ, on_fd, &b, &b.efd), 0);
	event_run_once(loop, 1);
	assert_int_equal(a.n + b.n, 0);
	assert_int_equal(write(p[1], "abc", 3), 3);
	assert_int_equal(write(q[1], "abc", 3), 3);
	event_fd_modify(a.efd, 0);
	event_run_once(loop, 1000);
	assert_int_equal(a.n, 0);
	assert_int_equal(b.n, 1);
	event_fd_modify(a.efd, EVENT_READ);
	for (int i = 0; i < 3; i++)
		event_run_once(loop, 0);
	assert_in_range(a.n + b.n, 2, 3);
	close(p[0]);
	/* The number of a closed descriptor may come again. */
	assert_int_equal(dup2(q[0], p[0]), p[0]);
	a = (struct counter){.limit = 1, .other = &b};
	b.efd = NULL;
	assert_int_equal(event_fd_add(loop, p[0], EVENT_READ, on_fd, &a, &a.efd), 0);
	event_run_once(loop, 1000);
	assert_int_equal(a.n, 1);
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
}

static void on_signal(int signum, void *aux)
{
	struct counter *c = aux;

	c->n += signum;
	event_signal_remove(c->sig);
	event_stop(loop);
}

static void signals(void **state)
{
	struct counter c = {0};

	assert_int_equal(event_signal_add(loop, SIGUSR1, on_signal, &c, &c.sig), 0);
	assert_int_equal(event_signal_add(loop, SIGKILL, on_signal, &c, &c.sig), -EINVAL);
	kill(getpid(), SIGUSR1);
	event_run(loop);
	assert_int_equal(c.n, SIGUSR1);
}

static void on_async(void *aux)
{
	struct counter *c = aux;

	c->n++;
	event_stop(loop);
}

static void *send_async(void *aux)
{
	for (int i = 0; i < 100; i++)
		event_async_send(aux);
	return NULL;
}

static void wake_from_thread(void **state)
{
	struct counter c = {0};
	pthread_t thread;

	c.async = event_async_create(loop, on_async, &c);
	pthread_create(&thread, NULL, send_async, c.async);
	event_run(loop);
	pthread_join(thread, NULL);
	assert_in_range(c.n, 1, 100);
	event_async_send(c.async);
	event_async_destroy(c.async);
	c.n = 0;
	event_run_once(loop, 0);
	assert_int_equal(c.n, 0);
}

static void peer_reset(int fd, unsigned int events, void *aux)
{
	struct counter *c = aux;
	char byte;

	c->n++;
	assert_int_equal(read(fd, &byte, 1), 0);
}

static void hang_up_is_reported(void **state)
{
	struct counter c = {0};
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(event_fd_add(loop, s[0], EVENT_READ, peer_reset, &c, &c.efd), 0);
	close(s[1]);
	event_run_once(loop, 1000);
	assert_int_equal(c.n, 1);
	event_fd_remove(c.efd);
	close(s[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers, setup, teardown),
		cmocka_unit_test_setup_teardown(work_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(hooks_run_once_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(tails_end_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(signals, setup, teardown),
		cmocka_unit_test_setup_teardown(wake_from_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(hang_up_is_reported, setup, teardown),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
