/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/json_frame.h"

#include <errno.h>

void json_frame_init(struct json_frame *frame, size_t max_size, size_t max_values, unsigned int max_depth)
{
	*frame = (struct json_frame){
		.max_size = max_size, .max_values = max_values, .max_depth = max_depth};
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Follows C. 1: the text ends with it, 0: it goes on, or a negative errno. */
static int step(struct json_frame *frame, char c)
{
	if (frame->in_string) {
		if (frame->escaped)
			frame->escaped = false;
		else if (c == '\\')
			frame->escaped = true;
		else if (c == '"')
			frame->in_string = false;
		return (unsigned char)c < 0x20 ? -EBADMSG : 0;
	}
	switch (c) {
	case '"':
		frame->in_string = true;
		return 0;
	case '{':
	case '[':
		if (++frame->depth > frame->max_depth)
			return -E2BIG;
		return ++frame->values > frame->max_values ? -EMSGSIZE : 0;
	case ',':
	case ':':
		return ++frame->values > frame->max_values ? -EMSGSIZE : 0;
	case '}':
	case ']':
		return --frame->depth == 0;
	case '\0':
		return -EBADMSG;
	default:
		return 0;
	}
}

int json_frame_feed(
	struct json_frame *frame, const void *data, size_t len, size_t *consumed, size_t *skipped)
{
	const char *p = data;
	size_t i = 0;
	int ret = 0;

	if (!frame->depth) {
		frame->size = 0;
		frame->values = 0;
		while (i < len && is_space(p[i]))
			i++;
		if (i < len && p[i] != '{' && p[i] != '[')
			return -EBADMSG;
	}
	*skipped = i;
	while (i < len && !ret) {
		if (frame->size >= frame->max_size)
			return -EMSGSIZE;
		frame->size++;
		ret = step(frame, p[i++]);
	}
	*consumed = i;
	return ret;
}
