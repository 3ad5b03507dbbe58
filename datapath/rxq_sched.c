/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/rxq_sched.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/util.h"

/* ------------------------------------------------------------------ names and lists */

static const char *const names[] = {
	[RXQ_SCHED_CYCLES] = "cycles",
	[RXQ_SCHED_GROUP] = "group",
	[RXQ_SCHED_ROUNDROBIN] = "roundrobin",
};

int rxq_sched_how_from_name(const char *name, enum rxq_sched_how *how)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i])) {
			*how = (enum rxq_sched_how)i;
			return 0;
		}
	return -EINVAL;
}

const char *rxq_sched_how_name(enum rxq_sched_how how)
{
	return names[how];
}

/* Reads a number of at most 9 digits at *P. */
static bool take_number(const char **p, unsigned int *n)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	*n = (unsigned int)strtoul(*p, &end, 10);
	if (end - *p > 9)
		return false;
	*p = end;
	return true;
}

static void skip_spaces(const char **p)
{
	while (isspace((unsigned char)**p))
		++*p;
}

/* Next pair at *P; false at the end, or where there is none (then *P is not at the end). */
static bool take_pair(const char **p, unsigned int *qid, unsigned int *core)
{
	const char *q = *p;

	skip_spaces(&q);
	if (!take_number(&q, qid))
		return false;
	skip_spaces(&q);
	if (*q++ != ':')
		return false;
	skip_spaces(&q);
	if (!take_number(&q, core))
		return false;
	skip_spaces(&q);
	if (*q == ',')
		q++;
	else if (*q)
		return false;
	*p = q;
	return true;
}

bool rxq_sched_affinity_is_valid(const char *list)
{
	unsigned int qid, core;

	while (take_pair(&list, &qid, &core))
		continue;
	skip_spaces(&list);
	return !*list;
}

int rxq_sched_affinity(const char *list, unsigned int qid)
{
	unsigned int q, core;

	while (list && take_pair(&list, &q, &core))
		if (q == qid)
			return (int)core;
	return -1;
}

/* ------------------------------------------------------------------ assignment */

static void give(struct rxq_sched_queue *queue, struct rxq_sched_pmd *pmds, size_t i)
{
	queue->pmd = (int)i;
	pmds[i].cycles += queue->cycles;
	pmds[i].n_queues++;
}

static void pin(struct rxq_sched_queue *queue, struct rxq_sched_pmd *pmds, size_t n_pmds, bool isolate)
{
	for (size_t i = 0; i < n_pmds && queue->core >= 0; i++)
		if (pmds[i].core == queue->core) {
			give(queue, pmds, i);
			queue->is_pinned = true;
			pmds[i].isolated |= isolate;
			return;
		}
}

static bool may_have(const struct rxq_sched_pmd *pmd, int numa)
{
	return !pmd->isolated && (numa < 0 || pmd->numa == numa);
}

/* The node whose PMDs take QUEUE: its own, or any (-1) if there is none on its own. */
static int node_of(const struct rxq_sched_queue *queue, const struct rxq_sched_pmd *pmds, size_t n_pmds)
{
	for (size_t i = 0; i < n_pmds; i++)
		if (may_have(&pmds[i], queue->numa))
			return queue->numa;
	return -1;
}

static int least_loaded(const struct rxq_sched_pmd *pmds, size_t n_pmds, int numa)
{
	int best = -1;

	for (size_t i = 0; i < n_pmds; i++) {
		const struct rxq_sched_pmd *p = &pmds[i], *b = best < 0 ? NULL : &pmds[best];

		if (may_have(p, numa) && (!b || p->cycles < b->cycles ||
			(p->cycles == b->cycles && p->n_queues < b->n_queues)))
			best = (int)i;
	}
	return best;
}

int rxq_sched_one(const struct rxq_sched_queue *queue, const struct rxq_sched_pmd *pmds, size_t n_pmds)
{
	int numa = node_of(queue, pmds, n_pmds), best = -1;

	/* Nobody knows what it will take. */
	for (size_t i = 0; i < n_pmds; i++) {
		const struct rxq_sched_pmd *p = &pmds[i], *b = best < 0 ? NULL : &pmds[best];

		if (may_have(p, numa) && (!b || p->n_queues < b->n_queues ||
			(p->n_queues == b->n_queues && p->cycles < b->cycles)))
			best = (int)i;
	}
	return best;
}

