/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/compare.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/vec.h"
#include "tools/sluice-bench/svg.h"

static void label_of(const struct measure_result *r, char *text, size_t size)
{
	char flows[24] = "";

	if (r->n_flows)
		snprintf(flows, sizeof flows, ", %llu", (unsigned long long)r->n_flows);
	snprintf(text, size, "%s%s%s%s", r->scenario, r->variant[0] ? ":" : "", r->variant, flows);
}

/* ------------------------------------------------------------------ table */

static void put_figure(char *text, size_t size, enum figure what, const struct spread *s)
{
	const struct figure_info *info = &figure_infos[what];

	snprintf(text, size, "%.*f%s [%.*f, %.*f]", info->digits, s->median * info->scale, info->unit,
		info->digits, s->min * info->scale, info->digits, s->max * info->scale);
}

void compare_texts(const struct compare_row *row, char *own, char *versus, size_t size)
{
	enum goal_verdict a = goal_own(row->goal, &row->ours);
	enum goal_verdict b = goal_versus(row->goal, &row->ours, &row->theirs);

	snprintf(own, size, "%s", goal_verdict_text(a));
	snprintf(versus, size, "%s", row->has_theirs ? goal_verdict_text(b) : "");
}

static void put_row(FILE *out, const struct compare_row *row, unsigned int *n_missed)
{
	const struct goal *goal = row->goal;
	const struct figure_info *info = &figure_infos[goal->figure];
	char label[64], limit[32] = "", figure[64] = "-", ratio[32] = "-", wanted[32] = "", own[16],
		versus[16];
	struct spread s;
	double times = goal_ratio(goal, &row->ours, &row->theirs);

	label_of(&row->ours, label, sizeof label);
	compare_texts(row, own, versus, sizeof own);
	if (goal->limit > 0)
		snprintf(limit, sizeof limit, "%s %.*f", goal->at_least ? ">=" : "<=",
			goal->limit < 1e-6 ? 0 : info->digits > 1 ? 0 : info->digits,
			goal->limit * info->scale);
	if (measure_spread(&row->ours, goal->figure, &s))
		put_figure(figure, sizeof figure, goal->figure, &s);
	if (times > 0)
		snprintf(ratio, sizeof ratio, "%.2fx", times);
	if (goal->ratio > 0)
		snprintf(wanted, sizeof wanted, ">= %.1fx", goal->ratio);
	fprintf(out, "%-26s %-9s %-44s %-7s %-9s %9s %s\n", label, limit, figure, own, wanted, ratio,
		versus);
	if (row->ours.error[0] || row->ours.fault[0])
		fprintf(out, "  sluice: %s\n", row->ours.error[0] ? row->ours.error : row->ours.fault);
	if (row->has_theirs && row->theirs.error[0])
		fprintf(out, "  peer: %s\n", row->theirs.error);
	*n_missed += !strcmp(own, "missed");
	*n_missed += !strcmp(versus, "missed");
}

void compare_table(FILE *out, const struct compare_row *rows, size_t n, unsigned int *n_missed)
{
	fprintf(out, "\n%-26s %-9s %-44s %-7s %-9s %9s\n", "row", "goal", "sluice, median [min, max]", "",
		"goal", "peer");
	*n_missed = 0;
	for (size_t i = 0; i < n; i++)
		if (rows[i].goal)
			put_row(out, &rows[i], n_missed);
	fflush(out);
}

/* ------------------------------------------------------------------ plots */

static void set_series(struct svg_bar *bar, int s, const struct measure_result *r)
{
	struct spread spread;

	if (r->error[0] || !measure_spread(r, FIGURE_CYCLES, &spread))
		return;
	bar->series[s].is_there = true;
	bar->series[s].value = spread.median;
	bar->series[s].min = spread.min;
	bar->series[s].max = spread.max;
}

static int write_text(struct sbuf *s, const char *file)
{
	FILE *out = strcmp(file, "-") ? fopen(file, "we") : stdout;
	int err = 0;

	if (!out)
		return -errno;
	fputs(sbuf_cstr(s), out);
	if (out == stdout ? fflush(out) : fclose(out))
		err = -EIO;
	return err;
}

