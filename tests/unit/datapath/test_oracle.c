/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whole pipelines against the naive switch: random bridges, rules and packets; translated and executed
 * anew for each packet, and from whatever earlier translation claims to hold for it still. Rules,
 * groups and ports change all the while.
 *
 * SLUICE_SEED=N runs one world with that seed, SLUICE_PACKETS=N another number of packets.
 */

#include "tests/unit/datapath/oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_PACKETS 100000
#define PACKETS_A_WORLD 400

static struct {
	unsigned int packets, compared, from_cache, empty, frames, plain;
} totals;

/* ------------------------------------------------------------------ comparison */

static int compare_frames(const void *a_, const void *b_)
{
	const struct naive_frame *a = a_, *b = b_;
	int diff;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	diff = memcmp(a->data, b->data, MIN(a->len, b->len));
	return diff ? diff : (int)a->len - (int)b->len;
}

static void print_frames(const char *title, const struct naive_result *result)
{
	for (unsigned int i = 0; i < MIN(result->n_frames, 20u); i++) {
		print_message("%s port %u:", title, result->frames[i].port);
		for (uint32_t j = 0; j < result->frames[i].len; j++)
			print_message("%s%02x", j % 4 ? "" : " ", result->frames[i].data[j]);
		print_message("\n");
	}
}

/* How the real switch got there: tables, actions, remarks. */
static void print_step(struct xlate_sink *sink, const struct xlate_report *r)
{
	const struct act *act;

	if (r->depth > 200)
		return;
	print_message("%*s", 2 * r->depth, "");
	if (r->kind == XLATE_REPORT_TABLE)
		print_message("table %u priority %d:", r->table_id, r->rule ? r->rule->cr.priority : -1);
	if (r->act)
		ACT_FOR_EACH (act, r->act, r->acts_len) {
			print_message(" %s", act_type_name((enum act_type)act->type));
			for (size_t i = sizeof *act; i < MIN(act->len, 40u); i++)
				print_message("%s%02x", i % 8 ? "" : " ", ((const uint8_t *)act)[i]);
		}
	print_message(" %s\n", r->text ? r->text : "");
}

