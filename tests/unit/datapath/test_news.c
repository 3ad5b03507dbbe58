/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "datapath/pmd/news.h"
#include "datapath/pmd/ring.h"

static struct news mac_news(uint16_t n)
{
	struct news news;

	memset(&news, 0, sizeof news);
	news.type = NEWS_FDB;
	news.fdb.bridge = 1;
	news.fdb.port = 2;
	news.fdb.mac.b[4] = (uint8_t)(n >> 8);
	news.fdb.mac.b[5] = (uint8_t)n;
	return news;
}

static void ring_keeps_order_and_refuses_when_full(void **state)
{
	struct ring ring;
	uint32_t *record;

	ring_init(&ring, 4, sizeof *record);
	assert_null(ring_get_begin(&ring));
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < 4; i++) {
			record = ring_put_begin(&ring);
			assert_non_null(record);
			*record = i + round;
			ring_put_end(&ring);
		}
		assert_null(ring_put_begin(&ring));
		assert_int_equal(ring_count(&ring), 4);
		for (uint32_t i = 0; i < 4; i++) {
			record = ring_get_begin(&ring);
			assert_int_equal(*record, i + round);
			ring_get_end(&ring);
		}
		assert_null(ring_get_begin(&ring));
	}
	ring_uninit(&ring);
}

#define N_RECORDS 200000

static void *produce(void *aux)
{
	struct ring *ring = aux;

	for (uint64_t i = 0; i < N_RECORDS;) {
		uint64_t *record = ring_put_begin(ring);

		if (!record) {
			sched_yield();
			continue;
		}
		record[0] = i;
		record[1] = ~i;
		ring_put_end(ring);
		i++;
	}
	return NULL;
}

static void ring_carries_between_threads(void **state)
{
	struct ring ring;
	pthread_t thread;

	ring_init(&ring, 64, 16);
	assert_int_equal(pthread_create(&thread, NULL, produce, &ring), 0);
	for (uint64_t i = 0; i < N_RECORDS;) {
		const uint64_t *record = ring_get_begin(&ring);

		if (!record) {
			sched_yield();
			continue;
		}
		assert_int_equal(record[0], i);
		assert_int_equal(record[1], ~i);
		ring_get_end(&ring);
		i++;
	}
	pthread_join(thread, NULL);
	ring_uninit(&ring);
}

static void one_new_mac_makes_one_news(void **state)
{
	struct news_ring *news = xcalloc(1, sizeof *news);
	struct news got, a = mac_news(1), b = mac_news(2);

	news_init(news);
	for (int i = 0; i < 32; i++)
		assert_true(news_put_fact(news, &a, 1000));
	assert_true(news_put_fact(news, &b, 1000));
	/* Nobody waits for addresses so much that it may not be a moment. */
	assert_false(news_tell(news, false, NEWS_PATIENCE_US - 1));
	assert_true(news_tell(news, false, NEWS_PATIENCE_US));
	assert_false(news_tell(news, true, NEWS_PATIENCE_US));
	assert_true(news_get_fact(news, &got));
	assert_int_equal(got.fdb.mac.b[5], 1);
	assert_true(news_get_fact(news, &got));
	assert_int_equal(got.fdb.mac.b[5], 2);
	assert_false(news_get_fact(news, &got));

	/* If nothing came of it, it may be said again. */
	assert_true(news_put_fact(news, &a, 1000 + NEWS_REPEAT_MS));
	assert_true(news_get_fact(news, &got));
	news_uninit(news);
	free(news);
}

static void full_ring_says_no_and_does_not_remember(void **state)
{
	struct news_ring *news = xcalloc(1, sizeof *news);
	struct news got, fact;

	news_init(news);
	for (uint16_t n = 0; n < NEWS_FACTS; n++) {
		fact = mac_news(n);
		assert_true(news_put_fact(news, &fact, 0));
	}
	fact = mac_news(NEWS_FACTS);
	assert_false(news_put_fact(news, &fact, 0));
	assert_int_equal(atomic_load(&news->n_lost), 1);
	assert_true(news_get_fact(news, &got));
	assert_true(news_put_fact(news, &fact, 0));
	while (news_get_fact(news, &got))
		continue;
	assert_int_equal(got.fdb.mac.b[4], NEWS_FACTS >> 8);
	news_uninit(news);
	free(news);
}

static void no_port_takes_more_than_its_share(void **state)
{
	struct news_ring *news = xcalloc(1, sizeof *news);
	struct news_share greedy = {0}, modest = {0};
	struct rte_mbuf mbuf;
	struct news got;
	unsigned int n = 0;

	news_init(news);
	while (n < NEWS_PACKETS && news_put_packet(news, &greedy, NEWS_LEARN, &mbuf, NULL))
		n++;
	assert_in_range(n, NEWS_PACKETS / 2, NEWS_PACKETS * 3 / 4);
	for (unsigned int i = 0; i < NEWS_PACKETS / 8; i++)
		assert_true(news_put_packet(news, &modest, NEWS_LEARN, &mbuf, NULL));
	while (news_get_packet(news, &got))
		assert_ptr_equal(got.packet.mbuf, &mbuf);
	news_uninit(news);
	free(news);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_keeps_order_and_refuses_when_full),
		cmocka_unit_test(ring_carries_between_threads),
		cmocka_unit_test(one_new_mac_makes_one_news),
		cmocka_unit_test(full_ring_says_no_and_does_not_remember),
		cmocka_unit_test(no_port_takes_more_than_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
