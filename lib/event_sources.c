/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the event loop waits for: descriptors, timers, signals, other threads. Each thing is one allocation
 * that begins with its libuv handle and is freed when libuv has closed that.
 */

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/event_private.h"
#include "lib/fatal.h"
#include "lib/util.h"

struct event_fd {
	uv_poll_t uv;
	event_fd_cb *cb;
	void *aux;
	int fd;
	int watched; /* UV_READABLE | UV_WRITABLE */
};

struct event_timer {
	uv_timer_t uv;
	event_cb *cb;
	void *aux;
};

struct event_signal {
	uv_signal_t uv;
	event_signal_cb *cb;
	void *aux;
};

struct event_async {
	uv_async_t uv;
	event_cb *cb;
	void *aux;
};

/* File descriptors. */

static void on_fd(uv_poll_t *poll, int status, int events)
{
	struct event_fd *efd = container_of(poll, struct event_fd, uv);
	unsigned int ready = 0;

	if (status < 0) {
		/* libuv has stopped watching it. */
		efd->watched = 0;
		ready |= EVENT_ERROR;
	}
	if (events & UV_READABLE)
		ready |= EVENT_READ;
	if (events & UV_WRITABLE)
		ready |= EVENT_WRITE;
	((struct event_loop *)poll->loop->data)->served = true;
	if (ready && efd->cb)
		efd->cb(efd->fd, ready, efd->aux);
}

int event_fd_add(struct event_loop *loop, int fd, unsigned int events, event_fd_cb *cb, void *aux,
	struct event_fd **efdp)
{
	struct event_fd *efd = xcalloc(1, sizeof(*efd));
	int err = uv_poll_init(&loop->uv, &efd->uv, fd);

	if (err) {
		free(efd);
		return err;
	}
	efd->cb = cb;
	efd->aux = aux;
	efd->fd = fd;
	event_fd_modify(efd, events);
	*efdp = efd;
	return 0;
}

void event_fd_modify(struct event_fd *efd, unsigned int events)
{
	int wanted = 0;

	if (events & EVENT_READ)
		wanted |= UV_READABLE;
	if (events & EVENT_WRITE)
		wanted |= UV_WRITABLE;
	if (wanted == efd->watched)
		return;
	efd->watched = wanted;
	if (wanted)
		event_check(uv_poll_start(&efd->uv, wanted, on_fd), "polling a descriptor");
	else
		uv_poll_stop(&efd->uv);
}

void event_fd_remove(struct event_fd *efd)
{
	if (!efd)
		return;
	efd->cb = NULL;
	uv_poll_stop(&efd->uv);
	uv_close((uv_handle_t *)&efd->uv, event_free_handle);
}

/* Timers. */

static void on_timer(uv_timer_t *uv)
{
	struct event_timer *timer = container_of(uv, struct event_timer, uv);

	timer->cb(timer->aux);
}

struct event_timer *event_timer_create(struct event_loop *loop, event_cb *cb, void *aux)
{
	struct event_timer *timer = xcalloc(1, sizeof(*timer));

	event_check(uv_timer_init(&loop->uv, &timer->uv), "timer");
	timer->cb = cb;
	timer->aux = aux;
	return timer;
}

void event_timer_start(struct event_timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
	/* libuv counts from its own, possibly old, idea of now. */
	uv_update_time(timer->uv.loop);
	event_check(uv_timer_start(&timer->uv, on_timer, delay_ms, repeat_ms), "timer");
}

void event_timer_stop(struct event_timer *timer)
{
	uv_timer_stop(&timer->uv);
}

bool event_timer_is_active(const struct event_timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->uv);
}

void event_timer_destroy(struct event_timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, event_free_handle);
}

/* Signals. */

static void on_signal(uv_signal_t *uv, int signum)
{
	struct event_signal *sig = container_of(uv, struct event_signal, uv);

	sig->cb(signum, sig->aux);
}

int event_signal_add(struct event_loop *loop, int signum, event_signal_cb *cb, void *aux,
	struct event_signal **sigp)
{
	struct event_signal *sig = xcalloc(1, sizeof(*sig));
	int err;

	event_check(uv_signal_init(&loop->uv, &sig->uv), "signal");
	sig->cb = cb;
	sig->aux = aux;
	err = uv_signal_start(&sig->uv, on_signal, signum);
	if (err) {
		event_signal_remove(sig);
		return err;
	}
	*sigp = sig;
	return 0;
}

void event_signal_remove(struct event_signal *sig)
{
	if (sig)
		uv_close((uv_handle_t *)&sig->uv, event_free_handle);
}

/* Wake-ups. */

static void on_async(uv_async_t *uv)
{
	struct event_async *async = container_of(uv, struct event_async, uv);

	if (!uv_is_closing((uv_handle_t *)uv))
		async->cb(async->aux);
}

struct event_async *event_async_create(struct event_loop *loop, event_cb *cb, void *aux)
{
	struct event_async *async = xcalloc(1, sizeof(*async));

	async->cb = cb;
	async->aux = aux;
	event_check(uv_async_init(&loop->uv, &async->uv, on_async), "wake-up");
	return async;
}

void event_async_send(struct event_async *async)
{
	/* libuv first reads, without any order, whether a wake-up is pending. Were that read done before
	 * the caller's own writes are visible, CB might run just in between and not see them, and nobody
	 * would call it again. */
	atomic_thread_fence(memory_order_seq_cst);
	uv_async_send(&async->uv);
}

void event_async_destroy(struct event_async *async)
{
	if (async)
		uv_close((uv_handle_t *)&async->uv, event_free_handle);
}
