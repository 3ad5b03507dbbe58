/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What was measured, for people and for programs. */

#include <jansson.h>
#include <stdio.h>

#include "tools/sluice-bench/compare.h"
#include "tools/sluice-bench/options.h"

/* Machine and method, then the table's head. */
void report_begin(FILE *out, const struct options *options);
void report_row(FILE *out, const struct measure_result *result);
/* OURS against THEIRS, a line. */
void report_ratio(FILE *out, const struct measure_result *ours, const struct measure_result *theirs);

json_t *report_json_begin(const struct options *options);
void report_json_row(json_t *report, const struct measure_result *result);
/* What became of ROW's goal; it has one and a peer's result. */
void report_json_goal(json_t *report, const struct compare_row *row);
/* Writes and frees REPORT. 0 or -errno. */
int report_json_end(json_t *report, const char *file);
