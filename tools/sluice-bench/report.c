/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "lib/util.h"
#include "tools/sluice-bench/machine.h"

#define INDENT 44

static void size_text(uint16_t size, char text[8])
{
	if (size)
		snprintf(text, 8, "%u", size);
	else
		str_copy(text, "imix", 8);
}

/* ------------------------------------------------------------------ table */

void report_begin(FILE *out, const struct options *o)
{
	char model[128];
	struct utsname u;

	machine_cpu(model, sizeof model);
	uname(&u);
	fprintf(out, "sluice-bench %s, %s\n", SLUICE_VERSION, dp_dpdk_version());
	fprintf(out, "machine: %s, %ld CPUs%s, %.0f MHz TSC, Linux %s\n", model,
		sysconf(_SC_NPROCESSORS_ONLN), machine_is_virtual() ? " (virtual)" : "",
		machine_tsc_mhz(), u.release);
	fprintf(out,
		"method: one PMD thread; net_pcap replays frames for ever, net_null frees them. Cycles are "
		"TSC cycles of the\nthread's CPU time per packet; `io` is the bare loop over the same "
		"devices, generator included, run before\neach trial. Medians of %u trials of %u ms, "
		"[smallest, largest]. Every packet counted at the far side.\n",
		o->measure.trials, o->measure.ms);
	for (unsigned int i = 0; i < o->measure.target.n_ovs_configs; i++)
		fprintf(out, "peer: other_config:%s\n", o->measure.target.ovs_configs[i]);
	fputc('\n', out);
	fprintf(out, "%-20s %8s %5s  %-7s %-22s %-22s %6s  %-22s %7s\n", "scenario", "flows", "size",
		"switch", "Mpps", "cycles/packet", "io", "over io", "io rate");
}

static void put_spread(FILE *out, const struct measure_result *r, enum figure what)
{
	struct spread s;
	char text[64] = "-";

	if (measure_spread(r, what, &s))
		snprintf(text, sizeof text, "%.1f [%.1f, %.1f]", s.median, s.min, s.max);
	fprintf(out, " %-22s", text);
}

static void put_io(FILE *out, const struct measure_result *r)
{
	struct spread s;

	if (measure_spread(r, FIGURE_IO, &s))
		fprintf(out, " %6.1f ", s.median);
	else
		fprintf(out, " %6s ", "-");
	put_spread(out, r, FIGURE_OVER);
	if (measure_spread(r, FIGURE_IO_RATIO, &s))
		fprintf(out, " %6.1f%%\n", s.median * 100);
	else
		fprintf(out, " %7s\n", "-");
}

/* A peer that drops carries less than it receives. */
static void put_loss(FILE *out, const struct measure_result *r)
{
	uint64_t received = 0, sent = 0;

	for (unsigned int i = 0; i < r->n_trials; i++) {
		received += r->readings[i].received;
		sent += r->readings[i].sent;
	}
	if (r->n_trials && !isnan(r->figures[FIGURE_LOSS][0]))
		return;
	if (received > sent && (received - sent) * 50 > received)
		fprintf(out, "%-*s dropped %.0f %% of what it received\n", INDENT, "",
			100.0 * (double)(received - sent) / (double)received);
}

/* What has no column of its own. */
static void put_others(FILE *out, const struct measure_result *r)
{
	int column = 0;

	for (int f = 0; f < N_FIGURES; f++) {
		const struct figure_info *info = &figure_infos[f];
		struct spread s;
		char text[128];

		if (!info->text || !measure_spread(r, (enum figure)f, &s))
			continue;
		snprintf(text, sizeof text, "%s %.*f [%.*f, %.*f]%s", info->text, info->digits,
			s.median * info->scale, info->digits, s.min * info->scale, info->digits,
			s.max * info->scale, info->unit);
		if (column && column + strlen(text) > INDENT + 90) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%*s%s%s", column ? 0 : INDENT + 1, "", column ? "; " : "", text);
	}
	if (column)
		fputc('\n', out);
}

void report_row(FILE *out, const struct measure_result *r)
{
	char size[8], name[64], flows[24] = "-";

	size_text(r->frame_size, size);
	snprintf(name, sizeof name, "%s%s%s", r->scenario, r->variant[0] ? ":" : "", r->variant);
	if (r->n_flows)
		snprintf(flows, sizeof flows, "%llu", (unsigned long long)r->n_flows);
	fprintf(out, "%-20s %8s %5s  %-7s", name, flows, size,
		strcmp(r->subject, "sluice") ? "peer" : r->subject);
	if (r->error[0]) {
		fprintf(out, " not measured: %s\n", r->error);
		fflush(out);
		return;
	}
	put_spread(out, r, FIGURE_MPPS);
	put_spread(out, r, FIGURE_CYCLES);
	put_io(out, r);
	put_others(out, r);
	put_loss(out, r);
	if (!r->hugepages && measure_median(r, FIGURE_MPPS) > 0)
		fprintf(out, "%-*s no hugepages: packet memory costs too much for a ratio to mean "
			"anything\n", INDENT, "");
	if (r->fault[0])
		fprintf(out, "%-*s WRONG: %s\n", INDENT, "", r->fault);
	fflush(out);
}

