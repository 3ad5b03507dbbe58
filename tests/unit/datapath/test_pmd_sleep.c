/* SPDX-License-Identifier: Apache-2.0 */

/*
 * No wake-up is lost, in either direction: a real PMD thread and a real event loop, made to fall asleep
 * and call each other at all distances in time. A PMD with nothing to poll sleeps for a second at a
 * time, so one that was not woken by a call shows as one that woke by itself, late; control has no
 * timer here at all.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/pmd/pmd.h"
#include "lib/clock.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "tests/support/eal_fixture.h"

#define ROUNDS 20000
#define ENOUGH_MS 8000		/* Of one test, if the machine is slow ... */
#define MIN_ROUNDS 500		/* ... but so many rounds at least. */
#define LATE_MS 900		/* The PMD slept through a call. */
#define LOST_MS 20000		/* Control did. */
#define WITNESS_MS 20		/* The witness looks at the clock so often; ... */
#define STALL_MS 300		/* ... where it could not for so long nothing is to be said. */

static struct event_loop *loop;
static struct event_async *async;
static struct pmd *pmd;
static unsigned int n_called;

static void on_async(void *aux)
{
	n_called++;
}

/* A queue that is an eventfd: received is what was written. */
static int queue_fd;
static _Atomic uint64_t n_received;

static uint16_t queue_rx(struct port *port, uint16_t qid, struct rte_mbuf **mbufs, uint16_t n)
{
	uint64_t count;

	if (read(queue_fd, &count, sizeof count) == sizeof count)
		atomic_fetch_add(&n_received, count);
	return 0;
}

static const struct port_driver queue_driver = {.type = "test", .rx = queue_rx};

static int set_up(void **state)
{
	struct pmd_config config = {.core = -1, .cache_entries = 256,
		.sleep_max_us = PMD_SLEEP_MAX_US};
	char *error = NULL;

	loop = event_loop_create();
	async = event_async_create(loop, on_async, NULL);
	config.wake_control = async;
	assert_int_equal(pmd_create(&config, &pmd, &error), 0);
	assert_int_equal(pmd_start(pmd, &error), 0);
	return 0;
}

static int tear_down(void **state)
{
	pmd_stop(pmd);
	pmd_destroy(pmd);
	event_async_destroy(async);
	event_loop_destroy(loop);
	return 0;
}

/* Up to MAX_NS, all as likely. */
static void pause_for(unsigned int max_ns)
{
	uint64_t end = rte_rdtsc() +
		(uint64_t)((unsigned int)rand() % max_ns) * rte_get_tsc_hz() / 1000000000;

	while (rte_rdtsc() < end)
		continue;
}

/* A machine that stood still looks like a PMD that slept: a thread that does nothing else knows. */
static _Atomic bool witness_ends;
static _Atomic int64_t stalled_ms;	/* When it last found that, ... */
static _Atomic int64_t looked_ms;	/* ... and when it last looked. */

static void *witness(void *aux)
{
	while (!atomic_load(&witness_ends)) {
		int64_t before = atomic_load(&looked_ms), now = clock_ms();

		if (before && now - before >= STALL_MS)
			atomic_store(&stalled_ms, now);
		atomic_store(&looked_ms, now);
		usleep(WITNESS_MS * 1000);
	}
	return NULL;
}

static bool stalled_since(int64_t begin_ms)
{
	return atomic_load(&stalled_ms) >= begin_ms || clock_ms() - atomic_load(&looked_ms) >= STALL_MS;
}

/* A round that began at BEGIN_MS, when the PMD had woken by itself TIMEOUTS times, took too long, and
 * that was because it slept. */
static bool slept_through(int64_t begin_ms, uint64_t timeouts)
{
	return clock_ms() - begin_ms >= LATE_MS && stat_get(&pmd->wakes.timeouts) > timeouts &&
		!stalled_since(begin_ms);
}

static void report(const char *what, unsigned int rounds)
{
	uint64_t calls = stat_get(&pmd->wakes.calls);

	print_message("%s: %u rounds, %llu sleeps, %llu calls, woken %.1f us after on average\n", what,
		rounds, (unsigned long long)stat_get(&pmd->stats.sleep_iterations),
		(unsigned long long)calls,
		calls ? (double)stat_get(&pmd->wakes.call_cycles) / (double)calls /
			(double)pmd->tsc_per_us : 0.0);
}

static bool enough(unsigned int round, int64_t begin_ms)
{
	return round >= ROUNDS || (round >= MIN_ROUNDS && clock_ms() - begin_ms > ENOUGH_MS);
}

static void command(_Atomic uint32_t *done)
{
	atomic_fetch_add(done, 1);
	pmd_command(pmd, &(struct command){.type = COMMAND_PURGE, .done = done});
}

/* Control waits for nothing but the PMD's call. */
static void wait_for_call(void)
{
	int64_t begin = clock_ms();

	event_run_once(loop, LOST_MS);
	if (clock_ms() - begin >= LOST_MS)
		fail_msg("control was not called");
}

