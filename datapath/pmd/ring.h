/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bounded ring of fixed-size records between two threads: one puts, one gets. No lock, no system
 * call, no allocation but in init. A full ring refuses; it never overwrites.
 *
 * A record is written or read in place: ring_put_begin() gives its memory (NULL: full), ring_put_end()
 * publishes it; ring_get_begin() gives the oldest (NULL: empty), ring_get_end() gives it back.
 */

#include <stdatomic.h>

#include "lib/fatal.h"
#include "lib/util.h"

struct ring {
	_Alignas(64) _Atomic uint32_t head;	/* Next to write; the producer's. */
	uint32_t seen_tail;			/* The producer's last look at tail. */
	_Alignas(64) _Atomic uint32_t tail;	/* Next to read; the consumer's. */
	uint32_t seen_head;
	_Alignas(64) uint32_t mask;
	uint32_t size;				/* Bytes of a record. */
	uint8_t *records;
};

/* Room for N records (a power of 2) of SIZE bytes. */
static inline void ring_init(struct ring *ring, uint32_t n, uint32_t size)
{
	*ring = (struct ring){.mask = n - 1, .size = size};
	ring->records = xaligned_calloc(64, (size_t)n * size);
}

static inline void ring_uninit(struct ring *ring)
{
	free(ring->records);
}

static inline void *ring_record(const struct ring *ring, uint32_t i)
{
	return ring->records + (size_t)(i & ring->mask) * ring->size;
}

/* Producer. */
static inline void *ring_put_begin(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (unlikely(head - ring->seen_tail > ring->mask)) {
		ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (head - ring->seen_tail > ring->mask)
			return NULL;
	}
	return ring_record(ring, head);
}

static inline void ring_put_end(struct ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

/* Consumer. */
static inline void *ring_get_begin(struct ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (tail == ring->seen_head) {
		ring->seen_head = atomic_load_explicit(&ring->head, memory_order_acquire);
		if (tail == ring->seen_head)
			return NULL;
	}
	return ring_record(ring, tail);
}

static inline void ring_get_end(struct ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

/* Either side, as a hint for the other's records. */
static inline uint32_t ring_count(const struct ring *ring)
{
	return atomic_load_explicit(&ring->head, memory_order_acquire) -
		atomic_load_explicit(&ring->tail, memory_order_acquire);
}