static void print_trace(struct world *w, const struct frame *frame, unsigned int bridge,
	ofp_port_t port)
{
	struct xlate_sink sink = {.report = print_step};
	struct xlate_in in = {.version = version_get(), .bridge = w->bridges[bridge], .sink = &sink};
	struct packet packet;
	struct xlate_out out;
	struct flow flow;

	packet_init(&packet, (uint8_t *)(uintptr_t)frame->data, frame->len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	flow.in_port = port;
	in.flow = &flow;
	in.in_port = pl_port_from_ofp(pl_bridge_conf(in.bridge), port);
	in.packet_len = frame->len;
	xlate_out_init(&out);
	translate(&in, &out);
	xlate_out_uninit(&out);
}

static const struct op *running;
static uint32_t running_len;

static void run(struct world *w, const struct op *ops, uint32_t len, const struct frame *frame,
	ofp_port_t port)
{
	struct packet *packet = packet_heap_create(frame->data, frame->len);
	struct flow flow;

	w->real.n_frames = 0;
	w->real.unsupported = false;
	w->n_resumes = 0;
	running = ops;
	running_len = len;
	packet->in_port = port;
	flow_extract_limits(packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	execute(&w->env, ops, len, packet);
}

static void report(struct world *w, const struct frame *frame, unsigned int bridge,
	ofp_port_t port, unsigned int n, const char *what)
{
	struct sbuf s = SBUF_INITIALIZER;

	print_message("seed %" PRIu64 ", packet %u, %s, bridge %u port %u:", w->seed, n, what, bridge,
		port);
	for (uint32_t j = 0; j < frame->len; j++)
		print_message("%s%02x", j % 4 ? "" : " ", frame->data[j]);
	program_format(running, running_len, NULL, &s);
	print_message("\nprogram: %s\n", sbuf_cstr(&s));
	sbuf_uninit(&s);
	print_message("%u frames expected, %u came\n", w->naive_result.n_frames, w->real.n_frames);
	print_frames("expected", &w->naive_result);
	print_frames("got", &w->real);
	print_trace(w, frame, bridge, port);
	/* Once more, to see what resumed translations do. */
	w->sink.report = print_step;
	run(w, running, running_len, frame, 0);
}

/* Order between ports does not matter. */
static void compare(struct world *w, const struct frame *frame, unsigned int bridge, ofp_port_t port,
	unsigned int n, const char *what)
{
	struct naive_result *a = &w->naive_result, *b = &w->real;
	bool equal;

	if (a->unsupported || b->unsupported)
		return;
	qsort(a->frames, a->n_frames, sizeof a->frames[0], compare_frames);
	qsort(b->frames, b->n_frames, sizeof b->frames[0], compare_frames);
	equal = a->n_frames == b->n_frames;
	for (unsigned int i = 0; equal && i < a->n_frames; i++)
		equal = !compare_frames(&a->frames[i], &b->frames[i]);
	totals.compared++;
	if (equal)
		return;
	report(w, frame, bridge, port, n, what);
	fail();
}

static void cache(struct world *w, unsigned int bridge, const struct flow *flow)
{
	struct cached *c = &w->cached[oracle_rnd(N_CACHED)];

	free(c->ops);
	c->used = true;
	c->bridge = bridge;
	c->flow = *flow;
	xlate_mask(&w->out.wc, w->out.depth, &c->wc);
	c->seq = w->out.seq;
	c->n_deps = w->out.n_deps;
	memcpy(c->deps, w->out.deps, c->n_deps * sizeof c->deps[0]);
	c->len = program_len(&w->out.program);
	c->ops = xmemdup(program_ops(&w->out.program), c->len);
}

static bool holds(const struct cached *c, unsigned int bridge, const struct flow *flow)
{
	return c->used && c->bridge == bridge && flow_equal_masked(flow, &c->flow, &c->wc) &&
		dep_is_valid(c->seq, c->deps, c->n_deps);
}

/* The naive switch gave up on a packet half way: it may have missed a lesson. */
static void catch_up(struct world *w)
{
	naive_forget_macs(w->naive);
	for (unsigned int i = 0; i < N_BRIDGES; i++)
		for (const struct fdb_entry *e = NULL; (e = fdb_next(w->bridges[i]->fdb, e)) != NULL;)
			naive_learn_mac(w->naive, i, e->vlan, e->mac, e->port);
}

/* What the short way says, LOOK, is what translate() came to: OUT. */
static void check_plain(const struct xlate_in *in, const struct xlate_look *look,
	const struct xlate_out *out)
{
	uint16_t deps[2] = {dep_table(in->bridge->id, 0),
		dep_table_key(in->bridge->id, 0, look->trace.key_hash)};
	enum xlate_depth depth;
	struct flow wc;
	bool has_key;

	totals.plain++;
	assert_true(out->cacheable && !out->to_control);
	assert_true(xlate_look_wildcards(in, look, &wc, &depth, &has_key));
	assert_memory_equal(&wc, &out->wc, sizeof wc);
	assert_int_equal(depth, out->depth);
	assert_int_equal(out->n_counters, 1);
	assert_int_equal(out->counters[0].id, look->rule->counter);
	assert_int_equal(out->n_refreshes, 0);
	for (unsigned int d = 0; d < 1u + has_key; d++) {
		bool found = false;

		for (unsigned int i = 0; i < out->n_deps; i++)
			found |= out->deps[i] == deps[d];
		assert_true(found);
	}
}

static void one_packet(struct world *w, unsigned int n)
{
	unsigned int bridge = oracle_rnd(N_BRIDGES), i = oracle_rnd(N_PORTS + 1), n_hits = 0;
	const struct naive_port *port = &w->ports[bridge][i];
	struct cached *hits[N_CACHED];
	struct xlate_in in = {0};
	struct packet packet;
	struct xlate_look look;
	struct frame frame;
	struct flow flow;
	bool is_plain;

	oracle_frame(w, &frame);
	packet_init(&packet, frame.data, frame.len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &flow);
	flow.in_port = port->ofp_port;
	for (unsigned int j = 0; j < N_CACHED; j++)
		if (holds(&w->cached[j], bridge, &flow))
			hits[n_hits++] = &w->cached[j];

	in.version = version_get();
	in.flow = &flow;
	in.bridge = w->bridges[bridge];
	in.in_port = pl_port_get(port->dp_port);
	in.packet_len = frame.len;
	in.sink = &w->sink;
	w->n_learned = 0;
	flow.actset_output = OFPP_UNSET;
	is_plain = xlate_look(&in, &look) && xlate_look_decides(&in, &look);
	translate(&in, &w->out);
	if (is_plain)
		check_plain(&in, &look, &w->out);
	/* A path that holds has nothing to learn. */
	if (w->n_learned)
		assert_int_equal(n_hits, 0);
	naive_receive(w->naive, bridge, port->ofp_port, frame.data, frame.len, &w->naive_result);
	run(w, program_ops(&w->out.program), program_len(&w->out.program), &frame, port->dp_port);
	compare(w, &frame, bridge, port->ofp_port, n, "translated");
	totals.frames += w->real.n_frames;
	totals.empty += !w->real.n_frames;

	for (unsigned int j = 0; j < n_hits; j++) {
		run(w, hits[j]->ops, hits[j]->len, &frame, port->dp_port);
		compare(w, &frame, bridge, port->ofp_port, n, "from an earlier translation");
		totals.from_cache++;
	}
	if (w->naive_result.unsupported)
		catch_up(w);
	if (w->out.cacheable && !w->out.to_control)
		cache(w, bridge, &flow);
}

static void run_world(uint64_t seed, unsigned int n_packets)
{
	struct world *w = oracle_world_create(seed);

	oracle_new_frames(w);
	for (unsigned int i = 0; i < n_packets; i++) {
		if (oracle_chance(30))
			oracle_change_something(w);
		if (oracle_chance(40))
			oracle_change_what_matters(w);
		one_packet(w, i);
		totals.packets++;
	}
	oracle_world_destroy(w);
}

static void test_against_naive(void **state)
{
	const char *seed = getenv("SLUICE_SEED"), *packets = getenv("SLUICE_PACKETS");
	unsigned int n = packets ? (unsigned int)atoi(packets) : N_PACKETS;

	if (seed) {
		run_world(strtoull(seed, NULL, 0), PACKETS_A_WORLD);
	} else {
		for (uint64_t s = 1; totals.packets < n; s++)
			run_world(s, PACKETS_A_WORLD);
		/* Most were worth the while. */
		assert_true(totals.compared > n * 8 / 10);
		assert_true(totals.from_cache > n / 20);
		assert_true(totals.plain > n / 100);
		assert_true(totals.empty < n * 7 / 10);
	}
	print_message("%u packets, %u comparisons, %u from earlier translations, %u frames, "
		"%u packets without any, %u the short way\n", totals.packets, totals.compared,
		totals.from_cache, totals.frames, totals.empty, totals.plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_naive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
