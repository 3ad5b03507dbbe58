/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded by EAL into a switch under test: see shared.h. Without the file in the environment it does nothing. */
#include <fcntl.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "datapath/bench/shared.h"

#define IDLE_US 300

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		return 0;
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* The CPU clock of thread TID of this process, as the kernel numbers them. */
static clockid_t thread_clock(int tid)
{
	return (clockid_t)((~(unsigned int)tid << 3) | 6);
}

static struct bench_probe *probes[BENCH_SHARED_PORTS];

static void look_for_ports(struct bench_shared *shared)
{
	for (unsigned int i = 0; i < shared->n_ports; i++) {
		struct bench_shared_port *port = &shared->ports[i];
		struct bench_source *source;

		/* Transmit queues may come later. */
		if (port->is_ready && probes[i])
			bench_probe_extend(probes[i]);
		if (port->is_ready)
			continue;
		/* Neither works before the device has queues. */
		if (port->is_source && bench_source_attach(port->device, &port->control, &source))
			continue;
		if (bench_probe_attach(port->device, &port->watch, &probes[i])) {
			if (port->is_source)
				bench_source_detach(source);
			continue;
		}
		atomic_store(&port->is_ready, true);
	}
}

static void answer(struct bench_shared *shared)
{
	struct bench_shared_moment *m = &shared->moment;
	int tid = 0;

	for (unsigned int i = 0; i < shared->n_ports; i++) {
		struct bench_shared_port *port = &shared->ports[i];

		m->taken[i] = atomic_load(&port->control.taken);
		m->lost[i] = atomic_load(&port->control.lost);
		for (unsigned int s = 0; s < BENCH_MAX_STREAMS; s++)
			m->streams[i][s] = atomic_load(&port->control.streams[s]);
		m->sent[i] = atomic_load(&port->watch.packets);
		if (!tid && port->is_source)
			tid = atomic_load(&port->control.tid);
	}
	m->cpu_ns = tid ? read_ns(thread_clock(tid)) : 0;
	m->own_cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void *plugin_main(void *aux)
{
	struct bench_shared *shared = aux;
	cpu_set_t set;

	CPU_ZERO(&set);
	for (long core = 0; core < sysconf(_SC_NPROCESSORS_ONLN); core++)
		if (core != shared->pmd_core)
			CPU_SET((size_t)core, &set);
	if (CPU_COUNT(&set))
		pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	for (;;) {
		uint32_t asked = atomic_load(&shared->asked);

		look_for_ports(shared);
		if (asked != atomic_load(&shared->answered)) {
			answer(shared);
			atomic_store(&shared->answered, asked);
		}
		usleep(IDLE_US);
	}
	return NULL;
}

static void __attribute__((constructor)) plugin_begin(void)
{
	const char *path = getenv(BENCH_SHARED_ENV);
	struct bench_shared *shared;
	pthread_t thread;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return;
	if (shared->magic != BENCH_SHARED_MAGIC || shared->size != sizeof *shared ||
		pthread_create(&thread, NULL, plugin_main, shared)) {
		munmap(shared, sizeof *shared);
		return;
	}
	pthread_detach(thread);
}
