/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The last table of --all: goal, figure, verdict of each row. And the plot of all results.
 */

#include <stdio.h>

#include "tools/sluice-bench/goal.h"

struct compare_row {
	const struct goal *goal;	/* NULL: measured without one. */
	struct measure_result ours, theirs;
	bool has_theirs;
};

/* Rows met and missed are counted in *N_MISSED. */
void compare_table(FILE *out, const struct compare_row *rows, size_t n, unsigned int *n_missed);
/* For the JSON report of ROW, which has a goal. */
void compare_texts(const struct compare_row *row, char *own, char *versus, size_t size);

/* Writes a plot of cycles per packet. 0 or -errno. */
int compare_plot(const struct compare_row *rows, size_t n, const char *file);
/* The history that tests/perf/guard writes, as an SVG on stdout. 0, or -errno with a line in *ERROR. */
int compare_plot_history(const char *file, char **error);
