/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/svg.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "lib/util.h"

#define WIDTH 960
#define LEFT 230
#define RIGHT 120
#define TOP 60
#define GROUP 40
#define BAR 14
#define PLOT_WIDTH (WIDTH - LEFT - RIGHT)
#define LINES_HEIGHT 420
#define FAR_APART 50		/* Largest over smallest value from which on the scale is logarithmic. */

static const char *const colours[] = {
	"#1b6ca8", "#d1793b", "#4a8f3c", "#8a4f9e", "#b23a48", "#5b6770", "#0f8b8d", "#a08000",
};

static void put_escaped(struct sbuf *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			sbuf_puts(out, "&lt;");
			break;
		case '>':
			sbuf_puts(out, "&gt;");
			break;
		case '&':
			sbuf_puts(out, "&amp;");
			break;
		case '"':
			sbuf_puts(out, "&quot;");
			break;
		default:
			sbuf_putc(out, *text);
		}
}

static void put_text(struct sbuf *out, double x, double y, const char *anchor, const char *text)
{
	sbuf_putf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	put_escaped(out, text);
	sbuf_puts(out, "</text>\n");
}

static void begin(struct sbuf *out, int height, const char *title, const char *unit)
{
	sbuf_putf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", WIDTH, height, WIDTH, height, WIDTH,
		height);
	sbuf_puts(out, "<g font-size=\"16\">");
	put_text(out, 12, 24, "start", title);
	sbuf_puts(out, "</g>\n");
	put_text(out, 12, 42, "start", unit);
}

static void put_legend(struct sbuf *out, double x, double y, const char *colour, const char *name)
{
	sbuf_putf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", x, y - 9,
		colour);
	put_text(out, x + 14, y, "start", name);
}

/* A scale from the values: where a value lies, from 0 to 1. */
struct scale {
	bool is_log;
	double min, max;
};

static void scale_add(struct scale *scale, double value)
{
	if (!(value > 0))
		return;
	if (!(scale->min > 0) || value < scale->min)
		scale->min = value;
	if (value > scale->max)
		scale->max = value;
}

static void scale_end(struct scale *scale)
{
	if (!(scale->max > 0))
		scale->min = scale->max = 1;
	scale->is_log = scale->max / scale->min > FAR_APART;
	if (scale->is_log)
		scale->min = pow(10, floor(log10(scale->min * 0.999)));
	else
		scale->min = 0;
}

static double scale_at(const struct scale *scale, double value)
{
	double at;

	if (scale->is_log)
		at = value > scale->min ? log(value / scale->min) / log(scale->max / scale->min) : 0;
	else
		at = value / scale->max;
	return at < 0 ? 0 : at > 1 ? 1 : at;
}

/* ------------------------------------------------------------------ bars */

static void put_bar(struct sbuf *out, const struct scale *scale, const struct svg_bar *bar, int s,
	double y)
{
	double x = LEFT + PLOT_WIDTH * scale_at(scale, bar->series[s].value);
	double low = LEFT + PLOT_WIDTH * scale_at(scale, bar->series[s].min);
	double high = LEFT + PLOT_WIDTH * scale_at(scale, bar->series[s].max);
	char text[48];

	sbuf_putf(out, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", LEFT, y,
		x - LEFT, BAR, colours[s]);
	sbuf_putf(out, "<path d=\"M%.1f %.1fH%.1fM%.1f %.1fv6M%.1f %.1fv6\" stroke=\"black\"/>\n", low,
		y + BAR / 2.0, high, low, y + BAR / 2.0 - 3, high, y + BAR / 2.0 - 3);
	snprintf(text, sizeof text, "%.4g", bar->series[s].value);
	put_text(out, MAX(x, high) + 5, y + BAR - 3, "start", text);
}

void svg_bars(struct sbuf *out, const char *title, const char *unit,
	const char *const names[SVG_SERIES], const struct svg_bar *bars, size_t n)
{
	struct scale scale = {0};

	for (size_t i = 0; i < n; i++)
		for (int s = 0; s < SVG_SERIES; s++)
			if (bars[i].series[s].is_there) {
				scale_add(&scale, bars[i].series[s].value);
				scale_add(&scale, bars[i].series[s].max);
			}
	scale_end(&scale);
	begin(out, TOP + (int)n * GROUP + 10, title, unit);
	for (int s = 0; s < SVG_SERIES; s++)
		if (names[s])
			put_legend(out, LEFT + s * 180, 42, colours[s], names[s]);
	if (scale.is_log)
		put_text(out, WIDTH - 12, 42, "end", "logarithmic");
	for (size_t i = 0; i < n; i++) {
		double y = TOP + (double)i * GROUP;

		put_text(out, LEFT - 8, y + BAR + 4, "end", bars[i].label);
		for (int s = 0; s < SVG_SERIES; s++)
			if (bars[i].series[s].is_there)
				put_bar(out, &scale, &bars[i], s, y + s * (BAR + 2));
	}
	sbuf_puts(out, "</svg>\n");
}

/* ------------------------------------------------------------------ lines */

static void put_day(struct sbuf *out, double x, const char *anchor, double seconds)
{
	time_t when = (time_t)seconds;
	char text[32];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	put_text(out, x, TOP + LINES_HEIGHT + 18, anchor, text);
}

void svg_lines(struct sbuf *out, const char *title, const char *unit, const struct svg_line *lines,
	size_t n)
{
	double first = INFINITY, last = -INFINITY, top = 0;
	char text[32];

	for (size_t l = 0; l < n; l++)
		for (size_t i = 0; i < lines[l].n; i++) {
			first = fmin(first, lines[l].points[i].x);
			last = fmax(last, lines[l].points[i].x);
			top = fmax(top, lines[l].points[i].y);
		}
	if (!(last >= first))
		first = last = 0;
	if (!(last > first))
		last = first + 1;
	if (!(top > 0))
		top = 1;
	begin(out, TOP + LINES_HEIGHT + 40 + (int)DIV_ROUND_UP(n, 3) * 18, title, unit);
	for (int grid = 0; grid <= 4; grid++) {
		double y = TOP + LINES_HEIGHT - LINES_HEIGHT * grid / 4.0;

		sbuf_putf(out, "<path d=\"M60 %.1fH%d\" stroke=\"#ddd\"/>\n", y, WIDTH - 20);
		snprintf(text, sizeof text, "%.3g", top * grid / 4);
		put_text(out, 54, y + 4, "end", text);
	}
	put_day(out, 60, "start", first);
	put_day(out, WIDTH - 20, "end", last);
	for (size_t l = 0; l < n; l++) {
		const char *colour = colours[l % ARRAY_SIZE(colours)];

		sbuf_putf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"", colour);
		for (size_t i = 0; i < lines[l].n; i++)
			sbuf_putf(out, "%s%.1f,%.1f", i ? " " : "",
				60 + (WIDTH - 80) * (lines[l].points[i].x - first) / (last - first),
				TOP + LINES_HEIGHT - LINES_HEIGHT * lines[l].points[i].y / top);
		sbuf_puts(out, "\"/>\n");
		put_legend(out, 60 + (double)(l % 3) * 300, TOP + LINES_HEIGHT + 40 + (double)(l / 3) * 18,
			colour, lines[l].label);
	}
	sbuf_puts(out, "</svg>\n");
}