static bool put_times(FILE *out, bool is_first, const struct measure_result *ours,
	const struct measure_result *theirs, enum figure what, bool less_is_better, const char *text)
{
	double a = measure_median(ours, what), b = measure_median(theirs, what);

	if (!(a > 0) || !(b > 0))
		return false;
	if (is_first)
		fprintf(out, "%-*s", INDENT, "");
	fprintf(out, "%s %.2f times the %s", is_first ? "" : ",", less_is_better ? b / a : a / b, text);
	return true;
}

void report_ratio(FILE *out, const struct measure_result *ours, const struct measure_result *theirs)
{
	static const struct {
		enum figure what;
		bool less_is_better;
		const char *text;
	} ratios[] = {
		{FIGURE_MPPS, false, "packet rate"},
		{FIGURE_FIRST, false, "packets of the first second"},
		{FIGURE_MODS, false, "rules a second"},
		{FIGURE_MOD_CPU, true, "rules a second of CPU time"},
		{FIGURE_TRIPS, false, "round trips"},
		{FIGURE_NDR, false, "NDR"},
		{FIGURE_GAP, true, "quickness"},
		{FIGURE_PORTS, false, "port changes"},
	};
	bool any = false;

	if (ours->error[0] || theirs->error[0] || ours->fault[0] || !ours->hugepages)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ratios); i++)
		any |= put_times(out, !any, ours, theirs, ratios[i].what, ratios[i].less_is_better,
			ratios[i].text);
	if (any)
		fprintf(out, " of %s\n", theirs->subject);
	fflush(out);
}

/* ------------------------------------------------------------------ JSON */

json_t *report_json_begin(const struct options *o)
{
	char model[128], when[32];
	time_t now = time(NULL);
	struct utsname u;

	machine_cpu(model, sizeof model);
	uname(&u);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:b, s:f, s:s}, s:i, s:i, s:[]}", "version",
		SLUICE_VERSION, "dpdk", dp_dpdk_version(), "time", when, "machine", "cpu", model, "cpus",
		(int)sysconf(_SC_NPROCESSORS_ONLN), "virtual", machine_is_virtual(), "tsc_mhz",
		machine_tsc_mhz(), "kernel", u.release, "trials", (int)o->measure.trials,
		"trial_ms", (int)o->measure.ms, "results");
}

static json_t *spread_json(const struct spread *s)
{
	return json_pack("{s:f, s:f, s:f}", "median", s->median, "min", s->min, "max", s->max);
}

static json_t *trial_json(const struct measure_result *r, unsigned int i)
{
	const struct target_reading *n = &r->readings[i];
	json_t *trial = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "offered",
		(json_int_t)(n->received + n->missed), "received", (json_int_t)n->received, "sent",
		(json_int_t)n->sent, "exact_hits", (json_int_t)n->exact_hits, "mega_hits",
		(json_int_t)n->mega_hits, "misses", (json_int_t)n->misses, "lost",
		(json_int_t)n->lost, "cpu_share",
		n->wall_ns ? (double)n->cpu_ns / (double)n->wall_ns : 0.0);

	for (int f = 0; f < N_FIGURES; f++)
		if (!isnan(r->figures[f][i]))
			json_object_set_new(trial, figure_infos[f].key, json_real(r->figures[f][i]));
	return trial;
}

void report_json_row(json_t *report, const struct measure_result *r)
{
	json_t *row, *trials = json_array();
	char size[8];

	size_text(r->frame_size, size);
	for (unsigned int i = 0; i < r->n_trials; i++)
		json_array_append_new(trials, trial_json(r, i));
	row = json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:b, s:o}", "switch", r->subject, "scenario",
		r->scenario, "variant", r->variant, "flows", (json_int_t)r->n_flows, "size", size,
		"frames", (json_int_t)r->n_frames, "hugepages", r->hugepages, "trials", trials);
	if (r->error[0])
		json_object_set_new(row, "error", json_string(r->error));
	if (r->fault[0])
		json_object_set_new(row, "fault", json_string(r->fault));
	for (int f = 0; f < N_FIGURES; f++) {
		struct spread s;

		if (measure_spread(r, (enum figure)f, &s))
			json_object_set_new(row, figure_infos[f].key, spread_json(&s));
	}
	json_array_append_new(json_object_get(report, "results"), row);
}

void report_json_goal(json_t *report, const struct compare_row *row)
{
	json_t *goal = json_pack("{s:s, s:s, s:I, s:s, s:f, s:f, s:f, s:s, s:s}", "scenario",
		row->goal->scenario, "variant", row->goal->variant, "flows",
		(json_int_t)row->goal->n_flows, "figure", figure_infos[row->goal->figure].key, "limit",
		row->goal->limit, "ratio_wanted", row->goal->ratio, "ratio",
		goal_ratio(row->goal, &row->ours, &row->theirs), "own",
		goal_verdict_text(goal_own(row->goal, &row->ours)), "versus",
		goal_verdict_text(goal_versus(row->goal, &row->ours, &row->theirs)));

	if (!json_object_get(report, "goals"))
		json_object_set_new(report, "goals", json_array());
	json_array_append_new(json_object_get(report, "goals"), goal);
}

int report_json_end(json_t *report, const char *file)
{
	int err = 0;

	if (!strcmp(file, "-")) {
		json_dumpf(report, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		putchar('\n');
	} else if (json_dump_file(report, file, JSON_INDENT(1) | JSON_REAL_PRECISION(6))) {
		err = errno ? -errno : -EIO;
	}
	json_decref(report);
	return err;
}
