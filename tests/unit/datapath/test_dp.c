/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath's front with real threads and devices: taps in a network namespace of the test's own. */
#include "tests/unit/datapath/xlate_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp_private.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/headers.h"
#include "lib/smap.h"
#include "tests/support/eal_fixture.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"
#include "tunnel/tnl_port.h"

#define WAIT_MS 20000	/* Of what must come; a PMD may wait long for its core. */

static struct event_loop *loop;
static unsigned int n_learned;
static struct fx *fx;
static struct pl_bridge *br;
static dp_port_t ports[5];
static int socks[5];

/* ------------------------------------------------------------------ helpers */

static void turn(void)
{
	event_run_once(loop, 2);
	dp_run();
}

/* Runs until CONDITION or too long. */
#define RUN_UNTIL(CONDITION)                                                                       \
	do {                                                                                       \
		int64_t end_ = clock_ms() + WAIT_MS;                                               \
		bool met_;                                                                         \
		while (!(met_ = (CONDITION)) && clock_ms() < end_)                                 \
			turn();                                                                    \
		assert_true(met_);                                                                 \
	} while (0)

static void run_ms(int ms)
{
	int64_t end = clock_ms() + ms;

	while (clock_ms() < end)
		turn();
}

static struct dp_port_event wait_event(enum dp_port_event_type type, dp_port_t port)
{
	int64_t end = clock_ms() + WAIT_MS;
	struct dp_port_event event;

	while (clock_ms() < end) {
		while (dp_port_event_next(&event))
			if (event.type == type && event.port == port)
				return event;
		turn();
	}
	fail_msg("no event %d for port %u", type, port);
	return event;
}

static dp_port_t open_tap(const char *name)
{
	struct dp_port_spec spec = {.name = name, .type = "internal"};
	dp_port_t port = dp_port_open(&spec);

	wait_event(DP_PORT_OPENED, port);
	assert_int_equal(run("ip link set %s up && echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6",
		name, name), 0);
	return port;
}

/* A socket that sends to the switch by device NAME, and gets what the switch sends there. */
static int open_socket(const char *name)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)), one = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof sll), 0);
	return fd;
}

static void send_frame(int i, const void *data, size_t len)
{
	assert_int_equal(send(socks[i], data, len, 0), len);
}

/* The next frame that the switch sent out of port I that has the LEN bytes at DATA at OFS; its
 * length, or 0 if none comes within MS. */
static size_t receive(int i, uint8_t *buf, size_t size, const uint8_t *data, size_t ofs, size_t len,
	int ms)
{
	int64_t end = clock_ms() + ms;

	do {
		ssize_t n = recv(socks[i], buf, size, 0);

		if (n > 0 && (size_t)n >= ofs + len && !memcmp(buf + ofs, data, len))
			return (size_t)n;
		if (n < 0)
			turn();
	} while (clock_ms() < end);
	return 0;
}

static bool arrives(int i, struct fx_packet p)
{
	uint8_t buf[2048];

	return receive(i, buf, sizeof buf, p.data, 0, p.len, WAIT_MS) == p.len;
}

static bool stays_away(int i, struct fx_packet p)
{
	uint8_t buf[2048];

	return !receive(i, buf, sizeof buf, p.data, 0, p.len, 100);
}

static struct pl_rule *add_rule(const char *match, int priority, struct act_builder *acts)
{
	return fx_rule(fx, br, 0, priority, match, acts);
}

static void clear_rules(void)
{
	while (fx->n_rules) {
		struct pl_rule *rule = fx->rules[--fx->n_rules];

		pl_rule_hide(fx->rule_bridges[fx->n_rules], rule, version_next());
		version_publish();
		pl_rule_changed(fx->rule_bridges[fx->n_rules], rule);
		pl_rule_remove(fx->rule_bridges[fx->n_rules], rule);
		/* Leaks nothing but time: PMDs may still read it. */
		rcu_synchronize();
		pl_rule_uninit(rule);
		free(rule);
	}
}

static enum xlate_learn_result learn(struct xlate_sink *sink, const struct xlate_learned *learned,
	bool *written)
{
	n_learned++;
	*written = true;
	return XLATE_LEARN_DONE;
}

/* ------------------------------------------------------------------ tests */