static void commands_wake_the_pmd_and_answers_control(void **state)
{
	int64_t begin = clock_ms();
	_Atomic uint32_t done = 0;
	unsigned int round;

	for (round = 0; !enough(round, begin); round++) {
		uint64_t timeouts = stat_get(&pmd->wakes.timeouts);
		int64_t round_ms = clock_ms();

		/* It falls asleep 20 us after the last one. */
		pause_for(40000);
		for (int i = rand() % 3; i >= 0; i--) {
			command(&done);
			pause_for(1500);
		}
		while (atomic_load_explicit(&done, memory_order_acquire))
			wait_for_call();
		if (slept_through(round_ms, timeouts))
			fail_msg("the PMD slept through a command in round %u", round);
	}
	report("commands", round);
	assert_true(stat_get(&pmd->wakes.calls) > 0);
}

/* Control works through its calls while more are coming. */
static void no_call_to_busy_control_is_lost(void **state)
{
	int64_t begin = clock_ms();
	_Atomic uint32_t done = 0;
	unsigned int round;

	for (round = 0; !enough(round / 4, begin); round++) {
		while (atomic_load_explicit(&done, memory_order_acquire) < 1 + (uint32_t)rand() % 4)
			command(&done);
		wait_for_call();
	}
	while (atomic_load_explicit(&done, memory_order_acquire))
		wait_for_call();
	report("calls", round);
}

static bool is_received(uint64_t n)
{
	return atomic_load(&n_received) == n;
}

static void wait_received(uint64_t n, unsigned int round)
{
	uint64_t timeouts = stat_get(&pmd->wakes.timeouts);
	int64_t begin = clock_ms();

	while (!is_received(n) && clock_ms() - begin < LOST_MS)
		continue;
	if (!is_received(n) || slept_through(begin, timeouts))
		fail_msg("the PMD slept through a packet in round %u", round);
}

static void packets_wake_the_pmd_held_or_not(void **state)
{
	struct port port = {.driver = &queue_driver, .n_rxq = 1, .n_txq = 1};
	struct pmd_port *pp = xaligned_calloc(64, sizeof *pp);
	struct pmd_rxq rxq = {.port = pp};
	int64_t begin = clock_ms();
	_Atomic uint32_t done = 1;
	uint64_t one = 1;
	unsigned int round;

	queue_fd = eventfd(0, EFD_NONBLOCK);
	rxq.fd = queue_fd;
	pp->port = &port;
	pmd_command(pmd, &(struct command){.type = COMMAND_RXQ_ADD, .rxq = &rxq});
	for (round = 0; !enough(round, begin); round++) {
		bool held = round % 2;

		if (held) {
			atomic_store(&pmd->hold, true);
			pmd_wake(pmd);
		}
		pause_for(60000);
		assert_int_equal(write(queue_fd, &one, sizeof one), sizeof one);
		if (held) {
			pause_for(60000);
			atomic_store(&pmd->hold, false);
			pmd_wake(pmd);
		}
		wait_received(round + 1, round);
	}
	report("packets", round);
	pmd_command(pmd, &(struct command){.type = COMMAND_RXQ_REMOVE, .rxq = &rxq, .done = &done});
	while (atomic_load(&done))
		event_run_once(loop, LOST_MS);
	close(queue_fd);
	free(pp);
}

/* Held back, packets that wait cost no time. */
static void a_held_pmd_sleeps(void **state)
{
	struct port port = {.driver = &queue_driver, .n_rxq = 1, .n_txq = 1};
	struct pmd_port *pp = xaligned_calloc(64, sizeof *pp);
	struct pmd_rxq rxq = {.port = pp};
	_Atomic uint32_t done = 1;
	uint64_t one = 1, turns = UINT64_MAX;

	queue_fd = eventfd(0, EFD_NONBLOCK);
	rxq.fd = queue_fd;
	pp->port = &port;
	atomic_store(&pmd->hold, true);
	assert_int_equal(write(queue_fd, &one, sizeof one), sizeof one);
	pmd_command(pmd, &(struct command){.type = COMMAND_RXQ_ADD, .rxq = &rxq});
	/* On a busy machine it takes a while until it has had the time to fall asleep. */
	for (int tries = 0; tries < 20 && turns >= 100; tries++) {
		uint64_t before = stat_get(&pmd->stats.idle_iterations);

		usleep(300000);
		turns = stat_get(&pmd->stats.idle_iterations) - before;
	}
	assert_true(turns < 100);
	atomic_store(&pmd->hold, false);
	pmd_command(pmd, &(struct command){.type = COMMAND_RXQ_REMOVE, .rxq = &rxq, .done = &done});
	while (atomic_load(&done))
		event_run_once(loop, LOST_MS);
	close(queue_fd);
	free(pp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(commands_wake_the_pmd_and_answers_control, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(no_call_to_busy_control_is_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(packets_wake_the_pmd_held_or_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_held_pmd_sleeps, set_up, tear_down),
	};

	pthread_t thread;
	int failed;

	eal_fixture_start(4096);
	if (pthread_create(&thread, NULL, witness, NULL))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	atomic_store(&witness_ends, true);
	pthread_join(thread, NULL);
	return failed;
}
