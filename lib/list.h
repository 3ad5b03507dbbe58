/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Intrusive doubly linked list, circular, with a struct list as head and as element. The list owns
 * nothing. One thread at a time.
 *
 * After a LIST_FOR_EACH that ran to its end, VAR is NULL. VAR must be a plain variable name.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/util.h"

struct list {
	struct list *prev, *next;
};

/* Static initializer: struct list l = LIST_INITIALIZER(&l); */
#define LIST_INITIALIZER(LIST)                                                                     \
	{                                                                                          \
		(LIST), (LIST)                                                                     \
	}

static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Inserts ELEM just before BEFORE (an element, or the head: then at the end). */
static inline void list_insert(struct list *before, struct list *elem)
{
	elem->prev = before->prev;
	elem->next = before;
	before->prev->next = elem;
	before->prev = elem;
}

static inline void list_push_back(struct list *list, struct list *elem)
{
	list_insert(list, elem);
}

static inline void list_push_front(struct list *list, struct list *elem)
{
	list_insert(list->next, elem);
}

/* Takes ELEM out of its list and leaves it an empty list of its own, so a second call is harmless.
 * Returns what followed it. */
static inline struct list *list_remove(struct list *elem)
{
	struct list *next = elem->next;

	elem->prev->next = next;
	next->prev = elem->prev;
	list_init(elem);
	return next;
}

/* First and last element, NULL if there is none. */
static inline struct list *list_front(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->next;
}

static inline struct list *list_back(const struct list *list)
{
	return list_is_empty(list) ? NULL : list->prev;
}

/* Removes and returns the first or last element, NULL if there is none. */
static inline struct list *list_pop_front(struct list *list)
{
	struct list *elem = list_front(list);

	if (elem)
		list_remove(elem);
	return elem;
}

static inline struct list *list_pop_back(struct list *list)
{
	struct list *elem = list_back(list);

	if (elem)
		list_remove(elem);
	return elem;
}

/* Moves all elements of SRC to the end of DST. */
static inline void list_append_all(struct list *dst, struct list *src)
{
	if (list_is_empty(src))
		return;
	src->next->prev = dst->prev;
	dst->prev->next = src->next;
	src->prev->next = dst;
	dst->prev = src->prev;
	list_init(src);
}

/* Number of elements; walks them. */
static inline size_t list_size(const struct list *list)
{
	size_t n = 0;

	for (const struct list *e = list->next; e != list; e = e->next)
		n++;
	return n;
}

/* The struct around ELEM, as list_front() and list_pop_front() return it; NULL for NULL. */
#define LIST_TO(ELEM, TYPE, MEMBER)                                                                \
	({                                                                                         \
		struct list *list_to_ = (ELEM);                                                    \
		list_to_ ? container_of(list_to_, TYPE, MEMBER) : NULL;                            \
	})

/* (it != head, and VAR is its struct), else VAR is NULL. */
#define LIST_AT_(IT, HEAD, VAR, MEMBER)                                                            \
	((IT) != (HEAD) ? ((VAR) = container_of(IT, __typeof__(*(VAR)), MEMBER), true)             \
			: ((VAR) = NULL, false))

/* The body must not remove VAR. */
#define LIST_FOR_EACH(VAR, MEMBER, LIST)                                                           \
	for (struct list *VAR##_it_ = (LIST)->next; LIST_AT_(VAR##_it_, LIST, VAR, MEMBER);        \
		VAR##_it_ = VAR##_it_->next)

#define LIST_FOR_EACH_REVERSE(VAR, MEMBER, LIST)                                                   \
	for (struct list *VAR##_it_ = (LIST)->prev; LIST_AT_(VAR##_it_, LIST, VAR, MEMBER);        \
		VAR##_it_ = VAR##_it_->prev)

/* The body may remove and free VAR (and no other element). */
#define LIST_FOR_EACH_SAFE(VAR, MEMBER, LIST)                                                      \
	for (struct list *VAR##_it_ = (LIST)->next, *VAR##_next_ = VAR##_it_->next;                \
		LIST_AT_(VAR##_it_, LIST, VAR, MEMBER);                                            \
		VAR##_it_ = VAR##_next_, VAR##_next_ = VAR##_it_->next)

/* Takes each element out before the body, which may free it and change the list as it likes. */
#define LIST_FOR_EACH_POP(VAR, MEMBER, LIST)                                                       \
	for (struct list * VAR##_it_;                                                              \
		(VAR##_it_ = list_pop_front(LIST)) != NULL                                         \
			? ((VAR) = container_of(VAR##_it_, __typeof__(*(VAR)), MEMBER), true)      \
			: ((VAR) = NULL, false);)