static void forwards_between_taps(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	struct dp_port_stats before[2], after[2];
	struct pl_rule *rule;

	fx_output(acts, 2);
	rule = add_rule("in_port=1,eth_type=0x0800", 10, acts);
	assert_true(dp_port_stats(ports[1], &before[0]));
	assert_true(dp_port_stats(ports[2], &before[1]));
	for (int i = 0; i < 20; i++) {
		send_frame(1, p.data, p.len);
		assert_true(arrives(2, p));
	}
	dp_sweep();
	assert_int_equal(counter_get(rule->counter).packets, 20);
	assert_int_equal(counter_get(rule->counter).bytes, 20 * p.len);
	assert_true(dp_port_stats(ports[1], &after[0]));
	assert_true(dp_port_stats(ports[2], &after[1]));
	assert_true(after[0].rx_packets - before[0].rx_packets >= 20);
	assert_int_equal(after[1].tx_packets - before[1].tx_packets, 20);
	assert_int_equal(after[1].tx_bytes - before[1].tx_bytes, 20 * p.len);
	clear_rules();
}

static void packet_out_goes_out_in_order(void **state)
{
	struct fx_packet p = fx_udp(5, 6);
	struct act_builder *acts = fx_acts();
	uint8_t buf[2048];

	fx_output(acts, 3);
	for (int i = 0; i < 50; i++) {
		p.data[p.len - 1] = (uint8_t)i;
		dp_packet_out(br, OFPP_CONTROLLER, NULL, (const struct act *)acts->buf.data,
			acts->buf.len, p.data, p.len);
	}
	for (int i = 0; i < 50; i++) {
		assert_int_equal(receive(3, buf, sizeof buf, p.data, 0, 40, WAIT_MS), p.len);
		assert_int_equal(buf[p.len - 1], i);
	}
}

static void packet_out_to_table_meets_the_rules(void **state)
{
	struct act_builder *out = fx_acts(), *acts = fx_acts();
	struct fx_packet p = fx_udp(5, 6);
	struct pl_rule *rule;

	fx_output(acts, 4);
	rule = add_rule("in_port=2,eth_type=0x0800", 10, acts);
	fx_output(out, OFPP_TABLE);
	dp_packet_out(br, 2, NULL, (const struct act *)out->buf.data, out->buf.len, p.data, p.len);
	assert_true(arrives(4, p));
	assert_int_equal(counter_get(rule->counter).packets, 1);
	clear_rules();
}

static void packet_in_reaches_control(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	struct act_controller *to = act_put(acts, ACT_CONTROLLER, sizeof *to + 3);
	struct dp_punt punt = {0};

	to->max_len = 64;
	to->reason = 1;
	to->userdata_len = 3;
	memcpy(to->userdata, "\x01\x02\x03", 3);
	add_rule("in_port=1,eth_type=0x0800", 10, acts);
	for (int i = 0; i < 3; i++) {
		send_frame(1, p.data, p.len);
		RUN_UNTIL(dp_punt_next(&punt));
		assert_int_equal(punt.frame_len, p.len);
		assert_memory_equal(punt.frame, p.data, p.len);
		assert_int_equal(punt.punt.bridge, br->id);
		assert_int_equal(punt.punt.metadata.in_port, 1);
		assert_int_equal(punt.punt.userdata_len, 3);
		assert_memory_equal(punt.userdata, "\x01\x02\x03", 3);
		assert_false(dp_punt_next(&punt));
	}
	clear_rules();
}

static void normal_learns(void **state)
{
	struct fx_packet there = fx_udp(1, 2), back = fx_udp(2, 1);
	struct act_builder *acts = fx_acts();

	fx_output(acts, OFPP_NORMAL);
	add_rule("eth_type=0x0800", 10, acts);
	send_frame(1, there.data, there.len);
	assert_true(arrives(2, there));
	assert_true(arrives(3, there));
	RUN_UNTIL(fdb_count(br->fdb) == 1);
	send_frame(2, back.data, back.len);
	assert_true(arrives(1, back));
	assert_true(stays_away(3, back));
	RUN_UNTIL(fdb_count(br->fdb) == 2);
	send_frame(1, there.data, there.len);
	assert_true(arrives(2, there));
	assert_true(stays_away(3, there));
	fdb_flush(br->fdb);
	clear_rules();
}

