/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of the event loop share: event.c has the loop's turn, with work, hooks and what is put
 * off; event_sources.c what the loop waits for.
 */

#include <uv.h>

#include "lib/event.h"
#include "lib/list.h"

struct event_loop {
	uv_loop_t uv;
	uv_idle_t idle;       /* active while work is pending */
	uv_prepare_t prepare; /* runs the hooks */
	uv_timer_t wake;      /* event_hook_wake_in(), and the timeout of event_run_once() */
	struct list work, pending_work, hooks, tails;
	bool in_work, in_hooks; /* walking the list */
	bool wake_wanted;
	uint64_t wake_ms;
	bool stop;
	bool served; /* a descriptor, since it last lingered */
	unsigned int linger_vain, linger_skip; /* turns to leave out after the next failure, and now */
	int64_t run_once_timeout; /* -1: none */
};

/* Ends the process with a line if ERR, from libuv while WHAT is made, is not 0. */
void event_check(int err, const char *what);
/* For uv_close(): HANDLE is the beginning of an allocation. */
void event_free_handle(uv_handle_t *handle);
