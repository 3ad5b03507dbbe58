/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of sluice-bench: statistics, the search for a rate, mixes of frames, plots, goals. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "lib/util.h"
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/goal.h"
#include "tools/sluice-bench/scenario.h"
#include "tools/sluice-bench/search.h"
#include "tools/sluice-bench/svg.h"

/* ------------------------------------------------------------------ figures */

static void spreads(void **state)
{
	const double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, holes[] = {NAN, 5, NAN}, none[] = {NAN};
	struct spread s = {0};

	(void)state;
	assert_true(spread_of(odd, 3, &s));
	assert_true(s.median == 2 && s.min == 1 && s.max == 3);
	assert_true(spread_of(even, 4, &s));
	assert_true(s.median == 2.5 && s.min == 1 && s.max == 4);
	assert_true(spread_of(holes, 3, &s));
	assert_true(s.median == 5 && s.min == 5 && s.max == 5);
	assert_false(spread_of(none, 1, &s));
	assert_false(spread_of(NULL, 0, &s));
	assert_true(s.median == 5);
}

static void percentiles(void **state)
{
	double values[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		values[i] = 100 - i;
	assert_true(percentile_of(values, 100, 0.5) == 50);
	assert_true(percentile_of(values, 100, 0.99) == 99);
	assert_true(percentile_of(values, 100, 1) == 100);
	assert_true(percentile_of(values, 100, 0) == 1);
	assert_true(percentile_of(values, 1, 0.99) == 1);
	assert_true(isnan(percentile_of(values, 0, 0.5)));
}

static void every_figure_has_a_key(void **state)
{
	(void)state;
	for (int f = 0; f < N_FIGURES; f++) {
		assert_non_null(figure_infos[f].key);
		for (int g = 0; g < f; g++)
			assert_string_not_equal(figure_infos[f].key, figure_infos[g].key);
	}
}

/* ------------------------------------------------------------------ search */

struct device {
	double capacity;	/* Above it, what exceeds it is lost. */
	unsigned int n_probes;
};

static double device_loss(double rate, void *aux)
{
	struct device *device = aux;

	device->n_probes++;
	return rate > device->capacity ? (rate - device->capacity) / rate : 0;
}

static double broken(double rate, void *aux)
{
	(void)rate;
	(void)aux;
	return -1;
}

static void searches(void **state)
{
	struct device device = {.capacity = 7.3};
	double ndr = search_rate(20, 0, 10, device_loss, &device);
	double pdr;

	(void)state;
	assert_true(ndr <= 7.3 && ndr > 7.3 - 20 / 1024.0);
	assert_int_equal(device.n_probes, 11);
	/* Ten percent may be lost: a ninth more than what gets through. */
	pdr = search_rate(20, 0.1, 10, device_loss, &device);
	assert_true(pdr <= 7.3 / 0.9 && pdr > 7.3 / 0.9 - 20 / 1024.0);
	/* Nothing is lost at the highest: one probe is enough. */
	device = (struct device){.capacity = 30};
	assert_true(search_rate(20, 0, 10, device_loss, &device) == 20);
	assert_int_equal(device.n_probes, 1);
	device = (struct device){.capacity = 0};
	assert_true(search_rate(20, 0, 10, device_loss, &device) == 0);
	assert_true(search_rate(20, 0, 10, broken, NULL) < 0);
}

/* ------------------------------------------------------------------ traffic */

static void one_frame(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	struct frame_spec spec = {.vlan = -1, .nw_src = 1, .nw_dst = 2, .len = len};
	struct frame_ofs ofs;

	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = params->n_flows;
}

/* 7 : 4 : 1, evenly mixed, each frame with a header that sums up. */
static void imix(void **state)
{
	struct scenario_params params = {.n_flows = 5, .frame_size = 0};
	struct bench_traffic *traffic = calloc(1, sizeof *traffic);
	unsigned int n60 = 0, n590 = 0, n1514 = 0, longest_run = 0, length = 0;
	uint8_t frame[BENCH_FRAME_MAX];

	(void)state;
	scenario_traffic(traffic, &params, one_frame);
	assert_int_equal(bench_traffic_turn(traffic), 12);
	for (unsigned int i = 0; i < 1200; i++) {
		uint32_t len = bench_traffic_frame(traffic, i, frame);

		n60 += len == 60;
		n590 += len == 590;
		n1514 += len == 1514;
		length = len == 60 ? length + 1 : 0;
		longest_run = MAX(longest_run, length);
		assert_null(frame_check_ip(frame, len));
	}
	assert_int_equal(n60, 700);
	assert_int_equal(n590, 400);
	assert_int_equal(n1514, 100);
	assert_true(longest_run <= 4);
	params.frame_size = 512;
	scenario_traffic(traffic, &params, one_frame);
	assert_int_equal(traffic->n_streams, 1);
	assert_int_equal(bench_traffic_frame(traffic, 0, frame), 508);
	free(traffic);
}

/* Every attacker differs from what is allowed in one bit, and those below, of three fields. */
static void explosion(void **state)
{
	static const struct scenario_variant fresh = {"10%-fresh", .percent = 10, .fresh = true};
	struct scenario_params params = {.n_flows = 100, .frame_size = 64, .variant = &fresh};
	const struct conf_port *source;
	struct bench_traffic *attack;
	unsigned int n_victims = 0;
	uint8_t frame[BENCH_FRAME_MAX];
	struct conf conf;

	(void)state;
	conf_init(&conf);
	scenario_tse.build(&conf, &params);
	source = &conf.ports.items[0];
	attack = source->attack;
	assert_non_null(attack);
	for (unsigned int i = 0; i < 10000; i++) {
		uint32_t len = bench_traffic_frame(attack, i, frame);
		bool victim = frame_get16(frame, 36) == 80;

		assert_null(frame_check_ip(frame, len));
		assert_int_equal(len, 60);
		n_victims += victim;
		if (victim)
			assert_int_equal(frame_get32(frame, 30), 0x0a900001);
		else
			assert_true(frame_get32(frame, 26) != 0x0a00000a &&
				frame_get32(frame, 30) != 0x0a80000a);
	}
	assert_int_equal(n_victims, 9000);
	conf_uninit(&conf);
}

/* Building any of them works, and its sources have frames. */
static void every_scenario(void **state)
{
	const struct scenario_variant *variant;
	uint8_t frame[BENCH_FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < n_scenarios; i++)
		for (size_t v = 0; (variant = scenario_variant(scenario_get(i), v)); v++) {
			struct scenario_params params = {100, 64, variant};
			const struct conf_port *port;
			unsigned int n_sources = 0;
			struct conf conf;

			conf_init(&conf);
			scenario_get(i)->build(&conf, &params);
			VEC_FOR_EACH (port, &conf.ports) {
				if (port->role != CONF_SOURCE)
					continue;
				n_sources++;
				assert_true(bench_traffic_frame(port->traffic, 7, frame) >= 60);
			}
			assert_true(n_sources > 0 && conf.loops.n > 0);
			conf_uninit(&conf);
			assert_ptr_equal(scenario_find_variant(scenario_get(i), variant->name), variant);
		}
	assert_null(scenario_find("nonsense"));
	assert_null(scenario_find_variant(scenario_get(0), "nonsense"));
}

/* ------------------------------------------------------------------ plots */

static void bars(void **state)
{
	const char *const names[SVG_SERIES] = {"a & b", "<peer>"};
	struct svg_bar bar[2] = {
		{"p2p \"1\"", {{true, 10, 9, 12}, {true, 20, 18, 22}}},
		{"acl", {{true, 5, 5, 5}}},
	};
	struct sbuf s = SBUF_INITIALIZER;

	(void)state;
	svg_bars(&s, "title", "unit", names, bar, 2);
	assert_non_null(strstr(sbuf_cstr(&s), "<svg xmlns="));
	assert_true(sbuf_ends_with(&s, "</svg>\n"));
	assert_non_null(strstr(sbuf_cstr(&s), "a &amp; b"));
	assert_non_null(strstr(sbuf_cstr(&s), "&lt;peer&gt;"));
	assert_non_null(strstr(sbuf_cstr(&s), "p2p &quot;1&quot;"));
	/* 610 pixels are 22. */
	assert_non_null(strstr(sbuf_cstr(&s), "width=\"277.3\""));
	assert_null(strstr(sbuf_cstr(&s), "nan"));
	assert_null(strstr(sbuf_cstr(&s), "logarithmic"));
	bar[1].series[0].value = bar[1].series[0].max = 100000;
	sbuf_clear(&s);
	svg_bars(&s, "title", "unit", names, bar, 2);
	assert_non_null(strstr(sbuf_cstr(&s), "logarithmic"));
	sbuf_clear(&s);
	svg_bars(&s, "title", "unit", names, NULL, 0);
	assert_true(sbuf_ends_with(&s, "</svg>\n"));
	sbuf_uninit(&s);
}

static void lines(void **state)
{
	const struct svg_point points[] = {{0, 1}, {86400, 2}};
	const struct svg_line line[] = {{"p2p", points, 2}, {"empty", NULL, 0}};
	struct sbuf s = SBUF_INITIALIZER;

	(void)state;
	svg_lines(&s, "title", "unit", line, 2);
	assert_non_null(strstr(sbuf_cstr(&s), "1970-01-01 00:00"));
	assert_non_null(strstr(sbuf_cstr(&s), "1970-01-02 00:00"));
	assert_non_null(strstr(sbuf_cstr(&s), "points=\"60.0,270.0 940.0,60.0\""));
	sbuf_clear(&s);
	svg_lines(&s, "title", "unit", NULL, 0);
	assert_null(strstr(sbuf_cstr(&s), "nan"));
	assert_null(strstr(sbuf_cstr(&s), "inf"));
	sbuf_uninit(&s);
}

/* ------------------------------------------------------------------ goals */

static struct measure_result *result_of(enum figure figure, double value)
{
	struct measure_result *r = calloc(1, sizeof *r);

	r->n_trials = 1;
	r->hugepages = true;
	for (int f = 0; f < N_FIGURES; f++)
		r->figures[f][0] = NAN;
	r->figures[figure][0] = value;
	return r;
}

static void verdicts(void **state)
{
	struct goal goal = {"p2p", "", 1, FIGURE_MPPS, true, 10, FIGURE_MPPS, false, 1.5};
	struct measure_result *ours = result_of(FIGURE_MPPS, 12), *theirs = result_of(FIGURE_MPPS, 6);

	(void)state;
	assert_int_equal(goal_own(&goal, ours), GOAL_MET);
	assert_true(goal_ratio(&goal, ours, theirs) == 2);
	assert_int_equal(goal_versus(&goal, ours, theirs), GOAL_MET);
	theirs->figures[FIGURE_MPPS][0] = 9;
	assert_int_equal(goal_versus(&goal, ours, theirs), GOAL_MISSED);
	ours->hugepages = false;
	assert_int_equal(goal_own(&goal, ours), GOAL_UNKNOWN);
	assert_int_equal(goal_versus(&goal, ours, theirs), GOAL_UNKNOWN);
	ours->hugepages = true;
	goal.at_least = false;
	goal.less_is_better = true;
	assert_int_equal(goal_own(&goal, ours), GOAL_MISSED);
	assert_true(goal_ratio(&goal, ours, theirs) == 0.75);
	goal.limit = goal.ratio = 0;
	assert_int_equal(goal_own(&goal, ours), GOAL_NONE);
	assert_int_equal(goal_versus(&goal, ours, theirs), GOAL_NONE);
	/* Lost packets win nothing. */
	goal.limit = 100;
	goal.ratio = 0.1;
	strcpy(ours->fault, "packets are missing");
	assert_int_equal(goal_own(&goal, ours), GOAL_MISSED);
	assert_int_equal(goal_versus(&goal, ours, theirs), GOAL_MISSED);
	strcpy(ours->error, "no hugepages");
	assert_int_equal(goal_own(&goal, ours), GOAL_UNKNOWN);
	free(ours);
	free(theirs);
}

/* Each row of the comparison names what there is. */
static void goals_are_real(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_goals; i++) {
		const struct scenario *scenario = scenario_find(goals[i].scenario);

		assert_non_null(scenario);
		assert_non_null(scenario_find_variant(scenario, goals[i].variant));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spreads),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(every_figure_has_a_key),
		cmocka_unit_test(searches),
		cmocka_unit_test(imix),
		cmocka_unit_test(explosion),
		cmocka_unit_test(every_scenario),
		cmocka_unit_test(bars),
		cmocka_unit_test(lines),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(goals_are_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