static void learning_packet_goes_by_control(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	struct act_learn *act = act_put(acts, ACT_LEARN, sizeof *act);
	struct pl_rule *rule;

	act->table_id = 9;
	act->priority = 5;
	fx_output(acts, 3);
	rule = add_rule("in_port=1,eth_type=0x0800", 10, acts);
	n_learned = 0;
	send_frame(1, p.data, p.len);
	assert_true(arrives(3, p));
	assert_true(n_learned >= 1);
	dp_sweep();
	assert_int_equal(counter_get(rule->counter).packets, 1);
	clear_rules();
}

static void hold_keeps_packets_back(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();

	fx_output(acts, 2);
	add_rule("in_port=1,eth_type=0x0800", 10, acts);
	dp_hold(true);
	run_ms(20);
	send_frame(1, p.data, p.len);
	assert_true(stays_away(2, p));
	dp_hold(false);
	assert_true(arrives(2, p));
	clear_rules();
}

static void port_comes_and_goes(void **state)
{
	struct dp_port_spec bad = {.name = "nope0", .type = "system"};
	struct dp_port_event event;
	dp_port_t port, again;

	port = open_tap("extra");
	assert_string_equal(dp_port_name(port), "extra");
	assert_true(if_nametoindex("extra") > 0);
	dp_port_set_mtu(port, 1400);
	event = wait_event(DP_PORT_CHANGED, port);
	for (int i = 0; i < 10 && event.info.mtu != 1400; i++)
		event = wait_event(DP_PORT_CHANGED, port);
	assert_int_equal(event.info.mtu, 1400);
	dp_port_close(port);
	wait_event(DP_PORT_CLOSED, port);
	assert_int_equal(if_nametoindex("extra"), 0);
	assert_null(dp_port_name(port));

	again = dp_port_open(&bad);
	event = wait_event(DP_PORT_FAILED, again);
	assert_int_not_equal(event.error[0], 0);

	/* A number is nobody else's while there is news about it. */
	port = dp_port_open(&bad);
	RUN_UNTIL(!dp_port_name(port));
	again = dp_port_open(&bad);
	assert_int_not_equal(again, port);
	wait_event(DP_PORT_FAILED, port);
	wait_event(DP_PORT_FAILED, again);

	/* Closed before it was open. */
	port = dp_port_open(&(struct dp_port_spec){.name = "extra", .type = "internal"});
	dp_port_close(port);
	wait_event(DP_PORT_CLOSED, port);
}

