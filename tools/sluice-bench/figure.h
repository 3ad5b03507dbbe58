/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is measured: figures, each once a trial, and their middle and spread. A figure that a trial does
 * not have is NAN. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

enum figure {
	FIGURE_MPPS,		/* Million packets carried per second of the PMD's CPU time. */
	FIGURE_CYCLES,		/* TSC cycles of it per packet carried. */
	FIGURE_IO,		/* ... of the bare loop. */
	FIGURE_OVER,		/* Cycles less those of the bare loop. */
	FIGURE_IO_RATIO,	/* Bare loop's cycles as a share of the switch's. */
	FIGURE_QUIET,		/* Cycles when nothing disturbs. */
	FIGURE_KEPT,		/* Rate as a share of the quiet rate. */
	FIGURE_ADDED,		/* Cycles added to the quiet ones, as a share of them. */
	FIGURE_LOSS,		/* Share of what was offered. */
	FIGURE_ATTACK_SERVED,	/* Share of the attack's packets that were carried, too. */
	FIGURE_PACED_LOSS,	/* Loss at half the rate. */
	FIGURE_PACED,		/* That rate, Mpps. */
	FIGURE_FIRST,		/* Mpps in the first second. */
	FIGURE_MODS,		/* Flow-mods per second. */
	FIGURE_MOD_CPU,		/* Microseconds of the daemon's CPU time, PMD left out, for each. */
	FIGURE_MEMORY,		/* Bytes for each rule. */
	FIGURE_FLOW_MEMORY,	/* Bytes of cache in use for each flow, when there are many. */
	FIGURE_TRIPS,		/* Round trips per second. */
	FIGURE_P50, FIGURE_P99,	/* Microseconds that one takes at most, of so many in a hundred. */
	FIGURE_NDR, FIGURE_PDR,	/* Highest offered Mpps without loss, with little loss. */
	FIGURE_LATENCY_P50, FIGURE_LATENCY_P99, FIGURE_LATENCY_P999,	/* Microseconds at half the NDR. */
	FIGURE_GAP,		/* Milliseconds without packets. */
	FIGURE_PORTS,		/* Ports added and removed per second. */
	N_FIGURES,
};

struct figure_info {
	const char *key;	/* In JSON. */
	const char *text;	/* In a line for people; NULL: has a column of its own. */
	double scale;		/* For people. */
	int digits;
	const char *unit;
};
extern const struct figure_info figure_infos[N_FIGURES];

/* Middle, smallest and largest. */
struct spread {
	double median, min, max;
};

/* Of the N numbers at VALUES that are there; false: none is. */
/* The smallest of the N numbers at VALUES (which it sorts) that SHARE (0 to 1) of them do not exceed; NAN
 * of none. */
double percentile_of(double *values, size_t n, double share);
bool spread_of(const double *values, size_t n, struct spread *spread);
