/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/meter.h"

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/clock.h"
#include "lib/hash.h"

/*
 * Tokens are millionths of a packet, or thousandths of a bit: a rate of N packets/s or N kb/s then is
 * N tokens a microsecond.
 */
#define TOKENS_PER_UNIT 1000000	/* Packet or kilobit. */
#define TOKENS_PER_BYTE 8000

/* Of a second's worth, where no burst is given. For drops it is a whole second, as in Open vSwitch; that is
 * much where packets go on anyway and are to be told apart. */
#define REMARK_BURST_PARTS 10

/* Longest time filled up at once: rate * time stays below 2^63. */
#define MAX_ELAPSED_US 1000000000

static int64_t burst_tokens(const struct pl_meter_band *band)
{
	int64_t second = (int64_t)MAX(band->rate, 1u) * TOKENS_PER_UNIT;

	if (band->burst)
		return (int64_t)band->burst * TOKENS_PER_UNIT;
	if (band->type == METER_BAND_DSCP_REMARK)
		return MAX(second / REMARK_BURST_PARTS, (int64_t)TOKENS_PER_UNIT);
	return second;
}

/* Of packets, the part of one that came in by the time the bucket is full is kept too: without it a
 * burst of 1 would lose up to a packet's time each time. */
static int64_t capacity(const struct pl_meter *meter, const struct pl_meter_band *band)
{
	return burst_tokens(band) + (meter->flags & METER_PKTPS ? TOKENS_PER_UNIT - 1 : 0);
}

/* Whoever moves the time on puts the tokens of that time in. */
static void fill_up(struct pl_meter_band *band, int64_t cap, int64_t now_us)
{
	int64_t last = atomic_load_explicit(&band->last_us, memory_order_relaxed);
	int64_t elapsed = now_us - last, tokens, sum;

	if (elapsed <= 0 || !atomic_compare_exchange_strong_explicit(&band->last_us, &last, now_us,
		memory_order_relaxed, memory_order_relaxed))
		return;
	elapsed = MIN(elapsed, (int64_t)MAX_ELAPSED_US);
	tokens = atomic_load_explicit(&band->tokens, memory_order_relaxed);
	do
		sum = MIN(tokens + elapsed * band->rate, cap);
	while (!atomic_compare_exchange_weak_explicit(&band->tokens, &tokens, sum,
		memory_order_relaxed, memory_order_relaxed));
}

/* A packet that even the full bucket does not hold passes when it is full and leaves it in debt: the
 * rate holds, and large segments do not starve. */
static bool take(struct pl_meter_band *band, int64_t cap, int64_t cost)
{
	int64_t needed = MIN(cost, cap);
	int64_t tokens = atomic_load_explicit(&band->tokens, memory_order_relaxed);

	do
		if (tokens < needed)
			return false;
	while (!atomic_compare_exchange_weak_explicit(&band->tokens, &tokens, tokens - cost,
		memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void count(_Atomic uint64_t *packets, _Atomic uint64_t *bytes, uint32_t n_bytes)
{
	atomic_fetch_add_explicit(packets, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(bytes, n_bytes, memory_order_relaxed);
}

enum meter_result meter_run(struct pl_meter *meter, uint32_t bytes, int64_t now_us,
	uint8_t *prec_level)
{
	int64_t cost = meter->flags & METER_PKTPS ? TOKENS_PER_UNIT
		: (int64_t)bytes * TOKENS_PER_BYTE;
	struct pl_meter_band *applies = NULL;

	count(&meter->packets, &meter->bytes, bytes);
	for (unsigned int i = 0; i < meter->n_bands; i++) {
		struct pl_meter_band *band = &meter->bands[i];
		int64_t cap = capacity(meter, band);

		fill_up(band, cap, now_us);
		if (!take(band, cap, cost) && (!applies || band->rate > applies->rate))
			applies = band;
	}
	if (!applies)
		return METER_PASS;

	count(&applies->packets, &applies->bytes, bytes);
	if (applies->type == METER_BAND_DROP)
		return METER_DROP;
	*prec_level = applies->prec_level;
	return METER_REMARK;
}

static struct pl_meter *find(const struct pl_bridge *bridge, uint32_t id)
{
	struct pl_meter *meter;

	CMAP_FOR_EACH_WITH_HASH (meter, node, hash_u32(id, 0), &bridge->meters)
		if (meter->id == id)
			return meter;
	return NULL;
}

struct pl_meter *pl_meter_lookup(const struct pl_bridge *bridge, uint32_t id)
{
	return find(bridge, id);
}

/* NEW goes on counting where OLD stands. */
static void keep_counts(struct pl_meter *new, const struct pl_meter *old)
{
	new->packets = old->packets;
	new->bytes = old->bytes;
	new->created_ms = old->created_ms;
	for (unsigned int i = 0; i < MIN(new->n_bands, old->n_bands); i++) {
		new->bands[i].packets = old->bands[i].packets;
		new->bands[i].bytes = old->bands[i].bytes;
	}
}

void meter_start(struct pl_meter *meter, int64_t now_us)
{
	for (unsigned int i = 0; i < meter->n_bands; i++) {
		meter->bands[i].tokens = burst_tokens(&meter->bands[i]);
		meter->bands[i].last_us = now_us;
	}
}

void pl_meter_set(struct pl_bridge *bridge, struct pl_meter *meter)
{
	struct pl_meter *old = find(bridge, meter->id);

	meter_start(meter, clock_us());
	if (old) {
		keep_counts(meter, old);
		cmap_replace(&bridge->meters, &old->node, &meter->node);
		rcu_defer_free(old);
	} else {
		cmap_insert(&bridge->meters, &meter->node, hash_u32(meter->id, 0));
	}
	dep_bump(dep_meter(bridge->id, meter->id));
}

bool pl_meter_remove(struct pl_bridge *bridge, uint32_t id)
{
	struct pl_meter *meter = find(bridge, id);

	if (!meter)
		return false;
	cmap_remove(&bridge->meters, &meter->node);
	rcu_defer_free(meter);
	dep_bump(dep_meter(bridge->id, id));
	return true;
}
