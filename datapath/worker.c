/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/cache/memory.h"
#include "datapath/eal.h"
#include "datapath/pmd/pmd.h"
#include "datapath/port/link_monitor.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/smap.h"
#include "lib/util.h"

#define LOOK_EVERY_MS 1000
/* Closing a tap or packet socket waits for the kernel's grace periods, 16 ms and more; several can wait at once. */
#define N_CLOSERS 8
#define CLOSER_STACK (128 * 1024)

/* An open device, as the worker last saw it. */
struct worker_port {
	struct list node;
	struct port *port;
	struct dp_port_info info;
	bool gone;
};

struct worker {
	pthread_t thread;
	struct event_async *async;
	int wake_fd;
	pthread_mutex_t mutex;	/* Guards jobs, results and stop. */
	struct list jobs, results;
	struct list background;	/* Jobs for when there are no others. */
	struct list closings;	/* WORKER_CLOSE of kernel devices, for the closers. */
	pthread_cond_t closing;	/* Something in `closings`, or stop_closers. */
	bool stop, stop_closers;

	pthread_t closers[N_CLOSERS];
	unsigned int n_closers;

	/* The thread's. */
	struct link_monitor *monitor;
	struct list ports;
	int64_t looked_ms;
};

/* ------------------------------------------------------------------ jobs */

struct worker_job *worker_job_create(enum worker_job_type type, dp_port_t dp_port, struct port *port)
{
	struct worker_job *job = xcalloc(1, sizeof *job);

	job->type = type;
	job->dp_port = dp_port;
	job->port = port;
	return job;
}

