/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/flow_compose.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tests/support/packets.h"

static const struct flow_limits two_vlans = {.max_vlans = 2};

/* Fields of every sample packet survive the way to bytes and back. */
static void test_round_trip(void **state)
{
	for (size_t i = 0; i < N_SAMPLE_PACKETS; i++) {
		uint8_t b[256];
		size_t n = strlen(sample_packets[i]) / 2;
		struct flow flow, again;
		struct packet p, *made;

		parse_hex_bytes(sample_packets[i], b, n);
		packet_init(&p, b, (uint32_t)n, 0);
		flow_extract_limits(&p, &two_vlans, &flow);
		for (size_t payload = 0; payload <= 64; payload += 32) {
			made = flow_compose(&flow, NULL, payload);
			assert_int_equal(flow_extract_limits(made, &two_vlans, &again), 0);
			/* More labels than a flow holds can't come back: the third gets the bottom.
			 */
			if (eth_type_is_mpls(flow.dl_type))
				again.mpls_lse[2] = flow.mpls_lse[2];
			if (!flow_equal(&flow, &again))
				fail_msg("sample %zu with %zu bytes of payload", i, payload);
			packet_heap_ops.free(NULL, made);
		}
	}
}

static void test_checksums_and_lengths(void **state)
{
	struct flow flow = {0};
	struct packet *p;
	be16 old;

	flow.dl_type = htobe16(ETH_T_IP);
	flow.nw_src = htobe32(0x0a010001);
	flow.nw_dst = htobe32(0x0a010002);
	flow.nw_proto = IP_P_UDP;
	flow.nw_ttl = 64;
	flow.tp_dst = htobe16(53);
	p = flow_compose(&flow, "hello", 5);
	assert_int_equal(p->len, 14 + 20 + 8 + 5);
	assert_memory_equal(p->data + 42, "hello", 5);
	assert_int_equal(csum(p->data + 14, 20), 0);
	assert_int_equal(p->data[39], 13);
	memcpy(&old, p->data + 40, 2);
	assert_int_not_equal(old, 0);
	assert_int_equal(csum_finish(csum_bytes(csum_pseudo_v4(flow.nw_src, flow.nw_dst, IP_P_UDP, 13),
		p->data + 34, 13)), 0);
	packet_heap_ops.free(NULL, p);

	/* A SYN carries nothing. */
	flow.nw_proto = IP_P_TCP;
	flow.tcp_flags = htobe16(TCP_SYN);
	p = flow_compose(&flow, "hello", 5);
	assert_int_equal(p->len, 14 + 20 + 20);
	packet_heap_ops.free(NULL, p);
}

static void test_tag_without_tpid(void **state)
{
	struct flow flow = {0}, again;
	struct packet *p;

	flow.dl_type = htobe16(0x88b5);
	flow.vlans[0].tci = htobe16(VLAN_PRESENT | 5);
	p = flow_compose(&flow, NULL, 0);
	assert_int_equal(p->len, 18);
	flow_extract(p, &again);
	assert_int_equal(be16toh(again.vlans[0].tpid), 0x8100);
	assert_int_equal(again.vlans[0].tci, flow.vlans[0].tci);
	packet_heap_ops.free(NULL, p);
}

static void test_absurd_flows(void **state)
{
	uint64_t seed = 11;

	for (int i = 0; i < 3000; i++) {
		static const uint16_t types[] = {ETH_T_IP, ETH_T_IPV6, ETH_T_ARP, ETH_T_MPLS, ETH_T_PBB,
			ETH_T_NONE, 0, 0x8100};
		struct flow flow;
		struct packet *p;

		for (size_t k = 0; k < sizeof flow; k++) {
			seed = seed * UINT64_C(6364136223846793005) + 1;
			((uint8_t *)&flow)[k] = seed >> 62 ? (uint8_t)(seed >> 40) : 0;
		}
		flow.dl_type = htobe16(types[i % (int)ARRAY_SIZE(types)]);
		p = flow_compose(&flow, NULL, i % 7 ? 40 : FLOW_COMPOSE_MAX_PAYLOAD + 9);
		assert_true(p->len >= 14);
		packet_heap_ops.free(NULL, p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_checksums_and_lengths),
		cmocka_unit_test(test_tag_without_tpid),
		cmocka_unit_test(test_absurd_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
