/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds where JSON texts end in a stream of bytes, without parsing or storing them: it only follows
 * strings, escapes and nesting. Each text must be an object or an array; white space between texts
 * is skipped. Pure; one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_frame {
	size_t max_size; /* bytes of one text */
	size_t size;     /* bytes of the current text seen so far */
	size_t max_values; /* of one text; each costs its reader memory, whatever its size here */
	size_t values;
	unsigned int max_depth, depth;
	bool in_string, escaped;
};

void json_frame_init(struct json_frame *frame, size_t max_size, size_t max_values, unsigned int max_depth);

/* Looks at LEN bytes that follow those seen before; *CONSUMED is how many it took. Returns 1 if
 * a text ends with the last of them (its size is frame->size, and *SKIPPED bytes of white space
 * were in front of it in this call; the next call begins a new one), 0 if more bytes are needed
 * (all LEN were taken), -EBADMSG if this can't be JSON, -EMSGSIZE if it is too long or has too many values, -E2BIG if
 * it is nested too deeply. */
int json_frame_feed(
	struct json_frame *frame, const void *data, size_t len, size_t *consumed, size_t *skipped);
