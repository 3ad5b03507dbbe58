/* SPDX-License-Identifier: Apache-2.0 */

/* Routes against a kernel in a namespace of the test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"
#include "lib/rcu.h"
#include "tunnel/route.h"
#include "tunnel/route_command.h"
#include "tunnel/tnl_addr.h"

static struct ipv6_addr addr(const char *s)
{
	struct ipv6_addr a = {.w64 = {0, 0}};

	assert_true(tnl_addr_parse(s, &a));
	return a;
}

static void ip(const char *command)
{
	char line[200];

	snprintf(line, sizeof line, "ip %s", command);
	assert_int_equal(system(line), 0);
}

/* "dev src gateway" of the route to DST, or "none". */
static const char *lookup(const char *dst, uint32_t mark)
{
	static struct sbuf s = SBUF_INITIALIZER;
	const struct route_query query = {.dst = addr(dst), .mark = mark};
	struct route route;

	sbuf_clear(&s);
	if (!route_lookup(&query, &route))
		return "none";
	for (unsigned int i = 0; i < route.n_hops; i++) {
		sbuf_putf(&s, "%s%s ", i ? ", " : "", route.hops[i].dev);
		tnl_addr_format(&route.hops[i].src, &s);
		sbuf_putc(&s, ' ');
		tnl_addr_format(&route.hops[i].gateway, &s);
	}
	return sbuf_cstr(&s);
}

static const char *run(int (*command)(int, const char *[], char **), int argc, const char *argv[])
{
	static char text[100];
	char *error = NULL;

	if (!command(argc, argv, &error))
		return "OK";
	snprintf(text, sizeof text, "%s", error);
	free(error);
	return text;
}

#define ADD(...) run(route_add_manual, ARGS(__VA_ARGS__))
#define DEL(...) run(route_del_manual, ARGS(__VA_ARGS__))
#define ARGS(...)                                                                                  \
	(int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[])            \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static void test_kernel(void **state)
{
	struct ipv6_addr a = addr("10.0.0.1");
	struct eth_addr mac;
	char dev[16];

	ip("link set lo up");
	ip("link add br0 type veth peer name peer0");
	ip("link set peer0 up");
	/* No addresses by itself: their checks would be news at times. */
	ip("link set br0 address 02:00:00:00:00:aa mtu 1450 addrgenmode none");
	ip("link set br0 up");
	ip("addr add 10.0.0.1/24 dev br0");
	ip("addr add 10.0.9.1/24 dev br0");
	ip("-6 addr add fd00::1/64 dev br0 nodad");
	ip("route add 192.168.0.0/16 via 10.0.9.254");
	ip("route add 172.16.0.0/12 dev br0");
	ip("route add default via 10.0.0.253");
	ip("route add default via 10.0.0.252 metric 5");
	ip("route add 172.20.0.0/16 via 10.0.0.251 table 100");
	ip("rule add fwmark 5 table 100");
	ip("route add blackhole 203.0.113.0/24");
	ip("route add 198.51.100.0/24 nexthop via 10.0.0.7 nexthop via 10.0.9.8");
	ip("-6 route add default via fe80::1 dev br0");
	assert_int_equal(route_init(NULL, NULL), 0);

	assert_string_equal(lookup("10.0.0.2", 0), "br0 10.0.0.1 ::");
	assert_string_equal(lookup("10.0.9.2", 0), "br0 10.0.9.1 ::");
	assert_string_equal(lookup("192.168.3.4", 0), "br0 10.0.9.1 10.0.9.254");
	assert_string_equal(lookup("8.8.8.8", 0), "br0 10.0.0.1 10.0.0.253");
	assert_string_equal(lookup("172.20.0.1", 0), "br0 10.0.0.1 ::");
	assert_string_equal(lookup("198.51.100.1", 0), "br0 10.0.0.1 10.0.0.7, br0 10.0.9.1 10.0.9.8");
	assert_string_equal(lookup("fd00::7", 0), "br0 fd00::1 ::");
	/* A link-local gateway, but no link-local source for the world. */
	assert_string_equal(lookup("2001:db8::1", 0), "br0 fd00::1 fe80::1");
	assert_string_equal(lookup("127.0.0.1", 0), "lo 127.0.0.1 ::");
	/* The mark's own table first. */
	assert_string_equal(lookup("172.20.0.1", 5), "br0 10.0.0.1 10.0.0.251");
	assert_string_equal(lookup("10.0.0.2", 5), "br0 10.0.0.1 ::");
	assert_string_equal(lookup("172.20.0.1", 6), "br0 10.0.0.1 ::");

	assert_true(route_is_local(&a, dev));
	assert_string_equal(dev, "br0");
	a = addr("10.0.0.2");
	assert_false(route_is_local(&a, NULL));
	a = addr("fd00::1");
	assert_true(route_is_local(&a, NULL));
	assert_true(route_dev_mac("br0", &mac));
	assert_int_equal(mac.b[5], 0xaa);
	assert_false(route_dev_mac("br1", &mac));
	assert_true(route_local_address(0, &a, &mac));
	assert_false(route_local_address(99, &a, &mac));
	assert_false(route_reload());
}

