/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ofproto/agent/in_band.h"
#include "ofproto/ofproto_private.h"
#include "peer.h"

static void test_targets(void **state)
{
	static const char *const bad[] = { "unix:/x", "tcp:", "tcp:host", "tcp:1.2.3", "tcp:1.2.3.4:0",
		"tcp:1.2.3.4:x", "tcp:[::1]:5", "ptcp:1", "ssl:255.255.255.2555" };
	struct in_band_remote remote;

	assert_true(in_band_parse_target("tcp:10.0.0.1", 6653, &remote));
	assert_int_equal(remote.addr, htobe32(0x0a000001));
	assert_int_equal(remote.port, htobe16(6653));
	assert_true(in_band_parse_target("ssl:255.255.255.255:6633", 6653, &remote));
	assert_int_equal(remote.port, htobe16(6633));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(in_band_parse_target(bad[i], 6653, &remote));
}

static uint32_t n_hidden(void)
{
	const struct of_state *tables = &peer_bridge->state;

	return tables->tables[0].n_flows - of_table_n_visible(tables, 0);
}

/* Nothing is known of routes and MACs here, so there are the four flows of each controller. */
static void test_flows_follow_the_controllers(void **state)
{
	struct in_band_remote remotes[2];
	struct in_band ib;

	assert_true(in_band_parse_target("tcp:10.0.0.1", 6653, &remotes[0]));
	assert_true(in_band_parse_target("tcp:10.0.0.2", 6653, &remotes[1]));
	in_band_init(&ib);
	assert_int_equal(in_band_run(&ib, peer_bridge, NULL, 0, 1000), -1);
	assert_int_equal(in_band_run(&ib, peer_bridge, remotes, 2, 1000), 1000);
	assert_int_equal(n_hidden(), 8);
	/* Not before it is time to look again. */
	assert_int_equal(in_band_run(&ib, peer_bridge, remotes, 1, 1500), 500);
	assert_int_equal(n_hidden(), 8);
	in_band_run(&ib, peer_bridge, remotes, 1, 2000);
	assert_int_equal(n_hidden(), 4);
	ofproto_flush(peer_bridge);
	in_band_flushed(&ib);
	assert_int_equal(n_hidden(), 0);
	in_band_run(&ib, peer_bridge, remotes, 1, 2001);
	assert_int_equal(n_hidden(), 4);
	in_band_run(&ib, peer_bridge, NULL, 0, 4000);
	assert_int_equal(n_hidden(), 0);
	in_band_uninit(&ib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test_setup_teardown(test_flows_follow_the_controllers, bridge_setup, bridge_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