static double thread_cpu(pthread_t thread)
{
	struct timespec ts;
	clockid_t clock;

	pthread_getcpuclockid(thread, &clock);
	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void idle_pmd_rests_and_wakes(void **state)
{
	struct smap options;
	struct dp_port_spec spec = {.name = "null0", .type = "dpdk", .options = &options};
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	dp_port_t port;
	double before;

	fx_output(acts, 2);
	add_rule("in_port=1,eth_type=0x0800", 10, acts);
	run_ms(100);
	before = thread_cpu(dp.pmds[0]->thread);
	run_ms(500);
	/* Aim: 3 % of a core; five times that on a busy machine. */
	assert_true(thread_cpu(dp.pmds[0]->thread) - before < 0.5 * 0.15);

	/* With a device that can only be polled. */
	smap_init(&options);
	smap_set(&options, "dpdk-devargs", "net_null7,no-rx=1");
	port = dp_port_open(&spec);
	wait_event(DP_PORT_OPENED, port);
	run_ms(100);
	before = thread_cpu(dp.pmds[0]->thread);
	run_ms(1000);
	assert_true(thread_cpu(dp.pmds[0]->thread) - before < 1.0 * 0.15);
	send_frame(1, p.data, p.len);
	assert_true(arrives(2, p));
	dp_port_close(port);
	wait_event(DP_PORT_CLOSED, port);
	smap_uninit(&options);
	clear_rules();
}

static void texts_are_made(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	static const struct dp_pmd_format all;
	struct sbuf s = SBUF_INITIALIZER;

	fx_output(acts, 2);
	add_rule("in_port=1,eth_type=0x0800,ip_dst=10.1.0.0/255.255.0.0", 10, acts);
	dp_purge();
	run_ms(20);
	send_frame(1, p.data, p.len);
	send_frame(1, p.data, p.len);
	assert_true(arrives(2, p));
	assert_true(arrives(2, p));
	dp_format_paths(&(struct dp_paths_format) {.names = true}, &s);
	assert_non_null(strstr(sbuf_cstr(&s), "recirc_id(0),in_port(p1),packet_type(ns=0,id=0)"));
	assert_non_null(strstr(sbuf_cstr(&s), "eth_type(0x0800),ipv4(dst=10.1.0.0/255.255.0.0"));
	assert_non_null(strstr(sbuf_cstr(&s), "packets:2, "));
	assert_non_null(strstr(sbuf_cstr(&s), "actions:p2\n"));
	sbuf_clear(&s);
	dp_format_paths(&(struct dp_paths_format) {.bridge = "no-such-bridge"}, &s);
	assert_int_equal(s.len, 0);
	dp_format_pmd_stats(&all, &s);
	assert_non_null(strstr(sbuf_cstr(&s), "pmd thread numa_id 0 core_id"));
	assert_non_null(strstr(sbuf_cstr(&s), "main thread:"));
	sbuf_clear(&s);
	dp_format_pmd_stats(&(struct dp_pmd_format) {.by_core = true, .core = 999}, &s);
	assert_int_equal(s.len, 0);
	dp_format_pmd_rxq(&(struct dp_pmd_format) {.seconds = 7}, &s);
	assert_non_null(strstr(sbuf_cstr(&s), "Displaying last 10 seconds"));
	sbuf_clear(&s);
	dp_format_pmd_perf(&all, &s);
	assert_non_null(strstr(sbuf_cstr(&s), "Rx packets:"));
	sbuf_clear(&s);
	dp_format_pmd_rxq(&all, &s);
	assert_non_null(strstr(sbuf_cstr(&s), "  port: p1                queue-id:  0 (enabled)"));
	sbuf_uninit(&s);
	clear_rules();
}

static void pmds_move_while_running(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct act_builder *acts = fx_acts();
	struct pl_rule *rule;
	char *error = NULL;

	fx_output(acts, 2);
	rule = add_rule("in_port=1,eth_type=0x0800", 10, acts);
	send_frame(1, p.data, p.len);
	assert_true(arrives(2, p));
	assert_int_equal(dp_reconfigure(&(struct dp_config){.pmd_cpu_mask = "zz"}, &error), -EINVAL);
	free(error);
	assert_int_equal(dp_reconfigure(&(struct dp_config){.pmd_cpu_mask = "0x3"}, &error), 0);
	assert_true(dp.n_pmds >= 1);
	send_frame(1, p.data, p.len);
	assert_true(arrives(2, p));
	assert_int_equal(dp_reconfigure(&(struct dp_config){.pmd_cpu_mask = "1"}, &error), 0);
	assert_int_equal(dp.n_pmds, 1);
	send_frame(1, p.data, p.len);
	assert_true(arrives(2, p));
	dp_sweep();
	assert_int_equal(counter_get(rule->counter).packets, 3);
	clear_rules();
}

/* ------------------------------------------------------------------ tunnels */

static struct ipv6_addr v4(const char *text)
{
	struct ipv6_addr addr = {.w64 = {0, 0}};

	addr.w16[5] = 0xffff;
	inet_pton(AF_INET, text, &addr.w32[3]);
	return addr;
}

/* br0's own port p4 carries 10.9.0.1: packets to the tunnel wait until 10.9.0.2 was found by ARP, at p3. */
static void packets_wait_for_the_neighbour(void **state)
{
	struct fx_packet p = fx_udp(1, 2);
	struct tnl_config config = {.type = TNL_VXLAN, .dst_port = htobe16(4789),
		.out_key_present = true, .out_key = htobe64(5), .in_key_present = true,
		.in_key = htobe64(5), .remote = v4("10.9.0.2")};
	dp_port_t tunnel = dp_port_alloc("vx0");
	struct pl_bridge_conf *conf = fx_conf(br);
	struct act_builder *acts = fx_acts(), *normal = fx_acts();
	static const uint8_t peer[6] = {0x02, 0xcc, 0, 0, 0, 1};
	const struct tnl_port *tnl;
	struct route_hop hop;
	struct pl_port *port;
	uint8_t buf[2048], reply[60] = {0};

	assert_int_equal(run("ip addr add 10.9.0.1/24 dev p4"), 0);
	assert_int_equal(tnl_port_add(&config, tunnel, "vx0", &tnl), 0);
	conf->ports[3].ofp_port = OFPP_LOCAL;
	memcpy(conf->mac.b, conf->ports[3].mac.b, 6);
	port = fx_add_port(br, conf, 9, PL_PORT_TUNNEL, "vx0");
	port->dp_port = tunnel;
	port->tunnel = tnl;
	port->rx_counter = counter_alloc();
	port->tx_counter = counter_alloc();
	pl_bridge_set_conf(br, conf);
	RUN_UNTIL(route_lookup_addr(&config.remote, &hop) && !strcmp(hop.dev, "p4"));

	fx_output(acts, 9);
	add_rule("in_port=1,eth_type=0x0800", 10, acts);
	fx_output(normal, OFPP_NORMAL);
	add_rule("", 1, normal);
	for (int i = 0; i < 3; i++)
		send_frame(1, p.data, p.len);

	/* The question comes out of p3. */
	assert_true(receive(3, buf, sizeof buf, (const uint8_t *)"\x08\x06\x00\x01\x08\x00", 12, 6,
		WAIT_MS) >= 42);
	assert_memory_equal(buf + 38, "\x0a\x09\x00\x02", 4);
	memcpy(reply, buf + 6, 6);
	memcpy(reply + 6, peer, 6);
	memcpy(reply + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10);
	memcpy(reply + 22, peer, 6);
	memcpy(reply + 28, "\x0a\x09\x00\x02", 4);
	memcpy(reply + 32, buf + 22, 10);
	send_frame(3, reply, sizeof reply);

	/* All that waited, and the next, are sent in VXLAN. */
	send_frame(1, p.data, p.len);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(receive(3, buf, sizeof buf, p.data, 50, p.len, WAIT_MS),
			p.len + 50);
		assert_memory_equal(buf, peer, 6);
		assert_memory_equal(buf + 36, "\x12\xb5", 2);
	}
	clear_rules();
}