static void test_manual(void **state)
{
	struct sbuf s = SBUF_INITIALIZER;
	char *error;

	assert_string_equal(ADD("10.0.0.128/25", "br0"), "OK");
	assert_string_equal(ADD("10.0.0.192/26", "br0", "10.0.0.7", "pkt_mark=7"), "OK");
	assert_string_equal(ADD("203.0.113.0/24", "br0", "10.0.9.9"), "OK");
	assert_string_equal(lookup("10.0.0.200", 0), "br0 10.0.0.1 ::");
	assert_string_equal(lookup("10.0.0.200", 7), "br0 10.0.0.1 10.0.0.7");
	assert_string_equal(lookup("203.0.113.1", 0), "br0 10.0.9.1 10.0.9.9");
	/* A manual route is better than a longer one of the kernel's. */
	assert_string_equal(ADD("192.0.0.0/8", "br0", "10.0.0.99"), "OK");
	assert_string_equal(lookup("192.168.3.4", 0), "br0 10.0.0.1 10.0.0.99");
	assert_string_equal(DEL("192.0.0.0/8"), "OK");
	assert_string_equal(lookup("192.168.3.4", 0), "br0 10.0.9.1 10.0.9.254");

	assert_string_equal(ADD("x", "br0"), "Invalid parameters");
	assert_string_equal(ADD("1.2.3.4/33", "br0"), "Invalid parameters");
	assert_string_equal(ADD("1.2.3.0/24", "nosuch"), "Error while inserting route.");
	assert_string_equal(ADD("10.0.0.0/24", "br0", "x"), "Invalid pkt_mark or gateway");
	assert_string_equal(ADD("10.0.0.0/24", "br0", "fd00::1"), "Invalid pkt_mark or gateway");
	assert_string_equal(ADD("fd01::/64", "br0", "1.2.3.4"), "Invalid pkt_mark or IPv6 gateway");
	assert_string_equal(ADD("10.0.0.0/24", "br0", "10.0.0.1", "x"), "Invalid pkt_mark");
	assert_string_equal(DEL("10.0.0.128/26"), "Not found");
	assert_string_equal(DEL("10.0.0.128/25", "pkt_mark=1"), "Not found");

	assert_int_equal(route_lookup_manual(ARGS("192.168.3.4"), &s, &error), 0);
	assert_string_equal(sbuf_cstr(&s), "src 10.0.9.1\ngateway 10.0.9.254\ndev br0\n");
	sbuf_clear(&s);
	route_format(&s);
	assert_int_equal(strncmp(sbuf_cstr(&s), "Route Table:\nCached: ", 21), 0);
	assert_non_null(strstr(s.data, "Cached: 10.0.0.1/32 dev br0 SRC 10.0.0.1 local\n"));
	assert_non_null(strstr(s.data, "Cached: 10.0.0.0/24 dev br0 SRC 10.0.0.1\n"));
	assert_non_null(
		strstr(s.data, "Cached: 192.168.0.0/16 dev br0 GW 10.0.9.254 SRC 10.0.9.1\n"));
	assert_non_null(
		strstr(s.data, "User: 10.0.0.192/26 MARK 7 dev br0 GW 10.0.0.7 SRC 10.0.0.1\n"));
	assert_non_null(strstr(s.data, "Cached: fd00::/64 dev br0 SRC fd00::1\n"));
	assert_null(strstr(s.data, "255"));
	sbuf_uninit(&s);
	assert_string_equal(DEL("10.0.0.128/25"), "OK");
	assert_string_equal(DEL("10.0.0.192/26", "pkt_mark=7"), "OK");
	route_uninit();
	assert_string_equal(lookup("10.0.0.2", 0), "none");
	rcu_reclaim();
}

static struct changes {
	int all, link_only;
} changes;

static void count(bool link_only)
{
	++*(link_only ? &changes.link_only : &changes.all);
}

static void test_monitor(void **state)
{
	struct ipv6_addr link_local = addr("fe80::77");
	struct event_loop *loop = event_loop_create();
	char dev[16] = "";

	changes = (struct changes){0};
	assert_int_equal(route_init(loop, count), 0);
	ip("addr add 10.77.0.1/24 dev br0");
	for (int i = 0; i < 50 && strcmp(lookup("10.77.0.2", 0), "br0 10.77.0.1 ::"); i++)
		event_run_once(loop, 20);
	assert_string_equal(lookup("10.77.0.2", 0), "br0 10.77.0.1 ::");
	assert_true(changes.all >= 1);
	changes = (struct changes){0};
	ip("link set br0 address 02:00:00:00:00:bb");
	for (int i = 0; i < 50 && !changes.all; i++)
		event_run_once(loop, 20);
	assert_int_equal(changes.all, 1);

	/* A device that comes, with an address of its link; one that everybody can use. */
	changes = (struct changes){0};
	ip("link add up0 type bridge");
	ip("link set up0 addrgenmode none up");
	ip("-6 addr add fe80::77/64 dev up0 nodad");
	for (int i = 0; i < 50 && !route_is_local(&link_local, dev); i++)
		event_run_once(loop, 20);
	assert_string_equal(dev, "up0");
	assert_true(changes.link_only >= 1);
	assert_int_equal(changes.all, 0);
	ip("addr add 10.78.0.1/24 dev up0");
	for (int i = 0; i < 50 && !changes.all; i++)
		event_run_once(loop, 20);
	assert_int_equal(changes.all, 1);
	/* Now its link counts, too. */
	changes = (struct changes){0};
	ip("-6 addr add fe80::78/64 dev up0 nodad");
	for (int i = 0; i < 50 && !changes.all; i++)
		event_run_once(loop, 20);
	assert_int_equal(changes.all, 1);
	ip("link del br0");
	for (int i = 0; i < 50 && strcmp(lookup("10.77.0.2", 0), "none"); i++)
		event_run_once(loop, 20);
	assert_string_equal(lookup("10.77.0.2", 0), "none");
	route_uninit();
	event_loop_destroy(loop);
	rcu_reclaim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_monitor),
	};

	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
