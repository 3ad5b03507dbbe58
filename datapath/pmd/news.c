/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/pmd/news.h"

#include <string.h>

#include "datapath/port/mbuf.h"
#include "lib/hash.h"

void news_init(struct news_ring *news)
{
	memset(news, 0, sizeof *news);
	ring_init(&news->facts, NEWS_FACTS, sizeof(struct news));
	ring_init(&news->packets, NEWS_PACKETS, sizeof(struct news));
}

void news_uninit(struct news_ring *news)
{
	ring_uninit(&news->facts);
	ring_uninit(&news->packets);
}

static void lost(struct news_ring *news)
{
	atomic_fetch_add_explicit(&news->n_lost, 1, memory_order_relaxed);
}

static uint64_t fact_hash(const struct news *f)
{
	switch (f->type) {
	case NEWS_FDB:
		return hash_bytes64(&f->fdb, sizeof f->fdb, NEWS_FDB);
	case NEWS_NEIGH:
		return hash_bytes64(&f->neigh, sizeof f->neigh, NEWS_NEIGH);
	default:
		return hash_bytes64(&f->fin, sizeof f->fin, f->type);
	}
}

/* What F is about: of a MAC only its newest place counts, so that the way back is news too. */
static uint64_t subject_hash(const struct news *f)
{
	struct news subject = *f;

	if (f->type == NEWS_FDB)
		subject.fdb.port = 0;
	return fact_hash(&subject);
}

bool news_tell(struct news_ring *news, bool idle, uint64_t since_us)
{
	if (!news->put_some)
		return false;
	if (!idle && !news->put_urgent && since_us < NEWS_PATIENCE_US &&
		ring_count(&news->facts) < NEWS_FACTS / 2)
		return false;
	news->put_some = news->put_urgent = false;
	atomic_store_explicit(&news->facts_told, true, memory_order_release);
	return true;
}

bool news_facts_told(struct news_ring *news)
{
	return atomic_load_explicit(&news->facts_told, memory_order_relaxed) &&
		atomic_exchange_explicit(&news->facts_told, false, memory_order_acquire);
}

void news_facts_left(struct news_ring *news)
{
	atomic_store_explicit(&news->facts_told, true, memory_order_relaxed);
}

bool news_wait(const struct news_ring *news)
{
	return atomic_load_explicit(&news->facts_told, memory_order_relaxed) || ring_count(&news->packets);
}

bool news_put_fact(struct news_ring *news, const struct news *fact, int64_t now_ms)
{
	uint64_t hash = fact_hash(fact);
	unsigned int i = subject_hash(fact) % NEWS_FILTER;
	struct news *record;

	if (news->filter[i].hash == hash && now_ms - news->filter[i].ms < NEWS_REPEAT_MS)
		return true;
	record = ring_put_begin(&news->facts);
	if (!record) {
		lost(news);
		return false;
	}
	*record = *fact;
	ring_put_end(&news->facts);
	news->filter[i].hash = hash;
	news->filter[i].ms = now_ms;
	news->put_some = true;
	news->put_urgent |= fact->type != NEWS_FDB;
	return true;
}

/* While the ring is less than half full anyone may put. Above that a port may have at most a quarter
 * of it a turn of the ring. */
static bool share_allows(struct news_ring *news, struct news_share *share)
{
	uint32_t head = atomic_load_explicit(&news->packets.head, memory_order_relaxed);
	uint32_t epoch = head / NEWS_PACKETS;

	if (share->epoch != epoch) {
		share->epoch = epoch;
		share->n = 0;
	}
	if (share->n >= NEWS_PACKETS / 4 && ring_count(&news->packets) > NEWS_PACKETS / 2)
		return false;
	share->n++;
	return true;
}

bool news_put_packet(struct news_ring *news, struct news_share *share, enum news_type type,
	struct rte_mbuf *mbuf, const struct op *op)
{
	struct rte_mbuf *bytes = NULL;
	struct news *record;

	record = share_allows(news, share) ? ring_put_begin(&news->packets) : NULL;
	if (record && op) {
		bytes = mbuf_from_bytes(mbuf->pool, op, op->len);
		if (!bytes)
			record = NULL;
	}
	if (!record) {
		lost(news);
		return false;
	}
	record->type = (uint8_t)type;
	record->packet.mbuf = mbuf;
	record->packet.op = bytes;
	ring_put_end(&news->packets);
	news->put_some = news->put_urgent = true;
	return true;
}

size_t mbuf_read(const struct rte_mbuf *m, void *buf, size_t len)
{
	size_t done = 0;

	for (; m && done < len; m = m->next) {
		size_t n = MIN((size_t)m->data_len, len - done);

		memcpy((uint8_t *)buf + done, rte_pktmbuf_mtod(m, const void *), n);
		done += n;
	}
	return done;
}

static bool get(struct ring *ring, struct news *news)
{
	const struct news *record = ring_get_begin(ring);

	if (!record)
		return false;
	*news = *record;
	ring_get_end(ring);
	return true;
}

bool news_get_fact(struct news_ring *news, struct news *fact)
{
	return get(&news->facts, fact);
}

bool news_get_packet(struct news_ring *news, struct news *packet)
{
	return get(&news->packets, packet);
}

struct op *news_take_op(struct rte_mbuf *m)
{
	struct op *op;

	if (!m)
		return NULL;
	op = xmalloc(m->pkt_len);
	mbuf_read(m, op, m->pkt_len);
	rte_pktmbuf_free(m);
	return op;
}