/* ------------------------------------------------------------------ set up */

static int set_up(void **state)
{
	static struct xlate_sink sink = {.learn = learn};
	struct dp_config config = {.dpdk_extra = "--no-huge", .n_mbufs = 8191, .pmd_cpu_mask = "1"};
	struct pl_bridge_conf *conf;
	char *error = NULL;

	loop = event_loop_create();
	if (dp_init(&config, loop, &sink, &error) || dp_start_wait(&error)) {
		fprintf(stderr, "%s\n", error);
		exit(77);
	}
	assert_int_equal(route_init(loop, NULL), 0);
	fx = fx_create();
	br = pl_bridge_create("br0");
	fx->bridges[fx->n_bridges++] = br;
	conf = pl_bridge_conf_create();
	for (int i = 1; i <= 4; i++) {
		char name[16];
		struct pl_port *port;

		snprintf(name, sizeof name, "p%d", i);
		ports[i] = open_tap(name);
		socks[i] = open_socket(name);
		port = fx_add_port(br, conf, (ofp_port_t)i, PL_PORT_DEVICE, name);
		port->dp_port = ports[i];
		port->is_internal = true;
		port->mac = dp_device(ports[i])->info.mac;
	}
	pl_bridge_set_conf(br, conf);
	return 0;
}

static int tear_down(void **state)
{
	for (int i = 1; i <= 4; i++)
		close(socks[i]);
	clear_rules();
	dp_uninit();
	fx_destroy(fx);
	route_uninit();
	event_loop_destroy(loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_between_taps),
		cmocka_unit_test(packet_out_goes_out_in_order),
		cmocka_unit_test(packet_out_to_table_meets_the_rules),
		cmocka_unit_test(packet_in_reaches_control),
		cmocka_unit_test(normal_learns),
		cmocka_unit_test(learning_packet_goes_by_control),
		cmocka_unit_test(hold_keeps_packets_back),
		cmocka_unit_test(port_comes_and_goes),
		cmocka_unit_test(idle_pmd_rests_and_wakes),
		cmocka_unit_test(texts_are_made),
		cmocka_unit_test(pmds_move_while_running),
		cmocka_unit_test(packets_wait_for_the_neighbour),
	};

	netns_fixture_enter();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
