/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Typed growing arrays: VEC(struct foo) foos = VEC_INITIALIZER; vec_push(&foos, foo);
 * foos.items[0]. Pointers to items last until the next vec_push or vec_reserve. One thread at a
 * time.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"

#define VEC(TYPE)                                                                                  \
	struct {                                                                                   \
		TYPE *items;                                                                       \
		size_t n, cap;                                                                     \
	}

#define VEC_INITIALIZER                                                                            \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

static inline void *vec_grow_(void *items, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return items;
	*cap = *cap * 2 > need ? *cap * 2 : need < 4 ? 4 : need;
	if (*cap > (size_t)-1 / 2 / size)
		fatal("array too large");
	return xrealloc(items, *cap * size);
}

#define vec_init(V) ((V)->items = NULL, (V)->n = 0, (V)->cap = 0)
#define vec_uninit(V) (free((V)->items), vec_init(V))
#define vec_clear(V) ((V)->n = 0)

/* Room for NEED items in all. */
#define vec_reserve(V, NEED)                                                                       \
	((V)->items = vec_grow_((V)->items, &(V)->cap, (NEED), sizeof(*(V)->items)))

#define vec_push(V, ...)                                                                           \
	(vec_reserve(V, (V)->n + 1), (void)((V)->items[(V)->n] = (__VA_ARGS__)), (void)(V)->n++)

/* Adds an item of zero bytes and returns its address. */
#define vec_push_zero(V)                                                                           \
	(vec_reserve(V, (V)->n + 1),                                                               \
		(__typeof__((V)->items))memset(&(V)->items[(V)->n++], 0, sizeof(*(V)->items)))

/* Removes and returns the last item of a vector that isn't empty. */
#define vec_pop(V) ((V)->items[--(V)->n])

/* Removes item I; the last one takes its place. */
#define vec_remove_swap(V, I) ((V)->items[I] = (V)->items[(V)->n - 1], (void)(V)->n--)

/* Removes item I; those behind it move up. */
#define vec_remove(V, I)                                                                           \
	(memmove(&(V)->items[I], &(V)->items[(I) + 1], ((V)->n - (I)-1) * sizeof(*(V)->items)),    \
		(void)(V)->n--)

/* PTR, of the item's type, goes over all items. */
#define VEC_FOR_EACH(PTR, V) for (PTR = (V)->items; (V)->n && PTR < (V)->items + (V)->n; PTR++)
