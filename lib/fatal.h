/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The end of the line: out of memory, or a broken invariant of our own. Never reached from wire
 * input. Any thread.
 */

#include <stddef.h>

/* Prints a line to stderr and aborts. */
_Noreturn void fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* malloc family that never returns NULL (size 0 gives a unique pointer). Free with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xmemdup(const void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory aligned to ALIGN (a power of 2) bytes, zeroed. Free with free(). */
void *xaligned_calloc(size_t align, size_t size);
