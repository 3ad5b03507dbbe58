/* SPDX-License-Identifier: Apache-2.0 */

/* Meters: rates, bursts, bands, several threads at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "datapath/pipeline/meter.h"
#include "datapath/pipeline/pipeline.h"
#include "lib/rcu.h"

static struct pl_bridge *bridge;

static int setup(void **state)
{
	bridge = pl_bridge_create("br0");
	return 0;
}

static int teardown(void **state)
{
	pl_bridge_destroy(bridge);
	rcu_synchronize();
	return 0;
}

static struct pl_meter *make(uint16_t flags, uint32_t rate, uint32_t burst)
{
	struct pl_meter *meter = calloc(1, sizeof *meter);

	meter->id = 1;
	meter->flags = flags;
	meter->n_bands = 1;
	meter->bands[0].type = METER_BAND_DROP;
	meter->bands[0].rate = rate;
	meter->bands[0].burst = burst;
	pl_meter_set(bridge, meter);
	return meter;
}

/* Offers N packets of BYTES over SPAN_US; returns how many passed. */
static unsigned int offer(struct pl_meter *meter, unsigned int n, uint32_t bytes, int64_t start_us,
	int64_t span_us)
{
	unsigned int passed = 0;
	uint8_t prec;

	for (unsigned int i = 0; i < n; i++)
		passed += meter_run(meter, bytes, start_us + span_us * i / n, &prec) == METER_PASS;
	return passed;
}

static void assert_about(unsigned int value, unsigned int expected)
{
	assert_in_range(value, expected * 98 / 100, expected * 102 / 100 + 1);
}

static void test_packet_rate(void **state)
{
	static const uint32_t rates[] = {1, 7, 1000, 12345, 1000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct pl_meter *meter = make(METER_PKTPS | METER_BURST, rates[i], 1);
		int64_t t0 = meter->bands[0].last_us;

		/* Ten times as many as may pass, for a second and another. */
		assert_about(offer(meter, rates[i] * 10, 60, t0, 1000000), rates[i] + (rates[i] < 100));
		assert_about(offer(meter, rates[i] * 10, 60, t0 + 1000000, 1000000), rates[i]);
	}
}

static void test_bit_rate(void **state)
{
	/* 8000 kb/s are 1000 packets of 1000 bytes. */
	struct pl_meter *meter = make(METER_KBPS | METER_BURST, 8000, 8);
	int64_t t0 = meter->bands[0].last_us;

	assert_about(offer(meter, 5000, 1000, t0, 1000000), 1000);
	assert_about(offer(meter, 50000, 100, t0 + 1000000, 1000000), 10000);
	/* Below the rate, everything passes. */
	assert_int_equal(offer(meter, 900, 1000, t0 + 3000000, 1000000), 900);
	assert_int_equal(meter->packets, 55900);
	assert_int_equal(meter->bytes, 5000 * 1000 + 50000 * 100 + 900 * 1000);
}

static void test_burst(void **state)
{
	struct pl_meter *meter = make(METER_PKTPS | METER_BURST, 100, 30);
	int64_t t0 = meter->bands[0].last_us;

	/* The burst that was asked for, not more; full again after a pause however long. */
	assert_int_equal(offer(meter, 100, 60, t0, 0), 30);
	assert_int_equal(offer(meter, 100, 60, t0 + 100000, 0), 10);
	assert_int_equal(offer(meter, 100, 60, t0 + INT64_C(4000000000000), 0), 30);
	/* None given: a second's worth. */
	meter = make(METER_PKTPS, 100, 0);
	assert_int_equal(offer(meter, 1000, 60, meter->bands[0].last_us, 0), 100);
	/* ... or a tenth of one where packets are only told apart. */
	meter = make(METER_PKTPS, 100, 0);
	meter->bands[0].type = METER_BAND_DSCP_REMARK;
	meter_start(meter, meter->bands[0].last_us);
	assert_int_equal(offer(meter, 1000, 60, meter->bands[0].last_us, 0), 10);
}

/* A packet longer than the burst passes now and then: the rate holds over time. */
static void test_packet_beyond_burst(void **state)
{
	struct pl_meter *meter = make(METER_KBPS | METER_BURST, 8000, 8);
	int64_t t0 = meter->bands[0].last_us;

	assert_about(offer(meter, 10000, 50000, t0, 10000000), 201);
}

static void test_bands(void **state)
{
	struct pl_meter *meter = make(METER_PKTPS | METER_BURST, 1000, 1000);
	int64_t t0;
	unsigned int n[3] = {0};
	uint8_t prec = 0;

	meter->n_bands = 2;
	meter->bands[1].type = METER_BAND_DSCP_REMARK;
	meter->bands[1].prec_level = 2;
	meter->bands[1].rate = 500;
	meter->bands[1].burst = 500;
	t0 = meter->bands[0].last_us;
	meter->bands[1].tokens = 500000000;
	meter->bands[1].last_us = t0;
	for (int i = 0; i < 1500; i++)
		n[meter_run(meter, 60, t0, &prec)]++;
	/* Of those that are exceeded, the higher rate applies. */
	assert_int_equal(n[METER_PASS], 500);
	assert_int_equal(n[METER_REMARK], 500);
	assert_int_equal(n[METER_DROP], 500);
	assert_int_equal(prec, 2);
	assert_int_equal(meter->bands[0].packets, 500);
	assert_int_equal(meter->bands[1].packets, 500);
	assert_int_equal(meter->bands[1].bytes, 500 * 60);
}

struct worker {
	pthread_t thread;
	struct pl_meter *meter;
	unsigned int passed;
};

static void *work(void *w_)
{
	struct worker *w = w_;

	w->passed = offer(w->meter, 200000, 60, w->meter->created_ms, 1000000);
	return NULL;
}

/* Tokens neither get lost nor are given twice. */
static void test_threads(void **state)
{
	struct pl_meter *meter = make(METER_PKTPS | METER_BURST, 50000, 10);
	struct worker workers[2];
	unsigned int passed = 0;

	meter->created_ms = meter->bands[0].last_us;
	for (int i = 0; i < 2; i++) {
		workers[i].meter = meter;
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(workers[i].thread, NULL);
		passed += workers[i].passed;
	}
	/* Threads that run one after the other find an empty bucket whose time stands still. */
	assert_in_range(passed, 50000 * 98 / 100, 50000 * 102 / 100);
	assert_int_equal(meter->packets, 400000);
	assert_int_equal(meter->bands[0].packets, 400000 - passed);
}

static void test_table(void **state)
{
	struct pl_meter *meter = make(METER_PKTPS, 10, 0);

	offer(meter, 3, 100, meter->bands[0].last_us, 0);
	assert_ptr_equal(pl_meter_lookup(bridge, 1), meter);
	assert_null(pl_meter_lookup(bridge, 2));
	meter = make(METER_PKTPS, 20, 0);
	assert_ptr_equal(pl_meter_lookup(bridge, 1), meter);
	assert_int_equal(meter->packets, 3);
	assert_true(pl_meter_remove(bridge, 1));
	assert_false(pl_meter_remove(bridge, 1));
	assert_null(pl_meter_lookup(bridge, 1));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_packet_rate),
		TEST(test_bit_rate),
		TEST(test_burst),
		TEST(test_packet_beyond_burst),
		TEST(test_bands),
		TEST(test_threads),
		TEST(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
