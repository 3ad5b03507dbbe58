/* SPDX-License-Identifier: Apache-2.0 */
/* How an idle PMD waits. Its epoll set holds the descriptors of its queues and one for commands. */
#include <errno.h>
#include <rte_cycles.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "datapath/pmd.h"
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

void pmd_sleep(struct pmd *pmd, uint64_t idle_us)
{
	struct epoll_event events[MAX_EVENTS];
	struct timespec timeout;
	uint64_t us = sleep_us(pmd, idle_us), begin;
	int n;

	if (idle_us < SPIN_US || pmd->n_ready) {
		rte_pause();
		return;
	}
	timeout = (struct timespec){.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000};
	atomic_store(&pmd->asleep, true);
	if (!ring_count(&pmd->commands)) {
		rcu_offline(pmd->rcu_id);
		begin = rte_rdtsc();
		n = (int)syscall(SYS_epoll_pwait2, pmd->epoll_fd, events, MAX_EVENTS, &timeout,
			NULL, (size_t)0);
		stat_add(&pmd->stats.sleep_us,
			(rte_rdtsc() - begin) * 1000000 / rte_get_tsc_hz());
		stat_add(&pmd->stats.sleep_iterations, 1);
		rcu_online(pmd->rcu_id);
		take_events(pmd, events, n);
	}
	atomic_store(&pmd->asleep, false);
}

void pmd_wake(struct pmd *pmd)
{
	uint64_t one = 1;

	/* Pairs with the order in pmd_sleep(): it says that it sleeps, then looks at the ring. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&pmd->asleep) && write(pmd->wake_fd, &one, sizeof one) < 0)
		return;
}