void worker_job_set_spec(struct worker_job *job, const struct dp_port_spec *spec)
{
	struct smap *options = xcalloc(1, sizeof *options);

	job->spec = *spec;
	str_copy(job->name, spec->name, sizeof job->name);
	str_copy(job->port_type, spec->type ? spec->type : "", sizeof job->port_type);
	job->spec.name = job->name;
	job->spec.type = job->port_type;
	if (spec->options)
		smap_clone(options, spec->options);
	else
		smap_init(options);
	job->spec.options = options;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

struct worker_job *worker_job_create_start(const struct eal_config *config)
{
	struct worker_job *job = worker_job_create(WORKER_START, 0, NULL);

	job->eal = xcalloc(1, sizeof *job->eal);
	*job->eal = (struct eal_config){
		.extra = copy(config->extra),
		.socket_mem = copy(config->socket_mem),
		.lcore_mask = copy(config->lcore_mask),
		.hugepage_dir = copy(config->hugepage_dir),
		.n_mbufs = config->n_mbufs,
	};
	return job;
}

static void eal_config_destroy(struct eal_config *config)
{
	free((char *)(uintptr_t)config->extra);
	free((char *)(uintptr_t)config->socket_mem);
	free((char *)(uintptr_t)config->lcore_mask);
	free((char *)(uintptr_t)config->hugepage_dir);
	free(config);
}

void worker_job_destroy(struct worker_job *job)
{
	struct smap *options = (struct smap *)(uintptr_t)job->spec.options;

	if (options) {
		smap_uninit(options);
		free(options);
	}
	if (job->eal)
		eal_config_destroy(job->eal);
	free(job);
}

/* ------------------------------------------------------------------ thread */

static void put_result(struct worker *worker, struct worker_job *job)
{
	pthread_mutex_lock(&worker->mutex);
	list_push_back(&worker->results, &job->node);
	pthread_mutex_unlock(&worker->mutex);
	event_async_send(worker->async);
}

static void report(struct worker *worker, enum worker_job_type type, const struct worker_port *wp)
{
	struct worker_job *job = worker_job_create(type, wp->port->dp_port, wp->port);

	job->info = wp->info;
	put_result(worker, job);
}

static void look_at(struct worker *worker, struct worker_port *wp)
{
	struct dp_port_info info;
	int err;

	memset(&info, 0, sizeof info);
	err = port_info(wp->port, &info);
	if (err) {
		if (!wp->gone && err == -ENODEV) {
			wp->gone = true;
			report(worker, WORKER_GONE, wp);
		}
		return;
	}
	if (!wp->gone && !memcmp(&info, &wp->info, sizeof info))
		return;
	wp->gone = false;
	wp->info = info;
	report(worker, WORKER_CHANGED, wp);
}

static void look_at_all(struct worker *worker)
{
	struct worker_port *wp;

	worker->looked_ms = clock_ms();
	LIST_FOR_EACH (wp, node, &worker->ports)
		look_at(worker, wp);
}

static void look_at_news(struct worker *worker)
{
	struct link_event event;
	struct worker_port *wp;
	bool lost = false;

	while (link_monitor_next(worker->monitor, &event, &lost))
		LIST_FOR_EACH (wp, node, &worker->ports)
			if (!strcmp(wp->port->name, event.name) ||
				(event.ifindex && wp->info.ifindex == event.ifindex))
				look_at(worker, wp);
	if (lost)
		look_at_all(worker);
}

static struct worker_port *find(struct worker *worker, const struct port *port)
{
	struct worker_port *wp;

	LIST_FOR_EACH (wp, node, &worker->ports)
		if (wp->port == port)
			return wp;
	return NULL;
}

static void do_start(struct worker_job *job)
{
	char *error = NULL;

	job->err = eal_start(job->eal, &error);
	/* PMDs make no pools. */
	if (!job->err && !eal_mempool(-1)) {
		job->err = -ENOMEM;
		error = xstrdup("no memory for packets: give DPDK more (dpdk-socket-mem)");
	}
	str_copy(job->error, error ? error : "", sizeof job->error);
	free(error);
}

static void do_open(struct worker *worker, struct worker_job *job)
{
	struct worker_port *wp;

	job->err = port_open(&job->spec, job->dp_port, job->n_txq, &job->port, job->error);
	if (job->err)
		return;
	wp = xcalloc(1, sizeof *wp);
	wp->port = job->port;
	port_info(job->port, &wp->info);
	job->info = wp->info;
	list_push_back(&worker->ports, &wp->node);
}

static void forget(struct worker *worker, const struct port *port)
{
	struct worker_port *wp = find(worker, port);

	if (wp) {
		list_remove(&wp->node);
		free(wp);
	}
}

/* True if a closer does it: what was to be done with the port before is done. */
static bool hand_to_closers(struct worker *worker, struct worker_job *job)
{
	if (job->type != WORKER_CLOSE || !worker->n_closers || !port_closes_anywhere(job->port))
		return false;
	forget(worker, job->port);
	pthread_mutex_lock(&worker->mutex);
	list_push_back(&worker->closings, &job->node);
	pthread_cond_signal(&worker->closing);
	pthread_mutex_unlock(&worker->mutex);
	return true;
}

static void *closer_main(void *aux)
{
	struct worker *worker = aux;
	struct list *node;

	pthread_setname_np(pthread_self(), "closer");
	pthread_mutex_lock(&worker->mutex);
	for (;;) {
		node = list_pop_front(&worker->closings);
		if (node) {
			struct worker_job *job = LIST_TO(node, struct worker_job, node);

			pthread_mutex_unlock(&worker->mutex);
			port_close(job->port);
			put_result(worker, job);
			pthread_mutex_lock(&worker->mutex);
		} else if (worker->stop_closers) {
			break;
		} else {
			pthread_cond_wait(&worker->closing, &worker->mutex);
		}
	}
	pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

/* A part of the job; true if more remains. */
static bool populate(struct worker_job *job)
{
	if (job->pmd)
		return pmd_populate(job->pmd, job->step++);
	if (job->exact)
		exact_populate(job->exact, job->mask);
	else
		memory_populate(job->memory, job->size);
	return false;
}

/* True if JOB is not done yet. */
static bool do_job(struct worker *worker, struct worker_job *job)
{
	struct worker_port *wp;

	switch (job->type) {
	case WORKER_START:
		do_start(job);
		return false;
	case WORKER_OPEN:
		do_open(worker, job);
		return false;
	case WORKER_CLOSE:
		forget(worker, job->port);
		port_close(job->port);
		return false;
	case WORKER_SET_ADMIN:
		job->err = port_set_admin(job->port, job->admin_up);
		break;
	case WORKER_SET_MTU:
		job->err = port_set_mtu(job->port, job->mtu);
		break;
	case WORKER_SET_MAC:
		job->err = port_set_mac(job->port, job->mac);
		break;
	case WORKER_POPULATE:
		return populate(job);
	case WORKER_CHANGED:
	case WORKER_GONE:
		return false;
	}
	wp = find(worker, job->port);
	if (wp)
		look_at(worker, wp);
	return false;
}

static void put_job(struct worker *worker, struct worker_job *job, bool at_end)
{
	struct list *list = job->type == WORKER_POPULATE ? &worker->background : &worker->jobs;

	pthread_mutex_lock(&worker->mutex);
	list_insert(at_end ? list : list->next, &job->node);
	pthread_mutex_unlock(&worker->mutex);
}

static struct worker_job *take_job(struct worker *worker, bool *stop)
{
	struct list *node;

	pthread_mutex_lock(&worker->mutex);
	node = list_pop_front(&worker->jobs);
	if (!node)
		node = list_pop_front(&worker->background);
	*stop = worker->stop;
	pthread_mutex_unlock(&worker->mutex);
	return LIST_TO(node, struct worker_job, node);
}

static void wait_for_something(struct worker *worker)
{
	struct pollfd fds[2] = {
		{.fd = worker->wake_fd, .events = POLLIN},
		{.fd = worker->monitor ? link_monitor_fd(worker->monitor) : -1, .events = POLLIN},
	};
	int64_t left = worker->looked_ms + LOOK_EVERY_MS - clock_ms();
	uint64_t count;

	poll(fds, 2, (int)MIN(MAX(left, INT64_C(0)), (int64_t)LOOK_EVERY_MS));
	if (fds[0].revents && read(worker->wake_fd, &count, sizeof count) < 0)
		return;
	if (fds[1].revents)
		look_at_news(worker);
	if (clock_ms() - worker->looked_ms >= LOOK_EVERY_MS)
		look_at_all(worker);
}

static void *worker_main(void *aux)
{
	struct worker *worker = aux;
	bool stop = false;

	pthread_setname_np(pthread_self(), "worker");
	for (;;) {
		struct worker_job *job = take_job(worker, &stop);

		if (job) {
			if (hand_to_closers(worker, job))
				continue;
			if (do_job(worker, job))
				put_job(worker, job, false);
			else
				put_result(worker, job);
		} else if (stop) {
			break;
		} else {
			wait_for_something(worker);
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------ control */

/* Fewer than wanted, or none, are enough. */
static void start_closers(struct worker *worker)
{
	pthread_attr_t attr;

	if (pthread_attr_init(&attr))
		return;
	pthread_attr_setstacksize(&attr, CLOSER_STACK);
	while (worker->n_closers < N_CLOSERS &&
		!pthread_create(&worker->closers[worker->n_closers], &attr, closer_main, worker))
		worker->n_closers++;
	pthread_attr_destroy(&attr);
}

static void end_closers(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	worker->stop_closers = true;
	pthread_cond_broadcast(&worker->closing);
	pthread_mutex_unlock(&worker->mutex);
	for (unsigned int i = 0; i < worker->n_closers; i++)
		pthread_join(worker->closers[i], NULL);
}

int worker_create(struct event_async *async, struct worker **workerp)
{
	struct worker *worker = xcalloc(1, sizeof *worker);
	int err;

	worker->async = async;
	list_init(&worker->jobs);
	list_init(&worker->background);
	list_init(&worker->closings);
	list_init(&worker->results);
	list_init(&worker->ports);
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->closing, NULL);
	worker->looked_ms = clock_ms();
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->wake_fd < 0) {
		err = -errno;
		free(worker);
		return err;
	}
	/* Without it changes are seen within a second. */
	if (link_monitor_open(&worker->monitor))
		worker->monitor = NULL;
	err = -pthread_create(&worker->thread, NULL, worker_main, worker);
	if (err) {
		link_monitor_close(worker->monitor);
		close(worker->wake_fd);
		free(worker);
		return err;
	}
	start_closers(worker);
	*workerp = worker;
	return 0;
}

void worker_run_on(struct worker *worker, const cpu_set_t *cores)
{
	pthread_setaffinity_np(worker->thread, sizeof *cores, cores);
	for (unsigned int i = 0; i < worker->n_closers; i++)
		pthread_setaffinity_np(worker->closers[i], sizeof *cores, cores);
}

static void wake(struct worker *worker)
{
	uint64_t one = 1;

	if (write(worker->wake_fd, &one, sizeof one) < 0)
		return;
}

void worker_destroy(struct worker *worker)
{
	struct worker_job *job;
	struct worker_port *wp;

	if (!worker)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->stop = true;
	pthread_mutex_unlock(&worker->mutex);
	wake(worker);
	pthread_join(worker->thread, NULL);
	end_closers(worker);
	LIST_FOR_EACH_POP (job, node, &worker->results)
		worker_job_destroy(job);
	LIST_FOR_EACH_POP (wp, node, &worker->ports)
		free(wp);
	link_monitor_close(worker->monitor);
	close(worker->wake_fd);
	pthread_mutex_destroy(&worker->mutex);
	pthread_cond_destroy(&worker->closing);
	free(worker);
}

void worker_post(struct worker *worker, struct worker_job *job)
{
	put_job(worker, job, true);
	wake(worker);
}

struct worker_job *worker_next(struct worker *worker)
{
	struct list *node;

	pthread_mutex_lock(&worker->mutex);
	node = list_pop_front(&worker->results);
	pthread_mutex_unlock(&worker->mutex);
	return LIST_TO(node, struct worker_job, node);
}
