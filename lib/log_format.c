/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/log_format.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAD 1024

void log_format_time(struct sbuf *sb, const char *format, int64_t wall_ms, bool utc)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	int millis = (int)(wall_ms % 1000);
	char text[256], digits[4] = {(char)('0' + millis / 100), (char)('0' + millis / 10 % 10),
				(char)('0' + millis % 10), '0'};
	struct tm tm;

	if (utc)
		gmtime_r(&seconds, &tm);
	else
		localtime_r(&seconds, &tm);
	if (!strftime(text, sizeof(text), format, &tm))
		return;
	for (char *p = text; (p = strchr(p, '#')) != NULL;)
		for (size_t i = 0; *p == '#'; p++, i++)
			*p = digits[MIN(i, (size_t)3)];
	sbuf_puts(sb, text);
}

/* Text in braces at P, or DEF; returns what follows. */
static const char *in_braces(const char *p, const char *def, char *out, size_t size)
{
	size_t n;

	if (*p != '{') {
		str_copy(out, def, size);
		return p;
	}
	n = strcspn(++p, "}");
	str_copy(out, p, MIN(n + 1, size));
	return p[n] ? p + n + 1 : p + n;
}

static const char *put_date(
	struct sbuf *sb, const char *p, const struct log_record *record, bool utc)
{
	char format[128];

	p = in_braces(p, "%Y-%m-%d %H:%M:%S.###", format, sizeof(format));
	log_format_time(sb, format, record->wall_ms, utc);
	return p;
}

static void put_host(struct sbuf *sb)
{
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	sbuf_puts(sb, host);
}

/* Expands the letter C; P is behind it. Returns what follows its arguments. */
static const char *put_escape(
	struct sbuf *sb, char c, const char *p, const struct log_record *record)
{
	char ignored[8];

	switch (c) {
	case 'A':
		sbuf_puts(sb, program_name());
		break;
	case 'B':
		sbuf_putf(sb, "%d", record->priority);
		break;
	case 'c':
		p = in_braces(p, "", ignored, sizeof(ignored));
		sbuf_puts(sb, record->module);
		break;
	case 'd':
		return put_date(sb, p, record, false);
	case 'D':
		return put_date(sb, p, record, true);
	case 'E':
		put_host(sb);
		break;
	case 'm':
		sbuf_puts(sb, record->message);
		break;
	case 'N':
		sbuf_putf(sb, "%u", record->number);
		break;
	case 'n':
		sbuf_putc(sb, '\n');
		break;
	case 'p':
		sbuf_puts(sb, log_level_name(record->level));
		break;
	case 'P':
		sbuf_putf(sb, "%ld", (long)getpid());
		break;
	case 'r':
		sbuf_putf(sb, "%lld", (long long)record->uptime_ms);
		break;
	case 't':
		sbuf_puts(sb, record->thread ? record->thread : "main");
		break;
	case 'T':
		if (record->thread)
			sbuf_putf(sb, "(%s)", record->thread);
		break;
	default:
		sbuf_putc(sb, c);
	}
	return p;
}

/* Makes what stands behind START at least WIDTH characters wide. */
static void pad(struct sbuf *sb, size_t start, size_t width, bool left)
{
	size_t used = sb->len - start, n;

	if (used >= width)
		return;
	n = width - used;
	sbuf_putc_n(sb, '0', n);
	if (!left) {
		memmove(sb->data + start + n, sb->data + start, used);
		memset(sb->data + start, '0', n);
	}
}

void log_format(struct sbuf *sb, const char *p, const struct log_record *record)
{
	while (*p) {
		size_t start = sb->len, width = 0;
		bool left = false;

		if (*p != '%') {
			sbuf_putc(sb, *p++);
			continue;
		}
		if (*++p == '-') {
			left = true;
			p++;
		}
		for (; *p >= '0' && *p <= '9'; p++)
			width = MIN(width * 10 + (size_t)(*p - '0'), (size_t)MAX_PAD);
		if (!*p)
			break;
		p = put_escape(sb, *p, p + 1, record);
		pad(sb, start, width, left);
	}
}
