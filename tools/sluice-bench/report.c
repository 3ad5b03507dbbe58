/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/report.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "lib/util.h"

/* ------------------------------------------------------------------ the machine */

static void cpu_model(char *model, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	str_copy(model, "unknown processor", size);
	while (file && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');

		if (!str_starts_with(line, "model name") || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		str_copy(model, colon + 2, size);
		break;
	}
	if (file)
		fclose(file);
}

/* Counted over a few milliseconds, since EAL has not started here. */
static double tsc_mhz(void)
{
	struct timespec a, b, pause = {.tv_nsec = 20 * 1000 * 1000};
	uint64_t begin, end;

	clock_gettime(CLOCK_MONOTONIC, &a);
	begin = __builtin_ia32_rdtsc();
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	end = __builtin_ia32_rdtsc();
	return (double)(end - begin) * 1e3 /
		((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec));
}

static bool is_virtual(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = str_starts_with(line, "flags") && strstr(line, " hypervisor");
	if (file)
		fclose(file);
	return found;
}

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

	cpu_model(model, sizeof model);
	uname(&u);
	fprintf(out, "sluice-bench %s, %s\n", SLUICE_VERSION, dp_dpdk_version());
	fprintf(out, "machine: %s, %ld CPUs%s, %.0f MHz TSC, Linux %s\n", model,
		sysconf(_SC_NPROCESSORS_ONLN), is_virtual() ? " (virtual)" : "",
		tsc_mhz(), u.release);
	fprintf(out,
		"method: one PMD thread; net_pcap replays frames for ever, net_null frees them. Cycles are "
		"TSC cycles of the\nthread's CPU time per packet; `io` is the bare loop over the same "
		"devices, generator included, run before\neach trial. Medians of %u trials of %u ms, "
		"[smallest, largest]. Every packet counted at the far side.\n\n",
		o->measure.trials, o->measure.ms);
	fprintf(out, "%-14s %8s %5s  %-22s %-22s %6s  %-22s %7s\n", "scenario", "flows", "size",
		"Mpps", "cycles/packet", "io", "over io", "io rate");
}

static void put_spread(FILE *out, struct measure_spread s)
{
	char text[64];

	snprintf(text, sizeof text, "%.1f [%.1f, %.1f]", s.median, s.min, s.max);
	fprintf(out, " %-22s", text);
}

void report_row(FILE *out, const struct measure_result *r)
{
	char size[8];

	size_text(r->frame_size, size);
	fprintf(out, "%-14s %8llu %5s ", r->scenario, (unsigned long long)r->n_flows, size);
	if (r->error[0]) {
		fprintf(out, " not measured: %s\n", r->error);
		return;
	}
	put_spread(out, measure_spread(r, MEASURE_MPPS));
	put_spread(out, measure_spread(r, MEASURE_CYCLES));
	fprintf(out, " %6.1f ", measure_spread(r, MEASURE_IO).median);
	put_spread(out, measure_spread(r, MEASURE_OVER));
	if (r->hugepages)
		fprintf(out, " %6.1f%%\n", measure_spread(r, MEASURE_RATIO).median * 100);
	else
		fprintf(out, " %7s\n", "-");
	if (!r->hugepages)
		fprintf(out, "%-29s no hugepages: packet memory costs too much for a ratio to mean "
			"anything\n", "");
	if (r->fault[0])
		fprintf(out, "%-29s WRONG: %s\n", "", r->fault);
	fflush(out);
}

/* ------------------------------------------------------------------ JSON */

json_t *report_json_begin(const struct options *o)
{
	char model[128], when[32];
	time_t now = time(NULL);
	struct utsname u;

	cpu_model(model, sizeof model);
	uname(&u);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:b, s:f, s:s}, s:i, s:i, s:[]}", "version",
		SLUICE_VERSION, "dpdk", dp_dpdk_version(), "time", when, "machine", "cpu", model, "cpus",
		(int)sysconf(_SC_NPROCESSORS_ONLN), "virtual", is_virtual(), "tsc_mhz",
		tsc_mhz(), "kernel", u.release, "trials", (int)o->measure.trials,
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
	row = json_pack("{s:s, s:s, s:I, s:s, s:I, s:b, s:o}", "switch", "sluice", "scenario",
		r->scenario, "flows", (json_int_t)r->n_flows, "size", size, "frames",
		(json_int_t)r->n_frames, "hugepages", r->hugepages, "trials", trials);
	if (r->error[0])
		json_object_set_new(row, "error", json_string(r->error));
	if (r->fault[0])
		json_object_set_new(row, "fault", json_string(r->fault));
	if (r->n_trials) {
		json_object_set_new(row, "mpps", spread_json(measure_spread(r, MEASURE_MPPS)));
		json_object_set_new(row, "cycles", spread_json(measure_spread(r, MEASURE_CYCLES)));
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
