/* SPDX-License-Identifier: Apache-2.0 */

/* The multicast snooping table, fed with frames. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/l2/mcast_snoop.h"
#include "datapath/pipeline/dependency.h"
#include "lib/rcu.h"
#include "lib/sbuf.h"
#include "tests/support/mcast_frames.h"

#define GROUP_A 0xef010101u	/* 239.1.1.1 */
#define GROUP_B 0xef010102u
#define VLAN 5

static struct mcast_snooping *ms;
static int64_t now_ms;

static int setup(void **state)
{
	(void)state;
	now_ms = 1000000;
	ms = mcast_snooping_create(3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mcast_snooping_destroy(ms);
	rcu_synchronize();
	return 0;
}

static unsigned int receive(ofp_port_t port, const struct mcast_frame *f)
{
	return mcast_snooping_receive(ms, port, VLAN, f->data, f->len, now_ms);
}

static unsigned int igmp(ofp_port_t port, uint8_t type, uint32_t group, uint32_t src)
{
	const uint8_t msg[8] = {type, 0, 0, 0, (uint8_t)(group >> 24), (uint8_t)(group >> 16),
		(uint8_t)(group >> 8), (uint8_t)group};
	struct mcast_frame f;

	mcast_frame_igmp(&f, src, msg, sizeof msg);
	return receive(port, &f);
}

static unsigned int join(ofp_port_t port, uint32_t group)
{
	return igmp(port, 0x16, group, 0x0a000001);
}

static unsigned int leave(ofp_port_t port, uint32_t group)
{
	return igmp(port, 0x17, group, 0x0a000001);
}

static unsigned int query(ofp_port_t port)
{
	return igmp(port, 0x11, 0, 0x0a0000fe);
}

/* ------------------------------------------------------------------ looking */

static const struct mcast_members *members(uint32_t group)
{
	struct ipv6_addr addr = {.w32 = {[2] = htobe32(0xffff), [3] = htobe32(group)}};

	return mcast_snooping_group(ms, &addr, VLAN);
}

static void show(void *sb, const struct ipv6_addr *group, uint16_t vlan, ofp_port_t port, int age)
{
	if (group)
		sbuf_putf(sb, "%u/%u:%u@%d ", group->b[15], vlan, port, age);
	else
		sbuf_putf(sb, "router/%u:%u@%d ", vlan, port, age);
}

static void assert_table(const char *expected)
{
	struct sbuf sb = SBUF_INITIALIZER;

	mcast_snooping_walk(ms, now_ms, show, &sb);
	assert_string_equal(sbuf_cstr(&sb), expected);
	sbuf_uninit(&sb);
}

/* ------------------------------------------------------------------ tests */

static void test_join_and_leave(void **state)
{
	struct ipv6_addr addr = {.w32 = {[2] = htobe32(0xffff), [3] = htobe32(GROUP_A)}};

	(void)state;
	assert_null(members(GROUP_A));
	assert_int_equal(join(1, GROUP_A), 1);
	assert_int_equal(join(2, GROUP_A), 1);
	assert_int_equal(igmp(2, 0x12, GROUP_B, 1), 1);	/* Version 1. */
	assert_int_equal(join(1, GROUP_A), 0);		/* A refresh. */
	assert_int_equal(members(GROUP_A)->n, 2);
	assert_null(mcast_snooping_group(ms, &addr, VLAN + 1));
	assert_table("2/5:2@0 1/5:2@0 1/5:1@0 ");
	assert_int_equal(leave(2, GROUP_A), 1);
	assert_int_equal(leave(3, GROUP_A), 0);
	assert_int_equal(members(GROUP_A)->n, 1);
	assert_int_equal(members(GROUP_A)->m[0].port, 1);
	assert_int_equal(leave(1, GROUP_A), 1);
	assert_null(members(GROUP_A));
	assert_int_equal(mcast_snooping_count(ms), 1);
	mcast_snooping_flush(ms);
	assert_table("");
}

static void test_aging(void **state)
{
	(void)state;
	join(1, GROUP_A);
	query(9);
	now_ms += 100000;
	join(2, GROUP_A);
	mcast_snooping_run(ms, now_ms);
	assert_table("1/5:1@100 1/5:2@0 router/5:9@100 ");
	now_ms += 80000;
	mcast_snooping_run(ms, now_ms);
	assert_table("1/5:1@180 1/5:2@80 ");
	now_ms += 120000;
	mcast_snooping_run(ms, now_ms);
	assert_table("1/5:2@200 ");
	now_ms += 99999;
	mcast_snooping_run(ms, now_ms);
	assert_int_equal(members(GROUP_A)->n, 1);
	now_ms += 1;
	mcast_snooping_run(ms, now_ms);
	assert_null(members(GROUP_A));
	/* A member may be old in a group that another one keeps young. */
	mcast_snooping_configure(ms, 1, 100);		/* 15 at least. */
	join(1, GROUP_A);
	join(2, GROUP_B);
	now_ms += 14000;
	join(3, GROUP_A);
	mcast_snooping_run(ms, now_ms);
	assert_int_equal(members(GROUP_A)->n, 2);
	now_ms += 1000;
	mcast_snooping_run(ms, now_ms);
	assert_table("1/5:3@1 ");
}

static void test_bound(void **state)
{
	(void)state;
	mcast_snooping_configure(ms, 300, 10);
	for (uint32_t i = 0; i < 10; i++)
		join(1, GROUP_A + i);
	join(2, GROUP_A);		/* Used now. */
	join(1, GROUP_A + 10);
	assert_int_equal(mcast_snooping_count(ms), 10);
	assert_non_null(members(GROUP_A));
	assert_null(members(GROUP_A + 1));
	assert_non_null(members(GROUP_A + 10));
	for (uint32_t i = 0; i < 1000; i++)
		join(1, GROUP_A + i * 7);
	assert_int_equal(mcast_snooping_count(ms), 10);
}

static void test_routers(void **state)
{
	(void)state;
	assert_null(mcast_snooping_routers(ms));
	assert_int_equal(igmp(9, 0x11, 0, 0), 0);	/* Of nobody. */
	assert_int_equal(query(9), 1);
	assert_int_equal(query(9), 0);
	assert_int_equal(mcast_snooping_routers(ms)->n, 1);
	assert_int_equal(mcast_snooping_routers(ms)->m[0].port, 9);
	assert_int_equal(mcast_snooping_routers(ms)->m[0].vlan, VLAN);
	/* It gets everything as it is. */
	assert_int_equal(join(9, GROUP_A), 0);
	assert_null(members(GROUP_A));
	mcast_snooping_flush_port(ms, 9);
	assert_null(mcast_snooping_routers(ms));
}

static void test_flood_ports(void **state)
{
	(void)state;
	mcast_snooping_set_flood(ms, 4, true);
	mcast_snooping_set_flood(ms, 5, true);
	mcast_snooping_set_flood(ms, 4, true);
	assert_int_equal(mcast_snooping_flood(ms)->n, 2);
	assert_int_equal(join(4, GROUP_A), 0);
	assert_int_equal(query(4), 0);
	mcast_snooping_set_flood(ms, 4, false);
	assert_int_equal(mcast_snooping_flood(ms)->n, 1);
	assert_int_equal(join(4, GROUP_A), 1);
	mcast_snooping_set_flood(ms, 5, false);
	assert_null(mcast_snooping_flood(ms));
	/* Behind a report port there may be more who want it. */
	mcast_snooping_set_flood_reports(ms, 4, true);
	assert_int_equal(leave(4, GROUP_A), 0);
	assert_non_null(members(GROUP_A));
	mcast_snooping_flush_port(ms, 4);
	assert_null(members(GROUP_A));
	assert_null(mcast_snooping_flood_reports(ms));
}

static void test_v3_report(void **state)
{
	static const uint8_t msg[] = {0x22, 0, 0, 0, 0, 0, 0, 4,
		4, 0, 0, 0, 239, 1, 1, 1,			/* To exclude nobody: join. */
		6, 1, 0, 1, 239, 1, 1, 2, 10, 0, 0, 1, 1, 2, 3, 4,	/* Sources, aux data. */
		3, 0, 0, 0, 239, 1, 1, 3,			/* To include nobody: leave. */
		9, 0, 0, 0, 239, 1, 1, 4};			/* Unknown. */
	static const uint8_t cut[] = {0x22, 0, 0, 0, 0, 0, 0, 9,
		4, 0, 0, 0, 239, 1, 1, 5, 4, 0, 0xff, 0xff, 239, 1, 1, 6};
	struct mcast_frame f;

	(void)state;
	join(1, GROUP_A + 2);
	mcast_frame_igmp(&f, 1, msg, sizeof msg);
	assert_int_equal(receive(1, &f), 3);
	assert_table("1/5:1@0 2/5:1@0 ");
	mcast_frame_igmp(&f, 1, cut, sizeof cut);
	assert_int_equal(receive(1, &f), 2);
	assert_non_null(members(GROUP_A + 5));
}

static void test_mld(void **state)
{
	static const struct ipv6_addr g1 = {.b = {0xff, 0x0e, [15] = 1}};
	static const struct ipv6_addr g2 = {.b = {0xff, 0x0e, [15] = 2}};
	uint8_t v1[24] = {131, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x0e, [23] = 1};
	uint8_t v2[28] = {143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0xff, 0x0e, [27] = 2};
	uint8_t v1_query[24] = {130};
	struct mcast_frame f;

	(void)state;
	mcast_frame_mld(&f, v1, sizeof v1);
	assert_int_equal(receive(1, &f), 1);
	assert_int_equal(mcast_snooping_group(ms, &g1, VLAN)->n, 1);
	mcast_frame_mld(&f, v2, sizeof v2);
	assert_int_equal(receive(2, &f), 1);
	assert_int_equal(mcast_snooping_group(ms, &g2, VLAN)->m[0].port, 2);
	v1[0] = 132;
	mcast_frame_mld(&f, v1, sizeof v1);
	assert_int_equal(receive(1, &f), 1);
	assert_null(mcast_snooping_group(ms, &g1, VLAN));
	mcast_frame_mld(&f, v1_query, sizeof v1_query);
	assert_int_equal(receive(3, &f), 1);
	assert_int_equal(mcast_snooping_routers(ms)->n, 1);
	v1[0] = 131;
	v1[8] = 0xfe;			/* No group. */
	mcast_frame_mld(&f, v1, sizeof v1);
	assert_int_equal(receive(1, &f), 0);
}

static void test_malformed(void **state)
{
	static const uint8_t msg[] = {0x16, 0, 0, 0, 239, 1, 1, 1};
	static const uint8_t unicast[] = {0x16, 0, 0, 0, 10, 1, 1, 1};
	struct mcast_frame f;

	(void)state;
	mcast_frame_igmp(&f, 1, msg, sizeof msg);
	f.data[14 + 24 + 7]++;		/* The checksum is wrong. */
	assert_int_equal(receive(1, &f), 0);
	mcast_frame_igmp(&f, 1, unicast, sizeof unicast);
	assert_int_equal(receive(1, &f), 0);
	mcast_frame_igmp(&f, 1, msg, sizeof msg);
	for (size_t len = 0; len < 14 + 24 + 8; len++)
		assert_int_equal(mcast_snooping_receive(ms, 1, VLAN, f.data, len, now_ms), 0);
	/* Every byte in turn: nothing is read that is not there. */
	for (size_t i = 12; i < f.len; i++) {
		f.data[i] ^= 0xff;
		receive(1, &f);
		f.data[i] ^= 0xff;
	}
	mcast_snooping_flush(ms);
	assert_int_equal(receive(1, &f), 1);
}

static void test_dependency(void **state)
{
	const uint16_t id = dep_mdb(3);
	uint32_t seq = dep_seq();

	(void)state;
	join(1, GROUP_A);
	assert_false(dep_is_valid(seq, &id, 1));
	seq = dep_seq();
	join(1, GROUP_A);		/* Nothing that readers see. */
	assert_true(dep_is_valid(seq, &id, 1));
	leave(1, GROUP_A);
	assert_false(dep_is_valid(seq, &id, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_join_and_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_v3_report, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mld, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dependency, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
