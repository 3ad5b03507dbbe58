/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which PMD polls which receive queue: the rules of pmd-rxq-assign, pmd-rxq-isolate and pmd-rxq-affinity
 * in ovs-vswitchd.conf.db(5). Pure: who has queues and PMDs describes them, and gets an assignment.
 *
 * Words: `pinned`: a queue whose core its interface names (pmd-rxq-affinity). `isolated`: a PMD that
 * takes pinned queues only. `cycles`: what a queue took of late, whatever the unit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rxq_sched_how {
	RXQ_SCHED_CYCLES,	/* Busiest first, over the PMDs there and back again. */
	RXQ_SCHED_GROUP,	/* Busiest first, to the PMD that has least to do so far. */
	RXQ_SCHED_ROUNDROBIN,	/* In their order, over the PMDs. */
};

struct rxq_sched_queue {
	int numa;		/* Of the device; -1: any. */
	int core;		/* Pinned there; -1: not pinned. */
	uint64_t cycles;
	int pmd;		/* Out: index, or -1: nobody may poll it. */
	bool is_pinned;		/* Out: it is where it is pinned. */
};

struct rxq_sched_pmd {
	int core, numa;
	bool isolated;		/* Out. */
	uint64_t cycles;	/* Out: of its queues. */
	unsigned int n_queues;	/* Out. */
};

/* Assigns QUEUES[N] to PMDS[N_PMDS] anew. ISOLATE: PMDs with pinned queues get no others. A queue goes to
 * another NUMA node only if there is no PMD for it on its own. */
void rxq_sched(struct rxq_sched_queue *queues, size_t n, struct rxq_sched_pmd *pmds, size_t n_pmds,
	enum rxq_sched_how how, bool isolate);
/* The PMD for one more queue beside what PMDS (with isolated, cycles, n_queues) have; -1: none may. */
int rxq_sched_one(const struct rxq_sched_queue *queue, const struct rxq_sched_pmd *pmds, size_t n_pmds);
/* Variance of the cycles that the PMDs that are not isolated spend. */
double rxq_sched_variance(const struct rxq_sched_pmd *pmds, size_t n_pmds);

/* Core of queue QID in LIST (pmd-rxq-affinity: "queue:core,..."), or -1. */
int rxq_sched_affinity(const char *list, unsigned int qid);
/* True if LIST is such a list, or empty. */
bool rxq_sched_affinity_is_valid(const char *list);
/* 0, or -EINVAL for a name that is none. */
int rxq_sched_how_from_name(const char *name, enum rxq_sched_how *how);
const char *rxq_sched_how_name(enum rxq_sched_how how);
