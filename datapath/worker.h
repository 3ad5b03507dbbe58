/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The worker: one thread that makes the calls that block (open, close and configure devices) and looks
 * after the devices that are open: by news of the kernel, and once a second. Control posts jobs, which
 * are done in order, and takes results. Kernel devices are closed by a few threads more, since each
 * takes long: the result of WORKER_CLOSE may come after those of later jobs.
 */

#include <sched.h>

#include "datapath/port/port.h"
#include "lib/list.h"

struct eal_config;
struct event_async;
struct exact;
struct pmd;
struct worker;

enum worker_job_type {
	WORKER_START,		/* eal -> err, error. Starts DPDK: before the first WORKER_OPEN. */
	WORKER_OPEN,		/* spec, n_txq -> err, port, info, error. */
	WORKER_CLOSE,		/* port. */
	WORKER_SET_ADMIN,	/* port, admin_up. */
	WORKER_SET_MTU,		/* port, mtu. */
	WORKER_SET_MAC,		/* port, mac. */
	WORKER_POPULATE,	/* pmd, exact and mask, or memory and size: makes pages present. When there
				 * is nothing else to do. */
	WORKER_CHANGED,		/* Result only: port, info. */
	WORKER_GONE,		/* Result only: port. */
};

struct worker_job {
	struct list node;
	enum worker_job_type type;
	dp_port_t dp_port;
	struct port *port;
	struct eal_config *eal;	/* The job's, with its strings. */
	/* For WORKER_OPEN. name and type point to these, options are the job's. */
	struct dp_port_spec spec;
	char name[16], port_type[16];
	uint16_t n_txq;
	bool admin_up;
	uint32_t mtu;
	struct eth_addr mac;
	struct pmd *pmd;
	unsigned int step;	/* The worker's. */
	struct exact *exact;
	uint32_t mask;
	void *memory;
	size_t size;
	/* Results. */
	int err;
	struct dp_port_info info;
	char error[256];
};

/* ASYNC is sent when there are results. */
int worker_create(struct event_async *async, struct worker **worker);
/* Does what was posted before, then ends. */
void worker_destroy(struct worker *worker);
/* Its threads run on CORES from now on. */
void worker_run_on(struct worker *worker, const cpu_set_t *cores);

/* CONFIG is copied. */
struct worker_job *worker_job_create_start(const struct eal_config *config);
struct worker_job *worker_job_create(enum worker_job_type type, dp_port_t dp_port, struct port *port);
void worker_job_destroy(struct worker_job *job);
/* Copies SPEC into JOB. */
void worker_job_set_spec(struct worker_job *job, const struct dp_port_spec *spec);
/* Takes JOB over; it comes back from worker_next(), done. */
void worker_post(struct worker *worker, struct worker_job *job);
/* Next result, the caller's to destroy; NULL: none. */
struct worker_job *worker_next(struct worker *worker);
