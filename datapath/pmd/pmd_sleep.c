/* SPDX-License-Identifier: Apache-2.0 */
/* How an idle PMD waits. Its epoll set holds the descriptors of its queues and one for commands. */
#include <errno.h>
#include <poll.h>
#include <rte_cycles.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "datapath/pmd/pmd.h"
#include "lib/rcu.h"

#define MAX_EVENTS 64
#define SPIN_US 20		/* Idle this long before the first sleep. */

int pmd_sleep_init(struct pmd *pmd, char **error)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	pmd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pmd->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pmd->epoll_fd < 0 || pmd->wake_fd < 0 ||
		epoll_ctl(pmd->epoll_fd, EPOLL_CTL_ADD, pmd->wake_fd, &event) < 0) {
		int err = errno;

		*error = xasprintf("can't make a PMD's descriptors: %s", strerror(err));
		pmd_sleep_uninit(pmd);
		return -err;
	}
	return 0;
}

void pmd_sleep_uninit(struct pmd *pmd)
{
	if (pmd->epoll_fd >= 0)
		close(pmd->epoll_fd);
	if (pmd->wake_fd >= 0)
		close(pmd->wake_fd);
	pmd->epoll_fd = pmd->wake_fd = -1;
}

int pmd_watch(struct pmd *pmd, struct pmd_rxq *rxq)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = rxq};

	return epoll_ctl(pmd->epoll_fd, EPOLL_CTL_ADD, rxq->fd, &event) < 0 ? -errno : 0;
}

void pmd_unwatch(struct pmd *pmd, struct pmd_rxq *rxq)
{
	epoll_ctl(pmd->epoll_fd, EPOLL_CTL_DEL, rxq->fd, NULL);
}

static void take_events(struct pmd *pmd, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		struct pmd_rxq *rxq = events[i].data.ptr;
		uint64_t count;

		if (!rxq) {
			if (read(pmd->wake_fd, &count, sizeof count) < 0)
				continue;
		} else if (!rxq->ready) {
			rxq->ready = true;
			pmd->n_ready++;
		}
	}
}

void pmd_poll_fds(struct pmd *pmd)
{
	struct epoll_event events[MAX_EVENTS];

	take_events(pmd, events, epoll_wait(pmd->epoll_fd, events, MAX_EVENTS, 0));
}

/* As long as it has been idle already, so that what comes after a short pause is delayed by a short
 * one; with descriptors only, until they say so. A tick a second is kept for housekeeping. */
static uint64_t sleep_us(const struct pmd *pmd, uint64_t idle_us)
{
	uint64_t max = atomic_load_explicit(&pmd->sleep_max_us, memory_order_relaxed);

	if (!pmd->n_polled)
		return 1000000;
	return MIN(idle_us, max);
}

/* Waits for a descriptor, or US. While packets are held back only a command matters. Returns how many
 * EVENTS there are. */
static int wait_events(struct pmd *pmd, struct epoll_event *events, uint64_t us, bool held)
{
	struct timespec timeout = {.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000};
	struct pollfd wake = {.fd = pmd->wake_fd, .events = POLLIN};

	if (held) {
		if (ppoll(&wake, 1, &timeout, NULL) <= 0)
			return 0;
		events[0].data.ptr = NULL;
		return 1;
	}
	return (int)syscall(SYS_epoll_pwait2, pmd->epoll_fd, events, MAX_EVENTS, &timeout, NULL,
		(size_t)0);
}

static void note_max(stat_t *max, uint64_t n)
{
	if (n > stat_get(max))
		atomic_store_explicit(max, n, memory_order_relaxed);
}

/* How late it is: after control's call, or after the end of the time that it wanted to sleep. */
static void note_latency(struct pmd *pmd, uint64_t begin, uint64_t us, uint64_t end)
{
	uint64_t called = atomic_exchange_explicit(&pmd->called_tsc, 0, memory_order_relaxed);
	uint64_t due = begin + us * pmd->tsc_per_us;
	uint64_t late;

	if (called && called < end) {
		late = end - MAX(called, begin);
		stat_add(&pmd->wakes.calls, 1);
		stat_add(&pmd->wakes.call_cycles, late);
		note_max(&pmd->wakes.call_max, late);
	} else if (end > due) {
		late = end - due;
		stat_add(&pmd->wakes.timeouts, 1);
		stat_add(&pmd->wakes.timeout_cycles, late);
		note_max(&pmd->wakes.timeout_max, late);
	}
}

static void sleep_until_called(struct pmd *pmd, uint64_t us, bool held)
{
	struct epoll_event events[MAX_EVENTS];
	uint64_t begin, end;
	int n;

	rcu_offline(pmd->rcu_id);
	begin = rte_rdtsc();
	n = wait_events(pmd, events, us, held);
	end = rte_rdtsc();
	rcu_online(pmd->rcu_id);
	note_latency(pmd, begin, us, end);
	stat_add(&pmd->stats.sleep_us, (end - begin) / pmd->tsc_per_us);
	stat_add(&pmd->stats.sleep_iterations, 1);
	take_events(pmd, events, n);
}

void pmd_sleep(struct pmd *pmd, uint64_t idle_us)
{
	bool held = atomic_load_explicit(&pmd->hold, memory_order_relaxed);

	if (idle_us < SPIN_US || (pmd->n_ready && !held) ||
		!atomic_load_explicit(&pmd->sleep_max_us, memory_order_relaxed)) {
		rte_pause();
		return;
	}
	/* It says that it sleeps, and only then looks once more whether there is anything to do; who
	 * gives it something to do looks only then whether it sleeps. The fences make it so that one of
	 * the two sees the other. */
	atomic_store_explicit(&pmd->asleep, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring_count(&pmd->commands) &&
		held == atomic_load_explicit(&pmd->hold, memory_order_relaxed))
		sleep_until_called(pmd, sleep_us(pmd, idle_us), held);
	atomic_store_explicit(&pmd->asleep, false, memory_order_relaxed);
}

void pmd_wake(struct pmd *pmd)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&pmd->asleep, memory_order_relaxed))
		return;
	atomic_store_explicit(&pmd->called_tsc, rte_rdtsc(), memory_order_relaxed);
	if (write(pmd->wake_fd, &one, sizeof one) < 0)
		return;
}
