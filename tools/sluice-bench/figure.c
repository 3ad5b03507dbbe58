/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/figure.h"

#include <math.h>
#include <stdlib.h>

#include "lib/fatal.h"

const struct figure_info figure_infos[N_FIGURES] = {
	[FIGURE_MPPS] = {"mpps", NULL, 1, 1, "Mpps"},
	[FIGURE_CYCLES] = {"cycles", NULL, 1, 1, "cycles"},
	[FIGURE_IO] = {"io_cycles", NULL, 1, 1, "cycles"},
	[FIGURE_OVER] = {"over_io", NULL, 1, 1, "cycles"},
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
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
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
