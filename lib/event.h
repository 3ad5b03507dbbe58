/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Event loop of the control thread: file descriptors, timers, signals, sliced work, wake-ups from
 * other threads, and hooks that run once per turn. All callbacks run in the thread of event_run(),
 * one at a time, and never from inside a call that registers them. Everything may be removed at any
 * time, also in its own callback and in that of others; after removal its callback is not called
 * any more.
 *
 * A turn: timers that are due, one slice of each pending work, the hooks, what was put off until
 * after them, then wait for and serve file descriptors and wake-ups. While work is pending, or a hook
 * asked for it, the turn doesn't wait. After serving a descriptor it looks for more for some
 * microseconds before it sleeps, as long as that proves worth while.
 *
 * Only event_async_send() may be called by other threads (and signal handlers). Creating a loop
 * makes the process ignore SIGPIPE.
 */

#include <stdbool.h>
#include <stdint.h>

struct event_loop;
struct event_fd;
struct event_timer;
struct event_work;
struct event_signal;
struct event_async;
struct event_hook;
struct event_tail;
struct uv_loop_s;

struct event_loop *event_loop_create(void);

/* Removes whatever is still registered. Not from inside a callback. */
void event_loop_destroy(struct event_loop *loop);

/* Runs until event_stop(). */
void event_run(struct event_loop *loop);

/* One turn; waits for at most TIMEOUT_MS (-1: as long as it takes). For tests and for start-up. */
void event_run_once(struct event_loop *loop, int timeout_ms);

/* event_run() returns at the end of this turn; the next event_run() at once, if none is running. */
void event_stop(struct event_loop *loop);

/* File descriptors. The loop doesn't own FD, sets it nonblocking, and must be told with
 * event_fd_remove() before it is closed. EVENT_ERROR comes without being asked for (the next
 * read or write will give the error) and ends the watching until event_fd_modify(). One watcher
 * a descriptor. */
enum {
	EVENT_READ = 1 << 0,
	EVENT_WRITE = 1 << 1,
	EVENT_ERROR = 1 << 2
};

typedef void event_fd_cb(int fd, unsigned int events, void *aux);

/* 0, or the negative errno of epoll_ctl(2): -EPERM for a file that can't be waited for. */
int event_fd_add(struct event_loop *loop, int fd, unsigned int events, event_fd_cb *cb, void *aux,
	struct event_fd **efdp);

/* EVENTS may be 0: nothing is reported until the next change. */
void event_fd_modify(struct event_fd *efd, unsigned int events);
void event_fd_remove(struct event_fd *efd); /* NULL is fine, as in all the calls that remove */

/* Timers, in milliseconds of monotonic time. */
typedef void event_cb(void *aux);

struct event_timer *event_timer_create(struct event_loop *loop, event_cb *cb, void *aux);

/* (Re)starts: fires after DELAY_MS, then every REPEAT_MS (0: only once). */
void event_timer_start(struct event_timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void event_timer_stop(struct event_timer *timer);
bool event_timer_is_active(const struct event_timer *timer);
void event_timer_destroy(struct event_timer *timer);

/* Work too long for one callback: CB does about a millisecond of it and returns true while more
 * remains. The loop serves everything else between slices. Within CB it is not pending; it
 * becomes so again if CB starts it or returns true (unless CB stopped it). */
typedef bool event_work_cb(void *aux);

struct event_work *event_work_create(struct event_loop *loop, event_work_cb *cb, void *aux);

/* Marks it pending; harmless if it is already. */
void event_work_start(struct event_work *work);
void event_work_stop(struct event_work *work);
bool event_work_is_pending(const struct event_work *work);
void event_work_destroy(struct event_work *work);

/* Signals; CB runs in the loop, not in the signal handler. */
typedef void event_signal_cb(int signum, void *aux);

/* 0, or -EINVAL for a signal that can't be caught. */
int event_signal_add(struct event_loop *loop, int signum, event_signal_cb *cb, void *aux,
	struct event_signal **sigp);
void event_signal_remove(struct event_signal *sig);

/* Wake-ups: any number of event_async_send() before CB runs make one call. */
struct event_async *event_async_create(struct event_loop *loop, event_cb *cb, void *aux);
void event_async_send(struct event_async *async);
void event_async_destroy(struct event_async *async);

/* Hooks, run once per turn in the order of their creation. */
struct event_hook *event_hook_add(struct event_loop *loop, event_cb *cb, void *aux);
void event_hook_remove(struct event_hook *hook);

/* From a hook: this turn waits no longer than MS (0: not at all). The smallest request counts. */
void event_hook_wake_in(struct event_loop *loop, uint64_t ms);

/* What is put off until the end of a turn, so that many reasons for it make one call: CB runs once after
 * the hooks, however often it was started. It must not change what a hook has looked at (it may start
 * work). */
struct event_tail *event_tail_create(struct event_loop *loop, event_cb *cb, void *aux);
void event_tail_start(struct event_tail *tail);
void event_tail_stop(struct event_tail *tail);
void event_tail_destroy(struct event_tail *tail);

/* The libuv loop underneath, for lib/ only. */
struct uv_loop_s *event_loop_uv(struct event_loop *loop);
