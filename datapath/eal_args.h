/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The words that EAL is started with: the user's first, then those we add where the user said
 * nothing. One thread at a time.
 */

#include <stdbool.h>

#include "lib/util.h"

#define EAL_ARGS_MAX 64

struct eal_args {
	int argc;
	char *argv[EAL_ARGS_MAX + 1]; /* Ours; NULL at the end. */
};

void eal_args_init(struct eal_args *args);
void eal_args_uninit(struct eal_args *args);

/* Adds the words of EXTRA (NULL: none), separated by blanks, '...' and "..." quoting them. 0, or
 * -EINVAL with *ERROR (caller frees) for words that EAL would not survive. */
int eal_args_parse(struct eal_args *args, const char *extra, char **error);
void eal_args_add(struct eal_args *args, const char *word);
void eal_args_addf(struct eal_args *args, const char *format, ...) PRINTF_FORMAT(2, 3);

/* Option NAME is there: one letter (as "-m 64" or "-m64") or a long name. */
bool eal_args_has(const struct eal_args *args, const char *name);

/* All words in a line, to free(). */
char *eal_args_join(const struct eal_args *args);
