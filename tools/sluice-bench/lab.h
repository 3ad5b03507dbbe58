/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sluice under test, inside this process, on its stage (stage.h): set up from a conf (conf.h)
 * through the model and the reconciler, as sluiced does it. One a process, since EAL starts once.
 *
 * While held, the PMD threads receive nothing; a lab begins held. Everything returns 0, or -errno with
 * one line in *ERROR (caller frees).
 */

#include "tools/sluice-bench/conf.h"

struct lab_config {
	int core;		/* Of the PMD; -1: the last. */
	uint64_t max_frames;	/* In a source's file; more flows are made by rewriting. */
	bool no_caches;
	bool ordinary_memory;	/* Not even if there are hugepages. */
};

int lab_start(struct conf *conf, const struct lab_config *config, char **error);
void lab_stop(void);

/* Lets packets through or stops them; returns once every PMD has stopped or when it may have begun. */
void lab_hold(bool hold);
/* Runs the control thread for MS milliseconds. */
void lab_run(unsigned int ms);

/* The bare loop in the switch's place; held. */
int lab_io(unsigned int ms, struct bench_work *work);

struct lab_counts {
	uint64_t received;	/* By devices from the generator. */
	uint64_t sent;		/* By devices. */
};
/* The drivers' counts. */
void lab_counts(struct lab_counts *counts);

/* Packets that the switch dropped, by reason, as text; for messages. Caller frees. */
char *lab_drops(void);

/* dpctl/dump-flows and dpif-netdev/pmd-stats-show, on stderr. */
void lab_show_paths(void);

/* Source I of the conf, NULL past the last. */
struct bench_source *lab_source(size_t i);
bool lab_has_hugepages(void);
