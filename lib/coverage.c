/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "lib/sbuf.h"
#include "lib/unixctl.h"

#define INTERVAL_MS 5000
#define SLOTS_PER_MINUTE 12
#define SLOTS_PER_HOUR 720

/* A thread's counters; when it ends they are added to those of the dead. */
struct thread_counters {
	struct list node;
	_Atomic(uint64_t) counts[COVERAGE_MAX] __attribute__((aligned(64)));
};

/* Control thread: what a counter gained in each of the last intervals. */
struct history {
	uint64_t last_total;
	uint64_t gained[SLOTS_PER_HOUR];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list threads = LIST_INITIALIZER(&threads);
static uint64_t dead[COVERAGE_MAX];
static struct coverage_counter *counters[COVERAGE_MAX];
static unsigned int n_counters;
static pthread_key_t at_exit;

static struct history *histories;
static unsigned int slot; /* latest complete interval */
static int64_t next_sample_ms;

__thread _Atomic(uint64_t) *coverage_mine;

void coverage_register(struct coverage_counter *counter)
{
	if (n_counters >= COVERAGE_MAX)
		fatal("too many coverage counters");
	counter->index = n_counters;
	counters[n_counters++] = counter;
}

static void thread_exit(void *aux)
{
	struct thread_counters *mine = aux;

	pthread_mutex_lock(&mutex);
	for (unsigned int i = 0; i < n_counters; i++)
		dead[i] += atomic_load_explicit(&mine->counts[i], memory_order_relaxed);
	list_remove(&mine->node);
	pthread_mutex_unlock(&mutex);
	coverage_mine = NULL;
	free(mine);
}

static void make_key(void)
{
	if (pthread_key_create(&at_exit, thread_exit))
		fatal("no thread-specific data left");
}

_Atomic(uint64_t) *coverage_thread_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct thread_counters *mine = xaligned_calloc(64, sizeof(*mine));

	pthread_once(&once, make_key);
	pthread_mutex_lock(&mutex);
	list_push_back(&threads, &mine->node);
	pthread_mutex_unlock(&mutex);
	pthread_setspecific(at_exit, mine);
	coverage_mine = mine->counts;
	return coverage_mine;
}

static void read_totals(uint64_t *totals)
{
	struct thread_counters *thread;

	pthread_mutex_lock(&mutex);
	memcpy(totals, dead, n_counters * sizeof(*totals));
	LIST_FOR_EACH (thread, node, &threads)
		for (unsigned int i = 0; i < n_counters; i++)
			totals[i] += atomic_load_explicit(&thread->counts[i], memory_order_relaxed);
	pthread_mutex_unlock(&mutex);
}

/* What was gained since the last sample counts for the first of N_INTERVALS, for the clock may have
 * jumped over some. */
static void sample(unsigned int n_intervals)
{
	uint64_t totals[COVERAGE_MAX];

	read_totals(totals);
	for (unsigned int n = 0; n < n_intervals; n++) {
		slot = (slot + 1) % SLOTS_PER_HOUR;
		for (unsigned int i = 0; i < n_counters; i++) {
			histories[i].gained[slot] = totals[i] - histories[i].last_total;
			histories[i].last_total = totals[i];
		}
	}
}

void coverage_run(void)
{
	int64_t now = clock_ms(), late;

	if (now < next_sample_ms)
		return;
	if (!histories) {
		histories = xcalloc(COVERAGE_MAX, sizeof(*histories));
		next_sample_ms = now + INTERVAL_MS;
		return;
	}
	late = (now - next_sample_ms) / INTERVAL_MS + 1;
	sample((unsigned int)MIN(late, (int64_t)SLOTS_PER_HOUR));
	next_sample_ms += late * INTERVAL_MS;
}

int coverage_read(const char *name, uint64_t *value)
{
	uint64_t totals[COVERAGE_MAX];

	for (unsigned int i = 0; i < n_counters; i++)
		if (!strcmp(counters[i]->name, name)) {
			read_totals(totals);
			*value = totals[i];
			return 0;
		}
	return -ENOENT;
}

static uint64_t gained_in_last(unsigned int i, unsigned int n_slots)
{
	uint64_t sum = 0;

	if (!histories)
		return 0;
	for (unsigned int n = 0; n < n_slots; n++)
		sum += histories[i].gained[(slot + SLOTS_PER_HOUR - n) % SLOTS_PER_HOUR];
	return sum;
}

/* Same counters hit, same hash. */
static uint32_t hash_of_hits(const uint64_t *totals)
{
	uint32_t hash = 0;

	for (unsigned int i = 0; i < n_counters; i++)
		if (totals[i])
			hash = hash_string(counters[i]->name, hash);
	return hash;
}

char *coverage_show(void)
{
	uint64_t totals[COVERAGE_MAX];
	struct sbuf sb = SBUF_INITIALIZER;
	unsigned int n_never = 0;

	read_totals(totals);
	sbuf_putf(&sb,
		"Event coverage, avg rate over last: 5 seconds, last minute, last hour,  "
		"hash=%08" PRIx32 ":\n",
		hash_of_hits(totals));
	for (unsigned int i = 0; i < n_counters; i++) {
		if (!totals[i]) {
			n_never++;
			continue;
		}
		sbuf_putf(&sb, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %" PRIu64 "\n",
			counters[i]->name, (double)gained_in_last(i, 1) / 5,
			(double)gained_in_last(i, SLOTS_PER_MINUTE) / 60,
			(double)gained_in_last(i, SLOTS_PER_HOUR) / 3600, totals[i]);
	}
	sbuf_putf(&sb, "%u events never hit\n", n_never);
	return sbuf_steal(&sb);
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	char *text = coverage_show();

	unixctl_reply(conn, text);
	free(text);
}

static void cmd_read_counter(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	char text[24];
	uint64_t value;

	if (coverage_read(argv[1], &value)) {
		unixctl_reply_error(conn, "No such counter");
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
	unixctl_reply(conn, text);
}

void coverage_unixctl_init(void)
{
	unixctl_command_register("coverage/show", "", 0, 0, cmd_show, NULL);
	unixctl_command_register("coverage/read-counter", "COUNTER", 1, 1, cmd_read_counter, NULL);
}