int compare_plot(const struct compare_row *rows, size_t n, const char *file)
{
	const char *names[SVG_SERIES] = {"sluice", NULL};
	struct svg_bar *bars = xcalloc(n, sizeof *bars);
	struct sbuf s = SBUF_INITIALIZER;
	size_t n_bars = 0;
	int err;

	for (size_t i = 0; i < n; i++) {
		struct svg_bar *bar = &bars[n_bars];

		label_of(&rows[i].ours, bar->label, sizeof bar->label);
		set_series(bar, 0, &rows[i].ours);
		if (rows[i].has_theirs) {
			set_series(bar, 1, &rows[i].theirs);
			names[1] = rows[i].theirs.subject;
		}
		n_bars += bar->series[0].is_there || bar->series[1].is_there;
	}
	svg_bars(&s, "sluice-bench", "TSC cycles per packet, median and spread; less is better", names, bars,
		n_bars);
	err = write_text(&s, file);
	sbuf_uninit(&s);
	free(bars);
	return err;
}

/* ------------------------------------------------------------------ history */

struct history_line {
	char label[64];
	VEC(struct svg_point) points;
};

struct history {
	VEC(struct history_line) lines;
};

static struct history_line *history_get(struct history *history, const char *label)
{
	struct history_line *line;

	VEC_FOR_EACH (line, &history->lines)
		if (!strcmp(line->label, label))
			return line;
	line = vec_push_zero(&history->lines);
	str_copy(line->label, label, sizeof line->label);
	return line;
}

/* A line of the file: {"time": ..., "rows": [{"scenario", "flows", "io_cycles", "over_io"}, ...]}. */
static void history_take(struct history *history, json_t *run)
{
	double when = json_number_value(json_object_get(run, "time"));
	json_t *row;
	size_t i;

	if (!run || !json_is_true(json_object_get(run, "hugepages")))
		return;
	json_array_foreach(json_object_get(run, "rows"), i, row) {
		const char *scenario = json_string_value(json_object_get(row, "scenario"));
		double io = json_number_value(json_object_get(json_object_get(row, "io_cycles"), "median"));
		double over = json_number_value(json_object_get(json_object_get(row, "over_io"), "median"));
		struct history_line *line;

		if (!scenario || !(io > 0))
			continue;
		line = history_get(history, scenario);
		vec_push(&line->points, (struct svg_point){when, over / io});
	}
}

int compare_plot_history(const char *file, char **error)
{
	struct history history = {0};
	struct history_line *line;
	VEC(struct svg_line) lines = VEC_INITIALIZER;
	struct sbuf s = SBUF_INITIALIZER;
	FILE *in = fopen(file, "re");
	unsigned int number = 0;
	char *text = NULL;
	size_t room = 0;
	int err = 0;

	if (!in) {
		err = -errno;
		*error = xasprintf("%s: %s", file, strerror(-err));
		return err;
	}
	while (!err && getline(&text, &room, in) >= 0) {
		json_error_t wrong;
		json_t *run = json_loads(text, 0, &wrong);

		number++;
		if (!run) {
			*error = xasprintf("%s:%u: %s", file, number, wrong.text);
			err = -EINVAL;
		}
		history_take(&history, run);
		json_decref(run);
	}
	free(text);
	fclose(in);
	VEC_FOR_EACH (line, &history.lines) {
		struct svg_line plotted = {.points = line->points.items, .n = line->points.n};

		str_copy(plotted.label, line->label, sizeof plotted.label);
		vec_push(&lines, plotted);
	}
	if (!err) {
		svg_lines(&s, "Cost over the bare loop", "in units of the bare loop of the same run; less is better",
			lines.items, lines.n);
		err = write_text(&s, "-");
	}
	VEC_FOR_EACH (line, &history.lines)
		vec_uninit(&line->points);
	vec_uninit(&history.lines);
	vec_uninit(&lines);
	sbuf_uninit(&s);
	return err;
}
