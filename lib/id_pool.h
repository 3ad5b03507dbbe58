/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hands out numbers from a range, always the lowest that is free. Memory grows with the highest
 * number in use. One thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

struct id_pool;

/* Numbers BASE .. BASE + N - 1. */
struct id_pool *id_pool_create(uint32_t base, uint32_t n);
void id_pool_destroy(struct id_pool *pool);

/* Takes the lowest free number. -ENOSPC if all are taken. */
int id_pool_alloc(struct id_pool *pool, uint32_t *id);

/* Gives ID back; numbers that aren't taken are ignored. */
void id_pool_free(struct id_pool *pool, uint32_t id);

bool id_pool_is_taken(const struct id_pool *pool, uint32_t id);
