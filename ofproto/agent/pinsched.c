/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/pinsched.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/list.h"

#define TOKEN 1000	/* A packet's worth; RATE tokens / TOKEN arrive a millisecond. */

struct queued {
	struct list node;
	size_t len;
	char data[];
};

struct port_queue {
	struct list node;	/* In pinsched.queues; the first is served next. */
	ofp_port_t port;
	unsigned int n;
	struct list messages;	/* struct queued, oldest first. */
};

struct pinsched {
	int64_t rate, burst;	/* Packets a second, packets. */
	int64_t tokens;
	int64_t filled_ms;
	struct list queues;
	struct pinsched_stats stats;
};

void pinsched_configure(struct pinsched *ps, int rate, int burst)
{
	ps->rate = rate > 0 ? rate : 1000;
	ps->burst = burst > 0 ? burst : ps->rate / 4;
	if (ps->burst < 1)
		ps->burst = 1;
	if (ps->tokens > ps->burst * TOKEN)
		ps->tokens = ps->burst * TOKEN;
}

struct pinsched *pinsched_create(int rate, int burst, int64_t now_ms)
{
	struct pinsched *ps = xcalloc(1, sizeof *ps);

	list_init(&ps->queues);
	pinsched_configure(ps, rate, burst);
	ps->tokens = ps->burst * TOKEN;
	ps->filled_ms = now_ms;
	return ps;
}

/* Takes the oldest message of QUEUE; the queue is freed if that was its last. */
static struct queued *queue_pop(struct pinsched *ps, struct port_queue *queue)
{
	struct queued *message = LIST_TO(list_pop_front(&queue->messages), struct queued, node);

	ps->stats.n_queued--;
	if (!--queue->n) {
		list_remove(&queue->node);
		free(queue);
	}
	return message;
}

void pinsched_destroy(struct pinsched *ps)
{
	if (!ps)
		return;
	while (!list_is_empty(&ps->queues))
		free(queue_pop(ps, LIST_TO(list_front(&ps->queues), struct port_queue, node)));
	free(ps);
}

static bool take_token(struct pinsched *ps, int64_t now_ms)
{
	int64_t elapsed = now_ms - ps->filled_ms;

	ps->filled_ms = now_ms;
	if (elapsed > 3600 * 1000)
		elapsed = 3600 * 1000;
	ps->tokens += elapsed * ps->rate;
	if (ps->tokens > ps->burst * TOKEN)
		ps->tokens = ps->burst * TOKEN;
	if (ps->tokens < TOKEN)
		return false;
	ps->tokens -= TOKEN;
	return true;
}

static struct port_queue *queue_get(struct pinsched *ps, ofp_port_t port)
{
	struct port_queue *queue;

	LIST_FOR_EACH (queue, node, &ps->queues)
		if (queue->port == port)
			return queue;
	queue = xcalloc(1, sizeof *queue);
	queue->port = port;
	list_init(&queue->messages);
	list_push_back(&ps->queues, &queue->node);
	return queue;
}

static void drop_from_longest(struct pinsched *ps)
{
	struct port_queue *queue, *longest = NULL;

	LIST_FOR_EACH (queue, node, &ps->queues)
		if (!longest || queue->n > longest->n)
			longest = queue;
	ps->stats.n_dropped++;
	free(queue_pop(ps, longest));
}

bool pinsched_put(struct pinsched *ps, ofp_port_t port, struct sbuf *msg, int64_t now_ms)
{
	struct port_queue *queue;
	struct queued *message;

	if (!ps->stats.n_queued && take_token(ps, now_ms)) {
		ps->stats.n_normal++;
		return true;
	}
	if (ps->stats.n_queued >= ps->burst)
		drop_from_longest(ps);
	message = xmalloc(sizeof *message + msg->len);
	message->len = msg->len;
	memcpy(message->data, msg->data, msg->len);
	queue = queue_get(ps, port);
	list_push_back(&queue->messages, &message->node);
	queue->n++;
	ps->stats.n_queued++;
	ps->stats.n_limited++;
	sbuf_clear(msg);
	return false;
}

bool pinsched_take(struct pinsched *ps, struct sbuf *msg, int64_t now_ms)
{
	struct port_queue *queue;
	struct queued *message;

	if (!ps->stats.n_queued || !take_token(ps, now_ms))
		return false;
	queue = LIST_TO(list_pop_front(&ps->queues), struct port_queue, node);
	list_push_back(&ps->queues, &queue->node);
	message = queue_pop(ps, queue);
	sbuf_put(msg, message->data, message->len);
	free(message);
	return true;
}

int64_t pinsched_wait_ms(const struct pinsched *ps, int64_t now_ms)
{
	int64_t ready_ms;

	if (!ps->stats.n_queued)
		return -1;
	if (ps->tokens >= TOKEN)
		return 0;
	ready_ms = ps->filled_ms + (TOKEN - ps->tokens + ps->rate - 1) / ps->rate;
	return ready_ms > now_ms ? ready_ms - now_ms : 0;
}

struct pinsched_stats pinsched_stats(const struct pinsched *ps)
{
	return ps->stats;
}
