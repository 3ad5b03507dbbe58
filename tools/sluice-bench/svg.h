/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Charts as SVG text: bars with whiskers in groups, and lines over time. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/sbuf.h"

#define SVG_SERIES 2

struct svg_bar {
	char label[64];
	struct {
		bool is_there;
		double value, min, max;
	} series[SVG_SERIES];
};

/* Horizontal bars, a group for each label; logarithmic if the values are that far apart. */
void svg_bars(struct sbuf *out, const char *title, const char *unit,
	const char *const names[SVG_SERIES], const struct svg_bar *bars, size_t n);

struct svg_point {
	double x, y;
};

struct svg_line {
	char label[64];
	const struct svg_point *points;
	size_t n;
};

/* X is a time in seconds since 1970. */
void svg_lines(struct sbuf *out, const char *title, const char *unit, const struct svg_line *lines,
	size_t n);
