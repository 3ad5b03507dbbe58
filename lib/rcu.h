/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Read-copy-update, one instance for the process.
 *
 * The writer is the control thread; it needs no registration. It publishes with rcu_set(), takes
 * old memory out of reach, and hands it to rcu_defer(): its destructor runs in a later
 * rcu_reclaim(), once every reader has passed a quiescent state. Destructors run in the control
 * thread and may defer again.
 *
 * A reader registers itself, reads with rcu_get(), holds no pointer across rcu_quiescent(), and
 * goes offline before it sleeps or blocks: a grace period waits for every reader that is online.
 *
 * Works without EAL. With no reader registered everything deferred is reclaimed by the next
 * rcu_reclaim(); then rcu_init() is not even needed.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A pointer that is published: RCU(struct foo *) foo; */
#define RCU(TYPE) _Atomic(TYPE)

/* PTR is the address of the published pointer: p = rcu_get(&x->foo); rcu_set(&x->foo, p); */
#define rcu_get(PTR) atomic_load_explicit((PTR), memory_order_acquire)
#define rcu_set(PTR, VALUE) atomic_store_explicit((PTR), (VALUE), memory_order_release)

/* For the writer (which reads its own stores) and for memory nobody sees yet. */
#define rcu_get_protected(PTR) atomic_load_explicit((PTR), memory_order_relaxed)
#define rcu_set_hidden(PTR, VALUE) atomic_store_explicit((PTR), (VALUE), memory_order_relaxed)

/* Room for MAX_THREADS readers at a time. Control thread, before the first reader; without it
 * there is room for 128. -EEXIST if a reader is registered already. */
int rcu_init(unsigned int max_threads);

/* Makes the calling thread a reader, online. Returns its id, or -ENOSPC. */
int rcu_register(void);

/* By the reader itself; ID can't be used afterwards. */
void rcu_unregister(int id);

/* By the reader itself. Offline, it must not read. */
void rcu_online(int id);
void rcu_offline(int id);

/* The reader holds nothing it read before. Cheap: once per burst. */
void rcu_quiescent(int id);

/* Calls DESTRUCTOR(PTR) after a grace period. Control thread only, as all that follow. */
void rcu_defer(void (*destructor)(void *ptr), void *ptr);

/* rcu_defer(free, ptr). */
void rcu_defer_free(void *ptr);

/* Runs what has waited long enough; never blocks. Returns how many destructors ran. */
size_t rcu_reclaim(void);

/* Blocks until all that was deferred before has run, and with it what the destructors deferred. */
void rcu_synchronize(void);
