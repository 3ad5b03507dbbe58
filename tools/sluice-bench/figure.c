/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/figure.h"

#include <math.h>
#include <stdlib.h>

#include "lib/fatal.h"

const struct figure_info figure_infos[N_FIGURES] = {
	[FIGURE_MPPS] = {"mpps", NULL, 1, 1, "Mpps"},
	[FIGURE_CYCLES] = {"cycles", NULL, 1, 1, " cycles"},
	[FIGURE_IO] = {"io_cycles", NULL, 1, 1, " cycles"},
	[FIGURE_OVER] = {"over_io", NULL, 1, 1, " cycles"},
	[FIGURE_IO_RATIO] = {"io_ratio", NULL, 100, 1, "%"},
	[FIGURE_QUIET] = {"quiet_cycles", "quiet", 1, 1, " cycles"},
	[FIGURE_KEPT] = {"kept", "kept", 100, 1, " % of the quiet rate"},
	[FIGURE_ADDED] = {"added", "over quiet", 100, 1, " %"},
	[FIGURE_LOSS] = {"loss", "lost", 100, 3, " %"},
	[FIGURE_ATTACK_SERVED] = {"attack_served", "of the attack carried", 100, 1, " %"},
	[FIGURE_PACED] = {"paced_mpps", "half the rate", 1, 2, " Mpps"},
	[FIGURE_PACED_LOSS] = {"paced_loss", "lost at it", 100, 4, " %"},
	[FIGURE_FIRST] = {"first_second_mpps", "first second", 1, 3, " Mpps"},
	[FIGURE_MODS] = {"mods_per_s", "flow-mods", 1e-3, 1, " k/s"},
	[FIGURE_MOD_CPU] = {"mod_cpu_us", "CPU", 1, 2, " us each"},
	[FIGURE_MEMORY] = {"bytes_per_rule", "memory", 1, 0, " bytes a rule"},
	[FIGURE_FLOW_MEMORY] = {"bytes_per_flow", "cache", 1, 0, " bytes a flow"},
	[FIGURE_TRIPS] = {"round_trips_per_s", "round trips", 1e-3, 1, " k/s"},
	[FIGURE_P50] = {"p50_us", "p50", 1, 1, " us"},
	[FIGURE_P99] = {"p99_us", "p99", 1, 1, " us"},
	[FIGURE_NDR] = {"ndr_mpps", "NDR", 1, 2, " Mpps"},
	[FIGURE_PDR] = {"pdr_mpps", "PDR", 1, 2, " Mpps"},
	[FIGURE_LATENCY_P50] = {"latency_p50_us", "latency at half the NDR p50", 1, 1, " us"},
	[FIGURE_LATENCY_P99] = {"latency_p99_us", "p99", 1, 1, " us"},
	[FIGURE_LATENCY_P999] = {"latency_p999_us", "p99.9", 1, 1, " us"},
	[FIGURE_PORTS] = {"ports_per_s", "ports that come or go", 1, 0, "/s"},
	[FIGURE_GAP] = {"gap_ms", "no packets for", 1, 0, " ms"},
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double percentile_of(double *values, size_t n, double share)
{
	double rank = ceil(share * (double)n);
	size_t i = rank > 1 ? (size_t)rank - 1 : 0;

	if (!n)
		return NAN;
	qsort(values, n, sizeof *values, compare);
	return values[i < n ? i : n - 1];
}

bool spread_of(const double *values, size_t n, struct spread *spread)
{
	double *sorted = xcalloc(n, sizeof *sorted);
	size_t have = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i]))
			sorted[have++] = values[i];
	qsort(sorted, have, sizeof *sorted, compare);
	if (have)
		*spread = (struct spread){
			.median = have % 2 ? sorted[have / 2] :
					     (sorted[have / 2 - 1] + sorted[have / 2]) / 2,
			.min = sorted[0],
			.max = sorted[have - 1],
		};
	free(sorted);
	return have > 0;
}
