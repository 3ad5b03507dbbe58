/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/clock.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "lib/util.h"
#include "tunnel/neigh.h"
#include "tunnel/neigh_frame.h"
#include "tunnel/tnl_addr.h"

static const struct eth_addr mac_a = {{2, 0, 0, 0, 0, 0xa}}, mac_b = {{2, 0, 0, 0, 0, 0xb}};

static struct ipv6_addr addr(const char *s)
{
	struct ipv6_addr a = {.w64 = {0, 0}};

	assert_true(tnl_addr_parse(s, &a));
	return a;
}

static int n_gone;

static void count_gone(const struct ipv6_addr *a)
{
	n_gone++;
}

/* How many expire. */
static int run_until(int64_t now_ms)
{
	n_gone = 0;
	neigh_run(now_ms, count_gone);
	return n_gone;
}

static void test_life(void **state)
{
	struct ipv6_addr a = addr("10.0.0.2"), b = addr("fd00::2");
	struct eth_addr mac;

	assert_false(neigh_lookup("br0", &a, &mac));
	assert_true(neigh_set("br0", &a, mac_a, false, 0));
	assert_false(neigh_set("br0", &a, mac_a, false, 1000));
	assert_true(neigh_lookup("br0", &a, &mac));
	assert_memory_equal(mac.b, mac_a.b, 6);
	assert_false(neigh_lookup("br1", &a, &mac));
	assert_true(neigh_set("br0", &a, mac_b, false, 2000));
	assert_true(neigh_lookup("br0", &a, &mac));
	assert_memory_equal(mac.b, mac_b.b, 6);
	assert_true(neigh_set("br0", &b, mac_b, true, 2000));

	assert_int_equal(run_until(2000 + 899999), 0);
	assert_false(neigh_set("br0", &a, mac_b, false, 100000));
	assert_int_equal(run_until(2000 + 900000), 0);
	assert_int_equal(run_until(1000001), 1);
	assert_false(neigh_lookup("br0", &a, &mac));
	assert_true(neigh_lookup("br0", &b, &mac));
	assert_false(neigh_flush("br1"));
	assert_true(neigh_lookup("br0", &b, &mac));
	assert_true(neigh_flush(NULL));
	assert_false(neigh_lookup("br0", &b, &mac));
	rcu_reclaim();
}

static void test_solicit_rate(void **state)
{
	struct ipv6_addr a = addr("10.0.0.2"), b = addr("10.0.0.3");

	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &a, 0, 5000));
	assert_false(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &a, 0, 5999));
	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &b, 0, 5999));
	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br1", &a, 0, 5999));
	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &a, 0, 6000));
	run_until(10000);
	/* Whoever makes us ask for ever new addresses gets a limit. */
	unsigned int allowed = 0;
	for (uint32_t i = 0; i < 5000; i++) {
		struct ipv6_addr n = tnl_addr_from_ipv4(htobe32(i));

		allowed += neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &n, 0, 10000);
	}
	assert_in_range(allowed, 100, 4000);
	run_until(20000);
	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &a, 0, 20000));
	/* Asking ahead is seldom, and takes nothing from packets. */
	assert_true(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 0, 20000));
	assert_true(neigh_may_solicit(NEIGH_FOR_PACKET, "br0", &b, 0, 20000));
	run_until(29000);
	assert_false(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 0, 29999));
	assert_true(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 0, 30000));
	neigh_flush("br0");
	assert_true(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 0, 30001));
	neigh_flush(NULL);
	/* Patience. */
	assert_false(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 5000, 40000));
	assert_false(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 5000, 44999));
	run_until(45000);
	assert_true(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 5000, 45000));
	assert_false(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 5000, 54999));
	assert_true(neigh_may_solicit(NEIGH_AHEAD, "br0", &b, 5000, 55000));
	neigh_flush(NULL);
}

