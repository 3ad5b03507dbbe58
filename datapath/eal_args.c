/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/eal_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/sbuf.h"

/* Short options of EAL that take a value, in the same word or the next. */
static const char valued[] = "abcdlmnrs";

void eal_args_init(struct eal_args *args)
{
	memset(args, 0, sizeof *args);
	eal_args_add(args, "sluiced");
}

void eal_args_uninit(struct eal_args *args)
{
	for (int i = 0; i < args->argc; i++)
		free(args->argv[i]);
	args->argc = 0;
}

void eal_args_add(struct eal_args *args, const char *word)
{
	if (args->argc >= EAL_ARGS_MAX)
		return;
	args->argv[args->argc++] = xstrdup(word);
	args->argv[args->argc] = NULL;
}

void eal_args_addf(struct eal_args *args, const char *format, ...)
{
	char word[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(word, sizeof word, format, ap);
	va_end(ap);
	eal_args_add(args, word);
}

/* Length of "--name" up to '='; getopt takes any beginning of a name that is unique. */
static bool long_option_is(const char *word, const char *name, size_t at_least)
{
	size_t len = strcspn(word + 2, "=");

	return len >= at_least && len <= strlen(name) && !strncmp(word + 2, name, len);
}

/* NULL, or why WORD can't be let through. */
static const char *refusal(const char *word)
{
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-') {
		if (!word[2])
			return "it ends the options";
		if (long_option_is(word, "help", 2) || long_option_is(word, "version", 2))
			return "it prints and exits";
		if (long_option_is(word, "proc-type", 1))
			return "there are no secondary processes";
		return NULL;
	}
	for (const char *p = word + 1; *p; p++) {
		if (*p == 'h' || *p == 'v')
			return "it prints and exits";
		if (strchr(valued, *p))
			break;
	}
	return NULL;
}

/* Takes a word off *P into WORD. False at the end; *ERROR is set if a quote is left open. */
static bool next_word(const char **p, struct sbuf *word, char **error)
{
	const char *s = *p;
	char quote = 0;

	sbuf_clear(word);
	while (isspace((unsigned char)*s))
		s++;
	if (!*s)
		return false;
	for (; *s && (quote || !isspace((unsigned char)*s)); s++) {
		if (quote ? *s == quote : *s == '\'' || *s == '"')
			quote = quote ? 0 : *s;
		else
			sbuf_putc(word, *s);
	}
	*p = s;
	if (quote) {
		*error = xasprintf("dpdk-extra: quote %c is not closed", quote);
		return false;
	}
	return true;
}

int eal_args_parse(struct eal_args *args, const char *extra, char **error)
{
	struct sbuf word = SBUF_INITIALIZER;
	char *line = NULL;
	bool is_value = false;

	while (extra && next_word(&extra, &word, &line)) {
		const char *text = sbuf_cstr(&word);
		const char *why = is_value ? NULL : refusal(text);

		if (why) {
			line = xasprintf("dpdk-extra: \"%s\" is not allowed: %s", text, why);
			break;
		}
		/* Ours need a dozen places too. */
		if (args->argc >= EAL_ARGS_MAX - 16) {
			line = xasprintf("dpdk-extra: more than %d words", EAL_ARGS_MAX - 17);
			break;
		}
		is_value = !is_value && text[0] == '-' && text[1] && strchr(valued, text[1]) &&
			   !text[2];
		eal_args_add(args, text);
	}
	sbuf_uninit(&word);
	if (!line)
		return 0;
	*error = line;
	return -EINVAL;
}

bool eal_args_has(const struct eal_args *args, const char *name)
{
	for (int i = 1; i < args->argc; i++) {
		const char *word = args->argv[i];

		if (word[0] != '-')
			continue;
		if (!name[1] ? word[1] == name[0]
			     : word[1] == '-' && word[2] &&
					long_option_is(word, name, strlen(name)))
			return true;
	}
	return false;
}

char *eal_args_join(const struct eal_args *args)
{
	struct sbuf s = SBUF_INITIALIZER;

	for (int i = 0; i < args->argc; i++)
		sbuf_putf(&s, "%s%s", i ? " " : "", args->argv[i]);
	return sbuf_steal(&s);
}
