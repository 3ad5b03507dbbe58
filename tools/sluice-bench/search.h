/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Throughput as RFC 2544 section 26.1 has it: the highest offered rate that loses no more than a share,
 * found by halving (its "binary search"). Pure but for PROBE.
 */

#include <stdbool.h>

/* The loss at RATE, as a share; negative: it can't be measured. */
typedef double search_probe(double rate, void *aux);

/* The highest rate up to HIGH that loses at most LOSS, to a HIGH / 2^STEPS; 0 if there is none; negative: not
 * measured. */
double search_rate(double high, double loss, unsigned int steps, search_probe *probe, void *aux);