/* A round over the PMDs of a node: forth, or forth and back. */
struct round {
	int numa;
	bool begun, back;
	size_t at;
};

static void step(struct round *round, size_t n_pmds, bool there_and_back)
{
	if (!round->begun) {
		round->begun = true;
		round->at = 0;
		return;
	}
	if (!there_and_back) {
		round->at = (round->at + 1) % n_pmds;
		return;
	}
	/* The last of a way is the first of the way back. */
	if (round->back ? round->at == 0 : round->at == n_pmds - 1) {
		round->back = !round->back;
		return;
	}
	round->at += round->back ? SIZE_MAX : 1;
	return;
}

static int next_of_round(struct round *round, const struct rxq_sched_pmd *pmds, size_t n_pmds,
	bool there_and_back)
{
	for (size_t tries = 0; n_pmds && tries < 2 * n_pmds + 1; tries++) {
		step(round, n_pmds, there_and_back);
		if (may_have(&pmds[round->at], round->numa))
			return (int)round->at;
	}
	return -1;
}

#define MAX_NODES 64

static struct round *round_of(struct round *rounds, size_t *n, int numa)
{
	for (size_t i = 0; i < *n; i++)
		if (rounds[i].numa == numa)
			return &rounds[i];
	if (*n == MAX_NODES)
		return &rounds[0];
	rounds[*n] = (struct round){.numa = numa};
	return &rounds[(*n)++];
}

static int compare_cycles(const void *a_, const void *b_)
{
	const struct rxq_sched_queue *a = *(struct rxq_sched_queue *const *)a_;
	const struct rxq_sched_queue *b = *(struct rxq_sched_queue *const *)b_;

	if (a->cycles != b->cycles)
		return a->cycles > b->cycles ? -1 : 1;
	return a < b ? -1 : a > b;
}

void rxq_sched(struct rxq_sched_queue *queues, size_t n, struct rxq_sched_pmd *pmds, size_t n_pmds,
	enum rxq_sched_how how, bool isolate)
{
	struct rxq_sched_queue **order = xcalloc(MAX(n, (size_t)1), sizeof *order);
	struct round rounds[MAX_NODES];
	size_t n_free = 0, n_rounds = 0;

	for (size_t i = 0; i < n_pmds; i++)
		pmds[i].isolated = false, pmds[i].cycles = 0, pmds[i].n_queues = 0;
	for (size_t i = 0; i < n; i++) {
		queues[i].pmd = -1;
		queues[i].is_pinned = false;
		pin(&queues[i], pmds, n_pmds, isolate);
		if (queues[i].pmd < 0)
			order[n_free++] = &queues[i];
	}
	if (how != RXQ_SCHED_ROUNDROBIN)
		qsort(order, n_free, sizeof *order, compare_cycles);
	for (size_t i = 0; i < n_free; i++) {
		int numa = node_of(order[i], pmds, n_pmds);
		int pmd = how == RXQ_SCHED_GROUP ? least_loaded(pmds, n_pmds, numa) :
			next_of_round(round_of(rounds, &n_rounds, numa), pmds, n_pmds,
				how == RXQ_SCHED_CYCLES);

		if (pmd >= 0)
			give(order[i], pmds, (size_t)pmd);
	}
	free(order);
}

double rxq_sched_variance(const struct rxq_sched_pmd *pmds, size_t n_pmds)
{
	double sum = 0, squares = 0, n = 0, mean;

	for (size_t i = 0; i < n_pmds; i++)
		if (!pmds[i].isolated) {
			sum += (double)pmds[i].cycles;
			n++;
		}
	mean = n > 0 ? sum / n : 0;
	for (size_t i = 0; i < n_pmds; i++)
		if (!pmds[i].isolated)
			squares += ((double)pmds[i].cycles - mean) * ((double)pmds[i].cycles - mean);
	return n > 0 ? squares / n : 0;
}