static void test_frames(void **state)
{
	struct ipv6_addr target = addr("10.0.0.2"), src = addr("10.0.0.1");
	uint8_t frame[86], expected[42];

	/* As Open vSwitch asks. */
	parse_hex_bytes("ffffffffffff02000000000a080600010800060400010200000000"
			"0a0a0000010000000000000a000002",
		expected, sizeof expected);
	assert_int_equal(neigh_build_solicit(&target, &src, mac_a, frame), 42);
	assert_memory_equal(frame, expected, 42);

	target = addr("fd00::12:3456");
	src = addr("fd00::1");
	assert_int_equal(neigh_build_solicit(&target, &src, mac_a, frame), 86);
	assert_memory_equal(frame,
		"\x33\x33\xff\x12\x34\x56\x02\0\0\0\0\x0a\x86\xdd\x60\0\0\0\0\x20\x3a\xff", 22);
	assert_memory_equal(frame + 38, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff\x12\x34\x56\x87\0", 18);
	assert_memory_equal(frame + 62, target.b, 16);
	assert_memory_equal(frame + 78, "\1\1\2\0\0\0\0\x0a", 8);
	struct ipv6_addr group = {.w64 = {0, 0}};
	memcpy(&group, frame + 38, 16);
	assert_int_equal(csum_finish(csum_bytes(
				 csum_pseudo_v6(&src, &group, IP_P_ICMPV6, 32), frame + 54, 32)),
		0);
}

/* A neighbour advertisement for fd00::2 at mac_b to fd00::1, BYTE of it turned if not 0. */
static bool parse_na(size_t byte, struct ipv6_addr *a, struct eth_addr *mac)
{
	struct ipv6_addr src = addr("fd00::2"), dst = addr("fd00::1");
	uint8_t f[86] = {2, 0, 0, 0, 0, 0xa, 2, 0, 0, 0, 0, 0xb, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32,
		IP_P_ICMPV6, 255};
	be16 sum;

	memcpy(f + 22, src.b, 16);
	memcpy(f + 38, dst.b, 16);
	f[54] = 136;
	f[58] = 0x60;
	memcpy(f + 62, src.b, 16);
	f[78] = 2;
	f[79] = 1;
	memcpy(f + 80, mac_b.b, 6);
	sum = csum_finish(csum_bytes(csum_pseudo_v6(&src, &dst, IP_P_ICMPV6, 32), f + 54, 32));
	memcpy(f + 56, &sum, sizeof sum);
	f[byte] ^= byte ? 1 : 0;
	return neigh_parse(f, sizeof f, a, mac);
}

static void test_parse(void **state)
{
	struct ipv6_addr src = addr("10.0.0.1"), target = addr("10.0.0.2"), a;
	struct eth_addr mac;
	uint8_t frame[NEIGH_SOLICIT_MAX];
	size_t n = neigh_build_solicit(&target, &src, mac_a, frame);

	assert_true(neigh_parse(frame, n, &a, &mac));
	assert_true(ipv6_addr_equal(&a, &src));
	assert_memory_equal(mac.b, mac_a.b, 6);
	for (size_t len = 0; len < n; len++)
		assert_false(neigh_parse(frame, len, &a, &mac));
	frame[22] |= 1; /* A group's address is nobody's. */
	assert_false(neigh_parse(frame, n, &a, &mac));

	assert_true(parse_na(0, &a, &mac));
	assert_memory_equal(mac.b, mac_b.b, 6);
	assert_false(parse_na(21, &a, &mac)); /* Hop limit: it came through a router. */
	assert_false(parse_na(55, &a, &mac)); /* Code. */
	assert_false(parse_na(77, &a, &mac)); /* Checksum. */
}

static void test_announce(void **state)
{
	struct ipv6_addr own = addr("10.0.0.1"), a;
	struct eth_addr mac;
	uint8_t frame[NEIGH_SOLICIT_MAX];

	assert_int_equal(neigh_build_announce(&own, mac_a, frame), 42);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_memory_equal(frame + 28, own.b + 12, 4);
	assert_memory_equal(frame + 38, own.b + 12, 4);
	assert_true(neigh_parse(frame, 42, &a, &mac));
	assert_true(ipv6_addr_equal(&a, &own));
	assert_memory_equal(mac.b, mac_a.b, 6);
	own = addr("fd00::1");
	assert_int_equal(neigh_build_announce(&own, mac_b, frame), 86);
	assert_memory_equal(frame, "\x33\x33\0\0\0\1", 6);
	assert_memory_equal(frame + 54, "\x88\0", 2);
	assert_int_equal(frame[58], 0x20);
	assert_true(neigh_parse(frame, 86, &a, &mac));
	assert_true(ipv6_addr_equal(&a, &own));
	assert_memory_equal(mac.b, mac_b.b, 6);
}

static void test_text(void **state)
{
	struct ipv6_addr a = addr("10.0.0.2"), b = addr("fd00::2");
	struct sbuf s = SBUF_INITIALIZER;

	neigh_set("br-phy", &b, mac_b, false, clock_ms());
	neigh_set("br-phy", &a, mac_a, false, clock_ms());
	neigh_format(&s);
	assert_string_equal(sbuf_cstr(&s),
		"IP                                            MAC                 Bridge\n"
		"==========================================================================\n"
		"10.0.0.2                                      02:00:00:00:00:0a   br-phy\n"
		"fd00::2                                       02:00:00:00:00:0b   br-phy\n");
	sbuf_uninit(&s);
	neigh_set_age(1);
	assert_int_equal(neigh_age(), 1);
	assert_int_equal(run_until(clock_ms() + 1500), 2);
	rcu_reclaim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_solicit_rate),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_announce),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
