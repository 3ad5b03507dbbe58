/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/report.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "lib/util.h"
#include "tools/sluice-bench/machine.h"

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
		"[smallest, largest]. Every packet counted at the far side.\n\n",
		o->measure.trials, o->measure.ms);
	fprintf(out, "%-14s %8s %5s  %-7s %-22s %-22s %6s  %-22s %7s\n", "scenario", "flows", "size",
		"switch", "Mpps", "cycles/packet", "io", "over io", "io rate");
}

static void put_spread(FILE *out, struct measure_spread s)
{
	char text[64];

	snprintf(text, sizeof text, "%.1f [%.1f, %.1f]", s.median, s.min, s.max);
	fprintf(out, " %-22s", text);
}

static void put_io(FILE *out, const struct measure_result *r)
{
	fprintf(out, " %6.1f ", measure_spread(r, MEASURE_IO).median);
	put_spread(out, measure_spread(r, MEASURE_OVER));
	if (r->hugepages)
		fprintf(out, " %6.1f%%\n", measure_spread(r, MEASURE_RATIO).median * 100);
	else
		fprintf(out, " %7s\n%-38s no hugepages: packet memory costs too much for a ratio to mean "
			"anything\n", "-", "");
}

/* A peer that drops carries less than it receives. */
static void put_loss(FILE *out, const struct measure_result *r)
{
	uint64_t received = 0, lost = 0;

	for (unsigned int i = 0; i < r->n_trials; i++) {
		received += r->trials[i].received;
		lost += r->trials[i].lost;
	}
	if (lost * 50 > received)
		fprintf(out, "  (dropped %.0f %% of what it received)",
			100.0 * (double)lost / (double)received);
	fputc('\n', out);
}

void report_row(FILE *out, const struct measure_result *r)
{
	char size[8];

	size_text(r->frame_size, size);
	fprintf(out, "%-14s %8llu %5s  %-7s", r->scenario, (unsigned long long)r->n_flows, size,
		strcmp(r->subject, "sluice") ? "peer" : r->subject);
	if (r->error[0]) {
		fprintf(out, " not measured: %s\n", r->error);
		return;
	}
	put_spread(out, measure_spread(r, MEASURE_MPPS));
	put_spread(out, measure_spread(r, MEASURE_CYCLES));
	if (r->trials[0].io_cycles > 0)
		put_io(out, r);
	else
		put_loss(out, r);
	if (r->fault[0])
		fprintf(out, "%-38s WRONG: %s\n", "", r->fault);
	fflush(out);
}

void report_ratio(FILE *out, const struct measure_result *ours, const struct measure_result *theirs)
{
	double a = measure_spread(ours, MEASURE_MPPS).median;
	double b = measure_spread(theirs, MEASURE_MPPS).median;

	if (ours->error[0] || theirs->error[0] || ours->fault[0] || !ours->hugepages || !(b > 0))
		return;
	fprintf(out, "%-38s %.2f times the packet rate of %s\n", "", a / b, theirs->subject);
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

static json_t *spread_json(struct measure_spread s)
{
	return json_pack("{s:f, s:f, s:f}", "median", s.median, "min", s.min, "max", s.max);
}

static json_t *trial_json(const struct measure_trial *t)
{
	return json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "mpps", t->mpps,
		"cycles", t->cycles, "io_cycles", t->io_cycles, "offered", (json_int_t)t->received,
		"expected", (json_int_t)t->expected, "sent", (json_int_t)t->sent, "exact_hits",
		(json_int_t)t->exact_hits, "mega_hits", (json_int_t)t->mega_hits, "misses",
		(json_int_t)t->misses, "lost", (json_int_t)t->lost, "cpu_share", t->cpu_share);
}

void report_json_row(json_t *report, const struct measure_result *r)
{
	json_t *row, *trials = json_array();
	char size[8];

	size_text(r->frame_size, size);
	for (unsigned int i = 0; i < r->n_trials; i++)
		json_array_append_new(trials, trial_json(&r->trials[i]));
	row = json_pack("{s:s, s:s, s:I, s:s, s:I, s:b, s:o}", "switch", r->subject, "scenario",
		r->scenario, "flows", (json_int_t)r->n_flows, "size", size, "frames",
		(json_int_t)r->n_frames, "hugepages", r->hugepages, "trials", trials);
	if (r->error[0])
		json_object_set_new(row, "error", json_string(r->error));
	if (r->fault[0])
		json_object_set_new(row, "fault", json_string(r->fault));
	if (r->n_trials) {
		json_object_set_new(row, "mpps", spread_json(measure_spread(r, MEASURE_MPPS)));
		json_object_set_new(row, "cycles", spread_json(measure_spread(r, MEASURE_CYCLES)));
	}
	if (r->n_trials && r->trials[0].io_cycles > 0) {
		json_object_set_new(row, "io_cycles", spread_json(measure_spread(r, MEASURE_IO)));
		json_object_set_new(row, "over_io", spread_json(measure_spread(r, MEASURE_OVER)));
		if (r->hugepages)
			json_object_set_new(row, "io_ratio",
				spread_json(measure_spread(r, MEASURE_RATIO)));
	}
	json_array_append_new(json_object_get(report, "results"), row);
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
