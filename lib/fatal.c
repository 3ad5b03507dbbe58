/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fatal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fatal(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("sluice: fatal: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

static void *check(void *p)
{
	if (!p)
		fatal("out of memory");
	return p;
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return n && size ? check(calloc(n, size)) : check(calloc(1, 1));
}

void *xrealloc(void *p, size_t size)
{
	return check(realloc(p, size ? size : 1));
}

void *xmemdup(const void *p, size_t size)
{
	void *copy = xmalloc(size);

	if (size)
		memcpy(copy, p, size);
	return copy;
}

char *xstrdup(const char *s)
{
	return check(strdup(s));
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	return s;
}

void *xaligned_calloc(size_t align, size_t size)
{
	void *p = check(aligned_alloc(align, (size + align - 1) & ~(align - 1)));

	memset(p, 0, size);
	return p;
}
